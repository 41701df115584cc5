"""What the caregivers' rooms refuse."""

from services.core.errors import DomainError, InvalidInput


class AlreadyOnFile(DomainError):
    status = 409
    code = "caregiver_on_file"
    title_zh = "该身份证号已有服务人员档案"
    title_en = "A caregiver with this identity number is on file already"


class HasLeft(DomainError):
    status = 409
    code = "caregiver_has_left"
    title_zh = "该服务人员已离职"
    title_en = "This caregiver has left"


class NothingOnFile(DomainError):
    """The caregiver is within reach, but this number was never given."""

    status = 404
    code = "nothing_recorded"
    title_zh = "未登记此项信息"
    title_en = "This was never recorded"


class CredentialOnFile(DomainError):
    status = 409
    code = "credential_on_file"
    title_zh = "同一证照（同类、同有效期）已登记"
    title_en = "This credential, of the same kind and days, is on file already"


class ShiftsOverlap(DomainError):
    status = 409
    code = "shifts_overlap"
    title_zh = "与该人员已有的班次重叠"
    title_en = "This overlaps another shift of the same caregiver"


class VisitsBooked(DomainError):
    """``visits`` in ``extra``: what must be moved first, unless a reason is given."""

    status = 409
    code = "visits_booked"
    title_zh = "该时段已有预约的服务，请先调整或填写理由"
    title_en = "Visits are booked in that time: move them first, or give a reason"


class WorkingTimeExceeded(DomainError):
    """``breaches`` in ``extra``: the limits that are passed, unless a reason is given."""

    status = 409
    code = "working_time_exceeded"
    title_zh = "超过工时限制，如确需安排请填写理由"
    title_en = "Working-time limits are passed: give a reason if it must be"


class ShiftIsPast(DomainError):
    status = 409
    code = "shift_is_past"
    title_zh = "该班次已经开始或结束"
    title_en = "That shift has begun or is over"


class TemplateEnded(DomainError):
    status = 409
    code = "template_ended"
    title_zh = "该模板已停用"
    title_en = "That template is no longer in use"


class AbsenceOverlaps(DomainError):
    status = 409
    code = "absence_overlaps"
    title_zh = "该时段已有同类请假"
    title_en = "There is an absence of the same kind in that time already"


class SwapNotYours(DomainError):
    """Only the colleague who was asked answers a swap, and only who asked takes it back."""

    status = 409
    code = "not_your_swap"
    title_zh = "这条换班请求不由您处理"
    title_en = "This swap is not yours to answer"


class ShiftChangedHands(DomainError):
    """One of the shifts was moved, cancelled or given to somebody else since the swap was asked for."""

    status = 409
    code = "shift_changed"
    title_zh = "班次已有变动，请重新申请换班"
    title_en = "A shift has changed meanwhile; ask for the swap anew"


class SwapUnderWay(DomainError):
    status = 409
    code = "swap_under_way"
    title_zh = "该班次已有未完成的换班请求"
    title_en = "A swap of this shift is under way already"


class PairOnFile(DomainError):
    status = 409
    code = "pair_on_file"
    title_zh = "这两人已在不匹配名单中"
    title_en = "These two are kept apart already"


class NotACaregiver(InvalidInput):
    code = "not_a_caregiver"
    title_zh = "当前账号没有对应的服务人员档案"
    title_en = "There is no caregiver behind this account"


class AbsentThen(DomainError):
    status = 409
    code = "absent_then"
    title_zh = "接班人员该时段已请假"
    title_en = "Whoever would take the shift is absent then"


class AbsenceIsPast(DomainError):
    status = 409
    code = "absence_is_past"
    title_zh = "该请假时段已过"
    title_en = "That absence lies in the past"
