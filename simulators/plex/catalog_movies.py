"""The films of the small library: invented titles that read like a real shelf.

One film a line: title | year | minutes | genres | tagline | summary.
"""

from __future__ import annotations

MOVIES = """
The Lantern Keeper | 2019 | 118 | Drama, Mystery | Someone has to stay awake. | The last keeper of a decommissioned lighthouse answers a distress call sent forty years ago.
Harbour of Glass | 2021 | 104 | Thriller, Crime | Every window has two sides. | A customs officer finds her own name in a smuggler's ledger and one night to learn why.
Copper Sky | 2016 | 127 | Western, Drama | The rain never came. The railway did. | Two sisters defend a well that three towns claim and one railway needs.
Nine Minutes to Marseille | 2014 | 98 | Action, Thriller | The train does not stop. Neither can she. | A retired signal engineer must bring a runaway express home without brakes or permission.
The Cartographer's Winter | 2018 | 131 | Adventure, History | Draw what you fear. | Hired to map an island that appears on no chart, a young surveyor finds another map already begun.
Low Orbit | 2022 | 121 | Science Fiction, Drama | Four people. Three seats home. | The cleaning crew of a luxury station are left behind when the guests evacuate.
Salt and Static | 2017 | 96 | Music, Drama | Tune in to the tide. | A pirate radio host broadcasts from a trawler and falls for the voice of the coastguard.
A Gentle Kind of Thunder | 2015 | 109 | Romance, Drama | Some storms knock first. | Two storm chasers who cannot stand each other share one working truck.
Paper Tigers of Lisbon | 2020 | 112 | Crime, Comedy | Forge ahead. | A family of failing counterfeiters decides to print the one thing nobody checks.
The Last Night Bus | 2013 | 88 | Thriller, Mystery | Everyone gets off somewhere. | A driver on her final shift notices that no passenger has aged since she started.
Velvet Machine | 2023 | 126 | Science Fiction, Thriller | It only wants to be heard. | A lounge singer discovers that her accompanist is rewriting the city one song at a time.
Moth Season | 2018 | 93 | Horror, Mystery | Leave the porch light off. | A village agrees to live in the dark for a week, and one newcomer does not.
The Understudy's Waltz | 2011 | 115 | Drama, Music | Know every part but your own. | When the lead vanishes at the interval, the understudy goes on, and so does the disappearance.
Saltwater Kings | 2012 | 139 | Adventure, Action | Rule nothing. Sail everything. | Three deposed monarchs crew a merchant ship that everybody wants to sink.
Northbound 77 | 2024 | 107 | Drama, Adventure | The long way is the point. | A trucker and her father deliver a church bell across a continent before the first snow.
The Orchard Line | 2009 | 124 | War, Drama | Roots run under every border. | A railway switchman hides families in the apple cars of a night train.
Glasshouse Protocol | 2020 | 117 | Thriller, Science Fiction | Trust grows in the dark. | Botanists sealed in a biosphere realise that one of the plants is taking minutes.
Sunday in Sepia | 2010 | 101 | Comedy, Romance | Develop slowly. | A photographer who only shoots strangers' weddings is asked to be in one.
Wolves of Vantage Street | 2017 | 110 | Crime, Drama | The block remembers. | A retired bookmaker returns to collect one last debt: an apology.
Kite Weather | 2021 | 94 | Family, Drama | Hold on. Let go. Repeat. | Two brothers enter the kite-fighting championship their grandmother won in secret.
The Infinite Bellhop | 2016 | 99 | Comedy, Fantasy | Going up? Always. | In a hotel with endless floors, a bellhop must deliver one suitcase before it is opened.
Seventeen Doors | 2022 | 113 | Mystery, Thriller | Knock in order. | An escape-room designer wakes inside a building she never finished.
Half a Moon over Tulsa | 2008 | 105 | Romance, Drama | Meet me in the other half. | A baker and a night pilot keep missing each other by one hour for a year.
Deep Green | 2019 | 122 | Adventure, Science Fiction | The forest has a floor. Below it is another. | A rescue team descends beneath the canopy and loses count of the days.
The Clockmaker of Prague Street | 2014 | 119 | Fantasy, Drama | Every hour has an owner. | A clockmaker who repairs lost time is asked to give back a whole year.
Ghostlight Avenue | 2023 | 102 | Horror, Comedy | The show must go on. And on. | Squatters in an abandoned theatre are handed their scripts by the dead.
Ten Thousand Umbrellas | 2020 | 128 | Drama, History | Stand close. | The city that never protested learns how, one rainy afternoon at a time.
The Marble Diver | 2015 | 106 | Adventure, Drama | Hold your breath. Hold your nerve. | A sponge diver finds a statue with her own face at forty metres.
Radio Silence, Please | 2012 | 91 | Comedy | Shh. | A monastery wins the lottery and votes, silently, on what to do.
Ironwood | 2021 | 133 | Western, Action | Plant a town. Watch what grows. | A surveyor with one bullet and no map walks into a town with one law.
The Sparrow Ledger | 2018 | 116 | Thriller, Crime | Small birds carry big names. | An accountant notices that a charity feeds exactly as many birds as there are missing people.
Midnight at the Aquarium | 2022 | 90 | Family, Fantasy | Somebody left the octopus in charge. | After closing time the smallest guard helps the oldest turtle go home.
Atlas Burning | 2024 | 141 | Action, Science Fiction | Carry the world or drop it. | The engineer of the orbital mirrors has ninety minutes to turn off the sun.
The Beekeeper's Alibi | 2013 | 100 | Mystery, Comedy | Nobody asks the bees. | A village detective has forty thousand witnesses and cannot question one.
Neon Monsoon | 2023 | 118 | Action, Crime | It always rains on the honest. | A courier with a perfect memory delivers a message she must not understand.
Letters to Station 12 | 2016 | 108 | Romance, Science Fiction | The signal takes a year. Love takes longer. | A mechanic on Europa answers mail addressed to the one who died there.
The Snow Accountant | 2011 | 97 | Comedy, Drama | Every flake must balance. | An auditor is sent to the coldest town in the country to find out who pays for winter.
Crooked Rivers | 2009 | 129 | Drama, Western | Water takes the long way to the truth. | Two ferrymen on opposite banks have not spoken since the flood.
Solstice Run | 2024 | 111 | Action, Adventure | The longest day. The shortest chance. | A relay team crosses the Arctic with a medicine that must never see the night.
The Solitary Mile | 2017 | 103 | Drama, Sport | Nobody runs it twice. | A marathon cheat agrees to run the course again, alone, in winter, with her accuser.
Solar Wake | 2020 | 125 | Science Fiction, Mystery | Do not follow the light. | A salvage crew chases a ship that arrives everywhere a day before it leaves.
Ashes of the Comet | 2007 | 136 | History, Drama | They saw it coming. That was the problem. | Two rival astronomers predict the end of the world and disagree about the hour.
The Tuesday Conspiracy | 2019 | 95 | Comedy, Mystery | Nobody suspects a Tuesday. | A book club discovers that it has been a spy ring since 1974.
Dust Cathedral | 2022 | 134 | Science Fiction, Adventure | Kneel to nothing that rusts. | Pilgrims on a dry planet guard a door they have forgotten how to open.
Blue Hour | 2015 | 89 | Drama | Between the last light and the first. | Five strangers wait at a border that opens for one hour a day.
The Velocity of Honey | 2014 | 92 | Romance, Comedy | Slow is a speed. | A speed-dating host and a slow-food cook accidentally share a lease.
Monsters of the Middle Shelf | 2021 | 87 | Animation, Comedy | Mind the gap between the books. | The villains of unread novels unionise.
Tin Horizon | 2010 | 120 | War, Adventure | The desert keeps the time. | A stranded tank crew navigates home by the songs of the enemy.
Miss Okafor Regrets | 2018 | 98 | Comedy, Crime | Politeness is a weapon. | A retired etiquette teacher plans the most courteous robbery in history.
The Long Exposure | 2023 | 114 | Thriller, Drama | Look longer. | A war photographer recognises herself in a picture she did not take.
Under the Paper Moon Hotel | 2006 | 107 | Mystery, Romance | Check in. Cash out. Disappear. | Guests keep arriving with reservations for the same night in 1929.
Wren and the Iron Garden | 2019 | 95 | Animation, Family | Small wings. Heavy gates. | A wren teaches a rusting robot the difference between a weed and a friend.
""".strip()  # noqa: E501

