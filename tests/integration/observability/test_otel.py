from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path

import pytest

from daemon.kernel import logs
from daemon.kernel.export import export_to
from daemon.kernel.trace import is_recording, span, traced
from tests.acceptance.stage import PROJECT, SHIELD, Stage, answered, open_stage
from tests.integration.cli.marquee import answer, call, end, environment, free_port, running
from tests.integration.observability.evening import an_outage
from tests.integration.observability.receiver import receiving

WITHOUT = "import sys; sys.modules['opentelemetry'] = None; from daemon.cli import main; main(['run'])"


async def test_spans_arrive_under_our_trace_ids() -> None:
    logs.add_secret("canary-0123456789")

    async def in_the_background() -> None:
        with span("child"):
            pass
        with traced("") as another, span("other"):
            found.append(another)

    async def fail() -> None:
        with span("outer", server="attic", unit=in_the_background):
            await asyncio.create_task(in_the_background())
            raise ValueError("a secret")

    found: list[str] = []
    async with receiving() as collector:
        stop = await asyncio.to_thread(export_to, collector.url, {"service.version": "1.2.3"})
        with span("of no trace"):
            pass
        with traced("") as trace_id:
            with pytest.raises(ValueError, match="secret"):
                await fail()
            with span("path", path="/x?X-Plex-Token=hush&y=canary-0123456789"):
                pass
        await asyncio.to_thread(stop)
        assert not is_recording()
        assert collector.resources[0]["service.name"] == "marquee"
        assert collector.resources[0]["service.version"] == "1.2.3"
    (outer,), (child,), (other,), (path,) = map(collector.named, ("outer", "child", "other", "path"))
    assert len(collector.spans) == 4
    assert outer.trace_id == child.trace_id == path.trace_id == trace_id
    assert (outer.parent_id, child.parent_id, path.parent_id) == ("", outer.span_id, "")
    assert (other.trace_id, other.parent_id) == (found[0], "")
    assert (outer.is_error, child.is_error) == (True, False)
    assert outer.attributes == {"server": "attic", "unit": in_the_background.__qualname__}
    assert "hush" not in path.attributes["path"]
    assert "canary" not in path.attributes["path"]


async def edits_after_notices(stage: Stage) -> bool:
    """Whether a card was edited for what a Plex server said."""
    assert stage.daemon is not None
    lines = await stage.daemon.logs()
    notices = {line["trace_id"] for line in lines if line["event"] == "plex_notice"}
    return any(line["event"] == "discord_request" and line.get("trace_id") in notices for line in lines)


async def test_a_command_is_one_trace_through_the_whole_daemon() -> None:
    async with receiving() as collector, open_stage(MARQUEE_OTEL__ENDPOINT=collector.url) as stage:
        member = stage.controller()
        title = stage.named_once("movie")[0].title
        await answered(await member.slash("play", title=title, player=SHIELD))
        await stage.wait_for(lambda: any(s.attributes.get("what") == "command play" for s in collector.spans), "spans")
        stage.player(SHIELD).pause(stage.plex.server.settle())  # by hand: the card follows
        await stage.wait_for(lambda: edits_after_notices(stage), "an edit in the trace of a notice")
        await stage.stop()  # what was left is sent
        (root,) = [s for s in collector.named("interaction") if s.attributes["what"] == "command play"]
        mine = [s for s in collector.spans if s.trace_id == root.trace_id]
        wanted = {"interaction", "store.write", "plex.get", "plex.command", "discord.request"}
        assert wanted <= {s.name for s in mine}
        known = {s.span_id for s in mine}
        assert all(s.parent_id in known for s in mine if s.parent_id)
        assert "interaction" in {s.name for s in mine if not s.parent_id}  # the card is looked after in another task
        assert {s.attributes["bot"] for s in mine if s.name == "discord.request"} == {"marquee"}
        assert stage.daemon is not None
        lines = [line for line in await stage.daemon.logs() if line.get("trace_id") == root.trace_id]
        assert "discord_request" in {line["event"] for line in lines}
        assert stage.plex.token not in json.dumps([s.attributes for s in collector.spans])


async def test_what_a_plex_server_causes_is_one_trace_up_to_the_message_in_discord() -> None:
    async with receiving() as collector, open_stage(is_started=False, MARQUEE_OTEL__ENDPOINT=collector.url) as stage:
        channel = stage.lab.world.add_channel(stage.lab.guild, "trouble")
        stage.settings["MARQUEE_MODULES__OPS__CHANNEL"] = str(channel.channel_id)
        await stage.start()
        await an_outage(stage)
        told = stage.guest(channel.channel_id)
        await stage.wait_for(lambda: len(told.sees()) == 2, "two notices")
        assert stage.daemon is not None
        lines = await stage.daemon.logs()
        (lost, back) = [line["trace_id"] for line in lines if line["event"] == "notice_delivered"]
        assert lost != back
        assert {"discord_request", "notice_delivered"} <= {
            line["event"] for line in lines if line.get("trace_id") == lost
        }
        await stage.stop()
        wanted = {"plex.get", "store.write", "queue.message", "event", "discord.request"}
        for trace_id in (lost, back):
            assert wanted <= {seen.name for seen in collector.spans if seen.trace_id == trace_id}
        story = await call(stage.environment(), "trace", lost)
        assert story.code == 0
        for word in ("server_lost", "notice"):
            assert word in story.out, story.out


async def test_a_collector_that_is_away_keeps_nobody_from_stopping(tmp_path: Path) -> None:
    environ = environment(tmp_path, OTEL__ENDPOINT=f"http://127.0.0.1:{free_port()}")
    async with running(environ) as process:
        assert (await answer(environ, "/health/ready"))[0] == 200
        ended = await end(process, signal.SIGTERM)
    assert ended.code == 0
    events = [json.loads(line)["event"] for line in ended.err.splitlines()]
    assert "close_timed_out" not in events
    assert events[-1] == "stopped"


async def test_without_the_extra_it_says_how_to_install_it(tmp_path: Path) -> None:
    environ = environment(tmp_path, OTEL__ENDPOINT="http://127.0.0.1:4318", LOG__FORMAT="console")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WITHOUT, env=environ, cwd=PROJECT,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    ended = await end(process)
    assert ended.code == 78
    assert "pip install 'marquee[otel]'" in ended.err
    assert "Traceback" not in ended.err
