"""Runway's own API: bodies by model with their bounds, tasks, issues, uploads, accounts."""

import base64
import json
from typing import Any

import msgspec
import pytest
from msgspec import inspect
from pydantic import TypeAdapter
from runwayml.types import (
    ImageToVideoCreateResponse,
    OrganizationRetrieveResponse,
    OrganizationRetrieveUsageResponse,
    TaskRetrieveResponse,
)

from mutoscope.model.http import HttpRequest
from mutoscope.model.job import Failure, Generation, Job, MediaLimits, Operation, Output, Role, State
from mutoscope.model.problem import Kind, Problem
from mutoscope.model.requests import CallerAccount, ModelAccount, Period, Submission, Upload, Usage
from mutoscope.wirekit.routes import Create
from mutoscope.wires.runway import api as runway
from mutoscope.wires.runway import bodies, elsewhere
from mutoscope.wires.runway.tasks import STATES, STATUSES

ROUTES: dict[str, Any] = {route.at: route for route in runway.WIRE.routes}
render_job, render_removed = (ROUTES[f"{method} /v1/tasks/{{id}}"].render for method in ("GET", "DELETE"))
IMG, VID, AUD = "https://a.example/cat.png", "https://a.example/cat.mp4", "https://a.example/cat.mp3"
PIXEL = "data:image/png;base64," + base64.b64encode(b"\x89PNG and so on").decode()
VOICE = {"type": "runway-preset", "presetId": "Maya"}
AUDIO_ITEM, VIDEO_ITEM, IMAGE_ITEM = {"type": "audio", "uri": AUD}, {"type": "video", "uri": VID}, {"uri": IMG}

I2V, T2V, V2V, T2I = "image_to_video", "text_to_video", "video_to_video", "text_to_image"
IU, VU, CP, TTS = "image_upscale", "video_upscale", "character_performance", "text_to_speech"
SFX, STS, DUB, ISO = "sound_effect", "speech_to_speech", "voice_dubbing", "voice_isolation"

LEAST: dict[tuple[str, str], dict[str, Any]] = {
    (I2V, "gen4.5"): {"promptText": "x", "promptImage": IMG, "ratio": "1280:720", "duration": 5},
    (I2V, "gen4_turbo"): {"promptImage": IMG, "ratio": "1280:720"},
    (I2V, "gen3a_turbo"): {"promptText": "x", "promptImage": IMG},
    (I2V, "veo3"): {"promptImage": IMG, "duration": 8, "ratio": "1280:720"},
    (I2V, "veo3.1"): {"promptImage": IMG, "ratio": "1280:720"},
    (I2V, "veo3.1_fast"): {"promptImage": IMG, "ratio": "1280:720"},
    (I2V, "hailuo3"): {"promptImage": IMG, "promptText": "x"},
    (I2V, "happyhorse_1_0"): {"promptImage": IMG},
    (I2V, "seedance2"): {"promptImage": IMG},
    (I2V, "seedance2_fast"): {"promptImage": IMG},
    (I2V, "seedance2_mini"): {"promptImage": IMG},
    (I2V, "seedance2_5"): {"promptImage": IMG},
    (I2V, "gemini_omni_flash"): {"promptImage": IMG},
    (T2V, "gen4.5"): {"promptText": "x", "ratio": "720:1280", "duration": 5},
    (T2V, "veo3"): {"promptText": "x", "duration": 8, "ratio": "1280:720"},
    (T2V, "veo3.1"): {"promptText": "x", "ratio": "1280:720"},
    (T2V, "veo3.1_fast"): {"promptText": "x", "ratio": "1280:720"},
    (T2V, "hailuo3"): {"promptText": "x"},
    (T2V, "happyhorse_1_0"): {"promptText": "xx"},
    (T2V, "seedance2"): {"promptText": "x"},
    (T2V, "seedance2_fast"): {"promptText": "x"},
    (T2V, "seedance2_mini"): {"promptText": "x"},
    (T2V, "seedance2_5"): {},
    (T2V, "gemini_omni_flash"): {"promptText": "x"},
    (V2V, "aleph2"): {"videoUri": VID},
    (V2V, "gen4_aleph"): {"videoUri": VID, "promptText": "x", "ratio": "1280:720"},
    (V2V, "hailuo3"): {"promptVideo": VID, "promptText": "x"},
    (V2V, "seedance2"): {"promptVideo": VID},
    (V2V, "seedance2_fast"): {"promptVideo": VID},
    (V2V, "seedance2_mini"): {"promptVideo": VID},
    (V2V, "seedance2_5"): {"promptVideo": VID},
    (V2V, "gemini_omni_flash"): {"videoUri": VID, "promptText": "x"},
    (T2I, "gen4_image"): {"promptText": "x", "ratio": "1024:1024"},
    (T2I, "gen4_image_turbo"): {"promptText": "x", "ratio": "1024:1024"},
    (T2I, "gpt_image_2"): {"promptText": "x", "ratio": "1920:1920"},
    (T2I, "gemini_image3_pro"): {"promptText": "x", "ratio": "1024:1024"},
    (T2I, "gemini_image3.1_flash"): {"promptText": "x", "ratio": "1024:1024"},
    (T2I, "seedream5_pro"): {"promptText": "x", "ratio": "1024:1024"},
    (T2I, "seedream5_lite"): {"promptText": "x", "ratio": "2048:2048"},
    (T2I, "gemini_2.5_flash"): {"promptText": "x", "ratio": "1024:1024"},
    (IU, "magnific_precision_upscaler_v2"): {"imageUri": IMG},
    (VU, "magnific_video_upscaler_creative"): {"videoUri": VID},
    (VU, "upscale_v1"): {"videoUri": VID},
    (CP, "act_two"): {"character": {"type": "image", "uri": IMG}, "reference": VIDEO_ITEM},
    (TTS, "seed_audio"): {"promptText": "x"},
    (TTS, "eleven_multilingual_v2"): {"promptText": "x", "voice": VOICE},
    (TTS, "eleven_v3"): {"promptText": "x", "voice": VOICE},
    (SFX, "seed_audio"): {"promptText": "x"},
    (SFX, "eleven_text_to_sound_v2"): {"promptText": "x"},
    (STS, "eleven_multilingual_sts_v2"): {"media": AUDIO_ITEM, "voice": VOICE},
    (DUB, "eleven_voice_dubbing"): {"audioUri": AUD, "targetLang": "de"},
    (ISO, "eleven_voice_isolation"): {"audioUri": AUD},
    ("video_to_audio", "mirelo_sfx_2_0"): {"videoUri": VID, "duration": 5},
    ("video_to_hdr", "ruby"): {"videoUri": VID},
}
"""For each endpoint and model the members that are required, and no others."""
MAY_BE_ABSENT = {(T2I, "gen4_image_turbo", "referenceImages")}

STRICT = {
    *((I2V, name) for name in ("hailuo3", "happyhorse_1_0")),
    *((T2V, name) for name in ("hailuo3", "happyhorse_1_0")),
    *((V2V, name) for name in ("aleph2", "hailuo3", "gemini_omni_flash")),
    *((each, f"seedance2{tail}") for each in (I2V, T2V, V2V) for tail in ("", "_fast", "_mini", "_5")),
    *((T2I, name) for name in ("gpt_image_2", "gemini_image3_pro", "seedream5_pro", "seedream5_lite")),
    (IU, "magnific_precision_upscaler_v2"),
    (VU, "magnific_video_upscaler_creative"),
    (TTS, "seed_audio"),
    (SFX, "seed_audio"),
}
"""Where unknown keys are refused."""


