"""The same request gives the same bytes: in any process, and in portable mode on any processor."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Literal, cast

import numpy as np
import pytest
from film_samples import lumas, psnr, saved, scenery
from numpy._core import _multiarray_umath as core  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType]

from mutoscope.studio import StudioError, image_to_video

SCRIPT = """
import hashlib, os, sys
from pathlib import Path
if cores := os.environ.get("CORES"):
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(cores)])
from mutoscope.studio import image_to_video
mode, first, last, out = sys.argv[1], *(Path(each) for each in sys.argv[2:])
common = {"width": 320, "height": 180, "fps": 12, "seconds": 1.0, "seed": 9, "determinism": mode, "watermark": True}
image_to_video(first, out / "one.mp4", prompt="orbit then zoom in, wind, waves, handheld", **common)
image_to_video(first, out / "two.mp4", prompt="", last=last, **common)
"""
OTHER_HABITS = {
    "PYTHONHASHSEED": "7",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "CORES": "1",
    "MALLOC_PERTURB_": "85",  # memory that nobody wrote is not zero
    "TZ": "Asia/Kathmandu",
    "LC_ALL": "tr_TR.UTF-8",
    "LANG": "de_DE.UTF-8",
}


def made(mode: str, folder: Path, changes: dict[str, str]) -> list[bytes]:
    """The files that a fresh process makes in an environment changed so; its working directory is the new folder."""
    place = saved(folder.parent / "first.png", scenery(960, 540))
    last = saved(folder.parent / "last.png", np.ascontiguousarray(scenery(960, 540)[60:510, 120:920]))
    folder.mkdir()
    command = [sys.executable, "-c", SCRIPT, mode, place, last, folder]
    subprocess.run(command, check=True, env=os.environ | changes, cwd=folder, capture_output=True)
    return [(folder / name).read_bytes() for name in ("one.mp4", "two.mp4")]


def older_processor() -> dict[str, str]:
    """An environment in which the libraries find no AVX2."""
    dispatched = cast("list[str]", core.__cpu_dispatch__)  # pyright: ignore[reportUnknownMemberType]
    features = cast("dict[str, bool]", core.__cpu_features__)  # pyright: ignore[reportUnknownMemberType]
    found = [name for name in dispatched if features.get(name)]
    if "X86_V3" not in found:
        pytest.skip("needs an x86-64-v3 processor (AVX2), which can then be used without")
    return {
        "NPY_DISABLE_CPU_FEATURES": " ".join(found),
        "OPENCV_IPP": "disabled",
        "OPENCV_CPU_DISABLE": "AVX2,FP16,AVX512-SKX",
        "OPENBLAS_CORETYPE": "Nehalem",
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-AVX512F",
    }


def test_neither_hash_seed_nor_locale_nor_zone_nor_cores_change_a_byte(tmp_path: Path) -> None:
    assert made("machine", tmp_path / "a", {"PYTHONHASHSEED": "1"}) == made("machine", tmp_path / "b", OTHER_HABITS)


MARKING = """
import sys
import av
from mutoscope.engines.local import marks
class Writer:
    def on_picture(self, picture): return picture
with av.open(sys.argv[1]) as source, open(sys.argv[2], "wb") as out:
    marks.write_clip(source, out, Writer())
"""


def test_a_clip_is_coded_again_for_its_mark_to_the_same_bytes(tmp_path: Path) -> None:
    photo = saved(tmp_path / "p.png", scenery(320, 180))
    clip = tmp_path / "clip.mp4"
    image_to_video(photo, clip, prompt="orbit", width=208, height=112, fps=12, seconds=2, seed=2)
    files = [tmp_path / "a.mp4", tmp_path / "b.mp4"]
    for file, changes in zip(files, ({}, OTHER_HABITS), strict=True):
        subprocess.run([sys.executable, "-c", MARKING, clip, file], check=True, env=os.environ | changes)
    assert files[0].read_bytes() == files[1].read_bytes()


def test_portable_videos_are_the_same_without_avx2(tmp_path: Path) -> None:
    older = older_processor()
    assert made("portable", tmp_path / "a", {}) == made("portable", tmp_path / "b", older | OTHER_HABITS)


def test_a_portable_video_looks_like_any_other(tmp_path: Path) -> None:
    photo = saved(tmp_path / "p.png", scenery(960, 540))
    modes: tuple[Literal["machine", "portable"], ...] = ("machine", "portable")
    for mode in modes:
        image_to_video(
            photo,
            tmp_path / f"{mode}.mp4",
            prompt="orbit, wind, waves",
            width=320,
            height=180,
            fps=8,
            seconds=1,
            seed=2,
            determinism=mode,
        )
    one, other = lumas(tmp_path / "machine.mp4"), lumas(tmp_path / "portable.mp4")
    assert min(psnr(a, b) for a, b in zip(one, other, strict=True)) > 42


def test_other_kinds_of_determinism_are_refused(tmp_path: Path) -> None:
    photo = saved(tmp_path / "p.png", scenery(320, 180))
    with pytest.raises(StudioError, match="portable"):
        image_to_video(
            photo,
            tmp_path / "o.mp4",
            prompt="",
            width=320,
            height=180,
            fps=8,
            seconds=1,
            seed=2,
            determinism="perfect",  # pyright: ignore[reportArgumentType]
        )
