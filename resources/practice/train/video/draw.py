"""The renderer: scenes -> pixels, with signed-distance functions. Runs on the CPU or a GPU.

usage: draw.py OUT.png [N]      a sheet of N clips (default 8), one per row
"""
import math
import sys

import torch

from pictures import save_sheet
from scenes import NUMBERS, STAR_COUNT, scenes
from words import BACKGROUNDS, COLORS, SHAPES

# Top and bottom colour of each background; for the checkered floor its two colours.
BACKGROUND_COLORS = {
    "night": ((0.04, 0.05, 0.14), (0.08, 0.10, 0.26)),
    "sand": ((0.80, 0.70, 0.52), (0.70, 0.59, 0.42)),
    "forest": ((0.06, 0.20, 0.11), (0.10, 0.30, 0.15)),
    "wall": ((0.50, 0.50, 0.52), (0.40, 0.40, 0.42)),
    "sunset": ((0.22, 0.10, 0.28), (0.70, 0.34, 0.36)),
    "checker": ((0.28, 0.28, 0.31), (0.42, 0.42, 0.46)),
    "stars": ((0.02, 0.02, 0.05), (0.04, 0.03, 0.08)),
    "sea": ((0.09, 0.34, 0.42), (0.04, 0.17, 0.30)),
}
STAR_RADIUS, STAR_SOFTNESS = 2.5, 0.7  # pixels, and the slope of the edge: smaller dots do not survive the VAE
NO_OBJECT = 9.0  # the x of a second object that is not there


def pack(scene_list, device="cpu"):
    """Scenes -> tensors for render(): num [B, 2, 14] (see NUMBERS), shape [B, 2], col [B, 2, 3], bg [B], bgc [B, 2, 3],
    bgn [B, 3 + 3 * STAR_COUNT], pan [B]."""
    batch = len(scene_list)
    num = torch.zeros(batch, 2, len(NUMBERS))
    num[:, 1, NUMBERS.index("x")] = NO_OBJECT
    num[:, 1, NUMBERS.index("radius_first")] = num[:, 1, NUMBERS.index("radius_last")] = 0.1
    num[:, 1, NUMBERS.index("move_to")] = 1.0
    shape = torch.zeros(batch, 2, dtype=torch.long)
    col = torch.zeros(batch, 2, 3)
    for b, scene in enumerate(scene_list):
        for i, o in enumerate(scene["objects"]):
            num[b, i] = torch.tensor(o["num"])
            shape[b, i] = SHAPES.index(o["shape"])
            col[b, i] = torch.tensor(COLORS[o["color"]])
    background = torch.tensor([BACKGROUNDS.index(s["bg"]) for s in scene_list])
    packed = {
        "num": num,
        "shape": shape,
        "col": col,
        "bg": background,
        "bgc": torch.tensor([BACKGROUND_COLORS[b] for b in BACKGROUNDS])[background],
        "bgn": torch.tensor([s["bgnum"] for s in scene_list]),
        "pan": torch.tensor([s["pannum"] for s in scene_list]),
    }
    return {k: v.to(device) for k, v in packed.items()}


def length(x, y):
    return (x * x + y * y + 1e-12).sqrt()


def star_distance(ax, py, r):
    """Five points: the plane is folded along two of the star's axes, then it is the distance to one edge."""
    outer = 1.2 * r
    cos36, sin36 = 0.809016994375, 0.587785252292
    qx, qy = ax, -py
    d = (qx * cos36 - qy * sin36).clamp(min=0)
    qx, qy = qx - 2 * d * cos36, qy + 2 * d * sin36
    d = (-qx * cos36 - qy * sin36).clamp(min=0)
    qx, qy = qx + 2 * d * cos36, qy + 2 * d * sin36
    qx, qy = qx.abs(), qy - outer
    bx, by = 0.45 * sin36, 0.45 * cos36 - 1.0
    h = torch.minimum(((qx * bx + qy * by) / (bx * bx + by * by)).clamp(min=0), outer)
    return length(qx - bx * h, qy - by * h) * torch.sign(qy * bx - qx * by)


def heart_distance(ax, py, r):
    scale = 1.8 * r
    hx, hy = ax / scale, -py / scale + 0.52
    m = 0.5 * (hx + hy).clamp(min=0)
    inner = torch.minimum(hx**2 + (hy - 1) ** 2, (hx - m) ** 2 + (hy - m) ** 2).add(1e-12).sqrt() * torch.sign(hx - hy)
    return torch.where(hx + hy > 1, length(hx - 0.25, hy - 0.75) - 0.35355339, inner) * scale


def sdf(px, py, r, shape):
    """Signed distance (y points down) of a shape, given by its number, with radius r around the origin."""
    ax, ay, name = px.abs(), py.abs(), SHAPES[shape]
    if name == "circle":
        return length(px, py) - r
    if name == "ring":
        return (length(px, py) - 0.78 * r).abs() - 0.25 * r
    if name == "square":
        return torch.maximum(ax, ay) - 0.86 * r
    if name == "triangle":
        return torch.maximum(ax * 0.866 - py * 0.5, py) - 0.6 * r
    if name == "cross":
        return torch.minimum(torch.maximum(ax - 1.05 * r, ay - 0.37 * r), torch.maximum(ax - 0.37 * r, ay - 1.05 * r))
    if name == "star":
        return star_distance(ax, py, r)
    return heart_distance(ax, py, r)


