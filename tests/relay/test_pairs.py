"""Any front on any back: what was asked in one vendor's words arrives in another's.

The two pairs of Freepik and DashScope are in `test_wan.py`.
"""

import base64
import json
from typing import Any, get_args

import pytest

from mutoscope.model import catalog
from mutoscope.model.http import HttpRequest
from mutoscope.model.job import Generation, Operation, Role, State
from mutoscope.wirekit.back import VendorRequest
from mutoscope.wires import BY_NAME, ROWS
from mutoscope.wires.runway.values import Wan3Ratio

Worlds = Any

HEADERS = {
    "freepik": {},
    "runway": {"x-runway-version": "2024-11-06", "authorization": "Bearer any"},
    "dashscope": {"x-dashscope-async": "enable"},
    "luma": {},
    "luma_own": {},
}
LINK = "https://media.example.net/in/fox.png"
SYNTHESIS = "/api/v1/services/aigc/video-generation/video-synthesis"


class Asked:
    """A request in one vendor's words, and what must arrive at another."""

    def __init__(self, front: str, back: str, path: str, body: dict[str, Any], **arrives: Any) -> None:
        self.front, self.back, self.path, self.body, self.arrives = front, back, path, body, arrives

    def __repr__(self) -> str:
        return f"{self.front} on {self.back}: {self.path.rpartition('/')[2]}"


