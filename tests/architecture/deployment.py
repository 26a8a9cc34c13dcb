"""What the deployment files say, for tests that hold them to the code and to each other."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from daemon.settings.layers import CONFIG_VARIABLE, PREFIX
from daemon.settings.model import Settings
from daemon.settings.names import FILE_SUFFIX, tree_of
from tests.architecture.source import ROOT

KUBERNETES = ROOT / "deploy" / "kubernetes"
UNIT = ROOT / "deploy" / "systemd" / "marquee.service"


@cache
def compose(name: str = "docker-compose.yml") -> dict[str, Any]:
    """A compose file, aliases resolved, the tag that is compose's own left out."""
    return yaml.safe_load((ROOT / name).read_text("utf-8").replace("!override ", ""))


@cache
def resources() -> dict[tuple[str, str], dict[str, Any]]:
    """Every Kubernetes resource by kind and name, the template of the secret among them."""
    found = {}
    for path in sorted(KUBERNETES.glob("*.yaml")):
        if path.name != "kustomization.yaml":
            for document in yaml.safe_load_all(path.read_text("utf-8")):
                found[document["kind"], document["metadata"]["name"]] = document
    return found


def pods() -> dict[str, dict[str, Any]]:
    """The pod template of each Deployment, by the Deployment's name."""
    return {name: r["spec"]["template"] for (kind, name), r in resources().items() if kind == "Deployment"}


@cache
def dockerfile() -> list[tuple[str, str]]:
    """The final stage as (instruction, rest), FROM first; continued lines are joined, comments left out."""
    text = (ROOT / "Dockerfile").read_text("utf-8")
    text = re.sub(r"^#.*\n", "", text, flags=re.M).replace("\\\n", " ")
    steps = [(line.split()[0], line.split(maxsplit=1)[1]) for line in text.splitlines() if line.strip()]
    last = max(index for index, (instruction, _) in enumerate(steps) if instruction == "FROM")
    return steps[last:]


def instruction(name: str) -> str:
    """What the final stage says after the one `name`."""
    (rest,) = [rest for given, rest in dockerfile() if given == name]
    return rest


def image_environment() -> dict[str, str]:
    return dict(part.split("=", 1) for part in shlex.split(instruction("ENV")))


@cache
def unit() -> dict[str, list[str]]:
    """Every setting of the systemd unit with all its values, in order."""
    settings: dict[str, list[str]] = {}
    for line in UNIT.read_text("utf-8").splitlines():
        if "=" in line and not line.startswith("#"):
            name, value = line.split("=", 1)
            settings.setdefault(name, []).append(value)
    return settings


def seconds(text: str) -> float:
    """ "30s", "10min" or "60" in seconds."""
    match = re.fullmatch(r"(\d+)(s|min)?", text)
    assert match is not None, text
    return int(match[1]) * (60 if match[2] == "min" else 1)


def unknown_names(names: Iterator[str] | list[str]) -> list[str]:
    """Which of these environment variables the daemon would refuse."""
    ours = [name for name in names if name.startswith(PREFIX) and name != CONFIG_VARIABLE]
    return [name for name in ours if not is_setting(tuple(name[len(PREFIX) :].lower().split("__")))]


def is_setting(path: tuple[str, ...]) -> bool:
    """Whether `path` is a setting, or the `_file` twin of a secret."""
    tree = tree_of(Settings)
    node = tree.find(path)
    if node is None and path[-1].endswith(FILE_SUFFIX):
        node = tree.find((*path[:-1], path[-1].removesuffix(FILE_SUFFIX)))
        return node is not None and node.is_secret
    return node is not None and node.is_setting


def settings_in(toml: str) -> dict[tuple[str, ...], Any]:
    """Every value of a TOML text by its path."""

    def walk(table: dict[str, Any], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
        for key, value in table.items():
            yield from walk(value, (*path, key)) if isinstance(value, dict) else [((*path, key), value)]

    return dict(walk(tomllib.loads(toml), ()))


def routes() -> set[str]:
    """The paths that the daemon serves."""
    return set(re.findall(r'add_get\("([^"]+)"', Path(ROOT / "daemon" / "web" / "server.py").read_text("utf-8")))
