"""Pages for whoever runs the server: models, vendors, spend, keys, rehearsals, storage."""

from collections import defaultdict
from datetime import date, timedelta
from typing import Any

import htpy as h
import msgspec

from mutoscope.model.job import Json
from mutoscope.model.problem import Problem
from mutoscope.web.admin import as_json
from mutoscope.web.console.parts import (
    Page,
    call_button,
    card,
    empty,
    facts,
    field,
    job_link,
    money,
    query,
    seconds,
    select,
    size,
    stat,
    state,
    table,
    when,
    words,
)

CHART_WIDTH, CHART_HEIGHT = 720, 180
SERIES = 6  # models that are told apart in the chart


async def models(visit: Any) -> Page:
    rows: list[Json] = (await visit.call("GET /admin/models"))["models"]
    vendor, makes = visit.request.query.get("vendor", ""), visit.request.query.get("makes", "")
    shown = [row for row in rows if vendor in ("", row["vendor"]) and (not makes or makes in row["makes"])]
    vendors = sorted({row["vendor"] for row in rows})
    made = sorted({each for row in rows for each in row["makes"]})
    return Page(
        title="Models",
        path="/console/models",
        lead=f"{len(rows)} models, who makes each of them here, and what it costs.",
        body=[
            h.form(".filters", method="get", action="/console/models", role="search", aria_label="Filter models")[
                field("Vendor", select("vendor", [("", "Any"), *((each, each) for each in vendors)], vendor)),
                field("Makes", select("makes", [("", "Anything"), *((each, words(each)) for each in made)], makes)),
                h.div(".buttons")[h.button(type="submit")["Filter"]],
            ],
            card(
                "Models",
                table(
                    ("Model", "Vendor", "Makes", "Engines", "Price", "Took, half / 95 %"),
                    (
                        (
                            h.a(href=f"/console/gallery{query(model=row['name'])}")[h.code[row["name"]]],
                            row["vendor"],
                            h.span(".chips")[(h.span(".chip")[words(each)] for each in row["makes"])],
                            h.code[", ".join(row["engines"])],
                            price(row),
                            took(row["measured"]),
                        )
                        for row in shown
                    ),
                    label="Models",
                )
                if shown
                else empty("None", "No model passes these filters."),
                note=f"{len(shown)} shown",
            ),
        ],
    )


def price(row: Json) -> str:
    told = row["price"]
    units = {
        "second": "a second",
        "image": "a picture",
        "job": "a job",
        "megapixel": "a megapixel",
        "thousand_characters": "1,000 characters",
    }
    rates = [
        f"{money(value)} {units.get(name, words(name))}"
        for name, value in told.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]
    return ", ".join(rates) + ("" if row["price_known"] else " (nominal)") if rates else "—"


def took(measured: Json) -> h.Node:
    if not measured:
        return "—"
    return [
        h.div[f"{engine}: {seconds(told['p50'])} / {seconds(told['p95'])} of {told['jobs']}"]
        for engine, told in measured.items()
    ]


# -- vendors ---------------------------------------------------------------------------------


async def vendors(visit: Any) -> Page:
    told = await visit.call("GET /admin/vendors")
    return Page(
        title="Vendors",
        path="/console/vendors",
        scripts=("forms.js",),
        lead="Accounts at vendors, how each fares, and submissions of which nobody knows whether they were paid for.",
        body=h.div("#vendors", data_live="breaker")[
            card(
                "Accounts",
                h.div(".cards")[(account(each) for each in told["accounts"])]
                if told["accounts"]
                else empty(
                    "No accounts",
                    [
                        "Everything is made by this server's own engines. Name an account under ",
                        h.code["[accounts.NAME]"],
                        " in mutoscope.toml to have a vendor make it.",
                    ],
                ),
            ),
            card(
                "Submissions of unknown fate",
                h.div(".cards")[(unknown(each) for each in told["unknown"])]
                if told["unknown"]
                else empty("None", "The fate of every submission that may have cost money is known."),
                id="unknown",
                note="The answer was lost after the request was sent. Look at the vendor's own list, then say what is so",
            ),
        ],
    )


