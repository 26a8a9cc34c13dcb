"""plex.tv through its simulator: signing in by PIN, shares with filters, and every way in which it can fail."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import pytest
import pytest_asyncio
import structlog

from daemon.core.errors import UpstreamError, UpstreamKind
from daemon.core.ids import AccountId
from daemon.core.shares import Share
from daemon.kernel.clock import SystemClock
from daemon.kernel.health import Health
from daemon.kernel.logs import redact
from daemon.kernel.metrics import Metrics
from daemon.kernel.tasks import Supervisor
from integrations.plex import PlexServerConfig, PlexTv
from simulators.plex.guests import share_everything
from simulators.plex.sim import PlexSim
from tests.integration.plex.stage import ATTIC, CLIENT, QUICK


@pytest_asyncio.fixture
async def plex_tv(sim: PlexSim) -> AsyncIterator[PlexTv]:
    metrics = Metrics()
    health = Health(Supervisor(log=structlog.get_logger("tests"), metrics=metrics), SystemClock())
    servers = {ATTIC: PlexServerConfig(sim.url, sim.token)}
    made = PlexTv(sim.account_url, servers, CLIENT, health, metrics, replace(QUICK, request_s=1.0))
    await made.start()
    yield made
    await made.stop()


async def approve(sim: PlexSim, code: str, account: str) -> None:
    form = {"code": code, "account": sim.server.account(account).id}
    async with aiohttp.ClientSession() as browser, browser.post(f"{sim.account_url}/link", data=form) as page:
        assert page.status == 200
    sim.server.requests.pop()  # the browser is not the daemon: it has no identifier of ours


async def test_a_pin_is_made_approved_and_tells_whose_it_is(sim: PlexSim, plex_tv: PlexTv) -> None:
    pin = await plex_tv.create_pin()
    assert len(pin.code) > 20  # strong: nobody types it in, and nobody guesses it
    assert 890 < pin.expires_in_s <= 900
    assert pin.code not in repr(pin)
    url = plex_tv.sign_in_url(pin.code, "alice on Discord")
    assert url == f"{sim.account_url}/link?clientID={CLIENT}&code={pin.code}"
    waiting = await plex_tv.check_pin(pin.pin_id, pin.code)
    assert waiting is not None
    assert waiting.token is None
    await approve(sim, pin.code, "Marcus")
    found = await plex_tv.check_pin(pin.pin_id, pin.code)
    assert found is not None
    assert found.token == sim.account_token_of("Marcus")
    assert sim.account_token_of("Marcus") not in redact(f"token {found.token}")
    user = await plex_tv.user(found.token)
    assert (user.account_id, user.name) == (sim.server.account("Marcus").remote_id, "Marcus")


async def test_a_pin_of_another_code_is_none_of_ours(sim: PlexSim, plex_tv: PlexTv) -> None:
    first, second = await plex_tv.create_pin(), await plex_tv.create_pin()
    await approve(sim, second.code, "Marcus")
    assert await plex_tv.check_pin(second.pin_id, first.code) is None
    assert await plex_tv.check_pin(99, first.code) is None


async def test_a_pin_runs_out(sim: PlexSim, plex_tv: PlexTv) -> None:
    pin = await plex_tv.create_pin()
    sim.server.clock.jump(901)
    assert await plex_tv.check_pin(pin.pin_id, pin.code) is None


async def test_shares_with_their_filters(sim: PlexSim, plex_tv: PlexTv) -> None:
    sim.restrict("Juno", sections={4}, filter_movies="label=Kids|contentRating!=R")
    kid, yuki = sim.server.account("Juno"), sim.server.account("Yuki")
    share_everything(sim.server, yuki)
    shares = await plex_tv.shares(ATTIC, sim.server.machine_id)
    assert shares == {
        AccountId(sim.server.owner.remote_id): Share(),
        AccountId(sim.server.account("Marcus").remote_id): Share(frozenset({"1", "2"})),
        AccountId(yuki.remote_id): Share(),
        AccountId(kid.remote_id): Share(frozenset({"4"}), {"movie": "label=Kids|contentRating!=R"}),
    }
    assert await plex_tv.shares(ATTIC, "another-server") == {AccountId(sim.server.owner.remote_id): Share()}
    managed = [user.name for user in await plex_tv.users(ATTIC) if user.is_managed and user.is_home]
    assert managed == ["Juno"]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (401, UpstreamKind.UNAUTHORIZED),
        (498, UpstreamKind.UNAUTHORIZED),
        (403, UpstreamKind.FORBIDDEN),
        (429, UpstreamKind.BUSY),
        (503, UpstreamKind.BUSY),
        (522, UpstreamKind.BROKEN),
        ("html", UpstreamKind.BROKEN),
        ("empty", UpstreamKind.BROKEN),
        ("garbage", UpstreamKind.BROKEN),
        ("truncate", UpstreamKind.BROKEN),
        ("drop", UpstreamKind.UNREACHABLE),
        ("hold", UpstreamKind.TIMED_OUT),
    ],
)
async def test_every_failure_names_plex_tv(sim: PlexSim, plex_tv: PlexTv, fault: int | str, kind: UpstreamKind) -> None:
    sim.faults.add(r"/_plex\.tv/", fault, where="account")
    for ask in (plex_tv.user(sim.token), plex_tv.users(ATTIC)):
        with pytest.raises(UpstreamError) as failure:
            await ask
        assert (failure.value.service, failure.value.kind) == ("plex.tv", kind)
        assert sim.token not in str(failure.value)
    sim.faults.clear()


async def test_plex_tv_is_left_alone_after_repeated_failures(sim: PlexSim, plex_tv: PlexTv) -> None:
    fault = sim.faults.add(r"/_plex\.tv/", 503, where="account")
    kinds = []
    for _ in range(QUICK.breaker_failures_max + 1):
        with pytest.raises(UpstreamError) as failure:
            await plex_tv.create_pin()
        kinds.append(failure.value.kind)
    assert kinds[-1] is UpstreamKind.RESTING
    assert fault.hits == QUICK.breaker_failures_max


def test_the_real_page_shows_what_asks() -> None:
    metrics = Metrics()
    health = Health(Supervisor(log=structlog.get_logger("tests"), metrics=metrics), SystemClock())
    real = PlexTv("https://plex.tv", {}, CLIENT, health, metrics)
    url = real.sign_in_url("abc", "alice & bob on Discord")
    assert url.startswith("https://app.plex.tv/auth#?clientID=marquee-test-client&code=abc&")
    assert "context%5Bdevice%5D%5BdeviceName%5D=alice%20%26%20bob%20on%20Discord" in url
