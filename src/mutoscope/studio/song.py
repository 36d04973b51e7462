"""Music that is there already: continued on its beat in its key, or joined to other music without a click.

Tempo, beat and key are counted, not known: by where the sound sets in, and by which notes are loudest.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mutoscope.studio import loudness, music, rhythm, soundfile, tune
from mutoscope.studio.clip import VERSION, comment
from mutoscope.studio.error import StudioError
from mutoscope.studio.music import RATE, Music
from mutoscope.studio.planes import Floats
from mutoscope.studio.sound import decode

MAX_SECONDS = 480.0  # of a result
LEAST_SECONDS = 1.0  # of what is given, and of what is added
SLOWEST, FASTEST = 60, 180  # beats a minute that are heard
FADE_BEATS = 1.0  # over which the old dies away while the new goes on
LIVELY = 0.4  # of the usual level: a beat below it is part of a fading end
PROFILES = {
    "major": (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    "minor": (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
}
"""How well each note fits a key (Krumhansl and Kessler, 1982)."""


@dataclass(frozen=True)
class Heard:
    """What was counted of a piece."""

    tempo: float  # beats a minute
    beat: float  # seconds from the beginning to a beat
    root: int  # semitones above C
    scale: str  # major or minor

    def beat_before(self, seconds: float) -> float:
        """The last beat at or before this moment."""
        length = 60 / self.tempo
        return max(0.0, self.beat + np.floor((seconds - self.beat) / length + 1e-6) * length)


def extend_music(
    audio: Path,
    out: Path,
    *,
    seconds: float | None = None,
    more: float = 30.0,
    prompt: str = "",
    lyrics: str = "",
    negative: str = "",
    at: float | None = None,
    seed: int = 0,
) -> Music:
    """Write the piece to `out` (WAV or MP3), going on to `seconds` in all, or for so many `more`.

    What is added is in its tempo and key; it begins on the last beat before `at`, or before the piece dies away. Words
    that name another key or tempo are obeyed.
    What was sung in it is not sung on. The same arguments give the same bytes. Raises StudioError with "audio", "at",
    "seconds" or "out".
    """
    given = _load(audio)
    length = given.shape[1] / RATE
    if at is not None and not LEAST_SECONDS <= at <= length + 0.05:
        raise StudioError(
            f"{at:g} s is not within the piece, from {LEAST_SECONDS:g} to {length:.2f} s", field="continue_at"
        )
    heard = listen(given)
    cut = heard.beat_before(min(at, length)) if at is not None else _last_lively(given, heard)
    cut = cut if cut >= LEAST_SECONDS / 2 else length
    seconds = min(MAX_SECONDS, cut + more) if seconds is None else seconds
    if not cut + LEAST_SECONDS <= seconds <= MAX_SECONDS:
        raise StudioError(
            f"the whole would be {seconds:g} s; it can be {cut + LEAST_SECONDS:.1f} to {MAX_SECONDS:g} s, counted from"
            " the piece's beginning",
            field="seconds",
        )
    wish = tune.read(prompt)
    wish.silent |= tune.read(negative).voices
    named = replace(
        wish,
        tempo=wish.tempo or heard.tempo,
        root=wish.root if wish.root is not None else heard.root,
        scale=wish.scale or heard.scale,
    )
    parts = music.parts_of(lyrics) or ((music.VERSE, 4), (music.CHORUS, 4))
    score, added = music.play(named, min(seconds - cut, music.MAX_SECONDS), seed, parts=parts, begun=True)
    whole = _joined(given, cut, added, 0.0, 60 / heard.tempo)[:, : round(seconds * RATE)]
    soundfile.write(loudness.mastered(whole, RATE), out, rate=RATE, comment=comment(wish.used, wish.ignored))
    return replace(music.described(score, wish), seconds=whole.shape[1] / RATE)


def join_music(pieces: Sequence[Path], out: Path) -> float:
    """Write the pieces, one after the other, to `out` (WAV or MP3), each from a beat of the one before; its seconds.

    One piece alone is the whole already, and is written as it is, at the usual loudness. Raises StudioError with
    "audio" or "out".
    """
    if not pieces:
        raise StudioError("one piece or more is needed", field="audio")
    whole = _level(_load(pieces[0]))
    for piece in pieces[1:]:
        more = _level(_load(piece))
        heard, following = listen(whole), listen(more)
        begin = _begin(more, following)
        whole = _joined(whole, _last_lively(whole, heard), more, begin, 60 / heard.tempo)
        if whole.shape[1] > MAX_SECONDS * RATE:
            raise StudioError(f"together they last more than {MAX_SECONDS:g} s", field="audio")
    how = f"{len(pieces)} pieces joined on the beat" if len(pieces) > 1 else "one piece, levelled"
    told = f"mutoscope studio {VERSION} ({how}, no model)"
    soundfile.write(loudness.mastered(whole, RATE), out, rate=RATE, comment=told)
    return whole.shape[1] / RATE


def listen(sound: Floats) -> Heard:
    """Tempo, beat and key of (2, samples) at RATE."""
    part = sound[:, : round(120 * RATE)]
    tempo, beat = _pulse(part)
    root, scale = _key(part)
    return Heard(tempo, beat, root, scale)


def _load(path: Path) -> Floats:
    most = round(MAX_SECONDS * RATE)
    found = decode(path, most, rate=RATE)
    if found is None:
        raise StudioError("the file has no sound", field="audio")
    if found.shape[1] > most:
        raise StudioError(f"the piece lasts more than {MAX_SECONDS:g} s", field="audio")
    if found.shape[1] < LEAST_SECONDS * RATE:
        raise StudioError(f"the piece lasts less than {LEAST_SECONDS:g} s", field="audio")
    return found


def _level(sound: Floats) -> Floats:
    found = loudness.integrated(sound, RATE)
    return sound * np.float32(10 ** ((loudness.TARGET - 6 - found) / 20)) if np.isfinite(found) else sound


def _pulse(sound: Floats) -> tuple[float, float]:
    """Beats a minute, and where one lies: what the places where it sets in agree with best."""
    flux = np.asarray(rhythm.growth(sound.mean(0)), np.float64)
    a_second = RATE / rhythm.HOP
    flux = np.maximum(flux - np.convolve(flux, np.ones(43) / 43, mode="same"), 0)
    if not flux.any():
        return 100.0, 0.0
    size = 1 << (2 * len(flux)).bit_length()
    match = np.fft.irfft(np.abs(np.fft.rfft(flux, size)) ** 2)[: len(flux)]
    tempi = np.arange(SLOWEST, FASTEST + 0.01, 0.25)
    lags = 60 * a_second / tempi
    score = sum(np.interp(lags * times, np.arange(len(match)), match) / times**0.5 for times in (1, 2, 4))
    usual = np.exp(-0.5 * (np.log2(tempi / 110) / 0.7) ** 2)  # half or twice as fast would fit as well
    tempo = float(tempi[int(np.argmax(score * usual))])
    period = 60 * a_second / tempo
    phases = np.arange(0, period, 0.5)
    beats = np.arange(0, max(1.0, len(flux) / period - 1)) * period
    strength = [np.interp(phase + beats, np.arange(len(flux)), flux).sum() for phase in phases]
    at = float(phases[int(np.argmax(strength))])
    return tempo, (at * rhythm.HOP + rhythm.WINDOW / 2) / RATE % (60 / tempo)


def _key(sound: Floats) -> tuple[int, str]:
    size = 1 << 14
    mono = sound.mean(0)
    mono = np.pad(mono, (0, max(0, size - len(mono))))
    shape = np.hanning(size).astype(np.float32)
    power = np.zeros(size // 2 + 1)
    for at in range(0, len(mono) - size + 1, size):
        power += np.abs(np.fft.rfft(mono[at : at + size] * shape))
    frequency = np.fft.rfftfreq(size, 1 / RATE)
    band = (frequency > 80) & (frequency < 2000)
    notes = np.rint(12 * np.log2(frequency[band] / 261.6256)).astype(int) % 12
    chroma = np.bincount(notes, power[band], 12)
    if not chroma.any():
        return 0, "major"
    fits = {
        (root, scale): float(np.corrcoef(np.roll(profile, root), chroma)[0, 1])
        for scale, profile in PROFILES.items()
        for root in range(12)
    }
    return max(fits, key=lambda each: fits[each])


def _last_lively(sound: Floats, heard: Heard) -> float:
    """The last beat before the piece dies away."""
    hop = RATE // 10
    steps = sound.shape[1] // hop
    level = np.sqrt(np.square(sound[:, : steps * hop]).reshape(2, steps, hop).mean((0, 2)))
    lively = np.flatnonzero(level > LIVELY * float(np.median(level)))
    end = (lively[-1] + 1) * hop / RATE if len(lively) else sound.shape[1] / RATE
    return heard.beat_before(min(end, sound.shape[1] / RATE))


def _begin(sound: Floats, heard: Heard) -> float:
    """The first beat that is heard."""
    loud = np.flatnonzero(np.abs(sound).max(0) > 0.02 * float(np.abs(sound).max()))
    first = loud[0] / RATE if len(loud) else 0.0
    length = 60 / heard.tempo
    return max(0.0, heard.beat + np.ceil((first - heard.beat - 0.06) / length) * length - 0.01)


def _joined(before: Floats, cut: float, after: Floats, begin: float, beat: float) -> Floats:
    """`after`, from `begin` on, set in at `cut` of what is before, which dies away meanwhile."""
    at, start = round(cut * RATE), round(begin * RATE)
    fade = min(before.shape[1] - at, round(FADE_BEATS * beat * RATE))
    more = after[:, start:].copy()
    rise = min(more.shape[1], round((0.006 if begin == 0 else 0.03) * RATE))
    more[:, :rise] *= np.sin(np.linspace(0, np.pi / 2, rise)).astype(np.float32)
    more *= _match(before[:, max(0, at - 8 * RATE) : at], more[:, : 16 * RATE])
    result = np.zeros((2, at + max(more.shape[1], fade)), np.float32)
    result[:, :at] = before[:, :at]
    if fade:
        result[:, at : at + fade] = before[:, at : at + fade] * np.cos(np.linspace(0, np.pi / 2, fade)).astype(
            np.float32
        )
    else:  # it ends there: what is left of it must not break off
        last = min(at, round(0.02 * RATE))
        result[:, at - last : at] *= np.linspace(1, 0, last, dtype=np.float32)
    result[:, at : at + more.shape[1]] += more
    return result


def _match(before: Floats, after: Floats) -> np.float32:
    """The gain that makes what comes as loud as what was."""
    one, other = (loudness.integrated(each, RATE) for each in (before, after))
    if not (np.isfinite(one) and np.isfinite(other)):
        return np.float32(1)
    return np.float32(10 ** (np.clip(one - other, -24, 24) / 20))
