"""Videos: a camera over a picture, from one picture to another, and on from a video's end."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

import av
import cv2
import numpy as np
from av.video.frame import PictureType
from PIL import Image

from mutoscope.studio import canvas as canvases
from mutoscope.studio import colour as colours
from mutoscope.studio import encoder as encoders
from mutoscope.studio import extend, footage, heap, imprint, morph, motion, path, picture, rhythm, scene, size, sound
from mutoscope.studio.camera import compose, view
from mutoscope.studio.canvas import Canvas
from mutoscope.studio.clip import Clip, comment
from mutoscope.studio.colour import Colour
from mutoscope.studio.encode import THREADS, Progress, open_writer, write
from mutoscope.studio.encoder import Encoder
from mutoscope.studio.error import StudioError
from mutoscope.studio.mark import Mark
from mutoscope.studio.motion import Plan
from mutoscope.studio.path import REST
from mutoscope.studio.planes import Bytes, Floats, Planes, blank_frames, blend, copy, planes_of
from mutoscope.studio.rhythm import Curve
from mutoscope.studio.theatre.moving import Troupe
from mutoscope.studio.warp import Warp

PAINTED_AREA = 2560 * 1440  # pixels; a bigger scene would cost much memory for little to see
SHARED_MOVE = 0.6  # how far a move goes that two pictures share: the second has nothing beyond its edges
WATCHED_WIDTH = 640  # motion at a join is measured at about this width

Determinism = Literal["machine", "portable"]
"""On how many kinds of processor the same request gives the same bytes."""


@dataclass(frozen=True)
class Take:
    """What every way of making a video needs to know."""

    width: int
    height: int
    fps: int
    frames: int
    seed: int
    watermark: bool
    threads: int
    encoder: Encoder
    portable: bool = False  # the same frames on every processor

    @property
    def colour(self) -> Colour:
        return colours.for_size(self.width, self.height)

    @property
    def canvas(self) -> tuple[int, int]:
        """How large a picture must be for nothing to be lost."""
        return canvases.full_size(self.width, self.height)


def image_to_video(
    image: Path | None,
    out: Path,
    *,
    prompt: str | None,
    width: int,
    height: int,
    fps: int,
    seconds: float,
    seed: int,
    negative_prompt: str | None = None,
    last: Path | None = None,
    near: Path | None = None,
    audio: Path | None = None,
    watermark: bool = False,
    threads: int = THREADS,
    encoder: str = "auto",
    determinism: Determinism = "machine",
    progress: Progress | None = None,
) -> Clip:
    """Move a camera over a picture, or from it to the picture `last`, or only towards `last`; write an MP4 to `out`.

    The first frame is `image`, cropped to cover width × height (pixels, even) and otherwise untouched; the final
    frame likewise is `last`. At least one of them is needed. There are exactly round(seconds · fps) frames.
    `audio` (WAV, MP3, …) is trimmed or padded to the video's length; unless the camera is to stand still, it comes a
    little nearer, softly, where the sound sets in. `progress` is told the share that is done.
    `near` is a picture in grey of how near each place of a single given picture is; without it that is guessed.
    `encoder` is where to look for one: "av", "ffmpeg" (the command on the path), or "auto".
    The same arguments give the same bytes on processors of one class; with `determinism="portable"` on others too,
    in about twice the time. That holds for frames made of given pictures; painted scenes and continued clips may differ
    by a hair, unless the process's libraries are kept from newer instructions, as the engine's child's are.
    Raises StudioError.
    """
    take = _take(
        width,
        height,
        fps,
        seconds,
        seed=seed,
        watermark=watermark,
        threads=threads,
        encoder=encoder,
        determinism=determinism,
    )
    voice = _sound(audio, take)
    if image is not None and last is not None:
        return _between(image, last, out, take, prompt, negative_prompt, voice, progress)
    plan = motion.read(prompt, avoid=negative_prompt, stirring=image is not None, sounding=audio is not None)
    pulse = _pulse(voice, plan, take)
    frame, depth = (width, height, take.colour), _depth(near)
    if image is not None:
        start = canvases.from_picture(picture.load(image, enough=take.canvas), *frame, near=depth)
        frames = _imprinted(_over(start, plan, take, pulse), take, exact=(0,))
        return _shoot(out, take, frames, plan, voice, progress, exact=(0,))
    if last is not None:
        goal = canvases.from_picture(picture.load(last, field="last", enough=take.canvas), *frame, near=depth)
        exact = (take.frames - 1,)
        frames = _imprinted(_over(goal, plan, take, pulse, backwards=True), take, exact=exact)
        return _shoot(out, take, frames, plan, voice, progress, exact=exact)
    raise StudioError("a picture to start from is missing", field="image")


def _depth(near: Path | None) -> Floats | None:
    if near is None:
        return None
    found = np.asarray(Image.open(near, formats=("PNG",)), np.float32)
    return found / max(1.0, float(found.max()))


def text_to_video(
    out: Path,
    *,
    prompt: str,
    width: int,
    height: int,
    fps: int,
    seconds: float,
    seed: int,
    negative_prompt: str | None = None,
    audio: Path | None = None,
    watermark: bool = False,
    threads: int = THREADS,
    encoder: str = "auto",
    determinism: Determinism = "machine",
    progress: Progress | None = None,
    card: scene.Card = "auto",
) -> Clip:
    """Paint a scene from words and move a camera through its true depth; its figures act. `card` says when the prompt's
    first words stand in it; the rest as `image_to_video`.
    """
    take = _take(
        width,
        height,
        fps,
        seconds,
        seed=seed,
        watermark=watermark,
        threads=threads,
        encoder=encoder,
        determinism=determinism,
    )
    voice = _sound(audio, take)
    plan = motion.read(prompt, avoid=negative_prompt, sounding=audio is not None)
    scenery, told, troupe = _painted(prompt, take, plan, card)
    frames = _over(scenery, plan, take, _pulse(voice, plan, take), troupe=troupe)
    return _shoot(out, take, _imprinted(frames, take), told, voice, progress)


def extend_video(
    video: Path,
    out: Path,
    *,
    prompt: str | None,
    width: int,
    height: int,
    fps: int,
    seconds: float,
    seed: int,
    negative_prompt: str | None = None,
    last: Path | None = None,
    audio: Path | None = None,
    watermark: bool = False,
    threads: int = THREADS,
    encoder: str = "auto",
    determinism: Determinism = "machine",
    progress: Progress | None = None,
) -> Clip:
    """Continue a video to a total of `seconds`, its own length included; write an MP4 to `out`.

    The head is the video, cropped to cover width × height and resampled to `fps`; the tail goes on at the speed
    that the picture had, which dies away while the prompt's camera move begins, and ends on the picture `last`
    where given. Sound is `audio`, else the video's own, trimmed or padded. Raises StudioError.
    """
    take = _take(
        width,
        height,
        fps,
        seconds,
        seed=seed,
        watermark=watermark,
        threads=threads,
        encoder=encoder,
        determinism=determinism,
    )
    given = _sound(audio, take)
    voice = given if given is not None else _own_sound(video, take)
    plan = motion.read(prompt, avoid=negative_prompt, stirring=last is None, sounding=given is not None)
    ending = picture.load(last, field="last", enough=take.canvas) if last is not None else None
    exact = (take.frames - 1,) if ending is not None else ()
    frames = _continued(video, ending, plan, take, given)
    return _shoot(out, take, frames, plan, voice, progress, exact=exact)


def _take(
    width: int,
    height: int,
    fps: int,
    seconds: float,
    *,
    seed: int,
    watermark: bool,
    threads: int,
    encoder: str,
    determinism: Determinism,
) -> Take:
    if determinism not in get_args(Determinism):
        raise StudioError(f"determinism is {determinism!r}; it must be one of {get_args(Determinism)}")
    size.check_video_size(width, height)
    cv2.setNumThreads(1)  # the encoder has the other core
    frames, found = size.frame_count(seconds, fps), encoders.find(encoder)
    return Take(width, height, fps, frames, seed, watermark, threads, found, determinism == "portable")


def _between(
    image: Path,
    last: Path,
    out: Path,
    take: Take,
    prompt: str | None,
    negative_prompt: str | None,
    voice: Floats | None,
    progress: Progress | None,
) -> Clip:
    """From the first picture to the last. Where they are related the camera's way is given, and no word moves it."""
    if take.frames < 2:
        raise StudioError("two pictures need at least two frames", field="seconds")
    first = canvases.from_picture(picture.load(image, enough=take.canvas), take.width, take.height, take.colour)
    ending = canvases.from_picture(
        picture.load(last, field="last", enough=take.canvas), take.width, take.height, take.colour
    )
    shared = morph.relation(first.still, ending.still)
    if shared is not None:
        plan = motion.unread(prompt, avoid=negative_prompt)
    else:
        plan = motion.read(prompt, avoid=negative_prompt, stirring=False, sounding=voice is not None)
    way = path.build(plan.weaker(SHARED_MOVE), take.frames, take.fps, seed=take.seed, room=first.room)
    pulse = _pulse(voice, plan, take)
    frames = morph.frames(first, ending, way, take.fps, shared=shared, pulse=pulse, portable=take.portable)
    exact = (0, take.frames - 1)
    return _shoot(out, take, _imprinted(frames, take, exact=exact), plan, voice, progress, exact=exact)


