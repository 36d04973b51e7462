"""The proxy of Midjourney in front: its bodies, answers, buttons and dialogs, in process and over the application."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from mutoscope.model.http import HttpRequest
from mutoscope.model.job import Failure, Generation, Job, Operation, Output, Role, State
from mutoscope.model.problem import Kind, Problem
from mutoscope.model.requests import Submission
from mutoscope.service.keys import digest
from mutoscope.wirekit.routes import Create
from mutoscope.wires import ROWS
from mutoscope.wires.midjourney.api import WIRE, task
from mutoscope.wires.midjourney.buttons import answered, buttons_of, pressed
from mutoscope.wires.midjourney.ids import public_id

Start = Callable[..., Any]
SCRIPTED: dict[str, Any] = {"models": {row.name: {"engine": "script"} for row in ROWS if row.vendor == "midjourney"}}
ID = "01a1b2c3-d4e5-7678-9abc-def012345678"
PICTURE = "https://files.example/a.png"


def route_of(path: str) -> Any:
    return next(route for route in WIRE.routes if route.path == f"/mj/{path}")


def parse(path: str, body: dict[str, Any], mount: str = "") -> Submission:
    route = route_of(path)
    assert isinstance(route, Create)
    return route.parse(HttpRequest(method="POST", path=f"{mount}/mj/{path}", body=json.dumps(body).encode()))


def imagined(prompt: str, mount: str = "", **more: Any) -> Generation:
    return parse("submit/imagine", {"prompt": prompt} | more, mount).generation


def refused(path: str, body: dict[str, Any]) -> tuple[int, Any]:
    with pytest.raises(Problem) as caught:
        parse(path, body)
    answer = WIRE.render_problem(caught.value, HttpRequest(method="POST", path=f"/mj/{path}"))
    return answer.status, json.loads(answer.body)


def inline(data: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(data).decode()}"


def file(n: int, side: int = 64) -> Output:
    url = f"https://h.example/{n}.png"
    return Output(id=str(n), media_type="image/png", asset=str(n), url=url, width=side, height=side)


GRID = (file(0, 128), *(file(n) for n in range(1, 5)))


def done(operation: Operation = Operation.TEXT_TO_IMAGE, **changes: Any) -> Job:
    """A task that has ended well; a grid of four unless something else is said."""
    wish = Generation(operation=operation, model="midjourney", prompt="a lighthouse", count=4, extra={"grid": True})
    values: dict[str, Any] = {
        "id": ID,
        "wire": "midjourney",
        "route": "",
        "owner": "",
        "engine": "script",
        "generation": wish,
        "state": State.SUCCEEDED,
        "outputs": GRID,
        "body": b'{"prompt":"a lighthouse --v 7","state":"order-7"}',
        "created": 1_790_000_000.5,
        "started": 1_790_000_001.0,
        "finished": 1_790_000_009.0,
    }
    return Job(**values | changes)


def single(**changes: Any) -> Job:
    """One picture, as `U2` leaves it."""
    given = Generation(operation=Operation.IMAGE_UPSCALE, model="midjourney", width=64, height=64)
    return done(**{"generation": given, "outputs": (file(2),)} | changes)


def labelled(job: Job, label: str) -> str:
    return next(each.custom_id for each in buttons_of(job) if label in (each.label, each.emoji))


def press(job: Job, label: str, **said: Any) -> Submission:
    return pressed(job, labelled(job, label), "customId", said)


# -- prompts -----------------------------------------------------------------------------------------


def test_a_prompt_makes_four_pictures_and_one_that_shows_them_all() -> None:
    wish = imagined("  a lighthouse ")
    assert (wish.operation, wish.model, wish.prompt) == (Operation.TEXT_TO_IMAGE, "MID_JOURNEY", "a lighthouse")
    assert (wish.count, wish.extra) == (4, {"grid": True})


def test_flags_behind_a_prompt_are_heeded_and_the_vendors_own_are_kept() -> None:
    wish = imagined("a fox --ar 16:9 --no trees, rain --seed 7 --v 7 --turbo —s 250")
    assert (wish.prompt, wish.negative_prompt, wish.seed) == ("a fox", "trees, rain", 7)
    assert (wish.width, wish.height) == (1456, 816)
    assert wish.extra == {"grid": True, "mode": "TURBO", "flags": "--v 7 --s 250"}


@pytest.mark.parametrize(
    ("prompt", "why"),
    [
        (" ", "is required"),
        ("--ar 1:1", "is required"),
        ("x --ar wide", "--ar should be a shape"),
        ("x --ar 1:99", "--ar should be a shape"),
        ("x --seed 4294967296", "--seed should be a number"),
        ("x --seed " + "1" * 6000, "--seed should be a number"),
        ("x --seed -1", "--seed should be a number"),
    ],
)
def test_a_prompt_that_is_none_is_refused_with_what_would_be_right(prompt: str, why: str) -> None:
    status, said = refused("submit/imagine", {"prompt": prompt})
    assert (status, said["code"], said["type"]) == (400, 4, "upstream_error")
    assert said["description"].startswith("prompt: ") and why in said["description"]


def test_pictures_in_front_of_a_prompt_and_inline_are_references() -> None:
    wish = imagined(f"{PICTURE} a fox", base64Array=[inline(b"x" * 20)])
    assert wish.operation is Operation.IMAGE_TO_IMAGE
    assert wish.prompt == "a fox"
    assert [(each.role, each.url, each.data) for each in wish.inputs] == [
        (Role.REFERENCE, None, b"x" * 20),
        (Role.REFERENCE, PICTURE, None),
    ]
    assert imagined("a fox", base64=inline(b"y" * 20)).inputs[0].data == b"y" * 20


@pytest.mark.parametrize(
    ("mount", "body", "mode"),
    [
        ("", {}, None),
        ("/mj-fast", {}, "FAST"),
        ("/relax", {}, "RELAX"),
        ("/mj-turbo", {"accountFilter": {"modes": ["RELAX"]}}, "TURBO"),
        ("", {"accountFilter": {"modes": ["RELAX", "FAST"]}}, "RELAX"),
    ],
)
def test_the_path_then_the_filter_then_the_flag_say_how_fast(mount: str, body: dict[str, Any], mode: str) -> None:
    assert imagined("x", mount, **body).extra.get("mode") == mode
    assert imagined("x --fast", mount, **body).extra["mode"] == (mode or "FAST")


def test_the_bot_is_the_model() -> None:
    assert imagined("x", botType="niji").model == "niji"
    assert refused("submit/imagine", {"prompt": "x", "botType": "DALL_E"})[1]["description"].startswith("botType: ")


# -- the other submissions ------------------------------------------------------------------------------


def test_two_to_five_pictures_are_blended_in_one_of_three_shapes() -> None:
    wish = parse("submit/blend", {"base64Array": [inline(b"x" * 20)] * 2, "dimensions": "PORTRAIT"}).generation
    assert (wish.operation, wish.width, wish.height) == (Operation.IMAGE_BLEND, 896, 1344)
    assert [each.role for each in wish.inputs] == [Role.IMAGE, Role.IMAGE]
    for count in (1, 6):
        assert refused("submit/blend", {"base64Array": [inline(b"x")] * count})[1]["description"].startswith(
            "base64Arr"
        )


def test_a_picture_is_described_by_its_link_or_inline() -> None:
    for body in ({"link": PICTURE}, {"base64": inline(b"x" * 20), "language": "zh"}):
        wish = parse("submit/describe", body).generation
        assert (wish.operation, wish.count, wish.inputs[0].role) == (Operation.IMAGE_TO_TEXT, 4, Role.IMAGE)
    assert refused("submit/describe", {})[1]["description"] == "base64 or link: is required"


def test_a_prompt_is_shortened() -> None:
    wish = parse("submit/shorten", {"prompt": "a very long prompt --ar 16:9"}).generation
    assert (wish.operation, wish.extra["task"]) == (Operation.TEXT_TO_TEXT, "shorten")
    assert wish.prompt == "a very long prompt --ar 16:9"


# -- tasks ----------------------------------------------------------------------------------------------


def test_a_task_has_its_times_in_milliseconds_its_grid_its_four_and_its_buttons() -> None:
    said = json.loads(route_of("task/{id}/fetch").render(done(), HttpRequest(method="GET", path="/")).body)
    assert said["id"] == public_id(ID) and said["id"].isdigit() and said["id"].startswith("1794")
    assert (said["action"], said["status"], said["progress"]) == ("IMAGINE", "SUCCESS", "100%")
    assert (said["submitTime"], said["startTime"], said["finishTime"]) == (1790000000500, 1790000001000, 1790000009000)
    assert said["prompt"] == said["promptEn"] == "a lighthouse --v 7"
    assert (said["description"], said["state"]) == ("/imagine a lighthouse --v 7", "order-7")
    assert said["imageUrl"] == "https://h.example/0.png"
    assert [each["url"] for each in said["imageUrls"]] == [f"https://h.example/{n}.png" for n in range(1, 5)]
    assert (said["failReason"], said["botType"]) == (None, "MID_JOURNEY")
    assert [each["label"] or each["emoji"] for each in said["buttons"]] == [
        *("U1", "U2", "U3", "U4"),
        "🔄",
        *("V1", "V2", "V3", "V4"),
    ]
    assert said["buttons"][0]["customId"].startswith("MJ::JOB::upsample::1::")


@pytest.mark.parametrize(
    ("state", "status", "progress"),
    [
        (State.QUEUED, "NOT_START", "0%"),
        (State.RUNNING, "IN_PROGRESS", "46%"),
        (State.FAILED, "FAILURE", ""),
        (State.CANCELED, "FAILURE", ""),
    ],
)
def test_a_task_that_is_not_done_shows_no_buttons(state: State, status: str, progress: str) -> None:
    failure = Failure(kind=Kind.ENGINE_FAILED, message="no luck") if state is State.FAILED else None
    share = 0.46 if state is State.RUNNING else None
    said = task(done(state=state, outputs=(), failure=failure, progress=share))
    assert (said.status, said.progress, said.buttons) == (status, progress, [])
    assert said.fail_reason == {State.FAILED: "no luck", State.CANCELED: "The task was canceled."}.get(state)


def test_descriptions_are_numbered_lines_with_a_button_each() -> None:
    words = tuple(Output(id=str(n), media_type="text/plain", text=f"line {n}") for n in range(1, 5))
    wish = Generation(operation=Operation.IMAGE_TO_TEXT, model="niji", count=4)
    job = done(generation=wish, outputs=words, body=b"{}")
    said = task(job)
    assert said.properties["finalPrompt"] == "1️⃣ line 1\n\n2️⃣ line 2\n\n3️⃣ line 3\n\n4️⃣ line 4"
    assert (said.action, said.bot_type, said.image_url) == ("DESCRIBE", "NIJI_JOURNEY", None)
    third = pressed(job, "MJ::Job::PicReader::3", "customId", {}).generation
    assert (third.operation, third.prompt, third.count) == (Operation.TEXT_TO_IMAGE, "line 3", 4)
    assert pressed(job, "MJ::Picread::Retry", "customId", {}).generation.operation is Operation.IMAGE_TO_TEXT


def test_an_id_is_digits_and_leads_back() -> None:
    assert WIRE.job_id(public_id(ID)) == ID
    assert WIRE.job_id("9" * 36) is None


# -- buttons --------------------------------------------------------------------------------------------


def test_u_takes_the_picture_as_it_is() -> None:
    made = press(done(), "U2")
    wish, [given] = made.generation, made.generation.inputs
    assert (wish.operation, wish.width, wish.height) == (Operation.IMAGE_UPSCALE, 64, 64)
    assert (given.role, given.output_of, given.output) == (Role.IMAGE, public_id(ID), 2)
    assert json.loads(made.body or b"")["action"] == "UPSCALE"


def test_the_four_stand_first_where_nothing_shows_them_all() -> None:
    assert press(done(outputs=GRID[1:]), "U2").generation.inputs[0].output == 1


def test_v_varies_the_picture_by_the_same_words() -> None:
    made = press(done(), "V3")
    wish = made.generation
    assert (wish.operation, wish.prompt, wish.count) == (Operation.IMAGE_TO_IMAGE, "a lighthouse", 4)
    assert wish.extra == {"grid": True, "strength": 0.5}
    assert wish.inputs[0].output == 3
    assert json.loads(made.body or b"")["prompt"] == "a lighthouse --v 7"


def test_reroll_is_the_same_wish_with_another_seed() -> None:
    old = replace(done().generation, seed=5, width=64)
    made = press(done(generation=old), "🔄")
    assert made.generation == replace(old, seed=None)


@pytest.mark.parametrize(
    ("label", "operation", "extra"),
    [
        ("Zoom Out 2x", Operation.IMAGE_OUTPAINT, {"grid": True, "zoom": 2.0}),
        ("Zoom Out 1.5x", Operation.IMAGE_OUTPAINT, {"grid": True, "zoom": 1.5}),
        ("⬅️", Operation.IMAGE_OUTPAINT, {"grid": True, "left": 32}),
        ("⬇️", Operation.IMAGE_OUTPAINT, {"grid": True, "down": 32}),
        ("Vary (Strong)", Operation.IMAGE_TO_IMAGE, {"grid": True, "strength": 0.8}),
        ("Vary (Subtle)", Operation.IMAGE_TO_IMAGE, {"grid": True, "strength": 0.3}),
        ("Upscale (Subtle)", Operation.IMAGE_UPSCALE, {"scale": 2}),
    ],
)
def test_a_single_picture_is_widened_varied_and_enlarged(
    label: str, operation: Operation, extra: dict[str, Any]
) -> None:
    made = press(single(), label)
    assert (made.generation.operation, made.generation.extra) == (operation, extra)
    assert made.generation.inputs[0].output == 0
    assert not made.waits


def test_how_fast_goes_on_from_task_to_task_unless_another_speed_is_asked_for() -> None:
    old = replace(done().generation, extra={"grid": True, "mode": "RELAX"})
    assert press(done(generation=old), "V1").generation.extra["mode"] == "RELAX"
    assert press(done(generation=old), "V1", mode="TURBO").generation.extra["mode"] == "TURBO"


def test_a_button_of_another_task_is_none() -> None:
    with pytest.raises(Problem) as caught:
        pressed(done(id=ID.replace("a1b2", "b1b2")), labelled(done(), "U1"), "customId", {})
    assert "is no button of task" in str(caught.value.flaws[0].message)
    with pytest.raises(Problem):
        pressed(single(), "JOB::upsample::1", "index", {})


def test_nothing_is_pressed_below_a_task_that_is_not_done() -> None:
    with pytest.raises(Problem, match="task_status_not_success") as caught:
        pressed(done(state=State.RUNNING, outputs=()), "JOB::upsample::1", "index", {})
    answer = WIRE.render_problem(caught.value, HttpRequest(method="POST", path="/mj/submit/action"))
    assert (answer.status, json.loads(answer.body)["code"]) == (400, 4)


# -- dialogs ----------------------------------------------------------------------------------------------


def opened(label: str, **said: Any) -> Job:
    """The task of a dialog, as the gateway files it."""
    made = press(single(), label, **said)
    assert made.waits and made.body
    [given] = made.generation.inputs
    kept = replace(given, output_of=ID, asset="2")
    wish = replace(made.generation, inputs=(kept,))
    return done(generation=wish, engine="", state=State.CANCELED, outputs=(), body=made.body)


@pytest.mark.parametrize("label", ["Custom Zoom", "Vary (Region)"])
def test_a_dialog_is_a_task_in_the_state_modal(label: str) -> None:
    dialog = opened(label)
    said = json.loads(route_of("submit/action").render(dialog, HttpRequest(method="POST", path="/")).body)
    assert (said["code"], said["description"]) == (21, "Waiting for window confirm")
    assert said["properties"] == {"finalPrompt": "a lighthouse --v 7", "remix": True}
    assert (task(dialog).status, task(dialog).finish_time, task(dialog).fail_reason) == ("MODAL", None, None)


def test_a_dialog_that_is_answered_says_what_is_made() -> None:
    made = answered(opened("Custom Zoom"), {"prompt": "a lighthouse at night --zoom 1.2"})
    assert made.replaces
    assert (made.generation.prompt, made.generation.extra["zoom"]) == ("a lighthouse at night", 1.2)
    assert made.generation.inputs[0].output_of == public_id(ID)
    assert "ratio" not in made.generation.extra
    wide = answered(opened("Custom Zoom"), {"prompt": "a lighthouse --ar 16:9 --zoom 2"})
    assert (wide.generation.extra["zoom"], wide.generation.extra["ratio"]) == (2.0, "16:9")
    plain = answered(opened("Custom Zoom"), {})
    assert (plain.generation.prompt, plain.generation.extra["zoom"]) == ("a lighthouse", 2.0)


@pytest.mark.parametrize(
    ("label", "said", "field"),
    [
        ("Vary (Region)", {"prompt": "x"}, "maskBase64"),
        ("Vary (Region)", {"maskBase64": "none"}, "maskBase64"),
        ("Custom Zoom", {"prompt": "x --zoom 9"}, "prompt"),
    ],
)
def test_an_answer_that_lacks_something_is_refused(label: str, said: dict[str, Any], field: str) -> None:
    with pytest.raises(Problem) as caught:
        answered(opened(label), said)
    assert [flaw.path[0] for flaw in caught.value.flaws] == [field]


def test_a_region_is_what_the_mask_shows() -> None:
    made = answered(opened("Vary (Region)"), {"maskBase64": inline(b"m" * 20), "prompt": "a boat"})
    assert made.generation.operation is Operation.IMAGE_INPAINT
    assert [(each.role, each.data) for each in made.generation.inputs][1] == (Role.MASK, b"m" * 20)


def test_remix_asks_before_it_varies() -> None:
    assert press(done(), "V1", enableRemix=True).waits
    assert press(done(), "V1", accountFilter={"remix": True}).waits
    assert not press(done(), "U1", enableRemix=True).waits


def test_a_task_without_a_dialog_cannot_be_answered() -> None:
    with pytest.raises(Problem, match="no dialog"):
        answered(done(), {"prompt": "x"})


# -- trouble ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        (Kind.NOT_FOUND, 404, 3),
        (Kind.INVALID, 400, 4),
        (Kind.REFUSED, 400, 24),
        (Kind.RATE_LIMITED, 429, 30),
        (Kind.UNAUTHENTICATED, 401, 4),
        (Kind.UPSTREAM_FAILED, 502, 5),
        (Kind.INTERNAL, 500, 9),
    ],
)
def test_trouble_has_the_proxys_codes(kind: Kind, status: int, code: int) -> None:
    answer = WIRE.render_problem(Problem(kind, "why"), HttpRequest(method="POST", path="/mj/submit/imagine"))
    assert (answer.status, json.loads(answer.body)) == (
        status,
        {"description": "why", "type": "upstream_error", "code": code},
    )


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        ({"authorization": "Bearer k"}, "k"),
        ({"authorization": "k"}, "k"),
        ({"mj-api-secret": "k"}, "k"),
        ({"mj-api-secret": "Bearer k"}, "k"),
        ({"authorization": "Bearer midjourney-proxy", "mj-api-secret": "k"}, "k"),
        ({"authorization": "Basic a:b"}, None),
        ({}, None),
    ],
)
def test_the_key_may_come_in_either_header(headers: dict[str, str], key: str | None) -> None:
    assert WIRE.credential(HttpRequest(method="GET", path="/", headers=headers)) == key


# -- over the application -------------------------------------------------------------------------------


async def submit(running: Any, path: str, body: dict[str, Any], **headers: str) -> dict[str, Any]:
    answer = await running.client.post(path, json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def ended(running: Any, said: dict[str, Any], **headers: str) -> dict[str, Any]:
    assert said["code"] in (1, 22), said
    await running.finished(WIRE.job_id(said["result"]))
    return (await running.client.get(f"/mj/task/{said['result']}/fetch", headers=headers)).json()


def button(shown: dict[str, Any], label: str) -> str:
    return next(each["customId"] for each in shown["buttons"] if label in (each["label"], each["emoji"]))


async def test_from_a_prompt_to_a_picture_by_its_buttons(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        grid = await ended(running, await submit(running, "/fast/mj/submit/imagine", {"prompt": "a fox", "state": "s"}))
        assert (grid["status"], grid["state"], grid["mode"]) == ("SUCCESS", "s", "FAST")
        press_v = {"taskId": grid["id"], "customId": button(grid, "V2")}
        varied = await ended(running, await submit(running, "/mj/submit/action", press_v))
        assert (varied["action"], varied["prompt"], varied["mode"]) == ("VARIATION", "a fox", "FAST")
        single = await ended(
            running, await submit(running, "/mj/submit/simple-change", {"content": f"{varied['id']} U1"})
        )
        assert (single["action"], single["status"], len(single["imageUrls"])) == ("UPSCALE", "SUCCESS", 1)
        assert (await running.client.get(single["imageUrl"])).status_code == 200
        again = {"taskId": varied["id"], "action": "REROLL"}
        rerolled = await ended(running, await submit(running, "/mj/submit/change", again))
        assert (rerolled["action"], rerolled["status"]) == ("REROLL", "SUCCESS")
        panned = {"taskId": single["id"], "customId": button(single, "➡️")}
        assert (await ended(running, await submit(running, "/mj/submit/action", panned)))["action"] == "PAN"


async def test_a_dialog_keeps_its_id_and_is_answered_once(start: Start, picture: bytes) -> None:
    async with start(**SCRIPTED) as running:
        grid = await ended(running, await submit(running, "/mj/submit/imagine", {"prompt": "a fox"}))
        fourth = {"taskId": grid["id"], "action": "UPSCALE", "index": 4}
        single = await ended(running, await submit(running, "/mj/submit/change", fourth))
        opens = {"taskId": single["id"], "customId": button(single, "Vary (Region)"), "state": "mine"}
        dialog = await submit(running, "/mj/submit/action", opens)
        assert dialog["code"] == 21
        shown = (await running.client.get(f"/mj/task/{dialog['result']}/fetch")).json()
        assert (shown["status"], shown["action"]) == ("MODAL", "INPAINT")
        lacking = await running.client.post("/mj/submit/modal", json={"taskId": dialog["result"], "prompt": "a hat"})
        assert (lacking.status_code, lacking.json()["description"][:11]) == (400, "maskBase64:")
        damaged = {"taskId": dialog["result"], "prompt": "a hat", "maskBase64": inline(picture[:40])}
        refused = await running.client.post("/mj/submit/modal", json=damaged)
        assert (refused.status_code, refused.json()["description"][:11]) == (400, "maskBase64:")
        answer = {"task_id": dialog["result"], "prompt": "a hat", "maskBase64": inline(picture)}
        made = await submit(running, "/mj/submit/modal", answer)
        assert made["result"] == dialog["result"]
        shown = await ended(running, made)
        assert (shown["status"], shown["action"], shown["prompt"], shown["state"]) == (
            "SUCCESS",
            "INPAINT",
            "a hat",
            "mine",
        )
        twice = await running.client.post("/mj/submit/modal", json=answer)
        assert (twice.status_code, twice.json()["code"]) == (400, 4)


async def test_tasks_are_read_together_listed_cancelled_and_known_by_their_seed(start: Start) -> None:
    async with start(**SCRIPTED, script={"slots": 1}) as running:
        first = await ended(running, await submit(running, "/mj/submit/imagine", {"prompt": "x --seed 77"}))
        slow = await submit(running, "/mj/submit/imagine", {"prompt": "hang"})
        ids = {"ids": [slow["result"], first["id"], "1" * 36]}
        for path in ("list-by-condition", "list-by-ids"):
            told = (await running.client.post(f"/mj-relax/mj/task/{path}", json=ids)).json()
            assert [each["id"] for each in told] == [slow["result"], first["id"]]
        assert (await running.client.post("/mj/task/list-by-condition", json={"ids": None})).json() == []
        assert [each["id"] for each in (await running.client.get("/mj/task/list")).json()] == [
            slow["result"],
            first["id"],
        ]
        assert [each["id"] for each in (await running.client.get("/mj/task/queue")).json()] == [slow["result"]]
        seed = await running.client.get(f"/mj/task/{first['id']}/image-seed")
        assert seed.json() == {"code": 1, "description": "Success", "result": "77", "properties": {}}
        early = await running.client.get(f"/mj/task/{slow['result']}/image-seed")
        assert (early.status_code, early.json()["code"]) == (400, 4)
        nobodys = await running.client.get(f"/mj/task/{'1' * 36}/image-seed")
        assert (nobodys.status_code, nobodys.json()["code"]) == (404, 3)
        stopped = await running.client.post(f"/mj/task/{slow['result']}/cancel")
        assert (stopped.status_code, stopped.content) == (200, b"")
        shown = (await running.client.get(f"/mj/task/{slow['result']}/fetch")).json()
        assert (shown["status"], shown["failReason"]) == ("FAILURE", "The task was canceled.")


async def test_an_unknown_task_is_told_as_relays_tell_it(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        answer = await running.client.get("/mj/task/1730621718151844/fetch")
        assert (answer.status_code, answer.json()["code"]) == (400, 4)
        assert answer.json()["description"].startswith("task_no_found")
        unknown = {"taskId": "1730621718151844", "customId": "MJ::JOB::upsample::1::x"}
        pressed_none = await running.client.post("/mj/submit/action", json=unknown)
        assert (pressed_none.status_code, pressed_none.json()["code"]) == (404, 3)


async def test_nobody_presses_a_button_of_anothers_task(start: Start) -> None:
    keys = [{"name": name, "sha256": digest(f"{name}s")} for name in ("ann", "bob")]
    async with start(**SCRIPTED, keys=keys) as running:
        anns, bobs = {"mj-api-secret": "anns"}, {"mj-api-secret": "bobs"}
        grid = await ended(running, await submit(running, "/mj/submit/imagine", {"prompt": "x"}, **anns), **anns)
        press_u = {"taskId": grid["id"], "customId": button(grid, "U1")}
        refusal = await running.client.post("/mj/submit/action", json=press_u, headers=bobs)
        assert (refusal.status_code, refusal.json()["code"]) == (404, 3)
        told = await running.client.post("/mj/task/list-by-condition", json={"ids": [grid["id"]]}, headers=bobs)
        assert told.json() == []
        assert (await running.client.get("/mj/task/list")).status_code == 401


async def test_pictures_are_kept_and_answered_with_links(start: Start, picture: bytes) -> None:
    async with start(**SCRIPTED) as running:
        told = await submit(running, "/mj/submit/upload-discord-images", {"base64Array": [inline(picture)] * 2})
        assert (told["code"], len(told["result"])) == (1, 2)
        assert (await running.client.get(told["result"][0])).content == picture
        wrong = await running.client.post("/mj/submit/upload-discord-images", json={"base64Array": [PICTURE]})
        assert (wrong.status_code, wrong.json()["description"][:15]) == (400, "base64Array[0]:")


async def test_words_come_out_of_describe_and_shorten(start: Start, picture: bytes) -> None:
    async with start(**SCRIPTED) as running:
        told = await ended(running, await submit(running, "/mj/submit/describe", {"base64": inline(picture)}))
        assert told["properties"]["finalPrompt"].startswith("1️⃣ ")
        assert [each["emoji"] for each in told["buttons"]] == ["1️⃣", "2️⃣", "3️⃣", "4️⃣", "🔄"]
        one = {"taskId": told["id"], "customId": "MJ::Job::PicReader::1"}
        assert (await ended(running, await submit(running, "/mj/submit/action", one)))["action"] == "IMAGINE"
        short = await ended(running, await submit(running, "/mj/submit/shorten", {"prompt": "a long one"}))
        assert (short["action"], len(short["buttons"])) == ("SHORTEN", 5)


async def test_a_hook_is_told_the_task(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        hook = "http://127.0.0.1:9/news"
        made = await submit(running, "/mj/submit/imagine", {"prompt": "x", "notifyHook": hook})
        await ended(running, made)
        sent = reversed(await running.app.store.deliveries(job=WIRE.job_id(made["result"])))
        bodies = [json.loads(each.delivery.body) for each in sent]
        assert [each["status"] for each in bodies] == ["IN_PROGRESS", "SUCCESS"]
        assert {each["id"] for each in bodies} == {made["result"]}
        assert bodies[-1]["imageUrl"]
