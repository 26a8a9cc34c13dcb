"""Sealed bytes come back whole, or with one sentence; never changed, cut, or in another order."""

from __future__ import annotations

import io
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.services.backup.errors import ArchiveDamaged
from daemon.services.backup.sealing import Sealer, Unsealer, WrongPassphrase

CHUNK, TAG, HEADER = 64 * 1024, 16, 9 + 3 + 16
START = HEADER + TAG  # of the first chunk


def seal(data: bytes, passphrase: str = "correct horse") -> bytes:
    file = io.BytesIO()
    sealer = Sealer(file, passphrase)
    with memoryview(data) as view:
        for start in range(0, len(data), 10_000):
            sealer.write(bytes(view[start : start + 10_000]))
    sealer.close()
    return file.getvalue()


def unseal(sealed: bytes, passphrase: str = "correct horse") -> bytes:
    unsealer = Unsealer(io.BytesIO(sealed), passphrase)
    return b"".join(iter(unsealer.read_chunk, b""))


LARGE = random.Random(3).randbytes(3 * CHUNK + 100)
SEALED = seal(LARGE)


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_any_size_comes_back(size: int) -> None:
    data = random.Random(size).randbytes(size)
    assert unseal(seal(data)) == data


def test_nothing_of_it_can_be_read_and_no_two_are_alike() -> None:
    sealed = seal(b"title " * 5_000)
    assert b"title" not in sealed
    assert sealed != seal(b"title " * 5_000)


def test_another_passphrase_is_told_from_damage() -> None:
    with pytest.raises(WrongPassphrase, match="the passphrase is wrong"):
        unseal(SEALED, "correct house")


@settings(max_examples=10, deadline=None)
@given(st.integers(START, len(SEALED) - 1), st.integers(0, 7))
def test_a_changed_bit_is_noticed(place: int, bit: int) -> None:
    changed = bytearray(SEALED)
    changed[place] ^= 1 << bit
    with pytest.raises(ArchiveDamaged, match="changed or cut off"):
        unseal(bytes(changed))


@pytest.mark.parametrize("end", [START + CHUNK + TAG, START + 2 * (CHUNK + TAG), START + 100, START, HEADER, 5, 0])
def test_a_cut_is_noticed_even_between_two_chunks(end: int) -> None:
    with pytest.raises(ArchiveDamaged):
        unseal(SEALED[:end])


def test_chunks_cannot_change_places_be_left_out_or_come_from_another_file() -> None:
    size = CHUNK + TAG
    head, one, two, rest = SEALED[:START], *(SEALED[START + n * size : START + (n + 1) * size] for n in range(2)), b""
    rest = SEALED[START + 2 * size :]
    assert unseal(head + one + two + rest) == LARGE
    other = seal(LARGE)[START : START + size]
    for forged in (
        head + two + one + rest,
        head + two + rest,
        head + one + one + two + rest,
        head + other + two + rest,
    ):
        with pytest.raises(ArchiveDamaged):
            unseal(forged)


def test_a_header_that_asks_for_too_much_is_refused() -> None:
    with pytest.raises(ArchiveDamaged, match="asks for a key that no Marquee made"):
        unseal(SEALED[:9] + bytes([30]) + SEALED[10:])
    with pytest.raises(ArchiveDamaged, match="does not begin"):
        unseal(b"PK\x03\x04" + bytes(100))
