"""Black Forest Labs' FLUX API: a POST for each model, and `get_result?id=`, which needs no key."""

import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from mutoscope.model.http import Headers, HttpRequest, HttpResponse, json_response
from mutoscope.model.job import Input, Job, Json, Operation, Role, State
from mutoscope.model.problem import Kind, Problem, custom_flaw
from mutoscope.model.requests import CallerAccount, Page, Submission
from mutoscope.wirekit.archive import BadArchive, pictures_in
from mutoscope.wirekit.body import body_of, invalid, read_body
from mutoscope.wirekit.flaws import fastapi, pydantic
from mutoscope.wirekit.ids import from_uuid4_form, uuid4_form
from mutoscope.wirekit.queries import named
from mutoscope.wirekit.routes import AccountRead, List, Read, Reply, Stop
from mutoscope.wirekit.task import Endpoint, Reading, TaskApi, back, key_header, parse, render_problem, wire
from mutoscope.wires.flux import bodies
from mutoscope.wires.flux.models import I2I, INPAINT, OUTPAINT, T2I, TRY_ON

ROOT = "/v1/"
RESULT = f"{ROOT}get_result"
STATES = dict(zip(State, ("Pending", "Pending", "Ready", "Error", "Error"), strict=True))
INPUT_REFUSED, OUTPUT_REFUSED, UNKNOWN = "Request Moderated", "Content Moderated", "Task not found"
ENDED = frozenset({State.SUCCEEDED, State.FAILED})

# -- answers -------------------------------------------------------------------------------


class Made(Struct, kw_only=True, omit_defaults=True):
    """What a create answers. With a webhook it has `status` and `webhook_url` too, with a finetune its id."""

    id: str
    polling_url: str
    cost: float | None
    input_mp: float | None
    output_mp: float | None
    status: str | None = None
    webhook_url: str | None = None
    finetune_id: str | None = None


class Result(Struct, kw_only=True):
    id: str
    status: str  # Pending, Ready, Error, Request Moderated, Content Moderated, Task not found
    result: dict[str, Any] | None = None
    progress: float | None = None
    details: dict[str, Any] | None = None
    preview: dict[str, Any] | None = None
    cost: float | None = None


class Error(Struct, kw_only=True, omit_defaults=True):
    """`detail` is a text or, for a body that is not valid, FastAPI's list; `message` says it in a sentence. What is not
    there to be read has the members of a result."""

    detail: str | list[dict[str, Any]]
    message: str
    id: str | None = None
    status: str | None = None
    result: None = None


def made(job: Job) -> Made:
    wish, id = job.generation, uuid4_form(job.id)
    told = Made(
        id=id,
        polling_url=f"{job.origin}{RESULT}?id={id}",
        cost=job.estimate,
        input_mp=None,
        output_mp=round(wish.width * wish.height / 1e6, 2) if wish.width and wish.height else None,
    )
    if job.webhook:
        told.status, told.webhook_url = "Pending", job.webhook
    if wish.operation is Operation.FINETUNE:
        told.finetune_id, told.status = id, "Pending"
    return told


def result(job: Job) -> Result:
    """`progress` is null until somebody works on it."""
    told = Result(id=uuid4_form(job.id), status=STATES[job.state], cost=job.cost)
    match job.state:
        case State.RUNNING:
            told.progress = min(max(job.progress or 0.0, 0.0), 1.0)
        case State.SUCCEEDED:
            told.progress, told.result = 1.0, ready(job)
        case State.FAILED if job.failure and job.failure.kind is Kind.REFUSED:
            told.status, told.details = INPUT_REFUSED, {"Moderation Reasons": [job.failure.message]}
        case State.FAILED if job.failure:
            told.details = {"Error": job.failure.message}
        case State.CANCELED:
            told.details = {"Error": "The task was canceled."}
        case _:
            pass
    return told


