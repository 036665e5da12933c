"""The wheel: built, installed by pip and used from there."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile

import pytest
from conftest import ROOT

import nemosaic


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    pytest.importorskip("setuptools", reason="did not run: building the wheel needs setuptools")
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    shutil.copytree(ROOT / "python", source, ignore=shutil.ignore_patterns("tests", "build", "*.egg-info", "__pycache__", ".*"))
    # Without isolation nothing has to come from a network.
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--quiet", "-w", str(folder), str(source)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_is_pure_typed_and_whole(wheel):
    assert wheel.name == f"nemosaic_client-{nemosaic.__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (metadata,) = [archive.read(name).decode() for name in names if name.endswith("/METADATA")]
    modules = {f"nemosaic/{name}" for name in os.listdir(ROOT / "python" / "nemosaic") if name.endswith((".py", ".typed"))}
    assert modules <= names and "nemosaic/py.typed" in names
    assert "Requires-Python: >=3.9" in metadata
    assert re.findall(r"^Requires-Dist: (.*)$", metadata, re.M)[0].startswith("numpy")


def test_pip_installs_it_and_it_trains_from_there(wheel, pool, command, tmp_path):
    target = tmp_path / "site"
    install = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--quiet", "--target", str(target), str(wheel)]
    done = subprocess.run(install, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    script = """
import sys, nemosaic
assert nemosaic.__file__.startswith(sys.argv[2]), nemosaic.__file__
with nemosaic.Loader(sys.argv[1], batch_size=4, size=48, preset="random", framework="numpy") as loader:
    print(next(iter(loader)).image.shape)
"""
    env = {**os.environ, "PYTHONPATH": str(target), "NEMOSAIC_COMMAND": " ".join(command)}
    done = subprocess.run([sys.executable, "-c", script, pool, str(target)], capture_output=True, text=True, env=env, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "(4, 3, 48, 48)"


def test_versions_agree():
    package = json.loads((ROOT / "package.json").read_text())
    project = (ROOT / "python" / "pyproject.toml").read_text()
    assert re.search(r'^version = "(.*)"$', project, re.M).group(1) == package["version"] == nemosaic.__version__


def test_the_sources_parse_as_python_3_9():
    for path in (ROOT / "python" / "nemosaic").glob("*.py"):
        ast.parse(path.read_text(), feature_version=(3, 9))
