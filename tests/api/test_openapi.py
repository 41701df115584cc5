"""The OpenAPI document is what a client is generated from: nothing in it may be left unsaid."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI

from api.policy import PUBLIC

FORMS = ("example", "examples")


@pytest.fixture(scope="module")
def document(app: FastAPI) -> dict[str, Any]:
    return app.openapi()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_every_operation_is_named_once_and_explained(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(names) == len(set(names))
    unsaid = [
        operation["operationId"]
        for _, _, operation in operations(document)
        if not (operation.get("summary") and operation.get("description") and operation.get("tags"))
    ]
    assert not unsaid


def test_every_refusal_is_a_problem_document(document: dict[str, Any]) -> None:
    for _, _, operation in operations(document):
        for status, answer in operation["responses"].items():
            if status.startswith(("4", "5")):
                assert "application/problem+json" in answer["content"], (operation["operationId"], status)
        if operation["operationId"] not in PUBLIC:
            assert {"401", "403", "404", "503"} <= set(operation["responses"])


def test_every_body_has_an_example(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for _, _, operation in operations(document):
        content = operation.get("requestBody", {}).get("content", {})
        if "application/json" in content:  # a photo or a spreadsheet is its own example
            shown = content["application/json"]["schema"]
            parts = shown.get("anyOf", [shown])
            bodies = [schemas[part["$ref"].rpartition("/")[2]] if "$ref" in part else part for part in parts]
            assert any(_has_example(body) for body in bodies), operation["operationId"]


def _has_example(schema: dict[str, Any]) -> bool:
    places = [schema, *schema.get("properties", {}).values()]
    return any(form in place for place in places for form in FORMS)


def test_creating_requests_take_an_idempotency_key(document: dict[str, Any]) -> None:
    creating = {o["operationId"]: o for _, method, o in operations(document) if "201" in o["responses"]}
    assert {"place_order", "send_offers", "rate_order"} <= set(creating)
    creating |= {o["operationId"]: o for _, _, o in operations(document) if o["operationId"] == "assign_order"}
    for name, operation in creating.items():
        headers = {p["name"].lower() for p in operation.get("parameters", []) if p["in"] == "header"}
        assert "idempotency-key" in headers, name
