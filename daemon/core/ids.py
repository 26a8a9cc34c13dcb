"""Identifiers as types, so that one kind cannot be passed for another."""

from __future__ import annotations

from typing import NewType

ProfileId = NewType("ProfileId", int)  # our person, a row of `profiles`
MemberId = NewType("MemberId", int)  # Discord user id (snowflake)
GuildId = NewType("GuildId", int)
ChannelId = NewType("ChannelId", int)
MessageId = NewType("MessageId", int)
RoleId = NewType("RoleId", int)
AppId = NewType("AppId", int)  # Discord application id, one a bot
InteractionId = NewType("InteractionId", int)
PanelId = NewType("PanelId", int)  # a posted card that must go on working
ModuleId = NewType("ModuleId", str)
BotName = NewType("BotName", str)  # name of a bot in the configuration
ServerId = NewType("ServerId", str)  # name of a Plex server in the configuration, lower case
RatingKey = NewType("RatingKey", str)  # a title on one Plex server
PlayerId = NewType("PlayerId", str)  # a Plex client's machine identifier
AccountId = NewType("AccountId", int)  # a Plex account
