"""Finding modules, importing them, and checking what the operator set for them."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

import daemon
from daemon.core.errors import ModuleError
from daemon.core.ids import ModuleId
from daemon.host.manifest import MANIFEST_NAME, Manifest, ManifestError, did_you_mean, read_manifest

ENTRY_POINTS = "marquee.modules"
BUILT_IN = "daemon.modules"
ENABLED = "enabled"
"""The one key every module's settings have beside its own: `modules.<id>.enabled = false` leaves it out."""


class NoConfig(BaseModel):
    """Configuration of a module without a `config.py`: nothing to set."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True, slots=True)
class Discovered:
    """A module with a good manifest: where it is, and under which name it is imported."""

    manifest: Manifest
    folder: Path
    package: str
    source: str  # "built-in", "folder /srv/modules", "package marquee-pets"


@dataclass(frozen=True, slots=True)
class Discovery:
    """All modules found. `broken` has those whose manifest is unusable; `shadowed` one sentence for each hidden one."""

    modules: dict[ModuleId, Discovered] = field(default_factory=dict)
    broken: dict[ModuleId, str] = field(default_factory=dict)
    shadowed: tuple[str, ...] = ()
    mistakes: tuple[str, ...] = ()  # configured folders that are not there, entry points that lead nowhere


@dataclass(frozen=True, slots=True)
class Loaded:
    """An imported module: what the host calls, and the checked configuration it is given."""

    setup: Callable[[Any], AbstractAsyncContextManager[None]]
    config: BaseModel


def discover(folders: Sequence[Path] = ()) -> Discovery:
    """Read every manifest; runs no code of any module. Blocking (files).

    Built-in modules come first, then the configured folders in their order, then installed packages; of two modules
    with one id the earlier is used and the later is reported as shadowed.
    """
    mistakes: list[str] = []
    places = [*_built_in(), *_in_folders(folders, mistakes), *_in_packages(mistakes)]
    modules: dict[ModuleId, Discovered] = {}
    broken: dict[ModuleId, str] = {}
    first: dict[ModuleId, str] = {}
    shadowed: list[str] = []
    for folder, package, source in places:
        module = ModuleId(folder.name)
        if module in first:
            shadowed.append(f"{module} of {source} is not used: {first[module]} has one of that name")
            continue
        first[module] = source
        try:
            modules[module] = Discovered(read_manifest(folder), folder, package, source)
        except ManifestError as error:
            broken[module] = f"has a bad {MANIFEST_NAME} ({source}): {error}"
    return Discovery(modules, broken, tuple(shadowed), tuple(mistakes))


def _built_in() -> list[tuple[Path, str, str]]:
    folder = Path(daemon.__file__).parent / "modules"  # found, not imported: the host stands below the modules
    return [(found, f"{BUILT_IN}.{found.name}", "built-in") for found in _with_manifest(folder)]


def _in_folders(folders: Iterable[Path], mistakes: list[str]) -> list[tuple[Path, str, str]]:
    places = []
    for folder in folders:
        if not folder.is_dir():
            mistakes.append(f"module folder {folder} is not a folder")
            continue
        places += [(found, f"marquee_module_{found.name}", f"folder {folder}") for found in _with_manifest(folder)]
    return places


def _in_packages(mistakes: list[str]) -> list[tuple[Path, str, str]]:
    places = []
    for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda point: (point.name, point.value)):
        name = point.dist.name if point.dist else point.value
        folder = _folder_of(point)
        if folder is None or not (folder / MANIFEST_NAME).is_file():
            mistakes.append(f'package {name} offers the module "{point.name}" but {point.value} has no {MANIFEST_NAME}')
        else:
            places.append((folder, point.module, f"package {name}"))
    return places


def _folder_of(point: EntryPoint) -> Path | None:
    # find_spec() of a dotted name would import its parents; of a top level name it only looks.
    top, *rest = point.module.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return None
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations))).joinpath(*rest)


def _with_manifest(folder: Path) -> list[Path]:
    return sorted(found for found in folder.iterdir() if found.is_dir() and (found / MANIFEST_NAME).is_file())


def judge_settings(
    folders: Sequence[Path], settings: Mapping[str, Mapping[str, Any]]
) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """The operator's `[modules.*]` tables in the modules' own types, and every mistake in them. Blocking."""
    return _judge(discover(folders), settings)


def check_settings(discovery: Discovery, settings: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Every mistake in the operator's `[modules.*]` tables, one sentence each, without the values. Blocking.

    Starts nothing. Of a module's code only `config.py` is run, by itself: it imports nothing but pydantic and the core.
    """
    return _judge(discovery, settings)[1]


def _judge(
    discovery: Discovery, settings: Mapping[str, Mapping[str, Any]]
) -> tuple[dict[str, dict[str, Any]], list[str]]:
    known = sorted({*discovery.modules, *discovery.broken})
    typed: dict[str, dict[str, Any]] = {}
    mistakes: list[str] = []
    for name, given in sorted(settings.items()):
        module = ModuleId(name)
        if module in discovery.modules:
            typed[name], wrong = _judge_module(discovery.modules[module], given)
            mistakes += wrong
        elif module not in discovery.broken:
            mistakes.append(f'modules.{name}: there is no module "{name}"{did_you_mean(name, known)}')
    return typed, mistakes


