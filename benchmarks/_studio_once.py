"""One call of the renderer in a process of its own: a JSON object in, its time and its peak of memory out.

    python _studio_once.py '{"call": "text_to_image", "prompt": "…", "out": "…", …}'

`call` is a public function of mutoscope.studio, or "prototype" with the path of the one that the aims name.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

PATHS = ("image", "video", "last", "audio")


def main() -> None:
    wish: dict[str, Any] = json.loads(sys.argv[1])
    call = prototype(wish.pop("prototype")) if wish["call"] == "prototype" else ours(wish["call"])
    del wish["call"]
    began = time.perf_counter()
    call(**wish)
    print(json.dumps({"seconds": time.perf_counter() - began, "peak_mb": peak_mb()}))


def ours(name: str) -> Any:
    from mutoscope import studio  # late: the prototype does without it

    found = getattr(studio, name)

    def call(out: str, **wish: Any) -> None:
        found(out=Path(out), **{key: Path(each) if key in PATHS else each for key, each in wish.items()})

    return call


def prototype(place: str) -> Any:
    sys.path.insert(0, str(Path(place).parent))
    import scene  # pyright: ignore[reportMissingImports]
    from PIL import Image

    def call(prompt: str, out: str, width: int, height: int, seed: int) -> None:
        Image.fromarray(scene.render(prompt, width, height, seed)).save(out, compress_level=6)

    return call


def peak_mb() -> float:
    """By this process's own account: getrusage's would count the parent that it was forked from."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    return float("nan")


if __name__ == "__main__":
    main()
