"""Trains the diffusion transformer on encoded clips, with the text encoder as it is.

Flow matching: x_u = (1 - u) x + u noise, the model learns noise - x. Batches of long clips and batches of short ones, of
about the same number of tokens, take turns; later there are two long ones to a short one. Matrices are stepped by Muon,
the rest by AdamW; the result is a moving average of the weights. The learning rate rises over the first steps of every
run, stays, and falls over the last part of all runs together.

usage: train_transformer.py OUT SECONDS --clips DIR --text DIR --vae DIR --tokenizer DIR [--init FOLDER] [--state DIR]
SECONDS counts from --since (a Unix time; now, if not given) and includes the judging of the result. It begins as soon
as encode_clips.py, which may run beside it, has written the first files. --init is a pipeline's folder `transformer`
to start from; a state in OUT/state, or else in --state, goes before it. Writes OUT/state (every 30 s; see state.py),
and OUT/scores.json and OUT/sheet.png (see judge.py).
"""
import argparse
import json
import os
import time

import torch
from safetensors.torch import load_file

import state
import text
from encode_clips import LONG, SHORT, Clips, LatentCodec
from judge import PROMPTS, SEED, Judge, sample
from muon import Muon

TRANSFORMER = dict(
    patch_size=(1, 2, 2),
    num_attention_heads=5,
    attention_head_dim=64,
    in_channels=8,
    out_channels=8,
    text_dim=192,
    freq_dim=256,
    ffn_dim=1280,
    num_layers=8,
    cross_attn_norm=True,
    qk_norm="rms_norm_across_heads",
    eps=1e-6,
    rope_max_seq_len=1024,
)
EMPTY_CAPTIONS = 0.1
WARM_UP_STEPS = 150
FALL_FROM, LAST_LR = 0.55, 0.02  # part of the whole training after which the learning rate falls, and to what
ADAMW_LR = 0.35  # of Muon's
EMA = 0.998
SAVE_SECONDS = 30
REFRESH_STEPS = 50  # between looks for newly encoded clips


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    parser.add_argument("seconds", type=float)
    parser.add_argument("--since", type=float, default=time.time())
    for name in ("clips", "text", "vae", "tokenizer"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--init")
    parser.add_argument("--state")
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--batch", type=int, default=64, help="long clips of a step")
    parser.add_argument("--size", type=int, default=128, help="side of the encoded clips")
    parser.add_argument("--judge-seconds", type=float, default=60, help="kept for sampling and scoring at the end")
    parser.add_argument("--prompts", type=int, default=PROMPTS, help="held-out prompts to judge by")
    parser.add_argument("--prompt-seed", type=int, default=SEED)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--workers", type=int, default=16)
    parser.add_argument("--compile", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--graph", action=argparse.BooleanOptionalAction, default=True, help="record the step as a CUDA graph")
    parser.add_argument("--steps", type=int, help="stop after so many steps, if the time is not over before")
    parser.add_argument("--log-steps", type=int, default=250)
    return parser.parse_args()


# ---- models ---------------------------------------------------------------------------------------------------------


def make_transformer(**changes):
    from diffusers import WanTransformer3DModel

    model = WanTransformer3DModel(**{**TRANSFORMER, **changes})
    for name, p in model.named_parameters():
        if name.startswith("blocks.") and p.ndim == 2:
            torch.nn.init.xavier_uniform_(p)
        elif name.startswith("condition_embedder") and p.ndim == 2:
            torch.nn.init.normal_(p, std=0.02)
        elif name.startswith("proj_out") or name.endswith(".bias"):
            torch.nn.init.zeros_(p)
    return model


def in_mixed_precision(transformer):
    """The residual stream and the time embedding stay in float32 under autocast."""
    transformer.patch_embedding.register_forward_hook(lambda module, args, out: out.float())
    embed_condition = transformer.condition_embedder.forward

    def in_float32(timestep, *args, **kwargs):
        with torch.autocast(timestep.device.type, enabled=False):
            return embed_condition(timestep, *args, **kwargs)

    transformer.condition_embedder.forward = in_float32
    return transformer


def load_text_encoder(folder, device):
    from transformers import UMT5EncoderModel

    return UMT5EncoderModel.from_pretrained(folder, dtype=torch.float32).to(device).eval().requires_grad_(False)


class Embed:
    """Tokens [N, 32] -> embeddings [N, 32, 192] in float16, as the pipeline gives them."""

    def __init__(self, encoder):
        self.encoder = encoder

    @torch.no_grad()
    def __call__(self, tokens):
        with torch.autocast(tokens.device.type, enabled=False):
            return torch.cat([text.embed(self.encoder, t).half() for t in tokens.split(2048)])


class Optimizers:
    """Muon for the blocks' matrices, AdamW for everything else. The learning rates are tensors, so that a recorded step
    follows them."""

    def __init__(self, model, device):
        self.params = list(model.parameters())
        matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and "blocks." in name and min(p.shape) >= 64]
        chosen = {id(p) for p in matrices}
        cuda = str(device).startswith("cuda")
        self.muon, self.muon_lr = Muon(matrices), torch.zeros((), device=device)
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
    """Forward, backward and optimizer for one shape of latents: recorded once and replayed on a GPU, if wanted."""

    def __init__(self, model, optimizers, shape, loss_sum):
        self.model, self.optimizers, self.loss_sum, self.graph = model, optimizers, loss_sum, None
        device = loss_sum.device
        self.x, self.wanted, self.u = (torch.zeros(s, device=device) for s in (shape, shape, shape[:1]))
        self.hidden = torch.zeros(shape[0], text.MAX_TOKENS, TRANSFORMER["text_dim"], device=device)

    def autocast(self):
        kind = self.loss_sum.device.type
        return torch.autocast(kind, torch.bfloat16, enabled=kind == "cuda", cache_enabled=False)

    def compute(self):
        with self.autocast():
            velocity = self.model(self.x, self.u * 1000, self.hidden, return_dict=False)[0].float()
        loss = (velocity - self.wanted).square().mean()
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


def draw_batch(step, clips, empty):
    """Fills a step's inputs: random clips, one of each clip's captions or none, times and noise."""
    count, device = len(step.x), step.x.device
    chosen = torch.randint(0, len(clips), (count,), device=device)
    hidden = clips.embeddings[chosen, torch.randint(0, clips.embeddings.shape[1], (count,), device=device)]
    step.hidden.copy_(torch.where(torch.rand(count, 1, 1, device=device) < EMPTY_CAPTIONS, empty, hidden))
    u, x, noise = sample_times(count, device), clips.latents[chosen].float(), torch.randn_like(step.x)
    step.u.copy_(u)
    step.wanted.copy_(noise - x)
    step.x.copy_(torch.lerp(x, noise, u.view(-1, 1, 1, 1, 1)))


def sample_times(count, device):
    """sigmoid(N(0.7, 1)), and uniform for one in ten."""
    u = torch.sigmoid(torch.randn(count, device=device) + 0.7)
    return torch.where(torch.rand(count, device=device) < 0.1, torch.rand(count, device=device), u)


@torch.no_grad()
def validate(model, clips, autocast):
    """The loss on clips of another seed, with fixed noise and evenly spread times."""
    x = clips.latents.float()
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(5)).to(x.device)
    u = (torch.arange(len(x), device=x.device) + 0.5) / len(x)
    mixed, total = torch.lerp(x, noise, u.view(-1, 1, 1, 1, 1)), 0.0
    for part in torch.arange(len(x), device=x.device).split(64):
        with autocast():
            velocity = model(mixed[part], u[part] * 1000, clips.embeddings[part, 0].float(), return_dict=False)[0].float()
        total += (velocity - (noise - x)[part]).square().mean((1, 2, 3, 4)).sum().item()
    return total / len(x)


