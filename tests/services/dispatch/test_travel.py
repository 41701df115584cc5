"""Travel times: asked of a server by coordinates alone, remembered, and the straight line wherever it fails."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from services.caregivers.models import TravelMode
from services.core.geo import Point
from services.core.settings import Settings
from services.dispatch.travel import paces, travel_matrix, travel_seconds
from services.dispatch.travel.cells import Memory, cell_of
from services.dispatch.travel.providers import PROVIDERS, Matrix, Osrm
from services.dispatch.travel.service import TravelTimes, from_settings

CAR = TravelMode.CAR
PLACES = [Point(28.30 + number / 100, 113.20 + number / 50) for number in range(5)]
FIXED = paces()[CAR].fixed_seconds


@dataclass
class Roads:
    """A server that knows a way of 100 s a hundredth of a degree, and keeps what it was asked."""

    kind: str
    port: int = 0
    asked: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)
    answer: str | None = None
    unknown: bool = False
    hangs: bool = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode():
                first, *lines = head.strip().split("\r\n")
                headers = {
                    name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
                }
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                target = first.split(" ")[1]
                self.asked.append((target, headers, json.loads(body) if body else None))
                if self.hangs:
                    await asyncio.sleep(30)
                said = (self.answer or json.dumps(self._table(target, self.asked[-1][2]))).encode()
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(said), said))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _table(self, target: str, body: Any) -> dict[str, Any]:
        sources, targets = self._points(target, body)
        rows = [[None if self.unknown else _seconds(a, b) for b in targets] for a in sources]
        if self.kind == "osrm":
            return {"code": "Ok", "durations": rows}
        if self.kind == "valhalla":
            return {"sources_to_targets": [[{"time": cell} for cell in row] for row in rows]}
        return {"seconds": rows}

    def _points(self, target: str, body: Any) -> tuple[list[Point], list[Point]]:
        if self.kind == "osrm":
            address = urlsplit(target)
            pairs = [pair.split(",") for pair in address.path.rsplit("/", 1)[1].split(";")]
            points = [Point(float(lat), float(lon)) for lon, lat in pairs]
            query = parse_qs(address.query)
            wanted = [[points[int(n)] for n in query[key][0].split(";")] for key in ("sources", "destinations")]
            return wanted[0], wanted[1]
        if self.kind == "valhalla":
            return tuple([Point(one["lat"], one["lon"]) for one in body[k]] for k in ("sources", "targets"))  # type: ignore[return-value]
        return tuple([Point(*one) for one in body[k]] for k in ("sources", "targets"))  # type: ignore[return-value]


def _seconds(here: Point, there: Point) -> float:
    return abs(here.latitude - there.latitude) * 10_000 + 7


@asynccontextmanager
async def roads(kind: str) -> AsyncIterator[Roads]:
    running = Roads(kind)
    server = await asyncio.start_server(running.serve, "127.0.0.1", 0)
    running.port = server.sockets[0].getsockname()[1]
    try:
        yield running
    finally:
        server.close()


def times(server: Roads, **more: Any) -> TravelTimes:
    return TravelTimes(
        provider=PROVIDERS[server.kind](server.url, "secret"), profiles={CAR: "driving"}, timeout=2.0, **more
    )


def straight(mode: TravelMode = CAR) -> list[list[int]]:
    return [[travel_seconds(paces()[mode], here, there) for there in PLACES] for here in PLACES]


async def test_without_a_provider_it_is_the_straight_line() -> None:
    assert await travel_matrix(CAR, PLACES) == straight()


@pytest.mark.parametrize("kind", ["osrm", "valhalla", "matrix"])
async def test_every_provider_s_answer_is_read_and_remembered(kind: str) -> None:
    async with roads(kind) as server:
        knows = times(server, block=2)
        found = await knows.matrix(CAR, PLACES)
        expected = [[0 if a == b else round(_seconds(a, b)) + FIXED for b in PLACES] for a in PLACES]
        assert found == expected
        asked = len(server.asked)
        assert asked == 9, "five places in blocks of two by two"
        assert await knows.matrix(CAR, PLACES) == expected
        assert len(server.asked) == asked, "nothing is asked twice"
        assert await knows.matrix(TravelMode.WALK, PLACES) == straight(TravelMode.WALK)
        assert len(server.asked) == asked, "a mode without a profile is not asked for"


@pytest.mark.parametrize("kind", ["osrm", "valhalla", "matrix"])
async def test_nothing_but_mixed_coordinates_of_ten_metres_leaves_the_house(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = [Point(28.301234567, 113.201234567), Point(28.3456789, 113.2345678), *PLACES]
    monkeypatch.setattr("services.dispatch.travel.service._shuffle", random.Random(3).shuffle)  # noqa: S311  a test
    async with roads(kind) as server:
        await times(server).matrix(CAR, exact)
        said = json.dumps([(target, body) for target, _, body in server.asked])
        assert "28.3012" in said
        assert "28.30123" not in said
        sources, _ = server._points(server.asked[0][0], server.asked[0][2])
        assert sorted(sources) == sorted(Point(cell_of(p)[0] / 1e4, cell_of(p)[1] / 1e4) for p in exact)
        assert [cell_of(point) for point in sources] != [cell_of(point) for point in exact], "in no order"
        headers = server.asked[0][1]
        assert set(headers) <= {
            "host",
            "accept",
            "accept-encoding",
            "connection",
            "user-agent",
            "content-length",
            "content-type",
            "authorization",
        }
        assert ("authorization" in headers) is (kind == "matrix")


@pytest.mark.parametrize(
    "answer", ["no json", "[]", "{}", '{"durations": [[1]]}', '{"durations": "x"}', '{"durations": [1,2,3,4,5]}']
)
async def test_an_answer_that_cannot_be_used_is_the_straight_line(answer: str) -> None:
    async with roads("osrm") as server:
        server.answer = answer
        knows = times(server)
        assert await knows.matrix(CAR, PLACES) == straight()
        assert (knows.figures.failed, knows.figures.last_failure) == (1, "answer_unusable")


async def test_a_way_that_the_provider_does_not_know_is_straight_by_itself() -> None:
    async with roads("osrm") as server:
        server.unknown = True
        knows = times(server)
        assert await knows.matrix(CAR, PLACES) == straight()
        assert knows.figures.failed == 0
        assert knows.figures.cells_straight == 20


async def test_a_provider_that_hangs_or_is_away_is_left_alone_for_a_while() -> None:
    clock = [0.0]
    async with roads("matrix") as server:
        server.hangs = True
        knows = TravelTimes(Matrix(server.url), {CAR: "driving"}, timeout=0.2, monotonic=lambda: clock[0])
        assert await knows.matrix(CAR, PLACES) == straight()
        assert knows.is_resting
        asked = len(server.asked)
        assert await knows.matrix(CAR, PLACES) == straight()
        assert len(server.asked) == asked
        clock[0], server.hangs = 31.0, False
        assert await knows.matrix(CAR, PLACES) != straight()
    gone = TravelTimes(Osrm("http://127.0.0.1:9"), {CAR: "driving"}, timeout=0.5)
    assert await gone.matrix(CAR, PLACES) == straight()
    assert gone.figures.failed == 1


async def test_the_ways_of_one_order_go_there_and_back_and_are_known_afterwards_without_asking() -> None:
    async with roads("osrm") as server:
        knows = times(server)
        others = [(CAR, place) for place in PLACES[1:]]
        ways = await knows.around(PLACES[0], others)
        assert ways.seconds(CAR, PLACES[3], PLACES[0]) == round(_seconds(PLACES[3], PLACES[0])) + FIXED
        asked = len(server.asked)
        again = knows.known(PLACES[0], {CAR: {cell_of(place) for place in PLACES[1:]}})
        assert again.seconds(CAR, PLACES[0], PLACES[2]) == ways.seconds(CAR, PLACES[0], PLACES[2])
        assert len(server.asked) == asked


def test_the_memory_is_bounded_and_forgets() -> None:
    clock = [0.0]
    memory = Memory(3, 10.0, lambda: clock[0])
    ways = [(CAR, (number, 0), (0, 0)) for number in range(4)]
    for way in ways[:3]:
        memory.put(way, 60)
    assert memory.get(ways[0]) == 60
    memory.put(ways[3], 60)
    assert len(memory) == 3
    assert [memory.get(way) for way in ways] == [60, None, 60, 60], "the least lately used goes first"
    clock[0] = 11.0
    assert memory.get(ways[0]) is None


def test_the_settings_choose() -> None:
    assert from_settings(Settings(_env_file=None)).provider is None
    found = from_settings(
        Settings(
            _env_file=None,
            travel_provider="osrm",
            travel_url="http://127.0.0.1:5000/",
            travel_profiles="car=driving,walk=foot",
        )
    )
    assert found.provider == Osrm("http://127.0.0.1:5000")
    assert found.profiles == {CAR: "driving", TravelMode.WALK: "foot"}
    wrongs: list[dict[str, Any]] = [{"travel_provider": "osrm"}, {"travel_profiles": "plane=jet"}]
    for wrong in wrongs:
        with pytest.raises(ValueError, match="GUOYUAN_TRAVEL"):
            Settings(_env_file=None, **wrong)
