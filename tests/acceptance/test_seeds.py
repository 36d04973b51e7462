"""The five requests that the reference pages show, sent as they stand and made by the built-in renderer.

Only their links are replaced: the pictures' by ones on loopback that exist, the webhooks' by a receiver there.
"""

import io
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import httpx
import pytest
from media_found import Clip, clip_in
from PIL import Image

KEY = {"x-freepik-api-key": "any", "authorization": "Bearer any"}
PATIENCE_SECONDS = 150.0
LINK = re.compile(r'"https://[^"]*"')
UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")

GEN45 = (
    "/v1/ai/image-to-video/runway-4-5",
    """
{
  "image": "https://storage.googleapis.com/fc-freepik-pro-rev1-eu-static/landing-api/examples/freepik__upload__53227.png",
  "prompt": "The subject slowly opens their eyes and smiles warmly, with a gentle camera zoom",
  "ratio": "1280:720",
  "duration": 8,
  "seed": 12345,
  "webhook_url": "https://example.com/webhook"
}
""",
)
PICTURE = (
    "/v1/ai/text-to-image/runway",
    """
{
  "prompt": "A serene mountain landscape at sunset with golden light",
  "ratio": "1920:1080",
  "seed": 12345,
  "webhook_url": "https://www.example.com/webhook"
}
""",
)
WAN27 = (
    "/v1/ai/image-to-video/wan-2-7",
    """
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
  "additional_settings": {
    "prompt_extend": true
  }
}
""",
)
GEN3 = (
    "/runwayml/v1/image_to_video",
    """
{
    "promptImage": "https://cdn.britannica.com/70/234870-050-D4D024BB/Orange-colored-cat-yawns-displaying-teeth.jpg",
    "seed": 999999999,
    "model": "gen3a_turbo",
    "promptText": "string",
    "watermark": false,
    "duration": 5,
    "ratio": "16:9"
}
""",
)
GEN4 = (
    "/runwayml/v1/image_to_video",
    """
{
"promptImage": "https://www.bt.cn/bbs/template/qiao/style/image/btlogo.png",
"model": "gen4_turbo",
"promptText": "cat dance",
"watermark": false,
"duration": 5,
"ratio": "1280:768"
}
""",
)
FREEPIK, RELAYS = ("gen4.5", "picture", "wan 2.7"), ("gen3a", "gen4")
SEEDS = {"gen4.5": GEN45, "picture": PICTURE, "wan 2.7": WAN27, "gen3a": GEN3, "gen4": GEN4}

CLIPS = {
    "gen4.5": Clip(1280, 720, frames=192, seconds=8, codec="h264", pixels="yuv420p"),
    "wan 2.7": Clip(1920, 1080, frames=150, seconds=5, codec="h264", pixels="yuv420p"),
    "gen3a": Clip(1280, 768, frames=120, seconds=5, codec="h264", pixels="yuv420p"),
    "gen4": Clip(1280, 768, frames=120, seconds=5, codec="h264", pixels="yuv420p"),
}


class Website(BaseHTTPRequestHandler):
    """Gives a picture for every path that ends as one, and remembers what is posted."""

    files: ClassVar[dict[str, bytes]] = {}
    posted: ClassVar[list[dict[str, Any]]] = []

    def do_GET(self) -> None:
        suffix = self.path.rpartition(".")[2]
        self.answer(200 if suffix in self.files else 404, self.files.get(suffix, b""), f"image/{suffix}")

    do_HEAD = do_GET

    def do_POST(self) -> None:
        self.posted.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self.answer(200, b"", "text/plain")

    def answer(self, status: int, body: bytes, media_type: str) -> None:
        self.send_response(status)
        self.send_header("content-type", media_type)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Not on the console."""


@pytest.fixture(scope="module")
def website() -> Iterator[str]:
    Website.files, Website.posted = {"png": encoded("PNG"), "jpg": encoded("JPEG")}, []
    with ThreadingHTTPServer(("127.0.0.1", 0), Website) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def encoded(format: str) -> bytes:
    """A gradient of 16:9, so that WAN, whose clips take the shape of the picture, makes its 1920 × 1080."""
    file = io.BytesIO()
    Image.radial_gradient("L").resize((960, 540)).convert("RGB").save(file, format)
    return file.getvalue()


class Made:
    """What a seed's request was answered, how its task read at the end, and the file."""

    def __init__(self, url: str, website: str, seed: tuple[str, str]) -> None:
        path, body = seed
        with httpx.Client(base_url=url, headers=KEY, timeout=30) as client:
            answer = client.post(path, content=local(body, website), headers={"content-type": "application/json"})
            assert answer.status_code == 200, answer.text
            self.notes = answer.headers.get("x-mutoscope-notes", "")
            self.created: dict[str, Any] = answer.json()
            self.task = self.last_reading(client, path)
            (link,) = self.task.get("output") or self.task["data"]["generated"]
            answer = client.get(link).raise_for_status()
            self.file, self.media_type = answer.content, answer.headers["content-type"]

    def last_reading(self, client: httpx.Client, path: str) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            answer = client.get(self.place(path))
            task: dict[str, Any] = answer.json()
            status = task.get("status") or task["data"]["status"]
            assert status in ("PENDING", "CREATED", "RUNNING", "IN_PROGRESS", "SUCCEEDED", "COMPLETED"), task
            if status in ("SUCCEEDED", "COMPLETED"):
                assert answer.headers["x-mutoscope-engine"] == "studio"
                return task
            time.sleep(0.25)
        raise AssertionError(f"{path} did not end within {PATIENCE_SECONDS} seconds")

    def place(self, path: str) -> str:
        if path.startswith("/runwayml/"):
            return f"/runwayml/v1/tasks/{self.created['id']}"
        return f"{path}/{self.created['data']['task_id']}"


