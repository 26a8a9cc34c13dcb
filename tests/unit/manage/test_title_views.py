"""Every message about single titles is one that Discord takes; what is kept behind its buttons can be read again."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from daemon.core.ids import ModuleId, PanelId, RatingKey, ServerId
from daemon.core.media import TitleKind, TitleRef
from daemon.modules.manage import views_titles as views
from daemon.modules.manage.commands_titles_components import TitleComponents
from daemon.modules.manage.titles_asking import MatchOffer, MergeQuestion, Named, SplitQuestion
from integrations.discord.custom_ids import Signer
from integrations.discord.routes import Routes
from integrations.plex.editing_fields import Change, Field
from integrations.plex.editing_shapes import Candidate, Editable, FileVersion
from tests.discord_messages import judge

PANEL = PanelId(2**60)
TEXTS = st.one_of(st.text(max_size=40), st.text(min_size=1, max_size=6).map(lambda text: text * 900))
SLOW = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)


class Items(TitleComponents):
    """The builders of the components, without anything to carry out."""

    def __init__(self) -> None: ...


ITEMS = Items()
Routes(Signer(b"k" * 32)).add(ModuleId("manage"), ITEMS)

REFS = st.builds(
    TitleRef, st.text("abc-_", min_size=1, max_size=32).map(ServerId), st.integers(1, 10**9).map(str).map(RatingKey)
)
VERSIONS = st.builds(FileVersion, st.none() | TEXTS, st.integers(0, 10**15), st.lists(TEXTS, max_size=3).map(tuple))
TITLES = st.builds(
    Editable,
    REFS,
    st.sampled_from(TitleKind),
    TEXTS,
    st.none() | st.integers(1, 9999),
    st.none() | TEXTS,
    st.just("1"),
    TEXTS,
    st.just({}),
    st.just({}),
    st.lists(TEXTS, max_size=3).map(frozenset),
    st.lists(VERSIONS, max_size=12).map(tuple),
    st.lists(TEXTS, max_size=12).map(tuple),
)
NAMES = TEXTS.map(lambda text: text or "x")
CANDIDATES = st.builds(Candidate, NAMES, NAMES, st.none() | st.integers(1, 9999), st.integers(0, 100))
CHANGES = st.builds(
    Change, REFS, st.sampled_from(Field), st.lists(TEXTS, min_size=1, max_size=30).map(tuple),
    st.lists(TEXTS, max_size=30).map(tuple), st.booleans(),
)  # fmt: skip


@SLOW
@given(TITLES, st.lists(CANDIDATES, min_size=1, max_size=25).map(tuple), TITLES)
def test_matches(title: Editable, candidates: tuple[Candidate, ...], after: Editable) -> None:
    offer = MatchOffer(Named.of(title), title.guid, tuple(sorted(title.locked)), candidates)
    assert MatchOffer.from_state(offer.to_state()) == offer
    judge(views.offer_view(ITEMS, offer, PANEL))
    judge(views.offer_view(ITEMS, MatchOffer(Named.of(title), None, (), ()), PANEL))
    judge(views.match_view(ITEMS, offer, len(candidates) - 1, title, PANEL))
    judge(views.matched_view(title, after, candidates[0]))


@SLOW
@given(TITLES, TITLES)
def test_splits_and_merges(title: Editable, into: Editable) -> None:
    split, merge = SplitQuestion(Named.of(title)), MergeQuestion(Named.of(title), Named.of(into))
    assert SplitQuestion.from_state(split.to_state()) == split
    assert MergeQuestion.from_state(merge.to_state()) == merge
    judge(views.split_view(ITEMS, split, PANEL))
    judge(views.merge_view(ITEMS, merge, PANEL))
    judge(views.told_view(f"Split: {title.name}", str(into)))


@SLOW
@given(TEXTS, CHANGES)
def test_edits(title: str, change: Change) -> None:
    judge(views.edited_view(ITEMS, title, change, PANEL))
    judge(views.undone_view(change, change))
