"""Keys of other systems by command: shown once, kept as a hash, ended by name or id, each change in the list."""

from __future__ import annotations

import pytest

from fuzhengtong.accounts import models as accounts_models
from fuzhengtong.accounts import queries as accounts_queries
from fuzhengtong.config import cli, refusals
from fuzhengtong.directory import models as directory_models
from fuzhengtong.directory import queries as directory_queries
from fuzhengtong.intake import models as intake_models
from fuzhengtong.intake import queries as intake_queries
from fuzhengtong.jobs import accounts


def test_a_key_opens_its_channel_and_only_its_hash_is_kept(db: None) -> None:
    made = accounts.create_key(name="示例热线", channel="hotline12345")

    found = accounts_queries.key_for(made.secret)
    assert found is not None
    assert (found.name, found.channel) == ("示例热线", "hotline12345")
    row = accounts_models.ApiKey.objects.get(id=made.key_id)
    assert bytes(row.key_hash) == accounts_queries.key_hash(made.secret)
    kept = [str(value) for value in accounts_models.ApiKey.objects.values_list().get(id=made.key_id)]
    assert not any(made.secret in value for value in kept)


def test_a_new_key_and_its_end_leave_entries_without_the_secret(db: None) -> None:
    made = accounts.create_key(name="示例热线", channel="hotline12345")
    accounts.disable_key(named="示例热线")

    closed, added = directory_queries.entries(table="api_key", row_id=made.key_id)
    assert (added.what, added.after) == ("added", {"name": "示例热线", "channel": "hotline12345"})
    assert closed.what == "closed"
    assert made.secret not in str((added, closed))


@pytest.mark.parametrize("by_id", [True, False])
def test_a_disabled_key_opens_nothing_and_is_not_disabled_twice(db: None, by_id: bool) -> None:
    made = accounts.create_key(name="示例热线", channel="hotline12345")
    named = str(made.key_id) if by_id else "示例热线"

    accounts.disable_key(named=named)

    assert accounts_queries.key_for(made.secret) is None
    with pytest.raises(accounts.NoSuchKey):
        accounts.disable_key(named=named)


def test_of_two_keys_of_one_name_none_is_disabled_by_it(db: None) -> None:
    first = accounts.create_key(name="示例热线", channel="hotline12345")
    second = accounts.create_key(name="示例热线", channel="api")

    with pytest.raises(accounts.KeysOfOneName) as refused:
        accounts.disable_key(named="示例热线")

    assert str(first.key_id) in str(refused.value.params["ids"])
    accounts.disable_key(named=str(first.key_id))
    assert accounts_queries.key_for(first.secret) is None
    assert accounts_queries.key_for(second.secret) is not None


def test_a_channel_that_is_not_or_no_longer_open_gets_no_key(db: None) -> None:
    intake_models.Channel.objects.filter(code="kiosk").update(closed_at="2026-01-01T00:00:00Z")
    intake_queries.lanes_kept.forget()
    try:
        for channel in ("telepathy", "kiosk", ""):
            with pytest.raises(accounts.KeyChannelUnknown) as refused:
                accounts.create_key(name="示例", channel=channel)
            assert "hotline12345" in str(refused.value.params["known"])
    finally:
        intake_queries.lanes_kept.forget()

    assert not accounts_models.ApiKey.objects.exists()


def test_a_key_without_a_channel_is_told_that_it_is_missing(db: None) -> None:
    with pytest.raises(accounts.KeyChannelMissing) as refused:
        accounts.create_key(name="示例", channel="")

    told = refusals.told(refused.value, ["createkey"])
    assert told is not None
    assert told.code == "key_channel_missing"
    assert "--channel is missing" in told.said and "hotline12345" in told.said


def test_the_list_shows_every_key_and_no_secret(db: None) -> None:
    made = [accounts.create_key(name=name, channel="api") for name in ("示例一", "示例二")]
    accounts.disable_key(named="示例一")

    rows = accounts.listed_keys()

    assert [(row.name, row.disabled_at is None) for row in rows] == [("示例一", False), ("示例二", True)]
    assert not any(one.secret in str(rows) for one in made)


@pytest.mark.parametrize(
    "words",
    [[], ["--channel", "api"], ["--name", " "], ["--name", "a\nb"], ["--name", "x" * 61], ["--name", "a", "--list"]],
)
def test_a_command_without_one_clear_wish_is_not_understood(words: list[str]) -> None:
    with pytest.raises(SystemExit):
        cli._parser().parse_args(["createkey", *words])


def test_nobody_is_made_administrator_before_there_is_a_city(db: None) -> None:
    directory_models.Installation.objects.all().delete()

    with pytest.raises(accounts.NotFounded):
        accounts.create_admin(login="shili", name="示例", kind="security_admin", password="three-apart-9901")

    assert accounts_queries.person_by_login("shili") is None


def test_a_held_post_is_refused_with_the_login_of_its_holder(db: None) -> None:
    with pytest.raises(accounts.AdminPostHeld) as refused:
        accounts.create_admin(login="shili", name="示例", kind="audit_admin", password="three-apart-9901")

    assert refused.value.params == {"post": "audit_admin", "login": "city-centre.audit-admin"}
    assert accounts_queries.person_by_login("shili") is None
