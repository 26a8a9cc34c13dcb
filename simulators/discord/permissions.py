"""Discord's permission bits and how a member's permissions in a channel follow from roles and overwrites."""

from __future__ import annotations

from simulators.discord.objects import Channel, Guild, Member

ADMINISTRATOR = 1 << 3
MANAGE_CHANNELS = 1 << 4
MANAGE_GUILD = 1 << 5
ADD_REACTIONS = 1 << 6
VIEW_CHANNEL = 1 << 10
SEND_MESSAGES = 1 << 11
MANAGE_MESSAGES = 1 << 13
EMBED_LINKS = 1 << 14
ATTACH_FILES = 1 << 15
READ_MESSAGE_HISTORY = 1 << 16
MENTION_EVERYONE = 1 << 17
MANAGE_ROLES = 1 << 28
USE_APPLICATION_COMMANDS = 1 << 31

ALL = (1 << 53) - 1
EVERYONE = (
    VIEW_CHANNEL
    | SEND_MESSAGES
    | EMBED_LINKS
    | ATTACH_FILES
    | READ_MESSAGE_HISTORY
    | ADD_REACTIONS
    | USE_APPLICATION_COMMANDS
)

BITS = {
    "administrator": ADMINISTRATOR,
    "manage_channels": MANAGE_CHANNELS,
    "manage_guild": MANAGE_GUILD,
    "add_reactions": ADD_REACTIONS,
    "view_channel": VIEW_CHANNEL,
    "send_messages": SEND_MESSAGES,
    "manage_messages": MANAGE_MESSAGES,
    "embed_links": EMBED_LINKS,
    "attach_files": ATTACH_FILES,
    "read_message_history": READ_MESSAGE_HISTORY,
    "mention_everyone": MENTION_EVERYONE,
    "manage_roles": MANAGE_ROLES,
    "use_application_commands": USE_APPLICATION_COMMANDS,
}


def of_member(guild: Guild, member: Member) -> int:
    """Server-wide permissions: the owner and administrators have all, others the union of their roles."""
    if member.user_id == guild.owner_id:
        return ALL
    bits = guild.roles[guild.guild_id].permissions
    for role_id in member.role_ids:
        if role_id in guild.roles:
            bits |= guild.roles[role_id].permissions
    return ALL if bits & ADMINISTRATOR else bits


def in_channel(guild: Guild, member: Member, channel: Channel) -> int:
    """Permissions in one channel: overwrites of @everyone, then of all roles together, then of the member."""
    bits = of_member(guild, member)
    if bits == ALL:
        return ALL
    allow, deny = channel.overwrites.get(guild.guild_id, (0, 0))
    bits = (bits & ~deny) | allow
    pairs = [channel.overwrites[role_id] for role_id in member.role_ids if role_id in channel.overwrites]
    for _, role_deny in pairs:
        bits &= ~role_deny
    for role_allow, _ in pairs:
        bits |= role_allow
    allow, deny = channel.overwrites.get(member.user_id, (0, 0))
    bits = (bits & ~deny) | allow
    return bits if bits & VIEW_CHANNEL else 0
