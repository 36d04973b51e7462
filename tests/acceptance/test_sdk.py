"""A stranger's program that uses Runway's Python SDK as it is, with nothing changed but the base URL."""

import asyncio
import base64
import hashlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from media_found import Clip, clip_in
from runwayml import (
    AsyncRunwayML,
    AuthenticationError,
    BadRequestError,
    NotFoundError,
    RateLimitError,
    RunwayML,
    TaskFailedError,
)
from runwayml.types import TaskRetrieveResponse
from runwayml.types.task_retrieve_response import Succeeded

SETTINGS = """
[models."gen4.5"]  # its clips need not be a sight to see here
engine = "script"

[models.gen4_image]
engine = "script"

[models."veo3.1_fast"]
engine = "script"
max_concurrent = 1

[models.gen4_image_turbo]
engine = "script"
max_daily = 1
"""

PER_MINUTE = 30
KEYS = ("ann", "bob", "eve")
LOCKED = f"[limits]\nrequests_per_minute = {PER_MINUTE}\n" + "".join(
    f'[[keys]]\nname = "{name}"\nsha256 = "{hashlib.sha256(name.encode()).hexdigest()}"\n' for name in KEYS
)
PATIENCE_SECONDS = 30.0


@pytest.fixture(scope="module")
def url(serve: Callable[..., str]) -> str:
    return serve("--allow-private", settings=SETTINGS)


@pytest.fixture(scope="module")
def client(url: str) -> Iterator[RunwayML]:
    with RunwayML(base_url=url, api_key="any", max_retries=0) as client:
        yield client


@pytest.fixture(scope="module")
def locked(serve: Callable[..., str]) -> str:
    """A server that asks for keys and counts requests. Each test has a key, and so a count, of its own."""
    return serve(settings=LOCKED)


