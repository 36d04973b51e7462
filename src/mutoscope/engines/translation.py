"""Between OpenAI's chat completions and Anthropic's messages: asked on the one, answered by an account of the other.

Requests are read and checked by the caller's own wire first. What has no word on the other side is refused by the
caller's field where the answer would be another one, and else told in the notes.
"""

from collections.abc import Callable, Iterator
from typing import Any, cast

import msgspec
from msgspec import Struct, field

from mutoscope.model.http import Headers, HttpRequest
from mutoscope.model.job import Json
from mutoscope.model.problem import Kind, Problem
from mutoscope.model.words import Tokens
from mutoscope.wirekit.answers import KINDS_BY_STATUS, decoded, plain_text
from mutoscope.wirekit.body import read_body, read_json
from mutoscope.wirekit.paths import at
from mutoscope.wirekit.words import event
from mutoscope.wires.anthropic import messages
from mutoscope.wires.openai import chat


class Asked(Struct, frozen=True, kw_only=True):
    """A request as an account of the other wire gets it."""

    body: Json
    headers: Headers = {}
    notes: tuple[str, ...] = ()  # the caller's fields that were left out
    streams: bool = False
    counted: bool = False  # a stream ends with the usage


def cannot(place: str, why: str) -> Problem:
    return Problem(Kind.UNSUPPORTED, f"{why}, and the account that has this model speaks that API.", field=place)


STREAM_KINDS = {
    "overloaded_error": Kind.UNAVAILABLE,
    "rate_limit_error": Kind.RATE_LIMITED,
    "rate_limit_exceeded": Kind.RATE_LIMITED,
    "timeout_error": Kind.TIMED_OUT,
}


def problem_in(body: bytes, status: int | None = None, retry_after: float | None = None) -> Problem:
    """What an error answer, or the data of an event, tells of: both wires have the same members."""
    try:
        error: Any = at(msgspec.json.decode(body), "error")
    except msgspec.DecodeError:
        error = None
    message = plain_text(str(at(error, "message") or error or "The account failed and gave no reason."))
    code = at(error, "code") or at(error, "type")
    kinds = KINDS_BY_STATUS | {
        500: Kind.ENGINE_FAILED, 504: Kind.TIMED_OUT, 408: Kind.TIMED_OUT, 529: Kind.UNAVAILABLE
    }  # fmt: skip
    kind = STREAM_KINDS.get(str(code), Kind.UPSTREAM_FAILED) if status is None else kinds.get(status)
    if code == "insufficient_quota":
        kind = Kind.QUOTA_EXCEEDED
    place = "model" if kind is Kind.NOT_FOUND else None
    return Problem(kind or Kind.UPSTREAM_FAILED, message, field=place, retry_after=retry_after)


def read(data: bytes, kind: type[Any], whose: str) -> Any:
    try:
        return decoded(data, kind)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise Problem(Kind.UPSTREAM_FAILED, f"{whose} sent what cannot be read: {plain_text(str(error))}") from error


def count(usage: Any, path: str) -> int:
    found = at(usage, path)
    return found if isinstance(found, int) and found > 0 else 0


def left_out(said: Json, known: tuple[str, ...], usual: Json, notes: list[str]) -> None:
    notes += [name for name, value in said.items() if name not in known and value != usual.get(name)]


