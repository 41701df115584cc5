"""One-time codes and the counters, on a real Redis."""

import asyncio
import json
import stat
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from api.house import open_redis
from services.core.crypto import Vault
from services.core.settings import Settings
from services.identity import codes
from services.identity.errors import TooManyAttempts
from services.identity.limits import Limit, count_sign_in, count_try, forget_tries, sign_in_limits
from services.identity.sender import ConsoleCodeSender, FileCodeSender, codes_file, sender_from

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


@pytest.fixture
def phone() -> str:
    """A number's look-up hash that no other test has."""
    return uuid4().hex


def test_codes_have_six_digits_and_differ() -> None:
    drawn = {codes.draw_code() for _ in range(200)}
    assert all(len(code) == 6 and code.isdecimal() for code in drawn)
    assert len(drawn) > 190


async def test_a_code_is_good_once(redis: Redis, vault: Vault, phone: str) -> None:
    await codes.keep_code(redis, vault, phone, "042137")
    assert await codes.take_code(redis, vault, phone, "042137")
    assert not await codes.take_code(redis, vault, phone, "042137")


async def test_two_at_once_do_not_both_get_in(redis: Redis, vault: Vault, phone: str) -> None:
    await codes.keep_code(redis, vault, phone, "042137")
    taken = await asyncio.gather(*(codes.take_code(redis, vault, phone, "042137") for _ in range(8)))
    assert sum(taken) == 1


async def test_the_fifth_wrong_try_is_the_last(redis: Redis, vault: Vault, phone: str) -> None:
    await codes.keep_code(redis, vault, phone, "042137")
    for _ in range(4):
        assert not await codes.take_code(redis, vault, phone, "000000")
    assert await codes.take_code(redis, vault, phone, "042137")
    await codes.keep_code(redis, vault, phone, "042137")
    for _ in range(5):
        assert not await codes.take_code(redis, vault, phone, "000000")
    assert not await codes.take_code(redis, vault, phone, "042137")


async def test_a_new_code_replaces_the_old_one(redis: Redis, vault: Vault, phone: str) -> None:
    await codes.keep_code(redis, vault, phone, "111111")
    await codes.keep_code(redis, vault, phone, "222222")
    assert not await codes.take_code(redis, vault, phone, "111111")
    assert await codes.take_code(redis, vault, phone, "222222")


async def test_another_numbers_code_is_no_use(redis: Redis, vault: Vault, phone: str) -> None:
    await codes.keep_code(redis, vault, phone, "042137")
    assert not await codes.take_code(redis, vault, uuid4().hex, "042137")


async def test_redis_holds_a_hash_for_three_minutes(redis: Redis, vault: Vault, phone: str) -> None:
    await codes.keep_code(redis, vault, phone, "042137")
    kept = await redis.hgetall(f"gy:code:{phone}")
    assert "042137" not in str(kept)
    assert 170 < await redis.ttl(f"gy:code:{phone}") <= 180


async def test_once_a_minute_and_ten_a_day(redis: Redis, phone: str) -> None:
    await codes.count_request(redis, phone, None, NOW)
    with pytest.raises(TooManyAttempts) as refused:
        await codes.count_request(redis, phone, None, NOW)
    assert 0 < refused.value.extra["retry_after"] <= 60
    for _ in range(9):
        await redis.delete(f"gy:code:pause:{phone}")
        await codes.count_request(redis, phone, None, NOW)
    await redis.delete(f"gy:code:pause:{phone}")
    with pytest.raises(TooManyAttempts):
        await codes.count_request(redis, phone, None, NOW)
    tomorrow = NOW.replace(day=23)
    await codes.count_request(redis, phone, None, tomorrow)


async def test_parallel_tries_do_not_slip_past_a_limit(redis: Redis) -> None:
    limit = Limit(f"gy:tries:test:{uuid4().hex}", 5, 60)

    async def once() -> bool:
        try:
            await count_try(redis, [limit])
        except TooManyAttempts:
            return False
        return True

    assert sum(await asyncio.gather(*(once() for _ in range(30)))) == 5


async def test_a_refused_try_does_not_prolong_the_lock(redis: Redis) -> None:
    limit = Limit(f"gy:tries:test:{uuid4().hex}", 1, 60)
    await count_try(redis, [limit])
    await redis.expire(limit.key, 30)
    with pytest.raises(TooManyAttempts):
        await count_try(redis, [limit])
    assert await redis.ttl(limit.key) <= 30


async def test_success_clears_the_login_and_gives_the_address_its_try_back(redis: Redis) -> None:
    limits = sign_in_limits(f"login-{uuid4()}", f"address-{uuid4()}")
    for _ in range(3):
        await count_sign_in(redis, limits)
    await forget_tries(redis, limits)
    assert await redis.get(limits[0].key) is None
    assert int(await redis.get(limits[1].key) or 0) == 2


async def test_counters_do_not_name_anybody(redis: Redis) -> None:
    limits = sign_in_limits("dispatcher-guoyuan", "192.0.2.7")
    assert not any("dispatcher" in limit.key or "192" in limit.key for limit in limits)


async def test_without_redis_passwords_still_work() -> None:
    nowhere = open_redis("redis://127.0.0.1:1")
    limits = sign_in_limits("somebody", None)
    await count_sign_in(nowhere, limits)
    await forget_tries(nowhere, limits)
    await nowhere.aclose()


async def test_the_file_sender_keeps_codes_from_other_users(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, data_dir=tmp_path)
    sender = sender_from(settings)
    await sender.send("13800001234", "042137")
    await sender.send("13800001234", "137042")
    lines = [json.loads(line) for line in codes_file(settings).read_text().splitlines()]
    assert [(line["phone"], line["code"]) for line in lines] == [
        ("13800001234", "042137"),
        ("13800001234", "137042"),
    ]
    assert stat.S_IMODE(codes_file(settings).stat().st_mode) == 0o600
    assert isinstance(sender, FileCodeSender)


async def test_the_console_sender_masks_the_number(capsys: pytest.CaptureFixture[str]) -> None:
    sender = sender_from(Settings(_env_file=None, code_sender="console"))
    assert isinstance(sender, ConsoleCodeSender)
    await sender.send("13800001234", "042137")
    shown = capsys.readouterr()
    assert "13800001234" not in shown.out + shown.err
