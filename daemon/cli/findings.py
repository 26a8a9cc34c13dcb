"""What the doctor found, and the settings as they may be shown. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from daemon.settings.model import Settings

MASK = "set, hidden"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was tried. `mend` says what to do about it, empty when it is fine; `invite` is a bot's link."""

    subject: str  # "Plex server attic"
    is_fine: bool
    text: str
    mend: str = ""
    invite: str = ""


def shown_settings(settings: Settings) -> list[tuple[str, str]]:
    """Name and value of every setting that matters, secrets masked."""
    rows = [
        ("data_dir", str(settings.data_dir.absolute())),
        ("database.url", _shown_url(settings)),
        ("redis.url", "not set" if settings.redis.url is None else MASK),
        ("http", f"{settings.http.host}:{settings.http.port}"),
        ("owners", _listed(settings.owners) or "nobody"),
        ("plex.account_url", settings.plex.account_url),
        ("plex.request_timeout_s", f"{settings.plex.request_timeout_s:g} s"),
        ("discord.guilds", _listed(settings.discord.guilds or ()) or "every server that invited a bot"),
    ]
    rows += [(f"plex.servers.{name}", f"{server.url}, token {MASK}") for name, server in settings.plex.servers.items()]
    for name, bot in settings.discord.bots.items():
        rows.append((f"discord.bots.{name}", f"token {MASK}"))
        rows.append((f"discord.bots.{name}.modules", ", ".join(bot.modules) or "all that no other bot names"))
    if settings.discord.connect is not None:
        rows.append(("discord.connect", f"{settings.discord.connect} (a simulator)"))
        rows.append(("discord.ca_file", str(settings.discord.ca_file or "the system's")))
    if settings.clock.url is not None:
        rows.append(("clock.url", f"{settings.clock.url} (a simulator)"))
    rows.append(("backup", _shown_backup(settings)))
    rows.append(("log", f"{settings.log.format}, {settings.log.level}"))
    for module, values in sorted(settings.modules.items()):
        rows += [(f"modules.{module}.{key}", str(value)) for key, value in sorted(values.items())]
    return rows


def to_document(settings: Settings, findings: list[Finding]) -> dict[str, Any]:
    """The whole examination for machines."""
    return {
        "status": "ok" if all(finding.is_fine for finding in findings) else "unreachable",
        "settings": dict(shown_settings(settings)),
        "checks": [
            {"subject": f.subject, "ok": f.is_fine, "text": f.text}
            | ({"mend": f.mend} if f.mend else {})
            | ({"invite": f.invite} if f.invite else {})
            for f in findings
        ],
    }


def _shown_url(settings: Settings) -> str:
    from daemon.settings.model import passwords_in

    url = settings.database_url
    for password in passwords_in(url):
        url = url.replace(password, "***")
    return url


def _shown_backup(settings: Settings) -> str:
    backup = settings.backup
    when = f"at {backup.schedule} UTC" if backup.enabled else "by hand only"
    sealed = "encrypted" if backup.passphrase is not None else "not encrypted"
    return f"{when}, {backup.keep} kept in {settings.backup_folder.absolute()}, {sealed}"


def _listed(ids: frozenset[int] | tuple[int, ...]) -> str:
    return ", ".join(map(str, sorted(ids)))
