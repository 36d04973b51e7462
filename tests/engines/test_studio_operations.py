"""What the renderer makes beside clips, through its child: pictures of pictures, words, music."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from PIL import Image
from test_studio import Bench, Start, opened

from mutoscope.cli.generate import WIRE
from mutoscope.cli.jobs import output_story
from mutoscope.engines import studio as engine
from mutoscope.engines.engine import EngineRun, OpenedInput
from mutoscope.engines.studio import Studio
from mutoscope.engines.studio_operations import MAKERS
from mutoscope.files.assets import MEDIA_TYPES
from mutoscope.model.catalog import an_image, row
from mutoscope.model.job import Generation, Json, Operation, Output, Role, State
from mutoscope.model.problem import Kind, Problem
from mutoscope.model.requests import Submission
from mutoscope.studio import VERSION, StudioError, make_music
from mutoscope.studio.loudness import integrated, true_peak
from mutoscope.studio.rhythm import onsets
from mutoscope.studio.scene import paint
from mutoscope.studio.sound import RATE, decode


class Here(Studio):
    """Makes it in this process: a child takes a second to start. That children do the same is tested with `studio`."""

    async def _made(self, order: Json, run: EngineRun) -> Json:
        order = json.loads(json.dumps(order))  # as it goes to a child
        try:
            return {
                "version": VERSION,
                "files": MAKERS[order["make"]](order, lambda told: run.progress(told["progress"])),
            }
        except StudioError as error:
            raise engine.refusal(run, {"message": str(error), "field": error.field}) from error


@pytest.fixture
def here() -> Studio:
    return Here()


@pytest.fixture
async def studio() -> AsyncIterator[Studio]:
    made = Studio()
    yield made
    await made.close()


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scene") / "scene.png"
    Image.fromarray(paint("mountain lake at sunset", 192, 128, 5).rgb).save(path)
    return path


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scene") / "other.png"
    Image.fromarray(paint("green forest", 160, 160, 5).rgb).save(path)
    return path


@pytest.fixture(scope="module")
def ball(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A red ball before a grey wall."""
    path = tmp_path_factory.mktemp("ball") / "ball.png"
    chance = np.random.default_rng(4)
    disc = np.zeros((160, 240), np.uint8)
    cv2.circle(disc, (120, 90), 44, 255, -1, cv2.LINE_AA)
    share = disc[..., None] / 255
    wall = np.full((160, 240, 3), (130, 140, 150)) + chance.normal(0, 2, (160, 240, 3))
    red = np.full((160, 240, 3), (200, 60, 40)) + chance.normal(0, 20, (160, 240, 3))
    Image.fromarray((wall * (1 - share) + red * share).clip(0, 255).astype(np.uint8)).save(path)
    return path


def image(path: Path, field: str = "image", role: Role = Role.IMAGE) -> OpenedInput:
    return opened(path, role, field)


async def made(studio: Studio, room: Path, *inputs: OpenedInput, **wish: Any) -> tuple[tuple[Output, ...], list[str]]:
    """The outputs and the notes."""
    room.mkdir(exist_ok=True)
    run = Bench(room, inputs, **wish)
    return await studio.generate(run), run.notes


def pixels(output: Output) -> np.ndarray:
    with Image.open(output.asset) as found:
        return np.asarray(found.convert("RGB")).astype(int)


async def refused(studio: Studio, room: Path, *inputs: OpenedInput, **wish: Any) -> Problem:
    with pytest.raises(Problem) as caught:
        await studio.generate(Bench(room, inputs, **wish))
    return caught.value


# -- what is declared --------------------------------------------------------------------


def test_every_maker_is_of_an_operation_that_is_declared() -> None:
    declared = {each.value for each in Studio.supported_fields}
    assert set(MAKERS) <= declared
    assert declared - set(MAKERS) == {"image_to_video", "video_extension", "text_to_video"}


def test_every_type_that_is_made_can_be_served() -> None:
    assert set(engine.MEDIA_TYPES.values()) <= set(MEDIA_TYPES.values())


@pytest.mark.parametrize(
    "operation",
    [
        Operation.LIP_SYNC,
        Operation.VIRTUAL_TRY_ON,
        Operation.FACE_IDENTIFICATION,
        Operation.SPEECH_TO_TEXT,
        Operation.CHARACTER_PERFORMANCE,
    ],
)
async def test_what_needs_trained_weights_is_refused_by_name(
    operation: Operation, studio: Studio, tmp_path: Path
) -> None:
    assert operation not in studio.supported_fields
    problem = await refused(studio, tmp_path, operation=operation)
    assert problem.kind is Kind.UNSUPPORTED
    assert operation.value in problem.message


