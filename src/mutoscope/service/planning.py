"""What is decided about a wish before anything of it is kept: its model, who makes it, its price and its limits."""

from msgspec import Struct
from msgspec.structs import replace

from mutoscope.engines import Engine
from mutoscope.model import catalog
from mutoscope.model.catalog import Catalog, Model
from mutoscope.model.config import Limits, Rights
from mutoscope.model.job import Generation
from mutoscope.model.requests import Submission
from mutoscope.service.keys import Share, check_scope, share_of
from mutoscope.service.pricing import Prices
from mutoscope.service.routing import Routes
from mutoscope.store import SpendingHold


class Plan(Struct, frozen=True, kw_only=True):
    generation: Generation  # with every default; its inputs are still as they were sent, and its seed is not drawn
    engine: str
    remote: bool  # whether that engine is a vendor's
    engines: tuple[str, ...]  # those that may take over; () stands for all
    notes: tuple[str, ...]
    estimate: float  # credits
    hold: SpendingHold | None  # what is set aside, for a key with a budget
    share: Share


class Planner:
    def __init__(self, *, catalog: Catalog, routes: Routes, prices: Prices, limits: Limits) -> None:
        self.catalog, self.routes, self.prices, self.limits = catalog, routes, prices, limits

    def plan(
        self, submission: Submission, *, wire: str, rights: Rights, engine: str | None = None, kept: bool = False
    ) -> Plan:
        """Decide about what was asked on a wire, by a caller of these rights.

        The catalog comes first, then who may make it at a known price, then which of these does, then cost and
        limits. `engine` overrides the model's route. `kept`: its files are fetched before the job is filed, and what
        was a link is a file of ours then. Raises Problem.
        """
        model = self.catalog.named(wire, submission.generation.model)
        asked = submission.generation
        if asked.model != model.name:
            asked = replace(asked, model=model.name)
        check_scope("model", model.name, rights.models)
        if submission.fails:
            share = share_of(rights, model, self.limits)
            return Plan(generation=asked, engine="", remote=True, engines=(), notes=submission.notes, estimate=0.0,
                        hold=None, share=share)  # fmt: skip
        if engine is not None:
            model = replace(model, engines=(engine,))
        catalog.check(asked, model, submission.fields)
        allowed = self.affordable(model, rights)
        wish = with_files(asked) if kept else asked
        maker, notes = self.routes.choose(wish, model, submission.fields, allowed=allowed)
        passes = maker.speaks == wire
        if passes and submission.unread:
            asked = replace(asked, wire=wire, unread=submission.unread)
        generation = catalog.complete(asked, model, remote=maker.remote)
        return Plan(
            generation=generation,
            engine=maker.name,
            remote=maker.remote,
            engines=allowed,
            notes=submission.notes + (() if passes else submission.ignored) + notes,
            estimate=self.prices.estimate(generation, model, maker.name),
            hold=self.prices.spending_hold(generation, model, rights, engine=maker.name, engines=allowed),
            share=share_of(rights, model, self.limits),
        )

    def affordable(self, model: Model, rights: Rights) -> tuple[str, ...]:
        """The engines that a key may use; with a budget, only those whose price for the model is known.

        Raises Problem(FORBIDDEN) when there is none.
        """
        if rights.budget is None:
            return rights.engines
        makers = [engine.name for engine in self.routes.candidates(model)]
        makers = [name for name in makers if self.routes.may_use(name, rights.engines)]
        return self.prices.known(model, makers) or rights.engines


def with_files(asked: Generation) -> Generation:
    """As it is when its links have become files."""
    return replace(asked, inputs=tuple(replace(each, url=None) for each in asked.inputs))


def with_defaults_and_seed(asked: Generation, model: Model, maker: Engine, id: str) -> Generation:
    """What was asked with the row's defaults and a seed, as the engine needs it."""
    return seeded(catalog.complete(asked, model, remote=maker.remote), id, remote=maker.remote)


def seeded(generation: Generation, id: str, *, remote: bool) -> Generation:
    """With a seed where nobody chose one: drawn from the job's id, so that a second attempt makes the same thing. A
    vendor draws its own."""
    if remote or generation.seed is not None:
        return generation
    return replace(generation, seed=drawn(id))


def without_drawn_seed(generation: Generation, id: str) -> Generation:
    """As it was asked for: a seed that `seeded` drew is another one for each job."""
    return replace(generation, seed=None) if generation.seed == drawn(id) else generation


def drawn(id: str) -> int:
    return int(id[-8:], 16) & 0x7FFFFFFF
