"""Answers about what is known of people: profile, privacy, export, forgetting."""

from __future__ import annotations

import asyncio
import io
import json
from typing import Any

import discord

from daemon.core.clock import Clock
from daemon.core.errors import UserError
from daemon.core.ids import MemberId
from daemon.core.limits import EXPORT_PLAYS_MAX
from daemon.services.accounts import Accounts
from daemon.services.plays import Plays
from daemon.services.privacy import Audience, Change, Privacy
from daemon.services.profiles import Profiles
from integrations.discord.calls import call_of
from integrations.discord.components import ComponentSet
from integrations.discord.replies import reply, update
from integrations.discord.ui.paginator import page_of
from integrations.plex import PlexTv

from .spans import until
from .views import PLAYS_PAGE, about_link, forget_view, privacy_view, profile_view, said_view

AnyInteraction = discord.Interaction[Any]

_PLAYS_MAX = 100  # of somebody's profile
_FILE_BYTES_MAX = 9 * 1024 * 1024  # Discord takes 10


class PeopleDesk:
    """Looks up, carries out, and answers; `items` makes the buttons and menus."""

    def __init__(
        self,
        items: ComponentSet,
        accounts: Accounts,
        privacy: Privacy,
        plays: Plays,
        profiles: Profiles,
        clock: Clock,
        plex_tv: PlexTv,
    ) -> None:
        self._items = items
        self._accounts = accounts
        self._privacy = privacy
        self._plays = plays
        self._profiles = profiles
        self._clock = clock
        self._plex_tv = plex_tv

    async def profile(self, interaction: AnyInteraction, member_id: int, number: int) -> None:
        """Somebody's profile, as far as the asker may know."""
        call = call_of(interaction)
        whose = await self._profiles.of_member(MemberId(member_id))
        if whose is None:
            raise UserError("I have not met them yet.", "unknown_member")
        name = await self._profiles.name(whose) or str(member_id)
        about: list[str] = []
        if whose == call.profile_id:
            about.append(about_link(await self._accounts.link_of(whose)))
            about.append("-# Only you see this. `/privacy` says what others see.")
        plays = await self._plays.visible(call.profile_id, call.member_id, call.guild_id, of=whose, limit=_PLAYS_MAX)
        view = profile_view(self._items, member_id, name, about, page_of(plays, number, PLAYS_PAGE))
        await update(interaction, view=view)

    async def set_privacy(
        self,
        interaction: AnyInteraction,
        visible: str | None,
        stats: bool | None,
        retention_days: int | None,
        incognito: str | None,
    ) -> None:
        """Change what was given, and show how things are."""
        call, now = call_of(interaction), self._clock.now()
        wanted = Change(
            visible=None if visible is None else Audience(visible),
            stats=stats,
            retention_days=retention_days,
            incognito_until=None if incognito is None else until(incognito, now),
        )
        if wanted.is_empty:
            state = await self._privacy.state(call.profile_id, call.guild_id)
        else:
            state = await self._privacy.change(call.profile_id, call.guild_id, wanted)
        note = "" if wanted.is_empty else "Changed."
        await reply(interaction, view=privacy_view(self._items, state, now, note))

    async def choose(self, interaction: AnyInteraction, values: tuple[str, ...]) -> None:
        """These people, and no others, may see what the member watches."""
        call = call_of(interaction)
        people = _resolved(interaction, values)
        viewers = await self._profiles.ensure_members(people) if people else []
        state = await self._privacy.choose(call.profile_id, call.guild_id, viewers)
        await update(interaction, view=privacy_view(self._items, state, self._clock.now(), "Changed."))

    async def export(self, interaction: AnyInteraction) -> None:
        """Everything that is kept, as a file that only the member sees."""
        document = await self._privacy.export(call_of(interaction).profile_id)
        data = await asyncio.to_thread(_to_bytes, document)
        if len(data) > _FILE_BYTES_MAX:
            raise UserError("That is more than Discord takes as a file; ask the owner of this bot for it.", "too_big")
        note = f" Of your plays the newest {EXPORT_PLAYS_MAX:,} are in it." if document["is_cut"] else ""
        file = discord.File(io.BytesIO(data), filename="marquee-export.json")
        await reply(interaction, f"This is everything that is kept about you.{note}", files=[file], private=True)

    async def ask_forget(self, interaction: AnyInteraction) -> None:
        """Whether it is meant."""
        profile_id = call_of(interaction).profile_id
        count = await self._privacy.count_plays(profile_id)
        plays = f"{count:,} plays" if count < EXPORT_PLAYS_MAX else f"{count:,} plays and more"
        link = await self._accounts.link_of(profile_id)
        await reply(interaction, view=forget_view(self._items, profile_id, link, plays))

    async def forget(self, interaction: AnyInteraction, profile_id: int) -> None:
        """It was meant, for the profile that was shown: a second press finds another, new and empty one."""
        mine = call_of(interaction).profile_id
        if mine != profile_id:
            await update(interaction, view=said_view("That was done already.", is_good=False))
            return
        token = await self._accounts.token_of(mine)
        erased = await self._privacy.forget(mine)
        sentence = f"Everything about you is erased, {erased:,} plays among it. The next command begins anew."
        await update(interaction, view=said_view(sentence))
        if token is not None:
            await self._plex_tv.sign_out(token)


def _resolved(interaction: AnyInteraction, values: tuple[str, ...]) -> dict[MemberId, str]:
    """Chosen people with their names; bots left out."""
    data: dict[str, Any] = dict(interaction.data or {})
    found = data.get("resolved", {})
    people: dict[MemberId, str] = {}
    for value in values:
        user = found.get("users", {}).get(value)
        if user is None or user.get("bot"):
            continue
        nick = (found.get("members", {}).get(value) or {}).get("nick")
        people[MemberId(int(value))] = nick or user.get("global_name") or user.get("username") or value
    return people


def _to_bytes(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, indent=1).encode("utf-8", "replace")
