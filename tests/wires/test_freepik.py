"""The Freepik wire, held against the vendor's own examples and against pydantic, whose words it speaks."""

import base64
import json
import re
from typing import Annotated, Any, Literal

import msgspec
import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from mutoscope.model.config import Net
from mutoscope.model.http import HttpRequest, HttpResponse
from mutoscope.model.job import Failure, Generation, Input, Job, MediaLimits, Operation, Output, Role, State
from mutoscope.model.problem import Kind, Problem
from mutoscope.model.requests import Allowance, Submission, Upload
from mutoscope.service.receivers import receiver_address
from mutoscope.wirekit.media import BASE64_PATTERN, DATA_PATTERN, HOST_PATTERN, URL_PATTERN
from mutoscope.wirekit.routes import Create, List, ListUploads, OpenUploads, Read
from mutoscope.wires.freepik import api as freepik

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
PICTURE = "https://media.example.net/in/fox.png"
CLIP = "https://media.example.net/in/run.mp4"

GEN45 = "image-to-video/runway-4-5"
GEN45_TEXT = "text-to-video/runway-4-5"
TURBO = "image-to-video/runway-gen4-turbo"
IMAGE = "text-to-image/runway"
WAN = "image-to-video/wan-2-7"
WAN_TEXT = "text-to-video/wan-2-7"

LEAST: dict[str, dict[str, Any]] = {
    GEN45: {"image": PICTURE, "prompt": "p"},
    GEN45_TEXT: {"prompt": "p"},
    TURBO: {"image": PICTURE},
    IMAGE: {"prompt": "p", "ratio": "1024:1024"},
    WAN: {"start_image_url": PICTURE},
    WAN_TEXT: {"prompt": "p"},
}
"""The smallest body of each operation."""

FULL: dict[str, dict[str, Any]] = {
    GEN45: LEAST[GEN45] | {"ratio": "960:960", "duration": 8, "seed": 77, "webhook_url": "https://h.example/f"},
    GEN45_TEXT: {"prompt": "p", "ratio": "832:1104", "duration": 10, "webhook_url": "https://h.example/f"},
    TURBO: LEAST[TURBO] | {"prompt": "p", "ratio": "1584:672", "duration": 5, "seed": 0, "webhook_url": "http://h/f"},
    IMAGE: LEAST[IMAGE] | {"seed": 4, "webhook_url": "https://h.example/f"},
    WAN: {
        "prompt": "p",
        "negative_prompt": "n",
        "start_image_url": PICTURE,
        "end_image_url": "https://media.example.net/in/b.webp",
        "audio_url": "https://media.example.net/in/a.mp3",
        "video_url": CLIP,
        "resolution": "720P",
        "duration": 6,
        "seed": 9,
        "additional_settings": {"prompt_extend": False},
        "webhook_url": "https://h.example/f",
    },
    WAN_TEXT: {
        "prompt": "p",
        "negative_prompt": "n",
        "audio_url": "https://media.example.net/in/a.mp3",
        "aspect_ratio": "3:4",
        "resolution": "1080P",
        "duration": 15,
        "seed": 9,
        "additional_settings": {"prompt_extend": True},
        "webhook_url": "https://h.example/f",
    },
}
"""Every field of each operation."""


def route(kind: type[Any], name: str = "") -> Any:
    return next(each for each in freepik.WIRE.routes if isinstance(each, kind) and each.route == name)


def render_job(told: Job, request: HttpRequest) -> HttpResponse:
    return route(Read, GEN45).render(told, request)


def render_webhook(told: Job) -> bytes | None:
    assert freepik.WIRE.render_webhook
    return freepik.WIRE.render_webhook(told)


def post(name: str, body: Any) -> HttpRequest:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HttpRequest(method="POST", path=f"/v1/ai/{name}", body=data)


def parse(name: str, body: Any) -> Submission:
    chosen = route(Create, name)
    return chosen.parse(post(name, body))


def refusal(name: str, body: Any) -> HttpResponse:
    with pytest.raises(Problem) as caught:
        parse(name, body)
    return freepik.render_problem(caught.value, post(name, b""))


def reasons(name: str, body: Any) -> list[tuple[str, str]]:
    """The bad fields that the answer lists, after a look at its shape."""
    answer = refusal(name, body)
    said = msgspec.json.decode(answer.body, type=freepik.ErrorAnswer)
    assert (answer.status, said.message) == (400, "Validation error")
    assert isinstance(said.invalid_params, tuple)
    for each in said.invalid_params:
        assert each.field == ("body" if each.name == "body" else f"body.{each.name}")
    return [(each.name, each.reason) for each in said.invalid_params]


def job(**changes: Any) -> Job:
    values: dict[str, Any] = {
        "id": "01890a5d-ac96-774b-bcce-b302099a8057",
        "wire": "freepik",
        "route": GEN45,
        "owner": "",
        "generation": Generation(operation=Operation.IMAGE_TO_VIDEO, model="gen4.5"),
        "engine": "studio",
        "created": 1_790_000_000.0,
    }
    return Job(**values | changes)


PUBLIC = "01890a5d-ac96-474b-bcce-b302099a8057"
LINK = "https://media.example.net/out/5b0c7c1e_0.mp4?token=exp=1790000000~hmac=9f2c"
FILE = Output(id="o", media_type="video/mp4", asset="a", url=LINK)


# -- the vendor's own examples ---------------------------------------------------