async def test_without_the_tracer_there_is_no_tracing(
    tmp_path: Path, scene: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "TRACER", "no_such_module")
    problem = await refused(Studio(), tmp_path, image(scene), operation=Operation.VECTORIZATION)
    assert problem.kind is Kind.UNSUPPORTED
    assert "mutoscope[trace]" in problem.message


SEVERAL = [
    (Operation.TEXT_TO_IMAGE, {"prompt": "hills", "width": 96, "height": 64}),
    (Operation.IMAGE_TO_IMAGE, {}),
    (Operation.IMAGE_BLEND, {}),
    (Operation.IMAGE_OUTPAINT, {"extra": {"left": 20}}),
    (Operation.IMAGE_INPAINT, {}),
    (Operation.BACKGROUND_REPLACEMENT, {"prompt": "beach at sunset"}),
]


@pytest.fixture
def inputs(scene: Path, other: Path, ball: Path, tmp_path: Path) -> dict[Operation, tuple[OpenedInput, ...]]:
    mask = np.zeros((128, 192), np.uint8)
    mask[50:80, 60:100] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    return {
        Operation.TEXT_TO_IMAGE: (),
        Operation.IMAGE_TO_IMAGE: (image(scene),),
        Operation.IMAGE_BLEND: (image(scene), image(other)),
        Operation.IMAGE_OUTPAINT: (image(scene),),
        Operation.IMAGE_INPAINT: (image(scene), image(tmp_path / "mask.png", "mask", Role.MASK)),
        Operation.BACKGROUND_REPLACEMENT: (image(ball),),
    }


@pytest.mark.parametrize(("operation", "wish"), SEVERAL)
async def test_each_of_several_pictures_has_a_seed_of_its_own_and_the_same_seed_the_same_bytes(
    operation: Operation,
    wish: dict[str, Any],
    inputs: dict[Operation, tuple[OpenedInput, ...]],
    studio: Studio,
    tmp_path: Path,
) -> None:
    given = inputs[operation]
    both, _ = await made(studio, tmp_path / "both", *given, operation=operation, seed=5, count=2, **wish)
    [second], _ = await made(studio, tmp_path / "second", *given, operation=operation, seed=6, **wish)
    assert [each.media_type for each in both] == ["image/png", "image/png"]
    files = [Path(each.asset).read_bytes() for each in both]
    assert files[0] != files[1] == Path(second.asset).read_bytes()


# -- pictures from words -----------------------------------------------------------------


async def test_a_grid_comes_first_and_shows_the_four_that_follow(here: Studio, tmp_path: Path) -> None:
    wish = {"prompt": "hills at dawn", "width": 96, "height": 64, "seed": 3, "extra": {"grid": True}}
    (grid, *four), _ = await made(here, tmp_path, operation=Operation.TEXT_TO_IMAGE, **wish)
    assert [(each.width, each.height) for each in four] == [(96, 64)] * 4
    assert (grid.width, grid.height) == (192, 128)
    whole = pixels(grid)
    tiles = [whole[:64, :96], whole[:64, 96:], whole[64:, :96], whole[64:, 96:]]
    assert all(np.array_equal(tile, pixels(each)) for tile, each in zip(tiles, four, strict=True))
    assert len({Path(each.asset).read_bytes() for each in four}) == 4


async def test_a_large_grid_is_reduced_and_its_pictures_are_not(here: Studio, tmp_path: Path) -> None:
    wish = {"prompt": "gradient", "width": 1600, "height": 900, "extra": {"grid": True, "format": "jpeg"}}
    (grid, *four), _ = await made(here, tmp_path, operation=Operation.TEXT_TO_IMAGE, **wish)
    assert {(each.width, each.height) for each in four} == {(1600, 900)}
    assert grid.width is not None
    assert grid.height is not None
    assert 0.9 < grid.width * grid.height / 2048**2 <= 1


@pytest.mark.parametrize(
    ("told", "media_type", "opens"),
    [
        ("png", "image/png", "PNG"),
        ("jpeg", "image/jpeg", "JPEG"),
        ("JPG", "image/jpeg", "JPEG"),
        ("webp", "image/webp", "WEBP"),
    ],
)
async def test_the_format_is_the_one_that_was_asked_for(
    told: str, media_type: str, opens: str, here: Studio, tmp_path: Path
) -> None:
    wish = {"prompt": "hills", "width": 96, "height": 64, "extra": {"format": told}}
    [output], _ = await made(here, tmp_path, operation=Operation.TEXT_TO_IMAGE, **wish)
    with Image.open(output.asset) as found:
        assert (output.media_type, found.format, found.size) == (media_type, opens, (96, 64))
        told_in_it = str(found.info) + str(dict(found.getexif()))
        assert "mutoscope studio" in told_in_it


