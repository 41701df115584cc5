"""What packages refuse."""

from services.core.errors import DomainError, InvalidInput


class EntitlementExhausted(DomainError):
    """``items`` in ``extra``: the codes that no package of the resident covers for these days."""

    status = 409
    code = "entitlement_exhausted"
    title_zh = "服务包余量不足，或不在有效期内"
    title_en = "The resident's packages have not enough left for these days"


class TemplateExists(DomainError):
    status = 409
    code = "template_exists"
    title_zh = "该服务包编码已存在"
    title_en = "There is a package of this code already"


class UnknownItems(InvalidInput):
    """``item_codes`` in ``extra``."""

    code = "unknown_items"
    title_zh = "服务包中有目录里没有的项目"
    title_en = "The package names items that the catalogue does not have"


class NotGrantable(DomainError):
    status = 409
    code = "not_grantable"
    title_zh = "该服务包已停用，不能再签约"
    title_en = "This package is no longer granted"


class PackageEnded(DomainError):
    """``current`` in ``extra``."""

    status = 409
    code = "package_ended"
    title_zh = "该服务包已到期或已收回"
    title_en = "This package has expired or was revoked"
