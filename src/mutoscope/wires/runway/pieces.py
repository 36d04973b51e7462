"""What Runway's request bodies are built from: bounded texts, media strings, images with a position or a tag."""

import re
from functools import reduce
from typing import Annotated, Any, Literal, TypeVar

from msgspec import UNSET, Meta, Struct, UnsetType, defstruct

from mutoscope.model.job import Json, Operation
from mutoscope.wires.runway.values import VoicePreset

T = TypeVar("T")
Maybe = T | UnsetType
"""A field that may be left out. JSON null is refused, as the vendor refuses it."""

Some = Annotated[str, Meta(min_length=1)]
Text1000 = Annotated[str, Meta(min_length=1, max_length=1000)]
Text2048 = Annotated[str, Meta(min_length=1, max_length=2048)]
Text2500 = Annotated[str, Meta(min_length=2, max_length=2500)]
Text3000 = Annotated[str, Meta(min_length=1, max_length=3000)]
Text3500 = Annotated[str, Meta(min_length=1, max_length=3500)]
Text4000 = Annotated[str, Meta(min_length=1, max_length=4000)]
Text5000 = Annotated[str, Meta(min_length=1, max_length=5000)]
Text5500 = Annotated[str, Meta(min_length=1, max_length=5500)]
Text6000 = Annotated[str, Meta(min_length=1, max_length=6000)]
Text15000 = Annotated[str, Meta(min_length=1, max_length=15000)]
Text32000 = Annotated[str, Meta(min_length=1, max_length=32000)]

Seed = Annotated[int, Meta(ge=0, le=4294967295)]
Percent = Annotated[int, Meta(ge=0, le=100)]
Share = Annotated[float, Meta(ge=0, le=1)]
Auto = Literal["auto"]
Seconds2to10 = Annotated[int, Meta(ge=2, le=10)]
Seconds3to10 = Annotated[int, Meta(ge=3, le=10)]
Seconds3to15 = Annotated[int, Meta(ge=3, le=15)]
Seconds4to15 = Annotated[int, Meta(ge=4, le=15)] | Auto
Seconds4to30 = Annotated[int, Meta(ge=4, le=30)] | Auto
Seconds5to15 = Annotated[int, Meta(ge=5, le=15)]
Positive = Annotated[float, Meta(ge=0)]
SAFE = 2**53 - 1  # the largest whole number in JavaScript, and with that the vendor's own bound where it names none
AnySeconds = Annotated[int, Meta(ge=1, le=86_400)]  # the vendor names no bound; a day is ours

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
Image = Annotated[
    str, Meta(min_length=MIN_URI, max_length=MAX_IMAGE_TEXT, extra_json_schema={"pattern": IMAGE_PATTERN})
]
Video = Annotated[
    str, Meta(min_length=MIN_URI, max_length=MAX_STREAM_TEXT, extra_json_schema={"pattern": VIDEO_PATTERN})
]
Audio = Annotated[
    str, Meta(min_length=MIN_URI, max_length=MAX_STREAM_TEXT, extra_json_schema={"pattern": AUDIO_PATTERN})
]
Tag = Annotated[str, Meta(min_length=3, max_length=16, pattern="^[a-z][a-z0-9_]+$")]


class Piece(Struct, rename="camel"):
    """A part of a body. Fields that are left out are UNSET, never a default."""


class FirstImage(Piece, kw_only=True):
    uri: Image
    position: Literal["first"]


class FrameImage(Piece, kw_only=True):
    uri: Image
    position: Literal["first", "last"]


class LooseImage(Piece, kw_only=True):
    """Without a position it is a reference; the two ways cannot be mixed in one array."""

    uri: Image
    position: Maybe[Literal["first", "last"]] = UNSET


class AnyFrame(Piece, kw_only=True):
    """The words for the frames between the first and the last are not published."""

    uri: Image
    position: Maybe[str] = UNSET


class PlainImage(Piece, kw_only=True):
    uri: Image


class TypedImage(Piece, kw_only=True):
    type: Literal["image"]
    uri: Image


class TaggedImage(Piece, kw_only=True):
    uri: Image
    tag: Maybe[Tag] = UNSET


class SubjectImage(TaggedImage, kw_only=True):
    subject: Maybe[Literal["object", "human"]] = UNSET


class AudioReference(Piece, kw_only=True):
    type: Literal["audio"]
    uri: Audio


class VideoReference(Piece, kw_only=True):
    type: Literal["video"]
    uri: Video


class LooseVideo(Piece, kw_only=True):
    type: Maybe[Literal["video"]] = UNSET
    uri: Maybe[Video] = UNSET


class ImageFile(Piece, kw_only=True, tag_field="type", tag="image"):
    uri: Image


class VideoFile(Piece, kw_only=True, tag_field="type", tag="video"):
    uri: Video


class AudioFile(Piece, kw_only=True, tag_field="type", tag="audio"):
    uri: Audio


class Span(Struct, frozen=True, kw_only=True):
    start_seconds: Annotated[int, Meta(ge=0, le=SAFE)]
    end_seconds: Annotated[int, Meta(ge=0, le=SAFE)]


