"""Titles and players for the tests of playback."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from daemon.core.ids import PlayerId, RatingKey, ServerId
from daemon.core.media import Playback, Player, PlayerRef, PlayState, Stream, StreamKind, Title, TitleKind, TitleRef

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def title(name: str, key: int = 1, kind: TitleKind = TitleKind.MOVIE, server: str = "attic", **more: Any) -> Title:
    return Title(TitleRef(ServerId(server), RatingKey(str(key))), kind, name, **more)


def player(name: str, player_id: str = "", server: str = "attic", **more: Any) -> Player:
    return Player(PlayerRef(ServerId(server), PlayerId(player_id or name.lower())), name, "Plex HTPC", **more)


def stream(stream_id: int, label: str, kind: StreamKind = StreamKind.AUDIO, **more: Any) -> Stream:
    return Stream(stream_id, kind, label, **more)


def playback(**more: Any) -> Playback:
    given: dict[str, Any] = {
        "player": player("Den"),
        "title": title("Solaris", year=1972),
        "state": PlayState.PLAYING,
        "position_ms": 60_000,
        "duration_ms": 600_000,
        "seen_at": NOON,
    }
    return Playback(**{**given, **more})
