"""Realtime: the client's events read, the author's words as events, and the keys that a browser is given.

One answer at a time, in text. Sound is listened to where a recogniser is here and the session asks for a transcription;
else its length alone is known, and its transcript says so.
"""

import binascii
import struct
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal, NamedTuple, cast

import msgspec
from msgspec import Meta, Struct
from uuid_utils import uuid7

from mutoscope.model.http import Headers, HttpRequest, HttpResponse, json_response
from mutoscope.model.job import Json
from mutoscope.model.problem import Flaw, Kind, Problem, Rule, custom_flaw
from mutoscope.model.requests import SecretWish
from mutoscope.model.words import TRANSCRIPT, Ask, Call, Part, Reply, Tokens, Tool, Turn
from mutoscope.wirekit.body import invalid, read_body
from mutoscope.wirekit.words import Author

USUAL = "gpt-realtime"
PROTOCOL, KEY_PROTOCOL, OLDER_PROTOCOL = "realtime", "openai-insecure-api-key.", "openai-beta.realtime-v1"
OLDER = "realtime=v1"  # of the header OpenAI-Beta
SECRET = "ek_"  # noqa: S105 (how such a key begins)
KEPT = 16 * 1024 * 1024  # characters of a conversation
MOST_ITEMS = 1000
MOST_VALUES = 10_000  # of an event
SOUND_SECONDS = 0.1  # that are to be there at a commit
MOST_SOUND = 16 * 1024 * 1024  # bytes of a session that wait to be listened to
RATES = {"audio/pcm": 48_000, "audio/pcmu": 8000, "audio/pcma": 8000}  # bytes of a second
WAVE_FORMATS = {"audio/pcm": (1, 24_000, 2), "audio/pcmu": (7, 8000, 1), "audio/pcma": (6, 8000, 1)}
"""What a WAV file calls them, samples of a second, bytes of one."""
TRANSCRIBED = "conversation.item.input_audio_transcription"

# -- what a client says ------------------------------------------------------------------


class SoundFormat(Struct, kw_only=True):
    type: Literal["audio/pcm", "audio/pcmu", "audio/pcma"]
    rate: int | None = None


class AudioIn(Struct, kw_only=True):
    format: SoundFormat | None = None
    transcription: Json | None = None
    noise_reduction: Json | None = None
    turn_detection: Json | None = None


class AudioOut(Struct, kw_only=True):
    format: SoundFormat | None = None
    voice: str | Json | None = None
    speed: Annotated[float, Meta(ge=0.25, le=1.5)] | None = None


class Audio(Struct, kw_only=True):
    input: AudioIn | None = None
    output: AudioOut | None = None


class FunctionTool(Struct, kw_only=True):
    type: Literal["function", "mcp"] = "function"
    name: str = ""
    description: str | None = None
    parameters: Json | None = None


class Wishes(Struct, kw_only=True):
    """What a session and one response both may say."""

    output_modalities: Annotated[list[Literal["text", "audio"]], Meta(min_length=1, max_length=1)] | None = None
    instructions: str | None = None
    audio: Audio | None = None
    tools: list[FunctionTool] | None = None
    tool_choice: Literal["none", "auto", "required"] | Json | None = None
    parallel_tool_calls: bool | None = None
    max_output_tokens: Annotated[int, Meta(ge=1, le=4096)] | Literal["inf"] | None = None
    prompt: Json | None = None
    reasoning: Json | None = None


class SessionBody(Wishes, kw_only=True):
    type: Literal["realtime", "transcription"]
    model: str | None = None
    truncation: Any = None
    tracing: Any = None
    include: list[str] | None = None


class PartBody(Struct, kw_only=True):
    type: Literal["input_text", "input_audio", "input_image", "output_text", "output_audio", "text"]
    text: str | None = None
    audio: str | None = None
    transcript: str | None = None
    image_url: str | None = None
    detail: str | None = None


class ItemBody(Struct, kw_only=True):
    """Which member has to be there goes by the type."""

    type: Literal["message", "function_call", "function_call_output", "item_reference"]
    id: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    object: str | None = None
    status: str | None = None
    role: Literal["system", "user", "assistant"] | None = None
    content: list[PartBody] | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None
    output: str | None = None


class ResponseBody(Wishes, kw_only=True):
    conversation: Literal["auto", "none"] | None = None
    input: list[ItemBody] | None = None
    metadata: dict[str, str] | None = None


