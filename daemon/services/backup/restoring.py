"""Putting an archive back: read through first, built beside what is there, and exchanged for it at the very end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Connection

import daemon.services.backup.targets as targets
from daemon.data import rows, version
from daemon.data.columns import to_micros
from daemon.data.engine import parse_url
from daemon.data.rows import Shape
from daemon.kernel.lock import FolderLock, LockHeld
from daemon.services.backup.archive import CLAIMS, ArchiveReader, Member
from daemon.services.backup.claims import put_file
from daemon.services.backup.errors import ArchiveDamaged, BackupError
from daemon.services.backup.making import open_archive, read_through, rows_of, table_of
from daemon.services.backup.manifest import Manifest
from daemon.services.backup.place import Place, Report

_CLAIM_ROW = Shape("claim_bodies", ("digest", "body", "used_at"))


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back; `safety` is where what was there before has been kept, None when nothing was there."""

    manifest: Manifest
    safety: Path | None


def restore(place: Place, path: Path, *, force: bool, at: datetime, report: Report) -> Restored:
    """Read `path` through, build its database, upgrade that to `version.HEAD` if need be, and put it in place.

    A database that holds anything of ours is replaced only with `force`, and kept: an SQLite file beside the new one,
    PostgreSQL as an archive in `place.folder`. BackupError and its kinds, or UpstreamError when the database does not
    answer: then everything is as before, but for large bodies, which lie under their digest and disturb nobody.
    """
    manifest = read_through(path, place.passphrase, report)
    _check_revision(manifest)
    with _alone(place.data_dir):

        def fill(tx: Connection) -> None:
            _fill(tx, place, path, manifest, at, report)

        if parse_url(place.database_url).get_backend_name() == "sqlite":
            safety = targets.replace_sqlite(place, fill, force=force, at=at)
        else:
            safety = targets.replace_postgres(place, fill, force=force, at=at, report=report)
    return Restored(manifest, safety)


def drill(path: Path, passphrase: str | None, *, at: datetime, report: Report) -> Manifest:
    """Restore an archive, whatever database it was made of, into an SQLite database that is thrown away."""
    with TemporaryDirectory(prefix="marquee-drill-") as name:
        folder = Path(name)
        place = Place(f"sqlite:///{folder / 'drill.db'}", folder, folder, passphrase, folder / "claims", False)
        return restore(place, path, force=False, at=at, report=report).manifest


def _check_revision(manifest: Manifest) -> None:
    from daemon.data.migrations import run  # Alembic: never part of a running daemon

    if not run.is_known(manifest.revision):
        raise BackupError(
            f"the archive is at revision {manifest.revision}, which this Marquee ({version.HEAD}) does not know: "
            f"install the newer one that made it ({manifest.product})"
        )


@contextmanager
def _alone(data_dir: Path) -> Iterator[None]:
    with ExitStack() as stack:
        try:
            stack.enter_context(FolderLock(data_dir))
        except LockHeld as error:
            raise BackupError(f"{error}; stop it first") from None
        except OSError as error:
            raise BackupError(f"data_dir: {data_dir} cannot be used: {error.strerror}") from error
        yield


def _fill(tx: Connection, place: Place, path: Path, manifest: Manifest, at: datetime, report: Report) -> None:
    """Make the schema at the archive's revision, put everything in, and upgrade it; all in the caller's transaction."""
    from daemon.data.migrations import run

    run.migrate_in(tx, manifest.revision)
    if version.current(tx) != manifest.revision:
        raise ArchiveDamaged(f"{manifest.revision!r} is no revision")
    shapes = {table.name: Shape(table.name, table.columns) for table in manifest.tables}
    if unknown := rows.find_unknown(tx, shapes.values()):
        raise ArchiveDamaged(f"revision {manifest.revision} knows no {unknown}")

    def put_claim(digest: str, body: bytes) -> None:
        if place.claims_in_database:
            rows.write(tx, _CLAIM_ROW, [(bytes.fromhex(digest), body, to_micros(at))])
        else:
            put_file(place.claims, digest, body)

    with open_archive(path) as file:
        done, total = 0, manifest.rows()
        for member in ArchiveReader(file, place.passphrase):
            if (table := table_of(member)) is not None:
                part = rows_of(member)
                rows.write(tx, shapes[table], part)
                report("restoring rows", done := done + len(part), total)
            elif member.name.startswith(CLAIMS):
                _restore_claim(member, manifest, put_claim)
    rows.raise_counters(tx, manifest.counters)
    for said in manifest.tables:
        if (found := rows.count(tx, shapes[said.name])) != said.rows:
            raise BackupError(f"{found} rows of {said.name} arrived, there are {said.rows}")
    run.migrate_in(tx, version.HEAD)


def _restore_claim(member: Member, manifest: Manifest, put: Callable[[str, bytes], None]) -> None:
    digest, body = member.name.removeprefix(CLAIMS), member.read()
    if digest in manifest.lost_claims:
        return  # it was damaged before the backup: whoever needs it will say so, as it would have then
    if member.hexdigest() != digest:
        raise ArchiveDamaged(f"{member.name} is not what its name says")
    put(digest, body)
