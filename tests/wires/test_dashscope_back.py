"""The other end of the DashScope wire: conversations with the vendor, driven by hand and by the wire's own front."""

import json
from collections.abc import Callable, Generator
from email.parser import BytesParser
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from mutoscope.model import catalog
from mutoscope.model.http import HttpRequest, HttpResponse, json_response
from mutoscope.model.job import Generation, Input, Operation, Role, State, Update
from mutoscope.model.problem import Kind, Problem
from mutoscope.wirekit.back import File, VendorRequest, Way
from mutoscope.wirekit.routes import OpenUploads
from mutoscope.wires import ROWS, _wan
from mutoscope.wires._wan import MIB
from mutoscope.wires.dashscope import bodies
from mutoscope.wires.dashscope.api import BACK, PAGE, PAGES, WIRE

T = TypeVar("T")
I2V, T2V, MORE = Operation.IMAGE_TO_VIDEO, Operation.TEXT_TO_VIDEO, Operation.VIDEO_EXTENSION
WAN3 = ("wan3.0-video",)
WAN27, WAN26, KEYFRAMES = ("wan2.7-i2v", "wan2.7-t2v"), ("wan2.6-i2v", "wan2.6-t2v"), ("wan2.2-kf2v-flash",)
PICTURE, CLIP, SOUND = "https://files.example/a.png", "https://files.example/a.mp4", "https://files.example/a.mp3"
URLS = {Role.FIRST_FRAME: PICTURE, Role.LAST_FRAME: PICTURE, Role.AUDIO: SOUND, Role.VIDEO: CLIP}
HANDLE = {"id": "0385dc79-5ff8-4d82-bcb6-7c1a9f2e4d60"}


def talk(conversation: Generator[HttpRequest, HttpResponse, T], *answers: HttpResponse) -> tuple[T, list[HttpRequest]]:
    """What a conversation comes to, and what it asked."""
    asked: list[HttpRequest] = []
    given = iter(answers)
    try:
        asked.append(next(conversation))
        while True:
            asked.append(conversation.send(next(given)))
    except StopIteration as end:
        assert next(given, None) is None, "answers were left over"
        return end.value, asked


def problem(conversation: Generator[HttpRequest, HttpResponse, Any], *answers: HttpResponse) -> Problem:
    with pytest.raises(Problem) as caught:
        talk(conversation, *answers)
    return caught.value


def wish(operation: Operation = T2V, *roles: Role, **fields: Any) -> Generation:
    inputs = tuple(Input(role=role, field=role.value, url=URLS[role]) for role in roles)
    prompt = {"prompt": "a boat"} if operation is T2V else {}
    return Generation(operation=operation, model="wan-2.7", inputs=inputs, **(prompt | fields))


def order(wanted: Generation, names: tuple[str, ...] = WAN27, **sources: str) -> VendorRequest:
    known = {each.field: str(each.url) for each in wanted.inputs}
    return VendorRequest(generation=wanted, names=names, sources=known | sources, reference="ref-1")


def sent(asked: VendorRequest) -> dict[str, Any]:
    """The body of the spending request."""
    return json.loads(next(BACK.submit(asked)).body)


def refused(wanted: Generation, names: tuple[str, ...] = WAN27) -> Problem:
    with pytest.raises(Problem) as caught:
        BACK.check(VendorRequest(generation=wanted, names=names))
    return caught.value


def ok(value: Any) -> HttpResponse:
    return json_response(value)


def error(status: int, code: str, message: str = "the reason", **headers: str) -> HttpResponse:
    return json_response({"code": code, "message": message, "request_id": "r"}, status, headers)


def task(status: str, **output: Any) -> HttpResponse:
    return ok({"request_id": "r", "output": {"task_id": HANDLE["id"], "task_status": status, **output}})


# -- talking to itself -----------------------------------------------------------------------


