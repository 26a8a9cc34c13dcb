"""Answers of plex.tv as values: JSON where it speaks it, XML where it does not. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.etree import ElementTree

import msgspec

from daemon.core.ids import AccountId
from daemon.core.shares import ANY_KIND
from integrations.plex.shapes import Loose, Shape, number, text

_FILTERS = {"filterAll": ANY_KIND, "filterMovies": "movie", "filterTelevision": "show", "filterMusic": "artist"}
_YOUNG = ("TV-Y", "G", "TV-G")
_OLDER = (*_YOUNG, "TV-PG", "PG")
_PRESETS = {"little_kid": _YOUNG, "older_kid": _OLDER, "teen": (*_OLDER, "TV-14", "PG-13")}


@dataclass(frozen=True, slots=True)
class Pin:
    """A request for a sign-in. `code` is part of the address that the person opens; `token` is there once they did."""

    pin_id: int
    code: str = field(repr=False)
    expires_in_s: float
    token: str | None = field(repr=False, default=None)


@dataclass(frozen=True, slots=True)
class PlexUser:
    """Whose a token is."""

    account_id: AccountId
    name: str


@dataclass(frozen=True, slots=True)
class SharedServer:
    """One server that is shared with a user. `share_id` names the share at plex.tv."""

    machine_id: str
    is_all: bool


@dataclass(frozen=True, slots=True)
class KnownUser:
    """A friend or a Home user of the owner. `filters` by kind of library, as in `daemon.core.shares`."""

    account_id: AccountId
    name: str
    is_home: bool
    is_managed: bool
    filters: dict[str, str]
    servers: tuple[SharedServer, ...]


class _PinShape(Shape):
    id: Loose = None
    code: Loose = None
    expiresIn: Loose = None
    authToken: Loose = None


class _UserShape(Shape):
    id: Loose = None
    username: Loose = None
    title: Loose = None
    friendlyName: Loose = None


class _ResourceShape(Shape):
    clientIdentifier: Loose = None
    provides: Loose = None
    accessToken: Loose = None


_pins = msgspec.json.Decoder(_PinShape)
_users = msgspec.json.Decoder(_UserShape)
_resources = msgspec.json.Decoder(list[_ResourceShape])


def to_pin(body: bytes) -> Pin:
    """Of POST and GET /api/v2/pins. ValueError for anything else (msgspec's errors are such)."""
    shape = _pins.decode(body)
    pin_id, code = number(shape.id), text(shape.code)
    if pin_id is None or code is None:
        raise ValueError("no PIN")
    return Pin(pin_id, code, float(number(shape.expiresIn) or 0), text(shape.authToken))


def to_user(body: bytes) -> PlexUser:
    """Of /api/v2/user. ValueError."""
    shape = _users.decode(body)
    account_id = number(shape.id)
    if not account_id:
        raise ValueError("no account")
    name = text(shape.username) or text(shape.title) or text(shape.friendlyName)
    return PlexUser(AccountId(account_id), name or f"Plex account {account_id}")


def to_access_tokens(body: bytes) -> dict[str, str]:
    """Of /api/v2/resources: tokens by machine identifier; players are left out. ValueError."""
    found = {}
    for shape in _resources.decode(body):
        machine_id, token = text(shape.clientIdentifier), text(shape.accessToken)
        if machine_id and token and "server" in (text(shape.provides) or "").split(","):
            found[machine_id] = token
    return found


def to_known_users(body: bytes) -> tuple[KnownUser, ...]:
    """Of /api/users. ValueError."""
    found = []
    for user in _elements(body, "User"):
        account_id = _integer(user, "id")
        if not account_id:
            continue
        servers = tuple(
            SharedServer(server.get("machineIdentifier", ""), _is_on(server, "allLibraries"))
            for server in user.iter("Server")
            if server.get("machineIdentifier") and not _is_on(server, "pending")
        )
        filters = {kind: value for name, kind in _FILTERS.items() if (value := user.get(name))}
        found.append(
            KnownUser(
                AccountId(account_id),
                user.get("title") or user.get("username") or f"Plex account {account_id}",
                _is_on(user, "home"),
                _is_on(user, "restricted"),
                filters,
                servers,
            )
        )
    return tuple(found)


def to_profiles(body: bytes) -> dict[AccountId, str]:
    """Of /api/home/users: the preset restriction of each member of the Home that has one. ValueError."""
    found: dict[AccountId, str] = {}
    for user in _elements(body, "User"):
        account_id, profile = _integer(user, "id"), user.get("restrictionProfile", "")
        if account_id and profile not in ("", "none"):
            found[AccountId(account_id)] = profile
    return found


def with_profile(filters: dict[str, str], profile: str) -> dict[str, str]:
    """The filters, and what Plex's preset for children hides; of a preset we do not know, everything.

    Plex adds what other countries call the same; those are left out here, which shows less and never more.
    """
    ratings = _PRESETS.get(profile)
    preset = f"contentRating={'%2C'.join(ratings)}" if ratings else f"profile={profile}"
    parts = [part for part in (filters.get(ANY_KIND), preset) if part]
    return {**filters, ANY_KIND: "&".join(parts)}


def to_shared_sections(body: bytes) -> dict[AccountId, frozenset[str]]:
    """Of /api/servers/<machine id>/shared_servers: keys of the libraries shared with each account. ValueError."""
    found: dict[AccountId, frozenset[str]] = {}
    for shared in _elements(body, "SharedServer"):
        account_id = _integer(shared, "userID")
        if account_id:
            keys = [one.get("key", "") for one in shared.iter("Section") if _is_on(one, "shared") and one.get("key")]
            found[AccountId(account_id)] = frozenset(keys)
    return found


def to_accepted(body: bytes) -> dict[AccountId, int]:
    """Of the same answer: when each account took what is shared with it, in seconds since 1970. ValueError."""
    found: dict[AccountId, int] = {}
    for shared in _elements(body, "SharedServer"):
        account_id, when = _integer(shared, "userID"), _integer(shared, "acceptedAt")
        if account_id and when:
            found[AccountId(account_id)] = when
    return found


def _elements(body: bytes, tag: str) -> Iterator[ElementTree.Element]:
    try:
        root = ElementTree.fromstring(body)  # noqa: S314 - plex.tv over TLS, bounded, and expat refuses entity bombs
    except ElementTree.ParseError:
        raise ValueError("no XML") from None
    if root.tag != "MediaContainer":
        raise ValueError(f"<{root.tag}>")
    return root.iter(tag)


def _integer(element: ElementTree.Element, name: str) -> int | None:
    value = element.get(name, "")
    return int(value) if value.isascii() and value.isdigit() else None


def _is_on(element: ElementTree.Element, name: str) -> bool:
    return element.get(name, "") in ("1", "true")
