"""OpenAI's API as a wire: its routes, its errors, its lists."""

import math
from collections.abc import Callable
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from mutoscope.model.http import HttpRequest, HttpResponse, json_response
from mutoscope.model.job import Job, Output, State
from mutoscope.model.problem import Flaw, Kind, Problem, Rule
from mutoscope.model.requests import ANY_FILE, Allowance, Page, Upload, UploadWish
from mutoscope.wirekit.flaws import plain
from mutoscope.wirekit.queries import read_query
from mutoscope.wirekit.routes import (
    Again,
    Content,
    DropFile,
    List,
    ListUploads,
    Models,
    Read,
    ReadFile,
    Secret,
    Socket,
    Stop,
    Stream,
    TakeFile,
)
from mutoscope.wirekit.task import TaskApi, bearer, wire
from mutoscope.wirekit.words import Answer, Author, Words
from mutoscope.wires.openai import chat, media, realtime, responses, vectors
from mutoscope.wires.openai.local import media_back

ROOT = "/v1/"
JSON = dict[str, Any]
BARE = (
    *("/chat/completions", "/completions", "/embeddings", "/responses", "/models", "/moderations"),
    *("/responses/input_tokens", "/responses/{id}", "/responses/{id}/cancel", "/responses/{id}/input_items"),
    *("/realtime", "/realtime/client_secrets"),
)
CREATED = 1_790_000_000  # of every model: nobody reads it

# -- errors ----------------------------------------------------------------------------


class Trouble(Struct, kw_only=True):
    message: str
    type: str
    param: str | None
    code: str | None


class Error(Struct):
    error: Trouble


TYPES: dict[Kind, str] = {
    Kind.FORBIDDEN: "permission_error",
    Kind.RATE_LIMITED: "requests",
    Kind.QUOTA_EXCEEDED: "insufficient_quota",
    Kind.OVER_BUDGET: "insufficient_quota",
}
CODES: dict[Kind, str] = {
    Kind.UNAUTHENTICATED: "invalid_api_key",
    Kind.UNSUPPORTED: "unsupported_value",
    Kind.BAD_MEDIA: "invalid_image_format",
    Kind.RATE_LIMITED: "rate_limit_exceeded",
    Kind.QUOTA_EXCEEDED: "insufficient_quota",
    Kind.OVER_BUDGET: "insufficient_quota",
    Kind.REFUSED: "content_policy_violation",
}
RULE_CODES: dict[Rule, str] = {
    Rule.REQUIRED: "missing_required_parameter",
    Rule.TYPE: "invalid_type",
    Rule.UNKNOWN_KEY: "unknown_parameter",
    Rule.MAX_LENGTH: "string_above_max_length",
}


def error(problem: Problem, status: int) -> Error:
    usual = "server_error" if status >= 500 else "invalid_request_error"
    code = CODES.get(problem.kind) or (problem.kind.value if status >= 500 else None)
    if problem.kind is Kind.NOT_FOUND and problem.field == "model":
        code = "model_not_found"
    if problem.field == "previous_response_id" and problem.kind is Kind.INVALID:
        code = "previous_response_not_found"
    if problem.flaws:
        code = RULE_CODES.get(problem.flaws[0].rule, "invalid_value")
    told = Trouble(message=problem.message, type=TYPES.get(problem.kind, usual), param=problem.field, code=code)
    return Error(error=told)


def worded(flaw: Flaw) -> str:
    return "Unknown parameter" if flaw.rule is Rule.UNKNOWN_KEY else plain(flaw)


def credential(request: HttpRequest) -> str | None:
    """The bearer's key; that of Azure's clients, and of those who speak to Anthropic as well."""
    return bearer(request) or request.headers.get("api-key") or request.headers.get("x-api-key") or None


def pace_headers(allowance: Allowance) -> dict[str, str]:
    return {
        f"x-ratelimit-limit-{allowance.of}": str(allowance.limit),
        f"x-ratelimit-remaining-{allowance.of}": str(allowance.remaining),
        f"x-ratelimit-reset-{allowance.of}": f"{math.ceil(allowance.reset_seconds * 1000)}ms",
    }


