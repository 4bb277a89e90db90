"""Says what is in a picture: a small network that is trained on drawn pictures, held-out pairs included.

detector.py train OUT [SECONDS]     trains it and writes its weights; goes on from OUT if that is there
detector.py check [COUNT] [SEED]    what it says of drawn pictures of test prompts: nearly all must be right
"""
import argparse
import itertools
import json
import math
import os
import pathlib
import random
import time

import torch
import torch.nn as nn
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

from draw import pack, render
from scenes import draw_scene, test_scenes
from words import BACKGROUNDS, NAMES, RADIUS, REGIONS, SHAPES

WEIGHTS = pathlib.Path(__file__).parent / "detector.weights"
GRID, SIDE = 16, 128  # cells along a side; pixels
GROUNDS = NAMES + BACKGROUNDS[1:]
MOST = 4  # objects of a scene
LR, CHUNK, BATCH = 2e-3, 32, 256
# Channels of a cell: centre, shapes, colours, textures, log radius.
SHAPE, COLOUR, TEXTURE, RADIUS_CHANNEL = slice(1, 9), slice(9, 21), slice(21, 25), 25
THRESHOLD = 0.35


class Block(nn.Module):
    def __init__(self, channels, dilation):
        super().__init__()
        self.a = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=dilation, dilation=dilation, bias=False), nn.BatchNorm2d(channels), nn.ReLU(True),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels),
        )  # fmt: skip

    def forward(self, x):
        return F.relu(x + self.a(x))


class Detector(nn.Module):
    """128-pixel picture -> per cell of a 16 x 16 grid: object centre, shape, colour, texture, radius; and the background."""

    def __init__(self, channels=96):
        super().__init__()
        stages = ((3, 32), (32, 64), (64, channels))
        down = [[nn.Conv2d(i, o, 3, 2, 1, bias=False), nn.BatchNorm2d(o), nn.ReLU(True), Block(o, 1)] for i, o in stages]
        self.stem = nn.Sequential(*itertools.chain(*down))
        self.body = nn.Sequential(*[Block(channels, d) for d in (1, 2, 1, 2, 4)])
        self.head = nn.Conv2d(channels, RADIUS_CHANNEL + 1, 1)
        self.back = nn.Linear(channels, len(GROUNDS))
        nn.init.constant_(self.head.bias, -2.0)

    def forward(self, x):
        h = self.body(self.stem(x))
        return self.head(h).float(), self.back(h.mean((2, 3))).float()


def load(device, path=WEIGHTS):
    detector = Detector().to(device)
    detector.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in load_file(path).items()})
    return detector.eval().requires_grad_(False)


# ---- what is there --------------------------------------------------------------------------------------------------


@torch.no_grad()
def detect(detector, pictures):
    """Pictures [N, 3, H, W] in 0..1 -> [(objects, the surest first; name of the background)]."""
    out = []
    for part in pictures.split(64):
        x = F.adaptive_avg_pool2d(part.float().to(detector.back.weight.device), SIDE) * 2 - 1
        cells, grounds = detector(x)
        heat = torch.sigmoid(cells[:, 0])
        peak = (heat == F.max_pool2d(heat[:, None], 3, 1, 1)[:, 0]) & (heat > THRESHOLD)
        for cell, hot, score, ground in zip(cells, peak, heat, grounds):
            found = []
            for iy, ix in hot.nonzero().tolist():
                v = cell[:, iy, ix]
                found.append(
                    {
                        "x": (ix + 0.5) / GRID,
                        "y": (iy + 0.5) / GRID,
                        "shape": SHAPES[v[SHAPE].argmax()],
                        "colour": NAMES[v[COLOUR].argmax()],
                        "texture": int(v[TEXTURE].argmax()),
                        "radius": math.exp(v[RADIUS_CHANNEL].item()),
                        "score": score[iy, ix].item(),
                    }
                )
            out.append((sorted(found, key=lambda o: -o["score"])[:6], GROUNDS[ground.argmax()]))
    return out


# ---- whether it is what was wanted ----------------------------------------------------------------------------------

NOTHING = {"x": -9.0, "y": -9.0, "shape": None, "colour": None, "texture": -1, "radius": 1e-3}


