"""How long each vendor is, and the kit that they stand on, against what was planned.

    python benchmarks/lines.py

Lines of `.py` files, blanks and docstrings counted; the rows of the catalogue (`models.py`) and tests are not.
"""

from pathlib import Path

SOURCE = Path(__file__).parent.parent / "src" / "mutoscope"
WIRES = SOURCE / "wires"
PLANNED = {
    "wirekit": 2000,
    "freepik": 600,
    "dashscope": 850,
    "runway": 1900,
    "luma": 450,
    "replicate": 450,
    "kling": 800,
    "minimax": 550,
    "midjourney": 700,
    "suno": 400,
    "udio": 250,
    "runway_reverse": 250,
    "flux": 500,
    "recraft": 500,
    "ideogram": 550,
    "fal": 500,
    "openai": 1800,
    "anthropic": 900,
}
ELSEWHERE = {"anthropic": (SOURCE / "engines" / "translation.py",), "suno": (WIRES / "_music.py",)}
"""What serves one vendor and stands in another room."""


def parts(name: str) -> list[Path]:
    if name == "wirekit":
        return sorted((SOURCE / name).glob("*.py"))
    files = sorted((WIRES / name).glob("*.py")) or [WIRES / f"{name}.py"]
    return [each for each in (*files, *ELSEWHERE.get(name, ())) if each.exists() and each.name != "models.py"]


def length(file: Path) -> int:
    return len(file.read_text().splitlines())


def main() -> None:
    print("| part | lines | planned | ratio | files |")
    print("| --- | --- | --- | --- | --- |")
    for name, planned in PLANNED.items():
        files = {each.stem: length(each) for each in parts(name)}
        lines = sum(files.values())
        told = ", ".join(f"{stem} {count}" for stem, count in files.items() if count > 1)
        print(f"| {name} | {lines} | {planned} | {lines / planned:.2f} | {told} |")


if __name__ == "__main__":
    main()