@pytest.mark.parametrize(
    ("extra", "field"),
    [({"format": "tiff"}, "format"), ({"strength": 2}, "strength"), ({"strength": "much"}, "strength")],
)
async def test_what_an_extra_cannot_be_names_it(
    extra: dict[str, Any], field: str, scene: Path, here: Studio, tmp_path: Path
) -> None:
    problem = await refused(here, tmp_path, image(scene), operation=Operation.IMAGE_TO_IMAGE, extra=extra)
    assert (problem.kind, problem.field) == (Kind.INVALID, field)


async def test_too_many_pictures_and_a_grid_of_three_are_refused(here: Studio, tmp_path: Path) -> None:
    wish = {"operation": Operation.TEXT_TO_IMAGE, "prompt": "x", "width": 64, "height": 64}
    assert (await refused(here, tmp_path, **wish, count=99)).field == "count"
    assert (await refused(here, tmp_path, **wish, count=3, extra={"grid": True})).field == "count"


# -- pictures from pictures --------------------------------------------------------------


async def test_a_variation_is_like_the_picture_and_more_so_at_little_strength(
    scene: Path, here: Studio, tmp_path: Path
) -> None:
    with Image.open(scene) as opened_scene:
        given = np.asarray(opened_scene).astype(int)
    away: list[float] = []
    for strength in (0.0, 0.3, 0.6):
        [output], notes = await made(
            here, tmp_path / str(strength), image(scene), operation=Operation.IMAGE_TO_IMAGE, seed=2,
            extra={"strength": strength},
        )  # fmt: skip
        assert (output.width, output.height) == (192, 128)
        away.append(float(np.abs(pixels(output) - given).mean()))
        assert "varied by its seed" in notes[0]
    assert away[0] < 1.5
    assert away[0] < away[1] < away[2]


async def test_a_reference_gives_its_colours(scene: Path, other: Path, here: Studio, tmp_path: Path) -> None:
    reference = image(other, "style", Role.REFERENCE)
    wish = {"operation": Operation.IMAGE_TO_IMAGE, "seed": 2, "extra": {"strength": 0.7}}
    [plain], _ = await made(here, tmp_path / "plain", image(scene), **wish)
    [toned], _ = await made(here, tmp_path / "toned", image(scene), reference, **wish)
    with Image.open(other) as found:
        wanted = np.asarray(found).reshape(-1, 3).mean(0)
    near, far = (np.abs(pixels(each).reshape(-1, 3).mean(0) - wanted).sum() for each in (toned, plain))
    assert near < 0.5 * far


async def test_words_of_a_manner_are_obeyed_and_things_are_told_to_be_ignored(
    scene: Path, here: Studio, tmp_path: Path
) -> None:
    wish = {"operation": Operation.IMAGE_TO_IMAGE, "prompt": "a black and white pencil sketch of a cat", "seed": 1}
    [output], notes = await made(here, tmp_path, image(scene), **wish)
    found = pixels(output)
    assert np.abs(found.max(-1) - found.min(-1)).mean() < 16
    assert notes[1] == "studio used: black and white, pencil sketch; ignored: cat"


async def test_much_strength_paints_the_place_that_the_words_name(scene: Path, here: Studio, tmp_path: Path) -> None:
    wish = {"operation": Operation.IMAGE_TO_IMAGE, "prompt": "a desert", "seed": 1, "extra": {"strength": 0.9}}
    _, notes = await made(here, tmp_path, image(scene), **wish)
    assert notes[0] == "studio: painted from its words, in the tone of the picture"


async def test_a_blend_shows_each_picture_somewhere_and_says_what_it_is(
    scene: Path, other: Path, here: Studio, tmp_path: Path
) -> None:
    wish = {"operation": Operation.IMAGE_BLEND, "seed": 1, "width": 128, "height": 128, "prompt": "merge them"}
    [output], notes = await made(here, tmp_path, image(scene), image(other), **wish)
    assert (output.width, output.height) == (128, 128)
    assert notes == ["studio: 2 pictures crossfaded into one; nothing in them was recognised; the prompt was not read"]
    problem = await refused(here, tmp_path, image(scene, "imageUrls"), operation=Operation.IMAGE_BLEND)
    assert problem.field == "imageUrls"


