"""The disk is gone, the backup is not: what was posted before works again with what was restored."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from tests.acceptance.stage import LIVING_ROOM, Stage, open_stage
from tests.integration.cli.marquee import Ended, end, start

pytestmark = pytest.mark.asyncio(loop_scope="module")

PASSPHRASE = "correct horse battery"


async def marquee(stage: Stage, *arguments: str) -> Ended:
    """A command beside the daemon, with the same settings."""
    return await end(await start(stage.environment(), *arguments))


async def wipe(stage: Stage) -> None:
    """All that the daemon keeps is gone."""
    await asyncio.to_thread(shutil.rmtree, stage.folder / "data")


async def test_a_card_goes_on_after_everything_was_lost_and_restored() -> None:
    async with open_stage(MARQUEE_BACKUP__PASSPHRASE=PASSPHRASE) as stage:
        alice = stage.controller()
        film = f"t:attic:{stage.named_once('movie')[0].key}"
        card = await alice.slash("play", title=film, player=LIVING_ROOM, **{"from": "start"})
        await card.until("▶ Playing", 20)

        made = await marquee(stage, "backup", "--to", str(stage.folder / "elsewhere"))
        assert (made.code, made.err) == (0, ""), made
        archive = Path(made.out.splitlines()[0])
        assert "read back and found whole" in made.out
        refused = await marquee(stage, "restore", str(archive), "--force")
        assert refused.code == 1
        assert "is in use by the process with id" in refused.err

        await stage.stop()
        await wipe(stage)
        await stage.start()
        stranger = await card.click("Pause")
        assert "out of date" in stranger.text, "its key is another one: only the backup knows the old"

        await stage.stop()
        refused = await marquee(stage, "restore", str(archive))
        assert refused.err.splitlines()[-1] == "Nothing was restored."
        assert "--force" in refused.err
        done = await marquee(stage, "restore", str(archive), "--force")
        assert (done.code, done.err) == (0, ""), done
        checked = await marquee(stage, "db", "check")
        assert (checked.code, checked.err) == (0, ""), checked.out
        stage.clock.jump(600)
        await stage.start()
        await card.until(" 10:", 20)
        await card.click("Pause")
        await card.until("⏸ Paused", 20)
        public = [seen for seen in alice.sees() if not seen.is_private]
        assert [seen.message_id for seen in public] == [card.message_id]
        for line in (made, done, checked):
            assert PASSPHRASE not in line.out + line.err