class Keyframe(Piece, kw_only=True):
    """Exactly one of `seconds` and `at` says when the picture is shown."""

    uri: Image
    seconds: Maybe[Annotated[float, Meta(ge=0, le=30)]] = UNSET
    at: Maybe[Share] = UNSET
    range: Maybe[Span] = UNSET


class ContentModeration(Piece, kw_only=True):
    public_figure_threshold: Maybe[Literal["auto", "low"]] = UNSET


class PresetVoice(Piece, kw_only=True):
    type: Literal["runway-preset"]
    preset_id: VoicePreset


class ReferenceVoice(Piece, kw_only=True):
    type: Literal["reference-audio"]
    audio_uri: Audio


class Shot(Piece, kw_only=True):
    prompt: str
    duration: AnySeconds


class KlingSettings(Piece, kw_only=True):
    multi_prompt: Maybe[list[Shot]] = UNSET
    shot_type: Maybe[Literal["intelligence", "customize"]] = UNSET
    keep_original_sound: Maybe[bool] = UNSET


First = Image | Annotated[list[FirstImage], Meta(min_length=1, max_length=1)]
FirstLast = Image | Annotated[list[FrameImage], Meta(min_length=1, max_length=2)]
Loose = Image | list[LooseImage]
Loose9 = Image | Annotated[list[LooseImage], Meta(min_length=1, max_length=9)]
Audios3 = Annotated[list[AudioReference], Meta(max_length=3)]
Audios10 = Annotated[list[AudioReference], Meta(max_length=10)]
Videos2 = Annotated[list[VideoReference], Meta(max_length=2)]
Videos3 = Annotated[list[VideoReference], Meta(max_length=3)]
Videos9 = Annotated[list[VideoReference], Meta(max_length=9)]
Videos10 = Annotated[list[VideoReference], Meta(max_length=10)]
Images5 = Annotated[list[PlainImage], Meta(max_length=5)]
Images9 = Annotated[list[PlainImage], Meta(max_length=9)]
Images10 = Annotated[list[PlainImage], Meta(max_length=10)]
Images14 = Annotated[list[PlainImage], Meta(max_length=14)]
Images30 = Annotated[list[PlainImage], Meta(max_length=30)]
Tagged3 = Annotated[list[TaggedImage], Meta(max_length=3)]
Tagged16 = Annotated[list[TaggedImage], Meta(max_length=16)]
Subjects14 = Annotated[list[SubjectImage], Meta(max_length=14)]
KeyframeOrTime = Annotated[
    Keyframe, Meta(extra_json_schema={"oneOf": [{"required": ["seconds"]}, {"required": ["at"]}]})
]

RunwayFormat = Literal[
    "mp4",
    "prores",
    "png_sequence",
    "hdr10",
    "hlg",
    "sdr_rec709_10bit",
    "hdr_pq_12bit_master",
    "hdr_prores",
    "hdr_png_sequence",
    "hdr_exr_sequence",
    "hdr_exr_acescg_sequence_1_3",
    "hdr_exr_acescg_sequence_2_0",
]
ProresProfile = Literal["422", "4444", "422 Proxy", "422 LT", "422 HQ", "4444 XQ"]
SampleRate = Literal[8000, 16000, 24000, 32000, 44100, 48000]
SpeechRate = Annotated[int, Meta(ge=-50, le=100)]
PitchRate = Annotated[int, Meta(ge=-12, le=12)]


# ---- a row for each model


class Row(Struct, frozen=True, kw_only=True):
    """The body of one model at one path. Its members have their names in Python; those of `may` can be left out."""

    model: str
    needs: Json
    may: Json
    strict: bool  # unknown keys are refused, and not ignored
    lone: bool  # the only model of its path


def body(models: str, members: Json, *, strict: bool = False, lone: bool = False, **may: Any) -> list[Row]:
    """The same for several models, whose names stand apart by blanks."""
    return [Row(model=model, needs=members, may=may, strict=strict, lone=lone) for model in models.split()]


def needs(**members: Any) -> Json:
    return members


def bodies(operation: Operation, *rows: list[Row], module: str) -> Any:
    """A struct a row, told apart by `model` where there are several."""
    structs: list[Any] = [struct(operation, module, row) for each in rows for row in each]
    return reduce(lambda one, other: one | other, structs)


def struct(operation: Operation, module: str, row: Row) -> type[Struct]:
    tagged: Json = {} if row.lone else {"tag_field": "model", "tag": row.model}
    needed: Json = ({"model": Literal[row.model]} if row.lone else {}) | row.needs  # pyright: ignore
    return defstruct(
        "".join(word[:1].upper() + word[1:] for word in WORD.findall(f"{row.model}_{operation}")),
        [*needed.items(), *((name, type | UnsetType, UNSET) for name, type in row.may.items())],
        module=module,
        rename="camel",
        kw_only=True,
        forbid_unknown_fields=row.strict,
        **tagged,
    )


WORD = re.compile("[A-Za-z0-9]+")
