"""The task API as data: what a table says once is read both ways."""

import json
from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta, Struct
from msgspec.structs import replace

from mutoscope.model.http import HttpRequest, HttpResponse, json_response
from mutoscope.model.job import Failure, Generation, Input, MediaLimits, Operation, Role, State
from mutoscope.model.problem import Flaw, Kind, Problem, custom_flaw
from mutoscope.wirekit.back import Transport, VendorRequest, Way
from mutoscope.wirekit.fields import (
    FileField,
    FilesField,
    JobField,
    alias,
    extra,
    folded,
    pixels,
    same,
    seconds,
    sized,
    words,
)
from mutoscope.wirekit.routes import Read
from mutoscope.wirekit.task import (
    Endpoint,
    Reading,
    TaskApi,
    cancel,
    complaint,
    news,
    parse,
    poll,
    share_of,
    submit,
    supports,
    task_in,
    translate,
    ways,
    wire,
)

T2V, I2V, MORE = Operation.TEXT_TO_VIDEO, Operation.IMAGE_TO_VIDEO, Operation.VIDEO_EXTENSION


class Settings(Struct, kw_only=True):
    tone: str | None = None


class Body(Struct, kw_only=True):
    model: Literal["one", "two"] = "one"
    prompt: Annotated[str, Meta(max_length=20)] | None = None
    text: str | None = None
    size: str | None = None
    duration: Literal["5s", "9s"] | None = None
    tier: Literal["SD", "HD"] | None = None
    image: str | None = None
    clip: str | None = None
    settings: Settings | None = None


class Made(Struct):
    id: str


API = TaskApi(
    name="small",
    vendor="Small",
    title="Small",
    docs="https://docs.example",
    base_url="https://api.small.example",
    root="/v1/",
    show="tasks/{id}",
    endpoints=(
        Endpoint(
            at="make",
            title="Make",
            body=Body,
            models=("one", "two"),
            makes={Role.VIDEO: MORE, Role.FIRST_FRAME: I2V, None: T2V},
        ),
    ),
    fields={
        "prompt": same("prompt"),
        "text": alias(same("prompt")),
        "size": pixels("x"),
        "duration": seconds("s"),
        "tier": words("resolution", {"480p": "SD", "720p": "HD"}),
        "image": FileField(role=Role.FIRST_FRAME, ways=(Way.LINK, Way.DATA)),
        "clip": JobField(role=Role.VIDEO),
        "settings.tone": extra("tone"),
    },
    states={
        State.QUEUED: "waiting",
        State.RUNNING: "busy",
        State.SUCCEEDED: "done",
        State.FAILED: "bad",
        State.CANCELED: "bad",
    },
    task=lambda job: Made(id=job.id),
    answer=Made,
    error=lambda problem, _: {"error": problem.message},
    error_type=dict[str, str],
    reading=Reading(links=("files.*.url",), reason=("why",), progress="share", whole=1.0),
)


def read(**said: Any) -> Generation:
    return parse(
        API, API.endpoints[0], HttpRequest(method="POST", path="/v1/make", body=json.dumps(said).encode())
    ).generation


def said(wish: Generation, **order: Any) -> Any:
    return translate(API, VendorRequest(generation=wish, names=("two",), **order))[1]


FULL: dict[str, Any] = {
    "model": "two",
    "prompt": "a fox",
    "size": "1280x720",
    "duration": "5s",
    "tier": "HD",
    "settings": {"tone": "warm"},
}


def test_what_is_read_is_written_again() -> None:
    wish = read(**FULL)
    assert (wish.model, wish.prompt, wish.width, wish.height) == ("two", "a fox", 1280, 720)
    assert (wish.seconds, wish.resolution, wish.extra) == (5.0, "720p", {"tone": "warm"})
    assert said(wish) == FULL


def test_another_spelling_is_read_and_never_written() -> None:
    assert said(read(model="two", text="a fox")) == {"model": "two", "prompt": "a fox"}


def test_the_input_that_is_there_decides_what_is_made() -> None:
    assert read(prompt="x").operation is T2V
    assert read(prompt="x", image="https://h.example/a.png").operation is I2V
    assert read(prompt="x", clip="7", image="https://h.example/a.png").operation is MORE


