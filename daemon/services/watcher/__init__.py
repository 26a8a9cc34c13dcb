"""The watcher: a job of its own that compares what was published with what each subscription handled."""

from daemon.services.watcher.findings import Finding, Kind
from daemon.services.watcher.watcher import Watcher

__all__ = ["Finding", "Kind", "Watcher"]
