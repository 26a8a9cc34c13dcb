"""What a driver's error means: wait and retry (`UpstreamError`), repeat the unit, or a fault of the unit itself."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from daemon.core.errors import UpstreamError, UpstreamKind

SERVICE = "The database"

_REPEAT = {"40001", "40P01"}  # serialization failure, deadlock: nothing was changed, and repeating helps
_POSTGRESQL = {
    "55P03": UpstreamKind.BUSY,  # lock_timeout
    "57014": UpstreamKind.TIMED_OUT,  # statement_timeout
    "57P01": UpstreamKind.UNREACHABLE,  # the server is shutting down
    "57P02": UpstreamKind.UNREACHABLE,
    "57P03": UpstreamKind.BUSY,  # it is starting
    "53300": UpstreamKind.BUSY,  # too many connections
    "53100": UpstreamKind.UNREACHABLE,  # disk full
    "25006": UpstreamKind.UNREACHABLE,  # read-only: a standby
}
_SQLITE = {
    "SQLITE_BUSY": UpstreamKind.BUSY,
    "SQLITE_LOCKED": UpstreamKind.BUSY,
    "SQLITE_FULL": UpstreamKind.UNREACHABLE,
    "SQLITE_IOERR": UpstreamKind.UNREACHABLE,
    "SQLITE_READONLY": UpstreamKind.UNREACHABLE,
    "SQLITE_CANTOPEN": UpstreamKind.UNREACHABLE,
    "SQLITE_CORRUPT": UpstreamKind.UNREACHABLE,
    "SQLITE_NOTADB": UpstreamKind.UNREACHABLE,
}


def busy(detail: str) -> UpstreamError:
    """There is more to do than the database gets done."""
    return UpstreamError(SERVICE, UpstreamKind.BUSY, detail)


def unreachable(detail: str) -> UpstreamError:
    """The database cannot be used now."""
    return UpstreamError(SERVICE, UpstreamKind.UNREACHABLE, detail)


def can_repeat(error: BaseException) -> bool:
    """Whether PostgreSQL undid the transaction and asks to run it again."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in _REPEAT


def translate(error: BaseException) -> BaseException:
    """`UpstreamError` for what the database did; the error itself for what the unit did (IntegrityError, say)."""
    if isinstance(error, PoolTimeoutError):
        return busy("no free connection")
    if isinstance(error, StopIteration):
        return RuntimeError("a unit of work raised StopIteration")  # a future cannot carry it
    if isinstance(error, DBAPIError):
        _hide_values(error)
    kind = _kind(error)
    if kind is None:
        return error
    cause = error.orig if isinstance(error, DBAPIError) else error
    translated = UpstreamError(SERVICE, kind, str(cause).strip().partition("\n")[0])
    translated.__cause__ = error
    return translated


def _hide_values(error: DBAPIError) -> None:
    """PostgreSQL quotes the row in its DETAIL; what people stored must not get into a log by a failing statement."""
    detail = getattr(getattr(error.orig, "diag", None), "message_detail", None)
    if detail and error.orig is not None:
        for shown in (error, error.orig):
            shown.args = tuple(str(part).replace(detail, "(hidden)") for part in shown.args)


def _kind(error: BaseException) -> UpstreamKind | None:
    cause: BaseException | None = error
    if isinstance(error, DBAPIError):
        if error.connection_invalidated:
            return UpstreamKind.UNREACHABLE
        cause = error.orig
    if isinstance(cause, sqlite3.Error):
        name: str = getattr(cause, "sqlite_errorname", "")
        return next((kind for prefix, kind in _SQLITE.items() if name.startswith(prefix)), None)
    sqlstate: str | None = getattr(cause, "sqlstate", "")
    if sqlstate is None and type(cause).__name__ == "OperationalError":
        return UpstreamKind.UNREACHABLE  # libpq could not connect, or lost the server
    return UpstreamKind.UNREACHABLE if (sqlstate or "").startswith("08") else _POSTGRESQL.get(sqlstate or "")