class Event(Struct, kw_only=True):
    type: str
    event_id: str | None = None


class Update(Event, kw_only=True):
    session: SessionBody


class Append(Event, kw_only=True):
    audio: str


class Create(Event, kw_only=True):
    item: ItemBody
    previous_item_id: str | None = None


class OfItem(Event, kw_only=True):
    item_id: str


class Truncate(OfItem, kw_only=True):
    content_index: int
    audio_end_ms: int


class Respond(Event, kw_only=True):
    response: ResponseBody | None = None


class Cancel(Event, kw_only=True):
    response_id: str | None = None


EVENTS: dict[str, type[Event]] = {
    "session.update": Update,
    "input_audio_buffer.append": Append,
    "input_audio_buffer.commit": Event,
    "input_audio_buffer.clear": Event,
    "conversation.item.create": Create,
    "conversation.item.retrieve": OfItem,
    "conversation.item.delete": OfItem,
    "conversation.item.truncate": Truncate,
    "response.create": Respond,
    "response.cancel": Cancel,
}


class Trouble(Problem):
    """A problem for which the vendor has a code of its own."""

    def __init__(self, code: str, message: str, *, field: str | None = None) -> None:
        super().__init__(Kind.INVALID, message, field=field)
        self.code = code


def read_event(text: str) -> Event:
    """Raises Problem(INVALID)."""
    if text.count(",") > MOST_VALUES:  # they take long to read
        raise Problem(Kind.INVALID, f"The event has more than {MOST_VALUES} values.")
    body = text.encode()
    try:
        head = read_body(body, Event)
        if head.type not in EVENTS:
            raise Problem(
                Kind.INVALID, f"There is no event {head.type[:64]!r}; there are {', '.join(EVENTS)}.", field="type"
            )
        return read_body(body, EVENTS[head.type])
    except Problem as problem:
        if problem.flaws and problem.flaws[0].rule is Rule.JSON:
            raise Problem(Kind.INVALID, problem.message.replace("request body", "event")) from problem
        raise


def event_id(text: str) -> str | None:
    """The client's own name for an event, as far as it can be read."""
    try:
        return msgspec.json.decode(text, type=_Named).event_id
    except (msgspec.DecodeError, RecursionError):
        return None


class _Named(Struct):
    event_id: str | None = None


def check_wishes(wishes: Wishes, place: str) -> None:
    """Raises Problem(UNSUPPORTED) for what nobody does here."""
    if wishes.output_modalities == ["audio"]:
        message = 'The scripted author answers in text only; send ["text"], and speak it by /v1/audio/speech.'
        raise Problem(Kind.UNSUPPORTED, message, field=f"{place}.output_modalities")
    if wishes.audio and wishes.audio.input and wishes.audio.input.turn_detection:
        message = (
            "Nobody listens for the end of speech here; send null, then input_audio_buffer.commit and response.create."
        )
        raise Problem(Kind.UNSUPPORTED, message, field=f"{place}.audio.input.turn_detection")
    if wishes.prompt:
        message = "Prompts that the vendor keeps are not here; send instructions."
        raise Problem(Kind.UNSUPPORTED, message, field=f"{place}.prompt")
    for number, tool in enumerate(wishes.tools or ()):
        if tool.type != "function":
            message = f"Tools of the type {tool.type} are called by the vendor, and are not here."
            raise Problem(Kind.UNSUPPORTED, message, field=f"{place}.tools[{number}].type")
        if not tool.name:
            raise invalid((custom_flaw((*place.split("."), "tools", number, "name"), "is required"),))


def check_item(item: ItemBody, place: tuple[str | int, ...]) -> None:
    """Raises Problem(INVALID) naming what is missing."""
    needed = {
        "message": ("role", "content"),
        "function_call": ("name", "arguments"),
        "function_call_output": ("call_id", "output"),
        "item_reference": ("id",),
    }
    missing = [(*place, name) for name in needed[item.type] if getattr(item, name) is None]
    for number, part in enumerate(item.content or ()):
        name = {"input_audio": "audio", "input_image": "image_url", "output_audio": "transcript"}.get(part.type, "text")
        if getattr(part, name) is None:
            missing.append((*place, "content", number, name))
    if missing:
        raise invalid(tuple(Flaw(path=path, rule=Rule.REQUIRED, bound="string", found="undefined") for path in missing))


