"""Contact sheets and small films, without torchvision."""
import subprocess

import numpy as np
from PIL import Image


def save_sheet(frames, path, columns):
    """frames [N, 3, H, W] in 0..1, `columns` to a row."""
    count, _, height, width = frames.shape
    rows = -(-count // columns)
    sheet = np.zeros((rows * height, columns * width, 3), np.uint8)
    pixels = (frames.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    for i, picture in enumerate(pixels):
        y, x = i // columns * height, i % columns * width
        sheet[y : y + height, x : x + width] = picture
    Image.fromarray(sheet).save(path)


def save_film(video, path, fps):
    """video: array [T, H, W, 3] in 0..1 -> MP4 at twice the size. Needs the ffmpeg program."""
    height, width = video.shape[1:3]
    command = ["ffmpeg", "-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", str(fps), "-i", "-"]
    command += ["-vf", "scale=iw*2:ih*2:flags=neighbor", "-pix_fmt", "yuv420p", "-crf", "14", str(path)]
    subprocess.run(command, input=(video * 255).round().astype(np.uint8).tobytes(), check=True)
