"""One form for a command, whether we wrote it or Discord did: equal means that nothing needs to be sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = Mapping[str, Any]

_CHAT_INPUT = 1
_NESTED = (1, 2)  # subcommand, subcommand group
_NUMBER = 10


def canonical(payload: Json) -> dict[str, Any]:
    """`payload` with defaults said and everything sorted whose order means nothing. Keys that are not here are noise:
    ids, versions, what Discord derives from other keys, and what it may add some day.

    The order of options and choices is what members see, so it stays. A local None for contexts or integration types
    has no opinion and compares as Discord's default for us: guilds, installed in guilds.
    """
    kind = int(payload.get("type") or _CHAT_INPUT)
    name = str(payload["name"])
    description = str(payload.get("description") or "") if kind == _CHAT_INPUT else ""
    permissions = payload.get("default_member_permissions")
    return {
        "type": kind,
        "name": name,
        "description": description,
        "name_localizations": _localizations(payload.get("name_localizations"), name),
        "description_localizations": _localizations(payload.get("description_localizations"), description),
        "options": [_option(option) for option in payload.get("options") or ()],
        "default_member_permissions": None if permissions is None else str(int(permissions)),
        "nsfw": bool(payload.get("nsfw")),
        "contexts": _numbers(payload.get("contexts"), default=0),
        "integration_types": _numbers(payload.get("integration_types"), default=0),
    }


def to_discord(payload: Json) -> dict[str, Any]:
    """`payload` as it is sent: contexts and integration types always said, because Discord's defaults have changed."""
    return {
        **payload,
        "contexts": _numbers(payload.get("contexts"), default=0),
        "integration_types": _numbers(payload.get("integration_types"), default=0),
    }


def _option(option: Json) -> dict[str, Any]:
    kind = int(option["type"])
    name, description = str(option["name"]), str(option.get("description") or "")
    found: dict[str, Any] = {
        "type": kind,
        "name": name,
        "description": description,
        "name_localizations": _localizations(option.get("name_localizations"), name),
        "description_localizations": _localizations(option.get("description_localizations"), description),
    }
    if kind in _NESTED:
        found["options"] = [_option(inner) for inner in option.get("options") or ()]
        return found
    found["required"] = bool(option.get("required"))
    if option.get("autocomplete"):
        found["autocomplete"] = True
    if choices := option.get("choices"):
        found["choices"] = [_choice(choice, kind) for choice in choices]
    for key in ("channel_types", "file_types"):
        if values := option.get(key):
            found[key] = sorted(values)
    for key in ("min_value", "max_value"):
        if option.get(key) is not None:
            found[key] = _number(option[key], kind)
    for key in ("min_length", "max_length"):
        if option.get(key) is not None:
            found[key] = int(option[key])
    return found


def _choice(choice: Json, kind: int) -> dict[str, Any]:
    name, value = str(choice["name"]), choice["value"]
    return {
        "name": name,
        "name_localizations": _localizations(choice.get("name_localizations"), name),
        "value": value if isinstance(value, str) else _number(value, kind),
    }


def _number(value: Any, kind: int) -> int | float:
    return float(value) if kind == _NUMBER else int(value)


def _numbers(values: Any, *, default: int) -> list[int]:
    return sorted({int(value) for value in values}) if values else [default]


def _localizations(values: Any, default: str) -> dict[str, str]:
    """Discord ignores a translation that equals the default."""
    return {
        locale: text for locale, text in sorted((values or {}).items()) if text is not None and str(text) != default
    }
