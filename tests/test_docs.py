"""The documents against the code: what they name exists, what they print is what the code says, their samples run."""

import json
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from cyclopts import CycloptsError, MissingArgumentError

from mutoscope import wires
from mutoscope.background import webhooks
from mutoscope.cli import app
from mutoscope.engines.studio import Studio
from mutoscope.model.config import BY_NAME, Settings
from mutoscope.model.problem import Kind

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.glob("*.md"))]
WRITTEN = [page for page in PAGES if page.name != "13-reference.md"]
EVERY_PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
SERVES = re.compile(r"serves on (http://\S+)")

LINK = re.compile(r"\]\(\s*([^)\s]+)\s*\)")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"^(?: {4}.*\n)+", re.MULTILINE)
INLINE = re.compile(r"`([^`\n]+)`")
HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
TESTED = re.compile(r"<!-- tested: ([\w ]+) -->\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(
    r"(?:[\w.-]+/)*[\w-]+(?:\.[\w-]+)*\.(?:py|md|toml|sql|txt|jpg)|(?:docs|src|tests|benchmarks)/[\w/.-]*"
)
COMMAND = re.compile(r"(?:^|\s)(?:\.venv/bin/)?mutoscope((?: .*)?)$")
MADE_LATER = {
    "mutoscope.toml",
    "cassette.toml",
    "acme.py",
    "test_acme.py",
    "echo.py",
    "lake.png",
    "tests/api_resources",
}
"""Files that the pages tell the reader to make, or that lie in somebody else's repository."""


# -- the generated page -----------------------------------------------------------------


def test_the_reference_is_what_the_code_says() -> None:
    done = subprocess.run([sys.executable, DOCS / "make_reference.py"], capture_output=True, text=True, check=True)
    assert (DOCS / "13-reference.md").read_text() == done.stdout, "`make docs` writes it anew"


def test_every_setting_has_a_sentence_in_the_reference() -> None:
    text = (DOCS / "13-reference.md").read_text()
    for section in msgspec.structs.fields(Settings):
        if section.name not in BY_NAME:
            part = text.partition(f"### `[{section.name}]`")[2].partition("\n### ")[0]
            for field in msgspec.structs.fields(section.type):
                row = re.search(rf"^\| `{field.name}` \|.*\| (.+) \|$", part, re.MULTILINE)
                assert row and len(row[1].split()) > 3, f"[{section.name}] {field.name}"


# -- what the pages name ------------------------------------------------------------------


@EVERY_PAGE
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text()):
        if link.startswith(("http://", "https://")):
            continue
        name, _, anchor = link.partition("#")
        target = page if not name else (page.parent / name).resolve()
        assert target.exists(), link
        if anchor:
            assert anchor in {slug(heading) for heading in HEADING.findall(target.read_text())}, link


