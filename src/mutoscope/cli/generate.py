"""`mutoscope generate`: one picture or clip, made in this process and written to a file."""

import asyncio
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from msgspec.structs import replace
from rich.text import Text

from mutoscope.app import App
from mutoscope.cli import _show
from mutoscope.cli._failure import Stop
from mutoscope.cli._options import AsJson, Config, Number, Whole, settings_of
from mutoscope.cli.jobs import advance, bar
from mutoscope.files.assets import EXTENSIONS
from mutoscope.files.data_dir import CREDENTIALS
from mutoscope.model.catalog import Catalog, Model, engines_of
from mutoscope.model.config import BUILT_IN, Files, Limits, Settings, Store
from mutoscope.model.http import HttpRequest, HttpResponse
from mutoscope.model.job import Generation, Input, Job, Operation, Output, Role, State
from mutoscope.model.problem import Problem
from mutoscope.model.requests import Submission
from mutoscope.telemetry import logs
from mutoscope.wirekit.wire import Wire
from mutoscope.wires import ROWS

POLL_SECONDS = 0.2
PIPE = Path("-")
SIZE = re.compile(r"(\d{1,5})[x×:*](\d{1,5})")
LINK = re.compile(r"https?://", re.IGNORECASE)
FLAGS = {
    "model": "--model",
    "width": "--size",
    "height": "--size",
    "seconds": "--seconds",
    "fps": "--fps",
    "seed": "--seed",
    "negative_prompt": "--negative-prompt",
    "prompt": "PROMPT",
}
"""Generation field → the option that asks for it."""


def render_nothing(_problem: Problem, _request: HttpRequest) -> HttpResponse:
    return HttpResponse()


WIRE = Wire(
    name="cli",
    title="The command line",
    docs="",
    roots=(),
    routes=(),
    render_problem=render_nothing,
    credential=lambda _request: None,
    public_id=lambda id: id,
    job_id=lambda id: id,
    probes_inputs=True,
)
"""The command line as the gateway sees it: a wire without routes."""

File = Annotated[str | None, Parameter(help="A file or a link.")]


async def generate(
    prompt: str | None = None,
    /,
    *,
    image: File = None,
    last_image: File = None,
    audio: File = None,
    video: File = None,
    model: str | None = None,
    size: str | None = None,
    seconds: Number = None,
    fps: Whole = None,
    seed: Whole = None,
    negative_prompt: str | None = None,
    out: Annotated[Path | None, Parameter(alias="-o", allow_leading_hyphen=True)] = None,
    engine: str | None = None,
    config: Config = None,
    as_json: AsJson = False,
) -> int:
    """Make one picture or clip in this process and write it to a file. No server is needed.

    A picture comes from words alone; a clip from --image, --video or --seconds.

    Parameters
    ----------
    prompt
        What to show, and how the camera moves. Left out, it is read from standard input.
    image
        The picture that a clip starts from: a file or a link.
    last_image
        The picture that it ends on.
    audio
        The sound that goes with it.
    video
        The clip to continue; --seconds is then the length of the whole.
    model
        Default: gen4.5 for clips, gen4_image for pictures, wan-2.7 where only it can.
    size
        Pixels, as 1280x720.
    seconds
        Length of the clip.
    fps
        Frames a second.
    seed
        The same seed and wishes make the same file.
    negative_prompt
        What to leave out.
    out
        Where to write it: a file, or a directory in which it is named for the prompt (default: this one); - writes the
        file itself to standard output.
    engine
        Who makes it: studio or script (default: as the settings route the model). What a vendor is paid for is made
        by `mutoscope serve`, which keeps it.
    """
    prompt = piped() if prompt is None else prompt
    settings = in_private(settings_of(config))
    inputs = tuple(inputs_of(image=image, last_image=last_image, audio=audio, video=video))
    moving = bool(inputs) or seconds is not None or fps is not None
    row = Catalog(ROWS, settings.models).get(model or default_model(inputs, moving=moving))
    width, height = pixels(size)
    wish = Generation(
        operation=operation(row, inputs, moving=moving),
        model=row.name,
        prompt=prompt,
        negative_prompt=negative_prompt,
        inputs=inputs,
        width=width,
        height=height,
        seconds=seconds,
        fps=fps,
        seed=seed,
    )
    if out == PIPE:
        check_pipe(as_json=as_json)
    elif out is not None:
        check_name(out, wish)
    logs.configure("error")
    with tempfile.TemporaryDirectory(prefix="mutoscope-") as folder:
        async with App(settings, data=Path(folder), identity=identity(settings)).running() as app:
            job = await make(app, Submission(generation=wish, fields=FLAGS), engine)
            return await hand_over(app, job, out, as_json=as_json)


