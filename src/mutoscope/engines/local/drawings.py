"""Drawings made twice as large: waifu2x's upconv_7, whose files are ncnn's and become an ONNX network here."""

import math
from pathlib import Path
from typing import IO, Any

import numpy as np
from msgspec import Struct

from mutoscope.engines.local import onnx, pictures
from mutoscope.engines.local.enlarging import enlarged
from mutoscope.engines.local.onnx import Node
from mutoscope.engines.local.pictures import Json, Refused, write
from mutoscope.studio.imprint import network

MOST = 1_000_000  # pixels
TIMES = 2
INNER = 16, 160  # pixels a side of what a tile gives, at least and at most
LOST = 7  # pixels at each side of what goes in, of which nothing comes out
EVEN = 3  # of 255: two pixels that differ by no more are of one colour, also after JPEG
HALVES = 0x01306B47  # how ncnn marks numbers of 16 bits


def load(files: dict[str, str]) -> Any:
    model = network(of_ncnn(Path(files["model.param"]).read_text(), Path(files["model.bin"]).read_bytes()))

    def run(tile: Any) -> Any:
        taken = tile.astype(np.float32).transpose(2, 0, 1) / 255
        made = model.run(None, {model.get_inputs()[0].name: taken[None]})[0][0]
        edge = (TIMES * LOST, TIMES * LOST)
        return np.pad(made, ((0, 0), edge, edge))

    def answer(asked: Json, file: IO[bytes] | None, out: IO[bytes]) -> Json:
        if pictures.transparent(file):
            return {"made": False}
        rgb = pictures.read(file, enough=pictures.MOST_PIXELS)
        if (size := rgb.shape[0] * rgb.shape[1]) > MOST:
            raise Refused(f"The picture has {size} pixels; waifu2x enlarges those of up to {MOST}.", field="image")
        even = evenness(rgb)
        if even < asked["least_even"]:
            return {"made": False, "even": even}
        write(enlarged(rgb, TIMES, (tile(rgb.shape[1]), tile(rgb.shape[0])), run, overlap=LOST), out)
        return {"made": True, "even": even}

    return answer


def tile(side: int) -> int:
    """Of tiles that are alike and none of which is for the most part empty."""
    least, most = INNER
    return max(least, math.ceil(side / math.ceil(side / most))) + 2 * LOST


def evenness(rgb: Any) -> float:
    """The share of pixels of one colour with those to the right and below: half and more of a drawing, less of a
    photograph with its noise."""
    if min(rgb.shape[:2]) < 2:
        return 1.0
    seen = rgb.astype(np.int16)
    across = np.abs(np.diff(seen, axis=1)).max(2)[:-1]
    down = np.abs(np.diff(seen, axis=0)).max(2)[:, :-1]
    return round(float((np.maximum(across, down) <= EVEN).mean()), 3)


# -- ncnn's files --------------------------------------------------------------------------


def of_ncnn(layers: str, numbers: bytes) -> bytes:
    """An ONNX file of a chain of convolutions, each with a leaky slope or none, and deconvolutions."""
    source = Numbers(numbers)
    nodes: list[Node] = []
    arrays: dict[str, Any] = {}
    _, _, first, *rest = layers.splitlines()
    for line in rest:
        layer = Layer.of(line)
        turned = layer.kind == "Deconvolution"
        side = layer.number(1)
        weights = source.marked(layer.number(6)).reshape(layer.number(0), -1, side, side)
        arrays[f"{layer.name}.weights"] = np.ascontiguousarray(weights.transpose(1, 0, 2, 3) if turned else weights)
        arrays[f"{layer.name}.bias"] = source.plain(layer.number(0))
        how = {"pads": [layer.number(4)] * 4, "strides": [layer.number(3, 1)] * 2}
        slope = layer.told.get("-23310", "").partition(",")[2]
        takes, gives = (layer.takes, f"{layer.name}.weights", f"{layer.name}.bias"), layer.gives
        kind = "ConvTranspose" if turned else "Conv"
        nodes.append(Node(kind, takes, f"{gives}.straight" if slope else gives, how))
        if slope:
            arrays[f"{layer.name}.slope"] = np.full((layer.number(0), 1, 1), float(slope), np.float32)
            nodes.append(Node("PRelu", (f"{gives}.straight", f"{layer.name}.slope"), gives))
    ends = Layer.of(first).gives, nodes[-1].gives
    return onnx.model(
        nodes, arrays, takes=(ends[0], (1, 3, "height", "width")), gives=(ends[1], (1, 3, "high", "wide"))
    )


class Layer(Struct, frozen=True):
    """A line of ncnn's: kind, name, how many tensors go in and come out (one each at most), their names, parameters."""

    kind: str
    name: str
    takes: str
    gives: str
    told: dict[str, str]

    @classmethod
    def of(cls, line: str) -> "Layer":
        kind, name, taken, _, *rest = line.split()
        takes, gives, *told = rest if int(taken) else ("", *rest)
        return cls(kind, name, takes, gives, dict(each.split("=", 1) for each in told))

    def number(self, key: int, usual: int = 0) -> int:
        return int(self.told.get(str(key), usual))


class Numbers:
    """ncnn's numbers, one array after the other."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def marked(self, count: int) -> Any:
        """Weights, behind a mark of what they are: of 16 bits, filled up to whole words, or of 32."""
        mark = int(self.plain(1).view(np.uint32)[0])
        if mark != HALVES:
            return self.plain(count)
        found = self.plain((count + 1) // 2).view(np.float16)[:count]
        return found.astype(np.float32)

    def plain(self, count: int) -> Any:
        found = np.frombuffer(self.data, "<f4", count, self.at)
        self.at += found.nbytes
        return found
