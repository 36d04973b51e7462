"""Recraft's API: every call is answered with what it made, a list of pictures or one."""

import base64
import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from mutoscope.model.http import HttpRequest, HttpResponse, json_response
from mutoscope.model.job import Job, Json, Operation, Output, Role, State
from mutoscope.model.problem import Kind, Problem
from mutoscope.model.requests import CallerAccount, Page
from mutoscope.wirekit.answers import Part, between
from mutoscope.wirekit.body import body_of, read_json
from mutoscope.wirekit.ids import digest_form, request_id, uuid4_form
from mutoscope.wirekit.routes import AccountRead, List, Read, Reply, Stop
from mutoscope.wirekit.task import Endpoint, Reading, TaskApi, back, render_problem, wire
from mutoscope.wirekit.times import unmade, utc
from mutoscope.wires.recraft import bodies
from mutoscope.wires.recraft.models import BACKGROUND, ERASE, ROWS, STYLED, VARIATE

ROOT, STYLES = "/v1/", "styles"
PATIENCE = 300.0  # seconds that an answer waits for what it carries
UNITS = 10  # of the vendor's, to one of our credits
STATES = dict(zip(State, ("queued", "running", "succeeded", "failed", "canceled"), strict=True))

# -- answers -------------------------------------------------------------------------------


class Pictures(Struct, kw_only=True, omit_defaults=True):
    """What is below `data` is our own: how a job stands that was not waited for to its end, and in news of one."""

    created: int
    credits: int
    data: list[dict[str, Any]]
    id: str = ""
    status: str = ""
    code: str = ""
    message: str = ""


class Picture(Struct, kw_only=True):
    created: int
    credits: int
    image: dict[str, Any]


class Caption(Struct, kw_only=True):
    id: str
    caption: str
    credits: int


class Style(Struct, kw_only=True, omit_defaults=True):
    id: str
    style: str
    creation_time: str
    is_private: bool
    credits: int
    substyle: str | None = None


class Styles(Struct):
    styles: list[Style]


class StyleRead(Style, kw_only=True, omit_defaults=True):
    """`status`, `message` and `url`, a picture of what was learnt, are our own."""

    status: str = ""
    message: str = ""
    url: str | None = None


class Me(Struct):
    id: str
    credits: int


class Models(Struct):
    data: list[dict[str, Any]]


class Error(Struct, kw_only=True):
    code: str
    message: str


def credits_of(job: Job) -> int:
    return round((job.cost or 0.0) * UNITS)


def picture(job: Job, number: int, output: Output) -> Json:
    """The first has the job's own id, which it can be read by; clients name files by how the ids begin."""
    told: Json = {"image_id": digest_form(f"{job.id}/{number}".encode()) if number else uuid4_form(job.id)}
    if output.data is not None:
        return told | {"b64_json": base64.b64encode(output.data).decode()}
    return told | {"url": output.url or ""}


def pictures(job: Job) -> Pictures:
    made = [picture(job, number, each) for number, each in enumerate(job.outputs)]
    told = Pictures(created=int(job.finished or job.created), credits=credits_of(job), data=made)
    return told if job.state is State.SUCCEEDED else standing(job, told)


def standing(job: Job, told: Pictures) -> Pictures:
    told.id, told.status = uuid4_form(job.id), STATES[job.state]
    if job.failure:
        told.code, told.message = code_of(Problem(job.failure.kind, "")), job.failure.message
    return told


def one_picture(job: Job) -> Picture:
    told = pictures(job)
    image = told.data[0] if told.data else {"image_id": uuid4_form(job.id)}
    return Picture(created=told.created, credits=told.credits, image=image)


def caption(job: Job) -> Caption:
    words = next((each.text for each in job.outputs if each.text), "")
    return Caption(id=uuid4_form(job.id), caption=words, credits=credits_of(job))


def style(job: Job) -> Style:
    said = body_of(job)
    return Style(id=uuid4_form(job.id), style=said.get("style") or "any", substyle=said.get("substyle"),
                 creation_time=utc(job.created, "auto"), is_private=said.get("private") is not False,
                 credits=credits_of(job))  # fmt: skip


