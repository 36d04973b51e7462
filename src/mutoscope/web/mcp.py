"""The tools of `web/tools.py` by the Model Context Protocol: over HTTP at /mcp, over stdio by `mutoscope mcp`.

Imported where it is asked for and not before: its library takes as long to load as all the rest.
"""

# pydantic's and the library's types reach into every signature here.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnusedFunction=false

import asyncio
import base64
import contextlib
import functools
import time
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.transport_security import TransportSecuritySettings
from mcp_types import CallToolResult, ContentBlock, ImageContent, ResourceLink, TextContent, ToolAnnotations
from pydantic import AnyUrl, Field

from mutoscope import __version__
from mutoscope.files.probe import Drawn
from mutoscope.model.config import Mcp, Settings
from mutoscope.model.job import Job, Operation, Role, State
from mutoscope.model.problem import Problem
from mutoscope.model.requests import Submission
from mutoscope.service.faults import Fault
from mutoscope.service.keys import OPEN, Caller
from mutoscope.web.tools import LONGEST_WAIT, Bill, Tools, operation_of

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

PATH = "/mcp"
CALLER, ORIGIN = "mutoscope.caller", "mutoscope.origin"  # where the scope of a request says who asks, and of whom
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
PROGRESS_SECONDS = 5.0  # between two words to a client that waits, where nothing changes
CLOSE_SECONDS = 5.0

INSTRUCTIONS = """\
Makes pictures, clips and sound by the models of many vendors, here or at the vendors.

Making costs credits. A tool that spends does so only up to max_credits; with less, it tells the price and makes
nothing. Ask the person before you allow more. A tool that generates waits for up to wait_seconds; afterwards, `wait`
goes on with the job's id. What was made comes back as a picture to look at, with a link to the file, which expires."""

READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
SPENDS = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=True)
ENDS = ToolAnnotations(read_only_hint=False, destructive_hint=True, idempotent_hint=True, open_world_hint=False)
REPEATS = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=True)

Credits = Annotated[
    float, Field(ge=0, description="The most that this may cost. 0: tell the price, and make only what is free.")
]
Model = Annotated[str, Field(description="A name of list_models. Empty: a usual one.")]
Size = Annotated[str, Field(description="Pixels, as 1280x720. Empty: the model's own.")]
Seed = Annotated[int | None, Field(description="The same seed and wishes make the same file, where the engine can.")]
Extra = Annotated[
    dict[str, Any] | None,
    Field(description="What the vendor takes beside that, by its own names, as in describe_model."),
]
Wait = Annotated[float, Field(ge=0, le=LONGEST_WAIT, description="Seconds to wait for the end before answering.")]
JobId = Annotated[str, Field(description="A job's id, in our form or in the vendor's.")]
Source = Annotated[str, Field(description="A link, or the id of an earlier job (id#1 is its second file).")]


