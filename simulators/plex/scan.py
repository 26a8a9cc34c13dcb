"""A library scan: an activity that counts to 100, finds what was put there and what is gone, and tells listeners."""

from __future__ import annotations

from simulators.plex.activities import begin, end, run_through
from simulators.plex.items import Item
from simulators.plex.server import Server
from simulators.plex.world import Section

SCAN_S = 10.0  # simulated seconds


async def scan(server: Server, section: Section, found: list[Item] | None = None, path: str = "") -> None:
    """Scan a section, or the folder `path` of it; `found` are titles to add at the end, besides those that wait."""
    if section.is_refreshing:  # a second request for a scan under way changes nothing
        return
    about = begin(
        server, "library.update.section", f"Scanning {section.title}", subtitle=path,
        context={"librarySectionID": str(section.id)},
    )  # fmt: skip
    section.is_refreshing = True
    if await run_through(server, about, SCAN_S):
        _notice(server, section, [*(found or ()), *server.disk.arrived(server.world, section, path)], path)
    section.is_refreshing = False
    section.scanned_at = int(server.clock.now())
    end(server, about)
    done = {"title": "Library scan complete", "description": "", "notificationName": "LIBRARY_UPDATE"}
    server.notifications.send("status", [done])


def stop_scan(server: Server, section: Section) -> None:
    """Leave off scanning; what was not found yet is found the next time."""
    for activity in list(server.activities.values()):
        if activity.context.get("librarySectionID") == str(section.id):
            end(server, activity)
    section.is_refreshing = False


def _notice(server: Server, section: Section, arrived: list[Item], path: str) -> None:
    if section.id not in server.world.sections:  # removed while it was scanned
        return
    for item in arrived:
        appear(server, item)
    now = int(server.clock.now())
    for item in server.disk.lost(server.world, section, path):
        server.world.edit(item, now, deleted_at=now)
        server.tell_timeline(item, 5, "processed")
        if server.prefs["autoEmptyTrash"]:
            vanish(server, item)


def appear(server: Server, item: Item) -> Item:
    """Add a title and tell listeners that it was created and then processed."""
    server.world.add(item)
    server.tell_timeline(item, 0, "created")
    server.tell_timeline(item, 5, "processed")
    return item


def vanish(server: Server, item: Item) -> None:
    """Remove a title; queues lose it and listeners hear of it. A player goes on with what it has loaded."""
    for leaf in server.world.leaves(item):
        server.queues.forget(leaf)
    server.world.remove(item)
    server.tell_timeline(item, 9, "deleted")
