"""Profiles of terminals: what holds for every terminal of a model."""

from uuid import UUID

from fastapi import APIRouter, status

from api.deps import IfMatch, OnceDep, WorkDep
from devices.codecs.registry import NAMES
from services.rules.layers import check_profile_rules
from services.terminals import profile_desk, profiles
from services.terminals.registry_models import ProfileChange, ProfileCreate, ProfilePublic, ProvisionSecret

router = APIRouter(prefix="/terminal-profiles", tags=["terminals"])


@router.get("", operation_id="list_terminal_profiles", summary="Every profile, by code")
async def list_terminal_profiles(work: WorkDep) -> list[ProfilePublic]:
    """A few dozen at most. `verified` is false where nobody answers for the figures yet."""
    return [ProfilePublic.model_validate(profile) for profile in await profiles.list_profiles(work)]


@router.get("/{profile_id}", operation_id="get_terminal_profile", summary="One profile")
async def get_terminal_profile(profile_id: UUID, work: WorkDep) -> ProfilePublic:
    """Without its secret, which nobody can read."""
    return ProfilePublic.model_validate(await profiles.read_profile(work, profile_id))


@router.post(
    "", operation_id="create_terminal_profile", summary="Add a model", status_code=status.HTTP_201_CREATED
)
async def create_terminal_profile(work: WorkDep, body: ProfileCreate, once: OnceDep) -> ProfilePublic:
    """Its code is for good: terminals and lists are known by it."""
    check_profile_rules(body.default_rules)

    async def create() -> ProfilePublic:
        return ProfilePublic.model_validate(await profile_desk.create_profile(work, body, NAMES))

    answer: ProfilePublic = await once(work, create)
    return answer


@router.put("/{profile_id}", operation_id="change_terminal_profile", summary="Set a profile's figures")
async def change_terminal_profile(
    profile_id: UUID, body: ProfileChange, work: WorkDep, if_match: IfMatch
) -> ProfilePublic:
    """All of them. From now on the project's own data leaves this profile alone."""
    check_profile_rules(body.default_rules)
    profile = await profile_desk.change_profile(work, profile_id, body, NAMES, if_match)
    return ProfilePublic.model_validate(profile)


@router.post(
    "/{profile_id}/provision-secret",
    operation_id="renew_provision_secret",
    summary="Make a new secret for factory-new terminals",
)
async def renew_provision_secret(profile_id: UUID, work: WorkDep, if_match: IfMatch) -> ProvisionSecret:
    """Shown this once; the old one is refused from now on. The key stays."""
    return await profile_desk.renew_secret(work, profile_id, if_match)
