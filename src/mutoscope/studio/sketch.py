"""Pictures from words, as PNG files."""

from pathlib import Path

from PIL import Image

from mutoscope.studio import picture, scene, size
from mutoscope.studio.clip import Print, comment

PAINTED_AREA = 3840 * 2160  # pixels; bigger pictures are painted so and enlarged, for memory's sake


def text_to_image(prompt: str, out: Path, *, width: int, height: int, seed: int, card: scene.Card = "auto") -> Print:
    """Paint a scene from words and write it to `out` as PNG, exactly width × height pixels. `card` says when the
    prompt's first words stand in it.

    The file's text chunk says what made it and which words it used. The same arguments give the same bytes.
    Raises StudioError.
    """
    size.check_picture_size(width, height)
    smaller = min(1.0, (PAINTED_AREA / (width * height)) ** 0.5)
    painting = scene.paint(prompt, max(64, round(width * smaller)), max(64, round(height * smaller)), seed, card=card)
    image = Image.fromarray(painting.rgb)
    if image.size != (width, height):
        image = image.resize((width, height), Image.Resampling.LANCZOS)
    picture.save(image, out, comment(painting.used, painting.ignored, painting.shown))
    return Print(width=width, height=height, used=painting.used, ignored=painting.ignored, shown=painting.shown)
