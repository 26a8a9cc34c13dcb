"""Which title an owner means, and that what is done is done to what they were shown."""

from __future__ import annotations

from daemon.core.errors import UserError
from daemon.core.limits import AUTOCOMPLETE_CHOICES_MAX, CHOICE_CHARS_MAX, QUERY_CHARS_MAX
from daemon.core.media import Title, TitleRef
from daemon.core.query import folded
from daemon.core.text import clamp, plain
from daemon.core.titles import title_name
from daemon.services.library import Search
from integrations.plex import Editing
from integrations.plex.editing_shapes import Editable

from .titles_asking import Named

Choices = list[tuple[str, str]]

_FOUND_MAX = 10
_SAID_CHARS_MAX = 80


class TitleDesk:
    """Owners look after all titles, whatever a guild sees of them. UserError `unknown_title`, `several`, `changed`."""

    def __init__(self, search: Search, editing: Editing) -> None:
        self._search = search
        self.editing = editing

    async def suggest(self, text: str) -> Choices:
        """(name and library, reference) of titles for what somebody is typing."""
        found = await self._search.suggest(text, limit=AUTOCOMPLETE_CHOICES_MAX) if folded(text) else []
        return [(_label(title), str(title.ref)) for title in found]

    async def title(self, text: str) -> Editable:
        """The title that was chosen or named, as its server has it now."""
        said = clamp(plain(text), QUERY_CHARS_MAX)
        if (ref := TitleRef.parse(said)) is not None:
            return await self.editing.read(ref)
        found = (await self._search.find(said, limit=_FOUND_MAX)).titles if said else ()
        same = [title for title in found if folded(said) in (folded(title.name), folded(str(title)))]
        meant = same if len(same) == 1 else list(found)
        if not meant:
            said = clamp(said, _SAID_CHARS_MAX)
            raise UserError(f"I found nothing called “{said}”; choose a title from the list.", "unknown_title")
        if len(meant) > 1:
            names = ", ".join(title_name(title) for title in meant[:3])
            raise UserError(f"Several titles fit: {names}; choose one from the list while you type.", "several")
        return await self.editing.read(meant[0].ref)

    async def unchanged(self, shown: Named) -> Editable:
        """The title, whose files must be those that were shown when the question was asked."""
        title = await self.editing.read(shown.ref)
        if (title.versions, title.folders) != (shown.versions, shown.folders):
            raise UserError(f"The files of {title} have changed since; nothing was done. Ask again.", "changed")
        return title


def _label(title: Title) -> str:
    tail = clamp(f" · {title.kind.value} · {plain(title.library or '')}".rstrip(" ·"), CHOICE_CHARS_MAX // 2)
    return clamp(title_name(title), CHOICE_CHARS_MAX - len(tail)) + tail
