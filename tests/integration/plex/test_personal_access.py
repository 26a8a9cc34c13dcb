"""Acting as one of the linked people: whose token goes where, and what happens when one is taken back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from daemon.core.errors import UpstreamError, UpstreamKind, UserError
from daemon.core.ids import AccountId, MemberId, ServerId
from daemon.core.shares import Share
from daemon.data import people as people_data
from daemon.kernel.logs import redact
from integrations.plex import PlexServerConfig
from integrations.plex.server import GUESTS_MAX
from simulators.plex.guests import unshare
from simulators.plex.sim import PlexSim
from tests.integration.plex.people import People, gathered
from tests.integration.plex.stage import ATTIC, Stage, running, until

CELLAR = ServerId("cellar")
DECK, RESOURCES = "/library/onDeck", "/_plex.tv/api/v2/resources"


@pytest_asyncio.fixture
async def people(stage: Stage) -> AsyncIterator[People]:
    async with gathered(stage) as made:
        yield made


async def test_a_guests_token_is_exchanged_once_for_the_servers_own(people: People, sim: PlexSim) -> None:
    marcus = await people.link("Marcus")
    assert sim.account_token_of("Marcus") != sim.token_of("Marcus")
    for _ in range(3):
        await people.personal.on_deck(marcus)
    assert people.tokens(RESOURCES) == [sim.account_token_of("Marcus")]
    assert people.tokens(DECK) == [sim.token_of("Marcus")] * 3
    said = f"{sim.account_token_of('Marcus')} {sim.token_of('Marcus')}"
    assert not {sim.account_token_of("Marcus"), sim.token_of("Marcus")} & set(redact(said).split())


async def test_what_was_exchanged_is_remembered_for_a_bounded_time(stage: Stage, sim: PlexSim) -> None:
    async with gathered(stage, kept_s=0.0) as people:
        marcus = await people.link("Marcus")
        await people.personal.on_deck(marcus)
        await people.personal.on_deck(marcus)
        assert len(people.tokens(RESOURCES)) == 2


async def test_of_several_who_ask_at_once_one_asks_plex_tv(people: People, sim: PlexSim) -> None:
    marcus = await people.link("Marcus")
    await asyncio.gather(*(people.personal.on_deck(marcus) for _ in range(5)))
    assert len(people.tokens(RESOURCES)) == 1


async def test_the_owner_needs_nothing_but_the_settings(people: People, sim: PlexSim) -> None:
    olivia = await people.link("Olivia", keep=False)
    film = sim.world.listed(1, "movie")[0]
    title = await people.stage.plex.title(people.stage.title(film))
    assert (await people.personal.mark(olivia, title, is_seen=True)).changed == 1
    assert sim.world.view(1, film).count == 1
    assert people.tokens(RESOURCES) == []
    assert set(people.tokens("/:/scrobble")) == {sim.token}
    await people.personal.on_deck(olivia)
    assert len(people.tokens("/_plex.tv/api/v2/user")) == 1  # whose server it is does not change


async def test_nobody_acts_with_the_token_of_another(people: People, sim: PlexSim) -> None:
    marcus, yuki = await people.link("Marcus"), await people.link("Yuki")
    show = sim.world.listed(2, "show")[0]
    ref = people.stage.title(show)
    ratings = {marcus: 3.0, yuki: 9.0}
    rounds = [people.personal.rate(one, ref, rating) for one, rating in ratings.items()]
    await asyncio.gather(*rounds)
    for _ in range(5):
        await asyncio.gather(*(people.personal.rate(one, ref, None) for one in ratings))
        await asyncio.gather(*(people.personal.rate(one, ref, rating) for one, rating in ratings.items()))
    found = {name: sim.world.view(sim.server.account(name).id, show).user_rating for name in ("Marcus", "Yuki")}
    assert found == {"Marcus": 3.0, "Yuki": 9.0}
    expected = {sim.token_of("Marcus"): {"3.0", "-1"}, sim.token_of("Yuki"): {"9.0", "-1"}}
    sent: dict[str | None, set[str]] = {}
    for seen in sim.requests:
        if seen.path == "/:/rate":
            sent.setdefault(seen.header("X-Plex-Token"), set()).add(dict(seen.query)["rating"])
    assert sent == expected
    from plexapi import BASE_HEADERS

    assert "X-Plex-Token" not in BASE_HEADERS


async def test_a_token_revoked_in_the_middle_is_dropped(people: People, sim: PlexSim) -> None:
    marcus = await people.link("Marcus")
    await people.personal.on_deck(marcus)
    sim.revoke(sim.account_token_of("Marcus"))
    with pytest.raises(UserError, match="no longer accepts") as refused:
        await people.personal.on_deck(marcus)
    assert refused.value.code == "access_revoked"
    link = await people.accounts.link_of(marcus)
    assert link is not None
    assert link.token is None
    with pytest.raises(UserError) as refused:
        await people.personal.on_deck(marcus)
    assert refused.value.code == "no_access"


async def test_a_server_that_wants_another_token_is_given_it(people: People, sim: PlexSim) -> None:
    marcus = await people.link("Marcus")
    await people.personal.on_deck(marcus)
    world, account = sim.world, sim.server.account("Marcus")
    world.change_account(replace(account, access_token="another-one-of-marcus"))
    film = world.listed(1, "movie")[0]
    title = await people.stage.plex.title(people.stage.title(film))
    await people.personal.on_deck(marcus)
    assert (await people.personal.mark(marcus, title, is_seen=True)).changed == 1
    assert world.view(account.id, film).count == 1
    assert people.tokens(DECK)[-1] == "another-one-of-marcus"


async def test_what_is_shared_no_longer_is_said(people: People, sim: PlexSim) -> None:
    marcus = await people.link("Marcus")
    await people.personal.on_deck(marcus)
    unshare(sim.server, sim.server.account("Marcus"))
    with pytest.raises(UserError, match="is not shared with your Plex account") as refused:
        await people.personal.on_deck(marcus)
    assert refused.value.code == "not_shared"
    link = await people.accounts.link_of(marcus)
    assert link is not None
    assert link.token is not None  # the account is as it was


async def test_who_has_no_access_is_told_why(people: People, sim: PlexSim) -> None:
    nobody = await people.stage.store.write(
        lambda tx: people_data.ensure_member(tx, MemberId(99), "nobody", people.accounts._clock.now())
    )
    with pytest.raises(UserError, match="Link your Plex account first") as refused:
        await people.personal.on_deck(nobody)
    assert refused.value.code == "not_linked"
    yuki = await people.link("Yuki", keep=False)
    with pytest.raises(UserError, match="/link keep_access:True") as refused:
        await people.personal.on_deck(yuki)
    assert refused.value.code == "no_access"
    kid = AccountId(sim.server.account("Juno").remote_id)
    await people.accounts.link_for(nobody, kid, "Juno", {ATTIC: Share()}, actor=yuki)
    with pytest.raises(UserError, match="managed user") as refused:
        await people.personal.on_deck(nobody)
    assert refused.value.code == "no_access"


async def test_plex_tv_being_away_stops_only_what_needs_it(people: People, sim: PlexSim) -> None:
    marcus, olivia = await people.link("Marcus"), await people.link("Olivia", keep=False)
    await people.personal.on_deck(olivia)
    sim.faults.add(r"/_plex\.tv/", 503, where="account")
    with pytest.raises(UpstreamError) as failure:
        await people.personal.on_deck(marcus)
    assert (failure.value.service, failure.value.kind) == ("plex.tv", UpstreamKind.BUSY)
    await people.personal.on_deck(olivia)
    sim.faults.clear()


async def test_nobody_is_blamed_when_the_server_refuses_the_token_of_the_settings(people: People, sim: PlexSim) -> None:
    marcus = await people.link("Marcus")
    await people.personal.on_deck(marcus)
    sim.revoke(sim.token)
    await until(lambda: not people.stage.plex.server_states()[0].is_up)
    with pytest.raises(UpstreamError) as failure:
        await people.personal.on_deck(marcus)
    assert failure.value.kind is UpstreamKind.UNAUTHORIZED
    link = await people.accounts.link_of(marcus)
    assert link is not None
    assert link.token is not None


async def test_connections_of_guests_are_few(stage: Stage) -> None:
    server = stage.plex.server(ATTIC)
    made = [server.guest_adapter(f"token-{number}") for number in range(GUESTS_MAX + 3)]
    assert server.guest_adapter("token-5") is made[5]
    assert server.guest_adapter("token-0") is not made[0]  # the one used least lately had to go
    assert len(server._guests) == GUESTS_MAX


async def test_two_servers_each_get_their_own_token(tmp_path: Path, sim: PlexSim) -> None:
    async with PlexSim(seed=8, life=False, buffering_s=0.0, clock=sim.clock) as other:
        sim.join(other)
        servers = {ATTIC: PlexServerConfig(sim.url, sim.token), CELLAR: PlexServerConfig(other.url, other.token)}
        async with running(sim, tmp_path, servers=servers) as stage, gathered(stage) as people:
            await stage.ready()
            marcus = await people.link("Marcus")
            for house, place in ((sim, 0), (other, 1)):
                film = house.world.listed(1, "movie")[place]
                view = house.world.change_view(house.server.account("Marcus").id, film)
                view.offset_ms, view.last_viewed_at = 60_000, 100 + place
            deck = await people.personal.on_deck(marcus)
            assert [title.ref.server for title in deck.titles] == [CELLAR, ATTIC]
            assert set(people.tokens(DECK)) == {sim.token_of("Marcus")}
            assert set(people.tokens(DECK, other)) == {other.token_of("Marcus")}
            assert sim.token_of("Marcus") != other.token_of("Marcus")
            unshare(other.server, other.server.account("Marcus"))
            deck = await people.personal.on_deck(marcus)
            assert [title.ref.server for title in deck.titles] == [ATTIC]
            assert deck.failures == ()  # a server that is not theirs is none of their business
            sim.faults.add(r"/library/onDeck", 503)
            with pytest.raises(UserError) as refused:
                await people.personal.on_deck(marcus)
            assert refused.value.code == "not_shared"
            sim.faults.clear()
            await until(lambda: all(state.is_up for state in stage.plex.server_states()))
