"""What a child of `studio.py` makes of an order, beside clips: pictures, music and words, a function an operation.

Each takes the order and returns facts of what it made: files with their `path`, or words as `text`; the words of the
prompt that were `used` and `ignored`, and in `told` how it was made. It imports nothing of ours but studio.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from PIL import Image

from mutoscope import studio
from mutoscope.studio import StudioError, picture, widen

Json = dict[str, Any]
Reporter = Callable[[Json], None]
Maker = Callable[[Json, Reporter], list[Json]]

GRID = 4  # pictures of one
GRID_AREA = 2048 * 2048  # pixels of the picture that shows four
SONG_SECONDS, SECONDS_A_LINE, LONGEST_SONG = 30.0, 4.0, 240.0  # where nobody names a length
ADDED_SECONDS = 30.0  # by which a piece is continued
COVER_SIDE = 512
LEARNT_SIDE = 512
MOST_OFFSET = 10_000
ZOOMS = (1.0, 4.0)
FORMATS = {"png": "png", "jpeg": "jpg", "jpg": "jpg", "webp": "webp"}
SOUND_FORMATS = {"mp3": "mp3", "wav": "wav"}


# -- pictures ------------------------------------------------------------------------------


def paint(order: Json, report: Reporter) -> list[Json]:
    def one(out: Path, seed: int) -> Json:
        width, height = order["width"], order["height"]
        if width is None or height is None:
            width, height = studio.fit_size(order["resolution"] or "720p", 16, 9)
        painted = studio.text_to_image(order["prompt"], out, width=width, height=height, seed=seed, card=order["card"])
        return facts(out, painted)

    return several(order, report, one)


def vary(order: Json, report: Reporter) -> list[Json]:
    image = first(order["images"])
    if image is None and not order["references"]:
        raise StudioError("there is no picture to go on from", field="image")

    def one(out: Path, seed: int) -> Json:
        made = studio.vary_image(
            image,
            out,
            prompt=order["prompt"],
            references=[Path(each) for each in order["references"]],
            strength=number(order, "strength", 0.5, 0.0, 1.0),
            width=order["width"],
            height=order["height"],
            seed=seed,
        )
        return {**facts(out, made), "told": made.how}

    return several(order, report, one)


def blend(order: Json, report: Reporter) -> list[Json]:
    images = [Path(each) for each in (*order["images"], *order["references"])]

    def one(out: Path, seed: int) -> Json:
        made = studio.blend_images(images, out, width=order["width"], height=order["height"], seed=seed)
        told = f"{len(images)} pictures crossfaded into one; nothing in them was recognised{unread(order)}"
        return {**facts(out, made), "told": told}

    return several(order, report, one)


def learn(order: Json, _: Reporter) -> list[Json]:
    """A picture of the palette and tone of several, by which later ones are made."""
    pictures, out = [Path(each) for each in order["references"]], name(order, 0, "png")
    needed(first(order["references"]), "reference", "there is no picture to learn from")
    made = studio.learn_look(pictures, out, side=LEARNT_SIDE, seed=order["seed"])
    told = f"the palette and tone of {len(pictures)} pictures were learnt, and nothing else of them"
    return [{**facts(out, made), "told": told}]


def widened(order: Json, report: Reporter) -> list[Json]:
    image = shrunk(order, needed(first(order["images"]), "image", "there is no picture to widen"))
    image, (left, right, top, bottom) = cropped(order, image, margins_of(order, picture.measure(image)))

    def one(out: Path, seed: int) -> Json:
        made = studio.widen_image(
            image, out, left=left, right=right, top=top, bottom=bottom, prompt=order["prompt"], seed=seed
        )
        how = "a scene of the prompt's words" if made.used else "a soft reflection of its edges"
        return {**facts(out, made), "told": f"the picture as it is, and around it {how}"}

    return several(order, report, one)


def shrunk(order: Json, image: Path) -> Path:
    """With `shrink`, the picture made so small that it fits in the size that was asked for, which is kept then."""
    wide, high = order["width"], order["height"]
    width, height = picture.measure(image)
    if order["extra"].get("shrink") is not True or not (wide and high) or (wide >= width and high >= height):
        return image
    factor, out = min(wide / width, high / height), name(order, 0, "png").with_name("shrunk.png")
    size = max(1, round(width * factor)), max(1, round(height * factor))
    picture.save(picture.load(image).resize(size, Image.Resampling.LANCZOS), out, "")
    return out


def cropped(order: Json, image: Path, margins: tuple[int, int, int, int]) -> tuple[Path, tuple[int, int, int, int]]:
    """The part of the picture that lies on the canvas, and the margins round it."""
    if min(margins) >= 0:
        return image, margins
    left, right, top, bottom = margins
    width, height = picture.measure(image)
    out = name(order, 0, "png").with_name("cropped.png")
    box = max(0, -left), max(0, -top), width - max(0, -right), height - max(0, -bottom)
    if box[0] >= box[2] or box[1] >= box[3]:
        raise StudioError("nothing of the picture would be on the canvas", field="reference_offset_x")
    picture.save(picture.load(image).crop(box), out, "")
    return out, (max(0, left), max(0, right), max(0, top), max(0, bottom))


def margins_of(order: Json, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Left, right, top and bottom: as pixels, as a factor, or so that a shape or a size is reached. Less than none
    where the picture is larger than the size, and may be cropped."""
    sides = {"left": "left", "right": "right", "up": "top", "down": "bottom"}
    most = widen.MAX_SIDE
    told = {side: int(number(order, side, 0, 0, most)) for side in sides if order["extra"].get(side) is not None}
    if any(told.values()):
        return told.get("left", 0), told.get("right", 0), told.get("up", 0), told.get("down", 0)
    width, height = size
    zoom = number(order, "zoom", 1.0, *ZOOMS)
    wide, high = round(width * zoom), round(height * zoom)
    shape = order["extra"].get("ratio")
    if order["width"] or order["height"]:
        wide, high = order["width"] or wide, order["height"] or high
    elif shape not in (None, "auto", "adaptive"):
        wide, high = around(wide, high, shape_of(shape))
    if (wide, high) == size and not (order["extra"].get("shrink") is True or order["extra"].get("auto_crop") is True):
        raise StudioError(
            "nothing is to be added: left, right, up or down in pixels, zoom above 1, a ratio of another shape, or a"
            " width and a height say what",
            field="ratio" if shape else "left",
        )
    left = placed(order, "reference_offset_x", (wide - width) // 2)
    top = placed(order, "reference_offset_y", (high - height) // 2)
    margins = left, wide - width - left, top, high - height - top
    if min(margins) < 0 and order["extra"].get("auto_crop") is not True:
        side, axis, small = ("width", "x", wide < width) if min(margins[:2]) < 0 else ("height", "y", high < height)
        raise StudioError(
            f"the picture is {width}x{height} and does not lie whole on a canvas of {wide}x{high} with its corner at"
            f" {left}, {top}; a larger {side} would do",
            field=side if small else f"reference_offset_{axis}",
        )
    return margins


def placed(order: Json, field: str, centred: int) -> int:
    """Where the picture begins on the canvas."""
    return int(number(order, field, centred, -MOST_OFFSET, MOST_OFFSET))


def around(width: int, height: int, aspect: float) -> tuple[int, int]:
    """The smallest canvas of this shape that a picture of this size fits in."""
    return max(width, round(height * aspect)), max(height, round(width / aspect))


def shape_of(told: Any) -> float:
    """Of "16:9" or "16x9"."""
    width, _, height = str(told).replace("x", ":").partition(":")
    if not (width.isdigit() and height.isdigit() and 0.1 <= int(width) / max(1, int(height)) <= 10):
        raise StudioError(f"the ratio is {told!r}; it must be a shape such as 16:9", field="ratio")
    return int(width) / int(height)


def inpaint(order: Json, report: Reporter) -> list[Json]:
    image = needed(first(order["images"]), "image", "there is no picture to mend")
    mask = Path(order["mask"]) if order["mask"] else None
    polarity = order["extra"].get("mask_polarity")

    def one(out: Path, seed: int) -> Json:
        size = {"width": order["width"], "height": order["height"]}
        made = studio.fill_image(image, mask, out, prompt=order["prompt"], polarity=polarity, seed=seed, **size)
        how = "painted from the prompt's words" if made.used else "filled from the rest of the picture"
        return {**facts(out, made), "told": f"what the mask shows was {how}"}

    return several(order, report, one)


def replace_background(order: Json, report: Reporter) -> list[Json]:
    image = needed(first(order["images"]), "image", "there is no picture to cut out of")
    behind = first(order["references"])

    def one(out: Path, seed: int) -> Json:
        made = studio.replace_background(
            image, out, prompt=order["prompt"], background=behind, seed=seed, **found_in(order)
        )
        how = "laid over the other picture" if behind else "laid over a painted scene"
        return {**facts(out, made), "told": f"the subject was cut out and {how} ({confidence(made.confidence)})"}

    return several(order, report, one)


def cut_out(order: Json, _: Reporter) -> list[Json]:
    suffix = suffix_of(order, {"png": "png", "webp": "webp"})
    out = name(order, 0, suffix)
    image = needed(first(order["images"]), "image", "there is no picture to cut out of")
    made = studio.cut_out(image, out, **found_in(order))
    what = "a person" if order.get("person") else "the subject"
    by_rule = "by colour and outline, without a trained model"
    how = f"where a trained model found {what}" if found_in(order) else by_rule
    told = f"the subject was cut out {how} ({confidence(made.confidence)})"
    return [{**facts(out, made), "told": told}]


def found_in(order: Json) -> dict[str, Path]:
    """Where a trained model found what is to be cut out: roughly, or to the pixel."""
    if order.get("matte"):
        return {"matte": Path(order["matte"])}
    rough = order.get("person") or order.get("subject")
    return {"rough": Path(rough)} if rough else {}


def trace(order: Json, _: Reporter) -> list[Json]:
    suffix = suffix_of(order, {"svg": "svg"}, usual="svg")
    out = name(order, 0, suffix)
    image = needed(first(order["images"]), "image", "there is no picture to trace")
    made = studio.trace_image(image, out, detail=order["extra"].get("detail") or "fair")
    return [{**facts(out, made), "told": f"traced into {made.paths} areas of colour by vtracer"}]


def enlarge(order: Json, _: Reporter) -> list[Json]:
    out = name(order, 0, suffix_of(order))
    image = needed(first(order["images"]), "image", "there is no picture to enlarge")
    factor, size = enlargement(order, image)
    seen = Path(order["enlarged"]) if order.get("enlarged") else None
    if size is not None:
        made, how = (
            studio.enlarge_to(image, out, width=size[0], height=size[1], seen=seen),
            f"to {size[0] or '…'}x{size[1] or '…'}",
        )
    else:
        made, how = studio.enlarge_image(image, out, factor=factor, seen=seen), f"{factor} times"
    means = "by a trained model, which invents detail" if seen else "by resampling; no detail was invented"
    return [{**facts(out, made), "told": f"enlarged {how} {means}"}]


def enlargement(order: Json, image: Path) -> tuple[int, tuple[int | None, int | None] | None]:
    """A whole factor, or a size."""
    if order["width"] or order["height"]:
        return 0, (order["width"], order["height"])
    width, height = picture.measure(image)
    if order["resolution"]:
        return 0, (studio.fit_size(order["resolution"], width, height)[0], None)
    told = next((order["extra"][each] for each in ("scale", "scaleFactor") if order["extra"].get(each) is not None), 2)
    text = str(told).lower().removesuffix("x")
    try:
        factor = float(text)
    except ValueError:
        raise StudioError(f"the factor is {told!r}; it must be a number such as 2", field="factor") from None
    if factor.is_integer() and factor != 3:
        return int(factor), None  # what it may be is checked there
    if not 1 < factor <= 16:
        raise StudioError(f"the factor is {told!r}; it must be above 1 and at most 16", field="factor")
    return 0, (round(width * factor), round(height * factor))


def several(order: Json, report: Reporter, one: Callable[[Path, int], Json]) -> list[Json]:
    """As many as were asked for, each with the next seed; with `grid` four, and before them the four on one sheet."""
    grid = order["extra"].get("grid") is True
    if grid and order["count"] not in (None, 1, GRID):
        raise StudioError(f"a grid shows {GRID} pictures; {order['count']} were asked for", field="count")
    count, suffix = GRID if grid else order["count"] or 1, suffix_of(order, FORMATS | {"svg": "svg"})
    drawn = suffix == "svg"
    if grid and drawn:
        raise StudioError("a grid is no drawing; its format can be png, jpeg or webp", field="format")
    made: list[Json] = []
    for index in range(count):
        picture = one(name(order, index, "png" if drawn else suffix), order["seed"] + index)
        made.append(traced(picture) if drawn else picture)
        report({"progress": (index + 1) / (count + grid)})
    return [sheet(order, made, suffix), *made] if grid else made


def traced(made: Json) -> Json:
    """A picture that was made, as a drawing."""
    out = Path(made["path"]).with_suffix(".svg")
    drawing = studio.trace_image(Path(made["path"]), out)
    how = f"{made.get('told') or 'painted from its words'}; then traced into {drawing.paths} areas of colour by vtracer"
    return {**made, "path": str(out), "told": how}


def sheet(order: Json, made: list[Json], suffix: str) -> Json:
    """Four pictures as one, two by two, at their own size where that is not too much."""
    out = name(order, GRID, suffix)
    size = studio.tile_images([Path(each["path"]) for each in made], out, most=GRID_AREA)
    return {**made[0], "path": str(out), "width": size[0], "height": size[1]}


# -- words ---------------------------------------------------------------------------------


def describe(order: Json, _: Reporter) -> list[Json]:
    found = studio.describe_image(needed(first(order["images"]), "image", "there is no picture to describe"))
    told = "described by its colours and composition; nothing in it was recognised"
    return [{**said(text), "told": told} for text in studio.lines_of(found, order["count"] or 1)]


def write(order: Json, _: Reporter) -> list[Json]:
    """A song's text, or a shorter prompt: `task` says which."""
    task, count = order["extra"].get("task") or "lyrics", order["count"] or 1
    if task == "shorten":
        texts, ignored = studio.shorten(order["prompt"], count)
        told = "the prompt in the words that the painter knows" + (
            f"; left out: {', '.join(ignored)}" if ignored else ""
        )
        return [{**said(text), "told": told} for text in texts]
    if task != "lyrics":
        raise StudioError(f"the task is {task!r}; it must be lyrics or shorten", field="task")
    songs = [studio.write_lyrics(order["prompt"], seed=order["seed"] + index) for index in range(count)]
    told = "lyrics written by rule from the prompt's words; no language model wrote them"
    return [{**said(f"[Title: {each.title}]\n\n{each.text}"), "told": told} for each in songs]


def said(text: str) -> Json:
    return {"text": text, "used": (), "ignored": ()}


# -- music ---------------------------------------------------------------------------------


def compose(order: Json, report: Reporter) -> list[Json]:
    words, lyrics = words_of(order)
    lines = sum(count for _, count in studio.parts_of(lyrics)) * SECONDS_A_LINE
    seconds = order["length"] or min(LONGEST_SONG, max(SONG_SECONDS, lines))

    def one(out: Path, seed: int) -> Json:
        made = studio.make_music(words, out, seconds=seconds, seed=seed, lyrics=lyrics, negative=negative_of(order))
        parts = f", in the parts {', '.join(made.parts)}" if made.parts else ""
        told = f"composed by rule in {made.key} at {made.tempo:g} beats a minute for {', '.join(made.voices)}{parts}"
        return {**sounding(out, made), "told": f"{told}; no voice sings in it"}

    return [*takes(order, report, one), *cover(order, words)]


def go_on(order: Json, report: Reporter) -> list[Json]:
    audio = needed(first(order["sounds"]), "audio", "there is no music to continue")
    words, lyrics = words_of(order)
    at = number(order, "continue_at", None, 0.0, 1e6)

    def one(out: Path, seed: int) -> Json:
        made = studio.extend_music(
            audio,
            out,
            seconds=order["length"],
            more=ADDED_SECONDS,
            prompt=words,
            lyrics=lyrics,
            negative=negative_of(order),
            at=at,
            seed=seed,
        )
        told = f"continued by rule in {made.key} at {made.tempo:g} beats a minute for {', '.join(made.voices)}"
        return {**sounding(out, made), "told": f"{told}; no voice sings in what was added"}

    return takes(order, report, one)


def join(order: Json, _: Reporter) -> list[Json]:
    out = name(order, 0, suffix_of(order, SOUND_FORMATS, usual="mp3"))
    pieces = [Path(each) for each in order["sounds"]]
    seconds = studio.join_music(pieces, out)
    joined = f"{len(pieces)} pieces joined, each from a beat of the one before"
    told = joined if len(pieces) > 1 else "one piece, which is the whole: levelled, and otherwise as it was"
    return [{"path": str(out), "seconds": seconds, "used": (), "ignored": (), "told": told}]


def takes(order: Json, report: Reporter, one: Callable[[Path, int], Json]) -> list[Json]:
    count, suffix = order["count"] or 1, suffix_of(order, SOUND_FORMATS, usual="mp3")
    made: list[Json] = []
    for index in range(count):
        made.append(one(name(order, index, suffix), order["seed"] + index))
        report({"progress": (index + 1) / count})
    return made


def words_of(order: Json) -> tuple[str, str]:
    """What tells the style, and the lyrics: a prompt with marks such as [Verse] is lyrics itself."""
    tags, lyrics, prompt = order["extra"].get("tags") or "", order["extra"].get("lyrics") or "", order["prompt"]
    if isinstance(tags, list):
        tags = ", ".join(str(each) for each in cast("list[Any]", tags))
    if not isinstance(tags, str) or not isinstance(lyrics, str):
        field = "tags" if not isinstance(tags, str) else "lyrics"
        raise StudioError(f"{field} must be text", field=field)
    if not lyrics and studio.parts_of(prompt):
        prompt, lyrics = "", prompt
    return ". ".join(each for each in (tags, prompt) if each.strip()), lyrics


def negative_of(order: Json) -> str:
    return order["negative_prompt"] or ""


def cover(order: Json, words: str) -> list[Json]:
    """A picture for it, unless none is wanted: painted from its words, abstract where they name no place."""
    if order["extra"].get("cover") is False:
        return []
    out = name(order, GRID, "png")
    title = order["extra"].get("title")
    prompt = f"{title}. {words}" if isinstance(title, str) and title else words
    made = studio.text_to_image(prompt, out, width=COVER_SIDE, height=COVER_SIDE, seed=order["seed"])
    return [facts(out, made)]


def sounding(out: Path, made: Any) -> Json:
    return {"path": str(out), "seconds": made.seconds, "used": made.used, "ignored": made.ignored}


# -- what they share -----------------------------------------------------------------------


def facts(out: Path, made: Any) -> Json:
    words = {each: getattr(made, each, ()) for each in ("used", "ignored", "shown")}
    return {"path": str(out), "width": made.width, "height": made.height, **words}


def name(order: Json, index: int, suffix: str) -> Path:
    return Path(order["out"][0]).with_name(f"made-{index}.{suffix}")


def suffix_of(order: Json, kinds: dict[str, str] = FORMATS, *, usual: str = "png") -> str:
    told = order["extra"].get("format")
    if told is None:
        return usual
    if str(told).lower() not in kinds:
        raise StudioError(f"the format is {told!r}; it must be one of {', '.join(kinds)}", field="format")
    return kinds[str(told).lower()]


def number(order: Json, field: str, usual: Any, least: float, most: float) -> Any:
    """A number of the extras, or the usual."""
    told = order["extra"].get(field)
    if told is None:
        return usual
    if isinstance(told, bool) or not isinstance(told, int | float) or not least <= told <= most:
        raise StudioError(f"{field} is {told!r}; it must be a number from {least:g} to {most:g}", field=field)
    return told


def first(paths: list[str]) -> Path | None:
    return Path(paths[0]) if paths else None


def needed(path: Path | None, field: str, message: str) -> Path:
    if path is None:
        raise StudioError(message, field=field)
    return path


def unread(order: Json) -> str:
    return "; the prompt was not read" if order["prompt"].strip() else ""


def confidence(value: float) -> str:
    return f"confidence {value:.2f}" + ("; look at it before it is used" if value < 0.5 else "")


MAKERS: dict[str, Maker] = {
    "text_to_image": paint,
    "image_to_image": vary,
    "image_blend": blend,
    "image_outpaint": widened,
    "image_inpaint": inpaint,
    "image_upscale": enlarge,
    "background_removal": cut_out,
    "background_replacement": replace_background,
    "vectorization": trace,
    "finetune": learn,
    "image_to_text": describe,
    "text_to_text": write,
    "text_to_music": compose,
    "music_extension": go_on,
    "music_join": join,
}
"""By the operation's name."""
