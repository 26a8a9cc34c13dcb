"""Answers of plex.tv as values: what is missing, odd or foreign."""

from __future__ import annotations

import pytest

from daemon.core.ids import AccountId
from daemon.core.shares import Share, UnknownFilter
from integrations.plex.account_shapes import (
    to_known_users,
    to_pin,
    to_profiles,
    to_shared_sections,
    to_user,
    with_profile,
)

USERS = b"""<?xml version="1.0"?><MediaContainer size="4">
<User id="7" title="Kid" username="" home="1" restricted="1" filterAll="label=Kids" filterMovies="" filterMusic="">
  <Server id="70" machineIdentifier="abc" allLibraries="1" pending="0"/>
  <Server id="71" machineIdentifier="xyz" allLibraries="0" pending="1"/>
</User>
<User id="8" title="" username="friend" home="0"/><User title="no number"/><User id="0" title="nobody"/>
</MediaContainer>"""


def test_users_with_shares_and_filters() -> None:
    kid, friend = to_known_users(USERS)
    assert (kid.account_id, kid.name, kid.is_home, kid.is_managed) == (7, "Kid", True, True)
    assert kid.filters == {"": "label=Kids"}
    assert [(one.machine_id, one.is_all) for one in kid.servers] == [("abc", True)]  # an invitation is no share
    assert (friend.name, friend.is_home, friend.servers) == ("friend", False, ())


def test_sections_that_are_shared() -> None:
    body = b"""<MediaContainer><SharedServer userID="7" accessToken="secret"><Section key="1" shared="1"/>
    <Section key="2" shared="0"/><Section shared="1"/></SharedServer><SharedServer username="pending"/>
    </MediaContainer>"""
    assert to_shared_sections(body) == {AccountId(7): frozenset({"1"})}


@pytest.mark.parametrize("body", [b"", b"<html/>", b"<html>", b"{}", b"\x00\x01", b"<MediaContainer><User>"])
def test_what_is_no_list_is_refused(body: bytes) -> None:
    for read in (to_known_users, to_shared_sections, to_profiles):
        with pytest.raises(ValueError, match=r"XML|<html>"):
            read(body)


def test_entities_are_not_unfolded() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + b"".join(
        b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(12)
    ) + b"]><MediaContainer><User id='1' title='&m;'/></MediaContainer>"  # fmt: skip
    with pytest.raises(ValueError, match="no XML"):
        to_known_users(bomb)


@pytest.mark.parametrize(
    ("profile", "ratings"),
    [("little_kid", {"TV-Y", "G", "TV-G"}), ("teen", {"TV-Y", "G", "TV-G", "TV-PG", "PG", "TV-14", "PG-13"})],
)
def test_presets_for_children_are_filters(profile: str, ratings: set[str]) -> None:
    users = f'<User id="7" restrictionProfile="{profile}"/><User id="8" restrictionProfile=""/>'
    assert to_profiles(f"<MediaContainer>{users}</MediaContainer>".encode()) == {AccountId(7): profile}
    narrow = Share(None, with_profile({"": "label=Kids", "movie": "contentRating!=R"}, profile)).restriction("movie")
    assert narrow is not None
    assert (narrow.labels, narrow.ratings, narrow.hidden_ratings) == ({"Kids"}, ratings, {"R"})


def test_a_preset_that_we_do_not_know_hides_everything() -> None:
    with pytest.raises(UnknownFilter):
        Share(None, with_profile({}, "tweens")).restriction("show")


@pytest.mark.parametrize("body", [b"", b"[]", b"<pin/>", b'{"id": 1}', b'{"code": "x"}', b'{"id": {}, "code": "x"}'])
def test_what_is_no_pin_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  msgspec's own, or ours
        to_pin(body)


def test_a_user_is_known_by_number() -> None:
    assert to_user(b'{"id": "12", "username": "", "title": "Kid"}').name == "Kid"
    assert to_user(b'{"id": 12}').name == "Plex account 12"
    with pytest.raises(ValueError, match="no account"):
        to_user(b'{"username": "x"}')
