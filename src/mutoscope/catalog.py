"""Which models exist: one row each, with the operations, defaults, bounds and prices that go with the name.

A wire names a model in its vendor's words and translates to the name of the row. Defaults stand here and
nowhere else: what a caller leaves out is None until the gateway fills it in from the row.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from mutoscope.config import ModelSettings
from mutoscope.job import Generation, Operation, Role
from mutoscope.problem import Kind, Problem

I2V, T2V, V2V = Operation.IMAGE_TO_VIDEO, Operation.TEXT_TO_VIDEO, Operation.VIDEO_TO_VIDEO
T2I, MORE = Operation.TEXT_TO_IMAGE, Operation.VIDEO_EXTENSION


class Price(Struct, frozen=True, kw_only=True):
    """Credits. A Runway credit is US$0.01; the other vendors' figures are converted so."""

    second: float = 0.0
    image: float = 0.0
    job: float = 0.0
    character: float = 0.0  # of the prompt


class Model(Struct, frozen=True, kw_only=True):
    name: str
    vendor: str
    serves: frozenset[Operation]
    names: dict[str, tuple[str, ...]] = {}  # wire → what it is called there: paths below the root, or model words
    defaults: dict[str, Any] = {}  # Generation field → value
    max_seconds: float | None = None
    price: Price
    ignores: frozenset[str] = frozenset()  # may go unheeded; the job then carries a note
    engines: tuple[str, ...] = ()  # who makes it, in order of preference; empty: see `routes`
    timeout_seconds: float | None = None  # at a vendor; None: as the settings of the relay say
    max_concurrent: int | None = None  # unfinished jobs per owner before one is throttled
    max_daily: int | None = None


ADVICE = frozenset({"contentModeration", "prompt_extend", "negative_prompt", "audio", "grounding", "quality"})
"""What may go unheeded without the result being another thing: hints, filters, the vendor's own sound."""

GIVEN: Mapping[str, tuple[Any, ...]] = {
    "outputFormat": ("mp4", "png"),
    "background": ("auto", "opaque"),
    "audio": (False,),
    "ratio": ("adaptive", "auto"),
    "fpsBoost": (False,),
    "shot_type": ("single",),
}
"""Extras that ask for what every engine does anyway, with the values for which that is so."""

WIDE: dict[str, Any] = {"width": 1280, "height": 720, "seconds": 5.0, "fps": 24}
WIDE_8S = WIDE | {"seconds": 8.0}
WIDE_10S = WIDE | {"seconds": 10.0}
HAILUO: dict[str, Any] = {"resolution": "768p", "seconds": 5.0, "fps": 24}
PICTURE: dict[str, Any] = {"width": 1920, "height": 1080}
ULTRA_HD: dict[str, Any] = {"width": 3840, "height": 2160}
SIZES: dict[str, dict[str, Any]] = {
    "kling3.0_pro": PICTURE,
    "kling3.0_4k": ULTRA_HD,
    "klingO3_pro": PICTURE,
    "klingO3_4k": ULTRA_HD,
    "bria_fibo_edit_1_5": {"width": 1024, "height": 1024},
    "ideogram_4_0": {"width": 2560, "height": 1440},
    "ideogram_4_5": {"width": 2560, "height": 1440},
    "recraft_v4_1_vector": {"width": 1344, "height": 768},
}
"""Models that do not make the usual size: a vendor is asked for the default in so many words."""
EDIT: dict[str, Any] = {"fps": 24}
WAN: dict[str, Any] = {"resolution": "1080p", "seconds": 5.0, "fps": 30}


def row(
    name: str,
    vendor: str,
    *serves: Operation,
    price: Price,
    defaults: dict[str, Any] | None = None,
    max_seconds: float | None = None,
    names: dict[str, tuple[str, ...]] | None = None,
) -> Model:
    """A row. Its name is Runway's own word for it, where `names` does not say that Runway has it not."""
    return Model(
        name=name,
        vendor=vendor,
        serves=frozenset(serves),
        names={wire: words for wire, words in ({"runway": (name,)} | (names or {})).items() if words},
        defaults=defaults or {},
        max_seconds=max_seconds,
        price=price,
        ignores=ADVICE,
    )


def freepik(*paths: str) -> dict[str, tuple[str, ...]]:
    return {"freepik": paths}


NOT_AT_RUNWAY: dict[str, tuple[str, ...]] = {"runway": ()}


def a_second(credits: float) -> Price:
    return Price(second=credits)


def an_image(credits: float) -> Price:
    return Price(image=credits)


def a_job(credits: float) -> Price:
    return Price(job=credits)


SPOKEN = Price(character=0.02)

