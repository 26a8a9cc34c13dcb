"""The vocabulary of the REST face: a route, one call of it, and its reply."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from simulators.discord.errors import ApiError
from simulators.discord.limits import Quota
from simulators.discord.objects import App
from simulators.discord.options import Upload

PLENTY = Quota(100, 1.0)


@dataclass(slots=True)
class Call:
    """One request as a handler sees it: path parameters as strings, the parsed body, files by index."""

    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Any
    files: Mapping[int, Upload]
    _app: App | None

    @property
    def app(self) -> App:
        """The app whose bot token came along."""
        if self._app is None:
            raise ApiError(50001)
        return self._app

    def id(self, name: str) -> int:
        """A path parameter as an id; `@me` is the caller, anything else that is no number is 50035's cousin 404."""
        value = self.path[name]
        if value == "@me":
            return self.app.app_id
        return int(value) if value.isdigit() else 0


Reply = tuple[int, Any]  # status, JSON body (None for 204)
Handler = Callable[[Call], Reply]


@dataclass(slots=True)
class Route:
    """One operation. `template` is written as in Discord's document; `op` is its operationId.

    `auth` is `bot` (a bot token is needed), `token` (a token in the path is enough) or `none`. `major` names the
    path parameters that separate rate-limit buckets.
    """

    op: str
    method: str
    template: str
    handler: Handler
    auth: str = "bot"
    quota: Quota = PLENTY
    major: tuple[str, ...] = ("channel_id", "guild_id", "webhook_token", "interaction_token")
    pattern: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        self.pattern = to_pattern(self.template)

    def bucket(self, params: Mapping[str, str]) -> str:
        """Key of the rate-limit bucket."""
        return ":".join([self.op, *(params[name] for name in self.major if name in params)])


def to_pattern(template: str) -> re.Pattern[str]:
    """`/channels/{channel_id}` as a regular expression with named groups."""
    escaped = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(template))
    return re.compile(escaped)


class Router:
    """Finds the route of a request; a literal segment wins over a parameter."""

    def __init__(self) -> None:
        self._routes: dict[str, list[Route]] = {}

    def add(self, *routes: Route) -> None:
        """Register routes."""
        for route in routes:
            found = self._routes.setdefault(route.method, [])
            found.append(route)
            found.sort(key=lambda one: one.template.count("{"))

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """The route and its path parameters."""
        for route in self._routes.get(method, []):
            if match := route.pattern.fullmatch(path):
                return route, match.groupdict()
        return None

    def __iter__(self) -> Any:
        return (route for routes in self._routes.values() for route in routes)
