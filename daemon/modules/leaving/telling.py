"""What the owners are told of rounds, once each: in the unit of work in which it happens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from daemon.core.ids import ChannelId, MemberId, ModuleId
from daemon.core.leaving import Outcome, RoundState
from daemon.core.text import clamp, size_line, titles_line
from daemon.kernel.trace import current_trace_id
from daemon.services.leaving import Whole
from daemon.services.notify import Notice, Notify
from integrations.discord.ui.layout import safe

from .lines import halt_line, message_link, outcome_line, size, title_name

MODULE = ModuleId("leaving")
GOOD, NEWS, BAD = 0x23A55A, 0xE5A00D, 0xDA373C
_NAMED_MAX = 10


class Telling:
    """Without a channel each owner is told directly; without owners nobody is."""

    def __init__(self, notify: Notify, channel: ChannelId | None, owners: Sequence[MemberId]) -> None:
        self._notify = notify
        self._channel = channel
        self._owners = owners

    def closed(self, tx: Any, whole: Whole) -> None:
        """The time for keeping is over."""
        name, unwanted = safe(whole.round.library_name), whole.unwanted
        text = f"**{name}**: {len(whole.wanted)} of {titles_line(len(whole.titles))} were kept."
        if whole.round.state is RoundState.DONE:
            text += " Nothing is left to decide."
        else:
            text += (
                f" Nobody kept the other {titles_line(len(unwanted))}, {size_line(size(unwanted))}. Nothing is deleted "
                f"before an owner says so: `/leaving close round:{whole.round.round_id}` shows them."
            )
        self._tell(tx, whole, "closed", "Leaving soon: the time is over", text, NEWS)

    def done(self, tx: Any, whole: Whole) -> None:
        """Everything that was to be deleted is, or is left out for a reason."""
        deleted, refused = whole.of(Outcome.DELETED), [*whole.of(Outcome.REFUSED), *whole.of(Outcome.GONE)]
        text = f"**{safe(whole.round.library_name)}**: {titles_line(len(deleted))} deleted, "
        text += f"{size_line(whole.freed_bytes)} freed."
        for title in refused[:_NAMED_MAX]:
            text += f"\n{safe(clamp(title_name(title.listed), 80))}: {outcome_line(title)}"
        if len(refused) > _NAMED_MAX:
            text += f"\nand {len(refused) - _NAMED_MAX} more that were left out"
        self._tell(tx, whole, "done", "Leaving soon: deleted", text, GOOD)

    def halted(self, tx: Any, whole: Whole) -> None:
        """Deleting was given up before its end."""
        if whole.round.halt is None:
            return
        unwanted = whole.unwanted
        text = f"{safe(halt_line(whole.round.halt, whole.round.library.server))} {titles_line(len(unwanted))} of "
        text += f"**{safe(whole.round.library_name)}** are left; `/leaving close round:{whole.round.round_id}` goes on."
        self._tell(tx, whole, f"halt:{whole.round.revision}", "Leaving soon: deleting has stopped", text, BAD)

    def _tell(self, tx: Any, whole: Whole, what: str, title: str, text: str, accent: int) -> None:
        for member in (None,) if self._channel is not None else self._owners:
            notice = Notice(
                MODULE,
                f"{MODULE}:{whole.round.round_id}:{what}" + ("" if member is None else f":{member}"),
                text,
                channel_id=self._channel if member is None else None,
                member_id=member,
                title=title,
                accent=accent,
                url=message_link(whole.round) or "",
                url_label="Show the round",
                source=f"leaving round {whole.round.round_id}",
                trace_id=current_trace_id() or "",
            )
            self._notify.post(tx, notice)
