"""Asking all servers at once, so that one that hangs does not hold up the others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine, Mapping
from typing import Any, TypeVar

from daemon.core.errors import UpstreamError, UpstreamKind
from daemon.core.ids import ServerId
from daemon.kernel.tasks import Supervisor
from integrations.plex.errors import service_of

T = TypeVar("T")

OTHERS_S = 1.0  # real seconds the others get once one server has answered


async def ask_all(
    supervisor: Supervisor, questions: Mapping[ServerId, Coroutine[Any, Any, T]]
) -> dict[ServerId, T | UpstreamError]:
    """Each server's answer, or how it failed, in the order given.

    While no server has answered all are waited for. A server that is left behind is TIMED_OUT for the caller; its
    question goes on, so that its answer, or its failure, is known the next time.
    """
    tasks = {
        name: supervisor.spawn(f"plex:{name}:ask", attempt(question), owner="plex")
        for name, question in questions.items()
    }
    pending = set(tasks.values())
    while pending:
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        if any(not isinstance(task.result(), UpstreamError) for task in done):
            if pending:
                await asyncio.wait(pending, timeout=OTHERS_S)
            break
    return {
        name: task.result() if task.done() else UpstreamError(service_of(name), UpstreamKind.TIMED_OUT, "left behind")
        for name, task in tasks.items()
    }


async def attempt(work: Awaitable[T]) -> T | UpstreamError:
    """The result, or the failure as a value, so that one server's failure does not hide the others' answers."""
    try:
        return await work
    except UpstreamError as error:
        return error
