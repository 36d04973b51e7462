"""Bodies of the models that Runway added after its schema of August 2026, as far as the Python SDK 5.24 tells.

The SDK names fields and values, not bounds: lengths and figures that it does not state are not held here.
Keys that a struct does not know are ignored.
"""

from typing import Annotated, Literal

from msgspec import UNSET, Meta

from mutoscope.wires.runway import values
from mutoscope.wires.runway.pieces import (
    AnyFrame,
    AnySeconds,
    AudioReference,
    Auto,
    Body,
    First,
    FirstLast,
    Image,
    KlingSettings,
    LooseImage,
    LooseVideo,
    Maybe,
    PlainImage,
    PresetVoice,
    Seed,
    Share,
    Some,
    SubjectImage,
    TaggedImage,
    Video,
    VideoReference,
)

Images = list[PlainImage]
Audios = list[AudioReference]
Videos = list[VideoReference]
KlingReferences = Image | list[LooseImage]
Loose = Image | list[LooseImage]
Count = Annotated[int, Meta(ge=1, le=64)]  # the vendor names no bound; this is ours

# ---- image to video


class Kling3Pro(Body, kw_only=True, tag="kling3.0_pro"):
    prompt_image: FirstLast
    prompt_text: Maybe[Some] = UNSET
    audio: Maybe[bool] = UNSET
    cfg_scale: Maybe[float] = UNSET
    duration: Maybe[AnySeconds] = UNSET
    provider_settings: Maybe[KlingSettings] = UNSET
    ratio: Maybe[values.KlingProRatio] = UNSET


class Kling3Standard(Body, kw_only=True, tag="kling3.0_standard"):
    prompt_image: FirstLast
    prompt_text: Maybe[Some] = UNSET
    audio: Maybe[bool] = UNSET
    cfg_scale: Maybe[float] = UNSET
    duration: Maybe[AnySeconds] = UNSET
    provider_settings: Maybe[KlingSettings] = UNSET
    ratio: Maybe[values.KlingStandardRatio] = UNSET


class Kling34k(Body, kw_only=True, tag="kling3.0_4k"):
    prompt_image: FirstLast
    prompt_text: Maybe[Some] = UNSET
    audio: Maybe[bool] = UNSET
    cfg_scale: Maybe[float] = UNSET
    duration: Maybe[AnySeconds] = UNSET
    provider_settings: Maybe[KlingSettings] = UNSET
    ratio: Maybe[values.Kling4kRatio] = UNSET


class KlingO3Pro(Body, kw_only=True, tag="klingO3_pro"):
    prompt_image: FirstLast
    prompt_text: Maybe[Some] = UNSET
    audio: Maybe[bool] = UNSET
    duration: Maybe[AnySeconds] = UNSET
    provider_settings: Maybe[KlingSettings] = UNSET
    ratio: Maybe[values.KlingProRatio] = UNSET
    references: Maybe[KlingReferences] = UNSET


class KlingO3Standard(Body, kw_only=True, tag="klingO3_standard"):
    prompt_image: FirstLast
    prompt_text: Maybe[Some] = UNSET
    audio: Maybe[bool] = UNSET
    duration: Maybe[AnySeconds] = UNSET
    provider_settings: Maybe[KlingSettings] = UNSET
    ratio: Maybe[values.KlingStandardRatio] = UNSET
    references: Maybe[KlingReferences] = UNSET


class KlingO34k(Body, kw_only=True, tag="klingO3_4k"):
    prompt_image: FirstLast
    prompt_text: Maybe[Some] = UNSET
    audio: Maybe[bool] = UNSET
    duration: Maybe[AnySeconds] = UNSET
    provider_settings: Maybe[KlingSettings] = UNSET
    ratio: Maybe[values.Kling4kRatio] = UNSET
    references: Maybe[KlingReferences] = UNSET


