"""The built-in renderer as an engine: one child process of low priority for each job, the next kept warm.

Nothing here renders or opens a picture. The child may be slow, hang or die of a hostile file; this process
goes on answering.
"""

import asyncio
import contextlib
import importlib.util
import os
import re
import shutil
import signal
import sys
import tempfile
import zlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, cast

import msgspec
import structlog
from msgspec.structs import replace

import mutoscope
from mutoscope.engines.engine import CutOff, EngineRun, Local, OpenedInput
from mutoscope.engines.local.rows import CUT_OUT, DEPTH, SEGMENTATION, UPSCALE
from mutoscope.engines.local.senses import (
    DRAWINGS,
    ENGLISH,
    HEARING,
    LETTERING,
    PEOPLE,
    SAFETY,
    VOICES,
    Senses,
    made_by,
)
from mutoscope.files.c2pa import Making
from mutoscope.model.catalog import Model
from mutoscope.model.config import Studio as StudioSettings
from mutoscope.model.job import Generation, Json, Operation, Output, Role
from mutoscope.model.problem import Kind, Problem

log = structlog.get_logger(__name__)

CHILD = "mutoscope.engines.studio_child"
LINE_BYTES = 1024 * 1024
FPS, SECONDS = 24, 5.0  # for models whose rows name none
MAX_COUNT = 10

SPEAKER, TRACER = "espeak-ng", "vtracer"
SPEAKERS = {SPEAKER: SPEAKER, "flite": "flite", "festival": "text2wave", "piper": "piper"}
"""What speaks, and the command by which; piper only with a voice."""

INPUTS: dict[str, tuple[Role, ...]] = {
    "image": (Role.FIRST_FRAME, Role.IMAGE),
    "last": (Role.LAST_FRAME,),
    "video": (Role.VIDEO,),
    "audio": (Role.AUDIO,),
    "mask": (Role.MASK,),
    "reference": (Role.REFERENCE,),
}
"""The renderer's names of its files, and what they are for here."""
LISTS: dict[str, tuple[Role, ...]] = {
    "images": (Role.IMAGE, Role.FIRST_FRAME),
    "references": (Role.REFERENCE,),
    "sounds": (Role.AUDIO,),
}
"""Its names of several files of a kind, in the order in which they were given."""
BY_PRECEDENCE = tuple(INPUTS[name] for name in ("video", "image", "last", "audio", "reference", "mask"))
"""What is made begins with the first of these that is given; the others are added to it."""
SAME = frozenset({Role.IMAGE, Role.FIRST_FRAME})
"""What the renderer takes for one another."""

CALLERS_NAMES = {
    "factor": "scaleFactor",
    "text": "prompt",
    "language": "languageCode",
    "words_per_minute": "speed",
    "top": "up",
    "bottom": "down",
}
"""What the renderer calls otherwise than those who ask."""

SUFFIXES = {Operation.TEXT_TO_SPEECH: "mp3"}
"""Of the files that are made; where nothing is said, of a video. The makers of pictures and music choose their own."""
MEDIA_TYPES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".webp": "image/webp",
    ".svg": "image/svg+xml",
    ".mp3": "audio/mpeg",
    ".wav": "audio/wav",
    ".mp4": "video/mp4",
}

KINDS = {
    Operation.TEXT_TO_IMAGE: "picture",
    Operation.BACKGROUND_REMOVAL: "cut-out",
    Operation.IMAGE_UPSCALE: "enlargement",
    Operation.TEXT_TO_VIDEO: "clip",
    Operation.IMAGE_TO_VIDEO: "clip of pictures",
    Operation.VIDEO_EXTENSION: "clip continued",
    **dict.fromkeys((Operation.TEXT_TO_MUSIC, Operation.MUSIC_EXTENSION, Operation.MUSIC_JOIN), "cover"),
}
"""What the imperceptible mark tells, of what operations make; of all others, that it is a picture after others."""

