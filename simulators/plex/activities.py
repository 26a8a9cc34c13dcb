"""What the server does in the background: begun, told of in per cent, ended or cancelled."""

from __future__ import annotations

from simulators.plex.details import digest
from simulators.plex.render import El, Value
from simulators.plex.server import Activity, Server

STEPS = 5


def begin(
    server: Server, kind: str, title: str, *, subtitle: str = "", is_cancellable: bool = False,
    context: dict[str, Value] | None = None,
) -> Activity:  # fmt: skip
    """Start an activity and tell listeners; `context` is what it is about (`librarySectionID`, `key`)."""
    server.activities_begun += 1
    uuid = digest(server.machine_id, "activity", server.activities_begun)
    uuid = "-".join((uuid[:8], uuid[8:12], uuid[12:16], uuid[16:20], uuid[20:32]))
    made = Activity(uuid, kind, title, subtitle, is_cancellable=is_cancellable, context=context or {})
    server.activities[uuid] = made
    _tell(server, made, "started")
    return made


async def run_through(server: Server, activity: Activity, duration_s: float) -> bool:
    """Let simulated time pass in STEPS pieces, telling each; False as soon as somebody cancelled it."""
    for step in range(1, STEPS + 1):
        await server.clock.sleep(duration_s / STEPS)
        if activity.uuid not in server.activities:
            return False
        activity.progress = step * 100 // STEPS
        _tell(server, activity, "updated")
    return True


def end(server: Server, activity: Activity) -> None:
    """It is done, or was cancelled; told once."""
    if server.activities.pop(activity.uuid, None) is not None:
        _tell(server, activity, "ended")


def activity_element(activity: Activity) -> El:
    """As `/activities` and the notices show it."""
    about: dict[str, Value] = {
        "uuid": activity.uuid, "type": activity.kind, "cancellable": activity.is_cancellable, "userID": 1,
        "title": activity.title, "subtitle": activity.subtitle, "progress": activity.progress,
    }  # fmt: skip
    return El("Activity", about, [El("Context", activity.context)] if activity.context else [])


def _tell(server: Server, activity: Activity, event: str) -> None:
    shown = activity_element(activity)
    about = dict(shown.attrs) | ({"Context": activity.context} if activity.context else {})
    server.notifications.send("activity", [{"event": event, "uuid": activity.uuid, "Activity": about}])
