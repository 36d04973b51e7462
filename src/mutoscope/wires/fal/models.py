"""fal's models: for each what its body may hold, what it makes and how its answer shows it; and its row.

A client may name any other id too; `Input` is what is read of such a model's body.
"""

import base64
import math
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, cast

from msgspec import Meta, Struct
from msgspec.structs import replace

from mutoscope.model.catalog import Model, Price, a_job, a_second, an_image, nominal
from mutoscope.model.job import Generation, Job, Json, Operation, Output, Role, is_unsafe
from mutoscope.wirekit import members
from mutoscope.wirekit.back import Way
from mutoscope.wirekit.body import wholes
from mutoscope.wirekit.fields import (
    AnyField,
    Field,
    FileField,
    alias,
    extra,
    figure,
    same,
    seconds,
    shaped,
    sized,
    tiered,
)
from mutoscope.wirekit.ids import uuid4_form
from mutoscope.wirekit.known import KnownModel, Makes, row_of
from mutoscope.wirekit.media import LinkOrData

LITERAL: Any = Literal


def one(*values: str | int) -> Any:
    return LITERAL[values]


# -- the types of members ----------------------------------------------------------------

# fmt: off
SIZES: Mapping[str, tuple[int, int]] = {
    "square_hd": (1024, 1024), "square": (512, 512), "portrait_4_3": (768, 1024), "portrait_16_9": (576, 1024),
    "landscape_4_3": (1024, 768), "landscape_16_9": (1024, 576),
}
SHAPES = ("16:9", "9:16", "1:1", "4:3", "3:4", "3:2", "2:3", "5:4", "4:5", "21:9", "9:21")
TIERS = ("480p", "540p", "580p", "720p", "1080p", "4k")
# fmt: on
Side = Annotated[int, Meta(ge=1, le=14142)]
Share = Annotated[float, Meta(ge=0, le=1)]
Steps = Annotated[int, Meta(ge=1, le=50)]


class Pixels(Struct, kw_only=True):
    width: Side
    height: Side


class Voice(Struct, kw_only=True):
    voice_id: str | None = None
    speed: float | None = None
    vol: float | None = None
    pitch: float | None = None
    emotion: str | None = None
    english_normalization: bool | None = None


TYPES: Json = {
    **dict.fromkeys(("image_url", "start_image_url", "end_image_url", "tail_image_url", "mask_url"), LinkOrData),
    **dict.fromkeys(("audio_url", "video_url"), LinkOrData),
    "image_urls": Annotated[list[LinkOrData], Meta(min_length=1, max_length=14)],
    "image_size": one(*SIZES) | Pixels,
    "num_images": Annotated[int, Meta(ge=1, le=4)],
    "num_inference_steps": Steps,
    "guidance_scale": Annotated[float, Meta(ge=0, le=20)],
    "strength": Share,
    "seed": Annotated[int, Meta(ge=0)],
    "output_format": one("jpeg", "png"),
    "safety_tolerance": one("1", "2", "3", "4", "5", "6"),
    "cfg_scale": Share,
    **dict.fromkeys(("stability", "similarity_boost", "style_exaggeration", "prompt_influence"), Share),
    **dict.fromkeys(
        ("sync_mode", "enable_safety_checker", "enhance_prompt", "enable_prompt_expansion", "expand_prompt", "raw",
         "limit_generations", "refine_foreground", "output_mask", "mask_only", "face", "generate_audio", "auto_fix",
         "prompt_optimizer", "loop", "camera_fixed", "delete_video", "diarize", "tag_audio_events", "merge_chunks",
         "timestamps"),
        bool,
    ),
}  # fmt: skip
"""What a member is, wherever a model does not say otherwise; any other is a text."""


def body(needs: str, may: str = "", **types: Any) -> type[Struct]:
    """The members that a model needs and those that it may have, by name, with the types that are its own."""
    return members.body(TYPES, __name__, "Input", " ".join((*(f"{each}!" for each in needs.split()), may)), **types)


class Asked(Struct, kw_only=True):
    """For the published description: the body belongs to the model, and most of them want a prompt."""

    prompt: str


