"""Schedules: what is due when, and that it runs once."""

from __future__ import annotations

from daemon.data.schedules import Declared, Known, Run
from daemon.services.schedule.plan import Missed, Schedule
from daemon.services.schedule.runs import Job
from daemon.services.schedule.schedules import Schedules

__all__ = ["Declared", "Job", "Known", "Missed", "Run", "Schedule", "Schedules"]
