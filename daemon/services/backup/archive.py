"""One archive file: a tar of members, compressed by zstandard, sealed when there is a passphrase.

Nothing is ever whole in memory; `tar --zstd -tf` lists an archive that is not sealed.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import BinaryIO, Protocol

import zstandard

import daemon.services.backup.manifest as manifests
from daemon.services.backup.errors import ArchiveDamaged, BackupError
from daemon.services.backup.manifest import Manifest
from daemon.services.backup.sealing import MAGIC, Sealer, Unsealer

ABOUT, MANIFEST = "about.json", "manifest.json"
TABLES, CLAIMS = "tables/", "claims/"

_LEVEL = 3  # measured: 6 takes twice as long for 5 % less
_READ = 128 * 1024
_BITE = 2048  # compressed bytes taken at once: even of zeros alone they are no more than 64 MB
_DOCUMENT_BYTES_MAX = 64 * 1024 * 1024  # a manifest that names 500,000 members


class _Sink:
    """Where the compressor writes to, until it is told to forget it."""

    def __init__(self, target: Sealer | BinaryIO) -> None:
        self.target: Sealer | BinaryIO | None = target

    def write(self, data: bytes) -> int:
        return len(data) if self.target is None else self.target.write(data)


class ArchiveWriter:
    """Writes members one after the other to `file`, which stays open. Without `finish` it is no archive."""

    def __init__(self, file: BinaryIO, about: Manifest, passphrase: str | None) -> None:
        self._sealer = None if passphrase is None else Sealer(file, passphrase)
        self._sink = _Sink(self._sealer or file)
        # With a checksum a bit changed anywhere is noticed, in what the archive says about itself, too.
        compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)
        self._zstd = compressor.stream_writer(self._sink, closefd=False)  # type: ignore[arg-type]  # it only writes
        self._tar = tarfile.TarFile.open(fileobj=self._zstd, mode="w|", format=tarfile.PAX_FORMAT, bufsize=_READ)
        self._about = about
        self.hashes: dict[str, str] = {}
        self.add(ABOUT, manifests.encode(about))

    def add(self, name: str, data: bytes | bytearray) -> None:
        """Append a member."""
        self.add_stream(name, len(data), io.BytesIO(data))

    def add_stream(self, name: str, size_bytes: int, source: BinaryIO) -> str:
        """Append a member of exactly that size; its SHA-256 in hex. OSError when the source ends early."""
        member = tarfile.TarInfo(name)
        member.size, member.mode, member.mtime = size_bytes, 0o600, int(self._about.created_at.timestamp())
        hashed = _Hashed(source)
        self._tar.addfile(member, hashed)
        self._tar.members.clear()  # type: ignore[attr-defined]  # it would remember every member, for listings
        self.hashes[name] = hashed.hexdigest()
        return self.hashes[name]

    def finish(self, manifest: Manifest) -> None:
        """Append the manifest, and end the archive."""
        self.add(MANIFEST, manifests.encode(manifest))
        self._tar.close()
        self._zstd.close()  # type: ignore[no-untyped-call]
        if self._sealer is not None:
            self._sealer.close()

    def __enter__(self) -> ArchiveWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """After an error nothing writes to the file any more."""
        if kind is not None:
            self._sink.target = None
            self._tar.close()
            self._zstd.close()  # type: ignore[no-untyped-call]


class Member:
    """One member while the archive is read; what is left of it is read when the next one is asked for."""

    def __init__(self, name: str, size_bytes: int, source: BinaryIO) -> None:
        self.name = name
        self.size_bytes = size_bytes
        self._hashed = _Hashed(source)

    def read(self, size: int = -1) -> bytes:
        """The next bytes, all of them by default. ArchiveDamaged when they are not there."""
        with _damage():
            return self._hashed.read(size)

    def hexdigest(self) -> str:
        """SHA-256 of the whole member."""
        while self.read(_READ):
            pass
        return self._hashed.hexdigest()


class ArchiveReader:
    """Reads an archive once, from `file`'s beginning to its end.

    Iterating gives every member but `about.json`, which is `about`, and `manifest.json`, which is `manifest` once the
    iteration has ended: by then every hash, and that nothing is missing or too much, has been checked. BackupError and
    its kinds for whatever is wrong with it.
    """

    def __init__(self, file: BinaryIO, passphrase: str | None) -> None:
        self._source = _Uncompressed(_opened(file, passphrase))
        with _damage():
            self._tar = tarfile.TarFile.open(fileobj=self._source, mode="r|", bufsize=_READ)  # type: ignore[call-overload]
        first = self._next()
        if first is None or first.name != ABOUT:
            raise ArchiveDamaged("it does not begin as an archive of Marquee does")
        self._hashes: dict[str, str] = {}
        self.about = manifests.decode(self._read_document(first))
        self.manifest: Manifest | None = None

    def __iter__(self) -> Iterator[Member]:
        while (member := self._next()) is not None and member.name != MANIFEST:
            yield member
            self._keep_hash(member)
        if member is None:
            raise ArchiveDamaged("it ends without saying what it holds")
        self.manifest = manifests.decode(self._read_document(member))
        if self._next() is not None:
            raise ArchiveDamaged("something stands after its end")
        self._source.drain()
        self._compare(self.manifest.members)

    def _next(self) -> Member | None:
        with _damage():
            info = self._tar.next()
            self._tar.members.clear()
            if info is None:
                return None
            source = self._tar.extractfile(info) if info.isreg() else None
        if source is None:
            raise ArchiveDamaged(f"{info.name!r} is not a file")
        return Member(info.name, info.size, source)

    def _read_document(self, member: Member) -> bytes:
        if member.size_bytes > _DOCUMENT_BYTES_MAX:
            raise ArchiveDamaged(f"{member.name} is too large")
        document = member.read()
        if member.name != MANIFEST:
            self._keep_hash(member)
        return document

    def _keep_hash(self, member: Member) -> None:
        if member.name in self._hashes:
            raise ArchiveDamaged(f"{member.name} stands in it twice")
        self._hashes[member.name] = member.hexdigest()

    def _compare(self, expected: dict[str, str]) -> None:
        if missing := sorted(expected.keys() - self._hashes.keys()):
            raise ArchiveDamaged(f"{missing[0]} is missing")
        for name, found in self._hashes.items():
            if expected.get(name) != found:
                raise ArchiveDamaged(f"{name} is not what was written")


class _Chunked(Protocol):
    def read_chunk(self) -> bytes: ...


class _Plain:
    """An archive that is not sealed."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read_chunk(self) -> bytes:
        return self._file.read(_READ)