def test_the_documented_runway_4_5_request_is_read_in_full():
    picture = (
        "https://storage.googleapis.com/fc-freepik-pro-rev1-eu-static/landing-api/examples/freepik__upload__53227.png"
    )
    prompt = "The subject slowly opens their eyes and smiles warmly, with a gentle camera zoom"
    submission = parse(
        GEN45,
        {
            "image": picture,
            "prompt": prompt,
            "ratio": "1280:720",
            "duration": 8,
            "seed": 12345,
            "webhook_url": "https://example.com/webhook",
        },
    )
    assert submission == Submission(
        generation=Generation(
            operation=Operation.IMAGE_TO_VIDEO,
            model="gen4.5",
            prompt=prompt,
            inputs=(Input(role=Role.FIRST_FRAME, field="image", url=picture),),
            width=1280,
            height=720,
            seconds=8,
            seed=12345,
        ),
        webhook="https://example.com/webhook",
        fields={
            "seconds": "duration",
            "width": "ratio",
            "height": "ratio",
            "first_frame": "image",
            "webhook": "webhook_url",
        },
    )


def test_the_documented_text_to_image_request_is_read_in_full():
    submission = parse(
        IMAGE,
        {
            "prompt": "A serene mountain landscape at sunset with golden light",
            "ratio": "1920:1080",
            "seed": 12345,
            "webhook_url": "https://www.example.com/webhook",
        },
    )
    assert submission.generation == Generation(
        operation=Operation.TEXT_TO_IMAGE,
        model="gen4_image",
        prompt="A serene mountain landscape at sunset with golden light",
        width=1920,
        height=1080,
        seed=12345,
    )
    assert submission.webhook == "https://www.example.com/webhook"


def test_the_documented_wan_2_7_request_is_accepted_as_it_stands():
    submission = parse(
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
    )
    pictures = MediaLimits(
        types=("image/jpeg", "image/png", "image/bmp", "image/webp"),
        max_bytes=20 * 1024 * 1024,
        min_side=240,
        max_side=8000,
        min_aspect=0.125,
        max_aspect=8.0,
    )
    assert submission.generation == Generation(
        operation=Operation.IMAGE_TO_VIDEO,
        model="wan-2.7",
        prompt="The character walks forward slowly with wind blowing through their hair",
        negative_prompt="watermark, text, distortion, blurry, extra limbs",
        inputs=(
            Input(
                role=Role.FIRST_FRAME,
                field="start_image_url",
                url="https://example.com/start-frame.jpg",
                limits=pictures,
            ),
            Input(
                role=Role.LAST_FRAME, field="end_image_url", url="https://example.com/end-frame.jpg", limits=pictures
            ),
        ),
        resolution="1080p",
        seconds=5,
        seed=12345,
        extra={"prompt_extend": True},
    )
    assert submission.webhook == "https://www.example.com/webhook"
    placeholder, unused = submission.notes
    assert placeholder == 'audio_url: the documentation\'s placeholder "<string>" counts as not sent'
    assert unused.startswith("video_url was not used: start_image_url decides")


@pytest.mark.parametrize("name", LEAST)
def test_what_was_not_asked_for_stays_none(name: str):
    made = parse(name, LEAST[name]).generation
    unset = (made.negative_prompt, made.resolution, made.seconds, made.fps, made.count, made.seed, made.watermark)
    assert unset == (None,) * 7
    assert made.extra == {}


@pytest.mark.parametrize(("name", "field"), [(name, field) for name in FULL for field in FULL[name]])
def test_no_field_that_was_asked_for_is_dropped(name: str, field: str):
    full = parse(name, FULL[name])
    if field in LEAST[name]:
        assert FULL[name][field] in (
            full.generation.prompt,
            *[each.url for each in full.generation.inputs],
            f"{full.generation.width}:{full.generation.height}",
        )
    else:
        without = {key: value for key, value in FULL[name].items() if key != field}
        assert parse(name, without) != full


def test_the_full_bodies_name_every_field_of_every_operation():
    assert {model.route: set(model.body.__struct_fields__) for model in freepik.MODELS} == {
        name: set(body) for name, body in FULL.items()
    }


def test_null_counts_as_not_sent():
    assert parse(TURBO, {"image": PICTURE, "seed": None, "webhook_url": None}) == parse(TURBO, {"image": PICTURE})


def test_fields_that_the_vendor_does_not_know_are_ignored_aloud():
    """And kept: the vendor may know by now what no table here does, and where the job goes to it, it decides."""
    odd = {"aspect_ratio": "16:9", "webhook": "https://example.com/hook"}
    read = parse(GEN45_TEXT, {"prompt": "p"} | odd)
    assert replace(read, ignored=(), unread={}) == parse(GEN45_TEXT, {"prompt": "p"})
    assert read.ignored == tuple(f"ignored: {name} ({GEN45_TEXT} has no such member)" for name in odd)
    assert read.unread == odd


def test_a_whole_number_may_be_written_with_a_fraction_of_zero():
    assert parse(WAN, LEAST[WAN] | {"seed": 5.0}).generation.seed == 5


def test_zero_is_a_wish():
    assert parse(GEN45, LEAST[GEN45] | {"seed": 0}).generation.seed == 0


# -- bounds, in pydantic's words ----------------------------------------------------

Url = pydantic.HttpUrl | None
Prompt = Annotated[str, pydantic.Field(max_length=2000)]
VideoRatio = Literal["1280:720", "720:1280", "1104:832", "960:960", "832:1104"]
Seed32 = Annotated[int, pydantic.Field(ge=0, le=4294967295)]
Short = Annotated[str, pydantic.Field(min_length=1, max_length=1000)]


class Gen45(pydantic.BaseModel):
    image: str
    prompt: Prompt
    ratio: VideoRatio = "1280:720"
    duration: Literal[5, 8, 10] = 5
    seed: Seed32 | None = None
    webhook_url: Url = None


