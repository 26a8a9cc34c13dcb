"""Discord's own documents, where they are at hand; tests judge with less where they are not."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from simulators.discord.spec import SpecDocument

SPEC = Path(__file__).resolve().parents[2] / "shared" / "discord-api-spec" / "openapi.json"


@cache
def openapi() -> SpecDocument | None:
    """The OpenAPI document of Discord's REST interface, read once; None when its file is not there."""
    return SpecDocument.load(SPEC) if SPEC.is_file() else None
