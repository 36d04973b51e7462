"""The corpus of hostile files, against the prober, and against a whole server by way of its wires."""

import asyncio
import base64
import hashlib
import os
import sys
import time
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import corpus
import pytest
from aiohttp import web
from corpus import EITHER, FAMILIES, REFUSED, Fate, Hostile

from mutoscope.files.probe import MediaInfo, Prober
from mutoscope.model.config import Inputs
from mutoscope.model.job import State
from mutoscope.model.problem import Kind, Problem
from mutoscope.wires import BY_NAME

SETTINGS = Inputs()
PATIENCE = 8.0  # seconds for one file, on a busy machine
KEPT_MIB = 64  # what the process that asks may have grown by
EVERY_FAMILY = pytest.mark.parametrize("family", FAMILIES)
Start = Callable[..., Any]


@pytest.fixture
async def prober() -> AsyncGenerator[Prober]:
    prober = Prober(SETTINGS)
    yield prober
    await prober.close()


def test_there_are_hundreds_and_they_are_the_same_each_time() -> None:
    def sums() -> list[tuple[str, str, str]]:
        return [(each.family, each.name, hashlib.sha256(each.content).hexdigest()) for each in corpus.everything()]

    first = sums()
    corpus.good.cache_clear()
    assert first == sums()
    assert len({(family, name) for family, name, _ in first}) == len(first) >= 500


async def looked(prober: Prober, path: Path) -> MediaInfo | Problem:
    try:
        return await prober.probe(path, field="image")
    except Problem as problem:
        return problem


def fault(each: Hostile, found: MediaInfo | Problem, seconds: float) -> str | None:
    """What is wrong with an answer."""
    if seconds > PATIENCE:
        return f"took {seconds:.1f} seconds"
    if isinstance(found, Problem):
        reasoned = found.kind is Kind.BAD_MEDIA and found.field == "image" and len(found.message) > 20
        return None if reasoned and "/etc/" not in found.message else f"no reason: {found.message}"
    if each.fate is REFUSED:
        return f"was taken for {found}"
    return dishonest(found, len(each.content))


def dishonest(info: MediaInfo, size: int) -> str | None:
    """What no true measurement would say."""
    pictured = info.width is not None and info.height is not None
    right = (
        info.bytes == size
        and info.kind in ("image", "video", "audio")
        and info.media_type.partition("/")[0] == info.kind
        and pictured is (info.kind != "audio")
        and 0 < (info.width or 1) * (info.height or 1) <= SETTINGS.max_pixels
        and 0 <= (info.seconds or 0) <= SETTINGS.max_seconds
        and (info.kind != "video" or bool(info.frames))
        and 0 <= (info.fps or 0) <= 1000
        and len(info.comment or "") <= 1000
    )
    return None if right else f"was measured as {info}"


@EVERY_FAMILY
async def test_each_file_is_refused_with_a_reason_or_measured_honestly(
    family: str, prober: Prober, tmp_path: Path
) -> None:
    """And this process neither grows nor keeps anything open."""
    faults: dict[str, str] = {}
    files = list(corpus.members(family))
    (tmp_path / "good").write_bytes(corpus.good("png"))
    await looked(prober, tmp_path / "good")  # the first child is up
    (tmp_path / "good").unlink()
    before, handles = resident_mib(), open_handles()
    for each in files:
        path = tmp_path / each.name
        path.write_bytes(each.content)
        started = time.perf_counter()
        found = await looked(prober, path)
        if wrong := fault(each, found, time.perf_counter() - started):
            faults[each.name] = wrong
        path.unlink()
    assert faults == {}
    assert resident_mib() - before < KEPT_MIB
    assert open_handles() <= handles + 8  # the pipes of the warm children
    assert list(tmp_path.iterdir()) == []