# -- a session -----------------------------------------------------------------------------


def usual(model: str) -> Json:
    """A session before its client says otherwise."""
    form = {"type": "audio/pcm", "rate": 24_000}
    return {
        "type": "realtime",
        "object": "realtime.session",
        "model": model,
        "output_modalities": ["text"],
        "instructions": "",
        "tools": [],
        "tool_choice": "auto",
        "max_output_tokens": "inf",
        "audio": {"input": {"format": form, "transcription": None, "noise_reduction": None, "turn_detection": None}},
        "truncation": "auto",
        "tracing": None,
        "include": None,
        "prompt": None,
    }


NEVER_NULL = ("type", "model", "audio", "input", "output")  # there null says nothing


def merged(old: Json, new: Json) -> Json:
    """With what is said of `audio` laid over, member by member."""
    new = {name: said for name, said in new.items() if said is not None or name not in NEVER_NULL}
    inner = {
        name: merged(cast("Json", old[name]), cast("Json", said))
        for name, said in new.items()
        if name in ("audio", "input", "output") and isinstance(said, dict) and isinstance(old.get(name), dict)
    }
    return old | new | inner


class Session:
    """A conversation with the author. Its `take` gives what follows at once from an event, its `speak` an answer."""

    def __init__(self, request: HttpRequest, model: str, author: Author, error: Callable[[Problem], Json]) -> None:
        """Raises Problem(UNSUPPORTED) for a client of the older form."""
        if OLDER in request.headers.get("openai-beta", ""):
            message = (
                "The events that the vendor had in beta are passed on to accounts; the scripted author has its own."
            )
            raise Problem(Kind.UNSUPPORTED, message, field="openai-beta")
        if "call_id" in request.query:
            raise Problem(Kind.UNSUPPORTED, "There are no calls by SIP or WebRTC here.", field="call_id")
        self.author, self.error = author, error
        self.session: dict[str, Any] = {**usual(model), "id": f"sess_{author.id()}"}
        self.items: list[Json] = []
        self.size = 0  # characters of all items
        self.length = 0  # bytes of sound that were not committed yet
        self.sound = bytearray()  # the same, where it is listened to, as much as is kept
        self.waiting: list[Unheard] = []
        self.answer: Answering | None = None

    @property
    def speaking(self) -> Reply | None:
        return self.answer.reply if self.answer else None

    def greet(self) -> Iterator[str]:
        yield self.said("session.created", session=self.session)

    def said(self, type: str, **members: Any) -> str:
        return msgspec.json.encode({"type": type, "event_id": f"event_{self.author.id()}"} | members).decode()

    def take(self, text: str) -> Iterator[str]:
        try:
            yield from self.taken(read_event(text), text)
        except Problem as problem:
            code = {"code": problem.code} if isinstance(problem, Trouble) else {}
            yield self.said("error", error=self.error(problem) | code | {"event_id": event_id(text)})

    def taken(self, event: Event, text: str) -> Iterator[str]:
        """Raises Problem before anything changes."""
        match event:
            case Update():
                yield self.update(event.session, msgspec.json.decode(text)["session"])
            case Append():
                self.append(sound_bytes(event.audio))
            case Create():
                check_item(event.item, ("item",))
                if event.item.type == "item_reference":
                    raise Problem(
                        Kind.INVALID, "A reference stands in the input of a response only.", field="item.type"
                    )
                yield from self.add(item_of(event.item, self.author.id()), event.previous_item_id)
            case Truncate():
                self.find(event.item_id)
                raise Problem(Kind.UNSUPPORTED, "Only an answer in sound is cut; this one is text.", field="item_id")
            case OfItem(type="conversation.item.retrieve"):
                yield self.said("conversation.item.retrieved", item=self.find(event.item_id))
            case OfItem():
                item = self.find(event.item_id)
                self.items.remove(item)
                self.size -= size_of(item)
                yield self.said("conversation.item.deleted", item_id=event.item_id)
            case Respond():
                self.respond(event.response or ResponseBody())
            case Cancel():
                yield from self.cancel(event.response_id)
            case Event(type="input_audio_buffer.commit"):
                yield from self.commit()
            case _:  # input_audio_buffer.clear
                self.length = 0
                self.sound.clear()
                yield self.said("input_audio_buffer.cleared")

    def append(self, sound: bytes) -> None:
        self.length += len(sound)
        waiting = len(self.sound) + sum(len(each.sound or b"") for each in self.waiting)
        if self.author.hears and waiting + len(sound) <= MOST_SOUND:
            self.sound += sound

    def update(self, body: SessionBody, said: Json) -> str:
        check_wishes(body, "session")
        if body.model and body.model != self.session["model"]:
            message = f"The model of a session stays what it was at its beginning: {self.session['model']}."
            raise Problem(Kind.INVALID, message, field="session.model")
        self.session = merged(self.session, {name: each for name, each in said.items() if name not in ("id", "object")})
        return self.said("session.updated", session=self.session)

    def commit(self) -> Iterator[str]:
        settings: Json = self.session["audio"]["input"]
        form: Json = settings.get("format") or {}
        seconds = self.length / RATES[form.get("type", "audio/pcm")]
        if seconds < SOUND_SECONDS:
            message = (
                f"There are {seconds * 1000:.0f} ms of sound; {SOUND_SECONDS * 1000:.0f} ms are needed for a commit."
            )
            raise Trouble("input_audio_buffer_commit_empty", message)
        whole = bytes(self.sound) if len(self.sound) == self.length else None
        self.length = 0
        self.sound.clear()
        id = f"item_{self.author.id()}"
        part: Json = {"type": "input_audio", "transcript": None}
        before = self.items[-1]["id"] if self.items else None
        item = whole_item(id, type="message", role="user", content=[part])
        added = list(self.add(item, None))
        yield self.said("input_audio_buffer.committed", previous_item_id=before, item_id=id)
        yield from added
        wanted: Json | None = settings.get("transcription")
        unheard = Unheard(item, part, seconds, whole, form.get("type", "audio/pcm"), wanted or {})
        if wanted and self.author.hears:
            self.waiting.append(unheard)
            return
        part["transcript"] = TRANSCRIPT
        if wanted:
            yield from self.transcribed(unheard, TRANSCRIPT)

    def unheard(self) -> Callable[[], str] | None:
        if not self.waiting:
            return None
        first, author = self.waiting[0], self.author

        def listen() -> str:
            if first.sound is None:
                message = f"Of the sound that waits to be listened to, {MOST_SOUND} bytes are kept; commit it in parts."
                raise Problem(Kind.TOO_LARGE, message)
            languages = first.wanted.get("languages") or [None]
            language = first.wanted.get("language") or languages[0]
            return author.hear(wave(first.sound, first.form), language=language, prompt=first.wanted.get("prompt"))

        return listen

    def heard(self, found: str | Problem) -> Iterator[str]:
        unheard = self.waiting.pop(0)
        if isinstance(found, Problem):
            error = self.error(found)
            yield self.said(f"{TRANSCRIBED}.failed", item_id=unheard.item["id"], content_index=0, error=error)
            return
        before = size_of(unheard.item)
        unheard.part["transcript"] = found
        if unheard.item in self.items:
            self.size += size_of(unheard.item) - before
        yield from self.transcribed(unheard, found)

    def transcribed(self, unheard: "Unheard", text: str) -> Iterator[str]:
        of = {"item_id": unheard.item["id"], "content_index": 0}
        usage = {"type": "duration", "seconds": round(unheard.seconds, 3)}
        if text:
            yield self.said(f"{TRANSCRIBED}.delta", **of, delta=text)
        yield self.said(f"{TRANSCRIBED}.completed", **of, transcript=text, usage=usage)

    # -- its items

    def find(self, id: str, field: str = "item_id") -> Json:
        for item in self.items:
            if item["id"] == id:
                return item
        raise Trouble("item_not_found", f"There is no item {id!r} in the conversation.", field=field)

    def add(self, item: Json, after: str | None) -> Iterator[str]:
        """Behind the item of this id: "root" is the beginning, None the end."""
        place = len(self.items)
        if after == "root":
            place = 0
        elif after is not None:
            place = self.items.index(self.find(after, "previous_item_id")) + 1
        if any(each["id"] == item["id"] for each in self.items):
            raise Problem(Kind.INVALID, f"There is an item {item['id']!r} already.", field="item.id")
        self.check_size(size_of(item))
        before = self.items[place - 1]["id"] if place else None
        self.items.insert(place, item)
        self.size += size_of(item)
        yield self.said("conversation.item.added", previous_item_id=before, item=item)
        yield self.said("conversation.item.done", previous_item_id=before, item=item)

    def check_size(self, more: int = 0) -> None:
        """Raises Problem(TOO_LARGE)."""
        if self.size + more > KEPT or len(self.items) >= MOST_ITEMS:
            message = f"A conversation keeps {MOST_ITEMS} items and {KEPT} characters; delete some."
            raise Problem(Kind.TOO_LARGE, message, field="item")

    # -- its answers

    def respond(self, body: ResponseBody) -> None:
        if self.session["type"] == "transcription":
            raise Problem(Kind.UNSUPPORTED, "A session that writes down what is said gives no answers.", field="type")
        if self.answer:
            message = (
                f"There is an answer under way, {self.answer.id}: wait for response.done, or send response.cancel."
            )
            raise Trouble("conversation_already_has_active_response", message)
        self.check_size()
        check_wishes(body, "response")
        for number, item in enumerate(body.input or ()):
            check_item(item, ("response", "input", number))
        given = [
            self.find(each.id or "", f"response.input[{number}].id")
            if each.type == "item_reference"
            else item_of(each, self.author.id())
            for number, each in enumerate(body.input or ())
        ]
        ask = self.ask(body, self.items if body.input is None else given)
        id = self.author.id()
        try:
            self.answer = Answering(id, body, self.author.reply(ask))
        except Problem as problem:
            self.answer = Answering(id, body, Reply(), problem)

    def ask(self, body: ResponseBody, items: list[Json]) -> Ask:
        instructions = self.session["instructions"] if body.instructions is None else body.instructions
        told = (Turn(role="system", parts=(Part(text=instructions),)),) if instructions else ()
        tools = msgspec.convert(self.session["tools"] or [], list[FunctionTool]) if body.tools is None else body.tools
        choice: str | Json = self.session["tool_choice"] if body.tool_choice is None else body.tool_choice
        most = self.session["max_output_tokens"] if body.max_output_tokens is None else body.max_output_tokens
        return Ask(
            model=self.session["model"],
            turns=(*told, *map(turn_of, items)),
            tools=tuple(
                Tool(
                    name=each.name, description=each.description or "", parameters=each.parameters or {"type": "object"}
                )
                for each in tools
            ),
            choice=choice if choice in ("none", "required") else "auto",
            tool=str(choice["name"]) if isinstance(choice, dict) and "name" in choice else None,
            most=most if isinstance(most, int) else None,
        )

    def cancel(self, id: str | None) -> Iterator[str]:
        answer = self.answer
        if answer is None or id not in (None, answer.id):
            raise Trouble("response_cancel_not_active", "There is no such answer under way.", field="response_id")
        yield from self.end(answer, "cancelled", {"type": "cancelled", "reason": "client_cancelled"})

    def speak(self) -> Iterator[tuple[str, bool]]:
        """The events of the answer under way, and whether each is a piece of its text."""
        answer = self.answer
        if answer is None:
            return
        reply = answer.reply
        yield self.said("response.created", response=self.response(answer, "in_progress")), False
        if answer.problem:
            details = {"type": "failed", "error": self.error(answer.problem)}
            yield from ((each, False) for each in self.end(answer, "failed", details))
            return
        for number, call in enumerate(reply.calls):
            yield from ((each, False) for each in self.called(answer, number, call))
        if not reply.calls:
            item = whole_item(answer.item, type="message", role="assistant", content=[], status="in_progress")
            yield from ((each, False) for each in self.opened(answer, 0, item))
            part = {"type": "text", "text": ""}
            yield self.said("response.content_part.added", **answer.place, part=part), False
            for piece in reply.pieces or (reply.refusal,):
                yield self.said("response.output_text.delta", **answer.place, delta=piece), True
                answer.text += piece  # it was sent, and no cancellation came before it
        cut = reply.reason == "length"
        details = {"type": "incomplete", "reason": "max_output_tokens"} if cut else None
        yield from ((each, False) for each in self.end(answer, "incomplete" if cut else "completed", details))

    def opened(self, answer: "Answering", number: int, item: Json) -> Iterator[str]:
        answer.begun = True
        yield self.said("response.output_item.added", response_id=answer.id, output_index=number, item=item)
        if answer.kept:
            before = self.items[-1]["id"] if self.items else None
            yield self.said("conversation.item.added", previous_item_id=before, item=item)

    def closed(self, answer: "Answering", number: int, item: Json) -> Iterator[str]:
        answer.output.append(item)
        yield self.said("response.output_item.done", response_id=answer.id, output_index=number, item=item)
        if answer.kept:
            before = self.items[-1]["id"] if self.items else None
            self.items.append(item)
            self.size += size_of(item)
            yield self.said("conversation.item.done", previous_item_id=before, item=item)

    def called(self, answer: "Answering", number: int, call: Call) -> Iterator[str]:
        id = f"item_{self.author.id()}"
        item = whole_item(id, type="function_call", name=call.name, call_id=call.id, arguments=call.arguments)
        yield from self.opened(answer, number, item | {"arguments": "", "status": "in_progress"})
        of = {"response_id": answer.id, "item_id": id, "output_index": number, "call_id": call.id}
        name = "response.function_call_arguments"
        yield self.said(f"{name}.delta", **of, delta=call.arguments)
        yield self.said(f"{name}.done", **of, name=call.name, arguments=call.arguments)
        yield from self.closed(answer, number, item)

    def end(self, answer: "Answering", status: str, details: Json | None) -> Iterator[str]:
        """What closes an answer, as far as it came."""
        if answer.begun and not answer.reply.calls:
            state = "completed" if status == "completed" else "incomplete"
            part = {"type": "output_text", "text": answer.text}
            item = whole_item(answer.item, type="message", role="assistant", content=[part], status=state)
            yield self.said("response.output_text.done", **answer.place, text=answer.text)
            yield self.said("response.content_part.done", **answer.place, part=part | {"type": "text"})
            yield from self.closed(answer, 0, item)
        self.answer = None
        yield self.said("response.done", response=self.response(answer, status, details))

    def response(self, answer: "Answering", status: str, details: Json | None = None) -> Json:
        most = answer.body.max_output_tokens
        return {
            "object": "realtime.response",
            "id": answer.id,
            "status": status,
            "status_details": details,
            "output": answer.output,
            "conversation_id": self.session["id"].replace("sess_", "conv_") if answer.kept else None,
            "output_modalities": ["text"],
            "max_output_tokens": self.session["max_output_tokens"] if most is None else most,
            "metadata": answer.body.metadata,
            "usage": None if status == "in_progress" else usage_of(answer.reply.tokens),
        }


