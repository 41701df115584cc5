"""Editing profiles: the county's work. What terminals of a profile do follows within seconds, in every process."""

import secrets
from collections.abc import Collection
from typing import Any
from uuid import UUID

from services.centres.service import centre_in_reach
from services.core.database import Work
from services.core.errors import InvalidInput, NotFound, VersionMismatch
from services.terminals import repository
from services.terminals.credentials import hash_password, make_password
from services.terminals.errors import CodeTaken
from services.terminals.models import TerminalProfile
from services.terminals.registry_models import ProfileChange, ProfileCreate, ProvisionSecret

_KEY_BYTES = 9


async def create_profile(work: Work, new: ProfileCreate, codecs: Collection[str]) -> TerminalProfile:
    """A profile of the county's own. ``CodeTaken``; ``InvalidInput`` for a codec that is not among ``codecs``.

    A wrong codec would make every alarm of the model one that cannot be read.
    """
    await _check(work, new, codecs)
    profile = TerminalProfile(code=new.code, kind=new.kind, **_figures(new))
    if not await repository.add_profile(work, profile):
        raise CodeTaken
    return profile


async def change_profile(
    work: Work, profile_id: UUID, change: ProfileChange, codecs: Collection[str], if_match: int | None = None
) -> TerminalProfile:
    """Set a profile's figures. From now on it is the county's, and the project's data leaves it alone."""
    profile = await _locked(work, profile_id, if_match)
    await _check(work, change, codecs)
    profile.sqlmodel_update(_figures(change))
    profile.version += 1
    return profile


async def renew_secret(work: Work, profile_id: UUID, if_match: int | None = None) -> ProvisionSecret:
    """A new secret for the factory-new terminals of a profile, shown this once; the old one ends now."""
    profile = await _locked(work, profile_id, if_match)
    secret = make_password()
    profile.provision_key = profile.provision_key or f"{profile.code}-{secrets.token_hex(_KEY_BYTES)}"
    profile.provision_secret_hash = hash_password(secret)
    profile.version += 1
    return ProvisionSecret(
        id=profile.id,
        provision_key=profile.provision_key,
        provision_secret=secret,
        version=profile.version,
    )


async def _locked(work: Work, profile_id: UUID, if_match: int | None) -> TerminalProfile:
    profile = await repository.find_profile(work, profile_id, lock=True)
    if profile is None:
        raise NotFound
    if if_match is not None and if_match != profile.version:
        raise VersionMismatch(current=profile.version)
    return profile


async def _check(work: Work, change: ProfileChange, codecs: Collection[str]) -> None:
    if change.codec not in codecs:
        raise InvalidInput(f"the codecs are {', '.join(sorted(codecs))}", field="codec")
    if change.allow_new and change.intake_centre_id is None:
        raise InvalidInput("unknown terminals need a centre to go to", field="intake_centre_id")
    if change.intake_centre_id is not None:
        await centre_in_reach(work, change.intake_centre_id)


def _figures(change: ProfileChange) -> dict[str, Any]:
    values = change.model_dump(exclude={"code", "kind"})
    return values | {"data_version": None, "effective_date": None}
