"""Music by rule and synthesis: chords, bass, a melody of motifs, and drums, made of sines and noise.

No recording, no trained model. It keeps to one key and one tempo; voices, lyrics, real instruments and named
artists are reported as ignored.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mutoscope.studio import soundfile, tune
from mutoscope.studio.clip import comment
from mutoscope.studio.error import StudioError
from mutoscope.studio.loudness import mastered
from mutoscope.studio.planes import Floats
from mutoscope.studio.tune import BRIGHT, KEY_NAMES, MAX_TEMPO, MIN_TEMPO, SCALES, STYLES, VOICES, Tune

RATE = 44_100  # samples a second
MIN_SECONDS, MAX_SECONDS = 1.0, 300.0
PACES = {"slow": 0.78, "moderate": 1.0, "fast": 1.28}
STRETCH = 0.06  # how much the tempo may yield for the piece to end with a bar, unless it was given as a figure
FADE_OUT_SECONDS = 2.5
LEVELS = {
    "pad": 0.5,
    "piano": 0.9,
    "bells": 0.42,
    "plucks": 0.5,
    "bass": 0.75,
    "drums": 0.8,
    "guitar": 0.8,
    "strings": 0.42,
}
PANS = {
    "pad": 0.0,
    "piano": -0.15,
    "bells": 0.3,
    "plucks": -0.35,
    "bass": 0.0,
    "drums": 0.05,
    "guitar": 0.22,
    "strings": -0.1,
}  # -1 left … 1 right
RHYTHM = frozenset({"bass", "drums"})
BLOCK = 1 << 17  # samples that are reverberated at a time
RAMP_SECONDS = 0.06  # over which a voice comes in or goes out between sections

VERSE, CHORUS, BRIDGE, INTRO, OUTRO = "verse", "chorus", "bridge", "intro", "outro"
FORMS: dict[str, dict[str, float]] = {
    INTRO: {"bass": 0.0, "drums": 0.0, "plucks": 0.5, "bells": 0.6, "guitar": 0.75, "piano": 0.75},
    VERSE: {"bells": 0.0, "drums": 0.7, "plucks": 0.55, "pad": 0.8, "strings": 0.55},
    CHORUS: {"pad": 1.15, "drums": 1.1, "plucks": 1.1, "strings": 1.2, "bells": 1.1},
    BRIDGE: {"drums": 0.0, "bass": 0.6, "plucks": 0.4, "pad": 1.2, "strings": 1.1},
    OUTRO: {"drums": 0.0, "bass": 0.5, "plucks": 0.3, "bells": 0.8},
}
"""The parts of a song, and how loud each voice is in them, 1 where nothing is said."""
PART = re.compile(r"\[([^\]]{1,60})\]$")
PART_WORDS = {
    INTRO: ("intro",),
    OUTRO: ("outro", "end"),
    CHORUS: ("chorus", "hook", "refrain", "drop"),
    BRIDGE: ("bridge", "break", "interlude"),
    VERSE: ("verse",),
}
"""What a mark in square brackets says; any other is played as a verse."""

PROGRESSIONS: dict[bool, tuple[tuple[int, ...], ...]] = {
    True: ((0, 4, 5, 3), (0, 5, 3, 4), (0, 2, 3, 4), (0, 3, 0, 4), (0, 3, 5, 4)),
    False: ((0, 5, 0, 6), (0, 3, 5, 4), (0, 6, 5, 4), (0, 5, 3, 4), (0, 2, 3, 0)),
}
"""Degrees of the scale on which four bars' chords stand; by whether the scale is a bright one. The dark ones come back
to their first soon: chords on the third and the seventh alone are heard as the relative major's."""


@dataclass(frozen=True)
class Music:
    """A piece that was made."""

    seconds: float
    tempo: float  # beats a minute
    key: str  # for example "A minor"
    moods: tuple[str, ...]
    voices: tuple[str, ...]  # those that play
    used: tuple[str, ...]  # words of the prompt that were obeyed
    ignored: tuple[str, ...]  # words that say something and were not
    parts: tuple[str, ...] = ()  # verse, chorus, …, where lyrics marked them


