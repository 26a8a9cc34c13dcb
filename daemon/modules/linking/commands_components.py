"""The buttons and menus of linking; they work for as long as their message stands."""

from __future__ import annotations

from typing import Any

import discord

from daemon.core.access import Access
from daemon.core.clock import Clock
from daemon.services.accounts import Accounts
from daemon.services.plays import Plays
from daemon.services.privacy import Privacy
from daemon.services.profiles import Profiles
from integrations.discord.components import ComponentSet, component
from integrations.discord.ui.paginator import page_number
from integrations.plex import PlexTv

from .binding import Binder
from .commands_binding import BindingDesk
from .commands_desk import Desk, to_number
from .commands_people import PeopleDesk
from .linking import Linker
from .telling import Telling

AnyInteraction = discord.Interaction[Any]
Ids = tuple[str, ...]


class LinkingComponents(ComponentSet):
    """What happens when somebody presses or chooses. Everything is about whoever presses, whatever a button says."""

    def __init__(
        self,
        linker: Linker,
        telling: Telling,
        accounts: Accounts,
        privacy: Privacy,
        plays: Plays,
        profiles: Profiles,
        binder: Binder,
        clock: Clock,
        plex_tv: PlexTv,
    ) -> None:
        self.binder = binder
        self.desk = Desk(self, linker, telling, accounts, profiles, plex_tv)
        self.people_desk = PeopleDesk(self, accounts, privacy, plays, profiles, clock, plex_tv)
        self.binding_desk = BindingDesk(self, binder)

    @component("check", exclusive=True)
    async def check(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """Is it done?"""
        await self.desk.check(interaction, to_number(ids))

    @component("unlink", audited=True, exclusive=True)
    async def unlink(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """Unlinking was confirmed."""
        await self.desk.unlink(interaction, to_number(ids))

    @component("keep")
    async def keep(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """It was not meant."""
        await self.desk.keep(interaction)

    @component("choose", audited=True, exclusive=True)
    async def choose(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """People were chosen who may see what the member watches."""
        await self.people_desk.choose(interaction, values)

    @component("forget", audited=True, exclusive=True)
    async def forget(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """Forgetting was confirmed."""
        await self.people_desk.forget(interaction, to_number(ids))

    @component("profile")
    async def turn_profile(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """Another page of a profile."""
        await self.people_desk.profile(interaction, to_number(ids), page_number(ids))

    @component("bound", access=Access.OWNER)
    async def turn_bound(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """Another page of what is bound."""
        await self.binding_desk.show(interaction, page_number(ids))