def test_every_flaw_is_told_at_once_and_in_the_order_of_the_body() -> None:
    with pytest.raises(Problem) as caught:
        read(image="ftp://x", duration="6s", prompt="x" * 30)
    assert [flaw.path for flaw in caught.value.flaws] == [("prompt",), ("duration",), ("image",)]


def test_what_the_body_does_not_allow_is_refused_by_our_name() -> None:
    with pytest.raises(Problem) as caught:
        said(Generation(operation=T2V, model="m", prompt="x", seconds=6.0))
    assert (caught.value.kind, caught.value.field) == (Kind.INVALID, "seconds")


def test_an_earlier_job_is_named_by_the_vendors_own_id_and_only_by_it() -> None:
    wish = Generation(
        operation=MORE, model="m", prompt="x", inputs=(Input(role=Role.VIDEO, field="clip", output_of="ours"),)
    )
    assert said(wish, earlier={"ours": {"id": "theirs"}})["clip"] == "theirs"
    with pytest.raises(Problem) as caught:
        said(wish)
    assert (caught.value.kind, caught.value.field) == (Kind.UNSUPPORTED, "video")


def test_members_that_no_table_knows_go_back_to_the_same_vendor_and_to_no_other() -> None:
    request = HttpRequest(
        method="POST",
        path="/v1/make",
        body=b'{"prompt": "x", "new": {"a": 1}, "settings": {"tone": "warm", "mood": 2}}',
    )
    asked = parse(API, API.endpoints[0], request)
    assert asked.unread == {"new": {"a": 1}, "settings.mood": 2}
    assert len(asked.ignored) == 2
    wish = replace(asked.generation, wire="small", unread=asked.unread)
    assert said(wish) == {"model": "two", "prompt": "x", "settings": {"tone": "warm", "mood": 2}, "new": {"a": 1}}
    assert said(replace(wish, wire="another")) == {"model": "two", "prompt": "x", "settings": {"tone": "warm"}}


def test_members_that_mean_nothing_of_ours_go_back_to_the_same_vendor_too() -> None:
    api = replace(API, endpoints=(replace(API.endpoints[0], idle=("tier", "settings.tone"), fields={}),))
    request = HttpRequest(method="POST", path="/v1/make", body=b'{"tier": "HD", "settings": {"tone": "warm"}}')
    asked = parse(api, api.endpoints[0], request)
    assert asked.unread == {"tier": "HD", "settings.tone": "warm"}
    assert asked.ignored == tuple(f"ignored: {name} (only Small itself heeds it)" for name in asked.unread)
    with pytest.raises(Problem) as caught:  # and they have bounds as any
        parse(api, api.endpoints[0], replace(request, body=b'{"tier": "4K"}'))
    assert caught.value.field == "tier"


def test_a_task_may_be_read_where_those_of_other_endpoints_are() -> None:
    made = API.endpoints[0]
    api = replace(
        API,
        show="{at}/{id}",
        endpoints=(replace(made, shown="all", route="all"), replace(made, at="other", shown="all", route="all")),
    )
    order = VendorRequest(generation=Generation(operation=T2V, model="two", prompt="a fox"), names=("two",))
    handle = answered(submit(api, order), {"id": "1", "status": "waiting"}).handle
    assert handle == {"id": "1", "at": "all"}
    assert next(poll(api, handle)).path == "/v1/all/1"
    reads = [route for route in wire(api).routes if isinstance(route, Read)]
    assert sorted(route.path for route in reads) == ["/v1/all/{id}", "/v1/make/{id}", "/v1/other/{id}"]
    assert {route.route for route in reads} == {"all"}


def answered(conversation: Any, body: Any, status: int = 200) -> Any:
    next(conversation)
    try:
        conversation.send(HttpResponse(status=status, body=msgspec.json.encode(body)))
    except StopIteration as end:
        return end.value
    raise AssertionError("it asks again")