class Input(Struct, kw_only=True):
    """What is read of the body of a model that has no row here: the members that most models share."""

    prompt: str | None = None
    text: str | None = None
    negative_prompt: str | None = None
    image_url: LinkOrData | None = None
    start_image_url: LinkOrData | None = None
    first_frame_url: LinkOrData | None = None
    first_frame_image_url: LinkOrData | None = None
    end_image_url: LinkOrData | None = None
    tail_image_url: LinkOrData | None = None
    last_frame_url: LinkOrData | None = None
    last_frame_image_url: LinkOrData | None = None
    mask_url: LinkOrData | None = None
    video_url: LinkOrData | None = None
    audio_url: LinkOrData | None = None
    image_urls: list[LinkOrData] | None = None
    seed: Annotated[int, Meta(ge=-1)] | None = None
    image_size: str | Pixels | None = None
    aspect_ratio: str | None = None
    resolution: str | None = None
    duration: str | Annotated[float, Meta(ge=0, le=3600)] | None = None
    duration_seconds: Annotated[float, Meta(ge=0, le=3600)] | None = None
    fps: Annotated[int, Meta(ge=1, le=240)] | None = None
    num_images: Annotated[int, Meta(ge=1, le=64)] | None = None
    output_format: str | None = None
    upscale_factor: Annotated[float, Meta(ge=0, le=16)] | None = None
    voice: str | None = None
    generate_audio: bool | None = None
    sync_mode: bool | None = None


# -- what they say -------------------------------------------------------------------------


def file(role: Role, *, many: bool = False) -> FileField:
    return FileField(role=role, ways=(Way.LINK, Way.DATA), many=many)


def read_size(value: Any) -> Json:
    if isinstance(value, dict):
        return {name: cast("Json", value)[name] for name in ("width", "height")}
    size = SIZES.get(value)
    return {"extra": {"image_size": value}} if size is None else {"width": size[0], "height": size[1]}


def write_size(wish: Generation) -> Any:
    if wish.width is None or wish.height is None:
        return wish.extra.get("image_size")
    asked = (wish.width, wish.height)
    return next((word for word, size in SIZES.items() if size == asked), {"width": wish.width, "height": wish.height})


def read_seconds(value: Any) -> Json:
    """Models say it as "5", "5s" or 5."""
    text = str(value).removesuffix("s")
    try:
        return {"seconds": float(text)}
    except ValueError:
        return {"extra": {"duration": value}}  # "auto"


SECONDS, SECONDS_S, COUNTED = seconds(), seconds("s"), figure("seconds")
SCALE = Field(
    ours=("scaleFactor",),
    read=lambda value: {"extra": {"scaleFactor": wholes(value)}},
    write=lambda wish: wish.extra.get("scaleFactor"),
)
FPS = 16
"""Frames a second of a clip that is measured in frames, where its rate is not told."""
MOST_FRAMES = 100_000


def write_frames(wish: Generation) -> float | None:
    if wish.seconds is None:
        return None
    count = wish.seconds * (wish.fps or FPS) + 1
    return round(count) if count < MOST_FRAMES else count  # which is refused


FRAMES = Field(ours=("seconds",), read=lambda value: {"seconds": (value - 1) / FPS}, write=write_frames)
KNOBS = (
    *("acceleration", "enable_safety_checker", "guidance_scale", "num_inference_steps", "safety_tolerance", "raw"),
    *("enhance_prompt", "enable_prompt_expansion", "expand_prompt", "limit_generations", "rendering_speed", "style"),
    *("style_preset", "operating_resolution", "refine_foreground", "creativity", "resemblance", "face", "tile"),
    *("cfg_scale", "auto_fix", "guide_scale", "shift", "prompt_optimizer", "camera_fixed", "delete_video"),
    *("apply_text_normalization", "language_code", "next_text", "previous_text", "similarity_boost", "stability"),
    *("speed", "prompt_influence", "batch_size", "chunk_level", "version", "diarize", "num_speakers", "variant"),
    *("merge_chunks", "tag_audio_events", "language_boost", "image_prompt_strength", "shot_type", "sound_format"),
    "max_segment_len",
)  # fmt: skip
"""Members that go to the model itself; an engine that has none of these goes on without, and says so."""
WISHES = ("color_palette", "style_codes", "colors", "style_id", "background_color", "output_mask", "mask_only", "loop",
          "voice_ids", "elements", "multi_prompt", "timestamps", "audio_setting", "pronunciation_dict", "task",
          "language")  # fmt: skip
