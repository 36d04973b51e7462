"""Freepik called: its own documented examples and our own front are the other side of every conversation."""

import json
from collections.abc import Generator
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import inspect
from msgspec.structs import replace

from mutoscope.model import catalog
from mutoscope.model.http import HttpRequest, HttpResponse, json_response
from mutoscope.model.job import Failure, Generation, Input, Job, Operation, Output, Role, State, Update
from mutoscope.model.problem import Kind, Problem
from mutoscope.model.requests import Submission, Upload
from mutoscope.wirekit.back import File, Transport, VendorRequest, Way
from mutoscope.wirekit.body import literals
from mutoscope.wirekit.routes import Create, OpenUploads, Read
from mutoscope.wirekit.task import Endpoint as Model
from mutoscope.wires import ROWS
from mutoscope.wires.freepik import api as back
from mutoscope.wires.freepik import api as freepik
from mutoscope.wires.freepik.bodies import UploadType, WanShape
from mutoscope.wires.freepik.tasks import Status

assert freepik.WIRE.back
BACK = freepik.WIRE.back

GEN45 = "image-to-video/runway-4-5"
GEN45_TEXT = "text-to-video/runway-4-5"
TURBO = "image-to-video/runway-gen4-turbo"
IMAGE = "text-to-image/runway"
WAN = "image-to-video/wan-2-7"
WAN_TEXT = "text-to-video/wan-2-7"
PATHS = (GEN45, GEN45_TEXT, TURBO, IMAGE, WAN, WAN_TEXT)

PICTURE = "https://media.example.net/in/fox.png"
CLIP = "https://media.example.net/in/run.mp4"
SOUND = "https://media.example.net/in/a.mp3"
PNG = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAAB"
TASK = "5b0c7c1e-0f5e-4d0c-9a54-3f6f0a2b7d11"
OTHER = "c1d2a3b4-6a0b-4a9e-8a2f-2d2f1c0b9e77"
LINK = "https://media.example.net/out/5b0c7c1e_0.mp4?token=exp=1790000000~hmac=9f2c"

EXAMPLES: tuple[tuple[str, dict[str, Any]], ...] = (
    # the vendor's pages
    (
        GEN45,
        {
            "image": "https://storage.googleapis.com/fc-freepik-pro-rev1-eu-static/landing-api/examples/freepik.png",
            "prompt": "The subject slowly opens their eyes and smiles warmly, with a gentle camera zoom",
            "ratio": "1280:720",
            "duration": 8,
            "seed": 12345,
            "webhook_url": "https://example.com/webhook",
        },
    ),
    (
        IMAGE,
        {
            "prompt": "A serene mountain landscape at sunset with golden light",
            "ratio": "1920:1080",
            "seed": 12345,
            "webhook_url": "https://www.example.com/webhook",
        },
    ),
    (
        WAN,
        {
            "webhook_url": "https://www.example.com/webhook",
            "prompt": "The character walks forward slowly with wind blowing through their hair",
            "negative_prompt": "watermark, text, distortion, blurry, extra limbs",
            "start_image_url": "https://example.com/start-frame.jpg",
            "end_image_url": "https://example.com/end-frame.jpg",
            "audio_url": "<string>",
            "video_url": "https://example.com/input-video.mp4",
            "resolution": "1080P",
            "duration": 5,
            "seed": 12345,
            "additional_settings": {"prompt_extend": True},
        },
    ),
    # the examples of the specification
    (
        GEN45,
        {
            "image": PICTURE,
            "prompt": "the fox lifts its head, slow push in",
            "ratio": "960:960",
            "duration": 8,
            "seed": 77,
            "webhook_url": "https://hooks.example.net/fp",
        },
    ),
    (IMAGE, {"prompt": "a paper boat on a black lake, dawn", "ratio": "1440:1080", "seed": 4}),
    (
        WAN,
        {
            "start_image_url": "https://media.example.net/in/a.webp",
            "end_image_url": "https://media.example.net/in/b.webp",
            "prompt": "leaves fall between the two frames",
            "resolution": "720P",
            "duration": 6,
            "seed": 9,
            "additional_settings": {"prompt_extend": False},
        },
    ),
    # every other mode, with as little and as much as there is
    (GEN45, {"image": PNG, "prompt": ""}),
    (GEN45_TEXT, {"prompt": "p"}),
    (GEN45_TEXT, {"prompt": "p", "ratio": "832:1104", "duration": 10, "webhook_url": "https://h.example/f"}),
    (TURBO, {"image": PNG}),
    (TURBO, {"image": PICTURE, "prompt": "p", "ratio": "1584:672", "duration": 5, "seed": 0}),
    (WAN, {"start_image_url": PICTURE}),
    (WAN, {"start_image_url": PICTURE, "audio_url": SOUND}),
    (WAN, {"video_url": CLIP}),
    (WAN, {"video_url": CLIP, "end_image_url": PICTURE, "audio_url": SOUND, "duration": 15, "seed": 2147483647}),
    (WAN_TEXT, {"prompt": "p"}),
    (WAN_TEXT, {"prompt": "p", "aspect_ratio": "4:3"}),
    (
        WAN_TEXT,
        {
            "prompt": "p",
            "negative_prompt": "n",
            "audio_url": SOUND,
            "aspect_ratio": "3:4",
            "resolution": "720P",
            "duration": 2,
            "seed": 0,
            "additional_settings": {"prompt_extend": True},
            "webhook_url": "https://h.example/f",
        },
    ),
)


def drive(conversation: Generator[HttpRequest, HttpResponse, Any], *answers: HttpResponse) -> tuple[Any, Any]:
    """What a conversation returns after these answers, and the requests that it made."""
    requests: list[HttpRequest] = []
    waiting = list(answers)
    try:
        requests.append(next(conversation))
        while True:
            requests.append(conversation.send(waiting.pop(0)))
    except StopIteration as end:
        assert not waiting, "not every answer was wanted"
        return end.value, requests


def failing(conversation: Generator[HttpRequest, HttpResponse, Any], *answers: HttpResponse) -> Problem:
    with pytest.raises(Problem) as caught:
        drive(conversation, *answers)
    return caught.value


def raw(body: bytes, status: int = 200, **headers: str) -> HttpResponse:
    return HttpResponse(status=status, body=body, headers={name.replace("_", "-"): v for name, v in headers.items()})


