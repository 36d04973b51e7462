"""Runway's models, its partners' among them, each by Runway's word for it."""

from typing import Any

from mutoscope.model.catalog import Model, Price, Rates, a_job, a_second, an_image, nominal
from mutoscope.model.catalog import row as plain_row
from mutoscope.model.job import Operation

I2V, T2V, V2V = Operation.IMAGE_TO_VIDEO, Operation.TEXT_TO_VIDEO, Operation.VIDEO_TO_VIDEO
T2I, MORE = Operation.TEXT_TO_IMAGE, Operation.VIDEO_EXTENSION

WIDE: dict[str, Any] = {"width": 1280, "height": 720, "seconds": 5.0, "fps": 24}
WIDE_8S = WIDE | {"seconds": 8.0}
WIDE_10S = WIDE | {"seconds": 10.0}
HAILUO: dict[str, Any] = {"resolution": "768p", "seconds": 5.0, "fps": 24}
PICTURE: dict[str, Any] = {"width": 1920, "height": 1080}
ULTRA_HD: dict[str, Any] = {"width": 3840, "height": 2160}
SIZES: dict[str, dict[str, Any]] = {
    "kling3.0_pro": PICTURE,
    "kling3.0_4k": ULTRA_HD,
    "klingO3_pro": PICTURE,
    "klingO3_4k": ULTRA_HD,
    "bria_fibo_edit_1_5": {"width": 1024, "height": 1024},
    "ideogram_4_0": {"width": 2560, "height": 1440},
    "ideogram_4_5": {"width": 2560, "height": 1440},
    "recraft_v4_1_vector": {"width": 1344, "height": 768},
}
"""Models that do not make the usual size: a vendor is asked for the default in so many words."""
EDIT: dict[str, Any] = {"fps": 24}
WAN: dict[str, Any] = {"resolution": "1080p", "seconds": 5.0, "fps": 30}
WAN3_SIZES = {
    "480p": {"16:9": (832, 480), "9:16": (480, 832), "4:3": (720, 544), "3:4": (544, 720), "1:1": (624, 624)},
    "720p": {"4:3": (1104, 832), "3:4": (832, 1104)},
    "1080p": {"4:3": (1648, 1248), "3:4": (1248, 1648)},
}
"""As Runway's list of ratios has them."""


def row(
    name: str, vendor: str, *serves: Operation, names: dict[str, tuple[str, ...]] | None = None, **more: Any
) -> Model:
    """A row whose name is Runway's own word for it."""
    return plain_row(name, vendor, *serves, names={"runway": (name,)} | (names or {}), **more)


def freepik(*paths: str) -> dict[str, tuple[str, ...]]:
    return {"freepik": paths}


RUNWAY_PRICES = "https://docs.dev.runwayml.com/guides/pricing/"


def at_runway(**rates: Any) -> Price:
    """A figure of the vendor's own table of prices."""
    return Price(**rates, source=RUNWAY_PRICES, checked="2026-08", wire="runway")


SECOND_HAND = "third parties' planning figure; the vendor publishes none"
SPOKEN = nominal(character=0.02)

