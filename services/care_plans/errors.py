"""What recurring plans refuse."""

from services.core.errors import DomainError, InvalidInput


class RuleInvalid(InvalidInput):
    """``reason`` in ``extra``: too_frequent, unknown_part, part_twice, part_missing, bad_value, count_and_until,
    not_with_this_frequency, alone, too_long, never; ``part``: which one.
    """

    code = "rule_invalid"
    title_zh = "重复规则不可用"
    title_en = "The recurrence rule cannot be used"


class NeverInPlan(InvalidInput):
    """The rule, the first and last day and the days taken out leave nothing."""

    code = "plan_without_days"
    title_zh = "按此设置没有任何一天需要服务"
    title_en = "With these settings the plan has no day at all"


class PlanEnded(DomainError):
    status = 409
    code = "plan_ended"
    title_zh = "该计划已结束"
    title_en = "This plan has ended"


class NotPaused(DomainError):
    status = 409
    code = "not_paused"
    title_zh = "该计划目前没有暂停"
    title_en = "This plan is not paused"


class PauseOverlaps(DomainError):
    status = 409
    code = "pause_overlaps"
    title_zh = "这段时间已经暂停"
    title_en = "The plan is paused for some of these days already"


class DayPassed(DomainError):
    status = 409
    code = "day_passed"
    title_zh = "该日期已过或服务已开始，不能再修改"
    title_en = "This day has passed, or its service has begun; it cannot be changed"


class NotADayOfPlan(DomainError):
    status = 409
    code = "not_a_day_of_plan"
    title_zh = "计划中没有这一天"
    title_en = "The plan does not have this day"