def task(status: str = "CREATED", generated: Any = (), id: str = TASK, **more: Any) -> HttpResponse:
    return json_response({"data": {"task_id": id, "status": status, "generated": generated} | more})


def parse(path: str, body: bytes) -> Submission:
    route = next(each for each in freepik.WIRE.routes if isinstance(each, Create) and each.route == path)
    return route.parse(HttpRequest(method="POST", path=route.path, body=body))


def names_of(model: str) -> tuple[str, ...]:
    return next(row.names["freepik"] for row in ROWS if row.name == model)


def row_of(path: str) -> Model:
    return next(model for model in freepik.MODELS if model.route == path)


def order_of(submission: Submission, texts: dict[str, Any]) -> VendorRequest:
    """An order as the relay gives it: each file stands for itself."""
    wish = submission.generation
    return VendorRequest(
        generation=wish,
        names=names_of(wish.model),
        sources={each.field: texts[each.field] for each in wish.inputs},
        callback=submission.webhook,
        reference="01890a5d-ac96-774b-bcce-b302099a8057",
    )


def order(operation: Operation, model: str, *roles: Role, **wishes: Any) -> VendorRequest:
    """An order without files, as it is checked; made by hand, so that it can be wrong."""
    inputs = tuple(Input(role=role, field=role.value, url=PICTURE) for role in roles)
    wish = Generation(operation=operation, model=model, inputs=inputs, **wishes)
    return VendorRequest(generation=wish, names=names_of(model))


I2V, T2V, T2I, MORE = (
    Operation.IMAGE_TO_VIDEO,
    Operation.TEXT_TO_VIDEO,
    Operation.TEXT_TO_IMAGE,
    Operation.VIDEO_EXTENSION,
)
LEGAL = {
    GEN45: order(I2V, "gen4.5", Role.FIRST_FRAME, prompt="p", width=1280, height=720, seconds=5.0),
    GEN45_TEXT: order(T2V, "gen4.5", prompt="p", width=1280, height=720, seconds=5.0),
    TURBO: order(I2V, "gen4_turbo", Role.FIRST_FRAME, width=1280, height=720, seconds=10.0),
    IMAGE: order(T2I, "gen4_image", prompt="p", width=1920, height=1080),
    WAN: order(I2V, "wan-2.7", Role.FIRST_FRAME, resolution="1080p", seconds=5.0),
    WAN_TEXT: order(T2V, "wan-2.7", prompt="p", width=1920, height=1080, seconds=5.0),
}
CLIP_ORDER = order(MORE, "wan-2.7", Role.VIDEO, resolution="1080p", seconds=8.0)


def changed(path: str, **wishes: Any) -> VendorRequest:
    return replace(LEGAL[path], generation=replace(LEGAL[path].generation, **wishes))


def body_for(order: VendorRequest) -> dict[str, Any]:
    _, [request] = drive(BACK.submit(order), task())
    return json.loads(request.body)


# -- an order becomes a body -----------------------------------------------------------


@pytest.mark.parametrize(("path", "body"), EXAMPLES)
def test_what_our_front_understands_our_back_can_say(path: str, body: dict[str, Any]):
    submission = parse(path, json.dumps(body).encode())
    wanted = order_of(submission, body)
    BACK.check(replace(wanted, sources={}))
    _, [request] = drive(BACK.submit(wanted), task())
    assert request.path == f"/v1/ai/{path}"
    again = parse(path, request.body)
    assert (again.generation, again.webhook, again.notes) == (submission.generation, submission.webhook, ())


def test_the_documented_request_is_sent_as_it_is_documented():
    path, body = EXAMPLES[0]
    update, [request] = drive(BACK.submit(order_of(parse(path, json.dumps(body).encode()), body)), task())
    assert json.loads(request.body) == body
    assert request == HttpRequest(
        method="POST",
        path="/v1/ai/image-to-video/runway-4-5",
        headers={"content-type": "application/json", "idempotency-key": "01890a5d-ac96-774b-bcce-b302099a8057"},
        body=request.body,
        spends=True,
    )
    assert update == Update(state=State.QUEUED, upstream_status="CREATED", handle={"id": TASK, "path": path})


def values_of(name: str, type: inspect.Type) -> st.SearchStrategy[Any]:
    """What the annotation of a field allows."""
    match type:
        case inspect.UnionType():
            return values_of(name, next(each for each in type.types if not isinstance(each, inspect.NoneType)))
        case inspect.Metadata():
            return values_of(name, type.type)
        case inspect.LiteralType():
            return st.sampled_from(sorted(type.values))
        case inspect.IntType():
            return st.integers(type.ge, type.le)
        case inspect.BoolType():
            return st.booleans()
        case inspect.StructType():
            return bodies_of(type)
        case inspect.StrType() if name == "image":
            return st.sampled_from([PICTURE, PNG])
        case inspect.StrType() if name.endswith("_url"):
            return st.integers(0, 99).map("https://h.example/{}?a=b%20c".format)
        case inspect.StrType():
            longest = type.max_length or 0
            return st.text(min_size=type.min_length or 0, max_size=40) | st.just("\u00fc" * longest)
    raise AssertionError(type)


def bodies_of(type: inspect.StructType) -> st.SearchStrategy[dict[str, Any]]:
    fields = {field.name: values_of(field.name, field.type) for field in type.fields}
    required = {field.name: fields.pop(field.name) for field in type.fields if field.required}
    return st.fixed_dictionaries(required, optional=fields)


def legal_bodies(path: str) -> st.SearchStrategy[dict[str, Any]]:
    shape = inspect.type_info(row_of(path).body)
    assert isinstance(shape, inspect.StructType)
    bodies = bodies_of(shape)
    if path != WAN:
        return bodies
    starts = st.sampled_from([{"start_image_url": PICTURE}, {"video_url": CLIP}])
    return st.tuples(bodies, starts).map(lambda each: each[0] | each[1])


@pytest.mark.parametrize("path", PATHS)
@given(data=st.data())
@settings(max_examples=60)
def test_every_legal_body_comes_back_as_the_same_generation(path: str, data: st.DataObject):
    body = data.draw(legal_bodies(path))
    submission = parse(path, json.dumps(body).encode())
    wanted = order_of(submission, body)
    BACK.check(replace(wanted, sources={}))
    _, [request] = drive(BACK.submit(wanted), task())
    again = parse(path, request.body)
    assert (again.generation, again.webhook) == (submission.generation, submission.webhook)


