"""The libraries: mirrored from their servers, and searched."""

from __future__ import annotations

from daemon.services.library.mirror import Mirror
from daemon.services.library.mirroring import Mirroring
from daemon.services.library.source import Outcome, Progress, Source, Summary

__all__ = ["Mirror", "Mirroring", "Outcome", "Progress", "Source", "Summary"]
