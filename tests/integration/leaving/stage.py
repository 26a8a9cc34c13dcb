"""Rounds on a real database, with people and a clock of the tests' own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from daemon.core.ids import AppId, ChannelId, MessageId, ProfileId, RatingKey
from daemon.core.leaving import Listed, Rule
from daemon.core.media import TitleKind
from daemon.services.leaving import Leaving, NewRound, Whole
from tests.integration.people.house import FILMS, HOME, House

DAY = timedelta(days=1)
GB = 10**9
EXEMPT_DAYS = 180


@dataclass
class Stage:
    house: House
    people: list[ProfileId]

    def process(self, name: str = "one") -> Leaving:
        """The rounds as one process has them."""
        return Leaving(self.house.bus.store, self.house.bus.clock, process=name)

    def film(self, key: int, size_gb: int = 5) -> Listed:
        added_at = self.house.bus.clock.now() - 900 * DAY
        return Listed(
            RatingKey(str(key)), TitleKind.MOVIE, f"plex://movie/{key}", f"Film {key}", 1999, size_gb * GB, 1, added_at,
            None, 61,
        )  # fmt: skip

    def new(self, keep_days: int = 7) -> NewRound:
        keep_until = self.house.bus.clock.now() + keep_days * DAY
        rule = Rule(365, keep_days, EXEMPT_DAYS)
        return NewRound(HOME, AppId(1), ChannelId(2), FILMS, "Films", rule, self.people[0], keep_until)

    async def announce(self, *keys: int) -> Whole:
        made = await self.process().announce(self.new(), [self.film(key) for key in keys])
        return await self.whole(made.round_id)

    async def whole(self, round_id: int) -> Whole:
        whole = await self.process().whole(round_id)
        assert whole is not None
        return whole

    async def confirmed(self, *keys: int) -> Whole:
        """A round of which everything is to be deleted."""
        made = await self.announce(*keys)
        number, one = made.round.round_id, self.process()
        await one.note_posted(made.round, MessageId(3))
        assert await one.close(number)
        assert await one.begin(number, self.people[0])
        return await self.whole(number)
