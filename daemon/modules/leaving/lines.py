"""Rounds and their titles as lines of text. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from daemon.core.ids import ServerId
from daemon.core.leaving import Halt, Listed, Outcome, Reason, Round, RoundTitle, Rule
from daemon.core.media import TitleKind
from daemon.core.text import days_line, plain, size_line

_REASONS = {
    Reason.REPLACED: "another title has its place in Plex now",
    Reason.FILES: "its files have changed since",
    Reason.MOVED: "it is in another library now",
    Reason.PLAYED: "somebody has played it since",
    Reason.PLAYING: "somebody is playing it",
    Reason.STAYED: "Plex said that it was deleted, but still has it",
    Reason.FAILED: "Plex could not delete it; its files may be read-only",
}
_OUTCOMES = {
    Outcome.KEPT: "kept",
    Outcome.DELETED: "deleted",
    Outcome.GONE: "was gone already",
    Outcome.REFUSED: "left out",
    Outcome.LEFT: "not deleted",
}


def size(titles: Iterable[RoundTitle]) -> int:
    """What they take up, in bytes."""
    return sum(title.listed.size_bytes for title in titles)


def rule_line(rule: Rule) -> str:
    """`Nobody has played it for 365 days · 4.0 GB or larger · rated 6 of 10 or less`."""
    parts = [f"Nobody has played it for {days_line(rule.unwatched_days)}"]
    if rule.size_bytes_min:
        parts.append(f"{size_line(rule.size_bytes_min)} or larger")
    if rule.rating_tenths_max is not None:
        parts.append(f"rated {rule.rating_tenths_max / 10:g} of 10 or less")
    return " · ".join(parts)


def listed_line(listed: Listed) -> str:
    """`film · 8.4 GB · added 3 years ago · never played · rated 5.9`."""
    kind = "film" if listed.kind is TitleKind.MOVIE else "show"
    parts = [kind, size_line(listed.size_bytes), f"added {_ago(listed.added_at)}"]
    parts.append("never played" if listed.played_at is None else f"last played {_ago(listed.played_at)}")
    if listed.rating_tenths is not None:
        parts.append(f"rated {listed.rating_tenths / 10:.1f}")
    return " · ".join(parts)


def title_name(listed: Listed) -> str:
    """The title's name on one line, never empty."""
    return plain(str(listed)) or "Untitled"


def keeps_line(title: RoundTitle) -> str:
    """`kept by 2 members`; empty when nobody keeps it. Names are nobody's business."""
    return f"kept by {title.keeps} member{'s' * (title.keeps != 1)}" if title.keeps else ""


def outcome_line(title: RoundTitle) -> str:
    """What became of it: `deleted, 8.4 GB freed`, `left out: somebody has played it since`."""
    if title.outcome is None:
        return "kept" if title.keeps else "kept by nobody"
    if title.outcome is Outcome.DELETED:
        return f"deleted, {size_line(title.freed_bytes)} freed"
    said = _OUTCOMES[title.outcome]
    return f"{said}: {_REASONS[title.reason]}" if title.reason is not None else said


def halt_line(halt: Halt, server: ServerId) -> str:
    """Why nothing more is deleted, and who can change that."""
    match halt:
        case Halt.SWITCHED_OFF:
            return (
                f"Plex server {server} does not let media be deleted. Its owner can switch it on: Plex, Settings, the "
                "server's Library page, “Allow media deletion”."
            )
        case Halt.REFUSED:
            return f"Plex server {server} does not take the token that Marquee has, or not for that."
        case Halt.AWAY:
            return f"Plex server {server} did not answer for too long."


def message_link(of: Round) -> str | None:
    """Where the round's card stands; None when it does nowhere."""
    if of.message_id is None:
        return None
    return f"https://discord.com/channels/{of.guild_id}/{of.channel_id}/{of.message_id}"


def _ago(at: datetime) -> str:
    return f"<t:{int(at.timestamp())}:R>"
