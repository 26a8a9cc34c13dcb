from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text

from daemon.core.ids import AppId, GuildId, InteractionId, MemberId
from daemon.core.limits import INTERACTION_KEPT_S, INTERACTION_PURGE_EVERY
from daemon.data.store import Store
from daemon.services.intake import Arrival, Intake

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
FIRST = Arrival(
    interaction_id=InteractionId(1),
    member_id=MemberId(100),
    member_name="alice",
    guild_id=GuildId(7),
    guild_name="House",
    app_id=AppId(9),
    what="command play",
    at=AT,
    audited=False,
    trace_id="trace",
)


def nth(n: int, **changes: Any) -> Arrival:
    return replace(FIRST, interaction_id=InteractionId(n), **changes)


async def rows(store: Store, sql: str) -> list[tuple[object, ...]]:
    return await store.read(lambda tx: [tuple(row) for row in tx.execute(text(sql))])


async def test_a_stranger_becomes_known(store: Store) -> None:
    admission = await Intake(store).admit(FIRST)
    assert not admission.is_duplicate
    assert await rows(store, "SELECT id, name FROM profiles") == [(admission.profile_id, "alice")]
    assert await rows(store, "SELECT member_id, profile_id, name FROM discord_identities") == [
        (100, admission.profile_id, "alice")
    ]
    assert await rows(store, "SELECT guild_id, name FROM guilds") == [(7, "House")]
    assert await rows(store, "SELECT count(*) FROM audit_log") == [(0,)]


async def test_the_same_interaction_twice_is_a_duplicate(store: Store) -> None:
    intake = Intake(store)
    first = await intake.admit(FIRST)
    again = await intake.admit(FIRST)
    elsewhere = await Intake(store).admit(FIRST)
    assert [first.is_duplicate, again.is_duplicate, elsewhere.is_duplicate] == [False, True, True]
    assert first.profile_id == again.profile_id == elsewhere.profile_id


async def test_what_only_reads_is_recognised_without_the_database(store: Store) -> None:
    intake = Intake(store)
    known = await intake.admit(FIRST)
    admissions = [await intake.admit(nth(n)) for n in (2, 3, 2, 1)]
    assert [admission.is_duplicate for admission in admissions] == [False, False, True, True]
    assert {admission.profile_id for admission in admissions} == {known.profile_id}
    assert await rows(store, "SELECT interaction_id FROM interactions_seen") == [(1,)]


async def test_of_many_at_once_exactly_one_is_admitted(store: Store) -> None:
    intakes = [Intake(store) for _ in range(4)]
    arrivals = [nth(n % 10 + 1, audited=True, member_id=MemberId(n % 3 + 1)) for n in range(200)]
    admissions = await asyncio.gather(*(intakes[n % 4].admit(arrival) for n, arrival in enumerate(arrivals)))
    assert sum(not admission.is_duplicate for admission in admissions) == 10
    assert await rows(store, "SELECT count(*) FROM audit_log") == [(10,)]
    assert await rows(store, "SELECT count(*) FROM profiles") == [(3,)]
    for member in range(1, 4):
        of_member = zip(arrivals, admissions, strict=True)
        assert len({admission.profile_id for arrival, admission in of_member if arrival.member_id == member}) == 1


async def test_names_are_followed(store: Store) -> None:
    intake = Intake(store)
    await intake.admit(FIRST)
    await intake.admit(nth(2, member_name="alice b.", guild_name="Home"))
    await intake.admit(nth(3, member_name="alice b.", guild_name=None))
    assert await rows(store, "SELECT name FROM profiles") == [("alice b.",)]
    assert await rows(store, "SELECT name FROM discord_identities") == [("alice b.",)]
    assert await rows(store, "SELECT name FROM guilds") == [("Home",)]


async def test_names_no_database_could_hold(store: Store) -> None:
    intake = Intake(store)
    for n, name in enumerate(["\x00\x07", "", "\ud800", "x" * 5_000, "اسم\u202e", "🎬" * 200, "a\x00b"], 1):
        await intake.admit(nth(n, member_id=MemberId(n), member_name=name, guild_id=GuildId(n), guild_name=name))
    names = [name for (name,) in await rows(store, "SELECT name FROM discord_identities ORDER BY member_id")]
    assert names[:3] == ["1", "2", "3"]
    assert names[4] == "اسم"
    assert names[6] == "ab"
    assert all(1 <= len(str(name)) <= 100 for name in names)
    assert [name for (name,) in await rows(store, "SELECT name FROM guilds ORDER BY guild_id")][:3] == [None] * 3


async def test_direct_messages_have_no_guild(store: Store) -> None:
    admission = await Intake(store).admit(nth(1, guild_id=None, guild_name=None, audited=True))
    assert not admission.is_duplicate
    assert await rows(store, "SELECT count(*) FROM guilds") == [(0,)]
    assert await rows(store, "SELECT target FROM audit_log") == [("",)]


async def test_what_asks_for_it_is_audited_once(store: Store) -> None:
    intake = Intake(store)
    first = await intake.admit(nth(1, audited=True, what="w" * 500))
    await intake.admit(nth(1, audited=True))
    await intake.admit(nth(2, audited=False))
    assert await rows(store, "SELECT actor_profile_id, action, target, detail, trace_id FROM audit_log") == [
        (first.profile_id, "w" * 99 + "…", "guild 7", '{"app_id":"9","interaction_id":"1"}', "trace")
    ]


async def test_old_interactions_are_cleaned_up_on_the_way(store: Store) -> None:
    intake = Intake(store)
    for n in range(1, INTERACTION_PURGE_EVERY):
        await intake.admit(nth(n, audited=True))
    later = AT + timedelta(seconds=INTERACTION_KEPT_S + 1)
    await intake.admit(nth(1_000_000, at=later, audited=True))
    assert await rows(store, "SELECT interaction_id FROM interactions_seen") == [(1_000_000,)]


async def test_what_is_remembered_is_bounded(store: Store) -> None:
    intake = Intake(store, known_max=5)
    for n in range(1, 21):
        await intake.admit(nth(n, member_id=MemberId(n), guild_id=GuildId(n)))
    assert len(intake._members) == len(intake._guilds) == len(intake._seen) == 5
    forgotten = await intake.admit(nth(100, member_id=MemberId(1), guild_id=GuildId(1)))
    remembered = await intake.admit(nth(101, member_id=MemberId(1), guild_id=GuildId(1)))
    assert forgotten == remembered
    assert await rows(store, "SELECT count(*) FROM profiles") == [(20,)]
