"""Discord's rules for slash commands, checked when a module registers one instead of when Discord refuses them all."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

COMMANDS_MAX = 100  # slash commands of one application, everywhere

_SUBCOMMAND, _GROUP = 1, 2
_NAME = re.compile(r"[-_\w]{1,32}")  # \w is letters and digits of every script; discord.py refuses the apostrophe
_DESCRIPTION_CHARS_MAX = 100
_OPTIONS_MAX = 25
_CHOICES_MAX = 25
_CHOICE_CHARS_MAX = 100
_TOTAL_CHARS_MAX = 8_000
_DEPTH_MAX = 2  # command, group, subcommand

Json = Mapping[str, Any]


def violations(payload: Json) -> list[str]:
    """What Discord would refuse in one slash command, a sentence each; empty when it is fine."""
    found = list(_check(payload, str(payload.get("name", "?")), depth=0))
    if (total := _total_chars(payload)) > _TOTAL_CHARS_MAX:
        found.append(f"/{payload.get('name')}: {total} characters in all, at most {_TOTAL_CHARS_MAX}")
    return found


def _check(item: Json, path: str, *, depth: int) -> Iterator[str]:
    name = str(item.get("name", ""))
    if not _NAME.fullmatch(name) or name != name.lower():
        yield f"/{path}: a name is 1 to 32 lower-case letters, digits, - and _"
    if not 1 <= len(str(item.get("description", ""))) <= _DESCRIPTION_CHARS_MAX:
        yield f"/{path}: a description has 1 to {_DESCRIPTION_CHARS_MAX} characters"
    yield from _check_options(item.get("options") or (), path, depth=depth)


def _check_options(options: Sequence[Json], path: str, *, depth: int) -> Iterator[str]:
    if len(options) > _OPTIONS_MAX:
        yield f"/{path}: {len(options)} options, at most {_OPTIONS_MAX}"
    names = [str(option.get("name")) for option in options]
    if len(set(names)) < len(names):
        yield f"/{path}: two options of one name"
    is_optional_seen = False
    for option in options:
        here = f"{path} {option.get('name')}"
        if option.get("type") in (_SUBCOMMAND, _GROUP):
            if depth >= _DEPTH_MAX:
                yield f"/{here}: subcommands nest at most {_DEPTH_MAX} deep"
            yield from _check(option, here, depth=depth + 1)
            continue
        if option.get("required") and is_optional_seen:
            yield f"/{here}: required options come first"
        is_optional_seen = is_optional_seen or not option.get("required")
        yield from _check(option, here, depth=depth)
        yield from _check_choices(option, here)


def _check_choices(option: Json, path: str) -> Iterator[str]:
    choices: Sequence[Json] = option.get("choices") or ()
    if choices and option.get("autocomplete"):
        yield f"/{path}: choices and autocomplete exclude each other"
    if len(choices) > _CHOICES_MAX:
        yield f"/{path}: {len(choices)} choices, at most {_CHOICES_MAX}"
    for choice in choices:
        value = choice.get("value")
        texts = [str(choice.get("name", ""))] + ([value] if isinstance(value, str) else [])
        if any(not 1 <= len(text) <= _CHOICE_CHARS_MAX for text in texts):
            yield f"/{path}: the name and value of a choice have 1 to {_CHOICE_CHARS_MAX} characters"


def _total_chars(item: Json) -> int:
    """Names, descriptions and choice values of the command and everything in it, as Discord counts."""
    own = len(str(item.get("name", ""))) + len(str(item.get("description", "")))
    choices = sum(len(str(c.get("name", ""))) + len(str(c.get("value", ""))) for c in item.get("choices") or ())
    return own + choices + sum(_total_chars(option) for option in item.get("options") or ())
