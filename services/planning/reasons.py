"""Why a caregiver cannot take a visit, in codes for programs and words for people."""

from enum import StrEnum


class Reason(StrEnum):
    """The first thing that stands in the way, in the order in which it is asked."""

    MISSING_TAG = "missing_tag"
    EXCLUDED = "excluded"
    SAME_CAREGIVER = "same_caregiver"
    WINDOW_PAST = "window_past"
    NOT_ON_SHIFT = "not_on_shift"
    WORK_LIMIT = "work_limit"
    TRAVEL_TOO_LONG = "travel_too_long"
    NO_GAP = "no_gap"
    NO_PARTNER = "no_partner"
    NOT_TRIED = "not_tried"


WORDS: dict[Reason, tuple[str, str]] = {
    Reason.MISSING_TAG: ("缺少所需技能或证照", "A needed skill or licence is missing"),
    Reason.EXCLUDED: ("已被排除，不得上门", "Must not come to this resident"),
    Reason.SAME_CAREGIVER: ("同组服务需由不同人员完成", "Already does another part of the same service"),
    Reason.WINDOW_PAST: ("可服务时段已过或过短", "No window is left that is long enough"),
    Reason.NOT_ON_SHIFT: ("该时段不在班", "Not on shift in any of the windows"),
    Reason.WORK_LIMIT: ("超过工时上限", "The limit of working time would be passed"),
    Reason.TRAVEL_TOO_LONG: (
        "路程过长，赶不到或赶不回",
        "The way there and back does not fit into shift and window",
    ),
    Reason.NO_GAP: ("当日安排已无空档", "No gap in the day that is long enough"),
    Reason.NO_PARTNER: ("找不到同组服务的其他人员", "Nobody for the other part of the same service"),
    Reason.NOT_TRIED: ("时间用完，尚未尝试", "Time ran out before this was tried"),
}
"""Each code in Chinese and in English."""
