"""Plain English sentences to fill a memory with, composed from templates and word lists, the same ones for the same seed.

They tell of the things that the demo corpus tells of: people, errands, places, animals, work, weather. No data need be fetched for them.
Many differ in a word or two only: among 20,000, as all-MiniLM-L6-v2 sees them, the nearest other one has a cosine of .82 on average.

>>> len(set(compose(3000, seed=1)))
3000
"""

import re
import string
from collections.abc import Iterator

import numpy as np

WORDS = {
    "name": (
        "Agnes|Bashir|Celeste|Dmitri|Esther|Farouk|Giulia|Hamish|Imogen|Jorge|Kirsten|Lorenzo|Mahmoud|Nadia|Oskar|Petra|"
        "Quentin|Rosalind|Stellan|Tamsin|Ulrike|Viktor|Winifred|Xiomara|Yannick|Zeynep|Aurelio|Blanca|Cormac|Dagmar|Emeka|"
        "Fiona|Gustav|Hanneke|Ivo|Jasmine"
    ),
    "kin": (
        "aunt|uncle|neighbour|dentist|landlord|colleague|nephew|niece|piano teacher|flatmate|old schoolfriend|plumber|boss|"
        "godson|cousin|brother-in-law|grandmother|running partner|accountant|penfriend|daughter|vet|tutor|postman"
    ),
    "town": (
        "Bergamo|Tallinn|Porto|Galway|Leipzig|Cusco|Kyoto|Bruges|Nairobi|Halifax|Ghent|Tromso|Split|Oaxaca|Perth|Lviv|Bath|"
        "Izmir|Lyon|Cork|Turku|Valencia|Hobart|Dundee"
    ),
    "place": (
        "the bus station|the old mill|the swimming pool|the town library|the fish market|the cathedral|the football ground|"
        "the allotment|the youth hostel|the railway bridge|the bakery|the chapel|the ferry terminal|the botanical garden|"
        "the quarry|the primary school|the fire station|the lighthouse|the skate park|the museum"
    ),
    "thing": (
        "umbrella|violin|bicycle pump|teapot|camera|toolbox|sewing machine|suitcase|chess set|telescope|tent|kettle|typewriter|"
        "lawnmower|rucksack|record player|wristwatch|rug|mirror|ladder|wheelbarrow|globe|lantern|barometer|canoe|accordion"
    ),
    "food": (
        "lentil soup|plum cake|smoked mackerel|sourdough bread|goat's cheese|mushroom risotto|rhubarb crumble|pickled herring|"
        "pumpkin curry|onion tart|rice pudding|lamb stew|blackberry jam|potato dumplings|spinach pie|walnut biscuits|"
        "apple juice|cold noodles"
    ),
    "animal": ("cat|parrot|tortoise|greyhound|pony|goldfish|rabbit|goose|hedgehog|donkey|terrier|hamster|hen|ferret|owl|sheep|gecko|pig"),
    "job": (
        "welder|midwife|bus driver|court clerk|beekeeper|pharmacist|tailor|geologist|stonemason|nurse|translator|electrician|"
        "surveyor|chef|violin maker|firefighter|archivist|pilot|gardener|optician|locksmith|baker"
    ),
    "when": (
        "last Tuesday|in early March|every other Friday|on New Year's Eve|during the heatwave|before breakfast|at the weekend|"
        "in 1987|two summers ago|after the funeral|on the first of May|late at night|in the autumn holidays|"
        "yesterday afternoon|on bank holidays|each Wednesday|ten years ago|just before Easter|in her thirties|at half past six"
    ),
    "sport": (
        "badminton|rowing|fencing|archery|judo|water polo|table tennis|climbing|curling|handball|orienteering|croquet|cricket|ice skating"
    ),
    "subject": (
        "Portuguese|calligraphy|first aid|bookkeeping|astronomy|knitting|carpentry|the cello|shorthand|organic chemistry|"
        "map reading|pottery|Latin|morse code|bread making|tap dancing|statistics|bird song"
    ),
    "fault": (
        "leaks|squeaks|smells of paint|is out of order|needs a new battery|has a cracked hinge|will not start|"
        "is covered in dust|keeps tripping the fuse|was scratched in the move|has gone missing|is two sizes too small|"
        "makes a humming noise|is rusting"
    ),
    "colour": "red|pale green|navy blue|mustard yellow|striped|grey|cream|purple|silver|orange|tartan|turquoise",
    "count": "three|forty|eleven|two hundred|a dozen|seven|sixteen|nearly ninety|five|twenty-six",
    "room": "cellar|attic|hallway|spare bedroom|greenhouse|kitchen|garage|bathroom|study|shed|porch|laundry room",
    "illness": "a sprained ankle|hay fever|a slipped disc|tonsillitis|chickenpox|a broken thumb|migraine|sunburn|a cracked rib|earache",
    "plant": (
        "tomatoes|tulips|a fig tree|runner beans|lavender|roses|sweet peas|garlic|an apple tree|dahlias|chillies|ivy|strawberries|sage"
    ),
    "reason": (
        "because the rent went up|to save money|for a dare|out of sheer boredom|on doctor's orders|to please the children|"
        "because nobody else would|after reading about it|to impress a friend|because of the strike|for charity|by mistake"
    ),
    "weather": "fog|hail|a thunderstorm|black ice|a hard frost|drizzle|a gale|deep snow|blazing sun|a sandstorm",
    "show": (
        "a puppet play|the quiz night|a choir concert|the flower show|a silent film|the spring fair|a poetry reading|"
        "the school musical|a brass band contest|the antiques auction"
    ),
}
TEMPLATES = """
My {kin} {name} keeps a {colour} {thing} in the {room}.
{name} learned {subject} {when} {reason}.
The {thing} in our {room} {fault}.
{name} the {job} moved to {town} {reason}.
We saw {show} at {place} {when}.
{weather} held up the coach between {town} and {town}.
My {kin} gave up {sport} {when} {reason}.
{name} is allergic to {food} and carries tablets everywhere.
The {animal} that belongs to {name} escaped into {place}.
There are {count} steps from {place} down to the river.
I lent my {thing} to {name}, who is a {job} in {town}.
{name} grew {plant} behind {place} {when}.
Our {kin} caught {illness} on a trip to {town}.
The price of {food} in {town} doubled {when}.
{name} and {name} met while queueing for {show}.
A {job} found {count} old coins under the floor of {place}.
The {colour} door beside {place} belongs to a {job}.
My {kin} feeds the {animal} {food} {when}.
Nobody in {town} remembers who built {place}.
{name} won {count} prizes for {plant} at {show}.
The {job} from {town} charges by the hour and never writes a bill.
The last train to {town} was cancelled because of {weather}.
I still owe my {kin} {count} euros for the {thing}.
{name} teaches {subject} to prisoners {when}.
The spare key hangs behind the {thing} in the {room}.
My {kin} {name} was a {job} before taking up {sport}.
The {animal} slept on the {thing} through {weather}.
{place} closes at noon {when}.
{name} painted the {room} {colour} {reason}.
Every guest from {town} asks for {food}.
The {sport} club at {place} has {count} members.
{name} named the {animal} after a {job} in an old film.
Take the {thing} back to {place}, it {fault}.
My {kin} writes a newspaper column about {subject}.
{count} volunteers planted {plant} around {place}.
{name} missed {show} with {illness}.
The {job} broke the {thing} and blamed the {animal}.
I dreamed that {place} was full of {plant}.
It takes {count} minutes to walk from the {job}'s shop to {place}.
{name} collects postcards of {town} and keeps them in the {room}.
The recipe for {food} came from a {job} called {name}.
My {kin} lost a {colour} glove near {place} {when}.
{name} cycles to {town} and back {reason}.
The insurance paid for the {thing} after {weather} flooded the {room}.
A {colour} {animal} appears on the coat of arms of {town}.
{name} speaks {subject} badly but plays {sport} well.
The course in {subject} was moved to {place} {when}.
We celebrated my {kin}'s retirement with {food} and {count} candles.
""".strip().splitlines()


def compose(n: int, seed: int = 0) -> list[str]:
    """n different sentences."""
    rng = np.random.default_rng([seed, 2])
    lists = {slot: words.split("|") for slot, words in WORDS.items()}
    made: dict[str, None] = {}
    while len(made) < n:
        made[_sentence(TEMPLATES[rng.integers(len(TEMPLATES))], lists, rng)] = None
    return list(made)


def _sentence(template: str, lists: dict[str, list[str]], rng: np.random.Generator) -> str:
    text = re.sub(r"\b([Aa]) (?=[aeiou])", r"\1n ", "".join(_parts(template, lists, rng)))
    return text[0].upper() + text[1:]


def _parts(template: str, lists: dict[str, list[str]], rng: np.random.Generator) -> Iterator[str]:
    for literal, slot, _, _ in string.Formatter().parse(template):
        yield literal
        if slot:
            yield lists[slot][rng.integers(len(lists[slot]))]
