"""Chat completions and the older completions: the body read as an Ask, a Reply as an answer or as chunks."""

from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct, field

from mutoscope.model.http import HttpRequest, json_response
from mutoscope.model.job import Json
from mutoscope.model.problem import Flaw, Kind, Problem, Rule, custom_flaw
from mutoscope.model.words import Ask, Call, Part, Reason, Reply, Tokens, Tool, Turn, token_count
from mutoscope.wirekit.body import invalid, read_body
from mutoscope.wirekit.paths import at
from mutoscope.wirekit.words import Answer, Author, event

DONE = b"data: [DONE]\n\n"
Penalty = Annotated[float, Meta(ge=-2, le=2)]
Name = Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{1,64}$")]
Several = Annotated[int, Meta(ge=1, le=128)]
Stop = Annotated[str, Meta(min_length=1)] | Annotated[list[str], Meta(min_length=1, max_length=4)]


class Options(Struct, kw_only=True):
    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class ImageUrl(Struct, kw_only=True):
    url: str
    detail: Literal["auto", "low", "high", "original"] | None = None


class PartBody(Struct, kw_only=True):
    """Which member has to be there goes by the type."""

    type: Literal["text", "image_url", "input_audio", "file", "refusal"]
    text: str | None = None
    image_url: ImageUrl | str | None = None
    input_audio: Json | None = None
    file: Json | None = None
    refusal: str | None = None


class FunctionSaid(Struct, kw_only=True):
    name: str
    arguments: str = ""


class CustomSaid(Struct, kw_only=True):
    name: str
    input: str = ""


class CallBody(Struct, kw_only=True):
    id: str = ""
    type: Literal["function", "custom"] = "function"
    function: FunctionSaid | None = None
    custom: CustomSaid | None = None


class Message(Struct, kw_only=True):
    role: Literal["user", "system", "developer", "assistant", "tool", "function"]
    content: str | list[PartBody] | None = field(default=None)
    name: str | None = None
    tool_calls: list[CallBody] | None = None
    tool_call_id: str | None = None
    function_call: FunctionSaid | None = None
    refusal: str | None = None
    audio: Json | None = None


class FunctionBody(Struct, kw_only=True):
    name: Name
    description: str | None = None
    parameters: Json | None = None
    strict: bool | None = None


class CustomBody(Struct, kw_only=True):
    name: Name
    description: str | None = None
    format: Json | None = None


class ToolBody(Struct, kw_only=True):
    type: Literal["function", "custom"] = "function"
    function: FunctionBody | None = None
    custom: CustomBody | None = None


class JsonSchema(Struct, kw_only=True):
    name: str
    description: str | None = None
    schema: Json | None = None
    strict: bool | None = None


class Format(Struct, kw_only=True):
    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None


class Sampling(Struct, kw_only=True):
    """What both kinds of completions take."""

    model: Annotated[str, Meta(examples=["gpt-4o"])]
    n: Several | None = None
    stop: Stop | None = None
    stream: bool | None = None
    stream_options: Options | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    frequency_penalty: Penalty | None = None
    presence_penalty: Penalty | None = None
    logit_bias: dict[str, float] | None = None
    seed: int | None = None
    user: str | None = None


class Chat(Sampling, kw_only=True):
    messages: Annotated[list[Message], Meta(min_length=1, examples=[[{"role": "user", "content": "Hello"}]])]
    max_completion_tokens: Annotated[int, Meta(ge=1)] | None = None
    max_tokens: Annotated[int, Meta(ge=1)] | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    tools: list[ToolBody] | None = None
    tool_choice: Literal["none", "auto", "required"] | Json | None = None
    parallel_tool_calls: bool | None = None
    functions: Annotated[list[FunctionBody], Meta(min_length=1, max_length=128)] | None = None
    function_call: Literal["none", "auto"] | FunctionSaid | None = None
    response_format: Format | None = None
    modalities: list[str] | None = None
    audio: Json | None = None
    reasoning_effort: str | None = None
    verbosity: Literal["low", "medium", "high"] | None = None
    store: bool | None = None
    metadata: dict[str, str] | None = None


