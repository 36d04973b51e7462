"""What servers of this kind were breached by, each tried on this one. docs/07-security.md has the table."""

import ast
import base64
import hmac
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from mutoscope import wires
from mutoscope.background import webhooks
from mutoscope.model.config import BadSettings, load
from mutoscope.service.keys import digest
from mutoscope.wirekit.routes import Read, Stop
from mutoscope.wirekit.wire import Wire

Start = Callable[..., Any]
SECRET = "ms_" + "k3y0fann" * 5
KEYS = [{"name": "ann", "sha256": digest(SECRET)}, {"name": "bob", "sha256": digest("bobs-secret")}]
ANN = {"x-freepik-api-key": SECRET}
RUNWAY = {"x-runway-version": "2024-11-06"}
IMAGE = "/v1/ai/text-to-image/runway"
EVERY_WIRE = pytest.mark.parametrize("wire", wires.ALL, ids=lambda wire: wire.name)

REQUEST_ID = re.compile(r'"request_id": ?"[^"]*",?')

SQL = (
    "' OR '1'='1",
    "' OR 1=1 --",
    "x' UNION SELECT name FROM sqlite_master --",
    "x'; DROP TABLE jobs; --",
    '" OR ""="',
    "\\' OR 1=1 --",
    "%27 OR 1=1",
    "') OR ('1'='1",
    "1 OR 1=1",
    "ann",
    "*",
    "%",
    "_" * 43,
    "null",
    "[]",
)


@pytest.fixture
async def guarded(start: Start) -> AsyncIterator[Any]:
    """A server that takes two keys."""
    async with start(rehearsal=True, keys=KEYS) as running:
        yield running


async def made_by_ann(running: Any) -> str:
    answer = await running.client.post(IMAGE, json={"prompt": "x", "ratio": "720:720"}, headers=ANN)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]["task_id"]


def credentials(secret: str) -> dict[str, str]:
    """The secret, in every header in which a wire may look for it."""
    return {"authorization": f"Bearer {secret}", "x-freepik-api-key": secret, "x-magnific-api-key": secret, **RUNWAY}


# -- SQL injection in the key check -------------------------------------------------------------


@pytest.mark.parametrize("secret", SQL)
async def test_a_key_made_of_sql_is_a_wrong_key(secret: str, guarded: Any) -> None:
    public = await made_by_ann(guarded)
    for path in (f"{IMAGE}/{public}", f"/v1/tasks/{public}", "/v1/organization", f"/api/v1/tasks/{public}", IMAGE):
        answer = await guarded.client.get(path, headers=credentials(secret))
        assert answer.status_code == 401, (path, answer.text)
    assert (await guarded.client.get(f"{IMAGE}/{public}", headers=ANN)).status_code == 200


@pytest.mark.parametrize("text", SQL)
async def test_sql_in_a_path_or_a_query_finds_nothing_and_breaks_nothing(text: str, guarded: Any) -> None:
    public = await made_by_ann(guarded)
    bob = credentials("bobs-secret")
    for path, query in (
        (f"{IMAGE}/{text}", {}),
        (f"/v1/tasks/{text}", {}),
        (IMAGE, {"page": text}),
        (IMAGE, {text: text}),
    ):
        answer = await guarded.client.get(path, params=query, headers=bob)
        assert answer.status_code < 500, (path, answer.text)
        assert public not in answer.text
    assert (await guarded.client.get(f"{IMAGE}/{public}", headers=ANN)).status_code == 200


# -- keys that are cached, or compared, by their beginning ----------------------------------------


async def test_a_key_that_begins_like_a_good_one_is_wrong(guarded: Any) -> None:
    public = await made_by_ann(guarded)  # the good key has been seen
    path = f"{IMAGE}/{public}"
    wrong = [SECRET[:at] for at in range(1, len(SECRET))]
    wrong += [SECRET + tail for tail in ("x", "0", "=", SECRET)]
    wrong += [SECRET[:-1] + "x", SECRET.upper(), SECRET[::-1], digest(SECRET), digest(SECRET)[:16]]
    for secret in wrong:
        assert (await guarded.client.get(path, headers={"x-freepik-api-key": secret})).status_code == 401, secret
        assert (await guarded.client.get(path, headers=ANN)).status_code == 200


