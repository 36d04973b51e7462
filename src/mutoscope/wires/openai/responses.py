"""Responses, which SDKs and agents call by default; those that are kept are read, gone on from and forgotten by id."""

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal, cast

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from mutoscope.model.http import HttpRequest, json_response
from mutoscope.model.job import Json
from mutoscope.model.problem import Kind, Problem, custom_flaw
from mutoscope.model.words import Ask, Call, KeptAnswer, Part, Reply, Tool, Turn
from mutoscope.wirekit.body import UNREADABLE, invalid, read_body
from mutoscope.wirekit.queries import read_query
from mutoscope.wirekit.words import Answer, Author, Memory, Recall, Target, event, glance

USUAL = "gpt-5.4"
OWN_ITEM = re.compile(r"[a-z]+_([0-9a-f]{32})(?:i?[0-9]+)?")  # an id of ours tells of which response the item is


class Item(Struct, kw_only=True):
    """A message where it has a role; else what its type says."""

    type: str = "message"
    role: Literal["user", "assistant", "system", "developer"] | None = None
    content: str | list[Json] | None = None
    id: str | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None
    output: str | list[Json] | None = None


class Body(Struct, kw_only=True):
    model: str | None = None
    input: str | list[Item] | None = None
    instructions: str | None = None
    max_output_tokens: Annotated[int, Meta(ge=1)] | None = None
    tools: list[Json] | None = None
    tool_choice: Literal["none", "auto", "required"] | Json | None = None
    parallel_tool_calls: bool | None = None
    text: Json | None = None
    stream: bool | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    metadata: dict[str, str] | None = None
    previous_response_id: str | None = None
    conversation: str | Json | None = None
    background: bool | None = None
    store: bool | None = None
    include: list[str] | None = None
    reasoning: Json | None = None
    service_tier: str | None = None
    truncation: str | None = None
    user: str | None = None


def target(request: HttpRequest) -> Target:
    return glance(request.body, USUAL)


class _Recall(Struct):
    previous_response_id: str | None = None
    store: bool | None = None


class _Reference(Struct):
    id: str | None = None
    type: str | None = None
    role: str | None = None


class _References(Struct):
    input: str | list[_Reference] | None = None


RECALL, REFERENCES = msgspec.json.Decoder(_Recall), msgspec.json.Decoder(_References)


def recall(request: HttpRequest) -> Recall:
    try:
        said = RECALL.decode(request.body)
    except UNREADABLE:  # whoever answers judges it
        return Recall(keeps=False)
    return Recall(previous=said.previous_response_id or None, keeps=said.store is not False)


def named(request: HttpRequest) -> set[str]:
    """The responses of whose items there are references."""
    if b"item_reference" not in request.body and b'"id"' not in request.body:
        return set()
    try:
        items = REFERENCES.decode(request.body).input
    except UNREADABLE:
        return set()
    refers = [] if items is None or isinstance(items, str) else [each for each in items if is_reference(each)]
    found = (OWN_ITEM.fullmatch(each.id or "") for each in refers)
    return {f"resp_{each[1]}" for each in found if each}


FIRST_ID = re.compile(rb'"id"\s*:\s*"([A-Za-z0-9_.:-]{1,200})"')


def first_id(piece: bytes) -> str | None:
    """That of an account's response: it stands before all others, in an event as well."""
    return found[1].decode() if (found := FIRST_ID.search(piece)) else None


MEMORY = Memory(recall=recall, named=named, id=first_id)


def is_reference(item: Item | _Reference) -> bool:
    """Its type may be left out."""
    untyped = item.type in (None, "message") and item.role is None and item.id is not None
    return item.type == "item_reference" or untyped


def read(request: HttpRequest) -> tuple[Body, Ask, list[Json]]:
    """Also what is asked as items, with references resolved. Raises Problem(INVALID), and UNSUPPORTED by name for what
    is not here."""
    body = read_body(request.body, Body)
    if body.conversation is not None:
        message = "Conversations are not kept here; go on from a response by previous_response_id."
        raise Problem(Kind.UNSUPPORTED, message, field="conversation")
    if body.background and body.store is False:
        raise Problem(Kind.INVALID, "A response in the background has to be stored.", field="background")
    own = items_in(request, body)
    context = context_of(request.recalled, body.previous_response_id)
    tools = [tool_of(number, each) for number, each in enumerate(body.tools or ())]
    form: Json = (body.text or {}).get("format") or {}
    choice = body.tool_choice
    named = str(choice["name"]) if isinstance(choice, dict) and choice.get("name") else None
    ask = Ask(
        model=body.model or USUAL,
        turns=tuple(turns_of(body.instructions, [*context, *own])),
        tools=tuple(tools),
        choice="required" if choice == "required" else "auto",
        tool=named,
        json=form.get("type") in ("json_object", "json_schema"),
        schema=form.get("schema") if form.get("type") == "json_schema" else None,
        most=body.max_output_tokens,
    )
    return body, ask, own


