"""Which bot serves which module: commands are registered on it, and notices of the module come from it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from daemon.core.ids import BotName, ModuleId


class Serving:
    """The modules that the operator named for each bot; a bot without any serves all that no other bot names.

    With {"cinema": ["playback"], "rest": []} the bot cinema serves playback alone, and rest serves everything else.
    """

    def __init__(self, named: Mapping[str, Collection[str]]) -> None:
        self._named = {BotName(bot): frozenset(map(ModuleId, modules)) for bot, modules in named.items()}
        self._taken = frozenset[ModuleId]().union(*self._named.values())

    def serves(self, bot: BotName, module: ModuleId) -> bool:
        """Whether this bot has the module's commands."""
        mine = self._named.get(bot, frozenset())
        return module in mine if mine else module not in self._taken

    def rank(self, bots: Collection[BotName], module: ModuleId) -> Sequence[BotName]:
        """All `bots`, those that serve the module first: the order in which they are asked to post for it."""
        return sorted(bots, key=lambda bot: not self.serves(bot, module))

    def unknown(self, known: Collection[ModuleId]) -> dict[BotName, list[ModuleId]]:
        """Names in the lists that are no module's, by bot."""
        odd = {bot: sorted(modules - set(known)) for bot, modules in self._named.items()}
        return {bot: names for bot, names in odd.items() if names}

    def unserved(self, known: Collection[ModuleId]) -> list[ModuleId]:
        """Modules that no bot serves: every bot has a list, and they stand in none."""
        return sorted(module for module in known if not any(self.serves(bot, module) for bot in self._named))
