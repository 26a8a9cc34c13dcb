"""For owners: looking after the libraries of the servers from chat."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from pydantic import BaseModel

from daemon.core.ids import ModuleId
from daemon.host.context import ModuleContext
from daemon.services.audit import Audit
from daemon.services.kept import SWEEP_S, Kept
from daemon.services.library import Mirroring, Search, Stock
from daemon.services.panels import Panels
from integrations.plex import Editing, Plex, Upkeep
from integrations.plex.editing_fields import Change

from .asking import Job
from .commands import ManageCommands
from .commands_components import ManageComponents
from .commands_titles import TitleQuestions
from .commands_titles_components import TitleComponents
from .desk import Desk
from .titles_asking import MatchOffer, MergeQuestion, SplitQuestion
from .titles_desk import TitleDesk
from .works import Works

MODULE = ModuleId("manage")
JOB_LASTS = timedelta(days=2)  # how long a card of a scan can be looked at again
QUESTION_LASTS = timedelta(hours=1)  # how long a question about a title can be answered
UNDO_LASTS = timedelta(days=7)  # how long an edit can be taken back


@asynccontextmanager
async def setup(ctx: ModuleContext[BaseModel]) -> AsyncIterator[None]:
    """Follow what was begun, and offer the commands."""
    upkeep, stock, panels = ctx.service(Upkeep), ctx.service(Stock), ctx.service(Panels)
    desk = Desk(ctx.service(Plex))
    works = Works(upkeep, stock, ctx.service(Mirroring), ctx.clock)
    jobs = Kept(panels, ctx.clock, MODULE, "job", Job.from_state, JOB_LASTS)
    items = ctx.components(ManageComponents, desk, works, jobs)
    ctx.task("works", works.run)
    ctx.every(SWEEP_S, jobs.sweep, name="sweep")
    title_desk = TitleDesk(ctx.service(Search), ctx.service(Editing))
    questions = TitleQuestions(
        Kept(panels, ctx.clock, MODULE, "match", MatchOffer.from_state, QUESTION_LASTS),
        Kept(panels, ctx.clock, MODULE, "split", SplitQuestion.from_state, QUESTION_LASTS),
        Kept(panels, ctx.clock, MODULE, "merge", MergeQuestion.from_state, QUESTION_LASTS),
        Kept(panels, ctx.clock, MODULE, "edit", Change.from_state, UNDO_LASTS),
    )
    titles = ctx.components(TitleComponents, title_desk, questions, ctx.service(Audit))
    ctx.every(SWEEP_S, questions.sweep, name="titles-sweep")
    await ctx.cog(ManageCommands, desk, items.works, title_desk, titles.answers)
    yield
