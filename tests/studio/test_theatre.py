"""The paper theatre: its figures, what it reads in a prompt, what it lays into pictures and clips."""

from pathlib import Path

import av
import numpy as np
import prompt_shares
import pytest
from PIL import Image

from mutoscope import studio
from mutoscope.studio.scene import paint, painting
from mutoscope.studio.scene.lexicon import COLOURS
from mutoscope.studio.theatre import (
    beasts,
    casting,
    figures,
    icons,
    lettering,
    people,
    plates,
    puppet,
    sets,
    staging,
    words,
)
from mutoscope.studio.theatre.casting import Cast, Role
from mutoscope.studio.theatre.shapes import bounds

SIZE = 160, 96


@pytest.fixture
def seed_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the prompt in the chance, so that only what is asked for differs."""
    monkeypatch.setattr(painting, "_mixed", prompt_shares._seed_alone)


def apart(one: str, other: str, seed: int = 3) -> float:
    first, second = (paint(prompt, *SIZE, seed, card="never").rgb.astype(np.int16) for prompt in (one, other))
    return float(np.abs(first - second).mean())


def test_every_noun_has_a_figure_that_can_be_drawn() -> None:
    assert len(figures.THINGS) + len(figures.BEASTS) >= 60
    drawn: set[str] = set()
    for word, noun in words.nouns().items():
        key = f"{noun.figure} {noun.measures}"
        if key in drawn:
            continue
        drawn.add(key)
        assert noun.kind == "person" or noun.figure in (figures.THINGS if noun.kind == "thing" else figures.BEASTS), (
            word
        )
        figure, inks = staging.dressed(Role(noun, word), Cast(), np.random.default_rng(1))
        sprite = puppet.draw(figure, inks, 0.2)
        assert int(sprite.rgba[..., 3].max()) == 255, word
        assert bounds(figure)[3] > 30, word
    for pose in people.POSES:
        assert puppet.draw(
            people.person(people.Look(), pose),
            staging.dressed(Role(words.nouns()["man"], "man"), Cast(), np.random.default_rng(1))[1],
            0.3,
        )


def test_every_set_can_be_painted() -> None:
    for name in sets.SETS:
        assert set(words.SETS.values()) <= set(sets.SETS) | {"park"}
        made = sets.ground(
            name, colour=None, width=64, height=64, chance=np.random.default_rng(1), tint=(1, 1, 1), dark=False
        )
        assert made.shape == (64, 64, 3)


@pytest.mark.parametrize(
    ("prompt", "roles"),
    [
        ("two cats on a red sofa", [("cats", 2, ""), ("sofa", 1, "on")]),
        ("an astronaut riding a horse on the moon", [("astronaut", 1, ""), ("horse", 1, "on")]),
        ("a flock of birds", [("birds", 7, "")]),
        ("a dog under a table", [("dog", 1, ""), ("table", 1, "under")]),
        ("a girl with an umbrella", [("girl", 1, ""), ("umbrella", 1, "holding")]),
        ("a car in front of a house", [("car", 1, ""), ("house", 1, "before")]),
        ("mice and men", [("mice", 3, ""), ("men", 3, "beside")]),
        ("no dogs, a cat", [("cat", 1, "")]),
        ("an orange cat and an orange", [("cat", 1, "")]),
        ("a rose", [("rose", 1, "")]),
        ("rose light over hills", []),
        ("un gato en el sofá", [("gato", 1, ""), ("sofá", 1, "on")]),
        ("un perro en una casa", [("perro", 1, ""), ("casa", 1, "in")]),
        ("a cat wearing a crown sitting on a throne", [("cat", 1, ""), ("crown", 1, "wearing"), ("throne", 1, "on")]),
        ("white sneakers", [("sneakers", 2, "")]),
        ("a butterfly on a flower", [("butterfly", 1, ""), ("flower", 1, "on")]),
        ("a flower field", []),
        ("ein Hund, un gato, 猫", [("hund", 1, ""), ("gato", 1, ""), ("猫", 1, "")]),
    ],
)  # fmt: skip
def test_the_cast_is_read(prompt: str, roles: list[tuple[str, int, str]]) -> None:
    assert [(role.word, role.count, role.relation) for role in casting.read(prompt).roles][: len(roles)] == roles


def test_words_before_and_behind_a_noun_are_its_own() -> None:
    crowned = casting.read("a cat wearing a crown sitting on a throne").roles
    assert (crowned[0].deed, crowned[1].deed, crowned[2].to) == ("sit", "", 0)
    (cat,) = casting.read("a tiny red cat, sleeping").roles
    assert (cat.colours, cat.size, cat.deed) == ((COLOURS["red"],), 0.5, "sleep")
    woman = casting.read("an old woman in a blue dress with long red hair").roles[0]
    assert casting.measures_of(woman)["age"] == "old"
    assert casting.measures_of(woman)["dress"] == "dress"
    assert dict(woman.look)["hairink"] == words.HAIR_INKS["red"]
    corgi = casting.read("a corgi").roles[0]
    assert float(dict(corgi.noun.measures)["leg"]) < figures.BEASTS["dog"][4]["leg"] / 2


def test_what_is_shown_is_told_as_a_symbol() -> None:
    made = paint("a cat dancing by the sea at sunset", 96, 64, 1)
    assert made.used == ("cat", "dancing", "sea", "sunset")
    assert made.ignored == ()
    assert made.shown == ("cat: cut-paper figure", "dancing: pose")


@pytest.mark.usefixtures("seed_alone")
def test_numbers_colours_sizes_postures_and_relations_change_the_picture() -> None:
    for one, other in (
        ("a cat", "three cats"),
        ("a cat", "a blue cat"),
        ("a horse", "a tiny horse"),
        ("a cat on a sofa", "a cat beside a sofa"),
        ("a man", "a man dancing"),
        ("a cat", "a cat dancing"),
        ("a cat", "a cat sleeping"),
        ("a cat", "a cat sitting"),
        ("a wizard in a library", "a wizard in a room"),
        ("a chef in a kitchen", "a chef in a room"),
        ("a smiling woman, portrait", "a sad woman, portrait"),
        ("a dog", "a corgi"),
        ("a cup", "a cup on the moon"),
        ("a cake", "a cute cake"),
    ):
        assert apart(one, other) > prompt_shares.DISTANCE, (one, other)


def test_the_figure_stands_nearer_than_what_is_behind_it() -> None:
    made = paint("an elephant by the sea", *SIZE, 2)
    bare = paint("an elephant by the sea", *SIZE, 2, acting=True)
    (actor,) = bare.actors
    where = np.abs(made.rgb.astype(np.int16) - bare.rgb.astype(np.int16)).max(2) > 60
    assert where.mean() > 0.03
    assert float(np.median(made.depth[where])) == pytest.approx(actor.depth)


def test_a_shape_of_the_extra_is_only_shown_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert icons.installed(), "the extra `icons` is in the development lock"
    shown = paint("a kangaroo", 96, 64, 1)
    assert shown.shown == ("kangaroo: shape of an icon, cut from paper",)
    monkeypatch.setattr(icons, "has", lambda name: False)
    assert paint("a kangaroo", 96, 64, 1).ignored == ("kangaroo",)


def test_lettering_is_set_in_scripts_that_a_font_here_has() -> None:
    made = paint('a poster that says "猫の王国"', 192, 120, 1)
    assert '"猫の王国"' in made.used
    assert paint('a sign that says "שלום עולם"', 192, 120, 1).used[-1] == '"שלום עולם"'
    lost = paint('a poster that says "𓀀𓁐"', 96, 64, 1)
    assert any("no face here" in word for word in lost.ignored)


def test_hebrew_runs_from_the_right() -> None:
    both = lettering.mask_of("אל", "sans", 60)
    first = lettering.mask_of("א", "sans", 60)
    right = both[:, -first.shape[1] :]
    rows = min(right.shape[0], first.shape[0])
    matches = [
        np.abs(part[-rows:].astype(int) - first[-rows:].astype(int)).mean()
        for part in (right, both[:, : first.shape[1]])
    ]
    assert matches[0] < matches[1]


def test_lettering_is_fitted_and_kerned() -> None:
    mask = lettering.fitted("The Last Lighthouse Keeper", "serif", 300, 120)
    assert mask.shape[1] <= 330
    assert mask.shape[0] <= 150
    wide, tight = (lettering.mask_of("AVA", "sans", 60, tracking=gap).shape[1] for gap in (0.3, 0.01))
    assert wide > tight
    assert tight < sum(lettering.mask_of(each, "sans", 60).shape[1] for each in "AVA")


def test_animals_that_rise_sit_and_lie_keep_their_feet_on_the_ground() -> None:
    wide: dict[str, float] = {}
    for posture in ("", *beasts.POSTURES):
        for name in ("cat", "elephant", "deer"):
            figure = figures.beast(name, posture=posture)
            left, bottom, right, top = bounds(figure)
            assert (round(bottom, 6), round(top, 6)) == (0, 100), (name, posture)
            wide[posture] = right - left
            assert {each.joint for each in figure.parts} - {"", "head", "tail", "head.eye"} <= set(figure.joints)
    assert wide["rear"] < wide["sit"] < wide["lie"]


@pytest.mark.usefixtures("seed_alone")
def test_quoted_words_differ_by_what_they_say() -> None:
    for kind in ("sign that says", "logo named", "neon sign", "poster titled", "banner", "round badge", "words"):
        assert apart(f'{kind} "OPEN"', f'{kind} "SHUT"') > 0.3, kind


def test_a_title_card_tells_pictures_apart_that_show_nothing() -> None:
    bare, card = (paint("the unspeakable", *SIZE, 3, card=card) for card in ("never", "auto"))
    assert float(np.abs(bare.rgb.astype(np.int16) - card.rgb.astype(np.int16)).mean()) > 2
    assert card.shown == ("its first words: a title card",)
    never, auto, always = (paint("calm sea", *SIZE, 3, card=card).rgb for card in ("never", "auto", "always"))
    assert np.array_equal(never, auto)
    assert not np.array_equal(always, auto)
    assert plates.title_of("one two three four five six seven eight") == "one two three four five six …"


def test_figures_act_in_clips_and_the_same_request_gives_the_same_bytes(tmp_path: Path) -> None:
    files = [tmp_path / "a.mp4", tmp_path / "b.mp4"]
    for out in files:
        made = studio.text_to_video(
            out, prompt="a dog walking in a park, static camera", width=160, height=96, fps=12, seconds=1, seed=3
        )
    assert made.shown[0] == "dog: cut-paper figure"
    assert files[0].read_bytes() == files[1].read_bytes()
    with av.open(str(files[0])) as clip:
        frames = [frame.to_ndarray(format="gray").astype(np.int16) for frame in clip.decode(video=0)]
        assert "dog: cut-paper figure" in clip.metadata["comment"]
    moved = np.abs(frames[0] - frames[4])
    assert float((moved > 40).mean()) > 0.004, "its legs"
    assert float(moved[:20].mean()) < 2, "and nothing of the sky"


def test_a_figure_is_where_the_camera_sees_its_place(tmp_path: Path) -> None:
    """At rest it is the same, near enough, whether it was painted in or laid over the frame."""
    out = tmp_path / "clip.mp4"
    studio.text_to_video(out, prompt="a cat, static camera", width=320, height=192, fps=12, seconds=0.5, seed=5)
    with av.open(str(out)) as clip:
        frame = next(clip.decode(video=0)).to_ndarray(format="rgb24").astype(np.float32)
    still = Image.fromarray(paint("a cat, static camera", 640, 384, 5).rgb).resize((320, 192), Image.Resampling.BOX)
    assert float(np.abs(frame - np.asarray(still, np.float32)).mean()) < 6


def test_a_figure_stands_in_what_a_mask_shows(tmp_path: Path) -> None:
    ground = Image.fromarray(np.full((128, 160, 3), (90, 150, 90), np.uint8))
    ground.save(tmp_path / "a.png")
    mask = np.zeros((128, 160), np.uint8)
    mask[30:110, 40:120] = 255
    Image.fromarray(mask).save(tmp_path / "m.png")
    made = studio.fill_image(tmp_path / "a.png", tmp_path / "m.png", tmp_path / "b.png", prompt="a red apple")
    assert made.shown == ("red: colour of the apple", "apple: cut-paper figure")
    seen = np.asarray(Image.open(tmp_path / "b.png"), np.int16)
    assert seen[70, 80, 0] > 150
    assert np.array_equal(seen[:, :30], np.asarray(ground, np.int16)[:, :30])


def test_a_description_knows_our_own_pictures_by_their_metadata_alone(tmp_path: Path) -> None:
    for ending in ("png", "jpg", "webp"):
        own = tmp_path / f"own.{ending}"
        studio.text_to_image("a cat on a sofa", own, width=96, height=64, seed=1)
        assert "cat: cut-paper figure" in studio.describe_image(own).text, ending
    pixels = tmp_path / "pixels.png"
    Image.open(tmp_path / "own.png").save(pixels)
    assert "cat" not in studio.describe_image(pixels).text


def test_public_prompts_use_what_they_ask_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sample; `python tests/studio/prompt_shares.py` counts over all of them."""
    assert len(prompt_shares.prompts_of()) == 300
    monkeypatch.setattr(painting, "_mixed", prompt_shares._seed_alone)
    none, median = prompt_shares.shares(prompt_shares.prompts_of()[9:300:80])
    assert none == 0
    assert median >= 0.5