class Unheard(NamedTuple):
    """Sound of which a transcript is due. `sound` is None where it was too much to be kept."""

    item: Json
    part: Json
    seconds: float
    sound: bytes | None
    form: str
    wanted: Json  # of the transcription


def wave(sound: bytes, form: str) -> bytes:
    """As a WAV file."""
    tag, rate, wide = WAVE_FORMATS[form]
    head = struct.pack("<4sIHHIIHH", b"fmt ", 16, tag, 1, rate, rate * wide, wide, wide * 8)
    data = struct.pack("<4sI", b"data", len(sound)) + sound
    return struct.pack("<4sI4s", b"RIFF", 4 + len(head) + len(data), b"WAVE") + head + data


class Answering:
    """An answer under way, as far as it has come."""

    def __init__(self, id: str, body: ResponseBody, reply: Reply, problem: Problem | None = None) -> None:
        self.id, self.item, self.body, self.reply, self.problem = f"resp_{id}", f"item_{id}", body, reply, problem
        self.place = {"response_id": self.id, "item_id": self.item, "output_index": 0, "content_index": 0}
        self.kept = body.conversation != "none"
        self.begun, self.text = False, ""
        self.output: list[Json] = []


def sound_bytes(audio: str) -> bytes:
    """Raises Problem(INVALID) for what is no base64."""
    try:
        return binascii.a2b_base64(audio, strict_mode=True)
    except (binascii.Error, ValueError) as error:
        raise Problem(Kind.INVALID, f"The sound should be base64: {error}", field="audio") from error


