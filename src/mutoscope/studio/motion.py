"""Words → plan: which camera moves a prompt names, in which order, how strongly, and which words were not used.

Tables of patterns and a reader; no language model. What it does not know it says.
"""

import re
from dataclasses import dataclass, replace
from enum import StrEnum


class Move(StrEnum):
    """What the camera can do. A direction goes with it, +1 or -1."""

    ZOOM = "zoom"  # +1 in, -1 out
    VERTIGO = "vertigo"  # the dolly zoom: the background grows, the subject stays
    PAN = "pan"  # +1 right
    TILT = "tilt"  # +1 down
    ORBIT = "orbit"  # +1 to the right around the subject
    ROLL = "roll"  # +1 clockwise
    HANDHELD = "handheld"
    STATIC = "static"


class Stir(StrEnum):
    """What can move inside the picture."""

    WIND = "wind"
    WATER = "water"
    BREATH = "breath"


@dataclass(frozen=True)
class Step:
    """Moves that happen at the same time."""

    moves: dict[Move, int]
    amount: float = 1.0  # 1 is neither slow nor fast


@dataclass(frozen=True)
class Plan:
    """What the prompt's words come to."""

    steps: tuple[Step, ...]  # one after another
    stirs: frozenset[Stir]
    named: bool  # False when the prompt names no move and the default stands
    used: tuple[str, ...]  # the words that were obeyed
    ignored: tuple[str, ...]  # the words that say something and were not

    def opposite(self) -> "Plan":
        """The moves that, played backwards, are these."""
        steps = [Step({move: -way for move, way in step.moves.items()}, step.amount) for step in self.steps]
        return replace(self, steps=tuple(reversed(steps)))

    def weaker(self, factor: float) -> "Plan":
        """The same moves, less far."""
        steps = tuple(replace(step, amount=step.amount * factor) for step in self.steps)
        return replace(self, steps=steps)


_CAMERA = r"(?:the )?(?:camera|shot|view|frame)(?: \w+)? "
_LEFT, _RIGHT = r"(?:\w+ )?(?:to the |from right to )?left", r"(?:\w+ )?(?:to the |from left to )?right"
_PAN = rf"(?:(?:pan|track|truck|slid|sweep|dolly)\w*|{_CAMERA}(?:mov|drift|glid|fl)\w*)"
_TILT = rf"(?:(?:tilt|pan|crane|pedestal|boom)\w*|{_CAMERA}(?:mov|ris|lower|drift)\w*)"
_AROUND = rf"(?:orbit\w*|arc(?:s|ing)? (?:shot|around)|{_CAMERA}(?:circl|arc|rotat|revolv|spin)\w*|360)"

MOVES: tuple[tuple[str, Move, int], ...] = (
    # The first pattern to match takes the words away from those below it.
    (r"(?:static|fixed|locked(?:[- ]?(?:off|down))?|still|motionless) (?:camera|shot)", Move.STATIC, 1),
    (rf"{_CAMERA}(?:is |stays? |remains? |holds? )?(?:static|fixed|still|locked)", Move.STATIC, 1),
    (r"tripod(?: shot)?|locked[- ](?:off|down)|static", Move.STATIC, 1),
    (r"vertigo(?: effect)?|dolly[- ]zoom\w*|zolly", Move.VERTIGO, 1),
    (r"zoom(?:s|ed|ing)?[- ]?(?:\w+ )?(?:out|back)\w*|pull(?:s|ed|ing)?[- ](?:\w+ )?(?:out|back)", Move.ZOOM, -1),
    (rf"doll(?:y|ies|ying)[- ](?:out|back)\w*|{_CAMERA}(?:moves|moving|backs) (?:back\w*|away)", Move.ZOOM, -1),
    (r"zoom(?:s|ed|ing)?(?:[- ](?:\w+ )?in\w*)?|push(?:es|ed|ing)?[- ](?:\w+ )?in\w*", Move.ZOOM, 1),
    (r"doll(?:y|ies|ying)[- ](?:in|forward)\w*|mov(?:es|ing) (?:closer|forward)", Move.ZOOM, 1),
    (r"clos(?:es|ing) in|(?:fl(?:y|ies|ying)|walk(?:s|ing)?) (?:into|through|forward|over)", Move.ZOOM, 1),
    (rf"{_AROUND} {_LEFT}", Move.ORBIT, -1),
    (rf"{_AROUND}(?: {_RIGHT})?", Move.ORBIT, 1),
    (rf"{_TILT} (?:\w+ )?up\w*|ascending shot|pedestal up|crane shot", Move.TILT, -1),
    (rf"{_TILT} (?:\w+ )?down\w*|descending shot", Move.TILT, 1),
    (rf"{_PAN} {_LEFT}\w*|leftwards?", Move.PAN, -1),
    (rf"{_PAN}(?: {_RIGHT}\w*)?(?: shot)?|rightwards?|lateral (?:move\w*|shot)", Move.PAN, 1),
    (rf"(?:{_CAMERA}|barrel )roll\w* (?:\w+ )?(?:left|counter[- ]?clockwise)", Move.ROLL, -1),
    (rf"(?:{_CAMERA}|barrel )roll\w*(?: (?:\w+ )?(?:right|clockwise))?|dutch (?:angle|tilt|roll)", Move.ROLL, 1),
    (r"hand[- ]?held(?: camera| shot)?|shaky(?: camera| cam)?|camera shak\w+|found[- ]footage", Move.HANDHELD, 1),
    (r"doll(?:y|ies|ying)(?: shot)?", Move.ZOOM, 1),
)

