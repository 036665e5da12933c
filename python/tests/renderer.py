"""An independent renderer of plans: docs/formats/plan.md, docs/formats/pool.md and docs/tokens.md in NumPy and OpenCV.

It shares no code with nemosaic. Only the kernel `opencv` is here.
"""

import gzip
import hashlib
import html
import json
import os
import re

import cv2
import numpy as np
import pyarrow.parquet as parquet
from PIL import Image, ImageFilter
from pycocotools import mask as coco


class Renderer:
    """Draws plans of one pool."""

    def __init__(self, pool):
        with open(os.path.join(pool, "pool.json"), encoding="utf-8") as file:
            manifest = json.load(file)
        self.pool = pool
        self.hash = manifest["hash"]
        self.files = {}
        for row in parquet.read_table(os.path.join(pool, "images.parquet")).to_pylist():
            assert row["root"] >= 0, "packed images are not read here"
            root = os.path.join(pool, manifest["roots"][row["root"]])
            self.files[row["hash"]] = os.path.join(root, row["path"])
        self.segmentations = {}
        for row in parquet.read_table(os.path.join(pool, "annotations.parquet")).to_pylist():
            key = "/".join(part.replace("%", "%25").replace("/", "%2F") for part in (row["source"], row["id"]))
            self.segmentations[key] = json.loads(row["segmentation"])

    def draw(self, plan):
        """uint8 [S, S, 3] and uint8 [S, S]."""
        assert plan["version"] in (1, 2, 3) and plan["pool"] == self.hash
        assert plan["resample"] == {"name": "opencv", "version": 1}
        size = plan["size"]
        side = plan.get("canvas", size)
        image = np.zeros((side, side, 3), np.uint8)
        mask = np.zeros((side, side), np.uint8)
        for layer in plan["layers"]:
            pixels = self.decode(layer["image"])
            x, y, w, h = layer["destination"]
            if "window" in layer:
                assert plan["version"] == 3
                whole = cv2.resize(pixels, tuple(layer["window"]["of"]), interpolation=cv2.INTER_LINEAR)
                left, top = layer["window"]["at"]
                cell = whole[top : top + h, left : left + w]
            else:
                sx, sy, sw, sh = layer["source"]
                cut = pixels[sy : sy + sh, sx : sx + sw]
                cell = cv2.resize(cut, (w, h), interpolation=cv2.INTER_LINEAR)
            if layer["blur"] > 0:
                cell = np.asarray(Image.fromarray(cell).filter(ImageFilter.GaussianBlur(layer["blur"])))
            shape = np.ones((h, w), bool)
            if "clip" in layer:
                assert plan["version"] >= 2 and layer["clip"]
                shape = self.cut(layer["clip"], pixels.shape[:2], layer).astype(bool)
            below, beneath = image[y : y + h, x : x + w], mask[y : y + h, x : x + w]
            if layer["alpha"] == 1:
                below[shape] = cell[shape]
                beneath[shape] = 0
            else:
                blend = np.floor(below + layer["alpha"] * (cell.astype(np.float64) - below) + 0.5)
                below[shape] = blend[shape]
            if layer["masks"]:
                beneath[shape] |= self.cut(layer["masks"], pixels.shape[:2], layer)[shape]
        if side != size:
            matrix = np.array([[size / side, 0.0, 0.0], [0.0, size / side, 0.0]])
            image = cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_CUBIC, borderValue=(123, 117, 104))
            mask = cv2.warpAffine(mask, matrix, (size, size), flags=cv2.INTER_LINEAR, borderValue=0)
        return image, mask

    def decode(self, key):
        with open(self.files[key], "rb") as file:
            data = file.read()
        assert hashlib.sha256(data).hexdigest() == key
        flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
        return cv2.cvtColor(cv2.imdecode(np.frombuffer(data, np.uint8), flags), cv2.COLOR_BGR2RGB)

    def truth(self, keys, shape):
        """uint8 [H, W]: the union of annotations over their image."""
        height, width = shape
        union = np.zeros((height, width), np.uint8)
        for key in keys:
            segmentation = self.segmentations[key]
            if segmentation is None:
                continue
            if isinstance(segmentation, list):
                runs = coco.frPyObjects(segmentation, height, width)
            else:
                runs = [{"size": segmentation["size"], "counts": segmentation["counts"].encode()}]
            for run in runs:
                union |= coco.decode(run)
        return union

    def cut(self, keys, shape, layer):
        """uint8 [h, w]: annotations over the image, cut and resampled to the layer's destination."""
        if "window" in layer:
            (width, height), (left, top) = layer["window"]["of"], layer["window"]["at"]
            w, h = layer["destination"][2:]
            rows, columns = nearest(shape[0], height)[top : top + h], nearest(shape[1], width)[left : left + w]
            return self.truth(keys, shape)[rows[:, None], columns[None, :]]
        sx, sy, sw, sh = layer["source"]
        rows, columns = nearest(sh, layer["destination"][3]) + sy, nearest(sw, layer["destination"][2]) + sx
        return self.truth(keys, shape)[rows[:, None], columns[None, :]]

    def original_truth(self, plan):
        """The truth at the image's own size."""
        target = next(layer for layer in plan["layers"] if layer["role"] == "target")
        return self.truth(target["masks"], self.decode(target["image"]).shape[:2])


def nearest(source, target):
    scale = 1.0 / (target / source)
    return np.minimum(np.floor(np.arange(target) * scale).astype(np.int64), source - 1)


class ClipTokens:
    """CLIP's byte-pair encoding for plain English text, from the merges file alone."""

    def __init__(self, merges):
        with gzip.open(merges, "rt", encoding="utf-8") as file:
            pairs = [tuple(line.split()) for line in file.read().strip().split("\n")]
        printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
        others = [byte for byte in range(256) if byte not in printable]
        self.symbols = {byte: chr(byte) for byte in printable}
        self.symbols.update({byte: chr(256 + at) for at, byte in enumerate(others)})
        ordered = [self.symbols[byte] for byte in printable] + [self.symbols[byte] for byte in others]
        vocabulary = ordered + [symbol + "</w>" for symbol in ordered] + ["".join(pair) for pair in pairs]
        self.ids = {word: at for at, word in enumerate(vocabulary)}
        self.ranks = {pair: at for at, pair in enumerate(pairs)}

    def __call__(self, text, length):
        words = re.findall(r"'s|'t|'re|'ve|'m|'ll|'d|[a-z]+|[0-9]|[^\sa-z0-9]+", " ".join(html.unescape(text).lower().split()))
        ids = [49406, *(token for word in words for token in self.word(word))][: length - 1] + [49407]
        return ids + [0] * (length - len(ids))

    def word(self, word):
        parts = [self.symbols[byte] for byte in word.encode("utf-8")]
        parts[-1] += "</w>"
        while len(parts) > 1:
            pairs = list(zip(parts, parts[1:]))
            best = min(pairs, key=lambda pair: self.ranks.get(pair, 1 << 30))
            if best not in self.ranks:
                break
            merged = []
            at = 0
            while at < len(parts):
                if at + 1 < len(parts) and (parts[at], parts[at + 1]) == best:
                    merged.append(parts[at] + parts[at + 1])
                    at += 2
                else:
                    merged.append(parts[at])
                    at += 1
            parts = merged
        return [self.ids[part] for part in parts]
