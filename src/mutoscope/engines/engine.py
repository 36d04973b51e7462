"""What an engine is: one coroutine that turns a generation into outputs, and what it can make."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from mutoscope.files.c2pa import Making, Source
from mutoscope.files.probe import MediaInfo
from mutoscope.model import catalog
from mutoscope.model.catalog import Model
from mutoscope.model.job import Dispatch, Generation, Input, Json, Operation, Output, Role, Sent
from mutoscope.model.problem import Problem

MADE = "made"
"""The member of a handle that holds the result, of a vendor whose answer to the submission carries it."""


class OpenedInput(Struct, frozen=True, kw_only=True):
    """An input, fetched, checked against its limits and lying on disk."""

    role: Role
    field: str
    path: Path
    info: MediaInfo
    label: str | None = None

    @property
    def source(self) -> Source:
        """As a statement names it."""
        return Source(path=str(self.path), media_type=self.info.media_type, title=self.role.value)


class Submitted(Struct, frozen=True, kw_only=True):
    """What `generate` returns when somebody else goes on: the vendor that has the job now, asked again at its watch."""


SUBMITTED = Submitted()


class RetryFetch(Struct, frozen=True, kw_only=True):
    """The vendor has made it, but the result could not be fetched: asked again after a while, for a fresh link too."""

    detail: str
    seconds: float


class NotSubmitted(Struct, frozen=True, kw_only=True):
    """Nothing was spent and nothing can be here, now: the next engine on the route takes over, or this one tries again.

    Without `retry_seconds` there is no use in trying this one again.
    """

    problem: Problem
    retry_seconds: float | None = None


class CutOff(Exception):
    """Somebody ended the process that made it, as a system does that is short of memory: it is taken up again, and the
    attempt counts. The message says what happened, without a full stop."""


Outcome = tuple[Output, ...] | Submitted | RetryFetch | NotSubmitted

OUTCOME_WORDS: dict[type, str] = {Submitted: "handed", RetryFetch: "parked", NotSubmitted: "unsent"}
"""How the outcomes that are no files are called in traces."""


def outcome_word(outcome: object) -> str:
    return OUTCOME_WORDS.get(type(outcome), type(outcome).__name__.lower())


class EngineRun(Protocol):
    """A job as its engine sees it. The worker supplies it; states, leases, files and webhooks stay there."""

    @property
    def job_id(self) -> str: ...
    @property
    def generation(self) -> Generation:
        """What to make; every default is filled in."""
        ...

    @property
    def inputs(self) -> tuple[OpenedInput, ...]: ...
    @property
    def scratch(self) -> Path:
        """A directory of this run's own, removed afterwards."""
        ...

    @property
    def checkpointed(self) -> Json:
        """What an earlier attempt remembered."""
        ...

    @property
    def canceled(self) -> bool:
        """True once nobody wants the result; `generate` is also cancelled as a task."""
        ...

    def progress(self, share: float) -> None:
        """Tell how much is done, 0 to 1. Cheap; call it as often as you like."""
        ...

    def show(self, picture: bytes) -> None:
        """What it has come to, as a small JPEG, for whoever watches. Cheap like `progress`."""
        ...

    def note(self, text: str) -> None:
        """Tell the caller what was ignored or replaced; kept on the job."""
        ...

    async def checkpoint(self, **facts: object) -> None:
        """Remember facts for the next attempt. Durable before it returns."""
        ...

    async def keep(
        self,
        source: Path | bytes,
        *,
        media_type: str,
        width: int | None = None,
        height: int | None = None,
        seconds: float | None = None,
        frames: int | None = None,
        made: Making | bool = True,
    ) -> Output:
        """Store a file. Durable before it returns; a path is given up.

        What this engine made is signed first, with what it tells in `made`. False: somebody else did, and it is kept
        byte for byte.
        """
        ...

    def say(self, text: str) -> Output:
        """A result that is words, not a file: they are kept in the job itself."""
        ...