def piped() -> str:
    """The prompt, where another program writes it. Raises Stop where nobody does."""
    prompt = "" if sys.stdin.isatty() else sys.stdin.read().strip()
    if not prompt:
        raise Stop("PROMPT is missing: what should be shown?", 2)
    return prompt


def in_private(settings: Settings) -> Settings:
    """For one job of one's own: no limits, files and store in the temporary directory, no patience at the end, no
    vendor; and somebody waits for it, so that it is in no worse a place than any other program.

    What is paid for must outlive this process, and here nothing does.
    """
    server = replace(settings.server, grace_seconds=0.0)
    models = {
        name: replace(each, engines=made_here(engines_of(each), settings)) for name, each in settings.models.items()
    }
    studio = replace(settings.studio, niceness=0)
    weights = replace(settings.weights, folder=settings.weights.folder or str(settings.data / "weights"))
    changed = {"server": server, "studio": studio, "models": models, "weights": weights}
    return replace(settings, limits=Limits(), files=Files(), store=Store(), accounts={}, **changed)


def made_here(engines: tuple[str, ...], settings: Settings) -> tuple[str, ...]:
    return tuple(name for name in engines if name in BUILT_IN or name in settings.engines)


def identity(settings: Settings) -> Path | None:
    """What it makes is signed as the server's files are, where there is one; else by nobody in particular."""
    return settings.data / CREDENTIALS if settings.data.is_dir() else None


# -- what is wished for ---------------------------------------------------------


def inputs_of(**sources: str | None) -> Iterator[Input]:
    roles = {
        "image": Role.FIRST_FRAME,
        "last_image": Role.LAST_FRAME,
        "audio": Role.AUDIO,
        "video": Role.VIDEO,
    }
    for name, source in sources.items():
        if source is None:
            continue
        field = f"--{name.replace('_', '-')}"
        if LINK.match(source):
            yield Input(role=roles[name], field=field, url=source)
        elif Path(source).is_file():
            yield Input(role=roles[name], field=field, data=Path(source).read_bytes())
        else:
            raise Stop(f"{field}: there is no file {source}.", 2)


def default_model(inputs: tuple[Input, ...], *, moving: bool) -> str:
    if {each.role for each in inputs} & {Role.VIDEO, Role.LAST_FRAME, Role.AUDIO}:
        return "wan-2.7"
    return "gen4.5" if moving else "gen4_image"


def operation(model: Model, inputs: tuple[Input, ...], *, moving: bool) -> Operation:
    """What these inputs ask for; where the model has one trade only, that one."""
    roles = {each.role for each in inputs}
    if Role.VIDEO in roles:
        return Operation.VIDEO_EXTENSION
    if Role.FIRST_FRAME in roles:
        return Operation.IMAGE_TO_VIDEO
    if moving or (model.serves and Operation.TEXT_TO_IMAGE not in model.serves):
        return Operation.TEXT_TO_VIDEO
    return Operation.TEXT_TO_IMAGE


def pixels(size: str | None) -> tuple[int | None, int | None]:
    if size is None:
        return None, None
    match = SIZE.fullmatch(size)
    if not match:
        raise Stop(f"--size is width x height in pixels, as 1280x720; {size!r} is not.", 2)
    return int(match[1]), int(match[2])


def check_name(out: Path, wish: Generation) -> None:
    """Told before the work, not after it: a file's name must fit what will be in it, and there must be a place for it.

    A directory stands for a name of our own in it.
    """
    folder = out if out.is_dir() else out.absolute().parent
    if not folder.is_dir():
        raise Stop(f"--out: there is no directory {folder}.", 2)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise Stop(f"--out: {folder} cannot be written.", 2)
    fits = ".png" if wish.operation is Operation.TEXT_TO_IMAGE else ".mp4"
    if not out.is_dir() and out.suffix.lower() != fits:
        raise Stop(f"--out: this makes a {fits[1:].upper()} file; name it {out.with_suffix(fits)}.", 2)


