"""The one table of who may do what on the broker."""

import pytest

from services.terminals.broker_policy import SERVICE_USER, Action, may, may_connect

OWN = "0190f5a2-0000-7000-8000-000000000001"
OTHER = "0190f5a2-0000-7000-8000-000000000002"


@pytest.mark.parametrize(
    ("username", "action", "topic", "expected"),
    [
        (OWN, "publish", f"gy/v1/{OWN}/up/alarm", True),
        (OWN, "publish", f"gy/v1/{OWN}/up/vitals", True),
        (OWN, "publish", f"gy/v1/{OWN}/up/status", True),
        (OWN, "publish", f"gy/v1/{OWN}/up/firmware", False),
        (OWN, "publish", f"gy/v1/{OWN}/up/alarm/x", False),
        (OWN, "publish", f"gy/v1/{OWN}/up", False),
        (OWN, "publish", f"gy/v1/{OWN}/down/receipt", False),
        (OWN, "publish", f"gy/v1/{OTHER}/up/alarm", False),
        (OWN, "publish", f"gy/v2/{OWN}/up/alarm", False),
        (OWN, "publish", f"/gy/v1/{OWN}/up/alarm", False),
        (OWN, "publish", "$SYS/broker/version", False),
        (OWN, "publish", "", False),
        (OWN, "subscribe", f"gy/v1/{OWN}/down/receipt", True),
        (OWN, "subscribe", f"gy/v1/{OWN}/down/command", True),
        (OWN, "subscribe", f"gy/v1/{OWN}/down/#", True),
        (OWN, "subscribe", f"gy/v1/{OWN}/down/+", True),
        (OWN, "subscribe", f"gy/v1/{OWN}/#", False),
        (OWN, "subscribe", f"gy/v1/{OWN}/+/receipt", False),
        (OWN, "subscribe", f"gy/v1/{OWN}/up/alarm", False),
        (OWN, "subscribe", f"gy/v1/{OTHER}/down/receipt", False),
        (OWN, "subscribe", "gy/v1/+/down/receipt", False),
        (OWN, "subscribe", "gy/v1/+/up/alarm", False),
        (OWN, "subscribe", "#", False),
        (OWN, "subscribe", "+/+/+/+/+", False),
        (OWN, "subscribe", f"$share/x/gy/v1/{OTHER}/down/receipt", False),
        (OWN.upper(), "publish", f"gy/v1/{OWN.upper()}/up/alarm", False),
        ("+", "publish", "gy/v1/+/up/alarm", False),
        ("", "publish", "gy/v1//up/alarm", False),
        (SERVICE_USER, "subscribe", "gy/v1/+/up/#", True),
        (SERVICE_USER, "subscribe", "gy/v1/+/up/alarm", True),
        (SERVICE_USER, "subscribe", "gy/v1/+/up/vitals", True),
        (SERVICE_USER, "subscribe", f"gy/v1/{OWN}/up/alarm", True),
        (SERVICE_USER, "subscribe", "gy/v1/+/down/receipt", False),
        (SERVICE_USER, "subscribe", "#", False),
        (SERVICE_USER, "publish", f"gy/v1/{OWN}/down/receipt", True),
        (SERVICE_USER, "publish", f"gy/v1/{OWN}/down/command", True),
        (SERVICE_USER, "publish", f"gy/v1/{OWN}/up/alarm", False),
        (SERVICE_USER, "publish", f"gy/v1/{SERVICE_USER}/down/receipt", False),
        ("root", "subscribe", "gy/v1/+/up/#", False),
    ],
)
def test_topics(username: str, action: Action, topic: str, expected: bool) -> None:
    assert may(username, action, topic) is expected


@pytest.mark.parametrize(
    ("username", "client_id", "expected"),
    [
        (OWN, OWN, True),
        (OWN, OTHER, False),
        (OWN, "", False),
        (OWN, "guoyuan-ingest", False),
        (OWN.replace("-", ""), OWN.replace("-", ""), False),
        (SERVICE_USER, "guoyuan-ingest-alarms", True),
        (SERVICE_USER, OWN, True),  # to end its connection
        (SERVICE_USER, "mosq-x", False),
        (SERVICE_USER, "", False),
        ("", "", False),
    ],
)
def test_client_ids(username: str, client_id: str, expected: bool) -> None:
    assert may_connect(username, client_id) is expected