def ready(job: Job) -> Json:
    """Strict clients take no null here: what is not known is left out."""
    start, end = job.started or job.created, job.finished or job.updated
    told = {"sample": job.outputs[0].url if job.outputs else None, "prompt": job.generation.prompt or "",
            "seed": job.generation.seed, "start_time": start, "end_time": end,
            "duration": round(max(end - start, 0.0), 3)}  # fmt: skip
    return {name: value for name, value in told.items() if value is not None}


def error(problem: Problem, _status: int) -> Error:
    flaws = [fastapi(flaw) for flaw in problem.flaws] if problem.kind is Kind.INVALID else []
    return Error(detail=flaws or problem.message, message=problem.message)


def rendered_problem(problem: Problem, request: HttpRequest) -> HttpResponse:
    """An id that is not there is told in the form of a result."""
    answer = render_problem(API, problem, request)
    if problem.kind is not Kind.NOT_FOUND or not request.path.endswith(RESULT):
        return answer
    told = Error(detail=problem.message, message=problem.message, id=request.query.get("id", ""), status=UNKNOWN)
    return json_response(msgspec.to_builtins(told) | {"result": None}, answer.status, answer.headers)


# -- webhooks --------------------------------------------------------------------------------


def webhook_headers(job: Job, body: bytes) -> Headers:
    """The secret goes back as it came; receivers of another page of the vendor's look for a signature."""
    secret = body_of(job).get("webhook_secret")
    if not isinstance(secret, str) or not secret:
        return {}
    signature = hmac.digest(secret.encode(), body, hashlib.sha256).hex()
    return {"x-webhook-secret": secret, "x-bfl-signature": f"sha256={signature}"}


# -- finetunes, account ------------------------------------------------------------------------

TUNED = "finetune"


class Finetunes(Struct):
    finetunes: list[str]


class FinetuneDetails(Struct):
    finetune_details: dict[str, Any]


class DeleteFinetune(Struct, kw_only=True):
    finetune_id: str


class Deleted(Struct, kw_only=True):
    status: str
    message: str
    deleted_finetune_id: str
    timestamp: str


def render_details(job: Job, _request: HttpRequest) -> HttpResponse:
    said = {name: value for name, value in job.generation.extra.items() if value is not None}
    told = msgspec.to_builtins(result(job))
    return json_response({"finetune_details": said | {"finetune_id": told["id"], "notes": list(job.notes)} | told})


def render_deleted(job: Job, _request: HttpRequest) -> HttpResponse:
    id, now = uuid4_form(job.id), datetime.now(UTC).isoformat()
    message = f"Finetune {id} is deleted."
    return json_response(Deleted(status="success", message=message, deleted_finetune_id=id, timestamp=now))


UNLIMITED = 1e9  # credits


def render_credits(account: CallerAccount, _request: HttpRequest) -> HttpResponse:
    """A credit is a cent, as ours is; without a budget nothing ends it."""
    return json_response({"credits": UNLIMITED - account.spent if account.left is None else account.left})


LEARNT = Page(size=1000, keep=lambda job: job.state not in (State.FAILED, State.CANCELED))
# fmt: off
ROUTES = (
    List(at=f"GET {ROOT}my_finetunes", route=TUNED, parse=lambda _: LEARNT,
         render=lambda jobs, _: json_response(Finetunes([uuid4_form(job.id) for job in jobs])), answer=Finetunes,
         summary="List the finetunes"),
    Read(at=f"GET {ROOT}finetune_details", route=TUNED, id=named("finetune_id"),
         render=render_details, answer=FinetuneDetails, summary="What a finetune was made of"),
    Stop(at=f"POST {ROOT}delete_finetune", route=TUNED, running=True, keeps=False, render=render_deleted,
         id=lambda request: read_body(request.body, DeleteFinetune).finetune_id,
         body=DeleteFinetune, answer=Deleted, summary="Delete a finetune"),
    AccountRead(at=f"GET {ROOT}credits", render=render_credits, summary="What is left of a budget"),
    Reply(at=f"POST {ROOT}licenses/models/{{slug}}/usage", reply=lambda _: json_response({}),
          summary="Report of the use of weights, which is not kept"),
)
# fmt: on

