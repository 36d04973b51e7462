"""Open weights as an engine: a child process for each device, which loads a pipeline once and stays.

Nothing here imports torch, and nothing here opens a picture. A child may be slow, hang, run out of memory or die; this
process goes on answering, and the job is taken up again or fails with a reason.
"""

import asyncio
import contextlib
import itertools
import os
import shutil
import signal
import sys
import time
from base64 import b64decode
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import structlog

from mutoscope.engines import pipelines
from mutoscope.engines.engine import CutOff, EngineRun, Local, NotSubmitted, Outcome
from mutoscope.engines.local.senses import Senses
from mutoscope.engines.pipelines import Row, Way
from mutoscope.engines.studio import kind_of
from mutoscope.files.c2pa import Making
from mutoscope.model.catalog import Model, pixels_of
from mutoscope.model.config import BadSettings, EngineSettings
from mutoscope.model.job import Generation, Json, Operation, Output, Role
from mutoscope.model.problem import Kind, Problem

log = structlog.get_logger(__name__)

CHILD = Path(__file__).with_name("diffusers_child.py")
RAY_CHILD = Path(__file__).with_name("ray_child.py")
LINE_BYTES = 1024 * 1024
STDERR_LINES = 40  # of a child's last words, for the log
CANCEL_SECONDS = 20.0  # how long a child may take to stop before it is ended
PAUSE_SECONDS = 30.0  # how long an engine that could not load counts as down
ABSENT_SECONDS = 15.0  # before a job is tried again where a cluster did not answer
MAX_COUNT, MAX_STEPS = 10, 200
STEPS = ("steps", "num_inference_steps")
GUIDANCE = ("guidance", "guidance_scale")
FORMATS = {"png": "png", "jpg": "jpg", "jpeg": "jpg", "webp": "webp"}
MEDIA_TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".webp": "image/webp", ".mp4": "video/mp4"}
CLIPS = frozenset({Operation.TEXT_TO_VIDEO, Operation.IMAGE_TO_VIDEO})


