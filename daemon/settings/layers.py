"""Where settings come from: the tracked file, the operator's file, the environment. Standard library only."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PREFIX = "MARQUEE_"
CONFIG_VARIABLE = "MARQUEE_CONFIG"
PROJECT = Path(__file__).resolve().parents[2]

_TOML_PLACE = re.compile(r" ?\(at line (\d+), column \d+\)$")


@dataclass(frozen=True, slots=True)
class Layer:
    """One source, flat: `values` by path, such as ("http", "port"). `folder` is where its relative file names start."""

    label: str
    folder: Path
    is_environment: bool = False
    values: dict[tuple[str, ...], Any] = field(default_factory=dict)
    mistakes: list[str] = field(default_factory=list)

    def name_of(self, path: tuple[str, ...]) -> str:
        """What the operator wrote to set `path`: `MARQUEE_HTTP__PORT`, or `config/local.toml: http.port`."""
        if self.is_environment:
            return variable(path)
        return f"{self.label}: {'.'.join(path)}"


def variable(path: tuple[str, ...]) -> str:
    """The environment variable of a setting: ("http", "port") is `MARQUEE_HTTP__PORT`."""
    return PREFIX + "__".join(path).upper()


def tracked_file(project: Path = PROJECT) -> Path:
    """`config/marquee.toml` of a checkout, else the copy inside the installed package."""
    in_checkout = project / "config" / "marquee.toml"
    return in_checkout if in_checkout.is_file() else project / "daemon" / "marquee.toml"


def local_file(environ: Mapping[str, str], project: Path = PROJECT) -> Path | None:
    """The operator's file: the one in MARQUEE_CONFIG, else `config/local.toml` of the checkout or working folder.

    None when there is none; a file named in MARQUEE_CONFIG is given back even if it does not exist.
    """
    if named := environ.get(CONFIG_VARIABLE):
        return Path(named)
    for folder in (project if (project / "config" / "marquee.toml").is_file() else Path.cwd(), Path.cwd()):
        if (path := folder / "config" / "local.toml").is_file():
            return path
    return None


def read_toml(path: Path) -> Layer:
    """The file as a layer; one that cannot be read or parsed is an empty layer with the mistake in it."""
    label = _short(path)
    layer = Layer(label, path.parent)
    try:
        text = path.read_text(encoding="utf-8")
        layer.values.update(_flatten(tomllib.loads(text)))
    except OSError as error:
        layer.mistakes.append(f"{label}: cannot be read: {error.strerror}")
    except UnicodeDecodeError as error:
        layer.mistakes.append(f"{label}: is not UTF-8 text (byte {error.start})")
    except tomllib.TOMLDecodeError as error:
        place = _TOML_PLACE.search(str(error))
        line = place.group(1) if place else str(text.count("\n") + 1)
        layer.mistakes.append(f"{label}:{line}: is not valid TOML: {_TOML_PLACE.sub('', str(error))}")
    return layer


def read_environment(environ: Mapping[str, str]) -> Layer:
    """Every MARQUEE_* variable but MARQUEE_CONFIG; an empty one counts as not set."""
    layer = Layer("environment", Path.cwd(), is_environment=True)
    for name in sorted(environ):
        if name.startswith(PREFIX) and name != CONFIG_VARIABLE and environ[name]:
            layer.values[tuple(name[len(PREFIX) :].lower().split("__"))] = environ[name]
    return layer


def _flatten(table: Mapping[str, Any], path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    flat: dict[tuple[str, ...], Any] = {}
    for key, value in table.items():
        here = (*path, key)
        if isinstance(value, dict) and value and not _is_module_value(here):
            flat.update(_flatten(value, here))
        elif value != "" or _is_module_value(here):
            flat[here] = value
    return flat


def _is_module_value(path: tuple[str, ...]) -> bool:
    # What a module's setting may hold is the module's own affair: a table there is one value.
    return len(path) == 3 and path[0] == "modules"


def _short(path: Path) -> str:
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
