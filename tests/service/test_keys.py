"""Keys: made, taken, held to their rights and given up; and what their owners see of each other, which is nothing."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import uuid_utils

import sampled
from in_turn import noted
from mutoscope.model.config import Key, Rights
from mutoscope.model.http import HttpRequest
from mutoscope.model.job import Generation, Job, Operation, State
from mutoscope.model.problem import Kind, Problem
from mutoscope.model.requests import Upload
from mutoscope.service.keys import Caller, Keys, digest, make_key
from mutoscope.service.routing import Routes
from mutoscope.store import KeyRecord, SqliteStore
from mutoscope.web import openapi, pages, server
from mutoscope.wirekit.routes import AccountRead, Create, List, ListUploads, OpenUploads, Read, Route, Stop, UsageRead
from mutoscope.wirekit.wire import Wire
from mutoscope.wires import BY_NAME

Start = Callable[..., Any]
IMAGE = "/v1/ai/text-to-image/runway"
PICTURE = {"prompt": "x", "ratio": "720:720"}
STILL = {"rehearsal": True, "script": {"slots": 0}, "inputs": {"probe": "never"}}  # nothing is made or fetched
DOCUMENT = openapi.build(sampled.ALL, title="t", version="1")
EXAMPLES = {(each.method.upper(), each.path): each.example for each in openapi.operations(DOCUMENT) if each.body}
NOT_THERE = '"code":"task_not_exist"'  # what Suno's and Udio's relays say of it, with 400
NAMED = {"{owner}": "black-forest-labs", "{name}": "flux-schnell", "{app…}": "fal-ai/flux/schnell"}
UNKNOWN = re.compile('"task_status":"UNKNOWN"|"status_code":2013')  # of a task that is not known, with 200
GOES_ON = {"POST /v2/video_regeneration": "source_task_id"}
"""Creates whose body names an earlier job."""
BY_FILE = {f"GET /v1/files/{name}" for name in ("retrieve", "retrieve_content", "list")}
"""Routes that find jobs by their files; tests/wires/test_minimax.py asks them for another owner's."""
EVERY_WIRE = pytest.mark.parametrize("wire", sampled.ALL, ids=lambda wire: wire.name)


def credentials(secret: str) -> dict[str, str]:
    """The secret, in every header in which a wire may look for it."""
    return {"authorization": f"Bearer {secret}", "x-freepik-api-key": secret, "x-runway-version": "2024-11-06"}


async def key_for(running: Any, name: str, *, expires: float | None = None, **rights: object) -> str:
    """A key in the store; its secret."""
    now = time.time()
    secret, record = make_key(name, msgspec.convert(rights, Rights), now=now, expires=expires)
    await running.app.store.add_key(record)
    await running.app.keys.refresh()
    return secret


async def create(running: Any, secret: str, **headers: str) -> Any:
    return await running.client.post(IMAGE, json=PICTURE, headers=credentials(secret) | headers)


