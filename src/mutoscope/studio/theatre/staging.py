"""Where the cast stands: each figure dressed, at its size and in its place in the picture, the rear ones first."""

import functools
import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from mutoscope.studio.scene.lexicon import Rgb
from mutoscope.studio.theatre import casting, figures, icons, people, puppet
from mutoscope.studio.theatre.casting import Cast, Role
from mutoscope.studio.theatre.people import Look
from mutoscope.studio.theatre.shapes import Figure, Part, bounds, joined, part, placed

# figure → where something stands on it: across and up, as shares of its width and height
SEATS: dict[str, tuple[float, float]] = {
    "sofa": (0.0, 0.50), "armchair": (0.0, 0.48), "chair": (0.0, 0.40), "bench": (0.0, 0.48), "bed": (0.08, 0.52), "table": (0.0, 0.94), "car": (-0.05, 0.90),
    "motorcycle": (-0.12, 0.66), "bicycle": (-0.1, 0.78), "boat": (-0.15, 0.22), "skateboard": (0.0, 0.62), "surfboard": (0.0, 0.9), "book": (0.0, 0.4), "plate": (0.0, 0.3),
    "flower": (0.16, 0.80), "bridge": (0.0, 0.40), "ship": (0.0, 0.6), "box": (0.0, 0.66), "piano": (0.0, 0.97), "bus": (0.0, 0.96), "train": (-0.1, 0.92), "pancakes": (0.0, 0.62), "rocket": (0.0, 0.55),
}  # fmt: skip
HIP = {"sit": 0.33, "ride": 0.34, "read": 0.33, "meditate": 0.16}
AFLOAT = frozenset({"boat", "ship", "whale", "dolphin", "swan", "duck", "shark"})
AIRBORNE = frozenset(
    {
        "airplane",
        "helicopter",
        "hot air balloon",
        "rocket",
        "ufo",
        "flying bird",
        "eagle",
        "butterfly",
        "bee",
        "dragonfly",
        "hummingbird",
        "balloon",
        "ghost",
        "sun",
        "star",
        "heart",
        "ladybird",
    }
)
DRIVEN = frozenset({"car", "sports car", "bus", "truck", "bicycle", "motorcycle", "train", "skateboard"})
SWIMMERS = frozenset({"fish", "goldfish", "koi", "shark", "whale", "dolphin", "submarine"})
HAND_HELD = frozenset(
    {
        "guitar",
        "violin",
        "trumpet",
        "ball",
        "basketball",
        "tennis ball",
        "balloon",
        "umbrella",
        "book",
        "phone",
        "laptop",
        "camera",
        "gift",
        "flag",
        "sword",
        "shield",
        "microphone",
        "cup",
        "bouquet",
        "rose",
        "flower",
        "lantern",
        "candle",
        "handbag",
        "suitcase",
        "ice cream",
        "apple",
        "bottle",
        "wine glass",
        "heart",
        "star",
        "key",
        "bread",
        "pizza",
        "burger",
        "donut",
        "cake",
        "potion",
        "surfboard",
        "box",
        "basket",
        "drum",
        "sign",
        "watch",
        "crown",
        "cupcake",
    }
)
SKINS: tuple[str, ...] = ("#eebd98", "#d9a06f", "#f2cdb0", "#a9714a", "#7a4e33")
HAIRS: tuple[str, ...] = ("#3a2419", "#5f3b22", "#241a18", "#8a5a30", "#b98545")
CLOTHS: tuple[str, ...] = ("#3f74b5", "#c8553d", "#3f8f73", "#d39b32", "#7a5aa6", "#b8476b", "#2f7f92")


@dataclass(frozen=True, slots=True)
class Actor:
    """One figure in the picture; lengths are pixels, rows count from the top."""

    figure: Figure
    inks: dict[str, Rgb]
    scale: float  # pixels for a hundredth of its height
    x: float
    y: float  # where it stands
    depth: float
    going: bool = False
    flip: bool = False
    turn: float = 0.0
    stands: bool = True  # it throws a shadow on the ground where it stands
    hop: float = 0.0  # how high it jumps in a clip, as a share of its height
    stroll: float = 0.0  # how far it goes in a clip, as a share of the picture's width
    lit: bool = True  # whether the hour's light falls on it
    tall: float = 100.0

    @property
    def height(self) -> float:
        return self.scale * self.tall


