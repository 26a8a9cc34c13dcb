"""Which audio or subtitle track a member means. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from daemon.core.errors import UserError
from daemon.core.limits import AUTOCOMPLETE_CHOICES_MAX, CHOICE_CHARS_MAX
from daemon.core.media import Stream, StreamKind
from daemon.core.text import clamp, fold, plain

OFF = "off"
_OFF_WORDS = frozenset({"off", "none", "no", "0"})
_WORDS = {StreamKind.AUDIO: "audio", StreamKind.SUBTITLE: "subtitle"}


def track_label(stream: Stream) -> str:
    """A line for a list: `English (AC3 5.1)`; at most 100 characters, never empty."""
    return clamp(plain(stream.label) or plain(stream.language or "") or f"Track {stream.stream_id}", CHOICE_CHARS_MAX)


def track_choices(streams: Sequence[Stream], kind: StreamKind, text: str = "") -> list[tuple[str, str, bool]]:
    """(label, value, is selected) for at most 25 tracks whose label contains `text`; subtitles begin with "Off"."""
    mine = [stream for stream in streams if stream.kind is kind]
    lines = [(track_label(stream), str(stream.stream_id), stream.is_selected) for stream in mine]
    if kind is StreamKind.SUBTITLE:
        lines.insert(0, ("Off", OFF, not any(stream.is_selected for stream in mine)))
    return [line for line in lines if fold(text) in fold(line[0])][:AUTOCOMPLETE_CHOICES_MAX]


def find_track(text: str, streams: Sequence[Stream], kind: StreamKind) -> Stream | None:
    """The track that `text` means: its number, its label, its language, else the first whose label contains it.

    None means "off" and only subtitles can be switched off. UserError when no track fits.
    """
    mine = [stream for stream in streams if stream.kind is kind]
    wanted = fold(text)
    if kind is StreamKind.SUBTITLE and wanted in _OFF_WORDS:
        return None
    if not mine:
        raise UserError(f"What plays has no {_WORDS[kind]} tracks to choose from.", "no_track")
    by_number = [stream for stream in mine if str(stream.stream_id) == text.strip()]
    by_label = [stream for stream in mine if fold(track_label(stream)) == wanted]
    by_language = [stream for stream in mine if wanted and fold(stream.language or "") == wanted]
    is_number = re.fullmatch(r"[-+]?\d+", text.strip()) is not None  # a track's own, not the 1 of "5.1"
    containing = [s for s in mine if wanted and not is_number and wanted in fold(track_label(s))]
    for found in (by_number, by_label, by_language, containing):
        if found:
            return found[0]
    names = clamp(", ".join(track_label(stream) for stream in mine), 300)
    raise UserError(f"There is no {_WORDS[kind]} track “{clamp(plain(text), 60)}”; there are: {names}.", "no_track")
