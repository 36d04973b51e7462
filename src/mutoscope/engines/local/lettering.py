"""Text in pictures: PP-OCRv4 finds where letters are and reads each line; what lies between these is ours."""

from typing import IO, Any

import cv2
import numpy as np
from PIL import Image

from mutoscope.engines.local import pictures
from mutoscope.engines.local.pictures import Json
from mutoscope.studio.describe import describe_picture
from mutoscope.studio.imprint import network

SIDE = 736  # of the copy in which letters are looked for, the longer
STEP = 32  # its sides are multiples
MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
LETTERS, LEAST = 0.3, 0.5  # how sure that a pixel belongs to letters, and a box on average
GROWN = 1.6  # the network marks the middles of letters: a box is grown by its area times this over its border
SMALLEST = 3.0  # pixels of the copy
MOST_LINES = 64
HEIGHT, WIDEST = 48, 1600  # of a line as it is read
UPRIGHT = 1.5  # a box so much taller than wide is turned
SURE = 0.5  # of a line that is told


def load(files: dict[str, str]) -> Any:
    finder, reader = network(files["detector.onnx"]), network(files["reader.onnx"])
    letters = ["", *reader.get_modelmeta().custom_metadata_map["character"].splitlines(), " "]

    def answer(asked: Json, file: IO[bytes] | None) -> Json:
        rgb = pictures.read(file, enough=2 * SIDE)
        found = [line_of(reader, letters, rgb, box) for box in boxes(finder, rgb)]
        lines = [each for each in found if each["text"] and each["confidence"] >= SURE]
        told = {"lines": lines, "text": "\n".join(each["text"] for each in lines)}
        return told | {"described": describe_picture(Image.fromarray(rgb)).text} if asked.get("describe") else told

    return answer


def boxes(finder: Any, rgb: Any) -> list[Any]:
    """The four corners of each line, in reading order."""
    rows, columns = rgb.shape[:2]
    share = min(1.0, SIDE / max(rows, columns))
    size = [max(STEP, round(side * share / STEP) * STEP) for side in (columns, rows)]
    small = (cv2.resize(rgb, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255 - MEAN) / SPREAD
    frame = np.ascontiguousarray(small.transpose(2, 0, 1)[None], np.float32)
    sure = finder.run(None, {finder.get_inputs()[0].name: frame})[0][0, 0]
    outlines, _ = cv2.findContours((sure > LETTERS).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    scale = np.array([columns / size[0], rows / size[1]], np.float32)
    found: list[Any] = []
    for outline in sorted(outlines, key=cv2.contourArea, reverse=True)[:MOST_LINES]:
        middle, (wide, high), angle = cv2.minAreaRect(outline)
        if min(wide, high) < SMALLEST or certainty(sure, outline) < LEAST:
            continue
        more = 2 * wide * high * GROWN / (2 * (wide + high))
        found.append(ordered(cv2.boxPoints((middle, (wide + more, high + more), angle)) * scale))
    return in_reading_order(found)


def certainty(sure: Any, outline: Any) -> float:
    left, top, wide, high = cv2.boundingRect(outline)
    mask = np.zeros((high, wide), np.uint8)
    cv2.drawContours(mask, [outline - np.array([left, top])], -1, 1, -1)
    return float(cv2.mean(sure[top : top + high, left : left + wide], mask)[0])


def ordered(corners: Any) -> Any:
    """From the upper left on, as the clock goes."""
    by_sum, by_difference = corners.sum(1), corners[:, 1] - corners[:, 0]
    chosen = [by_sum.argmin(), by_difference.argmin(), by_sum.argmax(), by_difference.argmax()]
    return np.asarray(corners[chosen], np.float32) if len(set(chosen)) == 4 else np.asarray(corners, np.float32)


def in_reading_order(found: list[Any]) -> list[Any]:
    """Lines from above, and of one line from the left: what lies less than half its height apart is one."""
    lines: list[list[Any]] = []
    for box in sorted(found, key=lambda each: each[:, 1].mean()):
        high = np.ptp(box[:, 1])
        if lines and abs(lines[-1][0][:, 1].mean() - box[:, 1].mean()) < high / 2:
            lines[-1].append(box)
        else:
            lines.append([box])
    return [box for line in lines for box in sorted(line, key=lambda each: each[:, 0].min())]


def line_of(reader: Any, letters: list[str], rgb: Any, box: Any) -> Json:
    wide = max(np.linalg.norm(box[0] - box[1]), np.linalg.norm(box[2] - box[3]), 1)
    high = max(np.linalg.norm(box[0] - box[3]), np.linalg.norm(box[1] - box[2]), 1)
    flat = np.array([(0, 0), (wide, 0), (wide, high), (0, high)], np.float32)
    size = int(max(1, wide)), int(max(1, high))
    line = cv2.warpPerspective(rgb, cv2.getPerspectiveTransform(box, flat), size, borderMode=cv2.BORDER_REPLICATE)
    if high > UPRIGHT * wide:
        line = np.rot90(line)
    across = int(np.clip(round(line.shape[1] * HEIGHT / line.shape[0]), 16, WIDEST))
    small = cv2.resize(np.ascontiguousarray(line), (across, HEIGHT), interpolation=cv2.INTER_AREA)
    # As the network was trained: blue first, -1 to 1.
    frame = (small[..., ::-1].astype(np.float32) / 127.5 - 1).transpose(2, 0, 1)[None]
    sure = reader.run(None, {reader.get_inputs()[0].name: np.ascontiguousarray(frame, np.float32)})[0][0]
    best = sure.argmax(1)
    kept = [at for at, each in enumerate(best) if each and (at == 0 or each != best[at - 1])]
    text = "".join(letters[best[at]] for at in kept).strip()
    confidence = float(np.mean([sure[at, best[at]] for at in kept])) if kept else 0.0
    left, top = (round(float(each)) for each in box.min(0))
    right, bottom = (round(float(each)) for each in box.max(0))
    return {"text": text, "confidence": round(confidence, 3), "box": [left, top, right, bottom]}
