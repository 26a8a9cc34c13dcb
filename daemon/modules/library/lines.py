"""Titles and sums as lines of text. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from daemon.core.media import Title, TitleKind
from daemon.core.text import plain, size_line
from daemon.core.titles import KIND_WORDS, title_name
from daemon.services.library.shelves import Facts, FileFacts, LibrarySum, Shown

_RESOLUTIONS = {"4k": "4K", "1080": "1080p", "720": "720p", "576": "576p", "480": "480p", "sd": "SD", "": "unknown"}
_PEOPLE = (("director", "Directed by"), ("writer", "Written by"), ("role", "With"))


@dataclass(frozen=True, slots=True)
class Arrival:
    """Something new: one title, or `count` episodes of a season that came one after the other."""

    title: Title
    count: int
    added_at: datetime | None

    def __str__(self) -> str:
        """`Dune (2021)`, `The Office - Season 2 - 4 episodes`."""
        if self.count == 1:
            return title_name(self.title)
        season = self.title.parent or f"Season {self.title.parent_index}"
        return f"{plain(self.title.grandparent or self.title.name)} - {plain(season)} - {self.count} episodes"


def arrivals(titles: Sequence[Shown]) -> list[Arrival]:
    """Titles in their order, episodes of one season that stand behind each other taken together."""
    found: list[Arrival] = []
    last_season: tuple[str, int | None] | None = None
    for each in titles:
        is_episode = each.title.kind is TitleKind.EPISODE and each.parent_key is not None
        season = (each.title.ref.server, each.parent_key) if is_episode else None
        if season is not None and season == last_season:
            found[-1] = Arrival(found[-1].title, found[-1].count + 1, found[-1].added_at)
        else:
            found.append(Arrival(each.title, 1, each.added_at))
        last_season = season
    return found


def file_line(file: FileFacts) -> str:
    """`1080p · HEVC · EAC3 5.1 · mkv · 8.4 GB`."""
    channels = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}.get(file.audio_channels or 0, "")
    audio = " ".join(part for part in ((file.audio_codec or "").upper(), channels) if part)
    parts = [resolution(file.resolution or ""), (file.video_codec or "").upper(), audio, file.container or ""]
    parts.append(size_line(file.size_bytes) if file.size_bytes else "")
    if file.parts > 1:
        parts.append(f"{file.parts} files")
    return " · ".join(part for part in parts if part and part != "unknown")


def resolution(word: str) -> str:
    """Plex's word as people say it: "1080" is 1080p."""
    return _RESOLUTIONS.get(word.lower(), word)


def people_lines(people: str | None) -> list[str]:
    """`Directed by A, B`, as far as listings name them."""
    named: dict[str, list[str]] = json.loads(people) if people else {}
    return [f"{words} {', '.join(map(plain, named[part]))}" for part, words in _PEOPLE if named.get(part)]


def rating_line(facts: Facts) -> str:
    """`PG-13 · critics 7.9 · audience 8.4`; empty when nobody has rated it."""
    parts = [plain(facts.content_rating or "")]
    for word, tenths in (("critics", facts.rating_tenths), ("audience", facts.audience_rating_tenths)):
        parts.append(f"{word} {tenths / 10:.1f}" if tenths is not None else "")
    return " · ".join(part for part in parts if part)


def counts_line(library: LibrarySum) -> str:
    """`12 shows · 40 seasons · 1,204 episodes`."""
    order = list(KIND_WORDS)
    counts = sorted(library.counts.items(), key=lambda pair: order.index(pair[0]) if pair[0] in order else 99)
    return " · ".join(f"{count:,} {KIND_WORDS[kind][count != 1]}" for kind, count in counts if kind in KIND_WORDS)
