"""Which models exist: one row each, with the operations, defaults, bounds and prices that go with the name.

A wire names a model in its vendor's words and translates to the name of the row. Defaults stand here and
nowhere else: what a caller leaves out is None until the gateway fills it in from the row.
"""

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from mutoscope.model.config import ModelPrice, ModelSettings, Rates
from mutoscope.model.job import Generation, Operation, Role
from mutoscope.model.problem import Kind, Problem
from mutoscope.model.words import Tokens

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
    defaults: dict[str, Any] = {}  # Generation field, or the name of an extra → value
    sizes: Mapping[str, Mapping[str, tuple[int, int]]] = {}  # tier → shape → pixels, where not those of `pixels_of`
    shape: str = "16:9"  # where a tier is asked for and no shape, and no picture has one
    max_seconds: float | None = None
    price: Price
    prices: dict[str, Price] = {}  # engine or wire → what it costs there, where that is another figure
    ignores: frozenset[str] = frozenset()  # need not be supported; the job then carries a note
    engines: tuple[str, ...] = ()  # who makes it, in order of preference; empty: see `routes`
    timeout_seconds: float | None = None  # at a vendor; None: as the settings of the relay say
    max_concurrent: int | None = None  # unfinished jobs per owner before one is throttled
    max_daily: int | None = None


ADVICE = frozenset({"contentModeration", "prompt_extend", "negative_prompt", "audio", "grounding", "quality"})
"""What need not be supported without the result being another thing: hints, filters, the vendor's own sound."""

GIVEN: Mapping[str, tuple[Any, ...]] = {
    "outputFormat": ("mp4", "png"),
    "background": ("auto", "opaque"),
    "audio": (False,),
    "ratio": ("adaptive", "auto"),
    "fpsBoost": (False,),
    "shot_type": ("single",),
    "multi_shot": (False,),
    "loop": (False,),
    "magic_prompt": ("AUTO", "OFF"),
    "rendering_speed": ("DEFAULT", "BALANCED"),
    "style_type": ("AUTO", "GENERAL"),
    "mask_polarity": ("white",),  # as every mask whose polarity is not said
}
"""Extras that ask for what every engine does anyway, with the values for which that is so."""


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
    ignores: frozenset[str] = ADVICE,
) -> Model:
    """A row, as vendors' tables have it."""
    return Model(
        name=name,
        vendor=vendor,
        serves=frozenset(serves),
        names=names or {},
        defaults=defaults or {},
        sizes=sizes or {},
        max_seconds=max_seconds,
        price=price,
        prices=prices or {},
        ignores=ignores,
    )


def nominal(note: str = "", **rates: Any) -> Price:
    """A figure that no vendor's page that we read has."""
    return Price(**rates, note=note)


def a_second(credits: float) -> Price:
    return nominal(second=credits)


def an_image(credits: float) -> Price:
    return nominal(image=credits)


def a_job(credits: float) -> Price:
    return nominal(job=credits)


class Catalog:
    """The rows, with what the operator changed about them."""

    def __init__(
        self,
        rows: Iterable[Model],
        settings: Mapping[str, ModelSettings] | None = None,
        *,
        max_concurrent: int | None = None,
        max_daily: int | None = None,
        engine: str | None = None,
        open_wires: Mapping[str, str] | None = None,
    ) -> None:
        """`engine` overrides every row's; the two limits hold for rows that have none of their own. `open_wires`: those
        whose names of models are passed on though no row has them, with their vendors.

        Raises Problem(NOT_FOUND) for settings of a model that does not exist.
        """
        self.open_wires = dict(open_wires or {})
        self._settings = dict(settings or {})
        self.own = tuple(own_row(name, each) for name, each in (settings or {}).items() if each.operations)
        """Rows that only the operator's settings have."""
        self.models: dict[str, Model] = {}
        for model in (*rows, *self.own):
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
        self.prices_tokens = False  # whether any model's tokens have a price
        for name, changed in self._settings.items():
            self.prices_tokens |= any(map(has_token_rates, (changed.price, *changed.prices.values())))
            if name in self.models or not any(map(has_token_rates, (changed.price, *changed.prices.values()))):
                self.get(name)

        self.words = {
            (wire, word): model
            for model in reversed(self.models.values())
            for wire, words in model.names.items()
            for word in words
        }

    def named(self, wire: str, word: str) -> Model:
        """The row that a wire calls so; by its own name where the wire has none. Raises Problem(NOT_FOUND)."""
        model = self.words.get((wire, word)) or self.models.get(word)
        if model is None and wire in self.open_wires and WORD.fullmatch(word):
            return self.get(f"{wire}:{word}")
        return model or self.get(word)

    def token_price(self, name: str, engine: str, wire: str) -> Rates | None:
        """What a million tokens of a model cost where an account answers for it; None where nobody said."""
        if (changed := self._settings.get(name)) is None:
            return None
        places = (changed.prices.get(engine), changed.prices.get(wire), changed.price)
        return next((price for price in places if has_token_rates(price)), None)

    def counted(self, name: str) -> str:
        """By what name a model is counted: callers who may name any make no series of their own."""
        return name if name in self.models else "open"

    def get(self, name: str) -> Model:
        """Raises Problem(NOT_FOUND) that lists what exists."""
        model = self.models.get(name)
        wire, _, word = name.partition(":")
        if model is None and wire in self.open_wires and WORD.fullmatch(word):
            return open_row(wire, word, self.open_wires[wire])
        if model is None:
            known = ", ".join(sorted(self.models))
            raise Problem(Kind.NOT_FOUND, f"There is no model {name!r}. This server knows: {known}.", field="model")
        return model


WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:@+-]{0,199}", re.ASCII)
"""What a name of a model may look like that no row has."""


def open_row(wire: str, word: str, vendor: str) -> Model:
    """A model that nobody here knows: sent by the name that the caller gave, at a price that is not known."""
    return Model(
        name=f"{wire}:{word}",
        vendor=vendor,
        serves=frozenset(Operation),
        names={wire: (word,)},
        price=Price(),
        engines=(wire,),
    )


def own_row(name: str, settings: ModelSettings) -> Model:
    """A row of the operator's. Raises Problem(INVALID) for an operation that there is not."""
    unknown = [each for each in settings.operations if each not in set(Operation)]
    if unknown:
        message = f'[models."{name}"] operations: there is no {unknown[0]!r}; there are {", ".join(Operation)}.'
        raise Problem(Kind.INVALID, message)
    return Model(
        name=name,
        vendor=settings.vendor,
        serves=frozenset(map(Operation, settings.operations)),
        names=settings.names,
        price=Price(),
        ignores=ADVICE,
    )


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


def has_token_rates(price: Rates | None) -> bool:
    return price is not None and (price.input_tokens, price.output_tokens) != (None, None)


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

    `remote`: a vendor makes it, whose frame rate is its own affair, and what an extra is where nobody asks for it.
    """
    follows = not remote and sized_by_picture(generation)
    missing = frame_size(generation, model, follows_picture=follows)
    extras: dict[str, Any] = {}
    for name, value in model.defaults.items():
        if name not in FIELDS:
            extras[name] = value
        elif not (
            name in FRAME
            or getattr(generation, name) is not None
            or (remote and name == "fps")
            or (name == "seconds" and generation.operation in FROM_A_PIECE)
        ):
            missing[name] = value
    if extras and not remote:
        missing["extra"] = extras | missing.get("extra", generation.extra)
    return replace(generation, **missing) if missing else generation


FIELDS = frozenset(Generation.__struct_fields__)
FRAME = frozenset({"width", "height", "resolution"})
FROM_A_PIECE = frozenset({Operation.MUSIC_EXTENSION, Operation.MUSIC_JOIN})
"""A row's usual length is that of a new piece."""


def is_size(generation: Generation, model: Model) -> bool:
    """Whether the shape that is asked for becomes pixels, so that whoever supports a width and a height supports it."""
    return "extra" in frame_size(generation, model, follows_picture=sized_by_picture(generation))


def sized_by_picture(generation: Generation) -> bool:
    return generation.operation in SIZED_BY_PICTURE and generation.input(Role.IMAGE) is not None


SIZED_BY_PICTURE = frozenset(
    {
        Operation.IMAGE_UPSCALE,
        Operation.IMAGE_INPAINT,
        Operation.IMAGE_OUTPAINT,
        Operation.BACKGROUND_REMOVAL,
        Operation.BACKGROUND_REPLACEMENT,
        Operation.VECTORIZATION,
        Operation.IMAGE_TO_IMAGE,
        Operation.IMAGE_TO_TEXT,
    }
)
"""What is made of a picture and is as big as it, or as it asks itself: a row's usual size says nothing about it."""
KEEP_RATIO = SIZED_BY_PICTURE - {Operation.IMAGE_TO_IMAGE}
"""Of these, a shape is not a size either: around a picture, it is that of the canvas."""


def frame_size(generation: Generation, model: Model, *, follows_picture: bool = False) -> dict[str, Any]:
    """The fields that settle the size of the frame, in the order of who knows best."""
    if generation.width is not None and generation.height is not None:
        return {}
    if follows_picture and generation.operation in KEEP_RATIO:
        return {}
    tier = generation.resolution or model.defaults.get("resolution")
    shape = generation.extra.get("ratio")
    if isinstance(shape, str) and (pixels := own_pixels(model, shape, tier)):
        others = {name: value for name, value in generation.extra.items() if name != "ratio"}
        return {"width": pixels[0], "height": pixels[1], "extra": others}
    if follows_picture:
        return {}
    follows = generation.input(Role.VIDEO) or (tier and generation.input(Role.FIRST_FRAME))
    if follows:
        return {"resolution": tier}
    if tier:
        width, height = own_pixels(model, model.shape, tier) or (1280, 720)
        return {"width": width, "height": height}
    return {"width": model.defaults.get("width"), "height": model.defaults.get("height")}


