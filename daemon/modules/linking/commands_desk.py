"""Answers about accounts and links, to commands and presses alike."""

from __future__ import annotations

from typing import Any

import discord

from daemon.core.errors import OutOfDate, UpstreamError, UpstreamKind, UserError
from daemon.core.ids import AccountId, MemberId
from daemon.services.accounts import Accounts, LinkOutcome, Request, RequestState
from daemon.services.profiles import Profiles
from integrations.discord.calls import call_of
from integrations.discord.components import ComponentSet
from integrations.discord.replies import reply, update
from integrations.discord.ui.layout import safe
from integrations.plex import PlexTv

from .linking import Linker
from .sharing import Sharing
from .telling import Telling
from .views import end_view, linked_view, request_view, said_view, unlink_view, waiting_view

AnyInteraction = discord.Interaction[Any]

_OUTCOMES = {
    LinkOutcome.LINKED: "{account} is linked to {member}.",
    LinkOutcome.RENEWED: "{account} was linked to {member} already.",
    LinkOutcome.TAKEN: "{account} belongs to somebody else here; they have to `/unlink` first. Nothing was changed.",
    LinkOutcome.HAS_OTHER: "{member} has another account linked; `/unlink` comes first. Nothing was changed.",
    LinkOutcome.RESTING: "{account} or {member} was unlinked less than seven days ago. Nothing was linked.",
    LinkOutcome.FORGOTTEN: "{member} has just had everything forgotten. Nothing was linked.",
}


class Desk:
    """Looks up, carries out, and answers; `items` makes the buttons."""

    def __init__(
        self,
        items: ComponentSet,
        linker: Linker,
        telling: Telling,
        accounts: Accounts,
        profiles: Profiles,
        plex_tv: PlexTv,
    ) -> None:
        self._items = items
        self._linker = linker
        self._telling = telling
        self._accounts = accounts
        self._profiles = profiles
        self._plex_tv = plex_tv

    async def link(self, interaction: AnyInteraction, keep_access: bool | None) -> None:
        """Begin, unless there is nothing to be done."""
        call = call_of(interaction)
        link = await self._accounts.link_of(call.profile_id)
        if link is not None and (keep_access is None or keep_access == (link.token is not None)):
            await reply(interaction, view=linked_view(link))
            return
        if link is not None and keep_access is False:
            token = self._accounts.token_in(link)
            await self._accounts.drop_token(link)
            await reply(interaction, view=said_view("The access that was kept is deleted. Your account stays linked."))
            await self._sign_out(token)
            return
        keep = bool(keep_access)
        begun = await self._linker.begin(call.profile_id, call.member_id, interaction.user.name, keep=keep)

        async def show(request: Request) -> None:
            try:
                is_shown = await self._show(interaction, request)
            except discord.DiscordException as error:
                raise UpstreamError("Discord", UpstreamKind.BROKEN, type(error).__name__) from error
            if not is_shown:
                raise UpstreamError("Discord", UpstreamKind.UNREACHABLE, "the answer cannot be changed any more")

        self._telling.wait(begun.request_id, show)
        await reply(interaction, view=request_view(self._items, begun, keep=keep))

    async def check(self, interaction: AnyInteraction, request_id: int) -> None:
        """Somebody asks whether it is done."""
        request = await self._linker.check(request_id, call_of(interaction).member_id)
        if await self._show(interaction, request):
            await self._telling.shown(request)

    async def ask_unlink(self, interaction: AnyInteraction) -> None:
        """Whether it is meant."""
        link = await self._accounts.link_of(call_of(interaction).profile_id)
        if link is None:
            raise UserError("No Plex account is linked to you.", "not_linked")
        await reply(interaction, view=unlink_view(self._items, link))

    async def unlink(self, interaction: AnyInteraction, account_id: int) -> None:
        """It was meant: for the account that was shown, and for no other."""
        profile_id = call_of(interaction).profile_id
        link = await self._accounts.link_of(profile_id)
        if link is None or link.account_id != account_id:
            await update(interaction, view=said_view("That account is not linked to you any more.", is_good=False))
            return
        token = self._accounts.token_in(link)
        await self._accounts.unlink(profile_id, actor=profile_id)
        await update(interaction, view=said_view(f"**{safe(link.name)}** is unlinked."))
        await self._sign_out(token)

    async def keep(self, interaction: AnyInteraction) -> None:
        """It was not meant."""
        await update(interaction, view=said_view("Nothing was changed.", is_good=False))

    async def link_for(
        self, interaction: AnyInteraction, member: discord.Member, account: str, sharing: Sharing
    ) -> None:
        """An owner says whose a managed account is."""
        if member.bot:
            raise UserError("A bot has no Plex account.", "a_bot")
        managed = await sharing.managed_users()
        named = {str(number): number for number in managed} | {
            name.casefold(): number for number, name in managed.items()
        }
        number = named.get(account.strip().casefold())
        if number is None:
            raise UserError(
                "That is no managed user of your Plex Home; whoever can sign in to Plex uses /link.", "not_managed"
            )
        account_id = AccountId(number)
        (profile_id,) = await self._profiles.ensure_members({MemberId(member.id): member.display_name})
        shares = await sharing.with_account(account_id)
        actor = call_of(interaction).profile_id
        outcome = await self._accounts.link_for(profile_id, account_id, managed[number], shares, actor=actor)
        words = {"account": f"**{safe(managed[number])}**", "member": f"**{safe(member.display_name)}**"}
        is_good = outcome in (LinkOutcome.LINKED, LinkOutcome.RENEWED)
        await reply(interaction, view=said_view(_OUTCOMES[outcome].format(**words), is_good=is_good))

    async def _sign_out(self, token: str | None) -> None:
        """What was kept is deleted here; nobody else shall be able to use it either."""
        if token is not None:
            await self._plex_tv.sign_out(token)

    async def _show(self, interaction: AnyInteraction, request: Request) -> bool:
        """Change the card to how the request stands; False when Discord no longer takes it."""
        if request.state is RequestState.OPEN:
            view = waiting_view(self._items, request.request_id, request.expires_at)
        else:
            view = end_view(request.state, await self._accounts.link_of(request.profile_id))
        return await update(interaction, view=view) is not None


def to_number(ids: tuple[str, ...]) -> int:
    """The number that a button carries; OutOfDate for anything odd."""
    if not ids or not (ids[0].isascii() and ids[0].isdigit() and len(ids[0]) < 20):
        raise OutOfDate
    return int(ids[0])
