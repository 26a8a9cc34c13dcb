"""How the work on libraries looks in Discord."""

from __future__ import annotations

import discord

from daemon.core.ids import PanelId
from daemon.core.text import bar, clamp, titles_line
from daemon.core.titles import title_name
from integrations.discord.components import ComponentSet
from integrations.discord.ui.colours import ACCENT, GOOD
from integrations.discord.ui.layout import card, row, safe, text

from .asking import Job, Verb
from .lines import changes_line
from .works import NAMES_MAX, Phase, Progress

NAME_CHARS_MAX = 200


def work_view(
    items: ComponentSet, panel_id: PanelId, job: Job, progress: Progress, *, was_running: bool = False
) -> discord.ui.LayoutView:
    """A job on a library: how far it is, and in the end what it changed."""
    name = safe(clamp(job.library.name, 80))
    if progress.is_over:
        return card(text("\n".join(_end_lines(job, progress, name))), accent=GOOD)
    lines = [f"### {job.verb.doing} {name}"]
    if was_running:
        lines.append("It was running already; nothing was begun.")
    if progress.phase is Phase.BEGUN:
        lines.append("Begun; the server has not said how far it is.")
    elif progress.phase is Phase.QUIET:
        lines.append("The server is not at it at this moment; I look once more.")
    elif progress.percent is not None:
        lines.append(f"{bar(progress.percent / 100)} {progress.percent} %")
    else:
        lines.append("Under way; the server does not say how far.")
    if progress.detail:
        lines.append(f"-# {safe(clamp(progress.detail, NAME_CHARS_MAX))}")
    if progress.problem:
        lines.append(f"-# {safe(progress.problem)}")
    if progress.phase is Phase.LEFT:
        lines.append("-# It takes longer than this message can follow it. Look again to go on.")
    if cost := _cost(job):
        lines.append(f"-# {cost}")
    lines.append(f"-# {safe(job.library.ref.server)} · begun <t:{int(job.begun_at.timestamp())}:R>")
    look = items.button("work", (panel_id,), label="Look again")
    return card(text("\n".join(lines)), row(look), accent=ACCENT)


def _cost(job: Job) -> str:
    """What it takes; empty for what costs little."""
    of = titles_line(job.before.count) if job.before is not None else "every title"
    return {
        Verb.SCAN: "",
        Verb.REFRESH: (
            f"The server fetches metadata and artwork of {of} again: that takes long, loads the server and the "
            "sources it asks, and may replace posters that nobody chose by hand."
        ),
        Verb.ANALYZE: f"The server reads the files of {of} again: that takes long and keeps its disks busy.",
    }[job.verb]


def _end_lines(job: Job, progress: Progress, name: str) -> list[str]:
    lines = [f"### {job.verb.done} {name}"]
    if progress.phase is Phase.UNSEEN:
        lines.append("The server told nothing of it: it was done at once, or waits for its turn.")
    changes = progress.changes
    if changes is None:
        lines.append("What it changed is not known: the mirror does not hold the library.")
    else:
        lines.append(changes_line(changes))
        lines += [f"+ {safe(clamp(title_name(shown.title), NAME_CHARS_MAX))}" for shown in changes.names]
        if changes.added > len(changes.names) >= NAMES_MAX:
            lines.append(f"-# and {changes.added - len(changes.names):,} more")
    lines.append(f"-# {safe(job.library.ref.server)} · begun <t:{int(job.begun_at.timestamp())}:R>")
    return lines
