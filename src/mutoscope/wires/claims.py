"""Which vendor a request is for, where several have the same path: the evidence, first match first.

What a path's literals, the Host header (`[server] hosts`) and the id of a task tell comes before this table or needs no
row here; what no row claims goes to the first of `[server] wires`.
"""

from mutoscope.model.http import HttpRequest
from mutoscope.wirekit.wire import Claim


def to_anthropic(request: HttpRequest) -> bool:
    return "anthropic-version" in request.headers or (
        "x-api-key" in request.headers and "authorization" not in request.headers
    )


ANTHROPIC = "a header anthropic-version, or a key in x-api-key and none in Authorization"

CLAIMS: tuple[Claim, ...] = (
    Claim(at="GET /v1/models", wire="anthropic", when=to_anthropic, why=ANTHROPIC),
    Claim(at="GET /v1/models/{model…}", wire="anthropic", when=to_anthropic, why=ANTHROPIC),
)
