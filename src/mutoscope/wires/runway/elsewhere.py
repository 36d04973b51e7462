"""What Runway keeps for a caller and this server does not: avatars, voices, documents, routers, workflows, recipes.

Shapes are those of Runway's Python SDK 5.24, which names members and values and hardly a bound. A request is checked in
full; then it is refused by name, or answered with a made-up value where the server rehearses (`service/rehearsal.py`).
"""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Literal, cast

from msgspec import Meta, Struct

from mutoscope.model.http import HttpRequest, HttpResponse
from mutoscope.model.job import Generation, Json, Operation
from mutoscope.model.problem import Flaw, Kind, Problem, Rule, custom_flaw
from mutoscope.wirekit.body import Path, invalid
from mutoscope.wirekit.members import many, whole
from mutoscope.wirekit.queries import read_query
from mutoscope.wirekit.routes import Reply
from mutoscope.wirekit.task import read_all
from mutoscope.wires.runway import pieces as p
from mutoscope.wires.runway.fields import PIXELS
from mutoscope.wires.runway.pieces import Maybe, Some, piece
from mutoscope.wires.runway.tasks import EstimatedCost
from mutoscope.wires.runway.values import VoicePreset

# ---- what is asked

# fmt: off
Link = Annotated[str, Meta(extra_json_schema={"format": "uri"})]
Moment = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
Day = Annotated[str, Meta(extra_json_schema={"format": "date"})]
Id = Annotated[str, Meta(extra_json_schema={"format": "uuid"})]
Count, Credits = whole(0, p.SAFE), Annotated[float, Meta(ge=0)]
Limit = whole(1, 100)  # the vendor names no bound; this is ours
LiveVoice = Literal[
    "victoria", "vincent", "clara", "drew", "skye", "max", "morgan", "felix", "mia", "marcus", "summer", "ruby",
    "aurora", "jasper", "leo", "adrian", "nina", "emma", "blake", "david", "maya", "nathan", "sam", "georgia",
    "petra", "adam", "zach", "violet", "roman", "luna",
]
Persona = Literal["game-character", "music-superstar", "game-character-man", "cat-character", "influencer",
                  "tennis-coach", "human-resource", "fashion-designer", "cooking-teacher"]
Language = Literal["ar", "zh", "zh-Hant", "nl", "en", "fr", "de", "hi", "id", "it", "ja", "ko", "pl", "pt", "ru", "es",
                   "sv", "th", "tr", "uk", "vi", "el"]
VoiceModel = Literal["eleven_ttv_v3", "eleven_multilingual_ttv_v2"]
Version = Literal["2026-06", "unsafe-latest"]

CustomVoice = piece("CustomVoice", told_by="custom", id=str)
AvatarVoice = piece("LivePreset", told_by="runway-live-preset", preset_id=LiveVoice) | CustomVoice
SpokenVoice = piece("SpokenPreset", told_by="preset", preset_id=LiveVoice) | CustomVoice
AnyAvatar = (piece("PresetAvatar", told_by="runway-preset", preset_id=Persona)
             | piece("CustomAvatar", told_by="custom", avatar_id=str))
Speech = (piece("SpeechSound", told_by="audio", audio=p.Audio)
          | piece("SpeechText", told_by="text", text=Some, voice=Maybe[SpokenVoice]))
AvatarParts: Json = {"name": Some, "personality": Some, "reference_image": p.Image, "voice": AvatarVoice}
AvatarMore: Json = {"document_ids": Maybe[list[str]], "image_processing": Maybe[Literal["optimize", "none"]]}
AvatarBody = piece("AvatarBody", **AvatarParts, **AvatarMore, start_script=Maybe[str])
AvatarChange = piece("AvatarChange", **{name: Maybe[type] for name, type in AvatarParts.items()}, **AvatarMore,
                     start_script=Maybe[str | None])
AvatarVideoBody = piece("AvatarVideoBody", avatar=AnyAvatar, model=Literal["gwm1_avatars"], speech=Speech)
DocumentBody = piece("DocumentBody", name=Some, content=str)
DocumentChange = piece("DocumentChange", name=Maybe[Some], content=Maybe[str])
VoiceFrom = (piece("VoiceSample", told_by="audio", audio=p.Audio)
             | piece("VoiceWords", told_by="text", model=VoiceModel, prompt=Some))


