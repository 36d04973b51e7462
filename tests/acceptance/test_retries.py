"""Runway's SDK tries again by itself when an answer is lost; the task that it asked for is made once all the same."""

import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from runwayml import RunwayML

SETTINGS = '[models.gen4_image]\nengine = "script"\n'


class Line(ThreadingHTTPServer):
    """A proxy that brings every request to the server, and loses the first answers on their way back."""

    daemon_threads = True

    def __init__(self, upstream: str, *, lost: int, after: int | None) -> None:
        """`after` is how much of an answer's body arrives before the line goes dead; None: not even its head."""
        super().__init__(("127.0.0.1", 0), Handler)
        self.upstream, self.lost, self.after = upstream, lost, after
        self.told: list[tuple[str, str]] = []  # the SDK's count of retries, and the task that was answered

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Line

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
        answer = httpx.post(self.server.upstream + self.path, content=body, headers=headers)
        self.server.told.append((self.headers["x-stainless-retry-count"], answer.json()["id"]))
        loses = len(self.server.told) <= self.server.lost
        if not loses or self.server.after is not None:
            self.send_response(answer.status_code)
            self.send_header("content-type", answer.headers["content-type"])
            self.send_header("content-length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content[: self.server.after] if loses else answer.content)
        if loses:
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Tests are silent."""


@pytest.fixture
def url(serve: Callable[..., str]) -> str:
    return serve(settings=SETTINGS)


@pytest.fixture(params=[(1, None), (1, 10), (2, None)], ids=["before its head", "amid its body", "twice"])
def line(url: str, request: pytest.FixtureRequest) -> Iterator[Line]:
    lost, after = request.param
    with Line(url, lost=lost, after=after) as line:
        thread = threading.Thread(target=line.serve_forever, args=(0.05,))
        thread.start()
        yield line
        line.shutdown()
        thread.join()


def test_a_create_whose_answer_is_lost_makes_one_task(url: str, line: Line) -> None:
    with RunwayML(base_url=line.url, api_key="any") as client:
        task = client.text_to_image.create(model="gen4_image", prompt_text="x", ratio="720:720")
    assert [count for count, _ in line.told] == [str(number) for number in range(line.lost + 1)]
    assert {id for _, id in line.told} == {task.id}
    with RunwayML(base_url=url, api_key="any") as client:
        assert client.organization.retrieve().usage.models["gen4_image"].daily_generations == 1
        again = client.text_to_image.create(model="gen4_image", prompt_text="x", ratio="720:720")
        assert again.id != task.id
