"""Takes the pictures of the console in docs/pictures/: every page, light and dark, of a server with something to show.

    .venv/bin/python docs/make_console.py [FOLDER]

It needs Chromium (Debian: apt install chromium).
"""

import asyncio
import contextlib
import shutil
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import uvicorn
from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from mutoscope.app import App
from mutoscope.model.config import Settings
from mutoscope.telemetry import logs

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
WIDE, PHONE = {"width": 1360, "height": 900}, {"width": 390, "height": 844}
RUNWAY = {"X-Runway-Version": "2024-11-06"}
WISHES = (
    "A lighthouse on a cliff in a storm, waves against the rocks",
    "A red fox walks through a birch forest in the snow",
    "A quiet harbour at dusk, lanterns on the water",
    "Mountains above a sea of fog at sunrise",
    "A city street in the rain, neon signs, umbrellas",
    "A field of poppies under a wide blue sky",
    "The rings of a planet seen from a small moon",
    "A sailing boat far out at noon",
)
PAGES = (
    ("overview", "/"), ("gallery", "/console/gallery"), ("job", "/console/jobs/{clip}"),
    ("playground", "/console/playground"), ("deliveries", "/console/deliveries"), ("spend", "/console/spend"),
    ("models", "/console/models"), ("vendors", "/console/vendors"), ("keys", "/console/keys"),
    ("rehearsals", "/console/rehearsals"), ("storage", "/console/storage"),
    ("compare", "/console/compare?job={clip}&job={other}"),
)  # fmt: skip


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data, serving(Path(data)) as base, sync_playwright() as playwright:
        shown = fill(base)
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        for scheme in ("light", "dark"):
            for name, path in PAGES:
                take(browser, base + path.format(**shown), folder / f"console-{name}-{scheme}.webp", scheme, WIDE)
        for name in ("gallery", "job"):
            path = dict(PAGES)[name].format(**shown)
            take(browser, base + path, folder / f"console-{name}-phone.webp", "light", PHONE)
        browser.close()


def take(browser: Browser, url: str, path: Path, scheme: str, viewport: dict[str, int]) -> None:
    page = browser.new_page(viewport=viewport, color_scheme=scheme, reduced_motion="reduce")
    page.goto(url, wait_until="load")
    if "playground" in url:
        page.wait_for_selector("[data-ready]")
        page.wait_for_selector("#understood pre")
        page.click("#translate")
        page.wait_for_selector("#others details")
    page.wait_for_timeout(400)
    shot = path.with_suffix(".png")
    page.screenshot(path=shot)
    page.close()
    with Image.open(shot) as image:
        image.convert("RGB").save(path, quality=74, method=6)
    shot.unlink()


@contextlib.contextmanager
def serving(data: Path) -> Iterator[str]:
    """A server with the built-in renderer in a thread, and its address."""
    logs.configure("error")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = msgspec.convert({"net": {"allow_private": True}}, Settings)
    app = App(settings, data=data)
    server = uvicorn.Server(uvicorn.Config(app.server, port=port, log_level="error", lifespan="on"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(30)


def fill(base: str) -> dict[str, str]:
    """Pictures, a clip and a failure, with webhooks to the console's own receiver. Returns ids by what they are."""
    with httpx.Client(base_url=base, headers=RUNWAY, timeout=60) as client:
        receiver = base + client.get("/admin/received").json()["path"]
        hook = {"x-mutoscope-webhook": receiver}
        for place, text in enumerate(WISHES):
            size = ("1280:720", "1360:768")[place % 2]
            wish = {"model": "gen4_image", "promptText": text, "ratio": size, "seed": place}
            client.post("/v1/text_to_image", json=wish, headers=hook if place % 3 == 0 else {}).raise_for_status()
        made = []
        for text in WISHES[:2]:
            wish = {"model": "gen4.5", "promptText": text, "ratio": "1280:720", "duration": 2, "seed": 7}
            answer = client.post("/v1/text_to_video", json=wish, headers=hook)
            made.append(answer.raise_for_status().json()["id"])
        wish = {"model": "gen4_image", "promptText": "a picture", "ratio": "1280:720",
                "referenceImages": [{"uri": "https://nowhere.invalid/picture.png", "tag": "abc"}]}  # fmt: skip
        client.post("/v1/text_to_image", json=wish)
        client.post("/v1/ai/text-to-image/runway", json={"prompt": WISHES[3], "ratio": "1280:720"})
        deadline = time.monotonic() + 240
        while time.monotonic() < deadline:
            counts = client.get("/admin/overview").json()["jobs"]
            if not counts["queued"] + counts["running"]:
                break
            time.sleep(1)
        while time.monotonic() < deadline:  # the clips' posters are drawn some seconds later
            shown = [job["media"] for job in client.get("/admin/jobs").json()["jobs"] if job["media"]]
            if all("poster" in file for file in shown if file["kind"] == "video"):
                break
            time.sleep(1)
        ours = [client.get(f"/admin/jobs/{id}").json()["job"]["id"] for id in made]
    return {"clip": ours[0], "other": ours[1]}


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "pictures")