def own_pixels(model: Model, shape: str, tier: str | None) -> tuple[int, int] | None:
    return model.sizes.get(tier or "", {}).get(shape) or pixels_of(shape, tier)


TIERS = {
    "360p": 360,
    "480p": 480,
    "512p": 512,
    "540p": 540,
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
    "input_tokens": "a million input tokens",
    "output_tokens": "a million output tokens",
    "cached_tokens": "a million cached tokens",
    "cache_write_tokens": "a million tokens put into the cache",
}


def price_words(price: Price) -> str:
    """8 a picture; 5 a picture up to 720p"""
    words = [rate_words(price) or "nothing"]
    words += [f"{rate_words(rates)} up to {tier}" for tier, rates in price.tiers.items()]
    return "; ".join(words)


def rate_words(rates: Rates) -> str:
    told = ((getattr(rates, name), unit) for name, unit in UNITS.items())
    return ", ".join(f"{credits:.3g} {unit}" for credits, unit in told if credits)


def token_cost(tokens: Tokens, price: Rates) -> float:
    """What tokens cost, in credits."""
    usual = price.input_tokens or 0.0
    cached = usual if price.cached_tokens is None else price.cached_tokens
    put = usual if price.cache_write_tokens is None else price.cache_write_tokens
    fresh = max(tokens.read - tokens.cached - tokens.cache_written, 0)
    whole = fresh * usual + tokens.cached * cached + tokens.cache_written * put
    return (whole + tokens.written * (price.output_tokens or 0.0)) / 1e6


RECKONED_MEGAPIXELS = 1.0
"""How large a picture is taken to be that is as large as the one that it is made of."""
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
    megapixels = pixels / 1e6 if pixels or generation.operation not in SIZED_BY_PICTURE else RECKONED_MEGAPIXELS
    count = generation.count or 1
    second = rates.second
    if rates.silent is not None and generation.extra.get("audio") is False:
        second = rates.silent
    if second:
        second += SURCHARGES.get(generation.extra.get("outputFormat", ""), (0, 0))[pixels > LARGE_FRAME]
    return round(
        second * (seconds_of(generation, longest) if second else 0.0)
        + rates.image * count
        + rates.megapixel * count * megapixels
        + rates.job
        + rates.character * len(generation.prompt or ""),
        2,
    )


def rates_of(generation: Generation, price: Price) -> Rates:
    """Those of the smallest tier that the frame fits, else those of the price itself."""
    if not price.tiers:
        return price
    short = min(generation.width or 0, generation.height or 0) or TIERS.get(generation.resolution or "", 0)
    if not short:
        return price
    fitting = [tier for tier in price.tiers if short <= TIERS[tier]]
    return price.tiers[min(fitting, key=TIERS.__getitem__)] if fitting else price


def seconds_of(generation: Generation, longest: float | None) -> float:
    if (added := generation.extra.get("added_seconds")) is not None:
        return added
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


NO_WISH = frozenset({"operation", "model", "inputs", "extra", "wire", "unread"})
WISHES = tuple(name for name in Generation.__struct_fields__ if name not in NO_WISH)


def asked(generation: Generation) -> list[tuple[str, str]]:
    """What a generation asks for, as (name, the caller's name where the input knows it)."""
    wishes = [(name, name) for name in WISHES if getattr(generation, name) is not None]
    wishes += [(each.role.value, each.field) for each in generation.inputs]
    extra = generation.extra.items()
    wishes += [(name, name) for name, value in extra if value not in GIVEN.get(name, ())]
    return wishes


def check_support(
    generation: Generation,
    model: Model,
    engine: str,
    supported_fields: Mapping[Operation, frozenset[str]],
    fields: Mapping[str, str],
) -> tuple[str, ...]:
    """Check what was asked against what an engine supports. Nothing asked for vanishes in silence.

    Returns notes for what is not supported, by leave of the model's row. Raises Problem(UNSUPPORTED), naming the
    caller's field, for the rest. `generation` is as it was asked for, before the row's defaults.
    """
    supported = supported_fields.get(generation.operation)
    if supported is None:
        does = ", ".join(sorted(supported_fields)) or "nothing"
        raise Problem(
            Kind.UNSUPPORTED,
            f"No engine of this server can do {generation.operation} for {model.name}: engine {engine!r} "
            f"does {does}. Configure an engine that can, or choose another model.",
            field="model",
        )
    if "*" in supported:
        return ()
    notes: list[str] = []
    for name, said in asked(generation):
        if name in supported or (name == "ratio" and supported >= {"width", "height"} and is_size(generation, model)):
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