def read_by_the_front(request: HttpRequest) -> Generation:
    route = next(each for each in WIRE.routes if each.at == f"{request.method} {request.path}")
    assert WIRE.precheck
    assert WIRE.precheck(request, route) is None
    return route.parse(request).generation


def again(body: dict[str, Any]) -> tuple[Generation, Generation]:
    """A body as the front reads it, and as it reads what the back makes of that."""
    path = bodies.KEYFRAMES if "kf2v" in body["model"] else bodies.SYNTHESIS
    headers = {bodies.ASYNC: "enable"}
    first = read_by_the_front(HttpRequest(method="POST", path=path, headers=headers, body=json.dumps(body).encode()))
    names = next(row.names["dashscope"] for row in ROWS if row.name == first.model)
    asked = VendorRequest(generation=first, names=names, sources={each.field: str(each.url) for each in first.inputs})
    BACK.check(replace(asked, sources={}))
    return first, read_by_the_front(next(BACK.submit(asked)))


def nameless(each: Generation) -> Generation:
    return replace(each, inputs=tuple(replace(one, field="") for one in each.inputs))


def optional(**values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=values)


COMMON = {"prompt_extend": st.booleans(), "watermark": st.booleans(), "seed": st.integers(0, 2**31 - 1)}
WORDS = {"prompt": st.text(min_size=1, max_size=60), "negative_prompt": st.text(max_size=60)}
TIER = {"resolution": st.sampled_from(["720P", "1080P"]), "duration": st.integers(2, 15)}
SHOT = {"duration": st.sampled_from([5, 10, 15]), "shot_type": st.sampled_from(["single", "multi"])}
SIZES = [f"{width}*{height}" for sizes in bodies.OWN_SIZES.values() for width, height in sizes]
LINKS = {"first_frame": PICTURE, "last_frame": PICTURE, "driving_audio": SOUND, "first_clip": CLIP}


def body_of(model: str, input: st.SearchStrategy[Any], **parameters: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {"model": st.just(model), "input": input}, optional={"parameters": optional(**COMMON, **parameters)}
    )


