"""Titles for tests, by their names."""

from __future__ import annotations

import itertools
from typing import Any

from daemon.core.ids import RatingKey, ServerId
from daemon.core.media import Title, TitleKind, TitleRef

ATTIC = ServerId("attic")
_KEYS = itertools.count(1)


def title(name: str, kind: TitleKind = TitleKind.MOVIE, **more: Any) -> Title:
    return Title(TitleRef(ATTIC, RatingKey(str(next(_KEYS)))), kind, name, **more)


def episode(show: str, season: int, number: int, name: str) -> Title:
    above = {"grandparent": show, "parent": f"Season {season}", "parent_index": season}
    return title(name, TitleKind.EPISODE, **above, index=number)


def season(show: str, number: int) -> Title:
    return title(f"Season {number}", TitleKind.SEASON, parent=show, index=number)