def compact(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def object_in(arguments: str | None) -> Json | None:
    try:
        value: Any = msgspec.json.decode(arguments or "{}")
    except (msgspec.DecodeError, RecursionError):
        return None
    return cast("Json", value) if isinstance(value, dict) else None


# -- OpenAI's request as Anthropic's ------------------------------------------------------

MOST_TOKENS = 4096  # where the caller says nothing, and Anthropic wants a figure
OLDER = "2023-06-01"  # which knows sampling
JSON_ONLY = "Answer with one JSON object and nothing else."
CHAT_KNOWN = (
    *("model", "messages", "max_tokens", "max_completion_tokens", "stop", "stream", "stream_options", "temperature"),
    *("top_p", "n", "tools", "functions", "tool_choice", "function_call", "parallel_tool_calls", "response_format"),
    *("reasoning_effort", "user", "safety_identifier", "service_tier"),
)
CHAT_USUAL: Json = {
    "logprobs": False, "frequency_penalty": 0, "presence_penalty": 0, "store": False, "logit_bias": {},
    "modalities": ["text"], "verbosity": "medium",
}  # fmt: skip
CHOICES = {"auto": "auto", "required": "any", "none": "none"}
TIERS = {"auto": "auto", "default": "standard_only"}


def to_messages(request: HttpRequest, model: str, _vendor: bool) -> Asked:
    """Raises Problem."""
    body, ask = chat.read_chat(request)
    said: Json = {name: value for name, value in read_json(request.body).items() if value is not None}
    notes: list[str] = []
    left_out(said, CHAT_KNOWN, CHAT_USUAL, notes)
    if (body.n or 1) > 1:
        raise cannot("n", "Anthropic's messages have one answer")
    system, turns = turns_in(said["messages"], notes)
    asked: Json = {"model": model, "max_tokens": ask.most or MOST_TOKENS, "messages": turns}
    if form := said.get("response_format"):
        if form["type"] == "json_object":
            system.append(JSON_ONLY)
        elif form["type"] == "json_schema":
            asked["output_config"] = {"format": {"type": "json_schema", "schema": ask.schema}}
    if system:
        asked["system"] = [{"type": "text", "text": text} for text in system]
    if words := [word for word in ask.stop if word.strip()]:
        asked["stop_sequences"] = words
    if body.temperature is not None:
        asked["temperature"] = min(body.temperature, 1)
        notes += ["temperature above 1"] if body.temperature > 1 else []
    if body.top_p is not None:
        asked["top_p"] = body.top_p
    if functions := list(functions_in(said)):
        asked["tools"] = [tool_of(each) for each in functions]
        if choice := choice_of(said, ask.choice, ask.tool):
            asked["tool_choice"] = choice
    if effort := said.get("reasoning_effort"):
        quiet = effort in ("none", "minimal")
        asked["thinking"] = {"type": "disabled" if quiet else "adaptive"}
        if not quiet:
            asked.setdefault("output_config", {})["effort"] = effort
    if user := said.get("safety_identifier") or said.get("user"):
        asked["metadata"] = {"user_id": user}
    if tier := TIERS.get(str(said.get("service_tier"))):
        asked["service_tier"] = tier
    elif "service_tier" in said:
        notes.append("service_tier")
    if body.stream:
        asked["stream"] = True
    sampled = "temperature" in asked or "top_p" in asked
    options = body.stream_options
    return Asked(
        body=asked,
        headers={"anthropic-version": OLDER if sampled else messages.NEWEST},
        notes=tuple(dict.fromkeys(notes)),
        streams=bool(body.stream),
        counted=bool(options and options.include_usage),
    )


def functions_in(said: Json) -> Iterator[Json]:
    for number, tool in enumerate(said.get("tools") or ()):
        if not tool.get("function"):
            raise cannot(f"tools[{number}].type", "Anthropic's messages have no tools that take free text")
        yield tool["function"]
    yield from said.get("functions") or ()


def tool_of(function: Json) -> Json:
    schema: Json = {"type": "object", "properties": {}}
    tool = {"name": function["name"], "input_schema": function.get("parameters") or schema}
    return tool | {name: function[name] for name in ("description", "strict") if function.get(name) is not None}


def choice_of(said: Json, choice: str, tool: str | None) -> Json:
    if at(said.get("tool_choice"), "type") == "allowed_tools":
        raise cannot("tool_choice.type", "Anthropic's messages cannot choose among some of the tools")
    chosen: Json = {"type": "tool", "name": tool} if tool else {"type": CHOICES[choice]}
    if said.get("parallel_tool_calls") is False and chosen["type"] != "none":
        return chosen | {"disable_parallel_tool_use": True}
    return chosen if said.get("tool_choice") or said.get("function_call") else {}


def turns_in(said: list[Json], notes: list[str]) -> tuple[list[str], list[Json]]:
    """The texts of the system, and the turns: what tools answered is one turn of the user, with what follows of it."""
    system: list[str] = []
    turns: list[Json] = []
    results: list[Json] | None = None  # of the turn that may still go on
    called = ""
    for number, message in enumerate(said):
        role, place, content = message["role"], f"messages[{number}]", message.get("content")
        notes += ["messages.name"] if message.get("name") and role != "function" else []
        if role in ("tool", "function"):
            if results is None:
                turns.append({"role": "user", "content": (results := [])})
            told = content if isinstance(content, str) else list(blocks_in(content, place, notes))
            id = message.get("tool_call_id") or called
            results.append({"type": "tool_result", "tool_use_id": id, "content": told})
            continue
        blocks = list(blocks_in(content, place, notes))
        if role in ("system", "developer"):
            if any(block["type"] != "text" for block in blocks):
                raise cannot(place, "Anthropic's messages have a system of text only")
            system += [block["text"] for block in blocks]
            continue
        if role == "assistant":
            called = f"call_{number}"
            blocks = [*thoughts_in(message), *blocks, *calls_in(message, place, called, notes)]
        if results is not None and role == "user":
            results += blocks
        elif blocks:
            alone = isinstance(content, str) and len(blocks) == 1
            turns.append({"role": role, "content": content if alone else blocks})
        results = None
    return system, turns


def blocks_in(content: str | list[Json] | None, place: str, notes: list[str]) -> Iterator[Json]:
    """The blocks of a content; no empty text, which is refused there."""
    parts: list[Json] = [{"type": "text", "text": content}] if isinstance(content, str) else content or []
    for number, part in enumerate(parts):
        kind, where = part["type"], f"{place}.content[{number}]"
        if kind in ("text", "refusal"):
            if part[kind].strip():
                yield {"type": "text", "text": part[kind]}
        elif kind == "image_url":
            link = part[kind] if isinstance(part[kind], str) else part[kind]["url"]
            notes += ["image_url.detail"] if at(part[kind], "detail") not in (None, "auto") else []
            yield {"type": "image", "source": source_of(link, where)}
        elif kind == "file" and str(at(part, "file.file_data") or "").startswith("data:application/pdf;"):
            document: Json = {"type": "document", "source": source_of(part["file"]["file_data"], where)}
            yield document | ({"title": part["file"]["filename"]} if part["file"].get("filename") else {})
        else:
            raise cannot(where, f"Anthropic's messages take no {kind}" + " but PDF as a data URI" * (kind == "file"))


def source_of(link: str, place: str) -> Json:
    head, _, data = link.partition(",")
    if not link.startswith("data:"):
        return {"type": "url", "url": link}
    if not head.endswith(";base64"):
        raise cannot(place, "Anthropic's messages take data URIs in base64 only")
    media_type = head[5:].partition(";")[0].replace("image/jpg", "image/jpeg")
    return {"type": "base64", "media_type": media_type, "data": data}


def thoughts_in(message: Json) -> Iterator[Json]:
    """What the model thought, as it was told with our own answer, signatures and all."""
    blocks: Any = message.get("thinking_blocks")
    for block in cast("list[Any]", blocks) if isinstance(blocks, list) else []:
        if isinstance(block, dict):
            yield {name: value for name, value in cast("Json", block).items() if name != "index"}


def calls_in(message: Json, place: str, called: str, notes: list[str]) -> Iterator[Json]:
    if message.get("refusal"):
        yield {"type": "text", "text": message["refusal"]}
    if message.get("audio"):
        raise cannot(f"{place}.audio", "Anthropic's messages have no sound")
    notes += ["reasoning_content"] if message.get("reasoning_content") and not message.get("thinking_blocks") else []
    calls: list[Json] = message.get("tool_calls") or []
    if message.get("function_call"):
        calls = [*calls, {"id": called, "function": message["function_call"]}]
    for number, call in enumerate(calls):
        if not call.get("function"):
            raise cannot(f"{place}.tool_calls[{number}].type", "Anthropic's messages have no calls with free text")
        given = object_in(call["function"].get("arguments"))
        notes += [f"{place}.tool_calls[{number}].function.arguments, which are no JSON object"] * (given is None)
        yield {
            "type": "tool_use",
            "id": call.get("id") or called,
            "name": call["function"]["name"],
            "input": given or {},
        }


# -- Anthropic's request as OpenAI's ------------------------------------------------------

MOST_WORDS = 4  # stop sequences that OpenAI takes
MESSAGES_KNOWN = (
    *("model", "messages", "max_tokens", "system", "stop_sequences", "stream", "temperature", "top_p", "tools"),
    *("tool_choice", "thinking", "output_config", "output_format", "metadata", "service_tier"),
)
BACK = {"auto": "auto", "any": "required", "none": "none"}
TIERS_BACK = {"auto": "auto", "standard_only": "default"}
EFFORTS = ((16_384, "xhigh"), (8192, "high"), (2048, "medium"), (0, "low"))  # by the budget of older requests


def to_chat(request: HttpRequest, model: str, vendor: bool) -> Asked:
    """Raises Problem."""
    body = read_body(request.body, messages.Body)
    messages.check_tools(body)
    ask = messages.read(body, request)
    said: Json = {name: value for name, value in read_json(request.body).items() if value is not None}
    notes: list[str] = []
    left_out(said, MESSAGES_KNOWN, {}, notes)
    if said.get("mcp_servers"):
        raise cannot("mcp_servers", "OpenAI's chat calls no servers of tools")
    if not body.max_tokens:
        raise cannot("max_tokens", "OpenAI's chat cannot fill a cache without an answer")
    if len(ask.stop) > MOST_WORDS:
        raise cannot("stop_sequences", f"OpenAI's chat takes {MOST_WORDS} stop words at most")
    turns: list[Json] = []
    if system := said.get("system"):
        text = system if isinstance(system, str) else "\n\n".join(block.get("text") or "" for block in system)
        turns.append({"role": "system", "content": text})
    for number, message in enumerate(said["messages"]):
        turns += chat_turns(message, f"messages.{number}", notes)
    if said["messages"][-1]["role"] == "assistant":
        notes.append("the last message as the beginning of the answer")
    # reasoning models of the vendor's refuse the older name, and some servers know no other
    asked: Json = {"model": model, "max_completion_tokens" if vendor else "max_tokens": body.max_tokens}
    asked["messages"] = turns
    asked |= {name: said[name] for name in ("temperature", "top_p") if name in said}
    if ask.stop:
        asked["stop"] = list(ask.stop)
    if tools := said.get("tools"):
        asked["tools"] = [{"type": "function", "function": function_of(tool, notes)} for tool in tools]
    if choice := said.get("tool_choice"):
        named: Json = {"type": "function", "function": {"name": choice.get("name")}}
        asked["tool_choice"] = BACK.get(choice["type"], named)
        asked |= {"parallel_tool_calls": False} if choice.get("disable_parallel_tool_use") else {}
    if (schema := messages.form_of(body)) is not None:
        form = {"name": "answer", "schema": schema, "strict": True}
        asked["response_format"] = {"type": "json_schema", "json_schema": form}
    if effort := effort_of(said):
        asked["reasoning_effort"] = effort
    if user := at(said, "metadata.user_id"):
        asked["user"] = user
    if body.service_tier:
        asked["service_tier"] = TIERS_BACK[body.service_tier]
    if body.stream:
        asked |= {"stream": True, "stream_options": {"include_usage": True}}
    return Asked(body=asked, notes=tuple(dict.fromkeys(notes)), streams=bool(body.stream))


def function_of(tool: Json, notes: list[str]) -> Json:
    notes += [f"tools.{name}" for name in tool if name not in ("name", "description", "input_schema", "strict", "type")]
    function = {"name": tool["name"], "parameters": tool.get("input_schema") or {"type": "object"}}
    return function | {name: tool[name] for name in ("description", "strict") if tool.get(name) is not None}


def effort_of(said: Json) -> str | None:
    kind, budget = at(said, "thinking.type"), at(said, "thinking.budget_tokens")
    if kind == "disabled":
        return "none"
    if effort := at(said, "output_config.effort"):
        return str(effort)
    return next(word for least, word in EFFORTS if budget >= least) if isinstance(budget, int) else None


def chat_turns(message: Json, place: str, notes: list[str]) -> Iterator[Json]:
    """What tools answered first, each as a turn of its own; pictures among it go with what the user says."""
    role, content = message["role"], message["content"]
    if isinstance(content, str):
        yield {"role": role, "content": content}
        return
    parts: list[Json] = []
    calls: list[Json] = []
    for number, block in enumerate(content):
        notes += ["cache_control"] if block.get("cache_control") else []
        where = f"{place}.content.{number}"
        if block["type"] == "tool_use":
            function = {"name": block["name"], "arguments": compact(block["input"])}
            calls.append({"id": block["id"], "type": "function", "function": function})
        elif block["type"] == "tool_result":
            told = block.get("content") or ""
            inner = [{"type": "text", "text": told}] if isinstance(told, str) else list(parts_in(told, where, notes))
            text = "\n".join(part["text"] for part in inner if part["type"] == "text")
            parts += [part for part in inner if part["type"] != "text"]
            text = f"Error: {text}" if block.get("is_error") else text
            yield {"role": "tool", "tool_call_id": block["tool_use_id"], "content": text}
        else:
            parts += parts_in([block], where, notes)
    if role == "user":
        alone = len(parts) == 1 and parts[0]["type"] == "text"
        if parts:
            yield {"role": role, "content": parts[0]["text"] if alone else parts}
    elif parts or calls:
        if any(part["type"] != "text" for part in parts):
            raise cannot(place, "OpenAI's chat takes text only of anyone but the user")
        text = "".join(part["text"] for part in parts)
        yield {"role": role, "content": text or None} | ({"tool_calls": calls} if calls else {})


def parts_in(blocks: list[Json], place: str, notes: list[str]) -> Iterator[Json]:
    for block in blocks:
        source: Any = block.get("source")
        match block.get("type"), at(source, "type"):
            case "text", _:
                yield {"type": "text", "text": str(block.get("text") or "")}
            case "image", "base64" | "url":
                yield {"type": "image_url", "image_url": {"url": messages.link(block)}}
            case "document", "text":
                yield {"type": "text", "text": str(source.get("data") or "")}
            case "document", "base64":
                file = {"filename": block.get("title") or "document.pdf", "file_data": messages.link(block)}
                yield {"type": "file", "file": file}
            case "thinking" | "redacted_thinking", _:
                notes.append("thinking")
            case kind, form:
                raise cannot(place, f"OpenAI's chat takes no {kind}" + f" of the type {form}" * bool(form))


# -- answers ------------------------------------------------------------------------------


class Ended(Struct, kw_only=True):
    """What a message, and the last delta of a stream, say of its end."""

    stop_reason: str | None = None
    stop_sequence: str | None = None
    stop_details: Json | None = None


class Message(Ended, kw_only=True):
    id: str = ""
    model: str = ""
    content: list[messages.Block] = field(default_factory=list[messages.Block])
    usage: Json | None = None


class Function(Struct, kw_only=True):
    name: str | None = None
    arguments: str | None = None


class Call(Struct, kw_only=True):
    index: int | None = None
    id: str | None = None
    function: Function | None = None


class Said(Struct, kw_only=True):
    content: str | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    thinking_blocks: list[Json] | None = None
    tool_calls: list[Call] | None = None
    function_call: Function | None = None


class Choice(Struct, kw_only=True):
    index: int = 0
    message: Said | None = None
    delta: Said | None = None
    finish_reason: str | None = None
    stop_reason: str | int | None = None  # the stop word that was met, where a server tells it


class Completion(Struct, kw_only=True):
    """An answer, or a chunk of one."""

    id: str = ""
    model: str = ""
    choices: list[Choice] = field(default_factory=list[Choice])
    usage: Json | None = None
    error: Any = None


FINISHED = {
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
STOPPED = {"length": "max_tokens", "tool_calls": "tool_use", "function_call": "tool_use", "content_filter": "refusal"}


def finish_of(ended: Ended) -> Json:
    """The end of a choice; the stop word that was met as vLLM tells it."""
    word = {"stop_reason": ended.stop_sequence} if ended.stop_sequence is not None else {}
    return {"finish_reason": FINISHED.get(ended.stop_reason or "", "stop")} | word


def refusal_in(ended: Ended) -> str | None:
    return at(ended.stop_details, "explanation") if ended.stop_reason == "refusal" else None


def stop_of(finish: str | None, word: Any, refusal: str, called: bool) -> Json:
    reason = STOPPED.get(finish or "", "tool_use" if called else "end_turn")
    if refusal:
        reason = "refusal"
    told: Json = {"stop_reason": reason, "stop_sequence": None, "stop_details": None}
    if reason == "refusal":
        told["stop_details"] = {"type": "refusal", "category": None, "explanation": refusal or None}
    if reason == "end_turn" and isinstance(word, str):
        told |= {"stop_reason": "stop_sequence", "stop_sequence": word}
    return told


def usage_for_chat(usage: Json | None) -> Json:
    cached, kept = count(usage, "cache_read_input_tokens"), count(usage, "cache_creation_input_tokens")
    told = chat.usage_of(count(usage, "input_tokens") + cached + kept, count(usage, "output_tokens"))
    told["prompt_tokens_details"] |= {"cached_tokens": cached, "cache_write_tokens": kept}
    told["completion_tokens_details"]["reasoning_tokens"] = count(usage, "output_tokens_details.thinking_tokens")
    return told


def usage_for_messages(usage: Json | None) -> Json:
    cached = count(usage, "prompt_tokens_details.cached_tokens")
    kept = count(usage, "prompt_tokens_details.cache_write_tokens")
    told = messages.usage_of(max(count(usage, "prompt_tokens") - cached - kept, 0), count(usage, "completion_tokens"))
    told |= {"cache_read_input_tokens": cached, "cache_creation_input_tokens": kept}
    told["cache_creation"]["ephemeral_5m_input_tokens"] = kept
    told["output_tokens_details"]["thinking_tokens"] = count(usage, "completion_tokens_details.reasoning_tokens")
    return told


def thought(block: messages.Block) -> Json:
    """A block of thinking as it has to be given back."""
    if block.type == "redacted_thinking":
        return {"type": block.type, "data": block.data or ""}
    return {"type": block.type, "thinking": block.thinking or "", "signature": block.signature or ""}


def to_completion(data: bytes, now: int) -> Json:
    """A message as a completion. Raises Problem."""
    told: Message = read(data, Message, "Anthropic's account")
    message: Json = {"role": "assistant", "content": None, "refusal": refusal_in(told), "annotations": []}
    if texts := [block.text or "" for block in told.content if block.type == "text"]:
        message["content"] = "".join(texts)
    if thoughts := [thought(block) for block in told.content if block.type in ("thinking", "redacted_thinking")]:
        message["reasoning_content"] = "".join(each.get("thinking", "") for each in thoughts)
        message["thinking_blocks"] = thoughts
    if uses := [block for block in told.content if block.type == "tool_use"]:
        message["tool_calls"] = [
            {"id": use.id, "type": "function", "function": {"name": use.name, "arguments": compact(use.input or {})}}
            for use in uses
        ]
    return {
        "id": f"chatcmpl-{told.id.removeprefix('msg_')}",
        "object": "chat.completion",
        "created": now,
        "model": told.model,
        "system_fingerprint": None,
        "choices": [{"index": 0, "message": message, "logprobs": None} | finish_of(told)],
        "usage": usage_for_chat(told.usage),
    }


def to_message(data: bytes, _now: int) -> Json:
    """A completion as a message. Raises Problem."""
    told: Completion = read(data, Completion, "OpenAI's account")
    if not told.choices or (said := told.choices[0].message) is None:
        raise Problem(Kind.UPSTREAM_FAILED, "OpenAI's account sent an answer without a message.")
    blocks = list(said.thinking_blocks or ())
    if not blocks and (thinking := said.reasoning_content or said.reasoning):
        blocks.append({"type": "thinking", "thinking": thinking, "signature": ""})
    if said.content:
        blocks.append({"type": "text", "text": said.content, "citations": None})
    calls = calls_of(said)
    for number, call in enumerate(calls):
        function = call.function or Function()
        given = object_in(function.arguments) or {}
        blocks.append({"type": "tool_use", "id": call.id or f"call_{number}", "name": function.name, "input": given})
    choice = told.choices[0]
    return {
        **head_of(told),
        "content": blocks,
        **stop_of(choice.finish_reason, choice.stop_reason, said.refusal or "", bool(calls)),
        "container": None,
        "usage": usage_for_messages(told.usage),
    }


def calls_of(said: Said) -> list[Call]:
    return (said.tool_calls or []) + ([Call(index=0, function=said.function_call)] if said.function_call else [])


def head_of(told: Completion) -> Json:
    id = f"msg_{told.id.removeprefix('chatcmpl-')}"
    return {"id": id, "type": "message", "role": "assistant", "model": told.model}


# -- streams ------------------------------------------------------------------------------


class Delta(Ended, kw_only=True):
    type: str = ""
    text: str | None = None
    partial_json: str | None = None
    thinking: str | None = None
    signature: str | None = None


class Event(Struct, kw_only=True):
    type: str = ""
    message: Message | None = None
    content_block: messages.Block | None = None
    delta: Delta | None = None
    usage: Json | None = None


class ToChunks:
    """Anthropic's events as OpenAI's chunks. Both classes are fed the data of one event after the other, and yield what
    it is in the caller's wire; they raise Problem for an error, and for an end that comes too early."""

    def __init__(self, asked: Asked, now: int) -> None:
        self.counted = asked.counted
        self.head: Json = {"id": "chatcmpl-", "object": "chat.completion.chunk", "created": now, "model": ""}
        self.usage: Json = {}
        self.block = messages.Block(type="")
        self.calls = self.thoughts = 0
        self.ended = self.over = False

    def take(self, data: bytes) -> Iterator[bytes]:
        if not data:
            return
        told: Event = read(data, Event, "Anthropic's account")
        match told.type:
            case "message_start" if told.message:
                self.head |= {"id": f"chatcmpl-{told.message.id.removeprefix('msg_')}", "model": told.message.model}
                self.usage |= told.message.usage or {}
                yield self.chunk({"role": "assistant", "content": ""})
            case "content_block_start" if told.content_block:
                yield from self.begin(told.content_block)
            case "content_block_delta" if told.delta:
                yield from self.piece(told.delta)
            case "content_block_stop":
                yield from self.close()
            case "message_delta" if told.delta:
                self.usage |= {name: value for name, value in (told.usage or {}).items() if value is not None}
                if told.delta.stop_reason:
                    self.ended = True
                    if refusal := refusal_in(told.delta):
                        yield self.chunk({"refusal": refusal})
                    yield self.chunk({}, **finish_of(told.delta))
            case "message_stop":
                yield from self.end()
            case "ping":
                yield b": ping\n\n"
            case "error":
                raise problem_in(data)
            case _:
                pass

    def begin(self, block: messages.Block) -> Iterator[bytes]:
        self.block = block
        if block.type == "tool_use":
            function = {"name": block.name, "arguments": compact(block.input) if block.input else ""}
            call = {"index": self.calls, "id": block.id, "type": "function", "function": function}
            yield self.chunk({"tool_calls": [call]})
        elif block.type in ("text", "thinking"):
            yield from self.piece(Delta(text=block.text, thinking=block.thinking, type="begun"))

    def piece(self, delta: Delta) -> Iterator[bytes]:
        block = self.block
        if delta.text:
            yield self.chunk({"content": delta.text})
        if delta.thinking:
            block.thinking = delta.thinking if delta.type == "begun" else (block.thinking or "") + delta.thinking
            yield self.chunk({"reasoning_content": delta.thinking})
        if delta.signature:
            block.signature = (block.signature or "") + delta.signature
        if delta.partial_json:
            block.input = block.input or {"": ""}  # something was said
            yield self.chunk({"tool_calls": [{"index": self.calls, "function": {"arguments": delta.partial_json}}]})

    def close(self) -> Iterator[bytes]:
        if self.block.type == "tool_use":
            if not self.block.input:
                yield self.chunk({"tool_calls": [{"index": self.calls, "function": {"arguments": "{}"}}]})
            self.calls += 1
        elif self.block.type in ("thinking", "redacted_thinking"):
            yield self.chunk({"thinking_blocks": [{"index": self.thoughts, **thought(self.block)}]})
            self.thoughts += 1
        self.block = messages.Block(type="")

    def end(self) -> Iterator[bytes]:
        if not self.ended:
            raise Problem(Kind.UPSTREAM_FAILED, "The account ended its answer before it was whole.")
        if not self.over:
            self.over = True
            if self.counted:
                yield event(self.head | {"choices": list[Json](), "usage": usage_for_chat(self.usage)})
            yield chat.DONE

    def chunk(self, delta: Json, finish_reason: str | None = None, **more: Any) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason, **more}
        return event(self.head | {"choices": [choice]} | ({"usage": None} if self.counted else {}))


MOST_HELD = 16 * 1024 * 1024  # characters of a call, which are needed to know when it is whole


class Tool:
    """A call in a stream: what has come of it, and whether it is a block yet."""

    def __init__(self, id: str, name: str) -> None:
        self.id, self.name, self.text = id, name, ""

    @property
    def whole(self) -> bool:
        return self.text.rstrip().endswith("}") and object_in(self.text) is not None


class ToEvents:
    """OpenAI's chunks as Anthropic's events. Blocks do not overlap: calls that come at once wait for one another."""

    def __init__(self, _asked: Asked, _now: int) -> None:
        self.index = -1
        self.open: str | int | None = None  # the kind of the block that is open, or the index of its call
        self.tools: dict[int, Tool] = {}
        self.waiting: list[int] = []
        self.late = ""  # text that came while a call was open
        self.refusal, self.finish, self.word = "", "", None
        self.usage: Json | None = None
        self.begun = self.over = False

    def take(self, data: bytes) -> Iterator[bytes]:
        if data.startswith(b"[DONE]"):
            yield from self.end()
            return
        if not data:
            if self.begun:
                yield messages.named({"type": "ping"})
            return
        told: Completion = read(data, Completion, "OpenAI's account")
        if told.error:
            raise problem_in(data)
        self.usage = told.usage or self.usage
        if not self.begun:
            self.begun = True
            empty: Json = {"content": [], "stop_reason": None, "stop_sequence": None, "stop_details": None}
            begun = {**head_of(told), **empty, "container": None, "usage": usage_for_messages(told.usage)}
            yield messages.named({"type": "message_start", "message": begun})
        for choice in told.choices[:1]:
            yield from self.piece(choice.delta or Said())
            self.finish = choice.finish_reason or self.finish
            self.word = choice.stop_reason if isinstance(choice.stop_reason, str) else self.word

    def piece(self, said: Said) -> Iterator[bytes]:
        self.refusal += said.refusal or ""
        if thinking := said.reasoning_content or said.reasoning:
            empty: Json = {"type": "thinking", "thinking": "", "signature": ""}
            yield from self.block("thinking", empty, {"type": "thinking_delta", "thinking": thinking})
        for each in said.thinking_blocks or ():
            yield from self.thought(each)
        if said.content and isinstance(self.open, int):
            self.late += said.content
        elif said.content:
            yield from self.text(said.content)
        for call in calls_of(said):
            yield from self.call(call)

    def text(self, text: str) -> Iterator[bytes]:
        empty: Json = {"type": "text", "text": "", "citations": None}
        yield from self.block("text", empty, {"type": "text_delta", "text": text})

    def thought(self, block: Json) -> Iterator[bytes]:
        """A whole block, of which the thinking was told before."""
        if block.get("type") == "redacted_thinking":
            yield from self.block("redacted", {"type": "redacted_thinking", "data": block.get("data")}, None)
        elif block.get("signature"):
            empty: Json = {"type": "thinking", "thinking": "", "signature": ""}
            signed = {"type": "signature_delta", "signature": block["signature"]}
            yield from self.block("thinking", empty, signed)
        yield from self.close()

    def call(self, call: Call) -> Iterator[bytes]:
        function, last = call.function or Function(), len(self.tools) - 1
        key = call.index if call.index is not None else last + 1 if call.id or last < 0 else last
        if key not in self.tools:
            self.tools[key] = Tool(call.id or f"call_{key}", function.name or "")
            self.waiting.append(key)
        tool, piece = self.tools[key], function.arguments or ""
        tool.text += piece
        if len(tool.text) + len(self.late) > MOST_HELD:
            raise Problem(Kind.UPSTREAM_FAILED, "OpenAI's account called a tool with more than can be translated.")
        if piece and self.open == key:
            yield self.delta({"type": "input_json_delta", "partial_json": piece})
        yield from self.advance(ending=False)

    def advance(self, *, ending: bool) -> Iterator[bytes]:
        """The calls that wait, one after the other, each once the one before it is whole."""
        while self.waiting:
            if isinstance(self.open, int) and not ending and not self.tools[self.open].whole:
                return
            key = self.waiting.pop(0)
            tool = self.tools[key]
            empty: Json = {"type": "tool_use", "id": tool.id, "name": tool.name, "input": {}}
            yield from self.block(key, empty, {"type": "input_json_delta", "partial_json": tool.text})

    def block(self, key: str | int, empty: Json, delta: Json | None) -> Iterator[bytes]:
        """A piece of the block that is open, or of a new one."""
        if self.open != key:
            yield from self.close()
            self.open = key
            self.index += 1
            yield messages.named({"type": "content_block_start", "index": self.index, "content_block": empty})
        if delta:
            yield self.delta(delta)

    def delta(self, delta: Json) -> bytes:
        return messages.named({"type": "content_block_delta", "index": self.index, "delta": delta})

    def close(self) -> Iterator[bytes]:
        if self.open is not None:
            self.open = None
            yield messages.named({"type": "content_block_stop", "index": self.index})

    def end(self) -> Iterator[bytes]:
        if self.over:
            return
        if not self.finish and not self.tools and self.index < 0 and not self.refusal:
            raise Problem(Kind.UPSTREAM_FAILED, "The account ended its answer before it said anything.")
        self.over = True
        yield from self.advance(ending=True)
        if self.late.strip():
            yield from self.text(self.late)
        yield from self.close()
        stopped = stop_of(self.finish, self.word, self.refusal, bool(self.tools))
        yield messages.named({"type": "message_delta", "delta": stopped, "usage": usage_for_messages(self.usage)})
        yield messages.named({"type": "message_stop"})


Turning = ToChunks | ToEvents


class Translation(Struct, frozen=True, kw_only=True):
    path: str  # at the account
    ask: Callable[[HttpRequest, str, bool], Asked]  # with the model's name there; whether it is the vendor itself
    answer: Callable[[bytes, int], Json]  # with the time. Raises Problem
    turning: Callable[[Asked, int], Turning]
    usage: Callable[[bytes], Tokens | None]  # of the account's wire


BETWEEN: dict[tuple[str, str, str], Translation] = {
    ("openai", "/v1/chat/completions", "anthropic"): Translation(
        path="/v1/messages",
        ask=to_messages,
        answer=to_completion,
        turning=ToChunks,
        usage=messages.tokens_reported,
    ),
    ("anthropic", "/v1/messages", "openai"): Translation(
        path="/v1/chat/completions",
        ask=to_chat,
        answer=to_message,
        turning=ToEvents,
        usage=chat.tokens_reported,
    ),
}
"""By the caller's wire, its path, and the account's wire."""
