"""`marquee backup`, its subcommands, and `marquee restore`, as somebody types them."""

from __future__ import annotations

import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from daemon.data import schema
from daemon.services.backup import list_archives
from daemon.services.backup.making import make
from daemon.services.backup.restoring import restore
from tests import nursery
from tests.integration.backup.house import AT, GUILD, House, fill, in_house, place_of, silent
from tests.integration.cli.marquee import environment

PASSPHRASE = "correct horse battery"


class Shell:
    """Commands in one environment; whatever they say, they never say the passphrase."""

    def __init__(self, data_dir: Path, **variables: str) -> None:
        self.data_dir = data_dir
        self.environ = environment(data_dir, **variables)

    def run(self, *arguments: str, code: int = 0) -> tuple[list[str], list[str]]:
        done = nursery.call("daemon", *arguments, environ=self.environ)
        assert done.returncode == code, (done.stdout, done.stderr)
        assert PASSPHRASE not in done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout.splitlines(), done.stderr.splitlines()


@pytest.fixture
def shell(database_url: str, tmp_path: Path) -> Shell:
    """On both databases."""
    return open_shell(database_url, tmp_path)


@pytest.fixture
def sqlite_shell(tmp_path: Path) -> Shell:
    """For what is the same on both: each command is a process, which takes its time."""
    return open_shell(f"sqlite:///{tmp_path}/marquee.db", tmp_path)


def open_shell(database_url: str, tmp_path: Path) -> Shell:
    """A house in use, with a passphrase in a file."""
    place = place_of(database_url, tmp_path / "data", in_database=database_url.startswith("postgresql"))
    schema.upgrade(database_url, place.data_dir)
    in_house(place, fill)
    (tmp_path / "passphrase").write_text(f"{PASSPHRASE}\n")
    return Shell(
        tmp_path / "data",
        DATABASE__URL=database_url,
        BACKUP__PASSPHRASE_FILE=str(tmp_path / "passphrase"),
        BACKUP__KEEP="1",
    )


def test_backups_are_made_listed_verified_and_restored(shell: Shell) -> None:
    old, new = (shell.run("backup")[0] for _ in range(2))
    assert re.fullmatch(r"[\d,.]+ (bytes|MB), \d+ rows and 2 large bodies; read back and found whole", old[1])
    assert new[2] == f"deleted: {Path(old[0]).name}"
    newest = Path(new[0])
    listed, _ = shell.run("backup", "list")
    assert [line.split("  ")[0] for line in listed] == [str(newest)]
    assert listed[0].endswith("  encrypted")
    assert shell.run("backup", "verify", "--drill", newest.name)[0][0].startswith("whole and restored: ")
    _, refused = shell.run("restore", newest.name, code=1)
    assert refused[1:] == ["Nothing was restored."]
    assert "--force" in refused[0]
    done, _ = shell.run("restore", newest.name, "--force")
    assert done[0].startswith("restored: ")
    assert done[1].startswith("what was there before: ")
    assert shell.run("db", "check")[0][-1] == "All is well."


def test_elsewhere_nothing_is_deleted_unless_it_is_said(sqlite_shell: Shell, tmp_path: Path) -> None:
    shell, usb = sqlite_shell, str(tmp_path / "usb")
    for _ in range(2):
        out, _ = shell.run("backup", "--to", usb, "--no-encrypt")
    assert out[0].endswith(".tar.zst")
    assert len(list_archives(tmp_path / "usb")) == 2
    out, _ = shell.run("backup", "--to", usb, "--keep", "1", "--no-encrypt")
    assert len(shell.run("backup", "--to", usb, "list")[0]) == 1
    assert shell.run("backup", "list")[0] == [f"no backups in {shell.data_dir / 'backups'}"]
    assert len(out[2].split(", ")) == 2


def test_what_is_wrong_is_one_sentence_and_a_code(sqlite_shell: Shell, tmp_path: Path) -> None:
    sealed = sqlite_shell.run("backup")[0][0]
    other = Shell(tmp_path / "other", BACKUP__PASSPHRASE="another horse battery")
    said = ["The passphrase is wrong: the archive was encrypted with another one."]
    assert other.run("backup", "verify", sealed, code=1) == ([], said)
    assert other.run("restore", sealed, code=1) == ([], [*said, "Nothing was restored."])
    plain = Shell(tmp_path / "other")
    assert "give its passphrase as MARQUEE_BACKUP__PASSPHRASE" in plain.run("restore", sealed, code=1)[1][0]
    assert "backup.passphrase: is not set" in plain.run("backup", "--encrypt", code=78)[1][0]
    assert plain.run("backup", code=1)[1] == ["There is nothing to back up: the database holds nothing of Marquee."]
    assert not (tmp_path / "other" / "marquee.db").exists()
    weak = Shell(tmp_path / "other", BACKUP__PASSPHRASE="too short")
    assert "12 characters at least" in weak.run("backup", code=78)[1][0]
    away = Shell(tmp_path / "other", DATABASE__URL="postgresql://nobody@127.0.0.1:1/none")
    assert away.run("backup", code=69)[1][0].startswith("The database: is unreachable")


def test_the_log_of_a_daemon_that_was_killed_is_kept_too(tmp_path: Path) -> None:
    """A write-ahead log that nobody folded in belongs to the file that is set aside."""
    running, killed = tmp_path / "running", tmp_path / "killed"
    running.mkdir()
    place = place_of(f"sqlite:///{running}/marquee.db", running)
    schema.upgrade(place.database_url, running)
    archive = make(place, at=AT, report=silent)[0].path

    async def live(house: House) -> None:
        await house.guilds.set_setting(GUILD, "since", "the backup")

    in_house(place, live)
    killed.mkdir()
    with closing(sqlite3.connect(running / "marquee.db")) as daemon:
        daemon.execute("INSERT INTO guilds (guild_id, created_at) VALUES (99, 0)")
        daemon.commit()
        for path in running.glob("marquee.db*"):
            shutil.copy(path, killed)
    assert (killed / "marquee.db-wal").stat().st_size > 0
    place = place_of(f"sqlite:///{killed}/marquee.db", killed)
    done = restore(place, archive, force=True, at=AT, report=silent)
    assert done.safety is not None
    with closing(sqlite3.connect(done.safety)) as old:
        assert old.execute("SELECT count(*) FROM guilds WHERE guild_id = 99").fetchall() == [(1,)]
    with closing(sqlite3.connect(killed / "marquee.db")) as new:
        assert new.execute("SELECT count(*) FROM guilds").fetchall() == [(0,)]
    assert sorted(path.name for path in killed.iterdir() if path.is_file()) == [
        "marquee.db", done.safety.name, "marquee.lock"
    ]  # fmt: skip
