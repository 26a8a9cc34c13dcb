"""One account to one profile, whatever races; rests, kept tokens, requests."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from daemon.core.errors import UserError
from daemon.core.ids import AccountId
from daemon.core.shares import Share
from daemon.services.accounts import LinkOutcome, RequestState
from daemon.services.retention import Keep, Retention
from daemon.services.sealing import Sealing
from tests.integration.people.house import ATTIC, CELLAR, KEY, House

WEEK = timedelta(days=7)


async def test_an_account_belongs_to_one_profile_and_a_profile_has_one_account(house: House) -> None:
    alice, bob = await house.person(1), await house.person(2)
    assert await house.link(alice, 100) is LinkOutcome.LINKED
    assert await house.link(alice, 100) is LinkOutcome.RENEWED
    assert await house.link(bob, 100) is LinkOutcome.TAKEN
    assert await house.link(alice, 200) is LinkOutcome.HAS_OTHER
    assert await house.rows("SELECT account_id, profile_id FROM plex_accounts") == [(100, alice)]


async def test_of_many_who_link_one_account_at_once_one_gets_it(house: House) -> None:
    people = [await house.person(number) for number in range(1, 9)]
    outcomes = await asyncio.gather(*(house.link(person, 100) for person in people))
    assert sorted(outcomes).count(LinkOutcome.LINKED) == 1
    assert set(outcomes) == {LinkOutcome.LINKED, LinkOutcome.TAKEN}


async def test_after_an_unlink_account_and_profile_rest_for_a_week(house: House) -> None:
    alice, bob = await house.person(1), await house.person(2)
    await house.link(alice, 100)
    removed = await house.accounts.unlink(alice, actor=alice)
    assert removed is not None
    assert removed.account_id == 100
    assert await house.accounts.unlink(alice, actor=alice) is None
    assert await house.link(alice, 200) is LinkOutcome.RESTING
    assert await house.link(bob, 100) is LinkOutcome.RESTING
    assert await house.link(alice, 100) is LinkOutcome.RESTING
    assert await house.link(bob, 200) is LinkOutcome.LINKED
    house.bus.clock.ahead = WEEK - timedelta(minutes=5)
    assert await house.link(alice, 100) is LinkOutcome.RESTING
    house.bus.clock.ahead = WEEK + timedelta(minutes=5)
    assert await house.link(alice, 100) is LinkOutcome.LINKED
    # Who rests cannot be read from the table.
    digests = [bytes(row[0]) for row in await house.rows("SELECT digest FROM plex_rests")]  # type: ignore[arg-type]
    assert len(digests) == 2
    assert not any(b"100" in digest for digest in digests)


async def test_a_request_ends_once(house: House) -> None:
    alice = await house.person(1)
    request_id = await house.request(alice, 1)
    (pin,) = await house.accounts.claim_due(60.0)
    assert (pin.request.request_id, pin.code) == (request_id, "CODE")
    assert await house.accounts.claim_due(60.0) == []  # another process, the same moment
    ends = await asyncio.gather(*(house.approve(request_id, 100) for _ in range(4)))
    assert [end for end in ends if end is not None] == [RequestState.LINKED]
    assert not await house.accounts.settle(request_id, RequestState.EXPIRED)
    assert await house.rows("SELECT state, code FROM link_requests") == [("linked", "")]


async def test_what_a_lost_request_wrote_is_undone(house: House) -> None:
    alice = await house.person(1)
    old = await house.request(alice, 1)
    request = await house.accounts.request(old)
    assert request is not None
    new = await house.request(alice, 1)
    assert new > old
    assert await house.accounts.request(old) is None
    assert await house.accounts.finish(request, AccountId(100), "acc", "token", {}) is None
    assert await house.rows("SELECT 1 FROM plex_accounts") == []


async def test_telling_happens_once(house: House) -> None:
    alice = await house.person(1)
    request_id = await house.request(alice, 1)
    assert not await house.accounts.note_told(request_id)
    await house.approve(request_id, 100)
    assert await house.accounts.untold(60.0) == []
    house.bus.clock.ahead = timedelta(minutes=2)
    assert [one.request_id for one in await house.accounts.untold(60.0)] == [request_id]
    told = await asyncio.gather(*(house.accounts.note_told(request_id) for _ in range(4)))
    assert sum(told) == 1
    assert await house.accounts.untold(60.0) == []


async def test_a_token_is_kept_sealed_when_its_person_said_so(house: House) -> None:
    alice, bob = await house.person(1), await house.person(2)
    assert (
        await house.approve(await house.request(alice, 1, keep=True), 100, "alices-secret-token") is RequestState.LINKED
    )
    assert await house.approve(await house.request(bob, 2), 200, "bobs-secret-token") is RequestState.LINKED
    stored = dict(await house.rows("SELECT account_id, token FROM plex_accounts"))  # type: ignore[arg-type]
    assert stored[200] is None
    assert "alices-secret-token" not in str(stored[100])
    assert await house.accounts.token_of(alice) == "alices-secret-token"
    assert await house.accounts.token_of(bob) is None
    link = await house.accounts.link_of(alice)
    assert link is not None
    assert "token" not in repr(link)
    assert await house.accounts.drop_token(link)
    assert not await house.accounts.drop_token(link)
    assert await house.accounts.token_of(alice) is None


async def test_keys_are_changed_without_losing_anything(house: House) -> None:
    alice, bob = await house.person(1), await house.person(2)
    await house.approve(await house.request(alice, 1, keep=True), 100, "alices-secret-token")
    mark = await house.marks.of("account", 100)
    await house.request(bob, 2)
    both = House(house.bus, house.cache, Sealing(["n" * 40, KEY]))
    assert await both.accounts.reseal() == 0
    new = House(house.bus, house.cache, Sealing(["n" * 40]))
    assert await new.accounts.reseal() == 0
    assert await new.accounts.token_of(alice) == "alices-secret-token"
    assert await new.marks.of("account", 100) == mark
    assert [pin.code for pin in await new.accounts.claim_due(1.0)] == ["CODE"]
    old = House(house.bus, house.cache)
    assert await old.accounts.token_of(alice) is None
    assert await old.accounts.reseal() == 2  # the token and the key of the marks


async def test_shares_follow_what_plex_says(house: House) -> None:
    alice = await house.person(1)
    await house.link(alice, 100)
    account = AccountId(100)
    assert await house.accounts.note_shares(ATTIC, {account: Share()}) == 0
    assert await house.accounts.note_shares(ATTIC, {account: Share(frozenset({"1"}))}) == 1
    assert await house.accounts.note_shares(CELLAR, {}) == 1
    assert await house.accounts.note_shares(CELLAR, {}) == 0
    assert await house.rows("SELECT server FROM plex_shares") == [("attic",)]


async def test_rests_and_requests_are_cleaned_up_when_they_are_over(house: House) -> None:
    alice, bus = await house.person(1), house.bus
    await house.approve(await house.request(alice, 1), 100)
    await house.accounts.unlink(alice, actor=alice)
    retention = Retention(bus.store, bus.queue.claims, bus.clock, bus.health, bus.metrics, Keep())
    removed = await retention.run_once()
    assert (removed["plex_rests"], removed["link_requests"]) == (0, 0)
    bus.clock.ahead = WEEK + timedelta(minutes=5)
    removed = await retention.run_once()
    assert (removed["plex_rests"], removed["link_requests"]) == (2, 1)


async def test_without_the_key_nobody_is_linked_or_recorded(house: House) -> None:
    alice = await house.person(1)
    await house.link(alice, 100)
    lost = House(house.bus, house.cache, Sealing(["x" * 40]))
    with pytest.raises(UserError, match="The key that seals"):
        await lost.link(alice, 100)
    with pytest.raises(UserError, match="The key that seals"):
        await lost.watch(100, "Film")
