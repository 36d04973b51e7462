"""Pages that are looked at all day: the overview, the gallery, comparing two, deliveries."""

from collections.abc import Iterable
from typing import Any

import htpy as h

from mutoscope.model.http import HttpResponse
from mutoscope.model.job import Job, Json, State
from mutoscope.model.problem import Kind, Problem
from mutoscope.store import Sieve
from mutoscope.web import office
from mutoscope.web.console.parts import (
    Page,
    call_button,
    card,
    code,
    empty,
    facts,
    field,
    job_link,
    money,
    query,
    seconds,
    select,
    show,
    size,
    stat,
    state,
    table,
    when,
    words,
)
from mutoscope.web.office import Desk, jobs

TILES = 48
AT_ONCE = 100
DRAWN = 1000  # tiles that are kept as HTML
NOT_KEPT = {"cache-control": "no-store"}


async def overview(visit: Any) -> Page:
    told: Json = await visit.call("GET /admin/overview")
    counts, disk = told["jobs"], told["disk"]
    newest = await visit.call("GET /admin/jobs", limit=8)
    waiting = counts["queued"]
    return Page(
        title="Overview",
        path="/",
        scripts=("gallery.js",),
        lead=health(told),
        actions=h.a(".button.primary", href="/console/playground")["Make something"],
        body=h.div("#overview", data_live="job breaker delivery")[
            h.div(".stats")[
                stat("Waiting", f"{waiting:,}", href="/console/gallery?state=queued"),
                stat("Running", f"{counts['running']:,}", href="/console/gallery?state=running"),
                stat("Succeeded", f"{counts['succeeded']:,}", href="/console/gallery?state=succeeded"),
                stat(
                    "Failed, last hour",
                    f"{told['failed_last_hour']:,}",
                    href="/console/gallery?state=failed",
                    note=f"{counts['failed']:,} in all",
                    tone="bad" if told["failed_last_hour"] else "",
                ),
                stat(
                    "Spent today",
                    money(told["spent_today"]),
                    href="/console/spend",
                    note="credits" if told["budget"] is None else f"of {money(told['budget'])} credits",
                ),
                stat(
                    "Fate unknown",
                    f"{told['unknown_submissions']:,}",
                    href="/console/vendors#unknown",
                    tone="warn" if told["unknown_submissions"] else "",
                    note="submissions, maybe paid",
                ),
                stat(
                    "Disk free",
                    size(disk["free"]) if disk else "—",
                    href="/console/storage",
                    note=f"of {size(disk['total'])}" if disk else "",
                ),
            ],
            h.div(".columns")[
                card("Queues", queues(told["queues"]), note="By engine, the one that waits longest first"),
                card("Failures of the last hour", failures(told["failures"]), note="By cause and engine"),
                told["vendors"] and card("Vendors", vendors(told["vendors"])),
            ],
            card(
                "Newest",
                tile_list(newest["jobs"], id="newest")
                if newest["jobs"]
                else empty(
                    "Nothing was made yet",
                    "Send a request to any of the vendors' APIs that this server speaks, or try one here.",
                    h.a(".button", href="/console/playground")["Open the playground"],
                ),
                actions=h.a(href="/console/gallery")["Gallery"],
            ),
        ],
    )


def health(told: Json) -> h.Node:
    if told["failing"]:
        why = "; ".join(f"{what}: {reason}" for what, reason in told["failing"].items())
        return h.span(".state", data_state="failed")[f"Not ready. {why}"]
    return h.span(".state", data_state="succeeded")["Takes and makes jobs"]


def queues(rows: list[Json]) -> h.Element:
    if not rows:
        return empty("Nothing waits", "Every job that was filed has ended.")
    return table(
        ("Engine", "Waiting", "For their turn", "Running", "Oldest"),
        (
            (
                h.a(href=f"/console/gallery{query(engine=row['engine'])}")[h.code[row["engine"]]],
                f"{row['queued']:,}",
                f"{row['throttled']:,}",
                f"{row['running']:,}",
                seconds(row["oldest_seconds"]),
            )
            for row in rows
        ),
        label="Queues",
        numbers=(1, 2, 3, 4),
    )