class Gen45Text(pydantic.BaseModel):
    prompt: Prompt
    ratio: VideoRatio = "1280:720"
    duration: Literal[5, 8, 10] = 5
    webhook_url: Url = None


class Turbo(pydantic.BaseModel):
    image: str
    prompt: Short | None = None
    ratio: Literal["1280:720", "720:1280", "1104:832", "832:1104", "960:960", "1584:672"] = "1280:720"
    duration: Literal[5, 10] = 10
    seed: Seed32 | None = None
    webhook_url: Url = None


class Image(pydantic.BaseModel):
    prompt: Short
    # fmt: off
    ratio: Literal[
        "1920:1080", "1080:1920", "1024:1024", "1360:768", "1080:1080", "1168:880", "1440:1080", "1080:1440",
        "1808:768", "2112:912", "1280:720", "720:1280", "720:720", "960:720", "720:960", "1680:720",
    ]
    # fmt: on
    seed: Seed32 | None = None
    webhook_url: Url = None


class WanSettings(pydantic.BaseModel):
    prompt_extend: bool = True


class WanEither(pydantic.BaseModel):
    negative_prompt: Annotated[str, pydantic.Field(max_length=500)] | None = None
    audio_url: Url = None
    resolution: Literal["720P", "1080P"] = "1080P"
    duration: Annotated[int, pydantic.Field(ge=2, le=15)] = 5
    seed: Annotated[int, pydantic.Field(ge=0, le=2147483647)] | None = None
    additional_settings: WanSettings | None = None
    webhook_url: Url = None


class WanText(WanEither):
    prompt: Annotated[str, pydantic.Field(max_length=5000)]
    aspect_ratio: Literal["16:9", "9:16", "1:1", "4:3", "3:4"] = "16:9"


class Wan(WanEither):
    prompt: Annotated[str, pydantic.Field(max_length=5000)] | None = None
    start_image_url: Url = None
    end_image_url: Url = None
    video_url: Url = None


ORACLES = {GEN45: Gen45, GEN45_TEXT: Gen45Text, TURBO: Turbo, IMAGE: Image, WAN: Wan, WAN_TEXT: WanText}
"""The bounds once more, from the specification, in the library whose words the vendor's answers carry."""

OUTSIDE: tuple[tuple[str, tuple[Any, ...]], ...] = (
    ("prompt", (5, None, ["p"], {}, "", "x" * 1001, "x" * 2001, "x" * 5001, "😀" * 5001)),
    ("negative_prompt", (5, "x" * 501)),
    ("image", (None, 5, ["i"])),
    ("ratio", ("", "16:9", "1280:721", "1584:672", "1104:832", 5, None, ["1280:720"])),
    ("aspect_ratio", ("16/9", "1280:720", 5)),
    ("resolution", ("720p", "480P", 720)),
    ("duration", (-1, 0, 1, 4, 6, 9, 11, 16, [5], {}, 5.5)),
    ("seed", (-1, 2147483648, 4294967296, 10**25, ["1"], {})),
    ("additional_settings", (5, "x", [], {"prompt_extend": "maybe?"}, {"prompt_extend": []})),
    ("webhook_url", ("", "example.com", "ftp://h/x", "http://", "http://h:99999/", 5)),
    ("audio_url", (5, ["u"])),
    ("start_image_url", (5,)),
    ("video_url", ([],)),
)
REWORDED = {
    "Input should be a valid boolean, unable to interpret input": "Input should be a valid boolean",
    "Input should be a valid integer, got a number with a fractional part": "Input should be a valid integer",
    "URL input should be a string or URL": "Input should be a valid string",
}
"""pydantic's texts of its lax mode, where ours are those of its strict mode."""


def verdict(name: str, body: dict[str, Any]) -> list[tuple[str, str]]:
    """What pydantic finds wrong."""
    try:
        ORACLES[name].model_validate(body, from_attributes=True)
    except pydantic.ValidationError as error:
        return [(".".join(map(str, each["loc"])), REWORDED.get(each["msg"], each["msg"])) for each in error.errors()]
    return []


@pytest.mark.parametrize("name", ORACLES)
@pytest.mark.parametrize(("field", "value"), [(field, value) for field, values in OUTSIDE for value in values])
def test_a_bad_value_is_refused_in_the_words_of_pydantic(name: str, field: str, value: Any):
    body = LEAST[name] | {field: value}
    if field not in ORACLES[name].model_fields:
        read = parse(name, body)
        assert replace(read, ignored=(), unread={}) == parse(name, LEAST[name])
        assert [field in note for note in read.ignored] == ([] if value is None else [True])
        assert list(read.unread) == ([] if value is None else [field])
        return
    expected = [] if value is None and not ORACLES[name].model_fields[field].is_required() else verdict(name, body)
    if expected:
        assert reasons(name, body) == expected
    else:
        parse(name, body)


@pytest.mark.parametrize("name", [name for name in LEAST if name != WAN])
def test_every_missing_field_is_named(name: str):
    assert reasons(name, {}) == [(field, "Field required") for field in LEAST[name]]