# fmt: off
ROWS: tuple[Model, ...] = (
    # Runway's own
    row("gen4.5", "runway", I2V, T2V, price=a_second(12), defaults=WIDE, max_seconds=10,
        names=freepik("image-to-video/runway-4-5", "text-to-video/runway-4-5")),
    row("gen4_turbo", "runway", I2V, price=a_second(5), defaults=WIDE_10S, max_seconds=10,
        names=freepik("image-to-video/runway-gen4-turbo")),
    row("gen3a_turbo", "runway", I2V, price=a_second(5), defaults=WIDE_10S | {"height": 768}, max_seconds=10),
    row("gen4_aleph", "runway", V2V, price=a_second(15), defaults=EDIT),
    row("aleph2", "runway", V2V, price=a_second(15), defaults=EDIT),
    row("act_two", "runway", Operation.CHARACTER_PERFORMANCE, price=a_second(5), defaults=WIDE),
    row("upscale_v1", "runway", Operation.VIDEO_UPSCALE, price=a_second(2)),
    row("gen4_image", "runway", T2I, price=an_image(8), defaults=PICTURE, names=freepik("text-to-image/runway")),
    row("gen4_image_turbo", "runway", T2I, price=an_image(2), defaults=PICTURE),
    # Partners' video models, as Runway names them
    row("veo3", "google", I2V, T2V, price=a_second(40), defaults=WIDE_8S, max_seconds=8),
    row("veo3.1", "google", I2V, T2V, price=a_second(40), defaults=WIDE_8S, max_seconds=8),
    row("veo3.1_fast", "google", I2V, T2V, price=a_second(15), defaults=WIDE_8S, max_seconds=8),
    row("gemini_omni_flash", "google", I2V, T2V, V2V, price=a_second(15), defaults=WIDE, max_seconds=10),
    row("hailuo3", "minimax", I2V, T2V, V2V, price=a_second(10), defaults=HAILUO, max_seconds=15),
    row("happyhorse_1_0", "alibaba", I2V, T2V, price=a_second(10), defaults=WIDE, max_seconds=15),
    row("seedance2", "bytedance", I2V, T2V, V2V, price=a_second(36), defaults=WIDE, max_seconds=15),
    row("seedance2_fast", "bytedance", I2V, T2V, V2V, price=a_second(18), defaults=WIDE, max_seconds=15),
    row("seedance2_mini", "bytedance", I2V, T2V, V2V, price=a_second(9), defaults=WIDE, max_seconds=15),
    row("seedance2_5", "bytedance", I2V, T2V, V2V, MORE, price=a_second(36), defaults=WIDE, max_seconds=30),
    row("wan-2.7", "alibaba", I2V, T2V, MORE, price=a_second(4), defaults=WAN, max_seconds=15,
        names=NOT_AT_RUNWAY
        | freepik("image-to-video/wan-2-7", "text-to-video/wan-2-7")
        | {"dashscope": ("wan2.7-i2v", "wan2.7-t2v")}),
    # The vendor's older ones: nominal prices
    row("wan-2.6", "alibaba", I2V, T2V, price=a_second(10), defaults=WAN, max_seconds=15,
        names=NOT_AT_RUNWAY | {"dashscope": ("wan2.6-i2v", "wan2.6-t2v")}),
    row("wan-2.2-kf2v", "alibaba", I2V, price=a_second(3), defaults=WAN | {"resolution": "720p"}, max_seconds=5,
        names=NOT_AT_RUNWAY | {"dashscope": ("wan2.2-kf2v-flash",)}),
    # Partners' image models
    row("gpt_image_2", "openai", T2I, price=an_image(5), defaults=PICTURE),
    row("gemini_2.5_flash", "google", T2I, price=an_image(5), defaults=PICTURE),
    row("gemini_image3_pro", "google", T2I, price=an_image(20), defaults=PICTURE),
    row("gemini_image3.1_flash", "google", T2I, price=an_image(7), defaults=PICTURE),
    row("seedream5_pro", "bytedance", T2I, price=an_image(5), defaults=PICTURE),
    row("seedream5_lite", "bytedance", T2I, price=an_image(4), defaults=PICTURE),
    # Upscaling and sound: known, so that their bodies are checked in full; the built-in renderer makes few of them
    row("magnific_precision_upscaler_v2", "magnific", Operation.IMAGE_UPSCALE, price=a_job(10)),
    row("magnific_video_upscaler_creative", "magnific", Operation.VIDEO_UPSCALE, price=a_second(5)),
    row("seed_audio", "bytedance", Operation.TEXT_TO_SPEECH, Operation.SOUND_EFFECT, price=SPOKEN),
    row("eleven_multilingual_v2", "elevenlabs", Operation.TEXT_TO_SPEECH, price=SPOKEN),
    row("eleven_v3", "elevenlabs", Operation.TEXT_TO_SPEECH, price=SPOKEN),
    row("eleven_text_to_sound_v2", "elevenlabs", Operation.SOUND_EFFECT, price=a_job(2)),
    row("eleven_multilingual_sts_v2", "elevenlabs", Operation.SPEECH_TO_SPEECH, price=a_job(5)),
    row("eleven_voice_dubbing", "elevenlabs", Operation.VOICE_DUBBING, price=a_job(5)),
    row("eleven_v4", "elevenlabs", Operation.TEXT_TO_SPEECH, price=SPOKEN),
    row("mirelo_sfx_2_0", "mirelo", Operation.VIDEO_TO_AUDIO, Operation.SOUND_EFFECT, price=a_job(5)),
    row("ruby", "runway", Operation.VIDEO_TO_HDR, price=a_second(20)),
    row("enhance_frame_rate", "runway", Operation.VIDEO_UPSCALE, price=a_second(5)),
    row("eleven_voice_isolation", "elevenlabs", Operation.VOICE_ISOLATION, price=a_job(2)),
    # Named by Runway's SDK 5.24 only, which gives fields but neither bounds nor prices: those here are nominal
    *(
        row(name, vendor, *serves, price=a_second(15), defaults=WIDE | SIZES.get(name, {}), max_seconds=15)
        for vendor, serves, names in (
            ("kuaishou", (I2V, T2V, V2V), ("klingO3_4k", "klingO3_pro", "klingO3_standard", "kling_4")),
            ("kuaishou", (I2V, T2V), ("kling2.5_turbo_pro", "kling3.0_4k", "kling3.0_pro", "kling3.0_standard")),
            ("xai", (I2V, T2V), ("grok_imagine_1_5", "grok_imagine_1_5_lite")),
            ("alibaba", (I2V, T2V), ("wan3", "wan3_prime")),
            ("google", (I2V, T2V, V2V), ("gemini_omni_flash_1.1",)),
            ("minimax", (I2V, T2V), ("h3_max",)),
        )
        for name in names
    ),
    *(
        row(name, vendor, T2I, price=an_image(5), defaults=PICTURE | SIZES.get(name, {}))
        for vendor, names in (
            ("meta", ("muse_image",)),
            ("xai", ("grok_imagine_image_2",)),
            ("google", ("gemini_image3.1_flash_lite", "nano_banana_2.1")),
            ("openai", ("gpt_image_2_5_flare", "gpt_image_2_5_sunburst")),
            ("bria", ("bria_fibo_1_5", "bria_fibo_edit_1_5")),
            ("ideogram", ("ideogram_4_0", "ideogram_4_5")),
            ("bytedance", ("seedream5_flash",)),
            ("recraft", ("recraft_v4_1_flash", "recraft_v4_1_vector")),
        )
        for name in names
    ),
)
# fmt: on


