"""National division codes (统计用区划代码): the code is the path, so a scope is a prefix."""

from enum import StrEnum

_LENGTHS = {2: "province", 4: "city", 6: "county", 9: "town", 12: "village"}


class AreaLevel(StrEnum):
    PROVINCE = "province"
    CITY = "city"
    COUNTY = "county"
    TOWN = "town"
    VILLAGE = "village"


def level_of(code: str) -> AreaLevel:
    """The level of an area code by its length; ``ValueError`` for any other length or a non-digit."""
    if not code.isdecimal() or len(code) not in _LENGTHS:
        raise ValueError("an area code has 2, 4, 6, 9 or 12 digits")
    return AreaLevel(_LENGTHS[len(code)])


def town_of(code: str) -> str:
    """The town or street (9 digits) that an area lies in; ``ValueError`` for a county or wider."""
    if level_of(code) not in (AreaLevel.TOWN, AreaLevel.VILLAGE):
        raise ValueError("only towns and villages lie in a town")
    return code[:9]


def county_of(code: str) -> str:
    """The county (6 digits) that an area lies in; ``ValueError`` for a city or wider."""
    if len(code) < 6:
        raise ValueError("only counties and below lie in a county")
    return code[:6]
