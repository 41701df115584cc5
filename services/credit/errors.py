"""What credit refuses."""

from services.core.errors import DomainError, InvalidInput


class RulesInThePast(InvalidInput):
    code = "rules_in_the_past"
    title_zh = "新规则只能从以后的日期起生效"
    title_en = "New rules take effect on a day to come"


class RulesExist(DomainError):
    status = 409
    code = "rules_exist"
    title_zh = "该日期已有公布的规则"
    title_en = "Rules have been published for that day already"


class UnknownCriterion(InvalidInput):
    """``unknown`` in ``extra``: codes that nothing is counted for."""

    code = "unknown_criterion"
    title_zh = "规则中有无法统计的指标"
    title_en = "The rules name something that is not counted"
