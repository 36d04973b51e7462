"""The real libraries on this machine's processor: pipelines of the real classes with random weights, made by `tiny.py`.

Run by `make gpu-test`, which makes an environment that has torch and diffusers; only the children of the engine use it.
"""

import asyncio
import base64
import hashlib
import io
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import av
import msgspec
import numpy as np
import pytest
import pytest_asyncio
from PIL import Image

from mutoscope.engines import diffusers
from mutoscope.engines.diffusers import Diffusers
from mutoscope.engines.engine import NotSubmitted, OpenedInput
from mutoscope.files.probe import MediaInfo
from mutoscope.model.config import EngineSettings
from mutoscope.model.job import Generation, Json, Operation, Output, Role, State

PYTHON = os.environ.get("GPU_PYTHON", "")
if not PYTHON:
    pytest.skip(
        "GPU_PYTHON names no Python with torch and diffusers: `make gpu-test` makes one", allow_module_level=True
    )
pytestmark = [pytest.mark.timeout(240), pytest.mark.asyncio(loop_scope="module")]

T2I, I2I, FILL = Operation.TEXT_TO_IMAGE, Operation.IMAGE_TO_IMAGE, Operation.IMAGE_INPAINT
T2V, I2V = Operation.TEXT_TO_VIDEO, Operation.IMAGE_TO_VIDEO
SMALL: Json = {"width": 96, "height": 64, "seed": 7, "extra": {"steps": 3}}


