"""What a job may cost and what it cost, in credits, by the engine that makes it."""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from mutoscope.model import catalog
from mutoscope.model.catalog import Catalog, Model, Price
from mutoscope.model.config import Rights, VendorAccount
from mutoscope.model.job import Generation, Job, Output
from mutoscope.model.problem import Kind, Problem
from mutoscope.store import SpendingHold


class Prices:
    def __init__(self, catalog: Catalog, accounts: Mapping[str, VendorAccount]) -> None:
        self.catalog, self.accounts = catalog, accounts

    def price_at(self, model: Model, engine: str) -> Price:
        account = self.accounts.get(engine)
        return catalog.price_at(model, engine, account.wire if account else "")

    def estimate(self, generation: Generation, model: Model, engine: str) -> float:
        return catalog.estimate(generation, self.price_at(model, engine), longest=model.max_seconds)

    def known(self, model: Model, makers: Sequence[str]) -> tuple[str, ...]:
        """Those engines whose price for the model is known. Raises Problem(FORBIDDEN) when there are engines and not
        one of them has such a price."""
        known = tuple(name for name in makers if self.price_at(model, name).known)
        if makers and not known:
            raise unpriced(model, makers)
        return known

    def spending_hold(
        self, generation: Generation, model: Model, rights: Rights, *, engine: str, engines: Sequence[str]
    ) -> SpendingHold | None:
        """What is set aside for a job of a key with a budget: enough for the dearest of the `engines` that may come to
        make it; `engine` is the one that is to make it now."""
        if rights.budget is None:
            return None
        credits = max(self.estimate(generation, model, name) for name in engines or (engine,))
        return SpendingHold(credits=credits, budget=rights.budget, period=rights.budget_period)

    def cost_of(self, job: Job, outputs: Sequence[Output]) -> float:
        """What the vendor would charge for what was made; by its length, where the request does not say how long it
        should be."""
        model = self.catalog.models.get(job.generation.model)
        if model is None:  # taken from the catalog since
            return job.estimate
        generation = job.generation
        made = max((each.seconds or 0.0 for each in outputs), default=0.0)
        if generation.seconds is None and made:
            generation = replace(generation, seconds=made)
        return self.estimate(generation, model, job.engine)


def unpriced(model: Model, makers: Sequence[str]) -> Problem:
    setting = f'[models."{model.name}"]'
    return Problem(
        Kind.FORBIDDEN,
        f"This key has a budget, and what {model.name} costs at {', '.join(makers)} is not known. Whoever runs this"
        f" server can say it: price, or prices for one engine, under {setting} in mutoscope.toml.",
    )
