"""What the alert desk refuses."""

from services.core.errors import DomainError


class AlertTaken(DomainError):
    """``alert_status`` in the extras: how far whoever has it has come."""

    status = 409
    code = "alert_taken"
    title_zh = "该警报已由他人接手"
    title_en = "Somebody else has taken this alert"


class PolicyInvalid(DomainError):
    """``problems`` in the extras: each with a stable ``code`` and the place ``at`` which it stands."""

    status = 422
    code = "policy_invalid"
    title_zh = "升级策略有误"
    title_en = "The escalation policy is not valid"


class NotResponder(DomainError):
    status = 409
    code = "not_responder"
    title_zh = "您不是该警报的负责人"
    title_en = "You are not this alert's responder"


class HandoverPending(DomainError):
    status = 409
    code = "handover_pending"
    title_zh = "已有一个移交请求待答复"
    title_en = "A handover is waiting for its answer already"


class AlreadyHandedOver(DomainError):
    """The next one who takes the resident over belongs on a referral."""

    status = 409
    code = "already_handed_over"
    title_zh = "该次呼叫已登记交接，后续去向请登记转诊"
    title_en = "This call has its hand-over already; record what follows as a referral"


class NoHandover(DomainError):
    """Nobody has asked this person to take over, or the request is answered or lapsed."""

    status = 409
    code = "no_handover"
    title_zh = "没有等待您答复的移交请求"
    title_en = "No handover waits for your answer"


class CannotTakeOver(DomainError):
    status = 422
    code = "cannot_take_over"
    title_zh = "该人员不能接手此警报"
    title_en = "This person cannot take over this alert"


class NotTakenBack(DomainError):
    """Only what the resident took back can be cancelled; anything else is resolved, with its checklist."""

    status = 409
    code = "not_taken_back"
    title_zh = "长者未在终端上取消报警，请按处置清单结案"
    title_en = "The resident has not taken this alarm back; resolve it with the checklist"


class AlertOver(DomainError):
    status = 409
    code = "alert_over"
    title_zh = "该警报已结束"
    title_en = "This alert is over"


class ChecklistIncomplete(DomainError):
    """``missing``, ``unknown_items`` or ``bad_answers`` in the extras name the items; ``note_needed`` says that an
    ``unknown`` answer stands there without a word why."""

    status = 422
    code = "checklist_incomplete"
    title_zh = "处置清单未填写完整"
    title_en = "The checklist is not complete"


class NoEmergencyCall(DomainError):
    status = 409
    code = "no_emergency_call"
    title_zh = "尚无120呼叫记录"
    title_en = "No call of 120 is on record"


class NoPhone(DomainError):
    status = 409
    code = "no_phone"
    title_zh = "没有登记电话"
    title_en = "No phone is on record"