async def test_the_good_files_of_the_corpus_are_good(prober: Prober, tmp_path: Path) -> None:
    """Otherwise what is made of them would be refused for the wrong reason."""
    for kind in corpus.MAKERS:
        path = tmp_path / f"good.{kind}"
        path.write_bytes(corpus.good(kind))
        info = await prober.probe(path)
        assert dishonest(info, path.stat().st_size) is None, (kind, info)
        assert info.kind == "audio" or {info.width, info.height} == {64, 48}, (kind, info)


def resident_mib() -> int:
    if sys.platform != "linux":
        return 0  # only there /proc tells
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") >> 20


def open_handles() -> int:
    return len(list(Path("/dev/fd").iterdir()))


async def test_a_fork_cannot_answer_for_the_next_file(tmp_path: Path) -> None:
    """Whoever takes over a decoder writes where the answer goes; it must stay that file's own."""
    whole = Path(sys.modules["mutoscope.files.probe"].__file__ or "").with_name("_probe_child.py")
    script, taken = whole.read_text(), tmp_path / "_probe_child.py"
    (tmp_path / "_sandbox.py").write_bytes(whole.with_name("_sandbox.py").read_bytes())
    taken.write_text(script.replace('return {"info": read(request)}', "os.write(1, b'{\"info\": {}}\\n'); return [1]"))
    assert taken.read_text() != script
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", str(taken)), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    request = b'{"path": "%s", "media_type": "image/png", "max_pixels": 9, "max_seconds": 9}\n' % str(taken).encode()
    out, _ = await process.communicate(request * 3)
    assert out.splitlines() == [b'{"flaw": "Invalid asset: it cannot be read within the limits of this server"}'] * 3


# -- by way of the wires --------------------------------------------------------------------

RUNWAY = {"x-runway-version": "2024-11-06", "authorization": "Bearer any"}
TURBO = "/v1/ai/image-to-video/runway-gen4-turbo"
SOUNDS = (".wav", ".mp3", ".flac", ".aac", ".m4a", ".ogg")
FILMS = (".mp4", ".mov", ".webm", ".mkv", ".avi")
SIDE_BY_SIDE = 4


def runway_request(each: Hostile, url: str) -> tuple[str, dict[str, object]]:
    if each.name.endswith(SOUNDS):
        return "/v1/voice_isolation", {"model": "eleven_voice_isolation", "audioUri": url}
    if each.name.endswith(FILMS):
        return "/v1/video_upscale", {"model": "upscale_v1", "videoUri": url}
    body = {"model": "gen4_turbo", "promptImage": url, "ratio": "1280:720", "promptText": "x"}
    return "/v1/image_to_video", body


@pytest.fixture
async def shelf() -> AsyncGenerator[tuple[str, dict[str, bytes]]]:
    """A stranger's server: its address, and the files that it gives out by name."""
    files: dict[str, bytes] = {}

    async def give(request: web.Request) -> web.StreamResponse:
        return web.Response(body=files[request.match_info["name"]], content_type="image/png")

    app = web.Application()
    app.router.add_get("/{name}", give)
    runner = web.AppRunner(app, shutdown_timeout=0.05)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}", files
    await runner.cleanup()


async def good_picture_is_taken(running: Any) -> bool:
    uri = "data:image/png;base64," + base64.b64encode(corpus.good("png")).decode()
    body = {"model": "gen4_turbo", "promptImage": uri, "ratio": "1280:720", "promptText": "x"}
    answer = await running.client.post("/v1/image_to_video", json=body, headers=RUNWAY)
    health = await running.client.get("/healthz")
    return answer.status_code == 200 and health.status_code == 200


