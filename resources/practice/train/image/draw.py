"""Paints batches of scenes with signed-distance functions.

A background is a row of GROUND numbers: kind, three colours, two parameters, a seed, whether the right half repeats the
left. A primitive is a row of PRIMITIVE numbers, painted in order. Coordinates run from 0 to 1, x to the right, y down.
"""
import math

import torch

HULL = 8  # a primitive beside the shapes: a boat's trapezoid
WINDOWS = 4  # a texture beside the named ones: lit windows
GROUND, PRIMITIVE, MOST = 14, 15, 10  # numbers of a background and of a primitive; most primitives of a scene


def primitive(kind, x, y, width, height, rgb, turn=0.0, texture=0, second_rgb=(1, 1, 1), period=0.1, mode=1):
    """mode 1: at its place; 2: small, all around the frame."""
    return [kind, x, y, width, height, turn, *rgb, texture, *second_rgb, period, mode]


def pack(scene_list):
    """Scenes -> grounds [B, GROUND] and primitives [B, MOST, PRIMITIVE]; rows of zeros paint nothing."""
    grounds = torch.tensor([s.ground for s in scene_list], dtype=torch.float32)
    primitives = torch.zeros(len(scene_list), MOST, PRIMITIVE)
    for i, s in enumerate(scene_list):
        primitives[i, : len(s.primitives)] = torch.tensor(s.primitives, dtype=torch.float32)
    return grounds, primitives


def fraction(v):
    return v - torch.floor(v)


def noise(a, b, seed):
    return fraction(torch.sin(a * 12.9898 + b * 78.233 + seed * 37.719) * 43758.5453)


def cover(distance, pixel):
    """Distance (negative inside) -> anti-aliased coverage."""
    return torch.clamp(0.5 - distance / pixel, 0, 1)


def shape_distance(kind, x, y):
    """Signed distance, in radii, of the shape that `kind` names for each picture."""
    ax, ay, length = x.abs(), y.abs(), torch.sqrt(x * x + y * y + 1e-9)
    d = length - 0.95  # circle
    d = torch.where(kind == 1, torch.maximum(ax, ay) - 0.82, d)  # square
    d = torch.where(kind == 2, torch.maximum(ax * 0.866 - y * 0.5 - 0.47, y - 0.68), d)  # triangle
    angle = torch.atan2(x, -y)  # star, with the outer corner at (1.05, 0)
    angle = (fraction(angle / (2 * math.pi / 5) + 0.5) - 0.5).abs() * (2 * math.pi / 5)
    sx, sy = length * torch.cos(angle), length * torch.sin(angle)
    ox, oy = 0.42 * math.cos(math.pi / 5), 0.42 * math.sin(math.pi / 5)  # inner corner
    nx, ny = oy, 1.05 - ox
    d = torch.where(kind == 3, ((sx - 1.05) * nx + sy * ny) / math.hypot(nx, ny), d)
    d = torch.where(kind == 4, (length - 0.70).abs() - 0.25, d)  # ring
    hx, hy = ax * 0.62, -y * 0.62 + 0.52  # heart
    near = torch.sqrt((hx - 0.25) ** 2 + (hy - 0.75) ** 2 + 1e-9) - 0.35355
    m = 0.5 * torch.clamp(hx + hy, min=0)
    far = torch.sqrt(torch.minimum(hx * hx + (hy - 1) ** 2, (hx - m) ** 2 + (hy - m) ** 2) + 1e-9) * torch.sign(hx - hy)
    d = torch.where(kind == 5, torch.where(hx + hy > 1, near, far) / 0.62, d)
    d = torch.where(kind == 6, torch.minimum(torch.maximum(ax - 0.92, ay - 0.30), torch.maximum(ax - 0.30, ay - 0.92)), d)  # cross
    d = torch.where(kind == 7, torch.maximum(length - 0.95, 0.80 - torch.sqrt((x - 0.48) ** 2 + (y + 0.08) ** 2)), d)  # moon
    return torch.where(kind == HULL, torch.maximum(ay - 0.5, ax - 0.72 + (y + 0.5) * 0.35), d)


def paint_ground(ground, x, y, pixel):
    g = [ground[:, i].view(-1, 1, 1) for i in range(GROUND)]
    kind, seed = g[0], g[12]
    along = torch.where(g[10] > 0.5, x, y)
    sky = torch.clamp(y / torch.clamp(g[10], min=0.2), 0, 1)
    depth = y - g[10]
    wave = 0.5 + 0.5 * torch.sin(depth * 46 + torch.sin(x * 13 + g[11]))
    sea, sea_tone = cover(-depth, pixel), 0.84 + 0.22 * wave * torch.clamp(depth * 4, 0, 1)
    back = cover(-(depth + 0.07 * torch.sin(x * 5.1 + g[11])), pixel)
    front = cover(-(depth - 0.14 + 0.06 * torch.sin(x * 4.3 + 2.1 + g[11] * 1.7)), pixel)
    row = torch.floor(y / 0.0625)
    bx = x / 0.125 + fraction(row * 0.5)
    bu, bv = fraction(bx) * 0.125, fraction(y / 0.0625) * 0.0625
    mortar = 1 - cover(torch.maximum((bu - 0.0625).abs() - 0.0575, (bv - 0.03125).abs() - 0.02625), pixel)
    brick_tone = 0.88 + 0.24 * noise(torch.floor(bx), row, 0 * seed)
    cells = 9.0  # of stars
    ci, cj = torch.floor(x * cells), torch.floor(y * cells)
    h1, h2, h3 = noise(ci, cj, seed), noise(ci + 31, cj, seed), noise(ci, cj + 17, seed)
    qx, qy = fraction(x * cells) - 0.2 - 0.6 * h1, fraction(y * cells) - 0.2 - 0.6 * h2
    star = cover((torch.sqrt(qx * qx + qy * qy + 1e-9) - 0.035 - 0.05 * h3) / cells, pixel) * (h3 > 0.45)
    channels = []
    for c in range(3):
        first, last, third = g[1 + c], g[4 + c], g[7 + c]
        v = first + 0 * x
        v = torch.where(kind == 1, first + (last - first) * along, v)
        night = first + (last - first) * y
        v = torch.where(kind == 2, night + (1.0 - night) * star * 0.95, v)
        air = first + (last - first) * sky
        v = torch.where(kind == 3, air + (third * sea_tone - air) * sea, v)
        hills = air + (third * 1.12 - air) * back
        v = torch.where(kind == 4, hills + (third * 0.82 - hills) * front, v)
        brick = first * brick_tone
        channels.append(torch.where(kind == 5, brick + (last - brick) * mortar, v))
    return torch.stack(channels, 1)


