"""The buttons below a task: which there are, and what each comes to, with the facts of the task that it stands below.

A `customId` is `MJ::<what>::<which>::<hash>`; the hash is the task's own, so that no button works below another task.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from mutoscope.model.job import Generation, Input, Job, Json, Operation, Output, Role, State
from mutoscope.model.problem import Kind, Problem, custom_flaw
from mutoscope.model.requests import Submission
from mutoscope.wirekit.body import invalid
from mutoscope.wirekit.ids import uuid4_form
from mutoscope.wirekit.media import BadSource, source
from mutoscope.wirekit.paths import at
from mutoscope.wires.midjourney import prompts
from mutoscope.wires.midjourney.ids import public_id

ACTIONS = {
    Operation.TEXT_TO_IMAGE: "IMAGINE",
    Operation.IMAGE_TO_IMAGE: "IMAGINE",
    Operation.IMAGE_BLEND: "BLEND",
    Operation.IMAGE_OUTPAINT: "ZOOM",
    Operation.IMAGE_INPAINT: "INPAINT",
    Operation.IMAGE_UPSCALE: "UPSCALE",
    Operation.IMAGE_TO_TEXT: "DESCRIBE",
    Operation.TEXT_TO_TEXT: "SHORTEN",
}
SIDES = {"pan_left": "left", "pan_right": "right", "pan_up": "up", "pan_down": "down"}
ZOOMS = {"50": 2.0, "75": 1.5}
STRENGTHS = {"variation": 0.5, "high_variation": 0.8, "low_variation": 0.3}
LARGER = {"upsample_v6_2x_subtle": 2, "upsample_v6_2x_creative": 2, "upsample_v5_2x": 2, "upsample_v5_4x": 4}
REMIXED = frozenset({"variation", "high_variation", "low_variation", "reroll", *SIDES})
MOST_ZOOM = 2.0


class Button(Struct, frozen=True, kw_only=True, rename="camel"):
    custom_id: str
    emoji: str = ""
    label: str = ""
    type: int = 2
    style: int = 2


class Kinds(NamedTuple):
    """A button's name, as it stands in a `customId`, and how it is shown."""

    name: str
    emoji: str = ""
    label: str = ""


NUMBERS = ("1️⃣", "2️⃣", "3️⃣", "4️⃣", "5️⃣")
BELOW_GRID = (
    *(Kinds(f"JOB::upsample::{n}", label=f"U{n}") for n in range(1, 5)),
    Kinds("JOB::reroll::0", emoji="🔄"),
    *(Kinds(f"JOB::variation::{n}", label=f"V{n}") for n in range(1, 5)),
)
BELOW_PICTURE = (
    Kinds("JOB::upsample_v6_2x_subtle::1", label="Upscale (Subtle)"),
    Kinds("JOB::upsample_v6_2x_creative::1", label="Upscale (Creative)"),
    Kinds("JOB::low_variation::1", emoji="🪄", label="Vary (Subtle)"),
    Kinds("JOB::high_variation::1", emoji="🪄", label="Vary (Strong)"),
    Kinds("Inpaint::1", emoji="🖌️", label="Vary (Region)"),
    Kinds("Outpaint::50::1", emoji="🔍", label="Zoom Out 2x"),
    Kinds("Outpaint::75::1", emoji="🔍", label="Zoom Out 1.5x"),
    Kinds("CustomZoom", emoji="🔍", label="Custom Zoom"),
    Kinds("JOB::pan_left::1", emoji="⬅️"),
    Kinds("JOB::pan_right::1", emoji="➡️"),
    Kinds("JOB::pan_up::1", emoji="⬆️"),
    Kinds("JOB::pan_down::1", emoji="⬇️"),
)
SOLO = re.compile(r"reroll|_variation|pan_|Inpaint|Outpaint|upsample_")
ALSO = tuple(Kinds(f"JOB::{name}::1") for name in ("upsample_v5_2x", "upsample_v5_4x"))
"""Read, and not shown."""


def buttons_of(job: Job) -> list[Button]:
    return [Button(custom_id=custom_id(each.name, job), emoji=each.emoji, label=each.label) for each in kinds_of(job)]


def custom_id(name: str, job: Job) -> str:
    if "PicReader" in name or "PromptAnalyzer" in name or "Picread" in name:
        return f"MJ::{name}"
    return f"MJ::{name}::{uuid4_form(job.id)}" + ("::SOLO" if SOLO.search(name) else "")


def kinds_of(job: Job) -> Iterator[Kinds]:
    if job.state is not State.SUCCEEDED:
        return
    match job.generation.operation:
        case Operation.IMAGE_TO_TEXT:
            yield from (Kinds(f"Job::PicReader::{n}", emoji=NUMBERS[n - 1]) for n in range(1, len(texts(job)) + 1))
            yield Kinds("Picread::Retry", emoji="🔄")
        case Operation.TEXT_TO_TEXT:
            yield from (Kinds(f"Job::PromptAnalyzer::{n}", emoji=NUMBERS[n - 1]) for n in range(1, len(texts(job)) + 1))
        case _ if is_grid(job):
            yield from BELOW_GRID
        case _:
            yield from BELOW_PICTURE


