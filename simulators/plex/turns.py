"""Things that happen between two requests of somebody else, such as a title that goes while a list is paged."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

WAITING_MAX = 1_000


@dataclass(slots=True, eq=False)
class Turn:
    """`act` runs once `after` requests to `path` have been answered, and `times` times in all."""

    path: re.Pattern[str]
    act: Callable[[], object]
    after: int
    times: int
    done: int = 0


class Turns:
    """All that waits for its request."""

    def __init__(self) -> None:
        self._waiting: list[Turn] = []

    def add(self, path: str, act: Callable[[], object], *, after: int = 1, times: int = 1) -> Turn:
        """Do something right after the answer to the `after`-th request that matches the regex (path and query).

        With `times` it is done again after each of the next ones. ValueError when too many wait already.
        """
        if len(self._waiting) >= WAITING_MAX:
            raise ValueError(f"more than {WAITING_MAX} things wait for their turn")
        turn = Turn(re.compile(path), act, max(1, after), times)
        self._waiting.append(turn)
        return turn

    def clear(self) -> None:
        """Nothing more will happen by itself."""
        self._waiting.clear()

    def pass_by(self, target: str) -> None:
        """A request to `target` has been answered."""
        for turn in list(self._waiting):
            if not turn.path.search(target):
                continue
            turn.after -= 1
            if turn.after > 0:
                continue
            turn.done += 1
            if turn.done >= turn.times:
                self._waiting.remove(turn)
            turn.act()
