"""Pipelines of the real classes with random weights, a few megabytes each: python tiny.py FOLDER NAME…

Run by the Python that has torch and diffusers. Nothing is downloaded: the tokenizers are made of letters. The VAEs have
the real factors, so that sizes and numbers of frames follow the real rules.
"""

# pyright: basic, reportMissingImports=false
import json
import sys
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from tokenizers.pre_tokenizers import ByteLevel

LETTERS = sorted(ByteLevel.alphabet())
CHAT = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{% if m.content is string %}{{ m.content }}{% else %}"
    "{% for c in m.content %}{{ c.text }}{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
)
MARKS = (
    "<|im_start|>",
    "<|im_end|>",
    "<think>",
    "</think>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|image_pad|>",
    "<|video_pad|>",
)


def clip_words(folder: Path) -> tuple[Any, int]:
    words = [*LETTERS, *(each + "</w>" for each in LETTERS), "<|startoftext|>", "<|endoftext|>"]
    vocabulary = {word: number for number, word in enumerate(words)}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    named = {"vocab": str(folder / "vocab.json"), "merges": str(folder / "merges.txt")}
    return transformers.CLIPTokenizer(**named, model_max_length=77), len(words)


def t5_words(length: int = 512) -> tuple[Any, int]:
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0), *((chr(c), -4.0) for c in range(33, 127))]
    words = Tokenizer(models.Unigram(pieces, unk_id=2, byte_fallback=False))
    words.pre_tokenizer, words.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    words.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)]
    )
    marks = {"pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
    return transformers.PreTrainedTokenizerFast(tokenizer_object=words, **marks, model_max_length=length), len(pieces)


def qwen_words(length: int = 1024) -> tuple[Any, int]:
    words = transformers.Qwen2TokenizerFast(
        vocab={each: number for number, each in enumerate(LETTERS)},
        merges=[],
        model_max_length=length,
        chat_template=CHAT,
        pad_token="<|endoftext|>",
        eos_token="<|im_end|>",
        unk_token="<|endoftext|>",
    )
    words.add_special_tokens({"additional_special_tokens": list(MARKS)})
    return words, len(words)


def clip_text(count: int, kind: Any) -> Any:
    return kind(
        transformers.CLIPTextConfig(
            hidden_size=32,
            intermediate_size=37,
            num_attention_heads=4,
            num_hidden_layers=2,
            vocab_size=count,
            bos_token_id=count - 2,
            eos_token_id=count - 1,
            pad_token_id=count - 1,
            projection_dim=32,
        )
    )


def t5_text(count: int, kind: Any = None, config: Any = None) -> Any:
    kind, config = kind or transformers.T5EncoderModel, config or transformers.T5Config
    return kind(
        config(
            vocab_size=count,
            d_model=32,
            d_kv=8,
            d_ff=64,
            num_layers=2,
            num_heads=4,
            pad_token_id=0,
            eos_token_id=1,
            feed_forward_proj="gated-gelu",
        )
    ).eval()


def picture_vae(channels: int, **more: Any) -> Any:
    return diffusers.AutoencoderKL(
        block_out_channels=(8, 8, 16, 16),
        norm_num_groups=8,
        latent_channels=channels,
        sample_size=64,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        **more,
    )


def sdxl(folder: Path) -> Any:
    words, count = clip_words(folder)
    unet = diffusers.UNet2DConditionModel(
        sample_size=32,
        in_channels=4,
        out_channels=4,
        block_out_channels=(32, 64),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=(2, 4),
        use_linear_projection=True,
        transformer_layers_per_block=(1, 2),
        cross_attention_dim=64,
        norm_num_groups=8,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=80,
    )
    return diffusers.StableDiffusionXLPipeline(
        vae=picture_vae(4),
        unet=unet,
        tokenizer=words,
        tokenizer_2=words,
        text_encoder=clip_text(count, transformers.CLIPTextModel),
        text_encoder_2=clip_text(count, transformers.CLIPTextModelWithProjection),
        scheduler=diffusers.EulerDiscreteScheduler(beta_schedule="scaled_linear", timestep_spacing="leading"),
    )


def flux(folder: Path) -> Any:
    words, count = clip_words(folder)
    words_2, count_2 = t5_words()
    transformer = diffusers.FluxTransformer2DModel(
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=32,
        pooled_projection_dim=32,
        axes_dims_rope=(4, 4, 8),
        guidance_embeds=True,
        patch_size=1,
    )
    vae = picture_vae(4, use_quant_conv=False, use_post_quant_conv=False, shift_factor=0.0, scaling_factor=1.0)
    return diffusers.FluxPipeline(
        vae=vae,
        transformer=transformer,
        tokenizer=words,
        tokenizer_2=words_2,
        text_encoder=clip_text(count, transformers.CLIPTextModel),
        text_encoder_2=t5_text(count_2),
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(),
    )


def qwen3(count: int, kind: Any, layers: int = 2) -> Any:
    return kind(
        transformers.Qwen3Config(
            vocab_size=count,
            hidden_size=16,
            intermediate_size=16,
            num_hidden_layers=layers,
            num_attention_heads=2,
            num_key_value_heads=2,
            head_dim=8,
            max_position_embeddings=2048,
        )
    ).eval()


def flux2(_: Path) -> Any:
    """FLUX.2 klein. The pipeline reads the words at the 9th, 18th and 27th layer, so that there have to be as many."""
    words, count = qwen_words()
    transformer = diffusers.Flux2Transformer2DModel(
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=48,
        timestep_guidance_channels=32,
        axes_dims_rope=(4, 4, 4, 4),
        guidance_embeds=False,
    )
    vae = diffusers.AutoencoderKLFlux2(
        block_out_channels=(8, 8, 16, 16),
        norm_num_groups=8,
        latent_channels=4,
        sample_size=64,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
    )
    return diffusers.Flux2KleinPipeline(
        vae=vae,
        transformer=transformer,
        tokenizer=words,
        text_encoder=qwen3(count, transformers.Qwen3ForCausalLM, layers=28),
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(),
        is_distilled=False,
    )


def z_image(_: Path) -> Any:
    words, count = qwen_words()
    transformer = diffusers.ZImageTransformer2DModel(
        all_patch_size=(2,),
        all_f_patch_size=(1,),
        in_channels=16,
        dim=32,
        n_layers=2,
        n_refiner_layers=1,
        n_heads=2,
        n_kv_heads=2,
        cap_feat_dim=16,
        axes_dims=[8, 4, 4],
        axes_lens=[1536, 256, 256],
    )
    vae = picture_vae(16, use_quant_conv=False, use_post_quant_conv=False, shift_factor=0.0, scaling_factor=1.0)
    return diffusers.ZImagePipeline(
        vae=vae,
        transformer=transformer,
        tokenizer=words,
        text_encoder=qwen3(count, transformers.Qwen3Model),
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(),
    )


def wan_text() -> dict[str, Any]:
    words, count = t5_words()
    return {"tokenizer": words, "text_encoder": t5_text(count, transformers.UMT5EncoderModel, transformers.UMT5Config)}


def wan_transformer(inside: int, outside: int) -> Any:
    return diffusers.WanTransformer3DModel(
        patch_size=(1, 2, 2),
        num_attention_heads=2,
        attention_head_dim=12,
        in_channels=inside,
        out_channels=outside,
        text_dim=32,
        freq_dim=256,
        ffn_dim=32,
        num_layers=2,
        cross_attn_norm=True,
        qk_norm="rms_norm_across_heads",
        rope_max_seq_len=64,
    )


def flow() -> Any:
    return diffusers.UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0)