def account(each: Json) -> h.Element:
    answers = ", ".join(f"{word}: {told['requests']:,} ({told['ms']:.0f} ms)" for word, told in each["answers"].items())
    return h.article(".inner")[
        h.header[h.h3[each["name"]], state(each["state"])],
        facts(
            ("Vendor", each["vendor"]),
            ("Address", h.code[each["base_url"]]),
            ("Jobs there", f"{each['jobs']:,}" + (f" of {each['most_in_flight']:,}" if each["most_in_flight"] else "")),
            ("Answers", answers or "none yet"),
            ("Errors", ", ".join(f"{words(kind)}: {count:,}" for kind, count in each["errors"].items())),
            ("Last trouble", each["reason"]),
            ("Next try", seconds(each["seconds_left"]) if each["seconds_left"] else None),
        ),
    ]


def unknown(each: Json) -> h.Element:
    path = f"POST /admin/submissions/{each['job']}/{each['number']}/settle"
    job = each["job_shown"]
    return h.article(".inner")[
        h.header[h.h3[job_link(each["job"], job["prompt"] or "job" if job else "job")], state(each["sent"])],
        facts(
            ("Account", h.code[each["account"]]),
            ("Reference", h.code[each["reference"]]),
            ("Sent", when(each["at"])),
            ("Why", each["detail"]),
        ),
        h.form(".row.needs-script", {"data-api": path, "data-then": "reload", "data-fixed": '{"verdict":"accepted"}'})[
            field("The vendor's id of it", h.input(name="task", required=True, autocomplete="off")),
            h.button(type="submit")["It has it: adopt"],
        ],
        h.div(".row")[
            call_button(
                "It refused it", path, body={"verdict": "refused"}, sure="The vendor refused it, and nothing was paid?"
            ),
            call_button(
                "It never arrived", path, body={"verdict": "unsent"}, sure="The vendor's list does not have it?"
            ),
        ],
    ]


# -- spend -----------------------------------------------------------------------------------


async def spend(visit: Any) -> Page:
    asked = {name: visit.request.query.get(name, "") for name in ("since", "until", "owner")}
    told = await visit.call("GET /admin/spending", **{name: value for name, value in asked.items() if value})
    rows = told["rows"]
    by_day: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    by: dict[str, dict[str, float]] = {name: defaultdict(float) for name in ("model", "owner", "engine")}
    for row in rows:
        by_day[row["day"]][row["model"]] += row["credits"]
        for name, sums in by.items():
            sums[row[name] or "open server"] += row["credits"]
    first, last = date.fromisoformat(told["since"]), date.fromisoformat(told["until"])
    days = [(first + timedelta(days=n)).isoformat() for n in range((last - first).days + 1)]
    return Page(
        title="Spend",
        path="/console/spend",
        lead=f"{money(told['total'])} credits from {told['since']} to {told['until']}.",
        actions=h.a(".button", href=f"/admin/spending.csv{query(**asked)}", download=True)["Download CSV"],
        body=[
            h.form(".filters", method="get", action="/console/spend", aria_label="Which days")[
                field("From", h.input(type="date", name="since", value=told["since"])),
                field("To", h.input(type="date", name="until", value=told["until"])),
                field("Owner", h.input(name="owner", value=asked["owner"], placeholder="Any", autocomplete="off")),
                h.div(".buttons")[h.button(type="submit")["Show"]],
            ],
            h.div(".stats")[
                stat("Credits", money(told["total"]), note=f"{len(days)} days"),
                stat("Jobs", f"{sum(row['jobs'] for row in rows):,}"),
                stat(
                    "Dearest day",
                    money(max((sum(of.values()) for of in by_day.values()), default=0.0)),
                    note=max(by_day, key=lambda day: sum(by_day[day].values()), default=""),
                ),
            ],
            card(
                "By day and model",
                chart(days, by_day, by["model"])
                if rows
                else empty("Nothing was spent", "No job was charged in these days."),
            ),
            rows
            and h.div(".columns")[
                (card(f"By {name}", ranking(name, by[name], told["total"])) for name in ("model", "owner", "engine"))
            ],
            rows
            and card(
                "Every line",
                table(
                    ("Day", "Owner", "Model", "Engine", "Jobs", "Credits"),
                    (
                        (
                            row["day"],
                            row["owner"] or "open server",
                            h.code[row["model"]],
                            h.code[row["engine"]],
                            f"{row['jobs']:,}",
                            money(row["credits"]),
                        )
                        for row in rows
                    ),
                    label="Every line",
                    numbers=(4, 5),
                ),
            ),
        ],
    )


def ranking(name: str, found: dict[str, float], whole: float) -> h.Element:
    ordered = sorted(found.items(), key=lambda pair: -pair[1])[:20]
    return table(
        (name.capitalize(), "Credits", "Share"),
        ((h.code[key], money(value), f"{100 * value / whole:.0f} %" if whole else "—") for key, value in ordered),
        label=f"By {name}",
        numbers=(1, 2),
    )


