"""The released NeMo loader's steps from encoded images to a training sample, written anew from a description of them.

Reads jobs as JSON on standard input, writes image (uint8 S·S·3) and mask (uint8 S·S) of each to standard output.
"""

import json
import sys

import cv2
import numpy as np
from PIL import Image, ImageFilter


def sample(job):
    size, cells = job["size"], job["cells"]
    side = int(round(len(cells) ** 0.5))
    cell = size // side
    rows, mask_rows = [], []
    for row in range(side):
        images, masks = [], []
        for column in range(side):
            at = row * side + column
            pixels = cv2.cvtColor(cv2.imread(cells[at]), cv2.COLOR_BGR2RGB)
            shrunk = cv2.resize(pixels, (cell, cell), interpolation=cv2.INTER_LINEAR)
            if job["blur"] and at != job["target"]:
                shrunk = np.asarray(Image.fromarray(shrunk).filter(ImageFilter.GaussianBlur(100)))
            images.append(shrunk)
            truth = np.zeros((cell, cell), np.uint8)
            if at == job["target"]:
                whole = np.array(job["mask"], np.uint8).reshape(pixels.shape[:2])
                truth = cv2.resize(whole, (cell, cell), interpolation=cv2.INTER_NEAREST)
            masks.append(truth)
        rows.append(np.concatenate(images, 1))
        mask_rows.append(np.concatenate(masks, 1))
    image, mask = np.concatenate(rows), np.concatenate(mask_rows)
    painted = image.shape[0]
    corners = lambda length: np.array([[0, 0], [length, 0], [0, length]], np.float32)
    matrix = cv2.getAffineTransform(corners(painted), corners(size))
    border = [0.48145466 * 255, 0.4578275 * 255, 0.40821073 * 255]
    image = cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_CUBIC, borderValue=border)
    mask = cv2.warpAffine(mask, matrix, (size, size), flags=cv2.INTER_LINEAR, borderValue=0.0)
    return image, mask


for job in json.load(sys.stdin):
    for part in sample(job):
        sys.stdout.buffer.write(np.ascontiguousarray(part).tobytes())
