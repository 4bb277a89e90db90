"""One run of the whole training on one GPU, of minutes: text encoder, VAE, drawing and encoding clips, and the transformer
that trains on them and is judged. What can run beside each other does.

usage: train_all.py OUT SECONDS --model PIPELINE_FOLDER [--text ENCODER_FOLDER] [--state DIR] [--parts FILE] [--work DIR]
SECONDS is for everything, this program's start included. --model gives the tokenizer and the weights to start from;
--text an encoder that train_text.py made already. To go on in another run give what came back: --state OUT/state, and
--parts OUT/parts.tar, with which VAE and text encoder stay as they are; another --seed draws other clips.
Writes OUT/state, OUT/scores.json, OUT/sheet.png, OUT/parts.tar (VAE and text encoder) and, if it is small,
OUT/cache.tar.xz (what was compiled; --cache FILE saves the next run that time).
"""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import time

START = time.time()
HERE = pathlib.Path(__file__).parent
CACHE_BYTES = 3_000_000
TEXT = ["--device", "cuda", "--batch", "256", "--steps", "2500"]
SMOKE = {  # for a CPU: everything happens, nothing is learned
    "text": ["--steps", "2", "--captions", "64", "--tests", "8"],
    "vae": ["--steps", "2", "--batch", "8", "--clips", "4", "--size", "64", "--crop", "32", "--device", "cpu"],
    "clips": ["--long", "4", "--short", "4", "--file-clips", "4", "--size", "64", "--workers", "2", "--device", "cpu"],
    "transformer": "--batch 2 --size 64 --steps 4 --prompts 2 --workers 1 --log-steps 2 --no-compile --device cpu".split(),
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("seconds", type=float)
    parser.add_argument("--model", required=True)
    parser.add_argument("--text")
    parser.add_argument("--state")
    parser.add_argument("--parts", type=pathlib.Path)
    parser.add_argument("--cache", type=pathlib.Path)
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("work"), help="for what need not be kept")
    parser.add_argument("--vae-seconds", type=float, default=60)
    parser.add_argument("--judge-seconds", type=float, default=50)
    parser.add_argument("--seed", type=int, default=100)
    parser.add_argument("--smoke", action="store_true")
    return parser.parse_args()


def log(*parts):
    print(f"[{time.time() - START:.0f}s]", *parts, flush=True)


def start(program, *words):
    return subprocess.Popen([sys.executable, "-u", str(HERE / program), *map(str, words)])


def pack(archive, folder, names, mode="w", **options):
    with tarfile.open(f"{archive}.part", mode, **options) as tar:
        for name in names:
            tar.add(folder / name, name)
    os.replace(f"{archive}.part", archive)


