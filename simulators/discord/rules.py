"""Rules of Discord that its OpenAPI document does not hold."""

from __future__ import annotations

from typing import Any

from simulators.discord.errors import Violation


def check(op: str, body: Any, *, has_files: bool = False) -> list[Violation]:
    """What is wrong with a request body beyond the document; empty when it is fine."""
    return []
