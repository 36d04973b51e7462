"""How Runway is called: bodies written by the tables that they are read by, tasks, uploads, failures, errors."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from msgspec import inspect
from msgspec.structs import replace
from python_multipart import parse_form
from test_runway import AUD, IMG, LEAST, PIXEL, ROUTES, VID, VOICE, render_job, render_removed

from mutoscope.model import catalog
from mutoscope.model.http import HttpRequest, HttpResponse
from mutoscope.model.job import Failure, Generation, Input, Job, MediaLimits, Operation, Output, Role, State, Update
from mutoscope.model.problem import Kind, Problem
from mutoscope.model.requests import Submission
from mutoscope.wirekit.answers import SOURCE_STAND_IN
from mutoscope.wirekit.back import File, VendorRequest, Way
from mutoscope.wirekit.ids import uuid4_form
from mutoscope.wires import ROWS
from mutoscope.wires.runway import api as runway
from mutoscope.wires.runway.bodies import ENDPOINTS
from mutoscope.wires.runway.fields import models
from mutoscope.wires.runway.files import MIN_UPLOAD, VIDEO_TYPES
from mutoscope.wires.runway.tasks import FAILURE_CODES, STATES

BACK = runway.WIRE.back
assert BACK is not None
I2V, T2V, V2V = Operation.IMAGE_TO_VIDEO, Operation.TEXT_TO_VIDEO, Operation.VIDEO_TO_VIDEO
T2I, ACT, SPEAK = Operation.TEXT_TO_IMAGE, Operation.CHARACTER_PERFORMANCE, Operation.TEXT_TO_SPEECH
EVERY_MODEL = [(endpoint, model) for endpoint, type in ENDPOINTS.items() for model in models(type)]
TASK = "01981f2e-7b7c-4a6b-8d52-2f6f1d1b8a10"


def submission(operation: Operation, body: bytes, _: Any) -> Submission:
    return ROUTES[f"POST /v1/{operation}"].parse(HttpRequest(method="POST", path="/", body=body))


def heard(operation: Operation, body: dict[str, Any]) -> Generation:
    """What our own front makes of a body; an extension comes by the path of the edits."""
    endpoint = V2V if operation is Operation.VIDEO_EXTENSION else operation
    return submission(endpoint, msgspec.json.encode(body), ENDPOINTS[endpoint]).generation


def order(wish: Generation, **facts: Any) -> VendorRequest:
    """With every file as it was named."""
    sources = {each.field: each.url for each in wish.inputs if each.url}
    return VendorRequest(**({"generation": wish, "names": (wish.model,), "sources": sources} | facts))


def wish(operation: Operation, model: str, *inputs: Input, **fields: Any) -> Generation:
    return Generation(operation=operation, model=model, inputs=inputs, **fields)


def file(role: Role, field: str = "", url: str = IMG, **facts: Any) -> Input:
    return Input(role=role, field=field or role.value, url=url, **facts)


FRAME, LAST, CLIP = file(Role.FIRST_FRAME), file(Role.LAST_FRAME), file(Role.VIDEO, url=VID)


def refused(wanted: Generation, **facts: Any) -> Problem:
    with pytest.raises(Problem) as caught:
        BACK.check(VendorRequest(generation=wanted, names=(wanted.model,), **facts))
    return caught.value


def body_of(wanted: Generation) -> dict[str, Any]:
    """What is sent for a wish that passes the check."""
    BACK.check(VendorRequest(generation=wanted, names=(wanted.model,)))
    request = next(BACK.submit(order(wanted)))
    return {name: value for name, value in json.loads(request.body).items() if name != "model"}


@dataclass
class Talk:
    """A conversation, held without a network."""

    requests: list[HttpRequest]
    result: Any = None
    problem: Problem | None = None


def talk(conversation: Any, *answers: HttpResponse) -> Talk:
    held = Talk([])
    waiting = iter(answers)
    try:
        request = next(conversation)
        while True:
            held.requests.append(request)
            request = conversation.send(next(waiting))
    except StopIteration as end:
        held.result = end.value
    except Problem as problem:
        held.problem = problem
    assert next(waiting, None) is None, "an answer was left over"
    return held


def answer(body: Any = b"", status: int = 200, **headers: str) -> HttpResponse:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HttpResponse(status=status, body=sent, headers={k.replace("_", "-"): v for k, v in headers.items()})


def task(status: str, **facts: Any) -> HttpResponse:
    return answer({"id": TASK, "createdAt": "2026-01-05T10:00:00.120Z", "status": status, **facts})


TURBO = wish(I2V, "gen4_turbo", FRAME, prompt="the cat turns", width=1280, height=720, seconds=5.0)


# ---- what can be said


def test_a_model_is_found_by_its_operation_and_its_name():
    assert BACK.supports(I2V, ("gen4_turbo",)) == {
        "prompt", "width", "height", "resolution", "seconds", "seed", "contentModeration", "first_frame", "count",
        "watermark",
    }  # fmt: skip
    assert BACK.supports(T2V, ("gen4_turbo",)) is None
    assert BACK.supports(I2V, ("image-to-video/wan-2-7",)) is None
    assert BACK.supports(I2V, ()) is None


@pytest.mark.parametrize(
    ("operation", "model", "said", "unsaid"),
    [
        (I2V, "gen4.5", {"outputFormat", "proresProfile", "seed"}, {"last_frame", "negative_prompt", "audio", "fps"}),
        (I2V, "gen3a_turbo", {"first_frame", "last_frame"}, {"reference", "watermark_text"}),
        (I2V, "veo3.1", {"negative_prompt", "audio", "last_frame"}, {"contentModeration", "reference"}),
        (I2V, "hailuo3", {"reference", "ratio", "width", "resolution", "audio"}, {"duration", "seed"}),
        (I2V, "happyhorse_1_0", {"resolution", "first_frame"}, {"width", "height", "ratio"}),
        (I2V, "seedance2", {"duration", "reference", "first_frame"}, {"ratio", "reference_video"}),
        (I2V, "kling_4", {"promptImage", "reference", "reference_video", "ratio", "resolution"}, {"width", "height"}),
        (I2V, "klingO3_pro", {"providerSettings", "reference", "last_frame"}, {"cfgScale", "references"}),
        (V2V, "aleph2", {"keyframes", "targetAspectRatio", "reference", "video", "ratio", "width"}, {"references"}),
        (V2V, "seedance2_5", {"mode", "video", "reference_video"}, {"first_frame"}),
        (T2I, "gen4_image", {"reference", "seed"}, {"referenceImages", "count_of", "mask"}),
        (T2I, "gemini_image3_pro", {"referenceImages", "count"}, {"seed"}),
        (T2I, "ideogram_4_5", {"mask", "ratio"}, {"maskUri"}),
        (T2I, "wan-2.7", None, set()),
        (ACT, "act_two", {"character", "reference_video", "bodyControl"}, {"character.uri"}),
        (Operation.IMAGE_UPSCALE, "magnific_precision_upscaler_v2", {"image", "scaleFactor"}, {"width"}),
        (Operation.VIDEO_UPSCALE, "magnific_video_upscaler_creative", {"video", "resolution", "fpsBoost"}, {"ratio"}),
        (SPEAK, "eleven_v3", {"voice", "stability", "seed"}, {"audio"}),
        (SPEAK, "seed_audio", {"audio", "speechRate"}, {"voice"}),
        (Operation.SOUND_EFFECT, "eleven_text_to_sound_v2", {"seconds", "loop"}, {"duration"}),
        (Operation.VIDEO_EXTENSION, "seedance2_5", {"video", "seconds"}, {"mode"}),
        (Operation.VIDEO_EXTENSION, "seedance2", None, set()),
        (Operation.VIDEO_EXTENSION, "gemini_omni_flash_1.1", {"video"}, {"mode"}),
    ],
)  # fmt: skip
def test_what_can_be_said_is_what_the_models_body_has(
    operation: Operation, model: str, said: set[str] | None, unsaid: set[str]
):
    supported = BACK.supports(operation, (model,))
    if said is None:
        assert supported is None
    else:
        assert supported is not None and said <= supported and not unsaid & supported


def test_every_endpoint_and_model_can_be_called():
    assert len(EVERY_MODEL) > 100
    for operation, model in EVERY_MODEL:
        assert BACK.supports(operation, (model,)), (operation, model)
    made = {operation for operation in Operation if any(BACK.supports(operation, (model,)) for _, model in EVERY_MODEL)}
    assert made == {*ENDPOINTS, Operation.VIDEO_EXTENSION}


def test_a_model_that_is_not_there_is_refused_by_name():
    problem = refused(wish(T2V, "gen4_turbo", prompt="x"))
    assert (problem.kind, problem.field) == (Kind.UNSUPPORTED, "model")
    assert "text_to_video" in problem.message and "gen4_turbo" in problem.message


# ---- talks to itself


def same(read: Generation, asked: Generation) -> bool:
    """Equal but for the names of the files' members, which may stand alone or in a list."""

    def plain(each: Generation) -> Generation:
        return replace(each, inputs=tuple(replace(input, field=member_of(input.field)) for input in each.inputs))

    return plain(read) == plain(asked)


