"""Work without network comes in: once each, in any parts and order, and what happened is never lost."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from services.dispatch.models import ReleaseRequest
from services.dispatch.service import cancel_order, release
from services.orders.states import OrderStatus
from services.visits.acts.conflicts import list_conflicts, settle_conflict
from services.visits.acts.gaps import missing_before
from services.visits.acts.models import ActKind, SettleConflict, SyncAnswer
from services.visits.acts.states import ActStatus
from services.visits.acts.sync import patience, release_overdue
from services.visits.errors import VisitCancelled
from services.visits.models import ReviewRequest
from services.visits.service import check_in, review
from services.visits.states import VisitStatus
from tests.ordering import Ordering
from tests.services.visits.offline import PLACE, Offline, begin

Start = Callable[[], Awaitable[Offline]]


@pytest.fixture
def start(ordering: Ordering) -> Start:
    """Begins one visit after another in one world."""

    async def fresh() -> Offline:
        return await begin(ordering)

    return fresh


def results(answer: SyncAnswer) -> list[str]:
    return [item.result for item in answer.items]


def codes(answer: SyncAnswer) -> list[str | None]:
    return [item.code for item in answer.items]


async def outbox(ordering: Ordering, offline: Offline) -> list[tuple[str, int]]:
    """Names and numbers of a centre's events about the end of its visits."""
    async with ordering.work() as work:
        rows = await work.sql(
            text(
                "SELECT name, count(*) FROM outbox WHERE centre_id = :c AND name IN"
                " ('visit.ended', 'order.completed', 'visit.conflict', 'visit.reading_taken')"
                " GROUP BY name ORDER BY name"
            ),
            {"c": offline.order.centre_id},
        )
        return [(row[0], row[1]) for row in rows]


async def test_a_day_without_network_ends_as_the_same_day_online(ordering: Ordering) -> None:
    online = await begin(ordering)
    for done in online.acts:
        await online.live(done)
    later = await begin(ordering)
    answer = await later.send(*later.acts)
    assert results(answer) == ["applied"] * len(later.acts)
    assert (answer.visits[0].status, answer.visits[0].flags) == (VisitStatus.VERIFIED, [])
    first, second = await online.state(), await later.state()
    shift = timedelta(hours=2)
    assert [moment + shift for moment in first.pop("times")] == list(second.pop("times"))
    for state in (first, second):
        for reading in state["readings"]:
            reading.pop("at")
    assert first == second
    assert second["note"] == "水温四十度\n一切正常"
    assert ("water", "done", "") in second["tasks"], "the later word about a task stands"


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)
@given(seed=st.integers(0, 2**32), parts=st.integers(1, 13), repeats=st.integers(0, 8))
async def test_any_split_repetition_and_order_ends_the_same(
    start: Start, seed: int, parts: int, repeats: int
) -> None:
    """The same acts, cut into batches anywhere, some sent again, in any order."""
    chance = random.Random(seed)  # noqa: S311  a test's shuffle
    plain, mixed = await start(), await start()
    await plain.send(*plain.acts)
    sent = [*mixed.acts, *chance.choices(mixed.acts, k=repeats)]
    chance.shuffle(sent)
    for part in range(parts):
        batch = {done.id: done for done in sent[part::parts]}
        if batch:
            await mixed.send(*batch.values())
    first, second = await plain.state(), await mixed.state()
    shift = timedelta(hours=2)
    assert [moment + shift for moment in first.pop("times")] == list(second.pop("times"))
    for state in (first, second):
        for reading in state["readings"]:
            reading.pop("at")
    assert first == second
    assert first["status"] is VisitStatus.VERIFIED


async def test_the_same_act_has_the_same_answer_and_one_effect(ordering: Ordering) -> None:
    offline = await begin(ordering)
    await offline.send(*offline.acts)
    before = await outbox(ordering, offline)
    again = await offline.send(*offline.acts)
    assert set(results(again)) == {"repeated"}
    assert {item.became for item in again.items} == {ActStatus.APPLIED}
    assert await outbox(ordering, offline) == before
    assert dict(before) == {"visit.ended": 1, "order.completed": 1, "visit.reading_taken": 1}
    other = offline.acts[0].model_copy(update={"do": "note", "said": {"text": "x"}})
    (reused,) = (await offline.send(other)).items
    assert (reused.result, reused.code) == ("conflict", "act_id_reused")


async def test_sixteen_phones_send_the_same_batch_at_once(ordering: Ordering) -> None:
    offline = await begin(ordering)
    answers = await asyncio.gather(*(offline.send(*offline.acts) for _ in range(16)))
    applied = [result for answer in answers for result in results(answer) if result == "applied"]
    assert len(applied) == len(offline.acts)
    assert {result for answer in answers for result in results(answer)} == {"applied", "repeated"}
    state = await offline.state()
    assert (state["status"], state["supplies"]) == (VisitStatus.VERIFIED, [("gloves", 2)])
    assert dict(await outbox(ordering, offline))["visit.reading_taken"] == 1