async def test_a_key_is_found_by_the_digest_of_all_of_it(guarded: Any) -> None:
    """The digest, which is what is kept, opens nothing; nor does the key with anything before or behind it."""
    path = f"{IMAGE}/{await made_by_ann(guarded)}"
    for secret in (
        digest(SECRET),
        digest(SECRET).upper(),
        SECRET[1:],
        SECRET * 2,
        f"{SECRET}, {SECRET}",
        f"Bearer {SECRET}",
    ):
        assert (await guarded.client.get(path, headers={"x-freepik-api-key": secret})).status_code == 401, secret


# -- authorisation by the request's URL -----------------------------------------------------------


@EVERY_WIRE
async def test_every_route_of_every_wire_asks_for_a_key(wire: Wire, guarded: Any) -> None:
    for mount in ("", f"/{wire.name}"):
        for route in wire.routes:
            path = mount + "/".join("x" if part.startswith("{") else part for part in route.path.split("/"))
            body: dict[str, Any] = {} if route.method in ("GET", "DELETE") else {"json": {}}
            answer = await guarded.client.request(route.method, path, headers=RUNWAY, **body)
            if isinstance(route, Read) and route.keyless:
                continue
            denied = (200,) if route.path.startswith(wire.quiet) else (401, 403)  # 403: two paths of Ideogram's
            assert answer.status_code in denied and ("key" in answer.text or 200 not in denied), (
                route.method,
                path,
                answer.text,
            )


SPELLINGS = (
    *(
        "/{}",
        "//{}",
        "/./{}",
        "/x/../{}",
        "/{}/",
        "/{}//",
        "/{}/.",
        "/{};a=b",
        "/{}?key=ann",
        "/{}#x",
        "/{}%00",
        "/{}%20",
    ),
    *("/%2e/{}", "/healthz/../{}", "/docs/../{}", "/files/../{}", "/openapi.json/../{}", "/{}.json", "/{}/healthz"),
    *("/freepik/{}", "/FREEPIK/{}", "/freepik//{}", "/freepik/freepik/{}", "/freepik/../{}", "/runway/../{}"),
    *("/{}/../../../../healthz", "/uploads/../{}", "/%2f{}", "/{}%2f", "/{}\\", "/\\{}"),
)
MISLEADING = (
    {"x-original-url": "/healthz"},
    {"x-rewrite-url": "/healthz"},
    {"x-forwarded-path": "/healthz"},
    {"x-forwarded-for": "127.0.0.1", "x-real-ip": "127.0.0.1", "forwarded": "for=127.0.0.1"},
    {"host": "127.0.0.1/healthz"},
    {"host": "localhost"},
    {"origin": "http://localhost", "referer": "http://localhost/docs"},
    {"x-http-method-override": "OPTIONS", "x-method-override": "OPTIONS"},
    {"x-mutoscope-engine": "script", "x-mutoscope-owner": "ann"},
    {"cookie": "owner=ann; session=1"},
)


async def test_no_spelling_of_a_path_goes_round_the_key(guarded: Any) -> None:
    public = await made_by_ann(guarded)
    path = f"{IMAGE}/{public}"[1:]
    for spelling in SPELLINGS:
        for method in ("GET", "HEAD", "OPTIONS", "DELETE", "POST", "PROPFIND"):
            answer = await guarded.client.request(method, spelling.format(path))
            told = (method, spelling, answer.status_code, answer.text)
            assert "generated" not in answer.text and "task_id" not in answer.text, told
            assert answer.status_code in (400, 401, 404, 405) or "healthz" in spelling, told
    for headers in MISLEADING:
        answer = await guarded.client.get(f"/{path}", headers=headers)
        assert answer.status_code == (400 if "/" in headers.get("host", "") else 401), headers
    assert (await guarded.client.get(f"/{path}", headers=ANN)).status_code == 200


@EVERY_WIRE
async def test_a_stranger_with_a_key_does_not_find_anothers_job_at_any_route(wire: Wire, guarded: Any) -> None:
    """Not even that there is one: the answer is what it is for a job that never was."""
    public = await made_by_ann(guarded)
    nobodys = public[:-6] + ("000000" if public[-6:] != "000000" else "000001")
    for route in wire.routes:
        if not isinstance(route, Read | Stop):
            continue
        told: list[tuple[int, str]] = []
        for id in (public, nobodys):
            path = "/".join(id if part.startswith("{") else part for part in route.path.split("/"))
            answer = await guarded.client.request(route.method, path, headers=credentials("bobs-secret"))
            told.append((answer.status_code, REQUEST_ID.sub("", answer.text.replace(id, "ID"))))
        assert told[0] == told[1]
    assert (await guarded.client.get(f"{IMAGE}/{public}", headers=ANN)).status_code == 200


