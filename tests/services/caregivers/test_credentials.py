"""Credentials: which count, from which minute not, and who is warned when."""

import asyncio
from datetime import date, timedelta
from uuid import UUID

import pytest
from sqlmodel import col, select

from services.caregivers import repository
from services.caregivers.credentials import service
from services.caregivers.credentials.models import CredentialFields, CredentialPublic, NewCredential
from services.caregivers.errors import CredentialOnFile
from services.caregivers.limits import local_day
from services.caregivers.models import Caregiver
from services.caregivers.states import CredentialStatus
from services.core.actor import SYSTEM, Role
from services.core.errors import IllegalTransition, InvalidInput, NotFound
from services.dispatch.errors import NotAssignable
from services.events import CredentialExpiring
from services.notifications.models import Notification
from services.notifications.staffing.service import warn_of_credential
from tests.crowd import all_connected
from tests.ordering import Ordering
from tests.services.caregivers.conftest import Team

TODAY = date(2026, 11, 23)


async def record(
    team: Team, who: Caregiver, until: date, *, verified: bool = True, **facts: object
) -> CredentialPublic:
    new = NewCredential(
        **{
            "kind": "nurse_licence",
            "issuer": "示范发证机关（虚构）",
            "number": "SF12345678",
            "valid_from": date(2024, 1, 1),
            "valid_until": until,
            **facts,
        }
    )
    async with team.work(team.manager) as work:
        made = await service.record(work, team.vault, who.id, new)
    if not verified:
        return made
    async with team.work(team.manager) as work:
        return await service.verify(work, team.vault, made.id, "已核对原件", made.version)


async def seen(team: Team, who: Caregiver) -> list[tuple[date, date]]:
    """What matching sees of the nurse's licence."""
    async with team.work() as work:
        rows = await repository.credentials_of(work, [who.id], ["nurse_licence"])
    return [(row.valid_from, row.valid_until) for row in rows]


async def test_what_nobody_has_verified_does_not_count(team: Team) -> None:
    made = await record(team, team.a, date(2030, 1, 1), verified=False)
    assert (made.status, made.counts_today, await seen(team, team.a)) == (CredentialStatus.RECORDED, False, [])
    async with team.work(team.manager) as work:
        verified = await service.verify(work, team.vault, made.id, "已核对原件", made.version)
    assert (verified.counts_today, verified.checked_by) == (True, team.manager.account_id)
    assert await seen(team, team.a) == [(date(2024, 1, 1), date(2030, 1, 1))]
    async with team.work(team.manager) as work:  # a double tap
        assert (await service.verify(work, team.vault, made.id, "", None)).version == verified.version


async def test_a_rejected_one_never_counts(team: Team) -> None:
    made = await record(team, team.a, date(2030, 1, 1), verified=False)
    async with team.work(team.manager) as work:
        await service.reject(work, team.vault, made.id, "照片与本人不符", None)
    assert await seen(team, team.a) == []
    with pytest.raises(IllegalTransition):
        async with team.work(team.manager) as work:
            await service.verify(work, team.vault, made.id, "", None)
    with pytest.raises(IllegalTransition):
        async with team.work(team.manager) as work:
            await service.revoke(work, team.vault, made.id, "注销", None)


async def test_the_number_is_sealed_and_masked(team: Team) -> None:
    made = await record(team, team.a, date(2030, 1, 1))
    assert made.number_masked == "******5678"
    async with team.work() as work:
        rows = await work.session.get_one(repository.Credential, made.id)
    assert "12345678" not in str(rows.number_encrypted)


async def test_a_correction_must_be_verified_anew(team: Team) -> None:
    made = await record(team, team.a, date(2030, 1, 1))
    fields = CredentialFields(
        issuer=made.issuer, valid_from=date(2024, 1, 1), valid_until=date(2031, 1, 1), scope="内科护理"
    )
    async with team.work(team.manager) as work:
        changed = await service.change(work, team.vault, made.id, fields, made.version)
    assert (changed.status, changed.checked_by, await seen(team, team.a)) == (CredentialStatus.RECORDED, None, [])
    assert changed.number_masked == "******5678"  # what is not given stays


async def test_the_same_kind_and_days_are_recorded_once(team: Team) -> None:
    await all_connected(team.database, 20)

    async def one() -> bool:
        try:
            await record(team, team.a, date(2030, 1, 1), verified=False)
        except CredentialOnFile:
            return False
        return True

    assert sum(await asyncio.gather(*(one() for _ in range(64)))) == 1


async def test_kinds_and_levels_are_known_ones(team: Team) -> None:
    with pytest.raises(InvalidInput):
        await record(team, team.a, date(2030, 1, 1), kind="pilot_licence")
    with pytest.raises(InvalidInput):
        await record(team, team.a, date(2030, 1, 1), level=3)
    graded = await record(team, team.a, date(2030, 1, 1), kind="elderly_care_worker", level=3)
    assert (graded.level, graded.kind_zh) == (3, "养老护理员职业资格")


async def test_the_next_towns_file_is_not_found(team: Team) -> None:
    made = await record(team, team.a, date(2030, 1, 1))
    neighbour = await team.world.actor(Role.CENTRE_MANAGER, team.world.neighbour)
    with pytest.raises(NotFound):
        async with team.work(neighbour) as work:
            await service.revoke(work, team.vault, made.id, "注销", None)


