"""The store on a database that speaks SQL: one writer thread with group commit, and what is remembered of hot jobs."""

# ruff: noqa: S608  (what is put into the SQL here are our own constants)

import heapq
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from itertools import islice
from time import time
from typing import Any, Literal

import msgspec

from mutoscope.model.job import Dispatch, Event, Failure, Job, Json, Output, Sent, State, Watch
from mutoscope.model.problem import Kind, Problem
from mutoscope.model.requests import Upload
from mutoscope.model.words import KeptAnswer
from mutoscope.store.fleet import Fleet
from mutoscope.store.hot import HotJobs
from mutoscope.store.protocol import (
    EVENTS,
    Attempt,
    Balance,
    DeliveryRecord,
    DueDeliveries,
    Entry,
    ExchangeRecord,
    Figures,
    Forgotten,
    JobList,
    Kept,
    KeyRecord,
    News,
    Outlay,
    PendingDelivery,
    Repeat,
    Settlement,
    Sieve,
    SpendingHold,
    SpendingRow,
    Swept,
)
from mutoscope.store.sql import assets as files
from mutoscope.store.sql import browse, figures, jobs, keys, ledger, queue, retention, transcripts, upstream
from mutoscope.store.sql import deliveries as outbox
from mutoscope.store.sql import idempotency as repeats
from mutoscope.store.sql.connection import NOT_OPEN, Connection, Database, in_strides
from mutoscope.store.sql.queue import Turns
from mutoscope.store.sql.rows import (
    COLUMNS,
    DELIVERY_COLUMNS,
    DISPATCH_COLUMNS,
    EVENT_COLUMNS,
    UPLOAD_COLUMNS,
    Row,
    Value,
    blob,
    decode_outputs,
    delivery_of,
    dispatch_of,
    encode,
    event_of,
    job_of,
    row_of,
    texts,
    upload_of,
    upload_row,
)
from mutoscope.store.sql.writer import Changes, Work, Writer

SHOWN = f"SELECT {COLUMNS} FROM jobs WHERE deleted = 0"
GET = f"{SHOWN} AND id = ?"
AMONG = f"{SHOWN} AND id IN (SELECT value FROM json_each(?)) ORDER BY id DESC"
UNFINISHED = f"""SELECT {COLUMNS} FROM jobs INDEXED BY jobs_unfinished
    WHERE finished IS NULL AND state = ? ORDER BY id DESC LIMIT ?"""
# Each count is of the entries of one index, and reads no job.
COUNTS = """
    SELECT 'running', count(*) FROM jobs WHERE state = 'running'
    UNION ALL
    SELECT 'queued', (SELECT count(*) FROM jobs WHERE finished IS NULL)
                     - (SELECT count(*) FROM jobs WHERE state = 'running')
    UNION ALL
    SELECT value, (SELECT count(*) FROM jobs WHERE state = value AND finished IS NOT NULL AND deleted = 0)
    FROM json_each(?)"""
# Accounts are few: the first of each, found by seeking from one name to the next.
NEXT_WATCH = """
    WITH RECURSIVE accounts (account) AS (
        SELECT min(account) FROM watches WHERE due IS NOT NULL
        UNION ALL
        SELECT (SELECT min(account) FROM watches WHERE due IS NOT NULL AND account > accounts.account)
        FROM accounts WHERE account IS NOT NULL)
    SELECT min((SELECT min(due) FROM watches AS w WHERE due IS NOT NULL AND w.account = accounts.account))
    FROM accounts WHERE account IS NOT NULL"""
PROGRESS_STEP = 0.01  # a smaller one is not worth a write


