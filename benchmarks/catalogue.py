"""Sends one valid body for each model of Freepik's catalogue and writes what came of it into docs/15-catalogue.md.

    python benchmarks/catalogue.py [--only WORD] [--out FILE]

A server with its data in a temporary directory is started in this process; the built-in renderer makes what it can, and
nothing leaves the machine. Each body has what must be there, and where there is a choice an upright shape, the smallest
tier and the shortest length. What is made is measured against what the body itself says.
"""

import argparse
import asyncio
import json
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import msgspec

from listing import picture
from mutoscope.app import App
from mutoscope.model.catalog import TIERS
from mutoscope.model.config import Settings
from mutoscope.model.job import Json, Operation
from mutoscope.telemetry import logs
from mutoscope.wirekit.ids import from_uuid4_form
from mutoscope.wires.freepik import catalogue
from mutoscope.wires.freepik.api import ENDPOINTS, ROOT
from mutoscope.wires.freepik.bodies import VENDOR
from mutoscope.wires.freepik.catalogue import Member

PAGE = Path(__file__).parent.parent / "docs" / "15-catalogue.md"
SECONDS = 900.0  # that one job may take
PICTURE = (640, 360)  # of the files that are sent
CLIP = "https://example.com/clip.mp4"  # where one is asked for, the request is refused before it is fetched
FRAME = 0.05  # seconds that a clip may be off: a frame
OTHERS: dict[str, Json] = {
    "image-to-video/runway-4-5": {"prompt": "", "ratio": "960:960", "duration": 5},
    "text-to-video/runway-4-5": {"prompt": "", "ratio": "720:1280", "duration": 5},
    "image-to-video/runway-gen4-turbo": {"ratio": "720:1280", "duration": 5},
    "text-to-image/runway": {"prompt": "", "ratio": "720:960"},
    "image-to-video/wan-2-7": {"resolution": "720P", "duration": 2},
    "text-to-video/wan-2-7": {"prompt": "", "aspect_ratio": "3:4", "resolution": "720P", "duration": 2},
}
"""Bodies of the models that have types of their own; the picture to start from is added."""
WORDS = "a lighthouse on a cliff at dusk, the waves roll in"
VIDEO = {
    Operation.TEXT_TO_VIDEO, Operation.IMAGE_TO_VIDEO, Operation.VIDEO_TO_VIDEO, Operation.CHARACTER_PERFORMANCE,
    Operation.LIP_SYNC, Operation.VIDEO_UPSCALE,
}  # fmt: skip
IMAGE = {
    Operation.TEXT_TO_IMAGE, Operation.IMAGE_TO_IMAGE, Operation.IMAGE_UPSCALE, Operation.IMAGE_OUTPAINT,
    Operation.IMAGE_INPAINT, Operation.BACKGROUND_REMOVAL,
}  # fmt: skip


class Found(NamedTuple):
    path: str
    kind: str  # video, picture, other
    asked: str
    came: str
    good: bool  # a file of what was asked for
    made: bool


# -- bodies --------------------------------------------------------------------------------


def body_of(members: tuple[Member, ...], file: str, one_of: tuple[str, ...] = ()) -> Json:
    """What must be there, words, and what says the size, the length and the number."""
    wanted = {"aspect_ratio", "ratio", "size", "resolution", "image_size", "image", "width", "height", "duration",
              "seed", "num_images", "right", "scale_factor"}  # fmt: skip
    chosen = next(iter(sorted(one_of, key=lambda name: name != "prompt")), "")
    said: Json = {}
    for each in members:
        is_picture = each.name == "image" and not each.type.members
        if each.required or each.name == chosen or (each.name in wanted and not is_picture):
            said[each.name] = value_of(each, file)
    return said


def value_of(member: Member, file: str) -> Any:
    name, type = member.name, member.type
    if type.members:
        inner = {each.name: value_of(each, file) for each in type.members if each.required or each.name in SIZED}
        return [inner] * (type.meta.get("min_length") or 1) if type.many else inner
    if name in catalogue.FILES or name in ("uri", "url", "frontal_image") or name.endswith("_url"):
        link = CLIP if name.startswith(("video", "audio")) else file
        return [link] * (type.meta.get("min_length") or 1) if type.many else link
    if type.values:
        return choice(name, type.values)
    if type.says in (int, float):
        least = type.least if type.least is not None else 0
        usual = {"width": 640, "height": 512, "seed": 7, "num_images": 2, "right": 128, "left": 64}
        return usual.get(name) or (max(least, 3) if name == "duration" and (type.most or 0) >= 3 else least)
    if type.says is bool:
        return False
    return {"language": "en", "scale_factor": "2", "name": "mine"}.get(name, WORDS)[: type.meta.get("max_length")]


