"""What the callback route refuses."""

from services.core.errors import DomainError


class CallbackRefused(DomainError):
    """Unknown or disabled key, or a signature that is not the key's: which of them is not told."""

    status = 401
    code = "callback_refused"
    title_zh = "密钥或签名无效"
    title_en = "The key or the signature is not valid"


class CallbackExpired(DomainError):
    """Signed well, but too long ago (or ahead): an old callback sent again, or a wrong clock."""

    status = 401
    code = "callback_expired"
    title_zh = "回调时间超出允许范围，请重新签名"
    title_en = "The time of the callback is outside the window; sign again"


class CallbackUnreadable(DomainError):
    """Signed well, but no envelope; kept as a dead letter."""

    status = 422
    code = "callback_unreadable"
    title_zh = "回调内容无法读取"
    title_en = "The callback cannot be read"
