"""The `Meta` block of a listing: which filters, sorts and fields each type of a library knows."""

from __future__ import annotations

from simulators.plex.items import KIND_NUMBERS
from simulators.plex.render import El
from simulators.plex.world import Section

_TYPES = {
    "movie": ("movie", "collection"),
    "show": ("show", "season", "episode", "collection"),
    "artist": ("artist", "album", "track", "collection"),
    "photo": ("photo",),
}
_TITLES = {
    "movie": "Movies", "show": "TV Shows", "season": "Seasons", "episode": "Episodes", "artist": "Artists",
    "album": "Albums", "track": "Tracks", "collection": "Collections", "photo": "Photos",
}  # fmt: skip
_FILTERS = (
    ("genre", "string", "Genre"), ("year", "integer", "Year"), ("decade", "integer", "Decade"),
    ("contentRating", "string", "Content Rating"), ("collection", "string", "Collection"),
    ("director", "string", "Director"), ("actor", "string", "Actor"), ("country", "string", "Country"),
    ("studio", "string", "Studio"), ("resolution", "string", "Resolution"), ("unwatched", "boolean", "Unplayed"),
    ("inProgress", "boolean", "In Progress"), ("unmatched", "boolean", "Unmatched"),
    ("duplicate", "boolean", "Duplicate"), ("label", "string", "Label"), ("writer", "string", "Writer"),
    ("producer", "string", "Producer"),
)  # fmt: skip
_SORTS = (
    ("titleSort", "asc", "Title"), ("year", "desc", "Year"), ("originallyAvailableAt", "desc", "Release Date"),
    ("rating", "desc", "Critic Rating"), ("audienceRating", "desc", "Audience Rating"),
    ("duration", "desc", "Duration"),
    ("addedAt", "desc", "Date Added"), ("lastViewedAt", "desc", "Date Viewed"), ("viewCount", "desc", "Plays"),
    ("updatedAt", "desc", "Date Updated"), ("mediaSize", "desc", "File Size"), ("mediaBitrate", "desc", "Bitrate"),
    ("random", "desc", "Randomly"),
)  # fmt: skip
_FIELDS = (
    ("title", "string"), ("studio", "string"), ("userRating", "integer"), ("contentRating", "tag"), ("year", "integer"),
    ("decade", "integer"), ("originallyAvailableAt", "date"), ("duration", "integer"), ("duplicate", "boolean"),
    ("genre", "tag"), ("collection", "tag"), ("director", "tag"), ("writer", "tag"), ("actor", "tag"),
    ("country", "tag"), ("addedAt", "date"), ("viewCount", "integer"), ("lastViewedAt", "date"),
    ("unwatched", "boolean"), ("inProgress", "boolean"), ("resolution", "resolution"), ("guid", "string"),
    ("index", "integer"), ("label", "tag"), ("unmatched", "boolean"), ("trash", "boolean"), ("producer", "tag"),
    ("mediaSize", "integer"), ("mediaBitrate", "integer"), ("updatedAt", "date"), ("originalTitle", "string"),
)  # fmt: skip
_OPERATORS: dict[str, tuple[tuple[str, str], ...]] = {
    "tag": (("=", "is"), ("!=", "is not")),
    "integer": (("=", "is"), ("!=", "is not"), (">>=", "is greater than"), ("<<=", "is less than")),
    "string": (
        ("=", "contains"), ("!=", "does not contain"), ("==", "is"), ("!==", "is not"), ("<=", "begins with"),
        (">=", "ends with"),
    ),
    "boolean": (("=", "is true"), ("!=", "is false")),
    "date": (("<<=", "is before"), (">>=", "is after")),
    "resolution": (("=", "is"),),
}  # fmt: skip


def meta(section: Section) -> El:
    """The whole block for one library."""
    types = [_type(section, kind, is_active=kind == section.kind) for kind in _TYPES[section.kind]]
    kinds = [
        El("FieldType", {"type": name}, [El("Operator", {"key": key, "title": title}) for key, title in operators])
        for name, operators in _OPERATORS.items()
    ]
    return El("Meta", {}, [*types, *kinds])


def _type(section: Section, kind: str, *, is_active: bool) -> El:
    base, number = f"/library/sections/{section.id}", KIND_NUMBERS[kind]
    rows = [
        El("Filter", {"filter": name, "filterType": of, "key": f"{base}/{name}?type={number}", "title": title,
                      "type": "filter"})
        for name, of, title in _FILTERS
    ]  # fmt: skip
    for name, direction, title in _SORTS:
        rows.append(
            El("Sort", {"defaultDirection": direction, "descKey": f"{name}:desc", "key": name, "title": title,
                        "default": "asc" if name == "titleSort" else None})
        )  # fmt: skip
    prefix = "" if kind == "movie" else f"{kind}."
    rows += [El("Field", {"key": f"{prefix}{name}", "title": name, "type": of}) for name, of in _FIELDS]
    return El("Type", {"key": f"{base}/all?type={number}", "type": kind, "title": _TITLES[kind],
                       "active": is_active}, rows)  # fmt: skip
