"""The server about itself: root, identity, clients, accounts, devices, settings, activities."""

from __future__ import annotations

from aiohttp import web

from simulators.plex.answers import account_of, container, flag, nothing, reply
from simulators.plex.details import digest
from simulators.plex.items import LEAF_KINDS
from simulators.plex.render import El, Value
from simulators.plex.server import Server
from simulators.plex.world import Section

FEATURES = (
    "adaptive_bitrate,collections,content_filter,hardware_transcoding,home,loudness,lyrics,pass,session_kick,webhooks"
)
FACES = (
    "activities", "butler", "channels", "clients", "devices", "diagnostics", "hubs", "library", "media", "metadata",
    "playQueues", "player", "playlists", "resources", "search", "server", "servers", "statistics", "system",
    "transcode", "updater", "user",
)  # fmt: skip


class ServerRoutes:
    """`/`, `/identity`, `/clients` and their like."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def table(self) -> list[web.RouteDef]:
        """Routes for the application."""
        return [
            web.get("/", self.root),
            web.get("/identity", self.identity),
            web.get("/clients", self.clients),
            web.get("/resources", self.resources),
            web.get("/accounts", self.accounts),
            web.get("/devices", self.devices),
            web.get("/:/prefs", self.prefs),
            web.put("/:/prefs", self.set_prefs),
            web.get("/security/token", self.token),
            web.get("/updater/status", self.updater),
            web.put("/updater/check", self.check_update),
            web.get("/system/agents", self.agents),
            web.get("/media/providers", self.providers),
            web.get("/servers", self.servers),
        ]

    async def root(self, request: web.Request) -> web.Response:
        """What a client reads first."""
        return reply(request, container([_face(name) for name in FACES], **self._about(request)))

    def _about(self, request: web.Request) -> dict[str, Value]:
        owner = self._server.owner
        known: dict[str, Value] = {
            "allowCameraUpload": True, "allowChannelAccess": True,
            "allowMediaDeletion": self._server.prefs["allowMediaDeletion"], "allowSharing": True,
            "allowSync": True, "allowTuners": True, "backgroundProcessing": True, "certificate": True,
            "companionProxy": True, "countryCode": "usa", "diagnostics": "logs,databases,streaminglogs",
            "eventStream": True, "friendlyName": self._server.name, "hubSearch": True, "itemClusters": True,
            "livetv": 7, "machineIdentifier": self._server.machine_id, "mediaProviders": True, "multiuser": True,
            "musicAnalysis": 2, "myPlex": True, "myPlexMappingState": "mapped", "myPlexSigninState": "ok",
            "myPlexSubscription": True, "myPlexUsername": owner.email, "offlineTranscode": 1, "ownerFeatures": FEATURES,
            "platform": "Linux", "platformVersion": "12 (bookworm)", "pluginHost": True, "pushNotifications": False,
            "readOnlyLibraries": False, "streamingBrainABRVersion": 3, "streamingBrainVersion": 2, "sync": True,
            "transcoderActiveVideoSessions": sum(p.spec.transcodes for p in self._server.sessions()),
            "transcoderAudio": True, "transcoderLyrics": True, "transcoderPhoto": True, "transcoderSubtitles": True,
            "transcoderVideo": True, "transcoderVideoBitrates": "64,96,208,320,720,1500,2000,3000,4000,8000",
            "transcoderVideoQualities": "0,1,2,3,4,5,6,7,8,9,10,11,12",
            "transcoderVideoResolutions": "128,128,160,240,320,480,768,720,720,1080",
            "updatedAt": self._server.world.now,
            "updater": True, "version": self._server.version, "voiceSearch": True,
        }  # fmt: skip
        if not account_of(request).is_owner:
            for secret in ("myPlexUsername", "ownerFeatures", "diagnostics"):
                del known[secret]
        return known

    async def identity(self, request: web.Request) -> web.Response:
        """Needs no token."""
        about: dict[str, Value] = {
            "claimed": True, "machineIdentifier": self._server.machine_id, "version": self._server.version,
        }  # fmt: skip
        return reply(request, container([], **about))

    async def servers(self, request: web.Request) -> web.Response:
        """Itself, as others on the network would list it."""
        one: dict[str, Value] = {
            "name": self._server.name, "host": "127.0.0.1", "address": "127.0.0.1", "port": request.url.port,
            "machineIdentifier": self._server.machine_id, "version": self._server.version,
        }  # fmt: skip
        return reply(request, container([El("Server", one)]))

    async def clients(self, request: web.Request) -> web.Response:
        """Players found on the server's own network."""
        listed = [player for player in self._server.players.values() if player.spec.is_listed and player.is_online]
        return reply(request, container([self._client(player.spec.id) for player in listed]))

    def _client(self, player_id: str) -> El:
        spec = self._server.players[player_id].spec
        return El("Server", {
            "name": spec.title, "host": spec.address, "address": spec.address, "port": self._server.ports[player_id],
            "machineIdentifier": spec.id, "version": spec.version, "protocol": "plex", "product": spec.product,
            "deviceClass": spec.device_class, "protocolVersion": "1", "protocolCapabilities": spec.capabilities,
        })  # fmt: skip

    async def resources(self, request: web.Request) -> web.Response:
        """The server is no player itself."""
        return reply(request, container([]))

    async def accounts(self, request: web.Request) -> web.Response:
        """Accounts with their ids on this server: 1 is the owner."""
        rows = [El("Account", {"id": 0, "key": "/accounts/0", "name": "", **_LANGUAGES, "thumb": ""})]
        rows += [
            El("Account", {"id": each.id, "key": f"/accounts/{each.id}", "name": each.name, **_LANGUAGES, "thumb": ""})
            for each in self._server.world.accounts.values()
        ]
        return reply(request, container(rows, identifier="com.plexapp.system.accounts"))

    async def devices(self, request: web.Request) -> web.Response:
        """Devices that ever connected."""
        rows = [
            El("Device", {
                "id": number, "name": player.spec.title, "platform": player.spec.platform,
                "clientIdentifier": player.spec.id, "createdAt": self._server.world.now,
            })
            for number, player in enumerate(self._server.players.values(), 1)
        ]  # fmt: skip
        return reply(request, container(rows, identifier="com.plexapp.system.devices"))

    async def prefs(self, request: web.Request) -> web.Response:
        """A few settings."""
        rows = [_setting("FriendlyName", self._server.name)]
        rows += [_setting(name, value) for name, value in self._server.prefs.items()]
        return reply(request, container(rows))

    async def set_prefs(self, request: web.Request) -> web.Response:
        """Rename the server, or change what it may do; settings it does not know change nothing."""
        self._server.name = request.query.get("FriendlyName", self._server.name)
        for name, value in request.query.items():
            known = self._server.prefs.get(name)
            if isinstance(known, bool):
                self._server.prefs[name] = value in ("1", "true")
            elif isinstance(known, int) and value.isdigit():
                self._server.prefs[name] = int(value)
        return nothing()

    async def token(self, request: web.Request) -> web.Response:
        """A transient token with the rights of whoever asks, for a player to fetch its queue with."""
        count = len(self._server.transient_tokens)
        token = f"transient-{digest(self._server.machine_id, self._server.boots, count)[:32]}"
        self._server.transient_tokens[token] = account_of(request).id
        return reply(request, container([], token=token))

    async def updater(self, request: web.Request) -> web.Response:
        """No update is waiting."""
        return reply(request, container([], canInstall=False, autoUpdateVersion=0, checkedAt=self._server.world.now))

    async def check_update(self, request: web.Request) -> web.Response:
        """Nothing new."""
        return nothing()

    async def agents(self, request: web.Request) -> web.Response:
        """The metadata agents of a media type."""
        rows = [El("Agent", {"hasAttribution": True, "hasPrefs": True, "identifier": "tv.plex.agents.movie",
                             "primary": True})]  # fmt: skip
        return reply(request, container(rows, identifier="com.plexapp.system"))

    async def providers(self, request: web.Request) -> web.Response:
        """The library as a media provider."""
        account = account_of(request)
        with_storage = flag(request, "includeStorage") and account.is_owner
        rows = [
            self._storage(section, with_storage=with_storage)
            for section in self._server.world.sections.values() if account.may_see(section.id)
        ]  # fmt: skip
        features = [El("Feature", {"key": "/library/sections", "type": "content"}, rows)]
        features += [El("Feature", {"key": f"/{name}", "type": name}) for name in ("search", "playqueue", "playlist")]
        library: dict[str, Value] = {
            "identifier": "com.plexapp.plugins.library", "title": "Library", "types": "video,audio", "protocols":
            "stream,download",
        }  # fmt: skip
        about = self._about(request)
        return reply(request, container([El("MediaProvider", library, features)], **about))

    def _storage(self, section: Section, *, with_storage: bool) -> El:
        """A library as its provider lists it, with the length and the bytes of all its files when asked for."""
        key = f"/library/sections/{section.id}"
        about: dict[str, Value] = {
            "id": str(section.id), "key": key, "hubKey": f"/hubs/sections/{section.id}", "type": section.kind, "title":
            section.title, "agent": section.agent, "language": "en-US", "refreshing": section.is_refreshing, "scanner":
            section.scanner, "uuid": section.uuid, "updatedAt": section.scanned_at, "scannedAt": section.scanned_at,
        }  # fmt: skip
        if with_storage:
            world = self._server.world
            playable = [item for kind in sorted(LEAF_KINDS) for item in world.listed(section.id, kind)]
            about["durationTotal"] = sum(item.duration_ms or 0 for item in playable)
            about["storageTotal"] = sum(world.files(item)[1] for item in playable)
        pivot: dict[str, Value] = {
            "id": "library", "key": f"{key}/all", "type": "list", "title": "Library", "context": "content.library",
            "symbol": "library",
        }  # fmt: skip
        return El("Directory", about, [El("Pivot", pivot)])


_LANGUAGES: dict[str, Value] = {
    "defaultAudioLanguage": "en", "autoSelectAudio": True, "defaultSubtitleLanguage": "en", "subtitleMode": 1,
}  # fmt: skip


def _face(name: str) -> El:
    return El("Directory", {"count": 1, "key": name, "title": name})


def _setting(name: str, value: Value) -> El:
    kind = "bool" if isinstance(value, bool) else "int" if isinstance(value, int) else "text"
    return El("Setting", {
        "id": name, "label": name, "summary": "", "type": kind, "default": "", "value": value, "hidden": False,
        "advanced": False, "group": "general",
    })  # fmt: skip