class Kling25Turbo(Body, kw_only=True, tag="kling2.5_turbo_pro"):
    prompt_image: FirstLast
    prompt_text: Some
    cfg_scale: Maybe[float] = UNSET
    duration: Maybe[Literal[5, 10]] = UNSET


class Kling4(Body, kw_only=True, tag="kling_4"):
    prompt_image: Image | list[AnyFrame]
    prompt_text: Maybe[Some] = UNSET
    duration: Maybe[AnySeconds] = UNSET
    ratio: Maybe[values.Kling4AutoRatio] = UNSET
    references: Maybe[Images] = UNSET
    reference_videos: Maybe[list[LooseVideo]] = UNSET


class GrokImagine(Body, kw_only=True, tag="grok_imagine_1_5"):
    prompt_image: First
    prompt_text: Maybe[Some] = UNSET
    duration: Maybe[AnySeconds] = UNSET
    resolution: Maybe[Literal["480p", "720p", "1080p"]] = UNSET


class GrokImagineLite(Body, kw_only=True, tag="grok_imagine_1_5_lite"):
    prompt_image: First
    prompt_text: Maybe[Some] = UNSET
    duration: Maybe[AnySeconds] = UNSET
    ratio: Maybe[values.AutoRatio] = UNSET


class Wan3(Body, kw_only=True, tag="wan3"):
    prompt_image: Loose
    prompt_text: Some
    audio: Maybe[bool] = UNSET
    duration: Maybe[AnySeconds] = UNSET
    ratio: Maybe[values.Wan3Ratio] = UNSET
    reference_audio: Maybe[Audios] = UNSET
    reference_videos: Maybe[Videos] = UNSET


class Wan3Prime(Wan3, tag="wan3_prime"): ...


class GeminiOmni11(Body, kw_only=True, tag="gemini_omni_flash_1.1"):
    prompt_image: FirstLast
    prompt_text: Some
    duration: Maybe[AnySeconds | Auto] = UNSET
    ratio: Maybe[values.GeminiOmni11Ratio] = UNSET


class H3Max(Body, kw_only=True, tag="h3_max"):
    prompt_image: FirstLast
    prompt_text: Some
    duration: Maybe[AnySeconds] = UNSET
    prompt_expansion_mode: Maybe[Literal["disabled", "balanced", "quality"]] = UNSET
    resolution: Maybe[Literal["480p", "768p"]] = UNSET
    seed: Maybe[Seed] = UNSET


ImageToVideoLater = (
    Kling3Pro
    | Kling3Standard
    | Kling34k
    | KlingO3Pro
    | KlingO3Standard
    | KlingO34k
    | Kling25Turbo
    | Kling4
    | GrokImagine
    | GrokImagineLite
    | Wan3
    | Wan3Prime
    | GeminiOmni11
    | H3Max
)

# ---- text to video


class Kling3ProText(Body, kw_only=True, tag="kling3.0_pro"):
    ratio: values.KlingProRatio
    prompt_text: Maybe[Some] = UNSET
    audio: Maybe[bool] = UNSET
    cfg_scale: Maybe[float] = UNSET
    duration: Maybe[AnySeconds] = UNSET
    provider_settings: Maybe[KlingSettings] = UNSET


class Kling3StandardText(Body, kw_only=True, tag="kling3.0_standard"):
    ratio: values.KlingStandardRatio
    prompt_text: Maybe[Some] = UNSET
    audio: Maybe[bool] = UNSET
    cfg_scale: Maybe[float] = UNSET
    duration: Maybe[AnySeconds] = UNSET
    provider_settings: Maybe[KlingSettings] = UNSET


class Kling34kText(Body, kw_only=True, tag="kling3.0_4k"):
    ratio: values.Kling4kRatio
    prompt_text: Maybe[Some] = UNSET
    audio: Maybe[bool] = UNSET
    cfg_scale: Maybe[float] = UNSET
    duration: Maybe[AnySeconds] = UNSET
    provider_settings: Maybe[KlingSettings] = UNSET