# -- what a finetune is made of, and what is made with it --------------------------------------


def learning(endpoint: Endpoint, request: HttpRequest) -> Submission:
    """The pictures of the zip are inputs of their own, so that each is looked into as any other. Raises Problem."""
    read = parse(API, endpoint, request)
    [given] = read.generation.inputs
    if given.data is None:
        raise invalid((custom_flaw(("file_data",), "Input should be a zip of pictures in base64"),))
    try:
        pictures, captions = pictures_in(given.data)
    except BadArchive as error:
        raise invalid((custom_flaw(("file_data",), f"The zip {error}"),)) from error
    inputs = tuple(
        Input(role=Role.REFERENCE, field="file_data", data=data, label=name[:200]) for name, data in pictures
    )
    notes = (*read.notes, f"ignored: {captions} captions in file_data") if captions else read.notes
    return replace(read, generation=replace(read.generation, inputs=inputs), notes=notes)


def with_finetune(endpoint: Endpoint, request: HttpRequest) -> Submission:
    """A finetune of ours is an earlier job, whose picture is the look; any other id is the vendor's and goes there."""
    if endpoint.route == TUNED:
        return learning(endpoint, request)
    read = parse(API, endpoint, request)
    wish = read.generation
    id = wish.extra.get("finetune_id")
    if not isinstance(id, str) or from_uuid4_form(id) is None:
        return read
    extra = {name: value for name, value in wish.extra.items() if name not in ("finetune_id", "finetune_strength")}
    strength = wish.extra.get("finetune_strength", USUAL_STRENGTH) / MOST_STRENGTH
    look = Input(role=Role.REFERENCE, field="finetune_id", output_of=id)
    made = Operation.IMAGE_TO_IMAGE if wish.operation is Operation.TEXT_TO_IMAGE else wish.operation
    wish = replace(wish, operation=made, inputs=(*wish.inputs, look), extra=extra | {"strength": strength})
    fields = read.fields | {"reference": "finetune_id", "strength": "finetune_strength"}
    return replace(read, generation=wish, fields=fields)


USUAL_STRENGTH, MOST_STRENGTH = 1.1, 2.0

# -- endpoints --------------------------------------------------------------------------------

DRAWN = {Role.IMAGE: I2I, Role.REFERENCE: I2I, None: T2I}
EDITED, FILLED, WIDENED, WORN = ({None: each} for each in (I2I, INPAINT, OUTPAINT, TRY_ON))
MOVED = {Role.VIDEO: Operation.VIDEO_TO_VIDEO, Role.FIRST_FRAME: Operation.IMAGE_TO_VIDEO,
         None: Operation.TEXT_TO_VIDEO}  # fmt: skip
CONTROLS, WORDS = (("control_image", "preprocessed_image"),), (("prompt",),)
ERASED = (("image", "input_image"), ("mask", "mask_image"))
WORN_BY = (("person", "input_image"), ("garment", "input_image_2"))


def models(names: str, body: Any, makes: Any, rules: Any = None, **more: Any) -> list[Endpoint]:
    return [Endpoint(at=name, title=f"Make something with {name}", body=body, makes=makes, rules=rules, models=(name,),
                     model_at=None, **more) for name in names.split()]  # fmt: skip


