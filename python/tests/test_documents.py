"""The Python in docs/ and READMEs: it parses, its arguments exist, and the recipe for ReLA runs."""

import ast
import inspect
import re
import sys
import types

import pytest
from conftest import ROOT

import nemosaic

PAGES = [
    *(page for page in sorted((ROOT / "docs" / "recipes").glob("*.md")) if page.name != "compare.md"),  # shows no Python
    ROOT / "docs" / "pytorch.md",
    ROOT / "python" / "README.md",
]
# Trainers that are fed by an export alone: their pages show Python of the trainer.
EXPORTED = {"lisa.md"}


def blocks(page):
    """Python blocks; those indented as class members get a class."""
    for block in re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.S):
        first = next(line for line in block.splitlines() if line.strip())
        indent = len(first) - len(first.lstrip())
        if indent:
            block = "".join(line[indent:] if line.strip() else line for line in block.splitlines(True))
        yield block


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_snippets_parse_and_call_what_exists(page):
    calls = 0
    found = list(blocks(page))
    assert found
    for block in found:
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and node.module == "nemosaic":
                assert {alias.name for alias in node.names} <= set(nemosaic.__all__)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in nemosaic.__all__:
                known = inspect.signature(getattr(nemosaic, node.func.id)).parameters
                assert {word.arg for word in node.keywords} <= set(known), block
                calls += 1
    assert calls or page.name in EXPORTED, f"{page.name} shows no call of the package"


def test_the_recipe_for_rela_gives_what_its_model_reads(pool, monkeypatch):
    torch = pytest.importorskip("torch")
    (code,) = [block for block in blocks(ROOT / "docs" / "recipes" / "rela.md") if "class NeMoBatches" in block]

    class Instances:
        def __init__(self, size):
            self.image_size = size

    comm = types.SimpleNamespace(get_rank=lambda: 0, get_world_size=lambda: 1, get_local_rank=lambda: 0)
    for name, members in {"detectron2": {}, "detectron2.structures": {"Instances": Instances}, "detectron2.utils": {"comm": comm}}.items():
        module = types.ModuleType(name)
        module.__dict__.update(members)
        monkeypatch.setitem(sys.modules, name, module)
    names = {}
    exec(code, names)
    space = types.SimpleNamespace
    cfg = space(SEED=-1, SOLVER=space(IMS_PER_BATCH=4), INPUT=space(IMAGE_SIZE=64), REFERRING=space(MAX_TOKENS=20))
    settings = {"preset": "random", "unit": "expression", "tokens": {"kind": "bert", "length": 20}}
    batches = names["NeMoBatches"](cfg, pool, settings)
    steps = iter(batches)
    items = [item for _ in range(len(batches.loader) + 2) for item in next(steps)]  # past the end of an epoch
    for item in items:
        assert item["image"].shape == (3, 64, 64) and item["image"].dtype == torch.uint8
        assert item["lang_tokens"].shape == item["lang_mask"].shape == (1, 20) and item["lang_tokens"][0, 0] == 101
        assert item["gt_mask_merged"].shape == (1, 64, 64) and item["empty"] is (not bool(item["gt_mask_merged"].any()))
        assert item["instances"].gt_classes.dtype == torch.int64 and item["instances"].gt_masks.any() != item["empty"]
    batches.loader.close()
