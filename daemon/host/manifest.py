"""What a module says about itself in `manifest.toml`, read and judged without running any of its code."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator
from pydantic_core import ErrorDetails

from daemon.core.ids import ModuleId

API = 1
"""The version of the contract between host and modules: `setup`, `ModuleContext`, the manifest's keys."""

MANIFEST_NAME = "manifest.toml"
MANIFEST_BYTES_MAX = 64 * 1024

INTENTS = frozenset({
    "auto_moderation_configuration", "auto_moderation_execution", "dm_messages", "dm_polls", "dm_reactions",
    "dm_typing", "emojis_and_stickers", "guild_messages", "guild_polls", "guild_reactions", "guild_scheduled_events",
    "guild_typing", "guilds", "integrations", "invites", "moderation", "voice_states", "webhooks",
})  # fmt: skip
"""Discord's gateway intents that need no permission of Discord's; the privileged ones are refused."""

_ID = r"^[a-z][a-z0-9_]{1,31}$"
_Id = Annotated[str, StringConstraints(pattern=_ID)]
_Command = Annotated[str, StringConstraints(pattern=r"^[-_a-z0-9]{1,32}$")]


class Manifest(BaseModel):
    """One `manifest.toml`. `config` holds each setting of the module with its default; lists have no order."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    id: _Id
    name: Annotated[str, StringConstraints(min_length=1, max_length=60)]
    version: Annotated[str, StringConstraints(pattern=r"^\d+(\.\d+){0,3}((a|b|rc)\d+)?(\.(post|dev)\d+)?$")]
    api: int
    summary: Annotated[str, StringConstraints(max_length=200)] = ""
    required: bool = False  # the daemon is not ready without it
    requires: list[_Id] = Field(default_factory=list)  # modules that must have started
    after: list[_Id] = Field(default_factory=list)  # modules that start first when they are there
    needs: list[_Id] = Field(default_factory=list)  # services asked for by `ctx.service()`
    intents: list[str] = Field(default_factory=list)
    commands: list[_Command] = Field(default_factory=list)  # top level names of its slash commands
    config: dict[str, Any] = Field(default_factory=dict)

    @property
    def module(self) -> ModuleId:
        """The id as a type of its own."""
        return ModuleId(self.id)

    @field_validator("api")
    @classmethod
    def _speaks_our_api(cls, value: int) -> int:
        if value != API:
            raise ValueError(f"this daemon speaks module API {API}, the module wants {value}")
        return value

    @field_validator("intents")
    @classmethod
    def _knows_intents(cls, value: list[str]) -> list[str]:
        for name in value:
            if name not in INTENTS:
                raise ValueError(f'"{name}" is not an intent that modules may use{did_you_mean(name, INTENTS)}')
        return value


class ManifestError(Exception):
    """A manifest that cannot be used: one sentence a mistake, without the file's name."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("; ".join(mistakes))
        self.mistakes = mistakes


def read_manifest(folder: Path) -> Manifest:
    """The manifest in `folder`, whose name must be the module's id; raises ManifestError with every mistake."""
    path = folder / MANIFEST_NAME
    try:
        with path.open("rb") as file:
            raw = file.read(MANIFEST_BYTES_MAX + 1)
    except OSError as error:
        raise ManifestError([f"cannot be read: {error.strerror}"]) from error
    if len(raw) > MANIFEST_BYTES_MAX:
        raise ManifestError([f"is larger than {MANIFEST_BYTES_MAX} bytes"])
    try:
        document = tomllib.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ManifestError([f"is not UTF-8 text (byte {error.start})"]) from error
    except tomllib.TOMLDecodeError as error:
        raise ManifestError([f"is not valid TOML: {error}"]) from error
    manifest = parse_manifest(document)
    if manifest.id != folder.name:
        raise ManifestError([f'has the id "{manifest.id}" but stands in a folder named "{folder.name}"'])
    return manifest


def parse_manifest(document: dict[str, Any]) -> Manifest:
    """`document` as a Manifest; raises ManifestError with every mistake and the nearest known key."""
    try:
        return Manifest.model_validate(document)
    except ValidationError as error:
        known = sorted(Manifest.model_fields)
        raise ManifestError([_sentence(detail, known) for detail in error.errors(include_url=False)]) from None


def _sentence(detail: ErrorDetails, known: Iterable[str]) -> str:
    where = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "extra_forbidden":
        return f'unknown key "{where}"{did_you_mean(where, known)}'
    if detail["type"] == "missing":
        return f'key "{where}" is missing'
    if detail["type"] == "value_error":
        return f"{where}: {detail['msg'].removeprefix('Value error, ')}"
    return f"{where}: {detail['msg']} (given: {detail['input']!r:.80})"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """` (did you mean "requires"?)` for a word near a known one, else nothing: meant to end a sentence."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f' (did you mean "{near[0]}"?)' if near else ""
