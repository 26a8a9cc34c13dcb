"""Schedules: which slot of each was last asked for, and how the runs went."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Table, Text

from daemon.data.columns import Instant, metadata

schedules = Table(
    "schedules",
    metadata,
    Column("name", Text, primary_key=True),
    Column("slot_at", Instant, nullable=False),  # the newest slot that has been dealt with
    CheckConstraint("length(name) BETWEEN 1 AND 100", name="name"),
)

schedule_runs = Table(
    "schedule_runs",
    metadata,
    Column("name", Text, primary_key=True),
    Column("slot_at", Instant, primary_key=True),
    Column("asked_at", Instant, nullable=False, index=True),
    Column("started_at", Instant),  # of the last attempt
    Column("ended_at", Instant),
    Column("outcome", Text),  # "done", "failed"; NULL while it waits or runs
    Column("detail", Text, nullable=False),
    Column("trace_id", Text, nullable=False),
)