@pytest.mark.parametrize("path", PATHS)
@given(data=st.data())
@settings(max_examples=60)
def test_what_the_catalog_filled_in_is_said_too(path: str, data: st.DataObject):
    body = data.draw(legal_bodies(path))
    submission = parse(path, json.dumps(body).encode())
    row = next(row for row in ROWS if row.name == submission.generation.model)
    full = catalog.complete(submission.generation, row)
    wanted = replace(order_of(submission, body), generation=full)
    _, [request] = drive(BACK.submit(wanted), task())
    again = catalog.complete(parse(path, request.body).generation, row)
    assert [(each.role, each.url, each.data) for each in again.inputs] == [
        (each.role, each.url, each.data) for each in full.inputs
    ]
    told = ("operation", "model", "prompt", "negative_prompt", "width", "height", "seconds", "seed", "extra")
    assert [getattr(again, name) for name in told] == [getattr(full, name) for name in told]
    assert again.resolution == full.resolution or full.width is not None


@pytest.mark.parametrize("path", PATHS)
def test_a_field_that_nobody_asked_for_is_not_sent(path: str):
    bare = replace(LEGAL[path], generation=replace(LEGAL[path].generation, seconds=None, resolution=None))
    sent = body_for(bare)
    assert set(sent) <= {"image", "start_image_url", "prompt", "ratio", "aspect_ratio", "resolution"}
    assert None not in sent.values()


@pytest.mark.parametrize("path", [each for each in PATHS if each != IMAGE])
def test_whole_seconds_are_sent_as_a_whole_number(path: str):
    assert b'"duration":10' in drive(BACK.submit(changed(path, seconds=10.0)), task())[1][0].body
    assert isinstance(body_for(changed(path, seconds=10.0))["duration"], int)


@pytest.mark.parametrize("path", [WAN, WAN_TEXT])
@pytest.mark.parametrize(
    ("seed", "sent"), [(0, 0), (2**31 - 1, 2**31 - 1), (2**31, 0), (2**31 + 7, 7), (2**32 - 1, 2**31 - 1)]
)
def test_a_seed_of_a_wider_range_is_folded(path: str, seed: int, sent: int):
    assert body_for(changed(path, seed=seed))["seed"] == sent


@pytest.mark.parametrize("path", [GEN45, TURBO, IMAGE])
def test_a_seed_that_fits_is_sent_as_it_is(path: str):
    assert body_for(changed(path, seed=2**32 - 1))["seed"] == 2**32 - 1
    assert body_for(changed(path, seed=2**32 + 3))["seed"] == 3


@pytest.mark.parametrize("tier", ["720p", "1080p"])
@pytest.mark.parametrize("shape", get_args(WanShape))
def test_pixels_are_told_as_shape_and_tier(shape: str, tier: str):
    size = catalog.pixels_of(shape, tier)
    assert size is not None
    sent = body_for(changed(WAN_TEXT, width=size[0], height=size[1]))
    assert (sent["aspect_ratio"], sent["resolution"]) == (shape, tier.upper())
    assert body_for(changed(WAN_TEXT, width=size[0], height=size[1], resolution=tier)) == sent


def test_a_shape_without_a_size_is_told_as_a_shape():
    bare = changed(WAN_TEXT, width=None, height=None, extra={"ratio": "1:1"})
    assert (body_for(bare)["aspect_ratio"], "resolution" in body_for(bare)) == ("1:1", False)


@pytest.mark.parametrize("path", [GEN45, GEN45_TEXT, TURBO, IMAGE])
def test_pixels_are_told_as_a_ratio(path: str):
    [ratios] = literals(row_of(path).body.__annotations__["ratio"])
    assert len(ratios) >= 5
    for ratio in ratios:
        width, _, height = ratio.partition(":")
        assert body_for(changed(path, width=int(width), height=int(height)))["ratio"] == ratio


# -- what cannot be said ---------------------------------------------------------------

WRONG: tuple[tuple[str, dict[str, Any], Kind, str, str], ...] = (
    (GEN45, {"seconds": 7.0}, Kind.INVALID, "seconds", "5, 8 or 10"),
    (GEN45_TEXT, {"seconds": 5.5}, Kind.INVALID, "seconds", "5, 8 or 10"),
    (TURBO, {"seconds": 8.0}, Kind.INVALID, "seconds", "5 or 10"),
    (WAN, {"seconds": 1.0}, Kind.INVALID, "seconds", "greater than or equal to 2"),
    (WAN, {"seconds": 16.0}, Kind.INVALID, "seconds", "less than or equal to 15"),
    (WAN_TEXT, {"seconds": 4.5}, Kind.INVALID, "seconds", "integer"),
    (WAN_TEXT, {"seconds": float("nan")}, Kind.INVALID, "seconds", "integer"),
    (GEN45, {"width": 1920, "height": 1080}, Kind.INVALID, "width", "1280:720"),
    (TURBO, {"width": 1281}, Kind.INVALID, "width", "1584:672"),
    (IMAGE, {"width": 512, "height": 512}, Kind.INVALID, "width", "720:720"),
    (IMAGE, {"width": None, "height": None}, Kind.INVALID, "width", "Field required"),
    (GEN45, {"height": None}, Kind.INVALID, "height", "width and the height"),
    (GEN45, {"width": None}, Kind.INVALID, "width", "width and the height"),
    (GEN45, {"width": None, "height": None, "resolution": "720p"}, Kind.UNSUPPORTED, "resolution", "pixels"),
    (WAN, {"width": 1280, "height": 720}, Kind.UNSUPPORTED, "width", "resolution"),
    (WAN, {"resolution": "480p"}, Kind.INVALID, "resolution", "'720P' or '1080P'"),
    (WAN_TEXT, {"width": 1104, "height": 832}, Kind.INVALID, "width", "1108×832"),
    (WAN_TEXT, {"resolution": "720p"}, Kind.INVALID, "resolution", "1920×1080 is 1080p"),
    (WAN_TEXT, {"extra": {"ratio": "1:1"}}, Kind.INVALID, "ratio", "1920×1080 is 16:9"),
    (WAN_TEXT, {"width": None, "height": None, "extra": {"ratio": "21:9"}}, Kind.INVALID, "ratio", "'16:9'"),
    (GEN45, {"prompt": None}, Kind.INVALID, "prompt", "Field required"),
    (GEN45, {"prompt": "x" * 2001}, Kind.INVALID, "prompt", "at most 2000 characters"),
    (TURBO, {"prompt": ""}, Kind.INVALID, "prompt", "at least 1 character"),
    (IMAGE, {"prompt": "x" * 1001}, Kind.INVALID, "prompt", "at most 1000 characters"),
    (WAN, {"prompt": "x" * 5001}, Kind.INVALID, "prompt", "at most 5000 characters"),
    (WAN, {"negative_prompt": "x" * 501}, Kind.INVALID, "negative_prompt", "at most 500 characters"),
    (WAN_TEXT, {"negative_prompt": "x" * 501}, Kind.INVALID, "negative_prompt", "at most 500 characters"),
    (WAN, {"extra": {"prompt_extend": "yes"}}, Kind.INVALID, "prompt_extend", "boolean"),
    (GEN45, {"seed": -1}, Kind.INVALID, "seed", "greater than or equal to 0"),
    (GEN45, {"inputs": ()}, Kind.INVALID, "first_frame", "Field required"),
    (TURBO, {"inputs": ()}, Kind.INVALID, "first_frame", "Field required"),
    (WAN, {"inputs": ()}, Kind.INVALID, "first_frame", "start_image_url"),
)


