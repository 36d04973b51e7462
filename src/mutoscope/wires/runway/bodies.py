"""Runway's request bodies: for each path a row a model, told apart by `model`.

Bounds are those of the vendor's schema of August 2026, together with the retired models that older SDKs and
relays still send. A few members and values that only the Python SDK 5.24 names are let in beside them.
"""

from functools import partial
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct

from mutoscope.model.job import Json, Operation
from mutoscope.wirekit.members import many, text, whole
from mutoscope.wires.runway import later, values
from mutoscope.wires.runway import pieces as p
from mutoscope.wires.runway.pieces import Maybe, Seed, body, needs

table = partial(p.bodies, module=__name__)
strict = partial(body, strict=True)
lone = partial(body, lone=True)

# fmt: off
MODERATED = needs(content_moderation=p.ContentModeration)
MASTERED = needs(output_format=p.RunwayFormat, prores_profile=p.ProresProfile)
OPTIONS = MODERATED | MASTERED
VOICED = needs(audio=bool, negative_prompt=text(1000), duration=Literal[4, 6, 8], seed=Seed)
HAILUO = needs(resolution=Literal["2K", "768P", "2k", "768p"], duration=whole(5, 15), ratio=values.Hailuo3Ratio)
SOUNDS3, SOUNDS10 = needs(reference_audio=many(p.Sound, 3)), needs(reference_audio=many(p.Sound, 10))
DRAFTED = needs(draft=bool, output_format=Literal["mp4", "mov"])
REFERRING = needs(references=many(p.PlainImage, 9), reference_videos=many(p.Clip, 3)) | SOUNDS3


def seedance(ratio: Any, longest: int = 15) -> Json:
    return needs(audio=bool, duration=whole(4, longest) | p.Auto, ratio=ratio)


S2, S2_FAST = seedance(values.Seedance2Ratio), seedance(values.Seedance2FastRatio)
S25 = seedance(values.Seedance25Ratio, 30)
S25_REFERRING = needs(references=many(p.PlainImage, 30), reference_videos=many(p.Clip, 10)) | SOUNDS10

# ---- videos

OwnImageToVideo = table(
    Operation.IMAGE_TO_VIDEO,
    body("gen4_turbo", needs(prompt_image=p.First, ratio=values.VideoRatio),
         prompt_text=text(1000), seed=Seed, duration=whole(2, 10), **MODERATED),
    body("gen3a_turbo", needs(prompt_text=text(1000), prompt_image=p.FirstLast),
         seed=Seed, duration=Literal[5, 10], ratio=values.Gen3Ratio, **MODERATED),
)
"""Models that a relay reads in its own way."""
PartnerImageToVideo = table(
    Operation.IMAGE_TO_VIDEO,
    body("gen4.5", needs(prompt_text=text(1000), prompt_image=p.First, ratio=values.VideoRatio,
                         duration=whole(2, 10)), seed=Seed, **OPTIONS),
    body("veo3.1 veo3.1_fast", needs(prompt_image=p.FirstLast, ratio=values.VeoRatio),
         prompt_text=text(1000), **VOICED),
    body("veo3", needs(prompt_image=p.First, duration=Literal[8], ratio=values.VeoRatio),
         prompt_text=text(1000), seed=Seed),
    strict("hailuo3", needs(prompt_image=p.Loose9, prompt_text=text(6000)), **HAILUO, **SOUNDS3),
    strict("happyhorse_1_0", needs(prompt_image=p.First), prompt_text=text(2500, 2),
           resolution=Literal["720P", "1080P", "720p", "1080p"], duration=whole(3, 15)),
    strict("seedance2", needs(prompt_image=p.Loose), prompt_text=text(3500), **S2, **SOUNDS3, seed=Seed),
    strict("seedance2_fast seedance2_mini", needs(prompt_image=p.Loose),
           prompt_text=text(3500), **S2_FAST, **SOUNDS3, seed=Seed),
    strict("seedance2_5", needs(prompt_image=p.Loose), prompt_text=text(15000), **S25, **SOUNDS10, seed=Seed,
           **DRAFTED),
    body("gemini_omni_flash", needs(prompt_image=p.First), prompt_text=text(4000), ratio=values.WideRatio,
         duration=whole(3, 10)),
) | later.ImageToVideo
ImageToVideo = OwnImageToVideo | PartnerImageToVideo