OUTPAINTED: list[tuple[dict[str, Any], tuple[int, int], tuple[int, int]]] = [
    ({"extra": {"left": 30, "down": 12}}, (222, 140), (30, 0)),
    ({"extra": {"right": 7, "up": 5, "left": 0}}, (199, 133), (0, 5)),
    ({"extra": {"zoom": 1.5}}, (288, 192), (48, 32)),
    ({"extra": {"ratio": "1:1"}}, (192, 192), (0, 32)),
    ({"extra": {"ratio": "21x9"}}, (299, 128), (53, 0)),
    ({"width": 300, "height": 200}, (300, 200), (54, 36)),
    ({"width": 300, "height": 200, "extra": {"reference_offset_x": 3, "reference_offset_y": 0}}, (300, 200), (3, 0)),
]


@pytest.mark.parametrize(("wish", "size", "corner"), OUTPAINTED)
@pytest.mark.parametrize("prompt", ["", "mountains at sunset with a unicorn"])
async def test_a_widened_picture_holds_the_given_one_exactly(
    prompt: str,
    wish: dict[str, Any],
    size: tuple[int, int],
    corner: tuple[int, int],
    scene: Path,
    here: Studio,
    tmp_path: Path,
) -> None:
    [output], notes = await made(
        here, tmp_path, image(scene), operation=Operation.IMAGE_OUTPAINT, prompt=prompt, seed=1, **wish
    )
    assert (output.width, output.height) == size
    left, top = corner
    with Image.open(scene) as given:
        assert np.array_equal(pixels(output)[top : top + 128, left : left + 192], np.asarray(given))
    if prompt:
        assert notes[1] == "studio used: mountains, sunset; ignored: unicorn"


@pytest.mark.parametrize(("width", "height"), [(100, 100), (300, 64), (96, 64)])
async def test_a_picture_that_may_shrink_is_widened_to_exactly_the_size(
    width: int, height: int, scene: Path, here: Studio, tmp_path: Path
) -> None:
    wish: dict[str, Any] = {"width": width, "height": height, "extra": {"shrink": True}}
    [output], _ = await made(here, tmp_path, image(scene), operation=Operation.IMAGE_OUTPAINT, seed=1, **wish)
    assert (output.width, output.height) == (width, height)


async def test_a_picture_larger_than_its_canvas_is_cropped_where_that_is_asked_for_and_else_refused(
    scene: Path, here: Studio, tmp_path: Path
) -> None:
    wish: dict[str, Any] = {"width": 100, "height": 160, "seed": 1, "operation": Operation.IMAGE_OUTPAINT}
    crop: dict[str, Any] = {"auto_crop": True}
    with Image.open(scene) as given:
        whole = np.asarray(given)
    [output], _ = await made(here, tmp_path, image(scene), **wish, extra=crop)
    assert np.array_equal(pixels(output)[16:144], whole[:, 46:146])
    placed = crop | {"reference_offset_x": -150, "reference_offset_y": 40}
    [output], _ = await made(here, tmp_path, image(scene), **wish, extra=placed)
    assert np.array_equal(pixels(output)[40:, :42], whole[:120, 150:])
    for wrong, field in (
        ({}, "width"),
        ({"width": 300, "height": 100}, "height"),
        ({"width": 300, "extra": {"reference_offset_x": 120}}, "reference_offset_x"),
        ({"extra": crop | {"reference_offset_x": 5000}}, "reference_offset_x"),
    ):
        problem = await refused(here, tmp_path, image(scene), **(wish | wrong))
        assert (problem.kind, problem.field) == (Kind.INVALID, field), wrong


@pytest.mark.parametrize(
    ("extra", "field"),
    [
        ({}, "left"),
        ({"left": -4}, "left"),
        ({"left": 9000}, "left"),
        ({"ratio": "3:2"}, "ratio"),
        ({"ratio": "wide"}, "ratio"),
        ({"zoom": 9}, "zoom"),
        ({"up": "much"}, "up"),
    ],
)
async def test_a_widening_that_cannot_be_names_its_field(
    extra: dict[str, Any], field: str, scene: Path, here: Studio, tmp_path: Path
) -> None:
    problem = await refused(here, tmp_path, image(scene), operation=Operation.IMAGE_OUTPAINT, extra=extra)
    assert (problem.kind, problem.field) == (Kind.INVALID, field)


