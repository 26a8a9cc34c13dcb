"""What is written to a server: one request, through plexapi's connection and its guards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import quote

from daemon.core.errors import UserError

if TYPE_CHECKING:
    from plexapi.server import PlexServer

Params = Mapping[str, str | int]
Rows = tuple[Mapping[str, str], ...]

REFUSED = "refused"
_REFUSED = 400
_METHODS = {"PUT": "put", "POST": "post", "DELETE": "delete"}


def encoded(params: Params) -> str:
    """As a query, in the order given: `?title.value=Dune&title.locked=1`; empty for nothing."""
    pairs = (f"{quote(name, safe='')}={quote(str(value), safe='')}" for name, value in params.items())
    return "?" + "&".join(pairs) if params else ""


def writing(method: str, path: str, params: Params | None = None) -> Callable[[PlexServer], Rows]:
    """Work for `Adapter.on_server`: PUT, POST or DELETE, and the attributes of each element of the answer.

    UserError `refused` for a 400: the server is well, and does not do that; it is no failure of its.
    """

    def work(server: PlexServer) -> Rows:
        from integrations.plex.adapter_calls import Refused  # imports plexapi, which has been by now

        send = getattr(server._session, _METHODS[method])
        try:
            root = server.query(f"{path}{encoded(params or {})}", method=send)
        except Refused as error:
            if error.status != _REFUSED:
                raise
            raise UserError("Plex refuses to do that.", REFUSED) from None
        return () if root is None else tuple(dict(child.attrib) for child in root)

    return work
