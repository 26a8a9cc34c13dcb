"""The series of the small library.

One series a line: title | year | minutes | genres | episodes of each season (S: specials) | network | summary.
"""

from __future__ import annotations

SHOWS = """
Harrow Street | 2017 | 52 | Crime, Drama | S2, 8, 8, 10 | Northlight | A night-shift detective and a day-shift locksmith share a flat and, slowly, a case.
The Salt Cellar | 2019 | 48 | Drama | 6, 8 | Kestrel TV | Above ground it is a restaurant. Below, it is the oldest argument in the city.
Polar Mail | 2021 | 27 | Comedy | S1, 10, 10, 10 | Kestrel TV | Four postal workers, one sledge and the most complaints in the northern hemisphere.
Deepwater Nine | 2015 | 44 | Science Fiction, Drama | S3, 12, 12, 12, 8 | Orbit+ | The crew of a research habitat votes every Friday whether to surface.
The Ministry of Small Things | 2018 | 29 | Comedy, Fantasy | 8, 8, 6 | Lantern | Civil servants regulate buttons, crumbs and the last inch of string.
Cinder County | 2013 | 58 | Western, Drama | 10, 10 | Ironside | A sheriff who cannot shoot keeps the peace between people who cannot stop.
Lady Ashdown Investigates | 2011 | 89 | Mystery | S2, 4, 4, 4 | Northlight | A widow with excellent hearing solves murders from the back of the opera.
Overtime | 2022 | 24 | Comedy, Sport | 12, 10 | Lantern | The worst hockey team in the league hires the best caterer.
Paper Satellites | 2023 | 51 | Science Fiction, Mystery | 8 | Orbit+ | Every child in one village draws the same machine.
The Long Table | 2020 | 36 | Documentary, Food | 7, 7 | Kestrel TV | A cook walks between two seas and eats with whoever lives on the way.
Wildfire Academy | 2016 | 42 | Action, Drama | 10, 12 | Ironside | Recruits learn to run towards it.
Bramble & Finch | 2014 | 11 | Animation, Family | 13, 13 | Lantern | A hedgehog and a bird run a repair shop for lost things.
""".strip()  # noqa: E501

EPISODES = """
The Wrong Umbrella; Low Tide; A Door in the Floor; Nobody's Birthday; The Second Key; Cold Tea; What the
Neighbours Heard; Small Print; The Quiet Carriage; Lost Property; Plain Envelope; The Man from Accounts; Half
Past Never; The Spare Room; One Good Coat; Bad Weather; The Understairs; Borrowed Light; A Reasonable Price; The
Third Chair; Signal Failure; Home by Ten; The Visitor's Book; Rust; Loose Change; The Long Weekend; Under
Advisement; The Glass Eye; Blackberries; The Returned Letter; No Fixed Address; Kindling; The Night Porter; Dry
Land; Static; A Funeral for the Cat; The Inheritance; Paper Walls; The Good Knife; Interval; The Wager; Stone
Soup; A Change of Locks; The Other Mrs. Vale; Ten Paces; The Blue Folder; Slow Puncture; Open Water; The
Apology; Everything Must Go; A Matter of Inches; The Replacement; Two Sugars; The Empty Plinth; Magpies; Last
Orders; The Fire Door; Short Notice; Off the Record; The Swap; Counterweight; Unclaimed; A Show of Hands; The
Far Side; Tributary; The Bell; Clean Hands; Frost Warning; The Ninth Guest; Standing Room; An Honest Mistake;
The Thaw
"""