@pytest.fixture
async def guarded(start: Start, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    """A server with two keys in its store, which makes nothing, and whose creates do not wait for that."""
    monkeypatch.setattr(server, "MAX_WAIT", 0.01)
    async with start(**STILL) as running:
        running.ann, running.bob = await key_for(running, "ann"), await key_for(running, "bob")
        yield running


# -- whose key it is ---------------------------------------------------------------------


async def test_a_key_of_the_store_is_taken_like_one_of_the_file(start: Start) -> None:
    async with start(**STILL, keys=[{"name": "file", "sha256": digest("files-secret")}]) as running:
        stored = await key_for(running, "stored")
        for secret, owner in ((stored, "stored"), ("files-secret", "file")):
            made = await create(running, secret)
            assert made.status_code == 200
            [job] = await running.app.store.list(wire="freepik", owner=owner, route="", limit=9)
            assert job.owner == owner
        assert (await create(running, "neither")).status_code == 401


async def test_the_first_key_closes_a_running_server(start: Start) -> None:
    async with start(**STILL) as running:
        assert (await running.client.post(IMAGE, json=PICTURE)).status_code == 200
        assert "<h2>Jobs</h2>" in (await running.client.get("/")).text
        await key_for(running, "ann")
        assert (await running.client.post(IMAGE, json=PICTURE)).status_code == 401
        assert "<h2>Jobs</h2>" not in (await running.client.get("/")).text


async def test_a_server_whose_last_key_was_revoked_is_not_open_again(start: Start) -> None:
    async with start(**STILL) as running:
        await key_for(running, "ann")
        [key] = await running.app.store.keys()
        await running.app.store.revoke_key(key.id, now=time.time())
    async with start(**STILL) as again:
        assert (await again.client.post(IMAGE, json=PICTURE)).status_code == 401
        assert (await again.client.get("/admin/keys")).status_code == 401


async def test_a_revocation_holds_in_another_process_within_a_second(start: Start) -> None:
    """A second handle on the database stands for the other process; each revokes what the other remembers."""
    async with start(**STILL) as running:
        ann, bob = await key_for(running, "ann"), await key_for(running, "bob")
        other = SqliteStore(running.app.home.database)
        await other.open()
        keys = Keys((), other)
        assert (await keys.caller(ann)).owner == "ann"
        assert (await create(running, bob)).status_code == 200
        ids = {key.name: key.id for key in await other.keys()}

        revoked = time.monotonic()
        await running.app.store.revoke_key(ids["ann"], now=time.time())
        await other.revoke_key(ids["bob"], now=time.time())
        left = {"here", "there"}
        while left:
            assert time.monotonic() - revoked < 1.0, left
            if (await create(running, bob)).status_code == 401:
                left.discard("here")
            try:
                await keys.caller(ann)
            except Problem as problem:
                assert problem.kind is Kind.UNAUTHENTICATED
                left.discard("there")
            await asyncio.sleep(0.02)
        await keys.close()
        await other.close()


async def test_a_look_up_that_a_revocation_overtakes_is_not_remembered(tmp_path: Path) -> None:
    """The row was read before the revocation, and its answer comes after the cache was emptied for it."""
    store = SqliteStore(tmp_path / "jobs.db")
    await store.open()
    secret, record = make_key("ann", Rights(), now=time.time())
    await store.add_key(record)
    read, go_on = asyncio.Event(), asyncio.Event()

    class Slow:
        """The store, with a look-up that takes its time."""

        def __getattr__(self, name: str) -> Any:
            return getattr(store, name)

        async def key(self, digest: str) -> KeyRecord | None:
            found = await store.key(digest)
            read.set()
            await go_on.wait()
            return found

    keys = Keys((), Slow())
    late = asyncio.create_task(keys.caller(secret))
    await read.wait()
    await store.revoke_key(record.id, now=time.time())
    await keys.refresh()
    go_on.set()
    await late  # it was asked before, and may be answered so
    with pytest.raises(Problem):
        await keys.caller(secret)
    await keys.close()
    await store.close()


async def test_a_key_in_use_is_read_from_the_store_once(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "jobs.db")
    await store.open()
    secret, record = make_key("ann", Rights(), now=time.time())
    await store.add_key(record)
    asked: list[str] = []
    look_up = store.key

    async def counted(digest: str) -> KeyRecord | None:
        asked.append(digest)
        return await look_up(digest)

    store.key = counted
    keys = Keys((), store)
    for _ in range(50):
        assert (await keys.caller(secret)).owner == "ann"
    assert asked == [digest(secret)]
    await keys.close()
    assert (await store.keys())[0].last_used is not None
    await store.close()


async def test_an_expired_key_is_told_so(start: Start) -> None:
    async with start(**STILL) as running:
        now = time.time()
        secret = await key_for(running, "ann", expires=now + 3600)
        assert (await create(running, secret)).status_code == 200
        running.app.keys._clock = lambda: now + 3601
        refused = await create(running, secret)
        assert refused.status_code == 401 and "expired" in refused.text


async def test_a_key_of_the_file_expires_too() -> None:
    key = Key(name="ann", sha256=digest("s"), expires=datetime(2027, 1, 31, tzinfo=UTC))
    at = datetime(2027, 1, 31, tzinfo=UTC).timestamp()
    now = [at - 1]
    keys = Keys([key], clock=lambda: now[0])
    assert (await keys.caller("s")).owner == "ann"
    now[0] = at
    with pytest.raises(Problem) as refused:
        await keys.caller("s")
    assert refused.value.kind is Kind.UNAUTHENTICATED


async def test_an_owner_has_the_rights_of_their_valid_keys_and_of_nobody_elses(tmp_path: Path) -> None:
    """Limits at a start are an old key's too where the file has it: some limit is better than none."""
    now, earlier = time.time(), datetime(2026, 1, 1, tzinfo=UTC)
    listed = [
        Key(name="ann", sha256=digest("a"), max_daily=1),
        Key(name="ann", sha256=digest("b"), max_daily=2, expires=earlier),
        Key(name="bob", sha256=digest("c"), max_daily=3),
    ]
    store = SqliteStore(tmp_path / "jobs.db")
    await store.open()
    for name, daily, expires in (("ann", 4, None), ("ann", 5, now + 1), ("ann", 6, None), ("bob", 7, None)):
        _, record = make_key(name, Rights(max_daily=daily), now=now, expires=expires)
        await store.add_key(record)
        if daily == 6:
            await store.revoke_key(record.id, now=now)
    keys = Keys(listed, store, clock=lambda: now + 1)
    assert sorted(each.max_daily for each in await keys.rights_of("ann")) == [1, 4]
    found = {name: sorted(each.max_daily for each in rights) for name, rights in (await keys.all_rights()).items()}
    assert found == {"ann": [1, 2, 4], "bob": [3, 7]}
    await store.close()


def test_a_key_that_would_expire_as_it_is_made_is_refused() -> None:
    with pytest.raises(Problem, match="lies in the past"):
        make_key("ann", Rights(), now=5.0, expires=5.0)
    assert make_key("ann", Rights(), now=5.0, expires=5.1)


async def test_a_keys_news_goes_to_its_own_address(start: Start) -> None:
    async with start(**STILL) as running:
        secret = await key_for(running, "ann", webhook="https://ann.example/hook")
        await create(running, secret)
        [job] = await running.app.store.list(wire="freepik", owner="ann", route="", limit=9)
        assert job.webhook == "https://ann.example/hook"


async def test_nothing_of_a_key_but_its_digest_is_in_the_data(start: Start, tmp_path: Path) -> None:
    async with start(**STILL) as running:
        secret = await key_for(running, "ann")
        assert (await create(running, secret)).status_code == 200
    for file in (tmp_path / "data").rglob("*"):
        if file.is_file():
            assert secret.encode() not in file.read_bytes(), file


# -- what a key may do -------------------------------------------------------------------


async def test_a_key_for_one_api_may_not_use_another(start: Start) -> None:
    async with start(**STILL) as running:
        secret = await key_for(running, "ann", wires=["runway"])
        refused = await create(running, secret)
        assert refused.status_code == 403 and "runway" in refused.json()["message"]
        assert (await running.client.get(IMAGE, headers=credentials(secret))).status_code == 403
        assert (await running.client.get("/v1/organization", headers=credentials(secret))).status_code == 200


async def test_a_key_for_one_model_may_not_use_another(start: Start) -> None:
    async with start(**STILL) as running:
        secret = await key_for(running, "ann", models=["gen4_turbo", "wan-2.7"])
        refused = await create(running, secret)
        assert refused.status_code == 403 and "gen4_turbo, wan-2.7" in refused.json()["message"]
        body = {"model": "gen4_turbo", "promptImage": "https://example.com/x.png", "ratio": "1280:720"}
        made = await running.client.post("/v1/image_to_video", json=body, headers=credentials(secret))
        assert made.status_code == 200, made.text


async def test_a_job_for_an_engine_that_the_key_may_not_use_is_refused(start: Start) -> None:
    routed = {"models": {"gen4_image": {"engines": ["studio", "script"]}}, "script": {"slots": 0}}
    async with start(**routed) as running:
        both, one, none = [
            await key_for(running, name, engines=engines)
            for name, engines in (("a", []), ("b", ["script"]), ("c", ["runway"]))
        ]
        assert (await create(running, both)).headers["x-mutoscope-engine"] == "studio"
        assert (await create(running, one)).headers["x-mutoscope-engine"] == "script"
        refused = await create(running, none)
        assert refused.status_code == 403 and refused.json()["message"].endswith("it may use runway.")


async def test_the_engine_that_one_request_of_a_rehearsal_names_is_not_the_next_ones(guarded: Any) -> None:
    named = [{"x-mutoscope-engine": "studio"}, {}, {"x-mutoscope-engine": "studio"}]
    answers = [await create(guarded, guarded.ann, **headers) for headers in named]
    assert [each.headers["x-mutoscope-engine"] for each in answers] == ["studio", "script", "studio"]


async def test_a_job_is_not_handed_on_to_an_engine_that_its_key_may_not_use(start: Start) -> None:
    routed = {"models": {"gen4_image": {"engines": ["script", "studio"]}}, "script": {"slots": 0}}
    async with start(**routed) as running:
        secret = await key_for(running, "ann", engines=["script"])
        await create(running, secret)
        [job] = await running.app.store.recent(limit=1)
        assert job.engines == ("script",)
        routes, model = running.app.routes, running.app.catalog.get("gen4_image")
        assert routes.next(job.generation, model, ("script",)).name == "studio"
        assert routes.next(job.generation, model, ("script",), allowed=job.engines) is None


@pytest.mark.parametrize(("engines", "maker"), [([], "script"), (["closed"], "closed")])
async def test_a_job_whose_vendor_cannot_be_reached_goes_on_only_where_its_key_may(
    start: Start, engines: list[str], maker: str
) -> None:
    account = {"wire": "runway", "key": "k", "base_url": "http://127.0.0.1:9"}  # nobody listens there
    routed = {"engines": ["closed", "script"], "timeout_seconds": 0.5}
    async with start(accounts={"closed": account}, models={"gen4_image": routed}) as running:
        secret = await key_for(running, "ann", engines=engines)
        assert (await create(running, secret)).headers["x-mutoscope-engine"] == "closed"
        [job] = await running.app.store.recent(limit=1)
        ended = await running.finished(job.id)
        assert (ended.engine, ended.state is State.SUCCEEDED) == (maker, maker == "script")


def test_the_name_of_an_api_stands_for_all_accounts_there(start: Start) -> None:
    accounts = msgspec.convert({"one": {"wire": "freepik"}, "two": {"wire": "runway"}}, dict[str, Any])
    routes = Routes({}, {name: msgspec.convert(each, AccountLike) for name, each in accounts.items()})
    assert [routes.may_use(engine, ["freepik"]) for engine in ("one", "two", "studio")] == [True, False, False]
    assert routes.may_use("studio", ())


class AccountLike(msgspec.Struct):
    wire: str


# -- looking after keys over HTTP ----------------------------------------------------------


@pytest.fixture
async def admin(start: Start) -> AsyncIterator[Any]:
    async with start(**STILL) as running:
        running.admin = {"authorization": f"Bearer {await key_for(running, 'root', admin=True)}"}
        yield running


async def test_an_administrator_makes_lists_rotates_and_revokes_keys(admin: Any) -> None:
    body = {"name": "ann", "wires": ["freepik"], "max_daily": 5, "expires_seconds": 3600}
    made = await admin.client.post("/admin/keys", json=body, headers=admin.admin)
    assert made.status_code == 201 and made.headers["cache-control"] == "no-store"
    key = made.json()
    assert (key["name"], key["wires"], key["max_daily"], key["state"]) == ("ann", ["freepik"], 5, "valid")
    assert (await create(admin, key["key"])).status_code == 200

    listed = await admin.client.get("/admin/keys", headers=admin.admin)
    assert [each["name"] for each in listed.json()["keys"]] == ["root", "ann"]
    assert key["key"] not in listed.text and digest(key["key"]) not in listed.text
    shown = await admin.client.get(f"/admin/keys/{key['id']}", headers=admin.admin)
    assert shown.json()["id"] == key["id"]

    path = f"/admin/keys/{key['id']}"
    fresh = (await admin.client.post(f"{path}/rotate", json={"grace_seconds": 600}, headers=admin.admin)).json()
    assert fresh["id"] != key["id"] and fresh["wires"] == ["freepik"] and fresh["expires"] == key["expires"]
    assert [(await create(admin, each["key"])).status_code for each in (key, fresh)] == [200, 200]
    assert (await admin.client.delete(path, headers=admin.admin)).json()["state"] == "revoked"
    assert [(await create(admin, each["key"])).status_code for each in (key, fresh)] == [401, 200]
    assert (await admin.client.post(f"{path}/rotate", headers=admin.admin)).status_code == 404


async def test_without_a_grace_a_rotated_key_ends_at_once(admin: Any) -> None:
    key = (await admin.client.post("/admin/keys", json={"name": "ann"}, headers=admin.admin)).json()
    fresh = await admin.client.post(f"/admin/keys/{key['id']}/rotate", headers=admin.admin)
    assert [(await create(admin, secret)).status_code for secret in (key["key"], fresh.json()["key"])] == [401, 200]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/admin/keys"),
        ("POST", "/admin/keys"),
        ("GET", "/admin/keys/key_0"),
        ("DELETE", "/admin/keys/key_0"),
        ("POST", "/admin/keys/key_0/rotate"),
        ("GET", "/admin/nothing"),
    ],
)
async def test_only_administrators_look_after_keys(method: str, path: str, admin: Any, start: Start) -> None:
    plain = await key_for(admin, "ann")
    body: dict[str, Any] = {"json": {"name": "eve"} if path == "/admin/keys" else {}} if method == "POST" else {}

    async def asked(headers: dict[str, str]) -> int:
        return (await admin.client.request(method, path, headers=headers, **body)).status_code

    assert await asked({}) == 401
    assert await asked({"authorization": "Bearer nobodys"}) == 401
    assert await asked({"authorization": f"Bearer {plain}"}) == 403
    assert await asked(admin.admin) in (200, 201, 404)