def member_of(field: str) -> str:
    return field.replace("[", ".").split(".")[0]


@pytest.mark.parametrize(("endpoint", "model"), LEAST, ids=str)
def test_a_body_is_written_as_it_was_read(endpoint: str, model: str):
    body = {"model": model, **LEAST[endpoint, model]}
    asked = heard(Operation(endpoint), body)
    BACK.check(order(asked, sources={}))
    request = next(BACK.submit(order(asked)))
    assert (request.method, request.path) == ("POST", f"/v1/{endpoint}")
    assert json.loads(request.body) == body


FIELDS = set(Generation.__struct_fields__) - {"operation", "model", "inputs", "extra"}
URIS = {"image": IMG, "video": VID, "audio": AUD}


def legal(type: inspect.Type) -> st.SearchStrategy[Any]:
    """Values that fit an annotation."""
    match type:
        case inspect.Metadata():
            pattern = str((type.extra_json_schema or {}).get("pattern"))
            uri = next((uri for family, uri in URIS.items() if f"data:{family}" in pattern), None)
            return st.integers(1, 99).map(lambda n: f"{uri}?{n}") if uri else legal(type.type)
        case inspect.UnionType():
            return st.one_of([legal(each) for each in type.types])
        case inspect.LiteralType():
            return st.sampled_from(type.values)
        case inspect.StrType() if type.pattern:
            return st.from_regex(type.pattern, fullmatch=True).filter(lambda t: 3 <= len(t) <= 16)
        case inspect.StrType():
            return st.text(min_size=type.min_length or 0, max_size=min(type.max_length or 20, 20))
        case inspect.IntType():
            return st.integers(type.ge, type.le if type.le is not None else 1000)
        case inspect.FloatType():
            return st.floats(type.ge, type.le if type.le is not None else 100.0, allow_nan=False)
        case inspect.BoolType():
            return st.booleans()
        case inspect.ListType():
            return st.lists(legal(type.item_type), min_size=type.min_length or 0, max_size=min(type.max_length or 3, 3))
        case inspect.StructType():
            required = {each.encode_name: legal(each.type) for each in type.fields if each.required}
            optional = {each.encode_name: legal(each.type) for each in type.fields if not each.required}
            tag = {type.tag_field: st.just(type.tag)} if type.tag_field else {}
            return st.fixed_dictionaries(tag | required, optional=optional)
        case _:
            raise TypeError(type)


@pytest.mark.parametrize(("operation", "model"), EVERY_MODEL, ids=str)
@given(data=st.data())
@settings(max_examples=15, suppress_health_check=list(HealthCheck))
def test_every_legal_body_is_heeded_whole_and_means_the_same_after_it_was_read_and_written(
    operation: Operation, model: str, data: Any
):
    body = data.draw(legal(inspect.type_info(models(ENDPOINTS[operation])[model])))
    try:
        asked = heard(operation, body)
    except Problem:
        assume(False)  # what a schema cannot say: positions and times
        raise
    assume(body.get("promptImage") != [])  # the schema has no bound here, and there is nothing to go by
    BACK.check(order(asked, sources={}))
    sent = json.loads(next(BACK.submit(order(asked))).body)
    assert same(heard(asked.operation, sent), asked)
    supported = BACK.supports(asked.operation, (model,))
    assert supported is not None
    fields = {name for name in FIELDS if name not in ("wire", "unread") and getattr(asked, name) is not None}
    assert fields | {each.role.value for each in asked.inputs} | asked.extra.keys() <= supported