def request(at: str, body: Any = None, **headers: str) -> HttpRequest:
    method, path = at.split(" ")
    sent = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    return HttpRequest(method=method, path=path, body=sent, headers=headers)


def parse(endpoint: str, model: str, **changes: Any) -> Generation:
    return submit(endpoint, {"model": model, **LEAST.get((endpoint, model), {}), **changes}).generation


def ask(at: str, body: Any) -> Any:
    """What a route's own reading makes of a body."""
    parse = ROUTES[at].parse
    assert parse is not None
    return parse(request(at, body))


def submit(endpoint: str, body: Any) -> Submission:
    return ask(f"POST /v1/{endpoint}", body)


def limits(endpoint: str, model: str, index: int = 0, **changes: Any) -> MediaLimits:
    found = parse(endpoint, model, **changes).inputs[index].limits
    assert found is not None
    return found


def refusal(endpoint: str, model: str, **changes: Any) -> dict[str, Any]:
    """The one issue of a body that is refused."""
    issues = answer_to(endpoint, {"model": model, **LEAST.get((endpoint, model), {}), **changes})["issues"]
    assert len(issues) == 1, issues
    return issues[0]


def answer_to(endpoint: str, body: Any) -> dict[str, Any]:
    with pytest.raises(Problem) as caught:
        submit(endpoint, body)
    response = runway.render_problem(caught.value, request(f"POST /v1/{endpoint}", body))
    assert response.status == 400
    return json.loads(response.body)


def wish(generation: Generation, member: str) -> Any:
    """What became of a member of the body."""
    match member:
        case "promptText":
            return generation.prompt
        case "negativePrompt":
            return generation.negative_prompt
        case "duration" if "duration" not in generation.extra:
            return generation.seconds
        case "outputCount":
            return generation.count
        case "resolution":
            return generation.resolution
        case "seed":
            return generation.seed
        case "ratio" if generation.width is not None:
            return f"{generation.width}:{generation.height}"
        case _:
            return generation.extra[member]


def a_job(**changes: Any) -> Job:
    values: dict[str, Any] = {
        "id": "01981f2e-7b7c-7a6b-8d52-2f6f1d1b8a10",
        "wire": "runway",
        "route": I2V,
        "owner": "",
        "generation": Generation(operation=Operation.IMAGE_TO_VIDEO, model="gen4_turbo"),
        "engine": "studio",
        "created": 1767607200.12,
        "estimate": 25.0,
    }
    return Job(**(values | changes))


PUBLIC_ID = "01981f2e-7b7c-4a6b-8d52-2f6f1d1b8a10"


# ---- bodies


@pytest.mark.parametrize(("endpoint", "model"), LEAST, ids=str)
def test_a_body_with_the_required_members_is_read_and_asks_for_nothing_else(endpoint: str, model: str):
    body = LEAST[endpoint, model]
    read = submit(endpoint, {"model": model, **body}).generation
    assert (read.operation, read.model) == (Operation(endpoint), model)
    plain = [name for name, value in body.items() if isinstance(value, str | int) and value not in (IMG, VID, AUD)]
    assert {name: wish(read, name) for name in plain} == {name: body[name] for name in plain}
    files = [str(value) for value in body.values() if any(uri in str(value) for uri in (IMG, VID, AUD))]
    assert len(read.inputs) == len(files)
    assert read.seed is None and read.count is None and read.watermark is None and read.negative_prompt is None


@pytest.mark.parametrize(
    ("endpoint", "model", "member"),
    [(*key, member) for key, body in LEAST.items() for member in body],
)
def test_a_required_member_that_is_missing_is_named(endpoint: str, model: str, member: str):
    body = {"model": model, **LEAST[endpoint, model]}
    del body[member]
    (issue,) = answer_to(endpoint, body)["issues"]
    assert issue["path"] == [member]
    assert "received undefined" in issue["message"] or issue["code"] == "invalid_value"


@pytest.mark.parametrize(("endpoint", "model"), LEAST, ids=str)
def test_unknown_keys_are_refused_where_the_vendor_refuses_them(endpoint: str, model: str):
    if (endpoint, model) in STRICT:
        assert refusal(endpoint, model, bogus=1, bad=2) == {
            "code": "unrecognized_keys",
            "keys": ["bogus", "bad"],
            "path": [],
            "message": 'Unrecognized keys: "bogus", "bad"',
        }
    else:
        assert "bogus" not in parse(endpoint, model, bogus=1).extra


SEED = ("seed", 0, 4294967295)
NUMBERS: list[tuple[str, str, str, float, float]] = [
    *((I2V, name, *SEED) for name in ("gen4.5", "gen4_turbo", "gen3a_turbo")),
    (T2V, "gen4.5", *SEED),
    (V2V, "aleph2", *SEED),
    (V2V, "gen4_aleph", *SEED),
    (T2I, "gen4_image", *SEED),
    (T2I, "gen4_image_turbo", *SEED),
    (CP, "act_two", *SEED),
    (TTS, "eleven_v3", *SEED),
    (I2V, "gen4.5", "duration", 2, 10),
    (I2V, "gen4_turbo", "duration", 2, 10),
    (T2V, "gen4.5", "duration", 2, 10),
    *((each, "hailuo3", "duration", 5, 15) for each in (I2V, T2V, V2V)),
    *((each, "happyhorse_1_0", "duration", 3, 15) for each in (I2V, T2V)),
    *((each, f"seedance2{tail}", "duration", 4, 15) for each in (I2V, T2V, V2V) for tail in ("", "_fast", "_mini")),
    *((each, "seedance2_5", "duration", 4, 30) for each in (I2V, T2V, V2V)),
    *((each, "gemini_omni_flash", "duration", 3, 10) for each in (I2V, T2V)),
    (T2I, "gpt_image_2", "outputCount", 1, 10),
    (T2I, "seedream5_pro", "outputCount", 1, 4),
    (T2I, "seedream5_lite", "outputCount", 1, 4),
    *((IU, "magnific_precision_upscaler_v2", name, 0, 100) for name in ("sharpen", "smartGrain", "ultraDetail")),
    *((VU, "magnific_video_upscaler_creative", name, 0, 100) for name in ("creativity", "sharpen", "smartGrain")),
    (CP, "act_two", "expressionIntensity", 1, 5),
    *((each, "seed_audio", name, -50, 100) for each in (TTS, SFX) for name in ("speechRate", "loudnessRate")),
    (TTS, "seed_audio", "pitchRate", -12, 12),
    (SFX, "seed_audio", "pitchRate", -12, 12),
    *((TTS, "eleven_v3", name, 0, 1) for name in ("stability", "similarityBoost", "style")),
    (TTS, "eleven_v3", "speed", 0.7, 1.2),
    (SFX, "eleven_text_to_sound_v2", "duration", 0.5, 30),
]


@pytest.mark.parametrize(("endpoint", "model", "member", "least", "most"), NUMBERS)
def test_a_figure_is_taken_up_to_its_bounds_and_no_further(
    endpoint: str, model: str, member: str, least: float, most: float
):
    assert wish(parse(endpoint, model, **{member: least}), member) == least
    assert wish(parse(endpoint, model, **{member: most}), member) == most
    step = 1 if isinstance(least, int) and isinstance(most, int) else 0.01
    low, high = (refusal(endpoint, model, **{member: value}) for value in (least - step, most + step))
    shared = {"origin": "number", "inclusive": True, "path": [member]}
    assert low == {
        **shared,
        "code": "too_small",
        "minimum": least,
        "message": f"Too small: expected number to be >={least}",
    }
    assert high == {**shared, "code": "too_big", "maximum": most, "message": f"Too big: expected number to be <={most}"}
    assert refusal(endpoint, model, **{member: None})["code"] in ("invalid_type", "invalid_union")


