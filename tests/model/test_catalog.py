"""The catalog: every model that a wire can name has a row; defaults, sizes and refusals come out of it."""

import pytest
from msgspec import inspect, json
from msgspec.structs import replace

from mutoscope.engines.studio import Studio
from mutoscope.model import catalog
from mutoscope.model.catalog import (
    SIZED_BY_PICTURE,
    Catalog,
    an_image,
    complete,
    estimate,
    nominal,
    pixels_of,
    row,
)
from mutoscope.model.config import ModelSettings
from mutoscope.model.http import HttpRequest
from mutoscope.model.job import Generation, Input, Operation, Role
from mutoscope.model.problem import Kind, Problem
from mutoscope.wirekit.routes import Create
from mutoscope.wires import ALL, BY_NAME, ROWS

I2V, T2V, T2I = Operation.IMAGE_TO_VIDEO, Operation.TEXT_TO_VIDEO, Operation.TEXT_TO_IMAGE
PICTURE = Input(role=Role.FIRST_FRAME, field="image", url="https://example.com/a.png")


def tags(type: inspect.Type) -> set[str]:
    """The models that a body's discriminator names."""
    match type:
        case inspect.StructType(tag=str() as tag):
            return {tag}
        case inspect.UnionType():
            return {tag for member in type.types for tag in tags(member)}
        case _:
            return set()


def test_every_model_that_a_runway_body_names_has_a_row_that_serves_the_operation() -> None:
    known, missing = Catalog(ROWS), []
    for wire in ALL:
        for route in wire.routes:
            if isinstance(route, Create) and route.body is not None and wire.name in ("runway", "runway_relay"):
                operation = Operation(route.path.rpartition("/")[2])
                names = tags(inspect.type_info(route.body))
                missing += [
                    (route.path, name)
                    for name in names
                    if name not in known.models or operation not in known.models[name].serves
                ]
    assert not missing


def test_an_unknown_model_is_answered_with_what_exists() -> None:
    with pytest.raises(Problem, match=r"no model 'gen99'.*gen4_turbo") as caught:
        Catalog(ROWS).get("gen99")
    assert caught.value.kind is Kind.NOT_FOUND


def test_settings_of_a_model_that_does_not_exist_are_an_error() -> None:
    with pytest.raises(Problem, match="gen99"):
        Catalog(ROWS, {"gen99": ModelSettings(engine="script")})


def test_defaults_fill_only_what_was_not_asked_for() -> None:
    model = Catalog(ROWS).get("gen4.5")
    wish = Generation(operation=I2V, model="gen4.5", prompt="x", seconds=8, inputs=(PICTURE,))
    full = catalog.complete(wish, model)
    assert (full.seconds, full.width, full.height, full.fps) == (8, 1280, 720, 24)


def test_a_rows_usual_length_is_that_of_a_new_piece_and_not_of_one_that_goes_on() -> None:
    song = Catalog(ROWS).get("chirp-v4")
    for operation, seconds in (
        (Operation.TEXT_TO_MUSIC, 60),
        (Operation.MUSIC_EXTENSION, None),
        (Operation.MUSIC_JOIN, None),
    ):
        made = catalog.complete(Generation(operation=operation, model=song.name), song)
        assert (made.seconds, made.count) == (seconds, 2)


def test_a_tier_with_a_picture_is_left_to_the_shape_of_the_picture() -> None:
    model = Catalog(ROWS).get("wan-2.7")
    full = catalog.complete(Generation(operation=I2V, model="wan-2.7", inputs=(PICTURE,)), model)
    assert (full.width, full.height, full.resolution, full.fps) == (None, None, "1080p", 30)


def test_a_tier_without_a_picture_becomes_pixels() -> None:
    model = Catalog(ROWS).get("wan-2.7")
    wish = Generation(operation=T2V, model="wan-2.7", prompt="x", resolution="720p", extra={"ratio": "9:16"})
    full = catalog.complete(wish, model)
    assert (full.width, full.height, full.extra) == (720, 1280, {})