CUTS = frozenset({Operation.BACKGROUND_REMOVAL, Operation.BACKGROUND_REPLACEMENT})
MOST_ENLARGED = 1_000_000  # pixels of a picture that a model enlarges
SPOKEN = re.compile(r"\b(voices?|speech|speak\w*|spoken|talk\w*|vocals?|dialogue|narrat\w*|words)\b", re.IGNORECASE)
"""By which a description of what is to be isolated names voices."""
DRAWN = 0.5  # of a picture's pixels of one colour with their neighbours, from which on it is taken for a drawing
JUDGED = frozenset({"image/png", "image/jpeg", "image/webp"})

OLD_INSTRUCTIONS = {
    "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR",
    "OPENCV_CPU_DISABLE": "AVX,FP16,AVX2,AVX512-SKX",
    "OPENCV_IPP": "disabled",
    "OPENBLAS_CORETYPE": "Nehalem",
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-AVX512F",
}
"""What keeps the child's libraries from instructions that only some x86-64 processors have, so that painted scenes and
the motion that is measured at a join are the same on all."""

SHAPE = frozenset({"prompt", "width", "height", "resolution", "seed"})
SEVERAL = frozenset({"seed", "count", "format", "grid"})
"""Of an operation whose pictures differ by their seeds."""
SONG = frozenset({"prompt", "negative_prompt", "seconds", "seed", "count", "tags", "lyrics", "title", "format"})
CLIP = SHAPE | {"negative_prompt", "seconds", "fps", "watermark", Role.AUDIO}


