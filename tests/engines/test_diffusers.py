"""The engine of open weights: its table, what it asks of its child, and what becomes of a child that goes wrong.

The child is the real program; torch and diffusers are two small files that this test writes, whose pipeline obeys its
prompt. What the libraries themselves do is tested by `tests/gpu`, in an environment that has them.
"""

import asyncio
import base64
import datetime
import io
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import av
import msgspec
import pytest
from PIL import Image

import trained
from local_settings import settings
from mutoscope.app import App
from mutoscope.cli import doctor
from mutoscope.cli._check import Verdict
from mutoscope.engines import diffusers, pipelines
from mutoscope.engines.diffusers import Diffusers
from mutoscope.engines.engine import CutOff, NotSubmitted, OpenedInput
from mutoscope.engines.local.pool import Pool
from mutoscope.engines.local.senses import Senses
from mutoscope.engines.local.shelf import MARK, Shelf
from mutoscope.files.c2pa import Identity, Making, Signer, issued, read
from mutoscope.files.probe import MediaInfo
from mutoscope.model.catalog import Model, Price
from mutoscope.model.config import BadSettings, EngineSettings, Settings, Weights
from mutoscope.model.job import Generation, Json, Operation, Output, Role, State
from mutoscope.model.problem import Kind, Problem

TORCH = """
import contextlib, types
class OutOfMemoryError(RuntimeError): pass
class AcceleratorError(RuntimeError): pass
class Generator:
    def __init__(self, device): pass
    def manual_seed(self, seed): self.seed = seed; return self
class nn:
    class ModuleList(list): pass
inference_mode = contextlib.nullcontext
cuda = types.SimpleNamespace(is_available=lambda: False)
bfloat16 = float32 = "a dtype"
__version__ = "0"
def set_num_threads(number): pass
"""
LIBRARY = """
import logging, os, signal, sys, time, types
import numpy
import torch
__version__ = "0"

class Vae:
    use_tiling = False
    def enable_tiling(self): self.use_tiling = True
    def enable_slicing(self): pass
    def named_modules(self): return []
    def register_forward_pre_hook(self, look): self.look = look
    config, dtype = {"scaling_factor": 2.0}, "a dtype"
    def named_buffers(self): return []
    def decode(self, latents, return_dict): return [latents]

class Tensor:
    def __init__(self, values): self.values, self.ndim, self.shape = values, values.ndim, values.shape
    def __getitem__(self, key): return Tensor(self.values[key])
    def __truediv__(self, other): return Tensor(self.values / other)
    def __add__(self, other): return Tensor(self.values + other)
    def permute(self, *order): return Tensor(self.values.transpose(order))
    def to(self, dtype): return self
    def float(self): return self
    def cpu(self): return self
    def numpy(self): return self.values

class Base:
    def __init__(self, vae):
        self.vae, self.components, self.config = vae, {"vae": vae}, {}
    def to(self, device): pass
    def enable_model_cpu_offload(self, device): pass

    def obey(self, prompt, generator, width, height, told=None):
        words = prompt.split()
        if "value" in words: raise ValueError("`height` is odd\\nmore about /somebody/files")
        if "babble" in words: os.write(OURS, b"Loading... 50%\\n[1]\\n")
        if "endless" in words: os.write(OURS, b"x" * 3_000_000)
        if "print" in words: print("{}")
        for step in self.bar():
            latents = "none" if "unseen" in words else Tensor(numpy.full((1, 3, height // 8, width // 8), 0.4))
            if told: told(self, step, None, {"latents": latents})
            if "die" in words: os.kill(os.getpid(), signal.SIGKILL)
            if "leave" in words: print("last words", file=sys.stderr); os._exit(3)
            if "room" in words: raise torch.OutOfMemoryError("CUDA out of memory")
            if "lost" in words: raise torch.AcceleratorError("unspecified launch failure")
            if "hang" in words:
                while True: time.sleep(0.01); self.vae.look()
            if "stuck" in words: time.sleep(1000)
        if "tiles" in words and not self.vae.use_tiling: raise torch.OutOfMemoryError("out of memory")
        value = float("nan") if "nan" in words else (generator.seed % 256) / 255
        if "hills" in words:
            down, across = numpy.mgrid[0:height, 0:width].astype("float32")
            value = (0.5 + 0.2 * numpy.sin(across / 17) * numpy.cos(down / 13))[..., None] + [0.1, 0, -0.1]
            value = value + numpy.random.default_rng(1).normal(0, 0.005, (height, width, 1))
            return value.clip(0, 1).astype("float32")
        return numpy.full((height, width, 3), value, "float32")

    def bar(self):
        with self.progress_bar(total=4) as bar:
            for step in range(4):
                yield step
                bar.update()

class StableDiffusionXLPipeline(Base):
    def __call__(self, prompt, width=None, height=None, num_inference_steps=50, guidance_scale=5.0,
                 negative_prompt=None, generator=None, output_type="pil", callback_on_step_end=None):
        return types.SimpleNamespace(images=[self.obey(prompt, generator, width, height, callback_on_step_end)])

class StableDiffusionXLImg2ImgPipeline(Base):
    def __call__(self, prompt, image=None, strength=0.3, num_inference_steps=50, guidance_scale=5.0,
                 negative_prompt=None, generator=None, output_type="pil"):
        return types.SimpleNamespace(images=[self.obey(prompt, generator, *image.size)])

class WanImageToVideoPipeline(Base):
    def __call__(self, image, prompt=None, negative_prompt=None, height=480, width=832, num_frames=81, last_image=None,
                 num_inference_steps=50, guidance_scale=5.0, guidance_scale_2=None, generator=None, output_type="np"):
        assert guidance_scale_2 is None and image.size == (width, height) and num_frames % 4 == 1
        frame = self.obey(prompt, generator, width, height)
        return types.SimpleNamespace(frames=[numpy.stack([frame] * num_frames)])

class DiffusionPipeline:
    @staticmethod
    def from_pretrained(model, dtype, use_safetensors, local_files_only):
        assert use_safetensors and local_files_only and dtype == "a dtype" and "HF_HUB_OFFLINE" in os.environ
        name = os.path.basename(model)
        with open(model + ".loads", "a") as file: file.write("x")
        if name == "random": logging.getLogger("diffusers.models").warning("... and are newly initialized: ['a']")
        if name == "missing": raise OSError("no file named /somebody/secret.safetensors")
        if name == "slow": time.sleep(1000)
        if name == "dies": os._exit(7)
        return globals().get(name, StableDiffusionXLPipeline)(Vae())

OURS = max(int(name) for name in os.listdir("/dev/fd") if int(name) < 20 and os.path.exists(f"/dev/fd/{name}")
           and os.readlink(f"/dev/fd/{name}").startswith("pipe:") and int(name) > 2)
"""
ROW_OF_OUR_OWN: Json = {
    "operations": ["text_to_image", "image_to_image"], "names": {"openai": ["own"]}, "engine": "gpu",
}  # fmt: skip


