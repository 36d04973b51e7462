"""The scene painter: what it reads in a prompt, and what its pictures keep to."""

import functools
import hashlib
import os
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from mutoscope.studio.scene import LARGEST, SMALLEST, Painting, ground, paint
from mutoscope.studio.scene.lexicon import BLOOMS, COLOURS, FILLER, MEANINGS, MOODS, SUITS, VOCABULARY, read

# pictures are read only, so tests that look at the same one share it
painted = functools.cache(paint)

PROMPTS = (
    "A serene mountain landscape at sunset with golden light",
    "rolling hills with red poppies, watercolour",
    "snowy hills at noon, oil painting",
    "desert dunes at night with stars",
    "misty pine forest at dawn",
    "stormy sea with waves",
    "beach with an island at twilight",
    "coast with mountains, vivid",
    "neon city skyline",
    "city and mountains at sunset, film",
    "purple nebula and a planet in deep space",
    "aurora over snowy mountains",
    "a river through an autumn valley",
    "a fjord, overcast, rain, sepia",
    "a road across the prairie under a big sky",
    "a path through a birch forest in spring",
    "lavender field, pixel art",
    "saturn, pencil sketch",
    "cherry blossom by a lake with reeds and a pier",
    "rocky desert, aerial view",
    "tropical beach, old photograph",
    "blizzard in the forest",
    "minimal pastel mountains under a full moon",
    "abstract swirls in teal and gold",
    "",
    "猫が踊る 🐈",
)


@pytest.mark.parametrize("prompt", PROMPTS)
def test_every_kind_of_scene_has_the_size_and_types_that_were_asked_for(prompt: str) -> None:
    painting = painted(prompt, 144, 80, 3)
    assert painting.rgb.shape == (80, 144, 3)
    assert painting.rgb.dtype == np.uint8
    assert painting.depth.shape == (80, 144)
    assert painting.depth.dtype == np.float32
    assert float(painting.depth.min()) >= 0.0
    assert float(painting.depth.max()) <= 1.0
    assert float(painting.rgb.std()) > 4.0, "a picture of one colour shows nothing"


@pytest.mark.parametrize(
    ("prompt", "width", "height"),
    [
        ("hills by a lake with reeds", 1023, 64),
        ("city at night", 65, 1000),
        ("rocks on a stormy sea", 801, 64),
        ("birch forest", 64, 1000),
        ("saturn", 64, 64),
        ("palms in the desert, a road", 65, 1000),
        ("mountain river", 67, 501),
        ("a pier by the sea", 1023, 65),
    ],
)
def test_odd_and_extreme_shapes_are_painted_exactly(prompt: str, width: int, height: int) -> None:
    painting = paint(prompt, width, height, 1)
    assert painting.rgb.shape == (height, width, 3)
    assert painting.depth.shape == (height, width)


@pytest.mark.parametrize(("width", "height"), [(SMALLEST - 1, 100), (100, LARGEST + 1), (0, 0)])
def test_a_side_out_of_bounds_is_refused(width: int, height: int) -> None:
    with pytest.raises(ValueError, match="64 to 8192"):
        paint("hills", width, height, 1)


def test_a_very_large_picture_is_enlarged_to_the_exact_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mutoscope.studio.scene.painting._PAINTED_PIXELS", 20_000)
    painting = paint("sea at sunset", 301, 203, 1)
    assert painting.rgb.shape == (203, 301, 3)
    assert painting.depth.shape == (203, 301)


def test_two_processes_paint_the_same_bytes() -> None:
    script = (
        "import hashlib\n"
        "from mutoscope.studio.scene import paint\n"
        "digest = hashlib.sha256()\n"
        f"for prompt in {_REPEATED!r}:\n"
        "    painting = paint(prompt, 160, 90, 5)\n"
        "    digest.update(painting.rgb.tobytes() + painting.depth.tobytes())\n"
        "print(digest.hexdigest())\n"
    )
    here = hashlib.sha256()
    for prompt in _REPEATED:
        painting = painted(prompt, 160, 90, 5)
        here.update(painting.rgb.tobytes() + painting.depth.tobytes())
    assert _run(script, "1") == here.hexdigest()


_REPEATED = ("birch forest", "city at night, rain", "meadow with a river, poppies", "two red cats on a sofa", "justice")


