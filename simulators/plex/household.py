"""The players of the demo and the people who are already watching something."""

from __future__ import annotations

from simulators.plex.details import digest
from simulators.plex.players import PlayerSpec
from simulators.plex.world import World

LIVING_ROOM, SHIELD, PLEXAMP = "Living Room TV", "Bedroom Shield", "Kitchen Plexamp"
ROKU, TABLET, CHROME, DLNA, IPAD = (
    "Guest Room Roku",
    "Old Tablet",
    "Plex Web (Chrome)",
    "Basement DLNA TV",
    "Yuki's iPad",
)


def specs(world: World) -> tuple[PlayerSpec, ...]:
    """Every device of the house; ids depend on the seed, so that two servers never share one."""

    def mark(title: str) -> str:
        return digest(world.seed, "player", title)[:24]

    return (
        PlayerSpec(
            f"htpc-{mark(LIVING_ROOM)}", LIVING_ROOM, "Plex HTPC", "linux", "PC", "stb", "1.67.1",
            is_direct=True, is_proxied=True, is_listed=True,
        ),
        PlayerSpec(
            f"{mark(SHIELD)[:16]}-com-plexapp-android", SHIELD, "Plex for Android (TV)", "Android", "SHIELD Android TV",
            "stb", "10.24.0", is_proxied=True, is_listed=True, address="127.0.0.1",
        ),
        PlayerSpec(
            f"plexamp-{mark(PLEXAMP)}", PLEXAMP, "Plexamp", "Linux", "Raspberry Pi", "speaker", "4.12.1",
            is_direct=True, is_proxied=True, is_listed=True, plays=("audio",), reply="text",
        ),
        PlayerSpec(
            f"roku-{mark(ROKU)}", ROKU, "Plex for Roku", "Roku", "Roku Ultra", "stb", "8.1.4",
            is_direct=True, is_proxied=True, is_listed=True, plays=("video",), reply="text",
        ),
        PlayerSpec(
            f"tablet-{mark(TABLET)}", TABLET, "Plex for Android (Mobile)", "Android", "Nexus 10", "tablet", "9.8.0",
            is_direct=True, is_proxied=True, is_listed=True,
        ),
        PlayerSpec(
            f"{mark(CHROME)}", CHROME, "Plex Web", "Chrome", "Linux", "pc", "4.145.1", transcodes=True,
            address="192.0.2.21",
        ),
        PlayerSpec(
            f"dlna-{mark(DLNA)}", DLNA, "DLNA", "DLNA", "Television", "tv", "1.0", is_dlna=True, address="192.0.2.34",
        ),
        PlayerSpec(
            f"{mark(IPAD)[:8].upper()}-{mark(IPAD)[8:12].upper()}", IPAD, "Plex for iOS", "iOS", "iPad", "tablet",
            "8.44", address="198.51.100.7", location="wan", transcodes=True,
        ),
    )  # fmt: skip


# (account, player, kind, title, how far in, in per cent, and whether paused) of those who are watching at the start.
WATCHING = (
    ("Marcus", CHROME, "movie", "Neon Monsoon", 38, False),
    ("Yuki", IPAD, "show", "Deepwater Nine", 62, True),
    ("Juno", DLNA, "movie", "Captain Pumpernickel", 12, False),
)
IDLE_S = 240.0  # somebody whose title ended finds the next one after this long
