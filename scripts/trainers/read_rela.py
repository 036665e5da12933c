"""ReLA, with the transforms of detectron2, of which a clone lies beside."""

import os
import sys

from trainer_text import bert, bert_ids
from stand_ins import packages, stand_in


def rela(clone, export, size, dataset="refcoco"):
    sys.path.insert(0, os.path.join(os.path.dirname(clone), "detectron2"))
    packages(clone, "gres_model", "gres_model.data", "gres_model.data.datasets", "gres_model.data.dataset_mappers")
    stand_in("skimage.io", "matplotlib.pyplot", "matplotlib.collections", "matplotlib.patches")
    import transformers
    from detectron2.data import transforms as D

    images = os.path.join(export, "images/train2014")
    tools = dict(tfm_gens=[D.Resize((size, size))], image_format="RGB", bert_type="bert-base-uncased", max_tokens=20)
    if dataset == "grefcoco":
        from gres_model.data.datasets.grefcoco import load_grefcoco_json as load
    else:
        from gres_model.data.datasets.refcoco import load_refcoco_json as load
    from gres_model.data.dataset_mappers.refcoco_mapper import RefCOCOMapper as Mapper

    mapper = Mapper(is_train=True, **tools)
    say = bert_ids(bert(transformers.BertTokenizer), 20)
    for record in load(export, dataset, "unc", "train", images):
        sample = mapper(record)
        yield {
            "mask": sample["gt_mask_merged"][0].numpy(),
            "said": sample["lang_tokens"][0].tolist(),
            "say": lambda text, raw=record["sentence"]["raw"]: say(raw if raw.lower() == text.lower() else text),
            "image": sample["image"].numpy().transpose(1, 2, 0),
        }


def rela_gres(clone, export, size):
    return rela(clone, export, size, "grefcoco")
