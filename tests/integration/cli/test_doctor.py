from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from simulators.discord.sim import DiscordSim
from simulators.plex.sim import PlexSim
from tests.integration.cli.marquee import call, environment, free_port, running

CANARY = "canary-token-0123456789"


@dataclass(frozen=True, slots=True)
class World:
    """Both simulators, and the environment of a daemon that uses them."""

    lab: DiscordSim
    plex: PlexSim
    environ: dict[str, str]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with DiscordSim() as lab, PlexSim(life=False) as plex:
        environ = environment(
            tmp_path / "data",
            OWNERS="11,22",
            PLEX__SERVERS__ATTIC__URL=plex.url,
            PLEX__SERVERS__ATTIC__TOKEN=plex.token,
            PLEX__ACCOUNT_URL=plex.account_url,
            DISCORD__BOTS__MARQUEE__TOKEN=lab.tokens["marquee"],
            DISCORD__CONNECT=lab.connect,
            DISCORD__CA_FILE=str(lab.ca_file),
        )
        yield World(lab, plex, environ)


async def test_the_doctor_finds_everything_fine(world: World) -> None:
    ended = await call(world.environ, "check")
    assert (ended.code, ended.err) == (0, "")
    for words in (
        "Plex server attic",
        "Marquee House",
        "logs in as Marquee",
        "is free",
        "https://discord.com/oauth2/authorize?client_id=",
        "scope=bot+applications.commands",
        "token set, hidden",
        "11, 22",
    ):
        assert words in ended.out
    assert "WRONG" not in ended.out
    assert world.plex.token not in ended.out
    assert world.lab.tokens["marquee"] not in ended.out


async def test_the_doctor_speaks_json_and_leaves_a_running_daemon_alone(world: World) -> None:
    async with running(world.environ):
        ended = await call(world.environ, "check", "--json")
    assert ended.code == 0
    document = json.loads(ended.out)
    assert document["status"] == "ok"
    assert document["settings"]["owners"] == "11, 22"
    texts = {check["subject"]: check["text"] for check in document["checks"]}
    assert texts["HTTP address"] == "a running Marquee has it"
    assert texts["Database"].startswith("revision")
    invites = [check["invite"] for check in document["checks"] if "invite" in check]
    assert len(invites) == 1
    assert list(world.lab.problems) == []


async def test_what_is_wrong_comes_with_how_to_mend_it(world: World) -> None:
    environ = world.environ | {
        "MARQUEE_PLEX__SERVERS__ATTIC__TOKEN": CANARY,
        "MARQUEE_PLEX__SERVERS__CELLAR__URL": f"http://127.0.0.1:{free_port()}",
        "MARQUEE_PLEX__SERVERS__CELLAR__TOKEN": CANARY,
        "MARQUEE_DISCORD__BOTS__MARQUEE__TOKEN": f"{CANARY}.not.known",
    }
    ended = await call(environ, "check", "--json")
    assert ended.code == 1
    document = json.loads(ended.out)
    assert document["status"] == "unreachable"
    wrong = {check["subject"]: check for check in document["checks"] if not check["ok"]}
    assert wrong.keys() == {"Plex server attic", "Plex server cellar", "Discord bot marquee"}
    assert all(check["mend"] for check in wrong.values())
    assert "rejected the token" in wrong["Plex server attic"]["text"]
    assert "unreachable" in wrong["Plex server cellar"]["text"]
    assert "rejected the token" in wrong["Discord bot marquee"]["text"]
    assert "MARQUEE_DISCORD__BOTS__MARQUEE__TOKEN" in wrong["Discord bot marquee"]["mend"]
    for_people = await call(environ, "check")
    assert for_people.code == 1
    assert "What to do" in for_people.out
    for text in (ended.out, ended.err, for_people.out, for_people.err):
        assert "canary" not in text


