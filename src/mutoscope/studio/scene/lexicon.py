"""What the painter understands of a prompt: tables of words, and the reader that turns a prompt into a Wish.

The tables are the whole vocabulary. A phrase of several words stands like any other; the reader takes the longest
that fits. A word that is in no table and is no filler is reported as ignored, never dropped in silence.
"""

import re
from dataclasses import dataclass

Rgb = tuple[float, float, float]

# facet → value → the words and phrases that ask for it, separated by commas
VOCABULARY: dict[str, dict[str, str]] = {
    "place": {
        "city": "ciudad, ville, stadt, città, 街, 都市, 城市, город,"
        " city, cities, skyline, skylines, cityscape, urban, downtown, skyscraper, skyscrapers,"
        " metropolis, tokyo, new york, manhattan, hong kong, towers, buildings, megacity",
        "space": "space, outer space, deep space, galaxy, galaxies, nebula, nebulae, cosmos, cosmic, universe,"
        " star field, starfield, interstellar",
        "sea": "mar, meer, plage, playa, praia, spiaggia, пляж, 海, море, sea, seas, ocean, oceans, beach, beaches,"
        " coast, coastal, coastline, seaside, seascape,"
        " surf, shore, shoreline, island, islands, bay, seashore, waves, tropical, tropics",
        "desert": "desert, deserts, dune, dunes, sahara, sand, sandy, gobi",
        "mountains": "montaña, montañas, montagne, berg, berge, montagna, 山, горы, mountain, mountains,"
        " cliff, cliffs, canyon, gorge, glen, mountainous, peak,"
        " peaks, alp, alps, alpine, himalaya, himalayas,"
        " summit, summits, ridge, ridges, valley, valleys, fjord, fjords, highlands, rockies, andes,"
        " patagonia",
        "hills": "hill, hills, hillside, rolling hills, meadow, meadows, field, fields, prairie, savanna,"
        " savannah, grass, grassy, grassland, countryside, pasture, steppe, plain, plains, moor,"
        " tuscany, farmland, vineyard, vineyards, wheat field, wheat fields, lavender field, lavender fields",
        "forest": "forêt, bosque, wald, foresta, 森, 森林, лес, forest, forests, woods, woodland,"
        " jungle, taiga, redwoods, grove, birches, rainforest, wood",
        "abstract": "abstract, abstraction, fractal, psychedelic, marble, marbled, fluid, swirl, swirls,"
        " swirling, gradient, generative art, texture, pattern",
    },
    "time": {
        "sunset": "atardecer, sonnenuntergang, tramonto, 夕日, закат, sunset, sunsets, sundown, dusk,"
        " golden hour, golden light, evening, setting sun",
        "dawn": "dawn, sunrise, morning, daybreak, early morning, rising sun",
        "night": "noche, nuit, nacht, notte, 夜, ночь, night, nighttime, midnight, nocturnal,"
        " night sky, moonlight, moonlit, at night",
        "twilight": "twilight, blue hour, gloaming",
        "day": "day, daytime, noon, midday, afternoon, sunny, daylight, broad daylight, sunshine, sunlit",
    },
    "clouds": {
        "clear": "clear, cloudless, clear sky, clear skies, blue sky, blue skies",
        "some": "clouds, cloud, partly cloudy, scattered clouds",
        "overcast": "overcast, cloudy, gloomy, moody, grey sky, gray sky, drizzle, rain, raining, rainy, rainfall",
        "storm": "storm, storms, stormy, thunder, thunderstorm, dramatic sky, dramatic clouds, tempest, storm"
        " clouds, blizzard, hurricane",
    },
    "style": {
        "sketch": "pencil sketch, sketch, pencil, ink drawing, line drawing, drawing, charcoal",
        "sepia": "sepia, vintage, old photograph, daguerreotype",
        "pixels": "pixel art, 8-bit, pixelated",
        "mono": "black and white, black & white, monochrome, noir, grayscale, greyscale",
        "watercolour": "watercolour, watercolor, aquarelle",
        "oil": "oil painting, oil paint, oil, impressionist, impressionism, painterly, painting, painted,"
        " brush strokes, brushstrokes",
        "minimal": "minimal, minimalist, minimalism, minimalistic, flat, flat design, vector,"
        " poster, paper cut, papercut, layered",
        "neon": "neon, synthwave, vaporwave, cyberpunk, retrowave, outrun",
        "pastel": "pastel, pastels, soft colours, soft colors, dreamy",
        "vivid": "vivid, vibrant, colourful, colorful, saturated",
        "film": "cinematic, film, film grain, 35mm, analog, analogue, movie still",
    },
    "feature": {
        "lake": "lake, lakes, pond, water, reflection, reflections, reflected, reflecting, lakeside, lagoon",
        "river": "river, rivers, stream, brook, creek, winding river, meandering river",
        "fjord": "fjord, fjords",
        "calm": "calm, still, tranquil, peaceful, serene, quiet, mirror, glassy",
        "waves": "wave, waves, rough, choppy, surf, whitecaps, tempest, hurricane, swell, breakers",
        "trees": "tree, trees, pine, pines, fir, firs, spruce, spruces, conifers, evergreen, forested, wooded,"
        " pine trees, pine forest, forest, forests, woods, woodland, taiga",
        "beach": "beach, beaches, shore, seashore, seaside, tropical, tropics",
        "island": "island, islands",
        "fog": "fog, foggy, mist, misty, haze, hazy, smoky, steam, foggy morning",
        "rain": "rain, raining, rainy, rainfall, drizzle, downpour, thunderstorm",
        "snowfall": "snowfall, snowing, falling snow, snowstorm, blizzard, snowflakes",
        "snow": "schnee, nieve, neige, neve, 雪, снег, snow, snowy, snow-capped, snowcapped, snow-covered,"
        " winter, wintry, ice, icy, frozen,"
        " glacier, glaciers, arctic, snowfall, snowing, blizzard, snow capped, snow covered",
        "stars": "star, stars, starry, starlit, milky way, starry night, starry sky, night sky, constellations",
        "moon": "moon, full moon, moonlight, moonlit, moonrise",
        "aurora": "aurora, aurora borealis, northern lights, polar lights",
        "sun": "sun, sunbeams, sun rays, god rays, rays, setting sun, rising sun, sunlight",
        "autumn": "autumn, autumnal, fall foliage, fall colors, fall colours, in the fall, october, november",
        "spring": "spring, springtime",
        "summer": "summer, summertime, july, august",
        "blossom": "blossom, blossoms, cherry blossom, cherry blossoms, cherry, sakura, blooming trees",
        "flowers": "flower, flowers, wildflowers, wildflower, blooming, flowering, poppies, poppy, tulips, tulip,"
        " sunflowers, daisies, bluebells, spring, springtime, lavender fields, lavender field",
        "birch": "birch, birches, aspen, aspens, birch forest, birch trees",
        "leafy": "beech, beeches, oak, oaks, maple, maples, deciduous, broadleaf, jungle, rainforest, linden,"
        " chestnut trees, green leaves, leaves, foliage, leafy, birch, birches, aspen, aspens, birch forest,"
        " birch trees",
        "conifers": "pine, pines, fir, firs, spruce, spruces, conifers, evergreen, pine trees, pine forest, taiga,"
        " redwoods",
        "palms": "palm, palms, palm trees, palm tree, tropical, tropics, coconut trees, oasis",
        "cypress": "cypress, cypresses, cypress trees",
        "fields": "field, fields, farmland, countryside, tuscany",
        "furrows": "vineyard, vineyards, lavender field, lavender fields, tulip field, tulip fields, furrows, crops",
        "wheat": "wheat, wheat field, wheat fields, golden fields, barley",
        "steppe": "steppe, savanna, savannah",
        "tall grass": "grass, grassy, tall grass, grasses, meadow, meadows, prairie",
        "reeds": "reed, reeds, rushes, cattails, marsh",
        "rocks": "rock, rocks, rocky, stones, stone, boulders, boulder, pebbles",
        "pier": "pier, jetty, dock, boardwalk, wooden pier, wooden dock, wooden jetty",
        "road": "road, highway, street, country road, asphalt",
        "path": "path, trail, dirt road, footpath, track, gravel road, pathway",
        "wide": "wide, wide angle, wide-angle, panorama, panoramic, sweeping",
        "close": "close, close up, closeup, telephoto, zoomed in",
        "low horizon": "low horizon, big sky, vast sky, huge sky, wide sky, wide open sky",
        "high horizon": "high horizon",
        "aerial": "aerial, aerial view, from above, bird's eye view, birds eye view, drone shot, drone view,"
        " drone, overhead view",
        "cliffs": "cliff, cliffs, canyon, gorge",
        "rings": "rings, ringed, saturn",
        "planet": "planet, planets, gas giant, jupiter, saturn",
        "ridges": "mountain, mountains, peaks, ridge, ridges, cliffs",
    },
}

