"""One run of the whole training on one GPU, of minutes: text encoders, drawing and encoding pictures, and the transformer
that trains on them, beside each other; then the export and the judging.

usage: train_all.py OUT SECONDS --model PIPELINE_FOLDER [--text FILE] [--state DIR] [--cache FILE] [--work DIR]
SECONDS is for everything, this program's start included. --model gives the tokenizers and the VAE. To go on in another
run give what came back: --state OUT/state, --text OUT/text.tar; another --seed draws other pictures.
Writes OUT/state, OUT/text.tar, WORK/model (the pipeline), OUT/judged.tar (scores and sheets of judge.py), and, if it is
small, OUT/cache.tar.xz (what was compiled; --cache FILE saves the next run that time).
"""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import time

START = time.time()
HERE = pathlib.Path(__file__).parent
CACHE_BYTES = 15_000_000
ENCODERS = ["text_encoder", "text_encoder_2"]
SMOKE = {  # for a CPU: everything happens, nothing is learned
    "text": "--steps 2 --batch 8 --captions 48 --tests 8 --workers 2 --device cpu".split(),
    "pictures": "--small 16 --middle 16 --large 16 --file-pictures 8 --divide 8 --workers 1 --device cpu".split(),
    "transformer": "--steps 10 --batch 4 --divide 8 --log-steps 4 --no-compile --device cpu".split(),
    "judge": "--prompts 2 --steps 1 --device cpu".split(),
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("seconds", type=float)
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--text", type=pathlib.Path, help="text encoders of an earlier run: its OUT/text.tar, or a folder")
    parser.add_argument("--text-seconds", type=float, help="train the encoders that are given so much longer")
    parser.add_argument("--state")
    parser.add_argument("--cache", type=pathlib.Path)
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("work"), help="for what need not be kept")
    parser.add_argument("--judge-seconds", type=float, default=60)
    parser.add_argument("--judge", nargs="*", default=["held:256"], help="what to judge, PAIRS:SIZE")
    parser.add_argument("--kinds", nargs="+", default=["small", "middle", "large"], help="pictures to train on")
    parser.add_argument("--prompts", type=int, default=240)
    parser.add_argument("--pictures", default="", help="options of encode_pictures.py, as one word")
    parser.add_argument("--training", default="", help="options of train_transformer.py, as one word")
    parser.add_argument("--seed", type=int, default=100)
    parser.add_argument("--keep-cache", action=argparse.BooleanOptionalAction, default=True)
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


def unpack(archive, folder):
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")


def train_text(args):
    """Starts the training of the text encoders, if there is to be one. WORK/text holds them as soon as they are ready."""
    given = args.work / ("earlier-text" if args.text_seconds else "text")
    if args.text and args.text.is_dir():
        shutil.copytree(args.text, given, dirs_exist_ok=True)
    elif args.text:
        unpack(args.text, given)
    if args.text and not args.text_seconds:
        return None
    options = ["--tokenizers", args.model, "--seed", 200 + args.seed, *(["--init", given] if args.text else [])]
    options += SMOKE["text"] if args.smoke else ["--steps", 6000, "--seconds", args.text_seconds or 80]
    return start("train_text.py", args.work / "text", *options)


def transformer(args, *more):
    options = ["--since", START, "--pictures", args.work / "pictures", "--text", args.work / "text"]
    options += ["--seed", args.seed, *(["--state", args.state] if args.state else []), *(SMOKE["transformer"] if args.smoke else [])]
    return start("train_transformer.py", args.out, args.seconds - args.judge_seconds, *options, *args.training.split(), "--kinds", *more)


def judge(args):
    """Exports the averaged weights and judges them, all at once; what takes too long is left out."""
    model = args.work / "model"
    options = ["--state", args.out / "state", "--text", args.work / "text", "--vae", args.model, "--tokenizers", args.model]
    if start("export.py", model, *options).wait():
        return
    (args.work / "judged").mkdir(exist_ok=True)
    judges = []
    for what in args.judge:
        pairs, size = what.split(":")
        options = ["--model", model, "--pairs", pairs, "--size", size, "--prompts", args.prompts, *(SMOKE["judge"] if args.smoke else [])]
        judges.append(start("judge.py", args.work / "judged", *options))
    for running in judges:
        try:
            running.wait(max(1, args.seconds + 15 - (time.time() - START)))
        except subprocess.TimeoutExpired:
            log("no time is left to judge everything")
            running.kill()
    pack(args.out / "judged.tar", args.work, ["judged"])


def main():
    args = arguments()
    cache = (args.work / "cache").absolute()
    for folder in (args.out, args.work, cache):
        folder.mkdir(parents=True, exist_ok=True)
    os.environ |= {"TORCHINDUCTOR_CACHE_DIR": str(cache / "inductor"), "TRITON_CACHE_DIR": str(cache / "triton")}
    if args.cache and args.cache.exists():
        unpack(args.cache, cache)
    texts = train_text(args)
    options = ["--model", args.model, "--seed", args.seed, *args.pictures.split(), *(SMOKE["pictures"] if args.smoke else [])]
    pictures = start("encode_pictures.py", args.work / "pictures", *options)
    # What other sizes need is compiled meanwhile, for the trainer to find it in the cache.
    for kind in args.kinds[1:] if not args.smoke else []:
        transformer(args, kind, "--compile-only")
    # The second try runs without a recorded step, the third also without compiling: slower, but it goes on.
    for more in ([], ["--no-graph"], ["--no-graph", "--no-compile"]):
        running = transformer(args, *args.kinds, *more)
        while running.poll() is None:
            if (texts and texts.poll()) or pictures.poll():
                log("the text encoders or the pictures failed; there is nothing to train on")
                running.terminate()
                pictures.terminate()
                return 1
            time.sleep(0.5)
        log("transformer's training ended with", running.returncode)
        if running.returncode == 0 or time.time() - START > args.seconds - args.judge_seconds:
            break
    pictures.terminate()
    pack(args.out / "text.tar", args.work / "text", ENCODERS)
    if running.returncode == 0:
        judge(args)
    if any(cache.iterdir()) and args.keep_cache and not args.smoke and time.time() - START < args.seconds + 10:
        archive = args.out / "cache.tar.xz"
        pack(archive, cache, [p.name for p in cache.iterdir()], "w:xz", preset=1)
        if archive.stat().st_size > CACHE_BYTES:
            archive.unlink()
    for path in sorted(p for p in args.out.rglob("*") if p.is_file()):
        log(path.relative_to(args.out), path.stat().st_size)
    return running.returncode


if __name__ == "__main__":
    sys.exit(main())
