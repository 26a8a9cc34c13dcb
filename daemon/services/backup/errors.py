"""What can go wrong with a backup, as one sentence for the operator."""

from __future__ import annotations

from daemon.core.errors import MarqueeError


class BackupError(MarqueeError):
    """No backup was made, or nothing was restored; the text is one sentence that says why and, if known, what to do."""


class ArchiveDamaged(BackupError):
    """The file is not whole: cut, changed, or never one of ours."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"the archive is damaged: {problem}")