class KlingO3ProText(Body, kw_only=True, tag="klingO3_pro"):
    ratio: values.KlingProRatio
    prompt_text: Maybe[Some] = UNSET
    audio: Maybe[bool] = UNSET
    duration: Maybe[AnySeconds] = UNSET
    provider_settings: Maybe[KlingSettings] = UNSET


class KlingO3StandardText(Body, kw_only=True, tag="klingO3_standard"):
    ratio: values.KlingStandardRatio
    prompt_text: Maybe[Some] = UNSET
    audio: Maybe[bool] = UNSET
    duration: Maybe[AnySeconds] = UNSET
    provider_settings: Maybe[KlingSettings] = UNSET


class KlingO34kText(Body, kw_only=True, tag="klingO3_4k"):
    ratio: values.Kling4kRatio
    prompt_text: Maybe[Some] = UNSET
    audio: Maybe[bool] = UNSET
    duration: Maybe[AnySeconds] = UNSET
    provider_settings: Maybe[KlingSettings] = UNSET


class Kling25TurboText(Body, kw_only=True, tag="kling2.5_turbo_pro"):
    prompt_text: Some
    cfg_scale: Maybe[float] = UNSET
    duration: Maybe[Literal[5, 10]] = UNSET
    ratio: Maybe[values.Kling25Ratio] = UNSET


class Kling4Text(Body, kw_only=True, tag="kling_4"):
    prompt_text: Some
    duration: Maybe[AnySeconds] = UNSET
    ratio: Maybe[values.Kling4Ratio] = UNSET
    references: Maybe[Images] = UNSET
    reference_videos: Maybe[list[LooseVideo]] = UNSET


class GrokImagineText(Body, kw_only=True, tag="grok_imagine_1_5"):
    prompt_text: Some
    duration: Maybe[AnySeconds] = UNSET
    ratio: Maybe[values.GrokImagineRatio] = UNSET
    reference_audio: Maybe[Audios] = UNSET
    references: Maybe[Images] = UNSET
    resolution: Maybe[Literal["480p", "720p", "1080p"]] = UNSET


class GrokImagineLiteText(Body, kw_only=True, tag="grok_imagine_1_5_lite"):
    prompt_text: Some
    duration: Maybe[AnySeconds] = UNSET
    ratio: Maybe[values.GrokImagineLiteRatio] = UNSET


class Wan3Text(Body, kw_only=True, tag="wan3"):
    prompt_text: Some
    audio: Maybe[bool] = UNSET
    duration: Maybe[AnySeconds] = UNSET
    ratio: Maybe[values.Wan3Ratio] = UNSET
    reference_audio: Maybe[Audios] = UNSET
    references: Maybe[Images] = UNSET
    reference_videos: Maybe[Videos] = UNSET


class Wan3PrimeText(Wan3Text, tag="wan3_prime"): ...


class GeminiOmni11Text(Body, kw_only=True, tag="gemini_omni_flash_1.1"):
    prompt_text: Some
    duration: Maybe[AnySeconds | Auto] = UNSET
    ratio: Maybe[values.GeminiOmni11Ratio] = UNSET
    references: Maybe[Images] = UNSET
    reference_videos: Maybe[list[LooseVideo]] = UNSET


class H3MaxText(Body, kw_only=True, tag="h3_max"):
    prompt_text: Some
    duration: Maybe[AnySeconds] = UNSET
    prompt_expansion_mode: Maybe[Literal["disabled", "balanced", "quality"]] = UNSET
    resolution: Maybe[Literal["480p", "768p"]] = UNSET
    seed: Maybe[Seed] = UNSET


TextToVideoLater = (
    Kling3ProText
    | Kling3StandardText
    | Kling34kText
    | KlingO3ProText
    | KlingO3StandardText
    | KlingO34kText
    | Kling25TurboText
    | Kling4Text
    | GrokImagineText
    | GrokImagineLiteText
    | Wan3Text
    | Wan3PrimeText
    | GeminiOmni11Text
    | H3MaxText
)

