"""Prints docs/13-reference.md from the code: settings, wires, problems, models, engines, the renderer's words.

python docs/make_reference.py > docs/13-reference.md
"""

import re
import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

import msgspec

from mutoscope.engines import Engine, pipelines
from mutoscope.engines.diffusers import supported
from mutoscope.engines.script import Script
from mutoscope.engines.studio import Studio
from mutoscope.model import catalog, problem
from mutoscope.model.catalog import Catalog, Model
from mutoscope.model.config import (
    EngineSettings,
    Key,
    ModelPrice,
    ModelRights,
    ModelSettings,
    OwnWeights,
    Settings,
    VendorAccount,
    WireSettings,
)
from mutoscope.model.http import HttpRequest
from mutoscope.model.job import Json, Operation
from mutoscope.model.problem import Kind, Problem
from mutoscope.studio import TIERS, motion
from mutoscope.studio.scene import lexicon
from mutoscope.studio.theatre import words as nouns
from mutoscope.web.openapi import security_schemes
from mutoscope.wirekit.routes import (
    AccountRead,
    Again,
    Content,
    Create,
    DropFile,
    Follow,
    List,
    ListUploads,
    Models,
    OpenUploads,
    Read,
    ReadFile,
    ReadMany,
    Reply,
    Route,
    Secret,
    Socket,
    Stop,
    Stream,
    TakeFile,
    TakeInline,
    TakeRaw,
    UsageRead,
)
from mutoscope.wirekit.wire import Wire
from mutoscope.wires import ALL, ROWS
from mutoscope.wires.claims import CLAIMS
from mutoscope.wires.runway.models import RUNWAY_PRICES, at_runway
from mutoscope.wires.runway.tasks import FAILURE_CODES, UNKNOWN_FAILURE

ROOT = Path(__file__).parent.parent
DEFAULTS = ROOT / "mutoscope.default.toml"

HEAD = """\
# Reference

Generated from the code by `make docs`; do not edit. What it lists: [settings](#settings), [wires](#wires),
[problems](#problems), [models](#models), [engines](#engines), [words of the renderer](#words-of-the-renderer).
"""


def main() -> None:
    print(reference(), end="")


def reference() -> str:
    parts = [HEAD, *settings(), *wires(), *several(), *problems(), *models(), *engines(), *words()]
    return "\n".join(parts).rstrip() + "\n"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(f"| {' | '.join(escaped(cell) for cell in line)} |\n" for line in lines)


def escaped(cell: str) -> str:
    return " ".join(cell.split()).replace("|", "\\|")


def code(text: object) -> str:
    return f"`{text}`"


# -- settings ----------------------------------------------------------------------


class Described(NamedTuple):
    """What mutoscope.default.toml says of a setting."""

    default: str  # as it stands there; an example where the section is commented out
    sentence: str


SECTION = re.compile(r'\[+(\w+)(?:\."?\w+"?)?\]+')
SETTING = re.compile(r"(\w+) = (.*)")


def described_settings(text: str) -> dict[tuple[str, str], Described]:
    """(section, setting) → what is said of it: the comment right above."""
    found: dict[tuple[str, str], Described] = {}
    section, comment = "", list[str]()
    for line in text.splitlines():
        plain = line.removeprefix("#").strip()
        if match := SECTION.fullmatch(plain):
            section, comment = match[1], []
        elif match := SETTING.fullmatch(plain):
            found[section, match[1]] = Described(match[2], " ".join(comment))
            comment = []
        elif line.startswith("#") and plain:
            comment.append(plain)
        else:
            comment = []
    return found


def settings() -> Iterator[str]:
    yield "## Settings\n"
    yield (
        "The defaults stand in `mutoscope.default.toml`. A setting comes from, later ones winning: the default, the "
        "file (`--config`, else `mutoscope.toml` in the directory where the server starts), the environment "
        "(`MUTOSCOPE_<SECTION>_<SETTING>`, lists with commas), an option of the command line. `[[keys]]`, "
        "`[own_weights.…]`, `[accounts.…]`, `[engines.…]`, `[models.…]` and `[wires.…]` come from the file only.\n"
    )
    told = described_settings(DEFAULTS.read_text())
    for field in msgspec.structs.fields(Settings):
        title, struct = SECTIONS.get(field.name, (f"[{field.name}]", field.type))
        yield f"### {code(title)}\n"
        rows = [setting_row(told, field.name, each) for each in in_order(told, field.name, struct)]
        yield table(("setting", "type", "default", "what it decides"), rows)