def track(num, frames):
    """x, y and radius of every object at every frame, [B, 2, frames] each, in parts of the picture's side."""
    n = {name: num[:, :, i, None] for i, name in enumerate(NUMBERS)}
    t = torch.linspace(0, 1, frames, device=num.device)
    u = ((t - n["move_from"]) / (n["move_to"] - n["move_from"])).clamp(0, 1)
    moved = u + n["eased"] * (u * u * (3 - 2 * u) - u)
    hop = u * n["bounces"]
    hop = hop - hop.floor()
    hop = torch.where(u >= 1, torch.zeros_like(hop), hop)
    angle = n["circle_phase"] + 2 * math.pi * moved
    x = n["x"] + n["move_x"] * moved + n["circle_x"] * angle.cos()
    y = n["y"] + n["move_y"] * moved + n["circle_y"] * angle.sin() - n["bounce_height"] * 4 * hop * (1 - hop)
    return x, y, n["radius_first"] + (n["radius_last"] - n["radius_first"]) * moved


def draw_background(kind, colors, numbers, x, y, side):
    """One kind of background for some clips: x is [B, T, 1, W], y is [H, 1]; returns [B, 3, T, H, W]."""
    batch = x.shape[0]

    def number(i):
        return numbers[:, i].view(batch, 1, 1, 1)

    mix = y.expand(*x.shape[:2], side, x.shape[3])
    if kind == "checker":
        cell = 0.16 + 0.06 * number(0)
        mix = (torch.floor((x + number(1)) / cell) + torch.floor((y + number(2)) / cell)) % 2
    if kind == "sea":
        wave = torch.sin(9 * x + 6.28 * number(1))
        mix = 0.75 * mix + 0.25 * (0.5 + 0.5 * torch.sin(40 * (y + 0.02 * wave) + 6.28 * number(2)))
    picture = colors[:, 0, :, None, None, None] * (1 - mix[:, None]) + colors[:, 1, :, None, None, None] * mix[:, None]
    if kind == "stars":
        stars = torch.zeros_like(mix)
        for i in range(STAR_COUNT):
            sx, sy, brightness = (number(3 + 3 * i + j) for j in range(3))
            distance = ((x - sx * 1.3 + 0.15) ** 2 + (y - sy) ** 2).sqrt() * side
            stars = torch.maximum(stars, (0.35 + 0.65 * brightness) * (STAR_SOFTNESS * (STAR_RADIUS - distance)).clamp(0, 1))
        picture = picture * (1 - 0.9 * stars[:, None]) + 0.9 * stars[:, None]
    return picture


def render(packed, frames=65, side=128):
    """Packed scenes -> [B, 3, frames, side, side] in -1..1. Clips of equal background and of equal shape are drawn together."""
    num, pan = packed["num"], packed["pan"]
    batch, device = num.shape[0], num.device
    shapes, backgrounds = packed["shape"].tolist(), packed["bg"].tolist()
    pans = [p != 0 for p in pan.tolist()]
    second = (num[:, 1, NUMBERS.index("x")] < NO_OBJECT / 2).tolist()
    grid = (torch.arange(side, device=device) + 0.5) / side
    y = grid[:, None]
    x = grid[None, None, None, :] + (pan[:, None] * (torch.linspace(0, 1, frames, device=device) - 0.5))[:, :, None, None]
    video = torch.empty(batch, 3, frames, side, side, device=device)
    for kind, moving in set(zip(backgrounds, pans)):
        j = torch.tensor([i for i in range(batch) if (backgrounds[i], pans[i]) == (kind, moving)], device=device)
        across = x[j] if moving else x[j, :1]  # a background that stands still is drawn once
        picture = draw_background(BACKGROUNDS[kind], packed["bgc"][j], packed["bgn"][j], across, y, side)
        video[j] = picture.expand(-1, 3, frames, side, side)
    ox, oy, radius = track(num, frames)
    for o in range(2):
        for kind in range(len(SHAPES)):
            j = [i for i in range(batch) if shapes[i][o] == kind and (o == 0 or second[i])]
            if not j:
                continue
            j = torch.tensor(j, device=device)
            r = radius[j, o, :, None, None]
            py = y - oy[j, o, :, None, None]
            distance = sdf(x[j] - ox[j, o, :, None, None], py, r, kind) * side
            cover = (0.5 - distance).clamp(0, 1)[:, None]
            # lit from above, with a dark outline of about one pixel
            shade = (1 - 0.22 * (py / r).clamp(-1.2, 1.2)) * (1 - 0.45 * (1.4 + distance).clamp(0, 1))
            color = (packed["col"][j, o].view(-1, 3, 1, 1, 1) * shade[:, None]).clamp(0, 1)
            video[j] = torch.lerp(video[j], color, cover)
    return video * 2 - 1


def main():
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 8
    clips = render(pack(scenes(count, 1)))[:, :, ::8]
    save_sheet(clips.transpose(1, 2).flatten(0, 1) / 2 + 0.5, sys.argv[1], clips.shape[2])


if __name__ == "__main__":
    main()
