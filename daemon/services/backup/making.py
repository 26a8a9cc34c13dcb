"""Making an archive of a database that is in use, and reading archives back."""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import msgspec
from sqlalchemy import Connection

import daemon.services.backup.manifest as manifests
from daemon.data import rows, schema, version
from daemon.data.queue import claims
from daemon.data.rows import Shape
from daemon.kernel.release import installed_version
from daemon.services.backup.archive import CLAIMS, TABLES, ArchiveReader, ArchiveWriter, Member
from daemon.services.backup.errors import ArchiveDamaged, BackupError
from daemon.services.backup.manifest import ArchiveName, Manifest, TableSaid
from daemon.services.backup.place import Archive, Place, Report, alone, sync_folder, unfinished
from daemon.services.queue.claims import hold_files

READING = "reading the archive"  # the one report that counts bytes instead of rows

_PART_BYTES = 1024 * 1024  # rows of one member, before compression; a single row may be larger
_REPORT_ROWS = 1_000
_ARRAY = struct.Struct(">BI")  # how MessagePack begins an array of up to 2**32 values


def make(place: Place, *, at: datetime, report: Report, is_safety: bool = False) -> tuple[Archive, Manifest]:
    """Write an archive, read it back, and only then give it its name; sealed when the place has a passphrase.

    BackupError when that cannot be done: nothing is left of the attempt then. UpstreamError when the database does not
    answer. Blocking, for minutes with a large database.
    """
    with alone(place.folder):
        path = _free_path(place, at, is_safety=is_safety)
        part = unfinished(path)
        try:
            with _private(part) as file:
                written = _write(file, place, at, report)
                file.flush()
                os.fsync(file.fileno())
            if read_through(part, place.passphrase, report) != written:
                raise BackupError(f"{part.name} does not read as it was written: the disk may be failing")
            part.rename(path)
            sync_folder(place.folder)
        except OSError as error:
            raise BackupError(f"the backup could not be written: {error.strerror or error}") from error
        finally:
            part.unlink(missing_ok=True)
        name = manifests.parse_name(path.name)
        assert name is not None
        return Archive(path, name, path.stat().st_size), written


def read_through(path: Path, passphrase: str | None, report: Report) -> Manifest:
    """Read an archive to its end and check all of it: hashes, that every row can be read, and how many there are.

    BackupError, ArchiveDamaged or WrongPassphrase with the first thing that is wrong.
    """
    with open_archive(path) as file:
        size, told = os.fstat(file.fileno()).st_size, 0
        archive = ArchiveReader(file, passphrase)
        counted: dict[str, int] = {table.name: 0 for table in archive.about.tables}
        claimed = 0
        for member in archive:
            if (table := table_of(member)) is not None:
                if table not in counted:
                    raise ArchiveDamaged(f"it holds rows of {table}, which it does not name")
                counted[table] += len(rows_of(member))
            elif member.name.startswith(CLAIMS):
                claimed += 1
            if (done := file.tell()) - told > _PART_BYTES:
                report(READING, told := done, size)
        report(READING, size, size)
    manifest = archive.manifest
    assert manifest is not None
    if counted != {table.name: table.rows for table in manifest.tables} or claimed != manifest.claims:
        raise ArchiveDamaged("it does not hold as much as it says")
    return manifest


@contextmanager
def open_archive(path: Path) -> Iterator[BinaryIO]:
    """The file to read; BackupError when it cannot be."""
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise BackupError(f"{path} cannot be read: {error.strerror or error}") from error


def table_of(member: Member) -> str | None:
    """The table whose rows a member holds; None for other members."""
    return member.name.split("/")[1] if member.name.startswith(TABLES) else None


def rows_of(member: Member) -> list[rows.Row]:
    """The rows that a member holds."""
    try:
        return msgspec.msgpack.decode(member.read(), type=list[tuple])  # type: ignore[type-arg]
    except msgspec.MsgspecError as error:
        raise ArchiveDamaged(f"{member.name} cannot be read") from error


