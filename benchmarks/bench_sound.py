"""How the renderer's music measures, by tools that are not ours: tables in Markdown.

    python benchmarks/bench_sound.py
    python benchmarks/bench_sound.py --seconds 20 --listen PYTHON

Loudness and true peak are measured by the command ffmpeg (ebur128, which it must have). Tempo and key are heard by
librosa, in the interpreter that `--listen` names: one of a throwaway environment with `pip install librosa`; without it
those columns are left out.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from _common import table
from mutoscope.studio import extend_music, join_music, make_music
from mutoscope.studio.sound import decode

Floats = NDArray[np.float32]
RATE = 44100
NEAR = 0.02  # seconds on either side of a join that are looked at
USUAL = 95  # percentile of the largest steps about the piece's other beats: a drum's attack is no click
LOUDNESS, WITHIN, CEILING, TEMPO_WITHIN = -14.0, 1.0, -1.0, 0.02


class Asked(NamedTuple):
    tags: str
    tempo: float
    key: str


PIECES = (
    Asked("calm piano, 72 bpm, in A minor", 72, "A minor"),
    Asked("upbeat pop, guitar, 120 bpm, in D major", 120, "D major"),
    Asked("techno, dark, 128 bpm, in F minor", 128, "F minor"),
    Asked("rock, energetic, 140 bpm, in E major", 140, "E major"),
    Asked("lofi hip hop, 84 bpm, in C major", 84, "C major"),
    Asked("jazz, swing, 100 bpm, in G minor", 100, "G minor"),
)

LISTEN = """
import json, sys
import librosa, numpy as np
MAJOR = np.array([6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88])
MINOR = np.array([6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17])
NAMES = ["C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"]
for path in sys.argv[1:]:
    sound, rate = librosa.load(path, sr=22050)
    _, frames = librosa.beat.beat_track(y=sound, sr=rate, hop_length=256, tightness=200)
    times = librosa.frames_to_time(frames, sr=rate, hop_length=256)
    slope = np.polyfit(np.arange(len(times)), times, 1)[0] if len(times) > 3 else float("nan")
    chroma = librosa.feature.chroma_cqt(y=librosa.effects.harmonic(sound), sr=rate).mean(1)
    found = [(np.corrcoef(np.roll(profile, root), chroma)[0, 1], f"{NAMES[root]} {scale}")
             for root in range(12) for profile, scale in ((MAJOR, "major"), (MINOR, "minor"))]
    print(json.dumps({"tempo": 60 / slope, "key": max(found)[1]}))
