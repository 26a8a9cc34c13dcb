"""What Prometheus and Grafana are given fits what the daemon says."""

from __future__ import annotations

import json
import re
import subprocess
from collections import Counter

import pytest

from daemon.kernel.metrics import Metrics
from tests.integration.observability import prometheus as files
from tests.integration.observability.prometheus import DEPLOY, find

PROJECT = DEPLOY.parent


def known_metrics() -> set[str]:
    exposed = Metrics().expose().decode()
    return {re.sub(r"_total$", "", name) for name in re.findall(r"^# TYPE (\w+)", exposed, re.MULTILINE)}


def unknown(expression: str) -> set[str]:
    return {name for name in files.metric_names(expression) if re.sub(r"_total$", "", name) not in known_metrics()}


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "config", "prometheus.yml"),
        ("check", "rules", "rules.yml"),
        ("test", "rules", "rules_test.yml"),
        ("test", "rules", "rules_days_test.yml"),
    ],
    ids=" ".join,
)
def test_promtool_is_content(arguments: tuple[str, ...]) -> None:
    command = [find("promtool"), *arguments]
    done = subprocess.run(command, cwd=DEPLOY / "prometheus", capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SUCCESS" in done.stdout + done.stderr


def test_each_alert_is_shown_to_fire_and_to_be_quiet() -> None:
    alerts = [rule["alert"] for rule in files.rules()]
    assert len(alerts) == len(set(alerts)) > 15
    assert Counter(files.alert_tests()) == Counter((alert, fires) for alert in alerts for fires in (True, False))


def test_each_alert_says_what_to_do() -> None:
    operations = (PROJECT / "docs" / "operations.md").read_text("utf-8")
    sections = dict(re.findall(r"^### (\w+)\n\n(.+?)(?=\n\n#|\Z)", operations, re.MULTILINE | re.DOTALL))
    for rule in files.rules():
        assert rule["annotations"]["runbook"] == f"docs/operations.md#{rule['alert'].lower()}"
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert len(sections[rule["alert"]]) > 100


def test_nothing_is_asked_for_that_the_daemon_does_not_say() -> None:
    asked = [rule["expr"] for rule in files.rules()] + [e for panel in files.panels() for e in panel.expressions]
    assert len(asked) > 60
    assert {expression: unknown(expression) for expression in asked if unknown(expression)} == {}


def test_the_dashboard_can_be_loaded() -> None:
    document = json.loads(files.DASHBOARD.read_text("utf-8"))
    ids = [panel["id"] for panel in document["panels"]]
    assert len(ids) == len(set(ids)) > 40
    assert all(panel["description"] for panel in document["panels"] if panel["type"] != "row")
    assert [panel["title"] for panel in document["panels"] if panel["type"] == "row"] == [
        "Overview", "Discord", "Plex", "Queue and events", "Store", "Cache and breakers", "Process",
    ]  # fmt: skip
    taken = set()
    for panel in document["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not taken & cells, f"{panel['title']} lies over another"
        assert at["x"] + at["w"] <= 24
        taken |= cells
