"""Encryption: the published vectors hold, and nothing opens that was touched."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzhengtong.kernel import crypto
from fuzhengtong.kernel.crypto import Algorithm, Keyring, NotOpened

KEY, OTHER_KEY = bytes(range(32)), bytes(range(1, 33))
NONCE = bytes(range(12))
RING = Keyring(keys={1: bytes(32), 7: b"\x07" * 32}, current=7, index_key=b"\x09" * 32)
BOTH = pytest.mark.parametrize("algorithm", list(Algorithm))


def sealed(algorithm: Algorithm = Algorithm.AES_256_GCM, plain: bytes = "王小明".encode()) -> bytes:
    return crypto.seal(key=KEY, plain=plain, aad=b"fuxin|1|name", nonce=NONCE, algorithm=algorithm)


def test_sm4_gcm_gives_the_bytes_of_rfc_8998() -> None:
    made = crypto.seal(
        key=bytes.fromhex("0123456789ABCDEFFEDCBA9876543210"),
        plain=bytes.fromhex("AAAAAAAAAAAAAAAABBBBBBBBBBBBBBBBCCCCCCCCCCCCCCCCDDDDDDDDDDDDDDDD")
        + bytes.fromhex("EEEEEEEEEEEEEEEEFFFFFFFFFFFFFFFFEEEEEEEEEEEEEEEEAAAAAAAAAAAAAAAA"),
        aad=bytes.fromhex("FEEDFACEDEADBEEFFEEDFACEDEADBEEFABADDAD2"),
        nonce=bytes.fromhex("00001234567800000000ABCD"),
        algorithm=Algorithm.SM4_GCM,
    )

    assert made[:13] == b"\x02" + bytes.fromhex("00001234567800000000ABCD")
    assert made[13:].hex().upper() == (
        "17F399F08C67D5EE19D0DC9969C4BB7D5FD46FD3756489069157B282BB200735"
        "D82710CA5C22F0CCFA7CBF93D496AC15A56834CBCF98C397B4024A2691233B8D"
        "83DE3541E4C2B58177E065A9BF7B62EC"
    )


def test_sm3_gives_the_bytes_of_the_standard() -> None:
    assert crypto.sm3(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"


def test_this_machine_has_every_algorithm() -> None:
    assert crypto.probe() == crypto.Available(aes_256_gcm=True, sm4_gcm=True, sm3=True)


@BOTH
def test_a_ciphertext_names_its_algorithm_and_carries_its_nonce(algorithm: Algorithm) -> None:
    made = sealed(algorithm)

    assert made[0] == algorithm
    assert made[1:13] == NONCE
    assert len(made) == 13 + len("王小明".encode()) + 16
    assert "王小明".encode() not in made


@BOTH
@settings(deadline=None, max_examples=50)
@given(plain=st.binary(max_size=300), aad=st.binary(max_size=40))
def test_what_was_sealed_opens_again(algorithm: Algorithm, plain: bytes, aad: bytes) -> None:
    made = crypto.seal(key=KEY, plain=plain, aad=aad, nonce=NONCE, algorithm=algorithm)

    assert crypto.unseal(key=KEY, sealed=made, aad=aad) == plain


@BOTH
def test_no_touched_byte_opens(algorithm: Algorithm) -> None:
    made = sealed(algorithm)

    for place in range(len(made)):
        touched = bytearray(made)
        touched[place] ^= 1
        with pytest.raises(NotOpened):
            crypto.unseal(key=KEY, sealed=bytes(touched), aad=b"fuxin|1|name")


@BOTH
def test_another_key_another_place_or_a_piece_opens_nothing(algorithm: Algorithm) -> None:
    made = sealed(algorithm)

    for key, text, aad in [
        (OTHER_KEY, made, b"fuxin|1|name"),
        (KEY, made, b"fuxin|2|name"),
        (KEY, made[:-1], b"fuxin|1|name"),
        (KEY, made[:20], b"fuxin|1|name"),
        (KEY, b"", b"fuxin|1|name"),
        (KEY, b"\x09" + made[1:], b"fuxin|1|name"),
    ]:
        with pytest.raises(NotOpened):
            crypto.unseal(key=key, sealed=text, aad=aad)


@pytest.mark.parametrize(("algorithm", "size"), [(Algorithm.AES_256_GCM, 16), (Algorithm.SM4_GCM, 24)])
def test_a_key_of_the_wrong_length_is_refused(algorithm: Algorithm, size: int) -> None:
    with pytest.raises(ValueError, match="key"):
        crypto.seal(key=bytes(size), plain=b"", aad=b"", nonce=NONCE, algorithm=algorithm)


@pytest.mark.parametrize("size", [0, 11, 13, 16])
def test_a_nonce_of_the_wrong_length_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="nonce"):
        crypto.seal(key=KEY, plain=b"", aad=b"", nonce=bytes(size))


@BOTH
def test_a_wrapped_key_opens_with_the_ring_and_tells_its_wrapping_key(algorithm: Algorithm) -> None:
    wrapped = crypto.wrap(keyring=RING, key=KEY, aad=b"fuxin|1", nonce=NONCE, algorithm=algorithm)

    assert wrapped[:3] == b"\x00\x07" + bytes([algorithm])
    assert crypto.unwrap(keyring=RING, wrapped=wrapped, aad=b"fuxin|1") == KEY


def test_a_key_wrapped_before_the_change_of_keys_still_opens() -> None:
    before = Keyring(keys={1: bytes(32)}, current=1, index_key=RING.index_key)
    wrapped = crypto.wrap(keyring=before, key=KEY, aad=b"", nonce=NONCE)

    assert crypto.unwrap(keyring=RING, wrapped=wrapped, aad=b"") == KEY


def test_a_wrap_opens_under_no_other_key_number_and_at_no_other_place() -> None:
    wrapped = crypto.wrap(keyring=RING, key=KEY, aad=b"fuxin|1", nonce=NONCE)

    for touched, aad in [
        (b"\x00\x01" + wrapped[2:], b"fuxin|1"),
        (b"\x00\x08" + wrapped[2:], b"fuxin|1"),
        (wrapped, b"fuxin|2"),
        (wrapped[:5], b"fuxin|1"),
        (b"", b"fuxin|1"),
    ]:
        with pytest.raises(NotOpened):
            crypto.unwrap(keyring=RING, wrapped=touched, aad=aad)


def test_only_whole_keys_are_wrapped() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        crypto.wrap(keyring=RING, key=bytes(16), aad=b"", nonce=NONCE)


@pytest.mark.parametrize(
    ("keys", "current", "index_key"),
    [
        ({}, 1, bytes(32)),
        ({1: bytes(32)}, 2, bytes(32)),
        ({1: bytes(16)}, 1, bytes(32)),
        ({1: bytes(32)}, 1, bytes(16)),
        ({1 << 16: bytes(32)}, 1 << 16, bytes(32)),
    ],
)
def test_a_ring_with_a_hole_is_refused(keys: dict[int, bytes], current: int, index_key: bytes) -> None:
    with pytest.raises(ValueError, match="key"):
        Keyring(keys=keys, current=current, index_key=index_key)


def test_a_ring_never_prints_its_keys() -> None:
    assert "x07" not in repr(RING)
    assert "x09" not in repr(RING)


def test_a_blind_index_finds_equal_values_of_one_field_of_one_city() -> None:
    def index(field: str, value: str, ring: Keyring = RING) -> bytes:
        return crypto.blind_index(keyring=ring, field=field, value=value)

    elsewhere = Keyring(keys=RING.keys, current=7, index_key=bytes(32))
    phone = index("phone", "13800000001")

    assert len(phone) == 16
    assert phone == index("phone", "13800000001")
    assert len({phone, index("phone", "13800000002"), index("name", "13800000001")}) == 3
    assert phone != index("phone", "13800000001", elsewhere)


def test_a_commitment_hides_by_its_salt_and_binds_its_data() -> None:
    made = crypto.commitment(salt=bytes(16), data=b"told")

    assert len(bytes.fromhex(made)) == 32
    assert made == crypto.commitment(salt=bytes(16), data=b"told")
    assert made != crypto.commitment(salt=b"\x01" * 16, data=b"told")
    assert made != crypto.commitment(salt=bytes(16), data=b"told otherwise")


def test_a_salt_too_short_to_hide_anything_is_refused() -> None:
    with pytest.raises(ValueError, match="salt"):
        crypto.commitment(salt=bytes(15), data=b"told")
