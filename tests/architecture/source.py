"""The project's own source, parsed once, for tests that hold it to its laws."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("daemon", "integrations", "simulators")


@dataclass(frozen=True)
class SourceFile:
    path: str  # relative to the project, with slashes
    lines: int
    tree: ast.Module

    def imports(self) -> Iterator[str]:
        """Every imported name in full, TYPE_CHECKING blocks and function bodies included."""
        package = self.path.removesuffix(".py").split("/")[:-1]
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                above = package[: len(package) - node.level + 1] if node.level else []
                base = ".".join([*above, *([node.module] if node.module else [])])
                yield from (f"{base}.{alias.name}" for alias in node.names)

    def imports_of(self, library: str) -> bool:
        return any(name == library or name.startswith(f"{library}.") for name in self.imports())


@cache
def source_files() -> tuple[SourceFile, ...]:
    paths = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    return tuple(
        SourceFile(
            path.relative_to(ROOT).as_posix(), len((text := path.read_text("utf-8")).splitlines()), ast.parse(text)
        )
        for path in paths
    )


def where(node: ast.AST, file: SourceFile) -> str:
    return f"{file.path}:{getattr(node, 'lineno', 0)}"