class Bench:
    """An EngineRun on a temporary directory."""

    def __init__(self, scratch: Path, prompt: str = "", inputs: tuple[OpenedInput, ...] = (), **wish: Any) -> None:
        self.job_id, self.scratch, self.inputs = "job", scratch, inputs
        usual = {"operation": Operation.TEXT_TO_IMAGE, "model": "m", "width": 64, "height": 48, "seed": 7}
        self.generation = Generation(**(usual | wish), prompt=prompt)
        self.checkpointed: Json = {}
        self.canceled = False
        self.shares: list[float] = []
        self.notes: list[str] = []
        self.pictures: list[bytes] = []
        self.makings: list[object] = []
        self.started = asyncio.Event()

    def progress(self, share: float) -> None:
        self.shares.append(share)
        self.started.set()

    def show(self, picture: bytes) -> None:
        self.pictures.append(picture)

    def note(self, text: str) -> None:
        self.notes.append(text)

    async def checkpoint(self, **facts: object) -> None: ...

    def say(self, text: str) -> Output:
        return Output(id="o", media_type="text/plain", text=text)

    async def keep(self, source: Path | bytes, *, media_type: str, made: object = True, **facts: Any) -> Output:
        self.makings.append(made)
        return Output(id="o", media_type=media_type, asset=str(source), **facts)


