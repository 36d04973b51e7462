"""A mutoscope that runs in the process of a test."""

import httpx

from mutoscope.app import App
from mutoscope.model.job import Job


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
