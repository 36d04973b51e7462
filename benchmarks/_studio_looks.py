"""How it looks, measured: smoothness, faithfulness to given pictures, the way between two, a continued clip."""

import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from PIL import Image

from _studio_clips import (
    LANDSCAPE,
    SEED,
    Matrix,
    Pixels,
    Report,
    Setting,
    Size,
    colours,
    cover,
    ecc,
    luma,
    lumas,
    median,
    patches,
    psnr,
    rendered,
    speeds_across,
    velocities,
    watched,
)
from _studio_plots import lines, sheet
from mutoscope import studio

Box = tuple[float, float, float, float]
Window = Callable[[int], Box]
"""Frame number → left, top, right, bottom of what is seen, in pixels of the picture."""

# -- judder -----------------------------------------------------------------------

JUDDER_SECONDS = 10.0
STEADY = slice(0.37, 0.63)
"""The share of our moves in which their speed is constant; before it they speed up, after it they slow down."""
ZOOM_RATE = 0.0008  # log scale a frame, of the other methods
PAN_PIXELS = 0.61  # output pixels a frame
PAN_ZOOM = 1.15


def judder(setting: Setting) -> Report:
    """How much the speed changes from frame to frame while the move is steady."""
    report = Report(
        "Judder: RMS change of velocity from frame to frame, px (three patches, phase correlation)",
        ("move", "method", "mean px a frame", "as rendered", "in the file"),
    )
    drawn: dict[str, list[float]] = {}
    for move, window in (("slow zoom", zoomed), ("slow pan", panned)):
        for method, (raw, read) in judder_frames(setting, move, window).items():
            where = patches(raw[0])
            speed, change = steadiness(velocities(raw, where))
            in_file = steadiness(velocities(read, where))[1]
            report.row(move, method, f"{speed:.2f}", f"**{change:.3f}**", f"{in_file:.3f}")
            if move == "slow pan" and (method == "ours" or "zoompan" in method or "integer" in method):
                drawn[method] = velocities(raw, where)[:, 0, 0].tolist()
    report.notes.append(
        "Ours is measured in the middle of a clip, where its eased move has its full speed. The exact crop (Pillow, "
        "Lanczos, fractions of a pixel) shows what the measurement itself adds."
    )
    if setting.pictures is not None:
        name = setting.pictures / "studio-judder.svg"
        lines(name, "A slow pan: speed of one patch", drawn, across="frame", up="px a frame")
    return report


def steadiness(speeds: Matrix) -> tuple[float, float]:
    """The mean speed, and the RMS length of its change from one frame to the next."""
    change = np.diff(speeds, axis=0)
    return float(np.hypot(*speeds.mean(0).T).mean()), float(np.sqrt((change**2).sum(2).mean()))


def judder_frames(setting: Setting, move: str, window: Window) -> dict[str, tuple[list[Pixels], list[Pixels]]]:
    """By method: the frames as rendered, and as read from the file."""
    size, out = setting.small, setting.work / "judder.mp4"
    prompt = "slowly zoom in" if move == "slow zoom" else "slowly pan right"
    seconds = setting.seconds(JUDDER_SECONDS)
    shape = {"width": size.width, "height": size.height, "fps": size.fps}
    source = judder_picture(setting)
    ours = rendered(out, image=source, prompt=prompt, seconds=seconds, seed=SEED, **shape)
    middle = slice(int(len(ours) * STEADY.start), int(len(ours) * STEADY.stop))
    found = {"ours": (ours[middle], lumas(out)[middle])}
    count = middle.stop - middle.start
    with Image.open(source) as image:
        picture = image.convert("L")
    windows = [window_on(picture, window, size, index) for index in range(count)]
    others = {"exact crop": [exact(picture, each, size) for each in windows]}
    others["integer crop, cv2.resize"] = [whole(picture, each, size) for each in windows]
    if shutil.which("ffmpeg") is not None:
        for enlarged in (1, 4):
            name = "ffmpeg zoompan" if enlarged == 1 else f"ffmpeg scale x{enlarged}, zoompan"
            others[name] = zoompan(source, move, size, count, enlarged)
    return found | {name: (frames, encoded(setting, frames)) for name, frames in others.items()}