def _free_path(place: Place, at: datetime, *, is_safety: bool) -> Path:
    while True:
        name = ArchiveName(at, version.HEAD, place.passphrase is not None, is_safety)
        if not (path := place.folder / str(name)).exists():
            return path
        at += timedelta(microseconds=1)  # a simulated clock may stand still


@contextmanager
def _private(path: Path) -> Iterator[BinaryIO]:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
        yield file


def _write(file: BinaryIO, place: Place, at: datetime, report: Report) -> Manifest:
    if schema.current(place.database_url) is None:  # which makes no file where there is none
        raise BackupError("there is nothing to back up: the database holds nothing of Marquee")
    with hold_files(place.claims), rows.snapshot(place.database_url) as tx:
        _check(tx, report)
        shapes = rows.shapes()
        expected = [rows.count(tx, shape) for shape in shapes]
        about = Manifest(
            format=manifests.FORMAT,
            product=installed_version(),
            revision=version.HEAD,
            dialect=tx.dialect.name,
            created_at=at,
            tables=tuple(TableSaid(shape.name, shape.columns) for shape in shapes),
        )
        with ArchiveWriter(file, about, place.passphrase) as writer:
            done = 0
            for shape, count in zip(shapes, expected, strict=True):
                found = _write_table(writer, tx, shape, _counting(report, done, sum(expected)))
                if found != count:
                    raise BackupError(f"{found} rows of {shape.name} could be read, there are {count}")
                done += found
            kept, lost = _write_claims(writer, tx, place.claims)
            written = msgspec.structs.replace(
                about,
                tables=tuple(TableSaid(s.name, s.columns, n) for s, n in zip(shapes, expected, strict=True)),
                counters=rows.read_counters(tx),
                claims=kept,
                lost_claims=lost,
                members=dict(writer.hashes),
            )
            writer.finish(written)
        return written


def _check(tx: Connection, report: Report) -> None:
    revision = version.current(tx)
    if revision != version.HEAD:
        raise BackupError(
            f"the database is at revision {revision}, this Marquee works with {version.HEAD}: back it up with the "
            "version that it belongs to, or run `marquee db upgrade` first"
        )
    if problems := rows.check_source(tx, lambda: report("checking the database", 0, 0)):
        raise BackupError(f"the database is damaged, see `marquee db check`: {problems[0]}")


def _counting(report: Report, before: int, total: int) -> Callable[[int], None]:
    return lambda done: report("copying rows", before + done, total)


def _write_table(writer: ArchiveWriter, tx: Connection, shape: Shape, report: Callable[[int], None]) -> int:
    """Append the table's rows in parts of a few megabytes; how many there were."""
    encoder = msgspec.msgpack.Encoder()
    part, in_part, done, number = bytearray(_ARRAY.size), 0, 0, 0

    def flush() -> None:
        nonlocal part, in_part, number
        _ARRAY.pack_into(part, 0, 0xDD, in_part)
        writer.add(f"{TABLES}{shape.name}/{number:06}.msgpack", part)
        part, in_part, number = bytearray(_ARRAY.size), 0, number + 1

    for row in rows.read(tx, shape):
        encoder.encode_into(row, part, -1)
        in_part += 1
        done += 1
        if len(part) >= _PART_BYTES:
            flush()
        if done % _REPORT_ROWS == 0:
            report(done)
    if in_part:
        flush()
    report(done)
    return done


def _write_claims(writer: ArchiveWriter, tx: Connection, folder: Path) -> tuple[int, tuple[str, ...]]:
    """Append every body that a copied row refers to; how many, and the digests of those that were lost before."""
    kept, lost = 0, []
    for digest in sorted(claims.referenced(tx)):
        name = digest.hex()
        try:
            with (folder / name[:2] / name).open("rb") as file:
                found = writer.add_stream(CLAIMS + name, os.fstat(file.fileno()).st_size, file)
        except FileNotFoundError:
            body = claims.get(tx, digest)
            if body is None:
                lost.append(name)
                continue
            found = writer.add_stream(CLAIMS + name, len(body), io.BytesIO(body))
        kept += 1
        if found != name:
            lost.append(name)
    return kept, tuple(lost)
