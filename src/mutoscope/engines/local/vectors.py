"""Texts as vectors: WordLlama's table of tokens, the mean of a text's rows. Its files are read here, by no package."""

import base64
import json
import struct
from typing import IO, Any

import numpy as np
import tokenizers

from mutoscope.engines.local.pictures import Json, Refused

SIZES = (256, 128, 64)
"""What a vector may be cut to and still tell meanings apart: it was trained for that (Matryoshka)."""
MOST_TEXTS, MOST_TOKENS = 2048, 8192


def load(files: dict[str, str]) -> Any:
    tokenizer: Any = tokenizers.Tokenizer.from_file(files["tokenizer.json"])
    tokenizer.no_padding()
    tokenizer.enable_truncation(MOST_TOKENS)
    table = tensor(files["vectors.safetensors"])

    def answer(asked: Json, _: IO[bytes] | None) -> Json:
        texts: list[str] = asked["texts"]
        if not texts or len(texts) > MOST_TEXTS:
            raise Refused(f"1 to {MOST_TEXTS} texts are taken; there are {len(texts)}.", kind="invalid", field="input")
        found = np.zeros((len(texts), table.shape[1]), np.float32)
        counts: list[int] = []
        for number, text in enumerate(texts):
            ids = tokenizer.encode(text, add_special_tokens=False).ids
            counts.append(len(ids))
            if ids:
                found[number] = table[ids].astype(np.float32).mean(0)
        return {"vectors": base64.b64encode(found.astype("<f4").tobytes()).decode(), "tokens": counts}

    return answer


def tensor(path: str) -> Any:
    """The one table in a file of safetensors: a length, a description in JSON, the numbers."""
    with open(path, "rb") as file:  # noqa: PTH123 (a child of few imports)
        (length,) = struct.unpack("<Q", file.read(8))
        told: Json = json.loads(file.read(length))
        (name,) = [each for each in told if each != "__metadata__"]
        kinds = {"F16": "<f2", "F32": "<f4"}
        values = np.fromfile(file, kinds[told[name]["dtype"]])
    return values.reshape(told[name]["shape"])
