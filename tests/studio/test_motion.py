"""What prompts come to: moves, their order and strength, and which words were not used."""

import pytest

from mutoscope.studio.motion import Move, Stir, read, unread

ONE_MOVE = [
    ("The camera pans slowly to the left across the valley", Move.PAN, -1),
    ("pan right", Move.PAN, 1),
    ("tracking shot", Move.PAN, 1),
    ("tilt up to the sky", Move.TILT, -1),
    ("camera tilting down", Move.TILT, 1),
    ("Slow zoom in on her face", Move.ZOOM, 1),
    ("zoom out", Move.ZOOM, -1),
    ("zooming slowly out", Move.ZOOM, -1),
    ("a gentle push-in", Move.ZOOM, 1),
    ("pull back to show the town", Move.ZOOM, -1),
    ("dolly forward", Move.ZOOM, 1),
    ("dolly zoom", Move.VERTIGO, 1),
    ("orbit around the statue", Move.ORBIT, 1),
    ("the camera circles left", Move.ORBIT, -1),
    ("handheld camera", Move.HANDHELD, 1),
    ("static shot", Move.STATIC, 1),
    ("no camera movement", Move.STATIC, 1),
    ("The camera remains still", Move.STATIC, 1),
]


@pytest.mark.parametrize(("prompt", "move", "way"), ONE_MOVE)
def test_a_move_is_read(prompt: str, move: Move, way: int) -> None:
    plan = read(prompt)
    assert [step.moves for step in plan.steps] == [{move: way}]
    assert plan.named


@pytest.mark.parametrize(
    "prompt",
    [
        "rolling hills",
        "a still life with close-up flowers",
        "the sun is rising",
        "cat spinning wool",
        "wide angle",
        "film roll",
    ],
)
def test_words_that_only_sound_like_moves_are_none(prompt: str) -> None:
    assert not read(prompt).named


def test_moves_come_in_the_order_of_the_words() -> None:
    plan = read("Pan left quickly, then zoom in, and finally tilt up slowly")
    assert [step.moves for step in plan.steps] == [{Move.PAN: -1}, {Move.ZOOM: 1}, {Move.TILT: -1}]
    fast, usual, slow = (step.amount for step in plan.steps)
    assert fast > usual > slow


def test_moves_without_an_order_happen_together() -> None:
    assert read("zoom in and pan right").steps[0].moves == {Move.ZOOM: 1, Move.PAN: 1}


def test_without_a_named_move_the_camera_pushes_in() -> None:
    plan = read("a cat on a sofa")
    assert plan.steps[0].moves == {Move.ZOOM: 1}
    assert not plan.named


def test_what_is_negated_is_not_done_and_counts_as_used() -> None:
    plan = read("no zoom, without wind")
    assert plan.steps[0].moves == {Move.STATIC: 1}
    assert not plan.stirs
    assert plan.used == ("no zoom", "no wind")
    assert plan.ignored == ()


def test_a_negative_prompt_switches_moves_off() -> None:
    plan = read("pan left and zoom in, wind", avoid="zoom, wind, blurry")
    assert plan.steps[0].moves == {Move.PAN: -1}
    assert not plan.stirs
    assert "no blurry" in plan.ignored


def test_a_negative_prompt_against_camera_movement_holds_it_still() -> None:
    assert read("pan left", avoid="camera movement").steps[0].moves == {Move.STATIC: 1}


def test_what_moves_in_the_picture_is_read() -> None:
    assert read("wind in the leaves, waves, breathing").stirs == {Stir.WIND, Stir.WATER, Stir.BREATH}


def test_used_and_ignored_tell_every_word_that_says_something() -> None:
    plan = read("The old fisherman smiles as the camera slowly pans right over the water")
    assert plan.used == ("pans right", "slowly", "water")
    assert plan.ignored == ("old", "fisherman", "smiles")


def test_a_prompt_that_has_no_say_is_ignored_whole() -> None:
    plan = unread("zoom in on the tower")
    assert (plan.used, plan.ignored) == ((), ("zoom", "tower"))


def test_an_empty_prompt_is_a_plan() -> None:
    assert read(None).used == read("").ignored == ()
