"""A stranger's generator makes a typed client of /openapi.json, which makes and reads a task on every wire."""

import importlib
import json
import subprocess
import sys
import typing
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from inspect import Parameter, signature
from types import ModuleType
from typing import Any

import httpx
import pytest

from in_turn import in_turn
from mutoscope.web import openapi
from mutoscope.wirekit.routes import Create, Read, Route
from mutoscope.wirekit.wire import Wire
from mutoscope.wires import ALL

GENERATED = "typed_mutoscope"
Start = Callable[..., AbstractAsyncContextManager]


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The generated package, which can be imported. That the generator had nothing to say is part of the test."""
    folder = tmp_path_factory.mktemp("typed")
    document, settings = folder / "openapi.json", folder / "settings.yml"
    document.write_text(json.dumps(openapi.build(ALL, title="mutoscope", version="0")))
    settings.write_text("post_hooks: []\n")  # by itself it wants to format what it wrote
    generator = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none", "--fail-on-warning"]
    files = ["--path", document, "--output-path", folder / GENERATED, "--config", settings]
    said = subprocess.run([*generator, *files], capture_output=True, text=True, timeout=100, check=False)
    assert said.returncode == 0, said.stdout[-2000:] + said.stderr[-2000:]
    assert said.stdout.split() == ["Generating", *str(folder / GENERATED).split()]
    sys.path.insert(0, str(folder))
    yield GENERATED
    sys.path.remove(str(folder))


def calls(package: str, wire: Wire, route: Route) -> ModuleType:
    return importlib.import_module(f"{package}.api.{wire.name}.{openapi.operation_id(wire, route)}")


def arguments(module: ModuleType) -> dict[str, Any]:
    """What the request must carry beside its body: headers of one value."""
    asked = signature(module.asyncio_detailed).parameters.values()
    needed = [each.name for each in asked if each.kind is Parameter.KEYWORD_ONLY and each.default is Parameter.empty]
    hints = typing.get_type_hints(module.asyncio_detailed)
    return {name: next(iter(hints[name])) for name in needed if name not in ("client", "body", "id", "task_id")}


def body_of(module: ModuleType, example: Any) -> Any:
    """Our example as the generated type, of which an endpoint may have several."""
    hint = typing.get_type_hints(module.asyncio_detailed)["body"]
    for each in typing.get_args(hint) or (hint,):
        try:
            return each.from_dict(example)
        except (KeyError, ValueError, TypeError):
            continue
    raise AssertionError(f"no type of {hint} takes {example}")


def named(reading: Any, id: str) -> dict[str, Any]:
    """The id of a task, in the path, in the query or in the body."""
    place = next((each for each in ("id", "task_id") if each in signature(reading.asyncio_detailed).parameters), None)
    return {place: id} if place else {"body": body_of(reading, {"task_id": id})}


def strays(value: Any) -> Iterator[str]:
    """Members that the generated types have no field for."""
    if isinstance(value, list):
        for each in value:
            yield from strays(each)
    elif hasattr(value, "additional_properties"):
        members = value.__slots__ if hasattr(value, "__slots__") else vars(value)
        if set(members) - {"additional_properties", "__weakref__"}:
            yield from value.additional_properties  # else it is a map, whose members have no names beforehand
        for name in value.__slots__ if hasattr(value, "__slots__") else vars(value):
            if name not in ("additional_properties", "__weakref__"):
                yield from strays(getattr(value, name))


def texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for each in value.values():
                yield from texts(each)


def tells_of_its_task(route: Route) -> bool:
    """Not where the answer is what was made: nothing is made here."""
    return isinstance(route, Create) and route.carries is None and not route.at.startswith("POST /v1/audio/")


TASKS = [wire for wire in ALL if any(map(tells_of_its_task, wire.routes)) and wire.name != "fal"]
"""fal answers 202 for as long as a task waits, which a description with one status for each route does not tell."""


@in_turn("wire", TASKS)  # in one process: the client is made and compiled once
async def test_a_generated_client_makes_and_reads_a_task(package: str, start: Start, wire: Wire) -> None:
    create = next(filter(tells_of_its_task, wire.routes))
    show = next(each for each in wire.routes if isinstance(each, Read) and each.route in ("", create.route))
    operations = openapi.operations(openapi.build([wire], title="", version=""))
    example = next(each.example for each in operations if each.path == create.path and each.method == create.method)
    async with start(rehearsal=True, inputs={"probe": "never"}, script={"slots": 0}) as running:
        client = importlib.import_module(package).Client(base_url="http://gateway.test")
        client.set_async_httpx_client(running.client)
        making, reading = calls(package, wire, create), calls(package, wire, show)
        made = await making.asyncio_detailed(client=client, body=body_of(making, example), **arguments(making))
        assert made.status_code == create.status, made.content
        assert list(strays(made.parsed)) == []
        [id, *_] = [text for text in texts(made.parsed.to_dict()) if wire.job_id(text)]
        read = await reading.asyncio_detailed(client=client, **named(reading, id), **arguments(reading))
        assert read.status_code == httpx.codes.OK, read.content
        assert list(strays(read.parsed)) == []
        assert id in texts(read.parsed.to_dict())
