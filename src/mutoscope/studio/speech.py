"""Speech by a program, the first of an order that is installed and speaks the language: espeak-ng, which speaks most
languages and sounds robotic, or flite, festival or piper, which sound better and are taken for English.

The program runs as a process of its own with a list of arguments and the text on its input or in a file, never through
a shell.
"""

import io
import re
import shutil
import signal
import subprocess
import wave
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from mutoscope.studio import soundfile
from mutoscope.studio.clip import VERSION
from mutoscope.studio.error import Killed, StudioError
from mutoscope.studio.planes import Floats

PROGRAM = "espeak-ng"
MISSING = "speech needs the program espeak-ng, which is not installed: apt install espeak-ng, or brew install espeak-ng"
MAX_CHARACTERS = 10_000
MIN_PACE, MAX_PACE, PACE = 80, 450, 175  # words a minute
TIMEOUT_SECONDS = 120.0
TIMBRES = ("m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "f1", "f2", "f3", "f4", "f5", "whisper", "croak")
"""espeak-ng's variants of a language's voice: men, women, and two others."""
LANGUAGE = re.compile(r"[a-zA-Z]{2,3}(-[a-zA-Z0-9]{1,8}){0,3}")

SCRIPTS: tuple[tuple[str, str], ...] = (
    ("\u3040-\u30ff", "ja"),
    ("\uac00-\ud7af\u1100-\u11ff", "ko"),
    ("\u4e00-\u9fff\u3400-\u4dbf", "cmn"),
    ("\u0400-\u04ff", "ru"),
    ("\u0370-\u03ff", "el"),
    ("\u0590-\u05ff", "he"),
    ("\u0600-\u06ff", "ar"),
    ("\u0900-\u097f", "hi"),
    ("\u0980-\u09ff", "bn"),
    ("\u0b80-\u0bff", "ta"),
    ("\u10a0-\u10ff", "ka"),
    ("\u0530-\u058f", "hy"),
)
"""Letters, and the language that they are taken for."""

FREQUENT: dict[str, str] = {
    "en": "the and of to is you that it was for are with this have not what we my your hello",
    "de": "der die das und ist nicht ich sie ein eine mit auf für wir es den dem zu guten hallo",
    "fr": "le la les et est une un des vous je pas que dans pour nous ce du il elle tout bonjour",
    "es": "el la los las y es una un que en no de por para con yo está hola como muy",
    "it": "il lo la gli è una un che di non per con sono questo ciao come della del",
    "pt": "os as é uma um que de não para com por do da em você olá eu",
    "nl": "de het een en is niet ik je dat van voor met wij zijn op te hallo deze dit",
}
"""The words by which languages in Latin letters are told apart."""


@dataclass(frozen=True)
class Speech:
    """A text that was spoken."""

    seconds: float
    rate: int  # samples a second, mono
    language: str  # espeak-ng's code, for example "en" or "pt-br"
    timbre: str | None  # None also where the program has none
    program: str = PROGRAM
    voice: str = ""  # the program's own name for it, where it was chosen


@dataclass(frozen=True)
class Speaker:
    """A program that speaks English into a file: its command, and how it is told what to do."""

    command: str
    arguments: Callable[[Path, Path, str | None, float, str], list[str]]
    """The text's file, the sound's, the timbre, the pace (1 as usual) and the voice's file → what it is called with."""
    voices: tuple[str, str] = ("", "")  # a woman's and a man's, where it has both
    reads_input: bool = False  # the text comes on its input
    needs_voice: bool = False  # it has none without a file


def _flite(text: Path, out: Path, timbre: str | None, pace: float, _voice: str) -> list[str]:
    voice = _voice_of("flite", timbre)
    return ["-voice", voice, "--setf", f"duration_stretch={1 / pace:.3f}", "-f", str(text), "-o", str(out)]


def _festival(text: Path, out: Path, _timbre: str | None, pace: float, _voice: str) -> list[str]:
    stretch = f"(Parameter.set 'Duration_Stretch {1 / pace:.3f})"
    return ["-eval", stretch, "-o", str(out), str(text)]


def _piper(_text: Path, out: Path, _timbre: str | None, pace: float, voice: str) -> list[str]:
    return ["--model", voice, "--length_scale", f"{1 / pace:.3f}", "--output_file", str(out)]


SPEAKERS = {
    "flite": Speaker("flite", _flite, voices=("slt", "rms")),
    "festival": Speaker("text2wave", _festival),
    "piper": Speaker("piper", _piper, reads_input=True, needs_voice=True),
}
"""Beside espeak-ng, by the name of the program."""
VOICES: dict[str, str] = {
    **dict.fromkeys(("alloy", "nova", "coral", "marin"), "f2"),
    **dict.fromkeys(("shimmer", "sage", "leslie", "maya", "serene", "katie"), "f4"),
    **dict.fromkeys(("fable", "ballad"), "m7"),
    **dict.fromkeys(("echo", "ash", "arjun", "noah"), "m3"),
    **dict.fromkeys(("onyx", "cedar", "verse", "bernard", "billy", "mark"), "m1"),
}
"""Vendors' voices, in small letters, and the timbre that comes nearest: a woman's or a man's."""


def _voice_of(name: str, timbre: str | None) -> str:
    """Which of a program's voices is a timbre's: a woman's, where none is asked for."""
    woman, man = SPEAKERS[name].voices
    return man if timbre and timbre.startswith("m") else woman


def find_speaker(order: Sequence[str], language: str | None, text: str, voice: str = "") -> str:
    """The first program of an order that is here and speaks the language; espeak-ng where none is."""
    spoken = (language or guess_language(text)).lower().replace("_", "-").partition("-")[0]
    for name in order:
        if name == PROGRAM:
            return PROGRAM
        speaker = SPEAKERS[name]
        if spoken == "en" and shutil.which(speaker.command) and (voice or not speaker.needs_voice):
            return name
    return PROGRAM


def find_program(path: str | None = None) -> Path | None:
    """Where espeak-ng is, on this search path or the environment's; None where it is not installed."""
    found = shutil.which(PROGRAM, path=path)
    return Path(found) if found else None


def speak(
    text: str,
    out: Path,
    *,
    language: str | None = None,
    timbre: str | None = None,
    words_per_minute: int = PACE,
    program: Path | None = None,
    order: Sequence[str] = (PROGRAM,),
    voice: str = "",
) -> Speech:
    """Speak `text` into `out` (WAV of 16 bits or MP3, by its ending), mono, 22050 samples a second.

    `language` is a code such as "en", "de" or "pt-br"; without one it is guessed from the text's letters and its
    frequent words. `timbre` is one of TIMBRES. `program` is espeak-ng's path where it is not on the search path.
    `order` names the programs that are to be looked for, the best first, and `voice` is a file that piper speaks with.
    The same arguments and the same espeak-ng give the same bytes. Raises StudioError with the field "text", "language",
    "timbre", "words_per_minute" or "out"; with none where espeak-ng is missing or fails.
    """
    chosen = find_speaker(order, language, text, voice)
    if chosen != PROGRAM:
        _check(text, timbre, words_per_minute)
        sound, rate = _spoken(chosen, text, timbre, words_per_minute / PACE, voice, out.parent)
        soundfile.write(sound, out, rate=rate, comment=f"mutoscope studio {VERSION} (spoken by {chosen})")
        named = _voice_of(chosen, timbre) or (Path(voice).stem if SPEAKERS[chosen].needs_voice else "")
        return Speech(seconds=sound.shape[1] / rate, rate=rate, language="en", timbre=None, program=chosen, voice=named)
    found = program or find_program()
    if found is None:
        raise StudioError(MISSING)
    _check(text, timbre, words_per_minute)
    spoken = _language(found, language, text)
    sound, rate = _run(found, text, f"{spoken}+{timbre}" if timbre else spoken, words_per_minute)
    soundfile.write(sound, out, rate=rate, comment=f"mutoscope studio {VERSION} (spoken by espeak-ng, no model)")
    return Speech(seconds=sound.shape[1] / rate, rate=rate, language=spoken, timbre=timbre)


@cache
def languages(program: Path) -> frozenset[str]:
    """The codes that this espeak-ng knows."""
    lines = _call(program, ["--voices"], "").decode(errors="replace").splitlines()[1:]
    return frozenset(parts[1].lower() for line in lines if len(parts := line.split()) > 1)


def guess_language(text: str) -> str:
    """The language whose script has at least a fifth of the letters; in Latin letters by frequent words, or English."""
    letters = sum(each.isalpha() for each in text)
    for script, language in SCRIPTS:
        if len(re.findall(f"[{script}]", text)) * 5 > letters > 0:
            return language
    words = set(re.findall(r"\w+", text.lower()))
    found = {language: len(words.intersection(known.split())) for language, known in FREQUENT.items()}
    best = max(found, key=lambda language: found[language])  # English, which stands first, wins a tie
    return best if found[best] >= max(2, len(words) / 8) else "en"


def _check(text: str, timbre: str | None, words_per_minute: int) -> None:
    if not text.strip():
        raise StudioError("there is no text to speak", field="text")
    if len(text) > MAX_CHARACTERS:
        raise StudioError(f"the text has {len(text)} characters; at most {MAX_CHARACTERS} are spoken", field="text")
    if timbre is not None and timbre not in TIMBRES:
        raise StudioError(f"the timbre {timbre!r} is not one of {', '.join(TIMBRES)}", field="timbre")
    if not MIN_PACE <= words_per_minute <= MAX_PACE:
        raise StudioError(
            f"{words_per_minute} words a minute are not within {MIN_PACE} to {MAX_PACE}", field="words_per_minute"
        )


def _language(program: Path, wanted: str | None, text: str) -> str:
    code = (wanted or guess_language(text)).lower().replace("_", "-")
    known = languages(program)
    for candidate in (code, code.partition("-")[0]):
        if LANGUAGE.fullmatch(candidate) and candidate in known | {"en", "zh"}:
            return {"zh": "cmn"}.get(candidate, candidate)
    raise StudioError(f"espeak-ng speaks no language {wanted or code!r}", field="language")


def _spoken(name: str, text: str, timbre: str | None, pace: float, voice: str, folder: Path) -> tuple[Floats, int]:
    """The sound of one of SPEAKERS, (1, samples), and its samples a second."""
    speaker = SPEAKERS[name]
    said, made = folder / "said.txt", folder / "spoken.wav"
    said.write_text(_plain(text))
    arguments = speaker.arguments(said, made, timbre, pace, voice)
    program = Path(shutil.which(speaker.command) or speaker.command)
    try:
        _call(program, arguments, _plain(text) if speaker.reads_input else "", name)
        with wave.open(str(made)) as sound:
            samples = np.frombuffer(sound.readframes(sound.getnframes()), np.int16)
            samples, rate = samples.reshape(-1, sound.getnchannels())[:, 0], sound.getframerate()
    except (FileNotFoundError, EOFError, wave.Error, ValueError) as error:
        raise StudioError(f"{name} made no sound of this text", field="text") from error
    finally:
        said.unlink(missing_ok=True)
        made.unlink(missing_ok=True)
    if not samples.any():
        raise StudioError(f"{name} made no sound of this text", field="text")
    return (samples.astype(np.float32) / np.float32(32768))[None], rate


def _run(program: Path, text: str, voice: str, pace: int) -> tuple[Floats, int]:
    """The sound, (1, samples), and its samples a second."""
    # Not by way of a file: where the disk is full, espeak-ng cuts it short and says nothing.
    made = _call(program, ["-b", "1", "-v", voice, "-s", str(pace), "--stdout", "--stdin"], _plain(text))
    if not made:
        raise StudioError("espeak-ng made no sound of this text", field="text")
    with wave.open(io.BytesIO(made)) as sound:
        samples = np.frombuffer(sound.readframes(len(made)), np.int16)  # its header cannot know how many there are
        rate = sound.getframerate()
    if not samples.any():
        raise StudioError("espeak-ng made no sound of this text", field="text")
    return (samples.astype(np.float32) / np.float32(32768))[None], rate


def _plain(text: str) -> str:
    """Without what espeak-ng takes for orders: control characters, and phonemes in double brackets."""
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", " ", text).replace("[[", "[ [")


def _call(program: Path, arguments: list[str], text: str, name: str = PROGRAM) -> bytes:
    try:
        done = subprocess.run(  # noqa: S603  # a list of arguments that are all ours or checked
            [str(program), *arguments], input=text.encode(), capture_output=True, timeout=TIMEOUT_SECONDS, check=True
        )
    except subprocess.TimeoutExpired as error:
        raise StudioError(f"{name} took more than {TIMEOUT_SECONDS:g} seconds") from error
    except (OSError, subprocess.CalledProcessError) as error:
        if isinstance(error, subprocess.CalledProcessError) and error.returncode in (-signal.SIGKILL, -signal.SIGTERM):
            raise Killed(f"{name} ended by signal {-error.returncode}") from error
        raise StudioError(f"{name} failed ({type(error).__name__})") from error
    return done.stdout
