"""What went wrong on the wire: each entry is a fault of the program under test, or of this simulator."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

KEPT = 2_000


@dataclass(frozen=True, slots=True)
class Problem:
    """`kind` is unknown route, invalid request, invalid answer, unanswered interaction or gateway."""

    kind: str
    what: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.kind}: {self.what}" + (f" ({self.detail})" if self.detail else "")


class Problems:
    """The problems so far, oldest first; truthy when there are any."""

    def __init__(self) -> None:
        self._kept: deque[Problem] = deque(maxlen=KEPT)

    def add(self, kind: str, what: str, detail: str = "") -> None:
        """Record one."""
        self._kept.append(Problem(kind, what, detail))

    def of(self, kind: str) -> list[Problem]:
        """Those of one kind."""
        return [problem for problem in self._kept if problem.kind == kind]

    def clear(self) -> None:
        """Forget them; for a test that caused some on purpose."""
        self._kept.clear()

    def __iter__(self) -> Iterator[Problem]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)

    def __str__(self) -> str:
        return "\n".join(map(str, self._kept))
