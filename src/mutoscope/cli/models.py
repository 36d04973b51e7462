"""`mutoscope models`: the catalog as this configuration has it."""

from typing import Any

from mutoscope.catalog import Catalog, Model
from mutoscope.cli import _show
from mutoscope.cli._options import AsJson, Config, settings_of
from mutoscope.config import Settings
from mutoscope.routes import route


def models(*, config: Config = None, as_json: AsJson = False) -> None:
    """Which models there are, what they do, who makes them here, and which paths name them."""
    settings = settings_of(config)
    limits = settings.limits
    catalog = Catalog(settings.models, max_concurrent=limits.max_concurrent, max_daily=limits.max_daily)
    rows = list(catalog.models.values())
    if as_json:
        _show.print_json([told(model, settings) for model in rows])
        return
    columns = ("name", "vendor", "operations", "engines", "named as")
    _show.print_table(columns, [row(model, settings) for model in rows])
    _show.out.print(
        'Other engines for a model: engines = ["…", "…"] under [models."NAME"] in mutoscope.toml.',
        markup=False,
    )


def row(model: Model, settings: Settings) -> tuple[str, ...]:
    named = [f"{wire}: {path}" for wire, paths in model.names.items() for path in paths]
    return (
        model.name,
        model.vendor,
        ", ".join(sorted(model.serves)),
        ", ".join(route(model, settings.accounts)),
        "\n".join(named),
    )


def told(model: Model, settings: Settings) -> dict[str, Any]:
    return {
        "name": model.name,
        "vendor": model.vendor,
        "operations": sorted(model.serves),
        "engines": route(model, settings.accounts),
        "names": model.names,
        "defaults": model.defaults,
        "max_seconds": model.max_seconds,
        "max_concurrent": model.max_concurrent,
        "max_daily": model.max_daily,
        "price": model.price,
    }
