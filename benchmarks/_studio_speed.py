"""How fast a camera move becomes a file: against encoding alone, and against other programs."""

import importlib.util
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import av

from _studio_clips import CORES, SEED, Report, Setting, Size, environment, median, pin, watched
from _studio_plots import bars
from mutoscope import studio

HERE = Path(__file__).parent
ORBIT, PUSH, ROLL = "orbit right", "slowly push in", "camera roll right"
SECONDS = 5.0
MOVIEPY = "moviepy==2.2.1"
PEERS = Path(sys.prefix) / "peers"


@dataclass(frozen=True)
class Timing:
    """Of one clip, from its first frame to the closed file; `whole` is the call with all its preparation."""

    wall: float
    cpu: float
    whole: float
    bytes: bytes


def throughput(setting: Setting) -> Report:
    """Rendering and encoding, as a ratio to encoding the same frames made beforehand."""
    report = Report(
        "2.5D camera moves to MP4, as a ratio to encoding the same frames made beforehand (same x264 settings)",
        ("clip", "move", "threads", "encode only, fps", "ours, fps", "ratio", "CPU ratio", "whole call, fps", "kB"),
    )
    same = True
    ratios: dict[str, float] = {}
    for size in setting.sizes:
        for move in (ORBIT, PUSH, ROLL):
            for threads in (2, 1) if move == ORBIT else (2,):
                ratio, equal = compared(report, setting, size, move, threads)
                same &= equal
                ratios[f"{size.name}\n{move}{', 1 thread' if threads == 1 else ''}"] = ratio
    if setting.pictures is not None:
        title = "Rendering and encoding, as a ratio to encoding alone"
        bars(setting.pictures / "studio-throughput.svg", title, ratios, up="ratio", aim=0.8)
    report.notes.append(f"Both write the same bytes: {'yes' if same else 'NO'}.")
    report.notes.append("CPU ratio: encode only / ours, in CPU time. Whole call: with decoding, resampling and depth.")
    return report


def compared(report: Report, setting: Setting, size: Size, move: str, threads: int) -> tuple[float, bool]:
    """One row; the ratio, and whether both ways wrote the same bytes."""
    pin(CORES[:threads])
    try:
        with watched(keep=True) as watch:
            timed(setting, size, move, threads)
        ours: list[Timing] = []
        bare: list[Timing] = []
        for _ in range(setting.rounds):
            bare.append(timed(setting, size, move, threads, instead=watch.frames))
            ours.append(timed(setting, size, move, threads))
    finally:
        pin(CORES)
    count = len(watch.frames)
    ratio = median(one.wall / other.wall for one, other in zip(bare, ours, strict=True))
    report.row(
        size.name,
        move,
        threads,
        f"{count / median(each.wall for each in bare):.0f}",
        f"{count / median(each.wall for each in ours):.0f}",
        f"**{ratio:.2f}**",
        f"{median(one.cpu / other.cpu for one, other in zip(bare, ours, strict=True)):.2f}",
        f"{count / median(each.whole for each in ours):.0f}",
        f"{len(ours[0].bytes) / 1000:.0f}",
    )
    return ratio, all(each.bytes == ours[0].bytes for each in (*ours, *bare))


def timed(
    setting: Setting, size: Size, move: str, threads: int, *, instead: Sequence[av.VideoFrame] | None = None
) -> Timing:
    out = setting.work / "timed.mp4"
    began = time.perf_counter()
    with watched(instead=instead) as watch:
        studio.image_to_video(
            setting.picture(),
            out,
            prompt=move,
            width=size.width,
            height=size.height,
            fps=size.fps,
            seconds=setting.seconds(SECONDS),
            seed=SEED,
            threads=threads,
        )
    ended, cpu = time.perf_counter(), time.process_time()
    return Timing(ended - watch.began, cpu - watch.began_cpu, ended - began, out.read_bytes())


# -- against other programs ---------------------------------------------------------


@dataclass
class Peer:
    """Another program that makes a clip of a picture: its command, or why it is not run."""

    name: str
    command: list[str]
    missing: str = ""
    environment: dict[str, str] | None = None


def peers(setting: Setting) -> Report:
    """From a picture to a file, each in a process of its own."""
    report = Report(
        f"From picture to file, whole process: {setting.seconds(SECONDS):g} s, x264 veryfast, CRF 20, 2 threads",
        ("clip", "program", "median s", "fps", "ours / it"),
    )
    for size in setting.sizes:
        runners = [*ours(setting, size), zoompan(setting, size, 1), zoompan(setting, size, 4)]
        if size == setting.small:
            runners += [moviepy(setting, size), depthflow(setting, size)]
        race(report, setting, size, runners)
    report.notes.append("ours / it: how many times as fast as the other program ours is (orbit).")
    return report


