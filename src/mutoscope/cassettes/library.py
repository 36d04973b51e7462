"""Recordings by what was asked, in the order in which they were made."""

import threading
from collections import defaultdict
from pathlib import Path

from mutoscope.cassettes.folder import Cassette, cassettes, load
from mutoscope.cassettes.matching import key_of, nearest
from mutoscope.model.job import Json


class Library:
    """What lies in a directory when it is opened. Raises BadCassette for what cannot be read."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._lock = threading.Lock()  # what is recorded meanwhile is added by the thread that hears of it
        self._found: dict[str, list[Cassette]] = defaultdict(list)
        self._played: dict[str, int] = defaultdict(int)
        self.names: dict[str, Cassette] = {}
        for each in cassettes(root):
            self._put(each)

    def _put(self, cassette: Cassette) -> None:
        with self._lock:
            if cassette.name not in self.names:
                self.names[cassette.name] = cassette
                self._found[key_of(cassette.asked)].append(cassette)

    def add(self, folder: Path) -> None:
        self._put(load(folder))

    def take(self, asked: Json) -> Cassette | None:
        """The next recording of this request; the last one again where there are no more."""
        key = key_of(asked)
        with self._lock:
            if not (found := self._found.get(key)):
                return None
            self._played[key] += 1
            return found[min(self._played[key], len(found)) - 1]

    def nearest(self, asked: Json) -> str:
        return nearest(asked, list(self.names.values()))
