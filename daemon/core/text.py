"""Text for people: durations, positions, bars, clamping. Pure."""

from __future__ import annotations

import re
import unicodedata

_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,3}):(\d{1,2})")


def clamp(text: str, chars_max: int) -> str:
    """`text` cut to `chars_max` characters, the last an ellipsis when something was cut: ("Solaris", 4) is "Sol…"."""
    return text if len(text) <= chars_max else text[: max(0, chars_max - 1)].rstrip() + "…"


def plain(text: str) -> str:
    """`text` on one line: control and bidirectional override characters removed, white space folded, trimmed.

    Right-to-left and emoji text stays as it is; only characters that change the meaning of what stands beside them go.
    """
    kept = (" " if ch in "\n\r\t" else ch for ch in text if ch in "\n\r\t" or not _is_unsafe(ch))
    return " ".join("".join(kept).split())


def _is_unsafe(ch: str) -> bool:
    category = unicodedata.category(ch)
    # U+200D joins emoji, U+200C is spelling in Persian: both are format characters (Cf) that text needs.
    return category in ("Cc", "Cs") or (category == "Cf" and ch not in "\u200c\u200d")


def fold(text: str) -> str:
    """`text` for comparison: no accents, no case, punctuation as space: "Amélie: Le Film" is "amelie le film"."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    letters = (ch if ch.isalnum() else " " for ch in decomposed if not unicodedata.combining(ch))
    return " ".join("".join(letters).split())


def duration(ms: int) -> str:
    """Milliseconds as a clock: 3,723,000 is `1:02:03`, 90,000 is `1:30`."""
    minutes, seconds = divmod(max(0, ms) // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def bar(part: float, cells: int = 18) -> str:
    """A progress bar of `cells` characters for `part` between 0 and 1."""
    filled = round(min(1.0, max(0.0, part)) * cells)
    return "▰" * filled + "▱" * (cells - filled)


def parse_position(text: str, now_ms: int, duration_ms: int) -> int | None:
    """The position in ms that a member means, or None when it cannot be read.

    `1:02:03` and `2:03` are clock times, `90` seconds, `+30` and `-30` seconds from `now_ms`, `50%` a part of
    `duration_ms`. The answer is not bounded: a position beyond the end is the caller's to judge.
    """
    text = text.strip()
    sign, rest = (text[0], text[1:].strip()) if text[:1] in "+-" and text else ("", text)
    if not sign and rest.endswith("%"):
        number = rest[:-1].strip()
        if not re.fullmatch(r"\d{1,3}(?:\.\d{1,3})?", number, re.ASCII) or float(number) > 100:
            return None
        return int(duration_ms * float(number) / 100)
    if match := _CLOCK.fullmatch(rest):
        hours, minutes, seconds = (int(group or 0) for group in match.groups())
        if seconds > 59 or (match.group(1) is not None and minutes > 59):
            return None
        value = ((hours * 60 + minutes) * 60 + seconds) * 1000
    elif re.fullmatch(r"\d{1,6}", rest, re.ASCII):
        value = int(rest) * 1000
    else:
        return None
    return {"": value, "+": now_ms + value, "-": now_ms - value}[sign]


def size_line(size_bytes: int) -> str:
    """`812 MB`, `4.1 GB`, `12.3 TB`; powers of ten, as disks are sold."""
    for unit, factor in (("TB", 10**12), ("GB", 10**9)):
        if size_bytes >= factor:
            return f"{size_bytes / factor:,.1f} {unit}"
    return f"{size_bytes / 10**6:,.0f} MB"


def titles_line(count: int) -> str:
    """`1 title`, `1,204 titles`."""
    return f"{count:,} title{'s' * (count != 1)}"


def days_line(count: int) -> str:
    """`1 day`, `365 days`."""
    return f"{count:,} day{'s' * (count != 1)}"