def in_order(told: dict[tuple[str, str], Described], section: str, struct: Any) -> list[msgspec.structs.FieldInfo]:
    """As they stand in the file."""
    places = list(told)
    return sorted(msgspec.structs.fields(struct), key=lambda each: places.index((section, each.name)))


SECTIONS: Mapping[str, tuple[str, Any]] = {
    "own_weights": ("[own_weights.NAME]", OwnWeights),
    "keys": ("[[keys]]", Key),
    "accounts": ("[accounts.NAME]", VendorAccount),
    "engines": ("[engines.NAME]", EngineSettings),
    "models": ('[models."NAME"]', ModelSettings),
    "wires": ("[wires.NAME]", WireSettings),
}
"""Sections that may stand several times: their titles, and the struct of one."""


def setting_row(
    told: dict[tuple[str, str], Described], section: str, field: msgspec.structs.FieldInfo
) -> tuple[str, ...]:
    default = told[section, field.name].default
    if field.default is msgspec.NODEFAULT:
        default = ""
    elif section == "models":
        default = "the catalog's"
    elif section == "keys":
        default = "" if not field.default else code(f"{field.default}")
    elif section == "accounts":
        default = "" if field.default in ("", ()) else code(f"{field.default}".lower())
    elif field.default == "" and section == "own_weights":
        default = ""
    elif default == '""':
        default = "empty"
    else:
        default = code(default)
    return code(field.name), type_name(field.type), default, told[section, field.name].sentence


TYPES: Mapping[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    datetime: "date and time",
    ModelRights: "limits",
    ModelPrice: "rates",
}


def type_name(type: Any) -> str:
    if type in TYPES:
        return TYPES[type]
    args = get_args(type)
    if get_origin(type) is Annotated:
        return type_name(args[0])
    if get_origin(type) is Literal:
        return " or ".join(code(f'"{each}"') for each in args)
    if get_origin(type) in (Union, types.UnionType):
        return " or ".join(type_name(each) for each in args if each is not types.NoneType)
    if get_origin(type) is tuple:
        return f"list: {type_name(args[0])}"
    if get_origin(type) is dict:
        return f"{type_name(args[1])} by name"
    raise TypeError(f"there is no word for {type}")


# -- wires -------------------------------------------------------------------------

VERBS: Mapping[type[Route], str] = {
    Create: "make",
    Read: "read",
    Follow: "follow",
    ReadMany: "read several",
    List: "list",
    Reply: "answer",
    Socket: "converse",
    Secret: "make a short key",
    Stream: "pass words on",
    Again: "read",
    Models: "list models",
    Content: "download",
    OpenUploads: "open uploads",
    TakeFile: "send a file",
    TakeRaw: "send a file",
    TakeInline: "send files inside the body",
    ReadFile: "read a file",
    DropFile: "forget a file",
    ListUploads: "list uploads",
    AccountRead: "limits",
    UsageRead: "usage",
}


def verb_of(route: Route) -> str:
    if isinstance(route, Stop):
        return "cancel" if route.keeps else "cancel or delete"
    return VERBS[type(route)]


def wires() -> Iterator[str]:
    yield "## Wires\n"
    yield "Each is served at these paths and again under `/<name of the wire>`.\n"
    for wire in ALL:
        yield f"### {code(wire.name)}: {wire.title}\n"
        yield f"{facts(wire)}\n"
        rows = [(code(route.at), verb_of(route), route.summary) for route in wire.routes]
        yield table(("method and path", "verb", "what it does"), rows)
    yield "### Paths of several vendors\n"
    yield (
        "Where two vendors have the same path, these decide, in this order: the Host (`[server] hosts`), the evidence "
        "in the table, whoever made the task that the path names, the order in `[server] wires`. Under "
        "`/<name of the wire>` there is no doubt.\n"
    )
    yield table(
        ("method and path", "wire", "evidence"), [(code(claim.at), code(claim.wire), claim.why) for claim in CLAIMS]
    )