class VoiceBody(Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    from_: VoiceFrom  # pyright: ignore[reportInvalidTypeForm]
    name: str
    description: str | None = None


VoiceChange = piece("VoiceChange", name=Maybe[Some], description=Maybe[str | None])
VoiceTrial = piece("VoiceTrial", model=VoiceModel, prompt=Some)

Fallback = piece("Fallback", on_capacity=Maybe[bool])
MaxCredits = piece("MaxCredits", audio=Maybe[Count | None], image=Maybe[Count | None], video=Maybe[Count | None])
ModelChoice = piece("ModelChoice", ids=list[str], mode=Literal["allow_new_except", "allowlist_only"])
RouterParts: Json = {"fallback": Maybe[Fallback], "max_credits_per_generation": Maybe[MaxCredits | None],
                     "models": Maybe[ModelChoice], "optimize_for": Maybe[Literal["cost", "latency", "quality"]]}
RouterWish = piece("RouterWish", **RouterParts, schema_version=Maybe[Literal[1]])
RouterBody = piece("RouterBody", slug=Some, name=Maybe[str], description=Maybe[str], settings=Maybe[RouterWish])
RouterChange = piece("RouterChange", name=Maybe[str], description=Maybe[str | None], settings=Maybe[RouterWish])

SIMPLE = ("integer", "number", "boolean")
ToolMember: Json = {"name": Some, "description": str, "required": Maybe[bool]}
Items = piece("Items", type=Literal["string", "integer", "number", "boolean"])
Parameter: Any = piece("TextParameter", told_by="string", **ToolMember, enum=Maybe[list[str]])
for _word in SIMPLE:
    Parameter |= piece(f"{_word.title()}Parameter", told_by=_word, **ToolMember)
Parameter |= (piece("ArrayParameter", told_by="array", **ToolMember, items=Items)
              | piece("ObjectParameter", told_by="object", **ToolMember, properties=list[Any]))
ToolParts: Json = {"name": Some, "description": str, "parameters": Maybe[many(Parameter)]}
Tool = (piece("ClientEvent", told_by="client_event", **ToolParts)
        | piece("BackendRpc", told_by="backend_rpc", **ToolParts, timeout_seconds=Maybe[p.Positive]))
RoomParts: Json = {"token": Some, "room_name": Some, "url": Some, "agent_identity": Maybe[str]}
Integration = (piece("ElevenLabs", told_by="elevenlabs", signed_url=Some)
               | piece("LiveKit", told_by="livekit", **RoomParts))
SessionBody = piece("SessionBody", avatar=AnyAvatar, model=Literal["gwm1_avatars"], integration=Maybe[Integration],
                    livekit=Maybe[piece("Room", **RoomParts)], max_duration=Maybe[p.AnySeconds], personality=Maybe[str],
                    start_script=Maybe[str], tools=Maybe[many(Tool)])

Value = piece("Primitive", told_by="primitive", value=str | float | bool) | p.ImageFile | p.VideoFile | p.AudioFile
WorkflowBody = piece("WorkflowBody", node_outputs=Maybe[dict[str, dict[str, Value]]])

Wide = Literal["1280:720", "720:1280", "960:960", "1920:1080", "1080:1920", "1440:1440"]
AdRatio = Literal["1280:720", "720:1280", "960:960", "834:1112", "1920:1080", "1080:1920", "1440:1440", "1248:1664"]
Clip = piece("RecipeClip", uri=p.Video)
Sounded: Json = {"audio": Maybe[bool], "duration": Maybe[p.AnySeconds]}
ShotParts: Json = {"version": Version, "audio": Maybe[bool], "duration": Maybe[Literal[5, 10, 15]],
                   "first_frame": Maybe[p.PlainImage], "ratio": Maybe[Wide]}
AutoShots = piece("AutoShots", told_by="auto", told_in="mode", prompt=Some, **ShotParts)
OwnShots = piece("OwnShots", told_by="custom", told_in="mode", shots=many(p.Shot), **ShotParts)
RECIPES: dict[str, tuple[Any, Operation]] = {
    "multi_shot_video": (AutoShots | OwnShots, Operation.TEXT_TO_VIDEO),
    "ad_localization": (piece("AdLocalization", reference_image=p.PlainImage, target_language=Language,
                              version=Version), Operation.TEXT_TO_IMAGE),
    "marketing_stock_image": (piece("StockImage", prompt=Some, version=Version, output_count=Maybe[whole(1, 64)],
                                    quality=Maybe[Literal["low", "medium", "high"]],
                                    reference_image=Maybe[p.PlainImage]), Operation.TEXT_TO_IMAGE),
    "product_ad": (piece("ProductAd", product_images=many(p.PlainImage), style_images=Maybe[many(p.PlainImage)],
                         version=Literal["2026-06", "2026-07", "unsafe-latest"], **Sounded, ratio=Maybe[AdRatio],
                         product_info=Maybe[str], user_concept=Maybe[str]), Operation.TEXT_TO_VIDEO),
    "product_campaign_image": (piece("CampaignImage", image=p.PlainImage, prompt=Some, version=Version),
                               Operation.TEXT_TO_IMAGE),
    "product_swap": (piece("ProductSwap", original_product_image=p.PlainImage, reference_video=Clip, version=Version,
                           new_product_images=many(piece("ProductView", uri=p.Image,
                                                         view=Maybe[Literal["front", "side", "back"]])),
                           **Sounded, resolution=Maybe[Literal["720p", "1080p"]]), Operation.TEXT_TO_VIDEO),
    "product_ugc": (piece("ProductUgc", character_image=p.PlainImage, product_image=p.PlainImage, version=Version,
                          **Sounded, ratio=Maybe[Literal["720:1280", "1080:1920"]], product_info=Maybe[str],
                          user_concept=Maybe[str]), Operation.TEXT_TO_VIDEO),
}

Shapes = Literal["16:9", "9:16", "1:1", "4:3", "3:4", "21:9"]
PictureShapes = Literal["16:9", "9:16", "1:1", "4:3", "3:4", "21:9", "2:3", "3:2", "4:5", "5:4"]
Moderated: Json = {"content_moderation": Maybe[p.ContentModeration], "seed": Maybe[p.Seed]}
RoutedVideo = piece(
    "RoutedVideo", **Moderated, aspect_ratio=Maybe[Shapes], audio=Maybe[bool], duration=Maybe[p.AnySeconds],
    keyframes=Maybe[many(p.Keyframe)], negative_prompt=Maybe[str], prompt_text=Maybe[str],
    reference_audio=Maybe[many(piece("RoutedSound", uri=p.Audio))],
    reference_images=Maybe[many(piece("RoutedImage", role=Literal["first", "last", "reference"], uri=p.Image))],
    reference_videos=Maybe[many(piece("RoutedClip", role=Literal["source", "reference"], uri=p.Video))],
    resolution=Maybe[Literal["480p", "720p", "1080p", "4k"]],
)
RoutedPicture = piece(
    "RoutedPicture", **Moderated, prompt_text=Some, aspect_ratio=Maybe[PictureShapes], output_count=Maybe[whole(1, 64)],
    reference_images=Maybe[many(p.PlainImage)], resolution=Maybe[Literal["1k", "2k", "4k"]],
)
RoutedSpeech = piece(
    "RoutedSpeech", prompt_text=Some, type=Literal["speech", "audio"], duration=Maybe[p.Positive], loop=Maybe[bool],
    reference_audios=Maybe[many(piece("RoutedSample", uri=p.Audio))],
    voice=Maybe[piece("RoutedPreset", told_by="preset", preset_id=VoicePreset)
                | piece("RoutedVoice", told_by="reference-audio", audio_uri=p.Audio)],
)
ROUTED = {"video": (RoutedVideo, Operation.TEXT_TO_VIDEO), "image": (RoutedPicture, Operation.TEXT_TO_IMAGE),
          "audio": (RoutedSpeech, Operation.TEXT_TO_SPEECH)}

# ---- what is answered

Made = piece("MadeId", id=Id)
Page = piece("CursorQuery", limit=Limit, cursor=Maybe[str])
Dated: Json = {"id": Id, "created_at": Moment}
Voiced = (piece("LiveVoiceShown", told_by="runway-live-preset", preset_id=LiveVoice, name=str, description=str)
          | piece("CustomVoiceShown", told_by="custom", id=str, deleted=bool, name=Maybe[str]))
Avatar = piece("Avatar", **Dated, updated_at=Moment, name=str, personality=str, document_ids=list[str], voice=Voiced,
               reference_image_uri=str | None, processed_image_uri=str | None, start_script=str | None,
               status=Literal["READY"])
Used = piece("AvatarDay", date=Day, seconds=Count, sessions=Count)
AvatarUse = piece("AvatarUse", avg_duration_seconds=Count, total_seconds=Count, total_sessions=Count, by_day=list[Used])
Said = piece("Said", role=Literal["user", "assistant"], content=str, timestamp=Moment)
Talk: Json = Dated | {"name": str, "status": Literal["ended"], "duration": Count,
                      "avatar": piece("TalkedTo", type=Literal["custom"], id=str | None, name=str | None)}
Conversation = piece("Conversation", **Talk, ended_at=Moment, started_at=Moment, recording_url=None,
                     max_duration=Count, tools=list[piece("ToolShown", name=str, description=str,
                                                          type=Literal["client_event", "backend_rpc"])],
                     transcript=list[Said])
Conversed = piece("Conversed", **Talk, has_tools=bool)
DocumentParts: Json = Dated | {"updated_at": Moment, "name": str, "type": Literal["text"],
                               "used_by": list[piece("UsedBy", id=Id, name=str, image_url=None)]}
Document, Listed = piece("Document", **DocumentParts, content=str), piece("DocumentListed", **DocumentParts)
Voice = piece("Voice", **Dated, name=str, description=str | None, preview_url=None, status=Literal["READY"])
Router = piece("Router", **Dated, updated_at=Moment, slug=str, name=str, description=str | None, version=whole(1, 99),
               settings=piece("RouterSettings", **RouterParts, schema_version=Literal[1]))
Filter = Literal["capability", "prompt_length", "input_support", "allow_deny", "price"]
Routed = piece("RoutedRequest", **Dated, request_id=Id, task_id=Id, model=str, provider=str, reason=str,
               reason_code=Literal["lowest_cost", "best_latency", "best_quality", "only_eligible_model"],
               estimated_credits=Credits, emptied_by=list[Filter], status=Literal["routed"],
               pipeline=list[piece("Ranked", type=Literal["rank"], outcome=Literal["cost", "selected"])])
Session = piece("Session", **Dated, status=Literal["READY"], expires_at=Moment, session_key=str)
Saved = piece("WorkflowVersion", **Dated, version=Count)
Workflows = piece("Workflows", data=list[piece("WorkflowListed", name=str, versions=list[Saved])])
Graph = piece("Graph", version=Count, nodes=list[dict[str, str]], edges=list[dict[str, str]])
Workflow = piece("Workflow", **Dated, updated_at=Moment, name=str, description=str | None, version=Count, graph=Graph)
Invocation = piece("Invocation", **Dated, status=Literal["SUCCEEDED"], output=dict[str, list[Link]],
                   cost=piece("InvocationCost", credits=Count))
Logged: Json = {"action": Literal["GenerationCreated", "AssetCreated", "UserLogin"], "actor_deleted": bool,
                "actor_email": str | None, "actor_username": str | None, "event_id": Id, "timestamp": Moment,
                "workspace_id": Count, "workspace_name": str}
Log = piece("AuditLog", **Logged)
LogWhole = piece("AuditLogEntry", **Logged, client_ip_address=str, metadata=dict[str, str])
Charge = piece("WebappCharge", credits=Credits, email=str, timestamp=Moment, tool=str, workspace_id=Count,
               type=Literal["charge", "refund"], workspace_name=str)
Recipe = piece("RecipeMade", id=Id, estimated_cost=EstimatedCost)
Settled = piece("ResolvedSettings", optimize_for=Literal["cost", "latency", "quality"])
RESOLVED: dict[str, Any] = {
    "video": piece("ResolvedVideo", duration=p.Positive, ratio=str, resolution=str),
    "image": piece("ResolvedImage", aspect_ratio=str, ratio=str, resolution=str),
    "audio": piece("ResolvedAudio", type=Literal["speech", "audio"],
                   voice=Literal["preset", "reference-audio", "default", "none"]),
}


def listed(item: Any) -> Any:
    return piece(f"PageOf{item.__name__}", data=list[item], next_cursor=None)


def routing(kind: str) -> Any:
    told = piece(f"Routing{kind.title()}", config_id=str, estimated_cost=EstimatedCost, model=str, provider=str,
                 resolved_input=RESOLVED[kind], resolved_settings=Settled)
    return piece(f"Generated{kind.title()}", id=Id, routing=told)


Since: Json = {"from": Some}
MaybeSince: Json = {"from": Maybe[str]}
Of: Json = {"limit": Limit, "cursor": Maybe[str], "organization_id": Maybe[str], "workspace_ids": Maybe[str]}
WebappQuery = piece("WebappQuery", **Of, **Since, to=Some)
LogQuery = piece("LogQuery", **Of, **MaybeSince, to=Maybe[str], actions=Maybe[str], actor_emails=Maybe[str])
DocumentQuery = piece("DocumentQuery", limit=Limit, order=Literal["asc", "desc"], cursor=Maybe[str],
                      sort=Literal["createdAt", "updatedAt"])
TalkQuery = piece("TalkQuery", limit=Limit, avatar=Maybe[str], cursor=Maybe[str], start_date=Maybe[str],
                  end_date=Maybe[str])
PeriodQuery = piece("PeriodQuery", start_date=Some, end_date=Some)
# fmt: on
FILE = "^(https?://|runway://|data:(image|video|audio)/)"
FILES = {"uri": FILE, "audioUri": p.AUDIO_PATTERN, "audio": p.AUDIO_PATTERN, "referenceImage": p.IMAGE_PATTERN}
"""Members that name a file, where they are texts."""
WORDS = ("promptText", "prompt", "userConcept", "productInfo")
MOMENTS = ("startDate", "endDate", "from", "to")


class Row(Struct, frozen=True, kw_only=True):
    """A request that only Runway can answer."""

    at: str  # method, and path below /v1/
    what: str  # for people
    body: Any = None
    query: Any = None
    answer: Any = None  # None: nothing, by status 204
    makes: Operation | None = None  # what a rehearsal starts


def kept(path: str, what: str, body: Any, change: Any, answer: Any, item: Any = None, query: Any = Page) -> list[Row]:
    """What callers make, read, change, list and delete."""
    return [
        Row(at=f"POST {path}", what=what, body=body, answer=Made if path == "voices" else answer),
        Row(at=f"GET {path}/{{id}}", what=what, answer=answer),
        Row(at=f"PATCH {path}/{{id}}", what=what, body=change, answer=answer),
        Row(at=f"GET {path}", what=what, query=query, answer=listed(item or answer)),
        Row(at=f"DELETE {path}/{{id}}", what=what),
    ]


# fmt: off
ROWS = (
    *kept("avatars", "Avatars", AvatarBody, AvatarChange, Avatar),
    *kept("documents", "Documents", DocumentBody, DocumentChange, Document, Listed, DocumentQuery),
    *kept("voices", "Voices", VoiceBody, VoiceChange, Voice),
    *kept("routers", "Routers", RouterBody, RouterChange, Router),
    Row(at="GET routers/{id}/requests", what="Routers", query=Page, answer=listed(Routed)),
    Row(at="POST voices/preview", what="Voices", body=VoiceTrial,
        answer=piece("VoicePreview", duration_secs=p.Positive, url=Link)),
    Row(at="GET avatar_usage", what="Avatars", query=PeriodQuery, answer=AvatarUse),
    Row(at="GET avatar_conversations", what="Conversations", query=TalkQuery, answer=listed(Conversed)),
    Row(at="GET avatar_conversations/{id}", what="Conversations", answer=Conversation),
    Row(at="DELETE avatar_conversations/{id}", what="Conversations"),
    Row(at="POST avatar_videos", what="Avatars", body=AvatarVideoBody, answer=Made, makes=Operation.TEXT_TO_VIDEO),
    Row(at="POST realtime_sessions", what="Realtime sessions", body=SessionBody, answer=Made),
    Row(at="GET realtime_sessions/{id}", what="Realtime sessions", answer=Session),
    Row(at="DELETE realtime_sessions/{id}", what="Realtime sessions"),
    Row(at="GET workflows", what="Workflows", answer=Workflows),
    Row(at="GET workflows/{id}", what="Workflows", answer=Workflow),
    Row(at="POST workflows/{id}", what="Workflows", body=WorkflowBody, answer=Made),
    Row(at="GET workflow_invocations/{id}", what="Workflows", answer=Invocation),
    Row(at="GET organization/webapp/usage", what="Runway's web application", query=WebappQuery, answer=listed(Charge)),
    Row(at="GET organization/webapp/audit_logs", what="Runway's web application", query=LogQuery, answer=listed(Log)),
    Row(at="GET organization/webapp/audit_logs/{id}", what="Runway's web application", answer=LogWhole),
    *(Row(at=f"POST recipes/{name}", what="Recipes", body=body, answer=Recipe, makes=makes)
      for name, (body, makes) in RECIPES.items()),
    *(Row(at=f"POST generate/{kind}", what="Routers", answer=routing(kind), makes=makes,
          body=piece(f"Generate{kind.title()}", config_id=Some, input=body)) for kind, (body, makes) in ROUTED.items()),
)
# fmt: on


# ---- the routes


def check(row: Row, request: HttpRequest) -> Json:
    """The body. Raises Problem(INVALID) with every flaw of it and of the query."""
    if row.query:
        read_query(request, row.query)
    said, flaws = read_all(request.body or b"{}", row.body) if row.body else ({}, ())
    flaws = (*flaws, *no_files(said, ()), *moments(request))
    if flaws:
        raise invalid(flaws)
    return said


def no_files(value: Any, path: Path) -> Iterator[Flaw]:
    items: Iterable[tuple[str | int, Any]] = ()
    if isinstance(value, dict):
        items = cast("Json", value).items()
    elif isinstance(value, list):
        items = enumerate(cast("list[Any]", value))
    for name, each in items:
        pattern = FILES.get(str(name))
        if pattern and isinstance(each, str) and not re.search(pattern, each):
            yield Flaw(path=(*path, name), rule=Rule.PATTERN, bound=pattern)
        yield from no_files(each, (*path, name))


def moments(request: HttpRequest) -> Iterator[Flaw]:
    for name in MOMENTS:
        if (text := request.query.get(name)) is not None:
            try:
                datetime.fromisoformat(text)
            except ValueError:
                yield custom_flaw((name,), "Invalid ISO datetime")


def refuse(row: Row, request: HttpRequest) -> HttpResponse:
    """Raises Problem: INVALID for what Runway would refuse as well, else UNSUPPORTED."""
    check(row, request)
    raise Problem(
        Kind.UNSUPPORTED,
        f"{row.what} are kept and made at Runway only, and this server has none. "
        "`mutoscope serve --rehearse` checks such requests and answers them with made-up values.",
    )


def reply(row: Row, answer: Callable[[Row, HttpRequest], HttpResponse]) -> Reply:
    method, path = row.at.split(" ", 1)
    return Reply(
        at=f"{method} /v1/{path}",
        summary=f"{row.what}: {method.lower()} {path}; refused by name where the server does not rehearse",
        status=200 if row.answer else 204,
        body=row.body,
        query=row.query,
        answer=row.answer,
        reply=partial(answer, row),
    )


def wish(row: Row, said: Json) -> Generation:
    """What a rehearsal makes where the row `makes` something: of a recipe, of an avatar's video, of what a router would
    choose a model for."""
    said = said.get("input", said)
    words = " ".join(
        str(said[name]) for name in ("promptText", "prompt", "userConcept", "productInfo") if said.get(name)
    )
    made: Json = {"prompt": words or row.what, "operation": row.makes}
    if size := PIXELS.fullmatch(str(said.get("ratio"))):
        made |= {"width": int(size[1]), "height": int(size[2])}
    if row.makes is Operation.TEXT_TO_VIDEO:
        return Generation(**made, model="gen4.5", seconds=float(said.get("duration", 5)))
    return Generation(**made, model="gen4_image" if row.makes is Operation.TEXT_TO_IMAGE else "eleven_multilingual_v2")


ROUTES = tuple(reply(row, refuse) for row in ROWS)
