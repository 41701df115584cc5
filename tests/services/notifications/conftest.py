"""Notifications to the people of a small world, sent by lanes with a clock of their own to local gateways."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text
from sqlmodel import col, select

from services.core.actor import SYSTEM, Role
from services.core.database import Database
from services.core.settings import Settings
from services.notifications.dispatcher import Lane, Outlet
from services.notifications.models import Channel, Notification, NotificationAttempt
from services.notifications.policy import SendingPolicy, load_policy
from services.notifications.senders.contract import Sender
from services.notifications.senders.registry import senders_from
from services.notifications.service import Notice, Recipient, notify
from services.residents.models import EmergencyContact
from tests.clock import ManualClock
from tests.services.notifications.gateway import Gateway, gateway
from tests.world import World

SECRET = "between the two of us, 32 bytes!"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def own(settings: Settings, clock: ManualClock) -> AsyncIterator[Database]:
    """The tests' database under the test's clock."""
    assert settings.database_url is not None
    database = Database(settings.database_url, 4, clock)
    yield database
    await database.close()


@pytest.fixture
async def sms() -> AsyncIterator[Gateway]:
    async with gateway() as running:
        yield running


@pytest.fixture
async def voice() -> AsyncIterator[Gateway]:
    async with gateway() as running:
        yield running


@dataclass
class Post:
    """Everything a test needs to send and to look at what became of it."""

    world: World
    database: Database
    clock: ManualClock
    settings: Settings
    stack: AsyncExitStack

    async def senders(self, settings: Settings | None = None) -> dict[Channel, Sender]:
        client = await self.stack.enter_async_context(httpx.AsyncClient(timeout=10, trust_env=False))
        return senders_from(settings or self.settings, client)

    async def lane(
        self,
        *,
        is_life_safety: bool,
        policy: SendingPolicy | None = None,
        settings: Settings | None = None,
    ) -> Lane:
        """A lane whose unfinished sends are dropped when the test ends."""
        outlet = Outlet(await self.senders(settings), self.world.vault)
        lane = Lane(self.database, outlet, policy or load_policy(), is_life_safety=is_life_safety)
        self.stack.push_async_callback(lane.drop)
        return lane

    async def send_due(self, *, is_life_safety: bool = True) -> None:
        """Send whatever is due until nothing is, as the clock stands."""
        lane = await self.lane(is_life_safety=is_life_safety)
        while await lane.look():
            await lane.settle()

    @property
    def contact(self) -> Recipient:
        return Recipient(contact_id=self._contact)

    _contact: UUID | None = None

    async def notify(
        self,
        *channels: Channel,
        key: str | None = None,
        to: Recipient | None = None,
        life: bool = True,
        template: str = "alert_page",
        **parameters: str,
    ) -> str:
        """Queue one to the contact of the first resident (or whom the test names); gives its key."""
        key = key or f"test:{uuid4()}"
        place = self.world.here
        notice = Notice(
            key=key,
            template=template,
            area_code=place.households[0].resident.area_code,
            centre_id=place.centre.id,
            parameters=parameters or {"kind": "sos"},
            is_life_safety=life,
            alert_id=uuid4(),
        )
        async with self.database.unit_of_work(SYSTEM) as work:
            await notify(work, notice, [to or self.contact], channels)
        return key

    async def of(self, key: str) -> tuple[Notification, list[NotificationAttempt]]:
        """The notification of a key with its attempts."""
        async with self.database.unit_of_work(SYSTEM) as work:
            row = (await work.session.exec(select(Notification).where(Notification.key == key))).one()
            query = select(NotificationAttempt).where(NotificationAttempt.notification_id == row.id)
            attempts = await work.session.exec(query.order_by(col(NotificationAttempt.position)))
            return row, list(attempts.all())

    async def states(self, key: str) -> tuple[str, list[str]]:
        """Their statuses, as words."""
        row, attempts = await self.of(key)
        return str(row.status), [f"{each.channel} {each.status}" for each in attempts]

    def dispatcher(self) -> Recipient:
        return Recipient(account_id=self.world.account(Role.DISPATCHER).id)


@pytest.fixture
async def post(
    fresh_world: World, own: Database, clock: ManualClock, settings: Settings, sms: Gateway, voice: Gateway
) -> AsyncIterator[Post]:
    """Text messages and calls go to local gateways; everything else is not configured."""
    configured = Settings(
        _env_file=None,
        mode="demo",
        notification_outlet="gateways",
        sms_gateway_url=sms.url,
        sms_gateway_secret=SECRET,
        voice_gateway_url=voice.url,
        voice_gateway_secret=SECRET,
        data_dir=settings.data_dir,
    )
    async with AsyncExitStack() as stack:
        made = Post(fresh_world, own, clock, configured, stack)
        resident = fresh_world.here.households[0].resident.id
        async with own.unit_of_work(SYSTEM) as work:
            # What another test left in the queue would be sent here.
            await work.sql(text("TRUNCATE notification CASCADE"))
            query = select(EmergencyContact.id).where(EmergencyContact.resident_id == resident)
            made._contact = (await work.session.exec(query)).one()
        yield made