def test_news_is_read_where_the_table_says() -> None:
    handle = {"id": "7", "at": "make"}
    task = {"id": "7", "status": "busy", "share": 0.25}
    assert answered(poll(API, handle), task).progress == 0.25
    files = [{"url": "https://h.example/1.mp4"}, {"url": "https://h.example/2.mp4"}]
    update = answered(poll(API, handle), task | {"status": "done", "files": files})
    assert update.links == ("https://h.example/1.mp4", "https://h.example/2.mp4")
    update = answered(poll(API, handle), task | {"status": "bad", "why": "no luck"})
    assert "no luck" in update.failure.message


def test_a_vendor_that_answers_at_once_has_made_it_when_it_answers() -> None:
    api = replace(API, show=None, reading=Reading(inline=("data.*.b64",), links=("data.*.url",)))
    order = VendorRequest(generation=Generation(operation=T2V, model="m", prompt="x"), names=("one",), reference="ours")
    update = answered(submit(api, order), {"data": [{"b64": "AAAA"}, {"b64": "BBBB"}]})
    assert (update.state, update.inline, update.links) == (State.SUCCEEDED, ("AAAA", "BBBB"), ())
    with pytest.raises(Problem, match="without a link"):
        answered(submit(api, order), {"data": []})
    assert all("GET" not in route.at for route in wire(api).routes)


def test_a_word_for_a_size_is_its_pixels() -> None:
    field = sized("ratio", {"16:9": (1280, 720)})
    assert field.read("16:9") == {"width": 1280, "height": 720}
    assert field.read("1:1") == {"extra": {"ratio": "1:1"}}
    assert field.write(Generation(operation=T2V, model="m", width=1280, height=720)) == "16:9"
    assert field.write(Generation(operation=T2V, model="m", width=3, height=4)) == "3x4"


START = replace(API, endpoints=(replace(API.endpoints[0], makes={Role.FIRST_FRAME: I2V, Role.VIDEO: MORE, None: I2V}),))
FRAME, CLIP = (Input(role=role, field=role, url="https://h.example/x") for role in (Role.FIRST_FRAME, Role.VIDEO))


@pytest.mark.parametrize(("operation", "role", "other"), [(I2V, FRAME, CLIP), (MORE, CLIP, FRAME)])
def test_inputs_that_exclude_one_another_are_not_said_together(operation: Operation, role: Input, other: Input) -> None:
    fields = API.fields | {"clip": FileField(role=Role.VIDEO)}
    api = replace(
        START, fields=fields, endpoints=(replace(START.endpoints[0], excludes={I2V: frozenset({Role.VIDEO})}),)
    )
    made = wire(api).back
    assert made
    said = made.supports(operation, ("two",)) or frozenset()
    assert role.role in said and other.role not in said
    order = VendorRequest(
        generation=Generation(operation=operation, model="m", inputs=(role, other)),
        names=("two",),
        sources={role.field: "theirs", other.field: "not this"},
    )
    assert "not this" not in translate(api, order)[1].values()
    assert "theirs" in translate(api, order)[1].values()
    assert made.ways(order, role) and not made.ways(order, other)


def test_a_whole_number_with_a_fraction_is_read_as_a_whole_one() -> None:
    """Stored as 5.0 it could not be read again."""
    counted = replace(API, fields={"seed": same("seed")}, endpoints=(replace(API.endpoints[0], body=Counted),))
    request = HttpRequest(method="POST", path="/v1/make", body=b'{"seed": 5.0}')
    seed = parse(counted, counted.endpoints[0], request).generation.seed
    assert (seed, type(seed)) == (5, int)


class Counted(Struct, kw_only=True):
    seed: int | None = None


def test_an_upload_takes_what_the_vendor_says() -> None:
    image = FileField(role=Role.FIRST_FRAME, ways=(Way.LINK, Way.UPLOAD), limits=MediaLimits(max_bytes=20))
    api = replace(
        API, fields={"image": image}, upload_limits=MediaLimits(types=("image/png", "image/webp"), max_bytes=10)
    )
    order = VendorRequest(generation=Generation(operation=I2V, model="m"), names=("two",))
    for type, expected in (
        ("image/png", (Transport(Way.LINK, 20), Transport(Way.UPLOAD, 10))),
        (None, (Transport(Way.LINK, 20), Transport(Way.UPLOAD, 10))),
        ("image/bmp", (Transport(Way.LINK, 20),)),
    ):
        assert ways(api, order, Input(role=Role.FIRST_FRAME, field="f", media_type=type)) == expected


