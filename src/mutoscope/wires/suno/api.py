"""The relay protocol of the Suno-API project, which resellers carry: Suno itself has no API."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any, cast

from msgspec import Meta, Struct

from mutoscope.model.http import HttpRequest, HttpResponse, json_response
from mutoscope.model.job import Job, Json, MediaLimits, Operation, Role, State, Update
from mutoscope.model.problem import Flaw, Kind, Problem, custom_flaw
from mutoscope.wirekit.answers import ask
from mutoscope.wirekit.back import Conversation
from mutoscope.wirekit.body import read_body
from mutoscope.wirekit.fields import AnyField, Field, FileField, JobField, extra, same
from mutoscope.wirekit.ids import part_form, uuid4_form
from mutoscope.wirekit.media import Link
from mutoscope.wirekit.paths import at
from mutoscope.wirekit.routes import ReadMany, Reply
from mutoscope.wirekit.task import Endpoint, TaskApi, news, task_in
from mutoscope.wires import _music
from mutoscope.wires._music import Hook, Take, Task, TaskEnvelope, takes, wired

ROOT = "/suno/"
LYRICS, CONCAT, UPLOAD = "suno-lyrics", "suno-concat", "suno-upload"  # our names: these have no `mv`
EXTENDS = ("extend", "upload_extend")  # words of `task` that say what `continue_clip_id` says already
NOTED = frozenset({"covers", "cover_clip_id"})  # what no engine here can do, and clients send: noted, not refused
LONGEST_UPLOAD = 300.0  # seconds

# -- bodies ------------------------------------------------------------------------------

VERSIONS = ("chirp-v3-0", "chirp-v3-5", "chirp-v4", "chirp-auk", "chirp-auk-turbo", "chirp-bluejay", "chirp-crow")
"""The first is meant where none is named. There are more at resellers, whom their names reach as they are."""
Version = Annotated[str, Meta(pattern="^chirp-[a-z0-9.-]{1,40}$", examples=["chirp-v4"])]
Seconds = Annotated[float, Meta(ge=0)]


class Music(Struct, kw_only=True):
    """A description, or words of one's own with a title and a style; either may go on from an earlier clip."""

    gpt_description_prompt: str | None = None
    prompt: str | None = None  # lyrics
    title: str | None = None
    tags: str | None = None
    negative_tags: str | None = None
    mv: Version | None = None  # the oldest
    make_instrumental: bool | None = None
    continue_clip_id: str | None = None
    continue_at: Seconds | None = None
    task_id: str | None = None  # of the clip: it is found without
    task: str | None = None
    cover_clip_id: str | None = None
    generation_type: str | None = None
    persona_id: str | None = None
    artist_clip_id: str | None = None
    stem_type_id: int | None = None
    stem_type_group_name: str | None = None
    stem_task: str | None = None
    notify_hook: Hook | None = None


SAYS = ("gpt_description_prompt", "prompt", "tags", "title", "continue_clip_id")
Song = Annotated[Music, Meta(extra_json_schema={"anyOf": [{"required": [name]} for name in SAYS]})]


class Lyrics(Struct, kw_only=True):
    prompt: Annotated[str, Meta(min_length=1)]
    notify_hook: Hook | None = None


class Concat(Struct, kw_only=True):
    """`clip_id` is that of the extension: what it goes on from is known."""

    clip_id: Annotated[str, Meta(min_length=1)]
    is_infill: bool | None = None
    notify_hook: Hook | None = None


class Upload(Struct, kw_only=True):
    url: Link
    notify_hook: Hook | None = None


class Wanted(Struct, kw_only=True):
    ids: list[str] = []
    action: str | None = None


def flag(ours: str) -> Field:
    """A switch that says nothing while it is off."""
    return Field(
        ours=(ours,), read=lambda on: {"extra": {ours: True}} if on else {}, write=lambda wish: wish.extra.get(ours)
    )


def read_task(word: str) -> Json:
    """An extension is said by the clip; a cover is noted; what else there is goes by its own word."""
    return {} if word in EXTENDS else {"extra": {"covers" if word == "cover" else "task": word}}


ONLY_WITH_TASK = (
    *("cover_clip_id", "persona_id", "artist_clip_id"),
    *("stem_type_id", "stem_type_group_name", "stem_task"),
)
FIELDS: dict[str, AnyField] = {
    "gpt_description_prompt": same("prompt"),
    "prompt": extra("lyrics"),
    "title": extra("title"),
    "tags": extra("tags"),
    "negative_tags": same("negative_prompt"),
    "make_instrumental": flag("instrumental"),
    "continue_clip_id": JobField(role=Role.AUDIO, output=_music.place_of),
    "continue_at": extra("continue_at"),
    "task_id": Field(ours=("task_id",), read=lambda _: {}, write=lambda wish: wish.extra.get("task_id")),
    "task": Field(
        ours=("task", "covers"),
        read=read_task,
        write=lambda wish: wish.extra.get("task") or wish.extra.get("covers"),
    ),
    "generation_type": Field(
        ours=("generation_type",),
        read=lambda word: {} if word == "TEXT" else {"extra": {"generation_type": word}},
        write=lambda wish: wish.extra.get("generation_type"),
    ),
    **{name: extra(name) for name in ONLY_WITH_TASK},
}
OTHERS: dict[str, AnyField] = {
    "prompt": same("prompt"),
    "clip_id": JobField(role=Role.AUDIO, output=_music.place_of),
    "is_infill": flag("is_infill"),
    "url": FileField(role=Role.AUDIO, limits=MediaLimits(max_seconds=LONGEST_UPLOAD)),
}


