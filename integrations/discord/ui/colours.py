"""The colours of cards' edges: one set, so that everything looks like one product."""

from __future__ import annotations

from typing import Final

import discord

ACCENT: Final = discord.Colour(0xE5A00D)
QUIET: Final = discord.Colour(0x4E5058)  # nothing there, or nothing was changed
GOOD: Final = discord.Colour(0x23A55A)
DANGER: Final = discord.Colour(0xDA373C)  # cannot be undone
