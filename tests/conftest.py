"""What the tests share: a whole mutoscope in process, with its data in a temporary directory."""

import io
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck
from hypothesis import settings as examples
from PIL import Image

from local_settings import settings
from mutoscope import app as app_module
from mutoscope.app import App
from mutoscope.store import SqlStore, make_store
from mutoscope.telemetry import logs
from postgres_server import server
from running import Running
from s3 import S3, served

logs.configure("error")  # plain lines: structlog's own tracebacks with all their locals take seconds


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--store",
        choices=("sqlite", "postgres"),
        default="sqlite",
        help="where each mutoscope in process keeps its jobs",
    )
    parser.addoption("--long", action="store_true", help="look for what is wrong at random, and for longer")


def pytest_configure(config: pytest.Config) -> None:
    """The same examples in each run, so that a change is not blamed for what chance finds; others with --long."""
    long = bool(config.getoption("--long"))
    examples.register_profile(
        "mutoscope",
        derandomize=not long,
        database=None,
        print_blob=long,
        deadline=None,  # no test needs an idle machine
        suppress_health_check=[HealthCheck.too_slow],
    )
    examples.load_profile("mutoscope")


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., AbstractAsyncContextManager[Running]]:
    """Start a mutoscope: `async with start(rehearsal=True, limits={...}) as running`. The data stay between starts."""

    @asynccontextmanager
    async def run(*, rehearsal: bool = False, data: Path | None = None, **sections: object) -> AsyncIterator[Running]:
        app = App(settings(**sections), data=data or tmp_path / "data", rehearsal=rehearsal)
        transport = httpx.ASGITransport(app.server)
        async with app.running(), httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as client:
            yield Running(app, client)

    return run


@pytest.fixture(scope="session")
def s3() -> Iterator[S3]:
    """A server that speaks S3."""
    with served() as server:
        yield server


@pytest.fixture(autouse=True)
def store_of_choice(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--store") == "postgres":
        if request.node.get_closest_marker("alone"):
            pytest.skip("of a process that is alone with its database: others of a fleet go on meanwhile")
        request.getfixturevalue("on_postgres")


@pytest.fixture
def on_postgres(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each mutoscope but a vendor has its store in PostgreSQL, in a database for its data directory."""
    urls = server().urls = {}

    def make(_url: str, file: Path) -> SqlStore:
        folder = file.parent
        if folder.name == "vendor":
            return make_store("", file)
        if folder not in urls:  # the first has the one that is at hand
            urls[folder] = server().fresh() if urls else server().of(folder)
        return make_store(urls[folder], file)

    monkeypatch.setattr(app_module, "make_store", make)


@pytest.fixture
def picture() -> bytes:
    """A small PNG with something to see."""
    file = io.BytesIO()
    gradient = Image.linear_gradient("L").resize((640, 360))
    Image.merge("RGB", (gradient, gradient.rotate(180), gradient.transpose(Image.Transpose.FLIP_LEFT_RIGHT))).save(
        file, "PNG"
    )
    return file.getvalue()
