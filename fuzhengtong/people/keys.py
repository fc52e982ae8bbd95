"""The city's keys: read once from the settings, used to wrap the data keys of cases and to index phones.

The one place where the spine meets key material. Keys come from `FUZHENGTONG_KEYS` or the file in the home folder
(see docs/how-to/keys.md); they never reach a log, a page or the database.
"""

from __future__ import annotations

from functools import cache

from django.conf import settings

from fuzhengtong.kernel import crypto


@cache
def keyring() -> crypto.Keyring:
    """Return the keyring of this installation."""
    keys = settings.FUZHENGTONG_KEYS
    return crypto.Keyring(keys=keys["keys"], current=keys["current"], index_key=keys["index_key"])


def phone_index(phone: str) -> bytes:
    """Return the keyed blind index of a normalised phone number."""
    return crypto.blind_index(keyring=keyring(), field="phone", value=phone)
