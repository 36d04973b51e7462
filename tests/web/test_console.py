"""The console without a browser: who gets in, what other sites cannot do, what a page costs; and the admin API."""

import asyncio
import re
import sqlite3
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, closing
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import uuid_utils

from local_settings import settings as local_settings
from mutoscope.cassettes.folder import FORMAT, Label, create
from mutoscope.cli import open as open_console
from mutoscope.files.assets import place
from mutoscope.files.probe import Drawn
from mutoscope.model.config import Rights
from mutoscope.model.http import HttpRequest
from mutoscope.model.job import Generation, Job, Operation, Output, Sent, State
from mutoscope.model.problem import Kind, Problem
from mutoscope.service.keys import digest, make_key
from mutoscope.web import office
from mutoscope.web.console import POLICY
from mutoscope.web.news import seen
from mutoscope.web.sessions import COOKIE, TRIES, Sessions

Start = Callable[..., AbstractAsyncContextManager[Any]]

LOCAL = "http://localhost:8700"
WISH = {"model": "gen4_image", "promptText": "a cat", "ratio": "1280:720"}
RUNWAY = {"X-Runway-Version": "2024-11-06"}
KEYS = [
    {"name": "root", "sha256": digest("root-secret"), "admin": True},
    {"name": "ann", "sha256": digest("ann-secret")},
]
PAGES = (
    "/", "/console/gallery", "/console/playground", "/console/deliveries", "/console/models", "/console/vendors",
    "/console/spend", "/console/keys", "/console/rehearsals", "/console/storage",
)  # fmt: skip


