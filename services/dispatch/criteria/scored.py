"""What makes a caregiver better or worse: code, value between 0 and 1, words. The weight is data. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from services.caregivers.models import TravelMode
from services.dispatch.criteria.blocking import booked_on
from services.dispatch.facts import Candidate, Day, Need, Weights
from services.dispatch.reasons import Level, Reason

_MODES = {
    TravelMode.WALK: ("步行", "on foot"),
    TravelMode.BICYCLE: ("骑自行车", "by bicycle"),
    TravelMode.SCOOTER: ("骑电动车", "by scooter"),
    TravelMode.CAR: ("开车", "by car"),
}


class Fit(NamedTuple):
    """One caregiver who can come, at the start that is proposed. ``way`` and ``metres`` lead to the resident."""

    need: Need
    who: Candidate
    scale: Weights
    starts_at: datetime
    day: Day
    way: timedelta
    metres: float
    from_home: bool


Words = tuple[bool, str, str]
"""Whether it speaks for her, and the sentence in both languages."""


@dataclass(frozen=True, slots=True)
class Scored:
    """One criterion. ``counts`` asks the order alone, so that everybody is measured by the same parts."""

    code: str
    value: Callable[[Fit], float]
    words: Callable[[Fit], Words]
    counts: Callable[[Need], bool] = lambda _need: True


def _way_words(fit: Fit) -> Words:
    by_zh, by_en = _MODES[fit.who.mode]
    km, minutes = f"{fit.metres / 1000:.1f}", round(fit.way.total_seconds() / 60)
    where_zh, where_en = ("距住处", "from home") if fit.from_home else ("距上一家", "from the visit before")
    return (
        True,
        f"{where_zh} {km} 公里，{by_zh}约 {minutes} 分钟",
        f"{km} km {where_en}, about {minutes} min {by_en}",
    )


def _continuity_words(fit: Fit) -> Words:
    visits = fit.who.earlier_visits
    if visits == 0:
        return False, "尚未为该长者服务过", "Has not visited this resident yet"
    return True, f"此前为该长者服务过 {visits} 次", f"{visits} earlier visits to this resident"


def _load(fit: Fit) -> float:
    return booked_on(fit.who, fit.day) * 60 / fit.scale.full_day.total_seconds()


def _load_words(fit: Fit) -> Words:
    booked = booked_on(fit.who, fit.day)
    return _load(fit) < 1, f"当天已安排 {booked} 分钟服务", f"{booked} minutes already booked that day"


def _either(is_so: Callable[[Fit], bool], good: tuple[str, str], bad: tuple[str, str]) -> Callable[[Fit], Words]:
    return lambda fit: (True, *good) if is_so(fit) else (False, *bad)


def _same_gender(fit: Fit) -> bool:
    return fit.who.gender is fit.need.gender


def _speaks(fit: Fit) -> bool:
    return fit.need.dialect in fit.who.dialects


def _is_wished(fit: Fit) -> bool:
    return fit.who.id == fit.need.known


def _on_shift(fit: Fit) -> bool:
    return any(shift.starts_at <= fit.starts_at < shift.ends_at for shift in fit.who.shifts)


SCORED: tuple[Scored, ...] = (
    Scored("travel", lambda fit: 1 - min(1.0, fit.way / fit.scale.far), _way_words),
    Scored(
        "continuity",
        lambda fit: min(1.0, fit.who.earlier_visits / fit.scale.familiar_visits),
        _continuity_words,
    ),
    Scored("load", lambda fit: 1 - min(1.0, _load(fit)), _load_words),
    Scored(
        "gender",
        lambda fit: float(_same_gender(fit)),
        _either(
            _same_gender,
            ("符合性别偏好", "Of the preferred gender"),
            ("不符合性别偏好", "Not of the preferred gender"),
        ),
        counts=lambda need: need.gender is not None,
    ),
    Scored(
        "dialect",
        lambda fit: float(_speaks(fit)),
        _either(
            _speaks,
            ("会说长者的方言", "Speaks the resident's dialect"),
            ("不会说长者的方言", "Does not speak the resident's dialect"),
        ),
        counts=lambda need: bool(need.dialect),
    ),
    Scored(
        "wished",
        lambda fit: float(_is_wished(fit)),
        _either(
            _is_wished,
            ("是长者指定的护理员", "Is the caregiver whom the resident wishes"),
            ("不是长者指定的护理员", "Is not the caregiver whom the resident wishes"),
        ),
        counts=lambda need: need.known is not None,
    ),
    Scored(
        "on_shift",
        lambda fit: float(_on_shift(fit)),
        _either(
            _on_shift,
            ("当班人员", "Is on shift"),
            ("待命人员，需临时出勤", "Is on call and would have to be called in"),
        ),
        counts=lambda need: need.is_urgent,
    ),
)
"""Every part of a score. A part without a wish behind it is not counted."""


def score(fit: Fit) -> tuple[float, tuple[Reason, ...]]:
    """Points out of 100, and what each part adds."""
    parts = [
        (part, fit.scale.parts[part.code])
        for part in SCORED
        if fit.scale.parts.get(part.code) and part.counts(fit.need)
    ]
    share = 100 / total if (total := sum(weight for _, weight in parts)) else 0.0
    points, reasons = 0.0, []
    for part, weight in parts:
        gained = weight * part.value(fit) * share
        points += gained
        good, zh, en = part.words(fit)
        # Made by the hundred for every order, of our own words: nothing to validate.
        reasons.append(
            Reason.model_construct(
                code=part.code, level=Level.PLUS if good else Level.WARNING, zh=zh, en=en, points=round(gained, 1)
            )
        )
    return round(points, 1), tuple(reasons)