class Bench:
    def __init__(self, scratch: Path, operation: Operation, *inputs: OpenedInput, **wish: Any) -> None:
        self.job_id, self.scratch, self.inputs = "job", scratch, inputs
        self.generation = Generation(**({"operation": operation, "model": "m", "prompt": "a red fox"} | SMALL | wish))
        self.checkpointed: Json = {}
        self.canceled = False
        self.shares: list[float] = []
        self.notes: list[str] = []
        self.pictures: list[bytes] = []

    def progress(self, share: float) -> None:
        self.shares.append(share)

    def show(self, picture: bytes) -> None:
        self.pictures.append(picture)

    def note(self, text: str) -> None:
        self.notes.append(text)

    async def checkpoint(self, **facts: object) -> None: ...

    def say(self, text: str) -> Output:
        raise NotImplementedError

    async def keep(self, source: Path | bytes, *, media_type: str, made: object = True, **facts: Any) -> Output:
        return Output(id="o", media_type=media_type, asset=str(source), **facts)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tiny")
    done = subprocess.run(
        [PYTHON, Path(__file__).with_name("tiny.py"), root], capture_output=True, text=True,
        env={"HF_HUB_OFFLINE": "1", "PATH": os.environ["PATH"], "HOME": str(root)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    return root


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engine(folders: Path) -> AsyncIterator[Callable[..., Diffusers]]:
    """The engine of a tiny pipeline: one child each, which the whole module shares."""
    made: dict[str, Diffusers] = {}

    def get(name: str, *, fresh: bool = False, **more: Any) -> Diffusers:
        usual = {"kind": "diffusers", "model": str(folders / name), "python": PYTHON, "dtype": "float32", "threads": 1,
                 "devices": ["cpu"], "preview_seconds": 1e-9}  # fmt: skip
        key = f"{name}-{len(made)}" if fresh else name
        if key not in made:
            made[key] = Diffusers("gpu", msgspec.convert(usual | more, EngineSettings))
        return made[key]

    yield get
    for each in made.values():
        await each.close()


def picture(folder: Path, shade: int = 90, role: Role = Role.IMAGE, size: tuple[int, int] = (96, 64)) -> OpenedInput:
    path = folder / f"{role.value}-{shade}.png"
    values = np.linspace(0, shade, size[0], dtype=np.uint8)
    Image.fromarray(np.repeat(values[None, :, None], size[1], 0).repeat(3, 2)).save(path)
    info = MediaInfo(media_type="image/png", kind="image", bytes=1, width=size[0], height=size[1])
    return OpenedInput(role=role, field="image", path=path, info=info)


async def made(engine: Diffusers, run: Bench) -> Path:
    outcome = await engine.generate(run)
    assert isinstance(outcome, tuple), outcome
    return Path(outcome[0].asset)


def pixels(path: Path) -> bytes:
    if path.suffix == ".mp4":
        with av.open(str(path)) as container:
            return b"".join(frame.to_ndarray(format="rgb24").tobytes() for frame in container.decode(video=0))
    with Image.open(path) as image:
        return image.convert("RGB").tobytes()


async def digest(engine: Diffusers, scratch: Path, operation: Operation, *inputs: OpenedInput, **wish: Any) -> str:
    return hashlib.sha256(pixels(await made(engine, Bench(scratch, operation, *inputs, **wish)))).hexdigest()


async def test_words_a_picture_and_a_mask_become_pictures_by_one_pipeline(
    engine: Callable[..., Diffusers], tmp_path: Path
) -> None:
    gpu = engine("sdxl")
    run = Bench(tmp_path, T2I, width=100, height=60)
    path = await made(gpu, run)
    with Image.open(path) as image:
        assert image.size == (100, 60)
    assert "gpu: made at 104x64 and cut to 100x60" in run.notes
    assert [round(share, 3) for share in run.shares] == [0.307, 0.613, 0.92, 1.0]
    image, mask = picture(tmp_path), picture(tmp_path, 255, Role.MASK)
    words = await digest(gpu, tmp_path, T2I)
    assert words == await digest(gpu, tmp_path, T2I), "the same seed, the same pixels"
    others = [
        await digest(gpu, tmp_path, T2I, seed=8),
        await digest(gpu, tmp_path, T2I, prompt="a blue house"),
        await digest(gpu, tmp_path, T2I, negative_prompt="rain"),
        await digest(gpu, tmp_path, T2I, extra={"steps": 3, "guidance_scale": 12.0}),
        await digest(gpu, tmp_path, T2I, extra={"steps": 4}),
        await digest(gpu, tmp_path, I2I, image),
        await digest(gpu, tmp_path, I2I, image, extra={"steps": 3, "strength": 0.99}),
        await digest(gpu, tmp_path, FILL, image, mask),
        await digest(gpu, tmp_path, FILL, image, mask, extra={"steps": 3, "mask_polarity": "black"}),
    ]
    assert len({words, *others}) == 10, "each of these has an effect"


@pytest.mark.parametrize("name", ["flux", "flux2", "z_image", "qwen_image"])
async def test_other_families_make_a_picture_of_the_size_that_was_asked_for(
    engine: Callable[..., Diffusers], tmp_path: Path, name: str
) -> None:
    gpu = engine(name)
    run = Bench(tmp_path, T2I, width=100, height=60, negative_prompt="rain")
    with Image.open(await made(gpu, run)) as image:
        assert image.size == (100, 60)
    assert "gpu: made at 112x64 and cut to 100x60" in run.notes
    edited = Bench(tmp_path, I2I, picture(tmp_path), width=None, height=None)
    with Image.open(await made(gpu, edited)) as image:
        assert image.size == (96, 64)


@pytest.mark.parametrize("name", ["sdxl", "flux", "flux2", "z_image", "qwen_image", "wan_t2v", "wan_5b", "ltx2"])
async def test_each_step_is_shown_and_the_last_one_shows_what_is_made(
    engine: Callable[..., Diffusers], tmp_path: Path, name: str
) -> None:
    gpu = engine(name)
    size = {"width": 32, "height": 32} if name == "ltx2" else {}  # its decoder leaves the size of latents as it is
    run = Bench(tmp_path, T2V, seconds=1 / gpu.row.fps, **size) if gpu.row.frames else Bench(tmp_path, T2I)
    path = await made(gpu, run)
    assert len(run.pictures) == 3
    whole = Image.frombytes("RGB", (run.generation.width, run.generation.height), pixels(path))
    shown = [Image.open(io.BytesIO(each)) for each in run.pictures]
    alike = [likeness(each, whole) for each in shown]
    assert alike[2] > 0.9 and alike[2] > alike[0] - 0.01, alike


def likeness(shown: Image.Image, whole: Image.Image) -> float:
    """How well two pictures agree, both as the small one is kept: 1 is wholly."""
    kept = io.BytesIO()
    whole.resize(shown.size).save(kept, "JPEG", quality=80)
    return float(np.corrcoef(np.asarray(shown).ravel(), np.asarray(Image.open(kept)).ravel())[0, 1])


async def test_what_is_shown_changes_no_pixel(engine: Callable[..., Diffusers], tmp_path: Path) -> None:
    unseen = engine("sdxl", fresh=True, preview_seconds=0)
    run = Bench(tmp_path, T2I)
    one = pixels(await made(unseen, run))
    await unseen.close()
    assert not run.pictures and one == pixels(await made(engine("sdxl"), Bench(tmp_path, T2I)))


async def test_a_clip_begins_and_ends_with_its_pictures(engine: Callable[..., Diffusers], tmp_path: Path) -> None:
    gpu = engine("wan_i2v")
    assert gpu.row_name == "wan2.2-i2v-a14b", "as the folder says of itself"
    first, last = picture(tmp_path, 90, Role.FIRST_FRAME), picture(tmp_path, 255, Role.LAST_FRAME)
    run = Bench(tmp_path, I2V, first, last, seconds=0.5)
    path = await made(gpu, run)
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray(format="rgb24").shape for frame in container.decode(video=0)]
        assert (frames, container.streams.video[0].average_rate) == ([(64, 96, 3)] * 8, 16)
    assert "gpu: made 9 frames and kept 8" in run.notes
    assert run.shares == sorted(run.shares) and run.shares[-1] == 1.0
    one = hashlib.sha256(pixels(path)).hexdigest()
    assert one == await digest(gpu, tmp_path, I2V, first, last, seconds=0.5)
    assert one != await digest(gpu, tmp_path, I2V, first, seconds=0.5), "the last frame counts"
    other = picture(tmp_path, 200, Role.FIRST_FRAME)
    assert one != await digest(gpu, tmp_path, I2V, other, last, seconds=0.5), "and so does the first"


@pytest.mark.parametrize(
    ("name", "row", "operation"),
    [("wan_t2v", "wan2.2-t2v-a14b", T2V), ("hunyuan_i2v", "hunyuan-video-1.5-i2v", I2V)],
)
async def test_the_other_half_of_a_family_makes_a_clip_of_the_length_that_was_asked_for(
    engine: Callable[..., Diffusers], tmp_path: Path, name: str, row: str, operation: Operation
) -> None:
    gpu = engine(name)
    assert gpu.row_name == row, "as the folder says of itself"
    given = [picture(tmp_path, 90, Role.FIRST_FRAME)] if operation is I2V else []
    path = await made(gpu, Bench(tmp_path, operation, *given, seconds=0.25))
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray(format="rgb24").shape for frame in container.decode(video=0)]
    assert frames == [(64, 96, 3)] * round(0.25 * gpu.row.fps)
    wishes = [await digest(gpu, tmp_path, operation, *given, seconds=0.25, **more) for more in ({}, {"seed": 8})]
    assert len(set(wishes)) == 2


