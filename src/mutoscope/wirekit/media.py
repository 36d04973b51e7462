"""How vendors let a caller name a file in a JSON body: a link, a data URI, bare base64, an upload."""

import base64
import binascii
import re

from mutoscope.model.job import Input, MediaLimits, Role
from mutoscope.model.problem import Flaw, Kind, Problem, custom_flaw

# The possessive quantifiers (*+, ++) keep a text of a million characters from being tried in a million ways.
DATA_URI = re.compile(r"data:([\w.+-]+/[\w.+-]+)?((?:;[\w.+-]+=[^;,]*)*);base64,", re.ASCII | re.IGNORECASE)
BASE64 = re.compile(r"[A-Za-z0-9+/_-][A-Za-z0-9+/_\-\s]*+={0,2}\s*+", re.ASCII)
LINK = re.compile(r"https?://[^\s/?#]++\S*+", re.IGNORECASE)


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
    plain = "".join(text.split()).replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadSource("Invalid data URI: the base64 cannot be decoded") from error


def flaw(path: tuple[str | int, ...], error: BadSource) -> Flaw:
    return custom_flaw(path, str(error))


def refuse(path: tuple[str | int, ...], error: BadSource) -> Problem:
    """For wires that stop at the first bad file."""
    return Problem(Kind.INVALID, str(error), field=str(path[0]), flaws=(flaw(path, error),))