# ---- video to video


class KlingO3ProVideo(Body, kw_only=True, tag="klingO3_pro"):
    prompt_video: Video
    prompt_text: Some
    provider_settings: Maybe[KlingSettings] = UNSET
    references: Maybe[KlingReferences] = UNSET


class KlingO3StandardVideo(KlingO3ProVideo, tag="klingO3_standard"): ...


class KlingO34kVideo(KlingO3ProVideo, tag="klingO3_4k"): ...


class Kling4Video(Body, kw_only=True, tag="kling_4"):
    video_uri: Video
    prompt_text: Some
    ratio: Maybe[values.Kling4AutoRatio] = UNSET
    references: Maybe[Images] = UNSET


class GeminiOmni11Video(Body, kw_only=True, tag="gemini_omni_flash_1.1"):
    video_uri: Video
    prompt_text: Some
    duration: Maybe[AnySeconds | Auto] = UNSET
    mode: Maybe[Literal["reference", "extend", "edit"]] = UNSET
    ratio: Maybe[values.GeminiOmni11Ratio] = UNSET
    references: Maybe[Images] = UNSET


VideoToVideoLater = KlingO3ProVideo | KlingO3StandardVideo | KlingO34kVideo | Kling4Video | GeminiOmni11Video

# ---- text to image


class MuseImage(Body, kw_only=True, tag="muse_image"):
    prompt_text: Some
    ratio: values.MuseImageRatio
    output_count: Maybe[Count] = UNSET
    output_format: Maybe[Literal["webp", "png", "jpeg"]] = UNSET
    reference_images: Maybe[Images] = UNSET


class GrokImagineImage2(Body, kw_only=True, tag="grok_imagine_image_2"):
    prompt_text: Some
    ratio: values.GrokImage2Ratio
    edit: Maybe[bool] = UNSET
    output_count: Maybe[Count] = UNSET
    quality: Maybe[Literal["low", "medium"]] = UNSET
    reference_images: Maybe[Images] = UNSET


class GeminiImage31FlashLite(Body, kw_only=True, tag="gemini_image3.1_flash_lite"):
    prompt_text: Some
    ratio: values.GeminiImage31FlashLiteRatio
    output_count: Maybe[Literal[1, 4]] = UNSET
    reference_images: Maybe[list[SubjectImage]] = UNSET


class GptImage25Flare(Body, kw_only=True, tag="gpt_image_2_5_flare"):
    prompt_text: Some
    ratio: values.GptImage2Ratio
    background: Maybe[Literal["opaque", "auto"]] = UNSET
    output_count: Maybe[Count] = UNSET
    quality: Maybe[Literal["low", "medium", "high", "xhigh", "max"]] = UNSET
    reference_images: Maybe[list[TaggedImage]] = UNSET


class GptImage25Sunburst(Body, kw_only=True, tag="gpt_image_2_5_sunburst"):
    prompt_text: Some
    ratio: values.GptImage2Ratio
    background: Maybe[Literal["transparent", "opaque", "auto"]] = UNSET
    output_count: Maybe[Count] = UNSET
    quality: Maybe[Literal["low", "medium", "high", "xhigh", "max"]] = UNSET
    reference_images: Maybe[list[TaggedImage]] = UNSET


class BriaFibo(Body, kw_only=True, tag="bria_fibo_1_5"):
    prompt_text: Some
    ratio: values.BriaFiboRatio
    output_format: Maybe[Literal["png", "jpeg"]] = UNSET
    reference_images: Maybe[Images] = UNSET
    seed: Maybe[Seed] = UNSET


class BriaFiboEdit(Body, kw_only=True, tag="bria_fibo_edit_1_5"):
    prompt_text: Some
    ratio: Maybe[values.BriaFiboEditRatio] = UNSET
    output_format: Maybe[Literal["png", "jpeg"]] = UNSET
    reference_images: Maybe[Images] = UNSET
    seed: Maybe[Seed] = UNSET


