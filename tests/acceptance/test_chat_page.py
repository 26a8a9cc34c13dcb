"""The chat page in a real browser, on a simulated Discord with a real discord.py bot in it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from playwright.async_api import Locator, Page, expect

from simulators.discord.chat import Chat
from simulators.discord.sim import DiscordSim
from tests.acceptance.browser import _playwright_may_block, browsing  # noqa: F401  a fixture
from tests.acceptance.cinema_bot import CinemaBot
from tests.unit.simulators.discord.bot import connector, running

pytestmark = pytest.mark.browser


@dataclass
class Cinema:
    """A simulated Discord with its bot, and the chat page."""

    lab: DiscordSim
    bot: CinemaBot
    chat: Chat


@pytest.fixture
async def cinema() -> AsyncIterator[Cinema]:
    async with DiscordSim() as lab, chat_of(lab) as chat:
        bot = CinemaBot(await connector(lab))
        async with running(lab, bot):
            await bot.tree.sync()
            yield Cinema(lab, bot, chat)


@pytest.fixture
async def page(cinema: Cinema) -> AsyncIterator[Page]:
    async with browsing(cinema.chat.url) as page:
        await ready(page)
        yield page


def chat_of(lab: DiscordSim, port: int = 0) -> Chat:
    return Chat(lab.world, lab.interactions, lab.guild, lab.clock, port=port)


async def ready(page: Page) -> None:
    await expect(page.locator("#link")).to_have_text("Simulated server")
    await expect(page.locator("#text")).to_be_focused()


async def speak_as(page: Page, name: str) -> None:
    await page.locator(".person", has_text=name).click()
    await expect(page.locator("#who")).to_have_attribute("aria-label", f"Speaking as {name}. Change")


def options(page: Page) -> Locator:
    return page.locator("#popups [role=option]:visible")


def newest(page: Page) -> Locator:
    return page.locator("#messages .message").last


async def send_command(page: Page, text: str) -> None:
    """A command with no options, or with those typed inline."""
    await page.locator("#text").focus()
    await page.keyboard.type(f"/{text} ")
    await expect(page.locator(".command-name")).to_be_visible()
    await page.keyboard.press("Enter")


async def show_card(page: Page, title: str = "Solstice") -> None:
    await page.locator("#text").focus()
    await page.keyboard.type(f"/play {title}")
    await expect(options(page)).to_have_count(1)
    await page.keyboard.press("Enter")
    await page.keyboard.press("Enter")
    await expect(newest(page)).to_contain_text("Playing at 0 s")


async def test_a_command_is_found_filled_in_and_sent_with_the_keyboard_alone(page: Page, cinema: Cinema) -> None:
    await page.keyboard.type("/")
    await expect(options(page)).to_have_count(5)
    await expect(options(page).nth(0)).to_contain_text("/play title player start shuffle")
    await page.keyboard.type("qu")
    await expect(options(page)).to_have_text(["/queue add title Add a title to the queue"])
    await page.keyboard.press("Backspace")
    await page.keyboard.press("Backspace")
    await page.keyboard.type("pl")
    await page.keyboard.press("Enter")
    title = page.get_by_role("combobox", name="title")
    await expect(title).to_be_focused()
    await expect(page.locator("#hint")).to_contain_text("What to play")
    await page.keyboard.type("sol")
    await expect(options(page)).to_have_text(["Solaris Rising", "Sole Survivor", "Solstice"])
    await page.keyboard.press("ArrowDown")
    active = page.locator(f"#{await title.get_attribute('aria-activedescendant')}")
    await expect(active).to_have_text("Sole Survivor")
    await page.keyboard.press("Tab")
    await expect(title).to_have_value("Sole Survivor")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("combobox", name="player")).to_be_focused()
    await expect(options(page)).to_have_text(["Living Room", "Kitchen"])
    await page.keyboard.type("ki")
    await expect(options(page)).to_have_text(["Kitchen"])
    await page.keyboard.press("Enter")
    await page.keyboard.press("Enter")
    await expect(newest(page)).to_contain_text("Olivia used /play")
    await expect(newest(page).get_by_role("heading", name="Sole Survivor")).to_be_visible()
    poster = newest(page).get_by_role("img", name="Poster of Sole Survivor")
    await expect(poster).to_have_js_property("naturalWidth", 80)
    await expect(page.locator("#text")).to_be_focused()
    assert ("play", "Sole Survivor", "Kitchen", "resume", False) in cinema.bot.heard
    assert not list(cinema.lab.problems), str(cinema.lab.problems)


async def test_typing_asks_the_bot_once_for_what_stands_there(page: Page, cinema: Cinema) -> None:
    await page.keyboard.type("/play ")
    await expect(options(page)).to_have_count(5)
    cinema.bot.heard.clear()
    await page.keyboard.type("solst")
    await expect(options(page)).to_have_text(["Solstice"])
    asked = [text for kind, text, *_ in cinema.bot.heard if kind == "typed"]
    assert asked[-1] == "solst"
    assert len(asked) < 5


async def test_enter_takes_what_was_typed_last_however_fast(page: Page, cinema: Cinema) -> None:
    await page.keyboard.type("/play ")
    await expect(options(page)).to_have_count(5)
    await page.keyboard.type("harv")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("combobox", name="title")).to_have_value("Harvest Moon")
    await page.keyboard.type("pl")
    await expect(options(page)).to_have_text(["player Where to play it"])
    await page.keyboard.press("Tab")
    await page.keyboard.type("kit")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("combobox", name="player")).to_have_value("Kitchen")
    await page.keyboard.press("Shift+Tab")
    await expect(page.get_by_role("combobox", name="title")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(newest(page)).to_contain_text("Harvest Moon")
    assert cinema.bot.heard[-1] == ("play", "Harvest Moon", "Kitchen", "resume", False)


async def test_options_are_checked_before_they_are_sent(page: Page, cinema: Cinema) -> None:
    await page.keyboard.type("/volume ")
    level = page.get_by_role("combobox", name="level")
    await page.keyboard.press("Enter")
    await expect(page.locator("#hint")).to_have_text("level is needed.")
    await page.keyboard.type("loud")
    await page.keyboard.press("Enter")
    await expect(page.locator("#hint")).to_have_text("level must be a whole number.")
    await level.fill("101")
    await page.keyboard.press("Enter")
    await expect(page.locator("#hint")).to_have_text("level must be between 0 and 100.")
    await expect(level).to_have_attribute("aria-invalid", "true")
    await level.fill("40")
    await page.keyboard.press("Enter")
    await expect(newest(page)).to_contain_text("Volume is 40")
    assert cinema.bot.heard == [("volume", 40)]


async def test_choices_booleans_and_names_typed_inline(page: Page, cinema: Cinema) -> None:
    await page.keyboard.type("/play Moon")
    await page.keyboard.press("Escape")
    await page.keyboard.type(" start:")
    await expect(options(page)).to_have_text(["The start"])
    await page.keyboard.press("Enter")
    await page.keyboard.press("Escape")
    await page.keyboard.press("Tab")
    await expect(page.locator(".more")).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("combobox", name="shuffle")).to_be_focused()
    await page.keyboard.type("yes")
    await expect(page.locator("#popups")).to_contain_text("No option matches")
    await page.get_by_role("combobox", name="shuffle").fill("t")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Enter")
    await expect(newest(page)).to_contain_text("Playing")
    assert cinema.bot.heard[-1] == ("play", "Moon", "Living Room", "start", True)


async def test_backspace_and_escape_lead_out_of_a_command(page: Page) -> None:
    await page.keyboard.type("/play ")
    await page.keyboard.press("Backspace")
    await expect(page.locator("#text")).to_have_value("/play")
    await expect(options(page).first).to_contain_text("/play")
    await page.keyboard.press("Enter")
    await expect(page.locator(".command-name")).to_have_text("/play")
    await page.keyboard.press("Escape")
    await page.keyboard.press("Escape")
    await expect(page.locator("#text")).to_be_focused()
    await expect(page.locator("#text")).to_have_value("")


async def test_a_card_edits_itself_without_losing_focus_or_an_open_list(page: Page, cinema: Cinema) -> None:
    await show_card(page)
    await page.evaluate("window.kept = document.querySelector('.card img')")
    button = newest(page).get_by_role("button", name="Pause")
    await button.focus()
    await cinema.bot.move(15)
    await expect(newest(page)).to_contain_text("Playing at 15 s")
    await expect(button).to_be_focused()
    await expect(newest(page).locator(".edited")).to_be_visible()
    assert await page.evaluate("window.kept === document.querySelector('.card img')")
    await page.keyboard.press("Enter")
    await expect(newest(page)).to_contain_text("Paused")
    await expect(newest(page).get_by_role("button", name="Resume")).to_be_focused()
    select = newest(page).get_by_role("combobox", name="Audio")
    await select.focus()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("d")
    await cinema.bot.move(30)
    await expect(newest(page)).to_contain_text("Playing at 30 s")
    await expect(page.locator("#layer .option.active")).to_have_text("Deutsch")
    await page.keyboard.press("Enter")
    await expect(newest(page)).to_contain_text("Now in deutsch")
    await expect(page.locator(".select-value")).to_have_text("Deutsch")
    assert ("audio", "deutsch") in cinema.bot.heard


async def test_a_form_keeps_the_focus_checks_and_submits(page: Page, cinema: Cinema) -> None:
    await show_card(page)
    volume = newest(page).get_by_role("button", name="Volume")
    await volume.focus()
    await page.keyboard.press("Enter")
    form = page.get_by_role("dialog", name="Set the volume")
    await expect(form.get_by_label("Level")).to_be_focused()
    for _ in range(6):
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.closest('dialog') !== null || !document.hasFocus()")
    await page.keyboard.press("Escape")
    await expect(form).to_be_hidden()
    await expect(volume).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(form.get_by_label("Level")).to_be_focused()
    await page.keyboard.type("5")
    await page.keyboard.press("Enter")
    await expect(form).to_contain_text("At least 2 characters, please.")
    await expect(form).to_contain_text("Choose one, please.")
    await page.keyboard.type("0")
    await form.get_by_label("Player").select_option("Kitchen")
    await form.get_by_role("button", name="Submit").press("Enter")
    await expect(form).to_be_hidden()
    await expect(newest(page)).to_contain_text("Volume 50")
    assert ("form", "50", "Kitchen") in cinema.bot.heard


async def test_private_answers_are_for_one_member_only(page: Page, cinema: Cinema) -> None:
    await speak_as(page, "Alice")
    await send_command(page, "volume 7")
    private = page.locator(".message.private", has_text="Volume is 7")
    await expect(private).to_contain_text("Only you can see this")
    await speak_as(page, "Bob")
    await expect(private).to_have_count(0)
    await speak_as(page, "Alice")
    await private.get_by_role("button", name="Dismiss message").click()
    await expect(private).to_have_count(0)
    await page.reload()
    await ready(page)
    await expect(page.locator("#who")).to_have_attribute("aria-label", "Speaking as Alice. Change")
    await expect(private).to_have_count(0)


async def test_thinking_and_silence_are_shown(page: Page, cinema: Cinema) -> None:
    await send_command(page, "slow")
    await expect(newest(page)).to_contain_text("Marquee is thinking…")
    cinema.bot.thought.set()
    await expect(newest(page)).to_contain_text("Thought about it")
    cinema.lab.interactions.first_answer_s = 0.3
    await send_command(page, "silent")
    await expect(newest(page)).to_contain_text("The application did not respond")
    await newest(page).get_by_role("button", name="Dismiss message").click()
    await expect(page.locator(".message", has_text="did not respond")).to_have_count(0)


async def test_members_talk_and_nothing_they_write_becomes_markup(page: Page, cinema: Cinema) -> None:
    await page.keyboard.type("hey @Alice **look** <img src=x onerror=alert(1)> `a*b*` <t:0:D> \\*plain\\*")
    await page.keyboard.press("Enter")
    text = newest(page).locator(".text")
    await expect(text).to_have_text("hey @Alice look <img src=x onerror=alert(1)> a*b* 1 January 1970 *plain*")
    await expect(text.locator("strong")).to_have_text("look")
    await expect(text.locator(".mention")).to_have_text("@Alice")
    await expect(page.locator("#messages img")).to_have_count(0)
    alice, bob = cinema.lab.user("alice"), cinema.lab.user("bob")
    alice.say(
        "general", "**bold _both_** ~~gone~~ [site](https://example.com) [bad](javascript:alert)\n> said\n- one\n- two"
    )
    await expect(newest(page).locator("strong em")).to_have_text("both")
    await expect(newest(page).locator("a")).to_have_attribute("href", "https://example.com")
    await expect(newest(page).locator("blockquote")).to_have_text("said")
    await expect(newest(page).locator("li")).to_have_text(["one", "two"])
    await expect(page.locator("#live")).to_contain_text("Alice: bold both")
    bob.say("movie-night", "over here")
    await expect(page.locator(".channel.unread")).to_contain_text("movie-night")
    await page.locator(".channel", has_text="movie-night").click()
    await expect(newest(page)).to_contain_text("over here")
    await expect(page.locator(".channel.unread")).to_have_count(0)


async def test_older_messages_stay_in_view_until_the_present_is_asked_for(page: Page, cinema: Cinema) -> None:
    alice = cinema.lab.user("alice")
    for number in range(60):
        alice.say("general", f"line {number}")
    await expect(newest(page)).to_be_in_viewport()
    await page.locator("#scroller").focus()
    await page.keyboard.press("Home")
    await expect(page.get_by_text("line 0", exact=True)).to_be_in_viewport()
    alice.say("general", "something new")
    await expect(page.locator("#present")).to_contain_text("1 new message")
    await expect(newest(page)).not_to_be_in_viewport()
    await page.get_by_role("button", name="Jump to present").press("Enter")
    await expect(newest(page)).to_be_in_viewport()
    await expect(page.locator("#text")).to_be_focused()
    await page.keyboard.press("ArrowUp")
    await expect(newest(page)).to_be_focused()


async def test_the_page_comes_back_by_itself_with_what_it_missed(cinema: Cinema) -> None:
    url = cinema.chat.url
    async with browsing(url) as page:
        await ready(page)
        await cinema.chat.__aexit__(None, None, None)
        await expect(page.locator("#link")).to_contain_text("Connection lost")
        cinema.lab.user("bob").say("general", "said meanwhile")
        async with chat_of(cinema.lab, int(url.strip("/").rsplit(":", 1)[1])) as again:
            assert again.url == url
            await expect(page.locator("#link")).to_have_text("Simulated server")
            await expect(newest(page)).to_contain_text("said meanwhile")


async def test_a_narrow_screen_has_everything_within_reach_of_the_keyboard(cinema: Cinema) -> None:
    async with browsing(cinema.chat.url, viewport={"width": 400, "height": 700}) as page:
        await ready(page)
        await page.locator("#skip").focus()
        await expect(page.locator("#skip")).to_be_in_viewport()
        await page.keyboard.press("Tab")
        await expect(page.locator("#open-side")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator(".channel", has_text="general")).to_be_focused()
        await page.keyboard.press("Tab")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await expect(page.locator("#channel-name")).to_have_text("bot-log")
        await expect(page.locator("#side")).to_be_hidden()
        await page.locator("#who").press("ArrowDown")
        await expect(options(page)).to_have_count(4)
        await page.keyboard.press("ArrowDown")
        await page.keyboard.press("Enter")
        await expect(page.locator("#who")).to_have_attribute("aria-label", "Speaking as Alice. Change")
        wider = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        assert not await page.evaluate(wider)


async def test_the_panel_drives_the_simulated_time(page: Page, cinema: Cinema) -> None:
    before = cinema.lab.clock.now()
    await page.locator(".speeds label", has_text="60×").click()
    await page.get_by_role("button", name="+ 1 hour").click()
    await expect(page.locator("input[name=speed][value='60']")).to_be_checked()
    async with asyncio.timeout(5):
        await cinema.lab.clock.sleep_until(before + 3600)
    await expect(page.locator("#demo-now")).to_contain_text("21:0")
    assert cinema.lab.clock.speed == 60
    await page.get_by_role("button", name="Speak as Bob").click()
    await expect(page.locator("#who")).to_have_attribute("aria-label", "Speaking as Bob. Change")
