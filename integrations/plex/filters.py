"""The little language of smart collections: `genre=Drama year>=2000 unwatched`. Pure.

Terms stand beside each other and all of them must hold. A term is a word (`unwatched`, `watched`, `duplicate`,
`unmatched`) or a field, a sign and a value: `genre=Drama,Comedy` (one of them), `genre!=Horror` (none of them),
`year>=2000`, `minutes<100`. A value of several words stands in quotes: `genre="Science Fiction"`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from daemon.core.errors import UserError
from daemon.core.query import folded
from daemon.core.text import clamp, plain

TERMS_MAX = 12
EXAMPLE = 'genre="Science Fiction" year>=2000 unwatched'
_SAID_CHARS_MAX = 60
_LISTED_MAX = 15

WORDS = ("genre", "label", "collection", "director", "writer", "actor", "country", "studio", "rated", "resolution")
"""Fields whose values are words that the library has."""
NUMBERS = ("year", "decade", "minutes")
FLAGS = {"unwatched": ("unwatched", 1), "watched": ("unwatched", 0), "duplicate": ("duplicate", 1),
         "unmatched": ("unmatched", 1)}  # fmt: skip
PLEX_NAMES = {"rated": "contentRating", "minutes": "duration"}
_SAME = {"genres": "genre", "content": "rated", "contentrating": "rated", "unplayed": "unwatched", "played": "watched",
         "duration": "minutes"}  # fmt: skip

_VALUE = r'(?:"[^"]*"|[^\s",]+)'
_TERM = re.compile(rf"(?P<field>\w+)\s*(?P<sign>!=|>=|<=|=|>|<)\s*(?P<values>{_VALUE}(?:\s*,\s*{_VALUE})*)")
_WORD = re.compile(r"[^\s=<>!]+")
_ONE = re.compile(_VALUE)


@dataclass(frozen=True, slots=True)
class Term:
    """One condition. A flag has neither sign nor values."""

    field: str
    sign: str = ""
    values: tuple[str, ...] = ()


def parse(text: str) -> tuple[Term, ...]:
    """The terms of a filter. UserError `bad_filter` that says what is not understood, and what would be."""
    terms: list[Term] = []
    line, at = " ".join(text.replace("“", '"').replace("”", '"').split()), 0
    while at < len(line):
        if line[at].isspace() or line[at] == "&":
            at += 1
        elif found := _TERM.match(line, at):
            terms.append(_term(found["field"], found["sign"], found["values"]))
            at = found.end()
        elif found := _WORD.match(line, at):
            terms.append(_flag(found[0]))
            at = found.end()
        else:
            raise _bad(f"I do not understand “{_said(line[at:])}”")
    if not terms:
        raise _bad("That filter is empty")
    if len(terms) > TERMS_MAX:
        raise _bad(f"That filter has more than {TERMS_MAX} terms")
    return tuple(terms)


def _term(field: str, sign: str, values: str) -> Term:
    name = _SAME.get(field.lower(), field.lower())
    if name not in (*WORDS, *NUMBERS):
        raise _bad(f"I know no field “{_said(field)}”")
    found = tuple(plain(value.strip('"')) for value in _ONE.findall(values))
    if not all(found):
        raise _bad(f"A value of {name} is missing")
    if name in WORDS:
        if sign not in ("=", "!="):
            raise _bad(f"“{name}” is a word and no number, so “{sign}” says nothing of it")
        return Term(name, sign, found)
    if len(found) > 1:
        raise _bad(f"One number for “{name}”, please")
    number = found[0].removesuffix("s")
    if not (number.isascii() and number.isdigit() and len(number) <= 5):
        raise _bad(f"“{_said(found[0])}” is no number for “{name}”")
    return Term(name, sign, (number,))


def _flag(word: str) -> Term:
    name = _SAME.get(word.lower(), word.lower())
    if name not in FLAGS:
        raise _bad(f"I do not know “{_said(word)}”; a value of several words stands in quotes")
    return Term(name)


def to_query(
    terms: Sequence[Term], fields: Mapping[str, str], choices: Mapping[str, Mapping[str, str]], library: str
) -> list[tuple[str, str]]:
    """As Plex's own parameters, in order.

    `fields` are Plex's names of what the library can be filtered by: {"genre": "show.genre"}. `choices` are, for each
    field of words, what there is: {"genre": {"Drama": "12"}}. UserError `no_such_field`, `no_such_value`.
    """
    return [pair for term in terms for pair in _translated(term, fields, choices, library)]


def _translated(
    term: Term, fields: Mapping[str, str], choices: Mapping[str, Mapping[str, str]], library: str
) -> list[tuple[str, str]]:
    name = _plex_field(term, fields, library)
    if term.field in FLAGS:
        return [(name, str(FLAGS[term.field][1]))]
    if term.field in WORDS:
        keys = [_key(term.field, value, choices[term.field], library) for value in term.values]
        return [(name if term.sign == "=" else f"{name}!", ",".join(dict.fromkeys(keys)))]
    return _numbers(name, term)


def _plex_field(term: Term, fields: Mapping[str, str], library: str) -> str:
    wanted = FLAGS[term.field][0] if term.field in FLAGS else PLEX_NAMES.get(term.field, term.field)
    for name in (wanted, "unwatchedLeaves" if wanted == "unwatched" else wanted):
        if name in fields:
            return fields[name]
    ours = [word for word in (*WORDS, *NUMBERS) if PLEX_NAMES.get(word, word) in fields]
    ours += [word for word, (name, _) in FLAGS.items() if name in fields]
    raise UserError(f"{library} cannot be filtered by {term.field}; it can by: {', '.join(ours)}.", "no_such_field")


def _key(field: str, value: str, choices: Mapping[str, str], library: str) -> str:
    wanted = folded(value)
    if field == "resolution":
        wanted = wanted.removesuffix("p")
    for name, key in choices.items():
        if wanted in (
            folded(name),
            folded(name).removesuffix("p") if field == "resolution" else folded(name),
            folded(key),
        ):
            return key
    names = list(choices)
    near = difflib.get_close_matches(wanted, [folded(name) for name in names], _LISTED_MAX, 0.6)
    shown = [name for name in names if folded(name) in near] or names[:_LISTED_MAX]
    there = ", ".join(plain(name) for name in shown) or "none"
    more = f" and {len(names) - len(shown):,} more" if len(shown) < len(names) else ""
    raise UserError(f"{library} has no {field} “{_said(value)}”; there is: {there}{more}.", "no_such_value")


def _numbers(name: str, term: Term) -> list[tuple[str, str]]:
    """Plex knows "more than" and "less than" only; a length is compared in milliseconds, by whole minutes."""
    number, unit = int(term.values[0]), 60_000 if term.field == "minutes" else 1
    first, last = number * unit, (number + 1) * unit - 1
    match term.sign:
        case ">=":
            return [(f"{name}>>", str(first - 1))]
        case ">":
            return [(f"{name}>>", str(last))]
        case "<=":
            return [(f"{name}<<", str(last + 1))]
        case "<":
            return [(f"{name}<<", str(first))]
        case "=" if unit > 1:
            return [(f"{name}>>", str(first - 1)), (f"{name}<<", str(last + 1))]
        case "!=" if unit > 1:
            raise _bad("A length is more or less than something, never just not that")
        case "=":
            return [(name, str(number))]
        case _:
            return [(f"{name}!", str(number))]


def _bad(problem: str) -> UserError:
    known = ", ".join((*WORDS, *NUMBERS, *FLAGS))
    return UserError(f"{problem}. I know: {known}. For example: {EXAMPLE}", "bad_filter")


def _said(text: str) -> str:
    return clamp(plain(text), _SAID_CHARS_MAX)


def merged(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Each name once: of two bounds the narrower one, of what is not wanted all. UserError `bad_filter` for others."""
    found: dict[str, str] = {}
    for name, value in pairs:
        if name not in found or found[name] == value:
            found[name] = value
        elif name.endswith(">>"):
            found[name] = str(max(int(found[name]), int(value)))
        elif name.endswith("<<"):
            found[name] = str(min(int(found[name]), int(value)))
        elif name.endswith("!"):
            found[name] += f",{value}"
        else:
            raise UserError("Name each field once; commas between its values mean one of them.", "bad_filter")
    return found