class SqlStore:
    """The Store protocol, which documents the methods. Used from one event loop."""

    def __init__(self, database: Database, *, hot_jobs: int, clock: Callable[[], float]) -> None:
        """`clock` ages the hot jobs."""
        self._database = database
        self._hot = HotJobs(hot_jobs, clock=clock)
        self._being_read: dict[str, object] = {}  # ids of jobs that are, each with something to tell the reads apart
        self._turns = Turns()
        self._add_together = partial(jobs.add_together, tallies=jobs.Tallies())
        self._writer: Writer | None = None
        self._read, self._report = database.read, database.report
        self.told: Callable[[News], None] | None = None
        self.fleet: Fleet | None = None  # where other processes may work on the same jobs
        self._removals = -1  # by any process, when it was last asked

    async def open(self) -> None:
        """Raises NewerDatabase, and Problem when the database cannot be used."""
        self._writer = Writer(await self._database.open(), self._publish)
        self._database.listen(self._heard)

    async def close(self) -> None:
        if self._writer is not None:
            await self._writer.close()
        await self._database.close()
        self._hot.clear()

    @property
    def shared(self) -> bool:
        return self._database.shared

    @property
    def commits(self) -> int:
        """Transactions written since opening; each may carry the changes of many callers."""
        return self._open_writer.commits

    @property
    def statements(self) -> int:
        """That were sent for them; 0 where the database is none to send to."""
        return self._database.statements

    @property
    def _open_writer(self) -> Writer:
        if self._writer is None:
            raise Problem(Kind.UNAVAILABLE, NOT_OPEN)
        return self._writer

    # Jobs: reading

    def hot(self, id: str) -> Job | None:
        return self._hot.get(id)

    async def get(self, id: str) -> Job | None:
        job = self._hot.get(id)
        if job is None:
            mine = self._being_read.setdefault(id, object())
            try:
                rows = await self._read(GET, (id,))
            finally:
                known = self._being_read.pop(id, None) is mine  # else it has changed since the database was asked
            for row in rows:
                job = job_of(row)
                if known:
                    self._hot.put(job)
        return job

    async def repeated(self, owner: str, repeat: Repeat, *, now: float) -> Job | None:
        if not repeat.replays:
            return None
        for id, digest in await self._read(repeats.FIND, (owner, repeat.key, now)):
            if digest != repeat.digest:
                raise repeats.other_request()
            job = await self.get(str(id))
            if job is None:
                raise repeats.deleted_since()
            return job
        return None

    async def list(self, *, wire: str, owner: str, route: str, limit: int, offset: int = 0) -> tuple[Job, ...]:
        if not route:
            return await self._list_all_routes(wire, owner, limit, offset)
        rows = await self._read(
            f"{SHOWN} AND wire = ? AND owner = ? AND route = ? ORDER BY id DESC LIMIT ? OFFSET ?",
            (wire, owner, route, limit, offset),
        )
        return tuple(map(job_of, rows))

    async def _list_all_routes(self, wire: str, owner: str, limit: int, offset: int) -> tuple[Job, ...]:
        """Merged from the newest of each route: the index is sorted within a route only, and routes are few."""
        routes = await self._read(
            """WITH RECURSIVE routes (route) AS (
                   SELECT min(route) FROM jobs WHERE deleted = 0 AND wire = ?1 AND owner = ?2
                   UNION ALL
                   SELECT (SELECT min(route) FROM jobs
                           WHERE deleted = 0 AND wire = ?1 AND owner = ?2 AND route > routes.route)
                   FROM routes WHERE route IS NOT NULL)
               SELECT route FROM routes WHERE route IS NOT NULL""",
            (wire, owner),
        )
        newest = """SELECT id FROM jobs WHERE deleted = 0 AND wire = ? AND owner = ? AND route = ?
                    ORDER BY id DESC LIMIT ?"""
        per_route = [await self._read(newest, (wire, owner, route, offset + limit)) for (route,) in routes]
        merged = heapq.merge(*per_route, reverse=True)
        ids = encode([str(id) for (id,) in islice(merged, offset, offset + limit)]).decode()
        return tuple(map(job_of, await self._read(AMONG, (ids,))))

    async def recent(self, *, limit: int, state: State | None = None) -> tuple[Job, ...]:
        if state is None:
            # "id > ''" is true of all, and lets the index find the end.
            rows = await self._read(f"{SHOWN} AND id > '' ORDER BY id DESC LIMIT ?", (limit,))
        elif state.final:
            rows = await self._read(
                f"{SHOWN} AND finished IS NOT NULL AND state = ? ORDER BY id DESC LIMIT ?", (state.value, limit)
            )
        else:  # sorts what is unfinished, which may be long
            rows = await self._report(UNFINISHED, (state.value, limit))
        return tuple(map(job_of, rows))

    async def browse(self, sieve: Sieve, *, limit: int) -> tuple[Job, ...]:
        return tuple(map(job_of, await self._report(*browse.query(sieve, limit))))

    async def doubtful(self, *, limit: int) -> tuple[Dispatch, ...]:
        return tuple(map(dispatch_of, await self._report(browse.DOUBTFUL, (limit,))))

    async def count_by_state(self) -> dict[State, int]:
        rows = await self._report(COUNTS, (encode([state for state in State if state.final]).decode(),))
        return dict.fromkeys(State, 0) | dict(msgspec.convert(rows, list[tuple[State, int]]))

    async def figures(self) -> Figures:
        return await figures.read(self._report)

    async def queued(self, engine: str) -> Sequence[str]:
        rows = await self._report(queue.ALL_QUEUED, (engine,))
        return str(rows[0][0] or "").split()

    async def touch(self) -> None:
        await self._write(touch)

    async def balance(self, owner: str, *, period: Literal["day", "month", "total"], now: float) -> Balance:
        key = ledger.period_of(period, now)
        charged, reserved = ledger.balance(await self._read(ledger.BALANCE, (owner, key)), key)
        return Balance(charged=charged / ledger.MICRO, reserved=reserved / ledger.MICRO)

    async def entries(self, job: str) -> tuple[Entry, ...]:
        return tuple(map(ledger.entry_of, await self._read(ledger.ENTRIES, (job,))))

    async def set_aside(self, outlay: Outlay) -> None:
        await self._open_writer.join(ledger.set_aside, outlay)

    async def settle_exchanges(
        self,
        settlements: Sequence[Settlement],
        *,
        outlays: Sequence[Outlay] = (),
        records: Sequence[ExchangeRecord] = (),
    ) -> None:
        rows = list(map(exchange_row, records))
        work = partial(settle_exchanges, settlements=tuple(settlements), outlays=tuple(outlays), rows=rows)
        return await self._write(work)

    async def exchanges(
        self, *, owner: str | None = None, before: str = "", limit: int = 100
    ) -> tuple[ExchangeRecord, ...]:
        last = before or "~"  # behind all ids
        if owner is None:
            rows = await self._report(
                "SELECT record FROM exchanges WHERE id < ? ORDER BY id DESC LIMIT ?", (last, limit)
            )
        else:
            query = "SELECT record FROM exchanges WHERE owner = ? AND id < ? ORDER BY id DESC LIMIT ?"
            rows = await self._report(query, (owner, last, limit))
        return tuple(map(exchange_of, rows))

    async def exchange(self, id: str) -> ExchangeRecord | None:
        rows = await self._read("SELECT record, request, response FROM exchanges WHERE id = ?", (id,))
        return next(map(exchange_of, rows), None)

    async def keep_answer(self, answer: KeptAnswer) -> None:
        return await self._write(partial(keep_answer, answer=answer))

    async def answers(self, owner: str, ids: Collection[str], *, back: int = 0) -> tuple[KeptAnswer, ...]:
        return tuple(map(answer_of, await self._read(ANSWERS, (owner, encode(list(ids)).decode(), back))))

    async def drop_answer(self, owner: str, id: str) -> bool:
        return await self._write(partial(drop_answer, owner=owner, id=id))

    async def spending(self, *, since: float, until: float, owner: str | None = None) -> tuple[SpendingRow, ...]:
        rows: list[Row] = []
        if not owner:
            rows += await self._report(ledger.OPEN_SPENDING, (since, until))
        if owner is None:
            rows += await self._report(ledger.SPENDING, (since, until))
        elif owner:
            rows += await self._report(ledger.OWNERS_SPENDING, (since, until, owner))
        return tuple(map(ledger.spending_of, rows))

    async def made_since(self, owner: str, since: float) -> dict[str, int]:
        rows = await self._report(
            f"""WITH RECURSIVE {MODELS}
                SELECT models.model, count(*) FROM models CROSS JOIN jobs
                WHERE jobs.owner = ?1 AND jobs.model = models.model AND jobs.id >= ?2 GROUP BY 1""",
            (owner, jobs.first_id(since)),
        )
        return dict(msgspec.convert(rows, list[tuple[str, int]]))

    # Jobs: transitions

    async def add(
        self,
        job: Job,
        *,
        concurrency: int | None = None,
        daily: int | None = None,
        queued: int | None = None,
        repeat: Repeat | None = None,
        hold: SpendingHold | None = None,
        replaces: bool = False,
        pending_delivery: PendingDelivery | None = None,
    ) -> Job:
        if concurrency is not None and concurrency < 1:
            raise ValueError("concurrency is 1 or more: a job that may never run should be refused")
        stored = job if job.updated else msgspec.structs.replace(job, updated=job.created)
        hold = hold_of(stored, hold)
        addition = jobs.Addition(
            stored, row_of(stored), concurrency, daily, repeat, queued, hold, replaces, pending_delivery
        )
        added: Job = await self._open_writer.join(self._add_together, addition)
        if replaces:
            self._hot.drop(job.id)
        return added

    async def claim(
        self,
        *,
        engine: str,
        worker: str,
        lease_seconds: float,
        limit: int,
        now: float,
        pending_delivery: PendingDelivery | None = None,
        made_before: float | None = None,
        held: Collection[str] = (),
        accepted_only: bool = False,
    ) -> JobList:
        until = now + lease_seconds
        work = partial(
            jobs.claim,
            turns=self._turns,
            engine=engine,
            worker=worker,
            leased_until=until,
            limit=limit,
            now=now,
            pending_delivery=pending_delivery,
            made_before=made_before,
            held=held,
            accepted_only=accepted_only,
        )
        return await self._write(work)

    async def renew(self, *, worker: str, lease_seconds: float, ids: Collection[str], now: float) -> set[str]:
        if not ids:
            return set()
        return await self._write(partial(jobs.renew, worker=worker, leased_until=now + lease_seconds, ids=tuple(ids)))

    async def progress(self, id: str, worker: str, share: float | None, *, upstream_status: str | None = None) -> bool:
        within = None if share is None else min(max(share, 0.0), 1.0)
        return await self._open_writer.join(jobs.progress, jobs.Progress(id, worker, within, upstream_status))

    async def show(self, id: str, worker: str, picture: bytes) -> bool:
        return await self._write(partial(jobs.show, id=id, worker=worker, picture=picture))

    async def hide(self, id: str) -> bool:
        return await self._write(partial(jobs.hide, id=id))

    async def glimpse(self, id: str) -> bytes | None:
        for (picture,) in await self._read(jobs.GLIMPSE, (id,)):
            return msgspec.convert(picture, bytes)
        return None

    async def checkpoint(self, id: str, worker: str, facts: Json) -> bool:
        work = partial(jobs.checkpoint, id=id, worker=worker, facts=encode(facts))
        return await self._write(work)

    async def release(self, id: str, worker: str, now: float, *, counted: bool = True) -> bool:
        return await self._write(partial(jobs.release, id=id, worker=worker, now=now, counted=counted))

    async def settle(
        self,
        id: str,
        worker: str,
        *,
        state: State,
        outputs: Sequence[Output] = (),
        failure: Failure | None = None,
        notes: Sequence[str] = (),
        cost: float = 0.0,
        now: float,
        pending_delivery: PendingDelivery | None = None,
    ) -> Job | None:
        ending = jobs.Ending(state.value, blob(outputs), blob(failure), tuple(notes), cost)
        return await self._open_writer.join(jobs.settle, jobs.Settling(id, worker, ending, now, pending_delivery))

    async def cancel(self, id: str, *, now: float, pending_delivery: PendingDelivery | None = None) -> Job | None:
        return await self._write(partial(jobs.cancel, id=id, now=now, pending_delivery=pending_delivery))

    async def delete(self, id: str, *, owner: str | None = None) -> bool:
        return await self._write(partial(jobs.delete, id=id, owner=owner, now=time()))

    async def recover(
        self,
        *,
        now: float,
        concurrency: Callable[[str, str], int | None] | None = None,
        dead: Collection[str] | None = None,
        listed: Collection[str] = (),
    ) -> int:
        work = partial(jobs.recover, now=now, concurrency=concurrency, dead=dead, listed=listed)
        return await self._write(work)

    # Jobs that a vendor makes

    async def intend(
        self, id: str, worker: str, *, account: str, reference: str, now: float, alone: bool = False
    ) -> Dispatch | None:
        work = partial(
            upstream.intend, id=id, worker=worker, account=account, reference=reference, now=now, alone=alone
        )
        return await self._write(work)

    async def accept(
        self, id: str, *, number: int, handle: Json, status: str, due: float, deadline: float, now: float
    ) -> bool:
        work = partial(
            upstream.accept,
            id=id,
            number=number,
            handle=handle,
            status=status,
            due=due,
            deadline=deadline,
            now=now,
        )
        return await self._write(work)

    async def resolve(self, id: str, *, number: int, sent: Sent, detail: str, now: float) -> bool:
        if sent in (Sent.INTENDED, Sent.ACCEPTED):
            raise ValueError("a dispatch turns out refused, unsent or unknown")
        work = partial(upstream.resolve, id=id, number=number, sent=sent, detail=detail, now=now)
        return await self._write(work)

    async def dispatches(self, id: str) -> tuple[Dispatch, ...]:
        rows = await self._read(f"SELECT {DISPATCH_COLUMNS} FROM dispatches WHERE job = ? ORDER BY number", (id,))
        return tuple(map(dispatch_of, rows))

    async def all_dispatches(self, *, after: tuple[str, int] = ("", 0), limit: int = 1000) -> tuple[Dispatch, ...]:
        query = f"SELECT {DISPATCH_COLUMNS} FROM dispatches WHERE (job, number) > (?, ?) ORDER BY job, number LIMIT ?"
        return tuple(map(dispatch_of, await self._report(query, (*after, limit))))

    async def unresolved(self, account: str) -> int:
        query = "SELECT count(*) FROM dispatches WHERE account = ? AND sent = 'intended'"
        [(found,)] = await self._read(query, (account,))
        return msgspec.convert(found, int)

    async def left_open(self, account: str, *, before: float) -> tuple[Dispatch, ...]:
        return tuple(map(dispatch_of, await self._read(upstream.LEFT_OPEN, (account, before))))

    async def dispatched_ids(self, account: str, ids: Collection[str]) -> set[str]:
        rows = await self._read(
            """SELECT upstream_id FROM json_each(?2) CROSS JOIN dispatches
               WHERE account = ?1 AND upstream_id IS NOT NULL AND upstream_id = value""",
            (account, texts(tuple(ids))),
        )
        return {str(id) for (id,) in rows}

    async def upstream(self, account: str) -> int:
        query = "SELECT count(*) FROM watches WHERE account = ? AND due IS NOT NULL AND mode = 'wait'"
        [(found,)] = await self._read(query, (account,))
        return msgspec.convert(found, int)

    async def due_watches(
        self, *, account: str, now: float, limit: int, next_due: Callable[[Watch], float]
    ) -> tuple[Watch, ...]:
        work = partial(upstream.due_watches, account=account, now=now, limit=limit, next_due=next_due)
        return await self._write(work)

    async def next_watch(self) -> float | None:
        [(due,)] = await self._read(NEXT_WATCH, ())
        return msgspec.convert(due, float | None)

    async def hasten(self, id: str, *, now: float) -> bool:
        return await self._write(partial(upstream.hasten, id=id, now=now))

    async def postpone(self, id: str, *, due: float) -> bool:
        return await self._write(partial(upstream.postpone, id=id, due=due))

    async def shift(self, seconds: float) -> int:
        return await self._write(partial(upstream.shift, seconds=seconds))

    async def observe(self, id: str, *, status: str, progress: float | None, now: float) -> bool:
        """What is known already is not written again: most polls bring nothing new, and cost a read."""
        del now  # no transition
        share = None if progress is None else min(max(progress, 0.0), 1.0)
        for known, before in await self._read(
            f"SELECT upstream_status, progress FROM jobs WHERE {upstream.PARKED}", (id,)
        ):
            if known == status and not moved(msgspec.convert(before, float | None), share):
                return True
            return await self._open_writer.join(upstream.observe, upstream.Sight(id, status, share))
        return False

    async def illustrate(self, id: str, output: str, *, poster: str, preview: str, now: float) -> bool:
        work = partial(jobs.illustrate, id=id, output=output, poster=poster, preview=preview, now=now)
        return await self._write(work)

    async def collect(self, id: str, *, facts: Json, now: float) -> bool:
        return await self._write(partial(upstream.collect, id=id, facts=encode(facts), now=now))

    async def park(self, id: str, worker: str, *, due: float, detail: str, now: float) -> bool:
        work = partial(upstream.park, id=id, worker=worker, due=due, detail=detail, now=now)
        return await self._write(work)

    async def defer(self, id: str, worker: str, *, until: float, detail: str, now: float) -> bool:
        work = partial(upstream.defer, id=id, worker=worker, until=until, detail=detail, now=now)
        return await self._write(work)

    async def reroute(self, id: str, worker: str, *, engine: str, detail: str, now: float) -> bool:
        work = partial(upstream.reroute, id=id, worker=worker, engine=engine, detail=detail, now=now)
        return await self._write(work)

    async def settle_upstream(
        self,
        id: str,
        *,
        state: State,
        failure: Failure | None = None,
        cost: float = 0.0,
        now: float,
        keep_until: float | None = None,
        pending_delivery: PendingDelivery | None = None,
    ) -> Job | None:
        ending = jobs.Ending(state.value, None, blob(failure), (), cost)
        work = partial(
            upstream.settle, id=id, ending=ending, now=now, keep_until=keep_until, pending_delivery=pending_delivery
        )
        return await self._write(work)

    async def revive(self, id: str, *, facts: Json, now: float) -> bool:
        return await self._write(partial(upstream.revive, id=id, facts=encode(facts), now=now))

    async def unwatch(self, id: str, *, detail: str, cost: float | None = None, now: float) -> bool:
        work = partial(upstream.unwatch, id=id, detail=detail, cost=cost, now=now)
        return await self._write(work)

    async def add_event(self, id: str, what: str, *, account: str | None = None, detail: str = "", now: float) -> None:
        if what not in EVENTS:
            raise ValueError(f"{what} is none of the words of a story")
        work = partial(upstream.add_event_once, id=id, what=what, account=account, detail=detail, now=now)
        return await self._write(work)

    async def events(self, id: str) -> tuple[Event, ...]:
        rows = await self._read(f"SELECT {EVENT_COLUMNS} FROM events WHERE job = ? ORDER BY number", (id,))
        return tuple(map(event_of, rows))

    # Deliveries

    async def due_deliveries(
        self,
        *,
        now: float,
        limit: int,
        lease_seconds: float,
        per_receiver: int | None = None,
        failing: Collection[str] = (),
        failing_limit: int = 0,
    ) -> DueDeliveries:
        fairness = None if per_receiver is None else outbox.Fairness(per_receiver, frozenset(failing), failing_limit)
        work = partial(outbox.lease_due, now=now, limit=limit, leased_until=now + lease_seconds, fairness=fairness)
        return await self._write(work)

    async def next_due(self, *, after: float | None = None) -> float | None:
        query = f"SELECT min(due) FROM deliveries WHERE {outbox.PENDING}"
        [(due,)] = await self._read(query, ()) if after is None else await self._read(f"{query} AND due > ?", (after,))
        return msgspec.convert(due, float | None)

    async def record_attempt(
        self,
        id: str,
        *,
        at: float,
        status: int | None,
        error: str | None,
        ms: float,
        delivered: bool,
        next_due: float | None,
    ) -> bool:
        work = partial(
            outbox.record_attempt,
            id=id,
            at=at,
            status=status,
            error=error,
            ms=ms,
            delivered=delivered,
            next_due=next_due,
        )
        return await self._write(work)

    async def deliveries(
        self, *, job: str | None = None, pending_only: bool = False, limit: int = 100
    ) -> tuple[DeliveryRecord, ...]:
        which = "number > 0" if job is None else "job = ?"
        if pending_only:
            which = f"{which} AND {outbox.PENDING}"
        query = f"SELECT {DELIVERY_COLUMNS} FROM deliveries WHERE {which} ORDER BY number DESC LIMIT ?"
        rows = await self._report(query, (limit,) if job is None else (job, limit))
        return tuple(map(delivery_of, rows))

    async def delivery(self, id: str) -> DeliveryRecord | None:
        rows = await self._read(f"SELECT {DELIVERY_COLUMNS} FROM deliveries WHERE id = ?", (id,))
        return next(map(delivery_of, rows), None)

    async def attempts(self, id: str) -> tuple[Attempt, ...]:
        rows = await self._read(
            "SELECT number, at, status, error, ms FROM delivery_attempts WHERE delivery = ? ORDER BY number",
            (id,),
        )
        names = ("number", "at", "status", "error", "ms")
        return tuple(msgspec.convert(dict(zip(names, row, strict=True)), Attempt) for row in rows)

    async def replay(self, id: str, now: float) -> bool:
        return await self._write(partial(outbox.replay, id=id, now=now))

    # Uploads

    async def add_uploads(self, uploads: Sequence[Upload]) -> None:
        return await self._write(partial(insert_uploads, rows=list(map(upload_row, uploads))))

    async def upload(self, id: str) -> Upload | None:
        rows = await self._read(f"SELECT {UPLOAD_COLUMNS} FROM uploads WHERE id = ?", (id,))
        return next(map(upload_of, rows), None)

    async def fill_upload(self, id: str, asset: str, bytes: int, now: float) -> bool:
        return await self._write(partial(fill_upload, id=id, asset=asset, bytes=bytes, now=now))

    async def expire_upload(self, id: str, now: float) -> None:
        return await self._write(partial(expire_upload, id=id, now=now))

    async def uploads(self, *, wire: str, owner: str, limit: int) -> tuple[Upload, ...]:
        rows = await self._read(
            f"""SELECT {UPLOAD_COLUMNS} FROM uploads WHERE wire = ? AND owner = ?
                ORDER BY created DESC, rowid DESC LIMIT ?""",
            (wire, owner, limit),
        )
        return tuple(map(upload_of, rows))

    # What vendors were told

    async def add_said(self, told: Mapping[str, Sequence[bytes]], *, first: int, last: int, most_bytes: int) -> None:
        await self._write(partial(transcripts.add, told=told, first=first, last=last, most_bytes=most_bytes))

    async def said(self, job: str) -> tuple[bytes, ...]:
        return tuple(msgspec.convert(record, bytes) for (record,) in await self._read(transcripts.OF_JOB, (job,)))

    # Keys

    async def add_key(self, key: KeyRecord) -> None:
        return await self._write(partial(keys.add_key, key=key))

    async def key(self, digest: str) -> KeyRecord | None:
        return next(map(keys.key_of, await self._read(keys.FIND, (digest,))), None)

    async def keys(self, *, name: str | None = None) -> tuple[KeyRecord, ...]:
        rows = await self._report(keys.ALL, ()) if name is None else await self._read(keys.OF_OWNER, (name,))
        return tuple(map(keys.key_of, rows))

    async def revoke_key(self, id: str, *, now: float) -> KeyRecord | None:
        return await self._write(partial(keys.revoke_key, id=id, now=now))

    async def rotate_key(self, id: str, successor: KeyRecord, *, until: float, now: float) -> KeyRecord | None:
        work = partial(keys.rotate_key, id=id, successor=successor, until=until, now=now)
        return await self._write(work)

    async def key_changes(self) -> int:
        [(number,)] = await self._read(keys.CHANGES, ())
        return msgspec.convert(number, int)

    async def touch_key(self, id: str, *, now: float) -> bool:
        return await self._write(partial(keys.touch_key, id=id, now=now))

    async def end_pass(self, nonce: str, *, until: float, now: float) -> bool:
        return await self._write(partial(keys.end_pass, nonce=nonce, until=until, now=now))

    async def pass_ended(self, nonce: str) -> bool:
        return bool(await self._read(keys.ENDED, (nonce,)))

    async def traffic(self, day: str, owner: str) -> int:
        return next((msgspec.convert(bytes, int) for (bytes,) in await self._read(keys.TRAFFIC, (day, owner))), 0)

    async def add_traffic(self, day: str, sent: Mapping[str, int]) -> dict[str, int]:
        return await self._write(partial(keys.add_traffic, day=day, sent=dict(sent)))

    # What goes

    async def sweep(
        self,
        what: Kept,
        *,
        before: float,
        now: float,
        limit: int,
        after: str = "",
        spared: Collection[str] = (),
        dry_run: bool = False,
    ) -> Swept:
        look = retention.Look(after, before, limit)
        work = partial(retention.sweep, what=what, look=look, now=now, spared=frozenset(spared), dry_run=dry_run)
        return await self._write(work)

    async def due_drops(self, *, now: float, limit: int) -> tuple[str, ...]:
        return tuple(str(asset) for (asset,) in await self._read(retention.DUE_DROPS, (now, limit)))

    async def condemn(self, assets: Collection[str], *, before: float, now: float) -> set[str]:
        return await self._write(partial(retention.condemn, assets=tuple(assets), before=before, now=now))

    async def spare(self, asset: str, *, until: float, now: float) -> bool:
        """What nobody has let go, which is nearly everything, costs a read."""
        if not await self._read(retention.DROP_OF, (asset,)):
            return True
        return await self._write(partial(retention.spare, asset=asset, until=until, now=now))

    async def asset_bytes(self, asset: str) -> int | None:
        for (size,) in await self._read(files.UPLOADED, (asset,)):
            return msgspec.convert(size, int | None) or None
        for (outputs,) in await self._read(files.MADE, (asset,)):
            made = decode_outputs(msgspec.convert(outputs, bytes))
            return next((each.bytes for each in made if each.asset == asset), None) or None
        return None

    async def assets(self) -> tuple[str, ...]:
        return tuple(str(asset) for (asset,) in await self._report(files.ALL, ()))

    async def needed(self, assets: Collection[str]) -> set[str]:
        return {str(asset) for (asset,) in await self._read(retention.NEEDED_AMONG, (texts(tuple(assets)),))}

    async def dropped(self, gone: Collection[str], later: Mapping[str, float]) -> None:
        if gone or later:
            await self._write(partial(retention.dropped, gone=tuple(gone), later=dict(later)))

    async def unfinished(self, owner: str, *, limit: int) -> tuple[str, ...]:
        return tuple(str(id) for (id,) in await self._report(retention.UNFINISHED, (owner, limit)))

    async def traces(self, owner: str) -> tuple[str, ...]:
        return tuple(str(trace) for (trace,) in await self._report(retention.TRACES, (owner,)))

    async def forget(self, owner: str, *, limit: int, now: float) -> Forgotten:
        return await self._write(partial(retention.forget, owner=owner, limit=limit, now=now))

    async def compact(self) -> None:
        await self._database.compact()

    async def refresh(self) -> bool:
        [(number,)] = await self._read(retention.REMOVALS, ())
        before, self._removals = self._removals, msgspec.convert(number, int)
        if changed := before not in (-1, self._removals):
            self._hot.clear()
        return changed

    # How statements are run

    async def _write(self, work: Work) -> Any:
        return await self._open_writer.do(work)

    async def report(self, sql: str, values: Row) -> Sequence[Row]:
        """For whoever moves or examines all rows."""
        return await self._database.report(sql, values)

    async def write(self, work: Work) -> Any:
        """The same, a transaction."""
        return await self._write(work)

    async def others(self) -> int:
        """How many sessions of other processes are at the database, as far as it can tell."""
        return await self._database.others()

    def _publish(self, changes: Changes) -> None:
        for change in changes:
            if isinstance(change, Job):
                self._hot.put(change)
                _ = self._being_read.pop(change.id, None)
            else:
                self._hot.drop(change)
                _ = self._being_read.pop(change, None)

    def _heard(self, news: News) -> None:
        if news.anything:
            self._hot.clear()
            self._being_read.clear()
        for id in news.jobs:
            self._hot.drop(id)
            _ = self._being_read.pop(id, None)
        if self.told is not None:
            self.told(news)