@dataclass(slots=True)
class _Spot:
    role: Role
    index: int
    figure: Figure
    inks: dict[str, Rgb]
    wide: float  # hundredths
    tall: float
    height: float = 0.0  # pixels
    x: float = 0.0
    y: float = 0.0
    depth: float = 0.7
    order: int = 50
    flip: bool = False
    children: list[int] = field(default_factory=list[int])

    @property
    def scale(self) -> float:
        return self.height / 100.0

    @property
    def width(self) -> float:
        return self.wide * self.height / 100.0


def cast_of(cast: Cast, width: int, height: int, place: str, seed: int, *, floor: float) -> list[Actor]:
    """Everybody, the rear ones first. `floor` is the row that is stood on."""
    chance = np.random.default_rng(seed)
    spots = [_spot(role, index, cast, chance, place) for index, role in enumerate(cast.roles)]
    if not spots:
        return []
    for spot in spots:
        if cast.plate in ("logo", "badge"):
            spot.role = replace(spot.role, count=min(spot.role.count, 3))
    if cast.bust:
        return _busts(spots, width, height)
    main = spots[0]
    support = _supports(spots)
    base = _base(main, cast, width, height, place)
    mine = casting.metres(main.role)
    for spot in spots:
        ratio = (casting.metres(spot.role) / mine) ** 0.42
        spot.height = base * min(max(ratio, 0.4), 1.55) * spot.role.size * (LOW if _lies(spot.role) else 1.0)
        if spot is not main and main.role.size != 1.0:
            spot.height /= main.role.size**0.3
    if cast.plate in ("logo", "badge", "poster", "banner"):
        for spot in spots:
            spot.height *= 0.86
        floor = height * (
            0.70
            if cast.letters and cast.plate == "logo"
            else 0.78
            if cast.plate in ("logo", "badge")
            else floor / height
        )
    top = [spot for spot in spots if spot.index not in support and spot.height > 0]
    _line_up(top, spots, width, height, floor, place, chance)
    actors: list[tuple[int, Actor]] = []
    for spot in spots:
        actors += [(spot.order, each) for each in _actors(spot, cast, width, height, place, chance)]
    return [actor for _, actor in sorted(actors, key=lambda each: each[0])]


# -- figures -------------------------------------------------------------------------------


def _spot(role: Role, index: int, cast: Cast, chance: np.random.Generator, place: str) -> _Spot:
    figure, inks = dressed(role, cast, chance, bust=cast.bust and role.noun.kind == "person")
    if "cute" in cast.effects and role.noun.kind in ("thing", "icon"):
        figure = joined(figure, _kawaii(figure))
    if "silhouette" in cast.effects:
        inks = dict.fromkeys(inks, (0.05, 0.05, 0.07))
    left, _, right, top = bounds(figure)
    return _Spot(role, index, figure, inks, right - left, top)


def dressed(
    role: Role, cast: Cast, chance: np.random.Generator, *, bust: bool = False
) -> tuple[Figure, dict[str, Rgb]]:
    """The figure of a role and its colours."""
    measures = casting.measures_of(role)
    drawn = [int(each) for each in chance.integers(0, 1 << 20, 4)]
    kind, name = role.noun.kind, role.noun.figure
    if kind == "person":
        return _person(role, measures, drawn, cast, bust=bust)
    colours: dict[str, Rgb] = {}
    if kind == "icon":
        figure = icons.figure(name)
        tone = figures.colour_of(CLOTHS[drawn[0] % len(CLOTHS)])
        colours = {"main": tone, "second": (0.96, 0.92, 0.84)}
    elif kind == "beast":
        figure = _beast(name, measures, role, "cute" in cast.effects)
        colours = dict(figures.colours_of(figures.BEASTS[name][2]))
        if "main" not in measures and not role.colours:
            colours["main"] = _varied(colours["main"], drawn[0])
    else:
        figure = figures.thing(name)
        colours = dict(figures.colours_of(figures.THINGS[name].inks))
    for ink in ("main", "second", "third"):
        if ink in measures:
            colours[ink] = figures.colour_of(measures[ink])
    filled = ("second", "main") if name in ("wine glass", "jar", "potion") else ("main", "second", "third")
    for ink, colour in zip(filled, role.colours, strict=False):
        colours[ink] = _papered(colour)
    if len(role.colours) == 1 and kind == "beast" and "second" in colours and figures.BEASTS[name][3] == "swimmer":
        del colours["second"]
    return figure, puppet.inks_of(colours)


