"""What the metadata agent would take a title for: candidates to match it with, and the matching itself."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from simulators.plex.details import digest
from simulators.plex.items import Item
from simulators.plex.server import Server

CANDIDATES = 4
KINDS = frozenset({"movie", "show", "artist", "album"})
_EXTERNAL = re.compile(r"^(?P<agent>imdb|tmdb|tvdb)[-:/]+(?P<number>\w+)$")


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something an agent knows; `score` is 0 to 100."""

    guid: str
    name: str
    year: int | None
    score: int


def candidates(server: Server, item: Item, title: str, year: int | None) -> list[Candidate]:
    """What `title` could be, the likeliest first; the same question has the same answer.

    An id (`imdb-tt0057071`) finds the one title that has it.
    """
    external = _EXTERNAL.match(title.strip())
    if external:
        guid = f"{external['agent']}://{external['number']}"
        pool = server.world.listed(item.section, item.kind)
        known = next((each for each in pool if guid in server.world.facts(each).guids), None)
        return [Candidate(server.world.guid(known), known.title, known.year, 100)] if known else []
    wanted = title.strip() or item.title
    rng = random.Random(f"match:{server.world.seed}:{item.kind}:{wanted.casefold()}:{year}")
    first = year or item.year or rng.randint(1960, 2025)
    found = []
    for number in range(CANDIDATES):
        born = first if number == 0 else max(1920, min(2026, first + rng.choice((-31, -14, -6, -1, 2, 9, 17))))
        name = wanted if number < 3 else f"{wanted}: The Beginning"
        mark = digest("agent", item.kind, wanted.casefold(), born, number)
        found.append(Candidate(f"plex://{item.kind}/{mark[:24]}", name, born, 100 - number * (rng.randint(6, 18))))
    if wanted.casefold() == item.title.casefold() and not server.world.guid(item).startswith("local://"):
        found[0] = Candidate(server.world.guid(item), item.title, item.year, 100)
    return found


class Matches:
    """Candidates that were shown: `PUT match` names one of them by its guid."""

    KEPT_MAX = 1_000

    def __init__(self, server: Server) -> None:
        self._server = server
        self._shown: dict[str, Candidate] = {}

    def look(self, item: Item, title: str, year: int | None) -> list[Candidate]:
        """Candidates for a title."""
        found = candidates(self._server, item, title, year)
        if len(self._shown) > self.KEPT_MAX:
            self._shown.clear()
        self._shown |= {each.guid: each for each in found}
        return found

    def take(self, item: Item, guid: str, name: str) -> None:
        """Make the title what `guid` says; its rating key stays. What was locked stays as it is."""
        shown = self._shown.get(guid)
        number = int(digest("external", guid)[:8], 16)
        changes: dict[str, object] = {
            "guid": guid,
            "guids": (f"imdb://tt{number % 9_000_000 + 1_000_000:07}", f"tmdb://{number % 899_989}"),
            "summary": f"What the agent knows of {name or item.title}.", "title": name or item.title,
        }  # fmt: skip
        if shown is not None and shown.year:
            changes["year"] = shown.year
        kept = {name: value for name, value in changes.items() if name not in item.locked}
        self._server.world.edit(item, int(self._server.clock.now()), **kept)
        self._server.tell_timeline(item, 5, "processed")

    def drop(self, item: Item) -> None:
        """Forget what it was: only what the file's name says is left."""
        guid = f"local://{item.key}"
        self._server.world.edit(
            item, int(self._server.clock.now()), guid=guid, guids=(), summary="", tagline=None, studio=None,
            rating=None, audience_rating=None, content_rating=None, directors=(), writers=(), producers=(),
            countries=(), roles=(), genres=(),
        )  # fmt: skip
        self._server.tell_timeline(item, 5, "processed")
