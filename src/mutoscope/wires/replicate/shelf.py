"""What else Replicate's API has: models and their versions, files, collections, deployments, hardware, the account."""

import base64
import binascii
import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from mutoscope.model.http import HttpRequest, HttpResponse, json_response
from mutoscope.model.job import Json
from mutoscope.model.problem import Kind, Problem
from mutoscope.model.requests import ANY_FILE, Upload, UploadWish
from mutoscope.wirekit.routes import DropFile, ListUploads, ReadFile, Reply, Route, TakeFile
from mutoscope.wirekit.times import utc
from mutoscope.wires.replicate.models import BY_VERSION, BY_WORD, KNOWN, Known

ROOT = "/v1/"
PLACES = ("predictions", "models", "deployments", "trainings", "files", "collections", "hardware", "account", "search")
UNKNOWN_VERSION = "names no version that this server knows; name the model as owner/name"
OURS = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
FILE_URL = re.compile(r"https?://[^/?#]+(?:/[\w-]+)*/files/([A-Za-z0-9_-]{48})(?:/download)?(?:\?\S*)?", re.ASCII)
DAY = 86400.0
LARGEST = 100_000_000
MADE = "2026-01-01T00:00:00.000Z"  # when the models of this server were


def home(origin: str) -> str:
    """Links go by the prefix that is this vendor's alone: `/v1/files` and `/v1/models` are other vendors' too."""
    return f"{origin}/replicate{ROOT}"


def moment(seconds: float | None) -> Any:
    if seconds is None:
        return None
    return utc(seconds, "milliseconds")


def page(results: list[Any]) -> HttpResponse:
    return json_response({"next": None, "previous": None, "results": results})


class Listed(Struct, kw_only=True):
    next: str | None
    previous: str | None
    results: list[dict[str, Any]]


# -- models and versions ---------------------------------------------------------------


class Model(Struct, kw_only=True):
    url: str
    owner: str
    name: str
    description: str
    visibility: str = "public"
    is_official: bool
    github_url: str | None = None
    paper_url: str | None = None
    license_url: str | None = None
    run_count: int = 0
    cover_image_url: str | None = None
    default_example: dict[str, Any] | None = None
    latest_version: dict[str, Any]
    created_at: str = MADE


def model(known: Known, request: HttpRequest) -> Model:
    owner, _, name = known.word.partition("/")
    url = f"{home(request.origin)}models/{known.word}"
    return Model(url=url, owner=owner, name=name, description=known.about, is_official=known.official,
                 latest_version=version(known))  # fmt: skip


def version(known: Known, id: str = "") -> Json:
    """Clients rewrite the schemas of a `cog_version` below 0.4."""
    schema = schema_of(known.word)
    return {"id": id or known.version, "created_at": MADE, "cog_version": "0.4.0", "openapi_schema": schema}


@cache
def schema_of(word: str) -> Json:
    """The input's members with the bounds of its struct and the defaults of the model's row, and what comes out."""
    known = BY_WORD[word]
    (_,), parts = msgspec.json.schema_components([known.input], ref_template="#/components/schemas/{name}")
    own = parts[known.input.__name__]
    defaults = known.defaults | ({"duration": known.defaults["seconds"]} if "seconds" in known.defaults else {})
    members = {
        name: one_type(told)
        | {"title": name.replace("_", " ").capitalize(), "x-order": place}
        | ({"default": defaults[name]} if name in defaults else {})
        for place, (name, told) in enumerate(own["properties"].items())
    }
    if "duration" in members and known.max_seconds and "enum" not in members["duration"]:
        members["duration"].setdefault("maximum", known.max_seconds)
    one: Json = {"type": "string"} if known.texts else {"type": "string", "format": "uri"}
    made: Json = {"type": "array", "items": one} if known.many else one
    schemas = {
        "Input": {"type": "object", "title": "Input", "properties": members, "required": own.get("required", [])},
        "Output": made | {"title": "Output"},
    }
    return {"openapi": "3.0.2", "info": {"title": known.word, "version": "1"}, "paths": {},
            "components": {"schemas": schemas}}  # fmt: skip


