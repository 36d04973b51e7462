"""Freepik's catalogue: every row in a few loops, and what answers otherwise than the rest.

`python tests/wires/test_freepik_catalogue.py` writes freepik_catalogue.txt anew, once a change of the rows is meant.
"""

import base64
import hashlib
import io
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_origin

import msgspec
import pytest
from msgspec.structs import replace
from PIL import Image

from mutoscope.model import catalog
from mutoscope.model.catalog import Catalog
from mutoscope.model.http import HttpRequest, HttpResponse, json_response
from mutoscope.model.job import Generation, Json, Operation, State, Update
from mutoscope.model.problem import Problem, Rule
from mutoscope.model.requests import Submission
from mutoscope.wirekit import task as kit
from mutoscope.wirekit.back import Conversation, VendorRequest
from mutoscope.wirekit.body import bare
from mutoscope.wirekit.routes import Create, Read
from mutoscope.wires import ROWS
from mutoscope.wires.freepik import api as freepik
from mutoscope.wires.freepik.catalogue import FILES, Member, Type, body_of, members_of, name_of
from mutoscope.wires.freepik.models import TABLE, Sold

Start = Callable[..., AbstractAsyncContextManager]
DIGESTS = Path(__file__).with_name("freepik_catalogue.txt")
CATALOG = Catalog(ROWS)
CREATES = {route.path.removeprefix(freepik.ROOT): route for route in freepik.WIRE.routes if isinstance(route, Create)}
PICTURE, LINK = "https://media.example.net/in/fox.png", "https://media.example.net/out/fox.png"
UUID = "01890a5d-ac96-474b-bcce-b302099a8057"


# -- the rows ------------------------------------------------------------------------------


def digests() -> str:
    """A line for each row: its path, what stands in its body, and a digest of its fields, bounds and defaults."""
    lines: list[str] = []
    for endpoint in freepik.API.endpoints:
        names = bare(endpoint.body).__struct_fields__
        model = CATALOG.named("freepik", endpoint.at)
        told = {
            "body": msgspec.json.schema(endpoint.body),
            "read": endpoint.shown or endpoint.at,
            "makes": {str(role): made for role, made in endpoint.makes.items()},
            "says": endpoint.says,
            "idle": endpoint.idle,
            "defaults": model.defaults,
            "most": model.max_seconds,
            "sizes": model.sizes,
        }
        sold = next((each for each in TABLE if endpoint.at in each.paths), None)
        told |= {name: rule for name in RULES if sold and (rule := getattr(sold, name))}
        digest = hashlib.sha256(msgspec.json.encode(told, order="sorted")).hexdigest()[:16]
        lines.append(f"{endpoint.at} {','.join(names)} {digest}\n")
    return "".join(sorted(lines))


RULES = ("one_of", "apart", "never", "needs", "narrows", "together", "lasting", "limits", "limits_by")


def test_no_row_changes_unseen() -> None:
    assert digests().splitlines() == DIGESTS.read_text().splitlines()


def test_all_creates_of_the_vendor_are_here() -> None:
    """153: these, and the rendering of an icon, which makes nothing."""
    assert len(CREATES) == 152
    assert any(route.at == "POST /v1/ai/text-to-icon/{id}/render/{format}" for route in freepik.WIRE.routes)
    clips = [path for path in CREATES if path.split("/")[0] in CLIP_PATHS or path.startswith("video-upscaler")]
    assert len(clips) == 101


CLIP_PATHS = {"image-to-video", "text-to-video", "reference-to-video", "video-edit", "video", "lip-sync"}


def rows() -> Iterator[tuple[Sold, str, tuple[Member, ...]]]:
    for sold in TABLE:
        for path in sold.paths:
            yield sold, path, members_of(body_of(sold), name_of(sold.paths[0]))


def full(members: tuple[Member, ...], *, required: bool = False) -> Json:
    return {each.name: good(each) for each in members if each.required or not required}