INSIDE: tuple[tuple[str, str, Any, dict[str, Any]], ...] = (
    (GEN45, "prompt", "x" * 2000, {"prompt": "x" * 2000}),
    (GEN45, "prompt", "", {"prompt": ""}),
    (GEN45, "prompt", "😀" * 2000, {"prompt": "😀" * 2000}),
    (GEN45_TEXT, "prompt", "x" * 2000, {"prompt": "x" * 2000}),
    (TURBO, "prompt", "x", {"prompt": "x"}),
    (TURBO, "prompt", "x" * 1000, {"prompt": "x" * 1000}),
    (IMAGE, "prompt", "@tag x", {"prompt": "@tag x"}),
    (IMAGE, "prompt", "x" * 1000, {"prompt": "x" * 1000}),
    (WAN, "prompt", "x" * 5000, {"prompt": "x" * 5000}),
    (WAN, "prompt", "", {"prompt": ""}),
    (WAN_TEXT, "prompt", "x" * 5000, {"prompt": "x" * 5000}),
    (WAN, "negative_prompt", "x" * 500, {"negative_prompt": "x" * 500}),
    (WAN_TEXT, "negative_prompt", "x" * 500, {"negative_prompt": "x" * 500}),
    *[(GEN45, "duration", n, {"seconds": n}) for n in (5, 8, 10)],
    *[(GEN45_TEXT, "duration", n, {"seconds": n}) for n in (5, 8, 10)],
    *[(TURBO, "duration", n, {"seconds": n}) for n in (5, 10)],
    *[(WAN, "duration", n, {"seconds": n}) for n in (2, 15)],
    *[(WAN_TEXT, "duration", n, {"seconds": n}) for n in (2, 15)],
    *[(name, "seed", n, {"seed": n}) for name in (GEN45, TURBO, IMAGE) for n in (0, 4294967295)],
    *[(name, "seed", n, {"seed": n}) for name in (WAN, WAN_TEXT) for n in (0, 2147483647)],
    *[(name, "resolution", "720P", {"resolution": "720p"}) for name in (WAN, WAN_TEXT)],
    *[(name, "resolution", "1080P", {"resolution": "1080p"}) for name in (WAN, WAN_TEXT)],
    *[(WAN_TEXT, "aspect_ratio", r, {"extra": {"ratio": r}}) for r in ("16:9", "9:16", "1:1", "4:3", "3:4")],
    (WAN, "additional_settings", {}, {"extra": {}}),
    (WAN, "additional_settings", {"prompt_extend": False, "x": 1}, {"extra": {"prompt_extend": False}}),
)


@pytest.mark.parametrize(("name", "field", "value", "expected"), INSIDE)
def test_a_value_at_the_bound_is_read(name: str, field: str, value: Any, expected: dict[str, Any]):
    made = parse(name, LEAST[name] | {field: value}).generation
    assert {key: getattr(made, key) for key in expected} == expected


@pytest.mark.parametrize("name", [GEN45, GEN45_TEXT, TURBO, IMAGE])
def test_every_ratio_is_the_size_in_pixels(name: str):
    ratios = ORACLES[name].model_fields["ratio"].annotation.__args__  # type: ignore[union-attr]
    assert len(ratios) == {GEN45: 5, GEN45_TEXT: 5, TURBO: 6, IMAGE: 16}[name]
    for ratio in ratios:
        made = parse(name, LEAST[name] | {"ratio": ratio}).generation
        assert f"{made.width}:{made.height}" == ratio


def test_every_flaw_is_told_at_once_in_the_order_of_the_fields():
    body = {"image": "fox.png", "ratio": "16:9", "duration": 7, "seed": -1, "webhook_url": "mailto:a@b.example"}
    assert reasons(GEN45, body) == [
        ("image", "Value error, should be an HTTP(S) URL, a data URI or base64"),
        ("prompt", "Field required"),
        ("ratio", "Input should be '1280:720', '720:1280', '1104:832', '960:960' or '832:1104'"),
        ("duration", "Input should be 5, 8 or 10"),
        ("seed", "Input should be greater than or equal to 0"),
        ("webhook_url", "URL scheme should be 'http' or 'https'"),
    ]


def test_a_flaw_inside_an_object_is_named_by_its_path():
    body = LEAST[WAN] | {"additional_settings": {"prompt_extend": "yes"}}
    assert reasons(WAN, body) == [("additional_settings.prompt_extend", "Input should be a valid boolean")]


@pytest.mark.parametrize("body", [b"[]", b"null", b'"x"', b"5"])
def test_a_body_that_is_no_object_is_refused(body: bytes):
    reason = "Input should be a valid dictionary or object to extract fields from"
    assert reasons(GEN45, body) == [("body", reason)]


@pytest.mark.parametrize("body", [b"", b"{", b'{"prompt": 5, bad', b"\xff", b'{"prompt":"\xff"}', b'{"seed":NaN}'])
def test_a_body_that_is_no_json_is_refused_with_a_message(body: bytes):
    answer = refusal(GEN45, body)
    said = json.loads(answer.body)
    assert answer.status == 400
    assert list(said) == ["message"]
    assert said["message"].startswith("The request body is not valid JSON")


# -- WAN 2.7: three modes ------------------------------------------------------------


def roles(submission: Submission) -> list[Role]:
    return [each.role for each in submission.generation.inputs]


def test_wan_starts_from_a_picture():
    submission = parse(WAN, {"start_image_url": PICTURE, "audio_url": "https://h.example/a.wav"})
    assert submission.generation.operation is Operation.IMAGE_TO_VIDEO
    assert roles(submission) == [Role.FIRST_FRAME, Role.AUDIO]
    assert submission.generation.inputs[1].limits == MediaLimits(
        types=("audio/wav", "audio/mpeg"), max_bytes=15 * 1024 * 1024, min_seconds=2, max_seconds=30
    )


