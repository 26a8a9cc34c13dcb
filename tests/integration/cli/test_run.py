from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path

import pytest

from simulators.discord.sim import DiscordSim
from tests.integration.cli.marquee import answer, call, end, environment, free_port, running, start

CANARY = "canary-token-0123456789"

SLOW_MODULE = {
    "manifest.toml": 'id = "slow"\nname = "Slow"\nversion = "1.0"\napi = 1\n',
    "__init__.py": """
import asyncio
from contextlib import asynccontextmanager

@asynccontextmanager
async def setup(ctx):
    yield
    ctx_log = __import__("structlog").get_logger()
    ctx_log.info("slow_module_stops")
    await asyncio.sleep(60)
""",
}


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A file that is not TOML."""
    path = tmp_path / "broken.toml"
    path.write_text("[http\n")
    return path


@pytest.fixture
def module_folder(tmp_path: Path) -> Path:
    """A folder with one module, which takes a minute to stop."""
    folder = tmp_path / "modules" / "slow"
    folder.mkdir(parents=True)
    for name, text in SLOW_MODULE.items():
        (folder / name).write_text(text)
    return folder.parent


async def test_every_mistake_is_one_line_and_78(tmp_path: Path, broken: Path) -> None:
    ended = await call(
        environment(
            tmp_path,
            CONFIG=str(broken),
            HTTP__PORT=CANARY,
            PLEX__SERVERS__ATTIC__TOKEN=CANARY,
            DISCORD__BOTS__A__TOKN=CANARY,
            MODULES__PLAYBACK__VOLUME_STEPP="1",
            MODULES__PLAYBACK__VOLUME_STEP=CANARY,
            MODULES__PLAYBAK__X="1",
            MODULE_FOLDERS="/nowhere/at/all",
        ),
        "run",
    )
    assert ended.code == 78
    lines = ended.err.splitlines()
    assert len(lines) == 8
    for words in (
        "broken.toml:1: is not valid TOML",
        "MARQUEE_HTTP__PORT: must be a valid integer",
        "plex.servers.attic.url: is missing; set MARQUEE_PLEX__SERVERS__ATTIC__URL",
        "did you mean MARQUEE_DISCORD__BOTS__A__TOKEN?",
        'modules.playback.volume_stepp: unknown setting (did you mean "volume_step"?)',
        "modules.playback.volume_step: ",
        'there is no module "playbak" (did you mean "playback"?)',
        "module_folders: /nowhere/at/all is not a folder",
    ):
        assert words in ended.err
    assert "Traceback" not in ended.err
    assert "canary" not in ended.err
    assert ended.out == ""


async def test_it_is_ready_without_plex_and_discord_and_ends_with_0(tmp_path: Path) -> None:
    environ = environment(tmp_path / "data")
    assert (await call(environ, "healthcheck")).code == 1
    async with running(environ) as process:
        ended = await call(environ, "healthcheck")
        assert (ended.code, json.loads(ended.out)["status"]) == (0, "pass")
        assert json.loads((await answer(environ, "/health"))[1])["checks"]["database"][0]["status"] == "pass"
        ended = await end(process, signal.SIGTERM)
    assert ended.code == 0
    events = [json.loads(line) for line in ended.err.splitlines()]
    assert all({"timestamp", "level", "event"} <= line.keys() for line in events)
    assert events[-1]["event"] == "stopped"
    assert await asyncio.to_thread((tmp_path / "data" / "marquee.db").is_file)


async def test_one_daemon_at_a_time_on_a_data_folder(tmp_path: Path) -> None:
    environ = environment(tmp_path)
    async with running(environ) as process:
        second = await call(environ | {"MARQUEE_HTTP__PORT": str(free_port())}, "run")
        assert second.code == 78
        (line,) = second.err.splitlines()
        assert f"is in use by the process with id {process.pid}" in line
        assert (await call(environ, "db", "upgrade")).code == 1
        assert (await end(process, signal.SIGINT)).code == 0


async def test_a_taken_port_is_one_line(tmp_path: Path) -> None:
    environ = environment(tmp_path / "one")
    async with running(environ):
        second = await call(environ | {"MARQUEE_DATA_DIR": str(tmp_path / "two"), "MARQUEE_LOG__LEVEL": "error"}, "run")
        assert second.code == 78
        (line,) = second.err.splitlines()
        assert f"127.0.0.1:{environ['MARQUEE_HTTP__PORT']} is already in use" in line
        assert "MARQUEE_HTTP__PORT" in line
        assert json.loads(line)["event"] == "cannot_start"  # whoever reads JSON reads the end, too


async def test_a_data_folder_that_cannot_be_used_is_one_line(broken: Path) -> None:
    ended = await call(environment(broken / "data"), "run")
    assert (ended.code, len(ended.err.splitlines())) == (78, 1)
    assert "MARQUEE_DATA_DIR" in ended.err


async def test_a_database_that_does_not_answer_is_69(tmp_path: Path) -> None:
    url = f"postgresql://marquee:{CANARY}@127.0.0.1:{free_port()}/marquee"
    ended = await call(environment(tmp_path, DATABASE__URL=url, LOG__LEVEL="error"), "run")
    assert (ended.code, len(ended.err.splitlines())) == (69, 1)
    assert "canary" not in ended.err
    assert (await call(environment(tmp_path, DATABASE__URL=url), "db", "current")).code == 69


async def test_a_rejected_token_and_a_dead_server_warn_and_nothing_more(tmp_path: Path) -> None:
    async with DiscordSim() as lab:
        environ = environment(
            tmp_path,
            PLEX__SERVERS__ATTIC__URL=f"http://127.0.0.1:{free_port()}",
            PLEX__SERVERS__ATTIC__TOKEN=CANARY,
            DISCORD__BOTS__MARQUEE__TOKEN=f"{CANARY}.not.known",
            DISCORD__CONNECT=lab.connect,
            DISCORD__CA_FILE=str(lab.ca_file),
            LOG__LEVEL="debug",
        )
        async with running(environ) as process:
            async with asyncio.timeout(30):
                while "rejected the token" not in (text := (await answer(environ, "/health"))[1]):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            status, ready = await answer(environ, "/health/ready")
            assert status == 200
            warnings = json.loads(ready)["warnings"]
            assert any("plex:attic" in line for line in warnings)
            assert any("discord:marquee" in line for line in warnings)
            assert json.loads(text)["status"] == "warn"
            page = (await answer(environ, "/"))[1]
            ended = await end(process, signal.SIGTERM)
    assert ended.code == 0
    for place in (ended.err, ended.out, text, ready, page):
        assert "canary" not in place


async def test_a_second_signal_ends_it_at_once(tmp_path: Path, module_folder: Path) -> None:
    environ = environment(tmp_path / "data", MODULE_FOLDERS=str(module_folder))
    async with running(environ) as process:
        assert process.stderr is not None
        process.send_signal(signal.SIGTERM)
        async for line in process.stderr:
            if b"slow_module_stops" in line:
                break
        assert (await answer(environ, "/health/ready"))[0] == 503
        ended = await end(process, signal.SIGTERM)
    assert ended.code == 128 + signal.SIGTERM


async def test_a_part_that_hangs_does_not_keep_it_from_ending(tmp_path: Path, module_folder: Path) -> None:
    """The ordinary end takes its ten seconds and no more, and is still an ordinary end."""
    environ = environment(tmp_path / "data", MODULE_FOLDERS=str(module_folder))
    async with running(environ) as process:
        ended = await end(process, signal.SIGTERM)
    assert ended.code == 0
    assert "slow_module_stops" in ended.err


async def test_the_daemon_leaves_alone_what_it_does_not_need(tmp_path: Path) -> None:
    """At head on SQLite and without Plex, none of the heavy libraries is loaded."""
    environ = environment(tmp_path)
    async with running(environ) as process:
        maps = await asyncio.to_thread(Path(f"/proc/{process.pid}/maps").read_text)
        for library in ("psycopg", "/PIL/", "playwright", "_rust.abi3"):
            assert library not in maps, library
        await end(process, signal.SIGTERM)


@pytest.mark.parametrize("arguments", [("--help",), ("run", "--help"), ("check", "--help"), ("demo", "--help")])
async def test_help_is_there(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    ended = await call(environment(tmp_path), *arguments)
    assert (ended.code, ended.err) == (0, "")
    assert "Usage" in ended.out or "usage" in ended.out


async def test_an_unknown_command_is_an_error(tmp_path: Path) -> None:
    process = await start(environment(tmp_path), "dance")
    assert (await end(process)).code == 2


async def test_a_part_of_the_work_needs_servers_to_share(tmp_path: Path) -> None:
    ended = await call(environment(tmp_path), "run", "--role", "worker")
    assert ended.code == 78
    assert len(ended.err.splitlines()) == 2
    assert "PostgreSQL" in ended.err
    assert "redis.url" in ended.err
    assert (await call(environment(tmp_path), "run", "--role", "waiter")).code == 2