def wan_vae() -> Any:
    return diffusers.AutoencoderKLWan(
        base_dim=4, z_dim=16, dim_mult=[1, 1, 1, 1], num_res_blocks=1, temperal_downsample=[False, True, True]
    )


def wan_t2v(_: Path) -> Any:
    return diffusers.WanPipeline(
        **wan_text(),
        vae=wan_vae(),
        scheduler=flow(),
        transformer=wan_transformer(16, 16),
        transformer_2=wan_transformer(16, 16),
        boundary_ratio=0.9,
    )


def wan_i2v(_: Path) -> Any:
    return diffusers.WanImageToVideoPipeline(
        **wan_text(),
        vae=wan_vae(),
        scheduler=flow(),
        image_encoder=None,
        image_processor=None,
        transformer=wan_transformer(36, 16),
        transformer_2=wan_transformer(36, 16),
        boundary_ratio=0.9,
    )


def wan_5b(_: Path) -> Any:
    vae = diffusers.AutoencoderKLWan(
        base_dim=4,
        decoder_base_dim=4,
        z_dim=48,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=1,
        is_residual=True,
        temperal_downsample=[False, True, True],
        in_channels=12,
        out_channels=12,
        patch_size=2,
        scale_factor_spatial=16,
        latents_mean=[0.0] * 48,
        latents_std=[1.0] * 48,
    )
    return diffusers.WanPipeline(
        **wan_text(), vae=vae, scheduler=flow(), transformer=wan_transformer(48, 48), expand_timesteps=True
    )


