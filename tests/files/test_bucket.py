"""Files in a bucket: S3 as moto serves it, through a proxy that fails as it is told to."""

import asyncio
import hashlib
import os
import time
from base64 import b64encode
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import obstore
import pytest

from local_settings import settings
from mutoscope.background import worker
from mutoscope.background.retention import Sweeper
from mutoscope.cli import doctor
from mutoscope.cli._check import Verdict
from mutoscope.files import bucket
from mutoscope.files.assets import Assets, Span, place
from mutoscope.files.bucket import Bucket, BucketUnavailable
from mutoscope.model.config import BadSettings, Files, Retention
from mutoscope.model.job import State
from mutoscope.model.problem import Kind, Problem
from mutoscope.wirekit.ids import from_uuid4_form
from running import Running
from s3 import OPTIONS, S3, Proxy, cut, lost, slow, status

Start = Callable[..., AbstractAsyncContextManager[Running]]

NOW = time.time()
SCRIPTED = {"models": {"gen4_image": {"engine": "script"}, "gen4_turbo": {"engine": "script"}}}
CONTENT = bytes(range(100))
KEY = f"{hashlib.sha256(CONTENT).hexdigest()}.mp4"


@pytest.fixture
async def proxy(s3: S3) -> AsyncIterator[Proxy]:
    async with Proxy(s3.endpoint).running() as running:
        yield running


def assets_in(store: str, endpoint: str, tmp_path: Path, **more: Any) -> Assets:
    files = Files(store=store, endpoint=endpoint, options=OPTIONS, **more)
    return Assets(files, data=tmp_path, secret=b"secret")


def bucket_of(assets: Assets) -> Bucket:
    assert isinstance(assets.where, Bucket)
    return assets.where


@asynccontextmanager
async def browser(assets: Assets) -> AsyncGenerator[httpx.AsyncClient]:
    async def app(
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ) -> None:
        await assets.serve(scope, receive, send, now=NOW)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        yield client


async def test_a_file_in_a_bucket_is_given_out_as_one_on_disk(s3: S3, tmp_path: Path) -> None:
    assets = assets_in(s3.bucket(), s3.endpoint, tmp_path)
    assert await assets.put(CONTENT, "video/mp4") == KEY
    link = assets.link(KEY, base="http://test", seconds=60, now=NOW)
    async with browser(assets) as client:
        whole = await client.get(link)
        assert (whole.status_code, whole.content) == (200, CONTENT)
        assert whole.headers["content-type"] == "video/mp4" and whole.headers["content-length"] == "100"
        part = await client.get(link, headers={"range": "bytes=10-19"})
        assert (part.status_code, part.content, part.headers["content-range"]) == (
            206,
            CONTENT[10:20],
            "bytes 10-19/100",
        )
        assert (await client.get(link, headers={"range": "bytes=100-"})).status_code == 416
        assert (await client.get(link, headers={"if-none-match": whole.headers["etag"]})).status_code == 304
        head = await client.head(link)
        assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", "100")
        await bucket_of(assets).delete(place(KEY))
        assert (await client.get(link)).status_code == 410


async def test_a_large_file_goes_in_by_parts_and_comes_out_whole(
    proxy: Proxy, s3: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bucket, "BIG", 2**20)
    content = os.urandom(6_000_000)
    path = tmp_path / "made.mp4"
    path.write_bytes(content)
    assets = assets_in(s3.bucket(), proxy.endpoint, tmp_path)
    key = await assets.put(path, "video/mp4")
    assert path.exists() and proxy.seen.count("POST") == 2 and proxy.seen.count("PUT") == 2  # begun, two parts, joined
    assert (await assets.local_path(key, tmp_path, most=6_000_000)).read_bytes() == content
    assert (
        b"".join([each async for each in assets.stream(key, Span(5_000_000, 5_500_000))])
        == content[5_000_000:5_500_000]
    )
    assert await assets.put(content, "video/mp4") == key and proxy.seen.count("POST") == 2  # it was there
    with pytest.raises(Problem, match="at most 5999999 are taken"):
        await assets.local_path(key, tmp_path / "nowhere", most=5_999_999)


async def test_what_is_there_stays_and_what_is_damaged_is_replaced(s3: S3, tmp_path: Path) -> None:
    assets = assets_in(s3.bucket(), s3.endpoint, tmp_path)
    kept = bucket_of(assets)
    await assets.put(CONTENT, "video/mp4")
    before = await kept.head(place(KEY))
    await kept.put(place(KEY), CONTENT, attributes={})  # two at once: the second finds it there
    assert await kept.head(place(KEY)) == before
    await obstore.put_async(kept.store, place(KEY), b"half")
    await assets.put(CONTENT, "video/mp4")
    assert await assets.read(KEY) == CONTENT
    await obstore.put_async(kept.store, place(KEY), bytes(100))
    with pytest.raises(Problem, match="damaged") as refused:
        await assets.local_path(KEY, tmp_path)
    assert refused.value.kind is Kind.INTERNAL and not (tmp_path / KEY).exists()


