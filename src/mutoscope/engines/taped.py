"""What is made here, with a recorder beside it; or a recording of it in the engine's place.

A recording is written at the job's end: one answer with the outputs, notes and failure, and a copy of each file as it
was kept, with its content credentials.
"""

import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Protocol

import msgspec
import structlog
import uuid_utils
from msgspec import Struct
from msgspec.structs import replace

import mutoscope
from mutoscope.cassettes.deck import Playing, remember, unrecorded
from mutoscope.cassettes.folder import FORMAT, LOCAL, Answer, BadCassette, Cassette, Label
from mutoscope.cassettes.library import Library
from mutoscope.cassettes.matching import asked_of_job
from mutoscope.cassettes.recorder import Recorder
from mutoscope.cassettes.tapes import Tapes
from mutoscope.cassettes.writer import Heard
from mutoscope.engines.engine import EngineRun, Outcome
from mutoscope.files.assets import Assets
from mutoscope.model.job import Failure, Generation, Job, Output
from mutoscope.model.problem import Kind, Problem, as_unavailable

log = structlog.get_logger(__name__)

Make = Callable[[], Awaitable[Outcome]]


class Result(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What came of a job: the JSON of the answer `make`. The file of an output is the copy of its number."""

    outputs: tuple[Output, ...] = ()
    notes: tuple[str, ...] = ()
    failure: Failure | None = None
    canceled: bool = False


class TapedRun(EngineRun, Protocol):
    """A job as a recording needs it."""

    notes: list[str]

    @property
    def job(self) -> Job: ...
    @property
    def assets(self) -> Assets: ...

    async def was_canceled(self) -> bool:
        """Whether it was its owner who ended it."""
        ...


class Taped:
    """For all engines of this process that make things themselves. With a library recordings are played, with a
    recorder they are made, with both the missing."""

    def __init__(
        self,
        *,
        recorder: Recorder | None = None,
        library: Library | None = None,
        pace: float = 0.0,
        learns: bool = False,
        strict: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`pace`: how long a recorded second takes. `learns`: what was recorded is played from then on. `strict`: what
        was not recorded is not made."""
        self.recorder, self.library, self.pace, self.clock = recorder, library, pace, clock
        self.learns, self.strict = learns, strict
        self._playing: dict[str, Cassette] = {}  # a job that is tried again gets the same

    async def generate(self, run: TapedRun, wish: Generation, make: Make) -> Outcome:
        """A recorded result of what is wished, or what `make` makes. Raises Problem, and what `make` raises."""
        if self.library:
            asked = asked_of_job(LOCAL, wish, self.recorder.secrets if self.recorder else ())
            if cassette := self._playing.get(run.job_id) or self.library.take(asked):
                remember(self._playing, run.job_id, cassette)
                log.info("replaying", job=run.job_id, cassette=cassette.name)
                return await self._play(run, cassette)
            if self.strict:
                raise unrecorded(f"a job of {wish.model} that is made here", self.library, asked)
        return await self._overheard(run, wish, make, self.recorder) if self.recorder else await make()

    # -- playing ---------------------------------------------------------------------------------

    async def _play(self, run: TapedRun, cassette: Cassette) -> Outcome:
        try:
            answer, result = await asyncio.to_thread(result_of, cassette)
            await asyncio.sleep(answer.seconds * self.pace)
            for text in result.notes:
                run.note(text)
            if result.canceled:
                await asyncio.Event().wait()  # until it is canceled again
            if failure := result.failure:
                raise Problem(failure.kind, failure.message, field=failure.field)
            return tuple([await put(run, cassette, number, each) for number, each in enumerate(result.outputs)])
        except BadCassette as error:
            raise Problem(Kind.ENGINE_FAILED, str(error)) from error

    # -- recording -------------------------------------------------------------------------------

    async def _overheard(self, run: TapedRun, wish: Generation, make: Make, recorder: Recorder) -> Outcome:
        """Made, and recorded unless it is tried again."""
        moment, began, noted = self.clock(), time.perf_counter(), len(run.notes)

        async def record(result: Result, outputs: tuple[Output, ...] = ()) -> None:
            result, seconds = replace(result, notes=tuple(run.notes[noted:])), time.perf_counter() - began
            await self._record(run, wish, recorder, result, outputs, moment=moment, seconds=seconds)

        try:
            outcome = await make()
        except Problem as problem:
            if as_unavailable(problem) is None:
                failure = Failure(kind=problem.kind, message=problem.message, field=problem.field)
                await record(Result(failure=failure))
            raise
        except asyncio.CancelledError:
            if run.canceled and await run.was_canceled():
                await record(Result(canceled=True))
            raise
        if isinstance(outcome, tuple):
            outputs = tuple(replace(each, id=str(number), asset="") for number, each in enumerate(outcome))
            await record(Result(outputs=outputs), outcome)
        return outcome

    async def _record(
        self,
        run: TapedRun,
        wish: Generation,
        recorder: Recorder,
        result: Result,
        outputs: tuple[Output, ...],
        *,
        moment: float,
        seconds: float,
    ) -> None:
        job = run.job
        label = Label(
            format=FORMAT,
            kind="job",
            wire=LOCAL,
            account=job.engine,
            model=wish.model,
            recorded=datetime.fromtimestamp(moment, UTC),
            mutoscope=mutoscope.__version__,
            job=job.id,
        )
        recording = recorder.begin(label, wish=wish)
        body = msgspec.json.encode(result)
        recorder.answer(recording, Heard(recording.id, recorder.turn(), "make", moment, seconds, body=body))
        try:
            for number, each in enumerate(outputs):
                if each.asset:
                    path = await run.assets.local_path(each.asset, run.scratch)
                    await recorder.copy(recording, self.clock(), number, "", path)
        except (OSError, Problem) as error:
            recorder.give_up(recording, str(error))
        except asyncio.CancelledError:
            recorder.give_up(recording, "the job was canceled or interrupted while its files were copied")
            raise
        finally:
            recorder.end(recording, self.library.add if self.library and self.learns else None)


def taped(tapes: Tapes) -> Taped | None:
    """As the settings wish it; None where only some accounts are recorded or played, too."""
    wanted = tapes.cassettes
    if not (tapes.library or tapes.recorder) or wanted.accounts:
        return None
    return Taped(
        recorder=tapes.recorder,
        library=tapes.library,
        pace=wanted.pace,
        learns=wanted.unknown == "once",
        strict=wanted.unknown == "strict",
    )


def result_of(cassette: Cassette) -> tuple[Answer, Result]:
    """Raises BadCassette."""
    if not (made := [each for each in cassette.answers if each.step == "make"]):
        raise BadCassette(f"The cassette {cassette.name} has no answer to a make.")
    try:
        return made[-1], msgspec.json.decode(cassette.body(made[-1]), type=Result)
    except msgspec.DecodeError as error:
        raise BadCassette(f"The cassette {cassette.name}: {error}") from error


async def put(run: TapedRun, cassette: Cassette, number: int, output: Output) -> Output:
    """A recorded output as one of this job, byte for byte. Raises BadCassette."""
    if output.text is not None:
        return replace(output, id=str(uuid_utils.uuid7()))
    path = run.scratch / f"recorded-{number}"
    await asyncio.to_thread(shutil.copyfile, Playing(cassette, 0.0).result(number), path)
    kept = await run.keep(path, media_type=output.media_type, made=False)
    return replace(output, id=kept.id, asset=kept.asset, bytes=kept.bytes)
