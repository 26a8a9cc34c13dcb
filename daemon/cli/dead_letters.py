from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from daemon.cli.columns import moment, show_json, show_table
from daemon.cli.opened import Opened, with_store
from daemon.cli.outcome import FAILED, leave

if TYPE_CHECKING:
    from daemon.services.dead_letters import DeadLetters, Letter

_DETAIL_CHARS = 60

_QUEUE = click.option("--queue", metavar="NAME", help="Only those of this queue.")
_ALL = click.option("--all", "is_all", is_flag=True, help="All there are, of --queue when it is given.")
_YES = click.option("--yes", is_flag=True, help="Do not ask.")
_IDS = click.argument("ids", metavar="[ID]...", nargs=-1, type=click.IntRange(min=1))


@click.group(name="dead-letters", short_help="Messages that were given up: list, show, replay, drop.")
def dead_letters() -> None:
    """Messages that were given up: their handler failed too often, or nothing could be done with them.

    They stay until they are replayed or dropped. Works whether or not the daemon runs.
    """


@dead_letters.command(name="list")
@_QUEUE
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000), help="At most this many.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of a table.")
def list_letters(queue: str | None, limit: int, as_json: bool) -> None:
    """The newest dead letters, newest first."""
    letters, total = with_store(lambda opened: _service(opened).page(queue, limit=limit))
    if as_json:
        show_json({"total": total, "letters": letters})
        return
    if not letters:
        click.echo("There are no dead letters" + (f" of the queue {queue}." if queue else "."))
        return
    headings = ("id", "died (UTC)", "queue", "topic", "reason", "attempts", "detail")
    show_table(headings, map(_row, letters), title=f"{len(letters)} of {total} dead letters")


@dead_letters.command()
@click.argument("letter_id", metavar="ID", type=click.IntRange(min=1))
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of lines.")
def show(letter_id: int, as_json: bool) -> None:
    """Everything about one dead letter, and how its body begins."""

    async def look(opened: Opened) -> tuple[Letter | None, str | None]:
        service = _service(opened)
        return await service.get(letter_id), await service.preview(letter_id)

    letter, preview = with_store(look)
    if letter is None:
        leave(FAILED, [_unknown([letter_id])])
    if as_json:
        show_json({"letter": letter, "body": preview})
        return
    from daemon.kernel.logs import redact

    for name, value in _facts(letter):
        click.echo(f"{click.style(f'{name:>9}', bold=True)}  {redact(value)}")
    click.echo()
    click.echo("The body lies outside the database." if preview is None else preview or "The body is empty.")


@dead_letters.command()
@_IDS
@_ALL
@_QUEUE
@_YES
def replay(ids: tuple[int, ...], is_all: bool, queue: str | None, yes: bool) -> None:
    """Put dead letters back into their queues, as new messages: for when the cause is mended."""
    _check_chosen(ids, is_all, queue)
    if is_all and not yes:
        click.confirm(f"Replay {_all_of(queue)}?", abort=True)
    count = with_store(lambda opened: _settle(opened, ids, queue, is_replayed=True))
    click.echo(f"Replayed {count}.")


@dead_letters.command()
@_IDS
@_ALL
@_QUEUE
@_YES
def drop(ids: tuple[int, ...], is_all: bool, queue: str | None, yes: bool) -> None:
    """Delete dead letters for good. What they would have done will not be done."""
    _check_chosen(ids, is_all, queue)
    if is_all and not yes:
        click.confirm(f"Drop {_all_of(queue)} for good?", abort=True)
    count = with_store(lambda opened: _settle(opened, ids, queue, is_replayed=False))
    click.echo(f"Dropped {count}.")


def _service(opened: Opened) -> DeadLetters:
    from daemon.services.dead_letters import DeadLetters

    return DeadLetters(opened.store, opened.clock)


async def _settle(opened: Opened, ids: Sequence[int], queue: str | None, *, is_replayed: bool) -> int:
    from daemon.core.errors import UserError

    service = _service(opened)
    if not ids:
        return await (service.replay_all(queue) if is_replayed else service.drop_all(queue))
    if missing := [letter_id for letter_id in ids if await service.get(letter_id) is None]:
        raise UserError(_unknown(missing), "unknown_letter")
    return await (service.replay(ids) if is_replayed else service.drop(ids))


def _check_chosen(ids: Sequence[int], is_all: bool, queue: str | None) -> None:
    if bool(ids) == is_all:
        raise click.UsageError("Give ids, or --all.")
    if ids and queue is not None:
        raise click.UsageError("--queue goes with --all.")


def _all_of(queue: str | None) -> str:
    return f"all dead letters of the queue {queue}" if queue else "all dead letters"


def _unknown(ids: Sequence[int]) -> str:
    names = ", ".join(map(str, ids))
    return f"There is no dead letter {names}; `marquee dead-letters list` shows which there are."


def _row(letter: Letter) -> tuple[str, ...]:
    from daemon.core.text import clamp

    detail = clamp(letter.headline, _DETAIL_CHARS)
    return (
        str(letter.letter_id), moment(letter.died_at), letter.queue, letter.topic, letter.reason,
        str(letter.attempts), detail,
    )  # fmt: skip


def _facts(letter: Letter) -> list[tuple[str, str]]:
    return [
        ("id", str(letter.letter_id)),
        ("queue", letter.queue),
        ("topic", letter.topic),
        ("key", letter.key or "-"),
        ("reason", letter.reason),
        ("attempts", str(letter.attempts)),
        ("enqueued", f"{moment(letter.enqueued_at)} UTC as message {letter.message_id}"),
        ("died", f"{moment(letter.died_at)} UTC"),
        ("source", letter.source or "-"),
        ("event", "-" if letter.event_seq is None else str(letter.event_seq)),
        ("trace", letter.trace_id or "-"),
        ("size", f"{letter.size_bytes} bytes"),
        ("detail", letter.detail or "-"),
    ]