# -- making it -----------------------------------------------------------------


async def make(app: App, submission: Submission, engine: str | None) -> Job:
    job = filed = await app.gateway.submit(WIRE, "", submission, engine=engine)
    with bar() as progress:
        task = progress.add_task(filed.generation.model, total=None, state=filed.state.value)
        async for job in app.gateway.watch(filed.id, poll_seconds=POLL_SECONDS):
            advance(progress, task, job.state.value, job.progress)
    return job


async def hand_over(app: App, job: Job, out: Path | None, *, as_json: bool = False) -> int:
    if job.state is not State.SUCCEEDED:
        raise Stop(job.failure.message if job.failure else f"The job was {job.state.value}.")
    say, written = _show.err if out == PIPE else _show.out, list[dict[str, Any]]()
    for number, output in enumerate(job.outputs):
        asset = await app.assets.local_path(output.asset, app.home.scratch)
        if out == PIPE:
            await asyncio.to_thread(pour, asset)
            continue
        path = place_for(output, number, job, out)
        await asyncio.to_thread(shutil.copyfile, asset, path)
        written.append(as_told(output, path))
        if not as_json:
            say.print(Text.assemble((str(path), "bold"), f"  {described(output, job)}"))
    if as_json:
        wish = job.generation
        seconds = job.finished - job.started if job.finished and job.started else None
        made: dict[str, Any] = {
            "model": wish.model,
            "engine": job.engine,
            "seed": wish.seed,
            "seconds_of_work": seconds,
        }
        _show.print_json(made | {"files": written, "notes": list(job.notes)})
        return 0
    for note in job.notes:
        say.print(Text(f"note: {note}", style="yellow"))
    return 0


def as_told(output: Output, path: Path) -> dict[str, Any]:
    facts = {
        "path": str(path),
        "media_type": output.media_type,
        "bytes": output.bytes,
        "width": output.width,
        "height": output.height,
        "seconds": output.seconds,
        "frames": output.frames,
    }
    return {name: value for name, value in facts.items() if value is not None}


def pour(file: Path) -> None:
    """The file itself, to whoever reads standard output."""
    with file.open("rb") as source:
        shutil.copyfileobj(source, sys.stdout.buffer)
    sys.stdout.buffer.flush()


def check_pipe(*, as_json: bool) -> None:
    """Raises Stop where the bytes of a file would make a mess."""
    if as_json:
        raise Stop("--out - writes the file to standard output, where --json writes its answer: choose one.", 2)
    if sys.stdout.isatty():
        raise Stop("--out -: this is a terminal; lead the output to a program or a file.", 2)


def place_for(output: Output, number: int, job: Job, out: Path | None) -> Path:
    if out is not None and not out.is_dir():
        return numbered(out, number)
    return unused(out or Path(), named_for(job), EXTENSIONS.get(output.media_type, "bin"))


def described(output: Output, job: Job) -> str:
    facts = [
        f"{output.width}x{output.height}" if output.width and output.height else "",
        f"{output.frames} frames" if output.frames else "",
        f"{output.seconds:g} s" if output.seconds else "",
        _show.size(output.bytes),
        f"made by {job.engine} as {job.generation.model}",
        f"in {job.finished - job.started:.1f} s" if job.finished and job.started else "",
        f"seed {job.generation.seed}",
    ]
    return ", ".join(fact for fact in facts if fact)


def named_for(job: Job) -> str:
    words = re.findall(r"[^\W_]+", (job.generation.prompt or "").lower())
    return "-".join(words)[:48].strip("-") or job.generation.model


def unused(folder: Path, stem: str, extension: str) -> Path:
    """A name that no file has: what was made before stays."""
    path, number = folder / f"{stem}.{extension}", 2
    while path.exists():
        path, number = folder / f"{stem}-{number}.{extension}", number + 1
    return path


def numbered(out: Path, number: int) -> Path:
    return out if number == 0 else out.with_stem(f"{out.stem}-{number + 1}")
