"""Cursor pages: newest first by UUIDv7 key; the cursor is the last key that was shown."""

from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar
from uuid import UUID

from fastapi import Depends, Query
from pydantic import BaseModel

T = TypeVar("T")


class Page(BaseModel, Generic[T]):
    """Some rows and, when there may be more, the cursor for the next."""

    items: list[T]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class PageRequest:
    """How many rows, and after which key."""

    limit: int
    cursor: UUID | None


async def get_page(
    limit: Annotated[int, Query(ge=1, le=100, description="Rows a page.")] = 20,
    cursor: Annotated[UUID | None, Query(description="`next_cursor` of the page before.")] = None,
) -> PageRequest:
    """Read the two query parameters."""
    return PageRequest(limit=limit, cursor=cursor)


PageDep = Annotated[PageRequest, Depends(get_page)]


def next_cursor(keys: list[UUID], page: PageRequest) -> str | None:
    """The cursor after a page whose keys are given; ``None`` when the page was not full."""
    return str(keys[-1]) if len(keys) == page.limit else None
