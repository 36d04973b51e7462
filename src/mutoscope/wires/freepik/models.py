"""Freepik's other models, a row each: path, what is made, maker, and the body as the vendor's description has it.

In a body `*` marks what must be there, `=` the vendor's default, `1..5` bounds (an end left open has none), `a|b` a
closed list (`int 5|10` one of numbers), `[1..5 str]` a list with its lengths, `{…}` an object, `/…/` a pattern and a
name in capitals one of `SETS`. A member that names a file is a `url`, or as `str` and `b64` a URL, a data URI or
base64. `webhook_url: url` is added to each. `catalogue.py` makes types and endpoints of it.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from mutoscope.model.job import Json, MediaLimits, Operation, Role
from mutoscope.wirekit.back import Way
from mutoscope.wirekit.fields import AnyField, FileField, extra, same, unless
from mutoscope.wires import _wan

Makes = Mapping[Role | None, Operation]
PICTURE: Makes = {None: Operation.TEXT_TO_IMAGE}
EITHER: Makes = {Role.IMAGE: Operation.IMAGE_TO_IMAGE, None: Operation.TEXT_TO_IMAGE}
GUIDED: Makes = {Role.REFERENCE: Operation.IMAGE_TO_IMAGE, None: Operation.TEXT_TO_IMAGE}
CHANGED: Makes = {None: Operation.IMAGE_TO_IMAGE}
WORDS: Makes = {None: Operation.TEXT_TO_VIDEO}
START: Makes = {None: Operation.IMAGE_TO_VIDEO}
CLIP: Makes = {Role.FIRST_FRAME: Operation.IMAGE_TO_VIDEO, None: Operation.TEXT_TO_VIDEO}
ENDS: Makes = {
    Role.FIRST_FRAME: Operation.IMAGE_TO_VIDEO, Role.LAST_FRAME: Operation.IMAGE_TO_VIDEO, None: Operation.TEXT_TO_VIDEO
}  # fmt: skip
REMADE: Makes = {None: Operation.VIDEO_TO_VIDEO}
ACTED: Makes = {None: Operation.CHARACTER_PERFORMANCE}
LEARNT: Makes = {None: Operation.FINETUNE}
SPOKEN: Makes = {None: Operation.LIP_SYNC}
LARGER: Makes = {None: Operation.IMAGE_UPSCALE}
LARGER_CLIP: Makes = {None: Operation.VIDEO_UPSCALE}
WIDER: Makes = {None: Operation.IMAGE_OUTPAINT}
CUT_OUT: Makes = {None: Operation.BACKGROUND_REMOVAL}
FILLED: Makes = {None: Operation.IMAGE_INPAINT}
SOUND: Makes = {None: Operation.SOUND_EFFECT}
VOICE: Makes = {None: Operation.VOICE_ISOLATION}
MUSIC: Makes = {None: Operation.TEXT_TO_MUSIC}
SPEECH: Makes = {None: Operation.TEXT_TO_SPEECH}
TOLD: Makes = {None: Operation.IMAGE_TO_TEXT}
WRITTEN: Makes = {None: Operation.TEXT_TO_TEXT}

# fmt: off
SETS: Mapping[str, str] = {
    "AR10": "square_1_1|classic_4_3|traditional_3_4|widescreen_16_9|social_story_9_16|standard_3_2|portrait_2_3"
            "|horizontal_2_1|vertical_1_2|social_post_4_5",
    "AR13": "square_1_1|classic_4_3|traditional_3_4|widescreen_16_9|social_story_9_16|smartphone_horizontal_20_9"
            "|smartphone_vertical_9_20|standard_3_2|portrait_2_3|horizontal_2_1|vertical_1_2|social_5_4"
            "|social_post_4_5",
    "AR8": "square_1_1|widescreen_16_9|social_story_9_16|portrait_2_3|traditional_3_4|standard_3_2|classic_4_3"
           "|cinematic_21_9",
    "AR7": "square_1_1|widescreen_16_9|social_story_9_16|portrait_2_3|traditional_3_4|standard_3_2|classic_4_3",
    "ARF": "film_horizontal_21_9|widescreen_16_9|classic_4_3|square_1_1|traditional_3_4|social_story_9_16"
           "|film_vertical_9_21",
    "AR5": "widescreen_16_9|classic_4_3|square_1_1|traditional_3_4|social_story_9_16",
    "AR3": "widescreen_16_9|social_story_9_16|square_1_1",
    "RA5": "16:9|9:16|1:1|4:3|3:4",
    "D3_15": "3|4|5|6|7|8|9|10|11|12|13|14|15",
    "CAM": "horizontal_left|horizontal_right|vertical_up|vertical_down|zoom_in|zoom_out|crane_up|quickly_zoom_in"
           "|quickly_zoom_out|smooth_zoom_in|camera_rotation|robo_arm|super_dolly_out|whip_pan|hitchcock|left_follow"
           "|right_follow|pan_left|pan_right|fix_bg",
    "RWV6": "1280:720|720:1280|1104:832|832:1104|960:960|1584:672",
    "U32": "0..4294967295",
    "I31": "0..2147483647",
    "COLORS": "[1..5 {color*: str /^#[0-9A-F]{6}$/, weight*: num 0.05..1}]",
    "FXB": "{color: b&w|pastel|sepia|dramatic|vibrant|orange&teal|film-filter|split|electric|pastel-pink|gold-glow"
           "|autumn|muted-green|deep-teal|duotone|terracotta&teal|red&blue|cold-neon|burgundy&blue,"
           " lightning: studio|warm|cinematic|volumetric|golden-hour|long-exposure|cold|iridescent|dramatic|hardlight"
           "|redscale|indoor-light,"
           " framing: portrait|macro|panoramic|aerial-view|close-up|cinematic|high-angle|low-angle|symmetry|fish-eye"
           "|first-person}",
    "FXA": "{color: softhue|b&w|goldglow|vibrant|coldneon,"
           " framing: portrait|lowangle|midshot|wideshot|tiltshot|aerial,"
           " lightning: iridescent|dramatic|goldenhour|longexposure|indorlight|flash|neon}",
    "ST24": "photo|digital-art|3d|painting|low-poly|pixel-art|anime|cyberpunk|comic|vintage|cartoon|vector|studio-shot"
            "|dark|sketch|mockup|2000s-pone|70s-vibe|watercolor|art-nouveau|origami|surreal|fantasy|traditional-japan",
    "ELEM": "[{reference_image_urls: [str], frontal_image_url: str}]",
    "PSV": "anime|3d_animation|clay|cyberpunk|comic",
    "MASKS": "static_mask: str; dynamic_masks: [{mask*: str, trajectories*: [{x*: int, y*: int}]}]",
}
# fmt: on


# -- the files that a maker's models take ----------------------------------------------------

# fmt: off
WAN_FILES = {"image": _wan.IMAGE, "video": _wan.VIDEO, "audio": _wan.AUDIO}
WAN_OLDER = {"image": MediaLimits(types=("image/jpeg", "image/png", "image/webp"), max_bytes=10 << 20, min_side=240,
                                  max_side=8000)}
FRAMED = MediaLimits(max_bytes=10 << 20, min_side=300, min_aspect=1 / 2.5, max_aspect=2.5)
JPEG_OR_PNG = ("image/jpeg", "image/png")
KLING = {"image": replace(FRAMED, types=JPEG_OR_PNG)}
KLING_TURBO = {"image": replace(FRAMED, types=JPEG_OR_PNG, max_bytes=50 << 20)}
KLING_REMADE = KLING | {"video": MediaLimits(min_side=720, max_side=2160, min_seconds=3, max_seconds=10)}
MOVES = MediaLimits(types=("video/mp4", "video/quicktime", "video/webm"), min_seconds=3, max_seconds=30)
KLING_ACTED = {"image": replace(FRAMED, types=(*JPEG_OR_PNG, "image/webp")), "video": MOVES}
FACING = ("character_orientation", {"image": KLING_ACTED | {"video": replace(MOVES, max_seconds=10)}})
MINIMAX = {"image": MediaLimits(types=JPEG_OR_PNG, max_bytes=20 << 20, min_side=301, min_aspect=0.4, max_aspect=2.5)}
HORSE = {
    "image": FRAMED,
    "video": MediaLimits(types=("video/mp4", "video/quicktime"), max_bytes=100 << 20, min_side=320, max_side=2160,
                         min_seconds=3, max_seconds=60, above_fps=8),
}
HEARD = ("resolution", {tier: {"audio": MediaLimits(max_seconds=most)} for tier, most in (("720p", 60), ("1080p", 30))})
LARGEST = 25_300_000  # pixels of an enlarged picture
ENLARGED = (
    "scale_factor", {f"{by}x": {"image": MediaLimits(max_pixels=LARGEST // by**2)} for by in (2, 4, 8, 16)},
)
# fmt: on


class Sold(Struct, frozen=True, kw_only=True):
    """One model, or several that differ in their paths only."""

    paths: tuple[str, ...]
    makes: Makes
    maker: str  # whose model it is
    body: str
    reads: str = ""  # the path at which several models' tasks are read and listed; "": their own
    answer: str = "task"  # what a create answers, where not a task: a word of `ANSWERS` in `api.py`
    says: Json = {}  # see `Endpoint`
    one_of: tuple[str, ...] = ()  # of these at least one is to be there
    apart: tuple[str, ...] = ()  # of these at most one
    never: tuple[str, ...] = ()  # what the body of the model's siblings has and this one refuses
    needs: Mapping[str, str] = {}  # a member that says nothing without another one
    narrows: tuple[tuple[str, str, str, tuple[int, ...]], ...] = ()  # member, its value → what another may then be
    together: tuple[tuple[str, ...], int] | None = None  # lists that have so many items together at the most
    lasting: tuple[str, int] | None = None  # a list whose items' `duration` is so many seconds in all at the most
    limits: Mapping[str, MediaLimits] = {}  # of the files, by their family: image, video, audio
    limits_by: tuple[str, Mapping[str, Mapping[str, MediaLimits]]] | None = None  # the same, by what a member says
    example: Json = {}  # where one made from the bounds would not do
    means: Mapping[str, AnyField | None] = {}  # members that say something else than elsewhere; None: nothing of ours
    tier: str = "720p"  # of a clip, where neither the path nor the body has one
    side: int = 1024  # of a square picture, where the body has no tiers
    longest: int | None = None  # side of a picture
    webhook: bool = True


def sold(paths: str, makes: Makes, maker: str, body: str, **more: Any) -> Sold:
    return Sold(paths=tuple(paths.split()), makes=makes, maker=maker, body=" ".join(body.split()), **more)


SHORT_AT_1080P = (("resolution", "1080p", "duration", (5,)),)

WAYS = (Way.LINK, Way.UPLOAD, Way.DATA)
REFERENCE = FileField(role=Role.REFERENCE, ways=WAYS)
REFERENCES = FileField(role=Role.REFERENCE, ways=(Way.LINK, Way.UPLOAD), many=True)

# fmt: off
TABLE: tuple[Sold, ...] = (
    # Text to image, mystic
    sold("text-to-image", PICTURE, "freepik", """
         prompt*: str 3..; negative_prompt: str 3..; styling: {style: ST24, colors: COLORS, effects: FXB};
         guidance_scale: num 0..2 =1.0; image: {size*: AR13 =square_1_1}; num_images: int 1..4 =1;
         seed: int 0..1000000; filter_nsfw: bool
         """, answer="picture", webhook=False),
    sold("text-to-image/flux-dev", PICTURE, "flux", """
         prompt*: str; aspect_ratio: AR10 =square_1_1; styling: {effects: FXA, colors: COLORS};
         seed: int 1..4294967295
         """, answer="brief"),
    sold("text-to-image/flux-pro-v1-1", PICTURE, "flux", """
         prompt*: str; prompt_upsampling: bool =false; seed: int; aspect_ratio: AR10 =square_1_1;
         safety_tolerance: int 0..6 =2; output_format: jpeg|png
         """, answer="brief"),
    sold("text-to-image/flux-kontext-pro", EITHER, "flux", """
         prompt*: str; input_image: url; prompt_upsampling: bool =false; seed: int; guidance: num 1..10 =3.0;
         steps: int 1..100 =50; aspect_ratio: AR10 =square_1_1; safety_tolerance: int 0..6 =2;
         output_format: jpeg|png
         """, answer="brief"),
    sold("text-to-image/flux-2-pro", EITHER, "flux", """
         prompt*: str; width: int 256..1440 =1024; height: int 256..1440 =768; seed: int U32;
         prompt_upsampling: bool =false; input_image: str; input_image_2: str; input_image_3: str; input_image_4: str
         """, answer="brief"),
    sold("text-to-image/flux-2-turbo", PICTURE, "flux", """
         prompt*: str; guidance_scale: num 1..20 =2.5; seed: int U32;
         image_size: {width: int 512..2048, height: int 512..2048}; enable_safety_checker: bool =true;
         output_format: jpeg|png =png
         """, answer="brief"),
    sold("text-to-image/flux-2-klein", EITHER, "flux", """
         prompt*: str; aspect_ratio: AR10 =square_1_1; resolution: 1k|2k =1k; seed: int U32; input_image: str;
         input_image_2: str; input_image_3: str; input_image_4: str; safety_tolerance: int 0..5 =2;
         output_format: jpeg|png
         """, answer="brief", longest=2048),
    sold("text-to-image/seedream text-to-image/seedream-v4", PICTURE, "bytedance", """
         prompt*: str; aspect_ratio: AR7 =square_1_1; guidance_scale: num 0..20 =2.5; seed: int I31
         """),
    sold("text-to-image/seedream-v4-edit", GUIDED, "bytedance", """
         prompt*: str; aspect_ratio: AR7 =square_1_1; guidance_scale: num 0..20 =2.5; seed: int I31;
         reference_images: [0..5 str]
         """),
    sold("text-to-image/seedream-v4-5 text-to-image/seedream-v5-lite", PICTURE, "bytedance", """
         prompt*: str 0..4096; aspect_ratio: AR8 =square_1_1; seed: int U32; enable_safety_checker: bool =true
         """, side=2048),
    sold("text-to-image/seedream-v4-5-edit text-to-image/seedream-v5-lite-edit", CHANGED, "bytedance", """
         prompt*: str 0..4096; aspect_ratio: AR8 =square_1_1; seed: int U32; enable_safety_checker: bool =true;
         reference_images*: [1..5 str]
         """, side=2048),
    sold("text-to-image/hyperflux", PICTURE, "flux", """
         prompt*: str; aspect_ratio: AR10 =square_1_1; styling: {effects: FXA, colors: COLORS};
         seed: int 1..4294967295
         """),
    sold("text-to-image/imagen3", PICTURE, "google", """
         prompt*: str; num_images: int 1..4 =1; aspect_ratio: AR5 =square_1_1;
         styling: {style: ST24, effects: FXB, colors: COLORS};
         person_generation: dont_allow|allow_adult|allow_all =allow_all;
         safety_settings: block_low_and_above|block_medium_and_above|block_only_high|block_none =block_none
         """),
    sold("text-to-image/imagen4-fast text-to-image/imagen4-ultra", PICTURE, "google", """
         prompt*: str; aspect_ratio: AR5 =square_1_1;
         person_generation: dont_allow|allow_adult|allow_all =allow_adult;
         safety_settings: block_low_and_above|block_medium_and_above|block_only_high|block_none
         =block_medium_and_above; seed: int 1..4294967295; enhance_prompt: bool;
         language: auto|en|zh|zh-CN|hi|ja|ko|pt|es =en;
         output_options: {mime_type: image/png|image/jpeg =image/png, compression_quality: int 0..100 =75}
         """),
    sold("text-to-image/z-image", PICTURE, "alibaba", """
         prompt*: str 0..4096;
         image_size: square|square_hd|portrait_3_4|portrait_9_16|landscape_4_3|landscape_16_9 =square_hd;
         num_inference_steps: int 1..50 =8; seed: int U32; output_format: jpeg|png =png;
         enable_safety_checker: bool =true
         """),
    sold("text-to-image/nano-banana-pro", GUIDED, "google", """
         prompt*: str 2..3000;
         reference_images: [0..14 {image*: str, text: str, mime_type*: image/png|image/jpeg|image/webp}];
         aspect_ratio: 1:1|2:3|3:2|4:3|3:4|5:4|4:5|16:9|9:16|21:9 =1:1; resolution: 1K|2K|4K|low|medium|high =2K
         """),
    sold("text-to-image/nano-banana-pro-flash", GUIDED, "google", """
         prompt*: str 2..3000;
         reference_images: [0..14 {image*: str, text: str, mime_type*: image/png|image/jpeg|image/webp}];
         aspect_ratio: 1:1|2:3|3:2|4:3|3:4|5:4|4:5|16:9|9:16|21:9 =1:1; resolution: 1K|2K|4K|low|medium|high =1K;
         use_google_search_tool: bool =false
         """),
    sold("mystic", PICTURE, "freepik", """
         prompt*: str; structure_reference: b64; structure_strength: int 0..100 =50; style_reference: b64;
         adherence: int 0..100 =50; hdr: int 0..100 =50; resolution: 1k|2k|4k =2k; aspect_ratio: AR13 =square_1_1;
         model: realism|fluid|zen|flexible|super_real|editorial_portraits =realism;
         creative_detailing: int 0..100 =33;
         engine: automatic|magnific_illusio|magnific_sharpy|magnific_sparkle =automatic;
         fixed_generation: bool =false; filter_nsfw: bool =true;
         styling: {styles: [0..1 {name*: str, strength: num 0..200 =100}], characters: [0..1 {id: str, strength*: num
         0..200 =100}], colors: COLORS}
         """),
    sold("gemini-2-5-flash-image-preview", GUIDED, "google", """
         prompt*: str; reference_images: [0..3 str]
         """),
    # Kling
    sold("image-to-video/kling-std", CLIP, "kuaishou", """
         image: str; image_tail: str; prompt: str; negative_prompt: str; duration*: 5|10; cfg_scale: num 0..1 =0.5;
         MASKS
         """, reads="image-to-video/kling", answer="brief", one_of=("image", "prompt"),
         never=("image_tail",), limits=KLING),
    sold("image-to-video/kling-pro", ENDS, "kuaishou", """
         image: str; image_tail: str; prompt: str; negative_prompt: str; duration*: 5|10; cfg_scale: num 0..1 =0.5;
         MASKS
         """, reads="image-to-video/kling", answer="brief", one_of=("image", "image_tail", "prompt"), limits=KLING),
    sold("image-to-video/kling-elements-std image-to-video/kling-elements-pro", WORDS, "kuaishou", """
         images*: [0..4 str]; prompt: str 0..2500; negative_prompt: str 0..2500; duration: 5|10;
         aspect_ratio: AR3 =widescreen_16_9
         """, reads="image-to-video/kling-elements", answer="brief", limits=KLING),
    sold("image-to-video/kling-v2", START, "kuaishou", """
         image*: str; prompt: str; negative_prompt: str; duration*: 5|10; cfg_scale: num 0..1 =0.5
         """, answer="brief", limits=KLING),
    sold("image-to-video/kling-v2-1-std", CLIP, "kuaishou", """
         image: str; prompt: str; negative_prompt: str; duration*: 5|10; cfg_scale: num 0..1 =0.5; MASKS
         """, reads="image-to-video/kling-v2-1", answer="brief", one_of=("image", "prompt"), limits=KLING),
    sold("image-to-video/kling-v2-1-pro", ENDS, "kuaishou", """
         image: str; image_tail: str; prompt: str; negative_prompt: str; duration*: 5|10; cfg_scale: num 0..1 =0.5;
         MASKS
         """, reads="image-to-video/kling-v2-1", answer="brief", one_of=("image", "image_tail", "prompt"),
         limits=KLING),
    sold("image-to-video/kling-v2-1-master", CLIP, "kuaishou", """
         image: str; prompt: str; negative_prompt: str; duration*: 5|10; cfg_scale: num 0..1 =0.5; MASKS;
         aspect_ratio: AR3 =widescreen_16_9
         """, answer="brief", one_of=("image", "prompt"), limits=KLING),
    sold("image-to-video/kling-v2-5-pro", CLIP, "kuaishou", """
         image: str; prompt: str; negative_prompt: str; duration*: 5|10; cfg_scale: num 0..1 =0.5
         """, answer="brief", one_of=("image", "prompt"), limits=KLING),
    sold("image-to-video/kling-o1-pro image-to-video/kling-o1-std", ENDS, "kuaishou", """
         prompt: str 0..2500; first_frame: str; last_frame: str; aspect_ratio: 16:9|9:16|1:1 =16:9;
         duration: int 5|10 =5
         """, reads="image-to-video/kling-o1", one_of=("prompt", "first_frame", "last_frame"), limits=KLING),
    sold("image-to-video/kling-o1-pro-video-reference image-to-video/kling-o1-std-video-reference", WORDS,
         "kuaishou", """
         prompt*: str 0..2500; reference_images: [0..7 str]; aspect_ratio: 16:9|9:16|1:1 =16:9; duration: int 5|10 =5
         """, reads="image-to-video/kling-o1", limits=KLING),
    sold("image-to-video/kling-v2-6-pro", CLIP, "kuaishou", """
         prompt: str 0..2500; negative_prompt: str 0..2500; cfg_scale: num 0..1 =0.5;
         aspect_ratio: AR3 =widescreen_16_9; duration*: 5|10; generate_audio: bool; image: b64
         """, reads="image-to-video/kling-v2-6", one_of=("prompt", "image"), limits=KLING),
    sold("video/kling-v2-6-motion-control-pro video/kling-v2-6-motion-control-std", ACTED, "kuaishou", """
         image_url*: url; video_url*: url; prompt: str 0..2500; character_orientation: video|image =video;
         cfg_scale: num 0..1 =0.5
         """, reads="image-to-video/kling-v2-6", limits=KLING_ACTED, limits_by=FACING),
    sold("video/kling-v3-motion-control-pro video/kling-v3-motion-control-std", ACTED, "kuaishou", """
         image_url*: url; video_url*: url; prompt: str 0..2500; character_orientation: video|image =video;
         cfg_scale: num 0..1 =0.5
         """, limits=KLING_ACTED, limits_by=FACING),
    sold("video/kling-v3-pro video/kling-v3-std", ENDS, "kuaishou", """
         prompt: str 0..2500; multi_prompt: [0..6 {prompt: str 0..2500, duration: D3_15}]; start_image_url: str;
         end_image_url: str; elements: ELEM; generate_audio: bool =true; multi_shot: bool =false;
         shot_type: customize|intelligent =customize; aspect_ratio: 16:9|9:16|1:1 =16:9; duration: D3_15 =5;
         negative_prompt: str 0..2500 =blur, distort, and low quality; cfg_scale: num 0..1 =0.5
         """, reads="video/kling-v3", one_of=("prompt", "multi_prompt", "start_image_url", "end_image_url"),
         limits=KLING, lasting=("multi_prompt", 15)),
    sold("video/kling-v3-omni-pro video/kling-v3-omni-std", ENDS, "kuaishou", """
         prompt: str 0..2500; multi_prompt: [0..6 str]; shot_type: customize =customize; image_url: str;
         start_image_url: str; end_image_url: str; image_urls: [str]; elements: ELEM; generate_audio: bool;
         aspect_ratio: auto|16:9|9:16|1:1 =16:9; duration: D3_15 =5
         """, reads="video/kling-v3-omni",
         one_of=("prompt", "multi_prompt", "start_image_url", "end_image_url", "image_url", "image_urls"),
         means={"image_url": extra("image_url")}, limits=KLING, together=(("image_urls", "elements"), 4)),
    sold("reference-to-video/kling-v3-omni-pro reference-to-video/kling-v3-omni-std", REMADE, "kuaishou", """
         prompt: str 0..2500; image_url: str; video_url*: url; duration: D3_15 =5;
         aspect_ratio: auto|16:9|9:16|1:1 =16:9; cfg_scale: num 0..1 =0.5;
         negative_prompt: str 0..2500 =blur, distort, and low quality
         """, reads="reference-to-video/kling-v3-omni", means={"image_url": REFERENCE}, limits=KLING_REMADE),
    sold("video/kling-4k-i2v", START, "kuaishou", """
         image*: str; image_tail: str; prompt: str 0..2500;
         negative_prompt: str 0..2500 =blur, distort, and low quality; cfg_scale: num 0..1 =0.5;
         duration: int D3_15 =5; MASKS
         """, tier="4k", limits=KLING),
    sold("video/kling-4k-t2v", WORDS, "kuaishou", """
         prompt*: str 0..2500; negative_prompt: str 0..2500 =blur, distort, and low quality; cfg_scale: num 0..1 =0.5;
         aspect_ratio: 16:9|9:16|1:1 =16:9; duration: int D3_15 =5
         """, tier="4k"),
    sold("text-to-video/kling-v3-turbo-720p text-to-video/kling-v3-turbo-1080p", WORDS, "kuaishou", """
         prompt*: str 1..3072; aspect_ratio: 16:9|9:16|1:1 =16:9; duration: D3_15 =5
         """, reads="text-to-video/kling-v3-turbo"),
    sold("image-to-video/kling-v3-turbo-720p image-to-video/kling-v3-turbo-1080p", START, "kuaishou", """
         image*: str; prompt: str 0..2500; duration: D3_15 =5
         """, reads="image-to-video/kling-v3-turbo", limits=KLING_TURBO),
    sold("video/kling-advanced-custom-elements", LEARNT, "kuaishou", """
         element_name*: str 0..20; element_description*: str 0..100; reference_type*: image_refer|video_refer;
         element_image_list: {frontal_image*: str, refer_images*: [1..3 {image_url*: str}]};
         element_video_list: {refer_videos*: [1..1 {video_url*: str}]}; element_voice_id: str;
         tag_list: [{tag_id*: o_101|o_102|o_103|o_104|o_105|o_106|o_107|o_108}]
         """),
    # MiniMax Hailuo
    sold("""
         image-to-video/minimax-hailuo-02-768p image-to-video/minimax-hailuo-2-3-768p
         image-to-video/minimax-hailuo-2-3-768p-fast
         """, ENDS, "minimax", """
         prompt*: str 0..2000; prompt_optimizer: bool =true; first_frame_image: str; last_frame_image: str;
         duration: int 6|10 =6
         """, answer="brief", limits=MINIMAX),
    sold("""
         image-to-video/minimax-hailuo-02-1080p image-to-video/minimax-hailuo-2-3-1080p
         image-to-video/minimax-hailuo-2-3-1080p-fast
         """, ENDS, "minimax", """
         prompt*: str 0..2000; prompt_optimizer: bool =true; first_frame_image: str; last_frame_image: str;
         duration: int 6 =6
         """, answer="brief", limits=MINIMAX),
    sold("image-to-video/minimax-live", START, "minimax", """
         prompt*: str 0..2000; image_url*: url; prompt_optimizer: bool =true
         """, limits=MINIMAX),
    # Seedance
    sold("""
         image-to-video/seedance-pro-1080p image-to-video/seedance-pro-720p image-to-video/seedance-pro-480p
         image-to-video/seedance-lite-1080p image-to-video/seedance-lite-720p image-to-video/seedance-lite-480p
         """, CLIP, "bytedance", """
         image: str; prompt*: str 0..2000; duration: 5|10 =5; camera_fixed: bool =false;
         aspect_ratio: ARF =widescreen_16_9; frames_per_second: int 24 =24; seed: int -1..4294967295 =-1
         """, answer="brief"),
    sold("video/seedance-1-5-pro-480p video/seedance-1-5-pro-720p video/seedance-1-5-pro-1080p", CLIP, "bytedance", """
         image: b64; prompt*: str 0..2000; duration: int 4..12 =5; generate_audio: bool =true;
         camera_fixed: bool =false; aspect_ratio: ARF =widescreen_16_9; seed: int -1..4294967295 =-1
         """),
    sold("video/seedance-2-pro-480p video/seedance-2-pro-720p video/seedance-2-pro-1080p", ENDS, "bytedance", """
         image: b64; image_end: b64; prompt*: str 0..2000; duration: int 5|10 =5; aspect_ratio: ARF =widescreen_16_9;
         camera_fixed: bool =false; seed: int -1..4294967295 =-1; enable_safety_checker: bool =true
         """, reads="video/seedance-2-pro"),
    sold("video/seedance-2-fast-480p video/seedance-2-fast-720p video/seedance-2-fast-1080p", ENDS, "bytedance", """
         image: b64; image_end: b64; prompt*: str 0..2000; duration: int 5|10 =5; aspect_ratio: ARF =widescreen_16_9;
         camera_fixed: bool =false; seed: int -1..4294967295 =-1; enable_safety_checker: bool =true
         """, reads="video/seedance-2-fast"),
    sold("video/seedance-2-mini-480p video/seedance-2-mini-720p", ENDS, "bytedance", """
         image: b64; image_end: b64; prompt*: str 0..2000; duration: int 5|10 =5; aspect_ratio: ARF =widescreen_16_9;
         camera_fixed: bool =false; seed: int -1..4294967295 =-1
         """, reads="video/seedance-2-mini"),
    # WAN
    sold("image-to-video/wan-v2-2-720p image-to-video/wan-v2-2-580p image-to-video/wan-v2-2-480p", START, "alibaba", """
         image*: str; prompt: str 0..2000; duration: 5|10 =5; aspect_ratio: auto|AR3|classic_4_3 =auto; seed: int
         """, answer="brief", limits=WAN_OLDER),
    sold("text-to-video/wan-v2-6-720p", WORDS, "alibaba", """
         prompt*: str 0..2000; duration: 5|10|15 =5; negative_prompt: str 0..1000;
         enable_prompt_expansion: bool =false; shot_type: single|multi =single; seed: int -1..2147483647 =-1;
         size: 1280*720|720*1280|960*960|1088*832|832*1088 =1280*720
         """, answer="brief"),
    sold("text-to-video/wan-v2-6-1080p", WORDS, "alibaba", """
         prompt*: str 0..2000; duration: 5|10|15 =5; negative_prompt: str 0..1000;
         enable_prompt_expansion: bool =false; shot_type: single|multi =single; seed: int -1..2147483647 =-1;
         size: 1920*1080|1080*1920|1440*1440|1632*1248|1248*1632 =1920*1080
         """, answer="brief"),
    sold("image-to-video/wan-v2-6-720p", START, "alibaba", """
         prompt*: str 0..2000; duration: 5|10|15 =5; negative_prompt: str 0..1000;
         enable_prompt_expansion: bool =false; shot_type: single|multi =single; seed: int -1..2147483647 =-1;
         size: 1280*720|720*1280|960*960|1088*832|832*1088 =1280*720; image*: str
         """, answer="brief", limits=WAN_OLDER),
    sold("image-to-video/wan-v2-6-1080p", START, "alibaba", """
         prompt*: str 0..2000; duration: 5|10|15 =5; negative_prompt: str 0..1000;
         enable_prompt_expansion: bool =false; shot_type: single|multi =single; seed: int -1..2147483647 =-1;
         size: 1920*1080|1080*1920|1440*1440|1632*1248|1248*1632 =1920*1080; image*: str
         """, answer="brief", limits=WAN_OLDER),
    sold("""
         text-to-video/wan-2-5-t2v-480p text-to-video/wan-2-5-t2v-720p text-to-video/wan-2-5-t2v-1080p
         """, WORDS, "alibaba", """
         prompt*: str 0..800; duration: 5|10 =5; negative_prompt: str 0..500; enable_prompt_expansion: bool =true;
         seed: int I31
         """, answer="brief"),
    sold("""
         image-to-video/wan-2-5-i2v-480p image-to-video/wan-2-5-i2v-720p image-to-video/wan-2-5-i2v-1080p
         """, START, "alibaba", """
         prompt*: str 0..800; duration: 5|10 =5; negative_prompt: str 0..500; enable_prompt_expansion: bool =true;
         seed: int I31; image*: str
         """, answer="brief"),
    sold("reference-to-video/wan-2-7", WORDS, "alibaba", """
         prompt*: str 0..5000; negative_prompt: str 0..500; image_urls: [{url*: url, reference_voice: url}];
         video_urls: [{url*: url, reference_voice: url}]; start_image_url: url; aspect_ratio: RA5 =16:9;
         resolution: 720P|1080P =1080P; duration: int 2..10 =5; seed: int I31;
         additional_settings: {prompt_extend: bool =true}
         """, one_of=("image_urls", "video_urls"), limits=WAN_FILES, together=(("image_urls", "video_urls"), 5)),
    sold("video-edit/wan-2-7", REMADE, "alibaba", """
         prompt: str 0..5000; negative_prompt: str 0..500; video_url*: url; image_urls: [0..3 url]; aspect_ratio: RA5;
         resolution: 720P|1080P =1080P; duration: int 0..10 =0; seed: int I31;
         additional_settings: {audio_setting: auto|origin =auto, prompt_extend: bool =true}
         """, means={"duration": unless(0, same("seconds"))}, limits=WAN_FILES),
    # Runway, Veo, LTX, PixVerse, HappyHorse, OmniHuman, VFX
    sold("text-to-video/ltx-2-pro", WORDS, "lightricks", """
         prompt*: str 0..2000; generate_audio: bool =false; seed: int U32; resolution: 1080p|1440p|2160p =1080p;
         duration: int 6|8|10 =6; fps: int 25|50 =25
         """),
    sold("text-to-video/ltx-2-fast", WORDS, "lightricks", """
         prompt*: str 0..2000; generate_audio: bool =false; seed: int U32; resolution: 1080p|1440p|2160p =1080p;
         duration: int 6|8|10|12|14|16|18|20 =6; fps: int 25|50 =25
         """),
    sold("text-to-video/happy-horse-1", WORDS, "alibaba", """
         prompt*: str 1..2500; aspect_ratio: RA5 =16:9; resolution: 720P|1080P =1080P; duration: int D3_15 =5;
         seed: int I31
         """),
    sold("image-to-video/happy-horse-1", START, "alibaba", """
         image_url*: url; prompt: str 0..2500; resolution: 720P|1080P =1080P; duration: int D3_15 =5; seed: int I31
         """, limits=HORSE),
    sold("reference-to-video/happy-horse-1", WORDS, "alibaba", """
         prompt*: str 1..5000; image_urls*: [1..9 {url*: url}]; aspect_ratio: RA5 =16:9;
         resolution: 720P|1080P =1080P; duration: int 3..15 =5; watermark: bool =false; seed: int I31
         """, limits=HORSE),
    sold("video-edit/happy-horse-1", REMADE, "alibaba", """
         video_url*: url; prompt*: str 1..2500; image_urls: [0..5 url]; resolution: 720P|1080P =1080P;
         audio_setting: auto|origin =auto; seed: int I31
         """, limits=HORSE),
    sold("image-to-video/ltx-2-pro", START, "lightricks", """
         prompt*: str 0..2000; generate_audio: bool =false; seed: int U32; image_url*: url;
         resolution: 1080p|1440p|2160p =1080p; duration: int 6|8|10 =6; fps: int 25|50 =25
         """),
    sold("image-to-video/ltx-2-fast", START, "lightricks", """
         prompt*: str 0..2000; generate_audio: bool =false; seed: int U32; image_url*: url;
         resolution: 1080p|1440p|2160p =1080p; duration: int 6|8|10|12|14|16|18|20 =6; fps: int 25|50 =25
         """),
    sold("image-to-video/pixverse-v5", START, "pixverse", """
         prompt*: str; resolution: 360p|540p|720p|1080p; duration: int 5|8; negative_prompt: str; style: PSV;
         seed: int; image_url*: url
         """, narrows=SHORT_AT_1080P),
    sold("image-to-video/pixverse-v5-transition", START, "pixverse", """
         prompt*: str; resolution: 360p|540p|720p|1080p; duration: int 5|8 =5; negative_prompt: str; seed: int;
         first_image_url*: url; last_image_url*: url
         """, narrows=SHORT_AT_1080P),
    sold("image-to-video/pixverse-v5-5", START, "pixverse", """
         prompt*: str; image_url*: url; resolution: 360p|540p|720p|1080p; aspect_ratio: AR5 =widescreen_16_9;
         duration: int 5|8|10 =5; negative_prompt: str; style: PSV; seed: int; camera_movement: CAM;
         generate_audio_switch: bool =false; generate_multi_clip_switch: bool =false;
         thinking_type: enabled|disabled|auto =enabled
         """, narrows=(("resolution", "1080p", "duration", (5, 8)),)),
    sold("image-to-video/pixverse-v6", START, "pixverse", """
         prompt*: str; image_url*: url; last_frame_image: url; resolution: 360p|540p|720p|1080p;
         aspect_ratio: AR5 =widescreen_16_9; duration: int 1..15 =5; negative_prompt: str; style: PSV; seed: int;
         camera_movement: CAM; generate_audio_switch: bool =false; generate_multi_clip_switch: bool =false;
         thinking_type: enabled|disabled|auto =enabled
         """),
    sold("video/runway-act-two", ACTED, "runway", """
         character*: {type*: video|image, uri*: url}; reference*: {type*: video, uri*: url}; ratio: RWV6 =1280:720;
         body_control: bool =true; expression_intensity: int 1..5 =3; seed: int U32
         """, limits={"video": MediaLimits(min_seconds=3, max_seconds=30)}),
    sold("text-to-video/veo-3-1 text-to-video/veo-3-1-fast", WORDS, "google", """
         prompt*: str 0..20000; negative_prompt: str 0..20000; duration: int 4|6|8 =8;
         resolution: 720p|1080p|4k =720p; aspect_ratio: 16:9|9:16 =16:9; generate_audio: bool =true; seed: int 0..
         """),
    sold("image-to-video/veo-3-1 image-to-video/veo-3-1-fast", START, "google", """
         image*: str; prompt*: str 0..20000; negative_prompt: str 0..20000; duration: int 4|6|8 =8;
         resolution: 720p|1080p|4k =720p; aspect_ratio: 16:9|9:16 =16:9; generate_audio: bool =true; seed: int 0..
         """),
    sold("reference-to-video/veo-3-1", WORDS, "google", """
         image_urls*: [1..3 url]; prompt*: str 0..20000; negative_prompt: str 0..20000;
         resolution: 720p|1080p|4k =720p; aspect_ratio: 16:9|9:16 =16:9; generate_audio: bool =true; seed: int 0..
         """),
    sold("video/omni-human-1-5", SPOKEN, "bytedance", """
         image_url*: url; audio_url*: url; prompt: str 0..2000; turbo_mode: bool =false;
         resolution: 720p|1080p =1080p
         """, limits_by=HEARD),
    sold("video/vfx", REMADE, "freepik", """
         video*: url; filter_type: int 1|2|3|4|5|6|7|8 =1; fps: int 1..60 =24; bloom_filter_contrast: num;
         motion_filter_kernel_size: int; motion_filter_decay_factor: num
         """, means={"fps": None, "filter_type": extra("filter_type")}),
    # Lip sync
    sold("lip-sync/latent-sync", SPOKEN, "bytedance", """
         video_url*: str; audio_url*: str; seed: int =0; guidance_scale: num =1.0; return_private_url: bool =false
         """),
    sold("lip-sync/veed-fabric-1-0 lip-sync/veed-fabric-1-0-fast", SPOKEN, "veed", """
         resolution*: 720p|480p; audio_url*: str; image_url*: str
         """),
    # Upscalers
    sold("image-upscaler", LARGER, "freepik", """
         image*: b64; scale_factor: 2x|4x|8x|16x =2x;
         optimized_for:
         standard|soft_portraits|hard_portraits|art_n_illustration|videogame_assets|nature_n_landscapes|films_n_photography|
         3d_renders|science_fiction_n_horror =standard; prompt: str; creativity: int -10..10 =0; hdr: int -10..10 =0;
         resemblance: int -10..10 =0; fractality: int -10..10 =0;
         engine: automatic|magnific_illusio|magnific_sharpy|magnific_sparkle =automatic; filter_nsfw: bool =false
         """, limits_by=ENLARGED),
    sold("image-upscaler-precision", LARGER, "freepik", """
         image*: b64; sharpen: int 0..100 =50; smart_grain: int 0..100 =7; ultra_detail: int 0..100 =30;
         filter_nsfw: bool =false
         """),
    sold("image-upscaler-precision-v2", LARGER, "freepik", """
         image*: str; sharpen: int 0..100 =7; smart_grain: int 0..100 =7; ultra_detail: int 0..100 =30;
         flavor: sublime|photo|photo_denoiser; scale_factor: int 2..16 or str /^(2|3|4|5|6|7|8|9|1[0-6])$/;
         filter_nsfw: bool =false
         """),
    sold("video-upscaler", LARGER_CLIP, "freepik", """
         video*: str; creativity: int 0..100 =0; resolution: 720p|1k|2k|4k =2k; fps_boost: bool =false;
         sharpen: int 0..100 =0; smart_grain: int 0..100 =0; flavor: vivid|natural =vivid
         """),
    sold("video-upscaler/turbo", LARGER_CLIP, "freepik", """
         video*: str; creativity: int 0..100 =0; resolution: 720p|1k|2k|4k =2k; fps_boost: bool =false;
         sharpen: int 0..100 =0; smart_grain: int 0..100 =0; flavor: vivid|natural =vivid
         """, reads="video-upscaler"),
    sold("video-upscaler-precision", LARGER_CLIP, "freepik", """
         video*: str; resolution: 720p|1k|2k|4k =2k; fps_boost: bool =false; sharpen: int 0..100 =0;
         smart_grain: int 0..100 =0; strength: int 0..100 =60
         """),
    # Image editing
    sold("image-style-transfer", CHANGED, "freepik", """
         image*: str; reference_image*: str; prompt: str; style_strength: int 0..100 =100;
         structure_strength: int 0..100 =50; is_portrait: bool =false;
         portrait_style: standard|pop|super_pop =standard; portrait_beautifier: beautify_face|beautify_face_max;
         flavor: faithful|gen_z|psychedelia|detaily|clear|donotstyle|donotstyle_sharp =faithful;
         engine: balanced|definio|illusio|3d_cartoon|colorful_anime|caricature|real|super_real|softy =balanced;
         fixed_generation: bool =false
         """, answer="bare"),
    sold("image-relight", CHANGED, "freepik", """
         image*: str; prompt: str; transfer_light_from_reference_image: str; transfer_light_from_lightmap: str;
         light_transfer_strength: int 0..100 =100; interpolate_from_original: bool =false;
         change_background: bool =true;
         style: standard|darker_but_realistic|clean|smooth|brighter|contrasted_n_hdr|just_composition =standard;
         preserve_details: bool =true;
         advanced_settings: {whites: int 0..100 =50, blacks: int 0..100 =50, brightness: int 0..100 =50, contrast:
         int 0..100 =50, saturation: int 0..100 =50, engine:
         automatic|balanced|cool|real|illusio|fairy|colorful_anime|hard_transform|softy =automatic, transfer_light_a:
         automatic|low|medium|normal|high|high_on_faces =automatic, transfer_light_b:
         automatic|composition|straight|smooth_in|smooth_out|smooth_both|
         reverse_both|soft_in|soft_out|soft_mid|strong_mid|style_shift|strong_shift =automatic, fixed_generation:
         bool =false}
         """, says={"relight": True}),
    sold("image-change-camera", CHANGED, "freepik", """
         image*: str; horizontal_angle: int 0..360 =0; vertical_angle: int -30..90 =0; zoom: int 0..10 =5;
         seed: int 1..; output_format: png|jpeg =png
         """, says={"camera": True}),
    sold("beta/text-to-image/reimagine-flux", CHANGED, "flux", """
         prompt: str; image*: b64; imagination: wild|subtle|vivid; aspect_ratio: original|AR10 =original
         """, answer="at once"),
    sold("image-expand/flux-pro", WIDER, "flux", """
         image*: b64; prompt: str; left: int 0..2048; right: int 0..2048; top: int 0..2048; bottom: int 0..2048
         """, one_of=("left", "right", "top", "bottom"),
         example={"image": "https://example.com/picture.png", "right": 256}),
    sold("image-expand/ideogram", WIDER, "ideogram", """
         image*: b64; prompt: str; left*: int 0..2048; right*: int 0..2048; top*: int 0..2048; bottom*: int 0..2048;
         seed: int I31
         """),
    sold("image-expand/seedream-v4-5", WIDER, "bytedance", """
         image*: str; prompt: str; left*: int 0..2048; right*: int 0..2048; top*: int 0..2048; bottom*: int 0..2048;
         seed: int I31
         """),
    sold("beta/remove-background", CUT_OUT, "freepik", """
         image_url*: url
         """, answer="cut out", webhook=False,
         limits={"image": MediaLimits(types=JPEG_OR_PNG, max_bytes=20 << 20)}),
    sold("skin-enhancer/creative", CHANGED, "freepik", """
         image*: str; sharpen: int 0..100 =0; smart_grain: int 0..100 =2
         """, reads="skin-enhancer", says={"skin": True}),
    sold("skin-enhancer/faithful", CHANGED, "freepik", """
         image*: str; sharpen: int 0..100 =0; smart_grain: int 0..100 =2; skin_detail: int 0..100 =80
         """, reads="skin-enhancer", says={"skin": True}),
    sold("skin-enhancer/flexible", CHANGED, "freepik", """
         image*: str; sharpen: int 0..100 =0; smart_grain: int 0..100 =2;
         optimized_for: enhance_skin|improve_lighting|enhance_everything|transform_to_real|no_make_up =enhance_skin
         """, reads="skin-enhancer", says={"skin": True}),
    sold("ideogram-image-edit", FILLED, "ideogram", """
         prompt*: str; image*: str; mask*: str; seed: int I31; rendering_speed: TURBO|DEFAULT|QUALITY =DEFAULT;
         magic_prompt: AUTO|ON|OFF;
         color_palette: {name: EMBER|FRESH|JUNGLE|MAGIC|MELON|MOSAIC|PASTEL|ULTRAMARINE, members: [{color_hex*: str
         /^#(?:[0-9a-fA-F]{3}){1,2}$/, color_weight: num 0.05..1}]}; style_codes: [str];
         style_type: AUTO|GENERAL|REALISTIC|DESIGN; style_reference_images: [str]; character_reference_images: [str]
         """, says={"mask_polarity": "black"}),
    # Audio
    sold("sound-effects", SOUND, "elevenlabs", """
         text*: str 0..2500; loop: bool =false; duration_seconds*: num 0.5..22; prompt_influence: num 0..1 =0.3
         """),
    sold("audio-isolation", VOICE, "freepik", """
         description*: str 0..2500; audio: str; video: str; x1: int 0.. =0; y1: int 0.. =0; x2: int 0.. =0;
         y2: int 0.. =0; sample_fps: num 1..5 =2; reranking_candidates: int 1..8 =1; predict_spans: bool =false
         """, one_of=("audio", "video"), apart=("audio", "video"),
         needs=dict.fromkeys(("x1", "y1", "x2", "y2"), "video")),
    sold("music-generation", MUSIC, "elevenlabs", """
         prompt*: str 0..2500; music_length_seconds*: int 10..240
         """, says={"cover": False}),
    sold("voiceover/elevenlabs-turbo-v2-5", SPEECH, "elevenlabs", """
         text*: str 1..40000; voice_id*: str; stability: num 0..1 =0.5; similarity_boost: num 0..1 =0.2;
         speed: num 0.7..1.2 =1.0; use_speaker_boost: bool =true
         """),
    # Prompts, analysis, LoRAs, icons
    sold("classifier/image", TOLD, "freepik", """
         image*: str
         """, answer="classes", says={"classes": "ai, not_ai"}, webhook=False),
    sold("loras/styles", LEARNT, "freepik", """
         name*: str /^[a-zA-Z0-9-_]+$/; description: str; quality*: medium|high|ultra; images*: [6..20 url]
         """, reads="loras", means={"description": None, "images": REFERENCES}),
    sold("loras/characters", LEARNT, "freepik", """
         name*: str /^[a-zA-Z0-9-_]+$/; description: str; quality*: high|ultra; gender*: male|female|neutral|custom;
         images*: [8..20 url]
         """, reads="loras", means={"description": None, "images": REFERENCES}),
    sold("text-to-icon", PICTURE, "freepik", """
         prompt*: str; style: solid|outline|color|flat|sticker =solid; num_inference_steps: int 10..50;
         guidance_scale: num 0..10; format: png|svg =png; webhook_url*: url
         """),
    sold("text-to-icon/preview", PICTURE, "freepik", """
         prompt*: str; style: solid|outline|color|flat|sticker =solid; num_inference_steps: int 10..50;
         guidance_scale: num 0..10; webhook_url*: url
         """, reads="text-to-icon"),
    sold("image-to-prompt", TOLD, "freepik", """
         image*: str
         """),
    sold("improve-prompt", WRITTEN, "freepik", """
         prompt*: str 0..2500; type*: image|video; language: str /^[a-z]{2}$/ =en
         """),
)
# fmt: on
