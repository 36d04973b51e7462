"""The central types: a Generation is what a caller wants, a Job is its durable record.

A field that is None was not asked for. Defaults come from the model's row in the catalog.
Times are Unix seconds (UTC).
"""

from enum import StrEnum
from typing import Any

from msgspec import Struct

from mutoscope.model.problem import Kind

Json = dict[str, Any]


class Operation(StrEnum):
    """What is made from what."""

    IMAGE_TO_VIDEO = "image_to_video"
    TEXT_TO_VIDEO = "text_to_video"
    VIDEO_TO_VIDEO = "video_to_video"  # another clip of the same motion: edited, restyled
    VIDEO_EXTENSION = "video_extension"  # the same clip, going on; `seconds` is the whole, `added_seconds` what is new
    TEXT_TO_IMAGE = "text_to_image"
    CHARACTER_PERFORMANCE = "character_performance"
    IMAGE_UPSCALE = "image_upscale"
    VIDEO_UPSCALE = "video_upscale"
    TEXT_TO_SPEECH = "text_to_speech"
    SOUND_EFFECT = "sound_effect"
    SPEECH_TO_SPEECH = "speech_to_speech"
    VOICE_DUBBING = "voice_dubbing"
    VOICE_ISOLATION = "voice_isolation"
    VIDEO_TO_AUDIO = "video_to_audio"
    VIDEO_TO_HDR = "video_to_hdr"
    LIP_SYNC = "lip_sync"
    FACE_IDENTIFICATION = "face_identification"
    IMAGE_TO_IMAGE = "image_to_image"  # another picture after one: edited in words, remixed, varied, restyled
    IMAGE_INPAINT = "image_inpaint"  # what a mask shows is made anew
    IMAGE_OUTPAINT = "image_outpaint"  # the same picture, going on beyond its edges: expand, reframe, zoom out, pan
    IMAGE_BLEND = "image_blend"
    BACKGROUND_REMOVAL = "background_removal"
    BACKGROUND_REPLACEMENT = "background_replacement"
    VECTORIZATION = "vectorization"
    VIRTUAL_TRY_ON = "virtual_try_on"
    IMAGE_TO_TEXT = "image_to_text"  # a description
    TEXT_TO_TEXT = "text_to_text"  # lyrics, a shorter prompt
    TEXT_TO_MUSIC = "text_to_music"
    MUSIC_EXTENSION = "music_extension"
    MUSIC_JOIN = "music_join"
    SPEECH_TO_TEXT = "speech_to_text"
    FINETUNE = "finetune"  # a model that learns from pictures


class Role(StrEnum):
    """What an input is for."""

    FIRST_FRAME = "first_frame"
    LAST_FRAME = "last_frame"
    REFERENCE = "reference"
    VIDEO = "video"  # the clip to continue, edit, upscale, …
    REFERENCE_VIDEO = "reference_video"
    AUDIO = "audio"
    MASK = "mask"
    CHARACTER = "character"
    IMAGE = "image"  # the picture to upscale, edit, …