@pytest.mark.parametrize(("path", "wishes", "kind", "field", "told"), WRONG)
def test_what_cannot_be_said_is_refused_by_our_name_of_it(
    path: str, wishes: dict[str, Any], kind: Kind, field: str, told: str
):
    wrong = changed(path, **wishes)
    with pytest.raises(Problem) as caught:
        BACK.check(wrong)
    assert (caught.value.kind, caught.value.field) == (kind, field)
    assert told in caught.value.message
    assert failing(BACK.submit(wrong)).field == field  # before any request


@pytest.mark.parametrize("path", PATHS)
def test_what_can_be_said_passes(path: str):
    BACK.check(LEGAL[path])
    BACK.check(CLIP_ORDER)


def test_every_bad_value_is_told_at_once():
    with pytest.raises(Problem) as caught:
        BACK.check(changed(GEN45, seconds=7.0, width=1, height=2, prompt="x" * 3000))
    assert caught.value.field == "prompt"
    assert all(name in caught.value.message for name in ("seconds:", "width:", "prompt:"))


def test_a_clip_that_is_missing_is_called_by_its_name():
    with pytest.raises(Problem) as caught:
        BACK.check(replace(CLIP_ORDER, generation=replace(CLIP_ORDER.generation, inputs=())))
    assert (caught.value.kind, caught.value.field) == (Kind.INVALID, "video")


def test_a_last_frame_alone_is_no_start():
    wish = replace(LEGAL[WAN].generation, inputs=(Input(role=Role.LAST_FRAME, field="e", url=PICTURE),))
    with pytest.raises(Problem) as caught:
        BACK.check(replace(LEGAL[WAN], generation=wish))
    assert (caught.value.kind, caught.value.field) == (Kind.INVALID, "last_frame")


def test_two_files_for_one_field_are_refused():
    two = tuple(Input(role=Role.FIRST_FRAME, field=f"f{number}", url=PICTURE) for number in range(2))
    with pytest.raises(Problem) as caught:
        BACK.check(changed(GEN45, inputs=two))
    assert (caught.value.kind, caught.value.field) == (Kind.INVALID, "first_frame")


@pytest.mark.parametrize(
    ("operation", "names"),
    [
        (I2V, ()),
        (I2V, ("image-to-video/kling-v9",)),
        (T2V, ("image-to-video/runway-gen4-turbo",)),
        (MORE, ("image-to-video/runway-4-5",)),
        (MORE, ("text-to-video/wan-2-7",)),
        (Operation.VIDEO_TO_VIDEO, ("image-to-video/wan-2-7",)),
    ],
)
def test_what_the_vendor_does_not_make_is_not_heeded(operation: Operation, names: tuple[str, ...]):
    assert BACK.supports(operation, names) is None
    wanted = VendorRequest(generation=Generation(operation=operation, model="m"), names=names)
    with pytest.raises(Problem) as caught:
        BACK.check(wanted)
    assert caught.value.kind is Kind.UNSUPPORTED
    assert BACK.ways(wanted, Input(role=Role.FIRST_FRAME, field="f")) == ()


# -- what can be said ------------------------------------------------------------------

SIZE = {"width", "height"}
SUPPORTED: tuple[tuple[Operation, str, set[str]], ...] = (
    (I2V, "gen4.5", {"prompt", "seconds", "seed", "first_frame"} | SIZE),
    (T2V, "gen4.5", {"prompt", "seconds"} | SIZE),
    (I2V, "gen4_turbo", {"prompt", "seconds", "seed", "first_frame"} | SIZE),
    (T2I, "gen4_image", {"prompt", "seed"} | SIZE),
    (
        I2V,
        "wan-2.7",
        {"prompt", "negative_prompt", "seconds", "seed", "resolution", "prompt_extend"}
        | {"first_frame", "last_frame", "audio"},
    ),
    (
        MORE,
        "wan-2.7",
        {"prompt", "negative_prompt", "seconds", "seed", "resolution", "prompt_extend"}
        | {"video", "last_frame", "audio"},
    ),
    (
        T2V,
        "wan-2.7",
        {"prompt", "negative_prompt", "seconds", "seed", "resolution", "prompt_extend", "ratio", "audio"} | SIZE,
    ),
)


@pytest.mark.parametrize(("operation", "model", "supported"), SUPPORTED)
def test_what_a_body_has_a_field_for_is_supported(operation: Operation, model: str, supported: set[str]):
    assert BACK.supports(operation, names_of(model)) == supported


def test_every_model_of_the_catalog_is_heeded_for_all_that_it_serves():
    rows = [row for row in ROWS if "freepik" in row.names]
    named = [path for row in rows for path in row.names["freepik"]]
    assert sorted(named) == sorted(each.at for each in freepik.API.endpoints)
    assert set(PATHS) <= set(named)
    for row in rows:
        said = [operation for operation in row.serves if operation not in freepik.UNSENT]
        assert all(BACK.supports(operation, row.names["freepik"]) for operation in said), row.name