# ---- fields


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (TURBO, {"promptImage": IMG, "promptText": "the cat turns", "ratio": "1280:720", "duration": 5}),
        (replace(TURBO, seed=0), {"promptImage": IMG, "promptText": "the cat turns", "ratio": "1280:720", "duration": 5,
                                  "seed": 0}),
        # an empty text asks for nothing where the vendor takes none
        (replace(TURBO, prompt="", seconds=None), {"promptImage": IMG, "ratio": "1280:720"}),
        # one picture and no mark on it are what everybody gets
        (replace(TURBO, prompt="", seconds=None, count=1, watermark=False), {"promptImage": IMG, "ratio": "1280:720"}),
        (wish(T2V, "veo3.1", prompt="x", negative_prompt="rain", width=1080, height=1920, seconds=8.0,
              extra={"audio": False}),
         {"promptText": "x", "negativePrompt": "rain", "ratio": "1080:1920", "duration": 8, "audio": False}),
        (wish(T2I, "seedream5_lite", prompt="x", width=2048, height=2048, count=3),
         {"promptText": "x", "ratio": "2048:2048", "outputCount": 3}),
        # a word that was asked for goes before what the catalog filled in
        (wish(T2V, "seedance2", prompt="x", seconds=5.0, extra={"duration": "auto"}),
         {"promptText": "x", "duration": "auto"}),
        (wish(T2I, "gpt_image_2", prompt="x", width=1920, height=1080, extra={"ratio": "auto"}),
         {"promptText": "x", "ratio": "auto"}),
        # a tier, in the vendor's case
        (wish(I2V, "happyhorse_1_0", FRAME, resolution="1080p"), {"promptImage": IMG, "resolution": "1080P"}),
        (wish(I2V, "hailuo3", FRAME, prompt="x", resolution="2k"), {"promptImage": IMG, "promptText": "x",
                                                                    "resolution": "2K"}),
        # pixels that are the size of a tier
        (wish(I2V, "happyhorse_1_0", FRAME, width=1280, height=720), {"promptImage": IMG, "resolution": "720P"}),
        (wish(I2V, "happyhorse_1_0", FRAME, width=1000, height=720), {"promptImage": IMG}),
        # pixels that are a shape at a tier
        (wish(T2V, "hailuo3", prompt="x", width=1366, height=768, resolution="768p"),
         {"promptText": "x", "ratio": "16:9", "resolution": "768P"}),
        (wish(T2V, "grok_imagine_1_5", prompt="x", width=1080, height=1920),
         {"promptText": "x", "ratio": "9:16", "resolution": "1080p"}),
        # a tier whose shape the vendor chooses, beside the pixels that the catalog took it for
        (wish(T2I, "seedream5_pro", prompt="x", width=2560, height=1440, resolution="2k", extra={"ratio": "auto"}),
         {"promptText": "x", "ratio": "auto_2k"}),
        (wish(T2V, "wan3", prompt="x", width=1280, height=720, resolution="720p", extra={"ratio": "auto"}),
         {"promptText": "x", "ratio": "auto_720p"}),
        (wish(T2V, "wan3", prompt="x", width=1920, height=1080, extra={"ratio": "auto"}),
         {"promptText": "x", "ratio": "auto_1080p"}),
        (wish(T2V, "wan3", prompt="x", width=1280, height=720, resolution="720p"),
         {"promptText": "x", "ratio": "1280:720"}),
        (wish(I2V, "kling_4", FRAME, width=1280, height=720), {"promptImage": IMG, "ratio": "auto_720p"}),
        (wish(I2V, "kling_4", FRAME, resolution="1080p"), {"promptImage": IMG, "ratio": "auto_1080p"}),
        # advice that this vendor has no word for, and that the catalog lets go by
        (replace(TURBO, negative_prompt="rain", fps=24, extra={"prompt_extend": True}),
         {"promptImage": IMG, "promptText": "the cat turns", "ratio": "1280:720", "duration": 5}),
        (wish(Operation.SOUND_EFFECT, "eleven_text_to_sound_v2", prompt="x", seconds=0.5),
         {"promptText": "x", "duration": 0.5}),
        (wish(Operation.VIDEO_EXTENSION, "seedance2_5", CLIP, prompt="on", seconds=10.0),
         {"promptVideo": VID, "promptText": "on", "mode": "extend", "duration": 10}),
        (wish(V2V, "seedance2_5", CLIP, extra={"mode": "edit"}), {"promptVideo": VID, "mode": "edit"}),
    ],
)  # fmt: skip
def test_a_wish_is_told_in_the_vendors_words(wanted: Generation, said: dict[str, Any]):
    assert body_of(wanted) == said


@pytest.mark.parametrize(
    ("wanted", "kind", "field", "words"),
    [
        (replace(TURBO, width=1000), Kind.INVALID, "width", '"1280:720"|"720:1280"|"1104:832"'),
        (replace(TURBO, seconds=11.0), Kind.INVALID, "seconds", "<=10"),
        (replace(TURBO, seconds=5.5), Kind.INVALID, "seconds", "expected int"),
        (replace(TURBO, seed=2**32), Kind.INVALID, "seed", "<=4294967295"),
        (replace(TURBO, seed=-1), Kind.INVALID, "seed", ">=0"),
        (replace(TURBO, prompt="x" * 1001), Kind.INVALID, "prompt", "<=1000 characters"),
        (replace(TURBO, prompt="🙂" * 501), Kind.INVALID, "prompt", "<=1000 characters"),
        (replace(TURBO, width=None, height=None), Kind.INVALID, "width", "ratio"),
        (replace(TURBO, width=None), Kind.INVALID, "width", "ratio"),
        (replace(TURBO, inputs=()), Kind.INVALID, "first_frame", "promptImage"),
        (replace(TURBO, width=None, height=None, resolution="720p"), Kind.UNSUPPORTED, "resolution", "1280:720"),
        (replace(TURBO, inputs=(FRAME, LAST)), Kind.UNSUPPORTED, "last_frame", "no place"),
        (replace(TURBO, inputs=(FRAME, file(Role.FIRST_FRAME, "another"))), Kind.INVALID, "first_frame", "1 items"),
        (replace(TURBO, count=2), Kind.UNSUPPORTED, "count", "2"),
        (replace(TURBO, watermark=True), Kind.UNSUPPORTED, "watermark", "True"),
        (replace(TURBO, extra={"contentModeration": {"publicFigureThreshold": "none"}}), Kind.INVALID,
         "contentModeration", '"auto"|"low"'),
        (replace(TURBO, extra={"contentModeration": {"publicFigureThreshold": "low", "faces": 1}}), Kind.UNSUPPORTED,
         "contentModeration", "as it was asked for"),
        (wish(I2V, "veo3.1", FRAME, width=1280, height=720, seconds=5.0), Kind.INVALID, "seconds", "4|6|8"),
        (wish(I2V, "gen3a_turbo", FRAME, prompt=""), Kind.INVALID, "prompt", "promptText"),
        (wish(I2V, "gen4.5", FRAME, prompt="x", width=1280, height=720), Kind.INVALID, "seconds", "duration"),
        (wish(T2V, "seedance2", prompt="x", extra={"duration": "long"}), Kind.UNSUPPORTED, "duration", "duration"),
        (wish(I2V, "happyhorse_1_0", FRAME, resolution="4k"), Kind.UNSUPPORTED, "resolution", "720p, 1080p, not 4k"),
        (wish(T2V, "hailuo3", prompt="x", width=1280, height=720), Kind.UNSUPPORTED, "width", "2k, 768p, not 1280x720"),
        (wish(T2V, "hailuo3", prompt="x", width=1000, height=100, resolution="2k"), Kind.INVALID, "width", "16:9"),
        (wish(T2V, "hailuo3", prompt="x", width=1366, height=780, resolution="768p"), Kind.INVALID, "width", "16:9"),
        (wish(V2V, "aleph2", CLIP, resolution="1080p"), Kind.UNSUPPORTED, "resolution", "pixels"),
        (wish(V2V, "aleph2", CLIP, file(Role.REFERENCE)), Kind.INVALID, "reference", "seconds and at"),
        (wish(V2V, "seedance2", CLIP, file(Role.VIDEO, "another", VID)), Kind.UNSUPPORTED, "video",
         "one video, not for 2"),
        (wish(I2V, "seedance2", FRAME, file(Role.REFERENCE)), Kind.INVALID, None, "cannot be mixed"),
        (wish(T2I, "gen4_image", file(Role.REFERENCE, label="Cat"), prompt="x", width=1024, height=1024), Kind.INVALID,
         "reference", "pattern"),
        (wish(T2V, "seedance2", file(Role.REFERENCE, label="cat"), prompt="x"), Kind.UNSUPPORTED, "reference", "tag"),
        (wish(T2I, "gen4_image", *(file(Role.REFERENCE, f"r{n}") for n in range(4)), prompt="x", width=1024,
              height=1024), Kind.INVALID, "reference", "<=3 items"),
        (wish(T2I, "gemini_image3_pro", prompt="x", width=1024, height=1024, count=2), Kind.INVALID, "count", "1|4"),
        (wish(SPEAK, "eleven_v3", prompt="x"), Kind.INVALID, "voice", "voice"),
        (wish(SPEAK, "eleven_v3", prompt="x", extra={"voice": VOICE | {"presetId": "Bo"}}), Kind.INVALID, "voice",
         "Maya"),
        (wish(ACT, "act_two", file(Role.CHARACTER)), Kind.INVALID, "reference_video",
         "reference"),
    ],
)  # fmt: skip
def test_what_cannot_be_said_is_refused_with_our_name_of_it_and_what_would_have_been_right(
    wanted: Generation, kind: Kind, field: str | None, words: str
):
    problem = refused(wanted)
    assert (problem.kind, problem.field or "first_frame") == (kind, field or "first_frame"), problem.message
    assert words in problem.message and wanted.model in problem.message