def input_of(required: dict[str, Any], **others: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(required, optional=others)


MEDIA = st.sampled_from(bodies.COMBINATIONS).map(lambda types: [{"type": each, "url": LINKS[each]} for each in types])
FRAMES = st.sampled_from(bodies.FRAMES).map(lambda types: [{"type": each, "url": LINKS[each]} for each in types])
TEXT = input_of({"prompt": WORDS["prompt"]}, negative_prompt=WORDS["negative_prompt"], audio_url=st.just(SOUND))
LONG = {
    "resolution": st.sampled_from(["480P", "720P", "1080P"]),
    "ratio": st.sampled_from([*_wan.RATIOS, "adaptive"]),
    "duration": st.integers(2, 30),
}
ANY_BODY = st.one_of(
    body_of("wan3.0-video", input_of({"prompt": WORDS["prompt"]}, negative_prompt=WORDS["negative_prompt"]), **LONG),
    body_of("wan3.0-video", input_of({"media": FRAMES}, **WORDS), **LONG),
    body_of("wan2.7-t2v", TEXT, **TIER, ratio=st.sampled_from(list(_wan.RATIOS))),
    body_of("wan2.7-i2v", input_of({"media": MEDIA}, **WORDS), **TIER),
    body_of("wan2.6-t2v", TEXT, **SHOT, size=st.sampled_from(SIZES)),
    body_of(
        "wan2.6-i2v",
        input_of({"img_url": st.just(PICTURE)}, audio_url=st.just(SOUND), **WORDS),
        **SHOT,
        resolution=TIER["resolution"],
    ),
    body_of(
        "wan2.2-kf2v-flash",
        input_of({"first_frame_url": st.just(PICTURE), "last_frame_url": st.just(PICTURE)}, **WORDS),
        resolution=st.sampled_from(["480P", "720P", "1080P"]),
    ),
)


@given(body=ANY_BODY)
def test_what_the_front_reads_the_back_says_again(body: dict[str, Any]):
    first, second = again(body)
    assert nameless(first) == nameless(second)


@given(body=ANY_BODY)
def test_a_body_with_the_catalogs_defaults_is_still_said(body: dict[str, Any]):
    """What goes to the vendor has its size and its seconds filled in."""
    first, _ = again(body)
    row = next(row for row in ROWS if row.name == first.model)
    BACK.check(VendorRequest(generation=catalog.complete(first, row, remote=True), names=row.names["dashscope"]))


@given(body=ANY_BODY)
def test_all_that_a_body_can_ask_for_is_heeded(body: dict[str, Any]):
    first, _ = again(body)
    names = next(row.names["dashscope"] for row in ROWS if row.name == first.model)
    supported = BACK.supports(first.operation, names)
    assert supported is not None
    assert {name for name, _ in catalog.asked(first)} <= supported


# -- what is said --------------------------------------------------------------------------


def test_a_full_order_becomes_the_vendors_body():
    wanted = wish(
        I2V, Role.FIRST_FRAME, Role.AUDIO, prompt="p", negative_prompt="n", resolution="720p", seconds=5.0, seed=1,
        watermark=False, extra={"prompt_extend": True},
    )  # fmt: skip
    assert sent(order(wanted)) == {
        "model": "wan2.7-i2v",
        "input": {
            "prompt": "p",
            "negative_prompt": "n",
            "media": [{"type": "first_frame", "url": PICTURE}, {"type": "driving_audio", "url": SOUND}],
        },
        "parameters": {"resolution": "720P", "duration": 5, "seed": 1, "watermark": False, "prompt_extend": True},
    }


def test_only_the_create_carries_the_headers_of_a_create():
    create = next(BACK.submit(order(wish())))
    assert create.spends
    assert create.headers["x-dashscope-async"] == "enable"
    assert create.headers["idempotency-key"] == "ref-1"
    assert bodies.RESOLVE not in create.headers
    for request in (next(BACK.poll(HANDLE)), next(BACK.cancel(HANDLE)) if BACK.cancel else None):
        assert request
        assert not request.spends
        assert not request.headers
    uploaded = order(wish(I2V, Role.FIRST_FRAME), first_frame="oss://dashscope-instant/x/a.png")
    assert next(BACK.submit(uploaded)).headers[bodies.RESOLVE] == "enable"


def test_a_dated_name_of_the_catalog_is_what_is_sent():
    dated = ("wan2.7-i2v-2026-04-25", "wan2.7-t2v")
    assert sent(order(wish(I2V, Role.FIRST_FRAME), dated))["model"] == "wan2.7-i2v-2026-04-25"
    assert sent(order(wish(T2V), dated))["model"] == "wan2.7-t2v"


@pytest.mark.parametrize("tier", ["720p", "1080p"])
@pytest.mark.parametrize("shape", list(_wan.RATIOS))
def test_pixels_become_the_tier_and_the_shape_that_they_are(tier: str, shape: str):
    wanted = wish(extra={"ratio": shape}, resolution=tier)
    full = catalog.complete(wanted, next(row for row in ROWS if row.name == "wan-2.7"))
    assert full.width
    said = sent(order(full))["parameters"]
    assert (said["resolution"], said["ratio"]) == (tier.upper(), shape)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (wish(width=832, height=480), {"resolution": "480P", "ratio": "16:9"}),
        (wish(I2V, Role.FIRST_FRAME, width=1104, height=832), {"resolution": "720P", "ratio": "4:3"}),
        (wish(I2V, Role.FIRST_FRAME, resolution="1080p"), {"resolution": "1080P"}),
        (wish(resolution="480p", extra={"ratio": "auto"}), {"resolution": "480P", "ratio": "adaptive"}),
        # the shape is left to the model, beside the pixels that the catalog took it for
        (wish(width=832, height=480, extra={"ratio": "auto"}), {"resolution": "480P", "ratio": "adaptive"}),
        (wish(seconds=30.0), {"duration": 30}),
    ],
)
def test_wan_3_has_sizes_of_its_own(wanted: Generation, said: dict[str, Any]):
    BACK.check(order(wanted, WAN3))
    body = sent(order(wanted, WAN3))
    assert (body["model"], body["parameters"]) == ("wan3.0-video", said)
    assert ("media" in body["input"]) == (wanted.operation is I2V)


