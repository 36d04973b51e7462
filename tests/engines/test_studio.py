"""The renderer as an engine: its children, its honesty, its ends."""

import asyncio
import base64
import ctypes
import io
import json
import os
import platform
import resource
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, cast

import av
import pytest
import structlog
from numpy._core import _multiarray_umath as core  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType]
from PIL import Image

from mutoscope.background import worker
from mutoscope.engines.engine import CutOff, OpenedInput
from mutoscope.engines.studio import Studio
from mutoscope.files.c2pa import Making, Source
from mutoscope.files.probe import MediaInfo
from mutoscope.model.config import Studio as StudioSettings
from mutoscope.model.job import Generation, Json, Operation, Output, Role
from mutoscope.model.problem import Kind, Problem, as_unavailable
from mutoscope.studio import VERSION
from small_disk import fill, small_disk

Start = Callable[..., AbstractAsyncContextManager[Any]]

SMALL: dict[str, Any] = {"width": 160, "height": 96, "fps": 12, "seconds": 0.5, "seed": 7}


class Bench:
    """An EngineRun on a temporary directory."""

    def __init__(self, scratch: Path, inputs: tuple[OpenedInput, ...] = (), **wish: Any) -> None:
        self.job_id = "0192f0c1-0000-7000-8000-000000000001"
        self.generation = Generation(**({"operation": Operation.IMAGE_TO_VIDEO, "model": "m"} | wish))
        self.inputs, self.scratch = inputs, scratch
        self.checkpointed: Json = {}
        self.canceled = False
        self.shares: list[float] = []
        self.notes: list[str] = []
        self.pictures: list[bytes] = []
        self.makings: list[Making | bool] = []
        self.started = asyncio.Event()

    def progress(self, share: float) -> None:
        self.shares.append(share)
        self.started.set()

    def show(self, picture: bytes) -> None:
        self.pictures.append(picture)

    def note(self, text: str) -> None:
        self.notes.append(text)

    async def checkpoint(self, **facts: object) -> None:
        self.checkpointed |= facts

    def say(self, text: str) -> Output:
        return Output(id="o", media_type="text/plain", text=text)

    async def keep(self, source: Path | bytes, *, media_type: str, made: Making | bool = True, **facts: Any) -> Output:
        assert isinstance(source, Path)
        self.makings.append(made)
        return Output(id="o", media_type=media_type, asset=str(source), bytes=source.stat().st_size, **facts)


@pytest.fixture
async def studio() -> AsyncIterator[Studio]:
    engine = Studio(StudioSettings())
    yield engine
    await engine.close()


@pytest.fixture
def picture(tmp_path: Path) -> OpenedInput:
    path = tmp_path / "picture.png"
    gradient = Image.linear_gradient("L").resize((320, 240))
    Image.merge("RGB", (gradient, gradient.rotate(90), gradient.rotate(180))).save(path)
    return opened(path, Role.FIRST_FRAME, "promptImage")


def opened(path: Path, role: Role, field: str) -> OpenedInput:
    info = MediaInfo(media_type="image/png", kind="image", bytes=path.stat().st_size)
    return OpenedInput(role=role, field=field, path=path, info=info)


def probe(output: Output) -> tuple[int, int, int]:
    with av.open(output.asset) as container:
        frames = list(container.decode(video=0))
    return frames[0].width, frames[0].height, len(frames)


async def gone(process: int) -> bool:
    for _ in range(200):
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return True
        if Path(f"/proc/{process}/stat").exists() and " Z " in Path(f"/proc/{process}/stat").read_text():
            return True
        await asyncio.sleep(0.02)
    return False