# -- models ------------------------------------------------------------------------------


class ModelRow(Struct, kw_only=True):
    id: str
    object: str
    created: int
    owned_by: str


class ModelRows(Struct, kw_only=True):
    object: str
    data: list[ModelRow]


def model_row(word: str) -> ModelRow:
    return ModelRow(id=word, object="model", created=CREATED, owned_by="mutoscope")


def list_models(words: tuple[str, ...], _request: HttpRequest) -> HttpResponse:
    return json_response(ModelRows(object="list", data=[model_row(word) for word in words]))


def show_model(words: tuple[str, ...], request: HttpRequest) -> HttpResponse:
    word = request.params["model"]
    if word not in words:
        raise Problem(Kind.NOT_FOUND, f"The model '{word}' does not exist", field="model")
    return json_response(model_row(word))


# -- videos ------------------------------------------------------------------------------


class Listing(Struct, frozen=True, kw_only=True):
    limit: Annotated[int, Meta(ge=0, le=100)] = 20
    order: Literal["asc", "desc"] = "desc"
    after: str | None = None


class Listed(Struct, kw_only=True):
    object: str
    data: list[Any]
    first_id: str | None
    last_id: str | None
    has_more: bool


class Deleted(Struct, kw_only=True):
    id: str
    object: str
    deleted: bool


def job_id(public: str) -> str | None:
    return uuid_in(public, "video_")


def uuid_in(public: str, prefix: str) -> str | None:
    """The UUID whose digits follow the prefix."""
    digits = public.removeprefix(prefix)
    if digits == public or len(digits) != 32 or not all(each in "0123456789abcdef" for each in digits):
        return None
    return str(UUID(digits))


MOST_LISTED = 10_000


def parse_page(request: HttpRequest) -> Page:
    """Ids are made in the order of time: what comes after one is what is smaller. From the oldest on all are read."""
    asked = read_query(request, Listing)
    after = None if asked.after is None else job_id(asked.after)
    if asked.after is not None and after is None:
        raise Problem(Kind.NOT_FOUND, f"There is no video {asked.after!r}.", field="after")
    if asked.order == "asc":
        return Page(size=MOST_LISTED, offset=0, keep=lambda job: after is None or job.id > after)
    return Page(size=asked.limit, offset=0, ahead=1, keep=lambda job: after is None or job.id < after)


def render_list(jobs: tuple[Job, ...], request: HttpRequest) -> HttpResponse:
    asked = read_query(request, Listing)
    ordered = tuple(reversed(jobs)) if asked.order == "asc" else jobs
    shown = [media.video(job) for job in ordered[: asked.limit]]
    return listed(shown, more=len(ordered) > asked.limit)


def listed(shown: list[Any], *, more: bool = False) -> HttpResponse:
    first, last = (shown[0].id, shown[-1].id) if shown else (None, None)
    return json_response(Listed(object="list", data=shown, first_id=first, last_id=last, has_more=more))


def show_video(job: Job, _request: HttpRequest) -> HttpResponse:
    return json_response(media.video(job), 200, {"openai-poll-after-ms": "1000"})


def pick(job: Job, request: HttpRequest) -> Output:
    variant = request.query.get("variant", "video")
    if variant != "video":
        raise Problem(Kind.UNSUPPORTED, f"There is no {variant} of a video here.", field="variant")
    if job.state is not State.SUCCEEDED or not job.outputs:
        raise Problem(Kind.NOT_FOUND, f"The video is {media.STATES[job.state]}; there is no content yet.", field="id")
    return job.outputs[0]


# -- files -------------------------------------------------------------------------------

MAX_FILE = 512 * 1024 * 1024
KEPT_FILE = 10 * 365 * 86400.0
PURPOSES = ("assistants", "batch", "fine-tune", "vision", "user_data", "evals")


class FileBody(Struct, kw_only=True):
    """The form's parts."""

    file: str
    purpose: Literal["assistants", "batch", "fine-tune", "vision", "user_data", "evals"]


class File(Struct, kw_only=True, omit_defaults=True):
    id: str
    object: str
    bytes: int
    created_at: int
    filename: str
    purpose: str
    status: str
    expires_at: int | None = None


