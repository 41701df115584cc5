"""What sign-in refuses. None of these tells whether an account exists."""

from services.core.errors import DomainError


class NotSignedIn(DomainError):
    """No token, a forged one, an ended session or a disabled account: the reader need not know which."""

    status = 401
    code = "not_signed_in"
    title_zh = "请先登录"
    title_en = "Please sign in"


class TokenExpired(DomainError):
    """The access token was good and is past its time: refresh it."""

    status = 401
    code = "token_expired"
    title_zh = "登录已过期，请刷新"
    title_en = "The access token has expired; refresh it"


class WrongCredentials(DomainError):
    status = 401
    code = "wrong_credentials"
    title_zh = "账号或密码不正确"
    title_en = "Login or password is wrong"


class WrongCode(DomainError):
    """Wrong, used, expired, or tried too often."""

    status = 401
    code = "wrong_code"
    title_zh = "验证码不正确或已失效"
    title_en = "The code is wrong or no longer valid"


class RefreshRefused(DomainError):
    """An unknown, expired or already used refresh token; a used one has ended its session."""

    status = 401
    code = "refresh_refused"
    title_zh = "登录已失效，请重新登录"
    title_en = "The session has ended; sign in again"


class TooManyAttempts(DomainError):
    """``retry_after`` in ``extra`` is in seconds."""

    status = 429
    code = "too_many_attempts"
    title_zh = "尝试次数过多，请稍后再试"
    title_en = "Too many attempts; try again later"


class LoginTaken(DomainError):
    status = 409
    code = "login_taken"
    title_zh = "该账号名或手机号已被使用"
    title_en = "This login or phone number is already in use"
