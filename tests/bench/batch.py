#!/usr/bin/env python3
"""What a batch costs besides its clips, measured on the practice model: planning, overhead per job, checkpoints, and how
well the time left is foretold. Standard library only.

    tests/bench/batch.py BIN        BIN: the folder of rubato-cli, such as build/ci/bin
"""
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time


def run(cli, home, *words):
    """Runs rubato-cli; returns (seconds, [(seconds since the start, event)])."""
    environment = dict(os.environ, XDG_STATE_HOME=home, XDG_CACHE_HOME=home)
    start = time.monotonic()
    process = subprocess.Popen([cli, *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, cwd=home)
    events = [(time.monotonic() - start, json.loads(line)) for line in process.stdout]
    if process.wait() != 0:
        sys.exit(f"{' '.join(words)} ended with {process.returncode}")
    return time.monotonic() - start, events


def write_jobs(path, count, size, frames, steps):
    with open(path, "w") as file:
        file.write("id,prompt,size,frames,steps,seed,device\n")
        for i in range(count):
            file.write(f"j{i},a red circle moves right,{size},{frames},{steps},{i},cpu\n")


def planning(cli):
    with tempfile.TemporaryDirectory() as home:
        write_jobs(f"{home}/jobs.csv", 10_000, "64x64", 9, 2)
        run(cli, home, "run", "jobs.csv", "--out", "o", "--dry-run", "--progress", "json")  # caches the model's hash
        seconds = [run(cli, home, "run", "jobs.csv", "--out", "o", "--dry-run", "--progress", "json")[0] for _ in range(3)]
        print(f"10,000 jobs read and planned: {statistics.median(seconds):.2f} s")


def overhead(cli, count=40):
    with tempfile.TemporaryDirectory() as home:
        write_jobs(f"{home}/jobs.csv", count, "64x64", 5, 4)
        _, events = run(cli, home, "run", "jobs.csv", "--out", "o", "--name", "{job}.mp4", "--progress", "json")
        compute = {}
        for name in os.listdir(f"{home}/o/.rubato"):
            if name.endswith(".done"):
                record = json.load(open(f"{home}/o/.rubato/{name}"))
                compute[record["job"]] = sum(record["facts"]["seconds"].values())
        done = [at for at, event in events if event["ev"] == "job.done"]
        jobs = [event["job"] for _, event in events if event["ev"] == "job.done"]
        extra = [1000 * (done[i] - done[i - 1] - compute[jobs[i]]) for i in range(1, len(done))]
        print(f"overhead per job with a warm engine, {count} jobs: median {statistics.median(extra):.0f} ms, "
              f"95 % {sorted(extra)[int(0.95 * len(extra))]:.0f} ms")


def step_seconds(cli, home, *more):
    _, events = run(cli, home, "gen", "video", "-p", "a red circle moves right", "--seed", "1", "--steps", "20", "--device", "cpu",
                    "--progress", "json", "--overwrite", "always", *more)
    steps = [at for at, event in events if event["ev"] == "job.progress" and event["phase"] == "denoise"]
    return (steps[-1] - steps[0]) / (len(steps) - 1)


def checkpoints(cli):
    with tempfile.TemporaryDirectory() as home:
        kept, bare = [], []
        for _ in range(5):  # in turn, so that the machine's moods hit both
            kept.append(step_seconds(cli, home, "-o", "a.mp4"))
            bare.append(step_seconds(cli, home, "--latents-out", "a.safetensors"))
        with_, without = statistics.median(kept), statistics.median(bare)
        print(f"a step with checkpoints {1000 * with_:.1f} ms, without {1000 * without:.1f} ms: {100 * (with_ / without - 1):+.2f} %")


def time_left(cli, count=20):
    with tempfile.TemporaryDirectory() as home:
        write_jobs(f"{home}/jobs.csv", count + 1, "128x128", 33, 12)
        _, events = run(cli, home, "run", "jobs.csv", "--out", "o", "--name", "{job}.mp4", "--progress", "json")
        start, end, told = {}, {}, {}
        for at, event in events:
            job = event.get("job")
            if event["ev"] == "job.start":
                start[job] = at
            elif event["ev"] == "job.done":
                end[job] = at
            elif event["ev"] == "job.progress" and "eta_s" in event:
                told.setdefault(job, []).append((at, event["eta_s"]))
        first = told.get("j0", [])
        print(f"time left on a fresh machine: first told after {(first[0][0] - start['j0']) if first else float('nan'):.1f} s "
              f"of {end['j0'] - start['j0']:.1f} s")
        within = total = 0
        worst = []
        for job in list(end)[1:]:
            length = end[job] - start[job]
            errors = []
            for at, eta in told.get(job, []):
                if at - start[job] < length / 3:
                    continue
                # Of the whole: at the very end a few milliseconds are many percent of what is left.
                errors.append(abs(at + eta - end[job]) / length)
            within += sum(error <= 0.2 for error in errors)
            total += len(errors)
            worst.append(max(errors))
        print(f"time left from a third on, {len(worst)} jobs: {within} of {total} forecasts within 20 % of the job's time, "
              f"largest error of a job: median {100 * statistics.median(worst):.0f} %, worst {100 * max(worst):.0f} %")


def main():
    cli = os.path.abspath(os.path.join(sys.argv[1], "rubato-cli"))
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    planning(cli)
    overhead(cli)
    checkpoints(cli)
    time_left(cli)


if __name__ == "__main__":
    main()
