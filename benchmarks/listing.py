"""Sends one request for each line of the vendors' list, by its reseller's path, and prints what came of it.

    python benchmarks/listing.py [--rehearse] [--only WORD] [--weights FOLDER]

A server with its data in a temporary directory is started in this process; nothing leaves the machine. With --rehearse
the scripted engine makes everything at once; without, the built-in renderer makes what it can, and trained models where
their folder is named. A line is answered where a client gets a 2xx and whatever job it began ended well, refused where it
gets words that say what cannot be made here, "not yet" where no wire has its path, BROKEN otherwise.
"""

# ruff: noqa: E501  (a line of the table is a line of the list)

import argparse
import asyncio
import base64
import io
import json
import sys
import tempfile
import time
import wave
import zipfile
from collections.abc import MutableMapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from PIL import Image

from mutoscope.app import App
from mutoscope.model import config
from mutoscope.model.job import Job, State
from mutoscope.telemetry import logs
from mutoscope.web.server import Server

SECONDS = 180.0  # that one job may take
SOCKET = "WebSocket"  # in place of a method; the body is what is said
RUNWAY = (("x-runway-version", "2024-11-06"),)


class Line(NamedTuple):
    """A line of the list. `{name}` in path or body is the id that the line `name` was answered with, or a link to a file
    that the server has."""

    group: str
    name: str
    method: str
    path: str
    body: Any = None
    form: dict[str, Any] | None = None  # texts, and names of FILES
    id: str = ""  # where the answer has the id: a dotted path
    key: str = ""  # by which later lines know it
    headers: tuple[tuple[str, str], ...] = ()


def picture() -> bytes:
    file = io.BytesIO()
    gradient = Image.linear_gradient("L").resize((640, 360))
    Image.merge("RGB", (gradient, gradient.rotate(180), gradient.transpose(Image.Transpose.FLIP_LEFT_RIGHT))).save(
        file, "PNG"
    )
    return file.getvalue()


def sound() -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(16_000)
        writer.writeframes(bytes(32_000))
    return file.getvalue()


def archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as writer:
        for name in ("a.png", "b.png"):
            writer.writestr(name, PICTURE)
    return file.getvalue()


PICTURE, SOUND = picture(), sound()
INLINE = "data:image/png;base64," + base64.b64encode(PICTURE).decode()
FILES = {"@picture": ("a.png", PICTURE, "image/png"), "@sound": ("a.wav", SOUND, "audio/wav")}
CHAT = {"model": "gpt-5.2", "messages": [{"role": "user", "content": "hello"}]}
SEEING = {
    "role": "user",
    "content": [{"type": "text", "text": "?"}, {"type": "image_url", "image_url": {"url": INLINE}}],
}
LAKE = "a lake between mountains at dawn"
MJ, SUNO, KLING, IDEO = "/mj/submit/", "/suno/", "/kling/v1/", "/ideogram/"

