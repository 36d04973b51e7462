"""Runway's request bodies: for each endpoint one struct a model, told apart by `model`.

Bounds are those of the vendor's schema of August 2026, together with the retired models that older SDKs and
relays still send. A few fields and values that only the Python SDK 5.24 names are let in beside them.
"""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct

from mutoscope.model.job import Operation
from mutoscope.wires.runway import values
from mutoscope.wires.runway.later import (
    ImageToVideoLater,
    SoundEffectLater,
    TextToImageLater,
    TextToSpeechLater,
    TextToVideoLater,
    VideoToVideoLater,
    VideoUpscaleLater,
)
from mutoscope.wires.runway.pieces import (
    SAFE,
    Audio,
    AudioFile,
    Audios3,
    Audios10,
    Body,
    ContentModeration,
    First,
    FirstLast,
    Image,
    ImageFile,
    Images5,
    Images9,
    Images10,
    Images14,
    Images30,
    KeyframeOrTime,
    Lone,
    Loose,
    Loose9,
    Maybe,
    Percent,
    PitchRate,
    PresetVoice,
    ProresProfile,
    ReferenceVoice,
    RunwayFormat,
    SampleRate,
    Seconds2to10,
    Seconds3to10,
    Seconds3to15,
    Seconds4to15,
    Seconds4to30,
    Seconds5to15,
    Seed,
    Share,
    SpeechRate,
    Strict,
    Subjects14,
    Tagged3,
    Tagged16,
    TaggedImage,
    Text1000,
    Text2048,
    Text2500,
    Text3000,
    Text3500,
    Text4000,
    Text5000,
    Text5500,
    Text6000,
    Text15000,
    Text32000,
    TypedImage,
    Video,
    VideoFile,
    VideoReference,
    Videos2,
    Videos3,
    Videos9,
    Videos10,
)

# ---- image to video


class Gen45ImageToVideo(Body, kw_only=True, tag="gen4.5"):
    prompt_text: Text1000
    prompt_image: First
    ratio: values.VideoRatio
    duration: Seconds2to10
    seed: Maybe[Seed] = UNSET
    content_moderation: Maybe[ContentModeration] = UNSET
    output_format: Maybe[RunwayFormat] = UNSET
    prores_profile: Maybe[ProresProfile] = UNSET


class Gen4TurboImageToVideo(Body, kw_only=True, tag="gen4_turbo"):
    prompt_image: First
    ratio: values.VideoRatio
    prompt_text: Maybe[Text1000] = UNSET
    seed: Maybe[Seed] = UNSET
    duration: Maybe[Seconds2to10] = UNSET
    content_moderation: Maybe[ContentModeration] = UNSET


class Gen3aTurboImageToVideo(Body, kw_only=True, tag="gen3a_turbo"):
    prompt_text: Text1000
    prompt_image: FirstLast
    seed: Maybe[Seed] = UNSET
    duration: Maybe[Literal[5, 10]] = UNSET
    ratio: Maybe[values.Gen3Ratio] = UNSET
    content_moderation: Maybe[ContentModeration] = UNSET


class Veo31ImageToVideo(Body, kw_only=True, tag="veo3.1"):
    prompt_image: FirstLast
    ratio: values.VeoRatio
    prompt_text: Maybe[Text1000] = UNSET
    audio: Maybe[bool] = UNSET
    negative_prompt: Maybe[Text1000] = UNSET
    duration: Maybe[Literal[4, 6, 8]] = UNSET
    seed: Maybe[Seed] = UNSET


class Veo31FastImageToVideo(Veo31ImageToVideo, tag="veo3.1_fast"): ...


class Veo3ImageToVideo(Body, kw_only=True, tag="veo3"):
    prompt_image: First
    duration: Literal[8]
    ratio: values.VeoRatio
    prompt_text: Maybe[Text1000] = UNSET
    seed: Maybe[Seed] = UNSET


HailuoResolution = Literal["2K", "768P", "2k", "768p"]


