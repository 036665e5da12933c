"""Image-text models for `nemosaic.embed`: open_clip's, transformers', or any pair of functions.

>>> import nemosaic
>>> nemosaic.embed("pool", nemosaic.encoders.open_clip("ViT-B-32", "laion2b_s34b_b79k"), device="cuda")
>>> nemosaic.embed("pool", nemosaic.encoders.transformers("google/siglip2-base-patch16-224"))
>>> nemosaic.embed("pool", nemosaic.encoders.pair(image_vectors, text_vectors, id="ours-v3"))
"""

import hashlib
import json
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

import numpy as np

from ._errors import NemosaicError


class Encoder:
    """An image-text model. `prepare` runs in worker processes, one image at a time; the rest in the calling process.

    A class of your own needs these members alone; `about` decides what counts as the same vectors.
    """

    about: Dict[str, Any]
    """For the manifests: `model` with `id` and `hash`, and whatever else decides the numbers. JSON."""

    def to(self, device: Optional[str]) -> None:
        """Moves the model; None: to the GPU where there is one."""

    def prepare(self, image: Any) -> Any:
        """What a worker makes of a PIL image in RGB: arrays, or the image itself."""
        return image

    def encode_images(self, prepared: Sequence[Any]) -> Any:
        """[n, width] vectors of what `prepare` gave."""
        raise NotImplementedError

    def encode_texts(self, texts: Sequence[str]) -> Any:
        """[n, width] vectors of texts."""
        raise NotImplementedError


def open_clip(
    model: str,
    pretrained: Optional[str] = None,
    *,
    loaded: Optional[Tuple[Any, Any, Any]] = None,
    **options: Any,
) -> Encoder:
    """A model of open_clip by its name and the tag or file of its weights; `options` go to `create_model_and_transforms`.

    `loaded` = (model, preprocessing for inference, tokenizer) takes what you have; `model` is then its name only.
    """
    if loaded is not None:
        return _OpenClip(*loaded, model)
    library = _library("open_clip", "open_clip_torch")
    if pretrained is None and not model.startswith(("hf-hub:", "local-dir:")):
        tags = ", ".join(library.list_pretrained_tags_by_model(model)) or "none is known"
        raise NemosaicError("usage", f"expected the weights of {model!r} in `pretrained`, got none: its numbers would be random; tags: {tags}")
    net, _, preprocess = library.create_model_and_transforms(model, pretrained=pretrained, **options)
    return _OpenClip(net, preprocess, library.get_tokenizer(model), model if pretrained is None else f"{model}/{pretrained}")


def transformers(id: str, *, loaded: Optional[Tuple[Any, Any]] = None, **options: Any) -> Encoder:
    """A model of transformers with `get_image_features` and `get_text_features` (CLIP, SigLIP, SigLIP 2, …), by hub id or folder.

    `options` go to `AutoModel.from_pretrained`. `loaded` = (model, processor) takes what you have; `id` is then its name only.
    """
    if loaded is None:
        library = _library("transformers", "transformers")
        loaded = library.AutoModel.from_pretrained(id, **options), library.AutoProcessor.from_pretrained(id)
    model, processor = loaded
    for needed in ("get_image_features", "get_text_features"):
        if not hasattr(model, needed):
            raise NemosaicError("unsupported", f"expected a model with {needed}, such as CLIP or SigLIP, got {type(model).__name__} for {id!r}")
    return _Transformers(model, processor, id)


def pair(
    images: Callable[[List[Any]], Any],
    texts: Callable[[List[str]], Any],
    *,
    id: str,
    prepare: Optional[Callable[[Any], Any]] = None,
) -> Encoder:
    """Two functions: a list of images to [n, width] vectors, and a list of texts. `prepare` is what workers make of each PIL image
    in RGB before; without it `images` gets the PIL images. `id` is the identity of the vectors: give another model another one.
    """
    return _Pair(images, texts, id, prepare)


class _Torch(Encoder):
    """What models in PyTorch share."""

    model: Any

    def __init__(self) -> None:
        self._torch = _library("torch", "torch")
        self.model.eval()
        self._device = "cpu"

    def to(self, device: Optional[str]) -> None:
        self._device = device or ("cuda" if self._torch.cuda.is_available() else "cpu")
        self.model.to(self._device)

    def _run(self, function: Callable[..., Any], *args: Any, **inputs: Any) -> Any:
        """Calls `function` without gradients, with tensors on the device: floats in the model's own precision."""
        dtype = next(self.model.parameters()).dtype

        def place(value: Any) -> Any:
            tensor = self._torch.as_tensor(value)
            return tensor.to(self._device, dtype) if tensor.is_floating_point() else tensor.to(self._device)

        with self._torch.inference_mode():
            output = function(*(place(value) for value in args), **{name: place(value) for name, value in inputs.items()})
        output = getattr(output, "pooler_output", output)  # transformers 5 answers with an object
        return output.float().cpu().numpy()

    def _model_facts(self, id: str) -> Dict[str, Any]:
        weights = self.model.state_dict()
        content = hashlib.sha256()
        for name in sorted(weights):
            value = weights[name].detach().cpu().contiguous()
            content.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
            content.update(value.reshape(-1).view(self._torch.uint8).numpy() if value.numel() else b"")
        return {"id": id, "hash": content.hexdigest(), "dtype": str(next(self.model.parameters()).dtype).replace("torch.", "")}


