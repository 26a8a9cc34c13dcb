"""Commands to a server and its players through plexapi, off the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, ParamSpec, Protocol, TypeVar

from daemon.kernel.trace import span
from integrations.plex.adapter_values import QueueMade, ServerSpec, Target, TimelineState
from integrations.plex.threads import Threads

if TYPE_CHECKING:
    from plexapi.server import PlexServer

    from integrations.plex.adapter_calls import Calls

P = ParamSpec("P")
T = TypeVar("T")


class Guard(Protocol):
    """Runs work behind a circuit breaker; UpstreamError RESTING when it is not to be run."""

    async def __call__(self, work: Callable[[], Awaitable[T]], /) -> T:
        """The result of `work()`."""


THREADS = 4  # plexapi holds the interpreter's lock most of the time: more threads would not do more
_POLLS_MAX = 2  # threads that polls of players may occupy, so that a command always finds a free one


class AdapterThreads:
    """The threads all servers share. Nothing runs, and plexapi is not imported, before the first command."""

    def __init__(self) -> None:
        self._threads = Threads(THREADS, "plexapi")
        self.polls = asyncio.Semaphore(_POLLS_MAX)

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`work(...)` in a thread. Cancelling the wait does not stop the work, which has time-outs of its own."""
        return await self._threads.run(lambda: work(*args, **kwargs))

    def close(self) -> None:
        """Take no more work and drop what has not begun."""
        self._threads.close()


class Adapter:
    """Commands for one server. Its methods raise UpstreamError, and PlayerRefused for what a player does not know.

    `guard` is the server's circuit breaker; calls that a player answers do not go through it, because a dead player
    is not a dead server, and have breakers of their own (`control.Control`).
    """

    def __init__(self, threads: AdapterThreads, spec: ServerSpec, guard: Guard) -> None:
        self._threads = threads
        self._spec = spec
        self._guard = guard
        self._calls: Calls | None = None
        self._orders: dict[str, asyncio.Lock] = {}

    async def on_server(self, work: Callable[[PlexServer], T]) -> T:
        """`work(server)` in a thread, with plexapi's own server; `work` belongs into a file beside this one."""
        return await self._guard(lambda: self._run(lambda calls: calls.on_server(work)))

    async def create_queue(self, params: Mapping[str, str | int]) -> QueueMade:
        """Make a play queue."""
        return await self._guard(lambda: self._run(lambda calls: calls.create_queue(params)))

    async def edit_queue(self, method: str, path: str, params: Mapping[str, str | int] | None = None) -> None:
        """PUT or DELETE something below `/playQueues`."""
        await self._guard(lambda: self._run(lambda calls: calls.edit_queue(method, path, params or {})))

    async def delegation_token(self) -> str | None:
        """A short-lived token that a player may be given."""
        return await self._guard(lambda: self._run(lambda calls: calls.delegation_token()))

    async def command(self, target: Target, command: str, params: Mapping[str, str | int], *, is_proxied: bool) -> None:
        """Send a command to a player; commands to one player are sent one after the other."""
        async with self._orders.setdefault(target.player_id, asyncio.Lock()):
            await self._run(lambda calls: calls.command(target, is_proxied, command, params))

    async def timelines(self, target: Target, *, is_proxied: bool) -> tuple[TimelineState, ...]:
        """What the player says it does."""
        async with self._threads.polls:
            return await self._run(lambda calls: calls.timelines(target, is_proxied))

    def close(self) -> None:
        """Close the connections that nothing uses at the moment, without waiting for those in use."""
        if self._calls is not None:
            self._calls.close()

    async def _run(self, work: Callable[[Calls], T]) -> T:
        with span("plex.command", service=self._spec.service):
            return await self._threads.run(self._in_thread, work)

    def _in_thread(self, work: Callable[[Calls], T]) -> T:
        if self._calls is None:
            from integrations.plex.adapter_calls import Calls  # plexapi costs 10 MB: at first need, and off the loop

            self._calls = Calls(self._spec)
        return work(self._calls)
