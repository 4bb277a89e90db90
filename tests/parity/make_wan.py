"""Writes tiny random Wan checkpoints and what diffusers and transformers compute from them.

    make_wan.py OUT [--seeds 0 1 …] [--only pipelines|transformers|encoders]

Each folder OUT/wan_* is a complete pipeline folder, transformer folder or text encoder folder with random weights, and
in it golden*.safetensors: inputs and reference tensors in float32 on the CPU. Sizes, options and prompts follow from
the seed; tests/data holds the folders of the default seeds, others are for checking with data never seen before.
Needs diffusers 0.42.1, transformers 5.17.0, torch 2.11.0, ftfy.
"""

import argparse
import json
import pathlib
import random
import shutil

import numpy
import torch
from diffusers import (AutoencoderKLWan, FlowMatchEulerDiscreteScheduler, UniPCMultistepScheduler,
                       WanImageToVideoPipeline, WanPipeline, WanTransformer3DModel)
from safetensors.torch import save_file
from transformers import AutoTokenizer, UMT5Config, UMT5EncoderModel

TOKENIZER = pathlib.Path(__file__).resolve().parents[2] / "resources/practice/video/tokenizer"
PROMPTS = ["a red circle moves slowly to the right on a white background",
           "a small blue square grows &amp; spins; caf\u00e9", "  a  green \u201cstar\u201d\nrests, then moves ",
           "two triangles, one yellow, one purple", "a"]


def randomise(module, generator):
    """Initial values leave norms at one and biases near zero, which would hide mistakes in their use."""
    with torch.no_grad():
        for name, p in module.named_parameters():
            noise = torch.randn(p.shape, generator=generator)
            if p.dim() == 1 or "gamma" in name:
                p.add_(0.2 * noise)
            elif "scale_shift_table" in name:
                p.copy_(0.5 * noise)
            elif p.dim() == 5:
                p.mul_(1.6)
            elif "shared" not in name and "relative_attention_bias" not in name:
                p.copy_(noise * (1.2 / p[0].numel() ** 0.5))
    return module.eval()


def umt5(rng, generator, width, vocab=220, **options):
    heads = rng.choice([2, 3, 4])
    config = UMT5Config(vocab_size=vocab, d_model=width, d_kv=rng.choice([8, 12, 16]), d_ff=2 * width,
                        num_layers=rng.choice([1, 2, 3]), num_heads=heads, dropout_rate=0.0,
                        relative_attention_num_buckets=rng.choice([8, 16, 32]),
                        relative_attention_max_distance=rng.choice([24, 64, 128]), **options)
    return randomise(UMT5EncoderModel(config), generator)


def transformer(rng, generator, channels, text_width, **options):
    settings = dict(patch_size=(1, 2, 2), num_attention_heads=rng.choice([2, 3]),
                    attention_head_dim=rng.choice([12, 16, 18, 24]), in_channels=channels, out_channels=channels,
                    text_dim=text_width, freq_dim=rng.choice([32, 64, 256]), ffn_dim=rng.choice([56, 80, 96]),
                    num_layers=2, cross_attn_norm=True, qk_norm="rms_norm_across_heads", eps=1e-6,
                    rope_max_seq_len=rng.choice([32, 1024]))
    settings.update(options)
    return randomise(WanTransformer3DModel(**settings), generator)


def vae(rng, generator, residual, channels):
    common = dict(z_dim=channels, num_res_blocks=1, latents_mean=[rng.uniform(-1, 1) for _ in range(channels)],
                  latents_std=[rng.uniform(0.5, 3) for _ in range(channels)])
    if residual:
        model = AutoencoderKLWan(base_dim=4, decoder_base_dim=rng.choice([4, 6]), dim_mult=[1, 2, 4, 4],
                                 temperal_downsample=[False, True, True], is_residual=True, in_channels=12,
                                 out_channels=12, patch_size=2, scale_factor_spatial=16, **common)
    else:
        model = AutoencoderKLWan(base_dim=4, dim_mult=[1, 2, 4, 4], temperal_downsample=[False, True, True], **common)
    return randomise(model, generator)


