"""The words and letters by which the search file finds a title. Pure.

Words of a query never hold an underscore (folding takes it away), so tokens with one can say which library a title is
in without ever being typed.
"""

from __future__ import annotations

from collections.abc import Iterable

from daemon.core.media import Title
from daemon.core.query import folded, searchable, without_article

_GRAM = 3
GRAMS_CHARS_MAX = 120  # of a name that is cut into pieces; more of it tells nothing new


def library_token(library_id: int) -> str:
    """Stands in the text of every title of the library."""
    return f"__l{library_id}"


def kind_token(kind_no: int) -> str:
    """Stands in the text of every title of the kind."""
    return f"__k{kind_no}"


def word_text(title: Title, library_id: int, kind_no: int) -> str:
    """All words of a title, and where it is."""
    return f"{searchable(title)} {library_token(library_id)} {kind_token(kind_no)}"


def bare_name(name: str) -> str:
    """A name folded and without its article, as typing mistakes are looked for in."""
    return without_article(folded(name))


def grams(bare: str) -> list[str]:
    """The pieces of three letters, each once, with the ends marked: "dune" is _du, dun, une, ne_."""
    text = f"_{bare[:GRAMS_CHARS_MAX].replace(' ', '_')}_"
    return list(dict.fromkeys(text[at : at + _GRAM] for at in range(max(1, len(text) - _GRAM + 1))))


def gram_text(bare: str, library_id: int, kind_no: int) -> str:
    """All pieces of a name, and where the title is."""
    return " ".join([*grams(bare), library_token(library_id), kind_token(kind_no)])


def any_of(tokens: Iterable[str]) -> str:
    """An expression of FTS5: one of these."""
    return "(" + " OR ".join(f'"{token}"' for token in tokens) + ")"


def all_prefixes(words: Iterable[str]) -> str:
    """An expression of FTS5: words that begin with each of these."""
    return " AND ".join(f'"{word}"*' for word in words)