def chart(days: list[str], by_day: dict[str, dict[str, float]], totals: dict[str, float]) -> h.Element:
    """Bars by day, stacked by model: the dearest are told apart, the others are one."""
    ranked = sorted(totals, key=lambda name: -totals[name])
    names = [*ranked[:SERIES], *(["others"] if len(ranked) > SERIES else [])]
    top = max((sum(of.values()) for of in by_day.values()), default=0.0) or 1.0
    step = CHART_WIDTH / len(days)
    drawn: list[h.Node] = [
        [
            h.line(x1="0", x2=str(CHART_WIDTH), y1=f"{y:.1f}", y2=f"{y:.1f}", class_="grid"),
            h.text(x="2", y=f"{y - 4:.1f}", class_="scale")[money(top * share)],
        ]
        for share in (0.5, 1.0)
        for y in (CHART_HEIGHT * (1 - 0.9 * share),)
    ]
    for place, day in enumerate(days):
        y = float(CHART_HEIGHT)
        for rank, name in enumerate(names):
            of = by_day.get(day, {})
            value = of.get(name, 0.0) if name != "others" else sum(v for k, v in of.items() if k not in ranked[:SERIES])
            tall = 0.9 * CHART_HEIGHT * value / top
            if tall <= 0:
                continue
            y -= tall
            drawn.append(
                h.rect(
                    x=f"{place * step + step * 0.12:.2f}",
                    y=f"{y:.2f}",
                    width=f"{step * 0.76:.2f}",
                    height=f"{tall:.2f}",
                    rx="1.5",
                    class_=f"series s{rank}",
                )[h.title[f"{day}, {name}: {money(value)} credits"]]
            )
    return h.figure(".chart")[
        h.svg(viewBox=f"0 0 {CHART_WIDTH} {CHART_HEIGHT + 4}", role="img", aria_label="Credits by day and model")[
            drawn
        ],
        h.p(".axis")[h.span[days[0]], h.span[days[-1]]],
        h.figcaption[
            (
                h.span(".legend")[
                    h.svg(viewBox="0 0 10 10", aria_hidden="true")[
                        h.rect(width="10", height="10", rx="2", class_=f"series s{rank}")
                    ],
                    name,
                ]
                for rank, name in enumerate(names)
            )
        ],
    ]


# -- keys ------------------------------------------------------------------------------------


async def keys(visit: Any) -> Page:
    desk = visit.desk
    now = desk.now()
    rows = [as_json(key, now) for key in await desk.store.keys()]
    listed = desk.gateway.settings.keys
    if desk.gateway.keys.open:
        return Page(
            title="Keys",
            path="/console/keys",
            lead="Who may call this server, for what, and how much of it.",
            body=card(
                "No keys",
                empty(
                    "This server takes no keys",
                    [
                        "Whoever reaches it may use it, so it listens on this machine only. With the first key, which ",
                        h.code["mutoscope keys create NAME --admin"],
                        " makes, it asks everybody for one, and this console asks you to sign in.",
                    ],
                ),
            ),
        )
    return Page(
        title="Keys",
        path="/console/keys",
        scripts=("forms.js",),
        lead="Who may call this server, for what, and how much of it.",
        body=[
            card(
                "Keys",
                h.div(".cards")[(key_card(row) for row in rows)]
                if rows
                else empty("None in the store", "The keys of the configuration file are listed below."),
            ),
            card(
                "Make a key",
                h.form(".stack.needs-script", {"data-api": "POST /admin/keys", "data-shows": "key"})[
                    h.div(".row")[
                        field(
                            "Name",
                            h.input(name="name", required=True, maxlength="100", autocomplete="off"),
                            note="The owner of what it makes",
                        ),
                        field("Budget in credits", h.input(name="budget", inputmode="decimal", data_as="number")),
                        field(
                            "A",
                            select(
                                "budget_period", (("month", "month"), ("day", "day"), ("total", "for ever")), "month"
                            ),
                        ),
                        field(
                            "Jobs at once",
                            h.input(name="max_concurrent", inputmode="numeric", data_as="integer"),
                            note="Of one model",
                        ),
                        field("Ends after days", h.input(name="expires_seconds", inputmode="numeric", data_as="days")),
                    ],
                    h.label(".check")[
                        h.input(type="checkbox", name="admin", data_as="boolean"),
                        h.span["May look after the server: sees this console"],
                    ],
                    h.button(type="submit")["Make it"],
                    h.output(".notice", hidden=True),
                ],
            ),
            listed
            and card(
                "In the configuration file",
                table(
                    ("Name", "Rights"),
                    ((each.name, rights_of(as_rights(each))) for each in listed),
                    label="Keys of the file",
                ),
            ),
        ],
    )