class Studio(Local):
    name = "studio"
    supported_fields: Mapping[Operation, frozenset[str]] = {
        Operation.IMAGE_TO_VIDEO: CLIP | {Role.FIRST_FRAME, Role.LAST_FRAME, Role.VIDEO},
        Operation.VIDEO_EXTENSION: CLIP | {"added_seconds", Role.LAST_FRAME, Role.VIDEO},
        Operation.TEXT_TO_VIDEO: CLIP,
        Operation.TEXT_TO_IMAGE: SHAPE | SEVERAL,
        Operation.IMAGE_TO_IMAGE: SEVERAL | {"prompt", "width", "height", "strength", Role.IMAGE, Role.REFERENCE},
        Operation.IMAGE_BLEND: SEVERAL | {"width", "height", Role.IMAGE, Role.REFERENCE},
        Operation.IMAGE_OUTPAINT: SEVERAL
        | {"prompt", "width", "height", "ratio", "zoom", "left", "right", "up", "down", "shrink", Role.IMAGE}
        | {"auto_crop", "reference_offset_x", "reference_offset_y"},
        Operation.IMAGE_INPAINT: SEVERAL | {"prompt", "width", "height", "mask_polarity", Role.IMAGE, Role.MASK},
        Operation.IMAGE_UPSCALE: frozenset(
            {Role.IMAGE, "width", "height", "resolution", "scale", "scaleFactor", "format"}
        ),
        Operation.BACKGROUND_REMOVAL: frozenset({Role.IMAGE, "format"}),
        Operation.BACKGROUND_REPLACEMENT: SEVERAL | {"prompt", Role.IMAGE, Role.REFERENCE},
        Operation.VECTORIZATION: frozenset({Role.IMAGE, "detail", "format"}),
        Operation.IMAGE_TO_TEXT: frozenset({Role.IMAGE, "count"}),
        Operation.FINETUNE: frozenset({Role.REFERENCE, "seed"}),
        Operation.TEXT_TO_TEXT: frozenset({"prompt", "seed", "count", "task"}),
        Operation.TEXT_TO_MUSIC: SONG | {"cover", "instrumental"},
        Operation.MUSIC_EXTENSION: SONG | {"continue_at", "instrumental", Role.AUDIO},
        Operation.MUSIC_JOIN: frozenset({Role.AUDIO, "format"}),
    }
    """A negative prompt switches off the moves, and in music the voices, that it names. A video is continued, never
    edited. A picture is enlarged by resampling, so nothing that would invent or sharpen detail is obeyed. All music is
    instrumental."""
    speech = frozenset({"prompt", "seed", "voice", "speed", "speechRate", "languageCode"})
    """What is obeyed in speech, which only hosts with espeak-ng make. The voice is replaced, and that is noted."""

    isolation = frozenset({"prompt", Role.AUDIO, Role.VIDEO})
    hearing = frozenset({"prompt", "language", "temperature", Role.AUDIO})

    def __init__(
        self,
        settings: StudioSettings | None = None,
        *,
        mark: Mapping[str, str] | None = None,
        senses: Senses | None = None,
    ) -> None:
        """`mark` are the paths of the files that the imperceptible mark is made with; None: nothing is marked. `senses`
        are the trained models that help it, those that are here when it begins."""
        self.settings, self.mark, self.senses = settings or StudioSettings(), mark, senses
        if self._with(HEARING):
            self.supported_fields = {**self.supported_fields, Operation.SPEECH_TO_TEXT: self.hearing}
        if self._with(VOICES):
            self.supported_fields = {**self.supported_fields, Operation.VOICE_ISOLATION: self.isolation}
        if self._enlarger():
            enlarged = self.supported_fields[Operation.IMAGE_UPSCALE] | {"creative"}
            self.supported_fields = {**self.supported_fields, Operation.IMAGE_UPSCALE: enlarged}
        self.slots = self.settings.slots
        able = [each for each in (SPEAKER, *self.settings.speakers) if each != "piper" or self.settings.piper_voice]
        if any(shutil.which(SPEAKERS[each]) for each in able):
            self.supported_fields = {**self.supported_fields, Operation.TEXT_TO_SPEECH: self.speech}
        if importlib.util.find_spec(TRACER) is None:
            self.supported_fields = {
                made: names for made, names in self.supported_fields.items() if made is not Operation.VECTORIZATION
            }
        self._spare: _Child | None = None
        self._warming: asyncio.Task[None] | None = None
        self._closed = False

    async def generate(self, run: EngineRun) -> tuple[Output, ...]:
        if run.generation.operation not in self.supported_fields:
            raise Problem(
                Kind.UNSUPPORTED,
                f"The built-in renderer cannot do {run.generation.operation} here{lacking(run.generation.operation)}.",
            )
        if run.generation.operation is Operation.SPEECH_TO_TEXT:
            return (await self._heard(run),)
        if run.generation.operation is Operation.VOICE_ISOLATION:
            return (await self._isolated(run),)
        await self._judge_inputs(run)
        order = order_for(run, self.settings) | {"mark": self._mark_for(run.generation.operation)}
        helped = await self._help(run, order)
        try:
            async with asyncio.timeout(self.settings.timeout_seconds):
                done = await self._made(order, run)
        except TimeoutError as error:
            raise Problem(
                Kind.TIMED_OUT, f"Rendering took more than {self.settings.timeout_seconds:g} seconds."
            ) from error
        await self._read_text(run, done)
        note_words(run, order, done)
        return tuple([await self._kept(run, file, version=done["version"], helped=helped) for file in done["files"]])

    def plan(self, wish: Generation, model: Model, fields: Mapping[str, str]) -> tuple[str, ...]:
        language = wish.extra.get("language")
        if wish.operation is Operation.SPEECH_TO_TEXT and self._with(HEARING) and not is_english(language):
            message = f"What listens here ({made_by(HEARING)}) knows English only; {language!r} was asked for."
            raise Problem(Kind.UNSUPPORTED, message, field=fields.get("language", "language"))
        if wish.operation is Operation.VOICE_ISOLATION and wish.prompt and not SPOKEN.search(wish.prompt):
            message = f"What isolates here ({made_by(VOICES)}) knows voices only; {wish.prompt[:64]!r} names none."
            raise Problem(Kind.UNSUPPORTED, message, field=fields.get("prompt", "prompt"))
        return super().plan(wish, model, fields)

    # -- what the trained models do ------------------------------------------------------

    def _with(self, name: str) -> Senses | None:
        """The models, where this one is here."""
        return self.senses if self.senses is not None and self.senses.has(name) else None

    async def _heard(self, run: EngineRun) -> Output:
        sound = given(run, Role.AUDIO)
        if sound is None or self.senses is None:
            raise Problem(Kind.INVALID, "There is no sound to listen to.")
        try:
            found = await self.senses.hear(
                sound.path, prompt=run.generation.prompt, temperature=run.generation.extra.get("temperature")
            )
        except Problem as problem:
            raise Problem(problem.kind, problem.message, field=problem.field or sound.field) from problem
        run.note(f"heard by {made_by(HEARING)}, which knows English only")
        timed = {"segments": found["segments"], "words": found["words"]}
        return replace(run.say(found["text"]), seconds=found["seconds"], timed=timed)

    async def _isolated(self, run: EngineRun) -> Output:
        """The voice in a sound, or in a clip of which the sound alone is kept."""
        source = given(run, Role.AUDIO, Role.VIDEO)
        if source is None or self.senses is None:
            raise Problem(Kind.INVALID, "There is no sound to isolate a voice from.")
        out = run.scratch / "made-0.wav"
        try:
            seconds = await self.senses.isolate(source.path, out)
        except Problem as problem:
            raise Problem(problem.kind, problem.message, field=problem.field or source.field) from problem
        run.note(f"isolated by {made_by(VOICES)}: one channel of 16,000 samples a second")
        file: Json = {"path": str(out), "seconds": seconds, "used": (), "ignored": (), "trained": True}
        return await self._kept(run, file, version=made_by(VOICES), helped=())

    async def _judge_inputs(self, run: EngineRun) -> None:
        """Refuse given pictures that are not safe for work, where the settings say from which score on."""
        most = self.settings.refuse_nsfw
        if most >= 1 or (senses := self._with(SAFETY)) is None:
            return
        for each in run.inputs:
            if each.info.kind == "image" and (score := await senses.score(each.path)) >= most:
                message = f"The picture was judged not safe for work ({score:.2f}, by {made_by(SAFETY)})."
                raise Problem(Kind.REFUSED, message, field=each.field)

    async def _help(self, run: EngineRun, order: Json) -> tuple[str, ...]:
        """Add to the order what models make of the given picture. Returns who they were."""
        operation, image = run.generation.operation, given(run, Role.IMAGE)
        if operation in CUTS and image is not None:
            return await self._find_subject(run, order, image.path)
        if operation is Operation.IMAGE_UPSCALE and image is not None:
            return await self._enlarge(run, order, image)
        if operation is Operation.IMAGE_TO_VIDEO and self.senses and self.senses.owns(DEPTH):
            ends = [each for each in (given(run, Role.FIRST_FRAME, Role.IMAGE), given(run, Role.LAST_FRAME)) if each]
            if len(ends) == 1 and given(run, Role.VIDEO) is None:
                return await self._own(run, order, DEPTH, "near", ends[0].path, "how near things are was judged")
        return ()

    async def _own(self, run: EngineRun, order: Json, name: str, part: str, image: Path, did: str) -> tuple[str, ...]:
        """What the operator's model makes of the picture, as a part of the order."""
        assert self.senses is not None  # noqa: S101 (it owns the model)
        out = run.scratch / f"{part}.png"
        if not (await self.senses.own(name, image, out))["made"]:
            run.note(f"studio: {self.senses.maker(name)} knows no transparency and was not asked")
            return ()
        order[part] = str(out)
        run.note(f"studio: {did} by {self.senses.maker(name)}")
        return (self.senses.maker(name),)

    async def _find_subject(self, run: EngineRun, order: Json, image: Path) -> tuple[str, ...]:
        """A picture of where that is which is to be cut out."""
        if self.senses and self.senses.owns(CUT_OUT):
            return await self._own(run, order, CUT_OUT, "matte", image, "the subject was found")
        if self.senses and self.senses.owns(SEGMENTATION):
            return await self._own(run, order, SEGMENTATION, "subject", image, "the subject was found")
        if senses := self._with(PEOPLE):
            out = run.scratch / "person.png"
            if await senses.person(image, out):
                order["person"] = str(out)
                run.note(f"studio: the person was found by {made_by(PEOPLE)}")
                return (made_by(PEOPLE),)
        return ()

    async def _enlarge(self, run: EngineRun, order: Json, image: OpenedInput) -> tuple[str, ...]:
        """The picture as a model enlarges it; the renderer gives that the size that was asked for."""
        name, senses = self._enlarger(), self.senses
        wanted, size = run.generation, (image.info.width or 0, image.info.height or 0)
        if not name or senses is None or (wanted.width, wanted.height) == size:
            return ()
        if size[0] * size[1] > MOST_ENLARGED:
            why = f"it enlarges pictures of up to {MOST_ENLARGED} pixels, and this one has {size[0] * size[1]}"
        elif name == UPSCALE:
            return await self._own(run, order, UPSCALE, "enlarged", image.path, "the picture was enlarged")
        else:
            why = await self._draw_larger(run, order, image.path, senses)
        maker = senses.maker(name)
        if not why:
            return (maker,)
        if wanted.extra.get("creative"):
            message = f"Detail is invented by {maker} only, which was not asked: {why}."
            raise Problem(Kind.UNSUPPORTED, message, field="creative")
        run.note(f"studio: {maker} was not asked: {why}")
        return ()

    def _enlarger(self) -> str:
        """The model that enlarges pictures here; "" where none does."""
        if self.senses and self.senses.owns(UPSCALE):
            return UPSCALE
        return DRAWINGS if self.settings.trained_upscale != "never" and self._with(DRAWINGS) else ""

    async def _draw_larger(self, run: EngineRun, order: Json, image: Path, senses: Senses) -> str:
        """Why waifu2x did not; "" where it did."""
        out = run.scratch / "enlarged.png"
        least = DRAWN if self.settings.trained_upscale == "drawings" else 0.0
        found = await senses.enlarged(image, out, least_even=least)
        if found["made"]:
            order["enlarged"] = str(out)
            run.note(f"studio: the picture was enlarged twice by {senses.maker(DRAWINGS)}")
            return ""
        if "even" not in found:
            return "it knows no transparency"
        return f"{100 * found['even']:.0f} % of the picture is even, a drawing from {100 * DRAWN:.0f} % on"

    async def _read_text(self, run: EngineRun, done: Json) -> None:
        """Add the text in a picture to its description."""
        image = given(run, Role.IMAGE, Role.FIRST_FRAME)
        if run.generation.operation is not Operation.IMAGE_TO_TEXT or image is None:
            return
        if (senses := self._with(LETTERING)) is None:
            return
        lines = await senses.lines(image.path)
        run.note(f"studio: text was looked for by {made_by(LETTERING)}")
        if lines:
            read = ", ".join(f'"{each["text"]}"' for each in lines)
            for file in done["files"]:
                file["text"] += f" Text in it: {read}."

    async def _kept(self, run: EngineRun, file: Json, *, version: str, helped: tuple[str, ...]) -> Output:
        path, score = Path(file.get("path", "")), None
        if MEDIA_TYPES.get(path.suffix) in JUDGED and (senses := self._with(SAFETY)):
            score = await senses.score(path)
        output = await keep(run, file, version=version, helped=helped)
        return output if score is None else replace(output, nsfw=score)

    async def close(self) -> None:
        self._closed = True
        if self._warming is not None:
            with contextlib.suppress(Exception):
                await self._warming
        if self._spare is not None:
            await self._spare.end()
            self._spare = None

    async def warm(self) -> None:
        """Have a child ready, so that the next job does not wait for one to start."""
        if self._spare is None and not self._closed:
            self._spare = await self._start()

    async def sandbox(self) -> dict[str, bool]:
        """Which walls stand around a child that renders here: network, files, processes, memory."""
        child = await self._start()
        try:
            with tempfile.TemporaryDirectory() as room:
                await child.give({"make": "sandbox", "out": [f"{room}/nothing"]})
                async for news in child.news():
                    return msgspec.convert(news.get("done", {}).get("sandbox", {}), dict[str, bool])
        finally:
            await child.end()
        return {}

    def _mark_for(self, operation: Operation) -> Json | None:
        return {**self.mark, "kind": kind_of(operation)} if self.mark else None

    async def _start(self) -> "_Child":
        more = OLD_INSTRUCTIONS if self.settings.determinism == "portable" else {}
        return await _Child.start(more, niceness=self.settings.niceness)

    async def _child(self) -> "_Child":
        """The warm child, or a new one; another is warmed for the job after this one."""
        child, self._spare = self._spare, None
        if child is not None:
            child.reserved = True
        if child is not None and not child.alive:
            await child.end()
            child = None
        child = child or await self._start()
        if self._warming is None or self._warming.done():
            self._warming = asyncio.create_task(self.warm())
        return child

    async def _made(self, order: Json, run: EngineRun) -> Json:
        """What a child says when it is done. One that died while it waited in reserve is replaced."""
        child = await self._child()
        try:
            return await self._follow(child, order, run)
        except DiedInReserve:
            await child.end()
            child = await self._start()
            return await self._follow(child, order, run)
        finally:
            await child.end()

    async def _follow(self, child: "_Child", order: Json, run: EngineRun) -> Json:
        """Give the order and pass on the news until it is done."""
        await child.give(order)
        heard = False
        async for news in child.news():
            heard = True
            if run.canceled:
                raise asyncio.CancelledError
            if "progress" in news:
                run.progress(news["progress"])
            elif "done" in news:
                return news["done"]
            elif "refused" in news:
                raise refusal(run, news["refused"])
            elif "killed" in news:
                raise CutOff(f"A command of the renderer was killed: {news['killed']}")
            elif "unavailable" in news:
                # As if it had happened here: the worker keeps the job and tries again.
                raise OSError(news["unavailable"], os.strerror(news["unavailable"]))
            else:
                log.error("studio_broke", job=run.job_id, reason=news.get("broken"))
                raise Problem(Kind.ENGINE_FAILED, f"The renderer failed{memory_hint(news)}.")
        code = await child.process.wait()
        log.error("studio_died", job=run.job_id, code=code)
        if not heard and child.reserved:
            raise DiedInReserve
        if code < 0:
            raise CutOff(f"The renderer's process was killed by signal {-code} before it was done")
        raise Problem(Kind.ENGINE_FAILED, f"The renderer's process ended with status {code} before it was done.")


