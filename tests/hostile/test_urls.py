"""Where a stranger's URL may lead: the table of `urls.py`, as an input, a redirect, a webhook, a vendor's wish."""

import asyncio
import contextlib
import ipaddress
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from urls import LEADS_TO, REFUSED

from mutoscope.files import egress
from mutoscope.files.egress import SCHEMED, SPECIAL, SafeClient, VendorClient
from mutoscope.model.config import Net
from mutoscope.model.http import HttpRequest
from mutoscope.model.problem import Kind, Problem

ROWS = [(url, why) for why, urls in REFUSED.items() for url in urls]
EVERY_URL = pytest.mark.parametrize(("url", "why"), ROWS, ids=[f"{why}: {url[:60]!r}" for url, why in ROWS])
FORWARDS = [(url, why) for url, why in ROWS if url.isprintable() and url == url.strip() and SCHEMED.match(url)]
"""Those that can stand in a Location header; without a scheme they would be paths there."""
CDN = "cdn.example"


@pytest.fixture(autouse=True)
def indoors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Should the guard fail, the test fails before anything leaves this machine."""

    def no_socket(info: object) -> None:
        raise AssertionError(f"a connection to {info}")

    monkeypatch.setattr(egress, "guarded_socket", no_socket)


async def nobody(host: str, port: int) -> list[str]:
    raise AssertionError(f"{host} was looked up")


async def only_the_cdn(host: str, port: int) -> list[str]:
    assert host == CDN, f"{host} was looked up"
    return ["127.0.0.1"]


def test_the_table_is_long_and_says_nothing_twice() -> None:
    urls = [url for url, _ in ROWS]
    assert len(urls) >= 250
    assert len(set(urls)) == len(urls)
    assert len(FORWARDS) >= 200


@EVERY_URL
async def test_a_hostile_url_is_not_fetched(url: str, why: str, tmp_path: Path) -> None:
    client = SafeClient(Net(), lookup=nobody)
    with pytest.raises(Problem) as caught:
        await client.fetch(url, max_bytes=100, into=tmp_path / "x", field="image")
    await client.close()
    assert caught.value.kind is Kind.UNREACHABLE_MEDIA
    assert caught.value.message.startswith("Failed to fetch asset: refused: ")
    assert why in caught.value.message
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("url", ["http://10.0.0.1/a.png", "https://localhost/a.png", "https://a.example:8443/a.png"])
async def test_an_input_that_can_never_be_fetched_is_refused_at_create(url: str, start: Any) -> None:
    """Where a vendor would find out later, too; what a vendor will fetch is the vendor's affair."""
    body = {"prompt": "x", "image": url, "ratio": "1280:720", "duration": 5}
    async with start(net={}, models={"gen4.5": {"engine": "script"}}) as running:
        answer = await running.client.post("/v1/ai/image-to-video/runway-4-5", json=body)
        assert answer.status_code == 400
        [fault] = answer.json()["invalid_params"]
        assert fault["name"] == "image"
        assert "Failed to fetch asset: refused: " in fault["reason"]
        assert "net." in fault["reason"]
        assert not await running.app.store.recent(limit=1)


@EVERY_URL
async def test_no_webhook_goes_to_a_hostile_url(url: str, why: str) -> None:
    client = SafeClient(Net(), lookup=nobody)
    with pytest.raises(Problem) as caught:
        await client.post(url, b"{}", {}, timeout_seconds=5)
    await client.close()
    assert caught.value.kind is Kind.UPSTREAM_FAILED
    assert why in caught.value.message


@EVERY_URL
async def test_no_vendor_sends_us_to_a_hostile_url(url: str, why: str) -> None:
    """Such as the slot for an upload. What begins with a slash is a path at the vendor's own host."""
    line = VendorClient(
        "https://api.vendor.example", lambda: {"authorization": "Bearer key"}, Net(), seconds=5, lookup=nobody
    )
    if url.startswith("/"):
        with pytest.raises(AssertionError, match=r"api\.vendor\.example was looked up"):
            await line.send(HttpRequest(method="PUT", path=url))
    else:
        with pytest.raises(Problem) as caught:
            await line.send(HttpRequest(method="PUT", path=url))
        assert why in caught.value.message
    await line.close()


@contextlib.asynccontextmanager
async def forwarding() -> AsyncGenerator[int]:
    """A server that answers /N with a redirect to the Nth URL of FORWARDS, byte for byte; yields its port."""

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        location = FORWARDS[int(head.split()[1][1:])][0].encode()
        writer.write(
            b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nConnection: close\r\nLocation: " + location + b"\r\n\r\n"
        )
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(forward, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_no_redirect_leads_to_a_hostile_url(tmp_path: Path) -> None:
    async with forwarding() as port:
        client = SafeClient(Net(allow_hosts=(CDN,)), lookup=only_the_cdn)
        for number, (url, why) in enumerate(FORWARDS):
            with pytest.raises(Problem) as caught:
                await client.fetch(f"http://{CDN}:{port}/{number}", max_bytes=100, into=tmp_path / "x")
            assert why in caught.value.message, (url, caught.value.message)
        await client.close()


@pytest.mark.parametrize(("url", "target"), LEADS_TO.items())
async def test_an_odd_spelling_of_a_public_place_leads_there_and_nowhere_else(
    url: str, target: tuple[str, int]
) -> None:
    found = SafeClient(Net(), lookup=nobody).check(url)
    assert (found.raw_host, found.port) == target
    assert found.fragment == ""


@pytest.mark.parametrize("network", SPECIAL, ids=str)
async def test_no_name_leads_into_a_special_range(
    network: ipaddress.IPv4Network | ipaddress.IPv6Network, tmp_path: Path
):
    for address in (network[0], network[-1], network[network.num_addresses // 2]):

        async def there(host: str, port: int, found: str = str(address)) -> list[str]:
            return ["8.8.8.8", found]

        client = SafeClient(Net(), lookup=there)
        with pytest.raises(Problem, match=r"refused: friendly\.example\.com resolves to an? "):
            await client.fetch("https://friendly.example.com/a.png", max_bytes=100, into=tmp_path / "x")
        await client.close()
