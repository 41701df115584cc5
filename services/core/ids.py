"""Keys that sort by the time they were made."""

from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """A UUIDv7: the database's index grows at its end, and a page of rows can be cut by key."""
    return uuid7()
