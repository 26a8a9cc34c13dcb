"""config/marquee.toml is documentation: it must say what the model says, and explain each setting."""

from __future__ import annotations

import re

import pytest
from pydantic import BaseModel

from daemon.settings.layers import PROJECT, read_toml, tracked_file
from daemon.settings.load import load
from daemon.settings.model import Backup, Http, Plex, Settings
from daemon.settings.names import tree_of

SECTIONS: dict[str, type[BaseModel]] = {"backup": Backup, "http": Http, "plex": Plex}
RANGES = [
    (section, name)
    for section, model in SECTIONS.items()
    for name, info in model.model_fields.items()
    if any(hasattr(bound, "ge") for bound in info.metadata)
]
TEXT = (PROJECT / "config" / "marquee.toml").read_text()


def test_the_tracked_file_states_the_defaults() -> None:
    assert tracked_file() == PROJECT / "config" / "marquee.toml"
    assert load({}, use_local=False).model_dump() == Settings.model_construct().model_dump()


def test_every_setting_stands_in_the_tracked_file() -> None:
    layer = read_toml(tracked_file())
    assert layer.mistakes == []
    written = set(re.findall(r"^(?:# )?(\w+) = ", TEXT, re.MULTILINE))
    sections = set(re.findall(r"^\[([\w.]+)\]", TEXT, re.MULTILINE))
    paths = [path for path in tree_of(Settings).settings() if "<name>" not in path]
    assert len(paths) > 15
    for path in paths:
        if path[-1].endswith("_file") and tree_of(Settings).find(path) is None:
            continue  # the twin of a secret, explained once at the top
        assert path[-1] in written, path
        assert len(path) == 1 or ".".join(path[:-1]) in sections, path


def test_every_setting_is_explained_with_its_default() -> None:
    """Above each setting stands a comment that gives its default and, after a colon, a comma or a full stop, why."""
    lines = TEXT.splitlines()
    settings = [number for number, line in enumerate(lines) if re.match(r"\w+ = ", line)]
    assert len(settings) > 15
    for number in settings:
        comment: list[str] = []
        above = number - 1
        while lines[above].startswith("#"):
            comment.insert(0, lines[above].removeprefix("#").strip())
            above -= 1
        assert "Default" in " ".join(comment), lines[number]


@pytest.mark.parametrize(("section", "name"), RANGES)
def test_ranges_in_the_text_are_those_of_the_model(section: str, name: str) -> None:
    bounds = SECTIONS[section].model_fields[name].metadata
    low, high = bounds[0].ge, bounds[1].le
    comment = TEXT[: TEXT.index(f"\n{name} = ")].rsplit(" = ", 1)[-1].replace("\n# ", " ")
    assert f"{low} to {high}" in comment