def qwen25(count: int, words: Any, **more: Any) -> Any:
    ids = {f"{name}_token_id": words.convert_tokens_to_ids(f"<|{name}|>") for name in ("vision_start", "vision_end")}
    ids |= {"image_token_id": words.convert_tokens_to_ids("<|image_pad|>")}
    ids |= {"video_token_id": words.convert_tokens_to_ids("<|video_pad|>")}
    text = {
        "vocab_size": count,
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "max_position_embeddings": 4096,
        "rope_scaling": {"type": "mrope", "mrope_section": [1, 1, 2], "rope_type": "default"},
    }
    vision = {
        "depth": 1,
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_heads": 2,
        "out_hidden_size": 16,
        "fullatt_block_indexes": [0],
        "window_size": 56,
    }
    return transformers.Qwen2_5_VLConfig(text_config=text, vision_config=vision, **ids, **more)


def qwen_image(_: Path) -> Any:
    words, count = qwen_words()
    transformer = diffusers.QwenImageTransformer2DModel(
        in_channels=16,
        out_channels=4,
        num_layers=2,
        attention_head_dim=16,
        num_attention_heads=3,
        joint_attention_dim=16,
        axes_dims_rope=(8, 4, 4),
    )
    vae = diffusers.AutoencoderKLQwenImage(
        base_dim=8,
        z_dim=4,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=1,
        temperal_downsample=[False, True, True],
        latents_mean=[0.0] * 4,
        latents_std=[1.0] * 4,
    )
    return diffusers.QwenImagePipeline(
        vae=vae,
        transformer=transformer,
        tokenizer=words,
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(),
        text_encoder=transformers.Qwen2_5_VLForConditionalGeneration(qwen25(count, words)).eval(),
    )


def hunyuan(_: Path, kind: str = "t2v") -> Any:
    words, count = qwen_words(2048)
    transformer = diffusers.HunyuanVideo15Transformer3DModel(
        in_channels=9,
        out_channels=4,
        text_embed_dim=16,
        text_embed_2_dim=32,
        image_embed_dim=12,
        num_attention_heads=2,
        attention_head_dim=8,
        num_layers=2,
        num_refiner_layers=1,
        rope_axes_dim=(2, 2, 4),
        patch_size=1,
        patch_size_t=1,
        target_size=16,
        task_type=kind,
    )
    vae = diffusers.AutoencoderKLHunyuanVideo15(
        latent_channels=4,
        block_out_channels=(16, 16),
        layers_per_block=1,
        spatial_compression_ratio=4,
        temporal_compression_ratio=2,
        downsample_match_channel=False,
        upsample_match_channel=False,
    )
    byte_words = transformers.ByT5Tokenizer()
    sight = {"image_encoder": hunyuan_eye(), "feature_extractor": hunyuan_lens()} if kind == "i2v" else {}
    pipeline = diffusers.HunyuanVideo15ImageToVideoPipeline if kind == "i2v" else diffusers.HunyuanVideo15Pipeline
    return pipeline(
        **sight,
        vae=vae,
        transformer=transformer,
        tokenizer=words,
        tokenizer_2=byte_words,
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(),
        text_encoder=transformers.Qwen2_5_VLTextModel(qwen25(count, words).text_config).eval(),
        text_encoder_2=t5_text(len(byte_words)),
        guider=diffusers.ClassifierFreeGuidance(guidance_scale=6.0),
    )


def hunyuan_i2v(folder: Path) -> Any:
    return hunyuan(folder, "i2v")


