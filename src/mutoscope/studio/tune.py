"""What the composer reads in a prompt: mood, style, tempo, key and instruments. The tables are all it knows."""

import re
from dataclasses import dataclass, field

MAJOR, MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)
SCALES: dict[str, tuple[int, ...]] = {
    "major": MAJOR,
    "minor": MINOR,
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
}
"""Semitones above the key's note."""
BRIGHT = frozenset({"major", "lydian", "mixolydian"})
KEY_NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
NOTES = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
VOICES = ("pad", "piano", "bells", "plucks", "bass", "drums", "guitar", "strings")
MIN_TEMPO, MAX_TEMPO = 40, 200


@dataclass(frozen=True)
class Mood:
    """What a mood stands for where the prompt says nothing nearer."""

    tempo: int  # beats a minute
    scale: str
    voices: frozenset[str]
    brightness: float  # 0 dull … 1 brilliant
    density: float  # how many of a bar's places have a note of the melody, 0 to 1
    echo: float  # share of reverberation, 0 to 1


def _mood(tempo: int, scale: str, voices: str, *, brightness: float, density: float, echo: float) -> Mood:
    return Mood(tempo, scale, frozenset(voices.split()), brightness, density, echo)


MOODS: dict[str, Mood] = {
    "calm": _mood(72, "major", "pad piano", brightness=0.35, density=0.35, echo=0.4),
    "happy": _mood(116, "major", "pad plucks bells bass drums", brightness=0.8, density=0.65, echo=0.2),
    "sad": _mood(64, "minor", "pad piano", brightness=0.3, density=0.3, echo=0.45),
    "dark": _mood(58, "phrygian", "pad bass", brightness=0.15, density=0.15, echo=0.5),
    "epic": _mood(92, "minor", "pad plucks bass drums", brightness=0.7, density=0.45, echo=0.4),
    "tense": _mood(124, "minor", "pad plucks bass drums", brightness=0.4, density=0.55, echo=0.25),
    "dreamy": _mood(78, "lydian", "pad bells", brightness=0.5, density=0.4, echo=0.6),
    "playful": _mood(128, "major", "plucks bells bass", brightness=0.8, density=0.7, echo=0.2),
    "romantic": _mood(70, "major", "pad piano bass", brightness=0.45, density=0.45, echo=0.35),
    "mysterious": _mood(68, "dorian", "pad bells bass", brightness=0.3, density=0.25, echo=0.55),
    "energetic": _mood(132, "minor", "pad plucks piano bass drums", brightness=0.85, density=0.7, echo=0.18),
}

STYLES: dict[str, tuple[int | None, str]] = {
    "ambient": (60, "pad bells"),
    "lofi": (78, "pad piano bass drums"),
    "electronic": (122, "pad plucks bass drums"),
    "cinematic": (None, "pad piano bass drums"),
    "waltz": (108, "pad piano bass"),
    "minimal": (None, "piano"),
    "pop": (108, "piano plucks bass drums"),
    "rock": (126, "guitar bass drums"),
    "jazz": (112, "piano bass drums"),
    "folk": (96, "guitar bass"),
    "classical": (None, "piano strings"),
    "hip hop": (86, "pad piano bass drums"),
}
"""The tempo, where the style settles it, and the voices."""

WORDS: dict[str, dict[str, str]] = {
    "mood": {
        "calm": "calm, peaceful, relaxing, relaxed, gentle, soft, serene, soothing, meditative, meditation, tranquil,"
        " quiet, chill, warm, spa, study, focus, sleep, lullaby",
        "happy": "happy, joyful, cheerful, uplifting, upbeat, bright, optimistic, sunny, feel good, feel-good,"
        " positive, fun",
        "sad": "sad, melancholic, melancholy, sorrowful, mournful, lonely, nostalgic, emotional, heartbreaking,"
        " bittersweet",
        "dark": "dark, ominous, horror, scary, sinister, gloomy, eerie, haunting, menacing",
        "epic": "epic, heroic, powerful, triumphant, majestic, grand, dramatic, trailer, inspiring, inspirational",
        "tense": "tense, suspense, suspenseful, thriller, urgent, anxious, chase, nervous",
        "dreamy": "dreamy, ethereal, floating, magical, heavenly, atmospheric, celestial, airy",
        "playful": "playful, quirky, whimsical, childish, cute, funny, comic, children",
        "romantic": "romantic, love, tender, intimate, wedding, sentimental",
        "mysterious": "mysterious, mystery, mystic, mystical, enigmatic, curious, secret",
        "energetic": "energetic, driving, intense, exciting, action, sport, sports, workout, party, aggressive",
    },
    "style": {
        "ambient": "ambient, drone, soundscape, new age, background",
        "lofi": "lofi, lo-fi, lo fi, chillhop",
        "electronic": "electronic, techno, house, dance, edm, trance, synthwave, electro, synth, disco, club",
        "cinematic": "cinematic, film, soundtrack, score, orchestral style",
        "waltz": "waltz, three-four, 3/4",
        "minimal": "minimal, minimalist, sparse, simple",
        "pop": "pop, synth-pop, synthpop, dream pop, indie pop",
        "rock": "rock, indie rock, soft rock, alternative",
        "jazz": "jazz, jazzy",
        "folk": "folk, acoustic, country, singer-songwriter",
        "classical": "classical, orchestral, orchestra, chamber",
        "hip hop": "hip hop, hip-hop, hiphop, trap, rap",
    },
    "tempo": {
        "slow": "slow, slowly, downtempo, adagio, largo, lento",
        "moderate": "moderate, mid-tempo, andante, moderato, medium tempo",
        "fast": "fast, quick, uptempo, up-tempo, allegro, presto, rapid",
    },
    "alone": {"alone": "solo, alone, unaccompanied"},
    "scale": {name: name for name in SCALES},
    "voice": {
        "pad": "pad, pads, synth pad, warm pad, synthesizer, strings pad",
        "piano": "piano, keys, keyboard, electric piano",
        "bells": "bells, bell, music box, glockenspiel, chimes, vibraphone, celesta",
        "plucks": "plucks, pluck, plucked, arpeggio, arpeggios, arpeggiated, harp",
        "bass": "bass, bassline, bass line, sub bass",
        "guitar": "guitar, guitars, acoustic guitar, ukulele",
        "strings": "strings, string section",
        "drums": "drums, drum, beat, beats, percussion, kick, rhythm, rhythmic, drum machine",
    },
}
"""Facet → value → words and phrases that ask for it."""

