"""Points: the published vector, there and back within a centimetre, and nothing outside China moved."""

from __future__ import annotations

from math import inf, nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzhengtong.kernel.geodesy import Datum, distance_m, from_wgs84, to_wgs84

latitudes, longitudes = st.floats(22, 50), st.floats(75, 134)


def test_the_centre_of_fuxin_moves_by_the_published_offset() -> None:
    lat, lng = from_wgs84(42.0217, 121.6708, "GCJ-02")

    assert (round(lat, 6), round(lng, 6)) == (42.023812, 121.676210)
    assert round(distance_m(42.0217, 121.6708, lat, lng)) == 505


@settings(deadline=None)
@given(latitudes, longitudes, st.sampled_from(Datum))
def test_a_point_comes_back_to_its_place_within_a_centimetre(lat: float, lng: float, datum: Datum) -> None:
    back = to_wgs84(*from_wgs84(lat, lng, datum), datum)

    assert distance_m(lat, lng, *back) < 0.01


@settings(deadline=None)
@given(st.floats(41.6, 42.9), st.floats(121, 123))
def test_around_fuxin_a_wrong_datum_would_reach_the_next_grid(lat: float, lng: float) -> None:
    assert 300 < distance_m(lat, lng, *from_wgs84(lat, lng, Datum.GCJ_02)) < 800
    assert 300 < distance_m(lat, lng, *from_wgs84(lat, lng, Datum.BD_09)) < 2000


@pytest.mark.parametrize("datum", list(Datum))
def test_outside_china_nothing_moves(datum: Datum) -> None:
    assert from_wgs84(48.8566, 2.3522, datum) == (48.8566, 2.3522)
    assert to_wgs84(48.8566, 2.3522, datum) == (48.8566, 2.3522)


def test_wgs_84_is_kept_to_the_bit() -> None:
    assert to_wgs84(42.0217, 121.6708, "WGS-84") == (42.0217, 121.6708)


@pytest.mark.parametrize(("lat", "lng"), [(nan, 121.0), (42.0, inf), (90.1, 0.0), (42.0, 180.1)])
def test_what_is_no_point_is_refused(lat: float, lng: float) -> None:
    with pytest.raises(ValueError, match="globe"):
        to_wgs84(lat, lng, "WGS-84")
    with pytest.raises(ValueError, match="globe"):
        from_wgs84(lat, lng, "WGS-84")


def test_an_unknown_datum_is_refused() -> None:
    with pytest.raises(ValueError, match="CGCS"):
        to_wgs84(42.0, 121.0, "CGCS-2000")


def test_distances_are_symmetric_and_zero_at_home() -> None:
    assert distance_m(42.0, 121.0, 42.0, 121.0) == 0
    assert distance_m(42.0, 121.0, 43.0, 122.0) == distance_m(43.0, 122.0, 42.0, 121.0)
    assert round(distance_m(0, 0, 0, 180) / 1000) == 20015
