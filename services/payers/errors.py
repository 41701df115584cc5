"""What payers refuse."""

from services.core.errors import InvalidInput


class NoSuchProgramme(InvalidInput):
    code = "no_such_programme"
    title_zh = "没有该支付项目"
    title_en = "There is no such payer programme"


class NoSuchItem(InvalidInput):
    """``item_code`` in ``extra``: a typing error would cover nothing, and nobody would notice."""

    code = "no_such_item"
    title_zh = "服务目录中没有该项目"
    title_en = "The catalogue has no such item"
