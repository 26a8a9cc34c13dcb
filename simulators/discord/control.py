"""The control face: plain HTTP on loopback, for programs that cannot reach into this process."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Any, Protocol

from aiohttp import web

from simulators.clock import SimClock
from simulators.discord import permissions as perms
from simulators.discord.faults import Faults
from simulators.discord.gateway import Gateway
from simulators.discord.interactions import NotAnswered
from simulators.discord.limits import RateLimits
from simulators.discord.objects import Guild, Json
from simulators.discord.options import Refused
from simulators.discord.problems import Problems
from simulators.discord.rest import Rest
from simulators.discord.shown import Shown
from simulators.discord.user import User
from simulators.discord.world import World

ROOT = "/__sim"


class Lab(Protocol):
    """What the control face steers (see sim.py)."""

    clock: SimClock
    world: World
    guild: Guild
    faults: Faults
    problems: Problems
    limits: RateLimits
    gateway: Gateway
    rest: Rest

    def user(self, name: str, guild: Guild | None = None) -> User:
        """A scripted user."""
        ...


Handler = Callable[[Json, web.Request], Awaitable[Any]]


class Control:
    """Routes under `/__sim`. Bodies and answers are JSON; a refusal is 409, no answer from the app 504."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    def app(self) -> web.Application:
        """The application to serve."""
        app = web.Application()
        table: dict[tuple[str, str], Handler] = {
            ("GET", "/clock"): self.clock,
            ("POST", "/clock"): self.set_clock,
            ("GET", "/world"): self.world,
            ("GET", "/problems"): self.problems,
            ("DELETE", "/problems"): self.clear_problems,
            ("GET", "/requests"): self.requests,
            ("POST", "/faults"): self.add_fault,
            ("DELETE", "/faults"): self.clear_faults,
            ("POST", "/gateway"): self.gateway,
            ("POST", "/people"): self.add_person,
            ("POST", "/guilds"): self.add_guild,
            ("POST", "/apps"): self.add_app,
            ("POST", "/overwrites"): self.overwrite,
            ("GET", "/users/{name}/messages"): self.messages,
            ("POST", "/users/{name}/{act}"): self.act,
        }
        for (method, path), handler in table.items():
            app.router.add_route(method, ROOT + path, _as_json(handler))
        return app

    # ---------------------------------------------------------------- time and state

    async def clock(self, _body: Json, request: web.Request) -> Any:
        """`{"now", "speed", "version"}`; with `?version=N` held up to 10 s until the version differs."""
        version = request.query.get("version")
        return await self._lab.clock.follow(int(version) if version else None)

    async def set_clock(self, body: Json, _request: web.Request) -> Any:
        """`{"speed": 60}` and/or `{"jump": seconds}`."""
        if "speed" in body:
            self._lab.clock.set_speed(float(body["speed"]))
        if "jump" in body:
            self._lab.clock.jump(float(body["jump"]))
        return await self._lab.clock.follow()

    async def world(self, _body: Json, _request: web.Request) -> Any:
        """Guilds with their channels and members, apps with their tokens."""
        world = self._lab.world
        return {
            "guilds": [
                guild.to_json()
                | {
                    "channels": [world.channel_json(world.channels[number]) for number in guild.channel_ids],
                    "members": [m.to_json(world.people[m.user_id]) for m in guild.members.values()],
                }
                for guild in world.guilds.values()
            ],
            "apps": [{"id": str(a.app_id), "name": a.name, "token": a.token} for a in world.apps.values()],
        }

    async def problems(self, _body: Json, _request: web.Request) -> Any:
        """What went wrong so far."""
        return [asdict(problem) for problem in self._lab.problems]

    async def clear_problems(self, _body: Json, _request: web.Request) -> Any:
        """Forget the problems."""
        self._lab.problems.clear()
        return {}

    async def requests(self, _body: Json, _request: web.Request) -> Any:
        """REST requests so far, oldest first."""
        return [asdict(seen) for seen in self._lab.rest.requests]

    # ---------------------------------------------------------------- faults

    async def add_fault(self, body: Json, _request: web.Request) -> Any:
        """`{"op": "create_message", "status": 503, "times": 2, ...}` as in faults.py; also `"rate_limits": false`."""
        if "rate_limits" in body:
            self._lab.limits.is_on = bool(body.pop("rate_limits"))
        if "op" in body:
            self._lab.faults.add(**body)
        return {}

    async def clear_faults(self, _body: Json, _request: web.Request) -> Any:
        """Everything works again."""
        self._lab.faults.clear()
        return {}

    async def gateway(self, body: Json, _request: web.Request) -> Any:
        """Any of `drop` (a close code, null cuts), `reconnect`, `invalidate`, `malformed`, and the switches.

        Switches: `mute_acks` (bool); `refuse_ws`, `refuse_resume` and `repeat_interactions` (how many times).
        """
        gateway, faults = self._lab.gateway, self._lab.faults
        for switch in ("mute_acks", "refuse_ws", "refuse_resume", "repeat_interactions"):
            if switch in body:
                setattr(faults, switch, body[switch])
        if body.get("malformed"):
            gateway.send_malformed()
        if body.get("invalidate"):
            gateway.invalidate_all(is_resumable=bool(body.get("is_resumable")))
        if body.get("reconnect"):
            gateway.reconnect_all()
        if "drop" in body:
            gateway.drop_all(body["drop"])
        return {"connections": len(gateway.connections)}

    # ---------------------------------------------------------------- the world

    async def add_person(self, body: Json, _request: web.Request) -> Any:
        """`{"username", "global_name"?, "guild_id"?, "roles"?: [names]}`."""
        world = self._lab.world
        person = world.add_person(body["username"], global_name=body.get("global_name"))
        guild = world.guilds[int(body["guild_id"])] if "guild_id" in body else self._lab.guild
        wanted = body.get("roles", [])
        world.join(guild, person, [role for role in guild.roles.values() if role.name in wanted])
        return person.to_json()

    async def add_guild(self, body: Json, _request: web.Request) -> Any:
        """`{"name", "owner": username, "channels": [names], "members": [usernames], "apps": [names]}`."""
        world = self._lab.world
        guild = world.add_guild(body["name"], world.person(body["owner"]))
        for name in body.get("channels", ["general"]):
            world.add_channel(guild, name)
        for name in body.get("members", []):
            world.join(guild, world.person(name))
        for app in world.apps.values():
            if app.name in body.get("apps", []):
                world.join(guild, app.person)
        return guild.to_json()

    async def add_app(self, body: Json, _request: web.Request) -> Any:
        """`{"name", "token"?, "privileged_intents"?}`; its bot joins the default guild."""
        world = self._lab.world
        intents = int(body.get("privileged_intents", 0))
        app = world.add_app(body["name"], token=body.get("token"), privileged_intents=intents)
        world.join(self._lab.guild, app.person)
        return {"id": str(app.app_id), "name": app.name, "token": app.token}

    async def overwrite(self, body: Json, _request: web.Request) -> Any:
        """`{"channel", "target_id", "allow": [names], "deny": [names]}`, permission names as in permissions.py."""
        channel = self._lab.world.channel(str(body["channel"]), self._lab.guild)
        allow, deny = (sum(perms.BITS[name] for name in body.get(key, [])) for key in ("allow", "deny"))
        self._lab.world.set_overwrite(channel, int(body["target_id"]), allow, deny)
        return {}

    # ---------------------------------------------------------------- members

    async def messages(self, _body: Json, request: web.Request) -> Any:
        """What a member sees in `?channel=`."""
        user = self._lab.user(request.match_info["name"])
        return [described(shown) for shown in user.sees(request.query.get("channel", "general"))]

    async def act(self, body: Json, request: web.Request) -> Any:
        """Do as a member: slash, type_in, click, choose, submit, say, delete or dismiss."""
        user = self._lab.user(request.match_info["name"])
        match request.match_info["act"]:
            case "slash":
                return described(await user.slash(body["command"], **_where(body)))
            case "type_in":
                return await user.type_in(body["command"], body["option"], body["text"], **_where(body))
            case "click":
                return described(await user.click(body["message_id"], body["button"]))
            case "choose":
                return described(await user.choose(body["message_id"], body["select"], *body["options"]))
            case "submit":
                return described(await user.submit(body["interaction_id"], body["values"]))
            case "say":
                return user.say(body.get("channel", "general"), body["text"])
            case "delete":
                user.delete(body["message_id"])
            case "dismiss":
                user.dismiss(body["message_id"])
            case other:
                raise Refused(f"a member cannot {other}")
        return {}


def _where(body: Mapping[str, Any]) -> dict[str, Any]:
    return {"channel": body.get("channel", "general"), "options": body.get("options", {})}


def described(shown: Shown) -> Json:
    """What a member sees, as JSON: text, messages, the modal, and the facts of the interaction."""
    return {
        "interaction_id": str(shown.interaction.interaction_id) if shown.interaction else None,
        "text": shown.text,
        "messages": shown.messages,
        "modal": shown.modal,
        "facts": [asdict(fact) for fact in shown.facts],
    }


def _as_json(handler: Handler) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def serve(request: web.Request) -> web.Response:
        try:
            body = await request.json() if request.can_read_body else {}
            return web.json_response(await handler(body, request))
        except NotAnswered as error:
            return web.json_response({"error": str(error)}, status=504)
        except Refused as error:
            return web.json_response({"error": str(error)}, status=409)
        except (KeyError, TypeError, ValueError, json.JSONDecodeError) as error:
            return web.json_response({"error": repr(error)}, status=400)

    return serve
