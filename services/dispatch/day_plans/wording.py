"""What a plan says in plain words, in both languages. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from services.core.clock import BUSINESS_ZONE
from services.dispatch.criteria.blocking import AT_AN_HOUR, STANDING, blocking
from services.dispatch.day_plans.states import ItemChange
from services.dispatch.day_plans.views import PlanSummary, Words

STALE_TEXTS: Final = {
    "order_cancelled": ("订单已取消", "The order was cancelled"),
    "order_over": ("服务已开始或已结束", "The visit has begun or is over"),
    "order_changed": ("订单的时间或要求已更改", "The order's times or needs have changed"),
    "taken_since": ("预览之后已另行派人", "Somebody else was given it since the preview"),
    "visit_begun": ("护理员已出发或已开始服务", "A caregiver is on the way or there already"),
    "pinned_since": ("该上门已被固定", "The visit has been pinned since"),
    "not_in_reach": ("已不属于本中心", "It is no longer this centre's"),
    "caregiver_back": ("该护理员可以前往，无需退回", "Whoever has it can come after all"),
    "caregiver_gone": ("该护理员已不可派", "The caregiver is not there any more"),
    "team_incomplete": ("同一服务的其他人员已无法到场", "A colleague of the same visit cannot come any more"),
}
"""Why a part of a plan no longer holds, besides the reasons of matching."""

BLOCKING_CODES: Final = frozenset({*(one.code for one in STANDING), *(one.code for one in AT_AN_HOUR)})

FAILURES: Final = {
    "gave_up": ("多次计算未成功，请重试或改用人工派单", "Several attempts failed; ask again or assign by hand"),
    "invalid_plan": (
        "方案未通过独立校验，已弃用",
        "The plan did not pass the independent check and was thrown away",
    ),
    "engine_failed": ("计算引擎出错", "The engine failed"),
    "nothing_to_plan": ("没有需要安排的内容", "There is nothing to plan"),
}
"""Why a plan failed."""

CAUSES: Final = {
    "absence": ("护理员缺勤", "a caregiver is absent"),
    "overrun": ("上一家服务超时，赶不上下一家", "a visit lasts longer and the next cannot be reached in time"),
    "urgent": ("紧急订单暂无人可派", "nobody has time for an urgent order"),
    "request": ("调度员要求为该订单调整", "a dispatcher asks for one order"),
}
"""What a repair answers."""


def clock(moment: datetime) -> str:
    """``10:30``, local."""
    return f"{moment.astimezone(BUSINESS_ZONE):%H:%M}"


def change_words(
    change: ItemChange,
    item: tuple[str, str],
    who: str,
    new: tuple[str | None, datetime | None],
    old: tuple[str | None, datetime | None],
) -> Words:
    """One change. ``item`` in both languages, ``who`` the resident as the reader may see her."""
    zh, en = item
    name, at = new[0] or "邻近中心护理员", "" if new[1] is None else clock(new[1])
    was, before = old[0] or "邻近中心护理员", "" if old[1] is None else clock(old[1])
    match change:
        case ItemChange.KEPT:
            return Words(zh=f"{at} {who}的{zh}不变，{name}", en=f"{at} {en} for {who} stays with {name}")
        case ItemChange.ADDED:
            return Words(zh=f"{at} {who}的{zh}派给{name}", en=f"{at} {en} for {who} goes to {name}")
        case ItemChange.MOVED if at == before:
            return Words(
                zh=f"{at} {who}的{zh}由{was}改为{name}", en=f"{at} {en} for {who}: {name} instead of {was}"
            )
        case ItemChange.MOVED:
            return Words(
                zh=f"{who}的{zh}由{was}（{before}）改为{name}（{at}）",
                en=f"{en} for {who}: {name} at {at} instead of {was} at {before}",
            )
        case ItemChange.RETIMED:
            return Words(
                zh=f"{who}的{zh}由{before}改到{at}，仍为{name}",
                en=f"{en} for {who} moves from {before} to {at}, still {name}",
            )
        case ItemChange.DROPPED:
            return Words(
                zh=f"{before} {who}的{zh}，{was}不能前往，尚无人可派",
                en=f"{before} {en} for {who}: {was} cannot come, and nobody else was found",
            )
        case ItemChange.UNASSIGNED:
            return Words(zh=f"{who}的{zh}尚无人可派", en=f"Nobody was found for {en} for {who}")


def summary_words(summary: PlanSummary) -> list[Words]:
    """What the plan does, in a few sentences."""
    after, before = summary.after, summary.before
    return [
        Words(
            zh=f"共{after.places}个上门岗位，安排{after.assigned}个，未安排{after.unassigned}个（原来未安排{before.unassigned}个）",
            en=f"{after.places} places at visits: {after.assigned} assigned, {after.unassigned} not"
            f" ({before.unassigned} before)",
        ),
        Words(
            zh=f"新派{summary.added}个，换人{summary.moved}个，改时间{summary.retimed}个，退回{summary.dropped}个",
            en=f"{summary.added} newly assigned, {summary.moved} given to somebody else,"
            f" {summary.retimed} at another time, {summary.dropped} given back",
        ),
        Words(
            zh=f"路上{after.travel_minutes}分钟（原{before.travel_minutes}），空等{after.waiting_minutes}分钟（原{before.waiting_minutes}）",
            en=f"{after.travel_minutes} minutes on the way ({before.travel_minutes} before),"
            f" {after.waiting_minutes} idle ({before.waiting_minutes} before)",
        ),
    ]


def stale_words(code: str) -> Words:
    """Why a part of a plan no longer holds: a word of ours, or a criterion's of matching."""
    if code in STALE_TEXTS or code not in BLOCKING_CODES:
        return named(STALE_TEXTS, code)
    reason = blocking(code)
    return Words(zh=reason.zh, en=reason.en)


def named(texts: Mapping[str, tuple[str, str]], code: str) -> Words:
    """The words of a code; the code itself where there are none."""
    zh, en = texts.get(code, (code, code))
    return Words(zh=zh, en=en)
