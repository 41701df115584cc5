"""Times and days as people write them: inside a calendar whose edges no zone and no span of time reaches."""

from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import AwareDatetime, Field

FIRST_DAY = date(1900, 1, 1)
LAST_DAY = date(2199, 12, 31)

Moment = Annotated[
    AwareDatetime,
    Field(ge=datetime(1900, 1, 1, tzinfo=UTC), le=datetime(2199, 12, 31, tzinfo=UTC)),
]
"""A time with its offset."""

Day = Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY)]
"""A day of the business calendar."""