def is_english(language: Any) -> bool:
    return language is None or (isinstance(language, str) and language.strip().lower() in ENGLISH | {"", "auto"})


def order_for(run: EngineRun, settings: StudioSettings) -> Json:
    """What the child is asked. Raises Problem for what this engine cannot be asked."""
    wish = run.generation
    check(run)
    suffix = SUFFIXES.get(wish.operation, "mp4")
    files: Json = {name: str(each.path) if (each := given(run, *roles)) else None for name, roles in INPUTS.items()}
    files |= {name: [str(each.path) for each in run.inputs if each.role in roles] for name, roles in LISTS.items()}
    return {
        "make": wish.operation.value,
        "out": [str(run.scratch / f"made-0.{suffix}")],
        "prompt": wish.prompt or "",
        "negative_prompt": wish.negative_prompt,
        "width": wish.width,
        "height": wish.height,
        "resolution": wish.resolution,
        "fps": wish.fps if wish.fps is not None else FPS,
        "seconds": seconds_of(run),
        # Nobody asked for a seed: the job's own, so that a second attempt makes the same.
        "seed": wish.seed if wish.seed is not None else zlib.crc32(run.job_id.encode()),
        "watermark": bool(wish.watermark),
        "threads": settings.encode_threads,
        "encoder": settings.encoder,
        "determinism": settings.determinism,
        "card": settings.card,
        "count": wish.count,
        "length": wish.seconds,  # where nobody named one, the maker does
        "extra": {
            name: value for name, value in wish.extra.items() if name in Studio.supported_fields.get(wish.operation, ())
        },
        "language": wish.extra.get("languageCode"),
        "pace": pace(wish.extra),
        "voice": str(voice_name(wish.extra.get("voice")) or ""),
        "speakers": settings.speakers,
        "piper_voice": settings.piper_voice,
        **files,
    }