class Hailuo3ImageToVideo(Strict, kw_only=True, tag="hailuo3"):
    prompt_image: Loose9
    prompt_text: Text6000
    resolution: Maybe[HailuoResolution] = UNSET
    duration: Maybe[Seconds5to15] = UNSET
    ratio: Maybe[values.Hailuo3Ratio] = UNSET
    reference_audio: Maybe[Audios3] = UNSET


class HappyhorseImageToVideo(Strict, kw_only=True, tag="happyhorse_1_0"):
    prompt_image: First
    prompt_text: Maybe[Text2500] = UNSET
    resolution: Maybe[Literal["720P", "1080P", "720p", "1080p"]] = UNSET
    duration: Maybe[Seconds3to15] = UNSET


class Seedance2ImageToVideo(Strict, kw_only=True, tag="seedance2"):
    prompt_image: Loose
    prompt_text: Maybe[Text3500] = UNSET
    audio: Maybe[bool] = UNSET
    duration: Maybe[Seconds4to15] = UNSET
    ratio: Maybe[values.Seedance2Ratio] = UNSET
    reference_audio: Maybe[Audios3] = UNSET
    seed: Maybe[Seed] = UNSET


class Seedance2FastImageToVideo(Strict, kw_only=True, tag="seedance2_fast"):
    prompt_image: Loose
    prompt_text: Maybe[Text3500] = UNSET
    audio: Maybe[bool] = UNSET
    duration: Maybe[Seconds4to15] = UNSET
    ratio: Maybe[values.Seedance2FastRatio] = UNSET
    reference_audio: Maybe[Audios3] = UNSET
    seed: Maybe[Seed] = UNSET


class Seedance2MiniImageToVideo(Seedance2FastImageToVideo, tag="seedance2_mini"): ...


class Seedance25ImageToVideo(Strict, kw_only=True, tag="seedance2_5"):
    prompt_image: Loose
    prompt_text: Maybe[Text15000] = UNSET
    audio: Maybe[bool] = UNSET
    duration: Maybe[Seconds4to30] = UNSET
    ratio: Maybe[values.Seedance25Ratio] = UNSET
    reference_audio: Maybe[Audios10] = UNSET
    seed: Maybe[Seed] = UNSET
    draft: Maybe[bool] = UNSET
    output_format: Maybe[Literal["mp4", "mov"]] = UNSET


class GeminiOmniImageToVideo(Body, kw_only=True, tag="gemini_omni_flash"):
    prompt_image: First
    prompt_text: Maybe[Text4000] = UNSET
    ratio: Maybe[values.WideRatio] = UNSET
    duration: Maybe[Seconds3to10] = UNSET


PartnerImageToVideo = (
    Gen45ImageToVideo
    | Veo31ImageToVideo
    | Veo31FastImageToVideo
    | Veo3ImageToVideo
    | Hailuo3ImageToVideo
    | HappyhorseImageToVideo
    | Seedance2ImageToVideo
    | Seedance2FastImageToVideo
    | Seedance2MiniImageToVideo
    | Seedance25ImageToVideo
    | GeminiOmniImageToVideo
    | ImageToVideoLater
)
"""Every model but the two that a relay reads in its own way."""

ImageToVideo = Gen4TurboImageToVideo | Gen3aTurboImageToVideo | PartnerImageToVideo

# ---- text to video


class Gen45TextToVideo(Body, kw_only=True, tag="gen4.5"):
    prompt_text: Text1000
    ratio: values.WideRatio
    duration: Seconds2to10
    seed: Maybe[Seed] = UNSET
    content_moderation: Maybe[ContentModeration] = UNSET
    output_format: Maybe[RunwayFormat] = UNSET
    prores_profile: Maybe[ProresProfile] = UNSET


class Veo31TextToVideo(Body, kw_only=True, tag="veo3.1"):
    prompt_text: Text1000
    ratio: values.VeoRatio
    audio: Maybe[bool] = UNSET
    negative_prompt: Maybe[Text1000] = UNSET
    duration: Maybe[Literal[4, 6, 8]] = UNSET
    seed: Maybe[Seed] = UNSET