def build(tools: Tools) -> MCPServer[Any]:
    """The server with its tools."""
    server: MCPServer[Any] = MCPServer(
        "mutoscope",
        title="mutoscope",
        version=__version__,
        instructions=INSTRUCTIONS,
        log_level="ERROR",
    )

    async def made(ctx: Context[Any, Any], submission: Submission, max_credits: float, wait: float) -> CallToolResult:
        caller, origin = who(ctx), origin_of(ctx)
        job = await tools.make(caller, submission, max_credits=max_credits, origin=origin)
        if isinstance(job, Bill):
            return answer(bill_json(job) | {"made": False, "next": next_step(job)})
        return await waited(ctx, job.id, wait)

    async def waited(ctx: Context[Any, Any], id: str, seconds: float) -> CallToolResult:
        """The job at its end or when the time is over, with pictures of what was made."""
        caller, until = who(ctx), time.monotonic() + min(seconds, LONGEST_WAIT)
        job, said = await tools.job(caller, id), 0.0
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(until - time.monotonic(), 0.0)):
                async for job in tools.watch(caller, id):
                    if time.monotonic() - said > PROGRESS_SECONDS or job.progress is not None:
                        said = time.monotonic()
                        await ctx.report_progress(job.progress or 0.0, 1.0, progress_words(job))
        told = tools.told(job, origin_of(ctx))
        pictures = await tools.pictures(job) if job.state is State.SUCCEEDED else []
        return answer(told, pictures=pictures, links=links(told), failed=job.state is State.FAILED)

    @server.tool(annotations=READS)
    @told_plainly
    async def list_models(
        ctx: Context[Any, Any],
        operation: Annotated[str, Field(description="Only models that do this, as text_to_image.")] = "",
        search: Annotated[str, Field(description="Only names or vendors with this in them.")] = "",
    ) -> CallToolResult:
        """The models that may be used here: what each does, who makes it and what it costs."""
        return answer(tools.list_models(who(ctx), operation=operation, search=search))

    @server.tool(annotations=READS)
    @told_plainly
    async def describe_model(ctx: Context[Any, Any], model: str) -> CallToolResult:
        """One model: its operations, defaults, bounds and sizes, its price at each engine, the schema of a request."""
        return answer(tools.describe_model(who(ctx), model))

    @server.tool(annotations=READS)
    @told_plainly
    async def estimate(
        ctx: Context[Any, Any],
        operation: Annotated[str, Field(description="As text_to_image, image_to_video, text_to_speech.")],
        model: Model = "",
        prompt: str = "",
        size: Size = "",
        seconds: Annotated[float | None, Field(gt=0, description="Length, of a clip or a sound.")] = None,
        count: Annotated[int | None, Field(ge=1, le=16)] = None,
        extra: Extra = None,
    ) -> CallToolResult:
        """What it would cost at most, and who would make it. Makes nothing. Inputs are left out: they cost nothing."""
        wish = tools.wish(
            who(ctx), operation_of(operation), model=model, size=size, prompt=prompt, seconds=seconds, count=count,
            extra=extra,
        )  # fmt: skip
        return answer(bill_json(tools.estimate(who(ctx), wish)))

    @server.tool(annotations=SPENDS)
    @told_plainly
    async def generate_image(
        ctx: Context[Any, Any],
        prompt: str,
        max_credits: Credits = 0.0,
        model: Model = "",
        image: Annotated[str, Field(description="A picture to start from: a link, or a job's id.")] = "",
        size: Size = "",
        count: Annotated[int | None, Field(ge=1, le=16, description="How many.")] = None,
        negative_prompt: str = "",
        seed: Seed = None,
        extra: Extra = None,
        wait_seconds: Wait = 45.0,
    ) -> CallToolResult:
        """Make pictures from words or after a picture. Tells the price and makes nothing where max_credits is less."""
        inputs = [await tools.source(who(ctx), image, Role.IMAGE, "image")] if image else []
        operation = Operation.IMAGE_TO_IMAGE if image else Operation.TEXT_TO_IMAGE
        wish = tools.wish(
            who(ctx), operation, model=model, inputs=inputs, size=size, prompt=prompt, count=count,
            negative_prompt=negative_prompt, seed=seed, extra=extra,
        )  # fmt: skip
        return await made(ctx, wish, max_credits, wait_seconds)

    @server.tool(annotations=SPENDS)
    @told_plainly
    async def generate_video(
        ctx: Context[Any, Any],
        prompt: str,
        max_credits: Credits = 0.0,
        model: Model = "",
        image: Annotated[str, Field(description="The picture that it starts from: a link, or a job's id.")] = "",
        last_image: Annotated[str, Field(description="The picture that it ends on.")] = "",
        seconds: Annotated[float | None, Field(gt=0, description="Length.")] = None,
        size: Size = "",
        negative_prompt: str = "",
        seed: Seed = None,
        extra: Extra = None,
        wait_seconds: Wait = 45.0,
    ) -> CallToolResult:
        """Make a clip from words, or of a picture. Tells the price and makes nothing where max_credits is less."""
        named = {Role.FIRST_FRAME: (image, "image"), Role.LAST_FRAME: (last_image, "last_image")}
        inputs = [await tools.source(who(ctx), text, role, field) for role, (text, field) in named.items() if text]
        operation = Operation.IMAGE_TO_VIDEO if inputs else Operation.TEXT_TO_VIDEO
        wish = tools.wish(
            who(ctx), operation, model=model, inputs=inputs, size=size, prompt=prompt, seconds=seconds,
            negative_prompt=negative_prompt, seed=seed, extra=extra,
        )  # fmt: skip
        return await made(ctx, wish, max_credits, wait_seconds)

    @server.tool(annotations=SPENDS)
    @told_plainly
    async def generate_audio(
        ctx: Context[Any, Any],
        prompt: Annotated[str, Field(description="What is said, what is heard, or what the music is like.")],
        kind: Annotated[str, Field(description="speech, effect or music.")] = "speech",
        max_credits: Credits = 0.0,
        model: Model = "",
        seconds: Annotated[float | None, Field(gt=0, description="Length, of an effect or music.")] = None,
        seed: Seed = None,
        extra: Extra = None,
        wait_seconds: Wait = 45.0,
    ) -> CallToolResult:
        """Make speech, a sound effect or music. Tells the price and makes nothing where max_credits is less."""
        if kind not in AUDIO:
            raise ToolError(f"kind is one of {', '.join(AUDIO)}; {kind!r} is none.")
        wish = tools.wish(
            who(ctx), AUDIO[kind], model=model, prompt=prompt, seconds=seconds, seed=seed, extra=extra
        )  # fmt: skip
        return await made(ctx, wish, max_credits, wait_seconds)

    @server.tool(annotations=SPENDS)
    @told_plainly
    async def edit(
        ctx: Context[Any, Any],
        source: Source,
        action: Annotated[
            str, Field(description="upscale, upscale_video, remove_background, background, extend, extend_video.")
        ],
        max_credits: Credits = 0.0,
        model: Model = "",
        prompt: Annotated[str, Field(description="The new background, or what is beyond the edges.")] = "",
        size: Size = "",
        seconds: Annotated[float | None, Field(gt=0, description="extend_video: the length of the whole.")] = None,
        extra: Annotated[
            dict[str, Any] | None,
            Field(description="As scale=2 to upscale; left, right, up, down in pixels to extend."),
        ] = None,
        wait_seconds: Wait = 45.0,
    ) -> CallToolResult:
        """Enlarge a file, take its background away or put another, go on beyond its edges or its end."""
        if action not in EDITS:
            raise ToolError(f"action is one of {', '.join(EDITS)}; {action!r} is none.")
        operation, role = EDITS[action]
        inputs = [await tools.source(who(ctx), source, role, "source")]
        wish = tools.wish(
            who(ctx), operation, model=model, inputs=inputs, size=size, prompt=prompt, seconds=seconds, extra=extra
        )  # fmt: skip
        return await made(ctx, wish, max_credits, wait_seconds)

    @server.tool(annotations=READS)
    @told_plainly
    async def wait(ctx: Context[Any, Any], job: JobId, seconds: Wait = 60.0) -> CallToolResult:
        """Wait for a job's end, with news of its progress; then the pictures of what was made."""
        return await waited(ctx, job, seconds)

    @server.tool(annotations=READS)
    @told_plainly
    async def get_job(ctx: Context[Any, Any], job: JobId) -> CallToolResult:
        """A job's story: what was asked and ignored, what was decided when, what was sent to vendors, its webhooks."""
        told = await tools.get_job(who(ctx), job, origin_of(ctx))
        return answer(told, links=links(told))

    @server.tool(annotations=READS)
    @told_plainly
    async def list_jobs(
        ctx: Context[Any, Any],
        state: Annotated[str, Field(description="Only those queued, running, succeeded, failed or canceled.")] = "",
        limit: Annotated[int, Field(ge=1, le=200)] = 20,
    ) -> CallToolResult:
        """The newest jobs."""
        return answer(await tools.list_jobs(who(ctx), state=state, limit=limit, origin=origin_of(ctx)))

    @server.tool(annotations=ENDS)
    @told_plainly
    async def cancel(ctx: Context[Any, Any], job: JobId) -> CallToolResult:
        """Cancel a job that has not ended. What a vendor has begun may cost its price all the same."""
        return answer(await tools.cancel(who(ctx), job, origin_of(ctx)))

    @server.tool(annotations=READS)
    @told_plainly
    async def get_media(
        ctx: Context[Any, Any], job: JobId, output: Annotated[int, Field(ge=0, description="Which file, from 0.")] = 0
    ) -> CallToolResult:
        """What a job made, to look at: a small picture (of a clip a frame, of a sound its loudness), and its link."""
        shown = await tools.media(who(ctx), job, output, origin_of(ctx))
        found = {"outputs": [shown.told]}
        return answer(shown.told, pictures=[shown.picture] if shown.picture else [], links=links(found))

    @server.tool(annotations=READS)
    @told_plainly
    async def list_deliveries(
        ctx: Context[Any, Any],
        job: Annotated[str, Field(description="Only messages of this job.")] = "",
        pending: Annotated[bool, Field(description="Only those that have neither arrived nor been given up.")] = False,
        limit: Annotated[int, Field(ge=1, le=200)] = 20,
    ) -> CallToolResult:
        """The newest webhook messages, with what each receiver answered at each attempt."""
        return answer(await tools.list_deliveries(who(ctx), job=job, pending=pending, limit=limit))

    @server.tool(annotations=REPEATS)
    @told_plainly
    async def replay_delivery(
        ctx: Context[Any, Any], id: Annotated[str, Field(description="A message's id, of list_deliveries.")]
    ) -> CallToolResult:
        """Send a webhook message again, whatever became of it: the same id and the same body."""
        return answer(await tools.replay_delivery(who(ctx), id))

    @server.tool(annotations=ENDS)
    @told_plainly
    async def script_fault(
        ctx: Context[Any, Any],
        what: Annotated[
            str,
            Field(description="A status (429), a kind (rate_limited), slow, lost, webhook_twice or failed:<kind>."),
        ] = "",
        wire: Annotated[str, Field(description="Whose API, as runway; empty: every one.")] = "",
        on: Annotated[str, Field(description="create, read or any.")] = "create",
        times: Annotated[int, Field(ge=0, description="How many requests meet it; 0: all.")] = 1,
        seconds: Annotated[float, Field(ge=0, le=600, description="How slow, or how long to wait.")] = 1.0,
        clear: Annotated[bool, Field(description="Take back those that are there first.")] = False,
    ) -> CallToolResult:
        """Have this server's requests go wrong, to test a client against it. Only a server that rehearses obeys."""
        wish = Fault(what=what, wire=wire, on=on, times=times, seconds=seconds) if what else None
        return answer(tools.script_fault(who(ctx), wish, clear=clear))

    return server


