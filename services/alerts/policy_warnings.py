"""What is weak about a policy that is allowed all the same. Pure.

Nobody is refused: a centre may have its reasons. But who saves a ladder that may page nobody in time is told.
"""

from collections.abc import Callable
from typing import Final

from services.alerts.policy_models import PolicyDocument, PolicyWarning, Recipients, Relation, Who
from services.core.actor import Role
from services.notifications.models import Channel

LIFE_SAFETY: Final = 4
_RINGS: Final = frozenset({Channel.VOICE, Channel.SMS})

_Check = Callable[[PolicyDocument], bool]


def _somebody(policy: PolicyDocument, wanted: Callable[[Recipients], bool]) -> bool:
    return any(wanted(line) for step in policy.steps for line in step.recipients)


def _is_family(line: Recipients) -> bool:
    return line.who is Who.CONTACTS or line.relation is Relation.FAMILY


_CHECKS: Final[tuple[tuple[str, _Check, str, str], ...]] = (
    (
        "no_phone_channel",
        lambda policy: not any(_RINGS & set(step.channels) for step in policy.steps),
        "没有任何一级使用电话或短信：手机未打开应用的人收不到。",
        "No step uses a call or a text message: whoever has the app closed hears nothing.",
    ),
    (
        "single_step",
        lambda policy: len(policy.steps) == 1,
        "只有一级：第一批人没有应答时，没有别人接手。",
        "There is one step only: when those people do not answer, nobody else is asked.",
    ),
    (
        "no_manager",
        lambda policy: not _somebody(policy, lambda line: line.role is Role.CENTRE_MANAGER),
        "没有通知中心负责人。",
        "The centre's manager is not told.",
    ),
    (
        "nobody_above_the_centre",
        lambda policy: not _somebody(policy, lambda line: line.who is Who.COUNTY),
        "没有上报县级平台：中心无人应答时，县里不知道。",
        "The county is not told: when nobody at the centre answers, nobody above it knows.",
    ),
    (
        "family_not_told",
        lambda policy: not _somebody(policy, _is_family),
        "没有通知家属或紧急联系人。",
        "Neither family nor emergency contacts are told.",
    ),
)


def warnings_of(policy: PolicyDocument, severity: int = LIFE_SAFETY) -> list[PolicyWarning]:
    """What is weak about it for alerts of a severity; below life safety nothing is. The codes are stable.

    A policy for less grave alerts holds for the gravest as well, where no other one is nearer.
    """
    if severity < LIFE_SAFETY:
        return []
    return [PolicyWarning(code=code, zh=zh, en=en) for code, is_weak, zh, en in _CHECKS if is_weak(policy)]
