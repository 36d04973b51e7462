"""How much of public-style prompts the studio shows: `python tests/studio/prompt_shares.py [FILE] [--tell]`.

Every prompt of the list is painted small, and again without each word that the studio says it used, with the same
chance. A word counts as used only if that changes the picture by more than DISTANCE. Words that need no picture are
those of `lexicon.FILLER`, a fixed list. Two figures come out: the share of prompts with no used word, and the median
share of a prompt's content words that were used.
"""

import re
import statistics
import sys
from pathlib import Path

import numpy as np

from mutoscope.studio import scene
from mutoscope.studio.scene import painting
from mutoscope.studio.scene.lexicon import FILLER, words_of

LIST = Path(__file__).with_name("prompts.txt")
SIZE = 128, 72
SEED = 3
DISTANCE = 0.4
"""Mean difference of all channels, in steps of 255: half a per cent of the picture repainted, or all of it a hair."""


def prompts_of(path: Path = LIST) -> list[str]:
    return [line for line in path.read_text("utf-8").splitlines() if line and not line.startswith("#")]


def content_of(prompt: str) -> list[str]:
    """The words that ask for something."""
    return [word for word in words_of(prompt) if word[0].isalnum() and word not in FILLER]


def used_of(prompt: str) -> tuple[set[str], set[str]]:
    """The content words that change the picture, and those that were told as used and do not."""
    told = scene.paint(prompt, *SIZE, SEED, card="never")
    named = {word for phrase in told.used for word in words_of(phrase)}
    content = [word for word in dict.fromkeys(content_of(prompt)) if word in named]
    proved = {word for word in content if _distance(told.rgb, prompt, word) > DISTANCE}
    return proved, set(content) - proved


def _distance(whole: np.ndarray, prompt: str, word: str) -> float:
    without = re.sub(rf"(?i)(?<![\w]){re.escape(word)}(?![\w])", "", prompt)
    other = scene.paint(without, *SIZE, SEED, card="never").rgb
    return float(np.abs(whole.astype(np.int16) - other.astype(np.int16)).mean())


def shares(prompts: list[str], *, tell: bool = False) -> tuple[float, float]:
    """The share of prompts without a used word, and the median share of content words used."""
    found: list[float] = []
    empty = 0
    for prompt in prompts:
        used, idle = used_of(prompt)
        content = set(content_of(prompt))
        found.append(len(used) / max(1, len(content)))
        empty += not used
        if tell:
            missed, unproved = ", ".join(sorted(content - used - idle)), ", ".join(sorted(idle))
            print(f"{found[-1]:.2f}  {prompt}  | not: {missed} | idle: {unproved}")
    return empty / len(prompts), statistics.median(found)


def _seed_alone(prompt: str, seed: int) -> int:
    """Without the prompt in the chance: each prompt has its own else, and every word would change everything."""
    del prompt
    return seed


def main(arguments: list[str]) -> None:
    painting._mixed = _seed_alone
    files = [Path(each) for each in arguments if not each.startswith("-")]
    prompts = prompts_of(files[0] if files else LIST)
    none, median = shares(prompts, tell="--tell" in arguments)
    print(f"{len(prompts)} prompts: {none:.1%} with no used word; median share of content words used {median:.2f}")


if __name__ == "__main__":
    main(sys.argv[1:])
