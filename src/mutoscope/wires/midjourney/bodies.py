"""What callers send, with the proxy's bounds."""

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from mutoscope.wirekit.media import DATA_PATTERN, Link, LinkOrData

Address = Annotated[Link, Meta(max_length=2000)]
Data = Annotated[str, Meta(extra_json_schema={"pattern": f"^{DATA_PATTERN}$"})]
Prompt = Annotated[str, Meta(min_length=1)]
Bot = Literal["MID_JOURNEY", "NIJI_JOURNEY", "mj", "niji"]
Id = Annotated[str, Meta(min_length=1, examples=["173062171815100000000000000000012345"])]


class AccountFilter(Struct, kw_only=True, rename="camel"):
    """Which of the proxy's accounts is meant. There are none here: `modes` and `remix` are obeyed."""

    instance_id: str | None = None
    channel_id: str | None = None
    modes: list[Literal["RELAX", "FAST", "TURBO"]] | None = None
    remix: bool | None = None
    niji_remix: bool | None = None
    remix_auto_considered: bool | None = None
    remark: str | None = None


class Submit(Struct, kw_only=True, rename="camel"):
    """What every request may say."""

    state: Annotated[str, Meta(max_length=255)] | None = None
    notify_hook: Address | None = None
    account_filter: AccountFilter | None = None


class Imagine(Submit, kw_only=True, rename="camel"):
    prompt: Prompt
    bot_type: Bot = "MID_JOURNEY"
    base64_array: list[LinkOrData] | None = None
    base64: LinkOrData | None = None


class Shorten(Submit, kw_only=True, rename="camel"):
    prompt: Prompt
    bot_type: Bot = "MID_JOURNEY"


class Blend(Submit, kw_only=True, rename="camel"):
    base64_array: Annotated[list[LinkOrData], Meta(min_length=2, max_length=5)]
    bot_type: Bot = "MID_JOURNEY"
    dimensions: Literal["PORTRAIT", "SQUARE", "LANDSCAPE"] | None = None


class Describe(Submit, kw_only=True, rename="camel"):
    base64: LinkOrData | None = None
    link: Link | None = None
    language: str | None = None
    bot_type: Bot = "MID_JOURNEY"


Described = Annotated[
    Describe, Meta(extra_json_schema={"anyOf": [{"required": ["base64"]}, {"required": ["link"]}]})
]  # for the published description; the rule itself is read with the body


class Action(Submit, kw_only=True, rename="camel"):
    task_id: Id
    custom_id: Annotated[
        str, Meta(min_length=1, examples=["MJ::JOB::upsample::1::00000000-0000-4000-8000-000000000000"])
    ]
    enable_remix: bool | None = None
    strong: bool | None = None
    choose_same_channel: bool | None = None


class Modal(Submit, kw_only=True, rename="camel"):
    """Some clients write `task_id`."""

    task_id: str | None = None
    snake_task_id: str | None = field(name="task_id", default=None)
    prompt: str | None = None
    mask_base64: LinkOrData | None = None
    no_storage: bool | None = None


Answered = Annotated[Modal, Meta(extra_json_schema={"anyOf": [{"required": ["taskId"]}, {"required": ["task_id"]}]})]


class Change(Submit, kw_only=True, rename="camel"):
    task_id: Id
    action: Literal["UPSCALE", "VARIATION", "REROLL"]
    index: Annotated[int, Meta(ge=1, le=4)] | None = None


class SimpleChange(Submit, kw_only=True, rename="camel"):
    content: Annotated[
        str, Meta(pattern="^[^ ]+ ([UuVv][1-4]|[Rr])$", examples=["173062171815100000000000000000012345 U2"])
    ]


class Files(Struct, kw_only=True, rename="camel"):
    base64_array: Annotated[list[Data], Meta(min_length=1, max_length=10)]
    account_filter: AccountFilter | None = None
    filter: AccountFilter | None = None


class Ids(Struct, kw_only=True):
    ids: list[str] | None = None
