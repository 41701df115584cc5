"""What the rules refuse."""

from services.core.errors import DomainError


class InvalidRule(DomainError):
    """A rule that could never or always fire, or asks for what is not there; ``field`` names the place."""

    status = 422
    code = "invalid_rule"
    title_zh = "规则无法生效，请检查所指字段"
    title_en = "This rule could not work; see the named field"


class UnknownAttribute(DomainError):
    status = 422
    code = "unknown_attribute"
    title_zh = "没有这项个人指标，或数值超出范围"
    title_en = "No such attribute, or a figure out of its range"


class MaintenanceTooLong(DomainError):
    """``hours_max`` in ``extra``."""

    status = 422
    code = "maintenance_too_long"
    title_zh = "维护模式时长超出上限"
    title_en = "Maintenance may not last so long"


class AlreadyEnded(DomainError):
    status = 409
    code = "maintenance_ended"
    title_zh = "维护模式已结束"
    title_en = "This maintenance has ended"