def least(type: inspect.Type) -> Any:
    """The first value that fits an annotation, with nothing that may be left out."""
    match type:
        case inspect.Metadata():
            pattern = str((type.extra_json_schema or {}).get("pattern"))
            return next((uri for family, uri in URIS.items() if f"data:{family}" in pattern), None) or least(type.type)
        case inspect.UnionType():
            return least(type.types[0])
        case inspect.LiteralType():
            return type.values[0]
        case inspect.StrType():
            return "xx"
        case inspect.IntType() | inspect.FloatType():
            return type.ge
        case inspect.ListType():
            return [least(type.item_type)]
        case inspect.StructType():
            tag = {type.tag_field: type.tag} if type.tag_field else {}
            return tag | {each.encode_name: least(each.type) for each in type.fields if each.required}
        case _:
            raise TypeError(type)


@pytest.mark.parametrize(("operation", "model"), EVERY_MODEL, ids=str)
def test_what_the_catalog_fills_in_can_be_said(operation: Operation, model: str):
    asked = heard(operation, least(inspect.type_info(models(ENDPOINTS[operation])[model])))
    row = catalog.Catalog(ROWS).get(model)
    assert operation in row.serves and model in row.names["runway"]
    filled = catalog.complete(asked, row, remote=True)
    BACK.check(order(filled, sources={}))
    sent = heard(operation, json.loads(next(BACK.submit(order(filled))).body))
    if sent.width is not None or asked.width is not None:
        assert (sent.width, sent.height) == (filled.width, filled.height)


@pytest.mark.parametrize(
    ("model", "resolutions"), [("hailuo3", ("2K", "768P")), ("grok_imagine_1_5", ("480p", "720p", "1080p"))]
)
def test_a_shape_and_a_tier_become_pixels_and_the_same_shape_and_tier_again(model: str, resolutions: tuple[str, ...]):
    for ratio in ("16:9", "4:3", "1:1", "3:4", "9:16"):
        for tier in resolutions:
            body = {"model": model, "promptText": "x", "ratio": ratio, "resolution": tier}
            filled = catalog.complete(heard(T2V, body), catalog.Catalog(ROWS).get(model), remote=True)
            assert filled.width and "ratio" not in filled.extra
            sent = body_of(filled)
            assert (sent["ratio"], sent["resolution"]) == (ratio, tier)


def test_all_that_is_wrong_is_told_at_once():
    message = refused(replace(TURBO, width=1000, seconds=99.0, seed=-1)).message
    assert all(member in message for member in ("ratio: ", "duration: ", "seed: "))


def test_a_check_needs_no_files_and_a_submission_uses_them():
    assert (
        next(BACK.submit(VendorRequest(generation=TURBO, names=("gen4_turbo",)))).body.count(SOURCE_STAND_IN.encode())
        == 1
    )
    sent = next(BACK.submit(VendorRequest(generation=TURBO, names=("gen4_turbo",), sources={"first_frame": PIXEL})))
    assert json.loads(sent.body)["promptImage"] == PIXEL


def test_of_several_names_the_first_that_the_operation_knows_is_called():
    asked = VendorRequest(generation=TURBO, names=("nowhere", "gen4_turbo", "gen4.5"))
    assert json.loads(next(BACK.submit(asked)).body)["model"] == "gen4_turbo"


