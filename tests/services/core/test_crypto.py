"""Personal numbers at rest."""

import base64

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from services.core.crypto import Vault, mask_id_number, mask_phone, vault_from
from services.core.settings import Settings

VAULT = Vault("k2", {"k1": b"1" * 32, "k2": b"2" * 32}, b"l" * 32)


@given(st.text())
def test_what_is_sealed_is_read_again(plain: str) -> None:
    assert VAULT.decrypt(VAULT.encrypt(plain, "p"), "p") == plain


def test_sealing_twice_differs_and_names_the_key() -> None:
    first, second = VAULT.encrypt("13800001234", "p"), VAULT.encrypt("13800001234", "p")
    assert first != second
    assert first.startswith("k2:")
    assert "13800001234" not in first


def test_an_older_key_still_reads() -> None:
    old = Vault("k1", {"k1": b"1" * 32}, b"l" * 32).encrypt("13800001234", "p")
    assert VAULT.decrypt(old, "p") == "13800001234"


def test_a_value_moved_to_another_column_does_not_open() -> None:
    with pytest.raises(InvalidTag):
        VAULT.decrypt(VAULT.encrypt("13800001234", "resident.phone"), "resident.id_number")


def test_a_changed_value_does_not_open() -> None:
    key_id, _, body = VAULT.encrypt("13800001234", "p").partition(":")
    raw = bytearray(base64.b64decode(body))
    raw[-1] ^= 1
    with pytest.raises(InvalidTag):
        VAULT.decrypt(f"{key_id}:{base64.b64encode(raw).decode()}", "p")


def test_lookups_agree_only_for_the_same_value_purpose_and_key() -> None:
    found = VAULT.lookup("13800001234", "p")
    assert found == VAULT.lookup("13800001234", "p")
    other_key = Vault("k2", VAULT.keys, b"m" * 32)
    assert len({found, VAULT.lookup("13800001235", "p"), VAULT.lookup("13800001234", "q"),
                other_key.lookup("13800001234", "p")}) == 4  # fmt: skip


def test_keys_do_not_show() -> None:
    assert "1111" not in repr(VAULT)
    assert "llll" not in repr(VAULT)


@pytest.mark.parametrize(
    ("field", "lookup"), [(None, "l" * 32), ("short", "l" * 32), ("f" * 32, "short"), ("f" * 32, None)]
)
def test_absent_or_short_keys_are_refused(field: str | None, lookup: str | None) -> None:
    def secret(value: str | None) -> SecretStr | None:
        return None if value is None else SecretStr(base64.b64encode(value.encode()).decode())

    settings = Settings(_env_file=None, field_key=secret(field), lookup_key=secret(lookup))
    with pytest.raises(ValueError, match=r"(?i)key"):
        vault_from(settings)


@pytest.mark.parametrize(
    ("phone", "masked"),
    [
        ("13800001234", "138****1234"),
        ("073184010000", "073*****0000"),
        ("8401000", "*****00"),
        ("1", "1"),
        ("", ""),
    ],
)
def test_mask_phone(phone: str, masked: str) -> None:
    assert mask_phone(phone) == masked


def test_mask_id_number_shows_neither_birthday_nor_sequence_whole() -> None:
    assert mask_id_number("11010519491231002X") == "1101**********002X"