SIZED = ("width", "height", "size")


def choice(name: str, values: tuple[Any, ...]) -> Any:
    """The shortest and the smallest; a shape that is upright, where there is one."""
    if name == "duration":
        return min(values, key=int)
    if name == "resolution":
        return min(values, key=tier_pixels)
    if name in ("aspect_ratio", "ratio", "size", "image_size"):
        return next((each for each in values if (shape := shape_in(each)) and 0.5 < shape < 0.8), values[-1])
    return values[0]


def tier_pixels(word: str) -> float:
    return TIERS.get(word.lower()) or {"low": 1e6, "medium": 1e6, "high": 1e6, "1440p": 1440, "2160p": 2160}[word]


def shape_in(word: str) -> float | None:
    """Width by height of what a word ends with: portrait_2_3, 720:1280, 832*1088."""
    match = re.search(r"(\d+)[_:*](\d+)$", word)
    return int(match[1]) / int(match[2]) if match else None


# -- what came of it -----------------------------------------------------------------------


def wrong(path: str, body: Json, made: list[Any]) -> Iterator[str]:
    """How what was made is not what the body says."""
    count = body.get("num_images", 1)
    if len(made) != count:
        yield f"{len(made)} files in the place of {count}"
    for each in made[:1]:
        yield from wrong_size(path, body, each.width or 0, each.height or 0)
        length = body.get("duration")
        if length is not None and abs((each.seconds or 0.0) - float(length)) > FRAME:
            yield f"{each.seconds} s in the place of {length} s"


def wrong_size(path: str, body: Json, width: int, height: int) -> Iterator[str]:
    wanted = pixels_in(body)
    if wanted and (width, height) != wanted:
        yield f"{width}×{height} in the place of {wanted[0]}×{wanted[1]}"
    inner = body.get("image")
    word = body.get("aspect_ratio") or (inner.get("size") if isinstance(inner, dict) else "")
    if (shape := shape_in(word or "")) and abs(width / height / shape - 1) > 0.01:
        yield f"{width}×{height} is not {word}"
    in_path = re.search(r"-(\d+p)\b", path)
    tier = str(body.get("resolution") or (in_path[1] if in_path else "")).lower()
    square = path == "mystic" or path.startswith("text-to-image")
    area = SQUARES.get(tier) if square else area_of(tier)
    if area and abs(width * height / area - 1) > 0.03:
        yield f"{width}×{height} is not {tier}"


SQUARES = {"1k": 1024**2, "2k": 2048**2, "4k": 4096**2}


def area_of(tier: str) -> float | None:
    side = TIERS.get({"1440p": "2k", "2160p": "4k"}.get(tier, tier))
    return side**2 * 16 / 9 if side else None


def pixels_in(body: Json) -> tuple[int, int] | None:
    """The pixels that a body says in so many words."""
    if match := re.fullmatch(r"(\d{3,})[:*](\d{3,})", body.get("ratio") or body.get("size") or ""):
        return int(match[1]), int(match[2])
    named = body.get("image_size")
    if isinstance(named, str):
        return catalogue.NAMED_SIZES[named]
    size = named or body
    if "width" in size:
        return size["width"], size["height"]
    if "scale_factor" in body:
        factor = int(str(body["scale_factor"]).removesuffix("x"))
        return PICTURE[0] * factor, PICTURE[1] * factor
    if "right" not in body:
        return None
    across, down = ("left", "right"), ("top", "bottom")
    return PICTURE[0] + sum(body.get(side, 0) for side in across), PICTURE[1] + sum(body.get(side, 0) for side in down)


async def sent(app: App, client: httpx.AsyncClient, path: str, body: Json, kind: str) -> Found:
    asked = ", ".join(f"{name} {value}" for name, value in body.items() if name in
                      ("aspect_ratio", "ratio", "size", "resolution", "image_size", "duration", "num_images", "width",
                       "height", "left", "right", "scale_factor"))  # fmt: skip
    asked = asked.replace("{", "").replace("}", "").replace("'", "")
    form = path == "beta/remove-background"
    content: Json = {"data": body} if form else {"json": body}
    answer = await client.post(ROOT + path, **content, timeout=SECONDS)
    told = answer.json()
    if answer.status_code not in (200, 202):
        reasons = [each["reason"] for each in told.get("invalid_params", ())]
        return Found(
            path, kind, asked, "refused: " + short("; ".join(reasons or [told["message"]])), good=False, made=False
        )
    public = (told.get("data") if isinstance(told.get("data"), dict) else told)["task_id"]
    id = job_id(public)
    job = None
    async for job in app.gateway.watch(id):
        if job.state.final:
            break
    assert job
    if job.failure:
        return Found(path, kind, asked, f"failed: {job.failure.message}", good=False, made=False)
    faults = list(wrong(path, body, list(job.outputs)))
    first = job.outputs[0]
    size = f"{first.width}×{first.height}" if first.width else (first.text or "")[:60]
    length = f"{first.seconds:.4g} s" if first.seconds else ""
    number = f"{len(job.outputs)} of them" if len(job.outputs) > 1 else ""
    came = ", ".join(filter(None, (first.media_type, size, length, number)))
    return Found(path, kind, asked, "; ".join([came, *faults]), good=not faults, made=True)