async def test_an_open_server_has_no_administration(start: Start) -> None:
    async with start() as running:
        for method, path in (("GET", "/admin/keys"), ("POST", "/admin/keys"), ("DELETE", "/admin/keys/x")):
            body: dict[str, Any] = {"json": {"name": "eve", "admin": True}} if method == "POST" else {}
            answer = await running.client.request(method, path, headers={"authorization": "Bearer x"}, **body)
            assert answer.status_code == 404
        assert await running.app.store.keys() == ()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b"{}",
        b'{"name": ""}',
        b'{"name": " x"}',
        b'{"name": "x\\n"}',
        b'{"name": "x", "admn": true}',
        b'{"name": "x", "max_daily": -1}',
        b'{"name": "x", "max_daily": "1"}',
        b'{"name": "x", "expires_seconds": 0}',
        b'{"name": "x", "webhook": "file:///etc/passwd"}',
        b'{"name": "x", "id": "key_1"}',
        b'{"name": "x", "sha256": "00"}',
        b'{"name": "' + b"x" * 101 + b'"}',
        b'{"name": "\xff"}',
        b'{"name": "\xed\xa0\x80"}',
        b'{"name": "\\ud800"}',
        b'\xff\xfe{"name": "x"}',
        b"[" * 50_000,
        b'{"name": "x", "per_model": ' + b'{"a":' * 10_000 + b"1" + b"}" * 10_001,
        b'{"name": "x", "expires_seconds": 1e308}',
        b'{"name": "x", "expires_seconds": -1e308}',
        b'{"name": "x", "max_daily": 18446744073709551616}',
        b'{"name": "x", "requests_per_minute": 1' + b"0" * 400 + b"}",
        b'{"name": "x", "budget": 1e308}',
        b'{"name": "x", "budget": NaN}',
    ],
)
async def test_a_body_that_is_no_key_is_refused(body: bytes, admin: Any) -> None:
    answer = await admin.client.post("/admin/keys", content=body, headers=admin.admin)
    assert answer.status_code == 400 and answer.json()["error"]
    assert len(await admin.app.store.keys()) == 1