PROMPT = "promptText"
TEXTS: list[tuple[str, str, str, int, int]] = [
    *(
        (I2V, name, PROMPT, 1, 1000)
        for name in ("gen4.5", "gen4_turbo", "gen3a_turbo", "veo3", "veo3.1", "veo3.1_fast")
    ),
    *((T2V, name, PROMPT, 1, 1000) for name in ("gen4.5", "veo3", "veo3.1", "veo3.1_fast")),
    *((each, name, "negativePrompt", 1, 1000) for each in (I2V, T2V) for name in ("veo3.1", "veo3.1_fast")),
    *((each, "hailuo3", PROMPT, 1, 6000) for each in (I2V, T2V, V2V)),
    *((each, "happyhorse_1_0", PROMPT, 2, 2500) for each in (I2V, T2V)),
    *((each, f"seedance2{tail}", PROMPT, 1, 3500) for each in (I2V, T2V, V2V) for tail in ("", "_fast", "_mini")),
    *((each, "seedance2_5", PROMPT, 1, 15000) for each in (I2V, T2V, V2V)),
    *((each, "gemini_omni_flash", PROMPT, 1, 4000) for each in (I2V, T2V, V2V)),
    (V2V, "aleph2", PROMPT, 1, 1000),
    (V2V, "gen4_aleph", PROMPT, 1, 1000),
    (T2I, "gen4_image", PROMPT, 1, 1000),
    (T2I, "gen4_image_turbo", PROMPT, 1, 1000),
    (T2I, "gpt_image_2", PROMPT, 1, 32000),
    *((T2I, name, PROMPT, 1, 5500) for name in ("gemini_image3_pro", "gemini_image3.1_flash", "gemini_2.5_flash")),
    *((T2I, name, PROMPT, 1, 4000) for name in ("seedream5_pro", "seedream5_lite")),
    (TTS, "seed_audio", PROMPT, 1, 2048),
    (TTS, "eleven_multilingual_v2", PROMPT, 1, 1000),
    (TTS, "eleven_v3", PROMPT, 1, 5000),
    (TTS, "eleven_v3", "languageCode", 2, 5),
    (SFX, "seed_audio", PROMPT, 1, 2048),
    (SFX, "eleven_text_to_sound_v2", PROMPT, 1, 3000),
]


@pytest.mark.parametrize(("endpoint", "model", "member", "least", "most"), TEXTS)
def test_a_text_is_taken_up_to_its_length_and_no_further(endpoint: str, model: str, member: str, least: int, most: int):
    for length in (least, most):
        assert wish(parse(endpoint, model, **{member: "x" * length}), member) == "x" * length
    shared = {"origin": "string", "inclusive": True, "path": [member]}
    assert refusal(endpoint, model, **{member: "x" * (least - 1)}) == {
        **shared,
        "code": "too_small",
        "minimum": least,
        "message": f"Too small: expected string to have >={least} characters",
    }
    assert refusal(endpoint, model, **{member: "x" * (most + 1)}) == {
        **shared,
        "code": "too_big",
        "maximum": most,
        "message": f"Too big: expected string to have <={most} characters",
    }


def test_the_length_of_a_prompt_is_counted_in_utf_16_code_units():
    assert parse(I2V, "gen4.5", promptText="🙂" * 500).prompt == "🙂" * 500
    issue = refusal(I2V, "gen4.5", promptText="🙂" * 500 + "x")
    assert (issue["code"], issue["path"], issue["maximum"]) == ("too_big", ["promptText"], 1000)


def test_a_long_prompt_is_told_beside_other_flaws():
    body = {"model": "gen4.5", **LEAST[I2V, "gen4.5"], "promptText": "🙂" * 501, "duration": 99}
    assert {tuple(issue["path"]) for issue in answer_to(I2V, body)["issues"]} == {("promptText",), ("duration",)}


CHOICES: list[tuple[str, str, str, list[Any]]] = [
    (I2V, "gen3a_turbo", "duration", [5, 10]),
    (I2V, "gen3a_turbo", "ratio", ["1280:768", "768:1280"]),
    *((each, name, "duration", [4, 6, 8]) for each in (I2V, T2V) for name in ("veo3.1", "veo3.1_fast")),
    (I2V, "veo3", "duration", [8]),
    *(
        (I2V, name, "ratio", ["1280:720", "720:1280", "1104:832", "832:1104", "960:960", "1584:672"])
        for name in ("gen4.5", "gen4_turbo")
    ),
    *((each, "veo3.1", "ratio", ["1280:720", "720:1280", "1080:1920", "1920:1080"]) for each in (I2V, T2V)),
    (T2V, "gen4.5", "ratio", ["1280:720", "720:1280"]),
    (T2V, "gemini_omni_flash", "ratio", ["1280:720", "720:1280"]),
    (I2V, "gen4.5", "proresProfile", ["422", "4444", "422 Proxy", "422 LT", "422 HQ", "4444 XQ"]),
    (V2V, "aleph2", "targetAspectRatio", ["16:9", "4:3", "3:2", "1:1", "2:3", "3:4", "9:16", "21:9"]),
    (T2I, "gpt_image_2", "quality", ["low", "medium", "high", "auto"]),
    (T2I, "gemini_image3_pro", "outputCount", [1, 4]),
    (T2I, "gemini_image3.1_flash", "outputCount", [1, 4]),
    (T2I, "seedream5_pro", "outputFormat", ["png", "jpeg"]),
    (IU, "magnific_precision_upscaler_v2", "scaleFactor", [2, 4, 8, 16]),
    (IU, "magnific_precision_upscaler_v2", "flavor", ["sublime", "photo", "photo_denoiser"]),
    (VU, "magnific_video_upscaler_creative", "resolution", ["720p", "1k", "2k", "4k"]),
    (VU, "magnific_video_upscaler_creative", "flavor", ["vivid", "natural"]),
    (TTS, "seed_audio", "sampleRate", [8000, 16000, 24000, 32000, 44100, 48000]),
    (SFX, "seed_audio", "outputFormat", ["wav", "mp3", "ogg_opus"]),
    (TTS, "eleven_v3", "applyTextNormalization", ["auto", "on", "off"]),
]


@pytest.mark.parametrize(("endpoint", "model", "member", "values"), CHOICES)
def test_only_the_listed_values_are_taken(endpoint: str, model: str, member: str, values: list[Any]):
    for value in values:
        assert wish(parse(endpoint, model, **{member: value}), member) == value
    issue = refusal(endpoint, model, **{member: 7 if isinstance(values[0], int) else "bogus"})
    assert (issue["code"], issue["path"]) == ("invalid_value", [member])
    assert sorted(issue["values"], key=str) == sorted(values, key=str)
    start = "Invalid input: expected " if len(values) == 1 else "Invalid option: expected one of "
    assert issue["message"] == start + "|".join(json.dumps(value) for value in issue["values"])