def lacking(operation: Operation) -> str:
    """What the server would need for it."""
    needed = {
        Operation.TEXT_TO_SPEECH: f"; it needs the program {SPEAKER}",
        Operation.VECTORIZATION: '; it needs the extra: pip install "mutoscope[trace]"',
    }
    return needed.get(operation, "")


def seconds_of(run: EngineRun) -> float:
    """How long the whole is to be; some vendors say of an extension how much is added."""
    added, source = run.generation.extra.get("added_seconds"), given(run, Role.VIDEO)
    if added is not None and source is not None:
        return (source.info.seconds or 0.0) + added
    return run.generation.seconds if run.generation.seconds is not None else SECONDS


def pace(extra: Json) -> float:
    """How fast to speak, 1 as usual: a share (`speed`), or what per cent faster (`speechRate`)."""
    return float(extra.get("speed", 1.0)) * (1 + float(extra.get("speechRate", 0)) / 100)


def check(run: EngineRun) -> None:
    wish = run.generation
    if wish.operation is Operation.VIDEO_EXTENSION:
        if given(run, Role.VIDEO) is None:
            raise Problem(Kind.INVALID, "There is no video to continue.")
    elif wish.operation is Operation.IMAGE_TO_VIDEO:
        if not any(given(run, role) for role in (Role.FIRST_FRAME, Role.LAST_FRAME, Role.VIDEO)):
            raise Problem(Kind.INVALID, "There is no picture to start from.")
    elif wish.count is not None and not 1 <= wish.count <= MAX_COUNT:
        raise Problem(Kind.INVALID, f"{wish.count} results were asked for; 1 to {MAX_COUNT} are made.", field="count")


