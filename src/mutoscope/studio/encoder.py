"""Which encoder writes the videos, and what it is told: looked for in PyAV and in the ffmpeg command."""

import shutil
import subprocess
from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple

import av
import cv2
from av.codec.codec import UnknownCodecError

from mutoscope.studio.error import StudioError

AV = "av"
CODECS = ("libx264", "libopenh264", "libsvtav1", "mpeg4")
"""Best first. The second is H.264 too; the others play in fewer places."""

PRESET, CRF = "veryfast", "19.2"
AHEAD = 6
"""Frames by which x264 plans what to spend. The preset's 10, with a CRF of 20, make files of the same size and, within
0.1 dB, the same quality, and cost 28 MB more at 1080p."""
EARLY = 2  # frames that x264 looks at beforehand in a thread of its own; its usual 4 cost 16 MB more at 1080p
EXACT_QP = 14  # for frames that are given pictures; about 20 % more bytes in five seconds
CPU_AVX_512F = 13  # OpenCV's number
KEYFRAME_SECONDS = 2
BITS_A_PIXEL = 0.15  # for encoders that take no quality


class Encoder(NamedTuple):
    program: str  # AV, or the path of the ffmpeg command
    codec: str  # one of CODECS

    @property
    def piped(self) -> bool:
        return self.program != AV

    @property
    def makes_h264(self) -> bool:
        return self.codec in CODECS[:2]

    def __str__(self) -> str:
        return f"{self.codec} in {f'PyAV {av.__version__}' if self.program == AV else self.program}"


@cache
def find(wanted: str = "auto") -> Encoder:
    """The best encoder of PyAV ("av"), of the ffmpeg command on the path ("ffmpeg"), or of either ("auto").

    Raises StudioError.
    """
    found = choose(places(wanted))
    if found is None:
        where = {"av": "PyAV", "ffmpeg": "the ffmpeg command"}.get(wanted, "PyAV or an ffmpeg command")
        raise StudioError(f"no video can be written: {where} with one of {', '.join(CODECS)} is missing")
    return found


def choose(places: Iterable[tuple[str, frozenset[str]]]) -> Encoder | None:
    """The first place that has the best codec, else the best that any has."""
    seen: list[tuple[str, frozenset[str]]] = []
    for program, codecs in places:
        if CODECS[0] in codecs:
            return Encoder(program, CODECS[0])
        seen.append((program, codecs))
    return next((Encoder(program, codec) for codec in CODECS for program, has in seen if codec in has), None)


def places(wanted: str) -> Iterator[tuple[str, frozenset[str]]]:
    """Each program with its codecs, looked at only when it is asked for."""
    if wanted != "ffmpeg":
        yield AV, in_av()
    if wanted != AV and (command := shutil.which("ffmpeg")):
        yield command, in_ffmpeg(command)


def in_av() -> frozenset[str]:
    return frozenset(codec for codec in CODECS if _opens(codec))


def _opens(codec: str) -> bool:
    try:
        av.Codec(codec, "w")
    except UnknownCodecError:
        return False
    return True


def in_ffmpeg(command: str) -> frozenset[str]:
    try:
        told = subprocess.run(  # noqa: S603 (the operator's own ffmpeg)
            [command, "-hide_banner", "-encoders"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return frozenset()
    return frozenset(CODECS) & frozenset(told.stdout.split())


def options(codec: str, *, width: int, height: int, fps: int, exact: tuple[int, ...]) -> dict[str, str]:
    """What the encoder is told, by FFmpeg's names. Only x264 can keep single frames nearly as they are."""
    common = {"g": str(KEYFRAME_SECONDS * fps)}
    if codec == "libx264":
        return {**common, "preset": PRESET, "crf": CRF, "x264-params": _tuning(exact, width)}
    if codec == "libsvtav1":
        return {**common, "preset": "10", "crf": "30"}
    return {**common, "b": str(round(width * height * fps * BITS_A_PIXEL))}


def _tuning(exact: tuple[int, ...], width: int) -> str:
    """x264's own parameters: chroma is centred, as in Planes, and some frames are kept nearly as they are."""
    zones = "/".join(f"{index},{index},q={EXACT_QP}" for index in exact)
    told = [
        "chromaloc=1",
        f"rc-lookahead={AHEAD}",
        f"sync-lookahead={EARLY}",
        instructions(width),
        f"zones={zones}" if zones else "",
    ]
    return ":".join(each for each in told if each)


def instructions(width: int) -> str:
    """What keeps x264 from its AVX-512 code for macroblock trees where rows are not whole eights of macroblocks.

    That reads memory that nobody wrote, and the file differs from run to run (MALLOC_PERTURB_ shows it). Without
    AVX-512 the bytes are those of any older processor; it costs some 7 % of the encoder's time.
    """
    return "asm=avx2" if width % 128 and cv2.checkHardwareSupport(CPU_AVX_512F) else ""


def pixels(codec: str) -> str:
    """The form in which it takes frames; x264 stores NV12 as yuv420p."""
    return "nv12" if codec == "libx264" else "yuv420p"
