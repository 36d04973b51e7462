"""What Freepik is sent, as both ends of the wire read it: the bodies, their fields in our words, the models."""

import re
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from mutoscope.model.job import Json, MediaLimits, Operation, Role
from mutoscope.model.problem import Flaw, custom_flaw
from mutoscope.wirekit.media import BASE64_PATTERN, DATA_PATTERN, URL_PATTERN
from mutoscope.wires import _wan

ROOT = "/v1/ai/"
KEY_HEADERS = ("x-freepik-api-key", "x-magnific-api-key")  # the old host's and the new one's

# -- what the vendor takes: the bodies, with the vendor's bounds -----------------

# The patterns are for the published description; the rules themselves are `link_fault` and `_inputs.source`.
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
Seed31 = Annotated[int, Meta(ge=0, le=2147483647)]
Seed32 = Annotated[int, Meta(ge=0, le=4294967295)]
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


def needs(field: str) -> Json:
    return {"required": [field], "properties": {field: {"type": "string"}}}


# The rule of `wan_rules`, for the published description.
WanImageToVideoBody = Annotated[
    WanImageToVideo, Meta(extra_json_schema={"anyOf": [needs("start_image_url"), needs("video_url")]})
]


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


# -- the body's fields, in the vendor's words and in ours ------------------------

PLAIN = {"prompt": "prompt", "negative_prompt": "negative_prompt", "duration": "seconds", "seed": "seed"}
"""Body field → Generation field, where the value means the same."""

RESOLUTIONS = {"720P": "720p", "1080P": "1080p"}


class Medium(Struct, frozen=True, kw_only=True):
    """A body field that names a file."""

    role: Role
    limits: MediaLimits | None = None
    inline: bool = False  # takes a data URI and bare base64 beside a link


MEDIA = {
    "image": Medium(role=Role.FIRST_FRAME, inline=True),
    "start_image_url": Medium(role=Role.FIRST_FRAME, limits=_wan.IMAGE),
    "end_image_url": Medium(role=Role.LAST_FRAME, limits=_wan.IMAGE),
    "audio_url": Medium(role=Role.AUDIO, limits=_wan.AUDIO),
    "video_url": Medium(role=Role.VIDEO, limits=_wan.VIDEO),
}

OURS: dict[str, tuple[str, ...]] = {
    **{theirs: (ours,) for theirs, ours in PLAIN.items()},
    **{field: (medium.role.value,) for field, medium in MEDIA.items()},
    "ratio": ("width", "height"),
    "aspect_ratio": ("ratio", "width", "height"),  # a shape; with the tier of `resolution` it is a size
    "resolution": ("resolution",),
    "additional_settings": ("prompt_extend",),
}
"""Body field → what it says of a Generation: names of fields, of roles and of extras."""

# -- lists and uploads -----------------------------------------------------------


class ListQuery(Struct, frozen=True, kw_only=True):
    page: Annotated[int, Meta(ge=1, le=1_000_000_000)] = 1
    per_page: Annotated[int, Meta(ge=1, le=100)] = 20


# fmt: off
UploadType = Literal[
    "image/png", "image/jpeg", "image/webp",
    "video/mp4", "video/webm", "video/quicktime",
    "audio/mpeg", "audio/wav", "audio/mp4", "audio/webm", "audio/ogg",
]
# fmt: on
UPLOAD_BYTES = 1024 * 1024 * 1024
UPLOAD_SLOT_SECONDS = 120.0
UPLOAD_KEPT_SECONDS = 7 * 86400.0


class WishedFile(Struct, frozen=True, kw_only=True):
    content_type: UploadType


class UploadRequest(Struct, frozen=True, kw_only=True):
    files: Annotated[tuple[WishedFile, ...], Meta(min_length=1, max_length=14)]


# -- the models ------------------------------------------------------------------


class Model(Struct, frozen=True, kw_only=True):
    """One row of the table below."""

    route: str  # its path below /v1/ai/
    name: str  # in the catalog
    operation: Operation
    body: type[Struct]
    title: str
    rules: Callable[[Json], Iterator[Flaw]] | None = None  # between the fields of a body
    published: Any = None  # the body with those rules, for OpenAPI


def wan_rules(sent: Json) -> Iterator[Flaw]:
    """WAN 2.7 starts from a picture or from a clip; the last frame alone is no start."""
    if "start_image_url" in sent or "video_url" in sent:
        return
    if "end_image_url" in sent:
        message = "Value error, end_image_url needs start_image_url or video_url beside it"
        yield custom_flaw(("end_image_url",), message)
    else:
        yield custom_flaw(("start_image_url",), "Field required: send start_image_url, or video_url to continue a clip")


MODELS = (
    Model(
        route="image-to-video/runway-4-5",
        name="gen4.5",
        operation=Operation.IMAGE_TO_VIDEO,
        body=RunwayImageToVideo,
        title="Runway Gen 4.5, video from a picture",
    ),
    Model(
        route="text-to-video/runway-4-5",
        name="gen4.5",
        operation=Operation.TEXT_TO_VIDEO,
        body=RunwayTextToVideo,
        title="Runway Gen 4.5, video from text",
    ),
    Model(
        route="image-to-video/runway-gen4-turbo",
        name="gen4_turbo",
        operation=Operation.IMAGE_TO_VIDEO,
        body=RunwayGen4Turbo,
        title="Runway Gen 4 Turbo, video from a picture",
    ),
    Model(
        route="text-to-image/runway",
        name="gen4_image",
        operation=Operation.TEXT_TO_IMAGE,
        body=RunwayTextToImage,
        title="Runway, picture from text",
    ),
    Model(
        route="image-to-video/wan-2-7",
        name="wan-2.7",
        operation=Operation.IMAGE_TO_VIDEO,
        body=WanImageToVideo,
        title="WAN 2.7, video from a picture, or a clip continued",
        rules=wan_rules,
        published=WanImageToVideoBody,
    ),
    Model(
        route="text-to-video/wan-2-7",
        name="wan-2.7",
        operation=Operation.TEXT_TO_VIDEO,
        body=WanTextToVideo,
        title="WAN 2.7, video from text",
    ),
)

OTHER_MODEL = re.compile(
    "(text-to-image|image-to-video|text-to-video|reference-to-video|video-edit|video|lip-sync|image-expand|voiceover"
    "|skin-enhancer)/[a-z0-9][a-z0-9-]{0,60}"
    "|mystic|text-to-image|gemini-2-5-flash-image-preview|image-upscaler(-precision(-v2)?)?|video-upscaler(-precision)?"
    "|image-relight|image-style-transfer|image-change-camera|ideogram-image-edit|skin-enhancer|music-generation"
    "|sound-effects|audio-isolation|improve-prompt|image-to-prompt|text-to-icon"
)
"""Paths below ROOT of models that the vendor has and this server does not, those to come included."""

BODY_FIELDS = frozenset(name for model in MODELS for name in model.body.__struct_fields__)
