"""Trains the diffusion transformer on encoded pictures, with the text encoders as they are.

Flow matching: x_u = (1 - u) x + u noise, the model learns noise - x. First small pictures only, from which colours,
shapes and layouts are learned cheaply, then those of 256 pixels with some small and, late, some large ones between.
Matrices are stepped by Muon, the rest by AdamW; the result is a moving average of the weights. The learning rate rises
over the first steps of every run, stays, and falls over the last part of all runs together.

usage: train_transformer.py OUT SECONDS --pictures DIR --text DIR [--init FOLDER] [--state DIR]
SECONDS counts from --since (a Unix time; now, if not given). It begins as soon as train_text.py has written its
encoders and encode_pictures.py, which may run beside it, its first files. --init is a pipeline's folder `transformer`
to start from; a state in OUT/state, or else in --state, goes before it. Writes OUT/state (every 30 s; see ../video/state.py).
"""
import argparse
import json
import math
import os
import time

import torch
from safetensors.torch import load_file

import text
from encode_pictures import PIXELS_OF_A_TOKEN, SIZES, Pictures
from shared import muon, state

TRANSFORMER = dict(
    patch_size=1,
    in_channels=32,
    num_layers=2,
    num_single_layers=6,
    attention_head_dim=64,
    num_attention_heads=4,
    joint_attention_dim=text.T5_WIDTH,
    pooled_projection_dim=text.CLIP_WIDTH,
    guidance_embeds=False,
    axes_dims_rope=(8, 28, 28),
)
SCHEDULER = dict(
    num_train_timesteps=1000, shift=3.0, use_dynamic_shifting=True, base_shift=0.8, max_shift=1.5, base_image_seq_len=256, max_image_seq_len=4096
)
BATCH = {"small": 384, "middle": 128, "large": 16}
WARM_UP_STEPS = 150
FALL_FROM, LAST_LR = 0.55, 0.02  # part of the whole training after which the learning rate falls, and to what
ADAMW_LR = 0.4  # of Muon's
EMA = 0.998
SAVE_SECONDS = 30
REFRESH_STEPS = 20  # between looks for newly encoded pictures


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    parser.add_argument("seconds", type=float)
    parser.add_argument("--since", type=float, default=time.time())
    parser.add_argument("--pictures", required=True)
    parser.add_argument("--text", required=True, help="holds text_encoder and text_encoder_2; waited for")
    parser.add_argument("--init")
    parser.add_argument("--state")
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--whole-seconds", type=float, help="training seconds of all runs together, if more follow this one")
    parser.add_argument("--small-until", type=float, default=0.1, help="part of the whole training with small pictures only")
    parser.add_argument("--large-from", type=float, default=0.6, help="part of the whole training after which some are large")
    parser.add_argument("--kinds", nargs="+", default=list(BATCH), choices=list(BATCH), help="what this run trains on")
    parser.add_argument("--batch", type=int, help="pictures of a step, of every size")
    parser.add_argument("--divide", type=int, default=1, help="the pictures are smaller by this factor, for a trial")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--compile", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--compile-only", action="store_true", help="for the cache that another process uses")
    parser.add_argument("--graph", action=argparse.BooleanOptionalAction, default=True, help="record the step as a CUDA graph")
    parser.add_argument("--steps", type=int, help="stop after so many steps, if the time is not over before")
    parser.add_argument("--log-steps", type=int, default=250)
    return parser.parse_args()


# ---- models ---------------------------------------------------------------------------------------------------------


def make_transformer():
    """Every block starts as the identity, and the output as zero."""
    from diffusers import FluxTransformer2DModel

    model = FluxTransformer2DModel(**TRANSFORMER)
    modulations = ("norm1.linear.weight", "norm1_context.linear.weight", "norm.linear.weight", "norm_out.linear.weight")
    for name, p in model.named_parameters():
        if name.endswith((*modulations, "bias")) or name == "proj_out.weight":
            torch.nn.init.zeros_(p)
        elif p.ndim == 2:
            torch.nn.init.xavier_uniform_(p)
    return model


def in_mixed_precision(transformer):
    """The residual streams and the embedding of time and text stay in float32 under autocast; the rotations that belong
    to a number of tokens are computed once."""
    rotate, known = transformer.pos_embed.forward, {}

    def remembered(ids):
        if len(ids) not in known:
            known[len(ids)] = rotate(ids)
        return known[len(ids)]

    transformer.pos_embed.forward = remembered
    for embedder in (transformer.x_embedder, transformer.context_embedder):
        embedder.register_forward_hook(lambda module, args, out: out.float())
    embed_time = transformer.time_text_embed.forward

    def in_float32(timestep, pooled):
        with torch.autocast(timestep.device.type, enabled=False):
            return embed_time(timestep.float(), pooled.float())

    transformer.time_text_embed.forward = in_float32
    return transformer


