"""What an archive says about itself."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import msgspec

from daemon.services.backup.errors import ArchiveDamaged, BackupError

FORMAT = 1

_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,62}")


class TableSaid(msgspec.Struct, frozen=True):
    """A table: its columns in the order of a row's values, and how many rows there are (0 while not yet known)."""

    name: str
    columns: tuple[str, ...]
    rows: int = 0


class Manifest(msgspec.Struct, frozen=True):
    """What an archive holds. It stands there twice: as `about.json` before everything, as `manifest.json` behind it.

    The first time without what only the writing shows. `tables` are in an order in which rows refer to rows before
    them only. `counters` are the last number given out by each table that numbers its rows. `claims` counts the large
    bodies; `lost_claims` are the digests, in hex, of those that rows refer to and that were gone or damaged before the
    backup. `members` are the SHA-256, in hex, of every other member by name.
    """

    format: int
    product: str
    revision: str
    dialect: str
    created_at: datetime
    tables: tuple[TableSaid, ...]
    counters: dict[str, int] = {}
    claims: int = 0
    lost_claims: tuple[str, ...] = ()
    members: dict[str, str] = {}

    def rows(self) -> int:
        """Rows of all tables."""
        return sum(table.rows for table in self.tables)


def encode(manifest: Manifest) -> bytes:
    """As JSON, for people as well."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=2)


def decode(document: bytes) -> Manifest:
    """BackupError for one of a newer format; ArchiveDamaged for one that cannot be read."""
    try:
        number = msgspec.json.decode(document, type=_Format).format
        if number > FORMAT:
            raise BackupError(f"the archive has format {number}, this Marquee reads up to {FORMAT}: use a newer one")
        manifest = msgspec.json.decode(document, type=Manifest)
    except msgspec.MsgspecError as error:
        raise ArchiveDamaged(f"what it says about itself cannot be read ({error})") from None
    names = [name for table in manifest.tables for name in (table.name, *table.columns)]
    if not all(map(_IDENTIFIER.fullmatch, names)) or not all(table.columns for table in manifest.tables):
        raise ArchiveDamaged("it names tables that cannot be")
    return manifest


class _Format(msgspec.Struct):
    format: int


_NAME = re.compile(r"(marquee|before-restore)-(\d{8}T\d{6}\.\d{6})Z-(\w{1,32})\.tar\.zst(\.sealed)?")


class ArchiveName(msgspec.Struct, frozen=True):
    """What the name of an archive tells."""

    created_at: datetime
    revision: str
    is_sealed: bool
    is_safety: bool = False  # made because a restore was about to replace what it holds

    def __str__(self) -> str:
        kind, at = "before-restore" if self.is_safety else "marquee", f"{self.created_at:%Y%m%dT%H%M%S.%f}Z"
        return f"{kind}-{at}-{self.revision}.tar.zst" + (".sealed" if self.is_sealed else "")


def parse_name(name: str) -> ArchiveName | None:
    """None for a file that is none of ours."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    kind, at, revision, sealed = found.groups()
    try:
        created_at = datetime.strptime(at, "%Y%m%dT%H%M%S.%f").replace(tzinfo=UTC)
    except ValueError:
        return None
    return ArchiveName(created_at, revision, sealed is not None, kind != "marquee")