COLOURS: dict[str, Rgb] = {
    "red": (0.90, 0.18, 0.14),
    "crimson": (0.75, 0.08, 0.18),
    "scarlet": (0.90, 0.14, 0.10),
    "orange": (1.00, 0.52, 0.12),
    "amber": (1.00, 0.65, 0.15),
    "golden": (1.00, 0.76, 0.30),
    "gold": (1.00, 0.76, 0.30),
    "yellow": (1.00, 0.88, 0.30),
    "lime": (0.60, 0.90, 0.25),
    "green": (0.25, 0.68, 0.30),
    "emerald": (0.10, 0.60, 0.42),
    "teal": (0.10, 0.58, 0.60),
    "turquoise": (0.20, 0.78, 0.75),
    "cyan": (0.25, 0.85, 0.95),
    "azure": (0.20, 0.55, 0.95),
    "blue": (0.18, 0.40, 0.90),
    "navy": (0.08, 0.13, 0.38),
    "indigo": (0.30, 0.20, 0.65),
    "purple": (0.50, 0.22, 0.75),
    "violet": (0.55, 0.30, 0.85),
    "lavender": (0.75, 0.65, 0.95),
    "magenta": (0.90, 0.20, 0.70),
    "pink": (1.00, 0.55, 0.70),
    "rose": (0.95, 0.45, 0.55),
    "coral": (1.00, 0.50, 0.40),
    "copper": (0.75, 0.42, 0.24),
    "brown": (0.45, 0.28, 0.16),
    "white": (0.96, 0.96, 0.97),
    "black": (0.05, 0.05, 0.06),
    "silver": (0.75, 0.78, 0.82),
    "grey": (0.50, 0.50, 0.52),
    "gray": (0.50, 0.50, 0.52),
}

