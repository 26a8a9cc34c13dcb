"""What a guild sees, what people see of each other, and how somebody has it all erased; met from chat."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from daemon.core.ids import AccountId, RatingKey, ServerId
from daemon.data import people
from daemon.data.plays import NewPlay, record
from daemon.data.store import Store
from daemon.kernel.clock import SystemClock
from daemon.kernel.metrics import Metrics
from daemon.services.sealing import Marks, Sealing, load_keys
from simulators.discord.shown import Shown
from tests.acceptance.database import stored, until_stored
from tests.acceptance.stage import Member, Stage, answered, open_owned_stage
from tests.acceptance.test_linking import link

pytestmark = pytest.mark.asyncio(loop_scope="module")

MOVIES, SHOWS = "1", "2"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_stage() -> AsyncIterator[Stage]:
    """A daemon that belongs to olivia."""
    async with open_owned_stage() as stage:
        yield stage


class Ledger:
    """Records plays into the daemon's database, as whatever watches sessions does."""

    def __init__(self, stage: Stage, store: Store) -> None:
        folder = stage.folder / "data"
        self._stage = stage
        self.store = store
        self._marks = Marks(store, SystemClock(), Sealing(load_keys([], folder)))
        self._count = 0

    async def play(self, account: str, title: str, library: str = MOVIES, *, days_ago: float = 0.0) -> bool:
        """Somebody watched a title to its end."""
        self._count += 1
        number = AccountId(self._stage.plex.server.account(account).remote_id)
        now = _now(self._stage)
        play = NewPlay(
            f"test:{account}:{title}:{self._count}", number, await self._marks.of("account", number), ServerId("attic"),
            library, RatingKey("1"), "movie", title, now - timedelta(days=days_ago), 6_000_000, 6_000_000,
        )  # fmt: skip
        return await self.store.write(lambda tx: record(tx, play))


def _now(stage: Stage) -> datetime:
    return datetime.fromtimestamp(stage.clock.now(), UTC)


@pytest_asyncio.fixture(loop_scope="module")
async def ledger(stage: Stage) -> AsyncIterator[Ledger]:
    """Plays to be recorded; nobody has linked, bound or watched anything."""
    store = await Store.open(f"sqlite:///{stage.folder}/data/marquee.db", metrics=Metrics())
    await asyncio.to_thread(_clear, stage)
    yield await asyncio.to_thread(Ledger, stage, store)
    await store.close()


def _clear(stage: Stage) -> None:
    with closing(sqlite3.connect(stage.folder / "data" / "marquee.db", timeout=10)) as connection, connection:
        for table in ("plays", "plex_accounts", "plex_rests", "link_requests", "forgotten_accounts", "guild_bindings"):
            connection.execute(f"DELETE FROM {table}")
        connection.execute("DELETE FROM guild_settings WHERE key = 'access.bound'")


@pytest.fixture
def olivia(stage: Stage) -> Member:
    """The owner, in a channel of her own for each test."""
    world, guild = stage.lab.world, stage.lab.guild
    channel = world.add_channel(guild, f"office-{len(guild.channel_ids)}")
    return Member(stage.lab.user("olivia"), channel.channel_id)


async def linked(stage: Stage, account: str) -> Member:
    member = stage.guest()
    shown = await link(stage, member, account)
    await shown.until("Your Plex account is linked.")
    return member


async def watched(viewer: Member, whose: Member) -> str:
    shown = await viewer.slash("profile", member=whose.user.name)
    await answered(shown)
    assert shown.is_private
    return shown.text


# ---------------------------------------------------------------- what a guild sees