TextToVideo = table(
    Operation.TEXT_TO_VIDEO,
    body("gen4.5", needs(prompt_text=text(1000), ratio=values.WideRatio, duration=whole(2, 10)),
         seed=Seed, **OPTIONS),
    body("veo3.1 veo3.1_fast", needs(prompt_text=text(1000), ratio=values.VeoRatio), **VOICED),
    body("veo3", needs(prompt_text=text(1000), duration=Literal[8], ratio=values.VeoRatio), seed=Seed),
    strict("hailuo3", needs(prompt_text=text(6000)), **HAILUO, **REFERRING),
    strict("happyhorse_1_0", needs(prompt_text=text(2500, 2)), duration=whole(3, 15), ratio=values.HappyhorseRatio),
    strict("seedance2", needs(prompt_text=text(3500)), **S2, **REFERRING, seed=Seed),
    strict("seedance2_fast seedance2_mini", needs(prompt_text=text(3500)), **S2_FAST, **REFERRING, seed=Seed),
    strict("seedance2_5", {}, prompt_text=text(15000), **S25, **S25_REFERRING, seed=Seed, draft=bool,
           draft_task_id=str, output_format=Literal["mp4", "mov"]),
    body("gemini_omni_flash", needs(prompt_text=text(4000)), ratio=values.WideRatio, duration=whole(3, 10)),
) | later.TextToVideo

VideoToVideo = table(
    Operation.VIDEO_TO_VIDEO,
    strict("aleph2", needs(video_uri=p.Video), prompt_text=text(1000),
           keyframes=many(p.Keyframe, 5, 1), seed=Seed,
           ratio=str,  # deprecated by the vendor
           target_aspect_ratio=values.AlephShape, **MODERATED,
           output_format=Literal["mp4", "prores", "png_sequence", "sdr_rec709_10bit"], prores_profile=p.ProresProfile),
    body("gen4_aleph", needs(video_uri=p.Video, prompt_text=text(1000), ratio=values.Gen4AlephRatio), seed=Seed,
         references=many(p.TypedImage), **MODERATED),
    strict("hailuo3", needs(prompt_video=p.Video, prompt_text=text(6000)), **HAILUO, references=many(p.PlainImage, 9),
           reference_videos=many(p.Clip, 2), **SOUNDS3),
    strict("seedance2", needs(prompt_video=p.Video), prompt_text=text(3500), **S2, **REFERRING, seed=Seed),
    strict("seedance2_fast seedance2_mini", needs(prompt_video=p.Video),
           prompt_text=text(3500), **S2_FAST, **REFERRING, seed=Seed),
    strict("seedance2_5", needs(prompt_video=p.Video), prompt_text=text(15000), audio=bool,
           mode=Literal["reference", "extend", "edit"], duration=whole(4, 30) | p.Auto, ratio=values.Seedance25Ratio,
           references=many(p.PlainImage, 30), reference_videos=many(p.Clip, 9), **SOUNDS10, seed=Seed, **DRAFTED),
    strict("gemini_omni_flash", needs(video_uri=p.Video, prompt_text=text(4000)), references=many(p.PlainImage, 5)),
) | later.VideoToVideo

# ---- pictures

PNG = needs(output_format=Literal["png", "jpeg"])
UP_TO_4 = needs(output_count=whole(1, 4))


def drawn(longest: Any, ratio: Any) -> Json:
    return needs(prompt_text=longest, ratio=ratio)


TextToImage = table(
    Operation.TEXT_TO_IMAGE,
    body("gen4_image", drawn(text(1000), values.Gen4ImageRatio), seed=Seed,
         reference_images=many(p.TaggedImage, 3), **MODERATED),
    # the newer schema requires the references; SDKs of 2025 call without, so they may be absent, though not empty
    body("gen4_image_turbo", drawn(text(1000), values.Gen4ImageRatio),
         reference_images=many(p.TaggedImage, 3, 1), seed=Seed, **MODERATED),
    strict("gpt_image_2", drawn(text(32000), values.GptImage2Ratio), quality=Literal["low", "medium", "high", "auto"],
           background=Literal["transparent", "opaque", "auto"], reference_images=many(p.TaggedImage, 16),
           output_count=whole(1, 10)),
    strict("gemini_image3_pro", drawn(text(5500), values.GeminiImage3ProRatio),
           reference_images=many(p.SubjectImage, 14), output_count=Literal[1, 4]),
    body("gemini_image3.1_flash", drawn(text(5500), values.GeminiImage31FlashRatio),
         reference_images=many(p.SubjectImage, 14), output_count=Literal[1, 4]),
    strict("seedream5_pro", drawn(text(4000), values.Seedream5ProRatio), **PNG,
           reference_images=many(p.PlainImage, 10), **UP_TO_4, grounding=bool),
    strict("seedream5_lite", drawn(text(4000), values.Seedream5LiteRatio), **PNG,
           reference_images=many(p.PlainImage, 14), **UP_TO_4, grounding=bool),
    body("gemini_2.5_flash", drawn(text(5500), values.Gemini25FlashRatio), reference_images=many(p.TaggedImage, 3)),
) | later.TextToImage

