"""The same random weights in PyTorch through `nemosaic.embed` and, exported to ONNX, through `nemosaic embed`: the same vectors.

Real open_clip and transformers, in the real architectures' shapes (two layers a tower; all of them with NEMOSAIC_WHOLE_MODELS=1).
Run by test_embed_torch.py, or: python -m pytest --noconftest torch_vectors.py, where PyTorch 2, open_clip and transformers are.
"""

import gzip
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import nemosaic
from nemosaic._command import find_command

os.environ["HF_HUB_OFFLINE"] = "1"
open_clip = pytest.importorskip("open_clip", reason="did not run: open_clip is not installed")
transformers = pytest.importorskip("transformers", reason="did not run: transformers is not installed")
pytest.importorskip("onnx", reason="did not run: onnx is not installed")

ROOT = Path(__file__).resolve().parents[2]
LAYERS = None if os.environ.get("NEMOSAIC_WHOLE_MODELS") == "1" else 2
SENTENCES = [
    "the red cup", "The Red Cup, left!", "man's hat", "woman with a blue_bag", "zebra on   the right", "A dog.", "café table",
    "left guy in the white t-shirt who is holding a very long surfboard while he looks at the sea and the people on the beach",
]  # fmt: skip


@pytest.fixture(scope="module")
def pool(tmp_path_factory):
    """Eight pictures of odd sizes, as JPEG and PNG, with a sentence each."""
    from PIL import Image

    folder = tmp_path_factory.mktemp("pictures")
    random = np.random.RandomState(3)
    with open(folder / "data.jsonl", "w", encoding="utf-8") as file:
        for number, sentence in enumerate(SENTENCES):
            width, height = int(random.randint(150, 500)), int(random.randint(150, 400))
            small = random.randint(0, 256, (int(random.randint(3, 12)), int(random.randint(3, 12)), 3)).astype(np.uint8)
            name = f"{number}.{'png' if number % 2 else 'jpg'}"
            Image.fromarray(small).resize((width, height), Image.BICUBIC).save(folder / name, quality=92)
            polygon = [[5, 5, 60, 5, 60, 60, 5, 60]]
            line = {"image": name, "ref_id": f"r{number}", "split": "train", "expressions": [sentence], "segmentation": polygon}
            file.write(json.dumps(line) + "\n")
    made = str(folder / "pool")
    nemosaic.run("import", "jsonl", folder / "data.jsonl", "--images", folder, "--pool", made, "--quiet")
    return made


def spread(model):
    """Random weights whose vectors differ from image to image and text to text as a trained model's do."""
    torch.manual_seed(7)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dim() >= 2:
                weight.normal_(0, 1.6 / weight[0].numel() ** 0.5)
            elif "bias" in name:
                weight.normal_(0, 0.1)
    return model.eval()


def compare(pool, name):
    """Least cosine of a pair, and how near the vectors of different images and texts are."""
    least, others = {}, []
    for matrix in ("images", "expressions"):
        ours, theirs = (np.load(f"{pool}/embeddings/{name}-{way}/{matrix}.npy").astype(np.float64) for way in ("onnx", "torch"))
        cosines = ours @ theirs.T
        least[matrix] = cosines.diagonal().min()
        worst = int(cosines.diagonal().argmin())
        others.append(np.median(cosines[~np.eye(len(cosines), dtype=bool)]))
        print(f"{name}, {matrix}: least cosine of a pair {least[matrix]:.7f} (row {worst}), median of other pairs {others[-1]:.3f}")
    assert max(others) < 0.99, "vectors are alike whatever the input: the comparison would show nothing"
    assert min(least.values()) >= 0.9999


