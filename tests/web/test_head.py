"""One host, one scheme: how a request was addressed, and who may say so for another."""

from collections.abc import Callable
from typing import Any

import pytest

from mutoscope.model.config import BadSettings
from mutoscope.web.head import Proxies, is_host

Start = Callable[..., Any]
RUNWAY = {"x-runway-version": "2024-11-06", "authorization": "Bearer any"}
SLOT = {"filename": "a.png", "type": "ephemeral"}
PATHS = ("/v1/ai/text-to-image/runway", "/v1/organization", "/api/v1/tasks", "/admin/keys", "/", "/healthz", "/files/x")
FORWARDED = {"x-forwarded-proto": "https", "x-forwarded-host": "media.example.com", "x-forwarded-for": "192.0.2.7"}


@pytest.mark.parametrize(
    "host",
    [
        "a b",
        "u:p@evil",
        "evil/x?y=",
        "evil#x",
        "",
        "a:b",
        "a:99999",
        "[::1",
        "[x]",
        "[1.2]",
        "-a",
        "a..b",
        "a,b",
        "ä",
        "a\tb",
    ],
)
async def test_a_host_that_is_none_gets_no_answer_but_that(start: Start, host: str) -> None:
    async with start() as running:
        for path in PATHS:
            answer = await running.client.get(path, headers={**RUNWAY, "host": host.encode()})
            assert (answer.status_code, "Host" in answer.text) == (400, True), (path, answer.text)
            assert not host or f"//{host}" not in answer.text


@pytest.mark.parametrize(
    "host",
    [
        "a",
        "a.b-c.example",
        "example.com.",
        "127.0.0.1:8700",
        "[::1]",
        "[::ffff:1.2.3.4]:80",
        "my_service:8700",
        "a:65535",
    ],
)
def test_what_may_be_a_host_is_one(host: str) -> None:
    assert is_host(host.encode())


async def test_two_hosts_are_none(start: Start) -> None:
    async with start() as running:
        for path in PATHS:
            answer = await running.client.get(path, headers=[("host", "a"), ("host", "a")])
            assert answer.status_code == 400 and "twice" in answer.text, path


async def slot_url(running: Any, headers: dict[str, str]) -> str:
    answer = await running.client.post("/v1/uploads", json=SLOT, headers={**RUNWAY, **headers})
    assert answer.status_code == 200, answer.text
    return answer.json()["uploadUrl"]


async def test_what_a_stranger_says_for_another_is_not_believed(start: Start) -> None:
    for trusted in ([], ["192.0.2.0/24", "::1"]):
        async with start(server={"trusted_proxies": trusted}) as running:
            more = {"forwarded": "proto=https;host=evil", "x-forwarded-scheme": "https", "x-forwarded-ssl": "on"}
            assert (await slot_url(running, {**FORWARDED, **more})).startswith("http://gateway.test/")
            document = (await running.client.get("/openapi.json", headers=FORWARDED)).json()
            assert document["servers"] == [{"url": "http://gateway.test"}]


async def test_a_proxy_that_is_named_tells_scheme_and_host(start: Start) -> None:
    async with start(server={"trusted_proxies": ["127.0.0.0/8"]}) as running:
        assert (await slot_url(running, FORWARDED)).startswith("https://media.example.com/")
        assert (await slot_url(running, {})).startswith("http://gateway.test/")
        assert (await slot_url(running, {"x-forwarded-proto": "http, HTTPS"})).startswith("https://gateway.test/")
        document = (await running.client.get("/openapi.json", headers=FORWARDED)).json()
        assert document["servers"] == [{"url": "https://media.example.com"}]
        for bad in ({"x-forwarded-proto": "javascript"}, {"x-forwarded-host": "u:p@evil"}, {"x-forwarded-host": "a/b"}):
            answer = await running.client.post("/v1/uploads", json=SLOT, headers={**RUNWAY, **bad})
            assert answer.status_code == 400, answer.text


def scope(client: str, forwarded_for: str | None) -> dict[str, Any]:
    headers = [] if forwarded_for is None else [(b"x-forwarded-for", forwarded_for.encode())]
    return {"client": (client, 1), "headers": headers, "path": "/"}


@pytest.mark.parametrize(
    ("client", "told", "caller"),
    [
        ("10.0.0.1", "192.0.2.7", "192.0.2.7"),
        ("10.0.0.1", "1.1.1.1, 192.0.2.7, 10.0.0.2", "192.0.2.7"),  # the first is the caller's own word
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "unknown", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", None, "10.0.0.1"),
        ("::ffff:10.0.0.1", "2001:db8::1", "2001:db8::1"),
        ("192.0.2.1", "127.0.0.1", "192.0.2.1"),
    ],
)
def test_the_caller_is_the_last_address_that_is_no_proxy_of_ours(client: str, told: str | None, caller: str) -> None:
    assert Proxies(["10.0.0.0/8"]).scope(scope(client, told))["client"][0] == caller


async def test_callers_behind_a_proxy_are_counted_apart(start: Start) -> None:
    async with start(server={"trusted_proxies": ["127.0.0.1"]}, limits={"requests_per_minute": 1}) as running:
        for address, status in (("192.0.2.1", 200), ("192.0.2.1", 429), ("192.0.2.2", 200)):
            answer = await running.client.get(PATHS[0], headers={"x-forwarded-for": address})
            assert answer.status_code == status, address


def test_a_proxy_that_is_no_address_stops_the_start() -> None:
    with pytest.raises(BadSettings, match="trusted_proxies"):
        Proxies(["proxy.internal"])
