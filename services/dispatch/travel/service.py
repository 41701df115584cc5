"""Travel times for a day or for one order: asked of whoever is configured, remembered, else the straight line.

Whoever knows the roads gets coordinates, cut to cells of ten metres, mixed and in no order that means anything:
never an id, a name, an address or a time. No row of the database is locked while it is asked.
"""

import asyncio
import random
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import httpx
import structlog

from services.caregivers.models import TravelMode
from services.core.geo import Point
from services.core.settings import Settings, get_settings
from services.dispatch.travel.cells import Cell, Memory, Ways, cell_of, middle_of
from services.dispatch.travel.providers import PROVIDERS, Provider, ProviderFailed
from services.dispatch.travel.straight import paces, travel_seconds

log = structlog.get_logger("travel")

_REST_SECONDS: Final = 30.0
"""After a failure nobody is asked for so long: a plan must not wait for a server that is away, again and again."""
_AT_ONCE: Final = 4
_shuffle = random.SystemRandom().shuffle


@dataclass(slots=True)
class Figures:
    """What this process has asked and what came of it."""

    asked: int = 0
    failed: int = 0
    cells_known: int = 0
    cells_straight: int = 0
    last_failure: str = ""


@dataclass
class TravelTimes:
    """One process's knowledge of ways. Without a provider everything is the straight line."""

    provider: Provider | None = None
    profiles: Mapping[TravelMode, str] = field(default_factory=dict)
    timeout: float = 1.0
    block: int = 50
    memory: Memory = field(default_factory=lambda: Memory(200_000, 604_800.0))
    monotonic: Callable[[], float] = time.monotonic
    figures: Figures = field(default_factory=Figures)
    _rest_until: float = 0.0

    @property
    def is_resting(self) -> bool:
        """Whether nobody is asked for the moment, after a failure."""
        return self.monotonic() < self._rest_until

    async def matrix(self, mode: TravelMode, points: Sequence[Point]) -> list[list[int]]:
        """Door-to-door seconds from each place to each."""
        cells = [cell_of(point) for point in points]
        await self._learn(mode, set(cells), set(cells))
        return [
            [self._way(mode, here, there, cells[i], cells[j]) for j, there in enumerate(points)]
            for i, here in enumerate(points)
        ]

    async def around(self, place: Point, others: Iterable[tuple[TravelMode, Point]]) -> Ways:
        """The ways to and from one place, for the matching of one order."""
        if self.provider is None:
            return Ways(paces())
        by_mode: dict[TravelMode, set[Cell]] = {}
        for mode, point in others:
            by_mode.setdefault(mode, set()).add(cell_of(point))
        here = {cell_of(place)}
        for mode, cells in by_mode.items():
            await self._learn(mode, here, cells)
            await self._learn(mode, cells, here)
        return self.known(place, by_mode)

    def known(self, place: Point, cells: Mapping[TravelMode, Collection[Cell]]) -> Ways:
        """The same from memory alone: for whoever holds locks and must not wait for anybody."""
        if self.provider is None:
            return Ways(paces())
        here, found = cell_of(place), {}
        for mode, others in cells.items():
            for other in others:
                for way in ((mode, here, other), (mode, other, here)):
                    seconds = self.memory.get(way)
                    if seconds is not None:
                        found[way] = seconds
        return Ways(paces(), found)

    def _way(self, mode: TravelMode, here: Point, there: Point, from_cell: Cell, to_cell: Cell) -> int:
        if here == there:
            return 0
        if self.provider is not None and mode in self.profiles:
            seconds = self.memory.get((mode, from_cell, to_cell))
            if seconds is not None:
                self.figures.cells_known += 1
                return seconds
            self.figures.cells_straight += 1
        return travel_seconds(paces()[mode], here, there)

    async def _learn(self, mode: TravelMode, sources: Collection[Cell], targets: Collection[Cell]) -> None:
        """Ask for what is not remembered, in blocks. Failing leaves it unknown, and is said in the figures."""
        if self.provider is None or mode not in self.profiles or self.is_resting:
            return
        wanted = [
            (here, there)
            for here in sources
            for there in targets
            if here != there and self.memory.get((mode, here, there)) is None
        ]
        if not wanted:
            return
        from_cells, to_cells = list({here for here, _ in wanted}), list({there for _, there in wanted})
        _shuffle(from_cells)
        _shuffle(to_cells)
        blocks = [
            (from_cells[i : i + self.block], to_cells[j : j + self.block])
            for i in range(0, len(from_cells), self.block)
            for j in range(0, len(to_cells), self.block)
        ]
        gate = asyncio.Semaphore(_AT_ONCE)
        async with httpx.AsyncClient(timeout=self.timeout) as client:
            await asyncio.gather(*(self._ask(client, gate, mode, *block) for block in blocks))

    async def _ask(
        self,
        client: httpx.AsyncClient,
        gate: asyncio.Semaphore,
        mode: TravelMode,
        sources: Sequence[Cell],
        targets: Sequence[Cell],
    ) -> None:
        async with gate:
            if self.provider is None or self.is_resting:
                return
            mixed = list({*sources, *targets})
            _shuffle(mixed)
            number = {cell: place for place, cell in enumerate(mixed)}
            self.figures.asked += 1
            try:
                async with asyncio.timeout(self.timeout):
                    rows = await self.provider.table(
                        client,
                        self.profiles[mode],
                        [middle_of(cell) for cell in mixed],
                        [number[cell] for cell in sources],
                        [number[cell] for cell in targets],
                    )
            except (ProviderFailed, httpx.HTTPError, TimeoutError) as error:
                self._failed(error)
                return
        fixed = paces()[mode].fixed_seconds
        for here, row in zip(sources, rows, strict=True):
            for there, seconds in zip(targets, row, strict=True):
                if seconds is not None and here != there:
                    self.memory.put((mode, here, there), round(seconds) + fixed)

    def _failed(self, error: Exception) -> None:
        code = str(error.args[0]) if isinstance(error, ProviderFailed) else type(error).__name__
        self.figures.failed += 1
        self.figures.last_failure = code
        self._rest_until = self.monotonic() + _REST_SECONDS
        log.warning("travel_provider_failed", code=code, resting_seconds=_REST_SECONDS)