def without_nothing(said: Json) -> Json:
    """Empty texts and a cut at 0 stand for nothing: some clients send every member always."""
    told = _music.without_blanks(said)
    return {name: value for name, value in told.items() if name != "continue_at" or value != 0}


def song_of(said: Json) -> Json:
    return {"mv": VERSIONS[0]} | without_nothing(said)


def song_flaws(said: Json) -> Iterator[Flaw]:
    if not any(said.get(name) for name in SAYS):
        yield custom_flaw(("gpt_description_prompt",), f"one of {', '.join(SAYS)} is needed")
    if said.get("continue_at") and not said.get("continue_clip_id"):
        yield custom_flaw(("continue_clip_id",), "is required with continue_at: which clip is cut there")


# -- answers -----------------------------------------------------------------------------

CLIP_STATES = {
    State.QUEUED: ("submitted", "pending"),
    State.RUNNING: ("queued", "running"),
    State.SUCCEEDED: ("complete", "succeeded"),
    State.FAILED: ("error", "failed"),
    State.CANCELED: ("error", "failed"),
}
"""A clip's `status` and `state`."""
TYPES = {"MUSIC": "gen", "CONCAT": "concat", "UPLOAD": "upload"}
TITLE = "[Title: "  # begins the first line of words that have a title


class Metadata(Struct, kw_only=True):
    tags: str
    prompt: str
    gpt_description_prompt: str | None
    audio_prompt_id: None = None
    history: list[Json] | None
    concat_history: list[Json] | None
    type: str  # gen, concat, upload
    duration: float | None
    refund_credits: bool = False
    stream: bool = True
    error_type: str | None
    error_message: str | None


class Clip(Struct, kw_only=True):
    """The long form, and beside it what resellers' flat form has."""

    id: str
    clip_id: str
    task_id: str
    title: str
    status: str  # submitted, queued, streaming, complete, error
    state: str
    msg: str = ""
    mv: str
    tags: str
    prompt: str
    duration: float | None
    continue_at: float | None
    audio_url: str
    video_url: str
    image_url: str
    image_large_url: str
    is_video_pending: bool = False
    major_model_version: str
    model_name: str
    is_liked: bool = False
    user_id: str = ""
    display_name: str = ""
    handle: str = ""
    is_handle_updated: bool = False
    is_trashed: bool = False
    reaction: None = None
    created_at: str
    play_count: int = 0
    upvote_count: int = 0
    is_public: bool = False
    metadata: Metadata


class Tasks(Struct, kw_only=True):
    code: str = "success"
    message: str = ""
    data: list[Task]


def task(job: Job) -> TaskEnvelope:
    action = action_of(job)
    return _music.task_of(job, action, words_of(job) if action == "LYRICS" else clips_of(job, action))


def action_of(job: Job) -> str:
    match job.generation.operation:
        case Operation.TEXT_TO_TEXT:
            return "LYRICS"
        case Operation.MUSIC_JOIN:
            return "UPLOAD" if job.generation.model == UPLOAD else "CONCAT"
        case _:
            return "MUSIC"


def words_of(job: Job) -> Json | None:
    """Lyrics: an object, where all else is a list."""
    text = next((each.text for each in job.outputs if each.text is not None), None)
    if job.state is not State.SUCCEEDED or text is None:
        return None
    first, _, rest = text.partition("\n")
    titled = first.startswith(TITLE) and first.endswith("]")
    title = first.removeprefix(TITLE)[:-1] if titled else title_of(job)
    return {"id": part_form(job.id, 0), "title": title, "text": rest.strip() if titled else text, "status": "complete"}


def title_of(job: Job) -> str:
    told = job.generation.extra.get("title")
    return told if isinstance(told, str) else (job.generation.prompt or "").strip().partition("\n")[0][:80]


def clips_of(job: Job, action: str) -> list[Clip]:
    return [clip(job, take, action) for take in takes(job)]