@pytest.fixture
def fakes(tmp_path: Path) -> Path:
    folder = tmp_path / "fakes"
    folder.mkdir()
    (folder / "torch.py").write_text(TORCH)
    (folder / "diffusers.py").write_text(LIBRARY)
    return folder


@pytest.fixture
async def engine(fakes: Path, tmp_path: Path) -> AsyncIterator[Callable[..., Diffusers]]:
    """Makes engines, and ends them afterwards."""
    made: list[Diffusers] = []

    def make(model: str = "folder", marker: Senses | None = None, **more: Any) -> Diffusers:
        usual = {"pipeline": "sdxl", "environment": {"PYTHONPATH": str(fakes)}}
        told = {"kind": "diffusers", "model": str(tmp_path / model)} | usual | more
        made.append(Diffusers("gpu", msgspec.convert(told, EngineSettings), marker=marker))
        return made[-1]

    yield make
    for each in made:
        await each.close()


def loads(tmp_path: Path, model: str = "folder") -> int:
    return len((tmp_path / f"{model}.loads").read_text())


def picture(path: Path, size: tuple[int, int] = (100, 60), role: Role = Role.IMAGE) -> OpenedInput:
    Image.new("RGB", size, (9, 9, 9)).save(path)
    info = MediaInfo(media_type="image/png", kind="image", bytes=path.stat().st_size, width=size[0], height=size[1])
    return OpenedInput(role=role, field="image", path=path, info=info)


async def made(engine: Diffusers, run: Bench) -> tuple[Output, ...]:
    outcome = await engine.generate(run)
    assert isinstance(outcome, tuple), outcome
    return outcome


# -- what is made ------------------------------------------------------------------------------


async def test_a_child_stays_and_makes_pictures_of_exactly_the_size_that_was_asked_for(
    engine: Callable[..., Diffusers], tmp_path: Path
) -> None:
    gpu = engine()
    run = Bench(tmp_path, "print babble", width=100, height=60, count=2, negative_prompt="rain")
    outputs = await made(gpu, run)
    with Image.open(outputs[0].asset) as one, Image.open(outputs[1].asset) as two:
        assert one.size == two.size == (100, 60)
        assert (one.getpixel((0, 0)), two.getpixel((0, 0))) == ((7, 7, 7), (8, 8, 8)), "a seed for each"
    assert run.notes == [
        "gpu made it with sdxl: 30 steps, seed 7, guidance 5",
        "gpu: made at 104x64 and cut to 100x60",
    ]
    assert run.shares == sorted(run.shares) and run.shares[-1] == 1.0 and len(run.shares) == 10
    after = Bench(tmp_path, inputs=(picture(tmp_path / "in.png"),), operation=Operation.IMAGE_TO_IMAGE, width=None,
                  height=None, extra={"format": "jpg", "steps": 9, "guidance": 2.5, "strength": 0.5})  # fmt: skip
    (edited,) = await made(gpu, after)
    assert (edited.media_type, edited.width, edited.height) == ("image/jpeg", 100, 60)
    assert after.notes[0] == "gpu made it with sdxl: 9 steps, seed 7, guidance 2.5"
    assert loads(tmp_path) == 1, "the pipeline was loaded once for both"


async def test_a_clip_begins_with_its_picture_and_has_the_frames_that_were_asked_for(
    engine: Callable[..., Diffusers], tmp_path: Path
) -> None:
    gpu = engine("WanImageToVideoPipeline", pipeline="wan2.2-i2v-a14b")
    first = picture(tmp_path / "in.png", (320, 200), Role.FIRST_FRAME)
    last = picture(tmp_path / "last.png", (64, 64), Role.LAST_FRAME)
    run = Bench(tmp_path, "x", (first, last), operation=Operation.IMAGE_TO_VIDEO, width=101, height=64, seconds=0.625)
    (clip,) = await made(gpu, run)
    assert (clip.width, clip.height, clip.frames, clip.seconds) == (100, 64, 10, 0.625)
    with av.open(clip.asset) as container:
        assert container.streams.video[0].average_rate == 16
        assert [(frame.width, frame.height) for frame in container.decode(video=0)] == [(100, 64)] * 10
    assert run.notes[1:] == ["gpu: made at 112x64 and cut to 100x64", "gpu: made 13 frames and kept 10"]
    with pytest.raises(Problem, match="no picture to start from"):
        await gpu.generate(Bench(tmp_path, operation=Operation.IMAGE_TO_VIDEO))


