"""What DashScope is sent, as both ends of the wire read it: the bodies, their fields in our words, the models."""

import math
import re
from collections.abc import Iterable, Iterator
from functools import cache
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_type_hints

from msgspec import Meta, Struct, field

from mutoscope.model.job import Json, MediaLimits, Operation, Role
from mutoscope.model.problem import Flaw, Rule
from mutoscope.wirekit.media import DATA_PATTERN, URL_PATTERN
from mutoscope.wires import _wan

ROOT = "/api/v1/"
SYNTHESIS = ROOT + "services/aigc/video-generation/video-synthesis"
KEYFRAMES = ROOT + "services/aigc/image2video/video-synthesis"
ASYNC = "x-dashscope-async"  # must say "enable": there is no other way to ask for a video
RESOLVE = "x-dashscope-ossresourceresolve"  # must say "enable" where a file is named by oss://

# -- the bodies, with the vendor's bounds ------------------------------------------

OSS_URL = r"[Oo][Ss][Ss]://[!-~]+"
# The patterns are for the published description; the rules themselves are those of `_inputs.source`.
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
Text = Annotated[str, Meta(min_length=1)]
Seed = Annotated[int, Meta(ge=0, le=2147483647)]
Seconds = Annotated[int, Meta(ge=2, le=15)]
Shape = Literal["16:9", "9:16", "1:1", "4:3", "3:4"]
Tier = Literal["720P", "1080P"]
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


def combination(*types: str) -> list[Json]:
    ends = {"driving_audio": "mp3", "first_clip": "mp4"}
    return [{"type": each, "url": f"https://example.com/{each}.{ends.get(each, 'png')}"} for each in types]


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


def stand_together(types: Iterable[str], combinations: Combinations) -> bool:
    return sorted(types) in map(sorted, combinations)


Media = Annotated[
    tuple[Medium, ...],
    Meta(min_length=1, extra_json_schema={"examples": [combination(*each) for each in COMBINATIONS]}),
]
Frames = Annotated[
    tuple[Frame, ...],
    Meta(min_length=1, extra_json_schema={"examples": [combination(*each) for each in FRAMES]}),
]


class Words(Struct, frozen=True, kw_only=True):
    prompt: str | None = None
    negative_prompt: str | None = None


class MediaInput(Words, frozen=True, kw_only=True):
    media: Media


class FramesInput(Words, frozen=True, kw_only=True):
    """Words, pictures or both; words are required where there is no picture."""

    media: Frames | None = None


class PictureInput(Words, frozen=True, kw_only=True):
    img_url: Picture
    audio_url: Link | None = None


class KeyframeInput(Words, frozen=True, kw_only=True):
    first_frame_url: Picture
    last_frame_url: Picture


class TextInput(Struct, frozen=True, kw_only=True):
    prompt: Text
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

    resolution: Literal["480P", "720P", "1080P"] | None = None
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
    resolution: Literal["480P", "720P", "1080P"] | None = None


# For the published description; the rule itself is read with the body.
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

SDK_KEYS = frozenset({("input", "extend_prompt"), ("input", "function")})
"""Members that the vendor's SDK always adds and nobody reads."""
# fmt: off
OTHERS = frozenset({("parameters", "size"), ("input", "size"), *(("input", name) for name in (
    "media", "img_url", "audio_url", "first_frame_url", "last_frame_url", "head_frame", "tail_frame", "template",
    "reference_url", "reference_urls", "reference_video_urls", "reference_video_description",
))})
# fmt: on
"""Members that make it another video: where a model does not take one, it is refused and not ignored."""

# -- the fields in our words -----------------------------------------------------------

PLAIN = {
    "prompt": ("input", "prompt"),
    "negative_prompt": ("input", "negative_prompt"),
    "seconds": ("parameters", "duration"),
    "seed": ("parameters", "seed"),
    "watermark": ("parameters", "watermark"),
}
"""Generation field → where it stands in a body, where the value means the same."""
EXTRA = ("ratio", "prompt_extend", "shot_type")
"""Parameters that a Generation has no field for; they keep their names."""
TIERS = {"480P": "480p", "720P": "720p", "1080P": "1080p"}
ADAPTIVE, AUTO = "adaptive", "auto"
"""The ratio that leaves the shape to the model: the vendor's word and ours."""


class Use(Struct, frozen=True, kw_only=True):
    """What a file is for."""

    role: Role
    limits: MediaLimits
    inline: bool = False  # takes a data URI


USES = {
    "first_frame": Use(role=Role.FIRST_FRAME, limits=_wan.IMAGE, inline=True),
    "last_frame": Use(role=Role.LAST_FRAME, limits=_wan.IMAGE, inline=True),
    "driving_audio": Use(role=Role.AUDIO, limits=_wan.AUDIO),
    "first_clip": Use(role=Role.VIDEO, limits=_wan.VIDEO),
}
"""By the word in `media[].type`."""
FILES = {
    "img_url": "first_frame",
    "first_frame_url": "first_frame",
    "last_frame_url": "last_frame",
    "audio_url": "driving_audio",
}
"""Members of `input` that name one file, as the models without `media` have it → the word for its use."""
ROLES = tuple(use.role for use in USES.values())
"""In the order in which a Generation has its inputs."""