def whole_item(id: str, *, status: str = "completed", **members: Any) -> Json:
    return {"id": id, "object": "realtime.item", "status": status} | members


def item_of(body: ItemBody, id: str) -> Json:
    """An item as it is kept: of sound only the words."""
    said: Json = msgspec.to_builtins(body)
    members = {name: each for name, each in said.items() if each is not None and name not in ("status", "object")}
    if body.content is not None:
        members["content"] = [
            {name: each for name, each in part.items() if each is not None and name != "audio"}
            | ({"transcript": part["transcript"] or TRANSCRIPT} if part["type"] == "input_audio" else {})
            for part in said["content"]
        ]
    if body.type == "function_call":
        members.setdefault("call_id", f"call_{id[:24]}")
    return whole_item(f"item_{id}") | members


def size_of(item: Json) -> int:
    return len(msgspec.json.encode(item))


def turn_of(item: Json) -> Turn:
    match item["type"]:
        case "function_call":
            call = Call(id=item["call_id"], name=item["name"], arguments=item["arguments"])
            return Turn(role="assistant", calls=(call,))
        case "function_call_output":
            return Turn(role="tool", parts=(Part(text=item["output"]),), answers=item["call_id"])
        case _:
            return Turn(role=item["role"], parts=tuple(part for each in item["content"] for part in parts_of(each)))