def _painted(prompt: str, take: Take, plan: Plan, card: scene.Card) -> tuple[Canvas, Plan, Troupe | None]:
    """The scene to move over, the plan with the painter's words, and who acts in it."""
    larger = min(2.0, (PAINTED_AREA / (take.width * take.height)) ** 0.5)
    size = round(take.width * larger), round(take.height * larger)
    painting = scene.paint(prompt, *size, take.seed, acting=True, card=card)
    rgb = Image.fromarray(painting.rgb)
    scenery = canvases.from_picture(rgb, take.width, take.height, take.colour, near=painting.depth)
    troupe = Troupe(painting.actors, size, scenery, take.colour, painting.effects) if painting.actors else None
    return scenery, _joined(plan, painting.used, painting.ignored, painting.shown), troupe


def _over(
    scenery: Canvas, plan: Plan, take: Take, pulse: Curve, *, backwards: bool = False, troupe: Troupe | None = None
) -> Iterator[av.VideoFrame]:
    """A camera over one picture, away from it; or backwards, so that it ends on the picture. A troupe acts in it."""
    moves = plan.opposite() if backwards else plan
    way = path.build(moves, take.frames, take.fps, seed=take.seed, room=scenery.room)
    warp = Warp(scenery, plan.stirs, portable=take.portable)
    blanks = blank_frames(take.width, take.height)
    for index in range(take.frames):
        away = take.frames - 1 - index if backwards else index
        frame = next(blanks)
        target, state = planes_of(frame), way.at(away)
        if state == REST and not plan.stirs and pulse[index] == 0:
            copy(scenery.still, target)
            if troupe is not None:
                troupe.draw(view(state, take.width, take.height), state, index / take.fps, target)
            yield frame
            continue
        closer = rhythm.closer(float(pulse[index]), take.width, take.height)
        seen = compose(view(state, take.width, take.height), closer)
        warp.draw(seen, state, index / take.fps, target)
        share = morph.stillness(away)
        if share > 0:
            blend(target, scenery.still, share, target)
        if troupe is not None:
            troupe.draw(seen, state, index / take.fps, target)
        yield frame