def given(run: EngineRun, *roles: Role) -> OpenedInput | None:
    return next((each for each in run.inputs if each.role in roles), None)


def refusal(run: EngineRun, told: Json) -> Problem:
    """What the renderer said no to, with the caller's name of the field."""
    name: str = told.get("field") or ""
    source = given(run, *INPUTS[name]) if name in INPUTS else None
    kind = Kind.BAD_MEDIA if source is not None else Kind.INVALID
    field = source.field if source else CALLERS_NAMES.get(name, name) or None
    message = str(told["message"])
    return Problem(kind, message[:1].upper() + message[1:] + ".", field=field)


def memory_hint(news: Json) -> str:
    return f": {news['broken']}" if news.get("memory") else "; the server's log has the details"


def note_words(run: EngineRun, order: Json, done: Json) -> None:
    """How it was made, and what became of the prompt's words."""
    first = done["files"][0]
    if "told" in first:
        run.note(f"studio: {first['told']}{instead_of(run.generation.extra.get('voice'))}")
    if "told" not in first or first["used"] or first["ignored"]:
        used, ignored = (", ".join(first[name]) or "nothing" for name in ("used", "ignored"))
        run.note(f"studio used: {used}; ignored: {ignored}")
    if shown := first.get("shown"):
        run.note(f"studio shows as symbols: {'; '.join(shown)}")
    if run.generation.seed is None and "seed" in Studio.supported_fields.get(run.generation.operation, ()):
        run.note(f"studio seed: {order['seed']}")
    if run.generation.extra.get("audio") is True:
        run.note("ignored: audio (the built-in renderer makes no sound of its own)")