# fmt: off
LINES: tuple[Line, ...] = (
    Line("Chat", "Create chat completion", "POST", "/v1/chat/completions", CHAT),
    Line("Chat", "vision", "POST", "/v1/chat/completions", CHAT | {"messages": [SEEING]}),
    Line("Chat", "OpenAI-Realtime", SOCKET, "/v1/realtime?model=gpt-realtime",
         {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hello"}]}),
    Line("Chat", "Completions, Instruct", "POST", "/v1/completions", {"model": "gpt-3.5-turbo-instruct", "prompt": "hello"}),
    Line("Chat", "Audio, Transcriptions", "POST", "/v1/audio/transcriptions", form={"model": "whisper-1", "file": "@sound"}),
    Line("Chat", "Audio, Translations", "POST", "/v1/audio/translations", form={"model": "whisper-1", "file": "@sound"}),
    Line("Chat", "Audio, Speech", "POST", "/v1/audio/speech", {"model": "tts-1", "input": "hello", "voice": "alloy"}),
    Line("Chat", "Image generation, DALL·E 3", "POST", "/v1/images/generations", {"model": "dall-e-3", "prompt": LAKE}),
    Line("Chat", "Embeddings, Create", "POST", "/v1/embeddings", {"model": "text-embedding-3-small", "input": "hello"}),
    Line("Chat", "Models, list", "GET", "/v1/models"),
    Line("Anthropic", "Claude", "POST", "/v1/messages", CHAT | {"model": "claude-opus-4-5", "max_tokens": 64},
         headers=(("anthropic-version", "2023-06-01"),)),
    Line("Suno", "Generate music", "POST", SUNO + "submit/music", {"gpt_description_prompt": "calm piano", "mv": "chirp-v4"},
         id="data", key="suno"),
    Line("Suno", "Generate lyrics", "POST", SUNO + "submit/lyrics", {"prompt": "a song of the sea"}, id="data"),
    Line("Suno", "Upload music", "POST", SUNO + "uploads/audio-url", {"url": "{sound_link}"}),
    Line("Suno", "Fetch task", "GET", SUNO + "fetch/{suno}", id="data.data.0.id", key="clip"),
    Line("Suno", "Music concat", "POST", SUNO + "submit/concat", {"clip_id": "{clip}", "is_infill": False}),
    Line("Suno", "Fetch batch tasks", "POST", SUNO + "fetch", {"ids": ["{suno}"], "action": "MUSIC"}),
    Line("Udio", "Generate music", "POST", "/udio/submit/music", {"prompt": "calm piano"}, id="data", key="udio"),
    Line("Udio", "Fetch task", "GET", "/udio/fetch/{udio}"),
    Line("Midjourney", "Imagine", "POST", MJ + "imagine", {"prompt": LAKE}, id="result", key="mj"),
    Line("Midjourney", "Fetch task by id", "GET", "/mj/task/{mj}/fetch", id="buttons.5.customId", key="button"),
    Line("Midjourney", "Action", "POST", MJ + "action", {"customId": "{button}", "taskId": "{mj}", "enableRemix": True}, id="result", key="dialog"),
    Line("Midjourney", "Modal", "POST", MJ + "modal", {"taskId": "{dialog}", "prompt": LAKE}),
    Line("Midjourney", "Blend", "POST", MJ + "blend", {"base64Array": [INLINE, INLINE], "dimensions": "SQUARE"}),
    Line("Midjourney", "Describe", "POST", MJ + "describe", {"base64": INLINE}),
    Line("Midjourney", "Shorten", "POST", MJ + "shorten", {"prompt": LAKE}),
    Line("Midjourney", "Upload discord", "POST", MJ + "upload-discord-images", {"base64Array": [INLINE]}),
    Line("Midjourney", "Fetch task by ids", "POST", "/mj/task/list-by-condition", {"ids": ["{mj}"]}),
    Line("Midjourney", "Get seed", "GET", "/mj/task/{mj}/image-seed"),
    Line("Flux", "Official, Generate", "POST", "/flux/v1/flux-pro-1.1", {"prompt": LAKE, "width": 512, "height": 512}, id="id", key="flux"),
    Line("Flux", "Official, Finetune", "POST", "/flux/v1/finetune",
         {"file_data": base64.b64encode(archive()).decode(), "finetune_comment": "x", "trigger_word": "TOK", "mode": "general"}),
    Line("Flux", "Official, Fetch task", "GET", "/flux/v1/get_result?id={flux}"),
    Line("Flux", "OpenAI Dalle3", "POST", "/v1/images/generations", {"model": "flux-pro-1.1", "prompt": LAKE}),
    Line("Recraft", "Official, Generate Image", "POST", "/recraft/v1/images/generations", {"prompt": LAKE}),
    Line("Recraft", "Official, Vectorize Image", "POST", "/recraft/v1/images/vectorize", form={"file": "@picture"}),
    Line("Recraft", "Official, Remove Background", "POST", "/recraft/v1/images/removeBackground", form={"file": "@picture"}),
    Line("Recraft", "Official, Clarity Upscale", "POST", "/recraft/v1/images/clarityUpscale", form={"file": "@picture"}),
    Line("Recraft", "Official, Generative Upscale", "POST", "/recraft/v1/images/generativeUpscale", form={"file": "@picture"}),
    Line("Recraft", "Official, Create style", "POST", "/recraft/v1/styles", form={"style": "digital_illustration", "file": "@picture"}),
    Line("Recraft", "OpenAI Dalle3", "POST", "/v1/images/generations", {"model": "recraftv3", "prompt": LAKE}),
    Line("Ideogram", "Generate", "POST", IDEO + "generate", {"image_request": {"prompt": LAKE}}),
    Line("Ideogram", "Remix", "POST", IDEO + "remix",
         form={"image_request": json.dumps({"prompt": LAKE}), "image_file": "@picture"}),
    Line("Ideogram", "Edit", "POST", IDEO + "edit",
         form={"prompt": LAKE, "model": "V_2", "image_file": "@picture", "mask": "@picture"}),
    Line("Ideogram", "Upscale", "POST", IDEO + "upscale", form={"image_request": "{}", "image_file": "@picture"}),
    Line("Ideogram", "Describe", "POST", IDEO + "describe", form={"image_file": "@picture"}),
    Line("Luma", "Official, Generate", "POST", "/luma/dream-machine/v1/generations", {"prompt": LAKE, "model": "ray-2"},
         id="id", key="luma"),
    Line("Luma", "Official, Fetch task", "GET", "/luma/dream-machine/v1/generations/{luma}"),
    Line("Luma", "Own format, Generate", "POST", "/luma/generations", {"user_prompt": LAKE}, id="id", key="own"),
    Line("Luma", "Own format, Get video of no mark", "GET", "/luma/generations/{own}/download_video_url"),
    Line("Luma", "Own format, extend", "POST", "/luma/generations/{own}/extend", {"user_prompt": LAKE}),
    Line("Luma", "Own format, Get task", "GET", "/luma/generations/{own}"),
    Line("Luma", "Own format, Get batch task", "POST", "/luma/tasks", {"ids": ["{own}"]}),
    Line("Runway", "Official, image to video", "POST", "/runwayml/v1/image_to_video",
         {"model": "gen4_turbo", "promptImage": INLINE, "promptText": LAKE, "ratio": "1280:720", "duration": 5},
         headers=RUNWAY, id="id", key="runway"),
    Line("Runway", "Official, get task", "GET", "/runwayml/v1/tasks/{runway}", headers=RUNWAY),
    Line("Runway", "reverse, text to video", "POST", "/runway/pro/generate",
         {"model": "gen3", "prompt": LAKE, "options": {"seconds": 5}}, id="data.task_id", key="reverse"),
    Line("Runway", "reverse, image to video", "POST", "/runway/pro/generate",
         {"model": "gen3", "image": "{picture_link}", "prompt": LAKE, "options": {"seconds": 5}}),
    Line("Runway", "reverse, video2video", "POST", "/runway/pro/video2video",
         {"model": "gen3", "video": "{clip_link}", "prompt": LAKE, "options": {"seconds": 5}}),
    Line("Runway", "reverse, Act-one", "POST", "/runway/pro/act_one",
         {"video": "{clip_link}", "image": "{picture_link}"}),
    Line("Runway", "reverse, Get task", "POST", "/runway/feed", {"task_id": "{reverse}"}),
    Line("Kling", "Generate image", "POST", KLING + "images/generations", {"model_name": "kling-v1", "prompt": LAKE}),
    Line("Kling", "Text 2 Video, Callback", "POST", KLING + "videos/text2video",
         {"model_name": "kling-v1", "prompt": LAKE, "duration": "5"}, id="data.task_id", key="kling"),
    Line("Kling", "Image 2 Video", "POST", KLING + "videos/image2video",
         {"model_name": "kling-v1", "image": base64.b64encode(PICTURE).decode(), "prompt": LAKE, "duration": "5"}),
    Line("Kling", "Get task", "GET", KLING + "videos/text2video/{kling}", id="data.task_result.videos.0.id", key="video"),
    Line("Kling", "Video extend", "POST", KLING + "videos/video-extend", {"video_id": "{video}", "prompt": LAKE}),
    Line("Kling", "lip-sync", "POST", KLING + "videos/lip-sync",
         {"input": {"video_id": "{video}", "mode": "text2video", "text": "hello", "voice_id": "genshin_vindi2", "voice_language": "en"}}),
    Line("Kling", "kolors-virtual-try-on", "POST", KLING + "images/kolors-virtual-try-on",
         {"model_name": "kolors-virtual-try-on-v1", "human_image": INLINE.partition(",")[2], "cloth_image": INLINE.partition(",")[2]}),
    Line("Replicate", "Generate", "POST", "/replicate/v1/models/black-forest-labs/flux-schnell/predictions",
         {"input": {"prompt": LAKE}}, id="id", key="replicate"),
    Line("Replicate", "Get", "GET", "/replicate/v1/predictions/{replicate}"),
    Line("MiniMax", "Generate video", "POST", "/minimax/v1/video_generation", {"model": "MiniMax-Hailuo-02", "prompt": LAKE},
         id="task_id", key="minimax"),
    Line("MiniMax", "Get task", "GET", "/minimax/v1/query/video_generation?task_id={minimax}", id="file_id", key="file"),
    Line("MiniMax", "Get file", "GET", "/minimax/v1/files/retrieve?file_id={file}"),
)
# fmt: on


class Outcome(NamedTuple):
    line: Line
    status: int
    engine: str
    told: str  # the reason of a refusal, or the beginning of the answer
    made: str = ""  # the files of the jobs that the line began
    broken: str = ""

    @property
    def word(self) -> str:
        if self.status == 404 and "there is no " in self.told.lower() and " on this server" in self.told:
            return "not yet"
        if self.broken or self.status >= 500:
            return "BROKEN"
        return "answered" if self.status < 300 else "refused"


def filled(value: Any, ids: dict[str, str]) -> Any:
    match value:
        case str():
            for name, id in ids.items():
                value = value.replace("{" + name + "}", id)
            return value
        case dict():
            return {name: filled(each, ids) for name, each in value.items()}
        case list():
            return [filled(each, ids) for each in value]
        case _:
            return value


def at(value: Any, path: str) -> Any:
    for step in path.split("."):
        if isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


async def converse(server: Server, line: Line) -> Outcome:
    """One turn over a WebSocket, spoken to the application itself."""
    path, _, query = line.path.partition("?")
    events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    said = [{"type": "conversation.item.create", "item": line.body}, {"type": "response.create"}]
    for event in ({"type": "websocket.connect"}, *({"type": "websocket.receive", "text": json.dumps(e)} for e in said)):
        events.put_nowait(event)
    told: dict[str, Any] = {"status": 101, "engine": "", "text": ""}

    async def heard(message: MutableMapping[str, Any]) -> None:
        match message["type"]:
            case "websocket.accept":
                told["engine"] = dict(message["headers"]).get(b"x-mutoscope-engine", b"").decode()
            case "websocket.http.response.start":
                told["status"] = message["status"]
            case "websocket.http.response.body":
                told["text"] = message["body"].decode()
            case "websocket.send":
                event = json.loads(message["text"])
                if event["type"] in ("response.done", "error"):
                    told["text"] = (
                        event["response"]["output"][0]["content"][0]["text"] if "response" in event else str(event)
                    )
                    events.put_nowait({"type": "websocket.disconnect", "code": 1000})
            case _:
                pass

    headers = [(b"host", b"gateway.test"), (b"authorization", b"Bearer any")]
    scope = {"type": "websocket", "scheme": "ws", "path": path, "query_string": query.encode(), "headers": headers}
    async with asyncio.timeout(SECONDS):
        await server(scope | {"subprotocols": [], "client": ("127.0.0.1", 1)}, events.get, heard)
    return Outcome(line, told["status"], told["engine"], told["text"])


async def send(client: httpx.AsyncClient, line: Line, ids: dict[str, str]) -> Outcome:
    asked: dict[str, Any] = {"headers": {"authorization": "Bearer any", **dict(line.headers)}}
    if line.form is not None:
        asked["files"] = {name: FILES.get(text, (None, text)) for name, text in line.form.items()}
    elif line.body is not None:
        asked["json"] = filled(line.body, ids)
    response = await client.request(line.method, filled(line.path, ids), **asked)
    is_json = "json" in response.headers.get("content-type", "")
    text = response.text.replace("\n", " ") if is_json else f"{len(response.content)} bytes"
    outcome = Outcome(line, response.status_code, response.headers.get("x-mutoscope-engine", ""), text)
    answer = response.json() if is_json else None
    if at(answer, "base_resp.status_code"):  # MiniMax tells of what went wrong with 200
        return outcome._replace(status=400)
    if line.key and response.is_success:
        id = at(answer, line.id)
        if id is None:
            return outcome._replace(broken=f"nothing at {line.id}")
        ids[line.key] = str(id)
    return outcome


async def ended(app: App, known: set[str]) -> list[Job]:
    """Wait for the jobs that are not known yet, and return them. One that waits for what its dialog asks is cancelled
    until then."""
    until = time.monotonic() + SECONDS
    while any(job.finished is None for job in await app.gateway.store.recent(limit=20)) and time.monotonic() < until:
        await asyncio.sleep(0.1)
    jobs = await app.gateway.store.recent(limit=20)
    fresh = [job for job in jobs if job.id not in known and job.state is not State.CANCELED]
    known |= {job.id for job in fresh}
    return fresh


async def walk(*, rehearsal: bool, only: str = "", weights: str = "") -> list[Outcome]:
    with tempfile.TemporaryDirectory() as folder:
        settings = config.Settings(
            server=config.Server(data=folder), limits=config.Limits(), weights=config.Weights(folder=weights)
        )
        app = App(settings, data=Path(folder) / "data", rehearsal=rehearsal)
        transport = httpx.ASGITransport(app.server)
        async with (
            app.running(),
            httpx.AsyncClient(transport=transport, base_url="http://gateway.test", timeout=SECONDS) as client,
        ):
            link = partial(app.assets.link, base="http://gateway.test", seconds=3600, now=time.time())
            ids = {
                "picture_link": link(await app.assets.put(PICTURE, "image/png")),
                "sound_link": link(await app.assets.put(SOUND, "audio/wav")),
            }
            _ = await ended(app, known := set[str]())  # what a rehearsal begins with
            outcomes: list[Outcome] = []
            for line in LINES:
                if only.lower() not in f"{line.group} {line.name}".lower():
                    continue
                told = await (converse(app.server, line) if line.method == SOCKET else send(client, line, ids))
                jobs = await ended(app, known)
                files = [file for job in jobs for file in job.outputs]
                for each in files:
                    if each.media_type == "video/mp4":
                        ids["clip_link"] = link(each.asset)
                wrong = [str(job.failure or job.state) for job in jobs if job.state is not State.SUCCEEDED]
                made = ", ".join(each.media_type or "words" for each in files)
                outcomes.append(told._replace(made=made, broken=told.broken or "; ".join(wrong)))
            return outcomes


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rehearse", action="store_true", help="the scripted engine makes everything")
    parser.add_argument("--only", default="", metavar="WORD", help="lines whose group or name has this")
    parser.add_argument("--weights", default="", metavar="FOLDER", help="where trained models were fetched to")
    options = parser.parse_args()
    logs.configure("error")
    outcomes = asyncio.run(walk(rehearsal=options.rehearse, only=options.only, weights=options.weights))
    for each in outcomes:
        line = each.line
        told = each.broken or each.made or each.told
        print(f"{each.word:<9}{each.status:<5}{each.engine:<8}{line.group:<11}{line.name:<34}{told[:110]}")
    count = {word: sum(each.word == word for each in outcomes) for word in ("answered", "refused", "not yet", "BROKEN")}
    print(f"{len(outcomes)} lines: " + ", ".join(f"{number} {word}" for word, number in count.items()))
    return int(count["BROKEN"] > 0)


if __name__ == "__main__":
    sys.exit(main())
