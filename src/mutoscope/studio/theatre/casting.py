"""Reads the cast of a prompt: who and what appears, how many, in which colours, doing what, and where to one another.

It takes the words that it can show and leaves the others to the painter. A word is told with how it was shown.
"""

import re
from dataclasses import dataclass, field, replace

from mutoscope.studio.scene import lexicon
from mutoscope.studio.scene.lexicon import COLOURS, FILLER, MEANINGS, NEGATIONS, Rgb
from mutoscope.studio.theatre import figures, icons, lettering, words
from mutoscope.studio.theatre.words import Noun

_LONGEST = 4
_QUOTED = re.compile(
    r"\"([^\"]{1,120})\"|“([^”]{1,120})”|«([^»]{1,120})»|「([^」]{1,120})」|(?<!\w)'([^']{1,120})'(?!\w)|‘([^’]{1,120})’"
)
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")
_PLURAL = 3  # how many are shown of what is plural and not counted
MOST = 9  # of one kind
_PAIRS = frozenset({"shoes", "sneakers", "trainers", "running shoes", "boots"})
_SEATS = frozenset({"sofa", "armchair", "chair", "bench", "bed", "table"})  # what "en el" is on
# words that are the painter's even where the theatre has a figure of their name
_PAINTERS = frozenset(
    {
        "tree",
        "trees",
        "island",
        "waves",
        "road",
        "path",
        "leaf",
        "leaves",
        "forest",
        "fire",
        "palm tree",
        "palm trees",
        "moon",
        "sun",
        "stars",
        "fog",
        "field",
        "fields",
    }
)


@dataclass(frozen=True, slots=True)
class Role:
    """One figure of the cast, or several alike."""

    noun: Noun
    word: str
    count: int = 1
    colours: tuple[Rgb, ...] = ()
    size: float = 1.0
    look: tuple[tuple[str, str], ...] = ()
    pose: str = ""
    deed: str = ""
    relation: str = ""  # to the role of index `to`
    to: int = -1
    linked: bool = False  # to it by "and"


@dataclass(frozen=True, slots=True)
class Cast:
    """Everything of a prompt that the theatre shows."""

    roles: tuple[Role, ...] = ()
    bust: bool = False
    place: str | None = None  # a set
    backdrop: Rgb | None = None
    letters: str = ""
    plate: str = ""  # how they are set: logo, badge, sign, neon, poster, banner, plain
    letter_colour: Rgb | None = None
    letter_board: Rgb | None = None
    effects: tuple[str, ...] = ()
    taken: frozenset[int] = frozenset()  # places of words that the painter need not read
    used: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()  # "cat: cut-paper figure"
    unset: tuple[str, ...] = ()  # lettering that no face here can show
    rest: str = ""  # the prompt without what is quoted

    def __bool__(self) -> bool:
        return bool(self.roles or self.letters or self.place or self.effects)


@dataclass(slots=True)
class _Pending:
    """Words before a noun that wait for it."""

    count: tuple[int, str, int] | None = None
    colours: list[tuple[Rgb, str, int]] = field(default_factory=list[tuple[Rgb, str, int]])
    size: list[tuple[float, str, int]] = field(default_factory=list[tuple[float, str, int]])
    looks: list[tuple[dict[str, str], str, int]] = field(default_factory=list[tuple[dict[str, str], str, int]])
    verb: tuple[tuple[str, str], str, int] | None = None


def read(prompt: str) -> Cast:
    """The cast of a prompt."""
    quoted = [next(part for part in found.groups() if part) for found in _QUOTED.finditer(prompt)]
    rest = _QUOTED.sub(" , ", prompt) if quoted else prompt
    reader = _Reader(split(rest), quoted)
    reader.read()
    return replace(reader.cast(), rest=rest)


