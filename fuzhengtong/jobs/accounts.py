"""People and keys for the command line: the first administrators of a city, and the keys of other systems.

Called by `fuzhengtong createadmin` and `fuzhengtong createkey`. What lets somebody in is written by `accounts`; each
new or disabled key leaves an entry in the directory's list of changes, in the same transaction, without the secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import ClassVar

from django.db import transaction

from fuzhengtong.accounts import actions as accounts_actions
from fuzhengtong.accounts import queries as accounts_queries
from fuzhengtong.charter.moment import SYSTEM, Moment
from fuzhengtong.directory import actions as directory_actions
from fuzhengtong.directory import queries as directory_queries
from fuzhengtong.directory import world
from fuzhengtong.directory.imports import writing
from fuzhengtong.directory.rules import Change
from fuzhengtong.intake import queries as intake_queries
from fuzhengtong.kernel.errors import Refused

_KEYS = "api_key"


class NoSuchPost(Refused):
    """Refuse to give a post that the desk of the city does not have."""

    code: ClassVar[str] = "no_such_post"


class AdminPostHeld(Refused):
    """Refuse to give an administrator's post that somebody holds."""

    code: ClassVar[str] = "admin_post_held"


class NotFounded(Refused):
    """Refuse what needs the desk of the city before the city was founded."""

    code: ClassVar[str] = "not_founded"


class KeyChannelUnknown(Refused):
    """Refuse a key for a channel that does not exist or is closed."""

    code: ClassVar[str] = "key_channel_unknown"


class KeyChannelMissing(KeyChannelUnknown):
    """Refuse a key for which no channel was named."""

    code: ClassVar[str] = "key_channel_missing"


class NoSuchKey(Refused):
    """Refuse to disable a key that is not, or no longer, in force."""

    code: ClassVar[str] = "no_such_key"


class KeysOfOneName(Refused):
    """Refuse to disable by a name that several keys in force have: nobody but the caller knows which is meant."""

    code: ClassVar[str] = "keys_of_one_name"


def _moment() -> Moment:
    return world.World(clock=lambda: datetime.now(UTC)).moment(by=SYSTEM)


def create_admin(*, login: str, name: str, kind: str, password: str) -> int:
    """Make a person and let him hold a free administrator's post of the city's desk; return his id."""
    moment = _moment()
    city = directory_queries.city()
    if city is None or city.desk_office_id is None:
        raise NotFounded
    posts = directory_queries.posts_in(city.desk_office_id, at=moment.at)
    wanted = [row for row in posts if row.kind == kind]
    if not wanted:
        raise NoSuchPost
    free = [row for row in wanted if row.holder is None]
    if not free:
        holders = accounts_queries.people(row.holder[0] for row in wanted if row.holder).values()
        raise AdminPostHeld(post=kind, login="、".join(holder.login for holder in holders))
    principal_id = accounts_actions.create_principal(login=login, name=name, password=password, moment=moment)
    directory_actions.hold_post(post_id=free[0].post_id, principal_id=principal_id, moment=moment)
    return principal_id


# --- keys of other systems -------------------------------------------------------------------------------------------


def create_key(*, name: str, channel: str) -> accounts_actions.MadeKey:
    """Make a key by which another system tells through one channel; its secret is in the answer and nowhere else.

    Refused with KeyChannelMissing and KeyChannelUnknown.
    """
    moment = _moment()
    if intake_queries.lane(channel, at=moment.at) is None:
        known = "、".join(sorted(intake_queries.lanes_kept.at(moment.at))) or "—"
        raise KeyChannelUnknown(channel=channel, known=known) if channel else KeyChannelMissing(known=known)
    with transaction.atomic():
        made = accounts_actions.make_key(name=name, channel=channel, principal_id=None, moment=moment)
        _enter(made.key_id, "added", name, {}, {"name": name, "channel": channel}, moment)
    return made


def disable_key(*, named: str) -> accounts_queries.ListedKey:
    """Put the key of this name or id out of force from now on, and return it.

    Refused with NoSuchKey where no key in force is called so, and with KeysOfOneName where several are.
    """
    moment = _moment()
    found = [row for row in listed_keys() if row.disabled_at is None and named in (row.name, str(row.key_id))]
    if not found:
        raise NoSuchKey(named=named)
    if len(found) > 1:
        raise KeysOfOneName(named=named, ids="、".join(str(row.key_id) for row in found))
    key = found[0]
    with transaction.atomic():
        accounts_actions.disable_key(key_id=key.key_id, moment=moment)
        _enter(key.key_id, "closed", key.name, {"disabled_at": None}, {"disabled_at": moment.at}, moment)
    return key


def listed_keys() -> tuple[accounts_queries.ListedKey, ...]:
    """List every key there is or was, the oldest first; never its secret, which is not kept."""
    return accounts_queries.listed_keys()


def _enter(
    key_id: int, what: str, name: str, before: Mapping[str, object], after: Mapping[str, object], moment: Moment
) -> None:
    change = Change(_KEYS, str(key_id), name, before, after)
    writing.enter(table=_KEYS, row_id=key_id, what=what, change=change, moment=moment, reason="")
