"""An operator's own models, by path: tiny networks that are written here, behind the vendors' wires."""

import asyncio
import io
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from PIL import Image

from mutoscope.cli import doctor
from mutoscope.cli.generate import WIRE
from mutoscope.cli.weights import listed
from mutoscope.engines.local import onnx
from mutoscope.engines.local.onnx import Node
from mutoscope.engines.local.pool import Pool
from mutoscope.engines.local.shelf import Shelf, Standing
from mutoscope.files import c2pa as credentials
from mutoscope.model.config import BadSettings, OwnKind, OwnWeights, Settings, Weights, load
from mutoscope.model.job import Generation, Input, Operation, Role, State
from mutoscope.model.problem import Problem
from mutoscope.model.requests import Submission

pytest.importorskip("onnxruntime", reason='pip install "mutoscope[senses]"')

Start = Callable[..., AbstractAsyncContextManager[Any]]
RED, SKY = (220, 40, 30), (90, 150, 230)
OPEN = (1, 3, "height", "width")


def weighed(path: Path, rows: list[list[float]], *, takes: tuple[Any, ...] = OPEN, then: tuple[Node, ...] = ()) -> Path:
    """A network that makes of each pixel's three channels as many numbers as there are rows."""
    weights = np.array(rows, np.float32)[:, :, None, None]
    nodes = (Node("Conv", ("in", "weights"), "mixed" if then else "out"), *then)
    path.write_bytes(onnx.model(nodes, {"weights": weights}, takes=("in", takes), gives=("out", ("a", "b", "c", "d"))))
    return path


def doubled(path: Path) -> Path:
    """Twice as large; red and blue change places, so that nobody takes it for resampling."""
    swapped = [[0.0, 0, 1]] * 4 + [[0.0, 1, 0]] * 4 + [[1.0, 0, 0]] * 4
    shuffle = Node("DepthToSpace", ("mixed",), "out", {"blocksize": 2, "mode": "CRD"})
    return weighed(path, swapped, then=(shuffle,))


def reddish(path: Path, **how: Any) -> Path:
    """How much redder than blue a pixel is, between 0 and 1."""
    return weighed(path, [[9.0, 0, -9]], then=(Node("Sigmoid", ("mixed",), "out"),), **how)


def png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def disc() -> tuple[Image.Image, Any]:
    """A red disc in the sky, low and to the left, and where it is."""
    down, across = np.mgrid[:96, :128]
    inside = (down - 60) ** 2 + (across - 40) ** 2 < 24**2
    return Image.fromarray(np.where(inside[..., None], RED, SKY).astype(np.uint8)), inside


async def post(running: Any, url: str, field: str, picture: bytes, **more: str) -> tuple[str, bytes]:
    """What was noted, and the file."""
    answer = await running.client.post(url, files={field: ("a.png", picture, "image/png")}, data=more)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    link = (told.get("image") or told["data"][0])["url"]
    return answer.headers["x-mutoscope-notes"], (await running.client.get(link)).content


