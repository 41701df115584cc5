"""The words and the shared answers of the OpenAPI document."""

from typing import Any

from pydantic import BaseModel, ConfigDict

DESCRIPTION = """
The platform a county runs its home care on: older residents order care, a township's centre sends a
caregiver, terminals raise alerts. Moments are RFC 3339 with an offset; money is integer fen; refusals are
RFC 9457 problem documents with a stable `code`; creating requests take an `Idempotency-Key`; changes take
`If-Match`; lists are cursor pages.
"""

TAGS = [
    {"name": "auth", "description": "Signing in and out."},
    {"name": "me", "description": "The signed-in person."},
    {"name": "catalogue", "description": "What can be ordered, in versions, and what each centre offers."},
    {"name": "consents", "description": "What residents have agreed to."},
    {"name": "assessments", "description": "Ability, self-care, and an institution's own before home nursing."},
    {"name": "centres", "description": "Second-tier centres, their board and live stream."},
    {"name": "orders", "description": "Orders from placing to rating."},
    {"name": "money", "description": "Tariffs, payers, vouchers, bills, adjustments, the ledger."},
    {"name": "dispatch", "description": "Suggestions, offers, assignment."},
    {"name": "visits", "description": "Visits and their verification."},
    {"name": "payments", "description": "The household's part of bills, refunds, providers' messages."},
    {"name": "claims", "description": "Settlement batches by payer and month."},
    {"name": "workload", "description": "What caregivers did, and their allowances."},
    {"name": "quality", "description": "Ratings and calls back."},
    {"name": "complaints", "description": "Complaints as cases, to the appeal."},
    {"name": "credit", "description": "Published rules and monthly scores."},
    {"name": "caregivers", "description": "Caregivers' files, credentials, and who is kept apart from whom."},
    {"name": "rota", "description": "Shifts, being on call, leave, sickness and swaps of caregivers."},
    {"name": "my work", "description": "A caregiver's own file, week, leave and swaps."},
    {"name": "institutions", "description": "Provider institutions, and work that cannot stand."},
    {"name": "alerts", "description": "Emergency and vital-sign alerts."},
    {"name": "duty", "description": "Rotas, replacements and swaps."},
    {"name": "notifications", "description": "Who was told, and whether it arrived."},
    {"name": "terminals", "description": "Terminals and messages that could not be read."},
    {"name": "vitals", "description": "Readings, charts and months of home monitoring."},
    {"name": "referrals", "description": "Hand-overs to an ambulance, a hospital or a clinic."},
    {"name": "reports", "description": "Figures, and what is deleted by policy."},
    {"name": "residents", "description": "Residents and who read their data."},
    {"name": "rules", "description": "Rules about readings, residents' own figures, maintenance."},
    {"name": "audit", "description": "Who read what."},
    {"name": "callbacks", "description": "Messages that vendors' clouds send for their devices."},
    {"name": "schemas", "description": "JSON Schemas of the MQTT messages."},
    {"name": "health", "description": "For operators."},
]


class Problem(BaseModel):
    """RFC 9457, with a stable ``code``; ``errors`` lists fields where the input is wrong."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "example": {
                "type": "urn:guoyuan:problem:offer_expired",
                "title": "邀请已过期",
                "status": 409,
                "code": "offer_expired",
                "request_id": "0198c6f0-5b5e-7c3e-9d0f-3c0a8f3d2b11",
            }
        },
    )

    type: str
    title: str
    status: int
    code: str
    request_id: str | None = None
    detail: str | None = None
    errors: list[dict[str, str]] | None = None


def _refusal(description: str) -> dict[str, Any]:
    return {
        "model": Problem,
        "description": description,
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


PROBLEM_RESPONSES: dict[int | str, dict[str, Any]] = {
    401: _refusal("Not signed in, or the token has expired."),
    403: _refusal("The role may not do this."),
    404: _refusal("Not there, or not within the actor's scope."),
    409: _refusal("The present status does not allow this."),
    412: _refusal("`If-Match` names another version."),
    422: _refusal("The input is not valid."),
    429: _refusal("Too many attempts; `retry_after` is in seconds."),
    503: _refusal("A part of the system is away; nothing was changed."),
}
