"""How linking, binding and privacy look in Discord."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import discord

from daemon.core.limits import LINK_REST_DAYS
from daemon.core.text import clamp
from daemon.services.accounts import Link, Proof, RequestState
from daemon.services.plays import Play
from daemon.services.privacy import Audience, State
from integrations.discord.components import ComponentSet
from integrations.discord.ui.colours import ACCENT, DANGER, GOOD, QUIET
from integrations.discord.ui.confirm import confirm
from integrations.discord.ui.layout import card, row, safe, text
from integrations.discord.ui.paginator import Page, pager

from .binding import Bound
from .linking import Begun
from .telling import ENDS, is_good

BOUND_PAGE = 15
PLAYS_PAGE = 10
_NAME_CHARS = 80
_TITLE_CHARS = 120
_CHOSEN_SHOWN = 25

_AUDIENCES = {
    Audience.NOBODY: "only you",
    Audience.CHOSEN: "you, and the people you chose",
    Audience.GUILD: "everybody in the servers where you said so",
}


def request_view(items: ComponentSet, begun: Begun, *, keep: bool) -> discord.ui.LayoutView:
    """What to do on Plex's page, and a button that looks at once."""
    kept = (
        "Access to your account will be kept, encrypted, until you `/unlink`: some features act in your name."
        if keep
        else "Nothing that gives access to your account will be kept: only which account it is."
    )
    lines = (
        "### Link your Plex account",
        "Sign in at Plex and allow **Marquee**. Do that only because you asked for it here, just now.",
        f"-# {kept} It can be done until <t:{int(begun.expires_at.timestamp())}:t>.",
    )
    link: discord.ui.Button[Any] = discord.ui.Button(label="Sign in at Plex", url=begun.url)
    return card(
        text("\n".join(lines)), row(link, items.button("check", (begun.request_id,), label="Check now")), accent=ACCENT
    )


def waiting_view(items: ComponentSet, request_id: int, expires_at: datetime) -> discord.ui.LayoutView:
    """Nobody has signed in so far."""
    lines = (
        "### Link your Plex account",
        f"Nobody has signed in yet. The page at Plex works until <t:{int(expires_at.timestamp())}:t>.",
    )
    return card(text("\n".join(lines)), row(items.button("check", (request_id,), label="Check now")), accent=ACCENT)


def end_view(state: RequestState, link: Link | None) -> discord.ui.LayoutView:
    """How a request ended."""
    lines = [f"### {'✅' if is_good(state) else '❌'} {ENDS[state]}"]
    if is_good(state) and link is not None:
        lines.append(_link_line(link))
        lines.append("-# You now see here what Plex shows you. `/privacy` says who sees what you watch.")
    return card(text("\n".join(lines)), accent=GOOD if is_good(state) else DANGER)


def linked_view(link: Link) -> discord.ui.LayoutView:
    """There is a link, and nothing to be done."""
    return card(text(f"### Your Plex account is linked\n{_link_line(link)}"), accent=GOOD)


def unlink_view(items: ComponentSet, link: Link) -> discord.ui.LayoutView:
    """Whether unlinking is meant."""
    lines = (
        f"### Unlink {safe(clamp(link.name, _NAME_CHARS))}?",
        "Access that was kept is deleted at once. What was recorded of you stays; `/forget-me` erases it.",
        f"For {LINK_REST_DAYS} days neither you nor the account can be linked again.",
    )
    asked = confirm(items, "unlink", "keep", (link.account_id,), label="Yes, unlink")
    return card(text("\n".join(lines)), asked, accent=DANGER)


def said_view(sentence: str, *, is_good: bool = True) -> discord.ui.LayoutView:
    """One sentence: something was done, or left alone."""
    return card(text(sentence), accent=GOOD if is_good else QUIET)


def forget_view(items: ComponentSet, profile_id: int, link: Link | None, plays: str) -> discord.ui.LayoutView:
    """What forgetting erases and what stays."""
    account = "" if link is None else f"\n- the link to your Plex account **{safe(clamp(link.name, _NAME_CHARS))}**"
    lines = (
        "### Forget everything about you?",
        "This is erased, and cannot be brought back:",
        f"- who you are: your name here and your Discord id{account}",
        f"- what you have watched: {plays}",
        "- everything you chose: privacy, players, access that was kept",
        "",
        "What stays is a random name in sums and ledgers, and a mark that keeps your plays from being read in again.",
        "Backups hold the rest until they are replaced. `/export-me` first, if you want a copy.",
    )
    asked = confirm(items, "forget", "keep", (profile_id,), label="Yes, forget me")
    return card(text("\n".join(lines)), asked, accent=DANGER)


