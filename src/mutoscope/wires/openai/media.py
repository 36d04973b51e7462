"""Pictures, speech, transcripts and videos: jobs, of which all but videos are waited for and answered as files."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from mutoscope.model.http import HttpRequest, HttpResponse, json_response
from mutoscope.model.job import Job, Json, MediaLimits, Operation, Output, Role, State
from mutoscope.model.problem import Flaw, Kind, Rule, custom_flaw
from mutoscope.model.words import token_count
from mutoscope.wirekit.back import Way
from mutoscope.wirekit.body import read_json
from mutoscope.wirekit.fields import AnyField, Field, FileField, extra, pixels, same, seconds
from mutoscope.wirekit.paths import at
from mutoscope.wirekit.task import Endpoint
from mutoscope.wirekit.times import unmade
from mutoscope.wirekit.words import event
from mutoscope.wires.openai.models import DALLE, GPT_IMAGE

PATIENCE = 300.0  # seconds: pictures take their vendor up to three minutes
Count = Annotated[int, Meta(ge=1, le=10)]
Size = Annotated[str, Meta(pattern="^(auto|[0-9]{2,4}x[0-9]{2,4})$")]
EVERY_WAY = (Way.UPLOAD, Way.LINK, Way.DATA)
PICTURE = MediaLimits(types=("image/png", "image/jpeg", "image/webp"), max_bytes=50 * 1024 * 1024)

# -- bodies ------------------------------------------------------------------------------


class Drawn(Struct, kw_only=True):
    """What all requests for pictures have."""

    model: str | None = None
    n: Count | None = None
    size: Size | None = None
    aspect_ratio: Annotated[str, Meta(pattern="^[1-9][0-9]?:[1-9][0-9]?$")] | None = None  # relays', for FLUX
    quality: Literal["auto", "standard", "hd", "low", "medium", "high", "xhigh", "max"] | None = None
    response_format: Literal["url", "b64_json"] | None = None
    background: Literal["auto", "transparent", "opaque"] | None = None
    output_format: Literal["png", "jpeg", "webp"] | None = None
    output_compression: Annotated[int, Meta(ge=0, le=100)] | None = None
    stream: bool | None = None
    partial_images: Annotated[int, Meta(ge=0, le=3)] | None = None
    user: str | None = None
    safety_identifier: str | None = None


class Generate(Drawn, kw_only=True):
    prompt: Annotated[str, Meta(min_length=1, max_length=32_000)]
    style: Literal["vivid", "natural"] | None = None
    moderation: Literal["auto", "low"] | None = None


class Given(Struct, kw_only=True):
    image_url: str | None = None
    file_id: str | None = None


class Edit(Drawn, kw_only=True):
    prompt: Annotated[str, Meta(min_length=1, max_length=32_000)]
    image: Annotated[str, Meta(min_length=1)] | Annotated[list[str], Meta(min_length=1, max_length=16)] | None = None
    images: Annotated[list[Given], Meta(min_length=1, max_length=16)] | None = None
    mask: str | Given | None = None
    input_fidelity: Literal["high", "low"] | None = None


# For the published description; the rule itself is read with the body.
SomeImages = Annotated[
    Edit,
    Meta(
        examples=[{"prompt": "A red roof", "images": [{"image_url": "https://example.com/picture.png"}]}],
        extra_json_schema={"anyOf": [{"required": ["images"]}, {"required": ["image"]}]},
    ),
]


class Vary(Drawn, kw_only=True):
    image: Annotated[str, Meta(min_length=1)]


class Voice(Struct, kw_only=True):
    id: str


class Speak(Struct, kw_only=True, forbid_unknown_fields=True):
    model: Annotated[str, Meta(examples=["tts-1"])]
    input: Annotated[str, Meta(min_length=1, max_length=4096)]
    voice: Annotated[str, Meta(min_length=1)] | Voice
    instructions: Annotated[str, Meta(max_length=4096)] | None = None
    response_format: Literal["mp3", "opus", "aac", "flac", "wav", "pcm"] | None = None
    speed: Annotated[float, Meta(ge=0.25, le=4)] | None = None
    stream_format: Literal["audio", "sse"] | None = None


SoundFile = Annotated[str, Meta(min_length=1, examples=["https://example.com/sound.mp3"])]
"""A part of the form; a link or a data URI is read as well."""


class Translate(Struct, kw_only=True):
    file: SoundFile
    model: Annotated[str, Meta(examples=["whisper-1"])]
    prompt: str | None = None
    response_format: Literal["json", "text", "srt", "verbose_json", "vtt"] | None = None
    temperature: Annotated[float, Meta(ge=0, le=1)] | None = None


class Transcribe(Struct, kw_only=True):
    file: SoundFile
    model: Annotated[str, Meta(examples=["whisper-1"])]
    language: str | None = None
    prompt: str | None = None
    response_format: Literal["json", "text", "srt", "verbose_json", "vtt", "diarized_json"] | None = None
    temperature: Annotated[float, Meta(ge=0, le=1)] | None = None
    timestamp_granularities: list[Literal["word", "segment"]] | None = None
    include: list[str] | None = None
    stream: bool | None = None


class MakeVideo(Struct, kw_only=True):
    prompt: Annotated[str, Meta(min_length=1, max_length=32_000)]
    model: str | None = None
    seconds: Annotated[str, Meta(pattern="^[0-9]{1,2}$")] | Annotated[int, Meta(ge=1, le=99)] | None = None
    size: Annotated[str, Meta(pattern="^[0-9]{2,4}x[0-9]{2,4}$")] | None = None
    input_reference: str | Given | None = None


class Remix(Struct, kw_only=True):
    prompt: Annotated[str, Meta(min_length=1, max_length=32_000)]


FIELDS: dict[str, AnyField] = {
    "prompt": same("prompt"),
    "n": same("count"),
    "size": pixels("x"),
    "aspect_ratio": extra("ratio"),
    "quality": extra("quality"),
    "style": extra("style"),
    "background": extra("background"),
    "moderation": extra("moderation"),
    "output_compression": extra("output_compression"),
    "input_fidelity": extra("input_fidelity"),
    "image": FileField(role=Role.IMAGE, ways=EVERY_WAY, limits=PICTURE),
    "images": FileField(role=Role.IMAGE, ways=EVERY_WAY, limits=PICTURE, many=True, item="image_url"),
    "mask": FileField(role=Role.MASK, ways=EVERY_WAY, limits=PICTURE),
    "mask.image_url": FileField(role=Role.MASK, ways=EVERY_WAY, limits=PICTURE),
    "seconds": seconds(),
    "input_reference": FileField(role=Role.FIRST_FRAME, ways=EVERY_WAY, limits=PICTURE),
    "input_reference.image_url": FileField(role=Role.FIRST_FRAME, ways=EVERY_WAY, limits=PICTURE),
}
SPEECH: dict[str, AnyField] = {
    "input": same("prompt"),
    "voice": extra("voice"),
    "instructions": extra("instructions"),
    "speed": extra("speed"),
}
HEARING: dict[str, AnyField] = {
    "file": FileField(role=Role.AUDIO, ways=EVERY_WAY),
    "prompt": same("prompt"),
    "language": extra("language"),
    "temperature": extra("temperature"),
}
TO_ENGLISH: dict[str, AnyField] = HEARING | {
    "model": Field(ours=("translate",), read=lambda _: {"extra": {"translate": True}}, write=lambda _: None)
}

# -- rules -------------------------------------------------------------------------------


def usual(said: Json) -> str:
    """The model of a request for a picture that names none."""
    newer = ("background", "output_format", "output_compression", "moderation", "stream", "input_fidelity")
    return "gpt-image-1" if any(said.get(name) is not None for name in newer) else "dall-e-2"


def picture_flaws(said: Json) -> Iterator[Flaw]:
    """What one family of models takes and the other does not."""
    model = said.get("model") or usual(said)
    older = model in DALLE
    if model == "dall-e-3" and (said.get("n") or 1) > 1:
        yield custom_flaw(("n",), "should be 1 for dall-e-3")
    if said.get("size") not in (None, "auto") and said.get("aspect_ratio") is not None:
        yield custom_flaw(("aspect_ratio",), "stands against size: one of them")
    if model in GPT_IMAGE and said.get("response_format") is not None:
        yield Flaw(path=("response_format",), rule=Rule.UNKNOWN_KEY)
    for name in ("background", "output_format", "output_compression", "moderation", "stream", "input_fidelity"):
        if older and said.get(name) is not None:
            yield Flaw(path=(name,), rule=Rule.UNKNOWN_KEY)
    if said.get("background") == "transparent" and said.get("output_format") == "jpeg":
        yield custom_flaw(("background",), "transparent needs output_format png or webp")
    for number, each in enumerate(at(said, "images.*") or ()):
        if not at(each, "image_url"):
            yield custom_flaw(("images", number), "needs image_url; file_id is not taken here")


def video_flaws(said: Json) -> Iterator[Flaw]:
    reference = said.get("input_reference")
    if isinstance(reference, dict) and not at(reference, "image_url"):
        yield custom_flaw(("input_reference",), "needs image_url; file_id is not taken here")


def patient(_said: Json, _request: HttpRequest) -> float:
    return PATIENCE


# -- answers that were waited for ----------------------------------------------------------


class Pictures(Struct, kw_only=True):
    created: int
    data: list[Json]


def when_made(render: Callable[[Job, HttpRequest], HttpResponse]) -> Callable[[Job, HttpRequest], HttpResponse]:
    """The answer to a job that succeeded in time. One that did not end is told of by its id: a repeat makes another."""

    def waited(job: Job, request: HttpRequest) -> HttpResponse:
        late = unmade(job, PATIENCE, f"/v1/jobs/{public_id(job.id)}")
        if late is None:
            return render(job, request)
        error = {"message": late, "type": "server_error", "param": None, "code": Kind.TIMED_OUT.value}
        return json_response({"error": error}, 504, {"x-should-retry": "false"})

    return waited


def public_id(id: str) -> str:
    return f"video_{id.replace('-', '')}"


def picture_type(request: HttpRequest) -> str | None:
    """The type of the pictures that the answer carries; None where it has links."""
    said = read_json(request.body)
    word = said.get("model") or usual(said)
    if said.get("response_format") != "b64_json" and word not in GPT_IMAGE:
        return None
    return f"image/{said['output_format']}" if said.get("output_format") else ""


def pictures(job: Job, request: HttpRequest) -> HttpResponse:
    said = read_json(request.body)
    made = [picture(output) for output in job.outputs]
    if said.get("stream"):
        return pictures_streamed(job, request, said, made)
    if (said.get("model") or "") == "dall-e-3":
        made = [each | {"revised_prompt": job.generation.prompt or ""} for each in made]
    more: Json = {}
    if (said.get("model") or usual(said)) in GPT_IMAGE:
        size = (
            f"{job.outputs[0].width}x{job.outputs[0].height}" if job.outputs and job.outputs[0].width else "1024x1024"
        )
        more = {
            "background": "opaque",
            "output_format": said.get("output_format") or "png",
            "size": size,
            "quality": said.get("quality") if said.get("quality") not in (None, "auto") else "medium",
            "usage": picture_usage(job),
        }
    return json_response({"created": int(job.finished or job.created), "data": made} | more)


def picture(output: Output) -> Json:
    if output.data is None:
        return {"url": output.url}
    return {"b64_json": base64.b64encode(output.data).decode()}


def picture_usage(job: Job) -> Json:
    """What was read by our rule; what pictures cost is counted by picture here."""
    read = token_count(job.generation.prompt or "")
    details = {"text_tokens": read, "image_tokens": 0}
    return {"input_tokens": read, "output_tokens": 0, "total_tokens": read, "input_tokens_details": details}


def pictures_streamed(job: Job, request: HttpRequest, said: Json, made: list[Json]) -> HttpResponse:
    """The last event only: nothing here has pictures in between."""
    name = "image_edit.completed" if request.path.endswith("edits") else "image_generation.completed"
    told = {
        "type": name,
        "created_at": int(job.finished or job.created),
        "size": said.get("size") or "auto",
        "quality": said.get("quality") or "auto",
        "background": said.get("background") or "auto",
        "output_format": said.get("output_format") or "png",
        "usage": picture_usage(job),
    }
    body = b"".join(event(told | each, name) for each in made)
    return HttpResponse(body=body, media_type="text/event-stream; charset=utf-8")


SOUND_TYPES = {"opus": "audio/opus", "aac": "audio/aac", "flac": "audio/flac", "wav": "audio/wav", "pcm": "audio/pcm"}


def sound_type(request: HttpRequest) -> str:
    return SOUND_TYPES.get(read_json(request.body).get("response_format") or "", "audio/mpeg")


def speech(job: Job, request: HttpRequest) -> HttpResponse:
    said = read_json(request.body)
    data = job.outputs[0].data or b""
    if said.get("stream_format") != "sse":
        return HttpResponse(body=data, media_type=job.outputs[0].media_type)
    pieces = (data[start : start + 48_000] for start in range(0, len(data), 48_000))
    deltas = (event({"type": "speech.audio.delta", "audio": base64.b64encode(piece).decode()}) for piece in pieces)
    read = token_count(job.generation.prompt or "")
    usage = {"input_tokens": read, "output_tokens": 0, "total_tokens": read}
    body = b"".join(deltas) + event({"type": "speech.audio.done", "usage": usage})
    return HttpResponse(body=body, media_type="text/event-stream; charset=utf-8")


def transcript(job: Job, request: HttpRequest) -> HttpResponse:
    """In the format that was asked for. Where the engine tells no times, the text is one piece."""
    said = read_json(request.body)
    output = job.outputs[0]
    text, length, timed = output.text or "", output.seconds or 0.0, output.timed
    segments: list[Json] = timed["segments"] if timed else [whole(text, length)]
    usage = {"type": "duration", "seconds": -(-length // 1)}
    if said.get("stream"):
        done = {"type": "transcript.text.done", "text": text, "usage": usage}
        body = event({"type": "transcript.text.delta", "delta": text}) + event(done)
        return HttpResponse(body=body, media_type="text/event-stream; charset=utf-8")
    match said.get("response_format") or "json":
        case "text":
            return plain(f"{text}\n")
        case "srt":
            cues = (
                f"{number}\n{clock(each['start'], ',')} --> {clock(each['end'], ',')}\n{each['text'].strip()}\n\n"
                for number, each in enumerate(segments, 1)
            )
            return plain("".join(cues))
        case "vtt":
            cues = (
                f"{clock(each['start'], '.')} --> {clock(each['end'], '.')}\n{each['text'].strip()}\n\n"
                for each in segments
            )
            return plain("WEBVTT\n\n" + "".join(cues))
        case "verbose_json":
            task = "translate" if job.generation.extra.get("translate") else "transcribe"
            language = "english" if task == "translate" else str(said.get("language") or "english")
            told: Json = {"task": task, "language": language, "duration": length, "text": text}
            wanted = said.get("timestamp_granularities") or ["segment"]
            told |= {"segments": segments} if "segment" in wanted or not timed else {}
            told |= {"words": timed["words"]} if "word" in wanted and timed else {}
            return json_response(told | ({"usage": usage} if task == "transcribe" else {}))
        case "diarized_json":
            spoken = [
                {
                    "type": "transcript.text.segment",
                    "id": f"seg_{number:03}",
                    "start": each["start"],
                    "end": each["end"],
                }
                | {"text": each["text"], "speaker": "A"}
                for number, each in enumerate(segments, 1)
            ]
            return json_response(
                {"task": "transcribe", "duration": length, "text": text, "segments": spoken, "usage": usage}
            )
        case _:
            return json_response({"text": text} | ({} if job.generation.extra.get("translate") else {"usage": usage}))


def whole(text: str, length: float) -> Json:
    """The one segment of a transcript without times."""
    told: Json = {"id": 0, "seek": 0, "start": 0.0, "end": length, "text": text, "tokens": list[int]()}
    return told | {"temperature": 0.0, "avg_logprob": 0.0, "compression_ratio": 1.0, "no_speech_prob": 0.0}


def plain(text: str) -> HttpResponse:
    return HttpResponse(body=text.encode(), media_type="text/plain; charset=utf-8")


def clock(seconds: float, comma: str) -> str:
    whole, rest = divmod(round(seconds * 1000), 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}{comma}{rest:03}"


# -- videos ------------------------------------------------------------------------------

STATES = {
    State.QUEUED: "queued",
    State.RUNNING: "in_progress",
    State.SUCCEEDED: "completed",
    State.FAILED: "failed",
    State.CANCELED: "failed",
}
KEPT_SECONDS = 24 * 3600


class Video(Struct, kw_only=True):
    """`url`, a link to the file, is ours: the vendor has its bytes at `/content` only."""

    id: str
    object: str
    model: str
    status: str
    progress: int
    created_at: int
    completed_at: int | None
    expires_at: int | None
    seconds: str
    size: str
    prompt: str | None
    remixed_from_video_id: str | None
    error: Json | None
    url: str | None = None


def video(job: Job) -> Video:
    wish, ended = job.generation, job.state is State.SUCCEEDED
    error = None
    if STATES[job.state] == "failed":
        message = job.failure.message if job.failure else "The job was canceled."
        error = {"code": job.failure.kind.value if job.failure else "canceled", "message": message}
    return Video(
        id=public_id(job.id),
        object="video",
        model=said_model(job) or wish.model,
        status=STATES[job.state],
        progress=100 if ended else int(100 * (job.progress or 0)),
        created_at=int(job.created),
        completed_at=int(job.finished) if job.finished and ended else None,
        expires_at=int(job.created) + KEPT_SECONDS if ended else None,
        seconds=f"{wish.seconds or 4:g}",
        size=f"{wish.width or 720}x{wish.height or 1280}",
        prompt=wish.prompt,
        remixed_from_video_id=public_id(job.parent) if job.parent else None,
        error=error,
        url=job.outputs[0].url if ended and job.outputs else None,
    )


def said_model(job: Job) -> str | None:
    try:
        return json.loads(job.body or b"{}").get("model")
    except (ValueError, AttributeError):
        return None


def drawing(
    at: str, title: str, body: Any, makes: Mapping[Role | None, Operation], *, also: tuple[str, ...] = ()
) -> Endpoint:
    return Endpoint(
        at=at,
        also=also,
        title=title,
        body=body,
        makes=makes,
        usual=usual,
        rules=picture_flaws,
        form=None not in makes,
        wait=patient,
        waited=when_made(pictures),
        carries=picture_type,
        route="images",
    )


def hearing(at: str, title: str, body: Any, fields: Mapping[str, AnyField]) -> Endpoint:
    return Endpoint(
        at=at,
        title=title,
        body=body,
        makes={Role.AUDIO: Operation.SPEECH_TO_TEXT},
        fields=fields,
        form=True,
        wait=patient,
        waited=when_made(transcript),
        route="audio",
    )


EDITS: dict[Role | None, Operation] = {Role.MASK: Operation.IMAGE_INPAINT, Role.IMAGE: Operation.IMAGE_TO_IMAGE}
ENDPOINTS = (
    drawing("images/generations", "Make pictures", Generate, {None: Operation.TEXT_TO_IMAGE}),
    drawing("images/edits", "Make pictures after others", SomeImages, EDITS, also=("edits",)),
    drawing("images/variations", "Make variations of a picture", Vary, {Role.IMAGE: Operation.IMAGE_TO_IMAGE}),
    Endpoint(
        at="audio/speech",
        title="Say a text",
        body=Speak,
        makes={None: Operation.TEXT_TO_SPEECH},
        fields=SPEECH,
        wait=patient,
        waited=when_made(speech),
        carries=sound_type,
        route="audio",
    ),
    hearing("audio/transcriptions", "Write down what is said", Transcribe, HEARING),
    hearing("audio/translations", "Write down in English what is said", Translate, TO_ENGLISH),
    Endpoint(
        at="videos",
        title="Make a video",
        body=MakeVideo,
        makes={Role.FIRST_FRAME: Operation.IMAGE_TO_VIDEO, None: Operation.TEXT_TO_VIDEO},
        usual=lambda _: "sora-2",
        rules=video_flaws,
        form=True,
        route="videos",
    ),
    Endpoint(
        at="videos/{id}/remix",
        title="Make a video after an earlier one",
        body=Remix,
        makes={None: Operation.VIDEO_TO_VIDEO},
        models=("sora-2",),
        model_at=None,
        parent=Role.VIDEO,
        form=True,
        route="videos",
    ),
)