def several() -> Iterator[str]:
    yield "## Paths of several vendors\n"
    yield (
        "What decides whose request it is, first match first: the `Host` that `[server] hosts` names; the evidence "
        "below; whoever made the id in the path; and else the order of `[server] wires`. Below the name of a wire each "
        "is its own.\n"
    )
    yield table(("request", "goes to", "with"), [(code(each.at), code(each.wire), each.why) for each in CLAIMS])


def facts(wire: Wire) -> str:
    said = [f"Key in {' or '.join(dict.fromkeys(map(key_in, security_schemes(wire).values())))}."]
    said += [f"Every request carries `{name}: {value}`." for name, value in wire.headers.items()]
    said.append(
        "Inputs are probed before a job exists." if wire.probes_inputs else "Inputs are fetched when a job runs."
    )
    said.append("Sends webhooks." if wire.render_webhook else "Knows no webhooks.")
    return " ".join(said)


def key_in(scheme: Json) -> str:
    return code(scheme["name"]) if "name" in scheme else code(f"Authorization: {scheme['scheme'].title()}")


# -- problems ----------------------------------------------------------------------


def problems() -> Iterator[str]:
    yield "## Problems\n"
    yield (
        "Everything that can go wrong is one of these kinds. The columns of the wires are the status of an answer; "
        "`failureCode` is what a Runway task carries that failed with it. A kind's name is also what "
        "`x-mutoscope-rehearse` and the script command `fail` take.\n"
    )
    columns = ("kind", "meaning", *(wire.name for wire in ALL), "`failureCode`")
    yield table(columns, [problem_row(kind) for kind in Kind])


def problem_row(kind: Kind) -> tuple[str, ...]:
    statuses = (str(status_at(wire, kind)) for wire in ALL)
    return code(kind), problem.MEANING[kind], *statuses, code(FAILURE_CODES.get(kind, UNKNOWN_FAILURE))


def status_at(wire: Wire, kind: Kind) -> int:
    request = HttpRequest(method="POST", path=wire.routes[0].path)
    return wire.render_problem(Problem(kind, "…"), request).status


# -- models ------------------------------------------------------------------------


def models() -> Iterator[str]:
    yield "## Models\n"
    yield (
        "The catalog. Struck out is what the built-in renderer, the default engine of every model, cannot make: it is "
        "refused, unless the model is routed to another engine. A star: only where espeak-ng is installed. A size is "
        "the default where the caller names none; `max_concurrent` and `max_daily` are not limited unless the settings "
        "say so. Prices are credits of US$0.01. Those without a ~ are Runway's, read in "
        f"{at_runway().checked} at {RUNWAY_PRICES}; a ~ marks a nominal one, which no vendor's page "
        "that we read has (`mutoscope models --prices` says more). They are counted, nobody is billed.\n"
    )
    rows = [model_row(model) for model in Catalog(ROWS).models.values()]
    yield table(("model", "vendor", "makes", "default", "longest", "credits", "elsewhere called"), rows)
    ignored = ", ".join(code(name) for name in sorted(catalog.ADVICE))
    yield f"Fields that an engine need not support, and the job then says so in a note: {ignored}.\n"
    given = (
        f"{code(name)} ({', '.join(code(toml(each)) for each in values)})" for name, values in catalog.GIVEN.items()
    )
    yield f"Values that ask for what every engine does anyway, and pass without a note: {', '.join(given)}.\n"
    tiers = (f"{code(name)} {size_of(name)}" for name in catalog.TIERS)
    yield f"Resolution tiers, in pixels at 16:9: {', '.join(tiers)}. Other shapes get the same area.\n"


def model_row(model: Model) -> tuple[str, ...]:
    makes = ", ".join(made(operation) for operation in sorted(model.serves))
    longest = f"{model.max_seconds:g} s" if model.max_seconds else ""
    paths = ", ".join(code(path) for paths in model.names.values() for path in paths if path != model.name)
    return code(model.name), model.vendor, makes, defaults_of(model), longest, price_of(model), paths


