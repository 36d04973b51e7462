"""The console in a browser: a real server, Debian's Chromium, one page after the other."""

import contextlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from runwayml import RunwayML

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
REQUIRED = bool(os.environ.get("CHROMIUM_REQUIRED"))
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
HOSTILE = '<img src=x onerror="document.title=1">"><script>document.title=2</script> a cat'
PATHS = (
    "/", "/console/gallery", "/console/playground", "/console/deliveries", "/console/models?vendor=runway",
    "/console/vendors", "/console/spend", "/console/keys", "/console/rehearsals", "/console/storage",
)  # fmt: skip
WATCH = """window.broken = []; addEventListener("securitypolicyviolation", (e) => broken.push(e.violatedDirective));"""
RUNWAY = {"X-Runway-Version": "2024-11-06"}
SLOW = 20_000  # milliseconds: a busy machine

pytestmark = pytest.mark.skipif(not CHROMIUM and not REQUIRED, reason="needs Chromium: apt install chromium")


class Site:
    """A server that rehearses, with a client of it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx.Client(base_url=url, headers=RUNWAY, timeout=30)

    def make(self, prompt: str, *, clip: bool = False, **headers: str) -> str:
        """The id of a job."""
        wish: dict[str, Any] = {"promptText": prompt, "ratio": "1280:720"}
        wish |= {"model": "gen4.5", "duration": 2} if clip else {"model": "gen4_image"}
        path = "/v1/text_to_video" if clip else "/v1/text_to_image"
        answer = self.http.post(path, json=wish, headers=headers)
        assert answer.status_code == 200, answer.text
        return self.http.get(f"/admin/jobs/{answer.json()['id']}").json()["job"]["id"]

    def ended(self, id: str) -> dict[str, Any]:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            told = self.http.get(f"/admin/jobs/{id}").json()
            if told["job"]["final"]:
                return told
            time.sleep(0.05)
        raise AssertionError(f"job {id} does not end")


@pytest.fixture(scope="module")
def site(serve: Callable[..., str]) -> Iterator[Site]:
    site = Site(serve("--rehearse", "--allow-private"))
    yield site
    site.http.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert CHROMIUM, "Chromium is required here (CHROMIUM_REQUIRED) and absent"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(SLOW)
    context.add_init_script(WATCH)
    yield context
    context.close()


@contextlib.contextmanager
def opened(context: BrowserContext, url: str) -> Iterator[Page]:
    """A page, of which it is checked in the end that nothing in it broke."""
    page, said = context.new_page(), list[str]()
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("requestfailed", lambda request: said.append(request.url) if "/console/static" in request.url else None)
    try:
        page.goto(url)
        yield page
        said += page.evaluate("window.broken")
        assert said == []  # before it closes, which breaks off what is on its way
    finally:
        page.close()


def test_a_job_of_an_sdk_appears_in_the_open_gallery_and_its_clip_plays(site: Site, context: BrowserContext) -> None:
    with opened(context, f"{site.url}/") as page:
        page.get_by_role("link", name="Gallery").first.click()
        gallery = page.locator("#gallery")
        gallery.wait_for()
        page.evaluate("window.before = true")
        with RunwayML(api_key="any", base_url=site.url) as sdk:
            made = sdk.text_to_video.create(
                model="gen4.5", prompt_text="sleep 0.3; a boat", ratio="1280:720", duration=2
            )
        tile = gallery.locator(".tile", has_text="sleep 0.3; a boat")
        expect(tile.locator(".state[data-state=succeeded]")).to_be_visible(timeout=SLOW)
        assert page.evaluate("window.before") is True  # it is the same page
        video = tile.locator("video")
        tile.hover()
        page.wait_for_function("v => v.currentTime > 0.2 && !v.paused", arg=video.element_handle())
        page.mouse.move(0, 0)
        tile.locator("a").click()
        page.wait_for_url("**/console/jobs/*")
        expect(page.locator("h1")).to_have_text("Text to video")
        expect(page.locator(".lead")).to_contain_text(made.id)
        player = page.locator(".stage video")
        player.evaluate("v => { v.muted = true; return v.play(); }")
        page.wait_for_function("v => v.currentTime > 0.2", arg=player.element_handle())
        for view in ("As understood", "As sent", "As answered"):
            page.get_by_text(view, exact=True).first.click()
            expect(page.locator(".tabs").first.locator(".panel:visible")).to_have_count(1)
        expect(page.locator(".panel:visible").first).to_contain_text('"SUCCEEDED"')
        page.locator("label", has_text="pytest").click()
        expect(page.locator("pre", has_text="def test_runway_text_to_video(mutoscope)")).to_be_visible()


def test_a_running_job_moves_on_its_open_page(site: Site, context: BrowserContext) -> None:
    id = site.make("sleep 1.5")
    with opened(context, f"{site.url}/console/jobs/{id}") as page:
        expect(page.get_by_role("button", name="Run again")).to_have_count(0)
        expect(page.locator(".stage img")).to_be_visible(timeout=SLOW)
        expect(page.locator(".story li[data-what=succeeded]")).to_be_visible()


def test_a_prompt_is_text_on_every_page_and_nothing_breaks_on_any(site: Site, context: BrowserContext) -> None:
    received = site.url + site.http.get("/admin/received").json()["path"]
    id = site.make(HOSTILE, **{"x-mutoscope-webhook": received})
    failed = site.make(f"fail refused {HOSTILE}")
    message = site.ended(id)["deliveries"][0]["id"]
    assert site.ended(failed)["job"]["state"] == "failed"
    for path in (*PATHS, f"/console/jobs/{id}", f"/console/jobs/{failed}", f"/console/deliveries/{message}",
                 f"/console/compare?job={id}&job={id}"):  # fmt: skip
        with opened(context, site.url + path) as page:
            if "playground" in path:
                page.wait_for_selector("[data-ready]")
            assert page.title().endswith("· mutoscope"), path
            assert page.locator("img[src=x]").count() == 0
            if path in ("/", "/console/gallery", f"/console/jobs/{id}"):
                expect(page.get_by_text("<img src=x").first).to_be_attached()


def test_axe_finds_nothing_serious_on_any_page_in_either_theme(site: Site, browser: Browser) -> None:
    id = site.make("an accessible cat", **{"x-mutoscope-webhook": f"{site.url}/nowhere"})
    site.ended(id)
    axe, found = Axe(), list[str]()
    for scheme in ("light", "dark"):
        context = browser.new_context(color_scheme=scheme, reduced_motion="reduce")
        context.set_default_timeout(SLOW)
        page = context.new_page()
        for path in (*PATHS, f"/console/jobs/{id}", f"/console/jobs/{id}/provenance", "/console/sign-in"):
            page.goto(site.url + path)
            if "playground" in path:
                page.wait_for_selector("[data-ready]")
                page.wait_for_selector("#understood pre")
            result = axe.run(page, options={"resultTypes": ["violations"]})
            for each in result.response["violations"]:
                if each["impact"] in ("serious", "critical"):
                    where = [node["target"] for node in each["nodes"][:3]]
                    found.append(f"{scheme} {path}: {each['id']} at {where}")
        context.close()
    assert found == []


def test_the_form_of_the_playground_makes_the_body_that_the_sdk_makes(site: Site, context: BrowserContext) -> None:
    bodies: list[dict[str, Any]] = []

    class Vendor(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(b'{"id": "17f20503-6c24-4c16-946b-35dbbce2af2f"}')

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Vendor) as server:
        thread = Thread(target=server.handle_request)
        thread.start()
        with RunwayML(api_key="any", base_url=f"http://127.0.0.1:{server.server_port}") as sdk:
            sdk.text_to_image.create(model="gen4_image", prompt_text="a red fox", ratio="1920:1080", seed=7)
        thread.join()
    with opened(context, f"{site.url}/console/playground?wire=runway") as page:
        page.wait_for_selector("[data-ready]")
        page.get_by_label("promptText").fill("a red fox")
        page.locator("#fields [name=ratio]").select_option(label="1920:1080")
        page.get_by_text("more fields").click()
        page.get_by_role("spinbutton", name="seed").fill("7")
        expect(page.locator("#bill")).to_contain_text("May cost 8 credits")
        assert json.loads(page.locator("#json").input_value()) == bodies[0]
        with page.expect_request("**/admin/submit") as asked:
            page.get_by_role("button", name="Send").click()
        assert asked.value.post_data_json["body"] == bodies[0]
        expect(page.locator("#gallery .tile .state[data-state=succeeded]")).to_be_visible(timeout=SLOW)
        page.locator("#json").fill('{"model": "gen4_image", "promptText": "from JSON", "ratio": "1024:1024"}')
        expect(page.get_by_label("promptText")).to_have_value("from JSON")
        page.click("#translate")
        expect(page.locator("#others summary", has_text="Freepik")).to_be_visible()


def test_a_replay_adds_an_attempt_and_a_signature_is_verified(site: Site, context: BrowserContext) -> None:
    received = site.http.get("/admin/received").json()
    id = site.make("told", **{"x-mutoscope-webhook": site.url + received["path"]})
    site.ended(id)
    with opened(context, f"{site.url}/console/jobs/{id}") as page:
        page.locator("a[href^='/console/deliveries/msg_']").first.click()
        page.wait_for_url("**/console/deliveries/*")
        attempts = page.locator("#attempts tbody tr")
        expect(attempts).to_have_count(1)
        page.get_by_role("button", name="Replay").click()
        expect(attempts).to_have_count(2, timeout=SLOW)
        page.goto(f"{site.url}/console/deliveries")
        expect(page.locator("#received details").first).to_be_visible()
        arrived = site.http.get("/admin/received").json()["received"][0]
        for name in ("id", "timestamp", "signature"):
            page.get_by_label(f"webhook-{name}").fill(arrived["headers"][f"webhook-{name}"])
        raw = site.http.get(f"/admin/jobs/{id}").json()
        assert raw["webhook"]
        page.get_by_label("Body, exactly as it came").fill("{}")
        page.get_by_role("button", name="Verify").click()
        expect(page.locator("output.bad")).to_contain_text("No signature matches")


def test_the_main_paths_go_by_the_keyboard_alone(site: Site, context: BrowserContext) -> None:
    id = site.make("by keys")
    site.ended(id)
    with opened(context, f"{site.url}/console/gallery") as page:
        page.keyboard.press("Tab")
        expect(page.locator(".skip")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("#main")).to_be_focused()
        for _ in range(30):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.closest('.tile')?.dataset.id") == id:
                break
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/console/jobs/{id}")
        page.locator("input[name=view]").first.focus()
        page.keyboard.press("ArrowRight")
        expect(page.locator(".panel:visible").first).to_contain_text("As understood")
        page.get_by_role("button", name="Delete").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("dialog")).to_be_visible()
        expect(page.get_by_role("button", name="No")).to_be_focused()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        assert site.http.get(f"/admin/jobs/{id}").status_code == 200


def test_a_fault_by_a_button_is_met_by_the_next_client(site: Site, context: BrowserContext) -> None:
    with opened(context, f"{site.url}/console/rehearsals") as page:
        page.get_by_role("button", name="Refuse the next one").click()
        expect(page.locator("table tbody tr")).to_have_count(1)
        wish = {"model": "gen4_image", "promptText": "x", "ratio": "1280:720"}
        statuses = [site.http.post("/v1/text_to_image", json=wish).status_code for _ in range(2)]
    assert statuses[0] >= 400, statuses
    assert statuses[1] == 200


def test_it_reads_without_javascript(site: Site, browser: Browser) -> None:
    id = site.make("still here")
    site.ended(id)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site.url}/console/gallery?state=succeeded")
    page.get_by_role("link", name="still here").click()
    expect(page.locator(".stage img")).to_be_visible(timeout=SLOW)
    page.get_by_text("As understood", exact=True).first.click()
    expect(page.locator(".panel:visible").first).to_contain_text('"still here"')
    assert page.get_by_role("button", name="Run again").count() == 0
    context.close()