def compile_blocks(transformer):
    """One compilation for all blocks of a kind. The later single blocks get slices of one tensor; the first is given
    the same, or it would be compiled once more."""
    transformer.compile_repeated_blocks(dynamic=False)
    first = transformer.single_transformer_blocks[0]
    compiled = first._compiled_call_impl

    def with_slices(*, hidden_states, encoder_hidden_states, **more):
        words = encoder_hidden_states.shape[1]
        joined = torch.cat([encoder_hidden_states, hidden_states], 1)
        return compiled(hidden_states=joined[:, words:], encoder_hidden_states=joined[:, :words], **more)

    first._compiled_call_impl = with_slices


def picture_ids(tokens, device):
    """Position ids [tokens, 3] of a square of packed latents."""
    side = math.isqrt(tokens)
    y, x = torch.meshgrid(torch.arange(side, device=device), torch.arange(side, device=device), indexing="ij")
    return torch.stack([torch.zeros_like(x), y, x], -1).view(tokens, 3).float()


def shift_of(tokens):
    """The scheduler's shift for so many tokens (diffusers' calculate_shift)."""
    s = SCHEDULER
    slope = (s["max_shift"] - s["base_shift"]) / (s["max_image_seq_len"] - s["base_image_seq_len"])
    return math.exp(s["base_shift"] + slope * (tokens - s["base_image_seq_len"]))


class Optimizers:
    """Muon for the blocks' matrices, AdamW for everything else. The learning rates are tensors, so that a recorded step
    follows them."""

    def __init__(self, model, device):
        self.params = list(model.parameters())
        matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and "transformer_blocks." in name and ".norm" not in name]
        chosen = {id(p) for p in matrices}
        cuda = str(device).startswith("cuda")
        self.muon, self.muon_lr = muon.Muon(matrices), torch.zeros((), device=device)
        rest = [p for p in self.params if id(p) not in chosen]
        self.adamw = torch.optim.AdamW(
            rest, torch.zeros((), device=device), betas=(0.9, 0.99), weight_decay=0.01, fused=cuda, capturable=cuda, foreach=None if cuda else False
        )
        for p in rest:
            self.adamw.state[p] = {
                "step": torch.zeros((), device=device),
                "exp_avg": torch.zeros_like(p),
                "exp_avg_sq": torch.zeros_like(p),
            }

    def set_lr(self, lr):
        self.muon_lr.fill_(lr)
        for group in self.adamw.param_groups:
            group["lr"].fill_(lr * ADAMW_LR)

    def step(self):
        torch.nn.utils.clip_grad_norm_(self.params, 1.0)
        self.adamw.step()
        self.muon.step(self.muon_lr)

    def forget(self):
        self.muon.forget()
        for moments in self.adamw.state.values():
            for tensor in moments.values():
                tensor.zero_()


# ---- a step ---------------------------------------------------------------------------------------------------------


class Step:
    """Forward, backward and optimizer for pictures of one size: recorded once and replayed on a GPU, if wanted."""

    def __init__(self, model, optimizers, shape, loss_sum):
        self.model, self.optimizers, self.loss_sum, self.graph = model, optimizers, loss_sum, None
        device = loss_sum.device
        self.x, self.wanted, self.u = (torch.zeros(s, device=device) for s in (shape, shape, shape[:1]))
        self.words = torch.zeros(shape[0], text.T5_TOKENS, text.T5_WIDTH, device=device)
        self.pooled = torch.zeros(shape[0], text.CLIP_WIDTH, device=device)
        self.ids = {"img_ids": picture_ids(shape[1], device), "txt_ids": torch.zeros(text.T5_TOKENS, 3, device=device)}

    def autocast(self):
        kind = self.loss_sum.device.type
        return torch.autocast(kind, torch.bfloat16, enabled=kind == "cuda", cache_enabled=False)

    def velocity(self, model, x, u, words, pooled):
        with self.autocast():
            return model(x, words, pooled, u, **self.ids, return_dict=False)[0].float()

    def compute(self):
        loss = (self.velocity(self.model, self.x, self.u, self.words, self.pooled) - self.wanted).square().mean()
        loss.backward()
        self.optimizers.step()
        self.loss_sum.add_(loss.detach())

    def clear(self):
        for p in self.optimizers.params:
            p.grad = None

    def warm_up(self, times=3):
        """Compiles whatever compiles, on noise; the optimizers' learning rate must be 0."""
        self.wanted.normal_()
        self.x.normal_()
        for _ in range(times):
            self.clear()
            self.compute()
        self.clear()

    def record(self, pool):
        self.clear()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=pool):
            self.compute()
        self.graph = graph

    def run(self):
        if self.graph:
            self.graph.replay()
        else:
            self.clear()
            self.compute()


