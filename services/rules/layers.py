"""Which rules count for a resident: default → profile → county → centre → resident, the nearest wins. Pure.

A rule of a nearer layer replaces the farther one of the same kind and code, or switches it off. One that asks for
an attribute the resident has not got falls back on the next farther rule, and says so: it never silently sleeps.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from services.core.areas import county_of
from services.rules.definitions import (
    EARLY_WARNING,
    NEARNESS,
    SCALE_2,
    AttributeLimit,
    Layer,
    Limit,
    RuleDefinition,
    RuleSet,
)
from services.rules.errors import InvalidRule
from services.rules.evaluation import ActiveLevel, ActiveRule
from services.rules.news2 import CHART, KINDS


class Reason(StrEnum):
    """Why a rule cannot be judged for a resident."""

    MISSING_ATTRIBUTE = "missing_attribute"
    LIMITS_CROSS = "limits_cross"
    INVALID = "invalid"
    NO_TERMINAL = "no_terminal"
    NO_READING_EVER = "no_reading_ever"


@dataclass(frozen=True, slots=True)
class NotEvaluable:
    """One rule that cannot be judged, why, and what is judged instead: the layer fallen back on, or nothing."""

    kind: str
    code: str
    layer: Layer
    reason: Reason
    detail: str = ""
    instead: Layer | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """A rule as it stands in one layer. ``definition`` is ``None`` when a profile holds what makes no sense."""

    layer: Layer
    kind: str
    code: str
    definition: RuleDefinition | None
    is_off: bool = False
    reason: str = ""
    rule_id: UUID | None = None
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Effective:
    """What counts for one kind and code. ``rule`` is ``None`` when it is off or nothing of it can be judged."""

    written: Written
    rule: ActiveRule | None
    fallbacks: tuple[str, ...] = ()
    """Attributes the resident has not got, for which the rule's own number stands in."""

    @property
    def written_key(self) -> tuple[str, str]:
        """Kind and code."""
        return self.written.kind, self.written.code


@dataclass(frozen=True)
class Resolved:
    """All rules of one resident."""

    effective: tuple[Effective, ...]
    not_evaluable: tuple[NotEvaluable, ...]

    def active(self) -> Iterator[ActiveRule]:
        """The rules that are judged."""
        return (item.rule for item in self.effective if item.rule is not None)


def resolve(written: Iterable[Written], attributes: Mapping[str, float]) -> Resolved:
    """The rules that count, from all that is written for one resident in any layer."""
    by_key: dict[tuple[str, str], list[Written]] = {}
    for item in written:
        by_key.setdefault((item.kind, item.code), []).append(item)
    effective: list[Effective] = []
    unable: list[NotEvaluable] = []
    for stack in by_key.values():
        stack.sort(key=lambda item: NEARNESS[item.layer], reverse=True)
        found, failed = _first_that_works(stack, attributes)
        effective.append(found)
        instead = found.written.layer if found.rule is not None else None
        unable += [
            NotEvaluable(item.kind, item.code, item.layer, reason, detail, instead)
            for item, reason, detail in failed
        ]
    return Resolved(tuple(effective), tuple(unable))


Failed = list[tuple[Written, Reason, str]]


def _first_that_works(stack: Sequence[Written], attributes: Mapping[str, float]) -> tuple[Effective, Failed]:
    failed: Failed = []
    for item in stack:
        if item.is_off:
            return Effective(item, None), failed
        if item.definition is None:
            failed.append((item, Reason.INVALID, item.reason))
            continue
        found, missing, crossed = _with_numbers(item, item.definition, attributes)
        if found is not None:
            return found, failed
        failed.append(
            (item, Reason.MISSING_ATTRIBUTE, missing) if missing else (item, Reason.LIMITS_CROSS, crossed)
        )
    return Effective(stack[0], None), failed


def _with_numbers(
    item: Written, definition: RuleDefinition, attributes: Mapping[str, float]
) -> tuple[Effective | None, str, str]:
    """The rule with numbers for limits; else the attribute that is missing, or the limit that crosses another."""
    levels: list[ActiveLevel] = []
    fallbacks: list[str] = []
    for level in definition.levels:
        limits: dict[str, float] = {}
        for name, limit in level.limits.items():
            number = _number(limit, attributes, fallbacks)
            if number is None:
                assert isinstance(limit, AttributeLimit)  # noqa: S101  a plain number is never missing
                return None, limit.attribute, ""
            limits[name] = number
        for name, _ in definition.condition.limit_problems(limits):
            return None, "", name
        levels.append(ActiveLevel(level.severity.rank, limits))
    levels.sort(key=lambda level: level.severity, reverse=True)
    rule = ActiveRule(definition, tuple(levels), item.layer, item.version, scale_2=attributes.get(SCALE_2) == 1)
    return Effective(item, rule, tuple(dict.fromkeys(fallbacks))), "", ""


def _number(limit: Limit, attributes: Mapping[str, float], fallbacks: list[str]) -> float | None:
    if not isinstance(limit, AttributeLimit):
        return limit
    own = attributes.get(limit.attribute)
    if own is not None:
        return own + limit.plus
    if limit.otherwise is not None:
        fallbacks.append(limit.attribute)
    return limit.otherwise


