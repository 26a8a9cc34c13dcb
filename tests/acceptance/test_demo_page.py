"""What a newcomer does on the chat page, with the real daemon behind it."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Locator, Page, expect

from simulators.discord.chat import Chat
from tests.acceptance.browser import _playwright_may_block, browsing  # noqa: F401  a fixture
from tests.acceptance.stage import LIVING_ROOM, PROJECT, Stage, open_stage

pytestmark = pytest.mark.browser

SCREENSHOTS = PROJECT / "build" / "screenshots"
POSITION = re.compile(r"(\d+:)?\d+:\d\d / ")


async def test_type_three_letters_pick_watch_it_move_and_pause_it() -> None:
    async with open_stage() as stage:
        lab = stage.lab
        async with (
            Chat(lab.world, lab.interactions, lab.guild, lab.clock) as chat,
            browsing(chat.url) as page,
        ):
            await expect(page.locator("#text")).to_be_focused()
            title = await play(page, stage)
            card = page.locator("#messages .message").last
            await expect(card).to_contain_text(title, timeout=15_000)
            await expect(card).to_contain_text("Playing", timeout=15_000)
            await watch_it_move(page, card)
            await page.screenshot(path=SCREENSHOTS / "chat-page.png")
            await refused(page, card)
            await pause(page, stage, card)


async def play(page: Page, stage: Stage) -> str:
    """`/play`, three letters, the first title offered, the living room; gives the title's name without its year."""
    movie = next(item for item in stage.plex.world.items.values() if item.kind == "movie")
    options = page.locator("#popups [role=option]:visible")
    await page.keyboard.type("/pla")
    await expect(options.first).to_contain_text("/play")
    await page.keyboard.press("Enter")
    await page.keyboard.type(movie.title[:3])
    offered = options.filter(has_text=movie.title).first
    await offered.click()
    await page.keyboard.type("pl")
    await expect(options).to_have_count(1)
    await page.keyboard.press("Enter")
    await page.keyboard.type("liv")
    await expect(options).to_have_count(1, timeout=15_000)
    await expect(options).to_contain_text(LIVING_ROOM)
    await page.screenshot(path=SCREENSHOTS / "autocomplete.png")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Enter")
    return movie.title


async def watch_it_move(page: Page, card: Locator) -> None:
    """At 60 times the speed the card shows another position in no time."""
    await page.locator(".speeds label", has_text="60×").click()
    await expect(card).to_contain_text(re.compile(r"[1-9]\d?:\d\d / "), timeout=15_000)
    before = POSITION.search(await card.inner_text())
    assert before is not None
    await expect(card).not_to_contain_text(before.group(), timeout=15_000)
    await page.locator(".speeds label").first.click()


async def refused(page: Page, card: Locator) -> None:
    """Bob has no say: his press is answered for his eyes only, and the film goes on."""
    identity = await card.get_attribute("data-id")
    await page.get_by_role("button", name="Speak as Bob").click()
    card = page.locator(f"[data-id='{identity}']")
    await card.get_by_role("button", name="Pause").click()
    await expect(page.locator(".message.private")).to_contain_text("Only you can see this")
    await expect(card).to_contain_text("Playing")
    await page.locator(".person", has_text="Olivia").click()
    await expect(page.locator(".message.private")).to_have_count(0)


async def pause(page: Page, stage: Stage, card: Locator) -> None:
    """Pause pauses: on the card and on the player."""
    await card.get_by_role("button", name="Pause").click()
    await expect(card).to_contain_text("Paused")
    await expect(card.get_by_role("button", name="Resume")).to_be_visible()
    stage.plex.server.settle()
    assert stage.plex.players[LIVING_ROOM].state == "paused"
