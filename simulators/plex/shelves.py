"""Making, filling and emptying collections and playlists, plain ones and such as follow a filter."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import parse_qsl, unquote, urlsplit

from simulators.plex.items import KIND_NUMBERS, Item
from simulators.plex.listing import select
from simulators.plex.queues import BadUri
from simulators.plex.scan import vanish
from simulators.plex.server import Server

KINDS_BY_NUMBER = {number: kind for kind, number in KIND_NUMBERS.items()}


def follow(server: Server, holder: Item, uri: str) -> None:
    """Have a holder show whatever passes the filter `server://.../library/sections/N/all?...`; BadUri when it is none.

    The filter sees what the holder's owner has watched and may see.
    """
    address = urlsplit(uri if uri.startswith("server://") else f"server://{server.machine_id}{uri}")
    if address.netloc != server.machine_id:
        raise BadUri(f"not this server: {uri}")
    parts = address.path.partition("/library/sections/")[2].split("/")
    section = server.world.sections.get(int(parts[0])) if parts[0].isdigit() else None
    if section is None:
        raise BadUri(f"no library at {uri}")
    # plexapi quotes the names of fields once more than their values
    query = [(unquote(name), value) for name, value in parse_qsl(address.query, keep_blank_values=True)]
    number = next((value for name, value in query if name == "type"), "")
    kind = KINDS_BY_NUMBER.get(int(number), section.kind) if number.isdigit() else section.kind
    world = server.world

    def find() -> list[Item]:
        account = world.accounts[holder.owner]
        return select(world, world.visible(account, world.listed(section.id, kind)), query, account)

    holder.rule = find
    holder.given["content"] = f"library:///directory/{address.path.removeprefix('/')}?{address.query}"
    holder.given["subtype"] = kind


def make_collection(server: Server, section: int, title: str, titles: Sequence[Item], subtype: str = "movie") -> Item:
    """A plain collection of these titles."""
    made = Item(0, "collection", title, section, int(server.clock.now()), given={"subtype": subtype})
    made.members = [(item.key, item) for item in titles]
    server.world.add(made)
    for item in titles:
        server.world.mark(item)
    server.tell_timeline(made, 0, "created")
    server.tell_timeline(made, 5, "processed")
    return made


def fill(server: Server, shelf: Item, members: list[tuple[int, Item]]) -> None:
    """Give a collection other titles; one that is left without any goes, as on a real server."""
    server.world.set_members(shelf, members, int(server.clock.now()))
    if members or shelf.rule is not None:
        server.tell_timeline(shelf, 5, "processed")
    else:
        vanish(server, shelf)


def put_on_shelves(server: Server, item: Item, names: Sequence[str]) -> None:
    """Have a title stand in the collections of these names and in no other plain one; missing ones are made."""
    world = server.world
    for shelf in list(world.shelves(item)):
        if shelf.title not in names:
            fill(server, shelf, [row for row in shelf.members if row[1] is not item])
    standing = {shelf.title for shelf in world.shelves(item)}
    for name in dict.fromkeys(names):
        if name in standing:
            continue
        plain = [shelf for shelf in world.listed(item.section, "collection") if shelf.rule is None]
        named = next((shelf for shelf in plain if shelf.title == name), None)
        if named is None:
            make_collection(server, item.section, name, [item], item.kind)
        else:
            fill(server, named, [*named.members, (item.key, item)])
    world.mark(item)
