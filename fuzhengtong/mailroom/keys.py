"""The mailroom's own keys, derived from the city's: what is sealed here opens nowhere else, and the other way round.

The key of the city is read from the settings and reaches no log, no page and no table.
"""

from __future__ import annotations

import hmac
from datetime import datetime
from functools import cache

from django.conf import settings

from fuzhengtong.kernel import crypto

_NUMBER_BYTES = 2


@cache
def _ring() -> crypto.Keyring:
    held = settings.FUZHENGTONG_KEYS
    own = {number: hmac.digest(key, b"fuzhengtong mailroom", "sha256") for number, key in held["keys"].items()}
    index_key = hmac.digest(held["index_key"], b"fuzhengtong mailroom", "sha256")
    return crypto.Keyring(keys=own, current=held["current"], index_key=index_key)


def seal(*, plain: str, aad: bytes, nonce: bytes) -> bytes:
    """Seal a text under the current key, whose number stands in the first two bytes."""
    ring = _ring()
    closed = crypto.seal(key=ring.keys[ring.current], plain=plain.encode(), aad=aad, nonce=nonce)
    return ring.current.to_bytes(_NUMBER_BYTES, "big") + closed


def unseal(*, sealed: bytes, aad: bytes) -> str:
    """Open what `seal` made; raises NotOpened, also where the key of that number is gone."""
    key = _ring().keys.get(int.from_bytes(sealed[:_NUMBER_BYTES], "big"))
    if key is None:
        raise crypto.NotOpened
    return crypto.unseal(key=key, sealed=sealed[_NUMBER_BYTES:], aad=aad).decode()


def address_index(*, address: str, window_at: datetime) -> bytes:
    """Return the keyed index of an address within one window of time."""
    return crypto.blind_index(keyring=_ring(), field=f"notice {window_at.isoformat()}", value=address)


def aad_of(part: str, parcel_id: int) -> bytes:
    """Bind a ciphertext to its parcel and column, so that none can be moved to another."""
    return f"parcel|{parcel_id}|{part}".encode()
