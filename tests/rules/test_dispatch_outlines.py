from fuzhengtong.dispatch.outlines import Outlines

from . import dispatch_city as city


def test_the_smallest_of_nested_outlines_is_meant():
    drawn = city.made_outlines()

    assert drawn.find(42.05, 121.05) == city.EAST_PINES
    assert drawn.find(42.3, 121.3) == city.EAST_TOWN
    assert drawn.find(42.8, 121.8) == city.RIVER


def test_outside_all_outlines_is_nowhere():
    assert city.made_outlines().find(41.0, 121.0) is None


def test_of_equal_outlines_the_lowest_id_is_meant():
    drawn = Outlines.build([(9, city.square(42.0, 121.0, 1.0)), (3, city.square(42.0, 121.0, 1.0))])

    assert drawn.find(42.5, 121.5) == 3


def test_a_point_on_a_shared_border_belongs_to_one_area():
    drawn = Outlines.build([(9, city.square(42.0, 121.0, 1.0)), (3, city.square(42.0, 122.0, 1.0))])

    assert drawn.find(42.5, 122.0) == 3


def test_features_and_several_parts_are_understood():
    parts = [city.square(42.0, 121.0, 0.1)["coordinates"], city.square(43.0, 121.0, 0.1)["coordinates"]]
    feature = {"type": "Feature", "geometry": {"type": "MultiPolygon", "coordinates": parts}, "properties": {}}

    drawn = Outlines.build([(7, feature)])

    assert drawn.find(42.05, 121.05) == drawn.find(43.05, 121.05) == 7
    assert drawn.find(42.5, 121.05) is None


def test_crossing_lines_are_repaired():
    bow_tie = {"type": "Polygon", "coordinates": [[[0, 0], [2, 2], [2, 0], [0, 2], [0, 0]]]}

    assert Outlines.build([(7, bow_tie)]).find(1.0, 0.5) == 7


def test_a_city_without_outlines_gets_no_guess():
    assert Outlines.build([]).find(42.0, 121.6) is None
