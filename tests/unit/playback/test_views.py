"""Every message that playback builds is one that Discord takes, whatever Plex calls its titles, players and tracks."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import Phase as HypothesisPhase
from hypothesis import strategies as st

from daemon.core.errors import UpstreamError, UpstreamKind
from daemon.core.ids import ModuleId, PanelId, PlayerId, RatingKey, ServerId
from daemon.core.media import (
    NowPlaying,
    Playback,
    Player,
    PlayerRef,
    PlayQueue,
    PlayState,
    QueueItem,
    Stream,
    StreamKind,
    Title,
    TitleKind,
    TitleRef,
)
from daemon.core.players import player_choices
from daemon.modules.playback import views
from daemon.modules.playback.commands_components import PlaybackComponents
from daemon.modules.playback.faces import Face
from daemon.modules.playback.titles import title_choices
from integrations.discord.custom_ids import Signer
from integrations.discord.routes import Routes
from integrations.discord.ui.paginator import page_of
from tests.discord_messages import judge
from tests.unit.playback.things import NOON

# Long names are rare in random data, and they are what breaks things.
NAMES = st.one_of(st.text(max_size=40), st.text(min_size=1, max_size=6).map(lambda text: text * 120))
KEYS = st.integers(1, 10**12)
SERVERS = st.sampled_from([ServerId("attic"), ServerId("a" * 40)])
# Not shrunk: that takes minutes with values as big as these, and the first example tells enough.
SLOW = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=(HypothesisPhase.explicit, HypothesisPhase.reuse, HypothesisPhase.generate),
)


class Items(PlaybackComponents):
    """The builders of playback's components, without anything to carry out."""

    def __init__(self) -> None: ...


ITEMS = Items()
Routes(Signer(b"k" * 32)).add(ModuleId("playback"), ITEMS)

TITLES = st.builds(
    Title,
    st.builds(TitleRef, SERVERS, KEYS.map(lambda key: RatingKey(str(key)))),
    st.sampled_from(TitleKind),
    NAMES,
    year=st.none() | st.integers(0, 9999),
    duration_ms=st.none() | st.integers(0, 10**9),
    parent=st.none() | NAMES,
    grandparent=st.none() | NAMES,
    index=st.none() | st.integers(0, 99_999),
    library=st.none() | NAMES,
)
PLAYERS = st.builds(
    Player,
    st.builds(PlayerRef, SERVERS, st.text("abc-9", min_size=1, max_size=90).map(PlayerId)),
    NAMES,
    NAMES,
    platform=NAMES,
    state=st.sampled_from(PlayState),
    problem=st.none() | NAMES.filter(bool),
)


def streams(kind: StreamKind) -> st.SearchStrategy[tuple[Stream, ...]]:
    one = st.builds(Stream, KEYS, st.just(kind), NAMES, language=st.none() | NAMES, is_selected=st.booleans())
    return st.lists(one, max_size=40, unique_by=lambda stream: stream.stream_id).map(tuple)


PLAYBACKS = st.builds(
    Playback,
    PLAYERS,
    TITLES,
    st.sampled_from(PlayState),
    st.integers(0, 10**9),
    st.integers(0, 10**9),
    st.just(NOON),
    account=st.none() | NAMES,
    volume=st.none() | st.integers(0, 100),
    audio=streams(StreamKind.AUDIO),
    subtitles=streams(StreamKind.SUBTITLE),
)
PANELS = st.integers(1, 2**63 - 1).map(PanelId)


@SLOW
@given(PANELS, PLAYBACKS, TITLES, st.none() | NAMES.filter(bool), st.sampled_from([None, b"\x89PNG", b"JPEG"]))
def test_a_card_in_every_phase_is_taken(
    panel: PanelId, playback: Playback, title: Title, problem: str | None, image: bytes | None
) -> None:
    live = Face.live(playback, NOON, problem)
    starting = Face.starting(title, playback.player.name)
    for face in (live, starting, live.ended(), starting.ended(), live.replaced(), live.with_notice("x" * 5_000)):
        judge(views.card_view(ITEMS, panel, face.with_poster(image)))


@SLOW
@given(PANELS, st.lists(TITLES, min_size=1, max_size=40, unique_by=lambda title: title.ref))
def test_a_menu_of_titles_is_taken(panel: PanelId, titles: list[Title]) -> None:
    judge(views.menu_view(ITEMS, "pick-title", panel, "Which one?", title_choices(titles)))


@SLOW
@given(PANELS, st.lists(PLAYERS, min_size=1, max_size=40, unique_by=lambda player: player.ref))
def test_a_menu_of_players_is_taken(panel: PanelId, players: list[Player]) -> None:
    lines = player_choices(players)
    if lines:
        judge(views.menu_view(ITEMS, "pick-player", panel, "On which player?", lines))


@SLOW
@given(
    st.lists(PLAYBACKS, max_size=12),
    st.integers(-1, 9),
    st.dictionaries(SERVERS, st.none() | st.floats(0, 1e6)),
)
def test_what_is_playing_is_taken(playbacks: list[Playback], number: int, silent: dict[ServerId, float | None]) -> None:
    now = NowPlaying(
        tuple(playbacks),
        {server: UpstreamError("x", UpstreamKind.TIMED_OUT) for server in silent},
        ages_s={server: age_s for server, age_s in silent.items() if age_s is not None},
    )
    lines = [(playback, playback.position_at(NOON)) for playback in playbacks]
    judge(views.now_view(ITEMS, "42", now, page_of(lines, number, views.NOW_PAGE)))


@SLOW
@given(st.lists(PLAYERS, max_size=30), st.integers(-1, 9), st.lists(SERVERS, unique=True))
def test_the_players_are_taken(players: list[Player], number: int, silent: list[ServerId]) -> None:
    judge(views.players_view(ITEMS, "42", page_of(players, number, views.PLAYERS_PAGE), silent))


@SLOW
@given(PANELS, PLAYERS, st.lists(TITLES, max_size=30), st.integers(-1, 9), st.integers(0, 10**6))
def test_a_queue_is_taken(panel: PanelId, player: Player, titles: list[Title], number: int, more: int) -> None:
    entries = tuple(QueueItem(place, title) for place, title in enumerate(titles))
    queue = PlayQueue(1, entries, 0, len(entries) + more)
    judge(views.queue_view(ITEMS, queue, player, page_of(entries, number, views.QUEUE_PAGE), panel))


@SLOW
@given(NAMES)
def test_a_note_is_taken(sentence: str) -> None:
    judge(views.note_view(sentence))