class _Uncompressed:
    """What was compressed. Unlike zstandard's own reader it tells an end from a file that was cut off."""

    def __init__(self, source: _Chunked) -> None:
        self._source = source
        self._decompressor = zstandard.ZstdDecompressor().decompressobj()
        self._compressed = memoryview(b"")
        self._ready = memoryview(b"")

    def read(self, size: int) -> bytes:
        """At most `size` bytes, empty only at the end."""
        while not self._ready and not self._decompressor.eof:
            if not self._compressed:
                self._compressed = memoryview(self._source.read_chunk())
            if not self._compressed:
                raise ArchiveDamaged("it ends too early")
            with _damage():
                self._ready = memoryview(self._decompressor.decompress(self._compressed[:_BITE]))
            self._compressed = self._compressed[_BITE:]
        taken, self._ready = self._ready[:size], self._ready[size:]
        return bytes(taken)

    def drain(self) -> None:
        """Read to the very end, so that the checksum is compared."""
        while self.read(_READ):
            pass
        if self._decompressor.unused_data or self._compressed or self._source.read_chunk():
            raise ArchiveDamaged("something stands after its end")


class _Hashed:
    """Hashes what is read through it."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._hash = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(size)
        self._hash.update(data)
        return data

    def hexdigest(self) -> str:
        return self._hash.hexdigest()


@contextmanager
def _damage() -> Iterator[None]:
    """Turns what the libraries say about a damaged archive into our own error."""
    try:
        yield
    except (tarfile.TarError, zstandard.ZstdError, EOFError) as error:
        raise ArchiveDamaged("it cannot be unpacked") from error


def is_sealed(file: BinaryIO) -> bool:
    """Whether an archive is encrypted; `file` is back at its beginning afterwards."""
    start = file.read(len(MAGIC))
    file.seek(0)
    return start == MAGIC


def _opened(file: BinaryIO, passphrase: str | None) -> _Chunked:
    if not is_sealed(file):
        return _Plain(file)
    if passphrase is None:
        raise BackupError(
            "the archive is encrypted: give its passphrase as MARQUEE_BACKUP__PASSPHRASE (or ..._FILE, or in [backup])"
        )
    return Unsealer(file, passphrase)