@pytest.mark.parametrize("what", ["revoked", "not verified", "expired"])
async def test_without_a_licence_that_counts_nobody_is_assigned_from_that_minute(
    ordering: Ordering, what: str
) -> None:
    order = await ordering.place("bathing", in_hours=1)
    team = await ordering.add_caregivers(order.caregivers_required)
    vault = ordering.world.vault
    manager = ordering.actor(Role.CENTRE_MANAGER)
    async with ordering.work(manager) as work:
        files = await service.list_credentials(work, vault, team[0].id)
    held = next(one for one in files if one.kind == "elderly_care_worker")
    async with ordering.work(manager) as work:
        if what == "revoked":
            await service.revoke(work, vault, held.id, "体检不合格", None)
        else:
            today = local_day(work.now)
            until = held.valid_until - timedelta(days=1) if what == "not verified" else today - timedelta(days=1)
            fields = CredentialFields(issuer=held.issuer, valid_from=held.valid_from, valid_until=until)
            await service.change(work, vault, held.id, fields, None)
            if what == "expired":
                await service.verify(work, vault, held.id, "", None)
    with pytest.raises(NotAssignable) as refusal:
        await ordering.assign(order.id, team)
    codes = {reason["code"] for one in refusal.value.extra["caregivers"] for reason in one["reasons"]}
    assert codes == {"licence_missing"} if what == "not verified" else codes == {"licence_expired"}
    async with ordering.work(manager) as work:
        await service.record(
            work,
            vault,
            team[0].id,
            NewCredential(
                kind="elderly_care_worker",
                issuer="测试机关",
                valid_from=date(2026, 1, 1),
                valid_until=date(2039, 1, 1),
            ),
        )
        renewed = (await service.list_credentials(work, vault, team[0].id))[0]
        await service.verify(work, vault, renewed.id, "", None)
    await ordering.assign(order.id, team)


async def test_whom_a_revocation_meets_at_the_same_moment(ordering: Ordering) -> None:
    """64 dispatchers who assign while the revocation is under way wait for it, and are refused."""
    order = await ordering.place("bathing", in_hours=1)
    (one,) = await ordering.add_caregivers(1)
    vault = ordering.world.vault
    async with ordering.work() as work:
        files = await service.list_credentials(work, vault, one.id)
    held = next(each for each in files if each.kind == "elderly_care_worker")
    await all_connected(ordering.database, 20)

    async def assign() -> bool:
        try:
            await ordering.assign(order.id, [one])
        except NotAssignable:
            return False
        return True

    async with ordering.work(ordering.actor(Role.CENTRE_MANAGER)) as work:
        await service.revoke(work, vault, held.id, "注销", None)
        await work.session.flush()
        assigning = [asyncio.create_task(assign()) for _ in range(64)]
        done, _ = await asyncio.wait(assigning, timeout=0.5)
        assert not done, "somebody was booked without waiting"
    assert not any(await asyncio.gather(*assigning))


async def expiring(team: Team, credential_id: UUID) -> list[int]:
    events = await team.events("caregiver.credential_expiring")
    return [int(str(one["days"])) for one in events if one["credential_id"] == str(credential_id)]


async def look(team: Team) -> None:
    """What the worker does, twice: nobody is warned twice."""
    for _ in range(2):
        async with team.work(SYSTEM) as work:
            await service.warn_of_expiry(work)


async def test_somebody_is_warned_30_and_7_days_before_once_each(team: Team) -> None:
    made = await record(team, team.a, TODAY + timedelta(days=31))
    found = []
    for _ in range(34):
        await look(team)
        found.append(await expiring(team, made.id))
        team.clock.forward(days=1)
    assert [len(one) for one in found] == [0] + [1] * 23 + [2] * 10
    assert found[-1] == [30, 7]


async def test_a_worker_that_slept_warns_of_the_nearer(team: Team) -> None:
    made = await record(team, team.a, TODAY + timedelta(days=5))
    await look(team)
    assert await expiring(team, made.id) == [7]


async def test_nobody_is_warned_of_what_goes_on_or_does_not_count(team: Team) -> None:
    old = await record(team, team.a, TODAY + timedelta(days=20))
    await record(team, team.a, date(2030, 1, 1), valid_from=TODAY + timedelta(days=21))
    waiting = await record(team, team.b, TODAY + timedelta(days=20), verified=False)
    await look(team)
    assert (await expiring(team, old.id), await expiring(team, waiting.id)) == ([], [])


async def test_64_workers_warn_once(team: Team) -> None:
    made = await record(team, team.a, TODAY + timedelta(days=20))
    await all_connected(team.database, 20)

    async def one() -> None:
        async with team.work(SYSTEM) as work:
            await service.warn_of_expiry(work)

    await asyncio.gather(*(one() for _ in range(64)))
    assert await expiring(team, made.id) == [30]


async def test_caregiver_and_manager_hear_of_it_in_the_app_once(team: Team) -> None:
    made = await record(team, team.a, TODAY + timedelta(days=7))
    event = CredentialExpiring(
        area_code=team.a.area_code,
        centre_id=team.centre_id,
        credential_id=made.id,
        caregiver_id=team.a.id,
        kind=made.kind,
        ends_on=made.valid_until,
        days=7,
    )
    for _ in range(2):
        async with team.work() as work:
            await warn_of_credential(work, event)
    people = [team.accounts[team.a.id], team.manager.account_id]
    async with team.work() as work:
        query = select(Notification).where(col(Notification.account_id).in_(people))
        rows = (await work.session.exec(query)).all()
    assert sorted(str(row.account_id) for row in rows) == sorted(map(str, people))
    assert {(row.template, row.is_life_safety) for row in rows} == {("credential_expiring", False)}
    assert "5678" not in str([row.parameters for row in rows])
