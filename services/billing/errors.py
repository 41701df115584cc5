"""What billing refuses."""

from services.core.errors import NotFound


class NotSettled(NotFound):
    """The order exists, its bill does not yet."""

    code = "not_settled"
    title_zh = "该订单尚未结算"
    title_en = "This order has not been settled yet"
