"""What a guild sees, narrowed by what Plex shows the account; and how soon a change counts."""

from __future__ import annotations

from datetime import timedelta

from daemon.core.ids import AccountId, GuildId, MemberId
from daemon.core.library import LibraryKind
from daemon.core.shares import Share
from daemon.core.visibility import LibraryRef, Restriction, Visibility
from daemon.data.store import Store
from daemon.services.bindings import Binding
from tests.integration.events.bus import process
from tests.integration.people.conftest import new_cache
from tests.integration.people.house import ABROAD, ATTIC, CELLAR, FILMS, HOME, OLD_FILMS, SERIES, House

ALL = Visibility()
NOTHING = Visibility(frozenset())


async def seen(house: House, member: int, guild: GuildId | None = HOME) -> frozenset[LibraryRef] | None:
    return (await house.visibility.of(MemberId(member), guild)).libraries


async def test_one_guild_sees_everything_until_somebody_binds(house: House) -> None:
    await house.guild(HOME)
    assert await house.visibility.of(MemberId(1), HOME) == ALL
    assert await house.bindings.bind(HOME, Binding(ATTIC, "1"))
    assert await seen(house, 1) == {FILMS}
    assert not await house.bindings.bind(HOME, Binding(ATTIC, "1"))
    await house.bindings.bind(HOME, Binding(CELLAR))
    assert await seen(house, 1) == {FILMS, OLD_FILMS}
    await house.bindings.unbind(HOME, Binding(CELLAR))
    await house.bindings.unbind(HOME, Binding(ATTIC))
    assert await house.visibility.of(MemberId(1), HOME) == NOTHING


async def test_the_first_who_types_sees_titles_though_their_guild_is_not_known_yet(house: House) -> None:
    assert await house.visibility.of(MemberId(1), HOME) == ALL


async def test_a_guild_that_comes_later_sees_nothing_and_takes_nothing(house: House) -> None:
    await house.guild(HOME)
    house.bus.clock.ahead = timedelta(minutes=1)
    await house.guild(ABROAD)
    assert await house.visibility.of(MemberId(1), ABROAD) == NOTHING
    assert await house.visibility.of(MemberId(1), HOME) == ALL
    await house.bindings.bind(ABROAD, Binding(CELLAR))
    assert await seen(house, 1, ABROAD) == {OLD_FILMS}
    assert await house.visibility.of(MemberId(1), HOME) == ALL


async def test_a_linked_account_narrows_what_the_guild_sees(house: House) -> None:
    await house.guild(HOME)
    alice = await house.person(1)
    await house.person(2)
    await house.link(
        alice, 100, {ATTIC: Share(frozenset({"1", "2"}), {"movie": "label=Kids%2CFamily|contentRating!=R"})}
    )
    visibility = await house.visibility.of(MemberId(1), HOME)
    assert visibility.libraries == {FILMS, SERIES}
    assert visibility.restrictions == {
        FILMS: Restriction(labels=frozenset({"Kids", "Family"}), hidden_ratings=frozenset({"R"}))
    }
    assert await house.visibility.of(MemberId(2), HOME) == ALL
    await house.bindings.bind(HOME, Binding(ATTIC, "2"))
    await house.bindings.bind(HOME, Binding(CELLAR))
    assert await house.visibility.of(MemberId(1), HOME) == Visibility(frozenset({SERIES}))
    assert await seen(house, 2) == {SERIES, OLD_FILMS}
    await house.accounts.unlink(alice, actor=alice)
    assert await seen(house, 1) == {SERIES, OLD_FILMS}


async def test_a_library_that_is_new_is_seen_at_once_where_its_server_is_bound(house: House) -> None:
    await house.guild(HOME)
    await house.bindings.bind(HOME, Binding(CELLAR))
    assert await seen(house, 1) == {OLD_FILMS}
    music = LibraryRef(CELLAR, "2")
    await house.note(music, LibraryKind.ARTIST, "Music")
    assert await seen(house, 1) == {OLD_FILMS, music}
    assert (await house.visibility.of(MemberId(1), HOME)).servers == {CELLAR}


async def test_a_filter_that_cannot_be_applied_hides_its_library(house: House) -> None:
    await house.guild(HOME)
    alice = await house.person(1)
    await house.link(alice, 100, {ATTIC: Share(None, {"movie": "genre=Horror"})})
    assert await seen(house, 1) == {SERIES}


async def test_in_a_direct_message_only_ones_own_account_counts(house: House) -> None:
    await house.guild(HOME)
    alice = await house.person(1)
    assert await house.visibility.of(MemberId(1), None) == NOTHING
    await house.link(alice, 100, {ATTIC: Share(frozenset({"2"}))})
    assert await seen(house, 1, None) == {SERIES}
    await house.bindings.bind(HOME, Binding(CELLAR))
    assert await seen(house, 1, None) == {SERIES}
    assert await seen(house, 1) == frozenset()


async def test_what_plex_shares_anew_counts_at_once(house: House) -> None:
    await house.guild(HOME)
    alice = await house.person(1)
    await house.link(alice, 100, {ATTIC: Share(frozenset({"1"}))})
    assert await seen(house, 1) == {FILMS}
    await house.accounts.note_shares(ATTIC, {AccountId(100): Share(frozenset({"2"}))})
    assert await seen(house, 1) == {SERIES}


async def test_a_process_that_is_told_of_a_change_forgets_what_it_knew(house: House, store: Store) -> None:
    await house.guild(HOME)
    async with process(store) as bus:
        other = House(bus, new_cache(bus))
        other.visibility.listen(bus.events)
        await bus.events.sync()
        await bus.start()
        assert await other.visibility.of(MemberId(1), HOME) == ALL
        await house.bindings.bind(HOME, Binding(ATTIC, "1"))
        await bus.drained()
        assert await seen(other, 1) == {FILMS}