async def test_an_end_waits_for_what_came_before_it(ordering: Ordering) -> None:
    offline = await begin(ordering)
    *before, end = offline.acts
    (waiting,) = (await offline.send(end)).items
    assert (waiting.result, waiting.code) == ("waiting", "waits_for_earlier")
    assert waiting.detail["missing"] == list(range(1, len(offline.acts)))
    assert results(await offline.send(end)) == ["waiting"]
    held = before.pop(2)
    rest = await offline.send(*before)
    assert (results(rest), rest.released) == (["applied"] * len(before), [])
    done = await offline.send(held)
    assert [(item.id, item.result) for item in done.released] == [(end.id, "applied")]
    assert (await offline.state())["status"] is VisitStatus.VERIFIED
    assert results(await offline.send(end)) == ["repeated"]


async def test_what_never_comes_holds_nothing_up_for_ever(ordering: Ordering) -> None:
    offline = await begin(ordering)
    lost = offline.acts.pop(7)
    assert results(await offline.send(*offline.acts))[-1] == "waiting"
    async with ordering.work() as work:
        assert await release_overdue(work) == 0
    ordering.clock.forward(seconds=patience().total_seconds() + 1)
    async with ordering.work() as work:
        assert await release_overdue(work) == 1
    visit = await offline.shown()
    assert (visit.status, visit.flags) == (VisitStatus.FLAGGED, ["gap_in_acts"])
    late = await offline.send(lost)
    assert results(late) == ["applied"], "a flagged visit is still open to what comes late"
    assert (await offline.state())["supplies"] == [("gloves", 2)]


@pytest.mark.parametrize(
    ("seq", "known", "missing"),
    [
        (4, {1: "check_in", 2: "task", 3: "note", 4: "check_out"}, []),
        (4, {1: "check_in", 4: "check_out"}, [2, 3]),
        (4, {4: "check_out"}, [1, 2, 3]),
        (1, {1: "check_out"}, []),
        (58, {55: "set_out", 56: "check_in", 57: "task", 58: "check_out"}, []),
        (58, {56: "check_in", 58: "check_out"}, [57]),
        (3, {2: "task", 3: "check_out", 4: "note"}, [1]),
    ],
)
def test_where_a_visit_s_numbers_begin(seq: int, known: dict[int, str], missing: list[int]) -> None:
    assert missing_before(seq, known) == missing


async def test_care_at_a_visit_that_was_cancelled_meanwhile_is_kept_and_flagged(ordering: Ordering) -> None:
    offline = await begin(ordering)
    async with ordering.work(ordering.resident) as work:
        await cancel_order(work, offline.order.id, "改期", None)
    answer = await offline.send(*offline.acts)
    by_kind = {item.seq: (item.result, item.code) for item in answer.items}
    assert by_kind[1] == ("conflict", "visit_cancelled"), "setting out alone is no care"
    assert by_kind[2] == ("conflict", "visit_cancelled")
    assert answer.items[1].detail["recorded"] is True
    assert answer.items[1].words_zh == "该次上门已取消"
    assert {by_kind[seq][0] for seq in range(3, 14)} == {"applied"}
    state = await offline.state()
    assert (state["order"], state["status"]) == (OrderStatus.CANCELLED, VisitStatus.FLAGGED)
    assert state["flags"] == ["care_after_cancel"]
    assert state["supplies"] == [("gloves", 2)]
    assert state["times"][2] - state["times"][1] == timedelta(minutes=70)
    async with ordering.work(ordering.dispatcher) as work:
        listed = await list_conflicts(work, 20, None, [ActStatus.CONFLICT])
        assert {row.kind for row in listed} == {"set_out", "check_in"}
        assert all("start_code" not in row.said for row in listed)
        settled = await settle_conflict(work, listed[0].id, SettleConflict(note="已补录"), listed[0].version)
        assert settled.status is ActStatus.SETTLED
        accepted = await review(work, offline.visit_id, ReviewRequest(note="属实"), None)
    assert accepted.status is VisitStatus.REVIEWED


async def test_care_at_a_visit_that_was_given_to_somebody_else(ordering: Ordering) -> None:
    offline = await begin(ordering)
    async with ordering.work(ordering.dispatcher) as work:
        gone = ReleaseRequest(caregiver_id=offline.caregiver_id, reason="联系不上")
        await release(work, offline.order.id, gone, None)
    (first, *_) = (await offline.send(offline.acts[1])).items
    assert (first.result, first.code) == ("conflict", "given_to_other")
    visit = await offline.shown()
    assert (visit.status, visit.flags) == (VisitStatus.FLAGGED, ["care_after_handover"])


