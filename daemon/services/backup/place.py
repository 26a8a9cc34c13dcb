"""What is backed up, where archives lie, and who may work there."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

import structlog

from daemon.core.limits import BACKUPS_KEPT
from daemon.kernel.lock import FolderLock, LockHeld
from daemon.services.backup.errors import BackupError
from daemon.services.backup.manifest import ArchiveName, parse_name

log = structlog.get_logger(__name__)

Report: TypeAlias = Callable[[str, int, int], None]
"""Told how far the work is: what is being done, how much of it is done, and of how much."""

_LOCK = ".marquee-backup.lock"
_UNFINISHED = ".part"


@dataclass(frozen=True, slots=True)
class Place:
    """An installation as far as backups know it."""

    database_url: str = field(repr=False)  # may hold a password
    data_dir: Path
    folder: Path  # of the archives
    passphrase: str | None = field(repr=False)
    claims: Path  # folder of large bodies, whether it is there or not
    claims_in_database: bool  # where the daemon looks for them; a backup finds them in either

    def unsealed(self) -> Place:
        """The same, for archives that are not encrypted."""
        return replace(self, passphrase=None)


@dataclass(frozen=True, slots=True)
class Archive:
    """A finished archive file."""

    path: Path
    name: ArchiveName
    size_bytes: int


def list_archives(folder: Path) -> list[Archive]:
    """The archives in a folder, newest first; what has another name is none of ours. Empty without a folder.

    BackupError for a folder that cannot be read.
    """
    found = []
    try:
        for path in folder.iterdir():
            name = parse_name(path.name)
            if name is not None and path.is_file():
                found.append(Archive(path, name, path.stat().st_size))
    except FileNotFoundError:
        pass  # no folder yet, or an archive that was deleted just now: it is not missed
    except OSError as error:
        raise BackupError(f"backups cannot be looked for in {folder}: {error.strerror}") from error
    return sorted(found, key=lambda archive: archive.name.created_at, reverse=True)


def retire(folder: Path, keep: int) -> list[Path]:
    """Delete all but the newest `keep` (1 at least) archives, and all but a few of those that restores made before.

    For after one has been made: every archive was read back before it got its name, so good ones always remain. What
    was deleted is returned; what cannot be deleted stays, and is a line of the log.
    """
    archives = list_archives(folder)
    regular = [archive.path for archive in archives if not archive.name.is_safety]
    safety = [archive.path for archive in archives if archive.name.is_safety]
    deleted = []
    for path in regular[max(1, keep) :] + safety[BACKUPS_KEPT:]:
        try:
            path.unlink(missing_ok=True)
            deleted.append(path)
        except OSError as error:
            log.warning("backup_not_deleted", file=str(path), problem=error.strerror)
    return deleted


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep other backups out of `folder`, which is made when missing, and remove what a crash left unfinished there."""
    with ExitStack() as stack:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            stack.enter_context(FolderLock(folder, _LOCK))
        except LockHeld:
            raise BackupError(f"another backup is being made in {folder} just now") from None
        except OSError as error:
            raise BackupError(f"backups cannot be put into {folder}: {error.strerror}") from error
        for left in folder.glob(f"*{_UNFINISHED}"):
            if parse_name(left.name.removesuffix(_UNFINISHED)) is not None:
                left.unlink(missing_ok=True)
        yield


def unfinished(path: Path) -> Path:
    """What a file is called until it is whole."""
    return path.with_name(path.name + _UNFINISHED)


def sync_folder(folder: Path) -> None:
    """Have the names in `folder` on the disk."""
    file = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)