def test_the_first_member_that_an_error_blames_and_we_know_is_the_problems_field() -> None:
    def blamed(told: Any) -> list[tuple[str, str]]:
        return [("", told["why"]), *((each, "is bad") for each in told["members"])]

    api = replace(API, reasons=(), blamed=blamed)
    order = VendorRequest(generation=Generation(operation=T2V, model="m", height=720), names=("two",))
    answer = json_response({"why": "no", "members": ["shape", "size", "settings.tone"]}, 400)
    problem = complaint(api, answer, order)
    assert (problem.kind, problem.field) == (Kind.INVALID, "height")
    assert problem.message.endswith("no; shape: is bad; size: is bad; settings.tone: is bad")
    assert complaint(api, answer).field == "width"


def test_an_answer_that_does_not_fit_its_type_cannot_be_read() -> None:
    api = replace(API, heard=Made)
    assert task_in(api, json_response({"id": "7", "more": 1})) == {"id": "7", "more": 1}
    with pytest.raises(Problem, match="cannot be read") as caught:
        task_in(api, json_response({"id": 7}))
    assert caught.value.kind is Kind.UPSTREAM_FAILED


@pytest.mark.parametrize("all", [True, False])
def test_a_rule_about_what_is_there_may_see_what_breaks_its_type(all: bool) -> None:
    def rules(said: dict[str, Any]) -> list[Flaw]:
        return [] if "image" in said else [custom_flaw(("clip",), "or an image")]

    endpoint = replace(API.endpoints[0], rules=rules, rules_see_all=all)
    with pytest.raises(Problem) as caught:
        parse(API, endpoint, HttpRequest(method="POST", path="/v1/make", body=b'{"image": 5}'))
    assert [flaw.path for flaw in caught.value.flaws] == ([("image",)] if all else [("image",), ("clip",)])


def read_scenes(value: Any) -> list[Input | Flaw | dict[str, Any]]:
    """A last frame where the text begins so; what is no text breaks the type."""
    found: list[Input | Flaw | dict[str, Any]] = []
    for index, text in enumerate(value):
        role = Role.LAST_FRAME if str(text).startswith("end:") else Role.FIRST_FRAME
        if isinstance(text, str):
            found.append(Input(role=role, field=f"scenes[{index}]", url=text.removeprefix("end:")))
        else:
            found.append(custom_flaw(("scenes", index), "is no text"))
    return [*found, {"scenes": len(value)}]


def write_scenes(order: VendorRequest) -> list[str] | None:
    ends = {Role.LAST_FRAME: "end:"}
    return [ends.get(each.role, "") + (each.url or "") for each in order.generation.inputs] or None


SCENES = FilesField(
    ours=("first_frame", "last_frame", "scenes"),
    read=read_scenes,
    write=write_scenes,
    named=lambda wish, path: wish.inputs[int(path[7])].role.value,
)


class Scenes(Struct, kw_only=True):
    scenes: list[str]
    prompt: str | None = None


STORY = Endpoint(at="story", title="A story", body=Scenes, models=("two",), makes={None: T2V}, always={"count": 1})
TOLD = replace(API, endpoints=(STORY,), fields={"scenes": SCENES, "prompt": same("prompt")})
FRAMES = tuple(
    Input(role=role, field=f"scenes[{index}]", url=f"https://h.example/{index}")
    for index, role in enumerate((Role.FIRST_FRAME, Role.LAST_FRAME))
)


def test_a_member_of_files_is_read_and_written_by_the_vendors_own_functions() -> None:
    body = {"scenes": ["https://h.example/0", "end:https://h.example/1"]}
    request = HttpRequest(method="POST", path="/v1/story", body=json.dumps(body).encode())
    read = parse(TOLD, TOLD.endpoints[0], request)
    assert (read.generation.inputs, read.generation.extra) == (FRAMES, {"scenes": 2})
    assert read.fields == {"first_frame": "scenes", "last_frame": "scenes"}
    wish = read.generation
    assert translate(TOLD, VendorRequest(generation=wish, names=("two",))) == ("story", body)
    blamed = replace(TOLD, blamed=lambda _: [("scenes[1]", "no")])
    assert (
        complaint(blamed, json_response({}, 400), VendorRequest(generation=wish, names=("two",))).field == "last_frame"
    )


