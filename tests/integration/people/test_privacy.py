"""Who sees whose plays, how long they are kept, and what forgetting leaves."""

from __future__ import annotations

import json
from datetime import timedelta

from daemon.core.ids import AppId, InteractionId, MemberId, ProfileId
from daemon.core.limits import RETENTION_BATCH
from daemon.core.shares import Share
from daemon.services.accounts import LinkOutcome
from daemon.services.bindings import Binding
from daemon.services.intake import Arrival, Intake
from daemon.services.privacy import Audience, Change, Chosen
from daemon.services.retention import Keep, Retention
from tests.integration.people.house import ABROAD, ATTIC, FILMS, HOME, SERIES, House


async def watching(house: House) -> tuple[ProfileId, ProfileId, ProfileId]:
    """Alice has watched a film; Bob and Carol look."""
    await house.guild(HOME)
    await house.guild(ABROAD)
    alice, bob, carol = [await house.person(number) for number in (1, 2, 3)]
    await house.link(alice, 100)
    assert await house.watch(100, "Film")
    return alice, bob, carol


async def test_by_default_only_the_person_sees_it(house: House) -> None:
    alice, bob, _ = await watching(house)
    assert await house.sees(alice, 1) == ["Film"]
    assert await house.sees(alice, 1, None) == ["Film"]
    assert await house.sees(bob, 2) == []
    assert await house.sees(bob, 2, of=alice) == []
    assert (await house.privacy.state(alice, HOME)).chosen == Chosen()


async def test_chosen_people_see_it_and_nobody_else(house: House) -> None:
    alice, bob, carol = await watching(house)
    await house.privacy.choose(alice, HOME, [bob])
    assert await house.sees(bob, 2) == []  # chosen, but it is not shown to chosen people
    await house.privacy.change(alice, HOME, Change(visible=Audience.CHOSEN))
    assert await house.sees(bob, 2) == ["Film"]
    assert await house.sees(carol, 3) == []
    await house.privacy.choose(alice, HOME, [carol])
    assert await house.sees(bob, 2) == []
    assert await house.sees(carol, 3) == ["Film"]


async def test_a_guild_sees_it_where_it_was_said(house: House) -> None:
    alice, bob, _ = await watching(house)
    state = await house.privacy.change(alice, HOME, Change(visible=Audience.GUILD))
    assert (state.guilds, state.is_seen_here) == (1, True)
    assert await house.sees(bob, 2) == ["Film"]
    assert await house.sees(bob, 2, ABROAD) == []
    assert await house.sees(bob, 2, None) == []
    await house.privacy.change(alice, HOME, Change(visible=Audience.NOBODY))
    assert await house.sees(bob, 2) == []
    await house.privacy.change(alice, ABROAD, Change(visible=Audience.GUILD))
    assert await house.sees(bob, 2) == []  # taking it back took every guild back


async def test_others_see_no_plays_of_what_they_may_not_see(house: House) -> None:
    alice, bob, _ = await watching(house)
    assert await house.watch(100, "Series", SERIES)
    await house.privacy.change(alice, HOME, Change(visible=Audience.GUILD))
    assert await house.sees(bob, 2) == ["Film", "Series"]
    await house.link(bob, 200, {ATTIC: Share(None, {"movie": "label=Kids"})})
    assert await house.sees(bob, 2) == ["Series"]  # whether a film passes the filter, no play tells
    await house.bindings.bind(HOME, Binding(ATTIC, FILMS.key))
    assert await house.sees(bob, 2) == []
    assert await house.sees(alice, 1) == ["Film", "Series"]


async def test_a_play_is_recorded_once_and_not_while_incognito(house: House) -> None:
    alice, _, _ = await watching(house)
    assert not await house.watch(100, "Film")
    now = house.bus.clock.now()
    state = await house.privacy.change(alice, HOME, Change(incognito_until=now + timedelta(hours=1)))
    assert state.chosen.is_incognito(now)
    assert not await house.watch(100, "Hidden")
    assert await house.watch(100, "Later", at=now + timedelta(hours=2))
    state = await house.privacy.change(alice, HOME, Change(incognito_until=now))
    assert state.chosen.incognito_until is None
    assert await house.sees(alice, 1) == ["Film", "Later"]


