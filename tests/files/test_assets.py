"""Files kept by content, and the signed links that give them out."""

import asyncio
import hashlib
import os
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import pytest

from mutoscope.cli._check import Verdict
from mutoscope.cli.doctor import kept_files
from mutoscope.files.assets import MEDIA_TYPES, PIECE, Assets, Span, describe, read_range, upload_name
from mutoscope.model.config import Files, Settings
from mutoscope.model.problem import Kind, Problem
from mutoscope.wirekit.ids import from_uuid4_form

NOW = 1_700_000_000.0
SECRET = b"a secret of the tests"
CONTENT = bytes(range(100))
SHA = hashlib.sha256(CONTENT).hexdigest()
UPLOADED = f"{SHA}.png"


@pytest.fixture(params=["local", "memory"])
def assets(request: pytest.FixtureRequest, tmp_path: Path) -> Assets:
    store = {"local": "", "memory": "memory:///"}[request.param]
    return Assets(Files(store=store), data=tmp_path / "data", secret=SECRET)


async def uploads(upload_id: str) -> str | None:
    return {"sent": UPLOADED}.get(upload_id)


def browser(assets: Assets, now: float = NOW) -> httpx.AsyncClient:
    async def app(
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ) -> None:
        await assets.serve(scope, receive, send, now=now, uploads=uploads)

    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


async def ask(
    assets: Assets, method: str = "GET", *, key: str = "", now: float = NOW, **headers: str
) -> httpx.Response:
    key = key or await assets.put(CONTENT, "video/mp4")
    url = assets.link(key, base="http://test", seconds=60, now=NOW)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with browser(assets, now) as client:
        return await client.request(method, url, headers=named)


# The files.


async def test_the_same_bytes_are_the_same_key(assets: Assets, tmp_path: Path):
    path = tmp_path / "made.mp4"
    path.write_bytes(CONTENT)
    key = await assets.put(CONTENT, "video/mp4")
    assert key == f"{SHA}.mp4"
    assert await assets.put(path, "video/mp4") == key
    assert await assets.put(CONTENT, "image/png") == f"{SHA}.png"
    assert await assets.put(CONTENT, "text/x-whatever") == f"{SHA}.bin"
    assert await assets.read(key) == CONTENT
    assert (await assets.exists(key), await assets.size(key)) == (True, 100)


async def test_a_file_comes_in_from_a_path_and_out_to_a_path(assets: Assets, tmp_path: Path):
    content = os.urandom(3_000_000)
    path = tmp_path / "made.webm"
    path.write_bytes(content)
    key = await assets.put(path, "video/webm")
    out = await assets.local_path(key, tmp_path)
    assert out.read_bytes() == content
    assert (
        b"".join([chunk async for chunk in assets.stream(key, Span(1_000_000, 2_000_001))])
        == content[1_000_000:2_000_001]
    )
    assert b"".join([chunk async for chunk in assets.stream(key)]) == content


async def test_a_local_file_is_its_own_path_and_putting_it_again_leaves_it_there(tmp_path: Path):
    assets = Assets(Files(), data=tmp_path, secret=SECRET)
    key = await assets.put(CONTENT, "image/png")
    path = await assets.local_path(key, tmp_path / "unused")
    assert path.is_relative_to(tmp_path / "assets")
    assert await assets.put(path, "image/png") == key
    assert await assets.read(key) == CONTENT


async def test_a_link_in_the_file_system_is_copied_and_not_moved(tmp_path: Path):
    assets = Assets(Files(), data=tmp_path / "data", secret=SECRET)
    real = tmp_path / "real.png"
    real.write_bytes(CONTENT)
    (tmp_path / "alias.png").symlink_to(real)
    key = await assets.put(tmp_path / "alias.png", "image/png")
    real.write_bytes(b"changed")
    assert await assets.read(key) == CONTENT