def local(body: str, website: str) -> str:
    """The body with its links led to this machine."""

    def led(match: re.Match[str]) -> str:
        return f'"{website}/{match[0].strip(chr(34)).rpartition("/")[2]}"'

    return LINK.sub(led, body)


@pytest.mark.timeout(240)
def test_the_reference_pages_requests_end_in_the_documented_shapes_and_exact_files(
    serve: Callable[..., str], website: str
) -> None:
    # one test, so that parallel runs of pytest do not make the files twice
    make = partial(Made, serve("--allow-private"), website)
    with ThreadPoolExecutor(len(SEEDS)) as pool:
        made = dict(zip(SEEDS, pool.map(make, SEEDS.values()), strict=True))
    check_files(made)
    for name in FREEPIK:
        check_freepik(made[name])
    for name in RELAYS:
        check_relay(made[name])
    check_what_went_unheeded(made)
    check_webhooks({made[name].created["data"]["task_id"] for name in FREEPIK})


def check_files(made: dict[str, Made]) -> None:
    assert {name: clip_in(made[name].file) for name in CLIPS} == CLIPS
    assert {made[name].media_type for name in CLIPS} == {"video/mp4"}
    picture = Image.open(io.BytesIO(made["picture"].file))
    assert (picture.size, picture.format, made["picture"].media_type) == ((1920, 1080), "PNG", "image/png")


def check_freepik(made: Made) -> None:
    created, task = made.created["data"], made.task["data"]
    assert set(made.created) == set(made.task) == {"data"}
    assert set(created) == set(task) == {"task_id", "status", "generated"}
    assert created["generated"] == []
    assert created["status"] in ("CREATED", "IN_PROGRESS")
    assert UUID4.fullmatch(created["task_id"])
    assert task["task_id"] == created["task_id"]


def check_relay(made: Made) -> None:
    created, task = made.created, made.task
    assert UUID4.fullmatch(created["id"])
    assert created["state"] == "pending"
    assert datetime.fromisoformat(created["created_at"]).tzinfo
    empty = ("queue_state", "video", "video_raw", "liked", "estimate_wait_seconds", "thumbnail", "last_frame")
    assert {created[name] for name in empty} == {None}
    # the table of the same page shows an envelope instead
    assert {"code", "message", "request_id"} <= set(created)
    assert created["data"]["task_id"] == created["id"]
    assert (task["id"], task["status"], len(task["output"])) == (created["id"], "SUCCEEDED", 1)


def check_what_went_unheeded(made: dict[str, Made]) -> None:
    """The page's WAN request fills in fields that exclude each other, and a placeholder."""
    assert "audio_url" in made["wan 2.7"].notes
    assert "video_url was not used" in made["wan 2.7"].notes


def check_webhooks(ids: set[str]) -> None:
    deadline = time.monotonic() + 10
    told: set[str] = set()
    while told != ids and time.monotonic() < deadline:
        told = {each["task_id"] for each in list(Website.posted) if each["status"] == "COMPLETED"}
        time.sleep(0.05)
    assert told == ids
    assert all(len(each["generated"]) == 1 for each in Website.posted if each["status"] == "COMPLETED")
