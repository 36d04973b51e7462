"""What the trained models cost here and how well they do on inputs that are made on the spot: a table in Markdown.

    python benchmarks/bench_local.py --weights FOLDER
    python benchmarks/bench_local.py --weights FOLDER --times 200
    python benchmarks/bench_local.py --weights FOLDER --jobs 200
    python benchmarks/bench_local.py --weights FOLDER --drawings 24

FOLDER is that of `mutoscope weights fetch --all --into FOLDER`. Each model is asked `--times` times in a row; the last
column is by how much the memory of the asking process grew over the second half of them. Speech is spoken by espeak-ng,
which must be installed. With `--jobs` it is a server instead that does so many jobs of each model (or of the one that
`--model` names), small pictures with their marks among them: how much memory it and the model's process hold on the
way. With `--drawings` so many painted pictures are halved and enlarged again, by the model and by resampling: how near
they come to what they were.
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
from mutoscope.model.config import Mark, Settings, Studio, Weights
from mutoscope.model.job import Generation, Input, Operation, Role, State
from mutoscope.model.requests import Submission

PROMPTS = Path(__file__).parent.parent / "tests" / "studio" / "prompts.txt"
SPOKEN = "The lighthouse stands on the coast. Ships pass it in the night, and the keeper sleeps during the day."
LETTERED = ("OPEN DAILY", "Harbour 27", "no smoking")
SEEN = "a woman with red hair in a park"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, default=Path(".venv/weights"))
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=0)
    parser.add_argument("--model", default="")
    parser.add_argument("--drawings", type=int, default=0)
    asked = parser.parse_args()
    if not asked.weights.is_dir():
        print(f"{asked.weights} is not there: mutoscope weights fetch --all --into {asked.weights}", file=sys.stderr)
        return 2
    if asked.drawings:
        asyncio.run(enlarge(asked.weights, asked.drawings))
    else:
        asyncio.run(
            serve(asked.weights, asked.jobs, asked.model) if asked.jobs else measure(asked.weights, asked.times)
        )
    return 0


async def enlarge(folder: Path, count: int) -> None:
    lines = [line for line in PROMPTS.read_text().splitlines() if line and not line.startswith("#")]
    found: dict[str, list[float]] = {"waifu2x": [], "Lanczos": [], "the renderer's rules": []}
    pool = Pool(Shelf(Weights(folder=str(folder)), Path()))
    cpu = 0.0
    with tempfile.TemporaryDirectory() as room:
        whole, half, out = (Path(room) / f"{name}.png" for name in ("whole", "half", "out"))
        for number in range(count):
            studio.text_to_image(lines[number * 7 % len(lines)], whole, width=512, height=384, seed=number)
            truth = Image.open(whole).convert("RGB")
            small = truth.resize((256, 192), Image.Resampling.BOX)
            small.save(half)
            _ = await pool.ask("waifu2x", {"ask": "walls"})
            pid = pool._held["waifu2x"].process.pid
            before = seconds_of(pid)
            _ = await pool.ask("waifu2x", {"least_even": 0.0}, half, out)
            cpu += seconds_of(pid) - before
            found["waifu2x"].append(psnr(truth, Image.open(out)))
            found["Lanczos"].append(psnr(truth, small.resize(truth.size, Image.Resampling.LANCZOS)))
            studio.enlarge_image(half, out, factor=2)
            found["the renderer's rules"].append(psnr(truth, Image.open(out)))
    await pool.close()
    rows = [
        (name, f"{np.mean(each):.2f}", f"{min(each):.2f}", sum(np.greater(each, found["Lanczos"])))
        for name, each in found.items()
    ]
    megapixel = cpu / count / (256 * 192) * 1e6
    head = ("by", "PSNR on average, dB", "at least, dB", "nearer than Lanczos")
    table(
        f"{count} painted pictures of 512x384, halved and enlarged; the model {megapixel:.1f} CPU s a megapixel",
        head,
        *rows,
    )


def psnr(one: Image.Image, other: Image.Image) -> float:
    error = np.asarray(one, float) - np.asarray(other.convert("RGB"), float)
    return float(10 * np.log10(255**2 / np.mean(error**2)))


async def serve(folder: Path, jobs: int, only: str) -> None:
    """Jobs one after another, of one server in this process, each by a model in a child of its own."""
    settings = Settings(
        weights=Weights(folder=str(folder.resolve())), mark=Mark(enabled=True), studio=Studio(refuse_nsfw=0.99)
    )
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    rows: list[tuple[object, ...]] = []
    with tempfile.TemporaryDirectory() as room:
        wishes = wishes_of(Path(room))
        for name in [only] if only else wishes:
            async with App(settings, data=Path(room) / name).running() as app:
                held: list[str] = []
                pool = app.models
                assert pool is not None
                for number in range(1, jobs + 1):
                    if name == "wordllama":
                        _ = await asyncio.to_thread(app.senses.meanings, [f"a lighthouse on coast {number}"])
                    else:
                        seed = number if wishes[name].operation is Operation.TEXT_TO_IMAGE else None
                        await made_by_job(app, msgspec.structs.replace(wishes[name], seed=seed))
                    if number in (jobs // 10, jobs // 2, jobs):
                        theirs = resident(pool._held[name].process.pid) / 1024 if name in pool._held else 0.0
                        held.append(f"{resident(os.getpid()) / 1024:.1f} / {theirs:.0f}")
                rows.append((name, *held))
                print(*rows[-1], flush=True)
    points = (f"after {number}" for number in (jobs // 10, jobs // 2, jobs))
    table(f"The server's memory / the model's process's, MB, over {jobs} jobs of each", ("model", *points), *rows)


async def made_by_job(app: App, wish: Generation) -> None:
    job = await app.gateway.submit(WIRE, "", Submission(generation=wish))
    async for each in app.gateway.watch(job.id):
        job = each
    if job.state is not State.SUCCEEDED:
        raise SystemExit(f"{wish.operation}: {job.state} {job.failure}")


def wishes_of(room: Path) -> dict[str, Generation]:
    """Small jobs of which each needs one of the models, and the mark's where it makes pictures."""
    picture, sound = room / "picture.png", room / "sound.wav"
    studio.text_to_image(SEEN, picture, width=128, height=128, seed=1)
    subprocess.run(["espeak-ng", "-v", "en-us", "-w", str(sound), "The keeper sleeps."], check=True)

    def of(operation: Operation, model: str, role: Role, file: Path) -> Generation:
        return Generation(
            operation=operation, model=model, inputs=(Input(role=role, field="file", data=file.read_bytes()),)
        )

    return {
        "rivagan": Generation(
            operation=Operation.TEXT_TO_IMAGE, model="gen4_image", prompt=SEEN, width=256, height=256
        ),
        "selfie": of(Operation.BACKGROUND_REMOVAL, "recraft-remove-background", Role.IMAGE, picture),
        "open_nsfw": of(Operation.IMAGE_TO_TEXT, "recraft-describe", Role.IMAGE, picture),
        "ppocr4": of(Operation.IMAGE_TO_TEXT, "recraft-describe", Role.IMAGE, picture),
        "whisper_tiny_en": of(Operation.SPEECH_TO_TEXT, "whisper-1", Role.AUDIO, sound),
        "wordllama": Generation(operation=Operation.TEXT_TO_TEXT, model=""),  # asked as embeddings ask, without a job
        "waifu2x": of(Operation.IMAGE_UPSCALE, "recraft-crisp-upscale", Role.IMAGE, picture),
        "gtcrn": of(Operation.VOICE_ISOLATION, "eleven_voice_isolation", Role.AUDIO, sound),
    }


async def measure(folder: Path, times: int) -> None:
    rows: list[tuple[object, ...]] = []
    with tempfile.TemporaryDirectory() as room:
        inputs = made(Path(room))
        yardstick = pillow_seconds()
        for row in ROWS:
            pool = Pool(Shelf(Weights(folder=str(folder)), Path()))
            what, file = inputs[row.name]
            out = Path(room) / "made.png" if row.name in ("waifu2x", "gtcrn") else None
            began = time.perf_counter()
            answer = await pool.ask(row.name, what, file, out)
            first = time.perf_counter() - began
            pid = pool._held[row.name].process.pid
            before, half = seconds_of(pid), 0.0
            for number in range(times):
                half = resident(os.getpid()) / 1024 if number == times // 2 else half
                _ = await pool.ask(row.name, what, file, out)
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
        "waifu2x": ({"least_even": 0.5}, picture),
        "gtcrn": ({}, sound),
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
        case "waifu2x":
            return f"{100 * answer['even']:.0f} % of the picture even"
        case "gtcrn":
            return f"{answer['seconds']:.1f} s"
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