@dataclass(frozen=True)
class ActiveSet:
    """The rules of a resident, ready for ingest: what passes without a look, and what to look at otherwise."""

    gates: Mapping[str, tuple[float, float]]
    by_kind: Mapping[str, tuple[ActiveRule, ...]]
    scores: tuple[ActiveRule, ...]
    missing: tuple[ActiveRule, ...]

    @classmethod
    def of(cls, resolved: Resolved) -> "ActiveSet":
        """Sorted by what decides them."""
        by_kind: dict[str, tuple[ActiveRule, ...]] = {}
        scores: list[ActiveRule] = []
        missing: list[ActiveRule] = []
        for rule in resolved.active():
            if rule.definition.condition.by_clock:
                missing.append(rule)
            elif rule.kind == EARLY_WARNING:
                scores.append(rule)
            else:
                by_kind[rule.kind] = (*by_kind.get(rule.kind, ()), rule)
        gates = {kind: _widest(rule.gate() for rule in rules) for kind, rules in by_kind.items()}
        for rule in scores:
            for kind in KINDS:
                calm = CHART.parameter(kind, scale_2=rule.scale_2).calm()
                gates[kind] = _widest((gates[kind], calm)) if kind in gates else calm
        return cls(gates, by_kind, tuple(scores), tuple(missing))


def _widest(gates: Iterable[tuple[float, float]]) -> tuple[float, float]:
    lows, highs = zip(*gates, strict=True)
    return max(lows), min(highs)


@dataclass
class RuleBook:
    """Every rule and attribute that was read from the database, for looking up one resident after another."""

    defaults: RuleSet
    by_profile: Mapping[UUID, tuple[Written, ...]] = field(default_factory=dict)
    by_county: Mapping[str, tuple[Written, ...]] = field(default_factory=dict)
    by_centre: Mapping[UUID, tuple[Written, ...]] = field(default_factory=dict)
    by_resident: Mapping[UUID, tuple[Written, ...]] = field(default_factory=dict)
    attributes: Mapping[UUID, Mapping[str, float]] = field(default_factory=dict)
    _shared: dict[tuple[Any, ...], tuple[Resolved, ActiveSet]] = field(default_factory=dict)

    def written_for(
        self, resident_id: UUID, centre_id: UUID, area_code: str, profiles: Iterable[UUID]
    ) -> list[Written]:
        """All layers over one resident."""
        found = [
            Written(Layer.DEFAULT, rule.kind, rule.code, rule, reason=self.defaults.version)
            for rule in self.defaults.rules
        ]
        for profile in profiles:
            found += self.by_profile.get(profile, ())
        found += self.by_county.get(county_of(area_code), ()) if len(area_code) >= 6 else ()
        found += self.by_centre.get(centre_id, ())
        found += self.by_resident.get(resident_id, ())
        return found

    def look_up(
        self, resident_id: UUID, centre_id: UUID, area_code: str, profiles: Iterable[UUID] = ()
    ) -> tuple[Resolved, ActiveSet]:
        """What counts for one resident. Those without anything of their own share one answer."""
        near = tuple(sorted(profile for profile in profiles if profile in self.by_profile))
        own = self.attributes.get(resident_id, {})
        has_own = bool(own) or resident_id in self.by_resident
        key = (near, area_code[:6], centre_id, resident_id if has_own else None)
        found = self._shared.get(key)
        if found is None:
            resolved = resolve(self.written_for(resident_id, centre_id, area_code, near), own)
            found = self._shared[key] = (resolved, ActiveSet.of(resolved))
        return found


def unmeasured(resolved: Resolved, measured: frozenset[str], ever: frozenset[str]) -> list[NotEvaluable]:
    """Rules in force that have nothing to judge: no terminal that measures the kind, or never a reading of it."""
    found = []
    for item in resolved.effective:
        rule = item.rule
        if rule is None:
            continue
        wanted = KINDS if rule.kind == EARLY_WARNING else (rule.kind,)
        at_least: int = getattr(rule.definition.condition, "at_least", 1)
        if len(measured.intersection(wanted)) < at_least:
            reason = Reason.NO_TERMINAL
        elif len(ever.intersection(wanted)) < at_least:
            reason = Reason.NO_READING_EVER
        else:
            continue
        found.append(NotEvaluable(rule.kind, rule.definition.code, item.written.layer, reason))
    return found


def profile_rules(raw: object) -> tuple[Written, ...]:
    """The rules of a device profile, as its JSON list has them. What makes no sense is kept and reported."""
    found = []
    for row in raw if isinstance(raw, list) else []:
        try:
            rule = RuleDefinition.model_validate(row).check()
        except Exception as error:  # noqa: BLE001  whatever a profile holds, it must not stop ingest
            kind = str(row.get("kind", "")) if isinstance(row, dict) else ""
            code = str(row.get("code", "")) if isinstance(row, dict) else ""
            found.append(Written(Layer.PROFILE, kind, code, None, reason=type(error).__name__))
        else:
            found.append(Written(Layer.PROFILE, rule.kind, rule.code, rule))
    return tuple(found)


def check_profile_rules(raw: Sequence[Mapping[str, Any]]) -> None:
    """Refuse rules that a profile could not use: ``InvalidRule`` names the first and its field."""
    for place, row in enumerate(raw):
        try:
            RuleDefinition.model_validate(row).check()
        except ValidationError as error:
            where = ".".join(str(part) for part in error.errors()[0]["loc"])
            raise InvalidRule(field=f"default_rules.{place}.{where}") from None
        except InvalidRule as error:
            where = error.extra.get("field", "")
            raise InvalidRule(error.detail, field=f"default_rules.{place}.{where}") from None
