"""LISA and EVF-SAM: their refer_seg folder."""

import os
import random
import sys
from types import SimpleNamespace

import torch

from stand_ins import Anything, package, packages, stand_in


def lisa(clone, export, size, dataset="refcoco"):
    """Draws images at random; called until each has been seen."""
    sys.path.insert(0, clone)
    stand_in("skimage.io", "matplotlib.pyplot", "matplotlib.collections", "matplotlib.patches")
    is_evf = os.path.exists(os.path.join(clone, "model", "evf_sam.py"))
    packages(clone, "utils", "model", "model.segment_anything", "model.segment_anything.utils")
    if is_evf:
        package("utils.dataset", clone).Resize = Anything
    else:
        packages(clone, "model.llava")
    import importlib

    module = importlib.import_module("utils.refer_seg_dataset")
    base = os.path.dirname(export)
    if is_evf:
        data = module.ReferSegDataset(base, refer_seg_data=dataset)
    else:
        processor = SimpleNamespace(preprocess=lambda image, return_tensors: {"pixel_values": [torch.zeros(1)]})
        module.CLIPImageProcessor = SimpleNamespace(from_pretrained=lambda name: processor)
        data = module.ReferSegDataset(base, tokenizer=None, vision_tower="", image_size=size, refer_seg_data=dataset)
    images = data.refer_seg_data[dataset]["images"]
    for at in range(len(images)):
        order = iter([0, at])  # the dataset, then the image
        module.random = SimpleNamespace(randint=lambda low, high: next(order, 0), choice=random.choice)
        path, image, *items = data[at]
        masks, sentences = items[1 if is_evf else 2], items[-1]
        pixels = (image * data.pixel_std + data.pixel_mean).numpy().transpose(1, 2, 0)
        number = int(os.path.basename(path)[15:-4])
        yield {"number": number, "mask": masks[0].numpy(), "said": sentences[0], "say": str, "image": pixels}


def lisa_gres(clone, export, size):
    return lisa(clone, export, size, "grefcoco")
