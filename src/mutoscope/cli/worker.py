"""`mutoscope worker`: makes jobs that servers have filed, and takes no requests."""

import asyncio
import os
import signal
from typing import Annotated

import uvloop
from cyclopts import Parameter

from mutoscope import __version__
from mutoscope.app import App
from mutoscope.cli import _show
from mutoscope.cli._options import Config, Data, settings_of
from mutoscope.cli.serve import (
    ENDINGS,
    configure_log,
    keep_scratch,
    need_shared_store,
    raise_descriptors,
    relaxed,
    settle_memory,
)
from mutoscope.store import check_readable


def worker(
    *,
    engine: Annotated[list[str] | None, Parameter(negative="")] = None,
    data: Data = None,
    config: Config = None,
    allow_private: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Make jobs that servers have filed. Takes no requests; for PostgreSQL ([store] url) only.

    Parameters
    ----------
    engine
        Only the jobs of this engine; may be given several times. Without it, of all of them.
    allow_private
        Fetch inputs and send webhooks to loopback and private addresses too.
    """
    settings = relaxed(settings_of(config, data=data), rehearse=False, allow_private=allow_private)
    need_shared_store(settings, "A worker")
    configure_log(settings)
    raise_descriptors()
    app = App(settings, serves=False, only=tuple(engine or ()))
    keep_scratch(app.home.scratch)
    check_readable(settings.store.url, app.home.database)
    return uvloop.run(run(app))


async def run(app: App) -> int:
    """Until a signal says stop. The second one ends it at once: nothing is lost."""
    ended = asyncio.Event()

    def end(number: int) -> None:
        if ended.is_set():
            os._exit(128 + number)
        ended.set()

    for each in ENDINGS:
        if signal.getsignal(each) != signal.SIG_IGN:
            asyncio.get_running_loop().add_signal_handler(each, end, each)
    await app.start()
    settle_memory()
    member = app.membership.member
    _show.out.print(f"mutoscope {__version__} works as {member.name} on {', '.join(member.engines)}", markup=False)
    _show.out.file.flush()
    await ended.wait()
    grace = app.settings.server.grace_seconds
    _show.err.print(f"Stopping; running jobs have {grace:g} s to end. Once more to stop at once: nothing is lost.")
    await app.stop()
    return 0
