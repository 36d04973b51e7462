"""What an account's engine asks in its vendor's place: the vendor with a recorder beside it, or a recording of it.

A job is matched once, by what is to be made; from then on the vendor's answers are played step by step, as the engine
comes to ask. Of a step that is polled the answers are chosen by their time.
"""

import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypeVar

import structlog

import mutoscope
from mutoscope.cassettes.folder import FORMAT, Answer, BadCassette, Cassette, Label, Trouble
from mutoscope.cassettes.library import Library
from mutoscope.cassettes.matching import asked_of_job, asked_of_words
from mutoscope.cassettes.recorder import Recorder, Recording
from mutoscope.cassettes.secrets import KEPT_HEADERS
from mutoscope.cassettes.writer import Asked, Heard
from mutoscope.files.http1 import ConnectFailed, Opened
from mutoscope.model.config import VendorAccount
from mutoscope.model.http import HttpRequest, HttpResponse
from mutoscope.model.job import Generation, Json
from mutoscope.model.problem import KINDS, Kind, Problem

log = structlog.get_logger(__name__)

T = TypeVar("T")
Send = Callable[[HttpRequest], Awaitable[HttpResponse]]
Open = Callable[[HttpRequest], Awaitable[Opened]]
Step = Literal["upload", "submit", "find", "poll", "cancel"]
NAME, THEIRS = "cassette", "theirs"  # members of a handle: the recording, and the handle as the vendor gave it
MOST_JOBS = 20_000  # that are remembered
MOST_HELD = 32 * 1024 * 1024  # bytes of an answer in words; a longer one is not recorded


class Unrecorded(Problem):
    """Nobody has recorded what was asked."""

    def __init__(self, message: str) -> None:
        super().__init__(Kind.UNSUPPORTED, message)


