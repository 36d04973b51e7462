"""Replicate's models: for each what its `input` may hold, what it makes, and its row in the catalog.

A client may name any other `owner/name` too; `Input` is what is read of such a model's input.
"""

import hashlib
from collections.abc import Mapping
from typing import Annotated, Literal

from msgspec import Meta, Struct
from msgspec.structs import replace

from mutoscope.model.catalog import Model, a_job, a_second, an_image, pixels_of
from mutoscope.model.job import Generation, Json, MediaLimits, Operation, Role
from mutoscope.wirekit.back import Way
from mutoscope.wirekit.body import wholes
from mutoscope.wirekit.fields import AnyField, Field, FileField, alias, extra, same, sized
from mutoscope.wirekit.known import KnownModel, Makes, row_of

Link = Annotated[str, Meta(extra_json_schema={"format": "uri"})]
Seed = Annotated[int, Meta(ge=0, le=2**32 - 1)]
Percent = Annotated[int, Meta(ge=0, le=100)]
Count = Annotated[int, Meta(ge=1, le=4)]
Side = Annotated[int, Meta(ge=64, le=4096)]
Picture = Literal["webp", "jpg", "png"]
Shape = Literal["1:1", "16:9", "21:9", "3:2", "2:3", "4:5", "5:4", "3:4", "4:3", "9:16", "9:21"]
# fmt: off
FLUX_SIZES: Mapping[str, tuple[int, int]] = {
    "1:1": (1024, 1024), "16:9": (1344, 768), "21:9": (1536, 640), "3:2": (1216, 832), "2:3": (832, 1216),
    "4:5": (896, 1088), "5:4": (1088, 896), "3:4": (896, 1152), "4:3": (1152, 896), "9:16": (768, 1344),
    "9:21": (640, 1536),
}
# fmt: on
TIERS = ("480p", "720p", "1080p")
SHAPES = ("16:9", "9:16", "1:1", "4:3", "3:4", "21:9", "9:21")

# -- what a model's input may hold -----------------------------------------------------


class FluxSchnell(Struct, kw_only=True):
    prompt: str
    aspect_ratio: Shape | None = None
    num_outputs: Count | None = None
    num_inference_steps: Annotated[int, Meta(ge=1, le=4)] | None = None
    seed: Seed | None = None
    output_format: Picture | None = None
    output_quality: Percent | None = None
    disable_safety_checker: bool | None = None
    go_fast: bool | None = None
    megapixels: Literal["1", "0.25"] | None = None


class FluxDev(FluxSchnell, kw_only=True):
    image: Link | None = None
    prompt_strength: Annotated[float, Meta(ge=0, le=1)] | None = None
    num_inference_steps: Annotated[int, Meta(ge=1, le=50)] | None = None
    guidance: Annotated[float, Meta(ge=0, le=10)] | None = None


class FluxPro(Struct, kw_only=True):
    prompt: str
    aspect_ratio: Shape | None = None
    seed: Seed | None = None
    output_format: Picture | None = None
    output_quality: Percent | None = None
    safety_tolerance: Annotated[int, Meta(ge=1, le=6)] | None = None
    prompt_upsampling: bool | None = None


class FluxKontext(Struct, kw_only=True):
    prompt: str
    input_image: Link | None = None
    aspect_ratio: Literal[Shape, "match_input_image"] | None = None
    seed: Seed | None = None
    output_format: Literal["jpg", "png"] | None = None
    safety_tolerance: Annotated[int, Meta(ge=0, le=6)] | None = None
    prompt_upsampling: bool | None = None


class Sdxl(Struct, kw_only=True):
    prompt: str | None = None
    negative_prompt: str | None = None
    image: Link | None = None
    mask: Link | None = None
    width: Side | None = None
    height: Side | None = None
    num_outputs: Count | None = None
    scheduler: str | None = None
    num_inference_steps: Annotated[int, Meta(ge=1, le=500)] | None = None
    guidance_scale: Annotated[float, Meta(ge=1, le=50)] | None = None
    prompt_strength: Annotated[float, Meta(ge=0, le=1)] | None = None
    seed: Seed | None = None
    refine: str | None = None
    apply_watermark: bool | None = None
    disable_safety_checker: bool | None = None


class NanoBanana(Struct, kw_only=True):
    prompt: str
    image_input: Annotated[list[Link], Meta(max_length=14)] | None = None
    aspect_ratio: Literal[Shape, "match_input_image"] | None = None
    output_format: Literal["jpg", "png"] | None = None


class RealEsrgan(Struct, kw_only=True):
    image: Link
    scale: Annotated[float, Meta(ge=0, le=10)] | None = None
    face_enhance: bool | None = None


