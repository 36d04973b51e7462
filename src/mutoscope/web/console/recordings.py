"""Recordings of vendors: all of them, and one."""

from typing import Any
from urllib.parse import quote

import htpy as h

from mutoscope.model.job import Json
from mutoscope.web.console.parts import Page, card, code, empty, facts, job_link, seconds, table, when

PATH = "/console/cassettes"
SHOWN = 500
UNKNOWN = {
    "strict": "it is refused",
    "studio": "this server makes it itself",
    "vendor": "the vendor is asked",
    "once": "the vendor is asked, and its answer recorded",
}


async def cassettes(visit: Any) -> Page:
    told: Json = await visit.call("GET /admin/cassettes")
    rows = told["cassettes"]
    return Page(
        title="Cassettes",
        path=PATH,
        lead="What vendors answered and what was made here, as it was recorded.",
        body=[
            card(
                "Settings",
                facts(
                    ("Records into", told["records"] and h.code[told["records"]]),
                    ("Replays from", told["replays"] and h.code[told["replays"]]),
                    ("What is not recorded", UNKNOWN.get(told["unknown"])),
                ),
            )
            if told["records"] or told["replays"]
            else empty(
                "This server records and replays nothing",
                [
                    h.code["mutoscope serve --record FOLDER"],
                    " keeps what vendors answer, ",
                    h.code["--replay"],
                    " plays it.",
                ],
            ),
            rows
            and card(
                "Recordings",
                table(
                    ("Recording", "API", "Model", "Account", "Asked", "Answers", "Recorded"),
                    (row(each) for each in rows[:SHOWN]),
                    label="Recordings",
                    numbers=(5,),
                ),
                note=f"The newest {SHOWN:,} of {len(rows):,}" if len(rows) > SHOWN else "The newest first",
            ),
            bool(told["records"] and not rows) and empty("None yet", "The next answer of a vendor is recorded."),
        ],
    )


def row(each: Json) -> tuple[h.Node, ...]:
    if each["problem"]:
        return (h.code[each["name"]], "", "", "", h.span(".clip", title=each["problem"])[each["problem"]], "", "")
    return (
        h.a(href=f"{PATH}/{quote(each['name'], safe='')}")[h.code[each["name"]]],
        each["wire"],
        h.code[each["model"]],
        each["account"],
        h.span(".clip", title=each["asked"])[each["asked"]],
        f"{each['answers']:,}",
        when(each["recorded"]),
    )


async def cassette(visit: Any) -> Page:
    told: Json = await visit.call(f"GET /admin/cassettes/{visit.params['name']}")
    return Page(
        title="Cassette",
        path=PATH,
        lead=h.code[told["name"]],
        actions=h.a(".button", href=PATH)["All of them"],
        body=[
            card(
                "What it is",
                facts(
                    ("API", told["wire"]),
                    ("Model", h.code[told["model"]]),
                    ("Account", told["account"]),
                    ("Vendor", told["vendor"]),
                    ("Recorded", when(told["recorded"])),
                    ("By version", told["mutoscope"]),
                    ("For job", told["job"] and job_link(told["job"])),
                ),
            ),
            card("What was asked", code(told["request"], label="What was asked"), note="By this it is found again"),
            card(
                "Answers",
                [
                    h.details(open=place == 0)[
                        h.summary[
                            h.b[each["step"]],
                            f" {each['status'] or each['trouble'] or ''}, {seconds(each['at'])} in, "
                            f"after {seconds(each['seconds'])}",
                        ],
                        code(each["body"] or each["file"] or each["trouble"] or "(no body)", label="Answer"),
                    ]
                    for place, each in enumerate(told["exchanges"])
                ]
                or empty("None", "It was cut off before the first answer."),
            ),
        ],
    )
