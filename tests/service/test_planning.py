"""What is decided about a wish, before anything of it is kept."""

from typing import Any

import pytest
from msgspec.structs import replace

from mutoscope.engines.script import Script
from mutoscope.engines.studio import Studio
from mutoscope.model.catalog import Catalog
from mutoscope.model.config import Limits, ModelSettings, Rights
from mutoscope.model.job import Generation, Operation
from mutoscope.model.problem import Kind, Problem
from mutoscope.model.requests import Submission
from mutoscope.service.planning import Plan, Planner, seeded
from mutoscope.service.pricing import Prices
from mutoscope.service.routing import Routes
from mutoscope.wires import ROWS

WISH = Generation(operation=Operation.TEXT_TO_IMAGE, model="gen4_image", prompt="a fox")
ALL = Rights()


def plan(wish: Generation = WISH, rights: Rights = ALL, engine: str | None = None, **model: Any) -> Plan:
    catalog = Catalog(ROWS, {"gen4_image": ModelSettings(**{"engine": "script"} | model)})
    routes = Routes({"script": Script(), "studio": Studio()}, {})
    planner = Planner(catalog=catalog, routes=routes, prices=Prices(catalog, {}), limits=Limits(max_queued=7))
    return planner.plan(Submission(generation=wish, notes=("read",)), wire="runway", rights=rights, engine=engine)


def test_a_plan_says_who_makes_it_at_what_price_within_which_limits() -> None:
    made = plan(rights=Rights(max_concurrent=2, budget=50.0), max_daily=9)
    assert (made.engine, made.remote, made.engines) == ("script", False, ("script",))
    assert made.hold is not None and (made.hold.credits, made.hold.budget) == (made.estimate, 50.0)
    assert (made.share.concurrency, made.share.daily, made.share.queued) == (2, 9, 7)


def test_a_plan_has_the_defaults_of_the_row_and_no_seed_yet() -> None:
    made = plan()
    assert made.generation.width and made.generation.height and made.generation.seed is None
    assert seeded(made.generation, "0" * 36, remote=False).seed == 0
    assert seeded(made.generation, "0" * 36, remote=True).seed is None


def test_a_named_engine_comes_before_the_route() -> None:
    assert plan(engine="studio").engine == "studio"


def test_notes_of_the_request_stand_before_those_of_the_engine() -> None:
    made = plan(replace(WISH, extra={"contentModeration": {"publicFigureThreshold": "low"}}), engine="studio")
    assert made.notes[0] == "read" and len(made.notes) == 2


def test_the_catalog_is_asked_before_the_price_and_the_price_before_the_engine() -> None:
    """A clip of a model of pictures that this key may not use at a price that nobody knows, by no engine."""
    wrong = replace(WISH, operation=Operation.TEXT_TO_VIDEO)
    with pytest.raises(Problem) as scope:
        plan(wrong, Rights(models=("gen4.5",)))
    with pytest.raises(Problem) as unable:
        plan(wrong, Rights(engines=("studio",)))
    with pytest.raises(Problem) as engine:
        plan(rights=Rights(engines=("studio",)))
    assert [each.value.kind for each in (scope, unable, engine)] == [Kind.FORBIDDEN, Kind.UNSUPPORTED, Kind.FORBIDDEN]
