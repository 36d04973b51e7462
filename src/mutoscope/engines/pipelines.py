"""Open weights by the names that the `diffusers` library has for their pipelines: a table of data.

The figures are those of the library's examples and of the models' own pages; the settings of an engine override steps,
guidance and frame rate. Nothing here needs the library.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from mutoscope.model.job import Json, Operation, Role

PICTURE, EDIT, FILL = Operation.TEXT_TO_IMAGE, Operation.IMAGE_TO_IMAGE, Operation.IMAGE_INPAINT
CLIP, ANIMATE = Operation.TEXT_TO_VIDEO, Operation.IMAGE_TO_VIDEO
INDEX = "model_index.json"


class Way(Struct, frozen=True, kw_only=True):
    """How one thing is made: the pipeline's class, and the argument by which it takes each input."""

    pipeline: str
    inputs: Mapping[Role, str] = {}
    several: bool = False  # pictures beyond the first are given in the same argument
    strength: float | None = None  # where nobody says how far it may go from the picture; None: it takes no such figure


class Row(Struct, frozen=True, kw_only=True):
    """One family of checkpoints."""

    ways: Mapping[Operation, Way]
    width: int = 1024  # where nobody says
    height: int = 1024
    multiple: int  # width and height are made as multiples of this, and then cut
    steps: int
    guidance: float | None = None
    guidance_as: str = "guidance_scale"  # the argument; "guider" for a part of its own; "" where it takes none
    negative: bool = True  # whether it takes a negative prompt
    no_negative: str | None = None  # what stands for a negative prompt that nobody gave
    with_negative: Json = {}  # arguments without which it has no effect
    more: Json = {}  # arguments that it is always given
    ratio: int = 0  # a clip is made with a multiple of this many frames and one; 0: it makes pictures
    fps: int = 24
    any_fps: bool = False  # whether it is told the frame rate; else it makes what it was trained for
    frames: int = 0  # where nobody says how long
    most_frames: int = 0
    sound: bool = False

    @property
    def pipelines(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(way.pipeline for way in self.ways.values()))


def way(pipeline: str, *, several: bool = False, strength: float | None = None, **inputs: str) -> Way:
    """A way, its inputs as role="argument"."""
    roles = {Role(name): argument for name, argument in inputs.items()}
    return Way(pipeline=pipeline, inputs=roles, several=several, strength=strength)


def trio(stem: str, *, edit: float, fill: float, edits: str = "Img2Img") -> dict[Operation, Way]:
    """A family with a pipeline each for words, for a picture and for a mask."""
    return {
        PICTURE: way(f"{stem}Pipeline"),
        EDIT: way(f"{stem}{edits}Pipeline", image="image", strength=edit),
        FILL: way(f"{stem}InpaintPipeline", image="image", mask="mask_image", strength=fill),
    }


def animate(pipeline: str) -> Way:
    return way(pipeline, first_frame="image")


def first_and_last(pipeline: str) -> Way:
    return way(pipeline, first_frame="image", last_frame="last_image")


LTX_2 = {
    CLIP: way("LTX2Pipeline"),
    # One class for both ends of a clip: LTX2ImageToVideoPipeline takes the first only.
    ANIMATE: way("LTX2ConditionPipeline", first_frame="conditions", last_frame="conditions"),
}
WAN_WIDE: dict[str, Any] = {"width": 1280, "height": 720, "multiple": 16, "ratio": 4, "frames": 81, "most_frames": 161}
HUNYUAN: dict[str, Any] = {
    "width": 848, "height": 480, "multiple": 16, "ratio": 4, "frames": 121, "most_frames": 241, "steps": 50,
    "guidance": 6.0, "guidance_as": "guider",
}  # fmt: skip
QWEN: dict[str, Any] = {
    "multiple": 16, "steps": 50, "guidance": 4.0, "guidance_as": "true_cfg_scale", "no_negative": " ",
}  # fmt: skip
FLUX_2 = {
    PICTURE: way("Flux2Pipeline"),
    EDIT: way("Flux2Pipeline", image="image", reference="image", several=True),
}
KLEIN = {
    PICTURE: way("Flux2KleinPipeline"),
    EDIT: way("Flux2KleinPipeline", image="image", reference="image", several=True),
}

