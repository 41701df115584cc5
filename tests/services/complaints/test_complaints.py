"""A complaint from the first words to the county's last one."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from services.complaints import reading, service
from services.complaints.errors import AppealTooLate, ComplaintClosed, NotTheirOrder, SameJudge
from services.complaints.models import (
    AppealCreate,
    ComplaintCreate,
    ComplaintKind,
    ComplaintPublic,
    Decision,
    EntryCreate,
    EntryKind,
    Measure,
    Outcome,
    StatementCreate,
    WithdrawRequest,
)
from services.complaints.reminding import tell_of_step, tell_overdue
from services.complaints.states import ComplaintStatus
from services.core.actor import Actor, Role
from services.core.errors import Forbidden, NotFound
from services.core.ids import new_id
from tests.ordering import Ordering

UPHELD = Decision(outcome=Outcome.UPHELD, findings="迟到属实", measures=[Measure.APOLOGY, Measure.REFUND])
NOT_UPHELD = Decision(outcome=Outcome.NOT_UPHELD, findings="查无实据", measures=[Measure.NONE])


async def complain(ordering: Ordering, kind: ComplaintKind = ComplaintKind.LATE) -> tuple[ComplaintPublic, UUID]:
    """The resident complains of a completed order; its caregiver beside it."""
    order = await ordering.completed("cleaning")
    detail = await ordering.read(order.id)
    async with ordering.work(ordering.resident) as work:
        opened = await service.open_complaint(
            work, ComplaintCreate(resident_id=order.resident_id, order_id=order.id, kind=kind, words="来晚了")
        )
    return opened, detail.visits[0].caregiver_id


async def take(ordering: Ordering, complaint_id: UUID, role: Role = Role.CENTRE_MANAGER) -> ComplaintPublic:
    async with ordering.work(ordering.actor(role)) as work:
        return await service.take(work, complaint_id, None)


async def decide(ordering: Ordering, complaint_id: UUID, said: Decision, actor: Actor) -> ComplaintPublic:
    async with ordering.work(actor) as work:
        return await service.decide(work, complaint_id, said, None)


async def told(ordering: Ordering, complaint_id: UUID) -> list[tuple[str, str]]:
    """Who was told what, by step and role."""
    async with ordering.work() as work:
        rows = await work.sql(
            text(
                "SELECT n.parameters->>'step', a.role FROM notification n JOIN account a ON a.id = n.account_id"
                " WHERE n.parameters->>'complaint_id' = :id ORDER BY n.id"
            ),
            {"id": str(complaint_id)},
        )
        return [(step, role) for step, role in rows.all()]


async def test_a_case_has_a_number_parties_and_a_deadline_at_once(ordering: Ordering) -> None:
    opened, caregiver_id = await complain(ordering)
    assert opened.number.startswith("TS-")
    assert opened.due_at == opened.opened_at + timedelta(hours=24)
    assert {(party.role, party.caregiver_id) for party in opened.parties} == {
        ("complainant", None),
        ("centre", None),
        ("caregiver", caregiver_id),
    }
    assert [party.name for party in opened.parties if party.caregiver_id] == ["陈**"]  # the household's view


async def test_the_whole_way_with_both_sides_heard(ordering: Ordering) -> None:
    opened, caregiver_id = await complain(ordering)
    manager, county = ordering.actor(Role.CENTRE_MANAGER), ordering.actor(Role.COUNTY_OFFICER)
    taken = await take(ordering, opened.id)
    assert taken.due_at == opened.opened_at + timedelta(days=10)
    async with ordering.work(ordering.as_caregiver(caregiver_id)) as work:
        await service.state(work, opened.id, StatementCreate(words="电动车坏了"))
    async with ordering.work(manager) as work:
        note = EntryCreate(kind=EntryKind.NOTE, words="核对了定位记录")
        seen = await service.write_entry(work, opened.id, note)
    assert [entry.words for entry in seen.entries] == ["电动车坏了", "核对了定位记录"]
    decided = await decide(ordering, opened.id, UPHELD, manager)
    assert (decided.status, decided.outcome) == ("decided", "upheld")

    async with ordering.work(ordering.resident) as work:
        mine = await reading.get_complaint(work, opened.id)
    assert [entry.words for entry in mine.entries] == ["电动车坏了"]  # internal lines are not shown
    assert mine.may_appeal_until == ordering.clock.now() + timedelta(days=15)
    async with ordering.work(ordering.resident) as work:
        await service.appeal(work, opened.id, AppealCreate(words="退得太少"), None)
    with pytest.raises(Forbidden):
        await decide(ordering, opened.id, UPHELD, manager)
    final = await decide(ordering, opened.id, NOT_UPHELD, county)
    assert (final.status, final.outcome, final.first_outcome) == ("closed", "not_upheld", "upheld")
    assert (final.findings, final.first_findings) == ("查无实据", "迟到属实")
    with pytest.raises(ComplaintClosed):
        async with ordering.work(ordering.resident) as work:
            await service.appeal(work, opened.id, AppealCreate(words="还是不对"), None)


async def test_nobody_judges_twice(ordering: Ordering) -> None:
    opened, _ = await complain(ordering, ComplaintKind.SAFETY)
    county = ordering.actor(Role.COUNTY_OFFICER)
    await take(ordering, opened.id, Role.COUNTY_OFFICER)
    await decide(ordering, opened.id, NOT_UPHELD, county)
    async with ordering.work(ordering.resident) as work:
        await service.appeal(work, opened.id, AppealCreate(words="没有人来问过"), None)
    with pytest.raises(SameJudge):
        await decide(ordering, opened.id, NOT_UPHELD, county)


async def test_what_is_decided_closes_when_the_time_to_appeal_has_passed(ordering: Ordering) -> None:
    opened, _ = await complain(ordering)
    await take(ordering, opened.id)
    await decide(ordering, opened.id, UPHELD, ordering.actor(Role.CENTRE_MANAGER))
    async with ordering.work() as work:
        await service.close_past_appeal(work)
    ordering.clock.forward(days=15, seconds=1)
    with pytest.raises(AppealTooLate):
        async with ordering.work(ordering.resident) as work:
            await service.appeal(work, opened.id, AppealCreate(words="不服"), None)
    async with ordering.work() as work:
        await service.close_past_appeal(work)
    async with ordering.work(ordering.resident) as work:
        assert (await reading.get_complaint(work, opened.id)).status is ComplaintStatus.CLOSED


async def test_a_caregiver_sees_her_part_and_no_other_case(ordering: Ordering) -> None:
    opened, caregiver_id = await complain(ordering)
    other, _ = await complain(ordering)
    actor = ordering.as_caregiver(caregiver_id)
    async with ordering.work(actor) as work:
        (mine,) = await reading.list_about_me(work, 20, None)
    assert mine.id == opened.id
    assert "来晚了" not in mine.model_dump_json()
    with pytest.raises(NotFound):
        async with ordering.work(actor) as work:
            await service.state(work, other.id, StatementCreate(words="不是我"))


async def test_parallel_takes_leave_one_name_and_parallel_decisions_one_finding(ordering: Ordering) -> None:
    opened, _ = await complain(ordering)
    manager, county = ordering.actor(Role.CENTRE_MANAGER), ordering.actor(Role.COUNTY_OFFICER)
    await asyncio.gather(*(take(ordering, opened.id) for _ in range(8)))
    tries = [decide(ordering, opened.id, said, who) for said, who in [(UPHELD, manager), (NOT_UPHELD, county)] * 4]
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(outcome, ComplaintPublic) for outcome in outcomes) == 1
    async with ordering.work() as work:
        rows = await work.sql(
            text("SELECT to_status FROM status_change WHERE entity_id = :id ORDER BY id"), {"id": opened.id}
        )
        assert [row[0] for row in rows.all()] == ["received", "investigating", "decided"]


async def test_withdrawing_is_the_household_s_and_only_before_the_finding(ordering: Ordering) -> None:
    opened, _ = await complain(ordering)
    said = WithdrawRequest(reason="说清楚了")
    with pytest.raises(NotFound):
        async with ordering.work(ordering.actor(Role.RESIDENT, number=1)) as work:
            await service.withdraw(work, opened.id, said, None)
    for _ in range(2):
        async with ordering.work(ordering.resident) as work:
            assert (await service.withdraw(work, opened.id, said, None)).status == "withdrawn"
    with pytest.raises(ComplaintClosed):
        await take(ordering, opened.id)


async def test_another_s_order_is_no_ground(ordering: Ordering) -> None:
    order = await ordering.completed("cleaning")
    neighbour = ordering.world.here.households[1].resident.id
    with pytest.raises(NotTheirOrder):
        async with ordering.work(ordering.dispatcher) as work:
            await service.open_complaint(
                work,
                ComplaintCreate(
                    resident_id=neighbour, order_id=order.id, kind=ComplaintKind.OTHER, words="不满意"
                ),
            )
    with pytest.raises(NotFound):
        async with ordering.work(ordering.dispatcher) as work:
            await service.open_complaint(
                work,
                ComplaintCreate(
                    resident_id=neighbour, order_id=new_id(), kind=ComplaintKind.OTHER, words="不满意"
                ),
            )


async def test_the_manager_hears_of_it_and_the_county_of_what_is_late_once(ordering: Ordering) -> None:
    opened, _ = await complain(ordering)
    for _ in range(2):
        async with ordering.work() as work:
            await tell_of_step(work, opened.id, ComplaintStatus.RECEIVED)
    assert await told(ordering, opened.id) == [("received", "centre_manager")]
    ordering.clock.forward(hours=24, seconds=1)
    late = []
    for _ in range(2):
        async with ordering.work() as work:
            await tell_overdue(work, 1_000)
        late.append([role for step, role in await told(ordering, opened.id) if step == "overdue"])
    assert set(late[0]) == {"centre_manager", "county_officer"}
    assert late[0] == late[1]
    async with ordering.work(ordering.actor(Role.CENTRE_MANAGER)) as work:
        overdue = await reading.list_complaints(work, 100, None, [], overdue=True, resident_id=None)
    assert opened.id in {row.id for row in overdue}


async def test_a_serious_case_reaches_the_county_on_the_first_day(ordering: Ordering) -> None:
    opened, _ = await complain(ordering, ComplaintKind.MONEY_TAKEN)
    async with ordering.work() as work:
        await tell_of_step(work, opened.id, ComplaintStatus.RECEIVED)
    assert {role for _, role in await told(ordering, opened.id)} == {"centre_manager", "county_officer"}
    taken = await take(ordering, opened.id)
    assert taken.due_at == opened.opened_at + timedelta(days=5)