# fmt: off
ENDPOINTS = (
    *models("flux-pro-1.1", bodies.Pro11, DRAWN, bodies.first_flaws),
    *models("flux-dev", bodies.Dev, DRAWN, bodies.first_flaws),
    *models("flux-pro", bodies.Pro, DRAWN, bodies.first_flaws),
    *models("flux-pro-1.1-ultra", bodies.Ultra, DRAWN, bodies.first_flaws),
    *models("flux-pro-1.0-fill", bodies.Fill, FILLED),
    *models("flux-pro-1.0-expand", bodies.Expand, WIDENED),
    *models("flux-pro-1.0-canny", bodies.Canny, EDITED, needs=CONTROLS, says={"canny": True}),
    *models("flux-pro-1.0-depth", bodies.Depth, EDITED, needs=CONTROLS, says={"depth": True}),
    *models("flux-kontext-pro flux-kontext-max", bodies.Kontext, DRAWN, bodies.kontext_flaws),
    *models("flux-2-pro flux-2-pro-preview flux-2-max", bodies.Second, DRAWN, bodies.second_flaws),
    *models("flux-2-flex", bodies.Flex, DRAWN, bodies.second_flaws),
    *models("flux-2-klein-4b", bodies.Klein, DRAWN, bodies.second_flaws),
    *models("flux-2-klein-9b flux-2-klein-9b-preview", bodies.Klein9, DRAWN, bodies.second_flaws),
    *models("flux-tools/outpainting-v1 flux-2-flex-outpainting", bodies.Outpainting, WIDENED, bodies.second_flaws),
    *models("flux-tools/erase-v1", bodies.Erase, FILLED, needs=ERASED, fields=bodies.ERASE),
    *models("flux-tools/deblur-v1", bodies.Deblur, EDITED, says={"deblur": True}),
    *models("flux-tools/vto-v1 flux-tools/vto-v2", bodies.TryOn, WORN, needs=WORN_BY, fields=bodies.TRY_ON),
    *models("flux-3-image", bodies.Third, DRAWN),
    *models("flux-3-video", bodies.Video, MOVED, bodies.video_flaws, needs=WORDS, fields=bodies.VIDEO),
    *models("flux-pro-finetuned", bodies.DevTuned, DRAWN, bodies.first_flaws),
    *models("flux-pro-1.1-ultra-finetuned", bodies.UltraTuned, DRAWN, bodies.first_flaws),
    *models("flux-pro-1.0-fill-finetuned", bodies.FillTuned, FILLED),
    *models("flux-pro-1.0-canny-finetuned", bodies.CannyTuned, EDITED, needs=CONTROLS, says={"canny": True}),
    *models("flux-pro-1.0-depth-finetuned", bodies.DepthTuned, EDITED, needs=CONTROLS, says={"depth": True}),
    Endpoint(at="finetune", title="Have a model learn from pictures", body=bodies.Finetune, route=TUNED,
             makes={None: Operation.FINETUNE}, fields=bodies.FINETUNE, models=("flux-finetune",), model_at=None),
)
API = TaskApi(
    name="flux", vendor="Black Forest Labs", title="Black Forest Labs FLUX", docs="https://docs.bfl.ai",
    base_url="https://api.bfl.ai", root=ROOT, roots=(f"{ROOT}flux-", RESULT), mounts=("/bfl", "/proxy/bfl"),
    show="get_result?id={id}", show_keyless=True, id_of=named("id"), endpoints=ENDPOINTS, fields=bodies.FIELDS,
    states=STATES, also_states={INPUT_REFUSED: State.FAILED, OUTPUT_REFUSED: State.FAILED}, task=result, answer=Result,
    made=made, made_type=Made, webhook="webhook_url", webhook_headers=webhook_headers, events=lambda _: ENDED,
    reading=Reading(links=("result.sample",), progress="progress", whole=1.0, cost="cost",
                    reason=("details.Error", "details.Moderation Reasons.0", "details")),
    lost=frozenset({UNKNOWN}), error=error, error_type=Error, invalid_status=422, word=pydantic,
    sign=lambda key, _: {"x-key": key}, **key_header("x-key"),
    routes=ROUTES, unsent=frozenset({429}), parse=with_finetune,
)
# fmt: on
SENT = replace(API, endpoints=tuple(each for each in ENDPOINTS if each.route != TUNED))
"""As it is called: the vendor has withdrawn finetuning, and the pictures of one are kept here."""
WIRE = replace(wire(API), render_problem=rendered_problem, back=back(SENT))
