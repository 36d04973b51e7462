"""The core of the test suites that vendors publish with their Python SDKs, run against a rehearsing server.

The suites are read from the source distributions that `make setup` fetches; nothing of them is kept here.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import httpx
import pytest

SDKS = Path(__file__).resolve().parents[2] / ".venv" / "sdk"

CORE = (
    "image_to_video",
    "text_to_video",
    "video_to_video",
    "text_to_image",
    "character_performance",
    "video_upscale",
    "text_to_speech",
    "sound_effect",
    "speech_to_speech",
    "voice_dubbing",
    "voice_isolation",
    "tasks",
    "uploads",
    "organization",
)
NEWER = (
    *("image_upscale", "video_to_audio", "video_to_hdr"),
    *("avatar_conversations", "avatar_videos", "avatars", "documents", "realtime_sessions", "recipes", "routers"),
    *("voices", "workflow_invocations", "workflows", "generate/audio", "generate/image", "generate/video"),
    *("organization/webapp", "organization/webapp/audit_logs"),
)
"""Endpoints that came after 3.22."""

LUMA = ("credits", "generations", "ping", "generations/concepts", "generations/image", "generations/video")


class Out(NamedTuple):
    """Tests of a suite of words that are left out: those whose file and name have all of the words."""

    words: tuple[str, ...]
    why: str


OPENAI = (
    *("completions", "embeddings", "files", "images", "models", "moderations", "responses", "videos"),
    *("chat/completions", "audio/speech", "audio/transcriptions", "audio/translations", "responses/input_tokens"),
    "responses/input_items",
)
NOT_KEPT = "conversations are not kept here"
NOT_MADE = "a response that nobody made: the suite's own round trips are in test_words_sdks.py"
NO_PICTURE = "sends the words 'Example data' as a picture"
NO_SOUND = "sends the words 'Example data' as a sound"
NOT_SERVED = "not served, and said so by 404 or 405"
OPENAI_OUT = (
    Out(("test_completions.py", "create_with_all_params"), "best_of is 0 where n is 1, max_completion_tokens is 0"),
    *(Out(("chat/test_completions.py", each), NOT_KEPT) for each in ("_retrieve", "_update", "_delete", "_list")),
    *(Out(("test_responses.py", each), NOT_MADE) for each in ("_retrieve", "_delete", "_cancel")),
    Out(("test_responses.py", "create_with_all_params"), NOT_MADE),
    Out(("test_input_tokens.py", "all_params"), NOT_MADE),
    Out(("test_input_items.py",), NOT_MADE),
    Out(("test_responses.py", "_compact"), "needs a model that makes a conversation shorter"),
    *(Out(("test_files.py", each), "a file that nobody sent") for each in ("_retrieve", "_delete")),
    *(Out(("test_images.py", each), NO_PICTURE) for each in ("_edit", "_variation")),
    Out(
        ("test_images.py", "all_params"), "response_format with a GPT image model, which is refused as the vendor does"
    ),
    Out(("test_transcriptions.py",), NO_SOUND),
    Out(("test_translations.py",), NO_SOUND),
    Out(("test_models.py", "_delete"), "there are no finetuned models here"),
    *(Out(("test_videos.py", each), NOT_SERVED) for each in ("character", "_edit", "_extend")),
    Out(("test_videos.py", "list_with_all_params"), "what comes after a video that there never was"),
    Out(("test_embeddings.py", "strict"), "asks for base64 by itself, which its strict check then does not take"),
)
ANTHROPIC_OUT = (
    Out(("test_models.py", "_retrieve"), "the model's name is 'model_id'"),
    Out(("test_models.py", "list_with_all_params"), "what comes before a model that there never was"),
)


class Suite(NamedTuple):
    package: str
    version: str
    names: tuple[str, ...]  # of its files
    least: int  # tests in them
    base: str = ""  # what is behind the server's address in its base URL
    out: tuple[Out, ...] = ()
    options: tuple[str, ...] = ()
    also: tuple[Path, ...] = ()  # where its tests find what they import

    def __str__(self) -> str:
        return f"{self.package} {self.version}"


SUITES = (
    Suite("runwayml", "3.22.0", CORE, 419),
    Suite("runwayml", "5.24.0", CORE + NEWER, 1202),
    Suite("lumaai", "1.21.0", LUMA, 275, "/dream-machine/v1"),
)

WORDS = (
    Suite("openai", "3.57.0", OPENAI, 164, "/v1", OPENAI_OUT),
    Suite(
        "anthropic",
        "2.14.0",
        ("messages", "models"),
        30,
        out=ANTHROPIC_OUT,
        options=("-p", "tests._alias_httpx"),
        also=(SDKS / "wheels",),
    ),
)

RUN = """
import importlib.util, json, os, sys, pytest
assert importlib.util.find_spec(sys.argv[1]).origin.startswith(sys.argv[2])

