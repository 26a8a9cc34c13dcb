"""What can be wrong with a delivery."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from daemon.core.events import WatcherAlarmed, WatcherCleared
from daemon.data.event_checks import Delivery

_OWN = (WatcherAlarmed.TYPE, WatcherCleared.TYPE)


class Kind(StrEnum):
    """The words of the metric `watcher_findings`."""

    MISSING = (
        "missing"  # silently dropped: no mark, no waiting message, no dead letter; or so once, and not handled yet
    )
    STUCK = "stuck"  # waits, or is tried, for too long or too often
    TRUNCATED = "truncated"  # what was handled, or what is kept, is not what was published
    UNKNOWN = "unknown"  # for a subscription that does not exist


@dataclass(frozen=True, slots=True)
class Finding:
    """One delivery that is not as it should be."""

    kind: Kind
    delivery: Delivery

    @property
    def is_own(self) -> bool:
        """Whether it is about an event of the watcher, about which it publishes no other."""
        return self.delivery.event_type in _OWN

    def __str__(self) -> str:
        seq, subscription, _, event_id = self.delivery
        event = f"event {seq} ({event_id})" if event_id else f"event {seq}" if seq else "a message"
        return f"{event} for {subscription}" if subscription else event


def count(findings: Sequence[Finding]) -> dict[str, int]:
    """How many there are of each kind that there is."""
    return dict(Counter(finding.kind.value for finding in findings))


def describe(findings: Sequence[Finding], named_max: int) -> str:
    """One line: "2 missing (event 7 (plex:attic:lost:1) for ops.lost, event 9 ...), 1 stuck (...)"."""
    parts = []
    for kind in Kind:
        of_kind = [finding for finding in findings if finding.kind is kind]
        if of_kind:
            named = ", ".join(str(finding) for finding in of_kind[:named_max])
            more = ", ..." if len(of_kind) > named_max else ""
            parts.append(f"{len(of_kind)} {kind} ({named}{more})")
    return ", ".join(parts)
