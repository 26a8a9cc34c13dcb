"""A library scan: an activity that counts to 100, adds what was found, and tells listeners."""

from __future__ import annotations

from simulators.plex.details import digest
from simulators.plex.items import Item
from simulators.plex.server import Activity, Server
from simulators.plex.world import Section

SCAN_S = 10.0  # simulated seconds
STEPS = 5


async def scan(server: Server, section: Section, found: list[Item] | None = None) -> None:
    """Scan a section; `found` are titles to add at the end."""
    uuid = digest(server.machine_id, "activity", server.clock.now(), section.id)[:32]
    activity = Activity(uuid, "library.update.section", f"Scanning {section.title}", "", section.id)
    server.activities[uuid] = activity
    section.is_refreshing = True
    _tell(server, activity, "started")
    for step in range(1, STEPS + 1):
        await server.clock.sleep(SCAN_S / STEPS)
        if not section.is_refreshing:
            break
        activity.progress = step * 100 // STEPS
        _tell(server, activity, "updated")
    for item in found or ():
        appear(server, item)
    section.is_refreshing = False
    section.scanned_at = int(server.clock.now())
    server.activities.pop(uuid, None)
    _tell(server, activity, "ended")
    done = {"title": "Library scan complete", "description": "", "notificationName": "LIBRARY_UPDATE"}
    server.notifications.send("status", [done])


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


def _tell(server: Server, activity: Activity, event: str) -> None:
    server.notifications.send("activity", [{
        "event": event, "uuid": activity.uuid,
        "Activity": {
            "uuid": activity.uuid, "type": activity.kind, "cancellable": False, "userID": 1, "title": activity.title,
            "subtitle": activity.subtitle, "progress": activity.progress,
            "Context": {"librarySectionID": str(activity.section)},
        },
    }])  # fmt: skip
