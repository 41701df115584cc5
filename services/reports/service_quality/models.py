"""Figures about the service itself, each with its numerator and denominator."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from services.catalogue.models import Category


class Share(BaseModel):
    """How many of how many."""

    code: str = Field(examples=["on_time"])
    zh: str
    en: str
    numerator: int
    denominator: int
    share: float | None = Field(description="None where there was nothing to count.")


class QualityRow(BaseModel):
    """One centre, of all its services or of one category."""

    centre_id: UUID | None = Field(description="`null`: all centres in reach together.")
    centre_name_zh: str | None
    centre_name_en: str | None
    category: Category | None = Field(description="`null`: all categories.")
    orders: int = Field(description="Whose window began in the month.")
    shares: list[Share]
    satisfaction: float | None = Field(description="Mean of the ratings, 1 to 5.")
    ratings: int


class QualityFigures(BaseModel):
    """A month of the business calendar, counted at `taken_at`."""

    month: str = Field(examples=["2026-11"])
    start: datetime
    end: datetime
    taken_at: datetime
    rows: list[QualityRow]