def hunyuan_eye() -> Any:
    size = {"hidden_size": 12, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    return transformers.SiglipVisionModel(transformers.SiglipVisionConfig(**size, image_size=32, patch_size=16)).eval()


def hunyuan_lens() -> Any:
    return transformers.SiglipImageProcessor(size={"height": 32, "width": 32})


def ltx2(_: Path) -> Any:
    """A decoder that leaves time and size as they are: the numbers of frames are those of the rule all the same."""
    words, count = t5_words(64)
    config = {
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
    }
    marks = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 1}
    text = transformers.Gemma3ForConditionalGeneration(
        transformers.Gemma3Config(
            text_config={**config, **marks, "vocab_size": count, "num_key_value_heads": 2, "head_dim": 8},
            vision_config={**config, "num_hidden_layers": 1, "image_size": 32, "patch_size": 16},
            mm_tokens_per_image=4,
            image_token_index=2,
            boi_token_index=2,
            eoi_token_index=2,
        )
    ).eval()
    transformer = diffusers.LTX2VideoTransformer3DModel(
        in_channels=4,
        out_channels=4,
        patch_size=1,
        patch_size_t=1,
        num_attention_heads=2,
        attention_head_dim=8,
        cross_attention_dim=16,
        audio_in_channels=4,
        audio_out_channels=4,
        audio_num_attention_heads=2,
        audio_attention_head_dim=4,
        audio_cross_attention_dim=8,
        num_layers=1,
        caption_channels=16,
        rope_type="split",
    )
    each = {"num_attention_heads": 2, "attention_head_dim": 8, "num_layers": 1, "num_learnable_registers": None}
    connectors = diffusers.pipelines.ltx2.LTX2TextConnectors(
        caption_channels=16,
        text_proj_in_factor=3,
        connector_rope_base_seq_len=32,
        rope_theta=10000.0,
        rope_double_precision=False,
        causal_temporal_positioning=False,
        rope_type="split",
        **{f"{kind}_connector_{name}": value for kind in ("video", "audio") for name, value in each.items()},
    )
    vae = diffusers.AutoencoderKLLTX2Video(
        latent_channels=4,
        block_out_channels=(8,),
        decoder_block_out_channels=(8,),
        layers_per_block=(1,),
        decoder_layers_per_block=(1, 1),
        spatio_temporal_scaling=(True,),
        decoder_spatio_temporal_scaling=(True,),
        decoder_inject_noise=(False, False),
        downsample_type=("spatial",),
        upsample_residual=(False,),
        upsample_factor=(1,),
        timestep_conditioning=False,
        patch_size=1,
        patch_size_t=1,
        encoder_causal=True,
        decoder_causal=False,
    )
    audio_vae = diffusers.AutoencoderKLLTX2Audio(
        base_channels=4,
        output_channels=2,
        ch_mult=(1,),
        num_res_blocks=1,
        attn_resolutions=None,
        in_channels=2,
        resolution=32,
        latent_channels=2,
        norm_type="pixel",
        causality_axis="height",
        dropout=0.0,
        mid_block_add_attention=False,
        sample_rate=16000,
        mel_hop_length=160,
        is_causal=True,
        mel_bins=8,
    )
    vocoder = diffusers.pipelines.ltx2.LTX2Vocoder(
        in_channels=16,
        hidden_channels=32,
        out_channels=2,
        upsample_kernel_sizes=[4, 4],
        upsample_factors=[2, 2],
        resnet_kernel_sizes=[3],
        resnet_dilations=[[1, 3, 5]],
        leaky_relu_negative_slope=0.1,
        output_sampling_rate=16000,
    )
    return diffusers.LTX2Pipeline(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(),
        vae=vae,
        audio_vae=audio_vae,
        text_encoder=text,
        tokenizer=words,
        connectors=connectors,
        transformer=transformer,
        vocoder=vocoder,
    )


BUILDERS = {
    each.__name__: each
    for each in (*(sdxl, flux, flux2, z_image, qwen_image, wan_t2v, wan_i2v, wan_5b, ltx2, hunyuan, hunyuan_i2v),)
}


def main() -> None:
    root = Path(sys.argv[1])
    for name in sys.argv[2:] or BUILDERS:
        torch.manual_seed(0)
        BUILDERS[name](root / f"{name}-words").save_pretrained(root / name)


if __name__ == "__main__":
    main()
