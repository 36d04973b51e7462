"""`mutoscope inspect`: what it says of signed, altered, unsigned and foreign files, and how it exits."""

import datetime
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from mutoscope import __version__
from mutoscope.cli import main
from mutoscope.engines.script import clip, picture
from mutoscope.files.c2pa import Making, signer
from mutoscope.files.data_dir import CREDENTIALS
from mutoscope.model.config import Credentials as Settings

NOW = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
MADE = Making(version="7", used=("pan left",), ignored=("cat",))
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Inspect a file beside the data directory `data`: exit code, output, errors."""
    monkeypatch.chdir(tmp_path)

    def call(*words: str | Path) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(["inspect", *map(str, words), "--data", str(tmp_path / "data")])
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return call


def signed(path: Path, media_type: str, identity: Path) -> Path:
    who = signer(Settings(), identity, clock=lambda: NOW)
    assert who is not None
    plain = picture(64, 48, (64, 128, 192)) if media_type == "image/png" else clip(64, 48, 12, 6, (64, 128, 192))
    data = who.sign(plain, media_type, MADE, engine="studio")
    assert isinstance(data, bytes)
    path.write_bytes(data)
    return path


def test_a_file_made_here_is_told_in_full(run: Run, tmp_path: Path):
    path = signed(tmp_path / "a.mp4", "video/mp4", tmp_path / "data" / CREDENTIALS)
    code, out, _ = run(path)
    assert code == 0
    size = f"{path.stat().st_size / 1000:.1f} kB"
    facts = dict(line.split("  ", 1) for line in out.splitlines())
    assert facts.pop("mark").strip().startswith("cannot be looked for here: ")
    assert {name: value.strip() for name, value in facts.items()} == {
        "file": str(path),
        "what": f"video/mp4, 64x48, 6 frames, 0.5 s, 12 frames a second, {size}",
        "credentials": "intact: not altered since it was signed, by a signer that is known here",
        "made by": "mutoscope studio 7",
        "written by": f"mutoscope {__version__}",
        "signed by": facts["signed by"].strip(),
        "time": "2026-01-02T03:04:05Z",
        "action": "c2pa.created",
        "source": "algorithmicMedia (made by rules that people wrote, not by a trained model)",
        "used": "pan left",
        "ignored": "cat",
    }
    assert facts["signed by"].strip().endswith("(mutoscope)")


def test_a_file_made_elsewhere_is_intact_and_its_signer_unknown(run: Run, tmp_path: Path):
    code, out, _ = run(signed(tmp_path / "a.png", "image/png", tmp_path / "elsewhere"))
    assert code == 0
    assert "who the signer is, nobody here can say" in out


@pytest.mark.parametrize("media_type", ["image/png", "video/mp4"])
def test_an_altered_file_is_said_to_be_and_fails_the_command(media_type: str, run: Run, tmp_path: Path):
    path = signed(tmp_path / "a", media_type, tmp_path / "data" / CREDENTIALS)
    content = bytearray(path.read_bytes())
    content[-30] ^= 1
    path.write_bytes(content)
    code, out, _ = run(path)
    assert code == 1
    assert "ALTERED since it was signed" in out
    assert "mismatch" in out


def test_programs_get_json(run: Run, tmp_path: Path):
    code, out, _ = run(signed(tmp_path / "a.png", "image/png", tmp_path / "elsewhere"), "--json")
    told = json.loads(out)
    assert code == 0
    assert told["credentials"]["verdict"] == "untrusted"
    assert told["credentials"]["used"] == ["pan left"]
    assert (told["info"]["width"], told["info"]["height"]) == (64, 48)


def test_without_credentials_the_files_own_comment_is_shown_and_proves_nothing(run: Run, tmp_path: Path):
    notes = PngInfo()
    notes.add_itxt("Comment", "made by\x1b[31m an impostor")
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png", pnginfo=notes)
    code, out, _ = run(tmp_path / "a.png")
    assert code == 0
    assert "nothing proves who made it" in out
    assert "made by [31m an impostor" in out
    assert "\x1b[31m" not in out


def test_what_is_no_media_is_said_to_be_none(run: Run, tmp_path: Path):
    (tmp_path / "a.png").write_text("<html>")
    code, out, _ = run(tmp_path / "a.png")
    assert code == 0
    assert "Unsupported asset type: text/html" in out


def test_a_file_that_is_not_there_is_asked_for_wrongly(run: Run, tmp_path: Path):
    assert run(tmp_path / "nothing.png") == (2, "", f"mutoscope: There is no file {tmp_path / 'nothing.png'}.\n")


def test_without_the_extra_it_says_what_is_missing(tmp_path: Path):
    path = signed(tmp_path / "a.png", "image/png", tmp_path / "elsewhere")
    program = "import sys; sys.modules['c2pa'] = None; from mutoscope.cli import main; main(sys.argv[1:])"
    command = [sys.executable, "-c", program, "inspect", str(path), "--data", str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
    assert 'cannot be read here: pip install "mutoscope[credentials]"' in ended.stdout
