"""``guoyuan replay FILE --compare``: how often a naive threshold rings for a recording, how often we do."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
from rich.console import Console
from rich.table import Table

from devices.codecs.native_json import decode_vitals
from devices.messages import MalformedMessage
from devices.recording import Recording
from services.rules.comparison import Comparison, Episode, compare
from services.rules.definitions import load_rules
from services.rules.layers import RuleBook
from services.rules.news2 import Measured

_NOBODY = UUID(int=0)
_DAY_ZERO = datetime(2000, 1, 1, tzinfo=UTC)
"""Stands for the start of a recording that does not tell its date; a schedule by hours then means little."""


def readings_of(recording: Recording) -> tuple[Mapping[str, list[Measured]], int]:
    """Every reading by kind as the platform would store it, and how many messages its codec would refuse."""
    start = recording.started_at or _DAY_ZERO
    offset = recording.moments[0].seconds
    found: dict[str, list[Measured]] = {}
    refused = 0
    for seq, moment in enumerate(recording.moments):
        at = (start + timedelta(seconds=moment.seconds - offset)).isoformat()
        message = {"seq": seq, "readings": [{**reading, "at": at} for reading in moment.readings]}
        try:
            decoded = decode_vitals(msgspec.json.encode(message))
        except MalformedMessage:
            refused += 1
            continue
        for reading in decoded.readings:
            found.setdefault(reading.kind.value, []).append(Measured(reading.measured_at, reading.value))
    return found, refused


def compared(recording: Recording) -> tuple[Comparison, int]:
    """A recording judged by the default rules, of a resident without anything of her own."""
    readings, refused = readings_of(recording)
    resolved, _ = RuleBook(load_rules()).look_up(_NOBODY, _NOBODY, "")
    return compare(readings, resolved), refused


def show_comparison(recording: Recording) -> None:
    """Print the tables."""
    comparison, refused = compared(recording)
    console = Console()
    table = Table(
        title=f"报警比较 Alarms over {comparison.days:.2f} d", caption="括号内为每日次数 In brackets: a day"
    )
    for heading in (
        "种类 kind",
        "读数 readings",
        "无效 no data",
        "单纯阈值 naive",
        "去除无效 gated",
        "本平台 ours",
        "真实事件 true episodes",
        "已报 raised",
    ):
        table.add_column(heading)
    for line in comparison.kinds:
        raised = sum(episode.raised_at is not None for episode in line.episodes)
        table.add_row(
            line.kind,
            str(line.readings),
            str(line.no_data),
            _count(comparison, line.naive),
            _count(comparison, line.gated),
            _count(comparison, len(line.ours)),
            str(len(line.episodes)),
            f"{raised}/{len(line.episodes)}",
        )
    table.add_row("early_warning", "", "", "–", "–", _count(comparison, len(comparison.scores)), "–", "–")
    naive = sum(line.naive for line in comparison.kinds)
    gated = sum(line.gated for line in comparison.kinds)
    ours = sum(len(line.ours) for line in comparison.kinds) + len(comparison.scores)
    table.add_section()
    totals = [_count(comparison, count) for count in (naive, gated, ours)]
    table.add_row("合计 all", "", "", *totals, "", "")
    console.print(table)
    console.print(
        "真实事件：去除零值与伪差后，五分钟中位数越限，持续至少五分钟且至少两次读数。"
        " A true episode: without zeros and what no sensor can show, the median of five minutes stays at or beyond"
        " the limit for five minutes or longer, and for two readings at least.",
        soft_wrap=True,
    )
    for line in comparison.kinds:
        for episode in line.episodes:
            console.print(_told(episode, recording), soft_wrap=True)
    if refused:
        console.print(f"[yellow]无法解码的消息 messages that the codec refuses: {refused}[/yellow]")
    if comparison.missed:
        console.print(f"[red]漏报 missed: {len(comparison.missed)}[/red]")


def _count(comparison: Comparison, count: int) -> str:
    return f"{count} ({comparison.per_day(count):.1f})"


def _told(episode: Episode, recording: Recording) -> str:
    start = recording.started_at or _DAY_ZERO
    first = (episode.start - start).total_seconds() / 60
    last = (episode.end - start).total_seconds() / 60
    place = f"{episode.kind} {episode.side}: minute {first:.1f}–{last:.1f}"
    if episode.late is None:
        return f"[red]漏报 missed[/red] {place}"
    minutes = episode.late.total_seconds() / 60
    when = f"{minutes:.1f} min after" if minutes > 0 else f"{-minutes:.1f} min before" if minutes < 0 else "at"
    return f"已报 raised {place}, {when} its start"
