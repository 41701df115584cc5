"""Passwords of terminals in Mosquitto's format."""

import pytest

from services.terminals.credentials import hash_password, make_password, verify_password

# Written by `mosquitto_passwd` of Mosquitto 2.0.11 for the password `swordfish`.
FROM_MOSQUITTO = (
    "$7$101$2q1rdiucFAm9vLpu"
    "$SCFjuXGtQGTUMwX8Y9dloH1aW2ROGOZ1YqhVDOAcAqAvu2baV3lvO1VNatm7o9XZPHdDlNb4qQ2azwtnGpu2Hg=="
)


def test_a_password_fits_its_own_hash_only() -> None:
    password, other = make_password(), make_password()
    stored = hash_password(password)
    assert stored.startswith("$7$101$")
    assert verify_password(password, stored)
    assert not verify_password(other, stored)
    assert hash_password(password) != stored


def test_a_hash_of_mosquitto_is_read() -> None:
    assert verify_password("swordfish", FROM_MOSQUITTO)
    assert not verify_password("Swordfish", FROM_MOSQUITTO)


def test_a_password_has_128_bits() -> None:
    assert len(make_password()) == 22


@pytest.mark.parametrize(
    "stored",
    [
        "",
        "$",
        "$7$101$x",
        "$6$101$AAAA$AAAA",
        "$7$0$AAAA$AAAA",
        "$7$many$AAAA$AAAA",
        "$7$101$!!!$AAAA",
        "$7$9999999$AAAA$AAAA",
    ],
)
def test_a_damaged_hash_fits_nothing(stored: str) -> None:
    assert not verify_password("anything", stored)