SPOKEN: Mapping[Operation, frozenset[str]] = {Operation.TEXT_TO_SPEECH: Studio.speech}
"""What the renderer makes on some hosts only. The page must not differ from one host to the next."""


def made(operation: Operation) -> str:
    name = operation.replace("_", " ")
    if operation in SPOKEN:
        return f"{name}*"
    return name if operation in Studio.supported_fields else f"~~{name}~~"


def defaults_of(model: Model) -> str:
    asked = model.defaults
    size = f"{asked['width']}×{asked['height']}" if "width" in asked else asked.get("resolution", "")
    seconds = f"{asked['seconds']:g} s" if "seconds" in asked else ""
    return ", ".join(part for part in (size, seconds, f"{asked['fps']} fps" if "fps" in asked else "") if part)


def price_of(model: Model) -> str:
    """As the model's own row has it, then where else it is another figure."""
    prices = {"": model.price, **model.prices}
    return "; ".join(
        f"{'' if price.known else '~'}{catalog.price_words(price)}{f' at {name}' if name else ''}"
        for name, price in prices.items()
    )


def size_of(tier: str) -> str:
    width, height = catalog.pixels_of("16:9", tier) or (0, 0)
    return f"{width}×{height}"


def toml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


# -- engines -----------------------------------------------------------------------


def engines() -> Iterator[str]:
    yield "## Engines\n"
    yield (
        "An engine says which fields of a request it supports for each operation. A field that was asked for and is "
        "not here is refused with its name. `first_frame`, `last_frame`, `video`, `audio` are input files.\n"
    )
    made_by: tuple[type[Engine], ...] = (Studio, Script)
    for engine in made_by:
        yield f"### {code(engine.name)}\n"
        grouped: dict[tuple[str, ...], list[str]] = {}
        every = {**engine.supported_fields, **(SPOKEN if engine is Studio else {})}
        for operation, fields in every.items():
            grouped.setdefault(tuple(sorted(fields)), []).append(operation.value)
        rows = [(", ".join(map(code, operations)), supported_names(fields)) for fields, operations in grouped.items()]
        yield table(("operations", "supports"), rows)
    yield from rows_of_weights()


def rows_of_weights() -> Iterator[str]:
    yield "### Open weights\n"
    yield (
        "What `[engines.NAME] pipeline` may name, beside the classes themselves. Sizes and lengths are those where "
        "nobody says; a size is made as the next multiple and cut.\n"
    )
    rows: list[tuple[str, ...]] = []
    for name, row in pipelines.ROWS.items():
        ways = "; ".join(f"{code(operation)}: {code(way.pipeline)}" for operation, way in row.ways.items())
        size = f"{row.width}x{row.height}, {row.multiple}"
        rate = "any, else " if row.any_fps else ""
        length = f"{row.frames} at {rate}{row.fps}; {row.ratio}n + 1, at most {row.most_frames}" if row.ratio else ""
        guidance = "" if row.guidance is None else f"{row.guidance:g}"
        rows.append((code(name), ways, size, length, f"{row.steps}", guidance))
    yield table(("row", "operations and classes", "size, multiple", "frames", "steps", "guidance"), rows)
    yield "Each of these obeys:\n"
    grouped: dict[tuple[str, ...], list[str]] = {}
    for name, row in pipelines.ROWS.items():
        for operation in row.ways:
            grouped.setdefault((operation.value, *sorted(supported(row, operation))), []).append(name)
    cells = [
        (code(fields[0]), ", ".join(map(code, names)), supported_names(fields[1:])) for fields, names in grouped.items()
    ]
    yield table(("operation", "rows", "supports"), cells)


def supported_names(fields: tuple[str, ...]) -> str:
    return "everything" if fields == ("*",) else ", ".join(map(code, fields))


# -- words -------------------------------------------------------------------------

