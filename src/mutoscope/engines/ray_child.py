"""The child of the engine `ray`: hands a job to an actor of a Ray cluster, which makes it as `diffusers_child.py` does.

It speaks the same lines as that program, and is run in its place, by a Python that has Ray. The actor is made when this
process loads and is gone with it: what it needs, where it runs and whether the cluster grows for it are Ray's affair.
Files travel with the messages, for the machine of the actor may be another.

{"unloadable": …, "absent": true} comes out where the cluster cannot be reached: the job is tried again later.
{"lost": …} stands for an actor that died or was cut off; then this process ends.
"""

import importlib
import os
import queue
import threading
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

Json = dict[str, Any]

MAKER = Path(__file__).with_name("diffusers_child.py")
LOOK_SECONDS = 0.2  # how often the actor is asked how far it is
MAX_TRACE = 4000  # characters


def main() -> None:
    """Reach the cluster, have an actor load, then pass jobs on until nobody asks any more."""
    shared = module_of(MAKER.read_text())
    report = shared.reporter()
    orders: queue.Queue[Json] = queue.Queue()
    unwanted: set[str] = set()
    threading.Thread(target=shared.listen, args=(orders, unwanted), daemon=True).start()
    settings = orders.get()["load"]
    try:
        ray: Any = importlib.import_module("ray")
    except ImportError as error:
        report({"unloadable": repr(error), "told": "its Python lacks the package ray"})
        os._exit(1)
    try:
        actor = start(ray, settings)
        facts = ray.get(actor.load.remote())  # our parent has a clock
    except Exception as error:
        report(unloadable(ray, error))
        os._exit(1)
    if "unloadable" in facts:
        report(facts)
        os._exit(1)
    report({"loaded": facts})
    while True:
        order = orders.get()
        try:
            news = follow(ray, actor, order, report, unwanted)
        except ray.exceptions.RayError as error:
            # Also for one that cannot be reached for now: whether it runs is unknown, and another attempt is free.
            report({"job": order["make"], "lost": type(error).__name__, "trace": trace_of(error)})
            os._exit(1)
        report({"job": order["make"], **news})
        if "lost" in news:
            os._exit(1)


def start(ray: Any, settings: Json) -> Any:
    """An actor of its own, with what the settings set aside for it."""
    address = settings["cluster"]["address"] or "auto"
    ray.init(address=address, namespace="mutoscope", log_to_driver=False, logging_level="error")
    wanted: dict[str, float] = dict(settings["cluster"]["resources"] or {"GPU": 1.0})
    kind = ray.remote(
        num_cpus=wanted.pop("CPU", 0.0),
        num_gpus=wanted.pop("GPU", 0.0),
        resources=wanted,
        max_restarts=0,  # this process is replaced with it
        max_task_retries=0,  # whether there is a second try is for the job to say
        max_concurrency=3,  # progress and cancellation are asked for while it makes
        runtime_env={"env_vars": variables(settings)},
    )(Actor)
    return kind.remote(MAKER.read_text(), settings | {"device": "auto"})


def variables(settings: Json) -> dict[str, str]:
    """What the processes of the cluster are given: the same as a child here."""
    offline = {} if settings["online"] else {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
    return {"HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_HUB_DISABLE_TELEMETRY": "1", **offline, **settings["environment"]}


def unloadable(ray: Any, error: Exception) -> Json:
    told = "the cluster cannot be reached"
    if isinstance(error, ray.exceptions.RayError):
        told = "the actor died while it loaded"
    return {"unloadable": trace_of(error), "told": told, "absent": True}


def follow(ray: Any, actor: Any, order: Json, report: Any, unwanted: set[str]) -> Json:
    """Give the order, pass on how far it is, and write the files that come back."""
    id, told, was_canceled = order["make"], -1.0, False
    inputs = {name: [each | {"data": Path(each["path"]).read_bytes()} for each in given]
              for name, given in order["inputs"].items()}  # fmt: skip
    work = actor.make.remote({**order, "inputs": inputs})
    while not ray.wait([work], timeout=LOOK_SECONDS)[0]:
        if id in unwanted and not was_canceled:
            was_canceled = True
            ray.get(actor.cancel.remote(id))
        share, glimpse = ray.get(actor.progress.remote(), timeout=60)
        if glimpse is not None:
            report({"job": id, "glimpse": glimpse})
        if share > told:
            told = share
            report({"job": id, "progress": round(share, 4)})
    unwanted.discard(id)
    news: Json = ray.get(work)
    for file in news.get("done", {}).get("files", ()):
        path = Path(order["out"]) / file["path"]
        path.write_bytes(file.pop("data"))
        file["path"] = str(path)
    return news


class Actor:
    """What runs on the cluster. It is sent there as it is, so it names nothing of this file."""

    def __init__(self, source: str, settings: dict[str, Any]) -> None:
        import types

        self.child = types.ModuleType("mutoscope_maker")
        exec(compile(source, "diffusers_child.py", "exec"), self.child.__dict__)  # noqa: S102 (our own text)
        self.maker = self.child.Maker(settings)
        self.unwanted: set[str] = set()
        self.share = 0.0
        self.glimpse: str | None = None  # not yet asked for

    def load(self) -> dict[str, Any]:
        import platform

        try:
            return {**self.maker.load(), "node": platform.node()}
        except BaseException as error:
            return self.child.load_failure(error)

    def make(self, order: dict[str, Any]) -> dict[str, Any]:
        import tempfile
        from pathlib import Path

        self.share, self.glimpse = 0.0, None

        def hear(news: dict[str, Any]) -> None:
            self.share = news.get("progress", self.share)
            self.glimpse = news.get("glimpse", self.glimpse)

        with tempfile.TemporaryDirectory() as folder:
            room = Path(folder)
            for name, given in order["inputs"].items():
                for number, each in enumerate(given):
                    path = room / f"in-{name}-{number}"
                    path.write_bytes(each.pop("data"))
                    each["path"] = str(path)
            news = self.child.attempt(self.maker, {**order, "out": folder}, hear, self.unwanted)
            for file in news.get("done", {}).get("files", ()):
                path = Path(file["path"])
                file |= {"path": path.name, "data": path.read_bytes()}
            return news

    def progress(self) -> tuple[float, str | None]:
        glimpse, self.glimpse = self.glimpse, None
        return self.share, glimpse

    def cancel(self, id: str) -> None:
        self.unwanted.add(id)


def module_of(text: str) -> Any:
    module = ModuleType("mutoscope_maker")
    module.__dict__["__file__"] = str(MAKER)
    exec(compile(text, str(MAKER), "exec"), module.__dict__)  # noqa: S102 (our own text)
    return module


def trace_of(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))[-MAX_TRACE:]


if __name__ == "__main__":
    main()
