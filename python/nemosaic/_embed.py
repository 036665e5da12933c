"""Vectors of a pool by a model in Python: `embed`.

What is being made lies in embeddings/<name>/.partial-python/ until the nemosaic command takes it in (`import-vectors`):

    about.json                     what decides the numbers; work of another content starts over
    images.npy, expressions.npy    rows as far as they are made, in the order of the keys beside them; a row that a kill cut short is
                                   made again
    skipped.jsonl                  images that could not be decoded: {"row" of images.npy, "name", "reason"}
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
from collections import deque
from contextlib import closing, contextmanager
from typing import Any, BinaryIO, Callable, Deque, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np

from ._command import Command, find_command
from ._decode import Source, decoded
from ._errors import NemosaicError
from ._pool import read_pool_hash
from ._progress import Progress
from ._run import EXIT_CODES
from ._server import refusal
from .encoders import Encoder, pair
_npy: Any = np.lib.format  # its functions have no types


class EmbedReport(NamedTuple):
    """What `embed` did."""

    name: str
    """The folder under embeddings/."""
    images: int
    expressions: int
    reused: bool
    """True if everything was finished already."""
    skipped: Sequence[str]
    """Names of images that could not be decoded."""


def embed(
    pool: Union[str, "os.PathLike[str]"],
    encoder: Union[Encoder, Tuple[Callable[[List[Any]], Any], Callable[[List[str]], Any]]],
    *,
    name: Optional[str] = None,
    batch_size: int = 64,
    device: Optional[str] = None,
    workers: Optional[int] = None,
    on_bad: str = "fail",
    crops: Optional[str] = None,
    force: bool = False,
    quiet: bool = False,
    command: Optional[Command] = None,
) -> EmbedReport:
    """Embeds a pool's images and expressions with a model in Python, as `nemosaic embed` does with an ONNX model.

    encoder: one of `nemosaic.encoders`, or two functions (images to vectors, texts to vectors) whose identity is `name`.
    workers: processes that decode and prepare images (default: the cores, at most 8; 0: this process). on_bad: an image that
    cannot be decoded ends the run ("fail"), or is left out of the candidates ("skip"). crops: "objects", "objects:8",
    "grid:2" or "objects,grid:2" also embeds these parts of each image, and the best of its vectors counts, as with
    `nemosaic embed --crops`. force: replace vectors of another model or pool.

    A killed run continues where it stopped. Finished vectors of the same model and pool are kept. Raises NemosaicError.
    """
    if isinstance(encoder, tuple):
        if name is None:
            raise NemosaicError("usage", "expected name= with two functions: it is the identity of their vectors")
        encoder = pair(*encoder, id=name)
    if not isinstance(batch_size, int) or batch_size < 1:
        raise NemosaicError("usage", f"expected batch_size as a whole number of at least 1, got {batch_size!r}")
    if on_bad not in ("fail", "skip"):
        raise NemosaicError("usage", f'expected on_bad as "fail" or "skip", got {on_bad!r}')
    kinds = "" if crops is None else re.sub(r"[^a-z0-9]+", "-", f"-{crops}".replace(":", ""))
    folder_name = _folder_name(str(encoder.about["model"]["id"])) + kinds if name is None else name
    if not re.fullmatch(r"[\w-][\w.-]*", folder_name, re.ASCII) or folder_name == "lexical":
        raise NemosaicError("usage", f'expected a name of letters, digits, ".", "_" and "-" (not "lexical"), got {folder_name!r}')
    read_pool_hash(pool)
    words = find_command(command)
    place = os.path.join(os.fspath(pool), "embeddings", folder_name)
    images, expressions = _listed(words, pool, crops)
    about = {**encoder.about, "batch": batch_size}
    if crops is not None:
        about["crops"] = {"of": crops, "boxes": _hash([line["crops"] for line in images])}
    inputs = {"images": _hash([line["image"] for line in images]), "expressions": _hash([line["text"] for line in expressions])}
    known = [_manifest(place, matrix) for matrix in inputs]
    if not force and all(_is_of(manifest, about, value) for manifest, value in zip(known, inputs.values())):
        return EmbedReport(folder_name, len(images), len(expressions), True, [each["name"] for each in (known[0] or {}).get("skipped", [])])
    if not force and any(manifest is not None for manifest in known):
        raise NemosaicError("exists", f'"{place}" holds vectors of another model, batch size or pool: use force=True to replace them')

    work = os.path.join(place, ".partial-python")
    with _locked(work):
        _begin(work, {"about": about, "inputs": inputs, "on_bad": on_bad})
        encoder.to(device)
        skipped = _make_images(work, encoder, images, batch_size, workers, on_bad, quiet)
        _make_texts(work, encoder, [line["text"] for line in expressions], batch_size, quiet)
        _write(os.path.join(work, "images.txt"), "".join(f'{line["image"]}\n' * len(line.get("crops", [None])) for line in images))
        _write(os.path.join(work, "expressions.txt"), "".join(f'{line["expression"]}\n' for line in expressions))
        _write(os.path.join(work, "model.json"), json.dumps(about))
        given = [word for matrix, keys in (("images", "image-keys"), ("expressions", "expression-keys")) for word in (
            f"--{matrix}", os.path.join(work, f"{matrix}.npy"), f"--{keys}", os.path.join(work, f"{matrix}.txt")
        )]
        given += ["--about", os.path.join(work, "model.json"), "--name", folder_name, "--on-bad", on_bad, "--quiet"]
        given += [] if crops is None else ["--many"]
        _ask(words, ["import-vectors", os.fspath(pool), *given, *(["--force"] if force else [])])
        shutil.rmtree(work)
    return EmbedReport(folder_name, len(images), len(expressions), False, skipped)


def _listed(words: List[str], pool: Union[str, "os.PathLike[str]"], crops: Optional[str] = None) -> Tuple[List[Dict[str, Any]], List[Dict[str, Any]]]:
    """Images, with the boxes of their crops, and expressions of a pool, in its order."""
    more = [] if crops is None else ["--crops", crops]
    lines = [json.loads(line) for line in _ask(words, ["keys", os.fspath(pool), *more]).splitlines()]
    return [line for line in lines if "file" in line], [line for line in lines if "expression" in line]


def _ask(words: List[str], more: List[str]) -> str:
    """What the command prints. Raises NemosaicError with its line where it fails."""
    try:
        process = subprocess.run([*words, *more], stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", errors="replace")
    except OSError as error:
        raise NemosaicError("not-found", f"cannot start {words[0]!r}: {error.strerror or error}") from error
    if process.returncode == 0:
        return process.stdout
    code = EXIT_CODES.get(process.returncode, "internal" if process.returncode == 70 else "io")
    raise NemosaicError(code, refusal(process.stderr) or f"nemosaic {more[0]} ended with status {process.returncode}")


def _hash(values: List[Any]) -> str:
    """As the command hashes a list of texts or boxes: SHA-256 of its JSON without white space."""
    return hashlib.sha256(json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def _manifest(place: str, matrix: str) -> Optional[Dict[str, Any]]:
    """A finished matrix's manifest; {} where it is damaged, which force replaces."""
    try:
        with open(os.path.join(place, f"{matrix}.json"), encoding="utf-8") as file:
            manifest = json.load(file)
    except FileNotFoundError:
        return None
    except ValueError:
        return {}
    return manifest if isinstance(manifest, dict) else {}


