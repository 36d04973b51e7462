"""Pages of other sites: let in where the operator names them, and nowhere else."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx
import pytest

Start = Callable[..., AbstractAsyncContextManager[Any]]
IMAGE = "/v1/ai/text-to-image/runway"
SITE = "https://studio.example.com"
SCRIPTED = {"models": {"gen4_image": {"engine": "script"}}, "script": {"slots": 0}}


def cors(answer: httpx.Response) -> dict[str, str]:
    return {name: text for name, text in answer.headers.items() if name.startswith("access-control-")}


async def ask(running: Any, origin: str, path: str = IMAGE) -> tuple[httpx.Response, httpx.Response]:
    """As a browser does: the question first, then the request itself."""
    asked = {"origin": origin, "access-control-request-method": "POST", "access-control-request-headers": "x-api-key"}
    before = await running.client.options(path, headers=asked)
    return before, await running.client.post(path, json={"prompt": "x", "ratio": "720:720"}, headers={"origin": origin})


async def test_a_site_that_is_named_may_call(start: Start) -> None:
    async with start(**SCRIPTED, server={"allow_origins": [SITE]}) as running:
        before, answer = await ask(running, SITE)
        assert (before.status_code, before.content) == (204, b"")
        assert before.headers["access-control-allow-origin"] == SITE
        assert "POST" in before.headers["access-control-allow-methods"]
        assert "authorization" in before.headers["access-control-allow-headers"]
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == SITE
        assert answer.headers["vary"] == "origin"
        assert "x-request-id" in answer.headers["access-control-expose-headers"]


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://studio.example.com",
        "https://studio.example.com.evil.example",
        "https://studio.example.com:444",
        "null",
        "",
        "<script>",
    ],
)
async def test_any_other_site_may_not(start: Start, origin: str) -> None:
    async with start(**SCRIPTED, server={"allow_origins": [SITE]}) as running:
        for answer in await ask(running, origin):
            assert cors(answer) == {}


async def test_a_star_lets_every_site_in_but_never_with_a_browsers_own_credentials(start: Start) -> None:
    async with start(**SCRIPTED, server={"allow_origins": ["*"]}) as running:
        for answer in await ask(running, "https://any.example"):
            assert answer.headers["access-control-allow-origin"] == "*"
            assert "access-control-allow-credentials" not in answer.headers


async def test_a_refusal_can_be_read_by_the_site_too(start: Start) -> None:
    keys = [{"name": "ann", "sha256": "0" * 64}]
    async with start(**SCRIPTED, server={"allow_origins": [SITE]}, keys=keys) as running:
        before, answer = await ask(running, SITE)
        assert before.status_code == 204  # a browser sends no key with its question
        assert answer.status_code == 401
        assert answer.headers["access-control-allow-origin"] == SITE


@pytest.mark.parametrize("path", ["/", "/docs", "/metrics", "/readyz", "/admin/keys", "/callbacks/x"])
async def test_what_is_not_the_apis_is_for_no_site(start: Start, path: str) -> None:
    async with start(**SCRIPTED, server={"allow_origins": ["*"]}) as running:
        for method in ("GET", "OPTIONS", "POST"):
            answer = await running.client.request(
                method, path, headers={"origin": SITE, "access-control-request-method": "GET"}
            )
            assert cors(answer) == {}


async def test_files_may_be_shown_by_a_site_that_is_named(start: Start) -> None:
    async with start(**SCRIPTED, server={"allow_origins": [SITE]}) as running:
        answer = await running.client.get("/files/none.png", headers={"origin": SITE})
        assert answer.headers["access-control-allow-origin"] == SITE