def instead_of(voice: Any) -> str:
    """The voice that was asked for and is not heard, as the vendor names it."""
    name = voice_name(voice)
    return f", not by {name}" if name else ""


def voice_name(voice: Any) -> Any:
    """As its vendor calls it: a word, or an object with one."""
    if not isinstance(voice, dict):
        return voice
    told = cast("Json", voice)
    return told.get("presetId") or told.get("id")


async def keep(run: EngineRun, file: Json, *, version: str, helped: tuple[str, ...] = ()) -> Output:
    if "text" in file:
        return run.say(file["text"])
    path = Path(file["path"])
    files = [each.source for each in worked_on(run)]
    return await run.keep(
        path,
        media_type=MEDIA_TYPES[path.suffix],
        width=file.get("width"),
        height=file.get("height"),
        seconds=file.get("seconds"),
        frames=file.get("frames"),
        made=Making(
            version=version,
            trained=bool(file.get("trained")),
            helped=helped,
            used=tuple(file["used"]),
            ignored=tuple(file["ignored"]),
            begun_with=files[0] if files else None,
            placed=tuple(files[1:]),
        ),
    )


def kind_of(operation: Operation) -> str:
    """What the imperceptible mark tells."""
    return KINDS.get(operation, "picture after others")


def worked_on(run: EngineRun) -> list[OpenedInput]:
    """The files that the operation uses, first what the work begins with: nothing that others made is called created
    here, be it a sound alone that a clip is made for. What was ignored is not in what is made."""
    able = {**Studio.supported_fields, Operation.VOICE_ISOLATION: Studio.isolation}
    used = able.get(run.generation.operation, frozenset())
    taken = used | SAME if used & SAME else used
    return [each for roles in BY_PRECEDENCE for each in run.inputs if each.role in roles and each.role in taken]