def read_style(job: Job, _request: HttpRequest) -> HttpResponse:
    told = StyleRead(**msgspec.structs.asdict(style(job)), url=job.outputs[0].url if job.outputs else None)
    if job.state is not State.SUCCEEDED:
        told.status, told.message = STATES[job.state], job.failure.message if job.failure else ""
    return json_response(told)


def waited(task: Callable[[Job], Any], job: Job, request: HttpRequest) -> HttpResponse:
    """Raises Problem for what was not made."""
    if late := unmade(job, PATIENCE, f"{ROOT}images/{uuid4_form(job.id)}"):
        return rendered_problem(Problem(Kind.TIMED_OUT, late), request)
    in_form = read_json(request.body).get("response_format") == "multipart"
    return in_parts(job, task(job)) if in_form else json_response(task(job))


def in_parts(job: Job, answer: Any) -> HttpResponse:
    """The answer as a part of JSON, then each picture as a part that is named by its id."""
    told: Json = msgspec.to_builtins(answer)
    listed: list[Json] = [*told.get("data", ()), *([told["image"]] if "image" in told else ())]
    files = [Part(id := each["image_id"], output.data or b"", output.media_type, id, id)
             for each, output in zip(listed, job.outputs, strict=False)]  # fmt: skip
    for each in listed:
        each.pop("b64_json", None)
    boundary = f"mutoscope-{job.id}"
    body = between(boundary, [Part("json", json.dumps(told).encode(), "application/json"), *files])
    return HttpResponse(body=body, media_type=f"multipart/form-data; boundary={boundary}")


def carries(request: HttpRequest) -> str | None:
    return None if read_json(request.body).get("response_format") in (None, "url") else ""


# -- trouble -------------------------------------------------------------------------------

CODES: Mapping[Kind, str] = {
    Kind.INVALID: "invalid_request", Kind.REFUSED: "prompt_is_improper", Kind.RATE_LIMITED: "rate_limit_exceeded",
    Kind.OVER_BUDGET: "not_enough_credits", Kind.TOO_LARGE: "image_too_big", Kind.BAD_MEDIA: "invalid_image_format",
}  # fmt: skip
READ_CODES = {word: kind for kind, word in CODES.items()} | {"not_enough_credits": Kind.QUOTA_EXCEEDED}


def code_of(problem: Problem) -> str:
    if problem.kind is Kind.NOT_FOUND and problem.field == "model":
        return "invalid_model"
    if problem.kind is Kind.INVALID and problem.field == "prompt":
        return "invalid_prompt"
    return CODES.get(problem.kind, problem.kind.value)


def rendered_problem(problem: Problem, request: HttpRequest) -> HttpResponse:
    """A bad key and a path that is not there are told as plain text, as the vendor does, and what is to be said of them
    in a header. A model that is not there is a fault of the body; a client is not to ask again for what goes on to be
    made."""
    answer = render_problem(API, problem, request)
    text = {Kind.UNAUTHENTICATED: b"request unauthorized", Kind.NOT_FOUND: b"404 page not found"}.get(problem.kind)
    if text and (problem.kind is Kind.UNAUTHENTICATED or problem.field == "path"):
        notes = {"x-mutoscope-notes": ascii(problem.message)[1:-1][:1024]}
        return HttpResponse(status=answer.status, headers=answer.headers | notes, body=text, media_type="text/plain")
    if code_of(problem) == "invalid_model":
        return json_response(Error(code="invalid_model", message=problem.message), 400)
    if problem.kind is Kind.TIMED_OUT:
        answer.headers["x-should-retry"] = "false"
    return answer


# -- account, models -------------------------------------------------------------------------

UNLIMITED = 10**9  # units


def render_me(account: CallerAccount, request: HttpRequest) -> HttpResponse:
    """Whose key it is stays untold; without a budget nothing ends the credits."""
    left = UNLIMITED - account.spent * UNITS if account.left is None else account.left * UNITS
    return json_response(Me(request_id(request), int(left)))