async def test_one_set_of_weights_makes_clips_of_words_and_of_a_picture(
    engine: Callable[..., Diffusers], tmp_path: Path
) -> None:
    gpu = engine("wan_5b")
    assert gpu.row_name == "wan2.2-ti2v-5b"
    words = await digest(gpu, tmp_path, T2V, seconds=0.2)
    child = gpu.seats[0].child
    shown = await digest(gpu, tmp_path, I2V, picture(tmp_path, 90, Role.FIRST_FRAME), seconds=0.2)
    assert words != shown and gpu.seats[0].child is child


async def test_a_clip_comes_with_its_sound_unless_it_is_to_be_silent(
    engine: Callable[..., Diffusers], tmp_path: Path
) -> None:
    gpu = engine("ltx2")
    first, last = picture(tmp_path, 90, Role.FIRST_FRAME), picture(tmp_path, 255, Role.LAST_FRAME)
    loud = await made(gpu, Bench(tmp_path, T2V, seconds=0.375, fps=24))
    with av.open(str(loud)) as container:
        assert [each.type for each in container.streams] == ["video", "audio"]
    silent = await made(gpu, Bench(tmp_path, T2V, seconds=0.375, fps=24, extra={"steps": 3, "audio": False}))
    with av.open(str(silent)) as container:
        assert [each.type for each in container.streams] == ["video"]
    clips = [await digest(gpu, tmp_path, I2V, *given, seconds=0.375) for given in ((first,), (first, last), (last,))]
    assert len(set(clips)) == 3, "both ends count, each alone too"


