"""Which models exist: one row each, with the operations, defaults, bounds and prices that go with the name.

A wire names a model in its vendor's words and translates to the name of the row. Defaults stand here and
nowhere else: what a caller leaves out is None until the gateway fills it in from the row.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from mutoscope.config import ModelPrice, ModelSettings, Rates
from mutoscope.job import Generation, Operation, Role
from mutoscope.problem import Kind, Problem

I2V, T2V, V2V = Operation.IMAGE_TO_VIDEO, Operation.TEXT_TO_VIDEO, Operation.VIDEO_TO_VIDEO
T2I, MORE = Operation.TEXT_TO_IMAGE, Operation.VIDEO_EXTENSION


CREDIT_USD = 0.01
"""A credit in dollars: Runway's; the other vendors' figures are converted so."""


class Price(ModelPrice, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a model costs, and who says so."""

    source: str = (
        ""  # the vendor's page, or the settings; "": nominal, a figure to count with that no vendor stands for
    )
    checked: str = ""  # when the source was read: YYYY-MM
    wire: str = ""  # the API that this is the price of; "": whoever makes it
    note: str = ""

    @property
    def known(self) -> bool:
        return bool(self.source)


class Model(Struct, frozen=True, kw_only=True):
    name: str
    vendor: str
    serves: frozenset[Operation]
    names: dict[str, tuple[str, ...]] = {}  # wire → what it is called there: paths below the root, or model words
    defaults: dict[str, Any] = {}  # Generation field → value
    sizes: Mapping[str, Mapping[str, tuple[int, int]]] = {}  # tier → shape → pixels, where not those of `pixels_of`
    max_seconds: float | None = None
    price: Price
    prices: dict[str, Price] = {}  # engine or wire → what it costs there, where that is another figure
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
WAN3_SIZES = {
    "480p": {"16:9": (832, 480), "9:16": (480, 832), "4:3": (720, 544), "3:4": (544, 720), "1:1": (624, 624)},
    "720p": {"4:3": (1104, 832), "3:4": (832, 1104)},
    "1080p": {"4:3": (1648, 1248), "3:4": (1248, 1648)},
}
"""As Runway's list of ratios has them."""


def row(
    name: str,
    vendor: str,
    *serves: Operation,
    price: Price,
    prices: dict[str, Price] | None = None,
    defaults: dict[str, Any] | None = None,
    max_seconds: float | None = None,
    names: dict[str, tuple[str, ...]] | None = None,
    sizes: Mapping[str, Mapping[str, tuple[int, int]]] | None = None,
) -> Model:
    """A row. Its name is Runway's own word for it, where `names` does not say that Runway has it not."""
    return Model(
        name=name,
        vendor=vendor,
        serves=frozenset(serves),
        names={wire: words for wire, words in ({"runway": (name,)} | (names or {})).items() if words},
        defaults=defaults or {},
        sizes=sizes or {},
        max_seconds=max_seconds,
        price=price,
        prices=prices or {},
        ignores=ADVICE,
    )


def freepik(*paths: str) -> dict[str, tuple[str, ...]]:
    return {"freepik": paths}


NOT_AT_RUNWAY: dict[str, tuple[str, ...]] = {"runway": ()}


RUNWAY_PRICES = "https://docs.dev.runwayml.com/guides/pricing/"


def at_runway(**rates: Any) -> Price:
    """A figure of the vendor's own table of prices."""
    return Price(**rates, source=RUNWAY_PRICES, checked="2026-08", wire="runway")


def nominal(note: str = "", **rates: Any) -> Price:
    """A figure that no vendor's page that we read has."""
    return Price(**rates, note=note)


def a_second(credits: float) -> Price:
    return nominal(second=credits)


def an_image(credits: float) -> Price:
    return nominal(image=credits)


def a_job(credits: float) -> Price:
    return nominal(job=credits)


SECOND_HAND = "third parties' planning figure; the vendor publishes none"
SPOKEN = nominal(character=0.02)
WAN_PRICE = nominal("resellers' figure; the vendor's page was not read", second=15, tiers={"720p": Rates(second=10)})

