"""One trivial command: it answers at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic import BaseModel, ConfigDict

from daemon.host.context import ModuleContext

from .commands import PingCommands


class Config(BaseModel):
    """No settings."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@asynccontextmanager
async def setup(ctx: ModuleContext[Config]) -> AsyncIterator[None]:
    await ctx.cog(PingCommands)
    yield
