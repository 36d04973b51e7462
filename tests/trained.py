"""The weights that `make setup` fetches, for tests that run them."""

import shutil
from pathlib import Path

import pytest

from mutoscope.engines.local.rows import BY_NAME
from mutoscope.engines.local.shelf import Shelf
from mutoscope.model.config import Weights

FOLDER = Path(__file__).parent.parent / ".venv" / "weights"


def shelf(*names: str, **settings: int) -> Shelf:
    """The folder of the weights; the test is skipped where a model that it needs is not there."""
    found = Shelf(Weights(folder=str(FOLDER), **settings), Path())
    for name in names:
        if not (FOLDER / name).is_dir():
            pytest.skip(f"{BY_NAME[name].archive.package} is not unpacked: make setup fetches it")
    return found


def copied(name: str, folder: Path) -> Path:
    """The files of a model elsewhere, to be spoilt."""
    shelf(name)
    shutil.copytree(FOLDER / name, folder / name)
    return folder
