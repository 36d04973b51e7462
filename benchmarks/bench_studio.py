"""The renderer's speed, smoothness, faithfulness and memory, side by side with other ways of doing the same.

    python benchmarks/bench_studio.py [--only throughput,judder] [--rounds 5] [--peers] [--pictures docs/pictures]

Ratios compare neighbours in time: both sides of each run in turn, round by round, and medians are shown. All of it
keeps to two cores. The picture is one that the renderer paints itself, or `--photo FILE`.
"""

import argparse
import os
import platform
import sys
import tempfile
from pathlib import Path

import av
import cv2
import numpy as np

import _studio_looks
import _studio_memory
import _studio_server
import _studio_speed
from _studio_clips import CORES, Setting, pin

PARTS = _studio_speed.PARTS | _studio_looks.PARTS | _studio_memory.PARTS | _studio_server.PARTS


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(PARTS), help="parts, with commas between (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--tiny", action="store_true", help="small and short, to see that it runs; says nothing of speed"
    )
    parser.add_argument("--peers", action="store_true", help="make an environment for moviepy and race it too")
    parser.add_argument("--photo", type=Path, help="a picture to move over instead of a painted one")
    parser.add_argument("--prototype", type=Path, help="the first prototype's scene.py, to race text to image")
    parser.add_argument("--pictures", type=Path, help="a folder to draw plots and contact sheets into")
    options = parser.parse_args()
    options.parts = [part for part in options.only.split(",") if part]
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    return options


def main() -> None:
    options = arguments()
    pin(CORES)
    if options.pictures is not None:
        options.pictures.mkdir(parents=True, exist_ok=True)
    print(
        f"{len(CORES)} cores, load {os.getloadavg()[0]:.1f} at start; Python {platform.python_version()}, "
        f"av {av.__version__}, OpenCV {cv2.__version__}, NumPy {np.__version__}; {options.rounds} rounds, medians"
    )
    with tempfile.TemporaryDirectory() as folder:
        setting = Setting(
            Path(folder),
            options.rounds,
            tiny=options.tiny,
            peers=options.peers,
            prototype=options.prototype,
            photo=options.photo,
            pictures=options.pictures,
        )
        for part in options.parts:
            print(f"  {part}", file=sys.stderr)
            PARTS[part](setting).show()
            sys.stdout.flush()


if __name__ == "__main__":
    main()
