"""`marquee schedules`: without a daemon, and beside one that runs."""

from __future__ import annotations

import json
import signal
from pathlib import Path

from daemon.data.store import Store
from daemon.services.schedule import Schedule
from tests.integration.cli.marquee import call, end, environment, running
from tests.integration.schedule.stand import SetClock, open_stand, until


async def test_without_a_daemon(database_url: str, store: Store, tmp_path: Path) -> None:
    environ = environment(tmp_path, DATABASE__URL=database_url)
    nothing = await call(environ, "schedules", "list")
    assert (nothing.code, nothing.out) == (0, "No schedule is known yet: a running daemon declares them.\n")
    async with open_stand(store, SetClock(), works=False) as stand:
        await stand.schedules.add(Schedule("pets.feed", cron="30 4 * * mon-fri", timezone="Europe/Berlin"), stand.job)
        await stand.schedules.tick()
        listed = await call(environ, "schedules", "list")
        assert (listed.code, listed.err) == (0, "")
        for words in ("pets.feed", "30 4 * * mon-fri", "Europe/Berlin", "once", "2026-11-20 03:30:00"):
            assert words in listed.out, listed.out
        unasked = await call(environ, "schedules", "history", "pets.feed")
        assert (unasked.code, unasked.out) == (0, "pets.feed has not run yet.\n")
        asked = await call(environ, "schedules", "run", "pets.feed")
        assert (asked.code, asked.err) == (0, "")
        (known,) = json.loads((await call(environ, "schedules", "list", "--json")).out)
        assert known["last"]["outcome"] == "waiting"
        assert known["last"]["trace_id"] in asked.out
        assert stand.ran == []
    for command in ("run", "history"):
        unknown = await call(environ, "schedules", command, "pets.food")
        assert (unknown.code, unknown.out) == (1, "")
        assert unknown.err.startswith('There is no schedule "pets.food"; ')


async def test_beside_a_daemon(tmp_path: Path) -> None:
    """Its own chores are known, and what is asked for by hand is done by it."""
    environ = environment(tmp_path)
    async with running(environ) as process:

        async def is_known() -> bool:
            return "retention" in (await call(environ, "schedules", "list")).out

        await until(is_known, "the daemon's own schedules")
        asked = await call(environ, "schedules", "run", "retention")
        assert asked.code == 0

        async def is_done() -> bool:
            runs = json.loads((await call(environ, "schedules", "history", "retention", "--json")).out)
            return [run["outcome"] for run in runs] == ["done"]

        await until(is_done, "the run to be done")
        shown = await call(environ, "schedules", "history", "retention")
        assert "done" in shown.out
        trace_id = asked.out.split("`marquee trace ")[1].split("`")[0]
        story = await call(environ, "trace", trace_id)
        for words in ("run of retention asked for", "run of retention begun", "run of retention done"):
            assert words in story.out, story.out
        ended = await end(process, signal.SIGTERM)
        assert ended.code == 0, ended.err