STIRS: tuple[tuple[str, Stir], ...] = (
    (r"wind(?:s|y)?|breez\w+|sway\w*|flutter\w*|rustl\w+", Stir.WIND),
    (r"water|seas?|ocean|waves?|lakes?|rivers?|rippl\w+|pond|surf", Stir.WATER),
    (r"breath\w*", Stir.BREATH),
)

AMOUNTS: tuple[tuple[str, float], ...] = (
    (r"extreme(?:ly)?|dramatic(?:ally)?|rapid(?:ly)?|fast|quick(?:ly)?|whip|swift(?:ly)?", 1.7),
    (r"slow(?:ly)?|gent(?:le|ly)|subt(?:le|ly)|soft(?:ly)?|slight(?:ly)?|calm(?:ly)?", 0.6),
    (r"smooth(?:ly)?|steady|steadily", 0.9),
)

UNWANTED_MOTION = r"(?:camera|any) (?:motion|movement|moves?)|moving camera|camera"
ORDER = re.compile(r"\b(?:and then|then|followed by|after (?:that|which)|afterwards|next|finally|before)\b|;|->|→")
NEGATION = re.compile(r"(?:\b(?:no|not|without|avoid|never|don't|do not|doesn't|stop)|n't)\s+(?:[\w-]+\s+){0,2}$")
WORD = re.compile(r"[^\W\d_][\w'-]{2,}")
MAX_LISTED = 24
SILENT = frozenset(  # words that say nothing on their own
    """the and for with from into onto that this these those there their they them then than its it's his her
    our your you who which what when where while whose are was were been being has have had does did can could
    will would should may might must shall not without but nor yet very more most much many some any each
    every over under upon about above below near beside between through across along around towards toward
    camera shot view frame scene video image picture photo footage clip cinematic movement motion move moves
    moving effect style no off out per via also just only back like as at by in is it of on or so to up an a
    don't doesn't avoid never and then next finally before after that afterwards followed""".split()  # noqa: SIM905
)


def read(prompt: str | None, *, avoid: str | None = None, stirring: bool = True) -> Plan:
    """The plan of a prompt; moves that `avoid` (a negative prompt) names are left out.

    Without a named move the camera pushes in; where moving in was declined, it stands still. Where nothing can
    be stirred, `stirring=False` leaves those words among the ignored.
    """
    text, unwanted = _clean(prompt), _clean(avoid)
    used: list[str] = []
    declined, unwanted_left = _declined(unwanted, used)
    steps, left = _steps(text, declined, used)
    stirs, left = _stirs(left, declined, used) if stirring else (frozenset[Stir](), left)
    named = bool(steps) or Move.STATIC in declined
    if not steps:
        steps = [_default(left, declined, used)]
    _, left = _take_amounts(left, [])
    return Plan(
        steps=tuple(steps),
        stirs=stirs,
        named=named,
        used=_distinct(used),
        ignored=_content(left) + tuple(f"no {word}" for word in _content(unwanted_left)),
    )


