"""What a clustered broker asks before it lets a terminal in, publish or subscribe (EMQX's format)."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Header
from pydantic import BaseModel

from api.deps import HouseDep
from services.terminals import broker_access
from services.terminals.broker_access import Login, Wish

router = APIRouter(prefix="/broker", tags=["terminals"])


class Verdict(BaseModel):
    """The broker's answer. Nobody is a superuser: every topic is asked for."""

    result: Literal["allow", "deny"]
    is_superuser: Literal[False] = False


async def check_hook(
    house: HouseDep,
    x_broker_secret: Annotated[str | None, Header(description="`GUOYUAN_BROKER_HOOK_SECRET`.")] = None,
) -> None:
    """Nobody but the broker may ask: the answers would tell whose passwords are right."""
    broker_access.check_hook(house.settings, x_broker_secret)


@router.post(
    "/authenticate",
    operation_id="broker_authenticate",
    summary="Whether a client may connect",
    dependencies=[Depends(check_hook)],
)
async def broker_authenticate(house: HouseDep, body: Login) -> Verdict:
    """Always 200 with a verdict; a broker that cannot reach us must deny."""
    return _verdict(await broker_access.may_log_in(house.database, house.settings, body))


@router.post(
    "/authorise",
    operation_id="broker_authorise",
    summary="Whether a client may publish or subscribe",
    dependencies=[Depends(check_hook)],
)
async def broker_authorise(house: HouseDep, body: Wish) -> Verdict:
    """The rules of every other broker; a terminal that has been withdrawn since it connected is denied too."""
    return _verdict(await broker_access.may_do(house.database, body))


def _verdict(allowed: bool) -> Verdict:
    return Verdict(result="allow" if allowed else "deny")