def clip_tokenizer():
    """CLIP's own vocabulary, from the file that the package ships."""
    merges = gzip.open(ROOT / "assets/clip-merges.txt.gz", "rt", encoding="utf-8").read().rstrip("\n").split("\n")
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    symbols = [chr(byte) for byte in printable] + [chr(256 + at) for at in range(256 - len(printable))]
    words = [*symbols, *(f"{symbol}</w>" for symbol in symbols), *(merge.replace(" ", "") for merge in merges)]
    vocabulary = {word: at for at, word in enumerate([*words, "<|startoftext|>", "<|endoftext|>"])}
    pairs = [tuple(merge.split(" ")) for merge in merges]
    return transformers.CLIPTokenizer(vocab=vocabulary, merges=pairs, model_max_length=77)


def siglip_tokenizer(folder):
    """A small sentencepiece model, and the tokenizer.json of it that SigLIP's repositories hold beside."""
    import sentencepiece
    from transformers.convert_slow_tokenizer import SpmConverter
    from tokenizers import processors

    text = folder / "text.txt"
    text.write_text("\n".join(sentence.lower() for sentence in SENTENCES * 3), encoding="utf-8")
    sentencepiece.SentencePieceTrainer.train(
        input=str(text), model_prefix=str(folder / "spiece"), vocab_size=120, pad_id=-1, bos_id=-1, eos_id=1, unk_id=2,
        control_symbols=["<pad>"], add_dummy_prefix=False, hard_vocab_limit=False, character_coverage=1.0, minloglevel=2,
    )  # fmt: skip
    slow = transformers.SiglipTokenizer(str(folder / "spiece.model"))

    class Converter(SpmConverter):
        def post_processor(self):
            return processors.TemplateProcessing(single=["$A", "</s>"], special_tokens=[("</s>", self.original_tokenizer.eos_token_id)])

    return slow, Converter(slow).converted()


def transformers_model(kind, folder):
    source = folder / "source"
    layers = {} if LAYERS is None else {"num_hidden_layers": LAYERS}
    if kind == "clip":
        # The configuration's defaults are those of ViT-B/32.
        model = transformers.CLIPModel(transformers.CLIPConfig(text_config={**layers, "eos_token_id": 49407}, vision_config=layers))
        processor = transformers.CLIPProcessor(image_processor=transformers.CLIPImageProcessor(), tokenizer=clip_tokenizer())
        extra = None
    else:
        # … and here those of base-patch16-224.
        model = transformers.SiglipModel(transformers.SiglipConfig(text_config={**layers, "bos_token_id": 0, "eos_token_id": 1}, vision_config=layers))
        slow, extra = siglip_tokenizer(folder)
        processor = transformers.SiglipProcessor(image_processor=transformers.SiglipImageProcessor(), tokenizer=slow)
    spread(model).save_pretrained(source)
    processor.save_pretrained(source)
    return str(source), extra


@pytest.mark.parametrize("kind", ["clip", "siglip"])
def test_a_transformers_model_and_its_export_by_the_documented_lines_agree(pool, tmp_path, kind):
    source, tokenizer = transformers_model(kind, tmp_path)
    target = str(tmp_path / "target")
    page = (ROOT / "docs/relevance.md").read_text(encoding="utf-8")
    (lines,) = re.findall(r"```python\n(import os, torch, transformers.*?)```", page, re.DOTALL)
    exec(lines, {"source": source, "target": target})
    if tokenizer is not None:
        tokenizer.save(f"{target}/tokenizer.json")
    nemosaic.embed(pool, nemosaic.encoders.transformers(source), name=f"{kind}-torch", batch_size=3, workers=1, device="cpu", quiet=True)
    nemosaic.run("embed", pool, "--model", target, "--name", f"{kind}-onnx", "--quiet")
    compare(pool, kind)


