"""The imperceptible mark: 32 bits that a trained network (RivaGAN) hides in a picture's colours, and another reads.

24 of the bits are a fixed word, by which a mark is recognised, and 8 tell of what kind the picture is. What is hidden
is worked out on a small copy and laid over the picture enlarged: that takes a third of a second at any size, where the
network itself would take half a minute and a gigabyte at full size, and it is read from a copy as small. The networks'
files are given from outside; onnxruntime, which runs them, is imported when they are.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from mutoscope.studio import colour as colours
from mutoscope.studio.colour import Colour
from mutoscope.studio.planes import Bytes, Floats, Planes

WORD = "011000110100011110100011"
"""Chosen once, far from what the reader makes of pictures without a mark."""
KINDS = (
    *("picture", "picture after others", "cut-out", "enlargement"),
    *("clip", "clip of pictures", "clip continued", "cover"),
)
"""What a mark tells of what bears it."""
CLIPS = frozenset({"clip", "clip of pictures", "clip continued"})
CODES = (0x0F, 0x33, 0x3C, 0x55, 0x5A, 0x66, 0x69, 0x96)
"""Of each kind: any two differ in four bits at least, so that one wrong bit is mended (extended Hamming code)."""

SIDE = 256  # of the small copy, the longer
LEAST_SIDE = 48  # of a picture that is marked, the shorter
STRENGTHS = (1.0, 1.7)  # the second where the first is not read back well from the small copy
WELL, MARGIN = 23, 1.0  # bits of the word that are right there, and by how much in the reader's own measure
SURE_OF_KIND = 7  # bits of the kind that are right there
STRIP = 256  # rows that are marked at once: a large picture's memory stays its own
RECOGNISED = 20
"""Bits of the word that must be right: by chance, one reading in 1,300. What was measured is in docs/10-studio.md."""
LOOKS = (1.0, 0.75, 0.87)
"""Sizes of the small copy, as shares of SIDE, at which a mark is looked for: a part of a picture shows it larger."""


@dataclass(frozen=True)
class Reading:
    """What was read: how many bits of the word are right, and the kind where that is enough."""

    bits: int
    kind: str | None

    @property
    def recognised(self) -> bool:
        return self.bits >= RECOGNISED

    def beside(self, other: "Reading") -> "Reading":
        """What both say of one file: the more bits, and the kind that this or else the other could read."""
        return Reading(max(self.bits, other.bits), self.kind or other.kind)


class Writer:
    """Marks pictures with one kind. `survived` says whether the last mark could be read back when it was made."""

    def __init__(self, encoder: Path, decoder: Path, kind: str) -> None:
        self._encoder, self._decoder = network(encoder), network(decoder)
        self._bits = bits_of(kind)
        self.survived = True

    def on_picture(self, image: Image.Image) -> Image.Image:
        """The picture with its mark; one that is too small for any as it is."""
        if min(image.size) < LEAST_SIDE:
            self.survived = False
            return image
        alpha = image.getchannel("A") if image.mode == "RGBA" else None
        hidden = self._hidden(small(shown(image)))
        rgb = np.array(image.convert("RGB"))  # a copy: it is written to
        for top, strip in strips(rgb):
            lay(strip, hidden, rgb.shape[:2], top)
        marked = Image.fromarray(rgb)
        if alpha is not None:
            marked.putalpha(alpha)
        return marked

    def on_planes(self, planes: Planes, colour: Colour) -> None:
        """The same on a frame, in place."""
        width, height = planes.size
        if min(width, height) < LEAST_SIDE:
            self.survived = False
            return
        across, down = size_of(width, height)
        luma = cv2.resize(planes.y, (across, down), interpolation=cv2.INTER_AREA)
        chroma = cv2.resize(planes.uv, (across, down), interpolation=cv2.INTER_AREA)
        seen = colours.to_rgb(Planes(np.asarray(luma, np.uint8), np.asarray(chroma, np.uint8)), colour)
        hidden = np.asarray(cv2.transform(self._hidden(seen), colours.matrix_of(colour)[:, :3]), np.float32)
        lay(planes.y, np.ascontiguousarray(hidden[..., 0]), (height, width), 0)
        lay(planes.uv, np.ascontiguousarray(hidden[..., 1:]), planes.uv.shape[:2], 0)

    def _hidden(self, seen: Bytes) -> Floats:
        """What is to be added to a small picture, as strong as it needs to be."""
        frame = as_input(seen)
        made = self._encoder.run(None, {"frame": frame, "data": self._bits[None]})[0]
        hidden = np.asarray((made - frame)[0, :, 0].transpose(1, 2, 0) * 127.5, np.float32)
        signs, strength = self._bits * 2 - 1, STRENGTHS[0]
        for strength in STRENGTHS:
            read = logits(self._decoder, np.clip(seen + hidden * strength, 0, 255)) * signs
            word = read[: len(WORD)]
            self.survived = int((word > 0).sum()) >= RECOGNISED
            if int((word > MARGIN).sum()) >= WELL and int((read[len(WORD) :] > 0).sum()) >= SURE_OF_KIND:
                break
        return hidden * np.float32(strength)


class Reader:
    """Looks for marks."""

    def __init__(self, decoder: Path) -> None:
        self._decoder = network(decoder)

    def read(self, rgb: Bytes) -> Reading:
        """The best of several looks."""
        best = Reading(0, None)
        for share in LOOKS:
            best = self.look(rgb, share).beside(best)
            if best.kind:
                break
        return best

    def look(self, rgb: Bytes, share: float = 1.0) -> Reading:
        bits = logits(self._decoder, small(rgb, round(SIDE * share))) > 0
        right = int((bits[: len(WORD)] == (bits_of(KINDS[0])[: len(WORD)] > 0)).sum())
        told = int("".join("1" if each else "0" for each in bits[len(WORD) :]), 2)
        near = min(range(len(CODES)), key=lambda number: (CODES[number] ^ told).bit_count())
        mended = (CODES[near] ^ told).bit_count() <= 1
        return Reading(right, KINDS[near] if right >= RECOGNISED and mended else None)


current: Writer | None = None
"""Marks what this process makes. Set once, by the child that renders one job."""


def marked(image: Image.Image) -> Image.Image:
    """A picture as it is to be written."""
    return image if current is None else current.on_picture(image)


def frames_of(frames: int) -> tuple[int, ...]:
    """The numbers of the frames that bear the mark: the first, which every encoder codes by itself, and two others."""
    return tuple(sorted({frames * part // 3 for part in range(3)})) if frames > 0 else ()


def bits_of(kind: str) -> Floats:
    told = f"{WORD}{CODES[KINDS.index(kind)]:08b}"
    return np.array([int(each) for each in told], np.float32)


def small(rgb: Bytes, side: int = SIDE) -> Bytes:
    size = size_of(rgb.shape[1], rgb.shape[0], side)
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)


def size_of(width: int, height: int, side: int = SIDE) -> tuple[int, int]:
    """Of the small copy: the network needs 16 pixels each way."""
    share = side / max(width, height)
    return max(16, round(width * share)), max(16, round(height * share))


def shown(image: Image.Image) -> Bytes:
    """As RGB; what is transparent over white, as a viewer has it."""
    if image.mode != "RGBA":
        return np.asarray(image.convert("RGB"), np.uint8)
    page = Image.new("RGB", image.size, (255, 255, 255))
    page.paste(image.convert("RGB"), mask=image.getchannel("A"))
    return np.asarray(page, np.uint8)


def as_input(seen: Bytes | Floats) -> Floats:
    """(1, 3, 1, H, W), -1 to 1."""
    scaled = np.asarray(seen, np.float32) / np.float32(127.5) - np.float32(1)
    return np.ascontiguousarray(scaled.transpose(2, 0, 1)[None, :, None])


def logits(decoder: Any, seen: Bytes | Floats) -> Floats:
    return np.asarray(decoder.run(None, {"frame": as_input(seen)})[0][0], np.float32)


def strips(rgb: Bytes) -> Iterator[tuple[int, Bytes]]:
    for top in range(0, rgb.shape[0], STRIP):
        yield top, rgb[top : top + STRIP]


def lay(target: Bytes, hidden: Floats, size: tuple[int, int], top: int) -> None:
    """Add to rows of a picture of a size (rows, columns), from `top` on, what belongs there of the small copy's."""
    rows, columns = target.shape[:2]
    across, down = hidden.shape[1] / size[1], hidden.shape[0] / size[0]
    # Pixels' centres are whole numbers: a half is half a pixel of either picture.
    to_small = np.array([[across, 0, across / 2 - 0.5], [0, down, (top + 0.5) * down - 0.5]])
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    grown = cv2.warpAffine(hidden, to_small, (columns, rows), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    np.copyto(target, np.clip(np.rint(target + grown), 0, 255).astype(np.uint8))


def network(source: Path | str | bytes) -> Any:
    """Of a file or its content: one thread, and no memory kept for the next picture."""
    import onnxruntime  # late: an extra

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(
        str(source) if isinstance(source, Path) else source, options, providers=["CPUExecutionProvider"]
    )


def chance() -> float:
    """How often chance alone gets as many bits of a look right as are needed."""
    length = len(WORD)
    return sum(math.comb(length, right) for right in range(RECOGNISED, length + 1)) / 2**length
