"""``guoyuan watch``: a centre's live board in the terminal."""

import asyncio
import contextlib
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import httpx
import typer
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ops.board import BoardClient, BoardRefused, LinkChanged, LiveEvent
from ops.demo import secrets as demo_secrets
from ops.stack.runtime import load_settings
from ops.stack.up import api_url
from services.core.actor import Role
from services.core.clock import BUSINESS_ZONE
from services.core.settings import Settings

DEMO_DISPATCHER = "dispatcher-guoyuan"
EVENTS_SHOWN = 10
ORDERS_SHOWN = 20
SETTLE_SECONDS = 0.3  # a burst of events is one reading of the board: each reading leaves rows in the access log
LONGEST_SECONDS = 60.0
_COLUMNS = {
    "placed": "待派单 placed",
    "offered": "已邀约 offered",
    "assigned": "已派单 assigned",
    "in_progress": "服务中 in progress",
    "flagged": "待复核 flagged",
}
_SEVERITIES = {4: "bold white on red", 3: "red", 2: "yellow"}


@dataclass(slots=True)
class Screen:
    """What is shown."""

    centre: str
    board: dict[str, Any] = field(default_factory=dict)
    events: deque[tuple[datetime, LiveEvent]] = field(default_factory=lambda: deque(maxlen=EVENTS_SHOWN))
    connected: bool = False


def watch(
    centre: Annotated[
        str | None, typer.Option(help="平台编号或区划代码。 Centre id or area code; else one's own.")
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(envvar="GUOYUAN_TOKEN", help="访问令牌。 An access token; else the demo dispatcher."),
    ] = None,
    api: Annotated[str | None, typer.Option(help="接口地址。 The API; else the running stack's.")] = None,
    once: Annotated[bool, typer.Option("--once", help="只看一次。 Print the board once and end.")] = False,
) -> None:
    """实时看板。 A centre's board in the terminal, kept up to date by its live stream."""
    settings = load_settings()
    client = _client(settings, api or api_url(settings), token)
    console = Console()
    try:
        asyncio.run(_show(client, console, centre, once=once))
    except KeyboardInterrupt:
        return
    except (BoardRefused, httpx.HTTPError) as error:
        console.print(f"无法读取看板。 Cannot read the board: {str(error) or type(error).__name__}", style="red")
        raise typer.Exit(1) from None


def _client(settings: Settings, api: str, token: str | None) -> BoardClient:
    if token is not None:
        return BoardClient(api, token=token)
    secrets = demo_secrets.load(settings.data_dir)
    if secrets is None:
        raise typer.BadParameter("没有示范账号。 No demo logins here: give --token, or run `guoyuan demo load`.")
    return BoardClient(api, login=DEMO_DISPATCHER, password=secrets.password(Role.DISPATCHER))


async def _show(client: BoardClient, console: Console, centre: str | None, *, once: bool) -> None:
    try:
        centre_id, name = await _find(client, centre)
        screen = Screen(name, await client.get(f"/centres/{centre_id}/board"))
        if once:
            console.print(render(screen))
            return
        changed = asyncio.Event()
        with Live(render(screen), console=console, screen=console.is_terminal) as live:
            follower = asyncio.create_task(_follow(client, centre_id, screen, changed))
            try:
                await _refresh(client, centre_id, screen, changed, live, follower)
            finally:
                follower.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await follower
    finally:
        await client.close()


async def _find(client: BoardClient, wanted: str | None) -> tuple[str, str]:
    """Id and name of the centre: one's own, or by id or area code."""
    if wanted is None:
        own = (await client.get("/me"))["centre"]
        if own is None:
            raise BoardRefused("this account has no centre of its own: name one with --centre")
        return own["id"], own["name_zh"]
    with contextlib.suppress(ValueError):
        found = await client.get(f"/centres/{UUID(wanted)}")
        return found["id"], found["name_zh"]
    for found in (await client.get("/centres"))["items"]:
        if found["area_code"] == wanted:
            return found["id"], found["name_zh"]
    raise BoardRefused(f"no centre in the area {wanted}")