class Veo31FastTextToVideo(Veo31TextToVideo, tag="veo3.1_fast"): ...


class Veo3TextToVideo(Body, kw_only=True, tag="veo3"):
    prompt_text: Text1000
    duration: Literal[8]
    ratio: values.VeoRatio
    seed: Maybe[Seed] = UNSET


class Hailuo3TextToVideo(Strict, kw_only=True, tag="hailuo3"):
    prompt_text: Text6000
    resolution: Maybe[HailuoResolution] = UNSET
    duration: Maybe[Seconds5to15] = UNSET
    ratio: Maybe[values.Hailuo3Ratio] = UNSET
    references: Maybe[Images9] = UNSET
    reference_videos: Maybe[Videos3] = UNSET
    reference_audio: Maybe[Audios3] = UNSET


class HappyhorseTextToVideo(Strict, kw_only=True, tag="happyhorse_1_0"):
    prompt_text: Text2500
    duration: Maybe[Seconds3to15] = UNSET
    ratio: Maybe[values.HappyhorseRatio] = UNSET


class Seedance2TextToVideo(Strict, kw_only=True, tag="seedance2"):
    prompt_text: Text3500
    audio: Maybe[bool] = UNSET
    duration: Maybe[Seconds4to15] = UNSET
    ratio: Maybe[values.Seedance2Ratio] = UNSET
    references: Maybe[Images9] = UNSET
    reference_videos: Maybe[Videos3] = UNSET
    reference_audio: Maybe[Audios3] = UNSET
    seed: Maybe[Seed] = UNSET


class Seedance2FastTextToVideo(Strict, kw_only=True, tag="seedance2_fast"):
    prompt_text: Text3500
    audio: Maybe[bool] = UNSET
    duration: Maybe[Seconds4to15] = UNSET
    ratio: Maybe[values.Seedance2FastRatio] = UNSET
    references: Maybe[Images9] = UNSET
    reference_videos: Maybe[Videos3] = UNSET
    reference_audio: Maybe[Audios3] = UNSET
    seed: Maybe[Seed] = UNSET


class Seedance2MiniTextToVideo(Seedance2FastTextToVideo, tag="seedance2_mini"): ...


class Seedance25TextToVideo(Strict, kw_only=True, tag="seedance2_5"):
    prompt_text: Maybe[Text15000] = UNSET
    audio: Maybe[bool] = UNSET
    duration: Maybe[Seconds4to30] = UNSET
    ratio: Maybe[values.Seedance25Ratio] = UNSET
    references: Maybe[Images30] = UNSET
    reference_videos: Maybe[Videos10] = UNSET
    reference_audio: Maybe[Audios10] = UNSET
    seed: Maybe[Seed] = UNSET
    draft: Maybe[bool] = UNSET
    draft_task_id: Maybe[str] = UNSET
    output_format: Maybe[Literal["mp4", "mov"]] = UNSET


class GeminiOmniTextToVideo(Body, kw_only=True, tag="gemini_omni_flash"):
    prompt_text: Text4000
    ratio: Maybe[values.WideRatio] = UNSET
    duration: Maybe[Seconds3to10] = UNSET


TextToVideo = (
    Gen45TextToVideo
    | Veo31TextToVideo
    | Veo31FastTextToVideo
    | Veo3TextToVideo
    | Hailuo3TextToVideo
    | HappyhorseTextToVideo
    | Seedance2TextToVideo
    | Seedance2FastTextToVideo
    | Seedance2MiniTextToVideo
    | Seedance25TextToVideo
    | GeminiOmniTextToVideo
    | TextToVideoLater
)

# ---- video to video