async def test_two_phones_check_in_at_once(ordering: Ordering) -> None:
    offline = await begin(ordering, whole=False)
    now = ordering.clock.now()
    acts = [
        offline.did(ActKind.CHECK_IN, now - timedelta(minutes=n), start_code=offline.order.start_code, **PLACE)
        for n in range(1, 9)
    ]
    answers = await asyncio.gather(*(offline.send(done, device=f"phone-{n}") for n, done in enumerate(acts)))
    flat = [item for answer in answers for item in answer.items]
    assert sorted(item.result for item in flat) == ["applied"] + ["conflict"] * 7
    assert {item.code for item in flat if item.result == "conflict"} == {"already_checked_in"}
    (counted,) = [item for item in flat if item.result == "applied"]
    started = (await offline.shown()).care_started_at
    assert started == next(done.device_at for done in acts if done.id == counted.id)


async def test_a_cancel_and_a_check_in_at_once(ordering: Ordering) -> None:
    """Whoever comes first counts; nothing is half cancelled and half begun."""
    for _ in range(4):
        offline = await begin(ordering, whole=False)

        async def cancel(one: Offline = offline) -> Any:
            async with ordering.work(ordering.resident) as work:
                return await cancel_order(work, one.order.id, "改期", None)

        async def come(one: Offline = offline) -> Any:
            async with ordering.work(ordering.as_caregiver(one.caregiver_id)) as work:
                return await check_in(work, one.visit_id, ordering.at_door(one.order), None)

        answers = await asyncio.gather(cancel(), come(), return_exceptions=True)
        state = await offline.state()
        both = (state["order"], state["status"])
        if isinstance(answers[1], VisitCancelled):
            assert both == (OrderStatus.CANCELLED, VisitStatus.CANCELLED)
        else:
            assert isinstance(answers[0], Exception)
            assert both == (OrderStatus.IN_PROGRESS, VisitStatus.IN_SERVICE)


async def test_one_act_s_trouble_is_its_own(ordering: Ordering) -> None:
    offline = await begin(ordering, whole=False)
    now = ordering.clock.now()
    offline.did(ActKind.CHECK_IN, now - timedelta(minutes=70), start_code=offline.order.start_code, **PLACE)
    offline.did(ActKind.TASK, now - timedelta(minutes=60), code="dance")
    offline.did(ActKind.READING, now - timedelta(minutes=59), kind="heart_rate", value=720)
    offline.did(ActKind.READING, now - timedelta(minutes=58), kind="heart_rate")
    offline.did(ActKind.PROOF, now - timedelta(minutes=57), proof_id=str(offline.visit_id), kind="photo")
    offline.acts.append(offline.acts[0].model_copy(update={"id": offline.order.id, "seq": 6, "do": "sing"}))
    offline.did(ActKind.READING, now - timedelta(minutes=50), kind="heart_rate", value=72)
    answer = await offline.send(*offline.acts)
    assert codes(answer) == [
        None,
        "unknown_task",
        "implausible_reading",
        "unreadable_act",
        "no_photo_consent",
        "unreadable_act",
        None,
    ]
    assert answer.items[2].detail["high"] == 300, "a hint what would be taken"
    assert answer.items[2].words_zh is not None
    visit = await offline.shown()
    assert [one["value"] for one in visit.readings] == [72.0]


async def test_a_closed_visit_changes_by_correction_only(ordering: Ordering) -> None:
    offline = await begin(ordering)
    await offline.send(*offline.acts)
    now = ordering.clock.now()
    offline.did(ActKind.SUPPLY, now, code="gauze", name="纱布", kind="consumable")
    offline.did(ActKind.TASK, now, code="skin")
    offline.did(ActKind.READING, now, kind="heart_rate", value=80)
    offline.did(ActKind.INCIDENT, now, kind="fall", severity="minor", words="出门时绊倒")
    late = await offline.send(*offline.acts[-4:])
    assert codes(late) == ["visit_closed", "visit_closed", None, None]
    assert (await offline.state())["supplies"] == [("gloves", 2)]


async def test_a_stranger_s_visit_is_kept_and_tells_nothing(ordering: Ordering) -> None:
    offline = await begin(ordering)
    (other,) = await ordering.add_caregivers(1)
    offline.caregiver_id = other.id
    answer = await offline.send(offline.acts[1])
    assert codes(answer) == ["unknown_visit"]
    assert answer.visits == []
    async with ordering.work(ordering.dispatcher) as work:
        (kept,) = await list_conflicts(work, 20, None, [])
    assert (kept.visit_id, kept.resident_id, kept.caregiver_id) == (offline.visit_id, None, other.id)