def clip(job: Job, take: Take, action: str) -> Clip:
    wish, failed = job.generation, _music.STATES[job.state] == "FAILURE"
    status, state = CLIP_STATES[job.state]
    version = wish.model if action == "MUSIC" else ""
    tags, lyrics = str(wish.extra.get("tags") or ""), str(wish.extra.get("lyrics") or "")
    cover, duration = _music.link(take.cover) or "", take.sound.seconds if take.sound else None
    origin = origin_of(job)
    return Clip(
        id=take.id,
        clip_id=take.id,
        task_id=f"{uuid4_form(job.id)}_{take.number + 1}",
        title=title_of(job),
        status=status,
        state=state,
        mv=version,
        tags=tags,
        prompt=lyrics,
        duration=duration,
        continue_at=wish.extra.get("continue_at"),
        audio_url=_music.link(take.sound) or "",
        video_url=_music.link(take.video) or "",
        image_url=cover,
        image_large_url=cover,
        major_model_version=version.removeprefix("chirp-").replace("-", "."),
        model_name=version,
        created_at=datetime.fromtimestamp(job.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        metadata=Metadata(
            tags=tags,
            prompt=lyrics,
            gpt_description_prompt=wish.prompt,
            history=origin if action == "MUSIC" else None,
            concat_history=origin if action == "CONCAT" else None,
            type=TYPES[action],
            duration=duration,
            error_type=(job.failure.kind.value if job.failure else "canceled") if failed else None,
            error_message=_music.reason_of(job) if failed else None,
        ),
    )


def origin_of(job: Job) -> list[Json] | None:
    """The clip that this one was made from."""
    given = job.generation.input(Role.AUDIO)
    if given is None or given.output_of is None:
        return None
    cut = job.generation.extra.get("continue_at")
    return [{"id": part_form(given.output_of, given.output), "continue_at": cut, "type": "gen", "source": "web"}]


# -- several at once ----------------------------------------------------------------------


def wanted_ids(request: HttpRequest) -> tuple[str, ...]:
    return tuple(read_body(request.body, Wanted).ids)


def render_tasks(jobs: tuple[Job, ...], _request: HttpRequest) -> HttpResponse:
    return json_response(Tasks(data=[task(job).data for job in jobs]))


def no_action(request: HttpRequest) -> HttpResponse:
    actions = ", ".join(each.at.removeprefix("submit/") for each in API.endpoints if each.at.startswith("submit/"))
    told = f"invalid_action: there is no {request.params['action']!r} here; there are {actions}."
    raise Problem(Kind.INVALID, told)


def batch(handles: tuple[Json, ...]) -> Conversation[dict[int, Update]]:
    answer = task_in(API, (yield ask("POST", f"{ROOT}fetch", {"ids": [handle["id"] for handle in handles]})))
    told = cast("list[Any]", answer["data"]) if isinstance(answer.get("data"), list) else []
    tasks = {str(at(each, "task_id")): each for each in told}
    return {
        place: news(API, API.reading, {"data": tasks[handle["id"]]})
        for place, handle in enumerate(handles)
        if handle["id"] in tasks
    }


ROUTES = (
    ReadMany(
        at=f"POST {ROOT}fetch", ids=wanted_ids, render=render_tasks, body=Wanted, answer=Tasks, summary="Read several"
    ),
    Reply(at=f"POST {ROOT}submit/{{action}}", reply=no_action, summary="Any other action: there is none"),
)


def endpoint(path: str, title: str, body: Any, operation: Operation, model: str) -> Endpoint:
    also = (upper(path),) if path.startswith("submit/") else ()
    return Endpoint(at=path, also=also, title=title, body=body, models=(model,), model_at=None,
                    makes={None: operation}, fields=OTHERS, reshape=without_nothing)  # fmt: skip


def upper(path: str) -> str:
    """As new-api forwards it."""
    return f"submit/{path.removeprefix('submit/').upper()}"


# fmt: off
API = TaskApi(
    name="suno", vendor="Suno", title="Suno (relay protocol)", docs="https://github.com/Suno-API/Suno-API",
    base_url="", root=ROOT, show="fetch/{id}",
    endpoints=(
        Endpoint(at="submit/music", also=(upper("submit/music"),), title="Make music", body=Song, model_at="mv",
                 makes={Role.AUDIO: Operation.MUSIC_EXTENSION, None: Operation.TEXT_TO_MUSIC}, rules=song_flaws,
                 reshape=song_of),
        endpoint("submit/lyrics", "Write lyrics", Lyrics, Operation.TEXT_TO_TEXT, LYRICS),
        endpoint("submit/concat", "Join an extension to what it goes on from", Concat, Operation.MUSIC_JOIN, CONCAT),
        endpoint("uploads/audio-url", "Take in a piece", Upload, Operation.MUSIC_JOIN, UPLOAD),
    ),
    fields=FIELDS, task=task, answer=TaskEnvelope,
    reading=_music.reading(("data.data.*.audio_url", "data.data.*.video_url"), texts=("data.data.text",)),
    batch=batch, batch_key=lambda _: "", open_models=True, routes=ROUTES, **_music.SHARED,
)
# fmt: on
WIRE = wired(API, "data.data.*.id")