# ---- training -------------------------------------------------------------------------------------------------------


class Trainer:
    def __init__(self, args):
        self.args, self.device = args, args.device
        self.cuda = args.device.startswith("cuda")
        torch.manual_seed(args.seed + int(time.time()) % 100000)  # a run that goes on must not see the same noise again
        self.tokenizer = text.load_tokenizer(args.tokenizer)
        self.model, self.average = (in_mixed_precision(make_transformer().to(self.device)) for _ in range(2))
        if args.init:
            weights = load_file(f"{args.init}/diffusion_pytorch_model.safetensors")
            self.model.load_state_dict({k: v.float() for k, v in weights.items()})
        self.average.load_state_dict(self.model.state_dict())
        self.average.eval().requires_grad_(False)
        self.optimizers = Optimizers(self.model, self.device)
        self.loss_sum = torch.zeros((), device=self.device)
        self.embed = self.empty = None
        self.clips = {}
        self.values = {"step": 0, "seconds": 0.0}

    def log(self, *parts):
        print(f"[{time.time() - self.args.since:.0f}s]", *parts, flush=True)

    def left(self):
        """Seconds of training that are left to this run."""
        return self.args.since + self.args.seconds - self.args.judge_seconds - time.time()

    def prepare(self, shapes):
        """Compiled and recorded steps for latents of these shapes, {kind: shape}."""
        if self.args.compile:
            self.model.compile_repeated_blocks(dynamic=False)
        steps = {kind: Step(self.model, self.optimizers, shape, self.loss_sum) for kind, shape in shapes.items()}
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
        if self.cuda and self.args.graph:
            torch.cuda.empty_cache()
            pool = torch.cuda.graph_pool_handle()
            for kind, step in steps.items():
                step.record(pool)
            self.log("steps are recorded")
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
        """The text encoder and the first clips may still be in the making."""
        self.wait(lambda: os.path.exists(f"{self.args.text}/model.safetensors"), "the text encoder")
        self.embed = Embed(load_text_encoder(self.args.text, self.device))
        self.empty = self.embed(text.ids(self.tokenizer, [""]).to(self.device))
        self.clips = {kind: Clips(self.args.clips, kind, self.embed, self.device) for kind in ("long", "short", "validation")}
        self.wait(lambda: all([clips.refresh() for clips in self.clips.values()]), "clips")
        self.log("first clips")

    def train(self, steps):
        args, values = self.args, self.values
        earlier, begin, local, logged = values["seconds"], time.time(), 0, time.time()
        total, saved = earlier + self.left(), time.time()
        averaged, counts = list(self.average.parameters()), [len(clips) for clips in self.clips.values()]
        while self.left() > 0 and (args.steps is None or local < args.steps):
            trained = earlier + time.time() - begin
            fall = min(1.0, (1 - trained / total) / (1 - FALL_FROM))
            self.optimizers.set_lr(args.lr * min(1, (local + 1) / WARM_UP_STEPS) * max(LAST_LR, fall))
            kind = "short" if local % (2 if fall == 1 else 3) == 1 else "long"
            draw_batch(steps[kind], self.clips[kind], self.empty)
            steps[kind].run()
            local += 1
            values["step"] += 1
            with torch.no_grad():
                torch._foreach_lerp_(averaged, self.optimizers.params, 1 - min(EMA, values["step"] / (values["step"] + 30)))
            if local % 8 == 0 and self.cuda:
                torch.cuda.current_stream().synchronize()  # the clock must not run ahead of the work
            if local % REFRESH_STEPS == 0:
                counts = [len(clips) for clips in self.clips.values() if clips.refresh()]
            if local % args.log_steps == 0:
                loss = self.loss_sum.item() / args.log_steps
                self.loss_sum.zero_()
                now = time.time()
                note = f"step {values['step']} loss {loss:.4f} {(now - logged) / args.log_steps * 1e3:.1f} ms a step, clips {counts[:2]}"
                if local % (4 * args.log_steps) == 0:
                    note += f", validation {validate(self.average, self.clips['validation'], steps['long'].autocast):.4f}"
                self.log(note)
                logged = time.time()
            if time.time() - saved > SAVE_SECONDS:
                values["seconds"] = round(earlier + time.time() - begin, 1)
                self.save()
                saved = time.time()
        values["seconds"] = round(earlier + time.time() - begin, 1)
        self.save()
        self.log(f"trained {values['step']} steps, {values['seconds']} s in all")


