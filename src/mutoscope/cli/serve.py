"""`mutoscope serve`: everything in one process, until a signal says stop."""

import asyncio
import contextlib
import gc
import ipaddress
import os
import resource
import signal
import socket
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Generator
from pathlib import Path
from threading import Thread
from types import FrameType
from typing import Annotated, Literal

import uvicorn
from cyclopts import Parameter
from msgspec.structs import replace
from rich.text import Text

from mutoscope import __version__
from mutoscope.app import App, descriptors
from mutoscope.cli import _records, _show
from mutoscope.cli._failure import Stop, explain
from mutoscope.cli._options import Config, Data, Number, Whole, settings_of
from mutoscope.model.config import Settings
from mutoscope.service.routing import route
from mutoscope.store import check_readable
from mutoscope.telemetry import logs
from mutoscope.web.protocol import SPARE, Connection, Socket
from mutoscope.web.realtime import MAX_EVENT
from mutoscope.wirekit.wire import Wire
from mutoscope.wires import ALL

KEEP_ALIVE_SECONDS = 75  # clients that poll every few seconds keep their connection
CLOSING_SECONDS = 5  # for answers under way at a stop; idle connections are closed at once
BACKLOG = 2048
MOST_DESCRIPTORS = 65_536

BASE_URLS = {
    "runway": "RUNWAYML_BASE_URL={url}",
    "dashscope": "DASHSCOPE_HTTP_BASE_URL={url}/api/v1",
    "luma": "LUMAAI_BASE_URL={url}/dream-machine/v1",
    "openai": "OPENAI_BASE_URL={url}/v1",
    "anthropic": "ANTHROPIC_BASE_URL={url}",
}
"""How a wire's own SDK is pointed here; for the others the base URL itself is told."""


def serve(
    *,
    host: str | None = None,
    port: Whole = None,
    data: Data = None,
    config: Config = None,
    public_url: str | None = None,
    processes: Whole = None,
    no_worker: Annotated[bool, Parameter(negative="")] = False,
    rehearse: Annotated[bool, Parameter(negative="")] = False,
    allow_private: Annotated[bool, Parameter(negative="")] = False,
    record: Path | None = None,
    replay: Path | None = None,
    unknown: Literal["strict", "studio", "vendor", "once"] | None = None,
    pace: Number = None,
) -> int:
    """Run the server: the vendors' APIs, the worker and the store in one process.

    Parameters
    ----------
    host
        Address to listen on (default 127.0.0.1). Others than loopback need an API key to be configured.
    port
        Port to listen on (default 8700); 0 takes a free one and prints it.
    public_url
        How clients reach this server, for the links that it gives, where that is not as they address it.
    processes
        So many processes that share the port; for PostgreSQL ([store] url) only. One that dies is replaced.
    no_worker
        Only take requests: jobs are made by other servers and by `mutoscope worker`; for PostgreSQL only.
    rehearse
        For testing clients: the scripted engine makes everything, inputs are fetched only when a job runs, and
        request headers choose what goes wrong.
    allow_private
        Fetch inputs and send webhooks to loopback and private addresses too.
    record
        Write what vendors answer and what is made here into this directory, as cassettes.
    replay
        Answer from the cassettes in this directory, in the vendors' place: without keys and network.
    unknown
        With --replay, what becomes of a request that was not recorded: strict (it fails, and tells the nearest
        recording), studio (the built-in renderer makes it), vendor (the vendor is asked, and recorded), once (the same,
        and an equal request is replayed from then on).
    pace
        With --replay, how long a recorded second takes: 0 (at once, the default), 1 (as recorded), 0.1, …
    """
    told = {"record": record and str(record), "replay": replay and str(replay), "unknown": unknown, "pace": pace}
    cassettes = {"cassettes": {name: value for name, value in told.items() if value is not None}}
    settings = settings_of(config, options=cassettes, data=data, host=host, port=port, public_url=stripped(public_url))
    settings = relaxed(settings, rehearse=rehearse, allow_private=allow_private)
    refuse_open_door(settings)
    configure_log(settings)
    raise_descriptors()
    count = 1 if processes is None else processes
    if count < 1:
        raise Stop(f"--processes is 1 or more; {count} is not.", 2)
    if count > 1 or no_worker:
        need_shared_store(settings, "--no-worker" if no_worker else "--processes")
    with listening(settings.server.host, settings.server.port) as door:

        def run(number: int) -> int:
            app = App(settings, rehearsal=rehearse, works=not no_worker)
            keep_scratch(app.home.scratch)
            check_readable(settings.store.url, app.home.database)
            server = Serving(app, door, quiet=number > 0)
            server.run(sockets=[door])
            return 0 if server.started else 1

        return run(0) if count == 1 else tended(count, run)