# ---- files


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (wish(I2V, "gen3a_turbo", FRAME, LAST, prompt="x"),
         {"promptImage": [{"uri": IMG, "position": "first"}, {"uri": IMG, "position": "last"}]}),
        (wish(I2V, "gen3a_turbo", LAST, prompt="x"), {"promptImage": [{"uri": IMG, "position": "last"}]}),
        (wish(I2V, "seedance2", file(Role.REFERENCE)), {"promptImage": [{"uri": IMG}]}),
        (wish(I2V, "seedance2", FRAME, file(Role.AUDIO, url=AUD)),
         {"promptImage": IMG, "referenceAudio": [{"uri": AUD, "type": "audio"}]}),
        (wish(T2V, "seedance2", file(Role.REFERENCE), file(Role.REFERENCE_VIDEO, url=VID), prompt="x"),
         {"references": [{"uri": IMG}], "referenceVideos": [{"uri": VID, "type": "video"}]}),
        # a reference goes where references are at home, unless it came from elsewhere in the same body
        (wish(I2V, "kling_4", FRAME, file(Role.REFERENCE, "reference_images[0]")),
         {"promptImage": IMG, "references": [{"uri": IMG}]}),
        (wish(I2V, "kling_4", file(Role.FIRST_FRAME, "promptImage[0].uri"), file(Role.REFERENCE, "promptImage[1].uri"),
              extra={"promptImage": [{}, {"position": "middle"}]}),
         {"promptImage": [{"uri": IMG, "position": "first"}, {"uri": IMG, "position": "middle"}]}),
        # an item that names no file keeps its place
        (wish(T2V, "kling_4", file(Role.REFERENCE_VIDEO, "referenceVideos[1].uri", VID), prompt="x",
              extra={"referenceVideos": [{"type": "video"}, {}]}),
         {"referenceVideos": [{"type": "video"}, {"type": "video", "uri": VID}]}),
        (wish(I2V, "klingO3_pro", FRAME, file(Role.REFERENCE)), {"promptImage": IMG, "references": IMG}),
        (wish(T2I, "gen4_image", file(Role.REFERENCE, "a", label="cat"), file(Role.REFERENCE, "b"), prompt="x",
              width=1024, height=1024),
         {"referenceImages": [{"uri": IMG, "tag": "cat"}, {"uri": IMG}]}),
        (wish(T2I, "gemini_image3_pro", file(Role.REFERENCE, "a"), file(Role.REFERENCE, "b"), prompt="x", width=1024,
              height=1024, extra={"referenceImages": [{}, {"subject": "human"}]}),
         {"referenceImages": [{"uri": IMG}, {"uri": IMG, "subject": "human"}]}),
        (wish(T2I, "ideogram_4_5", file(Role.MASK), prompt="x"), {"maskUri": IMG}),
        (wish(V2V, "aleph2", CLIP, file(Role.REFERENCE), extra={"keyframes": [{"at": 0.5}]}),
         {"videoUri": VID, "keyframes": [{"uri": IMG, "at": 0.5}]}),
        (wish(V2V, "gen4_aleph", CLIP, file(Role.REFERENCE), prompt="x", width=1280, height=720),
         {"videoUri": VID, "references": [{"uri": IMG, "type": "image"}]}),
        (wish(ACT, "act_two", file(Role.CHARACTER), file(Role.REFERENCE_VIDEO, url=VID)),
         {"character": {"type": "image", "uri": IMG}, "reference": {"type": "video", "uri": VID}}),
        (wish(ACT, "act_two", file(Role.CHARACTER, url=VID, media_type="video/mp4"),
              file(Role.REFERENCE_VIDEO, url=VID)), {"character": {"type": "video", "uri": VID}}),
        (wish(ACT, "act_two",
              file(Role.CHARACTER, url=VID, limits=MediaLimits(types=VIDEO_TYPES)),
              file(Role.REFERENCE_VIDEO, url=VID)), {"character": {"type": "video", "uri": VID}}),
        (wish(SPEAK, "seed_audio", file(Role.AUDIO, url=AUD), prompt="x"),
         {"voice": {"type": "reference-audio", "audioUri": AUD}}),
        (wish(SPEAK, "eleven_v3", prompt="x", extra={"voice": VOICE}), {"voice": VOICE}),
        (wish(Operation.SOUND_EFFECT, "seed_audio", file(Role.AUDIO, url=AUD), prompt="x"), {"referenceAudios": [AUD]}),
        (wish(Operation.SPEECH_TO_SPEECH, "eleven_multilingual_sts_v2", CLIP, extra={"voice": VOICE}),
         {"media": {"type": "video", "uri": VID}, "voice": VOICE}),
        (wish(Operation.IMAGE_UPSCALE, "magnific_precision_upscaler_v2", file(Role.IMAGE), extra={"scaleFactor": 4}),
         {"imageUri": IMG, "scaleFactor": 4}),
    ],
)  # fmt: skip
def test_a_file_goes_where_its_role_belongs(wanted: Generation, said: dict[str, Any]):
    body = body_of(wanted)
    assert {name: body.get(name) for name in said} == said


def carried(role: Role, **facts: Any) -> dict[Way, int | None]:
    each = Input(role=role, field="f", **facts)
    return {transport.way: transport.max_bytes for transport in BACK.ways(order(TURBO), each)}


MB = 1024 * 1024


def test_a_file_travels_by_link_by_upload_or_inside():
    assert list(carried(Role.FIRST_FRAME, url=IMG)) == [Way.LINK, Way.UPLOAD, Way.DATA]
    picture, clip = carried(Role.FIRST_FRAME, asset="a"), carried(Role.VIDEO, asset="a")
    assert (picture[Way.LINK], picture[Way.UPLOAD]) == (16 * MB, 200 * MB)
    assert (clip[Way.LINK], clip[Way.UPLOAD]) == (32 * MB, 200 * MB)
    assert carried(Role.AUDIO, asset="a") == clip == carried(Role.CHARACTER, asset="a", media_type="video/mp4")


@pytest.mark.parametrize(
    ("role", "media_type", "longest"),
    [(Role.FIRST_FRAME, "image/jpeg", 5_242_880), (Role.VIDEO, "video/x-matroska", 16_777_216)],
)
def test_the_largest_file_inside_a_request_is_one_that_the_front_takes(role: Role, media_type: str, longest: int):
    most = carried(role, asset="a")[Way.DATA]
    assert most is not None
    text = f"data:{media_type};base64,{base64.b64encode(bytes(most)).decode()}"
    assert longest - 100 < len(text) <= longest


@pytest.mark.parametrize(
    "url",
    [
        "http://a.example/cat.png",
        "https://127.0.0.1/cat.png",
        "https://[::1]/cat.png",
        "https://localhost/cat.png",
        "https://a.b/",
        "https://a.example/" + "x" * 2031,
        "https://[bad/cat.png",
    ],
)
def test_a_link_that_the_vendor_would_not_fetch_is_not_sent(url: str):
    assert list(carried(Role.FIRST_FRAME, url=url)) == [Way.UPLOAD, Way.DATA]


# ---- uploads

SLOT = {
    "uploadUrl": "https://store.example/slot",
    "fields": {"key": "k/1", "policy": "line\nbreak", 'odd"name': "é"},
    "runwayUri": "runway://0198-u",
}
PICTURE = File(name="first_frame.png", media_type="image/png", data=bytes(range(256)) * 4)


def parts_of(request: HttpRequest) -> list[tuple[str, str | None, bytes]]:
    """The form, as an independent reader sees it: name, filename, value."""
    found: list[tuple[str, str | None, bytes]] = []

    def on_field(field: Any) -> None:
        found.append((field.field_name.decode(), None, field.value))

    def on_file(each: Any) -> None:
        each.file_object.seek(0)
        found.append((each.field_name.decode(), each.file_name.decode(), each.file_object.read()))

    headers = {
        "Content-Type": request.headers["content-type"].encode(),
        "Content-Length": str(len(request.body)).encode(),
    }
    parse_form(headers, BytesIO(request.body), on_field, on_file)
    return found


@pytest.mark.parametrize("status", [200, 201, 204])
def test_a_file_is_uploaded_into_a_slot_with_its_fields_first(status: int):
    held = talk(BACK.upload(PICTURE), answer(SLOT), answer(b"", status))
    assert held.result == "runway://0198-u"
    slot, form = held.requests
    assert (slot.method, slot.path) == ("POST", "/v1/uploads")
    assert json.loads(slot.body) == {"filename": "first_frame.png", "type": "ephemeral"}
    assert (form.method, form.path, form.spends, slot.spends) == ("POST", "https://store.example/slot", False, False)
    assert parts_of(form) == [
        ("key", None, b"k/1"),
        ("policy", None, b"line\nbreak"),
        ("odd%22name", None, "é".encode()),
        ("file", "first_frame.png", PICTURE.data),
    ]
    assert b"content-type: image/png" in form.body


