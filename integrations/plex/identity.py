"""Who we are to Plex: the headers of every request, whichever library makes it."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Final

PRODUCT: Final = "Marquee"


def plex_headers(client_identifier: str) -> dict[str, str]:
    """Identity headers. The identifier is made once and kept: Plex binds tokens and devices to it."""
    return {
        "X-Plex-Client-Identifier": client_identifier,
        "X-Plex-Product": PRODUCT,
        "X-Plex-Version": _version(),
        "X-Plex-Platform": platform.system(),
        "X-Plex-Device": platform.system(),
        "X-Plex-Device-Name": PRODUCT,
        "X-Plex-Provides": "controller",
    }


def _version() -> str:
    try:
        return version("marquee")
    except PackageNotFoundError:
        return "0"
