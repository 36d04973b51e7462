"""What Freepik is sent, as both ends of the wire read it: the bodies, what their fields say, the models."""

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal, get_args

from msgspec import Meta, Struct

from mutoscope.model.job import Json, Operation, Role
from mutoscope.model.problem import Flaw, Kind, custom_flaw
from mutoscope.wirekit.back import Way
from mutoscope.wirekit.fields import AnyField, FileField, extra, folded, same
from mutoscope.wirekit.media import BASE64_PATTERN, DATA_PATTERN, URL_PATTERN
from mutoscope.wirekit.task import Endpoint
from mutoscope.wires import _wan

VENDOR = "Freepik"
WAN = "image-to-video/wan-2-7"

# -- what the vendor takes: the bodies, with the vendor's bounds -----------------

# The patterns are for the published description; the rules themselves are `link_fault` and `media.source`.
Link = Annotated[str, Meta(extra_json_schema={"format": "uri", "pattern": f"^{URL_PATTERN}$"})]
Picture = Annotated[
    str,
    Meta(
        description="An HTTP(S) URL, a data URI or bare base64.",
        extra_json_schema={"pattern": f"^({URL_PATTERN}|{DATA_PATTERN}|{BASE64_PATTERN})$"},
    ),
]
Text500 = Annotated[str, Meta(max_length=500)]
Text2000 = Annotated[str, Meta(max_length=2000)]
Text5000 = Annotated[str, Meta(max_length=5000)]
NonEmptyText1000 = Annotated[str, Meta(min_length=1, max_length=1000)]
SEED31, SEED32 = 2**31 - 1, 2**32 - 1
Seed31 = Annotated[int, Meta(ge=0, le=SEED31)]
Seed32 = Annotated[int, Meta(ge=0, le=SEED32)]
WanSeconds = Annotated[int, Meta(ge=2, le=15)]
WanResolution = Literal["720P", "1080P"]
WanShape = Literal["16:9", "9:16", "1:1", "4:3", "3:4"]
VideoRatio = Literal["1280:720", "720:1280", "1104:832", "960:960", "832:1104"]
TurboRatio = Literal["1280:720", "720:1280", "1104:832", "832:1104", "960:960", "1584:672"]
# fmt: off
PictureRatio = Literal[
    "1920:1080", "1080:1920", "1024:1024", "1360:768", "1080:1080", "1168:880", "1440:1080", "1080:1440",
    "1808:768", "2112:912", "1280:720", "720:1280", "720:720", "960:720", "720:960", "1680:720",
]
# fmt: on


class RunwayImageToVideo(Struct, frozen=True, kw_only=True):
    image: Picture
    prompt: Text2000
    ratio: VideoRatio | None = None
    duration: Literal[5, 8, 10] | None = None
    seed: Seed32 | None = None
    webhook_url: Link | None = None


class RunwayTextToVideo(Struct, frozen=True, kw_only=True):
    prompt: Text2000
    ratio: VideoRatio | None = None
    duration: Literal[5, 8, 10] | None = None
    webhook_url: Link | None = None


class RunwayGen4Turbo(Struct, frozen=True, kw_only=True):
    image: Picture
    prompt: NonEmptyText1000 | None = None
    ratio: TurboRatio | None = None
    duration: Literal[5, 10] | None = None
    seed: Seed32 | None = None
    webhook_url: Link | None = None


class RunwayTextToImage(Struct, frozen=True, kw_only=True):
    prompt: NonEmptyText1000
    ratio: PictureRatio
    seed: Seed32 | None = None
    webhook_url: Link | None = None


class WanSettings(Struct, frozen=True, kw_only=True):
    prompt_extend: bool | None = None


class WanImageToVideo(Struct, frozen=True, kw_only=True):
    """Three modes: first frame; first and last frame; continuation of a clip, whose time counts in `duration`."""

    prompt: Text5000 | None = None
    negative_prompt: Text500 | None = None
    start_image_url: Link | None = None
    end_image_url: Link | None = None
    audio_url: Link | None = None
    video_url: Link | None = None
    resolution: WanResolution | None = None
    duration: WanSeconds | None = None
    seed: Seed31 | None = None
    additional_settings: WanSettings | None = None
    webhook_url: Link | None = None


class WanTextToVideo(Struct, frozen=True, kw_only=True):
    prompt: Text5000
    negative_prompt: Text500 | None = None
    audio_url: Link | None = None
    aspect_ratio: WanShape | None = None
    resolution: WanResolution | None = None
    duration: WanSeconds | None = None
    seed: Seed31 | None = None
    additional_settings: WanSettings | None = None
    webhook_url: Link | None = None


# fmt: off
UploadType = Literal[
    "image/png", "image/jpeg", "image/webp",
    "video/mp4", "video/webm", "video/quicktime",
    "audio/mpeg", "audio/wav", "audio/mp4", "audio/webm", "audio/ogg",
]
# fmt: on


class WishedFile(Struct, frozen=True, kw_only=True):
    content_type: UploadType


class UploadRequest(Struct, frozen=True, kw_only=True):
    files: Annotated[tuple[WishedFile, ...], Meta(min_length=1, max_length=14)]


