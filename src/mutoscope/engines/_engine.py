"""What an engine is: one coroutine that turns a generation into outputs, and what it honours."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from mutoscope.credentials import Making
from mutoscope.job import Generation, Json, Operation, Output, Role
from mutoscope.media import MediaInfo


class OpenedInput(Struct, frozen=True, kw_only=True):
    """An input, fetched, checked against its limits and lying on disk."""

    role: Role
    field: str
    path: Path
    info: MediaInfo
    label: str | None = None


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


class Engine(Protocol):
    name: str
    slots: int
    """How many runs this process gives it at once."""
    honours: Mapping[Operation, frozenset[str]]
    """For each operation it can do: the Generation fields, input roles and `extra` names that it obeys.
    "*" stands for every name."""

    async def generate(self, run: EngineRun) -> tuple[Output, ...]:
        """Make it. Raises Problem to fail the job."""
        ...

    async def close(self) -> None: ...
