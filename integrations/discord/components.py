"""Buttons, selects and forms of a module: declared once, working for ever, on every bot and after a restart."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import discord

from daemon.core.access import Access
from daemon.core.ids import ModuleId
from daemon.core.limits import BUTTON_LABEL_CHARS_MAX, CHOICE_CHARS_MAX, MODAL_TITLE_CHARS_MAX, SELECT_OPTIONS_MAX
from daemon.core.text import clamp
from integrations.discord.calls import AnyInteraction
from integrations.discord.custom_ids import GRAMMAR, CustomId, Signer
from integrations.discord.policy import PRESS, Policy

PressHandler = Callable[[Any, AnyInteraction, tuple[str, ...], tuple[str, ...]], Awaitable[None]]
SubmitHandler = Callable[[Any, AnyInteraction, tuple[str, ...], Mapping[str, str]], Awaitable[None]]
PressT = TypeVar("PressT", bound=PressHandler)
SubmitT = TypeVar("SubmitT", bound=SubmitHandler)

_MARK = "__marquee_declared__"
_LABEL_CHARS_MAX = 45  # of a form's field


@dataclass(frozen=True, slots=True)
class Declared:
    """How a handler was declared. `is_exclusive`: presses on one message wait for each other."""

    action: str
    policy: Policy
    is_modal: bool = False
    is_exclusive: bool = False


def component(
    action: str,
    *,
    access: Access = Access.EVERYONE,
    private: bool | None = None,
    audited: bool = False,
    burst: int = PRESS.burst,
    per_s: float = PRESS.per_s,
    exclusive: bool = False,
) -> Callable[[PressT], PressT]:
    """Mark `async def pause(self, interaction, ids, values)` as what happens when the button or select is used.

    `ids` are those the item was made with, `values` what was chosen (empty for a button). Who may is checked at
    every press, because roles change. See `Policy` for `private`.
    """
    declared = Declared(action, Policy(access, private, audited, burst, per_s), is_exclusive=exclusive)

    def mark(handler: PressT) -> PressT:
        setattr(handler, _MARK, declared)
        return handler

    return mark


def modal(
    action: str,
    *,
    access: Access = Access.EVERYONE,
    private: bool | None = None,
    audited: bool = False,
    burst: int = PRESS.burst,
    per_s: float = PRESS.per_s,
) -> Callable[[SubmitT], SubmitT]:
    """Mark `async def volume(self, interaction, ids, fields)` as what happens when the form is sent.

    `fields` maps the name of each field to what was typed; a field left empty is "".
    """
    declared = Declared(action, Policy(access, private, audited, burst, per_s), is_modal=True)

    def mark(handler: SubmitT) -> SubmitT:
        setattr(handler, _MARK, declared)
        return handler

    return mark


class PanelItem(discord.ui.DynamicItem[discord.ui.Item[Any]], template=GRAMMAR):
    """Any button or select of ours. discord.py makes one anew from the message whenever a member uses it."""

    @classmethod
    async def from_custom_id(
        cls, interaction: AnyInteraction, item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> PanelItem:
        """The item on the message; what it does is looked up when it is used."""
        return cls(item)

    async def callback(self, interaction: AnyInteraction) -> None:
        """Hand over to the pipeline of the bot that got the press."""
        await interaction.client.run_component(interaction)


@dataclass(frozen=True, slots=True)
class Field:
    """One line of text in a form. `name` is the key in the handler's `fields`."""

    name: str
    label: str
    placeholder: str = ""
    value: str = ""
    chars_max: int = 100
    is_required: bool = True