# fmt: off
ROWS: tuple[Model, ...] = (
    # Runway's own
    row("gen4.5", "runway", I2V, T2V, price=at_runway(second=12), defaults=WIDE, max_seconds=10,
        prices={"freepik": nominal(SECOND_HAND, second=12)},
        names=freepik("image-to-video/runway-4-5", "text-to-video/runway-4-5")),
    row("gen4_turbo", "runway", I2V, price=at_runway(second=5), defaults=WIDE_10S, max_seconds=10,
        names=freepik("image-to-video/runway-gen4-turbo")),
    row("gen3a_turbo", "runway", I2V, price=nominal("as relays document it", second=5),
        defaults=WIDE_10S | {"height": 768}, max_seconds=10),
    row("gen4_aleph", "runway", V2V, price=at_runway(second=15), defaults=EDIT),
    row("aleph2", "runway", V2V, price=a_second(15), defaults=EDIT),
    row("act_two", "runway", Operation.CHARACTER_PERFORMANCE, price=at_runway(second=5), defaults=WIDE),
    row("upscale_v1", "runway", Operation.VIDEO_UPSCALE, price=a_second(2)),
    row("gen4_image", "runway", T2I, price=at_runway(image=8, tiers={"720p": Rates(image=5)}), defaults=PICTURE,
        prices={"freepik": nominal(SECOND_HAND, image=6)}, names=freepik("text-to-image/runway")),
    row("gen4_image_turbo", "runway", T2I, price=at_runway(image=2), defaults=PICTURE),
    # Partners' video models, as Runway names them
    row("veo3", "google", I2V, T2V, price=at_runway(second=40), defaults=WIDE_8S, max_seconds=8),
    row("veo3.1", "google", I2V, T2V, price=at_runway(second=40, silent=20), defaults=WIDE_8S, max_seconds=8),
    row("veo3.1_fast", "google", I2V, T2V, price=at_runway(second=15, silent=10), defaults=WIDE_8S, max_seconds=8),
    row("gemini_omni_flash", "google", I2V, T2V, V2V, price=a_second(15), defaults=WIDE, max_seconds=10),
    row("hailuo3", "minimax", I2V, T2V, V2V, price=a_second(10), defaults=HAILUO, max_seconds=15),
    row("happyhorse_1_0", "alibaba", I2V, T2V, price=a_second(10), defaults=WIDE, max_seconds=15),
    row("seedance2", "bytedance", I2V, T2V, V2V, price=at_runway(second=36), defaults=WIDE, max_seconds=15),
    row("seedance2_fast", "bytedance", I2V, T2V, V2V, price=a_second(18), defaults=WIDE, max_seconds=15),
    row("seedance2_mini", "bytedance", I2V, T2V, V2V, price=a_second(9), defaults=WIDE, max_seconds=15),
    row("seedance2_5", "bytedance", I2V, T2V, V2V, MORE, price=a_second(36), defaults=WIDE, max_seconds=30),
    row("wan-2.7", "alibaba", I2V, T2V, MORE, price=WAN_PRICE, defaults=WAN, max_seconds=15,
        prices={"freepik": nominal(SECOND_HAND, second=4)},
        names=NOT_AT_RUNWAY
        | freepik("image-to-video/wan-2-7", "text-to-video/wan-2-7")
        | {"dashscope": ("wan2.7-i2v", "wan2.7-t2v")}),
    # Of Runway's word there are no bounds and of DashScope's only what third parties tell
    row("wan3", "alibaba", I2V, T2V, price=a_second(15), defaults=WAN, max_seconds=30, sizes=WAN3_SIZES,
        names={"dashscope": ("wan3.0-video",)}),
    # The vendor's older ones
    row("wan-2.6", "alibaba", I2V, T2V, price=WAN_PRICE, defaults=WAN, max_seconds=15,
        names=NOT_AT_RUNWAY | {"dashscope": ("wan2.6-i2v", "wan2.6-t2v")}),
    row("wan-2.2-kf2v", "alibaba", I2V, price=a_second(3), defaults=WAN | {"resolution": "720p"}, max_seconds=5,
        names=NOT_AT_RUNWAY | {"dashscope": ("wan2.2-kf2v-flash",)}),
    # Partners' image models
    row("gpt_image_2", "openai", T2I, price=an_image(5), defaults=PICTURE),
    row("gemini_2.5_flash", "google", T2I, price=at_runway(image=5), defaults=PICTURE),
    row("gemini_image3_pro", "google", T2I, price=an_image(20), defaults=PICTURE),
    row("gemini_image3.1_flash", "google", T2I, price=an_image(7), defaults=PICTURE),
    row("seedream5_pro", "bytedance", T2I, price=an_image(5), defaults=PICTURE),
    row("seedream5_lite", "bytedance", T2I, price=an_image(4), defaults=PICTURE),
    # Upscaling and sound: known, so that their bodies are checked in full; the built-in renderer makes few of them
    row("magnific_precision_upscaler_v2", "magnific", Operation.IMAGE_UPSCALE, price=a_job(10)),
    row("magnific_video_upscaler_creative", "magnific", Operation.VIDEO_UPSCALE, price=a_second(5)),
    row("seed_audio", "bytedance", Operation.TEXT_TO_SPEECH, Operation.SOUND_EFFECT, price=SPOKEN),
    row("eleven_multilingual_v2", "elevenlabs", Operation.TEXT_TO_SPEECH, price=at_runway(character=0.02)),
    row("eleven_v3", "elevenlabs", Operation.TEXT_TO_SPEECH, price=SPOKEN),
    row("eleven_text_to_sound_v2", "elevenlabs", Operation.SOUND_EFFECT, price=at_runway(job=2)),
    row("eleven_multilingual_sts_v2", "elevenlabs", Operation.SPEECH_TO_SPEECH, price=at_runway(second=1 / 3)),
    row("eleven_voice_dubbing", "elevenlabs", Operation.VOICE_DUBBING, price=at_runway(second=1 / 2)),
    row("eleven_v4", "elevenlabs", Operation.TEXT_TO_SPEECH, price=SPOKEN),
    row("mirelo_sfx_2_0", "mirelo", Operation.VIDEO_TO_AUDIO, Operation.SOUND_EFFECT, price=a_job(5)),
    row("ruby", "runway", Operation.VIDEO_TO_HDR, price=a_second(20)),
    row("enhance_frame_rate", "runway", Operation.VIDEO_UPSCALE, price=a_second(5)),
    row("eleven_voice_isolation", "elevenlabs", Operation.VOICE_ISOLATION, price=at_runway(second=1 / 6)),
    # Named by Runway's SDK 5.24 only, which gives fields but neither bounds nor prices: those here are nominal
    *(
        row(name, vendor, *serves, price=a_second(15), defaults=WIDE | SIZES.get(name, {}), max_seconds=15)
        for vendor, serves, names in (
            ("kuaishou", (I2V, T2V, V2V), ("klingO3_4k", "klingO3_pro", "klingO3_standard", "kling_4")),
            ("kuaishou", (I2V, T2V), ("kling2.5_turbo_pro", "kling3.0_4k", "kling3.0_pro", "kling3.0_standard")),
            ("xai", (I2V, T2V), ("grok_imagine_1_5", "grok_imagine_1_5_lite")),
            ("alibaba", (I2V, T2V), ("wan3_prime",)),
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
                **priced(model, changed),
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


def priced(model: Model, changed: ModelSettings) -> dict[str, Any]:
    """The prices of a row as the operator has them; a price for whoever makes it stands in for every vendor's."""
    own = {name: of_settings(model, price) for name, price in changed.prices.items()}
    if changed.price is not None:
        return {"price": of_settings(model, changed.price), "prices": own}
    return {"prices": model.prices | own}


def of_settings(model: Model, price: ModelPrice) -> Price:
    """Raises Problem(INVALID) for a tier that there is not."""
    for tier in price.tiers:
        if tier not in TIERS:
            where = f'[models."{model.name}"] price'
            raise Problem(Kind.INVALID, f"{where}: there is no tier {tier!r}; there are {', '.join(TIERS)}.")
    rates = {name: getattr(price, name) for name in price.__struct_fields__}
    return Price(**rates, source="the settings")


def engines_of(settings: ModelSettings) -> tuple[str, ...]:
    return settings.engines or ((settings.engine,) if settings.engine else ())


def first(*values: int | None) -> int | None:
    """The first figure that was given; 0 stands for "no limit"."""
    for value in values:
        if value is not None:
            return value or None
    return None


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
    if isinstance(shape, str) and (pixels := own_pixels(model, shape, tier)):
        others = {name: value for name, value in generation.extra.items() if name != "ratio"}
        return {"width": pixels[0], "height": pixels[1], "extra": others}
    follows = generation.input(Role.VIDEO) or (tier and generation.input(Role.FIRST_FRAME))
    if follows:
        return {"resolution": tier}
    if tier:
        width, height = own_pixels(model, "16:9", tier) or (1280, 720)
        return {"width": width, "height": height}
    return {"width": model.defaults.get("width"), "height": model.defaults.get("height")}


def own_pixels(model: Model, shape: str, tier: str | None) -> tuple[int, int] | None:
    return model.sizes.get(tier or "", {}).get(shape) or pixels_of(shape, tier)


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


def price_at(model: Model, engine: str, wire: str = "") -> Price:
    """What a model costs where it is made; `wire` is that of the engine's account, "" for the built-in ones.

    What a built-in engine makes is counted as the vendor would charge it. One vendor's price says nothing certain of
    another's: it is counted with, as a nominal one.
    """
    for name in (engine, wire):
        if name in model.prices:
            return model.prices[name]
    if wire and model.price.wire not in ("", wire):
        other = f"the price at {model.price.wire}"
        return replace(model.price, source="", checked="", wire=wire, note=other)
    return model.price


UNITS = {
    "second": "a second",
    "silent": "without sound",
    "image": "a picture",
    "megapixel": "a megapixel",
    "job": "a job",
    "character": "a character",
}


def price_words(price: Price) -> str:
    """8 a picture; 5 a picture up to 720p"""
    words = [rate_words(price) or "nothing"]
    words += [f"{rate_words(rates)} up to {tier}" for tier, rates in price.tiers.items()]
    return "; ".join(words)


def rate_words(rates: Rates) -> str:
    told = ((getattr(rates, name), unit) for name, unit in UNITS.items())
    return ", ".join(f"{credits:.3g} {unit}" for credits, unit in told if credits)


RECKONED_SECONDS = 30.0
"""How long a clip is taken to be of which nobody says how long it is."""

SURCHARGES: dict[str, tuple[float, float]] = {
    "prores": (5, 5),
    "png_sequence": (5, 5),
    **dict.fromkeys(("hdr10", "hlg", "sdr_rec709_10bit", "hdr_pq_12bit_master", "hdr_prores"), (20, 40)),
}
"""Credits more a second for a format, and above LARGE_FRAME. Runway's, and nobody else takes these words."""
LARGE_FRAME = 4_000_000  # pixels


def estimate(generation: Generation, price: Price, *, longest: float | None = None) -> float:
    """What is charged for this, in credits. From above, where it is not said how long it will be: then it is as long
    as its input may be, or as `longest`."""
    rates = rates_of(generation, price)
    pixels = (generation.width or 0) * (generation.height or 0)
    count = generation.count or 1
    second = rates.second
    if rates.silent is not None and generation.extra.get("audio") is False:
        second = rates.silent
    if second:
        second += SURCHARGES.get(generation.extra.get("outputFormat", ""), (0, 0))[pixels > LARGE_FRAME]
    return round(
        second * (seconds_of(generation, longest) if second else 0.0)
        + rates.image * count
        + rates.megapixel * count * pixels / 1e6
        + rates.job
        + rates.character * len(generation.prompt or ""),
        2,
    )


def rates_of(generation: Generation, price: Price) -> Rates:
    """Those of the smallest tier that the frame fits, else those of the price itself."""
    if not price.tiers:
        return price
    short = min(generation.width or 0, generation.height or 0) or TIERS.get(generation.resolution or "", 0)
    fitting = [tier for tier in price.tiers if 0 < short <= TIERS[tier]]
    return price.tiers[min(fitting, key=TIERS.__getitem__)] if fitting else price


def seconds_of(generation: Generation, longest: float | None) -> float:
    if generation.seconds is not None:
        return generation.seconds
    bounds = [each.limits.max_seconds for each in generation.inputs if each.limits and each.limits.max_seconds]
    return max(bounds) if bounds else longest or RECKONED_SECONDS


MOST_INPUTS = 100
LARGEST: Mapping[str, int] = {"count": 64, "seconds": 24 * 3600, "fps": 1000, "width": 1 << 16, "height": 1 << 16}
"""What nobody means. A model's own bounds, where they are known, are narrower and stand in its row or its wire."""


def check(generation: Generation, model: Model, fields: Mapping[str, str]) -> None:
    """Whether the model can do what is asked at all. Raises Problem with the caller's name of the field."""
    if generation.operation not in model.serves:
        can = ", ".join(sorted(model.serves))
        raise Problem(
            Kind.UNSUPPORTED,
            f"Model {model.name} does not do {generation.operation}; it does {can}.",
            field="model",
        )
    if len(generation.inputs) > MOST_INPUTS:
        told = f"{len(generation.inputs)} files are named; at most {MOST_INPUTS} are taken."
        raise Problem(Kind.INVALID, told, field=generation.inputs[-1].field)
    for name, most in LARGEST.items():
        if (wished := getattr(generation, name)) is not None and wished > most:
            field = fields.get(name, name)
            raise Problem(Kind.INVALID, f"{field} is too large: at most {most} is taken.", field=field)
    if model.max_seconds and generation.seconds and generation.seconds > model.max_seconds:
        raise Problem(
            Kind.INVALID,
            f"{model.name} makes at most {model.max_seconds:g} seconds; {generation.seconds:g} were asked for.",
            field=fields.get("seconds", "seconds"),
        )


WISHES = tuple(name for name in Generation.__struct_fields__ if name not in ("operation", "model", "inputs", "extra"))


def asked(generation: Generation) -> list[tuple[str, str]]:
    """What a generation asks for, as (name, the caller's name where the input knows it)."""
    wishes = [(name, name) for name in WISHES if getattr(generation, name) is not None]
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
    if "*" in heeded:
        return ()
    notes: list[str] = []
    for name, said in asked(generation):
        if name in heeded:
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
