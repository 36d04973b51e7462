"""The built-in renderer: a library of its own that imports nothing else of ours.

It is a renderer, not a trained model. A camera moves over pictures, words paint scenes, and whatever a prompt
asks beyond that is reported as ignored, never faked.
"""

from mutoscope.studio.clip import VERSION, Clip, Print
from mutoscope.studio.cutout import Cutout, cut_out
from mutoscope.studio.describe import Description, describe_image
from mutoscope.studio.enlarge import enlarge_image
from mutoscope.studio.error import StudioError
from mutoscope.studio.film import extend_video, image_to_video, text_to_video
from mutoscope.studio.footage import facts as video_facts
from mutoscope.studio.footage import measure as video_size
from mutoscope.studio.music import Music, make_music
from mutoscope.studio.picture import measure as picture_size
from mutoscope.studio.size import TIERS, fit_size
from mutoscope.studio.sketch import text_to_image
from mutoscope.studio.speech import Speech, speak
from mutoscope.studio.trace import Tracing, trace_image
from mutoscope.studio.widen import widen_image

__all__ = [
    "TIERS",
    "VERSION",
    "Clip",
    "Cutout",
    "Description",
    "Music",
    "Print",
    "Speech",
    "StudioError",
    "Tracing",
    "cut_out",
    "describe_image",
    "enlarge_image",
    "extend_video",
    "fit_size",
    "image_to_video",
    "make_music",
    "picture_size",
    "speak",
    "text_to_image",
    "text_to_video",
    "trace_image",
    "video_facts",
    "video_size",
    "widen_image",
]
