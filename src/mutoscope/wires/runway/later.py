"""Bodies of the models that Runway added after its schema of August 2026, as far as the Python SDK 5.24 tells.

The SDK names members and values, not bounds: lengths and figures that it does not state are not held here.
Keys that a body does not know are ignored.
"""

from functools import partial
from typing import Any, Literal

from mutoscope.model.job import Json, Operation
from mutoscope.wirekit.members import many, whole
from mutoscope.wires.runway import pieces as p
from mutoscope.wires.runway import values
from mutoscope.wires.runway.pieces import AnySeconds, Seed, Some, body, needs

table = partial(p.bodies, module=__name__)
Images = many(p.PlainImage)
Count = whole(1, 64)  # the vendor names no bound; this is ours

# fmt: off
SAID, TIMED = needs(prompt_text=Some), needs(duration=AnySeconds)
IMAGES, VIDEOS = needs(references=Images), needs(reference_videos=many(p.Clip))
SOUNDS, LOOSE_VIDEOS = needs(reference_audio=many(p.Sound)), needs(reference_videos=many(p.LooseClip))
SPANNED = needs(duration=AnySeconds | p.Auto, ratio=values.GeminiOmni11Ratio)
TIERED = needs(resolution=Literal["480p", "720p", "1080p"])
H3 = TIMED | needs(prompt_expansion_mode=Literal["disabled", "balanced", "quality"],
                   resolution=Literal["480p", "768p"], seed=Seed)
WAN = needs(audio=bool, duration=AnySeconds, ratio=values.Wan3Ratio) | SOUNDS
FRAMES, FRAME = needs(prompt_image=p.FirstLast), needs(prompt_image=p.First)
KLING_RATIOS = {"pro": values.KlingProRatio, "standard": values.KlingStandardRatio, "4k": values.Kling4kRatio}
KLING = needs(prompt_text=Some, audio=bool)
KLING_3 = KLING | needs(cfg_scale=float, duration=AnySeconds, provider_settings=p.KlingSettings)
KLING_O3 = KLING | needs(duration=AnySeconds, provider_settings=p.KlingSettings)
KLING_25 = needs(cfg_scale=float, duration=Literal[5, 10])

# ---- videos

ImageToVideo = table(
    Operation.IMAGE_TO_VIDEO,
    *(body(f"kling3.0_{tier}", FRAMES, **KLING_3, ratio=ratio) for tier, ratio in KLING_RATIOS.items()),
    *(body(f"klingO3_{tier}", FRAMES, **KLING_O3, ratio=ratio, references=p.Loose)
      for tier, ratio in KLING_RATIOS.items()),
    body("kling2.5_turbo_pro", FRAMES | SAID, **KLING_25),
    body("kling_4", needs(prompt_image=p.Image | many(p.AnyFrame)), **SAID, **TIMED, ratio=values.Kling4AutoRatio,
         **IMAGES, **LOOSE_VIDEOS),
    body("grok_imagine_1_5", FRAME, **SAID, **TIMED, **TIERED),
    body("grok_imagine_1_5_lite", FRAME, **SAID, **TIMED, ratio=values.AutoRatio),
    body("wan3 wan3_prime", needs(prompt_image=p.Loose) | SAID, **WAN, **VIDEOS),
    body("gemini_omni_flash_1.1", FRAMES | SAID, **SPANNED),
    body("h3_max", FRAMES | SAID, **H3),
)

TextToVideo = table(
    Operation.TEXT_TO_VIDEO,
    *(body(f"kling3.0_{tier}", needs(ratio=ratio), **KLING_3) for tier, ratio in KLING_RATIOS.items()),
    *(body(f"klingO3_{tier}", needs(ratio=ratio), **KLING_O3) for tier, ratio in KLING_RATIOS.items()),
    body("kling2.5_turbo_pro", SAID, **KLING_25, ratio=values.Kling25Ratio),
    body("kling_4", SAID, **TIMED, ratio=values.Kling4Ratio, **IMAGES, **LOOSE_VIDEOS),
    body("grok_imagine_1_5", SAID, **TIMED, ratio=values.GrokImagineRatio, **SOUNDS, **IMAGES, **TIERED),
    body("grok_imagine_1_5_lite", SAID, **TIMED, ratio=values.GrokImagineLiteRatio),
    body("wan3 wan3_prime", SAID, **WAN, **IMAGES, **VIDEOS),
    body("gemini_omni_flash_1.1", SAID, **SPANNED, **IMAGES, **LOOSE_VIDEOS),
    body("h3_max", SAID, **H3),
)

