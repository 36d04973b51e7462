"""Ideogram's API: a POST answers with its pictures, or with words; version 4 can be asked for and read later too."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from itertools import zip_longest
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from mutoscope.model.http import Headers, HttpRequest, HttpResponse, json_response
from mutoscope.model.job import Job, Json, Operation, Output, Role, State
from mutoscope.model.problem import Kind, Problem
from mutoscope.model.requests import Submission
from mutoscope.wirekit.ids import uuid4_form
from mutoscope.wirekit.joined import joined
from mutoscope.wirekit.paths import at
from mutoscope.wirekit.routes import Create
from mutoscope.wirekit.task import Endpoint, Reading, TaskApi, key_header, parse, render_problem, wire
from mutoscope.wirekit.times import unmade, why_ended
from mutoscope.wires.ideogram import bodies, models

PATIENCE = 300.0  # seconds that an answer waits for what it carries
ROOTS = ("/generate", "/remix", "/edit", "/upscale", "/reframe", "/describe", "/v1/edit", "/v1/remove-background",
         "/v1/ideogram-v", "/ideogram-v", "/v2/generations")  # fmt: skip
FORBIDS = ("/remix", "/upscale")
"""The ends of the paths at which the vendor answers a bad key with 403."""

# -- answers ---------------------------------------------------------------------------------


class Picture(Struct, kw_only=True, omit_defaults=True):
    url: str | None  # null where the picture is not safe
    prompt: str
    resolution: str
    is_image_safe: bool
    seed: int
    style_type: str | None = None
    upscaled_resolution: str | None = None
    object_type: str | None = None


class Images(Struct, kw_only=True, omit_defaults=True):
    created: str
    data: list[Picture]
    generation_id: str | None = None  # where the answer did not wait


class Description(Struct):
    text: str


class Described(Struct, kw_only=True, omit_defaults=True):
    descriptions: list[Description]
    generation_id: str | None = None


class Generation(Struct, kw_only=True, omit_defaults=True):
    generation_id: str
    status: str  # pending, completed, failed
    created: str
    progress: float | None = None  # ours: while somebody works on it
    failure_reason: str | None = None
    response_type: str | None = None
    data: list[Picture] | None = None
    descriptions: list[Description] | None = None
    usage_cost_usd_micros: int | None = None


class Error(Struct):
    error: str


def moment(job: Job) -> str:
    return datetime.fromtimestamp(job.created, UTC).isoformat(timespec="microseconds")


def pictures(job: Job, kind: str | None = None) -> list[Picture]:
    """As many as were asked for: one that a vendor left out was not safe."""
    wanted = range(job.generation.count or 1) if job.outputs else ()
    return [picture(job, place, output, kind) for place, (output, _) in enumerate(zip_longest(job.outputs, wanted))]


def picture(job: Job, place: int, output: Output | None, kind: str | None) -> Picture:
    wish = job.generation
    width, height = (output.width, output.height) if output and output.width else (wish.width or 0, wish.height or 0)
    resolution = f"{width}x{height}"
    return Picture(
        url=(output.url or "") if output else None,
        prompt=wish.prompt or "",
        resolution=resolution,
        is_image_safe=output is not None,
        seed=((wish.seed or 0) + place) & 0x7FFFFFFF,
        style_type=wish.extra.get("style_type"),
        upscaled_resolution=resolution if wish.operation is Operation.IMAGE_UPSCALE else None,
        object_type=kind,
    )


def descriptions(job: Job) -> list[Description]:
    return [Description(output.text or output.url or "") for output in job.outputs]


def images(job: Job) -> Images:
    return Images(created=moment(job), data=pictures(job), generation_id=uuid4_form(job.id))


def described(job: Job) -> Described:
    return Described(descriptions=descriptions(job), generation_id=uuid4_form(job.id))


STATES = dict(zip(State, ("pending", "pending", "completed", "failed", "failed"), strict=True))


def generation(job: Job) -> Generation:
    told = Generation(generation_id=uuid4_form(job.id), status=STATES[job.state], created=moment(job))
    match job.state:
        case State.RUNNING:
            told.progress = job.progress or 0.0
        case State.SUCCEEDED if job.generation.operation is Operation.IMAGE_TO_TEXT:
            told.response_type, told.descriptions = "image.description", descriptions(job)
        case State.SUCCEEDED:
            told.response_type, told.data = "image.generation", pictures(job, "image.generation")
        case State.FAILED | State.CANCELED:
            told.failure_reason = why_ended(job, CANCELED)
        case _:
            pass
    if job.cost is not None:
        told.usage_cost_usd_micros = round(job.cost * MICROS)
    return told


CANCELED = "The generation was canceled."
ENDED = frozenset({State.SUCCEEDED, State.FAILED})
MICROS = 10_000  # of a dollar, in a credit
CHARGED: Json = {"cost": "usage_cost_usd_micros", "units": MICROS}


def waited(tell: Callable[[Job], Images | Described], job: Job, _request: HttpRequest) -> HttpResponse:
    """The answer of a job that succeeded in time. Raises Problem for any other."""
    late = unmade(job, PATIENCE, f"/v2/generations/{uuid4_form(job.id)}", CANCELED)
    return json_response(Error(late), 504) if late else json_response(replace(tell(job), generation_id=None))


def rendered_problem(problem: Problem, request: HttpRequest) -> HttpResponse:
    answer = render_problem(API, problem, request)
    forbids = problem.kind is Kind.UNAUTHENTICATED and request.path.rstrip("/").endswith(FORBIDS)
    return replace(answer, status=403) if forbids else answer


def unsafe(task: Json) -> Problem | None:
    """Where no picture is safe, none can be fetched; where some are, the others are left out."""
    made: list[Json] = [each for each in at(task, "data.*") if isinstance(each, dict)]
    if not made or any(each.get("url") or each.get("is_image_safe") is not False for each in made):
        return None
    return Problem(Kind.REFUSED, "Ideogram made it and does not show it: no picture passed its safety check.")


def sign(key: str, _now: float) -> Headers:
    """The vendor takes its keys in a header of its own; those of resellers begin with sk- and go as a bearer."""
    return {"authorization": f"Bearer {key}"} if key.startswith("sk-") else {"api-key": key}


# -- endpoints ---------------------------------------------------------------------------------

V3, V4 = "v1/ideogram-v3/", "v1/ideogram-v4/"
DRAWN: Mapping[Role | None, Operation] = {None: Operation.TEXT_TO_IMAGE}
BLACK, SHRINK = {"mask_polarity": "black"}, {"shrink": True}  # the answer is as large as was asked


REMIXED, FILLED, WIDENED, SET, LARGER, CUT, TOLD, WORN = ({Role.IMAGE: each} for each in (
    Operation.IMAGE_TO_IMAGE, Operation.IMAGE_INPAINT, Operation.IMAGE_OUTPAINT, Operation.BACKGROUND_REPLACEMENT,
    Operation.IMAGE_UPSCALE, Operation.BACKGROUND_REMOVAL, Operation.IMAGE_TO_TEXT, Operation.VIRTUAL_TRY_ON,
))  # fmt: skip


def at_once(at: str, title: str, body: Any, makes: Any, words: tuple[str, ...], **more: Any) -> Endpoint:
    tell = described if makes is TOLD else images
    usual: Json = {"fields": bodies.LATER, "rules": bodies.later_flaws, "model_at": None}
    return Endpoint(at=at, title=title, body=body, makes=makes, models=words, form=True, reshape=bodies.plainly,
                    wait=lambda _said, _request: PATIENCE, waited=partial(waited, tell), **usual | more)  # fmt: skip


# fmt: off
LEGACY: Json = {"fields": bodies.LEGACY, "rules": bodies.legacy_flaws}
IN_REQUEST: Json = LEGACY | {"model_at": "image_request.model"}
ASKED = ("text_prompt", "json_prompt", "prompt")
FOURTH: Json = {"fields": bodies.FOURTH, "rules": bodies.fourth_flaws}
GENERATE_4 = bodies.exactly_one(bodies.Generate4, *ASKED, text_prompt="a lighthouse")
PICTURES = (
    at_once(V3 + "generate", "Make pictures (v3)", bodies.Generate3, DRAWN, models.V3, also=("ideogram-v3/generate",)),
    at_once(V3 + "remix", "Make pictures after one (v3)", bodies.Remix3, REMIXED, models.V3),
    at_once(V3 + "edit", "Change what a mask shows (v3)", bodies.Edit3, FILLED, models.V3,
            also=(V3 + "inpaint", "ideogram-v3/edit"), says=BLACK),
    at_once(V3 + "reframe", "Give a picture another shape (v3)", bodies.Reframe3, WIDENED, models.V3, says=SHRINK),
    at_once(V3 + "replace-background", "Make another background (v3)", bodies.Replace3, SET, models.V3),
    at_once(V3 + "generate-transparent", "Make pictures without a background (v3)", bodies.Transparent3, DRAWN,
            models.TRANSPARENT, fields=bodies.ONLY_SHAPES, says={"background": "transparent"}),
    at_once(V3 + "try-on", "Dress a person (v3)", bodies.TryOn3, WORN, models.V3),
    at_once(V4 + "generate", "Make pictures (v4)", GENERATE_4, DRAWN, models.V4, **FOURTH),
    at_once(V4 + "remix", "Make pictures after one (v4)",
            bodies.exactly_one(bodies.Remix4, *ASKED, text_prompt="a lighthouse", image="https://example.com/picture.png"),
            REMIXED, models.REMIX_V4, **FOURTH),
    at_once("v1/edit", "Make pictures after others",
            bodies.exactly_one(bodies.EditAny, "images", "image_urls", prompt="a lighthouse",
                           images=["https://example.com/picture.png"]),
            REMIXED, models.EDIT, rules=bodies.any_flaws),
    at_once("v1/remove-background", "Cut out what is in front", bodies.OnePicture, CUT, models.REMOVE_BACKGROUND),
    at_once("generate", "Make pictures", bodies.Generate, DRAWN, models.LEGACY, **IN_REQUEST),
    at_once("remix", "Make pictures after one", bodies.Remix, REMIXED, models.LEGACY, **IN_REQUEST),
    at_once("edit", "Change what a mask shows", bodies.Edit, FILLED, models.V2, says=BLACK, model_at="model", **LEGACY),
    at_once("reframe", "Give a picture another shape", bodies.Reframe, WIDENED, models.LEGACY, model_at="model",
            says=SHRINK, **LEGACY),
    at_once("upscale", "Enlarge a picture", bodies.Upscale, LARGER, models.UPSCALE, rules=None,
            fields=bodies.LEGACY, fixed={"image_request": {}}),
)
SPOKEN = (
    at_once("describe", "Describe a picture", bodies.Describe, TOLD, models.DESCRIBE, rules=None, fields=bodies.LEGACY),
    at_once(V4 + "describe", "Describe a picture (v4)", bodies.OnePicture, TOLD, models.DESCRIBE_V4, rules=None),
)
LATER = Endpoint(at=V4 + "async/generate", title="Make pictures, to be read later (v4)", body=GENERATE_4, makes=DRAWN,
                 models=models.V4, model_at=None, form=True, front=False, **FOURTH)
# fmt: on


class Hook(Struct, frozen=True, kw_only=True):
    webhook_url: str | None = None


def hooked(request: HttpRequest) -> Submission:
    """The address for news stands in the query. Raises Problem(INVALID)."""
    asked, url = parse(API, API.endpoints[0], request), request.query.get("webhook_url")
    if url is not None and not url.startswith("https://"):
        raise Problem(Kind.INVALID, "webhook_url: should be an HTTPS URL", field="webhook_url")
    return replace(asked, webhook=url, fields=asked.fields | {"webhook": "webhook_url"}) if url else asked


# fmt: off
API = TaskApi(
    name="ideogram", vendor="Ideogram", title="Ideogram", docs="https://developer.ideogram.ai",
    base_url="https://api.ideogram.ai", root="/", mounts=("/proxy/ideogram",),
    endpoints=(LATER,), show="v2/generations/{id}", fields=bodies.FOURTH, states=STATES, task=generation,
    answer=Generation, fault=unsafe, multipart=True, error=lambda problem, _: Error(problem.message), error_type=Error,
    reading=Reading(id="generation_id", links=("data.*.url",), reason=("failure_reason",), progress="progress",
                    whole=1.0, **CHARGED),
    statuses={Kind.REFUSED: 422}, kinds={422: Kind.REFUSED}, events=lambda _: ENDED,
    webhook_headers=lambda job, _: {"x-ideogram-webhook-generation-id": uuid4_form(job.id)},
    sign=sign, **key_header("Api-Key"), unsent=frozenset({429}),
    routes=(Create(at=f"POST /{LATER.at}", parse=hooked, render=lambda job, _: json_response(generation(job)),
                   body=GENERATE_4, answer=Generation, query=Hook, form=True, summary=LATER.title),),
)
NOW = replace(API, show=None, endpoints=PICTURES, task=images, answer=Images,
              reading=Reading(links=("data.*.url",), **CHARGED), routes=())
WORDS = replace(NOW, endpoints=SPOKEN, task=described, answer=Described,
                reading=Reading(links=("descriptions.*.text",), texts=("descriptions.*.text",), **CHARGED))
# fmt: on
WIRE = replace(
    joined({"": wire(API), "pictures": wire(NOW), "words": wire(WORDS)}), roots=ROOTS, render_problem=rendered_problem
)
