"""Large bodies on their way back into the folder of the claim store."""

from __future__ import annotations

import os
from pathlib import Path

from daemon.services.backup.errors import BackupError
from daemon.services.backup.place import sync_folder, unfinished


def put_file(folder: Path, digest: str, body: bytes) -> None:
    """Write a body to where the claim store looks for it, on the disk before this returns; one that is there stays.

    BackupError when it cannot be written.
    """
    try:
        _put(folder, digest, body)
    except OSError as error:
        raise BackupError(f"large bodies cannot be put into {folder}: {error.strerror or error}") from error


def _put(folder: Path, digest: str, body: bytes) -> None:
    path = folder / digest[:2] / digest
    if path.exists() and path.stat().st_size == len(body):
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = unfinished(path)
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    sync_folder(path.parent)