VideoToVideo = table(
    Operation.VIDEO_TO_VIDEO,
    body("klingO3_pro klingO3_standard klingO3_4k", needs(prompt_video=p.Video) | SAID,
         provider_settings=p.KlingSettings, references=p.Loose),
    body("kling_4", needs(video_uri=p.Video) | SAID, ratio=values.Kling4AutoRatio, **IMAGES),
    body("gemini_omni_flash_1.1", needs(video_uri=p.Video) | SAID, duration=AnySeconds | p.Auto,
         mode=Literal["reference", "extend", "edit"], ratio=values.GeminiOmni11Ratio, **IMAGES),
)

# ---- pictures

COUNTED, DRAWN_LIKE = needs(output_count=Count), needs(reference_images=Images)
TAGGED, PNG = needs(reference_images=many(p.TaggedImage)), needs(output_format=Literal["png", "jpeg"])
GPT_QUALITY = needs(quality=Literal["low", "medium", "high", "xhigh", "max"])
COLORED = needs(background_color=str, colors=list[str])


def drawn(ratio: Any) -> Json:
    return needs(prompt_text=Some, ratio=ratio)


TextToImage = table(
    Operation.TEXT_TO_IMAGE,
    body("muse_image", drawn(values.MuseImageRatio), **COUNTED, output_format=Literal["webp", "png", "jpeg"],
         **DRAWN_LIKE),
    body("grok_imagine_image_2", drawn(values.GrokImage2Ratio), edit=bool, **COUNTED, quality=Literal["low", "medium"],
         **DRAWN_LIKE),
    body("gemini_image3.1_flash_lite", drawn(values.GeminiImage31FlashLiteRatio), output_count=Literal[1, 4],
         reference_images=many(p.SubjectImage)),
    body("gpt_image_2_5_flare", drawn(values.GptImage2Ratio), background=Literal["opaque", "auto"], **COUNTED,
         **GPT_QUALITY, **TAGGED),
    body("gpt_image_2_5_sunburst", drawn(values.GptImage2Ratio), background=Literal["transparent", "opaque", "auto"],
         **COUNTED, **GPT_QUALITY, **TAGGED),
    body("bria_fibo_1_5", drawn(values.BriaFiboRatio), **PNG, **DRAWN_LIKE, seed=Seed),
    body("bria_fibo_edit_1_5", SAID, ratio=values.BriaFiboEditRatio, **PNG, **DRAWN_LIKE, seed=Seed),
    body("ideogram_4_0", SAID, **COUNTED, quality=Literal["low", "medium", "high"], ratio=values.Ideogram4Ratio,
         **DRAWN_LIKE),
    body("ideogram_4_5", SAID, mask_uri=p.Image, **COUNTED, precise_edit=bool,
         quality=Literal["very_low", "low", "medium", "high"], ratio=values.Ideogram45Ratio, **DRAWN_LIKE),
    body("seedream5_flash", drawn(values.Seedream5FlashRatio), **COUNTED, **PNG, **DRAWN_LIKE),
    body("nano_banana_2.1", drawn(values.NanoBananaRatio), **COUNTED, **TAGGED,
         thinking_level=Literal["minimal", "medium", "high"]),
    body("recraft_v4_1_flash", drawn(values.RecraftFlashRatio), **COLORED, **COUNTED,
         output_format=Literal["webp", "png"], seed=Seed),
    body("recraft_v4_1_vector", SAID, **COLORED, ratio=values.RecraftVectorRatio),
)

# ---- the rest

VideoUpscale = table(
    Operation.VIDEO_UPSCALE,
    body("enhance_frame_rate", needs(video_uri=p.Video, target_framerate=Literal[
        "24", "25", "30", "48", "50", "60", "120", "23_98", "29_97", "59_94"])),
)
TextToSpeech = table(
    Operation.TEXT_TO_SPEECH,
    body("eleven_v4", needs(prompt_text=Some, voice=p.PresetVoice), language_code=str, next_text=str,
         previous_text=str, seed=Seed, similarity_boost=p.Share, speed=float, stability=p.Share, style=p.Share,
         use_speaker_boost=bool),
)
SoundEffect = table(
    Operation.SOUND_EFFECT,
    body("mirelo_sfx_2_0", needs(prompt_text=Some, duration=p.Positive), format=Literal["mp3", "wav", "flac"],
         negative_prompt=str, num_variants=Count, seed=Seed),
)
# fmt: on
