"""How operations look in Discord: dead letters, health, schedules, the story of a trace id."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import discord

from daemon.core.text import clamp
from daemon.kernel.health import Report, Status
from daemon.services.dead_letters import Letter
from daemon.services.schedule import Known
from daemon.services.stories import Happening
from integrations.discord.components import ComponentSet
from integrations.discord.ui.colours import DANGER
from integrations.discord.ui.layout import card, row, safe, text
from integrations.discord.ui.paginator import Page, pager
from integrations.discord.ui.pick import option, pick

ACCENT = discord.Colour(0x5865F2)
LETTERS_PAGE = 8
SCHEDULES_PAGE = 10
HAPPENINGS_PAGE = 15
_LINE_CHARS = 160
_DETAIL_CHARS = 900
_BODY_CHARS = 600
_SIGNS = {Status.PASS: "🟢", Status.WARN: "🟡", Status.FAIL: "🔴"}
ALL = "all"
"""In the place of a letter's number: all dead letters."""


def letters_view(items: ComponentSet, page: Page[Letter], total: int, note: str = "") -> discord.ui.LayoutView:
    """Dead letters, a select that shows one, and buttons for all of them; `note` says what was just done."""
    lines = [_letter_line(letter) for letter in page.items] or ["There are none: nothing was given up."]
    parts: list[discord.ui.Item[Any]] = [text(f"### Dead letters ({total:,})\n" + "\n".join(lines))]
    if note:
        parts.insert(0, text(note))
    if page.items:
        options = [
            option(f"{letter.letter_id} · {letter.queue}", str(letter.letter_id), description=letter.headline)
            for letter in page.items
        ]
        parts.append(pick(items, "letter", options=options, placeholder="Show one"))
        parts.append(
            row(
                items.button("ask-replay", (ALL,), label="Replay all"),
                items.button("ask-drop", (ALL,), label="Drop all", style=discord.ButtonStyle.danger),
            )
        )
    return card(*parts, *pager(items, "letters", page=page), accent=ACCENT)


def _letter_line(letter: Letter) -> str:
    head = f"**{letter.letter_id}** · {safe(letter.queue)} · {safe(clamp(letter.topic, 60))} · {safe(letter.reason)}"
    return f"{head} · {ago(letter.died_at)}\n-# {safe(clamp(letter.headline, _LINE_CHARS))}"


def letter_view(items: ComponentSet, letter: Letter, preview: str | None) -> discord.ui.LayoutView:
    """One dead letter, what can be done with it, and the way back."""
    facts = {
        "Topic": letter.topic,
        "Reason": f"{letter.reason}, attempt {letter.attempts}",
        "Source": letter.source,
        "Trace": letter.trace_id,
        "Size": f"{letter.size_bytes:,} bytes",
    }
    lines = [f"{name}: {safe(clamp(value, _LINE_CHARS))}" for name, value in facts.items() if value]
    lines.append(f"Enqueued {ago(letter.enqueued_at)}, died {ago(letter.died_at)}")
    body = "lies outside the database" if preview is None else preview or "is empty"
    ids = (letter.letter_id,)
    return card(
        text(f"### Dead letter {letter.letter_id} of {safe(letter.queue)}\n" + "\n".join(lines)),
        text(_code(_end(letter.detail, _DETAIL_CHARS) or "no detail")),
        text("Body\n" + _code(clamp(body, _BODY_CHARS))),
        row(
            items.button("replay", ids, label="Replay", style=discord.ButtonStyle.primary),
            items.button("ask-drop", ids, label="Drop", style=discord.ButtonStyle.danger),
            items.button("letters", (1,), label="Back"),
        ),
        accent=ACCENT,
    )


def confirm_view(items: ComponentSet, verb: str, target: str, total: int) -> discord.ui.LayoutView:
    """Whether it is meant; `verb` is "replay" or "drop", `target` a number or `ALL`."""
    what = f"all {total:,} dead letters" if target == ALL else f"dead letter {target}"
    question = f"Drop {what} for good?" if verb == "drop" else f"Replay {what}?"
    style = discord.ButtonStyle.danger if verb == "drop" else discord.ButtonStyle.primary
    return card(
        text(question),
        row(
            items.button(verb, (target,), label=f"Yes, {verb}", style=style),
            items.button("letters", (1,), label="No, keep"),
        ),
        accent=DANGER if verb == "drop" else ACCENT,
    )


