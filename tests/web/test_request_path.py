"""What a request meets on its way in on any wire: methods, depth, other sites, pages that repeat nothing."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from msgspec import inspect

from mutoscope.wirekit.routes import Create, Route
from mutoscope.wirekit.wire import Wire
from sampled import ALL

IMAGE = "/v1/ai/text-to-image/runway"
SCRIPTED = {"models": {"gen4_image": {"engine": "script"}}, "script": {"slots": 0}}
ROUTES = [(wire, route) for wire in ALL for route in wire.routes]
MAKES = [(wire, route) for wire, route in ROUTES if isinstance(route, Create)]
LISTS = [(wire, route) for wire, route in ROUTES if route.method == "GET" and "{" not in route.path]
EVIL = "<script>alert(1)</script>"
Start = Callable[..., Any]


async def test_head_is_answered_as_get_is_without_a_body(start: Start) -> None:
    changing = {"x-request-id", "date"}
    async with start(**SCRIPTED) as running:
        for wire, route in LISTS:
            headers = wire.headers | route.headers
            read = await running.client.get(route.path, headers=headers)
            head = await running.client.head(route.path, headers=headers)
            assert (head.status_code, head.content) == (read.status_code, b""), route.at
            assert head.headers.keys() - changing == read.headers.keys() - changing, route.at


async def test_head_of_a_task_is_answered_as_its_read(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        made = await running.client.post(IMAGE, json={"prompt": "x", "ratio": "720:720"})
        path = f"{IMAGE}/{made.json()['data']['task_id']}"
        read, head = await running.client.get(path), await running.client.head(path)
        assert (head.status_code, head.headers["content-length"], head.content) == (
            200,
            read.headers["content-length"],
            b"",
        )
        assert (await running.client.head(f"{path}0")).status_code == 404


@pytest.mark.parametrize("method", ["PUT", "PATCH", "OPTIONS", "TRACE", "CONNECT", "get", "FOO"])
async def test_a_method_that_a_path_does_not_have_is_refused_with_those_that_it_has(start: Start, method: str) -> None:
    async with start(**SCRIPTED) as running:
        answer = await running.client.request(method, IMAGE)
        if method == "get":  # the client spells it in capitals
            assert answer.status_code == 200
        else:
            assert (answer.status_code, answer.headers["allow"]) == (405, "POST, GET, HEAD")


async def test_other_sites_scripts_are_let_in_nowhere(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        told = {"origin": "https://evil.example", "access-control-request-method": "POST"}
        for path in (
            IMAGE,
            "/v1/tasks/x",
            "/",
            "/docs",
            "/openapi.json",
            "/files/x",
            "/uploads/x",
            "/callbacks/x",
            "/no",
        ):
            for method in ("OPTIONS", "GET", "POST"):
                answer = await running.client.request(method, path, headers=told)
                assert not [name for name in answer.headers if name.startswith("access-control-")], path
                assert method != "OPTIONS" or answer.status_code >= 400, path


def required_of(route: Route) -> bool:
    """Whether there is anything that a body must have."""
    type = inspect.type_info(route.body)
    type = type.type if isinstance(type, inspect.Metadata) else type
    return not isinstance(type, inspect.StructType) or any(field.required for field in type.fields)


DEPTHS = [
    (opening * depth + "5.0" + closing * depth)
    for opening, closing in (("[", "]"), ('{"model":', "}"), ('{"prompt":[', "]}"), ('{"input":{"x":5.0,"y":', "}}"))
    for depth in (50, 900, 990, 100_000)
]


@pytest.mark.parametrize("wire", {wire.name: wire for wire, _ in MAKES}.values(), ids=lambda wire: wire.name)
async def test_json_of_any_depth_is_refused_and_breaks_nothing(start: Start, wire: Wire) -> None:
    async with start(**SCRIPTED) as running:
        for route in (route for of, route in MAKES if of is wire):
            path = re.sub(r"\{\w+…?\}", "x", route.path) if "{id}" not in route.path else route.path
            # a body that asks for nothing may leave out everything, and goes on from a job that is not there
            fine = {route.status, 404} if not required_of(route) or "{" in route.path else set[int]()
            for body in DEPTHS:
                answer = await running.client.post(path, content=body, headers=wire.headers | route.headers)
                told = (route.at, body[:40], answer.text[:200])
                assert answer.status_code in {400, wire.invalid_status, *fine}, told


@pytest.mark.parametrize("path", ["/", "/docs", "/no", f"/{EVIL}", f"/docs/{EVIL}", f"/v1/ai/{EVIL}", f"/files/{EVIL}"])
async def test_no_page_repeats_what_was_asked(start: Start, path: str) -> None:
    async with start(**SCRIPTED) as running:
        for asked in (path, f"{path}?{EVIL}={EVIL}"):
            answer = await running.client.get(
                asked, headers={"host": f"a{EVIL}", "referer": EVIL, "accept": "text/html"}
            )
            kind = answer.headers["content-type"]
            assert EVIL not in answer.text or kind == "application/json", (kind, answer.text[:300])
