"""Everything that can happen to messages, in any order, against a plain list of them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import Connection

from daemon.data import schema
from daemon.data.columns import to_micros
from daemon.data.engine import open_engine, parse_url
from daemon.data.queue import leases
from daemon.data.queue.leases import Held
from daemon.kernel.metrics import Metrics
from daemon.services.queue import Entry, Priority, QueueFull, QueueSpec
from daemon.services.queue.inbox import Inbox

T = TypeVar("T")

SECOND = 1_000_000
LEASE = 30 * SECOND
LENGTH_MAX = 12
RECENT = st.integers(1, 8)  # how far back, among messages or leases


@dataclass
class Modelled:
    """What the machine knows of a message; `due` and the lease's end are one instant, as in the table."""

    id: int
    key: str | None
    priority: int
    due: int
    token: int = 0
    attempts: int = 0


@dataclass
class Model:
    """The queue as a list, in the order of ids."""

    waiting: list[Modelled] = field(default_factory=list)
    dead: list[tuple[int, int, str]] = field(default_factory=list)
    dedupe: set[str] = field(default_factory=set)

    def claimable(self, now: int) -> list[Modelled]:
        """What may be claimed, in the order in which it is."""
        heads: dict[str, int] = {}
        for one in self.waiting:
            if one.key is not None:
                heads.setdefault(one.key, one.id)
        due = [one for one in self.waiting if one.due <= now and heads.get(one.key or "", one.id) == one.id]
        return sorted(due, key=lambda one: (one.priority, one.due, one.id))

    def held(self, held: Held) -> Modelled | None:
        """The message, if this is its present lease."""
        return next((one for one in self.waiting if (one.id, one.token) == held), None)


