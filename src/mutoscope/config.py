"""Settings: what the operator decides. The only module that reads the configuration file and the environment.

Three layers, later ones win: the defaults below (the same as `mutoscope.default.toml`), the TOML file,
environment variables named MUTOSCOPE_<SECTION>_<SETTING>.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
import platformdirs
from msgspec import Struct

FILE = "mutoscope.toml"
PREFIX = "MUTOSCOPE_"


class Server(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    host: str = "127.0.0.1"
    port: int = 8700
    public_url: str = ""
    data: str = ""
    max_body_bytes: int = 64 * 1024 * 1024
    grace_seconds: float = 20.0
    log_level: str = "info"
    log_json: bool = False


class Key(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    sha256: str


class Limits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    requests_per_minute: int = 0
    max_concurrent: int = 0
    max_daily: int = 0


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
    link_seconds: float = 24 * 3600.0
    webhook_link_seconds: float = 7 * 24 * 3600.0


class Webhooks(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    secret: str = ""
    schedule: tuple[float, ...] = (5, 30, 120, 600, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
    timeout_seconds: float = 15.0
    max_in_flight: int = 64
    max_per_receiver: int = 4


class Worker(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    lease_seconds: float = 30.0
    max_attempts: int = 5


class Studio(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    encoder: Literal["auto", "av", "ffmpeg"] = "auto"
    determinism: Literal["machine", "portable"] = "machine"
    slots: int = 1
    encode_threads: int = 2
    timeout_seconds: float = 900.0


class Script(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    slots: int = 16


class Credentials(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    enabled: bool | Literal["auto"] = "auto"
    certificate: str = ""
    key: str = ""


class ModelSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the operator changes about one model of the catalog; None leaves the row as it is."""

    engine: str | None = None
    max_concurrent: int | None = None
    max_daily: int | None = None
    fps: int | None = None


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    server: Server = Server()
    limits: Limits = Limits()
    net: Net = Net()
    inputs: Inputs = Inputs()
    files: Files = Files()
    webhooks: Webhooks = Webhooks()
    worker: Worker = Worker()
    studio: Studio = Studio()
    script: Script = Script()
    credentials: Credentials = Credentials()
    keys: tuple[Key, ...] = ()
    models: dict[str, ModelSettings] = {}

    @property
    def data(self) -> Path:
        """The directory that holds everything: store, assets, secrets."""
        return Path(self.server.data or platformdirs.user_data_dir("mutoscope", appauthor=False)).expanduser()


class BadSettings(Exception):
    """The configuration cannot be used; the message names the file, the setting and what would be right."""


def load(path: Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings: `path`, else ./mutoscope.toml where there is one, then the environment.

    Raises BadSettings.
    """
    chosen = path or (Path(FILE) if Path(FILE).is_file() else None)
    values: dict[str, Any] = {}
    if chosen is not None:
        try:
            values = msgspec.toml.decode(chosen.read_bytes(), type=dict[str, Any])
        except (OSError, msgspec.DecodeError) as error:
            raise BadSettings(f"{chosen}: {error}") from error
    origin = str(chosen) if chosen else "environment"
    overlay(values, os.environ if environment is None else environment)
    try:
        return msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise BadSettings(f"{origin}: {error}. The defaults are in mutoscope.default.toml.") from error


def overlay(values: dict[str, Any], environment: Mapping[str, str]) -> None:
    """Lay MUTOSCOPE_SERVER_PORT=8701 and its like over the values of the file."""
    sections = {f.name: f.type for f in msgspec.structs.fields(Settings) if f.name not in ("keys", "models")}
    for name, text in environment.items():
        if not name.startswith(PREFIX):
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
