"""Column types and the one `MetaData`: how values of ours look in every database.

An instant is a BIGINT of microseconds since 1970 UTC on SQLite and PostgreSQL alike, so that the same arithmetic and
comparison in SQL is right on both, nothing depends on a session's time zone, and the driver needs no conversion on hot
paths. To read it by eye: `datetime(created_at / 1000000, 'unixepoch')`, `to_timestamp(created_at / 1e6)`.
JSON is text for the same reason: PostgreSQL's own type refuses strings that SQLite and Python take.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Integer, MetaData, Text, TypeDecorator
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_encoder = json.JSONEncoder(sort_keys=True, separators=(",", ":"))

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite makes a key the row's own address (no second index) only when its type is spelled INTEGER; it holds 64 bits.
BigInt = BigInteger().with_variant(Integer(), "sqlite")


def to_micros(at: datetime) -> int:
    """Microseconds since 1970 UTC, exact; a naive datetime is refused with ValueError."""
    if at.tzinfo is None:
        raise ValueError("a datetime without a time zone cannot be stored")
    return (at - EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """The aware UTC datetime of `to_micros`."""
    return EPOCH + timedelta(microseconds=micros)


class Instant(TypeDecorator[datetime]):
    """An aware datetime, stored as microseconds since 1970 UTC; read back in UTC."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """INTEGER on SQLite, BIGINT elsewhere."""
        return dialect.type_descriptor(Integer() if dialect.name == "sqlite" else BigInteger())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Python to database; ValueError for a naive datetime."""
        return None if value is None else to_micros(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Database to Python, always UTC."""
        return None if value is None else from_micros(value)


class JsonObject(TypeDecorator[dict[str, Any]]):
    """A JSON object in a text column, keys sorted, pure ASCII."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: dict[str, Any] | None, dialect: Dialect) -> str | None:
        """Python to database; TypeError for what JSON cannot say."""
        return None if value is None else to_json(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> dict[str, Any] | None:
        """Database to Python."""
        return None if value is None else json.loads(value)


def to_json(value: dict[str, Any]) -> str:
    """The text form that `JsonObject` stores."""
    return _encoder.encode(value)
