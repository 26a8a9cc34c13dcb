"""What is wrong with an archive or with the place it goes to is said in one sentence, and nothing is half done."""

from __future__ import annotations

import asyncio
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from daemon.data import schema
from daemon.data.engine import open_engine, parse_url
from daemon.data.migrations import run
from daemon.services.backup import ArchiveDamaged, BackupError, Place
from daemon.services.backup.making import make
from daemon.services.backup.restoring import restore
from daemon.services.backup.sealing import WrongPassphrase
from tests.integration.backup.house import AT, GUILD, House, check, fill, in_house, place_of, silent
from tests.integration.backup.older import write_older
from tests.integration.cli.marquee import environment


@pytest.fixture
def place(database_url: str, tmp_path: Path) -> Place:
    """A house in use, with something in it that no backup knows."""
    place = place_of(database_url, tmp_path / "house")
    schema.upgrade(database_url, place.data_dir)
    in_house(place, fill)
    return place


@pytest.fixture
def archive(place: Place) -> Path:
    made, _ = make(place, at=AT, report=silent)
    in_house(place, lambda house: house.guilds.set_setting(GUILD, "since", "the backup"))
    return made.path


def contents(place: Place) -> dict[str, bytes]:
    """Every file of the house but the database's own."""
    folder = place.data_dir
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(("marquee.sqlite3", "marquee.lock"))
    }


def refuse(place: Place, archive: Path, error: type[BackupError], text: str) -> None:
    """A restore by force fails, and everything is as before."""
    before = contents(place)
    with pytest.raises(error, match=text) as problem:
        restore(place, archive, force=True, at=AT, report=silent)
    assert "\n" not in str(problem.value)
    assert contents(place) == before
    assert in_house(place, lambda house: house.guilds.setting(GUILD, "since")) == "the backup"
    if place.database_url.startswith("sqlite"):
        database = Path(place.database_url.removeprefix("sqlite:///"))
        assert [path.name for path in database.parent.glob(f"{database.name}*")] == [database.name]


def cut(archive: Path) -> None:
    archive.write_bytes(archive.read_bytes()[:-20])