def render_models(_request: HttpRequest) -> HttpResponse:
    told = [{"id": each.name, "name": each.name, "created": 0, "input_modalities": ["text", "image"],
             "output_modalities": ["image"], "pricing": {"image": f"{each.price.image / 100:g}"}}
            for each in ROWS if each.sizes]  # fmt: skip
    return json_response(Models(told))


LEARNT_STYLES = Page(size=1000, keep=lambda job: job.state not in (State.FAILED, State.CANCELED))
# fmt: off
ROUTES = (
    List(at=f"GET {ROOT}styles", route=STYLES, parse=lambda _: LEARNT_STYLES, answer=Styles,
         render=lambda jobs, _: json_response(Styles([style(job) for job in jobs])), summary="List the styles"),
    Read(at=f"GET {ROOT}styles/{{id}}", route=STYLES, render=read_style, answer=StyleRead, summary="Read a style"),
    Stop(at=f"DELETE {ROOT}styles/{{id}}", route=STYLES, running=True, keeps=False,
         render=lambda _job, _request: json_response({}), answer=dict[str, Any], summary="Delete a style"),
    AccountRead(at=f"GET {ROOT}users/me", render=render_me, answer=Me, summary="What is left of a budget"),
    Reply(at=f"GET {ROOT}models", reply=render_models, answer=Models, summary="List the models"),
)
# fmt: on

# -- endpoints -------------------------------------------------------------------------------


def call(
    at: str, title: str, body: Any, makes: Any, task: Any = pictures, answer: Any = Pictures, **more: Any
) -> Endpoint:
    """A call that waits for what it makes."""
    return Endpoint(at=at, title=title, body=body, makes=makes, task=task, answer=answer, form=True, carries=carries,
                    waited=partial(waited, task), wait=lambda _said, _request: PATIENCE, **more)  # fmt: skip


drawing = partial(call, usual=bodies.usual)


def tool(name: str, at: str, title: str, makes: Operation, body: Any = bodies.Process, **more: Any) -> Endpoint:
    """What is done to a picture without a model."""
    settings: dict[str, Any] = {"task": one_picture, "answer": Picture, "needs": (bodies.PICTURES,)} | more
    return call(at, title, body, {None: makes}, models=(name,), model_at=None, **settings)


PICTURES, WIDER = bodies.PICTURES, bodies.WIDER
MASKED: dict[str, Any] = {"needs": (PICTURES, bodies.MASKS), "says": {"mask_polarity": "white"}}
DRAWN = {Role.REFERENCE: Operation.IMAGE_TO_IMAGE, None: Operation.TEXT_TO_IMAGE}
CHANGED, FILLED, WIDENED, SET, LEARNT = ({None: each} for each in (
    Operation.IMAGE_TO_IMAGE, Operation.IMAGE_INPAINT, Operation.IMAGE_OUTPAINT, Operation.BACKGROUND_REPLACEMENT,
    Operation.FINETUNE))  # fmt: skip
# For the published description: whose these are tells the model, where other vendors have the path too.
WORDED, SHOWN = {"prompt": "A lighthouse at dusk"}, {"image_url": "https://example.com/picture.png"}
MODEL = {"model": "recraftv3"}


def little_changed(said: Json) -> Json:
    return {"strength": 0.2} | said


