"""The part of the module that is about single titles, put together."""

from __future__ import annotations

from datetime import timedelta

from pydantic import BaseModel

from daemon.host.context import ModuleContext
from daemon.services.audit import Audit
from daemon.services.kept import SWEEP_S, Kept
from daemon.services.library import Search
from daemon.services.panels import Panels
from integrations.plex import Editing
from integrations.plex.editing_fields import Change

from .commands_titles import TitleQuestions
from .commands_titles_components import TitleComponents
from .titles_asking import MatchOffer, MergeQuestion, SplitQuestion
from .titles_desk import TitleDesk

QUESTION_LASTS = timedelta(hours=1)  # how long a question about a title can be answered
UNDO_LASTS = timedelta(days=7)  # how long an edit can be taken back


def add_titles(ctx: ModuleContext[BaseModel]) -> TitleComponents:
    """The buttons of the cards about titles, for the commands that show them; used within `setup` only."""
    panels, clock, module = ctx.service(Panels), ctx.clock, ctx.module
    questions = TitleQuestions(
        Kept(panels, clock, module, "match", MatchOffer.from_state, QUESTION_LASTS),
        Kept(panels, clock, module, "split", SplitQuestion.from_state, QUESTION_LASTS),
        Kept(panels, clock, module, "merge", MergeQuestion.from_state, QUESTION_LASTS),
        Kept(panels, clock, module, "edit", Change.from_state, UNDO_LASTS),
    )
    ctx.every(SWEEP_S, questions.sweep, name="titles-sweep")
    desk = TitleDesk(ctx.service(Search), ctx.service(Editing))
    return ctx.components(TitleComponents, desk, questions, ctx.service(Audit))