class Diffusers(Local):
    """One pipeline, on one device or several, or as actors on a Ray cluster."""

    def __init__(self, name: str, settings: EngineSettings, *, marker: Senses | None = None) -> None:
        """`marker` puts the imperceptible mark into what is made; None: nothing is marked. Raises BadSettings where no
        row fits."""
        self.name, self.settings, self.marker = name, settings, marker
        found = pipelines.find(settings.pipeline, settings.model)
        if found is None:
            known = f"{', '.join(pipelines.ROWS)}, or the name of a class of theirs"
            said = (
                f"pipeline = {settings.pipeline!r}" if settings.pipeline else "pipeline, which the folder does not tell"
            )
            raise BadSettings(f"[engines.{name}] {said}: there is {known}")
        self.row_name, self.row = found
        self.supported_fields: Mapping[Operation, frozenset[str]] = {
            operation: supported(self.row, operation) for operation in self.row.ways
        }
        self.seats = [_Seat(name, each, self.row, settings) for each in places(settings)]
        self._idle: asyncio.Queue[_Seat] = asyncio.Queue()
        for seat in self.seats:
            self._idle.put_nowait(seat)
        self._down_until = 0.0
        self._numbers = itertools.count(1)
        self._stopping: set[asyncio.Task[None]] = set()

    @property
    def slots(self) -> int:
        return len(self.seats)

    @property
    def is_up(self) -> bool:
        return time.monotonic() >= self._down_until

    def plan(self, wish: Generation, model: Model, fields: Mapping[str, str]) -> tuple[str, ...]:
        native = msgspec.structs.replace(wish, fps=None) if wish.fps == self.row.fps else wish
        notes = super().plan(native, model, fields)
        check(wish, self.row, self.settings, fields)
        return notes

    async def generate(self, run: EngineRun) -> Outcome:
        order = order_for(run, self.row, self.settings)
        order["make"] = f"{run.job_id}-{next(self._numbers)}"
        order["fine"] = self.marker is not None
        try:
            done = await self._made(order, run)
        except NotLoaded as error:
            self._down_until = time.monotonic() + PAUSE_SECONDS
            problem = Problem(Kind.UNAVAILABLE, f"Engine {self.name!r} cannot load its model: {error}.")
            return NotSubmitted(problem=problem, retry_seconds=error.retry_seconds)
        except NoMemory as error:
            return NotSubmitted(problem=Problem(Kind.ENGINE_FAILED, memory_message(self.name, order, str(error))))
        run.note(told(self, order))
        for note in done["notes"]:
            run.note(f"{self.name}: {note}")
        return tuple([await keep(run, await self._marked(run, each), self.row_name) for each in done["files"]])

    async def _marked(self, run: EngineRun, file: Json) -> Json:
        """The file with its mark. What took minutes to make is not lost where it cannot be marked, and that is told."""
        if self.marker is None:
            return file
        path = Path(file["path"])
        out = path.with_name(f"marked-{path.name}")
        try:
            if await self.marker.mark(path, MEDIA_TYPES[path.suffix], kind_of(run.generation.operation), out):
                return file | {"path": str(out)}
            run.note(f"{self.name}: too small for the imperceptible mark")
        except Problem as problem:
            log.warning("unmarked", engine=self.name, job=run.job_id, reason=problem.message)
            run.note(f"{self.name}: it bears no imperceptible mark: {problem.message}")
        return file

    async def close(self) -> None:
        for task in self._stopping:
            task.cancel()
        await asyncio.gather(*self._stopping, return_exceptions=True)
        for seat in self.seats:
            await seat.end()

    async def _made(self, order: Json, run: EngineRun) -> Json:
        """What the child of an idle seat says when it is done. Raises what the seat does."""
        seat = await self._idle.get()
        try:
            done = await seat.make(order, run)
        except asyncio.CancelledError:
            self._let_stop(seat, order["make"])
            raise
        except BaseException:
            self._give_back(seat)
            raise
        self._give_back(seat)
        return done

    def _give_back(self, seat: "_Seat") -> None:
        seat.rest()
        self._idle.put_nowait(seat)

    def _let_stop(self, seat: "_Seat", id: str) -> None:
        """The seat is free once its child has stopped, which nobody waits for here."""

        async def stop() -> None:
            try:
                await seat.stop(id)
            finally:
                self._give_back(seat)

        task = asyncio.create_task(stop())
        self._stopping.add(task)
        task.add_done_callback(self._stopping.discard)


def places(settings: EngineSettings) -> tuple[str, ...]:
    """A device for each child, or for each actor the cluster's choice."""
    return ("auto",) * settings.actors if settings.kind == "ray" else settings.devices


def supported(row: Row, operation: Operation) -> frozenset[str]:
    """The fields that a way of a row obeys."""
    way = row.ways[operation]
    names = {"prompt", "width", "height", "seed", "count", *STEPS, *way.inputs}
    names |= {"seconds", "resolution"} if operation in CLIPS else {"format"}
    names |= {"resolution"} if not way.inputs else set[str]()
    names |= {"negative_prompt"} if row.negative else set[str]()
    names |= set(GUIDANCE) if row.guidance_as else set[str]()
    names |= {"strength"} if way.strength is not None else set[str]()
    names |= {"mask_polarity"} if Role.MASK in way.inputs else set[str]()
    names |= {"fps"} if row.any_fps else set[str]()
    names |= {"audio"} if row.sound and operation in CLIPS else set[str]()
    return frozenset(names)


# -- what is asked ---------------------------------------------------------------------------


