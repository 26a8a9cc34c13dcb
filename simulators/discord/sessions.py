"""Gateway sessions: which app gets which event, numbered and kept for a resume."""

from __future__ import annotations

import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from simulators.discord import permissions as perms
from simulators.discord.feed import Change
from simulators.discord.objects import App, Guild, Json
from simulators.discord.world import World

GUILDS, GUILD_MEMBERS, GUILD_PRESENCES = 1 << 0, 1 << 1, 1 << 8
GUILD_MESSAGES, GUILD_REACTIONS, GUILD_TYPING = 1 << 9, 1 << 10, 1 << 11
DIRECT_MESSAGES, DIRECT_REACTIONS, DIRECT_TYPING = 1 << 12, 1 << 13, 1 << 14
MESSAGE_CONTENT = 1 << 15
PRIVILEGED = GUILD_MEMBERS | GUILD_PRESENCES | MESSAGE_CONTENT

REPLAY_MAX = 2_000  # events kept for a resume
RESUMABLE_S = 120.0  # real seconds a session without a socket can still be resumed

MESSAGE_EVENTS = {
    "message_created": "MESSAGE_CREATE",
    "message_edited": "MESSAGE_UPDATE",
    "message_deleted": "MESSAGE_DELETE",
}
GUILD_EVENTS = {
    "channel_created": "CHANNEL_CREATE",
    "channel_changed": "CHANNEL_UPDATE",
    "channel_deleted": "CHANNEL_DELETE",
    "role_created": "GUILD_ROLE_CREATE",
}
MEMBER_EVENTS = {
    "member_joined": "GUILD_MEMBER_ADD",
    "member_changed": "GUILD_MEMBER_UPDATE",
    "member_left": "GUILD_MEMBER_REMOVE",
}


@dataclass(slots=True, eq=False)
class Session:
    """One identified session; `push` sends a frame while a socket is attached, else None."""

    session_id: str
    app: App
    intents: int
    shard: tuple[int, int]
    seq: int = 0
    replay: deque[Json] = field(default_factory=lambda: deque(maxlen=REPLAY_MAX))
    push: Callable[[Json], None] | None = None
    detached_at: float = 0.0

    def serves(self, guild_id: int | None) -> bool:
        """Whether this shard carries a guild's events; direct messages go to shard 0."""
        number, count = self.shard
        return (guild_id >> 22) % count == number if guild_id else number == 0

    def dispatch(self, event: str, data: Json) -> None:
        """Number an event, keep it for a resume, send it if a socket is there."""
        self.seq += 1
        frame: Json = {"op": 0, "t": event, "s": self.seq, "d": data}
        self.replay.append(frame)
        if self.push:
            self.push(frame)

    def missed(self, seq: int) -> list[Json] | None:
        """Events after `seq`; None when they are no longer all known."""
        if seq > self.seq or (self.replay and seq < self.replay[0]["s"] - 1):
            return None
        return [frame for frame in self.replay if frame["s"] > seq]


