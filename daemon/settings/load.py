"""Read all layers, judge every name and value, and give back Settings or every mistake at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from daemon.core.errors import ConfigError
from daemon.settings.layers import PROJECT, Layer, local_file, read_environment, read_toml, tracked_file, variable
from daemon.settings.model import Settings, split_commas
from daemon.settings.names import FILE_SUFFIX, Node, nearest, tree_of

ModuleSettings = Mapping[str, Mapping[str, Any]]
JudgeModules = Callable[[Sequence[Path], ModuleSettings], tuple[dict[str, dict[str, Any]], list[str]]]
"""Given module folders and `[modules.*]`, the same settings in the modules' own types, and a line for each mistake."""

_SECRET_FILE_BYTES_MAX = 64 * 1024


def load(
    environ: Mapping[str, str],
    *,
    project: Path = PROJECT,
    use_local: bool = True,
    judge_modules: JudgeModules | None = None,
) -> Settings:
    """The settings of the tracked file, over it the operator's file, over it the environment.

    `use_local=False` leaves the operator's file out. Raises ConfigError with one line a mistake; no line repeats a
    value, which could be a secret in the wrong place.
    """
    layers = [read_environment(environ)]
    if use_local and (local := local_file(environ, project)) is not None:
        layers.append(read_toml(local))
    layers.append(read_toml(tracked_file(project)))
    tree = tree_of(Settings)
    mistakes: list[str] = []
    for layer in layers:
        mistakes += layer.mistakes
        mistakes += _check_names(layer, tree)
        mistakes += _read_secret_files(layer, tree)
        _lower_names(layer)
    return _build(layers, tree, mistakes, judge_modules)


class _Source(PydanticBaseSettingsSource):
    """A layer as pydantic-settings wants it: nested, merged by it below the layers before it."""

    def __init__(self, settings_cls: type[BaseSettings], layer: Layer) -> None:
        super().__init__(settings_cls)
        self._layer = layer

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        """One top level value; `__call__` gives all of them at once."""
        return self().get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        return _nested(self._layer.values)