@pytest.mark.parametrize(("duration", "longest"), [(None, 10), (15, 10), (10, 10), (9, 9), (2, 2)])
def test_wan_continues_a_clip_that_fits_into_the_duration(duration: int | None, longest: float):
    submission = parse(WAN, {"video_url": CLIP, "end_image_url": PICTURE, "duration": duration})
    assert submission.generation.operation is Operation.VIDEO_EXTENSION
    assert roles(submission) == [Role.LAST_FRAME, Role.VIDEO]
    assert submission.generation.inputs[1] == Input(
        role=Role.VIDEO,
        field="video_url",
        url=CLIP,
        limits=MediaLimits(
            types=("video/mp4", "video/quicktime"),
            max_bytes=100 * 1024 * 1024,
            min_side=240,
            max_side=4096,
            min_seconds=2,
            max_seconds=longest,
        ),
    )
    assert submission.notes == ()


@pytest.mark.parametrize("body", [{}, {"prompt": "p"}, {"start_image_url": "<string>"}, {"start_image_url": None}])
def test_wan_needs_a_start(body: dict[str, Any]):
    message = "Field required: send start_image_url, or video_url to continue a clip"
    assert reasons(WAN, body) == [("start_image_url", message)]


def test_a_last_frame_alone_is_no_start():
    message = "Value error, end_image_url needs start_image_url or video_url beside it"
    assert reasons(WAN, {"end_image_url": PICTURE}) == [("end_image_url", message)]


def test_the_rules_between_fields_are_told_with_the_flaws_of_the_fields():
    assert [name for name, _ in reasons(WAN, {"end_image_url": PICTURE, "seed": -1})] == ["end_image_url", "seed"]
    assert [name for name, _ in reasons(WAN, {"start_image_url": 5})] == ["start_image_url"]


@pytest.mark.parametrize("field", ["start_image_url", "end_image_url", "audio_url", "video_url"])
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("data:image/png;base64,iVBORw0KGgo=", "URL scheme should be 'http' or 'https'"),
        ("iVBORw0KGgoAAAANSUhEUgAAAAEAAAAB", "Input should be a valid URL, relative URL without a base"),
    ],
)
def test_wan_takes_links_only(field: str, text: str, reason: str):
    said = reasons(WAN, LEAST[WAN] | {field: text})
    assert said == [(field, f"{reason}; files are taken as links here, not inline")]


def test_an_unused_clip_must_still_be_a_link():
    assert [name for name, _ in reasons(WAN, LEAST[WAN] | {"video_url": "clip.mp4"})] == ["video_url"]


# -- pictures and links ---------------------------------------------------------------

PLAIN64 = base64.b64encode(PNG).decode()
INLINE = {
    "bare": PLAIN64,
    "unpadded": PLAIN64.rstrip("="),
    "url-safe": base64.urlsafe_b64encode(PNG).decode(),
    "with line breaks": base64.encodebytes(PNG).decode(),
    "with a prefix": f"data:image/png;base64,{PLAIN64}",
    "with a parameter": f"data:image/png;name=fox.png;base64,{PLAIN64}",
    "with a prefix in capitals": f"DATA:image/png;base64,{PLAIN64}",
}


@pytest.mark.parametrize("name", [GEN45, TURBO])
@pytest.mark.parametrize("form", INLINE)
def test_a_picture_may_come_inline(name: str, form: str):
    [found] = parse(name, LEAST[name] | {"image": INLINE[form]}).generation.inputs
    assert (found.role, found.field, found.data, found.url) == (Role.FIRST_FRAME, "image", PNG, None)
    assert found.media_type == ("image/png" if "prefix" in form or "parameter" in form else None)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Value error, should be an HTTP(S) URL, a data URI or base64"),
        ("/home/me/fox.png", "Value error, should be an HTTP(S) URL, a data URI or base64"),
        ("ftp://media.example.net/fox.png", "Value error, should be an HTTP(S) URL, a data URI or base64"),
        ("not base64, plainly!", "Value error, should be an HTTP(S) URL, a data URI or base64"),
        ("data:image/png,raw", "Value error, Invalid data URI: it must be data:<media type>;base64,<data>"),
        ("data:image/png;base64,?", "Value error, Invalid data URI: the base64 cannot be decoded"),
        ("http://h:99999/fox.png", "Input should be a valid URL, invalid port number"),
        ("https://", "Input should be a valid URL, empty host"),
    ],
)
def test_text_that_names_no_picture_is_refused(text: str, reason: str):
    assert reasons(GEN45, LEAST[GEN45] | {"image": text}) == [("image", reason)]


@pytest.mark.parametrize(
    "url",
    [
        *["https://h.example/x", "HTTP://H.example:8080/a?b=c#d", "http://[::1]:9/x", "https://user:p@h.example/x"],
        "https://h.example/ü?q=%20",
    ],
)
def test_an_http_url_is_a_webhook(url: str):
    assert pydantic.TypeAdapter(pydantic.HttpUrl).validate_python(url)
    assert parse(GEN45_TEXT, {"prompt": "p", "webhook_url": url}).webhook == url


@pytest.mark.parametrize("url", ["http://[::1", "http://a b/", "https://h/\x00", "https://h/x\n", "http://:80/"])
def test_what_is_no_url_is_no_webhook(url: str):
    [(name, reason)] = reasons(GEN45_TEXT, {"prompt": "p", "webhook_url": url})
    assert name == "webhook_url"
    assert reason.startswith("Input should be a valid URL")


def test_a_placeholder_is_no_webhook():
    submission = parse(GEN45_TEXT, {"prompt": "p", "webhook_url": "<string>"})
    assert submission.webhook is None
    assert submission.notes == ('webhook_url: the documentation\'s placeholder "<string>" counts as not sent',)


# -- answers -----------------------------------------------------------------------