def unipc(rng, **options):
    return UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, num_train_timesteps=1000,
                                   flow_shift=rng.choice([3.0, 5.0, 8.0]), **options)


class Recorder:
    """Keeps what the first call of a transformer computes inside, and what its scheduler is given and gives."""

    def __init__(self, pipe):
        self.out, self.calls, self.pipe, self.hooks = {}, 0, pipe, []
        for name in ("transformer", "transformer_2"):
            model = getattr(pipe, name, None)
            if model is not None:
                self.hooks.append(model.register_forward_hook(self.branch, with_kwargs=True))
        self.hooks += tap_transformer(pipe.transformer, self.out)
        step = pipe.scheduler.step

        def recorded(velocity, t, latents, return_dict=False):
            k = sum(1 for name in self.out if name.startswith("velocity."))
            self.out[f"velocity.{k:03d}"] = velocity.clone()
            result = step(velocity, t, latents, return_dict=False)[0]
            self.out[f"latents.{k:03d}"] = result.clone()
            return (result,)

        pipe.scheduler.step = recorded
        self.hooks.append(self)
        self.step = step

    def remove(self):
        del self.pipe.scheduler.step

    def branch(self, module, args, kwargs, output):
        if self.calls < 2:
            name = ("cond", "uncond")[self.calls]
            self.out[f"first.{name}"] = output[0].clone()
            if self.calls == 0:
                self.out["first.latent"] = kwargs["hidden_states"].clone()
                self.out["first.timestep"] = kwargs["timestep"].clone()
                self.out["prompt_embeds"] = kwargs["encoder_hidden_states"].clone()
            else:
                self.out["negative_prompt_embeds"] = kwargs["encoder_hidden_states"].clone()
        self.calls += 1

    def finish(self):
        for hook in self.hooks:
            hook.remove()
        return self.out


def tap_transformer(model, out):
    """Records intermediate values of the first call under the names of Rubato's taps."""

    def keep(name, change=lambda x: x):
        def hook(module, args, output):
            value = output[0] if isinstance(output, tuple) else output
            out.setdefault("tap." + name, change(value).clone())
        return hook

    hooks = [model.patch_embedding.register_forward_hook(keep("patch_embedding", lambda x: x.flatten(2).transpose(1, 2))),
             model.condition_embedder.text_embedder.register_forward_hook(keep("text_embedding"))]
    for i, block in enumerate(model.blocks):
        hooks += [block.attn1.register_forward_hook(keep(f"blocks.{i}.attn1")),
                  block.attn2.register_forward_hook(keep(f"blocks.{i}.attn2")),
                  block.ffn.register_forward_hook(keep(f"blocks.{i}.ffn")),
                  block.register_forward_hook(keep(f"blocks.{i}"))]
    return hooks


def save(path, tensors, **metadata):
    save_file({k: v.detach().float().contiguous() if v.is_floating_point() else v.contiguous() for k, v in tensors.items()},
              path, {k: str(v) for k, v in metadata.items()})


def run(pipe, rng, seed, folder, name, size, frames, steps, guidance, image=None, **more):
    prompt, negative = rng.choice(PROMPTS), rng.choice(["", "blurry, still", PROMPTS[3]])
    length = rng.choice([16, 32, 48])
    recorder = Recorder(pipe)
    kwargs = dict(prompt=prompt, negative_prompt=negative, width=size[0], height=size[1], num_frames=frames,
                  num_inference_steps=steps, guidance_scale=guidance, max_sequence_length=length,
                  generator=torch.Generator("cpu").manual_seed(seed), output_type="pt", return_dict=False, **more)
    if image is not None:
        kwargs["image"] = image
    with torch.no_grad():
        video = pipe(**kwargs)[0]
    out = recorder.finish()
    out["frames"] = video[0].permute(0, 2, 3, 1)
    out["timesteps"], out["sigmas"] = pipe.scheduler.timesteps.clone(), pipe.scheduler.sigmas.clone()
    from diffusers.pipelines.wan.pipeline_wan import prompt_clean
    ids = pipe.tokenizer(prompt_clean(prompt), padding="max_length", max_length=length, truncation=True)["input_ids"]
    out["prompt_ids"] = torch.tensor([ids])
    out["noise"] = torch.randn(out["latents.000"].shape, generator=torch.Generator("cpu").manual_seed(seed))
    if image is not None:
        out["image"] = image[0].permute(1, 2, 0)
    job = dict(prompt=prompt, negative_prompt=negative, size=f"{size[0]}x{size[1]}", frames=frames, steps=steps,
               guidance=guidance, seed=seed, max_sequence_length=length)
    if "guidance_scale_2" in more:
        job["guidance_2"] = more["guidance_scale_2"]
    save(folder / f"{name}.safetensors", out, job=json.dumps(job))


