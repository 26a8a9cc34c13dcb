"""Every message that operations builds is one that Discord takes, whatever queues, errors and checks are called."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from daemon.core.ids import ModuleId
from daemon.kernel.health import Check, Report, Status
from daemon.modules.ops import views
from daemon.modules.ops.commands_components import OpsComponents
from daemon.services.dead_letters import Letter
from daemon.services.schedule import Declared, Known, Run
from daemon.services.stories import Happening
from integrations.discord.custom_ids import Signer
from integrations.discord.routes import Routes
from integrations.discord.ui.paginator import Page, page_of
from tests.discord_messages import judge

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
TEXTS = st.one_of(st.text(max_size=40), st.text(min_size=1, max_size=6).map(lambda text: text * 900))
WORDS = st.one_of(st.sampled_from(["work", "events", "notify"]), st.text("abc.-_", min_size=1, max_size=80))
TIMES = st.integers(0, 10**7).map(lambda seconds: NOON + timedelta(seconds=seconds))
# Not shrunk: that takes minutes with values as big as these, and the first example tells enough.
SLOW = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)


class Items(OpsComponents):
    """The builders of the components, without anything to carry out."""

    def __init__(self) -> None: ...


ITEMS = Items()
Routes(Signer(b"k" * 32)).add(ModuleId("ops"), ITEMS)

LETTERS = st.builds(
    Letter,
    st.integers(1, 2**62),
    st.integers(1, 2**62),
    WORDS,
    TEXTS,
    st.none() | TEXTS,
    st.integers(0, 10**8),
    st.none() | st.integers(1, 10**9),
    TEXTS,
    st.just("0123456789abcdef" * 2),
    TIMES,
    st.integers(0, 99),
    WORDS,
    TEXTS,
    TIMES,
)
RUNS = st.builds(
    Run,
    WORDS,
    TIMES,
    TIMES,
    st.none() | TIMES,
    st.none() | TIMES,
    st.sampled_from(["done", "failed", "dead", "running", "waiting"]),
    TEXTS,
    st.just("0123456789abcdef" * 2),
)
KNOWN = st.builds(
    Known,
    st.builds(Declared, WORDS, st.sampled_from(["30 4 * * *", "every 60 s"]), WORDS, st.just("once")),
    TIMES,
    st.none() | TIMES,
    TIMES,
    st.none() | RUNS,
)


@SLOW
@given(st.lists(LETTERS, max_size=20, unique_by=lambda letter: letter.letter_id), st.integers(-1, 9), TEXTS)
def test_a_page_of_dead_letters_is_taken(letters: list[Letter], number: int, note: str) -> None:
    judge(views.letters_view(ITEMS, page_of(letters, number, views.LETTERS_PAGE), len(letters), note))


@SLOW
@given(LETTERS, st.none() | TEXTS)
def test_a_dead_letter_is_taken(letter: Letter, preview: str | None) -> None:
    judge(views.letter_view(ITEMS, letter, preview))


def test_questions_are_taken() -> None:
    for verb in ("replay", "drop"):
        for target in (views.ALL, "12"):
            judge(views.confirm_view(ITEMS, verb, target, 1_000_000))


@SLOW
@given(
    st.dictionaries(TEXTS, st.builds(Check, st.sampled_from(Status), TEXTS), max_size=60),
    st.lists(TEXTS, max_size=5),
    st.sampled_from(Status),
)
def test_the_health_page_is_taken(checks: dict[str, Check], reasons: list[str], status: Status) -> None:
    changed = dict.fromkeys(checks, NOON)
    judge(views.health_view(Report(status, not reasons, tuple(reasons), True, False, checks, changed)))


@SLOW
@given(st.lists(KNOWN, max_size=25, unique_by=lambda known: known.declared.name), st.integers(-1, 9), TEXTS)
def test_schedules_are_taken(known: list[Known], number: int, note: str) -> None:
    judge(views.schedules_view(ITEMS, page_of(known, number, views.SCHEDULES_PAGE), note))


@SLOW
@given(st.lists(st.builds(Happening, TIMES, TEXTS, TEXTS), min_size=1, max_size=40), st.integers(-1, 9))
def test_a_story_is_taken(happenings: list[Happening], number: int) -> None:
    page = page_of(list(views.with_gaps(happenings)), number, views.HAPPENINGS_PAGE)
    judge(views.story_view(ITEMS, "0123456789abcdef" * 2, page))


def test_what_would_end_a_block_of_text_does_not() -> None:
    letter = Letter(
        1, 1, "work", "pets", None, 3, None, "", "", NOON, 1, "failed", "``` **bold** ```", NOON
    )  # fmt: skip
    content = str(views.letter_view(ITEMS, letter, "```").to_components())  # type: ignore[no-untyped-call]
    assert content.count("```\\n") == 2
    assert content.count("```") == 4


def test_gaps_are_those_between_neighbours() -> None:
    happenings = [Happening(NOON + timedelta(milliseconds=ms), "x", "") for ms in (0, 15, 15, 1_000)]
    assert [gap for _, gap in views.with_gaps(happenings)] == [0, 15, 0, 985]


def test_an_empty_page_says_so() -> None:
    nothing: Page[Letter] = page_of([], 1, 5)
    assert "nothing was given up" in str(views.letters_view(ITEMS, nothing, 0).to_components())  # type: ignore[no-untyped-call]
