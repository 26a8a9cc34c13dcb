"""Rounds on both databases: what races, what happens once, what is left of it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from daemon.core.errors import UserError
from daemon.core.leaving import Halt, Outcome, Reason, RoundState, Rule
from daemon.core.limits import LEAVING_LEASE_S, LEAVING_ROUNDS_DAYS, LEAVING_STALE_DAYS
from daemon.core.visibility import Visibility
from daemon.services.leaving import Kept, Whole
from daemon.services.retention import Keep, Retention
from tests.integration.leaving.stage import DAY, EXEMPT_DAYS, GB, Stage
from tests.integration.people.house import FILMS

LEASE = timedelta(seconds=LEAVING_LEASE_S)


def nobody(tx: Connection, whole: Whole) -> None:
    """Says nothing."""


async def test_a_keep_counts_once_for_each_person_whatever_races(stage: Stage) -> None:
    made = await stage.announce(1, 2)
    title = made.titles[0]
    one = stage.process()
    pressed = await asyncio.gather(*(one.keep(title.title_id, who) for who in stage.people for _ in range(4)))
    assert sorted(pressed) == sorted([Kept.NEW] * 3 + [Kept.KNOWN] * 9)
    whole = await stage.whole(made.round.round_id)
    assert [each.keeps for each in whole.titles] == [3, 0]
    assert whole.round.revision == made.round.revision + 3
    assert await one.keep(999, stage.people[0]) is Kept.UNKNOWN


async def test_what_is_kept_while_a_round_is_closed_is_either_recorded_or_refused(stage: Stage) -> None:
    for round_no in range(5):
        made = await stage.announce(*range(round_no * 10 + 1, round_no * 10 + 9))
        one, number = stage.process(), made.round.round_id
        keeping = [one.keep(title.title_id, stage.people[0]) for title in made.titles]
        *pressed, closed = await asyncio.gather(*keeping, one.close(number))
        assert closed
        whole = await stage.whole(number)
        kept = {title.title_id for title, said in zip(made.titles, pressed, strict=True) if said is Kept.NEW}
        assert {title.title_id for title in whole.of(Outcome.KEPT)} == kept
        assert set(pressed) <= {Kept.NEW, Kept.OVER}


async def test_the_time_for_keeping_ends_by_the_clock(stage: Stage) -> None:
    made = await stage.announce(1)
    stage.house.bus.clock.ahead = 7 * DAY + timedelta(minutes=1)
    assert await stage.process().keep(made.titles[0].title_id, stage.people[0]) is Kept.OVER
    told: list[int] = []

    def say(tx: Connection, whole: Whole) -> None:
        told.append(whole.round.round_id)

    closed = await asyncio.gather(*(stage.process(name).close_due(say) for name in ("one", "two")))
    assert sorted(closed) == [0, 1]
    assert set(told) == {made.round.round_id}
    assert (await stage.whole(made.round.round_id)).round.state is RoundState.CLOSED


async def test_a_title_is_listed_by_one_undecided_round(stage: Stage) -> None:
    one, films = stage.process(), [stage.film(key) for key in range(1, 9)]
    outcomes = await asyncio.gather(*(one.announce(stage.new(), films) for _ in range(3)), return_exceptions=True)
    made = [each for each in outcomes if not isinstance(each, BaseException)]
    assert sum(each.count for each in made) == 8
    assert all(isinstance(each, UserError) for each in outcomes if isinstance(each, BaseException))
    rows = await stage.house.rows("SELECT count(*) FROM leaving_rounds")
    assert rows == [(len(made),)]  # a round that lists nothing is not left behind


async def test_everything_kept_ends_the_round_and_kept_titles_are_exempt(stage: Stage) -> None:
    made = await stage.announce(1)
    one = stage.process()
    await one.keep(made.titles[0].title_id, stage.people[0])
    assert await one.close(made.round.round_id)
    assert (await stage.whole(made.round.round_id)).round.state is RoundState.DONE
    await mirror(stage, 1, 2)
    assert await listed(stage) == ["Film 2"]
    stage.house.bus.clock.ahead = (EXEMPT_DAYS + 1) * DAY
    assert await listed(stage) == ["Film 1", "Film 2"]
    await stage.announce(2)
    assert await listed(stage) == ["Film 1"]


async def test_candidates_are_what_the_rule_says(stage: Stage) -> None:
    await mirror(stage, 1, 2, 3)
    change = stage.house.bus.change
    now = stage.house.bus.clock.now()
    young = int((now - 100 * DAY).timestamp()) * 10**6
    await change("UPDATE library_titles SET added_at = :at WHERE rating_key = 2", at=young)
    await change("UPDATE library_titles SET audience_rating_tenths = 80 WHERE rating_key = 3")
    assert await listed(stage) == ["Film 1", "Film 3"]
    assert await listed(stage, Rule(365, 7, 180, 0, 70)) == ["Film 1"]
    assert await listed(stage, Rule(365, 7, 180, 6 * GB)) == []
    assert await listed(stage, Rule(50, 7, 180)) == ["Film 1", "Film 2", "Film 3"]
    nothing = await stage.process().candidates(Visibility(frozenset()), FILMS, Rule(365, 7, 180))
    assert nothing == []
    await change("UPDATE library_titles SET guid = NULL WHERE rating_key = 1")
    assert await listed(stage) == ["Film 3"]


async def test_a_show_is_as_large_and_as_young_as_its_episodes(stage: Stage) -> None:
    await mirror(stage, 1)
    change = stage.house.bus.change
    await change("UPDATE library_titles SET kind = 'show' WHERE rating_key = 1")
    await change("DELETE FROM library_parts")
    for key in (11, 12):
        await mirror_film(stage, key)
        await change("UPDATE library_titles SET kind = 'episode', grandparent_key = 1 WHERE rating_key = :key", key=key)
    (show,) = await stage.process().candidates(Visibility(), FILMS, Rule(365, 7, 180))
    assert (show.name, show.size_bytes, show.files) == ("Film 1", 10 * GB, 2)
    young = int((stage.house.bus.clock.now() - DAY).timestamp()) * 10**6
    await change("UPDATE library_titles SET added_at = :at WHERE rating_key = 12", at=young)
    assert await listed(stage) == []


async def test_of_two_owners_one_begins_the_deletion(stage: Stage) -> None:
    made = await stage.announce(1, 2)
    one, number = stage.process(), made.round.round_id
    assert not await one.begin(number, stage.people[0])  # it is still open
    await one.close(number)
    begun = await asyncio.gather(*(stage.process(f"p{who}").begin(number, who) for who in stage.people))
    assert sorted(begun) == [False, False, True]
    assert not await one.leave(number)


async def test_a_round_is_deleted_by_one_process_at_a_time(stage: Stage) -> None:
    number = (await stage.confirmed(1, 2)).round.round_id
    one, two = stage.process("one"), stage.process("two")
    claims = await asyncio.gather(one.claim(), two.claim())
    assert sum(claim is not None for claim in claims) == 1
    winner, loser = (one, two) if claims[0] is not None else (two, one)
    title = await winner.next_title(number)
    assert title is not None
    assert not await loser.mark_sent(title.title_id)
    assert await winner.mark_sent(title.title_id)
    stage.house.bus.clock.ahead = LEASE + timedelta(seconds=5)
    assert await loser.claim() is not None  # the winner has not moved for too long
    assert not await winner.mark_sent(title.title_id)
    assert not await winner.hold(number)
    await loser.release()
    assert await winner.claim() is not None
    assert await winner.claim(but=[number]) is None


async def test_a_crash_between_deleting_and_recording_is_seen_afterwards(stage: Stage) -> None:
    made = await stage.confirmed(1, 2, 3)
    number, one = made.round.round_id, stage.process("one")
    assert await one.claim() is not None
    first = made.titles[0]
    await one.decide(made.round, first, Outcome.DELETED)
    second = await one.next_title(number)
    assert second is not None
    assert await one.mark_sent(second.title_id)
    # Here the process ends. The next one is told first of what was asked for.
    stage.house.bus.clock.ahead = LEASE + timedelta(seconds=5)
    two = stage.process("two")
    assert await two.claim() is not None
    asked = await two.next_title(number)
    assert asked is not None
    assert (asked.title_id, asked.attempts, asked.sent_at is not None) == (second.title_id, 1, True)
    assert await two.decide(made.round, asked, Outcome.DELETED)
    assert not await two.decide(made.round, asked, Outcome.DELETED)  # recorded once
    assert not await two.finish(number, nobody)
    last = await two.next_title(number)
    assert last is not None
    assert await two.decide(made.round, last, Outcome.REFUSED, Reason.PLAYED)
    assert await two.finish(number, nobody)
    assert not await two.finish(number, nobody)
    whole = await stage.whole(number)
    assert (whole.round.state, whole.freed_bytes) == (RoundState.DONE, 10 * GB)
    assert await stage.house.rows("SELECT count(*) FROM audit_log WHERE action = 'leaving title deleted'") == [(2,)]


async def test_a_halted_round_can_be_confirmed_again(stage: Stage) -> None:
    number = (await stage.confirmed(1)).round.round_id
    one = stage.process()
    assert await one.claim() is not None
    assert not await stage.process("two").halt(number, Halt.AWAY, nobody)
    assert await one.halt(number, Halt.SWITCHED_OFF, nobody)
    whole = await stage.whole(number)
    assert (whole.round.state, whole.round.halt) == (RoundState.CLOSED, Halt.SWITCHED_OFF)
    assert await one.claim() is None
    assert await one.begin(number, stage.people[1])
    assert (await stage.whole(number)).round.halt is None


async def test_a_list_about_which_nobody_decides_runs_out(stage: Stage) -> None:
    made = await stage.announce(1)
    one, number = stage.process(), made.round.round_id
    await one.close(number)
    assert await one.leave_stale(LEAVING_STALE_DAYS) == 0
    stage.house.bus.clock.ahead = (LEAVING_STALE_DAYS + 1) * DAY
    assert await one.leave_stale(LEAVING_STALE_DAYS) == 1
    whole = await stage.whole(number)
    assert (whole.round.state, [title.outcome for title in whole.titles]) == (RoundState.DONE, [Outcome.LEFT])


async def test_a_round_that_could_not_be_posted_is_taken_back(stage: Stage) -> None:
    made = await stage.announce(1)
    one = stage.process()
    assert [whole.round.round_id for whole in await one.unshown()] == [made.round.round_id]
    assert await one.drop(made.round.round_id)
    assert await stage.house.rows("SELECT 1 FROM leaving_titles") == []
    await stage.announce(1)
    posted = await stage.confirmed(2)
    assert not await one.drop(posted.round.round_id)


async def test_who_is_forgotten_keeps_what_they_kept_as_nobody(stage: Stage) -> None:
    made = await stage.announce(1, 2)
    one, who = stage.process(), stage.people[1]
    await one.keep(made.titles[0].title_id, who)
    export = await stage.house.privacy.export(who)
    assert [row["name"] for row in export["keeps"]] == ["Film 1"]
    await stage.house.privacy.forget(who)
    assert await stage.house.rows("SELECT profile_id FROM leaving_keeps") == [(None,)]
    assert (await stage.house.privacy.export(who))["keeps"] == []
    assert await one.close(made.round.round_id)
    whole = await stage.whole(made.round.round_id)
    assert [title.outcome for title in whole.titles] == [Outcome.KEPT, None]


async def test_old_rounds_are_deleted_once_nothing_of_them_is_exempt(stage: Stage) -> None:
    made = await stage.announce(1)
    one, bus = stage.process(), stage.house.bus
    await one.keep(made.titles[0].title_id, stage.people[0])
    await stage.house.bus.change("UPDATE leaving_rounds SET exempt_days = :days", days=LEAVING_ROUNDS_DAYS + 30)
    await one.close(made.round.round_id)
    running = await stage.announce(2)
    retention = Retention(bus.store, bus.queue.claims, bus.clock, bus.health, bus.metrics, Keep())
    bus.clock.ahead = (LEAVING_ROUNDS_DAYS + 1) * DAY
    assert (await retention.run_once())["leaving_rounds"] == 0
    bus.clock.ahead = (LEAVING_ROUNDS_DAYS + 31) * DAY
    assert (await retention.run_once())["leaving_rounds"] == 1
    assert await stage.house.rows("SELECT id FROM leaving_rounds") == [(running.round.round_id,)]
    assert await stage.house.rows("SELECT 1 FROM leaving_keeps") == []


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE leaving_titles SET outcome = 'eaten', decided_at = 1, undecided_key = NULL",
        "UPDATE leaving_titles SET outcome = 'deleted', undecided_key = NULL",
        "UPDATE leaving_titles SET outcome = 'deleted', decided_at = 1",
        "UPDATE leaving_rounds SET state = 'deleting'",
        "UPDATE leaving_titles SET freed_bytes = -1",
        "INSERT INTO leaving_keeps (title_id, profile_id, kept_at) VALUES (999, NULL, 1)",
    ],
)
async def test_rows_that_cannot_be_are_refused(stage: Stage, sql: str) -> None:
    await stage.announce(1)
    with pytest.raises(IntegrityError):
        await stage.house.bus.change(sql)


async def listed(stage: Stage, rule: Rule | None = None) -> list[str]:
    found = await stage.process().candidates(Visibility(), FILMS, rule or Rule(365, 7, 180))
    return sorted(title.name for title in found)


async def mirror(stage: Stage, *keys: int) -> None:
    """A library of films as the mirror would hold it."""
    await stage.house.bus.change(
        "INSERT INTO libraries (id, server, key, kind, name, revision) VALUES (1, 'attic', '1', 'movie', 'Films', 1)"
    )
    for key in keys:
        await mirror_film(stage, key)


async def mirror_film(stage: Stage, key: int) -> None:
    added_at = int((stage.house.bus.clock.now() - 900 * DAY).timestamp()) * 10**6
    await stage.house.bus.change(
        "INSERT INTO library_titles (id, library_id, server, rating_key, kind, name, year, guid, added_at, "
        "rating_tenths, digest, revision, first_pass, seen_pass) VALUES "
        "(:key, 1, 'attic', :key, 'movie', :name, 1999, :guid, :at, 61, 0, 1, 1, 1)",
        key=key, name=f"Film {key}", guid=f"plex://movie/{key}", at=added_at,
    )  # fmt: skip
    await stage.house.bus.change(
        "INSERT INTO library_parts (title_id, part_id, media_id, size_bytes) VALUES (:key, :key, :key, :size)",
        key=key, size=5 * GB,
    )  # fmt: skip