async def test_nothing_half_written_is_left_behind(tmp_path: Path):
    assets = Assets(Files(store=f"file://{tmp_path}/else where".replace(" ", "%20")), data=tmp_path, secret=SECRET)
    key = await assets.put(CONTENT, "image/png")
    assert [path.name for path in (tmp_path / "else where").rglob("*") if path.is_file()] == [key]


@pytest.mark.parametrize("key", ["../../etc/passwd", f"{SHA}.png/../x", f"{SHA.upper()}.png", SHA, "", f"{SHA}.png\n"])
async def test_what_is_no_key_is_never_looked_up(key: str, assets: Assets, tmp_path: Path):
    assert await assets.size(key) is None
    with pytest.raises(FileNotFoundError):
        await assets.read(key)
    with pytest.raises(FileNotFoundError):
        await assets.local_path(key, tmp_path)


async def test_a_missing_asset_is_told_as_missing(assets: Assets, tmp_path: Path):
    assert not await assets.exists(UPLOADED)
    with pytest.raises(FileNotFoundError):
        await assets.local_path(UPLOADED, tmp_path)
    answer = await ask(assets, key=UPLOADED)
    assert (answer.status_code, answer.text) == (410, "This file is not kept any more.")  # a good link: it was there


# The links.


def taken_apart(url: str) -> tuple[str, dict[str, str]]:
    parts = urlsplit(url)
    return parts.path, {name: values[0] for name, values in parse_qs(parts.query).items()}


def test_a_link_holds_until_it_expires(assets: Assets):
    url = assets.link(UPLOADED, base="https://media.example/", seconds=60, now=NOW)
    assert url.startswith(f"https://media.example/files/{UPLOADED}?exp=1700000060&sig=")
    path, query = taken_apart(url)
    assert assets.verify(path, query, NOW + 59) is None
    late = assets.verify(path, query, NOW + 60)
    assert late is not None
    assert (late.kind, late.status, late.message) == (Kind.FORBIDDEN, 403, "This link has expired.")


def test_a_link_that_was_changed_anywhere_is_refused(assets: Assets):
    path, query = taken_apart(assets.link(UPLOADED, base="", seconds=60, now=NOW))
    other = Assets(Files(store="memory:///"), data=Path("unused"), secret=b"another")
    changed: list[tuple[str, dict[str, str]]] = [
        (path.replace(".png", ".jpg"), query),
        (path.replace(SHA, "0" * 64), query),
        (path, {**query, "exp": "1700009999"}),
        (path, {**query, "exp": "01700000060"}),
        (path, {**query, "exp": "١٧٠٠٠٠٠٠٦٠"}),
        (path, {**query, "exp": "1700000060.0"}),
        (path, {**query, "exp": "9" * 400}),
        (path, {**query, "exp": ""}),
        (path, {**query, "sig": ""}),
        (path, {**query, "sig": query["sig"][:-1]}),
        (path, {**query, "sig": query["sig"] + "="}),
        (path, {**query, "sig": "ü"}),
        (path, {"exp": query["exp"]}),
        (path, {}),
    ]
    for broken_path, broken_query in changed:
        problem = assets.verify(broken_path, broken_query, NOW)
        assert problem is not None, (broken_path, broken_query)
        assert problem.kind is Kind.FORBIDDEN
    assert other.verify(path, query, NOW) is not None


def test_an_upload_slot_is_signed_like_a_link(assets: Assets):
    signature = assets.sign("/uploads/abc", 1_700_000_060)
    assert assets.check_signature("/uploads/abc", "1700000060", signature, NOW) is None
    assert assets.check_signature("/uploads/abd", "1700000060", signature, NOW) is not None
    assert assets.check_signature("/files/abc", "1700000060", signature, NOW) is not None
    assert assets.check_signature("/uploads/abc", "1700000060", signature, NOW + 61) is not None


