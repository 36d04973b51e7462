"""Words → plan: which camera moves a prompt names, in which order, how strongly, and which words were not used.

Tables of patterns and a reader; no language model. What it does not know it says.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
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
    shares: Mapping[Move, float] = field(default_factory=dict[Move, float])  # of that, where moves differ in speed

    def amount_of(self, move: Move) -> float:
        return self.amount * self.shares.get(move, 1.0)


@dataclass(frozen=True)
class Plan:
    """What the prompt's words come to."""

    steps: tuple[Step, ...]  # one after another
    stirs: frozenset[Stir]
    named: bool  # False when the prompt names no move and the default stands
    used: tuple[str, ...]  # the words that were obeyed
    ignored: tuple[str, ...]  # the words that say something and were not
    shown: tuple[str, ...] = ()  # how words are shown: "cat: cut-paper figure"
    pulse: float = 1.0  # how strongly the camera takes up a beat; 0 not at all

    def opposite(self) -> "Plan":
        """The moves that, played backwards, are these."""
        steps = [replace(step, moves={move: -way for move, way in step.moves.items()}) for step in self.steps]
        return replace(self, steps=tuple(reversed(steps)))

    def weaker(self, factor: float) -> "Plan":
        """The same moves, less far."""
        steps = tuple(replace(step, amount=step.amount * factor) for step in self.steps)
        return replace(self, steps=steps)


_CAMERA = r"(?:the )?(?:camera|shot|view|frame)(?: \w+)? "
_LEFT = r"(?:\w+ )?(?:to(?:wards?)? the |(?:from )?(?:the )?right to (?:the )?)?left(?! to (?:the )?right)"
_RIGHT = r"(?:\w+ )?(?:to(?:wards?)? the |(?:from )?(?:the )?left to (?:the )?)?right(?! to (?:the )?left)"
_PAN = rf"(?:(?:pan|track|truck|slid|sweep|dolly)\w*|{_CAMERA}(?:mov|drift|glid|fl)\w*)"
_TILT = rf"(?:(?:tilt|pan|crane|pedestal|boom)\w*|{_CAMERA}(?:mov|ris|lower|drift)\w*)"
_AROUND = rf"(?:orbit\w*|arc(?:s|ing)? (?:shot|around)|{_CAMERA}(?:circl|arc|rotat|revolv|spin)\w*|360)"

PLAIN = 0
"""The direction of a word that is no wish for its move, though "no …" declines it. "Static" alone is a wish."""

MOVES: tuple[tuple[str, Move, int], ...] = (
    # The first pattern to match takes the words away from those below it.
    (r"(?:static|fixed|locked(?:[- ]?(?:off|down))?|still|motionless) (?:camera|shot)", Move.STATIC, 1),
    (rf"{_CAMERA}(?:is |stays? |remains? |holds? )?(?:static|fixed|still|locked)", Move.STATIC, 1),
    (r"tripod(?: shot)?|locked[- ](?:off|down)|stops? moving|paus(?:es?|ing)", Move.STATIC, 1),
    (r"hold(?:s|ing)? (?:still|steady|on|(?:for )?an? (?:moment|beat|second|while))", Move.STATIC, 1),
    (r"static", Move.STATIC, PLAIN),
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
    (r"roll(?:s|ing)? (?:\w+ )?(?:left|(?:counter|anti)[- ]?clockwise)", Move.ROLL, -1),
    (r"roll(?:s|ing)? (?:\w+ )?(?:right|clockwise)", Move.ROLL, 1),
    (rf"{_CAMERA}tilt(?:s|ing)?|tilt shot", Move.TILT, -1),
    # Said without a direction these may be about anything; but "no tilting" is clear.
    (r"tilt(?:s|ing)?(?![- ]shift)", Move.TILT, PLAIN),
    (r"roll(?:s|ing)?|rotat(?:es?|ing|ion)", Move.ROLL, PLAIN),
    (r"shak(?:es?|ing|y|iness)", Move.HANDHELD, PLAIN),
)

STIRS: tuple[tuple[str, Stir], ...] = (
    (r"wind(?:s|y)?|breez\w+|sway\w*|flutter\w*|rustl\w+", Stir.WIND),
    (r"water|seas?|ocean|waves?|lakes?|rivers?|rippl\w+|pond|surf", Stir.WATER),
    (r"breath\w*", Stir.BREATH),
)