def draw_batch(step, pictures):
    """Fills a step's inputs: random pictures with their captions (some are empty), times and noise."""
    count, device = len(step.x), step.x.device
    chosen = torch.randint(0, len(pictures), (count,), device=device)
    step.words.copy_(pictures.words[chosen])
    step.pooled.copy_(pictures.pooled[chosen])
    u, x, noise = sample_times(count, step.x.shape[1], device), pictures.latents[chosen].float(), torch.randn_like(step.x)
    step.u.copy_(u)
    step.wanted.copy_(noise - x)
    step.x.copy_(torch.lerp(x, noise, u.view(-1, 1, 1)))


def sample_times(count, tokens, device):
    """sigmoid(N(0, 1)), uniform for one in ten, then shifted as the sampler does for so many tokens."""
    u = torch.sigmoid(torch.randn(count, device=device))
    u = torch.where(torch.rand(count, device=device) < 0.1, torch.rand(count, device=device), u)
    shift = shift_of(tokens)
    return (shift * u / (1 + (shift - 1) * u)).clamp(1e-4, 1.0)


@torch.no_grad()
def validate(step, model, pictures):
    """The loss on pictures of another seed, with fixed noise and evenly spread times."""
    x = pictures.latents[: len(pictures)].float()
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(5)).to(x.device)
    u = (torch.arange(len(x), device=x.device) + 0.5) / len(x)
    mixed, total = torch.lerp(x, noise, u.view(-1, 1, 1)), 0.0
    for part in torch.arange(len(x), device=x.device).split(64):
        velocity = step.velocity(model, mixed[part], u[part], pictures.words[part].float(), pictures.pooled[part].float())
        total += (velocity - (noise - x)[part]).square().mean((1, 2)).sum().item()
    return total / len(x)


# ---- training -------------------------------------------------------------------------------------------------------


