"""Udio, as resellers have it, in both dialects: that of songs, as its web site answers, and that of tasks.

A song has an id of its own, which says whose job it is; the task's is the generation's.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, Literal, cast

from msgspec import Meta, Struct
from msgspec.structs import replace

from mutoscope.model.catalog import ADVICE, Model, nominal
from mutoscope.model.catalog import row as model_row
from mutoscope.model.http import HttpRequest, HttpResponse, json_response
from mutoscope.model.job import Job, Json, Operation, Role
from mutoscope.model.problem import Flaw, custom_flaw
from mutoscope.wirekit.fields import AnyField, Field, JobField, extra, same
from mutoscope.wirekit.ids import uuid4_form
from mutoscope.wirekit.paths import at
from mutoscope.wirekit.routes import Create, ReadMany
from mutoscope.wirekit.task import Endpoint, TaskApi, parse
from mutoscope.wires import _music
from mutoscope.wires._music import Hook, Take, TaskEnvelope, takes, wired

ROOT = "/udio/"
SECONDS = {"udio32-v1.5": 32.8, "udio130-v1.5": 131.0}
CREDITS = {"udio32-v1.5": 5.0, "udio130-v1.5": 10.0}

# -- bodies ------------------------------------------------------------------------------

Share = Annotated[float, Meta(ge=0, le=1)]


class Source(Struct, kw_only=True):
    source_type: Literal["song"] = "song"
    song_id: str


class Config(Struct, kw_only=True):
    mode: Literal["regular", "precede", "continuation"] = "regular"
    context_length: int | None = None
    source: Source | None = None


class Params(Struct, kw_only=True):
    prompt: Annotated[str, Meta(min_length=1)]
    lyrics: str | None = None
    lyrics_type: Literal["generate", "user", "instrumental"] | None = None
    bypass_prompt_optimization: bool | None = None
    seed: int | None = None  # -1: any
    song_section_start: Share | None = None
    song_section_end: Share | None = None
    lyrics_placement_start: Share | None = None
    lyrics_placement_end: Share | None = None
    prompt_strength: Share | None = None
    clarity_strength: Share | None = None
    lyrics_strength: Share | None = None
    generation_quality: Share | None = None
    negative_prompt: str | None = None
    model_type: Literal["udio32-v1.5", "udio130-v1.5"] | None = None  # the short one
    config: Config | None = None


class Wish(Struct, kw_only=True):
    gen_params: Params
    notify_hook: Hook | None = None


class Query(Struct, frozen=True, kw_only=True):
    ids: str = ""  # of songs, with commas between


HINTS = (
    "bypass_prompt_optimization",
    *("song_section_start", "song_section_end", "lyrics_placement_start", "lyrics_placement_end"),
    *("prompt_strength", "clarity_strength", "lyrics_strength", "generation_quality"),
)
"""What most clients always send. An engine that knows nothing of it makes a song all the same, and a note says so."""


def read_mode(mode: str) -> Json:
    return {"extra": {"mode": mode}} if mode == "precede" else {}


FIELDS: dict[str, AnyField] = {
    "gen_params.prompt": same("prompt"),
    "gen_params.lyrics": extra("lyrics"),
    "gen_params.lyrics_type": Field(
        ours=("instrumental",),
        read=lambda word: {"extra": {"instrumental": True}} if word == "instrumental" else {},
        write=lambda wish: "instrumental" if wish.extra.get("instrumental") else wish.extra.get("lyrics") and "user",
    ),
    "gen_params.seed": same("seed"),
    "gen_params.negative_prompt": same("negative_prompt"),
    "gen_params.config.mode": Field(
        ours=("mode",),
        read=read_mode,
        write=lambda wish: (
            wish.extra.get("mode") or ("continuation" if wish.operation is Operation.MUSIC_EXTENSION else "regular")
        ),
    ),
    "gen_params.config.context_length": extra("context_length"),
    "gen_params.config.source.song_id": JobField(
        role=Role.AUDIO, output=_music.place_of, beside={"source_type": "song"}
    ),
    **{f"gen_params.{name}": extra(name) for name in HINTS},
}


def unwrapped(said: Json) -> Json:
    """One form of several: the members at the top, where some relays have them; empty texts; a seed of -1."""
    hook = {name: said[name] for name in ("notify_hook",) if said.get(name) not in (None, "")}
    inner = said.get("gen_params", {name: value for name, value in said.items() if name not in hook})
    if not isinstance(inner, dict):
        return said
    told = _music.without_blanks(cast("Json", inner))
    if told.get("seed") == -1:
        del told["seed"]
    if told.get("lyrics_type") == "instrumental":
        told.pop("lyrics", None)
    outside = {name: value for name, value in said.items() if "gen_params" in said and name != "notify_hook"}
    return outside | {"gen_params": told} | hook


def source_flaws(said: Json) -> Iterator[Flaw]:
    """A source alone is continued, whatever the mode."""
    mode = at(said, "gen_params.config.mode")
    if mode not in (None, "regular") and not at(said, "gen_params.config.source.song_id"):
        yield custom_flaw(("gen_params", "config", "source", "song_id"), f"is required with mode {mode}")


# -- answers -----------------------------------------------------------------------------


class Song(Struct, kw_only=True):
    """Finished is not made: `song_path` and `error_type` tell."""

    artist: str = ""
    artist_image: str | None = None
    attribution: str = ""
    audio_conditioning_type: str | None = None
    created_at: str
    description: str = ""
    disliked: bool = False
    duration: float | None
    error_code: str | None
    error_detail: str | None
    error_id: str | None = None
    error_type: str | None
    finished: bool
    generation_id: str
    id: str
    image_path: str | None
    liked: bool = False
    likes: int = 0
    lyrics: str
    original_song_path: str | None = None
    plays: int = 0
    prompt: str
    publishable: bool = True
    published_at: str | None = None
    replaced_tags: dict[str, Any] = {}
    song_path: str | None
    tags: list[str] = []
    title: str
    user_id: str = ""
    user_tags: list[str] = []
    video_path: str | None


class Songs(Struct, kw_only=True):
    songs: list[Song]


class Created(Struct, kw_only=True):
    """As the web site answers; which songs to ask for."""

    message: str = "Success"
    generation_id: str
    track_ids: list[str]


def songs_of(job: Job) -> list[Song]:
    return [song(job, take) for take in takes(job)]


def song(job: Job, take: Take) -> Song:
    wish, failure = job.generation, job.failure
    failed = _music.STATES[job.state] == "FAILURE"
    return Song(
        created_at=datetime.fromtimestamp(job.created, UTC).isoformat(timespec="microseconds"),
        duration=take.sound.seconds if take.sound else None,
        error_code=(failure.kind.value if failure else "canceled") if failed else None,
        error_detail=_music.reason_of(job) or None,
        error_type="generation_failed" if failed else None,
        finished=job.state.final,
        generation_id=uuid4_form(job.id),
        id=take.id,
        image_path=_music.link(take.cover),
        lyrics=str(wish.extra.get("lyrics") or ""),
        prompt=wish.prompt or "",
        song_path=_music.link(take.sound),
        title=(wish.prompt or "").strip().partition("\n")[0][:80],
        video_path=_music.link(take.video),
    )


def task(job: Job) -> TaskEnvelope:
    return _music.task_of(job, "udio-generate", Songs(songs=songs_of(job)))


def created(job: Job, _request: HttpRequest) -> HttpResponse:
    return json_response(Created(generation_id=uuid4_form(job.id), track_ids=[take.id for take in takes(job)]))


def wanted(request: HttpRequest) -> tuple[str, ...]:
    return tuple(filter(None, (id.strip() for id in request.query.get("ids", "").split(","))))


def render_songs(jobs: tuple[Job, ...], request: HttpRequest) -> HttpResponse:
    """In the order asked; a generation's own id stands for all of its songs."""
    made = {job.id: songs_of(job) for job in jobs}
    asked = ((id.lower(), made.get(_music.job_id(id) or "", [])) for id in wanted(request))
    shown = [each for id, songs in asked for each in songs if id in (each.id, each.generation_id)]
    return json_response(Songs(songs=shown))


