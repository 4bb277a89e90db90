"""Writes OUT/schedulers.safetensors: schedules and steps of diffusers' schedulers for many configurations.

    make_schedulers.py OUT

Case N holds N.sigmas, N.timesteps, N.velocity [steps,1,2,3], N.start and N.samples [steps,1,2,3]; metadata N
is its configuration, number of steps and mu as JSON. Needs diffusers 0.42.1, torch 2.11.0.
"""

import json
import pathlib
import sys

import torch
from diffusers import FlowMatchEulerDiscreteScheduler, UniPCMultistepScheduler
from safetensors.torch import save_file

FLOW = dict(prediction_type="flow_prediction", use_flow_sigmas=True)


def cases():
    euler, unipc = FlowMatchEulerDiscreteScheduler, UniPCMultistepScheduler
    for shift in (1.0, 3.0, 5.0, 7.3, 12.0):
        for steps in (1, 2, 4, 7, 30, 50):
            yield euler, dict(shift=shift), steps, None
            yield unipc, dict(flow_shift=shift, **FLOW), steps, None
    for steps in (1, 5, 28):
        for kind in ("exponential", "linear"):
            yield euler, dict(use_dynamic_shifting=True, time_shift_type=kind), steps, 0.9
        yield euler, dict(use_dynamic_shifting=True, shift_terminal=0.1), steps + 1, 1.3
        yield euler, dict(shift=2.5, use_karras_sigmas=True), steps, None
        yield euler, dict(shift=3.0, use_exponential_sigmas=True), steps, None
        yield euler, dict(shift=3.0, invert_sigmas=True), steps, None
        yield euler, dict(shift=3.0, num_train_timesteps=500), steps, None
        yield unipc, dict(flow_shift=5.0, use_dynamic_shifting=True, **FLOW), steps, 0.7
        yield unipc, dict(flow_shift=5.0, shift_terminal=0.05, **FLOW), steps + 1, None
        yield unipc, dict(flow_shift=5.0, num_train_timesteps=400, **FLOW), steps, None
        for order in (1, 3):
            yield unipc, dict(flow_shift=5.0, solver_order=order, **FLOW), steps, None
        for order in (1, 2, 3):
            yield unipc, dict(flow_shift=3.0, solver_type="bh1", solver_order=order, final_sigmas_type="sigma_min", **FLOW), steps, None
        yield unipc, dict(flow_shift=3.0, disable_corrector=[0, 1, 3], **FLOW), steps, None
        yield unipc, dict(flow_shift=3.0, solver_type="midpoint", **FLOW), steps, None
        yield unipc, dict(flow_shift=3.0, final_sigmas_type="sigma_min", **FLOW), steps, None
        yield unipc, dict(flow_shift=8.0, solver_order=1, lower_order_final=False, **FLOW), steps, None
    yield euler, dict(shift=3.0), 1000, None
    yield unipc, dict(flow_shift=5.0, **FLOW), 333, None


def main():
    tensors, configs = {}, []
    generator = torch.Generator().manual_seed(7)
    for n, (kind, options, steps, mu) in enumerate(cases()):
        scheduler = kind(**options)
        scheduler.set_timesteps(steps, **({"mu": mu} if mu is not None else {}))
        scheduler.set_begin_index(0)
        sample = torch.randn(1, 2, 3, generator=generator)
        velocity = torch.randn(steps, 1, 2, 3, generator=generator)
        tensors[f"{n}.start"], tensors[f"{n}.velocity"] = sample.clone(), velocity
        tensors[f"{n}.sigmas"], tensors[f"{n}.timesteps"] = scheduler.sigmas.clone(), scheduler.timesteps.clone()
        samples = []
        for i, t in enumerate(scheduler.timesteps):
            sample = scheduler.step(velocity[i], t, sample, return_dict=False)[0]
            samples.append(sample.clone())
        tensors[f"{n}.samples"] = torch.stack(samples)
        config = {k: v for k, v in json.loads(scheduler.to_json_string()).items()}
        configs.append(dict(config=config, steps=steps, mu=mu))
        if not torch.isfinite(sample).all():
            print("not finite:", options, steps)
    save_file(tensors, pathlib.Path(sys.argv[1]) / "schedulers.safetensors", {str(n): json.dumps(c) for n, c in enumerate(configs)})


if __name__ == "__main__":
    main()
