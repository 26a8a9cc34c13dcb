"""Who this installation belongs to."""

from __future__ import annotations

from dataclasses import dataclass

from daemon.core.ids import MemberId


@dataclass(frozen=True, slots=True)
class Owners:
    """The Discord users of the setting `owners`: they may do everything, and are told what goes wrong."""

    ids: tuple[MemberId, ...]