@dataclass(frozen=True)
class Score:
    """What all players need to know."""

    samples: int
    bar: float  # samples
    beats: int  # of a bar
    bars: int
    tempo: float
    root: int  # MIDI number of the key's note, about middle C
    scale: str
    voices: tuple[str, ...]
    brightness: float
    density: float
    echo: float
    chords: tuple[tuple[int, ...], ...]  # MIDI numbers for each bar, the lowest first, whichever of the chord it is
    roots: tuple[int, ...]  # the note on which each bar's chord stands, in any octave
    four_on_the_floor: bool
    forms: tuple[str, ...] = ()  # of each bar, where the piece has parts
    begun: bool = False  # it goes on from another: nobody waits for the second bar

    @property
    def beat(self) -> float:
        return self.bar / self.beats


def make_music(prompt: str, out: Path, *, seconds: float, seed: int, lyrics: str = "", negative: str = "") -> Music:
    """Compose and play a piece after words of mood, style, tempo ("96 bpm"), key ("in D minor") and instruments.

    Written to `out` as WAV (16 bits) or MP3, by its ending: stereo, 44100 samples a second, round(seconds · 44100)
    samples in a WAV file, at most 300 seconds, at -14 LUFS. Lyrics are not sung: their marks ([Verse], [Chorus], …) set
    the parts, and their lines how long each is. What `negative` names does not play. The same arguments give the same
    bytes. Raises StudioError with the field "seconds" or "out".
    """
    wish = tune.read(prompt)
    wish.silent |= tune.read(negative).voices
    score, sound = play(wish, seconds, seed, parts=parts_of(lyrics))
    soundfile.write(mastered(sound, RATE), out, rate=RATE, comment=comment(wish.used, wish.ignored))
    return described(score, wish)


def play(
    wish: Tune, seconds: float, seed: int, *, parts: tuple[tuple[str, int], ...] = (), begun: bool = False
) -> tuple[Score, Floats]:
    """The score and its sound, (2, samples). Raises StudioError with "seconds"."""
    if not MIN_SECONDS <= seconds <= MAX_SECONDS:
        raise StudioError(f"music lasts {MIN_SECONDS:g} to {MAX_SECONDS:g} s, not {seconds:g}", field="seconds")
    chance = np.random.default_rng(seed)
    score = replace(compose(wish, seconds, chance, parts), begun=begun)
    return score, perform(score, chance)


def described(score: Score, wish: Tune) -> Music:
    return Music(
        seconds=score.samples / RATE,
        tempo=round(score.tempo, 2),
        key=f"{KEY_NAMES[score.root % 12]} {score.scale}",
        moods=tuple(wish.moods),
        voices=score.voices,
        used=tuple(wish.used),
        ignored=tuple(wish.ignored),
        parts=tuple(form for at, form in enumerate(score.forms) if at == 0 or score.forms[at - 1] != form),
    )


def parts_of(lyrics: str) -> tuple[tuple[str, int], ...]:
    """The parts that a song's text marks with [Verse], [Chorus] and the like, and how many lines each has."""
    found: list[tuple[str, int]] = []
    for line in lyrics.splitlines():
        if mark := PART.match(line.strip()):
            word = mark[1].lower()
            form = next((form for form, words in PART_WORDS.items() if any(each in word for each in words)), VERSE)
            found.append((form, 0))
        elif line.strip() and found:
            found[-1] = found[-1][0], found[-1][1] + 1
    return tuple(found)