def parts_of(part: Json) -> Iterator[Part]:
    if part["type"] == "input_image":
        yield Part(kind="image", source=part["image_url"])
        return
    yield Part(text=part.get("text") or part.get("transcript") or "")
    if part["type"] == "input_audio":
        yield Part(kind="audio")


def usage_of(tokens: Tokens) -> Json:
    return {
        "total_tokens": tokens.read + tokens.written,
        "input_tokens": tokens.read,
        "output_tokens": tokens.written,
        "input_token_details": {"text_tokens": tokens.read, "audio_tokens": 0, "image_tokens": 0, "cached_tokens": 0},
        "output_token_details": {"text_tokens": tokens.written, "audio_tokens": 0},
    }


# -- what passes by ------------------------------------------------------------------------


def asks(text: str) -> bool:
    """Whether an event asks for an answer."""
    if "response.create" not in text and "\\u" not in text:
        return False
    try:
        return msgspec.json.decode(text, type=_Typed).type == "response.create"
    except (msgspec.DecodeError, RecursionError):
        return False


def tokens_reported(text: str) -> Tokens | None:
    """What an event of the answer says of tokens."""
    if "response.done" not in text:
        return None
    try:
        event = msgspec.json.decode(text, type=_Done)
    except (msgspec.DecodeError, RecursionError):
        return None
    usage = event.response.usage if event.type == "response.done" and event.response else None
    return Tokens(read=usage.input_tokens or 0, written=usage.output_tokens or 0) if usage else None


