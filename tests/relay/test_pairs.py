"""Any front on any back: what was asked in one vendor's words arrives in another's."""

from typing import Any

import pytest

from mutoscope.job import Operation, Role, State
from mutoscope.wires import BY_NAME

Worlds = Any

RUNWAY = {"x-runway-version": "2024-11-06", "authorization": "Bearer any"}
LINK = "https://media.example.net/in/fox.png"


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
]


@pytest.mark.parametrize("asked", ASKED, ids=repr)
async def test_what_was_asked_arrives_in_the_other_vendors_words(world: Worlds, asked: Asked, picture: bytes) -> None:
    async with world(asked.back) as it:
        body = {name: data_uri(picture) if value == "PICTURE" else value for name, value in asked.body.items()}
        answer = await it.client.post(asked.path, json=body, headers=RUNWAY if asked.front == "runway" else {})
        assert answer.status_code == 200, answer.text
        said = answer.json()
        public = said["data"]["task_id"] if asked.front == "freepik" else said["id"]
        job = await it.finished(BY_NAME[asked.front].job_id(public))
        assert job.state is State.SUCCEEDED, job.failure
        [made] = await it.submissions()
        assert made.wire == asked.back
        arrived = made.generation
        for name, value in asked.arrives.items():
            found = tuple(each.role for each in arrived.inputs) if name == "roles" else getattr(arrived, name)
            assert found == value, name
        if (seconds := asked.arrives.get("seconds")) is not None:
            assert job.outputs[0].seconds == pytest.approx(seconds, abs=0.05)


def data_uri(picture: bytes) -> str:
    import base64

    return f"data:image/png;base64,{base64.b64encode(picture).decode()}"


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
]


@pytest.mark.parametrize(("front", "back", "path", "body", "field"), REFUSED)
async def test_what_cannot_be_said_is_refused_by_the_callers_name_before_money_is_spent(
    world: Worlds, front: str, back: str, path: str, body: dict[str, Any], field: str
) -> None:
    async with world(back) as it:
        answer = await it.client.post(path, json=body, headers=RUNWAY)
        assert answer.status_code == 400
        assert field in answer.text
        assert await it.submissions() == []
        assert it.proxy.log == []