def race(report: Report, setting: Setting, size: Size, runners: list[Peer]) -> None:
    setting.picture()
    walls: dict[str, list[float]] = {each.name: [] for each in runners if not each.missing}
    for number in range(-1, setting.rounds):  # the first round compiles modules and fills caches: it does not count
        for each in runners if number % 2 == 0 else reversed(runners):
            if not each.missing:
                began = time.perf_counter()
                done = subprocess.run(each.command, capture_output=True, text=True, check=False, env=each.environment)
                if number >= 0:
                    walls[each.name].append(time.perf_counter() - began)
                if done.returncode != 0:
                    each.missing = f"failed: {(done.stderr.strip() or 'no reason given').splitlines()[-1][:120]}"
    count = setting.seconds(SECONDS) * size.fps
    base = median(walls[runners[0].name])
    for each in runners:
        if each.missing:
            report.row(size.name, each.name, each.missing, "", "")
        else:
            wall = median(walls[each.name])
            report.row(size.name, each.name, f"{wall:.2f}", f"{count / wall:.0f}", f"{wall / base:.2f}")


def ours(setting: Setting, size: Size) -> list[Peer]:
    found: list[Peer] = []
    for move in (ORBIT, PUSH):
        wish = {
            "call": "image_to_video",
            "image": str(setting.picture()),
            "out": str(setting.work / "ours.mp4"),
            "prompt": move,
            "width": size.width,
            "height": size.height,
            "fps": size.fps,
            "seconds": setting.seconds(SECONDS),
            "seed": SEED,
        }
        command = [sys.executable, str(HERE / "_studio_once.py"), json.dumps(wish)]
        found.append(Peer(f"ours, {move}", command, environment=environment(setting.work)))
    return found


def x264(setting: Setting, name: str) -> list[str]:
    quality = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-threads", "2", "-pix_fmt", "yuv420p"]
    return [*quality, "-movflags", "+faststart", "-y", str(setting.work / name)]


def zoompan(setting: Setting, size: Size, enlarged: int) -> Peer:
    """FFmpeg's own way; enlarging first makes it judder less."""
    name = "ffmpeg zoompan" if enlarged == 1 else f"ffmpeg scale x{enlarged}, zoompan"
    if shutil.which("ffmpeg") is None:
        return Peer(name, [], "not run: there is no ffmpeg command")
    count = round(setting.seconds(SECONDS) * size.fps)
    zoom = f"zoompan=z='exp(0.0008*on)':x='iw/2-iw/zoom/2':y='ih/2-ih/zoom/2':d={count}"
    chain = f"scale={enlarged}*iw:-1,{zoom}" if enlarged > 1 else zoom
    filters = f"{chain}:s={size.width}x{size.height}:fps={size.fps}"
    command = ["ffmpeg", "-v", "error", "-i", str(setting.picture()), "-vf", filters, "-frames:v", str(count)]
    return Peer(name, [*command, *x264(setting, "zoompan.mp4")])


MOVIEPY_SCRIPT = """
import sys
from moviepy import CompositeVideoClip, ImageClip
picture, out, *numbers = sys.argv[1:]
width, height, fps, seconds = (float(number) for number in numbers)
still = ImageClip(picture).resized((int(width), int(height))).with_duration(seconds)
moved = still.resized(lambda t: 1 + 0.02 * t).with_position("center")
CompositeVideoClip([moved], size=(int(width), int(height))).write_videofile(
    out, fps=fps, codec="libx264", preset="veryfast", threads=2, audio=False, logger=None,
    ffmpeg_params=["-crf", "20", "-pix_fmt", "yuv420p"],
)
"""


def moviepy(setting: Setting, size: Size) -> Peer:
    """In an environment of its own, which only `--peers` makes: it needs the package registry."""
    place = PEERS / "moviepy"
    python = place / "bin" / "python"
    if setting.peers and not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
        install = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", MOVIEPY]
        subprocess.run(install, check=True)
    if not python.exists():
        return Peer("moviepy", [], "not run: --peers makes an environment for it")
    words = [str(size.width), str(size.height), str(size.fps), f"{setting.seconds(SECONDS):g}"]
    out = str(setting.work / "moviepy.mp4")
    return Peer("moviepy", [str(python), "-c", MOVIEPY_SCRIPT, str(setting.picture()), out, *words])


def depthflow(setting: Setting, size: Size) -> Peer:
    """Its environment takes 6 GB and it brings weights of its own: it is run only where it is installed already."""
    if importlib.util.find_spec("depthflow") is None or (command := shutil.which("depthflow")) is None:
        return Peer("depthflow", [], "not run: it is not installed here")
    shape = ["--width", str(size.width), "--height", str(size.height), "--fps", str(size.fps)]
    out = ["--time", f"{setting.seconds(SECONDS):g}", "--output", str(setting.work / "depthflow.mp4")]
    return Peer("depthflow", [command, "input", "--image", str(setting.picture()), "main", *shape, *out])


PARTS: dict[str, Callable[[Setting], Report]] = {"throughput": throughput, "peers": peers}
