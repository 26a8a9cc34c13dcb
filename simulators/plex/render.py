"""One answer, two spellings: the element tree that becomes XML attributes or JSON fields."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

Value = str | int | float | bool | None

_XML_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_XML_ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}
)
# Children of which JSON shows an object instead of an array, inside anything but a MediaContainer.
_SINGLE = frozenset({"User", "Player", "Session", "TranscodeSession", "UltraBlurColors", "Activity", "Context"})
_RESULT = frozenset({"Metadata", "Video", "Directory", "Track", "Playlist"})


@dataclass(slots=True)
class El:
    """An XML element; `name` is its JSON key where that differs from the tag (a Video is a `Metadata`).

    Attributes that are None are left out.
    """

    tag: str
    attrs: dict[str, Value] = field(default_factory=dict)
    children: Sequence[El] = ()
    name: str = ""


def to_xml(root: El) -> str:
    """The whole document, with its declaration."""
    out = ['<?xml version="1.0" encoding="UTF-8"?>\n']
    _write(root, out)
    return "".join(out)


def to_json(root: El) -> str:
    """`{"MediaContainer": {...}}`, compact."""
    return msgspec.json.encode({root.name or root.tag: plain(root)}).decode()


def plain(el: El) -> dict[str, Any]:
    """An element as the JSON object the server would give for it."""
    made: dict[str, Any] = {name: value for name, value in el.attrs.items() if value is not None}
    for child in el.children:
        key = child.name or child.tag
        if child.tag in _singles(el.tag):
            made[key] = plain(child)
        else:
            made.setdefault(key, []).append(plain(child))
    return made


def _singles(parent: str) -> frozenset[str]:
    if parent == "MediaContainer":
        return frozenset({"Meta"})
    return _RESULT if parent == "SearchResult" else _SINGLE


def _write(el: El, out: list[str]) -> None:
    out.append(f"<{el.tag}")
    for name, value in el.attrs.items():
        if value is None:
            continue
        if value is True or value is False:
            value = int(value)
        text = value if isinstance(value, str) else str(value)
        out.append(f' {name}="{_XML_FORBIDDEN.sub("", text).translate(_XML_ESCAPES)}"')
    if not el.children:
        out.append("/>")
        return
    out.append(">")
    for child in el.children:
        _write(child, out)
    out.append(f"</{el.tag}>")
