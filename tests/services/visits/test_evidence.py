"""Pictures, cards, checks before a bath, supplies, incidents, and a door that nobody opens."""

import asyncio
import struct
import zlib
from datetime import timedelta

import pytest
from cryptography.exceptions import InvalidTag
from sqlalchemy import text

from services.consents.models import Consent, ConsentMethod, ConsentPurpose, Giver
from services.core.actor import Role
from services.core.errors import NotFound, VersionMismatch
from services.core.ids import new_id
from services.events import VisitIncidentMoved
from services.orders.states import OrderStatus
from services.visits.acts.models import ActKind
from services.visits.acts.proving import ProofDiffers, keep_proof
from services.visits.acts.reporting import report_live
from services.visits.cards.service import print_card, replace_card
from services.visits.cards.tokens import read_token, token_of
from services.visits.errors import (
    AlreadyServed,
    ImplausibleReading,
    NoPhotoConsent,
    NotInService,
    VitalCheckFirst,
)
from services.visits.incidents.models import IncidentClose, IncidentReport
from services.visits.incidents.service import close, list_incidents, take, tell_managers
from services.visits.incidents.states import IncidentStatus
from services.visits.models import NoShow, NoteAct, ReadingAct, TaskAct
from services.visits.proofs.images import MAX_BYTES, NotAPicture, PictureTooLarge, clean
from services.visits.proofs.models import ProofKind, ProofNotice, ProofPublic
from services.visits.proofs.service import clear_proofs, list_proofs, read_proof
from services.visits.record import read_record
from services.visits.repository import supplies_of_order
from services.visits.service import act, check_in
from services.visits.states import VisitStatus
from services.visits.supplies.models import SupplyUse
from tests.evidence import PNG
from tests.ordering import HOME, Ordering
from tests.services.visits.offline import Offline, begin


