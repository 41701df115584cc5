"""Those who know roads: each turns a question of coordinates into its own form and back. Nothing else is sent.

A new provider is one class here and one line in ``PROVIDERS``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import httpx
import msgspec

from services.core.geo import Point

Row = Sequence[float | None]


class ProviderFailed(Exception):
    """No usable answer; ``args[0]`` is a short code."""


class Provider(Protocol):
    """Seconds from every source to every target, indices into ``points``; ``None`` where it knows no way."""

    async def table(
        self,
        client: httpx.AsyncClient,
        profile: str,
        points: Sequence[Point],
        sources: Sequence[int],
        targets: Sequence[int],
    ) -> Sequence[Row]:
        """Raises ``ProviderFailed`` or ``httpx.HTTPError``."""
        ...


@dataclass(frozen=True)
class Osrm:
    """The table service of an OSRM server (``/table/v1``)."""

    url: str
    key: str = ""

    async def table(
        self,
        client: httpx.AsyncClient,
        profile: str,
        points: Sequence[Point],
        sources: Sequence[int],
        targets: Sequence[int],
    ) -> Sequence[Row]:
        path = ";".join(f"{point.longitude:.4f},{point.latitude:.4f}" for point in points)
        answer = await client.get(
            f"{self.url}/table/v1/{profile}/{path}",
            params={
                "annotations": "duration",
                "sources": ";".join(map(str, sources)),
                "destinations": ";".join(map(str, targets)),
            },
        )
        return _rows(_document(answer).get("durations"), len(sources), len(targets))


@dataclass(frozen=True)
class Valhalla:
    """The matrix service of a Valhalla server (``/sources_to_targets``)."""

    url: str
    key: str = ""

    async def table(
        self,
        client: httpx.AsyncClient,
        profile: str,
        points: Sequence[Point],
        sources: Sequence[int],
        targets: Sequence[int],
    ) -> Sequence[Row]:
        document = {
            "sources": [_lat_lon(points[number]) for number in sources],
            "targets": [_lat_lon(points[number]) for number in targets],
            "costing": profile,
        }
        answer = await client.post(f"{self.url}/sources_to_targets", json=document)
        found = _document(answer).get("sources_to_targets")
        if not isinstance(found, list):
            raise ProviderFailed("answer_unusable")
        rows = [
            [cell.get("time") for cell in row if isinstance(cell, dict)] for row in found if isinstance(row, list)
        ]
        return _rows(rows, len(sources), len(targets))


@dataclass(frozen=True)
class Matrix:
    """Any matrix over HTTP, a commercial one behind an adapter (``docs/travel.md``). The key goes as a bearer."""

    url: str
    key: str = ""

    async def table(
        self,
        client: httpx.AsyncClient,
        profile: str,
        points: Sequence[Point],
        sources: Sequence[int],
        targets: Sequence[int],
    ) -> Sequence[Row]:
        document = {
            "profile": profile,
            "sources": [[points[number].latitude, points[number].longitude] for number in sources],
            "targets": [[points[number].latitude, points[number].longitude] for number in targets],
        }
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        answer = await client.post(self.url, json=document, headers=headers)
        return _rows(_document(answer).get("seconds"), len(sources), len(targets))


PROVIDERS: Mapping[str, Callable[[str, str], Provider]] = {"osrm": Osrm, "valhalla": Valhalla, "matrix": Matrix}
"""By the word in the setting ``travel_provider``."""


def _document(answer: httpx.Response) -> dict[str, Any]:
    if not answer.is_success:
        raise ProviderFailed(f"http_{answer.status_code}")
    try:
        found = msgspec.json.decode(answer.content)
    except msgspec.DecodeError as error:
        raise ProviderFailed("answer_unusable") from error
    if not isinstance(found, dict):
        raise ProviderFailed("answer_unusable")
    return found


def _rows(found: object, height: int, width: int) -> list[list[float | None]]:
    """The table, if it has the size that was asked for; cells that are no time are ``None``."""
    if not isinstance(found, list) or len(found) != height:
        raise ProviderFailed("answer_unusable")
    rows: list[list[float | None]] = []
    for row in found:
        if not isinstance(row, list) or len(row) != width:
            raise ProviderFailed("answer_unusable")
        rows.append([_seconds(cell) for cell in row])
    return rows


def _seconds(cell: object) -> float | None:
    """A time between none and a day; everything else is no answer."""
    good = isinstance(cell, int | float) and not isinstance(cell, bool) and 0 <= cell <= 86_400
    return float(cell) if good and isinstance(cell, int | float) else None


def _lat_lon(point: Point) -> dict[str, float]:
    return {"lat": point.latitude, "lon": point.longitude}
