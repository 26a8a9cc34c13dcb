"""What is playing, as `/status/sessions` tells it, and what was played, as the history does."""

from __future__ import annotations

from simulators.plex.details import digest
from simulators.plex.elements import TAGS, art_attrs, chosen, element, section_attrs
from simulators.plex.files import AUDIO, SUBTITLE, VIDEO
from simulators.plex.players import Player
from simulators.plex.render import El, Value
from simulators.plex.server import Play, Server


def session_element(server: Server, player: Player, now: float) -> El:
    """A session: the title with User, Player, Session and, where it is converted, TranscodeSession."""
    item, account = player.item, player.account
    assert item is not None
    assert account is not None
    root = element(server.world, item, account, full=True)
    root.attrs["viewOffset"] = player.position_ms(now)
    root.attrs = {**root.attrs, "sessionKey": str(player.session_key)}
    spec = player.spec
    media = next((child for child in root.children if child.tag == "Media"), None)
    children = [child for child in root.children if child.tag != "Media"]
    if media is not None:
        children.insert(0, _selected(media, server, player))
    if not server.faults.sessions_without_user:
        avatar = f"https://plex.tv/users/{account.uuid}/avatar?c=1"
        children.append(El("User", {"id": str(account.id), "thumb": avatar, "title": account.name}))
    is_local = spec.location == "lan"
    children.append(El("Player", {
        "address": spec.address, "device": spec.device, "deviceClass": spec.device_class, "machineIdentifier": spec.id,
        "model": "standalone", "platform": spec.platform, "platformVersion": spec.platform_version,
        "product": spec.product, "profile": spec.platform, "remotePublicAddress": "203.0.113.9", "state": player.state,
        "title": spec.title, "vendor": "", "version": spec.version, "local": is_local, "relayed": False, "secure": True,
        "userID": account.id,
    }))  # fmt: skip
    bitrate = server.world.facts(item).media[0].bitrate if server.world.facts(item).media else 0
    session_id = session_id_of(player)
    children.append(El("Session", {"id": session_id, "bandwidth": bitrate, "location": spec.location}))
    if spec.transcodes:
        children.append(transcode_element(player, now))
    root.children = children
    return root


def session_id_of(player: Player) -> str:
    """What `/status/sessions/terminate` names a session by."""
    return digest(player.spec.id, "session", player.session_key)[:24]


def transcode_element(player: Player, now: float) -> El:
    """The conversion of one session."""
    position, length = player.position_ms(now), max(1, player.duration_ms)
    return El("TranscodeSession", {
        "key": f"/transcode/sessions/{digest(player.spec.id, player.session_key)[:24]}", "throttled": True,
        "complete": False, "progress": min(100.0, round(100 * position / length + 2, 1)), "size": -22, "speed": 3.1,
        "error": False, "duration": player.duration_ms, "remaining": max(0, (length - position) // 3000),
        "context": "streaming", "sourceVideoCodec": "hevc", "sourceAudioCodec": "dca", "videoDecision": "transcode",
        "audioDecision": "transcode", "protocol": "dash", "container": "mp4", "videoCodec": "h264", "audioCodec": "aac",
        "audioChannels": 2, "width": 1280, "height": 720, "transcodeHwRequested": False,
    })  # fmt: skip


def _selected(media: El, server: Server, player: Player) -> El:
    decision = "transcode" if player.spec.transcodes else "directplay"
    assert player.item is not None
    assert player.account is not None
    version = server.world.facts(player.item).media[0]
    parts = []
    for part, shown in zip(version.parts, media.children, strict=True):
        choice = server.world.selections.get((player.account.id, part.id), {})
        playing = {chosen(part, choice, kind) for kind in (VIDEO, AUDIO, SUBTITLE)} - {0}
        streams = [
            El("Stream", {**each.attrs, "location": "direct", "decision": "copy" if decision == "directplay" else
                          decision})
            for each in shown.children if each.attrs["id"] in playing
        ]  # fmt: skip
        parts.append(El("Part", {**shown.attrs, "decision": decision, "selected": True}, streams))
    return El("Media", {**media.attrs, "selected": True}, parts)


def history_element(server: Server, play: Play) -> El:
    """A row of the history."""
    item = play.item
    attrs: dict[str, Value] = {"historyKey": f"/status/sessions/history/{play.id}"}
    if server.world.by_serial(item.serial) is not None:  # the history outlives its titles
        attrs |= {"key": f"/library/metadata/{item.key}", "ratingKey": str(item.key)}
    attrs |= {"librarySectionID": str(item.section), "parentKey": None, "grandparentKey": None}
    if item.kind in ("episode", "track") and item.parent is not None:
        attrs |= {
            "parentKey": f"/library/metadata/{item.parent.key}", "grandparentKey": f"/library/metadata/{item.top.key}",
            "parentTitle": item.parent.title, "grandparentTitle": item.top.title, "index": item.index,
            "parentIndex": item.parent.index,
        }  # fmt: skip
    attrs |= {"title": item.title, "type": item.kind, **art_attrs(item)}
    attrs |= {
        "originallyAvailableAt": server.world.facts(item).released, "viewedAt": play.viewed_at, "accountID":
        play.account, "deviceID": list(server.players).index(play.player.id) + 1,
    }  # fmt: skip
    return El(TAGS[item.kind], attrs, (), "Metadata")


def queue_attrs(server: Server, player: Player) -> dict[str, Value]:
    """Section and queue of what plays, for timelines."""
    made: dict[str, Value] = {}
    if player.item is not None and player.item.section:
        made |= section_attrs(server.world, player.item)
    if player.queue is not None and player.entry is not None:
        made |= {
            "playQueueID": player.queue.id, "playQueueItemID": player.entry.id,
            "playQueueVersion": player.queue.version,
            "containerKey": f"/playQueues/{player.queue.id}",
        }  # fmt: skip
    return made