async def test_a_bucket_that_loses_answers_throttles_and_breaks_off_is_asked_again(
    proxy: Proxy, s3: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assets = assets_in(s3.bucket(), proxy.endpoint, tmp_path)
    proxy.faults = [status(503, "SlowDown"), status(500), lost, lost]  # twice as it looks, twice as it puts
    assert await assets.put(CONTENT, "video/mp4") == KEY
    proxy.faults = [status(503), lost]
    assert await assets.read(KEY) == CONTENT
    content = os.urandom(1_000_000)
    key = await assets.put(content, "video/mp4")
    proxy.faults = [slow(0), cut, cut]
    assert await assets.read(key) == content
    monkeypatch.setattr(bucket, "BIG", 2**10)
    content = os.urandom(5_300_000)
    proxy.faults = [slow(0), slow(0), slow(0), slow(0), slow(0), lost]  # the parts are joined, and nobody hears of it
    key = await assets.put(content, "video/mp4")
    assert await assets.size(key) == len(content)


async def test_a_slow_bucket_holds_up_nobody_else(proxy: Proxy, s3: S3, tmp_path: Path) -> None:
    assets = assets_in(s3.bucket(), proxy.endpoint, tmp_path, timeout_seconds=0.3)
    proxy.always = slow(5)
    longest, ticking = [0.0], True

    async def tick() -> None:
        while ticking:
            began = time.thread_time()
            await asyncio.sleep(0.01)
            longest[0] = max(longest[0], time.thread_time() - began)

    ticks = asyncio.create_task(tick())
    with pytest.raises(BucketUnavailable, match="it does not answer in time"):
        await assets.put(CONTENT, "video/mp4")
    ticking = False
    await ticks
    assert longest[0] < 0.2  # processor time of this thread between two ticks


async def test_what_is_wrong_with_a_bucket_is_told_in_plain_words(
    proxy: Proxy, s3: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bucket, "BELIEVED_SECONDS", 0.0)
    store = s3.bucket()
    assets = assets_in(store, proxy.endpoint, tmp_path, timeout_seconds=0.4)
    link = assets.link(await assets.put(CONTENT, "video/mp4"), base="http://test", seconds=60, now=NOW)
    assert await assets.trouble() == ""
    for fault, why in (
        (status(503, "SlowDown"), "it is overloaded, or throttles"),
        (status(403, "AccessDenied"), "it refuses the credentials"),
        (status(401), "it refuses the credentials"),
        (status(500), "it fails"),
    ):
        proxy.always = fault
        assert await assets.trouble() == why
        with pytest.raises(BucketUnavailable) as refused:
            await assets.put(b"another", "video/mp4")
        assert refused.value.status == 503 and refused.value.retry_after and store not in refused.value.message
        async with browser(assets) as client:
            answer = await client.get(link)
            assert answer.status_code == 503 and answer.headers["retry-after"] == "5"
            proxy.always, proxy.faults = None, [slow(0), *[fault] * 8]  # it is there, and then cannot be read
            assert (await client.get(link)).status_code == 503
        proxy.faults.clear()
    s3.call("POST", "moto-api/reset")
    assert await assets.trouble() == "it is not there"
    for asked in (assets.size(KEY), assets.put(CONTENT, "video/mp4"), assets.read(KEY), assets.touch(KEY)):
        with pytest.raises(BucketUnavailable, match="it is not there"):
            await asked
    nobody = assets_in(store, "http://127.0.0.1:9", tmp_path, timeout_seconds=0.3)
    assert await nobody.trouble() == "it cannot be reached"


async def test_links_may_lead_on_to_the_bucket(s3: S3, tmp_path: Path) -> None:
    assets = assets_in(s3.bucket(), s3.endpoint, tmp_path, links="bucket")
    await assets.put(CONTENT, "video/mp4")
    link = assets.link(KEY, base="http://test", seconds=60, now=NOW)
    async with browser(assets) as client, httpx.AsyncClient() as outside:
        for method, body in (("GET", CONTENT[2:5]), ("HEAD", b"")):
            answer = await client.request(method, link)
            assert (answer.status_code, answer.content, answer.headers["cache-control"]) == (307, b"", "no-store")
            assert answer.headers["location"].startswith(s3.endpoint) and "Expires=60" in answer.headers["location"]
            given = await outside.request(method, answer.headers["location"], headers={"range": "bytes=2-4"})
            assert (given.status_code, given.content) == (206, body)
            assert given.headers["content-type"] == "video/mp4" and given.headers["content-disposition"] == "inline"
        assert (await client.get(link + "x")).status_code == 403
        missing = assets.link(f"{'0' * 64}.mp4", base="http://test", seconds=60, now=NOW)
        assert (await client.get(missing)).status_code == 410


async def test_jobs_wait_for_a_bucket_that_cannot_be_used_and_are_not_made_twice(
    start: Start, proxy: Proxy, s3: S3, monkeypatch: pytest.MonkeyPatch, picture: bytes
) -> None:
    monkeypatch.setattr(worker, "HINDERED_SECONDS", 0.05)
    monkeypatch.setattr(bucket, "BELIEVED_SECONDS", 0.0)
    files = {"store": s3.bucket(), "endpoint": proxy.endpoint, "options": OPTIONS, "timeout_seconds": 0.3}
    async with start(files=files, **SCRIPTED) as running:
        script: Any = running.app.engines["script"]
        made, generate = [0], script.generate

        async def counted(run: Any) -> Any:
            made[0] += 1
            return await generate(run)

        script.generate = counted
        assert (await running.client.get("/readyz")).status_code == 200
        proxy.always = status(503, "SlowDown")
        created = await running.client.post(
            "/v1/ai/text-to-image/runway", json={"prompt": "a heron", "ratio": "720:720"}
        )
        id = from_uuid4_form(created.json()["data"]["task_id"])
        assert id
        running.app.readiness._until = 0.0
        ready = await running.client.get("/readyz")
        assert (ready.status_code, ready.json()["failing"]) == (503, {"files": "it is overloaded, or throttles"})
        while proxy.seen.count("HEAD") < 6:
            await asyncio.sleep(0.02)
        job = await running.app.store.get(id)
        assert job is not None and job.state is State.RUNNING
        proxy.always = None
        job = await running.finished(id)
        assert (job.state, job.attempts, made[0]) == (State.SUCCEEDED, 1, 1)
        # an input that cannot be kept: the job is not taken, and nothing is charged for it
        proxy.always = status(500)
        image = f"data:image/png;base64,{b64encode(picture).decode()}"
        asked = {"model": "gen4_turbo", "promptText": "x", "promptImage": image, "ratio": "1280:720", "duration": 5}
        headers = {"authorization": "Bearer x", "x-runway-version": "2024-11-06"}
        refused = await running.client.post("/v1/image_to_video", json=asked, headers=headers)
        assert refused.status_code == 503 and "store of its files" in refused.text
        proxy.always = None
        # and what is kept for its time goes, once
        sweeper = Sweeper(
            store=running.app.store,
            assets=running.app.assets,
            settings=Retention(outputs_days=0.1),
            clock=lambda: now[0],
        )
        now = [time.time() + 2 * 86400]
        assert (await sweeper.sweep(rest=0)).files == 0  # somebody may be about to need it
        now[0] += 86401
        asset = job.outputs[0].asset
        proxy.always = status(500)
        with pytest.raises(BucketUnavailable):
            await sweeper.sweep(rest=0)
        proxy.always = None
        spare = running.app.store.spare
        assert not await spare(asset, until=now[0] + 9, now=now[0])  # it is being removed, as far as anybody knows
        assert await spare(asset, until=now[0] + 9, now=now[0] + 1000)  # whoever did has died over it
        assert (await sweeper.sweep(rest=0)).files == 0
        now[0] += 86500
        assert (await sweeper.sweep(rest=0)).files == 1 and not await running.app.assets.exists(asset)
        assert (await sweeper.sweep(rest=0)).files == 0


async def test_the_doctor_tries_the_bucket_out(proxy: Proxy, s3: S3, tmp_path: Path) -> None:
    def given(**files: object) -> Any:
        known = {"store": store, "endpoint": proxy.endpoint, "options": OPTIONS, "links": "bucket"}
        return settings(files={**known, **files}, server={"data": str(tmp_path)})

    store = s3.bucket()
    found = await asyncio.to_thread(doctor.bucket, given())
    assert found.verdict is Verdict.GOOD and store in found.found
    found = await asyncio.to_thread(doctor.files_in_bucket, given())
    assert found.verdict is Verdict.GOOD and found.found.startswith("0 are in")
    proxy.always = status(403)
    found = await asyncio.to_thread(doctor.bucket, given(timeout_seconds=0.3))
    assert found.verdict is Verdict.BROKEN and "credentials" in found.found and "list the bucket" in found.advice
    proxy.always = None
    found = await asyncio.to_thread(doctor.bucket, given(store="s3://no-such-bucket-here"))
    assert found.verdict is Verdict.BROKEN and "make the bucket" in found.advice


def test_settings_of_a_bucket_that_cannot_be_are_refused_with_what_would_be_right() -> None:
    for files, told in (
        (Files(store="ftp://films"), "s3://bucket/prefix"),
        (Files(store="films/here"), "s3://bucket/prefix"),
        (Files(store="s3://films", options={"colour": "red"}), "colour"),
        (Files(store="az://films"), "Account must be specified"),
    ):
        with pytest.raises(BadSettings, match=told):
            Bucket(files)
    assert "hush" not in repr(Files(options={"secret_access_key": "hush"}, link_secret="hush"))
