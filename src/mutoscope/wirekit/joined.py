"""Several APIs of one vendor as one wire, which one key opens and one account calls: versions, or kinds of media."""

from collections.abc import Mapping
from functools import partial

from msgspec.structs import replace

from mutoscope.model.http import HttpRequest, HttpResponse
from mutoscope.model.job import Input, Job, Json, Operation, Update
from mutoscope.model.problem import Problem
from mutoscope.wirekit.back import Back, Conversation, Transport, VendorRequest
from mutoscope.wirekit.routes import Route
from mutoscope.wirekit.wire import Wire

PART = "part"
"""The member of a handle that says which API it is of."""


def joined(parts: Mapping[str, Wire]) -> Wire:
    """The first one with all that the others have. A part's name is the `route` of its jobs: reads of the part "" see
    the jobs of all."""
    wires = tuple(parts.values())
    routes: tuple[Route, ...] = tuple(
        replace(each, route=each.route or name) for name, wire in parts.items() for each in wire.routes
    )
    backs = {name: wire.back for name, wire in parts.items() if wire.back}
    return replace(
        wires[0],
        roots=tuple(dict.fromkeys(root for wire in wires for root in wire.roots)),
        routes=routes,
        render_problem=partial(render_problem, wires),
        render_webhook=partial(render_webhook, parts),
        quiet=tuple(root for wire in wires for root in wire.quiet),
        back=joined_back(backs) if backs else None,
    )


def render_problem(wires: tuple[Wire, ...], problem: Problem, request: HttpRequest) -> HttpResponse:
    """In the words of the API at the path, whatever the prefix before it."""
    wire = next((each for each in wires if any(root in request.path for root in each.roots)), wires[0])
    return wire.render_problem(problem, request)


def render_webhook(parts: Mapping[str, Wire], job: Job) -> bytes | None:
    render = parts.get(job.route, parts[next(iter(parts))]).render_webhook
    return render(job) if render else None


def joined_back(backs: Mapping[str, Back]) -> Back:
    first = next(iter(backs.values()))

    def part_for(operation: Operation, names: tuple[str, ...]) -> str:
        return next(
            (name for name, back in backs.items() if back.supports(operation, names) is not None), next(iter(backs))
        )

    def back_for(order: VendorRequest) -> Back:
        return backs[part_for(order.generation.operation, order.names)]

    def supports(operation: Operation, names: tuple[str, ...]) -> frozenset[str] | None:
        return backs[part_for(operation, names)].supports(operation, names)

    def ways(order: VendorRequest, wanted: Input) -> tuple[Transport, ...]:
        return back_for(order).ways(order, wanted)

    def check(order: VendorRequest) -> None:
        back_for(order).check(order)

    def submit(order: VendorRequest) -> Conversation[Update]:
        part = part_for(order.generation.operation, order.names)
        update = yield from backs[part].submit(order)
        return replace(update, handle=update.handle | {PART: part})

    def poll(handle: Json) -> Conversation[Update]:
        return (yield from backs[handle[PART]].poll(handle))

    def cancel(handle: Json) -> Conversation[bool]:
        stop = backs[handle[PART]].cancel
        return False if stop is None else (yield from stop(handle))

    def read_callback(order: VendorRequest, request: HttpRequest) -> Json | None:
        part = part_for(order.generation.operation, order.names)
        read = backs[part].read_callback
        handle = read(order, request) if read else None
        return None if handle is None else handle | {PART: part}

    return replace(
        first,
        supports=supports,
        ways=ways,
        check=check,
        submit=submit,
        poll=poll,
        cancel=cancel if any(back.cancel for back in backs.values()) else None,
        read_callback=read_callback if any(back.read_callback for back in backs.values()) else None,
        unsent=frozenset().union(*(back.unsent for back in backs.values())),
        find=None,  # one part's list says nothing of another's tasks
        batch=None,
        batch_key=None,
    )
