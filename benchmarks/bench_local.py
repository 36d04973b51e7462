"""What the trained models cost here and how well they do on inputs that are made on the spot: a table in Markdown.

    python benchmarks/bench_local.py --weights FOLDER
    python benchmarks/bench_local.py --weights FOLDER --times 200
    python benchmarks/bench_local.py --weights FOLDER --jobs 200

FOLDER is that of `mutoscope weights fetch --all --into FOLDER`. Each model is asked `--times` times in a row; the last
column is by how much the memory of the asking process grew over the second half of them. Speech is spoken by espeak-ng,
which must be installed. With `--jobs` it is a server instead that makes so many small pictures, each with its mark: how
much memory it holds, ten times on the way.
"""

import argparse
import asyncio
import base64
import logging
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import structlog
from PIL import Image, ImageDraw, ImageFont

from _common import pillow_seconds, resident, seconds_of, table
from mutoscope import studio
from mutoscope.app import App
from mutoscope.cli.generate import WIRE
from mutoscope.engines.local.pool import Pool
from mutoscope.engines.local.rows import ROWS
from mutoscope.engines.local.shelf import Shelf
from mutoscope.model.config import Mark, Settings, Weights
from mutoscope.model.job import Generation, Operation, State
from mutoscope.model.requests import Submission

SPOKEN = "The lighthouse stands on the coast. Ships pass it in the night, and the keeper sleeps during the day."
LETTERED = ("OPEN DAILY", "Harbour 27", "no smoking")
SEEN = "a woman with red hair in a park"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, default=Path(".venv/weights"))
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=0)
    asked = parser.parse_args()
    if not asked.weights.is_dir():
        print(f"{asked.weights} is not there: mutoscope weights fetch --all --into {asked.weights}", file=sys.stderr)
        return 2
    asyncio.run(serve(asked.weights, asked.jobs) if asked.jobs else measure(asked.weights, asked.times))
    return 0


async def serve(folder: Path, jobs: int) -> None:
    """Jobs one after another, of one server in this process, whose renderer marks what it makes."""
    wish = Generation(operation=Operation.TEXT_TO_IMAGE, model="gen4_image", prompt=SEEN, width=256, height=256)
    settings = Settings(weights=Weights(folder=str(folder.resolve())), mark=Mark(enabled=True))
    rows: list[tuple[object, ...]] = []
    asset = ""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with tempfile.TemporaryDirectory() as room:
        async with App(settings, data=Path(room)).running() as app:
            for number in range(1, jobs + 1):
                job = await app.gateway.submit(
                    WIRE, "", Submission(generation=msgspec.structs.replace(wish, seed=number))
                )
                async for each in app.gateway.watch(job.id):
                    job = each
                if job.state is not State.SUCCEEDED:
                    raise SystemExit(f"job {number}: {job.state}")
                asset = job.outputs[0].asset
                if number % max(1, jobs // 10) == 0:
                    rows.append((number, f"{resident(os.getpid()) / 1024:.1f}"))
            last = Path(room) / "last.png"
            last.write_bytes(await app.assets.read(asset))
            pool = Pool(Shelf(settings.weights, Path()))
            recognised = (await pool.ask("rivagan", {}, last))["recognised"]
            await pool.close()
    print(f"The last picture's mark was {'' if recognised else 'not '}recognised.")
    table(f"A server's memory while it marks {jobs} pictures", ("jobs done", "resident, MB"), *rows)


async def measure(folder: Path, times: int) -> None:
    rows: list[tuple[object, ...]] = []
    with tempfile.TemporaryDirectory() as room:
        inputs = made(Path(room))
        yardstick = pillow_seconds()
        for row in ROWS:
            pool = Pool(Shelf(Weights(folder=str(folder)), Path()))
            what, file = inputs[row.name]
            began = time.perf_counter()
            answer = await pool.ask(row.name, what, file)
            first = time.perf_counter() - began
            pid = pool._held[row.name].process.pid
            before, half = seconds_of(pid), 0.0
            for number in range(times):
                half = resident(os.getpid()) / 1024 if number == times // 2 else half
                _ = await pool.ask(row.name, what, file)
            cpu = (seconds_of(pid) - before) / max(1, times)
            held, grown = resident(pid) / 1024, resident(os.getpid()) / 1024 - half
            seen = quality(row.name, answer)
            cost = f"{cpu:.3f}", f"{cpu / yardstick:.1f}"
            rows.append((row.name, f"{row.bytes / 1e6:.1f}", first, *cost, round(held), seen, grown))
            await pool.close()
    head = (
        "model",
        "files, MB",
        "first answer, s",
        "CPU s an answer",
        "of Pillow's 512x512 to 1024x1024",
        "memory of its process, MB",
        "seen",
        "growth, MB",
    )
    table(f"Trained models, {times} answers each", head, *rows)


def made(room: Path) -> dict[str, tuple[dict[str, Any], Path | None]]:
    """Of each model what it is asked."""
    picture, page, sound = room / "picture.png", room / "page.png", room / "sound.wav"
    studio.text_to_image(SEEN, picture, width=512, height=512, seed=1)
    image = Image.new("RGB", (480, 280), (245, 240, 220))
    for number, line in enumerate(LETTERED):
        ImageDraw.Draw(image).text((30, 30 + 80 * number), line, fill=(30, 30, 60), font=ImageFont.load_default(40))
    image.save(page)
    subprocess.run(["espeak-ng", "-v", "en-us", "-s", "140", "-w", str(sound), SPOKEN], check=True)
    texts = ["a lighthouse on a rocky coast", "a beacon that guides ships at night", "the tax law of 1986"]
    return {
        "rivagan": ({}, picture),
        "open_nsfw": ({}, picture),
        "ppocr4": ({}, page),
        "wordllama": ({"texts": texts}, None),
        "selfie": ({}, picture),
        "whisper_tiny_en": ({}, sound),
    }


def quality(name: str, answer: dict[str, Any]) -> str:
    match name:
        case "rivagan":
            return f"{answer['bits']} of {answer['of']} bits, unmarked"
        case "open_nsfw":
            return f"score {answer['score']:.4f}"
        case "ppocr4":
            read = [each["text"].replace(" ", "") for each in answer["lines"]]
            wanted = [line.replace(" ", "") for line in LETTERED]
            return f"{sum(line in read for line in wanted)} of {len(wanted)} lines, spaces apart"
        case "wordllama":
            found = np.frombuffer(base64.b64decode(answer["vectors"]), "<f4").reshape(3, -1)
            unit = found / np.linalg.norm(found, axis=1, keepdims=True)
            return f"near {unit[0] @ unit[1]:.2f}, far {unit[0] @ unit[2]:.2f}"
        case "selfie":
            return f"{100 * answer['share']:.0f} % of a drawn scene taken for a person"
        case _:
            return f"word error rate {error_rate(SPOKEN, answer['text']):.2f}"


def error_rate(said: str, heard: str) -> float:
    one, other = (["".join(filter(str.isalnum, word)) for word in text.lower().split()] for text in (said, heard))
    row = list(range(len(other) + 1))
    for number, word in enumerate(one, 1):
        before, row = row, [number]
        for place, theirs in enumerate(other):
            row.append(min(row[-1] + 1, before[place + 1] + 1, before[place] + (word != theirs)))
    return row[-1] / len(one)


if __name__ == "__main__":
    sys.exit(main())
