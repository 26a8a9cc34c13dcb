"""Who is let in: guilds, access, rate limits, one unit of work; and autocomplete, which writes nothing."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from discord import app_commands
from sqlalchemy import text

from daemon.core.errors import UserError
from daemon.core.ids import GuildId, MemberId
from daemon.kernel.metrics import Metrics
from daemon.services.rate_limits import MemoryBuckets, Rate, RateLimits, Totals
from daemon.services.rate_limits.shared import SharedBuckets
from integrations.discord.replies import reply
from simulators.discord.sim import DiscordSim
from tests.integration.discord.stage import DEMO, MANY, Stage, running, stage_at
from tests.integration.redis.stage import redis_stage


@pytest.mark.parametrize(("name", "may"), [("olivia", True), ("alice", True), ("bob", False), ("mallory", False)])
async def test_controllers_are_managers_owners_and_the_named_roles(stage: Stage, name: str, may: bool) -> None:
    controllers = next(r for r in stage.lab.guild.roles.values() if r.name == "Controllers")
    stage.fleet.surface.set_controller_roles(DEMO, [controllers.role_id])
    for command in ("control", "queue clear"):
        shown = await stage.lab.user(name).slash(command)
        assert (shown.text in ("controlled", "cleared")) is may
        assert shown.is_private is not may


@pytest.mark.parametrize(("name", "may"), [("olivia", True), ("alice", False)])
async def test_owners_are_the_configured_members(stage: Stage, name: str, may: bool) -> None:
    shown = await stage.lab.user(name).slash("own")
    assert (shown.text == "owned") is may


async def test_at_most_one_unit_of_work_and_none_for_a_refused_or_a_trivial_command(stage: Stage) -> None:
    before = stage.units()
    await stage.lab.user("alice").slash("say")  # nobody knows her yet
    assert stage.units() == before + 1
    await stage.lab.user("alice").slash("say")
    await stage.lab.user("bob").slash("control")
    assert stage.units() == before + 1
    await stage.lab.user("olivia").slash("control")
    await stage.lab.user("olivia").slash("control")
    assert stage.units() == before + 3


async def test_an_audited_command_is_in_the_audit_log(stage: Stage) -> None:
    shown = await stage.lab.user("olivia").slash("control")
    assert shown.interaction is not None
    rows = await stage.store.read(lambda tx: tx.execute(text("SELECT action, trace_id FROM audit_log")).all())
    assert [row[0] for row in rows] == ["command control"]
    assert re.fullmatch(r"[0-9a-f]{32}", rows[0][1])


async def test_who_is_too_fast_is_told_when(stage: Stage) -> None:
    alice = stage.lab.user("alice")
    assert (await alice.slash("seldom")).text == "seldom"
    refused = await alice.slash("seldom")
    assert refused.is_private
    found = re.search(r"<t:(\d+):R>", refused.message["content"])
    assert found is not None
    assert 90 < int(found[1]) - stage.lab.clock.now() < 110
    assert (await stage.lab.user("bob").slash("seldom")).text == "seldom"


async def test_other_guilds_are_refused_privately(lab: DiscordSim, tmp_path: Path) -> None:
    other = lab.world.add_guild("Elsewhere", lab.world.person("mallory"))
    lab.world.add_channel(other, "lobby")
    app = next(iter(lab.world.apps.values()))
    lab.world.join(other, app.person)
    mallory = lab.user("mallory", other)
    async with running(lab, tmp_path, guilds=frozenset({lab.guild.guild_id})) as stage:
        assert (await lab.user("alice").slash("say")).text == "said"
        before = stage.units()
        refused = await mallory.slash("say", channel="lobby")
        assert refused.is_private
        assert "does not serve this server" in refused.text
        stage.script.suggest = some
        assert await mallory.type_in("find", "title", "x", channel="lobby") == []
        shown = await lab.user("alice").slash("show")
        genuine = shown.message["components"][0]["components"][1]["components"][0]["custom_id"]
        stray = lab.world.channel("lobby", other)
        await stage.fleet.messages.post(stage.app_id, stray.channel_id, nonce="n", view=stage.panel.panel())  # type: ignore[arg-type]
        pressed = await mallory.press_forged(mallory.sees("lobby")[-1].message_id, genuine)
        assert "does not serve this server" in pressed.text
        assert stage.units() == before
        assert stage.status("marquee") == "pass"


async def test_several_guilds_without_a_list_are_a_warning(lab: DiscordSim, tmp_path: Path) -> None:
    other = lab.world.add_guild("Elsewhere", lab.world.person("mallory"))
    app = next(iter(lab.world.apps.values()))
    lab.world.join(other, app.person)
    async with running(lab, tmp_path, guilds=frozenset()) as stage:
        await stage.until(lambda: stage.status("marquee") == "pass")
    async with stage_at(lab, tmp_path) as stage:
        await stage.fleet.start()
        await stage.until(lambda: "MARQUEE_DISCORD__GUILDS" in stage.output())
        assert stage.status("marquee") == "warn"


async def some(typed: str) -> list[app_commands.Choice[str]]:
    return [app_commands.Choice(name=f"{typed} {n}", value=str(n)) for n in range(3)]


async def test_autocomplete_gives_choices_and_writes_nothing(stage: Stage) -> None:
    stage.script.suggest = some
    before = stage.units()
    choices = await stage.lab.user("alice").type_in("find", "title", "so")
    assert [choice["name"] for choice in choices] == ["so 0", "so 1", "so 2"]
    assert stage.units() == before


async def test_choices_are_made_to_fit(stage: Stage) -> None:
    async def many(typed: str) -> list[app_commands.Choice[str]]:
        unusable = [app_commands.Choice(name="x", value="v" * 101), app_commands.Choice(name=" ", value="v")]
        return unusable + [app_commands.Choice(name="n" * 300, value=str(n)) for n in range(60)]

    stage.script.suggest = many
    choices = await stage.lab.user("alice").type_in("find", "title", "so")
    assert len(choices) == 25
    assert {len(choice["name"]) for choice in choices} == {100}


@pytest.mark.parametrize("error", [UserError("no", "no"), KeyError("x"), TimeoutError()])
async def test_autocomplete_that_fails_offers_nothing(stage: Stage, error: Exception) -> None:
    async def fail(typed: str) -> list[app_commands.Choice[str]]:
        raise error

    stage.script.suggest = fail
    assert await stage.lab.user("alice").type_in("find", "title", "so") == []


async def test_what_is_typed_without_a_choice_is_taken_as_it_is(stage: Stage) -> None:
    for typed in ("a\nb" + "x" * 2000, "\u202eevil", "שלום", "🎬" * 40):
        shown = await stage.lab.user("alice").slash("find", title=typed)
        assert shown.text.startswith("found ")


async def test_while_stopping_everything_new_is_refused_and_the_old_finishes(hasty: Stage) -> None:
    released = asyncio.Event()

    async def late(interaction: object) -> None:
        await released.wait()
        await reply(interaction, "finished")  # type: ignore[arg-type]

    hasty.script.act = late
    alice = hasty.lab.user("alice")
    shown = await alice.slash("say")
    stopping = hasty.supervisor.spawn("stop", hasty.fleet.stop_intake())
    await hasty.until(lambda: not hasty.fleet._pipeline._is_open)
    assert "restarting" in (await alice.slash("whisper")).text
    assert not stopping.done()
    released.set()
    await stopping
    assert shown.text == "finished"


async def test_typing_into_a_command_we_no_longer_have_offers_nothing(stage: Stage) -> None:
    await stage.fleet.surface.remove_owner(DEMO)
    assert await stage.lab.user("alice").type_in("find", "title", "so") == []


async def test_a_guild_that_is_too_fast_as_a_whole_is_told_when(lab: DiscordSim, tmp_path: Path) -> None:
    metrics = Metrics()
    limits = RateLimits(MemoryBuckets(), None, totals=Totals(Rate(100, 1.0), Rate(2, 0.01)), metrics=metrics)
    async with running(lab, tmp_path, rate_limits=limits):
        assert (await lab.user("alice").slash("say")).text == "said"
        assert (await lab.user("bob").slash("say")).text == "said"
        refused = await lab.user("olivia").slash("say")
        assert refused.is_private
        assert re.search(r"<t:\d+:R>", refused.message["content"])
        assert metrics.registry.get_sample_value("marquee_rate_limited_total", {"scope": "guild"}) == 1


async def test_with_redis_two_processes_count_together(lab: DiscordSim, tmp_path: Path, redis_url: str) -> None:
    async with redis_stage(redis_url) as redis:
        shared = SharedBuckets(redis.redis, MemoryBuckets())
        limits = RateLimits(MemoryBuckets(), shared, totals=MANY, metrics=Metrics())
        async with running(lab, tmp_path, rate_limits=limits) as stage:
            member = lab.user("alice")
            taken = limits.for_command(MemberId(member.user_id), GuildId(lab.guild.guild_id), "seldom", Rate(1, 0.01))
            assert await limits.take_shared(taken) is None  # elsewhere
            assert "bit fast" in (await member.slash("seldom")).text
            assert (await lab.user("bob").slash("seldom")).text == "seldom"
            assert stage.units() > 0