"""Members that ask for something else to be made: refused by name where an engine cannot."""
FIELDS: Mapping[str, AnyField] = {
    "prompt": same("prompt"),
    "negative_prompt": same("negative_prompt"),
    "seed": same("seed"),
    "num_images": same("count"),
    "image_size": Field(ours=("width", "height", "image_size"), read=read_size, write=write_size),
    "aspect_ratio": shaped(SHAPES),
    "resolution": tiered({tier: tier for tier in TIERS}),
    "duration": SECONDS,
    "duration_seconds": COUNTED,
    "num_frames": FRAMES,
    "frames_per_second": same("fps"),
    "output_format": extra("format"),
    "strength": extra("strength"),
    "upscale_factor": SCALE,
    "scale": SCALE,
    "model": extra("variant"),
    "voice": extra("voice"),
    "voice_setting.voice_id": extra("voice"),
    "generate_audio": extra("audio"),
    **{name: extra(name) for name in (*KNOBS, *WISHES)},
    "video_url": file(Role.VIDEO),
    "audio_url": file(Role.AUDIO),
    "mask_url": file(Role.MASK),
    **dict.fromkeys(("end_image_url", "tail_image_url"), file(Role.LAST_FRAME)),
}
PICTURES: Mapping[str, AnyField] = FIELDS | {
    "image_url": file(Role.IMAGE),
    "image_urls": file(Role.IMAGE, many=True),
}


def by_shape(area: int) -> dict[str, tuple[int, int]]:
    """Sides of about so many pixels, in steps of 32."""
    pairs = {shape: [int(side) for side in shape.split(":")] for shape in (*SHAPES, "9:21")}
    return {
        shape: (32 * round(math.sqrt(area * wide / high) / 32), 32 * round(math.sqrt(area * high / wide) / 32))
        for shape, (wide, high) in pairs.items()
    }


SHAPED = PICTURES | {"aspect_ratio": sized("ratio", by_shape(1024 * 1024))}
ULTRA_SIZES = by_shape(2048 * 2048)
ULTRAS = PICTURES | {"aspect_ratio": sized("ratio", ULTRA_SIZES)}
STYLED: Mapping[str, AnyField] = FIELDS | {"image_urls": file(Role.REFERENCE, many=True)}
CLIPS: Mapping[str, AnyField] = FIELDS | dict.fromkeys(("image_url", "start_image_url"), file(Role.FIRST_FRAME))
CLIPS_S = CLIPS | {"duration": SECONDS_S}
CLIPS_N = CLIPS | {"duration": COUNTED}
CLIPS_P = CLIPS | {"resolution": tiered({"512p": "512P", "768p": "768P"})}
SOUNDS: Mapping[str, AnyField] = FIELDS | {"text": same("prompt"), "output_format": extra("sound_format")}
HEARD: Mapping[str, AnyField] = FIELDS | {"prompt": extra("hint")}
SPARE = ("start_image_url", "first_frame_url", "first_frame_image_url", "tail_image_url", "last_frame_url",
         "last_frame_image_url", "duration_seconds", "text")  # fmt: skip


def open_fields(fields: Mapping[str, AnyField], first: Role) -> dict[str, AnyField]:
    """Of the members that say the same, one is written to a model that is not known."""
    every: dict[str, AnyField] = {
        **fields,
        "text": same("prompt"),
        "fps": same("fps"),
        "duration": replace(SECONDS, read=read_seconds),
        **dict.fromkeys(("start_image_url", "first_frame_url", "first_frame_image_url"), file(first)),
        **dict.fromkeys(("last_frame_url", "last_frame_image_url"), file(Role.LAST_FRAME)),
    }
    return {name: alias(field) if name in SPARE else field for name, field in every.items()}


OPEN_PICTURES = open_fields(PICTURES, Role.IMAGE)
OPEN_CLIPS = open_fields(CLIPS | {"image_urls": file(Role.REFERENCE, many=True)}, Role.FIRST_FRAME)

# -- the models ----------------------------------------------------------------------------

