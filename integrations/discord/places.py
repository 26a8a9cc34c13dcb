"""Where an interaction comes from, for what works only where it was posted."""

from __future__ import annotations

from collections.abc import Sequence

from daemon.core.errors import OutOfDate
from daemon.core.ids import AppId, ChannelId, GuildId, PanelId
from daemon.services.panels import Place
from integrations.discord.calls import AnyInteraction


def guild_of(interaction: AnyInteraction) -> GuildId | None:
    """The guild; None in a direct message."""
    return GuildId(interaction.guild_id) if interaction.guild_id is not None else None


def place_of(interaction: AnyInteraction) -> Place:
    """Where an answer will stand."""
    return Place(AppId(interaction.application_id), guild_of(interaction), ChannelId(interaction.channel_id or 0))


def home_of(interaction: AnyInteraction) -> str:
    """The guild as a word, for ids of components that work only there."""
    return str(interaction.guild_id or "private")


def panel_id_of(ids: Sequence[str]) -> PanelId:
    """The panel whose number is the first of a component's ids; 0, which none has, for anything odd."""
    return PanelId(int(ids[0]) if ids and ids[0].isascii() and ids[0].isdigit() and len(ids[0]) < 19 else 0)


def check_home(interaction: AnyInteraction, ids: Sequence[str]) -> None:
    """Raise OutOfDate when a list of another guild is pressed here: no panel is kept of it, its ids say whose it is."""
    if not ids or ids[0] != home_of(interaction):
        raise OutOfDate


def chosen(values: Sequence[str]) -> str:
    """What was chosen in a menu; OutOfDate when a button was pressed with the menu's id."""
    if not values:
        raise OutOfDate
    return values[0]