async def test_a_wrong_method_or_path_of_the_administration_is_told_so(admin: Any) -> None:
    for method, path, status in (
        ("PUT", "/admin/keys", 405),
        ("DELETE", "/admin/keys", 405),
        ("GET", "/admin/keys/x/rotate", 405),
        ("GET", "/admin/keys/x/y", 404),
        ("GET", "/admin/keysx", 404),
        ("GET", "/admin/", 404),
    ):
        assert (await admin.client.request(method, path, headers=admin.admin)).status_code == status, path


# -- what owners see of each other ------------------------------------------------------------


def described(route: Route) -> str:
    """A route's path as the description has it."""
    return route.path.replace("…", "")


async def seen(running: Any, wire: Wire, route: Route, secret: str, id: str = "", **more: str) -> Any:
    """The answer to a request at a route, with the vendor's own example as its body."""
    own = f"/{wire.name}{route.path}"  # where the description has a path that several vendors have
    place = own if (route.method, own) in EXAMPLES else described(route)
    path = "/".join(NAMED.get(part, id) if part.startswith("{") else part for part in route.path.split("/"))
    path = path.replace("/fal-ai/fal-ai/", "/fal-ai/")
    path = f"/{wire.name}{path}"  # some are other vendors' too
    headers = {name.lower(): value for name, value in (wire.headers | route.headers).items()}
    body = EXAMPLES.get((route.method, place), {})
    if route.at in GOES_ON:
        body |= {GOES_ON[route.at]: id}
    if isinstance(route, Read) and route.method == "POST":
        body |= {"task_id": id}
    body = body | {name: id for name in ("clip_id", "finetune_id") if name in body}
    given: dict[str, Any] = {} if route.method in ("GET", "DELETE") else {"json": body}
    if isinstance(route, Read) and "{" not in route.path:
        given["params"] = dict.fromkeys(("task_id", "id", "finetune_id"), id)
    if isinstance(route, UsageRead):
        today = datetime.now(UTC).date()
        given["json"] = {"startDate": f"{today}", "beforeDate": f"{today + timedelta(days=1)}"}
    if isinstance(route, OpenUploads) and route.method == "GET":
        given["params"] = {"action": "getPolicy", "model": "wan2.7-t2v"}
    return await running.client.request(
        route.method, path, headers=headers | credentials(secret) | more, **given, follow_redirects=False
    )


