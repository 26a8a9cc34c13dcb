"""The claim store: large bodies by their digest, in files of this host or in the database."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import os
import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection

from daemon.core.clock import Clock
from daemon.core.limits import CLAIM_KEPT_S
from daemon.data.queue import claims
from daemon.data.store import Store
from daemon.services.queue.spec import Reason, Reject

_LOCK = ".lock"


class ClaimStore(Protocol):
    """Bodies by their SHA-256. Whoever puts one has `CLAIM_KEPT_S` to put a message that refers to it."""

    async def put(self, digest: bytes, data: bytes) -> None:
        """Store a body, durably; OSError or UpstreamError when that cannot be done."""
        ...

    async def get(self, digest: bytes, size_bytes: int) -> bytes:
        """The body, checked; `Reject` with the reason when it is missing, truncated or corrupt."""
        ...

    async def collect_garbage(self) -> int:
        """Remove what nothing refers to and nobody put there within `CLAIM_KEPT_S`; how many."""
        ...


def check_body(data: bytes | None, digest: bytes, size_bytes: int) -> bytes:
    """The body when it is what was put in; `Reject` with the reason when not. Takes 1 ms for 2 MB or so."""
    if data is None:
        raise Reject(f"the body {digest.hex()} is gone", Reason.MISSING_BODY)
    if len(data) < size_bytes:
        raise Reject(f"{len(data)} of {size_bytes} bytes are left", Reason.TRUNCATED)
    if len(data) != size_bytes or hashlib.sha256(data).digest() != digest:
        raise Reject(f"the body is not {digest.hex()}", Reason.CORRUPT)
    return data


class FileClaims:
    """Files `folder/ab/abcdef...`, readable by us alone. Processes of one host may share the folder."""

    def __init__(self, folder: Path, store: Store, clock: Clock) -> None:
        self._folder = folder
        self._store = store
        self._clock = clock

    async def put(self, digest: bytes, data: bytes) -> None:
        """Write the file and have it on the disk, or make an existing one young again."""
        await asyncio.to_thread(self._put, self._path(digest), data, self._clock.now())

    async def get(self, digest: bytes, size_bytes: int) -> bytes:
        """Read and check the file, in a thread."""
        return await asyncio.to_thread(_read, self._path(digest), digest, size_bytes)

    async def collect_garbage(self) -> int:
        """Remove old files that nothing refers to, and what a crash left half written."""
        before = self._clock.now() - timedelta(seconds=CLAIM_KEPT_S)
        old = await asyncio.to_thread(self._list_old, before)
        if not old:
            return 0
        used = await self._store.read(claims.referenced)
        unused = [path for path in old if path.name not in {digest.hex() for digest in used}]
        return await asyncio.to_thread(self._remove, unused, before)

    def _path(self, digest: bytes) -> Path:
        name = digest.hex()
        return self._folder / name[:2] / name

    def _put(self, path: Path, data: bytes, now: datetime) -> None:
        times = (now.timestamp(), now.timestamp())
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        with self._locked(fcntl.LOCK_SH):  # nobody removes it between the look and the touch
            if path.exists() and path.stat().st_size == len(data):
                os.utime(path, times)
                return
            part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
            try:
                _write_durably(part, data)
                os.utime(part, times)
                part.rename(path)
            finally:
                part.unlink(missing_ok=True)
            for folder in (path.parent, self._folder):
                _sync_folder(folder)

    def _list_old(self, before: datetime) -> list[Path]:
        return [path for path in self._folder.glob("??/*") if _mtime(path) < before.timestamp()]

    def _remove(self, paths: list[Path], before: datetime) -> int:
        removed = 0
        for path in paths:
            try:
                with self._locked(fcntl.LOCK_EX | fcntl.LOCK_NB):
                    if _mtime(path) < before.timestamp():
                        path.unlink()
                        removed += 1
            except BlockingIOError:
                break  # a backup is copying them, for minutes perhaps: they go next time
        return removed

    @contextlib.contextmanager
    def _locked(self, how: int) -> Iterator[None]:
        file = os.open(self._folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, how)
            yield
        finally:
            os.close(file)


@contextlib.contextmanager
def hold_files(folder: Path) -> Iterator[None]:
    """Keep every file of a claim store from being removed meanwhile, by this process or another. Blocking."""
    if not folder.is_dir():
        yield
        return
    file = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield
    finally:
        os.close(file)


class DatabaseClaims:
    """The table `claim_bodies`: for workers on several hosts, who share nothing else."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def put(self, digest: bytes, data: bytes) -> None:
        """Insert the body, or make an existing one young again."""
        now = self._clock.now()

        def unit(tx: Connection) -> None:
            if not claims.touch(tx, digest, len(data), now):
                claims.put(tx, digest, data, now)

        await self._store.write(unit)

    async def get(self, digest: bytes, size_bytes: int) -> bytes:
        """Read the body and check it in the reading thread."""
        return await self._store.read(lambda tx: check_body(claims.get(tx, digest), digest, size_bytes))

    async def collect_garbage(self) -> int:
        """Delete old bodies that nothing refers to."""
        before = self._clock.now() - timedelta(seconds=CLAIM_KEPT_S)
        return await self._store.write(lambda tx: claims.forget_unused(tx, before))


def _read(path: Path, digest: bytes, size_bytes: int) -> bytes:
    try:
        data: bytes | None = path.read_bytes()
    except FileNotFoundError:
        data = None
    return check_body(data, digest, size_bytes)


def _write_durably(path: Path, data: bytes) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(file, view) :]
        os.fsync(file)
    finally:
        os.close(file)


def _sync_folder(folder: Path) -> None:
    file = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _mtime(path: Path) -> float:
    """Infinite for a file that is gone: it is nobody's garbage any more."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return float("inf")
