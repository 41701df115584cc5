"""Signing in and out."""

from typing import Annotated

import structlog
from fastapi import APIRouter, BackgroundTasks, Depends, Request, Response, status

from api.deps import ActorDep, HouseDep
from api.house import House
from services.identity import codes, service
from services.identity.errors import NotSignedIn
from services.identity.models import CodeRequest, CodeRequested, CodeSignIn, RefreshTokens, SignedIn, SignIn
from services.identity.sender import sender_from
from services.identity.service import OutgoingCode

router = APIRouter(tags=["auth"])
log = structlog.get_logger("identity")


async def get_address(request: Request) -> str | None:
    """Where the request comes from; behind a proxy, uvicorn's ``--proxy-headers`` puts the client's here."""
    return request.client.host if request.client else None


AddressDep = Annotated[str | None, Depends(get_address)]


async def send_code(house: House, outgoing: OutgoingCode) -> None:
    """Bring a code on its way after the answer has left; a failure is logged, and the person asks again."""
    try:
        await sender_from(house.settings).send(outgoing.phone, outgoing.code)
    except Exception as error:  # noqa: BLE001  any gateway may fail in its own way; the log keeps the place
        log.error("code_not_sent", error=type(error).__name__)


@router.post("/auth/sign-in", operation_id="sign_in", summary="Sign in with login and password (staff)")
async def sign_in(house: HouseDep, body: SignIn, address: AddressDep) -> SignedIn:
    """Five failures lock a login for 15 minutes (429 `too_many_attempts`, `retry_after` in seconds)."""
    return await service.sign_in_with_password(house, body.login, body.password.get_secret_value(), address)


@router.post(
    "/auth/codes",
    operation_id="request_code",
    summary="Ask for a one-time code (residents and family)",
    status_code=status.HTTP_202_ACCEPTED,
)
async def request_code(
    house: HouseDep, body: CodeRequest, address: AddressDep, background: BackgroundTasks
) -> CodeRequested:
    """The answer is the same whether or not somebody has this number. Once in 60 s, ten times a day."""
    outgoing = await service.request_code(house, body.phone, address)
    if outgoing is not None:
        background.add_task(send_code, house, outgoing)
    return CodeRequested(expires_in=codes.SECONDS, retry_after=codes.PAUSE_SECONDS)


@router.post(
    "/auth/codes/sign-in",
    operation_id="sign_in_with_code",
    summary="Sign in with a one-time code (residents and family)",
)
async def sign_in_with_code(house: HouseDep, body: CodeSignIn) -> SignedIn:
    """A code is good for three minutes, five tries and one sign-in."""
    return await service.sign_in_with_code(house, body.phone, body.code)


@router.post("/auth/refresh", operation_id="refresh_tokens", summary="Get new tokens for a refresh token")
async def refresh_tokens(house: HouseDep, body: RefreshTokens) -> SignedIn:
    """Each refresh token is good once. Presenting a used one ends the session: somebody has a copy."""
    return await service.refresh(house, body.refresh_token)


@router.post(
    "/auth/sign-out",
    operation_id="sign_out",
    summary="End this session on the server, at once",
    status_code=status.HTTP_204_NO_CONTENT,
    response_class=Response,
)
async def sign_out(house: HouseDep, actor: ActorDep) -> None:
    """Access and refresh token are refused from the next request on."""
    if actor.session_id is None:
        raise NotSignedIn
    await service.sign_out(house, actor.session_id)