class MediaLimits(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a vendor accepts as an input file. None means that the vendor names no bound."""

    types: tuple[str, ...] = ()  # media types, for example image/png; empty accepts the family of the role
    max_bytes: int | None = None
    min_side: int | None = None  # pixels
    max_side: int | None = None  # pixels
    max_pixels: int | None = None  # width × height
    min_aspect: float | None = None  # width / height
    max_aspect: float | None = None
    min_seconds: float | None = None
    max_seconds: float | None = None
    above_fps: float | None = None  # frames a second of a clip: more than these


class Input(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One file that goes into a generation. One of url, upload, data, file, output_of and asset names its source.

    A wire sets url, upload, data, file or output_of. The gateway turns upload and data into an asset before the job is
    stored, and a url too where inputs are probed at create time; other urls are fetched when the job runs.
    """

    role: Role
    field: str  # where the caller wrote it, for example promptImage[1].uri
    url: str | None = None
    upload: str | None = None  # id of an upload slot
    data: bytes | None = None  # inline; never stored
    file: str | None = None  # a part of the request's form, on disk while the request is answered; never stored
    asset: str | None = None  # key in the asset store
    media_type: str | None = None
    limits: MediaLimits | None = None
    label: str | None = None  # the caller's tag for it (@tag in a prompt)
    output_of: str | None = None  # a wire: public id of an earlier job whose output it is; the gateway: that job's own
    output: int = 0  # which of its outputs, from 0
    made_by: str | None = None  # the engine that made that job, set by the gateway


class Generation(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What to make, in no vendor's words."""

    operation: Operation
    model: str  # a name of the catalog
    prompt: str | None = None
    negative_prompt: str | None = None
    inputs: tuple[Input, ...] = ()
    width: int | None = None  # pixels
    height: int | None = None
    resolution: str | None = None  # a tier, "720p" or "1080p": the shape follows the input
    seconds: float | None = None
    fps: int | None = None
    count: int | None = None
    seed: int | None = None
    watermark: bool | None = None
    extra: Json = {}  # what we do not name, under the wire's name for it
    wire: str = ""  # the wire whose caller said `unread`
    unread: Json = {}  # members of the caller's body that no table knows, by dotted path: for the same vendor behind

    def input(self, role: Role) -> Input | None:
        for each in self.inputs:
            if each.role is role:
                return each
        return None


class State(StrEnum):
    """queued → running → succeeded | failed; canceled from either of the first two.

    A job that its worker releases is queued again.
    """

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def final(self) -> bool:
        return self not in (State.QUEUED, State.RUNNING)


class Output(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A file that was made, or words."""

    id: str
    media_type: str
    data: bytes | None = None  # the file itself, set by the server for an answer that carries it; never stored
    asset: str = ""  # key in the asset store
    poster: str = ""  # the same of a small picture of it, which is made some time after the job's end, if at all
    preview: str = ""  # the same of a small clip of its first seconds, without sound
    bytes: int = 0
    width: int | None = None
    height: int | None = None
    seconds: float | None = None
    frames: int | None = None
    text: str | None = None  # where the result is words: then there is no asset
    timed: Json | None = None  # of a transcript: its `segments` and `words`, each with `start` and `end` in seconds
    nsfw: float | None = None  # how likely a picture is not safe for work, 0 to 1, where a model judged it
    url: str | None = None  # a signed link, set by the gateway whenever the job is shown; never stored


UNSAFE = 0.8  # the score from which a picture is called not safe for work


def is_unsafe(output: Output) -> bool:
    """Whether a model judged a picture so; where none did, nobody says that it is."""
    return output.nsfw is not None and output.nsfw >= UNSAFE


class Failure(Struct, frozen=True, kw_only=True, omit_defaults=True):
    kind: Kind
    message: str
    field: str | None = None
    code: str | None = None  # the upstream's own code
    flaws: list[Json] = []  # of a request that was taken though it is not valid: each in the words of its wire


class Job(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The durable record of one generation. Only the store's transitions change it."""

    id: str  # UUIDv7, lower-case with hyphens; the wire derives its public form
    wire: str
    route: str  # which of the wire's paths it came in by; lists and reads are per route
    owner: str  # the key that made it; "" on an open server
    generation: Generation
    body: bytes = b""  # as it was sent; long strings shortened
    engine: str
    """"" for one that nobody makes: it waits to be told what to make, canceled in the books until another takes its
    place, or it was taken though it is not valid, and has failed."""
    state: State = State.QUEUED
    throttled: bool = False  # queued, but its owner already holds as many of this model as allowed
    progress: float | None = None  # 0 to 1; None while unknown
    outputs: tuple[Output, ...] = ()
    failure: Failure | None = None
    checkpoint: Json = {}  # what the engine must not forget over a restart
    notes: tuple[str, ...] = ()  # what was ignored or replaced, told aloud
    upstream_status: str | None = None
    parent: str | None = None  # id of the earlier job that this one goes on from
    engines: tuple[str, ...] = ()  # those that its key may use, where that is not all of them
    webhook: str | None = None
    events: tuple[State, ...] = ()  # the changes that the webhook is wanted for; empty: those that the wire tells
    trace: str | None = None  # the header traceparent of the span that made it, where spans are collected
    origin: str = ""  # scheme://host as the creator addressed us, for links in webhooks
    worker: str | None = None  # who holds the lease while running
    attempts: int = 0  # how often it was claimed
    created: float
    updated: float = 0.0  # of the last transition
    started: float | None = None  # of the first claim
    finished: float | None = None
    estimate: float = 0.0  # credits
    cost: float | None = None  # credits, once final
    ahead: int | None = None  # how many older ones wait for the same engine; set by the gateway where it is shown


class Delivery(Struct, frozen=True, kw_only=True):
    """A webhook message that is owed. The body is written once and sent the same at every try."""

    id: str  # webhook-id: the same at every try
    job: str
    url: str
    event: str  # the state it tells: running, succeeded, failed, canceled
    body: bytes


class Update(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """News of a job from the vendor that makes it."""

    state: State
    upstream_status: str  # the vendor's own word
    progress: float | None = None  # 0 to 1; None where the vendor does not tell
    links: tuple[str, ...] = ()  # of what was made, once succeeded
    texts: tuple[str, ...] = ()  # of what was made, where that is words
    inline: tuple[str, ...] = ()  # base64 of what was made, where the answer to the submission carries the files
    kept: tuple[Output, ...] = ()  # what of that is kept here already
    failure: Failure | None = None
    handle: Json = {}  # what later requests need to know; `id` is always in it. Set by a submission
    cost: float | None = None  # credits, where the vendor tells
    doubts: tuple[str, ...] = ()  # what it told besides and cannot be


class Sent(StrEnum):
    """What became of one request that costs money."""

    INTENDED = "intended"  # about to be sent, or on its way: the answer is not known yet
    ACCEPTED = "accepted"  # the vendor has it; there is a handle
    REFUSED = "refused"  # the vendor said no, with a reason
    UNSENT = "unsent"  # certainly not submitted
    UNKNOWN = "unknown"  # the answer was lost, and nothing tells whether it arrived


class Dispatch(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One sending of a job to a vendor's account: a row of the ledger of submissions.

    A job has at most one that is intended, accepted or unknown; the table sees to it.
    """

    job: str
    number: int  # from 1
    account: str
    reference: str  # our name for this request, told to the vendor where it takes one
    sent: Sent
    at: float  # when the intent was written
    answered: float | None = None
    handle: Json = {}
    detail: str = ""  # the reason, in the words of whoever gave it


class Mode(StrEnum):
    """Why a vendor is still asked about a job."""

    WAIT = "wait"  # for its end
    CANCEL = "cancel"  # ours was canceled: tell the vendor, and see what it cost
    LATE = "late"  # ours timed out: what still arrives settles it


class Watch(Struct, frozen=True, kw_only=True):
    """A job that a vendor is making: when to ask next, and how to. It is kept until nothing more is to be learned."""

    job: str
    account: str
    handle: Json
    mode: Mode
    due: float
    polls: int  # how often it was asked
    since: float  # when the vendor accepted it
    deadline: float  # when a job that is waited for times out; afterwards, when it is no longer asked about


class Event(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line of a job's story: what was decided or found, and when."""

    at: float
    what: str  # one of the words in `store/protocol.py`
    account: str | None = None
    detail: str = ""