def plain(answer: Any, *ids: str) -> tuple[int, str]:
    """An answer without what differs from one request to the next."""
    text = re.sub(r'"(request_id|requestId)": ?"[^"]*",?', "", answer.text)
    for id in ids:
        text = text.replace(id, "ID")
    return answer.status_code, text


async def job_of(running: Any, wire: Wire, route: Route, owner: str) -> Job:
    """A job that this route could show."""
    now = time.time()
    job = Job(
        id=str(uuid_utils.uuid7()),
        wire=wire.name,
        route=route.route or next((each.route for each in wire.routes if isinstance(each, Create)), ""),
        owner=owner,
        generation=Generation(operation=Operation.TEXT_TO_IMAGE, model="gen4_image", prompt=f"{owner}s words"),
        engine="script",
        created=now,
        updated=now,
    )
    return await running.app.store.add(job)


async def upload_of(running: Any, wire: Wire, owner: str) -> Upload:
    now = time.time()
    upload = Upload(
        id=str(uuid_utils.uuid7()),
        wire=wire.name,
        owner=owner,
        media_type="image/png",
        max_bytes=9,
        created=now,
        slot_expires=now + 60,
        expires=now + 60,
    )
    await running.app.store.add_uploads([upload])
    assert await running.app.store.fill_upload(upload.id, "a.png", 9, now)
    filled = await running.app.store.upload(upload.id)
    assert filled
    return filled


@EVERY_WIRE
async def test_no_route_shows_one_owner_what_is_anothers(wire: Wire, guarded: Any) -> None:
    """For each verb: ann finds her own, or this would show nothing; bob is answered as if there were no ann."""
    for number, route in enumerate(wire.routes):
        if isinstance(route, Create) and route.event:
            continue  # it is answered until its job has ended, and nothing is made here
        owners = [f"{name} {number}" for name in ("ann", "bob", "carol")]
        with noted({"route": route.at}):
            await hold_apart(guarded, wire, route, {owner: await key_for(guarded, owner) for owner in owners})


