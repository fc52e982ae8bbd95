"""The home's file of keys: a new one is added and put in force, one that is done with is removed.

Called by `fuzhengtong rewrap`. A key is drawn here and written to the file alone: no table, log or output holds one.
Keys of a secret store (FUZHENGTONG_KEYS) are never touched. Each change leaves an entry in the list of changes.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, ClassVar

from django.conf import settings
from django.db import transaction

from fuzhengtong.charter.moment import SYSTEM
from fuzhengtong.directory import world
from fuzhengtong.directory.imports import writing
from fuzhengtong.directory.rules import Change
from fuzhengtong.jobs import rewrap
from fuzhengtong.kernel import crypto
from fuzhengtong.kernel.errors import Refused
from fuzhengtong.people import keys as people_keys

KEYS_FILE, LARGEST_NUMBER = "keys.json", (1 << 16) - 1


class KeysElsewhere(Refused):
    """Refuse to change keys that come from a secret store by FUZHENGTONG_KEYS: they are changed there."""

    code: ClassVar[str] = "keys_elsewhere"


class NoSuchCityKey(Refused):
    """Refuse to remove a key that is not there."""

    code: ClassVar[str] = "no_such_city_key"


class KeyInForce(Refused):
    """Refuse to remove the key that new keys are wrapped with."""

    code: ClassVar[str] = "key_in_force"


class KeyStillNeeded(Refused):
    """Refuse to remove a key that something is still wrapped with."""

    code: ClassVar[str] = "key_still_needed"


def add_key(*, token: Callable[[int], bytes] = secrets.token_bytes) -> int:
    """Add a key to the home's file, make it the current one, and return its number.

    Nothing is wrapped with it before the programs are started again. Refused with KeysElsewhere.
    """
    with _key_file() as keys:
        number = max(map(int, keys["keys"])) + 1
        if number > LARGEST_NUMBER:
            raise ValueError(f"keys are numbered from 0 to {LARGEST_NUMBER}")
        keys["keys"][str(number)] = token(crypto.KEY_BYTES).hex()
        keys["current"] = number
    _enter(number, "added", after={"name": str(number)})
    return number


def drop_key(number: int) -> None:
    """Remove from the home's file a key that wraps nothing any more.

    Refused with KeysElsewhere, NoSuchCityKey, KeyInForce, KeyStillNeeded, and with OldProgramsRun while a program may
    still be wrapping with it.
    """
    with _key_file() as keys:
        if str(number) not in keys["keys"]:
            raise NoSuchCityKey(key=number)
        if number in (int(keys["current"]), people_keys.keyring().current):
            raise KeyInForce(key=number)
        rewrap.refuse_old_programs(int(keys["current"]))
        if needed := rewrap.by_key(rewrap.held())[number]:
            raise KeyStillNeeded(key=number, count=needed)
        del keys["keys"][str(number)]
    _enter(number, "closed", before={"name": str(number)})


@contextmanager
def _key_file() -> Iterator[dict[str, Any]]:
    """Hold the home's file of keys against a second hand; what was changed in it is on disk when the block is left."""
    if os.environ.get("FUZHENGTONG_KEYS"):
        raise KeysElsewhere
    with settings.HOME.claim("keys"):
        keys: dict[str, Any] = json.loads(settings.HOME.secret(KEYS_FILE))
        yield keys
        _store(keys)


def _store(keys: Mapping[str, Any]) -> None:
    home = settings.HOME
    home.note(f"{home.secrets.name}/{KEYS_FILE}", json.dumps(keys))
    # The file's own folder too: a key that a power cut takes back has wrapped things by then.
    handle = os.open(home.secrets, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _enter(
    number: int, what: str, *, before: Mapping[str, object] | None = None, after: Mapping[str, object] | None = None
) -> None:
    """Leave an entry in the list of changes: that a key came or went, and never the key."""
    change = Change("city_key", str(number), str(number), before or {}, after or {})
    moment = world.World(clock=lambda: datetime.now(UTC)).moment(by=SYSTEM)
    with transaction.atomic():
        writing.enter(table="city_key", row_id=number, what=what, change=change, moment=moment, reason="")