class Aleph2(Strict, kw_only=True, tag="aleph2"):
    video_uri: Video
    prompt_text: Maybe[Text1000] = UNSET
    keyframes: Maybe[Annotated[list[KeyframeOrTime], Meta(min_length=1, max_length=5)]] = UNSET
    seed: Maybe[Seed] = UNSET
    ratio: Maybe[str] = UNSET  # deprecated by the vendor
    target_aspect_ratio: Maybe[values.AlephShape] = UNSET
    content_moderation: Maybe[ContentModeration] = UNSET
    output_format: Maybe[Literal["mp4", "prores", "png_sequence", "sdr_rec709_10bit"]] = UNSET
    prores_profile: Maybe[ProresProfile] = UNSET


class Gen4Aleph(Body, kw_only=True, tag="gen4_aleph"):
    video_uri: Video
    prompt_text: Text1000
    ratio: values.Gen4AlephRatio
    seed: Maybe[Seed] = UNSET
    references: Maybe[list[TypedImage]] = UNSET
    content_moderation: Maybe[ContentModeration] = UNSET


class Hailuo3VideoToVideo(Strict, kw_only=True, tag="hailuo3"):
    prompt_video: Video
    prompt_text: Text6000
    resolution: Maybe[HailuoResolution] = UNSET
    duration: Maybe[Seconds5to15] = UNSET
    ratio: Maybe[values.Hailuo3Ratio] = UNSET
    references: Maybe[Images9] = UNSET
    reference_videos: Maybe[Videos2] = UNSET
    reference_audio: Maybe[Audios3] = UNSET


class Seedance2VideoToVideo(Strict, kw_only=True, tag="seedance2"):
    prompt_video: Video
    prompt_text: Maybe[Text3500] = UNSET
    audio: Maybe[bool] = UNSET
    duration: Maybe[Seconds4to15] = UNSET
    ratio: Maybe[values.Seedance2Ratio] = UNSET
    references: Maybe[Images9] = UNSET
    reference_videos: Maybe[Videos3] = UNSET
    reference_audio: Maybe[Audios3] = UNSET
    seed: Maybe[Seed] = UNSET


class Seedance2FastVideoToVideo(Strict, kw_only=True, tag="seedance2_fast"):
    prompt_video: Video
    prompt_text: Maybe[Text3500] = UNSET
    audio: Maybe[bool] = UNSET
    duration: Maybe[Seconds4to15] = UNSET
    ratio: Maybe[values.Seedance2FastRatio] = UNSET
    references: Maybe[Images9] = UNSET
    reference_videos: Maybe[Videos3] = UNSET
    reference_audio: Maybe[Audios3] = UNSET
    seed: Maybe[Seed] = UNSET


class Seedance2MiniVideoToVideo(Seedance2FastVideoToVideo, tag="seedance2_mini"): ...


class Seedance25VideoToVideo(Strict, kw_only=True, tag="seedance2_5"):
    prompt_video: Video
    prompt_text: Maybe[Text15000] = UNSET
    audio: Maybe[bool] = UNSET
    mode: Maybe[Literal["reference", "extend", "edit"]] = UNSET
    duration: Maybe[Seconds4to30] = UNSET
    ratio: Maybe[values.Seedance25Ratio] = UNSET
    references: Maybe[Images30] = UNSET
    reference_videos: Maybe[Videos9] = UNSET
    reference_audio: Maybe[Audios10] = UNSET
    seed: Maybe[Seed] = UNSET
    draft: Maybe[bool] = UNSET
    output_format: Maybe[Literal["mp4", "mov"]] = UNSET


class GeminiOmniVideoToVideo(Strict, kw_only=True, tag="gemini_omni_flash"):
    video_uri: Video
    prompt_text: Text4000
    references: Maybe[Images5] = UNSET


VideoToVideo = (
    Aleph2
    | Gen4Aleph
    | Hailuo3VideoToVideo
    | Seedance2VideoToVideo
    | Seedance2FastVideoToVideo
    | Seedance2MiniVideoToVideo
    | Seedance25VideoToVideo
    | GeminiOmniVideoToVideo
    | VideoToVideoLater
)

