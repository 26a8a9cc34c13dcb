"""The laws that no linter knows: doors, borders, tasks, sizes, names."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable

import pytest

from tests.architecture.source import SourceFile, source_files, where

LINES_MAX = 500
LINES_USUAL = 350
FUNCTION_LINES_MAX = 60
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "base"}

# `except Exception` lives only where foreign code is called or a whole task is guarded.
BORDERS = re.compile(
    r"integrations/discord/(pipeline|tree|components|replies|fleet|bot)\w*\.py"
    r"|daemon/kernel/(tasks|health)\.py|daemon/web/\w+\.py|daemon/host/\w+\.py"
    r"|daemon/data/store(/\w+)?\.py|integrations/plex/threads\.py|daemon/services/queue/runner\.py"
)

DOORS: dict[str, Callable[[str], bool]] = {
    "plexapi": lambda path: path.startswith("integrations/plex/adapter"),
    "discord": lambda path: (
        path.startswith("integrations/discord/")
        or bool(re.fullmatch(r"daemon/modules/\w+/(commands|views)\w*\.py", path))
    ),
    "redis": lambda path: path in ("daemon/services/redis.py", "daemon/services/queue/streams.py"),
    "aiohttp.web": lambda path: path.startswith(("daemon/web/", "simulators/")),
    "sqlalchemy": lambda path: path.startswith(("daemon/data/", "daemon/services/")),
    "alembic": lambda path: path.startswith("daemon/data/"),
    "opentelemetry": lambda path: path == "daemon/kernel/otel.py",
    "apscheduler": lambda path: path == "daemon/services/schedule/timetable.py",
}


def test_there_is_source_to_judge() -> None:
    assert len(source_files()) > 50


@pytest.mark.parametrize("library", DOORS)
def test_a_library_has_one_door(library: str) -> None:
    users = [file.path for file in source_files() if file.imports_of(library)]
    assert users, f"nothing imports {library}: the law is about nothing"
    assert [path for path in users if not DOORS[library](path)] == []


def test_tasks_are_made_by_the_supervisor_only() -> None:
    made = [
        where(node, file)
        for file in source_files()
        if file.path != "daemon/kernel/tasks.py"
        for node in ast.walk(file.tree)
        if isinstance(node, ast.Attribute)
        and node.attr in ("create_task", "ensure_future")
        and isinstance(node.value, ast.Name)
        and node.value.id in ("asyncio", "loop")
    ]
    assert made == []


def test_broad_excepts_stand_at_the_borders() -> None:
    broad = [
        where(node, file)
        for file in source_files()
        if not BORDERS.fullmatch(file.path) and not file.path.startswith("simulators/")
        for node in ast.walk(file.tree)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or (isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException")))
    ]
    assert broad == []


def test_modules_answer_through_the_pipeline() -> None:
    direct = [
        where(node, file)
        for file in source_files()
        if file.path.startswith("daemon/modules/")
        for node in ast.walk(file.tree)
        if isinstance(node, ast.Attribute)
        and node.attr in ("response", "followup", "edit_original_response", "original_response")
        and isinstance(node.value, ast.Name)
        and "interaction" in node.value.id
    ]
    assert direct == []


def test_modules_know_nothing_of_each_other() -> None:
    def module_of(path: str) -> str:
        return path.split("/")[2]

    strangers = [
        f"{file.path} imports {name}"
        for file in source_files()
        if re.match(r"daemon/modules/\w+/", file.path)
        for name in file.imports()
        if name.startswith("daemon.modules.") and name.split(".")[2] != module_of(file.path)
    ]
    assert strangers == []


def test_modules_own_no_tables() -> None:
    assert [f.path for f in source_files() if f.path.startswith("daemon/modules/") and f.imports_of("sqlalchemy")] == []


def test_settings_are_read_by_the_cli_only() -> None:
    readers = [
        file.path
        for file in source_files()
        if not file.path.startswith(("daemon/cli", "daemon/settings"))
        and any(name.startswith("os.environ") or name == "os.getenv" for name in _attribute_paths(file))
        and not file.path.startswith("simulators/")
    ]
    # the adapter sets plexapi's own switches before its first import; sd_notify and alike would be named here too
    assert [path for path in readers if not path.startswith("integrations/plex/adapter")] == []


def _attribute_paths(file: SourceFile) -> list[str]:
    return [ast.unparse(node) for node in ast.walk(file.tree) if isinstance(node, ast.Attribute)]


def test_files_and_functions_stay_readable() -> None:
    files = [file for file in source_files() if "/migrations/" not in file.path]
    assert [f"{f.path}: {f.lines} lines" for f in files if f.lines > LINES_MAX] == []
    usual = sum(file.lines <= LINES_USUAL for file in files) / len(files)
    assert usual >= 0.9
    long_functions = [
        f"{where(node, file)} {node.name}"
        for file in files
        for node in ast.walk(file.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno + 1 > FUNCTION_LINES_MAX
    ]
    assert long_functions == []


def test_the_composition_root_stays_small() -> None:
    assert [f.lines for f in source_files() if f.path == "daemon/app.py" and f.lines > 250] == []


def test_names_say_what_things_are() -> None:
    named = [f.path for f in source_files() if FORBIDDEN_NAMES & set(f.path.removesuffix(".py").split("/"))]
    assert named == []


def test_public_things_carry_a_docstring() -> None:
    bare = [
        f"{where(node, file)} {node.name}"
        for file in source_files()
        if "/migrations/" not in file.path
        for node in _public_definitions(file.tree)
        if ast.get_docstring(node) is None
    ]
    assert bare == []


def _public_definitions(tree: ast.Module) -> list[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    found: list[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef] = []
    bodies = [tree.body]
    while bodies:
        for node in bodies.pop():
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) or node.name.startswith("_"):
                continue
            marks = " ".join(ast.unparse(mark) for mark in node.decorator_list)
            if "overload" not in marks and ".setter" not in marks:
                found.append(node)
            if isinstance(node, ast.ClassDef):
                bodies.append(node.body)
    return found
