"""Remembered answers are sealed: an answer holds a query code, and no table may open one (I6).

The key of each is derived from the city's index key, the client and the request key. The last two stand beside the
answer, so the table alone opens nothing; the first never changes, so a change of the wrapping key leaves answers
alone. Called by `accounts`, by the one door of intake, by `verify` and by `rewrap`; it writes nothing, and the city's
key reaches no log, no page and no table.
"""

from __future__ import annotations

import hmac
from functools import cache
from typing import Final

from django.conf import settings

from fuzhengtong.kernel import crypto

_AAD: Final = b"answer"
# The first byte of a ciphertext names its algorithm; no answer kept in clear by an earlier program begins with one.
_MARKS: Final = frozenset(bytes((algorithm,)) for algorithm in crypto.Algorithm)


@cache
def _root() -> bytes:
    return hmac.digest(settings.FUZHENGTONG_KEYS["index_key"], b"fuzhengtong answers", "sha256")


def _key(client: str, key: str) -> bytes:
    # The length in front: two pairs that read the same joined must not share a key.
    return hmac.digest(_root(), f"{len(client)}|{client}|{key}".encode(), "sha256")


def seal(*, client: str, key: str, answer: bytes, nonce: bytes) -> bytes:
    """Seal the answer to one request for the row that keeps it."""
    return crypto.seal(key=_key(client, key), plain=answer, aad=_AAD, nonce=nonce)


def opened(*, client: str, key: str, kept: bytes) -> bytes:
    """Return an answer as it was given; one that an earlier program kept in clear is returned as it stands.

    Raises NotOpened where the answer was sealed under another city's key or for another row.
    """
    return crypto.unseal(key=_key(client, key), sealed=kept, aad=_AAD) if is_sealed(kept) else kept


def is_sealed(kept: bytes) -> bool:
    """Tell whether a kept answer is sealed."""
    return kept[:1] in _MARKS
