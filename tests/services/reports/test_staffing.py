"""Work that was given and can no longer stand: the rule by a table, and a centre's list as it is read."""

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest

from services.caregivers.credentials import service as credentials
from services.caregivers.credentials.models import CredentialFields
from services.caregivers.models import AbsenceKind
from services.caregivers.repository import AbsenceRow, CredentialRow, ShiftRow
from services.core.actor import Role
from services.reports.staffing.models import WhyMove
from services.reports.staffing.service import work_of_centre
from services.reports.staffing.standing import Circumstances, Given, missing_licences, why_move
from tests.ordering import Ordering
from tests.services.caregivers.conftest import Team, at
from tests.services.caregivers.conftest import ordering as ordering
from tests.services.caregivers.conftest import team as team

A, B, HERE = UUID(int=1), UUID(int=2), UUID(int=3)
DAY = date(2026, 11, 24)
GIVEN = Given(
    caregiver_id=A,
    resident_id=B,
    institution_id=HERE,
    starts_at=at("2026-11-24 09:00"),
    ends_at=at("2026-11-24 10:00"),
    licences=frozenset({"nurse_licence"}),
    is_urgent=False,
    left_at=None,
    passed=False,
)
SHIFT = ShiftRow(A, at("2026-11-24 08:00"), at("2026-11-24 16:00"))
LICENCE = CredentialRow(A, "nurse_licence", DAY, DAY)
FINE = Circumstances(credentials=[LICENCE], shifts=[SHIFT])


@pytest.mark.parametrize(
    ("given", "known", "expected"),
    [
        (GIVEN, FINE, []),
        (replace(GIVEN, left_at=at("2026-11-24 09:30")), FINE, [WhyMove.LEFT]),
        (replace(GIVEN, left_at=at("2026-11-24 10:00")), FINE, []),
        (GIVEN, replace(FINE, closed={DAY: frozenset({HERE})}), [WhyMove.INSTITUTION_CLOSED]),
        (GIVEN, replace(FINE, closed={DAY + timedelta(days=1): frozenset({HERE})}), []),
        (GIVEN, replace(FINE, credentials=[]), [WhyMove.LICENCE_NOT_VALID]),
        (
            GIVEN,
            replace(FINE, credentials=[CredentialRow(A, "nurse_licence", date(2020, 1, 1), date(2026, 11, 23))]),
            [WhyMove.LICENCE_NOT_VALID],
        ),
        (
            GIVEN,
            replace(FINE, credentials=[CredentialRow(B, "nurse_licence", DAY, DAY)]),
            [WhyMove.LICENCE_NOT_VALID],
        ),
        (
            GIVEN,
            replace(FINE, absences=[AbsenceRow(A, at("2026-11-24 09:59"), at("2026-11-25 00:00"))]),
            [WhyMove.ABSENT],
        ),
        (GIVEN, replace(FINE, absences=[AbsenceRow(A, at("2026-11-24 10:00"), at("2026-11-25 00:00"))]), []),
        (GIVEN, replace(FINE, shifts=[]), [WhyMove.NOT_ON_SHIFT]),
        (replace(GIVEN, passed=True), replace(FINE, shifts=[]), []),
        (GIVEN, replace(FINE, shifts=[], on_call=[SHIFT]), [WhyMove.NOT_ON_SHIFT]),
        (replace(GIVEN, is_urgent=True), replace(FINE, shifts=[], on_call=[SHIFT]), []),
        (GIVEN, replace(FINE, blocked={B: frozenset({A})}), [WhyMove.KEPT_APART]),
    ],
)
def test_what_can_stand(given: Given, known: Circumstances, expected: list[WhyMove]) -> None:
    assert why_move(given, known) == expected


def test_the_missing_licences_are_named() -> None:
    given = replace(GIVEN, licences=frozenset({"nurse_licence", "nurse_title"}))
    assert missing_licences(given, FINE) == ["nurse_title"]


async def test_visits_that_a_licences_end_will_break_are_work_for_the_centre(ordering: Ordering) -> None:
    order, detail = await ordering.assigned("bathing", in_hours=30)
    (booking,) = detail.bookings
    centre_id, manager = ordering.world.here.centre.id, ordering.actor(Role.CENTRE_MANAGER)
    vault = ordering.world.vault
    async with ordering.work(manager) as work:
        assert (await work_of_centre(work, centre_id)).items == []
        files = await credentials.list_credentials(work, vault, booking.caregiver_id)
    held = next(one for one in files if one.kind == "elderly_care_worker")
    ends = booking.starts_at.astimezone(at("2026-11-24 00:00").tzinfo).date() - timedelta(days=1)
    async with ordering.work(manager) as work:
        fields = CredentialFields(issuer=held.issuer, valid_from=held.valid_from, valid_until=ends)
        await credentials.change(work, vault, held.id, fields, None)
        await credentials.verify(work, vault, held.id, "", None)
    async with ordering.work(manager) as work:
        (item,) = (await work_of_centre(work, centre_id)).items
    assert (item.kind, item.id, item.order_id) == ("booking", booking.id, order.id)
    assert (item.reasons, item.licences) == ([WhyMove.LICENCE_NOT_VALID], ["elderly_care_worker"])


async def test_illness_puts_booked_visits_on_the_list(team: Team) -> None:
    await team.shift(team.a, "2026-11-24 08:00", "2026-11-24 16:00")
    booking = await team.booked(team.a, "2026-11-24 09:00")

    async def listed() -> list[WhyMove]:
        async with team.work(team.dispatcher) as work:
            items = (await work_of_centre(work, team.centre_id)).items
        return [reason for one in items if one.id == booking for reason in one.reasons]

    assert await listed() == []
    await team.away(team.a, AbsenceKind.SICK, "2026-11-23 09:00", "2026-11-25 00:00")
    assert await listed() == [WhyMove.ABSENT]
    team.clock.forward(days=1)  # what has begun is nobody's list any more
    assert await listed() == []