def relation_holds(relation, objects):
    kind, i, j = relation
    if kind in ("left", "right", "above", "below"):
        axis = "x" if kind in ("left", "right") else "y"
        return (1 if kind in ("left", "above") else -1) * (objects[j][axis] - objects[i][axis]) > 0.08
    if kind == "region":
        x, y = REGIONS[j]
        return abs(objects[i]["x"] - x) < 0.16 and abs(objects[i]["y"] - y) < 0.16
    if kind == "mirror":
        return abs(objects[i]["x"] + objects[j]["x"] - 1) < 0.1 and abs(objects[i]["y"] - objects[j]["y"]) < 0.1
    xs, ys = [objects[k]["x"] for k in i], [objects[k]["y"] for k in i]
    if kind == "row":
        return max(ys) - min(ys) < 0.13 and max(xs) - min(xs) > 0.25
    if kind == "column":
        return max(xs) - min(xs) < 0.13 and max(ys) - min(ys) > 0.25
    if kind == "corners":
        return len({(x < 0.5, y < 0.5) for x, y in zip(xs, ys)}) == 4
    return True


def size_of(radius, scene):
    sizes = [r * (0.8 if scene.kind == "border" else 1) for r in RADIUS[len(scene.objects)]]
    return min(range(3), key=lambda k: abs(math.log(sizes[k] / radius)))


def compare(scene, found, ground):
    """[(criterion, whether it is met)]. Objects are matched in the way that satisfies most."""
    wanted, best = scene.objects, None
    for some in itertools.permutations(found + [NOTHING] * max(0, len(wanted) - len(found)), len(wanted)):
        alike = sum((w["shape"] == o["shape"]) + (w["colour"] == o["colour"]) for w, o in zip(wanted, some))
        merit = (alike, sum(relation_holds(r, some) for r in scene.relations))
        if best is None or merit > best[0]:
            best = (merit, some)
    got = best[1]
    rows = [("count", len(found) == len(wanted))]
    for w, o in zip(wanted, got):
        rows += [("shape", w["shape"] == o["shape"]), ("colour", w["colour"] == o["colour"])]
        if w["texture"] is not None:
            rows.append(("texture", w["texture"] == o["texture"]))
        if w["size"] is not None:
            rows.append(("size", size_of(o["radius"], scene) == w["size"]))
    rows += [("position", relation_holds(r, got)) for r in scene.relations if r[0] != "scattered"]
    if scene.background_said:
        rows.append(("background", ground == scene.background))
    return rows + [("whole prompt", all(met for _, met in rows))]


def summary(scene_list, rows_of):
    """{criterion: [share that is met, how many]}; whole prompts by kind too."""
    met = {}
    for scene, rows in zip(scene_list, rows_of):
        for criterion, ok in rows:
            met.setdefault(criterion, []).append(ok)
        met.setdefault(f"whole prompt: {scene.kind}", []).append(rows[-1][1])
    return {criterion: [round(sum(v) / len(v), 4), len(v)] for criterion, v in sorted(met.items())}


# ---- training -------------------------------------------------------------------------------------------------------


class Examples(torch.utils.data.IterableDataset):
    """Chunks of packed scenes with targets [CHUNK, MOST, 6]: x, y, shape, colour, texture, radius (x < 0: none), and the
    background (-1: none of the named)."""

    def __init__(self, seed):
        self.seed = seed

    def __iter__(self):
        worker = torch.utils.data.get_worker_info()
        rng = random.Random(self.seed * 1000 + (worker.id if worker else 0))
        while True:
            drawn = [draw_scene(rng, held_out=rng.random() < 0.1) for _ in range(CHUNK)]
            targets = torch.full((CHUNK, MOST, 6), -1.0)
            for i, s in enumerate(drawn):
                for j, o in enumerate(s.objects):
                    row = [o["x"], o["y"], SHAPES.index(o["shape"]), NAMES.index(o["colour"]), o["drawn_texture"], o["radius"]]
                    targets[i, j] = torch.tensor(row)
            grounds = torch.tensor([GROUNDS.index(s.background) if s.objects else -1 for s in drawn])
            yield (*pack(drawn), targets, grounds)