class Sessions:
    """All sessions, and the translation of world changes into gateway events."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._by_id: dict[str, Session] = {}
        world.feed.listen(self._on_change)

    def all(self, app: App | None = None) -> list[Session]:
        """Sessions of an app, or of all."""
        return [session for session in self._by_id.values() if app in (None, session.app)]

    def open(self, app: App, intents: int, shard: tuple[int, int]) -> Session:
        """A new session; forgets those that can no longer be resumed."""
        now = time.monotonic()
        for session in list(self._by_id.values()):
            if session.push is None and now - session.detached_at > RESUMABLE_S:
                del self._by_id[session.session_id]
        made = Session(secrets.token_hex(16), app, intents, shard)
        self._by_id[made.session_id] = made
        return made

    def get(self, session_id: str) -> Session | None:
        """A session that may be resumed."""
        return self._by_id.get(session_id)

    def end(self, session: Session) -> None:
        """Forget a session."""
        self._by_id.pop(session.session_id, None)

    # ---------------------------------------------------------------- what sessions are told

    def ready(self, session: Session, resume_url: str) -> None:
        """READY, then a GUILD_CREATE for each guild of the shard."""
        own = [g for g in self._world.guilds.values() if session.app.app_id in g.members and session.serves(g.guild_id)]
        session.dispatch(
            "READY",
            {
                "v": 10,
                "user": session.app.person.to_json() | {"mfa_enabled": True, "verified": True, "email": None},
                "guilds": [{"id": str(guild.guild_id), "unavailable": True} for guild in own],
                "session_id": session.session_id,
                "session_type": "normal",
                "resume_gateway_url": resume_url,
                "shard": list(session.shard),
                "application": {"id": str(session.app.app_id), "flags": session.app.flags},
                "private_channels": [],
                "relationships": [],
                "presences": [],
                "_trace": ["simulator"],
            },
        )
        for guild in own if session.intents & GUILDS else ():
            session.dispatch("GUILD_CREATE", self.guild_create(guild, session))

    def guild_create(self, guild: Guild, session: Session) -> Json:
        """The whole guild; members are only the bot itself unless the members intent is on."""
        world, wants_all = self._world, bool(session.intents & GUILD_MEMBERS)
        members = [m for m in guild.members.values() if wants_all or m.user_id == session.app.app_id]
        return guild.to_json() | {
            "joined_at": guild.members[session.app.app_id].to_json(session.app.person)["joined_at"],
            "large": False,
            "unavailable": False,
            "member_count": len(guild.members),
            "voice_states": [],
            "members": [member.to_json(world.people[member.user_id]) for member in members],
            "channels": [world.channel_json(world.channels[number]) for number in guild.channel_ids],
            "threads": [],
            "presences": [],
            "stage_instances": [],
            "guild_scheduled_events": [],
            "soundboard_sounds": [],
        }

    def interaction(self, app: App, guild_id: int | None, payload: Json) -> None:
        """INTERACTION_CREATE, which no intent gates."""
        for session in self.all(app):
            if session.serves(guild_id):
                session.dispatch("INTERACTION_CREATE", payload)

    def _on_change(self, change: Change) -> None:
        if change.only_for is not None:
            return
        if change.kind in MESSAGE_EVENTS:
            self._message(change)
        elif change.kind in GUILD_EVENTS or change.kind in MEMBER_EVENTS:
            self._guild_event(change)
        elif change.kind == "reaction_changed":
            event = "MESSAGE_REACTION_ADD" if change.data["is_added"] else "MESSAGE_REACTION_REMOVE"
            data = {key: value for key, value in change.data.items() if key not in ("is_added", "author_id")}
            data |= {"burst": False, "type": 0, "message_author_id": change.data["author_id"]}
            self._in_channel(change, event, data, (GUILD_REACTIONS, DIRECT_REACTIONS))
        elif change.kind == "typing":
            self._in_channel(change, "TYPING_START", change.data, (GUILD_TYPING, DIRECT_TYPING))

    def _message(self, change: Change) -> None:
        data = change.data
        if change.guild_id:
            data = data | {"guild_id": str(change.guild_id)}
            author = data.get("author")
            guild = self._world.guilds[change.guild_id]
            member = guild.members.get(int(author["id"])) if author else None
            if member and author:
                own = member.to_json(self._world.people[member.user_id])
                data["member"] = {key: value for key, value in own.items() if key != "user"}
        self._in_channel(change, MESSAGE_EVENTS[change.kind], data, (GUILD_MESSAGES, DIRECT_MESSAGES))

    def _in_channel(self, change: Change, event: str, data: Json, intents: tuple[int, int]) -> None:
        channel = self._world.channels.get(change.channel_id or 0)
        if channel is None:
            return
        if change.guild_id:
            data = data | {"guild_id": str(change.guild_id)}
        for session in self.all():
            wanted = session.intents & (intents[0] if change.guild_id else intents[1])
            if not wanted or not session.serves(change.guild_id):
                continue
            if self._world.can(session.app.app_id, channel, perms.VIEW_CHANNEL):
                session.dispatch(event, self._readable(data, session))

    def _readable(self, data: Json, session: Session) -> Json:
        """Without MESSAGE_CONTENT only own messages, direct messages and mentions come with their content."""
        if "content" not in data or session.intents & MESSAGE_CONTENT or "guild_id" not in data:
            return data
        me = str(session.app.app_id)
        if data["author"]["id"] == me or any(user["id"] == me for user in data["mentions"]):
            return data
        return data | {"content": "", "embeds": [], "attachments": [], "components": []}

    def _guild_event(self, change: Change) -> None:
        guild = self._world.guilds.get(change.guild_id or 0)
        if guild is None:
            return
        for session in self.all():
            if not session.serves(guild.guild_id):
                continue
            if change.kind in MEMBER_EVENTS:
                self._member_event(change, guild, session)
            elif session.app.app_id in guild.members and session.intents & GUILDS:
                data = change.data | {"guild_id": str(guild.guild_id)}
                if change.kind == "role_created":
                    data = {"guild_id": str(guild.guild_id), "role": change.data}
                session.dispatch(GUILD_EVENTS[change.kind], data)

    def _member_event(self, change: Change, guild: Guild, session: Session) -> None:
        is_self = change.data["user"]["id"] == str(session.app.app_id)
        if is_self and change.kind == "member_joined":
            session.dispatch("GUILD_CREATE", self.guild_create(guild, session))
        elif is_self and change.kind == "member_left":
            session.dispatch("GUILD_DELETE", {"id": str(guild.guild_id)})
        elif session.app.app_id in guild.members and (session.intents & GUILD_MEMBERS or is_self):
            session.dispatch(MEMBER_EVENTS[change.kind], change.data | {"guild_id": str(guild.guild_id)})