class Parts:
    """The VAE and the text encoder: trained here, or as an earlier run left them. The other programs wait for them."""

    NAMES = ["vae/vae.safetensors", "vae/vae.json", "text/encoder/model.safetensors", "text/encoder/config.json"]

    def __init__(self, args):
        self.args, self.vae, self.text, self.packed = args, None, None, False
        for name in self.NAMES:
            (args.work / name).parent.mkdir(parents=True, exist_ok=True)
        if args.parts:
            with tarfile.open(args.parts) as tar:
                for name in self.NAMES:
                    (args.work / name).write_bytes(tar.extractfile(name).read())
        if args.text:
            shutil.copytree(args.text, args.work / "text/encoder", dirs_exist_ok=True)
        if not self.have("vae"):
            options = ["--init", f"{args.model}/vae", "--seed", args.seed]
            options += SMOKE["vae"] if args.smoke else ["--lr", 1e-3, "--clips", 3000]
            self.vae = start("train_vae.py", args.work / "vae", args.vae_seconds, *options)
        if not self.have("text"):
            options = ["--tokenizer", f"{args.model}/tokenizer", "--words", f"{args.model}/text_encoder"]
            self.text = start("train_text.py", args.work / "text", *options, *(SMOKE["text"] if args.smoke else TEXT))

    def have(self, part):
        return all((self.args.work / name).exists() for name in self.NAMES if name.startswith(part))

    def look(self):
        """Keeps the parts as soon as they are there. If a training failed, the run goes on with the earlier part."""
        for part, process, take in (("vae", self.vae, self.take_vae), ("text", self.text, self.take_text)):
            if process and process.poll() not in (None, 0) and not self.have(part):
                log(f"the training of the {part} part failed; the earlier one is used")
                take()
        if not self.packed and self.have("vae") and self.have("text"):
            pack(self.args.out / "parts.tar", self.args.work, self.NAMES)
            self.packed = True

    def take_vae(self):
        config = json.loads(pathlib.Path(self.args.model, "vae/config.json").read_text())
        shutil.copyfile(f"{self.args.model}/vae/diffusion_pytorch_model.safetensors", self.args.work / "vae/vae.safetensors")
        statistics = self.args.work / "vae/vae.json.part"
        statistics.write_text(json.dumps({k: config[k] for k in ("latents_mean", "latents_std")}))
        statistics.rename(self.args.work / "vae/vae.json")

    def take_text(self):
        shutil.copytree(f"{self.args.model}/text_encoder", self.args.work / "text/encoder", dirs_exist_ok=True)

    def stop(self):
        self.look()
        for process in filter(None, (self.vae, self.text)):
            process.terminate()  # nothing happens if it has ended


def transformer(args, *more):
    options = ["--since", START, "--clips", args.work / "clips", "--text", args.work / "text/encoder", "--vae", args.work / "vae"]
    options += ["--tokenizer", f"{args.model}/tokenizer", "--judge-seconds", args.judge_seconds, "--seed", args.seed]
    if os.path.isdir(f"{args.model}/transformer"):
        options += ["--init", f"{args.model}/transformer"]
    if args.state:
        options += ["--state", args.state]
    if args.smoke:
        options += SMOKE["transformer"]
    return start("train_transformer.py", args.out, args.seconds, *options, *more)


def keep_cache(args, cache):
    """What was compiled, for the next run."""
    archive = args.out / "cache.tar.xz"
    pack(archive, cache, [p.name for p in cache.iterdir()], "w:xz", preset=1)
    if archive.stat().st_size > CACHE_BYTES:
        archive.unlink()


def main():
    args = arguments()
    cache = (args.work / "cache").absolute()
    for folder in (args.out, args.work, cache):
        folder.mkdir(parents=True, exist_ok=True)
    os.environ |= {"TORCHINDUCTOR_CACHE_DIR": str(cache / "inductor"), "TRITON_CACHE_DIR": str(cache / "triton")}
    if args.cache and args.cache.exists():
        with tarfile.open(args.cache) as tar:
            tar.extractall(cache, filter="data")
    parts = Parts(args)
    options = ["--vae", args.work / "vae", "--tokenizer", f"{args.model}/tokenizer", "--seed", args.seed]
    clips = start("encode_clips.py", args.work / "clips", *options, *(SMOKE["clips"] if args.smoke else []))
    # The second try runs without a recorded step, the third also without compiling: slower, but it goes on.
    for more in ([], ["--no-graph"], ["--no-graph", "--no-compile"]):
        running = transformer(args, *more)
        while running.poll() is None:
            parts.look()
            if clips.poll() not in (None, 0):
                log("the encoding of the clips failed; there is nothing to train on")
                running.terminate()
                parts.stop()
                return 1
            time.sleep(0.5)
        log("transformer's training ended with", running.returncode)
        if running.returncode == 0 or time.time() - START > args.seconds - args.judge_seconds:
            break
    parts.stop()
    clips.terminate()
    if any(cache.iterdir()) and time.time() - START < args.seconds + 15:
        keep_cache(args, cache)
    for path in sorted(p for p in args.out.rglob("*") if p.is_file()):
        log(path.relative_to(args.out), path.stat().st_size)
    return running.returncode


if __name__ == "__main__":
    sys.exit(main())