T2I: Makes = {None: Operation.TEXT_TO_IMAGE}
CHANGE: Makes = {Role.IMAGE: Operation.IMAGE_TO_IMAGE}
STYLE: Makes = {Role.REFERENCE: Operation.IMAGE_TO_IMAGE, **T2I}
ENLARGE: Makes = {Role.IMAGE: Operation.IMAGE_UPSCALE}
CUT: Makes = {Role.IMAGE: Operation.BACKGROUND_REMOVAL}
T2V: Makes = {None: Operation.TEXT_TO_VIDEO}
I2V: Makes = {Role.FIRST_FRAME: Operation.IMAGE_TO_VIDEO}
VIDEO: Makes = {**I2V, Role.LAST_FRAME: Operation.IMAGE_TO_VIDEO, **T2V}
CONTINUED: Makes = {Role.VIDEO: Operation.VIDEO_EXTENSION, **I2V, Role.LAST_FRAME: Operation.IMAGE_TO_VIDEO}
HEAR: Makes = {None: Operation.SPEECH_TO_TEXT}
SPEAK: Makes = {None: Operation.TEXT_TO_SPEECH}
EFFECT: Makes = {None: Operation.SOUND_EFFECT}
ANY_PICTURE: Makes = {Role.MASK: Operation.IMAGE_INPAINT, **CHANGE, **T2I}
ANY_CLIP: Makes = {Role.VIDEO: Operation.VIDEO_TO_VIDEO, **VIDEO}


class Known(KnownModel, frozen=True, kw_only=True):
    shows: str  # the member of its answer that has what was made
    tells: tuple[str, ...] = ()  # the members beside it


# fmt: off
FLUX_TELLS = ("timings", "seed", "has_nsfw_concepts", "prompt")
LANDSCAPE: Json = {"width": 1024, "height": 768}
SQUARE: Json = {"width": 1024, "height": 1024}
WIDE: Json = {"width": ULTRA_SIZES["16:9"][0], "height": ULTRA_SIZES["16:9"][1]}
CLIP: Json = {"resolution": "720p", "seconds": 5.0, "fps": 24}
FLUX = ("enable_safety_checker guidance_scale image_size num_images num_inference_steps output_format seed "
        "sync_mode")
PRO = "enhance_prompt num_images output_format safety_tolerance seed sync_mode"
FAST = one("none", "regular", "high")
WEBP = one("jpeg", "png", "webp")
CUTS = one("webp", "png", "gif")
SCHNELL_STEPS = Annotated[int, Meta(ge=1, le=12)]
ULTRA = one("21:9", "16:9", "4:3", "3:2", "1:1", "2:3", "3:4", "9:16", "9:21")
VEO = "auto_fix generate_audio"
EIGHT = one("4s", "6s", "8s")
FIVE_TEN = one("5", "10")
LIGHT, HEAVY = "General Use (Light)", "General Use (Heavy)"


def drawing(word: str, makes: Makes, input: type[Struct], credits: float, defaults: Json = LANDSCAPE, *,
            fields: Mapping[str, AnyField] = PICTURES, tells: tuple[str, ...] = FLUX_TELLS,
            about: str = "Pictures from words") -> Known:
    return Known(word=word, about=about, input=input, fields=fields, makes=makes, shows="images", tells=tells,
                 price=an_image(credits), defaults=defaults | ({"format": "jpeg"} if word.startswith(JPEG) else {}))


JPEG = ("fal-ai/flux/", "fal-ai/flux-pro/")
"""Whose pictures are JPEG where nobody says otherwise."""


def tool(word: str, makes: Makes, input: type[Struct], credits: float, about: str, *tells: str) -> Known:
    return Known(word=word, about=about, input=input, fields=PICTURES, makes=makes, shows="image", tells=tells,
                 price=an_image(credits), defaults={})


def clip(word: str, makes: Makes, input: type[Struct], price: Price, defaults: Json = CLIP, *tells: str,
         fields: Mapping[str, AnyField] = CLIPS, longest: float | None = None) -> Known:
    about = "A clip from words" if None in makes and len(makes) == 1 else "A clip from a picture"
    return Known(word=word, about=about, input=input, fields=fields, makes=makes, shows="video", tells=tells,
                 price=price, defaults=defaults, max_seconds=longest)


def sound(word: str, makes: Makes, input: type[Struct], price: Price, about: str, *tells: str) -> Known:
    return Known(word=word, about=about, input=input, fields=SOUNDS, makes=makes, shows="audio", tells=tells,
                 price=price, defaults={})


def heard(word: str, input: type[Struct], *tells: str) -> Known:
    return Known(word=word, about="What is said", input=input, fields=HEARD, makes=HEAR, shows="text", tells=tells,
                 price=nominal(second=0.01), defaults={})