def _continued(
    video: Path, ending: Image.Image | None, plan: Plan, take: Take, given: Floats | None
) -> Iterator[av.VideoFrame]:
    """The video's frames, then those that continue it; those move to the sound that was `given` for the whole."""
    made = 0
    end: Planes | None = None
    watched: deque[Bytes] = deque(maxlen=extend.WATCHED)
    reduced = max(1.0, take.width / WATCHED_WIDTH)
    blanks = blank_frames(take.width, take.height)
    for end in footage.read(video, take.width, take.height, take.fps, take.colour):
        made += 1
        if made >= take.frames:
            raise StudioError(
                f"the video lasts as long as the whole is to last ({take.frames / take.fps:g} s), "
                "which leaves nothing to continue",
                field="video",
            )
        watched.append(_reduced(end.y, reduced))
        frame = next(blanks)
        copy(end, planes_of(frame))
        yield frame
    if end is None:
        raise StudioError("the video has no frames", field="video")
    speed = extend.velocity(list(watched), reduced)
    heard = given[:, sound.sample_count(made, take.fps) :] if given is not None else None
    tail = replace(take, frames=take.frames - made)
    exact = (tail.frames - 1,) if ending is not None else ()
    yield from _imprinted(_tail(end, speed, ending, plan, tail, _pulse(heard, plan, tail)), tail, exact=exact)


