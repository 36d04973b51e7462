"""What DashScope is sent, as both ends of the wire read it: the bodies, what their members say, the models."""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Annotated, Any, Literal, cast

from msgspec import Meta, Struct, inspect
from msgspec.structs import replace

from mutoscope.model.job import Generation, Json, Operation, Role
from mutoscope.model.problem import Flaw, Kind, Problem, Rule, custom_flaw
from mutoscope.wirekit.back import Way
from mutoscope.wirekit.body import schema
from mutoscope.wirekit.fields import AnyField, Field, FileField, extra, folded, same
from mutoscope.wirekit.media import DATA_PATTERN, URL_PATTERN
from mutoscope.wirekit.paths import at, has, types_at
from mutoscope.wirekit.task import Endpoint
from mutoscope.wires import _wan
from mutoscope.wires._wan import Shapes

VENDOR = "DashScope"
ROOT = "/api/v1/"
SYNTHESIS = ROOT + "services/aigc/video-generation/video-synthesis"
KEYFRAMES = ROOT + "services/aigc/image2video/video-synthesis"
ASYNC = "x-dashscope-async"  # must say "enable": there is no other way to ask for a video
RESOLVE = "x-dashscope-ossresourceresolve"  # must say "enable" where a file is named by oss://

# -- the bodies, with the vendor's bounds ------------------------------------------

OSS_URL = r"[Oo][Ss][Ss]://[!-~]+"
# The patterns are for the published description; the rules themselves are those of `api.read_file`.
Link = Annotated[
    str,
    Meta(
        description="An HTTP(S) URL, or the oss:// name of an upload.",
        extra_json_schema={"pattern": f"^({URL_PATTERN}|{OSS_URL})$"},
    ),
]
Picture = Annotated[
    str,
    Meta(
        description="An HTTP(S) URL, a data URI, or the oss:// name of an upload.",
        extra_json_schema={"pattern": f"^({URL_PATTERN}|{DATA_PATTERN}|{OSS_URL})$"},
    ),
]
MOST_SEED = 2147483647
Seed = Annotated[int, Meta(ge=0, le=MOST_SEED)]
Seconds = Annotated[int, Meta(ge=2, le=15)]
Shape = Literal["16:9", "9:16", "1:1", "4:3", "3:4"]
Tier = Literal["720P", "1080P"]
AnyTier = Literal["480P", "720P", "1080P"]
# fmt: off
Size = Literal[
    "1280*720", "720*1280", "960*960", "1088*832", "832*1088",
    "1920*1080", "1080*1920", "1440*1440", "1632*1248", "1248*1632",
]
# fmt: on


class Medium(Struct, frozen=True, kw_only=True):
    """A file, and what it is for."""

    type: Literal["first_frame", "last_frame", "driving_audio", "first_clip"]
    url: Picture


class Frame(Struct, frozen=True, kw_only=True):
    """A picture that the video begins or ends with."""

    type: Literal["first_frame", "last_frame"]
    url: Picture


Combinations = tuple[tuple[str, ...], ...]
COMBINATIONS: Combinations = (
    ("first_frame",),
    ("first_frame", "driving_audio"),
    ("first_frame", "last_frame"),
    ("first_frame", "last_frame", "driving_audio"),
    ("first_clip",),
    ("first_clip", "last_frame"),
)
"""What may stand together in `media`; the order does not matter."""
FRAMES: Combinations = (("first_frame",), ("first_frame", "last_frame"))
"""The same for a model that takes nothing but pictures there."""


def shown(combinations: Combinations) -> Meta:
    ends = {"driving_audio": "mp3", "first_clip": "mp4"}
    examples = [
        [{"type": each, "url": f"https://example.com/{each}.{ends.get(each, 'png')}"} for each in types]
        for types in combinations
    ]
    return Meta(min_length=1, extra_json_schema={"examples": examples})


class Words(Struct, frozen=True, kw_only=True):
    prompt: str | None = None
    negative_prompt: str | None = None


class MediaInput(Words, frozen=True, kw_only=True):
    media: Annotated[list[Medium], shown(COMBINATIONS)]