def split(prompt: str) -> list[str]:
    """The painter's words, and runs without spaces (Chinese, Japanese, Korean) cut where a noun is known."""
    found: list[str] = []
    for word in lexicon.words_of(prompt):
        found += _cut(word) if _CJK.search(word) else [words.ABROAD.get(word, word)]
    return [words.ABROAD.get(word, word) for word in found]


def _cut(run: str) -> list[str]:
    pieces: list[str] = []
    at = 0
    while at < len(run):
        size = next((n for n in range(6, 0, -1) if _known(run[at : at + n])), 1)
        pieces.append(run[at : at + size])
        at += size
    merged: list[str] = []
    for piece in pieces:
        if merged and not _known(piece) and not _known(merged[-1]):
            merged[-1] += piece
        else:
            merged.append(piece)
    return merged


def _known(piece: str) -> bool:
    return piece in words.nouns() or piece in words.VERBS or piece in MEANINGS or piece in words.ABROAD


class _Reader:
    def __init__(self, tokens: list[str], quoted: list[str]) -> None:
        self.tokens = tokens
        self.quoted = quoted
        self.roles: list[Role] = []
        self.pending = _Pending()
        self.relation: tuple[str, str, int] | None = None
        self.negated = False
        self.bust: list[tuple[str, int]] = []
        self.place: str | None = None
        self.backdrop: Rgb | None = None
        self.plate: tuple[str, str, int] | None = None
        self.effects: dict[str, None] = {}
        self.shown: dict[int, tuple[str, str]] = {}  # place → word, how it was shown
        self.taken: set[int] = set()
        self.letters = ""
        self.ink: Rgb | None = None
        self.board: Rgb | None = None
        self.wearing = False

    # -- the walk --------------------------------------------------------------------------

    def read(self) -> None:
        at = 0
        while at < len(self.tokens):
            at += self._step(at)

    def _step(self, at: int) -> int:
        word = self.tokens[at]
        if not word[0].isalnum():
            self.negated = self.wearing = False
            if word in ".;!?()":
                self.pending = _Pending()
                self.relation = None
            return 1
        if word in NEGATIONS:
            self.negated = True
            return 1
        for size in range(min(_LONGEST, len(self.tokens) - at), 0, -1):
            phrase = " ".join(self.tokens[at : at + size])
            if self._take(phrase, at, size):
                return size
        if word in MEANINGS and word not in FILLER:
            self.pending = _Pending()  # "red sunset": the colour is the sunset's
        return 1

    def _take(self, phrase: str, at: int, size: int) -> bool:
        if self.negated:
            return False
        if self._garment(phrase, at, size):
            return True
        if phrase in words.MOODS_OF_LIGHT and not (phrase in MEANINGS or phrase in COLOURS):
            effect, told = words.MOODS_OF_LIGHT[phrase]
            self.effects[effect] = None
            self._note(at, size, phrase, told)
            if phrase in words.BUST_WORDS:
                self.bust.append((phrase, at))
            return True
        if phrase in words.BUST_WORDS:
            self.bust.append((phrase, at))
            return True
        if phrase in words.PLATES and (phrase not in ("title", "cover", "icon", "badge", "banner") or self.quoted):
            if self.plate is None:
                self.plate = (words.PLATES[phrase], phrase, at)
                for rgb, word, place in self.pending.colours:
                    if self.plate[0] in ("sign", "banner"):
                        self.board = rgb
                    else:
                        self.ink = rgb
                    self._note(place, 1, word, f"colour of the {phrase}")
                self.pending = _Pending()
            self._named(at + size)
            return phrase != "sign" or bool(self.quoted) or bool(self.letters)
        if (self.quoted or self.letters) and phrase in (
            "letters",
            "text",
            "lettering",
            "typography",
            "font",
            "words",
            "type",
        ):
            for rgb, word, place in self.pending.colours:
                self.ink = rgb
                self._note(place, 1, word, "colour of the lettering")
            self._note(at, size, phrase, "lettering")
            self.pending = _Pending()
            return True
        if self.quoted and phrase in words.LETTER_WORDS and phrase not in words.PLATES:
            self._note(at, size, phrase, "lettering")
            return True
        noun = self._noun(phrase, at, size)
        if noun is not None:
            self._cast(noun[0], phrase, at, size, plural=noun[1])
            return True
        if (
            phrase in words.SETS
            and self.roles
            and self.relation
            and self.relation[0] in ("under", "behind", "before", "in")
            and words.SETS[phrase] == "table"
            and "table" in phrase
        ):
            self._cast(Noun("table", "thing"), phrase, at, size, plural=False)
            return True
        if phrase in words.SETS:
            return self._set(phrase, at, size)
        if phrase in words.RELATIONS:
            self._relate(phrase, at, size)
            return True
        if phrase in words.VERBS:
            return self._verb(phrase, at, size)
        return size == 1 and self._modifier(phrase, at)

    # -- what a phrase may be ---------------------------------------------------------------

    def _noun(self, phrase: str, at: int, size: int) -> tuple[Noun, bool] | None:
        if phrase in _PAINTERS or (phrase in (*COLOURS, "flower") and not self._is_thing(at, size)):
            return None
        for table in (words.nouns(), words.icon_nouns()):
            plural = False
            found = None if phrase in words.IRREGULAR else table.get(phrase)
            if found is None and phrase not in MEANINGS:
                last = phrase.rpartition(" ")
                for single in words.singular(last[2]):
                    found = table.get(f"{last[0]} {single}".strip())
                    if found is not None:
                        plural = True
                        break
            if found is None or (phrase in MEANINGS and found.kind == "icon"):
                continue
            if phrase in MEANINGS and phrase not in words.nouns():
                continue
            if found.kind == "icon" and not icons.has(found.figure):
                continue
            return found, plural
        return None

    def _is_thing(self, at: int, size: int) -> bool:
        """Whether a word that may be a colour (a rose, an orange) stands as a noun."""
        if self.tokens[at] == "orange":
            after = self.tokens[at + size : at + size + 1]
            return (
                at > 0
                and self.tokens[at - 1] in ("an", "fresh", "sliced", "juicy")
                and (not after or after[0] in FILLER or not after[0].isalnum())
            )
        after = self.tokens[at + size : at + size + 1]
        known = bool(after) and after[0].isalnum() and after[0] not in FILLER and after[0] not in words.RELATIONS
        return self.tokens[at] in ("rose", "flower") and not known

    def _garment(self, phrase: str, at: int, size: int) -> bool:
        """What somebody wears, and eyes, hair and skin in a colour."""
        who = next((n for n in range(len(self.roles) - 1, -1, -1) if self.roles[n].noun.kind == "person"), None)
        if phrase in ("hair", "eyes", "eye", "skin", "haired") and (who is not None or self.bust):
            return self._feature(phrase, at, who)
        if (
            phrase not in words.GARMENTS
            or who is None
            or not (self.wearing or self.pending.colours or self._in_clothes(at))
        ):
            return False
        change = dict(words.GARMENTS[phrase])
        colours = self.pending.colours
        if colours:
            ink = "hat" if phrase in words.HATS else "cloth"
            if "glasses" not in change:
                change[f"{ink}ink"] = _hex(colours[-1][0])
            for _, word, place in colours:
                self._note(place, 1, word, f"colour of the {phrase}")
        self.pending = _Pending()
        role = self.roles[who]
        self.roles[who] = replace(role, look=role.look + tuple(change.items()))
        self._note(at, size, phrase, "cut-paper clothes")
        if self.relation and self.relation[1] not in FILLER:
            self._note(self.relation[2], 1, self.relation[1], "clothes")
        self.relation = None
        return True

    def _in_clothes(self, at: int) -> bool:
        back = [word for word in self.tokens[max(0, at - 4) : at] if word.isalpha()]
        return "in" in back or "wearing" in back or "with" in back

    def _feature(self, phrase: str, at: int, who: int | None) -> bool:
        if who is None:
            return False
        change: dict[str, str] = {}
        before = self.tokens[max(0, at - 4) : at]
        if phrase in ("hair", "haired"):
            for word in before:
                if word in words.HAIR_INKS:
                    change["hairink"] = words.HAIR_INKS[word]
                elif word in COLOURS:
                    change["hairink"] = _hex(COLOURS[word])
                if word in ("long", "short", "curly", "spiky", "straight", "wavy", "messy", "braided"):
                    change["hair"] = {"straight": "long", "wavy": "long", "messy": "spiky", "braided": "tail"}.get(
                        word, word
                    )
        elif phrase == "skin":
            named = {
                "dark": "#5b3a28",
                "black": "#5b3a28",
                "brown": "#8a5a3c",
                "pale": "#f4dccb",
                "tanned": "#b98258",
                "green": "#7fae6a",
                "blue": "#7da7d9",
            }
            for word in before:
                change |= {"skin": named[word]} if word in named else {}
        else:
            for word in before:
                change |= {"eye": words.EYE_INKS[word]} if word in words.EYE_INKS else {}
        if not change:
            return False
        role = self.roles[who]
        self.roles[who] = replace(role, look=role.look + tuple(change.items()))
        if phrase not in ("eyes", "eye") or self.bust:
            self._note(at, 1, phrase, "as said")
            for back in range(max(0, at - 4), at):
                word = self.tokens[back]
                if (
                    word in COLOURS
                    or word in words.HAIR_INKS
                    or word
                    in (
                        "long",
                        "short",
                        "curly",
                        "spiky",
                        "straight",
                        "wavy",
                        "messy",
                        "braided",
                        "dark",
                        "pale",
                        "tanned",
                        "hazel",
                    )
                ):
                    self._note(back, 1, word, f"of the {phrase}")
        self.pending = _Pending()
        return True

    def _set(self, phrase: str, at: int, size: int) -> bool:
        name = words.SETS[phrase]
        if (phrase in MEANINGS and phrase != "street") or (phrase == "sky" and self.pending.colours):
            return False
        if self.place in (None, "backdrop") or name not in ("backdrop",):
            self.place = self.place if self.place and name == "room" else name
        told = {"backdrop": "a studio's backdrop", "table": "a table top", "plinth": "a plinth"}.get(
            name, f"the set “{name}”"
        )
        if name == "backdrop":
            colour = next((COLOURS[word] for word in phrase.split() if word in COLOURS), None)
            if colour is None and self.pending.colours and "background" in phrase:
                colour = self.pending.colours[-1][0]
            if "dark" in phrase:
                colour = (0.10, 0.11, 0.14)
            self.backdrop = colour or self.backdrop
        for rgb, word, place in self.pending.colours:
            if name in ("room", "table", "plinth", "stage", "backdrop", "kitchen", "library"):
                self.backdrop = rgb
                self._note(place, 1, word, f"colour of the {name}")
        self.pending = _Pending()
        self.relation = None
        self._note(at, size, phrase, told)
        return True

    def _relate(self, phrase: str, at: int, size: int) -> None:
        self.wearing = words.RELATIONS[phrase] == "wearing" or (self.wearing and phrase == "and")
        verb = phrase.removesuffix(" on") if phrase == "sitting on" else phrase
        if verb in words.VERBS and self.roles:
            self._verb(verb, at, size)
        if words.RELATIONS[phrase] in ("", "in front"):
            return
        self.relation = (words.RELATIONS[phrase], phrase, at)

    def _verb(self, phrase: str, at: int, size: int) -> bool:
        doing = words.VERBS[phrase]
        who = self._who()
        if (
            self.roles
            and self.roles[who].noun.kind in ("person", "beast", "thing")
            and not self.roles[who].deed
            and self.relation is None
        ):
            role = self.roles[who]
            if role.noun.kind == "thing" and role.noun.figure not in _LIVELY:
                return False
            self.roles[who] = replace(role, pose=doing[0], deed=doing[1])
            self._note(at, size, phrase, "pose")
            return True
        if self.roles and self.roles[-1].deed and self.relation is None and self.roles[-1].noun.kind != "thing":
            return False
        self.pending.verb = (doing, phrase, at)
        return True

    def _who(self) -> int:
        """Whom a verb or a place is said of: not the crown, but who wears it."""
        last = len(self.roles) - 1
        return self.roles[last].to if self.roles and self.roles[last].relation == "wearing" else last

    def _modifier(self, word: str, at: int) -> bool:
        if word in words.NUMBERS:
            self.pending.count = (words.NUMBERS[word], word, at)
        elif word in COLOURS and self._follows(at):
            self.roles[-1] = replace(self.roles[-1], colours=(COLOURS[word],))
            self._note(at, 1, word, f"colour of the {self.roles[-1].word}")
        elif word in COLOURS:
            self.pending.colours.append((COLOURS[word], word, at))
        elif word in words.MATERIALS:
            self.pending.colours.append((figures.colour_of(words.MATERIALS[word]), word, at))
        elif word in words.SIZES:
            self.pending.size.append((words.SIZES[word], word, at))
            if word in words.LOOKS:
                self.pending.looks.append((words.LOOKS[word], word, at))
        elif word in words.LOOKS:
            after = self.tokens[at - 1 : at] if at else []
            if (
                self.roles
                and self.roles[-1].noun.kind in ("person", "beast")
                and (
                    word in ("smile", "beard", "mustache", "moustache", "ponytail", "braids", "freckles")
                    or after in (["is"], ["looks"], ["looking"])
                )
            ):
                role = self.roles[-1]
                self.roles[-1] = replace(role, look=role.look + tuple(words.LOOKS[word].items()))
                self._note(at, 1, word, "face")
            else:
                self.pending.looks.append((words.LOOKS[word], word, at))
        else:
            return False
        return True

    def _follows(self, at: int) -> bool:
        """Whether a colour stands right behind its noun, as Romance languages have it."""
        if (
            not self.roles
            or self.roles[-1].colours
            or at == 0
            or self.shown.get(at - 1, ("",))[0] != self.roles[-1].word
        ):
            return False
        after = self.tokens[at + 1 : at + 2]
        return (
            not after
            or not after[0].isalnum()
            or after[0] in FILLER
            or after[0] in words.VERBS
            or after[0] in words.RELATIONS
        )

    def _named(self, start: int) -> None:
        """ "logo of a fox", "a sign that says open": unquoted words that are to be set."""
        if self.quoted:
            return
        say = next(
            (
                at
                for at in range(start, min(start + 4, len(self.tokens)))
                if self.tokens[at] in ("says", "saying", "reading", "reads", "titled", "called", "named", "text")
            ),
            None,
        )
        if say is None:
            return
        found: list[str] = []
        for at in range(say + 1, min(say + 6, len(self.tokens))):
            if not self.tokens[at][0].isalnum() or self.tokens[at] in ("in", "on", "with", "at"):
                break
            found.append(self.tokens[at])
        if found:
            self.letters = " ".join(found).upper()
            self._note(say + 1, len(found), " ".join(found), "lettering")

    # -- the cast ---------------------------------------------------------------------------

    def _cast(self, noun: Noun, phrase: str, at: int, size: int, *, plural: bool) -> None:
        waiting, self.pending = self.pending, _Pending()
        relation, self.relation = self.relation, None
        count = waiting.count[0] if waiting.count else _PLURAL if plural else 2 if phrase in _PAIRS else 1
        if waiting.count and not plural and waiting.count[1] in ("one", "few"):
            count = 1
        look: dict[str, str] = {}
        kind = noun.kind
        fitting = [each for each in waiting.looks if _fits(each[0], kind)]
        for change, _, _ in fitting:
            look |= change
        role = Role(
            noun,
            phrase,
            count=min(MOST, count),
            colours=tuple(colour for colour, _, _ in waiting.colours),
            size=_product(waiting.size),
            look=tuple(look.items()),
        )
        if waiting.verb and kind in ("person", "beast"):
            role = replace(role, pose=waiting.verb[0][0], deed=waiting.verb[0][1])
            self._note(waiting.verb[2], len(waiting.verb[1].split()), waiting.verb[1], "pose")
        if relation and self.roles:
            kind_of = relation[0]
            before = self.roles[-1]
            if (
                kind_of == "beside"
                and before.noun.kind == "person"
                and noun.figure in _HELD
                and relation[1] in ("with", "by")
            ):
                kind_of = "holding"
            if relation[1] == "en" and noun.figure not in _SEATS:
                kind_of = "in"
            to = len(self.roles) - 1 if kind_of == "wearing" else self._who()
            role = replace(role, relation=kind_of, to=to, linked=relation[1] == "and")
            if kind_of == "holding" and before.noun.kind == "person" and before.pose in ("", "stand"):
                self.roles[-1] = replace(before, pose="play" if noun.figure in ("guitar", "violin") else "hold")
            if relation[1] not in FILLER:
                self._note(relation[2], len(relation[1].split()), relation[1], "how they stand")
        self.roles.append(role)
        for _, word, place in waiting.colours:
            self._note(place, 1, word, f"colour of the {phrase}")
        for _, word, place in waiting.size:
            self._note(place, 1, word, f"size of the {phrase}")
        for _, word, place in fitting:
            self._note(place, 1, word, f"look of the {phrase}")
        if waiting.count and waiting.count[0] != 1:
            self._note(waiting.count[2], 1, waiting.count[1], f"{role.count} of them")
        how = "shape of an icon, cut from paper" if kind == "icon" else "cut-paper figure"
        if kind == "person" and self.bust:
            how = "cut-paper bust"
        self._note(at, size, phrase, how)

    def _note(self, at: int, size: int, word: str, how: str) -> None:
        self.shown[at] = (word, how)
        self.taken.update(range(at, at + size))

    def _release_moods(self) -> None:
        """Without anybody, "fire" is the painter's mood, not the theatre's flames."""
        for at, (word, _) in list(self.shown.items()):
            if word in lexicon.MOODS and word in words.MOODS_OF_LIGHT:
                del self.shown[at]
                self.taken.discard(at)
                self.effects.pop(words.MOODS_OF_LIGHT[word][0], None)

    def cast(self) -> Cast:
        if not self.roles and not self.quoted:
            self._release_moods()
        roles = [_airborne(role, self.tokens) for role in self.roles[:8]]
        if self.quoted:
            self.letters = " ".join(self.quoted[:2]).strip()
        plate = self.plate
        if plate and not self.letters and plate[0] == "sign":
            plate = None
        if plate and plate[0] == "neon":
            self.effects["dark"] = None
        letters = self.letters
        unset: tuple[str, ...] = ()
        if letters and not lettering.can_set(letters[: lettering.MOST]):
            unset = tuple(f'"{each}" (no face here has its letters)' for each in (self.quoted[:2] or [letters]))
            letters = ""
        lone = [role for role in roles if role.noun.kind == "person"]
        bust = (
            bool(self.bust)
            and len(lone) >= 1
            and sum(role.count for role in roles) <= 2
            and lone[0].deed in ("", "stand", "hold")
        )
        shown: list[str] = []
        if bust:
            for word, at in self.bust:
                self._note(at, len(word.split()), word, "cut-paper bust")
        elif self.bust and roles and "near" not in self.effects:
            self.effects["near"] = None
            for word, at in self.bust:
                self._note(at, len(word.split()), word, "seen from near")
        if plate:
            self._note(
                plate[2], len(plate[1].split()), plate[1], "paper " + ("emblem" if plate[0] == "logo" else plate[0])
            )
        places = sorted(self.shown)
        used = [self.shown[at][0] for at in places]
        shown = [f"{word}: {how}" for word, how in (self.shown[at] for at in places)]
        if self.quoted and letters:
            used += [f'"{each}"' for each in self.quoted[:2]]
            shown += [f'"{each}": lettering' for each in self.quoted[:2]]
        return Cast(
            roles=tuple(roles),
            bust=bust,
            place=self.place,
            backdrop=self.backdrop,
            letters=letters,
            plate=plate[0] if plate else ("plain" if letters else ""),
            letter_colour=self.ink,
            letter_board=self.board,
            unset=unset,
            effects=tuple(self.effects),
            taken=frozenset(self.taken),
            used=tuple(dict.fromkeys(used)),
            shown=tuple(dict.fromkeys(shown)),
        )