# ---- text to image


class Gen4Image(Body, kw_only=True, tag="gen4_image"):
    prompt_text: Text1000
    ratio: values.Gen4ImageRatio
    seed: Maybe[Seed] = UNSET
    reference_images: Maybe[Tagged3] = UNSET
    content_moderation: Maybe[ContentModeration] = UNSET


class Gen4ImageTurbo(Body, kw_only=True, tag="gen4_image_turbo"):
    prompt_text: Text1000
    ratio: values.Gen4ImageRatio
    # required by the newer schema; SDKs of 2025 call without, so it may be absent, though not empty
    reference_images: Maybe[Annotated[list[TaggedImage], Meta(min_length=1, max_length=3)]] = UNSET
    seed: Maybe[Seed] = UNSET
    content_moderation: Maybe[ContentModeration] = UNSET


class GptImage2(Strict, kw_only=True, tag="gpt_image_2"):
    prompt_text: Text32000
    ratio: values.GptImage2Ratio
    quality: Maybe[Literal["low", "medium", "high", "auto"]] = UNSET
    background: Maybe[Literal["transparent", "opaque", "auto"]] = UNSET
    reference_images: Maybe[Tagged16] = UNSET
    output_count: Maybe[Annotated[int, Meta(ge=1, le=10)]] = UNSET


class GeminiImage3Pro(Strict, kw_only=True, tag="gemini_image3_pro"):
    prompt_text: Text5500
    ratio: values.GeminiImage3ProRatio
    reference_images: Maybe[Subjects14] = UNSET
    output_count: Maybe[Literal[1, 4]] = UNSET


class GeminiImage31Flash(Body, kw_only=True, tag="gemini_image3.1_flash"):
    prompt_text: Text5500
    ratio: values.GeminiImage31FlashRatio
    reference_images: Maybe[Subjects14] = UNSET
    output_count: Maybe[Literal[1, 4]] = UNSET


class Seedream5Pro(Strict, kw_only=True, tag="seedream5_pro"):
    prompt_text: Text4000
    ratio: values.Seedream5ProRatio
    output_format: Maybe[Literal["png", "jpeg"]] = UNSET
    reference_images: Maybe[Images10] = UNSET
    output_count: Maybe[Annotated[int, Meta(ge=1, le=4)]] = UNSET
    grounding: Maybe[bool] = UNSET


class Seedream5Lite(Strict, kw_only=True, tag="seedream5_lite"):
    prompt_text: Text4000
    ratio: values.Seedream5LiteRatio
    output_format: Maybe[Literal["png", "jpeg"]] = UNSET
    reference_images: Maybe[Images14] = UNSET
    output_count: Maybe[Annotated[int, Meta(ge=1, le=4)]] = UNSET
    grounding: Maybe[bool] = UNSET


class Gemini25Flash(Body, kw_only=True, tag="gemini_2.5_flash"):
    prompt_text: Text5500
    ratio: values.Gemini25FlashRatio
    reference_images: Maybe[Tagged3] = UNSET


TextToImage = (
    Gen4Image
    | Gen4ImageTurbo
    | GptImage2
    | GeminiImage3Pro
    | GeminiImage31Flash
    | Seedream5Pro
    | Seedream5Lite
    | Gemini25Flash
    | TextToImageLater
)

# ---- upscaling and performance


class ImageUpscale(Lone, kw_only=True, forbid_unknown_fields=True):
    model: Literal["magnific_precision_upscaler_v2"]
    image_uri: Image
    scale_factor: Maybe[Literal[2, 4, 8, 16]] = UNSET
    sharpen: Maybe[Percent] = UNSET
    smart_grain: Maybe[Percent] = UNSET
    ultra_detail: Maybe[Percent] = UNSET
    flavor: Maybe[Literal["sublime", "photo", "photo_denoiser"]] = UNSET