def items_in(request: HttpRequest, body: Body) -> list[Json]:
    """As they were sent, in the long form and with what they refer to. Raises Problem for what is not there."""
    if isinstance(body.input, str):
        return [message_of("user", body.input)]
    if not body.input:
        return []
    sent: list[Json] = msgspec.json.decode(request.body)["input"]
    known = {item["id"]: item for kept in request.recalled for item in all_items(kept) if item.get("id")}
    found: list[Json] = []
    for number, (item, raw) in enumerate(zip(body.input, sent, strict=True)):
        if is_reference(item):
            if item.id not in known:
                raise Problem(Kind.INVALID, f"There is no item with the id {item.id!r}.", field=f"input[{number}].id")
            found.append(known[item.id])
        elif item.type == "message" and item.role and isinstance(item.content, str):
            found.append(message_of(item.role, item.content))
        else:
            found.append({"type": item.type, **raw})
    return found


def message_of(role: str, text: str) -> Json:
    part = text_part(text) if role == "assistant" else {"type": "input_text", "text": text}
    return {"type": "message", "role": role, "status": "completed", "content": [part]}


def all_items(kept: KeptAnswer) -> list[Json]:
    """What was asked, and what was answered."""
    answered: list[Json] = msgspec.json.decode(kept.record)["output"]
    return [*cast("list[Json]", msgspec.json.decode(kept.input)), *answered]


def context_of(recalled: tuple[KeptAnswer, ...], previous: str | None) -> list[Json]:
    """The items of a response and of all before it. Raises Problem where one of them is not there any more."""
    rows = {kept.id: kept for kept in recalled}
    chain: list[KeptAnswer] = []
    while previous:
        if previous not in rows:
            message = f"There is no answer {previous!r} to go on from: it was deleted, or its time is over."
            raise Problem(Kind.INVALID, message, field="previous_response_id")
        chain.append(rows.pop(previous))
        previous = chain[-1].previous
    return [item for kept in reversed(chain) for item in all_items(kept)]


def tool_of(number: int, said: Json) -> Tool:
    if said.get("type", "function") not in ("function", "custom"):
        message = f"Tools of the type {said.get('type')} are hosted by the vendor and are not here."
        raise Problem(Kind.UNSUPPORTED, message, field=f"tools[{number}].type")
    if not isinstance(said.get("name"), str):
        raise invalid((custom_flaw(("tools", number, "name"), "is required"),))
    parameters: Any = said.get("parameters")
    return Tool(
        name=said["name"],
        description=str(said.get("description") or ""),
        parameters=cast("Json", parameters) if isinstance(parameters, dict) else {"type": "object"},
    )


def turns_of(instructions: str | None, items: list[Json]) -> Iterator[Turn]:
    if instructions:
        yield Turn(role="system", parts=(Part(text=instructions),))
    for item in msgspec.convert(items, list[Item]):
        match item.type:
            case "function_call" | "custom_tool_call":
                call = Call(id=item.call_id or "", name=item.name or "", arguments=item.arguments or "")
                yield Turn(role="assistant", calls=(call,))
            case "function_call_output" | "custom_tool_call_output":
                yield Turn(role="tool", parts=parts_of(item.output), answers=item.call_id or "")
            case "message" if item.role is not None:
                role = "system" if item.role in ("system", "developer") else item.role
                yield Turn(role=role, parts=parts_of(item.content))
            case _:
                continue  # reasoning: of use to the model that made it only


def parts_of(content: str | list[Json] | None) -> tuple[Part, ...]:
    if isinstance(content, str):
        return (Part(text=content),)
    return tuple(part_of(each) for each in content or ())


def part_of(said: Json) -> Part:
    match said.get("type"):
        case "input_image":
            return Part(kind="image", source=str(said.get("image_url") or said.get("file_id") or ""))
        case "input_file":
            return Part(
                kind="file", source=str(said.get("file_id") or said.get("file_url") or said.get("file_data") or "")
            )
        case _:
            return Part(text=str(said.get("text") or said.get("refusal") or ""))