def test_an_open_clip_model_and_its_export_with_a_folder_a_tower_agree(pool, tmp_path):
    config = json.loads((Path(open_clip.__file__).parent / "model_configs/ViT-B-32.json").read_text())
    if LAYERS is not None:
        config["vision_cfg"]["layers"] = config["text_cfg"]["layers"] = LAYERS
    model = spread(open_clip.CLIP(**config))
    preprocessing = open_clip.transform.PreprocessCfg(size=224)
    prepare = open_clip.transform.image_transform_v2(preprocessing, is_train=False)
    loaded = (model, prepare, open_clip.SimpleTokenizer())
    for tower, port, call, sample in [
        ("visual", "image", model.encode_image, torch.zeros(2, 3, 224, 224)),
        ("textual", "text", model.encode_text, open_clip.SimpleTokenizer()(["a", "b"]).int()),
    ]:
        (tmp_path / tower).mkdir()
        model.forward = lambda x: call(x)  # noqa: B023
        place = str(tmp_path / tower / "model.onnx")
        torch.onnx.export(model, (sample,), place, input_names=[port], output_names=[f"{port}_embedding"], dynamic_axes={port: {0: "n"}}, dynamo=False)
    (tmp_path / "config.json").write_text(json.dumps(config))
    facts = {"size": [224, 224], "mean": preprocessing.mean, "std": preprocessing.std, "interpolation": "bicubic", "resize_mode": "shortest"}
    (tmp_path / "visual/preprocess_cfg.json").write_text(json.dumps(facts))
    clip_tokenizer().save_pretrained(tmp_path / "textual")
    encoder = nemosaic.encoders.open_clip("ViT-B-32", loaded=loaded)
    nemosaic.embed(pool, encoder, name="open-clip-torch", batch_size=3, workers=1, device="cpu", quiet=True)
    again = nemosaic.encoders.open_clip("ViT-B-32", loaded=loaded)
    assert again.about == encoder.about
    nemosaic.run("embed", pool, "--model", tmp_path, "--name", "open-clip-onnx", "--quiet")
    compare(pool, "open-clip")


def test_siglip_2_with_patches_of_any_shape_gives_what_the_library_gives_for_each_picture_alone(pool, tmp_path):
    from PIL import Image

    layers = {} if LAYERS is None else {"num_hidden_layers": LAYERS}
    text = {**layers, "bos_token_id": 0, "eos_token_id": 1}
    model = spread(transformers.Siglip2Model(transformers.Siglip2Config(text_config=text, vision_config=layers)))
    images, (tokenizer, _) = transformers.Siglip2ImageProcessor(), siglip_tokenizer(tmp_path)
    loaded = (model, SimpleNamespace(image_processor=images, tokenizer=tokenizer))
    encoder = nemosaic.encoders.transformers("siglip2", loaded=loaded)
    nemosaic.embed(pool, encoder, name="siglip2", batch_size=3, workers=1, device="cpu", quiet=True)
    made = [np.load(f"{pool}/embeddings/siglip2/{matrix}.npy") for matrix in ("images", "expressions")]
    listed = subprocess.run([*find_command(), "keys", pool], check=True, capture_output=True, text=True).stdout
    lines = [json.loads(line) for line in listed.splitlines()]
    files, texts = [line["file"] for line in lines if "file" in line], [line["text"] for line in lines if "text" in line]
    for row in range(len(SENTENCES)):
        with torch.inference_mode():
            inputs = images(images=[Image.open(files[row]).convert("RGB")], return_tensors="pt")
            ids = tokenizer([texts[row]], padding="max_length", max_length=64, truncation=True, return_tensors="pt")["input_ids"]
            own = [model.get_image_features(**inputs), model.get_text_features(input_ids=ids)]
        for matrix, vector in zip(made, own):
            vector = getattr(vector, "pooler_output", vector)[0].numpy()
            cosines = matrix @ vector / np.linalg.norm(vector)
            assert cosines[row] >= 0.9999 and np.median(np.delete(cosines, row)) < 0.99


def test_open_clip_without_weights_and_a_model_without_features_are_refused(tmp_path):
    with pytest.raises(nemosaic.NemosaicError, match="its numbers would be random; tags: openai"):
        nemosaic.encoders.open_clip("ViT-B-32")
    bert = transformers.BertModel(transformers.BertConfig(num_hidden_layers=1, hidden_size=12, num_attention_heads=2, intermediate_size=8))
    with pytest.raises(nemosaic.NemosaicError, match="expected a model with get_image_features"):
        nemosaic.encoders.transformers("bert", loaded=(bert, None))
