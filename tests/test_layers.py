"""Imports point one way: towards the data types, never towards the doors."""

import ast
from pathlib import Path

SOURCE = Path(__file__).parent.parent / "src" / "mutoscope"
LAYERS: list[set[str]] = [
    {"problem", "http", "job", "meters"},
    {"catalog", "config"},
    {"wires"},
    {"net", "media", "assets", "store", "home", "credentials", "tracing", "_probe", "_walls"},
    {"studio"},
    {"engines"},
    {
        "access",
        "intake",
        "gateway",
        "jumps",
        "poller",
        "repeats",
        "routes",
        "forgetting",
        "sweeper",
        "worker",
        "webhooks",
        "rehearsal",
    },
    {
        "admin",
        "form",
        "head",
        "metrics",
        "openapi",
        "origins",
        "pages",
        "readiness",
        "server",
        "app",
        "connection",
        "logs",
        "cli",
        "__main__",
    },
]
RANK = {room: rank for rank, rooms in enumerate(LAYERS) for room in rooms}
ONLY_OWN = {"studio": {"studio"}, "wires": {"wires", "problem", "http", "job"}}
"""Rooms that know nothing but what is listed."""


def imports(path: Path) -> set[str]:
    """The rooms of ours that a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "mutoscope":
            found |= {alias.name for alias in node.names if alias.name != "__version__"}
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("mutoscope."):
            found.add(node.module.split(".")[1])
        elif isinstance(node, ast.Import):
            found |= {a.name.split(".")[1] for a in node.names if a.name.startswith("mutoscope.")}
    return found


def room_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


FILES = [path for path in SOURCE.rglob("*.py") if room_of(path) != "__init__"]


def test_every_room_has_its_layer() -> None:
    assert {room_of(path) for path in FILES} <= set(RANK)


def test_imports_point_to_the_same_layer_or_up_the_list() -> None:
    wrong = [f"{path.name}: {room}" for path in FILES for room in imports(path) if RANK[room] > RANK[room_of(path)]]
    assert not wrong


def test_wires_and_studio_know_nothing_of_the_rest() -> None:
    wrong = [
        f"{path.name}: {room}" for path in FILES if (own := ONLY_OWN.get(room_of(path))) for room in imports(path) - own
    ]
    assert not wrong


def test_a_wire_knows_no_other_wire() -> None:
    public = {path.stem for path in (SOURCE / "wires").glob("[a-z]*.py")}
    for name in public:
        text = (SOURCE / "wires" / f"{name}.py").read_text()
        assert not [
            other for other in public - {name} if f"mutoscope.wires.{other} " in text or f"wires import {other}" in text
        ]


def test_only_the_configuration_reads_the_environment() -> None:
    readers = {room_of(path) for path in FILES if "os.environ" in path.read_text() or "getenv" in path.read_text()}
    assert readers <= {"config"}, readers
