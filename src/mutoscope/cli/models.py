"""`mutoscope models`: the catalog as this configuration has it."""

from typing import Annotated, Any

from cyclopts import Parameter
from msgspec.structs import asdict

from mutoscope.cli import _show
from mutoscope.cli._options import AsJson, Config, settings_of
from mutoscope.model.catalog import Catalog, Model, Price, price_at, price_words
from mutoscope.model.config import Settings
from mutoscope.service.routing import route
from mutoscope.wires import ROWS


def models(
    *, prices: Annotated[bool, Parameter(negative="")] = False, config: Config = None, as_json: AsJson = False
) -> None:
    """Which models there are, what they do, who makes them here, and which paths name them.

    Parameters
    ----------
    prices
        What each costs where it is made here, and who says so.
    """
    settings = settings_of(config)
    limits = settings.limits
    catalog = Catalog(ROWS, settings.models, max_concurrent=limits.max_concurrent, max_daily=limits.max_daily)
    rows = list(catalog.models.values())
    if as_json:
        _show.print_json([json_of(model, settings) for model in rows])
        return
    if prices:
        rows_of_prices = [line for model in rows for line in price_rows(model, settings)]
        _show.print_table(("name", "made by", "credits", "says who"), rows_of_prices)
        _show.out.print(
            "A credit is US$0.01. A key with a budget is refused what is nominal; other figures: price, or prices for"
            ' one engine, under [models."NAME"] in mutoscope.toml.',
            markup=False,
        )
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


def price_rows(model: Model, settings: Settings) -> list[tuple[str, ...]]:
    """A line for each price that is another one."""
    makers: dict[tuple[str, str], list[str]] = {}
    for engine in made_by(model, settings):
        price = price_here(model, engine, settings)
        makers.setdefault((price_words(price), says_who(price)), []).append(engine)
    return [(model.name, ", ".join(names), words, who) for (words, who), names in makers.items()]


def made_by(model: Model, settings: Settings) -> list[str]:
    """The engines of its route; a wire's accounts by name."""
    accounts = {name: account.wire for name, account in settings.accounts.items()}
    return [
        engine
        for name in route(model, settings.accounts)
        for engine in ([each for each, wire in accounts.items() if wire == name] or [name])
    ]


def price_here(model: Model, engine: str, settings: Settings) -> Price:
    account = settings.accounts.get(engine)
    return price_at(model, engine, account.wire if account else "")


def says_who(price: Price) -> str:
    where = f"{price.source} ({price.checked})" if price.checked else price.source or "nominal"
    return f"{where}: {price.note}" if price.note else where


def json_of(model: Model, settings: Settings) -> dict[str, Any]:
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
        "prices": {
            engine: asdict(price) | {"known": price.known}
            for engine in made_by(model, settings)
            for price in (price_here(model, engine, settings),)
        },
    }
