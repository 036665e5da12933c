"""Images of a pool, decoded and prepared in worker processes, in order."""

import io
import multiprocessing
import os
import sys
import threading
import time
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Callable, Deque, Generator, Iterable, List, NamedTuple, Optional, Sequence

from ._errors import NemosaicError


class Source(NamedTuple):
    """Where an image's encoded bytes are."""

    name: str
    file: Optional[str]
    offset: Optional[int] = None
    """Of a packed image; None: the whole file."""
    size: Optional[int] = None
    problem: Optional[str] = None
    """Why there are none."""
    boxes: Optional[Sequence[Sequence[int]]] = None
    """What is cut of it, [x, y, width, height] each; None: the whole."""
    pixels: Optional[Sequence[int]] = None
    """Width and height that the boxes are of."""


class Decoded(NamedTuple):
    name: str
    prepared: List[Any]
    """One for each box, or of the whole image."""
    problem: Optional[str]
    """Why it cannot be decoded."""


def decoded(
    batches: Iterable[Sequence[Source]], prepare: Callable[[Any], Any], batch_size: int, workers: Optional[int] = None
) -> Generator[List[Decoded], None, None]:
    """Batches in order, of about `batch_size`, a few ahead of who takes them. `prepare` gets a PIL image in RGB, as stored: not turned by EXIF."""
    try:
        import PIL.Image  # noqa: F401
    except ImportError as error:
        raise NemosaicError("not-found", "decoding images needs Pillow: pip install pillow") from error
    count = min(8, os.cpu_count() or 1) if workers is None else workers
    if count < 1:
        _start(prepare, None)
        for batch in batches:
            yield [_make(source) for source in batch]
        return
    # As torch's DataLoader does on Linux: a forked worker has the encoder without pickling it.
    method = "fork" if sys.platform == "linux" else "spawn"
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(count, mp_context=context, initializer=_start, initargs=(prepare, os.getpid())) as pool:
        ahead: Deque[List["Future[Decoded]"]] = deque()
        waiting = iter(batches)
        enough = 2 + 2 * count // batch_size
        # What is ahead when it ends early is waited for, not cancelled: before Python 3.12 the pool then may never end.
        try:
            while True:
                while len(ahead) < enough:
                    following = next(waiting, None)
                    if following is None:
                        break
                    ahead.append([pool.submit(_make, source) for source in following])
                if not ahead:
                    return
                yield [each.result() for each in ahead.popleft()]
        except BrokenProcessPool as error:
            raise NemosaicError("internal", "a process that prepares images has ended: too little memory? Try fewer workers") from error


_prepare: Callable[[Any], Any]


def _start(prepare: Callable[[Any], Any], parent: Optional[int]) -> None:
    global _prepare
    _prepare = prepare
    if parent is None:
        return
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)  # the workers are the parallelism; a forked process has none of the threads
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    """A worker whose parent was killed would wait for work for ever."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def _make(source: Source) -> Decoded:
    from PIL import Image

    if source.file is None:
        return Decoded(source.name, [], source.problem or "no such file")
    try:
        with open(source.file, "rb") as file:
            if source.offset is not None:
                file.seek(source.offset)
            content = file.read() if source.size is None else file.read(source.size)
        with Image.open(io.BytesIO(content)) as opened:
            image = opened.convert("RGB")
    except Exception as error:  # Pillow raises whatever its decoders do
        return Decoded(source.name, [], f"{type(error).__name__}: {error}".splitlines()[0])
    if source.boxes is None:
        return Decoded(source.name, [_prepare(image)], None)
    if source.pixels is not None and image.size != tuple(source.pixels):
        was, now = (" × ".join(map(str, size)) for size in (source.pixels, image.size))
        return Decoded(source.name, [], f"it has {now} pixels, and had {was} when it was imported: import again")
    return Decoded(source.name, [_prepare(image.crop((x, y, x + width, y + height))) for x, y, width, height in source.boxes], None)
