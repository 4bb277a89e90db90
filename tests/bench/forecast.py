#!/usr/bin/env python3
"""What the memory forecast says of a job and what the job takes, over several sizes. Standard library only.

    tests/bench/forecast.py BIN [--model FOLDER] [--device cuda] [--steps 2] [SIZExFRAMES …]     such as 832x480x81

"said" is the forecast for the device (for the machine on a CPU); "took" is the peak of the worker's tensors on the device
and, where nvidia-smi is there, of the whole process there, which counts the driver's context and libraries; on a CPU it is
the worker's resident memory.
"""
import argparse
import json
import subprocess
import tempfile
import threading
import time


def last_event(output, kind):
    return [event for event in map(json.loads, output.splitlines()) if event["ev"] == kind][-1]


class DevicePeak:
    """The most memory that any one process has on the GPU while the block runs, in bytes; 0 without nvidia-smi."""

    def __enter__(self):
        self.bytes, self.running = 0, True
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()
        return self

    def watch(self):
        query = ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits"]
        while self.running:
            try:
                text = subprocess.run(query, capture_output=True, text=True, check=True).stdout
            except (OSError, subprocess.CalledProcessError):
                return
            self.bytes = max(self.bytes, max(int(line) for line in text.split()) << 20)
            time.sleep(0.05)

    def __exit__(self, *_):
        self.running = False
        self.thread.join()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bin")
    parser.add_argument("--model")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--steps", default="2")
    parser.add_argument("shapes", nargs="*", default=["128x128x65", "256x256x65", "480x480x33"])
    args = parser.parse_intermixed_args()
    for shape in args.shapes:
        width, height, frames = shape.split("x")
        with tempfile.TemporaryDirectory() as folder:
            job = [f"{args.bin}/rubato-cli", "gen", "video", "-p", "a red circle moves right", "--size", f"{width}x{height}",
                   "--frames", frames, "--steps", args.steps, "--device", args.device, "-o", f"{folder}/out.safetensors",
                   "--report", f"{folder}/report.json", "--progress", "json"] + (["-m", args.model] if args.model else [])
            plan = subprocess.run(job + ["--dry-run"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
            said = last_event(plan.stdout, "plan")["memory"][0]
            with DevicePeak() as peak:
                subprocess.run(job, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
            report = json.load(open(f"{folder}/report.json"))
            if args.device == "cpu":
                took = f"{report['peak_memory_bytes'] / 1e9:.2f} GB"
                forecast = said["host_bytes"]
            else:
                took = (f"{report['memory']['peak_device_bytes'] / 1e9:.2f} GB of tensors, "
                        f"{peak.bytes / 1e9:.2f} GB in use on the device")
                forecast = said["device_bytes"]
            print(f"{shape}: said {forecast / 1e9:.2f} GB ({said['plan']}), took {took}", flush=True)


if __name__ == "__main__":
    main()