ROWS: Mapping[str, Row] = {
    "sdxl": Row(
        ways=trio("StableDiffusionXL", edit=0.6, fill=0.99),
        multiple=8, steps=30, guidance=5.0,
    ),
    "flux.1-dev": Row(
        ways=trio("Flux", edit=0.75, fill=0.85),
        multiple=16, steps=28, guidance=3.5, with_negative={"true_cfg_scale": 4.0},
    ),
    "flux.1-schnell": Row(
        ways=trio("Flux", edit=0.75, fill=0.85),
        multiple=16, steps=4, guidance_as="", negative=False, more={"max_sequence_length": 256},
    ),
    "flux.1-kontext": Row(
        ways={EDIT: way("FluxKontextPipeline", image="image")},
        multiple=16, steps=28, guidance=2.5, with_negative={"true_cfg_scale": 4.0},
    ),
    "flux.1-fill": Row(
        ways={FILL: way("FluxFillPipeline", image="image", mask="mask_image")},
        multiple=16, steps=50, guidance=30.0, negative=False,
    ),
    "flux.2-dev": Row(
        ways=FLUX_2,
        multiple=16, steps=50, guidance=4.0, negative=False,
    ),
    "flux.2-klein": Row(
        ways=KLEIN,
        multiple=16, steps=4, guidance_as="", negative=False, more={"guidance_scale": 1.0},
    ),
    "flux.2-klein-base": Row(
        ways=KLEIN,
        multiple=16, steps=50, guidance=4.0, negative=False,
    ),
    "z-image": Row(
        ways=trio("ZImage", edit=0.6, fill=0.99),
        multiple=16, steps=50, guidance=4.0,
    ),
    "z-image-turbo": Row(
        ways=trio("ZImage", edit=0.6, fill=0.99),
        multiple=16, steps=9, guidance_as="", negative=False, more={"guidance_scale": 0.0},
    ),
    "qwen-image": Row(
        ways=trio("QwenImage", edit=0.6, fill=0.85),
        width=1328, height=1328, **QWEN,
    ),
    "qwen-image-edit": Row(
        ways={EDIT: way("QwenImageEditPlusPipeline", image="image", reference="image", several=True)},
        **QWEN,
    ),
    "qwen-image-edit-1": Row(
        ways={EDIT: way("QwenImageEditPipeline", image="image")},
        **QWEN,
    ),
    "wan2.1-t2v": Row(
        ways={CLIP: way("WanPipeline")},
        width=832, height=480, multiple=16, ratio=4, fps=16, frames=81, most_frames=161, steps=50, guidance=5.0,
    ),
    "wan2.1-i2v": Row(
        ways={ANIMATE: first_and_last("WanImageToVideoPipeline")},
        width=832, height=480, multiple=16, ratio=4, fps=16, frames=81, most_frames=161, steps=50, guidance=5.0,
    ),
    "wan2.2-t2v-a14b": Row(
        ways={CLIP: way("WanPipeline")},
        fps=16, steps=40, guidance=4.0, more={"guidance_scale_2": 3.0}, **WAN_WIDE,
    ),
    "wan2.2-i2v-a14b": Row(
        ways={ANIMATE: first_and_last("WanImageToVideoPipeline")},
        fps=16, steps=40, guidance=3.5, more={"guidance_scale_2": 3.5}, **WAN_WIDE,
    ),
    "wan2.2-ti2v-5b": Row(
        # The class takes a last image, and with these weights nothing comes of it: it is not among the inputs.
        ways={CLIP: way("WanPipeline"), ANIMATE: animate("WanImageToVideoPipeline")},
        width=1280, height=704, multiple=32, ratio=4, fps=24, frames=121, most_frames=241, steps=50, guidance=5.0,
    ),
    "ltx-2": Row(
        ways=LTX_2,
        width=768, height=512, multiple=32, ratio=8, fps=24, any_fps=True, frames=121, most_frames=505, steps=30,
        guidance=3.0, sound=True,
    ),
    "hunyuan-video-1.5-t2v": Row(ways={CLIP: way("HunyuanVideo15Pipeline")}, **HUNYUAN),
    "hunyuan-video-1.5-i2v": Row(ways={ANIMATE: animate("HunyuanVideo15ImageToVideoPipeline")}, **HUNYUAN),
}  # fmt: skip
"""The name that `[engines.NAME] pipeline` gives it → what it is."""

AMBIGUOUS = {"FluxPipeline": "flux.1-dev", "Flux2KleinPipeline": "flux.2-klein-base", "ZImagePipeline": "z-image"}
"""Classes of several rows that nothing in the folder tells apart, and the row that is right for the full checkpoint."""


def find(pipeline: str, model: str) -> tuple[str, Row] | None:
    """The row of a setting: by its own name, by the name of a class, or, where the model is a folder and nothing is
    said, by what the folder says of itself. None where there is none."""
    if pipeline in ROWS:
        return pipeline, ROWS[pipeline]
    index = index_of(Path(model))
    name = pipeline or str(index.get("_class_name", ""))
    named = row_of(name, index)
    return (named, ROWS[named]) if named else None


def row_of(name: str, index: Json) -> str | None:
    """The row of a class. The variants of Wan are told apart by what the index has of them."""
    if name in ("WanPipeline", "WanImageToVideoPipeline"):
        if index.get("expand_timesteps"):
            return "wan2.2-ti2v-5b"
        kind = "t2v" if name == "WanPipeline" else "i2v"
        return f"wan2.2-{kind}-a14b" if index.get("boundary_ratio") is not None else f"wan2.1-{kind}"
    if name in AMBIGUOUS:
        return AMBIGUOUS[name]
    return next((row for row, each in ROWS.items() if name in each.pipelines or name in also(each)), None)


def also(row: Row) -> tuple[str, ...]:
    """Classes by which a folder may call itself without being asked for."""
    return ("LTX2ImageToVideoPipeline",) if row.ways is LTX_2 else ()


def index_of(folder: Path) -> Json:
    """What a folder of weights says of itself; nothing where it is none."""
    try:
        return msgspec.json.decode((folder / INDEX).read_bytes(), type=dict[str, Any])
    except (OSError, msgspec.DecodeError, ValueError):
        return {}