@pytest.mark.parametrize(
    ("endpoint", "model", "size"),
    [
        (I2V, "hailuo3", 7),
        (T2V, "happyhorse_1_0", 10),
        (T2V, "seedance2", 24),
        (V2V, "seedance2_fast", 12),
        (I2V, "seedance2_mini", 12),
        (V2V, "gen4_aleph", 8),
        (T2I, "gen4_image", 16),
        (T2I, "gpt_image_2", 31),
        (T2I, "gemini_image3_pro", 30),
        (T2I, "gemini_image3.1_flash", 56),
        (T2I, "seedream5_pro", 16),
        (T2I, "seedream5_lite", 16),
        (T2I, "gemini_2.5_flash", 10),
        (CP, "act_two", 6),
    ],
)
def test_every_ratio_that_an_issue_lists_is_taken(endpoint: str, model: str, size: int):
    listed = refusal(endpoint, model, ratio="1:2")["values"]
    assert len(set(listed)) == size
    for ratio in listed:
        read = parse(endpoint, model, ratio=ratio)
        assert ratio in (f"{read.width}:{read.height}", read.extra.get("ratio"), f"auto_{read.resolution}")


@pytest.mark.parametrize(
    ("endpoint", "model", "member", "item", "least", "most", "role"),
    [
        (I2V, "hailuo3", "promptImage", IMAGE_ITEM, 1, 9, Role.REFERENCE),
        (I2V, "hailuo3", "referenceAudio", AUDIO_ITEM, 0, 3, Role.AUDIO),
        (I2V, "seedance2_5", "referenceAudio", AUDIO_ITEM, 0, 10, Role.AUDIO),
        (T2V, "seedance2", "references", IMAGE_ITEM, 0, 9, Role.REFERENCE),
        (T2V, "seedance2", "referenceVideos", VIDEO_ITEM, 0, 3, Role.REFERENCE_VIDEO),
        (T2V, "seedance2_5", "references", IMAGE_ITEM, 0, 30, Role.REFERENCE),
        (T2V, "seedance2_5", "referenceVideos", VIDEO_ITEM, 0, 10, Role.REFERENCE_VIDEO),
        (V2V, "hailuo3", "referenceVideos", VIDEO_ITEM, 0, 2, Role.REFERENCE_VIDEO),
        (V2V, "seedance2_5", "referenceVideos", VIDEO_ITEM, 0, 9, Role.REFERENCE_VIDEO),
        (V2V, "gemini_omni_flash", "references", IMAGE_ITEM, 0, 5, Role.REFERENCE),
        (V2V, "aleph2", "keyframes", {"uri": IMG, "seconds": 1}, 1, 5, Role.REFERENCE),
        (T2I, "gen4_image", "referenceImages", IMAGE_ITEM, 0, 3, Role.REFERENCE),
        (T2I, "gen4_image_turbo", "referenceImages", IMAGE_ITEM, 1, 3, Role.REFERENCE),
        (T2I, "gpt_image_2", "referenceImages", IMAGE_ITEM, 0, 16, Role.REFERENCE),
        (T2I, "gemini_image3_pro", "referenceImages", IMAGE_ITEM, 0, 14, Role.REFERENCE),
        (T2I, "seedream5_pro", "referenceImages", IMAGE_ITEM, 0, 10, Role.REFERENCE),
        (T2I, "seedream5_lite", "referenceImages", IMAGE_ITEM, 0, 14, Role.REFERENCE),
        (SFX, "seed_audio", "referenceAudios", AUD, 0, 3, Role.AUDIO),
    ],
)
def test_a_list_of_files_is_taken_up_to_its_length_and_no_further(
    endpoint: str, model: str, member: str, item: Any, least: int, most: int, role: Role
):
    for count in (least, most):
        read = parse(endpoint, model, **{member: [item] * count})
        assert len([each for each in read.inputs if each.field.startswith(member)]) == count
        assert {each.role for each in read.inputs if each.field.startswith(member)} <= {role}
    issue = refusal(endpoint, model, **{member: [item] * (most + 1)})
    assert (issue["code"], issue["origin"], issue["path"], issue["maximum"]) == ("too_big", "array", [member], most)
    if least:
        issue = refusal(endpoint, model, **{member: []})
        assert (issue["code"], issue["minimum"]) == ("too_small", least)
        assert issue["message"] == f"Too small: expected array to have >={least} items"


# ---- frames, files, references


@pytest.mark.parametrize("model", ["gen4.5", "gen4_turbo", "veo3", "happyhorse_1_0", "gemini_omni_flash"])
def test_these_models_take_one_image_and_only_as_the_first_frame(model: str):
    (frame,) = parse(I2V, model, promptImage=[{"uri": IMG, "position": "first"}]).inputs
    assert (frame.role, frame.field, frame.url) == (Role.FIRST_FRAME, "promptImage[0].uri", IMG)
    assert refusal(I2V, model, promptImage=[{"uri": IMG, "position": "last"}]) == {
        "code": "invalid_value",
        "path": ["promptImage", 0, "position"],
        "values": ["first"],
        "message": 'Invalid input: expected "first"',
    }
    two = [{"uri": IMG, "position": "first"}, {"uri": IMG, "position": "first"}]
    assert refusal(I2V, model, promptImage=two)["maximum"] == 1


@pytest.mark.parametrize("model", ["gen3a_turbo", "veo3.1", "veo3.1_fast", "hailuo3", "seedance2", "seedance2_5"])
def test_these_models_take_a_first_and_a_last_frame(model: str):
    frames = [{"uri": IMG, "position": "last"}, {"uri": PIXEL, "position": "first"}]
    last, first = parse(I2V, model, promptImage=frames).inputs
    assert (last.role, last.url, first.role) == (Role.LAST_FRAME, IMG, Role.FIRST_FRAME)
    assert (first.data, first.media_type) == (b"\x89PNG and so on", "image/png")
    (alone,) = parse(I2V, model, promptImage=frames[:1]).inputs
    assert alone.role is Role.LAST_FRAME


def test_two_images_cannot_have_one_position():
    frames = [{"uri": IMG, "position": "first"}, {"uri": IMG, "position": "first"}]
    issue = refusal(I2V, "gen3a_turbo", promptImage=frames)
    assert (issue["code"], issue["path"]) == ("custom", ["promptImage", 1, "position"])


def test_frames_and_references_cannot_be_mixed():
    assert refusal(I2V, "seedance2", promptImage=[{"uri": IMG, "position": "first"}, {"uri": IMG}])["path"] == [
        "promptImage"
    ]


def test_a_bare_image_is_the_first_frame_and_an_image_without_a_position_a_reference():
    assert parse(I2V, "seedance2", promptImage=IMG).inputs[0].role is Role.FIRST_FRAME
    assert parse(I2V, "seedance2", promptImage=[{"uri": IMG}]).inputs[0].role is Role.REFERENCE


def test_something_else_than_an_image_or_a_list_is_refused_once():
    issue = refusal(I2V, "gen4_turbo", promptImage=5)
    assert (issue["code"], issue["path"]) == ("invalid_union", ["promptImage"])
    assert issue["message"] == "Invalid input: expected string or array, received number"


