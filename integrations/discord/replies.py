"""The one way for a module to answer. It knows what Discord was told already, so a handler never has to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import discord
import structlog

from daemon.core.errors import UserError
from daemon.core.limits import MESSAGE_CHARS_MAX
from daemon.core.text import clamp
from integrations.discord.calls import AnyInteraction, Call, Stage, call_of
from integrations.discord.delivery import Delivered, call_back, edit, follow_up
from integrations.discord.policy import NO_MENTIONS
from integrations.discord.ui.layout import fit
from integrations.discord.uploads import fresh

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Answer:
    """A message in the making. `files` None: those of the edited message stay."""

    text: str | None = None
    view: discord.ui.LayoutView | None = None
    files: Sequence[discord.File] | None = None

    def parts(self) -> dict[str, Any]:
        """Arguments that sending and editing have in common."""
        parts: dict[str, Any] = {"allowed_mentions": NO_MENTIONS}
        if self.text is not None:
            parts["content"] = clamp(self.text, MESSAGE_CHARS_MAX)
        if self.view is not None:
            parts["view"] = self.view
        return parts

    def to_send(self) -> dict[str, Any]:
        """Arguments of a new message; may be asked for once more when the first attempt was lost."""
        return self.parts() | ({"files": list(fresh(self.files))} if self.files else {})

    def to_edit(self) -> dict[str, Any]:
        """Arguments of an edit, likewise."""
        return self.parts() | ({} if self.files is None else {"attachments": list(fresh(self.files))})


def _answer(text: str | None, view: discord.ui.LayoutView | None, files: Sequence[discord.File] | None) -> _Answer:
    if (text is None) == (view is None):
        raise ValueError("an answer is either a text or a view")
    if view is not None:
        fit(view)
        view.stop()  # keeps discord.py from remembering it: components are routed by their custom ids
    return _Answer(text, view, files)


async def reply(
    interaction: AnyInteraction,
    text: str | None = None,
    *,
    view: discord.ui.LayoutView | None = None,
    files: Sequence[discord.File] = (),
    private: bool | None = None,
) -> discord.Message | None:
    """Answer with a new message, by the callback, in place of the placeholder, or as a follow-up.

    `private` None is what the policy says (components and modals: private). Returns the message as far as Discord
    told: None when its answer was lost or the interaction is dead, which is no error for the caller.
    """
    call = call_of(interaction)
    is_private = call.policy.answers_privately if private is None else private
    answer = _answer(text, view, files)
    async with call.lock:
        if call.stage is Stage.NEW:
            return await _reply_first(interaction, call, answer, is_private=is_private)
        if call.stage is Stage.LOST or call.is_expired():
            return await _reply_without_token(interaction, call, answer, is_private=is_private)
        if call.stage is Stage.THINKING:
            if call.is_private == is_private:
                return await _fill_placeholder(interaction, call, answer)
            # The placeholder's visibility cannot change, and the first follow-up would only fill it: it has to go.
            await edit(interaction, interaction.delete_original_response)
            call.mark(Stage.ANSWERED)
        return await _follow_up(interaction, call, answer, is_private=is_private)


async def update(
    interaction: AnyInteraction, *, view: discord.ui.LayoutView, files: Sequence[discord.File] | None = None
) -> discord.Message | None:
    """Change the message that the pressed component sits on; in a command, the command's own answer.

    `files` None keeps the attachments, anything else replaces them. Returns as `reply` does.
    """
    call = call_of(interaction)
    if interaction.message is None:
        if call.stage is Stage.ANSWERED:
            async with call.lock:
                return await _edit_original(interaction, call, _answer(None, view, files))
        return await reply(interaction, view=view, files=files or ())
    answer = _answer(None, view, files)
    async with call.lock:
        if call.is_expired() or call.stage is Stage.LOST:
            return await _edit_source(interaction, interaction.message, answer)
        if call.stage is Stage.NEW:
            delivered, response = await call_back(
                interaction, lambda: interaction.response.edit_message(**answer.to_edit())
            )
            call.original_is_source = True
            _note(call, delivered, Stage.ANSWERED)
            return _message_in(response) or interaction.message
        if call.original_is_source:
            return await _edit_original(interaction, call, answer)
        return await _edit_source(interaction, interaction.message, answer)


async def open_modal(interaction: AnyInteraction, modal: discord.ui.Modal) -> None:
    """Open a form. It must be the first answer; a UserError tells the member to press again when it came too late."""
    call = call_of(interaction)
    if interaction.type is discord.InteractionType.modal_submit:
        raise ValueError("a form cannot open another form")
    modal.stop()  # routed by its custom id, so discord.py need not remember it
    async with call.lock:
        if call.stage is not Stage.NEW:
            raise UserError("That took too long to open; please press it again.", "too_slow")
        delivered, _ = await call_back(interaction, lambda: interaction.response.send_modal(modal))
        _note(call, delivered, Stage.MODAL)


async def defer(interaction: AnyInteraction) -> None:
    """Acknowledge now, answer later, as the policy says; nothing when an answer was given. The pipeline does this."""
    call = call_of(interaction)
    async with call.lock:
        if call.stage is not Stage.NEW:
            return
        private = call.policy.private
        updates = private is None and interaction.message is not None
        is_private = private is not False
        send = partial(interaction.response.defer, thinking=not updates, ephemeral=is_private and not updates)
        delivered, _ = await call_back(interaction, send)
        call.original_is_source = updates
        _note(call, delivered, Stage.UPDATING if updates else Stage.THINKING, is_private=is_private)


async def _reply_first(
    interaction: AnyInteraction, call: Call, answer: _Answer, *, is_private: bool
) -> discord.Message | None:
    delivered, response = await call_back(
        interaction, lambda: interaction.response.send_message(ephemeral=is_private, **answer.to_send())
    )
    _note(call, delivered, Stage.ANSWERED, is_private=is_private)
    if delivered is Delivered.ARRIVED_SILENTLY:
        _, message = await edit(interaction, interaction.original_response)
        return message
    return _message_in(response)


async def _fill_placeholder(interaction: AnyInteraction, call: Call, answer: _Answer) -> discord.Message | None:
    message = await _edit_original(interaction, call, answer)
    if call.stage is Stage.THINKING:
        call.mark(Stage.ANSWERED)
    return message


async def _edit_original(interaction: AnyInteraction, call: Call, answer: _Answer) -> discord.Message | None:
    delivered, message = await edit(interaction, lambda: interaction.edit_original_response(**answer.to_edit()))
    if delivered is Delivered.TOO_LATE:
        call.mark(Stage.LOST)
    return message


async def _follow_up(
    interaction: AnyInteraction, call: Call, answer: _Answer, *, is_private: bool
) -> discord.Message | None:
    delivered, message = await follow_up(
        interaction, lambda: interaction.followup.send(ephemeral=is_private, wait=True, **answer.to_send())
    )
    if delivered is Delivered.TOO_LATE:
        call.mark(Stage.LOST)
    return message


async def _reply_without_token(
    interaction: AnyInteraction, call: Call, answer: _Answer, *, is_private: bool
) -> discord.Message | None:
    """Nothing goes through a dead token: a public answer is posted in the channel, a private one cannot be given."""
    call.mark(Stage.LOST)
    if is_private or interaction.channel_id is None:
        log.warning("private_answer_too_late", what=call.what)
        return None
    channel = interaction.client.get_partial_messageable(interaction.channel_id)
    # Discord answers the same nonce with the first message, so this may be repeated like an edit.
    _, message = await edit(interaction, lambda: channel.send(nonce=interaction.id, **answer.to_send()))
    return message


async def _edit_source(
    interaction: AnyInteraction, message: discord.Message, answer: _Answer
) -> discord.Message | None:
    _, edited = await edit(interaction, lambda: message.edit(**answer.to_edit()))
    return edited


def _message_in(response: discord.InteractionCallbackResponse[Any] | None) -> discord.Message | None:
    resource = response.resource if response is not None else None
    return resource if isinstance(resource, discord.Message) else None


def _note(call: Call, delivered: Delivered, stage: Stage, *, is_private: bool | None = None) -> None:
    is_there = delivered in (Delivered.ARRIVED, Delivered.ARRIVED_SILENTLY)
    call.mark(stage if is_there else Stage.LOST, is_private=is_private)