def test_a_slot_is_asked_for_in_words_that_the_front_takes():
    parse = next(route.parse for route in runway.WIRE.routes if route.at == "POST /v1/uploads")
    assert parse is not None
    for name, media_type in (("a.PNG", "image/png"), ("video.bin", "video/mp4"), ("x" * 300 + ".mp3", "audio/mpeg")):
        asked = next(BACK.upload(File(name=name, media_type=media_type, data=bytes(MIN_UPLOAD))))
        (read,) = parse(asked)
        assert (read.media_type, read.min_bytes) == (media_type, MIN_UPLOAD)


def test_a_file_too_small_for_a_slot_goes_inside_the_request():
    small = File(name="a.png", media_type="image/png", data=b"\x89PNG and so on")
    held = talk(BACK.upload(small))
    assert (held.requests, held.result) == ([], PIXEL)
    assert talk(BACK.upload(replace(small, data=bytes(MIN_UPLOAD))), answer(SLOT), answer()).result == SLOT["runwayUri"]


def test_a_type_that_the_vendor_does_not_store_is_refused():
    held = talk(BACK.upload(File(name="a.gif", media_type="image/gif", data=bytes(600))))
    assert held.problem is not None and held.problem.kind is Kind.BAD_MEDIA and "image/png" in held.problem.message


@pytest.mark.parametrize(
    ("answers", "kind"),
    [
        ((answer({"error": "no"}, 401),), Kind.UNAUTHENTICATED),
        ((answer({"error": "slow down"}, 429, retry_after="3"),), Kind.RATE_LIMITED),
        ((answer(b"<html>"),), Kind.UPSTREAM_FAILED),
        ((answer(SLOT | {"uploadUrl": "/v1/organization"}),), Kind.UPSTREAM_FAILED),
        ((answer(SLOT | {"runwayUri": "https://elsewhere.example/x"}),), Kind.UPSTREAM_FAILED),
        ((answer(SLOT), answer(b"<Error/>", 403)), Kind.UPSTREAM_FAILED),
        ((answer(SLOT), answer(b"", 500)), Kind.UPSTREAM_FAILED),
        ((answer(SLOT), answer(b"", 302)), Kind.UPSTREAM_FAILED),
    ],
)
def test_an_upload_that_fails_is_a_problem(answers: tuple[HttpResponse, ...], kind: Kind):
    held = talk(BACK.upload(PICTURE), *answers)
    assert held.problem is not None and held.problem.kind is kind


# ---- tasks


def test_a_submission_spends_once_and_keeps_the_id():
    held = talk(BACK.submit(order(TURBO, reference="our-job")), answer({"id": TASK, "estimatedCost": {"credits": 25}}))
    (request,) = held.requests
    assert request.spends and request.path == "/v1/image_to_video"
    assert request.headers == {"content-type": "application/json", "idempotency-key": "our-job"}
    assert held.result == Update(state=State.QUEUED, upstream_status="PENDING", handle={"id": TASK})
    assert "idempotency-key" not in next(BACK.submit(order(TURBO))).headers


def test_an_extension_is_asked_for_at_the_path_of_the_edits():
    asked = wish(Operation.VIDEO_EXTENSION, "seedance2_5", CLIP)
    assert next(BACK.submit(order(asked))).path == "/v1/video_to_video"


def test_every_request_is_signed_and_names_the_version():
    headers = BACK.sign("key_1", 0.0)
    assert headers == {"authorization": "Bearer key_1", "x-runway-version": "2024-11-06"}
    request = HttpRequest(method="POST", path="/v1/image_to_video", headers=headers)
    assert runway.WIRE.credential(request) == "key_1"
    assert runway.precheck(request, runway.WIRE.routes[0]) is None


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"<html>", b"[]", b"null", {}, {"id": 5}, {"id": ""}, {"id": "../organization"}, {"id": "a" * 300},
     {"task_id": TASK}],
)  # fmt: skip
def test_a_create_that_is_answered_with_garbage_is_a_problem(body: Any):
    held = talk(BACK.submit(order(TURBO)), answer(body))
    assert held.problem is not None and held.problem.kind is Kind.UPSTREAM_FAILED


@pytest.mark.parametrize("word", STATES)
def test_every_status_is_read(word: str):
    facts = {"output": ["https://cdn.example/1.mp4?sig=1"]} if word == "SUCCEEDED" else {}
    held = talk(BACK.poll({"id": TASK}), task(word, **facts))
    (request,) = held.requests
    assert (request.method, request.path, request.spends) == ("GET", f"/v1/tasks/{TASK}", False)
    assert (held.result.state, held.result.upstream_status) == (STATES[word], word)


def test_throttled_waits_as_pending_does():
    assert STATES["THROTTLED"] is STATES["PENDING"] is State.QUEUED


@pytest.mark.parametrize("word", ["", "pending", "QUEUED", "CANCELED", "DONE"])
def test_a_status_that_nobody_documents_is_a_problem_and_no_quiet_queue(word: str):
    held = talk(BACK.poll({"id": TASK}), task(word))
    assert held.problem is not None and held.problem.kind is Kind.UPSTREAM_FAILED and repr(word) in held.problem.message


@pytest.mark.parametrize(
    ("progress", "read"),
    [(0.45, 0.45), (0, 0.0), (1, 1.0), (1.5, 1.0), (-0.1, 0.0), (None, None), ("45%", None), (True, None)],
)
def test_progress_is_a_share_or_unknown(progress: Any, read: float | None):
    assert talk(BACK.poll({"id": TASK}), task("RUNNING", progress=progress)).result.progress == read
    assert talk(BACK.poll({"id": TASK}), task("PENDING", progress=0.5)).result.progress is None


def test_a_task_that_succeeded_has_links_and_a_cost():
    links = ["https://cdn.example/1.png?sig=1", "https://cdn.example/2.png?sig=1"]
    update = talk(BACK.poll({"id": TASK}), task("SUCCEEDED", output=links, cost={"credits": 25})).result
    assert update == Update(
        state=State.SUCCEEDED, upstream_status="SUCCEEDED", links=tuple(links), cost=25.0, handle={}
    )
    bare = talk(BACK.poll({"id": TASK}), task("SUCCEEDED", output=links)).result
    assert bare.cost is None
    odd = talk(BACK.poll({"id": TASK}), task("SUCCEEDED", output=links, cost="much")).result
    assert (odd.state, odd.cost) == (State.SUCCEEDED, None)


@pytest.mark.parametrize("output", [[], None, "https://cdn.example/1.mp4", [5]])
def test_a_success_without_links_is_a_problem(output: Any):
    held = talk(BACK.poll({"id": TASK}), task("SUCCEEDED", output=output))
    assert held.problem is not None and held.problem.kind is Kind.UPSTREAM_FAILED


