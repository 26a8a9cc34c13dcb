"""Making and changing messages from the payloads that apps send."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

from PIL import Image, UnidentifiedImageError

from simulators.discord import permissions as perms
from simulators.discord.components import V2_ONLY, materialise
from simulators.discord.errors import ApiError, Violation, invalid_form
from simulators.discord.objects import (
    FLAG_COMPONENTS_V2,
    FLAG_EPHEMERAL,
    FLAG_LOADING,
    Channel,
    Json,
    Person,
    Post,
    iso,
)
from simulators.discord.options import Upload
from simulators.discord.world import World

SUPPRESS_EMBEDS, SUPPRESS_NOTIFICATIONS = 1 << 2, 1 << 12
SETTABLE_FLAGS = SUPPRESS_EMBEDS | SUPPRESS_NOTIFICATIONS | FLAG_EPHEMERAL | FLAG_COMPONENTS_V2
REPLY = 19


def write(
    world: World,
    channel: Channel,
    author: Person,
    payload: Json,
    files: Mapping[int, Upload] | None = None,
    *,
    app_id: int | None = None,
    only_for: int | None = None,
    interaction_id: int | None = None,
    extra: Json | None = None,
) -> Post:
    """Create a message; `files` by their index in the payload's `attachments`. ApiError when it cannot be made."""
    message_id = world.new_id()
    flags = int(payload.get("flags") or 0) & SETTABLE_FLAGS
    flags |= int((extra or {}).pop("flags", 0)) if extra else 0
    if only_for is not None:
        flags |= FLAG_EPHEMERAL
    data: Json = {
        "id": str(message_id),
        "type": 0,
        "channel_id": str(channel.channel_id),
        "author": author.to_json(),
        "content": payload.get("content") or "",
        "timestamp": iso(world.clock.now()),
        "edited_timestamp": None,
        "tts": bool(payload.get("tts")),
        "mention_everyone": False,
        "mentions": [],
        "mention_roles": [],
        "attachments": [],
        "embeds": [],
        "components": [],
        "pinned": False,
        "flags": flags,
    } | (extra or {})
    if payload.get("nonce") is not None:
        data["nonce"] = payload["nonce"]
    post = Post(message_id, channel.channel_id, author.user_id, data, only_for, app_id, interaction_id)
    _refer(world, channel, post, payload)
    _fill(world, post, payload, files or {}, is_new=True)
    if _is_empty(data):
        raise ApiError(50006)
    world.add_post(post)
    return post


def edit(world: World, post: Post, payload: Json, files: Mapping[int, Upload] | None = None) -> Post:
    """Change the fields given; attachments that the payload's list leaves out are removed."""
    before, files_before = post.data, post.attachments
    post.data = dict(before)
    try:
        flags = post.data["flags"] & ~FLAG_LOADING
        if payload.get("flags") is not None:
            flags = (flags & ~SUPPRESS_EMBEDS) | (int(payload["flags"]) & (SUPPRESS_EMBEDS | FLAG_COMPONENTS_V2))
        post.data["flags"] = flags
        if "content" in payload:
            post.data["content"] = payload["content"] or ""
        _fill(world, post, payload, files or {}, is_new=False)
        if _is_empty(post.data):
            raise ApiError(50006)
    except ApiError:
        post.data, post.attachments = before, files_before
        raise
    if not before["flags"] & FLAG_LOADING:
        post.data["edited_timestamp"] = iso(world.clock.now())
    world.post_edited(post)
    return post


def _is_empty(data: Json) -> bool:
    if data["flags"] & FLAG_LOADING:
        return False
    return not any(data.get(key) for key in ("content", "embeds", "attachments", "components", "poll", "sticker_items"))