PHRASES: dict[str, tuple[str, str]] = {
    phrase.strip(): (facet, value)
    for facet, values in WORDS.items()
    for value, phrases in values.items()
    for phrase in phrases.split(",")
}
LONGEST = max(len(phrase.split()) for phrase in PHRASES)
MEANINGLESS = (
    "a an the and or of for with in on at to by from that this is are be as it its some very more most music track "
    "song piece tune melody melodies sound sounds audio instrumental instruments instrument featuring feel feeling "
    "vibe vibes mood style tempo key like please make create compose generate play plays playing short seconds second "
    "loop lead layered light lots full but only just also my me i you your bpm into over under while through"
)
FILLER = frozenset(MEANINGLESS.split())
NEGATIONS = frozenset({"no", "not", "without", "avoid", "never"})
TEMPO = re.compile(r"\b(?:(\d{2,3})\s*(?:-\s*)?bpm|tempo\s*(?:of|:|=)?\s*(\d{2,3}))\b", re.IGNORECASE)
KEY = re.compile(
    rf"\b(?:(?P<lead>in|key of|key:)\s+)?(?P<note>[a-g])(?P<sign>\s?(?:sharp|flat)|#|♯|♭|b(?=[\s-]))?[\s-]+"
    rf"(?P<scale>{'|'.join(SCALES)})\b",
    re.IGNORECASE,
)


@dataclass
class Tune:
    """What was read; None where the prompt says nothing."""

    moods: list[str] = field(default_factory=list[str])
    style: str | None = None
    pace: str | None = None  # slow, moderate, fast
    tempo: float | None = None  # beats a minute, as a figure
    root: int | None = None  # semitones above C
    scale: str | None = None
    voices: set[str] = field(default_factory=set[str])
    silent: set[str] = field(default_factory=set[str])  # voices that are not wanted
    alone: bool = False  # only the instruments that are named
    used: list[str] = field(default_factory=list[str])
    ignored: list[str] = field(default_factory=list[str])

    @property
    def mood(self) -> Mood:
        return MOODS[self.moods[0] if self.moods else "calm"]


def read(prompt: str) -> Tune:
    """What a prompt asks for, with the words that were understood and those that were not, in their order."""
    tune = Tune()
    rest = KEY.sub(lambda found: _take_key(found, tune), TEMPO.sub(lambda found: _take_tempo(found, tune), prompt))
    for clause in re.split(r"[.,;:!?()\n]+", rest.lower()):
        _read_clause(re.findall(r"[\w#/&'-]+", clause), tune)
    return tune


def _take_tempo(found: re.Match[str], tune: Tune) -> str:
    figure = int(found[1] or found[2])
    if not MIN_TEMPO <= figure <= MAX_TEMPO:
        tune.ignored.append(found[0])
    else:
        tune.tempo = figure
        tune.used.append(f"{figure} bpm")
    return " "


def _take_key(found: re.Match[str], tune: Tune) -> str:
    note = found["note"]
    if note == "a" and not found["lead"]:
        return found[0]  # an article: "a minor theme"
    sign = (found["sign"] or "").strip().lower()
    shift = {"": 0, "sharp": 1, "#": 1, "♯": 1}.get(sign, -1)
    tune.root = (NOTES[note.lower()] + shift) % 12
    tune.scale = found["scale"].lower()
    tune.used.append(found[0].removeprefix(found["lead"] or "").strip())
    return " "


def _read_clause(words: list[str], tune: Tune) -> None:
    """Longest phrases first; a negation holds to the end of its clause for the instruments that follow."""
    at, denied = 0, False
    while at < len(words):
        if words[at] in NEGATIONS:
            at, denied = at + 1, True
            continue
        for length in range(min(LONGEST, len(words) - at), 0, -1):
            phrase = " ".join(words[at : at + length])
            if phrase in PHRASES:
                _take(phrase, tune, denied=denied)
                break
        else:
            length = 1
            if words[at] in ("but", "with"):
                denied = False
            if words[at] not in FILLER:
                _append(tune.ignored, ("no " if denied else "") + words[at])
        at += length


def _take(phrase: str, tune: Tune, *, denied: bool) -> None:
    facet, value = PHRASES[phrase]
    if denied:
        if facet == "voice":
            tune.silent.add(value)
        _append(tune.used if facet == "voice" else tune.ignored, f"no {phrase}")
        return
    if facet == "mood":
        _append(tune.moods, value)
    elif facet == "voice":
        tune.voices.add(value)
    elif facet == "alone":
        tune.alone = True
    else:
        name = "pace" if facet == "tempo" else facet
        if getattr(tune, name) is None:
            setattr(tune, name, value)
        elif getattr(tune, name) != value:
            _append(tune.ignored, phrase)
            return
    _append(tune.used, phrase)


def _append(words: list[str], word: str) -> None:
    if word not in words:
        words.append(word)