def _run(script: str, hash_seed: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


@pytest.mark.parametrize("prompt", ["hills", "sea", "city", "space", "a violin", "forest"])
def test_another_seed_is_another_picture(prompt: str) -> None:
    first, second = (paint(prompt, 128, 72, seed).rgb.astype(np.int16) for seed in (1, 2))
    assert float(np.abs(first - second).mean()) > 3.0


def test_another_prompt_with_the_same_seed_is_another_land() -> None:
    first, second = (paint(prompt, 128, 72, 1).depth for prompt in ("mountains at noon", "peaks at noon"))
    assert float(np.abs(first - second).mean()) > 0.01


@pytest.mark.parametrize(
    "prompt",
    [
        "A serene mountain landscape at sunset with golden light",
        "a river through an autumn valley",
        "rolling hills with red poppies, watercolour",
        "desert dunes at night with stars",
        "misty pine forest at dawn",
        "stormy sea with waves",
        "coast with mountains, vivid",
        "neon city skyline",
        "minimal pastel mountains under a full moon",
    ],
)
def test_the_sky_is_far_and_the_foreground_is_near(prompt: str) -> None:
    assert prompt in PROMPTS, "its picture is shared"
    depth = painted(prompt, 144, 80, 3).depth
    sky, middle, foreground = depth[:4].mean(), depth[42:50].mean(), depth[-4:].mean()
    assert float(sky) < 0.15
    assert float(sky) < float(middle) < float(foreground)
    assert float(foreground) > 0.6


def test_a_dark_hour_is_darker_than_noon() -> None:
    light = {hour: float(paint(f"hills at {hour}", 128, 72, 4).rgb.mean()) for hour in ("noon", "night")}
    assert light["night"] < light["noon"] * 0.6


def test_a_colour_before_a_part_paints_that_part() -> None:
    plain, purple = (paint(prompt, 128, 72, 4).rgb for prompt in ("dunes at noon", "purple dunes at noon"))
    below = np.s_[54:, :]
    assert float(purple[below][..., 2].mean()) > float(plain[below][..., 2].mean()) + 10.0


def test_a_mood_colours_an_abstract_picture() -> None:
    fire, peace = (painted(prompt, 96, 64, 2).rgb.astype(np.float32) for prompt in ("fire", "silence"))
    warmth = [float((picture[..., 0] - picture[..., 2]).mean()) for picture in (fire, peace)]
    assert warmth[0] > warmth[1] + 30.0


def test_seeds_vary_the_form_of_an_abstract_picture() -> None:
    depths = [painted("justice", 64, 64, seed).depth for seed in range(8)]
    assert len({int(np.unique(depth).size > 600) for depth in depths}) == 2, "some have flat sheets, some folds"


def test_autumn_turns_the_leaves() -> None:
    summer, autumn = (painted(f"{season} forest", 128, 72, 4).rgb.astype(np.float32) for season in ("summer", "autumn"))
    red = [float((picture[..., 0] - picture[..., 1]).mean()) for picture in (summer, autumn)]
    assert red[1] > red[0] + 20.0


def test_a_low_horizon_shows_more_sky() -> None:
    plain, low = (float((painted(prompt, 128, 72, 4).depth == 0).mean()) for prompt in ("sea", "sea, low horizon"))
    assert low > plain + 0.08


def test_pixel_art_is_made_of_squares() -> None:
    picture = painted("hills, pixel art", 128, 72, 4).rgb
    assert np.array_equal(picture[::2, ::2], picture[1::2, 1::2])


def test_black_and_white_has_no_colour() -> None:
    picture = paint("mountain lake, black and white", 128, 72, 4).rgb.astype(np.int16)
    assert int(np.ptp(picture, axis=2).max()) <= 1


def test_what_cannot_be_painted_is_named() -> None:
    painting = paint("a griffonage gleaming by a lake at sunset", 96, 64, 1)
    assert painting.used == ("lake", "sunset")
    assert painting.ignored == ("griffonage", "gleaming")


@pytest.mark.parametrize(
    ("prompt", "ignored"),
    [
        ("a ringed city", ("ringed",)),
        ("a pier in the desert", ("pier",)),
        ("sea of love", ("love",)),
        ("a galaxy in the rain", ("rain",)),
        ("aerial view of a forest", ("aerial view",)),
        ("abstract snow", ("snow",)),
    ],
)
def test_a_word_that_its_place_cannot_show_is_ignored_aloud(prompt: str, ignored: tuple[str, ...]) -> None:
    painting = paint(prompt, 64, 64, 1)
    assert painting.ignored == ignored
    assert not set(painting.used) & set(ignored)


# what is there unasked in the place that is painted fastest → where it makes a difference
_ELSEWHERE = {"trees": "hills", "leafy": "forest at night", "lake": "hills", "river": "hills"}
_FASTEST = ("sea", "space", "city", "forest", "desert", "hills", "mountains")
_ONLY_WORD = {"leafy": "oaks", "tall grass": "tall grass"}  # words that ask for this feature and for nothing else


@pytest.mark.parametrize("feature", sorted(set(SUITS) - {"summer"}))  # summer is what is painted unasked
def test_what_counts_as_used_changes_the_picture(feature: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place = _ELSEWHERE.get(feature) or next(place for place in _FASTEST if place in SUITS[feature])
    word = _ONLY_WORD.get(feature) or VOCABULARY["feature"][feature].split(",")[0]
    # the same seed for both prompts, or every picture would differ
    monkeypatch.setattr("mutoscope.studio.scene.painting._mixed", _seed_alone)
    before, after = (_unmixed(prompt, 3) for prompt in (place, f"{place}, {word}"))
    assert read(f"{place}, {word}").place == place.split()[0]
    assert float(np.abs(before.rgb.astype(np.int16) - after.rgb.astype(np.int16)).mean()) > 0.2, word


def _seed_alone(prompt: str, seed: int) -> int:
    del prompt
    return seed


@functools.cache
def _unmixed(prompt: str, seed: int) -> Painting:
    """A picture of the test above, with nothing of the prompt in its chance."""
    return paint(prompt, 96, 64, seed)


@pytest.mark.parametrize(
    ("prompt", "used", "ignored"),
    [
        ("Two people on a beach", ("beach",), ("people",)),
        (
            "A serene mountain landscape at sunset with golden light",
            ("serene", "mountain", "sunset", "golden light"),
            (),
        ),
        ("snow-capped peaks, snow-capped peaks", ("snow-capped", "peaks"), ()),
        ("mountains, no people", ("mountains", "no people"), ()),
        ("mountains, no dragons", ("mountains",), ("dragons",)),
        ("the quick brown fox", ("brown",), ("quick", "fox")),
        ("a river in a green valley", ("river", "green", "valley"), ()),
        ("jazz for a giraffe", ("jazz",), ("giraffe",)),
        ("watercolour hills, pixel art, vivid", ("watercolour", "hills", "vivid"), ("pixel art",)),
        ("a city by the sea", ("city", "sea"), ()),
        ("NEW YORK at NIGHT!", ("new york", "at night"), ()),
        ("", (), ()),
    ],
)
def test_words_are_either_used_or_ignored(prompt: str, used: tuple[str, ...], ignored: tuple[str, ...]) -> None:
    wish = read(prompt)
    assert (wish.used, wish.ignored) == (used, ignored)


@pytest.mark.parametrize(
    ("prompt", "place"),
    [
        ("a forest under high mountains", "mountains"),
        ("a city by the sea", "city"),
        ("mountains by the sea", "sea"),
        ("a tree in a meadow", "hills"),
        ("pine trees", "forest"),
        ("a quiet lake", "mountains"),
        ("a forest by a lake", "mountains"),
        ("winding river", "mountains"),
        ("birch trees in autumn", "forest"),
        ("a country road", "hills"),
        ("cherry blossoms in spring", "hills"),
        ("saturn and its rings", "space"),
        ("stars over the dunes", "desert"),
        ("a violin", None),
        ("no mountains, just hills", "hills"),
    ],
)
def test_the_place_is_the_one_that_holds_the_others(prompt: str, place: str | None) -> None:
    assert read(prompt).place == place


@pytest.mark.parametrize(
    ("prompt", "time"),
    [
        ("sunny meadow at sunset", "sunset"),
        ("morning light", "dawn"),
        ("blue hour over the bay", "twilight"),
        ("starry sky over hills", "night"),
        ("hills", None),
    ],
)
def test_the_hour_is_read(prompt: str, time: str | None) -> None:
    assert read(prompt).time == time


@pytest.mark.parametrize(
    "prompt", ["hills, no clouds", "hills without clouds", "hills without any clouds", "cloud-free hills"]
)
def test_no_clouds_is_a_clear_sky(prompt: str) -> None:
    wish = read(prompt)
    assert wish.clouds == "clear"
    assert not wish.ignored


def test_without_snow_keeps_the_peaks_bare() -> None:
    wish = read("mountains without snow at noon")
    assert "snow" in wish.excluded
    assert not wish.has("snow")
    assert wish.place == "mountains"
    assert wish.time == "day"


def test_negation_reaches_as_far_as_it_is_carried() -> None:
    both = read("mountains without snow and trees, sunset")
    assert {"snow", "trees"} <= both.excluded
    assert both.time == "sunset"
    either = read("hills with no trees or fog")
    assert {"trees", "fog"} <= either.excluded
    one = read("no clouds and golden light")
    assert (one.clouds, one.time) == ("clear", "sunset")


def test_colours_belong_to_the_noun_that_follows() -> None:
    wish = read("pink and orange sky over a turquoise lake, violet")
    assert [part for part, _ in wish.tints] == ["sky", "sky", "water", "light"]
    assert wish.tint("water") == COLOURS["turquoise"]
    assert wish.tint("ground") is None


def test_the_tables_hold_no_phrase_that_the_reader_cannot_reach() -> None:
    for phrase in MEANINGS:
        if phrase not in ("black & white", "b&w"):
            assert phrase in read(phrase).used, phrase
    assert not set(MEANINGS) & FILLER
    assert not (set(MOODS) & (set(MEANINGS) | set(COLOURS) | FILLER))
    assert set(BLOOMS) <= set(MEANINGS)
    assert set(SUITS) == set(VOCABULARY["feature"])
    assert not set(COLOURS) & (set(MEANINGS) | FILLER)
    assert all(values for values in VOCABULARY.values())


def test_a_field_that_begins_a_hair_below_zero_has_a_crop(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest of it by 32 is 32 in floats, which is past the last field."""

    def level(height: int, width: int, *_: object) -> Any:
        return np.full((height, width), np.nextafter(np.float32(0.5), np.float32(0)), np.float32)

    monkeypatch.setattr(ground, "fbm", level)
    stage: Any = SimpleNamespace(seed=1, chance=np.random.default_rng)
    crops, _ = ground._parcels(stage)
    assert crops.shape == (ground.SIZE, ground.SIZE, 3) and np.isfinite(crops).all()
