"""Signatures are those of the Standard Webhooks specification."""

from datetime import UTC, datetime, timedelta

import pytest

from services.vendors.signature import is_signed, is_timely, make_secret, signature

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE, STAMP, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}'
SIGNED = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)


def test_the_specifications_own_example() -> None:
    assert signature(SECRET, MESSAGE, STAMP, BODY) == SIGNED
    assert is_signed([SECRET], MESSAGE, STAMP, SIGNED, BODY)


def test_one_of_several_secrets_and_of_several_signatures_is_enough() -> None:
    assert is_signed([make_secret(), SECRET], MESSAGE, STAMP, f"v1,AAAA v1a,BBBB {SIGNED}", BODY)


@pytest.mark.parametrize("given", ["", "v1,", "v1", SIGNED[3:], SIGNED.lower(), f"{SIGNED}x", "v1," + "张" * 9])
def test_what_is_no_signature(given: str) -> None:
    assert not is_signed([SECRET], MESSAGE, STAMP, given, BODY)


def test_every_part_is_signed() -> None:
    assert not is_signed([SECRET], "msg_other", STAMP, SIGNED, BODY)
    assert not is_signed([SECRET], MESSAGE, "1614265331", SIGNED, BODY)
    assert not is_signed([SECRET], MESSAGE, STAMP, SIGNED, BODY + b" ")
    assert not is_signed([make_secret()], MESSAGE, STAMP, SIGNED, BODY)


def test_two_secrets_are_never_the_same() -> None:
    assert make_secret() != make_secret()


@pytest.mark.parametrize(
    ("stamp", "timely"),
    [
        (str(int(NOW.timestamp())), True),
        (str(int((NOW - timedelta(minutes=5)).timestamp())), True),
        (str(int((NOW + timedelta(minutes=5)).timestamp())), True),
        (str(int((NOW - timedelta(minutes=5, seconds=1)).timestamp())), False),
        (str(int((NOW + timedelta(minutes=5, seconds=1)).timestamp())), False),
        ("", False),
        ("-1", False),
        ("1e9", False),
        ("٣", False),
        ("9" * 400, False),
    ],
)
def test_the_window(stamp: str, timely: bool) -> None:
    assert is_timely(stamp, NOW) is timely