class MagnificVideoUpscale(Strict, kw_only=True, tag="magnific_video_upscaler_creative"):
    video_uri: Video
    resolution: Maybe[Literal["720p", "1k", "2k", "4k"]] = UNSET
    creativity: Maybe[Percent] = UNSET
    sharpen: Maybe[Percent] = UNSET
    smart_grain: Maybe[Percent] = UNSET
    flavor: Maybe[Literal["vivid", "natural"]] = UNSET
    fps_boost: Maybe[bool] = UNSET


class UpscaleV1(Body, kw_only=True, tag="upscale_v1"):
    video_uri: Video


VideoUpscale = MagnificVideoUpscale | UpscaleV1 | VideoUpscaleLater


class CharacterPerformance(Lone, kw_only=True):
    model: Literal["act_two"]
    character: ImageFile | VideoFile
    reference: VideoReference
    seed: Maybe[Seed] = UNSET
    body_control: Maybe[bool] = UNSET
    expression_intensity: Maybe[Annotated[int, Meta(ge=1, le=5)]] = UNSET
    ratio: Maybe[values.VideoRatio] = UNSET
    content_moderation: Maybe[ContentModeration] = UNSET


# ---- sound


SpokenFormat = Literal["wav", "mp3", "ogg_opus"]


class SeedSpeech(Strict, kw_only=True, tag="seed_audio"):
    prompt_text: Text2048
    voice: Maybe[ReferenceVoice] = UNSET
    speech_rate: Maybe[SpeechRate] = UNSET
    loudness_rate: Maybe[SpeechRate] = UNSET
    pitch_rate: Maybe[PitchRate] = UNSET
    sample_rate: Maybe[SampleRate] = UNSET
    output_format: Maybe[SpokenFormat] = UNSET


class ElevenMultilingual(Body, kw_only=True, tag="eleven_multilingual_v2"):
    prompt_text: Text1000
    voice: PresetVoice


class ElevenV3(Body, kw_only=True, tag="eleven_v3"):
    prompt_text: Text5000
    voice: PresetVoice
    stability: Maybe[Share] = UNSET
    similarity_boost: Maybe[Share] = UNSET
    style: Maybe[Share] = UNSET
    speed: Maybe[Annotated[float, Meta(ge=0.7, le=1.2)]] = UNSET
    use_speaker_boost: Maybe[bool] = UNSET
    language_code: Maybe[Annotated[str, Meta(min_length=2, max_length=5)]] = UNSET
    apply_text_normalization: Maybe[Literal["auto", "on", "off"]] = UNSET
    seed: Maybe[Seed] = UNSET


TextToSpeech = SeedSpeech | ElevenMultilingual | ElevenV3 | TextToSpeechLater


class SeedSound(Strict, kw_only=True, tag="seed_audio"):
    prompt_text: Text2048
    reference_audios: Maybe[Annotated[list[Audio], Meta(max_length=3)]] = UNSET
    speech_rate: Maybe[SpeechRate] = UNSET
    loudness_rate: Maybe[SpeechRate] = UNSET
    pitch_rate: Maybe[PitchRate] = UNSET
    sample_rate: Maybe[SampleRate] = UNSET
    output_format: Maybe[SpokenFormat] = UNSET


class ElevenSound(Body, kw_only=True, tag="eleven_text_to_sound_v2"):
    prompt_text: Text3000
    duration: Maybe[Annotated[float, Meta(ge=0.5, le=30)]] = UNSET
    loop: Maybe[bool] = UNSET


SoundEffect = SeedSound | ElevenSound | SoundEffectLater


class SpeechToSpeech(Lone, kw_only=True):
    model: Literal["eleven_multilingual_sts_v2"]
    media: AudioFile | VideoFile
    voice: PresetVoice
    remove_background_noise: Maybe[bool] = UNSET


class VoiceDubbing(Lone, kw_only=True):
    model: Literal["eleven_voice_dubbing"]
    audio_uri: Audio
    target_lang: values.Language
    disable_voice_cloning: Maybe[bool] = UNSET
    drop_background_audio: Maybe[bool] = UNSET
    num_speakers: Maybe[Annotated[int, Meta(ge=0, le=SAFE)]] = UNSET