@EVERY_FAMILY
async def test_the_runway_wire_refuses_each_file_in_its_own_words_and_answers_afterwards(
    family: str, start: Start, shelf: tuple[str, dict[str, bytes]], pytestconfig: pytest.Config
) -> None:
    """Each third file of a family, with --long all: what the prober says of each is another test's."""
    base, files = shelf
    members = list(corpus.members(family))[:: 1 if pytestconfig.getoption("--long") else 3]
    turns, faults = asyncio.Semaphore(SIDE_BY_SIDE), dict[str, object]()

    async def ask(number: int, each: Hostile) -> None:
        async with turns:
            files[str(number)] = each.content
            path, body = runway_request(each, f"{base}/{number}")
            answer = await running.client.post(path, json=body, headers=RUNWAY)
            del files[str(number)]
        if answer.status_code == 400:
            issues = answer.json()["issues"]
            if not issues or not issues[0]["path"][0].startswith(("prompt", "video", "audio")):
                faults[each.name] = answer.text
        elif answer.status_code != 200 or each.fate is REFUSED:
            faults[each.name] = (answer.status_code, answer.text)

    async with start(rehearsal=True, worker={"lease_seconds": 60}) as running:
        await asyncio.gather(*(ask(number, each) for number, each in enumerate(members)))
        assert await good_picture_is_taken(running)
    assert faults == {}


@pytest.mark.parametrize("family", ["bombs", "false_dimensions", "endless_animations", "pages_and_programs_named_png"])
async def test_a_job_of_the_freepik_wire_fails_with_a_reason_when_its_file_is_hostile(
    family: str, start: Start, shelf: tuple[str, dict[str, bytes]]
) -> None:
    base, files = shelf
    faults: dict[str, object] = {}
    async with start(rehearsal=True) as running:
        made: dict[str, Hostile] = {}
        for number, each in enumerate(corpus.members(family)):
            files[str(number)] = each.content
            answer = await running.client.post(TURBO, json={"image": f"{base}/{number}", "prompt": "x", "duration": 5})
            assert answer.status_code == 200, (each.name, answer.text)
            made[answer.json()["data"]["task_id"]] = each
        for public, each in made.items():
            job = await running.finished(BY_NAME["freepik"].job_id(public))
            shown = (await running.client.get(f"{TURBO}/{public}")).json()["data"]
            if job.state is State.FAILED:
                if job.failure.kind is not Kind.BAD_MEDIA or not shown["error"]:
                    faults[each.name] = (job.failure, shown)
            elif each.fate is REFUSED or job.state is not State.SUCCEEDED:
                faults[each.name] = job.state
        assert await good_picture_is_taken(running)
    assert faults == {}


def test_the_fates_are_not_all_the_same() -> None:
    fates = [each.fate for each in corpus.everything()]
    assert fates.count(REFUSED) > 150
    assert fates.count(EITHER) > 150
    assert set(fates) == set(Fate)


PICTURES = (".png", ".jpg", ".webp", ".bmp", ".gif")
UPSCALER = "magnific_precision_upscaler_v2"


@pytest.mark.parametrize("family", ["polyglots", "absurd_exif", "flipped"])
async def test_what_the_prober_takes_does_not_break_the_renderer(
    family: str, start: Start, shelf: tuple[str, dict[str, bytes]], pytestconfig: pytest.Config
) -> None:
    """Every picture with --long, one in six without: each is made larger, or the job fails with a reason."""
    base, files = shelf
    chosen = [each for each in corpus.members(family) if each.name.endswith(PICTURES)]
    chosen = chosen if pytestconfig.getoption("--long") else chosen[::6]
    ends: dict[str, object] = {}
    async with start() as running:
        for number, each in enumerate(chosen):
            files[str(number)] = each.content
            body = {"model": UPSCALER, "imageUri": f"{base}/{number}"}
            answer = await running.client.post("/v1/image_upscale", json=body, headers=RUNWAY)
            assert answer.status_code in (200, 400), (each.name, answer.text)
            if answer.status_code == 200:
                job = await running.finished(BY_NAME["runway"].job_id(answer.json()["id"]), 60)
                ends[each.name] = job.failure.kind if job.failure else job.state
        health = await running.client.get("/healthz")
    assert health.status_code == 200
    assert State.SUCCEEDED in ends.values()
    assert set(ends.values()) <= {State.SUCCEEDED, Kind.BAD_MEDIA, Kind.ENGINE_FAILED}, ends
