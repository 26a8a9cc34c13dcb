"""Encryption of an archive with a passphrase, in chunks, so that no size of it has to fit into memory.

The file is a header, a proof of the passphrase, and chunks of 64 KiB, each sealed by ChaCha20-Poly1305 under a key
that scrypt makes of passphrase and salt. A chunk's nonce is its number and whether it is the last one: chunks that are
swapped, repeated, left out or cut off do not open. (The construction is STREAM: Hoang, Reyhanitabar, Rogaway, Vizár,
2015; age uses the same.) The salt is new with each file, therefore the key, therefore nonces may count from 0.

    header   "MARQSEAL" 1, log2 of scrypt's N, r, p (a byte each), salt (16 bytes)
    proof    an empty chunk of its own number: a wrong passphrase is told from a damaged file
    chunks   up to 64 KiB + 16 bytes each; only the last may be shorter
"""

from __future__ import annotations

import os
import struct
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from daemon.services.backup.errors import ArchiveDamaged, BackupError

MAGIC = b"MARQSEAL\x01"

_CHUNK = 64 * 1024
_TAG = 16
_HEADER = struct.Struct(f"!{len(MAGIC)}sBBB16s")
_LOG_N, _R, _P = 15, 8, 3  # 32 MB of memory and about 0.3 s: one of OWASP's choices for scrypt
_COST_MAX = (20, 16, 16)  # of a file that somebody gave us: 2 GB of memory would be too much
_PROOF = 2**88 - 1  # no file has that many chunks


class WrongPassphrase(BackupError):
    """The archive was encrypted with another passphrase."""

    def __init__(self) -> None:
        super().__init__("the passphrase is wrong: the archive was encrypted with another one")


class Sealer:
    """Writes what it is given, sealed, to `file`. Only after `close` is it whole; `file` stays open."""

    def __init__(self, file: BinaryIO, passphrase: str) -> None:
        self._file = file
        header = _HEADER.pack(MAGIC, _LOG_N, _R, _P, os.urandom(16))
        self._chunks = _Chunks(header, passphrase)
        self._waiting = bytearray()
        file.write(header)
        file.write(self._chunks.prove())

    def write(self, data: bytes) -> int:
        """Take bytes; a chunk is written once it is known not to be the last."""
        self._waiting += data
        whole = max(0, (len(self._waiting) - 1) // _CHUNK) * _CHUNK
        with memoryview(self._waiting) as waiting:
            for start in range(0, whole, _CHUNK):
                self._file.write(self._chunks.seal(waiting[start : start + _CHUNK], is_last=False))
        del self._waiting[:whole]
        return len(data)

    def close(self) -> None:
        """Write the last chunk."""
        self._file.write(self._chunks.seal(self._waiting, is_last=True))
        self._waiting.clear()


class Unsealer:
    """Reads what a `Sealer` wrote. Raises WrongPassphrase, or ArchiveDamaged at the first chunk that is not right."""

    def __init__(self, file: BinaryIO, passphrase: str) -> None:
        self._file = file
        header = file.read(_HEADER.size)
        if len(header) < _HEADER.size or not header.startswith(MAGIC):
            raise ArchiveDamaged("it does not begin as an encrypted archive does")
        self._chunks = _Chunks(header, passphrase)
        proof = file.read(_TAG)
        if len(proof) < _TAG:
            raise ArchiveDamaged("it ends too early")
        if not self._chunks.is_proof(proof):
            raise WrongPassphrase
        self._next = file.read(_CHUNK + _TAG)
        self._is_over = False

    def read_chunk(self) -> bytes:
        """The next bytes, empty only at the end."""
        if self._is_over:
            return b""
        sealed, self._next = self._next, self._file.read(_CHUNK + _TAG)
        self._is_over = not self._next
        return self._chunks.open(sealed, is_last=self._is_over)


class _Chunks:
    """Seals or opens chunk after chunk; every one vouches for the header, too."""

    def __init__(self, header: bytes, passphrase: str) -> None:
        _, log_n, r, p, salt = _HEADER.unpack(header)
        if log_n > _COST_MAX[0] or not 0 < r <= _COST_MAX[1] or not 0 < p <= _COST_MAX[2] or log_n < 1:
            raise ArchiveDamaged("its header asks for a key that no Marquee made")
        key = Scrypt(salt=salt, length=32, n=2**log_n, r=r, p=p).derive(passphrase.encode())
        self._cipher = ChaCha20Poly1305(key)
        self._header = header
        self._number = 0

    def prove(self) -> bytes:
        return self._cipher.encrypt(_nonce(_PROOF, is_last=False), b"", self._header)

    def is_proof(self, proof: bytes) -> bool:
        try:
            self._cipher.decrypt(_nonce(_PROOF, is_last=False), proof, self._header)
        except InvalidTag:
            return False
        return True

    def seal(self, data: bytes | bytearray | memoryview, *, is_last: bool) -> bytes:
        sealed = self._cipher.encrypt(_nonce(self._number, is_last=is_last), data, self._header)
        self._number += 1
        return sealed

    def open(self, sealed: bytes, *, is_last: bool) -> bytes:
        try:
            data = self._cipher.decrypt(_nonce(self._number, is_last=is_last), sealed, self._header)
        except InvalidTag:
            place = f"at {self._number * _CHUNK / 1e6:.1f} MB"
            raise ArchiveDamaged(f"it was changed or cut off {place}") from None
        self._number += 1
        return data


def _nonce(number: int, *, is_last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\x01" if is_last else b"\x00")