async def test_what_nobody_had_linked_is_given_to_who_links_it(house: House) -> None:
    alice, bob = await house.person(1), await house.person(2)
    assert await house.watch(100, "Before")
    assert await house.sees(alice, 1, None) == []
    await house.link(alice, 100)
    assert await house.sees(alice, 1, None) == ["Before"]
    await house.accounts.unlink(alice, actor=alice)
    house.bus.clock.ahead = timedelta(days=8)
    assert await house.link(bob, 100) is LinkOutcome.LINKED
    assert await house.sees(bob, 2, None) == []  # what was watched as Alice stays hers
    assert await house.sees(alice, 1, None) == ["Before"]


async def test_old_plays_go_when_their_person_says_so(house: House) -> None:
    alice, bob, _ = await watching(house)
    await house.link(bob, 200)
    bus = house.bus
    for number in range(RETENTION_BATCH + 10):
        assert await house.watch(100, f"Old {number}", at=bus.clock.now() - timedelta(days=40))
    assert await house.watch(200, "Old", at=bus.clock.now() - timedelta(days=40))
    await house.privacy.change(alice, HOME, Change(retention_days=30))
    retention = Retention(bus.store, bus.queue.claims, bus.clock, bus.health, bus.metrics, Keep())
    assert (await retention.run_once())["plays"] == RETENTION_BATCH + 10
    assert await house.sees(alice, 1) == ["Film"]
    assert await house.sees(bob, 2) == ["Old"]
    await house.privacy.change(alice, HOME, Change(retention_days=0))
    assert (await house.privacy.state(alice, HOME)).chosen.retention_days is None


async def test_forgetting_leaves_a_random_name_and_no_way_back(house: House) -> None:
    alice, bob, _ = await watching(house)
    await house.privacy.choose(bob, HOME, [alice])
    await house.request(alice, 1)
    assert await house.privacy.count_plays(alice) == 1
    assert await house.privacy.forget(alice) == 1
    assert await house.privacy.forget(alice) == 0
    ((name, forgotten_at),) = await house.rows(f"SELECT name, forgotten_at FROM profiles WHERE id = {alice}")
    assert str(name).startswith("forgotten-")
    assert forgotten_at is not None
    for table in ("plays", "plex_accounts", "plex_shares", "link_requests", "privacy_chosen"):
        assert await house.rows(f"SELECT 1 FROM {table}") == [], table
    assert await house.rows("SELECT 1 FROM discord_identities WHERE member_id = 1") == []
    assert not await house.watch(100, "Film")  # read in again
    assert not await house.watch(100, "New film")
    assert len(await house.rows("SELECT 1 FROM events WHERE type = 'person_forgotten'")) == 1


async def test_who_comes_back_is_somebody_new_and_may_be_recorded_again(house: House) -> None:
    alice, _, _ = await watching(house)
    await house.privacy.forget(alice)
    back = await house.person(1)
    assert back != alice
    assert await house.link(back, 100) is LinkOutcome.RESTING
    assert await house.link(alice, 300) is LinkOutcome.FORGOTTEN
    house.bus.clock.ahead = timedelta(days=8)
    assert await house.link(back, 100) is LinkOutcome.LINKED
    assert await house.watch(100, "New film")
    assert await house.sees(back, 1, None) == ["New film"]


async def test_a_command_of_somebody_forgotten_makes_a_new_profile(house: House) -> None:
    intake, bus = Intake(house.bus.store), house.bus

    def arrival(number: int) -> Arrival:
        now = bus.clock.now()
        return Arrival(InteractionId(number), MemberId(1), "alice", HOME, "Home", AppId(1), "command now", now, False)

    alice = (await intake.admit(arrival(1))).profile_id
    assert (await intake.admit(arrival(2))).profile_id == alice
    await house.privacy.forget(alice)
    assert (await intake.admit(arrival(3))).profile_id != alice


async def test_the_export_says_everything_but_secrets(house: House) -> None:
    await house.guild(HOME)
    alice = await house.person(1, "Alice")
    await house.approve(await house.request(alice, 1, keep=True), 100, "alices-secret-token")
    await house.watch(100, "Film")
    await house.privacy.change(alice, HOME, Change(visible=Audience.GUILD, retention_days=90))
    document = await house.privacy.export(alice)
    text = json.dumps(document)
    assert "alices-secret-token" not in text
    assert "gAAAA" not in text
    assert document["profile"]["name"] == "Alice"
    assert document["discord"] == [{"id": "1", "name": "Alice"}]
    assert document["plex"]["access_is_kept"] is True
    assert document["privacy"]["guilds"] == [str(HOME)]
    assert [play["title"] for play in document["plays"]] == ["Film"]
    assert "plex account linked by pin" in [row["action"] for row in document["audit"]]
