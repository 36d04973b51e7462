"""Music by rule: what is read in a prompt, and what is heard."""

import re
import shutil
import subprocess
import wave
from pathlib import Path

import av
import numpy as np
import pytest

from mutoscope.studio import StudioError, extend_music, join_music
from mutoscope.studio.loudness import CEILING, TARGET, integrated, mastered, true_peak
from mutoscope.studio.music import RATE, compose, lowest_note, make_music
from mutoscope.studio.sound import decode
from mutoscope.studio.tune import KEY_NAMES, MOODS, SCALES, STYLES, read


def heard(path: Path) -> np.ndarray:
    """(samples, channels), -1 to 1."""
    with wave.open(str(path)) as file:
        assert file.getframerate() == RATE
        assert file.getsampwidth() == 2
        return np.frombuffer(file.readframes(file.getnframes()), np.int16).reshape(-1, file.getnchannels()) / 32767


@pytest.mark.parametrize("mood", MOODS)
def test_every_mood_is_stereo_exact_in_length_and_never_clips(mood: str, tmp_path: Path) -> None:
    made = make_music(mood, tmp_path / "out.wav", seconds=6.5, seed=3)
    sound = heard(tmp_path / "out.wav")
    assert sound.shape == (round(6.5 * RATE), 2)
    assert made.seconds == 6.5
    assert made.moods == (mood,)
    assert true_peak(sound.T.astype(np.float32)) < CEILING + 0.1
    assert integrated(sound.T.astype(np.float32), RATE) == pytest.approx(TARGET, abs=0.6)
    assert abs(sound.mean()) < 0.003
    assert np.abs(sound[-1]).max() < 0.01
    assert not np.array_equal(sound[:, 0], sound[:, 1])


@pytest.mark.parametrize("style", STYLES)
def test_every_style_plays(style: str, tmp_path: Path) -> None:
    made = make_music(style, tmp_path / "out.wav", seconds=3, seed=1)
    assert style in made.used
    assert np.abs(heard(tmp_path / "out.wav")).max() > 0.1


@pytest.mark.parametrize("key", ["D minor", "Eb major", "F# dorian"])
def test_notes_are_those_of_the_key(key: str, tmp_path: Path) -> None:
    made = make_music(f"dreamy pads and piano in {key}", tmp_path / "out.wav", seconds=16, seed=2)
    assert made.key == key
    names = {"D minor": 2, "Eb major": 3, "F# dorian": 6}
    allowed = {(names[key] + step) % 12 for step in SCALES[key.split()[1]]}
    sound = heard(tmp_path / "out.wav").mean(1)
    power = np.abs(np.fft.rfft(sound * np.hanning(len(sound)))) ** 2
    frequency = np.fft.rfftfreq(len(sound), 1 / RATE)
    band = (frequency > 100) & (frequency < 900)
    classes = np.rint(69 + 12 * np.log2(frequency[band] / 440)).astype(int) % 12
    weight = np.bincount(classes, power[band], 12)
    assert sum(weight[each] for each in allowed) > 0.95 * weight.sum()
    if not key.endswith("dorian"):
        assert key_heard(weight) == key


MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)


def key_heard(weight: np.ndarray) -> str:
    """By the profiles of Krumhansl and Schmuckler."""
    chroma = np.sqrt(weight)
    _, key = max(
        (float(np.corrcoef(np.roll(profile, root), chroma)[0, 1]), f"{KEY_NAMES[root]} {scale}")
        for root in range(12)
        for profile, scale in ((MAJOR, "major"), (MINOR, "minor"))
    )
    return key