@pytest.mark.parametrize("polarity", [None, "white", "black", "transparent", "opaque"])
async def test_a_mask_of_each_polarity_marks_what_is_made_anew(
    polarity: str | None, scene: Path, here: Studio, tmp_path: Path
) -> None:
    hole = np.zeros((128, 192), np.bool_)
    hole[40:80, 60:110] = True
    values = np.where(hole, 255, 0).astype(np.uint8)
    mask = {
        "black": Image.fromarray(255 - values),
        "transparent": Image.fromarray(np.dstack([values * 0 + 9] * 3 + [255 - values])),
        "opaque": Image.fromarray(np.dstack([values * 0 + 9] * 3 + [values])),
    }.get(polarity or "", Image.fromarray(values))
    mask.save(tmp_path / "mask.png")
    extra = {"mask_polarity": polarity} if polarity else {}
    [output], notes = await made(
        here, tmp_path / "room", image(scene), image(tmp_path / "mask.png", "mask", Role.MASK),
        operation=Operation.IMAGE_INPAINT, extra=extra, seed=1,
    )  # fmt: skip
    found = pixels(output)
    with Image.open(scene) as given:
        same = (found == np.asarray(given)).all(-1)
    assert same[~hole].all()
    assert same[hole].mean() < 0.3
    assert notes[0] == "studio: what the mask shows was filled from the rest of the picture"


@pytest.mark.parametrize("prompt", ["", "a lake"])
async def test_a_picture_that_is_mended_has_the_size_that_was_asked_for(
    prompt: str, scene: Path, here: Studio, tmp_path: Path
) -> None:
    mask = np.zeros((128, 192), np.uint8)
    mask[50:80, 60:100] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    [output], _ = await made(
        here, tmp_path / "room", image(scene), image(tmp_path / "mask.png", "mask", Role.MASK),
        operation=Operation.IMAGE_INPAINT, prompt=prompt, width=96, height=96, seed=1,
    )  # fmt: skip
    assert (output.width, output.height) == (96, 96)
    assert pixels(output).shape == (96, 96, 3)


async def test_the_transparent_part_of_a_picture_is_filled_where_there_is_no_mask(
    scene: Path, here: Studio, tmp_path: Path
) -> None:
    with Image.open(scene) as given:
        layer = given.convert("RGBA")
    layer.paste((0, 0, 0, 0), (60, 40, 90, 70))
    layer.save(tmp_path / "holed.png")
    wish = {"operation": Operation.IMAGE_INPAINT, "prompt": "a lake"}
    [output], notes = await made(here, tmp_path / "room", image(tmp_path / "holed.png"), **wish)
    assert pixels(output)[40:70, 60:90].mean() > 10
    assert notes[0] == "studio: what the mask shows was painted from the prompt's words"
    problem = await refused(here, tmp_path, image(scene), operation=Operation.IMAGE_INPAINT)
    assert (problem.kind, problem.field) == (Kind.INVALID, "mask")


async def test_a_mask_that_marks_nothing_or_all_or_is_of_another_shape_names_the_mask(
    scene: Path, here: Studio, tmp_path: Path
) -> None:
    for name, size, value in (("none", (192, 128), 0), ("all", (192, 128), 255), ("shape", (128, 128), 255)):
        path = tmp_path / f"{name}.png"
        Image.new("L", size, value).save(path)
        mask = image(path, "maskUrl", Role.MASK)
        problem = await refused(here, tmp_path, image(scene), mask, operation=Operation.IMAGE_INPAINT)
        assert (problem.kind, problem.field) == (Kind.BAD_MEDIA, "maskUrl")
    extra = {"mask_polarity": "green"}
    problem = await refused(here, tmp_path, image(scene), mask, operation=Operation.IMAGE_INPAINT, extra=extra)
    assert problem.field == "mask_polarity"


async def test_a_background_is_removed(ball: Path, here: Studio, tmp_path: Path) -> None:
    [output], notes = await made(here, tmp_path, image(ball), operation=Operation.BACKGROUND_REMOVAL)
    with Image.open(output.asset) as found:
        cut = np.asarray(found)
    assert (output.media_type, cut.shape) == ("image/png", (160, 240, 4))
    assert cut[90, 120, 3] == 255
    assert cut[5, 5, 3] == 0
    assert re.search(r"cut out .*confidence [01]\.\d\d", notes[0])
    problem = await refused(
        here, tmp_path, image(ball), operation=Operation.BACKGROUND_REMOVAL, extra={"format": "jpeg"}
    )
    assert problem.field == "format"


async def test_a_background_is_replaced_by_a_scene_or_by_another_picture(
    ball: Path, other: Path, here: Studio, tmp_path: Path
) -> None:
    wish = {"operation": Operation.BACKGROUND_REPLACEMENT, "seed": 1}
    [painted], notes = await made(here, tmp_path / "painted", image(ball), prompt="sea at sunset, a dog", **wish)
    assert notes[1] == "studio used: sea, sunset; ignored: dog"
    [laid], _ = await made(here, tmp_path / "laid", image(ball), image(other, "bg", Role.REFERENCE), **wish)
    for output in (painted, laid):
        found = pixels(output)
        red, green, _ = found[70:110, 100:140].mean((0, 1))
        assert red > 1.6 * green, "the ball is there"
        assert np.abs(found[:20] - np.array([130, 140, 150])).mean() > 20, "the wall is not"
    problem = await refused(here, tmp_path, image(ball), **wish)
    assert problem.field == "prompt"


