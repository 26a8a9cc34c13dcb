"""Linking Plex accounts as people do: the command, Plex's page in a browser, and the answer."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import aiohttp

from simulators.discord.shown import Shown
from tests.acceptance.stage import Member, Stage


def sign_in_url(shown: Shown) -> str:
    """Where the card sends the person."""
    found: list[str] = []

    def look(parts: list[dict[str, object]]) -> None:
        for part in parts:
            if part.get("url"):
                found.append(str(part["url"]))
            inner = part.get("components")
            if isinstance(inner, list):
                look(inner)

    for message in shown.messages:
        look(message["components"])
    assert len(found) == 1, found
    return found[0]


async def sign_in(stage: Stage, url: str, account: str) -> None:
    """The person opens the page and presses the button of the account they are signed in with."""
    query = parse_qs(urlsplit(url).query)
    code, client = query["code"][0], query["clientID"][0]
    number = stage.plex.server.account(account).id
    form = {"code": code, "clientID": client, "account": number}
    async with aiohttp.ClientSession() as browser:
        async with browser.get(url) as page:
            assert page.status == 200
            assert code in await page.text()
        async with browser.post(f"{stage.plex.account_url}/link", data=form) as page:
            assert page.status == 200


async def link(stage: Stage, member: Member, account: str, **options: object) -> Shown:
    shown = await member.slash("link", **options)
    await shown.until("Sign in at Plex and allow")
    await sign_in(stage, sign_in_url(shown), account)
    return shown
