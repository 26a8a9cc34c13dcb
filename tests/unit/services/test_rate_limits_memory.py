from __future__ import annotations

from fractions import Fraction

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from daemon.core.limits import RATE_LIMIT_KEYS_MAX
from daemon.services.rate_limits import Bucket, MemoryBuckets, Rate


class FakeTime:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def take(limits: MemoryBuckets, owner: int | str, *, burst: int, per_s: float) -> float:
    """Seconds to wait; 0.0 when a token was taken."""
    refusal = limits.take((Bucket("test", (owner,), Rate(burst, per_s)),))
    return refusal.wait_s if refusal else 0.0


def test_a_worked_example() -> None:
    time = FakeTime()
    limits = MemoryBuckets(time)
    assert [take(limits, "a", burst=3, per_s=0.5) for _ in range(5)] == [0.0, 0.0, 0.0, 2.0, 2.0]
    time.now += 0.5
    assert take(limits, "a", burst=3, per_s=0.5) == 1.5
    time.now += 1.5
    assert take(limits, "a", burst=3, per_s=0.5) == 0.0
    assert take(limits, "a", burst=3, per_s=0.5) == 2.0
    assert take(limits, "b", burst=3, per_s=0.5) == 0.0


def test_memory_is_bounded_and_the_emptiest_buckets_are_kept() -> None:
    time = FakeTime()
    limits = MemoryBuckets(time)
    while take(limits, "loud", burst=50, per_s=0.1) == 0.0:
        pass
    for n in range(3 * RATE_LIMIT_KEYS_MAX):
        assert take(limits, n, burst=5, per_s=1.0) == 0.0
        assert len(limits) <= RATE_LIMIT_KEYS_MAX
    assert take(limits, "loud", burst=50, per_s=0.1) > 0.0


def test_full_buckets_are_forgotten() -> None:
    time = FakeTime()
    limits = MemoryBuckets(time)
    for n in range(RATE_LIMIT_KEYS_MAX):
        take(limits, n, burst=5, per_s=1.0)
    time.now += 10
    take(limits, "one more", burst=5, per_s=1.0)
    assert len(limits) == 1


class Buckets(RuleBasedStateMachine):
    """Against a plain model: a count of tokens, refilled exactly."""

    BURST, PER_S = 4, Fraction(1, 2)

    def __init__(self) -> None:
        super().__init__()
        self.time = FakeTime()
        self.limits = MemoryBuckets(self.time)
        self.tokens: dict[str, Fraction] = {}
        self.told_s: float | None = None

    def _refill(self, seconds: Fraction) -> None:
        self.time.now += float(seconds)
        self.tokens = {key: min(Fraction(self.BURST), n + seconds * self.PER_S) for key, n in self.tokens.items()}

    @rule(key=st.sampled_from("abc"))
    def take(self, key: str) -> None:
        wait_s = take(self.limits, key, burst=self.BURST, per_s=float(self.PER_S))
        tokens = self.tokens.setdefault(key, Fraction(self.BURST))
        if tokens >= 1:
            assert wait_s == 0.0
            self.tokens[key] = tokens - 1
        else:
            assert abs(wait_s - float((1 - tokens) / self.PER_S)) < 1e-6
            self.told_s = wait_s

    @rule(eighths=st.integers(0, 80))  # exact in floating point, so that the model and the clock agree
    def wait(self, eighths: int) -> None:
        self._refill(Fraction(eighths, 8))

    @precondition(lambda self: self.told_s is not None)
    @rule(key=st.sampled_from("abc"))
    def wait_as_told(self, key: str) -> None:
        wait_s = take(self.limits, key, burst=self.BURST, per_s=float(self.PER_S))
        if wait_s == 0.0:
            self.tokens[key] = self.tokens.get(key, Fraction(self.BURST)) - 1
            return
        self._refill(Fraction(wait_s).limit_denominator(8))
        assert take(self.limits, key, burst=self.BURST, per_s=float(self.PER_S)) == 0.0
        self.tokens[key] -= 1

    @invariant()
    def never_negative(self) -> None:
        assert all(0 <= tokens <= self.BURST for tokens in self.tokens.values())


TestBuckets = Buckets.TestCase
TestBuckets.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
