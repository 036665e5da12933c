"""SAM 3, its evaluation, and SAM3_LoRA."""

import json
import os
import sys
from types import SimpleNamespace

import numpy as np

from stand_ins import Anything, packages, stand_in


def sam3_train(clone, export, size):
    stand_in("decord", "iopath.common.file_io")
    sys.path.insert(0, clone)
    packages(clone, "sam3", "sam3.model", "sam3.train", "sam3.train.data")
    import builtins

    if isinstance(getattr(sys.modules["iopath.common.file_io"], "g_pathmgr", None), Anything):
        sys.modules["iopath.common.file_io"].g_pathmgr = SimpleNamespace(
            open=builtins.open, isfile=os.path.isfile, get_local_path=lambda path: path
        )
    from pycocotools import mask as coco
    from sam3.train.data.coco_json_loaders import COCO_FROM_JSON
    from sam3.train.data.sam3_image_dataset import Sam3ImageDataset

    data = Sam3ImageDataset(
        os.path.join(export, "train"),
        os.path.join(export, "train/_annotations.coco.json"),
        [],
        200,
        1,
        True,
        load_segmentation=True,
        coco_json_loader=lambda path: COCO_FROM_JSON(path, include_negatives=False),  # recipe
    )
    for at in range(len(data)):
        point = data[at]
        (query,) = point.find_queries
        masks = [coco.decode(point.images[0].objects[number].segment) for number in query.object_ids_output]
        number = data.coco.loadImagesFromDatapoint(at)[0]["coco_img_id"]
        image = np.asarray(point.images[0].data)
        yield {
            "number": number,
            "mask": np.any(masks, axis=0).astype(np.uint8),
            "said": query.query_text,
            "say": str,
            "image": image,
        }


def sam3_saco(clone, export, size):
    """The evaluation's side: its queries, and cgF1 of the truth against itself, which has to be 1."""
    stand_in("decord")
    sys.path.insert(0, clone)
    packages(clone, "sam3", "sam3.train", "sam3.train.data", "sam3.eval")
    from pycocotools import mask as coco
    from sam3.eval.cgf1_eval import CGF1Evaluator
    from sam3.train.data.coco_json_loaders import SAM3_EVAL_API_FROM_JSON_NP

    path = os.path.join(export, "train/saco.json")
    rows = json.load(open(path))
    predictions = os.path.abspath("saco-predictions.json")
    json.dump([{**row, "score": 1.0} for row in rows["annotations"]], open(predictions, "w"))
    results = CGF1Evaluator(gt_path=[path], verbose=False, iou_type="segm").evaluate(predictions)
    # cgF1 has a factor that needs phrases without targets: where there are none, it is 0 whatever is found.
    meant = {row["image_id"] for row in rows["annotations"]}
    measure = "cgF1" if any(row["id"] not in meant for row in rows["images"]) else "positive_micro_F1"
    score = next(value for name, value in results.items() if name.endswith(measure))
    assert score > 0.999, results  # its quotients have small constants under them
    masks = {}
    for row in rows["annotations"]:
        masks.setdefault(row["image_id"], []).append(coco.decode(row["segmentation"]))
    data = SAM3_EVAL_API_FROM_JSON_NP(path)
    for at in data.getDatapointIds():
        (query,), _ = data.loadQueriesAndAnnotationsFromDatapoint(at)
        (image,) = data.loadImagesFromDatapoint(at)
        mask = np.any(masks.get(image["coco_img_id"], [np.zeros((size, size))]), axis=0).astype(np.uint8)
        yield {"mask": mask, "said": query["query_text"], "say": str, "image": None}


def sam3_lora(clone, export, size):
    stand_in(
        "sam3.model_builder",
        "sam3.train.loss.loss_fns",
        "sam3.train.loss.sam3_loss",
        "sam3.train.matcher",
        "lora_layers",
    )
    sys.path.insert(0, clone)
    packages(clone, "sam3", "sam3.model", "sam3.train", "sam3.train.data", "sam3.train.loss")
    stand_in(
        "decord",
        "sam3.model_builder",
        "sam3.model.model_misc",
        "sam3.train.loss.loss_fns",
        "sam3.train.loss.sam3_loss",
        "sam3.train.matcher",
        "sam3.train.data.collator",
        "sam3.train.masks_ops",
        "lora_layers",
    )
    from train_sam3_lora_native import COCOSegmentDataset

    data = COCOSegmentDataset(export, "train", num_negatives=0)  # recipe
    for at, number in enumerate(data.image_ids):
        point = data[at]
        (query,) = point.find_queries
        objects = [point.images[0].objects[number].segment.numpy() for number in query.object_ids_output]
        image = (point.images[0].data.numpy().transpose(1, 2, 0) * 0.5 + 0.5) * 255
        yield {
            "number": number,
            "mask": np.any(objects, axis=0).astype(np.uint8),
            "said": query.query_text,
            "say": str.lower,
            "image": image,
        }
