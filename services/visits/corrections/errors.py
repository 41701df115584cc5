"""What corrections refuse."""

from services.core.errors import DomainError, InvalidInput


class NotOverYet(DomainError):
    status = 409
    code = "visit_not_over"
    title_zh = "该次上门尚未结束，无需更正"
    title_en = "This visit is not over yet; nothing to correct"


class CorrectionWaits(DomainError):
    status = 409
    code = "correction_waits"
    title_zh = "该次上门已有一条更正待审批"
    title_en = "Another correction of this visit waits for its decision"


class OwnCorrection(DomainError):
    status = 409
    code = "own_correction"
    title_zh = "不能审批自己提出或涉及自己的更正"
    title_en = "Nobody decides on a correction of their own"


class AlreadyDecided(DomainError):
    status = 409
    code = "correction_decided"
    title_zh = "该更正已有审批结果"
    title_en = "This correction has been decided already"


class ChangedSince(DomainError):
    status = 409
    code = "visit_changed_since"
    title_zh = "提出更正后该次上门的记录又有变化，请重新提出"
    title_en = "The visit has changed since the request; ask again"


class CorrectionInvalid(InvalidInput):
    code = "correction_invalid"
    title_zh = "更正内容有误"
    title_en = "The correction is not valid"