def one_type(told: Json) -> Json:
    """What may be left out is not told as null: the vendor's schemas have one type a member."""
    arms = [each for each in told.get("anyOf", ()) if each.get("type") != "null"]
    plain = told | (arms[0] if len(arms) == 1 else {"anyOf": arms} if arms else {})
    kept = {name: value for name, value in plain.items() if name != "default" and (name != "anyOf" or len(arms) > 1)}
    if "enum" in kept:
        kept["enum"] = [each for each in kept["enum"] if each is not None]
        kept.setdefault("type", "integer" if isinstance(kept["enum"][0], int) else "string")
    return kept


def named(request: HttpRequest, *, what: str = "model") -> Known:
    """Raises Problem(NOT_FOUND) that lists what there is."""
    word = "/".join(request.params.get(each, "") for each in ("owner", "name"))
    if word not in BY_WORD:
        raise Problem(Kind.NOT_FOUND, f"There is no {what} {word[:200]!r}. There are {', '.join(BY_WORD)}.")
    return BY_WORD[word]


def read_version(request: HttpRequest) -> HttpResponse:
    known, id = named(request), request.params["id"]
    if BY_VERSION.get(id) is not known:
        raise Problem(Kind.NOT_FOUND, f"{known.word} has no version {id[:100]!r}; its latest is {known.version}.")
    return json_response(version(known, id))


def list_versions(request: HttpRequest) -> HttpResponse:
    """None of the vendor's own models: clients that find none make predictions by the model's name."""
    known = named(request)
    return page([version(known, id) for id in known.versions])


def matching(text: str) -> tuple[Known, ...]:
    """The models in whose names and descriptions every word of a search is."""
    words = text.lower().split()
    return tuple(each for each in KNOWN if all(word in f"{each.word} {each.about}".lower() for word in words))


def search(request: HttpRequest) -> HttpResponse:
    """The body is the text, which some clients send as JSON."""
    text = request.body.decode("utf-8", "replace").strip()
    text = text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text
    return page([model(each, request) for each in matching(text)])


class Search(Struct, frozen=True, kw_only=True):
    query: str = ""
    limit: str = "20"


def search_all(request: HttpRequest) -> HttpResponse:
    text, limit = request.query.get("query", ""), request.query.get("limit", "")
    found = matching(text)[: int(limit) if limit.isdigit() and 0 < int(limit) <= 50 else 20]
    shown: list[Json] = [{"model": model(each, request), "metadata": {}} for each in found]
    return json_response({"query": text, "models": shown, "collections": [], "pages": []})


def readme(request: HttpRequest) -> HttpResponse:
    known = named(request)
    return HttpResponse(body=f"# {known.word}\n\n{known.about}.\n".encode(), media_type="text/plain; charset=utf-8")


def examples(request: HttpRequest) -> HttpResponse:
    named(request)
    return page([])


# -- collections, deployments, and what there is none of -------------------------------

COLLECTIONS: dict[str, tuple[Known, ...]] = {}
for _each in KNOWN:
    for _operation in dict.fromkeys(_each.makes.values()):
        _slug = _operation.value.replace("_", "-")
        COLLECTIONS[_slug] = (*COLLECTIONS.get(_slug, ()), _each)


def collection(slug: str) -> Json:
    return {"slug": slug, "name": slug.replace("-", " ").capitalize(), "description": f"Models for {slug}"}


def read_collection(request: HttpRequest) -> HttpResponse:
    slug = request.params["slug"]
    if slug not in COLLECTIONS:
        raise Problem(Kind.NOT_FOUND, f"There is no collection {slug[:100]!r}. There are {', '.join(COLLECTIONS)}.")
    return json_response(collection(slug) | {"models": [model(each, request) for each in COLLECTIONS[slug]]})


