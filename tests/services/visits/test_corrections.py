"""Corrections: both values stay, another person decides, and the bill hears of it."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError
from sqlalchemy import text

from services.core.actor import Role
from services.events import VisitReadingTaken, VisitReadingVoided
from services.visits.acts.models import ActKind
from services.visits.corrections.errors import (
    AlreadyDecided,
    ChangedSince,
    CorrectionInvalid,
    CorrectionWaits,
    NotOverYet,
    OwnCorrection,
)
from services.visits.corrections.models import CorrectionDecision, CorrectionPublic, CorrectionRequest
from services.visits.corrections.service import approve, list_corrections, reject, request
from services.visits.corrections.states import CorrectionStatus
from services.visits.models import ReviewRequest
from services.visits.readings.service import into_vital_record, out_of_vital_record
from services.visits.record import read_record
from services.visits.repository import supplies_of_order
from services.visits.service import review
from tests.ordering import Ordering, same_moment
from tests.services.visits.offline import Offline, begin

YES = CorrectionDecision(note="已与家属核实")


async def over(ordering: Ordering) -> Offline:
    """A whole visit that is over and verified."""
    offline = await begin(ordering)
    await offline.send(*offline.acts)
    return offline


async def ask(offline: Offline, **wanted: Any) -> CorrectionPublic:
    """The caregiver asks."""
    said = CorrectionRequest(**{"reason": "other", "words": "记录有误", **wanted})
    ordering = offline.ordering
    async with ordering.work(ordering.as_caregiver(offline.caregiver_id)) as work:
        return await request(work, offline.visit_id, said)


async def decide(ordering: Ordering, verb: Any, correction_id: UUID, if_match: int | None = None) -> Any:
    """The manager decides."""
    async with ordering.work(ordering.actor(Role.CENTRE_MANAGER)) as work:
        return await verb(work, correction_id, YES, if_match)


async def test_both_values_stay_and_the_bill_hears_of_it(ordering: Ordering) -> None:
    offline = await over(ordering)
    before = await offline.state()
    ended = before["times"][2] + timedelta(minutes=20)
    async with ordering.work(ordering.dispatcher) as work:
        (gloves,) = (await read_record(work, offline.visit_id)).supplies
    asked = await ask(
        offline,
        care_ended_at=ended,
        tasks=[{"code": "skin", "state": "done"}],
        supplies_void=[gloves.id],
        supplies_add=[{"code": "gloves", "name": "一次性手套", "kind": "consumable", "quantity": 4}],
    )
    assert await offline.state() == before, "nothing changes before somebody agrees"
    done = await decide(ordering, approve, asked.id, asked.version)
    assert (done.status, done.decided_by) == (
        CorrectionStatus.APPROVED,
        ordering.actor(Role.CENTRE_MANAGER).account_id,
    )
    assert done.before["care_ended_at"] == before["times"][2].isoformat()
    assert done.after["care_ended_at"] == ended.isoformat()
    assert [one["quantity"] for one in done.before["supplies"]] == [2]
    after = await offline.state()
    assert same_moment(after["times"][2], ended)
    assert after["supplies"] == [("gloves", 4)]
    assert ("skin", "done", "") in after["tasks"]
    assert await decide(ordering, approve, asked.id) == done, "a double tap is harmless"
    async with ordering.work() as work:
        rows = await work.sql(
            text("SELECT count(*) FROM outbox WHERE name = 'visit.corrected' AND payload->>'visit_id' = :v"),
            {"v": str(offline.visit_id)},
        )
        assert rows.scalar_one() == 1
        kept = await work.sql(
            text("SELECT quantity, voided_by_correction FROM visit_supply WHERE visit_id = :v ORDER BY id"),
            {"v": offline.visit_id},
        )
        assert [tuple(row) for row in kept] == [(2, asked.id), (4, None)], "nothing is edited away"


async def test_a_reading_that_was_wrong_counts_no_more(ordering: Ordering) -> None:
    offline = await over(ordering)
    (wrong,) = (await offline.shown()).readings
    asked = await ask(
        offline,
        reason="wrong_reading",
        readings_void=[wrong["id"]],
        readings_add=[{"kind": "blood_pressure", "systolic": 128, "diastolic": 82, "at": wrong["at"]}],
    )
    await decide(ordering, approve, asked.id)
    (right,) = (await offline.shown()).readings
    assert (right["systolic"], right["id"] != wrong["id"]) == (128, True)
    where = {
        "area_code": offline.order.area_code,
        "centre_id": offline.order.centre_id,
        "visit_id": offline.visit_id,
    }
    async with ordering.work() as work:
        for _ in range(2):  # handlers run at least once
            await into_vital_record(work, VisitReadingTaken(reading_id=UUID(right["id"]), **where))
            await into_vital_record(work, VisitReadingTaken(reading_id=UUID(wrong["id"]), **where))
            await out_of_vital_record(work, VisitReadingVoided(reading_id=UUID(wrong["id"]), **where))
        rows = await work.sql(
            text("SELECT value FROM reading WHERE resident_id = :r AND quality = 'good' ORDER BY value"),
            {"r": offline.order.resident_id},
        )
        assert rows.scalars().all() == [82.0, 128.0]
    async with ordering.work(ordering.dispatcher) as work:
        record = await read_record(work, offline.visit_id)
    assert [one.voided_at is None for one in record.readings] == [False, True]


async def test_nobody_decides_on_their_own(ordering: Ordering) -> None:
    offline = await over(ordering)
    said = CorrectionRequest(reason="other", words="记录有误", care_ended_at=ordering.clock.now())
    manager = ordering.actor(Role.CENTRE_MANAGER)
    async with ordering.work(manager) as work:
        mine = await request(work, offline.visit_id, said)
    for verb in (approve, reject):
        with pytest.raises(OwnCorrection):
            await decide(ordering, verb, mine.id)


async def test_a_refused_one_changes_nothing_and_stays(ordering: Ordering) -> None:
    offline = await over(ordering)
    before = await offline.state()
    asked = await ask(offline, care_ended_at=ordering.clock.now())
    with pytest.raises(CorrectionWaits):
        await ask(offline, care_ended_at=ordering.clock.now())
    refused = await decide(ordering, reject, asked.id)
    assert refused.status is CorrectionStatus.REJECTED
    with pytest.raises(AlreadyDecided):
        await decide(ordering, approve, asked.id)
    assert await offline.state() == before
    async with ordering.work(ordering.as_caregiver(offline.caregiver_id)) as work:
        (listed,) = await list_corrections(work, 20, None, [], offline.visit_id)
    assert listed.decision_note == "已与家属核实"


async def test_sixteen_managers_agree_and_refuse_at_once(ordering: Ordering) -> None:
    """One decision stands, and what it says is what was done."""
    offline = await over(ordering)
    supply = {"code": "pad", "name": "护理垫", "kind": "consumable", "quantity": 1}
    asked = await ask(offline, supplies_add=[supply])
    verbs = [approve, reject] * 8
    answers = await asyncio.gather(*(decide(ordering, verb, asked.id) for verb in verbs), return_exceptions=True)
    stands = {answer.status for answer in answers if not isinstance(answer, Exception)}
    assert len(stands) == 1
    assert all(isinstance(answer, AlreadyDecided) for answer in answers if isinstance(answer, Exception))
    async with ordering.work() as work:
        pads = [one for one in await supplies_of_order(work, offline.order.id) if one.code == "pad"]
    assert len(pads) == (1 if stands == {CorrectionStatus.APPROVED} else 0)


async def test_what_cannot_be_is_refused(ordering: Ordering) -> None:
    offline = await begin(ordering)
    with pytest.raises(NotOverYet):
        await ask(offline, care_ended_at=ordering.clock.now())
    await offline.send(*offline.acts)
    began = (await offline.state())["times"][1]
    for wrong in (
        {"care_ended_at": began - timedelta(minutes=1)},
        {"care_ended_at": ordering.clock.now() + timedelta(minutes=1)},
        {"supplies_void": [offline.visit_id]},
        {"readings_void": [offline.visit_id]},
    ):
        with pytest.raises(CorrectionInvalid):
            await ask(offline, **wrong)
    with pytest.raises(ValidationError):
        CorrectionRequest(reason="other", words="什么都没改")


async def test_a_visit_that_has_changed_since_is_asked_about_anew(ordering: Ordering) -> None:
    offline = await begin(ordering)
    offline.acts = [done for done in offline.acts if done.do != ActKind.SET_OUT]
    offline.acts[-1].said.pop("latitude")
    offline.acts = [done.model_copy(update={"seq": n}) for n, done in enumerate(offline.acts, start=1)]
    await offline.send(*offline.acts)
    asked = await ask(offline, care_ended_at=ordering.clock.now())
    async with ordering.work(ordering.dispatcher) as work:
        await review(work, offline.visit_id, ReviewRequest(note="属实"), None)
    with pytest.raises(ChangedSince):
        await decide(ordering, approve, asked.id)