_LIVELY = frozenset(
    {
        "robot toy",
        "car",
        "sports car",
        "bus",
        "truck",
        "train",
        "boat",
        "ship",
        "airplane",
        "rocket",
        "ufo",
        "helicopter",
        "bicycle",
        "motorcycle",
        "submarine",
        "hot air balloon",
        "snowman",
        "ghost",
        "balloon",
    }
)
_PERSONS = frozenset(
    {
        "age",
        "hair",
        "face",
        "beard",
        "glasses",
        "dress",
        "hat",
        "cloth",
        "broad",
        "hairink",
        "skin",
        "wings",
        "cape",
        "blush",
    }
)
_BEASTLY = frozenset({"coat", "asleep", "depth"})


_HELD = frozenset({"umbrella", "balloon", "guitar", "violin", "book", "gift", "flag", "sword", "shield", "bouquet", "rose", "camera", "phone", "surfboard", "lantern", "candle", "basketball", "ball", "cup", "handbag", "suitcase", "ice cream", "microphone", "trumpet", "sign"})  # fmt: skip


def _airborne(role: Role, tokens: list[str]) -> Role:
    """A flock, and birds over something, fly."""
    if (
        role.noun.kind == "beast"
        and figures.BEASTS[role.noun.figure][3] == "bird"
        and not role.deed
        and ("flock" in tokens or "over" in tokens or "sky" in tokens)
    ):
        return replace(role, deed="fly")
    return role