def test_a_file_may_be_a_link_a_data_uri_or_an_upload():
    (link,) = parse(I2V, "gen4_turbo", promptImage="http://127.0.0.1:9/cat.png").inputs
    assert link.url == "http://127.0.0.1:9/cat.png"  # the server's guard decides about hosts
    (upload,) = parse(I2V, "gen4_turbo", promptImage="runway://0198-abc").inputs
    assert (upload.upload, upload.url, upload.data) == ("0198-abc", None, None)
    (inline,) = parse(I2V, "gen4_turbo", promptImage=PIXEL).inputs
    assert inline.data == b"\x89PNG and so on"


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("ftp://a.example/cat.png", "invalid_format", "Invalid data URI"),
        ("cat.png, the second one", "invalid_format", "Invalid data URI"),
        ("data:video/mp4;base64,AAAA", "invalid_format", "Invalid data URI"),
        ("data:image/png,notbase64", "custom", "Invalid data URI"),
        ("data:image/png;base64,!!!!", "custom", "Invalid data URI"),
        ("https://a.b/", "too_small", "Too small"),
        ("https://a.example/" + "x" * 2031, "too_big", "Too big: expected string to have <=2048 characters"),
        ("runway://" + "x" * 4992, "too_big", "Too big: expected string to have <=5000 characters"),
        ("data:image/png;base64," + "A" * 5_242_859, "too_big", "Asset size exceeds 5MB"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_a_file_that_cannot_be_named_so_is_refused(text: str, code: str, words: str):
    issue = refusal(I2V, "gen4_turbo", promptImage=text)
    assert (issue["code"], issue["path"]) == (code, ["promptImage"])
    assert words in issue["message"]


def test_links_uploads_and_data_uris_are_taken_up_to_their_length():
    for text in ("https://a.b/c", "https://a.example/" + "x" * 2030, "runway://" + "x" * 4991):
        assert len(parse(I2V, "gen4_turbo", promptImage=text).inputs) == 1
    whole = "data:image/png;base64," + "A" * 5_242_856
    (inline,) = parse(I2V, "gen4_turbo", promptImage=whole).inputs
    assert inline.data is not None and len(inline.data) == 5_242_856 * 3 // 4
    assert (
        "Asset size exceeds 16MB"
        in refusal(ISO, "eleven_voice_isolation", audioUri="data:audio/" + "A" * 2**24)["message"]
    )


MB = 1024 * 1024


def test_limits_follow_the_kind_of_source():
    sizes = [limits(I2V, "gen4.5", promptImage=uri).max_bytes for uri in (IMG, PIXEL, "runway://0198-abc")]
    assert sizes == [16 * MB, None, 200 * MB]
    video = limits(V2V, "seedance2")
    assert (video.max_bytes, video.max_side, video.types) == (32 * MB, 8000, ())
    assert limits(ISO, "eleven_voice_isolation").max_bytes == 32 * MB
    assert runway.WIRE.probes_inputs


def test_limits_follow_the_model():
    turbo = limits(I2V, "gen4_turbo")
    assert turbo.types == ("image/jpeg", "image/png", "image/webp")
    assert (turbo.max_side, turbo.min_aspect, turbo.max_aspect) == (8000, 0.5, 2.0)
    assert limits(I2V, "gen3a_turbo").min_aspect == 0.5
    assert limits(I2V, "gen4.5").min_aspect is None
    assert limits(V2V, "aleph2").max_seconds == 30
    assert limits(V2V, "gen4_aleph").max_seconds == 30
    character, reference = limits(CP, "act_two", 0), limits(CP, "act_two", 1)
    assert (reference.min_seconds, reference.max_seconds) == (3, 30)
    assert character.max_seconds is None
    assert limits(CP, "act_two", character={"type": "video", "uri": VID}).types[0] == "video/mp4"


def test_a_performance_has_a_character_and_a_reference():
    picture, reference = parse(CP, "act_two", bodyControl=False, expressionIntensity=3).inputs
    assert (picture.role, picture.field, picture.url) == (Role.CHARACTER, "character.uri", IMG)
    assert (reference.role, reference.field, reference.url) == (Role.REFERENCE_VIDEO, "reference.uri", VID)
    assert refusal(CP, "act_two", character={"type": "sound", "uri": AUD})["path"] == ["character", "type"]
    assert parse(CP, "act_two", bodyControl=False).extra == {"bodyControl": False}


def test_references_keep_their_tags_and_subjects():
    images = [{"uri": IMG, "tag": "cat"}, {"uri": PIXEL}]
    tagged, plain = parse(T2I, "gen4_image", referenceImages=images).inputs
    assert (tagged.label, plain.label, plain.field) == ("cat", None, "referenceImages[1].uri")
    images = [{"uri": IMG, "subject": "human"}, {"uri": IMG}]
    assert parse(T2I, "gemini_image3_pro", referenceImages=images).extra == {
        "referenceImages": [{"subject": "human"}, {}]
    }
    for tag, code in (("ab", "too_small"), ("a" * 17, "too_big"), ("Cat", "invalid_format"), ("1ab", "invalid_format")):
        issue = refusal(T2I, "gen4_image", referenceImages=[{"uri": IMG, "tag": tag}])
        assert (issue["code"], issue["path"]) == (code, ["referenceImages", 0, "tag"])


def test_keyframes_keep_their_times():
    span = {"start_seconds": 0, "end_seconds": 2}
    read = parse(V2V, "aleph2", keyframes=[{"uri": IMG, "seconds": 30, "range": span}, {"uri": IMG, "at": 0.5}])
    assert read.extra["keyframes"] == [{"seconds": 30, "range": span}, {"at": 0.5}]
    for bad, path in (
        ({"uri": IMG}, []),
        ({"uri": IMG, "seconds": 1, "at": 1}, []),
        ({"uri": IMG, "seconds": 30.5}, ["seconds"]),
        ({"uri": IMG, "at": 1.5}, ["at"]),
        ({"uri": IMG, "at": 1, "range": {"start_seconds": -1, "end_seconds": 2}}, ["range", "start_seconds"]),
    ):
        assert refusal(V2V, "aleph2", keyframes=[bad])["path"] == ["keyframes", 0, *path]


def test_voices_are_presets_or_recordings():
    assert parse(TTS, "eleven_v3").extra == {"voice": VOICE}
    read = parse(TTS, "seed_audio", voice={"type": "reference-audio", "audioUri": AUD})
    assert [(each.role, each.field, each.url) for each in read.inputs] == [(Role.AUDIO, "voice.audioUri", AUD)]
    assert "voice" not in read.extra
    issue = refusal(TTS, "eleven_v3", voice={"type": "runway-preset", "presetId": "Nobody"})
    assert issue["path"] == ["voice", "presetId"] and len(issue["values"]) == 49


def test_speech_may_come_in_a_video():
    assert parse(STS, "eleven_multilingual_sts_v2").inputs[0].role is Role.AUDIO
    assert parse(STS, "eleven_multilingual_sts_v2", media=VIDEO_ITEM).inputs[0].role is Role.VIDEO


def test_dubbing_knows_its_languages():
    assert parse(DUB, "eleven_voice_dubbing", numSpeakers=0).extra == {"targetLang": "de", "numSpeakers": 0}
    assert len(refusal(DUB, "eleven_voice_dubbing", targetLang="xx")["values"]) == 29


def test_nothing_that_was_asked_for_is_dropped():
    asked = {
        "promptText": "the cat turns its head",
        "seed": 0,
        "outputFormat": "prores",
        "proresProfile": "422 HQ",
        "contentModeration": {"publicFigureThreshold": "low"},
        "promptImage": [{"uri": IMG, "position": "first"}],
        "ratio": "1584:672",
        "duration": 7,
    }
    read = parse(I2V, "gen4.5", **asked)
    assert (read.prompt, read.seed, read.width, read.height, read.seconds) == (asked["promptText"], 0, 1584, 672, 7.0)
    assert read.extra == {name: asked[name] for name in ("outputFormat", "proresProfile", "contentModeration")}
    assert len(read.inputs) == 1


@pytest.mark.parametrize(
    ("endpoint", "model", "member", "value", "fields"),
    [
        (I2V, "hailuo3", "resolution", "768P", {"resolution": "768p"}),
        (I2V, "hailuo3", "resolution", "2K", {"resolution": "2k"}),
        (I2V, "hailuo3", "ratio", "21:9", {"extra": {"ratio": "21:9"}}),
        (I2V, "hailuo3", "ratio", "adaptive", {"extra": {"ratio": "adaptive"}}),
        (T2I, "gpt_image_2", "ratio", "auto", {"extra": {"ratio": "auto"}}),
        (T2I, "seedream5_pro", "ratio", "auto_2k", {"resolution": "2k", "extra": {"ratio": "auto"}}),
        (I2V, "seedance2", "audio", False, {"extra": {"audio": False}}),
        (I2V, "seedance2", "duration", "auto", {"extra": {"duration": "auto"}}),
        (V2V, "aleph2", "ratio", "1920:1080", {"width": 1920, "height": 1080}),
        (T2I, "seedream5_lite", "outputCount", 4, {"count": 4}),
        (V2V, "seedance2_5", "mode", "extend", {"operation": Operation.VIDEO_EXTENSION, "extra": {}}),
    ],
)
def test_a_member_goes_where_it_belongs(endpoint: str, model: str, member: str, value: Any, fields: dict[str, Any]):
    read = parse(endpoint, model, **{member: value})
    assert {name: getattr(read, name) for name in fields} == fields


def test_a_submission_tells_the_callers_names():
    fields = submit(I2V, {"model": "gen4.5", **LEAST[I2V, "gen4.5"]}).fields
    assert (fields["width"], fields["seconds"], fields["first_frame"]) == ("ratio", "duration", "promptImage")
    assert submit(V2V, {"model": "seedance2", "promptVideo": VID}).fields["video"] == "promptVideo"


def test_the_published_example_is_read():
    body = {
        "model": "gen4_turbo",
        "promptImage": [{"uri": "https://media.example.org/cat.png", "position": "first"}],
        "promptText": "the cat turns its head",
        "ratio": "1280:720",
        "duration": 5,
        "seed": 7,
        "contentModeration": {"publicFigureThreshold": "auto"},
    }
    read = submit(I2V, body).generation
    assert (read.width, read.height, read.seconds, read.seed) == (1280, 720, 5.0, 7)


def test_gen4_turbo_refuses_the_size_that_only_relays_take():
    assert refusal(I2V, "gen4_turbo", ratio="1280:768")["path"] == ["ratio"]


# ---- issues


def test_an_empty_body_is_answered_as_the_vendor_answers_it():
    answer = answer_to(I2V, {})
    note = answer["issues"][1].pop("note")
    assert answer == {
        "error": "Validation of body failed",
        "issues": [
            {
                "code": "invalid_type",
                "expected": "string",
                "path": ["model"],
                "message": "Invalid input: expected string, received undefined",
            },
            {
                "code": "invalid_union",
                "discriminator": "model",
                "errors": [],
                "path": ["model"],
                "message": "Invalid input",
            },
        ],
        "docUrl": "https://docs.dev.runwayml.com/api",
    }
    assert note.startswith("No matching discriminator")


def test_a_create_without_its_model_has_one_issue():
    (issue,) = answer_to(I2V, {"promptText": "x", "promptImage": IMG})["issues"]
    assert (issue["path"], issue["message"]) == (["model"], "Invalid input: expected string, received undefined")
    assert "gen4.5" in issue["note"]


def test_an_unknown_model_is_answered_with_those_that_exist():
    (issue,) = answer_to(T2V, {"model": "gen99"})["issues"]
    assert issue["code"] == "invalid_union" and "gen4.5" in issue["note"] and "veo3.1_fast" in issue["note"]
    (issue,) = answer_to(IU, {"model": "gen99", "imageUri": IMG})["issues"]
    assert issue["message"] == 'Invalid input: expected "magnific_precision_upscaler_v2"'


@pytest.mark.parametrize(
    ("value", "expected", "message"),
    [
        ("5", "number", "Invalid input: expected number, received string"),
        (5.5, "int", "Invalid input: expected int, received number"),
        (None, "number", "Invalid input: expected number, received null"),
        (True, "number", "Invalid input: expected number, received boolean"),
    ],
)
def test_a_value_of_the_wrong_type_is_worded_as_the_vendor_words_it(value: Any, expected: str, message: str):
    issue = refusal(I2V, "gen4.5", duration=value)
    assert (issue["code"], issue["expected"], issue["message"]) == ("invalid_type", expected, message)


def test_a_missing_member_with_listed_values_is_answered_with_the_list():
    body = {"model": "gen4_turbo", "promptImage": IMG}
    (issue,) = answer_to(I2V, body)["issues"]
    assert (issue["code"], issue["path"], len(issue["values"])) == ("invalid_value", ["ratio"], 6)


def test_all_bad_members_are_told_at_once():
    body = {"model": "gen4.5", "promptImage": "nowhere at all", "promptText": "", "ratio": "1:1", "duration": 11}
    paths = {tuple(issue["path"]) for issue in answer_to(I2V, body)["issues"]}
    assert paths == {("promptImage",), ("promptText",), ("ratio",), ("duration",)}


@pytest.mark.parametrize("body", [b"", b"{", b"nonsense", b"\xff\xfe"])
def test_a_body_that_is_no_json_is_a_bad_request(body: bytes):
    assert "not valid JSON" in answer_to(I2V, body)["error"]


@pytest.mark.parametrize("body", [b"[]", b'"x"', b"5", b"null"])
def test_a_body_that_is_no_object_is_a_bad_request(body: bytes):
    (issue,) = answer_to(I2V, body)["issues"]
    assert (issue["code"], issue["path"]) == ("invalid_type", [])


@pytest.mark.parametrize("position", [[], {}, 5, None])
def test_a_position_of_another_kind_is_a_flaw_and_no_fault_of_ours(position: Any):
    frames = [{"uri": "nowhere at all", "position": position}]
    issues = answer_to(I2V, {"model": "seedance2", "promptImage": frames})["issues"]
    assert ["promptImage", 0, "position"] in [issue["path"] for issue in issues]
    issues = answer_to(V2V, {"model": "hailuo3", "references": frames})["issues"]
    assert ["promptVideo"] in [issue["path"] for issue in issues]


def test_no_type_is_a_text_with_a_pattern_or_an_array():
    """msgspec 0.22 frees memory that it does not own when such a type is collected."""

    def texts_in(type: inspect.Type, inside_union: bool = False):
        match type:
            case inspect.StrType():
                assert not (inside_union and type.pattern)
            case inspect.Metadata():
                texts_in(type.type, inside_union)
            case inspect.UnionType():
                arrays = any(isinstance(each, inspect.VarTupleType | inspect.ListType) for each in type.types)
                for each in type.types:
                    texts_in(each, arrays)
            case inspect.VarTupleType():
                texts_in(type.item_type)
            case inspect.StructType():
                for field in type.fields:
                    texts_in(field.type)
            case _:
                pass

    for route in runway.WIRE.routes:
        if route.body is not None:
            texts_in(inspect.type_info(route.body))


# ---- problems


def said(kind: Kind, at: str = "POST /v1/image_to_video", **facts: Any) -> tuple[int, dict[str, Any], dict[str, str]]:
    response = runway.render_problem(Problem(kind, facts.pop("message", "so it is"), **facts), request(at))
    return response.status, json.loads(response.body), response.headers


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (Kind.UNAUTHENTICATED, 401),
        (Kind.FORBIDDEN, 403),
        (Kind.NOT_FOUND, 404),
        (Kind.WRONG_METHOD, 405),
        (Kind.CONFLICT, 409),
        (Kind.TOO_LARGE, 413),
        (Kind.RATE_LIMITED, 429),
        (Kind.ENGINE_FAILED, 500),
        (Kind.INTERNAL, 500),
        (Kind.UPSTREAM_FAILED, 502),
        (Kind.SUBMISSION_UNKNOWN, 502),
        (Kind.UNAVAILABLE, 503),
        (Kind.TIMED_OUT, 504),
    ],
)
def test_a_problem_has_its_status_and_its_message(kind: Kind, status: int):
    assert said(kind) == (status, {"error": "so it is"}, {})


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_task_that_is_not_there_is_told_in_the_vendors_words(method: str):
    assert said(Kind.NOT_FOUND, f"{method} /v1/tasks/x")[1] == {"error": "Could not find Task"}
    assert said(Kind.NOT_FOUND, f"{method} /runway/v1/tasks/x")[1] == {"error": "Could not find Task"}