class WanText(Struct, kw_only=True):
    prompt: str
    aspect_ratio: Literal["16:9", "9:16"] | None = None
    num_frames: Annotated[int, Meta(ge=81, le=121)] | None = None
    frames_per_second: Annotated[int, Meta(ge=5, le=30)] | None = None
    resolution: Literal["480p", "720p"] | None = None
    seed: Seed | None = None
    go_fast: bool | None = None
    interpolate_output: bool | None = None
    optimize_prompt: bool | None = None
    sample_shift: Annotated[float, Meta(ge=1, le=20)] | None = None
    disable_safety_checker: bool | None = None


class WanImage(Struct, kw_only=True):
    prompt: str
    image: Link
    last_image: Link | None = None
    num_frames: Annotated[int, Meta(ge=81, le=121)] | None = None
    frames_per_second: Annotated[int, Meta(ge=5, le=30)] | None = None
    resolution: Literal["480p", "720p"] | None = None
    seed: Seed | None = None
    go_fast: bool | None = None
    interpolate_output: bool | None = None
    sample_shift: Annotated[float, Meta(ge=1, le=20)] | None = None
    disable_safety_checker: bool | None = None


class Kling(Struct, kw_only=True):
    prompt: str
    start_image: Link
    end_image: Link | None = None
    negative_prompt: str | None = None
    mode: Literal["standard", "pro"] | None = None
    duration: Literal[5, 10] | None = None


class MiniMax(Struct, kw_only=True):
    prompt: str
    first_frame_image: Link | None = None
    prompt_optimizer: bool | None = None


class Seedance(Struct, kw_only=True):
    prompt: str
    image: Link | None = None
    last_frame_image: Link | None = None
    duration: Annotated[int, Meta(ge=2, le=12)] | None = None
    resolution: Literal["480p", "720p", "1080p"] | None = None
    aspect_ratio: Literal["16:9", "4:3", "1:1", "3:4", "9:16", "21:9", "9:21"] | None = None
    fps: Literal[24] | None = None
    camera_fixed: bool | None = None
    seed: Seed | None = None


class HelloWorld(Struct, kw_only=True):
    text: str


class Input(Struct, kw_only=True):
    """What is read of the input of a model that has no struct here: the members that most models share."""

    prompt: str | None = None
    text: str | None = None
    negative_prompt: str | None = None
    image: Link | None = None
    input_image: Link | None = None
    image_prompt: Link | None = None
    start_image: Link | None = None
    first_frame_image: Link | None = None
    last_image: Link | None = None
    end_image: Link | None = None
    last_frame_image: Link | None = None
    mask: Link | None = None
    video: Link | None = None
    audio: Link | None = None
    image_input: list[Link] | None = None
    reference_images: list[Link] | None = None
    seed: Annotated[int, Meta(ge=-1, le=2**63 - 1)] | None = None
    resolution: str | None = None
    aspect_ratio: str | None = None
    duration: Annotated[float, Meta(ge=0, le=3600)] | None = None
    num_frames: Annotated[int, Meta(ge=1, le=100_000)] | None = None
    frames_per_second: Annotated[int, Meta(ge=1, le=240)] | None = None
    fps: Annotated[int, Meta(ge=1, le=240)] | None = None
    width: Annotated[int, Meta(ge=1, le=16384)] | None = None
    height: Annotated[int, Meta(ge=1, le=16384)] | None = None
    num_outputs: Annotated[int, Meta(ge=1, le=100)] | None = None
    output_format: str | None = None
    scale: Annotated[float, Meta(ge=0, le=16)] | None = None


# -- what its members say --------------------------------------------------------------

WAYS = (Way.LINK, Way.UPLOAD, Way.DATA)
LARGEST = MediaLimits(max_bytes=100_000_000)


def file(role: Role, *, many: bool = False) -> FileField:
    return FileField(role=role, limits=LARGEST, ways=WAYS, many=many)


def number(name: str, theirs: type = float) -> Field:
    """A figure, whole where it can be."""
    return Field(
        ours=(name,),
        read=lambda value: {name: theirs(value)},
        write=lambda wish: wholes(getattr(wish, name)),
    )


MOST_FRAMES = 100_000
WAN_FPS = 16
"""Frames a second of a clip whose request names none."""


def frames() -> Field:
    """How many pictures a clip has. One of 81 lasts five seconds; another rate is seen to where the input is whole."""

    def write(wish: Generation) -> float | None:
        if wish.seconds is None:
            return None
        count = wish.seconds * (wish.fps or WAN_FPS) + 1
        return round(count) if count < MOST_FRAMES else count  # which is refused

    return Field(ours=("seconds",), read=lambda value: {"seconds": (value - 1) / WAN_FPS}, write=write)