async def test_a_picture_becomes_a_clip_with_its_facts_and_notes(
    studio: Studio, picture: OpenedInput, tmp_path: Path
) -> None:
    run = Bench(tmp_path, (picture,), prompt="Pan left past the cat", **SMALL)
    (output,) = await studio.generate(run)
    assert (output.media_type, output.width, output.height, output.frames) == ("video/mp4", 160, 96, 6)
    assert output.seconds == 0.5
    assert probe(output) == (160, 96, 6)
    assert run.shares[-1] == 1.0
    assert run.notes == ["studio used: pan left; ignored: past, cat"]
    begun = Source(path=str(picture.path), media_type="image/png", title="first_frame")
    assert run.makings == [
        Making(version=VERSION, used=("pan left",), ignored=("past", "cat"), begun_with=begun),
    ]


async def test_the_same_order_gives_the_same_bytes_in_two_children(
    studio: Studio, picture: OpenedInput, tmp_path: Path
) -> None:
    files: list[bytes] = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (output,) = await studio.generate(Bench(tmp_path / name, (picture,), prompt="handheld", **SMALL))
        files.append(Path(output.asset).read_bytes())
    assert files[0] == files[1]


async def test_a_portable_painting_is_that_of_an_older_processor(tmp_path: Path) -> None:
    """The other side is the renderer alone, in a process whose libraries are told that there is no AVX."""
    size, words = {"width": 640, "height": 360, "seed": 9}, "the sound of a violin in teal and gold"
    script = f"""
        from pathlib import Path
        from mutoscope.studio import text_to_image
        text_to_image({words!r}, Path("older.png"), **{size})
    """
    older = {
        "NPY_DISABLE_CPU_FEATURES": " ".join(cast("list[str]", core.__cpu_dispatch__)),
        "OPENCV_CPU_DISABLE": "AVX,AVX2,FP16,AVX512-SKX",
        "OPENCV_IPP": "disabled",
        "OPENBLAS_CORETYPE": "Nehalem",
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-AVX512F",
    }
    command = [sys.executable, "-c", textwrap.dedent(script)]
    await asyncio.to_thread(subprocess.run, command, check=True, cwd=tmp_path, env=os.environ | older)
    engine = Studio(StudioSettings(determinism="portable"))
    run = Bench(tmp_path, operation=Operation.TEXT_TO_IMAGE, prompt=words, **size)
    (output,) = await engine.generate(run)
    await engine.close()
    assert Path(output.asset).read_bytes() == (tmp_path / "older.png").read_bytes()


async def test_a_tier_without_a_size_follows_the_picture(studio: Studio, picture: OpenedInput, tmp_path: Path) -> None:
    wish = {"resolution": "480p", "fps": 4, "seconds": 0.5, "prompt": "static"}
    (output,) = await studio.generate(Bench(tmp_path, (picture,), **wish))
    assert (output.width, output.height) == (736, 560)


async def test_a_seed_that_nobody_chose_is_told(studio: Studio, picture: OpenedInput, tmp_path: Path) -> None:
    run = Bench(tmp_path, (picture,), prompt="", **SMALL | {"seed": None})
    await studio.generate(run)
    assert run.notes[1].startswith("studio seed: ")


async def test_several_pictures_have_seeds_in_a_row(studio: Studio, tmp_path: Path) -> None:
    wish = {"operation": Operation.TEXT_TO_IMAGE, "prompt": "hills", "width": 96, "height": 64}
    both = await studio.generate(Bench(tmp_path, count=2, seed=5, **wish))
    (tmp_path / "second").mkdir()
    (alone,) = await studio.generate(Bench(tmp_path / "second", seed=6, **wish))
    first, second = (Path(each.asset).read_bytes() for each in both)
    assert Image.open(io.BytesIO(first)).size == (96, 64)
    assert first != second == Path(alone.asset).read_bytes()


