"""Plex that refuses, fails, hangs, is away or is somebody else: named to whoever asks, warned of, and got over."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from simulators.plex.sim import PlexSim
from tests.acceptance.stage import LIVING_ROOM, Member, Stage, answered, open_stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

IMPATIENT: dict[str, Any] = {
    "MARQUEE_PLEX__CONNECT_TIMEOUT_S": "0.5",
    "MARQUEE_PLEX__REQUEST_TIMEOUT_S": "1",
    "MARQUEE_PLEX__CHECK_INTERVAL_S": "5",
}
ALL = "^/(?!__sim)"  # every route but the simulator's own
COMMANDS: list[tuple[str, dict[str, Any]]] = [
    ("pause", {}),
    ("resume", {}),
    ("stop", {}),
    ("next", {}),
    ("previous", {}),
    ("seek", {"position": "90"}),
    ("volume", {"level": 10}),
    ("audio", {"track": "English"}),
    ("subtitles", {"track": "off"}),
    ("queue show", {}),
    ("queue remove", {"item": "1"}),
    ("queue clear", {}),
    ("queue shuffle", {}),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_stage() -> AsyncIterator[Stage]:
    """A daemon that soon gives up waiting."""
    async with open_stage(**IMPATIENT) as stage:
        yield stage


async def tells_everybody(stage: Stage, member: Member, sentence: str) -> None:
    """Give every command there is; each must be answered privately with a sentence that names the server."""
    title = f"t:attic:{stage.named_once('movie')[0].key}"
    asked = [
        ("play", {"title": title, "player": LIVING_ROOM}),
        *((command, {"player": LIVING_ROOM, **options}) for command, options in COMMANDS),
        ("queue add", {"title": title}),
        ("players", {}),
        ("now", {}),
    ]
    for number, (command, options) in enumerate(asked):
        shown = await member.slash(command, **options)
        await answered(shown)
        assert shown.is_private
        assert "Plex server attic " in shown.text, (command, shown.text)
        assert number or sentence in shown.text, shown.text
        assert len(shown.messages) == 1
    assert [seen for seen in member.sees() if not seen.is_private] == []


async def ready_status(stage: Stage) -> int:
    assert stage.daemon is not None
    async with aiohttp.ClientSession() as http, http.get(f"{stage.daemon.url}/health/ready") as answer:
        return answer.status


async def is_warned(stage: Stage, check: str = "plex:attic") -> bool:
    assert stage.daemon is not None
    document = await stage.daemon.health()
    return bool(document["status"] == "warn" and document["checks"][check][0]["status"] == "warn")


async def pauses(stage: Stage) -> bool:
    shown = await stage.controller().slash("pause", player=LIVING_ROOM)
    await shown.settled()
    return f"Paused {LIVING_ROOM}." in shown.text


async def works_again(stage: Stage) -> None:
    async def works() -> bool:
        return (await stage.checks())["plex:attic"] == "pass" and await pauses(stage)

    await stage.wait_for(works, "the server to be used again")


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        (401, "rejected the token"),
        (503, "is busy or starting"),
        ("html", "gave an unreadable answer"),
        ("hold", "did not answer in time"),
        ("drop", "is unreachable"),
    ],
)
async def test_a_server_that_fails_is_named_and_got_over(stage: Stage, what: int | str, sentence: str) -> None:
    await works_again(stage)
    alice = stage.controller()
    fault = stage.plex.faults.add(ALL, what)
    await tells_everybody(stage, alice, sentence)
    await stage.wait_for(lambda: is_warned(stage), "the health page to warn")
    assert await ready_status(stage) == 200
    assert fault.hits
    stage.plex.faults.clear()
    await works_again(stage)


async def test_suggestions_go_on_while_the_server_fails(stage: Stage) -> None:
    """Titles come from memory; there is no player to suggest."""
    await works_again(stage)
    alice = stage.controller()
    stage.plex.faults.add(ALL, 503)
    title = stage.named_once("movie")[0].title
    assert title in str(await alice.type_in("play", "title", title))
    assert await alice.type_in("audio", "track", "", player=LIVING_ROOM) == []
    stage.plex.faults.clear()
    await works_again(stage)


async def test_another_server_at_the_same_address_is_left_alone(stage: Stage) -> None:
    await works_again(stage)
    known = stage.plex.server.machine_id
    stage.plex.server.machine_id = "f" * 40
    try:
        await stage.wait_for(lambda: is_warned(stage), "the health page to warn")
        sent = [r for r in stage.plex.requests if r.path.startswith(("/player", "/playQueues"))]
        await tells_everybody(stage, stage.controller(), "is another server than before")
        assert await ready_status(stage) == 200
        assert [r for r in stage.plex.requests if r.path.startswith(("/player", "/playQueues"))] == sent
    finally:
        stage.plex.server.machine_id = known
    await works_again(stage)


async def test_one_of_two_servers_is_down() -> None:
    """From the start on, later by silence, and in the end for good; the other one works at full speed throughout."""
    async with PlexSim(seed=8, life=False, name="Cellar") as cellar:
        url, token = cellar.url, cellar.token
    servers: dict[str, Any] = {"MARQUEE_PLEX__SERVERS__CELLAR__URL": url, "MARQUEE_PLEX__SERVERS__CELLAR__TOKEN": token}
    async with open_stage(is_started=False, **IMPATIENT, **servers) as stage:
        await stage.launch()
        await stage.wait_for(lambda: is_one_up(stage), "the attic to be up")
        assert await is_warned(stage, "plex:cellar")
        assert await ready_status(stage) == 200
        await the_attic_works(stage, "is unreachable")

        port = int(url.rpartition(":")[2])
        async with PlexSim(seed=8, life=False, port=port, name="Cellar", clock=stage.clock) as cellar:
            await stage.wait_for(lambda: is_passed(stage, "plex:cellar"), "the cellar to be found")
            shown = await stage.controller().slash("pause", player=f"p:cellar:{cellar.players[LIVING_ROOM].spec.id}")
            await shown.until(f"Paused {LIVING_ROOM}.")

            hold = cellar.faults.add(ALL, "hold")
            await the_attic_works(stage, None)
            await stage.wait_for(lambda: is_warned(stage, "plex:cellar"), "the health page to warn")
            await the_attic_works(stage, "did not answer in time")
            assert hold.hits
        await stage.wait_for(lambda: is_warned(stage, "plex:cellar"), "the health page to warn")
        await the_attic_works(stage, "Plex server cellar")


async def is_passed(stage: Stage, check: str) -> bool:
    return (await stage.checks()).get(check) == "pass"


async def is_one_up(stage: Stage) -> bool:
    assert stage.daemon is not None
    if not await stage.daemon.find_url():
        return False
    try:
        is_up = await is_passed(stage, "plex:attic") and await is_passed(stage, "discord:marquee")
    except aiohttp.ClientError:
        return False
    return is_up and bool(stage.lab.user("olivia").commands())


async def the_attic_works(stage: Stage, sentence: str | None) -> None:
    """Commands for the attic are carried out; with `sentence` (why the cellar is down) also without being put off."""
    alice = stage.controller()
    title = stage.watch(LIVING_ROOM).title
    player = f"p:attic:{stage.player(LIVING_ROOM).spec.id}"
    for command, expected in (("pause", "Paused"), ("players", f"🟢 **{LIVING_ROOM}**"), ("now", title)):
        shown = await alice.slash(command, **({"player": player} if command == "pause" else {}))
        await shown.until(expected)
        assert sentence is None or [fact.kind for fact in shown.facts] == ["callback:message"], command
        assert command == "pause" or "cellar did not answer" in shown.text
    if sentence:
        shown = await alice.slash("pause", player="p:cellar:x")
        await shown.until(sentence)
        assert shown.is_private
        shown = await alice.slash("pause", player="The toaster")
        await shown.until("I know no player called “The toaster”")
        assert "Plex server cellar " in shown.text
        assert (await stage.suggested(alice, "pause", "player", ""))[0]["value"] == player


async def test_rejected_tokens_at_the_start() -> None:
    """Plex's, and one bot's: the daemon is up, ready, warns, and the bot that may says what is wrong with Plex."""
    wrong: dict[str, Any] = {
        "MARQUEE_PLEX__SERVERS__ATTIC__TOKEN": "wrong-plex-token",
        "MARQUEE_DISCORD__BOTS__SPARE__TOKEN": "wrong-discord-token",
    }
    async with open_stage(is_started=False, **IMPATIENT, **wrong) as stage:
        await stage.launch()

        async def is_told() -> bool:
            assert stage.daemon is not None
            if not await stage.daemon.find_url():
                return False
            try:
                return await is_warned(stage) and await is_warned(stage, "discord:spare") and bool(commands(stage))
            except (aiohttp.ClientError, KeyError):
                return False

        await stage.wait_for(is_told, "both tokens to be rejected")
        assert await ready_status(stage) == 200
        assert stage.daemon is not None
        checks = (await stage.daemon.health())["checks"]
        await stage.wait_for(lambda: is_passed(stage, "discord:marquee"), "the good bot to be connected")
        assert "rejected the token" in checks["plex:attic"][0]["output"]
        await stage.wait_for(lambda: says(stage, "discord:spare", "rejected the token"), "the bad bot to be given up")
        await tells_everybody(stage, stage.controller(), "rejected the token")


def commands(stage: Stage) -> list[dict[str, Any]]:
    return stage.lab.user("olivia").commands()


async def says(stage: Stage, check: str, sentence: str) -> bool:
    assert stage.daemon is not None
    return sentence in str((await stage.daemon.health())["checks"][check][0].get("output"))
