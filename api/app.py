"""The HTTP edge, put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import Depends, FastAPI
from fastapi.routing import APIRouter

from api.answers import VersionedJSONResponse
from api.deps import authorise
from api.house import open_house
from api.live import LiveHub
from api.middleware import RequestFrame
from api.openapi import DESCRIPTION, PROBLEM_RESPONSES, TAGS
from api.problems import register_problems
from api.routes import (
    absences,
    alerts,
    assessments,
    audit,
    auth,
    billing,
    blocked_pairs,
    board,
    broker,
    callbacks,
    care_plans,
    caregivers,
    catalogue,
    centres,
    claims,
    commands,
    complaints,
    consents,
    credit,
    day_plans,
    dispatch,
    dispatch_rounds,
    duty,
    escalation_policies,
    health,
    institutions,
    ledger,
    live,
    me,
    my_work,
    notifications,
    offers,
    order_aid,
    orders,
    packages,
    panic,
    payers,
    payments,
    provisioning,
    quality,
    quotes,
    referrals,
    reports,
    residents,
    rota,
    rules,
    schemas,
    supervision,
    tariffs,
    terminal_life,
    terminal_profiles,
    terminals,
    visit_desk,
    visit_evidence,
    visits,
    vitals,
    workload,
)
from devices.callbacks import CallbackIntake
from services.core.clock import Clock
from services.core.logs import configure_logging
from services.core.settings import Settings, get_settings

ROUTERS: tuple[APIRouter, ...] = (
    auth.router,
    me.router,
    notifications.router,
    duty.router,
    escalation_policies.router,
    catalogue.router,
    assessments.router,
    consents.router,
    centres.router,
    board.router,
    live.router,
    quotes.router,
    orders.router,
    packages.router,
    care_plans.router,
    billing.router,
    tariffs.router,
    payers.router,
    ledger.router,
    dispatch.router,
    day_plans.router,
    offers.router,
    visits.router,
    visit_evidence.router,
    visit_desk.router,
    panic.router,
    payments.router,
    claims.router,
    workload.router,
    quality.router,
    complaints.router,
    credit.router,
    alerts.router,
    provisioning.router,
    terminals.router,
    terminal_life.router,
    terminal_profiles.router,
    commands.router,
    supervision.router,
    broker.router,
    vitals.router,
    referrals.router,
    reports.router,
    residents.router,
    caregivers.router,
    blocked_pairs.router,
    rota.router,
    absences.router,
    my_work.router,
    institutions.router,
    rules.router,
    dispatch_rounds.router,
    order_aid.router,
    audit.router,
    callbacks.router,
    schemas.router,
)


def create_app(settings: Settings | None = None, clock: Clock | None = None) -> FastAPI:
    """The application; uvicorn calls it as a factory, tests pass their own settings and clock."""
    settings = settings or get_settings()
    configure_logging(settings, "api")

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        house = open_house(settings, clock)
        hub = LiveHub(house.database, house.redis)
        app.state.house, app.state.live = house, hub
        app.state.intake = CallbackIntake(house.database, settings)
        try:
            yield
        finally:
            await hub.close()
            await house.close()

    app = FastAPI(
        title="Guoyuan 果园",
        version=version("guoyuan"),
        description=DESCRIPTION,
        openapi_tags=TAGS,
        lifespan=lifespan,
        dependencies=[Depends(authorise)],
        default_response_class=VersionedJSONResponse,
        responses=PROBLEM_RESPONSES,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.add_middleware(RequestFrame)
    register_problems(app)
    app.include_router(health.router)
    for router in ROUTERS:
        app.include_router(router, prefix="/api/v1")
    return app
