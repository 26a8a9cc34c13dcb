import pytest

from simulators.plex.items import Item
from simulators.plex.restrictions import OPEN, BadFilter, Filters, parse

TAGS = {"label": ["Kids", "Summer"], "contentRating": ["PG"], "genre": ["Drama"]}


def allows(text: str, **tags: list[str]) -> bool:
    film = Item(1, "movie", "x", 1, 0)
    return Filters(movies=text).allow(film, lambda field: {**TAGS, **tags}.get(field, []))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", True), ("label=kids", True), ("label=Other", False), ("label=Other,Summer", True),
     ("label=Other%2CSummer", True), ("label!=Kids", False), ("label!=Other", True), ("contentRating=PG,PG-13", True),
     ("contentRating!=PG", False), ("contentRating=R|label=Kids", True), ("contentRating=R&label=Kids", False),
     ("contentRating=R|label=Kids&label!=Summer", False), ("contentRating!=R|label!=Kids", True),
     ("genre=drama", True), ("label=Kids%20Room", False), ("label=Kids+Room", False)],
)  # fmt: skip
def test_either_within_a_bar_and_both_around_an_and(text: str, expected: bool) -> None:
    assert allows(text) is expected


def test_a_title_without_tags_passes_what_hides_and_not_what_picks() -> None:
    assert allows("label!=Kids", label=[])
    assert not allows("label=Kids", label=[])
    assert not allows("contentRating=PG", contentRating=[""])


def test_the_text_for_all_kinds_counts_besides_that_of_one() -> None:
    show = Item(1, "show", "x", 2, 0)
    both = Filters(every="label!=Secret", television="contentRating!=TV-MA", movies="label=Nothing")
    assert both.allow(show, lambda field: {"label": ["Kids"], "contentRating": ["TV-14"]}.get(field, []))
    assert not both.allow(show, lambda field: {"label": ["Secret"], "contentRating": ["TV-14"]}.get(field, []))
    assert not both.allow(show, lambda field: {"label": [], "contentRating": ["TV-MA"]}.get(field, []))
    assert not both.is_open
    assert OPEN.is_open
    assert both.shown()["filterTelevision"] == "contentRating!=TV-MA"


@pytest.mark.parametrize("text", ["kids", "label", "colour=red", "label>Kids", "label=Kids|"])
def test_what_is_no_filter(text: str) -> None:
    with pytest.raises(BadFilter):
        parse(text)