def as_rights(key: Any) -> Json:
    return msgspec.to_builtins(key)


def key_card(row: Json) -> h.Element:
    path = f"/admin/keys/{row['id']}"
    return h.article(".inner")[
        h.header[h.h3[row["name"]], state(row["state"])],
        h.p[rights_of(row)],
        facts(
            ("Begins with", h.code[f"{row['prefix']}…"]),
            ("Made", when(row["created"])),
            ("Last used", when(row.get("last_used"))),
            ("Ends", when(row["expires"]) if row.get("expires") else None),
            ("Revoked", when(row["revoked"]) if row.get("revoked") else None),
        ),
        row["state"] == "valid"
        and h.form(".row.needs-script", {"data-api": f"POST {path}/rotate", "data-shows": "key"})[
            field("Overlap in hours", h.input(name="grace_seconds", value="24", inputmode="decimal", data_as="hours")),
            h.button(type="submit")["Rotate"],
            call_button(
                "Revoke",
                f"DELETE {path}",
                sure=f"Revoke the key of {row['name']}? Whoever uses it is refused at once.",
                kind=".ghost",
            ),
            h.output(".notice", hidden=True),
        ],
    ]


def rights_of(row: Json) -> str:
    """Rights and limits as a sentence."""
    said = ["May use " + (f"the APIs {', '.join(row['wires'])}" if row.get("wires") else "every API")]
    said.append(f"the models {', '.join(row['models'])}" if row.get("models") else "every model")
    if row.get("engines"):
        said.append(f"the engines {', '.join(row['engines'])} only")
    text = " and ".join(said) + "."
    if row.get("budget") is not None:
        period = {"day": "a day", "month": "a month", "total": "in all"}[row.get("budget_period", "total")]
        text += f" At most {money(row['budget'])} credits {period}."
    for name, words_ in (
        ("max_concurrent", "jobs of a model at once"),
        ("max_daily", "jobs of a model a day"),
        ("max_queued", "waiting jobs"),
        ("requests_per_minute", "requests a minute"),
    ):
        if row.get(name):
            text += f" At most {row[name]:,} {words_}."
    return text + (" Looks after the server." if row.get("admin") else "")


# -- rehearsals ------------------------------------------------------------------------------


async def rehearsals(visit: Any) -> Page:
    told = await visit.call("GET /admin/faults")
    if not told["rehearsal"]:
        return Page(
            title="Rehearsals",
            path="/console/rehearsals",
            lead="What goes wrong, by a button: to see whether a client bears it.",
            body=card(
                "Faults",
                empty(
                    "This server makes real things",
                    [
                        "Faults are for a server that rehearses: ",
                        h.code["mutoscope serve --rehearse"],
                        ". There the scripted engine makes everything, and this page says what goes wrong.",
                    ],
                ),
            ),
        )
    wires = [("", "Every API"), *((name, wire.title) for name, wire in visit.desk.wires.items())]
    quick = (
        ("429 for a minute", {"what": "rate_limited", "times": 0, "lasting": 60}),
        ("Slow for a minute", {"what": "slow", "seconds": 5, "times": 0, "lasting": 60}),
        ("Refuse the next one", {"what": "refused"}),
        ("Fail the next job", {"what": "failed:engine_failed"}),
        ("Lose the next answer", {"what": "lost"}),
        ("Send the next webhook twice", {"what": "webhook_twice"}),
        ("503 for the next three", {"what": "unavailable", "times": 3}),
    )
    choices = [*((kind, words(kind)) for kind in told["kinds"]), *((each, words(each)) for each in told["whats"])]
    return Page(
        title="Rehearsals",
        path="/console/rehearsals",
        scripts=("forms.js",),
        lead="What goes wrong, by a button: to see whether a client bears it.",
        body=[
            card(
                "At once",
                h.div(".row")[(call_button(text, "POST /admin/faults", body=body) for text, body in quick)],
                note="Creates on every API",
            ),
            card(
                "A fault of your own",
                h.form(".stack.needs-script", {"data-api": "POST /admin/faults", "data-then": "reload"})[
                    h.div(".row")[
                        field("What", select("what", choices, "rate_limited")),
                        field("API", select("wire", wires)),
                        field("Part of the path", h.input(name="path", placeholder="Any", autocomplete="off")),
                        field("On", select("on", (("create", "creates"), ("read", "reads"), ("any", "both")))),
                        field(
                            "Times",
                            h.input(name="times", value="1", inputmode="numeric", data_as="integer"),
                            note="0: while it lasts",
                        ),
                        field(
                            "Seconds",
                            h.input(name="seconds", value="1", inputmode="decimal", data_as="number"),
                            note="How slow, or when to try again",
                        ),
                        field(
                            "Lasts for seconds",
                            h.input(name="lasting", inputmode="decimal", data_as="number", placeholder="For ever"),
                        ),
                    ],
                    h.button(type="submit")["Rehearse it"],
                    h.output(".notice", hidden=True),
                ],
                facts(*((name, text) for name, text in told["words"].items())),
            ),
            card(
                "Waiting for requests",
                table(
                    ("What", "API", "Path", "Met", "Left", ""),
                    (
                        (
                            words(str(each["what"])),
                            each["wire"] or "every",
                            h.code[each["path"] or "every path"],
                            f"{each['met']}" + (f" of {each['times']}" if each["times"] else ""),
                            seconds(each["seconds_left"]),
                            call_button("End", f"DELETE /admin/faults/{each['id']}", kind=".small.ghost"),
                        )
                        for each in told["faults"]
                    ),
                    label="Faults",
                    numbers=(3, 4),
                )
                if told["faults"]
                else empty("None", "Every request is answered as it should be."),
            ),
        ],
    )


