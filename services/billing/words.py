"""Why a bill is not its quote, in both languages: one row a reason."""

from collections.abc import Mapping
from typing import Final

WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "shorter_stay": (
        "服务时间比预约短，按实际时间计费",
        "The visit was shorter than ordered; the time served is billed",
    ),
    "extra_time_agreed": ("家庭同意延长服务时间", "The household agreed to a longer visit"),
    "longer_stay_not_billed": (
        "服务时间比预约长，未经同意的部分不收费",
        "The visit was longer than ordered; what nobody agreed to is not billed",
    ),
    "tariff_of_the_day": (
        "服务当日价格低于报价，按当日价格",
        "The tariff of the service day is lower than the quote",
    ),
    "tariff_rise_not_billed": (
        "服务当日价格高于报价，仍按报价",
        "The tariff of the service day is higher; the quote holds",
    ),
    "hours_changed": (
        "服务时段与报价时不同（夜间或日间）",
        "Care began in other hours than quoted (night or day)",
    ),
    "day_changed": ("服务日与报价时不同（工作日、休息日或节假日）", "Another kind of day than quoted"),
    "distance_changed": ("上门距离与报价时不同", "Another distance than quoted"),
    "tag_changed": ("加急情况与报价时不同", "Other urgency than quoted"),
    "licence_changed": ("服务人员资质要求与报价时不同", "Another class of licence than quoted"),
    "risk_changed": ("风险情况与报价时不同", "Other risks than quoted"),
    "other_circumstances": ("服务情况与报价时不同", "Other circumstances than quoted"),
    "circumstances_not_billed": (
        "实际情况会更贵，未经同意不加收",
        "Circumstances would have made it dearer; without agreement nothing is added",
    ),
    "supply_used": ("使用了药品或耗材，按价目收取", "Drugs or consumables were used, at their listed price"),
    "supply_at_recorded_price": (
        "使用了药品或耗材，价目中没有，按服务记录的成本，未经核实",
        "Drugs or consumables were used; no list has them, the recorded cost is billed, not verified",
    ),
    "supply_without_price": ("使用的药品或耗材没有价格，不收费", "What was used has no price and is not billed"),
    "no_show": ("上门时家中无人，未服务，不收费", "Nobody was at home: no service, nothing to pay"),
    "not_served": ("没有提供服务，不收费", "No service took place, nothing to pay"),
    "refund": ("退减", "Lowered by an adjustment"),
}
"""Reason → (zh, en)."""