def flip(archive: Path) -> None:
    data = bytearray(archive.read_bytes())
    data[len(data) // 2] ^= 4
    archive.write_bytes(bytes(data))


@pytest.mark.parametrize("break_it", [cut, flip])
@pytest.mark.parametrize("is_sealed", [True, False], ids=["sealed", "plain"])
def test_a_damaged_archive_is_not_restored(
    place: Place, archive: Path, break_it: Callable[[Path], None], is_sealed: bool
) -> None:
    if is_sealed:
        place = replace(place, passphrase="correct horse")
        archive = make(place, at=AT, report=silent)[0].path
    break_it(archive)
    refuse(place, archive, ArchiveDamaged, "the archive is damaged: ")


def test_a_wrong_or_missing_passphrase_is_told(place: Place, archive: Path) -> None:
    sealed = make(replace(place, passphrase="correct horse"), at=AT, report=silent)[0].path
    refuse(replace(place, passphrase="another horse"), sealed, WrongPassphrase, "the passphrase is wrong")
    refuse(place, sealed, BackupError, "the archive is encrypted: give its passphrase")


def test_an_archive_of_a_newer_revision_asks_for_the_newer_version(place: Place, tmp_path: Path, archive: Path) -> None:
    old = tmp_path / "old.sqlite3"
    run.migrate(f"sqlite:///{old}", "0001")
    write_older(tmp_path / "new.tar.zst", old, revision="9999")
    refuse(place, tmp_path / "new.tar.zst", BackupError, "at revision 9999, which this Marquee .* does not know")


def test_rows_that_do_not_fit_undo_everything(place: Place, tmp_path: Path, archive: Path) -> None:
    old = tmp_path / "old.sqlite3"
    run.migrate(f"sqlite:///{old}", "0001")
    with closing(sqlite3.connect(old)) as database:
        database.execute("PRAGMA ignore_check_constraints = ON")
        database.execute("INSERT INTO guilds (guild_id, name, created_at) VALUES (-1, 'House', 0)")
        database.commit()
    write_older(tmp_path / "odd.tar.zst", old)
    if place.database_url.startswith("sqlite"):
        refuse(place, tmp_path / "odd.tar.zst", BackupError, "the database does not take what the archive holds: ")
        return
    with pytest.raises(BackupError, match=r"the database does not take what the archive holds: .*guilds"):
        restore(place, tmp_path / "odd.tar.zst", force=True, at=AT, report=silent)
    assert in_house(place, lambda house: house.guilds.setting(GUILD, "since")) == "the backup"


def test_a_file_of_somebody_else_is_no_archive(place: Place, tmp_path: Path, archive: Path) -> None:
    (tmp_path / "notes.txt").write_text("buy milk")
    refuse(place, tmp_path / "notes.txt", ArchiveDamaged, "the archive is damaged: ")
    refuse(place, tmp_path / "none", BackupError, "none cannot be read: No such file")


def test_bodies_lost_before_the_backup_are_told_and_the_rest_is_saved(place: Place, tmp_path: Path) -> None:
    gone, damaged = sorted(place.claims.glob("??/*"))
    gone.unlink()
    damaged.write_bytes(b"?" + damaged.read_bytes()[1:])
    made, manifest = make(place, at=AT, report=silent)
    assert manifest.claims == 1
    assert sorted(manifest.lost_claims) == [gone.name, damaged.name]
    after = place_of(f"sqlite:///{tmp_path}/after.sqlite3", tmp_path / "after")
    assert restore(after, made.path, force=False, at=AT, report=silent).manifest == manifest
    assert list(after.claims.glob("??/*")) == []


def test_a_damaged_file_is_kept_beside_what_replaces_it(tmp_path: Path) -> None:
    place = place_of(f"sqlite:///{tmp_path}/marquee.sqlite3", tmp_path)
    schema.upgrade(place.database_url, tmp_path)
    known = in_house(place, fill)
    archive = make(place, at=AT, report=silent)[0].path
    database = tmp_path / "marquee.sqlite3"
    database.write_bytes(b"no database at all" * 1_000)
    with pytest.raises(BackupError, match="--force"):
        restore(place, archive, force=False, at=AT, report=silent)
    done = restore(place, archive, force=True, at=AT, report=silent)
    assert done.safety is not None
    assert done.safety.read_bytes() == b"no database at all" * 1_000
    in_house(place, lambda house: check(house, place, known))


def test_tables_of_somebody_else_are_not_overwritten(postgres_url: str, tmp_path: Path) -> None:
    place = place_of(f"sqlite:///{tmp_path}/marquee.sqlite3", tmp_path)
    schema.upgrade(place.database_url, tmp_path)
    archive = make(place, at=AT, report=silent)[0].path
    engine = open_engine(parse_url(postgres_url))
    with engine.begin() as tx:
        tx.execute(text("CREATE TABLE panels (theirs INTEGER)"))
    engine.dispose()
    with pytest.raises(BackupError, match="panels that Marquee did not make"):
        restore(place_of(postgres_url, tmp_path), archive, force=True, at=AT, report=silent)


# ---------------------------------------------------------------- a full disk


def marquee(data_dir: Path, file_bytes_max: int, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """The command, in a process that cannot make any file larger than that: as on a disk that is full."""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes_max, file_bytes_max))

    return subprocess.run(
        [sys.executable, "-m", "daemon", *arguments],
        env=environment(data_dir, **variables), preexec_fn=limit, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_full_disk_leaves_no_half_archive(place: Place) -> None:
    (place.folder / "other.txt").parent.mkdir(exist_ok=True)
    before = contents(place)
    done = marquee(place.data_dir, 300_000, "backup", DATABASE__URL=place.database_url)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert done.stderr.startswith("The backup could not be written: File too large")
    left = contents(place)
    left.pop("backups/.marquee-backup.lock")
    assert left == before


@pytest.mark.parametrize(("claims", "code"), [("file", 1), ("database", 69)])
def test_a_full_disk_leaves_the_old_database(place: Place, archive: Path, claims: str, code: int) -> None:
    if claims == "database" and not place.database_url.startswith("sqlite"):
        pytest.skip("PostgreSQL's files are not ours to limit")
    shutil.rmtree(place.claims)
    variables = {"DATABASE__URL": place.database_url, "QUEUE__CLAIMS": claims}
    done = marquee(place.data_dir, 300_000, "restore", str(archive), "--force", **variables)
    assert done.returncode == code, done.stderr
    assert done.stderr.splitlines()[-1] == "Nothing was restored."
    assert len(done.stderr.splitlines()) == 2
    assert in_house(place, lambda house: house.guilds.setting(GUILD, "since")) == "the backup"


def test_a_second_backup_at_the_same_time_is_refused(place: Place) -> None:
    async def visit(_: House) -> str:
        inside = asyncio.Event()
        loop = asyncio.get_running_loop()
        refusal: list[str] = []

        def report(*_: object) -> None:
            if not refusal:
                try:
                    make(place, at=AT, report=silent)
                except BackupError as error:
                    refusal.append(str(error))
                loop.call_soon_threadsafe(inside.set)

        await asyncio.to_thread(lambda: make(place, at=AT, report=report))
        await inside.wait()
        return refusal[0]

    assert "another backup is being made" in in_house(place, visit)