class Completion(Sampling, kw_only=True):
    prompt: str | list[str | int | list[int]] | None = None
    max_tokens: Annotated[int, Meta(ge=0)] | None = None
    best_of: Annotated[int, Meta(ge=0, le=20)] | None = None
    echo: bool | None = None
    suffix: str | None = None
    logprobs: Annotated[int, Meta(ge=0, le=5)] | None = None


# -- answers, as clients' types have them --------------------------------------------


class ChatAnswer(Struct, kw_only=True):
    id: str
    object: str
    created: int
    model: str
    choices: list[Json]
    usage: Json | None = None
    service_tier: str | None = None
    system_fingerprint: str | None = None


def usage_of(read: int, written: int) -> Json:
    return {
        "prompt_tokens": read,
        "completion_tokens": written,
        "total_tokens": read + written,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": dict.fromkeys(
            ("reasoning_tokens", "audio_tokens", "accepted_prediction_tokens", "rejected_prediction_tokens"), 0
        ),
    }


class _Details(Struct):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None


class _Reported(Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    prompt_tokens_details: _Details | None = None
    input_tokens_details: _Details | None = None


class _Within(Struct):
    usage: _Reported | None = None


class _Answer(_Within):
    response: _Within | None = None  # the events of responses


ANSWERS = msgspec.json.Decoder(_Answer)


def tokens_reported(data: bytes) -> Tokens | None:
    """What an answer, or the data of one event, says of tokens."""
    try:
        answer = ANSWERS.decode(data)
    except msgspec.DecodeError:
        return None
    told = answer.usage or (answer.response.usage if answer.response else None)
    if told is None:
        return None
    details = told.prompt_tokens_details or told.input_tokens_details or _Details()
    return Tokens(
        read=told.prompt_tokens or told.input_tokens or 0,
        written=told.completion_tokens or told.output_tokens or 0,
        cached=details.cached_tokens or 0,
        cache_written=details.cache_write_tokens or 0,
    )


def broken(problem: Problem) -> bytes:
    error = {"message": problem.message, "type": "server_error", "param": None, "code": problem.kind.value}
    return event({"error": error})


REASONS: dict[Reason, str] = {
    "stop": "stop",
    "word": "stop",
    "length": "length",
    "tool": "tool_calls",
    "refusal": "stop",
}

# -- chat ------------------------------------------------------------------------------


def read_chat(request: HttpRequest) -> tuple[Chat, Ask]:
    """Raises Problem(INVALID), and UNSUPPORTED for what only a model can do."""
    body = read_body(request.body, Chat)
    flaws = tuple(chat_flaws(body))
    if flaws:
        raise invalid(flaws)
    if body.audio is not None or "audio" in (body.modalities or ()):
        raise Problem(Kind.UNSUPPORTED, "No engine of this server speaks within a chat.", field="modalities")
    choice, tool = chosen(body)
    form = body.response_format
    return body, Ask(
        model=body.model,
        turns=tuple(turn_of(message) for message in body.messages),
        tools=tuple(tools_of(body)),
        choice=choice,
        tool=tool,
        json=form is not None and form.type != "text",
        schema=form.json_schema.schema or {} if form and form.type == "json_schema" and form.json_schema else None,
        stop=stops(body.stop),
        most=body.max_completion_tokens or body.max_tokens,
        seed=body.seed,
    )


def chat_flaws(body: Chat) -> Iterator[Flaw]:
    for number, message in enumerate(body.messages):
        place = ("messages", number)
        parts = message.content if isinstance(message.content, list) else []
        for item, part in enumerate(parts):
            if getattr(part, part.type) is None:
                yield Flaw(
                    path=(*place, "content", item, part.type), rule=Rule.REQUIRED, bound="string", found="undefined"
                )
        said = message.tool_calls or message.function_call or message.refusal is not None or message.audio
        if message.content is None and not (message.role == "assistant" and said):
            yield Flaw(path=(*place, "content"), rule=Rule.REQUIRED, bound="string", found="undefined")
        if message.role == "tool" and message.tool_call_id is None:
            yield Flaw(path=(*place, "tool_call_id"), rule=Rule.REQUIRED, bound="string", found="undefined")
    for number, tool in enumerate(body.tools or ()):
        if getattr(tool, tool.type) is None:
            yield Flaw(path=("tools", number, tool.type), rule=Rule.REQUIRED, bound="object", found="undefined")
    if body.stream_options is not None and not body.stream:
        yield custom_flaw(("stream_options",), "is only allowed when 'stream' is enabled")
    if body.top_logprobs is not None and not body.logprobs:
        yield custom_flaw(("top_logprobs",), "is only allowed when 'logprobs' is enabled")
    form = body.response_format
    if form is not None and form.type == "json_schema" and form.json_schema is None:
        yield Flaw(path=("response_format", "json_schema"), rule=Rule.REQUIRED, bound="object", found="undefined")
    if (
        isinstance(body.tool_choice, dict)
        and named_in(body.tool_choice) is None
        and "allowed_tools" not in body.tool_choice
    ):
        yield custom_flaw(("tool_choice",), "should be none, auto, required, or name a tool")


def turn_of(message: Message) -> Turn:
    content = message.content
    said = [Part(text=content)] if isinstance(content, str) else [part_of(part) for part in content or ()]
    if message.refusal:
        said.append(Part(text=message.refusal))
    calls = [
        Call(id=each.id, name=told.name, arguments=told.arguments)
        if (told := each.function)
        else Call(
            id=each.id, name=each.custom.name if each.custom else "", arguments=each.custom.input if each.custom else ""
        )
        for each in message.tool_calls or ()
    ]
    if message.function_call:
        calls.append(Call(id="", name=message.function_call.name, arguments=message.function_call.arguments))
    return Turn(
        role=ROLES.get(message.role, "user"),
        parts=tuple(said),
        calls=tuple(calls),
        answers=message.tool_call_id or message.name or "" if message.role in ("tool", "function") else "",
    )


ROLES: dict[str, Literal["system", "user", "assistant", "tool"]] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}