def health_view(report: Report) -> discord.ui.LayoutView:
    """Every check in words: what is not well first and in full, the rest by name."""
    head = "Ready" if report.is_ready else "Not ready: " + "; ".join(report.reasons)
    bad = [
        f"{_SIGNS[check.status]} **{safe(name)}** {safe(clamp(check.output, _LINE_CHARS))} · "
        f"{ago(report.changed_at[name])}"
        for name, check in report.checks.items()
        if check.status is not Status.PASS
    ]
    good = [safe(name) for name, check in report.checks.items() if check.status is Status.PASS]
    parts = [text(f"### {_SIGNS[report.status]} {safe(head)}\n" + "\n".join(bad or ["Every check passes."]))]
    if good:
        parts.append(text(f"-# {_SIGNS[Status.PASS]} {', '.join(good)}"))
    return card(*parts, accent=ACCENT if report.status is Status.PASS else DANGER)


def schedules_view(items: ComponentSet, page: Page[Known], note: str = "") -> discord.ui.LayoutView:
    """What runs when, and a select that runs one now."""
    lines = [_schedule_line(known) for known in page.items] or ["None is known yet."]
    parts: list[discord.ui.Item[Any]] = [text("### Schedules (times in UTC)\n" + "\n".join(lines))]
    if note:
        parts.insert(0, text(note))
    if page.items:
        options = [option(known.declared.name, known.declared.name) for known in page.items]
        parts.append(pick(items, "run", options=options, placeholder="Run one now"))
    return card(*parts, *pager(items, "schedules", page=page), accent=ACCENT)


def _schedule_line(known: Known) -> str:
    declared, last = known.declared, known.last
    zone = "" if declared.timezone == "UTC" or declared.plan.startswith("every") else f" {safe(declared.timezone)}"
    line = f"**{safe(declared.name)}** · `{declared.plan}`{zone} · next {ago(known.next_at)}"
    ran = "has not run yet" if last is None else f"{safe(last.outcome)} {ago(last.ended_at or last.asked_at)}"
    detail = f": {safe(clamp(last.detail, _LINE_CHARS))}" if last is not None and last.detail else ""
    return f"{line}\n-# {ran}{detail}"


def story_view(items: ComponentSet, trace_id: str, page: Page[tuple[Happening, int]]) -> discord.ui.LayoutView:
    """The story of a trace id: (happening, milliseconds since the one before) a line."""
    lines = [_happening_line(one, gap_ms) for one, gap_ms in page.items]
    head = f"### Trace {trace_id[:8]}\n-# {trace_id} · <t:{int(page.items[0][0].at.timestamp())}:D>\n"
    return card(text(head + "\n".join(lines)), *pager(items, "story", (trace_id,), page=page), accent=ACCENT)


def _happening_line(one: Happening, gap_ms: int) -> str:
    line = f"<t:{int(one.at.timestamp())}:T> +{gap_ms:,} ms **{safe(one.what)}**"
    return f"{line}\n-# {safe(clamp(one.detail, _LINE_CHARS))}" if one.detail else line


def with_gaps(happenings: Sequence[Happening]) -> Iterator[tuple[Happening, int]]:
    """Each with the milliseconds since the one before."""
    before = happenings[0].at
    for one in happenings:
        yield one, int((one.at - before).total_seconds() * 1000)
        before = one.at


def ago(at: datetime | None) -> str:
    """An instant as each reader's own Discord shows it: "in 3 hours"."""
    return "never" if at is None else f"<t:{int(at.timestamp())}:R>"


def _end(detail: str, chars_max: int) -> str:
    """The end of a traceback says what happened."""
    return detail if len(detail) <= chars_max else f"…{detail[1 - chars_max :]}"


def _code(content: str) -> str:
    """A block of text as it is; what would end the block is kept apart."""
    return "```\n" + content.replace("```", "`\u200b``") + "\n```"
