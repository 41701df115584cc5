"""The topic tree."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.topics import UpChannel, parse_up, terminal_topics, up_filter, up_topic

TERMINAL = UUID("0190a0b0-1111-7000-8000-0000000000ab")


@pytest.mark.parametrize("channel", list(UpChannel))
def test_there_and_back(channel: UpChannel) -> None:
    assert parse_up(up_topic(TERMINAL, channel)) == (TERMINAL, channel)


@pytest.mark.parametrize(
    "topic",
    [
        "",
        f"gy/v1/{TERMINAL}/up",
        f"gy/v1/{TERMINAL}/up/vitals/x",
        f"gy/v1/{TERMINAL}/down/vitals",
        f"gy/v1/{TERMINAL}/up/gossip",
        f"gy/v2/{TERMINAL}/up/vitals",
        f"/gy/v1/{TERMINAL}/up/vitals",
        f"gy/v1/{str(TERMINAL).upper()}/up/vitals",
        f"gy/v1/{TERMINAL.hex}/up/vitals",
        f"gy/v1/{{{TERMINAL}}}/up/vitals",
        "gy/v1/terminal-7/up/vitals",
    ],
)
def test_no_other_topic(topic: str) -> None:
    assert parse_up(topic) is None


@given(st.text())
def test_any_text(topic: str) -> None:
    parse_up(topic)
    parse_up(f"gy/v1/{topic}/up/vitals")


def test_filters_and_the_credential_file() -> None:
    assert up_filter(UpChannel.ALARM) == "gy/v1/+/up/alarm"
    assert up_filter(UpChannel.VITALS, share="ingest") == "$share/ingest/gy/v1/+/up/vitals"
    assert list(terminal_topics(TERMINAL)) == ["alarm", "vitals", "status", "receipt", "command"]
