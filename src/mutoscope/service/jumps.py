"""Notices when somebody sets the clock, and moves what is waited for, so that it is waited for as long as was meant."""

import asyncio
import time
from collections.abc import Callable

import structlog

from mutoscope.store import Leases

log = structlog.get_logger(__name__)

JUMP_SECONDS = 5.0  # more than this between the wall clock and the steady one, and somebody has set the clock


class Jumps:
    """What is to be done later stands in the store by the wall clock, since it outlives the process."""

    def __init__(
        self,
        store: Leases,
        *,
        clock: Callable[[], float],
        steady: Callable[[], float] = time.monotonic,
        shared: bool = False,
    ) -> None:
        """`shared`: other machines wait for the same things by clocks of their own; then one clock moves nothing."""
        self.store, self.clock, self.steady, self.shared = store, clock, steady, shared
        self._offset = clock() - steady()
        self._moving = asyncio.Lock()

    async def look(self) -> None:
        """Before anything is asked for that is due. Who comes while another moves the times waits for that."""
        async with self._moving:
            offset = self.clock() - self.steady()
            jump = offset - self._offset
            if abs(jump) > JUMP_SECONDS and not self.shared:
                moved = await self.store.shift(jump)
                log.warning("clock_jumped", seconds=round(jump, 1), polls=moved)
            self._offset = offset  # it drifts, too
