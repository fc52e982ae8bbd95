"""What `init` brings to which city, and which desk a city may be founded upon."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings

from fuzhengtong.charter.load import load_charters
from fuzhengtong.charter.moment import Moment
from fuzhengtong.directory import models, queries, world
from fuzhengtong.directory.imports import package
from fuzhengtong.jobs import found
from tests.actions.directory_lists import empty


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A charter that differs from the one of Fuxin in the name of the city alone."""
    text = (settings.CHARTERS / "2022-10.toml").read_text()
    (tmp_path / "2022-10.toml").write_text(text.replace('city = "fuxin"', 'city = "shili"').replace("阜新市", "示例市"))
    charters = load_charters(tmp_path)
    monkeypatch.setattr(world, "charters", lambda: charters)


@pytest.fixture
def unfounded(db: None) -> None:
    """The made city before it was founded."""
    models.Installation.objects.all().delete()


def test_a_city_without_areas_of_the_package_gets_calendar_and_categories_alone(db: None, elsewhere: None) -> None:
    empty()
    models.CalendarImport.objects.all().delete()

    found.load(made=False)

    assert not models.Area.objects.exists()
    assert len(queries.categories()) == 150
    assert queries.calendar().is_announced(2026)


def test_fuxin_gets_its_areas(db: None) -> None:
    empty()

    found.load(made=False)

    assert models.Area.objects.filter(active_to__isnull=True).count() == 904
    assert queries.city() is None


def test_areas_ship_by_the_code_of_a_city() -> None:
    assert [sheet.name for sheet in package.area_sheets("fuxin")] == [
        "fuxin_city.csv",
        "fuxin_towns.csv",
        "fuxin_villages.csv",
        "fuxin_aliases.csv",
    ]
    assert package.area_sheets("shili") == ()


def test_made_offices_are_refused_under_the_charter_of_another_city(db: None, elsewhere: None) -> None:
    empty()

    with pytest.raises(found.NoMadeCity) as refused:
        found.load(made=True)

    assert refused.value.params == {"city": "示例市"}
    assert not models.Category.objects.exists()


def test_the_made_city_is_founded_as_the_command_would(db: None) -> None:
    assert found.found_city(desk="city-centre").again


def test_a_city_is_founded_upon_its_area_and_its_centre_and_leaves_an_entry(unfounded: None) -> None:
    founded = found.found_city(desk="city-centre", area="2109")

    city = queries.city()
    assert (founded.city, founded.letters, founded.name, founded.again) == ("fuxin", "FX", "阜新市", False)
    assert city is not None and city.desk_office_id == models.Office.objects.get(code="city-centre").id
    assert queries.entries(table="installation", limit=1)[0].what == "added"


@pytest.mark.parametrize("area", ["210902", "no-such"])
def test_an_area_that_is_no_city_is_refused(unfounded: None, area: str) -> None:
    with pytest.raises(found.NoCityArea):
        found.found_city(desk="city-centre", area=area)

    assert queries.city() is None


def test_without_areas_no_city_is_founded(db: None) -> None:
    empty()

    with pytest.raises(found.NoCityArea):
        found.found_city(desk="city-centre")


def test_an_office_that_is_not_or_no_longer_there_is_no_desk(unfounded: None, moment: Moment) -> None:
    models.Office.objects.filter(code="city-centre").update(active_to=moment.at.replace(year=2024))

    for code in ("city-centre", "no-such", ""):
        with pytest.raises(found.NoSuchDesk):
            found.found_city(desk=code)


@pytest.mark.parametrize("desk", ["210902-centre", "210902-zjj", "city-jw"])
def test_only_a_centre_of_the_city_itself_is_its_desk(unfounded: None, desk: str) -> None:
    with pytest.raises(found.DeskUnfit):
        found.found_city(desk=desk)


def test_a_centre_without_a_dispatchers_post_is_no_desk(unfounded: None, moment: Moment) -> None:
    posts = models.Post.objects.filter(office__code="city-centre", kind="dispatcher")
    posts.update(active_to=moment.at.replace(year=2024))

    with pytest.raises(found.DeskWithoutDispatcher):
        found.found_city(desk="city-centre")


def test_what_was_founded_otherwise_stands(db: None) -> None:
    models.Installation.objects.update(name="示例市")

    with pytest.raises(found.FoundedOtherwise) as refused:
        found.found_city(desk="city-centre")

    assert refused.value.params["name"] == "示例市"
    assert models.Installation.objects.get().name == "示例市"
