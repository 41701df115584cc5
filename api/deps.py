"""What a route asks for: who acts, a unit of work that commits before the answer leaves, a once-only key."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel

from api.house import House
from api.policy import POLICY, PUBLIC
from devices.callbacks import CallbackIntake
from services.core.actor import Actor
from services.core.database import Work
from services.core.errors import Forbidden
from services.core.idempotency import claim, keep, request_hash
from services.identity.errors import NotSignedIn
from services.identity.service import authenticate

# Every dependency is `async`, even one that awaits nothing: FastAPI runs the others in threads, at many times the
# cost of a request's own work.
_bearer = HTTPBearer(auto_error=False, description="The access token of a sign-in.")


async def get_house(request: Request) -> House:
    """The process's connections."""
    house: House = request.app.state.house
    return house


HouseDep = Annotated[House, Depends(get_house)]


async def get_intake(request: Request) -> CallbackIntake:
    """The way of vendors' callbacks into the pipeline."""
    intake: CallbackIntake = request.app.state.intake
    return intake


IntakeDep = Annotated[CallbackIntake, Depends(get_intake)]


async def authorise(
    request: Request,
    house: HouseDep,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> None:
    """Refuse what `api/policy/` does not allow. Hangs on the whole API, so that no route can forget it."""
    route: APIRoute = request.scope["route"]
    operation = route.operation_id or ""
    if operation in PUBLIC:
        return
    if credentials is None:
        raise NotSignedIn
    actor = await authenticate(house.database, house.settings, credentials.credentials, house.clock)
    if actor.role not in POLICY.get(operation, frozenset()):
        raise Forbidden
    request.state.actor = actor


async def get_actor(request: Request) -> Actor:
    """The signed-in actor; ``authorise`` has put it there."""
    actor: Actor | None = getattr(request.state, "actor", None)
    if actor is None:
        raise NotSignedIn
    return actor


ActorDep = Annotated[Actor, Depends(get_actor)]


async def open_work(house: HouseDep, actor: ActorDep) -> AsyncIterator[Work]:
    """One request, one transaction, in the actor's scope."""
    async with house.database.unit_of_work(actor) as work:
        yield work


# scope="function": the commit happens before the answer leaves, so that a screen never shows
# "acknowledged" for what is not stored.
WorkDep = Annotated[Work, Depends(open_work, scope="function")]


@dataclass(frozen=True)
class Once:
    """Runs a creating verb at most once for an ``Idempotency-Key``; without the header it simply runs."""

    key: str | None
    fingerprint: str
    response: Response

    async def __call__(self, work: Work, create: Callable[[], Awaitable[BaseModel]]) -> Any:
        """The verb's answer, or the kept one; both go through the route's response model."""
        if self.key is None:
            return await create()
        kept = await claim(work, self.key, self.fingerprint)
        if kept is not None:
            self.response.headers["Idempotency-Replayed"] = "true"
            return kept
        answer = await create()
        await keep(work, self.key, answer.model_dump(mode="json"))
        return answer


async def get_once(
    request: Request,
    response: Response,
    idempotency_key: Annotated[
        str | None,
        Header(
            min_length=8,
            max_length=200,
            description="Repeat a creating request safely: the same key and body get the first answer again.",
        ),
    ] = None,
) -> Once:
    """Recognise the request by method, path and body."""
    operation = f"{request.method} {request.url.path}"
    return Once(idempotency_key, request_hash(operation, await request.body()), response)


OnceDep = Annotated[Once, Depends(get_once)]


async def get_if_match(
    if_match: Annotated[
        str | None,
        Header(description='The version that the change is meant for, as `"3"`; 412 when it has moved on.'),
    ] = None,
) -> int | None:
    """The version in ``If-Match``; anything that is no version of ours matches nothing."""
    if if_match is None or if_match == "*":
        return None
    bare = if_match.removeprefix("W/").strip('"')
    return int(bare) if bare.isdecimal() and len(bare) < 10 else -1


IfMatch = Annotated[int | None, Depends(get_if_match)]
