"""Words from words, by rule: lyrics from a small grammar, and what is left of a prompt that the painter understands.

No language model: the lyrics are frames of lines in which the prompt's words stand, and rhymes from a table.
"""

import re
from dataclasses import dataclass

import numpy as np

from mutoscope.studio.error import StudioError
from mutoscope.studio.scene.lexicon import COLOURS, FILLER, MEANINGS, MOODS, NEGATIONS
from mutoscope.studio.scene.painting import read
from mutoscope.studio.theatre import words as nouns
from mutoscope.studio.tune import PHRASES

MAX_CHARACTERS = 6000  # of a prompt
LABEL = "written by rule from the prompt's words; no language model"

RHYMES = (
    "the night, the light, plain sight, a candle bright, the end of the fight",
    "the break of day, a long way, the month of May, the bay, an old cliché",
    "the sky, a last goodbye, the by and by, a single sigh, the reason why",
    "the rain, the passing train, a country lane, the windowpane, the open plain",
    "the sea, a melody, a willow tree, a memory, the lost and the free",
    "the air, a silent stair, a kind of prayer, the square, an empty chair",
    "the ground, the sound, the lost and found, the merry-go-round, a battleground",
    "the town, a paper crown, an evening gown, a broken noun, the sun going down",
    "time, the evening chime, the hill we climb, a half-rhyme, a silver dime",
    "the snow, the undertow, the afterglow, a long hello, the lights below",
    "the blue, the morning dew, a different view, the avenue, me and you",
    "the heart, another start, the smallest part, a work of art, an open chart",
    "the sand, a foreign land, an open hand, the marching band, a life unplanned",
    "home, a garden gnome, the crest of foam, the road to Rome, a broken comb",
)
"""Ends of lines, five that rhyme together."""

VERSE_LINES = (
    "I saw {thing} beyond {end}",
    "{Thing} and {other}, and then {end}",
    "Every step from {thing} led us to {end}",
    "We talked about {thing} and about {end}",
    "There was {thing}, and there was {end}",
    "Nothing but {thing} and {end}",
    "You carried {thing} back to {end}",
    "Somewhere past {other} I thought of {end}",
    "It left us {thing}, it left us {end}",
    "Half of it {other}, and half of it {end}",
)
CHORUS_LINES = (
    "Oh, {thing}, take me to {end}",
    "Give me {thing}, give me {end}",
    "{Thing}, {thing}, all the way to {end}",
    "Hold on to {thing}, hold on to {end}",
    "Sing it for {thing}, sing it for {end}",
    "Where there is {other}, there will be {end}",
)
BRIDGE_LINES = (
    "And when {other} is nothing but {end}",
    "What is {thing} without {other} and {end}",
    "Let {other} go, let it turn to {end}",
    "I would trade {other} for more of {end}",
)
MEANINGLESS = (
    "song songs about lyrics lyric write make create a an the and or of for with in on at to by from that this is are "
    "be as it its some very more most please me my i you your we our us they he she his her their was were will would "
    "can could should have has had do does did not no but if then than so just like into over under while through up "
    "down out off verse chorus bridge one two three four style track music upbeat slow fast catchy instrumental who "
    "when where what how there here all any each every being feel feels feeling felt tune kind sort last"
)
NOT_TOLD = frozenset(MEANINGLESS.split())


@dataclass(frozen=True)
class Lyrics:
    title: str
    text: str


def write_lyrics(prompt: str, *, seed: int = 0) -> Lyrics:
    """A song's text with [Verse], [Chorus] and [Bridge] marks, in English. The same arguments give the same text.

    Raises StudioError with "prompt" where it has no word to sing of.
    """
    _check(prompt)
    things = _things(prompt)
    if not things:
        raise StudioError("the prompt has no word that a song could be about", field="prompt")
    chance = np.random.default_rng(seed)
    order = [things[at] for at in chance.permutation(len(things))]
    rhymes = [RHYMES[at].split(", ") for at in chance.permutation(len(RHYMES))]
    chorus = _lines(CHORUS_LINES, things[:2], rhymes[0], chance)
    text: list[str] = []
    for number, mark in enumerate(("Verse 1", "Chorus", "Verse 2", "Chorus", "Bridge", "Chorus")):
        frames = BRIDGE_LINES if mark == "Bridge" else VERSE_LINES
        lines = (
            chorus if mark == "Chorus" else _lines(frames, order[number:] + order[:number], rhymes[number + 1], chance)
        )
        text += [f"[{mark}]", *lines, ""]
    return Lyrics(_title(things), "\n".join(text).strip())


def _lines(frames: tuple[str, ...], things: list[str], rhymes: list[str], chance: np.random.Generator) -> list[str]:
    """Four lines, the second and the fourth of which rhyme, and the first and the third."""
    chosen = [frames[at] for at in chance.permutation(len(frames))[:4]]
    ends = [rhymes[at] for at in chance.permutation(len(rhymes))[:4]]
    lines: list[str] = []
    for number, (frame, end) in enumerate(zip(chosen, ends, strict=True)):
        thing, other = things[number % len(things)], things[(number + 1) % len(things)]
        lines.append(frame.format(thing=thing, Thing=thing[:1].upper() + thing[1:], other=other, end=end))
    return lines


def _things(prompt: str) -> list[str]:
    """The words, or up to three that stand together, that a line may name; words of music are none."""
    found: list[str] = []
    for clause in re.split(r"[.,;:!?()\[\]\n]+", prompt.lower()):
        run: list[str] = []
        for word in [*re.findall(r"[^\W\d_][\w'-]*", clause), ""]:
            if word and word not in NOT_TOLD and word not in PHRASES:
                run.append(word)
                continue
            while run:
                found.append(" ".join(run[-3:]))
                run = run[:-3]
    return list(dict.fromkeys(found))[:12]


def _title(things: list[str]) -> str:
    return " and ".join(things[:2]).title()


def shorten(prompt: str, count: int = 1) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The prompt in the words that the painter knows, at `count` lengths, the longest first; and the words that it does
    not know.

    Raises StudioError with "prompt" where it knows none.
    """
    _check(prompt)
    cast, wish = read(prompt)
    kept = [*cast.used, *(phrase for phrase in wish.used if phrase.split()[-1] not in FILLER)]
    if not kept:
        raise StudioError("the painter knows no word of the prompt, so that nothing would be left", field="prompt")
    ranked = sorted(kept, key=_weight, reverse=True)
    texts: list[str] = []
    for index in range(count):
        most = max(1, round(len(ranked) * (1 - index / max(count, 1))))
        best = set(ranked[:most])
        texts.append(", ".join(phrase for phrase in kept if phrase in best))
    return tuple(dict.fromkeys(texts)), wish.ignored


def _weight(phrase: str) -> float:
    """How much of a picture hangs on it: a figure most, then a place, the hour, and what stands in it."""
    if phrase in nouns.nouns():
        return 6.0
    if phrase.split()[0] in NEGATIONS:
        return 0.5
    order = {"place": 5.0, "time": 4.0, "feature": 3.0, "style": 2.5, "clouds": 2.0}
    known = [order.get(facet, 1.0) for facet, _ in MEANINGS.get(phrase, ())]
    return max(known, default=1.5 if phrase in COLOURS or phrase in MOODS else 1.0)


def _check(prompt: str) -> None:
    if not prompt.strip():
        raise StudioError("there are no words", field="prompt")
    if len(prompt) > MAX_CHARACTERS:
        raise StudioError(f"the prompt has {len(prompt)} characters; at most {MAX_CHARACTERS} are read", field="prompt")
