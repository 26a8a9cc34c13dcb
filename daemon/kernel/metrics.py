"""The daemon's Prometheus metrics: one registry, every name in one place.

Labels are bounded by construction: names of commands, servers, bots, tasks, queues, subscriptions and the words listed
in the texts below; never a title, a member, an id of a message or a URL. An attribute is the name without `marquee_`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import generate_latest

NAMESPACE = "marquee"

# Upper bounds of histogram buckets, in seconds.
_FAST_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_ANSWER_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0)
_UPSTREAM_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_WORK_S = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 300.0)
_GROUP = (1, 2, 4, 8, 16, 32, 64, 128)  # units


@dataclass(frozen=True, slots=True)
class _Make:
    """Metrics of one registry, under our name."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, namespace=NAMESPACE, registry=self.registry)

    def gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(name, text, labels, namespace=NAMESPACE, registry=self.registry)

    def histogram(self, name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(name, text, labels, namespace=NAMESPACE, registry=self.registry, buckets=buckets)

    def info(self, name: str, text: str) -> Info:
        return Info(name, text, namespace=NAMESPACE, registry=self.registry)


class Metrics:
    """Every metric as an attribute. Each instance has its own registry, so tests never share counts."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # without it each counter comes twice
        make = _Make()
        self.registry = make.registry
        # CPU seconds, memory, open files, start time. Apart, because collecting them reads files in /proc.
        self._process = CollectorRegistry()
        ProcessCollector(namespace=NAMESPACE, registry=self._process)
        self._describe_kernel(make)
        self._describe_discord(make)
        self._describe_plex(make)
        self._describe_store(make)
        self._describe_events(make)
        self._describe_queue(make)
        self._describe_upkeep(make)

    def _describe_kernel(self, make: _Make) -> None:
        self.build_info = make.info("build", "Version of the running daemon.")
        self.role_info = make.info("role", "Which part of the work this process does, and its name.")
        self.started_timestamp_seconds = make.gauge("started_timestamp_seconds", "When this process began, Unix time.")
        self.ready = make.gauge("ready", "1 while /health/ready answers 200.")
        self.loop_lag_seconds = make.histogram("loop_lag_seconds", "How late the event loop woke.", _FAST_S)
        self.tasks = make.gauge("tasks", "Supervised tasks that run, by kind: eternal or one-shot.", "kind")
        self.tasks_restarted_total = make.counter("tasks_restarted_total", "Crashes of supervised tasks.", "task")
        self.breaker_state = make.gauge("breaker_state", "0 closed, 1 half open, 2 open.", "name")
        self.breaker_opened_total = make.counter("breaker_opened_total", "How often a breaker opened.", "name")

    def _describe_discord(self, make: _Make) -> None:
        self.commands_total = make.counter("commands_total", "Interactions answered.", "command", "outcome")
        self.command_seconds = make.histogram(
            "command_seconds", "From the interaction's arrival to its first answer.", _ANSWER_S, "command"
        )
        self.discord_requests_total = make.counter(
            "discord_requests_total", "Answers, edits and posts sent to Discord.", "bot", "status"
        )
        self.discord_rate_limited_total = make.counter(
            "discord_rate_limited_total", "Requests that Discord put off with 429.", "bot"
        )
        self.discord_connected = make.gauge("discord_connected", "1 while the bot's gateway session is up.", "bot")
        self.rate_limited_total = make.counter(
            "rate_limited_total", "Interactions refused by our own limits, by what was limited.", "scope"
        )

    def _describe_plex(self, make: _Make) -> None:
        self.plex_requests_total = make.counter("plex_requests_total", "Calls to a Plex server.", "server", "outcome")
        self.plex_request_seconds = make.histogram(
            "plex_request_seconds", "Duration of calls to a Plex server.", _UPSTREAM_S, "server"
        )
        self.plex_up = make.gauge("plex_up", "1 while the Plex server answers.", "server")
        self.mirror_titles_total = make.counter(
            "mirror_titles_total",
            "Titles read for the mirror, by what became of them: added, changed, same, removed, healed.",
            "server",
            "outcome",
        )
        self.mirror_passes_total = make.counter(
            "mirror_passes_total",
            "Looks at a library, by outcome: read, unchanged, removed, busy, interrupted.",
            "server",
            "outcome",
        )
        self.mirror_progress_ratio = make.gauge(
            "mirror_progress_ratio", "How much of the library that is being read was read; 1 while none is.", "server"
        )

    def _describe_store(self, make: _Make) -> None:
        self.store_units_total = make.counter("store_units_total", "Units of work by kind.", "kind", "outcome")
        self.store_group_size = make.histogram("store_group_size", "Units that shared one commit.", _GROUP)
        self.store_commit_seconds = make.histogram("store_commit_seconds", "Duration of commits.", _FAST_S)
        self.database_size_bytes = make.gauge("database_size_bytes", "Size of the database on its disk.")
        self.disk_free_bytes = make.gauge("disk_free_bytes", "Room left on the disk of the data folder.")
        self.disk_size_bytes = make.gauge("disk_size_bytes", "Size of the disk of the data folder.")
        self.table_rows = make.gauge(
            "table_rows", "Rows of a table that clean-up keeps small, counted at its last run.", "table"
        )

    def _describe_events(self, make: _Make) -> None:
        self.events_published_total = make.counter("events_published_total", "Facts that were new.", "type")
        self.events_handled_total = make.counter(
            "events_handled_total",
            "Deliveries by what became of them: handled, duplicate, retried, dead.",
            "subscription",
            "outcome",
        )
        self.event_handle_seconds = make.histogram(
            "event_handle_seconds", "Duration of a handler with its effect.", _WORK_S, "subscription"
        )
        self.event_delay_seconds = make.histogram(
            "event_delay_seconds", "From the publishing of an event to a committed effect.", _WORK_S
        )
        self.event_to_discord_seconds = make.histogram(
            "event_to_discord_seconds", "From a notice's being written to its message in Discord.", _WORK_S
        )
        self.notices_total = make.counter(
            "notices_total", "Messages to Discord by outcome: posted, found, dropped, retried.", "outcome"
        )
        for outcome in ("posted", "found", "dropped", "retried"):
            self.notices_total.labels(outcome)  # there from the start: what never was is 0 in a graph, not nothing

    def _describe_queue(self, make: _Make) -> None:
        self.queue_depth = make.gauge(
            "queue_depth", "Messages waiting, by state: ready, delayed, leased.", "queue", "state"
        )
        self.queue_length_max = make.gauge("queue_length_max", "The bound on a queue's messages.", "queue")
        self.queue_oldest_seconds = make.gauge(
            "queue_oldest_seconds", "For how long the oldest message has been due; 0 when none is.", "queue"
        )
        self.queue_messages_total = make.counter(
            "queue_messages_total",
            "Messages by outcome: enqueued, done, retried, dead, refused, cancelled, lost (a lease that ran out).",
            "queue",
            "outcome",
        )
        self.queue_handle_seconds = make.histogram(
            "queue_handle_seconds", "Duration of one attempt at a message.", _WORK_S, "queue"
        )
        self.dead_letters = make.gauge("dead_letters", "Messages given up, waiting for a person.", "queue")
        self.transport_degraded = make.gauge(
            "transport_degraded", "1 while work is found by looking into the database because Redis is away."
        )

    def _describe_upkeep(self, make: _Make) -> None:
        self.cache_requests_total = make.counter(
            "cache_requests_total",
            "Look-ups by outcome: hit, stale, miss, negative, corrupt, error.",
            "region",
            "outcome",
        )
        self.cache_load_seconds = make.histogram(
            "cache_load_seconds", "Duration of loading what was not cached.", _UPSTREAM_S, "region"
        )
        self.watcher_findings = make.gauge(
            "watcher_findings", "Deliveries that are not as published: missing, stuck, truncated, unknown.", "kind"
        )
        for kind in ("missing", "stuck", "truncated", "unknown"):
            self.watcher_findings.labels(kind)
        self.watcher_runs_total = make.counter("watcher_runs_total", "Comparisons of published and handled events.")
        self.schedule_runs_total = make.counter(
            "schedule_runs_total", "Scheduled runs by outcome: done, failed.", "schedule", "outcome"
        )
        self.schedule_last_run_timestamp_seconds = make.gauge(
            "schedule_last_run_timestamp_seconds", "When a schedule last ran, Unix time.", "schedule"
        )
        self.backup_last_success_timestamp_seconds = make.gauge(
            "backup_last_success_timestamp_seconds", "When the last verified backup was made, Unix time; 0 never."
        )
        self.backup_size_bytes = make.gauge("backup_size_bytes", "Size of the last verified backup.")

    def expose(self) -> bytes:
        """Everything in the Prometheus text format. Reads files: not for the event loop."""
        return generate_latest(self.registry) + generate_latest(self._process)
