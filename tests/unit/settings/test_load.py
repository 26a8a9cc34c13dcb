from __future__ import annotations

from pathlib import Path

import certifi
import pytest

from daemon.core.errors import ConfigError
from daemon.settings.load import load
from daemon.settings.model import Settings

CANARY = "canary-token-0123456789"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """An empty project: settings come from the model's defaults and from what the test writes."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "marquee.toml").write_text("")
    return tmp_path


def mistakes(project: Path, environ: dict[str, str]) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        load(environ, project=project)
    return raised.value.mistakes


def test_a_data_folder_that_cannot_be_is_told_with_the_rest(project: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    environ = {"MARQUEE_DATA_DIR": str(tmp_path / "file" / "data"), "MARQUEE_HTTP__PORT": "x"}
    assert sorted(line.split(":")[0] for line in mistakes(project, environ)) == [
        "MARQUEE_DATA_DIR",
        "MARQUEE_HTTP__PORT",
    ]


def test_every_fixed_name_works(project: Path, tmp_path: Path) -> None:
    settings = load(
        {
            "MARQUEE_DATA_DIR": str(tmp_path / "not" / "yet"),
            "MARQUEE_DATABASE__URL": "postgresql://u:secret@127.0.0.1/m",
            "MARQUEE_REDIS__URL": "redis://127.0.0.1:6379/0",
            "MARQUEE_HTTP__HOST": "0.0.0.0",
            "MARQUEE_HTTP__PORT": "9000",
            "MARQUEE_OWNERS": "11, 22",
            "MARQUEE_PLEX__SERVERS__ATTIC__URL": "http://192.168.1.10:32400/",
            "MARQUEE_PLEX__SERVERS__ATTIC__TOKEN": "plex-token",
            "MARQUEE_PLEX__ACCOUNT_URL": "http://127.0.0.1:4000/_plex.tv",
            "MARQUEE_DISCORD__BOTS__Marquee__TOKEN": "any thing at all",
            "MARQUEE_DISCORD__GUILDS": "33",
            "MARQUEE_DISCORD__CONNECT": "127.0.0.1:4443",
            "MARQUEE_DISCORD__CA_FILE": certifi.where(),
            "MARQUEE_CLOCK__URL": "http://127.0.0.1:4000/__sim/clock",
            "MARQUEE_LOG__FORMAT": "json",
        },
        project=project,
    )
    assert settings.data_dir == tmp_path / "not" / "yet"
    assert settings.database_url == "postgresql://u:secret@127.0.0.1/m"
    assert settings.redis.url is not None
    assert (settings.http.host, settings.http.port) == ("0.0.0.0", 9000)
    assert settings.owners == {11, 22}
    assert settings.plex.servers["attic"].url == "http://192.168.1.10:32400"
    assert settings.plex.account_url == "http://127.0.0.1:4000/_plex.tv"
    assert settings.discord.bots["marquee"].token.get_secret_value() == "any thing at all"
    assert settings.discord.guilds == frozenset({33})
    assert settings.discord.address == ("127.0.0.1", 4443)
    assert settings.clock.url == "http://127.0.0.1:4000/__sim/clock"
    assert settings.log.format == "json"
    assert set(settings.secrets()) == {"plex-token", "any thing at all", "secret"}


def test_layers_override_key_by_key(project: Path) -> None:
    (project / "config" / "marquee.toml").write_text('[http]\nport = 1\nhost = "127.0.0.1"\n[log]\nlevel = "error"\n')
    (project / "config" / "local.toml").write_text(
        '[http]\nport = 2\n[plex.servers.Attic]\nurl = "http://a"\ntoken = "from-file"\n'
    )
    settings = load({"MARQUEE_PLEX__SERVERS__ATTIC__TOKEN": "from-environment"}, project=project)
    assert settings.http.port == 2
    assert settings.log.level == "error"
    assert settings.plex.servers["attic"].url == "http://a"
    assert settings.plex.servers["attic"].token.get_secret_value() == "from-environment"
    assert load({"MARQUEE_HTTP__PORT": "3"}, project=project).http.port == 3
    assert load({"MARQUEE_HTTP__PORT": ""}, project=project).http.port == 2
    assert load({}, project=project, use_local=False).http.port == 1


def test_the_named_file_replaces_the_local_one(project: Path, tmp_path: Path) -> None:
    (project / "config" / "local.toml").write_text("[http]\nport = 2\n")
    named = tmp_path / "mine.toml"
    named.write_text('[log]\nlevel = "debug"\n')
    settings = load({"MARQUEE_CONFIG": str(named)}, project=project)
    assert (settings.http.port, settings.log.level) == (8420, "debug")
    (line,) = mistakes(project, {"MARQUEE_CONFIG": str(tmp_path / "absent.toml")})
    assert "absent.toml" in line
    assert "cannot be read" in line


def test_a_database_in_the_data_folder_is_the_default(project: Path, tmp_path: Path) -> None:
    assert load({"MARQUEE_DATA_DIR": str(tmp_path)}, project=project).database_url == f"sqlite:///{tmp_path}/marquee.db"


def test_secrets_can_come_from_files(project: Path, tmp_path: Path) -> None:
    token, url = tmp_path / "token", tmp_path / "url"
    token.write_text(f"{CANARY}\n")
    url.write_text(f"postgresql://u:{CANARY}@h/d\r\n")
    settings = load(
        {"MARQUEE_DISCORD__BOTS__A__TOKEN_FILE": str(token), "MARQUEE_DATABASE__URL_FILE": str(url)}, project=project
    )
    assert settings.discord.bots["a"].token.get_secret_value() == CANARY
    assert settings.database_url.endswith("@h/d")
    assert CANARY not in repr(settings)
    (project / "config" / "local.toml").write_text(f'[discord.bots.a]\ntoken_file = "../{token.name}"\n')
    assert load({}, project=project).discord.bots["a"].token.get_secret_value() == CANARY


def test_a_secret_and_its_file_together_are_a_mistake(project: Path, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("x")
    (line,) = mistakes(
        project,
        {
            "MARQUEE_DISCORD__BOTS__A__TOKEN": CANARY,
            "MARQUEE_DISCORD__BOTS__A__TOKEN_FILE": str(tmp_path / "token"),
        },
    )
    assert "MARQUEE_DISCORD__BOTS__A__TOKEN_FILE" in line
    assert "together" in line


def test_a_secret_file_that_cannot_be_read_is_one_mistake(project: Path, tmp_path: Path) -> None:
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe")
    lines = mistakes(
        project,
        {
            "MARQUEE_DISCORD__BOTS__A__TOKEN_FILE": str(tmp_path / "absent"),
            "MARQUEE_DISCORD__BOTS__B__TOKEN_FILE": str(binary),
        },
    )
    assert len(lines) == 2
    assert "No such file" in lines[0]
    assert "not UTF-8" in lines[1]


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("MARQUEE_HTTP_PORT", "MARQUEE_HTTP__PORT"),
        ("MARQUEE_HTPP__PORT", "MARQUEE_HTTP__PORT"),
        ("MARQUEE_OWNER", "MARQUEE_OWNERS"),
        ("MARQUEE_PLEX__SERVERS__ATTIC__TOKN", "MARQUEE_PLEX__SERVERS__ATTIC__TOKEN"),
        ("MARQUEE_DISCORD__BOT__A__TOKEN_FILE", "MARQUEE_DISCORD__BOTS__A__TOKEN_FILE"),
        ("MARQUEE_HTTP__PORT__NUMBER", "MARQUEE_HTTP__PORT"),
    ],
)
def test_an_unknown_variable_names_the_nearest(project: Path, given: str, meant: str) -> None:
    (line,) = mistakes(project, {given: "1"})
    assert line == f"{given}: unknown setting (did you mean {meant}?)"


def test_an_unknown_key_names_file_and_nearest(project: Path) -> None:
    (project / "config" / "local.toml").write_text("[htp]\nport = 1\n[log]\ncolour = true\nqqqq = 1\n")
    lines = mistakes(project, {})
    assert len(lines) == 3
    assert lines[0].endswith("local.toml: htp.port: unknown setting (did you mean http.port?)")
    assert lines[2].endswith("log.qqqq: unknown setting")


def test_a_section_is_not_a_setting(project: Path) -> None:
    (project / "config" / "local.toml").write_text("http = 80\n")
    lines = mistakes(project, {"MARQUEE_PLEX__SERVERS__ATTIC": "http://a"})
    assert "MARQUEE_PLEX__SERVERS__ATTIC__URL" in lines[0]
    assert "http.host, http.port" in lines[1]


def test_broken_toml_names_file_and_line(project: Path) -> None:
    (project / "config" / "local.toml").write_text("[http]\nport = 1\nhost = = 2\n")
    (line,) = mistakes(project, {})
    assert "local.toml:3: is not valid TOML" in line
    (project / "config" / "local.toml").write_text('[http]\nhost = """\n')
    assert "local.toml:3: is not valid TOML" in mistakes(project, {})[0]
    (project / "config" / "local.toml").write_bytes(b"a = '\xff'")
    assert "is not UTF-8 text (byte 5)" in mistakes(project, {})[0]


