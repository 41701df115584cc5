"""Profiles of terminals: the project's defaults, and bringing them into the database."""

import json
from collections.abc import Sequence
from datetime import date
from importlib.resources import files
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from services.core.database import Work
from services.core.errors import NotFound
from services.core.refused import refused
from services.terminals import repository
from services.terminals.capabilities import Capabilities
from services.terminals.models import TerminalKind, TerminalProfile


class ProfileFigures(BaseModel):
    """What a county may set on a profile."""

    name_zh: str = Field(min_length=1, max_length=60, examples=["无线呼叫吊坠"])
    name_en: str = Field(min_length=1, max_length=60, examples=["Alarm pendant"])
    capabilities: Capabilities
    codec: str = Field("native_json", pattern=r"^[a-z][a-z0-9_]{0,39}$")
    heartbeat_seconds: int | None = Field(None, ge=5, le=86_400, description="NULL: speaks only when used.")
    inactivity_seconds: int | None = Field(None, ge=10, le=604_800, description="Silence that calls for a look.")
    battery_low_percent: int | None = Field(None, ge=1, le=99)
    signal_weak_dbm: int | None = Field(None, ge=-150, le=-1)
    test_interval_days: int | None = Field(None, ge=1, le=366, description="NULL: no test calls.")
    is_life_safety: bool = False
    default_rules: list[dict[str, Any]] = Field([], max_length=50)

    @model_validator(mode="after")
    def _silence_outlasts_a_heartbeat(self) -> "ProfileFigures":
        beat, silence = self.heartbeat_seconds, self.inactivity_seconds
        if beat is not None and silence is not None and silence <= beat:
            raise refused("silence_within_heartbeat", "heartbeat_seconds", "inactivity_seconds")
        return self


class ProfileSeed(ProfileFigures):
    """A default profile of ``data/profiles.json``."""

    id: UUID
    code: str
    kind: TerminalKind
    source: str
    data_version: str
    effective_date: date
    verified: bool


def seed_profiles() -> list[ProfileSeed]:
    """The default profiles, checked; their figures are proposals of the project and say so."""
    raw = json.loads(files("services.terminals").joinpath("data/profiles.json").read_text("utf-8"))
    origin = {
        "source": raw["source"],
        "data_version": raw["version"],
        "effective_date": raw["effective_date"],
        "verified": raw["verified"],
    }
    return [ProfileSeed.model_validate(profile | origin) for profile in raw["profiles"]]


async def load_profiles(work: Work) -> int:
    """Insert the default profiles, or bring those that follow an older version up to date; gives the number.

    A profile that the county has edited (``data_version`` NULL) or verified stays as it is.
    """
    stored = {profile.code: profile for profile in await repository.all_profiles(work)}
    touched = 0
    for seed in seed_profiles():
        values = seed.model_dump(exclude={"capabilities"}) | {"capabilities": seed.capabilities.model_dump()}
        row = stored.get(seed.code)
        if row is None:
            work.session.add(TerminalProfile(**values))
            touched += 1
        elif row.data_version not in (None, seed.data_version) and not row.verified:
            row.sqlmodel_update(values)
            row.version += 1
            touched += 1
    await work.session.flush()
    return touched


async def list_profiles(work: Work) -> Sequence[TerminalProfile]:
    """Every profile, by code."""
    return await repository.all_profiles(work)


async def read_profile(work: Work, profile_id: UUID) -> TerminalProfile:
    """One profile; ``NotFound``."""
    profile = await repository.find_profile(work, profile_id)
    if profile is None:
        raise NotFound
    return profile