def need_shared_store(settings: Settings, what: str) -> None:
    if not settings.store.url:
        told = f'{what} needs a store that several processes share: [store] url = "postgresql://…"'
        raise Stop(f"{told}; with SQLite one process does everything.", 2)


def raise_descriptors() -> None:
    """As many files and sockets as the system lets us have: the usual limit is 1,024, and a connection takes one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MOST_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def guarded(app: App) -> type[Connection]:
    """Connections to an app, no more at once than leaves descriptors for the rest."""

    class Guarded(Connection):
        most = max(descriptors() - SPARE, 16)
        at_once = staticmethod(app.server.at_once)

    return Guarded


def keep_scratch(folder: Path) -> None:
    """Whoever asks for a temporary file here gets it under the data directory: the system's place for them may be
    memory, or small, and is nobody's to sweep."""
    tempfile.tempdir = str(folder)


def relaxed(settings: Settings, *, rehearse: bool, allow_private: bool) -> Settings:
    if rehearse:
        settings = replace(settings, inputs=replace(settings.inputs, probe="never"))
    if allow_private:
        settings = replace(settings, net=replace(settings.net, allow_private=True))
    return settings


def stripped(url: str | None) -> str | None:
    if url is None:
        return None
    if not url.startswith(("http://", "https://")):
        raise Stop(f"--public-url is an address like https://media.example.com; {url!r} is none.", 2)
    return url.rstrip("/")


def refuse_open_door(settings: Settings) -> None:
    """Without keys everyone who reaches the server may use it, so that may only be this machine."""
    if is_loopback(settings.server.host) or asyncio.run(_records.has_keys(settings)):
        return
    raise Stop(
        f"{settings.server.host} can be reached from other machines, and there is no API key. Make one with "
        "`mutoscope keys create NAME` (and the same --data, if any), or listen on 127.0.0.1.",
        2,
    )


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def configure_log(settings: Settings) -> None:
    try:
        logs.configure(settings.server.log_level, json=settings.server.log_json)
    except ValueError as error:
        raise Stop(f"[server] {error}", 2) from error


def listening(host: str, port: int) -> socket.socket:
    """The listening socket, ours before anything else is touched. Raises Stop."""
    if not 0 <= port <= 65535:
        raise Stop(f"A port is a number from 0 to 65535; {port} is none.", 2)
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        door = socket.socket(family)
        try:
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            door.bind(address)
            door.listen(BACKLOG)
        except BaseException:
            door.close()
            raise
    except OSError as error:
        why = error.strerror or error
        raise Stop(
            f"Cannot listen on {host}, port {port}: {why}. Choose another --port; 0 takes a free one.", 2
        ) from error
    door.setblocking(False)
    return door


class Serving(uvicorn.Server):
    """uvicorn, with our words at the start and our manners at the end."""

    def __init__(self, app: App, door: socket.socket, *, quiet: bool = False) -> None:
        self.quiet = quiet
        super().__init__(
            uvicorn.Config(
                app.server,
                loop="uvloop",
                http=guarded(app),
                ws=Socket,
                ws_max_size=MAX_EVENT,
                ws_per_message_deflate=False,
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,  # [server] trusted_proxies says whose are believed
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=CLOSING_SECONDS,
            )
        )
        self.mutoscope, self.door = app, door

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        settle_memory()
        if self.started and not self.quiet:
            announce(self.mutoscope, self.door)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        grace = self.mutoscope.settings.server.grace_seconds
        _show.err.print(f"Stopping; running jobs have {grace:g} s to end. Once more to stop at once: nothing is lost.")
        await self.mutoscope.drain()  # with the door still open, so that clients see their jobs end
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """uvicorn would raise the signal again after a graceful stop, and the exit code would speak of a failure."""
        signals = [signal.SIGINT, signal.SIGTERM]
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # a closed terminal; nohup has it ignored
            signals.append(signal.SIGHUP)
        before = {each: signal.signal(each, self.handle_exit) for each in signals}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal stops gracefully, the second at once: the store needs no goodbye, and children leave when
        their pipes close.
        """
        if not self.should_exit:
            super().handle_exit(sig, frame)
            return
        os._exit(128 + sig)


# -- several processes -------------------------------------------------------------

PAUSE_SECONDS = 1.0  # before a process is replaced that died young
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def tended(count: int, run: Callable[[int], int]) -> int:
    """Run so many processes, each a copy of this one, and replace those that die, until a signal says stop. They end
    when this one does."""
    stopping = False
    worst, early = 0, 0
    children: dict[int, tuple[int, float]] = {}  # process → its number, and when it began
    before = {each: signal.getsignal(each) for each in ENDINGS}

    def stop(number: int, frame: FrameType | None) -> None:
        del frame
        nonlocal stopping
        stopping = True
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, number)

    def begin(number: int) -> None:
        parent = os.getpid()
        if child := os.fork():
            children[child] = (number, time.monotonic())
            return
        code = 1
        try:
            for each, handler in before.items():
                signal.signal(each, handler)
            end_with_parent(parent)
            code = run(number)
        except Exception as error:
            told, code = explain(error) or (repr(error), 1)
            _show.err.print(f"mutoscope: {told}", markup=False)
        finally:
            os._exit(code)

    for each in ENDINGS:
        if before[each] != signal.SIG_IGN:
            signal.signal(each, stop)
    for number in range(count):
        begin(number)
    while children:
        child, status = os.wait()
        number, began = children.pop(child)
        code = os.waitstatus_to_exitcode(status)
        early = early + 1 if time.monotonic() - began < 10 * PAUSE_SECONDS else 0
        if not stopping and early > 2 * count:  # none of them can run
            stop(signal.SIGTERM, None)
            worst = 1
        if stopping:
            worst = max(worst, code)
            continue
        _show.err.print(f"A process has ended ({code}); another takes its place.", markup=False)
        time.sleep(PAUSE_SECONDS if early else 0.0)
        begin(number)
    return worst


def end_with_parent(parent: int) -> None:
    """Whoever tends this process may be killed; then nobody would end it, and it would hold the port."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        os.kill(os.getpid(), signal.SIGTERM)

    Thread(target=watch, name="parent", daemon=True).start()


