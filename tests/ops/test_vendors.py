"""``guoyuan vendors``, as a process of its own."""

import asyncpg

from ops.stack.embedded import EmbeddedStack
from ops.stack.runtime import child_environment
from services.core.crypto import vault_from
from services.vendors.models import SECRET_PURPOSE
from tests.ops.test_create_admin import run


async def test_a_key_is_made_rotated_and_kept_out(stack: EmbeddedStack) -> None:
    environment = child_environment(stack.settings)
    made = run("vendors", "add", "甲厂", "--area", "430121107", "--codec", "scaip", environment=environment)
    assert made.returncode == 0, made.stderr
    address, secret = made.stdout.split("\n")[:2]
    key_id = address.rpartition("/")[2]
    rotated = run("vendors", "rotate", key_id, environment=environment)
    assert rotated.returncode == 0, rotated.stderr
    assert run("vendors", "disable", key_id, environment=environment).returncode == 0
    listed = run("vendors", "list", environment=environment).stdout
    assert f"{key_id}  off  430121107" in listed
    assert secret not in listed
    connection = await asyncpg.connect(stack.postgres.url)
    try:
        row = await connection.fetchrow("SELECT * FROM vendor_key WHERE id = $1", key_id)
    finally:
        await connection.close()
    vault = vault_from(stack.settings)
    assert vault.decrypt(row["old_secret"], SECRET_PURPOSE) == secret
    assert vault.decrypt(row["secret"], SECRET_PURPOSE) == rotated.stdout.strip()
    assert run(
        "vendors", "add", "甲厂", "--area", "43", "--codec", "esperanto", environment=environment
    ).returncode
    assert run("vendors", "add", "甲厂", "--area", "430121x", environment=environment).returncode == 1
