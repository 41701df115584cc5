"""What a service may refuse, each with its HTTP status, a stable code and a title in both languages."""

from collections.abc import Mapping
from typing import Any, ClassVar


class DomainError(Exception):
    """Base of every refusal. ``detail`` and ``extra`` must hold neither health data nor secrets."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "bad_request"
    title_zh: ClassVar[str] = "请求有误"
    title_en: ClassVar[str] = "Bad request"

    def __init__(self, detail: str | None = None, **extra: Any) -> None:
        super().__init__(detail or self.title_en)
        self.detail = detail
        self.extra: Mapping[str, Any] = extra


class NotFound(DomainError):
    """Also the answer for what exists outside the reader's scope: existence is not told."""

    status = 404
    code = "not_found"
    title_zh = "未找到，或您无权查看"
    title_en = "Not found, or not within your reach"


class Forbidden(DomainError):
    status = 403
    code = "forbidden"
    title_zh = "您没有权限进行此操作"
    title_en = "You may not do this"


class IllegalTransition(DomainError):
    status = 409
    code = "illegal_transition"
    title_zh = "当前状态不允许此操作"
    title_en = "The present status does not allow this"


class VersionMismatch(DomainError):
    status = 412
    code = "version_mismatch"
    title_zh = "内容已被他人修改，请刷新后重试"
    title_en = "Somebody else changed this; reload and try again"


class InvalidInput(DomainError):
    """A rule of the domain that a schema cannot express; ``field`` in ``extra`` names the place."""

    status = 422
    code = "invalid_input"
    title_zh = "填写的内容有误"
    title_en = "The input is not valid"


class ServiceUnavailable(DomainError):
    status = 503
    code = "service_unavailable"
    title_zh = "系统暂时不可用，请稍后再试"
    title_en = "A part of the system is away; try again shortly"
