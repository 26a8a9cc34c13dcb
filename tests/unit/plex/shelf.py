"""Titles for tests, by their names."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

from daemon.core.ids import RatingKey, ServerId
from daemon.core.media import Title, TitleKind, TitleRef
from integrations.plex.index import SegmentId, TitleIndex
from integrations.plex.segment import Segment

ATTIC = ServerId("attic")
_KEYS = itertools.count(1)


def title(name: str, kind: TitleKind = TitleKind.MOVIE, **more: Any) -> Title:
    return Title(TitleRef(ATTIC, RatingKey(str(next(_KEYS)))), kind, name, **more)


def episode(show: str, season: int, number: int, name: str) -> Title:
    above = {"grandparent": show, "parent": f"Season {season}", "parent_index": season}
    return title(name, TitleKind.EPISODE, **above, index=number)


def season(show: str, number: int) -> Title:
    return title(f"Season {number}", TitleKind.SEASON, parent=show, index=number)


def index_of(titles: Iterable[Title]) -> TitleIndex:
    index = TitleIndex()
    by_kind: dict[TitleKind, list[Title]] = {}
    for one in titles:
        by_kind.setdefault(one.kind, []).append(one)
    for kind, group in by_kind.items():
        index.put(SegmentId(ATTIC, "1", kind), Segment(kind, group))
    return index
