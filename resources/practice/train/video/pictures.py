"""Contact sheets, without torchvision."""
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
