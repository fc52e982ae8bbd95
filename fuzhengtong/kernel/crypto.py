"""Encryption, wrapping of keys, blind indexes and commitments, behind one small interface.

Called by `people`, by passages and attachments, and by the sealed program. Each ciphertext carries the number of its
algorithm, so that AES-256-GCM and SM4-GCM can stand side by side and be exchanged. Keys, salts and nonces are always
arguments: nothing here draws, stores or prints one. A missing algorithm is never replaced by another: `probe` says
at start what the machine can do.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, assert_never

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
SM4_KEY_BYTES: Final = 16
_TAG_BYTES: Final = 16
_HEAD_BYTES: Final = 1 + NONCE_BYTES
_KEY_ID_BYTES: Final = 2
_SALT_BYTES: Final = 16
_INDEX_BYTES: Final = 16


class Algorithm(IntEnum):
    """How a field is encrypted: the first byte of every ciphertext."""

    AES_256_GCM = 1
    SM4_GCM = 2


class NotOpened(Exception):
    """A ciphertext did not open: another key, other associated data, or altered bytes. Never says which."""


def seal(*, key: bytes, plain: bytes, aad: bytes, nonce: bytes, algorithm: Algorithm = Algorithm.AES_256_GCM) -> bytes:
    """Encrypt and authenticate: algorithm byte, nonce, ciphertext, tag; the associated data is bound, not stored.

    Keys have 32 bytes; SM4-GCM also takes its own 16, and derives them from 32. The nonce has 12 bytes and must
    never be used twice under one key. Refuses other lengths.
    """
    if len(nonce) != NONCE_BYTES:
        raise ValueError(f"a nonce has {NONCE_BYTES} bytes, not {len(nonce)}")
    match algorithm:
        case Algorithm.AES_256_GCM:
            closed = AESGCM(_aes_key(key)).encrypt(nonce, plain, aad)
        case Algorithm.SM4_GCM:
            encryptor = Cipher(algorithms.SM4(_sm4_key(key)), modes.GCM(nonce)).encryptor()
            encryptor.authenticate_additional_data(aad)
            closed = encryptor.update(plain) + encryptor.finalize() + encryptor.tag
        case _:
            assert_never(algorithm)
    return bytes((algorithm,)) + nonce + closed


def unseal(*, key: bytes, sealed: bytes, aad: bytes) -> bytes:
    """Open what `seal` made under the same key and associated data; raises NotOpened."""
    if len(sealed) < _HEAD_BYTES + _TAG_BYTES:
        raise NotOpened
    nonce, closed = sealed[1:_HEAD_BYTES], sealed[_HEAD_BYTES:]
    try:
        if sealed[0] == Algorithm.AES_256_GCM:
            return AESGCM(_aes_key(key)).decrypt(nonce, closed, aad)
        if sealed[0] == Algorithm.SM4_GCM:
            mode = modes.GCM(nonce, closed[-_TAG_BYTES:])
            decryptor = Cipher(algorithms.SM4(_sm4_key(key)), mode).decryptor()
            decryptor.authenticate_additional_data(aad)
            # The tag is checked by finalize alone: nothing leaves before it.
            return decryptor.update(closed[:-_TAG_BYTES]) + decryptor.finalize()
    except InvalidTag:
        raise NotOpened from None
    raise NotOpened


@dataclass(frozen=True)
class Keyring:
    """The city's key-encryption keys by number, the one new keys are wrapped with, and the key of blind indexes.

    Old keys stay so that old wraps open. Refuses keys that are not 32 bytes long and a current number without a key.
    """

    keys: Mapping[int, bytes] = field(repr=False)
    current: int
    index_key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if self.current not in self.keys:
            raise ValueError(f"no key has the current number {self.current}")
        if not all(0 <= number < 1 << 16 for number in self.keys):
            raise ValueError("keys are numbered from 0 to 65535")
        if not all(len(key) == KEY_BYTES for key in (*self.keys.values(), self.index_key)):
            raise ValueError(f"a key has {KEY_BYTES} bytes")


def wrap(
    *, keyring: Keyring, key: bytes, aad: bytes, nonce: bytes, algorithm: Algorithm = Algorithm.AES_256_GCM
) -> bytes:
    """Encrypt a data key of 32 bytes with the current key of the ring, whose number stands in the first two bytes."""
    if len(key) != KEY_BYTES:
        raise ValueError(f"a key has {KEY_BYTES} bytes, not {len(key)}")
    number = keyring.current.to_bytes(_KEY_ID_BYTES, "big")
    return number + seal(key=keyring.keys[keyring.current], plain=key, aad=aad, nonce=nonce, algorithm=algorithm)


def unwrap(*, keyring: Keyring, wrapped: bytes, aad: bytes) -> bytes:
    """Open a wrapped key with the key of the ring it names; raises NotOpened, also for a number the ring lacks."""
    wrapping = keyring.keys.get(int.from_bytes(wrapped[:_KEY_ID_BYTES], "big"))
    if wrapping is None:
        raise NotOpened
    return unseal(key=wrapping, sealed=wrapped[_KEY_ID_BYTES:], aad=aad)


def blind_index(*, keyring: Keyring, field: str, value: str) -> bytes:
    """Compute the keyed index by which an encrypted value is found: equal values of one field have equal indexes.

    HMAC-SHA-256 over the field's name and the value, cut to 16 bytes; the value comes normalised.
    """
    return hmac.digest(keyring.index_key, f"{field}\0{value}".encode(), "sha256")[:_INDEX_BYTES]


def commitment(*, salt: bytes, data: bytes) -> str:
    """Commit to data without telling it: HMAC-SHA-256 under a salt of at least 16 bytes, in hexadecimal.

    Once the salt is destroyed nobody can try texts against it. Refuses a salt that is too short to hide anything.
    """
    if len(salt) < _SALT_BYTES:
        raise ValueError(f"a salt has at least {_SALT_BYTES} bytes, not {len(salt)}")
    return hmac.digest(salt, data, "sha256").hex()


def sm3(data: bytes) -> bytes:
    """Hash with SM3."""
    digest = hashes.Hash(hashes.SM3())
    digest.update(data)
    return digest.finalize()


@dataclass(frozen=True, slots=True)
class Available:
    """What this machine's library computes correctly."""

    aes_256_gcm: bool
    sm4_gcm: bool
    sm3: bool