_VERY = r"(?:very|extremely|super|ultra|really)[- ]"
AMOUNTS: tuple[tuple[str, float], ...] = (
    (rf"{_VERY}(?:slow|gentle|subtle|soft|slight|gradual)(?:ly)?|barely", 0.35),
    (rf"{_VERY}(?:fast|quick(?:ly)?|rapid(?:ly)?|dramatic(?:ally)?)", 2.0),
    (r"extreme(?:ly)?|dramatic(?:ally)?|rapid(?:ly)?|fast(?:er)?|quick(?:ly|er)?|whip|swift(?:ly)?", 1.7),
    (r"sudden(?:ly)?|abrupt(?:ly)?|crash", 1.7),
    (r"slow(?:ly|er)?|gent(?:le|ly)|subt(?:le|ly)|soft(?:ly)?|slight(?:ly)?|calm(?:ly)?", 0.6),
    (r"gradual(?:ly)?|leisurely|lazy|lazily|a (?:little|bit)", 0.6),
    (r"smooth(?:ly)?|steady|steadily", 0.9),
)
CLAUSE = re.compile(r"\b(?:while|as|and|but|with)\b|,")

PULSE = (
    r"(?:in time |in sync )?(?:to|on|with) (?:the |every |each )?(?:beats?|music|rhythm|bass)"
    r"|beat[- ](?:synced|matched)|puls(?:es?|ing|ates?|ating)"
)
STRONG_PULSE = 1.6

UNWANTED_MOTION = r"(?:camera|any) (?:motion|movement|moves?)|moving camera|camera"
UNMOVED = r"(?:camera|shot|view|frame) (?:(?:does|must|should|will) not|doesn't|mustn't|shouldn't|won't) move"
ORDER = re.compile(
    r"\b(?:and then|then|followed by|after(?: (?:that|which))?|afterwards|next|finally|before(?: that)?"
    r"|(?:and )?(?:end(?:s|ing)?|finish(?:es|ing)?) (?:with|on|by|in))\b|;|->|→"
)
NEGATION = re.compile(
    r"(?:\b(?:no|not|without|avoid|never|don't|do not|doesn't)|n't)\s+"
    r"(?:(?!(?:but|just|only|rather|instead|and)\b)[\w-]+\s+){0,2}$"
)
LINK = re.compile(r"\s*(?:,|,? ?n?or)\s*(?:any |a )?")
TAKEN = "#"  # stands for words that named a move already
WORD = re.compile(r"[^\W\d_][\w'-]{2,}")
MAX_LISTED = 24
SILENT = frozenset(  # words that say nothing on their own
    """the and for with from into onto that this these those there their they them then than its it's his her
    our your you who which what when where while whose are was were been being has have had does did can could
    will would should may might must shall not without but nor yet very more most much many some any each
    every over under upon about above below near beside between through across along around towards toward
    camera shot view frame scene video image picture photo footage clip cinematic movement motion move moves
    moving effect style no off out per via also just only back like as at by in is it of on or so to up an a
    don't doesn't avoid never and then next finally before after that afterwards followed
    first start starts starting begin begins beginning end ends ending finish finishes finishing same time
    simultaneously meanwhile rather instead""".split()  # noqa: SIM905
)


