"""A mutoscope that runs in the process of a test."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from typing import Any

import httpx

from mutoscope.app import App
from mutoscope.model.job import Job
from postgres_server import server


class Running:
    """A started mutoscope and an HTTP client that speaks to it without a socket."""

    def __init__(self, app: App, client: httpx.AsyncClient) -> None:
        self.app, self.client = app, client

    async def finished(self, id: str, seconds: float = 30.0) -> Job:
        """The job once it is final."""
        job = None
        async for job in self.app.gateway.watch(id):
            if job.state.final:
                return job
        raise AssertionError(f"job {id} vanished at {job}")


def execute(app: App, sql: str, rows: Sequence[Sequence[object]] = ((),)) -> list[Any]:
    """Past the store's transitions, in whichever database the mutoscope has: what the last of the rows finds."""
    if app.store.shared:
        database = server().urls[app.home.database.parent].rpartition("/")[2]
        return server().execute(sql.replace("?", "%s"), rows, database=database)
    with closing(sqlite3.connect(app.home.database)) as db, db:
        return [db.execute(sql, row).fetchall() for row in rows][-1]
