"""What tariffs refuse."""

from services.core.errors import InvalidInput


class WrongBasis(InvalidInput):
    """A public institution has no market price, a private one no public tariff."""

    code = "wrong_basis"
    title_zh = "定价方式与机构性质不符"
    title_en = "The basis of the price does not fit the kind of institution"
