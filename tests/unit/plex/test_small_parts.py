from __future__ import annotations

import subprocess
import sys

import pytest

from daemon.core.errors import UpstreamError, UpstreamKind
from daemon.core.ids import PlayerId, ServerId
from daemon.core.media import Player, PlayerRef
from integrations.plex.adapter_values import Target
from integrations.plex.bounded import Recent
from integrations.plex.config import PlexServerConfig
from integrations.plex.errors import is_outage, kind_of_status, looks_like_html
from integrations.plex.identity import plex_headers
from integrations.plex.players import Known, hopeless


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, None),
        (204, None),
        (301, UpstreamKind.BROKEN),
        (400, UpstreamKind.BROKEN),
        (401, UpstreamKind.UNAUTHORIZED),
        (403, UpstreamKind.FORBIDDEN),
        (404, UpstreamKind.NOT_FOUND),
        (429, UpstreamKind.BUSY),
        (498, UpstreamKind.UNAUTHORIZED),
        (500, UpstreamKind.BROKEN),
        (503, UpstreamKind.BUSY),
        (520, UpstreamKind.BROKEN),
        (530, UpstreamKind.BROKEN),
    ],
)
def test_what_a_status_means(status: int, kind: UpstreamKind | None) -> None:
    assert kind_of_status(status) is kind


def test_only_failures_of_the_server_itself_are_outages() -> None:
    assert is_outage(UpstreamError("s", UpstreamKind.TIMED_OUT))
    assert not is_outage(UpstreamError("s", UpstreamKind.NOT_FOUND))
    assert not is_outage(ValueError())


@pytest.mark.parametrize(
    ("content_type", "body", "is_page"),
    [
        ("text/html", b"<!DOCTYPE html><html>", True),
        ("text/xml", b"  <html><body>", True),
        ("text/html; charset=utf-8", b"Please log in", True),
        ("text/html", b"OK", False),
        ("text/html", b"", False),
        ("text/html", b'<?xml version="1.0"?><MediaContainer/>', False),
        ("text/xml", b"<MediaContainer/>", False),
        ("text/plain", b"OK", False),
    ],
)
def test_web_pages_are_told_from_data(content_type: str, body: bytes, is_page: bool) -> None:
    assert looks_like_html(content_type, body) is is_page


def test_the_token_does_not_show() -> None:
    assert "s3cret" not in repr(PlexServerConfig("http://plex", "s3cret"))


def test_our_headers() -> None:
    headers = plex_headers("id-1")
    assert headers["X-Plex-Client-Identifier"] == "id-1"
    assert headers["X-Plex-Product"] == "Marquee"


class Hand:
    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        return self.s


def test_recent_values_are_bounded_in_number_and_age() -> None:
    hand = Hand()
    kept: Recent[str, bytes] = Recent(3, 10.0, monotonic=hand)
    for name in "abc":
        kept.put(name, b"12")
    assert kept.get("a") == b"12"
    kept.put("d", b"12")
    assert kept.get("b") is None  # the least recently used
    assert len(kept) == 3
    hand.s = 10.5
    assert kept.get("d") is None
    assert len(kept) == 2


def test_plexapi_is_not_imported_before_it_is_needed() -> None:
    code = "import sys, integrations.plex; sys.exit('plexapi' in sys.modules or 'requests' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("product", "platform", "can_play", "why"),
    [
        ("Plex Web", "Chrome", True, "in 2022"),
        ("Plex for Windows", "Windows", True, "in 2022"),
        ("DLNA", "DLNA", True, "DLNA"),
        ("Samsung TV", "dlna", True, "DLNA"),
        ("Some Box", "Linux", False, "does not offer to be controlled"),
        ("Plex HTPC", "Linux", True, None),
    ],
)
def test_players_that_nobody_can_control(product: str, platform: str, can_play: bool, why: str | None) -> None:
    player = Player(PlayerRef(ServerId("attic"), PlayerId("1")), "Den", product, platform)
    problem = hopeless(Known(player, Target("1", "Den"), is_announced=True, can_play=can_play))
    assert (problem is None) if why is None else (problem is not None and why in problem and problem.startswith("Den "))
