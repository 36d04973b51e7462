"""Celery, from claim to end: jobs of one task that does nothing, filed beforehand.

PEER_BROKER=URL PEER_BACKEND=URL PEER_FOLDER=FOLDER python _peer_celery.py JOBS CONCURRENCY

It runs in an environment of its own and prints the seconds from the worker's first task to the last one's end, and the
CPU seconds of the worker and its children. A task is acknowledged when it has ended, and its result is kept.
"""

import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from celery import Celery  # pyright: ignore[reportMissingImports]

broker = os.environ["PEER_BROKER"]
app: Any = Celery("_peer_celery", broker=broker, backend=os.environ["PEER_BACKEND"])
app.conf.update(task_acks_late=True, worker_prefetch_multiplier=1, broker_connection_retry_on_startup=True)
if broker.startswith("filesystem"):
    folder = Path(os.environ["PEER_FOLDER"])
    places = {name: str(folder / name) for name in ("data_folder_in", "data_folder_out", "processed_folder")}
    places["data_folder_out"] = places["data_folder_in"]
    for place in (*places.values(), folder / "control"):
        Path(place).mkdir(parents=True, exist_ok=True)
    app.conf.broker_transport_options = {**places, "control_folder": folder / "control", "store_processed": False}


def note(number: int) -> float:
    del number
    return time.time()


nothing: Any = app.task(name="nothing")(note)


def measure(jobs: int, concurrency: int) -> None:
    results = [nothing.delay(number) for number in range(jobs)]
    words = ["-P", "threads", "-c", str(concurrency), "--without-gossip", "--without-mingle", "--without-heartbeat"]
    command = [sys.executable, "-m", "celery", "-A", "_peer_celery", "worker", "-l", "error", *words]
    worker = subprocess.Popen([*command], cwd=Path(__file__).parent, stdout=subprocess.DEVNULL)
    ends = [each.get(timeout=300) for each in results]
    worker.terminate()
    _ = worker.wait(60)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(max(ends) - min(ends), used.ru_utime + used.ru_stime)


if __name__ == "__main__":
    measure(int(sys.argv[1]), int(sys.argv[2]))