GENERATE = Endpoint(
    at="submit/music",
    title="Make music",
    body=Wish,
    models=tuple(SECONDS),
    model_at="gen_params.model_type",
    makes={Role.AUDIO: Operation.MUSIC_EXTENSION, None: Operation.TEXT_TO_MUSIC},
    rules=source_flaws,
    reshape=unwrapped,
)
# fmt: off
API = TaskApi(
    name="udio", vendor="Udio", title="Udio (relay protocols)",
    docs="https://apiai.apifox.cn/project-4287160/api-229932213",
    base_url="", root=ROOT, show="fetch/{id}", endpoints=(GENERATE,), fields=FIELDS, task=task, answer=TaskEnvelope,
    reading=_music.reading(tuple(
        f"data.{songs}.*.{path}" for path in ("song_path", "video_path") for songs in ("data.songs", "songs")
    )),
    **_music.SHARED,
)
# fmt: on


def proxy(path: str, title: str) -> Create:
    read = partial(parse, API, API.endpoints[0])
    return Create(at=f"POST {ROOT}{path}", parse=read, render=created, body=Wish, answer=Created, summary=title)


SONG_DIALECT = (
    proxy("generate-proxy", "Make music, as the web site answers"),
    proxy("generate", "Make music, as the web site answers (another spelling)"),
    ReadMany(
        at=f"GET {ROOT}query", ids=wanted, render=render_songs, answer=Songs, query=Query, summary="Read several songs"
    ),
)
WIRE = wired(replace(API, routes=SONG_DIALECT), "data.data.songs.*.id")
ROWS: tuple[Model, ...] = tuple(
    model_row(
        name,
        "udio",
        *(Operation.TEXT_TO_MUSIC, Operation.MUSIC_EXTENSION),
        price=nominal("a reseller's, for both songs", job=CREDITS[name]),
        defaults={"count": 2, "seconds": seconds},
        names={"udio": (name,)},
        ignores=ADVICE | {*HINTS, "context_length"},
    )
    for name, seconds in SECONDS.items()
)