# -- storage ---------------------------------------------------------------------------------


async def storage(visit: Any) -> Page:
    told = await visit.call("GET /admin/storage")
    disk, kept = told["disk"], told["kept_days"]
    try:
        swept = await visit.desk.parts.sweeper.sweep(seconds=2.0, dry_run=True) if visit.desk.parts.sweeper else None
    except Problem:
        swept = None
    due = {kept.value: count for kept, count in swept.rows.items() if count} if swept else {}
    return Page(
        title="Storage",
        path="/console/storage",
        scripts=("forms.js",),
        lead="How long things are kept, what would go now, and forgetting an owner.",
        body=[
            h.div(".stats")[
                stat("Free", size(disk["free"]) if disk else "—", note=f"of {size(disk['total'])}" if disk else ""),
                (stat(words(name).capitalize(), f"{count:,}") for name, count in told["counts"].items()),
            ],
            h.div(".columns")[
                card(
                    "Kept for",
                    table(
                        ("What", "Days"),
                        ((words(name), f"{days:g}") for name, days in kept.items()),
                        label="Kept for",
                        numbers=(1,),
                    )
                    if kept
                    else empty(
                        "For ever",
                        ["Nothing is removed by itself. ", h.code["[retention]"], " in mutoscope.toml sets times."],
                    ),
                ),
                card(
                    "Would go now",
                    table(
                        ("What", "Rows"),
                        ((words(name), f"{count:,}") for name, count in due.items()),
                        label="Would go now",
                        numbers=(1,),
                    )
                    if due
                    else empty("Nothing", "Nothing has been kept beyond its time."),
                    h.div(".row")[
                        due
                        and call_button(
                            "Remove it now",
                            "POST /admin/sweep",
                            body={"dry_run": False},
                            sure="Remove what was kept for its time?",
                        )
                    ],
                ),
                card(
                    "Forget an owner",
                    h.p(".note")[
                        "Jobs and prompts, files, uploads, webhooks, keys. What was paid for stays in the books, under nobody's name."
                    ],
                    h.form(".stack.needs-script", {"data-api": "POST /admin/forget"})[
                        field(
                            "Owner",
                            h.input(name="owner", data_empty=True, autocomplete="off"),
                            note="Empty: everybody on a server without keys",
                        ),
                        h.label(".check")[
                            h.input(type="checkbox", name="dry_run", checked=True, data_as="boolean"),
                            h.span["Only count what would go"],
                        ],
                        field(
                            "The name again",
                            h.input(name="sure", data_empty=True, autocomplete="off"),
                            note="Where it is not only counted",
                        ),
                        h.button(type="submit")["Forget"],
                        h.output(".notice", hidden=True),
                    ],
                ),
            ],
        ],
    )