class FramesInput(Words, frozen=True, kw_only=True):
    """Words, pictures or both; words are required where there is no picture."""

    media: Annotated[list[Frame], shown(FRAMES)] | None = None


class PictureInput(Words, frozen=True, kw_only=True):
    img_url: Picture
    audio_url: Link | None = None


class KeyframeInput(Words, frozen=True, kw_only=True):
    first_frame_url: Picture
    last_frame_url: Picture


class TextInput(Struct, frozen=True, kw_only=True):
    prompt: Annotated[str, Meta(min_length=1)]
    negative_prompt: str | None = None
    audio_url: Link | None = None


class Common(Struct, frozen=True, kw_only=True):
    prompt_extend: bool | None = None
    watermark: bool | None = None
    seed: Seed | None = None


class TierParameters(Common, frozen=True, kw_only=True):
    """The shape of the frame follows the picture or the clip."""

    resolution: Tier | None = None
    duration: Seconds | None = None


class ShapeParameters(TierParameters, frozen=True, kw_only=True):
    ratio: Shape | None = None


class LongParameters(Common, frozen=True, kw_only=True):
    """With a picture the shape follows it, unless one is named."""

    resolution: AnyTier | None = None
    ratio: Literal["16:9", "9:16", "1:1", "4:3", "3:4", "adaptive"] | None = None
    duration: Annotated[int, Meta(ge=2, le=30)] | None = None


class ShotParameters(Common, frozen=True, kw_only=True):
    resolution: Tier | None = None
    duration: Literal[5, 10, 15] | None = None
    shot_type: Literal["single", "multi"] | None = None


class SizeParameters(Common, frozen=True, kw_only=True):
    size: Size | None = None
    duration: Literal[5, 10, 15] | None = None
    shot_type: Literal["single", "multi"] | None = None


class KeyframeParameters(Common, frozen=True, kw_only=True):
    resolution: AnyTier | None = None


# For the published description; the rule itself is `wordless`.
WORDS_OR_PICTURES: Json = {"anyOf": [{"required": ["prompt"]}, {"required": ["media"]}]}


class Wan30Video(Struct, frozen=True, kw_only=True, tag_field="model", tag="wan3.0-video"):
    """Video from words, or from a first frame, with or without a last one."""

    input: Annotated[FramesInput, Meta(extra_json_schema=WORDS_OR_PICTURES)]
    parameters: LongParameters | None = None


class Wan27TextToVideo(Struct, frozen=True, kw_only=True, tag_field="model", tag="wan2.7-t2v"):
    input: TextInput
    parameters: ShapeParameters | None = None


class Wan27ImageToVideo(Struct, frozen=True, kw_only=True, tag_field="model", tag="wan2.7-i2v"):
    """First frame; first and last frame; continuation of a clip, whose time counts in `duration`."""

    input: MediaInput
    parameters: TierParameters | None = None


class Wan26TextToVideo(Struct, frozen=True, kw_only=True, tag_field="model", tag="wan2.6-t2v"):
    input: TextInput
    parameters: SizeParameters | None = None


class Wan26ImageToVideo(Struct, frozen=True, kw_only=True, tag_field="model", tag="wan2.6-i2v"):
    input: PictureInput
    parameters: ShotParameters | None = None


class Wan22Keyframes(Struct, frozen=True, kw_only=True, tag_field="model", tag="wan2.2-kf2v-flash"):
    input: KeyframeInput
    parameters: KeyframeParameters | None = None


Synthesis = Wan30Video | Wan27TextToVideo | Wan27ImageToVideo | Wan26TextToVideo | Wan26ImageToVideo
Keyframes = Wan22Keyframes

# -- what their members say ------------------------------------------------------------

OWN_SIZES = {
    "720P": ((1280, 720), (720, 1280), (960, 960), (1088, 832), (832, 1088)),
    "1080P": ((1920, 1080), (1080, 1920), (1440, 1440), (1632, 1248), (1248, 1632)),
}
"""The pixels that the vendor makes of a tier, in the order of RATIOS."""
SHAPES: Shapes = {**_wan.by_area(*OWN_SIZES), **_wan.shapes_of(OWN_SIZES)}
# This vendor does not say what Wan 3 makes of them; these are the sizes by which another one sells it.
WAN3_SIZES = {
    "480P": ((832, 480), (480, 832), (624, 624), (720, 544), (544, 720)),
    "720P": ((1280, 720), (720, 1280), (960, 960), (1104, 832), (832, 1104)),
    "1080P": ((1920, 1080), (1080, 1920), (1440, 1440), (1648, 1248), (1248, 1648)),
}


