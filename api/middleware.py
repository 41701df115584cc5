"""A request id, security headers, one log line and one measurement for every request."""

import re
import time

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import on_bug
from services.core.ids import new_id

log = structlog.get_logger("api")
MAX_BODY_BYTES = 1_048_576
MAX_PICTURE_BYTES = 2_097_152
_PICTURES = re.compile(r"/api/v1/visits/[0-9a-f-]{36}/proofs/[0-9a-f-]{36}")
_GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")

registry = CollectorRegistry()
REQUESTS = Counter(
    "guoyuan_http_requests_total", "Requests by route and status.", ["route", "status"], registry=registry
)
SECONDS = Histogram(
    "guoyuan_http_request_seconds", "Time to the first byte, by route.", ["route"], registry=registry
)

_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "x-frame-options": "DENY",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}


class RequestFrame:
    """Pure ASGI: wraps the send so that streams are neither buffered nor measured to their end.

    Nothing unforeseen leaves it as an exception: the server would drop the connection behind an answer that says
    it stays, and the next request on it would fail for nothing. Where the answer had begun, the server closes the
    connection because it was never completed, which tells the reader that it is torn.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        started = time.perf_counter()
        has_begun = False

        async def send_framed(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                headers = MutableHeaders(scope=message)
                headers["x-request-id"] = request_id
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                self._note(scope, message["status"], time.perf_counter() - started, request_id)
            await send(message)

        try:
            await self.app(scope, limited(scope, receive), send_framed)
        except Exception as error:  # noqa: BLE001  the outermost place: logged there, with the traceback
            answer = await on_bug(Request(scope), error)
            if not has_begun:
                await answer(scope, receive, send_framed)

    def _note(self, scope: Scope, status: int, seconds: float, request_id: str) -> None:
        route = scope.get("route")
        name = getattr(route, "operation_id", None) or getattr(route, "path", None) or "unmatched"
        REQUESTS.labels(name, str(status)).inc()
        SECONDS.labels(name).observe(seconds)
        # The operation, not the address: an address may carry somebody's id or a searched name.
        log.info(
            "request",
            operation=name,
            method=scope["method"],
            status=status,
            ms=round(seconds * 1000, 1),
            request_id=request_id,
        )


def limited(scope: Scope, receive: Receive) -> Receive:
    """Reads no more than ``MAX_BODY_BYTES`` (a picture may be larger), whether the sender tells the length or not.

    Here and not by the framework's own setting, whose refusal is plain text and not a problem document.
    """
    told = dict(scope["headers"]).get(b"content-length", b"0")
    most = MAX_PICTURE_BYTES if _PICTURES.fullmatch(scope["path"]) else MAX_BODY_BYTES
    taken = most + 1 if told.isdigit() and int(told) > most else 0

    async def receive_limited() -> Message:
        nonlocal taken
        if taken > most:
            raise HTTPException(413)
        message = await receive()
        taken += len(message.get("body", b""))
        return message

    return receive_limited


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _GIVEN_ID.fullmatch(value.decode("latin-1")):
            return str(value.decode("latin-1"))
    return str(new_id())
