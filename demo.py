"""`make demo`: a server, real clients of four APIs, signed webhooks, and a look into every file that comes back.

Starts a server on a free loopback port with its data in a temporary directory, asks it for three clips and a picture
as strangers' clients would (plain HTTP, and Runway's own SDK), and holds what it gets against what was asked. The
files are left in demo/, or in the folder that is named. Exit status 1 when anything asked for was not honoured.
"""

import base64
import contextlib
import io
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import av
import httpx
from PIL import Image, ImageDraw, ImageFont
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text
from runwayml import RunwayML
from runwayml.types.task_retrieve_response import Succeeded
from standardwebhooks import Webhook

from mutoscope.model.config import VENDOR_KEYS
from mutoscope.studio.scene import paint

HERE = Path(__file__).resolve().parent
target = HERE / "demo"  # where the files are left; an argument changes it
PICTURE = (1600, 1000)
SCENE = "a mountain lake at dawn, pine forest, soft mist"
SEED = 7
MOVE = "the camera pushes in slowly over the lake"

START_SECONDS = 30.0
PATIENCE_SECONDS = 90.0
POLL_SECONDS = 0.5
WEBHOOK_SECONDS = 10.0
STOP_SECONDS = 15.0

console = Console(highlight=False, width=None if sys.stdout.isatty() else 140)


class Disappointment(Exception):
    """Something did not come back as it was asked for."""


# -- what is asked for ------------------------------------------------------------


@dataclass(frozen=True)
class Expected:
    """What the file must turn out to be. No fps: a picture."""

    width: int
    height: int
    fps: int | None = None
    seconds: float | None = None
    slack: float = 0.0  # share of a side that may be rounded off, where a tier and not a size is asked for


@dataclass
class Request:
    """One thing that is asked for, and what is known of it so far; the display reads it while it runs."""

    title: str
    file: str
    expected: Expected
    ask: Callable[["Request", "Place"], str]
    hooked: bool = True
    state: str = "waiting"
    engine: str = ""
    began: float = 0.0
    took: float = 0.0
    size: str = ""
    frames: str = ""
    faults: list[str] = field(default_factory=list[str])

    @property
    def path(self) -> Path:
        return target / self.file


@dataclass(frozen=True)
class Place:
    """Where things are while the demo runs."""

    server: str
    receiver: "Receiver"
    picture: bytes
    http: httpx.Client

    @property
    def picture_url(self) -> str:
        return f"{self.receiver.url}/lake.jpg"


def freepik(path: str, body: Callable[[Place], dict[str, Any]], request: Request, place: Place) -> str:
    """Submit by plain HTTP, read until it has ended; returns the link to the file."""
    at = f"{place.server}/v1/ai/{path}"
    webhook = f"{place.receiver.url}/hooks/{request.file}"
    answer = place.http.post(at, json=body(place) | {"webhook_url": webhook}, headers={"x-freepik-api-key": "demo"})
    if answer.status_code != 200:
        raise Disappointment(f"POST {path} answered {answer.status_code}: {answer.text[:300]}")
    task = answer.json()["data"]["task_id"]
    while time.monotonic() - request.began < PATIENCE_SECONDS:
        answer = place.http.get(f"{at}/{task}", headers={"x-freepik-api-key": "demo"})
        request.engine = answer.headers.get("x-mutoscope-engine", "")
        data = answer.json()["data"]
        request.state = data["status"]
        if data["status"] == "COMPLETED":
            return data["generated"][0]
        if data["status"] == "FAILED":
            raise Disappointment(f"the task failed: {data.get('error', 'no reason given')}")
        time.sleep(POLL_SECONDS)
    raise Disappointment(f"not done after {PATIENCE_SECONDS:g} s")


def runway_sdk(request: Request, place: Place) -> str:
    """Runway's own SDK, unchanged but for its base URL."""
    with RunwayML(api_key="demo", base_url=place.server) as client:
        created = client.image_to_video.create(
            model="gen4_turbo",
            prompt_image=place.picture_url,
            prompt_text="pan left along the shore",
            ratio="1280:720",
            duration=5,
            seed=SEED,
        )
        request.state = "waiting in the SDK"
        task = created.wait_for_task_output(timeout=PATIENCE_SECONDS)
        request.state = task.status
        raw = client.tasks.with_raw_response.retrieve(task.id)
        request.engine = raw.headers.get("x-mutoscope-engine", "")
        if not isinstance(task, Succeeded):
            raise Disappointment(f"the task ended as {task.status}")
        return task.output[0]