class Catalog:
    """The rows, with what the operator changed about them."""

    def __init__(
        self,
        settings: Mapping[str, ModelSettings] | None = None,
        *,
        max_concurrent: int | None = None,
        max_daily: int | None = None,
        engine: str | None = None,
        rows: Iterable[Model] = ROWS,
    ) -> None:
        """`engine` overrides every row's; the two limits hold for rows that have none of their own.

        Raises Problem(NOT_FOUND) for settings of a model that does not exist.
        """
        self.models: dict[str, Model] = {}
        for model in rows:
            changed = (settings or {}).get(model.name, ModelSettings())
            self.models[model.name] = replace(
                model,
                engines=(engine,) if engine else engines_of(changed) or model.engines,
                timeout_seconds=changed.timeout_seconds or model.timeout_seconds,
                max_concurrent=first(changed.max_concurrent, model.max_concurrent, max_concurrent),
                max_daily=first(changed.max_daily, model.max_daily, max_daily),
                defaults=model.defaults | ({"fps": changed.fps} if changed.fps else {}),
            )
        for name in settings or {}:
            self.get(name)

    def get(self, name: str) -> Model:
        """Raises Problem(NOT_FOUND) that lists what exists."""
        model = self.models.get(name)
        if model is None:
            known = ", ".join(sorted(self.models))
            raise Problem(Kind.NOT_FOUND, f"There is no model {name!r}. This server knows: {known}.", field="model")
        return model


def engines_of(settings: ModelSettings) -> tuple[str, ...]:
    return settings.engines or ((settings.engine,) if settings.engine else ())


def first(*values: int | None) -> int | None:
    """The first figure that was given; 0 stands for "no limit"."""
    return next((value or None for value in values if value is not None), None)


def complete(generation: Generation, model: Model, *, remote: bool = False) -> Generation:
    """Fill in the row's defaults where nothing was asked for, and turn a shape and a tier into pixels.

    `remote`: a vendor makes it, whose frame rate is its own affair.
    """
    sizes = {"width", "height", "resolution"} | ({"fps"} if remote else set[str]())
    missing = {
        name: value for name, value in model.defaults.items() if name not in sizes and getattr(generation, name) is None
    }
    return replace(generation, **missing, **frame_size(generation, model))