# A colour that stands before one of these paints that part; elsewhere it tints the light.
PARTS: dict[str, str] = {
    "sky": "sky, skies, clouds, cloud, sunset, sunrise, horizon, dusk, dawn, night sky, light, glow",
    "ground": "hill, hills, rolling hills, mountain, mountains, peaks, dune, dunes, desert, sand, meadow,"
    " meadows, field, fields, grass, rock, rocks, forest, forests, leaves, foliage, trees,"
    " pines, valley",
    "water": "water, lake, sea, ocean, river, waves, lagoon",
    "flowers": "flower, flowers, wildflowers, wildflower, poppies, poppy, tulips, tulip, daisies, blossom, blossoms,"
    " tulip field, tulip fields",
}

# flowers that have a colour of their own, where none is said
BLOOMS: dict[str, Rgb] = {
    "poppies": (0.88, 0.13, 0.10),
    "poppy": (0.88, 0.13, 0.10),
    "lavender field": (0.46, 0.28, 0.80),
    "lavender fields": (0.46, 0.28, 0.80),
    "sunflowers": (1.00, 0.78, 0.10),
    "daisies": (0.95, 0.94, 0.88),
    "bluebells": (0.34, 0.36, 0.90),
    "tulips": (0.92, 0.20, 0.34),
    "tulip": (0.92, 0.20, 0.34),
    "tulip field": (0.92, 0.20, 0.34),
    "tulip fields": (0.92, 0.20, 0.34),
}