def texts(job: Job) -> list[str]:
    return [output.text for output in job.outputs if output.text is not None][: len(NUMBERS)]


def pictures(job: Job) -> list[Output]:
    return [output for output in job.outputs if output.text is None]


def is_grid(job: Job) -> bool:
    return job.generation.extra.get("grid") is True and job.generation.operation is not Operation.IMAGE_UPSCALE


def waits(job: Job) -> bool:
    """Whether a dialog is open: the job is made when it is answered."""
    return not job.engine and job.state is State.CANCELED


def facts(job: Job) -> Json:
    """The request as it was read, with what the job says of itself beside."""
    try:
        return msgspec.json.decode(job.body or b"{}", type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}


# -- pressing one ---------------------------------------------------------------------------------


def pressed(parent: Job, button: str, field: str, said: Json) -> Submission:
    """What a button of a task comes to, named by its `customId` or by its beginning. Raises Problem."""
    check_done(parent)
    known = {custom_id(each.name, parent): each.name for each in (*kinds_of(parent), *ALSO)}
    name = known.get(button) or next((each for each in known.values() if each == button), None)
    if name is None or (is_grid(parent) and name in {each.name for each in ALSO}):
        right = ", ".join(each.custom_id for each in buttons_of(parent))
        raise invalid((custom_flaw((field,), f"is no button of task {public_id(parent.id)}; it has {right}"),))
    wish, action = made_by(parent, name)
    if mode := said.get("mode") or parent.generation.extra.get("mode"):
        wish = replace(wish, extra=wish.extra | {"mode": mode})
    kind = name.split("::")[1] if name.startswith("JOB::") else name.split("::")[0]
    remix = bool(said.get("enableRemix") or at(said, "accountFilter.remix")) and kind in REMIXED
    opens = remix or kind in ("CustomZoom", "Inpaint")
    prompt = said_prompt(parent) if not name.startswith(("Job::", "Picread")) else wish.prompt
    told = said | {"prompt": prompt, "action": action, "button": name, "remix": opens, "botType": bot_of(parent)}
    return Submission(generation=wish, body=msgspec.json.encode(told), waits=opens, parent=public_id(parent.id))


def check_done(parent: Job) -> None:
    if parent.state is not State.SUCCEEDED:
        at = "waits for its dialog to be answered" if waits(parent) else f"is {parent.state}"
        raise Problem(Kind.CONFLICT, f"task_status_not_success: task {public_id(parent.id)} {at}.", field="taskId")


def bot_of(job: Job) -> str:
    return "NIJI_JOURNEY" if job.generation.model == "niji" else "MID_JOURNEY"


def said_prompt(job: Job) -> str:
    return str(facts(job).get("prompt") or job.generation.prompt or "")


def made_by(parent: Job, name: str) -> tuple[Generation, str]:
    """The wish and the name of the action."""
    old = parent.generation
    base = Generation(operation=old.operation, model=old.model)
    match name.split("::"):
        case ["JOB", "reroll", _]:
            return again(old), "REROLL"
        case ["Picread", _]:
            return again(old), "DESCRIBE"
        case ["Job", _, number]:
            asked = prompts.wishes(texts(parent)[int(number) - 1])
            extra = asked.pop("extra") | {"grid": True}
            return replace(base, operation=Operation.TEXT_TO_IMAGE, count=4, extra=extra, **asked), "IMAGINE"
        case ["JOB", kind, number] if kind in LARGER or kind == "upsample":
            given = replace(base, operation=Operation.IMAGE_UPSCALE, inputs=(given_picture(parent, number, name),))
            if kind in LARGER:
                return replace(given, extra={"scale": LARGER[kind]}), "UPSCALE_HD"
            return sized(given, parent, number), "UPSCALE"
        case ["JOB", kind, number] if kind in STRENGTHS:
            extra = {"grid": True, "strength": STRENGTHS[kind]}
            wish = drawn(parent, Operation.IMAGE_TO_IMAGE, name, number, extra)
            return sized(wish, parent, number), "VARIATION"
        case ["JOB", kind, number]:
            picture = picture_at(parent, number)
            side = (picture.width if SIDES[kind] in ("left", "right") else picture.height) or 1024
            extra = {"grid": True, SIDES[kind]: round(side / 2)}
            return drawn(parent, Operation.IMAGE_OUTPAINT, name, number, extra), "PAN"
        case ["Outpaint", share, number]:
            return drawn(parent, Operation.IMAGE_OUTPAINT, name, number, {"grid": True, "zoom": ZOOMS[share]}), "ZOOM"
        case ["CustomZoom"]:
            return drawn(parent, Operation.IMAGE_OUTPAINT, name, "1", {"grid": True, "zoom": MOST_ZOOM}), "ZOOM"
        case _:
            return drawn(parent, Operation.IMAGE_INPAINT, name, "1", {"grid": True}), "INPAINT"


