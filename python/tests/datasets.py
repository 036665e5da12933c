"""A small dataset in REFER's form, made by code: odd image sizes, polygons in parts, run lengths, several sentences."""

import json
import os
import pickle

import cv2
import numpy as np
from pycocotools import mask as coco

COLOURS = {"red": (40, 40, 220), "green": (60, 180, 60), "blue": (200, 90, 40), "yellow": (40, 210, 230)}


def write_refer(folder, images=24, seed=7):
    """Writes images/ and refer/toy/; returns (the REFER folder, the images folder). Every fourth image is val."""
    random = np.random.RandomState(seed)
    image_folder = os.path.join(folder, "images")
    refer = os.path.join(folder, "refer", "toy")
    os.makedirs(image_folder)
    os.makedirs(refer)
    instances = {"images": [], "annotations": [], "categories": [{"id": 1, "name": "square"}, {"id": 2, "name": "disc"}]}
    refs = []
    sentence = 1
    for number in range(1, images + 1):
        width, height = int(random.randint(70, 200)), int(random.randint(60, 180))
        pixels = random.randint(0, 256, (height // 8 + 1, width // 8 + 1, 3)).astype(np.uint8)
        pixels = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_CUBIC)
        name = f"{number:04d}.{'png' if number % 3 == 0 else 'jpg'}"
        boxes = []
        for at in range(2):
            colour = list(COLOURS)[random.randint(len(COLOURS))]
            w, h = int(random.randint(12, width // 2)), int(random.randint(12, height // 2))
            x, y = int(random.randint(0, width - w)), int(random.randint(0, height - h))
            cv2.rectangle(pixels, (x, y), (x + w, y + h), COLOURS[colour], -1)
            boxes.append((number * 10 + at, colour, x, y, w, h))
        cv2.imwrite(os.path.join(image_folder, name), pixels)
        instances["images"].append({"id": number, "file_name": name, "width": width, "height": height})
        for annotation, colour, x, y, w, h in boxes:
            instances["annotations"].append(
                {
                    "id": annotation,
                    "image_id": number,
                    "category_id": 1,
                    "iscrowd": 0,
                    "area": float(w * h),
                    "bbox": [x, y, w, h],
                    "segmentation": segmentation(annotation, x, y, w, h, height, width),
                }
            )
        for annotation, colour, *_ in boxes[: 1 + number % 2]:
            sentences = []
            for text in [f"the {colour} square", f"{colour} thing, number {number}", "it's the one at left!"][: 1 + annotation % 3]:
                sentences.append({"raw": text, "sent": text, "sent_id": sentence, "tokens": text.split()})
                sentence += 1
            refs.append(
                {
                    "ref_id": annotation,
                    "ann_id": annotation,
                    "image_id": number,
                    "category_id": 1,
                    "file_name": name,
                    "split": "val" if number % 4 == 0 else "train",
                    "sentences": sentences,
                    "sent_ids": [entry["sent_id"] for entry in sentences],
                }
            )
    with open(os.path.join(refer, "instances.json"), "w", encoding="utf-8") as file:
        json.dump(instances, file)
    with open(os.path.join(refer, "refs(unc).p"), "wb") as file:
        pickle.dump(refs, file, protocol=2)
    return refer, image_folder


def segmentation(number, x, y, w, h, height, width):
    """Polygons of one part or of two that overlap, or run lengths, in turn."""
    box = [x + 0.25, y + 0.25, x + w - 0.5, y + 0.5, x + w - 0.25, y + h - 0.75, x, y + h - 0.5]
    if number % 3 == 0:
        raster = np.zeros((height, width), np.uint8)
        cv2.ellipse(raster, (x + w // 2, y + h // 2), (w // 2, h // 2), 0, 0, 360, 1, -1)
        run = coco.encode(np.asfortranarray(raster))
        return {"size": run["size"], "counts": run["counts"].decode()}
    if number % 3 == 1:
        return [box]
    return [box, [x + w / 3, y, x + w, y + h / 2, x + w / 3, y + h]]
