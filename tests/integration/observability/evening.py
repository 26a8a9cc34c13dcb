"""What happens on a stage when a Plex server goes, and what the daemon counts of it."""

from __future__ import annotations

import re
from functools import partial

import aiohttp

from tests.acceptance.stage import Stage


async def an_outage(stage: Stage) -> None:
    """The Plex server goes and comes back, which are two events and two notices."""
    before = await published(stage, "server_lost"), await published(stage, "server_back")
    fault = stage.plex.faults.add(".", "drop")
    stage.plex.server.notifications.drop_all()
    await stage.wait_for(partial(is_published, stage, "server_lost", before[0]), "the server to be missed")
    stage.plex.faults.remove(fault)
    await stage.wait_for(partial(is_published, stage, "server_back", before[1]), "the server to be found")


async def is_published(stage: Stage, kind: str, before: float) -> bool:
    return await published(stage, kind) > before


async def published(stage: Stage, kind: str) -> float:
    """How many events of a type there were, as the daemon itself says."""
    found = re.search(rf'^marquee_events_published_total\{{type="{kind}"\}} (\S+)$', await exposed(stage), re.MULTILINE)
    return float(found[1]) if found else 0.0


async def exposed(stage: Stage) -> str:
    assert stage.daemon is not None
    async with aiohttp.ClientSession() as http, http.get(f"{stage.daemon.url}/metrics") as answer:
        return await answer.text()
