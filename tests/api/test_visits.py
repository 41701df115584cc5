"""Visits over HTTP: pictures of full size, the card to print, a batch from a phone, the board."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from services.core.actor import Role
from tests.evidence import PNG
from tests.world import Case, World, open_case


def png(size: int) -> bytes:
    """A picture of about this many bytes; nobody looks inside the pixels."""
    return PNG[:33] + size.to_bytes(4) + b"IDAT" + bytes(size) + bytes(4) + PNG[33:]


@pytest.fixture
async def case(world: World) -> Case:
    """A visit to come."""
    return await open_case(world)


@pytest.mark.parametrize(
    ("size", "status", "code"),
    [(1_500_000, 200, None), (2_050_000, 413, "picture_too_large"), (2_300_000, 413, "payload_too_large")],
)
async def test_a_picture_may_be_larger_than_other_bodies(
    client: httpx.AsyncClient, world: World, case: Case, size: int, status: int, code: str | None
) -> None:
    hers = await world.headers(Role.CAREGIVER)
    path = f"/visits/{case.visit_id}/proofs/{uuid4()}?kind=signature"
    answer = await client.put(path, content=png(size), headers=hers | {"content-type": "image/png"})
    assert answer.status_code == status, answer.text
    if code is None:
        desk = await world.headers(Role.DISPATCHER)
        seen = await client.get(path.partition("?")[0], headers=desk)
        assert (seen.headers["content-type"], seen.content) == ("image/png", png(size))
    elif code == "picture_too_large":
        assert answer.json()["code"] == code


async def test_a_card_to_print(client: httpx.AsyncClient, world: World, case: Case) -> None:
    desk = await world.headers(Role.DISPATCHER)
    answer = await client.get(f"/residents/{case.resident_id}/door-card.svg", headers=desk)
    assert answer.headers["content-type"].startswith("image/svg+xml")
    assert answer.text.startswith("<svg")
    assert str(case.resident_id) not in answer.text


async def test_a_batch_an_incident_and_the_board(client: httpx.AsyncClient, world: World, case: Case) -> None:
    hers, desk = await world.headers(Role.CAREGIVER), await world.headers(Role.DISPATCHER)
    at = case.now.isoformat()

    def act(seq: int, do: str, said: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": str(uuid4()),
            "seq": seq,
            "visit_id": str(case.visit_id),
            "do": do,
            "device_at": at,
            "said": said,
        }

    acts = [act(1, "incident", {"kind": "fall", "severity": "severe", "words": "滑倒"}), act(2, "sing", {})]
    batch = {"device_id": "phone", "sent_at": at, "acts": acts}
    answer = await client.post("/visits/sync", json=batch, headers=hers)
    assert answer.status_code == 200, answer.text
    assert [(item["result"], item["code"]) for item in answer.json()["items"]] == [
        ("applied", None),
        ("conflict", "unreadable_act"),
    ]
    board = (await client.get(f"/centres/{case.centre_id}/board", headers=desk)).json()
    assert board["conflicts_open"] >= 1
    assert ("fall", "severe") in {(one["kind"], one["severity"]) for one in board["incidents"]}
    (hung,) = [order for order in board["columns"]["offered"] if order["id"] == str(case.order_id)]
    assert hung["visits"][0]["issues"] == ["left_early"]
    record = (await client.get(f"/visits/{case.visit_id}/record", headers=desk)).json()
    assert {one["code"] for one in record["conflicts"]} >= {"unreadable_act"}
    assert all("start_code" not in one["said"] for one in record["conflicts"])
