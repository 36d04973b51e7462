"""An engine that obeys its prompt: for tests, demos and rehearsals of what can go wrong.

    sleep 2                       take two seconds, with progress
    weigh 5                       make the picture or clip five megabytes larger
    fail refused not today        fail with a problem kind and a message
    throttle                      fail as an overloaded vendor does
    crash                         break in a way that no engine should
    hang                          never end

Several are separated by ";" and done in turn. Any other prompt succeeds at once. The file that comes out is
real: a plain picture, clip or sound of exactly the size, length and frame rate that was asked for.
"""

# PyAV's stubs are partial.
# pyright: reportUnknownMemberType=false

import asyncio
import hashlib
import io
import math
import random
import struct
import tempfile
import wave
import zlib
from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

from mutoscope.engines.engine import EngineRun, Local
from mutoscope.model.config import Script as ScriptSettings
from mutoscope.model.job import Generation, Operation, Output, Role
from mutoscope.model.problem import KINDS, Kind, Problem
from mutoscope.model.words import TRANSCRIPT

TICK_SECONDS = 0.05
MOST_MEGABYTES = 1000.0
SOUND_RATE = 8000
PICTURES = frozenset(
    {
        Operation.TEXT_TO_IMAGE,
        Operation.IMAGE_UPSCALE,
        Operation.IMAGE_TO_IMAGE,
        Operation.IMAGE_INPAINT,
        Operation.IMAGE_OUTPAINT,
        Operation.IMAGE_BLEND,
        Operation.BACKGROUND_REMOVAL,
        Operation.BACKGROUND_REPLACEMENT,
        Operation.VECTORIZATION,
        Operation.VIRTUAL_TRY_ON,
        Operation.FINETUNE,  # as the renderer: a picture of what was learnt
    }
)
WORDS = frozenset({Operation.IMAGE_TO_TEXT, Operation.TEXT_TO_TEXT, Operation.SPEECH_TO_TEXT})
SOUNDS = frozenset(
    {
        Operation.TEXT_TO_SPEECH,
        Operation.SOUND_EFFECT,
        Operation.SPEECH_TO_SPEECH,
        Operation.VOICE_DUBBING,
        Operation.VOICE_ISOLATION,
        Operation.VIDEO_TO_AUDIO,
        Operation.TEXT_TO_MUSIC,
        Operation.MUSIC_EXTENSION,
        Operation.MUSIC_JOIN,
    }
)


class Script(Local):
    name = "script"
    supported_fields: Mapping[Operation, frozenset[str]] = {operation: frozenset({"*"}) for operation in Operation}

    def __init__(self, settings: ScriptSettings | None = None) -> None:
        self.slots = (settings or ScriptSettings()).slots

    async def generate(self, run: EngineRun) -> tuple[Output, ...]:
        for order in orders(run.generation.prompt or ""):
            await obey(order, run)
        count = run.generation.count or 1
        return tuple([await self._make(run, index) for index in range(count)])

    async def _make(self, run: EngineRun, index: int) -> Output:
        wish = run.generation
        color = tint(f"{wish.prompt}/{wish.seed}/{index}")
        if wish.operation is Operation.SPEECH_TO_TEXT:
            heard = source_seconds(run)
            return Output(id=f"{run.job_id}-{index}", media_type="text/plain", text=TRANSCRIPT, seconds=heard)
        width, height = frame_size(run)
        if wish.operation in WORDS:
            return run.say(f"{index + 1}: {wish.prompt or 'nothing was asked'}")
        seconds = wish.seconds or source_seconds(run) or 5.0
        if added := wish.extra.get("added_seconds"):
            seconds = (source_seconds(run) or 0.0) + added
        if wish.operation in PICTURES:
            kind, clear = format_of(wish), is_clear(wish)
            data = await asyncio.to_thread(picture, width, height, color, kind, clear)
            data = await asyncio.to_thread(padded, data, ballast(wish.prompt or ""), kind)
            return await run.keep(data, media_type=f"image/{kind}", width=width, height=height)
        if wish.operation in SOUNDS:
            data = await asyncio.to_thread(tone, seconds)
            return await run.keep(data, media_type="audio/wav", seconds=seconds)
        fps = wish.fps or 24
        data = await asyncio.to_thread(clip, width, height, fps, round(seconds * fps), color)
        data = await asyncio.to_thread(padded_mp4, data, ballast(wish.prompt or ""))
        frames = round(seconds * fps)
        return await run.keep(
            data, media_type="video/mp4", width=width, height=height, seconds=frames / fps, frames=frames
        )


def orders(prompt: str) -> Iterator[list[str]]:
    for part in prompt.split(";"):
        if words := part.split():
            yield words


async def obey(words: list[str], run: EngineRun) -> None:
    match words:
        case ["fail", kind, *rest] if kind in KINDS:
            raise Problem(Kind(kind), " ".join(rest) or "The script says so.")
        case ["fail", *rest]:
            raise Problem(Kind.ENGINE_FAILED, " ".join(rest) or "The script says so.")
        case ["throttle", *_]:
            raise Problem(Kind.RATE_LIMITED, "The upstream has too much to do.", retry_after=5)
        case ["crash", *_]:
            raise RuntimeError("the script told this engine to crash")
        case ["hang", *_]:
            await asyncio.Event().wait()
        case ["sleep", seconds, *_] if is_number(seconds):
            await sleep(float(seconds), run)
        case _:
            pass