async def test_a_model_of_one_s_own_cuts_out_and_enlarges_behind_the_wires(start: Start, tmp_path: Path):
    picture, inside = disc()
    own = {
        "cut_out": {"path": str(reddish(tmp_path / "red.onnx", takes=(1, 3, 64, 64)))},
        "upscale": {"path": str(doubled(tmp_path / "doubled.onnx")), "side": 48},
    }
    async with start(own_weights=own) as running:
        note, made = await post(running, "/recraft/v1/images/removeBackground", "file", png(picture))
        alpha = np.asarray(Image.open(io.BytesIO(made)).convert("RGBA"))[..., 3] > 128
        assert (alpha & inside).sum() / (alpha | inside).sum() > 0.9
        assert "the subject was found by red.onnx, a trained model of the operator's" in note
        path = tmp_path / "made.png"
        path.write_bytes(made)
        statement = credentials.read(path, "image/png")
        assert statement and statement.helped == ("red.onnx, a trained model of the operator's",)

        note, made = await post(running, "/recraft/v1/images/crispUpscale", "file", png(picture))
        large = Image.open(io.BytesIO(made)).convert("RGB")
        assert large.width >= 256 and large.getpixel((large.width // 3, large.height * 5 // 8)) == RED[::-1]
        assert "the picture was enlarged by doubled.onnx" in note and "invents detail" in note
        shining = picture.convert("RGBA")
        shining.putpixel((0, 0), (0, 0, 0, 0))
        note, made = await post(running, "/recraft/v1/images/crispUpscale", "file", png(shining))
        assert "knows no transparency and was not asked" in note and "no detail was invented" in note


async def test_tiles_leave_no_seams_and_what_is_no_picture_is_refused(tmp_path: Path):
    own = {"upscale": OwnWeights(path=str(doubled(tmp_path / "doubled.onnx")), side=40)}
    pool = Pool(Shelf(Weights(), tmp_path, own))  # pyright: ignore[reportArgumentType]
    noise = np.random.default_rng(1).integers(0, 256, (77, 131, 3), np.uint8)
    path, out = tmp_path / "noise.png", tmp_path / "out.png"
    path.write_bytes(png(Image.fromarray(noise)))
    try:
        assert await pool.ask("upscale", {}, path, out) == {"made": True}
        assert np.array_equal(np.asarray(Image.open(out)), noise[..., ::-1].repeat(2, 0).repeat(2, 1))
        walls = await pool.ask("upscale", {"ask": "walls"})
        assert walls == {"network": True, "files": True, "processes": True, "memory": True}
        for content in (b"no picture", b"", path.read_bytes()[:200]):
            path.write_bytes(content)
            with pytest.raises(Problem, match="cannot be read"):
                await pool.ask("upscale", {}, path, out)
    finally:
        await pool.close()


async def test_classes_and_depth_are_used_where_a_file_gives_them(start: Start, tmp_path: Path):
    picture, inside = disc()
    classes = weighed(tmp_path / "classes.onnx", [[0.0, 0, 1], [1.0, 0, 0]])
    own = {"segmentation": {"path": str(classes)}, "depth": {"path": str(reddish(tmp_path / "near.onnx")), "side": 64}}
    async with start(own_weights=own) as running:
        note, made = await post(running, "/recraft/v1/images/removeBackground", "file", png(picture))
        alpha = np.asarray(Image.open(io.BytesIO(made)).convert("RGBA"))[..., 3] > 128
        assert (alpha & inside).sum() / (alpha | inside).sum() > 0.9 and "the subject was found by classes.onnx" in note
        pool = running.app.models
        path, out = tmp_path / "a.png", tmp_path / "near.png"
        path.write_bytes(png(picture))
        assert await pool.ask("depth", {}, path, out) == {"made": True}
        near = np.asarray(Image.open(out))
        assert near.max() == 65535 and near.min() == 0 and near[40, 20] > near[5, 5]
        wish = Generation(
            operation=Operation.IMAGE_TO_VIDEO,
            model="gen4_turbo",
            width=128,
            height=96,
            seconds=0.25,
            inputs=(Input(role=Role.FIRST_FRAME, field="image", data=png(picture)),),
        )
        job = await running.app.gateway.submit(WIRE, "", Submission(generation=wish))
        async for each in running.app.gateway.watch(job.id):
            job = each
        assert job.state is State.SUCCEEDED
        assert "how near things are was judged by near.onnx" in str(job.notes)


WRONG: list[tuple[OwnKind, list[list[float]], dict[str, Any], str]] = [
    (
        "cut_out",
        [[1.0, 0, 0]] * 5,
        {},
        "gives float32[1, 5, 1024, 1024] for a picture of 1024x1024; a model for cut_out",
    ),
    ("segmentation", [[1.0, 0, 0]], {}, "a model for segmentation gives [1, classes, height, width]"),
    ("upscale", [[1.0, 0, 0]] * 3, {}, "a model for upscale gives [1, 3, n x height, n x width]"),
    (
        "depth",
        [[1.0, 0, 0]],
        {"takes": (1, 32, 32, 3)},
        "takes tensor(float)[1, 32, 32, 3]; a model for depth takes one",
    ),
    ("depth", [[float("inf"), 0, 0]], {}, "a model for depth gives"),
]


async def test_what_cannot_be_used_is_refused_by_what_is_wrong_with_it(tmp_path: Path):
    """In the refusal, and in `doctor`; and the file that replaces it is tried again."""
    path, data = tmp_path / "model.onnx", tmp_path / "data"

    async def told(name: OwnKind, *, memory_bytes: int = 2**30, **how: Any) -> str:
        pool = Pool(Shelf(Weights(), data, {name: OwnWeights(path=str(path), memory_bytes=memory_bytes, **how)}))
        try:
            with pytest.raises(Problem) as refused:
                await pool.ask(name, {}, tmp_path / "none.png", tmp_path / "out.png")
            return refused.value.message
        finally:
            await pool.close()

    assert f"This needs the model cut_out: {path} is not there: set [own_weights.cut_out] path" in await told("cut_out")
    for name, rows, how, wrong in WRONG:
        weighed(path, rows, **how)
        assert wrong in await told(name), name
    path.write_bytes(b"no network")
    assert f"{path} is no ONNX model that onnxruntime can load" in await told("depth")
    reddish(path, takes=(1, 3, 32, 32))
    assert "takes pictures of 32x32, and [own_weights.cut_out] side says 64" in await told("cut_out", side=64)
    assert "alone has" in await told("cut_out", memory_bytes=100)
    assert "[weights] memory_bytes allows" in await told("cut_out", memory_bytes=2**40)

    wanted = {"cut_out": OwnWeights(path=str(path), side=64), "depth": OwnWeights(path=str(tmp_path / "none"))}
    settings = msgspec.structs.replace(Settings(), own_weights=wanted)
    shelf = Shelf(settings.weights, data, settings.own_weights)
    checks = {each.what: each for each in await asyncio.to_thread(lambda: list(doctor.own_weights(shelf)))}
    assert checks["own_weights.cut_out"].verdict is doctor.Verdict.BROKEN
    assert "takes pictures of 32x32" in checks["own_weights.cut_out"].found
    assert "is not there" in checks["own_weights.depth"].found and "set [own_weights.depth] path" in (
        checks["own_weights.depth"].advice
    )
    assert shelf.look("cut_out").standing is Standing.UNFIT
    assert listed(shelf.own["cut_out"], shelf.look("cut_out")).licence == "your own"
    reddish(path)
    assert shelf.look("cut_out").ready


async def test_a_server_says_at_its_start_what_is_wrong_and_refuses_only_what_needs_it(start: Start, tmp_path: Path):
    picture, _ = disc()
    async with start(own_weights={"cut_out": {"path": str(tmp_path / "none.onnx")}}) as running:
        url, file = "/recraft/v1/images/removeBackground", {"file": ("a.png", png(picture), "image/png")}
        answer = await running.client.post(url, files=file)
        assert answer.status_code >= 400 and "none.onnx is not there: set [own_weights.cut_out] path" in answer.text
        assert "cut_out" in await running.app.senses.pool.trial("cut_out")


@pytest.mark.parametrize(
    "text, wrong",
    [
        ('[own_weights.cutout]\npath = "a"', "own_weights"),
        ("[own_weights.depth]\nside = 64", "`path` must name an ONNX file"),
        ('[own_weights.depth]\npath = "a"\nstd = [1.0, 0.0, 1.0]', "none of its numbers may be 0"),
        ('[own_weights.depth]\npath = "a"\nside = 100000', "`side` must be 0 to 4096"),
    ],
)
def test_settings_that_cannot_be_are_told_of(text: str, wrong: str, tmp_path: Path):
    file = tmp_path / "mutoscope.toml"
    file.write_text(text)
    with pytest.raises(BadSettings, match=wrong):
        load(file, {})