def _fill(world: World, post: Post, payload: Json, files: Mapping[int, Upload], *, is_new: bool) -> None:
    data = post.data
    _check_v2(data, payload)
    if files or payload.get("attachments") is not None:
        post.attachments = _attachments(world, post, payload, files)
    by_name = {one["filename"]: one for one in post.attachments}

    def resolve(media: Json) -> Json:
        return _media(world, by_name, media)

    if payload.get("components") is not None:
        data["components"] = materialise(payload["components"], resolve)
    if payload.get("embeds") is not None:
        data["embeds"] = [_embed(embed, resolve) for embed in payload["embeds"]]
    # Files that an embed or a component shows are not listed a second time (discord-api-docs #8277).
    shown = str([data["embeds"], data["components"]])
    data["attachments"] = [one for one in post.attachments if one["url"].split("?")[0] not in shown]
    if is_new or "content" in payload or "allowed_mentions" in payload or "components" in payload:
        _mention(world, post, payload.get("allowed_mentions"))


def _check_v2(data: Json, payload: Json) -> None:
    if not data["flags"] & FLAG_COMPONENTS_V2:
        components = enumerate(payload.get("components") or ())
        v2 = [f"components.{index}.type" for index, part in components if part["type"] in V2_ONLY]
        if v2:
            raise invalid_form([Violation(path, "BASE_TYPE_CHOICES", "Needs IS_COMPONENTS_V2") for path in v2])
        return
    text = "The 'content' field cannot be used when using MessageFlags.IS_COMPONENTS_V2"
    wrong = [
        Violation(key, "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", text.replace("content", key))
        for key in ("content", "embeds", "poll", "sticker_ids")
        if payload.get(key) or (key in ("content", "embeds") and data.get(key))
    ]
    if wrong:
        raise invalid_form(wrong)


def _attachments(world: World, post: Post, payload: Json, files: Mapping[int, Upload]) -> list[Json]:
    known = {one["id"]: one for one in post.attachments}
    described = payload.get("attachments")
    kept: list[Json] = list(known.values()) if described is None else []
    left = dict(files)
    for item in described or []:
        number = str(item.get("id", ""))
        if number in known:
            kept.append(known[number] | {key: item[key] for key in ("description", "filename") if item.get(key)})
        elif number.isdigit() and int(number) in left:
            kept.append(_store(world, post, left.pop(int(number)), item))
        else:
            raise invalid_form([Violation("attachments", "ATTACHMENT_NOT_FOUND", f"Unknown attachment {number}")])
    return kept + [_store(world, post, file, {}) for file in left.values()]


def _store(world: World, post: Post, file: Upload, item: Json) -> Json:
    file_id = world.new_id()
    name = re.sub(r"[^\w.\-]", "_", item.get("filename") or file.filename)
    folder = "attachments" if post.only_for is None else "ephemeral-attachments"
    owner = post.channel_id if post.only_for is None else post.app_id
    url = world.store_file(f"/{folder}/{owner}/{file_id}/{name}", file.content, file.content_type)
    data: Json = {
        "id": str(file_id),
        "filename": name,
        "size": len(file.content),
        "url": url,
        "proxy_url": url.replace("cdn.discordapp.com", "media.discordapp.net"),
        "content_type": file.content_type,
    }
    if size := _picture_size(file.content):
        data["width"], data["height"] = size
    if item.get("description"):
        data["description"] = item["description"]
    if post.only_for is not None:
        data["ephemeral"] = True
    return data


def _picture_size(content: bytes) -> tuple[int, int] | None:
    try:
        with Image.open(io.BytesIO(content)) as picture:
            return picture.size
    except (UnidentifiedImageError, OSError, ValueError):
        return None


def _media(world: World, by_name: Mapping[str, Json], media: Json) -> Json:
    url = str(media["url"])
    if url.startswith("attachment://"):
        name = re.sub(r"[^\w.\-]", "_", url.removeprefix("attachment://"))
        if name not in by_name:
            code = "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND"
            raise invalid_form([Violation("components", code, f"The referenced attachment {name!r} was not found")])
        file = by_name[name]
        return {
            "id": file["id"],
            "url": file["url"],
            "proxy_url": file["proxy_url"],
            "width": file.get("width"),
            "height": file.get("height"),
            "content_type": file.get("content_type"),
            "attachment_id": file["id"],
            "_filename": file["filename"],
            "_size": file["size"],
        }
    return {
        "id": str(world.new_id()),
        "url": url,
        "proxy_url": "https://media.discordapp.net/external/" + url.split("://", 1)[-1],
        "width": None,
        "height": None,
        "content_type": None,
    }


