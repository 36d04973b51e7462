"""Which vendor a request is for, where several have the same path: the evidence, first match first.

What a path's literals, the Host header (`[server] hosts`) and the id of a task tell comes before this table or needs no
row here; what no row claims goes to the first of `[server] wires`.
"""

import msgspec

from mutoscope.model.http import HttpRequest
from mutoscope.model.job import Json
from mutoscope.wirekit.body import UNREADABLE
from mutoscope.wirekit.wire import Claim


def has_member(name: str, request: HttpRequest) -> bool:
    """Whether the body is an object that has it."""
    try:
        return name in msgspec.json.decode(request.body, type=Json)
    except UNREADABLE:
        return False


CLAIMS: tuple[Claim, ...] = (
    Claim(
        at="POST /v1/images/generations",
        wire="kling",
        when=lambda request: has_member("model_name", request),
        why="`model_name` in the body",
        reads_body=True,
    ),
)
