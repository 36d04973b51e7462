"""Which engines may make a model, in which order, and which of them takes a job."""

import random
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from mutoscope.engines import Engine
from mutoscope.engines.relay import back_of
from mutoscope.model.catalog import Model
from mutoscope.model.config import VendorAccount
from mutoscope.model.job import Generation
from mutoscope.model.problem import Kind, Problem
from mutoscope.wires import BY_NAME

FALLBACK = "studio"  # for models that no account has and nobody routed


class Chosen(NamedTuple):
    engine: Engine
    notes: tuple[str, ...]  # what it does not support, by leave of the model's row


def route(model: Model, accounts: Mapping[str, VendorAccount]) -> tuple[str, ...]:
    """The engines of a model, as the operator or the accounts have it: names of engines, or a wire's for its accounts.

    Where nobody said otherwise: the accounts that have the model, its maker's first; the built-in renderer where there
    is none, and only then, since a render is not what a vendor makes.
    """
    if model.engines:
        return model.engines
    wires = list(dict.fromkeys(account.wire for account in accounts.values() if has(account, model)))
    wires.sort(
        key=lambda wire: (back := BY_NAME[wire].back or BY_NAME[wire].media) is None or back.vendor != model.vendor
    )
    return tuple(wires) or (FALLBACK,)


def has(account: VendorAccount, model: Model) -> bool:
    wire = BY_NAME.get(account.wire)
    back = back_of(wire, account)
    if wire is None or back is None or (account.models and model.name not in account.models):
        return False
    names = model.names.get(wire.name)
    return bool(names) and any(back.supports(operation, names) is not None for operation in model.serves)


class Routes:
    def __init__(
        self,
        engines: Mapping[str, Engine],
        accounts: Mapping[str, VendorAccount],
        draw: Callable[[], float] = random.random,
        last: tuple[str, ...] = (),
    ) -> None:
        """`last` are engines that stand at the end of every route."""
        self.engines, self.accounts, self.draw, self.last = engines, accounts, draw, last
        self.wires: dict[str, list[str]] = {}  # a wire's name stands for all its accounts
        for name, account in accounts.items():
            self.wires.setdefault(account.wire, []).append(name)
        self._groups: dict[tuple[str, tuple[str, ...]], tuple[tuple[str, ...], ...]] = {}

    def choose(
        self, asked: Generation, model: Model, fields: Mapping[str, str], *, allowed: Collection[str] = ()
    ) -> Chosen:
        """The first engine that can do all that was asked; one that is left alone for now only when no other can.

        `allowed` are the engines that a key may use, where those are not all. Raises Problem: why the first of them
        cannot, in the caller's words; FORBIDDEN when the key may use none of them.
        """
        able: list[Chosen] = []
        refusal: Problem | None = None
        candidates = self.candidates(model)
        suited = [each for each in candidates if self.may_use(each.name, allowed)] if allowed else candidates
        if candidates and not suited:
            raise not_for_this_key(model, candidates, allowed)
        for engine in suited:
            try:
                able.append(Chosen(engine, engine.plan(asked, model, fields)))
            except Problem as problem:
                refusal = refusal or problem
        for each in able:
            if each.engine.is_up:
                return each
        if able:
            return able[0]
        raise refusal or no_engine(model, self.engines)

    def next(
        self, generation: Generation, model: Model, tried: tuple[str, ...], *, allowed: Collection[str] = ()
    ) -> Engine | None:
        """Who takes over what the engines of `tried` could not have made; None when nobody can."""
        for engine in self.candidates(model):
            if engine.name not in tried and self.may_use(engine.name, allowed) and engine.is_up:
                try:
                    engine.plan(generation, model, {})
                except Problem:
                    continue
                return engine
        return None

    def candidates(self, model: Model) -> list[Engine]:
        """The engines of the model's route; accounts of one wire in an order that is drawn by their weights."""
        groups = self._groups.get((model.name, model.engines))
        if groups is None:
            groups = self._groups[model.name, model.engines] = tuple(self.groups(model))
        if len(groups) == 1 and len(groups[0]) == 1:  # most have one engine
            return [self.engines[groups[0][0]]]
        found: dict[str, Engine] = {}
        for group in groups:
            for name in self.shuffled(group):
                found.setdefault(name, self.engines[name])
        return list(found.values())

    def groups(self, model: Model) -> Iterator[tuple[str, ...]]:
        """The names in the model's route; where a wire's is among them, its accounts that have the model."""
        for name in (*route(model, self.accounts), *self.last):
            if name in self.wires:
                yield tuple(each for each in self.wires[name] if has(self.accounts[each], model))
            elif name in self.engines:
                yield (name,)
            else:
                raise no_such_engine(name, model, self.engines)

    def may_use(self, engine: str, allowed: Collection[str]) -> bool:
        """Whether an engine is among the allowed, by its name or by that of its wire; nothing allowed means all."""
        if not allowed or engine in allowed:
            return True
        account = self.accounts.get(engine)
        return account is not None and account.wire in allowed

    def has_detour(self, engine: str, models: Iterable[Model]) -> bool:
        """Whether the jobs of any model could go elsewhere when this engine is left alone."""
        for model in models:
            names = [each for name in route(model, self.accounts) for each in self.wires.get(name, [name])]
            if engine in names and len(names) > 1:
                return True
        return False

    def shuffled(self, names: Sequence[str]) -> Sequence[str]:
        """Each is first as often as its weight says (Efraimidis and Spirakis 2006)."""
        if len(names) < 2:
            return names
        return sorted(names, key=lambda name: self.draw() ** (1 / max(self.accounts[name].weight, 1e-9)), reverse=True)


def not_for_this_key(model: Model, candidates: Iterable[Engine], allowed: Collection[str]) -> Problem:
    makers = ", ".join(engine.name for engine in candidates)
    return Problem(
        Kind.FORBIDDEN,
        f"This key may not use what makes {model.name} here ({makers}); it may use {', '.join(allowed)}.",
    )


def no_engine(model: Model, engines: Mapping[str, Engine]) -> Problem:
    has_engines = ", ".join(sorted(engines))
    return Problem(Kind.UNSUPPORTED, f"No engine here makes {model.name}; there are {has_engines}.", field="model")


def no_such_engine(name: str, model: Model, engines: Mapping[str, Engine]) -> Problem:
    has_engines = ", ".join(sorted(engines))
    message = f"Model {model.name} is routed to engine {name!r}, which does not exist here ({has_engines} do)."
    return Problem(Kind.UNSUPPORTED, message, field="model")
