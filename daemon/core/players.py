"""Which player a member means. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from daemon.core.limits import AUTOCOMPLETE_CHOICES_MAX, CHOICE_CHARS_MAX
from daemon.core.media import Player, PlayerRef, PlayState
from daemon.core.text import clamp, fold, plain


def player_name(player: Player) -> str:
    """The player's name on one line, never empty."""
    return plain(player.name) or plain(player.product) or "Unnamed player"


def player_label(player: Player, *, where: str = "") -> str:
    """A line for a list: `Living Room · Plex HTPC · playing`; at most 100 characters."""
    state = player.state.value if player.state is not PlayState.STOPPED else ""
    tail = "".join(f" · {part}" for part in (clamp(plain(player.product), 40), state, where) if part)
    return clamp(player_name(player), CHOICE_CHARS_MAX - len(tail)) + tail


def about(player: Player) -> list[str]:
    """What the player is, where its server is, and what it does, each said once: DLNA on DLNA is `DLNA`."""
    product, platform = plain(player.product), plain(player.platform)
    platform = "" if platform.casefold() in product.casefold() else platform
    state = player.state.value if player.state is not PlayState.STOPPED else ""
    return [part for part in (product, platform, player.ref.server, state) if part]


def why_not(player: Player) -> str:
    """Why it cannot be controlled, as a sentence that stands beside its name and so does without it; "" when it can.

    "Basement TV plays over DLNA, ..." is "Plays over DLNA, ...".
    """
    sentence = plain(player.problem or "").removeprefix(player_name(player)).strip()
    return sentence[:1].upper() + sentence[1:]


def player_choices(players: Sequence[Player], *, first: str | None = None) -> list[tuple[str, str]]:
    """(label, reference) for at most 25 players, the one whose reference is `first` at the top."""
    ordered = sorted(players, key=lambda player: str(player.ref) != first)[:AUTOCOMPLETE_CHOICES_MAX]
    labels = Counter(player_label(player) for player in ordered)
    lines = [
        (player_label(player, where=player.ref.server if labels[player_label(player)] > 1 else ""), str(player.ref))
        for player in ordered
    ]
    return [(label, reference) for label, reference in lines if len(reference) <= CHOICE_CHARS_MAX]


def matching(text: str, players: Iterable[Player]) -> list[Player]:
    """The players that `text` may mean: a reference, else the same name, else names that begin so, else contain it."""
    known = list(players)
    if (ref := PlayerRef.parse(text)) is not None:
        return [player for player in known if player.ref == ref]
    wanted = fold(text)
    if not wanted:
        return []
    names = {player.ref: fold(player_name(player)) for player in known}
    for fits in (str.__eq__, str.startswith, str.__contains__):
        if found := [player for player in known if fits(names[player.ref], wanted)]:
            return found
    return []
