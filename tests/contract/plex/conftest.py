"""A simulated Plex with its clock standing still, and ways to ask it things."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar
from xml.etree import ElementTree

import aiohttp
import plexapi
import pytest
import requests
from plexapi.server import PlexServer

from simulators.clock import SimClock
from simulators.plex.sim import PlexSim

T = TypeVar("T")
FIXTURES = Path(__file__).resolve().parents[4] / "shared" / "plex-fixtures"


@pytest.fixture
def captured() -> Path:
    """The folder of captured answers of real servers."""
    if not FIXTURES.is_dir():
        pytest.skip(f"captured Plex answers are not at {FIXTURES}")
    return FIXTURES


@pytest.fixture
async def sim() -> AsyncIterator[PlexSim]:
    async with PlexSim(clock=SimClock(speed=0)) as running:
        yield running


class Asker:
    """A plain HTTP client with the owner's token in its headers."""

    def __init__(self, sim: PlexSim, http: aiohttp.ClientSession) -> None:
        self._sim = sim
        self._http = http

    async def raw(
        self, path: str, *, method: str = "GET", token: str | None = None, base: str | None = None, **headers: str
    ) -> tuple[int, bytes, dict[str, str]]:
        """Status, body and headers; `token` "" sends none."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token != "":
            sent["X-Plex-Token"] = token or self._sim.token
        async with self._http.request(method, (base or self._sim.url) + path, headers=sent) as response:
            return response.status, await response.read(), dict(response.headers)

    async def json(self, path: str, *, method: str = "GET", token: str | None = None, **headers: str) -> dict[str, Any]:
        """The MediaContainer of a JSON answer."""
        async with self._http.request(
            method,
            self._sim.url + path,
            headers={"X-Plex-Token": token or self._sim.token, "Accept": "application/json"}
            | {name.replace("_", "-"): value for name, value in headers.items()},
        ) as response:
            assert response.status == 200, (path, response.status)
            container: dict[str, Any] = (await response.json())["MediaContainer"]
            return container

    async def xml(self, path: str, **options: Any) -> ElementTree.Element:
        """The root of an XML answer."""
        status, body, _ = await self.raw(path, **options)
        assert status == 200, (path, status)
        return ElementTree.fromstring(body)

    async def control(self, path: str, body: Any = None, *, method: str = "POST") -> Any:
        """The JSON answer of the control API."""
        async with self._http.request(method, self._sim.control_url + path, json=body) as response:
            return await response.json()


@pytest.fixture
async def ask(sim: PlexSim) -> AsyncIterator[Asker]:
    # a kept connection that breaks makes aiohttp ask again by itself, which hides a dropped one
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as http:
        yield Asker(sim, http)


class RealClient:
    """The real plexapi, in a thread, its connections closed at the end."""

    def __init__(self, sim: PlexSim, session: requests.Session) -> None:
        self._sim = sim
        self._session = session

    async def run(self, work: Callable[[PlexServer], T], *, token: str | None = None) -> T:
        """What `work` returns for a connected server."""

        def call() -> T:
            return work(PlexServer(self._sim.url, token or self._sim.token, session=self._session))

        return await asyncio.to_thread(call)


@pytest.fixture
def real(sim: PlexSim) -> Iterator[RealClient]:
    before = dict(plexapi.BASE_HEADERS)
    with requests.Session() as session:
        yield RealClient(sim, session)
    # plexapi writes the last player's id and token into this module-global dictionary
    plexapi.BASE_HEADERS.clear()
    plexapi.BASE_HEADERS.update(before)