# fmt: off
ROWS: tuple[Model, ...] = (
    # Runway's own
    row("gen4.5", "runway", I2V, T2V, price=at_runway(second=12), defaults=WIDE, max_seconds=10,
        prices={"freepik": nominal(SECOND_HAND, second=12)},
        names=freepik("image-to-video/runway-4-5", "text-to-video/runway-4-5")),
    row("gen4_turbo", "runway", I2V, price=at_runway(second=5), defaults=WIDE_10S, max_seconds=10,
        names=freepik("image-to-video/runway-gen4-turbo")),
    row("gen3a_turbo", "runway", I2V, price=nominal("as relays document it", second=5),
        defaults=WIDE_10S | {"height": 768}, max_seconds=10),
    row("gen4_aleph", "runway", V2V, price=at_runway(second=15), defaults=EDIT),
    row("aleph2", "runway", V2V, price=a_second(15), defaults=EDIT),
    row("act_two", "runway", Operation.CHARACTER_PERFORMANCE, price=at_runway(second=5), defaults=WIDE),
    row("upscale_v1", "runway", Operation.VIDEO_UPSCALE, price=a_second(2)),
    row("gen4_image", "runway", T2I, price=at_runway(image=8, tiers={"720p": Rates(image=5)}), defaults=PICTURE,
        prices={"freepik": nominal(SECOND_HAND, image=6)}, names=freepik("text-to-image/runway")),
    row("gen4_image_turbo", "runway", T2I, price=at_runway(image=2), defaults=PICTURE),
    # Partners' video models, as Runway names them
    row("veo3", "google", I2V, T2V, price=at_runway(second=40), defaults=WIDE_8S, max_seconds=8),
    row("veo3.1", "google", I2V, T2V, price=at_runway(second=40, silent=20), defaults=WIDE_8S, max_seconds=8),
    row("veo3.1_fast", "google", I2V, T2V, price=at_runway(second=15, silent=10), defaults=WIDE_8S, max_seconds=8),
    row("gemini_omni_flash", "google", I2V, T2V, V2V, price=a_second(15), defaults=WIDE, max_seconds=10),
    row("hailuo3", "minimax", I2V, T2V, V2V, price=a_second(10), defaults=HAILUO, max_seconds=15),
    row("happyhorse_1_0", "alibaba", I2V, T2V, price=a_second(10), defaults=WIDE, max_seconds=15),
    row("seedance2", "bytedance", I2V, T2V, V2V, price=at_runway(second=36), defaults=WIDE, max_seconds=15),
    row("seedance2_fast", "bytedance", I2V, T2V, V2V, price=a_second(18), defaults=WIDE, max_seconds=15),
    row("seedance2_mini", "bytedance", I2V, T2V, V2V, price=a_second(9), defaults=WIDE, max_seconds=15),
    row("seedance2_5", "bytedance", I2V, T2V, V2V, MORE, price=a_second(36), defaults=WIDE, max_seconds=30),
    # Of Runway's word there are no bounds and of DashScope's only what third parties tell
    row("wan3", "alibaba", I2V, T2V, price=a_second(15), defaults=WAN, max_seconds=30, sizes=WAN3_SIZES,
        names={"dashscope": ("wan3.0-video",)}),
    # Partners' image models
    row("gpt_image_2", "openai", T2I, price=an_image(5), defaults=PICTURE),
    row("gemini_2.5_flash", "google", T2I, price=at_runway(image=5), defaults=PICTURE),
    row("gemini_image3_pro", "google", T2I, price=an_image(20), defaults=PICTURE),
    row("gemini_image3.1_flash", "google", T2I, price=an_image(7), defaults=PICTURE),
    row("seedream5_pro", "bytedance", T2I, price=an_image(5), defaults=PICTURE),
    row("seedream5_lite", "bytedance", T2I, price=an_image(4), defaults=PICTURE),
    # Upscaling and sound: known, so that their bodies are checked in full; the built-in renderer makes few of them
    row("magnific_precision_upscaler_v2", "magnific", Operation.IMAGE_UPSCALE, price=a_job(10)),
    row("magnific_video_upscaler_creative", "magnific", Operation.VIDEO_UPSCALE, price=a_second(5)),
    row("seed_audio", "bytedance", Operation.TEXT_TO_SPEECH, Operation.SOUND_EFFECT, price=SPOKEN),
    row("eleven_multilingual_v2", "elevenlabs", Operation.TEXT_TO_SPEECH, price=at_runway(character=0.02)),
    row("eleven_v3", "elevenlabs", Operation.TEXT_TO_SPEECH, price=SPOKEN),
    row("eleven_text_to_sound_v2", "elevenlabs", Operation.SOUND_EFFECT, price=at_runway(job=2)),
    row("eleven_multilingual_sts_v2", "elevenlabs", Operation.SPEECH_TO_SPEECH, price=at_runway(second=1 / 3)),
    row("eleven_voice_dubbing", "elevenlabs", Operation.VOICE_DUBBING, price=at_runway(second=1 / 2)),
    row("eleven_v4", "elevenlabs", Operation.TEXT_TO_SPEECH, price=SPOKEN),
    row("mirelo_sfx_2_0", "mirelo", Operation.VIDEO_TO_AUDIO, Operation.SOUND_EFFECT, price=a_job(5)),
    row("ruby", "runway", Operation.VIDEO_TO_HDR, price=a_second(20)),
    row("enhance_frame_rate", "runway", Operation.VIDEO_UPSCALE, price=a_second(5)),
    row("eleven_voice_isolation", "elevenlabs", Operation.VOICE_ISOLATION, price=at_runway(second=1 / 6)),
    # Named by Runway's SDK 5.24 only, which gives fields but neither bounds nor prices: those here are nominal
    *(
        row(name, vendor, *serves, price=a_second(15), defaults=WIDE | SIZES.get(name, {}), max_seconds=15)
        for vendor, serves, names in (
            ("kuaishou", (I2V, T2V, V2V), ("klingO3_4k", "klingO3_pro", "klingO3_standard", "kling_4")),
            ("kuaishou", (I2V, T2V), ("kling2.5_turbo_pro", "kling3.0_4k", "kling3.0_pro", "kling3.0_standard")),
            ("xai", (I2V, T2V), ("grok_imagine_1_5", "grok_imagine_1_5_lite")),
            ("alibaba", (I2V, T2V), ("wan3_prime",)),
            ("google", (I2V, T2V, V2V), ("gemini_omni_flash_1.1",)),
            ("minimax", (I2V, T2V), ("h3_max",)),
        )
        for name in names
    ),
    *(
        row(name, vendor, T2I, price=an_image(5), defaults=PICTURE | SIZES.get(name, {}))
        for vendor, names in (
            ("meta", ("muse_image",)),
            ("xai", ("grok_imagine_image_2",)),
            ("google", ("gemini_image3.1_flash_lite", "nano_banana_2.1")),
            ("openai", ("gpt_image_2_5_flare", "gpt_image_2_5_sunburst")),
            ("bria", ("bria_fibo_1_5", "bria_fibo_edit_1_5")),
            ("ideogram", ("ideogram_4_0", "ideogram_4_5")),
            ("bytedance", ("seedream5_flash",)),
            ("recraft", ("recraft_v4_1_flash", "recraft_v4_1_vector")),
        )
        for name in names
    ),
)
# fmt: on
