"""Prints the licences of the locked packages, from what is installed; fails on what `licences.toml` does not know.

python lock/licences.py
"""

import importlib.metadata
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from packaging.markers import Marker

HERE = Path(__file__).parent
LOCKS = ("run.txt", "dev.txt", "tools.txt")
LOCKED = re.compile(r"^([\w.-]+)==(\S+?)(?: ; (.+?))? \\$", re.MULTILINE)
WORD = re.compile(r"[^\s()]+")
OPERATORS = ("AND", "OR", "WITH")


class Package(NamedTuple):
    name: str
    version: str
    lock: str  # the narrowest lock that names it


class Row(NamedTuple):
    package: Package
    licence: str
    note: str
    flaw: str | None


def main() -> int:
    rules = tomllib.loads((HERE / "licences.toml").read_text())
    rows = [judge(package, rules) for package in locked()]
    for row in rows:
        line = f"{row.package.name:26} {row.package.version:12} {row.package.lock:9} {row.licence}"
        print(f"{line}; {row.note}" if row.note else line)
    flaws = [row.flaw for row in rows if row.flaw] + unused(rows, rules)
    for flaw in flaws:
        print(f"licences: {flaw}", file=sys.stderr)
    print(f"licences: {len(rows)} packages, {len(flaws)} questions", file=sys.stderr)
    return 1 if flaws else 0


def locked(locks: tuple[str, ...] = LOCKS) -> Iterator[Package]:
    """Every package that is locked for this platform and this Python."""
    seen: set[str] = set()
    for lock in locks:
        for name, version, marker in LOCKED.findall((HERE / lock).read_text()):
            if name not in seen and (not marker or Marker(marker).evaluate()):
                seen.add(name)
                yield Package(name, version, lock)


def judge(package: Package, rules: dict[str, dict[str, str]]) -> Row:
    try:
        found = importlib.metadata.distribution(package.name)
    except importlib.metadata.PackageNotFoundError:
        return Row(package, "?", "", f"{package.name} is locked and not installed: make setup")
    licence = told(found, rules["spelled"])
    explained, carried = rules["explained"].get(package.name), rules["carries"].get(package.name)
    note = (
        "; carries ".join(filter(None, (explained, carried))) if explained else f"carries {carried}" if carried else ""
    )
    flaw = None
    if found.version != package.version:
        flaw = f"{package.name} {found.version} is installed, {package.version} is locked: make setup"
    elif not permitted(licence, rules["permissive"]) and not explained:
        flaw = f"{package.name}: {licence or 'no licence'} is not permissive, and not explained in lock/licences.toml"
    elif carries(found) and not carried:
        flaw = f"{package.name} carries libraries of others, and lock/licences.toml does not say which"
    return Row(package, licence or "not told", note, flaw)


def told(found: importlib.metadata.Distribution, spelled: dict[str, str]) -> str:
    """An SPDX expression; empty when the metadata have none that can be read as one."""
    if expression := found.metadata.get("License-Expression"):
        return expression
    classifiers = [
        each.rpartition(" :: ")[2] for each in found.metadata.get_all("Classifier", []) if "License ::" in each
    ]
    for text in (found.metadata.get("License", ""), *(each for each in classifiers if each != "DFSG approved")):
        name = spelled.get(text.strip(), text.strip())
        if name and len(name) < 80 and "\n" not in name:
            return name
    return ""


def permitted(expression: str, permissive: object) -> bool:
    """Whether every licence of the expression is, or in "A OR B" one of them where nothing is joined by AND."""
    assert isinstance(permissive, list)  # noqa: S101 (a file of ours)
    names = [word for word in WORD.findall(expression) if word not in OPERATORS]
    known = [name in permissive for name in names]
    if " OR " in expression and " AND " not in expression:
        return any(known)
    return bool(names) and all(known)


def carries(found: importlib.metadata.Distribution) -> bool:
    """Whether the wheel brought shared libraries of others with it, as the tools that repair wheels lay them."""
    return any(".libs" in part or part == ".dylibs" for file in found.files or () for part in file.parts[:2])


def unused(rows: list[Row], rules: dict[str, dict[str, str]]) -> list[str]:
    """What is explained must still be there."""
    names = {row.package.name for row in rows}
    stale = sorted((set(rules["explained"]) | set(rules["carries"])) - names)
    return [f"{name} is explained in lock/licences.toml, and no longer locked" for name in stale]


if __name__ == "__main__":
    sys.exit(main())
