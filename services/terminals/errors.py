"""What the terminal registry refuses."""

from services.core.errors import DomainError


class SerialTaken(DomainError):
    """``serial`` in ``extra`` is the one that is registered already."""

    status = 409
    code = "serial_taken"
    title_zh = "该序列号已登记"
    title_en = "This serial number is registered already"


class CodeTaken(DomainError):
    status = 409
    code = "profile_code_taken"
    title_zh = "该型号编码已存在"
    title_en = "There is a profile with this code already"


class ProfileInactive(DomainError):
    status = 409
    code = "profile_inactive"
    title_zh = "该型号已停用"
    title_en = "This profile is no longer used for new terminals"


class NotInService(DomainError):
    """A credential is for a terminal in service: on the shelf it gets one when it is provisioned."""

    status = 409
    code = "terminal_not_in_service"
    title_zh = "终端未启用，不能更换密钥"
    title_en = "The terminal is not in service"


class ProvisionRefused(DomainError):
    """A wrong key or secret, or a profile that takes part in no provisioning: which one is not told."""

    status = 401
    code = "provision_refused"
    title_zh = "型号密钥不正确"
    title_en = "The profile's key or secret is wrong"


class UnknownSerial(DomainError):
    status = 404
    code = "unknown_serial"
    title_zh = "该序列号未登记"
    title_en = "No terminal with this serial number is registered"


class WrongProfile(DomainError):
    status = 409
    code = "wrong_profile"
    title_zh = "该序列号属于其他型号"
    title_en = "The serial number belongs to another profile"


class AlreadyProvisioned(DomainError):
    """The credential has been given once. Who lost it asks the centre to return the terminal to stock."""

    status = 409
    code = "already_provisioned"
    title_zh = "该终端已领取过密钥"
    title_en = "This terminal has had its credential already"


class NotInStock(DomainError):
    """Suspended or retired."""

    status = 409
    code = "not_in_stock"
    title_zh = "该终端已停用"
    title_en = "This terminal is suspended or retired"


class HookRefused(DomainError):
    """The broker's hooks are not set up, or the shared secret is wrong."""

    status = 403
    code = "broker_hook_refused"
    title_zh = "消息代理校验接口未启用或密钥不正确"
    title_en = "The broker's hook is not set up, or its secret is wrong"
