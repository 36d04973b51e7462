"""Imports point one way: towards the data types, never towards the doors."""

import ast
import re
from pathlib import Path

SOURCE = Path(__file__).parent.parent / "src" / "mutoscope"
BELOW: dict[str, set[str]] = {
    "model": set(),
    "wirekit": {"model"},
    "wires": {"model", "wirekit"},
    "studio": set(),
    "telemetry": {"model"},
    "files": {"model"},
    "cassettes": {"model", "telemetry", "files"},
    "store": {"model", "wirekit", "telemetry"},
    "engines": {"model", "wirekit", "wires", "telemetry", "files", "cassettes", "store", "studio"},
    "service": {"model", "wirekit", "wires", "telemetry", "files", "cassettes", "store", "studio", "engines"},
    "background": {"model", "wirekit", "wires", "telemetry", "files", "store", "engines", "service"},
    "web": {"model", "wirekit", "wires", "telemetry", "files", "store", "engines", "service", "background"},
}
"""Each folder, the lowest first, and the folders that it may import beside itself."""
DOORS = {"app", "cli", "pytest_plugin", "__main__"}
"""What puts everything together: it may import anything, and nothing but these imports it."""


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


def test_every_folder_has_its_place() -> None:
    assert {room_of(path) for path in FILES} == set(BELOW) | DOORS


def test_the_order_of_the_folders_holds_in_itself() -> None:
    order = list(BELOW)
    assert not [(name, each) for name in order for each in BELOW[name] if order.index(each) >= order.index(name)]


def test_imports_point_down_the_list_only() -> None:
    inside = [path for path in FILES if room_of(path) not in DOORS]
    allowed = {path: BELOW[room_of(path)] | {room_of(path)} for path in inside}
    wrong = [f"{path.relative_to(SOURCE)}: {room}" for path in inside for room in imports(path) - allowed[path]]
    assert not wrong


def test_a_vendor_knows_no_other_vendor() -> None:
    wires = SOURCE / "wires"
    vendors = {path.stem for path in wires.iterdir() if path.stem[0] != "_"}
    for path in wires.rglob("*.py"):
        own = path.relative_to(wires).parts[0].removesuffix(".py")
        if own != "__init__":
            found = set(re.findall(r"mutoscope\.wires(?:\.| import )(\w+)", path.read_text()))
            assert not found & (vendors - {own}), path


def test_only_the_configuration_reads_the_environment() -> None:
    readers = {
        str(path.relative_to(SOURCE))
        for path in FILES
        if re.search(r"os\.environ(?!\[.TMPDIR.\] =)|getenv", path.read_text())
    }
    # The plugin hands it to the server that it starts.
    assert readers == {"model/config.py", "pytest_plugin.py"}, readers


HEAVY = {
    "torch": "diffusers_child",
    "diffusers": "diffusers_child",
    "transformers": None,
    "accelerate": None,
    "ray": "ray_child",
}
"""What takes gigabytes or seconds to import → the program of a child process, in `engines`, that may."""


def test_only_a_child_imports_what_is_heavy() -> None:
    for path in FILES:
        tree = ast.parse(path.read_text())
        names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and not node.level}
        names |= set(re.findall(r"import_module\(\"([\w.]+)\"", path.read_text()))
        heavy = {name.partition(".")[0] for name in names} & HEAVY.keys()
        assert all(HEAVY[name] == path.stem for name in heavy), f"{path.relative_to(SOURCE)}: {heavy}"
    children = {child for child in HEAVY.values() if child}
    for path in FILES:
        assert not re.findall(rf"import .*\b({'|'.join(children)})\b", path.read_text()), (
            f"{path}: a child is run, not imported"
        )


def wire_of(path: Path) -> str:
    """`wires/fal/api.py` is fal's; of the kit there is one."""
    folder, *rest = path.relative_to(SOURCE).parts
    return rest[0].removesuffix(".py") if folder == "wires" else folder


def lines_of(path: Path) -> list[str]:
    """Those that do something, however they are set: without imports, docstrings and comments."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [each for each in node.body if not is_idle(each)] or [ast.Pass()]
    return [line.strip() for line in ast.unparse(tree).splitlines() if line.strip()]


def is_idle(node: ast.stmt) -> bool:
    words = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    return words or isinstance(node, ast.Import | ast.ImportFrom)


def test_no_six_lines_stand_in_two_wires_alike() -> None:
    """What two of them need is a piece of the kit."""
    found: dict[tuple[str, ...], Path] = {}
    twins: list[str] = []
    for path in (path for path in FILES if room_of(path) in ("wires", "wirekit")):
        lines = lines_of(path)
        for run in zip(*(lines[step:] for step in range(6)), strict=False):
            first = found.setdefault(run, path)
            if wire_of(first) != wire_of(path):
                twins.append(f"{first.relative_to(SOURCE)}, {path.relative_to(SOURCE)}: {run}")
    assert not twins