ASKED = [
    Asked(
        "freepik",
        "runway",
        "/v1/ai/image-to-video/runway-4-5",
        {"image": "PICTURE", "prompt": "the fox lifts its head", "ratio": "960:960", "duration": 8, "seed": 77},
        operation=Operation.IMAGE_TO_VIDEO,
        model="gen4.5",
        prompt="the fox lifts its head",
        width=960,
        height=960,
        seconds=8,
        seed=77,
        roles=(Role.FIRST_FRAME,),
    ),
    Asked(
        "freepik",
        "runway",
        "/v1/ai/text-to-image/runway",
        {"prompt": "a paper boat", "ratio": "1440:1080", "seed": 4},
        operation=Operation.TEXT_TO_IMAGE,
        model="gen4_image",
        prompt="a paper boat",
        width=1440,
        height=1080,
        seed=4,
    ),
    Asked(
        "freepik",
        "runway",
        "/v1/ai/text-to-video/runway-4-5",
        {"prompt": "waves"},
        operation=Operation.TEXT_TO_VIDEO,
        model="gen4.5",
        prompt="waves",
        width=1280,
        height=720,
        seconds=5,
    ),
    Asked(
        "runway",
        "freepik",
        "/v1/image_to_video",
        {
            "model": "gen4.5",
            "promptImage": "PICTURE",
            "promptText": "slowly in",
            "ratio": "1280:720",
            "duration": 5,
            "seed": 3,
        },
        operation=Operation.IMAGE_TO_VIDEO,
        model="gen4.5",
        prompt="slowly in",
        width=1280,
        height=720,
        seconds=5,
        seed=3,
        roles=(Role.FIRST_FRAME,),
    ),
    Asked(
        "runway",
        "freepik",
        "/v1/text_to_image",
        {"model": "gen4_image", "promptText": "a lake", "ratio": "1920:1080"},
        operation=Operation.TEXT_TO_IMAGE,
        model="gen4_image",
        prompt="a lake",
        width=1920,
        height=1080,
    ),
    Asked(
        "runway",
        "dashscope",
        "/v1/text_to_video",
        {"model": "wan3", "promptText": "a paper boat", "ratio": "720:544", "duration": 3},
        operation=Operation.TEXT_TO_VIDEO,
        model="wan3",
        prompt="a paper boat",
        width=720,
        height=544,
        seconds=3,
    ),
    Asked(
        "runway",
        "dashscope",
        "/v1/image_to_video",
        {
            "model": "wan3",
            "promptImage": [{"uri": "PICTURE", "position": "last"}, {"uri": "PICTURE", "position": "first"}],
            "promptText": "it sails",
            "ratio": "480:832",
            "duration": 2,
        },
        operation=Operation.IMAGE_TO_VIDEO,
        model="wan3",
        prompt="it sails",
        width=480,
        height=832,
        seconds=2,
        roles=(Role.FIRST_FRAME, Role.LAST_FRAME),
    ),
    Asked(
        "runway",
        "dashscope",
        "/v1/image_to_video",
        {"model": "wan3", "promptImage": "PICTURE", "promptText": "it sails", "ratio": "auto_480p", "duration": 2},
        operation=Operation.IMAGE_TO_VIDEO,
        model="wan3",
        prompt="it sails",
        resolution="480p",
        seconds=2,
        extra={"ratio": "auto"},
        roles=(Role.FIRST_FRAME,),
    ),
    Asked(
        "dashscope",
        "runway",
        SYNTHESIS,
        {
            "model": "wan3.0-video",
            "input": {"prompt": "waves"},
            "parameters": {"resolution": "480P", "ratio": "4:3", "duration": 4, "watermark": False},
        },
        operation=Operation.TEXT_TO_VIDEO,
        model="wan3",
        prompt="waves",
        width=720,
        height=544,
        seconds=4,
    ),
    Asked(
        "dashscope",
        "runway",
        SYNTHESIS,
        {
            "model": "wan3.0-video",
            "input": {
                "prompt": "slowly in",
                "media": [{"type": "last_frame", "url": "PICTURE"}, {"type": "first_frame", "url": "PICTURE"}],
            },
            "parameters": {"resolution": "480P", "ratio": "adaptive", "duration": 2, "prompt_extend": True},
        },
        operation=Operation.IMAGE_TO_VIDEO,
        model="wan3",
        prompt="slowly in",
        resolution="480p",
        seconds=2,
        extra={"ratio": "auto"},
        roles=(Role.FIRST_FRAME, Role.LAST_FRAME),
    ),
    Asked(
        "luma",
        "luma",
        "/dream-machine/v1/generations/video",
        {"model": "ray-2", "prompt": "waves", "aspect_ratio": "9:16", "resolution": "540p", "duration": "2s"},
        operation=Operation.TEXT_TO_VIDEO,
        model="ray-2",
        prompt="waves",
        width=540,
        height=960,
        seconds=2,
    ),
    Asked(
        "luma",
        "luma",
        "/dream-machine/v1/generations/image",
        {"model": "photon-1", "prompt": "a lake", "aspect_ratio": "4:3", "format": "png"},
        operation=Operation.TEXT_TO_IMAGE,
        model="photon-1",
        prompt="a lake",
        width=1662,
        height=1248,
        extra={"outputFormat": "png"},
    ),
    Asked(
        "luma_own",
        "luma",
        "/luma/generations",
        {"user_prompt": "cat dance", "model_name": "ray-v1", "aspect_ratio": "1:1", "duration": "2", "loop": True},
        operation=Operation.TEXT_TO_VIDEO,
        model="ray-1-6",
        prompt="cat dance",
        width=960,
        height=960,
        seconds=2,
        extra={"loop": True},
    ),
]


@pytest.mark.parametrize("asked", ASKED, ids=repr)
async def test_what_was_asked_arrives_in_the_other_vendors_words(world: Worlds, asked: Asked, picture: bytes) -> None:
    async with world(asked.back) as it:
        body = json.loads(json.dumps(asked.body).replace("PICTURE", data_uri(picture)))
        answer = await it.client.post(asked.path, json=body, headers=HEADERS[asked.front])
        assert answer.status_code in (200, 201), answer.text
        job = await it.finished(BY_NAME[asked.front].job_id(public_id(answer.json())))
        assert job.state is State.SUCCEEDED, job.failure
        [made] = await it.submissions()
        assert made.wire == asked.back
        arrived = made.generation
        for name, value in asked.arrives.items():
            found = tuple(each.role for each in arrived.inputs) if name == "roles" else getattr(arrived, name)
            assert found == value, name
        for each in arrived.inputs:
            assert await it.vendor.assets.read(each.asset) == picture
        if "width" in asked.arrives:
            size = (job.outputs[0].width, job.outputs[0].height)
            assert size == (asked.arrives["width"], asked.arrives["height"])
        if (seconds := asked.arrives.get("seconds")) is not None:
            assert job.outputs[0].seconds == pytest.approx(seconds, abs=0.05)


