"""Linking a Plex account from chat, with a person who opens plex.tv's page, and everything that can go wrong."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
import pytest_asyncio

from simulators.discord.options import Refused
from simulators.discord.shown import Shown
from tests.acceptance.accounts import link, sign_in, sign_in_url
from tests.acceptance.database import stored, until_stored
from tests.acceptance.stage import Member, Stage, answered, open_owned_stage, open_stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

OLIVIA_AT_PLEX, JUNO, MARCUS, YUKI = "Olivia", "Juno", "Marcus", "Yuki"


async def unlink(member: Member) -> None:
    shown = await member.slash("unlink")
    await shown.until("Yes, unlink")
    await shown.click("Yes, unlink")
    await shown.until("is unlinked.")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_stage() -> AsyncIterator[Stage]:
    """A daemon that belongs to olivia."""
    async with open_owned_stage() as stage:
        yield stage


@pytest.fixture
def rested(stage: Stage) -> Stage:
    """Nobody has linked anything, and nobody rests."""
    with closing(sqlite3.connect(stage.folder / "data" / "marquee.db", timeout=10)) as connection, connection:
        for table in ("plex_accounts", "plex_rests", "link_requests"):
            connection.execute(f"DELETE FROM {table}")
    return stage


async def test_somebody_links_by_signing_in(rested: Stage) -> None:
    guest = rested.guest()
    shown = await guest.slash("link")
    await shown.until("Sign in at Plex and allow")
    assert shown.is_private
    assert "Nothing that gives access to your account will be kept" in shown.text
    url = sign_in_url(shown)
    waiting = await shown.click("Check now")
    await waiting.until("Nobody has signed in yet.")
    await sign_in(rested, url, MARCUS)
    await shown.until("Your Plex account is linked.")  # the card itself, without anybody pressing anything
    assert "Plex account **Marcus**" in shown.text
    assert "no access is kept" in shown.text
    account = rested.plex.server.account(MARCUS)
    assert await stored(rested, "SELECT account_id, name, proof, token FROM plex_accounts") == [
        (account.remote_id, "Marcus", "pin", None)
    ]
    assert await stored(rested, "SELECT code FROM link_requests") == [("",)]
    mine = await guest.slash("link")
    await mine.until("Your Plex account is linked")


async def test_pressing_twice_does_no_harm(rested: Stage) -> None:
    guest = rested.guest()
    shown = await link(rested, guest, YUKI)
    pressed = await asyncio.gather(*(shown.click("Check now") for _ in range(2)), return_exceptions=True)
    assert [one for one in pressed if not isinstance(one, Shown | Refused)] == []  # the button may be gone already
    await shown.until("Your Plex account is linked.")
    assert len(await stored(rested, "SELECT 1 FROM plex_accounts")) == 1
    notices = await stored(rested, f"SELECT 1 FROM notices WHERE member_id = {guest.user.user_id}")
    assert notices == []  # who saw it is not told a second time


async def test_access_is_kept_sealed_and_only_when_asked_for(rested: Stage) -> None:
    guest = rested.guest()
    shown = await link(rested, guest, MARCUS, keep_access=True)
    assert "will be kept, encrypted" in shown.text
    await shown.until("access is kept")
    ((token,),) = await stored(rested, "SELECT token FROM plex_accounts")
    real = rested.plex.account_token_of(MARCUS)
    assert isinstance(token, str)
    assert real not in token
    assert token.startswith("gAAAA")
    key = await asyncio.to_thread((rested.folder / "data" / "secret.key").stat)
    assert key.st_mode & 0o777 == 0o600
    dropped = await guest.slash("link", keep_access=False)
    await dropped.until("The access that was kept is deleted.")
    assert await stored(rested, "SELECT token FROM plex_accounts") == [(None,)]
    log = "\n".join(str(line) for line in await rested.daemon.logs()) if rested.daemon else ""
    assert real not in log


async def test_an_account_belongs_to_one_person(rested: Stage) -> None:
    first, second = rested.guest(), rested.guest()
    one = await link(rested, first, MARCUS)
    await one.until("Your Plex account is linked.")
    other = await link(rested, second, MARCUS)
    await other.until("belongs to somebody else here")
    assert len(await stored(rested, "SELECT 1 FROM plex_accounts")) == 1


async def test_two_members_at_once_get_one_account(rested: Stage) -> None:
    first, second = rested.guest(), rested.guest()
    cards = [await member.slash("link") for member in (first, second)]
    for shown in cards:
        await shown.until("Sign in at Plex and allow")
    for shown in cards:
        await sign_in(rested, sign_in_url(shown), YUKI)
    for shown in cards:
        await shown.until(lambda there: "is linked." in there.text or "somebody else here" in there.text)
    assert sorted("belongs to somebody else" in shown.text for shown in cards) == [False, True]
    assert len(await stored(rested, "SELECT 1 FROM plex_accounts")) == 1


async def test_a_pin_that_nobody_approves_runs_out(rested: Stage) -> None:
    guest = rested.guest()
    shown = await guest.slash("link")
    await shown.until("Sign in at Plex and allow")
    url = sign_in_url(shown)
    rested.clock.jump(896)
    await shown.until("Nobody signed in within the time that Plex gives.")
    assert await stored(rested, "SELECT state FROM link_requests") == [("expired",)]
    rested.clock.jump(30)
    query = parse_qs(urlsplit(url).query)
    form = {"code": query["code"][0], "account": rested.plex.server.account(JUNO).id}
    async with aiohttp.ClientSession() as browser, browser.post(f"{rested.plex.account_url}/link", data=form) as page:
        assert page.status == 404  # too late on their side as well
    late = await guest.slash("link")
    await late.until("Sign in at Plex and allow")
    assert await stored(rested, "SELECT 1 FROM plex_accounts") == []


async def test_somebody_refuses_on_the_page(rested: Stage) -> None:
    guest = rested.guest()
    shown = await guest.slash("link")
    await shown.until("Sign in at Plex and allow")
    query = parse_qs(urlsplit(sign_in_url(shown)).query)
    form = {"code": query["code"][0], "clientID": query["clientID"][0], "deny": "1"}
    page = f"{rested.plex.account_url}/link"
    async with aiohttp.ClientSession() as browser, browser.post(page, data=form) as refused:
        assert refused.status == 200
    await shown.until("Plex has called the sign-in off.")
    assert await stored(rested, "SELECT 1 FROM plex_accounts") == []


async def test_a_token_that_is_revoked_in_the_middle_links_nothing(rested: Stage) -> None:
    guest = rested.guest()
    rested.plex.faults.add(r"/_plex\.tv/api/v2/user.*", 401, where="account")
    shown = await link(rested, guest, MARCUS)
    await shown.until("Plex has called the sign-in off.")
    assert await stored(rested, "SELECT 1 FROM plex_accounts") == []


async def test_plex_tv_being_away_is_said_and_survived(rested: Stage) -> None:
    guest = rested.guest()
    rested.plex.faults.add(r"/_plex\.tv/.*", 503, where="account")
    shown = await guest.slash("link")
    await shown.until("plex.tv is busy or starting; please try again in a moment.")
    assert shown.is_private
    rested.plex.faults.clear()
    other = rested.guest()
    card = await other.slash("link")
    await card.until("Sign in at Plex and allow")
    fault = rested.plex.faults.add(r"/_plex\.tv/api/.*", "drop", where="account")
    await sign_in(rested, sign_in_url(card), MARCUS)
    await rested.wait_for(lambda: fault.hits >= 2, "plex.tv to be asked in vain")
    rested.plex.faults.clear()
    await card.until("Your Plex account is linked.", 40)


async def test_the_same_person_and_account_rest_for_a_week(rested: Stage) -> None:
    first, second = rested.guest(), rested.guest()
    shown = await link(rested, first, MARCUS)
    await shown.until("Your Plex account is linked.")
    asked = await first.slash("unlink")
    await asked.until("Unlink Marcus?")
    assert asked.is_private
    await asked.click("Cancel")
    await asked.until("Nothing was changed.")
    assert len(await stored(rested, "SELECT 1 FROM plex_accounts")) == 1
    await unlink(first)
    assert await stored(rested, "SELECT 1 FROM plex_accounts") == []
    refused = await first.slash("link")
    await refused.until("You have unlinked an account lately")
    other = await link(rested, second, MARCUS)
    await other.until("unlinked less than seven days ago")
    rested.clock.jump(7 * 24 * 3600 + 60)
    third = rested.guest()
    late = await link(rested, third, MARCUS)
    await late.until("Your Plex account is linked.")


async def test_owners_link_managed_users(rested: Stage) -> None:
    olivia, kid = Member(rested.lab.user("olivia"), rested.guest().channel), rested.guest()
    managed = next(one for one in rested.plex.world.accounts.values() if one.is_managed)
    offered = await olivia.type_in("link-for", "account", managed.name[:2], member=kid.user.name)
    assert [one["name"] for one in offered] == [managed.name]
    shown = await olivia.slash("link-for", member=kid.user.name, account=offered[0])
    await shown.until(f"**{managed.name}** is linked to")
    assert await stored(rested, "SELECT account_id, proof FROM plex_accounts") == [(managed.remote_id, "owner")]
    refused = await olivia.slash("link-for", member=kid.user.name, account=MARCUS)
    await refused.until("That is no managed user of your Plex Home")
    guest = rested.guest()
    no = await guest.slash("link-for", member=kid.user.name, account=managed.name)
    await no.until("Only the owners of this bot may do that.")


async def test_access_that_plex_takes_back_is_deleted_and_told(rested: Stage) -> None:
    guest, olivia = rested.guest(), Member(rested.lab.user("olivia"), rested.guest().channel)
    await (await link(rested, guest, MARCUS, keep_access=True)).until("access is kept")
    rested.plex.revoke(rested.plex.account_token_of(MARCUS))
    shown = await olivia.slash("ops schedules")
    await shown.until("linking.shares")
    await shown.choose("Run one now", "linking.shares")
    await until_stored(rested, "SELECT name, token FROM plex_accounts", [("Marcus", None)])
    private = int(guest.user.dm("Marquee")["id"])
    await rested.wait_for(
        lambda: any("Plex no longer accepts the access" in one.text for one in guest.user.sees(private)), "the message"
    )
    assert await stored(rested, "SELECT count(*) FROM plex_shares") != [
        (0,)
    ]  # the link itself, and what it shows, stay


async def test_tokens_that_nobody_needs_any_more_end_at_plex(rested: Stage) -> None:
    world, plex = rested.plex.world, rested.plex

    async def is_over(token: str) -> None:
        await rested.wait_for(lambda: world.by_token(token) is None, "the token to end")

    first, second, third = rested.guest(), rested.guest(), rested.guest()
    before = set(world.sign_ins)
    await (await link(rested, first, MARCUS)).until("no access is kept")
    await rested.wait_for(lambda: set(world.sign_ins) <= before, "what told whose account it is to end")
    await (await link(rested, second, YUKI, keep_access=True)).until("access is kept")
    kept = plex.account_token_of(YUKI)
    assert kept in world.sign_ins
    await unlink(second)
    await is_over(kept)
    await (await link(rested, third, JUNO, keep_access=True)).until("access is kept")
    kept = plex.account_token_of(JUNO)
    forgetting = await third.slash("forget-me")
    await forgetting.until("Forget everything about you?")
    await forgetting.click("Yes, forget me")
    await forgetting.until("Everything about you is erased")
    await is_over(kept)


async def test_a_card_of_somebody_else_tells_nothing(rested: Stage) -> None:
    guest, thief = rested.guest(), rested.guest()
    shown = await guest.slash("link")
    await shown.until("Sign in at Plex and allow")
    check = next(
        part["custom_id"]
        for row in shown.message["components"][0]["components"]
        for part in row.get("components", ())
        if part.get("label") == "Check now"
    )
    card = await thief.slash("now")
    await answered(card)
    forged = await thief.user.press_forged(card.message_id, check)
    await forged.until("This panel is out of date")


async def test_a_restart_in_the_middle_of_a_pin() -> None:
    async with open_stage() as stage:
        guest = stage.guest()
        shown = await guest.slash("link")
        await shown.until("Sign in at Plex and allow")
        url = sign_in_url(shown)
        await stage.stop()
        await sign_in(stage, url, MARCUS)
        await stage.start()
        await until_stored(stage, "SELECT 1 FROM plex_accounts", [(1,)])
        pressed = await shown.click("Check now")  # the card from before the restart
        await pressed.until("Your Plex account is linked.")


async def test_who_cannot_be_told_in_the_answer_is_told_directly() -> None:
    async with open_stage() as stage:
        guest = stage.guest()
        shown = await guest.slash("link")
        await shown.until("Sign in at Plex and allow")
        url = sign_in_url(shown)
        await stage.stop()
        await sign_in(stage, url, MARCUS)
        await stage.start()
        await until_stored(stage, "SELECT 1 FROM plex_accounts", [(1,)])
        stage.clock.jump(30)
        private = int(guest.user.dm("Marquee")["id"])
        await stage.wait_for(
            lambda: any("Your Plex account is linked." in one.text for one in guest.user.sees(private)), "the message"
        )