async def test_our_own_links_are_recognised_whatever_host_they_name(assets: Assets):
    url = assets.link(UPLOADED, base="http://127.0.0.1:8700", seconds=60, now=NOW)
    for base in ("http://127.0.0.1:8700", "https://gateway.example", "http://localhost/media", "http://[::1]:1"):
        assert await assets.resolve_link(url.replace("http://127.0.0.1:8700", base), now=NOW) == UPLOADED
    strangers = [
        url.replace("sig=", "sig=x"),
        url.replace("/files/", "/other/"),
        url.replace("?", "/more?"),
        f"https://example.com/{UPLOADED}",
        "https://example.com/files/",
        "http://[",
        "",
    ]
    assert [await assets.resolve_link(each, now=NOW) for each in strangers] == [None] * len(strangers)
    assert await assets.resolve_link(url, now=NOW + 60) is None


async def test_a_link_to_an_upload_leads_to_its_asset_once_that_is_there(assets: Assets):
    sent = assets.link(upload_name("sent", "image/png"), base="http://x", seconds=60, now=NOW)
    assert "/files/u-sent.png?" in sent
    empty = assets.link(upload_name("empty", "image/png"), base="http://x", seconds=60, now=NOW)
    assert await assets.resolve_link(sent, now=NOW, uploads=uploads) == UPLOADED
    assert await assets.resolve_link(empty, now=NOW, uploads=uploads) is None
    await assets.put(CONTENT, "image/png")
    assert (await ask(assets, key="u-sent.png")).content == CONTENT
    assert (await ask(assets, key="u-empty.png")).status_code == 404


# The route.


async def test_a_file_is_served_with_its_type_and_nothing_a_browser_would_run(assets: Assets):
    answer = await ask(assets)
    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert dict(answer.headers) == {
        "content-type": "video/mp4",
        "content-length": "100",
        "content-disposition": "inline",
        "etag": f'"{SHA}"',
        "accept-ranges": "bytes",
        "cache-control": "private, max-age=60",
        "x-content-type-options": "nosniff",
        "content-security-policy": "sandbox; default-src 'none'",
    }


async def test_what_is_no_media_is_offered_for_saving(assets: Assets):
    key = await assets.put(b"<html onload=alert(1)>", "text/html")
    answer = await ask(assets, key=key)
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == f'attachment; filename="{key}"'


async def test_a_drawing_is_offered_for_saving_and_runs_nothing(assets: Assets):
    """As the picture of a page it can be seen all the same: there no browser runs what is in it."""
    key = await assets.put(b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "image/svg+xml")
    answer = await ask(assets, key=key)
    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.headers["content-disposition"] == f'attachment; filename="{key}"'
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_no_type_that_is_served_is_one_that_a_browser_runs():
    """But drawings, which are offered for saving only."""
    runnable = ("html", "xml", "svg", "script", "css", "pdf", "flash", "wasm", "text/")
    assert [each for each in MEDIA_TYPES.values() if any(word in each for word in runnable)] == ["image/svg+xml"]
    for extension in MEDIA_TYPES:
        key = f"{SHA}.{extension}"
        told = describe(key)
        shown = told["content-type"].partition("/")[0] in ("image", "video", "audio") and extension != "svg"
        assert told["content-disposition"] == ("inline" if shown else f'attachment; filename="{key}"')


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "image/png"),
        (b"<!DOCTYPE html><script>alert(1)</script>", "text/html"),
        (b"<!DOCTYPE html><script>alert(1)</script>", "image/png"),  # called a picture, and never sniffed to be more
        (b"\x89PNG\r\n\x1a\n<script>alert(1)</script>", "image/png"),
        (b"alert(1)", "application/javascript"),
        (b"%PDF-1.7", "application/pdf"),
        (b"<x/>", "application/xhtml+xml"),
        (b"x", "image/png; charset=utf-7"),
        (b"x", "IMAGE/SVG+XML"),
        (b"x", "../../x"),
        (b"x", ""),
    ],
)
async def test_no_page_is_served_as_one(content: bytes, media_type: str, assets: Assets):
    answer = await ask(assets, key=await assets.put(content, media_type))
    assert answer.headers["content-type"] in ("image/png", "application/octet-stream")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
    if media_type != "image/png":
        assert answer.headers["content-disposition"].startswith("attachment; ")