def good(member: Member) -> Any:
    """A value that fits, at the upper end where there is one."""
    name, type = member.name, member.type
    if type.members:
        return [full(type.members)] * least_items(type) if type.many else full(type.members)
    if type.many:
        return [PICTURE] * least_items(type)
    if type.values:
        return type.values[-1]
    if type.says in (int, float):
        return type.most if type.most is not None else 7
    if type.says is bool:
        return True
    if name in FILES or name == "uri" or "url" in name or name == "frontal_image":
        return PICTURE
    odd = {"color": "#AABBCC", "color_hex": "#AABBCC", "language": "en", "scale_factor": 3}
    return odd.get(name, "x" * max(3, type.meta.get("min_length") or 0))


def least_items(type: Type) -> int:
    return type.meta.get("min_length") or 1


def bad(type: Type) -> Iterator[tuple[Any, Rule]]:
    """Values beyond each bound."""
    meta = type.meta
    if type.members and not type.many:
        yield 5, Rule.TYPE
    elif type.many:
        yield "no list", Rule.TYPE
        if "max_length" in meta:
            yield [None] * (meta["max_length"] + 1), Rule.MAX_ITEMS
        if "min_length" in meta:
            yield [], Rule.MIN_ITEMS
    elif type.values:
        yield "no such value", Rule.CHOICE
    elif type.says in (int, float):
        yield "no number", Rule.TYPE
        if type.least is not None:
            yield type.least - 1, Rule.MINIMUM
        if type.most is not None:
            yield type.most + 1, Rule.MAXIMUM
    elif type.says is bool:
        yield 5, Rule.TYPE
    elif get_origin(type.says) in (Union, UnionType):
        yield {}, Rule.TYPE
    else:
        yield 5, Rule.TYPE
        if "max_length" in meta:
            yield "x" * (meta["max_length"] + 1), Rule.MAX_LENGTH
        if meta.get("min_length"):
            yield "x" * (meta["min_length"] - 1), Rule.MIN_LENGTH
        if "pattern" in meta:
            yield "$", Rule.PATTERN


def parse(path: str, body: Any, **params: str) -> Submission:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return CREATES[path].parse(HttpRequest(method="POST", path=freepik.ROOT + path, body=data, params=params))


def test_every_row_reads_its_bodies_and_says_the_same_behind() -> None:
    """The fullest body and the least: what arrives at the vendor is what was sent."""
    for sold, path, members in rows():
        one = next((each for each in members if each.name in sold.one_of), None)
        least = full(members, required=True) | ({one.name: good(one)} if one else {})
        most = fitting(sold, full(members))
        for body in (most, least):
            read = parse(path, body)
            order = order_of(read, path)
            freepik.check(replace(order, sources={}))
            at, said = kit.translate(freepik.API, order)
            assert at == path
            news = {"webhook_url"}
            odd = {"reference_images"} if "nano-banana" in path else set[str]()  # the type is told by the name
            for name in body.keys() - news - odd:
                assert said.get(name) == body[name], (path, name)
            assert said.keys() - body.keys() - news <= USUAL, path


def fitting(sold: Sold, body: Json) -> Json:
    """Without what breaks the rules between members."""
    body = {name: value for name, value in body.items() if name not in (*sold.apart[1:], *sold.never)}
    body = {name: value for name, value in body.items() if name not in sold.needs or sold.needs[name] in body}
    return body | {other: right[-1] for name, value, other, right in sold.narrows if body[name] == value}


USUAL = {
    "aspect_ratio",
    "image",
    "width",
    "height",
    "duration",
    "resolution",
    "ratio",
    "size",
    "image_size",
    "character",
}
"""What the catalog's row says where the caller did not."""


def order_of(read: Submission, path: str) -> VendorRequest:
    wish = read.generation
    row = CATALOG.named("freepik", path)
    wish = catalog.complete(replace(wish, model=row.name, wire="freepik", unread=read.unread), row, remote=True)
    sources = {each.field: str(each.url) for each in wish.inputs}
    return VendorRequest(generation=wish, names=row.names["freepik"], sources=sources, reference="r")


