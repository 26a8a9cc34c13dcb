"""What buttons and menus stand for when it is too much for their ids: kept in the database, found by number."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Generic, Protocol, TypeVar

from daemon.core.clock import Clock
from daemon.core.errors import OutOfDate
from daemon.core.ids import ModuleId, PanelId, ProfileId
from daemon.services.panels import Panel, Panels, Place

SWEEP_S = 3600.0
"""How often `sweep` is worth its while."""


class Keepable(Protocol):
    """A value that can be written as JSON."""

    def to_state(self) -> dict[str, Any]:
        """As JSON; what `read` makes the value of again."""
        ...


T = TypeVar("T", bound=Keepable)


class Kept(Generic[T]):
    """Values of one kind behind a module's buttons and menus, which therefore work after a restart.

    A value belongs to the place where its message stands, and to a profile when it is kept for one: what is asked
    from elsewhere or by somebody else is OutOfDate, as is what is used up or older than `lasts`.
    """

    def __init__(
        self,
        panels: Panels,
        clock: Clock,
        module: ModuleId,
        kind: str,
        read: Callable[[dict[str, Any]], T],
        lasts: timedelta,
    ) -> None:
        self._panels = panels
        self._clock = clock
        self._module = module
        self._kind = kind
        self._read = read
        self._lasts = lasts

    async def keep(self, value: T, place: Place, profile: ProfileId | None = None) -> PanelId:
        """Put a value by; the number stands on the buttons."""
        panel = await self._panels.add(
            module=self._module,
            kind=self._kind,
            app_id=place.app_id,
            guild_id=place.guild_id,
            channel_id=place.channel_id,
            state={"profile": None if profile is None else int(profile), "value": value.to_state()},
        )
        return panel.panel_id

    async def look(self, panel_id: PanelId, place: Place) -> T:
        """The value, as often as somebody asks."""
        return self._read((await self._open(panel_id, place)).state["value"])

    async def take(self, panel_id: PanelId, place: Place, profile: ProfileId) -> T:
        """The value, once: of two who ask together one gets it and the other OutOfDate."""
        panel = await self._open(panel_id, place)
        if panel.state["profile"] not in (None, int(profile)) or not await self._panels.end(panel_id):
            raise OutOfDate
        return self._read(panel.state["value"])

    async def sweep(self) -> None:
        """Give up values that nobody can ask for any more."""
        for panel in await self._panels.open_panels(self._module):
            if panel.kind == self._kind and self._is_too_old(panel):
                await self._panels.end(panel.panel_id)

    async def _open(self, panel_id: PanelId, place: Place) -> Panel:
        panel = await self._panels.get(panel_id)
        if panel is None or panel.module != self._module or panel.kind != self._kind:
            raise OutOfDate
        if panel.ended_at is not None or Place.of(panel) != place or self._is_too_old(panel):
            raise OutOfDate
        return panel

    def _is_too_old(self, panel: Panel) -> bool:
        return panel.created_at < self._clock.now() - self._lasts
