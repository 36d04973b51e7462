"""What the console's pages are made of: the frame around each, and the pieces that several of them have."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import htpy as h
import msgspec
from msgspec import Struct

from mutoscope import __version__
from mutoscope.model.job import Json

Node = h.Node
NAV = (
    ("Watch", (("/", "Overview"), ("/console/gallery", "Gallery"), ("/console/deliveries", "Deliveries"))),
    ("Make", (("/console/playground", "Playground"), ("/console/models", "Models"))),
    (
        "Run",
        (
            ("/console/vendors", "Vendors"),
            ("/console/spend", "Spend"),
            ("/console/keys", "Keys"),
            ("/console/rehearsals", "Rehearsals"),
            ("/console/storage", "Storage"),
        ),
    ),
)
STATES = {
    "queued": "Queued",
    "throttled": "Waiting for its turn",
    "running": "Running",
    "succeeded": "Succeeded",
    "failed": "Failed",
    "canceled": "Canceled",
    "pending": "Pending",
    "delivered": "Delivered",
    "given_up": "Given up",
    "closed": "In use",
    "paused": "Pauses, as its vendor asked",
    "open": "Left alone after failures",
    "half-open": "Being tried again",
    "valid": "Valid",
    "revoked": "Revoked",
    "expired": "Expired",
    "unknown": "Unknown",
    "intended": "Answer not known",
}


class Page(Struct, frozen=True, kw_only=True):
    title: str
    body: Any
    path: str = ""  # of its entry in the navigation
    scripts: tuple[str, ...] = ()
    lead: Any = None
    actions: Any = None
    status: int = 200


class Frame(Struct, frozen=True, kw_only=True):
    """What is around a page."""

    static: Any  # name of a file → its address
    owner: str
    open: bool
    rehearsal: bool
    cassettes: bool = False  # whether there are any to look at


def document(page: Page, frame: Frame) -> str:
    head = h.head[
        h.meta(charset="utf-8"),
        h.title[f"{page.title} · mutoscope"],
        h.meta(name="viewport", content="width=device-width, initial-scale=1"),
        h.meta(name="color-scheme", content="light dark"),
        h.link(rel="icon", href=frame.static("mark.svg"), type="image/svg+xml"),
        h.link(rel="stylesheet", href=frame.static("console.css")),
        h.script(src=frame.static("theme.js")),
        [h.script(type="module", src=frame.static(name)) for name in ("console.js", *page.scripts)],
    ]
    body = h.body[
        h.a(".skip", href="#main")["Skip to the content"],
        sidebar(page, frame),
        h.main("#main", tabindex="-1")[
            h.header(".top")[
                h.div[h.h1[page.title], page.lead and h.p(".lead")[page.lead]],
                page.actions and h.div(".actions")[page.actions],
            ],
            page.body,
        ],
        h.div("#toasts", role="status", aria_live="polite"),
    ]
    return "".join(h.html(lang="en")[head, body].iter_chunks())


def sidebar(page: Page, frame: Frame) -> h.Element:
    return h.aside(".side")[
        h.a(".brand", href="/")[
            h.img(src=frame.static("mark.svg"), alt="", width="28", height="28"),
            h.span["mutoscope"],
            h.small[__version__],
        ],
        frame.rehearsal and h.p(".badge.warn")["Rehearsal"],
        h.nav(aria_label="Console")[
            (
                h.div(".group")[
                    h.p[group],
                    h.ul[(h.li[link(href, text, current=href == page.path)] for href, text in entries)],
                ]
                for group, entries in entries_of(frame)
            )
        ],
        h.div(".foot")[
            h.button(".ghost", type="button", data_theme_toggle=True, aria_label="Change between light and dark")[
                "Light or dark"
            ],
            h.a(href="/docs")["The APIs"],
            not frame.open
            and h.form(method="post", action="/console/sign-out")[
                h.button(".ghost", type="submit")[f"Sign out {frame.owner}"]
            ],
        ],
    ]


def entries_of(frame: Frame) -> Iterator[tuple[str, tuple[tuple[str, str], ...]]]:
    for group, entries in NAV:
        yield group, (*entries, ("/console/cassettes", "Cassettes")) if group == "Run" and frame.cassettes else entries


def link(href: str, text: str, *, current: bool) -> h.Element:
    return h.a(href=href, aria_current="page" if current else None)[text]


# -- pieces --------------------------------------------------------------------------------


def state(name: str, *, word: str | None = None) -> h.Element:
    """Told by a word, a shape and a colour."""
    return h.span(".state", data_state=name)[word or STATES.get(name, name)]


def card(title: str, *children: Node, id: str | None = None, note: Node = None, actions: Node = None) -> h.Element:
    return h.section(".card", id=id)[
        h.header[h.h2[title], note and h.p(".note")[note], actions and h.div(".actions")[actions]], *children
    ]


def stat(label: str, value: str, *, href: str | None = None, note: str = "", tone: str = "") -> h.Element:
    inside = [h.span(".label")[label], h.strong[value], h.span(".note")[note or "\u00a0"]]
    if href:
        return h.a(".stat", href=href, data_tone=tone or None)[inside]
    return h.div(".stat", data_tone=tone or None)[inside]


def empty(title: str, text: Node, *more: Node) -> h.Element:
    return h.div(".empty")[h.h3[title], h.p[text], *more]


def table(
    heads: Sequence[str], rows: Iterable[Sequence[Node]], *, label: str, numbers: Sequence[int] = ()
) -> h.Element:
    def cells(row: Sequence[Node]) -> Iterator[h.Element]:
        for place, cell in enumerate(row):
            yield h.td(".number" if place in numbers else "", data_head=heads[place] or None)[cell]

    return h.div(".scroll", tabindex="0", role="region", aria_label=label)[
        h.table[
            h.thead[
                h.tr[
                    (
                        h.th(".number" if place in numbers else "", scope="col")[head or h.span(".hidden")["Actions"]]
                        for place, head in enumerate(heads)
                    )
                ]
            ],
            h.tbody[(h.tr[cells(row)] for row in rows)],
        ]
    ]


def code(text: str, *, label: str, copied: bool = True) -> h.Element:
    return h.div(".code")[
        copied and h.button(".ghost.small", type="button", data_copy=True)["Copy"],
        h.pre(tabindex="0", aria_label=label)[h.code[text]],
    ]


def facts(*pairs: tuple[str, Node]) -> h.Element:
    return h.dl(".facts")[(h.div[h.dt[name], h.dd[value]] for name, value in pairs if value not in (None, ""))]


def when(at: float | None, *, word: str = "") -> h.Element | str:
    """A time, which the browser tells as how long ago it is."""
    if at is None:
        return "—"
    moment = datetime.fromtimestamp(at, UTC)
    return h.time(datetime=moment.isoformat(), title=f"{moment:%Y-%m-%d %H:%M:%S} UTC")[
        word or f"{moment:%Y-%m-%d %H:%M:%S}"
    ]


def seconds(value: float | None) -> str:
    if value is None:
        return "—"
    if value < 10:
        return f"{value:.1f} s"
    if value < 120:
        return f"{value:.0f} s"
    if value < 7200:
        return f"{value / 60:.0f} min"
    return f"{value / 3600:.1f} h" if value < 172800 else f"{value / 86400:.0f} days"


def size(count: float | None) -> str:
    if count is None:
        return "—"
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def money(value: float | None) -> str:
    return "—" if value is None else f"{value:,.2f}".rstrip("0").rstrip(".")


def words(name: str) -> str:
    return name.replace("_", " ")


def job_link(id: str, text: Node = None) -> h.Element:
    return h.a(href=f"/console/jobs/{id}")[text or h.code[id[-12:]]]


def query(**values: Any) -> str:
    told = {name: value for name, value in values.items() if value not in (None, "")}
    return f"?{urlencode(told)}" if told else ""


def call_button(
    text: str, at: str, *, body: Json | None = None, sure: str = "", then: str = "reload", kind: str = ""
) -> h.Element:
    """A button that makes a call of the admin API. Without JavaScript it does nothing, and is not shown."""
    method, path = at.split(" ", 1)
    return h.button(
        f".needs-script{kind}",
        {
            "data-call": path,
            "data-method": method,
            "data-body": None if body is None else encoded(body),
            "data-sure": sure or None,
            "data-then": then,
        },
        type="button",
    )[text]


def encoded(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def field(label: str, control: h.Element | h.VoidElement, *, note: str = "") -> h.Element:
    return h.label(".field")[h.span[label], control, note and h.small[note]]


def select(name: str, options: Iterable[tuple[str, str]], chosen: str | None = None, **attributes: Any) -> h.Element:
    return h.select(name=name, **attributes)[
        (h.option(value=value, selected=value == (chosen or ""))[text] for value, text in options)
    ]


def show(file: Json, *, alt: str, controls: bool = True) -> h.Element | h.VoidElement:
    """A file as its element, by the kind that was probed."""
    match file["kind"]:
        case "image":
            return h.img(src=file["url"], alt=alt, loading="lazy", decoding="async")
        case "video":
            return h.video(
                src=file["url"],
                poster=file.get("poster"),
                preload="metadata",
                muted=not controls,
                loop=not controls,
                playsinline=True,
                controls=controls,
                aria_label=alt,
                tabindex="0" if controls else "-1",
            )
        case "audio":
            return h.audio(src=file["url"], preload="metadata", controls=True, aria_label=alt)
        case _:
            return h.a(href=file["url"], download=True)[f"{file['type']}, {size(file['bytes'])}"]