async def test_redis_is_tried_and_its_password_stays_hidden(world: World, redis_url: str) -> None:
    ended = await call(world.environ | {"MARQUEE_REDIS__URL": redis_url}, "check", "--json")
    found = {check["subject"]: check for check in json.loads(ended.out)["checks"]}
    assert found["Redis"]["ok"]
    assert found["Redis"]["text"].startswith("version ")
    away = f"redis://:{CANARY}@127.0.0.1:{free_port()}/0"
    ended = await call(world.environ | {"MARQUEE_REDIS__URL": away}, "check", "--json")
    found = {check["subject"]: check for check in json.loads(ended.out)["checks"]}
    assert not found["Redis"]["ok"]
    assert "is unreachable" in found["Redis"]["text"]
    assert ended.code == 1
    assert CANARY not in ended.out + ended.err
    ended = await call(world.environ | {"MARQUEE_REDIS__URL": "127.0.0.1:6379"}, "check")
    assert ended.code == 78
    assert "redis://" in ended.err


async def test_nothing_configured_is_told_as_such(tmp_path: Path) -> None:
    ended = await call(environment(tmp_path), "check")
    assert ended.code == 1
    assert ended.out.count("none is configured") == 2
    assert "discord.com/developers" in ended.out


async def test_bad_configuration_is_78_for_people_and_machines(tmp_path: Path) -> None:
    environ = environment(tmp_path, HTTP__PORT=CANARY, OWNERS="x")
    ended = await call(environ, "check")
    assert (ended.code, ended.out, len(ended.err.splitlines())) == (78, "", 2)
    ended = await call(environ, "check", "--json")
    assert ended.code == 78
    assert len(json.loads(ended.out)["mistakes"]) == 2
    assert "canary" not in ended.out


async def test_commands_go_from_plan_to_apply_to_in_step(world: World) -> None:
    planned = await call(world.environ, "commands", "plan")
    assert (planned.code, planned.err) == (0, "")
    assert "+ play" in planned.out
    assert (await call(world.environ, "commands", "status")).code == 1
    applied = await call(world.environ, "commands", "apply")
    assert (applied.code, applied.err) == (0, "")
    assert "changed" in applied.out
    status = await call(world.environ, "commands", "status")
    assert (status.code, status.out) == (0, "marquee: in step\n")
    async with running(world.environ):
        assert "in step" in (await call(world.environ, "commands", "plan")).out
    assert list(world.lab.problems) == []


@pytest.fixture
def broken_modules(tmp_path: Path) -> Path:
    """A folder with one module, which cannot be imported."""
    broken = tmp_path / "modules" / "broken"
    broken.mkdir(parents=True)
    manifest = 'id = "broken"\nname = "Broken"\nversion = "1.0"\napi = 1\ncommands = ["broken"]\n'
    (broken / "manifest.toml").write_text(manifest)
    (broken / "__init__.py").write_text("raise RuntimeError('not today')\n")
    return broken.parent


async def test_commands_of_a_module_that_failed_are_kept_and_the_failure_is_told(
    world: World, broken_modules: Path
) -> None:
    environ = world.environ | {"MARQUEE_MODULE_FOLDERS": str(broken_modules)}
    for command in ("apply", "plan", "status"):
        ended = await call(environ, "commands", command)
        assert ended.code == 1
        assert ended.err.splitlines()[-1].startswith("module broken ")
    assert "marquee: in step" in ended.out


async def test_commands_of_a_bot_nobody_knows(world: World) -> None:
    environ = world.environ | {"MARQUEE_DISCORD__BOTS__MARQUEE__TOKEN": f"{CANARY}.not.known"}
    ended = await call(environ, "commands", "plan")
    assert ended.code == 1
    assert ended.err == "Discord bot marquee: rejected the token\n"


async def test_commands_need_a_bot(tmp_path: Path) -> None:
    ended = await call(environment(tmp_path), "commands", "status")
    assert ended.code == 1
    assert "no bot is configured" in ended.err
