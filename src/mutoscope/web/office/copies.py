"""A job as something to paste: curl, the vendor's SDK in Python and JavaScript, this command line, a test."""

import json
import re
import shlex
from collections.abc import Iterator
from pprint import pformat
from typing import Any

import msgspec
from msgspec import Struct

from mutoscope.model.http import HttpRequest
from mutoscope.model.job import Job, Json, Role
from mutoscope.web import openapi
from mutoscope.web.office.calls import Desk
from mutoscope.wirekit.routes import Create
from mutoscope.wirekit.wire import Wire

PLACEHOLDER = re.compile(r"\{(\w+)…?\}")
KEY = "$MUTOSCOPE_KEY"
ENVIRONMENT = 'environ["MUTOSCOPE_KEY"]'


class Came(Struct, frozen=True, kw_only=True):
    """The request that made a job: its route, and the path with its parameters."""

    route: Create
    path: str


def came_by(desk: Desk, job: Job) -> Came | None:
    """Which of its wire's paths a job came in by: the one that reads its body as the same wish. The store keeps the
    body and not the path."""
    wire = desk.wires.get(job.wire)
    if wire is None:
        return None
    guesses = [
        Came(route=route, path=path)
        for route in wire.routes
        if isinstance(route, Create) and route.route == job.route and not route.hangs and not route.event
        for path in paths(desk, wire, route, job)
    ]
    return next((each for each in guesses if says(desk, wire, each, job)), guesses[0] if len(guesses) == 1 else None)


def paths(desk: Desk, wire: Wire, route: Create, job: Job) -> Iterator[str]:
    """With the words of the job's model in the place of a parameter."""
    names = PLACEHOLDER.findall(route.path)
    if not names:
        yield route.path
    elif len(names) == 1:
        model = desk.catalog.models.get(job.generation.model)
        for word in model.names.get(wire.name, ()) if model else ():
            yield PLACEHOLDER.sub(lambda _, word=word: word, route.path)


def says(desk: Desk, wire: Wire, came: Came, job: Job) -> bool:
    request = HttpRequest(
        method=came.route.method,
        path=came.path,
        params=params_of(came),
        headers={"content-type": "application/json"} | wire.headers | came.route.headers,
        body=job.body,
    )
    try:
        wish = came.route.parse(request).generation
        model = desk.catalog.named(wire.name, wish.model).name
    except Exception:  # a body of another path breaks in as many ways as there are paths
        return False
    return wish.operation is job.generation.operation and model == job.generation.model


def params_of(came: Came) -> dict[str, str]:
    pattern = re.escape(came.route.path).replace(r"\{", "{").replace(r"\}", "}")
    pattern = re.sub(r"\{(\w+)…?\}", r"(?P<\1>.+)", pattern)
    match = re.fullmatch(pattern, came.path)
    return match.groupdict() if match else {}


def of(desk: Desk, job: Job, came: Came | None, origin: str) -> list[Json]:
    """Each with a title, the language that it is in, and the text."""
    wire = desk.wires.get(job.wire)
    origin = desk.gateway.settings.server.public_url or origin or job.origin or "http://127.0.0.1:8700"
    made: list[tuple[str, str, str]] = []
    try:
        body: Json | None = msgspec.json.decode(job.body or b"{}", type=Json)
    except (msgspec.DecodeError, RecursionError):
        body = None
    if wire and came and body is not None:
        keyed = not desk.gateway.keys.open
        made += [
            ("curl", "sh", curl(wire, came, body, origin, keyed=keyed)),
            ("Python", "python", python(wire, came, body, origin)),
            ("JavaScript", "js", javascript(wire, came, body, origin)),
        ]
    made.append(("mutoscope", "sh", command(job)))
    if wire and came and body is not None:
        made.append(("pytest", "python", test(wire, came, body, job)))
    return [{"title": title, "language": language, "text": text} for title, language, text in made]


def headers_for(wire: Wire, came: Came, key: str) -> dict[str, str]:
    scheme = next(iter(openapi.security_schemes(wire).values()), None)
    match scheme:
        case {"type": "apiKey", "in": "header", "name": str(name)}:
            own = {name: key}
        case {"type": "http"}:
            own = {"authorization": f"Bearer {key}"}
        case _:
            own = {}
    return own | wire.headers | came.route.headers


def curl(wire: Wire, came: Came, body: Json, origin: str, *, keyed: bool) -> str:
    lines = [f"curl -X {came.route.method} {shlex.quote(origin + came.path)}"]
    for name, value in headers_for(wire, came, KEY if keyed else "any").items():
        lines.append(f'  -H "{name}: {value}"')
    lines.append("  -H 'content-type: application/json'")
    lines.append(f"  -d {shlex.quote(json.dumps(body, ensure_ascii=False))}")
    return " \\\n".join(lines)