def order_for(run: EngineRun, row: Row, settings: EngineSettings) -> Json:
    """What the child is asked. Raises Problem for what this engine cannot be asked."""
    wish = run.generation
    way = row.ways.get(wish.operation)
    if way is None:
        raise Problem(Kind.UNSUPPORTED, f"This pipeline does not do {wish.operation}.", field="model")
    check(wish, row, settings, {})
    is_clip = wish.operation in CLIPS
    width, height = size_of(run, row, is_clip=is_clip)
    fps = rate_of(wish, row)
    wishes: Json = {}
    if row.negative and (wish.negative_prompt or row.no_negative) is not None:
        wishes["negative_prompt"] = wish.negative_prompt or row.no_negative
        wishes |= row.with_negative if wish.negative_prompt else {}
    guidance = first(*(wish.extra.get(name) for name in GUIDANCE), settings.guidance, row.guidance)
    if row.guidance_as not in ("", "guider") and guidance is not None:
        wishes[row.guidance_as] = float(guidance)
    if way.strength is not None:
        wishes["strength"] = float(first(wish.extra.get("strength"), way.strength))
    frames = None
    if is_clip:
        frames = max(1, round(wish.seconds * fps)) if wish.seconds is not None else row.frames
    return {
        "pipeline": way.pipeline,
        "prompt": wish.prompt or "",
        "wishes": wishes,
        "more": row.more,
        "guider": guidance if row.guidance_as == "guider" else None,
        "steps": int(first(*(wish.extra.get(name) for name in STEPS), settings.steps or row.steps)),
        "inputs": given_inputs(run, way),
        "fit": is_clip or way.strength is not None or Role.MASK in way.inputs,
        "polarity": wish.extra.get("mask_polarity"),
        "width": width,
        "height": height,
        "multiple": row.multiple,
        "frames": frames,
        "ratio": row.ratio,
        "fps": fps,
        "silent": wish.extra.get("audio") is False,
        "seed": wish.seed or 0,
        "count": wish.count or 1,
        "format": FORMATS[str(wish.extra.get("format", "png")).lower()],
        "out": str(run.scratch),
    }


def check(wish: Generation, row: Row, settings: EngineSettings, fields: Mapping[str, str]) -> None:
    """Bounds of this engine. Raises Problem with the caller's name of the field."""

    def refuse(name: str, message: str) -> Problem:
        return Problem(Kind.INVALID, message, field=fields.get(name, name))

    if wish.count is not None and not 1 <= wish.count <= MAX_COUNT:
        raise refuse("count", f"{wish.count} results were asked for; 1 to {MAX_COUNT} are made.")
    if wish.width is not None and wish.height is not None:
        if min(wish.width, wish.height) < 1:
            raise refuse("width", f"{wish.width}x{wish.height} is no size.")
        if settings.max_pixels and wish.width * wish.height > settings.max_pixels:
            most = f"{settings.max_pixels:,} pixels are made here"
            raise refuse("width", f"{wish.width}x{wish.height} is too large: at most {most}.")
    if wish.operation in CLIPS and wish.seconds is not None:
        fps = rate_of(wish, row)
        if round(wish.seconds * fps) > row.most_frames:
            most = f"{row.most_frames} frames, which is {row.most_frames / fps:.3g} seconds at {fps} a second"
            raise refuse("seconds", f"{wish.seconds:g} seconds are too long: at most {most}.")
    for name in STEPS:
        steps = wish.extra.get(name)
        if steps is not None and not (isinstance(steps, int) and 1 <= steps <= MAX_STEPS):
            raise refuse(name, f"{name} is {steps!r}; it must be a whole number from 1 to {MAX_STEPS}.")
    if (kind := wish.extra.get("format")) is not None and str(kind).lower() not in FORMATS:
        raise refuse("format", f"The format is {kind!r}; it must be one of {', '.join(FORMATS)}.")


def rate_of(wish: Generation, row: Row) -> float:
    """Frames a second of a clip."""
    return wish.fps if row.any_fps and wish.fps is not None else row.fps


def size_of(run: EngineRun, row: Row, *, is_clip: bool) -> tuple[int, int]:
    """As asked; else the tier, or the row's usual area, in the shape of the first picture; else as the row has it. A
    picture that is smaller than usual is made as large as it is. Clips have even sides."""
    wish = run.generation
    width, height = wish.width, wish.height
    if width is None or height is None:
        tier = pixels_of("16:9", wish.resolution) if wish.resolution else None
        width, height = tier or (row.width, row.height)
        shown = next((each.info for each in run.inputs if each.role is not Role.MASK), None)
        if shown is not None and shown.width and shown.height:
            scale = (width * height / (shown.width * shown.height)) ** 0.5
            scale = scale if is_clip else min(scale, 1.0)
            width, height = max(1, round(shown.width * scale)), max(1, round(shown.height * scale))
    return (max(2, width & ~1), max(2, height & ~1)) if is_clip else (width, height)