def part_of(part: PartBody) -> Part:
    match part.type:
        case "image_url":
            link = part.image_url.url if isinstance(part.image_url, ImageUrl) else part.image_url
            return Part(kind="image", source=link or "")
        case "input_audio":
            return Part(kind="audio", source=str((part.input_audio or {}).get("data", "")))
        case "file":
            return Part(
                kind="file", source=str((part.file or {}).get("file_id") or (part.file or {}).get("file_data", ""))
            )
        case _:
            return Part(text=part.text or part.refusal or "")


def tools_of(body: Chat) -> Iterator[Tool]:
    for tool in body.tools or ():
        if tool.function:
            yield Tool(
                name=tool.function.name,
                description=tool.function.description or "",
                parameters=tool.function.parameters or {"type": "object"},
            )
        elif tool.custom:
            yield Tool(name=tool.custom.name, description=tool.custom.description or "")
    for each in body.functions or ():
        yield Tool(name=each.name, description=each.description or "", parameters=each.parameters or {"type": "object"})


def chosen(body: Chat) -> tuple[Literal["auto", "none", "required"], str | None]:
    """Whether a tool must be called, and which."""
    match body.tool_choice, body.function_call:
        case "none" | "auto" | "required" as word, _:
            return word, None
        case dict() as said, _:
            allowed: Json = said.get("allowed_tools") or {}
            return ("required" if allowed.get("mode") == "required" else "auto"), named_in(said)
        case _, FunctionSaid() as function:
            return "required", function.name
        case _, "none":
            return "none", None
        case _:
            return "auto", None


def named_in(said: Json) -> str | None:
    name = at(said, f"{said.get('type')}.name") if said.get("type") in ("function", "custom") else None
    name = name or said.get("name")
    return str(name) if name else None