def read(prompt: str | None, *, avoid: str | None = None, stirring: bool = True, sounding: bool = False) -> Plan:
    """The plan of a prompt; moves that `avoid` (a negative prompt) names are left out.

    Without a named move the camera pushes in; where moving in was declined, it stands still. Where nothing can
    be stirred, `stirring=False` leaves those words among the ignored; likewise where there is no beat to move
    to, unless `sounding`.
    """
    text, unwanted = _clean(prompt), _clean(avoid)
    used: list[str] = []
    declined, unwanted_left = _declined(unwanted, used)
    steps, left = _steps(text, declined, used)
    stirs, left = _stirs(left, declined, used) if stirring else (frozenset[Stir](), left)
    pulse, left = _pulse(left, used) if sounding else (1.0, left)
    named = bool(steps) or Move.STATIC in declined
    if not steps:
        steps = [_default(left, declined, used)]
    if all(set(step.moves) <= {Move.STATIC} for step in steps) and pulse <= 1:
        pulse = 0.0
    _, left = _take_amounts(left, [])
    return Plan(
        pulse=pulse,
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
    held: Step | None = None  # "before …, …": comes after the step that follows
    for word, text_part in _segments(text):
        part, step = _step(text_part, declined, used)
        parts.append(part)
        if step is None:
            continue
        if word == "after" and steps:
            steps.insert(len(steps) - 1, step)
        elif word == "before" and not steps and held is None:
            held = step
        else:
            steps.append(step)
            if held is not None:
                steps.append(held)
                held = None
    steps += [held] if held is not None else []
    return [step for step in steps if not _idle(step, steps)], "".join(parts)


def _segments(text: str) -> list[tuple[str, str]]:
    """The text cut at its words of order, each with what follows it; "after …, …" also at the comma."""
    cuts = [(match.start(), match[0]) for match in ORDER.finditer(text)]
    ends = [start for start, _ in cuts] + [len(text)]
    found = [("", text[: ends[0]])]
    for (start, word), end in zip(cuts, ends[1:], strict=True):
        comma = text.find(",", start, end) if word in ("after", "before") else -1
        middle = comma if comma >= 0 else end
        found.append((word, text[start:middle]))
        found.append(("", text[middle:end]))
    return found


def _step(text: str, declined: set[str], used: list[str]) -> tuple[str, Step | None]:
    part, moves = _moves(text, declined, used)
    if not moves:
        return part, None
    shares = _shares(text, moves)
    amount, part = _take_amounts(part, used)
    return part, Step(moves, 1.0, shares) if shares else Step(moves, amount)


def _shares(text: str, moves: dict[Move, int]) -> dict[Move, float]:
    """Each move's own speed, where at least two clauses ("slowly …, while quickly …") tell one."""
    shares: dict[Move, float] = {}
    told = 0
    for clause in CLAUSE.split(text):
        amount, _ = _take_amounts(clause, [])
        here = [move for _, _, move, _ in _named(clause) if move in moves]
        told += bool(here) and amount != 1.0
        shares |= dict.fromkeys(here, amount)
    return shares if told > 1 else {}


def _idle(step: Step, steps: list[Step]) -> bool:
    return step.moves == {Move.STATIC: PLAIN} and len(steps) > 1


def _named(text: str) -> list[tuple[int, int, Move, int]]:
    """Where moves are named (start, end, move, direction), in the order of the words."""
    found: list[tuple[int, int, Move, int]] = []
    for pattern, move, direction in MOVES:
        for match in re.finditer(rf"\b(?:{pattern})\b", text):
            found.append((match.start(), match.end(), move, direction))
            text = _blank(text, match.start(), match.end())
    return sorted(found)


def _moves(part: str, declined: set[str], used: list[str]) -> tuple[str, dict[Move, int]]:
    moves: dict[Move, int] = {}
    part, still = _negated_motion(part, used)
    if still:
        moves[Move.STATIC] = 1
    named = _named(part)
    negated = _negated(part, named)
    named = [each for number, each in enumerate(named) if number in negated or _wish(each)]
    negated = _negated(part, named)
    for number, (start, end, move, direction) in enumerate(named):
        words = part[start:end].strip()
        if number in negated:
            declined.add(move)
            used.append(f"no {words}")
        elif move not in declined and move not in moves:
            moves[move] = direction
            used.append(words)
    for start, end, _, _ in named:
        part = _blank(part, start, end)
    if len(moves) > 1:
        moves.pop(Move.STATIC, None)
    return part, {move: way for move, way in moves.items() if move not in declined}


def _wish(named: tuple[int, int, Move, int]) -> bool:
    _, _, move, direction = named
    return direction != PLAIN or move is Move.STATIC


def _negated(text: str, named: list[tuple[int, int, Move, int]]) -> set[int]:
    """Which of the named moves are declined. "no pan, zoom or tilt" declines three, "no pan, zoom in" one."""
    found: set[int] = set()
    before = text
    for number, (start, end, _, _) in enumerate(named):
        if NEGATION.search(before[:start]):
            found.add(number)
        before = before[:start] + TAKEN * (end - start) + before[end:]
    for number in sorted(found):
        last = number
        for other in range(number + 1, len(named)):
            between = text[named[other - 1][1] : named[other][0]]
            if not LINK.fullmatch(between):
                break
            last = other if "or" in between else last
        found.update(range(number, last + 1))
    return found


def _negated_motion(part: str, used: list[str]) -> tuple[str, bool]:
    """ "no camera movement" asks for a still camera."""
    match = re.search(rf"\b(?:(?:no|without|avoid|never)\s+(?:{UNWANTED_MOTION})|{UNMOVED})\b", part)
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


def _pulse(text: str, used: list[str]) -> tuple[float, str]:
    """How strongly the camera is to move to the beat."""
    amount = 1.0
    for match in re.finditer(rf"\b(?:{PULSE})\b", text):
        negated = NEGATION.search(text[: match.start()])
        amount = 0.0 if negated else STRONG_PULSE
        used.append(f"no {match[0]}" if negated else match[0])
        text = _blank(text, match.start(), match.end())
    return amount, text


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
    return min(max(amount, 0.25), 2.0), text


def _blank(text: str, start: int, end: int) -> str:
    return text[:start] + " " * (end - start) + text[end:]


def _content(text: str) -> tuple[str, ...]:
    return _distinct([word for word in WORD.findall(text) if word not in SILENT])[:MAX_LISTED]


def _distinct(words: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))
