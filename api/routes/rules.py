"""Rules about readings: what counts for whom, writing and trying them, residents' own figures, maintenance."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query

from api.deps import IfMatch, OnceDep, WorkDep
from api.pagination import Page, PageDep, next_cursor
from services.rules import editing, listing, maintenance
from services.rules.preview import preview
from services.rules.views import (
    AttributePublic,
    AttributeSet,
    DefaultRules,
    MaintenanceEnd,
    MaintenancePublic,
    MaintenanceStart,
    PreviewPublic,
    ResidentNotEvaluable,
    ResidentRules,
    RulePreview,
    RulePublic,
    RuleSave,
    RuleVersionPublic,
)

router = APIRouter(tags=["rules"])


@router.get("/rules/defaults", operation_id="get_default_rules", summary="The rules under all layers")
async def get_default_rules() -> DefaultRules:
    """With source and version, what a home reading is a reason for, and the attributes limits may name."""
    return listing.default_rules()


@router.get("/rules/{rule_id}/versions", operation_id="list_rule_versions", summary="Every version of a rule")
async def list_rule_versions(rule_id: UUID, work: WorkDep, page: PageDep) -> Page[RuleVersionPublic]:
    """Newest first: who, when, why."""
    rows = await editing.rule_versions(work, rule_id, page.limit, page.cursor)
    return Page(items=rows, next_cursor=next_cursor([row.id for row in rows], page))


@router.get("/county/rules", operation_id="list_county_rules", summary="Rules of the county")
async def list_county_rules(work: WorkDep) -> list[RulePublic]:
    """What the county has written over the default set."""
    return await editing.list_county_rules(work)


@router.post(
    "/county/rules",
    status_code=201,
    operation_id="save_county_rule",
    response_model=RulePublic,
    summary="Save a rule of the county",
)
async def save_county_rule(body: RuleSave, work: WorkDep, once: OnceDep, if_match: IfMatch) -> Any:
    """A new version, by kind and code. `invalid_rule` names the field that could not work."""
    return await once(work, lambda: editing.save_county_rule(work, body, if_match))


@router.get("/centres/{centre_id}/rules", operation_id="list_centre_rules", summary="Rules of a centre")
async def list_centre_rules(centre_id: UUID, work: WorkDep) -> list[RulePublic]:
    """What the centre has written over the county's and the default set."""
    return await editing.list_centre_rules(work, centre_id)


@router.post(
    "/centres/{centre_id}/rules",
    status_code=201,
    operation_id="save_centre_rule",
    response_model=RulePublic,
    summary="Save a rule of a centre",
)
async def save_centre_rule(
    centre_id: UUID, body: RuleSave, work: WorkDep, once: OnceDep, if_match: IfMatch
) -> Any:
    """A new version, by kind and code; `is_off` switches a farther layer's rule off for this centre."""
    return await once(work, lambda: editing.save_centre_rule(work, centre_id, body, if_match))


@router.get(
    "/centres/{centre_id}/rules/not-evaluable",
    operation_id="list_not_evaluable",
    summary="Rules that cannot be judged, by resident",
)
async def list_not_evaluable(
    centre_id: UUID,
    work: WorkDep,
    page: PageDep,
    include_defaults: Annotated[
        bool, Query(description="Also default rules of kinds that no terminal of hers measures.")
    ] = False,
) -> Page[ResidentNotEvaluable]:
    """Of residents who wear a terminal or have rules of their own. A page may hold fewer than it looked at."""
    items, looked_at = await listing.centre_not_evaluable(
        work, centre_id, page.limit, page.cursor, include_defaults=include_defaults
    )
    return Page(items=items, next_cursor=next_cursor(looked_at, page))


@router.get(
    "/residents/{resident_id}/rules", operation_id="get_resident_rules", summary="The rules of one resident"
)
async def get_resident_rules(resident_id: UUID, work: WorkDep) -> ResidentRules:
    """What is in force, the layer each comes from, and what cannot be judged and why. The read is audited."""
    return await listing.resident_rules(work, resident_id)


@router.post(
    "/residents/{resident_id}/rules",
    status_code=201,
    operation_id="save_resident_rule",
    response_model=RulePublic,
    summary="Save a resident's own rule",
)
async def save_resident_rule(
    resident_id: UUID, body: RuleSave, work: WorkDep, once: OnceDep, if_match: IfMatch
) -> Any:
    """A new version, by kind and code. Try it first: `…/rules/preview`."""
    return await once(work, lambda: editing.save_resident_rule(work, resident_id, body, if_match))


@router.post(
    "/residents/{resident_id}/rules/preview",
    operation_id="preview_rule",
    summary="What a rule would have raised in the last 30 days",
)
async def preview_rule(resident_id: UUID, body: RulePreview, work: WorkDep) -> PreviewPublic:
    """On the resident's real readings, beside what the present rule would have. Saves nothing; audited."""
    return await preview(work, resident_id, body.definition)


@router.get(
    "/residents/{resident_id}/attributes",
    operation_id="list_resident_attributes",
    summary="A resident's own figures",
)
async def list_resident_attributes(resident_id: UUID, work: WorkDep) -> list[AttributePublic]:
    """Every setting, newest first; the newest of a name counts. The read is audited."""
    return list(await editing.list_attributes(work, resident_id))


@router.post(
    "/residents/{resident_id}/attributes",
    status_code=201,
    operation_id="set_resident_attribute",
    response_model=AttributePublic,
    summary="Set a resident's own figure",
)
async def set_resident_attribute(resident_id: UUID, body: AttributeSet, work: WorkDep, once: OnceDep) -> Any:
    """Rules that refer to it use it within seconds; null withdraws it."""
    return await once(work, lambda: editing.set_attribute(work, resident_id, body))


@router.get("/centres/{centre_id}/maintenance", operation_id="list_maintenance", summary="Maintenance of a centre")
async def list_maintenance(centre_id: UUID, work: WorkDep, page: PageDep) -> Page[MaintenancePublic]:
    """Newest first, over or running, each with the number of alarms it silenced."""
    rows = await maintenance.list_maintenance(work, centre_id, page.limit, page.cursor)
    return Page(items=rows, next_cursor=next_cursor([row.id for row in rows], page))


@router.post(
    "/maintenance",
    status_code=201,
    operation_id="start_maintenance",
    response_model=MaintenancePublic,
    summary="Silence rules for some hours",
)
async def start_maintenance(body: MaintenanceStart, work: WorkDep, once: OnceDep) -> Any:
    """For one terminal or one resident; it ends by itself. SOS, fall, smoke and the like stay as they are."""
    return await once(work, lambda: maintenance.start_maintenance(work, body))


@router.post("/maintenance/{maintenance_id}/end", operation_id="end_maintenance", summary="End maintenance early")
async def end_maintenance(maintenance_id: UUID, body: MaintenanceEnd, work: WorkDep) -> MaintenancePublic:
    """Rules count again at once."""
    return await maintenance.end_maintenance(work, maintenance_id, body)
