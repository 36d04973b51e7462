"""Strangers' programs that use Replicate's Python clients as they are, the old and the new, and the new one's tests.

Both are unpacked by `make setup` and not installed: they have the same name.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest
from media_found import clip_in

SDKS = Path(__file__).resolve().parents[2] / ".venv" / "sdk"
OLD, NEW = SDKS / "replicate-1.0.7", SDKS / "replicate-2.0.0b4"
SECONDS = 60.0
SCHNELL, I2V = "black-forest-labs/flux-schnell", "wan-video/wan-2.2-i2v-fast"
SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
SETTINGS = f"""
[webhooks]
secret = "{SECRET}"
[script]
slots = 4
"""

PRELUDE = """
import json, os, sys, time
import replicate

picture = sys.argv[1]

def tell(value):
    print(json.dumps(value, default=str))
"""


@pytest.fixture(scope="module")
def url(serve: Callable[..., str]) -> str:
    return serve("--rehearse", "--allow-private", settings=SETTINGS)


@pytest.fixture
def run(url: str, picture: bytes, tmp_path: Path) -> Callable[..., Any]:
    """Run a program that uses a client; what it says at its end is returned."""
    file = tmp_path / "a cat.png"
    file.write_bytes(picture)

    def run(client: Path, program: str, base: str = "") -> Any:
        if not client.is_dir():
            pytest.fail(
                f"{client} is missing. `make setup` fetches it from the package registry; "
                "without a registry, copy .venv/sdk from a checkout that has it."
            )
        own = {name: text for name, text in os.environ.items() if not name.startswith(("PYTEST_", "REPLICATE_"))}
        told = {"REPLICATE_API_TOKEN": "r8_any", "REPLICATE_BASE_URL": url + base, "REPLICATE_POLL_INTERVAL": "0.05"}
        source = client if client is OLD else client / "src"
        done = subprocess.run(
            [sys.executable, "-c", PRELUDE + textwrap.dedent(program), str(file)],
            env=own | told | {"PYTHONPATH": str(source), "HOME": str(tmp_path)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
        return json.loads(done.stdout.splitlines()[-1])

    return run


BOTH = pytest.mark.parametrize(("client", "base"), [(OLD, ""), (OLD, "/v1"), (NEW, "/v1"), (NEW, "/replicate")],
                               ids=["1.0.7", "1.0.7 with /v1", "2.0.0b4", "2.0.0b4 at the prefix"])  # fmt: skip


@BOTH
def test_a_model_is_run_with_a_file_and_a_file_comes_out(run: Callable[..., Any], client: Path, base: str) -> None:
    """The file goes to `/files`, its link into the input; the wait ends with the clip."""
    output = run(
        client,
        f"""
        with open(picture, "rb") as file:
            tell(str(replicate.run("{I2V}", input={{"prompt": "she turns", "image": file, "resolution": "480p"}})))
        """,
        base,
    )
    assert clip_in(httpx.get(output).raise_for_status().content).seconds == 5


@BOTH
def test_a_run_that_outlasts_its_wait_is_polled_to_its_end(run: Callable[..., Any], client: Path, base: str) -> None:
    output = run(
        client,
        f"""
        done = replicate.run("{SCHNELL}", input={{"prompt": "sleep 2", "num_outputs": 2}}, wait=1)
        tell([str(each) for each in done])
        """,
        base,
    )
    assert [httpx.get(each).headers["content-type"] for each in output] == ["image/png"] * 2


def test_the_old_client_runs_a_version_and_reads_its_schema(run: Callable[..., Any]) -> None:
    output, error = run(
        OLD,
        """
        version = replicate.models.get("stability-ai/sdxl").latest_version
        done = replicate.run(f"stability-ai/sdxl:{version.id}", input={"prompt": "a boat"})
        try:
            replicate.run("stability-ai/sdxl:" + version.id, input={"prompt": "fail refused not today"})
        except replicate.exceptions.ModelError as failed:
            tell([[str(each) for each in done], str(failed)])
        """,
    )
    assert httpx.get(output[0]).headers["content-type"] == "image/png"
    assert error == "not today"


def test_the_old_client_makes_reads_cancels_and_lists_predictions(run: Callable[..., Any]) -> None:
    told = run(
        OLD,
        f"""
        hanging = replicate.models.predictions.create("{SCHNELL}", input={{"prompt": "hang"}})
        while hanging.status == "starting":
            time.sleep(0.05)
            hanging.reload()
        running = hanging.status
        hanging.cancel()
        slow = replicate.deployments.get("{SCHNELL}").predictions.create(input={{"prompt": "sleep 1"}})
        seen = []
        while slow.status not in ("succeeded", "failed", "canceled"):
            slow.reload()
            seen.append(slow.progress.percentage if slow.progress else None)
            time.sleep(0.05)
        listed = replicate.predictions.list()
        tell([running, hanging.status, slow.status, len(set(seen)) > 2, [each.id for each in listed][:2],
              [slow.id, hanging.id]])
        """,
    )
    assert told[:4] == ["processing", "canceled", "succeeded", True]
    assert told[4] == told[5]


def test_the_old_client_looks_around(run: Callable[..., Any]) -> None:
    told = run(
        OLD,
        f"""
        file = replicate.files.create(picture)
        found = [each.id for each in replicate.files.list()]
        gone = replicate.files.delete(file.id)
        model = replicate.models.get("{SCHNELL}")
        try:
            replicate.trainings.create(model="stability-ai/sdxl", version="x", input={{}}, destination="a/b")
        except replicate.exceptions.ReplicateError as error:
            refused = [error.status, error.detail]
        try:
            replicate.webhooks.default.secret()
        except replicate.exceptions.ReplicateError as error:
            secret = [error.status, error.detail]
        schema = model.latest_version.openapi_schema["components"]["schemas"]
        slugs = [each.slug for each in replicate.collections.list()]
        counts = [len(list(things.list())) > 5 for things in (replicate.models, replicate.deployments)]
        tell([file.name, file.id in found, gone, model.name, schema["Output"]["type"],
              [each.name for each in replicate.models.search("enlarged")], counts,
              [each.sku for each in replicate.hardware.list()], replicate.Client().accounts.current().username,
              "text-to-image" in slugs, replicate.collections.get("text-to-image").models[0].name,
              list(replicate.trainings.list()), refused, secret, len(list(model.versions.list()))])
        """,
    )
    assert told[:12] == [
        "a cat.png", True, True, "flux-schnell", "array", ["real-esrgan"], [True, True], ["cpu"], "mutoscope", True,
        "flux-schnell", [],
    ]  # fmt: skip
    refused, secret, versions = told[12:]
    assert refused == [404, "The specified training destination does not exist: nothing on this server trains models."]
    assert secret[0] == 403
    assert "mutoscope webhooks secret" in secret[1]
    assert versions == 0


def test_a_webhook_is_verified_by_the_old_client(run: Callable[..., Any]) -> None:
    told = run(
        OLD,
        f"""
        import threading
        from http.server import BaseHTTPRequestHandler, HTTPServer
        from replicate.webhook import Webhooks, WebhookSigningSecret, InvalidSignatureError

        took = []

        class Receiver(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                took.append((self.path, {{name.lower(): value for name, value in self.headers.items()}}, body))
                self.send_response(200)
                self.end_headers()

        server = HTTPServer(("127.0.0.1", 0), Receiver)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        prediction = replicate.models.predictions.create("{SCHNELL}", input={{"prompt": "a boat"}},
            webhook=f"http://127.0.0.1:{{server.server_port}}/hook?user=7",
            webhook_events_filter=["start", "completed"])
        while len(took) < 2:
            time.sleep(0.05)
        key = WebhookSigningSecret(key="{SECRET}")
        for path, headers, body in took:
            Webhooks.validate(headers=headers, body=body, secret=key, tolerance=60)
            try:
                Webhooks.validate(headers=headers, body=body + " ", secret=key)
            except InvalidSignatureError:
                continue
            raise SystemExit("a changed body passed")
        tell([[path, json.loads(body)["id"] == prediction.id, json.loads(body)["status"]] for path, _, body in took])
        """,
    )
    assert sorted(told) == [["/hook?user=7", True, "processing"], ["/hook?user=7", True, "succeeded"]]


def test_the_new_client_uses_a_model_as_a_function(run: Callable[..., Any]) -> None:
    """It reads the model and its versions first; where there are none it goes by the model's name, without a wait."""
    called, versioned, listed = run(
        NEW,
        f"""
        paint = replicate.use("{SCHNELL}")
        enlarge = replicate.use("nightmareai/real-esrgan")
        called = [str(each) for each in paint(prompt="a boat")]
        with open(picture, "rb") as file:
            versioned = str(enlarge(image=file, scale=2))
        client = replicate.Replicate()
        first = next(iter(client.predictions.list()))
        tell([called, versioned, first.status])
        """,
        "/v1",
    )
    assert len(called) == 1
    assert re.search(r"\.(png|webp|jpg)", called[0])
    assert versioned
    assert listed == "succeeded"


# -- the new client's own tests ----------------------------------------------------------------

SUITES = (
    "test_predictions.py",
    "models/test_predictions.py",
    "deployments/test_predictions.py",
    "models/test_versions.py",
    "models/test_examples.py",
    "models/test_readme.py",
    "test_account.py",
    "test_collections.py",
    "test_hardware.py",
    "test_files.py",
    "test_models.py",
    "test_deployments.py",
    "test_trainings.py",
    "test_client.py",
)
REFUSED = "update or delete or trainings or (test_models and create) or (test_deployments and create) or download"
"""What this server refuses, with a reason, and what goes once: a file is deleted by the first test that does it."""
SKIP = re.compile(r' *@pytest.mark.skip\(reason="Prism [^"]*"\)\n')
RUN = """
import importlib.util, sys, pytest
assert importlib.util.find_spec("replicate").origin.startswith(sys.argv[1])
sys.exit(pytest.main(sys.argv[2:]))
"""


def test_the_new_clients_own_tests_pass(url: str, picture: bytes, tmp_path: Path) -> None:
    """In a copy: without the marks that skip them, and with names that exist in the place of those of a mock server."""
    if not NEW.is_dir():
        pytest.fail(f"{NEW} is missing. `make setup` fetches it; or copy .venv/sdk from a checkout that has it.")
    home = tmp_path / "replicate"
    shutil.copytree(NEW, home)
    with httpx.Client(base_url=url) as client:
        body = {"input": {"prompt": "a boat"}}
        prediction = client.post(f"/v1/models/{SCHNELL}/predictions", json=body).json()["id"]
        file = client.post("/v1/files", files={"content": ("a.png", picture)}).json()["id"]
        version = client.get(f"/v1/models/{SCHNELL}").json()["latest_version"]["id"]
    owner, name = SCHNELL.split("/")
    named = {"prediction_id": prediction, "file_id": file, "version_id": version, "collection_slug": "text-to-image",
             "model_owner": owner, "model_name": name, "deployment_owner": owner, "deployment_name": name}  # fmt: skip
    for suite in SUITES:
        path = home / "tests" / "api_resources" / suite
        text = SKIP.sub("", path.read_text()).replace("https://example.com/my-webhook-handler", f"{url}/nowhere")
        for member, value in named.items():
            text = text.replace(f'{member}="{member}"', f'{member}="{value}"')
        path.write_text(text)
    report = tmp_path / "report.xml"
    options = ["-q", "-n", "0", "-p", "no:cacheprovider", "-k", f"not ({REFUSED})", "--rootdir", str(home)]
    own = {each: text for each, text in os.environ.items() if not each.startswith(("PYTEST_", "REPLICATE_"))}
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(home / "src"), *options, f"--junitxml={report}",
         *(f"tests/api_resources/{suite}" for suite in SUITES)],
        cwd=home,
        env=own | {"PYTHONPATH": str(home / "src"), "TEST_API_BASE_URL": f"{url}/v1"},
        capture_output=True,
        text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    [suite] = ElementTree.parse(report).getroot().iter("testsuite")
    assert int(suite.attrib["skipped"]) == 0
    assert int(suite.attrib["tests"]) >= 440
