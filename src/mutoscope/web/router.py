"""Finds the route of a request: by its path, and where several vendors have the same one, by what tells them apart."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from msgspec import Struct

from mutoscope.model.http import HttpRequest
from mutoscope.wirekit.routes import Route
from mutoscope.wirekit.wire import Claim, Wire, built_once

PARAMETER = re.compile(r"\{([^}]+)\}")
SEVERAL = "…"  # ends the name of a parameter that takes several parts of a path
MOST_PARTS = 32  # of a path that has parameters


class Target(Struct, frozen=True):
    """A route of a wire at one of its mounts."""

    wire: Wire
    route: Route
    names: tuple[str, ...] = ()  # of its parameters, in their order
    label: str = ""  # what its requests are counted as


class Found(NamedTuple):
    """What stands at a path. No targets: there is no such path, or it takes other methods."""

    targets: tuple[Target, ...] = ()  # of several wires, where they share the path
    values: tuple[str, ...] = ()  # of the parameters
    methods: tuple[str, ...] = ()  # that the path takes; told where there are no targets
    wire: Wire | None = None  # in whose words an error is told

    def params(self, target: Target) -> dict[str, str]:
        return dict(zip(target.names, self.values, strict=True))


class Node:
    """A place in the tree of paths."""

    __slots__ = ("fixed", "methods", "one", "several")

    def __init__(self) -> None:
        self.fixed: dict[str, Node] = {}
        self.one: Node | None = None  # any one part
        self.several: Node | None = None  # one part or more
        self.methods: dict[str, tuple[Target, ...]] = {}

    def step(self, part: str) -> "Node":
        """The node behind a part of a route's path, made where it is not there yet."""
        if (known := self.fixed.get(part)) is not None:
            return known
        match = PARAMETER.fullmatch(part) if part.startswith("{") else None
        if match is None:
            made = self.fixed[part] = Node()
            return made
        if match[1].endswith(SEVERAL):
            self.several = self.several or Node()
            return self.several
        self.one = self.one or Node()
        return self.one


class Tree:
    """All paths of some wires: a fixed part comes before a parameter, and one part before several."""

    def __init__(self, wires: tuple[Wire, ...]) -> None:
        self.top = Node()
        self.roots: list[tuple[str, Wire]] = []
        self.own = {root for wire in wires for root in wire.roots}
        for wire in wires:
            for mount in dict.fromkeys((f"/{wire.name}", *wire.mounts, "")):
                self.mount(mount, wire)
        self.roots.sort(key=lambda each: -len(each[0]))  # the narrower one decides; Python keeps the rest in order

    def mount(self, mount: str, wire: Wire) -> None:
        self.roots += [(mount + root, wire) for root in wire.roots]
        if mount and not any(root.startswith(f"{mount}/") for root in self.own):  # "/v1" is no vendor's alone
            self.roots.append((f"{mount}/", wire))
        for route in wire.routes:
            self.add(mount + route.path, wire, route)
            if route.path.startswith(f"{wire.optional}/") and wire.optional:
                short = route.path[len(wire.optional) :]
                if mount or short in wire.bare:
                    self.add(mount + short, wire, route)

    def add(self, path: str, wire: Wire, route: Route) -> None:
        node = self.top
        for part in path.split("/")[1:]:
            node = node.step(part)
        names = tuple(name.removesuffix(SEVERAL) for name in PARAMETER.findall(path)) if "{" in path else ()
        known = node.methods.get(method := route.method, ())
        for each in known:
            if each.wire is wire:
                if each.route is not route:
                    raise ValueError(f"{wire.name} has two routes at {method} {path}")
                return
        node.methods[method] = (*known, Target(wire, route, names, f"{wire.name} {route.at}"))


tree = built_once(Tree)


