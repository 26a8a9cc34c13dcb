"""Which names exist: the settings' model as a tree of names, and the nearest one to a name that does not."""

from __future__ import annotations

import difflib
import types
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr

FILE_SUFFIX = "_file"
_ALIKE = 0.6  # difflib's measure, 1 for the same word


@dataclass(frozen=True, slots=True)
class Node:
    """A place in the tree: a setting, a section with `children`, or a table whose keys the operator chooses."""

    children: dict[str, Node] = field(default_factory=dict)
    any_child: Node | None = None
    is_secret: bool = False

    @property
    def is_setting(self) -> bool:
        """Whether a value stands here."""
        return not self.children and self.any_child is None

    def find(self, path: tuple[str, ...]) -> Node | None:
        """The place that `path` leads to, None when there is none."""
        node: Node | None = self
        for part in path:
            node = None if node is None else node.children.get(part, node.any_child)
        return node

    def settings(self, like: tuple[str, ...] = (), path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
        """Paths of all settings, `_file` twins of secrets included.

        A free key is the one at its place in `like`, when what stands before it there reads alike: else `<name>`.
        """
        if self.is_setting:
            yield path
            if self.is_secret:
                yield (*path[:-1], path[-1] + FILE_SUFFIX)
        for name, child in self.children.items():
            yield from child.settings(like, (*path, name))
        if self.any_child is not None:
            is_alike = len(path) < len(like) and all(map(_reads_alike, path, like))
            name = like[len(path)] if is_alike else "<name>"
            yield from self.any_child.settings(like, (*path, name))


def tree_of(model: type[BaseModel]) -> Node:
    """The names that `model` knows."""
    return Node({name: _node_of(info.annotation) for name, info in model.model_fields.items()})


def nearest(tree: Node, path: tuple[str, ...]) -> tuple[str, ...] | None:
    """The known path that reads most like the unknown `path`, or None when nothing comes near."""
    known = {"__".join(candidate): candidate for candidate in tree.settings(like=path)}
    close = difflib.get_close_matches("__".join(path), list(known), n=1, cutoff=_ALIKE)
    return known[close[0]] if close else None


def _reads_alike(one: str, other: str) -> bool:
    return difflib.SequenceMatcher(None, one, other).ratio() >= _ALIKE


def _node_of(annotation: Any) -> Node:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _node_of(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return _node_of(next(arg for arg in get_args(annotation) if arg is not type(None)))
    if origin is dict:
        return Node(any_child=_node_of(get_args(annotation)[1]))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return tree_of(annotation)
    return Node(is_secret=annotation is SecretStr)
