"""What the tables refuse, and how values look in them, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import Connection, delete, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError

from daemon.core.ids import GuildId, InteractionId, MemberId, ProfileId
from daemon.core.limits import INTERACTION_KEPT_S, INTERACTION_PURGE_MAX
from daemon.data import audit, guilds, interactions, keys, people
from daemon.data.store import Store

AT = datetime(2026, 11, 20, 12, 30, 15, 123456, tzinfo=UTC)
SNOWFLAKE = 2**63 - 1


async def test_an_instant_is_the_same_number_everywhere_and_comes_back_in_utc(store: Store) -> None:
    elsewhere = AT.astimezone(timezone(timedelta(hours=-5)))

    def unit(tx: Connection) -> tuple[datetime, int]:
        guilds.ensure_guild(tx, GuildId(1), "House", elsewhere)
        found = tx.execute(select(guilds.guilds.c.created_at)).scalar_one()
        return found, tx.execute(text("SELECT created_at FROM guilds")).scalar_one()

    found, stored = await store.write(unit)
    assert found == AT
    assert found.tzinfo is UTC
    assert stored == 1_795_177_815_123_456


async def test_an_instant_without_zone_is_refused(store: Store) -> None:
    row = {"guild_id": 1, "created_at": AT.replace(tzinfo=None)}
    with pytest.raises(StatementError, match="time zone"):
        await store.write(lambda tx: tx.execute(insert(guilds.guilds).values(**row)) and None)
    with pytest.raises(ValueError, match="time zone"):
        await store.write(lambda tx: guilds.ensure_guild(tx, GuildId(1), None, AT.replace(tzinfo=None)))


async def test_the_largest_snowflake_fits(store: Store) -> None:
    def unit(tx: Connection) -> tuple[int, int]:
        people.ensure_member(tx, MemberId(SNOWFLAKE), "alice", AT)
        interactions.see(tx, InteractionId(SNOWFLAKE), AT)
        member = tx.execute(select(people.discord_identities.c.member_id)).scalar_one()
        return member, tx.execute(select(interactions.interactions_seen.c.interaction_id)).scalar_one()

    assert await store.write(unit) == (SNOWFLAKE, SNOWFLAKE)


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO profiles (name, created_at) VALUES ('', 0)",
        "INSERT INTO guilds (guild_id, created_at) VALUES (0, 0)",
        "INSERT INTO interactions_seen (interaction_id, seen_at) VALUES (-1, 0)",
        "INSERT INTO plex_servers (server, machine_id, changed_at) VALUES ('', 'x', 0)",
        "INSERT INTO installation_keys (name, value, created_at) VALUES ('short', 'abc', 0)",
        "INSERT INTO discord_identities (member_id, profile_id, name, created_at) VALUES (1, 99, 'nobody', 0)",
        "INSERT INTO guild_settings (guild_id, key, value, changed_at) VALUES (99, 'k', 'v', 0)",
        "INSERT INTO plex_accounts (account_id, profile_id, name, proof, linked_at) VALUES (1, 99, 'nobody', 'pin', 0)",
    ],
)
async def test_rows_that_cannot_be_are_refused(store: Store, sql: str) -> None:
    with pytest.raises(IntegrityError):
        await store.write(lambda tx: tx.execute(text(sql)) and None)


async def test_players_have_a_route_we_know(store: Store) -> None:
    def unit(tx: Connection) -> None:
        tx.execute(text("INSERT INTO plex_servers (server, changed_at) VALUES ('attic', 0)"))
        tx.execute(text("INSERT INTO plex_players VALUES ('attic', 'p', 'teleport', '', 0)"))

    with pytest.raises(IntegrityError):
        await store.write(unit)


async def test_a_profile_takes_its_identities_and_choices_along(store: Store) -> None:
    def unit(tx: Connection) -> int:
        profile_id = people.ensure_member(tx, MemberId(1), "alice", AT)
        people.set_preference(tx, profile_id, "k", "v", AT)
        tx.execute(delete(people.profiles))
        left = (
            select(func.count()).select_from(table) for table in (people.discord_identities, people.profile_preferences)
        )
        return sum(tx.execute(count).scalar_one() for count in left)

    assert await store.write(unit) == 0


async def test_the_number_of_a_deleted_profile_is_not_given_again(store: Store) -> None:
    def unit(tx: Connection) -> tuple[ProfileId, ProfileId]:
        first = people.ensure_member(tx, MemberId(1), "alice", AT)
        tx.execute(delete(people.profiles))
        return first, people.ensure_member(tx, MemberId(2), "bob", AT)

    first, second = await store.write(unit)
    assert second > first


async def test_the_audit_log_only_grows(store: Store) -> None:
    def entry(tx: Connection) -> None:
        audit.add(tx, at=AT, actor=None, action="start", target="", detail={"a": ["\x00", "é"]}, trace_id="t")

    await store.write(entry)
    with pytest.raises(DBAPIError, match="append-only"):
        await store.write(lambda tx: tx.execute(update(audit.audit_log).values(action="x")) and None)
    with pytest.raises(DBAPIError, match="append-only"):
        await store.write(lambda tx: tx.execute(delete(audit.audit_log)) and None)
    rows = await store.read(lambda tx: tx.execute(select(audit.audit_log.c.at, audit.audit_log.c.detail)).all())
    assert [tuple(row) for row in rows] == [(AT, {"a": ["\x00", "é"]})]


async def test_old_interactions_are_forgotten_in_portions(store: Store) -> None:
    many = INTERACTION_PURGE_MAX + 10

    def fill(tx: Connection) -> None:
        for n in range(1, many + 1):
            assert interactions.see(tx, InteractionId(n), AT)
        assert interactions.see(tx, InteractionId(many + 1), AT + timedelta(seconds=60))

    await store.write(fill)
    later = AT + timedelta(seconds=INTERACTION_KEPT_S + 30)
    assert await store.write(lambda tx: interactions.forget_old(tx, AT + timedelta(seconds=1))) == 0
    assert await store.write(lambda tx: interactions.forget_old(tx, later)) == INTERACTION_PURGE_MAX
    assert await store.write(lambda tx: interactions.forget_old(tx, later)) == 10
    assert await store.write(lambda tx: interactions.forget_old(tx, later)) == 0
    assert not await store.write(lambda tx: interactions.see(tx, InteractionId(many + 1), later))


async def test_the_first_key_stays(store: Store) -> None:
    first = await store.write(lambda tx: keys.get_or_add(tx, "k", b"a" * 32, AT))
    second = await store.write(lambda tx: keys.get_or_add(tx, "k", b"b" * 32, AT))
    assert first == second == b"a" * 32


async def test_a_guild_keeps_its_name_when_none_is_given(store: Store) -> None:
    def unit(tx: Connection) -> list[str | None]:
        names = []
        for name in (None, "House", None, "Home"):
            guilds.ensure_guild(tx, GuildId(7), name, AT)
            names.append(tx.execute(select(guilds.guilds.c.name)).scalar_one())
        return names

    assert await store.write(unit) == [None, "House", "House", "Home"]


async def test_statements_on_the_driver_fail_like_all_others(store: Store) -> None:
    with pytest.raises(IntegrityError, match="ck_guilds_guild_id"):
        await store.write(lambda tx: guilds.ensure_guild(tx, GuildId(0), "House", AT))