def test_a_server_without_its_token_says_what_to_set(project: Path) -> None:
    (line,) = mistakes(project, {"MARQUEE_PLEX__SERVERS__ATTIC__URL": "http://a"})
    assert line == (
        "plex.servers.attic.token: is missing; set MARQUEE_PLEX__SERVERS__ATTIC__TOKEN"
        " or MARQUEE_PLEX__SERVERS__ATTIC__TOKEN_FILE"
    )
    (project / "config" / "local.toml").write_text("[discord.bots.a]\n")
    assert "discord.bots.a.token: is missing" in mistakes(project, {})[0]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MARQUEE_HTTP__PORT", f"{CANARY}"),
        ("MARQUEE_HTTP__PORT", "65536"),
        ("MARQUEE_OWNERS", f"1,{CANARY}"),
        ("MARQUEE_OWNERS", "0"),
        ("MARQUEE_LOG__FORMAT", CANARY),
        ("MARQUEE_DATABASE__URL", f"mysql://u:{CANARY}@h/d"),
        ("MARQUEE_DATABASE__URL", f"postgresql://u:{CANARY}@h:port/d"),
        ("MARQUEE_PLEX__ACCOUNT_URL", "https://example.org"),
        ("MARQUEE_PLEX__ACCOUNT_URL", f"http://u:{CANARY}@127.0.0.1"),
        ("MARQUEE_DISCORD__CONNECT", "discord.com:443"),
        ("MARQUEE_DISCORD__CONNECT", "127.0.0.1"),
        ("MARQUEE_DISCORD__CONNECT", "127.0.0.1:0"),
        ("MARQUEE_CLOCK__URL", "http://example.org/clock"),
        ("MARQUEE_CLOCK__URL", "ftp://127.0.0.1/clock"),
        ("MARQUEE_DISCORD__BOTS__A__TOKEN", f"{CANARY}\nsecond line"),
        ("MARQUEE_DISCORD__BOTS__A__TOKEN", "   "),
    ],
)
def test_a_bad_value_names_its_variable_and_repeats_nothing(project: Path, name: str, value: str) -> None:
    (line,) = mistakes(project, {name: value})
    assert line.startswith(f"{name}: ")
    assert "canary" not in line
    assert "\n" not in line