MIB = 1024 * 1024
WAYS: tuple[tuple[VendorRequest, Role, tuple[Transport, ...]], ...] = (
    (LEGAL[GEN45], Role.FIRST_FRAME, (Transport(Way.LINK), Transport(Way.UPLOAD, 1024 * MIB), Transport(Way.DATA))),
    (LEGAL[TURBO], Role.FIRST_FRAME, (Transport(Way.LINK), Transport(Way.UPLOAD, 1024 * MIB), Transport(Way.DATA))),
    (LEGAL[WAN], Role.FIRST_FRAME, (Transport(Way.LINK, 20 * MIB), Transport(Way.UPLOAD, 20 * MIB))),
    (LEGAL[WAN], Role.LAST_FRAME, (Transport(Way.LINK, 20 * MIB), Transport(Way.UPLOAD, 20 * MIB))),
    (LEGAL[WAN], Role.AUDIO, (Transport(Way.LINK, 15 * MIB), Transport(Way.UPLOAD, 15 * MIB))),
    (CLIP_ORDER, Role.VIDEO, (Transport(Way.LINK, 100 * MIB), Transport(Way.UPLOAD, 100 * MIB))),
    (LEGAL[WAN], Role.VIDEO, ()),
    (CLIP_ORDER, Role.FIRST_FRAME, ()),
    (LEGAL[IMAGE], Role.REFERENCE, ()),
)


@pytest.mark.parametrize(("order", "role", "expected"), WAYS)
def test_a_file_travels_as_its_field_allows(order: VendorRequest, role: Role, expected: tuple[Transport, ...]):
    assert BACK.ways(order, Input(role=role, field="f", media_type="image/png")) == expected
    assert BACK.ways(order, Input(role=role, field="f")) == expected


def test_a_file_of_a_type_that_cannot_be_uploaded_goes_another_way():
    bitmap = Input(role=Role.FIRST_FRAME, field="f", media_type="image/bmp")
    assert [each.way for each in BACK.ways(LEGAL[GEN45], bitmap)] == [Way.LINK, Way.DATA]
    assert [each.way for each in BACK.ways(LEGAL[WAN], bitmap)] == [Way.LINK]


# -- submitting ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (task("CREATED", []), State.QUEUED),
        (task("IN_PROGRESS", []), State.RUNNING),
        (raw(b'{"data":{"task_id":"%s","status":"CREATED"}}' % TASK.encode()), State.QUEUED),
        (raw(b'{"data":{"task_id":"%s","status":"CREATED","generated":null,"x":1}}' % TASK.encode()), State.QUEUED),
        (replace(task("IN_PROGRESS", []), status=201), State.RUNNING),
    ],
)
def test_a_create_is_read_however_much_it_tells(answer: HttpResponse, state: State):
    update, _ = drive(BACK.submit(LEGAL[GEN45]), answer)
    assert (update.state, update.handle) == (state, {"id": TASK, "path": GEN45})


def test_a_task_that_ends_at_once_is_told_with_its_handle():
    done, _ = drive(BACK.submit(LEGAL[WAN]), task("COMPLETED", [LINK]))
    assert (done.state, done.links, done.handle["id"]) == (State.SUCCEEDED, (LINK,), TASK)
    failed, _ = drive(BACK.submit(LEGAL[WAN]), task("FAILED"))
    assert (failed.state, failed.handle["id"]) == (State.FAILED, TASK)
    assert failed.failure


@pytest.mark.parametrize("word", ["PENDING", "created", "", "x" * 5000])
def test_the_handle_of_a_paid_task_is_kept_whatever_its_status_says(word: str):
    """The money is spent: what cannot be understood yet is asked about again."""
    update, _ = drive(BACK.submit(LEGAL[GEN45]), task(word))
    assert update == Update(state=State.QUEUED, upstream_status=word[:100], handle={"id": TASK, "path": GEN45})


GARBAGE = (
    *(b"", b"{", b"[]", b"null", b"5", b'"x"', b"{}", b"<html>busy</html>", b"\xff\xfe", b"[" * 100_000),
    *(b'{"data":null}', b'{"data":[]}', b'{"data":{}}', b'{"task_id":"a","status":"CREATED"}'),
    b'{"data":{"task_id":5,"status":"CREATED"}}',
    b'{"data":{"task_id":"","status":"CREATED"}}',
    b'{"data":{"task_id":"../../admin","status":"CREATED"}}',
    b'{"data":{"task_id":"a\\n","status":"CREATED"}}',
    b'{"data":{"task_id":"' + b"a" * 200 + b'","status":"CREATED"}}',
    b'{"data":{"task_id":"%s"}}' % TASK.encode(),
    b'{"data":{"task_id":"%s","status":7}}' % TASK.encode(),
    b'{"data":{"task_id":"%s","status":"COMPLETED","generated":[{"url":"u"}]}}' % TASK.encode(),
)


@pytest.mark.parametrize("body", GARBAGE)
def test_an_answer_that_cannot_be_read_is_the_vendors_failure(body: bytes):
    for conversation in (BACK.submit(LEGAL[GEN45]), BACK.poll({"id": TASK, "path": GEN45})):
        problem = failing(conversation, raw(body))
        assert problem.kind is Kind.UPSTREAM_FAILED
        assert "Freepik" in problem.message


# -- polling -----------------------------------------------------------------------------

HANDLE = {"id": TASK, "path": GEN45}


@pytest.mark.parametrize(("word", "state"), [("CREATED", State.QUEUED), ("IN_PROGRESS", State.RUNNING)])
def test_an_unfinished_task_is_read(word: str, state: State):
    update, [request] = drive(BACK.poll(HANDLE), task(word))
    assert update == Update(state=state, upstream_status=word)
    assert request == HttpRequest(method="GET", path=f"/v1/ai/{GEN45}/{TASK}")


def test_a_completed_task_brings_its_links():
    update, _ = drive(BACK.poll(HANDLE), task("COMPLETED", [LINK, LINK + "&2"], has_nsfw=[False, False]))
    assert update == Update(state=State.SUCCEEDED, upstream_status="COMPLETED", links=(LINK, LINK + "&2"))


