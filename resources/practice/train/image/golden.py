"""Reference tensors, made by diffusers on the CPU in float32, for other implementations to be compared with.

usage: golden.py PIPELINE_FOLDER OUT_FOLDER [--other]      (--other: other prompts, seeds and VAE input)
Writes prompt0.safetensors, prompt1.safetensors and vae.safetensors, under 1 MB each. They belong to the weights: run
this again after every training. tests/data/practice_image holds those of the weights in resources/practice/image.
"""
import argparse
import os

import numpy as np
import torch
from safetensors.torch import save_file

import text
from draw import pack, render
from judge import load_pipeline
from scenes import scenes

SIZE, STEPS, GUIDANCE = 128, 6, 3.0
PROMPTS = [("a large red circle to the left of a small blue star on a white background", 11), ("A house with a red roof under a yellow sun.", 12)]
VAE_SEED = 5
OTHER_PROMPTS = [
    ("three green hearts in a row in the night sky", 21),
    ("a checkered purple square above two orange moons on a gradient from cyan to pink", 22),
]
OTHER_VAE_SEED = 6


def text_tensors(pipe, prompt):
    """Token ids and embeddings of the prompt and of the empty negative one."""
    out = {}
    for name, p in (("cond", prompt), ("uncond", "")):
        clip, t5 = text.ids((pipe.tokenizer, pipe.tokenizer_2), [p])
        words, pooled, txt_ids = pipe.encode_prompt(p, max_sequence_length=text.T5_TOKENS)
        out |= {f"clip_ids_{name}": clip.int(), f"t5_ids_{name}": t5.int(), f"t5_embeds_{name}": words, f"clip_pooled_{name}": pooled}
    return out | {"txt_ids": txt_ids}


@torch.no_grad()
def trace(pipe, prompt, seed):
    """Noise, ids, sigmas, first velocities, packed latents after each step, and the picture, which must be the pipeline's."""
    from diffusers.pipelines.flux.pipeline_flux import calculate_shift, retrieve_timesteps

    side = SIZE // pipe.vae_scale_factor
    noise = torch.randn(1, pipe.transformer.config.in_channels // 4, side, side, generator=torch.Generator().manual_seed(seed))
    latents = pipe._pack_latents(noise, 1, noise.shape[1], side, side)
    out = {"noise": noise, "latents_init": latents.clone(), **text_tensors(pipe, prompt)}
    out["img_ids"] = pipe._prepare_latent_image_ids(1, side // 2, side // 2, "cpu", torch.float32)
    c = pipe.scheduler.config
    mu = calculate_shift(latents.shape[1], c.base_image_seq_len, c.max_image_seq_len, c.base_shift, c.max_shift)
    timesteps, _ = retrieve_timesteps(pipe.scheduler, STEPS, "cpu", sigmas=np.linspace(1.0, 1 / STEPS, STEPS), mu=mu)
    pipe.scheduler.set_begin_index(0)
    out |= {"timesteps": timesteps.clone(), "sigmas": pipe.scheduler.sigmas.clone(), "mu": torch.tensor([mu])}
    for i, t in enumerate(timesteps):
        velocity = {
            name: pipe.transformer(
                hidden_states=latents, timestep=t.expand(1) / 1000, encoder_hidden_states=out[f"t5_embeds_{name}"],
                pooled_projections=out[f"clip_pooled_{name}"], txt_ids=out["txt_ids"], img_ids=out["img_ids"], return_dict=False,
            )[0]
            for name in ("cond", "uncond")
        }  # fmt: skip
        if i == 0:
            out |= {f"velocity0_{name}": v for name, v in velocity.items()}
        guided = velocity["uncond"] + GUIDANCE * (velocity["cond"] - velocity["uncond"])
        latents = pipe.scheduler.step(guided, t, latents, return_dict=False)[0]
        out[f"latents_step{i}"] = latents.clone()
    z = pipe._unpack_latents(latents, SIZE, SIZE, pipe.vae_scale_factor) / pipe.vae.config.scaling_factor + pipe.vae.config.shift_factor
    picture = pipe.image_processor.postprocess(pipe.vae.decode(z, return_dict=False)[0], output_type="pt")
    out["picture"] = picture.half()
    whole = pipe(
        prompt, negative_prompt="", true_cfg_scale=GUIDANCE, height=SIZE, width=SIZE, num_inference_steps=STEPS,
        latents=out["latents_init"], max_sequence_length=text.T5_TOKENS, output_type="pt",
    ).images  # fmt: skip
    worst = (whole - picture).abs().max().item()
    print(f"{prompt!r}: differs from the pipeline's own by {worst:.2e}")
    assert worst < 1e-4
    return {k: v.contiguous() for k, v in out.items()}


@torch.no_grad()
def vae_pair(pipe, seed):
    x = render(*pack(scenes(1, seed)), SIZE)
    distribution = pipe.vae.encode(x).latent_dist
    decoded = pipe.vae.decode(distribution.mean).sample
    return {"picture": x, "mean": distribution.mean, "logvar": distribution.logvar, "decoded": decoded}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("out")
    parser.add_argument("--other", action="store_true")
    args = parser.parse_args()
    os.makedirs(args.out, exist_ok=True)
    pipe = load_pipeline(args.folder, "cpu")
    for i, (prompt, seed) in enumerate(OTHER_PROMPTS if args.other else PROMPTS):
        facts = {"prompt": prompt, "seed": seed, "size": SIZE, "steps": STEPS, "true_cfg_scale": GUIDANCE}
        save_file(trace(pipe, prompt, seed), f"{args.out}/prompt{i}.safetensors", {k: str(v) for k, v in facts.items()})
    save_file(vae_pair(pipe, OTHER_VAE_SEED if args.other else VAE_SEED), f"{args.out}/vae.safetensors")


if __name__ == "__main__":
    main()