class Deck:
    """For one account. With a library recordings are played, with a recorder they are made, with both the missing."""

    def __init__(
        self,
        name: str,
        account: VendorAccount,
        *,
        vendor: str,
        recorder: Recorder | None = None,
        library: Library | None = None,
        pace: float = 0.0,
        learns: bool = False,
        alone: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`pace`: how long a recorded second takes. `learns`: what was recorded is played from then on. `alone`:
        the vendor is never asked."""
        self.name, self.account, self.vendor = name, account, vendor
        self.recorder, self.library, self.pace, self.learns, self.clock = recorder, library, pace, learns, clock
        self.alone = alone
        self._secrets: Collection[str] = recorder.secrets if recorder else ()
        self._playing: dict[str, Playing] = {}
        self._recording: dict[str, Recording] = {}

    # -- jobs ------------------------------------------------------------------------------------

    def begin(self, job: str, wish: Generation) -> None:
        """Find the recording of a job, or begin one. Raises Unrecorded."""
        if job in self._playing or job in self._recording:
            return  # it is tried again
        if self.library:
            asked = asked_of_job(self.account.wire, wish, self._secrets)
            if cassette := self.library.take(asked):
                log.info("replaying", job=job, cassette=cassette.name)
                remember(self._playing, job, Playing(cassette, self.pace))
                return
            if not self.recorder:
                raise unrecorded(f"a job of {wish.model}", self.library, asked)
        if self.recorder:
            remember(self._recording, job, self.recorder.begin(self.label("job", wish.model, job), wish=wish))

    def plays(self, job: str) -> bool:
        return job in self._playing

    def handled(self, job: str, handle: Json) -> Json:
        """The handle as it is kept: a replayed task's id may be that of many jobs, and is no name for one."""
        if playing := self._playing.get(job):
            return {"id": f"{playing.cassette.name}/{job}", NAME: playing.cassette.name, THEIRS: handle}
        if recording := self._recording.get(job):
            return {**handle, NAME: recording.id}
        return handle

    def turn(self, job: str, step: Step, handle: Json | None = None) -> "Turn | None":
        """Where the next conversation about a job is had; None: with the vendor, and nobody listens."""
        self._find(job, handle or {})
        if playing := self._playing.get(job):
            return PlayedTurn(playing, step)
        if (recording := self._recording.get(job)) and self.recorder:
            return RecordedTurn(self.recorder, recording, step, self.clock)
        if self.alone:
            raise Problem(Kind.UPSTREAM_FAILED, "No recording goes with this job, and the vendor is not asked.")
        return None

    async def copied(self, job: str, handle: Json, number: int, path: Path) -> bool:
        """Bring a recorded result to a path; False where it is the vendor's to give. Raises Problem."""
        self._find(job, handle)
        if (playing := self._playing.get(job)) is None:
            return False
        try:
            await asyncio.to_thread(shutil.copyfile, playing.result(number), path)
        except BadCassette as error:
            raise Problem(Kind.UPSTREAM_FAILED, str(error)) from error
        return True

    async def keep(self, job: str, handle: Json, number: int, link: str, path: Path) -> None:
        """A result was fetched."""
        self._find(job, handle)
        if (recording := self._recording.get(job)) and self.recorder:
            await self.recorder.copy(recording, self.clock(), number, link, path)

    def ended(self, job: str) -> None:
        """Nothing more is asked about it."""
        self._playing.pop(job, None)
        if (recording := self._recording.pop(job, None)) and self.recorder:
            self.recorder.end(recording, self.library.add if self.library and self.learns else None)

    def _find(self, job: str, handle: Json) -> None:
        """Take up what an earlier process began."""
        name = handle.get(NAME)
        if not isinstance(name, str) or job in self._playing or job in self._recording:
            return
        if THEIRS in handle:
            if self.library and (cassette := self.library.names.get(name)):
                remember(self._playing, job, Playing(cassette, 0.0))
        elif self.recorder:
            remember(self._recording, job, self.recorder.resume(name))

    def label(self, kind: Literal["job", "words"], model: str, job: str = "") -> Label:
        return Label(
            format=FORMAT,
            kind=kind,
            wire=self.account.wire,
            account=self.name,
            model=model,
            recorded=datetime.fromtimestamp(self.clock(), UTC),
            mutoscope=mutoscope.__version__,
            vendor=self.vendor,
            job=job,
            models=self.account.models,
            renames=self.account.renames,
            open_models=self.account.open_models,
        )

    # -- words -----------------------------------------------------------------------------------

    async def open(self, request: HttpRequest, model: str, send: Open) -> Opened:
        """An answer in words: a recorded one, or the vendor's. Raises Problem, and what `send` raises."""
        if self.library:
            asked = asked_of_words(self.account.wire, request, self._secrets)
            if cassette := self.library.take(asked):
                return await played(cassette, self.pace)
            if not self.recorder:
                raise unrecorded(f"{request.method} {request.path}", self.library, asked)
        if not self.recorder:
            return await send(request)
        heard = Listener(self, self.recorder, request, model)
        try:
            return Overheard(await send(request), heard)
        except Problem as problem:
            heard.failed(problem)
            raise


def remember(jobs: dict[str, T], job: str, what: T) -> None:
    """Of jobs that were forgotten here, the handle tells."""
    jobs[job] = what
    if len(jobs) > MOST_JOBS:
        del jobs[next(iter(jobs))]


def unrecorded(what: str, library: Library, asked: Json) -> Unrecorded:
    return Unrecorded(f"No cassette in {library.root.name} has {what} like this. {library.nearest(asked)}")


def theirs(handle: Json) -> Json:
    """A handle as the vendor gave it."""
    return handle.get(THEIRS) or handle


# -- one conversation ---------------------------------------------------------------------------


class RecordedTurn:
    plays = False

    def __init__(self, recorder: Recorder, recording: Recording, step: Step, clock: Callable[[], float]) -> None:
        self.recorder, self.recording, self.step, self.clock = recorder, recording, step, clock
        self.number = recorder.turn()

    async def answer(self, request: HttpRequest, send: Send) -> HttpResponse:
        moment, began = self.clock(), time.perf_counter()
        trouble, response = None, None
        try:
            response = await send(request)
            return response
        except Problem as problem:
            trouble = trouble_of(problem)
            raise
        finally:
            if response or trouble:
                heard = Heard(
                    recording=self.recording.id,
                    turn=self.number,
                    step=self.step,
                    moment=moment,
                    seconds=time.perf_counter() - began,
                    asked=asked_in(request),
                    status=response.status if response else None,
                    headers=kept(response.headers) if response else {},
                    trouble=trouble,
                    body=response.body if response else b"",
                )
                self.recorder.answer(self.recording, heard)


class Playing:
    """A recording that stands for the vendor of one job."""

    def __init__(self, cassette: Cassette, pace: float) -> None:
        self.cassette, self.pace = cassette, pace
        self.began = time.monotonic()
        self._at: dict[str, int] = {}

    def next(self, step: Step) -> list[Answer]:
        """The answers of the next turn. Raises Problem."""
        try:
            turns = self.cassette.turns(step)
        except BadCassette as error:
            raise Problem(Kind.UPSTREAM_FAILED, str(error)) from error
        if not turns:
            raise Problem(Kind.UPSTREAM_FAILED, f"The cassette {self.cassette.name} has no answer to a {step}.")
        if step == "poll":
            return self._now(turns)
        number = self._at[step] = self._at.get(step, 0) + 1
        if number > len(turns) and step == "submit":
            raise Problem(Kind.UPSTREAM_FAILED, f"The cassette {self.cassette.name} ends before this was accepted.")
        return turns[min(number, len(turns)) - 1]

    def _now(self, turns: list[list[Answer]]) -> list[Answer]:
        if not self.pace:
            return turns[-1]
        elapsed = (time.monotonic() - self.began) / self.pace
        return next((turn for turn in reversed(turns) if turn[0].at <= elapsed), turns[0])

    def result(self, number: int) -> Path:
        """Raises BadCassette."""
        copies = [each for each in self.cassette.answers if each.step == "copy" and each.asked.get("number") == number]
        if not copies:
            raise BadCassette(f"The cassette {self.cassette.name} has no result {number}.")
        return self.cassette.file(copies[-1].file or "")


class PlayedTurn:
    plays = True

    def __init__(self, playing: Playing, step: Step) -> None:
        self.playing: Playing = playing
        self.step: Step = step
        self._left: list[Answer] | None = None

    async def answer(self, request: HttpRequest, send: Send) -> HttpResponse:  # noqa: ARG002 (nobody is asked)
        if self._left is None:
            self._left = list(self.playing.next(self.step))
        if not self._left:
            message = f"The cassette {self.playing.cassette.name} has no further answer to this {self.step}."
            raise Problem(Kind.UPSTREAM_FAILED, message)
        answer = self._left.pop(0)
        if self.playing.pace and self.step != "poll":
            await asyncio.sleep(answer.seconds * self.playing.pace)
        if answer.trouble:
            raise problem_of(answer.trouble)
        try:
            body = await asyncio.to_thread(self.playing.cassette.body, answer)
        except (BadCassette, OSError) as error:
            raise Problem(Kind.UPSTREAM_FAILED, str(error)) from error
        kind = answer.headers.get("content-type", "application/json")
        return HttpResponse(status=answer.status or 200, headers=dict(answer.headers), body=body, media_type=kind)


Turn = RecordedTurn | PlayedTurn


def asked_in(request: HttpRequest) -> Asked:
    return Asked(
        method=request.method,
        path=request.path,
        query=dict(request.query),
        content_type=request.headers.get("content-type", ""),
        body=request.body,
    )


def kept(headers: dict[str, str]) -> dict[str, str]:
    """Those that are recorded; whoever writes them takes out secrets."""
    return {name: text for name, text in headers.items() if name in KEPT_HEADERS}


def trouble_of(problem: Problem) -> Trouble:
    return Trouble(kind=problem.kind.value, message=problem.message, unsent=isinstance(problem, ConnectFailed))


def problem_of(trouble: Trouble) -> Problem:
    kind = Kind(trouble.kind) if trouble.kind in KINDS else Kind.UPSTREAM_FAILED
    return ConnectFailed(kind, trouble.message) if trouble.unsent else Problem(kind, trouble.message)


# -- answers in words ---------------------------------------------------------------------------


class Listener:
    """An answer in words that is recorded once it is whole, or broken off by the vendor."""

    def __init__(self, deck: Deck, recorder: Recorder, request: HttpRequest, model: str) -> None:
        self.deck, self.recorder, self.request, self.model = deck, recorder, request, model
        self.moment, self.began = deck.clock(), time.perf_counter()
        self.headed = self.began
        self.status: int | None = None
        self.headers: dict[str, str] = {}
        self.pieces: list[tuple[float, bytes]] = []  # and when each came
        self._size, self._done = 0, False

    def begins(self, status: int, headers: dict[str, str]) -> None:
        self.status, self.headers = status, headers
        self.headed = time.perf_counter()

    def came(self, piece: bytes) -> None:
        """Called for each event of a stream: it does as little as can be."""
        self.pieces.append((time.perf_counter(), piece))
        self._size += len(piece)
        if self._size > MOST_HELD:
            self.pieces.clear()
            if not self._done:
                self._done = True
                log.warning("cassette_unwritten", model=self.model, reason=f"an answer of more than {MOST_HELD} bytes")

    def closed(self) -> None:
        """Its reader is gone: it may have heard all of it all the same."""
        if self.headers.get("content-length") == str(self._size):
            self.whole()

    def failed(self, problem: Problem) -> None:
        self.whole(trouble_of(problem))

    def whole(self, trouble: Trouble | None = None) -> None:
        if self._done:
            return
        self._done = True
        streams = self.headers.get("content-type", "").startswith("text/event-stream")
        recorder, deck = self.recorder, self.deck
        recording = recorder.begin(deck.label("words", self.model), request=asked_in(self.request))
        heard = Heard(
            recording=recording.id,
            turn=0,
            step="words",
            moment=self.moment,
            seconds=(self.headed if streams else time.perf_counter()) - self.began,
            status=self.status,
            headers=kept(self.headers),
            trouble=trouble,
            body=b"" if streams else b"".join(piece for _, piece in self.pieces),
            pieces=self.pieces if streams else None,
            headed=self.headed,
        )
        recorder.answer(recording, heard)
        recorder.end(recording, deck.library.add if deck.library and deck.learns else None)


class Overheard(Opened):
    """The vendor's answer, written along."""

    def __init__(self, opened: Opened, heard: Listener) -> None:
        self.opened, self.heard = opened, heard
        self.status, self.headers = opened.status, opened.headers
        heard.begins(opened.status, opened.headers)

    async def piece(self, seconds: float) -> bytes:
        try:
            piece = await self.opened.piece(seconds)
        except Problem as problem:
            self.heard.failed(problem)
            raise
        if piece:
            self.heard.came(piece)
        else:
            self.heard.whole()
        return piece

    def close(self) -> None:
        self.heard.closed()
        self.opened.close()


class Played(Opened):
    """A recorded answer."""

    def __init__(self, answer: Answer, pieces: list[tuple[float, bytes]], pace: float) -> None:
        self.status, self.headers = answer.status or 200, dict(answer.headers)
        self.pace, self._pieces, self._trouble = pace, list(reversed(pieces)), answer.trouble

    async def piece(self, seconds: float) -> bytes:  # noqa: ARG002 (a recording does not fall silent)
        if not self._pieces:
            if self._trouble:
                raise problem_of(self._trouble)
            return b""
        wait, piece = self._pieces.pop()
        if self.pace and wait:
            await asyncio.sleep(wait * self.pace)
        return piece

    def close(self) -> None:
        """Nothing is held."""


class Replayed(Problem):
    """Trouble that was recorded: nothing is concluded from it about the account."""


async def played(cassette: Cassette, pace: float) -> Opened:
    """Raises Problem."""
    try:
        answer, pieces = await asyncio.to_thread(said_last, cassette)
    except (BadCassette, OSError) as error:
        raise Replayed(Kind.UPSTREAM_FAILED, str(error)) from error
    if pace:
        await asyncio.sleep(answer.seconds * pace)
    if answer.status is None and answer.trouble:
        raise Replayed(problem_of(answer.trouble).kind, answer.trouble.message)
    whole = [each for each in pieces if each[1]]
    opened = Played(answer, whole, pace)
    if answer.events is None and answer.trouble is None:
        opened.headers["content-length"] = str(sum(len(piece) for _, piece in whole))
    return opened


def said_last(cassette: Cassette) -> tuple[Answer, list[tuple[float, bytes]]]:
    """The answer of a recording of words, and what comes of it when. Raises BadCassette and OSError."""
    if not cassette.answers:
        raise BadCassette(f"The cassette {cassette.name} has no answer.")
    answer = cassette.answers[-1]
    return answer, cassette.pieces(answer) if answer.events is not None else [(0.0, cassette.body(answer))]