@pytest.mark.parametrize(
    ("seed", "said"), [(0, 0), (2**31 - 1, 2**31 - 1), (2**31, 0), (2**32 - 1, 2**31 - 1), (2**64 + 5, 5)]
)
def test_a_seed_of_a_wider_range_is_folded(seed: int, said: int):
    assert sent(order(wish(seed=seed)))["parameters"]["seed"] == said


@pytest.mark.parametrize(
    ("wanted", "field", "kind"),
    [
        (wish(seconds=16), "seconds", Kind.INVALID),
        (wish(seconds=1.0), "seconds", Kind.INVALID),
        (wish(seconds=4.5), "seconds", Kind.INVALID),
        (wish(seed=-1), "seed", Kind.INVALID),
        (wish(prompt=None), "prompt", Kind.INVALID),
        (wish(prompt="x" * 5001), "prompt", Kind.INVALID),
        (wish(negative_prompt="x" * 501), "negative_prompt", Kind.INVALID),
        (wish(width=1280), "height", Kind.INVALID),
        (wish(height=1280), "width", Kind.INVALID),
        (wish(width=1280, height=800), "width", Kind.UNSUPPORTED),
        (wish(width=1280, height=720, resolution="1080p"), "resolution", Kind.INVALID),
        (wish(width=1280, height=720, extra={"ratio": "1:1"}), "ratio", Kind.INVALID),
        (wish(resolution="4k"), "resolution", Kind.INVALID),
        (wish(extra={"ratio": "21:9"}), "ratio", Kind.INVALID),
        (wish(extra={"prompt_extend": "yes"}), "prompt_extend", Kind.INVALID),
        (wish(I2V), "first_frame", Kind.INVALID),
        (wish(I2V, Role.LAST_FRAME), "first_frame", Kind.INVALID),
        (wish(I2V, Role.FIRST_FRAME, Role.FIRST_FRAME), "first_frame", Kind.INVALID),
        (wish(I2V, Role.FIRST_FRAME, width=1280, height=720), "width", Kind.UNSUPPORTED),
        (wish(MORE), "video", Kind.INVALID),
        (wish(Operation.VIDEO_TO_VIDEO), "model", Kind.UNSUPPORTED),
    ],
)
def test_what_cannot_be_said_is_refused_by_our_name_of_the_field(wanted: Generation, field: str, kind: Kind):
    found = refused(wanted)
    assert (found.field, found.kind) == (field, kind)
    assert "DashScope" in found.message or "contradicts" in found.message


@pytest.mark.parametrize(
    ("wanted", "names", "field"),
    [
        (wish(seconds=7), WAN26, "seconds"),
        (wish(resolution="720p"), WAN26, "resolution"),
        (wish(width=1108, height=832), WAN26, "width"),
        (wish(I2V, Role.FIRST_FRAME), KEYFRAMES, "last_frame"),
        (wish(seconds=31), WAN3, "seconds"),
        (wish(width=1088, height=832), WAN3, "width"),
        (wish(width=1280, height=720, resolution="1080p", extra={"ratio": "auto"}), WAN3, "resolution"),
        (wish(I2V), WAN3, "first_frame"),
        (wish(prompt=None), WAN3, "prompt"),
        (wish(MORE, Role.VIDEO), WAN3, "model"),
    ],
)
def test_other_models_have_bounds_of_their_own(wanted: Generation, names: tuple[str, ...], field: str):
    assert refused(wanted, names).field == field


