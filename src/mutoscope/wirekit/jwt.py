"""JSON Web Tokens with HS256: how a client shows that it has the secret of an access key without telling it."""

import base64
import binascii
import hmac
from typing import Any

import msgspec

from mutoscope.model.requests import Proof

LIFE, EARLIER = 1800, 5  # seconds that a token of ours is good for, and by which another clock may be behind


def made(access: str, secret: str, *, now: float) -> str:
    claims = {"iss": access, "exp": int(now) + LIFE, "nbf": int(now) - EARLIER}
    signed = f"{encoded({'alg': 'HS256', 'typ': 'JWT'})}.{encoded(claims)}"
    signature = hmac.digest(secret.encode(), signed.encode(), "sha256")
    return f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def encoded(value: Any) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(value)).rstrip(b"=").decode()


def proof_in(token: str) -> Proof | None:
    """What a token claims, to be proved; None for a text that is none, or one that is signed in another way."""
    signed, _, signature = token.rpartition(".")
    head, _, claims = signed.partition(".")
    try:
        told, said, mark = decoded(head), decoded(claims), unpadded(signature)
    except (binascii.Error, ValueError, RecursionError):  # msgspec's error is a ValueError
        return None
    if told.get("alg") != "HS256":
        return None
    key, expires, begins = said.get("iss"), moment(said.get("exp")), moment(said.get("nbf", 0))
    if not isinstance(key, str) or not key or expires is None or begins is None:
        return None
    return Proof(key=key, signed=signed.encode(), signature=mark, begins=begins, expires=expires)


def decoded(part: str) -> dict[str, Any]:
    return msgspec.json.decode(unpadded(part), type=dict[str, Any])


def unpadded(part: str) -> bytes:
    return base64.b64decode(part.encode("ascii") + b"=" * (-len(part) % 4), altchars=b"-_", validate=True)


def moment(value: Any) -> float | None:
    return (
        float(value) if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15 else None
    )
