"""Every message for owners is one that Discord takes, whatever titles, libraries, accounts and errors are called."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from daemon.core.ids import ModuleId, PanelId, RatingKey, ServerId
from daemon.core.media import Title, TitleKind, TitleRef
from daemon.core.visibility import LibraryRef
from daemon.modules.manage import views, views_lists, views_maintenance
from daemon.modules.manage.asking import Chosen, Job, Verb
from daemon.modules.manage.commands_components import ManageComponents
from daemon.modules.manage.doings import Doing
from daemon.modules.manage.inactive import Guest, Guests
from daemon.modules.manage.maintenance import Notice
from daemon.modules.manage.stocktaking import PAGE, Stale, StaleTitle, UnmatchedPage
from daemon.modules.manage.trash import Contents, Emptied, Listed
from daemon.modules.manage.works import Phase as WorkPhase
from daemon.modules.manage.works import Progress
from daemon.services.library.stock import Changes, Double, Mark, Shelved, Shown, Unmatched, VersionSize
from integrations.discord.custom_ids import Signer
from integrations.discord.routes import Routes
from integrations.discord.ui.paginator import page_of
from integrations.plex import Activity, Trash, Trashed
from tests.discord_messages import judge

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
TEXTS = st.one_of(st.text(max_size=40), st.text(min_size=1, max_size=6).map(lambda text: text * 900))
SERVERS = st.text("abc-_", min_size=1, max_size=32).map(ServerId)
TIMES = st.integers(0, 10**7).map(lambda seconds: NOON + timedelta(seconds=seconds))
BYTES = st.integers(0, 10**15)
PANEL = PanelId(2**60)
# Not shrunk: that takes minutes with values as big as these, and the first example tells enough.
SLOW = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)


class Items(ManageComponents):
    """The builders of the components, without anything to carry out."""

    def __init__(self) -> None: ...


ITEMS = Items()
Routes(Signer(b"k" * 32)).add(ModuleId("manage"), ITEMS)

LIBRARIES = st.builds(LibraryRef, SERVERS, st.integers(1, 10**6).map(str))
CHOSEN = st.builds(Chosen, LIBRARIES, TEXTS)
TITLES = st.builds(
    Title,
    st.builds(TitleRef, SERVERS, st.integers(1, 10**9).map(lambda key: RatingKey(str(key)))),
    st.sampled_from([TitleKind.MOVIE, TitleKind.SHOW, TitleKind.EPISODE, TitleKind.ALBUM]),
    TEXTS,
    st.none() | st.integers(1900, 2100),
)
SHOWN = st.builds(Shown, st.integers(1, 10**9), TITLES, st.none() | TIMES, st.none())
CHANGES = st.builds(
    Changes, st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6), st.lists(SHOWN, max_size=8).map(tuple)
)
JOBS = st.builds(Job, st.sampled_from(Verb), CHOSEN, TIMES, st.none() | st.just(Mark(7, 9, 1200)))
PROGRESS = st.builds(
    Progress, st.sampled_from(WorkPhase), st.none() | st.integers(0, 100), TEXTS, st.none() | CHANGES, TEXTS
)
VERSIONS = st.builds(VersionSize, st.integers(1, 9), st.none() | TEXTS, st.none() | TEXTS, BYTES, st.none() | TEXTS)
DOUBLES = st.builds(
    Double,
    st.lists(SHOWN, min_size=1, max_size=5).map(tuple),
    st.lists(VERSIONS, min_size=2, max_size=9).map(tuple),
)
TRASHED = st.builds(
    Trashed,
    st.integers(1, 10**9).map(str),
    TITLES,
    st.none() | TEXTS,
    st.lists(TEXTS, max_size=3).map(tuple),
    BYTES,
)
UUIDS = st.text("0123456789abcdef-", min_size=36, max_size=60)
ACTIVITIES = st.builds(
    Activity, SERVERS, UUIDS, TEXTS, TEXTS, TEXTS, st.none() | st.integers(0, 100), st.booleans(), st.none(), st.none()
)


@SLOW
@given(JOBS, PROGRESS, st.booleans())
def test_the_card_of_a_job_is_taken(job: Job, progress: Progress, was_running: bool) -> None:
    judge(views.work_view(ITEMS, PANEL, job, progress, was_running=was_running))
    assert Job.from_state(job.to_state()) == job


@SLOW
@given(CHOSEN, st.lists(TRASHED, max_size=25), TEXTS, st.integers(-1, 9))
def test_a_trash_is_taken(library: Chosen, items: list[Trashed], refusal: str, number: int) -> None:
    listed = Listed(library, frozenset(item.key for item in items))
    contents = Contents(listed, Trash(tuple(items), (), False), refusal)
    judge(views_lists.trash_view(ITEMS, PANEL, contents, page_of(contents.items, number, PAGE), "Changed."))
    judge(views_lists.emptied_view(library, Emptied(tuple(items), len(items), number + 1)))
    assert Listed.from_state(listed.to_state()) == listed


@SLOW
@given(CHOSEN, st.lists(st.builds(Unmatched, SHOWN, st.none() | TEXTS), max_size=PAGE), st.lists(DOUBLES, max_size=25))
def test_lists_of_a_library_are_taken(library: Chosen, unmatched: list[Unmatched], doubles: list[Double]) -> None:
    judge(views_lists.unmatched_view(ITEMS, library, UnmatchedPage(unmatched, 999, 2, 100)))
    judge(views_lists.doubles_view(ITEMS, library, doubles, page_of(doubles, 2, PAGE)))


@SLOW
@given(CHOSEN, st.lists(st.builds(StaleTitle, st.none() | SHOWN, BYTES, TIMES, st.none() | TIMES), max_size=PAGE))
def test_a_list_of_what_nobody_plays_is_taken(library: Chosen, named: list[StaleTitle]) -> None:
    titles = [Shelved(number, NOON, 10**12) for number in range(4 * len(named))]
    stale = Stale(titles, 10**15, 200_000, NOON)
    judge(views_lists.stale_view(ITEMS, library, 3650, stale, page_of(titles, 2, PAGE), named))


GUESTS = st.builds(Guest, TEXTS, st.booleans(), st.none() | TIMES, st.none() | TIMES, st.lists(TEXTS, max_size=3))


@SLOW
@given(st.lists(GUESTS, max_size=20), st.lists(TEXTS, max_size=3))
def test_a_list_of_accounts_is_taken(guests: list[Guest], silent: list[str]) -> None:
    found = Guests(tuple(guests), tuple(silent))
    judge(views_lists.inactive_view(ITEMS, 1, found, page_of(found.guests, 2, 6)))


@SLOW
@given(
    st.none() | CHOSEN,
    st.lists(ACTIVITIES, max_size=20, unique_by=lambda one: one.uuid),
    st.lists(TEXTS, max_size=3),
)
def test_a_list_of_activities_is_taken(library: Chosen | None, found: list[Activity], silent: list[str]) -> None:
    doing = Doing(tuple(found), tuple(silent))
    page = page_of(doing.activities, 2, views_lists.DOINGS_PAGE)
    judge(views_lists.doing_view(ITEMS, library, doing, page, "Cancelled."))


@SLOW
@given(TEXTS, TEXTS, st.none() | TIMES, st.integers(0, 9), st.lists(SERVERS, max_size=3))
def test_the_cards_of_maintenance_are_taken(
    said: str, by: str, over_at: datetime | None, watching: int, silent: list[ServerId]
) -> None:
    notice = Notice(said, by, NOON, over_at)
    judge(views_maintenance.notice_view(ITEMS, PANEL, notice))
    judge(views_maintenance.announced_view(ITEMS, PANEL, watching, list(map(str, silent)), is_new=watching > 3))
    assert Notice.from_state(notice.to_state()) == notice
