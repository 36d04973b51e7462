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


ORDERED = [
    ("first pan left, then zoom in", [Move.PAN, Move.ZOOM]),
    ("pan left after zooming in", [Move.ZOOM, Move.PAN]),
    ("After zooming in, pan left", [Move.ZOOM, Move.PAN]),
    ("before panning left, zoom in", [Move.ZOOM, Move.PAN]),
    ("zoom in before panning left", [Move.ZOOM, Move.PAN]),
    ("starts with a fast pan right and ends with a slow zoom out", [Move.PAN, Move.ZOOM]),
    ("hold still, then zoom in", [Move.STATIC, Move.ZOOM]),
    ("zoom in -> orbit; tilt up", [Move.ZOOM, Move.ORBIT, Move.TILT]),
]


@pytest.mark.parametrize(("prompt", "moves"), ORDERED)
def test_words_of_order_are_obeyed(prompt: str, moves: list[Move]) -> None:
    plan = read(prompt)
    assert [list(step.moves) for step in plan.steps] == [[move] for move in moves]
    assert plan.ignored == ()


def test_moves_at_the_same_time_may_differ_in_speed() -> None:
    (step,) = read("slowly zoom in while quickly panning right").steps
    assert step.amount_of(Move.ZOOM) < 1 < step.amount_of(Move.PAN)
    (step,) = read("slowly zoom in and pan right").steps
    assert step.amount_of(Move.ZOOM) == step.amount_of(Move.PAN) < 1


def test_very_slow_is_slower_than_slow() -> None:
    amounts = [read(f"{word} zoom in").steps[0].amount for word in ("extremely slow", "slow", "", "fast", "very fast")]
    assert amounts == sorted(amounts)
    assert len(set(amounts)) == 5


DECLINED = [
    ("no panning, zooming or tilting", Move.STATIC, 1),
    ("no zoom, pan left", Move.PAN, -1),
    ("don't zoom but pan left", Move.PAN, -1),
    ("don't zoom or pan, tilt up", Move.TILT, -1),
    ("not a static shot but a pan right", Move.PAN, 1),
    ("the camera does not move", Move.STATIC, 1),
    ("no shaking, orbit left", Move.ORBIT, -1),
]


@pytest.mark.parametrize(("prompt", "move", "way"), DECLINED)
def test_negation_reaches_as_far_as_it_is_meant(prompt: str, move: Move, way: int) -> None:
    assert [step.moves for step in read(prompt).steps] == [{move: way}]


@pytest.mark.parametrize(("prompt", "way"), [("pan from left to right", 1), ("the camera moves right to left", -1)])
def test_from_one_side_to_the_other_names_the_goal_last(prompt: str, way: int) -> None:
    assert read(prompt).steps[0].moves == {Move.PAN: way}


def test_the_camera_takes_up_a_beat_unless_it_is_to_stand_still_or_told_not_to() -> None:
    assert read("zoom in to the beat", sounding=True).pulse > read("zoom in", sounding=True).pulse > 0
    assert read("static", sounding=True).pulse == 0
    assert read("pan left, not to the music", sounding=True).pulse == 0
    assert read("pan left to the beat").ignored == ("beat",)