def given_inputs(run: EngineRun, way: Way) -> dict[str, list[Json]]:
    """The files for each argument. Raises Problem for one that is missing, or one too many."""
    found: dict[str, list[Json]] = {}
    for role, argument in way.inputs.items():
        for each in (each for each in run.inputs if each.role is role):
            found.setdefault(argument, []).append({"path": str(each.path), "at": -1 if role is Role.LAST_FRAME else 0})
            if len(found[argument]) > 1 and argument != "conditions" and not way.several:
                raise Problem(Kind.INVALID, "One picture is taken.", field=each.field)
    needed = next(iter(way.inputs.values()), None)
    if needed is not None and needed not in found:
        raise Problem(Kind.INVALID, "There is no picture to start from.")
    if "mask_image" in way.inputs.values() and "mask_image" not in found:
        raise Problem(Kind.INVALID, "There is no mask that shows what is to be made anew.")
    return found


def first(*values: Any) -> Any:
    """The first that was given."""
    return next((each for each in values if each is not None), None)


# -- what is told ----------------------------------------------------------------------------


def told(engine: Diffusers, order: Json) -> str:
    guidance = first(order["guider"], order["wishes"].get(engine.row.guidance_as))
    facts = [f"{order['steps']} steps", f"seed {order['seed']}"]
    facts += [f"guidance {guidance:g}"] if guidance is not None else []
    return f"{engine.name} made it with {engine.row_name}: {', '.join(facts)}"


def memory_message(name: str, order: Json, device: str) -> str:
    size = f"{order['width']}x{order['height']}"
    what = f"{order['frames']} frames of {size}" if order["frames"] is not None else f"a picture of {size}"
    return (
        f"Engine {name!r} has too little memory on its device ({device or 'unknown'}) for {what}, also after what saves"
        " memory was tried. Ask for a smaller size or a shorter clip."
    )


async def keep(run: EngineRun, file: Json, row_name: str) -> Output:
    path = Path(file["path"])
    begun = next((each for each in run.inputs if each.role is not Role.MASK), None)
    return await run.keep(
        path,
        media_type=MEDIA_TYPES[path.suffix],
        width=file["width"],
        height=file["height"],
        seconds=file.get("seconds"),
        frames=file.get("frames"),
        made=Making(
            version=row_name,
            trained=True,
            begun_with=begun.source if begun else None,
            placed=tuple(each.source for each in run.inputs if each is not begun),
        ),
    )


# -- children --------------------------------------------------------------------------------