def deployment(known: Known) -> Json:
    """Each model of this server stands for a deployment of its name."""
    owner, _, name = known.word.partition("/")
    release: Json = {
        "number": 1,
        "model": known.word,
        "version": known.version,
        "created_at": MADE,
        "created_by": ACCOUNT,
        "configuration": {"hardware": HARDWARE[0]["sku"], "min_instances": 0, "max_instances": 1},
    }
    return {"owner": owner, "name": name, "current_release": release}


ACCOUNT: Json = {"type": "organization", "username": "mutoscope", "name": "mutoscope", "github_url": None,
                 "avatar_url": None}  # fmt: skip
HARDWARE: list[Json] = [{"sku": "cpu", "name": "CPU"}]


def refuse(kind: Kind, why: str) -> Callable[[HttpRequest], HttpResponse]:
    def reply(_request: HttpRequest) -> HttpResponse:
        raise Problem(kind, why)

    return reply


NO_MODELS = "Models are not made, changed or removed by this API: they are those that whoever runs this server serves."
NO_DEPLOYMENTS = "Each model of this server stands for a deployment of its name; there are no others."
NO_TRAINING = "Nothing on this server trains models."
NO_DESTINATION = "The specified training destination does not exist: nothing on this server trains models."
NOT_TOLD = (
    "One secret signs the webhooks of every key of this server, so it is not told here: whoever had it could sign in "
    "this server's name. Whoever runs the server finds it with `mutoscope webhooks secret`."
)
MODEL, DEPLOYMENT = "models/{owner}/{name}", "deployments/{owner}/{name}"
REFUSED: tuple[tuple[str, str, Kind, str], ...] = (
    ("POST", "models", Kind.FORBIDDEN, NO_MODELS),
    ("PATCH", MODEL, Kind.FORBIDDEN, NO_MODELS),
    ("DELETE", MODEL, Kind.FORBIDDEN, NO_MODELS),
    ("DELETE", f"{MODEL}/versions/{{id}}", Kind.FORBIDDEN, NO_MODELS),
    ("POST", f"{MODEL}/versions/{{id}}/trainings", Kind.NOT_FOUND, NO_DESTINATION),
    ("GET", "trainings/{id}", Kind.NOT_FOUND, NO_TRAINING),
    ("POST", "trainings/{id}/cancel", Kind.NOT_FOUND, NO_TRAINING),
    ("POST", "deployments", Kind.FORBIDDEN, NO_DEPLOYMENTS),
    ("PATCH", DEPLOYMENT, Kind.FORBIDDEN, NO_DEPLOYMENTS),
    ("DELETE", DEPLOYMENT, Kind.FORBIDDEN, NO_DEPLOYMENTS),
    ("GET", "webhooks/default/secret", Kind.FORBIDDEN, NOT_TOLD),
)

# -- files -----------------------------------------------------------------------------


class Kept(Struct, kw_only=True):
    id: str
    name: str
    content_type: str
    size: int
    etag: str
    checksums: dict[str, str]
    metadata: dict[str, Any] = {}
    created_at: str
    expires_at: str
    urls: dict[str, str]


class KeptList(Struct, kw_only=True):
    next: str | None
    previous: str | None
    results: list[Kept]


class Sent(Struct, kw_only=True):
    content: Annotated[str, Meta(extra_json_schema={"format": "binary"})]
    filename: str | None = None
    type: str | None = None
    metadata: Any = None


def parse_file(request: HttpRequest) -> UploadWish:
    form = request.form
    files, texts = (form.files, form.texts) if form else ({}, {})
    [sent, *_] = files.get("content", ()) or (None,)
    name = next(iter(texts.get("filename", ())), "") or (sent.name if sent else "")
    media_type = next(iter(texts.get("type", ())), "") or (sent.media_type if sent else ANY_FILE)
    return UploadWish(media_type=media_type[:255], name=name[:255] or "file", max_bytes=LARGEST, keep_seconds=DAY,
                      slot_seconds=0.0)  # fmt: skip


