"""An archive is read as it was written, or not at all."""

from __future__ import annotations

import io
import random
import tarfile
from datetime import UTC, datetime

import msgspec
import pytest
import zstandard

from daemon.services.backup.archive import ArchiveReader, ArchiveWriter
from daemon.services.backup.errors import ArchiveDamaged, BackupError
from daemon.services.backup.manifest import ArchiveName, Manifest, TableSaid, parse_name

AT = datetime(2026, 11, 20, 4, 30, 0, 123456, tzinfo=UTC)
ABOUT = Manifest(1, "0.1.0", "0003", "sqlite", AT, (TableSaid("profiles", ("id", "name")),))
ROWS = random.Random(1).randbytes(200_000)


def write(about: Manifest = ABOUT, **changes: object) -> bytes:
    file = io.BytesIO()
    with ArchiveWriter(file, about, None) as writer:
        writer.add("tables/profiles/000000.msgpack", ROWS)
        writer.add_stream("claims/ab", 300_000, io.BytesIO(bytes(300_000)))
        said = {"members": dict(writer.hashes), **changes}
        writer.finish(msgspec.structs.replace(about, **said))
    return file.getvalue()


def read(archive: bytes) -> list[tuple[str, int]]:
    return [(member.name, member.size_bytes) for member in ArchiveReader(io.BytesIO(archive), None)]


ARCHIVE = write()


def test_it_is_a_tar_that_other_tools_can_read() -> None:
    assert read(ARCHIVE) == [("tables/profiles/000000.msgpack", 200_000), ("claims/ab", 300_000)]
    plain = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(ARCHIVE)).read()
    with tarfile.open(fileobj=io.BytesIO(plain)) as tar:
        assert tar.getnames() == ["about.json", "tables/profiles/000000.msgpack", "claims/ab", "manifest.json"]
        assert {member.mode for member in tar.getmembers()} == {0o600}


def test_a_cut_or_a_changed_bit_anywhere_is_noticed() -> None:
    rng = random.Random(2)
    places = [*rng.sample(range(len(ARCHIVE)), 150), *range(30), *range(len(ARCHIVE) - 30, len(ARCHIVE))]
    for place in places:
        changed = bytearray(ARCHIVE)
        changed[place] ^= 1 << rng.randrange(8)
        for wrong in (bytes(changed), ARCHIVE[:place]):
            with pytest.raises(BackupError):
                read(wrong)


def test_what_stands_after_its_end_is_noticed() -> None:
    for more in (b"x", ARCHIVE):
        with pytest.raises(ArchiveDamaged, match="after its end"):
            read(ARCHIVE + more)


@pytest.mark.parametrize(
    ("members", "problem"),
    [
        ({}, "about.json is not what was written"),
        ({"claims/cd": "00"}, "claims/cd is missing"),
    ],
)
def test_members_must_be_those_of_the_manifest(members: dict[str, str], problem: str) -> None:
    with pytest.raises(ArchiveDamaged, match=problem):
        read(write(members=members))


def test_an_archive_of_a_newer_format_asks_for_a_newer_marquee() -> None:
    with pytest.raises(BackupError, match="format 2, this Marquee reads up to 1"):
        read(write(msgspec.structs.replace(ABOUT, format=2)))


@pytest.mark.parametrize("name", ['profiles"; DROP TABLE panels; --', "Profiles", "", "../panels"])
def test_names_that_cannot_be_tables_never_reach_the_database(name: str) -> None:
    with pytest.raises(ArchiveDamaged, match="tables that cannot be"):
        read(write(msgspec.structs.replace(ABOUT, tables=(TableSaid(name, ("id",)),))))


def test_other_files_are_no_archives() -> None:
    for other in (b"", b"SQLite format 3\0" + bytes(4000), zstandard.compress(bytes(20_000))):
        with pytest.raises(ArchiveDamaged):
            read(other)


def test_an_archive_that_was_not_finished_writes_nothing_more_and_is_none() -> None:
    file = io.BytesIO()

    def begin() -> None:
        with ArchiveWriter(file, ABOUT, None) as writer:
            writer.add("tables/profiles/000000.msgpack", ROWS)
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        begin()
    with pytest.raises(ArchiveDamaged):
        read(file.getvalue())


@pytest.mark.parametrize("is_sealed", [False, True])
@pytest.mark.parametrize("is_safety", [False, True])
def test_a_name_says_when_and_what(is_sealed: bool, is_safety: bool) -> None:
    name = ArchiveName(AT, "0003", is_sealed, is_safety)
    assert parse_name(str(name)) == name
    assert str(name).startswith("before-restore-" if is_safety else "marquee-20261120T043000.123456Z-0003.tar.zst")


@pytest.mark.parametrize(
    "name",
    ["marquee.db", "marquee-20261120T043000.123456Z-0003.tar.zst.part", "marquee-20261399T043000.123456Z-0003.tar.zst",
     "my-marquee-20261120T043000.123456Z-0003.tar.zst", "before-upgrade-20261120T043000.123456Z-from-0002.sqlite3"],
)  # fmt: skip
def test_files_of_others_have_other_names(name: str) -> None:
    assert parse_name(name) is None
