"""Pictures from words, as PNG files."""

from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from mutoscope.studio import scene, size
from mutoscope.studio.clip import Print, comment


def text_to_image(prompt: str, out: Path, *, width: int, height: int, seed: int) -> Print:
    """Paint a scene from words and write it to `out` as PNG, exactly width × height pixels.

    The file's text chunk says what made it and which words it used. The same arguments give the same bytes.
    Raises StudioError.
    """
    size.check_size(width, height, even=False)
    painting = scene.paint(prompt, width, height, seed)
    notes = PngInfo()
    notes.add_itxt("Comment", comment(painting.used, painting.ignored))
    Image.fromarray(painting.rgb).save(out, format="PNG", pnginfo=notes, compress_level=6)
    return Print(width=width, height=height, used=painting.used, ignored=painting.ignored)