KLING, MASTER = "fal-ai/kling-video/", body("image_url prompt", "cfg_scale negative_prompt", duration=FIVE_TEN)
SEVEN = ("enable_prompt_expansion enable_safety_checker audio_url")
SEVEN_TYPES: Json = {
    "negative_prompt": Annotated[str, Meta(max_length=500)], "duration": Annotated[int, Meta(ge=2, le=15)],
    "resolution": one("720p", "1080p"), "seed": Annotated[int, Meta(ge=0, le=2**31 - 1)],
}
KNOWN: tuple[Known, ...] = (
    drawing("fal-ai/flux/schnell", T2I,
            body("prompt", FLUX, acceleration=FAST, num_inference_steps=SCHNELL_STEPS), 0.3),
    drawing("fal-ai/flux/dev", T2I, body("prompt", FLUX, acceleration=FAST), 2.5),
    drawing("fal-ai/flux/dev/image-to-image", CHANGE,
            body("image_url prompt", FLUX.replace("image_size ", ""), acceleration=FAST, strength=Share), 3,
            about="A picture after another"),
    drawing("fal-ai/flux-pro/v1.1", T2I, body("prompt", f"image_size {PRO}"), 4),
    drawing("fal-ai/flux-pro/v1.1-ultra", {**CHANGE, **T2I},
            body("prompt", f"image_url raw {PRO}", aspect_ratio=ULTRA | str, image_prompt_strength=Share), 6, WIDE,
            fields=ULTRAS),
    drawing("fal-ai/flux-pro/kontext", CHANGE, body("image_url prompt", f"guidance_scale {PRO}", aspect_ratio=ULTRA), 4,
            SQUARE, fields=SHAPED, about="A picture edited in words"),
    drawing("fal-ai/flux-2", T2I,
            body("prompt", f"{FLUX} enable_prompt_expansion", acceleration=FAST, output_format=WEBP), 1.2),
    drawing("fal-ai/nano-banana", T2I,
            body("prompt", "limit_generations num_images safety_tolerance seed sync_mode", output_format=WEBP,
                 aspect_ratio=one("21:9", "16:9", "3:2", "4:3", "5:4", "1:1", "4:5", "3:4", "2:3", "9:16")), 3.9,
            SQUARE, fields=SHAPED, tells=("description",)),
    drawing("fal-ai/ideogram/v3", STYLE,
            body("prompt", "expand_prompt image_size image_urls negative_prompt num_images seed style_preset sync_mode",
                 color_palette=dict[str, Any], style_codes=list[str],
                 rendering_speed=one("TURBO", "BALANCED", "QUALITY"),
                 style=one("AUTO", "GENERAL", "REALISTIC", "DESIGN")), 6, SQUARE, fields=STYLED, tells=("seed",)),
    drawing("fal-ai/recraft/v3/text-to-image", T2I,
            body("prompt", "enable_safety_checker image_size style style_id", colors=list[dict[str, Any]]), 4, SQUARE,
            tells=()),
    drawing("fal-ai/recraft/v4/text-to-image", T2I,
            body("prompt", "enable_safety_checker image_size", colors=list[dict[str, Any]],
                 background_color=dict[str, Any]), 4, SQUARE, tells=()),
    tool("fal-ai/birefnet", CUT,
         body("image_url", "output_mask refine_foreground sync_mode", model=one(LIGHT, HEAVY, "Portrait"),
              operating_resolution=one("1024x1024", "2048x2048"), output_format=CUTS), 0.1, "The subject cut out"),
    tool("fal-ai/birefnet/v2", CUT,
         body("image_url", "mask_only output_mask refine_foreground sync_mode",
              model=one(LIGHT, "General Use (Light 2K)", HEAVY, "Matting", "Portrait", "General Use (Dynamic)"),
              operating_resolution=one("1024x1024", "2048x2048", "2304x2304"), output_format=CUTS), 0.1,
         "The subject cut out"),
    tool("fal-ai/clarity-upscaler", ENLARGE,
         body("image_url", "enable_safety_checker guidance_scale negative_prompt num_inference_steps prompt seed",
              creativity=Share, resemblance=Share, upscale_factor=Annotated[float, Meta(ge=1, le=4)]), 3,
         "A picture enlarged", "seed", "timings"),
    tool("fal-ai/esrgan", ENLARGE,
         body("image_url", "face output_format", scale=Annotated[float, Meta(ge=1, le=8)], tile=float,
              model=one("RealESRGAN_x4plus", "RealESRGAN_x2plus", "RealESRGAN_x4plus_anime_6B", "RealESRGAN_x4_v3",
                        "RealESRGAN_x4_wdn_v3", "RealESRGAN_x4_anime_v3")), 0.2, "A picture enlarged"),
    clip(f"{KLING}v2.1/standard/image-to-video", I2V, MASTER, a_second(5), longest=10),
    clip(f"{KLING}v2.1/master/image-to-video", I2V, MASTER, a_second(28), longest=10),
    clip(f"{KLING}v2.5-turbo/pro/image-to-video", I2V,
         body("image_url prompt", "cfg_scale negative_prompt tail_image_url", duration=FIVE_TEN), a_second(7),
         longest=10),
    clip(f"{KLING}v2.6/pro/image-to-video", I2V,
         body("prompt start_image_url", "end_image_url generate_audio negative_prompt", duration=FIVE_TEN,
              voice_ids=list[str]), a_second(14), longest=10),
    clip(f"{KLING}v3/pro/image-to-video", I2V,
         body("start_image_url", "cfg_scale end_image_url generate_audio negative_prompt prompt",
              duration=one(*map(str, range(3, 16))), elements=list[dict[str, Any]], multi_prompt=list[dict[str, Any]],
              shot_type=one("customize", "intelligent")), a_second(22), longest=15),
    clip("fal-ai/veo3", T2V,
         body("prompt", f"negative_prompt seed {VEO}", aspect_ratio=one("16:9", "9:16"), duration=EIGHT,
              resolution=one("720p", "1080p")), a_second(40), CLIP | {"seconds": 8.0}, fields=CLIPS_S),
    clip("fal-ai/veo3/image-to-video", I2V,
         body("prompt image_url", VEO, aspect_ratio=one("auto", "16:9", "9:16"), duration=EIGHT,
              resolution=one("720p", "1080p")), a_second(40), CLIP | {"seconds": 8.0}, fields=CLIPS_S),
    clip("fal-ai/veo3.1", T2V,
         body("prompt", f"negative_prompt safety_tolerance seed {VEO}", aspect_ratio=one("16:9", "9:16"),
              duration=EIGHT, resolution=one("720p", "1080p", "4k")), a_second(40), CLIP | {"seconds": 8.0},
         fields=CLIPS_S),
    clip("fal-ai/veo3.1/image-to-video", I2V,
         body("image_url prompt", f"negative_prompt safety_tolerance seed {VEO}",
              aspect_ratio=one("auto", "16:9", "9:16"), duration=EIGHT, resolution=one("720p", "1080p", "4k")),
         a_second(40), CLIP | {"seconds": 8.0}, fields=CLIPS_S),
    clip("fal-ai/wan-i2v", I2V,
         body("image_url prompt", "enable_prompt_expansion enable_safety_checker negative_prompt seed",
              acceleration=one("none", "regular"), aspect_ratio=one("auto", "16:9", "9:16", "1:1"),
              frames_per_second=Annotated[int, Meta(ge=5, le=24)], guide_scale=Annotated[float, Meta(ge=1, le=10)],
              num_frames=Annotated[int, Meta(ge=81, le=100)], num_inference_steps=Annotated[int, Meta(ge=2, le=40)],
              resolution=one("480p", "720p"), shift=Annotated[float, Meta(ge=1, le=10)]),
         a_job(40), CLIP | {"fps": FPS}, "seed"),
    clip("fal-ai/wan-25-preview/image-to-video", I2V,
         body("image_url prompt", "audio_url enable_prompt_expansion enable_safety_checker seed", duration=FIVE_TEN,
              prompt=Annotated[str, Meta(max_length=1500)], negative_prompt=Annotated[str, Meta(max_length=500)],
              resolution=one("480p", "720p", "1080p")), a_second(10), CLIP | {"resolution": "1080p"}, "seed",
         "actual_prompt", longest=10),
    clip("fal-ai/wan/v2.7/text-to-video", T2V,
         body("prompt", SEVEN, prompt=Annotated[str, Meta(max_length=5000)],
              aspect_ratio=one("16:9", "9:16", "1:1", "4:3", "3:4"), **SEVEN_TYPES),
         a_second(10), CLIP | {"resolution": "1080p"}, "seed", "actual_prompt", fields=CLIPS_N, longest=15),
    clip("fal-ai/wan/v2.7/image-to-video", CONTINUED,
         body("", f"{SEVEN} end_image_url image_url video_url", prompt=Annotated[str, Meta(max_length=5000)],
              **SEVEN_TYPES),
         a_second(10), CLIP | {"resolution": "1080p"}, "seed", "actual_prompt", fields=CLIPS_N, longest=15),
    clip("fal-ai/minimax/video-01/image-to-video", I2V, body("image_url prompt", "prompt_optimizer"), a_job(50),
         CLIP | {"seconds": 6.0}),
    clip("fal-ai/minimax/hailuo-02/standard/image-to-video", I2V,
         body("image_url prompt", "end_image_url prompt_optimizer", duration=one("6", "10"),
              resolution=one("512P", "768P")), a_second(4.5), CLIP | {"seconds": 6.0, "resolution": "768p"},
         fields=CLIPS_P, longest=10),
    clip("fal-ai/minimax/hailuo-2.3/pro/image-to-video", I2V, body("image_url prompt", "prompt_optimizer"), a_job(49),
         CLIP | {"seconds": 6.0, "resolution": "1080p"}),
    clip("fal-ai/luma-dream-machine/ray-2", T2V,
         body("prompt", "loop", aspect_ratio=one("16:9", "9:16", "4:3", "3:4", "21:9", "9:21"),
              duration=one("5s", "9s"), resolution=one("540p", "720p", "1080p")), a_second(10),
         CLIP | {"resolution": "540p"}, fields=CLIPS_S, longest=9),
    clip("fal-ai/luma-dream-machine/ray-2/image-to-video", VIDEO,
         body("prompt", "end_image_url image_url loop", duration=one("5s", "9s"),
              aspect_ratio=one("16:9", "9:16", "4:3", "3:4", "21:9", "9:21"),
              resolution=one("540p", "720p", "1080p")), a_second(10), CLIP | {"resolution": "540p"}, fields=CLIPS_S,
         longest=9),
    clip("fal-ai/bytedance/seedance/v1/pro/image-to-video", I2V,
         body("image_url prompt", "camera_fixed enable_safety_checker end_image_url seed",
              aspect_ratio=one("21:9", "16:9", "4:3", "1:1", "3:4", "9:16", "auto"),
              duration=one(*map(str, range(2, 13))), resolution=one("480p", "720p", "1080p")), a_second(12.4), CLIP,
         "seed", longest=12),
    clip("fal-ai/sora-2/text-to-video", T2V,
         body("prompt", "delete_video", resolution=one("720p"), aspect_ratio=one("9:16", "16:9"),
              duration=one(4, 8, 12)), a_second(10), CLIP | {"seconds": 4.0}, "video_id", fields=CLIPS_N, longest=12),
    heard("fal-ai/whisper",
          body("audio_url", "diarize language prompt", task=one("transcribe", "translate"), batch_size=int,
               chunk_level=one("none", "segment", "word"), version=one("3"), num_speakers=int),
          "chunks", "inferred_languages", "diarization_segments"),
    heard("fal-ai/wizper",
          body("audio_url", "chunk_level language merge_chunks version", task=one("transcribe", "translate"),
               max_segment_len=int), "chunks", "languages"),
    heard("fal-ai/elevenlabs/speech-to-text", body("audio_url", "diarize language_code tag_audio_events"),
          "language_code", "language_probability", "words"),
    sound("fal-ai/elevenlabs/tts/multilingual-v2", SPEAK,
          body("text", "language_code next_text previous_text similarity_boost stability timestamps voice",
               apply_text_normalization=one("auto", "on", "off"), speed=Annotated[float, Meta(ge=0.7, le=1.2)],
               style=Share), nominal(character=0.01), "Speech"),
    sound("fal-ai/elevenlabs/tts/eleven-v3", SPEAK,
          body("text", "language_code stability timestamps voice",
               apply_text_normalization=one("auto", "on", "off")), nominal(character=0.01), "Speech"),
    sound("fal-ai/elevenlabs/sound-effects/v2", EFFECT,
          body("text", "loop prompt_influence", duration_seconds=Annotated[float, Meta(ge=0.5, le=22)],
               output_format=one(*(f"mp3_{rate}" for rate in ("22050_32", "44100_32", "44100_64", "44100_96",
                                                             "44100_128", "44100_192")),
                                 *(f"pcm_{rate}" for rate in (8000, 16000, 22050, 24000, 44100, 48000)),
                                 "ulaw_8000", "alaw_8000",
                                 *(f"opus_48000_{rate}" for rate in (32, 64, 96, 128, 192)))),
          nominal(second=0.2), "A sound effect"),
    sound("fal-ai/minimax/speech-02-hd", SPEAK,
          body("text", "language_boost", text=Annotated[str, Meta(max_length=5000)], audio_setting=dict[str, Any],
               output_format=one("url", "hex"), pronunciation_dict=dict[str, Any], voice_setting=Voice),
          nominal(character=0.01), "Speech", "duration_ms"),
)
# fmt: on
BY_WORD: dict[str, Known] = {each.word: each for each in KNOWN}
ROWS: tuple[Model, ...] = tuple(row_of(each, "fal", knobs=(*KNOBS, "hint")) for each in KNOWN)