def _beast(name: str, measures: dict[str, str], role: Role, cute: bool) -> Figure:
    rule, deed = figures.BEASTS[name][3], role.deed
    own: dict[str, Any] = {}
    for key, value in measures.items():
        if key in ("main", "second", "third"):
            continue
        own[key] = float(value) if value.replace(".", "").isdigit() else value
    if rule != "quadruped":
        own = {key: value for key, value in own.items() if key in figures.BEASTS[name][4]}
        if rule == "bird" and deed == "fly":
            own |= {"flying": True}
        return _cut_beast(name, tuple(sorted(own.items())))
    own.pop("face", None)
    if "asleep" in own or deed == "sleep":
        own["asleep"] = True
    posture = "rear" if _dances(role) else {"sleep": "lie", "sit": "sit"}.get(deed, "")
    if posture:
        own["posture"] = posture
    if cute:
        own["head"] = float(own.get("head", figures.BEASTS[name][4].get("head", 14))) * 1.3
    return _cut_beast(name, tuple(sorted(own.items())))


def _dances(role: Role) -> bool:
    """Up on its hind legs."""
    return role.pose == "dance" and role.noun.kind == "beast" and figures.BEASTS[role.noun.figure][3] == "quadruped"


def _lies(role: Role) -> bool:
    return role.deed == "sleep" and role.noun.kind == "beast" and figures.BEASTS[role.noun.figure][3] == "quadruped"


_FLOCK = 5  # how many fly in a wedge
LOW = 0.64
"""How high one that lies is, to one that stands."""


@functools.lru_cache(128)
def _cut_beast(name: str, measures: tuple[tuple[str, Any], ...]) -> Figure:
    return figures.beast(name, **dict(measures))


def _person(
    role: Role, measures: dict[str, str], drawn: list[int], cast: Cast, *, bust: bool
) -> tuple[Figure, dict[str, Rgb]]:
    look = Look(
        hair=measures.get("hair", "short" if drawn[0] % 2 else "bob"),
        dress=measures.get("dress", "shirt"),
        hat=measures.get("hat", ""),
        face=measures.get("face", "smile"),
        beard="beard" in measures,
        glasses=measures.get("glasses", ""),
        cape="cape" in measures,
        wings="wings" in measures,
        age="child" if "cute" in cast.effects else measures.get("age", "grown"),
        broad=float(measures.get("broad", "1")),
        mask=measures.get("mask", ""),
    )
    old = measures.get("age") == "old"
    cloth = (
        role.colours[0]
        if role.colours
        else figures.colour_of(
            measures.get("cloth", "#2c3550" if measures.get("dress") == "suit" else CLOTHS[drawn[1] % len(CLOTHS)])
        )
    )
    colours: dict[str, Rgb] = {
        "skin": figures.colour_of(measures.get("skin", SKINS[drawn[2] % len(SKINS)])),
        "hair": figures.colour_of(measures.get("hairink", "#dcd8d2" if old else HAIRS[drawn[3] % len(HAIRS)])),
        "cloth": _papered(cloth),
        "legs": figures.colour_of(measures.get("legs", ("#3a3f58", "#5a4a3a", "#2f3a36")[drawn[1] % 3])),
        "shoe": figures.colour_of("#2f2623"),
        "second": figures.colour_of("#c8403a"),
        "hat": figures.colour_of(
            measures.get(
                "hatink",
                "brown"
                if measures.get("hat") == "brim"
                else "#5a3f8a"
                if measures.get("hat") == "wizard"
                else "#b5473c",
            )
        ),
        "eye": figures.colour_of(measures.get("eye", ("#5b7f4a", "#4f7fb0", "#6b4423")[drawn[0] % 3])),
        "main": figures.colour_of("#aeb6c2"),
    }
    if "clothink" in measures:
        colours["cloth"] = _papered(figures.colour_of(measures["clothink"]))
    if "face" not in measures and role.deed == "sleep":
        look = replace(look, face="closed")
    pose = role.pose or measures.get("pose", "stand")
    figure = people.bust(look) if bust else people.person(look, pose)
    prop = measures.get("prop", "")
    if prop and not bust:
        hand = people.hand_of(pose)
        tall = {"guitar": 62.0, "surfboard": 100.0, "book": 16.0, "sword": 52.0}.get(prop, 17.0)
        if prop == "guitar":
            held = _leaned(figures.thing(prop), 58)
            figure = joined(figure, placed(held, 14, 36, 0.5))
        else:
            figure = joined(
                figure,
                placed(
                    figures.thing(prop),
                    hand[0] * 100 + 3,
                    hand[1] * 100 - tall * (0.13 if prop == "sword" else 0.5 if tall < 50 else 0.45),
                    tall / 100,
                ),
            )
        colours |= {
            key: value
            for key, value in figures.colours_of(figures.THINGS[prop].inks).items()
            if key in ("main", "third")
        }
    return figure, puppet.inks_of(colours)


