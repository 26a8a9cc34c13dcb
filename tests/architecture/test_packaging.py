"""What a fresh machine is given: locks, constraints, tracked files, the Makefile."""

from __future__ import annotations

import re
import subprocess
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

LOCKS = [ROOT / "deploy" / "requirements.txt", ROOT / "deploy" / "requirements-dev.txt"]


def tracked_files() -> list[str]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listing.returncode:
        pytest.skip("not a git checkout")
    return [name for name in listing.stdout.decode().split("\0") if name]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_a_lock_pins_by_hash_and_names_no_host(lock: Path) -> None:
    text = lock.read_text("utf-8")
    pins = re.findall(r"^[a-z0-9][a-z0-9.\-]*==\S+", text, re.M)
    assert len(pins) > 30
    assert "://" not in text
    assert not re.search(r"--(extra-)?index|--find-links", text)
    entries = re.split(r"\n(?=[a-z0-9])", text.strip())
    assert [entry.split("==")[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_the_lock_holds_every_named_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    locked = {name.lower() for name in re.findall(r"^([A-Za-z0-9.\-]+)==", LOCKS[0].read_text("utf-8"), re.M)}
    named = {
        re.split(r"[\[<>=;~ ]", entry)[0].lower().replace(".", "-") for entry in project["project"]["dependencies"]
    }
    assert named - {name.replace(".", "-") for name in locked} == set()


def test_python_daemon_can_never_be_installed_beside_us() -> None:
    """python-daemon installs a top-level package `daemon`: with both, one overwrites the other without a word."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert "python-daemon<0" in project["tool"]["uv"]["constraint-dependencies"]
    for lock in LOCKS:
        assert not re.search(r"^python-daemon==", lock.read_text("utf-8"), re.M)
    with pytest.raises(metadata.PackageNotFoundError):
        metadata.version("python-daemon")


def test_the_resolver_lock_stays_out_of_git() -> None:
    assert "uv.lock" not in tracked_files()


def test_nothing_tracked_names_a_machine_path_or_a_registry() -> None:
    # Written in pieces, so that this file needs no exception.
    hosts = rb"python" rb"hosted|registry\.npm" rb"js"
    folders = rb"(?:^|[^A-Za-z0-9_.])/(?:work|farm)/|/ro" rb"ot/"
    telltale = re.compile(hosts + rb"|" + folders)
    found = [
        name for name in tracked_files() if (ROOT / name).is_file() and telltale.search((ROOT / name).read_bytes())
    ]
    assert found == []


def test_make_help_lists_the_promised_targets() -> None:
    listing = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    promised = {"setup", "demo", "run", "test", "test-all", "check", "soak", "bench", "lock", "help"}
    assert promised <= set(re.findall(r"make ([a-z-]+)", listing))


def test_only_the_agreed_names_stand_at_the_top() -> None:
    agreed = {
        "pyproject.toml", "daemon", "integrations", "tests", "config", "Dockerfile", "docker-compose.yml",
        "simulators", "benchmarks", "deploy", "docs", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE",
        "Makefile", ".ci", ".gitignore", ".dockerignore",
    }  # fmt: skip
    assert {name.split("/")[0] for name in tracked_files()} - agreed == set()