async def hold_apart(running: Any, wire: Wire, route: Route, secrets: dict[str, str]) -> None:
    ann, bob, carol = secrets
    job, nobodys = await job_of(running, wire, route, ann), str(uuid_utils.uuid7())
    upload = await upload_of(running, wire, ann)
    mine, none = wire.public_id(job.id), wire.public_id(nobodys)
    store = running.app.store
    match route:
        case Read() | Stop():
            strangers = await seen(running, wire, route, secrets[bob], mine)
            nowhere = await seen(running, wire, route, secrets[bob], none)
            assert plain(strangers, mine, none) == plain(nowhere, mine, none)
            words = ("task_no_found", NOT_THERE)
            assert (
                strangers.status_code == 404
                or UNKNOWN.search(strangers.text)
                or any(w in strangers.text for w in words)
            )
            assert await store.get(job.id) == job
            own = await seen(running, wire, route, secrets[ann], mine)
            assert own.status_code < 300 or "Request is still in progress" in own.text  # which is all that it says
        case List() | ListUploads() if route.at not in BY_FILE:
            found = (await seen(running, wire, route, secrets[ann])).text
            told = (word for word in re.findall(r"[\w-]{20,}", found) if wire.file_id(word) == upload.id)
            own = mine if isinstance(route, List) else next(told, upload.id)
            assert own in found
            bobs = await seen(running, wire, route, secrets[bob])
            assert plain(bobs) == plain(await seen(running, wire, route, secrets[carol]))
            assert own not in bobs.text
        case AccountRead() | UsageRead():
            await store.claim(engine="script", worker="w", lease_seconds=9, limit=99, now=time.time())
            assert await store.settle(job.id, "w", state=State.SUCCEEDED, cost=77.0, now=time.time())
            answers = [plain(await seen(running, wire, route, secrets[each])) for each in (ann, bob, carol)]
            assert answers[0] != answers[1] == answers[2]
        case Create() if (
            "{id}" in route.path or route.at in GOES_ON or "clip_id" in EXAMPLES[route.method, described(route)]
        ):  # from an earlier job on
            strangers = await seen(running, wire, route, secrets[bob], mine)
            nowhere = await seen(running, wire, route, secrets[bob], none)
            assert plain(strangers, mine, none) == plain(nowhere, mine, none)
            assert strangers.status_code == 404 or NOT_THERE in strangers.text
            own = await seen(running, wire, route, secrets[ann], mine)
            assert own.status_code != 404 and NOT_THERE not in own.text
        case Create() if route.hangs:  # on a task that the body names
            assert (await seen(running, wire, route, secrets[bob])).status_code == 404
        case Create():
            same = {"idempotency-key": "one", "x-stainless-retry-count": "1"}
            made = [await seen(running, wire, route, secrets[each], **same) for each in (ann, bob, ann)]
            if made[0].status_code == 404:  # the example's body goes on from an earlier job, which is nobody's
                assert [each.status_code for each in made] == [404] * 3
                return
            statuses = [each.status_code for each in made]
            assert statuses in ([route.status] * 3, [504] * 3), made[1].text  # or it is not made in time
            assert [each.headers.get("idempotent-replayed") for each in made] == [None, None, "true"]
            counts = [len(await store.list(wire=wire.name, owner=name, route="", limit=9)) for name in (ann, bob)]
            assert counts == [2, 1]  # ann's: the first, and this one
        case OpenUploads():
            opened = await seen(running, wire, route, secrets[bob])
            assert opened.status_code == 200, opened.text
            assert len(await store.uploads(wire=wire.name, owner=bob, limit=9)) >= 1
            assert await store.uploads(wire=wire.name, owner=ann, limit=9) == (upload,)


READ_BY_ID = [
    wire for wire in sampled.ALL if any(isinstance(route, Read) and not route.keyless for route in wire.routes)
]


@pytest.mark.parametrize("wire", READ_BY_ID, ids=lambda wire: wire.name)
async def test_a_status_that_was_rendered_for_one_owner_is_not_given_to_another(wire: Wire, guarded: Any) -> None:
    """Status reads are rendered once and kept: what is kept is asked for by its owner only."""
    route = next(each for each in wire.routes if isinstance(each, Read))
    mine = wire.public_id((await job_of(guarded, wire, route, "ann")).id)
    for secret, found in ((guarded.ann, True), (guarded.bob, False), (guarded.ann, True), (guarded.bob, False)):
        answer = await seen(guarded, wire, route, secret, mine)
        assert (answer.status_code in (200, 202) and not UNKNOWN.search(answer.text)) == found, answer.text


async def test_an_upload_slot_of_a_revoked_key_takes_no_file(guarded: Any, picture: bytes) -> None:
    wish = {"files": [{"content_type": "image/png"}]}
    opened = await guarded.client.post("/v1/ai/uploads/request-url", json=wish, headers=credentials(guarded.ann))
    [slot] = opened.json()["files"]
    [key] = await guarded.app.store.keys(name="ann")
    await guarded.app.store.revoke_key(key.id, now=time.time())
    assert (await guarded.client.put(slot["upload_url"], content=picture)).status_code == 403


# -- what peers were breached by, tried on keys of the store --------------------------------------


SQL = ("' OR '1'='1", "' OR 1=1 --", "x' UNION SELECT * FROM keys --", "'; DROP TABLE keys; --", '" OR ""="', "%", "_")


@pytest.mark.parametrize("secret", SQL)
async def test_a_key_made_of_sql_is_a_wrong_key_to_the_store_too(secret: str, guarded: Any) -> None:
    before = await guarded.app.store.keys()
    assert (await create(guarded, secret)).status_code == 401
    assert (await guarded.client.get(f"/admin/keys/{secret}", headers=credentials(guarded.ann))).status_code in (
        403,
        404,
    )
    assert [key.id for key in await guarded.app.store.keys()] == [key.id for key in before]
    assert (await create(guarded, guarded.ann)).status_code == 200


