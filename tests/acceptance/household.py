"""The people of the tests about one's own account: an owner, a guest with kept access, one without, and a stranger."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from simulators.discord.shown import Shown
from simulators.plex.items import Item
from simulators.plex.world import View
from tests.acceptance.accounts import link
from tests.acceptance.stage import Member, Stage, answered

OLIVIA, MARCUS, YUKI = "Olivia", "Marcus", "Yuki"


@dataclass(frozen=True)
class People:
    """Who there is; everybody in a channel of their own. Marcus may control players, Yuki may not."""

    stage: Stage
    olivia: Member  # the owner of bot and server
    marcus: Member  # a guest of the server whose access is kept
    yuki: Member  # a guest who linked without
    stranger: Member  # linked nothing

    def account(self, name: str) -> int:
        """The number of an account on the simulated server."""
        return self.stage.plex.server.account(name).id

    def view(self, name: str, item: Item) -> View:
        """What an account has seen of a title."""
        return self.stage.plex.world.view(self.account(name), item)

    def begin(self, name: str, item: Item, offset_ms: int = 600_000) -> None:
        """Have an account have begun a title just now."""
        view = self.stage.plex.world.change_view(self.account(name), item)
        view.offset_ms, view.last_viewed_at = offset_ms, int(self.stage.clock.now())

    def clear(self, name: str) -> None:
        """Nothing was seen or rated on the account."""
        world, account = self.stage.plex.world, self.account(name)
        for viewer, serial in list(world.views):
            if viewer == account and (item := world.by_serial(serial)) is not None:
                world.change_view(account, item)
                world.views[account, serial] = View()

    def seen_by(self, name: str, kind: str) -> list[Item]:
        """Titles of a kind that the account may see and whose names are theirs alone."""
        server = self.stage.plex.server
        who = server.account(name)
        return [item for item in self.stage.named_once(kind) if server.world.may_see(who, item)]

    async def ask(self, member: Member, command: str, /, **options: Any) -> Shown:
        """The answer to a command, which nobody else sees; whoever was too fast for the daemon asks again."""
        found: list[Shown] = []

        async def is_let_in() -> bool:
            found[:] = [await answered(await member.slash(command, **options))]
            return "(`too_fast`)" not in found[0].text

        await self.stage.wait_for(is_let_in, f"/{command} to be let in")
        assert found[0].is_private
        return found[0]


async def gathered(stage: Stage) -> People:
    """Everybody is there and linked, and the libraries are mirrored and searchable."""
    people = People(
        stage,
        Member(stage.lab.user("olivia"), stage.guest().channel),
        stage.controller(),
        stage.guest(),
        stage.guest(),
    )
    for member, name, options in (
        (people.olivia, OLIVIA, {}), (people.marcus, MARCUS, {"keep_access": True}), (people.yuki, YUKI, {}),
    ):  # fmt: skip
        await (await link(stage, member, name, **options)).until("Your Plex account is linked.")
    await mirrored(stage)
    return people


async def mirrored(stage: Stage) -> None:
    """The daemon holds the libraries, and its search does."""
    last = stage.named_once("movie")[-1]

    async def is_there() -> bool:
        stage.clock.jump(4)
        shown = await answered(await stage.guest().slash("have", title=last.title))
        sums = await answered(await stage.guest().slash("library stats"))
        films = len(stage.plex.world.listed(1, "movie"))
        return "Yes" in shown.text and f"{films} films" in sums.text and "episodes" in sums.text

    await stage.wait_for(is_there, "the libraries to be mirrored")


def says(shown: Shown, wanted: str) -> None:
    """The answer contains this, whatever signs were escaped in it."""
    text = re.sub(r"\\(.)", r"\1", shown.text)
    assert wanted in text, text
