"""Who we are to Plex: the headers of every request, whichever library makes it."""

from __future__ import annotations

import platform
from typing import Final

from daemon.kernel.release import installed_version

PRODUCT: Final = "Marquee"
_COMMON: Final = {  # found out once, at import: it reads files, which the event loop must not do
    "X-Plex-Product": PRODUCT,
    "X-Plex-Version": installed_version(),
    "X-Plex-Platform": platform.system(),
    "X-Plex-Device": platform.system(),
    "X-Plex-Device-Name": PRODUCT,
    "X-Plex-Provides": "controller",
}


def plex_headers(client_identifier: str) -> dict[str, str]:
    """Identity headers. The identifier is made once and kept: Plex binds tokens and devices to it."""
    return {"X-Plex-Client-Identifier": client_identifier, **_COMMON}