class VoiceIsolation(Lone, kw_only=True):
    model: Literal["eleven_voice_isolation"]
    audio_uri: Audio


# ---- known from the Python SDK 5.24 only: fields and values, no bounds


class VideoToAudio(Lone, kw_only=True):
    model: Literal["mirelo_sfx_2_0"]
    video_uri: Video
    duration: Annotated[float, Meta(ge=0)]
    format: Maybe[Literal["mp3", "wav", "flac"]] = UNSET
    negative_prompt: Maybe[str] = UNSET
    num_variants: Maybe[Annotated[int, Meta(ge=1, le=SAFE)]] = UNSET
    preserve_speech: Maybe[bool] = UNSET
    prompt_text: Maybe[str] = UNSET
    seed: Maybe[Seed] = UNSET


HdrFormat = Literal[
    "hdr10",
    "hlg",
    "hdr_prores",
    "hdr_exr_sequence",
    "hdr_exr_acescg_sequence_1_3",
    "hdr_exr_acescg_sequence_2_0",
]


class VideoToHdr(Lone, kw_only=True):
    model: Literal["ruby"]
    video_uri: Video
    output_format: Maybe[HdrFormat] = UNSET
    prores_profile: Maybe[Literal["422", "4444", "422 HQ"]] = UNSET


# ---- endpoints

ENDPOINTS: dict[Operation, Any] = {
    Operation.IMAGE_TO_VIDEO: ImageToVideo,
    Operation.TEXT_TO_VIDEO: TextToVideo,
    Operation.VIDEO_TO_VIDEO: VideoToVideo,
    Operation.TEXT_TO_IMAGE: TextToImage,
    Operation.CHARACTER_PERFORMANCE: CharacterPerformance,
    Operation.IMAGE_UPSCALE: ImageUpscale,
    Operation.VIDEO_UPSCALE: VideoUpscale,
    Operation.TEXT_TO_SPEECH: TextToSpeech,
    Operation.SOUND_EFFECT: SoundEffect,
    Operation.SPEECH_TO_SPEECH: SpeechToSpeech,
    Operation.VOICE_DUBBING: VoiceDubbing,
    Operation.VOICE_ISOLATION: VoiceIsolation,
    Operation.VIDEO_TO_AUDIO: VideoToAudio,
    Operation.VIDEO_TO_HDR: VideoToHdr,
}
"""The vendor's paths are named as our operations are."""

# ---- uploads and usage

EXTENSIONS = {
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "mp4": "video/mp4",
    "m4v": "video/mp4",
    "mov": "video/quicktime",
    "webm": "video/webm",
    "mkv": "video/x-matroska",
    "avi": "video/x-msvideo",
    "ogv": "video/ogg",
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "flac": "audio/flac",
    "m4a": "audio/mp4",
    "aac": "audio/aac",
    "ogg": "audio/ogg",
    "opus": "audio/ogg",
}
# JSON Schema has no flag for upper case, so each letter stands in both.
ANY_CASE = "|".join("".join(f"[{c}{c.upper()}]" if c.isalpha() else c for c in each) for each in EXTENSIONS)
FILENAME_PATTERN = rf"\.({ANY_CASE})$"


class UploadBody(Struct, frozen=True, kw_only=True):
    filename: Annotated[str, Meta(min_length=3, max_length=255, pattern=FILENAME_PATTERN)]
    type: Literal["ephemeral"]


DATE_PATTERN = r"^\d{4}-\d{2}-\d{2}$"
Day = Annotated[str, Meta(pattern=DATE_PATTERN, extra_json_schema={"format": "date"})]


class UsageBody(Struct, frozen=True, kw_only=True, rename="camel"):
    start_date: Maybe[Day] = UNSET
    before_date: Maybe[Day] = UNSET
