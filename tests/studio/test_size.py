"""The sizes of videos."""

import pytest

from mutoscope.studio import StudioError, fit_size
from mutoscope.studio.size import TIERS, check_video_size, frame_count


@pytest.mark.parametrize(
    ("tier", "picture", "size"),
    [
        ("720p", (1920, 1080), (1280, 720)),
        ("720p", (1080, 1920), (720, 1280)),
        ("720p", (1366, 768), (1280, 720)),
        ("1080p", (4000, 2250), (1920, 1080)),
        ("1080p", (900, 1600), (1080, 1920)),
        ("720p", (500, 500), (960, 960)),
        ("1080p", (500, 500), (1440, 1440)),
        ("720P", (4000, 3000), (1104, 832)),
    ],
)
def test_a_tier_takes_the_picture_s_shape(tier: str, picture: tuple[int, int], size: tuple[int, int]) -> None:
    assert fit_size(tier, *picture) == size


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("aspect", [1 / 8, 0.31, 0.8, 1.0, 1.5, 2.35, 5.0, 8.0])
def test_sides_are_even_and_the_area_is_the_tier_s(tier: str, aspect: float) -> None:
    width, height = fit_size(tier, round(2000 * aspect), 2000)
    assert width % 2 == height % 2 == 0
    assert width / height == pytest.approx(aspect, rel=0.02)
    assert width * height == pytest.approx(TIERS[tier] ** 2 * 16 / 9, rel=0.04)


def test_shapes_beyond_one_to_eight_are_bounded() -> None:
    assert fit_size("720p", 9000, 100) == fit_size("720p", 8000, 1000)


def test_an_unknown_tier_is_named() -> None:
    with pytest.raises(StudioError, match="8k") as caught:
        fit_size("8k", 16, 9)
    assert caught.value.field == "resolution"


@pytest.mark.parametrize(("width", "height", "field"), [(641, 360, "width"), (640, 32, "height"), (5000, 720, "width")])
def test_a_size_that_is_not_rendered_is_named(width: int, height: int, field: str) -> None:
    with pytest.raises(StudioError) as caught:
        check_video_size(width, height)
    assert caught.value.field == field


@pytest.mark.parametrize(("seconds", "fps", "count"), [(5, 24, 120), (2.5, 30, 75), (0.1, 25, 3), (1 / 48, 24, 1)])
def test_frames_are_rounded_half_up(seconds: float, fps: int, count: int) -> None:
    assert frame_count(seconds, fps) == count


@pytest.mark.parametrize(
    ("seconds", "fps", "field"), [(0, 24, "seconds"), (5, 0, "fps"), (float("nan"), 24, "seconds")]
)
def test_a_length_that_is_none_is_named(seconds: float, fps: int, field: str) -> None:
    with pytest.raises(StudioError) as caught:
        frame_count(seconds, fps)
    assert caught.value.field == field
