"""What a client does with the options typed behind a slash command: checks them and builds the payload."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from simulators.discord.objects import Channel, Guild, Json, Person
from simulators.discord.world import World

SUBCOMMAND, GROUP, STRING, INTEGER, BOOLEAN, USER, CHANNEL, ROLE, MENTIONABLE, NUMBER, ATTACHMENT = range(1, 12)
STRING_CHARS_MAX = 6_000
INTEGER_ABS_MAX = 1 << 53
RESOLVED_KINDS = ("users", "members", "roles", "channels", "attachments")


class Refused(Exception):
    """A real client would not let a member do this; the text says why."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file a member attaches to an option or puts into a modal."""

    filename: str
    content: bytes
    content_type: str = "application/octet-stream"


@dataclass(slots=True)
class Filler:
    """Fills in one command for one member; `resolved` collects the objects that ids refer to."""

    world: World
    guild: Guild | None
    store: Callable[[Upload], Json]
    resolved: dict[str, Json] = field(default_factory=dict)

    def descend(self, command: Json, path: list[str]) -> tuple[list[Json], list[Json]]:
        """The leaf's options for `["queue", "add"]`, and the wrapping option objects from outermost to leaf."""
        options: list[Json] = command.get("options", [])
        wrappers: list[Json] = []
        for name in path:
            found = next((o for o in options if o["name"] == name and o["type"] in (SUBCOMMAND, GROUP)), None)
            if found is None:
                raise Refused(f"/{command['name']} has no subcommand {name}")
            wrappers.append({"type": found["type"], "name": name})
            options = found.get("options", [])
        if any(option["type"] in (SUBCOMMAND, GROUP) for option in options):
            names = ", ".join(option["name"] for option in options)
            raise Refused(f"/{command['name']} needs one of its subcommands: {names}")
        return options, wrappers

    def fill(self, options: list[Json], given: Mapping[str, Any], focused: str | None = None) -> list[Json]:
        """The option objects to send; with `focused` nothing is required, as while typing."""
        unknown = set(given) - {option["name"] for option in options}
        if unknown:
            raise Refused(f"no such option: {', '.join(sorted(unknown))}")
        filled: list[Json] = []
        for option in options:
            name = option["name"]
            if name not in given or given[name] is None:
                if option.get("required") and focused is None:
                    raise Refused(f"option {name} is required")
            elif name == focused:
                filled.append({"type": option["type"], "name": name, "value": str(given[name]), "focused": True})
            else:
                filled.append({"type": option["type"], "name": name, "value": self._value(option, given[name])})
        return filled

    def _value(self, option: Json, given: Any) -> Any:
        if isinstance(given, Mapping) and "value" in given:
            given = given["value"]
        if option.get("choices"):
            return _choice(option, given)
        match option["type"]:
            case 3:
                return _text(option, given)
            case 4:
                return _number(option, given, int)
            case 10:
                return _number(option, given, float)
            case 5:
                return _boolean(option, given)
            case 6:
                return self.user(given)
            case 7:
                return self.channel(given, option.get("channel_types"))
            case 8:
                return self.role(given)
            case 9:
                return self.mentionable(given)
            case _:
                return self._attachment(option, given)

    def user(self, given: Any) -> str:
        """A user by id, username or object, as one that the guild's client can pick."""
        person = self._person(given)
        if person is None:
            raise Refused(f"nobody is called {given}")
        key = str(person.user_id)
        self.resolved.setdefault("users", {})[key] = person.to_json()
        member = self.guild.members.get(person.user_id) if self.guild else None
        if self.guild and member:
            data = member.to_json(person)
            del data["user"], data["deaf"], data["mute"]
            data["permissions"] = str(self._permissions(person.user_id))
            self.resolved.setdefault("members", {})[key] = data
        return key

    def channel(self, given: Any, types: list[int] | None) -> str:
        """A channel by id, name or object."""
        try:
            found = given if isinstance(given, Channel) else self.world.channel(str(given), self.guild)
        except KeyError:
            raise Refused(f"there is no channel {given}") from None
        if types and found.type not in types:
            raise Refused(f"channel {given} is of a kind this option does not take")
        data = self.world.channel_json(found)
        self.resolved.setdefault("channels", {})[str(found.channel_id)] = data | {"permissions": "0"}
        return str(found.channel_id)

    def role(self, given: Any) -> str:
        """A role by id or name."""
        roles = self.guild.roles.values() if self.guild else ()
        found = next((role for role in roles if str(given) in (str(role.role_id), role.name)), None)
        if found is None:
            raise Refused(f"there is no role {given}")
        self.resolved.setdefault("roles", {})[str(found.role_id)] = found.to_json()
        return str(found.role_id)

    def mentionable(self, given: Any) -> str:
        """A user or a role."""
        return self.user(given) if self._person(given) else self.role(given)

    def _person(self, given: Any) -> Person | None:
        if isinstance(given, Person):
            return given
        name = str(given).removeprefix("@")
        return next((p for p in self.world.people.values() if name in (str(p.user_id), p.username, p.name)), None)

    def _permissions(self, user_id: int) -> int:
        if not self.guild or not self.guild.channel_ids:
            return 0
        return self.world.permissions(user_id, self.world.channels[self.guild.channel_ids[0]])

    def _attachment(self, option: Json, given: Any) -> str:
        if not isinstance(given, Upload):
            raise Refused(f"option {option['name']} takes a file")
        data = self.store(given)
        self.resolved.setdefault("attachments", {})[data["id"]] = data
        return str(data["id"])


def _choice(option: Json, given: Any) -> Any:
    for choice in option["choices"]:
        if given in (choice["value"], choice["name"]):
            return choice["value"]
    names = ", ".join(str(choice["name"]) for choice in option["choices"])
    raise Refused(f"option {option['name']} takes one of: {names}")


def _text(option: Json, given: Any) -> str:
    text = str(given)
    least, most = option.get("min_length", 0), option.get("max_length", STRING_CHARS_MAX)
    if not least <= len(text) <= most:
        raise Refused(f"option {option['name']} takes {least} to {most} characters, not {len(text)}")
    return text


def _number(option: Json, given: Any, kind: type[int] | type[float]) -> int | float:
    try:
        value = kind("no number" if isinstance(given, bool) else given)
    except (TypeError, ValueError):
        raise Refused(f"option {option['name']} takes a number, not {given!r}") from None
    least, most = option.get("min_value", -INTEGER_ABS_MAX), option.get("max_value", INTEGER_ABS_MAX)
    if not least <= value <= most:
        raise Refused(f"option {option['name']} takes {least} to {most}, not {value}")
    return value


def _boolean(option: Json, given: Any) -> bool:
    words = {"true": True, "false": False}
    value = given if isinstance(given, bool) else words.get(str(given).lower())
    if value is None:
        raise Refused(f"option {option['name']} takes true or false")
    return value