async def test_a_picture_is_traced_into_a_drawing_without_scripts(scene: Path, here: Studio, tmp_path: Path) -> None:
    [output], notes = await made(here, tmp_path, image(scene), operation=Operation.VECTORIZATION)
    text = Path(output.asset).read_text()
    assert (output.media_type, output.width, output.height) == ("image/svg+xml", 192, 128)
    assert text.count("<path") > 20
    assert "<script" not in text
    assert re.fullmatch(r"studio: traced into \d+ areas of colour by vtracer", notes[0])
    problem = await refused(here, tmp_path, image(scene), operation=Operation.VECTORIZATION, extra={"detail": "finest"})
    assert problem.field == "detail"


@pytest.mark.parametrize(
    ("wish", "size"),
    [
        ({}, (384, 256)),
        ({"extra": {"scale": 4}}, (768, 512)),
        ({"extra": {"scaleFactor": "4x"}}, (768, 512)),
        ({"extra": {"scale": 1.5}}, (288, 192)),
        ({"width": 576}, (576, 384)),
        ({"width": 600, "height": 400, "extra": {"format": "jpeg"}}, (600, 400)),
        ({"resolution": "480p"}, (784, 523)),
    ],
)
async def test_a_picture_is_enlarged_by_a_factor_or_to_a_size(
    wish: dict[str, Any], size: tuple[int, int], scene: Path, here: Studio, tmp_path: Path
) -> None:
    [output], notes = await made(here, tmp_path, image(scene), operation=Operation.IMAGE_UPSCALE, **wish)
    assert output.width is not None
    assert output.height is not None
    assert abs(output.width - size[0]) <= 2
    assert abs(output.height - size[1]) <= 2
    assert "by resampling; no detail was invented" in notes[0]
    with Image.open(scene) as given, Image.open(output.asset) as found:
        small = np.asarray(found.convert("RGB").resize(given.size, Image.Resampling.BOX)).astype(int)
        assert np.abs(small - np.asarray(given)).mean() < 3


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"width": 100}, "width"),
        ({"width": 600, "height": 200}, "height"),
        ({"extra": {"scale": "big"}}, "scaleFactor"),
        ({"extra": {"scale": 40}}, "scaleFactor"),
        ({"width": 9000}, "width"),
    ],
)
async def test_an_enlargement_that_cannot_be_names_its_field(
    wish: dict[str, Any], field: str, scene: Path, here: Studio, tmp_path: Path
) -> None:
    problem = await refused(here, tmp_path, image(scene), operation=Operation.IMAGE_UPSCALE, **wish)
    assert (problem.kind, problem.field) == (Kind.INVALID, field)


@pytest.mark.parametrize("operation", [each for each, names in Studio.supported_fields.items() if Role.IMAGE in names])
async def test_what_is_no_picture_is_named_as_the_caller_named_it(
    operation: Operation, here: Studio, tmp_path: Path
) -> None:
    (tmp_path / "page.png").write_text("<html>")
    files = (image(tmp_path / "page.png", "imageUrl"), image(tmp_path / "page.png", "imageUrl"))
    problem = await refused(here, tmp_path, *files, operation=operation, prompt="sea", extra={"left": 5})
    assert (problem.kind, problem.field) == (Kind.BAD_MEDIA, "imageUrl")
    problem = await refused(here, tmp_path, operation=operation, prompt="sea", extra={"left": 5})
    assert problem.kind is Kind.INVALID


# -- words -------------------------------------------------------------------------------


async def test_a_picture_is_described_in_as_many_lines_as_asked_and_nothing_in_it_is_recognised(
    scene: Path, here: Studio, tmp_path: Path
) -> None:
    outputs, notes = await made(here, tmp_path, image(scene), operation=Operation.IMAGE_TO_TEXT, count=4)
    texts = [each.text or "" for each in outputs]
    assert len(set(texts)) == 4
    assert {(each.media_type, each.asset) for each in outputs} == {("text/plain", "")}
    assert texts[0].startswith("Statistics of colour and composition; nothing in the picture was recognised.")
    assert all(each.startswith("Colours and composition only: ") for each in texts[1:])
    assert notes == ["studio: described by its colours and composition; nothing in it was recognised"]


