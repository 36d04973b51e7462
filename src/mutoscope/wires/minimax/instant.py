"""What MiniMax answers at once: pictures, speech and music, as links or inside the answer."""

import base64
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct
from msgspec.structs import replace

from mutoscope.model.http import HttpRequest
from mutoscope.model.job import Generation, Job, Json, MediaLimits, Operation, Output, Role, State
from mutoscope.model.problem import Flaw, Kind, custom_flaw
from mutoscope.wirekit.back import Way
from mutoscope.wirekit.body import read_json
from mutoscope.wirekit.fields import AnyField, Field, FileField, extra, same, unless
from mutoscope.wirekit.paths import at
from mutoscope.wirekit.task import Endpoint, Reading, TaskApi, wire
from mutoscope.wires.minimax.models import MUSIC, SPEECH
from mutoscope.wires.minimax.video import API as VIDEO
from mutoscope.wires.minimax.video import OPTIMIZER
from mutoscope.wires.minimax.words import CODES, BaseResp, digits, failed

PATIENCE = 300.0  # seconds that an answer waits for what it carries
SIZES = {
    "1:1": (1024, 1024),
    "16:9": (1280, 720),
    "4:3": (1152, 864),
    "3:2": (1248, 832),
    "2:3": (832, 1248),
    "3:4": (864, 1152),
    "9:16": (720, 1280),
    "21:9": (1344, 576),
}
SOUNDS = {"mp3": "audio/mpeg", "wav": "audio/wav", "flac": "audio/flac", "pcm": "audio/pcm"}

# -- bodies -------------------------------------------------------------------------------

Side = Annotated[int, Meta(ge=512, le=2048)]


class Face(Struct, kw_only=True):
    type: Literal["character"]
    image_file: str


class Image(Struct, kw_only=True):
    model: Literal["image-01"]
    prompt: Annotated[str, Meta(min_length=1, max_length=1500)]
    aspect_ratio: Literal["1:1", "16:9", "4:3", "3:2", "2:3", "3:4", "9:16", "21:9"] | None = None
    width: Side | None = None
    height: Side | None = None
    response_format: Literal["url", "base64"] | None = None
    n: Annotated[int, Meta(ge=1, le=9)] | None = None
    seed: int | None = None
    prompt_optimizer: bool | None = None
    aigc_watermark: bool | None = None
    subject_reference: Annotated[list[Face], Meta(max_length=1)] | None = None


class Voice(Struct, kw_only=True):
    voice_id: str
    speed: Annotated[float, Meta(ge=0.5, le=2)] | None = None
    vol: Annotated[float, Meta(ge=0, le=10)] | None = None
    pitch: Annotated[int, Meta(ge=-12, le=12)] | None = None
    emotion: str | None = None


class Sound(Struct, kw_only=True):
    sample_rate: int | None = None
    bitrate: int | None = None
    format: Literal["mp3", "pcm", "flac", "wav"] | None = None
    channel: Literal[1, 2] | None = None


class Speech(Struct, kw_only=True):
    model: Literal[
        "speech-2.8-hd", "speech-2.8-turbo", "speech-2.6-hd", "speech-2.6-turbo", "speech-02-hd", "speech-02-turbo"
    ]  # fmt: skip
    text: Annotated[str, Meta(min_length=1, max_length=10_000)]
    stream: Literal[False] | None = None  # answers are not streamed here
    voice_setting: Voice | None = None
    audio_setting: Sound | None = None
    language_boost: str | None = None
    output_format: Literal["hex", "url"] | None = None


class Music(Struct, kw_only=True):
    model: Literal["music-2.5", "music-2.0", "music-1.5"]
    prompt: Annotated[str, Meta(min_length=1, max_length=2000)]
    lyrics: Annotated[str, Meta(min_length=10, max_length=3000)] | None = None
    stream: Literal[False] | None = None  # answers are not streamed here
    audio_setting: Sound | None = None
    output_format: Literal["hex", "url"] | None = None


def shape(wish: Generation) -> str | None:
    return next((word for word, size in SIZES.items() if size == (wish.width, wish.height)), None)


def side(name: str) -> Field:
    """A side of a size that has no word."""

    def write(wish: Generation) -> int | None:
        return None if shape(wish) else getattr(wish, name)

    return Field(ours=(name,), read=lambda value: {name: value}, write=write)


def quality(setting: Json) -> Json:
    """Beside the format, which the answer is given in."""
    others = {name: value for name, value in setting.items() if name != "format" and value is not None}
    return {"extra": {"audio_setting": others}} if others else {}


def image_rules(said: Json) -> Iterator[Flaw]:
    for name, other in (("width", "height"), ("height", "width")):
        if said.get(name) is not None and said.get(other) is None:
            yield custom_flaw((other,), f"is required beside {name}")
        if (said.get(name) or 0) % 8:
            yield custom_flaw((name,), "should be a multiple of 8")


