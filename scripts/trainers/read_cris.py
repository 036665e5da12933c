"""CRIS and those made after it, with the two changes of the recipe."""

import json
import os
import pickle
import sys

import numpy as np
import torch.utils.data

from trainer_text import bert, bert_ids, levels
from stand_ins import packages


def train_set(module, export, size):
    """The trainer's own data set over an export, with the recipe's two changes."""
    module.loads_pyarrow = pickle.loads  # recipe, 1
    module.info["refcoco"]["train"] = len(json.load(open(os.path.join(export, "anns/refcoco/train.json"))))  # recipe, 2
    return module.RefDataset(
        os.path.join(export, "lmdb/refcoco/train.lmdb"),
        os.path.join(export, "masks/refcoco"),
        "refcoco",
        "train",
        "train",
        size,
        17,
    )


def cris(clone, export, size):
    sys.path.insert(0, clone)
    packages(clone, "utils")
    import utils.dataset as module

    data = train_set(module, export, size)
    say = lambda text: module.tokenize(text, 17, True)[0].tolist()
    for at in range(len(data)):
        image, ids, mask = data[at][:3]
        yield {
            "mask": np.round(mask.numpy()).astype(np.uint8),
            "said": ids.tolist(),
            "say": say,
            "image": levels(image, data.mean.numpy().reshape(3), data.std.numpy().reshape(3)),
        }


def cgformer(clone, export, size):
    sys.path.insert(0, clone)
    from bert.tokenization_bert import BertTokenizer

    BertTokenizer.from_pretrained = classmethod(lambda cls, name, *rest, **options: bert(BertTokenizer))
    packages(clone, "utils")
    import utils.dataset as module

    data = train_set(module, export, size)
    torch.utils.data.default_collate([data[0], data[1]])  # recipe: what its missing collate_fn has to do
    say = bert_ids(bert(BertTokenizer), 17)
    for at in range(len(data)):
        image, ids, mask, _ = data[at]
        image = levels(image, data.mean.numpy().reshape(3), data.std.numpy().reshape(3))
        yield {"mask": mask.numpy().astype(np.uint8), "said": ids[0].tolist(), "say": say, "image": image}
