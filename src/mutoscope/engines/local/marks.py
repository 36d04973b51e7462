"""The imperceptible mark: read in pictures and clips, and written into those that a pipeline made. How is known by
`studio/imprint.py`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import av
from av.video.frame import PictureType
from PIL import Image

from mutoscope.engines.local import pictures
from mutoscope.engines.local.pictures import Json, Refused
from mutoscope.studio import encoder, imprint

FRAMES_READ = 8  # of a clip at most, beside those that ours bear it in
MOST_FRAMES = 20_000
FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP"}
CODING = {"crf": "17", "threads": "1", "rc-lookahead": "10"}  # in little memory
HEAD, HEAD_PER_FRAME = 64 * 1024, 128  # bytes kept free at the beginning of a clip for its table of frames


def load(files: dict[str, str]) -> Any:
    writing, reading = Path(files["encoder.onnx"]), Path(files["decoder.onnx"])
    reader = imprint.Reader(reading)

    def answer(asked: Json, file: IO[bytes] | None, out: IO[bytes] | None = None) -> Json:
        if out is not None:
            writer = imprint.Writer(writing, reading, asked["kind"])
            made = marked_clip(file, out, writer) if asked.get("clip") else marked(file, out, writer, asked["as"])
            return {"made": made, "survived": writer.survived}
        best = imprint.Reading(0, None)
        for rgb in frames(file) if asked.get("clip") else [pictures.read(file, enough=4 * imprint.SIDE)]:
            best = max(best, reader.read(rgb), key=lambda each: each.bits)
            if best.recognised:
                break
        return {"recognised": best.recognised, "bits": best.bits, "of": len(imprint.WORD), "kind": best.kind}

    return answer


def frames(file: IO[bytes] | None) -> Iterator[Any]:
    """Those in which our clips bear it; then some others, in case that the clip was cut."""
    if file is None:
        raise Refused("A clip is needed.", kind="invalid")
    try:
        with av.open(file, "r", metadata_errors="ignore") as container:
            stream = container.streams.video[0]
            stream.thread_type = "NONE"
            total = min(stream.frames or 0, MOST_FRAMES)
            ours = set(imprint.frames_of(total))
            step = max(1, total // FRAMES_READ)
            others: list[Any] = []
            for number, frame in enumerate(container.decode(stream)):
                if number >= MOST_FRAMES:
                    break
                if number in ours:
                    yield small_frame(frame)
                elif number % step == 0 and len(others) < FRAMES_READ:
                    others.append(small_frame(frame))
            yield from others
    except (Refused, MemoryError):
        raise
    except Exception as error:
        raise Refused(f"The clip cannot be read ({type(error).__name__}).") from error


def small_frame(frame: Any) -> Any:
    """No larger than it is looked at, so that several take little memory."""
    width, height = imprint.size_of(frame.width, frame.height, 2 * imprint.SIDE)
    return frame.reformat(width=width, height=height, format="rgb24").to_ndarray()


def marked(file: IO[bytes] | None, out: IO[bytes], writer: imprint.Writer, media_type: str) -> bool:
    """Write a picture with its mark, opaque as pipelines make them. Whether it is large enough to bear one."""
    image = Image.fromarray(pictures.read(file, enough=pictures.MOST_PIXELS))
    if min(image.size) < imprint.LEAST_SIDE:
        return False
    kind = FORMATS[media_type]
    writer.on_picture(image).save(out, kind, **({"quality": 95} if kind != "PNG" else {}))
    return True


def marked_clip(file: IO[bytes] | None, out: IO[bytes], writer: imprint.Writer) -> bool:
    """The same of a clip: three of its frames are marked, and its sound goes over as it is."""
    if file is None:
        raise Refused("A clip is needed.", kind="invalid")
    try:
        with av.open(file, "r", metadata_errors="ignore") as source:
            seen = source.streams.video[0]
            if min(seen.width, seen.height) < imprint.LEAST_SIDE:
                return False
            write_clip(source, out, writer)
    except (Refused, MemoryError):
        raise
    except Exception as error:
        raise Refused(f"The clip cannot be marked ({type(error).__name__}).") from error
    return True


def write_clip(source: Any, out: IO[bytes], writer: imprint.Writer) -> None:
    seen = source.streams.video[0]
    heard = source.streams.audio[0] if source.streams.audio else None
    seen.thread_type = "NONE"
    ours = set(imprint.frames_of(seen.frames))
    head = HEAD + HEAD_PER_FRAME * seen.frames  # what stands behind the frames is moved by a second look at a file
    with av.open(out, "w", format="mp4", options={"moov_size": str(head)}) as target:
        coding = CODING | {"x264-params": encoder.instructions(seen.width)}
        video = target.add_stream("libx264", rate=seen.average_rate, options=coding)
        video.width, video.height, video.pix_fmt = seen.width, seen.height, "yuv420p"
        voice = target.add_stream_from_template(heard) if heard else None
        number = 0
        for packet in source.demux([each for each in (seen, heard) if each is not None]):
            if voice is not None and packet.stream is heard:
                if packet.dts is not None:  # the last is empty
                    packet.stream = voice
                    target.mux(packet)
                continue
            for frame in packet.decode():
                shown = on_frame(frame, writer) if number in ours else frame
                shown.pict_type = PictureType.NONE  # the encoder's choice, not that of whoever coded it before
                target.mux(video.encode(shown))
                number += 1
        target.mux(video.encode())


def on_frame(frame: Any, writer: imprint.Writer) -> Any:
    shown = av.VideoFrame.from_image(writer.on_picture(Image.fromarray(frame.to_ndarray(format="rgb24"))))
    shown.pts, shown.time_base = frame.pts, frame.time_base
    return shown.reformat(format="yuv420p")
