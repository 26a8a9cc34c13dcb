"""The REST face: one pipeline for every request, from faults and limits to validation and headers."""

from __future__ import annotations

import asyncio
import json
import time
import zlib
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

from aiohttp import BodyPartReader, web

from simulators.discord.errors import ApiError, Violation, invalid_form
from simulators.discord.faults import Fault, Faults
from simulators.discord.limits import RateLimits, Taken
from simulators.discord.objects import App, Json
from simulators.discord.options import Upload
from simulators.discord.problems import Problems
from simulators.discord.routes import Call, Reply, Route, Router
from simulators.discord.rules import EMPTY_MESSAGE
from simulators.discord.rules import check as check_rules
from simulators.discord.world import World

LOG_MAX = 5_000
PREFIX = "/api/v10"


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as it came and was answered; `status` 0 when the connection was cut."""

    at: float
    method: str
    path: str
    op: str
    status: int
    app_id: int | None
    body: Any
    error: str = ""


class Document(Protocol):
    """What the REST face asks of the OpenAPI document (see spec.py)."""

    def request_violations(self, op: str, body: Any) -> list[Violation]:
        """What is wrong with a request body."""
        ...

    def response_violations(self, op: str, status: int, body: Any) -> list[Violation]:
        """What is wrong with an answer of ours."""
        ...


class Rest:
    """Serves `/api/v10`."""

    def __init__(self, world: World, router: Router, faults: Faults, problems: Problems, limits: RateLimits) -> None:
        self._world = world
        self._router = router
        self._faults = faults
        self._problems = problems
        self._limits = limits
        self.document: Document | None = None
        self.requests: deque[Seen] = deque(maxlen=LOG_MAX)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        path = request.path.removeprefix(PREFIX)
        found = self._router.find(request.method, path)
        if found is None or not request.path.startswith(PREFIX):
            self._problems.add("unknown route", f"{request.method} {request.path}")
            self._log(request, "?", 404, None, None, "unknown route")
            return _json(404, {"message": "404: Not Found", "code": 0})
        route, params = found
        app = self._world.app_of_token(request.headers.get("Authorization", "").removeprefix("Bot "))
        if app is None and route.auth == "bot":
            self._log(request, route.op, 401, None, None, "unauthorized")
            return _json(401, {"message": "401: Unauthorized", "code": 0})
        taken = self._limit(route, params, app)
        if not taken.is_allowed:
            self._log(request, route.op, 429, app, None, "rate limited")
            return self._rate_limited(taken, route, params)
        body, files = await _read(request)
        fault = self._faults.take(route.op)
        status, answer = await self._serve(request, route, Call(params, request.query, body, files, app), fault)
        self._log(request, route.op, status, app, body, answer.get("message", "") if status >= 400 else "")
        return _json(status, answer, self._headers(taken, route, params))

    async def _serve(self, request: web.Request, route: Route, call: Call, fault: Fault | None) -> Reply:
        if fault and fault.delay_s:
            await asyncio.sleep(fault.delay_s)
        if fault and not fault.after_commit and (fault.drop or fault.status):
            return self._fail(request, route, call, fault)
        try:
            self._check(route, call)
            status, answer = route.handler(call)
        except ApiError as error:
            if error.code == 50035:
                self._problems.add("invalid request", route.op, json.dumps(error.errors))
            return error.status, error.to_json()
        except (KeyError, TypeError, ValueError) as error:
            self._problems.add("invalid request", route.op, repr(error))
            return 400, invalid_form([Violation("", "MALFORMED", repr(error))]).to_json()
        self._check_answer(route, status, answer)
        if fault and fault.after_commit:
            return self._fail(request, route, call, fault)
        return status, answer

    def _check(self, route: Route, call: Call) -> None:
        violations: list[Violation] = []
        if self.document:
            violations += self.document.request_violations(route.op, call.body)
        violations += check_rules(route.op, call.body, has_files=bool(call.files))
        if violations and all(violation.code == EMPTY_MESSAGE for violation in violations):
            self._problems.add("invalid request", route.op, str(violations[0]))
            raise ApiError(50006)
        if violations:
            raise invalid_form(violations)

    def _check_answer(self, route: Route, status: int, answer: Any) -> None:
        if self.document is None or status == 204:
            return
        for violation in self.document.response_violations(route.op, status, answer):
            self._problems.add("invalid answer", route.op, str(violation))

    def _fail(self, request: web.Request, route: Route, call: Call, fault: Fault) -> Reply:
        if fault.drop or not fault.status:
            self._log(request, route.op, 0, None, call.body, "dropped")
            if request.transport:
                request.transport.abort()
            _gone()
        if fault.status == 429:
            body: Json = {"message": "You are being rate limited.", "retry_after": fault.retry_after_s}
            return 429, body | {"global": fault.is_global, "code": fault.code}
        return fault.status, {"message": f"{fault.status}: on order", "code": fault.code}

    # ---------------------------------------------------------------- limits and headers

    def _limit(self, route: Route, params: Mapping[str, str], app: App | None) -> Taken:
        who = str(app.app_id) if app else ""
        if route.auth == "bot":
            spent = self._limits.take_global(who)
            if spent:
                return spent
        return self._limits.take(f"{who}:{route.bucket(params)}", route.quota)

    def _rate_limited(self, taken: Taken, route: Route, params: Mapping[str, str]) -> web.Response:
        after = round(taken.reset_after_s + 0.005, 3)
        body: Json = {"message": "You are being rate limited.", "retry_after": after, "global": taken.is_global}
        headers = self._headers(taken, route, params) | {"Retry-After": str(int(after) + 1)}
        headers["X-RateLimit-Scope"] = "global" if taken.is_global else "user"
        if taken.is_global:
            headers["X-RateLimit-Global"] = "true"
        return _json(429, body, headers)

    def _headers(self, taken: Taken, route: Route, params: Mapping[str, str]) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(taken.quota.limit),
            "X-RateLimit-Remaining": str(taken.remaining),
            "X-RateLimit-Reset": f"{self._world.clock.now() + taken.reset_after_s:.3f}",
            "X-RateLimit-Reset-After": f"{taken.reset_after_s:.3f}",
            "X-RateLimit-Bucket": f"{zlib.crc32(route.op.encode()):032x}",
        }

    def _log(self, request: web.Request, op: str, status: int, app: App | None, body: Any, error: str) -> None:
        who = app.app_id if app else None
        self.requests.append(Seen(time.monotonic(), request.method, request.path, op, status, who, body, error))


def _gone() -> NoReturn:
    """Leave the handler of a request whose connection was cut."""
    raise web.HTTPServiceUnavailable


def _json(status: int, body: Any, headers: Mapping[str, str] | None = None) -> web.Response:
    """An answer with exactly the content type that discord.py compares with, and the header it looks for."""
    sent = {"Via": "1.1 simulator", **(headers or {})}
    if status == 204:
        return web.Response(status=204, headers=sent)
    sent["Content-Type"] = "application/json"
    return web.Response(status=status, body=json.dumps(body, separators=(",", ":")).encode(), headers=sent)


async def _read(request: web.Request) -> tuple[Any, dict[int, Upload]]:
    """The JSON body and the uploaded files by index; an absent body is `{}`."""
    if request.content_type != "multipart/form-data":
        raw = await request.read()
        if not raw:
            return {}, {}
        try:
            return json.loads(raw), {}
        except ValueError:
            return None, {}
    body: Any = {}
    files: dict[int, Upload] = {}
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            continue
        name, content = part.name or "", bytes(await part.read())
        if name == "payload_json":
            body = json.loads(content)
        elif name.startswith("files[") and name[6:-1].isdigit():
            kind = part.headers.get("Content-Type", "application/octet-stream")
            files[int(name[6:-1])] = Upload(part.filename or "file", content, kind)
    return body, files