def stops(stop: str | list[str] | None) -> tuple[str, ...]:
    return (stop,) if isinstance(stop, str) else tuple(stop or ())


def write_chat(request: HttpRequest, author: Author) -> Answer:
    body, ask = read_chat(request)
    replies = tuple(author.reply(msgspec.structs.replace(ask, index=index)) for index in range(body.n or 1))
    head = {"id": f"chatcmpl-{author.id()}", "created": author.now(), "model": body.model, "service_tier": "default"}
    if body.stream:
        return Answer.of(replies, events=tuple(chat_events(body, replies, head)))
    choices = [choice_of(body, index, reply) for index, reply in enumerate(replies)]
    answer = {
        **head,
        "object": "chat.completion",
        "system_fingerprint": None,
        "choices": choices,
        "usage": total(replies),
    }
    return Answer.of(replies, response=json_response(answer))


def total(replies: tuple[Reply, ...]) -> Json:
    return usage_of(replies[0].tokens.read, sum(each.tokens.written for each in replies))


def choice_of(body: Chat, index: int, reply: Reply) -> Json:
    message: Json = {
        "role": "assistant",
        "content": None if reply.calls or reply.refusal else reply.text,
        "refusal": reply.refusal or None,
        "annotations": [],
    }
    said = calls_of(body, reply)
    if said and body.functions:
        message["function_call"] = said[0]["function"]
    elif said:
        message["tool_calls"] = said
    return {
        "index": index,
        "message": message,
        "logprobs": logprobs(reply.pieces) if body.logprobs else None,
        "finish_reason": ended(body, reply),
    }