class ComponentSet:
    """The components of a module: handlers marked with `@component` and `@modal`, and builders for the items.

    One instance serves all bots; it is made by the host's surface, which also gives it the owner and the signer.
    """

    declared: ClassVar[Mapping[tuple[bool, str], tuple[Declared, str]]] = {}
    _owner: ModuleId
    _signer: Signer

    def __init_subclass__(cls) -> None:
        found = dict(cls.declared)
        for name, member in vars(cls).items():
            mark: Declared | None = getattr(member, _MARK, None)
            if mark is not None:
                found[mark.is_modal, mark.action] = (mark, name)
        cls.declared = found

    def bind(self, owner: ModuleId, signer: Signer) -> None:
        """Told by the surface before anything is built."""
        self._owner = owner
        self._signer = signer

    def button(
        self,
        action: str,
        ids: Iterable[object] = (),
        *,
        label: str | None = None,
        emoji: str | None = None,
        style: discord.ButtonStyle = discord.ButtonStyle.secondary,
        disabled: bool = False,
    ) -> PanelItem:
        """A button that runs the `@component(action)` handler with `ids`. The label is cut to 80 characters."""
        return PanelItem(
            discord.ui.Button(
                label=clamp(label, BUTTON_LABEL_CHARS_MAX) if label else None,
                emoji=emoji,
                style=style,
                disabled=disabled,
                custom_id=self._custom_id(action, ids, is_modal=False),
            )
        )

    def select(
        self,
        action: str,
        ids: Iterable[object] = (),
        *,
        options: Sequence[discord.SelectOption],
        placeholder: str | None = None,
        values_min: int = 1,
        values_max: int = 1,
        disabled: bool = False,
    ) -> PanelItem:
        """A select of 1 to 25 options that runs the `@component(action)` handler with `ids` and the chosen values.

        Of the options chosen beforehand only the first `values_max` stay so: Discord refuses more.
        """
        if not 1 <= len(options) <= SELECT_OPTIONS_MAX:
            raise ValueError(f"a select has 1 to {SELECT_OPTIONS_MAX} options, not {len(options)}")
        for surplus in [option for option in options if option.default][values_max:]:
            surplus.default = False
        return PanelItem(
            discord.ui.Select(
                custom_id=self._custom_id(action, ids, is_modal=False),
                options=list(options),
                placeholder=clamp(placeholder, 150) if placeholder else None,
                min_values=values_min,
                max_values=values_max,
                disabled=disabled,
            )
        )

    def people(
        self, action: str, ids: Iterable[object] = (), *, placeholder: str, values_max: int = SELECT_OPTIONS_MAX
    ) -> PanelItem:
        """A select of any members of the guild, none included; their Discord ids are the chosen values."""
        return PanelItem(
            discord.ui.UserSelect(
                custom_id=self._custom_id(action, ids, is_modal=False),
                placeholder=clamp(placeholder, 150),
                min_values=0,
                max_values=values_max,
            )
        )

    def form(self, action: str, ids: Iterable[object] = (), *, title: str, fields: Sequence[Field]) -> discord.ui.Modal:
        """A modal of 1 to 5 text fields that runs the `@modal(action)` handler; open it with `open_modal`."""
        if not 1 <= len(fields) <= 5:
            raise ValueError(f"a form has 1 to 5 fields, not {len(fields)}")
        form = discord.ui.Modal(
            title=clamp(title, MODAL_TITLE_CHARS_MAX), custom_id=self._custom_id(action, ids, is_modal=True)
        )
        for field in fields:
            box: discord.ui.TextInput[discord.ui.Modal] = discord.ui.TextInput(
                custom_id=field.name,
                placeholder=clamp(field.placeholder, CHOICE_CHARS_MAX) or None,
                default=clamp(field.value, field.chars_max) or None,
                max_length=field.chars_max,
                required=field.is_required,
            )
            form.add_item(discord.ui.Label(text=clamp(field.label, _LABEL_CHARS_MAX), component=box))
        return form

    def _custom_id(self, action: str, ids: Iterable[object], *, is_modal: bool) -> str:
        if (is_modal, action) not in self.declared:
            raise ValueError(f"{type(self).__name__} has no {'modal' if is_modal else 'component'} {action!r}")
        return self._signer.write(CustomId(self._owner, action, tuple(str(part) for part in ids)))


def fields_of(components: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """What was typed into a sent form, by field name, from the raw payload (fields sit in labels or rows)."""
    found: dict[str, str] = {}
    for item in components:
        inner = item.get("components") or ([item["component"]] if "component" in item else [])
        found |= fields_of(inner)
        if "custom_id" in item and "value" in item:
            found[str(item["custom_id"])] = str(item["value"] or "")
    return found
