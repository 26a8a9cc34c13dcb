"""The daemon's Prometheus metrics: one registry, every name in one place.

Labels are bounded by construction: names of commands, servers, bots, tasks; never a title, a member or a URL.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, disable_created_metrics
from prometheus_client.exposition import generate_latest

NAMESPACE = "marquee"

_FAST_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_ANSWER_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0)
_UPSTREAM_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """Every metric as an attribute. Each instance has its own registry, so tests never share counts."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # without it each counter comes twice
        self.registry = CollectorRegistry()
        self._describe_kernel()
        self._describe_discord()
        self._describe_plex()
        self._describe_store()

    def _describe_kernel(self) -> None:
        self.build_info = Info("build", "Version of the running daemon.", namespace=NAMESPACE, registry=self.registry)
        self.ready = Gauge("ready", "1 while /health/ready answers 200.", namespace=NAMESPACE, registry=self.registry)
        self.loop_lag_seconds = Histogram(
            "loop_lag_seconds",
            "How late the event loop woke.",
            namespace=NAMESPACE,
            registry=self.registry,
            buckets=_FAST_S,
        )
        self.tasks_restarted_total = Counter(
            "tasks_restarted_total",
            "Crashes of supervised tasks.",
            ["task"],
            namespace=NAMESPACE,
            registry=self.registry,
        )
        self.breaker_state = Gauge(
            "breaker_state", "0 closed, 1 half open, 2 open.", ["name"], namespace=NAMESPACE, registry=self.registry
        )

    def _describe_discord(self) -> None:
        self.commands_total = Counter(
            "commands_total",
            "Interactions answered.",
            ["command", "outcome"],
            namespace=NAMESPACE,
            registry=self.registry,
        )
        self.command_seconds = Histogram(
            "command_seconds",
            "From the interaction's arrival to its first answer.",
            ["command"],
            namespace=NAMESPACE,
            registry=self.registry,
            buckets=_ANSWER_S,
        )
        self.discord_requests_total = Counter(
            "discord_requests_total",
            "Answers, edits and posts sent to Discord.",
            ["bot", "status"],
            namespace=NAMESPACE,
            registry=self.registry,
        )
        self.discord_connected = Gauge(
            "discord_connected",
            "1 while the bot's gateway session is up.",
            ["bot"],
            namespace=NAMESPACE,
            registry=self.registry,
        )

    def _describe_plex(self) -> None:
        self.plex_requests_total = Counter(
            "plex_requests_total",
            "Calls to a Plex server.",
            ["server", "outcome"],
            namespace=NAMESPACE,
            registry=self.registry,
        )
        self.plex_request_seconds = Histogram(
            "plex_request_seconds",
            "Duration of calls to a Plex server.",
            ["server"],
            namespace=NAMESPACE,
            registry=self.registry,
            buckets=_UPSTREAM_S,
        )
        self.plex_up = Gauge(
            "plex_up", "1 while the Plex server answers.", ["server"], namespace=NAMESPACE, registry=self.registry
        )

    def _describe_store(self) -> None:
        self.store_units_total = Counter(
            "store_units_total",
            "Units of work by kind.",
            ["kind", "outcome"],
            namespace=NAMESPACE,
            registry=self.registry,
        )
        self.store_group_size = Histogram(
            "store_group_size",
            "Units that shared one commit.",
            namespace=NAMESPACE,
            registry=self.registry,
            buckets=(1, 2, 4, 8, 16, 32, 64, 128),
        )
        self.store_commit_seconds = Histogram(
            "store_commit_seconds", "Duration of commits.", namespace=NAMESPACE, registry=self.registry, buckets=_FAST_S
        )

    def expose(self) -> bytes:
        """Everything in the Prometheus text format."""
        return generate_latest(self.registry)