def framed(wish: Generation) -> tuple[str | None, str | None]:
    """Shape and tier: as they were asked for, or those that a size in pixels stands for."""
    shape = wish.extra.get("ratio")
    if wish.width is None or wish.height is None:
        return shape, wish.resolution
    asked = (wish.width, wish.height)
    found = ((each, tier) for tier in TIERS for each in SHAPES if pixels_of(each, tier) == asked)
    return next(found, (f"{wish.width}x{wish.height}", wish.resolution))  # which is refused, with what would be right


SHAPE = Field(
    ours=("ratio", "width", "height"),
    read=lambda value: {"extra": {"ratio": value}},
    write=lambda wish: framed(wish)[0],
)
TIER = Field(
    ours=("resolution",),
    read=lambda value: {"resolution": value.lower()},
    write=lambda wish: framed(wish)[1],
)
OF_FLUX = sized("ratio", FLUX_SIZES)


def as_input(value: str) -> Json:
    """The shape of the picture that is edited is what nothing asks for."""
    return {} if value == "match_input_image" else OF_FLUX.read(value)


FLUX_SHAPE = replace(OF_FLUX, read=as_input)
SCALE = Field(
    ours=("scaleFactor",),
    read=lambda value: {"extra": {"scaleFactor": wholes(value)}},
    write=lambda wish: wish.extra.get("scaleFactor"),
)
KNOBS = (
    *("go_fast", "megapixels", "num_inference_steps", "guidance", "guidance_scale", "scheduler", "refine"),
    *("output_format", "output_quality", "disable_safety_checker", "safety_tolerance", "prompt_upsampling"),
    *("apply_watermark", "face_enhance", "interpolate_output", "optimize_prompt", "sample_shift", "mode"),
    *("prompt_optimizer", "camera_fixed"),
)
"""Members that go to the model itself; an engine that has none of these goes on without, and says so."""
PLAIN: Mapping[str, AnyField] = {
    "prompt": same("prompt"),
    "negative_prompt": same("negative_prompt"),
    "seed": same("seed"),
    "num_outputs": same("count"),
    "width": same("width"),
    "height": same("height"),
    "fps": same("fps"),
    "frames_per_second": same("fps"),
    "duration": number("seconds"),
    "num_frames": frames(),
    "scale": SCALE,
    "prompt_strength": extra("prompt_strength"),
    **{name: extra(name) for name in KNOBS},
    "video": file(Role.VIDEO),
    "audio": file(Role.AUDIO),
    "reference_images": file(Role.REFERENCE, many=True),
    "last_image": file(Role.LAST_FRAME),
    "end_image": file(Role.LAST_FRAME),
    "last_frame_image": file(Role.LAST_FRAME),
}
FIRST = ("image", "input_image", "image_prompt", "start_image", "first_frame_image")
PICTURES: Mapping[str, AnyField] = {
    "aspect_ratio": FLUX_SHAPE,
    "resolution": TIER,
    **PLAIN,
    **{name: file(Role.IMAGE) for name in FIRST},
    "image_input": file(Role.IMAGE, many=True),
    "mask": file(Role.MASK),
}
CLIPS: Mapping[str, AnyField] = {
    "aspect_ratio": SHAPE,
    "resolution": TIER,
    **PLAIN,
    **{name: file(Role.FIRST_FRAME) for name in FIRST},
}
WORDS: Mapping[str, AnyField] = {"text": same("prompt")}
SPARE = (*FIRST[1:], "image_input", "end_image", "last_frame_image", "num_frames", "frames_per_second", "text")


def open_fields(fields: Mapping[str, AnyField]) -> dict[str, AnyField]:
    """Of the members that say the same, one is written to a model that is not known."""
    return {name: alias(field) if name in SPARE else field for name, field in {**WORDS, **fields}.items()}


OPEN_PICTURES = open_fields(PICTURES)
OPEN_CLIPS = open_fields(CLIPS)

# -- the models ------------------------------------------------------------------------

T2I: Makes = {None: Operation.TEXT_TO_IMAGE}
I2I: Makes = {Role.MASK: Operation.IMAGE_INPAINT, Role.IMAGE: Operation.IMAGE_TO_IMAGE, **T2I}
EDIT: Makes = {Role.IMAGE: Operation.IMAGE_TO_IMAGE, **T2I}
FROM_FIRST: Makes = {Role.FIRST_FRAME: Operation.IMAGE_TO_VIDEO}
T2V: Makes = {None: Operation.TEXT_TO_VIDEO}
VIDEO: Makes = {**FROM_FIRST, **T2V}
ANY_CLIP: Makes = {Role.VIDEO: Operation.VIDEO_TO_VIDEO, **FROM_FIRST, Role.LAST_FRAME: Operation.IMAGE_TO_VIDEO, **T2V}