RATIOS = {"16:9": 16 / 9, "9:16": 9 / 16, "1:1": 1.0, "4:3": 4 / 3, "3:4": 3 / 4}
OWN_SIZES = {
    "720P": ((1280, 720), (720, 1280), (960, 960), (1088, 832), (832, 1088)),
    "1080P": ((1920, 1080), (1080, 1920), (1440, 1440), (1632, 1248), (1248, 1632)),
}
"""The pixels that the vendor makes of a tier, in the order of RATIOS."""


def by_area(ratio: float, tier: str) -> tuple[int, int]:
    """The pixels of a shape that has the tier's area at 16:9, both sides even: how tiers are read elsewhere here."""
    area = int(tier[:-1]) ** 2 * 16 / 9
    return 2 * round(math.sqrt(area * ratio) / 2), 2 * round(math.sqrt(area / ratio) / 2)


Sizes = dict[str, tuple[tuple[int, int], ...]]
Shapes = dict[tuple[int, int], tuple[str, str]]


def shapes_of(own_sizes: Sizes) -> Shapes:
    named = ((tier, zip(RATIOS, sizes, strict=True)) for tier, sizes in own_sizes.items())
    return {size: (tier, shape) for tier, pairs in named for shape, size in pairs}


SHAPES: Shapes = {
    by_area(ratio, tier): (tier, shape) for tier in OWN_SIZES for shape, ratio in RATIOS.items()
} | shapes_of(OWN_SIZES)
"""Pixels → tier and ratio."""
# This vendor does not say what Wan 3 makes of them; these are the sizes by which another one sells it.
WAN3_SIZES: Sizes = {
    "480P": ((832, 480), (480, 832), (624, 624), (720, 544), (544, 720)),
    "720P": ((1280, 720), (720, 1280), (960, 960), (1104, 832), (832, 1104)),
    "1080P": ((1920, 1080), (1080, 1920), (1440, 1440), (1648, 1248), (1248, 1648)),
}

# -- the models --------------------------------------------------------------------------


class Model(Struct, frozen=True, kw_only=True):
    word: str  # what the vendor calls it, without a date
    name: str  # in the catalog
    makes: frozenset[Operation]
    body: Any
    longest_prompt: int  # characters; the vendor cuts off the rest
    combinations: Combinations = COMBINATIONS  # of files, where the body has `media`
    shapes: Shapes = field(default_factory=lambda: SHAPES)

    @property
    def group(self) -> str:
        return "image2video" if self.body is Keyframes else "video-generation"


I2V, T2V, MORE = Operation.IMAGE_TO_VIDEO, Operation.TEXT_TO_VIDEO, Operation.VIDEO_EXTENSION
MODELS = {
    each.word: each
    for each in (
        # Its name, bounds and media are third parties' words; the longest prompt is that of the model before it.
        Model(
            word="wan3.0-video",
            name="wan3",
            makes=frozenset({I2V, T2V}),
            body=Wan30Video,
            longest_prompt=5000,
            combinations=FRAMES,
            shapes=shapes_of(WAN3_SIZES),
        ),
        Model(word="wan2.7-t2v", name="wan-2.7", makes=frozenset({T2V}), body=Wan27TextToVideo, longest_prompt=5000),
        Model(
            word="wan2.7-i2v",
            name="wan-2.7",
            makes=frozenset({I2V, MORE}),
            body=Wan27ImageToVideo,
            longest_prompt=5000,
        ),
        Model(word="wan2.6-t2v", name="wan-2.6", makes=frozenset({T2V}), body=Wan26TextToVideo, longest_prompt=1500),
        Model(word="wan2.6-i2v", name="wan-2.6", makes=frozenset({I2V}), body=Wan26ImageToVideo, longest_prompt=1500),
        Model(
            word="wan2.2-kf2v-flash",
            name="wan-2.2-kf2v",
            makes=frozenset({I2V}),
            body=Wan22Keyframes,
            longest_prompt=800,
        ),
    )
}
LONGEST_NEGATIVE_PROMPT = 500
DATED = re.compile(r"(.+)-20\d\d-\d\d-\d\d", re.ASCII)


def word_of(said: str) -> str:
    """A model's name without the date of its snapshot."""
    match = DATED.fullmatch(said)
    return match[1] if match else said


@cache
def struct_of(body: Any, part: str) -> Any:
    """The struct of a body's `input` or `parameters`."""
    hint = get_type_hints(body)[part]
    return next((each for each in get_args(hint) if each is not NoneType), hint)


def fields_of(body: Any, part: str) -> tuple[str, ...]:
    return struct_of(body, part).__struct_fields__


def wordless(said: Json) -> Iterator[Flaw]:
    """An `input` from which nothing can be made: no words, and no file to start from."""
    if not said.get("prompt") and not said.keys() & {"media", *FILES} - {"audio_url"}:
        yield Flaw(path=("input", "prompt"), rule=Rule.REQUIRED)