def parse_file(request: HttpRequest) -> UploadWish:
    """The purpose is kept before the name."""
    texts = request.form.texts if request.form else {}
    purpose = texts.get("purpose", [""])[0]
    if purpose not in PURPOSES:
        raise Problem(Kind.INVALID, f"purpose should be one of {', '.join(PURPOSES)}.", field="purpose")
    seconds = texts.get("expires_after[seconds]", [""])[0]
    if seconds and not (seconds.isdigit() and 3600 <= int(seconds) <= 2_592_000):
        raise Problem(Kind.INVALID, "expires_after[seconds] should be 3600 to 2592000.", field="expires_after")
    name = request.form.files["file"][0].name if request.form else ""
    keep = float(seconds) if seconds else KEPT_FILE
    return UploadWish(
        media_type=ANY_FILE, name=f"{purpose}/{name}", max_bytes=MAX_FILE, keep_seconds=keep, slot_seconds=1.0
    )


def file_of(upload: Upload) -> File:
    purpose, _, name = (upload.name or "/").partition("/")
    kept = upload.expires - upload.created < KEPT_FILE
    return File(
        id=file_public(upload.id),
        object="file",
        bytes=upload.bytes or 0,
        created_at=int(upload.created),
        filename=name,
        purpose=purpose,
        status="processed",
        expires_at=int(upload.expires) if kept else None,
    )


def file_id(public: str) -> str | None:
    return uuid_in(public, "file-")


def file_public(id: str) -> str:
    return f"file-{id.replace('-', '')}"


def show_file(upload: Upload, _request: HttpRequest) -> HttpResponse:
    return json_response(file_of(upload))


def file_bytes(upload: Upload, _request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=302, headers={"location": upload.asset_url, "cache-control": "no-store"})


def file_deleted(upload: Upload, _request: HttpRequest) -> HttpResponse:
    return json_response(Deleted(id=file_public(upload.id), object="file", deleted=True))


def list_files(uploads: tuple[Upload, ...], request: HttpRequest) -> HttpResponse:
    wanted = request.query.get("purpose")
    return listed([file for file in map(file_of, uploads) if wanted in (None, file.purpose)])


# -- the wire ------------------------------------------------------------------------------


def stream(at: str, write: Callable[[HttpRequest, Author], Answer], body: Any, answer: Any, summary: str) -> Stream:
    told: dict[str, Any] = {"write": write, "body": body, "answer": answer, "summary": summary}
    if at.startswith("POST /v1/responses"):
        told |= {"target": responses.target, "memory": responses.MEMORY}
        return Stream(at=at, usage=chat.tokens_reported, broken=responses.broken, **told)
    return Stream(at=at, usage=chat.tokens_reported, broken=chat.broken, **told)


def again(at: str, write: Callable[[HttpRequest, Author], Answer], summary: str, **more: Any) -> Again:
    """Nothing is used by what was answered before."""
    return Again(
        at=at, write=write, usage=lambda _: None, broken=responses.broken, answer=JSON, summary=summary, **more
    )


def rendered_error(problem: Problem) -> dict[str, Any]:
    """As an answer tells it, for an event."""
    body = WIRE.render_problem(problem, HttpRequest(method="GET", path="")).body
    return msgspec.json.decode(body)["error"]


