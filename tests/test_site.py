"""The documents as a site: every page is laid out, every link between them leads somewhere, every sample is Python."""

import ast
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType
from urllib.parse import urlsplit

import pytest
import yaml

from mutoscope.model.config import CLIENTS_KEYS, VENDOR_KEYS
from mutoscope.model.sdks import SDKS, base_url, environment
from mutoscope.wires import ALL, BY_NAME

ROOT = Path(__file__).parent.parent
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    sys.path.insert(0, str(ROOT / "docs"))
    try:
        spec = importlib.util.spec_from_file_location("make_site", ROOT / "docs" / "make_site.py")
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    finally:
        sys.path.pop(0)


def test_every_link_between_the_pages_of_the_site_leads_somewhere(maker: ModuleType) -> None:
    pages = maker.pages()
    assert {f"vendors/{wire.name}.md" for wire in ALL} <= pages.keys()
    there = {Path(name) for name in pages} | {
        Path("pictures") / each.name for each in (ROOT / "docs" / "pictures").iterdir()
    }
    for name, text in pages.items():
        for link in LINK.findall(re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)):
            if not link.startswith(("http://", "https://", "mailto:")):
                target = (Path("/") / name).parent.joinpath(link).resolve().relative_to("/")
                assert target in there, (name, link)


def test_the_recipes_name_tests_that_there_are(maker: ModuleType) -> None:
    for client, _, test in maker.TRIED:
        assert (ROOT / test).is_file(), client


def test_every_sdk_is_a_wires_and_its_sample_is_python() -> None:
    assert SDKS.keys() <= BY_NAME.keys()
    keys = {wire: variable for variable, wire in (VENDOR_KEYS | CLIENTS_KEYS).items()}
    for name, sdk in SDKS.items():
        ast.parse(sdk.python)
        assert sdk.key == keys[name], "as the vendor's own SDK calls it"
        mounts = [f"/{name}", *(root for root in BY_NAME[name].roots)]
        path = urlsplit(base_url(name, "http://here")).path
        assert any(f"{path}/".startswith(f"{mount.rstrip('/')}/") for mount in mounts), (name, path)


def test_what_wants_https_is_left_out_where_there_is_none() -> None:
    plain, safe = environment("http://here:1/"), environment("https://here")
    assert "FAL_RUN_HOST" not in plain and safe["FAL_RUN_HOST"] == "here/fal/run"
    assert plain["RUNWAYML_BASE_URL"] == "http://here:1/runway" and plain["MUTOSCOPE_URL"] == "http://here:1"


def test_the_site_loads_nothing_from_elsewhere() -> None:
    settings = yaml.safe_load((ROOT / "mkdocs.yml").read_text())
    assert settings["strict"] and settings["theme"]["font"] is False and settings["plugins"] == ["search"]
    assert not {"extra_javascript", "extra_css", "hooks"} & settings.keys()