def _is_of(manifest: Optional[Dict[str, Any]], about: Dict[str, Any], inputs: str) -> bool:
    stated = json.loads(json.dumps({**about, "inputs": inputs}))
    return manifest is not None and all(manifest.get(name) == value for name, value in stated.items())


def _folder_name(id: str) -> str:
    """As the command names a model's folder: org--name for a hub id, else the last part."""
    plain = id.replace("/", "--") if re.fullmatch(r"[\w.-]+/[\w.-]+", id, re.ASCII) else os.path.basename(id.rstrip("/"))
    return re.sub(r"[^\w.-]+", "-", plain, flags=re.ASCII) or "model"


@contextmanager
def _locked(work: str) -> Iterator[None]:
    """Holds the work folder: two runs would write into each other's files."""
    os.makedirs(work, exist_ok=True)
    with open(os.path.join(work, "lock"), "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise NemosaicError("locked", f'"{work}" is being written by another run; wait for it, or give another name') from None
        yield


def _begin(work: str, facts: Dict[str, Any]) -> None:
    """Keeps what an earlier run left of the same facts; removes what is of others."""
    path = os.path.join(work, "about.json")
    text = json.dumps(facts, sort_keys=True)
    try:
        with open(path, encoding="utf-8") as file:
            if file.read() == text:
                return
    except (FileNotFoundError, UnicodeDecodeError):
        pass
    for name in os.listdir(work):
        if name != "lock":
            os.remove(os.path.join(work, name))
    _write(path, text)


def _write(path: str, text: str) -> None:
    with open(f"{path}.new", "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(f"{path}.new", path)


def _make_images(
    work: str, encoder: Encoder, images: List[Dict[str, Any]], batch_size: int, workers: Optional[int], on_bad: str, quiet: bool
) -> List[str]:
    """Makes images.npy, a row an image or one for each of its crops; returns the names of images that are rows of zeros."""
    bad = os.path.join(work, "skipped.jsonl")
    count = sum(len(line.get("crops", [None])) for line in images)
    unit = "images" if count == len(images) else "crops"
    with _Rows(os.path.join(work, "images.npy"), count, batch_size) as rows:
        known = [(row, line) for row, line in _skipped(bad) if row < rows.done]
        _write(bad, "".join(line for _, line in known))
        progress = Progress(f"embed {unit}", count, rows.done, unit, quiet)
        asked: Deque[List[Source]] = deque()
        batches = decoded(_noted(_batches(images, batch_size, rows.done), asked), encoder.prepare, batch_size, workers)
        with closing(batches):  # so that the workers end where the encoder fails, and let go of the lock
            for batch in batches:
                sources = asked.popleft()
                sizes = [len(source.boxes or [None]) for source in sources]
                good = [prepared for each in batch for prepared in each.prepared]
                vectors = _checked(encoder.encode_images(good), len(good), rows.width, "images") if good else None
                width = rows.width if vectors is None else vectors.shape[1]
                if width is None:
                    raise NemosaicError("bad-input", f"none of the first {len(batch)} images can be decoded, such as {batch[0].name}: {batch[0].problem}")
                block = np.zeros((sum(sizes), width), np.float32)
                if vectors is not None:
                    block[np.repeat([each.problem is None for each in batch], sizes)] = vectors
                for at, source, each in zip(np.cumsum([0, *sizes]).tolist(), sources, batch):
                    if each.problem is None or not _is_first(source):
                        continue
                    if on_bad == "fail":
                        raise NemosaicError("bad-input", f'cannot decode the image "{each.name}": {each.problem}; on_bad="skip" leaves it out')
                    progress.note(f"skipped {each.name}: {each.problem}")
                    with open(bad, "a", encoding="utf-8") as file:
                        file.write(json.dumps({"row": rows.done + at, "name": each.name, "reason": each.problem}) + "\n")
                rows.append(block)
                progress.advance(len(block))
        progress.end()
        if len(images) == 0:
            raise NemosaicError("bad-input", "the pool has no images")
    return [json.loads(line)["name"] for _, line in _skipped(bad)]


def _batches(images: List[Dict[str, Any]], batch_size: int, done: int) -> Iterator[List[Source]]:
    """Batches of rows from row `done` on; an image is decoded once for all of its crops in a batch."""
    batch: List[Source] = []
    row = room = 0
    for line in images:
        boxes = line.get("crops", [None])
        start = max(0, done - row)
        row += len(boxes)
        while start < len(boxes):
            some = boxes[start : start + batch_size - room]
            plain = Source(line["name"], line["file"], line.get("offset"), line.get("bytes"), line.get("problem"))
            batch.append(plain if some[0] is None else plain._replace(boxes=some, pixels=boxes[0][2:]))
            start, room = start + len(some), room + len(some)
            if room == batch_size:
                yield batch
                batch, room = [], 0
    if batch:
        yield batch


def _is_first(source: Source) -> bool:
    """Whether an image's first row is among these: its crops may lie in two batches, and its first is the whole."""
    return source.boxes is None or list(source.boxes[0]) == [0, 0, *(source.pixels or ())]


def _noted(batches: Iterator[List[Source]], asked: "Deque[List[Source]]") -> Iterator[List[Source]]:
    """Passes batches on, and keeps what they were of until their answer comes."""
    for batch in batches:
        asked.append(batch)
        yield batch


def _skipped(path: str) -> List[Tuple[int, str]]:
    """Whole lines of skipped.jsonl with their rows."""
    try:
        with open(path, encoding="utf-8") as file:
            return [(json.loads(line)["row"], line) for line in file if line.endswith("\n")]
    except FileNotFoundError:
        return []


def _make_texts(work: str, encoder: Encoder, texts: List[str], batch_size: int, quiet: bool) -> None:
    """Makes expressions.npy; equal texts are embedded once."""
    distinct = sorted(set(texts), key=lambda text: (len(text), text))  # of like length together: little padding
    with _Rows(os.path.join(work, "texts.npy"), len(distinct), batch_size) as rows:
        progress = Progress("embed texts", len(distinct), rows.done, "texts", quiet)
        while rows.done < len(distinct):
            some = distinct[rows.done : rows.done + batch_size]
            rows.append(_checked(encoder.encode_texts(some), len(some), rows.width, "texts"))
            progress.advance(len(some))
        progress.end()
    made = np.load(os.path.join(work, "texts.npy"), mmap_mode="r") if distinct else np.zeros((0, 1), np.float32)
    place = {text: at for at, text in enumerate(distinct)}
    out = _npy.open_memmap(os.path.join(work, "expressions.npy"), "w+", np.float32, (len(texts), made.shape[1]))
    for start in range(0, len(texts), 4096):
        out[start : start + 4096] = made[[place[text] for text in texts[start : start + 4096]]]
    out.flush()


def _checked(vectors: Any, count: int, width: Optional[int], unit: str) -> Any:
    """Vectors as float32 [count, width]. Raises NemosaicError for another shape, NaN and infinity."""
    detach = getattr(vectors, "detach", None)
    try:
        with np.errstate(over="ignore"):  # what float32 cannot hold is said below
            array = np.asarray(detach().float().cpu().numpy() if detach is not None else vectors, np.float32)
    except (TypeError, ValueError, RuntimeError) as error:  # ragged, text, tensors in a list
        raise NemosaicError("bad-input", f"expected an array [{count}, width] of {unit} from the encoder, got {type(vectors).__name__}: {error}") from error
    if array.ndim != 2 or array.shape[0] != count or array.shape[1] == 0 or (width is not None and array.shape[1] != width):
        raise NemosaicError("bad-input", f"expected [{count}, {width or 'width'}] vectors of {unit} from the encoder, got {list(array.shape)}")
    if not np.isfinite(array).all():
        raise NemosaicError("bad-input", f"the encoder gave vectors of {unit} that are not finite: too low a precision?")
    return array


class _Rows:
    """A .npy file that grows batch by batch: what a kill leaves of a batch is cut off by the next run, so that all batches are those
    of a run that was never killed."""

    def __init__(self, path: str, count: int, batch: int) -> None:
        self.width: Optional[int] = None
        self.done = 0
        self._path, self._count = path, count
        self._file: Optional[BinaryIO] = None
        if not os.path.exists(path):
            return
        file = open(path, "r+b")
        try:
            _npy.read_magic(file)
            (rows, width), _, dtype = _npy.read_array_header_1_0(file)
        except ValueError:  # killed within the header
            file.close()
            os.remove(path)
            return
        header = file.tell()
        size = os.fstat(file.fileno()).st_size
        whole = min(rows, (size - header) // (4 * width))
        self.width, self.done = width, whole if whole == rows else whole - whole % batch
        file.truncate(header + self.done * 4 * width)
        file.seek(0, os.SEEK_END)
        self._file = file

    def append(self, block: Any) -> None:
        if self._file is None:
            self.width = block.shape[1]
            self._file = open(self._path, "w+b")
            facts = {"descr": "<f4", "fortran_order": False, "shape": (self._count, self.width)}
            _npy.write_array_header_1_0(self._file, facts)
        self._file.write(np.ascontiguousarray(block, "<f4").tobytes())
        self._file.flush()
        os.fsync(self._file.fileno())
        self.done += len(block)

    def __enter__(self) -> "_Rows":
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()
