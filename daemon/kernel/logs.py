"""Logging: structlog over the standard library, so that discord.py, aiohttp and plexapi join in; on stderr.

Every secret is removed from the finished line, tracebacks included: whatever path a token took into a message, an
argument or an exception text, it does not leave. Log with `structlog.get_logger(__name__)`: static event names, fields.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Literal, TextIO
from urllib.parse import quote, quote_plus

import structlog
from structlog.typing import EventDict, Processor

from daemon.kernel.trace import current_trace_id

Format = Literal["console", "json"]
Level = Literal["debug", "info", "warning", "error"]

REDACTED = "[redacted]"
_SHORT_CHARS = 8  # a shorter secret is removed only where it stands as a word, or it would eat parts of other words
_CHATTY = {
    "urllib3": logging.WARNING,
    "plexapi": logging.WARNING,
    "PIL": logging.WARNING,
    "asyncio": logging.WARNING,
    "sqlalchemy": logging.WARNING,  # at INFO its engines log each statement
}
_LIBRARIES_AT_INFO = ("discord", "aiohttp", "alembic", "psycopg")

# Tokens that are not ours to know beforehand: Plex tokens in URLs and headers, interaction and webhook tokens in paths.
_PLEX_TOKEN = re.compile(r"""(X-Plex-Token(?:=|%3D|\\?["']?\s*[:=,]\s*\\?["']?))[^&\s"'<>\\,)}\]]+""", re.IGNORECASE)
_HOOK_TOKEN = re.compile(r"(/(?:webhooks|interactions)/\d{5,20}/)[\w.~-]{20,}")


class Redactor:
    """Removes known secrets, and what looks like a token in a URL, from text."""

    def __init__(self) -> None:
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def add(self, secret: str) -> None:
        """From now on remove `secret` in every form it takes in a log: plain, in JSON, in a URL, in a repr."""
        if not secret.strip() or secret in self._forms:
            return
        self._forms |= {
            secret,
            json.dumps(secret)[1:-1],
            json.dumps(secret, ensure_ascii=False)[1:-1],
            repr(secret)[1:-1],
            quote(secret, safe=""),
            quote(secret),
            quote_plus(secret),
        }
        # Longest first: a secret that contains another must go as a whole.
        forms = sorted(self._forms, key=lambda form: (-len(form), form))
        self._pattern = re.compile("|".join(_as_pattern(form) for form in forms))

    def redact(self, text: str) -> str:
        """`text` without any secret."""
        if self._pattern is not None:
            text = self._pattern.sub(REDACTED, text)
        text = _PLEX_TOKEN.sub(rf"\1{REDACTED}", text)
        return _HOOK_TOKEN.sub(rf"\1{REDACTED}", text)


def _as_pattern(form: str) -> str:
    escaped = re.escape(form)
    return escaped if len(form) >= _SHORT_CHARS else rf"(?<!\w){escaped}(?!\w)"


_REDACTOR = Redactor()


def add_secret(value: str) -> None:
    """Redact `value` from every line logged from now on."""
    _REDACTOR.add(value)


def redact(text: str) -> str:
    """`text` without any secret given to `configure` or `add_secret`; for what is printed rather than logged."""
    return _REDACTOR.redact(text)


class _RedactingFormatter(structlog.stdlib.ProcessorFormatter):
    def format(self, record: logging.LogRecord) -> str:
        return _REDACTOR.redact(super().format(record))


class _Stderr(logging.StreamHandler[TextIO]):
    """Writes to what `sys.stderr` is at the time of the record, as whoever redirects it expects."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


def configure(fmt: Format, level: Level, secrets: Iterable[str]) -> None:
    """Send all logging of the process to stderr, one line a record; call once, before anything logs."""
    for secret in secrets:
        add_secret(secret)
    threshold = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        _add_trace_id,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = _Stderr()
    handler.setFormatter(_RedactingFormatter(foreign_pre_chain=shared, processors=_renderers(fmt)))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(threshold)
    for name in _LIBRARIES_AT_INFO:
        logging.getLogger(name).setLevel(max(threshold, logging.INFO))
    for name, least in _CHATTY.items():
        logging.getLogger(name).setLevel(max(threshold, least))
    logging.captureWarnings(True)
    # The interpreter's own last words would be neither redacted nor, with "json", JSON.
    sys.excepthook = _log_uncaught
    threading.excepthook = lambda args: _log_uncaught(args.exc_type, args.exc_value, args.exc_traceback)


def _add_trace_id(logger: Any, method: str, line: EventDict) -> EventDict:
    """Lines of a traced task say so, those of libraries too; a line that names a trace itself keeps it."""
    if trace_id := current_trace_id():
        line.setdefault("trace_id", trace_id)
    return line


def _log_uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if issubclass(kind, SystemExit):  # how a thread may end
        return
    structlog.get_logger(__name__).critical("uncaught", exc_info=(kind, error, trace))


def _renderers(fmt: Format) -> list[Processor]:
    drop_meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    if fmt == "json":
        # format_exc_info prints the plain traceback: no local variables, which could hold anything.
        return [drop_meta, structlog.processors.format_exc_info, structlog.processors.JSONRenderer(_dumps)]
    console = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback, pad_event_to=0
    )
    return [drop_meta, console]


def _dumps(value: Any, **options: Any) -> str:
    return json.dumps(value, ensure_ascii=False, **options)
