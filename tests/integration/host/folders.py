"""Writing modules into folders for the tests of the host."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

SETUP = """
from contextlib import asynccontextmanager

@asynccontextmanager
async def setup(ctx):
    {before}
    yield
    {after}
"""


def write_module(
    parent: Path,
    name: str,
    *,
    manifest: str = "",
    before: str = "pass",
    after: str = "pass",
    files: dict[str, str] | None = None,
) -> Path:
    """A folder `name` with a good manifest, to which `manifest` is appended, and a setup of two statements."""
    folder = parent / name
    folder.mkdir(parents=True)
    head = f'id = "{name}"\nname = "{name.title()}"\nversion = "1.0"\napi = 1\n'
    (folder / "manifest.toml").write_text(head + dedent(manifest), encoding="utf-8")
    (folder / "__init__.py").write_text(SETUP.format(before=before, after=after), encoding="utf-8")
    for path, text in (files or {}).items():
        (folder / path).write_text(dedent(text), encoding="utf-8")
    return folder