def write(request: HttpRequest, author: Author) -> Answer:
    """In the background it is filed at once, and is there when the author would have sent it."""
    body, ask, asked = read(request)
    reply = author.reply(ask)
    id, now = author.id(), author.now()
    items = list(items_of(reply, id))
    answer = response_of(body, ask, reply, id, now) | {"output": items}
    events = tuple(numbered(events_of(answer, items, reply))) if body.stream else ()
    keeps = None
    if body.store is not False:
        for number, each in enumerate(asked):
            each.setdefault("id", f"{PREFIXES.get(each['type'], 'msg')}_{id}i{number}")
        keeps = KeptAnswer(
            id=f"resp_{id}",
            previous=body.previous_response_id or None,
            created=now,
            ready=now + reply.latency + reply.pause * len(reply.pieces) if body.background else now,
            record=msgspec.json.encode(answer),
            input=msgspec.json.encode(asked),
            events=b"".join(events) if body.background else b"",
        )
    if body.stream:
        return Answer.of((reply,), events=events, keeps=keeps)
    if body.background:
        queued = json_response(unfinished(answer, "queued"))
        return replace(Answer.of((reply,), response=queued, keeps=keeps), latency=0.0)
    return Answer.of((reply,), response=json_response(answer), keeps=keeps)


PREFIXES = {
    "function_call": "fc",
    "function_call_output": "fco",
    "custom_tool_call": "ctc",
    "custom_tool_call_output": "ctco",
    "reasoning": "rs",
}


def unfinished(answer: Json, status: str) -> Json:
    return answer | {"status": status, "output": [], "usage": None, "incomplete_details": None}


def count(request: HttpRequest, author: Author) -> Answer:
    _, ask, _ = read(request)
    told = {"object": "response.input_tokens", "input_tokens": author.count(ask)}
    return Answer(response=json_response(told))


def response_of(body: Body, ask: Ask, reply: Reply, id: str, created: int) -> Json:
    short = reply.reason == "length"
    return {
        "id": f"resp_{id}",
        "object": "response",
        "background": bool(body.background),
        "created_at": created,
        "status": "incomplete" if short else "completed",
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if short else None,
        "instructions": body.instructions,
        "max_output_tokens": body.max_output_tokens,
        "metadata": body.metadata or {},
        "model": ask.model,
        "output": [],
        "parallel_tool_calls": body.parallel_tool_calls is not False,
        "previous_response_id": body.previous_response_id,
        "reasoning": {"effort": None, "summary": None},
        "store": body.store is not False,
        "temperature": 1.0 if body.temperature is None else body.temperature,
        "text": body.text or {"format": {"type": "text"}},
        "tool_choice": body.tool_choice or "auto",
        "tools": body.tools or [],
        "top_p": 1.0 if body.top_p is None else body.top_p,
        "truncation": body.truncation or "disabled",
        "usage": {
            "input_tokens": reply.tokens.read,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": reply.tokens.written,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": reply.tokens.read + reply.tokens.written,
        },
    }


def items_of(reply: Reply, id: str) -> Iterator[Json]:
    for number, call in enumerate(reply.calls):
        yield {
            "type": "function_call",
            "id": f"fc_{id}{number}",
            "call_id": call.id,
            "name": call.name,
            "arguments": call.arguments,
            "status": "completed",
        }
    if reply.refusal or not reply.calls:
        part = {"type": "refusal", "refusal": reply.refusal} if reply.refusal else text_part(reply.text)
        status = "incomplete" if reply.reason == "length" else "completed"
        yield {"type": "message", "id": f"msg_{id}", "status": status, "role": "assistant", "content": [part]}


def text_part(text: str) -> Json:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def numbered(events: Iterator[tuple[str, Json]]) -> Iterator[bytes]:
    for number, (name, data) in enumerate(events):
        yield event({"type": name, "sequence_number": number, **data}, name)


def events_of(answer: Json, items: list[Json], reply: Reply) -> Iterator[tuple[str, Json]]:
    begun = unfinished(answer, "in_progress")
    first = unfinished(answer, "queued") if answer["background"] else begun
    yield "response.created", {"response": first}
    if answer["background"]:
        yield "response.queued", {"response": first}
    yield "response.in_progress", {"response": begun}
    for index, item in enumerate(items):
        at = {"item_id": item["id"], "output_index": index}
        empty: Json = {"arguments": ""} if item["type"] == "function_call" else {"content": []}
        yield "response.output_item.added", {"output_index": index, "item": item | empty | {"status": "in_progress"}}
        yield from call_events(item, at) if item["type"] == "function_call" else text_events(item, at, reply)
        yield "response.output_item.done", {"output_index": index, "item": item}
    yield f"response.{answer['status']}", {"response": answer}