def compose(wish: Tune, seconds: float, chance: np.random.Generator, parts: tuple[tuple[str, int], ...] = ()) -> Score:
    """The frame of the piece: tempo, key, chords, who plays, and in which parts."""
    mood = wish.mood
    settled, played = STYLES.get(wish.style or "", (None, ""))
    voices = _players(wish, set(played.split()) or set(mood.voices))
    beats = 3 if wish.style == "waltz" else 4
    tempo, bars = _fit_tempo(wish, float(settled or mood.tempo), seconds, beats)
    scale = wish.scale or mood.scale
    root = 60 + (wish.root if wish.root is not None else int(chance.integers(12)))
    root -= 12 if root > 66 else 0
    forms = _forms(parts, bars)
    chords, roots = _chords(root, scale, bars, chance, forms)
    return Score(
        samples=round(seconds * RATE),
        bar=RATE * 60 / tempo * beats,
        beats=beats,
        bars=bars,
        tempo=tempo,
        root=root,
        scale=scale,
        voices=tuple(voice for voice in VOICES if voice in voices),
        brightness=mood.brightness,
        density=mood.density * (0.6 if wish.style in ("ambient", "minimal") else 1.0),
        echo=mood.echo,
        chords=chords,
        roots=roots,
        four_on_the_floor=wish.style == "electronic",
        forms=forms,
    )


def _forms(parts: tuple[tuple[str, int], ...], bars: int) -> tuple[str, ...]:
    """The part that each bar belongs to: as long as its lines, in pairs of bars where there is room."""
    if not parts:
        return ()
    if len(parts) > bars:
        parts = parts[:bars]
    weights = np.array([max(2, lines) for _, lines in parts], np.float64)
    ends = np.rint(np.cumsum(weights) / weights.sum() * bars / 2) * 2 if bars >= 4 * len(parts) else None
    if ends is None:
        ends = np.rint(np.cumsum(weights) / weights.sum() * bars)
    ends[-1] = bars
    return tuple(parts[int(np.searchsorted(ends, bar, side="right"))][0] for bar in range(bars))


def _players(wish: Tune, usual: set[str]) -> set[str]:
    """Who plays: instruments that are named take the place of the usual ones, bass and drums join them."""
    named = wish.voices - RHYTHM
    band = wish.voices if wish.alone and wish.voices else (usual & RHYTHM if named else usual) | wish.voices
    return band - wish.silent or {"pad"} - wish.silent or {"piano"}


def _fit_tempo(wish: Tune, tempo: float, seconds: float, beats: int) -> tuple[float, int]:
    """The tempo, and how many bars are begun in so many seconds."""
    if wish.tempo is not None:
        return float(wish.tempo), math.ceil(seconds * wish.tempo / 60 / beats)
    tempo = min(max(tempo * PACES.get(wish.pace or "", 1.0), MIN_TEMPO), MAX_TEMPO)
    bars = max(1, round(seconds * tempo / 60 / beats))
    fitting = bars * beats * 60 / seconds
    if abs(fitting / tempo - 1) <= STRETCH:
        return fitting, bars
    return tempo, math.ceil(seconds * tempo / 60 / beats)


def _chords(
    root: int, scale: str, bars: int, chance: np.random.Generator, forms: tuple[str, ...]
) -> tuple[tuple[tuple[int, ...], ...], tuple[int, ...]]:
    """A chord for each bar, each laid so that its notes are near those before, and the notes on which they stand; the
    last is the key's own."""
    choices = PROGRESSIONS[scale in BRIGHT]
    first, second = (choices[int(chance.integers(len(choices)))] for _ in range(2))
    seventh = chance.random() < 0.4
    other = choices[int(chance.integers(len(choices)))] if forms else first
    of_form = {CHORUS: second, BRIDGE: other}
    found: list[tuple[int, ...]] = []
    roots: list[int] = []
    centre = float(root)
    for bar in range(bars):
        pattern = of_form.get(forms[bar], first) if forms else second if bar // 4 % 4 == 2 else first
        degree = 0 if bar == bars - 1 else pattern[bar % 4]
        steps = (0, 2, 4, 6) if seventh and degree else (0, 2, 4)
        notes = [_degree(root, scale, degree + step) for step in steps]
        laid = sorted(note - 12 * round((note - centre) / 12) for note in notes)
        centre = 0.7 * root + 0.3 * sum(laid) / len(laid)
        found.append(tuple(laid))
        roots.append(notes[0])
    return tuple(found), tuple(roots)


def _degree(root: int, scale: str, degree: int) -> int:
    octave, step = divmod(degree, 7)
    return root + 12 * octave + SCALES[scale][step]