def _leaned(figure: Figure, degrees: float) -> Figure:
    angle = math.radians(degrees)
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    parts = tuple(
        Part(each.ink, tuple((outline - (0, 40)) @ turn for outline in each.outlines), "", each.sheet)
        for each in figure.parts
    )
    return Figure(parts, {})


def _kawaii(figure: Figure) -> Figure:
    """Two eyes, a smile and cheeks."""
    left, bottom, right, top = bounds(figure)
    x, y, h = (left + right) / 2, bottom + (top - bottom) * 0.42, min(right - left, top - bottom) * 0.16
    return Figure(
        (
            part("ink", "oval", x - h, y, h * 0.24, h * 0.3, sheet=True),
            part("ink", "oval", x + h, y, h * 0.24, h * 0.3),
            part("white", "oval", x - h * 0.93, y + h * 0.1, h * 0.08),
            part("white", "oval", x + h * 1.07, y + h * 0.1, h * 0.08),
            part("ink", "line", h * 0.12, x - h * 0.35, y - h * 0.2, x, y - h * 0.45, x + h * 0.35, y - h * 0.2),
            part("blush", "oval", x - h * 1.5, y - h * 0.35, h * 0.3, h * 0.2),
            part("blush", "oval", x + h * 1.5, y - h * 0.35, h * 0.3, h * 0.2),
        ),
        {},
    )


def _papered(colour: Rgb) -> Rgb:
    """A named colour as paper has it: neither as deep as black nor as white as light."""
    red, green, blue = (0.06 + 0.88 * each for each in colour)
    return red, green, blue


