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


def row_json(row: El) -> bytes:
    """One child as it stands in a JSON array."""
    return msgspec.json.encode(plain(row))


def row_xml(row: El) -> bytes:
    """One child as it stands in its parent."""
    out: list[str] = []
    _write(row, out)
    return "".join(out).encode("utf-8", "replace")


def page_json(root: El, name: str, rows: Sequence[bytes]) -> bytes:
    """`to_json` of a root with `rows` (as `row_json` made them) as its last children."""
    head = to_json(root).encode("utf-8", "replace")
    if not rows:
        return head
    return b"".join((head[:-2], b',"', name.encode(), b'":[', b",".join(rows), b"]}}"))


def page_xml(root: El, rows: Sequence[bytes]) -> bytes:
    """`to_xml` of a root with `rows` (as `row_xml` made them) as its last children."""
    head, end = to_xml(root).encode("utf-8", "replace"), f"</{root.tag}>".encode()
    if not rows:
        return head
    opened = head.removesuffix(end) if head.endswith(end) else head.removesuffix(b"/>") + b">"
    return b"".join((opened, *rows, end))


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
