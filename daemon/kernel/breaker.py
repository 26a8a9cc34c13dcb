"""Circuit breaker: a service that keeps failing is left alone for a while instead of being waited for each time."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from enum import IntEnum
from typing import TypeVar

from daemon.core.errors import MarqueeError, UpstreamError
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
    ) -> None:
        self.name = name
        self._failures = failures
        self._counts = counts
        self._failures_max = failures_max
        self._open_s = open_s
        self._monotonic = monotonic
        self._gauge = metrics.breaker_state.labels(name=name) if metrics else None
        self._failed_in_a_row = 0
        self._opened_at = 0.0
        self._is_trial_running = False
        self._state = BreakerState.CLOSED
        self._enter(BreakerState.CLOSED)

    @property
    def state(self) -> BreakerState:
        """OPEN until the next trial call begins, even when `open_s` has passed."""
        return self._state

    async def call(self, work: Callable[[], Awaitable[T]]) -> T:
        """The result of `work()`. Raises BreakerOpen without calling it while the service is left alone."""
        is_trial = self._admit()
        try:
            result = await work()
        except self._failures as error:
            if self._counts is None or self._counts(error):
                self._note_failure()
            else:
                self._note_answer()
            raise
        finally:
            if is_trial:
                self._is_trial_running = False
        self._note_answer()
        return result

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

    def _note_failure(self) -> None:
        self._failed_in_a_row += 1
        if self._state is BreakerState.HALF_OPEN or self._failed_in_a_row >= self._failures_max:
            self._opened_at = self._monotonic()
            self._enter(BreakerState.OPEN)

    def _note_answer(self) -> None:
        self._failed_in_a_row = 0
        self._enter(BreakerState.CLOSED)

    def _enter(self, state: BreakerState) -> None:
        self._state = state
        if self._gauge is not None:
            self._gauge.set(state.value)