look, size, both = bodies.look_flaws, bodies.size_flaws, bodies.drawn_flaws
# fmt: off
ENDPOINTS = (
    # those that have words of their own come first: the back takes the first that knows a model's word
    tool("recraft-vectorize", "images/vectorize", "Trace a picture", Operation.VECTORIZATION, bodies.Vectorize,
         fields=bodies.TRACED),
    tool("recraft-remove-background", "images/removeBackground", "Cut out the subject", Operation.BACKGROUND_REMOVAL),
    tool("recraft-crisp-upscale", "images/crispUpscale", "Enlarge a picture", Operation.IMAGE_UPSCALE,
         also=("images/clarityUpscale",)),
    tool("recraft-creative-upscale", "images/creativeUpscale", "Enlarge a picture, with detail that is invented",
         Operation.IMAGE_UPSCALE, also=("images/generativeUpscale",), says={"creative": True}),
    tool(ERASE, "images/eraseRegion", "Erase what a mask shows", Operation.IMAGE_INPAINT, bodies.Erase, **MASKED),
    tool("recraft-describe", "images/describe", "Describe a picture", Operation.IMAGE_TO_TEXT, task=caption,
         answer=Caption),
    drawing("images/variateImage", "Vary a picture", bodies.Variate, CHANGED, family=VARIATE, rules=size,
            needs=(PICTURES,), reshape=bodies.sized),
    drawing("images/variations", "Vary a picture, as OpenAI's clients ask", bodies.Vary, CHANGED, family=VARIATE,
            rules=size, needs=(PICTURES,), reshape=partial(bodies.sized, shape="1:1"),
            example=SHOWN | MODEL),
    drawing("images/generateBackground", "Make anew what a mask shows of a background", bodies.Inpaint, FILLED,
            family=BACKGROUND, rules=look, **MASKED),
    drawing("images/generations", "Make pictures", bodies.Generate, CHANGED, models=tuple(STYLED), front=False,
            rules=both),
    drawing("images/imageToImage", "Change a picture", bodies.Change, CHANGED, rules=look, needs=(PICTURES,)),
    drawing("images/edits", "Change a picture, as OpenAI's clients ask", bodies.Edit, CHANGED, rules=look,
            needs=(PICTURES,), reshape=little_changed, example=SHOWN | WORDED | MODEL),
    drawing("images/inpaint", "Make anew what a mask shows", bodies.Inpaint, FILLED, rules=look, **MASKED),
    drawing("images/replaceBackground", "Another background", bodies.ReplaceBackground, SET, rules=look,
            needs=(PICTURES,)),
    drawing("images/outpaint", "Widen a picture", bodies.Outpaint, WIDENED, rules=both, needs=(PICTURES, WIDER),
            reshape=bodies.sized),
    drawing("images/generations", "Make pictures", bodies.Generate, DRAWN, rules=both, reshape=bodies.sized,
            also=("images/explore", "images/generations/raster"), example=WORDED | MODEL),
    drawing("images/generations/vector", "Make drawings", bodies.Generate, DRAWN, rules=both, reshape=bodies.sized,
            fields=bodies.DRAWING, says={"format": "svg"}, example=WORDED | MODEL),
    call(STYLES, "Learn a style from pictures", bodies.MakeStyle, LEARNT, style, Style, fields=bodies.LEARNT,
         models=("recraft-style",), model_at=None, route=STYLES, needs=(bodies.LEARNT_FROM,)),
)
API = TaskApi(
    name="recraft", vendor="Recraft", title="Recraft", docs="https://www.recraft.ai/docs/api-reference",
    base_url="https://external.api.recraft.ai", root=ROOT, show="images/{id}", endpoints=ENDPOINTS,
    fields=bodies.FIELDS, states=STATES, task=pictures, answer=Pictures, error_type=Error,
    webhook_body=lambda job: standing(job, pictures(job)),
    error=lambda problem, _: Error(code=code_of(problem), message=problem.message), code="code", codes=READ_CODES,
    reading=Reading(links=("data.*.url", "image.url"), inline=("data.*.b64_json", "image.b64_json"),
                    texts=("caption",), cost="credits", units=UNITS),
    routes=ROUTES, unsent=frozenset({429}), open_models=True, requests_per_second=5.0,
)
# fmt: on
SENT = replace(API, show=None, endpoints=tuple(each for each in ENDPOINTS if each.route != STYLES))
"""As it is called: the answer has what was made. A style is a picture that is kept here, and is sent as a reference."""
WIRE = replace(wire(API), render_problem=rendered_problem, plain_statuses=(401, 404), back=back(SENT))