def test_every_bound_of_every_row_is_enforced() -> None:
    for _, path, members in rows():
        body = full(members)
        for member in members:
            if member.required:
                without = {name: value for name, value in body.items() if name != member.name}
                assert (member.name, Rule.REQUIRED) in flaws(path, without), (path, member.name)
            for value, rule in bad(member.type):
                assert (member.name, rule) in flaws(path, body | {member.name: value}), (path, member.name, rule)
            for inner in member.type.members:
                for value, rule in bad(inner.type):
                    item = full(member.type.members) | {inner.name: value}
                    held = [item] * least_items(member.type) if member.type.many else item
                    assert (inner.name, rule) in flaws(path, body | {member.name: held}), (path, inner.name, rule)


def flaws(path: str, body: Json) -> set[tuple[str, Rule]]:
    try:
        parse(path, body)
    except Problem as problem:
        return {(str(next(step for step in reversed(flaw.path) if isinstance(step, str))), flaw.rule)
                for flaw in problem.flaws}  # fmt: skip
    return set()


TOLD: tuple[tuple[str, Json, str], ...] = (
    ("text-to-image/flux-2-pro", {"prompt": "p", "width": 255}, "Input should be greater than or equal to 256"),
    ("text-to-image/flux-2-klein", {"prompt": "p", "resolution": "4k"}, "Input should be '1k' or '2k'"),
    ("text-to-image/nano-banana-pro", {"prompt": "p"}, "String should have at least 2 characters"),
    ("image-to-video/kling-v2", {"image": PICTURE, "duration": "6"}, "Input should be '5' or '10'"),
    ("video/seedance-1-5-pro-480p", {"prompt": "p", "duration": 13}, "Input should be less than or equal to 12"),
    ("text-to-video/wan-2-5-t2v-480p", {"prompt": "p" * 801}, "String should have at most 800 characters"),
    ("image-to-video/pixverse-v6", {"prompt": "p", "image_url": "x"}, "Input should be a valid URL, relative URL"),
    ("sound-effects", {"text": "rain", "duration_seconds": 0.4}, "Input should be greater than or equal to 0.5"),
    ("loras/styles", {"name": "a", "quality": "high", "images": [PICTURE] * 5}, "List should have at least 6 items"),
    ("text-to-icon", {"prompt": "p"}, "Field required"),
    ("video/kling-v3-pro", {}, "Field required"),
    ("image-expand/flux-pro", {"image": PICTURE, "left": 0}, "Field required"),
    (
        "audio-isolation",
        {"description": "d", "audio": PICTURE, "video": PICTURE},
        "Value error, video is not taken beside audio",
    ),
    ("improve-prompt", {"prompt": "p", "type": "image", "language": "EN"}, "String should match pattern '^[a-z]{2}$'"),
)
CLIP = {"prompt": "p", "image_url": PICTURE}
ENDS = {"prompt": "p", "first_image_url": PICTURE, "last_image_url": PICTURE}
BETWEEN: tuple[tuple[str, Json, str, Json, str], ...] = (
    (
        "image-to-video/pixverse-v5", CLIP | {"resolution": "1080p"}, "duration", {"duration": 8},
        "Value error, duration should be 5 where resolution is 1080p",
    ),
    (
        "image-to-video/pixverse-v5-transition", ENDS | {"resolution": "1080p"}, "duration", {"duration": 8},
        "Value error, duration should be 5 where resolution is 1080p",
    ),
    (
        "image-to-video/pixverse-v5-5", CLIP | {"resolution": "1080p", "duration": 8}, "duration", {"duration": 10},
        "Value error, duration should be 5 or 8 where resolution is 1080p",
    ),
    (
        "reference-to-video/wan-2-7", {"prompt": "p", "image_urls": [{"url": PICTURE}] * 5}, "video_urls",
        {"video_urls": [{"url": LINK}]},
        "Value error, image_urls and video_urls should have at most 5 items together, not 6",
    ),
    ("reference-to-video/wan-2-7", {"prompt": "p", "video_urls": [{"url": LINK}]}, "image_urls", {"video_urls": []},
     "Field required"),
    (
        "video/kling-v3-omni-std", {"prompt": "p", "elements": [{}, {}], "image_urls": [PICTURE] * 2}, "elements",
        {"elements": [{}] * 3}, "Value error, image_urls and elements should have at most 4 items together, not 5",
    ),
    (
        "video/kling-v3-pro", {"multi_prompt": [{"prompt": "p", "duration": "5"}] * 3}, "multi_prompt",
        {"multi_prompt": [{"prompt": "p", "duration": "4"}] * 4},
        "Value error, the durations of multi_prompt should be at most 15 seconds together, not 16",
    ),
    (
        "image-to-video/kling-std", {"prompt": "p", "image": PICTURE, "duration": "5"}, "image_tail",
        {"image_tail": PICTURE}, "Value error, image_tail is not taken here, only at image-to-video/kling-pro",
    ),
    ("audio-isolation", {"description": "d", "audio": LINK}, "y2", {"y2": 9},
     "Value error, y2 is taken beside video only"),
)  # fmt: skip