class NotLoaded(Exception):
    """A child could not load. The message is for the caller, without a full stop."""

    def __init__(self, message: str, retry_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_seconds = retry_seconds


class NoMemory(Exception):
    """The device has no room for a job. The message names the device."""


class _Seat:
    """A device, and the child that owns it: started for the first job, replaced when it died, ended when it idles."""

    def __init__(self, name: str, device: str, row: Row, settings: EngineSettings) -> None:
        self.name, self.device, self.row, self.settings = name, device, row, settings
        self.child: _Child | None = None
        self._ready: asyncio.Task[_Child] | None = None
        self._ending: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def make(self, order: Json, run: EngineRun) -> Json:
        """What the child says when it is done. Raises Problem, CutOff, NotLoaded, NoMemory."""
        if self._ending is not None:
            self._ending.cancel()
        child = await self._loaded()
        try:
            async with asyncio.timeout(self.settings.timeout_seconds):
                return await self._follow(child, order, run)
        except TimeoutError as error:
            await self.end()
            message = f"Engine {self.name!r} took more than {self.settings.timeout_seconds:g} seconds for this."
            raise Problem(Kind.TIMED_OUT, message) from error
        except CutOff:
            await self.end()
            raise

    async def stop(self, id: str) -> None:
        """Have the child leave off this job, and end it if it does not. One that still loads goes on with that."""
        if self.child is None:
            if self._ready is not None:
                with contextlib.suppress(Exception):
                    await asyncio.shield(self._ready)
            return
        await self.child.give({"cancel": id})
        try:
            async with asyncio.timeout(CANCEL_SECONDS):
                async for news in self.child.news():
                    if news.get("job") == id and not news.keys() & {"progress", "glimpse"}:
                        return
        except TimeoutError:
            log.warning("child_did_not_stop", engine=self.name, device=self.device)
        await self.end()

    def rest(self) -> None:
        """Nothing is asked of it now."""
        if self.settings.idle_seconds and self.child is not None:
            self._ending = asyncio.get_running_loop().call_later(self.settings.idle_seconds, self._end_idle)

    def _end_idle(self) -> None:
        task = asyncio.create_task(self.end())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        log.info("child_idle", engine=self.name, device=self.device)

    async def end(self) -> None:
        if self._ending is not None:
            self._ending.cancel()
        if self._ready is not None and not self._ready.done():
            self._ready.cancel()
            await asyncio.gather(self._ready, return_exceptions=True)
        child, self.child, self._ready = self.child, None, None
        if child is not None:
            await child.end()
        if others := self._tasks - {asyncio.current_task()}:
            await asyncio.gather(*others, return_exceptions=True)

    async def _loaded(self) -> "_Child":
        """The child with its pipeline. Loading goes on when the job that it began for is canceled."""
        if self.child is not None and self.child.alive:
            return self.child
        if self.child is not None:
            await self.end()
        if self._ready is None or self._ready.done():
            self._ready = asyncio.create_task(self._load())
        return await asyncio.shield(self._ready)

    async def _load(self) -> "_Child":
        began = time.monotonic()
        child = await _Child.start(self.settings)
        try:
            await child.give({"load": loading(self.settings, self.row, self.device)})
            async with asyncio.timeout(self.settings.load_seconds):
                async for news in child.news():
                    if "loaded" in news:
                        seconds = round(time.monotonic() - began, 1)
                        log.info("child_loaded", engine=self.name, seconds=seconds, **news["loaded"])
                        self.child = child
                        return child
                    if "unloadable" in news:
                        log.error("child_unloadable", engine=self.name, reason=news["unloadable"])
                        raise NotLoaded(news["told"], ABSENT_SECONDS if news.get("absent") else None)
            code = await child.process.wait()
            log.error("child_died_loading", engine=self.name, code=code, last_words=child.last_words())
            raise NotLoaded(f"its process ended with status {code}")
        except TimeoutError as error:
            told = f"that took more than {self.settings.load_seconds:g} seconds"
            if self.settings.kind == "ray":
                told = f"{told}; the cluster does not answer, or has no room for an actor"
                raise NotLoaded(told, ABSENT_SECONDS) from error
            raise NotLoaded(told) from error
        finally:
            if self.child is not child:
                await child.end()

    async def _follow(self, child: "_Child", order: Json, run: EngineRun) -> Json:
        """Give the order and pass on the news until it is done."""
        await child.give(order)
        async for news in child.news():
            if news.get("job") != order["make"]:
                continue
            if "progress" in news:
                run.progress(news["progress"])
            elif "glimpse" in news:
                run.show(b64decode(news["glimpse"]))
            elif "done" in news:
                return news["done"]
            elif "refused" in news:
                raise refusal(run, self.name, news)
            elif "memory" in news:
                log.warning("child_memory", engine=self.name, job=run.job_id, reason=news["memory"])
                raise NoMemory(str(news.get("device", "")))
            elif "lost" in news:
                log.error("child_lost", engine=self.name, job=run.job_id, reason=news.get("trace"))
                raise CutOff(f"Engine {self.name!r} lost its device: {news['lost']}")
            elif "canceled" in news:
                raise CutOff(f"Engine {self.name!r} left it off")
            else:
                log.error("child_broke", engine=self.name, job=run.job_id, reason=news.get("broken"))
                raise Problem(Kind.ENGINE_FAILED, f"Engine {self.name!r} failed; the server's log has the details.")
        code = await child.process.wait()
        log.error("child_died", engine=self.name, job=run.job_id, code=code, last_words=child.last_words())
        how = f"was killed by signal {-code}" if code < 0 else f"ended with status {code}"
        raise CutOff(f"The process of engine {self.name!r} {how} before it was done")


def loading(settings: EngineSettings, row: Row, device: str) -> Json:
    """What a child is told of the pipeline that it is to load."""
    names = (
        "model",
        "dtype",
        "quantize",
        "offload",
        "tiling",
        "loras",
        "threads",
        "online",
        "sandbox",
        "preview_seconds",
    )
    told = {name: getattr(settings, name) for name in names}
    cluster = {"address": settings.address, "resources": settings.resources}
    also = [name for each in (pipelines.also(row), row.pipelines) for name in each]
    return {**told, "device": device, "pipelines": also, "cluster": cluster, "environment": settings.environment}


def refusal(run: EngineRun, name: str, news: Json) -> Problem:
    """What the pipeline said no to, with the caller's name of the field."""
    if "trace" in news:
        log.warning("child_refused", engine=name, job=run.job_id, reason=news["trace"])
    field = news["refused"].get("field")
    if field == "mask":
        return Problem(
            Kind.BAD_MEDIA,
            sentence(news["refused"]["message"]),
            field=next((each.field for each in run.inputs if each.role is Role.MASK), "mask"),
        )
    return Problem(Kind.INVALID, f"Engine {name!r} refuses this: {news['refused']['message']}", field=field)


def sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."


class _Child:
    """A process with a pipeline, or with a hand on an actor that has one."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self._words: deque[str] = deque(maxlen=STDERR_LINES)
        self._listening = asyncio.create_task(self._listen())

    @classmethod
    async def start(cls, settings: EngineSettings) -> "_Child":
        python = settings.python or sys.executable
        if shutil.which(python) is None:
            raise NotLoaded("its Python is not there")
        # An environment of its own: what is loaded there needs to know no secrets.
        environment = {
            "PATH": os.pathsep.join(os.get_exec_path()),
            "HOME": str(Path.home()),
            "PYTHONUNBUFFERED": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            **({} if settings.online else {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}),
            **({"HF_HOME": settings.cache} if settings.cache else {}),
            **settings.environment,
        }
        return cls(
            await asyncio.create_subprocess_exec(
                # -P: beside the program lies a module of ours that has the library's name.
                *(python, "-P", str(RAY_CHILD if settings.kind == "ray" else CHILD)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=environment,
                limit=LINE_BYTES,
                start_new_session=True,
            )
        )

    @property
    def alive(self) -> bool:
        return self.process.returncode is None

    def last_words(self) -> str:
        return "\n".join(self._words)

    async def give(self, order: Json) -> None:
        stdin = self.process.stdin
        if stdin is not None:
            # it died: its news end at once; RuntimeError is uvloop's word for a pipe that is closed
            with contextlib.suppress(ConnectionError, RuntimeError):
                stdin.write(msgspec.json.encode(order) + b"\n")
                await stdin.drain()

    async def news(self) -> AsyncIterator[Json]:
        """Its lines, until it is gone. What is no line of ours is passed over: a library has found the way past us."""
        stdout = self.process.stdout
        while stdout is not None and (line := await self._line(stdout.readline)):
            try:
                told = msgspec.json.decode(line)
            except msgspec.DecodeError:
                told = None
            if isinstance(told, dict):
                yield told
            else:
                log.warning("child_babbled", line=line[:200].decode(errors="replace"))

    async def _line(self, readline: Callable[[], Any]) -> bytes:
        try:
            return await readline()
        except ValueError:  # a line without an end: nothing after it can be understood
            log.error("child_babbled", line=f"more than {LINE_BYTES} bytes without a line's end")
            await self.end()
            return b""

    async def _listen(self) -> None:
        """Keep its last words. What is said without a line's end is thrown away."""
        stderr = self.process.stderr
        while stderr is not None:
            try:
                line = await stderr.readline()
            except ValueError:
                continue
            if not line:
                return
            self._words.append(line.decode(errors="replace").rstrip()[:500])

    async def end(self) -> None:
        """Kill it, and wait until it is gone."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        await self.process.wait()
        await asyncio.gather(self._listening, return_exceptions=True)
        stdout = self.process.stdout
        with contextlib.suppress(RuntimeError):  # somebody else reads it to its end
            while stdout is not None and await stdout.read(LINE_BYTES):  # a pipe that is not emptied is never closed
                pass
        if self.process.stdin is not None:
            self.process.stdin.close()
            with contextlib.suppress(ConnectionError):
                await self.process.stdin.wait_closed()
