"""Makes tests/data/names: pairs "original-name diffusers-name", one a line, for each layout that name_table.cpp knows.

usage: make_name_lists.py [OUT_FOLDER]

Needs diffusers 0.42.1 and transformers 5.17.0. The right-hand names are those of tiny models that diffusers and
transformers build; the left-hand names follow the authors' modules (Wan2.1 and Wan2.2: model.py, vae.py, vae2_2.py,
t5.py). Where diffusers has a converter (transformer, 2.1 VAE) it makes the pairs; for the others each module's
counterpart is spelt out here, and the result is checked against the model's own list.
"""
import pathlib
import sys

from diffusers import AutoencoderKLWan, WanTransformer3DModel
from diffusers.loaders.single_file_utils import convert_wan_transformer_to_diffusers, convert_wan_vae_to_diffusers
from transformers import UMT5Config, UMT5EncoderModel

ROOT = pathlib.Path(__file__).resolve().parents[2]


def affine(*names):
    return [f"{name}.{part}" for name in names for part in ("weight", "bias")]


def transformer_names(layers, image):
    """Names of the authors' WanModel."""
    names = affine("patch_embedding", "text_embedding.0", "text_embedding.2", "time_embedding.0", "time_embedding.2",
                   "time_projection.1", "head.head") + ["head.modulation"]
    for i in range(layers):
        block = f"blocks.{i}"
        names += [f"{block}.modulation"] + affine(f"{block}.norm3", f"{block}.ffn.0", f"{block}.ffn.2")
        for attention in ("self_attn", "cross_attn"):
            names += affine(*(f"{block}.{attention}.{x}" for x in "qkvo"))
            names += [f"{block}.{attention}.norm_{x}.weight" for x in "qk"]
        if image:
            names += affine(f"{block}.cross_attn.k_img", f"{block}.cross_attn.v_img") + [f"{block}.cross_attn.norm_k_img.weight"]
    if image:
        names += affine(*(f"img_emb.proj.{i}" for i in (0, 1, 3, 4)))
    return names


def residual(block, shortcut):
    names = [f"{block}.residual.0.gamma", f"{block}.residual.3.gamma"] + affine(f"{block}.residual.2", f"{block}.residual.6")
    return names + (affine(f"{block}.shortcut") if shortcut else [])


def resampler(block, time):
    return affine(f"{block}.resample.1") + (affine(f"{block}.time_conv") if time else [])


def vae_ends():
    names = affine("conv1", "conv2")
    for coder in ("encoder", "decoder"):
        names += affine(f"{coder}.conv1", f"{coder}.head.2", f"{coder}.middle.1.to_qkv", f"{coder}.middle.1.proj")
        names += [f"{coder}.head.0.gamma", f"{coder}.middle.1.norm.gamma"]
        names += residual(f"{coder}.middle.0", False) + residual(f"{coder}.middle.2", False)
    return names


def vae21_names():
    """Names of the authors' WanVAE_ (dim 8, multipliers 1, 2, 4, 4, two residual blocks a level)."""
    names = vae_ends()
    layer = 0
    for level in range(4):
        for i in range(2):
            names += residual(f"encoder.downsamples.{layer}", shortcut=i == 0 and level in (1, 2))
            layer += 1
        if level < 3:
            names += resampler(f"encoder.downsamples.{layer}", time=level > 0)
            layer += 1
    layer = 0
    for level in range(4):
        for i in range(3):
            # Widths 32>32, 16>32, 16>16, 8>8: an upsampler halves the width before the next level.
            names += residual(f"decoder.upsamples.{layer}", shortcut=i == 0 and level == 1)
            layer += 1
        if level < 3:
            names += resampler(f"decoder.upsamples.{layer}", time=level < 2)
            layer += 1
    return names


RESIDUAL = {"residual.0.gamma": "norm1.gamma", "residual.3.gamma": "norm2.gamma", "residual.2.weight": "conv1.weight",
            "residual.2.bias": "conv1.bias", "residual.6.weight": "conv2.weight", "residual.6.bias": "conv2.bias",
            "shortcut.weight": "conv_shortcut.weight", "shortcut.bias": "conv_shortcut.bias"}


