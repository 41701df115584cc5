"""Reading a server-sent event stream, as a screen does."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True, slots=True)
class Seen:
    """One event as it arrived."""

    id: int
    name: str
    data: dict[str, Any]


class Screen:
    """Collects a stream's events and waits for certain ones."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.aiter_lines()
        self.events: list[Seen] = []
        self.comments: list[str] = []

    async def see(self, name: str, seconds: float = 10, **wanted: object) -> Seen:
        """The first event, new or already seen, with this name and these fields."""
        async with asyncio.timeout(seconds):
            while True:
                for event in self.events:
                    if event.name == name and all(event.data.get(k) == v for k, v in wanted.items()):
                        return event
                await self.read_one()

    async def read_one(self) -> None:
        """Read one frame."""
        fields: dict[str, str] = {}
        while line := await anext(self._lines):
            if line.startswith(":"):
                self.comments.append(line)
                continue
            key, _, value = line.partition(": ")
            fields[key] = value
        if "data" in fields:
            self.events.append(Seen(int(fields["id"]), fields["event"], json.loads(fields["data"])))


def watch(
    client: httpx.AsyncClient, centre_id: object, headers: dict[str, str], last_event_id: int | None = None
) -> AbstractAsyncContextManager[Screen]:
    """A centre's live stream, connected."""
    return follow(client, f"/centres/{centre_id}/live", headers, last_event_id)


@asynccontextmanager
async def follow(
    client: httpx.AsyncClient, path: str, headers: dict[str, str], last_event_id: int | None = None
) -> AsyncIterator[Screen]:
    """The live stream at a path, connected."""
    if last_event_id is not None:
        headers = headers | {"Last-Event-ID": str(last_event_id)}
    async with client.stream("GET", path, headers=headers, timeout=None) as response:
        assert response.status_code == 200
        screen = Screen(response)
        await screen.read_one()
        yield screen