def _judge_module(found: Discovered, given: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    name = found.manifest.id
    known = {*found.manifest.config, ENABLED}
    mistakes = [
        f"modules.{name}.{key}: unknown setting{did_you_mean(key, known)}" for key in sorted(given) if key not in known
    ]
    typed: dict[str, Any] = {}
    if ENABLED in given:
        typed[ENABLED] = _to_bool(given[ENABLED])
        if typed[ENABLED] is None:
            mistakes.append(f"modules.{name}.{ENABLED}: must be true or false")
    mine = {key: value for key, value in given.items() if key in found.manifest.config}
    try:
        config = to_config(found.manifest, _config_class_alone(found), mine)
    except ModuleError as error:
        mistakes.append(str(error))
    except SettingError as error:
        mistakes += error.mistakes
    else:
        typed |= {key: getattr(config, key) for key in mine}
    return typed, mistakes


def is_enabled(given: Mapping[str, Any]) -> bool:
    """Whether the operator wants the module; yes unless `enabled` says no."""
    return _to_bool(given.get(ENABLED, True)) is not False


def _to_bool(value: object) -> bool | None:
    # The environment can only give text.
    words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    return value if isinstance(value, bool) else words.get(str(value).strip().lower())


class SettingError(Exception):
    """Values of the operator that a module refuses: one sentence each, with the full name of the setting."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("; ".join(mistakes))
        self.mistakes = mistakes


def to_config(manifest: Manifest, config_class: type[BaseModel], given: Mapping[str, Any]) -> BaseModel:
    """The module's configuration: defaults of the manifest, over them what the operator gave.

    Raises ModuleError when manifest and class do not fit (the author's mistake), SettingError for bad values.
    """
    fields, defaults = set(config_class.model_fields), set(manifest.config)
    if fields != defaults:
        odd = ", ".join(sorted(fields ^ defaults))
        raise ModuleError(manifest.id, f"its [config] table and its Config class do not have the same keys: {odd}")
    try:
        config_class.model_validate(manifest.config)
    except ValidationError as error:
        raise ModuleError(manifest.id, f"its own default is refused: {_lines('config', error)[0]}") from None
    own = {key: value for key, value in given.items() if key != ENABLED}
    unknown = [
        f"modules.{manifest.id}.{key}: unknown setting{did_you_mean(key, fields)}" for key in own.keys() - fields
    ]
    if unknown:
        raise SettingError(sorted(unknown))
    try:
        return config_class.model_validate({**manifest.config, **own})
    except ValidationError as error:
        raise SettingError(_lines(f"modules.{manifest.id}", error)) from None


def _lines(prefix: str, error: ValidationError) -> list[str]:
    lines = []
    for detail in error.errors(include_url=False, include_input=False):
        where = ".".join(str(part) for part in (prefix, *detail["loc"]))
        message = detail["msg"].removeprefix("Value error, ")
        lines.append(f"{where}: {message[:1].lower()}{message[1:]}")
    return lines


def load(found: Discovered, given: Mapping[str, Any]) -> Loaded:
    """Import the module and check its configuration; raises what the import raises, or as `to_config`. Blocking."""
    package = _import(found)
    setup = getattr(package, "setup", None)
    if not callable(setup):
        raise ModuleError(found.manifest.id, "its package has no setup(ctx)")
    config_class: type[BaseModel] = NoConfig
    if (found.folder / "config.py").is_file():
        config_class = _config_class(found, importlib.import_module(f"{found.package}.config"))
    return Loaded(setup, to_config(found.manifest, config_class, given))


def unload(found: Discovered) -> None:
    """Forget a module that was loaded from a folder, so that nothing of it stays in `sys.modules`."""
    if found.source.startswith("folder "):
        for name in [name for name in sys.modules if name == found.package or name.startswith(f"{found.package}.")]:
            del sys.modules[name]


def _import(found: Discovered) -> ModuleType:
    if not found.source.startswith("folder "):
        return importlib.import_module(found.package)
    path = found.folder / "__init__.py"
    spec = importlib.util.spec_from_file_location(found.package, path, submodule_search_locations=[str(found.folder)])
    if spec is None or spec.loader is None or not path.is_file():
        raise ModuleError(found.manifest.id, "its folder has no __init__.py")
    package = importlib.util.module_from_spec(spec)
    sys.modules[found.package] = package
    spec.loader.exec_module(package)
    return package


def _config_class(found: Discovered, source: ModuleType) -> type[BaseModel]:
    config_class = getattr(source, "Config", None)
    if not (isinstance(config_class, type) and issubclass(config_class, BaseModel)):
        raise ModuleError(found.manifest.id, "its config.py has no pydantic model named Config")
    return config_class


def _config_class_alone(found: Discovered) -> type[BaseModel]:
    path = found.folder / "config.py"
    if not path.is_file():
        return NoConfig
    name = f"marquee_config_{found.manifest.id}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ModuleError(found.manifest.id, "its config.py cannot be read")
    source = importlib.util.module_from_spec(spec)
    sys.modules[name] = source  # pydantic looks annotations up there
    try:
        spec.loader.exec_module(source)
        return _config_class(found, source)
    except (ImportError, SyntaxError, NameError, AttributeError, TypeError, ValueError) as error:
        raise ModuleError(found.manifest.id, f"its config.py cannot be run: {error}") from error
    finally:
        del sys.modules[name]