class _OpenClip(_Torch):
    def __init__(self, model: Any, preprocess: Any, tokenizer: Any, id: str) -> None:
        self.model, self._preprocess, self._tokenizer = model, preprocess, tokenizer
        super().__init__()
        tokens = {"kind": type(tokenizer).__name__, "length": getattr(tokenizer, "context_length", None)}
        self.about = {"model": self._model_facts(id), "program": "open_clip", "preprocessing": _told(preprocess), "tokens": tokens}

    def prepare(self, image: Any) -> Any:
        return self._preprocess(image).numpy()

    def encode_images(self, prepared: Sequence[Any]) -> Any:
        return self._run(self.model.encode_image, np.stack(prepared))

    def encode_texts(self, texts: Sequence[str]) -> Any:
        return self._run(self.model.encode_text, self._tokenizer(list(texts)))


class _Transformers(_Torch):
    def __init__(self, model: Any, processor: Any, id: str) -> None:
        self.model = model
        super().__init__()
        self._images = getattr(processor, "image_processor", processor)
        self._tokenizer = processor.tokenizer
        config = getattr(model.config, "text_config", model.config)
        known = [getattr(config, "max_position_embeddings", None), self._tokenizer.model_max_length]
        lengths = [length for length in known if isinstance(length, int) and 1 < length < 1_000_000]
        if not lengths:
            raise NemosaicError("unsupported", f"expected the length of texts in the tokenizer or the configuration of {id!r}, found none")
        self._length = min(lengths)
        # SigLIP was trained with full padding, which it does not mask.
        self._padding = "max_length" if str(model.config.model_type).startswith("siglip") else "longest"
        states_lower = bool(getattr(self._tokenizer, "init_kwargs", {}).get("do_lower_case"))
        self._lower = states_lower and self._tokenizer("A")["input_ids"] != self._tokenizer("a")["input_ids"]
        tokens = {"kind": type(self._tokenizer).__name__, "length": self._length, "padding": self._padding, "lower": self._lower}
        preprocessing = json.loads(json.dumps(self._images.to_dict(), default=str, sort_keys=True))
        self.about = {"model": self._model_facts(id), "program": "transformers", "preprocessing": preprocessing, "tokens": tokens}

    def prepare(self, image: Any) -> Any:
        batch = self._images(images=[image], return_tensors="pt")
        return {name: value[0].numpy() for name, value in batch.items()}

    def encode_images(self, prepared: Sequence[Any]) -> Any:
        return self._run(self.model.get_image_features, **{name: np.stack([each[name] for each in prepared]) for name in prepared[0]})

    def encode_texts(self, texts: Sequence[str]) -> Any:
        cased = [text.lower() if self._lower else text for text in texts]
        tokens = self._tokenizer(cased, padding=self._padding, truncation=True, max_length=self._length, return_tensors="pt")
        masked = {name: value for name, value in tokens.items() if self._padding == "longest" or name != "attention_mask"}
        return self._run(self.model.get_text_features, **masked)


class _Pair(Encoder):
    def __init__(
        self, images: Callable[[List[Any]], Any], texts: Callable[[List[str]], Any], id: str, prepare: Optional[Callable[[Any], Any]]
    ) -> None:
        if not id:
            raise NemosaicError("usage", "expected an id for the pair of functions: vectors of one id are taken for the same model's")
        self._encode_images, self._encode_texts, self._prepare = images, texts, prepare
        self.about = {"model": {"id": id, "hash": hashlib.sha256(id.encode()).hexdigest()}, "program": "functions"}

    def prepare(self, image: Any) -> Any:
        return image if self._prepare is None else self._prepare(image)

    def encode_images(self, prepared: Sequence[Any]) -> Any:
        return self._encode_images(list(prepared))

    def encode_texts(self, texts: Sequence[str]) -> Any:
        return self._encode_texts(list(texts))


def _library(name: str, package: str) -> Any:
    try:
        return __import__(name)
    except ImportError as error:
        raise NemosaicError("not-found", f"{name} is not installed here: pip install {package} ({error})") from error


def _told(value: Any) -> str:
    """A transform's text without addresses of objects, which differ from run to run."""
    words = str(value).split()
    return " ".join(word.split(" at 0x")[0] for word in words if not word.startswith("0x"))