async def test_every_answer_forbids_sniffing_and_running(assets: Assets):
    key = await assets.put(CONTENT, "image/png")
    async with browser(assets) as client:
        answers = [
            await ask(assets, key=key),
            await ask(assets, key=key, range="bytes=0-1"),
            await ask(assets, key=key, if_none_match="*"),
            await client.get(f"/files/{key}"),
            await client.get("/files/<script>"),
            await ask(assets, "POST", key=key),
            await ask(assets, key=key, range="bytes=999-"),
        ]
    assert [answer.status_code for answer in answers] == [200, 206, 304, 403, 404, 405, 416]
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
        assert "html" not in answer.headers.get("content-type", "")
        assert b"<" not in answer.content or answer.content == CONTENT


async def test_without_a_signature_nobody_learns_what_is_there(assets: Assets):
    there = await assets.put(CONTENT, "image/png")
    missing = f"{'0' * 64}.png"
    async with browser(assets) as client:
        answers = [
            await client.get(f"/files/{key}{query}") for key in (there, missing) for query in ("", "?exp=9&sig=x")
        ]
    assert {(answer.status_code, answer.text) for answer in answers[:2]} == {
        (answer.status_code, answer.text) for answer in answers[2:]
    }


async def test_head_tells_everything_but_the_content(assets: Assets):
    answer = await ask(assets, "HEAD", range="bytes=0-9")
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", "100")


@pytest.mark.parametrize(
    ("asked", "status", "told", "content"),
    [
        ("bytes=0-9", 206, "bytes 0-9/100", CONTENT[:10]),
        ("bytes=0-0", 206, "bytes 0-0/100", CONTENT[:1]),
        ("bytes=90-", 206, "bytes 90-99/100", CONTENT[90:]),
        ("bytes=90-1000", 206, "bytes 90-99/100", CONTENT[90:]),
        ("bytes=-10", 206, "bytes 90-99/100", CONTENT[90:]),
        ("bytes=-1000", 206, "bytes 0-99/100", CONTENT),
        ("bytes=99-99", 206, "bytes 99-99/100", CONTENT[99:]),
        ("bytes= 5 - 6", 206, "bytes 5-6/100", CONTENT[5:7]),
        ("bytes=100-", 416, "bytes */100", b""),
        ("bytes=100-200", 416, "bytes */100", b""),
        ("bytes=-0", 416, "bytes */100", b""),
        ("bytes=9-5", 200, None, CONTENT),
        ("bytes=0-1,5-6", 200, None, CONTENT),
        ("bytes=-", 200, None, CONTENT),
        ("bytes=a-b", 200, None, CONTENT),
        ("items=0-1", 200, None, CONTENT),
        ("bytes=" + "9" * 30 + "-", 200, None, CONTENT),
        ("", 200, None, CONTENT),
    ],
)
async def test_a_part_can_be_asked_for(asked: str, status: int, told: str | None, content: bytes, assets: Assets):
    answer = await ask(assets, range=asked)
    assert (answer.status_code, answer.headers.get("content-range"), answer.content) == (status, told, content)
    assert answer.headers["content-length"] == str(len(content))


def test_an_empty_file_has_no_parts():
    assert read_range("bytes=0-0", 0) == Span(0, 0)
    assert read_range("bytes=-5", 0) == Span(0, 0)


async def test_an_empty_file_is_served(assets: Assets):
    answer = await ask(assets, key=await assets.put(b"", "video/mp4"))
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", "0")


async def test_a_part_of_another_version_is_not_mixed_in(assets: Assets):
    assert (await ask(assets, range="bytes=0-9", if_range=f'"{SHA}"')).status_code == 206
    assert (await ask(assets, range="bytes=0-9", if_range='"other"')).status_code == 200


