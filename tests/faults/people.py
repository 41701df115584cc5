"""Those at the other end: households that order, a screen that watches, a desk that answers the alerts."""

import asyncio
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx

from services.alerts.resolutions import Resolution
from tests.alerts import CHECKLIST

SAFE = {"place_safe": "yes"}
ASKED_MORE = {"fall": {"injured": "no"}, "smoke": SAFE, "gas": SAFE, "water": SAFE}
"""What the checklist asks beside `CHECKLIST`, by kind."""
ORDER_SECONDS = 0.5
HANDLING_SECONDS = 1.5
AGAIN_SECONDS = 0.1
REPEAT_EVERY = 4
TIMEOUT = httpx.Timeout(10, connect=2)
QUIET = httpx.Timeout(10, connect=2, read=20)  # a heartbeat comes every 15 s
EVENT_STREAM = "text/event-stream"


class Refused(AssertionError):
    """An answer that no fault explains."""


async def insist(
    client: httpx.AsyncClient, path: str, headers: dict[str, str], body: Any = None
) -> httpx.Response:
    """POST until there is an answer that is neither a broken connection nor the server's own trouble."""
    while True:
        try:
            answer = await client.post(path, json=body, headers=headers)
        except httpx.TransportError:
            await asyncio.sleep(AGAIN_SECONDS)
            continue
        if answer.status_code < 500:
            return answer
        await asyncio.sleep(AGAIN_SECONDS)


class Household:
    """Orders again and again, and repeats a request with its key until it has an answer."""

    def __init__(self, client: httpx.AsyncClient, headers: dict[str, str], resident_id: UUID, item: str) -> None:
        self.placed: dict[str, str] = {}
        self._client = client
        self._headers = headers
        self._resident_id = resident_id
        self._item = item

    async def live(self, over: asyncio.Event) -> None:
        """One order after the other until it is over; the last one gets its answer as well."""
        while not over.is_set():
            await self.order(twice=len(self.placed) % REPEAT_EVERY == 0)
            await asyncio.sleep(ORDER_SECONDS)

    async def order(self, *, twice: bool) -> None:
        """Place one order; ``twice`` sends the answered request again, as an impatient client would."""
        key = str(uuid4())
        start = datetime.now(UTC) + timedelta(hours=3)
        body = {
            "resident_id": str(self._resident_id),
            "item_code": self._item,
            "window_start": start.isoformat(),
            "window_end": (start + timedelta(hours=5)).isoformat(),
        }
        self.placed[key] = await self._once(key, body)
        if twice:
            again = await self._once(key, body)
            assert again == self.placed[key], "the same key made another order"

    async def _once(self, key: str, body: dict[str, str]) -> str:
        answer = await insist(self._client, "/orders", self._headers | {"Idempotency-Key": key}, body)
        if answer.status_code != 201:
            raise Refused(f"order: {answer.status_code} {answer.text}")
        return str(answer.json()["id"])


@dataclass(frozen=True, slots=True)
class Seen:
    """One event as it came down the stream."""

    position: int
    name: str
    data: dict[str, Any]


class Screen:
    """Follows a centre's live stream; reconnects with the last id it has seen, as a browser does."""

    def __init__(self, client: httpx.AsyncClient, headers: dict[str, str], centre_id: UUID) -> None:
        self.seen: list[Seen] = []
        self.connections = 0
        self.opened: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self._client = client
        self._headers = headers
        self._path = f"/centres/{centre_id}/live"

    @property
    def position(self) -> int:
        """The last id; 0 before the first."""
        return self.seen[-1].position if self.seen else 0

    async def watch(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self._connect()
            except httpx.TransportError:
                await asyncio.sleep(AGAIN_SECONDS)

    async def _connect(self) -> None:
        # From the beginning: what came before the first connection is part of the story.
        headers = self._headers | {"Last-Event-ID": str(self.position), "Accept": EVENT_STREAM}
        async with self._client.stream("GET", self._path, headers=headers, timeout=QUIET) as answer:
            if answer.status_code >= 500:
                await asyncio.sleep(AGAIN_SECONDS)
                return
            if answer.status_code != 200:
                raise Refused(f"live: {answer.status_code}")
            self.connections += 1
            fields: dict[str, str] = {}
            async for line in answer.aiter_lines():
                if line:
                    name, _, value = line.partition(": ")
                    fields[name] = value
                else:
                    self._take(fields)
                    fields = {}

    def _take(self, fields: dict[str, str]) -> None:
        if "id" not in fields:
            return
        event = Seen(int(fields["id"]), fields["event"], json.loads(fields["data"]))
        self.seen.append(event)
        if event.name == "alert.opened":
            self.opened.put_nowait((event.data["alert_id"], event.data["kind"]))


class Desk:
    """Takes every alert that the screen shows and closes it a little later, so that the next press opens one."""

    def __init__(self, client: httpx.AsyncClient, headers: dict[str, str], screen: Screen) -> None:
        self.resolved: set[str] = set()
        self._client = client
        self._headers = headers
        self._screen = screen

    async def work(self) -> None:
        """Until cancelled. Fails when a request is refused for which no fault is the reason."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                tasks.create_task(self._handle(*await self._screen.opened.get()))

    async def _handle(self, alert_id: str, kind: str) -> None:
        checklist = CHECKLIST | ASKED_MORE.get(kind, {})
        await self._say(alert_id, "acknowledge", None)
        await asyncio.sleep(HANDLING_SECONDS)
        await self._say(alert_id, "resolve", {"resolution": Resolution.TEST.value, "checklist": checklist})
        self.resolved.add(alert_id)

    async def _say(self, alert_id: str, verb: str, body: Any) -> None:
        answer = await insist(self._client, f"/alerts/{alert_id}/{verb}", self._headers, body)
        # 409: done before, and the answer to that was lost with the process that gave it.
        if answer.status_code not in (200, 409):
            raise Refused(f"{verb}: {answer.status_code} {answer.text}")
