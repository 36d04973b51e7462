"""Lays out the documents as a site: the pages as they are, one for each vendor from its wire, and recipes.

python docs/make_site.py FOLDER, from which `make site` has mkdocs build the pages.
"""

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from make_reference import code, facts, table, verb_of

from mutoscope.model.sdks import SDKS, Sdk, base_url, filled
from mutoscope.wirekit.routes import Create
from mutoscope.wirekit.wire import Wire
from mutoscope.wires import ALL

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
URL = "http://127.0.0.1:8700"
OUTSIDE = re.compile(r"\[([^\]]*)\]\(\.\./([^)#]*)(#[^)]*)?\)")
NEAR = {"README.md": "index.md", "CHANGELOG.md": "changelog.md"}
FROM_ROOT = re.compile(r"\]\(docs/([^)]*)\)")
MOST_SHOWN = 24  # creates on a vendor's page; the reference has all


def main() -> None:
    folder = Path(sys.argv[1])
    shutil.rmtree(folder, ignore_errors=True)
    for name, text in pages().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    shutil.copytree(DOCS / "pictures", folder / "pictures")


def pages() -> dict[str, str]:
    """Every page of the site by its name."""
    found = {path.name: inside(path.read_text()) for path in sorted(DOCS.glob("*.md"))}
    found["index.md"] = from_root((ROOT / "README.md").read_text())
    found["changelog.md"] = from_root((ROOT / "CHANGELOG.md").read_text())
    found["recipes.md"] = "\n".join(recipes())
    found["vendors/index.md"] = "\n".join(vendors())
    return found | {f"vendors/{wire.name}.md": "\n".join(vendor(wire)) for wire in ALL}


def inside(text: str) -> str:
    """A page of docs/, with what it links to outside of it as its name."""

    def near(match: re.Match[str]) -> str:
        told, name, anchor = match[1], match[2], match[3] or ""
        return f"[{told}]({NEAR[name]}{anchor})" if name in NEAR else f"{told} (`{name}`)"

    return OUTSIDE.sub(near, text)


def from_root(text: str) -> str:
    """A page of the repository's root, whose links begin there."""
    text = (
        FROM_ROOT.sub(r"](\1)", text)
        .replace("](CHANGELOG.md)", "](changelog.md)")
        .replace("](README.md)", "](index.md)")
    )
    return re.sub(r"\[([^\]]*)\]\((?:LICENSE|NOTICE|lock/[^)]*|tests/[^)]*|benchmarks/[^)]*|demo\.py)\)", r"`\1`", text)


# -- a page for each vendor --------------------------------------------------------------


def vendors() -> Iterator[str]:
    yield "# Vendors\n"
    yield "Each API that is served, from its code: where a client finds it here, and what is honoured.\n"
    rows = [(f"[{wire.title}]({wire.name}.md)", code(base_url(wire.name, URL)), packages(wire)) for wire in ALL]
    yield table(("API", "base URL", "clients"), rows)


def packages(wire: Wire) -> str:
    sdk = SDKS.get(wire.name)
    return ", ".join(code(each) for each in (sdk.package, sdk.npm) if each) if sdk else ""


def vendor(wire: Wire) -> Iterator[str]:
    sdk = SDKS.get(wire.name, Sdk(base=f"{{url}}/{wire.name}"))
    yield f"# {wire.title}\n"
    yield f"As in [its documentation]({wire.docs}), with another address. {facts(wire)}\n"
    yield "## Pointing a client here\n"
    rows = [("base URL", code(filled(sdk.base, URL)))]
    rows += [(f"`{name}`", code(filled(value, URL))) for name, value in sdk.environment.items()]
    rows += [(f"`{sdk.key}`", "a key of this server; any, where it has none")] if sdk.key else []
    rows += [("clients", packages(wire))] if packages(wire) else []
    yield table(("setting", "value"), rows)
    yield f"`mutoscope env` prints the variables. {sdk.note}\n"
    if sdk.python:
        yield "## A first request\n"
        yield f"```python\n{filled(sdk.python, URL)}\n```\n"
    yield "## What it takes\n"
    creates = [route for route in wire.routes if isinstance(route, Create)]
    yield table(("method and path", "what it does"), [(code(each.at), each.summary) for each in creates[:MOST_SHOWN]])
    if len(creates) > MOST_SHOWN:
        yield f"And {len(creates) - MOST_SHOWN} more.\n"
    others = [route for route in wire.routes if not isinstance(route, Create)]
    if others:
        yield table(("method and path", "verb"), [(code(each.at), verb_of(each)) for each in others[:MOST_SHOWN]])
    yield "All of it: [reference](../13-reference.md#wires). "
    yield "What was decided where the vendor is silent: [wires](../03-wires.md).\n"


# -- recipes ---------------------------------------------------------------------------------


def recipes() -> Iterator[str]:
    yield "# Recipes\n"
    yield (
        "What to set in the clients and frameworks that people put in front of such a server. Each is run against it by"
        " the tests that are named; [rehearsing](09-rehearsing.md#clients-that-the-tests-run) has their versions.\n"
    )
    yield table(("client", "what to set", "tried by"), [(code(name), told, code(test)) for name, told, test in TRIED])
    yield "## First requests\n"
    for name, sdk in SDKS.items():
        if sdk.python:
            yield f"### `{sdk.package}` ({name})\n"
            lines = [f"export {variable}={filled(value, URL)}" for variable, value in sdk.environment.items()]
            lines += [f"export {sdk.key}=any"] if sdk.key else []
            yield "```sh\n" + "\n".join(lines) + "\n```\n"
            yield f"```python\n{filled(sdk.python, URL)}\n```\n"


TRIED = (
    ("runwayml", "`RUNWAYML_BASE_URL`", "tests/acceptance/test_sdk.py"),
    ("openai", "`OPENAI_BASE_URL`", "tests/acceptance/test_words_sdks.py"),
    ("anthropic", "`ANTHROPIC_BASE_URL`", "tests/acceptance/test_words_sdks.py"),
    ("replicate", "`REPLICATE_BASE_URL`", "tests/acceptance/test_replicate_sdk.py"),
    ("dashscope", "`DASHSCOPE_HTTP_BASE_URL`", "tests/acceptance/test_dashscope_sdk.py"),
    ("fal-client", "`FAL_RUN_HOST`, `FAL_QUEUE_RUN_HOST`, behind TLS", "tests/acceptance/test_python_clients.py"),
    ("blackforest", "`base_url=` of `BFLClient`", "tests/acceptance/test_python_clients.py"),
    ("minimax-mcp, minimax-mcp-js", "`MINIMAX_API_HOST`", "tests/acceptance/test_mcp_clients.py"),
    ("litellm", "`api_base=`", "tests/acceptance/test_litellm.py"),
    ("@runwayml/sdk, openai, @anthropic-ai/sdk, replicate, ai", "`baseURL`", "tests/acceptance/test_npm_clients.py"),
    ("the Model Context Protocol", "`mutoscope mcp`, or `/mcp`", "tests/web/test_mcp.py"),
    ("pytest", "the fixture `mutoscope`", "tests/test_pytest_plugin.py"),
)


if __name__ == "__main__":
    main()
