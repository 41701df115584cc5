"""The board in the terminal: the stream is resumed where it broke, tokens are renewed, everything is shown."""

import asyncio
import json
from typing import Any

import httpx
import pytest
from rich.console import Console

from ops.board import BoardClient, BoardRefused, LinkChanged, LiveEvent
from ops.cli.watch import Screen, render

RIGHT = "right"
CENTRE = "019b76da-a800-7367-bb75-7cea4d45f9e8"


class Platform:
    """Answers like the API: the first stream breaks after one event, the first token runs out."""

    def __init__(self) -> None:
        self.sign_ins = 0
        self.expired: set[str] = set()
        self.resumed_from: list[str | None] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/v1/auth/sign-in":
            if json.loads(request.content)["password"] != RIGHT:
                return httpx.Response(401, json={"title": "账号或密码不正确", "code": "wrong_credentials"})
            self.sign_ins += 1
            return httpx.Response(200, json={"access_token": f"token-{self.sign_ins}"})
        if request.headers["Authorization"].removeprefix("Bearer ") in self.expired:
            return httpx.Response(401, json={"title": "登录已过期", "code": "token_expired"})
        if request.url.path.endswith("/live"):
            self.resumed_from.append(request.headers.get("Last-Event-ID"))
            position = 6 + len(self.resumed_from)
            frame = f'id: {position}\nevent: alert.opened\ndata: {{"kind": "sos"}}\n\n'
            return httpx.Response(200, text=f"retry: 1000\n: connected\n\n{frame}: heartbeat\n\n")
        return httpx.Response(200, json={"path": request.url.path})


def client_of(platform: Platform, password: str = RIGHT) -> BoardClient:
    return BoardClient(
        "http://platform",
        login="dispatcher",
        password=password,
        transport=httpx.MockTransport(platform),
        first_pause_seconds=0.0,
    )


async def test_a_broken_stream_is_resumed_after_the_last_event() -> None:
    platform = Platform()
    client = client_of(platform)
    await client.get("/me")
    seen: list[LiveEvent | LinkChanged] = []
    async with asyncio.timeout(5):
        async for event in client.follow(CENTRE):
            seen.append(event)
            if len(seen) == 6:
                break
    await client.close()
    events = [event for event in seen if isinstance(event, LiveEvent)]
    assert [event.position for event in events] == ["7", "8"]
    assert events[0].data == {"kind": "sos"}
    assert platform.resumed_from[:2] == [None, "7"]
    assert [event.connected for event in seen if isinstance(event, LinkChanged)] == [True, False, True, False]


async def test_an_expired_token_is_renewed_by_signing_in_again() -> None:
    platform = Platform()
    client = client_of(platform)
    await client.get("/me")
    platform.expired.add("token-1")
    assert (await client.get("/me"))["path"] == "/api/v1/me"
    platform.expired.add("token-2")
    async with asyncio.timeout(5):
        async for event in client.follow(CENTRE):
            if isinstance(event, LiveEvent):
                break
    await client.close()
    assert platform.sign_ins == 3


async def test_refusals_are_told_in_the_api_s_words() -> None:
    client = client_of(Platform(), password="wrong")
    with pytest.raises(BoardRefused, match="wrong_credentials"):
        await client.get("/me")
    await client.close()


def board() -> dict[str, Any]:
    visit = {"caregiver_name": "李海棠"}
    order = {
        "item_name_zh": "上门换药",
        "is_urgent": True,
        "resident_name": "张**",
        "window_start": "2026-11-22T08:00:00Z",
        "window_end": "2026-11-22T10:00:00Z",
        "visits": [visit],
        "offers": [],
    }
    alert = {
        "kind": "sos",
        "severity": 4,
        "status": "open",
        "resident_name": None,
        "since": "2026-11-22T08:00:00Z",
        "occurrences": 2,
    }
    aided = {**alert, "resident_name": "李**", "aided": True, "centre_name_zh": "春华镇二级平台"}
    return {"columns": {"placed": [order] * 30, "assigned": [order]}, "alerts": [alert, aided]}


def test_everything_is_on_the_screen() -> None:
    screen = Screen("果园镇二级平台", board(), connected=True)
    console = Console(width=140, record=True, file=None, quiet=False)
    with console.capture() as captured:
        console.print(render(screen))
    page = captured.get()
    for word in (
        "果园镇二级平台",
        "实时 live",
        "sos",
        "上门换药 ⚡",
        "11-22 16:00–18:00",
        "李海棠",
        "另有 11 单",
        "李**（支援 helping 春华镇二级平台）",
    ):
        assert word in page


def test_an_empty_board_is_shown_too() -> None:
    console = Console(width=100)
    with console.capture() as captured:
        console.print(render(Screen("果园镇二级平台")))
    assert "未连接" in captured.get()