class VendorRun(EngineRun, Protocol):
    """A job as an engine sees it that spends money at a vendor: what was sent for it, and how that is written down. The
    transitions are those of the store, under the same names."""

    @property
    def landing(self) -> Path:
        """A directory of this job's own for what is being copied, there until the job ends: also after a crash."""
        ...

    @property
    def recorded(self) -> bool:
        """Whether recordings are made and played for whoever asked for it."""
        ...

    @property
    def dispatch(self) -> Dispatch | None:
        """The last request for this job that costs money."""
        ...

    @property
    def callback(self) -> str | None:
        """A URL of ours on which the vendor may tell that there is news of this job; None when there is none."""
        ...

    async def open(self, each: Input) -> OpenedInput:
        """An input as a file on disk, fetched and checked. Raises Problem."""
        ...

    async def probe(self, path: Path) -> MediaInfo:
        """What a file is that a vendor made. Raises Problem(BAD_MEDIA)."""
        ...

    def public_link(self, each: Input) -> str | None:
        """A signed link to an input that we hold, where the settings name a public address of ours."""
        ...

    async def intend(self, account: str, reference: str, *, alone: bool) -> Dispatch:
        """About to send. Durable before it returns. With `alone`, raises Occupied while another job's is intended."""
        ...

    async def accept(self, dispatch: Dispatch, handle: Json, status: str) -> None:
        """The vendor has it. Durable before it returns; from then on the account holds the job."""
        ...

    async def resolve(self, dispatch: Dispatch, sent: Sent, detail: str) -> None:
        """It turned out refused, unsent or unknown."""
        ...

    async def earlier(self, job: str, account: str) -> Json | None:
        """The handle by which a vendor's account knows an earlier job; None where another made it."""
        ...

    async def unresolved(self, account: str) -> int:
        """How many dispatches of the account are intended: on their way, or cut off by the end of a process."""
        ...

    async def left_open(self, account: str, *, before: float) -> "Sequence[VendorRun | None]":
        """Jobs that have ended, and of which it is not known whether what was sent before then arrived. None stands for
        a job that is gone: that is given up as unknown."""
        ...

    async def ours(self, account: str, ids: Collection[str]) -> set[str]:
        """Those of a vendor's task ids that belong to jobs of ours."""
        ...

    async def add_event(self, what: str, detail: str = "") -> None:
        """Add a line to the job's story."""
        ...

    def charge(self, credits: float) -> None:
        """What the vendor says it costs, in place of the estimate."""
        ...


class Engine(Protocol):
    name: str
    remote: bool
    """Whether somebody else makes it: then its inputs are not opened for it, and what nobody asked for (a seed, a frame
    rate) is not made up."""
    speaks: str
    """The wire by which it calls a vendor: what a caller said in that wire's words reaches it. "" for the others."""

    @property
    def slots(self) -> int:
        """How many runs this process gives it at once."""
        ...

    @property
    def is_up(self) -> bool:
        """Whether a job should go to it now, where another engine could take it too."""
        ...

    @property
    def is_left_alone(self) -> bool:
        """Whether nothing is begun now, nor can go elsewhere: what waits grows old in the queue."""
        ...

    @property
    def fetches_only(self) -> bool:
        """Whether another process begins its jobs: this one only fetches what was made."""
        ...

    def supports(self, operation: Operation, model: Model, /) -> frozenset[str] | None:
        """The Generation fields, input roles and `extra` names that it obeys when it makes this; "*" stands for every
        name. None: it cannot make this."""
        ...

    def plan(self, wish: Generation, model: Model, fields: Mapping[str, str]) -> tuple[str, ...]:
        """Hold a wish, as it was asked for, against what it can do: notes for what is unsupported by leave of the
        model's row.

        `fields` are the caller's names. Raises Problem with one of them for what it cannot make.
        """
        ...

    async def generate(self, run: VendorRun, /) -> Outcome:
        """Make it. Raises Problem to fail the job, CutOff to have it taken up again. One that sends nothing to a vendor
        is written for an EngineRun, and sees no more than that."""
        ...

    async def close(self) -> None: ...


class Local:
    """What is the same for every engine that makes things here; its own are a name, slots, what it supports and
    `generate`."""

    name: str
    supported_fields: Mapping[Operation, frozenset[str]]
    """For each operation it can do, the fields that it supports."""
    remote = False
    speaks = ""
    is_up = True
    is_left_alone = False
    fetches_only = False

    def supports(self, operation: Operation, _model: Model, /) -> frozenset[str] | None:
        return self.supported_fields.get(operation)

    def plan(self, wish: Generation, model: Model, fields: Mapping[str, str]) -> tuple[str, ...]:
        return catalog.check_support(wish, model, self.name, self.supported_fields, fields)

    async def close(self) -> None:
        """Nothing is held."""