def text(name: str, most: int) -> Field:
    """Words as long as the vendor reads them: it cuts off the rest and says nothing of it."""

    def write(wish: Generation) -> str | None:
        said = getattr(wish, name)
        if said is not None and len(said) > most:
            message = f"{VENDOR} does not take this: {name} should have at most {most} characters."
            raise Problem(Kind.INVALID, message, field=name)
        return said

    return Field(ours=(name,), read=lambda value: {name: value[:most]}, write=write)


LONGEST_NEGATIVE_PROMPT = 500
FIRST = FileField(role=Role.FIRST_FRAME, limits=_wan.IMAGE, ways=(Way.LINK, Way.DATA))
LAST = replace(FIRST, role=Role.LAST_FRAME)
AUDIO = FileField(role=Role.AUDIO, limits=_wan.AUDIO)
CLIP = FileField(role=Role.VIDEO, limits=_wan.VIDEO)
SHAPE, TIER = _wan.shape_and_tier(VENDOR, SHAPES)
FIELDS: dict[str, AnyField] = {
    "input.negative_prompt": text("negative_prompt", LONGEST_NEGATIVE_PROMPT),
    "input.media[type=first_frame].url": FIRST,
    "input.img_url": FIRST,
    "input.first_frame_url": FIRST,
    "input.media[type=last_frame].url": LAST,
    "input.last_frame_url": LAST,
    "input.media[type=driving_audio].url": AUDIO,
    "input.audio_url": AUDIO,
    "input.media[type=first_clip].url": CLIP,
    "parameters.size": _wan.exactly(VENDOR, "*"),
    "parameters.ratio": SHAPE,
    "parameters.resolution": TIER,
    "parameters.duration": same("seconds"),
    "parameters.seed": folded(MOST_SEED),
    "parameters.watermark": same("watermark"),
    "parameters.prompt_extend": extra("prompt_extend"),
    "parameters.shot_type": extra("shot_type"),
}

# -- what is wrong between them -----------------------------------------------------------

# fmt: off
OTHERS = {"parameters": ("size",), "input": (
    "size", "media", "img_url", "audio_url", "first_frame_url", "last_frame_url", "head_frame", "tail_frame",
    "template", "reference_url", "reference_urls", "reference_video_urls", "reference_video_description",
)}
# fmt: on
"""Members that make it another video: where a model does not take one, it is refused and not ignored."""
SDK_KEYS = ("input.extend_prompt", "input.function")
"""Members that the vendor's SDK always adds and nobody reads."""
STARTS = ("media", "img_url", "first_frame_url", "last_frame_url")


def wrong(body: Any, combinations: Combinations, said: Json) -> Iterator[Flaw]:
    """The members may break their types."""
    given: Json = said["input"] if isinstance(said.get("input"), dict) else {}
    media = cast("list[Any]", given["media"]) if isinstance(given.get("media"), list) else []
    types = sorted(str(at(each, "type")) for each in media)
    if types and set(types) <= ALL_TYPES and types not in map(sorted, combinations):
        right = "; ".join(" + ".join(each) for each in combinations)
        message = f"holds {' + '.join(types)}, which cannot stand together; what can: {right}"
        yield custom_flaw(("input", "media"), message)
    if not given.get("prompt") and all(given.get(name) is None for name in STARTS):
        yield Flaw(path=("input", "prompt"), rule=Rule.REQUIRED)
    for part in said:
        for name in said[part] if part in OTHERS and isinstance(said[part], dict) else ():
            if name in OTHERS[part] and said[part][name] is not None and not has(body, f"{part}.{name}"):
                message = f"is not for {tag_of(body)}, which takes {', '.join(members(body, part))}"
                yield custom_flaw((part, name), message)


ALL_TYPES = frozenset(each for types in COMBINATIONS for each in types)