def test_a_full_day_is_told_in_the_vendors_words():
    status, body, headers = said(Kind.QUOTA_EXCEEDED, message="200 of gen4_turbo", retry_after=12.2)
    assert (status, body["error"]) == (429, "Your daily task limit has been reached.")
    assert body["issues"][0]["message"] == "200 of gen4_turbo"
    assert headers == {"retry-after": "13"}


def test_an_empty_purse_is_told_in_the_vendors_words():
    status, body, _ = said(Kind.OVER_BUDGET, message="10 of 100 credits are left")
    assert (status, body["error"]) == (400, "You do not have enough credits to run this task.")
    assert body["issues"][0]["message"] == "10 of 100 credits are left"
    assert "docUrl" in body


@pytest.mark.parametrize("kind", [Kind.BAD_MEDIA, Kind.UNREACHABLE_MEDIA])
def test_bad_media_are_told_with_their_field(kind: Kind):
    message = "Invalid asset aspect ratio: width / height must be at least 0.5, found 0.4"
    status, body, _ = said(kind, message=message, field="promptImage[0].uri")
    assert status == 400
    assert body["error"] == f"promptImage[0].uri: {message}"
    assert body["issues"] == [{"code": "custom", "path": ["promptImage", 0, "uri"], "message": message}]


def test_what_no_engine_can_do_is_told_with_its_field():
    status, body, _ = said(Kind.UNSUPPORTED, message="no engine does sound", field="audio")
    assert (status, body["error"], body["issues"][0]["path"]) == (400, "no engine does sound", ["audio"])