def failures(rows: list[Json]) -> h.Element:
    if not rows:
        return empty("None", "Nothing failed in the last hour.")
    return table(
        ("Cause", "Engine", "Jobs", "The newest"),
        (
            (
                words(row["kind"]),
                h.code[row["engine"]],
                f"{row['jobs']:,}",
                job_link(row["example"], row["message"] or "show") if row["example"] else "—",
            )
            for row in rows
        ),
        label="Failures of the last hour",
        numbers=(2,),
    )


def vendors(rows: list[Json]) -> h.Element:
    return table(
        ("Account", "State", "Jobs there"),
        ((h.a(href="/console/vendors")[row["account"]], state(row["state"]), f"{row['jobs']:,}") for row in rows),
        label="Vendors",
        numbers=(2,),
    )


# -- the gallery -----------------------------------------------------------------------------

FILTERS = ("owner", "model", "wire", "state", "engine", "day")


async def gallery(visit: Any) -> Page:
    asked = {name: visit.request.query.get(name, "") for name in (*FILTERS, "before")}
    told = await visit.call("GET /admin/jobs", limit=TILES, **asked)
    found, filtered = told["jobs"], any(asked[name] for name in FILTERS)
    chosen = {name: asked[name] for name in FILTERS}
    return Page(
        title="Gallery",
        path="/console/gallery",
        scripts=("gallery.js",),
        lead="Every job, the newest first. New ones appear by themselves.",
        actions=h.form("#compare.compare", method="get", action="/console/compare")[
            h.button(".needs-script", type="submit", disabled=True)["Compare two"]
        ],
        body=[
            filters(visit, asked),
            h.ul(
                "#gallery.tiles",
                data_filters=query(**chosen),
                data_first="" if asked["before"] else "yes",
                aria_label="Jobs",
            )[(tile(job) for job in found)],
            h.div("#none", hidden=bool(found))[
                empty(
                    "No such jobs" if filtered else "Nothing was made yet",
                    "No job passes these filters."
                    if filtered
                    else "Point a client at this server, or try a request here. It appears at once.",
                    h.a(".button", href="/console/gallery")["Show all"]
                    if filtered
                    else h.a(".button", href="/console/playground")["Open the playground"],
                )
            ],
            h.p(".more")[
                told["next"]
                and h.a("#more.button", href=f"/console/gallery{query(**chosen, before=told['next'])}")["Older"]
            ],
        ],
    )


def filters(visit: Any, asked: dict[str, str]) -> h.Element:
    desk = visit.desk
    anything = ("", "Any")
    wires = [anything, *((name, wire.title) for name, wire in desk.wires.items())]
    engines = [anything, *((name, name) for name in desk.gateway.engines)]
    return h.form(".filters", method="get", action="/console/gallery", role="search", aria_label="Filter jobs")[
        field(
            "State", select("state", [anything, *((each.value, each.value.title()) for each in State)], asked["state"])
        ),
        field("API", select("wire", wires, asked["wire"])),
        field("Engine", select("engine", engines, asked["engine"])),
        field(
            "Model", h.input(name="model", value=asked["model"], list="models", placeholder="Any", autocomplete="off")
        ),
        h.datalist("#models")[(h.option(value=name) for name in desk.catalog.models)],
        field("Owner", h.input(name="owner", value=asked["owner"], placeholder="Any", autocomplete="off")),
        field("Day (UTC)", h.input(type="date", name="day", value=asked["day"])),
        h.div(".buttons")[
            h.button(type="submit")["Filter"],
            any(asked[name] for name in FILTERS) and h.a(".button.ghost", href="/console/gallery")["Clear"],
        ],
    ]