PHRASES = (
    *("zoom in", "push in", "dolly forward", "zoom out", "pull back", "dolly out", "dolly zoom", "vertigo effect"),
    *("pan left", "pan right", "tracking shot", "tilt up", "crane up", "tilt down", "orbit left", "orbit right"),
    *("arc shot", "camera roll left", "camera roll right", "dutch angle", "handheld", "shaky cam", "static shot"),
    *("locked-off", "no camera movement"),
)
STIRRING = ("wind", "breeze", "swaying", "fluttering", "rustling", "water", "waves", "rippling", "surf", "breathing")
HASTE = ("extreme", "dramatic", "rapid", "fast", "quick", "smooth", "steady", "slow", "gentle", "subtle", "slight")
"""Phrases to show; what each comes to is asked of the renderer's own reader."""


def words() -> Iterator[str]:
    yield "## Words of the renderer\n"
    yield (
        "What `studio` understands of a prompt. Camera moves and motion are for clips; scenes are painted where there "
        "is no picture to start from, and nouns shown before them. A word that is in none of these tables is ignored.\n"
    )
    yield "### Camera\n"
    yield "Some of the phrases, and what they come to. Grammatical variants are understood too.\n"
    yield table(("phrase", "move"), [(code(phrase), move_of(phrase)) for phrase in PHRASES])
    yield "### Motion in the picture, and how far the camera goes\n"
    rows = [(code(word), stirred_by(word)) for word in STIRRING]
    rows += [(code(word), f"the camera goes {amount_of(word):g} times as far") for word in HASTE]
    yield table(("word", "effect"), rows)
    yield "### Scenes\n"
    rows = [
        (facet, value, ", ".join(sorted(phrase.strip() for phrase in said.split(","))))
        for facet, values in lexicon.VOCABULARY.items()
        for value, said in values.items()
    ]
    yield table(("facet", "value", "words"), rows)
    yield from theatre()
    yield f"Colours: {', '.join(sorted(lexicon.COLOURS))}.\n"
    yield f"Words that forbid what follows: {', '.join(sorted(lexicon.NEGATIONS))}.\n"
    yield f"Tiers of resolution: {', '.join(TIERS)}.\n"


def theatre() -> Iterator[str]:
    """What the paper theatre knows."""
    yield "### Figures\n"
    yield "Nouns and the figure that each is shown as; plurals follow by rule.\n"
    shown: dict[tuple[str, str], list[str]] = {}
    for word, noun in nouns.nouns().items():
        shown.setdefault((noun.kind, noun.figure), []).append(word)
    yield table(("kind", "figure", "words"), [(*figure, ", ".join(sorted(said))) for figure, said in shown.items()])
    yield f"With the extra `icons` also: {', '.join(sorted(nouns.icon_nouns()))}.\n"
    yield "### Sets, light and what figures do\n"
    for title, said in (
        ("Sets", nouns.SETS),
        ("Numbers", nouns.NUMBERS),
        ("Sizes", nouns.SIZES),
        ("Looks", nouns.LOOKS),
        ("Clothes", nouns.GARMENTS),
        ("Postures", nouns.VERBS),
        ("Relations", nouns.RELATIONS),
        ("Light and manner", nouns.MOODS_OF_LIGHT),
        ("Plates for lettering", nouns.PLATES),
    ):
        yield f"{title}: {', '.join(sorted(said))}.\n"


DIRECTIONS: Mapping[motion.Move, tuple[str, str]] = {
    motion.Move.ZOOM: ("in", "out"),
    motion.Move.PAN: ("right", "left"),
    motion.Move.TILT: ("down", "up"),
    motion.Move.ORBIT: ("right", "left"),
    motion.Move.ROLL: ("clockwise", "counter-clockwise"),
}


def move_of(phrase: str) -> str:
    (step,) = motion.read(phrase).steps
    ((move, way),) = step.moves.items()
    directions = DIRECTIONS.get(move)
    return f"{move} {directions[0 if way > 0 else 1]}" if directions else move.value


def stirred_by(word: str) -> str:
    return " and ".join(sorted(motion.read(f"zoom in, {word}").stirs))


def amount_of(word: str) -> float:
    (step,) = motion.read(f"{word} zoom in").steps
    return step.amount


if __name__ == "__main__":
    main()
