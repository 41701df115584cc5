"""Service-quality figures of a month, by centre and category, with a roll-up over all in reach."""

from collections.abc import Sequence
from datetime import date, timedelta

from sqlalchemy import RowMapping

from services.catalogue.models import Category
from services.core.database import Work
from services.credit.rules import seed_rules
from services.reports.alarms.queries import centres
from services.reports.service_quality import queries
from services.reports.service_quality.figures import SHARES, OrderFacts, count, mean_score
from services.reports.service_quality.models import QualityFigures, QualityRow, Share
from services.vitals.buckets import day_start
from services.vitals.summary import next_month


async def quality_figures(work: Work, month: date) -> QualityFigures:
    """Of the actor's centre, or of every centre in the actor's area with a line for all together.

    On time is what the credit rules call on time.
    """
    start, end = day_start(month), day_start(next_month(month))
    own = work.actor.centre_id
    tolerance = timedelta(minutes=seed_rules().on_time_minutes)
    facts = await queries.order_facts(work, start, end, tolerance, own)
    rows = [
        row
        for centre in await centres(work, own)
        for row in _rows(centre, [one for one in facts if one.centre_id == centre["id"]])
    ]
    if own is None:
        rows += _rows(None, facts)
    return QualityFigures(month=f"{month:%Y-%m}", start=start, end=end, taken_at=work.now, rows=rows)


def _rows(centre: RowMapping | None, facts: Sequence[OrderFacts]) -> list[QualityRow]:
    """One line of all categories, and one for each that was ordered."""
    ordered = sorted({one.category for one in facts}, key=list(Category).index)
    return [
        _row(centre, None, facts),
        *(_row(centre, category, [one for one in facts if one.category is category]) for category in ordered),
    ]


def _row(centre: RowMapping | None, category: Category | None, facts: Sequence[OrderFacts]) -> QualityRow:
    shares = []
    for rule in SHARES:
        above, below = count(rule, facts)
        share = round(above / below, 4) if below else None
        shares.append(
            Share(code=rule.code, zh=rule.zh, en=rule.en, numerator=above, denominator=below, share=share)
        )
    return QualityRow(
        centre_id=None if centre is None else centre["id"],
        centre_name_zh=None if centre is None else centre["name_zh"],
        centre_name_en=None if centre is None else centre["name_en"],
        category=category,
        orders=len(facts),
        shares=shares,
        satisfaction=mean_score(facts),
        ratings=sum(one.score is not None for one in facts),
    )
