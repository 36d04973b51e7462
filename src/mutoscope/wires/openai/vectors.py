"""Embeddings, and moderations by rule."""

import base64
import hashlib
import re
import struct
from typing import Annotated, Literal

from msgspec import Meta, Struct

from mutoscope.model.http import HttpRequest, json_response
from mutoscope.model.job import UNSAFE, Json
from mutoscope.model.problem import custom_flaw
from mutoscope.model.words import Tokens, token_count
from mutoscope.wirekit.body import invalid, read_body
from mutoscope.wirekit.paths import at
from mutoscope.wirekit.words import Answer, Author, Target, glance
from mutoscope.wires.openai.chat import texts_in

SIZES = {"text-embedding-3-large": 3072}
USUAL_SIZE = 1536
MANY = Meta(min_length=1, max_length=2048)


class Embedding(Struct, kw_only=True, forbid_unknown_fields=True):
    model: Annotated[str, Meta(examples=["text-embedding-3-small"])]
    input: Annotated[str, Meta(min_length=1)] | Annotated[list[str | int | list[int]], MANY]
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: Annotated[int, Meta(ge=1, le=65536)] | None = None
    user: str | None = None


class Vectors(Struct, kw_only=True):
    object: str
    data: list[Json]
    model: str
    usage: dict[str, int]


def write(request: HttpRequest, author: Author) -> Answer:
    body = read_body(request.body, Embedding)
    texts = texts_in(body.input)
    if "" in texts:
        raise invalid((custom_flaw(("input", texts.index("")), "cannot be an empty string"),))
    size = body.dimensions or SIZES.get(body.model, USUAL_SIZE)
    found = author.vectors(texts, size)
    read = sum(map(token_count, texts))
    answer = Vectors(
        object="list",
        data=[
            {
                "object": "embedding",
                "index": number,
                "embedding": packed(each) if body.encoding_format == "base64" else each,
            }
            for number, each in enumerate(found)
        ],
        model=body.model,
        usage={"prompt_tokens": read, "total_tokens": read},
    )
    return Answer(response=json_response(answer), tokens=Tokens(read=read, estimated=True))


def packed(vector: list[float]) -> str:
    """Little-endian float32 in base64, which both SDKs ask for."""
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


# -- moderations ---------------------------------------------------------------------------


class Moderation(Struct, kw_only=True):
    input: str | Annotated[list[str | Json], Meta(min_length=1, examples=[["A lighthouse"]])]
    model: str | None = None


class Moderated(Struct, kw_only=True):
    id: str
    model: str
    results: list[Json]


RULES: dict[str, str] = {
    "harassment": r"\b(idiot|moron|loser)s?\b",
    "harassment/threatening": r"\bi('ll| will| am going to) (hurt|beat|kill|find) you\b",
    "hate": r"\b(subhuman|vermin)s?\b",
    "hate/threatening": r"\bexterminate (them|these people)\b",
    "illicit": r"\bhow (do i|to) (make|build|cook|buy) (a bomb|explosives|meth|drugs|ricin)\b",
    "illicit/violent": r"\bhow (do i|to) (make|build) (a bomb|explosives|a weapon)\b",
    "self-harm": r"\b(suicide|self-harm|cut(ting)? myself|kill(ing)? myself)\b",
    "self-harm/intent": r"\bi (want|am going|plan) to (die|kill myself|end my life|hurt myself)\b",
    "self-harm/instructions": r"\bhow (do i|to) (kill|hurt|cut) myself\b",
    "sexual": r"\b(porn|pornographic|nude|naked sex|explicit sex)\b",
    "sexual/minors": r"\b(sexual|nude|porn)\w*\b.{0,40}\b(child|children|minor|underage)\b",
    "violence": r"\b(kill|murder|stab|shoot|slaughter)(s|ed|ing)?\b",
    "violence/graphic": r"\b(gore|dismember\w*|decapitat\w*|entrails)\b",
}
"""Words that a category is told by: a list, no judgement. Whoever needs one asks a model."""
COMPILED = {name: re.compile(pattern, re.IGNORECASE | re.DOTALL) for name, pattern in RULES.items()}
HIT, MISS = 0.9, 0.0001
SEXUAL, MOST_PICTURES = "sexual", 8
USUAL_JUDGE = "omni-moderation-latest"


def moderation_target(request: HttpRequest) -> Target:
    return glance(request.body, USUAL_JUDGE)


def moderate(request: HttpRequest, author: Author) -> Answer:
    body = read_body(request.body, Moderation)
    scores = author.unsafe(pictures(body))  # of pictures, where somebody looked: nudity is all that they tell of
    said = [body.input] if isinstance(body.input, str) else body.input
    if any(isinstance(each, dict) for each in said):
        texts = [text for number, each in enumerate(said) if (text := text_in(number, each)) is not None]
        said = ["\n".join(texts) if texts else None]  # parts are one input
    results = [result_for(each) for each in said if not isinstance(each, dict)]
    seen = [score for score in scores if score is not None]
    if seen:
        results = [with_pictures(each, max(seen)) for each in results]
    id = f"modr-{hashlib.sha256(request.body).hexdigest()[:24]}"
    return Answer(response=json_response(Moderated(id=id, model=body.model or USUAL_JUDGE, results=results)))


def pictures(body: Moderation) -> list[str]:
    parts = [] if isinstance(body.input, str) else [each for each in body.input if isinstance(each, dict)]
    found = (at(each, "image_url.url") for each in parts if each.get("type") == "image_url")
    return [each for each in found if isinstance(each, str)][:MOST_PICTURES]


def with_pictures(result: Json, score: float) -> Json:
    """A picture's score counts in the one category that it is about."""
    scores = result["category_scores"] | {SEXUAL: max(result["category_scores"][SEXUAL], score)}
    categories = result["categories"] | {SEXUAL: result["categories"][SEXUAL] or score >= UNSAFE}
    applied = result["category_applied_input_types"]
    applied = applied | {SEXUAL: [*applied[SEXUAL], "image"]}
    told = {"flagged": any(categories.values()), "categories": categories, "category_scores": scores}
    return result | told | {"category_applied_input_types": applied}


def text_in(number: int, said: str | Json) -> str | None:
    """A part's; None of a picture, at which nobody looks here. Raises Problem for what is neither."""
    match said:
        case {"type": "text", "text": str(text)}:
            return text
        case {"type": "image_url", "image_url": {"url": str()}}:
            return None
        case _:
            wanted = 'should be {"type": "text", "text"} or {"type": "image_url", "image_url": {"url"}}'
            raise invalid((custom_flaw(("input", number), wanted),))


def result_for(text: str | None) -> Json:
    """None: there was nothing to be read."""
    if text is None:
        return result_for("") | {"category_applied_input_types": {name: [] for name in COMPILED}}
    categories = {name: bool(pattern.search(text)) for name, pattern in COMPILED.items()}
    return {
        "flagged": any(categories.values()),
        "categories": categories,
        "category_scores": {name: HIT if found else MISS for name, found in categories.items()},
        "category_applied_input_types": {name: ["text"] for name in categories},
    }
