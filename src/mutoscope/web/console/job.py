"""The page of one job: what was made, its line of time, the five views of what was said, and how to ask again."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import htpy as h

from mutoscope.model.job import Json
from mutoscope.store import EVENTS
from mutoscope.web.console.parts import (
    Page,
    call_button,
    card,
    code,
    empty,
    facts,
    job_link,
    money,
    query,
    seconds,
    show,
    size,
    state,
    table,
    when,
    words,
)

OWN = {
    "filed": "filed: it is durable from here on",
    "started": "its engine began",
    "succeeded": "made",
    "failed": "failed",
    "canceled": "canceled",
}
SHARE = 4.0  # percent: no stretch of the line is drawn shorter


async def page(visit: Any) -> Page:
    told: Json = await visit.call(f"GET /admin/jobs/{visit.params['id']}")
    job = told["job"]
    return Page(
        title=words(job["operation"]).capitalize(),
        path="/console/gallery",
        lead=h.span[state(job["state"]), " ", h.code[told["public_id"]]],
        actions=actions(told),
        body=h.div("#job", data_live="job", data_id=job["id"])[
            h.div(".columns.wide-first")[
                h.div[made(told), told["failure"] and failure(told["failure"])],
                h.div[about(told), told["notes"] and noted(told["notes"])],
            ],
            card("Story", line(told["story"]), story(told["story"]), note="Waits are drawn to scale"),
            card("What was said", views(told), note="Secrets are struck out; long texts are told by their length"),
            card("Ask again", copies(told["copies"]), note="The same request, to paste"),
            h.div(".columns")[
                told["ledger"] and card("Money", ledger(told["ledger"])),
                told["submissions"] and card("Submissions", submissions(told["submissions"])),
                told["deliveries"] and card("Messages", messages(told["deliveries"])),
            ],
        ],
    )


def actions(told: Json) -> h.Node:
    job = told["job"]
    path = f"/admin/jobs/{job['id']}"
    if not job["final"]:
        return call_button("Cancel", f"POST {path}/cancel", sure="Cancel this job?")
    others = [name for name in told["engines"] if name != job["engine"]]
    files = any(each["kind"] != "text" for each in told["outputs"])
    return [
        files and h.a(".button", href=f"/console/jobs/{job['id']}/provenance")["Read provenance"],
        call_button("Run again", f"POST {path}/again", body={}, then="job", kind=".primary"),
        (call_button(f"On {name}", f"POST {path}/again", body={"engine": name}, then="job") for name in others[:3]),
        call_button(
            "Delete", f"DELETE {path}", sure="Delete this job and its files?", then="/console/gallery", kind=".ghost"
        ),
    ]


async def provenance(visit: Any) -> Page:
    """Read when it is asked for: it opens the files, and asks a model where that is installed."""
    id = visit.params["id"]
    job, told = await visit.call(f"GET /admin/jobs/{id}"), await visit.call(f"GET /admin/jobs/{id}/provenance")
    files = {each.get("id"): each for each in job["outputs"]}
    return Page(
        title="Provenance",
        path="/console/gallery",
        lead="What the files say of their making, and whether they were altered since. Nothing was fetched.",
        actions=h.a(".button", href=f"/console/jobs/{id}")["Back to the job"],
        body=h.div(".cards")[(written(each, files[each["id"]]) for each in told["outputs"])]
        if told["outputs"]
        else empty("No files", "This job made none, or they are gone."),
    )


def written(each: Json, file: Json) -> h.Element:
    said, mark = each["credentials"], each["mark"]
    good = {True: "valid", False: "failed", None: "unknown"}[each["intact"]]
    return card(
        each["type"] or "A file",
        show(file, alt="what was made"),
        facts(
            ("Credentials", state(good, word=said["told"])),
            ("Because", None if each["intact"] else ", ".join(said.get("flaws", ()))),
            ("Made by", " ".join(filter(None, (said.get("engine"), said.get("version"))))),
            ("Written by", said.get("generator")),
            ("Signed by", said.get("signer")),
            ("Time", said.get("time")),
            ("Action", said.get("action")),
            ("Source", each["source"]),
            ("Made of", ", ".join(said.get("made_of", ()))),
            ("Used", ", ".join(said.get("used", ()))),
            ("Ignored", ", ".join(said.get("ignored", ()))),
            ("Mark", mark and mark["told"]),
            ("Comment", each["comment"]),
            ("Damage", each["damage"]),
        ),
    )


def made(told: Json) -> h.Element:
    job, name = told["job"], told["prompt"] or "What was made"
    if not told["outputs"]:
        if job["final"]:
            return h.div(".stage")[empty("Nothing was made", "The story below says why.")]
        share = job["progress"]
        return h.div(".stage")[
            h.p[state(job["state"])],
            told["glimpse"] and h.img(src=told["glimpse"], alt="what it has come to so far"),
            h.progress(max="1", value=None if share is None else f"{share:.3f}", aria_label="Progress"),
            job["ahead"] is not None and h.p[f"{job['ahead']:,} older ones wait for the same engine."],
        ]
    return h.div(".stage")[(output(each, name) for each in told["outputs"])]


def output(each: Json, name: str) -> h.Element:
    if each["kind"] == "text":
        return h.blockquote[each["text"]]
    told = [each["type"], size(each["bytes"])]
    if each["width"]:
        told.append(f"{each['width']}×{each['height']}")
    if each["seconds"]:
        told.append(seconds(each["seconds"]))
    return h.figure[
        show(each, alt=name),
        h.figcaption[", ".join(told), " ", each["kind"] != "file" and h.a(href=each["url"], download=True)["Download"]],
    ]


def failure(told: Json) -> h.Element:
    return h.div(".notice.bad", role="note")[
        h.b[words(told["kind"]).capitalize()],
        h.p[told["message"]],
        told.get("field") and h.p["Field: ", h.code[told["field"]]],
        told.get("code") and h.p["The vendor's code: ", h.code[told["code"]]],
    ]


def about(told: Json) -> h.Element:
    job = told["job"]
    return card(
        "About",
        told["prompt"] and h.p(".said")[told["prompt"]],
        facts(
            ("Model", h.a(href=f"/console/gallery{query(model=job['model'])}")[h.code[job["model"]]]),
            ("API", h.a(href=f"/console/gallery{query(wire=job['wire'])}")[job["wire"]]),
            ("Engine", job["engine"] or "nobody"),
            ("Owner", job["owner"] or "open server"),
            ("Filed", when(job["created"])),
            ("Took", (job["seconds"] is not None and seconds(job["seconds"])) or None),
            (
                "Cost",
                f"{money(job['cost'])} credits"
                if job["cost"] is not None
                else f"up to {money(job['estimate'])} credits",
            ),
            ("Attempts", f"{told['attempts']}" if told["attempts"] > 1 else None),
            ("Vendor's word", told["upstream_status"]),
            ("Goes on from", job_link(told["parent"]) if told["parent"] else None),
            ("Webhook", told["webhook"]),
        ),
        told["inputs"] and h.div(".inputs")[h.h3["Inputs"], (given(each) for each in told["inputs"])],
    )


def given(each: Json) -> h.Element:
    if each.get("kind") in ("image", "video", "audio"):
        thing: h.Node = show(each | {"bytes": None}, alt=each["field"])
    elif each.get("url"):
        thing = h.a(href=each["url"], download=True)["Download"]
    else:
        thing = h.code[each.get("from", "sent with the request")]
    return h.figure[thing, h.figcaption[f"{words(each['role'])}, from {each['field']}"]]


def noted(notes: Sequence[str]) -> h.Element:
    return card("Ignored or replaced", h.ul[(h.li[note] for note in notes)])


# -- the story -------------------------------------------------------------------------------


def line(story: list[Json]) -> h.Node:
    """Stretches between what happened, their widths by the time that they took."""
    spans = [(one, other, other["at"] - one["at"]) for one, other in pairwise(story)]
    whole = sum(length for *_, length in spans)
    if whole <= 0:
        return None
    shares = [max(SHARE, 100 * length / whole) for *_, length in spans]
    drawn, at = list[h.Node](), 0.0
    for (one, other, length), share in zip(spans, shares, strict=True):
        width = 100 * share / sum(shares)
        drawn.append(stretch(one, other, length, at, width))
        at += width
    return h.svg(".line", viewBox="0 0 100 10", preserveAspectRatio="none", role="img", aria_label="Line of time")[
        drawn
    ]


def stretch(one: Json, other: Json, length: float, at: float, width: float) -> h.Element:
    kind = "work" if one["what"] in ("started", "accepted", "made") else "wait"
    title = f"{words(one['what'])} → {words(other['what'])}: {seconds(length)}"
    return h.rect(x=f"{at:.2f}", y="1", width=f"{max(width - 0.4, 0.3):.2f}", height="8", class_=kind)[h.title[title]]


def story(lines: list[Json]) -> h.Element:
    before = [None, *lines]
    return h.ol(".story")[
        (
            h.li(data_what=each["what"])[
                when(each["at"]),
                h.span(".since")[f"+{seconds(each['at'] - last['at'])}" if last else ""],
                h.b[words(each["what"])],
                h.span[OWN.get(each["what"]) or EVENTS.get(each["what"], "")],
                each.get("account") and h.code[each["account"]],
                each.get("detail") and h.p(".detail")[each["detail"]],
            ]
            for each, last in zip(lines, before, strict=False)
        )
    ]


# -- the five views --------------------------------------------------------------------------


def views(told: Json) -> h.Element:
    found = told["views"]
    came, answered = found["came"], found["answered"]
    at = f"{came['method']} {came['path']}" if came["path"] else "Its path is not known any more."
    panels: list[tuple[str, h.Node]] = [
        ("As it came", [h.p[h.code[at]], code(came["body"], label="As it came")]),
        ("As understood", code(found["understood"], label="As understood")),
        ("As sent", sent(found["sent"])),
        ("Vendor's answers", answers(found["sent"])),
        (
            "As answered",
            [
                h.p[h.code[f"GET {answered['path']}"], f" {answered['status']}"],
                code(answered["body"], label="As answered"),
            ]
            if answered
            else empty("Not shown", "This API has no path that shows such a job."),
        ),
    ]
    return tabs("view", "The five views", panels)


def tabs(name: str, label: str, panels: Sequence[tuple[str, h.Node]]) -> h.Element:
    """Radio buttons and style: it works without a script, and by the keys that radio buttons have."""
    return h.div(".tabs")[
        h.fieldset[
            h.legend(".hidden")[label],
            (
                h.label[h.input(type="radio", name=name, value=str(place), checked=place == 0), h.span[title]]
                for place, (title, _) in enumerate(panels)
            ),
        ],
        (
            h.section(".panel", data_place=str(place))[h.h3(".hidden")[title], body]
            for place, (title, body) in enumerate(panels)
        ),
    ]


def sent(found: Json) -> h.Node:
    if not found["remote"] and not found["exchanges"]:
        return empty("Nobody was asked", "An engine of this server made it: no vendor was sent anything.")
    if not found["exchanges"]:
        again: Json = found["again"] or {}
        if "body" not in again:
            return empty("Not kept", "What was sent was not kept.")
        return [
            h.p(".note")["What was sent was not kept; so it would be said today:"],
            h.p[h.code[f"{again['method']} {again['url']}"]],
            code(again["body"], label="As sent"),
        ]
    return [
        h.details(open=place == 0)[
            h.summary[
                h.code[f"{each['method']} {each['path']}"],
                " ",
                each["spends"] and h.b["costs money "],
                when(each["at"]),
            ],
            code(each["request"] or "(no body)", label="Request"),
        ]
        for place, each in enumerate(found["exchanges"])
    ]


def answers(found: Json) -> h.Node:
    if not found["exchanges"]:
        text = "An engine of this server made it." if not found["remote"] else "They were not kept."
        return empty("None", text)
    return [
        h.details(open=place == len(found["exchanges"]) - 1)[
            h.summary[
                h.b[str(each["status"] or each["trouble"])],
                f" after {each['ms']:.0f} ms to ",
                h.code[f"{each['method']} {each['path']}"],
            ],
            code(each["answer"] or "(no body)", label="Answer"),
        ]
        for place, each in enumerate(found["exchanges"])
    ]


def copies(found: list[Json]) -> h.Element:
    return tabs("copy", "Ask again", [(each["title"], code(each["text"], label=each["title"])) for each in found])


# -- tables ----------------------------------------------------------------------------------


def ledger(rows: list[Json]) -> h.Element:
    return table(
        ("What", "Credits", "Engine", "When"),
        ((words(row["kind"]), money(row["credits"]), h.code[row["engine"]], when(row["at"])) for row in rows),
        label="Money",
        numbers=(1,),
    )


def submissions(rows: list[Json]) -> h.Element:
    return table(
        ("No.", "Account", "Fate", "When", "Detail"),
        (
            (str(row["number"]), h.code[row["account"]], state(row["sent"]), when(row["at"]), detail_of(row))
            for row in rows
        ),
        label="Submissions",
        numbers=(0,),
    )


def detail_of(row: Json) -> str:
    """The reason, or what the vendor calls it."""
    handle: Json = row.get("handle", {})
    return str(row.get("detail") or handle.get("id", ""))


def messages(rows: list[Json]) -> h.Element:
    return table(
        ("Message", "Event", "State", "Attempts"),
        (
            (
                h.a(href=f"/console/deliveries/{row['id']}")[h.code[row["id"][-12:]]],
                row["event"],
                state(row["state"]),
                f"{row['attempts']}",
            )
            for row in rows
        ),
        label="Messages",
        numbers=(3,),
    )
