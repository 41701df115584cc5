"""What somebody may ask for: what, when, who, and how to get in. Input only; ``orders.placing`` reads it."""

import itertools
from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.core.calendar import Moment
from services.core.refused import refused
from services.residents.models import Gender

MOST_ITEMS = 8
MOST_WINDOWS = 7
"""Alternatives of one request: a week of mornings."""


class AskedItem(BaseModel):
    """One item and how much of it."""

    model_config = ConfigDict(extra="forbid")

    item_code: str = Field(min_length=1, max_length=60)
    quantity: int = Field(1, ge=1, le=12, description="Units of the item: meals, hours, visits.")


class Window(BaseModel):
    """A time in which the visit may lie as a whole."""

    model_config = ConfigDict(extra="forbid")

    start: Moment = Field(description="Earliest start; in the future.")
    end: Moment = Field(description="Latest end; at most 90 days ahead.")


class Access(BaseModel):
    """How to get in. The place of the key stays sealed on the resident's record, whatever stands here."""

    model_config = ConfigDict(extra="forbid")

    floor: int | None = Field(None, ge=-3, le=60)
    has_lift: bool | None = None
    has_dog: bool | None = None
    key_box_known: bool | None = Field(None, description="A key box is on record; default: whether one is.")


class Caller(BaseModel):
    """Who was on the phone."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=40, examples=["王女士"])
    relation: str = Field("", max_length=20, examples=["女儿"])


class Wishes(BaseModel):
    """Who should come, and what they should know."""

    model_config = ConfigDict(extra="forbid")

    note: str = Field("", max_length=500)
    preferred_gender: Gender | None = Field(None, description="Default: what the resident's record says.")
    gender_is_must: bool = Field(False, description="Nobody else may come.")
    preferred_caregiver_id: UUID | None = Field(None, description="A caregiver whom the resident knows.")
    preferred_dialect: str = Field("", max_length=40, description="Default: what the resident's record says.")
    access: Access = Access()


PackageUse = Literal["if_left", "required", "none"]
"""Whether the resident's packages pay: where enough is left, or the order is refused, or never."""


class Asked(BaseModel):
    """What is asked for, for whom and when: the part of an order that has a price.

    One item may be written as ``item_code`` and ``quantity``, one window as ``window_start`` and ``window_end``.
    """

    model_config = ConfigDict(extra="forbid")

    resident_id: UUID
    items: list[AskedItem] = Field([], max_length=MOST_ITEMS, description="Done one after the other in one visit.")
    item_code: str | None = Field(None, min_length=1, max_length=60, description="Short form of one item.")
    quantity: int = Field(1, ge=1, le=12, description="Units of `item_code`: meals, hours, visits.")
    windows: list[Window] = Field([], max_length=MOST_WINDOWS, description="Alternatives; one is used.")
    window_start: Moment | None = Field(None, description="Short form of one window: earliest start.")
    window_end: Moment | None = Field(None, description="Short form of one window: latest end.")
    is_urgent: bool = False
    packages: PackageUse = "if_left"

    @model_validator(mode="after")
    def _in_one_form(self) -> Self:
        if self.items and (self.item_code is not None or "quantity" in self.model_fields_set):
            raise refused("exactly_one", "items", "item_code")
        if (self.window_start is None) != (self.window_end is None):
            raise refused("start_and_end_together", "window_start", "window_end")
        if self.windows and self.window_start is not None:
            raise refused("exactly_one", "windows", "window_start")
        codes = [item.item_code for item in self.items]
        if len(set(codes)) < len(codes):
            raise refused("same_item_twice", "items")
        ordered = sorted(self.windows, key=lambda window: window.start)
        if any(later.start < earlier.end for earlier, later in itertools.pairwise(ordered)):
            raise refused("windows_overlap", "windows")
        return self

    def asked_items(self) -> list[AskedItem]:
        """The items in either form; empty when a quote says them."""
        if self.item_code is not None:
            return [AskedItem(item_code=self.item_code, quantity=self.quantity)]
        return self.items

    def asked_windows(self) -> list[tuple[datetime, datetime]]:
        """The windows in either form, by start; empty when a quote says them."""
        if self.window_start is not None and self.window_end is not None:
            return [(self.window_start, self.window_end)]
        return sorted((window.start, window.end) for window in self.windows)

    def require_complete(self) -> None:
        """Raises the refusal of a field that is missing."""
        if not self.asked_items():
            raise refused("what_is_missing", "items")
        if not self.asked_windows():
            raise refused("when_is_missing", "windows")


