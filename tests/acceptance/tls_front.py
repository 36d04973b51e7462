"""A proxy that ends TLS before a server on loopback, for clients that take addresses with https only."""

import asyncio
import datetime
import ipaddress
import ssl
import threading
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

import aiohttp
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

TRUSTED = '[server]\ntrusted_proxies = ["127.0.0.1"]\n'
"""The settings of the server behind it."""
OF_ONE_HOP = {"connection", "content-length", "keep-alive", "transfer-encoding"}


class Front(NamedTuple):
    url: str
    certificate: Path  # whom the clients have to trust


@contextmanager
def front(server: str, folder: Path) -> Generator[Front]:
    certificate, key = certified(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    loop, stop, ports = asyncio.new_event_loop(), asyncio.Event(), list[int]()
    listens = threading.Event()

    async def run() -> None:
        async with aiohttp.ClientSession(server, auto_decompress=False) as session:
            app = web.Application(client_max_size=0)
            app.router.add_route("*", "/{path:.*}", partial(passed_on, session))
            runner = web.AppRunner(app)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
            ports.append(runner.addresses[0][1])
            listens.set()
            await stop.wait()
            await runner.cleanup()

    thread = threading.Thread(target=loop.run_until_complete, args=[run()])
    thread.start()
    try:
        assert listens.wait(10), "the proxy does not listen"
        yield Front(f"https://localhost:{ports[0]}", certificate)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


async def passed_on(session: aiohttp.ClientSession, request: web.Request) -> web.Response:
    said = {name: text for name, text in request.headers.items() if name.lower() not in OF_ONE_HOP}
    said |= {"X-Forwarded-Proto": "https", "X-Forwarded-Host": request.host}
    body = await request.read()
    async with session.request(
        request.method, request.rel_url, headers=said, data=body or None, allow_redirects=False
    ) as answer:
        told = [(name, text) for name, text in answer.headers.items() if name.lower() not in OF_ONE_HOP]
        return web.Response(status=answer.status, headers=dict(told), body=await answer.read())


def certified(folder: Path) -> tuple[Path, Path]:
    """A certificate for this machine that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - day, now + day)
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, secret = folder / "front.pem", folder / "front.key"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return pem, secret
