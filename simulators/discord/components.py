"""Message components: walking trees of them, and giving them the shape Discord answers with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from simulators.discord.objects import Json

ACTION_ROW, BUTTON, STRING_SELECT, TEXT_INPUT = 1, 2, 3, 4
USER_SELECT, ROLE_SELECT, MENTIONABLE_SELECT, CHANNEL_SELECT = 5, 6, 7, 8
SECTION, TEXT_DISPLAY, THUMBNAIL, MEDIA_GALLERY, FILE, SEPARATOR = 9, 10, 11, 12, 13, 14
CONTAINER, LABEL, FILE_UPLOAD, RADIO_GROUP, CHECKBOX_GROUP, CHECKBOX = 17, 18, 19, 21, 22, 23

SELECTS = frozenset({STRING_SELECT, USER_SELECT, ROLE_SELECT, MENTIONABLE_SELECT, CHANNEL_SELECT})
V2_ONLY = frozenset({SECTION, TEXT_DISPLAY, THUMBNAIL, MEDIA_GALLERY, FILE, SEPARATOR, CONTAINER})
LINK_STYLE, PREMIUM_STYLE = 5, 6

Resolve = Callable[[Json], Json]  # {"url": "attachment://a.png"} -> the unfurled media object


def walk(components: Iterable[Json]) -> Iterator[Json]:
    """Every component of a tree, parents before children, in the order shown."""
    for component in components:
        yield component
        children = component.get("components") or []
        yield from walk(child for child in children if isinstance(child, dict))
        for key in ("accessory", "component"):
            if isinstance(component.get(key), dict):
                yield from walk([component[key]])


def materialise(components: list[Json], resolve: Resolve) -> list[Json]:
    """A copy with ids assigned, defaults filled in and media resolved, as Discord answers it."""
    taken = {part["id"] for part in walk(components) if part.get("id")}
    fresh = (number for number in range(1, 10_000) if number not in taken)
    return [_one(component, fresh, resolve) for component in components]


def _one(given: Json, fresh: Iterator[int], resolve: Resolve) -> Json:
    data: Json = {key: value for key, value in given.items() if value is not None}
    data["id"] = given.get("id") or next(fresh)
    kind = data["type"]
    if "components" in data:
        data["components"] = [_one(child, fresh, resolve) for child in data["components"]]
    for key in ("accessory", "component"):
        if key in data:
            data[key] = _one(data[key], fresh, resolve)
    if kind == CONTAINER:
        data = {"accent_color": None, "spoiler": False} | data
    elif kind == SEPARATOR:
        data = {"spacing": 1, "divider": True} | data
    elif kind in SELECTS:
        data = {"min_values": 1, "max_values": 1} | data
    elif kind == TEXT_INPUT:
        data = {"label": None, "min_length": None, "max_length": None} | data
    elif kind == THUMBNAIL:
        data = {"description": None, "spoiler": False} | data | {"media": resolve(data["media"])}
    elif kind == MEDIA_GALLERY:
        blank = {"description": None, "spoiler": False}
        data["items"] = [blank | item | {"media": resolve(item["media"])} for item in data["items"]]
    elif kind == FILE:
        media = resolve(data["file"])
        name, size = media.pop("_filename", None), media.pop("_size", None)
        data = {"spoiler": False, "name": name, "size": size} | data | {"file": media}
    elif kind == BUTTON and data.get("emoji"):
        data["emoji"] = {key: value for key, value in data["emoji"].items() if value is not None}
    _drop_private(data)
    return data


def _drop_private(data: Json) -> None:
    media = [data.get("media")] + [item.get("media") for item in data.get("items", [])]
    for one in media:
        if one:
            one.pop("_filename", None)
            one.pop("_size", None)
