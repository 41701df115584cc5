"""Refusals as RFC 9457 problem documents: a stable code, a title in the reader's language, nothing leaked."""

import traceback
from collections.abc import Sequence
from typing import Any

import asyncpg
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from redis.exceptions import RedisError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from services.core.errors import DomainError, ServiceUnavailable
from services.core.refused import WORDS

_UNSTORABLE = (asyncpg.CharacterNotInRepertoireError, asyncpg.UntranslatableCharacterError)
MEDIA_TYPE = "application/problem+json"
log = structlog.get_logger("api")

_HTTP_TITLES = {
    400: ("bad_request", "请求有误", "Bad request"),
    404: ("not_found", "未找到", "Not found"),
    405: ("method_not_allowed", "不支持此操作方式", "Method not allowed"),
    413: ("too_large", "内容太大", "The body is too large"),
    415: ("unsupported_media_type", "内容格式不支持", "Unsupported media type"),
}
_FIELD_MESSAGES = {
    "missing": ("必填", "is required"),
    "extra_forbidden": ("不认识的字段", "is not a known field"),
    "json_invalid": ("不是有效的 JSON", "is not valid JSON"),
    "enum": ("不在可选范围内", "is not one of the allowed values"),
    "literal_error": ("不在可选范围内", "is not one of the allowed values"),
    "uuid_parsing": ("编号格式不对", "is not a valid id"),
    "timezone_aware": ("时间必须带时区", "must carry a time zone"),
    "string_too_long": ("太长", "is too long"),
    "string_too_short": ("太短", "is too short"),
    "greater_than_equal": ("太小", "is too small"),
    "less_than_equal": ("太大", "is too large"),
    "too_long": ("项目太多", "has too many entries"),
    "too_short": ("项目太少", "has too few entries"),
}


def prefers_english(request: Request) -> bool:
    """Chinese unless the first language of ``Accept-Language`` is English."""
    return request.headers.get("accept-language", "").strip().lower().startswith("en")


def problem(
    request: Request, status: int, code: str, titles: tuple[str, str], detail: str | None = None, **extra: Any
) -> JSONResponse:
    """One problem document. ``titles`` are (zh, en)."""
    body: dict[str, Any] = {
        "type": f"urn:guoyuan:problem:{code}",
        "title": titles[1 if prefers_english(request) else 0],
        "status": status,
        "code": code,
        "request_id": getattr(request.state, "request_id", None),
    }
    if detail is not None:
        body["detail"] = detail
    body.update(extra)
    headers = {"Retry-After": "2"} if status == 503 else {}
    if status == 429 and "retry_after" in extra:
        headers["Retry-After"] = str(extra["retry_after"])
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(body, status, headers, media_type=MEDIA_TYPE)


def field_errors(errors: Sequence[Any], english: bool) -> list[dict[str, str]]:
    """Where the input is wrong and why, without repeating the input."""
    shown = []
    for error in errors:
        kind = str(error["type"])
        zh, en = WORDS.get(kind) or _FIELD_MESSAGES.get(kind, ("格式不对", "is not valid"))
        # Where JSON itself is broken the place is a position in the text, and no field.
        parts = () if kind == "json_invalid" else error["loc"]
        place = [str(part) for part in parts if part != "body"]
        # Fields that do not fit together are named by their model; everything else is one place.
        several = error.get("ctx", {}).get("fields", ()) if kind in WORDS else ()
        shown += [
            {"field": ".".join(path), "code": kind, "message": en if english else zh}
            for path in [[*place, field] for field in several] or [place]
        ]
    return shown


async def on_domain_error(request: Request, error: Exception) -> JSONResponse:
    """A named refusal."""
    assert isinstance(error, DomainError)  # noqa: S101  registered for this type only
    titles = (error.title_zh, error.title_en)
    return problem(request, error.status, error.code, titles, error.detail, **error.extra)


async def on_validation_error(request: Request, error: Exception) -> JSONResponse:
    """Input that the schema refuses."""
    assert isinstance(error, RequestValidationError)  # noqa: S101  registered for this type only
    errors = field_errors(error.errors(), prefers_english(request))
    titles = ("填写的内容有误", "The input is not valid")
    return problem(request, 422, "invalid_input", titles, errors=errors)


async def on_http_error(request: Request, error: Exception) -> JSONResponse:
    """What the framework itself refuses."""
    assert isinstance(error, HTTPException)  # noqa: S101  registered for this type only
    code, zh, en = _HTTP_TITLES.get(error.status_code, ("error", "请求未能完成", "The request failed"))
    return problem(request, error.status_code, code, (zh, en))


async def on_part_away(request: Request, error: Exception) -> JSONResponse:
    """PostgreSQL or Redis is away; what was under way has been rolled back."""
    log.warning("part_away", error=type(error).__name__, path=request.scope.get("path"))
    titles = (ServiceUnavailable.title_zh, ServiceUnavailable.title_en)
    return problem(request, 503, ServiceUnavailable.code, titles)


async def on_database_error(request: Request, error: Exception) -> JSONResponse:
    """Lost connections are 503, text that no database keeps (NUL) is 422; any other database error is ours."""
    assert isinstance(error, DBAPIError)  # noqa: S101  registered for this type only
    if isinstance(error.orig and error.orig.__cause__, _UNSTORABLE):
        return problem(request, 422, "invalid_input", ("填写的内容有误", "The input is not valid"))
    lost = error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)
    return await (on_part_away if lost else on_bug)(request, error)


async def on_bug(request: Request, error: Exception) -> JSONResponse:
    """Anything unforeseen: the log has the place, the reader has a request id."""
    log.error(
        "unhandled",
        error=type(error).__name__,
        request_id=getattr(request.state, "request_id", None),
        traceback=_places(error),
    )
    return problem(request, 500, "internal_error", ("系统出错，请稍后再试", "Something went wrong on our side"))


def _places(error: BaseException) -> str:
    """The traceback with its causes, by type only: an error's own text may repeat somebody's data."""
    parts: list[str] = []
    seen: BaseException | None = error
    while seen is not None:
        parts.append("".join(traceback.format_tb(seen.__traceback__)) + type(seen).__name__)
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return "\nraised from\n".join(parts)


def register_problems(app: FastAPI) -> None:
    """Hang every handler on the app."""
    app.add_exception_handler(DomainError, on_domain_error)
    app.add_exception_handler(RequestValidationError, on_validation_error)
    app.add_exception_handler(HTTPException, on_http_error)
    app.add_exception_handler(DBAPIError, on_database_error)
    for away in (RedisError, PoolTimeout, OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError):
        app.add_exception_handler(away, on_part_away)
    # Anything else is caught by api/middleware.py: the framework answers it and raises it again.
