"""The county on the map: real towns and streets, invented villages, a centre in each town."""

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from math import cos, radians
from typing import Any
from uuid import UUID

from ops.demo.ids import Seed
from services.centres.models import Area, Centre
from services.core.areas import level_of

COUNTY = "430121"
SHOWCASE_TOWN = "430121107"
"""果园镇: the people of ``demo credentials`` live and work here."""
_METRES_PER_DEGREE = 111_320


@dataclass(frozen=True, slots=True)
class Village:
    """An invented village."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Town:
    """One town or street. ``key`` is its name in logins; latitude and longitude are approximate (WGS-84)."""

    index: int
    code: str
    key: str
    name: str
    centre_id: UUID
    latitude: float
    longitude: float
    phone: str
    name_en: str
    villages: tuple[Village, ...]

    @property
    def is_street(self) -> bool:
        """Whether it is a street of the county's town: people live closer together there."""
        return self.code[6] == "0"

    def near(self, east_metres: float, north_metres: float) -> tuple[float, float]:
        """Latitude and longitude of a place so far from the town's centre."""
        north = north_metres / _METRES_PER_DEGREE
        east = east_metres / (_METRES_PER_DEGREE * cos(radians(self.latitude)))
        return round(self.latitude + north, 6), round(self.longitude + east, 6)


@lru_cache
def data(name: str) -> Any:
    """A data file of the demo county."""
    return json.loads((files("ops.demo") / "data" / name).read_text("utf-8"))


def national_areas() -> list[dict[str, str]]:
    """Province, city, county, towns and streets with their national codes."""
    stored = json.loads((files("services.centres") / "data" / f"areas_{COUNTY}.json").read_text("utf-8"))
    areas: list[dict[str, str]] = stored["areas"]
    return areas


def towns(seed: Seed) -> list[Town]:
    """Every town and street of the county with its centre, in the order of the codes."""
    names = {area["code"]: area for area in national_areas()}
    villages: dict[str, list[Village]] = {}
    for village in data("villages.json")["villages"]:
        villages.setdefault(village["code"][:9], []).append(Village(village["code"], village["name_zh"]))
    return [
        Town(
            index=index,
            code=centre["area_code"],
            key=centre["key"],
            name=names[centre["area_code"]]["name_zh"],
            name_en=names[centre["area_code"]]["name_en"],
            centre_id=seed.key("centre", centre["area_code"]),
            latitude=centre["latitude"],
            longitude=centre["longitude"],
            phone=centre["phone"],
            villages=tuple(villages.get(centre["area_code"], ())),
        )
        for index, centre in enumerate(data("centres.json")["centres"])
    ]


def area_rows() -> list[Area]:
    """The areas of the county, those above it, and the invented villages."""
    every = [*national_areas(), *data("villages.json")["villages"]]
    return [
        Area(code=a["code"], name_zh=a["name_zh"], name_en=a["name_en"], level=level_of(a["code"])) for a in every
    ]


def centre_rows(county: list[Town]) -> list[Centre]:
    """The second-tier centre of each town."""
    return [
        Centre(
            id=town.centre_id,
            area_code=town.code,
            name_zh=f"{town.name}二级平台",
            name_en=f"{town.name_en} Second-tier Centre",
            phone=town.phone,
            latitude=town.latitude,
            longitude=town.longitude,
        )
        for town in county
    ]