def wan(place: Place) -> dict[str, Any]:
    return {
        "prompt": MOVE,
        "start_image_url": place.picture_url,
        "resolution": "720P",
        "duration": 5,
        "seed": SEED,
    }


def runway_45(place: Place) -> dict[str, Any]:
    return {
        "prompt": "the camera rises above the forest",
        "image": base64.b64encode(place.picture).decode(),
        "ratio": "1280:720",
        "duration": 5,
        "seed": SEED,
    }


def picture_45(_place: Place) -> dict[str, Any]:
    return {"prompt": "a snowy mountain range under a starry night sky", "ratio": "1920:1080", "seed": SEED}


def in_shape(area: int) -> tuple[int, int]:
    """A size of this area in the shape of the picture that is sent, which WAN follows."""
    aspect = PICTURE[0] / PICTURE[1]
    return round((area * aspect) ** 0.5), round((area / aspect) ** 0.5)


def requests() -> list[Request]:
    return [
        Request(
            "Freepik Runway text to image, 1920:1080",
            "text-to-image.png",
            Expected(1920, 1080),
            partial(freepik, "text-to-image/runway", picture_45),
        ),
        Request(
            "Freepik WAN 2.7, 720P, 5 s",
            "wan-2-7.mp4",
            Expected(*in_shape(1280 * 720), fps=30, seconds=5, slack=0.02),
            partial(freepik, "image-to-video/wan-2-7", wan),
        ),
        Request(
            "Freepik Runway 4.5, 1280:720, 5 s",
            "runway-4-5.mp4",
            Expected(1280, 720, fps=24, seconds=5),
            partial(freepik, "image-to-video/runway-4-5", runway_45),
        ),
        Request(
            "Runway SDK gen4_turbo, 1280:720, 5 s",
            "gen4-turbo.mp4",
            Expected(1280, 720, fps=24, seconds=5),
            runway_sdk,
            hooked=False,
        ),
    ]


# -- our side: a picture to send, a receiver of webhooks ------------------------------


def draw_picture() -> bytes:
    """A JPEG that the demo painted itself."""
    file = io.BytesIO()
    Image.fromarray(paint(SCENE, *PICTURE, SEED).rgb).save(file, "JPEG", quality=92)
    return file.getvalue()


@dataclass(frozen=True)
class Message:
    path: str
    headers: dict[str, str]
    body: bytes