def test_a_model_may_have_sizes_of_its_own() -> None:
    model = Catalog(ROWS).get("wan3")
    wish = Generation(operation=T2V, model="wan3", prompt="x", resolution="480p")
    for extra, size in (({}, (832, 480)), ({"ratio": "4:3"}, (720, 544)), ({"ratio": "16:9"}, (832, 480))):
        full = catalog.complete(replace(wish, extra=extra), model)
        assert (full.width, full.height) == size
    full = catalog.complete(replace(wish, resolution="1080p"), model)
    assert (full.width, full.height) == (1920, 1080)


@pytest.mark.parametrize(
    ("shape", "tier", "pixels"),
    [
        ("16:9", "720p", (1280, 720)),
        ("9:16", "1080p", (1080, 1920)),
        ("1:1", "720p", (960, 960)),
        ("16:9", None, (1280, 720)),
        ("adaptive", "720p", None),
        ("0:1", "720p", None),
        ("16:", "720p", None),
    ],
)
def test_shapes_and_tiers(shape: str, tier: str | None, pixels: tuple[int, int] | None) -> None:
    assert pixels_of(shape, tier) == pixels


def test_zero_as_a_limit_means_no_limit() -> None:
    assert Catalog(ROWS, max_concurrent=0).get("gen4.5").max_concurrent is None
    assert Catalog(ROWS, max_concurrent=3).get("gen4.5").max_concurrent == 3
    assert (
        Catalog(ROWS, {"gen4.5": ModelSettings(max_concurrent=0)}, max_concurrent=3).get("gen4.5").max_concurrent
        is None
    )


def test_what_is_not_honoured_is_refused_with_the_callers_name_of_it() -> None:
    wish = Generation(operation=T2I, model="gen4_image", prompt="x", width=64, height=64)
    with pytest.raises(Problem, match="ratio") as caught:
        catalog.check_support(
            wish, Catalog(ROWS).get("gen4_image"), "studio", {T2I: frozenset({"prompt"})}, {"width": "ratio"}
        )
    assert (caught.value.kind, caught.value.field) == (Kind.UNSUPPORTED, "ratio")


def test_a_shape_is_heeded_by_an_engine_that_heeds_width_and_height() -> None:
    sizes = frozenset({"prompt", "width", "height"})
    shape = {"ratio": "9:16"}
    wish = Generation(operation=T2V, model="ray-2", prompt="a lake", extra=shape)
    assert catalog.check_support(wish, Catalog(ROWS).get("ray-2"), "studio", {T2V: sizes}, {}) == ()
    with pytest.raises(Problem, match=r"^aspect_ratio is not supported"):
        narrow = {T2V: sizes - {"height"}}
        catalog.check_support(wish, Catalog(ROWS).get("ray-2"), "studio", narrow, {"ratio": "aspect_ratio"})


def test_a_shape_that_is_no_size_is_heeded_by_nobody_who_does_not_name_it() -> None:
    sizes = frozenset({"prompt", "width", "height"})
    wish = Generation(operation=T2V, model="ray-2", prompt="a lake", extra={"ratio": "wide"})
    with pytest.raises(Problem, match=r"^ratio is not supported"):
        catalog.check_support(wish, Catalog(ROWS).get("ray-2"), "studio", {T2V: sizes}, {})


SHAPED: list[tuple[str, str, dict[str, object], str]] = [
    ("flux", "flux-pro-1.1-ultra", {"prompt": "x", "aspect_ratio": "21:9"}, "21:9"),
    ("flux", "flux-kontext-pro", {"prompt": "x", "aspect_ratio": "3:4"}, "3:4"),
    ("flux", "flux-3-video", {"mode": "t2v", "prompt": "x", "aspect_ratio": "1:1"}, "1:1"),
    ("kling", "videos/text2video", {"model_name": "kling-v2-master", "prompt": "x", "aspect_ratio": "1:1"}, "1:1"),
    ("kling", "images/generations", {"model_name": "kling-v2", "prompt": "x", "aspect_ratio": "3:4"}, "3:4"),
    ("luma", "generations/image", {"model": "photon-1", "prompt": "a lake", "aspect_ratio": "9:16"}, "9:16"),
    ("luma", "generations", {"model": "ray-2", "prompt": "a lake", "aspect_ratio": "3:4"}, "3:4"),
    ("minimax", "image_generation", {"model": "image-01", "prompt": "x", "aspect_ratio": "3:2"}, "3:2"),
]


