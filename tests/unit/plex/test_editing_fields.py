"""What an edit makes of a field, before anything is written."""

from __future__ import annotations

import pytest

from daemon.core.errors import UserError
from daemon.core.ids import RatingKey, ServerId
from daemon.core.media import TitleKind, TitleRef
from integrations.plex.editing_fields import Change, Field, Mode, after_edit, check_allowed, to_text, to_words

BEFORE = ("Drama", "Tyler, the Word", "Noir")


@pytest.mark.parametrize(
    ("mode", "value", "after"),
    [
        (Mode.ADD, "Heist", (*BEFORE, "Heist")),
        (Mode.ADD, "noir, Heist, heist", (*BEFORE, "Heist")),
        (Mode.REMOVE, "NOIR, nothing", ("Drama", "Tyler, the Word")),
        (Mode.REMOVE, '"tyler, the word"', ("Drama", "Noir")),
        (Mode.SET, "noir,  Heist ", ("Noir", "Heist")),
        (Mode.SET, "-", ()),
    ],
)
def test_lists(mode: Mode, value: str, after: tuple[str, ...]) -> None:
    assert after_edit(Field.GENRE, mode, value, BEFORE) == after


@pytest.mark.parametrize(
    ("mode", "value", "code"),
    [
        (Mode.ADD, "drama", "nothing_changes"), (Mode.REMOVE, "Heist", "nothing_changes"),
        (Mode.SET, 'noir, drama, "tyler, the word"', "nothing_changes"), (Mode.ADD, " , ,", "bad_value"),
        (Mode.ADD, "x" * 201, "bad_value"), (Mode.ADD, ",".join(map(str, range(51))), "bad_value"),
    ],
)  # fmt: skip
def test_lists_that_make_no_sense(mode: Mode, value: str, code: str) -> None:
    with pytest.raises(UserError) as caught:
        after_edit(Field.GENRE, mode, value, BEFORE)
    assert caught.value.code == code


def test_words_are_cleaned_and_kept_once() -> None:
    assert to_words(Field.LABEL, 'a\x00, \u202eB ,"b, c", A') == ("a", "B", "b, c")


@pytest.mark.parametrize(("field", "value", "text"), [
    (Field.YEAR, " 1999 ", "1999"), (Field.TAGLINE, "-", ""), (Field.SUMMARY, " a\n b ", "a b"),
])  # fmt: skip
def test_texts(field: Field, value: str, text: str) -> None:
    assert to_text(field, value) == text


@pytest.mark.parametrize(("field", "value"), [
    (Field.YEAR, "99"), (Field.YEAR, "1700"), (Field.YEAR, "٢٠٠٠"), (Field.TITLE, "-"), (Field.TITLE, " "),
    (Field.SUMMARY, "x" * 2_001),
])  # fmt: skip
def test_texts_that_make_no_sense(field: Field, value: str) -> None:
    with pytest.raises(UserError, match=r".") as caught:
        to_text(field, value)
    assert caught.value.code == "bad_value"


def test_every_kind_has_a_title_and_labels_and_says_what_else() -> None:
    for kind in (TitleKind.MOVIE, TitleKind.SHOW, TitleKind.SEASON, TitleKind.EPISODE, TitleKind.TRACK):
        check_allowed(Field.TITLE, Mode.SET, kind)
        check_allowed(Field.LABEL, Mode.ADD, kind)
    with pytest.raises(UserError, match="an artist; what can be edited there: title, sort title, summary, genre"):
        check_allowed(Field.STUDIO, Mode.SET, TitleKind.ARTIST)
    with pytest.raises(UserError, match="one text and no list"):
        check_allowed(Field.STUDIO, Mode.ADD, TitleKind.MOVIE)


def test_a_change_can_be_kept() -> None:
    change = Change(TitleRef(ServerId("attic"), RatingKey("7")), Field.SORT_TITLE, (), ("Orbit, Low",), was_locked=True)
    assert Change.from_state(change.to_state()) == change