class Receiver:
    """A stranger's web server on loopback: serves the picture, keeps the webhooks that arrive."""

    def __init__(self, picture: bytes) -> None:
        self.messages: list[Message] = []
        self.arrived = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.answer(200 if self.path == "/lake.jpg" else 404, picture)

            def do_HEAD(self) -> None:
                self.do_GET()

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", "0")))
                headers = {name.lower(): value for name, value in self.headers.items()}
                with receiver.arrived:
                    receiver.messages.append(Message(self.path, headers, body))
                    receiver.arrived.notify_all()
                self.answer(204, b"")

            def answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("content-type", "image/jpeg")
                if status != 204:
                    self.send_header("content-length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD" and status != 204:
                    self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                """The table tells what matters."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def wait_for(self, path: str, status: str) -> bool:
        """Whether a message of this status has come to this path, or comes soon."""
        mark = f'"{status}"'.encode()

        def there() -> bool:
            return any(each.path == path and mark in each.body for each in self.messages)

        with self.arrived:
            return self.arrived.wait_for(there, WEBHOOK_SECONDS)

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


# -- the server -------------------------------------------------------------------


@contextlib.contextmanager
def serving(data: Path, *more: str) -> Generator[str]:
    """`mutoscope serve`, with `more` options, in a child process; its base URL. Ended with this, gracefully first."""
    log = data.with_suffix(".log")
    command = mutoscope("serve", "--port", "0", "--data", str(data), "--allow-private", *more)
    with log.open("w+") as file:
        child = subprocess.Popen(  # noqa: S603
            command, stdout=file, stderr=subprocess.STDOUT, cwd=data.parent, env=without_vendors_keys()
        )
        try:
            yield base_url(child, log)
        except BaseException:
            console.print(Text(f"The server's last words:\n{log.read_text()[-3000:]}", style="dim"))
            raise
        finally:
            stop(child)


def without_vendors_keys() -> dict[str, str]:
    """A key in the environment would make the vendor the engine; a demo spends no money."""
    return {name: value for name, value in os.environ.items() if name not in VENDOR_KEYS}


def mutoscope(*words: str) -> list[str]:
    return [sys.executable, "-m", "mutoscope", *words]


def base_url(child: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and child.poll() is None:
        if match := re.search(r"serves on (http://\S+)", log.read_text()):
            return match[1]
        time.sleep(0.05)
    raise Disappointment("the server did not start")


def stop(child: subprocess.Popen[bytes]) -> None:
    child.send_signal(signal.SIGTERM)
    try:
        child.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def webhook_secret(data: Path) -> str:
    words = mutoscope("webhooks", "secret", "--data", str(data))
    return subprocess.run(words, check=True, capture_output=True, text=True, cwd=data.parent).stdout.strip()  # noqa: S603


# -- one request, from asking to looking into the file -----------------------------------


def run(request: Request, place: Place) -> None:
    request.began, request.state = time.monotonic(), "asking"
    try:
        link = request.ask(request, place)
        request.took = time.monotonic() - request.began
        download(link, request.path, place)
        request.faults += look_into(request)
        request.state = "done"
    except Exception as error:
        request.took = time.monotonic() - request.began
        request.state = "failed"
        request.faults.append(str(error) if isinstance(error, Disappointment) else f"{type(error).__name__}: {error}")


def download(link: str, path: Path, place: Place) -> None:
    answer = place.http.get(link)
    if answer.status_code != 200:
        raise Disappointment(f"the file's link answered {answer.status_code}: {answer.text[:200]}")
    path.write_bytes(answer.content)


def look_into(request: Request) -> list[str]:
    """What is not as it was asked for."""
    if request.expected.fps is None:
        return look_into_picture(request)
    return look_into_clip(request, request.expected.fps, request.expected.seconds or 0.0)


def look_into_picture(request: Request) -> list[str]:
    with Image.open(request.path) as image:
        image.load()
        request.size = f"{image.width}x{image.height}"
        faults = size_faults(image.size, request.expected)
        if image.format != "PNG":
            faults.append(f"the file is {image.format}, not PNG")
    return faults


def look_into_clip(request: Request, fps: int, seconds: float) -> list[str]:
    with av.open(str(request.path)) as container:
        stream = container.streams.video[0]
        frames = sum(1 for _ in container.decode(stream))
        size, rate = (stream.width, stream.height), stream.average_rate
        lasts = float((stream.duration or 0) * (stream.time_base or 0))
        codec, pixels = stream.codec_context.name, stream.codec_context.pix_fmt
    request.size, request.frames = f"{size[0]}x{size[1]}", str(frames)
    faults = size_faults(size, request.expected)
    wanted = round(fps * seconds)
    for what, found, right in (
        ("frames", frames, wanted),
        ("frames a second", rate, fps),
        ("codec", codec, "h264"),
        ("pixel format", pixels, "yuv420p"),
    ):
        if found != right:
            faults.append(f"{what}: {found}, not {right}")
    if abs(lasts - seconds) > 0.5 / fps:
        faults.append(f"duration: {lasts:g} s, not {seconds:g} s")
    if not starts_fast(request.path):
        faults.append("the index is behind the frames: players must load the whole file first")
    return faults


def size_faults(size: tuple[int, int], expected: Expected) -> list[str]:
    asked = (expected.width, expected.height)
    if all(abs(side - wanted) <= wanted * expected.slack for side, wanted in zip(size, asked, strict=True)):
        return []
    return [f"size: {size[0]}x{size[1]}, not {asked[0]}x{asked[1]}"]


def starts_fast(path: Path) -> bool:
    """Whether the index (moov) stands before the frames (mdat)."""
    data = path.read_bytes()
    at = 0
    while at + 8 <= len(data):
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if kind in (b"moov", b"mdat"):
            return kind == b"moov"
        at += length if length >= 8 else len(data)
    return False


def check_webhooks(request: Request, receiver: Receiver, verifier: Webhook) -> int:
    """How many messages of this request came and could be verified."""
    path = f"/hooks/{request.file}"
    if not receiver.wait_for(path, "COMPLETED"):
        request.faults.append("no webhook told that it was done")
    verified = 0
    for message in [each for each in receiver.messages if each.path == path]:
        try:
            verifier.verify(message.body, message.headers)
            verified += 1
        except Exception as error:
            request.faults.append(f"a webhook cannot be verified: {type(error).__name__} {error}")
    return verified


# -- what is shown --------------------------------------------------------------------


def progress(wanted: list[Request]) -> Table:
    table = Table.grid(padding=(0, 2))
    now = time.monotonic()
    for each in wanted:
        elapsed = each.took or (now - each.began if each.began else 0.0)
        style = {"done": "green", "failed": "red"}.get(each.state, "cyan")
        table.add_row(each.title, Text(each.state, style=style), f"{elapsed:.0f} s")
    return table


def results(wanted: list[Request], verified: dict[str, int]) -> Table:
    table = Table("request", "engine", box=None, header_style="bold", pad_edge=False)
    for column in ("seconds", "size", "frames", "webhooks"):
        table.add_column(column, justify="right")
    table.add_column("file", overflow="fold")
    for each in wanted:
        style = "red" if each.faults else ""
        webhooks = f"{verified.get(each.file, 0)} verified" if each.hooked else "–"
        file = os.path.relpath(each.path) if each.path.exists() else "–"
        facts = (f"{each.took:.1f}", each.size, each.frames or "–", webhooks, file)
        table.add_row(each.title, each.engine, *facts, style=style)
    return table


SHEET_COLUMNS, CELL, GAP, CAPTION = 5, 384, 8, 30


def contact_sheet(wanted: list[Request], path: Path) -> None:
    """A row for each clip: frames from its start to its end, under its name."""
    rows = [(each.title, stills(each.path)) for each in wanted if each.expected.fps and each.path.exists()]
    if not rows:
        return
    height = sum(CAPTION + row[0].height + GAP for _, row in rows)
    sheet = Image.new("RGB", (SHEET_COLUMNS * (CELL + GAP) + GAP, height), "white")
    draw, top = ImageDraw.Draw(sheet), 0
    for title, row in rows:
        draw.text((GAP, top + GAP // 2), title, fill="black", font=ImageFont.load_default(18))
        for column, still in enumerate(row):
            sheet.paste(still, (GAP + column * (CELL + GAP), top + CAPTION))
        top += CAPTION + row[0].height + GAP
    sheet.save(path)


def stills(path: Path) -> list[Image.Image]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        last = max(stream.frames - 1, 1)
        wanted = {round(last * n / (SHEET_COLUMNS - 1)) for n in range(SHEET_COLUMNS)}
        frames = (frame for number, frame in enumerate(container.decode(stream)) if number in wanted)
        return [small(frame.to_image()) for frame in frames]  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]


def small(image: Image.Image) -> Image.Image:
    return image.resize((CELL, round(image.height * CELL / image.width)), Image.Resampling.LANCZOS)


# -- the whole ------------------------------------------------------------------------


def make_all(wanted: list[Request], place: Place) -> None:
    """All at once, as clients do; the server lines them up."""
    with ThreadPoolExecutor(len(wanted)) as pool, Live(progress(wanted), console=console, transient=True) as live:
        running: list[Future[None]] = [pool.submit(run, each, place) for each in wanted]
        while not all(each.done() for each in running):
            time.sleep(0.25)
            live.update(progress(wanted))


def main() -> int:
    began = time.monotonic()
    target.mkdir(exist_ok=True)
    wanted = requests()
    for each in wanted:
        each.path.unlink(missing_ok=True)
    picture = draw_picture()
    (target / "lake.jpg").write_bytes(picture)
    receiver = Receiver(picture)
    try:
        with tempfile.TemporaryDirectory(prefix="mutoscope-demo-") as folder:
            verified = play(wanted, Path(folder) / "data", receiver)
    finally:
        receiver.close()
    contact_sheet(wanted, target / "contact-sheet.png")
    console.print(results(wanted, verified))
    for each in wanted:
        for fault in each.faults:
            console.print(Text(f"NOT AS ASKED: {each.title}: {fault}", style="bold red"))
    sheet = os.path.relpath(target / "contact-sheet.png")
    console.print(f"{time.monotonic() - began:.0f} s in all. The clips side by side: {sheet}")
    return 1 if any(each.faults for each in wanted) else 0


def play(wanted: list[Request], data: Path, receiver: Receiver, *more: str) -> dict[str, int]:
    with serving(data, *more) as server, httpx.Client(timeout=30, trust_env=False) as http:
        place = Place(server, receiver, (target / "lake.jpg").read_bytes(), http)
        make_all(wanted, place)
        verifier = Webhook(webhook_secret(data))
        return {each.file: check_webhooks(each, receiver, verifier) for each in wanted if each.hooked}


def leave(sig: int, _frame: object) -> None:
    """Ended by a signal: unwind, so that the server does not outlive this."""
    sys.exit(128 + sig)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        target = Path(sys.argv[1]).absolute()
    signal.signal(signal.SIGTERM, leave)
    try:
        sys.exit(main())
    except Disappointment as error:
        console.print(Text(f"The demo failed: {error}", style="bold red"))
        sys.exit(1)