def from_settings(settings: Settings) -> TravelTimes:
    """What the settings name; ``travel_provider`` is empty for the straight line alone."""
    if not settings.travel_provider or settings.travel_url is None:
        return TravelTimes()
    key = "" if settings.travel_key is None else settings.travel_key.get_secret_value()
    pairs = [pair.partition("=") for pair in settings.travel_profiles.split(",") if pair]
    return TravelTimes(
        provider=PROVIDERS[settings.travel_provider](settings.travel_url.rstrip("/"), key),
        profiles={TravelMode(mode.strip()): profile.strip() for mode, _, profile in pairs},
        timeout=settings.travel_timeout_seconds,
        block=settings.travel_block,
        memory=Memory(settings.travel_cache_ways, settings.travel_cache_hours * 3600.0),
    )


@lru_cache(maxsize=1)
def travel_times() -> TravelTimes:
    """This process's."""
    return from_settings(get_settings())


async def travel_matrix(mode: TravelMode, points: Sequence[Point]) -> list[list[int]]:
    """Door-to-door seconds from each place to each, by the configured provider or the straight line."""
    return await travel_times().matrix(mode, points)


async def ways_around(place: Point, others: Iterable[tuple[TravelMode, Point]]) -> Ways:
    """The ways to and from one place. Not while rows are locked: see ``known_ways``."""
    return await travel_times().around(place, others)


def known_ways(place: Point, others: Iterable[tuple[TravelMode, Point]]) -> Ways:
    """The same from memory: nobody is asked."""
    times = travel_times()
    cells: dict[TravelMode, set[Cell]] = {}
    if times.provider is not None:
        for mode, point in others:
            cells.setdefault(mode, set()).add(cell_of(point))
    return times.known(place, cells)


def travel_figures() -> dict[str, float]:
    """For ``/metrics`` and ``doctor``: what this process has asked, and how often it had to fall back."""
    times = travel_times()
    return {
        "travel_provider_configured": float(times.provider is not None),
        "travel_provider_resting": float(times.is_resting),
        "travel_requests_total": float(times.figures.asked),
        "travel_failures_total": float(times.figures.failed),
        "travel_cells_known_total": float(times.figures.cells_known),
        "travel_cells_straight_total": float(times.figures.cells_straight),
        "travel_ways_remembered": float(len(times.memory)),
    }