@pytest.mark.parametrize("error", [{}, {"error": None}, {"error": ""}, {"error": {"code": 5}}])
def test_a_failed_task_gives_no_reason_and_it_is_said_so(error: dict[str, Any]):
    update, _ = drive(BACK.poll(HANDLE), task("FAILED", **error))
    failure = Failure(kind=Kind.UPSTREAM_FAILED, message="Freepik could not make it and gives no reason.")
    assert update == Update(state=State.FAILED, upstream_status="FAILED", failure=failure)


def test_a_reason_is_passed_on_where_there_is_one():
    update, _ = drive(BACK.poll(HANDLE), task("FAILED", error="the picture could not be fetched"))
    assert update.failure.message == "Freepik could not make it: the picture could not be fetched"
    long, _ = drive(BACK.poll(HANDLE), task("FAILED", error="x" * 10_000))
    assert len(long.failure.message) < 600


@pytest.mark.parametrize("word", ["CANCELLED", "PENDING", "PROCESSING", "DONE", "completed", "", "x" * 5000])
def test_an_unknown_status_is_named(word: str):
    problem = failing(BACK.poll(HANDLE), task(word, [LINK]))
    assert problem.kind is Kind.UPSTREAM_FAILED
    assert repr(word[:100]) in problem.message
    assert "COMPLETED" in problem.message
    assert len(problem.message) < 400


@pytest.mark.parametrize("generated", [[], None, [""], ["iVBORw0KGgo="], [LINK, "javascript:alert(1)"], ["file:///x"]])
def test_a_completed_task_without_a_link_is_not_done(generated: Any):
    assert failing(BACK.poll(HANDLE), task("COMPLETED", generated)).kind is Kind.UPSTREAM_FAILED


def test_the_answer_must_speak_of_the_task_that_was_asked_for():
    problem = failing(BACK.poll(HANDLE), task("COMPLETED", [LINK], id=OTHER))
    assert problem.kind is Kind.UPSTREAM_FAILED
    assert OTHER in problem.message
    assert drive(BACK.poll(HANDLE), task("CREATED", id=TASK.upper()))[0].state is State.QUEUED


def test_a_task_that_the_vendor_does_not_know_is_not_found():
    assert failing(BACK.poll(HANDLE), json_response({"message": "Not found"}, 404)).kind is Kind.NOT_FOUND


# -- errors --------------------------------------------------------------------------------

RATIOS = "Input should be '1280:720', '720:1280', '1104:832', '960:960' or '832:1104'"
ERRORS: tuple[tuple[int, Any, Kind, str | None, tuple[str, ...]], ...] = (
    (400, {"message": "Bad Request"}, Kind.INVALID, None, ("400: Bad Request",)),
    (
        400,  # as documented
        {"message": "Parameter 'ratio' is not valid", "invalid_params": [{"name": "ratio", "reason": RATIOS}]},
        Kind.INVALID,
        "width",
        ("Parameter 'ratio' is not valid; ratio: Input should be '1280:720'",),
    ),
    (
        400,  # as the schema declares it
        {"problem": {"message": "Validation error", "invalid_params": [{"name": "duration", "reason": "5 or 8"}]}},
        Kind.INVALID,
        "seconds",
        ("Validation error; duration: 5 or 8",),
    ),
    (
        400,  # as it is sent
        {
            "message": "Validation error",
            "invalid_params": [
                {"field": "body.page_size", "reason": "Extra"},
                {"field": "body.additional_settings.prompt_extend", "reason": "Input should be a valid boolean"},
                {"field": "body.prompt", "reason": "Field required"},
            ],
        },
        Kind.INVALID,
        "prompt_extend",
        ("page_size: Extra; additional_settings.prompt_extend: Input should be a valid boolean; prompt: Field",),
    ),
    (
        400,
        {"message": "m", "invalid_params": [{"field": "body.image", "name": "image", "reason": "r"}]},
        Kind.INVALID,
        "first_frame",
        ("m; image: r",),
    ),
    (400, {"message": "m", "invalid_params": [{"field": "body", "reason": "r"}]}, Kind.INVALID, None, ("m; body: r",)),
    (400, {"message": "m", "invalid_params": [{"reason": "r"}, 5, None]}, Kind.INVALID, None, ("m; r",)),
    (400, {"message": "m", "invalid_params": "all"}, Kind.INVALID, None, ("400: m",)),
    (400, {"message": ["m"]}, Kind.INVALID, None, ("no reason given",)),
    (401, {"message": "Missing API key"}, Kind.UNAUTHENTICATED, None, ("Missing API key",)),
    (401, {"message": "Invalid API key"}, Kind.UNAUTHENTICATED, None, ("Invalid API key",)),
    (402, {"message": "No credits"}, Kind.QUOTA_EXCEEDED, None, ("No credits",)),
    (403, {"message": "Forbidden"}, Kind.FORBIDDEN, None, ("Forbidden",)),
    (404, {"message": "Not found"}, Kind.NOT_FOUND, None, ("Not found",)),
    (422, {"message": "m"}, Kind.INVALID, None, ("422: m",)),
    (429, {"message": "Too many requests"}, Kind.RATE_LIMITED, None, ("Too many requests",)),
    (500, {"message": "Internal Server Error"}, Kind.UPSTREAM_FAILED, None, ("500: Internal Server Error",)),
    (500, {"message": "m", "detail": "the disk is full"}, Kind.UPSTREAM_FAILED, None, ("m; the disk is full",)),
    (502, b"<html><h1>502 Bad Gateway</h1></html>", Kind.UPSTREAM_FAILED, None, ("502: no reason given",)),
    (503, {"message": "Service Unavailable. Please try again later."}, Kind.UNAVAILABLE, None, ("Unavailable",)),
    (504, b"", Kind.UPSTREAM_FAILED, None, ("504: no reason given",)),
    (302, b"", Kind.UPSTREAM_FAILED, None, ("302: no reason given",)),
    (400, b"[" * 100_000, Kind.INVALID, None, ("no reason given",)),
    (400, b"null", Kind.INVALID, None, ("no reason given",)),
    (400, b"\xff", Kind.INVALID, None, ("no reason given",)),
    (400, {"message": "x" * 9000}, Kind.INVALID, None, ("x" * 400,)),
)