_LAND = ("mountains", "hills", "desert")
_OUTDOORS = (*_LAND, "forest", "sea", "city")
LIT = frozenset(
    {"backdrop", "table", "plinth", "room", "underwater", "stage", "street", "sky", "branch", "wall", "paper", "mars"}
)
"""Sets of the theatre, which show the hour by their light."""
# Styles that decide how paint is laid on. A picture has one of them, the first that is named.
MANNERS = frozenset({"oil", "watercolour", "sketch", "pixels"})
# feature → the places where it is painted; elsewhere the word is reported as ignored
SUITS: dict[str, tuple[str, ...]] = {
    "lake": ("mountains", "hills", "city", "sea"),
    "river": ("mountains", "hills", "city"),
    "fjord": ("mountains",),
    "calm": ("mountains", "hills", "sea", "city"),
    "waves": ("sea",),
    "trees": ("mountains", "hills", "forest"),
    "beach": ("sea",),
    "island": ("sea",),
    "fog": _OUTDOORS,
    "rain": _OUTDOORS,
    "snowfall": _OUTDOORS,
    "snow": ("mountains", "hills", "forest"),
    "stars": (*_OUTDOORS, "space"),
    "moon": _OUTDOORS,
    "aurora": _OUTDOORS,
    "sun": _OUTDOORS,
    "autumn": ("mountains", "hills", "forest"),
    "spring": ("mountains", "hills", "forest"),
    "summer": ("mountains", "hills", "forest"),
    "blossom": ("mountains", "hills", "forest"),
    "flowers": ("mountains", "hills", "forest"),
    "birch": ("forest",),
    "leafy": ("mountains", "hills", "forest"),
    "conifers": ("mountains", "hills", "forest"),
    "cypress": ("hills",),
    "palms": ("sea", "desert"),
    "fields": ("hills",),
    "furrows": ("hills",),
    "wheat": ("hills",),
    "steppe": ("hills",),
    "tall grass": ("mountains", "hills", "forest"),
    "reeds": ("mountains", "hills", "sea"),
    "rocks": ("mountains", "hills", "desert", "sea"),
    "pier": ("mountains", "hills", "sea", "city"),
    "road": _LAND,
    "path": (*_LAND, "forest"),
    "wide": _OUTDOORS,
    "close": _OUTDOORS,
    "low horizon": _OUTDOORS,
    "high horizon": _OUTDOORS,
    "aerial": _LAND,
    "cliffs": ("mountains", "sea"),
    "ridges": ("mountains", "sea", "city"),
    "planet": ("space",),
    "rings": ("space",),
}
# What a word suggests to an abstract picture; elsewhere it is ignored. Several colours lead from dark to light.
MOODS: dict[str, tuple[Rgb, ...]] = {
    word: colours
    for words, colours in (
        ("jazz, blues, saxophone, trumpet", ((0.10, 0.12, 0.40), (0.85, 0.55, 0.15), (0.95, 0.85, 0.55))),
        ("love, romance, heart, passion, kiss", ((0.55, 0.05, 0.20), (0.95, 0.35, 0.45), (1.0, 0.80, 0.80))),
        ("fire, flame, flames, lava, heat, volcano", ((0.45, 0.03, 0.02), (0.95, 0.35, 0.05), (1.0, 0.85, 0.30))),
        ("joy, happiness, laughter, party", ((0.95, 0.35, 0.45), (1.0, 0.72, 0.15), (0.30, 0.80, 0.85))),
        (
            "sadness, sorrow, grief, melancholy, loneliness",
            ((0.06, 0.09, 0.20), (0.25, 0.35, 0.52), (0.62, 0.68, 0.75)),
        ),
        ("anger, rage, war, fury", ((0.12, 0.02, 0.03), (0.75, 0.08, 0.06), (0.95, 0.45, 0.20))),
        ("hope, birth, beginning, growth", ((0.10, 0.35, 0.30), (0.55, 0.80, 0.40), (1.0, 0.95, 0.70))),
        ("dream, dreams, sleep, memory, memories", ((0.25, 0.22, 0.55), (0.65, 0.55, 0.88), (0.98, 0.82, 0.86))),
        ("music, melody, song, symphony, violin, piano", ((0.18, 0.08, 0.28), (0.70, 0.28, 0.42), (0.98, 0.78, 0.50))),
        ("mathematics, science, logic, physics, data", ((0.04, 0.10, 0.22), (0.10, 0.50, 0.65), (0.85, 0.95, 0.95))),
        (
            "technology, computer, digital, future, electric, robot",
            ((0.03, 0.05, 0.14), (0.10, 0.75, 0.95), (0.75, 0.30, 0.95)),
        ),
        ("coffee, chocolate, earth, clay, wood grain", ((0.16, 0.08, 0.04), (0.50, 0.30, 0.16), (0.92, 0.80, 0.64))),
        ("candy, bubblegum, ice cream, cake", ((0.95, 0.40, 0.65), (0.55, 0.85, 0.95), (1.0, 0.93, 0.75))),
        ("silence, peace, zen, meditation, breath", ((0.20, 0.32, 0.34), (0.62, 0.74, 0.70), (0.96, 0.95, 0.90))),
        ("energy, power, speed, dance, rhythm", ((0.30, 0.02, 0.45), (0.98, 0.25, 0.35), (1.0, 0.80, 0.10))),
        ("mystery, magic, secret, fantasy", ((0.06, 0.03, 0.16), (0.38, 0.16, 0.62), (0.35, 0.85, 0.75))),
        ("luxury, royal, elegance, wealth", ((0.05, 0.04, 0.06), (0.45, 0.30, 0.08), (0.98, 0.85, 0.50))),
        ("wind, air, breeze, freedom", ((0.25, 0.50, 0.70), (0.70, 0.86, 0.92), (1.0, 1.0, 0.97))),
    )
    for word in (phrase.strip() for phrase in words.split(","))
}

