"""A rule that raises nothing, and a maintenance, for the tests' world."""

from datetime import timedelta
from uuid import UUID

from services.core.database import Work
from services.core.ids import new_id
from services.rules.definitions import Layer
from services.rules.models import Maintenance, VitalRule, VitalRuleVersion
from services.terminals.models import Terminal
from tests.people import Place

IDLE_RULE = {
    "code": "idle",
    "kind": "heart_rate",
    "alert": "heart_rate",
    "condition": {"type": "threshold"},
    "levels": [{"severity": "notice", "limits": {"high": 290}}],
    "source": "test",
}


def add_rule(work: Work, place: Place) -> UUID:
    """A rule of the place's centre, switched off, with one version."""
    rule_id, code = new_id(), f"idle_{new_id().hex}"
    centre = place.centre
    where = {"area_code": centre.area_code, "centre_id": centre.id}
    work.session.add(
        VitalRule(id=rule_id, layer=Layer.CENTRE, scope=str(centre.id), kind="heart_rate", code=code, **where)
    )
    work.session.add(
        VitalRuleVersion(
            rule_id=rule_id,
            number=1,
            area_code=centre.area_code,
            definition={**IDLE_RULE, "code": code},
            is_off=True,
            reason="test",
            role="centre_manager",
            at=work.now,
        )
    )
    return rule_id


def add_maintenance(work: Work, terminal: Terminal) -> UUID:
    """A running maintenance of a terminal."""
    row = Maintenance(
        area_code=terminal.area_code,
        centre_id=terminal.centre_id,
        terminal_id=terminal.id,
        reason="test",
        started_at=work.now,
        until_at=work.now + timedelta(hours=1),
    )
    work.session.add(row)
    return row.id