def unread(prompt: str | None, *, avoid: str | None = None) -> Plan:
    """The plan where words have no say: nothing used, all of them ignored."""
    left = f"{_clean(prompt)} {_clean(avoid)}"
    return Plan((Step({Move.STATIC: 1}),), frozenset(), False, used=(), ignored=_content(left))


def _clean(text: str | None) -> str:
    return re.sub(r"\s+", " ", (text or "").lower().replace("’", "'"))


def _steps(text: str, declined: set[str], used: list[str]) -> tuple[list[Step], str]:
    """The steps in order, and the text with the words that named them blanked out."""
    steps: list[Step] = []
    parts: list[str] = []
    start = 0
    for end in [match.start() for match in ORDER.finditer(text)] + [len(text)]:
        part, moves = _moves(text[start:end], declined, used)
        if moves:
            amount, part = _take_amounts(part, used)
            steps.append(Step(moves, amount))
        parts.append(part)
        start = end
    return [step for step in steps if not _idle(step, steps)], "".join(parts)


def _idle(step: Step, steps: list[Step]) -> bool:
    """A plain "static" beside other moves says nothing about the camera."""
    return set(step.moves) == {Move.STATIC} and len(steps) > 1


def _moves(part: str, declined: set[str], used: list[str]) -> tuple[str, dict[Move, int]]:
    moves: dict[Move, int] = {}
    part, still = _negated_motion(part, used)
    if still:
        moves[Move.STATIC] = 1
    for pattern, move, direction in MOVES:
        for match in re.finditer(rf"\b(?:{pattern})\b", part):
            negated = NEGATION.search(part[: match.start()])
            if negated:
                declined.add(move)
                used.append(f"no {match[0].strip()}")
            elif move not in declined and move not in moves:
                moves[move] = direction
                used.append(match[0].strip())
            part = _blank(part, match.start(), match.end())
    if len(moves) > 1:
        moves.pop(Move.STATIC, None)
    return part, {move: way for move, way in moves.items() if move not in declined}


def _negated_motion(part: str, used: list[str]) -> tuple[str, bool]:
    """ "no camera movement" asks for a still camera."""
    match = re.search(rf"\b(?:no|without|avoid|never)\s+(?:{UNWANTED_MOTION})\b", part)
    if not match:
        return part, False
    used.append(match[0])
    return _blank(part, match.start(), match.end()), True


def _declined(unwanted: str, used: list[str]) -> tuple[set[str], str]:
    """Moves and stirs that a negative prompt names, and its text without those words."""
    declined: set[str] = set()
    patterns = [(pattern, move) for pattern, move, _ in MOVES] + list(STIRS)
    for pattern, name in [(UNWANTED_MOTION, "motion"), *patterns]:
        for match in re.finditer(rf"\b(?:{pattern})\b", unwanted):
            declined.add(name)
            used.append(f"no {match[0].strip()}")
            unwanted = _blank(unwanted, match.start(), match.end())
    if "motion" in declined:
        declined |= set(Move) - {Move.STATIC}
    return declined, unwanted


def _stirs(text: str, declined: set[str], used: list[str]) -> tuple[frozenset[Stir], str]:
    found: set[Stir] = set()
    for pattern, stir in STIRS:
        for match in re.finditer(rf"\b(?:{pattern})\b", text):
            if NEGATION.search(text[: match.start()]):
                declined.add(stir)
                used.append(f"no {match[0]}")
            elif stir not in declined:
                found.add(stir)
                used.append(match[0])
            text = _blank(text, match.start(), match.end())
    return frozenset(found - declined), text


def _default(text: str, declined: set[str], used: list[str]) -> Step:
    if Move.ZOOM in declined:
        return Step({Move.STATIC: 1})
    amount, _ = _take_amounts(text, used)
    return Step({Move.ZOOM: 1}, amount)


def _take_amounts(text: str, used: list[str]) -> tuple[float, str]:
    amount = 1.0
    for pattern, factor in AMOUNTS:
        for match in re.finditer(rf"\b(?:{pattern})\b", text):
            amount *= factor
            used.append(match[0])
            text = _blank(text, match.start(), match.end())
    return min(max(amount, 0.3), 2.0), text


def _blank(text: str, start: int, end: int) -> str:
    return text[:start] + " " * (end - start) + text[end:]


def _content(text: str) -> tuple[str, ...]:
    return _distinct([word for word in WORD.findall(text) if word not in SILENT])[:MAX_LISTED]


def _distinct(words: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))
