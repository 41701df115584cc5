"""What the catalogue refuses."""

from services.core.errors import DomainError, InvalidInput, NotFound


class NotOnTheMenu(InvalidInput):
    code = "not_on_the_menu"
    title_zh = "该服务项目目前不能预订"
    title_en = "This service cannot be ordered now"


class OnNegativeList(InvalidInput):
    """``item_code``, ``source`` and ``verified`` in ``extra``."""

    code = "on_negative_list"
    title_zh = "该项目在禁止上门服务的负面清单上，不能预订"
    title_en = "This service is on the list of what must not be done at home; it cannot be ordered"


class NoSuchItem(NotFound):
    """Nobody has ever entered an item of this code."""


class ItemInvalid(DomainError):
    """``problems`` in ``extra``: where and why, each with a stable code."""

    status = 422
    code = "item_invalid"
    title_zh = "服务项目填写有误，请按提示修改"
    title_en = "The item cannot be kept like this; see the problems"


class ItemExists(DomainError):
    status = 409
    code = "item_exists"
    title_zh = "该编码已被使用"
    title_en = "There is an item of this code already"


class NoDraft(DomainError):
    status = 409
    code = "no_draft"
    title_zh = "该项目没有草稿"
    title_en = "This item has no draft"


class NothingUpcoming(DomainError):
    status = 409
    code = "nothing_upcoming"
    title_zh = "没有尚未生效的版本可以撤回"
    title_en = "There is no version that is yet to take effect"


class EffectiveTooEarly(InvalidInput):
    """``earliest`` in ``extra``."""

    code = "effective_too_early"
    title_zh = "生效日期不能早于今天，也不能早于已发布版本的生效日期"
    title_en = "A version takes effect today at the earliest, and not before the one published last"


class WrongMediaType(DomainError):
    """``expected`` in ``extra``."""

    status = 415
    code = "unsupported_media_type"
    title_zh = "请上传 .xlsx 表格"
    title_en = "Send an .xlsx workbook"