def paint_primitive(canvas, row, mirrored, x, y, pixel):
    """One primitive of each picture over the canvas. A mirrored scene folds x about the middle."""
    kind, cx, cy, width, height, turn, _, _, _, texture, _, _, _, period, mode = (v.view(-1, 1, 1) for v in row.unbind(1))
    folded = torch.where(mirrored.view(-1, 1, 1) > 0.5, 0.5 - (x - 0.5).abs(), x)
    cells = 8.0  # along a border
    fx, fy = torch.floor(x * cells), torch.floor(y * cells)
    on_border = torch.minimum(torch.minimum(fx, fy), torch.minimum(cells - 1 - fx, cells - 1 - fy)) < 0.5
    border = mode > 1.5
    dx = torch.where(border, (fraction(x * cells) - 0.5) / cells, folded - cx)
    dy = torch.where(border, (fraction(y * cells) - 0.5) / cells, y - cy)
    cos, sin = torch.cos(turn), torch.sin(turn)
    lx, ly = dx * cos + dy * sin, dy * cos - dx * sin
    rx, ry = torch.clamp(width, min=1e-3), torch.clamp(height, min=1e-3)
    d = shape_distance(kind, lx / rx, ly / ry) * torch.minimum(rx, ry)
    d = torch.where(kind == 1, torch.maximum(lx.abs() - 0.82 * rx, ly.abs() - 0.82 * ry), d)  # exact for any rectangle
    alpha = cover(d, pixel) * (mode > 0.5) * (on_border | ~border)
    p = torch.clamp(period, min=1e-3)
    stripe = cover(((fraction((lx * 0.8 + ly * 0.6) / p) - 0.5).abs() - 0.25) * p, pixel)
    ux, uy = (fraction(lx / p + 0.5) - 0.5) * p, (fraction(ly / p + 0.5) - 0.5) * p
    dots = cover(torch.sqrt(ux * ux + uy * uy + 1e-9) - 0.27 * p, pixel)
    kx = 2 * cover(((fraction(lx / p) - 0.5).abs() - 0.25) * p, pixel) - 1
    ky = 2 * cover(((fraction(ly / p) - 0.5).abs() - 0.25) * p, pixel) - 1
    lit = noise(torch.floor(lx / p + 0.5), torch.floor(ly / p + 0.5), cx) > 0.35
    pane = cover(torch.maximum(ux.abs(), uy.abs()) - 0.25 * p, pixel) * lit
    mix = torch.where(texture == 3, 0.5 + 0.5 * kx * ky, torch.where(texture == WINDOWS, pane, 0 * pane))
    mix = torch.where(texture == 1, stripe, torch.where(texture == 2, dots, mix))
    colour = row[:, 6:9, None, None] + (row[:, 10:13] - row[:, 6:9])[:, :, None, None] * mix[:, None]
    return canvas + (colour - canvas) * alpha[:, None]


def render(grounds, primitives, size, window=None):
    """grounds [B, GROUND], primitives [B, MOST, PRIMITIVE] -> pictures [B, 3, size, size] in -1..1.
    window [B, 3]: x, y and width of the part that is shown."""
    count = (primitives[:, :, 14] > 0.5).sum(1)
    order = count.argsort(descending=True)  # so that no time goes into rows that paint nothing
    grounds, primitives, window = grounds[order], primitives[order], None if window is None else window[order]
    b, device = len(grounds), grounds.device
    line = (torch.arange(size, device=device, dtype=torch.float32) + 0.5) / size
    x, y = line.view(1, 1, size).repeat(b, size, 1), line.view(1, size, 1).repeat(b, 1, size)
    pixel = torch.full((b, 1, 1), 1.0 / size, device=device)
    if window is not None:
        width = window[:, 2].view(b, 1, 1)
        x, y, pixel = window[:, 0].view(b, 1, 1) + x * width, window[:, 1].view(b, 1, 1) + y * width, pixel * width
    canvas = paint_ground(grounds, x, y, pixel)
    for i, n in enumerate((count[:, None] > torch.arange(MOST, device=device)).sum(0).tolist()):
        if n:
            canvas[:n] = paint_primitive(canvas[:n], primitives[:n, i], grounds[:n, 13], x[:n], y[:n], pixel[:n])
    out = torch.empty_like(canvas)
    out[order] = canvas * 2 - 1
    return out