AUDIO = {
    "speech": Operation.TEXT_TO_SPEECH,
    "effect": Operation.SOUND_EFFECT,
    "music": Operation.TEXT_TO_MUSIC,
}
EDITS = {
    "upscale": (Operation.IMAGE_UPSCALE, Role.IMAGE),
    "upscale_video": (Operation.VIDEO_UPSCALE, Role.VIDEO),
    "remove_background": (Operation.BACKGROUND_REMOVAL, Role.IMAGE),
    "background": (Operation.BACKGROUND_REPLACEMENT, Role.IMAGE),
    "extend": (Operation.IMAGE_OUTPAINT, Role.IMAGE),
    "extend_video": (Operation.VIDEO_EXTENSION, Role.VIDEO),
}


# -- who asks, and what they are answered ----------------------------------------------


def who(ctx: Context[Any, Any]) -> Caller:
    """Whose key the request showed; over stdio it is whoever started this process."""
    request = ctx.request_context.request
    return OPEN if request is None else request.scope[CALLER]


def origin_of(ctx: Context[Any, Any]) -> str:
    request = ctx.request_context.request
    return "" if request is None else request.scope[ORIGIN]


def told_plainly(tool: Callable[..., Awaitable[CallToolResult]]) -> Callable[..., Awaitable[CallToolResult]]:
    """A problem is told in its own words, with the field."""

    @functools.wraps(tool)
    async def told(*args: Any, **named: Any) -> CallToolResult:
        try:
            return await tool(*args, **named)
        except Problem as problem:
            field = f"{problem.field}: " if problem.field and problem.field not in problem.message else ""
            raise ToolError(f"{field}{problem.message}") from problem

    return told


