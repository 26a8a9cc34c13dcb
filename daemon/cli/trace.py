from __future__ import annotations

from typing import TYPE_CHECKING

import click

from daemon.cli.columns import show_json, show_table
from daemon.cli.opened import Opened, with_store

if TYPE_CHECKING:
    from daemon.services.stories import Happening


@click.command(short_help="The story of one trace id.")
@click.argument("trace_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of a table.")
def trace(trace_id: str, as_json: bool) -> None:
    """The story of one trace id: everything that one command, press or Plex notification caused, in order of time.

    ID is what log lines carry as trace_id and what members are shown when something fails, or the first eight digits of
    it at least. Reads the database; the rest of the story is in the log, under the same id.
    """

    async def tell(opened: Opened) -> tuple[str, list[Happening]]:
        from daemon.services.stories import Stories

        return await Stories(opened.store).tell(trace_id)

    whole_id, happenings = with_store(tell)
    if as_json:
        show_json({"trace_id": whole_id, "happenings": happenings})
        return
    begun_at = happenings[0].at
    rows, before = [], begun_at
    for one in happenings:
        gap_ms = (one.at - before).total_seconds() * 1000
        rows.append((f"{one.at:%H:%M:%S.%f}"[:-3], f"+{gap_ms:,.0f} ms", one.what, one.detail))
        before = one.at
    show_table(("time", "after", "what", "detail"), rows, title=f"{whole_id} on {begun_at:%Y-%m-%d} (UTC)")