def short(reason: str) -> str:
    """Without the list of what the engine does make."""
    return re.sub(r": engine '\w+' does .*", ".", reason)


def job_id(public: str) -> str:
    id = from_uuid4_form(public)
    assert id
    return id


async def uploaded(client: httpx.AsyncClient) -> str:
    """A link to a picture that was sent ahead."""
    [slot] = (await client.post(f"{ROOT}uploads/request-url", json={"files": [{"content_type": "image/png"}]})).json()[
        "files"
    ]
    await client.put(slot["upload_url"], content=picture(), headers=slot["headers"])
    return slot["asset_url"]


async def all_found(only: str) -> list[Found]:
    sold = {path: each for each in catalogue.TABLE for path in each.paths}
    found: list[Found] = []
    with tempfile.TemporaryDirectory() as data:
        settings = msgspec.convert({"net": {"allow_private": True}}, Settings)
        app = App(settings, data=Path(data))
        transport = httpx.ASGITransport(app.server)
        async with app.running(), httpx.AsyncClient(transport=transport, base_url="http://catalogue.test") as client:
            file = await uploaded(client)
            for endpoint in ENDPOINTS:
                path = endpoint.at
                if only not in path:
                    continue
                made = set(endpoint.makes.values())
                kind = "video" if made & VIDEO or path.startswith("video/") else "picture" if made & IMAGE else "other"
                if each := sold.get(path):
                    members = catalogue.members_of(catalogue.body_of(each), catalogue.name_of(each.paths[0]))
                    body = body_of(members, file, each.one_of)
                else:
                    start = {"image-to-video/wan-2-7": "start_image_url"}.get(path, "image")
                    more = {"prompt": WORDS} if "prompt" in OTHERS[path] else {}
                    body = OTHERS[path] | more | ({start: file} if path.startswith("image-to") else {})
                begun = time.monotonic()
                found.append(await sent(app, client, path, body, kind))
                print(f"{time.monotonic() - begun:6.1f} s  {found[-1].path}  {found[-1].came}", file=sys.stderr)
    return found


# -- the page ------------------------------------------------------------------------------

HEAD = """\
# Freepik's catalogue on the built-in renderer

Generated by `python benchmarks/catalogue.py`; do not edit. Each of {vendor}'s {all} models was sent one valid body, and
what was made was measured against what the body says: pixels, shape, tier, seconds, number. Of {clips} that make a
video {made_clips} were made so, of {pictures} that make a picture {made_pictures}: {share} %. The others are refused,
with the reason that stands here. What an account of {vendor}'s makes of the same bodies is its own affair.
"""


def page(found: list[Found]) -> str:
    counted = {kind: [each for each in found if each.kind == kind] for kind in ("video", "picture", "other")}
    good = {kind: sum(each.good for each in those) for kind, those in counted.items()}
    clips, pictures = len(counted["video"]), len(counted["picture"])
    share = round(100 * (good["video"] + good["picture"]) / max(1, clips + pictures))
    text = HEAD.format(vendor=VENDOR, all=len(found), clips=clips, pictures=pictures, made_clips=good["video"],
                       made_pictures=good["picture"], share=share)  # fmt: skip
    for kind, title in (("video", "Videos"), ("picture", "Pictures"), ("other", "Sound, words, LoRAs")):
        text += f"\n## {title}\n\n| path below `/v1/ai/` | asked | came |\n| --- | --- | --- |\n"
        for each in counted[kind]:
            cells = (f"`{each.path}`", each.asked or "–", each.came.replace("|", "\\|"))
            text += f"| {' | '.join(cells)} |\n"
    return text


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", default="", help="paths with this word in them")
    parser.add_argument("--out", type=Path, default=PAGE)
    asked = parser.parse_args()
    logs.configure("error")
    found = asyncio.run(all_found(asked.only))
    asked.out.write_text(page(found))
    print(json.dumps({"models": len(found), "good": sum(each.good for each in found)}))


if __name__ == "__main__":
    main()
