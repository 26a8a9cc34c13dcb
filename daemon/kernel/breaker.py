"""Circuit breaker: a service that keeps failing is left alone for a while instead of being waited for each time."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from enum import IntEnum
from typing import TypeVar

from daemon.core.errors import MarqueeError, UpstreamError
from daemon.kernel.health import Check, Health, Status
from daemon.kernel.metrics import Metrics

T = TypeVar("T")

Failures = type[BaseException] | tuple[type[BaseException], ...]


class BreakerOpen(MarqueeError):
    """The call was not made. `retry_in_s` says when one will be tried again; 0.0 while a trial is under way."""

    def __init__(self, name: str, retry_in_s: float) -> None:
        super().__init__(f"{name} is left alone for another {retry_in_s:.0f} s")
        self.name = name
        self.retry_in_s = retry_in_s


class BreakerState(IntEnum):
    """As shown by the metric `marquee_breaker_state`."""

    CLOSED = 0
    HALF_OPEN = 1
    OPEN = 2


class Breaker:
    """Opens after `failures_max` failures in a row; after `open_s` one trial call decides whether it closes.

    A failure is an exception of the types `failures` for which `counts` is true (always, when not given); one for
    which it is false (a "not found", say) shows that the service answers and ends the series like a success. Any
    other exception, cancellation included, says nothing about the service. One breaker belongs to one event loop.

    With `health` its state is the check `breaker:<name>` of `owner`: open is a warning that says when it tries again.
    """

    def __init__(
        self,
        name: str,
        *,
        failures: Failures = UpstreamError,
        counts: Callable[[BaseException], bool] | None = None,
        failures_max: int = 5,
        open_s: float = 30.0,
        monotonic: Callable[[], float] = time.monotonic,
        metrics: Metrics | None = None,
        health: Health | None = None,
        owner: str = "app",
    ) -> None:
        self.name = name
        self._failures = failures
        self._counts = counts
        self._failures_max = failures_max
        self._open_s = open_s
        self._monotonic = monotonic
        self._gauge = metrics.breaker_state.labels(name=name) if metrics else None
        self._opened = metrics.breaker_opened_total.labels(name=name) if metrics else None
        self._health = health
        self._owner = owner
        self._failed_in_a_row = 0
        self._opened_at = 0.0
        self._is_trial_running = False
        self._state = BreakerState.CLOSED
        self._show()

    @property
    def state(self) -> BreakerState:
        """OPEN until the next trial call begins, even when `open_s` has passed."""
        return self._state

    async def call(self, work: Callable[[], Awaitable[T]]) -> T:
        """The result of `work()`. Raises BreakerOpen without calling it while the service is left alone."""
        with self.admitted():
            try:
                result = await work()
            except self._failures as error:
                if self._counts is None or self._counts(error):
                    self.note_failure()
                else:
                    self.note_answer()
                raise
            self.note_answer()
            return result

    @contextmanager
    def admitted(self) -> Iterator[None]:
        """For a call whose outcome the caller notes. Raises BreakerOpen while the service is left alone."""
        is_trial = self._admit()
        try:
            yield
        finally:
            if is_trial:
                self._is_trial_running = False

    def note_failure(self) -> None:
        """A call has failed, one that was made in any case included."""
        self._failed_in_a_row += 1
        if self._state is BreakerState.HALF_OPEN or self._failed_in_a_row >= self._failures_max:
            self._opened_at = self._monotonic()
            self._enter(BreakerState.OPEN)

    def note_answer(self) -> None:
        """The service answers: whatever was before, it is used again."""
        self._failed_in_a_row = 0
        self._enter(BreakerState.CLOSED)

    def _admit(self) -> bool:
        """Whether this call is the trial; raises BreakerOpen when it may not be made."""
        if self._state is BreakerState.CLOSED:
            return False
        remaining_s = self._opened_at + self._open_s - self._monotonic()
        if self._is_trial_running or remaining_s > 0:
            raise BreakerOpen(self.name, max(0.0, remaining_s))
        self._is_trial_running = True
        self._enter(BreakerState.HALF_OPEN)
        return True

    def _enter(self, state: BreakerState) -> None:
        if state is self._state and state is not BreakerState.OPEN:
            return
        if state is BreakerState.OPEN and self._state is not state and self._opened is not None:
            self._opened.inc()
        self._state = state
        self._show()

    def _show(self) -> None:
        if self._gauge is not None:
            self._gauge.set(self._state.value)
        if self._health is not None:
            self._health.set(f"breaker:{self.name}", self._check(self._health), owner=self._owner)

    def _check(self, health: Health) -> Check:
        match self._state:
            case BreakerState.CLOSED:
                return Check(Status.PASS, "closed")
            case BreakerState.HALF_OPEN:
                return Check(Status.WARN, "half open: one call is trying whether it answers again")
            case BreakerState.OPEN:
                again_at = health.now() + timedelta(seconds=self._open_s)
                return Check(
                    Status.WARN,
                    f"open after {self._failed_in_a_row} failures in a row; "
                    f"the next call after {again_at:%Y-%m-%d %H:%M:%S} UTC is let through",
                )