# ---- playing


def perform(score: Score, chance: np.random.Generator) -> Floats:
    """The piece as sound, (2, samples), at no particular loudness; its ends are faded."""
    mix = np.zeros((2, score.samples), np.float32)
    for voice in VOICES:
        # Each draws its own chance, also when silent: without drums the melody stays the same.
        own = np.random.default_rng(int(chance.integers(1 << 32)))
        if voice in score.voices:
            part = _Part(score.samples, PANS[voice])
            PLAYERS[voice](score, part, own)
            if score.forms:
                part.sound *= _presence(score, voice)
            mix += part.sound * np.float32(LEVELS[voice])
    mix = _reverberated(mix, score.echo, np.random.default_rng(int(chance.integers(1 << 32))))
    return _ended(mix)


def _presence(score: Score, voice: str) -> Floats:
    """How loud a voice is at each sample, as the parts want it."""
    gains = [FORMS[form].get(voice, 1.0) for form in score.forms]
    times, values = [0.0], [gains[0]]
    for bar in range(1, len(gains)):
        if gains[bar] != gains[bar - 1]:
            times += [bar * score.bar - RAMP_SECONDS * RATE, bar * score.bar]
            values += [gains[bar - 1], gains[bar]]
    return np.interp(np.arange(score.samples), times, values).astype(np.float32)


class _Part:
    """One player's sound; notes that were rendered before are not rendered again."""

    def __init__(self, samples: int, pan: float) -> None:
        self.sound = np.zeros((2, samples), np.float32)
        angle = (pan + 1) * math.pi / 4
        self._gains = np.float32(math.cos(angle) * 1.2), np.float32(math.sin(angle) * 1.2)
        self._notes: dict[tuple[object, ...], Floats] = {}

    def play(self, at: float, loudness: float, sound: Callable[..., Floats], *how: object) -> None:
        """Add `sound(*how)`, mono or stereo, from sample `at` on."""
        if how not in self._notes:
            self._notes[how] = sound(*how)
        note, start = self._notes[how], round(at)
        room = self.sound.shape[1] - start
        if room <= 0:
            return
        rows = note if note.ndim == 2 else (note, note)
        for channel, gain in enumerate(self._gains):
            cut = rows[channel][:room]
            self.sound[channel, start : start + len(cut)] += cut * (gain * np.float32(loudness))


def _pads(score: Score, part: _Part, _: np.random.Generator) -> None:
    for bar, chord in enumerate(score.chords):
        for note in chord:
            part.play(bar * score.bar, 0.3, _pad, note - 12 * (note > 67), round(score.bar), score.brightness)


def _piano(score: Score, part: _Part, chance: np.random.Generator) -> None:
    """The chord, broken or struck, above its root, and the melody above it."""
    broken = chance.random() < 0.6
    for bar, chord in enumerate(score.chords):
        part.play(bar * score.bar, 0.34, _struck, _under(score, bar) - 12, score.brightness)
        for index, note in enumerate(chord):
            late = index * score.beat / 2 if broken else index * 0.012 * RATE
            part.play(bar * score.bar + late, 0.3, _struck, note - 12, score.brightness)
    _melody(score, part, chance, _struck, lift=12, loudness=0.5)


def _bells(score: Score, part: _Part, chance: np.random.Generator) -> None:
    _melody(score, part, chance, _bell, lift=24, loudness=0.4)


