"""The whole database looked over: is it sound, does anything refer to nothing, and how large is it all."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from daemon.data import rows, schema, version
from daemon.data.examination import orphans, soundness
from daemon.data.examination.orphans import Large, Orphans
from daemon.data.examination.sizes import TableSize, log_bytes, table_sizes
from daemon.data.queue import claims
from daemon.data.size import size_bytes
from daemon.services.notify import QUEUE as NOTICES
from daemon.services.notify.notice import decode
from daemon.services.queue.claims import hold_files

_UNUSED_S = 24 * 3600.0  # the queue clears away what nobody needs much sooner
_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class ClaimsFound:
    """Large bodies of messages, in files and in the database together."""

    count: int
    size_bytes: int
    unused: int  # that no row refers to; young ones may be about to be


@dataclass(frozen=True, slots=True)
class Examination:
    """Everything there is to say about a database. `problems` are sentences, `orphans` what refers to nothing."""

    dialect: str
    revision: str | None
    head: str
    problems: list[str]
    orphans: list[Orphans]
    tables: list[TableSize]
    database_bytes: int
    log_bytes: int | None
    claims: ClaimsFound

    @property
    def is_fine(self) -> bool:
        """Whether there is nothing to mend."""
        return not self.problems and not self.orphans


def examine(url: str, claims_folder: Path, now: datetime) -> Examination | None:
    """Look at everything in one snapshot, while the daemon works on; None when there is no database of ours.

    Reads every row and every large body. Blocking. UpstreamError when the database does not answer, or cannot be read.
    """
    if schema.current(url) is None:
        return None
    with hold_files(claims_folder), rows.snapshot(url) as tx:
        problems = soundness.problems(tx)
        try:
            return _examine(tx, claims_folder, now, problems)
        except DBAPIError as error:
            if not problems:
                raise
            # A damaged file: what is known by now says more than that it cannot be read.
            reason = str(error.orig).partition("\n")[0]
            problems.append(f"therefore not all of it could be looked at ({reason})")
            nothing = ClaimsFound(0, 0, 0)
            return Examination(tx.dialect.name, None, version.HEAD, problems, [], [], 0, None, nothing)


def _examine(tx: Connection, claims_folder: Path, now: datetime, problems: list[str]) -> Examination:
    revision = version.current(tx)
    found: list[Orphans] = []
    claims_found = ClaimsFound(0, 0, 0)
    if revision == version.HEAD:
        bodies = _Bodies(tx, claims_folder)
        found = [*orphans.find(tx), *_unposted(tx), *bodies.orphans(now)]
        claims_found = bodies.summary()
    else:
        problems.insert(0, f"it is at revision {revision}, needed is {version.HEAD}: orphans were not looked for")
    return Examination(
        dialect=tx.dialect.name,
        revision=revision,
        head=version.HEAD,
        problems=problems,
        orphans=found,
        tables=table_sizes(tx),
        database_bytes=size_bytes(tx),
        log_bytes=log_bytes(tx),
        claims=claims_found,
    )


class _Bodies:
    """The claim store beside what needs it."""

    def __init__(self, tx: Connection, folder: Path) -> None:
        self._tx = tx
        self._folder = folder
        self._needed = orphans.large(tx)
        self._referenced = claims.referenced(tx)
        self._rows = orphans.stored(tx)
        self._files = {bytes.fromhex(path.name): path.stat() for path in folder.glob("??/*") if _is_digest(path.name)}

    def summary(self) -> ClaimsFound:
        """How many bodies there are, and how large they are together."""
        sizes = [size for size, _ in self._rows.values()] + [file.st_size for file in self._files.values()]
        return ClaimsFound(len(sizes), sum(sizes), len((self._rows.keys() | self._files.keys()) - self._referenced))

    def orphans(self, now: datetime) -> list[Orphans]:
        """Rows whose body is gone or damaged, and bodies without rows."""
        judged = [(large.label, self._judge(large)) for large in self._needed]
        found = [
            _to_orphans(f"large bodies that are {what}", [label for label, wrong in judged if wrong == what])
            for what in ("gone", "damaged")
        ]
        old = now - timedelta(seconds=_UNUSED_S)
        unused = [digest for digest, (_, at) in self._rows.items() if at < old]
        unused += [digest for digest, file in self._files.items() if file.st_mtime < old.timestamp()]
        names = [digest.hex() for digest in unused if digest not in self._referenced]
        found.append(_to_orphans("large bodies that nobody has needed for a day", names))
        return [one for one in found if one.count]

    def _judge(self, large: Large) -> str:
        if large.digest in self._files:
            return "" if self._hash_file(large.digest) == large.digest else "damaged"
        body = claims.get(self._tx, large.digest) if large.digest in self._rows else None
        if body is None:
            return "gone"
        return "" if hashlib.sha256(body).digest() == large.digest else "damaged"

    def _hash_file(self, digest: bytes) -> bytes:
        name = digest.hex()
        with (self._folder / name[:2] / name).open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()


def _unposted(tx: Connection) -> list[Orphans]:
    """Notices that are not in their channel, and that no message would put there."""
    unposted = orphans.unposted(tx)
    if not unposted:
        return []
    waiting = {_nonce(body) for body in orphans.bodies_in(tx, NOTICES)}
    lost = [nonce for nonce in unposted if nonce not in waiting]
    return [_to_orphans("notices that nobody will post", lost)] if lost else []


def _nonce(body: bytes) -> str:
    try:
        return decode(body).nonce
    except (msgspec.MsgspecError, ValueError):
        return ""  # whoever handles it will say so


def _to_orphans(what: str, which: list[str]) -> Orphans:
    return Orphans(what, len(which), tuple(which[:_EXAMPLES]))


def _is_digest(name: str) -> bool:
    return len(name) == 64 and all(char in "0123456789abcdef" for char in name)