TELLING = frozenset({
    *("duration", "fps", "num_frames", "video_url", "end_image_url", "tail_image_url", "start_image_url"),
    *("first_frame_url", "first_frame_image_url", "last_frame_url", "last_frame_image_url"),
})  # fmt: skip
"""Members that only models of clips have."""

# -- what their answers show ------------------------------------------------------------------


def output(job: Job) -> Json:
    """The member that a model's answer has for what was made, and those beside it."""
    known = BY_WORD.get(word_of(job))
    name, tells = (known.shows, known.tells) if known else (shown_as(job), ("seed", "timings"))
    made = [shown_file(each) for each in job.outputs if each.text is None]
    words = "\n".join(each.text for each in job.outputs if each.text is not None)
    first: Any = made if name == "images" else words if name == "text" else next(iter(made), None)
    return {name: first} | {each: told for each in tells if (told := BESIDE[each](job)) is not None}


def shown_as(job: Job) -> str:
    """Of a model that is not known: pictures stand in a list, unless they were made of a picture by a tool."""
    if not job.outputs or job.outputs[0].text is not None:
        return "text"
    kind = job.outputs[0].media_type.partition("/")[0]
    tools = (Operation.IMAGE_UPSCALE, Operation.BACKGROUND_REMOVAL, Operation.VECTORIZATION)
    return {"image": "image" if job.generation.operation in tools else "images", "video": "video"}.get(kind, "audio")


