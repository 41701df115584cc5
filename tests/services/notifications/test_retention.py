"""How long messages are kept."""

from sqlalchemy import text

from services.core.actor import SYSTEM
from services.core.clearing import Cleared
from services.notifications.models import Channel
from services.notifications.retention import clear_notifications, load_keeping
from tests.services.notifications.conftest import Post


async def clear(post: Post, batch: int = 1000) -> list[Cleared]:
    async with post.database.unit_of_work(SYSTEM) as work:
        return await clear_notifications(work, batch)


async def left(post: Post) -> tuple[int, int]:
    """How many messages there are, and how many channels tried."""
    async with post.database.unit_of_work(SYSTEM) as work:
        counts = "SELECT (SELECT count(*) FROM notification), (SELECT count(*) FROM notification_attempt)"
        return tuple((await work.sql(text(counts))).one())


async def test_each_kind_has_its_time(post: Post) -> None:
    keeping = load_keeping()
    for is_life_safety in (True, False):
        await post.notify(Channel.SMS, Channel.VOICE, life=is_life_safety)
        await post.send_due(is_life_safety=is_life_safety)
    post.clock.forward(days=keeping.ordinary_days)
    assert await clear(post) == []
    post.clock.forward(seconds=1)
    assert [(each.what, each.rows) for each in await clear(post)] == [("notification", 1)]
    assert await left(post) == (1, 1)
    post.clock.forward(days=keeping.life_safety_days - keeping.ordinary_days)
    assert [(each.what, each.rows) for each in await clear(post)] == [("notification_life_safety", 1)]
    assert await left(post) == (0, 0)
    assert await clear(post) == []


async def test_what_still_waits_to_be_sent_stays(post: Post) -> None:
    await post.notify(Channel.SMS, life=False)
    post.clock.forward(days=4000)
    assert await clear(post) == []
    await post.send_due(is_life_safety=False)
    assert [each.rows for each in await clear(post)] == [1]


async def test_a_turn_takes_so_many_and_the_oldest_first(post: Post) -> None:
    keys = []
    for _ in range(5):
        keys.append(await post.notify(Channel.SMS))
        post.clock.forward(seconds=60)
    await post.send_due()
    post.clock.forward(days=4000)
    assert [each.rows for each in await clear(post, batch=2)] == [2]
    assert (await post.of(keys[2]))[0].key == keys[2]
    assert await left(post) == (3, 3)
    assert [each.rows for each in await clear(post, batch=2)] == [2]
    assert [each.rows for each in await clear(post, batch=2)] == [1]
