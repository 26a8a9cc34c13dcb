"""One daemon at a time on a data folder."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType

LOCK_NAME = "marquee.lock"


class LockHeld(Exception):
    """Another process has the folder; `pid` is its process id as it wrote it down, None when that cannot be read."""

    def __init__(self, folder: Path, pid: int | None) -> None:
        who = f"the process with id {pid}" if pid else "another process"
        super().__init__(f"{folder} is in use by {who}: one Marquee at a time can work on a data folder")
        self.folder = folder
        self.pid = pid


class FolderLock:
    """Holds a folder while entered; makes it when missing. The lock goes with the process, however that ends.

    Entering raises LockHeld, or OSError when the folder cannot be made or written. Blocking (files).
    """

    def __init__(self, folder: Path, name: str = LOCK_NAME) -> None:
        self._folder = folder
        self._name = name
        self._file: int | None = None

    def __enter__(self) -> FolderLock:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / self._name
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            held_by = os.pread(file, 32, 0).decode(errors="replace").strip()
            os.close(file)
            raise LockHeld(self._folder, int(held_by) if held_by.isdecimal() else None) from None
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
        self._file = file
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        # The file stays: removing it would let two processes lock two different files of the same name.
        if self._file is not None:
            os.close(self._file)
            self._file = None
