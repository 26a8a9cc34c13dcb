"""Files that may have to be sent a second time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import discord


def fresh(files: Iterable[discord.File]) -> Iterator[discord.File]:
    """The same files from their beginning: sending closes a `File`, but not the bytes it was made of."""
    for file in files:
        file.fp.seek(0)
        yield discord.File(file.fp, filename=file.filename, description=file.description, spoiler=file.spoiler)