def _tail(
    end: Planes, speed: extend.Velocity, ending: Image.Image | None, plan: Plan, take: Take, pulse: Curve
) -> Iterator[av.VideoFrame]:
    scenery = canvases.from_planes(end, take.colour)
    heap.give_back()
    carry = extend.Carry(speed, take.width, take.height, take.fps, take.frames)
    moves = plan if ending is None else plan.weaker(SHARED_MOVE)
    way = path.build(moves, take.frames, take.fps, seed=take.seed, room=scenery.room)
    if ending is not None:
        goal = canvases.from_picture(ending, take.width, take.height, take.colour)
        yield from morph.frames(scenery, goal, way, take.fps, leave=carry, pulse=pulse, portable=take.portable)
        return
    warp = Warp(scenery, plan.stirs, portable=take.portable)
    blanks = blank_frames(take.width, take.height)
    for index in range(take.frames):
        frame = next(blanks)
        state = way.at(index)
        closer = rhythm.closer(float(pulse[index]), take.width, take.height)
        seen = compose(carry(index), compose(view(state, take.width, take.height), closer))
        warp.draw(seen, state, index / take.fps, planes_of(frame))
        yield frame


def _reduced(luma: Bytes, factor: float) -> Bytes:
    small = cv2.resize(luma, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


def _shoot(
    out: Path,
    take: Take,
    frames: Iterable[av.VideoFrame],
    plan: Plan,
    voice: Floats | None,
    progress: Progress | None,
    *,
    exact: tuple[int, ...] = (),
) -> Clip:
    """Encode the frames as they are made; the `exact` ones, which are given pictures, with little loss."""
    if take.watermark:
        frames = _marked(frames, take)
    writer = open_writer(
        out,
        encoder=take.encoder,
        width=take.width,
        height=take.height,
        fps=take.fps,
        colour=take.colour,
        sound=voice,
        comment=comment(plan.used, plan.ignored, plan.shown),
        exact=exact,
        threads=take.threads,
    )
    heap.give_back()
    with writer:
        write(writer, frames, take.frames, progress)
    return Clip(
        width=take.width,
        height=take.height,
        frames=writer.frames,
        fps=take.fps,
        seconds=writer.frames / take.fps,
        used=plan.used,
        ignored=plan.ignored,
        shown=plan.shown,
    )


def _imprinted(frames: Iterable[av.VideoFrame], take: Take, *, exact: tuple[int, ...] = ()) -> Iterator[av.VideoFrame]:
    """The imperceptible mark in a few of the frames that are made, where this process has one; never in the exact."""
    chosen = set(imprint.frames_of(take.frames)) - set(exact)
    for number, frame in enumerate(frames):
        if imprint.current is not None and number in chosen:
            imprint.current.on_planes(planes_of(frame), take.colour)
            frame.pict_type = PictureType.I
        yield frame


def _marked(frames: Iterable[av.VideoFrame], take: Take) -> Iterator[av.VideoFrame]:
    mark = Mark(take.width, take.height)
    for frame in frames:
        mark.draw(planes_of(frame))
        yield frame


def _sound(audio: Path | None, take: Take) -> Floats | None:
    return sound.load(audio, sound.sample_count(take.frames, take.fps)) if audio is not None else None


def _pulse(given: Floats | None, plan: Plan, take: Take) -> Curve:
    """How the camera moves to the sound that was given for the video; not at all where it is to stand still."""
    if given is None or plan.pulse <= 0:
        return np.zeros(take.frames)
    return rhythm.pulse(given, take.frames, take.fps) * plan.pulse


def _own_sound(video: Path, take: Take) -> Floats | None:
    samples = sound.sample_count(take.frames, take.fps)
    found = sound.decode(video, samples, field="video")
    return sound.conform(found, samples) if found is not None else None


def _joined(plan: Plan, painted: tuple[str, ...], missed: tuple[str, ...], shown: tuple[str, ...] = ()) -> Plan:
    """The plan with the painter's words: ignored is only what neither of the two used."""
    known = set(" ".join(plan.used).split())
    used = tuple(dict.fromkeys((*painted, *plan.used)))
    ignored = tuple(word for word in missed if word not in known)
    return replace(plan, used=used, ignored=ignored, shown=shown)
