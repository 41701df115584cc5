"""Column types that every table shares."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Column, DateTime, Dialect, Enum, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """``timestamptz`` that refuses naive values and always gives UTC back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  signature
        if value is not None and value.tzinfo is None:
            raise ValueError("a moment without time zone cannot be stored")
        return value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  signature
        return None if value is None else value.astimezone(UTC)


class TextArray(TypeDecorator[list[str]]):
    """``text[]``."""

    impl = ARRAY(Text)
    cache_ok = True


def enum_column(kind: type[StrEnum], check_name: str | None = None, **options: Any) -> Column[Any]:
    """A text column that holds one of the enum's values, checked by the database as well.

    ``check_name`` tells two columns of the same kind in one table apart.
    """
    options.setdefault("nullable", False)
    values = Enum(
        kind,
        native_enum=False,
        create_constraint=True,
        length=40,
        name=check_name or kind.__name__.lower(),
        values_callable=lambda members: [m.value for m in members],
    )
    return Column(values, **options)
