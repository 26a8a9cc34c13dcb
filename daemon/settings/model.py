"""What can be set, with types, bounds and defaults. `config/marquee.toml` documents each one."""

from __future__ import annotations

import ipaddress
import os
import re
import ssl
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from daemon.settings.cron import check_cron

PLEX_TV = "https://plex.tv"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_SNOWFLAKE_MAX = 2**63 - 1
_PASSPHRASE_CHARS_MIN = 12
_SECRET_KEY_CHARS_MIN = 32


def split_commas(value: object) -> object:
    """A list as the environment gives it: "1, 2" is ["1", "2"]; one number alone is a list, too; lists stay."""
    if isinstance(value, int):
        return [value]
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _check_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError("names are 1 to 32 of a-z, 0-9, _ and -, beginning with a letter or digit")
    return name


def _check_secret(secret: SecretStr) -> SecretStr:
    value = secret.get_secret_value()
    if not value.strip():
        raise ValueError("must not be empty")
    if any(ch in value for ch in "\r\n\0"):
        raise ValueError("must be one line")
    return secret


def _check_http_url(url: str) -> str:
    parts = _split_url(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be a URL such as http://192.168.1.10:32400")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("must be a plain URL, without user, query or fragment")
    return url.rstrip("/")


def _check_loopback_url(url: str) -> str:
    url = _check_http_url(url)
    if not is_loopback(_split_url(url).hostname or ""):
        raise ValueError("must be on loopback (127.0.0.1, ::1 or localhost): it is meant for simulators")
    return url


def _check_account_url(url: str) -> str:
    return PLEX_TV if url.rstrip("/") == PLEX_TV else _check_loopback_url(url)


def _check_connect(address: str) -> str:
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError("must be HOST:PORT, such as 127.0.0.1:8443")
    if not is_loopback(host.strip("[]")):
        raise ValueError("must be on loopback (127.0.0.1, ::1 or localhost): it is meant for simulators")
    return address


def _check_passphrase(secret: SecretStr) -> SecretStr:
    if len(secret.get_secret_value()) < _PASSPHRASE_CHARS_MIN:
        raise ValueError(
            f"must have {_PASSPHRASE_CHARS_MIN} characters at least: whoever has a backup can try at leisure"
        )
    return secret


def _check_secret_keys(secret: SecretStr) -> SecretStr:
    keys = split_commas(_check_secret(secret).get_secret_value())
    if not isinstance(keys, list) or any(len(key) < _SECRET_KEY_CHARS_MIN for key in keys):
        raise ValueError(f"each key must have {_SECRET_KEY_CHARS_MIN} characters at least")
    return secret


def _check_data_dir(folder: Path) -> Path:
    existing = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    if not existing.is_dir():
        raise ValueError("must be a folder, or a place where one can be made")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise ValueError("cannot be written to")
    return folder


def _check_ca_file(file: Path) -> Path:
    # Read here because every attempt to connect would fail for it, and that looks as if Discord were down.
    try:
        ssl.create_default_context(cafile=file)
    except ssl.SSLError:
        raise ValueError("must hold a certificate in PEM form") from None
    except OSError as error:
        raise ValueError(f"the file cannot be read: {error.strerror}") from None
    return file


def _check_redis_url(secret: SecretStr) -> SecretStr:
    if not _check_secret(secret).get_secret_value().startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("must begin with redis://, rediss:// or unix://")
    _split_url(secret.get_secret_value())
    return secret


def _check_database_url(secret: SecretStr) -> SecretStr:
    url = secret.get_secret_value()
    if not url.startswith(("sqlite:///", "postgresql://", "postgresql+psycopg://")):
        raise ValueError("must begin with sqlite:/// or postgresql://")
    if not url.startswith("sqlite:"):
        _split_url(url)
    return secret


def _split_url(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port  # parsed, and refused, only when it is read
    except ValueError:
        # The original text could repeat a password.
        raise ValueError("is not a URL that can be read") from None
    return parts


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine by its spelling alone; names are not looked up."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


Name = Annotated[str, AfterValidator(_check_name)]
Secret = Annotated[SecretStr, AfterValidator(_check_secret)]
Snowflake = Annotated[int, Field(gt=0, le=_SNOWFLAKE_MAX)]
Snowflakes = Annotated[frozenset[Snowflake], BeforeValidator(split_commas)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Database(_Section):
    """Where the daemon keeps what it knows."""

    url: Annotated[SecretStr, AfterValidator(_check_database_url)] | None = None


class Redis(_Section):
    """What several processes share: hints of waiting work, caches, rate limits."""

    url: Annotated[SecretStr, AfterValidator(_check_redis_url)] | None = None


class Queue(_Section):
    """Where the queue keeps bodies that are too large for a row."""

    claims: Literal["auto", "file", "database"] = "auto"


class Http(_Section):
    """The address of health and metrics."""

    host: Annotated[str, Field(min_length=1, max_length=253)] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8420


class PlexServer(_Section):
    """One Plex Media Server."""

    url: Annotated[str, AfterValidator(_check_http_url)]
    token: Secret


class Plex(_Section):
    """Plex servers by name, and how patient we are with them."""

    servers: dict[Name, PlexServer] = Field(default_factory=dict)
    account_url: Annotated[str, AfterValidator(_check_account_url)] = PLEX_TV
    connect_timeout_s: Annotated[float, Field(ge=0.5, le=30)] = 3.0
    request_timeout_s: Annotated[float, Field(ge=1, le=60)] = 10.0
    page_timeout_s: Annotated[float, Field(ge=5, le=600)] = 60.0
    check_interval_s: Annotated[float, Field(ge=5, le=3600)] = 60.0
    refresh_interval_s: Annotated[float, Field(ge=60, le=86400)] = 900.0


class Bot(_Section):
    """One Discord bot. The token is opaque: Discord alone judges it."""

    token: Secret
    modules: Annotated[tuple[str, ...], BeforeValidator(split_commas)] = ()


class Discord(_Section):
    """Bots by name, and where they work."""

    bots: dict[Name, Bot] = Field(default_factory=dict)
    guilds: Snowflakes | None = None
    connect: Annotated[str, AfterValidator(_check_connect)] | None = None
    ca_file: Annotated[Path, AfterValidator(_check_ca_file)] | None = None

    @model_validator(mode="after")
    def _settle(self) -> Discord:
        if self.ca_file is not None and self.connect is None:
            raise ValueError("ca_file is only used together with connect")
        if self.guilds is not None and not self.guilds:
            object.__setattr__(self, "guilds", None)  # an empty list in a file means the same as no list
        return self

    @property
    def address(self) -> tuple[str, int] | None:
        """`connect` as host and port."""
        if self.connect is None:
            return None
        host, _, port = self.connect.rpartition(":")
        return host.strip("[]"), int(port)


class Retention(_Section):
    """For how many days what is settled is kept, and how many events at most."""

    events_days: Annotated[int, Field(ge=1, le=3650)] = 30
    events_max: Annotated[int, Field(ge=1000, le=100_000_000)] = 1_000_000
    dedupe_days: Annotated[int, Field(ge=1, le=365)] = 7
    dead_letters_days: Annotated[int, Field(ge=1, le=3650)] = 90
    notices_days: Annotated[int, Field(ge=1, le=3650)] = 30
    schedule_runs_days: Annotated[int, Field(ge=1, le=3650)] = 90


class Backup(_Section):
    """When archives of everything are made, where they lie, and how many of them."""

    enabled: bool = True
    schedule: Annotated[str, AfterValidator(check_cron)] = "30 4 * * *"
    folder: Path | None = None  # need not be there: a disk that is away must not keep the daemon from starting
    keep: Annotated[int, Field(ge=1, le=1000)] = 7
    passphrase: Annotated[Secret, AfterValidator(_check_passphrase)] | None = None


class Limits(_Section):
    """How often commands, presses and forms may be used: so many at once, then so many a second."""

    member_burst: Annotated[int, Field(ge=1, le=1_000_000)] = 60
    member_per_s: Annotated[float, Field(ge=0.01, le=1_000_000)] = 2.0
    guild_burst: Annotated[int, Field(ge=1, le=1_000_000)] = 300
    guild_per_s: Annotated[float, Field(ge=0.01, le=1_000_000)] = 20.0


class FollowedClock(_Section):
    """The clock of a simulator that ours follows."""

    url: Annotated[str, AfterValidator(_check_loopback_url)] | None = None


class Log(_Section):
    """What is written to stderr."""

    format: Literal["console", "json"] = "console"
    level: Literal["debug", "info", "warning", "error"] = "info"


class Otel(_Section):
    """Where traces are sent."""

    endpoint: Annotated[str, AfterValidator(_check_http_url)] | None = None


class Settings(BaseSettings):
    """Everything an operator decides, checked. Made by `daemon.settings.load.load` alone."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    data_dir: Annotated[Path, AfterValidator(_check_data_dir)] = Path("data")
    owners: Snowflakes = frozenset()
    secret_key: Annotated[SecretStr, AfterValidator(_check_secret_keys)] | None = None
    module_folders: Annotated[tuple[Path, ...], BeforeValidator(split_commas)] = ()
    database: Database = Field(default_factory=Database)
    redis: Redis = Field(default_factory=Redis)
    queue: Queue = Field(default_factory=Queue)
    http: Http = Field(default_factory=Http)
    plex: Plex = Field(default_factory=Plex)
    discord: Discord = Field(default_factory=Discord)
    retention: Retention = Field(default_factory=Retention)
    backup: Backup = Field(default_factory=Backup)
    limits: Limits = Field(default_factory=Limits)
    clock: FollowedClock = Field(default_factory=FollowedClock)
    log: Log = Field(default_factory=Log)
    otel: Otel = Field(default_factory=Otel)
    modules: dict[str, dict[str, Any]] = Field(default_factory=dict)

    @property
    def database_url(self) -> str:
        """The database's URL, by default SQLite in the data folder. May hold a password: not for people's eyes."""
        if self.database.url is not None:
            return self.database.url.get_secret_value()
        return f"sqlite:///{self.data_dir.absolute() / 'marquee.db'}"

    @property
    def secret_keys(self) -> list[str]:
        """The keys that seal tokens, the newest first; empty when the file in the data folder has them."""
        if self.secret_key is None:
            return []
        return [part.strip() for part in self.secret_key.get_secret_value().split(",") if part.strip()]

    @property
    def backup_folder(self) -> Path:
        """Where archives lie, by default in the data folder."""
        return self.backup.folder or self.data_dir / "backups"

    @property
    def claims_folder(self) -> Path:
        """Where large message bodies lie when they lie in files."""
        return self.data_dir / "claims"

    @property
    def claims_in_database(self) -> bool:
        """Whether large message bodies are put into the database."""
        if self.queue.claims == "auto":
            return not self.database_url.startswith("sqlite")
        return self.queue.claims == "database"

    def secrets(self) -> list[str]:
        """Every value that must never be shown: tokens, the passphrase, and the passwords inside URLs."""
        found = [server.token for server in self.plex.servers.values()]
        found += [bot.token for bot in self.discord.bots.values()]
        found += [self.backup.passphrase] if self.backup.passphrase is not None else []
        values = [secret.get_secret_value() for secret in found] + self.secret_keys
        for url in (self.database.url, self.redis.url):
            values += [] if url is None else passwords_in(url.get_secret_value())
        return values


def passwords_in(url: str) -> list[str]:
    """The password in `url`, as written there and as it reads; none for a URL without one."""
    password = urlsplit(url).password
    return [] if not password else sorted({password, unquote(password)})
