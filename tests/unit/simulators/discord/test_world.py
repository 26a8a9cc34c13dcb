"""The virtual Discord by itself: permissions, commands, the feed, rendering; no wire."""

from __future__ import annotations

import asyncio

import pytest

from simulators.clock import SimClock
from simulators.discord import permissions as perms
from simulators.discord.commands import CREATES_PER_DAY, Commands, TooManyCreates, materialise
from simulators.discord.components import walk
from simulators.discord.faults import Faults
from simulators.discord.feed import Change, Feed
from simulators.discord.limits import Quota, RateLimits
from simulators.discord.render import as_text
from simulators.discord.world import World, marquee_house


@pytest.fixture
def world() -> World:
    return World(SimClock(speed=0))


def test_the_default_house(world: World) -> None:
    guild = marquee_house(world, {"marquee": "fixed.token"})
    assert guild.name == "Marquee House"
    assert [world.channels[number].name for number in guild.channel_ids] == ["general", "movie-night", "bot-log"]
    people = {world.people[user_id].username: member for user_id, member in guild.members.items()}
    assert set(people) == {"olivia", "alice", "bob", "mallory", "Marquee"}
    assert [guild.roles[role_id].name for role_id in people["alice"].role_ids] == ["Controllers"]
    assert perms.of_member(guild, people["olivia"]) == perms.ALL
    assert not perms.of_member(guild, people["bob"]) & perms.MANAGE_GUILD
    assert world.app_of_token("fixed.token")
    assert "fixed.token" not in repr(world.app_of_token("fixed.token"))


def test_ids_grow_and_tell_their_age(world: World) -> None:
    first, second = world.new_id(), world.new_id()
    assert first < second
    world.clock.jump(3600)
    assert world.age_s(first) == pytest.approx(3600, abs=0.01)
    assert world.new_id() > second


def test_overwrites_apply_in_discord_s_order(world: World) -> None:
    guild = marquee_house(world)
    channel, alice = world.channel("general"), world.person("alice").user_id
    role = guild.members[alice].role_ids[0]
    world.set_overwrite(channel, guild.guild_id, 0, perms.SEND_MESSAGES)
    assert not world.can(alice, channel, perms.SEND_MESSAGES)
    world.set_overwrite(channel, role, perms.SEND_MESSAGES, 0)
    assert world.can(alice, channel, perms.SEND_MESSAGES)
    world.set_overwrite(channel, alice, 0, perms.VIEW_CHANNEL)
    assert world.permissions(alice, channel) == 0
    assert world.permissions(guild.owner_id, channel) == perms.ALL
    world.set_overwrite(channel, alice, 0, 0)
    assert world.can(alice, channel, perms.SEND_MESSAGES)
    assert world.permissions(world.add_person("stranger").user_id, channel) == 0


def test_commands_come_back_with_defaults() -> None:
    given = {
        "name": "play",
        "description": "Play",
        "description_localizations": {"de": "Abspielen", "fr": "Play", "it": None},
        "default_member_permissions": 32,
        "contexts": [1, 0, 0],
        "options": [{"type": 3, "name": "a", "description": "b", "required": False, "autocomplete": False}],
    }
    data = materialise(given, is_global=True)
    assert data["description_localizations"] == {"de": "Abspielen"}
    assert data["default_member_permissions"] == "32"
    assert (data["contexts"], data["integration_types"], data["nsfw"]) == ([0, 1], [0], False)
    assert set(data["options"][0]) == {
        "type",
        "name",
        "description",
        "name_localizations",
        "description_localizations",
    }
    assert "contexts" not in materialise(given, is_global=False)


def test_a_bulk_overwrite_keeps_ids_and_counts_creates() -> None:
    numbers = iter(range(1, 100_000))
    commands = Commands(lambda: next(numbers), lambda: 0.0)

    def named(*names: str) -> list[dict[str, str]]:
        return [{"name": name, "description": "d"} for name in names]

    first = commands.overwrite(1, None, named("a", "b"))
    second = commands.overwrite(1, None, [*named("b"), {"name": "a", "description": "changed"}])
    assert [c.command_id for c in second] == [first[1].command_id, first[0].command_id]
    assert [c.data["name"] for c in commands.of(1)] == ["b", "a"]
    for number in range((CREATES_PER_DAY - 2) // 66):
        commands.overwrite(1, None, named(*(f"c{number}x{i}" for i in range(66))))
    with pytest.raises(TooManyCreates):
        commands.overwrite(1, None, named("one-more"))
    commands.overwrite(1, 5, named("another-scope"))
    assert [c.data["name"] for c in commands.seen_in(1, 5)][-1] == "another-scope"


async def test_a_subscriber_misses_nothing_and_a_closed_one_gets_nothing() -> None:
    feed, heard = Feed(), []
    feed.listen(heard.append)
    with feed.subscribe() as changes:
        feed.tell(Change("typing"))
        feed.tell(Change("message_created"))
        assert [(await anext(changes)).kind for _ in range(2)] == ["typing", "message_created"]
    feed.tell(Change("typing"))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(changes), 0.01)
    assert len(heard) == 3


def test_a_message_reads_like_chat() -> None:
    message = {
        "flags": 0,
        "content": "Hello",
        "embeds": [{"title": "T", "fields": [{"name": "n", "value": "v"}], "footer": {"text": "f"}}],
        "components": [
            {
                "type": 1,
                "components": [
                    {"type": 2, "style": 5, "label": "Site", "url": "https://example.org"},
                    {"type": 2, "style": 1, "emoji": {"name": "▶"}, "custom_id": "x", "disabled": True},
                ],
            },
            {"type": 1, "components": [{"type": 5, "custom_id": "u", "placeholder": "Who"}]},
        ],
        "attachments": [{"filename": "a.txt"}],
    }
    assert as_text(message) == "Hello\nT\nn: v\nf\n(Site: https://example.org) (▶, disabled)\n[Who]\n<a.txt>"
    assert [part["type"] for part in walk(message["components"])] == [1, 2, 2, 1, 5]  # type: ignore[arg-type]
    assert as_text({"flags": 128}) == "is thinking…"


def test_faults_are_matched_skipped_and_counted_down() -> None:
    faults = Faults()
    order = faults.add("create_*", times=1, skip=1, status=503)
    assert [faults.take("create_message"), faults.take("get_message"), faults.take("create_dm")] == [None, None, order]
    assert faults.take("create_message") is None
    faults.add("*", times=None, drop=True)
    assert faults.take("get_user")
    assert faults.take("get_user")
    faults.clear()
    assert faults.take("get_user") is None


def test_a_bucket_has_a_limit_unless_switched_off() -> None:
    limits, quota = RateLimits(), Quota(2, 60.0)
    assert [limits.take("a", quota).is_allowed for _ in range(3)] == [True, True, False]
    assert limits.take("b", quota).remaining == 1
    limits.is_on = False
    assert limits.take("a", quota).is_allowed
    assert limits.take_global("bot") is None
