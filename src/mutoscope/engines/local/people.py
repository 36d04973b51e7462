"""People cut out of pictures: MediaPipe's selfie segmentation, by OpenCV."""

import base64
from typing import IO, Any

import cv2
import numpy as np

from mutoscope.engines.local import pictures
from mutoscope.engines.local.pictures import Json

SIDE = 256
SURE = 0.7  # a pixel that is taken for a person's, when the share is counted
CERTAIN = 0.95  # one of which the model has no doubt


def load(files: dict[str, str]) -> Any:
    cv2.setNumThreads(1)
    model = cv2.dnn.readNetFromTFLite(files["model.tflite"])

    def answer(_: Json, file: IO[bytes] | None) -> Json:
        rgb = pictures.read(file, enough=2 * SIDE)
        small = cv2.resize(rgb, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        model.setInput(np.ascontiguousarray(small.transpose(2, 0, 1)[None]))
        mask = np.asarray(model.forward(), np.float32).reshape(SIDE, SIDE).clip(0, 1)
        share = float((mask > SURE).mean())
        certain = float((mask > CERTAIN).mean()) / share if share else 0.0
        rows, columns = np.nonzero(mask > SURE)
        box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1] if len(rows) else [0, 0, 0, 0]
        png = cv2.imencode(".png", np.rint(mask * 255).astype(np.uint8))[1]
        told = [round(float(each) / SIDE, 4) for each in box]
        found = {"share": round(share, 4), "certain": round(certain, 4), "box": told}
        return {**found, "mask": base64.b64encode(png.tobytes()).decode()}

    return answer
