"""A centre's board from outside: signs in over HTTP, reads the board, follows the live stream without a gap."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx

_TIMEOUT = httpx.Timeout(10.0, read=40.0)  # the stream's heartbeat comes every 15 s
_LONGEST_PAUSE_SECONDS = 15.0
_UNAUTHORISED = 401


class BoardRefused(Exception):
    """What the API said no to, in its own words."""


@dataclass(frozen=True, slots=True)
class LiveEvent:
    """One event of the stream; ``position`` is what a resumed stream goes on from."""

    position: str
    name: str
    data: dict[str, Any] = field(hash=False)


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """The stream is there, or is being tried again."""

    connected: bool


@dataclass(slots=True)
class _Frame:
    """The lines of one event so far."""

    id: str = ""
    name: str = "message"
    data: list[str] = field(default_factory=list)


class BoardClient:
    """One signed-in watcher. Give a token, or login and password; with the latter, tokens are renewed."""

    def __init__(
        self,
        api: str,
        *,
        token: str | None = None,
        login: str | None = None,
        password: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        first_pause_seconds: float = 1.0,
    ) -> None:
        self._http = httpx.AsyncClient(base_url=f"{api}/api/v1", timeout=_TIMEOUT, transport=transport)
        self._first_pause = first_pause_seconds
        self._token = token
        self._login, self._password = login, password
        self._position: str | None = None

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def get(self, path: str) -> Any:
        """The JSON at a path. Raises ``BoardRefused``, ``httpx.HTTPError``."""
        if self._token is None:
            await self._sign_in()
        answer = await self._http.get(path, headers=self._headers())
        if answer.status_code == _UNAUTHORISED and self._login is not None:
            await self._sign_in()
            answer = await self._http.get(path, headers=self._headers())
        return _checked(answer)

    async def follow(self, centre_id: str) -> AsyncIterator[LiveEvent | LinkChanged]:
        """Events from now on, for ever: a broken stream is resumed after the last event that was seen."""
        pause = self._first_pause
        while True:
            try:
                async for event in self._stream(f"/centres/{centre_id}/live"):
                    pause = self._first_pause
                    yield event
            except httpx.HTTPError:
                pass  # told below: the stream is away and will be tried again
            yield LinkChanged(connected=False)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

    async def _stream(self, path: str) -> AsyncIterator[LiveEvent | LinkChanged]:
        headers = self._headers()
        if self._position is not None:
            headers["Last-Event-ID"] = self._position
        async with self._http.stream("GET", path, headers=headers) as answer:
            if answer.status_code == _UNAUTHORISED and self._login is not None:
                await self._sign_in()
                return
            if answer.is_error:
                await answer.aread()
                _checked(answer)
            yield LinkChanged(connected=True)
            frame = _Frame()
            async for line in answer.aiter_lines():
                if line:
                    _take(frame, line)
                    continue
                if frame.data:
                    self._position = frame.id
                    yield LiveEvent(frame.id, frame.name, json.loads("\n".join(frame.data)))
                frame = _Frame()

    async def _sign_in(self) -> None:
        if self._login is None or self._password is None:
            raise BoardRefused("no token and no login")
        body = {"login": self._login, "password": self._password}
        answer = await self._http.post("/auth/sign-in", json=body)
        self._token = str(_checked(answer)["access_token"])

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}


def _take(frame: _Frame, line: str) -> None:
    """One line of a text/event-stream; comments (heartbeats) say nothing."""
    name, _, value = line.partition(":")
    value = value.removeprefix(" ")
    if name == "id":
        frame.id = value
    elif name == "event":
        frame.name = value
    elif name == "data":
        frame.data.append(value)


def _checked(answer: httpx.Response) -> Any:
    if answer.is_success:
        return answer.json()
    try:
        problem = answer.json()
        words = f"{problem['title']} ({problem['code']})"
    except (ValueError, KeyError, TypeError):
        words = f"HTTP {answer.status_code}"
    raise BoardRefused(words)