def _varied(colour: Rgb, drawn: int) -> Rgb:
    """A little lighter, darker or warmer: no two seeds have the same animal."""
    light = 0.86 + 0.26 * (drawn % 101) / 100
    warm = 0.95 + 0.10 * (drawn // 101 % 101) / 100
    red, green, blue = (
        min(1.0, colour[0] * light * warm),
        min(1.0, colour[1] * light),
        min(1.0, colour[2] * light / warm),
    )
    return red, green, blue


# -- places --------------------------------------------------------------------------------


def _supports(spots: list[_Spot]) -> set[int]:
    """Indexes of those that are placed by another."""
    found: set[int] = set()
    for spot in spots:
        relation, to = spot.role.relation, spot.role.to
        if to < 0:
            continue
        if relation in ("on", "in", "under", "over"):
            slight = spot.role.noun.figure not in SEATS and casting.metres(spot.role) < 0.5 * casting.metres(
                spots[to].role
            )
            if to in found or (slight and relation in ("on", "in")):
                continue
            found.add(to)
            spot.children.append(to)
            while spots[to].role.linked and spots[to].role.to not in found:
                to = spots[to].role.to
                found.add(to)
                spot.children.insert(0, to)
        elif relation in ("holding", "wearing"):
            found.add(spot.index)
            spots[to].children.append(spot.index)
    return found


def _base(main: _Spot, cast: Cast, width: int, height: int, place: str) -> float:
    """How high the first figure is, in pixels."""
    tall = height * {"table": 0.50, "plinth": 0.50, "sky": 0.42, "room": 0.52}.get(place, 0.54)
    if main.role.noun.kind == "person":
        tall *= 1.34
    if casting.metres(main.role) >= 5 and place not in ("table", "plinth"):
        tall *= 1.1
    if "near" in cast.effects:
        tall *= 1.3
    if "far" in cast.effects:
        tall *= 0.6
    many = main.role.count
    if many > 2 and (
        main.role.noun.figure in AIRBORNE or main.role.deed in ("fly", "swim") or main.role.noun.figure in SWIMMERS
    ):
        tall *= 0.72 if many < _FLOCK else 0.62
    tall *= 1.0 if many == 1 else 0.86 if many == 2 else 0.72 if many <= 4 else 0.56
    room = width * (0.66 if many == 1 else 0.86 / (1 + 0.6 * (min(many, 5) - 1)))
    return min(tall, room * 100.0 / max(main.wide, 1.0), height * 0.8)


def _line_up(
    top: list[_Spot],
    spots: list[_Spot],
    width: int,
    height: int,
    floor: float,
    place: str,
    chance: np.random.Generator,
) -> None:
    behind: list[_Spot] = []
    row: list[_Spot] = []
    for spot in top:
        to = spot.role.to
        if spot.role.relation == "before" and to >= 0:
            behind.append(spot)
        elif spot.role.relation == "behind" and to >= 0 and spots[to] in row:
            row.remove(spots[to])
            behind.append(spots[to])
            row.append(spot)
        else:
            row.append(spot)
    rear = [spot for spot in row[1:] if casting.metres(spot.role) >= 5 and casting.metres(row[0].role) < 5]
    for spot in rear:
        row.remove(spot)
        behind.append(spot)
    for spot in row:
        spot.height = min(spot.height, height * 0.8)
        _fit_children(spot, spots)
        stack = max(
            [spot.height + 0.75 * spots[child].height for child in spot.children if spot.role.relation == "on"],
            default=0.0,
        )
        if stack > height * 0.9:
            spot.height *= height * 0.9 / stack
            _fit_children(spot, spots)
    spans = [max(_span(spot), *(_span(spots[child]) * 0.8 for child in spot.children), 1.0) for spot in row]
    gap = width * 0.035
    total = sum(spans) + gap * (len(row) - 1)
    if total > width * 0.9:
        shrink = width * 0.9 / total
        for spot in row:
            spot.height *= shrink
            _fit_children(spot, spots)
        spans = [each * shrink for each in spans]
        total = sum(spans) + gap * (len(row) - 1)
    side = float(chance.uniform(-0.06, 0.06)) * width if len(row) == 1 and not behind else 0.0
    left = (width - total) / 2 + side
    for number, (spot, span) in enumerate(zip(row, spans, strict=True)):
        spot.x = left + span / 2
        left += span + gap
        spot.y = floor + (number % 2) * height * 0.012
        spot.order = 50 + number % 2
        spot.flip = (
            len(row) > 1
            and number == len(row) - 1
            and spot.role.noun.kind in ("beast", "person")
            and spot.role.deed != "go"
        )
        _lift(spot, height, floor, place)
    for number, spot in enumerate(behind):
        spot.height = min(spot.height * 1.15, height * 0.74)
        spot.x = width * (0.70 if number % 2 == 0 else 0.28) if row else width * 0.5
        if spot.width > width * 0.7:
            spot.x = width * 0.5
        spot.y = floor - height * 0.045
        spot.order, spot.depth = 20 + number, 0.5
        _lift(spot, height, floor, place)
        _fit_children(spot, spots)
    if behind and len(row) == 1:
        row[0].x = width * 0.36
        row[0].height *= 0.85
        _fit_children(row[0], spots)
    for spot in [*row, *behind]:
        _place_children(spot, spots, height)


def _span(spot: _Spot) -> float:
    many = min(spot.role.count, 5)
    return spot.width * (1 + 0.62 * (many - 1))


def _lift(spot: _Spot, height: int, floor: float, place: str) -> None:
    """Into the air or the water, where it belongs there."""
    name = spot.role.noun.figure
    airy = name in AIRBORNE or spot.role.deed == "fly"
    if place == "underwater" and (name in SWIMMERS or spot.role.deed == "swim" or spot.role.noun.kind == "person"):
        spot.y = floor - height * 0.22
    elif place == "space":
        spot.y = height * 0.5 + spot.height * 0.5
    elif airy and place not in ("table", "plinth", "backdrop", "paper", "branch"):
        spot.y = min(floor - height * 0.2, max(height * 0.08 + spot.height, height * 0.60))
        spot.depth = 0.45
    elif name in AFLOAT and place in ("sea", "waves"):
        spot.y = floor + spot.height * 0.04
    if spot.role.deed == "jump" and spot.role.noun.kind == "beast" and not _dances(spot.role):
        spot.y -= height * 0.09


def _fit_children(spot: _Spot, spots: list[_Spot]) -> None:
    for child in spot.children:
        other = spots[child]
        relation = (
            other.role.relation
            if other.role.to == spot.index and other.role.relation in ("holding", "wearing")
            else spot.role.relation
        )
        if relation == "wearing":
            other.height = min(spot.height * 0.22, spot.width * 0.5)
        elif relation == "holding":
            share = {
                "guitar": 0.62,
                "violin": 0.42,
                "umbrella": 0.62,
                "balloon": 0.6,
                "surfboard": 0.95,
                "sword": 0.5,
                "flag": 0.8,
                "sign": 0.5,
            }.get(other.role.noun.figure, 0.22)
            other.height = spot.height * share * other.role.size
        else:
            ratio = (casting.metres(other.role) / casting.metres(spot.role)) ** 0.5
            other.height = (
                spot.height * min(max(ratio, 0.45), 1.35) * other.role.size / (LOW if _lies(spot.role) else 1)
            )
            if relation in ("in", "on"):
                abreast = 1 + 0.8 * (min(other.role.count, 5) - 1) if relation == "on" else 1
                other.height = min(other.height, spot.width * 1.1 * 100 / max(other.wide, 1) / abreast)
        _fit_children(other, spots)


def _place_children(spot: _Spot, spots: list[_Spot], height: int) -> None:
    for number, child in enumerate(spot.children):
        other = spots[child]
        mine = other.role.to == spot.index and other.role.relation in ("holding", "wearing")
        relation = other.role.relation if mine else spot.role.relation
        way = -1 if spot.flip else 1
        other.depth = spot.depth
        if relation == "holding":
            across, up = people.hand_of(spot.role.pose or "hold") if spot.role.noun.kind == "person" else (0.42, 0.5)
            other.x = spot.x + way * across * spot.height
            grip = {
                "umbrella": 0.12,
                "balloon": 0.02,
                "guitar": 0.45,
                "sword": 0.1,
                "flag": 0.3,
                "surfboard": 0.45,
                "sign": 0.3,
            }.get(other.role.noun.figure, 0.35)
            other.y = spot.y - up * spot.height + grip * other.height
            if other.role.noun.figure == "guitar":
                other.x, other.y = spot.x + way * spot.height * 0.06, spot.y - spot.height * 0.28
            if other.y - other.height < height * 0.02 and other.role.noun.figure != "balloon":
                other.y = other.height + height * 0.02
            other.order = spot.order + 1 + number
        elif relation == "wearing":
            other.x = spot.x + way * spot.width * (0.30 if spot.role.noun.kind == "beast" else 0.0)
            other.y = spot.y - spot.height * (0.90 if "glass" not in other.role.noun.figure else 0.72)
            other.order = spot.order + 2
        elif relation == "over":
            other.x = spot.x - spot.width * 0.1
            other.y = max(spot.y - spot.height - height * 0.06, other.height * 1.05 + height * 0.02)
            other.order = spot.order + 1
        elif relation == "under":
            other.x, other.y = spot.x, spot.y + height * 0.01
            if spot.role.noun.figure == "umbrella":
                spot.height = max(spot.height, other.height * 1.25)
                spot.y -= other.height * 0.22
            other.height = min(other.height, spot.height * 0.7)
            other.order = spot.order + 1
        elif relation == "in":
            other.x = spot.x - spot.width * 0.06
            deep = 0.30 if spot.role.noun.figure in ("car", "sports car", "bus", "truck", "boat", "train") else 0.34
            other.y = spot.y - spot.height * deep
            if spot.role.noun.figure in ("house", "castle", "cabin", "church", "tent"):
                other.x, other.y, other.order = spot.x + spot.width * 0.2, spot.y + height * 0.015, spot.order + 1
                other.height = min(other.height, spot.height * 0.45)
            else:
                other.order = spot.order - 1
        else:
            across, up = SEATS.get(
                spot.role.noun.figure, (-0.06, 0.60) if spot.role.noun.kind == "beast" else (0.0, 0.96)
            )
            if spot.role.noun.kind == "beast":
                top = bounds(spot.figure)[3]
                up = min(up, _back_of(spot) / max(top, 1.0))
            hip = HIP.get(other.role.pose, 0.0) if other.role.noun.kind == "person" else 0.0
            if spot.role.noun.kind == "beast" and other.role.noun.kind == "person" and not hip:
                other.role = replace(other.role, pose="ride")
                other.figure = _reposed(other, "ride")
                left, _, right, top = bounds(other.figure)
                other.wide, other.tall = right - left, top
                hip = HIP["ride"]
                other.height *= 0.85
            other.x = spot.x + way * across * spot.width
            other.y = spot.y - up * spot.height + hip * other.height
            other.flip = spot.flip
            other.order = spot.order + 1
        if relation in ("in", "on") and len(spot.children) > 1 and not mine:
            other.x += spot.width * 0.55 * (number - (len(spot.children) - 1) / 2) / len(spot.children) * 1.2
        _place_children(other, spots, height)


def _back_of(spot: _Spot) -> float:
    """How high an animal's back is, in hundredths."""
    body = max(
        (each for each in spot.figure.parts if each.ink == "main" and not each.joint),
        key=lambda each: float(np.ptp(each.outlines[0][:, 0])),
        default=None,
    )
    return float(body.outlines[0][:, 1].max()) - 2 if body is not None else 60.0


def _reposed(spot: _Spot, pose: str) -> Figure:
    measures = casting.measures_of(spot.role)
    look = Look(
        hair=measures.get("hair", "short"),
        dress=measures.get("dress", "shirt"),
        hat=measures.get("hat", ""),
        face=measures.get("face", "smile"),
        beard="beard" in measures,
        cape="cape" in measures,
        age=measures.get("age", "grown"),
        mask=measures.get("mask", ""),
    )
    return people.person(look, pose)


def _actors(spot: _Spot, cast: Cast, width: int, height: int, place: str, chance: np.random.Generator) -> list[Actor]:
    """As many of it as there are."""
    found: list[Actor] = []
    many = spot.role.count
    role = spot.role
    going = role.deed == "go" or (
        role.noun.figure in DRIVEN and (role.deed == "go" or place in ("road", "street", "city"))
    )
    name = role.noun.figure
    held = role.relation in ("holding", "wearing")
    airy = (
        name in AIRBORNE
        or role.deed in ("fly", "swim")
        or place in ("space",)
        or (place == "underwater" and name in SWIMMERS)
    )
    for number in range(many):
        row, column = (number // 5, number % 5)
        across = min(many, 5) if row == 0 else many - 5 * row
        wide = 1.15 if airy else 0.80 if role.noun.kind == "beast" else 0.66
        x = (
            spot.x
            + (column - (across - 1) / 2) * spot.width * wide * (1.0 if many > 1 else 0.0)
            + row * spot.width * 0.2
        )
        jitter = [float(each) for each in chance.uniform(-1, 1, 3)]
        y = (
            spot.y
            - row * height * 0.075
            + (jitter[0] * height * (0.012 if not airy else 0.07) if many > 1 else 0.0)
            + (number % 2) * height * 0.014 * (many > 1)
        )
        flock = many >= _FLOCK and role.deed == "fly"
        if flock:  # a wedge, its head to the right
            rank, side = (number + 1) // 2, 1 if number % 2 else -1
            x = spot.x + ((many // 2) / 2 - rank) * spot.width * (0.92 + 0.05 * jitter[2])
            y = spot.y + side * rank * spot.height * (0.42 + 0.06 * jitter[0])
        scale = spot.scale * (1.0 - 0.12 * row * (not flock)) * (1.0 + 0.06 * jitter[1] * (many > 1))
        turn = {"fly": 8.0, "jump": 10.0}.get(role.deed, 0.0) if role.noun.kind == "beast" else 0.0
        if _dances(role):
            turn = 0.0
        if name in ("butterfly", "bee", "ladybird") and not turn:
            turn = -16.0 + 14 * jitter[2]
        inks = spot.inks
        if many > 1 and number and not role.colours and "silhouette" not in cast.effects and role.noun.kind == "beast":
            inks = puppet.inks_of(
                {
                    **{key: inks[key] for key in ("second", "third") if key in inks},
                    "main": _varied(inks["main"], int(9000 * abs(jitter[1]))),
                }
            )
        figure = spot.figure
        if many > 1 and number and role.noun.kind == "person":
            figure, inks = dressed(role, cast, chance)
            if "silhouette" in cast.effects:
                inks = dict.fromkeys(inks, (0.05, 0.05, 0.07))
        found.append(
            Actor(
                figure,
                inks,
                scale,
                x,
                y,
                depth=min(0.95, spot.depth + 0.01 * number),
                going=going,
                flip=spot.flip
                ^ (many > 2 and not flock and number % 3 == 1 and role.noun.kind == "beast" and not going),
                turn=-turn if spot.flip else turn,
                stands=not (
                    airy
                    or held
                    or (role.deed == "jump" and not _dances(role))
                    or (name in AFLOAT and place in ("sea", "waves"))
                ),
                hop=0.10 if role.deed == "jump" else 0.0,
                stroll=0.16
                if going
                else 0.05
                if role.deed in ("fly", "swim") or (name in SWIMMERS and place == "underwater")
                else 0.0,
                tall=spot.tall,
            )
        )
    return found


def _busts(spots: list[_Spot], width: int, height: int) -> list[Actor]:
    people_ = [spot for spot in spots if spot.role.noun.kind == "person"]
    rest = [spot for spot in spots if spot.role.noun.kind != "person"]
    found: list[Actor] = []
    count = sum(spot.role.count for spot in people_)
    at = 0
    for spot in people_:
        for _ in range(spot.role.count):
            tall = min(height * 0.88, width * (0.92 if count == 1 else 0.5) * 100 / spot.wide) * min(
                1.12, spot.role.size**0.5
            )
            x = width * ((at + 0.5) / count)
            found.append(
                Actor(
                    spot.figure,
                    spot.inks,
                    tall / 100,
                    x,
                    height * 1.005,
                    0.8,
                    stands=False,
                    tall=spot.tall,
                    flip=at == 1,
                )
            )
            at += 1
    for number, spot in enumerate(rest):
        tall = height * 0.34 * spot.role.size
        found.append(
            Actor(
                spot.figure,
                spot.inks,
                tall / 100,
                width * (0.82 if number % 2 == 0 else 0.16),
                height * 0.97,
                0.88,
                stands=False,
                tall=spot.tall,
            )
        )
    return found