NOTHING = HttpRequest(method="GET", path="/v1/ai/image-to-video/runway-4-5/x")


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (State.QUEUED, "CREATED"),
        (State.RUNNING, "IN_PROGRESS"),
        (State.SUCCEEDED, "COMPLETED"),
        (State.FAILED, "FAILED"),
        (State.CANCELED, "FAILED"),
    ],
)
def test_every_state_has_its_word(state: State, status: str):
    answer = render_job(job(state=state), NOTHING)
    assert answer.status == 200
    assert json.loads(answer.body)["data"]["status"] == status


def test_a_new_task_is_answered_as_documented():
    said = json.loads(render_job(job(), NOTHING).body)
    assert said == {"data": {"task_id": PUBLIC, "status": "CREATED", "generated": []}}


def test_links_are_shown_once_a_task_is_completed():
    done = json.loads(render_job(job(state=State.SUCCEEDED, outputs=(FILE,)), NOTHING).body)
    assert done == {"data": {"task_id": PUBLIC, "status": "COMPLETED", "generated": [LINK]}}
    running = json.loads(render_job(job(state=State.RUNNING, outputs=(FILE,)), NOTHING).body)
    assert running["data"]["generated"] == []


def test_a_failed_task_says_why():
    failure = Failure(kind=Kind.UNREACHABLE_MEDIA, message="image could not be fetched")
    said = json.loads(render_job(job(state=State.FAILED, failure=failure), NOTHING).body)
    expected = {"task_id": PUBLIC, "status": "FAILED", "generated": [], "error": "image could not be fetched"}
    assert said == {"data": expected}


def test_a_list_shows_ids_and_states_only():
    jobs = (job(state=State.SUCCEEDED, outputs=(FILE,)), job(id="01890a5d-ac97-774b-bcce-b302099a8057"))
    said = json.loads(freepik.render_list(jobs, NOTHING).body)
    other = "01890a5d-ac97-474b-bcce-b302099a8057"
    assert said == {"data": [{"task_id": PUBLIC, "status": "COMPLETED"}, {"task_id": other, "status": "CREATED"}]}
    assert json.loads(freepik.render_list((), NOTHING).body) == {"data": []}


@pytest.mark.parametrize("state", State)
def test_a_webhook_is_the_read_answer_without_its_envelope(state: State):
    told = job(state=state, outputs=(FILE,))
    body = render_webhook(told)
    if state is State.QUEUED:
        assert body is None
    else:
        assert body is not None
        assert json.loads(body) == json.loads(render_job(told, NOTHING).body)["data"]


def test_what_is_left_of_the_rate_is_in_the_headers():
    assert freepik.answer_headers(Allowance(limit=50, remaining=7, reset_seconds=2.2)) == {
        "x-ratelimit-limit": "50",
        "x-ratelimit-remaining": "7",
        "x-ratelimit-reset": "3",
    }


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        ({}, None),
        ({"x-freepik-api-key": "a"}, "a"),
        ({"x-magnific-api-key": "b"}, "b"),
        ({"x-freepik-api-key": "a", "x-magnific-api-key": "b"}, "a"),
        ({"x-freepik-api-key": " ", "x-magnific-api-key": "b"}, "b"),
        ({"authorization": "Bearer c"}, None),
    ],
)
def test_either_header_carries_the_key(headers: dict[str, str], key: str | None):
    assert freepik.credential(HttpRequest(method="GET", path="/", headers=headers)) == key


# -- lists and uploads ----------------------------------------------------------------


def listed(query: dict[str, str]) -> HttpRequest:
    return HttpRequest(method="GET", path=f"/v1/ai/{WAN}", query=query)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, (1, 20)),
        ({"page": "1", "per_page": "1"}, (1, 1)),
        ({"page": "7", "per_page": "100"}, (7, 100)),
        ({"query": "x"}, (1, 20)),
    ],
)
def test_a_list_is_paged(query: dict[str, str], expected: tuple[int, int]):
    page = freepik.parse_page(listed(query))
    assert (page.number, page.size) == expected


@pytest.mark.parametrize(
    ("query", "field", "reason"),
    [
        ({"page": "0"}, "page", "Input should be greater than or equal to 1"),
        ({"page": "-3"}, "page", "Input should be greater than or equal to 1"),
        ({"page": "two"}, "page", "Input should be a valid integer"),
        ({"page": ""}, "page", "Input should be a valid integer"),
        ({"page": "1.5"}, "page", "Input should be a valid integer"),
        ({"page": "1" * 18}, "page", "Input should be less than or equal to 1000000000"),
        ({"page": "9" * 30}, "page", "Input should be a valid integer"),
        ({"per_page": "0"}, "per_page", "Input should be greater than or equal to 1"),
        ({"per_page": "101"}, "per_page", "Input should be less than or equal to 100"),
    ],
)
def test_a_bad_page_is_refused(query: dict[str, str], field: str, reason: str):
    with pytest.raises(Problem) as caught:
        freepik.parse_page(listed(query))
    answer = freepik.render_problem(caught.value, listed(query))
    assert (answer.status, json.loads(answer.body)) == (
        400,
        {
            "message": "Validation error",
            "invalid_params": [{"field": f"query.{field}", "name": field, "reason": reason}],
        },
    )


def uploads(body: Any) -> Any:
    opened = route(OpenUploads)
    return opened.parse(HttpRequest(method="POST", path=opened.path, body=json.dumps(body).encode()))


UPLOAD_TYPES = (
    *["image/png", "image/jpeg", "image/webp", "video/mp4", "video/webm", "video/quicktime"],
    *["audio/mpeg", "audio/wav", "audio/mp4", "audio/webm", "audio/ogg"],
)


