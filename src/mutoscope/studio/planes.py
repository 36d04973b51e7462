"""Pictures as the encoder takes them: NV12, a luma plane and a half-size plane of interleaved chroma."""

import weakref
from collections.abc import Iterator
from typing import NamedTuple

import av
import cv2
import numpy as np
from av.video.plane import VideoPlane
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Floats = NDArray[np.floating]
"""float32 wherever there is one for each pixel."""
Matrix = NDArray[np.floating]
"""Shape (3, 3); maps (x, y, 1) in pixels, where whole numbers are the pixels' centres."""


class Planes(NamedTuple):
    """One 4:2:0 picture, limited range. A chroma sample sits in the middle of its four luma pixels."""

    y: Bytes  # (H, W), 16 to 235
    uv: Bytes  # (H/2, W/2, 2): blue and red difference, 16 to 240 about 128

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.y.shape[1], self.y.shape[0]


def blank(width: int, height: int) -> Planes:
    """Planes to draw into; their content is undefined."""
    return Planes(np.empty((height, width), np.uint8), np.empty((height // 2, width // 2, 2), np.uint8))


def blank_frames(width: int, height: int) -> Iterator[av.VideoFrame]:
    """Frames for the encoder without end, their content undefined.

    Their memory is used again once neither we nor the encoder hold it any longer: at 1080p that spares some 30 MB.
    """
    free: list[Bytes] = []
    while height % 4:  # PyAV frames no lent memory of such heights
        yield av.VideoFrame(width, height, "nv12")
    while True:
        yield _lent(free.pop() if free else np.empty((height * 3 // 2, width), np.uint8), free)


def _lent(memory: Bytes, free: list[Bytes]) -> av.VideoFrame:
    """A frame in this memory, which is free again when the frame and the encoder's references to it are gone."""
    lent = memory.view()
    weakref.finalize(lent, free.append, memory)
    return av.VideoFrame.from_numpy_buffer(lent, format="nv12")


def planes_of(frame: av.VideoFrame) -> Planes:
    """The buffers of an NV12 frame, not a copy: what is drawn there is encoded."""
    luma, chroma = frame.planes
    y = _bytes(luma).reshape(-1, luma.line_size)[: luma.height, : luma.width]
    pairs = _bytes(chroma).reshape(-1, chroma.line_size // 2, 2)
    return Planes(y, pairs[: chroma.height, : chroma.width])


def _bytes(plane: VideoPlane) -> Bytes:
    return np.frombuffer(plane, np.uint8)  # pyright: ignore[reportCallIssue, reportArgumentType]


def copy(source: Planes, target: Planes) -> None:
    np.copyto(target.y, source.y)
    np.copyto(target.uv, source.uv)


def blend(one: Planes, other: Planes, share: float, target: Planes) -> None:
    """Draw `share` of `other` over `one`; the target may be one of them."""
    share = round(share * 256) / 256  # exact in the scaler's floats, so that every processor rounds alike
    cv2.addWeighted(one.y, 1 - share, other.y, share, 0, dst=target.y)
    cv2.addWeighted(one.uv, 1 - share, other.uv, share, 0, dst=target.uv)


def blend_masked(one: Planes, other: Planes, mask: Floats, target: Planes) -> None:
    """Draw `other` over `one` where the mask (H, W; multiples of 1/256) is 1."""
    np.copyto(target.y, cv2.blendLinear(one.y, other.y, 1 - mask, mask))
    small = cv2.resize(mask, (target.uv.shape[1], target.uv.shape[0]), interpolation=cv2.INTER_AREA)
    small = np.rint(small * 256).astype(np.float32) / np.float32(256)
    np.copyto(target.uv, cv2.blendLinear(one.uv, other.uv, 1 - small, small))
