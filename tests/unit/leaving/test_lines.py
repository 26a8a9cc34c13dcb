"""Rounds in words, and what makes a title another than the one that was listed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from daemon.core.ids import RatingKey, ServerId
from daemon.core.leaving import Halt, Listed, Outcome, Reason, RoundTitle, Rule, Standing, difference
from daemon.core.media import TitleKind
from daemon.core.text import size_line
from daemon.core.visibility import LibraryRef
from daemon.modules.leaving.asking import Draft
from daemon.modules.leaving.lines import halt_line, keeps_line, listed_line, outcome_line, rule_line
from daemon.services.leaving import unplayed

AT = datetime(2020, 1, 2, tzinfo=UTC)
FILM = Listed(RatingKey("7"), TitleKind.MOVIE, "plex://movie/7", "Solaris", 1972, 8_400_000_000, 2, AT, None, 81)
SAME = Standing("1", FILM.guid, FILM.name, FILM.size_bytes, FILM.files)
TITLE = RoundTitle(1, 1, ServerId("attic"), FILM, 0, None, None, None, 0, None, 0)


def test_a_draft_comes_back_as_it_was() -> None:
    played = replace(FILM, played_at=AT + timedelta(days=3), rating_tenths=None, year=None)
    draft = Draft(LibraryRef(ServerId("attic"), "1"), "Films", Rule(30, 7, 180, 5, None), (FILM, played), 120)
    assert Draft.from_state(draft.to_state()) == draft
    assert draft.size_bytes == 16_800_000_000


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        (SAME, None),
        (replace(SAME, guid="plex://movie/8"), Reason.REPLACED),
        (replace(SAME, name="Solaris II"), Reason.REPLACED),
        (replace(SAME, library="2"), Reason.MOVED),
        (replace(SAME, size_bytes=1), Reason.FILES),
        (replace(SAME, files=3), Reason.FILES),
    ],
)
def test_whatever_differs_saves_a_title(now: Standing, reason: Reason | None) -> None:
    assert difference(FILM, "1", now) is reason


def test_only_what_nobody_played_for_so_long_is_listed() -> None:
    since = AT + timedelta(days=100)
    found = [replace(FILM, rating_key=RatingKey(str(key))) for key in (1, 2, 3)]
    played = {1: since - timedelta(seconds=1), 2: since, 9: since}
    left = unplayed(found, played, since)
    assert [(title.rating_key, title.played_at) for title in left] == [("1", played[1]), ("3", None)]


def test_rules_titles_and_fates_are_said_in_words() -> None:
    assert rule_line(Rule(1, 7, 180)) == "Nobody has played it for 1 day"
    assert rule_line(Rule(365, 7, 180, 4 * 10**9, 65)) == (
        "Nobody has played it for 365 days · 4.0 GB or larger · rated 6.5 of 10 or less"
    )
    assert listed_line(FILM) == f"film · 8.4 GB · added <t:{int(AT.timestamp())}:R> · never played · rated 8.1"
    assert size_line(812_000_000) == "812 MB"
    assert (keeps_line(TITLE), keeps_line(replace(TITLE, keeps=1))) == ("", "kept by 1 member")
    deleted = replace(TITLE, outcome=Outcome.DELETED, freed_bytes=FILM.size_bytes)
    assert outcome_line(deleted) == "deleted, 8.4 GB freed"
    assert outcome_line(TITLE) == "kept by nobody"
    refused = replace(TITLE, outcome=Outcome.REFUSED, reason=Reason.PLAYED)
    assert outcome_line(refused) == "left out: somebody has played it since"


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_words(reason: Reason) -> None:
    assert len(outcome_line(replace(TITLE, outcome=Outcome.REFUSED, reason=reason))) > 20


@pytest.mark.parametrize("halt", Halt)
def test_every_halt_has_words(halt: Halt) -> None:
    assert halt_line(halt, ServerId("attic")).startswith("Plex server attic ")
