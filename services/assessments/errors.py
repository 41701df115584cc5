"""What assessments refuse."""

from services.core.errors import DomainError, InvalidInput


class FormNotWhole(InvalidInput):
    """``problems`` in ``extra``: (item, missing | unknown | out_of_range)."""

    code = "form_not_whole"
    title_zh = "评估表未填完整或分值超出范围"
    title_en = "The form is not whole, or points are out of range"


class AssessorsNeeded(InvalidInput):
    """``needed`` in ``extra``; at least one with a clinical background, each another person."""

    code = "assessors_needed"
    title_zh = "须由两名评估员共同完成，其中至少一名具有医护背景"
    title_en = "Two assessors are needed, one of them with a clinical background"


class TermInvalid(InvalidInput):
    """``reason`` in ``extra``: in_the_future, ends_before_start, too_long."""

    code = "assessment_term_invalid"
    title_zh = "评估日期或有效期不合适"
    title_en = "The day or term of the assessment does not work"


class CoversUnknown(InvalidInput):
    """``unknown`` in ``extra``: neither an item's code nor a category."""

    code = "covers_unknown"
    title_zh = "评估适用的项目填写有误"
    title_en = "Neither an item nor a category"


class AlreadyWithdrawn(DomainError):
    status = 409
    code = "already_withdrawn"
    title_zh = "该评估已撤回"
    title_en = "This assessment has been withdrawn already"
