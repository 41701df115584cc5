"""Refusals: one form, a stable code, the reader's language, nothing of the input repeated."""

from collections.abc import AsyncIterator

import httpx
import pytest

from api.middleware import MAX_BODY_BYTES
from services.core.actor import Role
from tests.world import World

SECRET = "糖尿病-do-not-repeat"


@pytest.fixture
async def resident(world: World) -> dict[str, str]:
    return await world.headers(Role.RESIDENT)


async def chunks() -> AsyncIterator[bytes]:
    """A body that does not tell its length."""
    for _ in range(MAX_BODY_BYTES // 65_536 + 2):
        yield b"x" * 65_536


@pytest.mark.parametrize("body", [b"x" * (MAX_BODY_BYTES + 1), None], ids=["told", "untold"])
async def test_a_body_that_is_too_large_is_a_problem_document(
    client: httpx.AsyncClient, resident: dict[str, str], body: bytes | None
) -> None:
    json = {"Content-Type": "application/json"}
    answer = await client.post("/orders", content=body or chunks(), headers=resident | json)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-request-id"] == answer.json()["request_id"]


@pytest.mark.parametrize(
    ("language", "title"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.5", "填写的内容有误"),
        ("en-GB,en;q=0.9", "The input is not valid"),
        ("", "填写的内容有误"),
        ("fr", "填写的内容有误"),
    ],
)
async def test_the_title_is_in_the_readers_language_and_the_code_is_not(
    client: httpx.AsyncClient, resident: dict[str, str], language: str, title: str
) -> None:
    answer = await client.post("/orders", json={}, headers=resident | {"Accept-Language": language})
    assert answer.status_code == 422
    assert (answer.json()["title"], answer.json()["code"]) == (title, "invalid_input")


async def test_broken_json_is_told_without_a_field(client: httpx.AsyncClient, resident: dict[str, str]) -> None:
    answer = await client.post(
        "/orders", content=b'{"note": ', headers=resident | {"Content-Type": "application/json"}
    )
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": "", "code": "json_invalid", "message": "不是有效的 JSON"}]


async def test_a_refusal_repeats_nothing_of_the_input(client: httpx.AsyncClient, resident: dict[str, str]) -> None:
    body = {"resident_id": SECRET, "item_code": 7, "window_start": SECRET, "unknown": SECRET}
    answer = await client.post("/orders", json=body, headers=resident)
    assert answer.status_code == 422
    assert SECRET not in answer.text
    assert {error["field"] for error in answer.json()["errors"]} >= {"resident_id", "item_code", "unknown"}


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/no-such-thing", 404, "not_found"),
        ("DELETE", "/orders", 405, "method_not_allowed"),
        ("GET", "/orders/17", 422, "invalid_input"),
    ],
)
async def test_what_the_framework_refuses_looks_the_same(
    client: httpx.AsyncClient, resident: dict[str, str], method: str, path: str, status: int, code: str
) -> None:
    answer = await client.request(method, path, headers=resident)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["type"] == f"urn:guoyuan:problem:{code}"


async def test_no_answer_may_be_cached_or_sniffed(client: httpx.AsyncClient, resident: dict[str, str]) -> None:
    answer = await client.get("/me", headers=resident)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