def main():
    args = arguments()
    judge = Judge(args.workers)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.backends.cuda.enable_cudnn_sdp(False)  # its backward fails
    trainer = Trainer(args)
    trainer.log("models")

    def shape(frames, count):
        return (count, TRANSFORMER["in_channels"], (frames - 1) // 4 + 1, args.size // 8, args.size // 8)

    steps = trainer.prepare({"long": shape(LONG, args.batch), "short": shape(SHORT, args.batch * 15 // 8)})
    trainer.restore()
    trainer.wait_for_data()
    trainer.train(steps)
    autocast = steps["long"].autocast
    result = dict(trainer.values)
    result["validation_loss"] = round(validate(trainer.average, trainer.clips["validation"], autocast), 5)
    trainer.log(json.dumps(result))
    if args.prompts:
        tests = judge.tests(args.prompts, args.prompt_seed)
        with autocast():
            latents = sample(trainer.average, trainer.embed, trainer.tokenizer, [p for _, p in tests], steps["long"].x.shape[1:], args.device)
        trainer.log("sampled")
        videos = LatentCodec(args.vae, args.device).frames(latents)
        trainer.log("decoded")
        result = judge(tests, videos, args.out, {**result, "prompt_seed": args.prompt_seed})
        trainer.log(json.dumps(result))


if __name__ == "__main__":
    main()
