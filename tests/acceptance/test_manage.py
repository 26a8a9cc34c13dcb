"""/manage: owners look after the libraries of their servers from chat."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from simulators.discord.user import Shown
from simulators.plex.items import Item
from tests.acceptance.stage import Member, Stage, answered, open_stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

MOVIES, SHOWS = "l:attic:1", "l:attic:2"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_stage() -> AsyncIterator[Stage]:
    """A daemon that belongs to olivia and to one more."""
    async with open_stage(is_started=False) as stage:
        world, guild = stage.lab.world, stage.lab.guild
        world.join(guild, world.add_person("oscar"), [])
        owners = [stage.lab.user(name).user_id for name in ("olivia", "oscar")]
        stage.settings |= {
            "MARQUEE_OWNERS": ",".join(map(str, owners)),
            "MARQUEE_PLEX__CONNECT_TIMEOUT_S": "0.5",
            "MARQUEE_PLEX__REQUEST_TIMEOUT_S": "2",
        }
        await stage.start()
        await mirrored(stage)
        yield stage


async def mirrored(stage: Stage) -> None:
    """The daemon holds the libraries."""

    async def is_there() -> bool:
        shown = await answered(await stage.guest().slash("library stats"))
        films = len(stage.plex.world.listed(1, "movie"))
        return f"{films} films" in shown.text and "episodes" in shown.text and "tracks" in shown.text

    await stage.wait_for(is_there, "the libraries to be mirrored")


def owner(stage: Stage, name: str) -> Member:
    """An owner, in a channel of their own."""
    world, guild = stage.lab.world, stage.lab.guild
    return Member(stage.lab.user(name), world.add_channel(guild, f"office-{len(guild.channel_ids)}").channel_id)


@pytest.fixture
def olivia(stage: Stage) -> Member:
    return owner(stage, "olivia")


@pytest.fixture
def oscar(stage: Stage) -> Member:
    return owner(stage, "oscar")


async def manage(member: Member, command: str, **options: Any) -> Shown:
    """A private answer of `/manage`."""
    shown = await answered(await member.slash(f"manage {command}", **options))
    assert shown.is_private
    return shown


def film(stage: Stage, title: str, section: int = 1) -> Item:
    return Item(0, "movie", title, section, int(stage.clock.now()), 2026, 5_400_000, ("Drama",))


def sent(stage: Stage, method: str, path: str) -> int:
    """How often the server was asked for that."""
    return sum((seen.method, seen.path) == (method, path) for seen in stage.plex.requests)


async def until_ended(stage: Stage, shown: Shown, wanted: str) -> None:
    """Let time pass until a card says how it ended."""

    async def has_ended() -> bool:
        stage.clock.jump(2)
        return wanted in shown.text

    await stage.wait_for(has_ended, f"the card to say {wanted}", 30)


async def test_a_scan_is_followed_to_its_end(stage: Stage, olivia: Member) -> None:
    choices = await olivia.type_in("manage scan", "library", "mov")
    assert [choice["value"] for choice in choices if choice["name"] == "Movies"] == [MOVIES]
    stage.plex.place(film(stage, "Quince Ledger Almanac"))
    shown = await manage(olivia, "scan", library="Movies")
    assert "Scanning Movies" in shown.text
    stage.clock.jump(4)
    await shown.until(" %")
    await until_ended(stage, shown, "Scanned Movies")
    assert "1 title added" in shown.text
    assert "Quince Ledger Almanac" in shown.text
    assert len(shown.messages) == 1