ImageUpscale = table(
    Operation.IMAGE_UPSCALE,
    strict("magnific_precision_upscaler_v2", needs(image_uri=p.Image), lone=True, scale_factor=Literal[2, 4, 8, 16],
           sharpen=p.Percent, smart_grain=p.Percent, ultra_detail=p.Percent,
           flavor=Literal["sublime", "photo", "photo_denoiser"]),
)

# ---- what is made of videos

VideoUpscale = table(
    Operation.VIDEO_UPSCALE,
    strict("magnific_video_upscaler_creative", needs(video_uri=p.Video), resolution=Literal["720p", "1k", "2k", "4k"],
           creativity=p.Percent, sharpen=p.Percent, smart_grain=p.Percent, flavor=Literal["vivid", "natural"],
           fps_boost=bool),
    body("upscale_v1", needs(video_uri=p.Video)),
) | later.VideoUpscale

CharacterPerformance = table(
    Operation.CHARACTER_PERFORMANCE,
    lone("act_two", needs(character=p.ImageFile | p.VideoFile, reference=p.Clip), seed=Seed,
         body_control=bool, expression_intensity=whole(1, 5), ratio=values.VideoRatio,
         **MODERATED),
)

# Known from the Python SDK 5.24 only: members and values, no bounds.
VideoToAudio = table(
    Operation.VIDEO_TO_AUDIO,
    lone("mirelo_sfx_2_0", needs(video_uri=p.Video, duration=p.Positive), format=Literal["mp3", "wav", "flac"],
         negative_prompt=str, num_variants=whole(1, p.SAFE), preserve_speech=bool,
         prompt_text=str, seed=Seed),
)
VideoToHdr = table(
    Operation.VIDEO_TO_HDR,
    lone("ruby", needs(video_uri=p.Video),
         output_format=Literal["hdr10", "hlg", "hdr_prores", "hdr_exr_sequence", "hdr_exr_acescg_sequence_1_3",
                               "hdr_exr_acescg_sequence_2_0"],
         prores_profile=Literal["422", "4444", "422 HQ"]),
)

# ---- sound

RATES = needs(speech_rate=whole(-50, 100), loudness_rate=whole(-50, 100), pitch_rate=whole(-12, 12),
              sample_rate=p.SampleRate, output_format=Literal["wav", "mp3", "ogg_opus"])

TextToSpeech = table(
    Operation.TEXT_TO_SPEECH,
    strict("seed_audio", needs(prompt_text=text(2048)), voice=p.ReferenceVoice, **RATES),
    body("eleven_multilingual_v2", needs(prompt_text=text(1000), voice=p.PresetVoice)),
    body("eleven_v3", needs(prompt_text=text(5000), voice=p.PresetVoice), stability=p.Share, similarity_boost=p.Share,
         style=p.Share, speed=Annotated[float, Meta(ge=0.7, le=1.2)], use_speaker_boost=bool,
         language_code=text(5, 2),
         apply_text_normalization=Literal["auto", "on", "off"], seed=Seed),
) | later.TextToSpeech

SoundEffect = table(
    Operation.SOUND_EFFECT,
    strict("seed_audio", needs(prompt_text=text(2048)),
           reference_audios=many(p.Audio, 3), **RATES),
    body("eleven_text_to_sound_v2", needs(prompt_text=text(3000)), duration=Annotated[float, Meta(ge=0.5, le=30)],
         loop=bool),
) | later.SoundEffect

SpeechToSpeech = table(
    Operation.SPEECH_TO_SPEECH,
    lone("eleven_multilingual_sts_v2", needs(media=p.AudioFile | p.VideoFile, voice=p.PresetVoice),
         remove_background_noise=bool),
)
VoiceDubbing = table(
    Operation.VOICE_DUBBING,
    lone("eleven_voice_dubbing", needs(audio_uri=p.Audio, target_lang=values.Language), disable_voice_cloning=bool,
         drop_background_audio=bool, num_speakers=whole(0, p.SAFE)),
)
VoiceIsolation = table(
    Operation.VOICE_ISOLATION,
    lone("eleven_voice_isolation", needs(audio_uri=p.Audio)),
)
# fmt: on

# ---- the paths

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