class _Typed(Struct):
    type: str = ""


class _Usage(Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None


class _Response(Struct):
    usage: _Usage | None = None


class _Done(_Typed):
    response: _Response | None = None


def error(told: Json) -> str:
    """Trouble that no event of the client's began."""
    return msgspec.json.encode({"type": "error", "event_id": f"event_{uuid7().hex}", "error": told}).decode()


def begin(session: Json) -> str:
    return msgspec.json.encode({"type": "session.update", "session": session}).decode()


def offered(protocols: list[str]) -> Headers:
    """What a browser says by subprotocols, as the headers that others send."""
    found: Headers = {"openai-beta": OLDER} if OLDER_PROTOCOL in protocols else {}
    key = next((each.removeprefix(KEY_PROTOCOL) for each in protocols if each.startswith(KEY_PROTOCOL)), None)
    return found if key is None else found | {"authorization": f"Bearer {key}"}


# -- keys for browsers ---------------------------------------------------------------------


class Expiry(Struct, kw_only=True):
    anchor: Literal["created_at"] = "created_at"
    seconds: Annotated[int, Meta(ge=10, le=7200)] = 600


class SecretBody(Struct, kw_only=True):
    expires_after: Expiry | None = None
    session: SessionBody | None = None


class SecretAnswer(Struct, kw_only=True):
    value: str
    expires_at: int
    session: Json


def parse_secret(request: HttpRequest) -> SecretWish:
    body = read_body(request.body, SecretBody)
    said: Json = msgspec.json.decode(request.body).get("session") or {}
    model = body.session.model if body.session and body.session.model else USUAL
    return SecretWish(seconds=(body.expires_after or Expiry()).seconds, model=model, session=said)


def show_secret(wish: SecretWish, secret: str, expires: int) -> HttpResponse:
    session = merged(usual(wish.model), wish.session) | {"id": f"sess_{secret.removeprefix(SECRET)[:24]}"}
    return json_response(SecretAnswer(value=secret, expires_at=expires, session=session))
