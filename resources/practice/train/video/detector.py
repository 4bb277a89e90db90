"""Looks at a clip and says what is in it: colour, shape, size, motion and tempo of each object, and the background.

It knows the renderer's colours and shapes and nothing else, and is exact on rendered clips, so it can score what the
model makes of a prompt.

usage: detector.py [N]      scores N rendered test scenes (100); every attribute should be right
"""
import json
import sys

import numpy as np
import torch
from scipy import ndimage

from draw import BACKGROUND_COLORS, pack, render, sdf
from scenes import attributes, test_prompts
from words import BACKGROUNDS, COLORS, SHAPES

COLOR_NAMES = list(COLORS)
COLOR_VALUES = np.array(list(COLORS.values()))
GRID = 40  # masks are compared as squares of this side
SMALLEST = 30  # pixels of an object


def resize(mask):
    """A boolean mask stretched to GRID x GRID."""
    rows = ((np.arange(GRID) + 0.5) * mask.shape[0] / GRID).astype(int)
    columns = ((np.arange(GRID) + 0.5) * mask.shape[1] / GRID).astype(int)
    return mask[rows][:, columns]


def template(shape):
    """A shape's mask, stretched, and the side of its box in radii."""
    side, radius = 200, 0.3
    grid = (torch.arange(side) + 0.5) / side - 0.5
    mask = (sdf(grid[None, :], grid[:, None], torch.tensor(radius), shape) < 0).numpy()
    y, x = np.where(mask)
    mask = mask[y.min() : y.max() + 1, x.min() : x.max() + 1]
    return resize(mask), max(mask.shape) / side / radius


TEMPLATES = [template(k) for k in range(len(SHAPES))]


def background_distance(name, frames):
    """Distance of every pixel [T, H, W] from one kind of background."""
    first, last = (np.array(c) for c in BACKGROUND_COLORS[name])
    height = frames.shape[1]
    y = ((np.arange(height) + 0.5) / height)[None, :, None, None]
    if name == "checker":
        return np.minimum(np.linalg.norm(frames - first, axis=-1), np.linalg.norm(frames - last, axis=-1))
    mix = y
    if name == "sea":  # waves: whatever mixture fits best
        mix = ((frames - first) @ (last - first) / ((last - first) ** 2).sum()).clip(0, 1)[..., None]
    return np.linalg.norm(frames - (first * (1 - mix) + last * mix), axis=-1)


def find_background(frames):
    """The likeliest background and every pixel's distance from it."""
    distances = {name: background_distance(name, frames) for name in BACKGROUNDS}
    best = min(BACKGROUNDS, key=lambda name: np.minimum(distances[name], 0.25).mean())
    return best, distances[best]


def color_labels(frames):
    """The background and for every pixel the index of the object colour that it shows, or -1."""
    background, from_background = find_background(frames)
    brightness = (frames @ COLOR_VALUES.T) / (COLOR_VALUES**2).sum(1)  # objects are shaded
    darkest = np.array([0.68 if name == "white" else 0.5 for name in COLOR_NAMES])
    brightness = brightness.clip(darkest, 1.3)
    distance = np.stack([np.linalg.norm(frames - brightness[..., i : i + 1] * COLOR_VALUES[i], axis=-1) for i in range(len(COLOR_NAMES))], -1)
    labels, nearest = distance.argmin(-1), distance.min(-1)
    labels[~((nearest < 0.17) & (nearest < 0.8 * from_background) & (from_background > 0.1))] = -1
    return background, labels


def largest_part(mask):
    parts, count = ndimage.label(mask)
    if count == 0:
        return mask, 0
    sizes = np.bincount(parts.ravel())[1:]
    return parts == sizes.argmax() + 1, sizes.max()


def observe(mask):
    """One object in one frame, or None: centre and side of its box in parts of the picture, area, mask, whether whole."""
    if mask.sum() < SMALLEST:
        return None
    mask, area = largest_part(ndimage.binary_closing(mask, iterations=1) | mask)
    if area < SMALLEST:
        return None
    side = mask.shape[0]
    ys, xs = np.where(mask)
    y0, y1, x0, x1 = ys.min(), ys.max(), xs.min(), xs.max()
    return {
        # the box's centre is the same point of every shape at every size
        "x": (x0 + x1 + 1) / 2 / side,
        "y": (y0 + y1 + 1) / 2 / side,
        "side": (max(y1 - y0, x1 - x0) + 1) / side,
        "area": area,
        "mask": mask[y0 : y1 + 1, x0 : x1 + 1],
        "whole": y0 > 0 and x0 > 0 and y1 < side - 1 and x1 < side - 1,
    }


def find_tempo(progress):
    """When a quantity that goes from one end to the other does so."""
    t = np.linspace(0, 1, len(progress))
    first, last = progress[:2].mean(), progress[-2:].mean()
    done = (progress - first) / (last - first + 1e-9)
    starts = t[np.argmax(done > 0.1)]
    ends = t[len(done) - 1 - np.argmax(done[::-1] < 0.9)]
    return "rest_then" if starts > 0.3 else "then_rest" if ends < 0.72 else "steady"


