"""The made city of the demo: loaded through the imports of a real one, whole, and nobody in it is out of reach."""

from fuzhengtong.charter.moment import Moment
from fuzhengtong.directory import actions, models, queries
from fuzhengtong.directory.imports import package
from tests.actions.directory_lists import SINCE, empty


def test_the_made_city_loads_whole_and_somebody_answers_for_every_post_of_it(db: None, moment: Moment) -> None:
    empty()

    package.load_reference(moment=moment, since=SINCE)
    reports = package.load_demo(moment=moment, since=SINCE, password_hash="")
    area_id, desk = package.demo_desk()
    actions.found_city(
        code="210900", letters="FX", name="阜新市", city_area_id=area_id, desk_office_id=desk, moment=moment
    )

    assert {name: report.errors for name, report in reports.items()} == dict.fromkeys(reports, ())
    pairs = list(models.Post.objects.values_list("office_id", "kind").distinct())
    answers = queries.who_answers_many(pairs, at=moment.at)
    assert len(answers) > 3000
    assert all(answers.values())
    assert all(people[0].how == "holder" for people in answers.values())
    again = package.load_demo(moment=moment, since=SINCE, password_hash="")
    assert not any(report.is_different for report in again.values())
