"""OpenAI's models: those that answer in words have rows for their names; what they cost goes by tokens."""

from msgspec.structs import replace

from mutoscope.model.catalog import ADVICE, Model, a_second, an_image, nominal, row
from mutoscope.model.job import Operation

CHAT = (
    *("gpt-6-astra", "gpt-6.2-astra", "gpt-6-sol", "gpt-6.1-sol", "gpt-6.2-sol", "gpt-6.1-terra", "gpt-6-luna"),
    *("gpt-5.6-sol", "gpt-5.6-terra", "gpt-5.6-luna", "gpt-5.5"),
    *("gpt-5.4", "gpt-5.4-mini", "gpt-5", "gpt-5-mini", "gpt-4.1", "gpt-4.1-mini", "gpt-4o", "gpt-4o-mini"),
    *("gpt-4-turbo", "gpt-4", "gpt-3.5-turbo", "gpt-3.5-turbo-instruct", "davinci-002", "babbage-002"),
)
EMBEDDINGS = ("text-embedding-3-small", "text-embedding-3-large", "text-embedding-ada-002")
JUDGES = (
    *("omni-moderation-latest", "omni-moderation-2024-09-26", "text-moderation-latest", "text-moderation-stable"),
)
DALLE = ("dall-e-2", "dall-e-3")
GPT_IMAGE = (
    *("gpt-image-1", "gpt-image-1-mini", "gpt-image-1.5", "gpt-image-2", "gpt-image-2-2026-04-21"),
    *("gpt-image-2.5-sunburst", "gpt-image-2.5-flare", "gpt-image-2.5-sunburst-2026-09-08"),
    *("gpt-image-2.5-flare-2026-09-08", "gpt-image-2.6-sunburst", "gpt-image-2.6-flare", "chatgpt-image-latest"),
)
SPEECH = ("tts-1", "tts-1-hd", "gpt-4o-mini-tts", "gpt-4o-mini-tts-2025-12-15")
HEARING = (
    *("whisper-1", "gpt-transcribe", "gpt-4o-transcribe", "gpt-4o-mini-transcribe"),
    *("gpt-4o-mini-transcribe-2025-12-15", "gpt-4o-transcribe-diarize"),
)
SORA = {
    "sora-2": ("sora-2", "sora-2-2025-10-06", "sora-2-2025-12-08"),
    "sora-2-pro": ("sora-2-pro", "sora-2-pro-2025-10-06"),
}

IMAGE = (Operation.TEXT_TO_IMAGE, Operation.IMAGE_TO_IMAGE, Operation.IMAGE_INPAINT)
VIDEO = (Operation.TEXT_TO_VIDEO, Operation.IMAGE_TO_VIDEO, Operation.VIDEO_TO_VIDEO)
SQUARE = {"width": 1024, "height": 1024}
TALL = {"width": 720, "height": 1280, "seconds": 4.0, "fps": 24}
IGNORED = ADVICE | {"style", "input_fidelity", "output_compression", "moderation", "instructions", "temperature"}
"""Beside what any model need not support: tastes and filters that the result does not stand or fall with."""


def words(name: str) -> Model:
    return row(name, "openai", Operation.TEXT_TO_TEXT, price=nominal("by tokens"), names={"openai": (name,)})


def lenient(model: Model) -> Model:
    return replace(model, ignores=frozenset(IGNORED))


# fmt: off
ROWS: tuple[Model, ...] = (
    *(words(name) for name in (*CHAT, *EMBEDDINGS, *JUDGES)),
    *(lenient(row(name, "openai", *IMAGE, price=an_image(4), defaults=SQUARE, names={"openai": (name,)}))
      for name in (*DALLE, *GPT_IMAGE)),
    *(lenient(row(name, "openai", Operation.TEXT_TO_SPEECH, price=nominal(character=0.0015), names={"openai": (name,)}))
      for name in SPEECH),
    *(lenient(row(name, "openai", Operation.SPEECH_TO_TEXT, price=a_second(0.01), names={"openai": (name,)}))
      for name in HEARING),
    *(row(name, "openai", *VIDEO, price=a_second(10 if name == "sora-2" else 30), defaults=TALL, max_seconds=20,
          names={"openai": names}) for name, names in SORA.items()),
)
# fmt: on