def test_drums_beat_at_the_tempo_that_was_given(tmp_path: Path) -> None:
    made = make_music("electronic, solo drums, 100 bpm", tmp_path / "out.wav", seconds=20, seed=1)
    assert made.tempo == 100
    assert made.voices == ("drums",)
    sound = np.abs(heard(tmp_path / "out.wav").mean(1))
    level = sound[: len(sound) // 441 * 441].reshape(-1, 441).mean(1)  # 100 a second
    onset = np.maximum(np.diff(level), 0)[240:1600]
    onset = onset - onset.mean()
    match = np.correlate(onset, onset, "full")[len(onset) - 1 :]
    beat = 60 / 100 * 100
    assert match[round(beat)] > 2 * np.abs(match[round(beat * 0.62)])
    assert 40 + int(match[40:80].argmax()) == pytest.approx(beat, abs=2)


def test_words_are_used_or_told_to_be_ignored() -> None:
    found = read("An epic, slow waltz in C# minor with bells but no drums; opera singer, 90 BPM and a minor violin")
    assert found.moods == ["epic"]
    assert (found.style, found.pace, found.tempo) == ("waltz", "slow", 90)
    assert (found.root, found.scale) == (1, "minor")
    assert found.voices == {"bells"}
    assert found.silent == {"drums"}
    assert set(found.used) >= {"epic", "slow", "waltz", "bells", "no drums", "90 bpm", "C# minor"}
    assert set(found.ignored) == {"opera", "singer", "violin"}


def test_an_article_is_no_key_and_impossible_tempos_are_ignored() -> None:
    found = read("a minor setback at 900 bpm")
    assert found.root is None
    assert found.scale == "minor"
    assert found.tempo is None
    assert "900 bpm" in found.ignored


def test_what_is_not_wanted_does_not_play(tmp_path: Path) -> None:
    made = make_music("energetic, no drums, without bass", tmp_path / "out.wav", seconds=2, seed=1)
    assert not {"drums", "bass"} & set(made.voices)
    assert make_music("no pads no piano, calm", tmp_path / "out.wav", seconds=1, seed=1).voices


def test_a_piece_ends_with_a_bar_where_the_tempo_may_yield(tmp_path: Path) -> None:
    made = make_music("calm", tmp_path / "out.wav", seconds=20, seed=1)
    bars = made.seconds * made.tempo / 60 / 4
    assert bars == pytest.approx(round(bars), abs=1e-3)


def test_one_seed_gives_one_piece(tmp_path: Path) -> None:
    for name, seed in (("one", 5), ("same", 5), ("other", 6)):
        make_music("happy", tmp_path / f"{name}.wav", seconds=3, seed=seed)
    one, same, other = ((tmp_path / f"{name}.wav").read_bytes() for name in ("one", "same", "other"))
    assert one == same
    assert one != other
    assert b"mutoscope studio" in one
    assert b"Lavf" not in one


def test_mp3_has_the_same_length(tmp_path: Path) -> None:
    make_music("calm, kazoo", tmp_path / "out.mp3", seconds=2, seed=1)
    with av.open(str(tmp_path / "out.mp3")) as file:
        assert file.metadata["comment"].endswith("ignored: kazoo")
        stream = file.streams.audio[0]
        assert (stream.rate, stream.channels) == (RATE, 2)
        assert sum(frame.samples for frame in file.decode(stream)) == pytest.approx(2 * RATE, abs=2500)


@pytest.mark.parametrize("seconds", [0.0, -1.0, 301.0, float("nan")])
def test_other_lengths_are_refused(seconds: float, tmp_path: Path) -> None:
    with pytest.raises(StudioError) as caught:
        make_music("calm", tmp_path / "out.wav", seconds=seconds, seed=1)
    assert caught.value.field == "seconds"


def test_other_kinds_of_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StudioError, match=r"\.wav or \.mp3") as caught:
        make_music("calm", tmp_path / "out.flac", seconds=1, seed=1)
    assert caught.value.field == "out"


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="the command ffmpeg is needed, which measures it")
def test_the_loudness_the_peak_and_the_joins_are_so_by_ffmpeg_too(tmp_path: Path) -> None:
    one, more, joined = (tmp_path / name for name in ("one.wav", "more.wav", "joined.wav"))
    make_music("rock, 120 bpm, in E minor", one, seconds=3, seed=1)
    extend_music(one, more, seconds=5, prompt="rock", at=2.2, seed=2)
    join_music([one, one], joined)
    for path in (one, more, joined):
        command = ["ffmpeg", "-nostats", "-i", str(path), "-filter_complex", "ebur128=peak=true", "-f", "null", "-"]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stderr.rpartition("Summary:")[2]
        loud, peak = (float(re.findall(rf"{name}:\s+(-?[\d.]+)", told)[-1]) for name in ("I", "Peak"))
        assert loud == pytest.approx(TARGET, abs=1), path.name
        assert peak <= -1, path.name
    sound = decode(more, 20 * RATE, rate=RATE)
    assert sound is not None
    steps = np.abs(np.diff(sound.mean(0)))
    cut = 2.0  # the last beat before
    assert steps_about(steps, cut) <= max(steps_about(steps, beat) for beat in (0.5, 1.0, 1.5, 2.5, 3.0, 3.5, 4.0))


def steps_about(steps: np.ndarray, seconds: float) -> float:
    """The largest within 20 ms, where a drum's attack may be."""
    return float(steps[round((seconds - 0.02) * RATE) : round((seconds + 0.02) * RATE)].max())


def test_the_bass_stands_on_the_chords_roots_and_the_first_and_last_are_the_keys() -> None:
    for prompt, root in (
        ("rock in E minor", 4),
        ("techno, dark, in F minor", 5),
        ("pop in D major", 2),
        ("sad in A minor", 9),
    ):
        for seed in range(8):
            score = compose(read(prompt), 20, np.random.default_rng(seed))
            assert score.roots[0] % 12 == score.roots[-1] % 12 == root
            for bar, chord in enumerate(score.chords):
                assert lowest_note(score, bar) % 12 == score.roots[bar] % 12
                assert score.roots[bar] % 12 in {note % 12 for note in chord}


def test_what_is_as_loud_as_it_should_be_from_the_start_is_limited_and_not_turned_down():
    time = np.arange(4 * RATE) / RATE
    sound = np.tile(0.2 * np.sin(2 * np.pi * 440 * time), (2, 1)).astype(np.float32)
    sound[:, :: RATE // 2] = 1.0  # clicks, which are hardly heard
    sound *= np.float32(10 ** ((TARGET - integrated(sound, RATE)) / 20))
    assert true_peak(sound) > CEILING + 2
    made = mastered(sound, RATE)
    assert integrated(made, RATE) == pytest.approx(TARGET, abs=0.5)
    assert true_peak(made) <= CEILING + 0.01
