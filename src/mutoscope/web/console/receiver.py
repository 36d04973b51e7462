"""A receiver of webhooks inside the server, to watch them arrive: the newest are kept, in memory."""

import base64
import secrets
from collections import deque
from collections.abc import Callable

from mutoscope.engines.transcripts import readable
from mutoscope.model.job import Json

KEPT = 50
MOST_BYTES = 256 * 1024
PREFIX = "/console/receiver/"
SHOWN = ("content-type", "user-agent", "webhook-id", "webhook-timestamp", "webhook-signature")


class Received:
    """Whoever knows its path may send to it; that is drawn anew with each start."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.path = PREFIX + base64.urlsafe_b64encode(secrets.token_bytes(12)).decode()
        self._kept: deque[Json] = deque(maxlen=KEPT)

    def take(self, headers: dict[str, str], body: bytes) -> None:
        shown = {
            name: value[:500]
            for name, value in headers.items()
            if name in SHOWN or ("signature" in name or "timestamp" in name)
        }
        self._kept.appendleft({"at": self.clock(), "headers": shown, "body": readable(body), "bytes": len(body)})

    def list(self) -> list[Json]:
        return list(self._kept)

    def clear(self) -> int:
        count = len(self._kept)
        self._kept.clear()
        return count