def encoded(setting: Setting, frames: list[Pixels]) -> list[Pixels]:
    """The same as read from a file that our encoder has written; in grey."""
    size, out = setting.small, setting.work / "judder.mp4"
    given = [av.VideoFrame.from_ndarray(each, format="gray").reformat(format="nv12") for each in frames]
    shape: dict[str, Any] = {"width": size.width, "height": size.height, "fps": size.fps, "seed": SEED}
    with watched(instead=given):
        studio.image_to_video(setting.picture(), out, prompt="", seconds=len(given) / size.fps, **shape)
    return lumas(out)


def judder_picture(setting: Setting) -> Path:
    """A third larger than the clip: whole pixels of a much larger picture would be small steps in the clip."""
    path = setting.work / "judder.png"
    if not path.exists():
        width = setting.small.width * 21 // 16
        with Image.open(setting.picture()) as image:
            image.resize((width, round(width * image.height / image.width)), Image.Resampling.LANCZOS).save(path)
    return path


def zoomed(index: int) -> Box:
    """Shares of the picture, so that they hold for any."""
    margin = (1 - np.exp(-ZOOM_RATE * index)) / 2
    return margin, margin, 1 - margin, 1 - margin


def panned(index: int) -> Box:
    """Sideways by PAN_PIXELS of an output that is 1280 wide."""
    left, side = PAN_PIXELS * index / 1280 / PAN_ZOOM, 1 / PAN_ZOOM
    top = (1 - side) / 2
    return left, top, left + side, top + side


def window_on(picture: Image.Image, window: Window, size: Size, index: int) -> Box:
    scaled = index * 1280 / size.width if window is panned else float(index)
    left, top, right, bottom = window(scaled)  # pyright: ignore[reportArgumentType]
    return left * picture.width, top * picture.height, right * picture.width, bottom * picture.height


def exact(picture: Image.Image, box: Box, size: Size) -> Pixels:
    return np.asarray(picture.resize((size.width, size.height), Image.Resampling.LANCZOS, box=box))


def whole(picture: Image.Image, box: Box, size: Size) -> Pixels:
    left, top, right, bottom = (round(each) for each in box)
    part = np.asarray(picture)[top:bottom, left:right]
    return np.asarray(cv2.resize(part, (size.width, size.height), interpolation=cv2.INTER_AREA), np.uint8)


def zoompan(picture: Path, move: str, size: Size, count: int, enlarged: int) -> list[Pixels]:
    if move == "slow zoom":
        place = f"z='exp({ZOOM_RATE}*on)':x='iw/2-iw/zoom/2':y='ih/2-ih/zoom/2'"
    else:
        place = f"z={PAN_ZOOM}:x='{PAN_PIXELS / size.width / PAN_ZOOM}*on*iw':y='ih/2-ih/zoom/2'"
    chain = f"scale={enlarged}*iw:-1," if enlarged > 1 else ""
    filters = f"{chain}zoompan={place}:d={count}:s={size.width}x{size.height}:fps={size.fps}"
    command = ["ffmpeg", "-v", "error", "-i", str(picture), "-vf", filters, "-frames:v", str(count)]
    done = subprocess.run([*command, "-f", "rawvideo", "-pix_fmt", "gray", "-"], check=True, capture_output=True)
    return list(np.frombuffer(done.stdout, np.uint8).reshape(count, size.height, size.width))


# -- the given pictures -------------------------------------------------------------