def loss_of(cells, grounds, targets, wanted_grounds):
    there = targets[..., 0] >= 0
    centres = torch.arange(GRID, device=targets.device) + 0.5
    heat = torch.zeros(len(targets), GRID, GRID, device=targets.device)
    for j in range(MOST):
        cx, cy = ((targets[:, j, k] * GRID).floor().clamp(0, GRID - 1).view(-1, 1, 1) + 0.5 for k in (0, 1))
        squared = (centres.view(1, 1, -1) - cx) ** 2 + (centres.view(1, -1, 1) - cy) ** 2
        heat = torch.maximum(heat, torch.exp(-squared) * there[:, j].view(-1, 1, 1))
    p = torch.sigmoid(cells[:, 0]).clamp(1e-5, 1 - 1e-5)
    centre = heat > 0.999
    focal = -torch.where(centre, (1 - p) ** 2 * p.log(), (1 - heat) ** 4 * p**2 * (1 - p).log()).sum() / centre.sum().clamp(min=1)
    b, j = there.nonzero(as_tuple=True)
    o = targets[b, j]
    ix, iy = ((o[:, k] * GRID).long().clamp(0, GRID - 1) for k in (0, 1))
    v = cells[b, :, iy, ix]
    named = sum(F.cross_entropy(v[:, part], o[:, k].long()) for k, part in ((2, SHAPE), (3, COLOUR), (4, TEXTURE)))
    radius = 4 * (v[:, RADIUS_CHANNEL] - torch.log(o[:, 5])).abs().mean()
    return focal + named + radius + F.cross_entropy(grounds, wanted_grounds, ignore_index=-1)


def soften(x):
    """Generated pictures are a little soft and noisy."""
    some = torch.rand(len(x), 1, 1, 1, device=x.device) < 0.5
    x = torch.where(some, x, F.avg_pool2d(F.pad(x, (1, 1, 1, 1), "replicate"), 3, 1))
    return x + torch.randn_like(x) * 0.06 * torch.rand(len(x), 1, 1, 1, device=x.device)


def train(args):
    device = "cuda" if torch.cuda.is_available() else "cpu"
    again = os.path.exists(args.out)
    detector = load(device, args.out).train().requires_grad_(True) if again else Detector().to(device)
    optimizer = torch.optim.AdamW(detector.parameters(), LR, weight_decay=1e-2)
    examples = iter(torch.utils.data.DataLoader(Examples(6 if again else 5), batch_size=None, num_workers=args.workers))
    begin, step = time.time(), 0
    while (left := 1 - (time.time() - begin) / args.seconds) > 0:
        grounds, primitives, targets, wanted = (torch.cat(v).to(device) for v in zip(*(next(examples) for _ in range(args.batch // CHUNK))))
        for group in optimizer.param_groups:
            group["lr"] = LR * min(1, (step + 1) / 50) * left
        with torch.autocast(device, torch.bfloat16):
            out = detector(soften(render(grounds, primitives, SIDE)))
        loss = loss_of(*out, targets, wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        step += 1
        if step % 100 == 0 or step < 3:
            print(f"step {step} loss {loss.item():.3f}, {left:.0%} of the time left", flush=True)
    weights = {k: v.half() if v.is_floating_point() else v for k, v in detector.state_dict().items()}
    save_file(weights, f"{args.out}.part")
    os.replace(f"{args.out}.part", args.out)


def check(args):
    detector = load("cuda" if torch.cuda.is_available() else "cpu")
    for held_out in (True, False):
        tests = test_scenes(args.count, args.seed, held_out)
        pictures = torch.cat([render(*pack(tests[i : i + 16]), 256) for i in range(0, len(tests), 16)])
        rows = [compare(s, *seen) for s, seen in zip(tests, detect(detector, pictures / 2 + 0.5))]
        print("held-out pairs:" if held_out else "pairs of the training:", json.dumps(summary(tests, rows)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    modes = parser.add_subparsers(required=True)
    training = modes.add_parser("train")
    training.set_defaults(run=train)
    training.add_argument("out")
    training.add_argument("seconds", type=float, nargs="?", default=60)
    training.add_argument("--batch", type=int, default=BATCH)
    training.add_argument("--workers", type=int, default=12)
    checking = modes.add_parser("check")
    checking.set_defaults(run=check)
    checking.add_argument("count", type=int, nargs="?", default=200)
    checking.add_argument("seed", type=int, nargs="?", default=4242)
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
