"""Time and memory of what the renderer makes, each in a fresh process."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from _studio_clips import SEED, Report, Setting, environment, median
from _studio_plots import bars
from mutoscope import studio

HERE = Path(__file__).parent
DURATIONS = (5.0, 10.0, 20.0)
PROMPTS = {
    "mountains, lake": "A serene mountain landscape at sunset with golden light",
    "hills": "green rolling hills and a meadow on a sunny day",
    "desert": "desert dunes at golden hour",
    "forest": "misty pine forest in the morning",
    "sea": "calm ocean at sunset",
    "storm": "stormy sea, dramatic sky",
    "city": "cyberpunk city skyline at night, neon",
    "space": "purple nebula in deep space",
    "snow": "starry night over snowy mountains, moon",
    "abstract": "the sound of a violin in teal and gold",
}


def once(wish: dict[str, Any]) -> dict[str, float]:
    """Seconds and peak megabytes of one call in a process of its own."""
    command = [sys.executable, str(HERE / "_studio_once.py"), json.dumps(wish)]
    around = environment(Path(wish["out"]).parent)
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, env=around).stdout)


def scenes(setting: Setting) -> Report:
    """Text to image, one row for each kind of place."""
    size = setting.large
    theirs = setting.prototype is not None
    head = (
        "kind",
        "s",
        "peak MB",
        *(("prototype, s", "prototype, MB", "time ratio", "memory ratio") if theirs else ()),
    )
    report = Report(f"Text to image at {size.width}x{size.height}, painted and written as PNG in a fresh process", head)
    prompts = dict(list(PROMPTS.items())[:2]) if setting.tiny else PROMPTS
    for kind, prompt in prompts.items():
        wish = {"prompt": prompt, "out": str(setting.work / "scene.png"), "seed": SEED}
        wish |= {"width": size.width, "height": size.height}
        runs: list[tuple[dict[str, float], ...]] = []
        for _ in range(setting.rounds):
            mine = once({"call": "text_to_image", **wish})
            runs.append(
                (mine, once({"call": "prototype", "prototype": str(setting.prototype), **wish})) if theirs else (mine,)
            )
        cells = [figure for which in range(len(runs[0])) for figure in figures([run[which] for run in runs])]
        if theirs:
            cells += [median(run[0][name] / run[1][name] for run in runs) for name in ("seconds", "peak_mb")]
        report.row(kind, *(f"{cell:.0f}" if index in (1, 3) else f"{cell:.2f}" for index, cell in enumerate(cells)))
    if not theirs:
        report.notes.append("--prototype PATH runs the prototype's scene.py beside it.")
    return report


def figures(runs: list[dict[str, float]]) -> tuple[float, float]:
    return median(each["seconds"] for each in runs), max(each["peak_mb"] for each in runs)


def memory(setting: Setting) -> Report:
    """Peak memory of renders of three lengths."""
    size = setting.large
    durations = [setting.seconds(each) for each in DURATIONS]
    report = Report(
        f"Peak memory of one {size.name} render, whole process, MB",
        ("render", *(f"{each:g} s" for each in durations), "growth", "fps"),
    )
    all_peaks: dict[str, list[float]] = {}
    for name, wish in renders(setting).items():
        found = [once({**wish, "seconds": each}) for each in durations]
        peaks = [each["peak_mb"] for each in found]
        all_peaks[name] = peaks
        growth = peaks[-1] / peaks[0]
        fps = durations[-1] * size.fps / found[-1]["seconds"]
        report.row(name, *(f"{peak:.0f}" for peak in peaks), f"{growth:.2f}", f"{fps:.0f}")
    if setting.pictures is not None:
        title = f"Peak memory of a {size.name} render of {durations[1]:g} s"
        values = {name: peaks[1] for name, peaks in all_peaks.items()}
        bars(setting.pictures / "studio-memory.svg", title, values, up="MB", aim=350)
    report.notes.append("Growth: the longest against the shortest. Each length is one run.")
    return report


def renders(setting: Setting) -> dict[str, dict[str, Any]]:
    size = setting.large
    shape: dict[str, Any] = {"width": size.width, "height": size.height, "fps": size.fps, "seed": SEED}
    common = {"out": str(setting.work / "memory.mp4"), "prompt": "orbit right", **shape}
    other, head = setting.work / "other.png", setting.work / "head.mp4"
    studio.text_to_image("calm ocean at sunset", other, width=size.width, height=size.height, seed=SEED)
    picture = setting.picture()
    seconds = setting.seconds(DURATIONS[0]) / 2
    studio.image_to_video(picture, head, prompt="pan right", seconds=seconds, **shape)
    return {
        "picture, orbit": {"call": "image_to_video", "image": str(picture), **common},
        "first and last picture": {"call": "image_to_video", "image": str(picture), "last": str(other), **common},
        "text": {"call": "text_to_video", **common, "prompt": "misty pine forest in the morning, orbit right"},
        "continuation": {"call": "extend_video", "video": str(head), **common},
    }


PARTS: dict[str, Callable[[Setting], Report]] = {"scenes": scenes, "memory": memory}