@pytest.mark.parametrize(("wire", "path", "body", "shape"), SHAPED)
def test_the_renderer_makes_a_picture_of_the_shape_that_was_asked_for(
    wire: str, path: str, body: dict[str, object], shape: str
) -> None:
    route = next(each for each in BY_NAME[wire].routes if isinstance(each, Create) and each.path.endswith(f"/{path}"))
    read = route.parse(HttpRequest(method="POST", path=route.path, body=json.encode(body)))
    model = Catalog(ROWS).named(wire, read.generation.model)
    wish = replace(read.generation, model=model.name)
    assert not [note for note in Studio().plan(wish, model, read.fields) if "ratio" in note]
    made, (width, height) = complete(wish, model), map(int, shape.split(":"))
    assert made.width and made.height and made.width / made.height == pytest.approx(width / height, rel=0.03)


def test_a_shape_that_is_no_size_is_refused_by_who_heeds_no_shapes() -> None:
    wish = Generation(operation=T2I, model="flux-kontext-pro", prompt="x", extra={"ratio": "wide"})
    with pytest.raises(Problem) as caught:
        Studio().plan(wish, Catalog(ROWS).get("flux-kontext-pro"), {"ratio": "aspect_ratio"})
    assert caught.value.field == "aspect_ratio"


@pytest.mark.parametrize("advice", [{"contentModeration": {"publicFigureThreshold": "low"}}, {"audio": True}])
def test_advice_that_goes_unheeded_is_noted(advice: dict[str, object]) -> None:
    wish = Generation(operation=T2V, model="gen4.5", prompt="x", extra=advice)
    [note] = catalog.check_support(wish, Catalog(ROWS).get("gen4.5"), "studio", {T2V: frozenset({"prompt"})}, {})
    assert next(iter(advice)) in note


def test_what_every_engine_does_anyway_needs_no_honouring() -> None:
    wish = Generation(operation=T2V, model="gen4.5", prompt="x", extra={"outputFormat": "mp4", "audio": False})
    assert catalog.check_support(wish, Catalog(ROWS).get("gen4.5"), "studio", {T2V: frozenset({"prompt"})}, {}) == ()


def test_a_price_by_the_second_is_multiplied() -> None:
    model = Catalog(ROWS).get("gen4_turbo")
    assert catalog.estimate(Generation(operation=I2V, model=model.name, seconds=5), model.price) == 25


@pytest.mark.parametrize("operation", sorted(SIZED_BY_PICTURE))
def test_what_is_made_of_a_picture_here_is_as_big_as_it_whatever_the_row_s_usual_size(operation: Operation) -> None:
    model = row("m", "v", operation, price=an_image(1), defaults={"width": 1920, "height": 1080})
    picture = Input(role=Role.IMAGE, field="image", asset="x")
    asked = Generation(operation=operation, model="m", inputs=(picture,))
    assert (complete(asked, model).width, complete(asked, model).height) == (None, None)
    assert complete(replace(asked, width=640, height=480), model).width == 640
    assert complete(asked, model, remote=True).width == 1920, "a vendor is told what it was told before"


def test_the_shape_of_a_canvas_is_left_to_whoever_paints_around_the_picture() -> None:
    model = row("m", "v", Operation.IMAGE_OUTPAINT, Operation.IMAGE_TO_IMAGE, price=an_image(1))
    picture = Input(role=Role.IMAGE, field="image", asset="x")
    asked = Generation(operation=Operation.IMAGE_OUTPAINT, model="m", inputs=(picture,), extra={"ratio": "1:1"})
    assert complete(asked, model).extra == {"ratio": "1:1"}
    other = complete(replace(asked, operation=Operation.IMAGE_TO_IMAGE), model)
    assert (other.width, other.height, other.extra) == (960, 960, {})


def test_a_picture_of_unknown_size_is_not_free_where_megapixels_cost() -> None:
    asked = Generation(operation=Operation.IMAGE_INPAINT, model="m", count=2)
    assert estimate(asked, nominal(megapixel=3)) == 6