PICTURE_FIELDS: dict[str, AnyField] = {
    "prompt": same("prompt"),
    "width": side("width"),
    "height": side("height"),
    "aspect_ratio": Field(
        ours=("width", "height"),
        read=lambda word: dict(zip(("width", "height"), SIZES[word], strict=True)),
        write=shape,
    ),
    "n": same("count"),
    "seed": same("seed"),
    "prompt_optimizer": OPTIMIZER,
    "aigc_watermark": Field(
        ours=("watermark",),
        read=lambda value: {"watermark": True} if value else {},
        write=lambda wish: wish.watermark,
    ),
    "subject_reference": FileField(
        role=Role.CHARACTER,
        ways=(Way.LINK, Way.DATA),
        limits=MediaLimits(max_bytes=10_000_000),
        many=True,
        item="image_file",
        written=lambda source: {"type": "character", "image_file": source},
    ),
}
SPEECH_FIELDS: dict[str, AnyField] = {
    "text": same("prompt"),
    "voice_setting.voice_id": extra("voice"),
    "voice_setting.speed": extra("speed"),
    "voice_setting.vol": unless(1, extra("vol")),
    "voice_setting.pitch": unless(0, extra("pitch")),
    "voice_setting.emotion": extra("emotion"),
    "language_boost": unless("auto", extra("language_boost")),
    "audio_setting": replace(extra("audio_setting"), read=quality),
}
MUSIC_FIELDS: dict[str, AnyField] = {
    "prompt": same("prompt"),
    "lyrics": extra("lyrics"),
    "audio_setting": SPEECH_FIELDS["audio_setting"],
}

# -- answers -------------------------------------------------------------------------------


class Pictures(Struct, kw_only=True):
    base_resp: BaseResp
    id: str = ""
    data: dict[str, list[str]] | None = None
    metadata: dict[str, int] | None = None


class Heard(Struct, kw_only=True):
    base_resp: BaseResp
    trace_id: str = ""
    data: dict[str, Any] | None = None
    extra_info: dict[str, Any] | None = None


def outcome(job: Job) -> BaseResp:
    """What became of a job that was waited for."""
    if job.state is State.SUCCEEDED:
        return BaseResp()
    if job.state.final:
        return failed(job.failure)
    message = f"It is not done after {PATIENCE:g} seconds. It goes on: query task {digits(job.id)} for its file."
    return BaseResp(status_code=CODES[Kind.TIMED_OUT], status_msg=message)


def pictures(job: Job) -> Pictures:
    made = job.outputs if job.state is State.SUCCEEDED else ()
    inline = [base64.b64encode(each.data).decode() for each in made if each.data is not None]
    links = [each.url or "" for each in made]
    missing = (job.generation.count or 1) - len(made)
    return Pictures(
        id=digits(job.id),
        data=({"image_base64": inline} if inline else {"image_urls": links}) if made else None,
        metadata={"success_count": len(made), "failed_count": max(missing, 0)},
        base_resp=outcome(job),
    )


def sound(job: Job) -> Heard:
    made = job.outputs[0] if job.state is State.SUCCEEDED and job.outputs else None
    return Heard(
        data={"audio": made.url or "" if made.data is None else made.data.hex(), "status": 2} if made else None,
        extra_info=measured(job, made) if made else None,
        trace_id=digits(job.id),
        base_resp=outcome(job),
    )


def measured(job: Job, made: Output) -> Json:
    size = made.bytes if made.data is None else len(made.data)
    words = next((word for word, media_type in SOUNDS.items() if media_type == made.media_type), made.media_type)
    told: Json = {"audio_size": size, "audio_format": words}
    if made.seconds:
        told |= {"audio_length": round(made.seconds * 1000), "bitrate": round(size * 8 / made.seconds)}
    text = job.generation.prompt or ""
    return told | {"usage_characters": len(text), "word_count": len(text.split())}


def picture_type(request: HttpRequest) -> str | None:
    return "" if read_json(request.body).get("response_format") == "base64" else None


def sound_type(request: HttpRequest) -> str | None:
    said = read_json(request.body)
    if said.get("output_format") == "url":
        return None
    return SOUNDS[at(said, "audio_setting.format") or "mp3"]


def patience(_said: Json, _request: HttpRequest) -> float:
    return PATIENCE


def at_once(
    endpoint: Endpoint, fields: dict[str, AnyField], answer: Any, render: Callable[[Job], Any], made: str
) -> TaskApi:
    """The API of one path whose answer has the links of what was `made`, where it is asked for these."""
    form = "response_format" if endpoint.body is Image else "output_format"
    waits = replace(endpoint, wait=patience, fixed={form: "url"})
    return replace(
        VIDEO,
        show=None,
        endpoints=(waits,),
        fields=fields,
        task=render,
        answer=answer,
        made=None,
        made_type=None,
        webhook=None,
        reading=Reading(id="id", status="status", links=(made,), reason=("base_resp.status_msg",)),
        routes=(),
    )


IMAGE = at_once(
    Endpoint(
        at="image_generation",
        title="Make pictures",
        body=Image,
        models=("image-01",),
        makes={None: Operation.TEXT_TO_IMAGE},
        rules=image_rules,
        carries=picture_type,
    ),
    PICTURE_FIELDS,
    Pictures,
    pictures,
    "data.image_urls",
)
SPEAK = at_once(
    Endpoint(
        at="t2a_v2",
        title="Speak a text",
        body=Speech,
        models=SPEECH,
        makes={None: Operation.TEXT_TO_SPEECH},
        carries=sound_type,
    ),
    SPEECH_FIELDS,
    Heard,
    sound,
    "data.audio",
)
PLAY = at_once(
    Endpoint(
        at="music_generation",
        title="Make music",
        body=Music,
        models=MUSIC,
        makes={None: Operation.TEXT_TO_MUSIC},
        carries=sound_type,
    ),
    MUSIC_FIELDS,
    Heard,
    sound,
    "data.audio",
)
PARTS = {"image": wire(IMAGE), "speech": wire(SPEAK), "music": wire(PLAY)}
