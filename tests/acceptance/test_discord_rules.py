"""A whole evening of playback, and everything the daemon sent to Discord in it, held against Discord's rules."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
import pytest_asyncio

from integrations.discord.command_rules import COMMANDS_MAX, violations
from integrations.discord.custom_ids import GRAMMAR
from simulators.discord.components import ACTION_ROW, BUTTON, STRING_SELECT, TEXT_DISPLAY, walk
from simulators.discord.rest import Seen
from simulators.discord.user import Shown
from simulators.plex.items import Item
from tests.acceptance.stage import LIVING_ROOM, ROKU, SHIELD, Stage, answered, open_stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

CALLBACK = "create_interaction_response"
EDITS = frozenset({"update_message", "update_webhook_message", "update_original_webhook_message"})
SENDS = frozenset({CALLBACK, "create_message", "execute_webhook"})
MESSAGE, DEFERRED, DEFERRED_UPDATE, UPDATE, CHOICES = 4, 5, 6, 7, 8
EPHEMERAL, COMPONENTS_V2 = 1 << 6, 1 << 15
UTC = re.compile(r"\d{4}-\d\d-\d\d|\bUTC\b|\bGMT\b|\d\d:\d\d:\d\dZ")
TRACES = re.compile(r"Traceback|\.py\b|\w(Error|Exception)\b|0x[0-9a-f]{6}|<class|NoneType")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def evening() -> AsyncIterator[Stage]:
    """A stage on which people have done one of everything; nothing more happens on it."""
    async with open_stage() as stage:
        for act in ACTS:
            stage.clear()
            await act(stage)
        yield stage


def longest_show(stage: Stage) -> Item:
    return max(stage.plex.world.listed(None, "show"), key=lambda show: len(stage.plex.world.leaves(show)))


async def turn(listing: Shown) -> None:
    """To the second page of a list."""
    await listing.click("Forward")
    await listing.until(lambda shown: any(label.startswith("Page 2/") for label in shown.buttons))


async def play_and_press(stage: Stage) -> None:
    alice, movie = stage.controller(), stage.named_once("movie")[0]
    stage.plex.world.change_view(1, movie).offset_ms = 0
    title = (await alice.type_in("play", "title", movie.title[:4]))[0]
    await alice.type_in("play", "title", "")
    await alice.type_in("play", "player", "liv", title=title)
    card = await alice.slash("play", title=f"t:attic:{movie.key}", player=LIVING_ROOM)
    await card.until("▶ Playing")
    for button in ("Pause", "Resume", "+30 s", "-30 s", "Volume -", "Volume +"):
        await card.until(f"({button})")
        await card.click(button)
    for menu in ("Audio", "Subtitles"):
        await card.choose(menu, card.options[menu][-1])
    stage.clock.jump(120)
    await card.until(" 2:")
    await card.click("Stop")
    await card.until("⏹ Ended")


async def choose_by_menu(stage: Stage) -> None:
    asked = await stage.controller().slash("play", title="season 1")
    await asked.choose("Choose", asked.options["Choose"][0])
    await asked.until("On which player?")
    await asked.choose("Choose", asked.options["Choose"][0])
    await asked.until("starts on")


async def every_command(stage: Stage) -> None:
    alice, show = stage.controller(), longest_show(stage)
    card = await alice.slash("play", title=f"t:attic:{show.key}", player=LIVING_ROOM)
    await card.until("▶ Playing")
    stage.watch(SHIELD)
    stage.watch(ROKU, number=1)
    for command, options in (
        ("pause", {}), ("resume", {}), ("seek", {"position": "1:00"}), ("volume", {"level": 40}), ("next", {}),
        ("previous", {}), ("audio", {"track": "English"}), ("subtitles", {"track": "off"}),
        ("queue add", {"title": stage.named_once("movie")[2].title}), ("queue remove", {"item": "2"}),
        ("queue shuffle", {}), ("queue clear", {}), ("stop", {}),
    ):  # fmt: skip
        await answered(await alice.slash(command, player=LIVING_ROOM, **options))
    for option in ("audio", "subtitles"):
        await alice.type_in(option, "track", "", player=SHIELD)
    await alice.type_in("queue remove", "item", "", player=SHIELD)
    bob = stage.guest()
    await answered(await bob.slash("players"))
    now = await answered(await bob.slash("now"))
    await now.choose("Open a card", now.options["Open a card"][0])
    again = await alice.slash("play", title=f"t:attic:{show.key}", player=LIVING_ROOM)
    await again.until("▶ Playing")
    listing = await answered(await bob.slash("queue show", player=LIVING_ROOM))
    await listing.click("Forward")
    await listing.until("`11`")


async def refusals(stage: Stage) -> None:
    alice, bob = stage.controller(), stage.guest()
    stage.watch(LIVING_ROOM)
    card = await (await bob.slash("now")).until("▶ Playing")
    await bob.user.message(card.message_id).click("Pause")
    await bob.user.press_forged(card.message_id, "v1:playback:pause:1:AAAAAA")
    for command, options in (
        ("pause", {"player": "**nobody** @everyone"}), ("seek", {"position": "@here never"}),
        ("play", {"title": "no such title <@1> 🌋 \u202e"}), ("subtitles", {"track": "Klingon"}),
    ):  # fmt: skip
        await answered(await alice.slash(command, **{"player": LIVING_ROOM, **options}))
    await bob.slash("stop", player=LIVING_ROOM)


async def too_fast(stage: Stage) -> None:
    bob = stage.guest()
    for _ in range(6):
        shown = await answered(await bob.slash("players"))
    assert "too_fast" in shown.text


async def a_late_answer(stage: Stage) -> None:
    alice, movie = stage.controller(), stage.named_once("movie")[3]
    hold = stage.plex.faults.add("^/library/metadata/", "hold", times=1)
    shown = await alice.slash("play", title=f"t:attic:{movie.key}", player=SHIELD)
    assert shown.is_loading
    stage.clock.jump(16 * 60)
    hold.release()
    await stage.wait_for(lambda: any("on **" in seen.text for seen in alice.sees()), "the late card", 20)


async def restart(stage: Stage) -> None:
    """A list opened before a restart is turned after it, and a card of before works."""
    show = longest_show(stage)
    alice, bob = stage.controller(), stage.guest()
    card = await alice.slash("play", title=f"t:attic:{show.key}", player=LIVING_ROOM)
    await card.until("▶ Playing")
    listing = await answered(await bob.slash("queue show", player=LIVING_ROOM))
    await stage.restart()
    await listing.click("Forward")
    await listing.until("`11`")
    assert any(button.startswith("Page 2/") for button in listing.buttons)
    await card.click("Pause")
    await card.until("⏸ Paused")


async def a_failing_server(stage: Stage) -> None:
    stage.plex.faults.add("/status/sessions", 503)
    await answered(await stage.guest().slash("now"))


ACTS = (
    play_and_press, choose_by_menu, every_command, refusals, too_fast, a_late_answer, restart, a_failing_server,
)  # fmt: skip

# ---------------------------------------------------------------- what was sent


def bodies(stage: Stage, *, kinds: frozenset[int] = frozenset({MESSAGE, UPDATE})) -> Iterator[tuple[Seen, Any]]:
    """Each message sent or edited, with its request; of the answers to interactions those of `kinds`."""
    for seen in stage.lab.requests:
        if seen.op == CALLBACK and seen.body["type"] in kinds:
            yield seen, seen.body.get("data") or {}
        elif seen.op != CALLBACK and seen.op in EDITS | SENDS and seen.status != 429:  # those come again
            yield seen, seen.body


def texts(stage: Stage) -> Iterator[str]:
    """Every text that a member could read."""
    for _, body in bodies(stage):
        yield body.get("content") or ""
        for part in walk(body.get("components") or []):
            yield from (str(part.get(key) or "") for key in ("content", "label", "placeholder", "description"))
            for option in part.get("options") or []:
                yield from (option["label"], option.get("description") or "")
    for seen in stage.lab.requests:
        if seen.op == CALLBACK and seen.body["type"] == CHOICES:
            yield from (choice["name"] for choice in seen.body["data"]["choices"])


def trees(stage: Stage) -> Iterator[list[dict[str, Any]]]:
    """All components of each message that has some."""
    for _, body in bodies(stage):
        if body.get("components"):
            yield list(walk(body["components"]))


async def test_the_evening_used_every_way_of_answering(evening: Stage) -> None:
    ops = Counter(seen.op for seen in evening.lab.requests)
    assert SENDS - {"execute_webhook"} <= ops.keys()
    assert ops["update_message"] >= 2
    kinds = {seen.body["type"] for seen in evening.lab.requests if seen.op == CALLBACK}
    assert {MESSAGE, DEFERRED, UPDATE, CHOICES} <= kinds


async def test_every_interaction_was_answered_in_time_and_by_the_rules(evening: Stage) -> None:
    """The simulator notes each interaction without an answer after 3 s, and each body that Discord would refuse."""
    assert list(map(str, evening.lab.problems)) == []


async def test_nobody_is_mentioned_by_any_message_or_edit(evening: Stage) -> None:
    bare = [seen.path for seen, body in bodies(evening) if (body.get("allowed_mentions") or {}).get("parse") != []]
    assert bare == []


async def test_a_placeholder_says_at_most_that_it_is_private(evening: Stage) -> None:
    kinds = frozenset({DEFERRED, DEFERRED_UPDATE})
    found = [seen.body for seen in evening.lab.requests if seen.op == CALLBACK and seen.body["type"] in kinds]
    assert found
    assert [body for body in found if (body.get("data") or {}).keys() - {"flags"}] == []
    assert {(body.get("data") or {}).get("flags", 0) for body in found} <= {0, EPHEMERAL}


async def test_a_message_is_either_text_or_components(evening: Stage) -> None:
    for seen, body in bodies(evening):
        assert not body.get("embeds")
        assert not body.get("poll")
        assert len(body.get("content") or "") <= 2_000
        if body.get("components"):
            assert not body.get("content"), seen.path
            assert body["flags"] & COMPONENTS_V2, seen.path


async def test_components_keep_to_discords_limits(evening: Stage) -> None:
    counted = 0
    for parts in trees(evening):
        counted += 1
        assert len(parts) <= 40
        assert sum(len(part["content"]) for part in parts if part["type"] == TEXT_DISPLAY) <= 4_000
        assert sum(part.get("style") == 1 for part in parts if part["type"] == BUTTON) <= 1
        for part in parts:
            if part["type"] == ACTION_ROW:
                assert len(part["components"]) <= 5
            if part["type"] == BUTTON:
                assert 1 <= len(part["label"]) <= 34
            if part["type"] == STRING_SELECT:
                assert 1 <= len(part["options"]) <= 25
    assert counted > 20


async def test_custom_ids_follow_the_grammar_and_are_unique_in_their_message(evening: Stage) -> None:
    actions = set()
    for parts in trees(evening):
        custom_ids = [part["custom_id"] for part in parts if "custom_id" in part]
        assert len(set(custom_ids)) == len(custom_ids)
        for custom_id in custom_ids:
            match = GRAMMAR.fullmatch(custom_id)
            assert match is not None, custom_id
            assert len(custom_id) <= 100
            assert match["module"] == "playback"
            actions.add(match["action"])
    assert {"pause", "audio", "pick-title", "pick-player", "open", "queue"} <= actions


async def test_commands_are_registered_by_the_rules(evening: Stage) -> None:
    puts = [seen for seen in evening.lab.requests if seen.op == "bulk_set_application_commands"]
    assert len(puts) == 1  # a restart with the same commands writes nothing
    registered = puts[0].body
    assert 0 < len(registered) <= COMMANDS_MAX
    assert [problem for command in registered for problem in violations(command)] == []
    assert len({command["name"] for command in registered}) == len(registered)


async def test_commands_are_for_servers_and_for_bots_installed_in_them(evening: Stage) -> None:
    (put,) = [seen for seen in evening.lab.requests if seen.op == "bulk_set_application_commands"]
    assert [command["name"] for command in put.body if command["contexts"] != [0]] == []
    assert [command["name"] for command in put.body if command["integration_types"] != [0]] == []


async def test_choices_are_at_most_25_of_100_characters(evening: Stage) -> None:
    found = [
        seen.body["data"]["choices"]
        for seen in evening.lab.requests
        if seen.op == CALLBACK and seen.body["type"] == CHOICES
    ]
    assert any(found)
    assert max(map(len, found)) <= 25
    for choice in (choice for choices in found for choice in choices):
        assert 1 <= len(choice["name"]) <= 100
        assert 1 <= len(choice["value"]) <= 100


@pytest.mark.parametrize("pattern", [UTC, TRACES], ids=["no bare time", "no traceback"])
async def test_no_text_shows_what_people_cannot_read(evening: Stage, pattern: re.Pattern[str]) -> None:
    known = {item.title for item in evening.plex.world.items.values()}
    shown = [text for text in texts(evening) if text and not any(title in text for title in known)]
    assert len(shown) > 50
    assert [text for text in shown if pattern.search(text)] == []


REFUSAL = re.compile(r"\(`([a-z_]+|[0-9a-f]{8})`\)$")


async def test_refusals_are_one_private_sentence_with_a_code(evening: Stage) -> None:
    refusals = [body for _, body in bodies(evening) if REFUSAL.search(body.get("content") or "")]
    assert len(refusals) >= 6
    for body in refusals:
        assert body["flags"] & EPHEMERAL, body["content"]
        assert "\n" not in body["content"]
    codes = {match[1] for body in refusals if (match := REFUSAL.search(body["content"]))}
    assert {"not_allowed", "outdated", "too_fast", "no_player", "unknown_title", "no_track"} <= codes


async def test_what_members_typed_has_no_effect(evening: Stage) -> None:
    said = [text for text in texts(evening) if "nobody" in text or "no such title" in text]
    assert len(said) >= 2
    assert all("**nobody**" not in text and "\u202e" not in text for text in said)


async def test_who_is_too_fast_is_told_when_to_come_back(evening: Stage) -> None:
    said = [text for text in texts(evening) if "too_fast" in text]
    assert said
    assert all(re.search(r"<t:\d{9,11}:R>", text) for text in said)


async def test_posts_in_channels_carry_a_nonce_that_is_enforced(evening: Stage) -> None:
    posts = [seen.body for seen in evening.lab.requests if seen.op == "create_message"]
    assert posts
    assert all(body["enforce_nonce"] is True and 1 <= len(str(body["nonce"])) <= 25 for body in posts)


async def test_cards_are_edited_by_their_message_id(evening: Stage) -> None:
    """A card outlives the token of its command: only the command's own answer may go by the token."""
    by_token = Counter(seen.path for seen in evening.lab.requests if seen.op == "update_original_webhook_message")
    assert max(by_token.values(), default=0) <= 2
    assert [seen.path for seen in evening.lab.requests if "webhook" in seen.op and seen.status == 401] == []


OTHERS: dict[str, Callable[[Seen], bool]] = {
    "direct messages": lambda seen: seen.op == "create_dm",
    "permissions of commands": lambda seen: "permissions" in seen.op,
    "members and messages of others": lambda seen: seen.op in ("list_guild_members", "list_messages"),
}


@pytest.mark.parametrize("what", OTHERS)
async def test_the_evening_went_without(evening: Stage, what: str) -> None:
    assert [seen.path for seen in evening.lab.requests if OTHERS[what](seen)] == []
