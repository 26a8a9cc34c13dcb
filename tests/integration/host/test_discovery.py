from __future__ import annotations

import sys
from pathlib import Path

import pytest

from daemon.core.ids import ModuleId
from daemon.host.loader import check_settings, discover, judge_settings
from daemon.host.manifest import ManifestError, parse_manifest, read_manifest
from tests.integration.host.folders import write_module

GOOD = {"id": "daily", "name": "Daily", "version": "1.2", "api": 1}
CONFIG = """
from pydantic import BaseModel, ConfigDict, Field

class Config(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    reward: int = Field(ge=0, le=100)
    motto: str
"""


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"requries": ["x"]}, 'unknown key "requries" (did you mean "requires"?)'),
        ({"qqq": 1}, 'unknown key "qqq"'),
        ({"id": "Daily!"}, "id: "),
        ({"version": "latest"}, "version: "),
        ({"api": 2}, "this daemon speaks module API 1, the module wants 2"),
        ({"api": "1"}, "api: "),
        ({"requires": "economy"}, "requires: "),
        ({"intents": ["presences"]}, '"presences" is not an intent that modules may use'),
        ({"intents": ["guild_mesages"]}, 'did you mean "guild_messages"?'),
        ({"commands": ["Play Now"]}, "commands.0: "),
        ({"config": 3}, "config: "),
    ],
)
def test_a_bad_manifest_is_told_in_a_sentence(change: dict[str, object], sentence: str) -> None:
    with pytest.raises(ManifestError) as raised:
        parse_manifest({**GOOD, **change})
    assert sentence in str(raised.value)


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(ManifestError) as raised:
        parse_manifest({"id": "daily", "nmae": "Daily", "api": 1})
    assert raised.value.mistakes == [
        'key "name" is missing',
        'key "version" is missing',
        'unknown key "nmae" (did you mean "name"?)',
    ]


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [(b"id = ", "is not valid TOML: "), (b"\xff\xfe", "is not UTF-8 text (byte 0)"), (b"#" * 70_000, "is larger than")],
)
def test_a_broken_file_is_told_in_a_sentence(tmp_path: Path, raw: bytes, sentence: str) -> None:
    folder = write_module(tmp_path, "daily")
    (folder / "manifest.toml").write_bytes(raw)
    with pytest.raises(ManifestError, match=sentence.replace("(", r"\(").replace(")", r"\)")):
        read_manifest(folder)


def test_an_id_must_be_its_folders_name(tmp_path: Path) -> None:
    folder = write_module(tmp_path, "daily").rename(tmp_path / "weekly")
    with pytest.raises(ManifestError, match='has the id "daily" but stands in a folder named "weekly"'):
        read_manifest(folder)


def test_discovery_runs_no_code(tmp_path: Path) -> None:
    write_module(tmp_path, "daily", before="pass")
    (tmp_path / "daily" / "__init__.py").write_text("raise SystemExit('imported')")
    found = discover([tmp_path])
    assert ModuleId("daily") in found.modules
    assert not [name for name in sys.modules if "daily" in name]


def test_built_in_modules_are_found() -> None:
    found = discover()
    assert found.modules[ModuleId("playback")].source == "built-in"
    assert not found.broken
    assert not found.mistakes


def test_the_earlier_of_two_is_used_and_the_other_reported(tmp_path: Path) -> None:
    write_module(tmp_path / "one", "daily")
    write_module(tmp_path / "two", "daily")
    write_module(tmp_path / "two", "playback")
    found = discover([tmp_path / "one", tmp_path / "two"])
    assert found.modules[ModuleId("daily")].folder == tmp_path / "one" / "daily"
    assert found.shadowed == (
        f"daily of folder {tmp_path / 'two'} is not used: folder {tmp_path / 'one'} has one of that name",
        f"playback of folder {tmp_path / 'two'} is not used: built-in has one of that name",
    )


def test_a_folder_that_is_not_there_is_reported(tmp_path: Path) -> None:
    assert discover([tmp_path / "nowhere"]).mistakes == (f"module folder {tmp_path / 'nowhere'} is not a folder",)


def test_a_package_offers_a_module_by_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_module(tmp_path / "marquee_extra", "daily")
    (tmp_path / "marquee_extra" / "__init__.py").write_text("raise SystemExit('imported')")
    info = tmp_path / "marquee_extra-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: marquee-extra\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[marquee.modules]\ndaily = marquee_extra.daily\nlost = marquee_nowhere.lost\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    found = discover()
    assert found.modules[ModuleId("daily")].source == "package marquee-extra"
    assert found.mistakes == (
        'package marquee-extra offers the module "lost" but marquee_nowhere.lost has no manifest.toml',
    )


@pytest.fixture
def daily(tmp_path: Path) -> Path:
    write_module(tmp_path, "daily", manifest="[config]\nreward = 10\nmotto = 'hello'\n", files={"config.py": CONFIG})
    return tmp_path


@pytest.mark.parametrize(
    ("settings", "mistakes"),
    [
        ({}, []),
        ({"daily": {"reward": 20}}, []),
        ({"daily": {"reward": "20"}}, []),
        ({"daily": {"enabled": "false"}}, []),
        ({"dayly": {}}, ['modules.dayly: there is no module "dayly" (did you mean "daily"?)']),
        ({"daily": {"rewrad": 2}}, ['modules.daily.rewrad: unknown setting (did you mean "reward"?)']),
        (
            {"daily": {"reward": "lots", "enabled": "perhaps"}},
            [
                "modules.daily.enabled: must be true or false",
                ("modules.daily.reward: input should be a valid integer, unable to parse string as an integer"),
            ],
        ),
        (
            {"daily": {"reward": 101, "motto": ["x"]}},
            [
                "modules.daily.reward: input should be less than or equal to 100",
                "modules.daily.motto: input should be a valid string",
            ],
        ),
    ],
)
def test_settings_are_checked_without_starting(
    daily: Path, settings: dict[str, dict[str, object]], mistakes: list[str]
) -> None:
    assert check_settings(discover([daily]), settings) == mistakes


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        (CONFIG.replace("motto: str", "slogan: str"), "do not have the same keys: motto, slogan"),
        (CONFIG.replace("le=100", "le=5"), "its own default is refused: config.reward: "),
        ("import nowhere_at_all", "its config.py cannot be run: No module named 'nowhere_at_all'"),
        ("x = 1", "its config.py has no pydantic model named Config"),
    ],
)
def test_an_authors_mistake_is_told_as_the_modules(daily: Path, config: str, sentence: str) -> None:
    (daily / "daily" / "config.py").write_text(config)
    (mistake,) = check_settings(discover([daily]), {"daily": {}})
    assert mistake.startswith("module daily: ")
    assert sentence in mistake


def test_settings_of_a_module_with_a_bad_manifest_are_no_mistake(daily: Path) -> None:
    (daily / "daily" / "manifest.toml").write_text("id = ")
    found = discover([daily])
    assert found.broken[ModuleId("daily")].startswith("has a bad manifest.toml")
    assert check_settings(found, {"daily": {"reward": 1}}) == []


def test_settings_come_back_in_the_modules_own_types(daily: Path) -> None:
    typed, mistakes = judge_settings([daily], {"daily": {"reward": "20", "enabled": "no"}})
    assert mistakes == []
    assert typed == {"daily": {"reward": 20, "enabled": False}}
