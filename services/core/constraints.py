"""Which of the database's own rules a refused statement has broken."""

from sqlalchemy.exc import IntegrityError


def violates(error: IntegrityError, constraint: str) -> bool:
    """Whether the database refused because of this constraint; asyncpg's error stands behind the wrapper."""
    cause = getattr(error.orig, "__cause__", None)
    return getattr(cause, "constraint_name", None) == constraint
