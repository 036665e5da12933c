"""bench/pytorch_loader.py runs: no figure is asserted, only that all of them are there."""

import json
import subprocess
import sys

import pytest
from conftest import ROOT

pytest.importorskip("torch")
pytest.importorskip("cv2")


def test_the_loader_benchmark_measures_both_sides(scenes_pool, command, tmp_path):
    out = tmp_path / "result.json"
    words = ["--pool", scenes_pool, "--seconds", "0.2", "--repeats", "1", "--batch-size", "4", "--out", str(out)]
    done = subprocess.run([sys.executable, str(ROOT / "bench" / "pytorch_loader.py"), *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    result = json.loads(out.read_text())
    assert all(rate["median"] > 0 for rate in result["rates"].values())
    warm = {"warm uint8", "warm float32", "warm full-size uint8"} if "warm did not run" not in result else set()
    cold = {f"cold {resample} {dtype}" for resample in ("opencv", "fast") for dtype in ("uint8", "float32")}
    assert set(result["ratios"]) == cold | warm | {"first epoch uint8", "second epoch uint8"}
    assert set(result["rates"]) == set(result["ratios"]) | {"reference, 1 process", "reference, all cores"}