# -- SVG and pages, served as such -------------------------------------------------------------------


@pytest.mark.parametrize(
    "page", [b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", b"<!DOCTYPE html><script>"]
)
async def test_an_upload_that_is_an_svg_or_a_page_is_not_taken(page: bytes, guarded: Any) -> None:
    wish = {"files": [{"content_type": "image/png"}]}
    opened = await guarded.client.post("/v1/ai/uploads/request-url", json=wish, headers=ANN)
    [slot] = opened.json()["files"]
    sent = await guarded.client.put(slot["upload_url"], content=page, headers={"content-type": "image/svg+xml"})
    assert sent.status_code == 400
    assert (await guarded.client.get(slot["asset_url"])).status_code == 404


# -- an empty webhook secret -----------------------------------------------------------------------------


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_="])
def test_nothing_is_signed_with_an_empty_secret(secret: str) -> None:
    with pytest.raises(ValueError, match="secret"):
        webhooks.sign(secret, "msg_1", 1_700_000_000, b"{}")


@pytest.mark.parametrize(
    "secret", ["whsec_", "whsec_eA==", "x", "short", "whsec_" + base64.b64encode(b"x" * 15).decode()]
)
def test_a_server_does_not_start_with_a_webhook_secret_that_can_be_guessed(secret: str, tmp_path: Path) -> None:
    file = tmp_path / "mutoscope.toml"
    file.write_text(f'[webhooks]\nsecret = "{secret}"\n')
    with pytest.raises(BadSettings, match=r"\$\.webhooks\.secret"):
        load(file, {})


async def test_a_webhook_of_a_server_without_a_configured_secret_does_not_verify_with_an_empty_one(
    start: Start,
) -> None:
    async with start(rehearsal=True) as running:
        secret = running.app.webhook_secret
        sent = webhooks.headers(secret, "msg_1", 1_700_000_000.0, b"{}")["webhook-signature"].split()
        for empty in (b"", b"whsec_"):
            made = base64.b64encode(hmac.digest(empty, b"msg_1.1700000000.{}", "sha256")).decode()
            assert f"v1,{made}" not in sent
        assert len(base64.b64decode(secret.removeprefix("whsec_"))) >= 24


# -- open by default ---------------------------------------------------------------------------------------


async def test_a_server_with_keys_has_no_door_without_one(guarded: Any) -> None:
    """What it says to everybody: that it is there, whether it is well, and its documents; nothing of anybody's."""
    public = await made_by_ann(guarded)
    for path in ("/", "/docs", "/openapi.json", "/healthz", "/readyz"):
        answer = await guarded.client.get(path)
        assert answer.status_code == 200
        assert public not in answer.text and "ann" not in answer.text.split() and SECRET not in answer.text
    for path in ("/metrics", "/admin", "/admin/keys", "/keys", "/jobs", "/debug", "/.env", "/mutoscope.toml", "/files"):
        assert (await guarded.client.get(path)).status_code in (401, 403, 404), path


async def test_an_empty_key_names_nobody(guarded: Any) -> None:
    for header in ("authorization", "x-freepik-api-key", "x-magnific-api-key"):
        for value in ("", " ", "Bearer", "Bearer ", "Basic YTpi", "Bearer null", "Bearer undefined"):
            for path in (IMAGE, "/v1/organization", f"/api/v1/tasks/{'0' * 36}"):
                answer = await guarded.client.get(path, headers={**RUNWAY, header: value})
                assert answer.status_code == 401, (header, value, path)


# -- the table of them ----------------------------------------------------------------------------------------

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "07-security.md"
ADVISORIES = (
    *(
        "SQL injection in the key check",
        "key caches by prefix",
        "authorisation by the request's URL",
        "SSRF by redirect",
    ),
    *("SSRF by 0.0.0.0", "SSRF by DNS", "size caps applied after the download", "SVG served as a page"),
    *("an empty webhook secret verifies", "open by default"),
)


NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def test_every_advisory_of_the_peers_is_in_the_table_with_a_test() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| ") and NAMED.search(line)]
    assert len(rows) == len(ADVISORIES)
    for advisory in ADVISORIES:
        assert [row for row in rows if row.startswith(f"| {advisory}")], advisory


def test_every_test_that_the_page_names_exists() -> None:
    text = PAGE.read_text()
    named = NAMED.findall(text)
    assert len(named) == text.count("::test_") > 20
    for file, name in named:
        assert name in functions(ROOT / file), f"{file}::{name}"


def functions(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
