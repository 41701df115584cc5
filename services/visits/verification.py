"""Does the evidence of a visit agree with itself? Pure rules that flag for review and never block care."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files

from services.core.geo import Point, distance_m


class Flag(StrEnum):
    """Why a person should look at a visit."""

    WRONG_START_CODE = "wrong_start_code"
    MISSING_START_CODE = "missing_start_code"
    WRONG_CARD = "wrong_card"
    REPLACED_CARD = "replaced_card"
    FAR_FROM_HOME = "far_from_home"
    MISSING_POSITION = "missing_position"
    MOCK_LOCATION = "mock_location"
    CLOCK_SKEW = "clock_skew"
    LATE_UPLOAD = "late_upload"
    BEFORE_ORDER = "before_order"
    TOO_SHORT = "too_short"
    TASKS_MISSING = "tasks_missing"
    NO_CHECK_IN = "no_check_in"
    VITAL_CHECK_MISSING = "vital_check_missing"
    GAP_IN_ACTS = "gap_in_acts"  # ended before all that was done without network had come in
    CARE_AFTER_CANCEL = "care_after_cancel"
    CARE_AFTER_HANDOVER = "care_after_handover"  # the visit had been given to somebody else meanwhile


class CardCheck(StrEnum):
    """What the card at the door proves."""

    GOOD = "good"
    REPLACED = "replaced"  # an earlier edition, reported lost
    WRONG = "wrong"  # another resident's, or none of ours


@dataclass(frozen=True, slots=True)
class VerificationRules:
    """Project defaults of ``data/verification.json``."""

    near_m: float
    accuracy_limit_m: float
    clock_tolerance: timedelta
    late_upload: timedelta
    shortest_share: float


@dataclass(frozen=True, slots=True)
class Stamp:
    """When something happened by the phone (``device_at``), and when we heard of it (``received_at``).

    ``sent_at`` is the phone's clock at the moment of sending: with it, a check-in that waited for the
    network is told apart from a clock that is wrong.
    """

    device_at: datetime
    received_at: datetime
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where the phone says it is. ``point`` is None without a fix."""

    point: Point | None
    accuracy_m: float | None
    is_mock: bool


@lru_cache(maxsize=1)
def verification_rules() -> VerificationRules:
    """The rules in force."""
    raw = json.loads(files("services.visits").joinpath("data/verification.json").read_text("utf-8"))
    return VerificationRules(
        near_m=raw["near_m"],
        accuracy_limit_m=raw["accuracy_limit_m"],
        clock_tolerance=timedelta(minutes=raw["clock_tolerance_minutes"]),
        late_upload=timedelta(hours=raw["late_upload_hours"]),
        shortest_share=raw["shortest_share"],
    )


def care_time(stamp: Stamp, rules: VerificationRules) -> datetime:
    """When care began or ended: the device's time, never the server's for what waited offline.

    A clock known to be off (``sent_at`` against ours) is corrected by what it is off; a time in our future
    becomes the time of receipt.
    """
    moment = stamp.device_at
    if stamp.sent_at is not None and abs(offset := stamp.received_at - stamp.sent_at) > rules.clock_tolerance:
        moment += offset
    return min(moment, stamp.received_at)


def time_flags(stamp: Stamp, ordered_at: datetime, rules: VerificationRules) -> list[Flag]:
    """``clock_skew`` when the phone's clock and ours disagree, ``late_upload`` when we heard very late,
    ``before_order`` when care is said to lie before the order was even placed.
    """
    flags = []
    phone_now = stamp.sent_at if stamp.sent_at is not None else stamp.device_at
    if abs(stamp.received_at - phone_now) > rules.clock_tolerance:
        flags.append(Flag.CLOCK_SKEW)
    if stamp.received_at - care_time(stamp, rules) > rules.late_upload:
        flags.append(Flag.LATE_UPLOAD)
    if care_time(stamp, rules) < ordered_at - rules.clock_tolerance:
        flags.append(Flag.BEFORE_ORDER)
    return flags


def place_flags(place: Place, home: Point, rules: VerificationRules) -> list[Flag]:
    """Far means beyond ``near_m`` or the fix's own accuracy, whichever is more, up to a limit."""
    flags = []
    if place.is_mock:
        flags.append(Flag.MOCK_LOCATION)
    if place.point is None:
        flags.append(Flag.MISSING_POSITION)
    elif distance_m(place.point, home) > max(rules.near_m, min(place.accuracy_m or 0.0, rules.accuracy_limit_m)):
        flags.append(Flag.FAR_FROM_HOME)
    return flags


def code_flags(told: str | None, expected: str, card: CardCheck | None = None) -> list[Flag]:
    """The start code that the resident tells at the door, or the card there; one of them is enough."""
    flags = []
    if card is not None and card is not CardCheck.GOOD:
        flags.append(Flag.REPLACED_CARD if card is CardCheck.REPLACED else Flag.WRONG_CARD)
    if told:
        return flags if told == expected else [*flags, Flag.WRONG_START_CODE]
    return flags if card is not None else [Flag.MISSING_START_CODE]


def ending_flags(
    started_at: datetime | None,
    ended_at: datetime,
    planned: timedelta,
    checklist: Collection[str],
    done: Collection[str],
    rules: VerificationRules,
) -> list[Flag]:
    """What a check-out adds: no beginning, too short a stay, tasks left out."""
    flags = []
    if started_at is None:
        flags.append(Flag.NO_CHECK_IN)
    elif ended_at - started_at < planned * rules.shortest_share:
        flags.append(Flag.TOO_SHORT)
    if not set(checklist) <= set(done):
        flags.append(Flag.TASKS_MISSING)
    return flags