async def test_lyrics_are_of_the_prompt_s_words_and_say_who_did_not_write_them(here: Studio, tmp_path: Path) -> None:
    wish = {"operation": Operation.TEXT_TO_TEXT, "prompt": "a sad song about a lighthouse and the harbour", "seed": 1}
    outputs, notes = await made(here, tmp_path, count=2, **wish)
    texts = [each.text or "" for each in outputs]
    assert texts[0] != texts[1]
    for text in texts:
        assert text.startswith("[Title: ")
        assert list(re.findall(r"\[(.+)\]", text)[1:]) == [
            "Verse 1", "Chorus", "Verse 2", "Chorus", "Bridge", "Chorus",
        ]  # fmt: skip
        assert "lighthouse" in text
        assert "harbour" in text
    assert notes == ["studio: lyrics written by rule from the prompt's words; no language model wrote them"]


async def test_a_prompt_is_shortened_to_what_the_painter_knows(here: Studio, tmp_path: Path) -> None:
    prompt = "a cat and griffonage by a misty mountain lake at golden hour, octane render, cinematic"
    wish = {"operation": Operation.TEXT_TO_TEXT, "prompt": prompt, "extra": {"task": "shorten"}}
    outputs, notes = await made(here, tmp_path, count=3, **wish)
    texts = [each.text or "" for each in outputs]
    assert texts[0] == "cat, misty, mountain, lake, golden hour, cinematic"
    assert [len(each) for each in texts] == sorted((len(each) for each in texts), reverse=True)
    assert "griffonage" in notes[0]
    problem = await refused(here, tmp_path, **wish | {"prompt": "zyx"})
    assert problem.field == "prompt"
    problem = await refused(here, tmp_path, **wish | {"extra": {"task": "translate"}})
    assert problem.field == "task"


async def test_words_are_kept_in_the_job_and_have_no_file_and_no_link(start: Start) -> None:
    """A whole server: the store keeps them, and nothing offers a file that is not there."""
    model = row("words", "nobody", Operation.TEXT_TO_TEXT, price=an_image(1))
    wish = Generation(operation=Operation.TEXT_TO_TEXT, model="words", prompt="the sea and the moon", seed=1)
    async with start() as running:
        app = running.app
        app.gateway.catalog.models["words"] = model
        filed = await app.gateway.submit(WIRE, "", Submission(generation=wish), engine="studio")
        job = await running.finished(filed.id)
        stored = await app.store.get(filed.id)
        [output] = app.gateway.linked(job, "http://gateway.test").outputs
        told = output_story(output, app.settings)
    assert job.state is State.SUCCEEDED, job.failure
    assert stored is not None
    assert stored.outputs == job.outputs
    assert (output.media_type, output.asset, output.url) == ("text/plain", "", None)
    assert "moon" in (output.text or "")
    assert told.startswith("text/plain: [Title: ")


# -- music -------------------------------------------------------------------------------


def heard(output: Output) -> np.ndarray:
    found = decode(Path(output.asset), 500 * RATE)
    assert found is not None
    return found


LYRICS = "[Verse 1]\none\ntwo\n[Chorus]\nthree\nfour\n[Verse 2]\nfive\nsix\n[Chorus]\nseven\neight"


async def test_two_takes_of_a_song_differ_are_as_loud_as_they_should_be_and_come_with_a_cover(
    here: Studio, tmp_path: Path
) -> None:
    tags = "upbeat pop, guitar, 120 bpm, in D major"
    wish = {"operation": Operation.TEXT_TO_MUSIC, "prompt": LYRICS, "seconds": 16, "seed": 4, "count": 2}
    (one, other, cover), notes = await made(here, tmp_path, **wish, extra={"tags": tags, "title": "Sea"})
    assert [each.media_type for each in (one, other, cover)] == ["audio/mpeg", "audio/mpeg", "image/png"]
    assert (cover.width, cover.height) == (512, 512)
    sounds = [heard(each) for each in (one, other)]
    for sound in sounds:
        assert sound.shape[1] / RATE == pytest.approx(16, abs=0.1)
        assert integrated(sound, RATE) == pytest.approx(-14, abs=1)
        assert true_peak(sound) <= -1
    length = min(sound.shape[1] for sound in sounds)
    assert np.abs(sounds[0][:, :length] - sounds[1][:, :length]).mean() > 0.01
    assert notes[0] == (
        "studio: composed by rule in D major at 120 beats a minute for bass, drums, guitar, in the parts verse, chorus,"
        " verse, chorus; no voice sings in it"
    )


