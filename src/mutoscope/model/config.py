"""Settings: what the operator decides. The only module that reads the configuration file and the environment.

Three layers, later ones win: the defaults below (the same as `mutoscope.default.toml`), the TOML file,
environment variables named MUTOSCOPE_<SECTION>_<SETTING>.
"""

import ipaddress
import math
import os
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import msgspec
import platformdirs
from msgspec import Meta, Struct
from msgspec.structs import replace

FILE = "mutoscope.toml"
PREFIX = "MUTOSCOPE_"
CLIENTS_OWN = ("MUTOSCOPE_KEY", "MUTOSCOPE_URL")  # what callers of a server keep in the environment: no settings
BUILT_IN = ("studio", "script")  # engines that are always here; nobody is paid for what they make
SHORTEST_SECRET = 24  # characters, beside a "whsec_"

CLIENTS_KEYS = {"OPENAI_API_KEY": "openai", "ANTHROPIC_API_KEY": "anthropic"}
"""The same where a client of ours has its key for us as well: taken for an account of the settings, and makes none."""

VENDOR_KEYS = {
    "FREEPIK_API_KEY": "freepik",
    "RUNWAYML_API_SECRET": "runway",
    "DASHSCOPE_API_KEY": "dashscope",
    "LUMAAI_API_KEY": "luma",
    "MINIMAX_API_KEY": "minimax",
    "KLINGAI_API_KEY": "kling",
    "REPLICATE_API_TOKEN": "replicate",
    "BFL_API_KEY": "flux",
    "IDEOGRAM_API_KEY": "ideogram",
    "RECRAFT_API_KEY": "recraft",
    "FAL_KEY": "fal",
}
"""The environment variables in which the vendors' own SDKs look for a key → the wire that it is for."""


COLLECTORS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