def pipeline_folder(kind, seed, out):
    rng, generator = random.Random(f"{kind}{seed}"), torch.Generator().manual_seed(1000 + seed)
    torch.manual_seed(seed)
    width, residual = rng.choice([20, 24, 32]), kind == "22_ti2v"
    channels = rng.choice([4, 6, 8])
    parts = dict(tokenizer=AutoTokenizer.from_pretrained(TOKENIZER), text_encoder=umt5(rng, generator, width),
                 transformer=transformer(rng, generator, channels, width), vae=vae(rng, generator, residual, channels))
    if kind == "21" and seed % 2 == 1:
        parts["scheduler"] = FlowMatchEulerDiscreteScheduler(shift=rng.choice([3.0, 5.0]))
    else:
        parts["scheduler"] = unipc(rng)
    extra = {}
    if kind == "22_a14b":
        settings = {k: v for k, v in parts["transformer"].config.items() if not k.startswith("_")}
        parts["transformer_2"] = randomise(WanTransformer3DModel(**settings), generator)
        extra = dict(boundary_ratio=rng.choice([0.875, 0.9, 0.7]))
    elif residual:
        extra = dict(expand_timesteps=True)
    pipe = WanPipeline(**parts, **extra)
    pipe.set_progress_bar_config(disable=True)
    folder = out / f"wan_{kind}_s{seed}"
    shutil.rmtree(folder, ignore_errors=True)
    pipe.save_pretrained(folder)
    unit = 32 if residual else 16
    for i in range(2):
        size = (unit * rng.choice([2, 3]), unit * rng.choice([1, 2])) if i == 0 else (unit * 2, unit * 2)
        if residual:
            size = (64, 32) if i == 0 else (32, 64)
        frames, steps = rng.choice([5, 9]) if i == 0 else rng.choice([1, 5]), rng.choice([3, 4, 6])
        more = dict(guidance_scale_2=rng.choice([1.5, 3.0])) if kind == "22_a14b" else {}
        run(pipe, rng, 100 * seed + i, folder, f"golden_{i}", size, frames, steps, rng.choice([3.5, 5.0]), **more)
    if residual:
        names = ("tokenizer", "text_encoder", "transformer", "vae", "scheduler")
        i2v = WanImageToVideoPipeline(**{k: parts[k] for k in names}, image_encoder=None, image_processor=None,
                                      expand_timesteps=True)
        i2v.set_progress_bar_config(disable=True)
        image = torch.rand((1, 3, 32, 64), generator=generator)
        run(i2v, rng, 100 * seed + 7, folder, "golden_image", (64, 32), 5, 4, 4.0, image=image)
    print(folder, sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()) // 1024, "KiB",
          "largest", max(f.stat().st_size for f in folder.rglob("*")) // 1024)


VARIANTS = [dict(), dict(cross_attn_norm=False), dict(qk_norm=None, attention_head_dim=14), dict(patch_size=(1, 1, 1)),
            dict(patch_size=(2, 2, 2), eps=1e-5), dict(in_channels=9, out_channels=5), dict(attention_head_dim=10, freq_dim=33),
            dict(out_channels=None, num_attention_heads=1, attention_head_dim=32), dict(patch_size=(1, 4, 2))]