def _fits(change: dict[str, str], kind: str) -> bool:
    """Whether a figure of this kind can look so."""
    keys = set(change)
    return bool(keys & (_PERSONS if kind == "person" else _BEASTLY if kind == "beast" else set[str]()))


def _product(sizes: list[tuple[float, str, int]]) -> float:
    size = 1.0
    for factor, _, _ in sizes:
        size *= factor
    return min(max(size, 0.45), 1.7)


def _hex(rgb: Rgb) -> str:
    return "#" + "".join(f"{round(each * 255):02x}" for each in rgb)


def measures_of(role: Role) -> dict[str, str]:
    return dict(role.noun.measures) | dict(role.look)


def metres(role: Role) -> float:
    """How tall it is in life."""
    name = role.noun.figure
    if role.noun.kind == "person":
        return 1.1 if dict(role.noun.measures).get("age") == "child" else 1.7
    if role.noun.kind == "beast":
        return figures.BEASTS[name][0]
    return figures.THINGS[name].metres if name in figures.THINGS else 0.6


def home(role: Role) -> str:
    name = role.noun.figure
    if role.noun.kind == "person":
        return {"astronaut": "moon", "surfer": "sea", "skier": "snow", "mermaid": "underwater"}.get(
            role.word, "backdrop"
        )
    if role.noun.kind == "beast":
        return figures.BEASTS[name][1]
    return figures.THINGS[name].home if name in figures.THINGS else "backdrop"