async def _follow(client: BoardClient, centre_id: str, screen: Screen, changed: asyncio.Event) -> None:
    async for event in client.follow(centre_id):
        if isinstance(event, LinkChanged):
            screen.connected = event.connected
        else:
            screen.events.appendleft((datetime.now(BUSINESS_ZONE), event))
        changed.set()


async def _refresh(
    client: BoardClient,
    centre_id: str,
    screen: Screen,
    changed: asyncio.Event,
    live: Live,
    follower: asyncio.Task[None],
) -> None:
    """Read the board again after each burst of events, and now and then without one."""
    while not follower.done():
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_SECONDS):
                await changed.wait()
        changed.clear()
        live.update(render(screen), refresh=True)
        await asyncio.sleep(SETTLE_SECONDS)
        with contextlib.suppress(httpx.HTTPError):  # away: the follower shows it, and it is read again later
            screen.board = await client.get(f"/centres/{centre_id}/board")
        live.update(render(screen), refresh=True)
    follower.result()


def render(screen: Screen) -> RenderableType:
    """The board as a page: alerts first, then work, then what has just happened."""
    link = Text("● 实时 live", "green") if screen.connected else Text("○ 未连接 not live", "yellow")
    title = Text.assemble((screen.centre, "bold"), "   ", link)
    return Group(title, _alerts(screen.board.get("alerts", [])), _orders(screen.board), _events(screen))


def _alerts(alerts: list[dict[str, Any]]) -> RenderableType:
    table = Table(title="警报 Alerts", title_justify="left", expand=True)
    for heading in ("类型 kind", "状态 status", "长者 resident", "开始 since", "次数 times"):
        table.add_column(heading)
    for alert in alerts:
        table.add_row(
            alert["kind"],
            alert["status"],
            _whose(alert),
            _clock(alert["since"]),
            str(alert["occurrences"]),
            style=_SEVERITIES.get(alert["severity"], ""),
        )
    return table


def _whose(alert: dict[str, Any]) -> str:
    """The resident, and the centre that has asked for help when it is another's."""
    name = alert["resident_name"] or "—"
    return f"{name}（支援 helping {alert['centre_name_zh']}）" if alert.get("aided") else name


def _orders(board: dict[str, Any]) -> RenderableType:
    table = Table(title="订单 Orders", title_justify="left", expand=True)
    for heading in ("状态 status", "项目 item", "长者 resident", "时间 window", "护理员 caregiver"):
        table.add_column(heading)
    shown = 0
    for column, title in _COLUMNS.items():
        for order in board.get("columns", {}).get(column, []):
            shown += 1
            if shown > ORDERS_SHOWN:
                continue
            people = [*order["visits"], *order["offers"]]
            table.add_row(
                title,
                order["item_name_zh"] + (" ⚡" if order["is_urgent"] else ""),
                order["resident_name"],
                _span(order["window_start"], order["window_end"]),
                "、".join(person["caregiver_name"] for person in people),
            )
    if shown > ORDERS_SHOWN:
        table.caption = f"另有 {shown - ORDERS_SHOWN} 单 and {shown - ORDERS_SHOWN} more"
    return table


def _events(screen: Screen) -> RenderableType:
    table = Table(title="动态 Events", title_justify="left", expand=True, show_header=False)
    for at, event in screen.events:
        detail = event.data.get("kind") or event.data.get("status") or event.data.get("item_code") or ""
        table.add_row(f"{at:%H:%M:%S}", event.name, str(detail), event.position)
    return table


def _clock(moment: str) -> str:
    return f"{_local(moment):%m-%d %H:%M}"


def _span(start: str, end: str) -> str:
    same_day = _local(start).date() == _local(end).date()
    return f"{_clock(start)}–{_local(end):%H:%M}" if same_day else f"{_clock(start)}–{_clock(end)}"


def _local(moment: str) -> datetime:
    return datetime.fromisoformat(moment).astimezone(BUSINESS_ZONE)
