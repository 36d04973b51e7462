"""Where a cast plays: in the place that the prompt names, else where its first figure is at home."""

from dataclasses import replace

from mutoscope.studio.scene.lexicon import MEANINGS, Wish
from mutoscope.studio.theatre import casting, sets
from mutoscope.studio.theatre.casting import Cast, Role

# home → the painter's place or a set, what grows there, and the hour
HOMES: dict[str, tuple[str, tuple[str, ...], str | None]] = {
    "road": ("hills", ("road",), None),
    "countryside": ("hills", (), None),
    "hills": ("hills", (), None),
    "garden": ("hills", (), None),
    "park": ("hills", (), None),
    "river": ("hills", (), None),
    "lake": ("sea", (), None),
    "snow": ("mountains", ("snow",), None),
    "night": ("hills", ("stars",), "night"),
    "rain": ("street", (), None),
    "desert": ("desert", (), None),
    "mountains": ("mountains", (), None),
    "forest": ("forest", (), None),
    "sea": ("sea", (), None),
    "city": ("city", (), None),
    "space": ("space", (), None),
}
_PAPER = frozenset({"hills", "mountains", "desert", "forest"})
_INSIDE = frozenset({"table", "plinth"})
_GARNISH = frozenset({"leafy", "conifers", "birch", "blossom", "flowers", "trees", "wheat", "rocks", "tall grass"})
"""What is no land beside food and goods: maple syrup, a cherry cake."""
_OPEN = frozenset(
    {
        "rain",
        "snowfall",
        "snow",
        "fog",
        "autumn",
        "spring",
        "summer",
        "stars",
        "moon",
        "aurora",
        "sun",
        "trees",
        "flowers",
        "leafy",
        "path",
        "road",
        "rocks",
    }
)


def at_home(cast: Cast, wish: Wish) -> tuple[Wish, str | None]:
    """The wish, with what belongs to the place; and the place, None where the painter chooses."""
    if not cast:
        return wish, None
    if cast.plate in ("logo", "badge"):
        return replace(wish, place=None), "paper"
    named = any(facet == "place" for phrase in wish.used for facet, _ in MEANINGS.get(phrase, ()))
    if cast.place == "kitchen" and cast.roles and casting.home(_lead(cast)) == "table":
        return replace(wish, place=None), "table"  # food is seen from near
    if cast.place in sets.SETS and not (named and wish.place != "abstract"):
        return replace(wish, place=None), cast.place
    if named and wish.place != "abstract":
        return wish, None
    inside = bool(cast.roles) and casting.home(_lead(cast)) in _INSIDE
    if wish.place not in (None, "abstract") and not (inside and wish.features <= _GARNISH):
        return wish, None
    if cast.letters and not cast.roles:
        return wish, "paper"
    if not cast.roles and cast.letters == "" and cast.place is None:
        return wish, None  # effects alone: the painter's own choice
    if cast.place == "park":
        home = "park"
    elif cast.bust:
        home = "backdrop"
    else:
        home = casting.home(_lead(cast)) if cast.roles else "paper"
        if home == "plinth" and _lead(cast).count > 1:
            home = "backdrop"  # which is wide enough
    if (
        home in sets.SETS
        and (wish.features & _OPEN or wish.clouds or wish.time)
        and home not in ("underwater", "moon", "mars", "stage", "table", "room", "sky")
    ):
        home = "hills"
    if any(role.deed in ("swim",) for role in cast.roles) and home == "backdrop":
        home = "underwater"
    if home == "backdrop" and not cast.bust and any(role.deed == "go" for role in cast.roles):
        home = "park"
    place, features, time = HOMES.get(home, (home, (), None))
    styles = wish.styles
    if place in _PAPER and not styles:
        styles = ("minimal",)  # land of paper, as the figures are
    return replace(
        wish,
        place=place if place not in sets.SETS else None,
        time=wish.time or time,
        features=wish.features | frozenset(features),
        styles=styles,
    ), place


def _lead(cast: Cast) -> Role:
    """Whose home it is: who bears the others, else the first."""
    return next((role for role in reversed(cast.roles) if role.relation in ("on", "in")), cast.roles[0])