async def test_a_pipeline_without_a_callback_tells_its_steps_and_obeys_its_guider(
    engine: Callable[..., Diffusers], tmp_path: Path
) -> None:
    gpu = engine("hunyuan")
    run = Bench(tmp_path, T2V, seconds=0.2)
    one = pixels(await made(gpu, run))
    assert [round(share, 3) for share in run.shares] == [0.307, 0.613, 0.92, 1.0]
    other = pixels(await made(gpu, Bench(tmp_path, T2V, seconds=0.2, extra={"steps": 3, "guidance": 100.0})))
    assert one != other


async def test_a_canceled_job_stops_within_a_step_and_the_next_one_is_made_by_the_same_child(
    engine: Callable[..., Diffusers], tmp_path: Path
) -> None:
    gpu = engine("wan_i2v")
    first = picture(tmp_path, 90, Role.FIRST_FRAME)
    before = await digest(gpu, tmp_path, I2V, first, seconds=0.5)
    child = gpu.seats[0].child
    run = Bench(tmp_path, I2V, first, seconds=4.0, width=320, height=192, extra={"steps": 200})
    task = asyncio.create_task(gpu.generate(run))
    while not run.shares:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(diffusers.CANCEL_SECONDS):
        assert before == await digest(gpu, tmp_path, I2V, first, seconds=0.5), "nothing of the other is left"
    assert gpu.seats[0].child is child
    assert len(run.shares) < 200


async def test_weights_in_eight_bits_and_a_lora_change_the_picture(
    engine: Callable[..., Diffusers], folders: Path, tmp_path: Path
) -> None:
    plain = await digest(engine("flux"), tmp_path, T2I)
    lora = tmp_path / "lora.safetensors"
    done = subprocess.run([PYTHON, "-c", LORA, lora], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for more in ({"quantize": "fp8"}, {"loras": {str(lora): 0.8}}):
        gpu = engine("flux", fresh=True, **more)
        assert plain != await digest(gpu, tmp_path, T2I), more
        await gpu.close()


LORA = """
import sys, torch
from safetensors.torch import save_file
torch.manual_seed(1)
name = "transformer.transformer_blocks.0.attn.to_q"
save_file({f"{name}.lora_A.weight": torch.randn(4, 32), f"{name}.lora_B.weight": torch.randn(32, 4)}, sys.argv[1])
"""


async def test_a_folder_that_is_not_whole_is_refused(
    engine: Callable[..., Diffusers], folders: Path, tmp_path: Path
) -> None:
    broken = folders / "broken"
    shutil.copytree(folders / "flux", broken)
    index = broken / "transformer" / "config.json"
    index.write_text(index.read_text().replace('"num_layers": 1', '"num_layers": 2'))
    gpu = engine("broken")
    outcome = await gpu.generate(Bench(tmp_path, T2I))
    assert isinstance(outcome, NotSubmitted), outcome
    assert "the weights lack parts that the model's configuration has" in outcome.problem.message


async def test_a_request_is_answered_by_a_server_whose_pipeline_is_tiny(
    start: Callable[..., AbstractAsyncContextManager[Any]], folders: Path
) -> None:
    told = {"kind": "diffusers", "model": str(folders / "sdxl"), "python": PYTHON, "dtype": "float32", "threads": 1}
    row = {"operations": ["text_to_image"], "engine": "mygpu"}
    async with start(engines={"mygpu": told}, models={"tiny": row}) as running:
        body = {"model": "tiny", "prompt": "a red fox", "size": "100x60", "response_format": "b64_json"}
        answer = await running.client.post("/v1/images/generations", json=body, timeout=120)
        assert answer.status_code == 200, answer.text
        with Image.open(io.BytesIO(base64.b64decode(answer.json()["data"][0]["b64_json"]))) as image:
            assert image.size == (100, 60)
        [job] = await running.app.store.recent(limit=10)
        assert job.state is State.SUCCEEDED and any("sdxl" in note for note in job.notes)