def test_a_bound_of_the_model_is_told_as_an_issue():
    _, body, _ = said(Kind.INVALID, message="at most 10 seconds", field="duration")
    assert body["error"] == "Validation of body failed"
    assert body["issues"] == [{"code": "custom", "path": ["duration"], "message": "at most 10 seconds"}]


def test_every_call_names_the_version():
    route = ROUTES["POST /v1/image_to_video"]

    def checked(**headers: str) -> Problem | None:
        return runway.precheck(request("POST /v1/image_to_video", {}, **headers), route)

    assert checked(**{"x-runway-version": "2024-11-06"}) is None
    for old in ("2024-09-13", "1"):
        problem = checked(**{"x-runway-version": old})
        assert problem is not None and problem.status == 400
        body = json.loads(runway.render_problem(problem, request(route.at)).body)
        assert body == {
            "error": "The API version that was provided in the X-Runway-Version header is not valid.",
            "docUrl": "https://docs.dev.runwayml.com/api",
        }
    missing = checked()
    assert missing is not None and "required" in missing.message
    assert runway.precheck(request("POST /v1/nowhere"), None) is None


@pytest.mark.parametrize(
    ("header", "key"),
    [("Bearer My API Key", "My API Key"), ("bearer k", "k"), ("Basic k", None), ("Bearer ", None), ("", None)],
)
def test_the_key_is_a_bearer_token(header: str, key: str | None):
    assert runway.WIRE.credential(request("GET /v1/organization", None, authorization=header)) == key
    assert runway.WIRE.credential(request("GET /v1/organization")) is None


# ---- tasks


def shown(**changes: Any) -> dict[str, Any]:
    response = render_job(a_job(**changes), request(f"GET /v1/tasks/{PUBLIC_ID}"))
    assert response.status == 200
    task = json.loads(response.body)
    # the SDK's strict reading, with no member missing and none of another type
    TypeAdapter(TaskRetrieveResponse).validate_python(task)
    return task


COMMON = {
    "id": PUBLIC_ID,
    "createdAt": "2026-01-05T10:00:00.120Z",
    "estimatedCost": {"credits": 25.0},
    "cost": {"credits": 0},
}


def test_a_create_is_answered_with_the_id_and_the_cost():
    response = runway.render_created(a_job(), request("POST /v1/image_to_video"))
    assert (response.status, json.loads(response.body)) == (200, {"id": PUBLIC_ID, "estimatedCost": {"credits": 25.0}})
    ImageToVideoCreateResponse.model_validate_json(response.body)


def test_a_task_shows_its_state():
    assert shown() == {**COMMON, "status": "PENDING"}
    assert shown(throttled=True) == {**COMMON, "status": "THROTTLED"}
    assert shown(state=State.RUNNING, progress=0.45) == {**COMMON, "status": "RUNNING", "progress": 0.45}
    assert shown(state=State.RUNNING, throttled=True)["status"] == "RUNNING"
    assert shown(state=State.CANCELED) == {**COMMON, "status": "CANCELLED"}


def test_a_running_task_without_known_progress_stands_at_zero():
    assert shown(state=State.RUNNING)["progress"] == 0


def test_a_finished_task_shows_its_links_and_its_cost():
    output = Output(id="o", media_type="video/mp4", asset="a", url="http://gateway/files/a.mp4?sig=1")
    task = shown(state=State.SUCCEEDED, outputs=(output,), cost=24.6)
    assert task == {**COMMON, "status": "SUCCEEDED", "output": [output.url], "cost": {"credits": 25}}


@pytest.mark.parametrize(
    ("kind", "code", "shown_code"),
    [
        (Kind.REFUSED, None, "SAFETY.INPUT.TEXT"),
        (Kind.BAD_MEDIA, None, "ASSET.INVALID"),
        (Kind.UNREACHABLE_MEDIA, None, "ASSET.INVALID"),
        (Kind.UPSTREAM_FAILED, None, "THIRD_PARTY.UNAVAILABLE"),
        (Kind.ENGINE_FAILED, None, "INTERNAL"),
        (Kind.INTERNAL, None, "INTERNAL"),
        (Kind.UPSTREAM_FAILED, "SAFETY.OUTPUT.VIDEO", "SAFETY.OUTPUT.VIDEO"),
    ],
)
def test_a_failed_task_says_why(kind: Kind, code: str | None, shown_code: str):
    failure = Failure(kind=kind, message="why", code=code)
    task = shown(state=State.FAILED, failure=failure, cost=0.0)
    assert task == {**COMMON, "status": "FAILED", "failure": "why", "failureCode": shown_code}