def test_what_a_task_costs_counts_once_it_is_final():
    assert talk(BACK.poll({"id": TASK}), task("RUNNING", progress=0.1, cost={"credits": 0})).result.cost is None
    assert talk(BACK.poll({"id": TASK}), task("CANCELLED", cost={"credits": 3})).result.cost == 3.0
    assert talk(BACK.poll({"id": TASK}), task("FAILED", failure="x", cost={"credits": 0})).result.cost == 0.0


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("SAFETY.INPUT.TEXT", Kind.REFUSED),
        ("SAFETY.INPUT.IMAGE", Kind.REFUSED),
        ("SAFETY.OUTPUT.VIDEO", Kind.REFUSED),
        ("SAFETY", Kind.REFUSED),
        ("SAFETYNET.DOWN", Kind.UPSTREAM_FAILED),
        ("INPUT_PREPROCESSING.SAFETY.TEXT", Kind.REFUSED),
        ("INPUT_PREPROCESSING.INTERNAL", Kind.UPSTREAM_FAILED),
        ("INTERNAL.BAD_OUTPUT.01", Kind.UPSTREAM_FAILED),
        ("ASSET.INVALID", Kind.BAD_MEDIA),
        ("THIRD_PARTY.UNAVAILABLE", Kind.UPSTREAM_FAILED),
        ("INTERNAL", Kind.UPSTREAM_FAILED),
        ("SOMETHING.NEW", Kind.UPSTREAM_FAILED),
    ],
)
def test_a_failures_code_tells_its_kind_and_is_kept(code: str, kind: Kind):
    update = talk(BACK.poll({"id": TASK}), task("FAILED", failure="why", failureCode=code)).result
    assert update.failure == Failure(kind=kind, message="why", code=code)


@pytest.mark.parametrize("facts", [{}, {"failure": None}, {"failure": "", "failureCode": 5}])
def test_a_failure_without_a_reason_says_so(facts: dict[str, Any]):
    failure = talk(BACK.poll({"id": TASK}), task("FAILED", **facts)).result.failure
    assert failure.kind is Kind.UPSTREAM_FAILED and failure.code is None and "no reason" in failure.message


@pytest.mark.parametrize("body", [b"", b"{", b"<html>", b"[]", b"null", {}, {"id": TASK}, {"status": 5}])
def test_a_task_that_cannot_be_read_is_a_problem(body: Any):
    held = talk(BACK.poll({"id": TASK}), answer(body))
    assert held.problem is not None and held.problem.kind is Kind.UPSTREAM_FAILED


def test_a_task_that_the_vendor_does_not_know_is_told_so():
    held = talk(BACK.poll({"id": TASK}), answer({"error": "Could not find Task"}, 404))
    assert held.problem is not None and held.problem.kind is Kind.NOT_FOUND
    assert "Could not find Task" in held.problem.message


@pytest.mark.parametrize("status", [204, 200, 404])
def test_a_task_is_cancelled_and_stays_so(status: int):
    held = talk(BACK.cancel({"id": TASK}), answer(b"", status))
    assert held.result is True
    assert (held.requests[0].method, held.requests[0].path) == ("DELETE", f"/v1/tasks/{TASK}")


@pytest.mark.parametrize(
    ("status", "kind"), [(401, Kind.UNAUTHENTICATED), (503, Kind.UNAVAILABLE), (405, Kind.INVALID)]
)
def test_a_cancel_that_is_refused_is_a_problem(status: int, kind: Kind):
    held = talk(BACK.cancel({"id": TASK}), answer({"error": "no"}, status))
    assert held.problem is not None and held.problem.kind is kind


# ---- trouble


def complaint(body: Any, status: int, wanted: Generation = TURBO, **headers: str) -> Problem:
    problem = talk(BACK.submit(order(wanted)), answer(body, status, **headers)).problem
    assert problem is not None
    return problem


def issues(*each: tuple[list[Any], str]) -> dict[str, Any]:
    told = [{"code": "custom", "path": path, "message": message} for path, message in each]
    return {"error": "Validation of body failed", "issues": told, "docUrl": "https://docs.dev.runwayml.com/api"}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"error": "Invalid parameter 'promptText'"}, Kind.INVALID),
        (400, {"error": "You do not have enough credits to run this task.", "docUrl": "https://x.example"},
         Kind.QUOTA_EXCEEDED),
        (400, {"error": runway.BAD_VERSION}, Kind.INVALID),
        (400, {"error": "promptImage: Invalid asset aspect ratio. width / height must be at least 0.5. Got 0.4"},
         Kind.BAD_MEDIA),
        (400, {"error": "Invalid asset dimensions"}, Kind.BAD_MEDIA),
        (400, {"error": "Unsupported asset type"}, Kind.BAD_MEDIA),
        (400, {"error": "Asset size exceeds 16MB"}, Kind.BAD_MEDIA),
        (400, issues((["videoUri"], "Asset duration must be at most 30 seconds")), Kind.BAD_MEDIA),
        (400, {"error": "promptImage: Invalid data URI"}, Kind.BAD_MEDIA),
        (400, {"error": "promptImage: Failed to fetch asset"}, Kind.UNREACHABLE_MEDIA),
        (400, {"error": "Timeout while fetching asset"}, Kind.UNREACHABLE_MEDIA),
        (401, {"error": "no such key"}, Kind.UNAUTHENTICATED),
        (403, {"error": "not yours"}, Kind.FORBIDDEN),
        (404, {"error": "no such path"}, Kind.NOT_FOUND),
        (405, b"", Kind.INVALID),
        (409, b"", Kind.CONFLICT),
        (413, b"<html>too large</html>", Kind.TOO_LARGE),
        (422, {}, Kind.INVALID),
        (429, {"error": "Your daily task limit has been reached."}, Kind.QUOTA_EXCEEDED),
        (429, {"error": "Too many requests"}, Kind.RATE_LIMITED),
        (429, b"", Kind.RATE_LIMITED),
        (500, {"error": "oops"}, Kind.UPSTREAM_FAILED),
        (502, b"<html>", Kind.UPSTREAM_FAILED),
        (503, b"", Kind.UNAVAILABLE),
        (504, b"", Kind.UPSTREAM_FAILED),
        (302, b"", Kind.UPSTREAM_FAILED),
        # a text does not outweigh its status
        (500, {"error": "not enough credits"}, Kind.UPSTREAM_FAILED),
        (401, {"error": "Invalid asset dimensions"}, Kind.UNAUTHENTICATED),
    ],
)  # fmt: skip
def test_an_error_is_sorted_by_its_status_and_then_by_its_words(status: int, body: Any, kind: Kind):
    problem = complaint(body, status)
    assert problem.kind is kind
    assert str(status) in problem.message
    if isinstance(body, dict) and "error" in body:
        assert body["error"] in problem.message