async def test_a_clip_is_continued_to_the_whole_length(studio: Studio, picture: OpenedInput, tmp_path: Path) -> None:
    (head,) = await studio.generate(Bench(tmp_path, (picture,), prompt="pan left", **SMALL))
    clip = tmp_path / "head.mp4"
    Path(head.asset).rename(clip)
    wish = SMALL | {"operation": Operation.VIDEO_EXTENSION, "seconds": 1.0, "width": None, "height": None}
    (whole,) = await studio.generate(Bench(tmp_path, (opened(clip, Role.VIDEO, "video_url"),), **wish))
    assert probe(whole) == (160, 96, 12)


async def test_a_clip_is_not_edited(studio: Studio, picture: OpenedInput, tmp_path: Path) -> None:
    clip = opened(picture.path, Role.VIDEO, "video_url")
    wish = SMALL | {"operation": Operation.VIDEO_TO_VIDEO}
    with pytest.raises(Problem) as caught:
        await studio.generate(Bench(tmp_path, (clip,), **wish))
    assert caught.value.kind is Kind.UNSUPPORTED


async def test_a_file_that_is_no_picture_is_named_as_the_caller_named_it(studio: Studio, tmp_path: Path) -> None:
    path = tmp_path / "page.png"
    path.write_text("<html>not a picture</html>")
    with pytest.raises(Problem) as caught:
        await studio.generate(Bench(tmp_path, (opened(path, Role.FIRST_FRAME, "promptImage"),), **SMALL))
    assert (caught.value.kind, caught.value.field) == (Kind.BAD_MEDIA, "promptImage")


async def test_a_picture_is_enlarged_by_resampling_and_says_so(studio: Studio, tmp_path: Path) -> None:
    Image.linear_gradient("L").resize((60, 40)).convert("RGB").save(tmp_path / "in.png")
    image = opened(tmp_path / "in.png", Role.IMAGE, "imageUri")
    run = Bench(tmp_path, (image,), operation=Operation.IMAGE_UPSCALE, extra={"scaleFactor": 4})
    [made] = await studio.generate(run)
    assert (made.media_type, made.width, made.height, made.seconds) == ("image/png", 240, 160, None)
    with Image.open(made.asset) as found:
        assert found.size == (240, 160)
    assert run.notes == ["studio: enlarged 4 times by resampling; no detail was invented"]


async def test_what_would_be_too_big_names_the_factor(studio: Studio, tmp_path: Path) -> None:
    Image.new("L", (1200, 10)).save(tmp_path / "in.png")
    image = opened(tmp_path / "in.png", Role.IMAGE, "imageUri")
    with pytest.raises(Problem, match="19200x160") as caught:
        await studio.generate(Bench(tmp_path, (image,), operation=Operation.IMAGE_UPSCALE, extra={"scaleFactor": 16}))
    assert (caught.value.kind, caught.value.field) == (Kind.INVALID, "scaleFactor")


async def test_what_is_no_picture_is_not_enlarged(studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "in.png").write_text("no picture")
    image = opened(tmp_path / "in.png", Role.IMAGE, "imageUri")
    with pytest.raises(Problem) as caught:
        await studio.generate(Bench(tmp_path, (image,), operation=Operation.IMAGE_UPSCALE))
    assert (caught.value.kind, caught.value.field) == (Kind.BAD_MEDIA, "imageUri")


SPOKEN: dict[str, Any] = {"operation": Operation.TEXT_TO_SPEECH, "prompt": "One, two, three."}


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="needs the program espeak-ng")
async def test_speech_says_whose_voice_it_is_not(studio: Studio, tmp_path: Path) -> None:
    maya = {"type": "runway-preset", "presetId": "Maya"}
    run = Bench(tmp_path, **SPOKEN, extra={"voice": maya, "languageCode": "de", "speed": 0.7})
    [made] = await studio.generate(run)
    assert run.notes == ["studio: spoken by espeak-ng in language 'de', timbre f4, not by Maya"]
    assert made.media_type == "audio/mpeg"
    with av.open(made.asset) as file:
        assert file.duration is not None
        assert file.duration / 1e6 == pytest.approx(made.seconds, abs=0.1)


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="needs the program espeak-ng")
@pytest.mark.parametrize(("name", "value"), [("languageCode", "xx"), ("speed", 0.01)])
async def test_speech_that_cannot_be_names_the_caller_s_field(
    name: str, value: Any, studio: Studio, tmp_path: Path
) -> None:
    with pytest.raises(Problem) as caught:
        await studio.generate(Bench(tmp_path, **SPOKEN, extra={name: value}))
    assert (caught.value.kind, caught.value.field) == (Kind.INVALID, name)


