"""What the training and test loops of published models expect of a dataset, item by item.

Sources: the datasets and loops of NeMo and CRIS (utils/dataset.py, engine/engine.py), LAVT (data/dataset_refer_bert.py,
test.py), CGFormer (utils/dataset.py) and VPD (refer/data/dataset_refer_clip.py), by reading; docs/recipes has the lines.
"""

import hashlib
import os
import re
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Optional, Sequence, Union

import numpy as np
from numpy.typing import NDArray

from ._predictions import write_mask

Constants = Dict[str, Sequence[float]]


@dataclass(frozen=True)
class Sample:
    """One image with the sentences asked for: one, or all of a ref."""

    image: Any
    """float32 [3, S, S]."""
    mask: Any
    """float32 [S, S], 0.0 and 1.0."""
    tokens: Any
    """int64 [n, L], one row a sentence."""
    texts: List[str]
    key: str
    """Of the first sentence: source/ref/sentence."""
    truth: Optional[NDArray[Any]]
    """uint8 [H, W] at the image's own size; None in training."""
    mask_dir: Optional[str]


@dataclass(frozen=True)
class Layout:
    """A published model's items, and what it feeds its towers with."""

    about: str
    tokens: str
    token_length: Optional[int]
    """None = the settings'."""
    normalise: Union[str, Constants]
    train: Callable[[Sample], Any]
    val: Callable[[Sample], Any]
    test: Callable[[Sample], Any]


def _cris_train(sample: Sample) -> Any:
    return sample.image, sample.tokens[0], sample.mask


def _cris_params(sample: Sample) -> Dict[str, Any]:
    assert sample.truth is not None
    height, width = sample.truth.shape
    across, down = width / sample.image.shape[-1], height / sample.image.shape[-2]
    params: Dict[str, Any] = {
        # From the stretched sample back to the image, centres of pixels on centres: for cv2.warpAffine.
        "inverse": np.array([[across, 0.0, 0.5 * across - 0.5], [0.0, down, 0.5 * down - 0.5]]),
        "ori_size": np.array([height, width]),
    }
    if sample.mask_dir is None:
        params["mask"] = sample.truth * np.uint8(255)
    else:
        params["mask_dir"] = truth_file(sample.mask_dir, sample.key, sample.truth)
    return params


def _cris_val(sample: Sample) -> Any:
    return sample.image, sample.tokens[0], _cris_params(sample)


def _cris_test(sample: Sample) -> Any:
    return sample.image, {**_cris_params(sample), "seg_id": sample.key.rsplit("/", 1)[0], "sents": sample.texts}


def _lavt_one(sample: Sample) -> Any:
    tokens = sample.tokens[:1]
    return sample.image, _whole(sample.mask), tokens, _used(tokens)


def _lavt_all(sample: Sample) -> Any:
    tokens = sample.tokens
    return sample.image, _whole(sample.mask), _last(tokens), _last(_used(tokens))


def _vpd_one(sample: Sample) -> Any:
    tokens = sample.tokens[:1]
    return sample.image, _whole(sample.mask), _end_padded(tokens), _used_clip(tokens)


def _vpd_all(sample: Sample) -> Any:
    tokens = sample.tokens
    return sample.image, _whole(sample.mask), _last(_end_padded(tokens)), _last(_used_clip(tokens))


def _cgformer_one(sample: Sample) -> Any:
    tokens = sample.tokens[:1]
    return sample.image, tokens, _whole(sample.mask), _used(tokens)


def _cgformer_test(sample: Sample) -> Any:
    assert sample.truth is not None
    tokens = [sample.tokens[row : row + 1] for row in range(len(sample.texts))]
    # The loop takes nothing but the shape of the original image.
    shape_only = np.zeros((*sample.truth.shape, 3), dtype=np.uint8)
    truth = sample.truth.astype(np.int64)
    seg_id = sample.key.rsplit("/", 1)[0]
    return shape_only, sample.image, tokens, truth, [_used(row) for row in tokens], seg_id, sample.texts


LAYOUTS: Dict[str, Layout] = {
    "cris": Layout("CRIS and NeMo's own RefDataset", "clip", None, "clip", _cris_train, _cris_val, _cris_test),
    "lavt": Layout("LAVT", "bert", 20, "imagenet", _lavt_one, _lavt_one, _lavt_all),
    "cgformer": Layout("CGFormer", "bert", 20, "imagenet", _cgformer_one, _cgformer_one, _cgformer_test),
    "vpd": Layout("VPD", "clip", 77, {"mean": [0.5] * 3, "std": [0.5] * 3}, _vpd_one, _vpd_one, _vpd_all),
}

_CLIP_END = 49407


def _is_numpy(value: Any) -> bool:
    return isinstance(value, np.ndarray)


def _whole(value: Any) -> Any:
    return value.astype(np.int64) if _is_numpy(value) else value.long()


def _used(tokens: Any) -> Any:
    """1 for tokens, 0 for padding, which is 0 for BERT."""
    return _whole(tokens != 0)


def _used_clip(tokens: Any) -> Any:
    """As `_used` for CLIP, where 0 is also a token ("!"): all up to the first end."""
    ends = _whole(tokens == _CLIP_END)
    before = ends.cumsum(-1) - ends
    return _whole(before == 0)


def _end_padded(tokens: Any) -> Any:
    """CLIP's tokens as transformers' CLIPTokenizer pads them: with the end token instead of 0."""
    used = _used_clip(tokens)
    return tokens * used + (1 - used) * _CLIP_END


def _last(rows: Any) -> Any:
    """[n, L] as [1, L, n]."""
    return np.ascontiguousarray(rows.T)[None] if _is_numpy(rows) else rows.t().contiguous()[None]


def truth_file(folder: str, key: str, truth: NDArray[Any]) -> str:
    """The truth of a ref as a PNG of 0 and 255; its path. Written once: the name tells it from any other ref's or pool's."""
    ref = key.rsplit("/", 1)[0]
    content = hashlib.blake2b(f"{ref} {truth.shape}".encode("utf-8", "surrogatepass"), digest_size=8)
    content.update(truth.tobytes())
    name = re.sub(r"[^\w.+-]", "_", ref)[:100]
    path = os.path.join(folder, f"{name}-{content.hexdigest()}.png")
    if not os.path.exists(path):
        write_mask(path, truth)
    return path
