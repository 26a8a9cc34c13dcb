"""Collections in chat: read by everyone as far as they see them, written by owners."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from pydantic import BaseModel

from daemon.core.ids import ModuleId
from daemon.host.context import ModuleContext
from daemon.services.audit import Audit
from daemon.services.kept import SWEEP_S, Kept
from daemon.services.library import Search, Shelves
from daemon.services.panels import Panels
from daemon.services.visibility import VisibilityService
from integrations.plex import Collections

from .asking import Doomed, Draft
from .commands import CollectionCommands
from .commands_components import CollectionComponents
from .desk import Desk

MODULE = ModuleId("collections")
DRAFT_LASTS = timedelta(days=1)  # how long a first title can be chosen
QUESTION_LASTS = timedelta(hours=1)  # how long a question before a deletion can be answered


@asynccontextmanager
async def setup(ctx: ModuleContext[BaseModel]) -> AsyncIterator[None]:
    """Build the desk, the lists and the commands."""
    panels = ctx.service(Panels)
    desk = Desk(
        ctx.service(Search), ctx.service(Shelves), ctx.service(VisibilityService), ctx.service(Collections)
    )  # fmt: skip
    drafts = Kept(panels, ctx.clock, MODULE, "draft", Draft.from_state, DRAFT_LASTS)
    questions = Kept(panels, ctx.clock, MODULE, "delete", Doomed.from_state, QUESTION_LASTS)
    items = ctx.components(CollectionComponents, desk, drafts, questions, ctx.service(Audit))
    ctx.every(SWEEP_S, drafts.sweep, name="drafts-sweep")
    ctx.every(SWEEP_S, questions.sweep, name="questions-sweep")
    await ctx.cog(CollectionCommands, desk, items.answers, items.changes)
    yield