def test_what_is_wrong_with_files_is_told_beside_what_breaks_their_type() -> None:
    request = HttpRequest(method="POST", path="/v1/story", body=b'{"scenes": ["https://h.example/0", 5], "prompt": 7}')
    with pytest.raises(Problem) as caught:
        parse(TOLD, TOLD.endpoints[0], request)
    assert [flaw.path for flaw in caught.value.flaws] == [("scenes", 1), ("prompt",)]


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"count": 2}, "count"),
        ({"inputs": (Input(role=Role.AUDIO, field="a", url="https://h.example/a"),)}, "audio"),
        ({"inputs": FRAMES[:1], "extra": {"last_frame": True}}, "last_frame"),
    ],
)
def test_what_has_no_place_in_a_body_is_refused_by_name(wish: dict[str, Any], field: str) -> None:
    with pytest.raises(Problem) as caught:
        translate(TOLD, VendorRequest(generation=Generation(operation=T2V, model="m", **wish), names=("two",)))
    assert (caught.value.kind, caught.value.field) == (Kind.UNSUPPORTED, field)


def test_what_is_always_so_may_be_asked_for() -> None:
    back = wire(TOLD).back
    assert back and "count" in (back.supports(T2V, ("two",)) or ())
    back.check(VendorRequest(generation=Generation(operation=T2V, model="m", inputs=FRAMES, count=1), names=("two",)))


def test_a_vendor_of_many_bodies_says_itself_where_an_operation_is_asked_for() -> None:
    api = replace(TOLD, endpoints=(), calls=lambda _, names: (TOLD.endpoints[0], names[0]))
    assert translate(api, VendorRequest(generation=Generation(operation=T2V, model="m", inputs=FRAMES), names=("x",)))[
        0
    ] == ("story")


def test_a_create_that_tells_no_status_waits_and_leaves_its_id_alone() -> None:
    api = replace(API, made_reading=Reading(status=""), at="")
    talk = submit(api, VendorRequest(generation=read(**FULL), names=("two",)))
    next(talk)
    with pytest.raises(StopIteration) as end:
        talk.send(json_response({"id": "7"}))
    update = end.value.value
    assert (update.state, update.upstream_status, update.handle) == (State.QUEUED, "waiting", {"id": "7"})


def test_a_failure_and_an_error_may_have_words_of_their_own() -> None:
    def failure(task: dict[str, Any]) -> Failure:
        return Failure(kind=Kind.REFUSED, message=task["why"], code="X")

    def meant(status: int, why: str) -> Kind | None:
        return Kind.BAD_MEDIA if status == 400 and "picture" in why else None

    api = replace(API, failure=failure, meant=meant)
    assert news(api, api.reading, {"status": "bad", "why": "no"}).failure == Failure(
        kind=Kind.REFUSED, message="no", code="X"
    )
    assert complaint(api, json_response({"error": "a bad picture"}, 400)).kind is Kind.BAD_MEDIA
    assert complaint(api, json_response({"error": "a bad picture"}, 401)).kind is Kind.UNAUTHENTICATED


@pytest.mark.parametrize(("fine", "status"), [(True, 404), (True, 204), (False, 204)])
def test_a_task_that_is_gone_was_stopped_where_its_vendor_says_so(fine: bool, status: int) -> None:
    talk = cancel(replace(API, stop="DELETE tasks/{id}", gone_is_stopped=fine), {"id": "7"})
    next(talk)
    with pytest.raises(StopIteration) as end:
        talk.send(HttpResponse(status=status))
    assert end.value.value is True


def test_a_percentage_is_a_share_of_a_hundred_and_of_nothing_else() -> None:
    assert share_of("45%", 100.0) == share_of(45, 100.0) == share_of(0.45, 1.0) == 0.45
    assert share_of("45%", 1.0) is None
    assert (share_of(150, 100.0), share_of(-1, 1.0)) == (1.0, 0.0)


class Clip(Struct, kw_only=True):
    type: Literal["first", "last"]
    url: str


