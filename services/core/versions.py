"""``If-Match``: a change is meant for the version that its author saw."""

from typing import Protocol

from services.core.errors import VersionMismatch


class HasVersion(Protocol):
    """A row that counts its changes."""

    version: int


def expect_version(row: HasVersion, expected: int | None) -> None:
    """Compare with the locked row; ``None`` stands for any version. Raises ``VersionMismatch``."""
    if expected is not None and row.version != expected:
        raise VersionMismatch(current=row.version, expected=expected)
