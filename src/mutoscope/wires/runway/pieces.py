"""What Runway's request bodies are built from: bounded texts, media strings, images with a position or a tag."""

import re
from collections.abc import Callable
from functools import partial, reduce
from typing import Annotated, Any, Literal, TypeVar, get_args

from msgspec import UNSET, Meta, Struct, UnsetType, defstruct

from mutoscope.model.job import Json, Operation
from mutoscope.wirekit.members import many, number, text, whole
from mutoscope.wires.runway.values import VoicePreset

T = TypeVar("T")
Maybe = T | UnsetType
"""A field that may be left out. JSON null is refused, as the vendor refuses it."""


def uri(pattern: str, longest: int) -> Any:
    return Annotated[str, Meta(min_length=MIN_URI, max_length=longest, extra_json_schema={"pattern": pattern})]


def piece(name: str, /, about: str = "", told_by: str = "", told_in: str = "type", **members: Any) -> Any:
    """A part of a body, where several may stand told by its `told_in`. What is left out is UNSET, never a default."""
    tagged: Json = {"tag_field": told_in, "tag": told_by} if told_by else {}
    fields = [(each, type, UNSET) if UnsetType in get_args(type) else (each, type) for each, type in members.items()]
    namespace = {"__doc__": about} if about else None
    return defstruct(name, fields, namespace=namespace, module=__name__, rename="camel", kw_only=True, **tagged)


Some = text()
Seed = whole(0, 2**32 - 1)
Percent = whole(0, 100)
Share = number(0, 1)
Positive = number(0)
Auto = Literal["auto"]
SAFE = 2**53 - 1  # the largest whole number in JavaScript, and with that the vendor's own bound where it names none
AnySeconds = whole(1, 86_400)  # the vendor names no bound; a day is ours

MAX_IMAGE_TEXT = 5_242_880
MAX_STREAM_TEXT = 16_777_216
MIN_URI, MAX_LINK, MAX_UPLOAD_URI = 13, 2048, 5000
UPLOAD_SCHEME = "runway://"
# Plain http is let through here: whether the host may be fetched is the server's decision, not the wire's.
IMAGE_PATTERN = "^(https?://|runway://|data:image/)"
VIDEO_PATTERN = "^(https?://|runway://|data:video/)"
AUDIO_PATTERN = "^(https?://|runway://|data:audio/)"
# The patterns are checked after decoding and only published here: msgspec 0.22 corrupts its memory when a type
# is a text with a pattern or an array, as promptImage is.
Image, Video = uri(IMAGE_PATTERN, MAX_IMAGE_TEXT), uri(VIDEO_PATTERN, MAX_STREAM_TEXT)
Audio = uri(AUDIO_PATTERN, MAX_STREAM_TEXT)
Tag = Annotated[str, Meta(min_length=3, max_length=16, pattern="^[a-z][a-z0-9_]+$")]

# fmt: off
PlainImage = piece("PlainImage", uri=Image)
TypedImage = piece("TypedImage", type=Literal["image"], uri=Image)
TaggedImage = piece("TaggedImage", uri=Image, tag=Maybe[Tag])
SubjectImage = piece("SubjectImage", uri=Image, tag=Maybe[Tag], subject=Maybe[Literal["object", "human"]])
FirstImage = piece("FirstImage", uri=Image, position=Literal["first"])
FrameImage = piece("FrameImage", uri=Image, position=Literal["first", "last"])
LooseImage = piece("LooseImage", "Without a position it is a reference; the two ways cannot be mixed in one array.",
                   uri=Image, position=Maybe[Literal["first", "last"]])
AnyFrame = piece("AnyFrame", "The words for the frames between the first and the last are not published.",
                 uri=Image, position=Maybe[str])
First, FirstLast = Image | many(FirstImage, 1, 1), Image | many(FrameImage, 2, 1)
Loose, Loose9 = Image | many(LooseImage), Image | many(LooseImage, 9, 1)

Sound = piece("AudioReference", type=Literal["audio"], uri=Audio)
Clip = piece("VideoReference", type=Literal["video"], uri=Video)
LooseClip = piece("LooseVideo", type=Maybe[Literal["video"]], uri=Maybe[Video])
ImageFile = piece("ImageFile", told_by="image", uri=Image)
VideoFile = piece("VideoFile", told_by="video", uri=Video)
AudioFile = piece("AudioFile", told_by="audio", uri=Audio)
PresetVoice = piece("PresetVoice", type=Literal["runway-preset"], preset_id=VoicePreset)
ReferenceVoice = piece("ReferenceVoice", type=Literal["reference-audio"], audio_uri=Audio)


class Span(Struct, frozen=True, kw_only=True):
    start_seconds: Annotated[int, Meta(ge=0, le=SAFE)]
    end_seconds: Annotated[int, Meta(ge=0, le=SAFE)]


Keyframe = Annotated[
    piece("Keyframe", "Exactly one of `seconds` and `at` says when the picture is shown.", uri=Image,
          seconds=Maybe[number(0, 30)], at=Maybe[Share], range=Maybe[Span]),
    Meta(extra_json_schema={"oneOf": [{"required": ["seconds"]}, {"required": ["at"]}]}),
]
ContentModeration = piece("ContentModeration", public_figure_threshold=Maybe[Literal["auto", "low"]])
Shot = piece("Shot", prompt=str, duration=AnySeconds)
KlingSettings = piece("KlingSettings", multi_prompt=Maybe[many(Shot)],
                      shot_type=Maybe[Literal["intelligence", "customize"]], keep_original_sound=Maybe[bool])
# fmt: on

# fmt: off
RunwayFormat = Literal[
    "mp4", "prores", "png_sequence", "hdr10", "hlg", "sdr_rec709_10bit", "hdr_pq_12bit_master", "hdr_prores",
    "hdr_png_sequence", "hdr_exr_sequence", "hdr_exr_acescg_sequence_1_3", "hdr_exr_acescg_sequence_2_0",
]
# fmt: on
ProresProfile = Literal["422", "4444", "422 Proxy", "422 LT", "422 HQ", "4444 XQ"]
SampleRate = Literal[8000, 16000, 24000, 32000, 44100, 48000]


# ---- a row for each model

Row = Callable[[Operation, str], Any]
"""Path and module → the body of one model there."""


def body(models: str, members: Json, *, strict: bool = False, lone: bool = False, **may: Any) -> list[Row]:
    """The same for several models, whose names stand apart by blanks. `strict`: unknown keys are refused, and not
    ignored; `lone`: it is the only model of its path; `may`: what can be left out."""
    return [partial(struct, model, members, may, strict, lone) for model in models.split()]


def needs(**members: Any) -> Json:
    return members


def bodies(operation: Operation, *rows: list[Row], module: str) -> Any:
    """A struct a row, told apart by `model` where there are several."""
    structs = [row(operation, module) for each in rows for row in each]
    return reduce(lambda one, other: one | other, structs)


def struct(model: str, members: Json, may: Json, strict: bool, lone: bool, operation: Operation, module: str) -> Any:
    tagged: Json = {} if lone else {"tag_field": "model", "tag": model}
    needed: Json = ({"model": Literal[model]} if lone else {}) | members  # pyright: ignore
    return defstruct(
        "".join(word[:1].upper() + word[1:] for word in re.findall("[A-Za-z0-9]+", f"{model}_{operation}")),
        [*needed.items(), *((name, type | UnsetType, UNSET) for name, type in may.items())],
        module=module,
        rename="camel",
        kw_only=True,
        forbid_unknown_fields=strict,
        **tagged,
    )