SNAKE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def python(wire: Wire, came: Came, body: Json, origin: str) -> str:
    """By the vendor's own SDK where there is one that takes another address, else by plain HTTP."""
    key = ENVIRONMENT
    last = came.path.rstrip("/").rpartition("/")[2]
    match wire.name, last:
        case "runway", _:
            said = {SNAKE.sub("_", name).lower(): value for name, value in body.items()}
            return (
                "from os import environ\n\nfrom runwayml import RunwayML\n\n"
                f'client = RunwayML(api_key={key}, base_url="{origin}")\n'
                f"task = client.{last}.create({arguments(said)})\nprint(task.wait_for_task_output().output)\n"
            )
        case "openai", "generations" | "videos":
            call = "images.generate" if last == "generations" else "videos.create_and_poll"
            return (
                "from os import environ\n\nfrom openai import OpenAI\n\n"
                f'client = OpenAI(api_key={key}, base_url="{origin}/v1")\n'
                f"print(client.{call}({arguments(body)}))\n"
            )
        case "replicate", "predictions":
            return (
                "from os import environ\n\nfrom replicate.client import Client\n\n"
                f'client = Client(api_token={key}, base_url="{origin}")\n'
                f"print(client.predictions.create({arguments(body)}))\n"
            )
        case _:
            headers = headers_for(wire, came, "KEY")
            shown = ", ".join(f'"{name}": {quoted_key(value)}' for name, value in headers.items())
            return (
                f"from os import environ\n\nimport httpx\n\nanswer = httpx.request(\n"
                f'    "{came.route.method}",\n    "{origin}{came.path}",\n    headers={{{shown}}},\n'
                f"    json={indented(body, 4)},\n)\nprint(answer.raise_for_status().json())\n"
            )


def quoted_key(value: str) -> str:
    if value == "KEY":
        return ENVIRONMENT
    if value.endswith(" KEY"):
        return f'"{value[:-3]}" + {ENVIRONMENT}'
    return json.dumps(value)


def arguments(body: Json) -> str:
    if not all(name.isidentifier() for name in body):
        return f"**{pformat(body, sort_dicts=False)}"
    told = "".join(f"\n    {name}={indented(value, 4)}," for name, value in body.items())
    return f"{told}\n" if told else ""


def indented(value: Any, by: int) -> str:
    return pformat(value, width=96, sort_dicts=False).replace("\n", "\n" + " " * by)


CAMEL = re.compile(r"_([a-z])")


def javascript(wire: Wire, came: Came, body: Json, origin: str) -> str:
    said = json.dumps(body, indent=2, ensure_ascii=False)
    last = came.path.rstrip("/").rpartition("/")[2]
    key = "process.env.MUTOSCOPE_KEY"
    match wire.name, last:
        case "runway", _:
            call = CAMEL.sub(lambda match: match[1].upper(), last)
            return (
                f"import RunwayML from '@runwayml/sdk';\n\nconst client = new RunwayML({{ apiKey: {key}, "
                f"baseURL: '{origin}' }});\nconst task = await client.{call}.create({said}).waitForTaskOutput();\n"
                "console.log(task.output);\n"
            )
        case "openai", "generations" | "videos":
            call = "images.generate" if last == "generations" else "videos.create"
            return (
                f"import OpenAI from 'openai';\n\nconst client = new OpenAI({{ apiKey: {key}, "
                f"baseURL: '{origin}/v1' }});\nconsole.log(await client.{call}({said}));\n"
            )
        case "replicate", "predictions":
            return (
                f"import Replicate from 'replicate';\n\nconst client = new Replicate({{ auth: {key}, "
                f"baseUrl: '{origin}/v1' }});\nconsole.log(await client.predictions.create({said}));\n"
            )
        case _:
            headers = headers_for(wire, came, "${" + key + "}") | {"content-type": "application/json"}
            told = ",\n    ".join(f"'{name}': `{value}`" for name, value in headers.items())
            inner = said.replace("\n", "\n  ")
            return (
                f"const answer = await fetch('{origin}{came.path}', {{\n  method: '{came.route.method}',\n"
                f"  headers: {{\n    {told},\n  }},\n  body: JSON.stringify({inner}),\n}});\n"
                "console.log(await answer.json());\n"
            )


FILES = {Role.FIRST_FRAME: "--image", Role.IMAGE: "--image", Role.LAST_FRAME: "--last-image", Role.AUDIO: "--audio",
         Role.VIDEO: "--video"}  # fmt: skip


def command(job: Job) -> str:
    """The same wish at the command line, made in a process of its own."""
    wish = job.generation
    words = ["mutoscope", "generate", wish.prompt or "", "--model", wish.model]
    if wish.width and wish.height:
        words += ["--size", f"{wish.width}x{wish.height}"]
    for name in ("seconds", "fps", "seed", "negative_prompt"):
        if (value := getattr(wish, name)) is not None:
            words += [f"--{name.replace('_', '-')}", f"{value:g}" if isinstance(value, float) else str(value)]
    for each in wish.inputs:
        if each.role in FILES:
            words += [FILES[each.role], each.url or f"FILE-OF-{each.field}"]
    return " ".join(map(shlex.quote, words))


def test(wire: Wire, came: Came, body: Json, job: Job) -> str:
    """A test with the fixture of the pytest plugin that comes with this package."""
    name = re.sub(r"\W+", "_", f"{wire.name}_{job.generation.operation.value}")
    headers = headers_for(wire, came, "test")
    seed = job.generation.seed
    said = f"made here with seed {seed}" if seed is not None else "made here"
    return (
        f'"""Job {job.id}, {said}."""\n\nimport httpx\n\n\ndef test_{name}(mutoscope):\n'
        f"    answer = httpx.request(\n"
        f'        "{came.route.method}",\n        f"{{mutoscope.url}}{came.path}",\n        headers={headers!r},\n'
        f"        json={indented(body, 8)},\n    )\n    assert answer.status_code == {came.route.status}, answer.text\n"
    )
