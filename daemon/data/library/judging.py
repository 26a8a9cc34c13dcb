"""Whether titles that were named elsewhere, by a session or a play queue, may be seen by somebody."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, Connection, case, or_, select

from daemon.core.ids import RatingKey, ServerId
from daemon.core.media import TitleKind, TitleRef
from daemon.core.visibility import Visibility
from daemon.data.library.shown import condition, key_of
from daemon.data.library.tables import libraries, library_titles

_l, _t = libraries.c, library_titles.c
_PLAYED = (TitleKind.EPISODE.value, TitleKind.TRACK.value)
_KEYS_AT_ONCE = 500


def judged(tx: Connection, visibility: Visibility, refs: Collection[TitleRef]) -> dict[TitleRef, bool]:
    """Whether each of these titles is seen; those that the mirror does not hold are left out."""
    by_server: dict[ServerId, list[int]] = {}
    for ref in refs:
        if (key := key_of(ref)) is not None:
            by_server.setdefault(ref.server, []).append(key)
    found: dict[TitleRef, bool] = {}
    joined = library_titles.join(libraries, _l.id == _t.library_id)
    for server, keys in by_server.items():
        statement = select(_t.rating_key, _is_seen(visibility)).select_from(joined).where(_t.server == server)
        for at in range(0, len(keys), _KEYS_AT_ONCE):
            rows = tx.execute(statement.where(_t.rating_key.in_(keys[at : at + _KEYS_AT_ONCE])))
            found |= {TitleRef(server, RatingKey(str(row[0]))): row[1] == 1 for row in rows}
    return found


def hides_around(tx: Connection, visibility: Visibility, ref: TitleRef) -> bool:
    """Whether anything is not seen that plays with a title: what is below it; of an episode, the rest of its show."""
    if (key := key_of(ref)) is None:
        return False
    above = library_titles.alias()
    statement = (
        select(_t.id)
        .select_from(library_titles.join(libraries, _l.id == _t.library_id).join(above, above.c.library_id == _l.id))
        .where(
            above.c.server == ref.server,
            above.c.rating_key == key,
            _t.kind.in_(_PLAYED),  # seasons have no content rating of their own
            or_(_t.parent_key == key, _t.grandparent_key == key, _t.grandparent_key == above.c.grandparent_key),
            _is_seen(visibility) == 0,
        )
    )
    return tx.execute(statement.limit(1)).first() is not None


def _is_seen(visibility: Visibility) -> ColumnElement[int]:
    # Unknown counts as no: a title without a content rating has none of those that are asked for.
    return case((condition(visibility), 1), else_=0)
