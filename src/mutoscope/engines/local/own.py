"""An operator's own model in an ONNX file: tried as it is loaded, so that a file of another kind is refused by what it
takes and gives, not by what it makes of somebody's picture.
"""

from collections.abc import Callable
from typing import IO, Any

import cv2
import numpy as np

from mutoscope.engines.local import pictures
from mutoscope.engines.local.enlarging import SCALES, enlarged
from mutoscope.engines.local.pictures import Json, Unfit, write
from mutoscope.engines.local.rows import CUT_OUT, DEPTH, SEGMENTATION, UPSCALE
from mutoscope.studio.imprint import network

SIDES = {CUT_OUT: 1024, SEGMENTATION: 512, DEPTH: 518, UPSCALE: 128}
"""Pixels a side for models that take any."""
TRIAL_SIDE = 64  # of the picture that an upscaler of any size is tried with
GIVES = {
    CUT_OUT: "[1, 1, height, width], a number from 0 to 1 a pixel",
    SEGMENTATION: "[1, classes, height, width], or the class of each pixel as a whole number",
    DEPTH: "[1, height, width] or [1, 1, height, width]",
    UPSCALE: f"[1, 3, n x height, n x width], where n is one of {', '.join(map(str, SCALES))}",
}


def load(
    files: dict[str, str], *, name: str, mean: list[float], std: list[float], side: int
) -> Callable[[Json, IO[bytes] | None, IO[bytes]], Json]:
    """Raises Unfit."""
    try:
        model = network(files["model.onnx"])
    except Exception as error:  # onnxruntime has an exception for each of its codes, all of them plain
        raise Unfit(f"is no ONNX model that onnxruntime can load: {str(error)[:200]}") from error
    width, height = size_taken(model, name, side)
    shift, spread = (np.array(each, np.float32)[:, None, None] for each in (mean, std))
    kind = np.float16 if "16" in model.get_inputs()[0].type else np.float32

    def run(rgb: Any) -> Any:
        """(H, W, 3), 0 to 255 → what the model gives first."""
        taken = (rgb.astype(np.float32).transpose(2, 0, 1) / 255 - shift) / spread
        return model.run(None, {model.get_inputs()[0].name: taken[None].astype(kind)})[0]

    scale = tried(run, model, name, (width, height))

    def answer(_: Json, file: IO[bytes] | None, out: IO[bytes]) -> Json:
        if name == UPSCALE and pictures.transparent(file):
            return {"made": False}
        if name == UPSCALE:
            rgb = pictures.read(file, enough=pictures.MOST_PIXELS)
            write(enlarged(rgb, scale, (width, height), lambda tile: run(tile)[0]), out)
            return {"made": True}
        rgb = pictures.read(file, enough=2 * max(width, height))
        small = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)
        found = of_pixels(name, run(small))
        write(np.rint(found * 65535).astype(np.uint16) if name == DEPTH else np.rint(found * 255).astype(np.uint8), out)
        return {"made": True}

    return answer


def size_taken(model: Any, name: str, side: int) -> tuple[int, int]:
    """Width and height. Raises Unfit."""
    inputs = model.get_inputs()
    shape: list[Any] = inputs[0].shape if len(inputs) == 1 else []
    if (
        len(shape) != 4
        or inputs[0].type not in ("tensor(float)", "tensor(float16)")
        or not fits(shape[0], 1)
        or not fits(shape[1], 3)
    ):
        told = ", ".join(f"{each.type}{list(each.shape)}" for each in inputs)
        raise Unfit(f"takes {told}; a model for {name} takes one tensor of [1, 3, height, width]")
    height, width = (each if isinstance(each, int) and each > 0 else None for each in shape[2:])
    if side and any(each not in (None, side) for each in (height, width)):
        raise Unfit(f"takes pictures of {width}x{height}, and [own_weights.{name}] side says {side}")
    usual = side or SIDES[name]
    return width or usual, height or usual


def fits(found: Any, wanted: int) -> bool:
    """Whether a side that may be open (a name, or nothing) can be this."""
    return not isinstance(found, int) or found in (wanted, -1)


def tried(run: Callable[[Any], Any], model: Any, name: str, size: tuple[int, int]) -> int:
    """How many times as wide as a grey ramp is what it makes of one. Raises Unfit where no such model makes that."""
    width, height = size
    if name == UPSCALE and not any(isinstance(each, int) for each in model.get_inputs()[0].shape[2:]):
        width = height = min(TRIAL_SIDE, width)
    ramp = np.repeat(np.linspace(0, 255, width, dtype=np.uint8)[None, :, None], 3, 2).repeat(height, 0)
    try:
        made = np.asarray(run(ramp))
    except Exception as error:
        raise Unfit(f"fails on a picture of {width}x{height}: {str(error)[:200]}") from error
    if not right(name, made, (width, height)):
        given = f"{made.dtype}{list(made.shape)} for a picture of {width}x{height}"
        raise Unfit(f"gives {given}; a model for {name} gives {GIVES[name]}")
    return made.shape[-1] // width


def right(name: str, made: Any, size: tuple[int, int]) -> bool:
    shape = made.shape
    if shape[:1] != (1,) or not np.isfinite(made).all():
        return False
    if name == UPSCALE:
        return any(shape == (1, 3, size[1] * n, size[0] * n) for n in SCALES)
    if name == SEGMENTATION:
        classes = len(shape) == 4 and shape[1] > 1
        return classes or (np.issubdtype(made.dtype, np.integer) and plane(shape) and min(shape[-2:]) > 1)
    return plane(shape) and min(shape[-2:]) > 1


def plane(shape: tuple[int, ...]) -> bool:
    return len(shape) == 3 or (len(shape) == 4 and shape[1] == 1)


def of_pixels(name: str, made: Any) -> Any:
    """A number from 0 to 1 a pixel, (H, W)."""
    if name == SEGMENTATION:
        classes = made[0].argmax(0) if made.ndim == 4 and made.shape[1] > 1 else made.reshape(made.shape[-2:])
        return (classes != 0).astype(np.float32)
    found = made.reshape(made.shape[-2:]).astype(np.float32)
    if name == DEPTH:  # what is nearer is more, as disparity is; the scale is each model's own
        least, most = float(found.min()), float(found.max())
        return (found - least) / max(most - least, 1e-6)
    return found.clip(0, 1)