def reversals(y, least=0.03):
    """How often y turns round by at least that much."""
    count, direction, extreme = 0, 0, y[0]
    for value in y:
        if (direction >= 0 and value > extreme) or (direction <= 0 and value < extreme):
            if direction == 0 and abs(value - extreme) > least:
                direction = 1 if value > extreme else -1
            if direction != 0:
                extreme = value
        elif abs(value - extreme) > least:
            direction, extreme, count = -direction, value, count + 1
    return count


def find_motion(x, y, side):
    """The motion and the quantity whose progress shows its tempo (None if it stands still)."""
    growth = side[-3:].mean() / side[:3].mean()
    dx, dy = x[-3:].mean() - x[:3].mean(), y[-3:].mean() - y[:3].mean()
    across, along = np.ptp(x), np.ptp(y)
    speed = np.hypot(np.diff(x), np.diff(y))
    speed[speed < 0.008] = 0
    path = np.concatenate([[0], speed.cumsum()])
    if growth > 1.3:
        return "grow", side
    if growth < 0.77:
        return "shrink", -side
    if max(across, along) < 0.06:
        return "still", None
    if np.hypot(dx, dy) > 0.2:
        if abs(dx) > abs(dy):
            return ("right" if dx > 0 else "left"), x * np.sign(dx)
        return ("down" if dy > 0 else "up"), y * np.sign(dy)
    if min(across, along) > 0.09:
        return "circle", path
    if along > 0.08 and reversals(y) >= 2:
        return "bounce", path
    return "other", path


def find_shape(seen):
    """Index and mean overlap of the shape that fits nine frames best; frames in which it is whole are preferred."""
    whole = [s for s in seen if s["whole"]] or seen
    chosen = [whole[i] for i in np.linspace(0, len(whole) - 1, 9).astype(int)]
    overlap = np.zeros(len(TEMPLATES))
    for s in chosen:
        mask = resize(s["mask"])
        overlap += [(mask & t).sum() / (mask | t).sum() for t, _ in TEMPLATES]
    return int(overlap.argmax()), float(overlap.max() / len(chosen))


def describe(seen, frame_count):
    """What one object is and does."""
    x, y, side, area = (np.array([s[k] for s in seen]) for k in ("x", "y", "side", "area"))
    shape, overlap = find_shape(seen)
    motion, progress = find_motion(x, y, side)
    radius = (side[:5].mean() if motion in ("grow", "shrink") else np.median(side)) / TEMPLATES[shape][1]
    return {
        "shape": SHAPES[shape],
        "iou": overlap,
        "size": "small" if radius < 0.127 else "big",
        "motion": motion,
        "tempo": "steady" if progress is None else find_tempo(progress),
        "area": float(area.mean()),
        "seen": len(seen) / frame_count,
    }


def analyse(video, step=2):
    """Clip [T, H, W, 3] in 0..1 -> {"background": name, "objects": {colour: attributes}}."""
    frames = video[::step]
    background, labels = color_labels(frames)
    objects = {}
    for i, name in enumerate(COLOR_NAMES):
        seen = [s for s in (observe(labels[t] == i) for t in range(len(frames))) if s]
        if len(seen) >= 0.5 * len(frames) and seen:
            objects[name] = describe(seen, len(frames))
    return {"background": background, "objects": objects}


KEYS = ["color", "shape", "size", "motion", "tempo"]


def compare(found, scene):
    """Which attributes of the scene were found. Tempo counts only where the motion is right and not "still"."""
    rows = []
    for o in scene["objects"]:
        seen = found["objects"].get(o["color"])
        row = {"color": seen is not None}
        for key in ("shape", "size", "motion"):
            row[key] = seen is not None and seen[key] == o[key]
        row["tempo"] = None if o["motion"] == "still" else (row["motion"] and seen["tempo"] == o["tempo"])
        rows.append(row)
    count = sum(1 for seen in found["objects"].values() if seen["area"] > 60)
    return {"objects": rows, "background": found["background"] == scene["bg"], "count": count == len(scene["objects"])}


def all_right(result):
    return result["background"] and result["count"] and all(v is not False for row in result["objects"] for v in row.values())


def share(values):
    return round(float(np.mean(list(values))), 4)


def summary(results):
    """Shares of right attributes over the objects, and of right prompts."""
    rows = [row for result in results for row in result["objects"]]
    out = {key: share(row[key] for row in rows if row[key] is not None) for key in KEYS}
    out["object_all"] = share(all(v is not False for v in row.values()) for row in rows)
    out["background"], out["count"] = (share(r[key] for r in results) for key in ("background", "count"))
    out["prompt_all"] = share(all_right(r) for r in results)
    for n in (1, 2):
        some = [r for r in results if len(r["objects"]) == n]
        if some:
            out[f"prompt_all_{n}obj"] = share(all_right(r) for r in some)
    out["prompts"], out["objects"] = len(results), len(rows)
    return out


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    results = []
    for scene, prompt in test_prompts(count, seed=4242):
        pixels = ((render(pack([scene]), 65, 128)[0] + 1) / 2 * 255).round().byte()
        found = analyse(pixels.permute(1, 2, 3, 0).numpy() / 255.0)
        results.append(compare(found, scene))
        if not all_right(results[-1]):
            print(prompt, "|", attributes(scene)["objects"], found)
    print(json.dumps(summary(results)))


if __name__ == "__main__":
    main()