class Router:
    def __init__(
        self, wires: Iterable[Wire], *, hosts: Mapping[str, str] | None = None, claims: Iterable[Claim] = ()
    ) -> None:
        """Earlier wires come first where nothing else decides. `hosts`: a Host header → the name of its wire.

        Raises ValueError where a wire has two routes at one path.
        """
        paths = tree(tuple(wires))
        self.top, self.roots = paths.top, paths.roots
        self.hosts = {host.lower(): name for host, name in (hosts or {}).items()}
        self.known: dict[tuple[str, str], Found] = {}  # what was found at paths without parameters
        self.claims: dict[str, tuple[Claim, ...]] = {}
        for claim in claims:
            self.claims[shape(claim.at)] = (*self.claims.get(shape(claim.at), ()), claim)

    def find(self, path: str, method: str) -> Found:
        """What a request asks for. HEAD is answered wherever GET is, and a slash at the end changes nothing."""
        if (known := self.known.get((method, path))) is not None:
            return known
        asked, method = method, "GET" if method == "HEAD" else method
        parts = path.split("/")[1:]
        if len(parts) > 1 and not parts[-1]:
            parts.pop()
        node, values = self.top, ()
        for part in parts:  # the quick way, which is right unless a fixed part leads nowhere
            following = node.fixed.get(part)
            if following is None:
                following = node.one
                if following is None or not part:
                    break
                values = (*values, part)
            node = following
        else:
            if targets := node.methods.get(method):
                found = Found(targets, values)
                if not values:  # there are no more of these than routes
                    self.known[asked, path] = found
                return found
        return self.search(path, parts, method)

    def search(self, path: str, parts: list[str], method: str) -> Found:
        """Every way to read a path, the most specific first."""
        methods: dict[str, Wire] = {}
        for leaf, values in walk(self.top, parts, 0, ()) if len(parts) <= MOST_PARTS else ():
            if targets := leaf.methods.get(method):
                return Found(targets, values)
            for name, targets in leaf.methods.items():
                methods.setdefault(name, targets[0].wire)
        wire = next(iter(methods.values()), None) or self.wire_at(path)
        return Found(methods=tuple(methods), wire=wire)

    def wire_at(self, path: str) -> Wire | None:
        """In whose words an unknown path is answered."""
        return next((wire for root, wire in self.roots if path.startswith(root)), None)

    def of_host(self, found: Found, request: HttpRequest) -> Target | None:
        """The target whose wire the settings name for the Host that the client was told."""
        host = request.headers.get("host", "").lower()
        name = self.hosts.get(host) or self.hosts.get(host.rpartition(":")[0])
        return next((each for each in found.targets if each.wire.name == name), None) if name else None

    def claimed(self, found: Found, request: HttpRequest, *, body: bool) -> Target | None:
        """The target whose wire claims the request; claims that read the body are asked with `body`."""
        for claim in self.claims.get(shape(found.targets[0].route.at), ()):
            target = next((each for each in found.targets if each.wire.name == claim.wire), None)
            if target and claim.reads_body == body and claim.when(request):
                return target
        return None

    def reads_body(self, found: Found) -> bool:
        """Whether only the body may tell whose request it is."""
        return any(claim.reads_body for claim in self.claims.get(shape(found.targets[0].route.at), ()))


def shape(at: str) -> str:
    """Method and path without the names of the parameters."""
    return PARAMETER.sub("{}", at)


def walk(node: Node, parts: list[str], place: int, values: tuple[str, ...]) -> Iterator[tuple[Node, tuple[str, ...]]]:
    if place == len(parts):
        if node.methods:
            yield node, values
        return
    part = parts[place]
    if following := node.fixed.get(part):
        yield from walk(following, parts, place + 1, values)
    if node.one and part:
        yield from walk(node.one, parts, place + 1, (*values, part))
    if node.several:
        for end in range(place + 1, len(parts) + 1):  # a path that goes on behind it is the more specific
            if all(parts[place:end]):
                yield from walk(node.several, parts, end, (*values, "/".join(parts[place:end])))