def final(client: RunwayML, id: str) -> TaskRetrieveResponse:
    """The task once it has ended. The SDK's own helper waits six seconds before it looks the first time."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (task := client.tasks.retrieve(id)).status not in ("SUCCEEDED", "FAILED", "CANCELLED"):
        assert time.monotonic() < deadline, task
        time.sleep(0.05)
    return task


def download(task: TaskRetrieveResponse) -> bytes:
    assert isinstance(task, Succeeded), task
    (link,) = task.output
    return httpx.get(link).raise_for_status().content


def issues(error: BadRequestError) -> list[dict[str, Any]]:
    body: Any = error.body
    return body["issues"]


def said(error: RateLimitError) -> str:
    body: Any = error.body
    return body["error"]


def data_uri(picture: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(picture).decode()}"


# -- waiting with the SDK's helper ------------------------------------------------------


def test_a_clip_of_the_built_in_renderer_is_waited_for_and_downloaded(client: RunwayML, picture: bytes) -> None:
    task = client.image_to_video.create(
        model="gen4_turbo",
        prompt_image=data_uri(picture),
        prompt_text="the camera pushes in slowly",
        ratio="1104:832",
        duration=2,
        seed=4,
    ).wait_for_task_output(timeout=60)
    assert clip_in(download(task)) == Clip(1104, 832, frames=48, seconds=2, codec="h264", pixels="yuv420p")


async def test_the_async_client_waits_for_an_output_and_raises_for_a_failure(url: str) -> None:
    async with AsyncRunwayML(base_url=url, api_key="any", max_retries=0) as client:

        async def picture_of(prompt: str) -> TaskRetrieveResponse:
            made = await client.text_to_image.create(model="gen4_image", prompt_text=prompt, ratio="720:720")
            return await made.wait_for_task_output()

        # both at once, because each begins with a sleep of six seconds
        task, failed = await asyncio.gather(
            picture_of("a paper boat"), picture_of("fail refused not today"), return_exceptions=True
        )
    assert isinstance(task, Succeeded)
    assert isinstance(failed, TaskFailedError)
    details: Any = failed.task_details
    assert (details.failure, details.failure_code) == ("not today", "SAFETY.INPUT.TEXT")


# -- tasks ------------------------------------------------------------------------------


def test_a_deleted_task_is_canceled_and_gone(client: RunwayML) -> None:
    task = client.text_to_image.create(model="gen4_image", prompt_text="sleep 60", ratio="720:720")
    client.tasks.delete(task.id)
    with pytest.raises(NotFoundError):
        client.tasks.retrieve(task.id)
    with pytest.raises(NotFoundError):
        client.tasks.delete(task.id)


def test_a_task_that_never_was_is_not_found(client: RunwayML) -> None:
    with pytest.raises(NotFoundError) as caught:
        client.tasks.retrieve("7c0a6b52-0f5e-4d0a-9c53-2f6f1d1b8a10")
    assert caught.value.body == {"error": "Could not find Task"}


def test_a_task_of_a_busy_model_is_throttled_and_then_made(client: RunwayML) -> None:
    first, second = (
        client.text_to_video.create(model="veo3.1_fast", prompt_text="sleep 0.5", ratio="1280:720", duration=4)
        for _ in range(2)
    )
    assert client.tasks.retrieve(second.id).status == "THROTTLED"
    assert [final(client, task.id).status for task in (first, second)] == ["SUCCEEDED", "SUCCEEDED"]


# -- inputs -----------------------------------------------------------------------------


def test_an_uploaded_picture_becomes_a_clip(client: RunwayML, picture: bytes) -> None:
    upload = client.uploads.create_ephemeral(file=("boat.png", picture))
    task = client.image_to_video.create(
        model="gen4.5", prompt_image=upload.uri, prompt_text="it sails away", ratio="960:960", duration=2
    )
    made = clip_in(download(final(client, task.id)))
    assert (made.width, made.height, made.frames) == (960, 960, 48)


async def test_the_async_client_uploads_too(url: str, picture: bytes) -> None:
    async with AsyncRunwayML(base_url=url, api_key="any", max_retries=0) as client:
        upload = await client.uploads.create_ephemeral(file=("boat.png", picture))
        task = await client.image_to_video.create(
            model="gen4.5", prompt_image=upload.uri, prompt_text="it sails away", ratio="960:960", duration=2
        )
        assert (await client.tasks.retrieve(task.id)).id == task.id


@pytest.mark.parametrize(
    "source",
    [
        "runway://7c0a6b52-0f5e-4d0a-9c53-2f6f1d1b8a10",
        "http://127.0.0.1:9/nobody-listens-here.png",
        "data:image/png;base64,bm8gcGljdHVyZQ==",
    ],
)
def test_a_picture_that_cannot_be_used_is_refused_before_there_is_a_task(client: RunwayML, source: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        client.image_to_video.create(
            model="gen4.5", prompt_image=source, prompt_text="it sails away", ratio="960:960", duration=2
        )
    assert [issue["path"] for issue in issues(caught.value)] == [["promptImage"]]


def test_every_bad_field_is_named_by_its_path(client: RunwayML, picture: bytes) -> None:
    unheard: Any = "16:9"
    with pytest.raises(BadRequestError) as caught:
        client.image_to_video.create(
            model="gen4_turbo",
            prompt_image=[{"uri": data_uri(picture), "position": unheard}],
            ratio=unheard,
            duration=11,
            seed=-1,
        )
    paths = sorted([str(step) for step in issue["path"]] for issue in issues(caught.value))
    assert paths == [["duration"], ["promptImage", "0", "position"], ["ratio"], ["seed"]]


# -- keys and limits ----------------------------------------------------------------------


def test_a_wrong_key_is_told_from_a_right_one(locked: str) -> None:
    with RunwayML(base_url=locked, api_key="mallory") as stranger, pytest.raises(AuthenticationError):
        stranger.organization.retrieve()
    with RunwayML(base_url=locked, api_key="ann") as client:
        assert client.organization.retrieve().credit_balance > 0


def test_the_days_last_task_is_followed_by_a_refusal(client: RunwayML, picture: bytes) -> None:
    def create() -> str:
        return client.text_to_image.create(
            model="gen4_image_turbo",
            prompt_text="@boat at sea",
            ratio="720:720",
            reference_images=[{"uri": data_uri(picture), "tag": "boat"}],
        ).id

    assert create()
    with pytest.raises(RateLimitError) as caught:
        create()
    assert said(caught.value) == "Your daily task limit has been reached."


def exhaust(client: RunwayML) -> RateLimitError:
    """Ask until it is too much, and the next request will not be let through for more than a second."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            client.organization.retrieve()
        except RateLimitError as error:
            if error.response.headers["retry-after"] == str(60 // PER_MINUTE):
                return error
    raise AssertionError("no limit was felt")


def test_too_many_requests_are_refused_with_the_time_to_wait(locked: str) -> None:
    with RunwayML(base_url=locked, api_key="bob", max_retries=0) as client:
        error = exhaust(client)
    assert error.response.headers["retry-after"] == "2"
    assert said(error) == "Too many requests"


def test_a_client_that_retries_waits_as_it_is_told_and_gets_through(locked: str) -> None:
    with RunwayML(base_url=locked, api_key="eve", max_retries=0) as client:
        exhaust(client)
        began = time.monotonic()
        answer = client.with_options(max_retries=2).organization.with_raw_response.retrieve()
    # left to itself the SDK would wait half a second, and need a second retry
    assert answer.retries_taken == 1
    assert time.monotonic() - began >= 1
