"""The music and the playlists of the small library.

One artist a line: name | genres | albums as `title (year)`, separated by semicolons | summary.
"""

from __future__ import annotations

ARTISTS = """
Juniper Coast | Indie Folk, Folk | Low Lantern (2016); Tidewords (2019); The Orchard Tapes (2023) | Three voices, one harmonium and a great deal of weather.
Violet Arcade | Synthpop, Electronic | Coin Return (2018); Night Manager (2021) | Arcade-lit synthesizers for long drives through short cities.
The Marrow Brothers | Blues, Rock | Bone Dry (2009); Ferryman (2012); Slow Boat (2017) | Two brothers who are not brothers and have toured since they were sixteen.
Ada Quill Trio | Jazz | Blue Stationery (2014); Margins (2020) | Piano, bass and brushes; the quietest loud band in town.
Concrete Swans | Post-Rock, Rock | Every Bridge Is a Throat (2015); Weights and Measures (2022) | Ten-minute songs about two-minute feelings.
Mister Halogen | Electronic, House | Warehouse Psalms (2019); Softbox (2024) | Built in a lighting rental shop after hours.
Luz Carmona | Latin, Pop | Mapa de Humo (2017); Doce Ventanas (2021) | Songs for balconies.
Ivory Static | Ambient | Rooms Without Corners (2018); Snowfield Studies (2020) | Music recorded in empty swimming pools.
Dead Letter Choir | Gothic Rock, Rock | Return to Sender (2011); Postage Due (2014) | Eleven singers and one very tired organ.
Kestrel & the Long Way | Country, Folk | Odometer (2013); Good Gravel (2018) | Every song is exactly as long as the road it is about.
""".strip()  # noqa: E501

TRACKS = """
Salt Light; Paper Boats; Northern Line; Honeycomb; Slow Dial; Matchbox; The Weather Indoors; Glass Harmonica;
Footnotes; Low Ceiling; Carousel; Borrowed Coat; Exit Music for Elevators; Lamplighter; Half-Life; Blue Receipt;
Cinders; Telegraph Hill; Quiet Engine; Postcards; Wide Awake at the Zoo; Marigold; Second Sleep; Understory; Tin
Roof; Polaroid; Six Kinds of Rain; Anchor Song; Open Windows; Ghost Note; Pilot Light; Evergreen; Dial Tone;
Kingfisher; Static Bloom; Long Shadow; Copper Wire; Late Bus; Small Hours; Undertow; Hinterland; Vantage; Fever
Map; Softly, Now; Concrete Garden; Drift; Signal Fires; Homeward; Sleepwalker; The Last Reel
"""

PLAYLISTS = """
Rainy Sunday | video | movies
Kitchen Dancing | audio | tracks
Friday Double Feature | video | movies
""".strip()
