"""Titles as whoever edits them needs them, read by their keys and in full: listings cut tags off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from daemon.core.ids import RatingKey, ServerId
from daemon.core.media import TitleKind, TitleRef
from daemon.core.text import plain
from integrations.plex.editing_fields import Field
from integrations.plex.mirror_shapes import NamedShape, VersionShape
from integrations.plex.shapes import Loose, Shape, flag, number, text

_KINDS = {kind.value: kind for kind in TitleKind}


class _LockShape(Shape):
    name: Loose = None
    locked: Loose = None


class _FolderShape(Shape):
    path: Loose = None


class EditedShape(Shape):
    """A title of `/library/metadata/N`, with everything that can be edited."""

    ratingKey: Loose = None
    type: Loose = None
    title: Loose = None
    titleSort: Loose = None
    originalTitle: Loose = None
    year: Loose = None
    summary: Loose = None
    tagline: Loose = None
    contentRating: Loose = None
    studio: Loose = None
    guid: Loose = None
    librarySectionID: Loose = None
    librarySectionTitle: Loose = None
    Genre: list[NamedShape] | None = None
    Label: list[NamedShape] | None = None
    Collection: list[NamedShape] | None = None
    Country: list[NamedShape] | None = None
    Director: list[NamedShape] | None = None
    Writer: list[NamedShape] | None = None
    Field: list[_LockShape] | None = None
    Media: list[VersionShape] | None = None
    Location: list[_FolderShape] | None = None


class CandidateShape(Shape):
    """An entry of `/library/metadata/N/matches`."""

    guid: Loose = None
    name: Loose = None
    year: Loose = None
    score: Loose = None


class _CandidatesContainerShape(Shape):
    SearchResult: list[CandidateShape] | None = None


class _CandidatesShape(Shape):
    MediaContainer: _CandidatesContainerShape | None = None


@dataclass(frozen=True, slots=True)
class FileVersion:
    """One version of a title: its resolution as Plex names it, the size of its files, and where they lie."""

    resolution: str | None
    size_bytes: int
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Editable:
    """A title in full. `values` are its texts, `tags` its lists, `locked` what Plex does not read anew.

    `folders` are those of a show or an artist: what it would fall into.
    """

    ref: TitleRef
    kind: TitleKind
    name: str
    year: int | None
    guid: str | None
    library_key: str
    library: str
    values: Mapping[Field, str]
    tags: Mapping[Field, tuple[str, ...]]
    locked: frozenset[str]
    versions: tuple[FileVersion, ...]
    folders: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name} ({self.year})" if self.year else self.name

    def now(self, field: Field) -> tuple[str, ...]:
        """What stands in a field: the words of a list; the one text, or none."""
        if field.is_tags:
            return self.tags.get(field, ())
        return (self.values[field],) if self.values.get(field) else ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """What Plex thinks a title could be; `score` 0 to 100."""

    guid: str
    name: str
    year: int | None
    score: int

    def __str__(self) -> str:
        return f"{self.name} ({self.year})" if self.year else self.name


def to_editable(server: ServerId, shape: EditedShape) -> Editable | None:
    """The title; None without a rating key or a library, and for what is no title."""
    key, kind = text(shape.ratingKey), _KINDS.get(text(shape.type) or "")
    section = text(shape.librarySectionID)
    if key is None or kind is None or section is None:
        return None
    texts = {
        Field.TITLE: shape.title, Field.SORT_TITLE: shape.titleSort, Field.ORIGINAL_TITLE: shape.originalTitle,
        Field.YEAR: shape.year, Field.SUMMARY: shape.summary, Field.TAGLINE: shape.tagline,
        Field.CONTENT_RATING: shape.contentRating, Field.STUDIO: shape.studio,
    }  # fmt: skip
    lists = {
        Field.GENRE: shape.Genre, Field.LABEL: shape.Label, Field.COLLECTION: shape.Collection,
        Field.COUNTRY: shape.Country, Field.DIRECTOR: shape.Director, Field.WRITER: shape.Writer,
    }  # fmt: skip
    return Editable(
        TitleRef(server, RatingKey(key)),
        kind,
        plain(text(shape.title) or "") or "Untitled",
        number(shape.year),
        text(shape.guid),
        section,
        plain(text(shape.librarySectionTitle) or "") or section,
        {field: value for field, loose in texts.items() if (value := text(loose)) is not None},
        {field: _words(tags) for field, tags in lists.items()},
        frozenset(name for lock in shape.Field or () if flag(lock.locked) and (name := text(lock.name))),
        tuple(_version(each) for each in shape.Media or ()),
        tuple(path for each in shape.Location or () if (path := text(each.path))),
    )


def decode_candidates(body: bytes) -> list[Candidate]:
    """What Plex offers, in its order; entries without a guid or a name are left out."""
    found = msgspec.json.decode(body, type=_CandidatesShape, strict=False).MediaContainer
    if found is None:
        raise msgspec.ValidationError("no MediaContainer")
    return [
        Candidate(guid, name, number(shape.year), number(shape.score) or 0)
        for shape in found.SearchResult or ()
        if (guid := text(shape.guid)) and (name := plain(text(shape.name) or ""))
    ]


def agent_of(guid: str | None) -> str:
    """Who knows a title by this id: `Plex`, `imdb`; `nobody` for a title that was not recognised."""
    scheme = (guid or "").partition("://")[0]
    if scheme in ("", "local") or scheme.endswith(".none"):
        return "nobody"
    return "Plex" if scheme == "plex" else scheme.rpartition(".")[2]


def _words(tags: list[NamedShape] | None) -> tuple[str, ...]:
    return tuple(word for tag in tags or () if (word := text(tag.tag)))


def _version(shape: VersionShape) -> FileVersion:
    parts = shape.Part or ()
    files = tuple(path for part in parts if (path := text(part.file)))
    return FileVersion(text(shape.videoResolution), sum(number(part.size) or 0 for part in parts), files)