async def test_what_is_made_bears_the_mark_and_a_signed_statement_of_what_it_was_made_of(
    engine: Callable[..., Diffusers], tmp_path: Path
) -> None:
    """Read back from the file; what is too small, or cannot be marked, is told of and goes out."""
    pool = Pool(trained.shelf("rivagan"))
    marker = Senses(pool)
    try:
        gpu = engine(marker=marker)
        (output,) = await made(gpu, Bench(tmp_path, "hills", width=300, height=200, extra={"format": "jpg"}))
        path = Path(output.asset or "")
        with Image.open(path) as image:
            assert (image.format, image.size) == ("JPEG", (300, 200))
        assert await read_mark(pool, path) == (True, "picture")
        first = picture(tmp_path / "in.png", (320, 200), Role.FIRST_FRAME)
        clips = engine("WanImageToVideoPipeline", pipeline="wan2.2-i2v-a14b", marker=marker)
        run = Bench(tmp_path, "hills", (first,), operation=Operation.IMAGE_TO_VIDEO, width=300, height=200, seconds=0.5)
        (clip,) = await made(clips, run)
        path = Path(clip.asset or "")
        assert await read_mark(pool, path, clip=True) == (True, "clip of pictures")
        with av.open(str(path)) as container:
            assert container.streams.video[0].average_rate == 16
            shown = [(frame.width, frame.height, frame.time) for frame in container.decode(video=0)]
        assert shown == [(300, 200, number / 16) for number in range(8)]
        assert path.read_bytes().find(b"moov") < path.read_bytes().find(b"mdat"), "it begins before all of it is there"
        [making] = run.makings
        assert isinstance(making, Making)
        now = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)
        signed = Signer(Identity("es256", *issued(now)), clock=lambda: now).sign(
            path, "video/mp4", making, engine="gpu"
        )
        assert isinstance(signed, Path)
        statement = read(signed, "video/mp4")
        assert statement and (statement.engine, statement.version) == ("mutoscope gpu", "wan2.2-i2v-a14b")
        assert statement.made_of == ("first_frame",) and statement.source_type == "compositeWithTrainedAlgorithmicMedia"
        assert await read_mark(pool, signed, clip=True) == (True, "clip of pictures")
        run = Bench(tmp_path, "hills", width=40, height=40)
        (tiny,) = await made(gpu, run)
        assert (
            Path(tiny.asset or "").name == "made-0.png" and run.notes[-1] == "gpu: too small for the imperceptible mark"
        )
        pool.shelf = Shelf(Weights(folder=str(tmp_path)), tmp_path)
        run = Bench(tmp_path, "hills", width=64, height=64)
        (bare,) = await made(gpu, run)
        assert bare.asset and "gpu: it bears no imperceptible mark: This needs the model rivagan" in run.notes[-1]
    finally:
        await pool.close()


async def read_mark(pool: Pool, path: Path, *, clip: bool = False) -> tuple[bool, str | None]:
    found = await pool.ask(MARK, {"clip": clip}, path)
    return found["recognised"], found["kind"]


def test_a_server_has_the_pipelines_of_its_operator_marked(tmp_path: Path) -> None:
    told = {"kind": "diffusers", "model": str(tmp_path / "folder"), "pipeline": "sdxl"}
    weights = {"folder": str(trained.shelf("rivagan").folder)}
    for wanted, marks in (("auto", True), (False, False)):
        sections = {"engines": {"gpu": told}, "weights": weights, "mark": {"enabled": wanted}}
        gpu = App(settings(**sections), data=tmp_path / str(wanted)).engines["gpu"]
        assert isinstance(gpu, Diffusers) and (gpu.marker is not None) == marks