def kept(upload: Upload, request: HttpRequest) -> Kept:
    id = base64.urlsafe_b64encode(upload.id.encode()).decode()
    digest = (upload.asset or "").partition(".")[0]
    here = f"{home(request.origin)}files/{id}"
    return Kept(
        id=id,
        name=upload.name or "file",
        content_type=upload.media_type,
        size=upload.bytes or 0,
        etag=digest,
        checksums={"sha256": digest},
        created_at=moment(upload.created),
        expires_at=moment(upload.expires),
        urls={"get": here},
    )


def file_id(public: str) -> str | None:
    try:
        id = base64.urlsafe_b64decode(public.encode("ascii")).decode("ascii")
    except (binascii.Error, ValueError):
        return None
    return id if OURS.fullmatch(id) else None


def upload_of(text: str) -> str | None:
    """The file of ours that a link in an input names: its bytes are taken from the store."""
    match = FILE_URL.fullmatch(text)
    return file_id(match[1]) if match else None


def download(upload: Upload, _request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=302, headers={"location": upload.asset_url, "cache-control": "no-store"})


def shown(upload: Upload, request: HttpRequest) -> HttpResponse:
    return json_response(kept(upload, request))


# -- the paths -------------------------------------------------------------------------


def get(path: str, summary: str, reply: Callable[[HttpRequest], HttpResponse], answer: Any = None) -> Reply:
    return Reply(at=f"GET {ROOT}{path}", reply=reply, answer=answer, summary=summary)


def all_of(show: Callable[[Any, HttpRequest], Any], things: Iterable[Any]) -> Callable[[HttpRequest], HttpResponse]:
    return lambda request: page([show(each, request) for each in things])


ROUTES: tuple[Route, ...] = (
    TakeFile(at=f"POST {ROOT}files", part="content", parse=parse_file, body=Sent, form=True, answer=Kept, status=201,
             render=lambda upload, request: json_response(kept(upload, request), 201), summary="Keep a file for a day"),
    ListUploads(at=f"GET {ROOT}files", answer=KeptList, summary="List the files that were sent",
                render=lambda uploads, request: page([kept(each, request) for each in uploads if each.asset])),
    ReadFile(at=f"GET {ROOT}files/{{id}}", answer=Kept, summary="Read what is known of a file", render=shown),
    DropFile(at=f"DELETE {ROOT}files/{{id}}", status=204, summary="Forget a file",
             render=lambda _upload, _request: HttpResponse(status=204)),
    ReadFile(at=f"GET {ROOT}files/{{id}}/download", render=download, status=302, summary="Where a file's bytes are"),
    get("models", "List the models", all_of(model, KNOWN), Listed),
    Reply(at=f"QUERY {ROOT}models", reply=search, answer=Listed, summary="Search the models for a text"),
    Reply(at=f"GET {ROOT}search", reply=search_all, query=Search, summary="Search models"),
    get(MODEL, "Read a model", lambda request: json_response(model(named(request), request)), Model),
    get(f"{MODEL}/readme", "Read about a model", readme),
    get(f"{MODEL}/examples", "Examples of a model: none are kept", examples, Listed),
    get(f"{MODEL}/versions", "List the versions of a model", list_versions, Listed),
    get(f"{MODEL}/versions/{{id}}", "Read a version", read_version),
    get("trainings", "List the trainings: none are made", lambda _: page([]), Listed),
    get("collections", "List the collections", all_of(lambda slug, _: collection(slug), COLLECTIONS), Listed),
    get("collections/{slug}", "Read a collection", read_collection),
    get("deployments", "List the deployments", all_of(lambda known, _: deployment(known), KNOWN), Listed),
    get(DEPLOYMENT, "Read a deployment", lambda request: json_response(deployment(named(request, what="deployment")))),
    get("account", "Whose the server is", lambda _: json_response(ACCOUNT)),
    get("hardware", "List the hardware", lambda _: json_response(HARDWARE)),
    *(Reply(at=f"{method} {ROOT}{path}", reply=refuse(kind, why), summary="Refused, with the reason")
      for method, path, kind, why in REFUSED),
)  # fmt: skip
