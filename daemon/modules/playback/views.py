"""How playback looks in Discord: the card, the menus and the lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import discord

from daemon.core.ids import PanelId, ServerId
from daemon.core.limits import CHOICE_CHARS_MAX
from daemon.core.media import NowPlaying, Playback, Player, PlayQueue, PlayState, QueueItem, Stream, StreamKind
from daemon.core.players import about, player_name, why_not
from daemon.core.text import bar, clamp, duration
from daemon.core.titles import title_name
from integrations.discord.components import ComponentSet
from integrations.discord.ui.colours import ACCENT, QUIET
from integrations.discord.ui.layout import card, poster_section, row, safe, text
from integrations.discord.ui.paginator import Page, pager
from integrations.discord.ui.pick import option, pick

from .faces import Face, Phase
from .sight import HIDDEN, is_hidden
from .tracks import track_choices

NAME_CHARS_MAX = 200  # of a title on a card; a real one of 300 characters exists
NOW_PAGE = 5
PLAYERS_PAGE = 10
QUEUE_PAGE = 10

_STATES = {
    PlayState.PLAYING: "▶ Playing",
    PlayState.PAUSED: "⏸ Paused",
    PlayState.BUFFERING: "⏳ Buffering",
    PlayState.STOPPED: "⏹ Stopped",
}
_PHASES = {
    Phase.STARTING: "⏳ Starting",
    Phase.ENDED: "⏹ Ended",
    Phase.REPLACED: "⏹ A newer card shows this player",
}


def card_view(items: ComponentSet, panel_id: PanelId, face: Face) -> discord.ui.LayoutView:
    """The card: poster and text, two rows of buttons, two selects; an ended one has nothing to press."""
    lines = [_heading(face), _state_line(face)]
    if face.phase in (Phase.STARTING, Phase.LIVE) and not face.is_hidden:
        lines.append(f"{bar(face.part)}  {face.times}")
    parts: list[discord.ui.Item[Any]] = []
    if face.picture:
        parts.append(poster_section(f"attachment://{face.picture}", lines, description=f"Poster of {face.name}"))
    else:
        parts.append(text("\n".join(lines)))
    if face.notice:
        parts.append(text(f"-# {safe(face.notice)}"))
    is_open = face.phase in (Phase.STARTING, Phase.LIVE)
    if is_open and face.is_controllable:
        parts += _controls(items, panel_id, face)
    return card(*parts, accent=ACCENT if is_open else QUIET)


def _heading(face: Face) -> str:
    year = f" ({face.year})" if face.year else ""
    context = f"\n{safe(clamp(face.context, NAME_CHARS_MAX))}" if face.context else ""
    return f"### {safe(clamp(face.name, NAME_CHARS_MAX))}{year}{context}"


def _state_line(face: Face) -> str:
    state = _PHASES.get(face.phase) or _STATES[face.state]
    parts = [f"{state} on **{safe(clamp(face.player, 80))}**"]
    if face.phase is Phase.REPLACED:
        parts = [state]
    if face.account:
        parts.append(f"for {safe(clamp(face.account, 80))}")
    if face.volume is not None:
        parts.append(f"volume {face.volume} %")
    if face.phase is Phase.ENDED and face.duration_s:
        parts.append(duration(face.duration_s * 1000))
    return " · ".join(parts)


def _controls(items: ComponentSet, panel_id: PanelId, face: Face) -> list[discord.ui.Item[Any]]:
    ids = (panel_id,)
    is_paused = face.phase is Phase.LIVE and face.state is PlayState.PAUSED
    toggle = items.button(
        "resume" if is_paused else "pause",
        ids,
        label="Resume" if is_paused else "Pause",
        style=discord.ButtonStyle.primary,
    )
    rows: list[discord.ui.Item[Any]] = [
        row(
            toggle,
            items.button("back", ids, label="-30 s"),
            items.button("forward", ids, label="+30 s"),
            items.button("previous", ids, label="Previous"),
            items.button("next", ids, label="Next"),
        ),
        row(
            items.button("stop", ids, label="Stop", style=discord.ButtonStyle.danger),
            items.button("quieter", ids, label="Volume -"),
            items.button("louder", ids, label="Volume +"),
        ),
    ]
    if face.audio:
        rows.append(pick(items, "audio", ids, options=_tracks(face.audio, StreamKind.AUDIO), placeholder="Audio"))
    if face.subtitles:
        options = _tracks(face.subtitles, StreamKind.SUBTITLE)
        rows.append(pick(items, "subtitles", ids, options=options, placeholder="Subtitles"))
    return rows


def _tracks(streams: Sequence[Stream], kind: StreamKind) -> list[discord.SelectOption]:
    return [option(label, value, is_default=is_selected) for label, value, is_selected in track_choices(streams, kind)]


def menu_view(
    items: ComponentSet, action: str, panel_id: PanelId, question: str, lines: Sequence[tuple[str, str]]
) -> discord.ui.LayoutView:
    """A question and a select of (label, value)."""
    options = [option(label, value) for label, value in lines]
    return card(text(question), pick(items, action, (panel_id,), options=options, placeholder="Choose"), accent=ACCENT)


def note_view(sentence: str) -> discord.ui.LayoutView:
    """One plain sentence, as a card: what a menu turns into."""
    return card(text(safe(sentence)), accent=ACCENT)


def now_view(
    items: ComponentSet, home: str, now: NowPlaying, page: Page[tuple[Playback, int]]
) -> discord.ui.LayoutView:
    """What plays: (playback, position in ms) a line, a select that opens a card, and who did not answer.

    `home` is the guild in which the list works: see `check_home`.
    """
    lines = [_now_line(playback, position_ms) for playback, position_ms in page.items] or ["Nothing is playing."]
    parts: list[discord.ui.Item[Any]] = [
        text("### Now playing\n" + "\n".join(lines) + _old(now) + _silent(now.silent_servers))
    ]
    options = [
        option(player_name(playback.player), str(playback.player.ref), description=title_name(playback.title))
        for playback, _ in page.items
        if len(str(playback.player.ref)) <= CHOICE_CHARS_MAX
    ]
    if options:
        parts.append(pick(items, "open", (home,), options=options, placeholder="Open a card"))
    return card(*parts, *pager(items, "now", (home,), page=page), accent=ACCENT)


def _now_line(playback: Playback, position_ms: int) -> str:
    total = playback.duration_ms
    progress = f"{bar(position_ms / total, 10)} {duration(position_ms)} / {duration(total)}" if total else ""
    who = f"{safe(clamp(playback.account, 80))} on " if playback.account else ""
    state = _STATES[playback.state].split()[0]
    if is_hidden(playback.title):
        return f"{state} **{HIDDEN}**\n{safe(clamp(player_name(playback.player), 80))}"
    name = safe(clamp(title_name(playback.title), NAME_CHARS_MAX))
    return f"{state} **{name}**\n{progress} · {who}{safe(clamp(player_name(playback.player), 80))}"


def _old(now: NowPlaying) -> str:
    """Of whom this is what they told a while ago, and why."""
    return "".join(
        f"\n-# {safe(f'{error.service} {error.kind}')}; of it, this is as of {_ago(now.ages_s[server])} ago."
        for server, error in now.failures.items()
        if server in now.ages_s
    )


def _ago(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _silent(servers: Sequence[ServerId]) -> str:
    if not servers:
        return ""
    names = ", ".join(safe(server) for server in servers)
    return f"\n-# {names} did not answer, so this may not be all."


def players_view(
    items: ComponentSet, home: str, page: Page[Player], silent: Sequence[ServerId]
) -> discord.ui.LayoutView:
    """Who can be controlled, and why not, and which servers did not answer; `home` as for `now_view`."""
    lines = [_player_line(player) for player in page.items] or ["No player is there; open Plex on a device first."]
    parts = text("### Players\n" + "\n".join(lines) + _silent(silent))
    return card(parts, *pager(items, "players", (home,), page=page), accent=ACCENT)


def _player_line(player: Player) -> str:
    mark = "🟢" if player.is_controllable else "⚪"
    line = f"{mark} **{safe(clamp(player_name(player), 80))}**"
    problem = f"\n-# {safe(clamp(why_not(player), 200))}" if player.problem else ""
    return " · ".join([line, *(safe(clamp(part, 60)) for part in about(player))]) + problem


def queue_view(
    items: ComponentSet, queue: PlayQueue, player: Player, page: Page[QueueItem], panel_id: PanelId | None
) -> discord.ui.LayoutView:
    """The play queue of a player; `panel_id` is what the page buttons carry, None when there is one page only."""
    width = len(str(page.first_index + len(page.items)))
    lines = [
        _queue_line(f"{place:>{width}}", item, is_now=item.item_id == queue.selected_item_id)
        for place, item in enumerate(page.items, start=page.first_index + 1)
    ]
    more = f"\n-# and {queue.total - len(queue.items):,} more" if queue.total > len(queue.items) else ""
    heading = f"### Queue of {safe(clamp(player_name(player), 80))}"
    turning = pager(items, "queue", (panel_id,), page=page) if panel_id is not None else ()
    return card(text(heading + "\n" + "\n".join(lines) + more), *turning, accent=ACCENT)


def _queue_line(place: str, item: QueueItem, *, is_now: bool) -> str:
    name = safe(clamp(title_name(item.title), NAME_CHARS_MAX))
    return f"`{place}` ▶ **{name}**" if is_now else f"`{place}` {name}"
