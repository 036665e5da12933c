"""Sa2VA: its fine-tuning data and its RefCOCO datasets."""

import os
import sys

import numpy as np

from stand_ins import packages, stand_in


def sa2va_packages(clone):
    sys.path.insert(0, clone)
    stand_in(
        "xtuner.registry",
        "xtuner.dataset.map_fns",
        "xtuner.utils",
        "xtuner.dataset.utils",
        "xtuner.dataset.huggingface",
        "datasets",
    )
    packages(
        clone,
        "projects",
        "projects.sa2va",
        "projects.sa2va.datasets",
        "third_parts",
        "third_parts.mmdet",
        "third_parts.mmdet.datasets",
    )


def sa2va_sample(data, item):
    found = data._parse_annotations(item)
    question = found["conversations"][0]["value"]
    said = lambda text: text.lower()[:-1] if text.endswith(".") else text.lower()
    return {
        "number": int(os.path.basename(found["image"])[15:-4]),
        "mask": found["masks"][0].numpy(),
        "said": question,
        "says": lambda text: said(text) in question,
        "image": np.asarray(data._read_image(found["image"])),
    }


def sa2va_finetune(clone, export, size):
    sa2va_packages(clone)
    from projects.sa2va.datasets.sa2va_data_finetune import Sa2VAFinetuneDataset

    data = Sa2VAFinetuneDataset.__new__(Sa2VAFinetuneDataset)
    data.begin_str, data.split = "<image>\n", "train"
    data.ann_file = os.path.join(export, "train/annotations.json")
    data.data_prefix = {"img_path": os.path.join(export, "train/images")}
    for item in data.load_data_list():
        yield sa2va_sample(data, item)


def sa2va_refcoco(clone, export, size):
    sa2va_packages(clone)
    from projects.sa2va.datasets.sa2va_data_01_refseg import Sa2VA01RefSeg

    data = Sa2VA01RefSeg.__new__(Sa2VA01RefSeg)
    data.begin_str, data.split, data.text_mode, data.num_classes_per_sample = "<image>\n", "train", "select_first", 1
    data.ann_file, data.split_file = os.path.join(export, "refcoco/instances.json"), os.path.join(
        export, "refcoco/refs(unc).p"
    )
    data.data_prefix = {"img_path": os.path.join(export, "coco2014/train2014")}
    for item in data.load_data_list():
        yield sa2va_sample(data, item)