@pytest.mark.parametrize(
    ("path", "field"),
    [
        (["ratio"], "width"),
        (["duration"], "seconds"),
        (["promptText"], "prompt"),
        (["seed"], "seed"),
        (["promptImage"], "first_frame"),
        (["promptImage", 0, "uri"], "first_frame"),
        (["contentModeration", "publicFigureThreshold"], "contentModeration"),
        (["model"], "model"),
        ([], None),
    ],
)
def test_an_issue_is_told_with_our_name_of_the_field(path: list[Any], field: str | None):
    problem = complaint(issues((path, "this is wrong")), 400)
    assert (problem.kind, problem.field) == (Kind.INVALID, field)
    assert "this is wrong" in problem.message and "docs.dev.runwayml.com" in problem.message


def test_an_issue_about_one_of_several_files_tells_which_role_it_has():
    frames = wish(I2V, "gen3a_turbo", FRAME, LAST, prompt="x")
    assert complaint(issues((["promptImage", 1, "uri"], "too wide")), 400, frames).field == "last_frame"
    assert complaint(issues((["promptImage", 0, "uri"], "too wide")), 400, frames).field == "first_frame"


def test_every_issue_is_told():
    message = complaint(issues((["ratio"], "wrong shape"), (["references", 2, "uri"], "gone")), 400).message
    assert "ratio: wrong shape" in message and "references[2].uri: gone" in message


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "why it is so", "type": "x", "code": "y"}},
        {"message": "why it is so"},
        {"error": "why it is so", "issues": None, "docUrl": 5},
        {"error": "why it is so", "issues": [5, None, {"path": 5, "message": 5}, {"path": [None, {}]}]},
    ],
)
def test_an_error_of_another_form_still_tells_why(body: Any):
    assert "why it is so" in complaint(body, 400).message


@pytest.mark.parametrize("body", [b"[]", b'"x"', b"null", b"\xff", b"[" * 100_000, b'{"error": 5}', b'{"error": []}'])
def test_an_error_without_a_reason_says_so(body: bytes):
    assert "no reason given" in complaint(body, 400).message


def test_an_error_tells_when_to_come_back():
    assert complaint({"error": "Too many requests"}, 429, retry_after="7").retry_after == 7.0


def test_only_these_answers_mean_that_nothing_was_submitted():
    assert BACK.unsent == {429, 503}


# ---- the two ends meet


def job(**changes: Any) -> Job:
    return Job(
        **{
            "id": "01981f2e-7b7c-7a6b-8d52-2f6f1d1b8a10",
            "wire": "runway",
            "route": "image_to_video",
            "owner": "",
            "generation": TURBO,
            "engine": "studio",
            "created": 1767607200.12,
            "estimate": 25.0,
            **changes,
        }
    )


def states() -> Iterator[tuple[Job, Update]]:
    output = Output(id="o", media_type="video/mp4", asset="a", url="https://gateway.example/files/a.mp4?sig=1")
    yield job(), Update(state=State.QUEUED, upstream_status="PENDING")
    yield job(throttled=True), Update(state=State.QUEUED, upstream_status="THROTTLED")
    yield (
        job(state=State.RUNNING, progress=0.25),
        Update(state=State.RUNNING, upstream_status="RUNNING", progress=0.25),
    )
    yield (
        job(state=State.SUCCEEDED, outputs=(output,), cost=25.0),
        Update(state=State.SUCCEEDED, upstream_status="SUCCEEDED", links=(str(output.url),), cost=25.0),
    )
    yield job(state=State.CANCELED, cost=5.0), Update(state=State.CANCELED, upstream_status="CANCELLED", cost=5.0)


def test_what_our_front_answers_our_back_reads():
    for each, update in states():
        shown = render_job(each, HttpRequest(method="GET", path="/v1/tasks/x"))
        assert talk(BACK.poll({"id": TASK}), shown).result == update
    made = talk(
        BACK.submit(order(TURBO)), runway.render_created(job(), HttpRequest(method="POST", path="/v1/x"))
    ).result
    assert made.handle == {"id": uuid4_form(job().id)}
    assert talk(BACK.cancel(made.handle), render_removed(job(), HttpRequest(method="DELETE", path="/"))).result


@pytest.mark.parametrize("kind", FAILURE_CODES)
def test_a_failure_of_our_front_is_one_of_our_back(kind: Kind):
    failed = job(state=State.FAILED, failure=Failure(kind=kind, message="why"), cost=0.0)
    shown = render_job(failed, HttpRequest(method="GET", path="/v1/tasks/x"))
    failure = talk(BACK.poll({"id": TASK}), shown).result.failure
    assert (failure.message, failure.code) == ("why", FAILURE_CODES[kind])
    if kind in (Kind.REFUSED, Kind.BAD_MEDIA, Kind.UPSTREAM_FAILED):
        assert failure.kind is kind


def test_a_flaw_that_our_front_finds_our_back_names():
    sent = next(BACK.submit(order(TURBO)))
    for flaw, field in (({"seed": -1}, "seed"), ({"ratio": "7:720"}, "width")):
        with pytest.raises(Problem) as caught:
            submission(I2V, msgspec.json.encode(json.loads(sent.body) | flaw), ENDPOINTS[I2V])
        response = runway.render_problem(caught.value, sent)
        problem = talk(BACK.submit(order(TURBO)), response).problem
        assert problem is not None
        assert (problem.kind, problem.field) == (Kind.INVALID, field)


async def hold(conversation: Any, client: httpx.AsyncClient) -> Any:
    """A conversation with a server that is there."""
    try:
        request = next(conversation)
        while True:
            own = {} if request.path.startswith("http") else BACK.sign("any", 0.0)
            headers = request.headers | own
            response = await client.request(request.method, request.path, content=request.body, headers=headers)
            facts = HttpResponse(status=response.status_code, headers=dict(response.headers), body=response.content)
            request = conversation.send(facts)
    except StopIteration as end:
        return end.value


async def test_a_running_mutoscope_is_called_as_the_vendor_is(start: Any, picture: bytes):
    asked = wish(T2I, "gen4_image", file(Role.REFERENCE, label="fox"), prompt="a @fox", width=720, height=720, seed=3)
    async with start(models={"gen4_image": {"engine": "script"}}) as running:
        uri = await hold(BACK.upload(File(name="fox.png", media_type="image/png", data=picture)), running.client)
        made = await hold(BACK.submit(order(asked, sources={"reference": uri}, reference="job-1")), running.client)
        again = await hold(BACK.submit(order(asked, sources={"reference": uri}, reference="job-1")), running.client)
        assert again.handle == made.handle
        job = await running.finished(runway.WIRE.job_id(made.handle["id"]))
        update = await hold(BACK.poll(made.handle), running.client)
        assert (update.state, len(update.links), job.generation.seed) == (State.SUCCEEDED, 1, 3)
        assert [each.label for each in job.generation.inputs] == ["fox"]
        assert await hold(BACK.cancel(made.handle), running.client)
        with pytest.raises(Problem) as caught:
            await hold(BACK.poll(made.handle), running.client)
        assert caught.value.kind is Kind.NOT_FOUND