NEGATIONS = frozenset({"no", "without", "not", "never", "minus", "nor", "zero"})
# Things that never appear in these pictures: asking for none of them is a wish that is met.
ABSENT = frozenset(
    {"people", "person", "humans", "animals", "text", "watermark", "words", "letters", "cars", "birds", "logo"}
)

_FILLER_WORDS = """
sur na nos sobre con mit auf avec su del della nella sulla nel por para et für с
un una el la los las le les une des du der die das ein eine einen im am dem den il uno en de dans et und y em
и в на の は が に で を
a an the of at in on by with over under above below near and or but from to into onto through across along
between behind beyond before after during while as is are be being it its this that these those there here some
any very really quite so just than then where which who whose what how for beside around against toward towards
amid among picture image photo photograph photography shot view scene scenery landscape landscapes wallpaper
background showing depicting featuring beautiful stunning gorgeous breathtaking lovely pretty nice amazing
wonderful epic majestic scenic picturesque distant far rolling winding meandering soft warm
high low big large small great vast endless deep bright light sky skies horizon style art artwork
lit illuminated bathed covered filled like foot
edge top distance front foreground middle full each all every other more most one two
no not without never minus nor zero please make
create generate render me us my our your his her their i we you he she they s t
"""
FILLER = frozenset(_FILLER_WORDS.split())

_LONGEST_PHRASE = 3
_WORD = re.compile(r"[^\W_]+(?:['’&-][^\W_]+)*|[,.;:!?()&]")