def slug(heading: str) -> str:
    """As the renderers of Markdown make an anchor of a heading."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.name)
def test_every_file_that_is_named_exists(page: Path) -> None:
    ours = ROOT / "src" / "mutoscope"
    places = (ROOT, ours, ours / "wires", DOCS, ROOT / "benchmarks")
    for code in INLINE.findall(page.read_text()):
        for name in FILE.findall(code) if " " not in code else ():
            if name == code and not any(name.startswith(each) or name.endswith(each) for each in MADE_LATER):
                assert any((place / name).exists() for place in places), f"{name} does not exist"


@EVERY_PAGE
def test_no_page_names_somebodys_machine(page: Path) -> None:
    assert not re.findall(r"(?<![\w.~])/(?:work|root|home|tmp|Users|mnt)\b/?", page.read_text())


def test_every_wire_has_its_heading() -> None:
    headings = HEADING.findall((DOCS / "03-wires.md").read_text())
    assert [wire.name for wire in wires.ALL if wire.name not in headings] == []


def test_every_operation_of_the_renderer_is_described() -> None:
    text = (DOCS / "10-studio.md").read_text().lower()
    assert [each for each in Studio.supported_fields if each.replace("_", " ") not in text] == []


def test_the_terms_are_in_order() -> None:
    terms = re.findall(r"^\| ([\w ]+) \|", (DOCS / "14-terms.md").read_text(), re.MULTILINE)[1:]
    assert len(terms) > 30
    assert terms == sorted(terms)


def test_the_pages_are_numbered_in_the_order_of_the_readme() -> None:
    numbered = [page.name for page in sorted(DOCS.glob("*.md"))]
    assert [name[:2] for name in numbered] == [f"{n:02}" for n in range(1, len(numbered) + 1)]
    read_on = (ROOT / "README.md").read_text().partition("## Read on")[2]
    assert re.findall(r"\(docs/(\d\d-[\w-]+\.md)\)", read_on) == numbered


def test_every_kind_that_a_page_rehearses_exists() -> None:
    text = (DOCS / "09-rehearsing.md").read_text()
    named = re.findall(r"x-mutoscope-rehearse(?:\"|): \"?(\w+)", text)
    assert len(named) >= 2
    assert set(named) <= set(Kind)


# -- command lines -------------------------------------------------------------------------


def commands(text: str) -> Iterator[str]:
    """What is typed after `mutoscope`, in every block and every inline code that is such a line."""
    blocks = [body for language, body in FENCE.findall(text) if language in ("", "bash", "sh")]
    plain = FENCE.sub("", text)
    for block in [*blocks, *INDENTED.findall(plain), *INLINE.findall(plain)]:
        for line in block.splitlines():
            line = re.split(r"\s(?:>>?|\||&|#)(?:\s|$)", line.strip())[0].rstrip(" &")
            words = re.sub(r"^(?:[A-Z_]+=\S+ )+", "", line)
            if match := COMMAND.match(words):
                yield match[1].strip()


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.name)
def test_every_command_line_can_be_understood(page: Path) -> None:
    for line in commands(page.read_text()):
        try:
            app.parse_args(shlex.split(line), exit_on_error=False, print_error=False)
        except MissingArgumentError:
            assert len(line.split()) == 1, line  # a verb that is spoken of, not called
        except CycloptsError as error:
            pytest.fail(f"mutoscope {line}: {error}")


def test_the_reader_of_command_lines_finds_them() -> None:
    found = [line for page in WRITTEN for line in commands(page.read_text())]
    assert {"serve --rehearse", "keys create alice", "webhooks replay ID", "models"} <= set(found)
    with pytest.raises(CycloptsError):
        app.parse_args(["serve", "--sideways"], exit_on_error=False, print_error=False)


# -- samples, run --------------------------------------------------------------------------


def samples(page: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, text in TESTED.findall(page.read_text()):
        found.setdefault(name, []).append(text)
    return found


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A rehearsing server, because the words of the samples are not what is tested here."""
    folder = tmp_path_factory.mktemp("rehearsal")
    command = [sys.executable, "-m", "mutoscope", "serve", "--rehearse", "--port", "0", "--data", str(folder / "data")]
    said = folder / "said"
    with said.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out, cwd=folder) as server:
        try:
            deadline = time.monotonic() + 30
            while not (match := SERVES.search(said.read_text())):
                assert server.poll() is None and time.monotonic() < deadline, said.read_text()
                time.sleep(0.05)
            yield match[1]
        finally:
            server.terminate()


SOONER = (
    "next(each for each in (__import__('time').sleep(0.2) or client.tasks.retrieve(task.id) for _ in range(100))"
    " if each.status == 'SUCCEEDED')"
)
"""In the place of the SDK's own wait, which is six seconds before it asks for the first time."""


def test_the_first_requests_of_the_readme_work(rehearsal: str, tmp_path: Path) -> None:
    if not shutil.which("curl"):
        pytest.skip("curl is not installed; with it, this runs the first requests of the README")
    found = samples(ROOT / "README.md")
    for number, text in enumerate([*found["bash"], *found["python"]]):
        script = text.replace("http://127.0.0.1:8700", rehearsal)
        script = script.replace("task.wait_for_task_output()", SOONER)
        command = ["bash", "-euo", "pipefail", "-c"] if number < len(found["bash"]) else [sys.executable, "-c"]
        done = subprocess.run([*command, script], cwd=tmp_path, capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "lake.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "lake.mp4").read_bytes()[4:8] == b"ftyp"


@pytest.mark.parametrize("way", ["library", "by hand"])
def test_the_samples_verify_what_the_server_signs(way: str) -> None:
    room: dict[str, object] = {}
    exec(samples(DOCS / "04-jobs-and-webhooks.md")[way][0], room)
    verified = room["verified"]
    assert callable(verified)
    secret, body = "whsec_" + "bXV0b3Njb3Bl" * 3, json.dumps({"task_id": "x", "status": "COMPLETED"}).encode()
    sent = webhooks.headers(secret, "msg_1", time.time(), body)
    assert verified(secret, sent, body) == json.loads(body)
    with pytest.raises(Exception, match=r"\w"):
        verified(secret, sent, body + b" ")
    with pytest.raises(Exception, match=r"\w"):
        verified(secret, webhooks.headers(secret, "msg_1", time.time() - 3600, body), body)
