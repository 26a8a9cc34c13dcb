"""Which handler a signed custom id belongs to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from weakref import WeakValueDictionary

from daemon.core.errors import ModuleError
from daemon.core.ids import ModuleId
from integrations.discord.components import ComponentSet, Declared
from integrations.discord.custom_ids import CustomId, Signer


@dataclass(frozen=True, slots=True)
class Route:
    """A handler, whose it is and how it was declared; called with (interaction, ids, values or fields)."""

    module: ModuleId
    declared: Declared
    handler: Callable[..., Any]


class Routes:
    """Every component and modal of every module, by kind, module and action."""

    def __init__(self, signer: Signer) -> None:
        self.signer = signer
        self._routes: dict[tuple[bool, str, str], Route] = {}
        self._locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    def add(self, owner: ModuleId, components: ComponentSet) -> None:
        """Route what `components` declares; all or, with a ModuleError, nothing when an action exists already."""
        components.bind(owner, self.signer)
        fresh = {
            (is_modal, str(owner), action): Route(owner, declared, getattr(components, name))
            for (is_modal, action), (declared, name) in components.declared.items()
        }
        if taken := sorted(action for is_modal, module, action in fresh.keys() & self._routes.keys()):
            raise ModuleError(owner, f"declares the component {', '.join(taken)} twice")
        self._routes |= fresh

    def remove(self, owner: ModuleId) -> None:
        """Forget everything of `owner`; its buttons answer "out of date" from now on."""
        self._routes = {key: route for key, route in self._routes.items() if route.module != owner}

    def count(self, owner: ModuleId) -> int:
        """How many components and modals `owner` has."""
        return sum(route.module == owner for route in self._routes.values())

    def find(self, text: str, *, is_modal: bool) -> tuple[CustomId, Route] | None:
        """The meaning of a custom id, or None when it is forged, of another key, or nobody's any more."""
        custom_id = self.signer.read(text)
        if custom_id is None:
            return None
        route = self._routes.get((is_modal, custom_id.module, custom_id.action))
        return (custom_id, route) if route is not None else None

    def lock_of(self, message_id: int) -> asyncio.Lock:
        """The lock that presses on one message share; it lives only while somebody holds it."""
        lock = self._locks.get(message_id)
        if lock is None:
            self._locks[message_id] = lock = asyncio.Lock()
        return lock