@pytest.mark.parametrize("tags", [f'"{SHA}"', f'W/"{SHA}"', f'"other", "{SHA}"', "*"])
async def test_what_the_client_has_is_not_sent_again(tags: str, assets: Assets):
    answer = await ask(assets, if_none_match=tags)
    assert (answer.status_code, answer.content) == (304, b"")
    assert (await ask(assets, if_none_match='"other"')).status_code == 200


async def test_a_link_without_a_good_signature_opens_nothing(assets: Assets):
    key = await assets.put(CONTENT, "image/png")
    async with browser(assets) as client:
        bare = await client.get(f"/files/{key}")
    late = await ask(assets, key=key, now=NOW + 61)
    assert (bare.status_code, bare.text) == (403, "This link is not signed.")
    assert (late.status_code, late.text) == (403, "This link has expired.")
    assert late.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        *("/files/", "/files", "/files/.", "/files/*", f"/files/{SHA[:2]}", f"/files/{SHA[:2]}/", f"/files/{SHA}"),
        *(
            "/files/..%2f..%2fmutoscope.db",
            "/files/%2e%2e/mutoscope.db",
            "/files/..%5cmutoscope.db",
            "/files//etc/passwd",
        ),
        *(
            f"/files/.{'0' * 8}",
            "/files/u-.png",
            "/files/u-a/b.png",
            f"/files/{SHA}.png%00.html",
            f"/files/{SHA}.png%0a",
        ),
        *(
            f"/files/{SHA}.html5x",
            f"/files/{SHA}.PNG",
            f"/files/{SHA}.png/",
            "/files/mutoscope.db",
            "/files/link-secret",
        ),
    ],
)
async def test_a_name_of_the_clients_own_is_not_found(path: str, assets: Assets):
    async with browser(assets) as client:
        assert (await client.get(path)).status_code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
async def test_files_can_only_be_read(method: str, assets: Assets):
    answer = await ask(assets, method)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


async def test_a_large_file_is_sent_in_pieces(tmp_path: Path):
    assets = Assets(Files(), data=tmp_path, secret=SECRET)
    content = os.urandom(3_000_000)
    key = await assets.put(content, "video/mp4")
    pieces = await pieces_of(assets, key)
    assert b"".join(pieces) == content
    assert max(map(len, pieces)) <= 1 << 20


async def test_reading_stops_when_the_client_has_gone(tmp_path: Path):
    assets = Assets(Files(), data=tmp_path, secret=SECRET)
    key = await assets.put(os.urandom(3_000_000), "video/mp4")
    assert len(b"".join(await pieces_of(assets, key, leaves=True))) < 3_000_000


async def pieces_of(assets: Assets, key: str, *, leaves: bool = False) -> list[bytes]:
    """The body as the server would get it, from a client that stays or leaves at once."""
    pieces: list[bytes] = []
    never = asyncio.Event()

    async def receive() -> MutableMapping[str, Any]:
        if not leaves:
            await never.wait()
        return {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        await asyncio.sleep(0)
        pieces.append(message.get("body", b""))

    path, _, query = assets.link(key, base="", seconds=60, now=NOW).partition("?")
    scope: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": query.encode(),
        "headers": [],
    }
    await assets.serve(scope, receive, send, now=NOW)
    return pieces


# What is wrong on the disk.


def spoil(assets: Assets, key: str, content: bytes) -> None:
    assert assets.root is not None
    (assets.root / key[:2] / key).write_bytes(content)


DAMAGE = [CONTENT[:50], b"", CONTENT + b"x", bytes(len(CONTENT))]