class Machine(RuleBasedStateMachine):
    """Runs on one migrated file of SQLite that each run gets a copy of."""

    template: ClassVar[Path]
    steps: ClassVar[dict[str, int]] = {}

    @initialize()
    def open(self) -> None:
        self.folder = Path(tempfile.mkdtemp(dir=self.template.parent))
        shutil.copy(self.template, self.folder / "queue.sqlite3")
        self.tx = open_engine(parse_url(f"sqlite:///{self.folder}/queue.sqlite3")).connect()
        self.driver: Any = self.tx.connection.driver_connection
        self.at = datetime(2026, 11, 20, tzinfo=UTC)
        self.model = Model()
        self.tokens = 0
        self.finished: dict[str, list[int]] = {}
        self.ids: list[int] = []  # of messages ever put
        self.leases: list[Held] = []  # ever taken
        self.inbox = Inbox(self, Metrics())
        self.inbox.declare(QueueSpec("work", length_max=LENGTH_MAX))

    def now(self) -> datetime:
        """The machine is its own clock."""
        return self.at

    async def sleep(self, seconds: float) -> None:
        raise NotImplementedError

    @property
    def micros(self) -> int:
        return to_micros(self.at)

    def write(self, unit: Callable[[Connection], T]) -> T:
        """As the store does it."""
        self.driver.execute("BEGIN IMMEDIATE")
        try:
            result = unit(self.tx)
        except BaseException:
            self.driver.execute("ROLLBACK")
            raise
        self.driver.execute("COMMIT")
        return result

    def count(self, what: str) -> None:
        self.steps[what] = self.steps.get(what, 0) + 1

    @rule(
        entries=st.lists(
            st.tuples(
                st.sampled_from([None, "a", "b"]),
                st.sampled_from(list(Priority)),
                st.sampled_from([-5, 0, 0, 5, 40]),
                st.sampled_from([None, None, None, "x", "y", "z"]),
            ),
            min_size=1,
            max_size=3,
        ),
    )
    def put(self, entries: list[tuple[str | None, Priority, int, str | None]]) -> None:
        made = [
            Entry("topic", key=key, priority=priority, due_at=self.at + timedelta(seconds=in_s), dedupe=dedupe)
            for key, priority, in_s, dedupe in entries
        ]
        if len(self.model.waiting) + len(made) > LENGTH_MAX:
            with pytest.raises(QueueFull):
                self.write(lambda tx: self.inbox.put(tx, "work", made))
            self.count("refused")
            return
        ids = self.write(lambda tx: self.inbox.put(tx, "work", made))
        for message_id, entry in zip(ids, made, strict=True):
            is_known = entry.dedupe in self.model.dedupe
            assert (message_id is None) == is_known
            if entry.dedupe is not None:
                self.model.dedupe.add(entry.dedupe)
            if message_id is None:
                self.count("duplicate")
            else:
                assert entry.due_at is not None
                self.model.waiting.append(Modelled(message_id, entry.key, entry.priority, to_micros(entry.due_at)))
        self.ids += [message_id for message_id in ids if message_id is not None]

    @rule(count=st.integers(1, 4))
    def sweep(self, count: int) -> None:
        self._claim(self.model.claimable(self.micros)[:count], count, None)

    @rule(backs=st.sets(RECENT, max_size=4))
    def pick(self, backs: set[int]) -> None:
        chosen = self._recent(self.ids, backs)
        self._claim([one for one in self.model.claimable(self.micros) if one.id in chosen], 4, chosen)

    def _recent(self, ever: list[T], backs: set[int]) -> list[T]:
        return [ever[-back] for back in sorted(backs) if back <= len(ever)]

    def _claim(self, expected: list[Modelled], count: int, ids: list[int] | None) -> None:
        self.tokens += 1
        token, until = self.tokens, self.micros + LEASE
        claimed = self.write(
            lambda tx: leases.claim(tx, "work", token=token, now=self.micros, until=until, count=count, ids=ids)
        )
        assert [row.id for row in claimed] == [one.id for one in sorted(expected, key=lambda o: (o.priority, o.id))]
        for one in expected:
            self.count("expired" if one.token else "claimed")
            one.token, one.due, one.attempts = token, until, one.attempts + 1
        assert [row.attempts for row in claimed] == [
            one.attempts for one in sorted(expected, key=lambda o: (o.priority, o.id))
        ]
        self.leases += [Held(row.id, token) for row in claimed]

    @precondition(lambda self: self.leases)
    @rule(back=RECENT)
    def complete(self, back: int) -> None:
        held = self._lease(back)
        one = self.model.held(held)
        assert self.write(lambda tx: leases.complete(tx, held)) == (one is not None)
        self._finish(one)

    @precondition(lambda self: self.leases)
    @rule(backs=st.sets(RECENT, min_size=1, max_size=4))
    def complete_many(self, backs: set[int]) -> None:
        held = self._recent(self.leases, backs)
        ones = [self.model.held(one) for one in held]
        assert self.write(lambda tx: leases.complete_many(tx, held)) == sum(one is not None for one in ones)
        for one in ones:
            self._finish(one)

    def _finish(self, one: Modelled | None) -> None:
        self.count("lost" if one is None else "done")
        if one is not None:
            self.model.waiting.remove(one)
            if one.key is not None:
                self.finished.setdefault(one.key, []).append(one.id)

    def _lease(self, back: int) -> Held:
        return self.leases[-1 - back % len(self.leases)]

    @precondition(lambda self: self.leases)
    @rule(back=RECENT, in_s=st.sampled_from([0, 5, 40]), counts=st.booleans())
    def fail(self, back: int, in_s: int, counts: bool) -> None:
        held = self._lease(back)
        one, due = self.model.held(held), self.micros + in_s * SECOND
        release = leases.retry if counts else leases.give_back
        assert self.write(lambda tx: release(tx, held, due)) == (one is not None)
        if one is not None:
            one.token, one.due, one.attempts = 0, due, one.attempts - (not counts)
            self.count("failed")

    @precondition(lambda self: self.leases)
    @rule(back=RECENT)
    def bury(self, back: int) -> None:
        held = self._lease(back)
        one = self.model.held(held)
        buried = self.write(lambda tx: leases.bury(tx, held, reason="failed", detail="", died_at=self.micros))
        assert buried == (one is not None)
        if one is not None:
            self.model.waiting.remove(one)
            self.model.dead.append((one.id, one.attempts, "failed"))
            self.count("dead")

    @precondition(lambda self: self.leases)
    @rule(backs=st.sets(RECENT, min_size=1, max_size=5))
    def renew(self, backs: set[int]) -> None:
        held = self._recent(self.leases, backs)
        lost = self.write(lambda tx: leases.renew(tx, held, self.micros + LEASE))
        assert lost == [one for one in held if self.model.held(one) is None]
        for lease in held:
            if (one := self.model.held(lease)) is not None:
                one.due = self.micros + LEASE
                self.count("renewed")

    @precondition(lambda self: self.ids)
    @rule(back=RECENT)
    def cancel(self, back: int) -> None:
        message_id = self.ids[-1 - back % len(self.ids)]
        one = next((one for one in self.model.waiting if one.id == message_id), None)
        found = self.write(lambda tx: leases.cancel(tx, message_id))
        assert found == (None if one is None else ("work", one.key))
        if one is not None:
            self.model.waiting.remove(one)
            self.count("cancelled")

    @rule(seconds=st.sampled_from([1, 10, 31, 61]))
    def advance(self, seconds: int) -> None:
        self.at += timedelta(seconds=seconds)

    @rule()
    def look(self) -> None:
        is_due, next_at = self.write(lambda tx: leases.look(tx, "work", self.micros))
        assert is_due == any(one.due <= self.micros for one in self.model.waiting)
        assert next_at == min((one.due for one in self.model.waiting if one.due > self.micros), default=None)

    @invariant()
    def the_table_is_as_the_model(self) -> None:
        rows = self.driver.execute("SELECT id, key, priority, due_at, token, attempts FROM queue_messages ORDER BY id")
        assert rows.fetchall() == [
            (one.id, one.key, one.priority, one.due, one.token, one.attempts) for one in self.model.waiting
        ]
        letters = self.driver.execute("SELECT message_id, attempts, reason FROM dead_letters ORDER BY message_id")
        assert letters.fetchall() == sorted(self.model.dead)

    @invariant()
    def a_key_is_finished_in_order(self) -> None:
        for ids in self.finished.values():
            assert ids == sorted(ids)

    def teardown(self) -> None:
        if not hasattr(self, "tx"):
            return
        self.at += timedelta(days=1)
        while self.model.waiting:  # whatever happened, all that is left can be handled
            before = len(self.model.waiting)
            expected = self.model.claimable(self.micros)
            self._claim(expected, LENGTH_MAX, None)
            for one in expected:
                assert self.write(lambda tx, one=one: leases.complete(tx, Held(one.id, one.token)))  # type: ignore[misc]
                self._finish(one)
            assert len(self.model.waiting) < before
        self.tx.close()
        shutil.rmtree(self.folder)


@pytest.mark.timeout(600)  # a failure is made small first
def test_any_sequence_leaves_what_the_model_says(tmp_path: Path) -> None:
    Machine.template = tmp_path / "template.sqlite3"
    schema.upgrade(f"sqlite:///{Machine.template}", tmp_path)
    Machine.steps = {}
    Machine.TestCase.settings = settings(
        max_examples=100, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck)
    )
    Machine.TestCase("runTest").runTest()
    wanted = ("done", "claimed", "expired", "lost", "failed", "dead", "renewed", "cancelled", "duplicate", "refused")
    assert [what for what in wanted if not Machine.steps.get(what)] == []