def test_each_operation_heeds_what_it_can_say():
    assert BACK.supports(I2V, WAN27) == {
        "prompt", "negative_prompt", "seconds", "seed", "watermark", "prompt_extend", "resolution", "first_frame",
        "last_frame", "audio",
    }  # fmt: skip
    extension = BACK.supports(MORE, WAN27)
    assert extension
    assert {"video", "last_frame"} <= extension
    assert not {"audio", "first_frame"} & extension
    text = BACK.supports(T2V, WAN27)
    assert text
    assert {"width", "height", "ratio", "resolution", "audio"} <= text
    assert "first_frame" not in text
    assert BACK.supports(T2V, KEYFRAMES) is None
    text, still = BACK.supports(T2V, WAN3), BACK.supports(I2V, WAN3)
    assert text
    assert still
    assert still - text == {"first_frame", "last_frame"}
    assert {"width", "height", "ratio", "resolution", "seed"} <= text
    assert not {"audio", "reference", "shot_type"} & still


def test_pictures_travel_in_every_way_and_other_files_by_link_or_upload():
    still = wish(I2V, Role.FIRST_FRAME, Role.AUDIO)
    picture, sound = still.inputs
    assert [each.way for each in BACK.ways(order(still), picture)] == [Way.LINK, Way.UPLOAD, Way.DATA]
    assert [each.way for each in BACK.ways(order(still), sound)] == [Way.LINK, Way.UPLOAD]
    assert [each.max_bytes for each in BACK.ways(order(still), sound)] == [15 * MIB] * 2
    # an upload is for the model that it was asked for
    assert [each.way for each in BACK.ways(order(still, WAN26), picture)] == [Way.LINK, Way.DATA]
    spoken = wish(T2V, Role.AUDIO)
    assert [each.way for each in BACK.ways(order(spoken), spoken.inputs[0])] == [Way.LINK]
    assert BACK.ways(order(spoken), picture) == ()


# -- tasks -----------------------------------------------------------------------------------


def test_a_create_is_answered_with_a_handle():
    update, _ = talk(BACK.submit(order(wish())), task("PENDING"))
    assert update == Update(state=State.QUEUED, upstream_status="PENDING", handle=HANDLE)


@pytest.mark.parametrize("status", ["SUCCEEDED", "FAILED", "NEW_WORD", 5, None])
def test_a_task_that_was_made_is_not_lost_over_its_status(status: Any):
    update, _ = talk(BACK.submit(order(wish())), task(status))
    assert (update.state, update.handle) == (State.QUEUED, HANDLE)


@pytest.mark.parametrize("id", ["", "a/b", "..", "x" * 200, 5])
def test_an_id_that_is_no_part_of_a_path_is_no_handle(id: Any):
    found = problem(BACK.submit(order(wish())), ok({"output": {"task_id": id, "task_status": "PENDING"}}))
    assert found.kind is Kind.UPSTREAM_FAILED


@pytest.mark.parametrize(
    ("status", "state"),
    [("PENDING", "queued"), ("SUSPENDED", "queued"), ("RUNNING", "running"), ("CANCELED", "canceled")],
)
def test_every_status_is_read(status: str, state: str):
    update, [request] = talk(BACK.poll(HANDLE), task(status))
    assert (request.method, request.path) == ("GET", f"/api/v1/tasks/{HANDLE['id']}")
    assert update == Update(state=State(state), upstream_status=status)


def test_the_vendors_example_of_a_finished_task_is_read():
    link = "https://dashscope-result.example/a.mp4?Expires=1"
    answer = ok(
        {
            "request_id": "c1209113-0000",
            "output": {
                "task_id": HANDLE["id"],
                "task_status": "SUCCEEDED",
                "submit_time": "2026-01-01 12:00:00.000",
                "scheduled_time": "2026-01-01 12:00:01.000",
                "end_time": "2026-01-01 12:01:40.000",
                "orig_prompt": "she turns and smiles",
                "actual_prompt": "…",
                "video_url": link,
            },
            "usage": {"duration": 5, "output_video_duration": 5, "SR": 720, "ratio": "16:9", "video_count": 1},
        }
    )
    update, _ = talk(BACK.poll(HANDLE), answer)
    assert update == Update(state=State.SUCCEEDED, upstream_status="SUCCEEDED", links=(link,))


