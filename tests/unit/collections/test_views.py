"""Every message about collections is one that Discord takes, whatever titles and collections are called."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from daemon.core.ids import ModuleId, PanelId, RatingKey, ServerId
from daemon.core.library import CollectionRef
from daemon.core.media import Title, TitleKind, TitleRef
from daemon.core.visibility import LibraryRef
from daemon.modules.collections import views
from daemon.modules.collections.asking import Doomed, Draft, Shelf
from daemon.modules.collections.commands_components import CollectionComponents
from daemon.modules.collections.desk import Opened
from daemon.services.library.shelves import Collected, Shown
from integrations.discord.custom_ids import Signer
from integrations.discord.routes import Routes
from integrations.discord.ui.paginator import page_of
from tests.discord_messages import judge

PANEL = PanelId(2**60)
GUILD = "1" * 19
TEXTS = st.one_of(st.text(max_size=40), st.text(min_size=1, max_size=6).map(lambda text: text * 900))
SERVERS = st.text("abc-_", min_size=1, max_size=32).map(ServerId)
SLOW = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)


class Items(CollectionComponents):
    """The builders of the components, without anything to carry out."""

    def __init__(self) -> None: ...


ITEMS = Items()
Routes(Signer(b"k" * 32)).add(ModuleId("collections"), ITEMS)

KEYS = st.integers(1, 10**9).map(str)
LIBRARIES = st.builds(LibraryRef, SERVERS, KEYS)
COLLECTED = st.builds(
    Collected, st.builds(CollectionRef, SERVERS, KEYS), TEXTS, LIBRARIES, TEXTS, st.integers(0, 10**7)
)
TITLES = st.builds(
    Title,
    st.builds(TitleRef, SERVERS, KEYS.map(RatingKey)),
    st.sampled_from([TitleKind.MOVIE, TitleKind.SHOW, TitleKind.EPISODE, TitleKind.ALBUM]),
    TEXTS,
    st.none() | st.integers(1900, 2100),
)
SHOWN = st.builds(Shown, st.integers(1, 10**9), TITLES, st.none(), st.none())


@SLOW
@given(st.lists(COLLECTED, max_size=23), st.integers(1, 9), st.none() | TEXTS, SERVERS)
def test_lists(found: list[Collected], number: int, library: str | None, server: ServerId) -> None:
    page = page_of(found, number, views.PAGE)
    judge(views.list_view(ITEMS, page, len(found), library, (GUILD, server, "123456")))


@SLOW
@given(COLLECTED, st.lists(SHOWN, max_size=23), st.integers(1, 9), st.booleans())
def test_one_collection(collection: Collected, titles: list[Shown], number: int, is_ordered: bool) -> None:
    ids = (GUILD, collection.ref.server, collection.ref.key)
    judge(views.show_view(ITEMS, Opened(collection, titles, is_ordered), page_of(titles, number, views.PAGE), ids))


@SLOW
@given(TEXTS, TEXTS, LIBRARIES, st.lists(TITLES, max_size=30))
def test_questions(name: str, library_name: str, library: LibraryRef, found: list[Title]) -> None:
    judge(views.draft_view(ITEMS, Draft(Shelf(library, library_name), name), PANEL, found))
    judge(views.doomed_view(ITEMS, Doomed(CollectionRef(library.server, "7"), name, library_name, 1204), PANEL))
    judge(views.told_view("Added", f"{views.bold(name)} is in {views.bold(library_name)} now."))