class Server(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    host: str = "127.0.0.1"
    port: int = 8700
    public_url: str = ""
    data: str = ""
    max_body_bytes: int = 64 * 1024 * 1024
    grace_seconds: float = 20.0
    leave_seconds: float = 0.0
    log_level: str = "info"
    log_json: bool = False
    allow_origins: tuple[str, ...] = ()
    hosts: dict[str, str] = {}
    wires: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    min_free_bytes: int = 256 * 1024 * 1024

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


Count = Annotated[int, Meta(ge=0, le=10**15)]  # what SQLite and a float both hold, with room to reckon
Rate = Annotated[float, Meta(ge=0, le=10**12)]


class Rates(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Credits. A Runway credit is US$0.01, and so is ours."""

    second: Rate = 0.0
    silent: Rate | None = None  # a second without sound, where that is cheaper
    image: Rate = 0.0
    megapixel: Rate = 0.0  # of a picture; 1,000,000 pixels
    job: Rate = 0.0
    character: Rate = 0.0  # of the prompt
    input_tokens: Rate | None = None  # a million of them, as the next three; None: nobody said
    output_tokens: Rate | None = None
    cached_tokens: Rate | None = None  # read from the vendor's cache; None: as any input
    cache_write_tokens: Rate | None = None  # written to it; None: as any input


class ModelPrice(Rates, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a model costs. A frame that fits into a tier costs that tier's rates instead, the smallest that it fits."""

    tiers: dict[str, Rates] = {}


class ModelRights(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """How much of one model a key may do; None: as of any model."""

    requests_per_minute: Count | None = None
    tokens_per_minute: Count | None = None
    max_concurrent: Count | None = None
    max_daily: Count | None = None


class Rights(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a key may do, and how much of it. An empty list allows all; None: as [limits] says; 0 sets no limit."""

    webhook: str = ""
    admin: bool = False
    wires: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    engines: tuple[str, ...] = ()
    requests_per_second: Rate | None = None
    requests_per_minute: Count | None = None
    tokens_per_minute: Count | None = None
    max_concurrent: Count | None = None
    max_daily: Count | None = None
    max_queued: Count | None = None
    max_bytes_daily: Count | None = None
    budget: Annotated[float, Meta(gt=0, le=10**12)] | None = None
    budget_period: Literal["day", "month", "total"] = "month"
    per_model: dict[str, ModelRights] = {}


class Key(Rights, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key that the configuration file admits; others are kept in the store."""

    name: str
    sha256: str
    expires: datetime | None = None


class Limits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    requests_per_second: Rate = 0.0
    requests_per_minute: Count = 0
    tokens_per_minute: Count = 0
    max_concurrent: Count = 0
    max_daily: Count = 0
    max_queued: Count = 0
    max_bytes_daily: Count = 0


class Net(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    allow_private: bool = False
    allow_http: bool = True
    allow_hosts: tuple[str, ...] = ()
    ports: tuple[int, ...] = (80, 443)
    connect_seconds: float = 5.0
    total_seconds: float = 30.0
    max_redirects: int = 3


class Inputs(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    probe: str = "wire"
    max_bytes: int = 200 * 1024 * 1024
    max_pixels: int = 64_000_000
    max_seconds: float = 600.0


class Files(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    store: str = ""
    endpoint: str = ""
    options: dict[str, str] = {}
    timeout_seconds: Annotated[float, Meta(gt=0, le=3600)] = 30.0
    links: Literal["server", "bucket"] = "server"
    previews: bool = True
    link_secret: str = ""
    link_seconds: float = 24 * 3600.0
    webhook_link_seconds: float = 7 * 24 * 3600.0

    def __repr__(self) -> str:
        return f"Files(store={self.store!r}, links={self.links!r})"  # what is logged shows no credentials


class Store(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    url: str = ""

    def __repr__(self) -> str:
        return f"Store(url={'…' if self.url else ''!r})"  # what is logged shows no password


class Retention(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    jobs_days: Count = 0
    inputs_days: Rate = 0.0
    outputs_days: Rate = 0.0
    deliveries_days: Rate = 0.0
    uploads_days: Rate = 1.0
    exchanges_days: Rate = 30.0
    answers_days: Rate = 30.0


class Webhooks(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    secret: str = ""
    schedule: tuple[float, ...] = (5, 30, 120, 600, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
    timeout_seconds: float = 15.0
    max_in_flight: int = 64
    max_per_receiver: int = 4


class Worker(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    lease_seconds: float = 30.0
    max_attempts: int = 5


Speaker = Literal["flite", "festival", "piper", "espeak-ng"]


class Studio(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    encoder: Literal["auto", "av", "ffmpeg"] = "auto"
    determinism: Literal["machine", "portable"] = "machine"
    card: Literal["auto", "always", "never"] = "auto"
    slots: int = 1
    encode_threads: int = 2
    niceness: Annotated[int, Meta(ge=0, le=19)] = 2
    speakers: tuple[Speaker, ...] = ("flite", "festival", "piper", "espeak-ng")
    piper_voice: str = ""
    refuse_nsfw: Annotated[float, Meta(ge=0, le=1)] = 1.0
    timeout_seconds: float = 900.0


class Relay(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    slots: int = 16
    timeout_seconds: float = 1800.0
    late_seconds: float = 24 * 3600.0
    request_seconds: float = 60.0
    copy_seconds: float = 600.0
    max_result_bytes: int = 2 * 1024 * 1024 * 1024
    first_poll_seconds: float = 3.0
    max_poll_seconds: float = 15.0
    max_polls_in_flight: int = 64
    breaker_failures: int = 5
    breaker_seconds: float = 30.0
    callbacks: bool = False
    transcript_bytes: Count = 256 * 1024


class Script(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    slots: int = 16
    replies: str = ""


class Words(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    first_seconds: float = 300.0
    idle_seconds: float = 120.0
    session_idle_seconds: float = 600.0
    reserve_tokens: Count = 4096
    records: Literal["off", "metadata", "bodies"] = "off"


class Cassettes(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    record: str = ""
    replay: str = ""
    unknown: Literal["strict", "studio", "vendor", "once"] = "strict"
    pace: Annotated[float, Meta(ge=0, le=1000)] = 0.0
    prompts: Literal["plain", "hashed"] = "plain"
    accounts: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    max_bytes: Count = 1024 * 1024 * 1024

    def covers(self, key: str) -> bool:
        """Whether what this key's owner asks is recorded or played."""
        return not self.keys or key in self.keys

    @property
    def asks_nobody(self) -> bool:
        """Whether vendors are never asked, and need no key."""
        return bool(self.replay) and self.unknown in ("strict", "studio") and not (self.accounts or self.keys)


class Credentials(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    enabled: bool | Literal["auto"] = "auto"
    certificate: str = ""
    key: str = ""


class Mark(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    enabled: bool | Literal["auto"] = "auto"


OwnKind = Literal["cut_out", "segmentation", "depth", "upscale"]
MOST_SIDE = 4096


class Weights(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    folder: str = ""
    memory_bytes: int = 1536 * 1024 * 1024


class OwnWeights(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model of the operator's: what it does is its name in the settings."""

    path: str = ""
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    side: int = 0
    memory_bytes: int = 1024 * 1024 * 1024
    seconds: float = 300.0

    def __post_init__(self) -> None:
        if not self.path:
            raise ValueError("`path` must name an ONNX file")
        if not all(self.std):
            raise ValueError("`std` is divided by: none of its numbers may be 0")
        if not 0 <= self.side <= MOST_SIDE:
            raise ValueError(f"`side` must be 0 to {MOST_SIDE}")


class Metrics(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    enabled: bool | Literal["auto"] = "auto"
    token: str = ""

    def __repr__(self) -> str:
        return f"Metrics(enabled={self.enabled!r})"  # what is logged shows no token


class Tracing(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    enabled: bool | Literal["auto"] = "auto"
    to_vendors: bool = False
    to_receivers: bool = False


class VendorAccount(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A vendor's account, which becomes an engine of the name that it has in the settings."""

    wire: str
    key: str = ""
    key_variable: str = ""
    base_url: str = ""
    weight: float = 1.0
    max_in_flight: int = 0
    requests_per_second: float = 0.0
    models: tuple[str, ...] = ()
    renames: dict[str, str] = {}
    exclusive: bool = False
    resend: bool = False
    media: bool = False
    open_models: bool | None = None

    def __repr__(self) -> str:
        return f"VendorAccount(wire={self.wire!r}, base_url={self.base_url!r})"  # what is logged shows no key


class EngineSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Open weights on devices of the operator's own, which become an engine of the name that they have in the
    settings."""

    kind: Literal["diffusers", "ray"]
    model: str
    pipeline: str = ""
    python: str = ""
    devices: tuple[str, ...] = ("auto",)
    dtype: Literal["bfloat16", "float16", "float32"] = "bfloat16"
    quantize: Literal["none", "fp8"] = "none"
    offload: Literal["auto", "none", "model", "sequential"] = "auto"
    tiling: bool = False
    loras: dict[str, float] = {}
    steps: Annotated[int, Meta(ge=0, le=200)] = 0
    guidance: Annotated[float, Meta(ge=0, le=100)] | None = None
    max_pixels: Count = 4 * 1024 * 1024
    load_seconds: float = 900.0
    timeout_seconds: float = 1800.0
    idle_seconds: Annotated[float, Meta(ge=0)] = 0.0
    preview_seconds: Annotated[float, Meta(ge=0)] = 2.0
    threads: Count = 0
    online: bool = False
    cache: str = ""
    environment: dict[str, str] = {}
    sandbox: bool = True
    address: str = ""
    actors: Annotated[int, Meta(ge=1, le=1024)] = 1
    resources: dict[str, float] = {}

    def __repr__(self) -> str:
        return f"EngineSettings(kind={self.kind!r}, pipeline={self.pipeline!r})"  # the environment may hold a token


class ModelSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the operator changes about one model of the catalog; None leaves the row as it is.

    With `operations` it is a row of its own: `names` says what each wire calls it, as the rows of the catalog do.
    """

    engine: str | None = None
    engines: tuple[str, ...] | None = None
    timeout_seconds: float | None = None
    max_concurrent: int | None = None
    max_daily: int | None = None
    fps: int | None = None
    price: ModelPrice | None = None
    prices: dict[str, ModelPrice] = {}
    vendor: str = ""
    names: dict[str, tuple[str, ...]] = {}
    operations: tuple[str, ...] = ()


class WireSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the operator chooses about one wire."""

    dialect: str = ""  # one of several forms of its answers; "" is the usual one


class Mcp(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    enabled: bool = True
    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    max_body_bytes: Annotated[int, Meta(gt=0)] = 4 * 1024 * 1024


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    server: Server = Server()
    limits: Limits = Limits()
    net: Net = Net()
    inputs: Inputs = Inputs()
    files: Files = Files()
    store: Store = Store()
    retention: Retention = Retention()
    webhooks: Webhooks = Webhooks()
    worker: Worker = Worker()
    studio: Studio = Studio()
    relay: Relay = Relay()
    script: Script = Script()
    words: Words = Words()
    cassettes: Cassettes = Cassettes()
    credentials: Credentials = Credentials()
    mark: Mark = Mark()
    weights: Weights = Weights()
    own_weights: dict[OwnKind, OwnWeights] = {}
    metrics: Metrics = Metrics()
    tracing: Tracing = Tracing()
    mcp: Mcp = Mcp()
    keys: tuple[Key, ...] = ()
    accounts: dict[str, VendorAccount] = {}
    engines: dict[str, EngineSettings] = {}
    models: dict[str, ModelSettings] = {}
    wires: dict[str, WireSettings] = {}

    @property
    def data(self) -> Path:
        """The directory that holds everything: store, assets, secrets."""
        return Path(self.server.data or platformdirs.user_data_dir("mutoscope", appauthor=False)).expanduser()


class BadSettings(Exception):
    """The configuration cannot be used; the message names the file, the setting and what would be right."""


def load(
    path: Path | None = None,
    environment: Mapping[str, str] | None = None,
    *,
    options: Mapping[str, Mapping[str, Any]] | None = None,
) -> Settings:
    """Read the settings: `path`, else ./mutoscope.toml where there is one, then the environment, then `options` by
    section.

    Raises BadSettings.
    """
    chosen = path or (Path(FILE) if Path(FILE).is_file() else None)
    values: dict[str, Any] = {}
    if chosen is not None:
        try:
            values = msgspec.toml.decode(chosen.read_bytes(), type=dict[str, Any])
        except (OSError, UnicodeDecodeError, msgspec.DecodeError) as error:
            raise BadSettings(f"{chosen}: {error}") from error
    given = os.environ if environment is None else environment
    variables = {name: text for name, text in given.items() if text.strip()}  # an empty one counts as unset
    overlay(values, variables)
    for section, told in (options or {}).items():
        values[section] = {**values.get(section, {}), **told}
    try:
        settings = msgspec.convert(values, Settings, strict=False)
        check_numbers(msgspec.to_builtins(settings))
        check_secret(settings.webhooks.secret, "webhooks.secret")
        check_secret(settings.metrics.token, "metrics.token")
        check_secret(settings.files.link_secret, "files.link_secret")
        check_cassettes(settings.cassettes)
        keyless = settings.cassettes.asks_nobody
        return replace(settings, accounts=with_keys(settings.accounts, variables, keyless=keyless))
    except msgspec.ValidationError as error:
        origin = variable_of(str(error), variables) or str(chosen or "the settings")
        raise BadSettings(f"{origin}: {error}. The defaults are in mutoscope.default.toml.") from error


def variable_of(flaw: str, variables: Mapping[str, str]) -> str | None:
    """The environment variable that a flawed setting comes from, if it does."""
    place = re.search(r"`\$\.([a-z_]+)\.([a-z_]+)", flaw)
    name = f"{PREFIX}{place[1]}_{place[2]}".upper() if place else ""
    return name if name in variables else None


def check_numbers(value: object, where: str = "$") -> None:
    """Python and TOML know numbers that are none: no comparison with `nan` is true, and JSON has no word for them."""
    if isinstance(value, dict):
        for name, each in cast("dict[str, object]", value).items():
            check_numbers(each, f"{where}.{name}")
    elif isinstance(value, (list, tuple)):
        for number, each in enumerate(cast("Sequence[object]", value)):
            check_numbers(each, f"{where}[{number}]")
    elif isinstance(value, float) and not math.isfinite(value):
        raise msgspec.ValidationError(f"Expected a number, got `{value}` - at `{where}`")


def check_secret(secret: str, where: str) -> None:
    """What is not empty must be hard to guess."""
    if secret and len(secret.removeprefix("whsec_")) < SHORTEST_SECRET:
        raise msgspec.ValidationError(f"fewer than {SHORTEST_SECRET} characters can be guessed - at `$.{where}`")


def collector_is_named(environment: Mapping[str, str] | None = None) -> bool:
    """Whether OpenTelemetry's own variables say where spans go."""
    variables = os.environ if environment is None else environment
    if variables.get("OTEL_SDK_DISABLED", "").lower() == "true" or variables.get("OTEL_TRACES_EXPORTER") == "none":
        return False
    return any(variables.get(name) for name in COLLECTORS)


BY_NAME = ("own_weights", "keys", "accounts", "engines", "models", "wires")
"""Sections that are lists or named entries: they come from the file only."""


def check_cassettes(cassettes: Cassettes) -> None:
    if cassettes.record and cassettes.replay and cassettes.unknown in ("strict", "studio"):
        message = f'replay with unknown = "{cassettes.unknown}" leaves nothing to record; "once" or "vendor" does'
        raise msgspec.ValidationError(f"{message} - at `$.cassettes.record`")


def with_keys(
    accounts: Mapping[str, VendorAccount], environment: Mapping[str, str], *, keyless: bool = False
) -> dict[str, VendorAccount]:
    """The accounts with their keys, and one more for each vendor whose key is in the environment and not spoken for.
    `keyless`: none is needed, because nobody is asked.

    Raises BadSettings for an account that has none.
    """
    keyed: dict[str, VendorAccount] = {}
    for name, account in accounts.items():
        usual = next((each for each, wire in (VENDOR_KEYS | CLIENTS_KEYS).items() if wire == account.wire), "")
        variable = account.key_variable or usual
        key = account.key or environment.get(variable, "") or ("replayed" if keyless else "")
        if not key:
            advice = f"set `key`, or the environment variable {variable or 'named by `key_variable`'}"
            raise BadSettings(f"[accounts.{name}] has no key: {advice}")
        keyed[name] = replace(account, key=key)
    taken = {account.wire for account in keyed.values()}
    for variable, wire in VENDOR_KEYS.items():
        if environment.get(variable) and wire not in taken:
            keyed[wire] = VendorAccount(wire=wire, key=environment[variable])
    return keyed


def overlay(values: dict[str, Any], environment: Mapping[str, str]) -> None:
    """Lay MUTOSCOPE_SERVER_PORT=8701 and its like over the values of the file."""
    sections = {f.name: f.type for f in msgspec.structs.fields(Settings) if f.name not in BY_NAME}
    for name, text in environment.items():
        if not name.startswith(PREFIX) or name in CLIENTS_OWN:
            continue
        section, _, setting = name.removeprefix(PREFIX).lower().partition("_")
        if section not in sections:
            known = ", ".join(f"{PREFIX}{each.upper()}_…" for each in sections)
            raise BadSettings(f"{name}: there is no section {section!r}; variables are named {known}")
        known = {f.name: f.type for f in msgspec.structs.fields(sections[section])}
        if setting not in known:
            raise BadSettings(f"{name}: [{section}] has no setting {setting!r}; it has {', '.join(known)}")
        listed = getattr(known[setting], "__origin__", None) is tuple
        values.setdefault(section, {})[setting] = [s for s in text.split(",") if s] if listed else text
