"""The state of a training in a few files of at most 15 MiB, so that a run of minutes can go on from an earlier one.

Kept for every parameter: its moving average in float16 (average-N: these are the weights that get exported), its live
value as an 8-bit difference from that average (difference-N), and AdamW's two moments in bfloat16 (moments-N). Without
difference-N the training goes on from the average, without moments-N from fresh ones. Muon's momentum is a mean over
some twenty steps and is built again during the warm-up. Files are written elsewhere and moved into place together.
"""
import json
import os
import pathlib
import shutil
import tempfile

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

FILE_BYTES = 15 * 1024 * 1024
KINDS = {"average": ["average"], "difference": ["difference", "scale"], "moments": ["exp_avg", "exp_avg_sq"]}
EXACT = 4096  # parameters up to this size are kept as they are


def pack_difference(live, average):
    """{suffix: tensor}: the average in float16 and what the live value adds to it."""
    average = average.detach().half()
    difference = live.detach().float() - average.float()
    if live.numel() <= EXACT:
        return {"average": average, "difference": difference}
    rows = difference.flatten(1)
    scale = rows.abs().amax(1, keepdim=True).clamp(min=1e-12) / 127
    return {"average": average, "difference": (rows / scale).round().to(torch.int8).view_as(live), "scale": scale}


def unpack_difference(parts):
    average = parts["average"].float()
    if "difference" not in parts:
        return average, average
    difference = parts["difference"].float()
    if "scale" in parts:
        difference = (difference.flatten(1) * parts["scale"]).view_as(average)
    return average + difference, average


def files_of(tensors_of):
    """{file name: tensors}, kind by kind, a new file where the next tensor would not fit."""
    out = {}
    for kind, suffixes in KINDS.items():
        number, size = 0, 0
        for name, parts in tensors_of.items():
            for suffix in suffixes:
                if suffix in parts:
                    more = parts[suffix].numel() * parts[suffix].element_size()
                    if size and size + more > FILE_BYTES:
                        number, size = number + 1, 0
                    out.setdefault(f"{kind}-{number}.safetensors", {})[f"{name}/{suffix}"] = parts[suffix]
                    size += more
    return out


def move(source, target):
    try:
        os.replace(source, target)
    except OSError:  # another file system
        shutil.copyfile(source, f"{target}.part")
        os.replace(f"{target}.part", target)
        os.remove(source)


def save(folder, model, average, adamw, values):
    """`values` (numbers that JSON can hold) go into every file."""
    averaged = dict(average.named_parameters())
    tensors_of = {}
    for name, p in model.named_parameters():
        parts = pack_difference(p, averaged[name])
        if p in adamw.state:
            moments = adamw.state[p]
            parts |= {"exp_avg": moments["exp_avg"].bfloat16(), "exp_avg_sq": moments["exp_avg_sq"].bfloat16()}
        tensors_of[name] = {k: v.cpu().contiguous() for k, v in parts.items()}
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    pieces = files_of(tensors_of)
    with tempfile.TemporaryDirectory() as staging:
        for file, tensors in pieces.items():
            save_file(tensors, f"{staging}/{file}", metadata={"values": json.dumps(values)})
        for file in pieces:
            move(f"{staging}/{file}", folder / file)


def exists(folder):
    return bool(folder) and (pathlib.Path(folder) / "average-0.safetensors").exists()


def read(folder):
    """({parameter: {suffix: tensor}}, values). Files of different steps do not belong together and are refused."""
    files = sorted(f for kind in KINDS for f in pathlib.Path(folder).glob(f"{kind}-?.safetensors"))
    parts, values = {}, []
    for file in files:
        with safe_open(file, "pt") as opened:
            values.append(json.loads(opened.metadata()["values"]))
        for key, tensor in load_file(file).items():
            name, suffix = key.rsplit("/", 1)
            parts.setdefault(name, {})[suffix] = tensor
    if any(v != values[0] for v in values):
        raise SystemExit(f"{folder}: the state's files are not of one step: {values}")
    return parts, values[0]


@torch.no_grad()
def load(folder, model, average, adamw):
    """Fills in both models and the optimizer, in place; returns the values."""
    parts, values = read(folder)
    averaged = dict(average.named_parameters())
    for name, p in model.named_parameters():
        live, mean = unpack_difference(parts[name])
        p.copy_(live)
        averaged[name].copy_(mean)
        if p in adamw.state and "exp_avg" in parts[name]:
            for moment in ("exp_avg", "exp_avg_sq"):
                adamw.state[p][moment].copy_(parts[name][moment])
            adamw.state[p]["step"].fill_(values["step"])
    return values


def average_weights(folder):
    """The exported weights: {parameter: float16 tensor}."""
    return {name: part["average"] for name, part in read(folder)[0].items()}