@dataclass(frozen=True, slots=True)
class Wish:
    """A prompt as the painter understood it. A facet is None when the prompt does not name it."""

    place: str | None = None
    time: str | None = None
    clouds: str | None = None
    styles: tuple[str, ...] = ()  # in the order of the prompt; at most one of them a manner
    features: frozenset[str] = frozenset()
    excluded: frozenset[str] = frozenset()  # features and facet values that the prompt forbids
    colours: tuple[Rgb, ...] = ()  # every colour named, in order
    moods: tuple[Rgb, ...] = ()  # colours that other words suggest to an abstract picture
    tints: tuple[tuple[str, Rgb], ...] = ()  # (part, colour), part one of the PARTS or light
    blooms: tuple[Rgb, ...] = ()  # the colours of the flowers that are named
    used: tuple[str, ...] = ()  # words that are understood; `obeyed_in` says which of them a place can show
    ignored: tuple[str, ...] = ()

    def styled(self, style: str) -> bool:
        """Whether this style is asked for."""
        return style in self.styles

    def obeyed_in(self, place: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The words that a picture of this place obeys, and those that it does not."""
        lost = tuple(phrase for phrase in self.used if not _shows(place, phrase))
        return tuple(phrase for phrase in self.used if phrase not in lost), self.ignored + lost

    def has(self, *features: str) -> bool:
        """Whether any of these features is asked for."""
        return any(feature in self.features for feature in features)

    def tint(self, part: str) -> Rgb | None:
        """The mean of the colours asked for this part of the picture."""
        named = [colour for at, colour in self.tints if at == part]
        if not named:
            return None
        red, green, blue = (sum(channel) / len(named) for channel in zip(*named, strict=True))
        return red, green, blue


def _split(words: str) -> list[str]:
    return [phrase.strip() for phrase in words.split(",")]


def _by_phrase() -> dict[str, tuple[tuple[str, str], ...]]:
    """phrase → every (facet, value) that it asks for; one phrase may ask for several."""
    meanings: dict[str, list[tuple[str, str]]] = {}
    for facet, values in VOCABULARY.items():
        for value, words in values.items():
            for phrase in _split(words):
                meanings.setdefault(phrase, []).append((facet, value))
    return {phrase: tuple(found) for phrase, found in meanings.items()}


MEANINGS = _by_phrase()
_PART_OF = {phrase: part for part, words in PARTS.items() for phrase in _split(words)}


class _Reader:
    """Walks over the words once and collects what they ask for."""

    def __init__(self, words: list[str]) -> None:
        self.words: list[str] = words
        self.facets: dict[str, list[str]] = {facet: [] for facet in VOCABULARY}
        self.excluded: list[str] = []
        self.colours: list[Rgb] = []
        self.moods: list[Rgb] = []
        self.blooms: list[Rgb] = []
        self.tints: list[tuple[str, Rgb]] = []
        self.used: list[str] = []
        self.ignored: list[str] = []
        self.pending: list[Rgb] = []  # colours whose noun has not come yet
        self.negation: str | None = None
        self.carries: bool = False  # a negated term was read; only "or" and its like keep the negation alive

    def read(self) -> None:
        at = 0
        while at < len(self.words):
            phrase = self._phrase_at(at)
            self._take(phrase, at)
            at += phrase.count(" ") + 1
        self._paint_pending("light")

    def _phrase_at(self, at: int) -> str:
        for length in range(min(_LONGEST_PHRASE, len(self.words) - at), 1, -1):
            phrase = " ".join(self.words[at : at + length])
            if phrase in MEANINGS or phrase in MOODS:
                return phrase
        return self.words[at]

    def _take(self, phrase: str, at: int) -> None:
        if phrase == TAKEN:
            return
        if not phrase[0].isalnum():
            self._end_clause()
        elif phrase in NEGATIONS:
            self.negation, self.carries = phrase, False
        elif phrase in ("or", "and", "nor"):
            # "without clouds and snow" forbids both; "no clouds and golden light" does not forbid the light
            self.carries = self.carries and not (phrase == "or" or self.negation == "without")
            if self.carries:
                self.negation = None
        elif self._is_forbidden(at, phrase):
            self._forbid(phrase)
        else:
            self._welcome(phrase)

    def _is_forbidden(self, at: int, phrase: str) -> bool:
        after = at + phrase.count(" ") + 1
        if self.words[after : after + 1] == ["free"]:  # "cloud-free"
            self.negation = "no"
            return True
        if self.negation is None or phrase in FILLER:
            return False
        if self.carries:
            self.negation = None
        return self.negation is not None

    def _forbid(self, phrase: str) -> None:
        self.carries = True
        if phrase in MEANINGS:
            self.excluded += [value for _, value in MEANINGS[phrase]]
        elif phrase not in ABSENT:
            self._ignore(phrase)
            return
        self.used.append(f"{self.negation} {phrase}")

    def _welcome(self, phrase: str) -> None:
        if phrase in COLOURS:
            self.colours.append(COLOURS[phrase])
            self.pending.append(COLOURS[phrase])
            self.used.append(phrase)
            return
        part = _PART_OF.get(phrase)
        if part is not None:
            self._paint_pending(part)
        if phrase in MEANINGS:
            for facet, value in MEANINGS[phrase]:
                self.facets[facet].append(value)
            if phrase in BLOOMS and not any(at == "flowers" for at, _ in self.tints):
                self.blooms.append(BLOOMS[phrase])
            self.used.append(phrase)
        elif phrase in MOODS:
            self.moods += MOODS[phrase]
            self.used.append(phrase)
        elif phrase not in FILLER and phrase != "free":
            self._ignore(phrase)

    def _ignore(self, phrase: str) -> None:
        self.ignored.append(phrase)

    def _paint_pending(self, part: str) -> None:
        self.tints += [(part, colour) for colour in self.pending]
        self.pending.clear()

    def _end_clause(self) -> None:
        self._paint_pending("light")
        self.negation, self.carries = None, False


def _shows(place: str, phrase: str) -> bool:
    """Whether a picture of this place can obey an understood phrase, in at least one of its meanings."""
    if phrase in MOODS:
        return place == "abstract"
    if phrase not in MEANINGS:
        return True  # a colour, or something that is not to be seen
    for facet, value in MEANINGS[phrase]:
        if facet == "feature":
            shown = place in SUITS[value]
        elif facet == "place":
            shown = value == place or (value, place) == ("sea", "city")  # a skyline always stands over water
        else:
            shown = facet == "style" or place in _OUTDOORS or (facet == "time" and place in LIT)
        if shown:
            return True
    return False


def read(prompt: str) -> Wish:
    """What a prompt asks for, with the words that were understood and those that were not."""
    return read_words(words_of(prompt))


TAKEN = "·"
"""Stands for a word that somebody else has read."""


def read_words(words: list[str]) -> Wish:
    """The same of words that are split already, some of them TAKEN."""
    reader = _Reader(words)
    reader.read()
    excluded = frozenset(reader.excluded)
    found = {facet: [value for value in values if value not in excluded] for facet, values in reader.facets.items()}
    features = frozenset(found["feature"])
    clouds = _heaviest(found["clouds"])
    if clouds is None and excluded & {"some", "overcast", "storm"}:
        clouds = "clear"
    manners = [style for style in found["style"] if style in MANNERS]
    lost = set(manners) - set(manners[:1])
    dropped = [phrase for phrase in reader.used if lost & {value for _, value in MEANINGS.get(phrase, ())}]
    return Wish(
        place=_place(found["place"], features),
        time=_time(found["time"], features),
        clouds=clouds,
        styles=tuple(style for style in found["style"] if style not in lost),
        features=features,
        excluded=excluded,
        colours=tuple(reader.colours[:5]),
        moods=tuple(reader.moods[:5]),
        blooms=tuple(colour for at, colour in reader.tints if at == "flowers") + tuple(reader.blooms),
        tints=tuple(reader.tints[:8]),
        used=tuple(dict.fromkeys(phrase for phrase in reader.used if phrase not in dropped)),
        ignored=tuple(dict.fromkeys(reader.ignored + dropped)),
    )


def words_of(prompt: str) -> list[str]:
    """Lower-case words and punctuation marks; a hyphenated word is split unless the vocabulary has it whole."""
    words: list[str] = []
    for word in _WORD.findall(prompt.casefold()):
        words += [word] if word in MEANINGS or "-" not in word else word.split("-")
    return words


def _place(places: list[str], features: frozenset[str]) -> str | None:
    """The place that the others can be part of: a forest under mountains is mountains with trees."""
    for place in ("space", "city", "sea", "desert", "mountains", "hills", "forest", "abstract"):
        if place in places:
            # a wood by a lake is seen from over the water, with the land around it
            return "mountains" if place == "forest" and features & _WET else place
    for place, signs in _SIGNS:
        if features & signs:
            return place
    return None


_WET = frozenset({"lake", "river", "fjord", "pier", "reeds"})
# features that imply a place where none is named, the strongest first
_SIGNS: tuple[tuple[str, frozenset[str]], ...] = (
    ("mountains", frozenset({"lake", "river", "fjord", "aurora", "ridges", "pier", "reeds"})),
    ("sea", frozenset({"waves", "beach", "island", "palms"})),
    ("hills", frozenset({"flowers", "fields", "furrows", "wheat", "road", "cypress", "blossom"})),
    ("forest", frozenset({"trees", "leafy", "conifers", "birch", "path"})),
    ("mountains", frozenset({"snow", "rocks"})),
    ("hills", frozenset({"autumn", "spring", "summer", "tall grass"})),
    ("space", frozenset({"planet", "rings"})),
)


def _time(times: list[str], features: frozenset[str]) -> str | None:
    if times:
        # "sunny" says less than "sunset": a plain day gives way to any other hour
        return next((time for time in times if time != "day"), "day")
    return "night" if features & {"stars", "moon", "aurora"} else None


def _heaviest(clouds: list[str]) -> str | None:
    for weight in ("storm", "overcast", "some", "clear"):
        if weight in clouds:
            return weight
    return None