def _plucks(score: Score, part: _Part, chance: np.random.Generator) -> None:
    """An arpeggio in eighths; it rests in the first and the last bars."""
    order = ((0, 1, 2, 1), (0, 2, 1, 2), (2, 1, 0, 1), (0, 1, 2, 3))[int(chance.integers(4))]
    for bar, chord in enumerate(score.chords):
        if _rests(score, bar):
            continue
        for place in range(score.beats * 2):
            step = order[place % len(order)]
            note = chord[step % len(chord)] + 12 * (step // len(chord)) + (12 if score.brightness > 0.6 else 0)
            accent = 0.5 if place % score.beats == 0 else 0.34
            part.play(bar * score.bar + place * score.beat / 2, accent, _plucked, note, score.brightness)


def _rests(score: Score, bar: int) -> bool:
    """Whether the busy voices are silent: at the beginning and at the end."""
    return score.bars > 4 and (bar == score.bars - 1 or (bar == 0 and not score.begun))


def _guitar(score: Score, part: _Part, chance: np.random.Generator) -> None:
    """Chords struck downwards and up, in a pattern that stays."""
    places = [place for place in range(score.beats * 2) if place == 0 or chance.random() < 0.35 + 0.4 * score.density]
    for bar, chord in enumerate(score.chords):
        last = bar == score.bars - 1
        notes = sorted({note - 12 * (note > 64) for note in chord} | {_under(score, bar)})
        for place in places[:1] if last else places:
            strings = notes if place % 2 == 0 else notes[::-1]
            for index, note in enumerate(strings):
                late = index * 0.011 * RATE
                loudness = (0.42 if place == 0 else 0.3) * (1.0 if place % 2 == 0 else 0.75)
                part.play(bar * score.bar + place * score.beat / 2 + late, loudness, _string, note, score.brightness)


def _strings(score: Score, part: _Part, _: np.random.Generator) -> None:
    """The chord held high, and its root below."""
    for bar, chord in enumerate(score.chords):
        for note in (*chord, _under(score, bar)):
            part.play(bar * score.bar, 0.26, _bowed, note + 12 * (note < 60), round(score.bar), score.brightness)


def _bass(score: Score, part: _Part, _: np.random.Generator) -> None:
    busy = score.density > 0.5
    for bar in range(score.bars):
        root = lowest_note(score, bar)
        places = range(score.beats * 2) if busy else (0, score.beats)
        for place in places:
            length = score.beat / 2 if busy else score.bar / 2
            at = bar * score.bar + place * score.beat / 2
            part.play(at, 0.6 if place == 0 else 0.45, _low, root, round(length * 0.92))


def lowest_note(score: Score, bar: int) -> int:
    """The root of the bar's chord, E1 to E flat 2: with another note in the bass, another key is heard."""
    return 28 + (score.roots[bar] - 28) % 12


def _under(score: Score, bar: int) -> int:
    """The root of the bar's chord, next below the chord's notes."""
    low = min(score.chords[bar]) - 12
    return low + (score.roots[bar] - low) % 12


def _drums(score: Score, part: _Part, chance: np.random.Generator) -> None:
    kit = {"kick": _kick(), "snare": _snare(chance), "hat": _hat(chance)}
    softness = 0.6 if score.density < 0.5 else 1.0
    for bar in range(score.bars):
        if _rests(score, bar):
            continue
        for place in range(score.beats * 4):  # sixteenths
            at = bar * score.bar + place * score.beat / 4
            for name, loudness in _struck_at(place, score, bar):
                part.play(at, loudness * softness * float(chance.uniform(0.88, 1.0)), kit.__getitem__, name)


def _struck_at(place: int, score: Score, bar: int) -> list[tuple[str, float]]:
    beat, rest = divmod(place, 4)
    kicks = rest == 0 and (score.four_on_the_floor or beat == 0 or (beat == 2 and score.beats == 4))
    hits: list[tuple[str, float]] = [("kick", 0.9)] if kicks or (place == 7 and bar % 2 and score.density > 0.5) else []
    if rest == 0 and (beat in (1, 3) if score.beats == 4 else beat > 0):
        hits.append(("snare", 0.5 if score.beats == 4 else 0.22))
    if rest == 2 or (rest == 0 and score.density > 0.3) or (rest in (1, 3) and score.density > 0.66):
        hits.append(("hat", 0.26 if rest == 2 else 0.15))
    return hits


PLAYERS: dict[str, Callable[[Score, _Part, np.random.Generator], None]] = {
    "pad": _pads,
    "piano": _piano,
    "bells": _bells,
    "plucks": _plucks,
    "bass": _bass,
    "drums": _drums,
    "guitar": _guitar,
    "strings": _strings,
}


def _melody(
    score: Score,
    part: _Part,
    chance: np.random.Generator,
    sound: Callable[..., Floats],
    *,
    lift: int,
    loudness: float,
) -> None:
    """Two motifs of two bars in the order A A B A; strong places take a note of the chord, others step to the next.
    It ends on the key's own note."""
    motifs = [_motif(score, chance) for _ in range(2)]
    scale = tuple(score.root + step for step in SCALES[score.scale])
    for bar, chord in enumerate(score.chords):
        if score.bars > 6 and bar < 2 and not score.begun:
            continue  # the accompaniment begins alone
        second = score.forms[bar] == CHORUS if score.forms else bar // 2 % 4 == 2
        motif = motifs[1 if second else 0][bar % 2]
        last = bar == score.bars - 1
        for place, step in motif[:1] if last else motif:
            allowed = chord if place % score.beats == 0 else scale
            note = _nearest(chord[0] + step, (score.root,) if last else allowed)
            at = bar * score.bar + place * score.beat / 2
            part.play(at, loudness * (1.0 if place == 0 else 0.8), sound, note + lift, score.brightness)


def _motif(score: Score, chance: np.random.Generator) -> list[list[tuple[int, int]]]:
    """For each of two bars: (place in eighths, semitones above the chord's lowest note, roughly)."""
    height = int(chance.integers(0, 8))
    bars: list[list[tuple[int, int]]] = []
    for _ in range(2):
        found: list[tuple[int, int]] = []
        for place in range(score.beats * 2):
            likely = score.density * (1.5 if place % 2 == 0 else 0.6)
            if place == 0 or chance.random() < likely:
                found.append((place, height))
            height = min(14, max(-3, height + int(chance.integers(-3, 4))))
        bars.append(found)
    return bars


def _nearest(wanted: int, allowed: tuple[int, ...]) -> int:
    """The note that is nearest, of those that are allowed in any octave."""
    classes = {note % 12 for note in allowed}
    return min(
        (wanted + (away + 1) // 2 * (-1) ** away for away in range(12)), key=lambda note: note % 12 not in classes
    )


# ---- sounds: MIDI number and how → samples


def _time(seconds: float) -> Floats:
    return np.arange(round(seconds * RATE), dtype=np.float32) / np.float32(RATE)


def _pitch(note: int) -> float:
    return 440.0 * 2 ** ((note - 69) / 12)


def _sine(time: Floats, frequency: float, phase: float = 0.0) -> Floats:
    # The phase is kept within a turn in double precision: float32 alone would detune long notes.
    turns = np.arange(len(time), dtype=np.float64) * (frequency / RATE) + phase
    return np.sin(((turns % 1.0) * (2 * np.pi)).astype(np.float32))


def _pad(note: int, samples: int, brightness: float) -> Floats:
    """Stereo: two detuned voices, swelling in and dying away into the next bar."""
    release = 0.9
    time = _time(samples / RATE + release)
    attack = min(0.7, samples / RATE * 0.4)
    swell = np.minimum(time / np.float32(attack), 1) * np.minimum((time[-1] - time) / np.float32(release), 1)
    swell = np.sin(swell.clip(0, 1) * np.float32(np.pi / 2)) ** 2
    sides: list[Floats] = []
    for cents in (-5.0, 5.0):
        frequency = _pitch(note) * 2 ** (cents / 1200)
        side = np.zeros_like(time)
        for harmonic in range(1, 9):
            if harmonic * frequency < 9000:
                strength = harmonic ** -(2.4 - 1.2 * brightness)
                side += _sine(time, harmonic * frequency, phase=0.37 * harmonic + cents / 30) * np.float32(strength)
        sides.append(side * swell * np.float32(0.5))
    return np.stack(sides)


def _struck(note: int, brightness: float) -> Floats:
    """Like a piano's string: partials a little sharp, the high ones dying first, and the hammer's knock."""
    frequency = _pitch(note)
    length = min(4.5, max(1.0, 3.6 * (220 / frequency) ** 0.4))
    time = _time(length)
    sound = np.zeros_like(time)
    for harmonic in range(1, 13):
        partial = harmonic * frequency * math.sqrt(1 + 0.0004 * harmonic**2)
        if partial < 12_000:
            strength = abs(math.sin(math.pi * harmonic / 7.3)) * harmonic ** -(1.5 - 0.5 * brightness)
            decay = (0.9 + 0.42 * harmonic) * (frequency / 260) ** 0.45
            sound += _sine(time, partial) * np.exp(-decay * time) * np.float32(strength)
    knock = np.exp(-120 * time) * _sine(time, 97.0) * np.float32(0.18)
    return _edged((sound + knock) * np.float32(0.75), attack=0.003)


def _bell(note: int, brightness: float) -> Floats:
    frequency = _pitch(note)
    time = _time(2.6)
    sound = np.zeros_like(time)
    for ratio, strength, decay in ((1.0, 1.0, 1.6), (2.0, 0.32, 2.6), (2.76, 0.4, 3.4), (5.4, 0.22, 6.0)):
        if ratio * frequency < 14_000:
            level = strength * (0.5 + brightness) if ratio > 1 else strength
            sound += _sine(time, ratio * frequency) * np.exp(-decay * time) * np.float32(level)
    return _edged(sound * np.float32(0.5), attack=0.002)


def _plucked(note: int, brightness: float) -> Floats:
    frequency = _pitch(note)
    time = _time(1.1)
    sound = np.zeros_like(time)
    for harmonic in range(1, 11):
        if harmonic * frequency < 11_000:
            strength = math.sin(math.pi * harmonic * 0.22) / harmonic ** (1.6 - 0.6 * brightness)
            sound += _sine(time, harmonic * frequency) * np.exp(-(3.2 + 1.5 * harmonic) * time) * np.float32(strength)
    return _edged(sound * np.float32(0.9), attack=0.002)


def _string(note: int, brightness: float) -> Floats:
    """A plucked string (Karplus and Strong, 1983): noise that goes round and is averaged at each turn."""
    period = round(RATE / _pitch(note))
    length = round(RATE * min(2.6, max(1.0, 2.2 * (160 / _pitch(note)) ** 0.3)))
    turns = length // period + 1
    noise = np.random.default_rng(note).uniform(-1, 1, period).astype(np.float32)
    for _ in range(3 if brightness < 0.5 else 1):
        noise = (noise + np.roll(noise, 1)) / 2
    sound = np.empty((turns, period), np.float32)
    for turn in range(turns):
        sound[turn] = noise
        noise = (noise * np.float32(0.5) + np.roll(noise, 1) * np.float32(0.5)) * np.float32(0.996)
    flat = sound.reshape(-1)[:length]
    return _edged(flat * np.float32(1.1 / max(1e-6, float(np.abs(flat).max()))), attack=0.0015)


def _bowed(note: int, samples: int, brightness: float) -> Floats:
    """Stereo: three players who are not quite in tune and tremble a little, as a section does."""
    time = _time(samples / RATE + 0.5)
    attack, release = min(0.45, samples / RATE * 0.3), 0.5
    swell = np.minimum(time / np.float32(attack), 1) * np.minimum((time[-1] - time) / np.float32(release), 1)
    swell = np.sin(swell.clip(0, 1) * np.float32(np.pi / 2)) ** 2
    sides = [np.zeros_like(time), np.zeros_like(time)]
    for player, cents in enumerate((-6.0, 1.0, 7.0)):
        frequency = _pitch(note) * 2 ** (cents / 1200)
        wobble = np.sin(time * np.float32(2 * np.pi * (4.6 + 0.35 * player)) + player) * np.float32(0.035)
        voice = np.zeros_like(time)
        for harmonic in range(1, 11):
            if harmonic * frequency < 9500:
                turns = np.arange(len(time), dtype=np.float64) * (harmonic * frequency / RATE) + 0.21 * player
                phase = ((turns % 1.0) * (2 * np.pi)).astype(np.float32) + wobble * np.float32(harmonic)
                voice += np.sin(phase) * np.float32(harmonic ** -(1.65 - 0.5 * brightness))
        sides[0] += voice * np.float32((0.5, 0.34, 0.16)[player])
        sides[1] += voice * np.float32((0.16, 0.34, 0.5)[player])
    return np.stack(sides) * swell * np.float32(0.55)


def _low(note: int, samples: int) -> Floats:
    time = _time(samples / RATE)
    frequency = _pitch(note)
    sound = _sine(time, frequency) + 0.45 * _sine(time, 2 * frequency) + 0.18 * _sine(time, 3 * frequency)
    return _edged(np.asarray(sound * np.exp(-1.1 * time) * 0.7, np.float32), attack=0.008)


def _kick() -> Floats:
    time = _time(0.34)
    turns = 46 * time + 80 / 28 * (1 - np.exp(-28 * time))  # the integral of a pitch that falls from 126 to 46 Hz
    return _edged(np.asarray(np.sin(2 * np.pi * turns) * np.exp(-9 * time), np.float32), attack=0.001)


def _snare(chance: np.random.Generator) -> Floats:
    time = _time(0.22)
    noise = np.diff(chance.standard_normal(len(time) + 1, np.float32)) * np.float32(0.42)
    body = _sine(time, 186.0) * np.exp(-26 * time) * np.float32(0.6)
    return _edged(np.asarray(noise * np.exp(-21 * time) + body, np.float32), attack=0.001)


def _hat(chance: np.random.Generator) -> Floats:
    time = _time(0.09)
    noise = np.diff(chance.standard_normal(len(time) + 2, np.float32), n=2) * np.float32(0.3)
    return _edged(np.asarray(noise * np.exp(-60 * time), np.float32), attack=0.0005)


def _edged(sound: Floats, *, attack: float) -> Floats:
    """Without clicks at its ends."""
    rise, fall = min(len(sound) // 2, round(attack * RATE)), min(len(sound) // 2, round(0.03 * RATE))
    sound[:rise] *= np.linspace(0, 1, rise, dtype=np.float32)
    sound[len(sound) - fall :] *= np.linspace(1, 0, fall, dtype=np.float32)
    return sound


# ---- the room and the end


def _reverberated(dry: Floats, share: float, chance: np.random.Generator) -> Floats:
    """With the echo of a room: decaying noise that loses its high notes first."""
    seconds = 1.2 + 2.2 * share
    time = _time(seconds)
    delay = round(0.018 * RATE)
    wet = np.zeros_like(dry)
    for channel in range(2):
        noise = chance.standard_normal(len(time), np.float32)
        dull = np.convolve(noise, np.full(24, 1 / 24, np.float32), mode="same") * np.float32(3.5)
        brightness = np.exp(-5.5 * time / np.float32(seconds))
        room = (noise * brightness + dull * (1 - brightness)) * np.exp(-6.9 * time / np.float32(seconds))
        room = np.concatenate([np.zeros(delay, np.float32), room])
        wet[channel] = _convolved(dry[channel], room / np.float32(np.sqrt((room**2).sum())))
    return dry * np.float32(1 - 0.4 * share) + wet * np.float32(0.75 * share)


def _convolved(sound: Floats, room: Floats) -> Floats:
    """By overlapping blocks, so that memory does not grow with the piece."""
    size = 1 << (BLOCK + len(room) - 1).bit_length()
    step = size - len(room) + 1
    spectrum = np.fft.rfft(room, size)
    result = np.zeros(len(sound) + size, np.float32)
    for at in range(0, len(sound), step):
        result[at : at + size] += np.fft.irfft(np.fft.rfft(sound[at : at + step], size) * spectrum, size)
    return result[: len(sound)]


def _ended(mix: Floats) -> Floats:
    rise, fall = min(mix.shape[1], 200), min(mix.shape[1] // 3, round(FADE_OUT_SECONDS * RATE))
    mix[:, :rise] *= np.linspace(0, 1, rise, dtype=np.float32)
    mix[:, mix.shape[1] - fall :] *= np.cos(np.linspace(0, np.pi / 2, fall)).astype(np.float32)
    return mix