def members(body: Any, part: str) -> Iterable[str]:
    """The names of the members of a body's `input` or `parameters`."""
    found = cast("list[inspect.StructType]", types_at(body, part))
    return [field.encode_name for each in found for field in getattr(each, "fields", ())]


def tag_of(body: Any) -> str:
    return str(cast("inspect.StructType", schema(body)).tag)


# -- the models --------------------------------------------------------------------------

DATED = re.compile(r"(.+)-20\d\d-\d\d-\d\d", re.ASCII)


def word_of(said: str) -> str:
    """A model's name without the date of its snapshot."""
    match = DATED.fullmatch(said)
    return match[1] if match else said


class Model(Struct, frozen=True, kw_only=True):
    word: str  # what the vendor calls it, without a date
    name: str  # in the catalog
    longest_prompt: int  # characters; the vendor cuts off the rest
    shapes: Shapes
    endpoint: Endpoint

    @property
    def group(self) -> str:
        return self.endpoint.at.split("/")[2]


I2V, T2V, MORE = Operation.IMAGE_TO_VIDEO, Operation.TEXT_TO_VIDEO, Operation.VIDEO_EXTENSION
FROM_WORDS = {None: T2V}
FROM_A_PICTURE = {Role.FIRST_FRAME: I2V}
LIKE_THE_INPUT = {"parameters.resolution": _wan.tier_alone(VENDOR)}
SHAPE_3, TIER_3 = _wan.shape_and_tier(VENDOR, _wan.shapes_of(WAN3_SIZES))


def model(body: Any, name: str, longest: int, makes: Any, fields: Mapping[str, AnyField] = {}, **more: Any) -> Model:
    word = tag_of(body)
    shapes, combinations = more.pop("shapes", SHAPES), more.pop("combinations", COMBINATIONS)
    endpoint = Endpoint(
        at=(KEYFRAMES if body is Keyframes else SYNTHESIS).removeprefix(ROOT),
        title=word, route=word, body=body, makes=makes, models=(word,), undated=word_of, front=False,
        fields={"input.prompt": text("prompt", longest), **FIELDS, **fields},
        fixed={"input": {}, "parameters": {}}, rules=partial(wrong, body, combinations), rules_see_all=True, **more,
    )  # fmt: skip
    return Model(word=word, name=name, longest_prompt=longest, shapes=shapes, endpoint=endpoint)


# fmt: off
MODELS = {each.word: each for each in (
    # Its name, bounds and media are third parties' words; the longest prompt is that of the model before it.
    model(Wan30Video, "wan3", 5000, FROM_A_PICTURE | FROM_WORDS,
          {"parameters.ratio": SHAPE_3, "parameters.resolution": TIER_3}, combinations=FRAMES,
          shapes=_wan.shapes_of(WAN3_SIZES), excludes={T2V: frozenset({Role.LAST_FRAME})}),
    model(Wan27TextToVideo, "wan-2.7", 5000, FROM_WORDS),
    model(Wan27ImageToVideo, "wan-2.7", 5000, {Role.VIDEO: MORE, Role.FIRST_FRAME: I2V}, LIKE_THE_INPUT,
          excludes={MORE: frozenset({Role.FIRST_FRAME, Role.AUDIO})}),
    model(Wan26TextToVideo, "wan-2.6", 1500, FROM_WORDS),
    model(Wan26ImageToVideo, "wan-2.6", 1500, FROM_A_PICTURE, LIKE_THE_INPUT),
    model(Wan22Keyframes, "wan-2.2-kf2v", 800, FROM_A_PICTURE, LIKE_THE_INPUT),
)}
# fmt: on
UPLOAD_MODEL = "wan2.7-i2v"
"""An upload is for one model, which is named before the file is sent. Only what goes to this one, by no date, is."""
BY_UPLOAD = {
    path: replace(field, ways=(Way.LINK, Way.UPLOAD, *field.ways[1:]))
    for path, field in FIELDS.items()
    if isinstance(field, FileField)
}
BY_ANY_DATE = MODELS[UPLOAD_MODEL].endpoint
TO_UPLOAD_FOR = replace(BY_ANY_DATE, undated=None, fields={**(BY_ANY_DATE.fields or {}), **BY_UPLOAD})
