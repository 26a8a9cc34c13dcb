"""Readers for whoever reads libraries without the daemon around it: a command, a benchmark."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from daemon.core.errors import UpstreamError, UpstreamKind
from daemon.core.ids import ServerId
from daemon.kernel.health import Health
from daemon.kernel.metrics import Metrics
from integrations.plex.config import PlexServerConfig, PlexTimeouts
from integrations.plex.http import ServerHttp, new_session
from integrations.plex.mirror import MirrorReader
from integrations.plex.shapes import container, text


@asynccontextmanager
async def readers(
    servers: Mapping[ServerId, PlexServerConfig],
    client_identifier: str,
    timeouts: PlexTimeouts,
    metrics: Metrics,
    health: Health,
) -> AsyncIterator[dict[ServerId, MirrorReader]]:
    """A reader for each server; their connections are closed when the block ends. Nothing is asked yet."""
    async with new_session() as session:
        yield {
            name: MirrorReader(
                name, ServerHttp(name, config, client_identifier, session, timeouts, metrics, health), timeouts
            )
            for name, config in servers.items()
        }


async def check_identity(reader: MirrorReader, known: str | None) -> str:
    """The identifier of a server; UpstreamError when it is not the `known` one: titles of two are not to be mixed."""
    answer = await reader.http.fetch("/", decode=container)
    identifier = text(answer.machineIdentifier)
    if identifier is None:
        raise UpstreamError(reader.http.service, UpstreamKind.BROKEN, "no machineIdentifier")
    if known is not None and identifier != known:
        raise UpstreamError(reader.http.service, UpstreamKind.WRONG_SERVER)
    return identifier
