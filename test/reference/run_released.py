"""Runs the released NeMo loader (snuviplab/NeMo, dataloader.py, not part of this project) on given images and choices.

The file's path is the first argument. What it needs and nobody has any more (pyarrow.deserialize, its databases, albumentations,
spacy) is stood in for here; NumPy's draws are answered with the choices of the job. Input and output as steps.py.
"""

import importlib.util
import json
import pickle
import sys
import types

import cv2
import numpy as np


class Resize:
    def __init__(self, height, width, **_):
        self.size = (width, height)

    def __call__(self, image, mask):
        return {
            "image": cv2.resize(image, self.size, interpolation=cv2.INTER_LINEAR),
            "mask": cv2.resize(mask, self.size, interpolation=cv2.INTER_NEAREST),
        }


class Compose:
    def __init__(self, steps, **_):
        self.steps = steps

    def __call__(self, **parts):
        for step in self.steps:
            parts = step(**parts)
        return parts


class Database:
    """An LMDB environment and its transaction over a dict of pickles."""

    def __init__(self, values):
        self.values = {key: pickle.dumps(value) for key, value in values.items()}

    def begin(self, **_):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return False

    def get(self, key):
        return self.values[key]


class Tokenizer:
    encoder = {"<|startoftext|>": 1, "<|endoftext|>": 2}

    def encode(self, text):
        return [3 for _ in text.split()]


def stub(name, **values):
    module = types.ModuleType(name)
    module.__dict__.update(values)
    sys.modules[name] = module
    return module


def load(path, refer):
    nothing = lambda *_, **__: None
    stub("lmdb", open=lambda path, **_: databases[path])
    stub("pyarrow", deserialize=pickle.loads)
    refer_module = stub("refer.refer", REFER=lambda **_: refer)
    stub("refer", refer=refer_module)
    stub("spacy", load=nothing)
    stub("albumentations", Compose=Compose, Resize=Resize, Normalize=nothing)
    stub("albumentations.pytorch", ToTensorV2=nothing)
    stub("torchvision")
    functional = stub("torchvision.transforms.functional")
    stub("torchvision.transforms", functional=functional)
    package = stub("released")
    package.__path__ = []
    stub("released.simple_tokenizer", SimpleTokenizer=Tokenizer)
    spec = importlib.util.spec_from_file_location("released.dataloader", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Refer:
    Refs = {0: {"image_id": 0}}
    imgToRefs = {}

    def getRefIds(self, **_):
        return [0]

    def getImgIds(self, _):
        return [0]


class AnyPath(dict):
    def __missing__(self, path):
        return Database({b"__len__": 1, b"__keys__": [b"0"], b"0": {}})


databases = AnyPath()
module = load(sys.argv[1], Refer())
mean = np.array([0.48145466, 0.4578275, 0.40821073])[:, None, None]
std = np.array([0.26862954, 0.26130258, 0.27577711])[:, None, None]


def record(path, mask):
    with open(path, "rb") as file:
        data = file.read()
    height, width = cv2.imread(path).shape[:2]
    truth = np.zeros((height, width), np.uint8) if mask is None else np.array(mask, np.uint8).reshape(height, width) * 255
    return {"img": data, "mask": cv2.imencode(".png", truth)[1].tobytes(), "num_sents": 1, "sents": ["a thing"], "seg_id": 0}


def run(job):
    cells, target = job["cells"], job["target"]
    others = [at for at in range(len(cells)) if at != target]
    values = {b"__len__": 1, b"__keys__": [b"0"], b"0": record(cells[target], job["mask"])}
    values.update({b"%d" % (at + 1): record(cells[at], None) for at in others})
    databases["samples"] = Database(values)
    aug = types.SimpleNamespace(
        num_bgs=4, aug_prob=1, epoch=1, retrieval_epoch=0, rand_prob=1, retr_prob=0, mix_grid=len(cells) == 9,
        t2i_only=True, fp_restrict=False, blur=job["blur"], move_crs_pnt=False, tgt_selection="fixed",
    )
    if len(cells) == 1:
        aug.num_bgs = 1
    args = types.SimpleNamespace(aug=aug, dataset="refcoco")
    loader = module.RefDataset("samples", "", "refcoco", "train", "train", job["size"], 17, args)

    def choice(options, size=None, replace=True, p=None):
        options = list(options)
        if size is not None and options == [0]:
            return np.array([0])  # the sentence
        if options == ["one", "random", "retrieval"]:
            return "random"
        if options == [4, 9]:
            return len(cells)
        if size is not None:
            return [b"%d" % (at + 1) for at in others]
        return target  # the cell

    module.np.random.choice = choice
    image, _, mask = loader[0]
    pixels = (image.numpy().astype(np.float64) * std + mean) * 255
    return np.rint(pixels).astype(np.uint8).transpose(1, 2, 0), mask.numpy().astype(np.uint8)


out = sys.stdout.buffer
sys.stdout = sys.stderr  # the released loader prints
for job in json.load(sys.stdin):
    for part in run(job):
        out.write(np.ascontiguousarray(part).tobytes())