class Known(KnownModel, frozen=True, kw_only=True):
    many: bool = False  # its output is a list, of one file too
    texts: bool = False  # its output is words
    versions: tuple[str, ...] = ()  # ids at the vendor; a model that has none is called by its name

    @property
    def official(self) -> bool:
        return not self.versions

    @property
    def version(self) -> str:
        """The id of its latest version; of one that the vendor calls by its name an id of ours."""
        return self.versions[0] if self.versions else hashlib.sha256(f"mutoscope:{self.word}".encode()).hexdigest()


SQUARE: Json = {"width": 1024, "height": 1024}
WAN: Json = {"resolution": "480p", "seconds": 5.0, "fps": 16}
CLIP: Json = {"resolution": "720p", "seconds": 5.0, "fps": 24}
SDXL = (
    "7762fd07cf82c948538e41f63f77d685e02b063e37e496e96eefd46c929f9bdc",
    "39ed52f2a78e934b3ba6e2a89f5b1c712de7dfea535525255b1aa35c5565e08b",
)
ESRGAN = ("f121d640bd286e1fdc67f9799164c1d5be36ff74576ee11c803ae5b665dd46aa",)
HELLO = ("9dcd6d78e7c6560c340d916fe32e9f24aabfa331e5cce95fe31f77fb03121426",)

# fmt: off
KNOWN = (
    Known(word="black-forest-labs/flux-schnell", about="Pictures from words, in few steps", input=FluxSchnell,
          fields=PICTURES, makes=T2I, price=an_image(0.3), defaults=SQUARE, many=True),
    Known(word="black-forest-labs/flux-dev", about="Pictures from words or from a picture", input=FluxDev,
          fields=PICTURES, makes=EDIT, price=an_image(2.5), defaults=SQUARE, many=True),
    Known(word="black-forest-labs/flux-1.1-pro", about="Pictures from words", input=FluxPro,
          fields=PICTURES, makes=T2I, price=an_image(4), defaults=SQUARE),
    Known(word="black-forest-labs/flux-kontext-pro", about="A picture edited in words", input=FluxKontext,
          fields=PICTURES, makes=EDIT, price=an_image(4), defaults=SQUARE),
    Known(word="stability-ai/sdxl", about="Pictures from words, from a picture, within a mask", input=Sdxl,
          fields=PICTURES, makes=I2I, price=an_image(0.5), defaults=SQUARE, many=True, versions=SDXL),
    Known(word="google/nano-banana", about="Pictures from words and pictures", input=NanoBanana,
          fields=PICTURES, makes=EDIT, price=an_image(3.9), defaults=SQUARE),
    Known(word="nightmareai/real-esrgan", about="A picture enlarged", input=RealEsrgan,
          fields=PICTURES, makes={Role.IMAGE: Operation.IMAGE_UPSCALE}, price=an_image(0.2), defaults={},
          versions=ESRGAN),
    Known(word="wan-video/wan-2.2-i2v-fast", about="A clip from a picture", input=WanImage,
          fields=CLIPS, makes=FROM_FIRST, price=a_second(1), defaults=WAN),
    Known(word="wan-video/wan-2.2-t2v-fast", about="A clip from words", input=WanText,
          fields=CLIPS, makes=T2V, price=a_second(1), defaults=WAN),
    Known(word="kwaivgi/kling-v2.1", about="A clip from a picture", input=Kling,
          fields=CLIPS, makes=FROM_FIRST, price=a_second(5), defaults=CLIP, max_seconds=10),
    Known(word="minimax/video-01", about="A clip of six seconds from words or a picture", input=MiniMax,
          fields=CLIPS, makes=VIDEO, price=a_job(50), defaults=CLIP | {"seconds": 6.0}),
    Known(word="bytedance/seedance-1-lite", about="A clip from words or a picture", input=Seedance,
          fields=CLIPS, makes=VIDEO, price=a_second(3.6), defaults=CLIP, max_seconds=12),
    Known(word="replicate/hello-world", about="Says hello to a text", input=HelloWorld,
          fields=WORDS, makes={None: Operation.TEXT_TO_TEXT}, price=a_job(0.1), defaults={}, texts=True,
          versions=HELLO),
)
# fmt: on
BY_WORD: dict[str, Known] = {each.word: each for each in KNOWN}
BY_VERSION: dict[str, Known] = {id: each for each in KNOWN for id in (*each.versions, each.version)}
ROWS: tuple[Model, ...] = tuple(row_of(each, "replicate", knobs=KNOBS, versions=each.versions) for each in KNOWN)


TELLING = frozenset({
    *("duration", "fps", "num_frames", "frames_per_second", "video", "last_image", "end_image", "last_frame_image"),
    *("start_image", "first_frame_image"),
})  # fmt: skip
"""Members that only models of clips have."""


def said_seconds(said: Json) -> float | None:
    """How long a clip lasts whose rate is told, in frames; None where that is not so."""
    rate, count = said.get("frames_per_second"), said.get("num_frames")
    return ((count or 81) - 1) / rate if rate and "duration" not in said else None