KIDS = """
The Dragon Who Lost Monday | 2021 | 84 | Animation, Family | Somebody has to go and find it. | A forgetful dragon and a punctual mouse search the week for its missing day.
Captain Pumpernickel | 2018 | 79 | Animation, Adventure | The crustiest hero at sea. | A loaf of bread commands the bravest picnic in the bay.
Marshmallow Mountain | 2020 | 88 | Family, Adventure | Bring a very long fork. | Three cousins climb the softest mountain in the world.
Robo-Granny Saves Recess | 2022 | 81 | Animation, Comedy | She has the upgrades. And the cookies. | The school's oldest robot defends the playground from boredom itself.
The Whispering Teapot | 2016 | 86 | Family, Fantasy | Steep in secrets. | A shy girl learns the language of kitchen things just in time for the auction.
Pip and the Pocket Planet | 2023 | 90 | Animation, Science Fiction | Handle with care. | Pip finds a world in his coat and must not sit down.
""".strip()  # noqa: E501

# Titles that break careless code; a real shelf holds such things too. "-" stands for a value that the server lacks.
_LONG = "The Extraordinarily Long and Needlessly Complete Account of the Voyage of the Steamship Perpetua, "
LONG_TITLE = (_LONG + "Her Captain, Her Cook, Her Cat and Her Cargo of Ninety Thousand Spoons, " * 3)[:299] + "…"
NASTY = f"""
Ödland | 2018 | 102 | Drama | Wo nichts wächst, bleibt alles stehen. | A border town waits for a train that was cancelled in 1989.
שדה האור | 2020 | 97 | Drama, Romance | - | Two gardeners plant a field that only blooms at night.
مدينة الظلال | 2019 | 111 | Thriller | - | A translator hears the same confession in four languages.
夜の灯台 | 2017 | 108 | Mystery, Drama | - | A lighthouse keeper writes letters to the ships that never pass.
🎬 The Emoji Heist 🚀🔥 | 2022 | 93 | Comedy, Crime | 🤫 | Four thieves who never speak steal the world's last printed dictionary.
{LONG_TITLE} | 2003 | 187 | Adventure, Comedy | It takes a while. | They were out of forks.
**Bold** _Moves_ `v2` [a](b) | 2021 | 99 | Comedy | *Not* a || spoiler ||. | A typesetter is haunted by her own punctuation.
The Echo Room | 1974 | 101 | Mystery | Say it once. | A sound engineer records a murder that has not happened yet.
The Echo Room | 2019 | 114 | Mystery, Thriller | Say it again. | The tape is found. The murder still has not happened.
Untitled Ferry Footage | - | 72 | Documentary | - | -
@everyone Goes Home | 2016 | 90 | Comedy | <@&1> <#2> | The office party that would not end.
""".strip()  # noqa: E501
