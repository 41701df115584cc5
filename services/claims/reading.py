"""Claims as people read them, and as statements for the payer."""

from collections.abc import Iterator
from uuid import UUID

from services.audit.service import record_read
from services.claims import repository
from services.claims.anomalies import WORDS, Anomaly
from services.claims.models import Claim, ClaimLine, ClaimLinePublic, ClaimPublic, FlagPublic
from services.core.database import Work
from services.core.money import yuan
from services.core.sheets import Cell, write_csv, write_xlsx
from services.orders.models import Order
from services.orders.rules import masked_name
from services.orders.service import lines_of

_HEAD = (
    "批次 claim",
    "账单 bill",
    "服务日期 day",
    "长者 resident",
    "项目 items",
    "账簿 book",
    "申报（元） asked",
    "核定（元） approved",
    "核减原因 cut",
    "暂缓 held",
    "疑点 flags",
)


async def list_claims(
    work: Work, limit: int, cursor: UUID | None, payer: str | None, month: str | None
) -> list[ClaimPublic]:
    """Claims in reach, newest first."""
    return [claim_public(claim) for claim in await repository.claims_page(work, limit, cursor, payer, month)]


async def get_claim(work: Work, claim_id: UUID) -> ClaimPublic:
    """One claim in reach; raises ``NotFound``."""
    return claim_public(await repository.claim_in_reach(work, claim_id))


async def list_lines(work: Work, claim_id: UUID, limit: int, cursor: UUID | None) -> list[ClaimLinePublic]:
    """A page of a claim's lines; leaves rows in the access log. Raises ``NotFound``."""
    claim = await repository.claim_in_reach(work, claim_id)
    rows = await repository.line_rows(work, claim, limit, cursor)
    await record_read(work, {line.resident_id for line, _, _ in rows}, "claim", ["items", "amounts"])
    return [_line_public(line, order, name) for line, order, name in rows]


async def statement_xlsx(work: Work, claim_id: UUID) -> bytes:
    """The statement as a workbook; leaves rows in the access log. Raises ``NotFound``."""
    claim = await repository.claim_in_reach(work, claim_id)
    return write_xlsx("statement", _HEAD, await _rows(work, claim))


async def statement_csv(work: Work, claim_id: UUID) -> bytes:
    """The same as CSV."""
    claim = await repository.claim_in_reach(work, claim_id)
    return write_csv(_HEAD, await _rows(work, claim))


def claim_public(claim: Claim) -> ClaimPublic:
    """The claim as it is shown."""
    return ClaimPublic(
        **claim.model_dump(exclude={"number", "area_code", "made_by", "making"}), number=_number(claim)
    )


def _number(claim: Claim) -> str:
    return f"JS-{claim.number or 0:06d}"


async def _rows(work: Work, claim: Claim) -> list[list[Cell]]:
    rows = await repository.line_rows(work, claim, None, None)
    await record_read(work, {line.resident_id for line, _, _ in rows}, "claim_statement", ["items", "amounts"])
    rows.sort(key=lambda row: (row[0].service_day, row[0].id))
    return [list(_cells(claim, *row)) for row in rows]


def _cells(claim: Claim, line: ClaimLine, order: Order, name: str) -> Iterator[Cell]:
    yield _number(claim)
    yield str(line.settlement_id)
    yield line.service_day.isoformat()
    yield masked_name(name)
    yield "、".join(one.item.name_zh for one in lines_of(order))
    yield str(line.book)
    yield yuan(line.asked_fen)
    yield "" if line.approved_fen is None else yuan(line.approved_fen)
    yield line.cut_reason
    yield "是" if line.is_held else ""
    yield "；".join(WORDS[Anomaly(flag)][0] for flag in line.flags)


def _line_public(line: ClaimLine, order: Order, name: str) -> ClaimLinePublic:
    return ClaimLinePublic(
        **line.model_dump(
            include={
                "id",
                "settlement_id",
                "order_id",
                "service_day",
                "book",
                "institution_id",
                "asked_fen",
                "is_held",
                "cleared_reason",
                "approved_fen",
                "cut_reason",
                "cut_action",
            }
        ),
        resident_name=masked_name(name),
        items=[one.item.name_zh for one in lines_of(order)],
        flags=[
            FlagPublic(code=Anomaly(flag), zh=WORDS[Anomaly(flag)][0], en=WORDS[Anomaly(flag)][1])
            for flag in line.flags
        ],
    )