def test_what_is_wrong_between_members_is_told_in_the_vendors_envelope() -> None:
    for path, right, field, wrong, words in BETWEEN:
        parse(path, right)
        with pytest.raises(Problem) as caught:
            parse(path, right | wrong)
        answer = freepik.render_problem(caught.value, HttpRequest(method="POST", path=freepik.ROOT + path))
        told = {"message": "Validation error", "invalid_params": [param(field, words)]}
        assert (answer.status, json.loads(answer.body)) == (400, told), path


def param(field: str, words: str) -> Json:
    return {"field": f"body.{field}", "name": field, "reason": words}


def test_a_file_is_held_to_what_the_models_maker_takes() -> None:
    for path, body, field, limits in (
        ("image-to-video/kling-v2", {"image": PICTURE, "duration": "5"}, "image",
         {"types": ("image/jpeg", "image/png"), "max_bytes": 10 << 20, "min_side": 300, "max_aspect": 2.5}),
        ("image-to-video/kling-v3-turbo-720p", {"image": PICTURE}, "image", {"max_bytes": 50 << 20}),
        ("reference-to-video/kling-v3-omni-pro", {"video_url": LINK}, "video_url",
         {"min_seconds": 3, "max_seconds": 10, "min_side": 720, "max_side": 2160}),
        ("video/kling-v3-motion-control-std", {"image_url": PICTURE, "video_url": LINK}, "video_url",
         {"min_seconds": 3, "max_seconds": 30}),
        ("video/kling-v2-6-motion-control-pro",
         {"image_url": PICTURE, "video_url": LINK, "character_orientation": "image"}, "video_url", {"max_seconds": 10}),
        ("image-to-video/minimax-live", CLIP, "image_url", {"min_side": 301, "max_bytes": 20 << 20}),
        ("image-to-video/wan-v2-6-720p", {"prompt": "p", "image": PICTURE}, "image",
         {"min_side": 240, "max_side": 8000, "max_bytes": 10 << 20}),
        ("video-edit/wan-2-7", {"video_url": LINK}, "video_url", {"max_bytes": 100 << 20, "max_seconds": 10}),
        ("video-edit/happy-horse-1", {"prompt": "p", "video_url": LINK}, "video_url",
         {"min_seconds": 3, "max_seconds": 60, "min_side": 320, "max_side": 2160, "above_fps": 8}),
        ("video/runway-act-two",
         {"character": {"type": "image", "uri": PICTURE}, "reference": {"type": "video", "uri": LINK}},
         "reference.uri", {"min_seconds": 3, "max_seconds": 30}),
        ("video/omni-human-1-5", {"image_url": PICTURE, "audio_url": LINK}, "audio_url", {"max_seconds": 30}),
        ("video/omni-human-1-5", {"image_url": PICTURE, "audio_url": LINK, "resolution": "720p"}, "audio_url",
         {"max_seconds": 60}),
        ("beta/remove-background", {"image_url": PICTURE}, "image_url",
         {"types": ("image/jpeg", "image/png"), "max_bytes": 20 << 20}),
        ("image-upscaler", {"image": PICTURE}, "image", {"max_pixels": 25_300_000 // 4}),
        ("image-upscaler", {"image": PICTURE, "scale_factor": "16x"}, "image", {"max_pixels": 25_300_000 // 256}),
    ):  # fmt: skip
        [found] = [each.limits for each in parse(path, body).generation.inputs if each.field == field]
        assert {name: getattr(found, name) for name in limits} == limits, (path, field)


def test_bounds_are_told_in_pydantics_words() -> None:
    for path, body, words in TOLD:
        with pytest.raises(Problem) as caught:
            parse(path, body)
        request = HttpRequest(method="POST", path=freepik.ROOT + path)
        answer = freepik.render_problem(caught.value, request)
        assert answer.status == 400
        [param] = json.loads(answer.body)["invalid_params"]
        assert param["reason"].startswith(words), (path, param)


IDLE = ("hdr", "styling.colors")


def test_what_a_body_means() -> None:
    colors = [{"color": "#AABBCC", "weight": 0.5}]
    body = {"prompt": "p", "aspect_ratio": "social_post_4_5", "resolution": "4k", "hdr": 3}
    read = parse("mystic", body | {"styling": {"colors": colors}})
    wish = read.generation
    assert (wish.prompt, wish.resolution, wish.extra) == ("p", "4k", {"ratio": "4:5"})
    assert read.ignored == tuple(
        f"ignored: {name} (only Freepik itself heeds it)" for name in ("hdr", "styling.colors")
    )
    assert read.unread == {"hdr": 3, "styling.colors": colors}
    row = CATALOG.named("freepik", "mystic")
    whole = catalog.complete(wish, row)
    assert (whole.width, whole.height) == (3664, 4580)
    whole = catalog.complete(replace(wish, extra={}), row)  # a tier and no shape: the vendor's usual one
    assert (whole.width, whole.height) == (4096, 4096)
    drawn = parse("video/seedance-2-pro-480p", {"prompt": "p", "seed": -1, "image_end": PICTURE}).generation
    assert (drawn.seed, drawn.operation) == (None, Operation.IMAGE_TO_VIDEO)


def test_a_duration_may_be_a_number_or_a_text_whichever_the_model_has() -> None:
    for path, more in (("image-to-video/kling-v2", {"image": PICTURE}), ("video/kling-4k-t2v", {"prompt": "p"})):
        for value in (5, "5"):
            assert parse(path, more | {"duration": value}).generation.seconds == 5
        with pytest.raises(Problem):
            parse(path, more | {"duration": 99})
    told = '{"prompt": "a sign reads \\"duration\\": 5", "duration": "5"}'
    assert parse("video/kling-4k-t2v", told.encode()).generation.prompt == 'a sign reads "duration": 5'


def test_a_size_is_said_by_its_words_or_refused() -> None:
    for path, size, said in (
        ("text-to-image/seedream-v4-5", (2730, 1536), {"aspect_ratio": "widescreen_16_9"}),
        ("text-to-image/nano-banana-pro", (1024, 1024), {"aspect_ratio": "1:1", "resolution": "1K"}),
        ("text-to-video/ltx-2-pro", (2560, 1440), {"resolution": "1440p"}),
        ("text-to-video/wan-v2-6-720p", (832, 1088), {"size": "832*1088"}),
        ("image-to-video/seedance-pro-480p", (854, 480), {"aspect_ratio": "widescreen_16_9"}),
        ("text-to-image/z-image", (576, 1024), {"image_size": "portrait_9_16"}),
    ):
        row = CATALOG.named("freepik", path)
        made = next(each for each in row.serves if each.value.startswith("text"))
        wish = Generation(operation=made, model=row.name, prompt="pp", width=size[0], height=size[1], seconds=10)
        _, body = kit.translate(freepik.API, VendorRequest(generation=wish, names=(path,)))
        assert {name: body.get(name) for name in said} == said
        odd = VendorRequest(generation=replace(wish, width=333, height=111), names=(path,))
        with pytest.raises(Problem) as caught:
            freepik.check(odd)
        assert caught.value.field in ("width", "ratio", "resolution")


# -- in front, over HTTP ---------------------------------------------------------------------


@pytest.fixture
async def running(start: Start) -> Any:
    async with start(rehearsal=True, inputs={"probe": "never"}) as running:
        yield running


async def test_what_answers_otherwise(running: Any, picture: bytes) -> None:
    client, root = running.client, freepik.ROOT

    async def post(path: str, body: Json, **more: Any) -> Any:
        answer = await client.post(root + path, **({"json": body} | more))
        assert answer.status_code == 200, answer.text
        return answer.json()

    [slot] = (await post("uploads/request-url", {"files": [{"content_type": "image/png"}]}))["files"]
    await client.put(slot["upload_url"], content=picture, headers=slot["headers"])
    file = slot["asset_url"]
    # a brief answer, read and listed under every path that shares its read, and under no other
    made = (await post("image-to-video/kling-std", {"prompt": "a fox", "duration": "5"}))["data"]
    assert made.keys() == {"task_id", "status"}
    shared = ("kling", "kling-std", "kling-pro")
    for path in (*shared, "kling-v2"):
        read = await client.get(f"{root}image-to-video/{path}/{made['task_id']}")
        listed = await client.get(f"{root}image-to-video/{path}")
        assert read.status_code == (200 if path in shared else 404)
        assert (made["task_id"] in listed.text) == (path in shared)
    # no envelope
    styled = await post("image-style-transfer", {"image": file, "reference_image": file})
    assert (styled.keys(), styled["task_status"]) == ({"task_id", "task_status", "generated"}, "CREATED")
    # at once
    drawn = await post("text-to-image", {"prompt": "a fox", "image": {"size": "social_5_4"}, "seed": 4})
    assert drawn["data"][0]["base64"] and drawn["data"][0]["has_nsfw"] is False
    assert (drawn["meta"]["prompt"], drawn["meta"]["seed"]) == ("a fox", 4)
    assert drawn["meta"]["image"]["size"] == "social_5_4"
    again = await post("beta/text-to-image/reimagine-flux", {"image": file, "prompt": "a fox"})
    assert (again["status"], len(again["generated"])) == ("COMPLETED", 1)
    cut = await post("beta/remove-background", {}, json=None, data={"image_url": file})
    assert cut["original"] == file
    assert cut["url"] == cut["preview"] == cut["high_resolution"] and cut["url"].startswith("http")
    # rated
    rated = (await post("mystic", {"prompt": "a fox"}))["data"]["task_id"]
    id = freepik.WIRE.job_id(rated)
    assert (await running.finished(id)).state is State.SUCCEEDED
    told = (await client.get(f"{root}mystic/{rated}")).json()["data"]
    assert told["has_nsfw"] == [False]
    # lists of what is heard tell of the files
    song = (await post("music-generation", {"prompt": "a waltz", "music_length_seconds": 10}))["data"]
    await running.finished(freepik.WIRE.job_id(song["task_id"]))
    [heard] = (await client.get(f"{root}music-generation")).json()["data"]
    assert heard.keys() == {"task_id", "status", "generated"}
    # icons have a rendering in the place of a read, LoRAs a list of their own
    icon = (await post("text-to-icon", {"prompt": "a fox", "webhook_url": "https://h.example/x"}))["data"]["task_id"]
    await running.finished(freepik.WIRE.job_id(icon))
    assert len((await post(f"text-to-icon/{icon}/render/png", {}))["data"]["generated"]) == 1
    refused = await client.post(f"{root}text-to-icon/{icon}/render/svg")
    assert refused.status_code == 400 and "png" in refused.text
    await post("loras/styles", {"name": "mine", "quality": "high", "images": [file] * 6})
    loras = (await client.get(f"{root}loras")).json()["data"]
    assert loras["default"] == []
    assert [(each["name"], each["type"], each["training"]["quality"]) for each in loras["customs"]] == [
        ("mine", "style", "high")
    ]
    flow = await client.post(f"{root}flows/mine/run", json={"inputs": {}})
    assert flow.status_code == 404 and "flows/mine" in flow.text


async def test_a_file_that_a_model_does_not_take_is_refused_where_files_are_looked_at_first(
    start: Start, picture: bytes
) -> None:
    """16 times 640 × 360 is more than the vendor makes, and half of it is less than Kling takes. Where files are looked
    at as the vendor does it, while the task is made, the task fails with these words.
    """
    half = io.BytesIO()
    Image.open(io.BytesIO(picture)).resize((320, 180)).save(half, "PNG")
    async with start(rehearsal=True, inputs={"probe": "always"}) as running:
        for path, file, more, words in (
            ("image-upscaler", picture, {"scale_factor": "16x"}, "at most 98828 pixels in all, found 640x360"),
            ("image-to-video/kling-v2", half.getvalue(), {"duration": "5"}, "at least 300 pixels, found 320x180"),
        ):
            body = {"image": base64.b64encode(file).decode()} | more
            answer = await running.client.post(freepik.ROOT + path, json=body)
            [told] = answer.json()["invalid_params"]
            assert (answer.status_code, told["field"]) == (400, "body.image")
            assert told["reason"].endswith(words), told


async def test_the_operators_own_flow_is_run_and_read(start: Start) -> None:
    row = {"vendor": "me", "operations": ["text_to_image"], "names": {"freepik": ["flows/mine"]}, "engine": "script"}
    async with start(rehearsal=True, models={"mine": row}) as running:
        made = await running.client.post(f"{freepik.ROOT}flows/mine/run", json={"inputs": {"text": "a fox"}})
        assert made.status_code == 202, made.text
        assert made.json()["status"] == "pending"
        id = made.json()["workflow_run_identifier"]
        await running.finished(freepik.WIRE.job_id(id))
        told = (await running.client.get(f"{freepik.ROOT}flows/runs/{id}")).json()["data"]
        assert (told["run_id"], told["status"], len(told["result"]["images"])) == (id, "completed", 1)


async def test_what_the_renderer_cannot_make_is_refused_by_name(start: Start) -> None:
    async with start(inputs={"probe": "never"}) as running:
        for path, body, name in (
            ("classifier/image", {"image": PICTURE}, "classes"),
            ("improve-prompt", {"prompt": "p", "type": "image"}, "type"),
            ("image-relight", {"image": PICTURE}, "relight"),
            ("video/vfx", {"video": PICTURE}, "video_to_video"),
            ("lip-sync/latent-sync", {"video_url": PICTURE, "audio_url": PICTURE}, "lip_sync"),
            ("image-to-video/kling-elements-std", {"images": [PICTURE]}, "images"),
            ("video/kling-v3-pro", {"prompt": "p", "elements": [{}]}, "elements"),
        ):
            answer = await running.client.post(freepik.ROOT + path, json=body)
            assert answer.status_code == 400, path
            assert name in answer.json()["message"], (path, answer.text)


# -- behind ----------------------------------------------------------------------------------


def drive(conversation: Conversation[Update], *answers: HttpResponse) -> tuple[Update, list[HttpRequest]]:
    sent = [next(conversation)]
    for answer in answers:
        try:
            sent.append(conversation.send(answer))
        except StopIteration as end:
            return end.value, sent
    raise AssertionError(f"it asks on: {sent[-1]}")


def behind(path: str, body: Json) -> VendorRequest:
    return order_of(parse(path, body), path)


def task(**more: Any) -> HttpResponse:
    return json_response({"data": {"task_id": UUID, "status": "CREATED"} | more})


def test_answers_that_are_no_task_are_read() -> None:
    back = freepik.WIRE.back
    assert back
    png = "iVBORw0KGgo="
    done, _ = drive(back.submit(behind("text-to-image", {"prompt": "a fox"})),
                    json_response({"data": [{"base64": png, "has_nsfw": False}], "meta": {}}))  # fmt: skip
    assert (done.state, done.inline) == (State.SUCCEEDED, (png,))
    cut = json_response({"original": PICTURE, "high_resolution": LINK, "preview": LINK, "url": LINK})
    done, [asked] = drive(back.submit(behind("beta/remove-background", {"image_url": PICTURE})), cut)
    assert (done.state, done.links) == (State.SUCCEEDED, (LINK,))
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    assert asked.body == b"image_url=https%3A%2F%2Fmedia.example.net%2Fin%2Ffox.png"
    done, _ = drive(back.submit(behind("beta/text-to-image/reimagine-flux", {"image": PICTURE})),
                    json_response({"task_id": UUID, "status": "COMPLETED", "generated": [LINK]}))  # fmt: skip
    assert (done.state, done.links) == (State.SUCCEEDED, (LINK,))
    classes = [{"class_name": "not_ai", "probability": 0.95}, {"class_name": "ai", "probability": 0.05}]
    done, _ = drive(back.submit(behind("classifier/image", {"image": PICTURE})), json_response({"data": classes}))
    assert [json.loads(each) for each in done.texts] == [classes]
    styled = behind("image-style-transfer", {"image": PICTURE, "reference_image": PICTURE})
    for answer in (json_response({"task_id": UUID, "task_status": "CREATED", "generated": []}), task(generated=[])):
        made, _ = drive(back.submit(styled), answer)
        assert made.handle == {"id": UUID, "path": "image-style-transfer"}


def test_a_task_is_asked_about_where_its_model_is_read() -> None:
    back = freepik.WIRE.back
    assert back
    made, _ = drive(back.submit(behind("video/seedance-2-pro-720p", {"prompt": "p"})), task())
    assert made.handle == {"id": UUID, "path": "video/seedance-2-pro"}
    news, [asked] = drive(back.poll(made.handle), task(status="COMPLETED", generated=[LINK]))
    assert (asked.path, news.links) == (f"/v1/ai/video/seedance-2-pro/{UUID}", (LINK,))
    for path, told, field in (
        ("improve-prompt", "a red fox, https://not.a.link", "texts"),
        ("text-to-image/imagen3", "iVBORw0KGgo=", "inline"),
        ("text-to-image/imagen3", LINK, "links"),
        ("text-to-icon", LINK, "links"),
    ):
        news, [asked] = drive(back.poll({"id": UUID, "path": path}), task(status="COMPLETED", generated=[told]))
        assert getattr(news, field) == (told,), path
        icons = path == "text-to-icon"
        assert asked.path == f"/v1/ai/{path}/{UUID}" + ("/render/png" if icons else "")
        assert asked.method == ("POST" if icons else "GET")


def test_a_flow_of_an_account_is_run_and_asked_about() -> None:
    back = freepik.WIRE.back
    assert back
    wish = Generation(operation=Operation.TEXT_TO_IMAGE, model="mine", extra={"inputs": {"text": "a fox"}})
    order = VendorRequest(generation=wish, names=("flows/mine",), callback="https://us.example/x", reference="r")
    assert back.supports(wish.operation, order.names) == {"inputs"}
    made, [asked] = drive(back.submit(order),
                          json_response({"status": "pending", "workflow_run_identifier": UUID}, 202))  # fmt: skip
    assert asked.path == "/v1/ai/flows/mine/run"
    assert json.loads(asked.body) == {"inputs": {"text": "a fox"}, "webhook": "https://us.example/x"}
    run = {"run_id": UUID, "status": "completed_with_errors", "result": {"images": [LINK], "videos": [], "audios": []}}
    news, [asked] = drive(back.poll(made.handle), json_response({"data": run}))
    assert (asked.path, news.state, news.links) == (f"/v1/ai/flows/runs/{UUID}", State.SUCCEEDED, (LINK,))


def test_a_lora_is_not_trained_where_nothing_tells_of_its_end() -> None:
    back = freepik.WIRE.back
    assert back
    assert back.supports(Operation.FINETUNE, ("loras/styles",)) is None


def test_reads_of_every_row_are_served() -> None:
    read = {route.path for route in freepik.WIRE.routes if isinstance(route, Read)}
    for sold, path, _ in rows():
        for at in (path, sold.reads or path):
            assert f"{freepik.ROOT}{at}/{{id}}" in read


if __name__ == "__main__":
    DIGESTS.write_text(digests())