async def test_without_espeak_there_is_no_speech(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    engine = Studio(StudioSettings())
    assert Operation.TEXT_TO_SPEECH not in engine.supported_fields
    with pytest.raises(Problem, match="cannot do text_to_speech here") as caught:
        await engine.generate(Bench(tmp_path, **SPOKEN))
    assert caught.value.kind is Kind.UNSUPPORTED


async def test_piper_without_a_voice_makes_no_speech(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "piper").touch(0o755)
    assert Operation.TEXT_TO_SPEECH not in Studio(StudioSettings()).supported_fields
    assert Operation.TEXT_TO_SPEECH in Studio(StudioSettings(piper_voice="any.onnx")).supported_fields


async def test_a_size_that_cannot_be_is_named(studio: Studio, picture: OpenedInput, tmp_path: Path) -> None:
    with pytest.raises(Problem, match="even") as caught:
        await studio.generate(Bench(tmp_path, (picture,), **SMALL | {"width": 161}))
    assert (caught.value.kind, caught.value.field) == (Kind.INVALID, "width")


async def test_a_child_that_is_killed_is_told_as_cut_off_and_harms_no_other_job(
    studio: Studio, picture: OpenedInput, tmp_path: Path
) -> None:
    long = SMALL | {"width": 640, "height": 360, "seconds": 30.0}
    run = Bench(tmp_path, (picture,), **long)
    task = asyncio.create_task(studio.generate(run))
    await run.started.wait()
    for process in children():
        os.kill(process, signal.SIGKILL)
    with pytest.raises(CutOff, match="killed by signal 9"):
        await task
    assert await studio.generate(Bench(tmp_path, (picture,), **SMALL))


async def test_a_command_that_is_killed_is_told_as_cut_off_too(
    picture: OpenedInput, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ffmpeg command, and espeak-ng: whoever ends them, it is not the job's fault."""
    commands = tmp_path / "commands"
    commands.mkdir()
    for name in ("ffmpeg", "espeak-ng"):
        script = commands / name
        script.write_text('#!/bin/sh\ncase "$*" in *-encoders*) echo libx264; exit 0;; esac\nkill -9 $$\n')
        script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{commands}{os.pathsep}{os.environ['PATH']}")
    engine = Studio(StudioSettings(encoder="ffmpeg", speakers=("espeak-ng",)))
    try:
        with pytest.raises(CutOff, match="ffmpeg ended by signal 9"):
            await engine.generate(Bench(tmp_path, (picture,), **SMALL))
        with pytest.raises(CutOff, match="espeak-ng ended by signal 9"):
            await engine.generate(Bench(tmp_path, **SPOKEN))
    finally:
        await engine.close()


@pytest.mark.parametrize("leave", [0, 4096])
async def test_a_full_disk_is_told_as_the_system_s_own_error_and_no_fault_of_the_job(
    leave: int, studio: Studio, picture: OpenedInput, tmp_path: Path
) -> None:
    wish = SMALL | {"width": 640, "height": 480, "seconds": 2.0}
    with small_disk(tmp_path / "disk", 1 << 20) as disk:
        ballast = fill(disk, leave=leave)
        with pytest.raises(OSError, match="No space left") as caught:
            await studio.generate(Bench(disk, (picture,), prompt="handheld", **wish))
        assert as_unavailable(caught.value) is not None
        ballast.unlink()
        (output,) = await studio.generate(Bench(disk, (picture,), prompt="handheld", **wish))
        assert probe(output) == (640, 480, 24)
        assert output.bytes > leave


async def test_a_disk_that_may_not_be_written_is_no_fault_of_the_job_either(
    studio: Studio, picture: OpenedInput, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "disk", 1 << 20) as disk:
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        with pytest.raises(OSError, match="Read-only") as caught:
            await studio.generate(Bench(disk, (picture,), prompt="pan left", **SMALL))
        assert as_unavailable(caught.value) is not None


async def test_a_limit_on_files_that_is_not_ours_hinders_too(
    studio: Studio, picture: OpenedInput, tmp_path: Path
) -> None:
    whole = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, whole[1]))
    try:
        await studio.warm()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, whole)
    with pytest.raises(OSError, match="File too large") as caught:
        await studio.generate(Bench(tmp_path, (picture,), **SMALL))
    assert as_unavailable(caught.value) is not None


