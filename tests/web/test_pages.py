"""What people and machines read about the server itself."""

import base64
import hashlib
import html
import json
import re
import shlex
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from html.parser import HTMLParser
from types import MappingProxyType

import httpx
import pytest

from mutoscope.service.keys import digest
from mutoscope.web.pages import Html, as_page, tag
from mutoscope.wires import ALL

Start = Callable[..., AbstractAsyncContextManager]

PAGES = ("/", "/docs", "/openapi.json", "/healthz", "/readyz")
VOID = {"meta", "link", "br"}


class Shape(HTMLParser):
    """Reads a page, and insists that what opens is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.texts: dict[str, list[str]] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open:
            self.texts.setdefault(self.open[-1], []).append(data)


def read(page: str) -> Shape:
    shape = Shape()
    shape.feed(page)
    shape.close()
    assert shape.open == []
    return shape


def command_lines(page: str) -> list[list[str]]:
    return [
        shlex.split(html.unescape(text).replace("\\\n", "")) for text in re.findall(r"<pre>(.*?)</pre>", page, re.S)
    ]


async def sent(client: httpx.AsyncClient, words: list[str]) -> httpx.Response:
    """Do what a curl command line says."""
    headers = dict(words[n + 1].split(": ", 1) for n, word in enumerate(words) if word == "-H")
    data = next((words[n + 1] for n, word in enumerate(words) if word == "-d"), None)
    url = next(word for word in words if word.startswith("http"))
    return await client.request("POST" if data else "GET", url, headers=headers, content=data)


async def test_the_landing_page_says_what_is_here(start: Start) -> None:
    async with start() as running:
        page = (await running.client.get("/")).text
    shape = read(page)
    for wire in ALL:
        assert wire.title in shape.texts["a"]
        assert f"http://gateway.test/{wire.name}" in shape.texts["code"]
    assert "gen4.5" in shape.texts["code"]
    assert "studio" in shape.texts["code"]
    assert {"/docs", "/openapi.json"} <= {value for _, name, value in shape.attributes if name == "href"}


async def test_the_command_lines_of_the_landing_page_work_as_they_stand(start: Start) -> None:
    async with start(rehearsal=True) as running:
        create, ask = command_lines((await running.client.get("/")).text)
        assert create[2].startswith("http://gateway.test/")
        made = await sent(running.client, create)
        assert made.status_code == 200, made.text
        task = made.json()
        id = task.get("data", task).get("task_id") or task["id"]
        shown = await sent(running.client, [word.replace("$ID", id) for word in ask])
        assert id in shown.text


async def test_with_keys_the_command_lines_carry_one(start: Start) -> None:
    keys = [{"name": "ann", "sha256": digest("secret")}]
    async with start(rehearsal=True, keys=keys) as running:
        create, _ = command_lines((await running.client.get("/")).text)
        assert (await sent(running.client, create)).status_code == 401
        made = await sent(running.client, [word.replace("$MUTOSCOPE_KEY", "secret") for word in create])
        assert made.status_code == 200, made.text


async def test_the_landing_page_counts_jobs_and_lists_none(start: Start) -> None:
    async with start(rehearsal=True) as running:
        create, _ = command_lines((await running.client.get("/")).text)
        marked = [word.replace("lighthouse", "unrepeatable") for word in create]
        task = (await sent(running.client, marked)).json()
        page = (await running.client.get("/")).text
    assert "unrepeatable" not in page
    assert str(task.get("data", task).get("task_id")) not in page
    counts = {state: int(count) for count, state in re.findall(r"<b>(\d+)</b> (\w+)", page)}
    assert set(counts) == {"queued", "running", "succeeded", "failed", "canceled"}
    assert sum(counts.values()) >= 1


async def test_a_rehearsal_is_told(start: Start) -> None:
    async with start(rehearsal=True) as running:
        assert "rehearses" in (await running.client.get("/")).text
    async with start() as running:
        assert "rehearses" not in (await running.client.get("/")).text


async def test_the_docs_show_every_route_with_its_fields(start: Start) -> None:
    async with start() as running:
        page = (await running.client.get("/docs")).text
    shape = read(page)
    for wire in ALL:
        for route in wire.routes:
            assert route.path.replace("…", "") in shape.texts["code"]
    assert "<td><code>image</code><sup> required</sup></td>" in page
    assert "<td><code>5</code> <code>8</code> <code>10</code> </td>" in page
    assert "<td>0 to 4,294,967,295</td>" in page
    assert "An HTTP(S) URL, a data URI or bare base64." in page
    described = [route for wire in ALL for route in wire.routes if route.method != "QUERY"]
    assert len(command_lines(page)) == len(described)


async def test_pages_ask_for_nothing_from_outside(start: Start) -> None:
    """No script at all; the only links that leave are those that a person follows."""
    async with start() as running:
        for path in ("/", "/docs"):
            answer = await running.client.get(path)
            shape = read(answer.text)
            assert "script" not in shape.texts
            assert not [each for each in shape.attributes if each[1] == "src" or each[1].startswith("on")]
            assert {value for tag, name, value in shape.attributes if tag == "link" and name == "href"} == {"data:,"}
            style = shape.texts["style"][0]
            allowed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
            policy = answer.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert f"'sha256-{allowed}'" in policy
            assert answer.headers["x-content-type-options"] == "nosniff"


async def test_the_published_document_names_the_address_it_was_asked_under(start: Start) -> None:
    async with start() as running:
        here = (await running.client.get("/openapi.json")).json()
        there = (await running.client.get("/openapi.json", headers={"host": "other.test:81"})).json()
    assert here["servers"] == [{"url": "http://gateway.test"}]
    assert there["servers"] == [{"url": "http://other.test:81"}]
    paths = {route.path.replace("…", "") for wire in ALL for route in wire.routes}
    shared = {f"/{wire.name}{path}" for wire in ALL for path in paths}  # where an earlier vendor has the path too
    assert paths <= {path for path in here["paths"] if not path.startswith("/admin/")} <= paths | shared


async def test_a_public_url_goes_before_the_address_of_the_request(start: Start) -> None:
    async with start(server={"public_url": "https://media.example.com/"}) as running:
        document = (await running.client.get("/openapi.json")).json()
        assert document["servers"] == [{"url": "https://media.example.com"}]
        assert "https://media.example.com/freepik" in (await running.client.get("/")).text


@pytest.mark.parametrize("host", ["<script>", "a; rm -rf ~", '"$(id)"', "a b", ""])
async def test_a_host_that_is_none_is_not_repeated(start: Start, host: str) -> None:
    async with start() as running:
        for path in ("/", "/docs", "/openapi.json"):
            answer = await running.client.get(path, headers={"host": host})
            assert answer.status_code == 400 and "header Host should be" in answer.text
            assert not host or f"http://{html.escape(host)}" not in answer.text


async def test_a_server_that_works_is_well_and_ready(start: Start) -> None:
    async with start() as running:
        for path in ("/healthz", "/readyz"):
            answer = await running.client.get(path)
            assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_a_draining_server_is_well_but_not_ready(start: Start) -> None:
    async with start() as running:
        running.app.gateway.signals.draining = True
        assert (await running.client.get("/healthz")).status_code == 200
        answer = await running.client.get("/readyz")
        assert (answer.status_code, answer.json()) == (
            503,
            {"status": "draining", "failing": {"draining": "the server is shutting down"}},
        )


async def test_a_server_whose_store_is_gone_is_not_ready_and_still_has_its_pages(start: Start) -> None:
    async with start() as running:
        await running.app.store.close()
        assert (await running.client.get("/healthz")).status_code == 200
        assert (await running.client.get("/readyz")).status_code == 503
        page = await running.client.get("/")
        assert page.status_code == 200
        assert "The store does not answer" in page.text


async def test_an_unknown_path_is_told_what_there_is(start: Start) -> None:
    async with start() as running:
        answer = await running.client.get("/nowhere")
    assert answer.status_code == 404
    told = answer.json()
    assert "/nowhere" in told["error"]
    assert set(told["wires"]) == {wire.name for wire in ALL}
    assert set(told["pages"]) == set(PAGES)


@pytest.mark.parametrize("path", [*PAGES, "/nowhere"])
async def test_head_answers_as_get_does_without_the_body(start: Start, path: str) -> None:
    async with start() as running:
        got, asked = await running.client.get(path), await running.client.head(path)
    assert asked.status_code == got.status_code
    assert asked.content == b""
    assert asked.headers["content-length"] == str(len(got.content))
    assert asked.headers["content-type"] == got.headers["content-type"]


async def test_a_page_takes_no_posts(start: Start) -> None:
    async with start() as running:
        answer = await running.client.post("/docs")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"


async def test_a_slash_at_the_end_is_no_other_page(start: Start) -> None:
    async with start() as running:
        assert (await running.client.get("/docs/")).text == (await running.client.get("/docs")).text


def test_every_text_is_escaped_and_markup_is_not() -> None:
    assert tag("a", "<b>", tag("i", "x & y"), href='"><script>') == (
        '<a href="&quot;&gt;&lt;script&gt;">&lt;b&gt;<i>x &amp; y</i></a>'
    )
    assert Html("<b>") + "<i>" == "<b>&lt;i&gt;"
    page = as_page("<title>", tag("p", "<script>"), kept=MappingProxyType({})).body
    assert b"<script>" not in bytes(page)
    assert b"&lt;title&gt;" in bytes(page)


async def test_the_document_is_json_for_every_reader(start: Start) -> None:
    async with start() as running:
        answer = await running.client.get("/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    assert json.loads(answer.content)["openapi"].startswith("3.1")


async def test_a_server_with_keys_does_not_tell_strangers_how_busy_it_is(start: Start) -> None:
    async with start(keys=[{"name": "ann", "sha256": digest("secret")}]) as running:
        page = (await running.client.get("/")).text
        assert "<h2>Jobs</h2>" not in page
    async with start() as running:
        assert "<h2>Jobs</h2>" in (await running.client.get("/")).text