def test_every_documented_type_may_be_uploaded():
    wishes = uploads({"files": [{"content_type": each} for each in UPLOAD_TYPES]})
    assert tuple(each.media_type for each in wishes) == UPLOAD_TYPES
    assert {(each.max_bytes, each.slot_seconds, each.keep_seconds) for each in wishes} == {(2**30, 120, 7 * 86400)}


@pytest.mark.parametrize(
    ("body", "field", "reason"),
    [
        ({}, "body.files", "Field required"),
        ({"files": []}, "body.files", "List should have at least 1 item after validation, not 0"),
        (
            {"files": [{"content_type": "image/png"}] * 15},
            "body.files",
            "List should have at most 14 items after validation, not 15",
        ),
        ({"files": [{}]}, "body.files.0.content_type", "Field required"),
        (
            {"files": [{"content_type": "image/png"}, {"content_type": "text/html"}]},
            "body.files.1.content_type",
            f"Input should be {', '.join(map(repr, UPLOAD_TYPES[:-1]))} or 'audio/ogg'",
        ),
        ({"files": "image/png"}, "body.files", "Input should be a valid list"),
    ],
)
def test_a_bad_wish_for_an_upload_is_refused(body: Any, field: str, reason: str):
    with pytest.raises(Problem) as caught:
        uploads(body)
    answer = json.loads(freepik.render_problem(caught.value, post("uploads/request-url", b"")).body)
    assert answer["invalid_params"] == [{"field": field, "name": field.removeprefix("body."), "reason": reason}]


def upload(**changes: Any) -> Upload:
    values: dict[str, Any] = {
        "id": "01890a5d-ac96-774b-bcce-b302099a8057",
        "wire": "freepik",
        "owner": "",
        "media_type": "image/png",
        "max_bytes": 2**30,
        "created": 1_790_000_000.25,
        "slot_expires": 1_790_000_120.25,
        "expires": 1_790_604_800.25,
        "put_url": "http://h/uploads/1?sig=s",
        "asset_url": "http://h/files/u-1.png?sig=s",
        "asset_url_expires": 1_790_086_400.25,
    }
    return Upload(**values | changes)


def test_upload_slots_are_answered_without_an_envelope():
    answer = freepik.render_uploads((upload(),), NOTHING)
    assert json.loads(answer.body) == {
        "files": [
            {
                "file_id": PUBLIC,
                "upload_url": "http://h/uploads/1?sig=s",
                "headers": {"content-type": "image/png"},
                "expires_in": 120,
                "asset_url": "http://h/files/u-1.png?sig=s",
                "asset_url_expires_in": 86400,
            }
        ]
    }


def test_only_files_whose_bytes_arrived_are_listed():
    answer = freepik.render_upload_list((upload(), upload(asset="sha.png", bytes=5)), NOTHING)
    [file] = json.loads(answer.body)["files"]
    assert file == {
        "file_id": PUBLIC,
        "content_type": "image/png",
        "asset_url": "http://h/files/u-1.png?sig=s",
        "asset_url_expires_at": "2026-09-22T14:13:20Z",
        "expires_at": "2026-09-28T14:13:20Z",
    }


# -- trouble -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "status", "message"),
    [
        (Kind.INVALID, 400, "why"),
        (Kind.UNSUPPORTED, 400, "why"),
        (Kind.BAD_MEDIA, 400, "why"),
        (Kind.UNREACHABLE_MEDIA, 400, "why"),
        (Kind.REFUSED, 400, "why"),
        (Kind.UNAUTHENTICATED, 401, "Missing API key"),
        (Kind.FORBIDDEN, 403, "why"),
        (Kind.NOT_FOUND, 404, "why"),
        (Kind.WRONG_METHOD, 405, "why"),
        (Kind.CONFLICT, 409, "why"),
        (Kind.TOO_LARGE, 413, "why"),
        (Kind.RATE_LIMITED, 429, "Too many requests"),
        (Kind.QUOTA_EXCEEDED, 429, "Too many requests"),
        (Kind.OVER_BUDGET, 402, "why"),
        (Kind.ENGINE_FAILED, 500, "Internal Server Error"),
        (Kind.UPSTREAM_FAILED, 500, "Internal Server Error"),
        (Kind.SUBMISSION_UNKNOWN, 500, "Internal Server Error"),
        (Kind.INTERNAL, 500, "Internal Server Error"),
        (Kind.UNAVAILABLE, 503, "Service Unavailable. Please try again later."),
        (Kind.TIMED_OUT, 503, "Service Unavailable. Please try again later."),
    ],
)
def test_trouble_is_told_in_the_documented_words(kind: Kind, status: int, message: str):
    answer = freepik.render_problem(Problem(kind, "why"), NOTHING)
    said = json.loads(answer.body)
    assert (answer.status, said["message"]) == (status, message)
    assert said.get("detail", said["message"]) == "why"


def test_a_wrong_key_is_told_from_a_missing_one():
    keyed = HttpRequest(method="GET", path="/v1/ai/mystic", headers={"x-magnific-api-key": "k"})
    answer = freepik.render_problem(Problem(Kind.UNAUTHENTICATED, "Invalid API key"), keyed)
    assert (answer.status, json.loads(answer.body)) == (401, {"message": "Invalid API key"})


def test_too_many_requests_say_when_to_come_back():
    answer = freepik.render_problem(Problem(Kind.RATE_LIMITED, "slowly", retry_after=1.2), NOTHING)
    assert answer.headers == {"retry-after": "2"}


