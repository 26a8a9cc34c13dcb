"""Remote control: what a player does with the commands of its controllers."""

from __future__ import annotations

import asyncio
import re

from aiohttp import web

from simulators.plex.answers import NotThere, Refused, container, number, reply
from simulators.plex.elements import chosen
from simulators.plex.files import AUDIO, SUBTITLE
from simulators.plex.players import PAUSED, STEP_BACK_MS, STEP_FORWARD_MS, STOPPED, Player
from simulators.plex.queues import PlayQueue
from simulators.plex.render import El, Value
from simulators.plex.server import Server
from simulators.plex.sessions import queue_attrs
from simulators.plex.subscriptions import Subscriptions

POLL_HOLD_S = 30.0  # `wait=1` answers at the latest after this many real seconds
CONTROLLABLE = "playPause,stop,volume,shuffle,repeat,seekTo,skipPrevious,skipNext,stepBack,stepForward"


class Companion:
    """Answers `/player/...` and `/resources` for one player, asked directly or through the server."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._subscriptions = Subscriptions(server, self.timelines)

    def resources(self, player: Player, request: web.Request) -> web.Response:
        """Who this player is."""
        spec = player.spec
        return reply(request, container([El("Player", {
            "title": spec.title, "protocol": "plex", "protocolVersion": "1", "protocolCapabilities": spec.capabilities,
            "machineIdentifier": spec.id, "product": spec.product, "platform": spec.platform, "platformVersion":
            spec.platform_version, "deviceClass": spec.device_class, "version": spec.version,
        })]))  # fmt: skip

    async def handle(self, player: Player, request: web.Request, command: str) -> web.Response:
        """Do `playback/pause`, `timeline/poll` and so on; the 404 page for a command that no player knows."""
        if command == "timeline/poll":
            return await self._poll(player, request)
        if command in ("timeline/subscribe", "timeline/unsubscribe"):
            self._subscribe(player, request, is_wanted=command == "timeline/subscribe")
            return self._done(player)
        if command.startswith(("navigation/", "mirror/")):
            return self._done(player)
        name = command.removeprefix("playback/")
        if name == command or name not in _COMMANDS:
            raise NotThere
        if self._is_stale(player, request):
            player.stale_commands += 1
            return self._done(player)
        self._obey(player, request, name)
        self._server.changed.set()
        return self._done(player)

    def _done(self, player: Player) -> web.Response:
        if player.spec.reply == "text":
            return web.Response(text="OK", content_type="text/plain")
        text = '<?xml version="1.0" encoding="UTF-8"?>\n<Response code="200" status="OK"/>'
        return web.Response(text=text, content_type="text/xml")

    def _is_stale(self, player: Player, request: web.Request) -> bool:
        """Whether a newer command of the same controller came before; 1 begins anew, as a restarted controller does."""
        given = number(request, "commandID")
        controller = request.headers.get("X-Plex-Client-Identifier", "")
        newest = player.last_commands.get(controller, 0)
        if given <= newest and given != 1:
            return True
        player.last_commands[controller] = given
        return False

    def _subscribe(self, player: Player, request: web.Request, *, is_wanted: bool) -> None:
        controller = request.headers.get("X-Plex-Client-Identifier", "")
        if not is_wanted:
            self._subscriptions.remove(player, controller)
            return
        port = number(request, "port")
        if not 0 < port < 65536:
            raise Refused
        self._subscriptions.add(player, controller, request.remote or "127.0.0.1", port, number(request, "commandID"))

    def _obey(self, player: Player, request: web.Request, name: str) -> None:
        now = self._server.clock.now()
        if name == "playMedia":
            self._play_media(player, request, now)
        elif name == "createPlayQueue":
            self._create_queue(player, request, now)
        elif name == "play":
            player.resume(now)
        elif name == "pause":
            player.pause(now)
        elif name == "playPause":
            (player.resume if player.state == PAUSED else player.pause)(now)
        elif name == "stop":
            player.stop(now)
        elif name == "seekTo":
            player.seek(number(request, "offset"), now)
        elif name in ("stepForward", "stepBack"):
            by = STEP_FORWARD_MS if name == "stepForward" else -STEP_BACK_MS
            player.seek(player.position_ms(now) + by, now)
        elif name in ("skipNext", "skipPrevious"):
            player.skip(1 if name == "skipNext" else -1, now)
        elif name == "skipTo":
            self._skip_to(player, request, now)
        elif name == "setParameters":
            self._set_parameters(player, request, now)
        elif name == "setStreams":
            self._set_streams(player, request, now)
        elif name == "refreshPlayQueue" and player.queue is not None and player.entry is not None:
            player.queue.selected_id = player.entry.id

    def _play_media(self, player: Player, request: web.Request, now: float) -> None:
        query = request.query
        if query.get("machineIdentifier", self._server.machine_id) != self._server.machine_id:
            raise Refused
        account = self._server.account_of(query.get("token", "")) or self._server.owner
        match = re.search(r"/playQueues/(\d+)", query.get("containerKey", ""))
        queue = self._server.queues.get(int(match[1])) if match else None
        if queue is None:
            key = query.get("key", "")
            kind = query.get("type", "video")
            queue = self._server.queues.create(
                key, "audio" if kind == "music" else kind, account.id, key=key, shuffle=False, continuous=False
            )
        self._begin(player, queue, request, now, number(request, "offset"))

    def _create_queue(self, player: Player, request: web.Request, now: float) -> None:
        account = self._server.account_of(request.query.get("token", "")) or self._server.owner
        queue = self._server.queues.create(
            request.query.get("uri", ""), request.query.get("type", "video"), account.id,
            key=request.query.get("key"), shuffle=request.query.get("shuffle") == "1", continuous=False,
        )  # fmt: skip
        self._begin(player, queue, request, now, number(request, "offset"))

    def _begin(self, player: Player, queue: PlayQueue, request: web.Request, now: float, offset_ms: int) -> None:
        media_type = queue.selected.item.media_type if queue.selected else queue.media_type
        if media_type not in player.spec.plays:
            raise Refused
        account = self._server.account_of(request.query.get("token", "")) or self._server.account(queue.account)
        if not player.play_queue(queue, account, now, offset_ms):
            raise Refused

    def _skip_to(self, player: Player, request: web.Request, now: float) -> None:
        entries = player.queue.entries if player.queue else []
        item_id, key = number(request, "playQueueItemID"), request.query.get("key", "")
        for entry in entries:
            if entry.id == item_id or key == f"/library/metadata/{entry.item.key}":
                player.skip_to(entry, now)
                return
        raise NotThere

    def _set_parameters(self, player: Player, request: web.Request, now: float) -> None:
        if "volume" in request.query:
            player.volume = min(100, max(0, number(request, "volume")))
        if "mute" in request.query:
            player.is_muted = number(request, "mute") == 1
        if "repeat" in request.query:
            player.repeat = min(2, max(0, number(request, "repeat")))
        if "shuffle" in request.query and player.queue is not None:
            player.shuffle = number(request, "shuffle") == 1
            change = self._server.queues.shuffle if player.shuffle else self._server.queues.unshuffle
            change(player.queue)
        self._server.on_state(player, now)

    def _set_streams(self, player: Player, request: web.Request, now: float) -> None:
        if player.item is None or player.account is None:
            raise NotThere
        media = self._server.world.facts(player.item).media
        known = {each.id: each.kind for part in media[0].parts for each in part.streams} if media else {}
        choices: dict[int, int] = {}
        for name, kind in (("audioStreamID", AUDIO), ("subtitleStreamID", SUBTITLE)):
            if name in request.query:
                wanted = number(request, name)
                if known.get(wanted) != kind and not (kind == SUBTITLE and wanted == 0):
                    raise Refused
                choices[kind] = wanted
        self._server.select_streams(player.account, media[0].parts[0].id, choices)
        self._server.on_state(player, now)

    async def _poll(self, player: Player, request: web.Request) -> web.Response:
        if number(request, "wait") == 1:
            self._server.changed.clear()
            try:
                async with asyncio.timeout(POLL_HOLD_S):
                    await self._server.changed.wait()
            except TimeoutError:
                pass
        return reply(request, self.timelines(player, number(request, "commandID"), self._server.settle()))

    def timelines(self, player: Player, command: int, now: float) -> El:
        """The state of a player: one Timeline for music, photo and video each, at most one of them not stopped."""
        rows = []
        playing = ""
        if player.item is not None and player.state != STOPPED:
            playing = "music" if player.item.media_type == "audio" else "video"
        for kind in ("music", "photo", "video"):
            rows.append(self._timeline(player, kind, now) if kind == playing else _idle(player, kind))
        where = {"music": "fullScreenMusic", "video": "fullScreenVideo"}.get(playing, "navigation")
        return El("MediaContainer", {
            "commandID": command, "location": where, "machineIdentifier": player.spec.id,
        }, rows)  # fmt: skip

    def _timeline(self, player: Player, kind: str, now: float) -> El:
        item, account = player.item, player.account
        assert item is not None
        assert account is not None
        attrs: dict[str, Value] = {
            "type": kind, "itemType": kind, "state": player.state, "time": player.position_ms(now),
            "duration": player.duration_ms, "seekRange": f"0-{player.duration_ms}", "key":
            f"/library/metadata/{item.key}", "ratingKey": str(item.key), "guid": self._server.world.facts(item).guid,
            "machineIdentifier": self._server.machine_id, "address": "127.0.0.1", "protocol": "http",
            "port": self._server.ports.get("server"), "volume": player.volume, "mute": player.is_muted,
            "shuffle": player.shuffle, "repeat": player.repeat, "controllable": CONTROLLABLE + ",audioStream,"
            "subtitleStream", "providerIdentifier": "com.plexapp.plugins.library",
        }  # fmt: skip
        media = self._server.world.facts(item).media
        if media and kind == "video":
            part = media[0].parts[0]
            choice = self._server.world.selections.get((account.id, part.id), {})
            audio, subtitle = chosen(part, choice, AUDIO), chosen(part, choice, SUBTITLE)
            attrs |= {"audioStreamID": audio, "subtitleStreamID": subtitle or -1}
        return El("Timeline", attrs | queue_attrs(self._server, player))


def _idle(player: Player, kind: str) -> El:
    return El("Timeline", {"type": kind, "itemType": kind, "state": STOPPED, "volume": player.volume})


_COMMANDS = frozenset({
    "playMedia", "createPlayQueue", "play", "pause", "playPause", "stop", "seekTo", "stepForward", "stepBack",
    "skipNext", "skipPrevious", "skipTo", "setParameters", "setStreams", "refreshPlayQueue",
})  # fmt: skip
