"""Why a terminal is not told to do something."""

from services.core.errors import DomainError


class NotCapable(DomainError):
    status = 409
    code = "terminal_not_capable"
    title_zh = "该终端不支持此操作"
    title_en = "This terminal cannot do that"


class NotInService(DomainError):
    status = 409
    code = "terminal_out_of_service"
    title_zh = "该终端未在使用中"
    title_en = "This terminal is not in service"
