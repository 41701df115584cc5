"""What the alert desk refuses."""

from services.core.errors import DomainError


class AlertTaken(DomainError):
    status = 409
    code = "alert_taken"
    title_zh = "该警报已由他人接手"
    title_en = "Somebody else has taken this alert"