def test_a_problem_that_knows_its_field_names_it():
    request = post(GEN45, b"")
    late = Problem(Kind.INVALID, "gen4.5 makes at most 10 seconds", field="duration")
    param = {"field": "body.duration", "name": "duration", "reason": "gen4.5 makes at most 10 seconds"}
    assert json.loads(freepik.render_problem(late, request).body) == {
        "message": "Validation error",
        "invalid_params": [param],
    }
    unsupported = Problem(Kind.UNSUPPORTED, "end_image_url is not supported", field="end_image_url")
    said = json.loads(freepik.render_problem(unsupported, request).body)
    assert said["message"] == "end_image_url is not supported"
    assert [each["name"] for each in said["invalid_params"]] == ["end_image_url"]


def test_a_model_is_no_field_of_a_body():
    """Of mystic it is one, and no catalog is meant by it."""
    said = freepik.render_problem(Problem(Kind.UNSUPPORTED, "no engine", field="model"), post(GEN45, b""))
    assert json.loads(said.body) == {"message": "no engine"}


# -- routes ------------------------------------------------------------------------


def test_every_model_has_its_three_paths():
    expected = [f"{method} /v1/ai/{name}" for name in LEAST for method in ("POST", "GET")]
    expected += [f"GET /v1/ai/{name}/{{id}}" for name in LEAST]
    expected += ["POST /v1/ai/uploads/request-url", "GET /v1/ai/uploads"]
    served = [each.at for each in freepik.WIRE.routes]
    assert sorted(set(served)) == sorted(served)
    assert set(expected) <= set(served)


def test_answers_are_of_the_published_types():
    words = Output(id="o", media_type="text/plain", text='[{"class_name":"ai","probability":0.5}]')
    for each in freepik.WIRE.routes:
        match each:
            case Create() | Read():
                failure = Failure(kind=Kind.INTERNAL, message="why")
                request = replace(NOTHING, params={"format": "mp4"})
                made = words if each.at.endswith("classifier/image") else FILE
                answers = [each.render(job(state=s, outputs=(made,), failure=failure), request) for s in State]
            case List():
                answers = [each.render((job(), job()), NOTHING)]
            case OpenUploads() | ListUploads():
                answers = [each.render((upload(), upload(asset="a")), NOTHING)]
            case _:
                raise AssertionError(each.at)
        for answer in answers:
            strict = msgspec.json.decode(answer.body, type=each.answer)
            assert json.loads(msgspec.json.encode(strict)) == json.loads(answer.body), each.at


# -- what is published -----------------------------------------------------------------


def test_the_published_wan_body_says_that_a_start_is_needed():
    schemas, _ = msgspec.json.schema_components([route(Create, WAN).body])
    assert [rule["required"] for rule in schemas[0]["anyOf"]] == [["start_image_url"], ["video_url"]]


@pytest.mark.parametrize("name", FULL)
def test_the_published_patterns_fit_what_the_examples_send(name: str):
    shape = msgspec.json.schema(next(model.body for model in freepik.MODELS if model.route == name))
    fields = shape["$defs"][shape["$ref"].rpartition("/")[2]]["properties"]
    patterns = {
        field: rule["pattern"]
        for field, told in fields.items()
        for rule in told.get("anyOf", [told])
        if "pattern" in rule
    }
    assert patterns
    for field, pattern in patterns.items():
        assert re.search(pattern, FULL[name][field])
        assert not re.search(pattern, "not a link!")


@given(st.from_regex(re.compile(URL_PATTERN, re.ASCII), fullmatch=True))
@settings(max_examples=200)
def test_every_link_that_the_published_pattern_allows_is_taken(url: str):
    assert parse(GEN45_TEXT, {"prompt": "p", "webhook_url": url}).webhook == url
    if len(url) < 200:
        assert receiver_address(url, "webhook_url", Net(allow_private=True)) == url


@given(st.from_regex(re.compile(f"{DATA_PATTERN}|{BASE64_PATTERN}", re.ASCII), fullmatch=True))
@settings(max_examples=200)
def test_every_inline_file_that_the_published_pattern_allows_is_read(text: str):
    [file] = parse(GEN45, {"prompt": "p", "image": text}).generation.inputs
    assert file.data is not None


TAKEN = (
    *("https://a.example:8443/x", "http://a.example:65535", "https://my_bucket.s3.example/a.png", "HTTPS://A.EXAMPLE/"),
    *("http://[2606:4700::1111]/a.png", "http://[::1]:8700/hook", "http://[1:2:3:4:5:6:7:8]/", "http://[fe80::]/"),
    *("http://192.168.0.7/hook", "http://localhost:9/", "https://a.example?x=[1]#part", "https://xn--mnchen-3ya.de"),
    *("https://a.example./x", "http://a-b.example/%20(1),;=~*!$&'"),
    *(f"data:image/png;base64,{text}" for text in ("AAAA", "AAA=", "AA==", "AAA", "AA", "-_-_", "AAAA\r\nAAAA\n")),
    *("data:image/svg+xml;charset=utf-8;base64,AAAA", "Data:Image/PNG;Base64,AAAA", "data:;base64,AAAA"),
    *("A" * 16, "A" * 18 + "==", "A" * 19, "-_" * 8, "A" * 76 + "\n" + "A" * 4),
)


@pytest.mark.parametrize("text", TAKEN)
def test_what_is_taken_fits_the_published_pattern(text: str):
    parse(GEN45, {"prompt": "p", "image": text})
    assert re.search(f"^({URL_PATTERN}|{DATA_PATTERN}|{BASE64_PATTERN})$", text)


@given(st.ip_addresses().map(lambda address: f"[{address}]" if address.version == 6 else str(address)))
@settings(max_examples=200)
def test_the_published_pattern_knows_every_address(host: str):
    mapped = "." in host and ":" in host  # 64:ff9b::1.2.3.4 and its like are written with groups, too
    assert mapped or re.fullmatch(HOST_PATTERN, host)
