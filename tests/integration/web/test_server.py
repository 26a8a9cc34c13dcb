from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import aiohttp
import pytest
import structlog

from daemon.kernel.clock import SystemClock
from daemon.kernel.health import Check, Health, Status
from daemon.kernel.metrics import Metrics
from daemon.kernel.tasks import Supervisor
from daemon.web.server import CannotListen, WebServer

Answer = tuple[int, str, str]


class Daemon:
    """A web server on a free port with everything behind it, and a client in front."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.metrics = Metrics()
        self.supervisor = Supervisor(log=structlog.get_logger(), metrics=self.metrics)
        self.health = Health(self.supervisor, SystemClock(), monotonic=lambda: self.now_s)
        self.web = self.server(0)
        self.http = aiohttp.ClientSession()

    def server(self, port: int) -> WebServer:
        started_at = datetime(2026, 1, 16, 20, tzinfo=UTC)
        return WebServer(self.health, self.metrics, host="127.0.0.1", port=port, version="3.2.1", started_at=started_at)

    async def get(self, path: str) -> Answer:
        async with self.http.get(self.web.url + path) as answer:
            return answer.status, answer.content_type, await answer.text()


@pytest.fixture
async def daemon() -> AsyncIterator[Daemon]:
    daemon = Daemon()
    await daemon.web.start()
    yield daemon
    await daemon.http.close()
    await daemon.web.stop()


async def test_ready_follows_the_required_checks(daemon: Daemon) -> None:
    daemon.health.require("database")
    status, kind, body = await daemon.get("/health/ready")
    assert (status, kind) == (503, "application/json")
    assert json.loads(body) == {"status": "fail", "reasons": ["database: not up yet"]}
    daemon.health.set("database", Check(Status.PASS))
    assert await daemon.get("/health/ready") == (200, "application/json", '{"status":"pass"}')
    daemon.health.set("plex:attic", Check(Status.WARN, "Plex server attic is unreachable"))
    status, _, body = await daemon.get("/health/ready")
    assert status == 200
    assert json.loads(body) == {"status": "warn", "warnings": ["plex:attic: Plex server attic is unreachable"]}
    daemon.health.start_draining()
    status, _, body = await daemon.get("/health/ready")
    assert status == 503
    assert "draining" in body


async def test_who_is_told_to_wait_is_told_how_long(daemon: Daemon) -> None:
    daemon.health.require("database")
    async with daemon.http.get(daemon.web.url + "/health/ready") as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    daemon.health.set("database", Check(Status.PASS))
    async with daemon.http.get(daemon.web.url + "/health/ready") as answer:
        assert answer.status == 200
        assert "Retry-After" not in answer.headers
    daemon.health.start_draining()
    async with daemon.http.get(daemon.web.url + "/health/ready") as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (503, "10")
        assert (await answer.json())["reasons"] == ["draining: the daemon is stopping"]


async def test_startup_ends_once_and_for_good(daemon: Daemon) -> None:
    assert await daemon.get("/health/startup") == (
        503,
        "application/json",
        '{"status":"fail","reasons":["starting"]}',
    )
    daemon.health.require("database")
    status, _, body = await daemon.get("/health/startup")
    assert (status, json.loads(body)["reasons"]) == (503, ["database: not up yet"])
    daemon.health.note_started()
    done = (200, "application/json", '{"status":"pass"}')
    assert await daemon.get("/health/startup") == done
    daemon.health.start_draining()
    assert await daemon.get("/health/startup") == done


async def test_live_knows_only_the_heartbeat(daemon: Daemon) -> None:
    daemon.health.require("database")
    daemon.health.start_draining()
    assert await daemon.get("/health/live") == (200, "application/health+json", '{"status":"pass"}')
    daemon.now_s += 60
    status, _, body = await daemon.get("/health/live")
    assert status == 503
    assert json.loads(body)["status"] == "fail"


async def test_the_whole_is_told_in_the_health_format(daemon: Daemon) -> None:
    daemon.health.require("database")
    daemon.health.set("database", Check(Status.PASS))
    daemon.health.set("plex:attic", Check(Status.WARN, "slow", observed=1.5, unit="s"))
    status, kind, body = await daemon.get("/health")
    assert (status, kind) == (200, "application/health+json")
    document = json.loads(body)
    assert (document["status"], document["version"], document["releaseId"]) == ("warn", "3", "3.2.1")
    (entry,) = document["checks"]["plex:attic"]
    assert entry.pop("time")
    assert entry == {"status": "warn", "output": "slow", "observedValue": 1.5, "observedUnit": "s"}
    daemon.health.set("database", Check(Status.FAIL, "gone"))
    status, _, body = await daemon.get("/health")
    assert status == 503
    assert json.loads(body)["output"] == "database: gone"


async def test_ping_says_ok(daemon: Daemon) -> None:
    assert await daemon.get("/ping") == (200, "application/json", '{"status":"OK"}')


async def test_metrics_are_ours(daemon: Daemon) -> None:
    status, kind, body = await daemon.get("/metrics")
    assert (status, kind) == (200, "text/plain")
    names = {line.split("{")[0].split(" ")[0] for line in body.splitlines() if line and not line.startswith("#")}
    assert {"marquee_ready", "marquee_tasks", "marquee_process_resident_memory_bytes"} <= names
    assert all(name.startswith("marquee_") for name in names)
    assert not any(name.endswith("_created") for name in names)


async def test_the_page_is_for_people_and_escapes_what_came_from_outside(daemon: Daemon) -> None:
    daemon.health.set("database", Check(Status.PASS))
    daemon.health.set("plex:attic", Check(Status.WARN, "<script>alert(1)</script>"))
    daemon.health.set("discord:marquee", Check(Status.FAIL, "Discord rejected the token"))
    daemon.health.set("module:playback", Check(Status.PASS, "started"))
    status, kind, body = await daemon.get("/")
    assert (status, kind) == (200, "text/html")
    assert "<script" not in body
    assert "&lt;script&gt;" in body
    for words in ("Plex servers", "Discord bots", "Modules", "attic", "look at this", "not working", "fine", "3.2.1"):
        assert words in body
    assert 'http-equiv="refresh"' in body
    assert "2 things need a look" in body


async def test_the_page_changes_with_the_state(daemon: Daemon) -> None:
    assert "All is well" in (await daemon.get("/"))[2]
    daemon.health.require("database")
    assert "Not ready" in (await daemon.get("/"))[2]
    daemon.health.set("database", Check(Status.WARN, "slow"))
    assert "one thing needs a look" in (await daemon.get("/"))[2]
    daemon.health.start_draining()
    assert "Stopping" in (await daemon.get("/"))[2]


async def test_other_paths_and_methods_are_refused(daemon: Daemon) -> None:
    assert (await daemon.get("/nothing"))[0] == 404
    async with daemon.http.post(daemon.web.url + "/health") as answer:
        assert answer.status == 405


async def test_a_crash_is_a_plain_500(daemon: Daemon) -> None:
    daemon.health.set("odd", Check(Status.PASS, observed=object()))  # type: ignore[arg-type]  # cannot become JSON
    status, _, body = await daemon.get("/health")
    assert status == 500
    assert "object" not in body
    assert (await daemon.get("/ping"))[0] == 200


async def test_a_taken_port_is_told_as_such(daemon: Daemon) -> None:
    second = daemon.server(daemon.web.port)
    with pytest.raises(CannotListen, match=rf"127.0.0.1:{daemon.web.port} is already in use") as raised:
        await second.start()
    assert raised.value.is_taken
    await second.stop()


async def test_an_address_of_another_machine_cannot_be_listened_at(daemon: Daemon) -> None:
    elsewhere = WebServer(
        daemon.health, daemon.metrics, host="192.0.2.1", port=0, version="1", started_at=datetime.now(UTC)
    )
    with pytest.raises(CannotListen, match="cannot be listened at") as raised:
        await elsewhere.start()
    assert not raised.value.is_taken


async def test_a_reader_that_never_ends_does_not_keep_it_from_stopping(daemon: Daemon) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", daemon.web.port)
    writer.write(b"GET /health/ready HTTP/1.1\r\nHost: x\r\n")
    await writer.drain()
    async with asyncio.timeout(5):
        await daemon.web.stop()
    writer.close()
    assert await reader.read() == b""
