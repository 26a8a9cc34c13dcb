"""The linters of deployment files find what is broken: one run over a copy in which every kind of file is wrong."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

BROKEN = {  # file: what stands there, and what is put in its place
    "Dockerfile": ("USER 10001:10001", "USER 10001:10001\nUSER root"),
    "docker-compose.yml": ("mem_limit: 640m", "memory_limit: 640m"),
    "deploy/compose/sqlite.yml": ("profiles: [unused]", "profiles: unused"),
    "deploy/kubernetes/bots.yaml": ("livenessProbe:", "livenesProbe:"),
    "deploy/kubernetes/service.yaml": ("clusterIP: None", "clusterIP: [None]"),
    "deploy/kubernetes/kustomization.yaml": ("- worker.yaml", "- workers.yaml"),
    "deploy/systemd/marquee.service": ("Type=notify", "Type=notified"),
}
TOLD_AS = {
    "deploy/kubernetes/kustomization.yaml": "kustomization",
}
NEEDS = {"kustomization": "kubectl", "deploy/systemd/marquee.service": "systemd-analyze"}


def lint(folder: Path) -> tuple[int, dict[str, str]]:
    """Exit code, and the verdict on each file."""
    environment = {name: value for name, value in os.environ.items() if name != "CI"}
    done = subprocess.run(
        [ROOT / "deploy" / "lint.sh", folder],
        env={**environment, "VENV": sys.prefix},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, dict(re.findall(r"^([\w./ ,-]+): (fine|WRONG|not looked at)", done.stdout, re.M))


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy")
    for name in ("Dockerfile", "docker-compose.yml"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def test_each_linter_bites(copy: Path) -> None:
    for name, (right, wrong) in BROKEN.items():
        text = (copy / name).read_text("utf-8")
        assert right in text, name
        (copy / name).write_text(text.replace(right, wrong), "utf-8")
    code, verdicts = lint(copy)
    told = {TOLD_AS.get(name, name) for name in BROKEN}
    expected = {name for name in told if name not in NEEDS or shutil.which(NEEDS[name])}
    assert expected <= {name for name, verdict in verdicts.items() if verdict == "WRONG"}
    assert verdicts["deploy/kubernetes/config.yaml"] == "fine"
    assert code == 1


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_a_unit_with_more_rights_than_it_needs_is_told(copy: Path) -> None:
    unit = copy / "deploy" / "systemd" / "marquee.service"
    kept = [line for line in unit.read_text("utf-8").splitlines() if not re.match("SystemCallFilter|Restrict|P", line)]
    unit.write_text("\n".join(kept), "utf-8")
    code, verdicts = lint(copy)
    assert verdicts["deploy/systemd/marquee.service"] == "fine"
    assert verdicts["deploy/systemd/marquee.service, exposure"] == "WRONG"
    assert code == 1
