"""Messages: the body read as an Ask, a Reply as a message or as events."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from mutoscope.model.http import HttpRequest, json_response
from mutoscope.model.job import Json
from mutoscope.model.problem import Flaw, Kind, Problem, Rule, custom_flaw
from mutoscope.model.words import Ask, Call, Part, Reason, Reply, Tokens, Tool, Turn
from mutoscope.wirekit.body import invalid, read_body
from mutoscope.wirekit.paths import at
from mutoscope.wirekit.words import Answer, Author, event

NEWEST = "2026-10-21"
SAMPLING = ("temperature", "top_p", "top_k")
"""What the newest version of the API does not take."""
HOSTED = (
    *("bash_", "text_editor_", "memory_", "web_search_", "web_fetch_", "code_execution_", "tool_search_"),
    *("browser_", "computer_"),
)


class Block(Struct, kw_only=True):
    """Which member has to be there goes by the type; those of a newer API are passed over."""

    type: str
    text: str | None = None
    source: Json | None = None
    id: str | None = None
    name: str | None = None
    input: Json | None = None
    tool_use_id: str | None = None
    content: str | list[Json] | None = None
    is_error: bool | None = None
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None
    title: str | None = None
    context: str | None = None
    citations: Json | list[Json] | None = None
    cache_control: Json | None = None


class Message(Struct, kw_only=True):
    role: Literal["user", "assistant", "system"]
    content: str | list[Block]


class ToolBody(Struct, kw_only=True):
    name: Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{1,128}$")]
    type: str | None = None
    description: str | None = None
    input_schema: Json | None = None
    cache_control: Json | None = None
    strict: bool | None = None


class Choice(Struct, kw_only=True):
    type: Literal["auto", "any", "tool", "none"]
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


class Asked(Struct, kw_only=True):
    """What messages and count_tokens take."""

    model: Annotated[str, Meta(examples=["claude-sonnet-4-6"])]
    messages: Annotated[
        list[Message], Meta(min_length=1, max_length=100_000, examples=[[{"role": "user", "content": "Hello"}]])
    ]
    system: str | list[Block] | None = None
    tools: list[ToolBody] | None = None
    tool_choice: Choice | None = None
    thinking: Json | None = None
    output_config: Json | None = None
    output_format: Json | None = None
    cache_control: Json | None = None


class Count(Asked, kw_only=True):
    max_tokens: int | None = None


class Body(Asked, kw_only=True):
    max_tokens: Annotated[int, Meta(ge=0)]
    stop_sequences: list[str] | None = None
    stream: bool | None = None
    temperature: Annotated[float, Meta(ge=0, le=1)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    top_k: Annotated[int, Meta(ge=0)] | None = None
    metadata: Json | None = None
    service_tier: Literal["auto", "standard_only"] | None = None


class MessageAnswer(Struct, kw_only=True):
    id: str
    type: str
    role: str
    model: str
    content: list[Json]
    stop_reason: str | None
    stop_sequence: str | None
    usage: Json


class CountAnswer(Struct):
    input_tokens: int


# -- reading ---------------------------------------------------------------------------


def read(body: Asked, request: HttpRequest) -> Ask:
    """Raises Problem(INVALID) with every flaw."""
    flaws = tuple(flaws_in(body, request.headers.get("anthropic-version", "")))
    if flaws:
        raise invalid(flaws)
    choice, wanted = body.tool_choice, form_of(body)
    turns = [turn for message in body.messages for turn in turns_of(message)]
    if body.system:
        turns.insert(0, Turn(role="system", parts=parts_of(body.system)))
    return Ask(
        model=body.model,
        turns=tuple(turns),
        tools=tuple(
            Tool(name=each.name, description=each.description or "", parameters=each.input_schema or {})
            for each in body.tools or ()
        ),
        choice="required" if choice and choice.type == "any" else "auto",
        tool=choice.name if choice and choice.type == "tool" else None,
        json=wanted is not None,
        schema=wanted,
        stop=tuple(body.stop_sequences or ()) if isinstance(body, Body) else (),
        most=body.max_tokens if isinstance(body, Body) else None,
    )


def form_of(body: Asked) -> Json | None:
    """The schema that the answer has to fit."""
    form: Any = at(body.output_config or {}, "format") or body.output_format
    return at(form, "schema") if form else None


def flaws_in(body: Asked, version: str) -> Iterator[Flaw]:
    for name in SAMPLING if version >= NEWEST else ():
        if getattr(body, name, None) is not None:
            yield Flaw(path=(name,), rule=Rule.UNKNOWN_KEY)
    called: set[str] = set()
    for number, message in enumerate(body.messages):
        blocks = message.content if isinstance(message.content, list) else []
        for item, block in enumerate(blocks):
            yield from block_flaws(block, ("messages", number, "content", item))
        given = {block.tool_use_id or "" for block in blocks if block.type == "tool_result"}
        if missing := sorted(called - given):
            told = "`tool_use` ids were found without `tool_result` blocks immediately after: "
            yield custom_flaw(("messages", number - 1), told + ", ".join(missing))
        uses = (block.id or "" for block in blocks if block.type == "tool_use")
        called = set(uses) if message.role == "assistant" else set[str]()
    if called:
        told = "`tool_use` ids were found without `tool_result` blocks immediately after: "
        yield custom_flaw(("messages", len(body.messages) - 1), told + ", ".join(sorted(called)))
    for number, tool in enumerate(body.tools or ()):
        if tool.type not in (None, "custom"):
            if not any(tool.type.startswith(each) for each in HOSTED):
                yield custom_flaw(("tools", number, "type"), "is no type of tool")
            continue
        if tool.input_schema is None:
            yield Flaw(path=("tools", number, "input_schema"), rule=Rule.REQUIRED, bound="object", found="undefined")
    choice = body.tool_choice
    if choice and choice.type == "tool" and choice.name is None:
        yield Flaw(path=("tool_choice", "name"), rule=Rule.REQUIRED, bound="string", found="undefined")
    for number, word in enumerate(getattr(body, "stop_sequences", None) or ()):
        if not word.strip():
            yield custom_flaw(("stop_sequences", number), "each stop sequence must contain non-whitespace")


NEEDS = {
    "text": ("text",),
    "image": ("source",),
    "document": ("source",),
    "tool_use": ("id", "name", "input"),
    "tool_result": ("tool_use_id",),
    "thinking": ("thinking", "signature"),
    "redacted_thinking": ("data",),
}


def block_flaws(block: Block, path: tuple[str | int, ...]) -> Iterator[Flaw]:
    for name in NEEDS.get(block.type, ()):
        if getattr(block, name) is None:
            yield Flaw(path=(*path, name), rule=Rule.REQUIRED, bound="string", found="undefined")
    if block.type == "text" and block.text == "":
        yield custom_flaw((*path, "text"), "text content blocks must be non-empty")
    if block.type in ("image", "document") and at(block.source or {}, "type") == "file":
        yield custom_flaw((*path, "source"), "files of the vendor's are not taken here")


def turns_of(message: Message) -> Iterator[Turn]:
    """The results of tools first, as turns of their own; then the rest."""
    if isinstance(message.content, str):
        yield Turn(role=message.role, parts=(Part(text=message.content),))
        return
    for block in message.content:
        if block.type == "tool_result":
            prefix = (Part(text="Error:"),) if block.is_error else ()
            yield Turn(role="tool", parts=prefix + result_parts(block.content), answers=block.tool_use_id or "")
    calls = tuple(
        Call(id=block.id or "", name=block.name or "", arguments=msgspec.json.encode(block.input or {}).decode())
        for block in message.content
        if block.type == "tool_use"
    )
    parts = parts_of(message.content)
    if parts or calls:
        yield Turn(role=message.role, parts=parts, calls=calls)


def result_parts(content: str | list[Json] | None) -> tuple[Part, ...]:
    blocks = content if isinstance(content, list) else [{"type": "text", "text": content or ""}]
    return tuple(
        Part(text=str(each.get("text") or "")) if each.get("type") == "text" else Part(kind="image", source=link(each))
        for each in blocks
        if each.get("type") in ("text", "image")
    )


def parts_of(content: str | list[Block]) -> tuple[Part, ...]:
    if isinstance(content, str):
        return (Part(text=content),)
    return tuple(part for block in content if (part := part_of(block)))


def part_of(block: Block) -> Part | None:
    match block.type:
        case "text":
            return Part(text=block.text or "")
        case "image":
            return Part(kind="image", source=link({"source": block.source}))
        case "document" if at(block.source or {}, "type") == "text":
            return Part(text=str(at(block.source, "data") or ""))
        case "document":
            return Part(kind="file", source=link({"source": block.source}))
        case _:
            return None  # thinking, tools: of use elsewhere, or to the model that made them only


def link(block: Json) -> str:
    """A link, or what is inline as a data URI."""
    source = block.get("source")
    if at(source, "type") == "base64":
        return f"data:{at(source, 'media_type')};base64,{at(source, 'data')}"
    return str(at(source, "url") or "")


# -- writing ---------------------------------------------------------------------------

REASONS: dict[Reason, str] = {
    "stop": "end_turn",
    "word": "stop_sequence",
    "length": "max_tokens",
    "tool": "tool_use",
    "refusal": "refusal",
}


def write(request: HttpRequest, author: Author) -> Answer:
    body = read_body(request.body, Body)
    check_tools(body)
    reply = author.reply(read(body, request))
    message = message_of(body, reply, f"msg_{author.id()}")
    if body.stream:
        return Answer.of((reply,), events=tuple(events_of(message, reply)))
    return Answer.of((reply,), response=json_response(message))


def check_tools(body: Asked) -> None:
    """Raises Problem(UNSUPPORTED) for a tool that only the vendor can run."""
    for number, tool in enumerate(body.tools or ()):
        if tool.type not in (None, "custom"):
            message = f"the tool {tool.type} is hosted by the vendor and is not here"
            raise Problem(Kind.UNSUPPORTED, message, field=f"tools.{number}.type")


def count(request: HttpRequest, author: Author) -> Answer:
    ask = read(read_body(request.body, Count), request)
    return Answer(response=json_response(CountAnswer(author.count(ask))))


def message_of(body: Body, reply: Reply, id: str) -> Json:
    refused = {"type": "refusal", "category": None, "explanation": reply.refusal} if reply.refusal else None
    return {
        "id": id,
        "type": "message",
        "role": "assistant",
        "model": body.model,
        "content": list(blocks_of(reply)),
        "stop_reason": REASONS[reply.reason],
        "stop_sequence": reply.word,
        "stop_details": refused,
        "container": None,
        "usage": usage_of(reply.tokens.read, reply.tokens.written),
    }


def blocks_of(reply: Reply) -> Iterator[Json]:
    if text := reply.text or reply.refusal:
        yield {"type": "text", "text": text, "citations": None}
    for call in reply.calls:
        id = f"toolu_{call.id.removeprefix('call_')}"
        yield {"type": "tool_use", "id": id, "name": call.name, "input": msgspec.json.decode(call.arguments)}


def usage_of(read: int, written: int) -> Json:
    return {
        "input_tokens": read,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
        "output_tokens": written,
        "output_tokens_details": {"thinking_tokens": 0},
        "server_tool_use": None,
        "service_tier": "standard",
    }


def events_of(message: Json, reply: Reply) -> Iterator[bytes]:
    begun: Json = message | {"content": [], "stop_reason": None, "stop_details": None, "stop_sequence": None}
    begun["usage"] = message["usage"] | {"output_tokens": 1}
    yield named({"type": "message_start", "message": begun})
    for index, block in enumerate(message["content"]):
        called = block["type"] == "tool_use"
        empty: Json = {"input": {}} if called else {"text": ""}
        yield named({"type": "content_block_start", "index": index, "content_block": block | empty})
        if index == 0:
            yield named({"type": "ping"})
        for delta in input_deltas(block) if called else text_deltas(block, reply):
            yield named({"type": "content_block_delta", "index": index, "delta": delta})
        yield named({"type": "content_block_stop", "index": index})
    ended = {name: message[name] for name in ("stop_reason", "stop_sequence", "stop_details")}
    yield named({"type": "message_delta", "delta": ended, "usage": message["usage"]})
    yield named({"type": "message_stop"})


def named(data: Json) -> bytes:
    return event(data, data["type"])


def text_deltas(block: Json, reply: Reply) -> Iterator[Json]:
    for piece in reply.pieces or (block["text"],):
        yield {"type": "text_delta", "text": piece}


def input_deltas(block: Json) -> Iterator[Json]:
    text = msgspec.json.encode(block["input"]).decode()
    for piece in ("", *(text[start : start + 16] for start in range(0, len(text), 16))):
        yield {"type": "input_json_delta", "partial_json": piece}


# -- what an account tells ----------------------------------------------------------------


class _Usage(Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None


class _Within(Struct):
    usage: _Usage | None = None


class _Reported(_Within):
    message: _Within | None = None


TOLD = msgspec.json.Decoder(_Reported)


def tokens_reported(data: bytes) -> Tokens | None:
    """What a message, or the data of one event, says of tokens: the cache's count as read."""
    try:
        told = TOLD.decode(data)
    except msgspec.DecodeError:
        return None
    usage = told.usage or (told.message.usage if told.message else None)
    if usage is None:
        return None
    cached, put = usage.cache_read_input_tokens or 0, usage.cache_creation_input_tokens or 0
    read = (usage.input_tokens or 0) + cached + put
    return Tokens(read=read, written=usage.output_tokens or 0, cached=cached, cache_written=put)