def drawn(parent: Job, operation: Operation, name: str, number: str, extra: Json) -> Generation:
    """Four pictures after one of an earlier task, by the same words."""
    old = parent.generation
    flags = {"flags": old.extra["flags"]} if old.extra.get("flags") else {}
    words = prompts.read(said_prompt(parent)).words or None
    return Generation(
        operation=operation,
        model=old.model,
        prompt=words,
        negative_prompt=old.negative_prompt,
        count=4,
        inputs=(given_picture(parent, number, name),),
        extra=extra | flags,
    )


def picture_at(parent: Job, number: str) -> Output:
    files = pictures(parent)
    return files[place(files, number)]


def place(files: list[Output], number: str) -> int:
    """Where the n-th picture stands: behind the grid, if that is there; the grid itself where there is nothing else."""
    return len(files) - 4 + int(number) - 1 if len(files) >= 4 else 0


def given_picture(parent: Job, number: str, name: str) -> Input:
    files = pictures(parent)
    if not files:
        raise Problem(Kind.INVALID, f"Task {public_id(parent.id)} has no picture.", field="taskId")
    return Input(
        role=Role.IMAGE, field="customId", output_of=public_id(parent.id), output=place(files, number), label=name
    )


def sized(wish: Generation, parent: Job, number: str) -> Generation:
    """As large as the picture that it begins with."""
    picture = picture_at(parent, number)
    return replace(wish, width=picture.width, height=picture.height)


SIZED = (Operation.TEXT_TO_IMAGE, Operation.IMAGE_TO_IMAGE, Operation.IMAGE_BLEND)
"""What is asked for in a size; the rest has that of its picture, whatever the books say."""


def again(old: Generation) -> Generation:
    """The same wish. An input that was an earlier task's is that task's again."""
    size = {} if old.operation in SIZED else {"width": None, "height": None}
    return replace(old, inputs=tuple(named_again(each) for each in old.inputs), seed=None, **size)


def named_again(each: Input) -> Input:
    return replace(each, output_of=public_id(each.output_of), asset=None) if each.output_of else each


# -- answering a dialog ---------------------------------------------------------------------------


def answered(dialog: Job, said: Json) -> Submission:
    """What a dialog comes to that was open. Raises Problem."""
    if not waits(dialog):
        message = f"Task {public_id(dialog.id)} has no dialog that waits for an answer."
        raise Problem(Kind.CONFLICT, message, field="taskId")
    told = facts(dialog)
    text = str(said.get("prompt") or told.get("prompt") or "").strip()
    flaws = [*prompts.flaws({"prompt": text})]
    asked = prompts.read(text)
    wish = again(dialog.generation)
    extra = wish.extra
    shape = new_shape(asked, told)
    if wish.operation is Operation.IMAGE_OUTPAINT and "zoom" in asked.flags:
        extra = extra | {"zoom": zoom_of(asked.flags["zoom"])}
    if wish.operation is Operation.IMAGE_OUTPAINT and "zoom" in extra and shape:
        extra = extra | {"ratio": shape}
    inputs = wish.inputs
    if mask := said.get("maskBase64"):
        try:
            inputs = (*inputs, source(str(mask), role=Role.MASK, field="maskBase64"))
        except BadSource as error:
            flaws.append(custom_flaw(("maskBase64",), str(error)))
    elif wish.operation is Operation.IMAGE_INPAINT:
        flaws.append(custom_flaw(("maskBase64",), "is required: white is the region to be painted anew"))
    if flaws:
        raise invalid(tuple(flaws))
    own = prompts.wishes(text)
    wish = replace(
        wish,
        prompt=own["prompt"] or None,
        negative_prompt=own.get("negative_prompt", wish.negative_prompt),
        seed=own.get("seed"),
        inputs=inputs,
        extra=extra | ({"mode": said["mode"]} if said.get("mode") else {}),
    )
    if wish.operation in (Operation.TEXT_TO_IMAGE, Operation.IMAGE_TO_IMAGE) and shape:
        wish = replace(wish, width=own["width"], height=own["height"])
    hook = said.get("notifyHook") or told.get("notifyHook")
    body = told | {"prompt": text, "remix": False} | ({"state": said["state"]} if said.get("state") else {})
    # a dialog can be answered once: a mask that is no picture must not use it up
    return Submission(generation=wish, body=msgspec.json.encode(body), webhook=hook, replaces=True, probes=True)


def new_shape(asked: prompts.Prompt, told: Json) -> str | None:
    """The `--ar` of a prompt, where it is another than that of the dialog's own prompt."""
    shape = prompts.shape_in(asked)
    return shape if shape != prompts.shape_in(prompts.read(str(told.get("prompt") or ""))) else None


def zoom_of(text: str) -> float:
    try:
        zoom = float(text)
    except ValueError:
        zoom = 0.0
    if not 1.0 <= zoom <= MOST_ZOOM:
        raise invalid((custom_flaw(("prompt",), f"--zoom should be from 1 to {MOST_ZOOM:g}, not {text[:20]!r}"),))
    return zoom
