"""/pause, /resume, /stop, /next, /previous, /seek, /volume, /audio, /subtitles."""

from __future__ import annotations

from typing import Any

import pytest

from tests.acceptance.stage import LIVING_ROOM, ROKU, SHIELD, TABLET, Stage, answered

pytestmark = pytest.mark.asyncio(loop_scope="module")

REFUSED = "Only members with Manage Server or a controller role may do that."
EVERY_CONTROL: list[tuple[str, dict[str, Any]]] = [
    ("pause", {}),
    ("resume", {}),
    ("stop", {}),
    ("next", {}),
    ("previous", {}),
    ("seek", {"position": "90"}),
    ("volume", {"level": 10}),
    ("audio", {"track": "English"}),
    ("subtitles", {"track": "off"}),
]


def commands_sent(stage: Stage) -> list[str]:
    return [r.path.rsplit("/", 1)[-1] for r in stage.plex.requests if r.path.startswith("/player/playback/")]


@pytest.mark.parametrize("player", [LIVING_ROOM, SHIELD])
async def test_pause_resume_and_stop(stage: Stage, player: str) -> None:
    alice = stage.controller()
    stage.watch(player)
    for command, state, sentence in (
        ("pause", "paused", f"Paused {player}."),
        ("resume", "playing", f"Resumed {player}."),
        ("stop", "stopped", f"Stopped {player}."),
    ):
        shown = await alice.slash(command, player=player)
        await answered(shown)
        assert sentence in shown.text
        assert shown.is_private
        assert stage.player(player).state == state


async def test_next_and_previous(stage: Stage) -> None:
    alice = stage.controller()
    first = stage.watch(LIVING_ROOM, kind="episode")
    shown = await alice.slash("next", player=LIVING_ROOM)
    await shown.until(f"{LIVING_ROOM} goes on to the next title.")
    second = stage.player(LIVING_ROOM).item
    assert second is not None
    assert second is not first
    shown = await alice.slash("previous", player=LIVING_ROOM)
    await shown.until(f"{LIVING_ROOM} goes back to the previous title.")
    assert stage.player(LIVING_ROOM).item is first


@pytest.mark.parametrize(
    ("position", "seconds", "sentence"),
    [
        ("1:02:03", 3723, "is at 1:02:03 of "),
        ("90", 90, "is at 1:30 of "),
        ("+30", 630, "is at 10:3"),
        ("-30", 570, "is at 9:3"),
        ("-9999", 0, "is back at the beginning; there is nothing before it."),
        (" 10:00 ", 600, "is at 10:00 of "),
    ],
)
async def test_seek(stage: Stage, position: str, seconds: int, sentence: str) -> None:
    stage.watch(LIVING_ROOM)
    shown = await stage.controller().slash("seek", position=position, player=LIVING_ROOM)
    await shown.until(sentence)
    assert abs(stage.player(LIVING_ROOM).position_ms(stage.clock.now()) / 1000 - seconds) < 10


async def test_seek_to_a_part(stage: Stage) -> None:
    movie = stage.watch(LIVING_ROOM)
    shown = await stage.controller().slash("seek", position="50%", player=LIVING_ROOM)
    await shown.until("is at ")
    part = stage.player(LIVING_ROOM).position_ms(stage.clock.now()) / (movie.duration_ms or 1)
    assert 0.49 < part < 0.52


@pytest.mark.parametrize(
    ("position", "sentence"),
    [
        ("99:00:00", "long; choose a position before that"),
        ("999999", "long; choose a position before that"),
        ("tomorrow", "I cannot read “tomorrow” as a position"),
        ("101%", "I cannot read “101%”"),
        ("-", "I cannot read “-”"),
        ("\u202e\u0000", "I cannot read “”"),
        ("٣٠", "I cannot read"),
        ("9" * 5_000, "I cannot read “999"),
    ],
)
async def test_a_position_that_makes_no_sense_is_told(stage: Stage, position: str, sentence: str) -> None:
    stage.watch(LIVING_ROOM)
    sent = len(commands_sent(stage))
    shown = await stage.controller().slash("seek", position=position, player=LIVING_ROOM)
    await answered(shown)
    assert sentence in shown.text
    assert shown.is_private
    assert len(commands_sent(stage)) == sent


