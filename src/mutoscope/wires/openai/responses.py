"""Responses in the minimal form that SDKs and agents call by default: nothing is kept from one to the next."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, cast

from msgspec import Meta, Struct

from mutoscope.model.http import HttpRequest, json_response
from mutoscope.model.job import Json
from mutoscope.model.problem import Kind, Problem, custom_flaw
from mutoscope.model.words import Ask, Call, Part, Reply, Tool, Turn
from mutoscope.wirekit.body import invalid, read_body
from mutoscope.wirekit.words import Answer, Author, Target, event, glance

USUAL = "gpt-5.4"


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


def read(request: HttpRequest) -> tuple[Body, Ask]:
    """Raises Problem(INVALID), and UNSUPPORTED by name for what needs what is not kept or not here."""
    body = read_body(request.body, Body)
    for name in ("previous_response_id", "conversation"):
        if getattr(body, name) is not None:
            raise Problem(Kind.UNSUPPORTED, "Responses are not kept here; send the whole input.", field=name)
    if body.background:
        raise Problem(Kind.UNSUPPORTED, "A response is answered at once here.", field="background")
    tools = [tool_of(number, each) for number, each in enumerate(body.tools or ())]
    form: Json = (body.text or {}).get("format") or {}
    choice = body.tool_choice
    named = str(choice["name"]) if isinstance(choice, dict) and choice.get("name") else None
    return body, Ask(
        model=body.model or USUAL,
        turns=tuple(turns_of(body)),
        tools=tuple(tools),
        choice="required" if choice == "required" else "auto",
        tool=named,
        json=form.get("type") in ("json_object", "json_schema"),
        schema=form.get("schema") if form.get("type") == "json_schema" else None,
        most=body.max_output_tokens,
    )


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


def turns_of(body: Body) -> Iterator[Turn]:
    if body.instructions:
        yield Turn(role="system", parts=(Part(text=body.instructions),))
    if isinstance(body.input, str):
        yield Turn(role="user", parts=(Part(text=body.input),))
        return
    for item in body.input or ():
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
                continue  # reasoning, references: of use to the model that made them only


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
    body, ask = read(request)
    reply = author.reply(ask)
    id = author.id()
    items = list(items_of(reply, id))
    answer = response_of(body, ask, reply, id, author.now()) | {"output": items}
    if body.stream:
        return Answer.of((reply,), events=tuple(numbered(events_of(answer, items, reply))))
    return Answer.of((reply,), response=json_response(answer))


def count(request: HttpRequest, author: Author) -> Answer:
    _, ask = read(request)
    told = {"object": "response.input_tokens", "input_tokens": author.count(ask)}
    return Answer(response=json_response(told))


def response_of(body: Body, ask: Ask, reply: Reply, id: str, created: int) -> Json:
    short = reply.reason == "length"
    return {
        "id": f"resp_{id}",
        "object": "response",
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
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "store": False,
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
    begun: Json = answer | {"status": "in_progress", "output": [], "usage": None, "incomplete_details": None}
    yield "response.created", {"response": begun}
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
