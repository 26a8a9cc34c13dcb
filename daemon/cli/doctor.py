"""Trying everything the configuration names, as the daemon would use it."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from daemon.cli.findings import Finding
from daemon.cli.scratch import scratch
from daemon.core.errors import ConfigError, UpstreamError, UpstreamKind
from daemon.data import schema, version
from daemon.host.loader import discover, is_enabled
from integrations.discord.doctor import try_bot
from integrations.discord.serving import Serving

if TYPE_CHECKING:
    from daemon.parts import Parts
    from daemon.settings.model import Settings

_LOOK_S = 0.05
_BOT_S = 15.0

_MEND_BOT = {
    UpstreamKind.UNAUTHORIZED: "make a new token in Discord's developer portal (Bot, Reset Token) and set {token}",
    UpstreamKind.BUSY: "Discord has trouble or limits this bot; try again in a few minutes",
}


async def examine(settings: Settings) -> list[Finding]:
    """Everything tried, in the order in which it is needed. Raises nothing for what does not work."""
    findings = await asyncio.to_thread(_examine_machine, settings)
    if settings.redis.url is not None:
        findings.append(await _examine_redis(settings.redis.url.get_secret_value()))
    async with scratch(settings) as parts:
        findings += await _examine_plex(settings, parts)
        await parts.fleet.prepare()
        for name in settings.discord.bots:
            findings.append(await _examine_bot(settings, parts, name))
    findings += await asyncio.to_thread(_examine_serving, settings)
    if not settings.discord.bots:
        mend = "make an application at https://discord.com/developers and set MARQUEE_DISCORD__BOTS__MARQUEE__TOKEN"
        findings.append(Finding("Discord bots", False, "none is configured", mend))
    return findings


def _examine_machine(settings: Settings) -> list[Finding]:
    return [_examine_folder(settings.data_dir), _examine_database(settings), _examine_port(settings)]


def _examine_folder(folder: Path) -> Finding:
    place = folder.absolute()
    while not place.exists() and place != place.parent:
        place = place.parent  # what does not exist yet is made in the nearest folder that does
    if place.is_dir() and os.access(place, os.W_OK | os.X_OK):
        return Finding("Data folder", True, str(folder.absolute()))
    mend = "make it writable for the user who runs the daemon, or set MARQUEE_DATA_DIR"
    return Finding("Data folder", False, f"{folder.absolute()} cannot be written", mend)


def _examine_database(settings: Settings) -> Finding:
    try:
        revision = schema.current(settings.database_url)
    except ConfigError as error:
        return Finding("Database", False, "; ".join(error.mistakes), "correct MARQUEE_DATABASE__URL")
    except UpstreamError as error:
        return Finding("Database", False, str(error), "start the database server, or correct MARQUEE_DATABASE__URL")
    if revision is None:
        return Finding("Database", True, "new, `marquee run` makes it")
    note = "" if revision == version.HEAD else f", `marquee run` upgrades it to {version.HEAD}"
    return Finding("Database", True, f"revision {revision}{note}")


async def _examine_redis(url: str) -> Finding:
    from daemon.services.redis import VERSION_MIN, version_at

    try:
        version = await version_at(url)
    except UpstreamError as error:
        mend = "start Redis, or correct MARQUEE_REDIS__URL; without it the daemon works, each process for itself"
        return Finding("Redis", False, str(error.kind), mend)
    told = ".".join(map(str, version))
    if version < VERSION_MIN:
        return Finding("Redis", False, f"version {told}", f"use {'.'.join(map(str, VERSION_MIN))} or later")
    return Finding("Redis", True, f"version {told}")


def _examine_port(settings: Settings) -> Finding:
    host, port = settings.http.host, settings.http.port
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            taken = _answers_as_marquee(host, port)
            text = "a running Marquee has it" if taken else f"{host}:{port} cannot be used: {error.strerror or error}"
            return Finding("HTTP address", taken, text, "" if taken else "set MARQUEE_HTTP__PORT to a free port")
    return Finding("HTTP address", True, f"{host}:{port} is free")


def _answers_as_marquee(host: str, port: int) -> bool:
    import http.client

    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", "/health")
        return b'"serviceId":"marquee"' in connection.getresponse().read(64 * 1024)
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


async def _examine_plex(settings: Settings, parts: Parts) -> list[Finding]:
    if not settings.plex.servers:
        mend = "set MARQUEE_PLEX__SERVERS__<NAME>__URL and __TOKEN"
        return [Finding("Plex servers", False, "none is configured", mend)]
    await parts.plex.start()
    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + settings.plex.connect_timeout_s + settings.plex.request_timeout_s
    while any(s.checked_at is None for s in parts.plex.server_states()) and loop.time() < deadline_s:  # noqa: ASYNC110
        await asyncio.sleep(_LOOK_S)
    findings = []
    for state in parts.plex.server_states():
        subject = f"Plex server {state.server}"
        if state.is_up:
            findings.append(Finding(subject, True, f"{state.friendly_name}, version {state.version}"))
        else:
            mend = f"is {settings.plex.servers[state.server].url} right, is it running, is the token its owner's?"
            findings.append(Finding(subject, False, state.problem or "did not answer in time", mend))
    await parts.plex.stop()
    return findings


async def _examine_bot(settings: Settings, parts: Parts, name: str) -> Finding:
    subject = f"Discord bot {name}"
    try:
        async with asyncio.timeout(_BOT_S):
            trial = await try_bot(parts.fleet, name)
    except TimeoutError:
        return Finding(subject, False, "Discord did not answer in time", "is Discord reachable from this machine?")
    except UpstreamError as error:
        where = settings.discord.connect or "https://discord.com"
        mend = _MEND_BOT.get(error.kind, f"is {where} reachable from this machine?")
        token = f"MARQUEE_DISCORD__BOTS__{name.upper()}__TOKEN"
        return Finding(subject, False, f"Discord {error.kind}", mend.format(token=token))
    return Finding(subject, True, f"logs in as {trial.user}", invite=trial.invite_url)


def _examine_serving(settings: Settings) -> list[Finding]:
    """Only what is wrong: names that are no module's, modules that no bot serves."""
    if not settings.discord.bots:
        return []
    found = discover(settings.module_folders).modules
    known = [module for module in found if is_enabled(settings.modules.get(module, {}))]
    serving = Serving({name: bot.modules for name, bot in settings.discord.bots.items()})
    findings = [
        Finding(
            f"Discord bot {name}",
            False,
            f"there is no module {', '.join(odd)}",
            f"correct MARQUEE_DISCORD__BOTS__{name.upper()}__MODULES; `marquee modules list` shows which there are",
        )
        for name, odd in serving.unknown(list(found)).items()
    ]
    if unserved := serving.unserved(known):
        mend = "name it in the modules of a bot, or leave the list of one bot empty"
        findings.append(Finding("Discord bots", False, f"no bot serves {', '.join(unserved)}", mend))
    return findings
