"""The language of smart collections: what is understood, what it becomes, and what is said of the rest."""

from __future__ import annotations

import pytest

from daemon.core.errors import UserError
from integrations.plex.filters import Term, merged, parse, to_query

FIELDS = {
    "genre": "genre", "year": "year", "decade": "decade", "duration": "duration", "unwatched": "unwatched",
    "contentRating": "contentRating", "resolution": "resolution", "duplicate": "duplicate", "studio": "studio",
}  # fmt: skip
CHOICES = {
    "genre": {"Drama": "12", "Science Fiction": "13", "Comédie": "14"},
    "rated": {"PG-13": "PG-13"},
    "resolution": {"4K": "4k", "1080p": "1080"},
    "studio": {'"Q" Films': "q"},
}


def query(text: str, fields: dict[str, str] = FIELDS) -> dict[str, str]:
    return merged(to_query(parse(text), fields, CHOICES, "Movies"))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("genre=Drama", {"genre": "12"}),
        ("GENRE = drama , comedie", {"genre": "12,14"}),
        ('genre="Science Fiction" unwatched', {"genre": "13", "unwatched": "1"}),
        ("genre=“Science Fiction”,Drama", {"genre": "13,12"}),
        ("genre!=Drama genre!=Comédie", {"genre!": "12,14"}),
        ("year>=2000", {"year>>": "1999"}),
        ("year>2000 year<=2010", {"year>>": "2000", "year<<": "2011"}),
        ("year>=1990 year>=2000", {"year>>": "1999"}),
        ("year=1999", {"year": "1999"}),
        ("year!=1999", {"year!": "1999"}),
        ("decade=1980s", {"decade": "1980"}),
        ("minutes<100", {"duration<<": "6000000"}),
        ("minutes<=100", {"duration<<": "6060000"}),
        ("minutes>=90", {"duration>>": "5399999"}),
        ("minutes=90", {"duration>>": "5399999", "duration<<": "5460000"}),
        ("watched", {"unwatched": "0"}),
        ("rated=pg-13 resolution=1080p,4k", {"contentRating": "PG-13", "resolution": "1080,4k"}),
        ("genre=Drama & year>=2000 &duplicate", {"genre": "12", "year>>": "1999", "duplicate": "1"}),
    ],
)
def test_what_is_said_in_plex_words(text: str, wanted: dict[str, str]) -> None:
    assert query(text) == wanted


def test_fields_of_shows_bear_their_kind() -> None:
    fields = {"genre": "show.genre", "unwatchedLeaves": "show.unwatchedLeaves"}
    assert query("genre=Drama unwatched", fields) == {"show.genre": "12", "show.unwatchedLeaves": "1"}


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("", "bad_filter", "empty"),
        ("  &  ", "bad_filter", "empty"),
        ("genre=", "bad_filter", "I do not"),
        ('genre=""', "bad_filter", "A value of genre is missing"),
        ("genre=Science Fiction", "bad_filter", "quotes"),
        ("mood=good", "bad_filter", "I know no field “mood”"),
        ("genre>Drama", "bad_filter", "is a word and no number"),
        ("year=soon", "bad_filter", "is no number"),
        ("year=1999,2000", "bad_filter", "One number"),
        ("minutes!=90", "bad_filter", "A length"),
        ("sparkling", "bad_filter", "I do not know “sparkling”"),
        ("genre=Drama genre=Comédie", "bad_filter", "Name each field once"),
        (" ".join(["unwatched"] * 13), "bad_filter", "more than 12 terms"),
        ("genre=Dramma", "no_such_value", "Movies has no genre “Dramma”; there is: Drama"),
        ("genre=Polka", "no_such_value", "there is: Drama, Science Fiction, Comédie"),
        ("label=Attic", "no_such_field", "Movies cannot be filtered by label; it can by: genre"),
    ],
)
def test_what_is_not_understood_is_said(text: str, code: str, words: str) -> None:
    with pytest.raises(UserError) as caught:
        query(text)
    assert caught.value.code == code
    assert words in caught.value.text


def test_a_term_is_a_plain_value() -> None:
    assert parse("genre=a,b unplayed") == (Term("genre", "=", ("a", "b")), Term("unwatched"))