def answer(
    told: dict[str, Any],
    *,
    pictures: Sequence[Drawn] = (),
    links: Sequence[ResourceLink] = (),
    failed: bool = False,
) -> CallToolResult:
    """The facts as JSON, the pictures as pictures, the files as links."""
    facts: dict[str, Any] = msgspec.to_builtins(told)
    content: list[ContentBlock] = [TextContent(type="text", text=msgspec.json.encode(facts).decode())]
    content += [
        ImageContent(type="image", data=base64.b64encode(each.data).decode(), mime_type=each.media_type)
        for each in pictures
    ]
    return CallToolResult(content=[*content, *links], structured_content=facts, is_error=failed)


def links(told: dict[str, Any]) -> list[ResourceLink]:
    return [
        ResourceLink(
            type="resource_link",
            name=f"{each['id']}",
            uri=str(AnyUrl(each["url"])),
            mime_type=each["media_type"],
            size=each.get("bytes"),
        )
        for each in told.get("outputs", ())
        if str(each.get("url", "")).startswith("http")
    ]


def bill_json(bill: Bill) -> dict[str, Any]:
    return msgspec.to_builtins(bill)


def next_step(bill: Bill) -> str:
    if not bill.known:
        return (
            f"What {bill.model} costs at {bill.engine} is not known here, so it cannot be bounded. Name another model,"
            " or have whoever runs the server say the price in mutoscope.toml."
        )
    price = f"{bill.credits:g}"
    return f"Nothing was made. It may cost {price} credits: ask, and call again with max_credits={price}."


