"""`marquee library`: without a daemon, beside one, with a server that fails."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import sys
from pathlib import Path

from simulators.plex.sim import PlexSim
from tests.integration.cli.marquee import call, environment, running


def _environment(sim: PlexSim, folder: Path, **more: str) -> dict[str, str]:
    return environment(
        folder, PLEX__SERVERS__ATTIC__URL=sim.url, PLEX__SERVERS__ATTIC__TOKEN=sim.token,
        PLEX__ACCOUNT_URL=sim.account_url, **more,
    )  # fmt: skip


async def test_a_mirror_is_made_and_kept_without_a_daemon(tmp_path: Path) -> None:
    async with PlexSim(seed=7, life=False) as sim:
        environ = _environment(sim, tmp_path)
        assert (await call(environ, "library", "sync")).err.startswith("there is no database yet")
        assert (await call(environ, "db", "upgrade")).code == 0
        assert "No library is mirrored yet" in (await call(environ, "library", "list")).out
        done = await call(environ, "library", "sync", "--library", "movies")
        assert (done.code, done.err) == (0, "")
        assert done.out == f"attic / Movies: read, {len(sim.world.listed(1, 'movie'))} new\n"
        done = await call(environ, "library", "sync")
        assert done.code == 0
        assert "attic / Movies: unchanged\n" in done.out
        assert "attic / TV Shows: read," in done.out
        listed = json.loads((await call(environ, "library", "list", "--json")).out)
        shows = next(each for each in listed if each["name"] == "TV Shows")
        assert shows["titles"]["episode"] == len(sim.world.listed(2, "episode"))
        assert shows["state"] == "as the server has it"
        assert "4 libraries" not in (await call(environ, "library", "list")).out


async def test_a_terminal_shows_a_bar_for_each_library(tmp_path: Path) -> None:
    async with PlexSim(seed=7, life=False) as sim:
        environ = _environment(sim, tmp_path)
        assert (await call(environ, "db", "upgrade")).code == 0
        leader, follower = pty.openpty()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "daemon", "library", "sync",
            env=environ | {"TERM": "xterm", "COLUMNS": "120"}, stdout=asyncio.subprocess.DEVNULL, stderr=follower,
        )  # fmt: skip
        os.close(follower)
        shown = await asyncio.to_thread(_drain, leader)
        assert await process.wait() == 0
        assert "TV Shows" in shown
        assert "━" in shown
        total = sum(len(sim.world.listed(2, kind)) for kind in ("show", "season", "episode"))
        assert f"{total:,} of {total:,}" in shown


async def test_beside_a_running_daemon_and_with_another_server_that_is_away(tmp_path: Path) -> None:
    async with PlexSim(seed=7, life=False) as sim:
        away = {"PLEX__SERVERS__CELLAR__URL": "http://127.0.0.1:9", "PLEX__SERVERS__CELLAR__TOKEN": "none"}
        environ = _environment(sim, tmp_path, **away)
        async with running(environ):
            done = await call(environ, "library", "sync")
            assert done.code == 1
            assert done.err.strip() == "Plex server cellar: is unreachable (ClientConnectorError)"
            assert all(name in done.out for name in ("attic / Movies", "attic / TV Shows", "attic / Music"))
            assert (await call(environ, "library", "sync", "--server", "attic")).code == 0
            wrong = await call(environ, "library", "sync", "--server", "nobody")
            assert (wrong.code, wrong.err) == (1, "There is no Plex server nobody in the configuration.\n")


def _drain(descriptor: int) -> str:
    parts = []
    while True:
        try:
            part = os.read(descriptor, 4096)
        except OSError:  # the other end was closed
            break
        if not part:
            break
        parts.append(part)
    os.close(descriptor)
    return b"".join(parts).decode()