@pytest.mark.parametrize("link", [None, "", 5, "ftp://files.example/a.mp4"])
def test_success_without_a_link_is_the_vendors_failure(link: Any):
    assert problem(BACK.poll(HANDLE), task("SUCCEEDED", video_url=link)).kind is Kind.UPSTREAM_FAILED


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("DataInspectionFailed", Kind.REFUSED),
        ("InvalidParameter", Kind.INVALID),
        ("InvalidParameter.DataInspection", Kind.INVALID),
        ("InvalidURL", Kind.UNREACHABLE_MEDIA),
        ("InternalError.Algo", Kind.UPSTREAM_FAILED),
        ("SomethingNew", Kind.UPSTREAM_FAILED),
        (None, Kind.UPSTREAM_FAILED),
    ],
)
def test_a_failure_keeps_its_code_and_its_reason(code: str | None, kind: Kind):
    update, _ = talk(BACK.poll(HANDLE), task("FAILED", code=code, message="The size is not match"))
    assert update.failure
    assert (update.failure.kind, update.failure.code) == (kind, code)
    assert "The size is not match" in update.failure.message


def test_the_pair_at_the_root_is_read_before_that_of_the_output():
    answer = {"code": "DataInspectionFailed", "message": "root", "output": {"task_status": "FAILED", "code": "X"}}
    update, _ = talk(BACK.poll(HANDLE), ok(answer))
    assert update.failure
    assert (update.failure.kind, update.failure.code) == (Kind.REFUSED, "DataInspectionFailed")
    assert "root" in update.failure.message


def test_an_unknown_task_is_not_found_and_whoever_asks_decides_how_long_to_wait():
    assert problem(BACK.poll(HANDLE), task("UNKNOWN")).kind is Kind.NOT_FOUND


def test_an_error_in_the_guise_of_a_success_is_told_in_its_own_words():
    found = problem(BACK.poll(HANDLE), error(200, "Throttling", "too much"))
    assert found.kind is Kind.UPSTREAM_FAILED
    assert "Throttling: too much" in found.message


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "InvalidParameter", Kind.INVALID),
        (400, "DataInspectionFailed", Kind.REFUSED),
        (400, "Arrearage", Kind.QUOTA_EXCEEDED),
        (400, "ModelNotFound", Kind.NOT_FOUND),
        (400, "InvalidApiKey", Kind.INVALID),
        (401, "InvalidApiKey", Kind.UNAUTHENTICATED),
        (401, "InvalidParameter", Kind.UNAUTHENTICATED),
        (403, "AccessDenied", Kind.FORBIDDEN),
        (403, "Model.AccessDenied", Kind.FORBIDDEN),
        (403, "AllocationQuota.FreeTierOnly", Kind.QUOTA_EXCEEDED),
        (404, "ModelNotFound", Kind.NOT_FOUND),
        (429, "Throttling", Kind.RATE_LIMITED),
        (429, "Throttling.RateQuota", Kind.RATE_LIMITED),
        (429, "Throttling.AllocationQuota", Kind.QUOTA_EXCEEDED),
        (429, "InvalidParameter", Kind.RATE_LIMITED),
        (500, "InternalError", Kind.UPSTREAM_FAILED),
        (500, "DataInspectionFailed", Kind.UPSTREAM_FAILED),
        (503, "ModelUnavailable", Kind.UNAVAILABLE),
        (504, "RequestTimeOut", Kind.UPSTREAM_FAILED),
    ],
)
def test_the_status_is_believed_before_the_code(status: int, code: str, kind: Kind):
    found = problem(BACK.submit(order(wish())), error(status, code, **{"retry-after": "3"}))
    assert found.kind is kind
    assert f"{code}: the reason" in found.message
    assert found.retry_after == 3