def settle_memory() -> None:
    """What is loaded now stays: keep the collector off it, and let it look less often at what comes and goes.

    Requests leave next to no cycles behind, and at Python's default pace the collector walks over thousands of
    remembered jobs in the middle of them.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)


# -- what it says at the start -----------------------------------------------------


def announce(app: App, door: socket.socket) -> None:
    url = address(app.settings, door)
    home = app.home.root
    secret = "the settings" if app.settings.webhooks.secret else str(home / "webhook-secret")
    _show.out.print(Text.assemble(("mutoscope", "bold"), f" {__version__} serves on ", (url, "bold")))
    if app.rehearsal:
        text = "REHEARSAL: every job is made by the scripted engine, inputs are not fetched before a job runs, and the "
        text += "headers x-mutoscope-engine and x-mutoscope-rehearse are obeyed. Not for real work."
        _show.out.print(Text(text, style="bold yellow"))
    _show.print_facts(
        [
            *((f"  {wire.name}", Text(pointer(wire, url))) for wire in ALL),
            ("  engines", Text(engines(app))),
            ("  keys", Text(keys(app))),
            ("  data", Text(str(home))),
            ("  webhooks", Text(f"signed with the secret in {secret} (mutoscope webhooks secret)")),
            ("  pages", Text(f"{url}/ and {url}/docs")),
        ]
    )
    _show.out.print(Text.assemble("\nTry it:\n  ", (example(app, url), "bold"), "\n"))
    _show.out.file.flush()


def address(settings: Settings, door: socket.socket) -> str:
    """Where clients find us, as far as we can know."""
    if settings.server.public_url:
        return settings.server.public_url
    port = door.getsockname()[1]
    host = settings.server.host
    if host in ("0.0.0.0", "::", ""):  # noqa: S104 - compared with, not listened on
        host = "127.0.0.1" if door.family is socket.AF_INET else "::1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def pointer(wire: Wire, url: str) -> str:
    told = BASE_URLS.get(wire.name, "base URL {url}").format(url=url)
    return f"{told}  (also under /{wire.name}; as in {wire.docs})"


def engines(app: App) -> str:
    made = Counter(route(model, app.settings.accounts)[0] for model in app.catalog.models.values())
    known = dict.fromkeys([*app.engines, *app.routes.wires])
    counted = [f"{name} ({made[name]} of {made.total()} models)" for name in known if made[name] or name in app.engines]
    missing = [f"{name}, which does not exist ({made[name]} models)" for name in made if name not in known]
    return ", ".join(counted + missing)


def keys(app: App) -> str:
    if app.keys.open:
        return "none: open to this machine, and any key is taken"
    named = ", ".join(key.name for key in app.settings.keys)
    return f"{named}, and those of `mutoscope keys list`" if named else "those of `mutoscope keys list`"


def example(app: App, url: str) -> str:
    key = "" if app.keys.open else " -H 'x-freepik-api-key: YOUR_KEY'"
    body = '{"prompt": "a lake between mountains at dawn", "ratio": "1920:1080"}'
    return f"curl -s {url}/v1/ai/text-to-image/runway -H 'content-type: application/json'{key} -d '{body}'"
