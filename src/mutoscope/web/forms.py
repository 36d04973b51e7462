"""Forms as they come in: texts in memory, files streamed to disk, both under limits."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote_to_bytes

from python_multipart import MultipartParser, QuerystringParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from mutoscope.model.http import Form, FormFile, HttpRequest
from mutoscope.model.problem import Kind, Problem

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

MULTIPART, URLENCODED = "multipart/form-data", "application/x-www-form-urlencoded"
NO_TEXT = ("image/", "video/", "audio/", "application/octet-stream")
"""The types of a part that is a file, whether its client names it or not."""
PICTURE_STARTS = b"\x89\xff"
"""The first bytes of PNG and JPEG, with which no text in UTF-8 begins: some clients name neither file nor type."""
MAX_TEXT = 1024 * 1024  # bytes of one text part
MAX_TEXTS = 4 * 1024 * 1024  # of all of them
MAX_PARTS = 256
MAX_HEAD = 16 * 1024  # bytes of the headers of one part


def media_type(request: HttpRequest) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def is_form(request: HttpRequest) -> bool:
    return media_type(request) in (MULTIPART, URLENCODED)


async def receive(
    request: HttpRequest,
    receive: Receive,
    folder: Path,
    *,
    max_bytes: int,
    max_parts: int = MAX_PARTS,
    max_text: int = MAX_TEXT,
) -> Form:
    """Read a form, its files into `folder`. Raises Problem (INVALID, TOO_LARGE)."""
    if not is_form(request):
        raise Problem(Kind.INVALID, f"The form cannot be read: it should be {MULTIPART}.", field="file")
    reader, size, more = None, 0, True
    try:
        reader = Multipart(request, folder, max_parts, max_text) if media_type(request) == MULTIPART else Fields()
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Problem(Kind.INVALID, "The form broke off.")
            chunk: bytes = message.get("body", b"")
            size += len(chunk)
            if size > max_bytes:
                raise Problem(Kind.TOO_LARGE, f"The form is larger than {max_bytes} bytes. Send links instead.")
            more = message.get("more_body", False)
            if len(chunk) > 1024:
                await asyncio.to_thread(reader.parser.write, chunk)
            else:
                reader.parser.write(chunk)
        reader.parser.finalize()
        return reader.form()
    except (FormParserError, ValueError) as error:  # a Unicode error is one of the latter
        raise Problem(Kind.INVALID, f"The form cannot be read: {error}.", field="file") from error
    finally:
        if reader:
            reader.close()


class Fields:
    """A form of texts only, as in a query."""

    def __init__(self) -> None:
        self.name, self.value, self.texts, self.size = bytearray(), bytearray(), list[tuple[bytes, bytes]](), 0
        self.parser = QuerystringParser(
            {
                "on_field_name": lambda data, start, end: self.name.extend(data[start:end]),
                "on_field_data": lambda data, start, end: self.value.extend(data[start:end]),
                "on_field_end": self.end,
            },
            max_size=MAX_TEXTS,
        )

    def end(self) -> None:
        self.texts.append((bytes(self.name), bytes(self.value)))
        self.name.clear()
        self.value.clear()
        if len(self.texts) > MAX_PARTS:
            raise FormParserError(f"it has more than {MAX_PARTS} parts")

    def form(self) -> Form:
        texts: dict[str, list[str]] = {}
        for name, value in self.texts:
            read = [unquote_to_bytes(each.replace(b"+", b" ")).decode() for each in (name, value)]
            texts.setdefault(read[0], []).append(read[1])
        return Form(texts=texts)

    def close(self) -> None: ...


class Multipart:
    """A form whose parts are texts or files."""

    def __init__(self, request: HttpRequest, folder: Path, max_parts: int, max_text: int) -> None:
        self.max_parts, self.max_text = max_parts, max_text
        _, options = parse_options_header(request.headers.get("content-type", ""))
        boundary = options.get(b"boundary", b"")
        if not boundary:
            why = "The form cannot be read: its boundary should be named in Content-Type."
            raise Problem(Kind.INVALID, why, field="file")
        self.folder = folder
        self.texts: dict[str, list[str]] = {}
        self.files: dict[str, list[FormFile]] = {}
        self.parts = self.text_bytes = 0
        self.head: dict[str, str] = {}
        self.field, self.value = bytearray(), bytearray()
        self.name, self.file_name, self.is_file = "", "", False
        self.text, self.path, self.hash = bytearray(), folder, hashlib.sha256()
        self.open: BinaryIO | None = None
        self.ended = False
        self.parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self.begin,
                "on_header_field": lambda data, start, end: self.field.extend(data[start:end]),
                "on_header_value": lambda data, start, end: self.value.extend(data[start:end]),
                "on_header_end": self.header,
                "on_headers_finished": self.headed,
                "on_part_data": self.data,
                "on_part_end": self.end,
                "on_end": self.finish,
            },
        )

    def begin(self) -> None:
        self.parts += 1
        if self.parts > self.max_parts:
            raise FormParserError(f"it has more than {self.max_parts} parts")
        self.head.clear()

    def header(self) -> None:
        if len(self.field) + len(self.value) > MAX_HEAD:
            raise FormParserError("a part has headers that are too large")
        self.head[self.field.decode("latin-1").lower()] = self.value.decode("utf-8", "replace")
        self.field.clear()
        self.value.clear()

    def headed(self) -> None:
        _, options = parse_options_header(self.head.get("content-disposition", ""))
        self.name = options.get(b"name", b"").decode("utf-8", "replace")
        if not self.name:
            raise FormParserError("a part has no name in its Content-Disposition")
        named = b"filename" in options or b"filename*" in options
        self.is_file = named or self.head.get("content-type", "").lower().startswith(NO_TEXT)
        self.file_name = options.get(b"filename", b"").decode("utf-8", "replace")
        if self.is_file:
            self.store()

    def store(self) -> None:
        """Have what follows go to disk."""
        self.path = self.folder / f"part-{self.parts}"
        self.open, self.hash = self.path.open("wb"), hashlib.sha256()

    def data(self, data: bytes, start: int, end: int) -> None:
        if not self.open and not self.text and data[start] in PICTURE_STARTS:
            self.store()
        if self.open:
            self.open.write(data[start:end])
            self.hash.update(data[start:end])
            return
        self.text.extend(data[start:end])
        self.text_bytes += end - start
        if len(self.text) > self.max_text or self.text_bytes > MAX_TEXTS:
            raise FormParserError(f"the text in its part {self.name[:40]!r} is too long")

    def end(self) -> None:
        if self.open:
            self.open.close()
            self.open = None
            media = self.head.get("content-type", "application/octet-stream").partition(";")[0].strip().lower()
            file = FormFile(
                path=self.path,
                name=self.file_name,
                media_type=media,
                bytes=self.path.stat().st_size,
                digest=self.hash.hexdigest(),
            )
            self.files.setdefault(self.name, []).append(file)
        else:
            self.texts.setdefault(self.name, []).append(self.text.decode())
            self.text.clear()

    def finish(self) -> None:
        self.ended = True

    def form(self) -> Form:
        if not self.ended:
            raise FormParserError("it ends before its last boundary")
        return Form(texts=self.texts, files=self.files)

    def close(self) -> None:
        if self.open:
            self.open.close()
