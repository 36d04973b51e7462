"""The console: pages of the admin API for a person with a browser; HTML from Python, scripts and style from `static/`.

What belongs here: how things are shown, and who sees them. What does not: what is known and done, which `office` says.
"""

import hashlib
import math
from collections.abc import Awaitable, Callable, MutableMapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote

import structlog

from mutoscope.model.http import HttpRequest, HttpResponse, json_response
from mutoscope.model.problem import Kind, Problem, as_unavailable
from mutoscope.service.keys import digest
from mutoscope.web.admin import Admin
from mutoscope.web.console import views
from mutoscope.web.console.parts import Frame, Page, document
from mutoscope.web.console.receiver import MOST_BYTES, PREFIX, Received
from mutoscope.web.office import Desk
from mutoscope.web.sessions import Sessions, check_origin, set_cookie
from mutoscope.wirekit.task import bearer

__all__ = ["Console", "Received"]

log = structlog.get_logger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

ROOT, STATIC = "/console", "/console/static/"
SIGN_IN, SIGN_OUT = "/console/sign-in", "/console/sign-out"
MOST_FORM = 8 * 1024
FOLDER = Path(__file__).parent / "static"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
GUARD = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
NOT_KEPT = {"cache-control": "no-store"}


class Console:
    """Answers the paths that are the console's."""

    def __init__(self, desk: Desk, sessions: Sessions, admin: Admin) -> None:
        self.desk, self.sessions, self.admin = desk, sessions, admin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> bool:
        """Whether it was answered here: everything below /console, and / for whoever operates the server."""
        path = scope["path"].rstrip("/") or "/"
        if path != "/" and path != ROOT and not path.startswith(f"{ROOT}/"):
            return False
        request = request_of(scope)
        address = client[0] if (client := scope.get("client")) else ""
        origin = origin_of(scope, request)
        try:
            response = await self.answer(path, request, address, origin, receive)
        except Problem as problem:
            response = self.trouble(problem)
        except Exception as error:
            problem = as_unavailable(error)
            if problem is None:
                log.exception("console_broke", path=path)
                problem = Problem(Kind.INTERNAL, "Something broke on this side; the log says what.")
            response = self.trouble(problem)
        if response is None:
            return False
        await sent(response, request, send)
        return True

    async def answer(
        self, path: str, request: HttpRequest, address: str, origin: str, receive: Receive
    ) -> HttpResponse | None:
        if path.startswith(STATIC):
            return static_file(path.removeprefix(STATIC))
        if path.startswith(PREFIX):
            return await self.take(path, request, receive)
        if path == SIGN_IN:
            return await self.sign_in(request, address, origin, receive)
        if path == SIGN_OUT:
            check_origin(request, (origin, self.sessions.public), page=False, needed=True)
            await self.sessions.sign_out(request)
            return redirect(SIGN_IN, {"set-cookie": set_cookie("", secure=origin.startswith("https:"))})
        if request.method not in ("GET", "HEAD"):
            raise Problem(Kind.WRONG_METHOD, f"{request.method} is not allowed here; GET is.")
        try:
            caller = await self.sessions.operator(request, address, origin, page=True)
        except Problem as problem:
            if path == "/":
                return None  # for strangers it is the page that says what is here
            if problem.kind is Kind.UNAUTHENTICATED and not self.sessions.keys.open:
                query = "&".join(f"{quote(name)}={quote(value)}" for name, value in request.query.items())
                return redirect(f"{SIGN_IN}?next={quote(path + (f'?{query}' if query else ''), safe='')}")
            raise
        if path == ROOT:
            return redirect("/")
        made = await views.view(self.desk, self.admin, caller, path, request, origin)
        return made if isinstance(made, HttpResponse) else self.page(made, caller.owner)

    def page(self, page: Page, owner: str = "") -> HttpResponse:
        tapes = self.desk.gateway.settings.cassettes
        frame = Frame(
            static=static_url,
            owner=owner,
            open=self.sessions.keys.open,
            rehearsal=self.desk.rehearsal,
            cassettes=bool(tapes.record or tapes.replay),
        )
        text = document(page, frame)
        return HttpResponse(
            status=page.status, body=text.encode(), media_type="text/html; charset=utf-8", headers=dict(NOT_KEPT)
        )

    def trouble(self, problem: Problem) -> HttpResponse:
        """A problem as a page, without anything around it that only an operator may know."""
        headers = {} if problem.retry_after is None else {"retry-after": str(math.ceil(problem.retry_after))}
        return HttpResponse(
            status=problem.status,
            body=views.plain("This did not work", problem.message, static_url).encode(),
            media_type="text/html; charset=utf-8",
            headers=NOT_KEPT | headers,
        )

    # -- signing in ----------------------------------------------------------------------

    async def sign_in(self, request: HttpRequest, address: str, origin: str, receive: Receive) -> HttpResponse:
        if token := request.query.get("once"):
            return self.signed_in(await self.sessions.with_link(token, address), "/", origin)
        if request.method != "POST":
            await self.sessions.keys.refresh()
            return self.form(request.query.get("next", ""))
        check_origin(request, (origin, self.sessions.public), page=False, needed=True)
        texts = parse_qs((await body_of(receive, MOST_FORM)).decode("utf-8", "replace"))
        back = first(texts, "next")
        try:
            value = await self.sessions.with_key(first(texts, "key"), address)
        except Problem as problem:
            return self.form(back, problem)
        return self.signed_in(value, back, origin)

    def form(self, back: str, problem: Problem | None = None) -> HttpResponse:
        body = views.sign_in(back, problem, open=self.sessions.keys.open, static=static_url)
        status = problem.status if problem else 200
        return HttpResponse(
            status=status, body=body.encode(), media_type="text/html; charset=utf-8", headers=dict(NOT_KEPT)
        )

    def signed_in(self, value: str, back: str, origin: str) -> HttpResponse:
        ours = back.startswith("/") and not back.startswith(("//", "/\\")) and back.isprintable()
        cookie = set_cookie(value, secure=origin.startswith("https:"))
        return redirect(back if ours else "/", {"set-cookie": cookie})

    def make_link(self, request: HttpRequest) -> HttpResponse:
        """A link that signs in once, for the key that asks for it."""
        key = bearer(request)
        token = self.sessions.link(digest(key) if key and not self.sessions.keys.open else "")
        base = request.origin.rstrip("/")
        told = {"url": f"{base}/" if self.sessions.keys.open else f"{base}{SIGN_IN}?once={token}"}
        return json_response(told, 201, {"cache-control": "no-store"})

    # -- webhooks to look at ---------------------------------------------------------------

    async def take(self, path: str, request: HttpRequest, receive: Receive) -> HttpResponse:
        if path != self.desk.received.path or request.method != "POST":
            raise Problem(Kind.NOT_FOUND, "There is no such receiver.")
        self.desk.received.take(request.headers, await body_of(receive, MOST_BYTES))
        return HttpResponse(status=204)