# -- what goes wrong -----------------------------------------------------------------------------


async def test_a_canceled_job_leaves_the_child_alive_and_one_that_is_stuck_is_ended(
    engine: Callable[..., Diffusers], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gpu = engine()
    for order, loaded in (("hang", 1), ("stuck", 2)):
        run = Bench(tmp_path, order)
        task = asyncio.create_task(gpu.generate(run))
        while gpu.seats[0].child is None:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        if order == "stuck":
            monkeypatch.setattr(diffusers, "CANCEL_SECONDS", 0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await made(gpu, Bench(tmp_path))
        assert loads(tmp_path) == loaded, order


async def test_a_job_whose_child_dies_is_taken_up_again_by_another(
    engine: Callable[..., Diffusers], tmp_path: Path
) -> None:
    gpu = engine()
    for number, (order, told) in enumerate(
        {
            "die": "killed by signal 9",
            "leave": "ended with status 3",
            "endless": "killed by signal 9",
            "lost": "the device no longer answers",
        }.items(),
        1,
    ):
        with pytest.raises(CutOff, match=told):
            await gpu.generate(Bench(tmp_path, order))
        await made(gpu, Bench(tmp_path))
        assert loads(tmp_path) == number + 1, order


async def test_too_little_memory_is_helped_by_tiles_or_told_and_the_child_goes_on(
    engine: Callable[..., Diffusers], tmp_path: Path
) -> None:
    gpu = engine()
    run = Bench(tmp_path, "tiles")
    await made(gpu, run)
    assert "gpu: memory was short: decoded in tiles" in run.notes
    outcome = await gpu.generate(Bench(tmp_path, "room", width=640, height=480))
    assert isinstance(outcome, NotSubmitted) and outcome.retry_seconds is None
    assert outcome.problem.kind is Kind.ENGINE_FAILED
    assert "too little memory on its device (cpu) for a picture of 640x480" in outcome.problem.message
    for order, kind, told in (
        ("value", Kind.INVALID, "Engine 'gpu' refuses this: `height` is odd"),
        ("nan", Kind.ENGINE_FAILED, "Engine 'gpu' failed; the server's log has the details."),
    ):
        with pytest.raises(Problem) as caught:
            await gpu.generate(Bench(tmp_path, order))
        assert (caught.value.kind, caught.value.message) == (kind, told)
    await made(gpu, Bench(tmp_path))
    assert loads(tmp_path) == 1


async def test_what_cannot_be_loaded_goes_elsewhere_and_says_why(
    engine: Callable[..., Diffusers], tmp_path: Path
) -> None:
    empty = {"environment": {"PYTHONPATH": str(tmp_path)}}
    for model, more, told in (
        ("missing", {}, "the folder lacks what the pipeline needs"),
        ("random", {}, "the weights lack parts that the model's configuration has"),
        ("WanImageToVideoPipeline", {}, "the folder holds a WanImageToVideoPipeline, not one of StableDiffusionXL"),
        ("dies", {}, "its process ended with status 7"),
        ("slow", {"load_seconds": 2.0}, "that took more than 2 seconds"),
        ("folder", empty, "its Python lacks the package torch"),
        ("folder", {"python": "no-such-python"}, "its Python is not there"),
    ):
        gpu = engine(model, **more)
        assert gpu.is_up
        outcome = await gpu.generate(Bench(tmp_path))
        assert isinstance(outcome, NotSubmitted) and outcome.problem.kind is Kind.UNAVAILABLE
        assert told in outcome.problem.message and "somebody" not in outcome.problem.message
        assert not gpu.is_up and gpu.seats[0].child is None


async def test_a_job_that_takes_too_long_fails_and_an_idle_child_is_ended(
    engine: Callable[..., Diffusers], tmp_path: Path
) -> None:
    gpu = engine(timeout_seconds=0.2)
    with pytest.raises(Problem) as caught:
        await gpu.generate(Bench(tmp_path, "stuck"))
    assert caught.value.kind is Kind.TIMED_OUT and gpu.seats[0].child is None
    gpu = engine(idle_seconds=0.01)
    await made(gpu, Bench(tmp_path))
    while gpu.seats[0].child is not None:
        await asyncio.sleep(0.01)


async def test_what_cannot_be_shown_hinders_nothing(engine: Callable[..., Diffusers], tmp_path: Path) -> None:
    gpu = engine(preview_seconds=1e-9)
    seen, unseen = Bench(tmp_path, "a lake"), Bench(tmp_path, "unseen lake")
    await made(gpu, seen)
    await made(gpu, unseen)
    assert len(seen.pictures) == 4 and not unseen.pictures
    for more in ({"preview_seconds": 0.0}, {"preview_seconds": 1e-9, "offload": "model"}):
        gpu = engine(**more)
        run = Bench(tmp_path, "a lake")
        await made(gpu, run)
        assert not run.pictures, "it was not asked for, or would bring the decoder to a device that has no room for it"


async def test_a_server_outlives_its_child_and_the_job_is_made_at_the_next_attempt(
    start: Callable[..., AbstractAsyncContextManager[Any]], fakes: Path, tmp_path: Path
) -> None:
    told = {"kind": "diffusers", "model": str(tmp_path / "folder"), "pipeline": "sdxl", "preview_seconds": 1e-9,
            "environment": {"PYTHONPATH": str(fakes)}}  # fmt: skip
    async with start(engines={"gpu": told}, models={"own": ROW_OF_OUR_OWN}) as running:
        body = {"model": "own", "prompt": "hang", "size": "64x48"}
        asking = asyncio.create_task(running.client.post("/v1/images/generations", json=body))
        gpu = running.app.engines["gpu"]
        while gpu.seats[0].child is None:
            await asyncio.sleep(0.01)
        run = next(iter(running.app.worker.runs.values()))
        page = f"http://127.0.0.1:8700/admin/jobs/{run.job.id}"
        while not (glimpse := (await running.client.get(page)).json()["glimpse"]):
            await asyncio.sleep(0.05)
        with Image.open(io.BytesIO(base64.b64decode(glimpse.removeprefix("data:image/jpeg;base64,")))) as shown:
            assert (shown.format, shown.size, shown.getpixel((0, 0))) == ("JPEG", (8, 6), (153, 153, 153))
        os.killpg(gpu.seats[0].child.process.pid, signal.SIGKILL)
        assert (await running.client.get("/healthz")).status_code == 200
        while running.app.worker.runs.get(run.job.id) is run:
            await asyncio.sleep(0.02)
        while run.job.id not in running.app.worker.runs or gpu.seats[0].child is None:
            await asyncio.sleep(0.02)
        assert running.app.worker.runs[run.job.id].job.attempts == 2
        await running.app.gateway.cancel(run.job.id)
        assert (await running.finished(run.job.id)).state is State.CANCELED
        await asking
        assert (await running.client.get(page)).json()["glimpse"] is None
        done = await running.client.post("/v1/images/generations", json=body | {"prompt": "a lake"})
        assert done.status_code == 200, done.text
        bad = await running.client.post("/v1/images/generations", json=body | {"size": "9000x9000"})
        assert bad.status_code == 400 and "9000x9000 is too large" in bad.text


# -- the table -----------------------------------------------------------------------------------


def test_a_pipeline_is_found_by_its_row_its_class_or_what_the_folder_says(tmp_path: Path) -> None:
    def found(pipeline: str = "", **index: object) -> str | None:
        (tmp_path / pipelines.INDEX).write_text(json.dumps(index))
        row = pipelines.find(pipeline, str(tmp_path))
        return row[0] if row else None

    assert found("z-image-turbo") == "z-image-turbo"
    assert found("QwenImagePipeline") == "qwen-image"
    assert found(_class_name="LTX2ImageToVideoPipeline") == "ltx-2"
    assert found(_class_name="WanPipeline", boundary_ratio=0.875) == "wan2.2-t2v-a14b"
    assert found(_class_name="WanPipeline", boundary_ratio=None, expand_timesteps=True) == "wan2.2-ti2v-5b"
    assert found(_class_name="WanImageToVideoPipeline", boundary_ratio=None) == "wan2.1-i2v"
    assert found(_class_name="FooPipeline") is None and found() is None
    with pytest.raises(BadSettings, match=r"\[engines.gpu\] pipeline, which the folder does not tell: there is sdxl, "):
        Diffusers("gpu", EngineSettings(kind="diffusers", model=str(tmp_path)))


def test_every_row_is_whole() -> None:
    for name, row in pipelines.ROWS.items():
        assert row.width % row.multiple == 0 and row.height % row.multiple == 0, name
        assert 1 <= row.steps <= diffusers.MAX_STEPS, name
        is_clip = any(operation in diffusers.CLIPS for operation in row.ways)
        assert is_clip == bool(row.ratio) == bool(row.frames) and row.frames <= row.most_frames, name
        assert not row.ratio or row.frames % row.ratio == 1, name
        assert (row.guidance is None) == (row.guidance_as == ""), name


def test_what_is_asked_for_is_refused_before_a_job_exists_where_it_cannot_be_made(
    tmp_path: Path,
) -> None:
    model = Model(name="m", vendor="", serves=frozenset(Operation), price=Price())
    told = EngineSettings(kind="diffusers", model="m", pipeline="wan2.2-ti2v-5b")
    gpu = Diffusers("gpu", told)
    wish = Generation(operation=Operation.TEXT_TO_VIDEO, model="m", prompt="x")
    for more, field in (
        ({"seconds": 60.0}, "seconds"),
        ({"width": 4000, "height": 3000}, "width"),
        ({"fps": 30}, "fps"),
        ({"count": 11}, "count"),
        ({"extra": {"steps": 0}}, "steps"),
        ({"extra": {"strength": 0.5}}, "strength"),
        ({"operation": Operation.TEXT_TO_MUSIC}, "model"),
    ):
        with pytest.raises(Problem) as caught:
            gpu.plan(msgspec.structs.replace(wish, **more), model, {})
        assert caught.value.field == field
    gpu.plan(msgspec.structs.replace(wish, fps=24, seconds=5.0, extra={"guidance_scale": 3}), model, {})
    assert Role.LAST_FRAME not in gpu.supported_fields[Operation.IMAGE_TO_VIDEO]


def test_the_settings_show_no_environment() -> None:
    told = EngineSettings(kind="diffusers", model="m", pipeline="sdxl", environment={"HF_TOKEN": "sesame"})
    assert "sesame" not in repr(told)


def test_the_doctor_says_whether_each_engine_can_run(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text("""#!/bin/sh\necho '["2.13", "0.42", "5.24"]'\n""")
    python.chmod(0o700)
    told = {"kind": "diffusers", "pipeline": "sdxl", "python": str(python)}
    engines = {
        "fit": told | {"model": str(tmp_path)},
        "empty": told | {"model": str(tmp_path / "nothing")},
        "bare": told | {"model": str(tmp_path), "python": sys.executable},
        "nowhere": told | {"model": str(tmp_path), "python": str(tmp_path / "no-python")},
        "odd": told | {"model": str(tmp_path), "pipeline": "foo"},
    }
    found = {each.what: each for each in doctor.diffusion_engines(msgspec.convert({"engines": engines}, Settings))}
    assert found["engine fit"].found == "sdxl by torch 2.13, diffusers 0.42, transformers 5.24"
    broken = {name: each.found for name, each in found.items() if each.verdict is Verdict.BROKEN}
    assert broken.keys() == {"engine empty", "engine bare", "engine nowhere", "engine odd"}
    assert "torch" in broken["engine bare"] and "no-python" in broken["engine nowhere"]


def test_a_name_that_something_else_has_is_refused(tmp_path: Path) -> None:
    told = {"kind": "diffusers", "model": "m", "pipeline": "sdxl"}
    for name in ("studio", "openai"):
        with pytest.raises(BadSettings, match=rf"\[engines.{name}\]: an engine, an account or an API has this name"):
            App(settings(engines={name: told}), data=tmp_path / name)