async def test_the_length_follows_the_lyrics_where_nobody_names_one(here: Studio, tmp_path: Path) -> None:
    wish = {"operation": Operation.TEXT_TO_MUSIC, "prompt": "calm solo piano"}
    [output], _ = await made(here, tmp_path, **wish, extra={"lyrics": LYRICS, "cover": False})
    assert output.seconds == pytest.approx(32)
    problem = await refused(here, tmp_path, **wish, extra={"lyrics": 7})
    assert problem.field == "lyrics"
    problem = await refused(here, tmp_path, **wish, seconds=9000)
    assert problem.field == "seconds"


@pytest.fixture
async def song(here: Studio, tmp_path: Path) -> OpenedInput:
    wish = {"operation": Operation.TEXT_TO_MUSIC, "prompt": "rock, 120 bpm, in E minor", "seconds": 8, "seed": 1}
    [output], _ = await made(here, tmp_path / "song", **wish, extra={"cover": False})
    return image(Path(output.asset), "audioUrl", Role.AUDIO)


async def test_a_song_goes_on_in_its_key_and_tempo_without_a_click(
    song: OpenedInput, here: Studio, tmp_path: Path
) -> None:
    wish = {"operation": Operation.MUSIC_EXTENSION, "seconds": 16, "seed": 3}
    [output], notes = await made(here, tmp_path / "more", song, **wish, extra={"continue_at": 6.2})
    assert re.match(r"studio: continued by rule in E minor at (119|120|121)(\.\d+)? beats", notes[0])
    sound = heard(output)
    assert output.seconds == pytest.approx(16, abs=0.05)
    assert integrated(sound, RATE) == pytest.approx(-14, abs=1)
    assert true_peak(sound) <= -1
    steps = np.abs(np.diff(sound.mean(0)))
    join = steps[round(5.9 * RATE) : round(6.3 * RATE)].max()
    assert join <= 1.5 * steps[: round(5.5 * RATE)].max()


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"seconds": 5.0}, "seconds"),
        ({"extra": {"continue_at": 70}}, "continue_at"),
        ({"extra": {"continue_at": "x"}}, "continue_at"),
    ],
)
async def test_a_continuation_that_cannot_be_names_its_field(
    wish: dict[str, Any], field: str, song: OpenedInput, here: Studio, tmp_path: Path
) -> None:
    problem = await refused(here, tmp_path, song, operation=Operation.MUSIC_EXTENSION, **wish)
    assert (problem.kind, problem.field) == (Kind.INVALID, field)


async def test_songs_are_joined_on_the_beat(song: OpenedInput, here: Studio, tmp_path: Path) -> None:
    [output], notes = await made(here, tmp_path / "joined", song, song, operation=Operation.MUSIC_JOIN)
    sound = heard(output)
    assert 11 < (output.seconds or 0) < 16
    assert integrated(sound, RATE) == pytest.approx(-14, abs=1)
    assert notes == ["studio: 2 pieces joined, each from a beat of the one before"]
    beats = 60 / 120
    found = np.array([at for at, strength in onsets(sound) if strength > 0.5])
    steps = (found - found[0]) / (beats / 2)
    off = np.abs(steps - np.rint(steps))
    assert np.median(off) < 0.12


async def test_one_piece_to_join_is_the_whole_already(song: OpenedInput, here: Studio, tmp_path: Path) -> None:
    """As an upload is, and the clip of an extension that holds what it goes on from."""
    [output], notes = await made(here, tmp_path / "joined", song, operation=Operation.MUSIC_JOIN)
    before, after = decode(song.path, 500 * RATE), heard(output)
    assert before is not None
    assert after.shape[1] == pytest.approx(before.shape[1], abs=RATE / 10)
    assert integrated(after, RATE) == pytest.approx(-14, abs=1)
    assert notes == ["studio: one piece, which is the whole: levelled, and otherwise as it was"]
    problem = await refused(here, tmp_path, operation=Operation.MUSIC_JOIN)
    assert problem.kind is Kind.INVALID


async def test_what_is_no_sound_is_named_as_the_caller_named_it(here: Studio, tmp_path: Path) -> None:
    (tmp_path / "x.mp3").write_bytes(b"no sound")
    file = image(tmp_path / "x.mp3", "audioUrl", Role.AUDIO)
    problem = await refused(here, tmp_path, file, operation=Operation.MUSIC_EXTENSION)
    assert (problem.kind, problem.field) == (Kind.BAD_MEDIA, "audioUrl")


def test_the_music_file_says_who_made_it(tmp_path: Path) -> None:
    make_music("calm", tmp_path / "x.mp3", seconds=2, seed=1)
    with av.open(str(tmp_path / "x.mp3")) as file:
        assert "no model" in str(file.metadata)
