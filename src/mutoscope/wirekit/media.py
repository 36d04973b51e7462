"""How vendors let a caller name a file in a JSON body: a link, a data URI, bare base64, an upload."""

import base64
import binascii
import re
from typing import Annotated

from msgspec import Meta

from mutoscope.model.job import Input, MediaLimits, Role
from mutoscope.model.problem import Flaw, Kind, Problem, custom_flaw

# The possessive quantifiers (*+, ++) keep a text of a million characters from being tried in a million ways.
DATA_URI = re.compile(r"data:([\w.+-]+/[\w.+-]+)?((?:;[\w.+-]+=[^;,]*)*);base64,", re.ASCII | re.IGNORECASE)
BASE64 = re.compile(r"[A-Za-z0-9+/_-][A-Za-z0-9+/_\-\s]*+={0,2}\s*+", re.ASCII)
LINK = re.compile(r"https?://[^\s/?#]++\S*+", re.IGNORECASE)

# -- the same for the published description -------------------------------------------
# As wide as what is read above and by `net.read_url`, in the words that every dialect of regular expressions has.
# A URL is ASCII there: other characters are read, and a client that knows the format `uri` escapes them.

LABEL = "[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
LAST_LABEL = "[A-Za-z_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"  # a number there would be an old spelling of an address
BYTE = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
GROUP = "[0-9A-Fa-f]{1,4}"
IPV6 = "|".join((
    f"({GROUP}:){{7}}{GROUP}",
    *(f"({GROUP}:){{1,{7 - after}}}(:{GROUP}){{1,{after}}}" for after in range(1, 7)),
    f"({GROUP}:){{1,7}}:",
    f":(:{GROUP}){{1,7}}",
    "::",
))  # fmt: skip
HOST_PATTERN = rf"(({LABEL}\.)*{LAST_LABEL}\.?|{BYTE}(\.{BYTE}){{3}}|\[({IPV6})\])"
PORT_PATTERN = "(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})"
URL_PATTERN = rf"[Hh][Tt][Tt][Pp][Ss]?://{HOST_PATTERN}(:{PORT_PATTERN})?([/?#][!-\[\]-~]*)?"
SIGN, GAP = "[A-Za-z0-9+/_-]", "[ \\t\\r\\n]*"
BASE64_END = f"({SIGN}{{2,3}})?={{0,2}}{GAP}"
TYPE_WORD = "[A-Za-z0-9_.+-]+"
DATA_PATTERN = (
    f"[Dd][Aa][Tt][Aa]:({TYPE_WORD}/{TYPE_WORD})?(;{TYPE_WORD}=[^;,]*)*;[Bb][Aa][Ss][Ee]64,"
    f"({SIGN}{{4}}{GAP})*{BASE64_END}"
)
BASE64_PATTERN = f"({SIGN}{{4}}{GAP}){{4,}}{BASE64_END}"

# The types of members that name a file. Their patterns are for the published description; `source` is what reads them.
Link = Annotated[str, Meta(extra_json_schema={"format": "uri", "pattern": f"^{URL_PATTERN}$"})]
LinkOrData = Annotated[str, Meta(extra_json_schema={"pattern": f"^({URL_PATTERN}|{DATA_PATTERN})$"})]
LinkOrBase64 = Annotated[str, Meta(extra_json_schema={"pattern": f"^({URL_PATTERN}|{DATA_PATTERN}|{BASE64_PATTERN})$"})]


class BadSource(ValueError):
    """The text names no file; the message says what would have been right."""


def source(text: str, *, role: Role, field: str, limits: MediaLimits | None = None, bare_base64: bool = False) -> Input:
    """Read a link, a base64 data URI or, where the vendor takes it, bare base64. Raises BadSource."""
    if text[:5].lower() == "data:":
        media_type, data = data_uri(text)
        return Input(role=role, field=field, data=data, media_type=media_type, limits=limits)
    if LINK.fullmatch(text):
        return Input(role=role, field=field, url=text, limits=limits)
    if bare_base64 and len(text) >= 16 and BASE64.fullmatch(text):
        return Input(role=role, field=field, data=decode(text), limits=limits)
    wanted = "an HTTP(S) URL, a data URI" + (" or base64" if bare_base64 else "")
    raise BadSource(f"should be {wanted}")


def data_uri(text: str) -> tuple[str | None, bytes]:
    """The media type and the bytes of a base64 data URI. Raises BadSource."""
    match = DATA_URI.match(text)
    if not match:
        raise BadSource("Invalid data URI: it must be data:<media type>;base64,<data>")
    return (match[1].lower() if match[1] else None), decode(text[match.end() :])


def decode(text: str) -> bytes:
    """Base64 in either alphabet, padded or not, whitespace ignored. Raises BadSource."""
    plain = unbroken(text).replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadSource("Invalid data URI: the base64 cannot be decoded") from error


def unbroken(text: str) -> str:
    """Base64 without its line breaks; a blank that was a + before some form decoded it is one again.

    Which it is tells the length of padded text, which is a multiple of four; else that lines are equally long.
    """
    text = text.strip()
    if " " not in text:
        return "".join(text.split())
    words = ["".join(word.split()) for word in text.split(" ")]
    joined, mended = "".join(words), "+".join(words)
    if len(mended.rstrip("=")) % 4 == 1:  # of no bytes
        return joined
    fits, mended_fits = len(joined) % 4 == 0, len(mended) % 4 == 0
    if fits != mended_fits and (text.endswith("=") or mended_fits):
        return joined if fits else mended
    even = len(set(map(len, words[:-1]))) == 1 and len(words[-1]) <= len(words[0])
    return joined if even else mended


def flaw(path: tuple[str | int, ...], error: BadSource) -> Flaw:
    return custom_flaw(path, str(error))


def refuse(path: tuple[str | int, ...], error: BadSource) -> Problem:
    """For wires that stop at the first bad file."""
    return Problem(Kind.INVALID, str(error), field=str(path[0]), flaws=(flaw(path, error),))
