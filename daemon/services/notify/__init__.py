"""Messages to Discord that nobody waits for."""

from __future__ import annotations

from daemon.services.notify.notice import NONCE_CHARS, Notice, encode
from daemon.services.notify.notify import QUEUE, Notify
from daemon.services.notify.sender import Answer, Fate, NoticeSender, Speakers

__all__ = ["NONCE_CHARS", "QUEUE", "Answer", "Fate", "Notice", "NoticeSender", "Notify", "Speakers", "encode"]
