"""Reference tensors, made by diffusers on the CPU in float32, for other implementations to be compared with.

usage: golden.py PIPELINE_FOLDER OUT_FOLDER [--other]      (--other: other prompts, seeds and VAE input)
Writes prompt0.safetensors, prompt1.safetensors and vae.safetensors, under 1 MB each. They belong to the weights: run
this again after every training. tests/data/practice_video holds those of the weights in resources/practice/video.
"""
import argparse
import os

import torch
from safetensors.torch import save_file

from draw import pack, render
from scenes import scenes

STEPS, GUIDANCE, FRAMES, SIDE, TOKENS = 6, 3.5, 17, 64, 32
PROMPTS = [
    ("a small red circle rests, then moves right over a starry sky", 11),
    ("a big blue square bounces while a green star stays still, on sand", 12),
]
VAE_SEED = 31
OTHER_PROMPTS = [
    ("two objects: a big white heart growing and a small orange ring moving up, at night", 21),
    ("a huge purple triangle slides left, then stops in a forest", 22),
]
OTHER_VAE_SEED = 41


def load(folder):
    from diffusers import WanPipeline

    pipe = WanPipeline.from_pretrained(folder, torch_dtype=torch.float32)
    pipe.set_progress_bar_config(disable=True)
    for part in (pipe.vae, pipe.transformer, pipe.text_encoder):
        assert all(p.dtype == torch.float32 for p in part.parameters())
    return pipe


@torch.no_grad()
def text_tensors(pipe, prompt):
    tokens = pipe.tokenizer([prompt, ""], padding="max_length", max_length=TOKENS, truncation=True, return_tensors="pt").input_ids.int()
    with_prompt, without = pipe.encode_prompt(prompt, "", True, max_sequence_length=TOKENS, device="cpu")
    return {
        "token_ids": tokens[0],
        "token_ids_uncond": tokens[1],
        "text_embeds": with_prompt[0],  # [32, 192]; rows of padding are zero
        "text_embeds_uncond": without[0],
    }


@torch.no_grad()
def denoise_tensors(pipe, prompt, seed):
    """Start, first velocities, sigmas, latents after each step, frames."""
    shape = (1, pipe.transformer.config.in_channels, (FRAMES - 1) // 4 + 1, SIDE // 8, SIDE // 8)
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    velocities, latents, timesteps = [], [], []
    forward = pipe.transformer.forward

    def watched(*args, **kwargs):
        result = forward(*args, **kwargs)
        velocities.append(result[0][0].clone())
        return result

    def after_step(_pipe, _step, t, values):
        latents.append(values["latents"][0].clone())
        timesteps.append(t.clone())
        return values

    pipe.transformer.forward = watched
    try:
        final = pipe(
            prompt, negative_prompt="", height=SIDE, width=SIDE, num_frames=FRAMES, num_inference_steps=STEPS, guidance_scale=GUIDANCE,
            latents=noise.clone(), max_sequence_length=TOKENS, output_type="latent", callback_on_step_end=after_step,
        ).frames
    finally:
        pipe.transformer.forward = forward
    assert len(velocities) == 2 * STEPS and torch.equal(final[0], latents[-1])
    mean = torch.tensor(pipe.vae.config.latents_mean).view(1, -1, 1, 1, 1)
    std = torch.tensor(pipe.vae.config.latents_std).view(1, -1, 1, 1, 1)
    return {
        "latents_init": noise[0],
        "velocity0_cond": velocities[0],
        "velocity0_uncond": velocities[1],
        "timesteps": torch.stack(timesteps).float(),
        "sigmas": pipe.scheduler.sigmas.float().clone(),
        "latents_steps": torch.stack(latents),
        "frames": pipe.vae.decode(final * std + mean).sample[0].half(),  # [3, 17, 64, 64] in -1..1
    }


@torch.no_grad()
def vae_tensors(vae, seed):
    video = render(pack(scenes(1, seed)), FRAMES, SIDE).half()
    latent = vae.encode(video.float()).latent_dist
    decoded = vae.decode(latent.mean).sample
    return {"video": video[0], "latent_mean": latent.mean[0], "latent_logvar": latent.logvar[0], "decoded": decoded[0].half()}


def save(tensors, path, metadata):
    save_file({k: v.contiguous() for k, v in tensors.items()}, path, metadata=metadata)
    print(path, os.path.getsize(path))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pipeline")
    parser.add_argument("out")
    parser.add_argument("--other", action="store_true")
    args = parser.parse_args()
    os.makedirs(args.out, exist_ok=True)
    pipe = load(args.pipeline)
    settings = {"steps": STEPS, "guidance_scale": GUIDANCE, "height": SIDE, "width": SIDE, "num_frames": FRAMES, "max_sequence_length": TOKENS}
    for i, (prompt, seed) in enumerate(OTHER_PROMPTS if args.other else PROMPTS):
        metadata = {"prompt": prompt, "seed": str(seed), **{k: str(v) for k, v in settings.items()}}
        save({**text_tensors(pipe, prompt), **denoise_tensors(pipe, prompt, seed)}, f"{args.out}/prompt{i}.safetensors", metadata)
    note = {"note": "latent_mean is not normalised; decoded = decode(latent_mean)"}
    save(vae_tensors(pipe.vae, OTHER_VAE_SEED if args.other else VAE_SEED), f"{args.out}/vae.safetensors", note)


if __name__ == "__main__":
    main()
