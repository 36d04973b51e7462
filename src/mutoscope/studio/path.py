"""Plan → path: where the camera is at every frame.

Every path starts at rest on the given picture: zoom 1, no offset, no roll. A window that moves sideways needs
margin, so it zooms in as far as the picture has nothing to spare there.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mutoscope.studio.canvas import Room
from mutoscope.studio.motion import Move, Plan, Step

Curve = NDArray[np.float64]
"""One number for each frame."""

USUAL_SECONDS = 5.0  # moves are tuned for clips of this length; longer ones go somewhat further
EASE = 0.35  # share of a step spent speeding up, and slowing down
TOLERANCE = 1e-9


@dataclass(frozen=True)
class State:
    """The camera at one moment."""

    zoom: float = 1.0  # the window is 1/zoom of the frame
    x: float = 0.0  # the window's centre, in frame widths to the right of the frame's centre
    y: float = 0.0  # in frame heights downwards
    roll: float = 0.0  # radians clockwise
    slide: float = 0.0  # sideways parallax: near against far, in frame widths
    lift: float = 0.0  # the same upwards, in frame widths
    dolly: float = 0.0  # near grows against far by this share


FIELDS = ("zoom", "x", "y", "roll", "slide", "lift", "dolly")
REST = State()


@dataclass(frozen=True)
class Path:
    """The camera at every frame: arrays of the same length, each as in State."""

    zoom: Curve
    x: Curve
    y: Curve
    roll: Curve
    slide: Curve
    lift: Curve
    dolly: Curve

    def __len__(self) -> int:
        return len(self.zoom)

    def at(self, index: int) -> State:
        return State(*(float(getattr(self, name)[index]) for name in FIELDS))


def build(plan: Plan, frames: int, fps: int, *, seed: int, room: Room) -> Path:
    """The path of a plan, starting at rest. The same seed gives the same path."""
    chance = np.random.Generator(np.random.PCG64(seed & (2**64 - 1)))
    side = 1 if chance.random() < 0.5 else -1
    angle = float(chance.random()) * math.tau
    seconds = frames / fps / len(plan.steps)
    states = [REST]
    for step in plan.steps:
        states.append(_target(states[-1], step, room, seconds=seconds, side=side))
    if not plan.named:
        states[-1] = _drift(states[-1], angle, room)
    path = _through(states, frames)
    steps = [step for step in plan.steps if Move.HANDHELD in step.moves]
    if steps:
        path = _shaken(path, fps, max(step.amount_of(Move.HANDHELD) for step in steps), chance)
    return _settled(path)


def _settled(path: Path) -> Path:
    """Without the last bits, in which libraries' functions differ from one processor to another."""
    return Path(*(np.rint(getattr(path, name) * 2**32) / 2**32 for name in FIELDS))


def needed_zoom(state: State, room: Room) -> float:
    """The least zoom at which the window stays inside the picture."""
    cosine, sine = abs(math.cos(state.roll)), abs(math.sin(state.roll))
    across = 1 + 2 * room.across - 2 * abs(state.x) - abs(state.slide)
    down = 1 + 2 * room.down - 2 * abs(state.y) - abs(state.lift) * room.aspect
    least = max((cosine + sine / room.aspect) / max(across, 0.2), (cosine + sine * room.aspect) / max(down, 0.2), 1.0)
    return least * (1 + max(0.0, -state.dolly))


def eased(share: Curve) -> Curve:
    """Time → progress, both 0 to 1: speed rises smoothly, stays, falls smoothly."""
    total = 1 - EASE
    rising = EASE * _speeding(np.clip(share / EASE, 0, 1))
    falling = total - EASE * _speeding(np.clip((1 - share) / EASE, 0, 1))
    middle = EASE / 2 + (share - EASE)
    return np.where(share < EASE, rising, np.where(share <= 1 - EASE, middle, falling)) / total


def _speeding(share: Curve) -> Curve:
    """The integral of a smoothstep."""
    return share**3 - share**4 / 2


