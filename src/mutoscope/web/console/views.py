"""Which page is at which path, and those that anybody may see: signing in, and why something did not work."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import htpy as h
from msgspec import Struct

from mutoscope.model.http import HttpRequest, HttpResponse
from mutoscope.model.problem import Kind, Problem
from mutoscope.service.keys import Caller
from mutoscope.web import office
from mutoscope.web.admin import Admin
from mutoscope.web.console import job, playground, recordings, running, watching
from mutoscope.web.console.parts import Page
from mutoscope.web.office import Desk


class Visit(Struct, frozen=True, kw_only=True):
    """Who looks at what."""

    desk: Desk
    admin: Admin
    caller: Caller
    request: HttpRequest
    origin: str
    params: dict[str, str] = {}

    async def call(self, at: str, **values: Any) -> Any:
        """What a call of the admin API answers."""
        return await office.call(self.desk, at, self.caller, origin=self.origin, **values)


View = Callable[[Any], Awaitable[Page | HttpResponse]]
PAGES: tuple[tuple[str, View], ...] = (
    ("/", watching.overview),
    ("/console/gallery", watching.gallery),
    ("/console/gallery/tiles", watching.tiles),
    ("/console/compare", watching.compare),
    (r"/console/jobs/(?P<id>[^/]+)", job.page),
    (r"/console/jobs/(?P<id>[^/]+)/provenance", job.provenance),
    ("/console/playground", playground.page),
    ("/console/playground/operation", playground.operation),
    ("/console/deliveries", watching.deliveries),
    (r"/console/deliveries/(?P<id>[^/]+)", watching.delivery),
    ("/console/models", running.models),
    ("/console/vendors", running.vendors),
    ("/console/spend", running.spend),
    ("/console/keys", running.keys),
    ("/console/rehearsals", running.rehearsals),
    ("/console/storage", running.storage),
    ("/console/cassettes", recordings.cassettes),
    (r"/console/cassettes/(?P<name>[^/]+)", recordings.cassette),
)
COMPILED = tuple((re.compile(pattern), view) for pattern, view in PAGES)


async def view(
    desk: Desk, admin: Admin, caller: Caller, path: str, request: HttpRequest, origin: str
) -> Page | HttpResponse:
    """Raises Problem."""
    for pattern, page in COMPILED:
        if match := pattern.fullmatch(path):
            visit = Visit(
                desk=desk, admin=admin, caller=caller, request=request, origin=origin, params=match.groupdict()
            )
            return await page(visit)
    raise Problem(Kind.NOT_FOUND, f"There is no page {path}.")


# -- for anybody -----------------------------------------------------------------------------


def bare(title: str, static: Callable[[str], str], *children: h.Node) -> str:
    document = h.html(lang="en")[
        h.head[
            h.meta(charset="utf-8"),
            h.title[f"{title} · mutoscope"],
            h.meta(name="viewport", content="width=device-width, initial-scale=1"),
            h.meta(name="color-scheme", content="light dark"),
            h.link(rel="icon", href=static("mark.svg"), type="image/svg+xml"),
            h.link(rel="stylesheet", href=static("console.css")),
            h.script(src=static("theme.js")),
        ],
        h.body(".bare")[
            h.main[
                h.a(".brand", href="/")[
                    h.img(src=static("mark.svg"), alt="", width="40", height="40"), h.span["mutoscope"]
                ],
                children,
            ]
        ],
    ]
    return "".join(document.iter_chunks())


def plain(title: str, text: str, static: Callable[[str], str]) -> str:
    return bare(title, static, h.h1[title], h.p[text], h.p[h.a(href="/")["To the start"]])


def sign_in(back: str, problem: Problem | None, *, open: bool, static: Callable[[str], str]) -> str:
    if open:
        told = "This server has no keys: its console is open on the machine itself, at localhost, and nowhere else."
        return plain("No key is needed", told, static)
    return bare(
        "Sign in",
        static,
        h.h1["Sign in"],
        h.p["With a key that has the right ", h.code["admin"], ". It stays on the server; your browser gets a cookie."],
        problem and h.p(".notice.bad", role="alert")[problem.message],
        h.form(method="post", action="/console/sign-in")[
            h.input(type="hidden", name="next", value=back),
            h.label(".field")[
                h.span["Key"],
                h.input(type="password", name="key", autocomplete="current-password", required=True, autofocus=True),
            ],
            h.button(".primary", type="submit")["Sign in"],
        ],
        h.p(".note")["On the server's own machine ", h.code["mutoscope open"], " prints a link that signs in once."],
    )
