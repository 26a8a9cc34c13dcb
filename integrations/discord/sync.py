"""Commands reach Discord by plan and apply: one GET, a comparison, and at most one PUT when something differs.

A PUT replaces every command of the application, whatever its type, so a plan always says what the whole shall be.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import discord
from discord import app_commands
from discord.http import HTTPClient, Route

from daemon.core.errors import MarqueeError
from integrations.discord.canonical import Json, canonical, to_discord

_ENTRY_POINT = 4  # the command that opens an Activity; we never made one, and must not delete it
_DELETES_PART_MAX = 0.3
_DAILY_CREATES = 30034

Key = tuple[int, str]


class Change(Enum):
    """What happens to one command."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    UNCHANGED = "unchanged"
    KEPT = "kept"  # not ours to judge now: its module has failed, or Discord made it


@dataclass(frozen=True, slots=True)
class Step:
    """One command of the plan. `paths` says what differs in an update: ("description", "options[0].choices")."""

    change: Change
    name: str
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What has to be done so that Discord has what we have. `payload` is the whole set, as a PUT wants it."""

    steps: tuple[Step, ...]
    payload: tuple[dict[str, Any], ...]
    objection: str | None = None  # why it is not applied without force

    @property
    def is_empty(self) -> bool:
        """Whether Discord has what we have already."""
        return not any(step.change in (Change.CREATE, Change.UPDATE, Change.DELETE) for step in self.steps)

    def names(self, change: Change) -> list[str]:
        """The names of the commands with this change, in order."""
        return [step.name for step in self.steps if step.change is change]


class SyncRefused(MarqueeError):
    """The plan needs `force`, Discord has taken too many new commands today, or what it stored is not what was sent."""

    def __init__(self, reason: str, *, is_parked: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_parked = is_parked  # Discord's daily limit of new commands: wait until tomorrow (UTC)


def plan(
    local: Sequence[Json], remote: Sequence[Json], *, keep: Collection[str] = (), moved: Collection[str] = ()
) -> Plan:
    """Compare what we have with what Discord has. Pure.

    `keep` names commands of modules that failed to start: Discord's version of them is carried over as it is. `moved`
    names commands that another bot has by the operator's will: nobody objects to their deletion.
    """
    ours = {_key(command): command for command in local}
    theirs = {_key(command): command for command in remote}
    steps: list[Step] = []
    payload: list[dict[str, Any]] = []
    for key, command in sorted(ours.items()):
        steps.append(_compare(command, theirs.get(key)))
        payload.append(to_discord(command))
    for key, command in sorted(theirs.items()):
        if key in ours:
            continue
        is_kept = key[0] == _ENTRY_POINT or key[1] in keep
        steps.append(Step(Change.KEPT if is_kept else Change.DELETE, key[1]))
        if is_kept:
            payload.append({name: value for name, value in command.items() if value is not None})
    judged = [step for step in steps if step.change is not Change.DELETE or step.name not in moved]
    return Plan(tuple(steps), tuple(payload), _objection(judged, has_local=bool(ours)))


async def fetch_remote(http: HTTPClient, app_id: int) -> list[dict[str, Any]]:
    """Discord's global commands, raw: discord.py's own classes drop what they do not know."""
    route = Route("GET", "/applications/{application_id}/commands", application_id=app_id)
    answer: list[dict[str, Any]] = await http.request(route, params={"with_localizations": "true"})
    return answer


def local_commands(tree: app_commands.CommandTree[Any]) -> list[dict[str, Any]]:
    """What the tree holds, as payloads."""
    return [dict(command.to_dict(tree)) for command in tree.get_commands()]


async def apply(http: HTTPClient, app_id: int, planned: Plan, *, force: bool = False) -> None:
    """Send the plan with one PUT, none when it is empty, and check what Discord says it stored.

    SyncRefused when the plan objects and `force` is not given, when the daily limit is reached (30034), and when
    the stored commands differ from those sent. Other failures of Discord are raised as discord.py raises them.
    """
    if planned.is_empty:
        return
    if planned.objection and not force:
        raise SyncRefused(planned.objection)
    route = Route("PUT", "/applications/{application_id}/commands", application_id=app_id)
    try:
        stored: list[dict[str, Any]] = await http.request(route, json=list(planned.payload))
    except discord.HTTPException as error:
        if error.code == _DAILY_CREATES:  # the code, because the status has been 400 and 429
            raise SyncRefused("Discord takes no more new commands today", is_parked=True) from error
        raise
    wrong = [step for step in plan(planned.payload, stored).steps if step.change is not Change.UNCHANGED]
    # An answer to a PUT may leave translations out; what it does say has to match.
    if differing := [step.name for step in wrong if not _only_translations(step)]:
        raise SyncRefused(f"Discord stored {', '.join(sorted(differing))} differently from what was sent")


def _key(command: Json) -> Key:
    return int(command.get("type") or 1), str(command["name"])


def _compare(local: Json, remote: Json | None) -> Step:
    name = str(local["name"])
    if remote is None:
        return Step(Change.CREATE, name)
    paths = tuple(differences(canonical(local), canonical(remote)))
    return Step(Change.UPDATE if paths else Change.UNCHANGED, name, paths)


def differences(left: Any, right: Any, path: str = "") -> list[str]:
    """Paths at which two canonical values differ, outermost first: ["options[1].description"]."""
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        keys = sorted(left.keys() | right.keys())
        return [
            found
            for key in keys
            for found in differences(left.get(key), right.get(key), f"{path}.{key}" if path else str(key))
        ]
    if isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        pairs = enumerate(zip(left, right, strict=True))
        return [found for index, (a, b) in pairs for found in differences(a, b, f"{path}[{index}]")]
    return [] if left == right else [path]


def _objection(steps: Sequence[Step], *, has_local: bool) -> str | None:
    deletes = [step.name for step in steps if step.change is Change.DELETE]
    there = sum(step.change is not Change.CREATE for step in steps)
    if deletes and not has_local:
        return f"nothing is registered here, and {len(deletes)} commands would be deleted"
    if there and len(deletes) > there * _DELETES_PART_MAX:
        return f"{len(deletes)} of {there} commands would be deleted: {', '.join(sorted(deletes))}"
    return None


def _only_translations(step: Step) -> bool:
    return step.change is Change.UPDATE and all(
        path.split(".")[-2:][0].endswith("_localizations") for path in step.paths
    )