class Out:
    def pytest_collection_modifyitems(self, config, items):
        rows = json.loads(os.environ["LEFT_OUT"])
        # those of path parameters ask no server
        fits = lambda item, words: "path_params" not in item.nodeid and all(word in item.nodeid for word in words)
        left = [item for item in items if any(fits(item, words) for words in rows)]
        assert all(any(fits(item, words) for item in left) for words in rows), "a row leaves nothing out"
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in set(left)]

sys.exit(pytest.main(sys.argv[3:], [Out()]))
"""
# pytest, once it is sure that the code under test is that of the source distribution

HEADERS = {"authorization": "Bearer any", "x-runway-version": "2024-11-06"}
ONE_SLOT = "[script]\nslots = 1"


@pytest.fixture(scope="module")
def rehearsal(serve: Callable[..., str]) -> str:
    """A rehearsing server whose only slot is taken by a job that never ends.

    The suites look at answers, not at files. With the slot free, thousands of jobs would fetch from example.com and
    render beside them, which takes several times as long and leaves this machine.
    """
    url = serve("--rehearse", settings=ONE_SLOT)
    with httpx.Client(base_url=url, headers=HEADERS) as client:
        deadline = time.monotonic() + 30
        while client.get("/dream-machine/v1/generations/id").json()["state"] != "completed":
            assert time.monotonic() < deadline, "the task that Luma's suite goes on from is not made"
            time.sleep(0.02)
        body = {"model": "gen4_image", "promptText": "hang", "ratio": "720:720"}
        task = client.post("/v1/text_to_image", json=body).json()["id"]
        deadline = time.monotonic() + 10
        while client.get(f"/v1/tasks/{task}").json()["status"] != "RUNNING":
            assert time.monotonic() < deadline, "the job that should take the slot does not run"
            time.sleep(0.02)
    return url


@pytest.mark.timeout(300)
@pytest.mark.parametrize("suite", SUITES, ids=str)
def test_the_sdks_own_tests_pass(suite: Suite, rehearsal: str, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    """Of the newest and largest each test with strict checks, sync and async; with --long all of its variants."""
    strict = suite.version == "5.24.0" and not pytestconfig.getoption("--long")
    run(suite, rehearsal, tmp_path, *(("-k", "strict") if strict else ()))


@pytest.fixture(scope="module")
def author(serve: Callable[..., str]) -> str:
    """A rehearsing server that makes what it is asked for, because these suites wait for pictures and sound."""
    return serve("--rehearse", settings="[script]\nslots = 4")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("suite", WORDS, ids=str)
def test_the_sdks_own_tests_of_words_pass(suite: Suite, author: str, tmp_path: Path) -> None:
    """Each test once where the suite has it with strict and with loose checks, and with other clients of HTTP."""
    run(suite, author, tmp_path, "-k", "strict or (test_embeddings and loose)")


def run(suite: Suite, url: str, folder: Path, *options: str) -> None:
    home = SDKS / f"{suite.package}-{suite.version}"
    if not home.is_dir():
        pytest.fail(
            f"{home} is missing. `make setup` fetches it from the package registry; "
            "without a registry, copy .venv/sdk from a checkout that has it."
        )
    report = folder / "report.xml"
    # -n 0: their configuration says -n auto, whose processes take longer to start here than they save
    told = ["-o", "addopts=", "-q", "-n", "0", "-p", "no:cacheprovider", "--rootdir", str(home), f"--junitxml={report}"]
    folders = [f"tests/api_resources/{name}".rpartition("/") for name in suite.names]
    files = [f"{folder}/test_{name}.py" for folder, _, name in folders]
    sources = os.pathsep.join(map(str, (home / "src", *suite.also)))
    own = {"PYTHONPATH": sources, "TEST_API_BASE_URL": url + suite.base}
    done = subprocess.run(
        [sys.executable, "-c", RUN, suite.package, str(home / "src"), *suite.options, *told, *options, *files],
        cwd=home,
        env=plain_environment() | own | {"LEFT_OUT": json.dumps([each.words for each in suite.out])},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    # none of them skips any of these tests itself
    assert counts(report)["skipped"] == 0
    assert counts(report)["tests"] >= suite.least


VARIABLES = ("PYTEST_", "RUNWAYML_", "LUMAAI_", "OPENAI_", "ANTHROPIC_")


def plain_environment() -> dict[str, str]:
    """Ours without what would reach into the inner pytest or into the SDK."""
    return {name: text for name, text in os.environ.items() if not name.startswith(VARIABLES)}


def counts(report: Path) -> dict[str, int]:
    suites = ElementTree.parse(report).getroot().iter("testsuite")
    (suite,) = suites
    return {name: int(suite.attrib[name]) for name in ("tests", "skipped", "failures", "errors")}
