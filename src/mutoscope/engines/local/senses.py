"""What the trained models tell an engine of its inputs and of what it made, each where its model is here."""

import base64
import contextlib
import struct
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Any

import structlog

from mutoscope.engines.local.pool import Pool
from mutoscope.engines.local.rows import BY_NAME
from mutoscope.engines.local.shelf import MARK
from mutoscope.model.job import Json
from mutoscope.model.problem import Kind, Problem

log = structlog.get_logger(__name__)

HEARING, SAFETY, LETTERING, PEOPLE, VECTORS = "whisper_tiny_en", "open_nsfw", "ppocr4", "selfie", "wordllama"
DRAWINGS, VOICES = "waifu2x", "gtcrn"
LEAST_PERSON = 0.02  # of the picture, for a person to be what is cut out
LEAST_CERTAIN = 0.8  # of the person, of which the model must have no doubt: it has more with much that is none
ENGLISH = frozenset({"en", "eng", "english", "en-us", "en-gb", "en_us", "en_uk"})


class Senses:
    """The pool by what it can tell."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool

    def has(self, name: str) -> bool:
        return not self.pool.lacks(name)

    async def hear(self, sound: Path, *, prompt: str | None, temperature: Any) -> Json:
        """Its text, length, segments and words. Raises Problem."""
        asked = {"prompt": prompt, "temperature": float(temperature) if temperature is not None else None}
        return await self.pool.ask(HEARING, asked, sound)

    async def lines(self, picture: Path) -> list[Json]:
        """The text in a picture, line by line: `text`, `confidence`, `box`. Raises Problem."""
        return (await self.pool.ask(LETTERING, {}, picture))["lines"]

    def owns(self, name: str) -> bool:
        """Whether the operator has named a model for this; whether it can be used is found when it is asked."""
        return name in self.pool.shelf.own

    async def try_own(self) -> None:
        """Load what the operator named, so that whoever starts the server reads what is wrong with it."""
        for name in self.pool.shelf.own:
            if wrong := await self.pool.trial(name):
                log.warning("own_model_unusable", model=name, reason=wrong)

    async def own(self, name: str, picture: Path, out: Path) -> Json:
        """What the operator's model makes of a picture, in `out`. Raises Problem."""
        return await self.pool.ask(name, {}, picture, out)

    def maker(self, name: str) -> str:
        """For a job's notes."""
        own = self.pool.shelf.own.get(name)
        return f"{own.path.name}, a trained model of the operator's" if own else made_by(name)

    async def person(self, picture: Path, out: Path) -> bool:
        """Whether there is a person in it; then `out` is where, as a small picture in grey. Raises Problem."""
        found = await self.pool.ask(PEOPLE, {}, picture)
        if not is_person(found):
            return False
        out.write_bytes(base64.b64decode(found["mask"]))
        return True

    async def enlarged(self, picture: Path, out: Path, *, least_even: float) -> Json:
        """Whether the picture was `made` twice as large, into `out`: not where less of it is `even`, nor where it is
        transparent. Raises Problem."""
        return await self.pool.ask(DRAWINGS, {"least_even": least_even}, picture, out)

    async def isolate(self, sound: Path, out: Path) -> float:
        """Write the voice in a sound or clip into `out`, as WAV. Returns its seconds. Raises Problem."""
        return (await self.pool.ask(VOICES, {}, sound, out))["seconds"]

    async def score(self, picture: Path) -> float:
        """How likely it is not safe for work. Raises Problem."""
        return (await self.pool.ask(SAFETY, {}, picture))["score"]

    async def mark(self, made: Path, media_type: str, kind: str, out: Path) -> bool:
        """Whether what was made is large enough for the imperceptible mark; then `out` is the same with it. Raises
        Problem."""
        asked = {"clip": media_type.startswith("video/"), "as": media_type, "kind": kind}
        return (await self.pool.ask(MARK, asked, made, out))["made"]

    # -- for threads that may wait; Raises Problem -----------------------------------------

    def meanings(self, texts: list[str]) -> list[list[float]]:
        """A vector of 256 numbers for each text, not of any particular length."""
        found = self.pool.ask_from_thread(VECTORS, {"texts": texts})["vectors"]
        numbers = struct.unpack(f"<{256 * len(texts)}f", base64.b64decode(found))
        return [list(numbers[start : start + 256]) for start in range(0, len(numbers), 256)]

    def heard(self, sound: bytes, *, language: object, prompt: object) -> str:
        """The text of English speech in a file."""
        if language is not None and str(language).lower() not in ENGLISH:
            message = (
                f"What listens here ({made_by(HEARING)}) knows English only; {str(language)[:64]!r} was asked for."
            )
            raise Problem(Kind.UNSUPPORTED, message, field="language")
        with tempfile.NamedTemporaryFile() as file:
            file.write(sound)
            file.flush()
            asked = {"prompt": prompt if isinstance(prompt, str) else None, "temperature": None}
            return self.pool.ask_from_thread(HEARING, asked, Path(file.name))["text"]

    def facts(self, source: str) -> str:
        """What can be said of the picture in a data URI: colours and composition by rule, text and people by models."""
        try:
            with written(source) as path:
                return "a link, at which nobody looked." if path is None else self._facts(path)
        except Problem as problem:
            return problem.message

    def _facts(self, picture: Path) -> str:
        seen = self.pool.ask_from_thread(LETTERING, {"describe": True}, picture)
        lines = ", ".join(f'"{each["text"]}"' for each in seen["lines"])
        told = [seen["described"], f"Text read in it by {LETTERING}: {lines or 'none'}."]
        if self.has(PEOPLE):
            found = self.pool.ask_from_thread(PEOPLE, {}, picture)
            box = ", ".join(f"{each:.2f}" for each in found["box"])
            where = f"{box} (left, top, right, bottom, of 1), and it errs with animals and with round things"
            told.append(f"A person found in it by {PEOPLE}: {f'at {where}' if is_person(found) else 'none'}.")
        return " ".join(told)

    def scores(self, sources: list[str]) -> list[float | None]:
        """Of each picture in a data URI how likely it is not safe for work; None of a link."""
        found: list[float | None] = []
        for source in sources:
            with written(source) as path:
                found.append(None if path is None else self.pool.ask_from_thread(SAFETY, {}, path)["score"])
        return found


def is_person(found: Json) -> bool:
    """What the model of people found. Animals, and balls before some colours, it takes for people without a doubt."""
    return found["share"] >= LEAST_PERSON and found["certain"] >= LEAST_CERTAIN


@contextlib.contextmanager
def written(source: str) -> Generator[Path | None]:
    """The bytes of a data URI as a file; None of anything else. Raises Problem."""
    head, comma, data = source.partition(",")
    if not (source.startswith("data:") and comma):
        yield None
        return
    try:
        content = base64.b64decode(data, validate=True) if head.endswith(";base64") else data.encode()
    except ValueError as error:
        raise Problem(Kind.BAD_MEDIA, "The picture's data URI is not valid base64.") from error
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        yield Path(file.name)


def made_by(name: str) -> str:
    """For a job's notes."""
    archive = BY_NAME[name].archive
    return f"{name} ({archive.package} {archive.version}), a trained model"