def frame_size(generation: Generation, model: Model) -> dict[str, Any]:
    """The fields that settle the size of the frame, in the order of who knows best."""
    if generation.width is not None and generation.height is not None:
        return {}
    tier = generation.resolution or model.defaults.get("resolution")
    shape = generation.extra.get("ratio")
    if isinstance(shape, str) and (pixels := pixels_of(shape, tier)):
        others = {name: value for name, value in generation.extra.items() if name != "ratio"}
        return {"width": pixels[0], "height": pixels[1], "extra": others}
    follows = generation.input(Role.VIDEO) or (tier and generation.input(Role.FIRST_FRAME))
    if follows:
        return {"resolution": tier}
    if tier:
        width, height = pixels_of("16:9", tier) or (1280, 720)
        return {"width": width, "height": height}
    return {"width": model.defaults.get("width"), "height": model.defaults.get("height")}


TIERS = {
    "480p": 480,
    "580p": 580,
    "720p": 720,
    "768p": 768,
    "1080p": 1080,
    "1k": 1080,
    "2k": 1440,
    "4k": 2160,
}
"""The short side in pixels of each resolution tier at 16:9."""


def pixels_of(shape: str, tier: str | None) -> tuple[int, int] | None:
    """Width and height of a shape such as "16:9" at a tier: the tier's area at 16:9, both sides even.

    None where the text is no shape.
    """
    width, colon, height = shape.partition(":")
    if not (colon and width.isdigit() and height.isdigit() and int(width) and int(height)):
        return None
    short = TIERS.get(tier or "720p", 720)
    area = short * short * 16 / 9
    aspect = int(width) / int(height)
    return 2 * round(math.sqrt(area * aspect) / 2), 2 * round(math.sqrt(area / aspect) / 2)


def estimate(generation: Generation, model: Model) -> float:
    """What the vendor would charge, in credits."""
    price = model.price
    seconds = generation.seconds or 0.0
    return round(
        price.second * seconds
        + price.image * (generation.count or 1)
        + price.job
        + price.character * len(generation.prompt or ""),
        2,
    )


def check(generation: Generation, model: Model, fields: Mapping[str, str]) -> None:
    """Whether the model can do what is asked at all. Raises Problem with the caller's name of the field."""
    if generation.operation not in model.serves:
        can = ", ".join(sorted(model.serves))
        raise Problem(
            Kind.UNSUPPORTED,
            f"Model {model.name} does not do {generation.operation}; it does {can}.",
            field="model",
        )
    if model.max_seconds and generation.seconds and generation.seconds > model.max_seconds:
        raise Problem(
            Kind.INVALID,
            f"{model.name} makes at most {model.max_seconds:g} seconds; {generation.seconds:g} were asked for.",
            field=fields.get("seconds", "seconds"),
        )


def asked(generation: Generation) -> list[tuple[str, str]]:
    """What a generation asks for, as (name, the caller's name where the input knows it)."""
    skipped = {"operation", "model", "inputs", "extra"}
    names = [name for name in generation.__struct_fields__ if name not in skipped]
    wishes = [(name, name) for name in names if getattr(generation, name) is not None]
    wishes += [(each.role.value, each.field) for each in generation.inputs]
    extra = generation.extra.items()
    wishes += [(name, name) for name, value in extra if value not in GIVEN.get(name, ())]
    return wishes


def heed(
    generation: Generation,
    model: Model,
    engine: str,
    honours: Mapping[Operation, frozenset[str]],
    fields: Mapping[str, str],
) -> tuple[str, ...]:
    """Hold what was asked against what an engine honours. Nothing asked for vanishes in silence.

    Returns notes for what goes unheeded by leave of the model's row. Raises Problem(UNSUPPORTED), naming the
    caller's field, for the rest. `generation` is as it was asked for, before the row's defaults.
    """
    heeded = honours.get(generation.operation)
    if heeded is None:
        does = ", ".join(sorted(honours)) or "nothing"
        raise Problem(
            Kind.UNSUPPORTED,
            f"No engine of this server can do {generation.operation} for {model.name}: engine {engine!r} "
            f"does {does}. Configure an engine that can, or choose another model.",
            field="model",
        )
    notes: list[str] = []
    for name, said in asked(generation):
        if "*" in heeded or name in heeded:
            continue
        theirs = fields.get(name, said)
        if name not in model.ignores:
            raise Problem(
                Kind.UNSUPPORTED,
                f"{theirs} is not supported: engine {engine!r}, which serves {model.name} here, cannot honour it.",
                field=theirs,
            )
        notes.append(f"ignored: {theirs} (engine {engine!r} cannot honour it)")
    return tuple(notes)