def public_id(said: dict[str, Any]) -> str:
    told = said.get("data") or said.get("output") or said
    return told.get("task_id") or told["id"]


def data_uri(picture: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(picture).decode()}"


def wan3(said: dict[str, Any], **parameters: Any) -> dict[str, Any]:
    return {"model": "wan3.0-video", "input": said, "parameters": parameters}


REFUSED = [
    (
        "runway",
        "freepik",
        "/v1/image_to_video",
        {"model": "gen4.5", "promptImage": LINK, "promptText": "x", "ratio": "1584:672", "duration": 5},
        "ratio",
    ),
    (
        "runway",
        "freepik",
        "/v1/image_to_video",
        {"model": "gen4.5", "promptImage": LINK, "promptText": "x", "ratio": "1280:720", "duration": 7},
        "duration",
    ),
    ("runway", "dashscope", "/v1/text_to_video", {"model": "wan3", "promptText": "x", "duration": 1}, "duration"),
    ("runway", "dashscope", "/v1/text_to_video", {"model": "wan3", "promptText": "x", "duration": 31}, "duration"),
    (
        "runway",
        "dashscope",
        "/v1/text_to_video",
        {"model": "wan3", "promptText": "x", "references": [{"uri": LINK}]},
        "references",
    ),
    (
        "runway",
        "dashscope",
        "/v1/image_to_video",
        {
            "model": "wan3",
            "promptText": "x",
            "promptImage": LINK,
            "referenceVideos": [{"type": "video", "uri": "https://media.example.net/in/fox.mp4"}],
        },
        "referenceVideos",
    ),
    ("dashscope", "runway", SYNTHESIS, wan3({"prompt": "x"}, seed=7), "parameters.seed"),
    ("dashscope", "runway", SYNTHESIS, wan3({"prompt": "x"}, watermark=True), "parameters.watermark"),
    # Runway wants words with a picture as well
    ("dashscope", "runway", SYNTHESIS, wan3({"media": [{"type": "first_frame", "url": LINK}]}), "input.prompt"),
]


@pytest.mark.parametrize(("front", "back", "path", "body", "field"), REFUSED)
async def test_what_cannot_be_said_is_refused_by_the_callers_name_before_money_is_spent(
    world: Worlds, front: str, back: str, path: str, body: dict[str, Any], field: str
) -> None:
    async with world(back) as it:
        answer = await it.client.post(path, json=body, headers=HEADERS[front])
        assert answer.status_code == 400
        assert field in answer.text
        assert await it.submissions() == []
        assert it.proxy.log == []


WAN3 = next(each for each in ROWS if each.name == "wan3")


def said_by(back: str, wish: Generation) -> HttpRequest:
    """What a vendor is asked for a wish, the catalog's sizes filled in."""
    conversation = BY_NAME[back].back
    assert conversation
    order = VendorRequest(generation=catalog.complete(wish, WAN3, remote=True), names=WAN3.names[back])
    conversation.check(order)
    return next(conversation.submit(order))


def read_by(front: str, request: HttpRequest) -> Generation:
    route = next(each for each in BY_NAME[front].routes if each.at == f"{request.method} {request.path}")
    assert route.parse
    return route.parse(request).generation


@pytest.mark.parametrize("ratio", get_args(Wan3Ratio))
def test_every_frame_of_wan_3_that_one_vendor_names_the_other_names_too(ratio: str) -> None:
    body = {"model": "wan3", "promptText": "x", "ratio": ratio, "duration": 5}
    asked = HttpRequest(method="POST", path="/v1/text_to_video", body=json.dumps(body).encode())
    there = said_by("dashscope", read_by("runway", asked))
    assert {"resolution", "ratio"} <= json.loads(there.body)["parameters"].keys()
    back = said_by("runway", read_by("dashscope", there))
    assert json.loads(back.body) == body