# -- cancel ----------------------------------------------------------------------------------


def cancel(answer: HttpResponse) -> bool:
    assert BACK.cancel
    stopped, [request] = talk(BACK.cancel(HANDLE), answer)
    assert (request.method, request.path, request.body) == ("POST", f"/api/v1/tasks/{HANDLE['id']}/cancel", b"")
    return stopped


@pytest.mark.parametrize("status", [400, 409])
def test_only_what_waits_can_be_stopped(status: int):
    assert cancel(ok({"request_id": "r"})) is True
    assert cancel(error(status, "UnsupportedOperation")) is False


def test_another_error_of_a_cancel_is_a_problem():
    assert BACK.cancel
    assert problem(BACK.cancel(HANDLE), error(429, "Throttling")).kind is Kind.RATE_LIMITED
    assert problem(BACK.cancel(HANDLE), error(404, "NotFound")).kind is Kind.NOT_FOUND


# -- lists -----------------------------------------------------------------------------------


def page(*tasks: tuple[str, str], model: Any = "wan2.7-t2v") -> HttpResponse:
    data = [{"task_id": id, "status": status, "model_name": model, "gmt_create": 1} for id, status in tasks]
    return ok({"request_id": "r", "data": data, "total": len(data), "page_no": 1, "page_size": PAGE, "total_page": 1})


def strangers(count: int) -> list[tuple[str, str]]:
    return [(f"stranger-{number}", "RUNNING") for number in range(count)]


def batch(ids: list[str], *answers: HttpResponse) -> tuple[dict[int, Update], list[HttpRequest]]:
    assert BACK.batch
    return talk(BACK.batch(tuple({"id": id} for id in ids)), *answers)


def test_a_list_tells_of_those_that_have_no_result_yet():
    found, [request] = batch(
        ["a", "b", "c", "d", "e", "f"],
        page(("x", "RUNNING"), ("f", "NEW"), ("e", "FAILED"), ("d", "CANCELED"), ("b", "PENDING"), ("a", "RUNNING")),
    )
    assert {place: news.state for place, news in found.items()} == {0: "running", 1: "queued", 3: "canceled"}
    assert request.query == {"page_no": "1", "page_size": str(PAGE)}


def test_a_list_is_read_until_all_are_found_and_no_longer_than_asking_for_each_would_take():
    full = page(*strangers(PAGE))
    found, asked = batch(["a", "b", "c"], full, page(*strangers(PAGE - 1), ("b", "RUNNING")), full)
    assert (list(found), len(asked)) == ([1], 3)
    assert asked[1].query["page_no"] == "2"
    found, asked = batch(["a", "b"], page(("b", "RUNNING"), ("a", "SUCCEEDED"), *strangers(PAGE)))
    assert (list(found), len(asked)) == ([1], 1)
    ids = [f"t{number}" for number in range(50)]
    assert len(batch(ids, *[full] * PAGES)[1]) == PAGES


def find(since: float, *answers: HttpResponse, wanted: Generation | None = None) -> tuple[Any, list[HttpRequest]]:
    assert BACK.find
    return talk(BACK.find(order(wanted or wish()), since), *answers)


def test_a_lost_submission_is_looked_for_since_then_in_chinas_time():
    found, [request] = find(1767240000.9, page(("b", "RUNNING"), ("a", "PENDING")))
    assert found == ({"id": "b"}, {"id": "a"})
    assert request.query["start_time"] == "20260101115900"  # a minute before, in case the clocks differ


def test_every_page_is_read_because_nothing_found_means_nothing_sent():
    found, asked = find(1767240000.0, page(*strangers(PAGE)), page(*strangers(PAGE)), page())
    assert (len(found), len(asked)) == (2 * PAGE, 3)