async def test_owners_bind_and_unbind(stage: Stage, ledger: Ledger, olivia: Member) -> None:
    offered = await stage.suggested(olivia, "bind", "library", "mov", server="attic")
    assert [one["name"] for one in offered] == ["Movies"]
    refused = await olivia.slash("unbind", server="attic")
    await refused.until("Nothing is bound here yet, so this server sees everything")
    shown = await olivia.slash("bind", server="attic", library=offered[0])
    await shown.until("This server now sees **Movies** of **attic**.")
    assert shown.is_private
    shown = await olivia.slash("bind", server="Attic", library="tv shows")
    await shown.until("**attic** · TV Shows")
    assert "**attic** · Movies" in shown.text
    shown = await olivia.slash("bind", server="attic", library="Movies")
    await shown.until("This server saw already: **Movies** of **attic**.")
    shown = await olivia.slash("unbind", server="attic", library="Movies")
    await shown.until("This server no longer sees **Movies** of **attic**.")
    assert "**attic** · Movies" not in shown.text
    shown = await olivia.slash("unbind", server="attic")
    await shown.until("Nothing.")  # and not everything: what was bound once stays the owner's decision
    refused = await olivia.slash("bind", server="cellar")
    await refused.until("There is no Plex server called “cellar”; there is: attic.")
    refused = await olivia.slash("bind", server="attic", library="Opera")
    await refused.until("attic has no library called “Opera”.")
    for command in ("bind", "unbind"):
        no = await stage.guest().slash(command, server="attic")
        await no.until("Only the owners of this bot may do that.")
    actions = [row[0] for row in await stored(stage, "SELECT action FROM audit_log WHERE action LIKE 'command %bind'")]
    assert len(actions) >= 6


async def test_a_guild_sees_no_plays_of_what_is_not_bound_to_it(stage: Stage, ledger: Ledger, olivia: Member) -> None:
    marcus, viewer = await linked(stage, "Marcus"), stage.guest()
    assert await ledger.play("Marcus", "A Film")
    assert await ledger.play("Marcus", "A Series", SHOWS)
    shown = await marcus.slash("privacy", visible="Everybody in this server")
    await shown.until("everybody in the servers where you said so (this server)")
    text = await watched(viewer, marcus)
    assert "A Film" in text
    assert "A Series" in text
    await (await olivia.slash("bind", server="attic", library="TV Shows")).until("now sees")
    text = await watched(viewer, marcus)
    assert "A Film" not in text
    assert "A Series" in text
    assert "A Film" in await watched(marcus, marcus)  # one's own are one's own
    yuki = await linked(stage, "Yuki")  # whose account has TV Shows and Music, not Movies
    await (await olivia.slash("bind", server="attic")).until("all of **attic**")
    text = await watched(yuki, marcus)
    assert "A Film" not in text
    assert "A Series" in text


# ---------------------------------------------------------------- what people see of each other


async def test_nobody_sees_anything_until_somebody_says_so(stage: Stage, ledger: Ledger) -> None:
    marcus, bob, carol = await linked(stage, "Marcus"), stage.guest(), stage.guest()
    assert await ledger.play("Marcus", "Secret Film")
    shown = await marcus.slash("privacy")
    await shown.until("**Who sees what you watch:** only you")
    assert "you are left out" in shown.text
    assert "Secret Film" not in await watched(bob, marcus)
    assert "Plex account" not in await watched(bob, marcus)
    assert "Secret Film" in await watched(marcus, marcus)

    shown = await marcus.slash("privacy", visible="People I choose", stats=True)
    await shown.until("Chosen: nobody yet")
    assert "you count" in shown.text
    await shown.choose("Choose who may see it", bob.user.name)
    await shown.until(f"Chosen: **{bob.user.name}**")
    assert "Secret Film" in await watched(bob, marcus)
    assert "Secret Film" not in await watched(carol, marcus)

    await (await marcus.slash("privacy", visible="Everybody in this server")).until("this server")
    assert "Secret Film" in await watched(carol, marcus)
    await (await marcus.slash("privacy", visible="Nobody")).until("only you")
    assert "Secret Film" not in await watched(carol, marcus)
    assert "Secret Film" not in await watched(bob, marcus)


async def test_incognito_records_nothing(stage: Stage, ledger: Ledger) -> None:
    marcus = await linked(stage, "Marcus")
    offered = await marcus.type_in("privacy", "incognito", "3")
    assert "3 hours" in [one["value"] for one in offered]
    shown = await marcus.slash("privacy", incognito="3 hours")
    await shown.until("nothing you watch is recorded")
    assert not await ledger.play("Marcus", "Guilty Pleasure")
    await (await marcus.slash("privacy", incognito="off")).until("**Incognito:** off")
    assert await ledger.play("Marcus", "Proud Pleasure")
    bad = await marcus.slash("privacy", incognito="until the cows come home")
    await bad.until("Write how long, such as 3 hours or 2 days, or off.")
    text = await watched(marcus, marcus)
    assert "Guilty" not in text
    assert "Proud" in text