class Trainer:
    def __init__(self, args):
        self.args, self.device = args, args.device
        self.cuda = args.device.startswith("cuda")
        torch.manual_seed(args.seed + int(time.time()) % 100000)  # a run that goes on must not see the same noise again
        self.model, self.average = (in_mixed_precision(make_transformer().to(self.device)) for _ in range(2))
        if args.init:
            weights = load_file(f"{args.init}/diffusion_pytorch_model.safetensors")
            self.model.load_state_dict({k: v.float() for k, v in weights.items()})
        self.average.load_state_dict(self.model.state_dict())
        self.average.eval().requires_grad_(False)
        self.optimizers = Optimizers(self.model, self.device)
        self.loss_sum = torch.zeros((), device=self.device)
        self.pictures, self.values = {}, {"step": 0, "seconds": 0.0}

    def log(self, *parts):
        print(f"[{time.time() - self.args.since:.0f}s]", *parts, flush=True)

    def left(self):
        """Seconds of training that are left to this run."""
        return self.args.since + self.args.seconds - time.time()

    def prepare(self):
        """Compiled and recorded steps {kind: Step}."""
        if self.args.compile:
            compile_blocks(self.model)
        steps = {}
        for kind, count in BATCH.items():
            if kind not in self.args.kinds:
                continue
            side = SIZES[kind] // self.args.divide // PIXELS_OF_A_TOKEN
            shape = (self.args.batch or count, side * side, TRANSFORMER["in_channels"])
            steps[kind] = Step(self.model, self.optimizers, shape, self.loss_sum)
        self.optimizers.set_lr(0.0)
        stream = torch.cuda.Stream() if self.cuda else None
        for kind, step in steps.items():
            if stream:
                stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(stream):
                step.warm_up()
            if stream:
                torch.cuda.current_stream().wait_stream(stream)
                torch.cuda.synchronize()
            self.log(f"{kind}: compiled")
        if self.cuda and self.args.graph and not self.args.compile_only:
            torch.cuda.empty_cache()
            pool = torch.cuda.graph_pool_handle()
            for kind, step in steps.items():
                step.record(pool)
            self.log(f"steps are recorded; {torch.cuda.memory_reserved() / 2**30:.1f} GiB")
        self.optimizers.forget()
        self.loss_sum.zero_()
        return steps

    def restore(self):
        source = next((f for f in (f"{self.args.out}/state", self.args.state) if state.exists(f)), None)
        if source:
            self.values = state.load(source, self.model, self.average, self.optimizers.adamw)
            self.log(f"goes on from step {self.values['step']}")

    def save(self):
        if not torch.isfinite(self.loss_sum):
            raise SystemExit(f"step {self.values['step']}: the loss is not a number any more; the last state is kept")
        state.save(f"{self.args.out}/state", self.model, self.average, self.optimizers.adamw, self.values)

    def wait(self, ready, what):
        while not ready():
            if self.left() < 0:
                raise SystemExit(f"{what} did not come")
            time.sleep(0.5)

    def wait_for_data(self):
        """The text encoders and the first pictures may still be in the making."""
        parts = ("text_encoder", "text_encoder_2")
        self.wait(lambda: all(os.path.exists(f"{self.args.text}/{part}/model.safetensors") for part in parts), "the text encoders")
        embed = text.Embed(text.load_encoders(self.args.text, self.device))
        self.log("text encoders")
        kinds = ["validation", *(kind for kind in BATCH if kind in self.args.kinds)]
        self.pictures = {kind: Pictures(self.args.pictures, kind, embed, self.device) for kind in kinds}
        self.wait(lambda: self.pictures["validation"].refresh() and self.pictures[kinds[1]].refresh(most=4), "pictures")
        for pictures in self.pictures.values():
            pictures.refresh(most=4)
        self.log("first pictures")

    def kind_of(self, local, part):
        """Which pictures a step sees, at this part of the whole training."""
        there = [kind for kind, pictures in self.pictures.items() if len(pictures) and kind != "validation"]
        wanted = "middle"
        if part < self.args.small_until or local % 8 == 4:
            wanted = "small"
        elif part >= self.args.large_from and local % 8 == 0:
            wanted = "large"
        return wanted if wanted in there else "middle" if "middle" in there else there[0]

    def validation_loss(self, steps):
        return validate(steps["middle"], self.average, self.pictures["validation"])

    def train(self, steps):
        args, values = self.args, self.values
        earlier, begin, local, logged = values["seconds"], time.time(), 0, time.time()
        total, saved = args.whole_seconds or earlier + self.left(), time.time()
        averaged, losses = list(self.average.parameters()), {}
        while self.left() > 0 and (args.steps is None or local < args.steps):
            part = min(1.0, (earlier + time.time() - begin) / total)
            self.optimizers.set_lr(args.lr * min(1, (local + 1) / WARM_UP_STEPS) * max(LAST_LR, min(1.0, (1 - part) / (1 - FALL_FROM))))
            kind = self.kind_of(local, part)
            draw_batch(steps[kind], self.pictures[kind])
            before = self.loss_sum.clone()
            steps[kind].run()
            losses.setdefault(kind, []).append(self.loss_sum - before)
            local += 1
            values["step"] += 1
            with torch.no_grad():
                torch._foreach_lerp_(averaged, self.optimizers.params, 1 - min(EMA, values["step"] / (values["step"] + 30)))
            if local % 8 == 0 and self.cuda:
                torch.cuda.current_stream().synchronize()  # the clock must not run ahead of the work
            if local % REFRESH_STEPS == 0:
                for pictures in self.pictures.values():
                    pictures.refresh(most=4)
            if local % args.log_steps == 0:
                means = {kind: f"{torch.stack(v).mean().item():.4f}" for kind, v in losses.items()}
                note = f"step {values['step']} loss {means} {(time.time() - logged) / args.log_steps * 1e3:.1f} ms a step"
                note += f", pictures {[len(p) for p in self.pictures.values()]}"
                self.loss_sum.zero_()
                if local % (4 * args.log_steps) == 0:
                    note += f", validation {self.validation_loss(steps):.4f}"
                self.log(note)
                losses, logged = {}, time.time()
            if time.time() - saved > SAVE_SECONDS:
                values["seconds"] = round(earlier + time.time() - begin, 1)
                self.save()
                saved = time.time()
        values["seconds"] = round(earlier + time.time() - begin, 1)
        self.save()
        self.log(json.dumps({**values, "validation": round(self.validation_loss(steps), 5)}))


def main():
    args = arguments()
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.backends.cuda.enable_cudnn_sdp(False)  # its backward fails
    torch._dynamo.config.cache_size_limit = 64
    trainer = Trainer(args)
    trainer.log("models")
    steps = trainer.prepare()
    if args.compile_only:
        return
    trainer.restore()
    trainer.wait_for_data()
    trainer.train(steps)


if __name__ == "__main__":
    main()
