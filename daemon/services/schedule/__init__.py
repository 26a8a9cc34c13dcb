"""Schedules: what is due when, and that it runs once."""

from __future__ import annotations

from daemon.services.schedule.plan import Missed, Schedule
from daemon.services.schedule.runs import Job
from daemon.services.schedule.schedules import Schedules

__all__ = ["Job", "Missed", "Schedule", "Schedules"]