def privacy_view(items: ComponentSet, state: State, now: datetime, note: str = "") -> discord.ui.LayoutView:
    """How things are, and whom to choose while it is shown to chosen people."""
    chosen = state.chosen
    days = chosen.retention_days
    incognito = (
        f"until <t:{int(chosen.incognito_until.timestamp())}:f>: nothing you watch is recorded"
        if chosen.incognito_until is not None and chosen.is_incognito(now)
        else "off"
    )
    lines = [
        "### Your privacy",
        f"**Who sees what you watch:** {_AUDIENCES[chosen.visible]}{_where(state)}",
        f"**Rankings and sums that others see:** {'you count' if chosen.stats else 'you are left out'}",
        f"**Kept:** {'until you say otherwise' if days is None else f'{days:,} days'}",
        f"**Incognito:** {incognito}",
    ]
    parts: list[discord.ui.Item[Any]] = [text("\n".join(lines))]
    if chosen.visible is Audience.CHOSEN:
        names = [f"**{safe(clamp(name, _NAME_CHARS))}**" for _, name in state.people[:_CHOSEN_SHOWN]]
        parts.append(text(f"Chosen: {', '.join(names) or 'nobody yet'}"))
        parts.append(row(items.people("choose", placeholder="Choose who may see it")))
    if note:
        parts.insert(0, text(note))
    parts.append(
        text("-# `/privacy` with options changes it, `/export-me` shows all that is kept, `/forget-me` erases it.")
    )
    return card(*parts, accent=ACCENT)


def profile_view(
    items: ComponentSet, member_id: int, name: str, about: Sequence[str], page: Page[Play]
) -> discord.ui.LayoutView:
    """Somebody, as far as whoever looks may know."""
    plays = [
        f"**{safe(clamp(play.title, _TITLE_CHARS))}** · <t:{int(play.started_at.timestamp())}:R>" for play in page.items
    ]
    lines = [f"### {safe(clamp(name, _NAME_CHARS))}", *about]
    watched = "\n".join(plays) if plays else "Nothing that you can see."
    return card(
        text("\n".join(lines)),
        text(f"**Watched lately**\n{watched}"),
        *pager(items, "profile", (member_id,), page=page),
        accent=ACCENT,
    )


def bound_view(items: ComponentSet, page: Page[Bound] | None, note: str = "") -> discord.ui.LayoutView:
    """What the guild sees; None: everything."""
    parts: list[discord.ui.Item[Any]] = [text(note)] if note else []
    if page is None:
        parts.append(text("### What this server sees\nEverything: nothing has been bound yet."))
        return card(*parts, accent=ACCENT)
    lines = [_bound_line(one) for one in page.items] or ["Nothing."]
    parts.append(text("### What this server sees\n" + "\n".join(lines)))
    return card(*parts, *pager(items, "bound", page=page), accent=ACCENT)


def about_link(link: Link | None) -> str:
    """The line about one's own account."""
    return "No Plex account is linked; `/link` does that." if link is None else _link_line(link)


def bound_name(one: Bound) -> str:
    """A library or a server in a sentence."""
    server = f"**{safe(clamp(one.server, _NAME_CHARS))}**"
    return f"all of {server}" if one.name is None else f"**{safe(clamp(one.name, _NAME_CHARS))}** of {server}"


def _bound_line(one: Bound) -> str:
    server = safe(clamp(one.server, _NAME_CHARS))
    return f"**{server}** · everything" if one.name is None else f"**{server}** · {safe(clamp(one.name, _NAME_CHARS))}"


def _link_line(link: Link) -> str:
    proof = "by signing in" if link.proof is Proof.PIN else "by an owner"
    access = "access is kept" if link.token is not None else "no access is kept"
    when = f"<t:{int(link.linked_at.timestamp())}:D>"
    return f"Plex account **{safe(clamp(link.name, _NAME_CHARS))}** · linked {when} {proof} · {access}"


def _where(state: State) -> str:
    if state.chosen.visible is not Audience.GUILD:
        return ""
    here = "this server" if state.is_seen_here else "not this server"
    others = state.guilds - state.is_seen_here
    return f" ({here}{f' and {others} more' if others else ''})"
