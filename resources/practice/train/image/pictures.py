"""Contact sheets, without torchvision."""
import numpy as np
from PIL import Image


def save_sheet(pictures, path, columns, gap=4, **options):
    """pictures [N, 3, H, W] in 0..1, `columns` to a row, on white."""
    count, _, height, width = pictures.shape
    rows = -(-count // columns)
    sheet = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap, 3), 255, np.uint8)
    pixels = (pictures.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    for i, picture in enumerate(pixels):
        y, x = i // columns * (height + gap), i % columns * (width + gap)
        sheet[y : y + height, x : x + width] = picture
    Image.fromarray(sheet).save(path, **options)
