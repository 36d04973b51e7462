"""The benchmarks start, and their cheap parts print what they promise."""

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from PIL import Image

from postgres_server import programs

FOLDER = Path(__file__).parent.parent / "benchmarks"
SCRIPTS = sorted(path.name for path in FOLDER.glob("bench_*.py"))


def run(script: str, *words: str, seconds: float = 100.0) -> str:
    command = [sys.executable, "-W", "error", str(FOLDER / script), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def tables(printed: str) -> list[list[str]]:
    """Of each Markdown table its lines without the one of dashes."""
    found = re.findall(r"(?:^\|.*\|\n)+", printed, re.MULTILINE)
    return [[line for line in table.splitlines() if not line.startswith("|---")] for table in found]


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_benchmark_says_how_it_is_called(script: str) -> None:
    assert f"python benchmarks/{script}" in run(script, "--help")


def test_of_a_fleet_whose_processes_are_killed_nothing_is_lost() -> None:
    if programs() is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    words = (
        "--jobs",
        "12",
        "--seconds",
        "2",
        "--servers",
        "1",
        "--workers",
        "2",
        "--scenarios",
        "1",
        "--rolling",
        "0",
        "--no-limits",
    )
    [lines] = tables(run("fleet.py", *words, seconds=300.0))
    parts = [[cell.strip() for cell in line.strip("| ").split("|")] for line in lines[1:]]
    assert [cells[:2] for cells in parts] == [["any process killed", "12"], ["backend killed", "12"]]
    assert int(parts[0][2]) >= 1 and all(cells[6:11] == ["0"] * 5 and cells[-1] == "yes" for cells in parts)


def test_a_part_that_does_not_exist_is_refused_with_the_names_of_those_that_do() -> None:
    command = [sys.executable, str(FOLDER / "bench_studio.py"), "--only", "speed"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "no such part: speed" in done.stderr
    assert "throughput" in done.stderr


def test_the_renderers_cheap_parts_print_their_tables_and_draw_their_pictures(tmp_path: Path) -> None:
    parts = "throughput,judder,pairs,continuation,scenes"
    printed = run("bench_studio.py", "--tiny", "--rounds", "1", "--only", parts, "--pictures", str(tmp_path))
    throughput, judder, pairs, continuation, scenes = tables(printed)
    assert [row.count("tiny") for row in throughput[1:]] == [1, 1, 1, 1]
    assert {"slow zoom", "slow pan"} == {row.split(" | ")[0].strip("| ") for row in judder[1:]}
    assert [row.split(" | ")[0].strip("| ") for row in pairs[1:]] == [
        "small pan",
        "zoom 1.25, pan",
        "zoom 1.4, roll",
        "big pan",
    ]
    assert "| frames | 45 | 45 |" in continuation
    assert len(scenes) == 3
    for plot in ("studio-throughput.svg", "studio-judder.svg", "studio-join.svg"):
        assert ET.parse(tmp_path / plot).getroot().tag.endswith("svg")
    with Image.open(tmp_path / "studio-pairs.jpg") as sheet:
        assert sheet.width > sheet.height


def test_the_renderer_writes_the_bytes_that_encoding_its_frames_beforehand_writes() -> None:
    printed = run("bench_studio.py", "--tiny", "--rounds", "2", "--only", "throughput")
    assert "Both write the same bytes: yes." in printed
