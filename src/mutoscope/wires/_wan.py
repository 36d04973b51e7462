"""The files that Alibaba's Wan models take, as their maker states it: the same wherever the models are offered."""

from msgspec.structs import replace

from mutoscope.model.job import MediaLimits

MIB = 1024 * 1024
IMAGE = MediaLimits(
    types=("image/jpeg", "image/png", "image/bmp", "image/webp"),
    max_bytes=20 * MIB,
    min_side=240,
    max_side=8000,
    min_aspect=1 / 8,
    max_aspect=8.0,
)
AUDIO = MediaLimits(types=("audio/wav", "audio/mpeg"), max_bytes=15 * MIB, min_seconds=2.0, max_seconds=30.0)
LONGEST_CLIP = 10.0
VIDEO = MediaLimits(
    types=("video/mp4", "video/quicktime"),
    max_bytes=100 * MIB,
    min_side=240,
    max_side=4096,
    min_seconds=2.0,
    max_seconds=LONGEST_CLIP,
)


def clip_limits(total: float | None) -> MediaLimits:
    """Of a clip to continue. It counts in the duration that is asked for, in seconds, and cannot be longer."""
    return VIDEO if total is None else replace(VIDEO, max_seconds=float(min(max(total, 0), LONGEST_CLIP)))