class QuoteCreate(Asked):
    """What a price is asked for; the same checks as for an order."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "resident_id": "019329a4-5b1c-7d2e-8f30-0a1b2c3d4e5f",
                    "items": [
                        {"item_code": "wound_dressing", "quantity": 1},
                        {"item_code": "meal_delivery", "quantity": 2},
                    ],
                    "windows": [
                        {"start": "2026-11-24T09:00:00+08:00", "end": "2026-11-24T11:30:00+08:00"},
                        {"start": "2026-11-26T09:00:00+08:00", "end": "2026-11-26T11:30:00+08:00"},
                    ],
                }
            ]
        },
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        self.require_complete()
        return self


class OrderCreate(Asked, Wishes):
    """What somebody orders, for whom and when. Where the order goes and how it came are ours to tell.

    With ``quote_id`` the items and windows are the quote's and may be left out; other ones are refused.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "resident_id": "019329a4-5b1c-7d2e-8f30-0a1b2c3d4e5f",
                    "item_code": "wound_dressing",
                    "window_start": "2026-11-24T09:00:00+08:00",
                    "window_end": "2026-11-24T11:30:00+08:00",
                    "note": "大门在屋后",
                    "access": {"floor": 3, "has_lift": False, "has_dog": True},
                },
                {
                    "resident_id": "019329a4-5b1c-7d2e-8f30-0a1b2c3d4e5f",
                    "quote_id": "019329a4-6c00-7a11-9f42-0a1b2c3d4e5f",
                    "preferred_gender": "female",
                    "gender_is_must": True,
                },
            ]
        },
    )

    quote_id: UUID | None = Field(None, description="Order exactly what was quoted, at that price.")
    caller: Caller | None = Field(None, description="Who called, where the desk orders on the phone.")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.quote_id is None:
            self.require_complete()
        return self


class RescheduleRequest(BaseModel):
    """Other windows for an order that nobody has taken yet."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "windows": [{"start": "2026-11-25T09:00:00+08:00", "end": "2026-11-25T11:30:00+08:00"}],
                    "reason": "那天要去县医院复查",
                }
            ]
        },
    )

    windows: list[Window] = Field(min_length=1, max_length=MOST_WINDOWS)
    reason: str = Field("", max_length=200)

    @model_validator(mode="after")
    def _apart(self) -> Self:
        ordered = sorted(self.windows, key=lambda window: window.start)
        if any(later.start < earlier.end for earlier, later in itertools.pairwise(ordered)):
            raise refused("windows_overlap", "windows")
        return self

    def asked_windows(self) -> list[tuple[datetime, datetime]]:
        """By start."""
        return sorted((window.start, window.end) for window in self.windows)


class WishesChange(BaseModel):
    """Other wishes. What is left out stays; an empty value takes the wish back."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"note": "请带换药包", "access": {"has_dog": True}}]}
    )

    note: str | None = Field(None, max_length=500)
    preferred_gender: Gender | None = None
    gender_is_must: bool | None = None
    preferred_caregiver_id: UUID | None = None
    preferred_dialect: str | None = Field(None, max_length=40)
    access: Access | None = None
    reason: str = Field("", max_length=200)

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.model_fields_set - {"reason"}:
            raise refused("nothing_changed", "note")
        return self

    def who_changes(self) -> bool:
        """Whether somebody who has already taken the order may no longer be the right one."""
        return bool(
            self.model_fields_set
            & {"preferred_gender", "gender_is_must", "preferred_caregiver_id", "preferred_dialect"}
        )