def test_status_words_are_read_both_ways():
    assert all(STATES[status] is state for state, status in STATUSES.items())
    assert set(STATES) == {"PENDING", "THROTTLED", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"}
    assert set(STATUSES) == set(State)


def test_a_removed_task_is_answered_with_nothing():
    response = render_removed(a_job(), request(f"DELETE /v1/tasks/{PUBLIC_ID}"))
    assert (response.status, response.body) == (204, b"")


# ---- uploads, organization, usage


def test_an_upload_is_asked_for_by_name():
    (wanted,) = ask("POST /v1/uploads", {"filename": "My Cat.PNG", "type": "ephemeral"})
    assert (wanted.media_type, wanted.name, wanted.min_bytes, wanted.max_bytes) == (
        "image/png",
        "My Cat.PNG",
        512,
        200 * MB,
    )
    assert wanted.keep_seconds == 86400


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"filename": "a.exe", "type": "ephemeral"}, "filename"),
        ({"filename": "picture", "type": "ephemeral"}, "filename"),
        ({"filename": "a" * 252 + ".png", "type": "ephemeral"}, "filename"),
        ({"filename": "a.png", "type": "forever"}, "type"),
        ({"type": "ephemeral"}, "filename"),
        ({"filename": "a.png"}, "type"),
    ],
)
def test_an_upload_that_cannot_be_is_refused(body: dict[str, str], path: str):
    with pytest.raises(Problem) as caught:
        ask("POST /v1/uploads", body)
    assert [flaw.path for flaw in caught.value.flaws] == [(path,)]


def test_the_longest_filename_is_taken():
    body = {"filename": "a" * 251 + ".png", "type": "ephemeral"}
    assert ask("POST /v1/uploads", body)[0].media_type == "image/png"


def test_an_upload_slot_names_its_uri():
    upload = Upload(
        id="0198-u",
        wire="runway",
        owner="",
        media_type="image/png",
        max_bytes=1,
        created=0,
        slot_expires=1,
        expires=2,
        put_url="http://gateway/uploads/0198-u?sig=1",
        policy="signed",
    )
    response = runway.render_upload((upload,), request("POST /v1/uploads"))
    assert json.loads(response.body) == {
        "uploadUrl": "http://gateway/uploads/0198-u?sig=1",
        "fields": {"key": "0198-u", "policy": "signed"},
        "runwayUri": "runway://0198-u",
    }


def test_the_organization_tells_limits_and_counts():
    models = {"gen4_turbo": ModelAccount(max_concurrent=2, max_daily=200, made_today=12), "veo3": ModelAccount()}
    response = runway.render_account(CallerAccount(models=models, spent=10.4), request("GET /v1/organization"))
    OrganizationRetrieveResponse.model_validate_json(response.body)
    answer = json.loads(response.body)
    assert answer["tier"]["models"] == {
        "gen4_turbo": {"maxConcurrentGenerations": 2, "maxDailyGenerations": 200},
        "veo3": {"maxConcurrentGenerations": runway.UNLIMITED, "maxDailyGenerations": runway.UNLIMITED},
    }
    assert answer["usage"]["models"]["gen4_turbo"] == {"dailyGenerations": 12}
    assert answer["tier"]["maxMonthlyCreditSpend"] - answer["creditBalance"] == 10


@pytest.mark.parametrize(
    ("body", "period"),
    [
        (None, Period()),
        ({}, Period()),
        ({"startDate": "2026-01-01"}, Period(start="2026-01-01")),
        ({"startDate": "2026-01-01", "beforeDate": "2026-04-01"}, Period(start="2026-01-01", before="2026-04-01")),
        ({"startDate": "2026-01-01", "beforeDate": "2026-01-01"}, Period(start="2026-01-01", before="2026-01-01")),
    ],
)
def test_a_period_is_read(body: Any, period: Period):
    assert ask("POST /v1/organization/usage", body) == period


@pytest.mark.parametrize(
    ("body", "path", "message"),
    [
        ({"startDate": "yesterday"}, "startDate", "Invalid ISO date"),
        ({"startDate": "2026-1-1"}, "startDate", "Invalid ISO date"),
        ({"beforeDate": "2026-02-30"}, "beforeDate", "Invalid ISO date"),
        ({"startDate": "2026-01-01", "beforeDate": "2026-04-02"}, "beforeDate", "at most 90 days"),
        ({"startDate": "2026-01-02", "beforeDate": "2026-01-01"}, "beforeDate", "must not be before"),
    ],
)
def test_a_period_that_cannot_be_is_refused(body: dict[str, str], path: str, message: str):
    with pytest.raises(Problem) as caught:
        ask("POST /v1/organization/usage", body)
    answer = json.loads(runway.render_problem(caught.value, request("POST /v1/organization/usage")).body)
    (issue,) = answer["issues"]
    assert issue["path"] == [path] and message in issue["message"]


def test_usage_is_told_by_day_and_model():
    usage = Usage(days={"2026-01-01": {"gen4_turbo": 25.0, "gen4.5": 60.4}, "2026-01-02": {}})
    response = runway.render_usage(usage, request("POST /v1/organization/usage"))
    OrganizationRetrieveUsageResponse.model_validate_json(response.body)
    assert json.loads(response.body) == {
        "results": [
            {
                "date": "2026-01-01",
                "usedCredits": [{"model": "gen4_turbo", "amount": 25}, {"model": "gen4.5", "amount": 60}],
            },
            {"date": "2026-01-02", "usedCredits": []},
        ],
        "models": ["gen4_turbo", "gen4.5"],
    }


# ---- the table of routes


def test_every_endpoint_is_there():
    assert {route.at for route in runway.WIRE.routes} - {route.at for route in elsewhere.ROUTES} == {
        *(f"POST /v1/{endpoint}" for endpoint, _ in LEAST),
        "GET /v1/tasks/{id}",
        "DELETE /v1/tasks/{id}",
        "POST /v1/uploads",
        "GET /v1/organization",
        "POST /v1/organization/usage",
    }


def test_a_route_is_named_after_its_operation():
    for route in runway.WIRE.routes:
        if isinstance(route, Create):
            assert route.path == f"/v1/{Operation(route.route).value}"


def test_the_table_of_this_file_names_every_model_of_the_vendors_schema():
    tables = {I2V: bodies.ImageToVideo, T2V: bodies.TextToVideo, V2V: bodies.VideoToVideo, T2I: bodies.TextToImage}
    for endpoint, type in tables.items():
        info = inspect.type_info(type)
        assert isinstance(info, inspect.UnionType)
        structs = [each for each in info.types if isinstance(each, inspect.StructType)]
        known = {each.tag for each in structs if not each.cls.__module__.endswith(".later")}
        assert known == {model for at, model in LEAST if at == endpoint}


@pytest.mark.parametrize("model", ["kling_4", "kling3.0_pro", "wan3", "h3_max", "gemini_omni_flash_1.1"])
def test_models_that_only_the_sdk_names_are_read_too(model: str):
    read = parse(I2V, model, promptImage=IMG, promptText="x", duration=5)
    assert (read.model, read.seconds, read.inputs[0].role) == (model, 5.0, Role.FIRST_FRAME)


def test_answers_have_the_published_types():
    for state in State:
        response = render_job(a_job(state=state), request("GET /v1/tasks/x"))
        msgspec.json.decode(response.body, type=ROUTES["GET /v1/tasks/{id}"].answer)
