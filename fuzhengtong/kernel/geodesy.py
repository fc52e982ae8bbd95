"""Points on the map: from the datum of the sender to WGS-84, in which everything is stored, and back for display.

Called once where a point comes in and once where a Chinese map shows it. Chinese maps give GCJ-02 or BD-09, which lie
some hundred metres beside WGS-84 inside China: a point taken for the wrong datum lands in the neighbouring grid. The
formulas are the commonly published ones; outside China the datums agree. Nothing here knows an area or a grid.
"""

from __future__ import annotations

from enum import StrEnum
from math import asin, atan2, cos, isfinite, pi, radians, sin, sqrt
from typing import Final, assert_never


class Datum(StrEnum):
    """In which system a sender gives his latitude and longitude."""

    WGS_84 = "WGS-84"
    GCJ_02 = "GCJ-02"
    BD_09 = "BD-09"


_AXIS: Final = 6_378_245.0  # Krasovsky 1940, on which GCJ-02 is computed
_ECCENTRICITY: Final = 0.006_693_421_622_965_943
_BAIDU_TURN: Final = pi * 3000.0 / 180.0
_EARTH_M: Final = 6_371_008.8  # mean radius
# Each round shrinks the error about a hundredfold; five reach the noise of floating point.
_ROUNDS: Final = 5


def to_wgs84(lat: float, lng: float, datum: str) -> tuple[float, float]:
    """Convert a point of the datum to WGS-84, as (latitude, longitude) in degrees.

    Exact to better than a centimetre against `from_wgs84`. Refuses an unknown datum and a point not on the globe.
    """
    _check(lat, lng)
    match Datum(datum):
        case Datum.WGS_84:
            return lat, lng
        case Datum.GCJ_02:
            return _gcj_to_wgs(lat, lng)
        case Datum.BD_09:
            return _gcj_to_wgs(*_bd_to_gcj(lat, lng))
        case unknown:
            assert_never(unknown)


def from_wgs84(lat: float, lng: float, datum: str) -> tuple[float, float]:
    """Convert a WGS-84 point to the datum, as (latitude, longitude) in degrees.

    Refuses an unknown datum and a point not on the globe.
    """
    _check(lat, lng)
    match Datum(datum):
        case Datum.WGS_84:
            return lat, lng
        case Datum.GCJ_02:
            return _wgs_to_gcj(lat, lng)
        case Datum.BD_09:
            return _gcj_to_bd(*_wgs_to_gcj(lat, lng))
        case unknown:
            assert_never(unknown)


def distance_m(lat1: float, lng1: float, lat2: float, lng2: float) -> float:
    """Measure the distance of two points of one datum in metres, on the sphere (within half a per cent)."""
    up, over = radians(lat2 - lat1), radians(lng2 - lng1)
    half = sin(up / 2) ** 2 + cos(radians(lat1)) * cos(radians(lat2)) * sin(over / 2) ** 2
    return 2 * _EARTH_M * asin(min(1.0, sqrt(half)))


def _check(lat: float, lng: float) -> None:
    if not (isfinite(lat) and isfinite(lng) and -90 <= lat <= 90 and -180 <= lng <= 180):
        raise ValueError(f"no point on the globe: {lat}, {lng}")


def _is_in_china(lat: float, lng: float) -> bool:
    return 0.8293 <= lat <= 55.8271 and 72.004 <= lng <= 137.8347


def _wgs_to_gcj(lat: float, lng: float) -> tuple[float, float]:
    if not _is_in_china(lat, lng):
        return lat, lng
    up, over = _offset(lat, lng)
    return lat + up, lng + over


def _gcj_to_wgs(lat: float, lng: float) -> tuple[float, float]:
    if not _is_in_china(lat, lng):
        return lat, lng
    guess_lat, guess_lng = lat, lng
    for _ in range(_ROUNDS):
        up, over = _offset(guess_lat, guess_lng)
        guess_lat, guess_lng = lat - up, lng - over
    return guess_lat, guess_lng


def _gcj_to_bd(lat: float, lng: float) -> tuple[float, float]:
    if not _is_in_china(lat, lng):
        return lat, lng
    length = sqrt(lng * lng + lat * lat) + 0.00002 * sin(lat * _BAIDU_TURN)
    angle = atan2(lat, lng) + 0.000003 * cos(lng * _BAIDU_TURN)
    return length * sin(angle) + 0.006, length * cos(angle) + 0.0065


def _bd_to_gcj(lat: float, lng: float) -> tuple[float, float]:
    if not _is_in_china(lat, lng):
        return lat, lng
    guess_lat, guess_lng = lat - 0.006, lng - 0.0065
    for _ in range(_ROUNDS):
        there_lat, there_lng = _gcj_to_bd(guess_lat, guess_lng)
        guess_lat, guess_lng = guess_lat + lat - there_lat, guess_lng + lng - there_lng
    return guess_lat, guess_lng


def _offset(lat: float, lng: float) -> tuple[float, float]:
    x, y = lng - 105.0, lat - 35.0
    ripple = (20.0 * sin(6.0 * x * pi) + 20.0 * sin(2.0 * x * pi)) * 2.0 / 3.0
    up = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x)) + ripple
    up += (20.0 * sin(y * pi) + 40.0 * sin(y / 3.0 * pi)) * 2.0 / 3.0
    up += (160.0 * sin(y / 12.0 * pi) + 320.0 * sin(y * pi / 30.0)) * 2.0 / 3.0
    over = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x)) + ripple
    over += (20.0 * sin(x * pi) + 40.0 * sin(x / 3.0 * pi)) * 2.0 / 3.0
    over += (150.0 * sin(x / 12.0 * pi) + 300.0 * sin(x / 30.0 * pi)) * 2.0 / 3.0
    curve = 1.0 - _ECCENTRICITY * sin(radians(lat)) ** 2
    up_degrees = up * 180.0 / (_AXIS * (1.0 - _ECCENTRICITY) / (curve * sqrt(curve)) * pi)
    over_degrees = over * 180.0 / (_AXIS / sqrt(curve) * cos(radians(lat)) * pi)
    return up_degrees, over_degrees
