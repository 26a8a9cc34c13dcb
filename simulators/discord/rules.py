"""Rules of Discord that its OpenAPI document does not hold; the comment names the page that says so."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from typing import Any

from simulators.discord import components as parts
from simulators.discord.errors import Violation
from simulators.discord.objects import FLAG_COMPONENTS_V2, Json

# fmt: off
LOCALES = frozenset({
    "id", "da", "de", "en-GB", "en-US", "es-ES", "es-419", "fr", "hr", "it", "lt", "hu", "nl", "no", "pl", "pt-BR",
    "ro", "fi", "sv-SE", "vi", "tr", "cs", "el", "bg", "ru", "uk", "hi", "th", "zh-CN", "ja", "zh-TW", "ko",
})
# fmt: on
CONTENT_MAX = 2_000
EMBEDS_CHARS_MAX = 6_000
COMMAND_CHARS_MAX = 8_000
COMPONENTS_MAX, LAYOUT_CHARS_MAX = 40, 4_000
ROWS_MAX, MODAL_ROWS_MAX = 5, 5
GLOBAL_MAX = {1: 100, 2: 15, 3: 15}

EMPTY_MESSAGE = "EMPTY_MESSAGE"  # told as 50006 rather than 50035

Found = Iterable[Violation]


def check(op: str, body: Any, *, has_files: bool = False) -> list[Violation]:
    """What is wrong with a request body beyond the document; empty when it is fine."""
    rule = _RULES.get(op)
    if rule is None:
        return []
    if not isinstance(body, (list if op.startswith("bulk_set_") else dict)):
        return [Violation("", "MODEL_TYPE_CONVERT", "The request body has the wrong shape.")]
    return list(rule(body, has_files))


# -------------------------------------------------------------------- commands (application-commands.mdx)


def _bulk(body: list[Json], _has_files: bool) -> Found:
    seen: set[tuple[int, str]] = set()
    for index, command in enumerate(body):
        yield from _under(str(index), _command(command, False))
        key = (command.get("type") or 1, str(command.get("name")))
        if key in seen:
            code = "APPLICATION_COMMANDS_DUPLICATE_NAME"
            yield Violation(f"{index}.name", code, "Application command names must be unique")
        seen.add(key)
    for kind, most in GLOBAL_MAX.items():
        if sum(one == kind for one, _ in seen) > most:
            yield Violation("", "APPLICATION_COMMANDS_MAX", f"More than {most} commands of type {kind}")


def _command(body: Json, _has_files: bool) -> Found:
    kind, name = body.get("type") or 1, str(body.get("name") or "")
    if kind == 1:
        yield from _name("name", name)
        if not body.get("description"):
            yield Violation("description", "BASE_TYPE_REQUIRED", "This field is required")
    elif body.get("description"):
        yield Violation("description", "APPLICATION_COMMAND_DESCRIPTION", "Only chat input takes a description")
    yield from _locales(body, "")
    yield from _options(body.get("options") or [], "options")
    if _characters(body) > COMMAND_CHARS_MAX:
        yield Violation("", "APPLICATION_COMMAND_TOO_LARGE", f"Command exceeds maximum size ({COMMAND_CHARS_MAX})")


def _command_edit(body: Json, has_files: bool) -> Found:
    whole = {"name": "name", "description": "description"} | body
    yield from _command(whole, has_files)


def _options(options: list[Json], path: str) -> Found:
    names: set[str] = set()
    is_optional = False
    for index, option in enumerate(options):
        here = f"{path}.{index}"
        name = str(option.get("name") or "")
        yield from _name(f"{here}.name", name)
        if not option.get("description"):
            yield Violation(f"{here}.description", "BASE_TYPE_REQUIRED", "This field is required")
        if name in names:
            code = "APPLICATION_COMMAND_OPTIONS_NAME_INVALID"
            yield Violation(f"{here}.name", code, "Option names must be unique")
        names.add(name)
        if option.get("required") and is_optional:
            code = "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID"
            yield Violation(here, code, "Required options must be placed before non-required options")
        is_optional = is_optional or (option.get("type") not in (1, 2) and not option.get("required"))
        if option.get("autocomplete") and option.get("choices"):
            code = "APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE_INVALID"
            yield Violation(here, code, "Autocomplete and choices exclude each other")
        yield from _locales(option, here)
        for number, choice in enumerate(option.get("choices") or []):
            yield from _locales(choice, f"{here}.choices.{number}")
        yield from _options(option.get("options") or [], f"{here}.options")


def _name(path: str, name: str) -> Found:
    letters_ok = all(_is_name_letter(letter) for letter in name)
    if not name or len(name) > 32 or not letters_ok or name != name.lower():
        code = "APPLICATION_COMMAND_INVALID_NAME"
        yield Violation(path, code, "Command name is invalid: 1 to 32 lower-case letters, digits, - _ and '")


def _is_name_letter(letter: str) -> bool:
    return letter in "-_'" or unicodedata.category(letter)[0] in "LNM"


def _locales(thing: Json, path: str) -> Found:
    for key in ("name_localizations", "description_localizations"):
        for locale in thing.get(key) or {}:
            if locale not in LOCALES:
                yield Violation(f"{path}.{key}.{locale}".lstrip("."), "ENUM_TYPE_COERCE", "Not a locale of Discord")


def _characters(thing: Json) -> int:
    total = _longest(thing, "name") + _longest(thing, "description")
    for option in thing.get("options") or []:
        total += _characters(option)
    for choice in thing.get("choices") or []:
        total += _longest(choice, "name") + len(str(choice.get("value", "")))
    return total


def _longest(thing: Json, key: str) -> int:
    texts = [thing.get(key) or "", *(thing.get(f"{key}_localizations") or {}).values()]
    return max(len(str(text or "")) for text in texts)


# -------------------------------------------------------------------- messages (message.mdx, components)


def _new_message(body: Json, has_files: bool) -> Found:
    yield from _message(body)
    filled = ("content", "embeds", "components", "sticker_ids", "poll", "attachments", "message_reference")
    if not has_files and not any(body.get(key) for key in filled):
        yield Violation("", EMPTY_MESSAGE, "Cannot send an empty message")


def _edited_message(body: Json, _has_files: bool) -> Found:
    yield from _message(body, is_edit=True)


def _message(body: Json, *, is_edit: bool = False) -> Found:
    if len(body.get("content") or "") > CONTENT_MAX:
        text = f"Must be {CONTENT_MAX} or fewer in length."
        yield Violation("content", "BASE_TYPE_MAX_LENGTH", text)
    components = [one for one in body.get("components") or [] if isinstance(one, dict)]
    is_v2 = bool(int(body.get("flags") or 0) & FLAG_COMPONENTS_V2)
    if is_v2:
        yield from _v2_message(body, components)
    elif not is_edit:  # whether an edited message is one with Components V2 is known to the message only
        v2 = [index for index, one in enumerate(components) if one.get("type") in parts.V2_ONLY]
        yield from (Violation(f"components.{i}.type", "BASE_TYPE_CHOICES", "Needs IS_COMPONENTS_V2") for i in v2)
        if len(components) > ROWS_MAX:
            yield Violation("components", "BASE_TYPE_BAD_LENGTH", f"Must be {ROWS_MAX} or fewer in length.")
    yield from _components(components)
    yield from _embeds(body.get("embeds") or [])
    yield from _mentions(body.get("allowed_mentions") or {})


def _v2_message(body: Json, components: list[Json]) -> Found:
    code = "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2"
    for key in ("content", "embeds", "poll", "sticker_ids"):
        if body.get(key):
            yield Violation(key, code, f"'{key}' cannot be used with IS_COMPONENTS_V2")
    everything = list(parts.walk(components))
    if len(everything) > COMPONENTS_MAX:
        yield Violation("components", "BASE_TYPE_BAD_LENGTH", f"More than {COMPONENTS_MAX} components, nested included")
    shown = sum(len(part.get("content") or "") for part in everything if part.get("type") == parts.TEXT_DISPLAY)
    if shown > LAYOUT_CHARS_MAX:
        yield Violation("components", "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED", f"{shown} > {LAYOUT_CHARS_MAX}")


def _components(components: list[Json]) -> Found:
    custom_ids: set[str] = set()
    numbers: set[int] = set()
    for part in parts.walk(components):
        custom_id, number = part.get("custom_id"), part.get("id")
        if custom_id in custom_ids:
            code = "COMPONENT_CUSTOM_ID_DUPLICATED"
            yield Violation("components", code, f"Component custom id {custom_id!r} cannot be duplicated")
        if number and number in numbers:
            yield Violation("components", "COMPONENT_ID_DUPLICATED", f"Component id {number} cannot be duplicated")
        custom_ids |= {custom_id} if custom_id else set()
        numbers |= {number} if number else set()
        if part.get("type") == parts.BUTTON:
            yield from _button(part)
        elif part.get("type") == parts.STRING_SELECT:
            yield from _select(part)


def _button(button: Json) -> Found:
    if button.get("style") == parts.LINK_STYLE:
        if not button.get("url") or button.get("custom_id"):
            yield Violation("components", "BUTTON_COMPONENT_LINK", "A link button has a url and no custom id")
    elif button.get("style") != parts.PREMIUM_STYLE:
        if not button.get("custom_id"):
            yield Violation("components", "BASE_TYPE_REQUIRED", "A button needs a custom id")
        if not button.get("label") and not button.get("emoji"):
            yield Violation("components", "BUTTON_COMPONENT_INVALID", "A button needs a label or an emoji")


def _select(select: Json) -> Found:
    values = [str(option.get("value")) for option in select.get("options") or []]
    if len(set(values)) < len(values):
        yield Violation("components", "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", "Option values must be unique")


def _embeds(embeds: list[Json]) -> Found:
    total = 0
    for embed in embeds:
        pieces = [embed.get("title"), embed.get("description")]
        pieces += [(embed.get("footer") or {}).get("text"), (embed.get("author") or {}).get("name")]
        for field in embed.get("fields") or []:
            pieces += [field.get("name"), field.get("value")]
        total += sum(len(piece or "") for piece in pieces)
    if total > EMBEDS_CHARS_MAX:
        yield Violation("embeds", "MAX_EMBED_SIZE_EXCEEDED", f"Embed size exceeds maximum size of {EMBEDS_CHARS_MAX}")


def _mentions(allowed: Json) -> Found:
    for key in ("users", "roles"):
        if key in (allowed.get("parse") or ()) and allowed.get(key):
            code = "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE"
            yield Violation(f"allowed_mentions.{key}", code, f"parse:[{key!r}] and {key}: [ids...] exclude each other")


# -------------------------------------------------------------------- interaction callbacks (receiving-and-responding)


def _callback(body: Json, has_files: bool) -> Found:
    kind, data = body.get("type"), body.get("data")
    if kind in (4, 8, 9) and not isinstance(data, dict):
        yield Violation("data", "BASE_TYPE_REQUIRED", "This field is required")
        return
    data = data if isinstance(data, dict) else {}
    if kind == 4:
        yield from _under("data", _new_message(data, has_files))
    elif kind == 7:
        yield from _under("data", _message(data, is_edit=True))
    elif kind == 9:
        yield from _under("data", _modal(data))


def _modal(data: Json) -> Found:
    rows = [row for row in data.get("components") or [] if isinstance(row, dict)]
    if not 1 <= len(rows) <= MODAL_ROWS_MAX:
        yield Violation("components", "BASE_TYPE_BAD_LENGTH", f"Must be between 1 and {MODAL_ROWS_MAX} in length.")
    yield from _components(rows)


def _under(prefix: str, found: Found) -> Found:
    for path, code, text in found:
        yield Violation(f"{prefix}.{path}".rstrip("."), code, text)


_RULES: dict[str, Callable[[Any, bool], Found]] = {
    "create_message": _new_message,
    "update_message": _edited_message,
    "execute_webhook": _new_message,
    "update_webhook_message": _edited_message,
    "update_original_webhook_message": _edited_message,
    "create_interaction_response": _callback,
    "bulk_set_application_commands": _bulk,
    "bulk_set_guild_application_commands": _bulk,
    "create_application_command": _command,
    "create_guild_application_command": _command,
    "update_application_command": _command_edit,
    "update_guild_application_command": _command_edit,
}