def probe() -> Available:
    """Check the published vectors of SM4-GCM and SM3, and a round of AES-256-GCM, and say which hold.

    A `cryptography` built against some system libraries lacks SM4-GCM; who configured it must then refuse to start.
    """
    return Available(aes_256_gcm=_aes_holds(), sm4_gcm=_sm4_holds(), sm3=_sm3_holds())


def _aes_key(key: bytes) -> bytes:
    if len(key) != KEY_BYTES:
        raise ValueError(f"AES-256-GCM takes a key of {KEY_BYTES} bytes, not {len(key)}")
    return key


def _sm4_key(key: bytes) -> bytes:
    if len(key) == SM4_KEY_BYTES:
        return key
    if len(key) != KEY_BYTES:
        raise ValueError(f"SM4-GCM takes a key of {SM4_KEY_BYTES} or {KEY_BYTES} bytes, not {len(key)}")
    # Derived, not cut: one data key may serve both algorithms during a change-over without sharing bytes.
    return hmac.digest(key, b"fuzhengtong sm4-gcm", hashlib.sha256)[:SM4_KEY_BYTES]


# RFC 8998, appendix A.1.
_SM4_KEY = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
_SM4_NONCE = bytes.fromhex("00001234567800000000ABCD")
_SM4_AAD = bytes.fromhex("FEEDFACEDEADBEEFFEEDFACEDEADBEEFABADDAD2")
_SM4_PLAIN = b"".join(bytes((byte,)) * 8 for byte in (0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF, 0xEE, 0xAA))
_SM4_SEALED = bytes.fromhex(
    "17F399F08C67D5EE19D0DC9969C4BB7D5FD46FD3756489069157B282BB200735"
    "D82710CA5C22F0CCFA7CBF93D496AC15A56834CBCF98C397B4024A2691233B8D"
    "83DE3541E4C2B58177E065A9BF7B62EC"
)
# GB/T 32905, example 1: "abc".
_SM3_ABC = bytes.fromhex("66C7F0F462EEEDD9D1F2D46BDC10E4E24167C4875CF2F7A2297DA02B8F4BA8E0")
# The Galois/Counter Mode of Operation, test case 14: an all-zero key of 256 bits, nonce and block.
_AES_SEALED = bytes.fromhex("CEA7403D4D606B6E074EC5D3BAF39D18D0D1C8A799996BF0265B98B5D48AB919")


def _aes_holds() -> bool:
    return AESGCM(bytes(KEY_BYTES)).encrypt(bytes(NONCE_BYTES), bytes(16), None) == _AES_SEALED


def _sm4_holds() -> bool:
    try:
        sealed = seal(key=_SM4_KEY, plain=_SM4_PLAIN, aad=_SM4_AAD, nonce=_SM4_NONCE, algorithm=Algorithm.SM4_GCM)
    except UnsupportedAlgorithm:
        return False
    return sealed[_HEAD_BYTES:] == _SM4_SEALED


def _sm3_holds() -> bool:
    try:
        return sm3(b"abc") == _SM3_ABC
    except UnsupportedAlgorithm:
        return False