@pytest.mark.parametrize(("status", "body", "kind", "field", "told"), ERRORS)
def test_an_error_answer_is_read_in_every_shape(
    status: int, body: Any, kind: Kind, field: str | None, told: tuple[str, ...]
):
    answer = raw(body if isinstance(body, bytes) else json.dumps(body).encode(), status)
    conversations = [
        *(BACK.submit(LEGAL[GEN45]), BACK.poll(HANDLE)),
        BACK.upload(File(name="a.png", media_type="image/png", data=b"x")) if BACK.upload else BACK.poll(HANDLE),
    ]
    for conversation in conversations:
        problem = failing(conversation, answer)
        assert (problem.kind, problem.field) == (kind, field)
        assert all(text in problem.message for text in ("Freepik", *told))
        assert len(problem.message) < 600


def test_a_bad_field_is_called_what_was_asked_for():
    answer = json_response({"message": "m", "invalid_params": [{"name": "aspect_ratio", "reason": "r"}]}, 400)
    assert failing(BACK.submit(LEGAL[WAN_TEXT]), answer).field == "width"
    shaped = changed(WAN_TEXT, width=None, height=None, extra={"ratio": "1:1"})
    assert failing(BACK.submit(shaped), answer).field == "ratio"


def test_the_time_to_wait_is_passed_on():
    problem = failing(BACK.poll(HANDLE), raw(b'{"message":"Too many requests"}', 429, retry_after="7"))
    assert problem.retry_after == 7
    assert failing(BACK.poll(HANDLE), raw(b"", 429, retry_after="Wed, 21 Oct 2026 07:28:00 GMT")).retry_after is None


# -- lists -----------------------------------------------------------------------------------


def listed(*tasks: tuple[str, str]) -> HttpResponse:
    return json_response({"data": [{"task_id": id, "status": status} for id, status in tasks]})


def handles(count: int, path: str = WAN) -> tuple[dict[str, str], ...]:
    return tuple({"id": f"task-{number}", "path": path} for number in range(count))


def batch(*arguments: Any) -> Any:
    assert BACK.batch
    return BACK.batch(*arguments)


def test_the_list_tells_who_is_unfinished():
    news, [request] = drive(
        batch(handles(5)),
        listed(
            *[("task-3", "IN_PROGRESS"), ("another", "CREATED"), ("task-0", "CREATED")],
            *[("task-1", "COMPLETED"), ("task-2", "FAILED"), ("task-4", "DONE")],
        ),
    )
    assert request == HttpRequest(method="GET", path=f"/v1/ai/{WAN}", query={"page": "1", "per_page": "100"})
    assert news == {
        0: Update(state=State.QUEUED, upstream_status="CREATED"),
        3: Update(state=State.RUNNING, upstream_status="IN_PROGRESS"),
    }


def test_the_list_is_read_on_while_it_tells_of_somebody():
    tasks = [(f"task-{number}", "CREATED") for number in range(250)]
    pages = [listed(*tasks[:100]), listed(*tasks[100:200]), listed(*tasks[200:])]
    news, requests = drive(batch(handles(250)), *pages)
    assert [request.query["page"] for request in requests] == ["1", "2", "3"]
    assert sorted(news) == list(range(250))


def test_a_page_that_tells_of_nobody_is_the_last_to_be_read():
    strangers = listed(*[(f"stranger-{number}", "CREATED") for number in range(100)])
    assert drive(batch(handles(3)), strangers)[0] == {}


def test_a_page_that_is_not_full_is_the_last_to_be_read():
    assert sorted(drive(batch(handles(3)), listed(("task-0", "CREATED"), ("task-2", "CREATED")))[0]) == [0, 2]


def test_no_page_is_read_after_everybody_was_told_of():
    full = listed(*[(f"task-{number}", "CREATED") for number in range(100)])
    assert sorted(drive(batch(handles(100)), full)[0]) == list(range(100))


def test_a_vendor_that_knows_no_pages_is_asked_no_more_than_twice():
    everything = listed(*[(f"task-{number}", "CREATED") for number in range(150)])
    news, requests = drive(batch((*handles(150), {"id": "missing", "path": WAN})), everything, everything)
    assert (len(news), len(requests)) == (150, 2)


@pytest.mark.parametrize("status", [400, 404, 405])
def test_a_vendor_without_the_list_tells_of_nobody(status: int):
    assert drive(batch(handles(3)), json_response({"message": "Not found"}, status))[0] == {}


@pytest.mark.parametrize(
    ("status", "kind"), [(401, Kind.UNAUTHENTICATED), (429, Kind.RATE_LIMITED), (500, Kind.UPSTREAM_FAILED)]
)
def test_trouble_with_the_list_is_told(status: int, kind: Kind):
    assert failing(batch(handles(3)), json_response({"message": "m"}, status)).kind is kind


@pytest.mark.parametrize("body", [b"", b"{}", b'{"data":{}}', b'{"data":[{"task_id":"a"}]}', b'{"data":[5]}'])
def test_a_list_that_cannot_be_read_is_the_vendors_failure(body: bytes):
    assert failing(batch(handles(3)), raw(body)).kind is Kind.UPSTREAM_FAILED


def test_only_tasks_of_one_path_are_asked_about_together():
    assert BACK.batch_key
    assert BACK.batch_key(handles(1, WAN)[0]) != BACK.batch_key(handles(1, GEN45)[0])


def find(order: VendorRequest) -> Any:
    assert BACK.find
    return BACK.find(order, 1_790_000_000.0)


def test_the_newest_tasks_of_a_path_are_found():
    found, [request] = drive(find(LEGAL[WAN]), listed((TASK, "COMPLETED"), (OTHER, "NEW")))
    assert found == ({"id": TASK, "path": WAN}, {"id": OTHER, "path": WAN})
    assert (request.path, request.query["page"], request.spends) == (f"/v1/ai/{WAN}", "1", False)
    assert drive(find(LEGAL[GEN45]), listed())[0] == ()


@pytest.mark.parametrize("status", [400, 404, 405, 500])
def test_a_vendor_without_the_list_does_not_say_that_nothing_arrived(status: int):
    """An empty answer would be taken for leave to submit again."""
    assert failing(find(LEGAL[WAN]), json_response({"message": "m"}, status))


# -- callbacks, uploads, keys ------------------------------------------------------------------


def callback(body: bytes) -> Any:
    assert BACK.read_callback
    return BACK.read_callback(LEGAL[WAN], HttpRequest(method="POST", path="/callbacks/x", body=body))


