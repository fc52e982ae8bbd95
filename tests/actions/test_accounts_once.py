"""Keys of other systems, answers given once, and counted windows of time."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, connections

from fuzhengtong.accounts import actions, answers, models, queries
from fuzhengtong.charter.editions import Rate
from fuzhengtong.charter.moment import Moment
from fuzhengtong.kernel.errors import AlreadyDone
from fuzhengtong.web import rates


def test_a_key_opens_its_channel_and_is_kept_as_a_hash_only(db: None, moment: Moment) -> None:
    made = actions.make_key(name="12345 接口", channel="hotline", principal_id=None, moment=moment)

    found = queries.key_for(f" {made.secret} ")

    assert found is not None
    assert (found.key_id, found.name, found.channel) == (made.key_id, "12345 接口", "hotline")
    assert made.secret.encode() not in bytes(models.ApiKey.objects.get(id=made.key_id).key_hash)
    assert len(made.secret) > 50


def test_another_secret_opens_nothing(db: None, moment: Moment) -> None:
    made = actions.make_key(name="接口", channel="api", principal_id=None, moment=moment)

    assert queries.key_for(made.secret[:-1]) is None
    assert queries.key_for("") is None
    assert queries.key_for("\udcff") is None


def test_a_disabled_key_opens_no_more(db: None, moment: Moment) -> None:
    made = actions.make_key(name="接口", channel="api", principal_id=None, moment=moment)

    actions.disable_key(key_id=made.key_id, moment=moment)

    assert queries.key_for(made.secret) is None
    with pytest.raises(AlreadyDone):
        actions.disable_key(key_id=made.key_id, moment=moment)


def test_the_key_of_a_closed_account_opens_no_more(db: None, moment: Moment) -> None:
    (anna,) = actions.create_people(
        people=[actions.NewPerson("anna.key", "安娜（示例）", True)], password_hash="", moment=moment
    ).values()
    made = actions.make_key(name="接口", channel="api", principal_id=anna, moment=moment)

    actions.disable_principal(principal_id=anna, moment=moment)

    assert queries.key_for(made.secret) is None


# Counted windows


def test_the_limit_holds_within_a_window_and_the_next_window_begins_anew(db: None, moment: Moment) -> None:
    def hit(after: int) -> bool:
        return actions.count_hit("n:1", window_seconds=60, limit=3, at=moment.at + timedelta(seconds=after))

    assert [hit(0), hit(10), hit(59), hit(59)] == [True, True, True, False]
    assert hit(60)


def test_each_key_has_its_own_count(db: None, moment: Moment) -> None:
    actions.count_hit("n:1", window_seconds=60, limit=1, at=moment.at)

    assert actions.count_hit("n:2", window_seconds=60, limit=1, at=moment.at)


def test_a_window_of_a_day_is_the_day_of_the_clock_it_is_told_by(db: None, moment: Moment) -> None:
    city = moment.charter.clock.zone

    def hit(text: str) -> bool:
        at = datetime.fromisoformat(text).replace(tzinfo=city)
        return actions.count_hit("n:day", window_seconds=86400, limit=2, at=at)

    # Midnight in the city is four in the afternoon of the day before in UTC.
    day = [hit("2026-11-20T00:00"), hit("2026-11-20T07:59"), hit("2026-11-20T08:01"), hit("2026-11-20T23:59")]

    assert day == [True, True, False, False]
    assert hit("2026-11-21T00:00")


def test_the_rates_of_the_web_count_by_the_citys_day(db: None, moment: Moment) -> None:
    evening = replace(moment, at=datetime(2026, 11, 20, 15, 59, tzinfo=UTC))
    night = replace(moment, at=evening.at + timedelta(minutes=2))
    rate = Rate(limit=1, length=1, unit="calendar_days")

    rates.count_hit("n:city", rate, evening)
    rates.count_hit("n:city", rate, night)
    with pytest.raises(rates.TooMany):
        rates.count_hit("n:city", rate, replace(moment, at=night.at + timedelta(hours=9)))


def test_a_time_without_a_zone_is_refused(db: None) -> None:
    with pytest.raises(ValueError, match="zone"):
        actions.count_hit("n:1", window_seconds=60, limit=1, at=datetime(2026, 11, 20))


def test_counting_costs_no_write_ahead_log(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relpersistence FROM pg_class WHERE relname = 'accounts_ratewindow'")

        assert cursor.fetchone() == ("u",)


def test_hits_at_once_are_all_counted(own_database: str, moment: Moment) -> None:
    def hit(_: int) -> bool:
        try:
            return actions.count_hit("n:race", window_seconds=3600, limit=10, at=moment.at)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as threads:
        within = list(threads.map(hit, range(24)))

    assert within.count(True) == 10


def test_old_windows_and_answers_are_forgotten_and_young_ones_kept(db: None, moment: Moment) -> None:
    old = replace(moment, at=moment.at - timedelta(days=40))
    actions.count_hit("n:1", window_seconds=60, limit=1, at=old.at)
    actions.count_hit("n:1", window_seconds=60, limit=1, at=moment.at)
    for key, at in (("old", old.at), ("young", moment.at)):
        answer = answers.seal(client="key:1", key=key, answer=b"made", nonce=b"n" * 12)
        models.Once.objects.create(client="key:1", key=key, body_hash=b"", status=201, answer=answer, at=at)

    actions.forget_before(windows=moment.at - timedelta(days=1), answers=moment.at - timedelta(days=30))

    assert not models.RateWindow.objects.filter(key="n:1", starts_at__lt=moment.at - timedelta(days=1)).exists()
    assert models.RateWindow.objects.filter(key="n:1").exists()
    assert queries.remembered(client="key:1", key="old") is None
    assert queries.remembered(client="key:1", key="young") is not None
