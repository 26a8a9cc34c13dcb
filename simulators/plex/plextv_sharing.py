"""With whom the owner shares the server at plex.tv: friends, the members of the home, their libraries and filters."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from simulators.plex.answers import NotThere, Refused, container, html_error, reply, wants_json
from simulators.plex.gate import ACCOUNT_FACE
from simulators.plex.guests import invite, restrict, unshare
from simulators.plex.plextv import avatar_of, signed_in
from simulators.plex.render import El, Value
from simulators.plex.restrictions import BadFilter
from simulators.plex.server import Server
from simulators.plex.world import Account

SECTION_IDS_FROM = 9_000  # plex.tv numbers libraries on its own: 9001 is section 1
_ARGUMENTS = {
    "filterAll": "filter_all", "filterMovies": "filter_movies", "filterTelevision": "filter_television", "filterMusic":
    "filter_music", "filterPhotos": "filter_photos",
}  # fmt: skip


class SharingRoutes:
    """`/api/users`, `/api/home/users`, `/api/servers/M/...` and `/api/v2/sharings`."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def table(self) -> list[web.RouteDef]:
        """Routes for the application."""
        face = ACCOUNT_FACE
        shares = f"{face}/api/servers/{{machine}}/shared_servers"
        return [
            web.get(f"{face}/api/users/", self.users),
            web.get(f"{face}/api/users", self.users),
            web.get(f"{face}/api/v2/friends", self.friends),
            web.get(f"{face}/api/home/users", self.home),
            web.get(f"{face}/api/home/users/", self.home),
            web.get(f"{face}/api/v2/home/users", self.home_v2),
            web.post(f"{face}/api/home/users/{{id}}/switch", self.switch),
            web.post(f"{face}/api/v2/home/users/{{id}}/switch", self.switch),
            web.get(f"{face}/api/servers/{{machine}}", self.libraries),
            web.get(shares, self.shares),
            web.post(shares, self.share),
            web.put(f"{shares}/{{id}}", self.change_share),
            web.delete(f"{shares}/{{id}}", self.end_share),
            web.put(f"{face}/api/v2/sharings/{{id}}", self.change_filters),
            web.delete(f"{face}/api/v2/sharings/{{id}}", self.end_sharing),
        ]

    def _guests(self, request: web.Request) -> list[Account]:
        """With whom whoever asks shares; a guest shares nothing."""
        asker = signed_in(self._server, request)
        everybody = self._server.world.accounts.values()
        return [each for each in everybody if not each.is_owner and each.is_shared] if asker.is_owner else []

    def _guest(self, request: web.Request, *, by_share: bool = False) -> Account:
        wanted = request.match_info["id"]
        for each in self._guests(request):
            if wanted in ((str(_share_id(each)),) if by_share else (str(each.remote_id), each.uuid)):
                return each
        raise NotThere

    async def users(self, request: web.Request) -> web.Response:
        """Friends and managed users with their filters; XML only, as the real one."""
        rows = [self._user(each) for each in self._guests(request)]
        root = container(
            rows, friendlyName="myPlex", identifier="com.plexapp.plugins.myplex",
            machineIdentifier=self._server.machine_id, totalSize=len(rows),
        )  # fmt: skip
        return reply(request, root)

    def _user(self, account: Account) -> El:
        servers = [self._share_of(self._server, account)]
        for sibling in self._server.siblings:
            there = next(
                (each for each in sibling.world.accounts.values() if each.remote_id == account.remote_id), None
            )  # fmt: skip
            if there is not None and there.is_shared:
                servers.append(self._share_of(sibling, there))
        filters: dict[str, Value] = dict(account.filters.shown())
        return El("User", {
            "id": account.remote_id, "title": account.name, "username": "" if account.is_managed else account.name,
            "email": account.email, "recommendationsPlaylistId": "", "thumb": avatar_of(account), "protected":
            bool(account.pin), "home": account.is_managed, "allowTuners": False, "allowSync": False,
            "allowCameraUpload": False, "allowChannels": False, "allowSubtitleAdmin": False, **filters,
            "restricted": account.is_managed,
        }, servers)  # fmt: skip

    def _share_of(self, server: Server, account: Account) -> El:
        count = len(server.world.sections if account.sections is None else account.sections)
        return El("Server", {
            "id": _share_id(account), "serverId": "1", "machineIdentifier": server.machine_id, "name": server.name,
            "lastSeenAt": 1_768_000_000, "numLibraries": count, "allLibraries": account.sections is None,
            "owned": True, "pending": False,
        })  # fmt: skip

    async def friends(self, request: web.Request) -> web.Response:
        """The same people for those who ask in JSON."""
        shown = []
        for each in self._guests(request):
            settings = {"allowSync": False, "allowTuners": 0, **each.filters.shown()}
            share = {
                "id": _share_id(each), "name": self._server.name, "machineIdentifier": self._server.machine_id,
                "invitedId": each.remote_id, "accepted": True, "owned": True, "allLibraries": each.sections is None,
                "libraries": self._libraries(each), "sharingSettings": settings,
            }  # fmt: skip
            shown.append({
                "id": each.remote_id, "uuid": each.uuid, "title": each.name, "friendlyName": each.name, "status":
                "accepted", "username": None if each.is_managed else each.name, "email": each.email or None,
                "restricted": each.is_managed, "home": each.is_managed, "thumb": avatar_of(each),
                "sharingSettings": settings, "sharedServers": [share], "sharedSources": [],
            })  # fmt: skip
        return web.json_response(shown)

    def _libraries(self, account: Account) -> list[dict[str, Any]]:
        return [
            {"id": SECTION_IDS_FROM + each.id, "key": each.id, "title": each.title, "type": each.kind}
            for each in self._server.world.sections.values() if account.may_see(each.id)
        ]  # fmt: skip

    def _household(self, request: web.Request) -> list[dict[str, Any]]:
        signed_in(self._server, request)
        return [
            {
                "id": each.remote_id, "uuid": each.uuid, "title": each.name, "username": "" if each.is_managed else
                each.name, "email": each.email, "friendlyName": each.name, "thumb": avatar_of(each), "hasPassword":
                not each.is_managed, "restricted": each.is_managed, "admin": each.is_owner, "guest": False,
                "protected": bool(each.pin),
            }
            for each in self._server.world.accounts.values() if each.is_owner or each.is_managed
        ]  # fmt: skip

    async def home(self, request: web.Request) -> web.Response:
        """The owner and the managed accounts of the home."""
        rows = [El("User", each) for each in self._household(request)]
        return reply(request, container(rows, friendlyName="myPlex", identifier="com.plexapp.plugins.myplex"))

    async def home_v2(self, request: web.Request) -> web.Response:
        """The same in the newer shape."""
        people = self._household(request)
        about: dict[str, Value] = {"id": 1, "name": self._server.owner.name, "guestEnabled": False}
        if wants_json(request):
            return web.json_response({**about, "users": people})
        return reply(request, El("home", about, [El("users", {}, [El("user", each) for each in people])]))

    async def switch(self, request: web.Request) -> web.Response:
        """Become another member of the home; 401 when its PIN is not the one given."""
        signed_in(self._server, request)
        wanted = request.match_info["id"]
        for each in self._server.world.accounts.values():
            if wanted in (str(each.remote_id), each.uuid) and (each.is_owner or each.is_managed):
                if each.pin and request.query.get("pin", "") != each.pin:
                    return html_error(401)
                tokens: dict[str, Value] = {"authenticationToken": each.token, "authToken": each.token}
                about: dict[str, Value] = {"id": each.remote_id, "uuid": each.uuid, "title": each.name, **tokens}
                return web.json_response(about) if wants_json(request) else reply(request, El("user", about))
        raise NotThere

    # The server's shares

    def _owner(self, request: web.Request) -> Account:
        owner = signed_in(self._server, request)
        if not owner.is_owner or request.match_info["machine"] != self._server.machine_id:
            raise NotThere
        return owner

    async def libraries(self, request: web.Request) -> web.Response:
        """The libraries under the numbers that plex.tv gives them."""
        owner = self._owner(request)
        server: dict[str, Value] = {
            "name": self._server.name, "machineIdentifier": self._server.machine_id, "version": self._server.version,
            "owned": True, "synced": False,
        }  # fmt: skip
        rows = [El("Section", each) for each in self._libraries(owner)]
        return reply(request, container([El("Server", server, rows)], friendlyName="myPlex"))

    async def shares(self, request: web.Request) -> web.Response:
        """Each guest with its token for the server and the libraries shared with it; XML only."""
        machine = request.match_info["machine"]
        sibling = next((each for each in self._server.siblings if each.machine_id == machine), None)
        if sibling is None:
            self._owner(request)
        there = SharingRoutes(sibling or self._server)
        guests = {each.remote_id for each in self._guests(request)}
        rows = [
            there._shared_server(each)
            for each in there._server.world.accounts.values()
            if each.remote_id in guests and each.is_shared
        ]
        return reply(request, container(rows, friendlyName="myPlex", machineIdentifier=machine))

    def _shared_server(self, account: Account) -> El:
        about: dict[str, Value] = {
            "id": _share_id(account), "username": account.name, "email": account.email, "userID": account.remote_id,
            "accessToken": account.server_token, "name": self._server.name, "acceptedAt": 1_600_000_000, "invitedAt":
            1_600_000_000, "allowSync": False, "allowCameraUpload": False, "allowChannels": False, "owned": False,
            "allLibraries": account.sections is None, **account.filters.shown(),
        }  # fmt: skip
        sections = [
            El("Section", {
                "id": SECTION_IDS_FROM + each.id, "key": each.id, "title": each.title, "type": each.kind,
                "shared": account.may_see(each.id),
            })
            for each in self._server.world.sections.values()
        ]  # fmt: skip
        return El("SharedServer", about, sections)

    async def share(self, request: web.Request) -> web.Response:
        """Invite somebody: `{"shared_server": {"invited_email": ..., "library_section_ids": [9001]}}`."""
        self._owner(request)
        wanted = (await _body(request)).get("shared_server", {})
        name = str(wanted.get("invited_email") or "").partition("@")[0].title()
        if not name:
            raise Refused
        try:
            made = invite(self._server, name, sections=_section_keys(wanted))
        except ValueError as error:
            raise Refused from error
        return reply(request, container([self._shared_server(made)]), status=201)

    async def change_share(self, request: web.Request) -> web.Response:
        """Share other libraries with a guest."""
        self._owner(request)
        account = self._guest(request, by_share=True)
        keys = _section_keys((await _body(request)).get("shared_server", {}))
        changed = restrict(self._server, account, sections=keys)
        return reply(request, container([self._shared_server(changed)]))

    async def end_share(self, request: web.Request) -> web.Response:
        """Share nothing of this server with a guest any more."""
        self._owner(request)
        unshare(self._server, self._guest(request, by_share=True))
        return web.Response(status=200)

    async def change_filters(self, request: web.Request) -> web.Response:
        """Filters of a guest: `filterMovies=label=Kids`; 400 for a text that is none."""
        texts: dict[str, Any] = {
            argument: request.query[name] for name, argument in _ARGUMENTS.items() if name in request.query
        }
        try:
            restrict(self._server, self._guest(request), **texts)
        except BadFilter as error:
            raise Refused from error
        return web.Response(status=200)

    async def end_sharing(self, request: web.Request) -> web.Response:
        """End the friendship."""
        unshare(self._server, self._guest(request))
        return web.Response(status=200)


def _share_id(account: Account) -> int:
    return account.remote_id * 10


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError as error:
        raise Refused from error
    if not isinstance(body, dict):
        raise Refused
    return body


def _section_keys(wanted: dict[str, Any]) -> list[int]:
    return [int(number) - SECTION_IDS_FROM for number in wanted.get("library_section_ids") or ()]