async def test_nothing_is_remembered_by_the_beginning_of_a_key(guarded: Any) -> None:
    ann = guarded.ann
    assert (await create(guarded, ann)).status_code == 200
    [key] = await guarded.app.store.keys(name="ann")
    wrong = [ann[:at] for at in (1, 4, 8, 12, len(ann) - 1)] + [ann + "x", ann[:-1] + "~", ann.upper(), ann[::-1]]
    wrong += [key.prefix, key.digest, key.id, key.name, ann[:8] + "0" * (len(ann) - 8)]
    for secret in wrong:
        assert (await create(guarded, secret)).status_code == 401, secret
    assert (await create(guarded, ann)).status_code == 200


SPELLINGS = (
    "//v1/ai/text-to-image/runway/ID",
    "/V1/ai/text-to-image/runway/ID",
    "/v1/AI/text-to-image/runway/ID",
    "/v1//ai/text-to-image/runway/ID",
    "/%2e/v1/ai/text-to-image/runway/ID",
    "/x/%2e%2e/v1/ai/text-to-image/runway/ID",
    "/v1%2fai/text-to-image/runway/ID",
    "/v1/ai/text-to-image/runway/../runway/ID",
    "/admin/../v1/ai/text-to-image/runway/ID",
    "/freepik/v1/ai/text-to-image/runway/ID",
    "/FREEPIK/v1/ai/text-to-image/runway/ID",
    "/v1/ai/text-to-image/runway/ID/",
    "/runway/v1/tasks/ID",
    "/v1/tasks/ID?authorization=Bearer%20KEY",
    "/v1/ai/text-to-image/runway/ID?key=KEY",
    "/v1/ai/text-to-image/runway/ID?x-freepik-api-key=KEY",
    "/v1/ai/text-to-image/runway/ID?api_key=KEY&token=KEY",
)


@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_no_spelling_of_a_path_stands_for_a_key(spelling: str, guarded: Any) -> None:
    made = await create(guarded, guarded.ann)
    path = spelling.replace("ID", made.json()["data"]["task_id"]).replace("KEY", guarded.ann)
    for method in ("GET", "HEAD", "DELETE", "POST", "OPTIONS", "PUT"):
        answer = await guarded.client.request(method, path)
        assert answer.status_code in (400, 401, 404, 405), (method, answer.status_code)
        assert "task_id" not in answer.text
        answer = await guarded.client.request(method, path, headers=credentials(guarded.bob))
        assert "CREATED" not in answer.text and "task_id" not in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        [("X-Freepik-API-Key", "KEY")],
        [("X-FREEPIK-API-KEY", "KEY")],
        [("x-magnific-api-key", "KEY")],
        [("x-freepik-api-key", " KEY "), ("x-magnific-api-key", "KEY"), ("authorization", "Bearer KEY")],
        [("x-freepik-api-key", "KEY"), ("x-magnific-api-key", " ")],
    ],
)
async def test_the_case_of_a_headers_name_does_not_matter(headers: list[tuple[str, str]], guarded: Any) -> None:
    given = [(name, value.replace("KEY", guarded.ann)) for name, value in headers]
    assert (await guarded.client.get(IMAGE, headers=given)).status_code == 200


TWO_KEYS = (
    [("x-freepik-api-key", "KEY"), ("x-magnific-api-key", "other")],
    [("x-freepik-api-key", "KEY"), ("authorization", "Bearer other")],
    [("authorization", "Bearer KEY"), ("x-api-key", "other")],
    [("authorization", "Bearer KEY"), ("xi-api-key", "other")],
    [("authorization", "Basic b3RoZXI6"), ("x-freepik-api-key", "KEY")],
    [("x-freepik-api-key", "KEY"), ("x-freepik-api-key", "KEY")],
)


@pytest.mark.parametrize("headers", TWO_KEYS)
@pytest.mark.parametrize("path", [IMAGE, "/v1/organization", "/api/v1/tasks", "/admin/keys", "/metrics"])
async def test_two_keys_in_one_request_are_none_wherever_they_stand(
    path: str, headers: list[tuple[str, str]], guarded: Any
) -> None:
    """Neither does the right one of the two open anything, in whichever order they come."""
    secret = await key_for(guarded, "root", admin=True)
    told = [(name, value.replace("KEY", secret)) for name, value in headers]
    for given in (told, told[::-1]):
        answer = await guarded.client.get(path, headers=[*given, ("x-runway-version", "2024-11-06")])
        assert answer.status_code == 401, answer.text


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("authorization", "")],
        [("authorization", "Bearer")],
        [("authorization", "Bearer ")],
        [("authorization", "Bearer  \t ")],
        [("authorization", "Bearer Bearer KEY")],
        [("authorization", "Basic KEY")],
        [("authorization", "KEY")],
        [("authorization", "Bearer KEY, Bearer KEY")],
        [("authorization", "Bearer KEY KEY")],
        [("authorization", "Bearer KEY\u00a0x")],
        [("authorization", "Bearer KE\u200b")],
        [("authorization", "Bearer \u0661\u0662\u0663")],
        [("authorization", "Bearer \uff4d\uff53\uff4b_")],
        [("authorization", "Bearer null")],
        [("authorization", "Bearer undefined")],
        [("authorization", "Bearer KEY"), ("authorization", "Bearer wrong")],
        [("authorization", "Bearer wrong"), ("authorization", "Bearer KEY")],
        [("authorization", "Bearer KEY"), ("Authorization", "Bearer KEY")],
        [("proxy-authorization", "Bearer KEY")],
        [("cookie", "authorization=Bearer KEY")],
        [("x-freepik-api-key", "KEY")],
        [("x-api-key", "KEY"), ("x-original-authorization", "Bearer KEY")],
    ],
)
async def test_what_is_no_key_in_its_place_is_none(headers: list[tuple[str, str]], guarded: Any) -> None:
    """On Runway's wire, whose key is `Authorization: Bearer KEY`, once."""
    given = [
        (name.encode(), value.replace("KEY", guarded.ann).encode())
        for name, value in [*headers, ("x-runway-version", "2024-11-06")]
    ]
    answer = await guarded.client.get("/v1/organization", headers=given)
    assert answer.status_code == 401, answer.text


