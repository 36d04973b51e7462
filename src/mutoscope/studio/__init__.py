"""The built-in renderer: a library of its own that imports nothing else of ours.

It is a renderer, not a trained model. A camera moves over pictures, words paint scenes, and whatever a prompt
asks beyond that is reported as ignored, never faked.
"""

from mutoscope.studio.clip import VERSION, Clip, Print
from mutoscope.studio.composite import Composite, blend_images, learn_look, replace_background, tile_images
from mutoscope.studio.cutout import Cutout, cut_out
from mutoscope.studio.describe import Description, describe_image, lines_of
from mutoscope.studio.enlarge import enlarge_image, enlarge_to
from mutoscope.studio.error import StudioError
from mutoscope.studio.fill import fill_image
from mutoscope.studio.film import extend_video, image_to_video, text_to_video
from mutoscope.studio.footage import facts as video_facts
from mutoscope.studio.footage import measure as video_size
from mutoscope.studio.music import Music, make_music, parts_of
from mutoscope.studio.picture import measure as picture_size
from mutoscope.studio.size import TIERS, fit_size
from mutoscope.studio.sketch import text_to_image
from mutoscope.studio.song import extend_music, join_music
from mutoscope.studio.speech import Speech, speak
from mutoscope.studio.trace import Tracing, trace_image
from mutoscope.studio.vary import Variation, vary_image
from mutoscope.studio.widen import widen_image
from mutoscope.studio.words import Lyrics, shorten, write_lyrics

__all__ = [
    "TIERS",
    "VERSION",
    "Clip",
    "Composite",
    "Cutout",
    "Description",
    "Lyrics",
    "Music",
    "Print",
    "Speech",
    "StudioError",
    "Tracing",
    "Variation",
    "blend_images",
    "cut_out",
    "describe_image",
    "enlarge_image",
    "enlarge_to",
    "extend_music",
    "extend_video",
    "fill_image",
    "fit_size",
    "image_to_video",
    "join_music",
    "learn_look",
    "lines_of",
    "make_music",
    "parts_of",
    "picture_size",
    "replace_background",
    "shorten",
    "speak",
    "text_to_image",
    "text_to_video",
    "tile_images",
    "trace_image",
    "vary_image",
    "video_facts",
    "video_size",
    "widen_image",
    "write_lyrics",
]
