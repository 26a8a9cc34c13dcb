"""What may be put into a playlist, and what is said when it may not."""

from __future__ import annotations

import pytest

from daemon.core.errors import UserError
from daemon.core.ids import RatingKey, ServerId
from daemon.core.media import Title, TitleKind, TitleRef
from integrations.plex.playlists import Playlist, check_fits

ATTIC, CELLAR = ServerId("attic"), ServerId("cellar")


def playlist(*, is_music: bool = False, is_smart: bool = False) -> Playlist:
    return Playlist(TitleRef(ATTIC, RatingKey("500")), "Rainy Days", is_music, is_smart, 2, 1)


def title(kind: TitleKind = TitleKind.MOVIE, server: ServerId = ATTIC) -> Title:
    return Title(TitleRef(server, RatingKey("7")), kind, "Dune", 2021)


@pytest.mark.parametrize("kind", [TitleKind.MOVIE, TitleKind.SHOW, TitleKind.SEASON, TitleKind.EPISODE])
def test_whatever_can_be_watched_fits(kind: TitleKind) -> None:
    check_fits(playlist(), title(kind))


@pytest.mark.parametrize("kind", [TitleKind.ARTIST, TitleKind.ALBUM, TitleKind.TRACK])
def test_music_fits_music(kind: TitleKind) -> None:
    check_fits(playlist(is_music=True), title(kind))


@pytest.mark.parametrize(
    ("into", "what", "code", "sentence"),
    [
        (playlist(is_smart=True), title(), "smart_playlist", "a filter fills it"),
        (playlist(), title(server=CELLAR), "title_elsewhere", "is on the server cellar and Rainy Days on attic"),
        (playlist(), title(TitleKind.ALBUM), "other_media", "Rainy Days holds films and shows; Plex does not mix"),
        (playlist(is_music=True), title(), "other_media", "Rainy Days holds music"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_reason(into: Playlist, what: Title, code: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence) as refused:
        check_fits(into, what)
    assert refused.value.code == code
