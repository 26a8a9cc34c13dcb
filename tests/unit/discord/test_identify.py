from __future__ import annotations

from integrations.discord.identify import IdentifyBudget


class Hand:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_the_last_identifies_of_a_day_are_not_spent() -> None:
    hand = Hand()
    budget = IdentifyBudget(hand)
    budget.learn(remaining=23, total=1000, reset_after_s=3600.0)
    assert [budget.take() for _ in range(3)] == [0.0, 0.0, 0.0]
    assert budget.take() == 3600.0
    hand.now_s = 3000.0
    assert budget.take() == 600.0
    hand.now_s = 3600.0
    assert budget.take() == 0.0
    assert budget.remaining == 999


def test_without_word_from_discord_a_careful_number_is_assumed() -> None:
    budget = IdentifyBudget(Hand())
    spent = 0
    while budget.take() == 0.0:
        spent += 1
    assert spent == 280
