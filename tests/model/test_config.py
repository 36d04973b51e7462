"""Settings: the documented defaults, the file, the environment, and what is said about mistakes."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mutoscope.model.config import (
    BY_NAME,
    BadSettings,
    EngineSettings,
    Key,
    ModelPrice,
    ModelRights,
    ModelSettings,
    Rates,
    Settings,
    VendorAccount,
    load,
)

DEFAULTS = Path(__file__).parent.parent.parent / "mutoscope.default.toml"
DOCUMENTED_ACCOUNT = {
    "wire": '"freepik"',
    "key": '""',
    "key_variable": '"FREEPIK_API_KEY"',
    "base_url": '"https://api.freepik.com"',
    "weight": "1.0",
    "max_in_flight": "0",
    "requests_per_second": "0.0",
    "models": "[]",
    "open_models": "true",
    "renames": "{}",
    "exclusive": "false",
    "resend": "false",
    "media": "false",
}
SETTING = re.compile(r"^(# )?(\w+) = ")
SECTION = re.compile(r'^(# )?\[+[\w."]+\]+$')


def test_the_documented_defaults_are_the_defaults():
    assert load(DEFAULTS, {}) == Settings()


def test_every_setting_stands_in_the_documented_file():
    written = msgspec.toml.decode(DEFAULTS.read_bytes(), type=dict[str, dict[str, object]])
    for section in msgspec.structs.fields(Settings):
        if section.name not in BY_NAME:
            names = {field.name for field in msgspec.structs.fields(section.type)}
            assert set(written[section.name]) == names, section.name


def test_every_setting_has_its_sentence():
    lines = DEFAULTS.read_text().splitlines()
    settings = [number for number, line in enumerate(lines) if SETTING.match(line)]
    assert len(settings) > 40
    for number in settings:
        before = lines[number - 1]
        assert before.startswith("# ") and before.endswith("."), f"{lines[number]!r} has no sentence above it"


def test_the_commented_sections_are_right_once_they_are_uncommented(tmp_path: Path):
    tail = DEFAULTS.read_text().splitlines()
    live = [line.removeprefix("# ") for line in tail if SECTION.match(line) or SETTING.match(line)]
    file = tmp_path / "mutoscope.toml"
    file.write_text("\n".join(live))
    settings = load(file, {"FREEPIK_API_KEY": "sesame"})
    assert [key.name for key in settings.keys] == ["alice"]
    assert settings.models == {
        "gen4_turbo": ModelSettings(
            engine="studio",
            engines=("runway", "freepik"),
            timeout_seconds=3600.0,
            max_concurrent=2,
            max_daily=100,
            fps=24,
            price=ModelPrice(second=10.0, tiers={"720p": Rates(second=5.0)}),
            prices={"freepik": ModelPrice(second=12.0)},
            operations=("text_to_video",),
            vendor="luma",
            names={"luma": ("ray-3",)},
        )
    }
    assert set(live) >= {f"{field} = {value}" for field, value in DOCUMENTED_ACCOUNT.items()}
    assert {field.name for field in msgspec.structs.fields(VendorAccount)} == DOCUMENTED_ACCOUNT.keys()
    documented = {field.name for field in msgspec.structs.fields(ModelSettings)}
    assert documented == {
        "engine",
        "engines",
        "timeout_seconds",
        "max_concurrent",
        "max_daily",
        "fps",
        "price",
        "prices",
        "operations",
        "vendor",
        "names",
    }
    assert settings.engines["mygpu"].pipeline == "wan2.2-ti2v-5b"
    written = msgspec.toml.decode(file.read_bytes(), type=dict[str, Any])["engines"]["mygpu"]
    assert {field.name for field in msgspec.structs.fields(EngineSettings)} == set(written)
    [key] = msgspec.toml.decode(file.read_bytes())["keys"]
    assert {field.name for field in msgspec.structs.fields(Key)} == set(key)


def test_a_key_has_rights_and_limits_of_its_own(tmp_path: Path):
    file = tmp_path / "mutoscope.toml"
    file.write_text(
        "[[keys]]\nname = 'ann'\nsha256 = 'ab'\nwires = ['runway']\nexpires = 2027-01-31T12:00:00Z\nmax_daily = 0\n"
        '[keys.per_model."gen4_turbo"]\nmax_concurrent = 2\n'
    )
    [key] = load(file, {}).keys
    assert (key.wires, key.models, key.max_daily, key.max_queued) == (("runway",), (), 0, None)
    assert key.expires == datetime(2027, 1, 31, 12, tzinfo=UTC)
    assert key.per_model == {"gen4_turbo": ModelRights(max_concurrent=2)}


def test_the_environment_wins_over_the_file(tmp_path: Path):
    file = tmp_path / "mutoscope.toml"
    file.write_text("[server]\nport = 9000\nhost = '127.0.0.2'\n")
    environment = {
        "MUTOSCOPE_SERVER_PORT": "9001",
        "MUTOSCOPE_NET_ALLOW_PRIVATE": "true",
        "MUTOSCOPE_NET_ALLOW_HOSTS": "a.example,b.example",
        "MUTOSCOPE_WEBHOOKS_SCHEDULE": "1,2.5",
        "HOME": "/nowhere",
    }
    settings = load(file, environment)
    assert (settings.server.port, settings.server.host) == (9001, "127.0.0.2")
    assert settings.net.allow_private is True
    assert settings.net.allow_hosts == ("a.example", "b.example")
    assert settings.webhooks.schedule == (1.0, 2.5)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[server]\nprot = 1\n", "prot"),
        ("[server]\nport = 'many'\n", "$.server.port"),
        ("[sever]\nport = 1\n", "sever"),
        ("[server\n", "mutoscope.toml"),
        ("[[keys]]\nname = 'x'\n", "sha256"),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path: Path, text: str, told: str):
    file = tmp_path / "mutoscope.toml"
    file.write_text(text)
    with pytest.raises(BadSettings, match=re.escape(str(file))) as caught:
        load(file, {})
    assert told in str(caught.value)


def test_a_mistake_in_the_environment_is_named():
    with pytest.raises(BadSettings, match=r"MUTOSCOPE_SERVER_PROT: \[server\] has no setting 'prot'; it has host"):
        load(None, {"MUTOSCOPE_SERVER_PROT": "1"})


def test_a_file_that_is_no_text_is_named(tmp_path: Path):
    path = tmp_path / "mutoscope.toml"
    path.write_bytes(b"[server]\nhost = '\xff'")
    with pytest.raises(BadSettings, match=r"mutoscope\.toml"):
        load(path, {})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("MUTOSCOPE_SERVER_PORT", "many"),
        ("MUTOSCOPE_NET_PORTS", "80,many"),
        ("MUTOSCOPE_METRICS_TOKEN", "short"),
        ("MUTOSCOPE_STUDIO_ENCODER", "x264"),
        ("MUTOSCOPE_STUDIO_CARD", "sometimes"),
        ("MUTOSCOPE_SERVER_GRACE_SECONDS", "nan"),
        ("MUTOSCOPE_RELAY_LATE_SECONDS", "inf"),
    ],
)
def test_a_wrong_value_in_the_environment_is_told_with_its_variable(tmp_path: Path, name: str, text: str):
    file = tmp_path / "mutoscope.toml"
    file.write_text("[server]\nhost = '127.0.0.2'\n")
    with pytest.raises(BadSettings, match=f"^{name}: "):
        load(file, {name: text})


@pytest.mark.parametrize("text", ["", " "])
def test_an_empty_variable_counts_as_unset(tmp_path: Path, text: str):
    file = tmp_path / "mutoscope.toml"
    file.write_text("[server]\nport = 9000\n")
    names = ("SERVER_PORT", "SERVER_HOST", "SERVER_DATA", "NET_PORTS", "METRICS_TOKEN", "CREDENTIALS_ENABLED")
    variables = {f"MUTOSCOPE_{name}": text for name in names} | {"FREEPIK_API_KEY": text}
    assert load(file, variables) == load(file, {})


def test_a_number_that_is_none_is_named(tmp_path: Path):
    file = tmp_path / "mutoscope.toml"
    file.write_text("[webhooks]\nschedule = [1.0, nan]\n")
    with pytest.raises(BadSettings, match=r"got `nan` - at `\$\.webhooks\.schedule\[1\]`"):
        load(file, {})


def test_a_file_that_was_named_must_be_there(tmp_path: Path):
    with pytest.raises(BadSettings, match=r"nothing\.toml"):
        load(tmp_path / "nothing.toml", {})


def test_the_data_directory_is_the_users_own_unless_it_is_named(tmp_path: Path):
    assert Settings().data.name == "mutoscope"
    assert load(None, {"MUTOSCOPE_SERVER_DATA": str(tmp_path)}).data == tmp_path


def test_a_vendors_key_in_the_environment_is_an_account():
    settings = load(None, {"RUNWAYML_API_SECRET": "key_1", "FREEPIK_API_KEY": ""})
    assert settings.accounts == {"runway": VendorAccount(wire="runway", key="key_1")}


def test_an_account_of_the_file_takes_its_key_from_the_environment(tmp_path: Path):
    file = tmp_path / "mutoscope.toml"
    file.write_text('[accounts.eu]\nwire = "freepik"\nkey_variable = "EU_KEY"\n[accounts.us]\nwire = "freepik"\n')
    settings = load(file, {"EU_KEY": "one", "FREEPIK_API_KEY": "two"})
    assert {name: account.key for name, account in settings.accounts.items()} == {"eu": "one", "us": "two"}


def test_an_account_without_a_key_is_refused_with_the_variable_to_set(tmp_path: Path):
    file = tmp_path / "mutoscope.toml"
    file.write_text('[accounts.mine]\nwire = "dashscope"\n')
    with pytest.raises(BadSettings, match="DASHSCOPE_API_KEY"):
        load(file, {})


def test_a_key_is_not_shown_where_an_account_is_printed():
    assert "secret" not in repr(VendorAccount(wire="runway", key="secret"))
