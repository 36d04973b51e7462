"""Which of the queued jobs is next, fair between their owners, in SQL as the writer's thread runs it."""

# ruff: noqa: S608  (what is put into the SQL here are our own constants)

from heapq import heapify, heappop, heapreplace

from mutoscope.store.sql.connection import Connection

OWNERS_KEPT = 10_000
ID_LENGTH = 36
QUEUED = "state = 'queued' AND throttled = 0 AND engine = ?1"
ENDS = f"SELECT (SELECT min(owner) FROM jobs WHERE {QUEUED}), (SELECT max(owner) FROM jobs WHERE {QUEUED})"
OLDEST = f"SELECT id, started IS NULL FROM jobs WHERE {QUEUED} AND owner = ?2 ORDER BY id LIMIT ?3"
# One text, so that the rows are put together where the interpreter is free for others.
ALL_QUEUED = f"SELECT group_concat(id, ' ') FROM (SELECT id FROM jobs WHERE {QUEUED} ORDER BY id) AS found"
# The oldest job of every owner that waits, as its id and the owner. Each step seeks the first entry of the next owner
# instead of reading a backlog; one text for both, because a step can carry one value.
HEADS = f"""
    WITH RECURSIVE heads (head) AS (
        SELECT (SELECT id || owner FROM jobs WHERE {QUEUED} ORDER BY owner, id LIMIT 1)
        UNION ALL
        SELECT (SELECT id || owner FROM jobs WHERE {QUEUED} AND owner > substr(heads.head, {ID_LENGTH + 1})
                ORDER BY owner, id LIMIT 1)
        FROM heads WHERE head IS NOT NULL)
    SELECT head FROM heads WHERE head IS NOT NULL"""
RUNNING = "SELECT owner, count(*) FROM jobs WHERE state = 'running' AND engine = ? GROUP BY owner"

HOLDINGS = "SELECT model, held, waiting FROM standings WHERE owner = ?"
# An open server's jobs have no standing: those that wait are what is unfinished less what runs. Engines are few: the
# name of each is sought from the one before it.
OPEN_WAITING = """
    WITH RECURSIVE engines (engine) AS (
        SELECT min(engine) FROM jobs WHERE state = 'running'
        UNION ALL
        SELECT (SELECT min(engine) FROM jobs WHERE state = 'running' AND engine > engines.engine)
        FROM engines WHERE engine IS NOT NULL)
    SELECT (SELECT count(*) FROM jobs WHERE owner = '' AND finished IS NULL)
        - (SELECT CAST(coalesce(sum((SELECT count(*) FROM jobs
                                     WHERE state = 'running' AND engine = engines.engine AND owner = '')), 0) AS BIGINT)
           FROM engines WHERE engine IS NOT NULL)"""


class Turns:
    """Who was served last, of those who wait for an engine. What a process forgets when it ends: then the oldest job
    goes first, once."""

    def __init__(self) -> None:
        self._served: dict[tuple[str, str], int] = {}  # (engine, owner) → when, in turns; the oldest first
        self._count = 0

    def last(self, engine: str, owner: str) -> int:
        return self._served.get((engine, owner), 0)

    def serve(self, engine: str, owner: str) -> int:
        self._count += 1
        self._served.pop((engine, owner), None)
        self._served[engine, owner] = self._count
        if len(self._served) > OWNERS_KEPT:
            self._served.pop(next(iter(self._served)))
        return self._count


def next_queued(db: Connection, turns: Turns, engine: str, limit: int) -> dict[str, bool]:
    """Ids in the order of their turn, and whether each would run for the first time.

    The turn is of the owner with the fewest jobs running on the engine; among those with equally many, of the one who
    had none for the longest time, so that it goes round where there is one slot only; then of the oldest job. So
    whoever fills the queue makes nobody else wait for more than the jobs that run now.
    """
    first, last = db.execute(ENDS, (engine,)).fetchone()
    if first is None:
        return {}
    if first == last:
        _ = turns.serve(engine, first)
        return dict(db.execute(OLDEST, (engine, first, limit)))
    chosen: dict[str, bool] = {}
    waiting: dict[str, list[tuple[str, int]]] = {}  # owner → its oldest jobs, the next one last; read when first chosen
    line = [(running, turns.last(engine, owner), id, owner) for running, id, owner in heads(db, engine)]
    heapify(line)
    while line and len(chosen) < limit:
        running, _, _, owner = line[0]
        jobs = waiting.get(owner)
        if jobs is None:
            oldest = db.execute(OLDEST, (engine, owner, limit - len(chosen) + 1)).fetchall()
            jobs = waiting[owner] = oldest[::-1]
        id, fresh = jobs.pop()
        chosen[id] = bool(fresh)
        turn = turns.serve(engine, owner)
        _ = heapreplace(line, (running + 1, turn, jobs[-1][0], owner)) if jobs else heappop(line)
    return chosen


def heads(db: Connection, engine: str) -> list[tuple[int, str, str]]:
    """Of each owner that waits: how many jobs it has running, its oldest waiting one, its name."""
    running: dict[str, int] = dict(db.execute(RUNNING, (engine,)))
    pairs = [(head[:ID_LENGTH], head[ID_LENGTH:]) for (head,) in db.execute(HEADS, (engine,))]
    return [(running.get(owner, 0), id, owner) for id, owner in pairs]