def _target(start: State, step: Step, room: Room, *, seconds: float, side: int) -> State:
    """Where the camera is at the end of a step."""
    lasting = min(max((seconds / USUAL_SECONDS) ** 0.5, 0.5), 1.6)
    end = start
    for move, way in step.moves.items():
        amount = step.amount_of(move)
        reach = amount * lasting
        if move is Move.ZOOM and way > 0:
            end = replace(end, zoom=end.zoom * (1 + 0.20 * reach), dolly=end.dolly + 0.09 * reach)
        elif move is Move.VERTIGO:
            end = replace(end, zoom=end.zoom * (1 + 0.24 * amount), dolly=end.dolly - 0.22 * amount * way)
        elif move is Move.PAN:
            end = replace(end, x=end.x + way * 0.105 * amount, slide=end.slide + way * 0.014 * amount)
        elif move is Move.TILT:
            end = replace(end, y=end.y + way * 0.105 * amount, lift=end.lift + way * 0.012 * amount)
        elif move is Move.ORBIT:
            end = replace(end, x=end.x + way * 0.02, slide=end.slide + way * 0.05 * amount)
        elif move is Move.ROLL:
            end = replace(end, roll=end.roll + way * math.radians(6) * min(amount, 1.5))
    end = _bounded(end)
    if step.moves.get(Move.ZOOM) == -1:
        return _pulled_out(end, room, step.amount_of(Move.ZOOM) * lasting, side)
    return replace(end, zoom=max(end.zoom, needed_zoom(end, room)))


def _bounded(state: State) -> State:
    return replace(
        state,
        x=min(max(state.x, -0.2), 0.2),
        y=min(max(state.y, -0.2), 0.2),
        slide=min(max(state.slide, -0.07), 0.07),
        lift=min(max(state.lift, -0.03), 0.03),
        dolly=min(max(state.dolly, -0.35), 0.3),
    )


def _pulled_out(state: State, room: Room, reach: float, side: int) -> State:
    """Back to the whole picture where the camera was closer; from there on beyond its edges, which are mirrored."""
    wide = max(1.0, needed_zoom(replace(state, x=0.0, y=0.0), room)) if state.zoom > 1.08 else state.zoom
    zoom = wide if state.zoom > 1.08 else wide / (1 + 0.13 * reach)
    drift = 0.0 if state.zoom > 1.08 else 0.004 * side
    return replace(state, zoom=zoom, x=drift, y=0.0, dolly=min(state.dolly, 0.0) - 0.04 * reach)


def _drift(state: State, angle: float, room: Room) -> State:
    """The seed's share in a move that nobody described."""
    moved = replace(state, x=state.x + 0.018 * math.cos(angle), y=state.y + 0.018 * math.sin(angle))
    return replace(moved, zoom=max(moved.zoom, needed_zoom(moved, room))) if state != REST else state


def _through(states: list[State], frames: int) -> Path:
    """Eased from state to state, each step the same time; zoom in even ratios, the rest in even differences."""
    steps = len(states) - 1
    share = np.linspace(0, steps, frames) if frames > 1 else np.zeros(frames)
    index = np.minimum(share.astype(np.int64), steps - 1)
    progress = eased(share - index)
    curves: dict[str, Curve] = {}
    for name in FIELDS:
        values = np.array([getattr(state, name) for state in states], np.float64)
        if name == "zoom":
            values = np.log(values)
        curve = values[index] + (values[index + 1] - values[index]) * progress
        curves[name] = np.exp(curve) if name == "zoom" else curve
    return Path(**curves)


def _shaken(path: Path, fps: int, amount: float, chance: np.random.Generator) -> Path:
    """The same path, held by hand: slow irregular sway that fades in from the first frame."""
    seconds = np.arange(len(path)) / fps
    ramp = np.clip(seconds / 0.8, 0, 1)
    ramp = ramp * ramp * (3 - 2 * ramp) * min(amount, 1.5)
    return replace(
        path,
        zoom=path.zoom * (1 + 0.055 * ramp),
        x=path.x + 0.008 * ramp * _sway(seconds, 0.5, chance),
        y=path.y + 0.009 * ramp * _sway(seconds, 0.6, chance),
        roll=path.roll + math.radians(0.4) * ramp * _sway(seconds, 0.4, chance),
        slide=path.slide + 0.004 * ramp * _sway(seconds, 0.5, chance),
    )


def _sway(seconds: Curve, hertz: float, chance: np.random.Generator) -> Curve:
    """Band-limited noise of about unit size: sines of neighbouring frequencies and chance phases."""
    total = np.zeros_like(seconds)
    for octave in range(3):
        for _ in range(3):
            frequency = hertz * 2**octave * (0.7 + 0.6 * chance.random())
            total += np.sin(math.tau * (frequency * seconds + chance.random())) / 2**octave
    return total / 3