def shown_file(made: Output) -> Json:
    told: Json = {
        "url": made.url or "",
        "content_type": made.media_type,
        "file_name": made.asset,
        "file_size": made.bytes,
    }
    if made.data is not None:
        told["url"] = f"data:{made.media_type};base64,{base64.b64encode(made.data).decode()}"
    if made.media_type.startswith(("image/", "video/")):
        told |= {"width": made.width, "height": made.height}
    if made.media_type.startswith("video/"):
        told |= {"duration": made.seconds, "num_frames": made.frames}
    return told


def inference(job: Job) -> float:
    return round((job.finished or 0.0) - (job.started or job.finished or 0.0), 6)


def timed(job: Job, what: str) -> list[Json]:
    """The segments or words of a transcript, where their times are known."""
    return (job.outputs[0].timed or {}).get(what, []) if job.outputs else []


def words_of(job: Job) -> str:
    return next((each.text for each in job.outputs if each.text), "")


def languages(job: Job) -> list[str]:
    return [told] if (told := job.generation.extra.get("language")) else []


BESIDE: Mapping[str, Callable[[Job], Any]] = {
    "seed": lambda job: job.generation.seed,
    "prompt": lambda job: job.generation.prompt,
    "actual_prompt": lambda job: job.generation.prompt,
    "timings": lambda job: {"inference": inference(job)},
    "has_nsfw_concepts": lambda job: [is_unsafe(each) for each in job.outputs],
    "description": lambda _: "",
    "video_id": lambda job: uuid4_form(job.id),
    "chunks": lambda job: (
        [{"timestamp": [each["start"], each["end"]], "text": each["text"]} for each in timed(job, "segments")]
        or [{"timestamp": [0.0, None], "text": words_of(job)}]
    ),
    "words": lambda job: [
        {"text": each["word"], "start": each["start"], "end": each["end"], "type": "word", "speaker_id": None}
        for each in timed(job, "words")
    ],
    "inferred_languages": languages,
    "languages": languages,
    "diarization_segments": lambda _: [],
    "language_code": lambda job: job.generation.extra.get("language_code"),
    "language_probability": lambda job: 1.0 if job.generation.extra.get("language_code") else None,
    "duration_ms": lambda job: round(1000 * sum(each.seconds or 0.0 for each in job.outputs)),
}
"""The members beside what was made; None is left out."""


def word_of(job: Job) -> str:
    return job.generation.model.removeprefix("fal:")