class Attributes(HTMLParser):
    """Those of a page, and the texts of its scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self.inline = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [(name, value or "") for name, value in attrs]
        self.inline += tag == "style" or (tag == "script" and "src" not in dict(attrs))


def near(running: Any, base: str = LOCAL, address: str = "127.0.0.1") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(running.app.server, client=(address, 5000))
    return httpx.AsyncClient(transport=transport, base_url=base)


async def filed(running: Any, client: httpx.AsyncClient, **more: Any) -> str:
    made = await client.post("/v1/text_to_image", json=WISH | more, headers=RUNWAY)
    assert made.status_code == 200, made.text
    id = running.app.gateway.wires["runway"].job_id(made.json()["id"])
    await running.finished(id)
    return id


async def test_an_open_server_shows_its_console_to_this_machine_only(start: Start) -> None:
    async with start(rehearsal=True) as running:
        for base, address, shown in (
            (LOCAL, "127.0.0.1", True),
            ("http://127.0.0.1:8700", "127.0.0.1", True),
            ("http://[::1]:8700", "::1", True),
            ("http://evil.example", "127.0.0.1", False),  # a name that leads here: DNS rebinding
            ("http://localhost.evil.example", "127.0.0.1", False),
            (LOCAL, "192.0.2.7", False),
        ):
            async with near(running, base, address) as client:
                answers = [(await client.get(path)).status_code for path in ("/console/gallery", "/admin/jobs")]
                assert answers == ([200, 200] if shown else [403, 403]), (base, address)
                assert ("Gallery" in (await client.get("/")).text) is shown


async def test_no_other_site_speaks_for_who_sits_before_an_open_server(start: Start) -> None:
    async with start(rehearsal=True) as running, near(running) as client:
        id = await filed(running, client)
        foreign = (
            {"origin": "https://evil.example"},
            {"origin": "http://localhost:3000"},
            {"origin": "null"},
            {"sec-fetch-site": "cross-site"},
            {"sec-fetch-site": "same-site"},
        )
        for headers in foreign:
            for method, path in (("POST", f"/admin/jobs/{id}/again"), ("DELETE", f"/admin/jobs/{id}")):
                answer = await client.request(method, path, headers=headers)
                assert answer.status_code == 403, (headers, answer.text)
        assert (await client.get("/admin/jobs", headers={"sec-fetch-site": "cross-site"})).status_code == 403
        link = await client.get("/console/gallery", headers={"sec-fetch-site": "cross-site"})
        assert link.status_code == 200  # somebody followed a link
        for headers in ({"origin": LOCAL, "sec-fetch-site": "same-origin"}, {}):  # our page; a command line
            assert (await client.post(f"/admin/jobs/{id}/again", headers=headers)).status_code == 200


async def test_a_key_signs_in_and_out_and_its_cookie_is_strict(start: Start) -> None:
    async with start(keys=KEYS) as running, near(running, "https://media.example") as client:
        ours = {"origin": "https://media.example"}
        asked = await client.get("/console/spend?since=2026-01-01")
        assert asked.status_code == 303
        assert asked.headers["location"] == "/console/sign-in?next=%2Fconsole%2Fspend%3Fsince%3D2026-01-01"
        assert "Sign in" in (await client.get(asked.headers["location"])).text
        assert (await client.get("/admin/jobs")).status_code == 401
        wrong = await client.post("/console/sign-in", data={"key": "nonsense"}, headers=ours)
        assert (wrong.status_code, "set-cookie" in wrong.headers) == (401, False)
        weak = await client.post("/console/sign-in", data={"key": "ann-secret"}, headers=ours)
        assert (weak.status_code, "admin" in weak.text) == (403, True)
        foreign = await client.post(
            "/console/sign-in", data={"key": "root-secret"}, headers={"origin": "https://e.example"}
        )
        assert foreign.status_code == 403
        form = {"key": "root-secret", "next": "//evil.example/x"}
        good = await client.post("/console/sign-in", data=form, headers=ours)
        assert (good.status_code, good.headers["location"]) == (303, "/")
        cookie = good.headers["set-cookie"]
        assert cookie.startswith(f"{COOKIE}=")
        assert {"HttpOnly", "SameSite=Strict", "Secure", "Path=/"} <= set(cookie.split("; "))
        assert "root-secret" not in cookie
        assert "Sign out root" in (await client.get("/")).text
        assert (await client.get("/admin/jobs")).status_code == 200
        assert (await client.post("/admin/sweep", json={})).status_code == 403  # the cookie alone changes nothing
        assert (await client.post("/admin/sweep", json={}, headers=ours)).status_code == 200
        kept = client.cookies[COOKIE]
        assert (await client.post("/console/sign-out", headers=ours)).status_code == 303
        client.cookies.set(COOKIE, kept)  # whoever copied it has nothing
        assert (await client.get("/admin/jobs")).status_code == 401
        assert "Sign in" in (await client.get("/console/spend", follow_redirects=True)).text
        altered = kept[:-2] + ("AA" if kept[-2:] != "AA" else "BB")
        client.cookies.set(COOKIE, altered)
        assert (await client.get("/admin/jobs")).status_code == 401


async def test_a_session_ends_with_its_key(start: Start) -> None:
    async with start() as running, near(running) as client:
        store = running.app.store
        secret, key = make_key("root", Rights(admin=True), now=time.time())
        await store.add_key(key)
        await running.app.keys.refresh()
        signed = await client.post("/console/sign-in", data={"key": secret}, headers={"origin": LOCAL})
        assert signed.status_code == 303
        assert (await client.get("/admin/overview")).status_code == 200
        await store.revoke_key(key.id, now=time.time())
        running.app.keys._asked = float("-inf")
        assert (await client.get("/admin/overview")).status_code == 401


async def test_a_link_signs_in_once_and_tries_are_counted(start: Start) -> None:
    async with start(keys=KEYS) as running, near(running) as client:
        root = {"authorization": "Bearer root-secret"}
        url = (await client.post("/admin/sign-in-links", headers=root)).json()["url"]
        assert (
            await client.post("/admin/sign-in-links", headers={"authorization": "Bearer ann-secret"})
        ).status_code == 403
        assert (await client.get(url)).status_code == 303
        assert (await client.get("/admin/overview")).status_code == 200
        kept = client.cookies[COOKIE]
        client.cookies.clear()
        assert (await client.get(url)).status_code == 401
        # Another process on the same store knows what was ended at this one.
        sessions = running.app.server.sessions
        other = Sessions(running.app.keys, running.app.store, running.app.assets.secret)
        token = url.partition("once=")[2]
        with pytest.raises(Problem, match="This sign-in link is over"):
            await other.with_link(token, "192.0.2.1")
        signed = HttpRequest(method="GET", path="/", headers={"cookie": f"{COOKIE}={kept}", "host": "localhost"})
        assert (await other.operator(signed, "127.0.0.1", LOCAL)).owner == "root"
        await sessions.sign_out(signed)
        with pytest.raises(Problem, match="This session is over"):
            await other.operator(signed, "127.0.0.1", LOCAL)
        own = running.app.server.sessions.link()  # as `mutoscope open` makes it beside the data
        assert (await client.get(f"/console/sign-in?once={own}")).status_code == 303
        client.cookies.clear()
        tries = [
            (await client.post("/console/sign-in", data={"key": "x"}, headers={"origin": LOCAL})).status_code
            for _ in range(TRIES + 1)
        ]
        assert tries[-1] == 429


async def test_every_page_forbids_what_it_does_not_need(start: Start) -> None:
    async with start(rehearsal=True) as running, near(running) as client:
        id = await filed(running, client, promptText="<img src=x onerror=alert(1)>")
        for path in (*PAGES, f"/console/jobs/{id}", "/console/sign-in", "/console/nowhere"):
            answer = await client.get(path)
            assert answer.headers["content-security-policy"] == POLICY, path
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["cache-control"] == "no-store"
            assert "<img src=x" not in answer.text
            page = Attributes(answer.text)
            assert page.inline == 0
            bad = [name for name, _ in page.found if name == "style" or name.startswith("on")]
            outside = [
                value for name, value in page.found if name in ("src", "href", "action") and value[:1] not in "/#?"
            ]
            assert (bad, outside) == ([], []), path
        shown = (await client.get("/console/gallery")).text
        media = re.search(r'src="(/files/[^"]+)"', shown)
        assert media
        file = await client.get(media[1].replace("&amp;", "&"))
        assert file.headers["x-content-type-options"] == "nosniff"
        assert file.headers["content-security-policy"].startswith("sandbox")
        for script in re.findall(r'src="(/console/static/[^"]+)"', shown):
            assert "immutable" in (await client.get(script)).headers["cache-control"]
        assert (await client.get("/console/static/x/../../__init__.py")).status_code == 404


async def test_the_first_page_of_ten_thousand_jobs_costs_no_more_than_three_of_ten(start: Start) -> None:
    async def best(client: httpx.AsyncClient) -> float:
        times = list[float]()
        for _ in range(5):
            began = time.process_time()
            assert (await client.get("/console/gallery")).status_code == 200
            times.append(time.process_time() - began)
        return min(times)

    def job(number: int) -> Job:
        return Job(
            id=str(uuid_utils.uuid7()), wire="runway", route="", owner="", engine="script", created=time.time(),
            generation=Generation(operation=Operation.TEXT_TO_IMAGE, model="gen4_image", prompt=f"job {number}"),
            state=State.SUCCEEDED, finished=time.time(), cost=1.0,
            outputs=(Output(id="x", media_type="image/png", asset=f"{number:064x}.png", bytes=1),),
        )  # fmt: skip

    async with start() as running, near(running) as client:
        store = running.app.store
        await asyncio.gather(*(store.add(job(number)) for number in range(48)))
        few = await best(client)
        with closing(sqlite3.connect(running.app.home.database)) as db, db:  # the same job under ten thousand ids
            names = [row[1] for row in db.execute("PRAGMA table_info(jobs)") if row[1] != "id"]
            ids = [(f"018f0000-0000-7000-8000-{number:012x}",) for number in range(10_000)]
            columns = ", ".join(names)
            db.executemany(f"INSERT INTO jobs (id, {columns}) SELECT ?, {columns} FROM jobs LIMIT 1", ids)
        assert await best(client) <= 3 * few + 0.01
        seen, page = set[str](), "/console/gallery"
        for _ in range(5):  # and it goes on
            text = (await client.get(page)).text
            ids = set(re.findall(r'data-id="([^"]+)"', text))
            assert len(ids) == 48
            assert not ids & seen
            seen |= ids
            more = re.search(r'id="more"[^>]*href="([^"]+)"|href="([^"]+)"[^>]*id="more"', text)
            assert more
            page = (more[1] or more[2]).replace("&amp;", "&")


async def test_the_news_tell_each_change_and_go_on_where_a_watcher_left(start: Start) -> None:
    async with start(rehearsal=True) as running, near(running) as client:
        news, heard = running.app.server.news, list[bytes]()

        async def listen(since: str, wanted: Callable[[bytes], bool]) -> None:
            async with asyncio.timeout(60):
                async for piece in news.watch(since):
                    heard.append(piece)
                    if wanted(b"".join(heard)):
                        return

        first = asyncio.create_task(listen("", lambda text: b'"succeeded"' in text))
        await asyncio.sleep(0)
        id = await filed(running, client)
        await first
        text = b"".join(heard).decode()
        assert id in text
        ids = re.findall(r"^id: (\S+)$", text, re.M)
        heard.clear()
        other = await filed(running, client)  # while nobody watches
        await listen(ids[-1], lambda text: other.encode() in text and b'"succeeded"' in text)
        assert id.encode() not in b"".join(heard)
        assert b"event: reset" not in b"".join(heard)
        heard.clear()
        await listen("other-7", lambda text: b"event: reset" in text)


async def news_until(running: Any, wanted: bytes) -> bytes:
    heard = b""
    async with asyncio.timeout(60):
        async for piece in running.app.server.news.watch():
            heard += piece
            if wanted in heard:
                break
    return heard


async def test_where_more_changed_than_is_remembered_the_news_begin_anew(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mutoscope.web.news.PENDING", 6)  # the first look finds the three tasks of every rehearsal
    async with start(rehearsal=True) as running:
        for number in range(8):
            running.app.server.news.job(f"job-{number}")
        heard = await news_until(running, b"job-7")
        assert heard.index(b"event: reset") < heard.index(b"job-6") < heard.index(b"job-7")
        assert b"job-5" not in heard, "with all the rest it is read anew"


async def test_what_the_news_could_not_read_is_read_anew(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    async with start(rehearsal=True) as running:
        asked: list[str] = []

        async def get(id: str) -> None:
            asked.append(id)
            raise Problem(Kind.UNAVAILABLE, "The job store is not available: the disk reports an error.")

        monkeypatch.setattr(running.app.server.news.store, "get", get)
        assert b"event: job" not in await news_until(running, b"event: reset")
        assert asked


class Brush:
    """Draws at once, without a child."""

    async def draw(self, _path: Path, what: str) -> Drawn:
        media_type = "video/mp4" if what == "preview" else "image/jpeg"
        return Drawn(data=what.encode(), media_type=media_type, width=512, height=288)


async def test_a_tile_shows_its_kind_and_changes_by_itself_when_its_poster_is_drawn(start: Start) -> None:
    async with start(rehearsal=True) as running, near(running) as client:
        clip = {"model": "gen4.5", "promptText": "a lake", "ratio": "1280:720", "duration": 2}
        sound = {"model": "eleven_text_to_sound_v2", "promptText": "rain", "duration": 2}
        ids = [
            running.app.gateway.wires["runway"].job_id(
                (await client.post(path, json=wish, headers=RUNWAY)).json()["id"]
            )
            for path, wish in (("/v1/text_to_video", clip), ("/v1/sound_effect", sound))
        ]
        for id in ids:
            await running.finished(id)
        asked = f"/console/gallery/tiles?ids={','.join(ids)}"
        before = (await client.get(asked)).text
        assert "<small>video</small>" in before and "<small>audio</small>" in before
        assert "#t=0.001" in before and "poster=" not in before and "<img" not in before
        news = running.app.server.news
        news._seen = {id: seen(await running.app.store.get(id)) for id in ids}
        news._jobs.clear()
        await news._look()
        assert not set(ids) & set(news._jobs)
        news._jobs.clear()
        for id in ids:
            await running.app.previews.draw(id, Brush())
        assert set(ids) <= set(news._jobs), "this process says it by itself"
        news._jobs.clear()
        await news._look()
        assert set(ids) <= set(news._jobs), "and another that looks notices it"
        after = (await client.get(asked)).text
        shown = (await client.get("/admin/jobs")).json()["jobs"]
        media = {job["id"]: job["media"] for job in shown}
        assert media[ids[0]]["preview"] != media[ids[0]]["url"]
        for link in (media[ids[0]]["poster"], media[ids[0]]["preview"], media[ids[1]]["poster"]):
            assert link.replace("&", "&amp;") in after
            assert (await client.get(link)).status_code == 200
        assert media[ids[0]]["url"].replace("&", "&amp;") not in after, "what is large is not fetched for a list"


async def test_what_a_jobs_files_say_of_their_making_is_read_back(start: Start) -> None:
    async with start(rehearsal=True) as running, near(running) as client:
        id = await filed(running, client)
        [told] = (await client.get(f"/admin/jobs/{id}/provenance")).json()["outputs"]
        assert told["intact"] is True, told
        assert told["credentials"]["verdict"] == "valid"
        assert told["credentials"]["told"].startswith("intact: not altered since it was signed, by a signer")
        assert told["mark"]["told"].startswith("cannot be looked for here")
        assert f'href="/console/jobs/{id}/provenance"' in (await client.get(f"/console/jobs/{id}")).text
        page = await client.get(f"/console/jobs/{id}/provenance")
        assert page.status_code == 200
        assert told["credentials"]["signer"] in page.text
        [output] = (await running.app.store.get(id)).outputs
        assets = running.app.assets
        path = assets.where / place(output.asset)
        path.chmod(0o600)
        path.write_bytes(path.read_bytes()[:-1])
        for damage in ("damaged", "gone"):
            [told] = (await client.get(f"/admin/jobs/{id}/provenance")).json()["outputs"]
            assert (told["intact"], damage in told["damage"]) == (None, True), told
            assert (await client.get(f"/console/jobs/{id}/provenance")).status_code == 200
            path.unlink(missing_ok=True)
        assert (await client.get("/admin/jobs/nothing/provenance")).status_code == 404


async def test_cassettes_are_listed_and_shown_where_there_are_any(start: Start, tmp_path: Path) -> None:
    async with start() as running, near(running) as client:
        assert "/console/cassettes" not in (await client.get("/")).text
        assert (await client.get("/admin/cassettes")).json()["cassettes"] == []
        assert "records and replays nothing" in (await client.get("/console/cassettes")).text
    root, now = tmp_path / "tapes", datetime.now(UTC)
    root.mkdir()
    answer = {
        "step": "submit",
        "turn": 0,
        "at": 0.1,
        "status": 200,
        "json": {"id": "x", "url": "https://e/?sig=hidden"},
    }
    for name, recorded in (("one", now - timedelta(hours=1)), ("two", now)):
        label = Label(format=FORMAT, kind="job", wire="runway", account="acme", model="gen4_image", recorded=recorded,
                      mutoscope="1", vendor="https://vendor.example")  # fmt: skip
        files = {"answers/001-submit.json": msgspec.json.encode(answer)}
        create(root / name, label, {"prompt": "<b>a cat"}, files)
    (root / "bad").mkdir()
    (root / "bad" / "cassette.toml").write_text("format = 99")
    (tmp_path / "cassette.toml").write_text("format = 1")  # outside
    accounts = {"acme": {"wire": "runway", "key": "k", "base_url": "http://127.0.0.1:9"}}
    async with start(accounts=accounts, cassettes={"record": str(root)}) as running, near(running) as client:
        assert 'href="/console/cassettes"' in (await client.get("/")).text
        told = (await client.get("/admin/cassettes")).json()
        assert [each["name"] for each in told["cassettes"]] == ["two", "one", "bad"]
        assert "format 1" in told["cassettes"][2]["problem"]
        page = (await client.get("/console/cassettes")).text
        assert "&lt;b&gt;a cat" in page and 'href="/console/cassettes/two"' in page
        shown = (await client.get("/admin/cassettes/two")).json()
        assert (shown["wire"], shown["model"]) == ("runway", "gen4_image")
        assert shown["recorded"] == pytest.approx(now.timestamp(), abs=0.01)
        assert '"id": "x"' in shown["exchanges"][0]["body"]
        assert "gen4_image" in (await client.get("/console/cassettes/two")).text
        for name, status in (("bad", 409), ("three", 404), ("%2e%2e", 404)):
            answer = await client.get(f"/admin/cassettes/{name}")
            assert answer.status_code == status, (name, answer.text)


async def test_the_admin_api_tells_lists_repeats_and_deletes_jobs(start: Start) -> None:
    async with start(rehearsal=True) as running, near(running) as client:
        id = await filed(running, client)
        failed = await filed(running, client, promptText="fail refused not today")
        listed = (await client.get("/admin/jobs", params={"state": "failed", "limit": 5})).json()["jobs"]
        assert [job["id"] for job in listed] == [failed]
        assert listed[0]["error"] == {"kind": "refused", "message": "not today"}
        today = time.strftime("%Y-%m-%d", time.gmtime())
        for query, found in (
            ({"day": today}, True), ({"day": "2001-01-01"}, False), ({"wire": "runway"}, True),
            ({"owner": "nobody"}, False), ({"engine": "script"}, True), ({"model": "veo3"}, False),
        ):  # fmt: skip
            jobs = (await client.get("/admin/jobs", params=query)).json()["jobs"]
            assert (id in {job["id"] for job in jobs}) is found, query
        told = (await client.get(f"/admin/jobs/{id}")).json()
        assert told["views"]["came"]["path"] == "/v1/text_to_image"
        assert '"a cat"' in told["views"]["understood"]
        assert '"SUCCEEDED"' in told["views"]["answered"]["body"]
        assert [each["title"] for each in told["copies"]] == ["curl", "Python", "JavaScript", "mutoscope", "pytest"]
        assert "client.text_to_image.create(" in told["copies"][1]["text"]
        compile(told["copies"][1]["text"], "copied", "exec")
        compile(told["copies"][4]["text"], "copied", "exec")
        again = (await client.post(f"/admin/jobs/{id}/again", json={"engine": "script"})).json()
        assert (await running.finished(again["id"])).state is State.SUCCEEDED
        overview = (await client.get("/admin/overview")).json()
        assert overview["failures"][0]["kind"] == "refused"
        assert overview["jobs"]["succeeded"] >= 2
        assert (await client.delete(f"/admin/jobs/{again['id']}")).status_code == 200
        assert (await client.get(f"/admin/jobs/{again['id']}")).status_code == 404
        for method, path, body, status in (
            ("GET", "/admin/jobs?limit=0", None, 400), ("GET", "/admin/jobs?day=2026-13-77", None, 400),
            ("POST", f"/admin/jobs/{id}/cancel", None, 409), ("POST", f"/admin/jobs/{id}/again", {"engine": "x"}, 400),
            ("PUT", "/admin/jobs", None, 405), ("GET", "/admin/nothing", None, 404), ("POST", "/admin/forget", {}, 400),
            ("POST", "/admin/estimate", {"wire": "runway", "path": "/v1/nothing"}, 404),
            ("POST", "/admin/estimate", {"wire": "acme", "path": "/"}, 400),
        ):  # fmt: skip
            answer = await client.request(method, path, json=body)
            assert (answer.status_code, "error" in answer.json()) == (status, True), (path, answer.text)


async def test_one_wish_is_shown_in_every_vendors_words_and_costs_nothing(start: Start) -> None:
    async with start() as running, near(running) as client:
        wish = {"wire": "runway", "path": "/v1/text_to_video",
                "body": {"model": "veo3.1", "promptText": "a boat", "ratio": "1280:720", "duration": 8}}  # fmt: skip
        bill = (await client.post("/admin/estimate", json=wish)).json()
        assert bill["credits"] > 0
        assert bill["engine"] == "studio"
        found = (await client.post("/admin/translate", json=wish)).json()["requests"]
        said = {each["wire"]: each for each in found if "body" in each}
        assert len(said) >= 5, [each.get("problem") for each in found]
        assert all("a boat" in each["body"] for each in said.values())
        assert (await client.get("/admin/jobs")).json()["jobs"] == []
        problem = await client.post("/admin/estimate", json=wish | {"body": wish["body"] | {"duration": 700}})
        assert problem.status_code == 400


async def test_a_submission_of_unknown_fate_is_settled_by_hand(start: Start) -> None:
    accounts = {"acme": {"wire": "runway", "key": "k", "base_url": "http://127.0.0.1:9"}}
    async with start(accounts=accounts) as running, near(running) as client:
        store, now = running.app.store, time.time()
        job = Job(
            id=str(uuid_utils.uuid7()), wire="runway", route="", owner="", engine="elsewhere", created=now,
            generation=Generation(operation=Operation.TEXT_TO_IMAGE, model="gen4_image", prompt="paid?"),
        )  # fmt: skip
        await store.add(job)
        [taken] = await store.claim(engine="elsewhere", worker="w", lease_seconds=600, limit=1, now=now)
        dispatch = await store.intend(taken.id, "w", account="acme", reference="r", now=now)
        await store.resolve(job.id, number=dispatch.number, sent=Sent.UNKNOWN, detail="lost", now=now)
        [each] = (await client.get("/admin/vendors")).json()["unknown"]
        assert (each["job"], each["detail"]) == (job.id, "lost")
        assert "paid?" in (await client.get("/console/vendors")).text
        path = f"/admin/submissions/{job.id}/{each['number']}/settle"
        assert (await client.post(path, json={"verdict": "accepted"})).json()["field"] == "task"
        assert (await client.post(path, json={"verdict": "unsent", "note": "their list"})).status_code == 200
        assert (await client.post(path, json={"verdict": "unsent"})).status_code == 409
        assert (await client.get("/admin/vendors")).json()["unknown"] == []


async def test_faults_are_met_in_a_rehearsal_only(start: Start) -> None:
    async with start() as running, near(running) as client:
        assert (await client.post("/admin/faults", json={"what": "slow"})).status_code == 409
    async with start(rehearsal=True) as running, near(running) as client:
        fault = {"wire": "runway", "what": "rate_limited", "times": 1}
        id = (await client.post("/admin/faults", json=fault)).json()["id"]
        statuses = [(await client.post("/v1/text_to_image", json=WISH, headers=RUNWAY)).status_code for _ in range(2)]
        assert statuses == [429, 200]
        assert (await client.delete(f"/admin/faults/{id}")).status_code == 404  # it was met
        await client.post("/admin/faults", json={"what": "lost", "times": 1})
        before = len((await client.get("/admin/jobs")).json()["jobs"])
        lost = await client.post("/v1/text_to_image", json=WISH, headers=RUNWAY)
        assert lost.status_code >= 500
        assert len((await client.get("/admin/jobs")).json()["jobs"]) == before + 1


@pytest.mark.parametrize("page", ["/console/spend", "/admin/spending.csv"])
async def test_spending_is_told_by_day_and_a_spreadsheet_runs_no_formula(page: str, start: Start) -> None:
    keys = [*KEYS, {"name": "=cmd()", "sha256": digest("formula")}]
    async with start(keys=keys, rehearsal=True) as running, near(running) as client:
        made = await client.post("/v1/text_to_image", json=WISH, headers=RUNWAY | {"authorization": "Bearer formula"})
        await running.finished(running.app.gateway.wires["runway"].job_id(made.json()["id"]))
        await client.post("/console/sign-in", data={"key": "root-secret"}, headers={"origin": LOCAL})
        text = (await client.get(page)).text
        assert "=cmd()" in text
        assert not re.search(r"(^|,)=cmd", text, re.M)
        assert (await client.get("/admin/spending?since=2026-02-31")).status_code == 400


async def test_an_owner_is_counted_before_it_is_forgotten(start: Start) -> None:
    async with start(rehearsal=True) as running, near(running) as client:
        await filed(running, client)
        count = (await client.post("/admin/forget", json={"owner": ""})).json()
        assert (count["dry_run"], count["files"] > 0) == (True, True)
        unsure = await client.post("/admin/forget", json={"owner": "ann", "dry_run": False})
        assert (unsure.status_code, unsure.json()["field"]) == (400, "sure")
        assert (await client.post("/admin/sweep", json={"dry_run": True})).json()["dry_run"] is True


async def test_every_call_is_described_and_answers(start: Start) -> None:
    async with start(rehearsal=True) as running, near(running) as client:
        document = (await client.get("/openapi.json")).json()
        for call in office.CALLS:
            told = document["paths"][call.path][call.method.lower()]
            assert told["tags"] == ["admin"]
            assert told["security"] == [{"admin": []}]
            if call.method == "GET" and "{" not in call.path:
                assert (await client.get(call.path)).status_code == 200, call.path
        assert office.EVENTS in document["paths"]


async def test_the_command_line_prints_an_address_that_signs_in(
    start: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with start(keys=KEYS) as running, near(running, "http://127.0.0.1:8700") as client:
        there = local_settings(keys=KEYS, server={"data": str(running.app.home.root)})
        url = await asyncio.to_thread(open_console.here, there)
        assert url.startswith("http://127.0.0.1:8700/console/sign-in?once=")
        assert (await client.get(url)).status_code == 303
        assert (await client.get("/admin/overview")).status_code == 200
    nowhere = local_settings(server={"data": str(tmp_path / "none")})
    assert await asyncio.to_thread(open_console.here, nowhere) == "http://127.0.0.1:8700/"