async def tiles(visit: Any) -> HttpResponse:
    """Some jobs as the gallery shows them, those that its filters let through; for its script."""
    asked = visit.request.query
    ids = [id for id in asked.get("ids", "").split(",") if id][:AT_ONCE]
    filters = {name: asked.get(name, "") for name in FILTERS}
    sieve = jobs.sieve_of(office_query(filters))
    found = [job for id in ids if (job := await visit.desk.store.get(id)) is not None]
    shown = "".join(drawn(visit.desk, job) for job in found if passes(job, sieve))
    body = f"<ul>{shown}</ul>".encode()
    return HttpResponse(body=body, media_type="text/html; charset=utf-8", headers=dict(NOT_KEPT))


def drawn(desk: Desk, job: Job) -> str:
    """A tile as HTML, drawn once for all who look at the job as it stands."""
    drawings = tuple((each.poster, each.preview) for each in job.outputs)
    key = (job.id, job.updated, job.state, job.throttled, job.progress, drawings, desk.now() // jobs.HOUR)
    if (text := desk.drawn.get(key)) is None:
        while len(desk.drawn) >= DRAWN:
            desk.drawn.pop(next(iter(desk.drawn)))
        text = desk.drawn[key] = str(tile(jobs.tile(desk, job)))
    return text


def office_query(filters: dict[str, str]) -> jobs.JobsQuery:
    return office.read(filters, jobs.JobsQuery)


def passes(job: Job, sieve: Sieve) -> bool:
    wanted = (
        (sieve.owner, job.owner),
        (sieve.model, job.generation.model),
        (sieve.wire, job.wire),
        (sieve.engine, job.engine),
        (sieve.state, job.state),
    )
    in_time = (sieve.since or 0) <= job.created < (sieve.until or float("inf"))
    return in_time and all(want is None or want == has for want, has in wanted)


def tile_list(found: Iterable[Json], *, id: str) -> h.Element:
    return h.ul(f"#{id}.tiles.few", aria_label="Jobs")[(tile(job, selectable=False) for job in found)]


def tile(job: Json, *, selectable: bool = True) -> h.Element:
    """A job as a picture with what matters beneath it."""
    file, name = job["media"], job["prompt"] or words(job["operation"])
    price = job["cost"] if job["cost"] is not None else job["estimate"]
    return h.li(".tile", id=f"job-{job['id']}", data_id=job["id"], data_state=job["state"])[
        h.a(
            ".frame",
            href=f"/console/jobs/{job['id']}",
            aria_label=f"{STATE_WORDS.get(job['state'], job['state'])}: {name}",
        )[
            preview(job, file),
            job["outputs"] > 1 and h.span(".count")[f"{job['outputs']} files"],
            file is not None and bool(file["seconds"]) and h.span(".length")[seconds(file["seconds"])],
        ],
        h.div(".about")[
            h.p(".prompt", title=name)[name],
            h.p(".meta")[
                state(job["state"]),
                h.span[job["seconds"] is not None and seconds(job["seconds"])],
                bool(price) and h.span[f"{money(price)} cr"],
            ],
            h.p(".meta.dim")[
                h.code[job["model"]], h.span[f"{job['wire']} → {job['engine'] or 'nobody'}"], when(job["created"])
            ],
        ],
        selectable
        and file
        and h.label(".pick.needs-script")[
            h.input(type="checkbox", form="compare", name="job", value=job["id"]), h.span(".hidden")[f"Compare {name}"]
        ],
    ]


STATE_WORDS = {"throttled": "waiting"}


def preview(job: Json, file: Json | None) -> h.Node:
    """What stands for a job. Behind every file is the word for its kind, which is seen until there is a picture of it."""
    if file is not None:
        return [
            h.span(".glyph", aria_hidden="true")[GLYPHS[file["kind"]], h.small[file["kind"]]],
            picture(file),
        ]
    if job["error"]:
        return h.span(".why")[h.b[words(job["error"]["kind"])], job["error"]["message"]]
    if job["text"] is not None:
        return h.span(".words")[job["text"]]
    if job["state"] == "running":
        return h.span(".making")[
            h.progress(
                max="1", value=None if job["progress"] is None else f"{job['progress']:.3f}", aria_label="Progress"
            )
        ]
    return h.span(".glyph", aria_hidden="true")["·"]


GLYPHS = {"image": "▣", "video": "▶", "audio": "♪", "file": "▤"}


def picture(file: Json) -> h.Node:
    """Small where it was drawn already; else a clip shows its first frame, and a picture itself."""
    kind, poster = file["kind"], file.get("poster")
    if kind == "video":
        return h.video(
            src=file.get("preview") or (file["url"] if poster else f"{file['url']}#t=0.001"),
            poster=poster,
            preload="none" if poster else "metadata",
            muted=True,
            loop=True,
            playsinline=True,
            tabindex="-1",
            aria_hidden="true",
        )
    if kind == "image" or poster:
        return h.img(f".{kind}", src=poster or file["url"], alt="", loading="lazy", decoding="async")
    return None


async def compare(visit: Any) -> Page:
    """Two jobs beside each other, one over the other, or playing by the same clock."""
    ids = visit.request.query.get("job", "").split(",")[:2]
    found = [await visit.call(f"GET /admin/jobs/{id}") for id in ids if id]
    files = [next((each for each in job["outputs"] if each["kind"] in ("image", "video")), None) for job in found]
    if len(found) < 2 or None in files:
        raise Problem(Kind.INVALID, "Two jobs are compared, of which each has a picture or a clip: ?job=…&job=…")
    return Page(
        title="Compare",
        path="/console/gallery",
        scripts=("compare.js",),
        actions=h.a(".button", href="/console/gallery")["Back to the gallery"],
        body=[
            h.compare_pair(mode="side")[
                h.div(".bar.needs-script", role="group", aria_label="How to compare")[
                    (
                        h.button(type="button", data_mode=mode, aria_pressed="true" if mode == "side" else "false")[
                            text
                        ]
                        for mode, text in (("side", "Side by side"), ("wipe", "Wipe"))
                    ),
                    h.button(type="button", data_play=True, aria_pressed="false")["Play by one clock"],
                    h.label(".field")[
                        h.span["Wipe"], h.input(type="range", min="0", max="100", value="50", data_wipe=True)
                    ],
                ],
                h.div(".pair")[
                    (
                        h.figure[
                            show(file, alt=job["prompt"] or "what was made", controls=True) if file else None,
                            h.figcaption[
                                job_link(job["job"]["id"], job["prompt"] or "job"),
                                " ",
                                h.code[job["job"]["model"]],
                                f" {money(job['job']['cost'])} credits",
                            ],
                        ]
                        for job, file in zip(found, files, strict=True)
                    )
                ],
            ],
        ],
    )


# -- deliveries ------------------------------------------------------------------------------


async def deliveries(visit: Any) -> Page:
    pending = visit.request.query.get("pending") == "true"
    told = await visit.call("GET /admin/deliveries", pending=pending, limit=200)
    received = await visit.call("GET /admin/received")
    rows = told["deliveries"]
    return Page(
        title="Deliveries",
        path="/console/deliveries",
        scripts=("forms.js",),
        lead="Webhooks that were owed, every attempt to deliver them, and a receiver to watch them arrive.",
        actions=call_button(
            "Replay all that were given up",
            "POST /admin/deliveries/replay",
            body={},
            sure="Send every message again that was given up?",
        ),
        body=[
            card(
                "Messages",
                h.div("#messages", data_live="delivery")[
                    table(
                        ("Message", "Event", "State", "Attempts", "Receiver", "Made", "Next try", ""),
                        (delivery_row(row) for row in rows),
                        label="Messages",
                        numbers=(3,),
                    )
                    if rows
                    else empty(
                        "No messages",
                        "A job owes messages where its request names an address: on every API by the header "
                        "x-mutoscope-webhook, on many by a field of the vendor's own.",
                    )
                ],
                actions=h.a(href=f"/console/deliveries{query(pending=None if pending else 'true')}")[
                    "Show all" if pending else "Pending only"
                ],
            ),
            h.div(".columns")[
                receiver(visit, received),
                card(
                    "Verify a signature",
                    h.p(".note")["Paste what a receiver got. The secret is this server's, unless you name another."],
                    h.form(".stack.needs-script", {"data-api": "POST /admin/verify"})[
                        field("webhook-id", h.input(name="id", required=True, autocomplete="off")),
                        field(
                            "webhook-timestamp",
                            h.input(
                                name="timestamp",
                                required=True,
                                inputmode="numeric",
                                data_as="integer",
                                autocomplete="off",
                            ),
                        ),
                        field("webhook-signature", h.input(name="signature", required=True, autocomplete="off")),
                        field("Body, exactly as it came", h.textarea(name="body", rows="5", required=True)),
                        field(
                            "Secret",
                            h.input(name="secret", type="password", autocomplete="off"),
                            note="Empty: the one of this server",
                        ),
                        h.button(type="submit")["Verify"],
                        h.output(".notice", hidden=True),
                    ],
                ),
            ],
        ],
    )


def delivery_row(row: Json) -> tuple[h.Node, ...]:
    return (
        h.a(href=f"/console/deliveries/{row['id']}")[h.code[row["id"][-12:]]],
        row["event"],
        state(row["state"]),
        f"{row['attempts']:,}",
        h.span(".clip", title=row["url"])[row["url"]],
        when(row["created"]),
        when(row["due"]),
        call_button("Replay", f"POST /admin/deliveries/{row['id']}/replay", kind=".small"),
    )


def receiver(visit: Any, received: Json) -> h.Element:
    address = visit.origin + received["path"]
    rows = received["received"]
    private = visit.desk.gateway.settings.net.allow_private
    return card(
        "A receiver to watch",
        h.p(".note")["Name this address as a job's webhook, and what arrives is shown here. It is kept in memory."],
        code(address, label="Address of the receiver"),
        not private
        and h.p(".notice")[
            "This server sends no webhooks to private addresses. Start it with ",
            h.code["--allow-private"],
            ", or name its public address.",
        ],
        h.div("#received", data_live="delivery")[
            [
                h.details[
                    h.summary[when(row["at"]), f" {size(row['bytes'])}"],
                    facts(*((name, h.code[value]) for name, value in row["headers"].items())),
                    code(row["body"], label="Body"),
                ]
                for row in rows
            ]
            or empty("Nothing arrived yet", "It appears here by itself.")
        ],
        actions=rows and call_button("Clear", "DELETE /admin/received", kind=".small.ghost"),
    )


async def delivery(visit: Any) -> Page:
    told = await visit.call(f"GET /admin/deliveries/{visit.params['id']}")
    return Page(
        title="Message",
        path="/console/deliveries",
        lead=h.code[told["id"]],
        actions=call_button("Replay", f"POST /admin/deliveries/{told['id']}/replay", kind=".primary"),
        body=h.div("#message", data_live="delivery")[
            card(
                "What it is",
                facts(
                    ("State", state(told["state"])),
                    ("Event", told["event"]),
                    ("Job", job_link(told["job"])),
                    ("Receiver", told["url"]),
                    ("Made", when(told["created"])),
                    ("Next try", told["due"] and when(told["due"])),
                ),
            ),
            card(
                "Attempts",
                table(
                    ("No.", "When", "Answer", "Took", "Why not"),
                    (
                        (
                            f"{each['number']}",
                            when(each["at"]),
                            str(each["status"] or "none"),
                            f"{each['ms']:.0f} ms",
                            each["error"] or "—",
                        )
                        for each in told["tries"]
                    ),
                    label="Attempts",
                    numbers=(0, 3),
                )
                if told["tries"]
                else empty("Not tried yet", "The first attempt is made at once."),
                id="attempts",
            ),
            card("Body", code(told["body"], label="Body of the message")),
        ],
    )