@pytest.mark.parametrize("cut", [0.4, 0.9])
async def test_a_clip_that_ends_too_soon_is_no_hindrance(
    cut: float, studio: Studio, picture: OpenedInput, tmp_path: Path
) -> None:
    """FFmpeg calls that an input/output error too."""
    (head,) = await studio.generate(Bench(tmp_path, (picture,), prompt="pan left", **SMALL))
    whole = Path(head.asset).read_bytes()
    clip = tmp_path / "head.mp4"
    clip.write_bytes(whole[: int(len(whole) * cut)])
    wish = SMALL | {"operation": Operation.VIDEO_EXTENSION, "seconds": 1.0}
    try:
        await studio.generate(Bench(tmp_path, (opened(clip, Role.VIDEO, "video_url"),), **wish))
    except Problem as problem:
        assert (problem.kind, problem.field) == (Kind.BAD_MEDIA, "video_url")


async def test_a_job_that_met_a_full_disk_while_it_was_rendered_ends_well_once_there_is_space(
    start: Start, tmp_path: Path, picture: OpenedInput, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A whole server whose scratch folder is on a disk of its own, which is full."""
    monkeypatch.setattr(worker, "HINDERED_SECONDS", 0.1)
    capture = structlog.testing.LogCapture()
    monkeypatch.setattr(worker, "log", structlog.wrap_logger(None, processors=[capture]))
    image = "data:image/png;base64," + base64.b64encode(picture.path.read_bytes()).decode()
    wish = {"model": "gen4_turbo", "promptImage": image, "promptText": "pan left", "ratio": "1280:720", "duration": 2}
    headers = {"authorization": "Bearer k", "x-runway-version": "2024-11-06"}
    with small_disk(tmp_path / "disk", 4 << 20) as disk:
        async with start() as running:
            running.app.worker.scratch = disk
            ballast = fill(disk, leave=65536)  # the picture fits
            answer = await running.client.post("/v1/image_to_video", json=wish, headers=headers)
            assert answer.status_code == 200, answer.text
            while not any(each["event"] == "job_hindered" for each in capture.entries):
                await asyncio.sleep(0.02)
            ballast.unlink()
            task: dict[str, Any] = {}
            while task.get("status") not in ("SUCCEEDED", "FAILED"):
                await asyncio.sleep(0.1)
                found = await running.client.get(f"/v1/tasks/{answer.json()['id']}", headers=headers)
                task = found.json()
    assert {each["reason"] for each in capture.entries if each["event"] == "job_hindered"} == {
        "The server cannot do this now: its disk is full."
    }
    assert task["status"] == "SUCCEEDED", task


WALLED = sys.platform == "linux" and platform.machine() in ("x86_64", "aarch64")
walled = pytest.mark.skipif(not WALLED, reason="seccomp and Landlock stand on Linux, on x86-64 and 64-bit ARM, only")
LANDLOCK = WALLED and ctypes.CDLL(None).syscall(444, None, 0, 1) > 0


@walled
async def test_a_render_child_is_walled_in(studio: Studio) -> None:
    assert await studio.sandbox() == {"network": True, "files": LANDLOCK, "processes": True, "memory": True}


DEEDS = """
import json, os, resource, signal, socket, subprocess, sys, threading
from mutoscope.engines import studio_child as child
order = json.loads(sys.argv[1])
scratch, other, port, told = os.path.dirname(order["out"][0]), sys.argv[2], int(sys.argv[3]), os.dup(1)
parent = os.getppid()
deeds = {
    "connect": lambda: socket.create_connection(("127.0.0.1", port)),
    "ask for a name": lambda: socket.getaddrinfo("localhost", port),
    "a socket of the system": lambda: socket.socket(socket.AF_UNIX),
    "a pair of sockets": lambda: socket.socketpair(),
    "send through what is open": lambda: socket.socket(fileno=sys.stdin.fileno()).send(b"x"),
    "read another file": lambda: open(other).read(),
    "list the folder of another file": lambda: os.listdir(os.path.dirname(other)),
    "read the secrets of another process": lambda: open(f"/proc/{parent}/environ").read(),
    "write another file": lambda: open(other, "w").write("x"),
    "make a file elsewhere": lambda: open(other + ".new", "x"),
    "make a folder": lambda: os.mkdir(scratch + "/d"),
    "rename the file": lambda: os.rename(order["out"][0], other),
    "remove another file": lambda: os.unlink(other),
    "fork": lambda: os.fork() or os._exit(0),
    "start a program": lambda: subprocess.run(["/bin/true"]),
    "become a program": lambda: os.execv("/bin/true", ["true"]),
    "signal the parent": lambda: os.kill(parent, 0),
    "take more memory": lambda: bytearray(4 << 30),
    "allow itself more": lambda: resource.setrlimit(resource.RLIMIT_AS, (-1, -1)),
}
usual = {
    "write what it makes": lambda: open(order["out"][0], "w").write("made"),
    "read what it is given": lambda: open(order["image"]).read(1),
    "begin a thread": lambda: threading.Thread(target=int).start(),
    "load a module": lambda: __import__("wave"),
}
child.limit()
child.enter_sandbox(order)
done = []
for name, deed in (usual | deeds).items():
    if name in sys.argv[4:]:
        continue
    try:
        deed()
        done.append(name)
    except (OSError, MemoryError, ValueError):
        pass
os.write(told, json.dumps(done).encode())
"""
USUAL = {"write what it makes", "read what it is given", "begin a thread", "load a module"}
BY_LANDLOCK = {
    "read another file",
    "list the folder of another file",
    "read the secrets of another process",
    "write another file",
    "make a file elsewhere",
}


@walled
@pytest.mark.parametrize("maker", ["painting", "speech"])
async def test_what_renders_can_do_nothing_else(maker: str, tmp_path: Path) -> None:
    """A socket cannot be opened, nor anything be read, written or started that the order does not need. Who has
    espeak-ng or ffmpeg run for it may start programs, and they may read."""
    scratch, others = tmp_path / "scratch", tmp_path / "others"
    scratch.mkdir()
    others.mkdir()
    image, other = scratch / "image", others / "file"
    image.write_text("image")
    other.write_text("other")
    order = {"out": [str(scratch / "out")], "image": str(image)}
    order |= {"make": "text_to_image" if maker == "painting" else "text_to_speech"}
    left_out = ["become a program"] if maker == "speech" else []  # there would be nobody left to tell
    with socket.create_server(("127.0.0.1", 0)) as server:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", DEEDS, json.dumps(order), str(other), str(server.getsockname()[1]), *left_out),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        told, _ = await process.communicate()
    done = set(json.loads(told))
    expected = set(USUAL)
    if not LANDLOCK:
        expected |= BY_LANDLOCK
    if maker == "speech":
        expected |= {"read another file", "list the folder of another file", "fork", "start a program"}
        expected |= done & {"ask for a name"}  # it may stand in a file
        expected |= done & {"signal the parent", "allow itself more"}  # before Linux 6.12; if it is an administrator's
        expected |= done & {"make a folder", "rename the file", "remove another file"} if not LANDLOCK else set()
    assert done == expected
    assert other.read_text() == ("other" if LANDLOCK else "x")
    assert image.read_text() == "image"


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs the ffmpeg command: apt install ffmpeg")
async def test_ffmpeg_works_behind_the_walls_that_are_left(picture: OpenedInput, tmp_path: Path) -> None:
    engine = Studio(StudioSettings(encoder="ffmpeg"))
    (output,) = await engine.generate(Bench(tmp_path, (picture,), prompt="pan left", **SMALL))
    await engine.close()
    assert probe(output) == (160, 96, 6)


async def test_a_render_lets_the_server_go_first(studio: Studio, picture: OpenedInput, tmp_path: Path) -> None:
    """By its own priority, and by its session's where Linux divides the time among sessions."""
    run = Bench(tmp_path, (picture,), **SMALL | {"seconds": 60.0})
    task = asyncio.create_task(studio.generate(run))
    await run.started.wait()
    # One of them renders; the other may only just have been started.
    own = max(os.getpriority(os.PRIO_PROCESS, process) for process in children())
    divided = Path("/proc/sys/kernel/sched_autogroup_enabled")
    if divided.exists() and divided.read_text().strip() == "1":
        sessions = [Path(f"/proc/{process}/autogroup").read_text() for process in children()]
        assert max(int(told.split()[-1]) for told in sessions) == StudioSettings().niceness
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert own == StudioSettings().niceness + os.getpriority(os.PRIO_PROCESS, 0)


async def test_a_canceled_job_leaves_no_process(studio: Studio, picture: OpenedInput, tmp_path: Path) -> None:
    run = Bench(tmp_path, (picture,), **SMALL | {"seconds": 60.0})
    task = asyncio.create_task(studio.generate(run))
    await run.started.wait()
    running = children()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await studio.close()
    assert running
    assert all([await gone(process) for process in running])


async def test_a_job_that_takes_too_long_times_out(picture: OpenedInput, tmp_path: Path) -> None:
    engine = Studio(StudioSettings(timeout_seconds=0.2))
    with pytest.raises(Problem) as caught:
        await engine.generate(Bench(tmp_path, (picture,), **SMALL | {"seconds": 60.0}))
    await engine.close()
    assert caught.value.kind is Kind.TIMED_OUT


async def test_children_leave_with_a_killed_parent(picture: OpenedInput, tmp_path: Path) -> None:
    """The parent is killed while one child renders and another waits."""
    script = f"""
        import asyncio, sys
        from pathlib import Path
        sys.path[:0] = {[str(folder) for folder in Path(__file__).parents[:2]]!r}
        from test_studio import Bench, Role, SMALL, Studio, children, opened

        async def main():
            image = opened(Path({str(picture.path)!r}), Role.FIRST_FRAME, "image")
            run = Bench(Path({str(tmp_path)!r}), (image,), **SMALL | {{"seconds": 120.0}})
            task = asyncio.create_task(Studio().generate(run))
            await run.started.wait()
            print(*children(), flush=True)
            await task

        asyncio.run(main())
    """
    parent = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True)
    with parent:
        assert parent.stdout is not None
        running = [int(each) for each in (await asyncio.to_thread(parent.stdout.readline)).split()]
        parent.kill()
    assert len(running) == 2
    assert all([await gone(process) for process in running])


def children() -> list[int]:
    """The processes that this one started and that still run the renderer."""
    found: list[int] = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            words = (path / "cmdline").read_bytes().split(b"\0")
            parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            continue
        if b"mutoscope.engines.studio_child" in words and parent == os.getpid():
            found.append(int(path.name))
    return found
