"""Signed custom ids: what a button does, written on the button, and proof that we wrote it.

`v1:<module>:<action>:<ids joined by .>:<signature>`, for example `v1:playback:pause:42:dX-3_a`. The state itself is in
the database; the ids only say which. The signature keeps members from making up ids of panels they cannot see.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass

from daemon.core.limits import CUSTOM_ID_CHARS_MAX

_SIGNATURE_CHARS = 6  # 36 bits: guessing one costs 10^10 presses, each of them rate limited
_PATTERN = re.compile(
    r"v1:(?P<module>[a-z][a-z0-9_]{0,31}):(?P<action>[a-z][a-z0-9_-]{0,31})"
    rf":(?P<ids>[^:\s]*):(?P<signature>[A-Za-z0-9_-]{{{_SIGNATURE_CHARS}}})"
)
_PART = re.compile(r"[^:.\s]+")

GRAMMAR = _PATTERN
"""The form of every custom id of ours; discord.py routes what matches it."""


@dataclass(frozen=True, slots=True)
class CustomId:
    """What a component or modal of ours is for. `ids` are short texts without `:`, `.` and white space."""

    module: str
    action: str
    ids: tuple[str, ...] = ()


class Signer:
    """Writes and reads custom ids with the key that `Keys.component_key()` keeps in the database.

    Made before the key is known; using it earlier is a RuntimeError.
    """

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key

    def __repr__(self) -> str:
        return f"Signer({'ready' if self._key else 'without key'})"

    def use(self, key: bytes) -> None:
        """Sign with `key` from now on."""
        self._key = key

    def write(self, custom_id: CustomId) -> str:
        """The text for Discord. ValueError for a part with a forbidden character and for more than 100 characters."""
        if bad := [part for part in custom_id.ids if not _PART.fullmatch(part)]:
            raise ValueError(f"ids of a component may not be empty or contain ':', '.' or white space: {bad}")
        body = f"v1:{custom_id.module}:{custom_id.action}:{'.'.join(custom_id.ids)}"
        text = f"{body}:{self._sign(body)}"
        if len(text) > CUSTOM_ID_CHARS_MAX:
            raise ValueError(f"a custom id has at most {CUSTOM_ID_CHARS_MAX} characters, this one {len(text)}: {text}")
        if not _PATTERN.fullmatch(text):
            raise ValueError(f"module and action are short lower-case words: {custom_id.module}:{custom_id.action}")
        return text

    def read(self, text: str) -> CustomId | None:
        """What `text` says, or None when it is not ours, was made with another key, or was altered."""
        match = _PATTERN.fullmatch(text)
        if match is None or len(text) > CUSTOM_ID_CHARS_MAX:
            return None
        body, signature = text[: match.start("signature") - 1], match["signature"]
        if not hmac.compare_digest(self._sign(body), signature):
            return None
        ids = tuple(match["ids"].split(".")) if match["ids"] else ()
        return CustomId(match["module"], match["action"], ids) if all(ids) else None

    def _sign(self, body: str) -> str:
        if self._key is None:
            raise RuntimeError("custom ids are signed only after the component key was loaded")
        digest = hmac.digest(self._key, body.encode("utf-8", "surrogatepass"), hashlib.sha256)
        return base64.urlsafe_b64encode(digest).decode("ascii")[:_SIGNATURE_CHARS]