# An owner's models, found by seeking from one name to the next in the index jobs_made.
MODELS = """models (model) AS (
    SELECT min(model) FROM jobs WHERE owner = ?1
    UNION ALL
    SELECT (SELECT min(model) FROM jobs WHERE owner = ?1 AND model > models.model)
    FROM models WHERE model IS NOT NULL)"""


def hold_of(job: Job, hold: SpendingHold | None) -> SpendingHold | None:
    """None for a job that is nobody's, or whose cost is settled."""
    if not job.owner or job.finished is not None:
        return None
    return hold or SpendingHold(credits=job.estimate)


def moved(before: float | None, share: float | None) -> bool:
    """Whether progress has changed enough to be written. A vendor that does not tell any changes nothing."""
    return share is not None and (before is None or abs(share - before) >= PROGRESS_STEP)


def touch(db: Connection, _changes: Changes) -> None:
    db.touch()


def settle_exchanges(
    db: Connection,
    _changes: Changes,
    *,
    settlements: Sequence[Settlement],
    outlays: Sequence[Outlay],
    rows: Sequence[Row],
) -> None:
    ledger.set_all_aside(db, outlays)
    ledger.settle(db, settlements)
    _ = in_strides(
        db,
        "INSERT INTO exchanges (id, owner, began, ended, record, request, response)",
        "(?, ?, ?, ?, ?, ?, ?)",
        rows,
        LAST,
    )


