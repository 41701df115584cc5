"""Distances on the ground."""

from math import asin, cos, radians, sin, sqrt
from typing import NamedTuple

EARTH_RADIUS_M = 6_371_008.8
"""Mean radius (IUGG), metres."""


class Point(NamedTuple):
    """A place in degrees (WGS 84)."""

    latitude: float
    longitude: float


def distance_m(here: Point, there: Point) -> float:
    """Great-circle distance in metres (haversine)."""
    lat_a, lat_b = radians(here.latitude), radians(there.latitude)
    half_lat = (lat_b - lat_a) / 2
    half_lng = radians(there.longitude - here.longitude) / 2
    chord = sin(half_lat) ** 2 + cos(lat_a) * cos(lat_b) * sin(half_lng) ** 2
    return 2 * EARTH_RADIUS_M * asin(min(1.0, sqrt(chord)))