def _embed(embed: Json, resolve: Any) -> Json:
    data: Json = {key: value for key, value in embed.items() if value is not None}
    data["type"] = "rich"
    if "fields" in data:
        data["fields"] = [{"inline": False} | field for field in data["fields"]]
    for key in ("image", "thumbnail"):
        if key in data:
            media = resolve(data[key])
            kept = {name: media[name] for name in ("url", "proxy_url", "content_type") if media[name] is not None}
            data[key] = kept | {"width": media["width"] or 0, "height": media["height"] or 0}
    return data


def _mention(world: World, post: Post, allowed: Json | None) -> None:
    data = post.data
    text = data["content"] + " ".join(
        str(part.get("content", "")) for part in data["components"] if isinstance(part, dict)
    )
    parse: Sequence[str] = ("users", "roles", "everyone") if allowed is None else allowed.get("parse") or ()
    users = {int(number) for number in re.findall(r"<@!?(\d+)>", text)}
    roles = set(re.findall(r"<@&(\d+)>", text))
    if "users" not in parse:
        users &= {int(number) for number in (allowed or {}).get("users") or ()}
    if "roles" not in parse:
        roles &= {str(number) for number in (allowed or {}).get("roles") or ()}
    data["mentions"] = [world.people[user_id].to_json() for user_id in sorted(users) if user_id in world.people]
    data["mention_roles"] = sorted(roles)
    wants_everyone = "everyone" in parse and ("@everyone" in text or "@here" in text)
    channel = world.channels[post.channel_id]
    data["mention_everyone"] = wants_everyone and world.can(post.author_id, channel, perms.MENTION_EVERYONE)


def _refer(world: World, channel: Channel, post: Post, payload: Json) -> None:
    reference = payload.get("message_reference")
    if not reference:
        return
    target = channel.posts.get(int(reference["message_id"]))
    if target is None or target.only_for is not None:
        if reference.get("fail_if_not_exists", True):
            code = "REPLIES_UNKNOWN_MESSAGE"
            raise invalid_form([Violation("message_reference", code, "Unknown message")])
        return
    post.data["type"] = REPLY
    post.data["message_reference"] = {
        "type": 0,
        "message_id": str(target.message_id),
        "channel_id": str(channel.channel_id),
    }
    if channel.guild_id:
        post.data["message_reference"]["guild_id"] = str(channel.guild_id)
    post.data["referenced_message"] = target.data


def set_reaction(world: World, post: Post, emoji: str, user_id: int, *, is_there: bool) -> None:
    """Add or remove one user's reaction; nothing happens when it is so already."""
    users = post.reactions.setdefault(emoji, [])
    if (user_id in users) == is_there:
        return
    if is_there:
        users.append(user_id)
    else:
        users.remove(user_id)
    post.data["reactions"] = [
        {
            "emoji": {"id": None, "name": name},
            "count": len(ids),
            "count_details": {"burst": 0, "normal": len(ids)},
            "burst_colors": [],
            "me_burst": False,
            "me": post.app_id in ids,
        }
        for name, ids in post.reactions.items()
        if ids
    ]
    change = {
        "user_id": str(user_id),
        "channel_id": str(post.channel_id),
        "message_id": str(post.message_id),
        "emoji": {"id": None, "name": emoji},
        "is_added": is_there,
        "author_id": str(post.author_id),
    }
    world.tell("reaction_changed", world.channels[post.channel_id], post.only_for, change)


def toggle_reaction(world: World, post: Post, emoji: str, user_id: int) -> None:
    """Add a user's reaction or take it back."""
    set_reaction(world, post, emoji, user_id, is_there=user_id not in post.reactions.get(emoji, []))
