"""Word lists and figures from which large libraries and all the small print are drawn."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def pick(rng: random.Random, choices: Sequence[T]) -> T:
    """One of `choices`; four times as fast as `rng.choice`, which counts when a page of 1,000 titles is drawn."""
    return choices[int(rng.random() * len(choices))]


def _entries(text: str, separator: str | None) -> list[str]:
    return [" ".join(entry.split()) for entry in text.split(separator)]


ADJECTIVES = _entries(
    """
amber ancient bitter blind broken burning crimson crooked distant drowned electric empty endless fallen faithful
fading feral final forgotten frozen gilded golden hidden hollow hungry invisible iron lonely lost lucky marble
midnight molten narrow nameless northern painted pale patient perfect quiet ragged reckless restless sacred
scarlet second secret seventh shattered silent silver sleeping slow southern stolen strange sunken tender tidal
twisted velvet vanishing violet wandering wild winter wooden
""",
    None,
)
NOUNS = _entries(
    """
alibi anchor apprentice archive arrow balcony bargain beacon bridge cartel cathedral circus colony compass
courier crown current daughter debt detour diver dynasty echo engine envoy equation falcon ferry forest fortune
frontier garden gambit ghost harbor harvest heist horizon hour inheritance island journey junction kingdom
ladder lantern ledger letter machine map masquerade mirror monsoon mountain museum needle oath oracle orchard
outpost parade passage pilot pledge promise puzzle quarry river rumor saint season shadow signal silence soldier
sparrow spiral station storm stranger summit tailor tide tower traveler verdict voyage waltz widow window winter
witness wolf
""",
    None,
)
PLACES = _entries(
    """
Alder Bay, Antwerp, Bellmare, Bristol, Cape Verity, Calloway, Dunmore, Esker Point, Fairhaven, Galway, Hollow
Creek, Innisfell, Jaipur, Kestrel Rock, Lisbon, Marrakesh, Monterey, Nightingale Row, Odessa, Palermo, Quarry
Hill, Rosewater, Saltmarsh, Tallinn, Umbra, Valparaiso, Westering, Yarrow, Zanzibar
""",
    ",",
)
FIRST_NAMES = _entries(
    """
Ada Alma Amara Anselm Astrid Bashir Beatriz Caleb Camille Cyrus Dara Dmitri Edda Elio Esme Farid Freya Gideon
Greta Hana Hugo Ingrid Ismael Ivo Jonas Juno Kaito Keziah Lars Leila Lucian Mabel Mateo Mira Nadia Nils Odette
Omar Petra Priya Quentin Rafaela Rhys Rosa Saoirse Selim Signe Tadeo Talia Thea Umar Vera Viktor Wanda Wren
Xenia Yara Yusuf Zelda Zora
""",
    None,
)
LAST_NAMES = _entries(
    """
Abara Albrecht Amsel Baptiste Bellweather Brandt Calder Castellan Dunmore Ekberg Falk Farrow Ferreira Galloway
Grigor Hale Holloway Ibarra Ishikawa Jardine Kestrel Kowal Lachlan Lindqvist Marchetti Moreau Nakamura Novak
Oduya Okafor Orlov Pascoe Pemberton Quill Rao Rinaldi Sandoval Sorensen Tanaka Thackeray Umarov Vance Varga
Vidal Wexler Whitlock Yilmaz Zielinski
""",
    None,
)
STUDIOS = _entries(
    """
Amberlight Pictures; Blue Door Films; Cormorant Media; Drydock Studios; Fifth Bell; Gaslamp Entertainment;
Halfmoon Features; Ironbark; Kingfisher Productions; Long Lens; Nightjar Films; Overpass Pictures; Paperclip
Cinema; Quiet Riot Pictures; Tall Ship
""",
    ";",
)
COUNTRIES = (
    "United States of America", "United Kingdom", "France", "Germany", "Japan", "Canada", "Spain", "Italy",
    "South Korea", "Norway", "Mexico", "Ireland",
)  # fmt: skip
GENRES = (
    "Drama", "Comedy", "Thriller", "Action", "Adventure", "Crime", "Romance", "Mystery", "Science Fiction", "Fantasy",
    "Horror", "Family", "Animation", "History", "War", "Music", "Western", "Documentary",
)  # fmt: skip
MUSIC_GENRES = (
    "Indie Folk",
    "Electronic",
    "Jazz",
    "Rock",
    "Ambient",
    "Pop",
    "Blues",
    "Hip-Hop",
    "Classical",
    "Country",
)
CHARACTERS = (
    "The Stranger",
    "Inspector",
    "Captain",
    "Doctor",
    "Mother",
    "The Ferryman",
    "Young",
    "Old",
    "Sister",
    "Judge",
)
SUMMARIES = (
    "A {adj} {noun} brings two strangers to {place}, where nothing is what it was sold as.",
    "Years after the {noun}, the people of {place} learn who really kept the {adj} {noun2}.",
    "In {place}, a {adj} promise turns a {noun} into the only way out.",
    "What begins as a {adj} {noun} in {place} ends with a {noun2} nobody asked for.",
)
TAGLINES = (
    "Nobody leaves {place} twice.",
    "The {noun} always comes back.",
    "Trust the {adj} one.",
    "One {noun}. No way around it.",
    "Some {noun}s are better left {adj}.",
)

# Shares measured on 341 captured films, in per cent or as counts out of 341.
PCT_TAGLINE, PCT_RATING, PCT_TITLE_SORT, PCT_LAST_VIEWED, PCT_VIEWED = 94, 92, 23, 18, 14
PCT_ORIGINAL_TITLE, PCT_VIEW_OFFSET, PCT_CHAPTERS, PCT_COLLECTION, PCT_CONTENT_RATING = 9, 4, 65, 5, 99
PER_MILLE_MULTI_VERSION, PER_MILLE_MULTI_PART = 6, 6
CONTAINERS = ("mkv",) * 297 + ("mp4",) * 28 + ("mpegts",) * 10 + ("avi",) * 6
VIDEO_CODECS = ("h264",) * 228 + ("hevc",) * 98 + ("vc1",) * 10 + ("mpeg4",) * 6
AUDIO_CODECS = ("dca",) * 93 + ("dca-ma",) * 78 + ("ac3",) * 61 + ("eac3",) * 39 + ("truehd",) * 38 + ("aac",) * 28
RESOLUTIONS = ("1080",) * 250 + ("4k",) * 82 + ("sd",) * 7 + ("720",) * 3
CONTENT_RATINGS = ("nl/16",) * 163 + ("nl/12",) * 123 + ("nl/6",) * 19 + ("nl/AL",) * 11 + ("nl/9",) * 6 + ("R",) * 4
