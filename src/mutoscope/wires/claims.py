"""Which vendor a request is for, where several have the same path: the evidence, first match first.

What a path's literals, the Host header (`[server] hosts`) and the id of a task tell comes before this table or needs no
row here; what no row claims goes to the first of `[server] wires`.
"""

import msgspec
from msgspec import Struct

from mutoscope.model.http import HttpRequest
from mutoscope.model.job import Json
from mutoscope.wirekit.body import UNREADABLE
from mutoscope.wirekit.wire import Claim


def of_replicate(request: HttpRequest) -> bool:
    """Its clients name themselves, and its keys begin with r8_."""
    key = request.headers.get("authorization", "").partition(" ")[2]
    return "replicate" in request.headers.get("user-agent", "").lower() or key.startswith("r8_")


def to_anthropic(request: HttpRequest) -> bool:
    return "anthropic-version" in request.headers or (
        "x-api-key" in request.headers and "authorization" not in request.headers
    )


def names_kling(request: HttpRequest) -> bool:
    """Nobody else calls the member so."""
    try:
        return "model_name" in msgspec.json.decode(request.body, type=Json)
    except UNREADABLE:
        return False


class Named(Struct):
    model: str = ""


def names_recraft(request: HttpRequest) -> bool:
    try:
        word = msgspec.json.decode(request.body, type=Named).model
    except UNREADABLE:
        return False
    return word.startswith("recraft") or word == "refm1"


def sends_content(request: HttpRequest) -> bool:
    """Replicate's clients name the part of a file so; OpenAI's call it `file`."""
    return request.form is not None and "content" in request.form.files


ANTHROPIC = "a header anthropic-version, or a key in x-api-key and none in Authorization"
OF_REPLICATE = ("GET /v1/models", "POST /v1/files", "GET /v1/files", "GET /v1/files/{id}", "DELETE /v1/files/{id}")
CLAIMS: tuple[Claim, ...] = (
    Claim(at="GET /v1/models", wire="anthropic", when=to_anthropic, why=ANTHROPIC),
    Claim(at="GET /v1/models/{model…}", wire="anthropic", when=to_anthropic, why=ANTHROPIC),
    *(
        Claim(
            at=at, wire="replicate", when=of_replicate, why="a User-Agent of Replicate's, or a key that begins with r8_"
        )
        for at in OF_REPLICATE
    ),
    Claim(
        at="POST /v1/files", wire="replicate", when=sends_content, why="a file in the part `content`", reads_body=True
    ),
    Claim(
        at="POST /v1/images/generations",
        wire="kling",
        when=names_kling,
        why="`model_name` in the body",
        reads_body=True,
    ),
    *(
        Claim(at=at, wire="recraft", when=names_recraft, why="`model` names one of Recraft's", reads_body=True)
        for at in ("POST /v1/images/generations", "POST /v1/images/edits", "POST /v1/images/variations")
    ),
)