ROUTES = (
    stream("POST /v1/chat/completions", chat.write_chat, chat.Chat, chat.ChatAnswer, "Answer a conversation"),
    stream("POST /v1/completions", chat.write_completion, chat.Completion, chat.ChatAnswer, "Go on with a text"),
    stream("POST /v1/responses", responses.write, responses.Body, JSON, "Answer a conversation (responses)"),
    stream("POST /v1/responses/input_tokens", responses.count, responses.Body, JSON, "Count the tokens of a request"),
    stream("POST /v1/embeddings", vectors.write, vectors.Embedding, vectors.Vectors, "Turn texts into vectors"),
    again("GET /v1/responses/{id}", responses.show, "Read a response that was kept", query=responses.ResponseAsked),
    again("DELETE /v1/responses/{id}", responses.forget, "Forget a response"),
    again("POST /v1/responses/{id}/cancel", responses.stop, "Cancel a response that is made in the background"),
    again(
        "GET /v1/responses/{id}/input_items",
        responses.list_items,
        "List what a response was made from",
        query=responses.ItemsAsked,
        back=True,
    ),
    Stream(
        at="POST /v1/moderations",
        write=vectors.moderate,
        target=vectors.moderation_target,
        optional=True,
        usage=chat.tokens_reported,
        broken=chat.broken,
        body=vectors.Moderation,
        answer=vectors.Moderated,
        summary="Judge texts and pictures: by an account, else by a list of words and by a model where one is here",
    ),
    Models(at="GET /v1/models", render=list_models, answer=ModelRows, summary="List the models"),
    Models(at="GET /v1/models/{model…}", render=show_model, answer=ModelRow, summary="One model"),
    Read(at="GET /v1/videos/{id}", route="videos", render=show_video, answer=media.Video, summary="Read a video"),
    List(
        at="GET /v1/videos",
        route="videos",
        parse=parse_page,
        render=render_list,
        answer=Listed,
        query=Listing,
        summary="List the videos",
    ),
    Stop(
        at="DELETE /v1/videos/{id}",
        route="videos",
        running=True,
        keeps=False,
        render=lambda job, _: json_response(Deleted(id=media.public_id(job.id), object="video.deleted", deleted=True)),
        answer=Deleted,
        summary="Delete a video",
    ),
    Content(at="GET /v1/videos/{id}/content", route="videos", pick=pick, status=302, summary="The file of a video"),
    TakeFile(
        at="POST /v1/files",
        part="file",
        form=True,
        parse=parse_file,
        render=show_file,
        body=FileBody,
        answer=File,
        summary="Keep a file",
    ),
    ListUploads(at="GET /v1/files", render=list_files, answer=Listed, summary="List the files"),
    ReadFile(at="GET /v1/files/{id}", render=show_file, answer=File, summary="Read a file's record"),
    DropFile(at="DELETE /v1/files/{id}", render=file_deleted, answer=Deleted, summary="Forget a file"),
    ReadFile(at="GET /v1/files/{id}/content", render=file_bytes, status=302, summary="The bytes of a file"),
    Secret(
        at="POST /v1/realtime/client_secrets",
        prefix=realtime.SECRET,
        parse=realtime.parse_secret,
        render=realtime.show_secret,
        body=realtime.SecretBody,
        answer=realtime.SecretAnswer,
        summary="Make a key for a browser's realtime sessions",
    ),
    Socket(
        at="GET /v1/realtime",
        session=lambda request, model, author: realtime.Session(request, model, author, rendered_error),
        begin=realtime.begin,
        asks=realtime.asks,
        usage=realtime.tokens_reported,
        error=lambda problem: realtime.error(rendered_error(problem)),
        protocol=realtime.PROTOCOL,
        offered=realtime.offered,
        passes=("openai-beta", "openai-safety-identifier"),
        summary="Converse in events (WebSocket)",
    ),
)

API = TaskApi(
    name="openai",
    vendor="OpenAI",
    title="OpenAI",
    docs="https://developers.openai.com/api/reference",
    base_url="https://api.openai.com",
    root=ROOT,
    show="jobs/{id}",
    endpoints=media.ENDPOINTS,
    fields=media.FIELDS,
    states=media.STATES,
    answer=media.Video,
    task=media.video,
    error=error,
    error_type=Error,
    statuses={Kind.OVER_BUDGET: 429},
    word=worded,
    credential=credential,
    security={"type": "http", "scheme": "bearer"},
    public_id=media.public_id,
    job_id=job_id,
    mounts=("/v1", "/api"),
    optional="/v1",
    routes=ROUTES,
    back=False,
)
WIRE = replace(
    wire(API),
    roots=tuple(dict.fromkeys(f"/v1/{route.path.split('/')[2]}" for route in wire(API).routes)),
    file_id=file_id,
    answer_headers=pace_headers,
    bare=BARE,
    media=media_back(API),
    words=Words(base_url="https://api.openai.com/v1", sign=lambda key: {"authorization": f"Bearer {key}"}),
)