async def test_a_key_that_is_empty_or_blank_is_no_owners(guarded: Any) -> None:
    """Neither does the digest of nothing open a door where somebody has put it into the store."""
    for secret in ("", " ", "\t"):
        assert (await create(guarded, secret)).status_code == 401
    keys = Keys([Key(name="nobody", sha256=digest(""))])
    for secret in (None, ""):
        with pytest.raises(Problem):
            await keys.caller(secret)


def test_an_open_servers_caller_owns_what_nobody_does() -> None:
    assert Caller().owner == ""
    with pytest.raises(Problem):
        make_key("", Rights(), now=0.0)


# -- keys that came in another form --------------------------------------------------------------

FORMS = {
    "x-freepik-api-key: <key>": {"x-freepik-api-key": "{}"},
    "authorization: Bearer <key>": {"authorization": "Bearer {}"},
    "authorization: <key>": {"authorization": "{}"},
    "x-api-key: <key>": {"x-api-key": "{}"},
}
"""How clients send a key."""
ALSO_TAKEN = {
    **{name: {"authorization: <key>"} for name in ("runway_relay", "runway_reverse", "suno", "udio")},
    "midjourney": {"authorization: Bearer <key>", "authorization: <key>"},
    "flux": {"authorization: Bearer <key>"},
    "openai": {"x-api-key: <key>", "authorization: Bearer <key>"},
    "ideogram": {"authorization: Bearer <key>"},
}


def words_of(answer: httpx.Response) -> str:
    """What an answer says, in a header where its body is the vendor's plain text."""
    return answer.text.replace('\\"', '"') + answer.headers.get("x-mutoscope-notes", "")


@pytest.mark.parametrize("wire", READ_BY_ID, ids=[wire.name for wire in READ_BY_ID])
async def test_a_key_that_came_in_another_form_is_told_so_with_the_header_that_is_wanted(
    start: Start, wire: Wire
) -> None:
    route = next(each for each in wire.routes if isinstance(each, Read) and each.method == "GET" and not each.keyless)
    path = f"/{wire.name}" + route.path.replace("{id}", str(uuid_utils.uuid4()))
    denied = 200 if route.path.startswith(wire.quiet) else 401
    [(name, form)] = pages.key_header(wire, "<key>").items()
    wanted = f"{name}: {form}"
    taken = {wanted} | ALSO_TAKEN.get(wire.name, set())
    async with start(keys=[{"name": "ann", "sha256": digest("s3cret-ann")}]) as running:
        for said, headers in FORMS.items():
            sent = {name: text.format("s3cret-ann") for name, text in headers.items()}
            answer = await running.client.get(path, headers=wire.headers | sent)
            if said in taken:
                assert answer.status_code != 401 and "1004" not in answer.text, said
                continue
            assert answer.status_code == denied, said
            assert f'send it as "{wanted}". What came in {next(iter(sent))} is not read here' in words_of(answer)
            assert "s3cret" not in answer.text
        by_query = await running.client.get(path, headers=wire.headers, params={"api_key": "s3cret-ann"})
        assert by_query.status_code == denied
        assert "What came in ?api_key= is not read here" in words_of(by_query)
        nothing = await running.client.get(path, headers=wire.headers)
        assert nothing.status_code == denied
        assert "Missing API key" in words_of(nothing)
        assert "What came in" not in nothing.text


async def test_an_administrators_key_in_another_form_is_told_so(guarded: Any) -> None:
    answer = await guarded.client.get("/admin/keys", headers={"x-api-key": guarded.ann})
    assert answer.status_code == 401
    assert 'send it as "authorization: Bearer <key>"' in answer.json()["error"]
    assert (await guarded.client.get("/admin/keys")).json()["error"] == "Missing API key"


@pytest.mark.parametrize("text", ["Bearer", "bearer ", "Basic", "Basic YW5uOmtleQ==", "", " ", "two words"])
def test_a_relay_takes_no_scheme_for_a_bare_key(text: str) -> None:
    assert (
        BY_NAME["runway_relay"].credential(HttpRequest(method="GET", path="/", headers={"authorization": text})) is None
    )