def ends(setting: Setting) -> Report:
    """First and last frames against the pictures that were given for them."""
    report = Report(
        "Given pictures in the file, PSNR in dB",
        ("clip", "frame", "luma", "RGB", "luma, a still clip of it"),
    )
    place = setting.work
    studio.text_to_image("calm ocean at sunset", place / "sea.png", width=1200, height=900, seed=SEED)
    picture = setting.picture()
    with Image.open(picture) as image:
        turned = image.convert("RGB")
        shifted = turned.resize((turned.width * 9 // 10, turned.height * 9 // 10), box=view_box(turned))
    shifted.save(place / "near.png")
    sea, near = place / "sea.png", place / "near.png"
    cases: list[tuple[str, Size, dict[str, Path], tuple[int, ...]]] = [
        ("picture, orbit", setting.small, {"image": picture}, (0,)),
        ("picture, orbit", setting.large, {"image": picture}, (0,)),
        ("4:3 picture, orbit", setting.small, {"image": sea}, (0,)),
        ("last picture only", setting.small, {"last": picture}, (-1,)),
        ("first and last, related", setting.small, {"image": picture, "last": near}, (0, -1)),
        ("first and last, unrelated", setting.small, {"image": picture, "last": sea}, (0, -1)),
    ]
    for name, size, given, frames in cases:
        for frame in frames:
            end_row(report, setting, name, size, given, frame)
    report.notes.append(
        "Against the picture cropped and resampled by Pillow and converted to 4:2:0 by FFmpeg. The last column is what "
        "the same encoder leaves of that picture when nothing moves."
    )
    return report


def view_box(image: Image.Image) -> Box:
    return image.width * 0.06, image.height * 0.04, image.width * 0.96, image.height * 0.94


def end_row(report: Report, setting: Setting, name: str, size: Size, given: dict[str, Path], frame: int) -> None:
    out = setting.work / "ends.mp4"
    with Image.open(given["image" if frame == 0 else "last"]) as image:
        crop = np.asarray(cover(np.asarray(image.convert("RGB")), size.width, size.height))
    wish: dict[str, Any] = {"image": None, **given, "prompt": "orbit right", "seconds": 1.0, "seed": SEED}
    wish |= {"width": size.width, "height": size.height, "fps": size.fps}
    studio.image_to_video(out=out, **wish)
    goal = nv12(crop)
    (mine,), mine_luma = colours(out, frame), lumas(out)[frame]
    with watched(instead=[nv12(crop) for _ in range(size.fps)]):
        studio.image_to_video(out=out, **wish)
    report.row(
        f"{name}, {size.name}",
        "first" if frame == 0 else "last",
        f"{psnr(mine_luma, luma(goal)):.1f}",
        f"{psnr(mine, goal.to_ndarray(format='rgb24')):.1f}",
        f"{psnr(lumas(out)[frame], luma(goal)):.1f}",
    )


def nv12(rgb: Pixels) -> av.VideoFrame:
    """A picture as an encoder takes it, converted by FFmpeg and not by us."""
    hd = rgb.shape[1] >= 1280 or rgb.shape[0] >= 720
    space = Colorspace.ITU709 if hd else Colorspace.ITU601
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
    return frame.reformat(format="nv12", dst_colorspace=space, dst_color_range=ColorRange.MPEG)


# -- from one picture to the other, against a true camera ---------------------------


@dataclass(frozen=True)
class Turn:
    """A similarity of the plane: a point z, as a complex number, goes to a·z + b."""

    a: complex
    b: complex

    def after(self, first: "Turn") -> "Turn":
        return Turn(self.a * first.a, self.a * first.b + self.b)

    def inverse(self) -> "Turn":
        return Turn(1 / self.a, -self.b / self.a)

    def part(self, share: float) -> "Turn":
        """So much of the way: about the point that stays where it is."""
        if abs(1 - self.a) < 1e-9:
            return Turn(1, self.b * share)
        fixed, some = self.b / (1 - self.a), self.a**share
        return Turn(some, fixed - some * fixed)

    def matrix(self) -> Matrix:
        return np.array([[self.a.real, -self.a.imag, self.b.real], [self.a.imag, self.a.real, self.b.imag]])


@dataclass(frozen=True)
class View:
    """Where a camera stands over the big picture, in shares of its width."""

    x: float = 0.5
    y: float = 0.28
    width: float = 0.6
    roll: float = 0.0  # degrees

    def turn(self, picture: Pixels, size: Size) -> Turn:
        """Output pixel → picture pixel."""
        a = self.width * picture.shape[1] / size.width * np.exp(1j * np.radians(self.roll))
        centre = complex((size.width - 1) / 2, (size.height - 1) / 2)
        return Turn(complex(a), complex(self.x, self.y) * picture.shape[1] - complex(a) * centre)


PAIRS: dict[str, tuple[View, View]] = {
    "small pan": (View(x=0.47), View(x=0.53)),
    "zoom 1.25, pan": (View(width=0.7, x=0.48), View(width=0.56, x=0.53, y=0.3)),
    "zoom 1.4, roll": (View(width=0.7), View(width=0.5, roll=6)),
    "big pan": (View(x=0.4, width=0.5), View(x=0.58, width=0.5)),
}


def pairs(setting: Setting) -> Report:
    """Two views of one big picture: the way between them against the camera that truly goes it."""
    report = Report(
        "Related first and last pictures against the true camera path, PSNR of luma in dB",
        ("pair", "mean", "least", "mean, crossfade"),
    )
    with Image.open(setting.picture()) as image:
        picture = np.asarray(image.convert("RGB"))
    means: list[float] = []
    pictured: dict[str, list[Pixels]] = {}
    for name, (one, other) in PAIRS.items():
        size = setting.small
        start, end = one.turn(picture, size), other.turn(picture, size)
        first, last = seen(picture, start, size), seen(picture, end, size)
        out = between(setting, first, last)
        found, faded = against_truth(picture, start, end, size, out, first, last)
        means.append(float(np.mean(found)))
        report.row(name, f"{means[-1]:.1f}", f"{min(found):.1f}", f"{np.mean(faded):.1f}")
        frames = colours(out, *(round(share * (frame_count(out) - 1)) for share in (0, 0.25, 0.5, 0.75, 1)))
        pictured[f"{name}: {means[-1]:.1f} dB"] = frames
    report.notes.append(f"Mean of all: {np.mean(means):.1f} dB.")
    report.notes.append(
        "The truth is laid over each frame first (its place on the path is searched, then ECC), so that ghosting and "
        "tearing count and timing does not."
    )
    if setting.pictures is not None:
        sheet(setting.pictures / "studio-pairs.jpg", pictured, width=240)
    return report


def seen(picture: Pixels, turn: Turn, size: Size) -> Pixels:
    """What a camera sees, sampled twice as finely and averaged."""
    finer = turn.after(Turn(0.5, complex(-0.25, -0.25)))
    way = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    big = cv2.warpAffine(picture, finer.matrix(), (size.width * 2, size.height * 2), flags=way)
    return np.asarray(cv2.resize(big, (size.width, size.height), interpolation=cv2.INTER_AREA), np.uint8)


def between(setting: Setting, first: Pixels, last: Pixels) -> Path:
    size, out, paths = (
        setting.small,
        setting.work / "pair.mp4",
        [setting.work / f"pair-{index}.png" for index in (0, 1)],
    )
    for path, pixels in zip(paths, (first, last), strict=True):
        Image.fromarray(pixels).save(path)
    shape: dict[str, Any] = {"width": size.width, "height": size.height, "fps": size.fps, "seconds": 2.5, "seed": SEED}
    studio.image_to_video(paths[0], out, prompt="", last=paths[1], **shape)
    return out


def against_truth(
    picture: Pixels, start: Turn, end: Turn, size: Size, out: Path, first: Pixels, last: Pixels
) -> tuple[list[float], list[float]]:
    """PSNR of some frames, ours and a plain crossfade's, against what the camera sees there."""
    grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)
    one, other = (np.asarray(cv2.cvtColor(each, cv2.COLOR_RGB2GRAY), np.float32) for each in (first, last))
    way = start.inverse().after(end)
    frames = [full_range(frame) for frame in lumas(out)]
    found: list[float] = []
    faded: list[float] = []
    for frame in frames[:: max(1, len(frames) // 15)]:
        share = progress(grey, start, way, size, frame)
        truth = aligned(grey, start.after(way.part(share)), size, frame)
        found.append(psnr(frame, truth))
        exact_truth = seen(grey, start.after(way.part(share)), size)
        faded.append(psnr(one * (1 - share) + other * share, exact_truth))
    return found, faded


def full_range(luma: Pixels) -> Pixels:
    return np.asarray(((luma.astype(np.float32) - 16) * (255 / 219) + 0.5).clip(0, 255), np.uint8)


def progress(grey: Pixels, start: Turn, way: Turn, size: Size, frame: Pixels) -> float:
    """How far along the true path the frame is."""
    small = Size("search", size.width // 4, size.height // 4, size.fps)
    goal = np.asarray(cv2.resize(frame, (small.width, small.height), interpolation=cv2.INTER_AREA), np.float32)
    coarser = Turn(4, complex(1.5, 1.5))

    def fault(share: float) -> float:
        there = seen(grey, start.after(way.part(share)).after(coarser), small)
        return float(np.abs(there - goal).mean())

    low, high = 0.0, 1.0
    for _ in range(4):
        shares = np.linspace(low, high, 11)
        best = int(np.argmin([fault(float(each)) for each in shares]))
        low, high = float(shares[max(best - 1, 0)]), float(shares[min(best + 1, 10)])
    return (low + high) / 2


def aligned(grey: Pixels, turn: Turn, size: Size, frame: Pixels) -> Pixels:
    """The truth, moved by the little that is left between it and the frame."""
    truth = seen(grey, turn, size)
    done = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 30, 1e-5)
    moved = ecc(frame, truth, np.eye(2, 3, dtype=np.float32), cv2.MOTION_AFFINE, done)
    way = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    shape = (size.width, size.height)
    return np.asarray(cv2.warpAffine(truth, moved, shape, flags=way, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def frame_count(path: Path) -> int:
    return studio.video_facts(path)[2]


# -- a clip continued -----------------------------------------------------------------

HEAD_SECONDS, TOTAL_SECONDS = 5.0, 15.0
HEAD_SPEED = 2.3  # output pixels a frame at 1280
AROUND = 6  # frames on each side of the join


def continuation(setting: Setting) -> Report:
    """A clip that is cut in the middle of a pan, with sound, continued to three times its length."""
    size, head, out = setting.small, setting.work / "head.mp4", setting.work / "continued.mp4"
    given, total = setting.seconds(HEAD_SECONDS), setting.seconds(TOTAL_SECONDS)
    made = panning_clip(setting, head, round(given * size.fps))
    shape: dict[str, Any] = {"width": size.width, "height": size.height, "fps": size.fps, "seed": SEED}
    with watched(keep=True) as watch:
        studio.extend_video(head, out, prompt="the view goes on", seconds=total, **shape)
    near = [luma(frame) for frame in watch.frames[made - AROUND - 1 : made + AROUND + 1]]
    speeds = np.array(speeds_across(near))
    steps = np.abs(np.diff(speeds))
    join = AROUND  # the pair of frames of which one is the head's last and the other the tail's first
    report = Report(f"A {given:g} s pan with sound, continued to {total:g} s", ("figure", "found", "wanted"))
    report.row("frames", len(lumas(out)), round(total * size.fps))
    video, audio = lengths(out)
    report.row("video, s", f"{video:.4f}", f"{total:g}")
    report.row("sound, s", f"{audio:.4f}", f"{total:g}")
    report.row("speed before the join, px a frame", f"{median(speeds[:join]):.2f}", f"{-speed(size):.2f}")
    report.row("speed over the join", f"{speeds[join]:.2f}", "the same")
    report.row("speed after it", ", ".join(f"{each:.2f}" for each in speeds[join + 1 : join + 5]), "dying away")
    report.row(
        "change of speed at the join",
        f"{max(steps[join - 1 : join + 1]):.3f}",
        f"{max(steps[: join - 1]):.3f} before it",
    )
    report.notes.append("Speeds are of the frames as rendered, before the codec.")
    if setting.pictures is not None:
        series = {"continued clip": speeds.tolist()}
        lines(
            setting.pictures / "studio-join.svg",
            "Speed around the join (0: from the given clip's last frame to the first new one)",
            series,
            across="frame",
            up="px a frame",
            first=-AROUND,
        )
    return report


def speed(size: Size) -> float:
    return HEAD_SPEED * size.width / 1280


def panning_clip(setting: Setting, path: Path, count: int) -> int:
    """An even pan over the picture, with a tone as long; by PyAV alone."""
    size = setting.small
    with Image.open(setting.picture()) as image:
        rgb = image.convert("RGB")
    shown = rgb.width * 0.7
    step = speed(size) * shown / size.width
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=size.fps, options={"crf": "6", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = size.width, size.height, "yuv420p"
        tone = container.add_stream("aac", rate=48000)
        tone.layout = "stereo"
        for index in range(count):
            left, tall = step * index, shown * size.height / size.width
            box = (left, rgb.height * 0.1, left + shown, rgb.height * 0.1 + tall)
            still = rgb.resize((size.width, size.height), Image.Resampling.LANCZOS, box=box)
            container.mux(stream.encode(av.VideoFrame.from_image(still)))
        container.mux(stream.encode(None))
        put_tone(container, tone, count * 48000 // size.fps)
    return count


def put_tone(container: Any, stream: Any, samples: int) -> None:
    times = np.arange(samples) / 48000
    wave = (np.sin(2 * np.pi * 330 * times) * 0.3).astype(np.float32)
    for start in range(0, samples, 1024):
        part = np.ascontiguousarray(np.stack([wave[start : start + 1024]] * 2))
        frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def lengths(path: Path) -> tuple[float, float]:
    """Seconds of the video and of the sound, as the file's tracks say."""
    with av.open(str(path)) as container:
        tracks = container.streams.video[0], container.streams.audio[0]
        video, audio = (float((each.duration or 0) * (each.time_base or 0)) for each in tracks)
    return video, audio


# -- to look at -----------------------------------------------------------------------

MOVES: Sequence[str] = ("slowly push in", "pull out", "pan left", "orbit right", "camera roll right")


def moves(setting: Setting) -> Report:
    """A contact sheet of camera moves; how much of the picture each one changes."""
    report = Report("Camera moves over one picture", ("prompt", "used", "ignored"))
    size, out = setting.small, setting.work / "move.mp4"
    rows: dict[str, list[Pixels]] = {}
    for prompt in MOVES:
        shape: dict[str, Any] = {"width": size.width, "height": size.height, "fps": 12, "seconds": 4.0, "seed": SEED}
        clip = studio.image_to_video(setting.picture(), out, prompt=prompt, **shape)
        report.row(prompt, ", ".join(clip.used), ", ".join(clip.ignored))
        rows[prompt] = colours(out, *(round(share * (clip.frames - 1)) for share in (0, 0.25, 0.5, 0.75, 1)))
    report.notes.append(
        f"The picture: {LANDSCAPE}." if setting.photo is None else f"The picture: {setting.photo.name}."
    )
    if setting.pictures is not None:
        sheet(setting.pictures / "studio-moves.jpg", rows, width=240)
    return report


PARTS: dict[str, Callable[[Setting], Report]] = {
    "judder": judder,
    "ends": ends,
    "pairs": pairs,
    "continuation": continuation,
    "moves": moves,
}
