"""Strangers' programs that use fal's, Black Forest Labs' and MiniMax's Python clients, unpacked and not installed."""

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tls_front import TRUSTED, Front, front

WHEELS = Path(__file__).resolve().parents[2] / ".venv" / "sdk" / "wheels"
SECONDS = 60.0


@pytest.fixture(scope="module")
def url(serve: Callable[..., str]) -> str:
    return serve("--rehearse", "--allow-private", settings=TRUSTED)


@pytest.fixture
def run(url: str, picture: bytes, tmp_path: Path) -> Callable[..., None]:
    """Run a program, which says itself whether all went well."""
    (tmp_path / "a.png").write_bytes(picture)

    def run(package: str, program: str, **variables: str) -> None:
        if not (WHEELS / package).is_dir():
            pytest.fail(
                f"{WHEELS / package} is missing. `make setup` fetches it from the package registry; "
                "without a registry, copy .venv/sdk from a checkout that has it."
            )
        own = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(WHEELS), "SERVER": url}
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(program)],
            env=own | variables,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]

    return run


@pytest.fixture(scope="module")
def secure(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with front(url, tmp_path_factory.mktemp("front")) as found:
        yield found


def test_fal_client_by_its_two_hosts(secure: Front, run: Callable[..., None]) -> None:
    """It puts https before them, and goes to the addresses that the submission's answer has."""
    host = secure.url.removeprefix("https://")
    run(
        "fal_client",
        """
        import asyncio, fal_client, httpx, os

        app, small = "fal-ai/flux/schnell", {"width": 256, "height": 128}
        wish = {"prompt": "a lake", "image_size": small}
        seen = []
        made = fal_client.subscribe(app, wish, with_logs=True, on_queue_update=seen.append)
        assert (made["images"][0]["width"], made["images"][0]["height"]) == (256, 128)
        assert isinstance(seen[-1], fal_client.Completed)
        assert len(httpx.get(made["images"][0]["url"]).content) > 100
        assert fal_client.run(app, wish)["prompt"] == "a lake"
        # where uploads go are constants, the only ones that are not asked for in the environment
        server = "https://" + os.environ["FAL_RUN_HOST"].partition("/")[0]
        fal_client.client.REST_URL, fal_client.client.CDN_URL = f"{server}/fal/rest", f"{server}/fal/cdn"
        sent = fal_client.SyncClient().upload_file("a.png")
        assert httpx.get(sent).content == open("a.png", "rb").read()
        fal_client.client.MULTIPART_THRESHOLD, fal_client.client.MULTIPART_CHUNK_SIZE = 100, 1000
        parts = fal_client.SyncClient().upload_file("a.png")
        assert httpx.get(parts).content == open("a.png", "rb").read()
        for picture in (sent, parts, fal_client.encode_file("a.png")):
            handle = fal_client.submit("fal-ai/birefnet", {"image_url": picture})
            assert list(handle.iter_events(interval=0.05))
            assert handle.get()["image"]["url"].startswith("https://")
        long = fal_client.submit(app, {"prompt": "sleep 30"})
        assert isinstance(long.status(), (fal_client.Queued, fal_client.InProgress))
        long.cancel()
        try:
            fal_client.run(app, {})
        except fal_client.FalClientHTTPError as error:
            assert error.status_code == 422 and "prompt" in str(error), error
        else:
            raise AssertionError("a run without a prompt")

        async def later():
            handle = await fal_client.submit_async(app, wish)
            return await handle.get()

        assert asyncio.run(later())["images"]
        """,
        FAL_KEY="k",
        FAL_RUN_HOST=f"{host}/fal/run",
        FAL_QUEUE_RUN_HOST=f"{host}/fal/queue",
        SSL_CERT_FILE=str(secure.certificate),
    )


def test_blackforest_makes_a_picture_with_each_of_its_models(run: Callable[..., None]) -> None:
    run(
        "blackforest",
        """
        import base64, os, requests
        from blackforest import BFLClient, BFLError
        from blackforest.resources.mapping.model_input_registry import MODEL_INPUT_REGISTRY
        from blackforest.types.general.client_config import ClientConfig

        client = BFLClient(api_key="k", base_url=os.environ["SERVER"])
        picture = base64.b64encode(open("a.png", "rb").read()).decode()
        needs = {
            "flux-pro-1.0-fill": {"image": picture, "mask": picture},
            "flux-pro-1.0-expand": {"image": picture, "top": 64},
            "flux-pro-1.0-canny": {"control_image": picture},
            "flux-pro-1.0-depth": {"control_image": picture},
            "flux-kontext-pro": {"input_image": "a.png"},
        }
        wait = ClientConfig(sync=True, polling_interval=0.1)
        for model in MODEL_INPUT_REGISTRY:
            made = client.generate(model, {"prompt": "a lake", **needs.get(model, {})}, wait)
            assert len(requests.get(made.result["sample"]).content) > 100, model
        first = client.generate("flux-pro-1.1", {"prompt": "a lake"})
        assert client.get_task_status(first.id).status in ("Pending", "Ready")
        client.clear_polling_urls()  # then it asks at get_result
        assert client.get_polling_result(first.id, wait)["prompt"] == "a lake"
        try:
            BFLClient(api_key="k", base_url=os.environ["SERVER"]).get_task_status("none")
        except BFLError:
            pass
        else:
            raise AssertionError("a task that is none")
        """,
    )


def test_recrafts_command_line_with_what_it_makes_of_a_picture(run: Callable[..., None]) -> None:
    """nbr23-recraft: its address is a constant, and each call that costs has `?billing=api`. It names files by how the
    ids of pictures begin."""
    run(
        "nbr23_recraft-0.4.0.dist-info",
        """
        import os, recraft
        from pathlib import Path
        from PIL import Image

        recraft.BASE_URL = os.environ["SERVER"] + "/recraft"
        Image.new("L", (640, 360), 0).save("mask.png")
        mask = Image.open("mask.png")
        mask.paste(255, (100, 100, 200, 200))
        mask.save("mask.png")
        for number, words in enumerate((
            ["generate", "a red bicycle", "--style", "realistic_image", "--model", "recraftv3"],
            ["generate", "a red bicycle", "--vector"],
            ["edit", "a.png", "at night", "--strength", "0.4"],
            ["inpaint", "a.png", "a table", "--mask", "mask.png"],
            ["outpaint", "a.png", "--expand-right", "100"],
            ["variate", "a.png", "--size", "1024x1024", "-n", "2"],
            ["erase", "a.png", "--mask", "mask.png"],
            ["replace-bg", "a.png", "on marble"],
            ["remove-bg", "a.png"],
            ["vectorize", "a.png"],
            ["upscale", "a.png"],
        )):
            folder = Path(f"made{number}")
            folder.mkdir()
            assert recraft.main([*words, "-o", f"{folder}/"]) == 0, words
            made = list(folder.iterdir())
            assert len(made) == (2 if "-n" in words else 1) and all(each.stat().st_size > 100 for each in made), words
        for words in (["balance"], ["my-styles"], ["create-style", "a.png", "--base-style", "icon"]):
            assert recraft.main(words) == 0, words
        assert recraft.main(["delete-style", "no-such-style"]) == 1
        """,
        RECRAFT_API_TOKEN="k",
    )


def test_the_minimax_client_of_2024(run: Callable[..., None]) -> None:
    """It sends a group's id, which is of no use here, and knows four words for how a task stands."""
    run(
        "minimax",
        """
        import os
        from minimax import Minimax

        Minimax.BASE_URL = os.environ["SERVER"] + "/v1"
        with Minimax(api_key="k", group_id="1") as client:
            client.poll_interval = 0.05
            for wish in ({"text": "a lake"}, {"text": "it moves", "image": "a.png"}):
                path = client.generate_video(**wish, download_path="made.mp4")
                assert b"ftyp" in open(path, "rb").read(16)
        """,
    )


def test_header_creator_by_ideograms_first_paths(run: Callable[..., None]) -> None:
    """Its address is a constant, so that what it sends is led here."""
    run(
        "header_creator",
        """
        import os, requests
        from PIL import Image
        from header_creator import core

        here, post = os.environ["SERVER"] + "/ideogram", requests.post
        requests.post = lambda url, **what: post(url.replace("https://api.ideogram.ai", here), **what)
        Image.new("RGB", (1500, 500), "white").save("mask.png")
        assert core.create_header("a lake", "made.png", "mask.png", "header.png", api_key="k")
        assert Image.open("made.png").size == Image.open("header.png").size == (1312, 736)
        """,
    )


def test_freepiks_mcp_server_makes_a_picture_by_mystic(run: Callable[..., None]) -> None:
    """Its other tools come of a description in a bucket of Google's; this one is code, with a constant address."""
    run(
        "iflow_mcp_freepik_company_freepik_mcp",
        """
        import asyncio, os, sys, types
        import httpx

        sys.modules["fastmcp"] = types.SimpleNamespace(Context=object, FastMCP=object)  # named in annotations
        from iflow_mcp_freepik_company_freepik_mcp.domain.config import ApiConfig
        from iflow_mcp_freepik_company_freepik_mcp.infrastructure.mystic_service import MysticService

        class Context:
            async def told(self, *words, **more): ...
            debug = info = warning = error = report_progress = told

        here = ApiConfig(base_url=os.environ["SERVER"], api_key="k", timeout=15.0)
        ApiConfig.from_environment = classmethod(lambda cls: here)
        made = asyncio.run(
            MysticService().generate_image_with_polling({"prompt": "a lake"}, Context(), poll_interval=0.05)
        )
        assert made["status"] == "COMPLETED" and len(httpx.get(made["generated"][0]).content) > 100
        """,
    )
