"""Reads a form with a file in it as it comes: the file goes to its place on the disk, of the fields little is kept."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any, BinaryIO

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from mutoscope.problem import Kind, Problem

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

MAX_FIELDS = 32
MAX_FIELD = 64 * 1024
FILE = b"file"  # the name of the part that holds it


async def save_form(content_type: str, receive: Receive, path: Path, max_bytes: int) -> dict[str, str]:
    """Store the part named file at `path` and return the other fields. Raises Problem."""
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not boundary:
        raise bad("it should be multipart/form-data, and its boundary be named in Content-Type")
    left, more = max_bytes + MAX_FIELDS * MAX_FIELD, True
    with path.open("wb") as file:
        try:
            form = Form(boundary, file, max_bytes)
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Problem(Kind.INVALID, "The upload broke off.")
                chunk, more = message.get("body", b""), message.get("more_body", False)
                left -= len(chunk)
                if left < 0:
                    raise too_large(max_bytes)
                await asyncio.to_thread(form.parser.write, chunk)
            form.parser.finalize()
        except (FormParserError, ValueError) as error:  # a Unicode error is one of the latter
            raise bad(str(error)) from error
    if not form.complete:
        raise bad("it ends before its last boundary")
    if not form.files:
        raise Problem(Kind.INVALID, "The form has no part named file.", field="file")
    return form.fields


class Form:
    """What the parser tells of, in the order of the parts."""

    def __init__(self, boundary: bytes, file: BinaryIO, max_bytes: int) -> None:
        self.file, self.max_bytes = file, max_bytes
        self.fields: dict[str, str] = {}
        self.files = self.size = self.parts = 0
        self.complete = False
        self.header, self.value, self.disposition, self.name = b"", b"", b"", b""
        self.is_file = False
        self.text = bytearray()
        self.parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self.part_begins,
                "on_header_begin": self.header_begins,
                "on_header_field": self.header_name,
                "on_header_value": self.header_value,
                "on_header_end": self.header_ends,
                "on_headers_finished": self.headers_end,
                "on_part_data": self.data,
                "on_part_end": self.part_ends,
                "on_end": self.end,
            },
        )

    def part_begins(self) -> None:
        self.parts += 1
        if self.parts > MAX_FIELDS:
            raise FormParserError(f"it has more than {MAX_FIELDS} parts")
        self.disposition, self.text = b"", bytearray()

    def header_begins(self) -> None:
        self.header = self.value = b""

    def header_name(self, data: bytes, start: int, end: int) -> None:
        self.header += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self.value += data[start:end]

    def header_ends(self) -> None:
        if self.header.lower() == b"content-disposition":
            self.disposition = self.value

    def headers_end(self) -> None:
        _, options = parse_options_header(self.disposition)
        if b"name" not in options:
            raise FormParserError("a part has no name in its Content-Disposition")
        self.name = options[b"name"]
        self.is_file = self.name == FILE and b"filename" in options
        self.files += self.is_file
        if self.files > 1:
            raise FormParserError("it has more than one part named file")

    def data(self, data: bytes, start: int, end: int) -> None:
        if self.is_file:
            self.size += end - start
            if self.size > self.max_bytes:
                raise too_large(self.max_bytes)
            self.file.write(data[start:end])
        else:
            self.text += data[start:end]
            if len(self.text) > MAX_FIELD:
                raise FormParserError(f"a field has more than {MAX_FIELD} bytes")

    def part_ends(self) -> None:
        if not self.is_file:
            self.fields[self.name.decode("utf-8", "replace")] = self.text.decode("utf-8", "replace")

    def end(self) -> None:
        self.complete = True


def bad(why: str) -> Problem:
    return Problem(Kind.INVALID, f"The form cannot be read: {why}.", field="file")


def too_large(max_bytes: int) -> Problem:
    return Problem(Kind.TOO_LARGE, f"The file is larger than {max_bytes} bytes.")