def calls_of(body: Chat, reply: Reply) -> list[Json]:
    custom = {tool.custom.name for tool in body.tools or () if tool.custom}
    return [
        {"id": call.id, "type": "custom", "custom": {"name": call.name, "input": call.arguments}}
        if call.name in custom
        else {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
        for call in reply.calls
    ]


def ended(body: Chat, reply: Reply) -> str:
    return "function_call" if reply.reason == "tool" and body.functions else REASONS[reply.reason]


def logprobs(pieces: tuple[str, ...]) -> Json:
    """The author has no other words in mind: each is certain."""
    told = [
        {"token": piece, "logprob": 0.0, "bytes": list(piece.encode()), "top_logprobs": list[Json]()}
        for piece in pieces
    ]
    return {"content": told, "refusal": None}


def chat_events(body: Chat, replies: tuple[Reply, ...], head: Json) -> Iterator[bytes]:
    """One id for all chunks; a finish reason in each; the usage last, where it was asked for."""
    counted = bool(body.stream_options and body.stream_options.include_usage)
    common = {**head, "object": "chat.completion.chunk"}

    def chunk(index: int, delta: Json, reason: str | None = None, piece: str | None = None) -> bytes:
        told = logprobs((piece,)) if body.logprobs and piece is not None else None
        choice = {"index": index, "delta": delta, "logprobs": told, "finish_reason": reason}
        return event(common | {"choices": [choice]} | ({"usage": None} if counted else {}))

    for index, reply in enumerate(replies):
        yield chunk(index, {"role": "assistant", "content": None if reply.calls else ""})
        for piece in reply.pieces:
            yield chunk(index, {"content": piece}, piece=piece)
        if reply.refusal:
            yield chunk(index, {"refusal": reply.refusal})
        for number, call in enumerate(calls_of(body, reply)):
            for delta in call_deltas(body, number, call):
                yield chunk(index, delta)
        yield chunk(index, {}, ended(body, reply))
    if counted:
        yield event(common | {"choices": [], "usage": total(replies)})
    yield DONE


def call_deltas(body: Chat, number: int, call: Json) -> Iterator[Json]:
    """The name first, then the arguments in pieces."""
    kind: str = call["type"]
    member = "arguments" if kind == "function" else "input"
    name, text = str(call[kind]["name"]), str(call[kind][member])
    pieces = [text[start : start + 16] for start in range(0, len(text), 16)]
    if body.functions:
        yield {"function_call": {"name": name, "arguments": ""}}
        yield from ({"function_call": {"arguments": piece}} for piece in pieces)
        return
    yield {"tool_calls": [{"index": number, "id": call["id"], "type": kind, kind: {"name": name, member: ""}}]}
    yield from ({"tool_calls": [{"index": number, kind: {member: piece}}]} for piece in pieces)


# -- completions -----------------------------------------------------------------------


def write_completion(request: HttpRequest, author: Author) -> Answer:
    body = read_body(request.body, Completion)
    several = body.n or 1
    if body.best_of is not None and body.best_of < several:
        raise invalid((custom_flaw(("best_of",), f"should be at least n, which is {several}"),))
    if body.stream and (body.best_of or 0) > several:
        raise invalid((custom_flaw(("best_of",), "cannot be used with stream"),))
    prompts = prompts_in(body.prompt)
    asks = [
        Ask(
            model=body.model,
            turns=(Turn(role="user", parts=(Part(text=prompt),)),),
            stop=stops(body.stop),
            most=16 if body.max_tokens is None else body.max_tokens,
            seed=body.seed,
            index=number,
            echo=True,
        )
        for prompt in prompts
        for number in range(several)
    ]
    replies = tuple(author.reply(ask) for ask in asks)
    head = {"id": f"cmpl-{author.id()}", "object": "text_completion", "created": author.now(), "model": body.model}
    read = sum(token_count(prompt) for prompt in prompts)
    usage = usage_of(read, sum(each.tokens.written for each in replies))
    said = [(ask.said if body.echo else "", reply) for ask, reply in zip(asks, replies, strict=True)]
    if body.stream:
        return Answer.of(replies, events=tuple(completion_events(body, said, head, usage)))
    choices = [
        {
            "text": before + reply.text,
            "index": index,
            "logprobs": old_logprobs((before, *reply.pieces)) if body.logprobs is not None else None,
            "finish_reason": REASONS[reply.reason],
        }
        for index, (before, reply) in enumerate(said)
    ]
    return Answer.of(replies, response=json_response(head | {"choices": choices, "usage": usage}))


def prompts_in(prompt: str | list[str | int | list[int]] | None) -> list[str]:
    """Each prompt as a text; of token ids, which mean nothing here, their numbers."""
    if prompt is None:
        return ["<|endoftext|>"]
    return texts_in(prompt)


def texts_in(said: str | list[str | int | list[int]]) -> list[str]:
    """Each text of one, of several, or of token ids, of which the numbers stand for the words."""
    if isinstance(said, str):
        return [said]
    if all(isinstance(each, int) for each in said):
        return [" ".join(map(str, said))]
    return [
        each if isinstance(each, str) else " ".join(map(str, each if isinstance(each, list) else [each]))
        for each in said
    ]


def old_logprobs(pieces: tuple[str, ...]) -> Json:
    tokens = [piece for piece in pieces if piece]
    return {
        "tokens": tokens,
        "token_logprobs": [0.0] * len(tokens),
        "top_logprobs": [{token: 0.0} for token in tokens],
        "text_offset": [sum(map(len, tokens[:number])) for number in range(len(tokens))],
    }


def completion_events(body: Completion, said: list[tuple[str, Reply]], head: Json, usage: Json) -> Iterator[bytes]:
    counted = bool(body.stream_options and body.stream_options.include_usage)

    def chunk(index: int, text: str, reason: str | None = None) -> bytes:
        choice = {"text": text, "index": index, "logprobs": None, "finish_reason": reason}
        return event(head | {"choices": [choice]} | ({"usage": None} if counted else {}))

    for index, (before, reply) in enumerate(said):
        for piece in (before, *reply.pieces):
            if piece:
                yield chunk(index, piece)
        yield chunk(index, "", REASONS[reply.reason])
    if counted:
        yield event(head | {"choices": list[Json](), "usage": usage})
    yield DONE