def progress_words(job: Job) -> str:
    share = f" {job.progress:.0%}" if job.progress is not None else ""
    return f"{job.generation.model}: {job.state.value}{share}"


# -- over HTTP ---------------------------------------------------------------------------


class Mounted:
    """The tools at /mcp. Each request stands for itself, so that any process may answer it."""

    def __init__(self, tools: Tools, settings: Settings, *, open: bool) -> None:
        self.server = build(tools)
        self.server.streamable_http_app(
            stateless_http=True,
            transport_security=security(settings, open=open),
            max_request_body_size=settings.mcp.max_body_bytes,
        )
        self._ready, self._over = asyncio.Event(), asyncio.Event()
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        """Entered and left in one task, as its library's groups of tasks want it."""
        async with self.server.session_manager.run():
            self._ready.set()
            await self._over.wait()

    async def __call__(self, scope: Scope, receive: Receive, send: Send, caller: Caller, origin: str) -> None:
        await self._ready.wait()
        await self.server.session_manager.handle_request({**scope, CALLER: caller, ORIGIN: origin}, receive, send)

    async def close(self) -> None:
        self._over.set()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._task, CLOSE_SECONDS)


def security(settings: Settings, *, open: bool) -> TransportSecuritySettings:
    """Which Host and Origin are taken. Without keys only this machine's names are: any page in a browser here could
    reach us by a name of its own. With keys it is the key that admits, and no page has one."""
    chosen: Mcp = settings.mcp
    public = urlsplit(settings.server.public_url)
    hosts = [*chosen.hosts, *filter(None, [public.netloc])]
    origins = [*chosen.origins, *(each for each in settings.server.allow_origins if each != "*")]
    if open:
        hosts += [name for each in LOOPBACK for name in (each, f"{each}:*")]
        origins += [name for each in LOOPBACK for name in (f"http://{each}", f"http://{each}:*")]
    if public.netloc:
        origins.append(f"{public.scheme}://{public.netloc}")
    checked = open or bool(chosen.hosts) or bool(chosen.origins)
    return TransportSecuritySettings(
        enable_dns_rebinding_protection=checked, allowed_hosts=hosts, allowed_origins=origins
    )
