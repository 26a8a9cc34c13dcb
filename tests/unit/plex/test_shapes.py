from __future__ import annotations

import msgspec
import pytest

from integrations.plex import shapes
from integrations.plex.shapes import ItemShape, Loose, PlayingShape, SessionShape


@pytest.mark.parametrize(
    ("value", "expected"),
    [("12", 12), (12, 12), (12.7, 12), ("12.7", 12), (True, 1), ("", None), (None, None), ("x", None), ("1e999", None)],
)
def test_numbers(value: Loose, expected: int | None) -> None:
    assert shapes.number(value) == expected


@pytest.mark.parametrize(("value", "expected"), [("a", "a"), (5, "5"), ("", None), (None, None)])
def test_text(value: Loose, expected: str | None) -> None:
    assert shapes.text(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"), [(True, True), (1, True), ("1", True), (0, False), (None, False), ("0", False)]
)
def test_flags(value: Loose, expected: bool) -> None:
    assert shapes.flag(value) is expected


def test_a_page_is_read_whatever_the_types() -> None:
    body = (
        b'{"MediaContainer":{"totalSize":"2","Metadata":[{"ratingKey":1,"year":"1999"},{"ratingKey":"2","new":[1]}]}}'
    )
    page, items = shapes.listing(body)
    assert shapes.number(page.totalSize) == 2
    assert [shapes.text(item.ratingKey) for item in items] == ["1", "2"]


def test_one_bad_entry_loses_no_other() -> None:
    body = b'{"MediaContainer":{"size":3,"Metadata":[{"ratingKey":"1"},{"ratingKey":{"odd":1}},{"ratingKey":"3"}]}}'
    _, items = shapes.listing(body)
    assert [item.ratingKey for item in items] == ["1", "3"]


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b'{"MediaContainer":{"Meta', b"[]", b"{}", b'{"MediaContainer":null}']
)
def test_what_is_no_listing_is_refused(body: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        shapes.listing(body)
    with pytest.raises(msgspec.DecodeError):
        shapes.container(body)


def test_an_empty_answer_has_no_entries() -> None:
    assert shapes.entries(shapes.container(b'{"MediaContainer":{"size":0}}').Metadata, ItemShape) == []


def test_every_entry_of_a_notice_is_read() -> None:
    text = (
        '{"NotificationContainer":{"type":"playing","PlaySessionStateNotification":'
        '[{"sessionKey":"1","state":"playing"},{"sessionKey":[]},{"sessionKey":3,"viewOffset":"5"}]}}'
    )
    notice = shapes.message(text)
    assert notice is not None
    assert [entry.sessionKey for entry in shapes.entries(notice.PlaySessionStateNotification, PlayingShape)] == ["1", 3]
    assert shapes.entries(notice.TimelineEntry, shapes.TimelineShape) == []


def test_a_notice_may_hold_one_object_instead_of_a_list() -> None:
    notice = shapes.message('{"NotificationContainer":{"PlaySessionStateNotification":{"state":"paused"}}}')
    assert notice is not None
    assert [entry.state for entry in shapes.entries(notice.PlaySessionStateNotification, PlayingShape)] == ["paused"]


@pytest.mark.parametrize("text", ["", "pong", "[1]", '{"NotificationContainer":5}', b"\xff\xfe"])
def test_other_messages_are_no_notices(text: str | bytes) -> None:
    assert shapes.message(text) is None


def test_players_and_users_may_be_lists() -> None:
    answer = shapes.container(
        b'{"MediaContainer":{"Metadata":[{"User":[{"id":1}],"Player":{"title":"TV"}},{"User":[]}]}}'
    )
    with_user, without = shapes.entries(answer.Metadata, SessionShape)
    user, player = shapes.first(with_user.User), shapes.first(with_user.Player)
    assert user is not None
    assert player is not None
    assert (user.id, player.title) == (1, "TV")
    assert shapes.first(without.User) is None
