"""Passwords."""

import time

import pytest
from argon2 import PasswordHasher

from services.core.errors import InvalidInput
from services.identity.passwords import check_strength, hash_now, hash_password, is_outdated, verify_password


async def test_the_right_password_and_only_that_one() -> None:
    stored = await hash_password("a long enough one")
    assert stored.startswith("$argon2id$")
    assert "a long enough one" not in stored
    assert await verify_password(stored, "a long enough one")
    assert not await verify_password(stored, "a long enough One")
    assert not await verify_password(stored, "")


async def test_hashes_are_salted() -> None:
    assert hash_now("a long enough one") != await hash_password("a long enough one")


@pytest.mark.parametrize("stored", [None, "", "no hash", "$argon2id$v=19$m=8,t=1,p=1$broken"])
async def test_without_a_hash_nothing_is_right(stored: str | None) -> None:
    assert not await verify_password(stored, "nobody signs in with this")


async def test_an_unknown_login_takes_as_long_as_a_known_one() -> None:
    stored = hash_now("a long enough one")
    await verify_password(None, "x")  # makes the stand-in hash

    async def fastest(given: str | None) -> float:
        times = []
        for _ in range(5):
            started = time.perf_counter()
            await verify_password(given, "a wrong one")
            times.append(time.perf_counter() - started)
        return min(times)

    assert 0.4 < await fastest(None) / await fastest(stored) < 2.5


def test_a_hash_with_other_parameters_is_outdated() -> None:
    assert not is_outdated(hash_now("a long enough one"))
    assert is_outdated(PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash("a long enough one"))


@pytest.mark.parametrize("password", ["", "short", "aaaaaaaaaaaa", "ababababababab", "x" * 129])
def test_weak_passwords_are_refused(password: str) -> None:
    with pytest.raises(InvalidInput):
        check_strength(password)


@pytest.mark.parametrize("password", ["correct horse", "果园镇的一位调度员的密码", "x1y2" * 32])
def test_fair_passwords_pass(password: str) -> None:
    check_strength(password)