def vae22_pairs():
    pairs = convert_wan_vae_to_diffusers({name: name for name in vae_ends()})
    pairs = {old: new for new, old in pairs.items()}

    def level(old, new, blocks, shortcut, sampler, time):
        for i in range(blocks):
            for name in residual(f"{old}.{i}", shortcut and i == 0):
                tail = name[len(f"{old}.{i}."):]
                pairs[name] = f"{new}.resnets.{i}.{RESIDUAL[tail]}"
        if sampler:
            for name in resampler(f"{old}.{blocks}", time):
                pairs[name] = f"{new}.{sampler}.{name[len(f'{old}.{blocks}.'):]}"

    for i in range(4):
        level(f"encoder.downsamples.{i}.downsamples", f"encoder.down_blocks.{i}", 2, i in (1, 2), "downsampler" if i < 3 else "", i > 0)
        level(f"decoder.upsamples.{i}.upsamples", f"decoder.up_blocks.{i}", 3, i in (2, 3), "upsampler" if i < 3 else "", i < 2)
    return pairs


def umt5_pairs(layers):
    pairs = {"token_embedding.weight": "shared.weight", "norm.weight": "encoder.final_layer_norm.weight"}
    for i in range(layers):
        old, new = f"blocks.{i}", f"encoder.block.{i}.layer"
        for x in "qkvo":
            pairs[f"{old}.attn.{x}.weight"] = f"{new}.0.SelfAttention.{x}.weight"
        pairs[f"{old}.pos_embedding.embedding.weight"] = f"{new}.0.SelfAttention.relative_attention_bias.weight"
        pairs[f"{old}.norm1.weight"] = f"{new}.0.layer_norm.weight"
        pairs[f"{old}.norm2.weight"] = f"{new}.1.layer_norm.weight"
        pairs[f"{old}.ffn.gate.0.weight"] = f"{new}.1.DenseReluDense.wi_0.weight"
        pairs[f"{old}.ffn.fc1.weight"] = f"{new}.1.DenseReluDense.wi_1.weight"
        pairs[f"{old}.ffn.fc2.weight"] = f"{new}.1.DenseReluDense.wo.weight"
    return pairs


def converted(names, convert):
    return {old: new for new, old in convert({name: name for name in names}).items()}



def write(folder, name, pairs, model):
    ours, theirs = set(pairs.values()), set(model.state_dict())
    theirs -= {"encoder.embed_tokens.weight"}  # the same tensor as shared.weight
    assert len(ours) == len(pairs) and ours == theirs, (name, ours ^ theirs)
    (folder / f"{name}.txt").write_text("".join(f"{old} {new}\n" for old, new in sorted(pairs.items())))
    print(f"{name}: {len(pairs)} names")


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "tests/data/names"
    folder.mkdir(parents=True, exist_ok=True)
    small = dict(num_attention_heads=2, attention_head_dim=12, text_dim=16, freq_dim=16, ffn_dim=32, num_layers=12)
    write(folder, "wan_t2v_transformer", converted(transformer_names(12, False), convert_wan_transformer_to_diffusers),
          WanTransformer3DModel(in_channels=4, out_channels=4, **small))
    write(folder, "wan_i2v_transformer", converted(transformer_names(2, True), convert_wan_transformer_to_diffusers),
          WanTransformer3DModel(in_channels=12, out_channels=4, image_dim=8, added_kv_proj_dim=24, **{**small, "num_layers": 2}))
    vae = dict(base_dim=8, z_dim=4, dim_mult=[1, 2, 4, 4], num_res_blocks=2, temperal_downsample=[False, True, True])
    write(folder, "wan_vae21", converted(vae21_names(), convert_wan_vae_to_diffusers), AutoencoderKLWan(**vae))
    write(folder, "wan_vae22", vae22_pairs(),
          AutoencoderKLWan(**vae, decoder_base_dim=8, is_residual=True, in_channels=12, out_channels=12, patch_size=2))
    write(folder, "umt5", umt5_pairs(11),
          UMT5EncoderModel(UMT5Config(vocab_size=32, d_model=8, d_kv=4, d_ff=16, num_layers=11, num_heads=2)))


if __name__ == "__main__":
    main()