async def test_seek_where_nothing_plays(stage: Stage) -> None:
    shown = await stage.controller().slash("seek", position="90", player=ROKU)
    await shown.until(f"Nothing plays on {ROKU}, so there is nothing to seek in.")


async def test_volume(stage: Stage) -> None:
    stage.watch(LIVING_ROOM)
    shown = await stage.controller().slash("volume", level=35, player=LIVING_ROOM)
    await shown.until(f"The volume of {LIVING_ROOM} is 35 %.")
    assert stage.player(LIVING_ROOM).volume == 35


async def test_audio_and_subtitles_by_typing(stage: Stage) -> None:
    alice = stage.controller()
    stage.watch(LIVING_ROOM)
    for command in ("audio", "subtitles"):
        choices = await alice.type_in(command, "track", "", player=LIVING_ROOM)
        assert choices
        wanted = choices[-1]
        shown = await alice.slash(command, track=wanted, player=LIVING_ROOM)
        await shown.until(wanted["name"])
        assert commands_sent(stage)[-1] == "setStreams"
    assert choices[0]["name"] == "Off"
    shown = await alice.slash("subtitles", track="off", player=LIVING_ROOM)
    await shown.until(f"The subtitles of {LIVING_ROOM} are off.")


async def test_an_unknown_track_is_told(stage: Stage) -> None:
    stage.watch(LIVING_ROOM)
    shown = await stage.controller().slash("audio", track="Klingon", player=LIVING_ROOM)
    await shown.until("There is no audio track “Klingon”; there are: ")
    assert shown.is_private


@pytest.mark.parametrize(("command", "options"), EVERY_CONTROL)
async def test_a_member_without_rights_is_refused_privately(
    stage: Stage, command: str, options: dict[str, Any]
) -> None:
    stage.watch(LIVING_ROOM)
    sent = len(commands_sent(stage))
    shown = await stage.guest().slash(command, player=LIVING_ROOM, **options)
    await answered(shown)
    assert REFUSED in shown.text
    assert shown.is_private
    assert len(commands_sent(stage)) == sent


@pytest.mark.parametrize(("command", "options"), EVERY_CONTROL)
async def test_every_command_is_sent_to_the_player(stage: Stage, command: str, options: dict[str, Any]) -> None:
    stage.watch(LIVING_ROOM)
    sent = len(commands_sent(stage))
    shown = await stage.controller().slash(command, player=LIVING_ROOM, **options)
    await answered(shown)
    assert "Something went wrong" not in shown.text
    assert len(commands_sent(stage)) == sent + 1, shown.text


@pytest.mark.parametrize(("command", "options"), EVERY_CONTROL)
async def test_a_player_that_vanished_is_told(stage: Stage, command: str, options: dict[str, Any]) -> None:
    stage.player(TABLET).is_online = False
    shown = await stage.controller().slash(command, player=TABLET, **options)
    await answered(shown)
    assert shown.is_private
    assert TABLET in shown.text
    assert "Something went wrong" not in shown.text


@pytest.mark.parametrize(("command", "options"), EVERY_CONTROL)
async def test_an_unknown_player_is_told(stage: Stage, command: str, options: dict[str, Any]) -> None:
    shown = await stage.controller().slash(command, player="the toaster", **options)
    await shown.until("I know no player called “the toaster”")
    assert shown.is_private


async def test_a_player_that_takes_no_commands_says_why(stage: Stage) -> None:
    stage.watch("Plex Web (Chrome)")
    shown = await stage.controller().slash("pause", player="Plex Web (Chrome)")
    await shown.until("Plex Web (Chrome) cannot be controlled: ")
    assert shown.is_private


async def test_a_lost_role_counts_at_once(stage: Stage) -> None:
    alice = stage.controller()
    stage.watch(LIVING_ROOM)
    shown = await alice.slash("pause", player=LIVING_ROOM)
    await shown.until("Paused")
    stage.lab.world.set_roles(stage.lab.guild, alice.user.person, [])
    shown = await alice.slash("resume", player=LIVING_ROOM)
    await shown.until(REFUSED)
    assert stage.player(LIVING_ROOM).state == "paused"
