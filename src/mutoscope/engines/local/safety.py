"""How likely a picture is not safe for work, 0 to 1: Yahoo's open_nsfw. Nudity is all that it judges."""

from typing import IO, Any

import numpy as np
from PIL import Image

from mutoscope.engines.local import pictures
from mutoscope.engines.local.pictures import Json
from mutoscope.studio.imprint import network

RESIZED, SIDE = 256, 224
MEAN = (104.0, 117.0, 123.0)  # blue, green, red


def load(files: dict[str, str]) -> Any:
    model = network(files["model.onnx"])
    taken = model.get_inputs()[0]

    def answer(_: Json, file: IO[bytes] | None) -> Json:
        rgb = pictures.read(file, enough=2 * RESIZED)
        small = Image.fromarray(rgb).resize((RESIZED, RESIZED), Image.Resampling.BILINEAR)
        edge = (RESIZED - SIDE) // 2
        bgr = np.asarray(small, np.float32)[edge : edge + SIDE, edge : edge + SIDE, ::-1] - np.array(MEAN, np.float32)
        frame = bgr[None] if taken.shape[-1] == 3 else bgr.transpose(2, 0, 1)[None]
        score = model.run(None, {taken.name: np.ascontiguousarray(frame)})[0].reshape(-1)
        return {"score": round(float(score[-1]), 4)}

    return answer
