"""`mutoscope mcp`: the tools for agents over stdio, of a server that runs or of one of its own."""

# pydantic's and the library's types reach into every signature here.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

import contextlib
from collections.abc import AsyncGenerator
from typing import Annotated, Any
from urllib.parse import urlsplit

from cyclopts import Parameter

from mutoscope import __version__
from mutoscope.cli._failure import Stop
from mutoscope.cli._options import Config, Data, settings_of
from mutoscope.model.config import Settings
from mutoscope.telemetry import logs

try:
    import httpx2
    from mcp import Client
    from mcp.client.streamable_http import streamable_http_client
    from mcp.server.context import ServerRequestContext
    from mcp.server.lowlevel.server import Server
    from mcp.server.stdio import stdio_server
    from mcp_types import CallToolRequestParams, CallToolResult, ListToolsResult, PaginatedRequestParams
except ModuleNotFoundError as error:
    raise Stop('The tools for agents need the extra: pip install "mutoscope[mcp]".') from error

CALL_SECONDS = 600.0


async def mcp(
    *,
    server: Annotated[str | None, Parameter(env_var="MUTOSCOPE_URL")] = None,
    key: Annotated[str | None, Parameter(env_var="MUTOSCOPE_KEY")] = None,
    data: Data = None,
    config: Config = None,
) -> None:
    """The tools for agents over stdio, by the Model Context Protocol. Started by the agent's program, not by hand.

    Without --server it is a mutoscope of its own, with no HTTP, and --data says where it keeps what it makes.

    Parameters
    ----------
    server
        The address of a server that runs, whose tools they are: https://media.example.com.
    key
        An API key of that server.
    """
    logs.configure("error")
    if server is None:
        await embedded(settings_of(config, data=data))
    elif data is not None:
        raise Stop("--server and --data: the one is a server that runs, the other the place of one of its own.", 2)
    else:
        await bridge(address(server), key)


async def embedded(settings: Settings) -> None:
    # Late: an agent's program waits for our start, and a bridge needs nothing of the server's.
    from mutoscope.app import App
    from mutoscope.files.assets import local_root
    from mutoscope.web.mcp import build

    app = App(settings)
    async with app.running(), stdio_server() as (read, write):
        app.server.tools.files_at = local_root(app.settings.files.store, app.home.root)
        low = build(app.server.tools)._lowlevel_server
        await low.run(read, write, low.create_initialization_options())


async def bridge(url: str, key: str | None) -> None:
    """Every question is passed on to the server, and its answer back; so is news of progress."""
    async with remote(url, key) as far:
        told = await far.list_tools()  # now, so that a wrong address or key is told at once

        async def list_tools(_ctx: ServerRequestContext[Any], params: PaginatedRequestParams | None) -> ListToolsResult:
            return told if params is None or params.cursor is None else await far.list_tools(cursor=params.cursor)

        async def call_tool(ctx: ServerRequestContext[Any], params: CallToolRequestParams) -> CallToolResult:
            async def told(progress: float, total: float | None, message: str | None) -> None:
                await ctx.session.report_progress(progress, total, message)

            return await far.call_tool(params.name, params.arguments, CALL_SECONDS, told)

        near = Server(
            "mutoscope",
            version=__version__,
            instructions=far.instructions,
            on_list_tools=list_tools,
            on_call_tool=call_tool,
        )
        async with stdio_server() as (read, write):
            await near.run(read, write, near.create_initialization_options())


@contextlib.asynccontextmanager
async def remote(url: str, key: str | None) -> AsyncGenerator[Client]:
    """Raises Stop where nobody is there, or does not let us in."""
    headers = {"authorization": f"Bearer {key}"} if key else {}
    patience = httpx2.Timeout(30.0, read=CALL_SECONDS)
    async with httpx2.AsyncClient(headers=headers, timeout=patience) as http:
        await admitted(http, url)
        async with Client(streamable_http_client(f"{url}/mcp", http_client=http)) as client:
            yield client


async def admitted(http: httpx2.AsyncClient, url: str) -> None:
    """Asked plainly first: what stands against us is then told in the server's own words. Raises Stop."""
    try:
        found = await http.get(f"{url}/mcp", headers={"accept": "application/json"})
    except httpx2.HTTPError as error:
        raise Stop(f"{url} does not answer: {error or repr(error)}") from error
    if found.status_code in (401, 403, 404):
        told = found.json().get("error") if "json" in found.headers.get("content-type", "") else found.text
        raise Stop(f"{url} answers {found.status_code}: {told}")


def address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Stop(f"--server is an address like https://media.example.com; {url!r} is none.", 2)
    return url.rstrip("/").removesuffix("/mcp")