async def test_plays_go_when_their_person_wants_them_gone(stage: Stage, ledger: Ledger, olivia: Member) -> None:
    marcus, yuki = await linked(stage, "Marcus"), await linked(stage, "Yuki")
    for account in ("Marcus", "Yuki"):
        assert await ledger.play(account, f"Old {account}", SHOWS, days_ago=40)
        assert await ledger.play(account, f"New {account}", SHOWS, days_ago=2)
    await (await marcus.slash("privacy", retention_days=30)).until("**Kept:** 30 days")
    shown = await olivia.slash("ops schedules")
    await shown.until("retention")
    await shown.choose("Run one now", "retention")
    wanted = [("New Marcus",), ("New Yuki",), ("Old Yuki",)]
    await until_stored(stage, "SELECT title FROM plays ORDER BY title", wanted)
    await (await marcus.slash("privacy", retention_days=0)).until("until you say otherwise")
    assert yuki is not marcus


async def test_export_holds_everything_and_only_the_member_sees_it(stage: Stage, ledger: Ledger) -> None:
    marcus = await linked(stage, "Marcus")
    assert await ledger.play("Marcus", "Exported Film")
    shown = await marcus.slash("export-me")
    await shown.until("This is everything that is kept about you.")
    assert shown.is_private
    (data,) = shown.files.values()
    document = json.loads(data)
    assert document["plex"]["name"] == "Marcus"
    assert document["plex"]["access_is_kept"] is False
    assert document["discord"] == [{"id": str(marcus.user.user_id), "name": marcus.user.name}]
    assert [play["title"] for play in document["plays"]] == ["Exported Film"]
    assert document["privacy"]["visible"] == "nobody"
    assert "command link" in [row["action"] for row in document["audit"]]
    assert stage.plex.account_token_of("Marcus") not in data.decode()


async def test_somebody_is_forgotten(stage: Stage, ledger: Ledger) -> None:
    marcus = await linked(stage, "Marcus")
    assert await ledger.play("Marcus", "Forgotten Film")
    shown = await marcus.slash("forget-me")
    await shown.until("what you have watched: 1 plays")
    assert shown.is_private
    assert "Plex account **Marcus**" in shown.text
    await shown.click("Cancel")
    await shown.until("Nothing was changed.")
    shown = await marcus.slash("forget-me")
    await shown.until("Yes, forget me")
    presses: list[Shown | BaseException] = await asyncio.gather(
        *(shown.click("Yes, forget me") for _ in range(2)), return_exceptions=True
    )
    assert [one for one in presses if isinstance(one, Shown)]
    await shown.until(lambda there: "is erased" in there.text or "done already" in there.text)
    member = marcus.user.user_id
    assert await stored(stage, "SELECT 1 FROM plays") == []
    assert await stored(stage, "SELECT 1 FROM plex_accounts") == []
    named = f"SELECT 1 FROM profiles WHERE name = '{marcus.user.name}'"
    assert len(await stored(stage, named)) <= 1  # the second press, of somebody we had not met before
    ((pseudonym,),) = await stored(
        stage, "SELECT name FROM profiles WHERE forgotten_at IS NOT NULL ORDER BY id DESC LIMIT 1"
    )
    assert pseudonym.startswith("forgotten-")
    # What Plex still tells of them is not taken in again, and their account rests as after an unlink.
    assert not await ledger.play("Marcus", "Forgotten Film")
    again = await link(stage, marcus, "Marcus")
    await again.until("unlinked less than seven days ago")
    profile = await ledger.store.read(lambda tx: people.profile_of(tx, member))  # type: ignore[arg-type]
    ((actors,),) = await stored(stage, f"SELECT count(*) FROM audit_log WHERE actor_profile_id = {profile}")
    assert actors >= 1  # of the new profile: what comes now is nobody's we knew
    numbers = await stored(stage, "SELECT digest FROM forgotten_accounts")
    number = stage.plex.server.account("Marcus").remote_id
    assert len(numbers) == 1
    assert str(number).encode() not in numbers[0][0]
