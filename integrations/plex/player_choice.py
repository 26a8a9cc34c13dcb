"""Which player a member means: the one they name, the one they used last, or the only one there is."""

from __future__ import annotations

from collections.abc import Sequence

from daemon.core.errors import UserError
from daemon.core.ids import MemberId, ProfileId
from daemon.core.limits import QUERY_CHARS_MAX, SELECT_OPTIONS_MAX
from daemon.core.media import Player, PlayerRef, Roster
from daemon.core.players import matching, player_choices
from daemon.core.text import clamp, fold, plain
from daemon.core.visibility import Visibility
from daemon.services.last_players import LastPlayers
from integrations.plex.known_players import KnownPlayers
from integrations.plex.plex import Plex

_SAID_CHARS_MAX = 80  # of what a member typed, when a sentence repeats it


class PlayerChoice:
    """Of the players on servers of which the member sees something; the others are as if they were not there.

    UserError codes: `no_player`, `not_controllable`; UpstreamError when a server hides what was meant.
    """

    def __init__(self, plex: Plex, known: KnownPlayers, last: LastPlayers) -> None:
        self._plex = plex
        self._known = known
        self._last = last

    async def choose(
        self, text: str | None, member_id: MemberId, profile_id: ProfileId | None, sees: Visibility
    ) -> Player | list[Player]:
        """The player that is meant, or at most 25 between which the member has to choose."""
        wanted = named(text)
        roster = await seen_roster(self._plex, sees)
        if wanted is not None and not roster.is_blind and not matching(wanted, roster.players):
            roster = await seen_roster(self._plex, sees, is_fresh=True)  # it may have been switched on a moment ago
        if roster.is_blind:
            raise next(iter(roster.failures.values()))
        if wanted is not None:
            return _named_player(wanted, roster)
        able = [player for player in roster.players if player.is_controllable]
        last = await self._last.of(member_id, profile_id)
        if (mine := next((player for player in able if str(player.ref) == last), None)) is not None:
            return mine
        _check_silence(last or "", roster)  # another player must not get what was meant for the last one
        return _one_of(able, roster.players)

    async def glanced(
        self, text: str | None, member_id: MemberId, profile_id: ProfileId | None, sees: Visibility
    ) -> PlayerRef | None:
        """The player that is meant, from memory if that says enough; None while it is not clear."""
        wanted = named(text)
        if wanted is not None and (ref := PlayerRef.parse(wanted)) is not None:
            return ref if sees.sees_of(ref.server) else None
        able = self._recall(sees)
        last = await self._last.of(member_id, profile_id)
        meant = matching(wanted, able) if wanted else [player for player in able if str(player.ref) == last] or able
        if len(meant) == 1:
            return meant[0].ref
        found = await self.choose(text, member_id, profile_id, sees)
        return None if isinstance(found, list) else found.ref

    async def suggest(
        self, text: str, member_id: MemberId, profile_id: ProfileId | None, sees: Visibility
    ) -> list[tuple[str, str]]:
        """(label, reference) of controllable players for `text`, the member's last one first; from memory."""
        known = self._recall(sees)
        wanted = matching(text, known) if fold(text) else known
        return player_choices(wanted, first=await self._last.of(member_id, profile_id))

    async def remember(self, player: PlayerRef, member_id: MemberId, profile_id: ProfileId | None) -> None:
        """It is the one they used last."""
        await self._last.remember(member_id, profile_id, player)

    def _recall(self, sees: Visibility) -> list[Player]:
        return [player for player in self._known.recall() if player.is_controllable and sees.sees_of(player.ref.server)]


async def seen_roster(plex: Plex, sees: Visibility, *, is_fresh: bool = False) -> Roster:
    """The players of the servers of which something is seen, as if there were no others."""
    roster = await plex.roster(is_fresh=is_fresh)
    if sees.libraries is None:
        return roster
    players = tuple(player for player in roster.players if sees.sees_of(player.ref.server))
    failures = {server: error for server, error in roster.failures.items() if sees.sees_of(server)}
    seen = [state for state in plex.server_states() if sees.sees_of(state.server)]
    return Roster(players, failures, bool(failures) and len(failures) == len(seen))


def named(text: str | None) -> str | None:
    """What a member wrote for a player, on one line and bounded; None when nothing was written."""
    return None if text is None else clamp(plain(text[: 4 * QUERY_CHARS_MAX]), QUERY_CHARS_MAX)


def _named_player(text: str, roster: Roster) -> Player | list[Player]:
    found = matching(text, roster.players)
    if not found:
        _check_silence(text, roster)
        if PlayerRef.parse(text):
            raise UserError("That player is not there any more; /players shows who is.", "no_player")
        said = clamp(text, _SAID_CHARS_MAX)
        hint = "".join(
            f" {error.service} {error.kind}, so its players are missing." for error in roster.failures.values()
        )
        raise UserError(f"I know no player called “{said}”; /players shows who is there.{hint}", "no_player")
    able = [player for player in found if player.is_controllable]
    if not able:
        raise UserError(found[0].problem or "It does not answer.", "not_controllable")
    return _one_of(able, found)


def _one_of(able: Sequence[Player], known: Sequence[Player]) -> Player | list[Player]:
    if len(able) == 1:
        return able[0]
    if able:
        return list(able[:SELECT_OPTIONS_MAX])
    if known:
        raise UserError("No player can be controlled now; /players says why.", "no_player")
    raise UserError("No player is there; open Plex on a device first.", "no_player")


def _check_silence(reference: str, roster: Roster) -> None:
    """Raise how the server of the referenced player failed, if it did."""
    ref = PlayerRef.parse(reference)
    if ref is not None and (failure := roster.failures.get(ref.server)) is not None:
        raise failure