@pytest.mark.parametrize(
    "body",
    [
        {"task_id": TASK, "status": "COMPLETED", "generated": [LINK]},
        {"data": {"task_id": TASK, "status": "IN_PROGRESS", "generated": []}},
        {"task_id": TASK, "status": "a new word"},
        {"task_id": TASK, "status": "FAILED", "generated": None, "error": {"code": 1}},
    ],
)
def test_a_callback_names_its_task_wrapped_or_not(body: dict[str, Any]):
    assert callback(json.dumps(body).encode()) == {"id": TASK, "path": WAN}


@pytest.mark.parametrize("body", [b"", b"{}", b"null", b"[", b"\xff", b'{"task_id":"../x","status":"FAILED"}'])
def test_a_callback_that_speaks_of_no_task_is_no_news(body: bytes):
    assert callback(body) is None


@pytest.mark.parametrize("state", [State.RUNNING, State.SUCCEEDED, State.FAILED, State.CANCELED])
def test_our_own_webhooks_are_callbacks(state: State):
    id = "01890a5d-ac96-774b-bcce-b302099a8057"
    wish = Generation(operation=I2V, model="gen4.5")
    job = Job(id=id, wire="freepik", route=GEN45, owner="", generation=wish, engine="e", created=1.0, state=state)
    body = freepik.WIRE.render_webhook(job)
    assert body is not None
    assert callback(body) == {"id": freepik.WIRE.public_id(id), "path": WAN}


FILE = File(name="fox.png", media_type="image/png", data=b"\x89PNG bytes")


def upload(file: File = FILE) -> Any:
    assert BACK.upload
    return BACK.upload(file)


def slot(**changes: Any) -> HttpResponse:
    values: dict[str, Any] = {
        "file_id": TASK,
        "upload_url": "https://store.example/put/1?sig=s%2F",
        "headers": {"Content-Type": "image/png", "x-goog-content-length-range": "0,10"},
        "expires_in": 120,
        "asset_url": "https://store.example/get/1",
        "asset_url_expires_in": 86400,
    }
    return json_response({"files": [values | changes]})


def test_a_file_is_put_where_the_vendor_says_with_its_headers_and_no_others():
    link, [asked, put] = drive(upload(), slot(), HttpResponse(status=204))
    assert link == "https://store.example/get/1"
    assert (asked.method, asked.path, asked.spends) == ("POST", "/v1/ai/uploads/request-url", False)
    assert json.loads(asked.body) == {"files": [{"content_type": "image/png"}]}
    assert put == HttpRequest(
        method="PUT",
        path="https://store.example/put/1?sig=s%2F",
        headers={"content-type": "image/png", "x-goog-content-length-range": "0,10"},
        body=FILE.data,
    )


def test_our_own_slots_can_be_filled():
    opened = Upload(
        id="01890a5d-ac96-774b-bcce-b302099a8057",
        wire="freepik",
        owner="",
        media_type="image/png",
        max_bytes=1,
        created=0.0,
        slot_expires=120.0,
        expires=9.0,
        put_url="http://127.0.0.1:9/uploads/1?sig=s",
        asset_url="http://127.0.0.1:9/files/1.png?sig=s",
    )
    answer = freepik.render_uploads((opened,), HttpRequest(method="POST", path="/"))
    link, [asked, put] = drive(upload(), answer, HttpResponse())
    assert (link, put.path) == (opened.asset_url, opened.put_url)
    route = next(each for each in freepik.WIRE.routes if isinstance(each, OpenUploads))
    assert [wish.media_type for wish in route.parse(asked)] == ["image/png"]


def test_what_cannot_be_uploaded_is_not_tried():
    for type in get_args(UploadType):
        assert next(upload(replace(FILE, media_type=type))).method == "POST"
    problem = failing(upload(replace(FILE, media_type="image/bmp")))
    assert problem.kind is Kind.BAD_MEDIA
    assert "image/webp" in problem.message


@pytest.mark.parametrize(
    "answer",
    [
        json_response({"files": []}),
        json_response({"data": {"files": []}}),
        slot(upload_url="/v1/ai/text-to-image/runway"),
        slot(upload_url="file:///etc/passwd"),
        slot(asset_url=""),
        slot(headers=[]),
        raw(b"<html>"),
    ],
)
def test_a_slot_that_cannot_be_used_is_the_vendors_failure(answer: HttpResponse):
    """A path of its own API would be sent the key, and could cost money."""
    assert failing(upload(), answer).kind is Kind.UPSTREAM_FAILED


@pytest.mark.parametrize(
    ("status", "kind"),
    [(403, Kind.UPSTREAM_FAILED), (413, Kind.TOO_LARGE), (429, Kind.RATE_LIMITED), (500, Kind.UPSTREAM_FAILED)],
)
def test_a_slot_that_refuses_says_nothing_about_the_key(status: int, kind: Kind):
    assert failing(upload(), slot(), HttpResponse(status=status)).kind is kind


def test_the_key_goes_where_the_old_host_and_the_new_one_look_for_it():
    assert BACK.sign("k", 0.0) == {"x-freepik-api-key": "k"}


def test_what_the_vendor_offers():
    assert BACK.cancel is None
    assert (BACK.vendor, BACK.base_url) == ("freepik", "https://api.freepik.com")
    assert BACK.requests_per_second == 10
    assert BACK.unsent == {429, 503}


def test_status_words_are_read_as_they_are_said():
    for state, word in freepik.STATUSES.items():
        assert back.STATES[word] is (State.FAILED if state is State.CANCELED else state)
    assert set(back.STATES) == set(get_args(Status))


def test_an_output_of_ours_is_a_link_of_theirs():
    id = "01890a5d-ac96-774b-bcce-b302099a8057"
    job = Job(
        id=id,
        wire="freepik",
        route=GEN45,
        owner="",
        generation=Generation(operation=I2V, model="gen4.5"),
        engine="e",
        created=1.0,
        state=State.SUCCEEDED,
        outputs=(Output(id="o", media_type="video/mp4", asset="a", url=LINK),),
    )
    public = freepik.WIRE.public_id(id)
    answer = next(each for each in freepik.WIRE.routes if isinstance(each, Read)).render(
        job, HttpRequest(method="GET", path="/")
    )
    assert drive(BACK.poll({"id": public, "path": GEN45}), answer)[0].links == (LINK,)
