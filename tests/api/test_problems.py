"""Refusals: one form, a stable code, the reader's language, nothing of the input repeated."""

import ast
import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from api.app import create_app
from api.middleware import MAX_BODY_BYTES
from api.problems import field_errors
from services.core.actor import Role
from services.core.refused import WORDS
from services.core.settings import Settings
from services.dispatch.models import AssignRequest
from services.duty.models import NewOverride, NewRota, NewSwap
from services.rules.views import MaintenanceStart
from tests.world import World

SECRET = "糖尿病-do-not-repeat"
ID = "019ab1c2-0000-7000-8000-000000000001"
STRETCH = {
    "starts_at": "2026-11-30T20:00:00+08:00",
    "ends_at": "2026-12-01T08:00:00+08:00",
    "reason": "临时请病假",
}
TURNED = STRETCH | {"starts_at": STRETCH["ends_at"], "ends_at": STRETCH["starts_at"]}


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


FIELD_CASES: list[tuple[Any, dict[str, Any], str, list[str]]] = [
    (MaintenanceStart, {"hours": 2, "reason": "更换传感器"}, "exactly_one", ["resident_id", "terminal_id"]),
    (NewOverride, TURNED | {"account_id": ID}, "ends_before_start", ["starts_at", "ends_at"]),
    (NewOverride, STRETCH, "nobody_named", ["absent_account_id", "account_id"]),
    (
        NewOverride,
        STRETCH | {"account_id": ID, "absent_account_id": ID},
        "same_person",
        ["absent_account_id", "account_id"],
    ),
    (
        NewSwap,
        STRETCH | {"rota_id": ID, "to_account_id": ID, "return_starts_at": STRETCH["starts_at"]},
        "start_and_end_together",
        ["return_starts_at", "return_ends_at"],
    ),
    (
        NewRota,
        {
            "name": "值班",
            "role": "dispatcher",
            "valid_from": "2026-11-23",
            "valid_to": "2026-11-22",
            "shifts": [{"name": "x", "weekdays": [1], "starts": "08:00", "ends": "20:00", "turns": [[]]}],
        },
        "last_day_before_first",
        ["valid_from", "valid_to"],
    ),
    (AssignRequest, {}, "caregiver_missing", ["caregiver_ids"]),
]


@pytest.mark.parametrize(("model", "body", "code", "fields"), FIELD_CASES)
def test_fields_that_do_not_fit_together_are_named_with_the_reason(
    model: Any, body: dict[str, Any], code: str, fields: list[str]
) -> None:
    with pytest.raises(ValidationError) as refused:
        model.model_validate(body)
    errors = [{**error, "loc": ("body", *error["loc"])} for error in refused.value.errors()]
    for is_english in (False, True):
        shown = field_errors(errors, is_english)
        assert [(error["field"], error["code"]) for error in shown] == [(field, code) for field in fields]
        assert {error["message"] for error in shown} == {WORDS[code][is_english]}


async def test_a_refused_rota_says_which_fields_and_why(client: httpx.AsyncClient, world: World) -> None:
    manager = await world.headers(Role.CENTRE_MANAGER)
    body = {"hours": 2, "reason": "更换传感器"}
    answer = await client.post("/maintenance", json=body, headers=manager | {"Accept-Language": "en"})
    assert answer.status_code == 422
    message = "give exactly one of these"
    assert answer.json()["errors"] == [
        {"field": field, "code": "exactly_one", "message": message} for field in ("resident_id", "terminal_id")
    ]


def test_every_models_validator_says_it_this_way() -> None:
    """A plain ValueError would be answered with "is not valid" and no field. Settings are no input of a caller."""
    found = []
    for path in [*Path("services").rglob("*.py"), *Path("api").rglob("*.py")]:
        if path.name == "settings.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            is_validator = isinstance(node, ast.FunctionDef) and any(
                "model_validator" in ast.unparse(decorator) for decorator in node.decorator_list
            )
            if is_validator and "raise ValueError" in ast.unparse(node):
                found.append(str(path))
    assert found == []


@contextlib.asynccontextmanager
async def listening(settings: Settings) -> AsyncIterator[tuple[str, int]]:
    """The API on a socket, with two routes that break: before anything was answered, and after."""

    async def breaks(_request: Request) -> Response:
        raise RuntimeError(SECRET)

    async def breaks_halfway(_request: Request) -> Response:
        async def parts() -> AsyncIterator[bytes]:
            yield b"half"
            raise RuntimeError(SECRET)

        return StreamingResponse(parts())

    application = create_app(settings)
    application.router.routes[:0] = [Route("/breaks", breaks), Route("/breaks-halfway", breaks_halfway)]
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(application, log_config=None, lifespan="on", ws="none"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:  # noqa: ASYNC110  uvicorn has no event to wait on
        await asyncio.sleep(0.01)
    try:
        yield listener.getsockname()
    finally:
        server.should_exit = True
        await serving
        listener.close()


async def test_after_a_fault_the_connection_goes_on(
    settings: Settings, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    async with listening(settings) as (host, port):
        reader, writer = await asyncio.open_connection(host, port)
        statuses = []
        for path in ("/breaks", "/healthz", "/breaks"):
            writer.write(f"GET {path} HTTP/1.1\r\nHost: api\r\n\r\n".encode())
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = int(head.split("content-length: ")[1].split("\r\n")[0])
            body = json.loads(await reader.readexactly(length))
            statuses.append(int(head.split()[1]))
            assert "connection: close" not in head
            if statuses[-1] == 500:
                assert body["code"] == "internal_error"
                assert f"x-request-id: {body['request_id']}" in head
        writer.close()
        await writer.wait_closed()
        assert statuses == [500, 200, 500]

        # An answer that had begun is torn: the reader is told by the connection's end, without the last chunk.
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(b"GET /breaks-halfway HTTP/1.1\r\nHost: api\r\n\r\n")
        torn = await reader.read()
        writer.close()
        await writer.wait_closed()
        assert b"half" in torn
        assert not torn.endswith(b"0\r\n\r\n")
    logged = capsys.readouterr().err
    assert "in breaks" in logged
    assert SECRET not in logged
