"""Where Discord is found: normally on the internet, else at one address on loopback that speaks its protocol."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from pathlib import Path

import aiohttp
import structlog
from aiohttp.abc import AbstractResolver, ResolveResult

log = structlog.get_logger(__name__)


class Loopback(AbstractResolver):
    """Answers every name with one loopback address and port; the connector that uses it talks to Discord only."""

    def __init__(self, host: str, port: int) -> None:
        if not ipaddress.ip_address(host).is_loopback:
            raise ValueError(f"{host} is not a loopback address")
        self._host = host
        self._port = port

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The one address, whatever `host` is."""
        version = ipaddress.ip_address(self._host).version
        return [
            ResolveResult(
                hostname=host,
                host=self._host,
                port=self._port,
                family=socket.AF_INET if version == 4 else socket.AF_INET6,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    async def close(self) -> None:
        """Nothing is held."""


class ConnectorFactory:
    """Makes a connector for each client: a client closes its own with itself.

    `connect` None is the internet. The certificate authorities of the system are used unless `ca_file` names others.
    """

    def __init__(self, connect: tuple[str, int] | None, ca_file: Path | None) -> None:
        self._connect = connect
        self._ca_file = ca_file
        self._context: ssl.SSLContext | None = None
        if connect is not None:
            Loopback(*connect)  # refuses another address now rather than at the first connection
            log.warning("discord_is_elsewhere", host=connect[0], port=connect[1], ca_file=str(ca_file or ""))

    async def make(self) -> aiohttp.TCPConnector:
        """A new connector; reading the certificate file is done in a thread, once."""
        if self._context is None:
            cafile = str(self._ca_file) if self._ca_file else None
            self._context = await asyncio.to_thread(ssl.create_default_context, cafile=cafile)
        resolver = Loopback(*self._connect) if self._connect is not None else None
        return aiohttp.TCPConnector(limit=0, resolver=resolver, use_dns_cache=resolver is None, ssl=self._context)