def _layered(layers: list[Layer]) -> type[Settings]:
    class Layered(Settings):
        @classmethod
        def settings_customise_sources(
            cls, settings_cls: type[BaseSettings], *_: Any, **__: Any
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return tuple(_Source(settings_cls, layer) for layer in layers)

    return Layered


def _build(layers: list[Layer], tree: Node, mistakes: list[str], judge: JudgeModules | None) -> Settings:
    settings: Settings | None = None
    try:
        settings = _layered(layers)()
    except ValidationError as error:
        mistakes += [_sentence(detail, layers, tree) for detail in error.errors(include_url=False, include_input=False)]
    if judge is not None:
        merged = _nested({path: v for layer in reversed(layers) for path, v in layer.values.items()})
        modules, wrong = judge(_folders(merged.get("module_folders")), merged.get("modules", {}))
        mistakes += wrong
        settings = settings.model_copy(update={"modules": modules}) if settings is not None else None
    if mistakes or settings is None:
        raise ConfigError(sorted(set(mistakes), key=mistakes.index))
    return settings


def _folders(given: object) -> tuple[Path, ...]:
    """The module folders even while other settings are wrong, so that mistakes in modules are told with the rest."""
    listed = split_commas(given)
    return tuple(Path(part) for part in listed if isinstance(part, str)) if isinstance(listed, list) else ()


def _check_names(layer: Layer, tree: Node) -> list[str]:
    """Take paths that lead nowhere out of `layer`; one sentence each."""
    mistakes = []
    for path in list(layer.values):
        node = tree.find(path)
        if node is None and path[-1].endswith(FILE_SUFFIX) and _is_secret(tree, _without_suffix(path)):
            continue
        if node is None:
            mistakes.append(_unknown(layer, path, tree))
        elif not node.is_setting and layer.values[path] != {}:
            inner = [(*path, *rest) for rest in node.settings()]
            mistakes.append(f"{layer.name_of(path)}: is a section; its settings are {_listed(layer, inner)}")
        else:
            continue
        del layer.values[path]
    return mistakes


def _unknown(layer: Layer, path: tuple[str, ...], tree: Node) -> str:
    near = nearest(tree, path)
    hint = f" (did you mean {_spelled(layer, near)}?)" if near else ""
    return f"{layer.name_of(path)}: unknown setting{hint}"


def _spelled(layer: Layer, path: tuple[str, ...]) -> str:
    return variable(path) if layer.is_environment else ".".join(path)


def _listed(layer: Layer, paths: list[tuple[str, ...]]) -> str:
    return ", ".join(_spelled(layer, path) for path in paths)


def _is_secret(tree: Node, path: tuple[str, ...]) -> bool:
    node = tree.find(path)
    return node is not None and node.is_secret


def _without_suffix(path: tuple[str, ...]) -> tuple[str, ...]:
    return (*path[:-1], path[-1].removesuffix(FILE_SUFFIX))


def _read_secret_files(layer: Layer, tree: Node) -> list[str]:
    """Replace each `<secret>_file` by what the file holds, without the newline that editors leave at its end."""
    mistakes = []
    for path in [path for path in layer.values if path[-1].endswith(FILE_SUFFIX) and tree.find(path) is None]:
        name, plain = layer.name_of(path), _without_suffix(path)
        file = layer.folder / str(layer.values.pop(path))
        if plain in layer.values:
            mistakes.append(f"{name}: is given together with {_spelled(layer, plain)}; keep one of them")
            continue
        try:
            with file.open("rb") as opened:
                content = opened.read(_SECRET_FILE_BYTES_MAX).decode("utf-8")
        except OSError as error:
            mistakes.append(f"{name}: the file cannot be read: {error.strerror}")
        except UnicodeDecodeError:
            mistakes.append(f"{name}: the file is not UTF-8 text")
        else:
            layer.values[plain] = content.rstrip("\r\n")
            continue
        # Already reported: a second sentence saying that the secret is missing would only confuse.
        layer.values[plain] = "unread"
    return mistakes


def _lower_names(layer: Layer) -> None:
    """Names of servers and bots are lower case wherever they come from, so that one layer can override another."""
    for path in [p for p in layer.values if p[:2] in (("plex", "servers"), ("discord", "bots")) and len(p) > 2]:
        layer.values[(*path[:2], path[2].lower(), *path[3:])] = layer.values.pop(path)


def _nested(values: Mapping[tuple[str, ...], Any]) -> dict[str, Any]:
    root: dict[str, Any] = {}
    for path, value in values.items():
        node = root
        for part in path[:-1]:
            node = node.setdefault(part, {})
        if value != {} or path[-1] not in node:
            node[path[-1]] = value
    return root


def _sentence(detail: ErrorDetails, layers: list[Layer], tree: Node) -> str:
    path = tuple(str(part) for part in detail["loc"] if part != "[key]")
    while len(path) > 1 and tree.find(path) is None:
        path = path[:-1]  # the position inside a list, or pydantic's name for a branch of a union
    if detail["type"] == "missing":
        twin = f" or {variable(path)}_FILE" if _is_secret(tree, path) else ""
        return f"{'.'.join(path)}: is missing; set {variable(path)}{twin}"
    message = detail["msg"].removeprefix("Value error, ")
    message = message.removeprefix("Input should be ").removeprefix("Input ")
    lead = "must be " if detail["msg"].startswith("Input should be ") else ""
    return f"{_name_given(path, layers)}: {lead}{message}"


def _name_given(path: tuple[str, ...], layers: list[Layer]) -> str:
    """How the operator set `path` in the topmost layer that does."""
    for layer in layers:
        if any(given[: len(path)] == path for given in layer.values):
            return layer.name_of(path)
    return ".".join(path)