async def sleep(seconds: float, run: EngineRun) -> None:
    ticks = max(1, math.ceil(seconds / TICK_SECONDS))
    for tick in range(ticks):
        await asyncio.sleep(seconds / ticks)
        run.progress((tick + 1) / ticks)


def is_number(text: str) -> bool:
    try:
        return 0 <= float(text) < 86400
    except ValueError:
        return False


def frame_size(run: EngineRun) -> tuple[int, int]:
    wish = run.generation
    if wish.width and wish.height:
        return wish.width, wish.height
    seen = next((each.info for each in run.inputs if each.role in (Role.FIRST_FRAME, Role.VIDEO)), None)
    if seen and seen.width and seen.height:
        return seen.width & ~1, seen.height & ~1
    return 1280, 720


def source_seconds(run: EngineRun) -> float | None:
    return next((each.info.seconds for each in run.inputs if each.info.seconds), None)


def tint(text: str) -> tuple[int, int, int]:
    """One of eight colours, so that the files of many jobs are made once."""
    bits = hashlib.sha256(text.encode()).digest()[0]
    return 64 + 128 * (bits & 1), 64 + 128 * (bits >> 1 & 1), 64 + 128 * (bits >> 2 & 1)


def ballast(prompt: str) -> bytes:
    """What is added to a file for the order `weigh`: of this prompt, and of no other."""
    megabytes = next((float(words[1]) for words in orders(prompt) if words[0] == "weigh" and is_weight(words)), 0.0)
    return random.Random(prompt).randbytes(round(megabytes * 1_000_000))


def is_weight(words: list[str]) -> bool:
    return len(words) > 1 and is_number(words[1]) and float(words[1]) <= MOST_MEGABYTES


SVG = "svg+xml"
FORMATS = {"svg": SVG, "jpg": "jpeg", "jpeg": "jpeg", "webp": "webp"}
"""What may be asked for, to the second half of its media type; anything else is a PNG."""


def format_of(wish: Generation) -> str:
    """As it was asked for; a tracing is a drawing anyway."""
    asked = FORMATS.get(str(wish.extra.get("format")).lower(), "png")
    return SVG if wish.operation is Operation.VECTORIZATION else asked


def is_clear(wish: Generation) -> bool:
    """Whether one can look through what is made: of a plain picture all is background."""
    return wish.operation is Operation.BACKGROUND_REMOVAL or wish.extra.get("background") == "transparent"


def padded(data: bytes, more: bytes, kind: str) -> bytes:
    """With what every reader skips: of a PNG a chunk before the last one, of a WebP one at the end, else blanks."""
    if not more:
        return data
    if kind == "webp":
        data += b"muPd" + struct.pack("<I", len(more)) + more + b"\0" * (len(more) % 2)
        return data[:4] + struct.pack("<I", len(data) - 8) + data[8:]
    if kind != "png":
        return data + b" " * len(more)
    chunk = b"muPd" + more
    return data[:-12] + struct.pack(">I", len(more)) + chunk + struct.pack(">I", zlib.crc32(chunk)) + data[-12:]


def padded_mp4(data: bytes, more: bytes) -> bytes:
    return data + struct.pack(">I", 8 + len(more)) + b"free" + more if more else data


@lru_cache(maxsize=64)
def picture(width: int, height: int, color: tuple[int, int, int], kind: str = "png", clear: bool = False) -> bytes:
    if kind == SVG:
        shade = f"#{bytes(color).hex()}" if not clear else "none"
        head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">'
        return f'{head}<rect width="100%" height="100%" fill="{shade}"/></svg>'.encode()
    from PIL import Image  # late, as what follows: a server that makes nothing itself starts in half the time

    file = io.BytesIO()
    seen = Image.new("RGBA", (width, height), (*color, 0)) if clear else Image.new("RGB", (width, height), color)
    (seen.convert("RGB") if kind == "jpeg" else seen).save(file, kind.upper(), compress_level=1)
    return file.getvalue()


@lru_cache(maxsize=64)
def clip(width: int, height: int, fps: int, frames: int, color: tuple[int, int, int]) -> bytes:
    # a named file, because the header is moved to the front in a second pass over it
    with tempfile.NamedTemporaryFile(suffix=".mp4") as file:
        encode_still(file.name, width, height, fps, frames, color)
        return Path(file.name).read_bytes()


def encode_still(path: str, width: int, height: int, fps: int, frames: int, color: tuple[int, int, int]) -> None:
    import av
    import numpy as np

    with av.open(path, "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=fps, options={"preset": "ultrafast", "crf": "40"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        still = av.VideoFrame.from_ndarray(np.full((height, width, 3), color, np.uint8), format="rgb24")
        frame = still.reformat(format="yuv420p")  # once: it takes most of the time
        for number in range(frames):
            frame.pts, frame.time_base = number, Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


@lru_cache(maxsize=64)
def tone(seconds: float) -> bytes:
    import numpy as np

    file = io.BytesIO()
    samples = np.arange(round(seconds * SOUND_RATE)) / SOUND_RATE
    wave_form = (np.sin(2 * math.pi * 440 * samples) * 8000).astype("<i2")
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(SOUND_RATE)
        sound.writeframes(wave_form.tobytes())
    return file.getvalue()