class DiedInReserve(Exception):
    """A warm child turned out to be dead when it was given its order."""


class _Child:
    """A process that has loaded the renderer and waits for one order."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.reserved = False  # it was started for a job that had not come yet

    @classmethod
    async def start(cls, more: Mapping[str, str], *, niceness: int) -> "_Child":
        root = Path(mutoscope.__file__).parent.parent
        # An environment of its own: the child opens strangers' files and needs to know no secrets.
        environment = {
            "PYTHONPATH": str(root),
            "PATH": os.pathsep.join(os.get_exec_path()),  # where the ffmpeg command is looked for
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
            "MALLOC_ARENA_MAX": "2",
            **more,
        }
        return cls(
            await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", CHILD, str(niceness)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env=environment,
                limit=LINE_BYTES,
                start_new_session=True,
            )
        )

    @property
    def alive(self) -> bool:
        return self.process.returncode is None

    async def give(self, order: Json) -> None:
        stdin = self.process.stdin
        if stdin is not None:
            # it died: its news end at once; RuntimeError is uvloop's word for a pipe that is closed
            with contextlib.suppress(ConnectionError, RuntimeError):
                stdin.write(msgspec.json.encode(order) + b"\n")
                await stdin.drain()

    async def news(self) -> AsyncIterator[Json]:
        """Its lines, until it is gone."""
        stdout = self.process.stdout
        while stdout is not None and (line := await stdout.readline()):
            yield msgspec.json.decode(line, type=dict[str, Any])

    async def end(self) -> None:
        """Kill it, and wait until it is gone."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        await self.process.communicate()