def call_events(item: Json, at: Json) -> Iterator[tuple[str, Json]]:
    text: str = item["arguments"]
    for start in range(0, len(text), 16):
        yield "response.function_call_arguments.delta", at | {"delta": text[start : start + 16]}
    yield "response.function_call_arguments.done", at | {"arguments": text, "name": item["name"]}


def text_events(item: Json, at: Json, reply: Reply) -> Iterator[tuple[str, Json]]:
    at = at | {"content_index": 0}
    part: Json = item["content"][0]
    empty: Json = {"type": "refusal", "refusal": ""} if reply.refusal else text_part("")
    yield "response.content_part.added", at | {"part": empty}
    if reply.refusal:
        yield "response.refusal.delta", at | {"delta": reply.refusal}
        yield "response.refusal.done", at | {"refusal": reply.refusal}
    else:
        for piece in reply.pieces:
            yield "response.output_text.delta", at | {"delta": piece, "logprobs": []}
        yield "response.output_text.done", at | {"text": reply.text, "logprobs": []}
    yield "response.content_part.done", at | {"part": part}


def broken(problem: Problem) -> bytes:
    """Flat: a member `error` would raise in the SDK before its kind is seen."""
    data: dict[str, Any] = {"code": problem.kind.value, "message": problem.message, "param": None, "sequence_number": 0}
    return event({"type": "error", **data}, "error")


# -- those that are kept -------------------------------------------------------------------


class ResponseAsked(Struct, frozen=True, kw_only=True):
    stream: Literal["true", "false"] = "false"
    starting_after: Annotated[int, Meta(ge=0)] | None = None


class ItemsAsked(Struct, frozen=True, kw_only=True):
    limit: Annotated[int, Meta(ge=1, le=100)] = 20
    order: Literal["asc", "desc"] = "desc"
    after: str | None = None


def show(request: HttpRequest, author: Author) -> Answer:
    asked, kept = read_query(request, ResponseAsked), request.recalled[0]
    if asked.stream == "false":
        return Answer(response=json_response(as_it_stands(kept, author.now())))
    if not kept.events:
        message = "Only the events of a response that was made with `background` and `stream` can be read again."
        raise Problem(Kind.UNSUPPORTED, message, field="stream")
    events = [each + b"\n\n" for each in kept.events.split(b"\n\n")[:-1]]
    skipped = 0 if asked.starting_after is None else asked.starting_after + 1
    return Answer(events=tuple(events[skipped:]), latency=max(kept.ready - author.now(), 0.0))


def as_it_stands(kept: KeptAnswer, now: float) -> Json:
    answer: Json = msgspec.json.decode(kept.record)
    return unfinished(answer, "in_progress") if now < kept.ready else answer


def stop(request: HttpRequest, author: Author) -> Answer:
    """One that has ended is told as it is."""
    kept = request.recalled[0]
    answer: Json = msgspec.json.decode(kept.record)
    if not answer["background"]:
        raise Problem(Kind.INVALID, "Only a response that was made with `background` can be cancelled.")
    if author.now() >= kept.ready:
        return Answer(response=json_response(answer))
    answer = unfinished(answer, "cancelled")
    keeps = replace(kept, ready=kept.created, record=msgspec.json.encode(answer), events=b"")
    return Answer(response=json_response(answer), keeps=keeps)


def forget(request: HttpRequest, _author: Author) -> Answer:
    id = request.recalled[0].id
    return Answer(response=json_response({"id": id, "object": "response", "deleted": True}), drops=id)


def list_items(request: HttpRequest, _author: Author) -> Answer:
    """What the response was made from, also all that it goes on from."""
    asked, kept = read_query(request, ItemsAsked), request.recalled[0]
    own: list[Json] = msgspec.json.decode(kept.input)
    items = [*context_of(request.recalled, kept.previous), *own]
    ordered = items if asked.order == "asc" else items[::-1]
    ids = [item["id"] for item in ordered]
    if asked.after is not None and asked.after not in ids:
        raise Problem(Kind.NOT_FOUND, f"There is no item {asked.after!r}.", field="after")
    start = 0 if asked.after is None else ids.index(asked.after) + 1
    shown = ordered[start : start + asked.limit]
    told = {
        "object": "list",
        "data": shown,
        "first_id": shown[0]["id"] if shown else None,
        "last_id": shown[-1]["id"] if shown else None,
        "has_more": start + asked.limit < len(ordered),
    }
    return Answer(response=json_response(told))