LAST = """ON CONFLICT (id) DO UPDATE SET owner = excluded.owner, began = excluded.began, ended = excluded.ended,
    record = excluded.record, request = excluded.request, response = excluded.response"""


def exchange_row(record: ExchangeRecord) -> Row:
    bodies = (record.request, record.response)
    kept = encode(msgspec.structs.replace(record, request=None, response=None))
    told = [None if body is None else body.encode("utf-8", "replace") for body in bodies]
    return (record.id, record.owner, record.began, record.ended, kept, *told)


def exchange_of(row: Row) -> ExchangeRecord:
    record, *bodies = msgspec.convert(row, tuple[bytes | None, ...])
    told = [None if body is None else body.decode("utf-8", "replace") for body in bodies]
    found = msgspec.json.decode(record or b"", type=ExchangeRecord)
    return msgspec.structs.replace(found, request=told[0], response=told[1]) if told else found


ANSWER_COLUMNS = "owner, id, engine, previous, created, ready, record, input, events"
ANSWERS = f"""
    WITH RECURSIVE chain (first, id, previous, depth) AS (
        SELECT id, id, previous, 0 FROM answers WHERE owner = ?1 AND id IN (SELECT value FROM json_each(?2))
        UNION ALL
        SELECT chain.first, answers.id, answers.previous, chain.depth + 1 FROM chain JOIN answers
        ON answers.owner = ?1 AND answers.id = chain.previous WHERE chain.depth < ?3)
    SELECT {", ".join(f"answers.{each}" for each in ANSWER_COLUMNS.split(", "))} FROM chain JOIN answers
    ON answers.owner = ?1 AND answers.id = chain.id ORDER BY chain.first, chain.depth"""