class Ideogram4(Body, kw_only=True, tag="ideogram_4_0"):
    prompt_text: Some
    output_count: Maybe[Count] = UNSET
    quality: Maybe[Literal["low", "medium", "high"]] = UNSET
    ratio: Maybe[values.Ideogram4Ratio] = UNSET
    reference_images: Maybe[Images] = UNSET


class Ideogram45(Body, kw_only=True, tag="ideogram_4_5"):
    prompt_text: Some
    mask_uri: Maybe[Image] = UNSET
    output_count: Maybe[Count] = UNSET
    precise_edit: Maybe[bool] = UNSET
    quality: Maybe[Literal["very_low", "low", "medium", "high"]] = UNSET
    ratio: Maybe[values.Ideogram45Ratio] = UNSET
    reference_images: Maybe[Images] = UNSET


class Seedream5Flash(Body, kw_only=True, tag="seedream5_flash"):
    prompt_text: Some
    ratio: values.Seedream5FlashRatio
    output_count: Maybe[Count] = UNSET
    output_format: Maybe[Literal["png", "jpeg"]] = UNSET
    reference_images: Maybe[Images] = UNSET


class NanoBanana(Body, kw_only=True, tag="nano_banana_2.1"):
    prompt_text: Some
    ratio: values.NanoBananaRatio
    output_count: Maybe[Count] = UNSET
    reference_images: Maybe[list[TaggedImage]] = UNSET
    thinking_level: Maybe[Literal["minimal", "medium", "high"]] = UNSET


class RecraftFlash(Body, kw_only=True, tag="recraft_v4_1_flash"):
    prompt_text: Some
    ratio: values.RecraftFlashRatio
    background_color: Maybe[str] = UNSET
    colors: Maybe[list[str]] = UNSET
    output_count: Maybe[Count] = UNSET
    output_format: Maybe[Literal["webp", "png"]] = UNSET
    seed: Maybe[Seed] = UNSET


class RecraftVector(Body, kw_only=True, tag="recraft_v4_1_vector"):
    prompt_text: Some
    background_color: Maybe[str] = UNSET
    colors: Maybe[list[str]] = UNSET
    ratio: Maybe[values.RecraftVectorRatio] = UNSET


TextToImageLater = (
    MuseImage
    | GrokImagineImage2
    | GeminiImage31FlashLite
    | GptImage25Flare
    | GptImage25Sunburst
    | BriaFibo
    | BriaFiboEdit
    | Ideogram4
    | Ideogram45
    | Seedream5Flash
    | NanoBanana
    | RecraftFlash
    | RecraftVector
)

# ---- the rest


class EnhanceFrameRate(Body, kw_only=True, tag="enhance_frame_rate"):
    video_uri: Video
    target_framerate: Literal["24", "25", "30", "48", "50", "60", "120", "23_98", "29_97", "59_94"]


VideoUpscaleLater = EnhanceFrameRate


class ElevenV4(Body, kw_only=True, tag="eleven_v4"):
    prompt_text: Some
    voice: PresetVoice
    language_code: Maybe[str] = UNSET
    next_text: Maybe[str] = UNSET
    previous_text: Maybe[str] = UNSET
    seed: Maybe[Seed] = UNSET
    similarity_boost: Maybe[Share] = UNSET
    speed: Maybe[float] = UNSET
    stability: Maybe[Share] = UNSET
    style: Maybe[Share] = UNSET
    use_speaker_boost: Maybe[bool] = UNSET


TextToSpeechLater = ElevenV4


class MireloSound(Body, kw_only=True, tag="mirelo_sfx_2_0"):
    prompt_text: Some
    duration: Annotated[float, Meta(ge=0)]
    format: Maybe[Literal["mp3", "wav", "flac"]] = UNSET
    negative_prompt: Maybe[str] = UNSET
    num_variants: Maybe[Count] = UNSET
    seed: Maybe[Seed] = UNSET


SoundEffectLater = MireloSound
