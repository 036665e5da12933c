"""The REFER API and the trainers on it: LAVT, VPD, RMSIN, AeroReformer, MaskRIS, RefSegformer."""

import os
import sys
from types import SimpleNamespace

import numpy as np
import torch

from trainer_text import bert, bert_ids, levels, mean, std
from stand_ins import stand_in


def refer_family(data, say, alters=False, exists=False):
    """LAVT's dataset and those made after it: (image, target, ids [1, 20], attention, …) of one sentence."""
    for at in range(len(data)):
        image, target, ids, *others = data[at]
        target = target["mask"] if isinstance(target, dict) else target
        mask = np.asarray(target).astype(np.uint8)
        sample = {"mask": mask, "said": ids[0].tolist(), "say": say, "image": None if alters else levels(image)}
        if exists:
            sample["is_true"] = bool(others[1].item())
        yield sample


def lavt(clone, export, size, alters=False, **more):
    stand_in("h5py", "skimage.io", "matplotlib.pyplot", "matplotlib.collections", "matplotlib.patches")
    sys.path.insert(0, clone)
    import transforms as T
    from bert.tokenization_bert import BertTokenizer
    from data.dataset_refer_bert import ReferDataset
    import data.dataset_refer_bert as module

    module.BertTokenizer = SimpleNamespace(from_pretrained=lambda name: bert(BertTokenizer))
    steps = T.Compose([T.Resize(size, size), T.ToTensor(), T.Normalize(mean=mean.tolist(), std=std.tolist())])
    args = SimpleNamespace(
        refer_data_root=export,
        refer_root=None,
        mix=False,
        splitBy="unc",
        bert_tokenizer="bert-base-uncased",
        max_seq_length=20,
        **{"dataset": "refcoco", **more},
    )
    tokenizer = bert(BertTokenizer)
    say = bert_ids(tokenizer, 20)
    if more.get("dataset") == "uavid_ris":  # AeroReformer has its own way to cut long sentences
        say = lambda text: tokenizer.encode_plus(text, max_length=20, padding="max_length", truncation=True)[
            "input_ids"
        ]
    return refer_family(ReferDataset(args, image_transforms=steps, split="train"), say, alters)


def rmsin(clone, export, size):
    return lavt(clone, export, size, alters=True, dataset="rrsisd")  # it blackens boxes of some training images


def aeroreformer(clone, export, size):
    return lavt(clone, export, size, dataset="uavid_ris")


def vpd(clone, export, size):
    stand_in("h5py", "skimage.io", "matplotlib.pyplot", "matplotlib.collections", "matplotlib.patches")
    sys.path.insert(0, os.path.join(clone, "refer"))
    import transforms as T
    import data.dataset_refer_clip as module

    # CLIP's tokenizer is not to be had offline: the letters' numbers show which text it was given.
    def numbers(text, **options):
        ids = torch.tensor([[ord(letter) for letter in text]])
        return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}

    module.CLIPTokenizer = SimpleNamespace(from_pretrained=lambda *names, **options: numbers)
    steps = T.Compose([T.Resize(size, size), T.ToTensor(), T.Normalize(mean=mean.tolist(), std=std.tolist())])
    args = SimpleNamespace(refer_data_root=export, dataset="refcoco", splitBy="unc", token_length=40)
    data = module.ReferDataset(args, image_transforms=steps, split="train")
    say = lambda text: [ord(letter) for letter in text][: data.max_tokens]
    for at in range(len(data)):
        image, target, ids, *_ = data[at]
        yield {
            "mask": np.asarray(target).astype(np.uint8),
            "said": ids.reshape(-1).tolist(),
            "say": say,
            "image": levels(image),
        }


def refsegformer(clone, export, size):
    stand_in("skimage.io", "matplotlib.pyplot", "matplotlib.collections", "matplotlib.patches")
    sys.path.insert(0, clone)
    os.makedirs("checkpoints", exist_ok=True)
    if not os.path.exists("checkpoints/bert-base-uncased"):
        os.symlink(os.path.abspath("bert-base-uncased"), "checkpoints/bert-base-uncased")
    import transformers
    import dataset.transform as T
    from dataset.ReferDataset import ReferDataset

    steps = T.Compose([T.Resize(size), T.ToTensor(), T.Normalize(mean=mean.tolist(), std=std.tolist())])
    args = SimpleNamespace(refer_data_root=export, dataset="refcoco", splitBy="unc")
    data = ReferDataset(args, image_transforms=steps, split="train", eval_mode=False)
    return refer_family(data, bert_ids(bert(transformers.BertTokenizer), 20), exists=True)