def transformer_folder(seed, out):
    rng, generator = random.Random(f"dit{seed}"), torch.Generator().manual_seed(2000 + seed)
    torch.manual_seed(seed)
    options = VARIANTS[seed % len(VARIANTS)]
    channels, text_width = rng.choice([3, 4, 8]), rng.choice([12, 20, 32])
    model = transformer(rng, generator, channels, text_width, **options)
    stored = (torch.float32, torch.float16, torch.bfloat16)[seed % 3]
    folder = out / f"wan_dit_s{seed}"
    shutil.rmtree(folder, ignore_errors=True)
    model.to(stored).save_pretrained(folder, max_shard_size="40KB" if seed % 2 else "10GB")
    model = WanTransformer3DModel.from_pretrained(folder, torch_dtype=torch.float32).eval()
    taps = {}
    tap_transformer(model, taps)
    pt, ph, pw = model.config.patch_size
    grid = (rng.choice([1, 2, 3]), rng.choice([2, 3, 4]), rng.choice([2, 3, 5]))
    latent = torch.randn((1, model.config.in_channels, grid[0] * pt, grid[1] * ph, grid[2] * pw), generator=generator)
    text = torch.randn((1, rng.choice([7, 16]), text_width), generator=generator)
    text[:, 5:] = 0
    tokens = grid[0] * grid[1] * grid[2]
    timestep = torch.tensor([rng.choice([999, 421, 3])])
    per_token = torch.full((1, tokens), 613.5)
    per_token[:, :grid[1] * grid[2]] = 0
    with torch.no_grad():
        out_one = model(latent, timestep, text, return_dict=False)[0]
        out_many = model(latent, per_token, text, return_dict=False)[0]
    save(folder / "golden.safetensors", dict(latent=latent, text=text, timestep=timestep, per_token=per_token,
                                             velocity=out_one, velocity_per_token=out_many, **taps))
    print(folder, sum(f.stat().st_size for f in folder.rglob("*")) // 1024, "KiB")


def encoder_folder(seed, out):
    rng, generator = random.Random(f"umt5{seed}"), torch.Generator().manual_seed(3000 + seed)
    torch.manual_seed(seed)
    kind = ("gated-gelu", "relu", "gated-silu", "gelu")[seed % 4]
    model = umt5(rng, generator, rng.choice([18, 32]), vocab=rng.choice([60, 97]), feed_forward_proj=kind)
    folder = out / f"wan_umt5_s{seed}"
    shutil.rmtree(folder, ignore_errors=True)
    model.to((torch.float32, torch.float16, torch.bfloat16)[seed % 3]).save_pretrained(folder)
    model = UMT5EncoderModel.from_pretrained(folder, dtype=torch.float32).eval()
    length, used = 40, rng.choice([1, 9, 33])
    ids = torch.randint(2, 60, (2, length), generator=generator)
    ids[0, used:], mask = 0, torch.ones(2, length, dtype=torch.long)
    mask[0, used:] = 0
    with torch.no_grad():
        states = model(ids, mask).last_hidden_state
        alone = model(ids[:1, :used]).last_hidden_state
    save(folder / "golden.safetensors", dict(ids=ids, mask=mask, states=states, alone=alone))
    print(folder, sum(f.stat().st_size for f in folder.rglob("*")) // 1024, "KiB")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--seeds", type=int, nargs="*")
    parser.add_argument("--only", choices=["pipelines", "transformers", "encoders"])
    args = parser.parse_args()
    torch.set_num_threads(2)
    if args.only in (None, "pipelines"):
        for kind in ("21", "22_ti2v", "22_a14b"):
            for seed in args.seeds if args.seeds is not None else ((0, 1) if kind == "21" else (0,)):
                pipeline_folder(kind, seed, args.out)
    if args.only in (None, "transformers"):
        for seed in args.seeds if args.seeds is not None else range(len(VARIANTS)):
            transformer_folder(seed, args.out)
    if args.only in (None, "encoders"):
        for seed in args.seeds if args.seeds is not None else range(4):
            encoder_folder(seed, args.out)


if __name__ == "__main__":
    main()
