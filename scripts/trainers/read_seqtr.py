"""SeqTR and its descendants, on mmcv 1 and mmdet 2."""

import json
import os
import pickle
import sys
from types import SimpleNamespace

from stand_ins import package, packages, stand_in


def openmm(clone, own):
    """SeqTR and its descendants: mmcv 1 and mmdet 2, of which they take bitmaps and registries."""
    stand_in("mmcv.ops.roi_align", "mmcv.runner", "mmcv.cnn", "pickle5", "mmdet.datasets")
    sys.modules["pickle5"] = pickle
    import mmdet

    folder = os.path.dirname(mmdet.__file__)
    for name in ("core", "core.mask"):
        package("mmdet." + name, os.path.join(folder, *name.split(".")))
    from mmdet.core.mask.structures import BitmapMasks

    sys.modules["mmdet.core"].BitmapMasks = BitmapMasks
    sys.path.insert(0, clone)
    packages(clone, own, own + ".datasets", own + ".datasets.pipelines")
    package(own + ".utils", clone).get_root_logger = lambda: SimpleNamespace(info=lambda text: None)
    sys.modules[own + ".utils"].is_main = lambda: False
    from mmcv.utils import Registry

    builder = package(own + ".datasets.builder", clone)
    builder.PIPELINES, builder.DATASETS = Registry("pipelines"), Registry("datasets")


def seqtr(clone, export, size):
    openmm(clone, "seqtr")
    from seqtr.datasets.pipelines.loading import LoadImageAnnotationsFromFile, clean_string

    load = LoadImageAnnotationsFromFile(with_mask=True, with_bbox=True, dataset="RefCOCOUNC")
    for entry in json.load(open(os.path.join(export, "annotations/refcoco-unc/instances.json")))["train"]:
        found = load(
            {"ann": entry, "imgsfile": os.path.join(export, "images/mscoco/train2014"), "token2idx": {"UNK": 1}}
        )
        yield {
            "number": entry["image_id"],
            "mask": found["gt_mask"].masks[0],
            "said": found["expression"],
            "say": clean_string,
            "image": found["img"][:, :, ::-1],
        }


def deris(clone, export, size):
    own = "deris" if os.path.isdir(os.path.join(clone, "deris")) else "instancevg"
    openmm(clone, own)
    import importlib

    module = importlib.import_module(own + ".datasets.pipelines.loading")
    options = dict(with_mask=True, with_bbox=True, max_token=50, dataset="GRefCOCO")
    if own == "deris":
        hard = {"enable": False}  # recipe
        load = module.LoadImageAnnotationsFromFileGRES_TO(use_token_type="bert", turn_hard_negative=hard, **options)
    else:  # its one tokenizer is not to be had offline: the sentence is compared before it
        words = SimpleNamespace(bos_token_id=0, eos_token_id=1, pad_token_id=2)
        words.tokenize, words.convert_tokens_to_ids = str.split, lambda found: [3] * len(found)
        module.XLMRobertaTokenizer = lambda path: words
        load = module.LoadImageAnnotationsFromFileGRES(use_token_type="beit3", **options)
    folder = os.path.join(export, "annotations/grefs/instances.json")
    for entry in json.load(open(folder))["train"]:
        found = load(
            {"ann": entry, "imgsfile": os.path.join(export, "images/mscoco/train2014"), "token2idx": {"UNK": 1}}
        )
        yield {
            "mask": found["gt_mask"].masks[0],
            "said": found["expression"],
            "say": lambda text, raw=entry["expressions"]["raw"]: module.clean_string(
                raw if raw.lower() == text.lower() else text
            ),
            "image": found["img"][:, :, ::-1],
            "is_true": not found["empty"],
        }