def chunk(kind: bytes, content: bytes) -> bytes:
    """A PNG chunk with its checksum."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


GPS = b"GPSLatitude 28.3"
JPEG_HEAD = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
JPEG_TAIL = b"\xff\xda\x00\x04\x01\x00" + b"\x12\x34\xff\x00\x56\xff\xd0\x78" + b"\xff\xd9"
EXIF = b"\xff\xe1" + (len(GPS) + 8).to_bytes(2) + b"Exif\x00\x00" + GPS
WEBP_PIXELS = b"VP8L" + (4).to_bytes(4, "little") + b"\x2f\x00\x00\x00"
WEBP_EXIF = b"EXIF" + len(GPS).to_bytes(4, "little") + GPS


def webp(*chunks: bytes) -> bytes:
    """A WebP file of these chunks."""
    inside = b"WEBP" + b"".join(chunks)
    return b"RIFF" + len(inside).to_bytes(4, "little") + inside


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (JPEG_HEAD + EXIF + JPEG_TAIL, "image/jpeg"),
        (JPEG_HEAD + b"\xff\xfe\x00\x12" + GPS + JPEG_TAIL + b"trailer " + GPS, "image/jpeg"),
        (JPEG_HEAD + JPEG_TAIL[:-2] + EXIF + JPEG_TAIL + JPEG_HEAD + EXIF + JPEG_TAIL, "image/jpeg"),
        (PNG[:33] + chunk(b"eXIf", GPS) + chunk(b"tEXt", GPS) + PNG[33:], "image/png"),
        (webp(b"VP8X" + (10).to_bytes(4, "little") + b"\x08" + bytes(9), WEBP_PIXELS, WEBP_EXIF), "image/webp"),
    ],
)
def test_a_picture_is_known_by_its_content_and_loses_where_it_was_taken(content: bytes, media_type: str) -> None:
    found, cleaned = clean(content)
    assert found == media_type
    assert GPS not in cleaned
    assert clean(cleaned) == (media_type, cleaned), "what is clean stays as it is"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GIF89a",
        b"%PDF-1.7",
        b"\xff\xd8\xff",
        JPEG_HEAD,
        PNG[:40],
        webp(WEBP_EXIF),
        b"RIFF\xff\xff\xff\xffWEBP",
    ],
)
def test_what_is_no_whole_picture_is_refused(content: bytes) -> None:
    with pytest.raises(NotAPicture):
        clean(content)


def test_a_picture_has_two_megabytes_at_most() -> None:
    with pytest.raises(PictureTooLarge):
        clean(PNG + bytes(MAX_BYTES))


async def consent(ordering: Ordering) -> None:
    """The resident agrees to photos."""
    resident = ordering.world.here.households[0].resident
    async with ordering.work() as work:
        work.session.add(
            Consent(
                resident_id=resident.id,
                area_code=resident.area_code,
                purpose=ConsentPurpose.VISIT_PHOTOS,
                giver=Giver.RESIDENT,
                how=ConsentMethod.IN_APP,
                text_version="test",
                given_at=work.now,
                recorded_role="resident",
            )
        )


async def send(offline: Offline, notice: ProofNotice, content: bytes = PNG) -> ProofPublic:
    """The caregiver sends a picture."""
    ordering = offline.ordering
    async with ordering.work(ordering.as_caregiver(offline.caregiver_id)) as work:
        return await keep_proof(work, ordering.world.vault, offline.visit_id, notice, content)


async def test_photos_take_consent_and_are_kept_sealed(ordering: Ordering) -> None:
    offline = await begin(ordering, whole=False)
    photo = ProofNotice(proof_id=new_id(), kind=ProofKind.PHOTO, device_at=ordering.clock.now())
    with pytest.raises(NoPhotoConsent):
        await send(offline, photo)
    await consent(ordering)
    kept = await send(offline, photo)
    assert (kept.media_type, kept.size, kept.kind) == ("image/png", len(PNG), ProofKind.PHOTO)
    assert await send(offline, photo) == kept, "the same again is the same"
    with pytest.raises(ProofDiffers):
        await send(offline, photo, JPEG_HEAD + JPEG_TAIL)
    async with ordering.work() as work:
        (sealed,) = await work.sql(text("SELECT sealed FROM visit_proof WHERE sha256 = :h"), {"h": kept.sha256})
    assert PNG not in sealed[0]
    vault = ordering.world.vault
    with pytest.raises(InvalidTag):
        vault.unseal(sealed[0], "another purpose")
    for actor in (ordering.dispatcher, ordering.resident, ordering.actor(Role.FAMILY)):
        async with ordering.work(actor) as work:
            assert await read_proof(work, vault, offline.visit_id, kept.proof_id) == ("image/png", PNG)
    async with ordering.work() as work:
        reads = await work.sql(
            text("SELECT count(*) FROM access_log WHERE resident_id = :r AND resource = 'visit_proof'"),
            {"r": offline.order.resident_id},
        )
        assert reads.scalar_one() == 2, "the resident's own look leaves no row"
    stranger = ordering.actor(Role.DISPATCHER, ordering.world.neighbour)
    with pytest.raises(NotFound):
        async with ordering.work(stranger) as work:
            await read_proof(work, vault, offline.visit_id, kept.proof_id)


async def test_a_signature_confirms_the_service(ordering: Ordering) -> None:
    offline = await begin(ordering)
    await offline.send(*offline.acts)
    signed_at = ordering.clock.now()
    await send(offline, ProofNotice(proof_id=new_id(), kind=ProofKind.SIGNATURE, device_at=signed_at))
    assert (await offline.shown()).confirmed_at == signed_at


async def test_a_picture_sent_twice_at_once_is_kept_once(ordering: Ordering) -> None:
    offline = await begin(ordering, whole=False)
    notice = ProofNotice(proof_id=new_id(), kind=ProofKind.SIGNATURE, device_at=ordering.clock.now())
    answers = await asyncio.gather(*(send(offline, notice) for _ in range(8)))
    assert len({answer.model_dump_json() for answer in answers}) == 1
    async with ordering.work(ordering.dispatcher) as work:
        assert len(await list_proofs(work, offline.visit_id)) == 1


async def test_a_picture_is_forgotten_in_time_and_its_hash_is_not(ordering: Ordering) -> None:
    offline = await begin(ordering, whole=False)
    notice = ProofNotice(proof_id=new_id(), kind=ProofKind.SIGNATURE, device_at=ordering.clock.now())
    kept = await send(offline, notice)
    ordering.clock.forward(hours=24 * 366)
    async with ordering.work() as work:
        (cleared,) = await clear_proofs(work, batch=10_000)
    assert cleared.what == "visit_proof"
    async with ordering.work(ordering.dispatcher) as work:
        (left,) = await list_proofs(work, offline.visit_id)
        assert (left.sha256, left.deleted_at is not None) == (kept.sha256, True)
        with pytest.raises(NotFound):
            await read_proof(work, ordering.world.vault, offline.visit_id, kept.proof_id)


async def test_the_card_at_the_door_starts_a_visit_and_nothing_else(ordering: Ordering) -> None:
    vault = ordering.world.vault
    resident = ordering.world.here.households[0].resident
    async with ordering.work(ordering.dispatcher) as work:
        printed = await print_card(work, vault, resident.id)
        assert await print_card(work, vault, resident.id) == printed
    assert printed.startswith(b"<svg")
    async with ordering.work() as work:
        (row,) = await work.sql(text("SELECT id FROM door_card WHERE resident_id = :r"), {"r": resident.id})
    token = token_of(vault, row[0], 1)
    assert str(resident.id) not in token
    assert resident.name not in token
    assert read_token(vault, token[:-1] + ("0" if token[-1] != "0" else "1")) is None
    assert read_token(vault, token.replace(".1.", ".2.")) is None, "nobody makes an edition of their own"
    offline = await begin(ordering, whole=False)
    door = ordering.at_door(offline.order, start_code=None, card=token)
    async with ordering.work(ordering.as_caregiver(offline.caregiver_id)) as work:
        inside = await check_in(work, offline.visit_id, door, None, vault)
    assert inside.flags == []
    assert inside.status is VisitStatus.IN_SERVICE


async def test_a_lost_card_is_void(ordering: Ordering) -> None:
    vault = ordering.world.vault
    resident, other = (one.resident for one in ordering.world.here.households)
    async with ordering.work(ordering.dispatcher) as work:
        await print_card(work, vault, resident.id)
        replaced = await replace_card(work, resident.id, "卡片遗失", 1)
        await print_card(work, vault, other.id)
    assert replaced.edition == 2
    with pytest.raises(VersionMismatch):
        async with ordering.work(ordering.dispatcher) as work:
            await replace_card(work, resident.id, "再换一张", 1)
    async with ordering.work() as work:
        statement = text("SELECT id FROM door_card WHERE resident_id = :r")
        ((mine,),) = await work.sql(statement, {"r": resident.id})
        ((hers,),) = await work.sql(statement, {"r": other.id})
    for token, flag in (
        (token_of(vault, mine, 1), "replaced_card"),
        (token_of(vault, hers, 1), "wrong_card"),
        ("GY1.nonsense", "wrong_card"),
    ):
        offline = await begin(ordering, whole=False)
        door = ordering.at_door(offline.order, start_code=None, card=token)
        async with ordering.work(ordering.as_caregiver(offline.caregiver_id)) as work:
            assert (await check_in(work, offline.visit_id, door, None, vault)).flags == [flag]


async def inside(ordering: Ordering) -> Offline:
    """A bath that has just begun."""
    offline = await begin(ordering, whole=False)
    await ordering.check_in(offline.order, offline.visit_id, offline.caregiver_id)
    return offline


async def do(offline: Offline, kind: ActKind, said: object) -> object:
    """One live act."""
    ordering = offline.ordering
    async with ordering.work(ordering.as_caregiver(offline.caregiver_id)) as work:
        return await act(work, offline.visit_id, kind, said, None)


async def test_nobody_bathes_before_a_vital_check(ordering: Ordering) -> None:
    offline = await inside(ordering)
    now = ordering.clock.now()
    bathe = TaskAct(code="bathe", device_at=now)
    with pytest.raises(VitalCheckFirst):
        await do(offline, ActKind.TASK, bathe)
    await do(offline, ActKind.TASK, TaskAct(code="bathe", state="skipped", reason="血压高", device_at=now))
    await do(offline, ActKind.READING, ReadingAct(kind="glucose", value=6.1, device_at=now))
    with pytest.raises(VitalCheckFirst):
        await do(offline, ActKind.TASK, bathe)
    await do(offline, ActKind.READING, ReadingAct(kind="heart_rate", value=76, device_at=now))
    ordering.clock.forward(minutes=1)
    await do(offline, ActKind.TASK, TaskAct(code="bathe", device_at=ordering.clock.now()))


async def test_a_bath_without_a_check_is_flagged(ordering: Ordering) -> None:
    order, detail = await ordering.assigned("bathing")
    (visit,) = detail.visits
    await ordering.check_in(order, visit.id, visit.caregiver_id)
    ordering.clock.forward(minutes=order.duration_minutes)
    ended = await ordering.check_out(order, visit.id, visit.caregiver_id, readings=[])
    assert ended.flags == ["vital_check_missing"]


async def test_a_check_after_the_bath_is_none(ordering: Ordering) -> None:
    offline = await begin(ordering)
    reading = next(done for done in offline.acts if done.do == "reading")
    late = {"device_at": reading.device_at + timedelta(minutes=50)}
    offline.acts[offline.acts.index(reading)] = reading.model_copy(update=late)
    await offline.send(*offline.acts)
    assert (await offline.shown()).flags == ["vital_check_missing"]


async def test_live_acts_wait_for_the_check_in_and_versions_count(ordering: Ordering) -> None:
    offline = await begin(ordering, whole=False)
    now = ordering.clock.now()
    with pytest.raises(NotInService):
        await do(offline, ActKind.TASK, TaskAct(code="identity", device_at=now))
    began = await ordering.check_in(offline.order, offline.visit_id, offline.caregiver_id)
    ticked = TaskAct(code="identity", device_at=now)
    async with ordering.work(ordering.as_caregiver(offline.caregiver_id)) as work:
        first = await act(work, offline.visit_id, ActKind.TASK, ticked, began.version)
        again = await act(work, offline.visit_id, ActKind.TASK, ticked, began.version)
        assert again == first, "a double tap is harmless"
    with pytest.raises(VersionMismatch):
        async with ordering.work(ordering.as_caregiver(offline.caregiver_id)) as work:
            await act(work, offline.visit_id, ActKind.NOTE, NoteAct(text="x", device_at=now), began.version)


@pytest.mark.parametrize(
    "said",
    [
        {"kind": "blood_pressure", "systolic": 82, "diastolic": 138},
        {"kind": "temperature", "value": 97.9},
        {"kind": "weight", "value": 560},
        {"kind": "glucose", "value": 110},
    ],
)
async def test_the_impossible_is_refused_with_a_hint(ordering: Ordering, said: dict[str, object]) -> None:
    offline = await inside(ordering)
    with pytest.raises(ImplausibleReading) as refused:
        await do(offline, ActKind.READING, ReadingAct(device_at=ordering.clock.now(), **said))
    assert refused.value.extra["field"]
    assert (await offline.shown()).readings == []


async def test_what_was_used_is_there_to_be_billed(ordering: Ordering) -> None:
    offline = await inside(ordering)
    now = ordering.clock.now()
    gauze = SupplyUse(code="gauze", name="纱布", kind="consumable", quantity=3, unit_fen=120, device_at=now)
    insulin = SupplyUse(code="insulin", name="胰岛素", kind="drug", lot="A17", device_at=now)
    await do(offline, ActKind.SUPPLY, gauze)
    await do(offline, ActKind.SUPPLY, insulin)
    async with ordering.work() as work:
        used = await supplies_of_order(work, offline.order.id)
    assert [(one.code, one.kind, one.quantity, one.unit_fen) for one in used] == [
        ("gauze", "consumable", 3, 120),
        ("insulin", "drug", 1, None),
    ]


async def test_an_incident_reaches_the_desk_and_is_closed_there(ordering: Ordering) -> None:
    offline = await inside(ordering)
    said = IncidentReport(kind="fall", severity="severe", words="起身时滑倒", device_at=ordering.clock.now())
    async with ordering.work(ordering.as_caregiver(offline.caregiver_id)) as work:
        reported = await report_live(work, offline.visit_id, said)
    moved = VisitIncidentMoved(
        area_code=offline.order.area_code,
        centre_id=offline.order.centre_id,
        visit_id=offline.visit_id,
        incident_id=reported.id,
        kind="fall",
        severity="severe",
        status="reported",
    )
    for _ in range(2):
        async with ordering.work() as work:
            await tell_managers(work, moved)
    async with ordering.work(ordering.dispatcher) as work:
        told = await work.sql(
            text("SELECT account_id FROM notification WHERE template = 'visit_incident' AND centre_id = :c"),
            {"c": offline.order.centre_id},
        )
        assert told.scalars().all() == [ordering.world.here.staff[Role.CENTRE_MANAGER].id]
        taken = await take(work, reported.id, reported.version)
        assert (taken.status, taken.taken_by) == (IncidentStatus.TAKEN, ordering.dispatcher.account_id)
        assert await take(work, reported.id, reported.version) == taken
        closed = await close(work, reported.id, IncidentClose(outcome="村医已看"), taken.version)
        assert closed.status is IncidentStatus.CLOSED
        assert [one.id for one in await list_incidents(work, 20, None, [], offline.visit_id)] == [reported.id]
        assert await list_incidents(work, 20, None, [IncidentStatus.REPORTED]) == []
    async with ordering.work(ordering.actor(Role.COUNTY_OFFICER)) as work:
        (seen,) = await list_incidents(work, 20, None, [], offline.visit_id)
    assert (seen.words, seen.outcome) == ("", None), "who supervises reads that it was, not the words"


async def test_nobody_at_home_ends_the_visit_without_a_service(ordering: Ordering) -> None:
    offline = await begin(ordering, whole=False)
    said = NoShow(
        device_at=ordering.clock.now(), latitude=HOME[0], longitude=HOME[1], waited_minutes=20, tried="电话未接"
    )
    gone = await do(offline, ActKind.NO_SHOW, said)
    assert await do(offline, ActKind.NO_SHOW, said) == gone, "a double tap is harmless"
    visit = await offline.shown()
    assert (visit.status, visit.flags, visit.care_started_at) == (VisitStatus.NO_SHOW, [], None)
    assert (await ordering.read(offline.order.id)).status is OrderStatus.NOT_SERVED
    async with ordering.work(ordering.dispatcher) as work:
        record = await read_record(work, offline.visit_id)
        rows = await work.sql(
            text("SELECT name FROM outbox WHERE centre_id = :c AND name LIKE 'order.%' ORDER BY id DESC LIMIT 1"),
            {"c": offline.order.centre_id},
        )
    ((incident,), last) = (record.incidents, rows.scalar_one())
    assert (incident.kind, incident.severity, incident.done) == ("nobody_home", "serious", "电话未接")
    assert last == "order.not_served", "nothing completed, nothing to bill"


async def test_what_was_begun_is_no_no_show(ordering: Ordering) -> None:
    offline = await inside(ordering)
    await do(offline, ActKind.TASK, TaskAct(code="identity", device_at=ordering.clock.now()))
    with pytest.raises(AlreadyServed):
        await do(offline, ActKind.NO_SHOW, NoShow(device_at=ordering.clock.now()))