def first(texts: dict[str, list[str]], name: str) -> str:
    return texts.get(name, [""])[0]


async def body_of(receive: Receive, most: int) -> bytes:
    """Raises Problem(TOO_LARGE)."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Problem(Kind.INVALID, "The request body broke off.")
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > most:
            raise Problem(Kind.TOO_LARGE, f"The request body is larger than {most} bytes.")
    return body


def redirect(where: str, headers: dict[str, str] | None = None) -> HttpResponse:
    return HttpResponse(status=303, headers={"location": where, **NOT_KEPT, **(headers or {})})


# -- files of ours ---------------------------------------------------------------------------


@cache
def files() -> tuple[str, dict[str, bytes]]:
    """A name for the state that they are in, and name → content; read once."""
    found = {path.name: path.read_bytes() for path in sorted(FOLDER.iterdir()) if path.is_file()}
    return hashlib.sha256(b"".join(found.values())).hexdigest()[:12], found


def static_url(name: str) -> str:
    """Modules ask for each other beside themselves, so that the version is a folder of the path."""
    return f"{STATIC}{files()[0]}/{name}"


TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}


def static_file(path: str) -> HttpResponse:
    version, _, name = path.partition("/")
    current, known = files()
    if name not in known:
        raise Problem(Kind.NOT_FOUND, "There is no such file.")
    # A page of an earlier version gets what there is, and does not keep it.
    kept = "public, max-age=31536000, immutable" if version == current else "no-store"
    return HttpResponse(body=known[name], media_type=TYPES[Path(name).suffix], headers={"cache-control": kept})


# -- ASGI ------------------------------------------------------------------------------------


def request_of(scope: Scope) -> HttpRequest:
    """Of a name that the query has several times the values are joined by commas."""
    query: dict[str, str] = {}
    for name, value in parse_qsl(scope.get("query_string", b"").decode("latin-1")):
        query[name] = f"{query[name]},{value}" if name in query else value
    return HttpRequest(
        method=scope["method"],
        path=scope["path"],
        query=query,
        headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
    )


def origin_of(scope: Scope, request: HttpRequest) -> str:
    return f"{scope.get('scheme', 'http')}://{request.headers.get('host', '')}"


async def sent(response: HttpResponse, request: HttpRequest, send: Send) -> None:
    headers = {**GUARD, **response.headers, "content-length": str(len(response.body))}
    if response.body:
        headers["content-type"] = response.media_type
    raw = [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": response.status, "headers": raw})
    await send({"type": "http.response.body", "body": b"" if request.method == "HEAD" else response.body})
