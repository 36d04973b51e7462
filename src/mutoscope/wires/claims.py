"""Which vendor a request is for, where several have the same path: the evidence, first match first.

What a path's literals, the Host header (`[server] hosts`) and the id of a task tell comes before this table or needs no
row here; what no row claims goes to the first of `[server] wires`.
"""

from mutoscope.model.http import HttpRequest
from mutoscope.wirekit.wire import Claim


def of_replicate(request: HttpRequest) -> bool:
    """Its clients name themselves, and its keys begin with r8_."""
    key = request.headers.get("authorization", "").partition(" ")[2]
    return "replicate" in request.headers.get("user-agent", "").lower() or key.startswith("r8_")


OF_REPLICATE = ("GET /v1/models", "POST /v1/files", "GET /v1/files", "GET /v1/files/{id}", "DELETE /v1/files/{id}")
CLAIMS: tuple[Claim, ...] = tuple(
    Claim(at=at, wire="replicate", when=of_replicate, why="a User-Agent of Replicate's, or a key that begins with r8_")
    for at in OF_REPLICATE
)