@pytest.mark.parametrize(
    ("model", "counts"),
    [
        ("wan2.7-t2v", True),
        ("wan2.7-t2v-2026-06-12", True),
        ("wan2.7-t2v-next", True),
        (None, True),
        ("wan2.7-i2v", False),
    ],
)
def test_tasks_of_models_that_are_known_to_be_others_do_not_count(model: Any, counts: bool):
    found, _ = find(1767240000.0, page(("a", "RUNNING"), model=model))
    assert found == (({"id": "a"},) if counts else ())


@pytest.mark.parametrize("answer", [error(404, "NotFound"), error(429, "Throttling"), ok({}), ok({"data": [{}]})])
def test_a_list_that_cannot_be_read_is_a_problem(answer: HttpResponse):
    assert BACK.find
    assert problem(BACK.find(order(wish()), 1767240000.0), answer)


# -- uploads ---------------------------------------------------------------------------------

POLICY = {
    "policy": "p0l1cy",
    "signature": "s1gn",
    "upload_dir": "dashscope-instant/52afe/2026-01-01/7737c",
    "upload_host": "https://files.example",
    "expire_in_seconds": 300,
    "max_file_size_mb": 100,
    "oss_access_key_id": "LTAI",
    "x_oss_object_acl": "private",
    "x_oss_forbid_overwrite": "true",
}
PNG = File(name="a cat/√.png", media_type="image/png", data=b"\x89PNG\r\n\x1a\n--x\r\n")


def test_a_file_goes_to_the_vendors_store_as_its_sdk_sends_it(parse_form: Callable[[HttpRequest], dict[str, Any]]):
    assert BACK.upload
    name, [asked, sent] = talk(BACK.upload(PNG), ok({"request_id": "r", "data": POLICY}), HttpResponse(status=200))
    assert (asked.path, asked.query) == ("/api/v1/uploads", {"action": "getPolicy", "model": "wan2.7-i2v"})
    assert (sent.method, sent.path) == ("POST", "https://files.example")
    form = parse_form(sent)
    assert form.pop("file") == PNG.data
    assert list(form) == [
        "OSSAccessKeyId", "Signature", "policy", "key", "x-oss-object-acl", "x-oss-forbid-overwrite",
        "success_action_status", "x-oss-content-type",
    ]  # fmt: skip
    assert form["key"] == f"{POLICY['upload_dir']}/a_cat__.png"
    assert (form["success_action_status"], form["x-oss-content-type"]) == ("200", "image/png")
    assert name == f"oss://{form['key']}"


@pytest.fixture
def parse_form() -> Callable[[HttpRequest], dict[str, Any]]:
    """By an independent reader."""

    def parse(request: HttpRequest) -> dict[str, Any]:
        head = f"content-type: {request.headers['content-type']}\r\n\r\n".encode()
        message = BytesParser().parsebytes(head + request.body)
        assert message.is_multipart()
        found: dict[str, Any] = {}
        for part in message.get_payload():
            assert not isinstance(part, str)
            name = part.get_param("name", header="content-disposition")
            data = part.get_payload(decode=True)
            assert isinstance(data, bytes)
            found[str(name)] = data if name == "file" else data.decode()
        return found

    return parse


@pytest.mark.parametrize(
    "answers",
    [
        [error(403, "AccessDenied")],
        [ok({"data": {}})],
        [ok({"data": POLICY | {"upload_host": "ftp://x"}})],
        [ok({"data": POLICY}), HttpResponse(status=403, body=b"<Error/>")],
    ],
)
def test_an_upload_that_is_not_taken_is_a_problem(answers: list[HttpResponse]):
    assert BACK.upload
    assert problem(BACK.upload(PNG), *answers)


def test_the_front_takes_what_the_back_uploads():
    route = next(each for each in WIRE.routes if isinstance(each, OpenUploads))
    assert BACK.upload
    [slot] = route.parse(next(BACK.upload(PNG)))
    assert slot.max_bytes == 100 * MIB