"""


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--seconds", type=float, default=20.0, help="of each piece")
    words.add_argument("--pieces", type=int, default=len(PIECES), help="how many of them")
    words.add_argument("--listen", help="an interpreter that has librosa")
    asked = words.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        made = pieces(Path(folder), asked.seconds, PIECES[: asked.pieces])
        takes(made, heard(asked.listen, [one for _, one, _ in made]) if asked.listen else [])
        joins(Path(folder), made)


def pieces(folder: Path, seconds: float, wanted: tuple[Asked, ...]) -> list[tuple[Asked, Path, Path]]:
    """Two takes of each."""
    made: list[tuple[Asked, Path, Path]] = []
    for number, each in enumerate(wanted):
        takes = folder / f"{number}a.wav", folder / f"{number}b.wav"
        for take, out in enumerate(takes):
            _ = make_music(each.tags, out, seconds=seconds, seed=20 + 2 * number + take)
        made.append((each, *takes))
    return made


# -- loudness, tempo, key ------------------------------------------------------------------------


def takes(made: list[tuple[Asked, Path, Path]], listened: list[dict[str, Any]]) -> None:
    head = ("asked", "LUFS", "true peak, dB", "takes alike", *(("tempo heard", "key heard") if listened else ()))
    rows: list[tuple[str, ...]] = [head]
    for number, (asked, one, other) in enumerate(made):
        loud, peak = ebur128(one)
        good = abs(loud - LOUDNESS) <= WITHIN and peak <= CEILING
        row: tuple[str, ...] = (
            asked.tags,
            f"{loud:.1f}" + ("" if good else " (!)"),
            f"{peak:.1f}",
            f"{likeness(one, other):.2f}",
        )
        if listened:
            tempo, key = folded(listened[number]["tempo"], asked.tempo), str(listened[number]["key"])
            right = abs(tempo / asked.tempo - 1) <= TEMPO_WITHIN
            row += (f"{tempo:.1f}" + ("" if right else " (!)"), key + ("" if key == asked.key else " (!)"))
        rows.append(row)
    table("Music: as asked, measured by ffmpeg" + (" and librosa" if listened else ""), *rows)


def ebur128(path: Path) -> tuple[float, float]:
    """Integrated loudness in LUFS and the true peak in dB, by ffmpeg."""
    command = ["ffmpeg", "-hide_banner", "-nostats", "-i", str(path), "-filter_complex", "ebur128=peak=true",
               "-f", "null", "-"]  # fmt: skip
    told = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    summary = told[told.rindex("Summary:") :]
    loud, peak = re.search(r"I:\s+(-?[\d.]+) LUFS", summary), re.search(r"Peak:\s+(-?[\d.]+) dBFS", summary)
    if not (loud and peak):
        raise SystemExit(f"ffmpeg says nothing of the loudness: {summary}")
    return float(loud[1]), float(peak[1])


def likeness(one: Path, other: Path) -> float:
    """The correlation of two takes, sample by sample: 1 where they are the same."""
    first, second = sound(one), sound(other)
    length = min(len(first), len(second))
    return abs(float(np.corrcoef(first[:length], second[:length])[0, 1]))


def folded(heard: float, asked: float) -> float:
    """A beat may be heard twice as fast, or half."""
    return min((heard * factor for factor in (0.5, 1.0, 2.0)), key=lambda each: abs(each / asked - 1))


def heard(interpreter: str, paths: list[Path]) -> list[dict[str, Any]]:
    done = subprocess.run([interpreter, "-c", LISTEN, *map(str, paths)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{interpreter} cannot listen: {done.stderr[-400:]}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def sound(path: Path) -> Floats:
    found = decode(path, 600 * RATE, rate=RATE)
    return np.asarray(found if found is not None else np.zeros((2, 1)), np.float32).mean(0)


# -- joins ---------------------------------------------------------------------------------------


def joins(folder: Path, made: list[tuple[Asked, Path, Path]]) -> None:
    rows = [("join", "at, s", "largest step there", "at other beats", "LUFS", "true peak, dB")]
    for number, (asked, one, other) in enumerate(made):
        more, joined = folder / f"{number}more.wav", folder / f"{number}joined.wav"
        length = len(sound(one)) / RATE
        _ = extend_music(one, more, seconds=length + 6, prompt=asked.tags, at=length * 0.7, seed=number)
        _ = join_music([one, other], joined)
        for what, path in (("continued", more), ("joined", joined)):
            whole = sound(path)
            at = parted(sound(one), whole)
            step, usual = steps_at(whole, at, 60 / asked.tempo * RATE)
            loud, peak = ebur128(path)
            clean = "" if step <= usual else " (!)"
            figures = (f"{at / RATE:.2f}", f"{step:.3f}{clean}", f"{usual:.3f}", f"{loud:.1f}", f"{peak:.1f}")
            rows.append((f"{asked.tags.partition(',')[0]}, {what}", *figures))
    title = f"the largest step from sample to sample within {1000 * NEAR:.0f} ms, and at {USUAL} % of the other beats"
    table(f"Joins: {title}", *rows)


def parted(before: Floats, whole: Floats) -> int:
    """The sample at which a piece is no longer the one that it goes on from, but for its level."""
    window = RATE // 100
    for at in range(RATE, min(len(before), len(whole)) - window, window):
        one, other = before[at : at + window], whole[at : at + window]
        gain = float(one @ other) / max(float(one @ one), 1e-9)
        rest = float(np.mean((other - gain * one) ** 2))
        if rest > 0.02 * float(np.mean(whole[at - RATE : at] ** 2)):
            return at
    return min(len(before), len(whole))


def steps_at(whole: Floats, at: int, beat: float) -> tuple[float, float]:
    """The largest step from sample to sample about a place, and what it is not above at most other beats: whole numbers
    of them before it and after."""
    steps, near = np.abs(np.diff(whole)), round(NEAR * RATE)

    def largest(middle: int) -> float:
        return float(steps[max(0, middle - near) : middle + near].max())

    others = [round(at + beat * number) for number in range(-round(at / beat), round((len(steps) - at) / beat))]
    usual = [largest(each) for each in others if each != at and near <= each < len(steps) - near]
    return largest(at), float(np.percentile(usual, USUAL))


if __name__ == "__main__":
    sys.exit(main())
