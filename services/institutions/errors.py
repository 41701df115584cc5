"""What institutions refuse."""

from services.core.errors import DomainError


class LicenceOnFile(DomainError):
    status = 409
    code = "licence_on_file"
    title_zh = "该许可证号已有机构登记"
    title_en = "An institution with this licence number is on file already"


class InstitutionClosed(DomainError):
    """``because`` in ``extra``: suspended, exited, licence_not_valid, agreement_not_valid."""

    status = 409
    code = "institution_closed"
    title_zh = "该机构目前不能承接新服务"
    title_en = "This institution takes no new work at present"
