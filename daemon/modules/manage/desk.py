"""Which library an owner means. Owners look after all there are, whatever the guild sees of them."""

from __future__ import annotations

from daemon.core.errors import UserError
from daemon.core.limits import AUTOCOMPLETE_CHOICES_MAX, CHOICE_CHARS_MAX
from daemon.core.text import clamp, fold, plain
from daemon.core.visibility import LibraryRef
from daemon.services.library import Shelves

from .asking import Chosen

Choices = list[tuple[str, str]]

_SAID_CHARS_MAX = 80


class Desk:
    """One for the module. UserError `unknown_library`."""

    def __init__(self, shelves: Shelves) -> None:
        self._shelves = shelves

    async def libraries(self) -> list[Chosen]:
        """Every library of every server, also of servers that are away, each with a name that tells it from others."""
        found = await self._shelves.every_library()
        names = [fold(one.name) for one in found]
        return [
            Chosen(
                one.ref,
                plain(one.name) if names.count(fold(one.name)) == 1 else f"{plain(one.name)} ({one.ref.server})",
            )
            for one in found
        ]

    async def suggest(self, text: str) -> Choices:
        """(name, reference) of the libraries whose names contain what was typed."""
        wanted = fold(text)
        found = [one for one in await self.libraries() if wanted in fold(one.name)][:AUTOCOMPLETE_CHOICES_MAX]
        return [(clamp(one.name, CHOICE_CHARS_MAX) or one.ref.key, str(one.ref)) for one in found]

    async def library(self, text: str) -> Chosen:
        """The library that was chosen or named."""
        wanted = LibraryRef.parse(text.strip())
        for one in await self.libraries():
            if one.ref == wanted or fold(one.name) == fold(text):
                return one
        said = clamp(plain(text), _SAID_CHARS_MAX)
        raise UserError(
            f"I know no library called “{said}”; choose one from the list while you type.", "unknown_library"
        )