KEEP_ANSWER = f"""
    INSERT INTO answers ({ANSWER_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (owner, id) DO UPDATE SET engine = excluded.engine, previous = excluded.previous,
    created = excluded.created, ready = excluded.ready, record = excluded.record, input = excluded.input,
    events = excluded.events"""


def keep_answer(db: Connection, _changes: Changes, *, answer: KeptAnswer) -> None:
    it = answer
    row = (it.owner, it.id, it.engine, it.previous, it.created, it.ready, it.record, it.input, it.events)
    _ = db.execute(KEEP_ANSWER, row)


def answer_of(row: Row) -> KeptAnswer:
    return msgspec.convert(dict(zip(ANSWER_COLUMNS.split(", "), row, strict=True)), KeptAnswer)


def drop_answer(db: Connection, _changes: Changes, *, owner: str, id: str) -> bool:
    return db.execute("DELETE FROM answers WHERE owner = ? AND id = ?", (owner, id)).rowcount > 0


def insert_uploads(db: Connection, changes: Changes, *, rows: Sequence[Row]) -> None:
    del changes
    holes = ", ".join("?" * len(UPLOAD_COLUMNS.split(",")))
    try:
        _ = in_strides(db, f"INSERT INTO uploads ({UPLOAD_COLUMNS})", f"({holes})", rows)
    except db.failures as error:
        if not db.conflict(error):
            raise
        raise Problem(Kind.CONFLICT, "An upload with this id exists already.") from error


def expire_upload(db: Connection, _changes: Changes, *, id: str, now: float) -> None:
    _ = db.execute("UPDATE uploads SET expires = ?1 WHERE id = ?2 AND expires > ?1", (now, id))


def fill_upload(db: Connection, changes: Changes, *, id: str, asset: str, bytes: Value, now: float) -> bool:
    del changes
    query = "UPDATE uploads SET asset = ?, bytes = ? WHERE id = ? AND asset IS NULL AND slot_expires > ?"
    return db.execute(query, (asset, bytes, id, now)).rowcount > 0
