"""What visits refuse."""

from services.core.errors import DomainError, InvalidInput


class TeamIncomplete(DomainError):
    """A service for two must not begin with one: the second place is still open."""

    status = 409
    code = "team_incomplete"
    title_zh = "该服务需要的人员尚未到齐，请联系调度"
    title_en = "This service still lacks a caregiver; call the dispatcher"


class VisitCancelled(DomainError):
    status = 409
    code = "visit_cancelled"
    title_zh = "该次上门已取消"
    title_en = "This visit has been cancelled"


class GivenToOther(DomainError):
    status = 409
    code = "given_to_other"
    title_zh = "该次上门已改派给其他人员"
    title_en = "This visit has been given to somebody else"


class AlreadyCheckedIn(DomainError):
    status = 409
    code = "already_checked_in"
    title_zh = "已用另一部手机或在另一时间签到，以先到的为准"
    title_en = "Already checked in from another phone or at another time; the first one counts"


class AlreadyCheckedOut(DomainError):
    status = 409
    code = "already_checked_out"
    title_zh = "该次上门已签退，以先到的为准"
    title_en = "Already checked out; the first one counts"


class VisitClosed(DomainError):
    """Verified, reviewed or ended with nobody at home: from here on by a correction only."""

    status = 409
    code = "visit_closed"
    title_zh = "该次上门已核验或复核（可能已结算），请通过更正申请修改"
    title_en = "This visit is verified or reviewed, perhaps billed; ask for a correction"


class NotInService(DomainError):
    status = 409
    code = "not_in_service"
    title_zh = "请先签到，或该次上门已经结束"
    title_en = "Check in first; or this visit is over"


class AlreadyServed(DomainError):
    status = 409
    code = "already_served"
    title_zh = "该次上门已有服务记录，不能记为无人在家"
    title_en = "Something was done at this visit; it cannot end as nobody at home"


class VitalCheckFirst(DomainError):
    status = 409
    code = "vital_check_missing"
    title_zh = "请先测量并记录血压或脉搏，再进行该项服务"
    title_en = "Measure and record blood pressure or pulse before this task"


class ImplausibleReading(DomainError):
    """Outside physiology: a slip of the finger or a sensor that is off. ``low`` and ``high`` say what is taken."""

    status = 422
    code = "implausible_reading"
    title_zh = "测量值超出可能范围，请核对单位后重新测量"
    title_en = "This value is not possible; check the unit and measure again"


class NoPhotoConsent(DomainError):
    status = 409
    code = "no_photo_consent"
    title_zh = "长者未同意上门拍照，照片未保存"
    title_en = "The resident has not consented to photos; nothing was kept"


class UnreadableAct(DomainError):
    status = 422
    code = "unreadable_act"
    title_zh = "该条离线记录无法识别，已原样保留"
    title_en = "This act could not be read; it is kept as it came"


class UnknownVisit(DomainError):
    status = 409
    code = "unknown_visit"
    title_zh = "没有找到该次上门，记录已保留"
    title_en = "There is no such visit of yours; the record is kept"


class WaitsForEarlier(DomainError):
    """No conflict: the end of a visit waits for what was done before it."""

    status = 409
    code = "waits_for_earlier"
    title_zh = "等待该次上门此前的记录上传"
    title_en = "Waits for earlier acts of this visit to arrive"


class ActIdReused(DomainError):
    status = 409
    code = "act_id_reused"
    title_zh = "同一编号已用于另一条记录"
    title_en = "This id stands for another act already"


class UnknownTask(InvalidInput):
    code = "unknown_task"
    title_zh = "任务不在该服务的清单上"
    title_en = "A task is not on this service's list"


class NotUnderReview(DomainError):
    status = 409
    code = "not_under_review"
    title_zh = "该次上门没有需要复核的内容"
    title_en = "Nothing on this visit waits for a review"
