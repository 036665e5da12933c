"""Runs torch_vectors.py where PyTorch 2, open_clip and transformers are: this interpreter, or that of NEMOSAIC_TORCH_PYTHON."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
NEEDED = "import torch, torchvision, transformers, open_clip, onnx, sentencepiece; assert int(torch.__version__.split('.')[0]) >= 2"


def test_models_in_pytorch_and_as_onnx_give_the_same_vectors(command):
    python = os.environ.get("NEMOSAIC_TORCH_PYTHON", sys.executable)
    found = subprocess.run([python, "-c", NEEDED], capture_output=True, text=True)
    if found.returncode != 0:
        pytest.skip(
            "did not run: PyTorch 2, torchvision, open_clip_torch, transformers, onnx and sentencepiece are 3 GB, so that nothing installs "
            "them by itself; name a Python that has them with NEMOSAIC_TORCH_PYTHON"
        )
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent)}
    words = [python, "-m", "pytest", "--noconftest", "-q", "-p", "no:cacheprovider", "--rootdir", str(HERE), str(HERE / "torch_vectors.py")]
    done = subprocess.run(words, capture_output=True, text=True, cwd=HERE, env=environment)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert "5 passed" in done.stdout