def test_a_bad_name_of_a_server_is_a_mistake(project: Path) -> None:
    (project / "config" / "local.toml").write_text('[plex.servers."a:b"]\nurl = "http://a"\ntoken = "t"\n')
    (line,) = mistakes(project, {})
    assert "names are" in line


def test_a_certificate_authority_needs_an_address(project: Path) -> None:
    (line,) = mistakes(project, {"MARQUEE_DISCORD__CA_FILE": certifi.where()})
    assert "together with connect" in line


@pytest.mark.parametrize(("content", "why"), [(None, "cannot be read: No such file"), ("no PEM", "in PEM form")])
def test_a_certificate_authority_is_read_at_once(project: Path, content: str | None, why: str) -> None:
    file = project / "ca.pem"
    if content is not None:
        file.write_text(content)
    given = {"MARQUEE_DISCORD__CONNECT": "127.0.0.1:1", "MARQUEE_DISCORD__CA_FILE": str(file)}
    (line,) = mistakes(project, given)
    assert line.startswith("MARQUEE_DISCORD__CA_FILE: ")
    assert why in line


def test_all_mistakes_are_told_at_once(project: Path) -> None:
    (project / "config" / "local.toml").write_text("nonsense = 1\n[log]\nlevel = 'loud'\n")
    lines = mistakes(
        project, {"MARQUEE_HTTP__PORT": "x", "MARQUEE_TYPO": "1", "MARQUEE_DISCORD__BOTS__A__TOKEN_FILE": "/absent"}
    )
    assert len(lines) == 5


def test_modules_are_judged_with_the_rest(project: Path) -> None:
    def judge(folders: object, given: object) -> tuple[dict[str, dict[str, object]], list[str]]:
        assert folders == ()
        assert given == {"playback": {"volume_step": "5", "roles": {"a": 1}}}
        return {"playback": {"volume_step": 5}}, []

    (project / "config" / "local.toml").write_text("[modules.playback]\nroles = {a = 1}\n")
    settings = load({"MARQUEE_MODULES__PLAYBACK__VOLUME_STEP": "5"}, project=project, judge_modules=judge)
    assert settings.modules == {"playback": {"volume_step": 5}}
    with pytest.raises(ConfigError) as raised:
        load(
            {"MARQUEE_HTTP__PORT": "x"},
            project=project,
            judge_modules=lambda *_: ({}, ["modules.pets: no such module"]),
        )
    assert len(raised.value.mistakes) == 2


def test_settings_cannot_be_changed(project: Path) -> None:
    settings = load({}, project=project)
    with pytest.raises(ValueError, match="frozen"):
        settings.owners = frozenset({1})
    assert isinstance(settings, Settings)


def test_other_variables_do_not_concern_us(project: Path) -> None:
    assert (
        load({"PATH": "/bin", "MARQUE_HTTP__PORT": "1", "marquee_http__port": "2"}, project=project).http.port == 8420
    )
