"""Speech by espeak-ng."""

import sys
import wave
from pathlib import Path

import numpy as np
import pytest

from mutoscope.studio import StudioError, speech
from mutoscope.studio.speech import MAX_CHARACTERS, find_program, guess_language, speak

installed = pytest.mark.skipif(find_program() is None, reason="needs the program espeak-ng")


def heard(path: Path) -> np.ndarray:
    with wave.open(str(path)) as file:
        assert file.getnchannels() == 1
        return np.frombuffer(file.readframes(file.getnframes()), np.int16) / 32767


@installed
def test_a_text_is_spoken(tmp_path: Path) -> None:
    made = speak("The quick brown fox jumps over the lazy dog.", tmp_path / "out.wav")
    sound = heard(tmp_path / "out.wav")
    assert made.seconds == len(sound) / made.rate
    assert 1.5 < made.seconds < 5
    assert made.language == "en"
    assert 0.01 < np.sqrt((sound**2).mean()) < 0.3
    assert np.abs(sound).max() < 1
    assert b"espeak-ng, no model" in (tmp_path / "out.wav").read_bytes()


@installed
def test_language_timbre_and_pace_are_heard(tmp_path: Path) -> None:
    text = "eins zwei drei vier fünf sechs sieben"  # none of the words by which German is known
    usual, german, woman, slow = (
        speak(text, tmp_path / f"{index}.wav", **how)
        for index, how in enumerate(
            ({}, {"language": "de"}, {"language": "de-DE", "timbre": "f2"}, {"language": "de", "words_per_minute": 90})
        )
    )
    files = {(tmp_path / f"{index}.wav").read_bytes() for index in range(4)}
    assert len(files) == 4
    assert [each.language for each in (usual, german, woman)] == ["en", "de", "de"]
    assert slow.seconds > 1.5 * german.seconds


@installed
@pytest.mark.parametrize("text", ["--help", "-v xx -w /tmp/other.wav", "$(id); `id` | cat", "[[h@l'oU]]\x00\x07 hi"])
def test_a_text_is_never_taken_for_orders(text: str, tmp_path: Path) -> None:
    assert speak(text, tmp_path / "out.wav").seconds > 0.3
    assert [each.name for each in tmp_path.iterdir()] == ["out.wav"]


@installed
def test_double_brackets_are_read_and_not_spoken_as_phonemes(tmp_path: Path) -> None:
    speak("[[h@l'oU]]", tmp_path / "one.wav")
    speak("[ [h@l'oU]]", tmp_path / "two.wav")
    assert (tmp_path / "one.wav").read_bytes() == (tmp_path / "two.wav").read_bytes()


@installed
def test_the_same_text_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one.mp3", "two.mp3"):
        speak("Guten Tag", tmp_path / name, language="de")
    assert (tmp_path / "one.mp3").read_bytes() == (tmp_path / "two.mp3").read_bytes()


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Bonjour tout le monde", "fr"),
        ("Das ist nicht die ganze Geschichte", "de"),
        ("El perro no está en la casa", "es"),
        ("Questo non è il mio libro", "it"),
        ("Você não está com o livro", "pt"),
        ("Dit is het huis van de bakker", "nl"),
        ("The quick brown fox jumps over the lazy dog", "en"),
        ("Mutoscope la la", "en"),
        ("Привет", "ru"),
        ("你好，世界", "cmn"),
        ("こんにちは世界", "ja"),
        ("مرحبا", "ar"),
        ("Hello 世", "en"),
        ("123", "en"),
    ],
)
def test_the_language_is_guessed(text: str, language: str) -> None:
    assert guess_language(text) == language


@installed
@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"text": "  "}, "text"),
        ({"text": "a" * (MAX_CHARACTERS + 1)}, "text"),
        ({"language": "xx"}, "language"),
        ({"language": "../../etc"}, "language"),
        ({"timbre": "en -w x"}, "timbre"),
        ({"words_per_minute": 20}, "words_per_minute"),
    ],
)
def test_what_cannot_be_spoken_is_refused(wrong: dict, field: str, tmp_path: Path) -> None:
    with pytest.raises(StudioError) as caught:
        speak(wrong.pop("text", "hello"), tmp_path / "out.wav", **wrong)
    assert caught.value.field == field


def test_without_espeak_the_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StudioError, match="apt install espeak-ng"):
        speak("hello", tmp_path / "out.wav")


def fake(folder: Path, body: str) -> Path:
    """A program that answers as told."""
    program = folder / "espeak"
    program.write_text(f"#!{sys.executable}\nimport sys, time\n{body}\n")
    program.chmod(0o755)
    return program


def test_a_program_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech, "TIMEOUT_SECONDS", 0.3)
    with pytest.raises(StudioError, match=r"more than 0\.3 seconds"):
        speak("hello", tmp_path / "out.wav", program=fake(tmp_path, "time.sleep(60)"))


def test_a_program_that_fails_is_told(tmp_path: Path) -> None:
    with pytest.raises(StudioError, match="espeak-ng failed"):
        speak("hello", tmp_path / "out.wav", program=fake(tmp_path, "sys.exit(3)"))


def test_the_first_program_of_the_order_that_is_here_and_speaks_the_language_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A flite that writes a beep, and nothing else on the path."""
    programs = tmp_path / "bin"
    programs.mkdir()
    beep = "import struct,sys,wave; w=wave.open(sys.argv[sys.argv.index('-o')+1],'wb')"
    beep += "; w.setnchannels(1); w.setsampwidth(2)"
    beep += "; w.setframerate(16000); w.writeframes(struct.pack('<h',9000)*8000); w.close()"
    flite = programs / "flite"
    flite.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{beep}" "$@"\n')
    flite.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/bin:/usr/bin")
    order = ("piper", "flite", "espeak-ng")
    assert speech.find_speaker(order, "en-US", "Hello") == "flite"
    assert speech.find_speaker(order, "de", "Hallo") == "espeak-ng"
    assert speech.find_speaker(("espeak-ng", "flite"), "en", "Hello") == "espeak-ng"
    out = tmp_path / "made.wav"
    made = speech.speak("Hello there", out, order=order, timbre="m3")
    assert (made.program, made.rate, made.language) == ("flite", 16000, "en") and 0.4 < made.seconds < 0.6
    assert sorted(each.name for each in tmp_path.iterdir()) == ["bin", "made.wav"]
    flite.write_text("#!/bin/sh\nexit 0\n")
    with pytest.raises(StudioError, match="flite made no sound"):
        speech.speak("Hello there", out, order=order)