@pytest.mark.parametrize("left", DAMAGE[:3], ids=["truncated", "empty", "longer"])
async def test_a_file_of_the_wrong_size_is_not_served_as_if_it_were_right(left: bytes, tmp_path: Path):
    async def sizes(key: str) -> int | None:
        return len(CONTENT)

    assets = Assets(Files(), data=tmp_path, secret=SECRET, sizes=sizes)
    key = await assets.put(CONTENT, "video/mp4")
    assert (await ask(assets, key=key)).status_code == 200
    spoil(assets, key, left)
    for method, asked in (("GET", {}), ("HEAD", {}), ("GET", {"range": "bytes=0-9"})):
        answer = await ask(assets, method, key=key, **asked)
        assert answer.status_code == 500
        assert method == "HEAD" or ("damaged" in answer.text and "100" in answer.text)
    with pytest.raises(Problem, match="damaged"):
        _ = await assets.local_path(key, tmp_path)
    assert await assets.put(CONTENT, "video/mp4") == key
    assert (await ask(assets, key=key)).content == CONTENT


@pytest.mark.parametrize("left", DAMAGE, ids=["truncated", "empty", "longer", "garbled"])
async def test_the_same_bytes_again_mend_what_is_wrong(left: bytes, tmp_path: Path):
    assets = Assets(Files(), data=tmp_path, secret=SECRET)
    key = await assets.put(CONTENT, "video/mp4")
    for again in (CONTENT, tmp_path / "again"):
        spoil(assets, key, left)
        (tmp_path / "again").write_bytes(CONTENT)
        assert await assets.put(again, "video/mp4") == key
        assert await assets.read(key) == CONTENT


async def test_a_reader_who_never_reads_holds_no_file_open(tmp_path: Path):
    assets = Assets(Files(), data=tmp_path, secret=SECRET)
    key = await assets.put(bytes(1 << 20), "video/mp4")
    stream = assets.stream(key)
    assert len(await anext(stream)) < 1 << 20
    assert not [each for each in Path("/proc/self/fd").iterdir() if key in str(os.path.realpath(each))]
    assert sum([len(each) async for each in stream]) == (1 << 20) - PIECE


async def test_more_files_than_there_is_room_for_are_refused_in_words(tmp_path: Path):
    assets = Assets(Files(), data=tmp_path, secret=SECRET, most_sent=2)
    key = await assets.put(CONTENT, "video/mp4")
    assets.sending = 2
    answer = await ask(assets, key=key)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "Too many files" in answer.text
    assert (await ask(assets, "HEAD", key=key)).status_code == 200
    assert (await ask(assets, key=key, if_none_match="*")).status_code == 304
    assets.sending = 1
    assert (await ask(assets, key=key)).content == CONTENT
    assert assets.sending == 1


async def test_a_made_file_that_was_truncated_or_garbled_is_found(start: Callable[..., Any], tmp_path: Path):
    """By the records' own word on its size when it is served, by its digest when the doctor is asked."""
    async with start(models={"gen4_image": {"engine": "script"}}) as running:
        made = await running.client.post("/v1/ai/text-to-image/runway", json={"prompt": "x", "ratio": "720:720"})
        job = await running.finished(from_uuid4_form(made.json()["data"]["task_id"]))
        [asset] = [each.asset for each in job.outputs]
        assert await running.app.store.assets() == (asset,)
        assert await running.app.store.asset_bytes(asset) == job.outputs[0].bytes
        assert await running.app.store.asset_bytes(f"{SHA}.png") is None
        url = running.app.gateway.linked(job, "").outputs[0].url
        assert (await running.client.get(url)).status_code == 200
        settings = msgspec.convert({"server": {"data": str(tmp_path / "data")}}, Settings)
        path = running.app.assets.root / asset[:2] / asset
        content = path.read_bytes()
        for left, status, verdict in (
            (content, 200, Verdict.GOOD),
            (content[:-9], 500, Verdict.BROKEN),
            (content[:-1] + b"!", 200, Verdict.BROKEN),
        ):
            path.write_bytes(left)
            assert (await running.client.get(url)).status_code == status
            found = await asyncio.to_thread(kept_files, settings)
            assert found.verdict is verdict and (verdict is Verdict.GOOD or f"damaged: {asset}" in found.found), found
        path.unlink()
        assert (await running.client.get(url)).status_code == 410
        assert f"not there: {asset}" in (await asyncio.to_thread(kept_files, settings)).found
