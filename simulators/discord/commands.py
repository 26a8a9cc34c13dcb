"""Application commands as Discord keeps them: an upsert, a bulk overwrite, and defaults filled in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from simulators.discord.objects import Json

CREATES_PER_DAY = 200  # new (type, name) pairs a scope and UTC day
LOCALIZED = ("name_localizations", "description_localizations")


class TooManyCreates(Exception):
    """The daily budget of new commands is spent (30034)."""


@dataclass(slots=True)
class Command:
    """One command of an app; `guild_id` None is the global scope. `data` is what Discord stores."""

    command_id: int
    app_id: int
    guild_id: int | None
    data: Json
    version: int
    permissions: list[Json] = field(default_factory=list)

    @property
    def key(self) -> tuple[int, str]:
        """What makes it the same command for Discord: type and name."""
        return self.data["type"], self.data["name"]

    def to_json(self, *, with_localizations: bool = True) -> Json:
        """The command object as REST answers it."""
        data = {key: value for key, value in self.data.items() if with_localizations or key not in LOCALIZED}
        if not with_localizations and "options" in data:
            data["options"] = [_without_localizations(option) for option in data["options"]]
        head: Json = {
            "id": str(self.command_id),
            "application_id": str(self.app_id),
            "version": str(self.version),
        }
        if self.guild_id is not None:
            head["guild_id"] = str(self.guild_id)
        return head | data


class Commands:
    """All commands of all apps, by scope."""

    def __init__(self, new_id: Callable[[], int], now: Callable[[], float]) -> None:
        self._new_id = new_id
        self._now = now
        self._scopes: dict[tuple[int, int | None], dict[int, Command]] = {}
        self._creates: dict[tuple[int, int | None, int], int] = {}

    def of(self, app_id: int, guild_id: int | None = None) -> list[Command]:
        """Commands of one scope in the order they were made."""
        return list(self._scopes.get((app_id, guild_id), {}).values())

    def seen_in(self, app_id: int, guild_id: int | None) -> list[Command]:
        """What a client offers in a guild: the global commands and the guild's own (None: direct messages)."""
        context = 0 if guild_id else 1
        shown = [c for c in self.of(app_id) if c.data.get("contexts") is None or context in c.data["contexts"]]
        return shown + (self.of(app_id, guild_id) if guild_id else [])

    def get(self, app_id: int, guild_id: int | None, command_id: int) -> Command | None:
        """One command of a scope."""
        return self._scopes.get((app_id, guild_id), {}).get(command_id)

    def upsert(self, app_id: int, guild_id: int | None, payload: Json) -> tuple[Command, bool]:
        """Create or replace by (type, name); says whether it is new. Raises TooManyCreates."""
        data = materialise(payload, is_global=guild_id is None)
        scope = self._scopes.setdefault((app_id, guild_id), {})
        old = next((c for c in scope.values() if c.key == (data["type"], data["name"])), None)
        if old is None:
            self._spend(app_id, guild_id, 1)
            made = Command(self._new_id(), app_id, guild_id, data, self._new_id())
            scope[made.command_id] = made
            return made, True
        if old.data != data:
            old.data, old.version = data, self._new_id()
        return old, False

    def edit(self, command: Command, changes: Json) -> Command:
        """Replace the fields given."""
        data = materialise(command.data | changes, is_global=command.guild_id is None)
        if data != command.data:
            command.data, command.version = data, self._new_id()
        return command

    def overwrite(self, app_id: int, guild_id: int | None, payloads: Iterable[Json]) -> list[Command]:
        """Bulk PUT: the scope holds exactly these afterwards; known (type, name) keep their ids."""
        wanted = [materialise(payload, is_global=guild_id is None) for payload in payloads]
        known = {command.key: command for command in self.of(app_id, guild_id)}
        self._spend(app_id, guild_id, sum((data["type"], data["name"]) not in known for data in wanted))
        result: list[Command] = []
        for data in wanted:
            command = known.get((data["type"], data["name"]))
            if command is None:
                command = Command(self._new_id(), app_id, guild_id, data, self._new_id())
            elif command.data != data:
                command.data, command.version = data, self._new_id()
            result.append(command)
        self._scopes[app_id, guild_id] = {command.command_id: command for command in result}
        return result

    def delete(self, command: Command) -> None:
        """Remove one command."""
        self._scopes[command.app_id, command.guild_id].pop(command.command_id, None)

    def _spend(self, app_id: int, guild_id: int | None, creates: int) -> None:
        key = (app_id, guild_id, int(self._now() // 86_400))
        used = self._creates.get(key, 0) + creates
        if used > CREATES_PER_DAY:
            raise TooManyCreates
        self._creates[key] = used


def materialise(payload: Json, *, is_global: bool) -> Json:
    """A command as Discord gives it back: defaults filled in, empty and redundant fields gone."""
    kind = payload.get("type") or 1
    data: Json = {
        "type": kind,
        "name": payload["name"],
        "name_localizations": _localizations(payload.get("name_localizations"), payload["name"]),
        "description": payload.get("description") or "",
        "description_localizations": _localizations(
            payload.get("description_localizations"), payload.get("description") or ""
        ),
        "default_member_permissions": _permissions(payload.get("default_member_permissions")),
        "nsfw": bool(payload.get("nsfw", False)),
    }
    if is_global:
        contexts = payload.get("contexts")
        data["contexts"] = None if contexts is None else sorted(set(contexts))
        data["integration_types"] = sorted(set(payload.get("integration_types") or [0]))
        data["dm_permission"] = contexts is None or 1 in contexts
    options = [_option(option) for option in payload.get("options") or []]
    if options:
        data["options"] = options
    return data


def _option(option: Json) -> Json:
    data: Json = {
        "type": option["type"],
        "name": option["name"],
        "name_localizations": _localizations(option.get("name_localizations"), option["name"]),
        "description": option["description"],
        "description_localizations": _localizations(option.get("description_localizations"), option["description"]),
    }
    for key in ("required", "autocomplete"):
        if option.get(key):
            data[key] = True
    for key in ("min_value", "max_value", "min_length", "max_length"):
        if option.get(key) is not None:
            data[key] = option[key]
    if option.get("channel_types"):
        data["channel_types"] = sorted(option["channel_types"])
    if option.get("choices"):
        data["choices"] = [
            {
                "name": choice["name"],
                "name_localizations": _localizations(choice.get("name_localizations"), choice["name"]),
                "value": choice["value"],
            }
            for choice in option["choices"]
        ]
    if option.get("options"):
        data["options"] = [_option(inner) for inner in option["options"]]
    return data


def _localizations(given: dict[str, str | None] | None, default: str) -> dict[str, str] | None:
    kept = {locale: text for locale, text in (given or {}).items() if text and text != default}
    return kept or None


def _permissions(given: Any) -> str | None:
    return None if given is None else str(int(given))


def _without_localizations(option: Json) -> Json:
    data = {key: value for key, value in option.items() if key not in LOCALIZED}
    for key in ("options", "choices"):
        if key in data:
            data[key] = [_without_localizations(inner) for inner in data[key]]
    return data