# -- what the fields say ---------------------------------------------------------


SHAPE, TIER = _wan.shape_and_tier(VENDOR, _wan.by_area(*get_args(WanResolution)), Kind.INVALID)
BY_LINK = (Way.LINK, Way.UPLOAD)  # what is uploaded goes by a link too
FIELDS: dict[str, AnyField] = {
    "prompt": same("prompt"),
    "negative_prompt": same("negative_prompt"),
    "image": FileField(role=Role.FIRST_FRAME, ways=(*BY_LINK, Way.DATA)),
    "start_image_url": FileField(role=Role.FIRST_FRAME, ways=BY_LINK, limits=_wan.IMAGE),
    "end_image_url": FileField(role=Role.LAST_FRAME, ways=BY_LINK, limits=_wan.IMAGE),
    "audio_url": FileField(role=Role.AUDIO, ways=BY_LINK, limits=_wan.AUDIO),
    "video_url": FileField(role=Role.VIDEO, ways=BY_LINK, limits=_wan.VIDEO),
    "ratio": _wan.exactly(VENDOR, ":"),
    "aspect_ratio": SHAPE,
    "resolution": TIER,
    "duration": same("seconds"),
    "seed": folded(SEED32),
    "additional_settings.prompt_extend": extra("prompt_extend"),
}
SHORT_SEED: dict[str, AnyField] = FIELDS | {"seed": folded(SEED31)}
SHAPED_BY_INPUT = SHORT_SEED | {"resolution": _wan.tier_alone(VENDOR)}

# -- the models ------------------------------------------------------------------


def wan_rules(said: Json) -> Iterator[Flaw]:
    """WAN 2.7 starts from a picture or from a clip; the last frame alone is no start."""
    if said.get("start_image_url") is not None or said.get("video_url") is not None:
        return
    if said.get("end_image_url") is not None:
        message = "Value error, end_image_url needs start_image_url or video_url beside it"
        yield custom_flaw(("end_image_url",), message)
    else:
        yield custom_flaw(("start_image_url",), "Field required: send start_image_url, or video_url to continue a clip")


def needs(field: str) -> Json:
    return {"required": [field], "properties": {field: {"type": "string"}}}


# The rule of `wan_rules`, for the published description.
STARTED = Meta(extra_json_schema={"anyOf": [needs("start_image_url"), needs("video_url")]})
PUBLISHED: dict[Any, Any] = {WanImageToVideo: Annotated[WanImageToVideo, STARTED]}
STARTS = {
    Role.FIRST_FRAME: Operation.IMAGE_TO_VIDEO,
    Role.VIDEO: Operation.VIDEO_EXTENSION,
    None: Operation.IMAGE_TO_VIDEO,
}
CLIP_ALONE = {Operation.IMAGE_TO_VIDEO: frozenset({Role.VIDEO})}


def model(at: str, name: str, operation: Operation, body: type[Struct], title: str, **more: Any) -> Endpoint:
    """A model has a path of its own; `name` is that of the catalog."""
    row: Json = {"makes": {None: operation}, "models": (name, at), "model_at": None} | more
    return Endpoint(at=at, route=at, title=title, body=body, **row)


# fmt: off
MODELS = (
    model("image-to-video/runway-4-5", "gen4.5", Operation.IMAGE_TO_VIDEO, RunwayImageToVideo,
          "Runway Gen 4.5, video from a picture"),
    model("text-to-video/runway-4-5", "gen4.5", Operation.TEXT_TO_VIDEO, RunwayTextToVideo,
          "Runway Gen 4.5, video from text"),
    model("image-to-video/runway-gen4-turbo", "gen4_turbo", Operation.IMAGE_TO_VIDEO, RunwayGen4Turbo,
          "Runway Gen 4 Turbo, video from a picture"),
    model("text-to-image/runway", "gen4_image", Operation.TEXT_TO_IMAGE, RunwayTextToImage,
          "Runway, picture from text"),
    model(WAN, "wan-2.7", Operation.IMAGE_TO_VIDEO, WanImageToVideo,
          "WAN 2.7, video from a picture, or a clip continued",
          makes=STARTS, excludes=CLIP_ALONE, fields=SHAPED_BY_INPUT, rules=wan_rules, rules_see_all=True),
    model("text-to-video/wan-2-7", "wan-2.7", Operation.TEXT_TO_VIDEO, WanTextToVideo,
          "WAN 2.7, video from text", fields=SHORT_SEED),
)
# fmt: on
OTHER_MODEL = re.compile(
    "(text-to-image|image-to-video|text-to-video|reference-to-video|video-edit|video|lip-sync|image-expand|voiceover"
    "|skin-enhancer)/[a-z0-9][a-z0-9-]{0,60}"
    "|mystic|text-to-image|gemini-2-5-flash-image-preview|image-upscaler(-precision(-v2)?)?|video-upscaler(-precision)?"
    "|image-relight|image-style-transfer|image-change-camera|ideogram-image-edit|skin-enhancer|music-generation"
    "|sound-effects|audio-isolation|improve-prompt|image-to-prompt|text-to-icon"
)
"""Paths below the root of models that the vendor has and this server does not, those to come included."""
