"""What an owner means by a server and a library, and what a guild sees."""

from __future__ import annotations

from dataclasses import dataclass

from daemon.core.errors import UserError
from daemon.core.ids import GuildId, ServerId
from daemon.core.limits import AUTOCOMPLETE_CHOICES_MAX
from daemon.core.text import clamp, fold, plain
from daemon.core.visibility import LibraryRef
from daemon.services.bindings import WHOLE, Binding, Bindings
from daemon.services.library import Shelves
from daemon.services.library.shelves import Library
from integrations.plex import Plex

_SAID_CHARS_MAX = 60
Choice = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Bound:
    """One line of what a guild sees. `name` of a library; None: the whole server."""

    server: ServerId
    name: str | None


class Binder:
    """Binds by name, by number, or by what autocomplete gave; names are looked up among what the mirror knows of."""

    def __init__(self, bindings: Bindings, plex: Plex, shelves: Shelves) -> None:
        self._bindings = bindings
        self._plex = plex
        self._shelves = shelves

    async def bind(self, guild_id: GuildId, server: str, library: str | None) -> tuple[Bound, bool]:
        """Bind; what it was, and whether that is news. UserError for what no server has."""
        binding, name = await self._meant(server, library)
        return Bound(binding.server, name), await self._bindings.bind(guild_id, binding)

    async def unbind(self, guild_id: GuildId, server: str, library: str | None) -> Bound:
        """Take back. UserError when it is not bound, or only as a part of its server."""
        reach = await self._bindings.reach(guild_id)
        if reach is None:
            raise UserError(
                "Nothing is bound here yet, so this server sees everything; /bind what it shall see instead.", "unbound"
            )
        binding, name = await self._meant(server, library, bound=reach)
        if await self._bindings.unbind(guild_id, binding):
            return Bound(binding.server, name)
        if Binding(binding.server) in reach:
            raise UserError(
                f"All of {binding.server} is bound; /unbind that first, then /bind the libraries to be seen.", "whole"
            )
        raise UserError("That is not bound here; /bind shows what is.", "unbound")

    async def bound(self, guild_id: GuildId) -> list[Bound] | None:
        """What the guild sees, by server and name; None: everything, for nobody has bound anything."""
        reach = await self._bindings.reach(guild_id)
        if reach is None:
            return None
        names = {(one.ref.server, one.ref.key): one.name for one in await self._shelves.every_library()}
        found = [
            Bound(one.server, None if one.library == WHOLE else names.get((one.server, one.library), one.library))
            for one in reach
        ]
        return sorted(found, key=lambda one: (one.server, one.name is not None, one.name or ""))

    def suggest_servers(self, text: str) -> list[Choice]:
        """Servers whose name contains `text`."""
        names = [str(state.server) for state in self._plex.server_states()]
        return [(name, name) for name in names if fold(text) in fold(name)][:AUTOCOMPLETE_CHOICES_MAX]

    async def suggest_libraries(self, text: str, server: str | None) -> list[Choice]:
        """Libraries whose name contains `text`, of one server or of all."""
        wanted = fold(server or "")
        found = [one for one in await self._shelves.every_library() if not wanted or fold(one.ref.server) == wanted]
        lines = [(one.name if wanted else f"{one.name} ({one.ref.server})", str(one.ref)) for one in found]
        return [line for line in lines if fold(text) in fold(line[0])][:AUTOCOMPLETE_CHOICES_MAX]

    async def _meant(
        self, server: str, library: str | None, bound: frozenset[Binding] = frozenset()
    ) -> tuple[Binding, str | None]:
        said = fold(server)
        servers = {fold(state.server): state.server for state in self._plex.server_states()}
        servers |= {fold(one.server): one.server for one in bound}  # one that is not in the settings any more
        if said not in servers:
            known = ", ".join(sorted(servers.values())) or "none"
            raise UserError(f"There is no Plex server called “{_quoted(server)}”; there is: {known}.", "no_such_server")
        meant = servers[said]
        if library is None:
            return Binding(meant), None
        found = _library(library, [one for one in await self._shelves.every_library() if one.ref.server == meant])
        if found is not None:
            return Binding(meant, found.ref.key), found.name
        if (gone := Binding(meant, _key(library))) in bound:
            return gone, gone.library
        raise UserError(f"{meant} has no library called “{_quoted(library)}”.", "no_such_library")


def _library(text: str, known: list[Library]) -> Library | None:
    ref = LibraryRef.parse(text)
    if ref is not None:
        return next((one for one in known if one.ref == ref), None)
    named = [one for one in known if fold(one.name) == fold(text)]
    return named[0] if len(named) == 1 else next((one for one in known if one.ref.key == text.strip()), None)


def _key(text: str) -> str:
    ref = LibraryRef.parse(text)
    return text.strip() if ref is None else ref.key


def _quoted(text: str) -> str:
    return clamp(plain(text), _SAID_CHARS_MAX)
