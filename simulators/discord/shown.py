"""What a member sees of one interaction or one message, and what they can do with it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

from simulators.discord.client import Client
from simulators.discord.components import SELECTS, walk
from simulators.discord.interactions import Fact, Interaction, NotAnswered
from simulators.discord.modals import fields
from simulators.discord.objects import FLAG_EPHEMERAL, Json, Post
from simulators.discord.options import Refused
from simulators.discord.render import as_text, label_of

UNTIL_S = 10.0  # real seconds `until` waits by default


class Shown:
    """Live view: `.text` and the rest always tell what the member sees now, edits and follow-ups included.

    It stands either for everything one interaction showed (answer, edits, follow-ups, a modal) or for one message.
    """

    def __init__(self, client: Client, *, interaction: Interaction | None = None, post: Post | None = None) -> None:
        self._client = client
        self._post = post
        self.interaction = interaction

    def __repr__(self) -> str:
        return f"<Shown {self.text!r}>"

    # ---------------------------------------------------------------- reading

    @property
    def messages(self) -> list[Json]:
        """Discord's JSON of each message still there, oldest first."""
        return [post.data for post in self._posts()]

    @property
    def message(self) -> Json:
        """The newest message; Refused when nothing is shown."""
        if not self.messages:
            raise Refused("nothing is shown")
        return self.messages[-1]

    @property
    def message_id(self) -> int:
        """Id of the newest message."""
        return int(self.message["id"])

    @property
    def text(self) -> str:
        """Everything shown, as readable text (see render.py); a modal shows its title and labels."""
        lines = [as_text(message) for message in self.messages]
        modal = self.modal
        if modal:
            lines.append("\n".join([modal["title"], *(label for label, _ in fields(modal["components"]))]))
        return "\n".join(lines)

    @property
    def is_private(self) -> bool:
        """Whether only this member sees the newest message."""
        return bool(self.message["flags"] & FLAG_EPHEMERAL)

    @property
    def is_loading(self) -> bool:
        """Whether the app deferred and has not filled in the answer yet."""
        return any(post.is_loading for post in self._posts())

    @property
    def is_gone(self) -> bool:
        """Whether nothing of it is left."""
        return not self._posts()

    @property
    def modal(self) -> Json | None:
        """The modal that opened: `{"custom_id", "title", "components"}`; None when there is none (any more)."""
        one = self.interaction
        return one.modal if one and not one.is_modal_spent else None

    @property
    def files(self) -> dict[str, bytes]:
        """Attached files by name, those shown in embeds and components included."""
        found: dict[str, bytes] = {}
        for post in self._posts():
            for attachment in post.attachments:
                path = attachment["url"].split("?")[0].removeprefix("https://cdn.discordapp.com")
                found[attachment["filename"]] = self._client.world.files[path][0]
        return found

    @property
    def buttons(self) -> dict[str, bool]:
        """Label of each button and whether it can be pressed."""
        found = [part for part in self._parts() if part["type"] == 2]
        return {label_of(part): not part.get("disabled", False) for part in found}

    @property
    def options(self) -> dict[str, list[str]]:
        """Placeholder (or custom id) of each select menu, with its option labels."""
        found = [part for part in self._parts() if part["type"] in SELECTS]
        return {label_of(p) or p["custom_id"]: [o["label"] for o in p.get("options", [])] for p in found}

    @property
    def facts(self) -> list[Fact]:
        """What the app did for this interaction, in order, with monotonic times."""
        return list(self.interaction.facts) if self.interaction else []

    # ---------------------------------------------------------------- waiting

    async def until(self, wanted: str | Callable[[Shown], bool], timeout: float = UNTIL_S) -> Shown:
        """Wait until the text contains `wanted` (or it says yes); TimeoutError tells what was shown instead."""

        def is_there() -> bool:
            return wanted in self.text if isinstance(wanted, str) else wanted(self)

        with self._client.world.subscribe() as changes:
            try:
                async with asyncio.timeout(timeout):
                    while not is_there():
                        await anext(changes)
            except TimeoutError:
                raise TimeoutError(f"no {wanted!r} within {timeout} s, shown: {self.text!r}") from None
        return self

    async def settled(self, timeout: float = UNTIL_S) -> Shown:
        """Wait until a deferred answer is filled in."""
        return await self.until(lambda shown: not shown.is_loading, timeout)

    # ---------------------------------------------------------------- acting

    async def click(self, button: str) -> Shown:
        """Press a button by label or custom id; gives what that press showed."""
        post, component = self._find(button, lambda part: part["type"] == 2)
        return await self._press(post, component)

    async def choose(self, select: str, *options: Any) -> Shown:
        """Choose in a select menu found by placeholder or custom id; options by label or value."""
        post, component = self._find(select, lambda part: part["type"] in SELECTS)
        return await self._press(post, component, options)

    async def submit(self, by_name: dict[str, Any] | None = None, /, **by_label: Any) -> Shown:
        """Submit the open modal; fields by label or custom id, left-out ones keep what they show."""
        if self.interaction is None:
            raise Refused("no modal is open")
        sent = self._client.submit(self.interaction, {**(by_name or {}), **by_label})
        await self._client.interactions.answer_to(sent)
        return Shown(self._client, interaction=sent)

    def dismiss(self) -> None:
        """Dismiss the private messages shown; they are gone for this member, the app is not told."""
        for post in self._posts():
            self._client.dismiss(post)

    def delete(self) -> None:
        """Delete the messages shown, if this member may."""
        for post in self._posts():
            self._client.delete(post)

    async def _press(self, post: Post, component: Json, values: tuple[Any, ...] = ()) -> Shown:
        sent = self._client.press(post, component, values)
        await self._client.interactions.answer_to(sent)
        return Shown(self._client, interaction=sent)

    def _posts(self) -> list[Post]:
        world = self._client.world
        if self._post:
            wanted, channel_id = [self._post.message_id], self._post.channel_id
        elif self.interaction:
            first = [self.interaction.original_id] if self.interaction.original_id else []
            wanted, channel_id = [*first, *self.interaction.message_ids], self.interaction.channel_id
        else:
            return []
        channel = world.channels.get(channel_id)
        if channel is None:
            return []
        there = [channel.posts[message_id] for message_id in dict.fromkeys(wanted) if message_id in channel.posts]
        me = self._client.person.user_id
        return [post for post in there if post.only_for in (None, me) and not post.is_dismissed]

    def _parts(self) -> Iterator[Json]:
        for post in self._posts():
            yield from walk(post.data["components"])

    def _find(self, name: str, accept: Callable[[Json], bool]) -> tuple[Post, Json]:
        seen: list[str] = []
        for post in reversed(self._posts()):
            for part in walk(post.data["components"]):
                if not accept(part):
                    continue
                if name in (label_of(part), part.get("label"), part.get("custom_id")):
                    return post, part
                seen.append(label_of(part) or str(part.get("custom_id")))
        raise Refused(f"there is no {name} to use, only: {', '.join(seen) or 'nothing'}")


__all__ = ["Fact", "NotAnswered", "Refused", "Shown"]
