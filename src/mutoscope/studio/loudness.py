"""How loud a sound is (ITU-R BS.1770-4), and bringing it to a loudness without letting its peaks through."""

import numpy as np

from mutoscope.studio.planes import Floats

TARGET = -13.8  # LUFS: MP3 takes some tenths, and what is wanted is -14
CEILING = -2.0  # dB of true peak before it is encoded: MP3 may add most of a decibel
BLOCK_SECONDS, STEP_SECONDS = 0.4, 0.1
GATE, RELATIVE_GATE = -70.0, -10.0  # LUFS, LU
OVERSAMPLED = 4
PIECE = 1 << 18  # samples that are filtered at a time
MARGIN = 1 << 13  # more on each side, so that the pieces join
HOP = 64  # samples for which one gain is found
ROUNDS = 4
MOST_GAIN = 40.0  # dB: silence stays silence


def integrated(sound: Floats, rate: int) -> float:
    """Loudness in LUFS of (channels, samples), gated; minus infinity for silence and what is shorter than a block."""
    step = round(STEP_SECONDS * rate)
    steps = sound.shape[1] // step
    blocks = steps - round(BLOCK_SECONDS / STEP_SECONDS) + 1
    if blocks < 1:
        return -np.inf
    weighted = _weighted(sound, rate)[:, : steps * step]
    power = np.square(weighted, dtype=np.float64).reshape(len(sound), steps, step).sum(2)
    across = round(BLOCK_SECONDS / STEP_SECONDS)
    sums = np.stack([power[:, at : at + blocks] for at in range(across)]).sum(0)
    mean = sums.sum(0) / (across * step)
    loud = mean[_lufs(mean) > GATE]
    if not len(loud):
        return -np.inf
    kept = loud[_lufs(loud) > float(_lufs(loud.mean())) + RELATIVE_GATE]
    return float(_lufs(kept.mean()))


def true_peak(sound: Floats) -> float:
    """The highest level between the samples too, in dB of full scale."""
    return float(20 * np.log10(max(1e-9, float(_peaks(sound).max(initial=0.0)))))


def mastered(sound: Floats, rate: int, *, target: float = TARGET) -> Floats:
    """The sound at the target loudness, its peaks held below CEILING by a limiter that looks ahead."""
    made = sound
    gain = 0.0
    for _ in range(ROUNDS):
        found = integrated(made, rate)
        if not np.isfinite(found) or (made is not sound and abs(found - target) < 0.1):
            break  # what is as loud as it should be from the start still has its peaks
        gain = min(MOST_GAIN, gain + target - found)
        made = _limited(sound * np.float32(10 ** (gain / 20)), 10 ** (CEILING / 20))
    over = true_peak(made) - CEILING
    return made if over <= 0 else made * np.float32(10 ** (-over / 20))


def _lufs(power: Floats | float) -> Floats:
    return np.asarray(-0.691 + 10 * np.log10(np.maximum(power, 1e-12)))


def _weighted(sound: Floats, rate: int) -> Floats:
    """Through the two filters of the standard, as their response is at each frequency."""
    result = np.empty_like(sound)
    size = PIECE + 2 * MARGIN
    turn = np.exp(-2j * np.pi * np.arange(size // 2 + 1) / size)
    response = (_shelf(turn, rate) * _high_pass(turn, rate)).astype(np.complex64)
    padded = np.pad(sound, ((0, 0), (MARGIN, size)))
    for at in range(0, sound.shape[1], PIECE):
        spectrum = np.fft.rfft(padded[:, at : at + size], axis=1) * response
        piece = np.fft.irfft(spectrum, size, axis=1)[:, MARGIN : MARGIN + PIECE]
        room = sound.shape[1] - at
        result[:, at : at + PIECE] = piece[:, :room]
    return result


def _shelf(turn: Floats, rate: int) -> Floats:
    """The head's effect: 4 dB more above some 1.7 kHz (the standard's filter, as a formula for any rate)."""
    gain, quality = 10 ** (3.999843853973347 / 20), 0.7071752369554196
    k = np.tan(np.pi * 1681.974450955533 / rate)
    middle = gain**0.4996667741545416
    a0 = 1 + k / quality + k * k
    b = (gain + middle * k / quality + k * k) / a0, 2 * (k * k - gain) / a0, (gain - middle * k / quality + k * k) / a0
    a = 2 * (k * k - 1) / a0, (1 - k / quality + k * k) / a0
    return (b[0] + b[1] * turn + b[2] * turn**2) / (1 + a[0] * turn + a[1] * turn**2)


def _high_pass(turn: Floats, rate: int) -> Floats:
    """Low notes are heard less (38 Hz)."""
    quality = 0.5003270373238773
    k = np.tan(np.pi * 38.13547087602444 / rate)
    a0 = 1 + k / quality + k * k
    a = 2 * (k * k - 1) / a0, (1 - k / quality + k * k) / a0
    return (1 - 2 * turn + turn**2) / (1 + a[0] * turn + a[1] * turn**2)


def _peaks(sound: Floats) -> Floats:
    """For each HOP samples the highest level of any channel, also between the samples."""
    hops = -(-sound.shape[1] // HOP)
    result = np.zeros(hops, np.float32)
    padded = np.pad(sound, ((0, 0), (MARGIN, PIECE + MARGIN)))
    for at in range(0, sound.shape[1], PIECE):
        piece = padded[:, at : at + PIECE + 2 * MARGIN]
        size = piece.shape[1]
        spectrum = np.fft.rfft(piece, axis=1)
        fine = np.fft.irfft(spectrum, size * OVERSAMPLED, axis=1) * OVERSAMPLED
        fine = np.abs(fine[:, MARGIN * OVERSAMPLED : (MARGIN + PIECE) * OVERSAMPLED]).max(0)
        highest = fine.reshape(-1, HOP * OVERSAMPLED).max(1)
        first = at // HOP
        result[first : first + len(highest)] = highest[: hops - first]
    return result


def _limited(sound: Floats, ceiling: float) -> Floats:
    """Turned down about what would be too loud, a few milliseconds ahead."""
    wanted = np.minimum(1.0, ceiling / np.maximum(_peaks(sound), 1e-9))
    reach = 3  # hops on each side, some 4 ms
    held = np.pad(wanted, reach + 1, mode="edge")
    lowest = np.min([held[at : at + len(wanted) + 2] for at in range(2 * reach + 1)], 0)
    smooth = np.minimum(lowest[:-2], np.minimum(lowest[1:-1], lowest[2:]))
    smooth = _released(smooth)
    centres = (np.arange(len(smooth)) + 0.5) * HOP
    gain = np.interp(np.arange(sound.shape[1]), centres, smooth).astype(np.float32)
    return sound * gain


def _released(gain: Floats) -> Floats:
    """Back to full only slowly, some 80 ms."""
    result = gain.copy()
    now = 1.0
    for at, wanted in enumerate(gain.tolist()):
        now = min(wanted, now + (1 - now) * 0.018)
        result[at] = now
    return result