class Listed(Struct, kw_only=True, tag_field="model", tag="one"):
    files: list[Clip]
    tone: Literal["warm"] | None = None


LISTED = replace(
    API,
    endpoints=(
        Endpoint(at="make", title="Make", body=Listed, models=("one",), makes={None: T2V},
                 undated=lambda name: name.partition("@")[0]),
    ),
    fields={
        "files[type=last].url": FileField(role=Role.LAST_FRAME),
        "files[type=first].url": FileField(role=Role.FIRST_FRAME),
        "files[type=sound].url": FileField(role=Role.AUDIO),
        "tone": extra("tone"),
    },
    sorts_flaws=False,
)  # fmt: skip


def clips(*urls: Any, **more: Any) -> HttpRequest:
    kinds = ("first", "last")
    files = [{"type": kind, "url": url} for kind, url in zip(kinds, urls, strict=False)]
    return HttpRequest(
        method="POST", path="/v1/make", body=json.dumps({"model": "one", "files": files} | more).encode()
    )


def test_a_file_in_a_list_is_named_by_its_place_and_said_by_what_it_is_for() -> None:
    links = ("https://h.example/1", "https://h.example/2")
    wish = parse(LISTED, LISTED.endpoints[0], clips(*links)).generation
    assert [(each.role, each.field) for each in wish.inputs] == [
        (Role.LAST_FRAME, "files[1].url"),
        (Role.FIRST_FRAME, "files[0].url"),
    ]
    order = VendorRequest(
        generation=wish, names=("one@2026",), sources={each.field: str(each.url) for each in wish.inputs}
    )
    body = translate(LISTED, order)[1]
    assert body["model"] == "one@2026"  # a snapshot is asked for by its own name
    assert {each["type"]: each["url"] for each in body["files"]} == dict(zip(("first", "last"), links, strict=True))
    # the list has no item for a sound
    assert Role.AUDIO not in (supports(LISTED, T2V, ("one",)) or ())


def test_what_is_wrong_with_a_file_is_told_beside_what_is_wrong_with_another() -> None:
    with pytest.raises(Problem) as caught:
        parse(LISTED, LISTED.endpoints[0], clips("ftp://x", 5, tone="cold"))
    paths = [flaw.path for flaw in caught.value.flaws]
    assert paths == [("files", 1, "url"), ("tone",), ("files", 0, "url")]


def test_a_create_that_tells_neither_result_nor_reason_tells_no_end() -> None:
    api = replace(API, made_reading=Reading(reason=()), headers=lambda order: {"x-mode": order.reference}, at="")
    order = VendorRequest(generation=Generation(operation=T2V, model="m", prompt="x"), names=("one",), reference="ours")
    assert next(submit(api, order)).headers["x-mode"] == "ours"
    update = answered(submit(api, order), {"id": "7", "status": "bad"})
    assert (update.state, update.upstream_status, update.handle) == (State.QUEUED, "bad", {"id": "7"})
    with pytest.raises(Problem, match="cannot be read"):
        answered(submit(replace(api, made_heard=Made), order), {"id": 7, "status": "waiting"})


def test_a_vendor_may_say_in_a_word_that_it_knows_no_such_task_and_in_a_code_why_one_failed() -> None:
    failure = Failure(kind=Kind.REFUSED, message="no", code="X")
    api = replace(API, lost=frozenset({"gone"}), failure=lambda _: failure, reading=Reading(id=""))
    with pytest.raises(Problem) as caught:
        answered(poll(api, {"id": "7"}), {"status": "gone"})
    assert caught.value.kind is Kind.NOT_FOUND
    assert answered(poll(api, {"id": "7"}), {"status": "bad"}).failure == failure
    mine = Problem(Kind.OVER_BUDGET, "pay")
    assert complaint(replace(api, complaint=lambda _: mine), HttpResponse(status=400)) is mine


def test_a_seed_of_a_wider_range_is_the_same_one_every_time() -> None:
    wish = Generation(operation=T2V, model="m", seed=2**31 + 5)
    assert [folded(2**31 - 1).write(replace(wish, seed=seed)) for seed in (2**31 + 5, 0, -1, None)] == [5, 0, -1, None]
