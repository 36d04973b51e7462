"""A plain proxy, the least that aiohttp can do: the body there, the answer's pieces back, and nothing looked at."""

import argparse

import aiohttp
import uvloop
from aiohttp import web


def app_to(upstream: str) -> web.Application:
    app = web.Application()

    async def start(app: web.Application) -> None:
        app["session"] = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), auto_decompress=False)

    async def relay(request: web.Request) -> web.StreamResponse:
        session: aiohttp.ClientSession = request.app["session"]
        body = await request.read()
        headers = {"content-type": request.headers["content-type"], "authorization": "Bearer theirs"}
        async with session.post(upstream + request.path, data=body, headers=headers) as answer:
            kept = ("content-type", "content-length")
            told = {name: text for name in kept if (text := answer.headers.get(name))}
            response = web.StreamResponse(status=answer.status, headers=told)
            await response.prepare(request)
            async for piece in answer.content.iter_any():
                await response.write(piece)
            await response.write_eof()
            return response

    app.on_startup.append(start)
    app.router.add_post("/{path:.*}", relay)
    return app


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("upstream")
    asked = parser.parse_args()
    uvloop.install()
    web.run_app(app_to(asked.upstream), host="127.0.0.1", port=asked.port, print=None, access_log=None)


if __name__ == "__main__":
    main()
