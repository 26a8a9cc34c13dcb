"""Modules that are no good and configuration with mistakes: each is told, and what can run does."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.acceptance.stage import LIVING_ROOM, PROJECT, Stage, open_stage
from tests.integration.host.folders import write_module

pytestmark = pytest.mark.asyncio(loop_scope="module")

CANARY = "canary-token-0123456789"

# ---------------------------------------------------------------- modules


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_stage() -> AsyncIterator[Stage]:
    """A daemon with a configured folder of modules, only one of which is any good."""
    async with open_stage(is_started=False) as stage:
        folder = stage.folder / "modules"
        await asyncio.to_thread(fill, folder)
        stage.settings["MARQUEE_MODULE_FOLDERS"] = str(folder)
        await stage.start()
        yield stage


def fill(folder: Path) -> None:
    write_module(folder, "good")
    write_module(folder, "raises", before='raise RuntimeError("no luck")')
    write_module(folder, "exits", before="raise SystemExit(3)")
    write_module(folder, "typo", files={"manifest.toml": 'id = "typo"\nname = "Typo"\nversoin = "1.0"\napi = 1\n'})
    write_module(folder, "broken", files={"manifest.toml": 'id = "broken\n'})
    write_module(folder, "syntax", files={"__init__.py": "def setup(:\n"})
    write_module(folder, "needy", manifest='needs = ["the-moon"]')
    write_module(folder, "binary", files={"manifest.toml": "\x00\x01\x02"})


@pytest.mark.parametrize(
    ("module", "words"),
    [
        ("raises", "no luck"),
        ("exits", "SystemExit"),
        ("typo", "versoin"),
        ("broken", "manifest.toml"),
        ("syntax", "SyntaxError"),
        ("needy", "the-moon"),
        ("binary", "manifest.toml"),
    ],
)
async def test_a_bad_module_is_reported_and_the_rest_runs(stage: Stage, module: str, words: str) -> None:
    assert stage.daemon is not None
    checks = (await stage.daemon.health())["checks"]
    assert checks[f"module:{module}"][0]["status"] == "warn"
    assert words in checks[f"module:{module}"][0]["output"]
    assert checks["module:good"][0]["status"] == "pass"
    assert checks["module:playback"][0]["status"] == "pass"
    stage.watch(LIVING_ROOM)
    shown = await stage.controller().slash("pause", player=LIVING_ROOM)
    await shown.until(f"Paused {LIVING_ROOM}.")


# ---------------------------------------------------------------- configuration


async def refused(stage: Stage, **variables: str) -> list[str]:
    """`run` with this configuration: it must end with 78 and nothing but sentences, which are returned."""
    environment = stage.environment() | {f"MARQUEE_{name}": value for name, value in variables.items()}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "daemon", "run", cwd=PROJECT, env=environment,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    assert (process.returncode, out) == (78, b"")
    assert b"Traceback" not in err
    assert b"canary" not in err
    return err.decode().splitlines()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[http]\nport = \n", 2),
        ("[plex\n", 1),
        ('data_dir = "a\n', 1),
        ("a = 1\na = 2\n", 2),
        (f'[discord.bots.marquee]\n\ntoken = "{CANARY}" oops\n', 3),
    ],
)
async def test_a_broken_file_is_told_with_its_line(stage: Stage, text: str, line: int) -> None:
    path = stage.folder / "broken.toml"
    await asyncio.to_thread(path.write_text, text, encoding="utf-8")
    told = await refused(stage, CONFIG=str(path))
    assert any(f"broken.toml:{line}: is not valid TOML" in one for one in told), told


async def test_a_file_that_is_no_text_is_told(stage: Stage) -> None:
    path = stage.folder / "binary.toml"
    await asyncio.to_thread(path.write_bytes, b"\xff\xfe\x00canary")
    (told,) = await refused(stage, CONFIG=str(path))
    assert "binary.toml" in told


async def test_every_mistake_is_told_at_once_with_the_nearest_name(stage: Stage) -> None:
    path = stage.folder / "local.toml"
    await asyncio.to_thread(path.write_text, '[log]\nformt = "json"\n[modules.playback]\nvolume_step = 900\n')
    told = await refused(
        stage,
        CONFIG=str(path),
        HTTP__PROT="8420",
        HTTP__PORT="99999",
        DICSORD__GUILDS="1",
        PLEX__SERVERS__ATTIC__TOKEN_FILE=str(stage.folder / "missing"),
        DISCORD__BOTS__SPARE__TOKEN_FILE=str(stage.folder / "absent"),
        DISCORD__GUILDS="here",
        PLEX__ACCOUNT_URL=f"https://{CANARY}.example",
        OWNERS=CANARY,
    )
    for words in (
        "local.toml: log.formt: unknown setting (did you mean log.format?)",
        "modules.playback.volume_step",
        "MARQUEE_HTTP__PROT: unknown setting (did you mean MARQUEE_HTTP__PORT?)",
        "MARQUEE_HTTP__PORT",
        "MARQUEE_DICSORD__GUILDS: unknown setting (did you mean MARQUEE_DISCORD__GUILDS?)",
        "MARQUEE_PLEX__SERVERS__ATTIC__TOKEN_FILE: is given together with MARQUEE_PLEX__SERVERS__ATTIC__TOKEN",
        "MARQUEE_DISCORD__BOTS__SPARE__TOKEN_FILE: the file cannot be read: No such file or directory",
        "MARQUEE_DISCORD__GUILDS",
        "MARQUEE_PLEX__ACCOUNT_URL",
        "MARQUEE_OWNERS",
    ):
        assert any(one.startswith(words) or words in one for one in told), (words, told)
    assert len(told) == 10, told
