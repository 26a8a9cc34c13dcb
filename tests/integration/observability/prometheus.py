"""A real Prometheus on loopback, with our own configuration."""

from __future__ import annotations

import asyncio
import json
import math
import os
import re
import secrets
import shutil
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from tests.servers import Server, free_port, missing

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"
RULES = DEPLOY / "prometheus" / "rules.yml"
DASHBOARD = DEPLOY / "grafana" / "dashboards" / "marquee.json"
_MAY_BE_NOTHING = {"Alerts", "Crashes"}
WINDOW = "30s"  # what Grafana would put for $__rate_interval; some scrapes of the test


def find(name: str) -> str:
    """Where a program of Prometheus is; the test is skipped, or fails in CI, when it is not installed."""
    return shutil.which(name) or missing(f"{name} (Debian: prometheus)")


def rules() -> list[dict[str, Any]]:
    """Every alert of rules.yml."""
    groups = yaml.safe_load(RULES.read_text("utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


@dataclass(frozen=True)
class Panel:
    """One panel of the dashboard and what it asks."""

    title: str
    kind: str
    expressions: tuple[str, ...]


def panels() -> list[Panel]:
    """Every panel of the dashboard but the headings of rows, with variables put in."""
    document = json.loads(DASHBOARD.read_text("utf-8"))
    return [
        Panel(
            panel["title"], panel["type"], tuple(_filled(panel["title"], target["expr"]) for target in panel["targets"])
        )
        for panel in document["panels"]
        if panel["type"] != "row"
    ]


def _filled(title: str, expression: str) -> str:
    """With variables put in. A 0 for want of anything proves nothing, unless nothing is what is to be hoped for."""
    if title not in _MAY_BE_NOTHING:
        expression = expression.removesuffix(" or vector(0)")
    return expression.replace("$instance", ".*").replace("$__rate_interval", WINDOW)


def metric_names(expression: str) -> set[str]:
    """Our metrics in an expression, without what the parts of a histogram add."""
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in re.findall(r"marquee_\w+", expression)}


@dataclass
class Prometheus:
    """Asks the server."""

    url: str

    async def query(self, expression: str) -> list[float]:
        """What all series said within the last minute, where it is a number; AssertionError for an error."""
        now = time.time()
        params = {"query": expression, "start": str(now - 60), "end": str(now), "step": "2"}
        async with aiohttp.ClientSession() as http, http.get(f"{self.url}/api/v1/query_range", params=params) as answer:
            found = await answer.json()
        assert found["status"] == "success", f"{expression}: {found}"
        values = [float(value) for series in found["data"]["result"] for _, value in series["values"]]
        return [value for value in values if not math.isnan(value)]

    async def targets(self) -> list[str]:
        """The health of each target."""
        async with aiohttp.ClientSession() as http, http.get(f"{self.url}/api/v1/targets") as answer:
            return [target["health"] for target in (await answer.json())["data"]["activeTargets"]]

    async def loaded_alerts(self) -> dict[str, str]:
        """The state of each alert by name: inactive, pending or firing."""
        async with aiohttp.ClientSession() as http, http.get(f"{self.url}/api/v1/rules") as answer:
            groups = (await answer.json())["data"]["groups"]
        return {rule["name"]: rule["state"] for group in groups for rule in group["rules"]}


@asynccontextmanager
async def scraping(binary: str, daemon_url: str, folder: Path) -> AsyncIterator[Prometheus]:
    """Prometheus with our configuration, save for where the daemon is and how often it is asked."""
    config = await asyncio.to_thread(_write_config, daemon_url.removeprefix("http://"), folder)
    port = free_port()
    home = Path(tempfile.gettempdir()) / f"marquee-prometheus-{secrets.token_hex(6)}"
    command = [
        binary,
        f"--config.file={config}",
        f"--storage.tsdb.path={home}/data",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=warn",
    ]
    server = Server("prometheus", port, home, os.geteuid(), "TERM", command, _is_ready)
    try:
        assert await asyncio.to_thread(server.start), "Prometheus did not start"
        yield Prometheus(f"http://127.0.0.1:{port}")
    finally:
        await asyncio.to_thread(server.stop)


def _write_config(target: str, folder: Path) -> Path:
    config = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text("utf-8"))
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["rule_files"] = [str(RULES)]
    (job,) = config["scrape_configs"]
    del job["dns_sd_configs"]
    job["static_configs"] = [{"targets": [target]}]
    path = folder / "prometheus.yml"
    path.write_text(yaml.safe_dump(config), "utf-8")
    return path


def _is_ready(server: Server) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/-/ready", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def alert_tests() -> Iterator[tuple[str, bool]]:
    """(alert, whether it is expected to fire) of each test of the rules."""
    for file in (DEPLOY / "prometheus").glob("rules*_test.yml"):
        for test in yaml.safe_load(file.read_text("utf-8"))["tests"]:
            for expected in test["alert_rule_test"]:
                yield expected["alertname"], bool(expected["exp_alerts"])
