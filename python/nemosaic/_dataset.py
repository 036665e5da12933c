"""MosaicDataset: samples by index, for those who keep their own DataLoader, sampler and workers."""

import multiprocessing
import os
import weakref
from multiprocessing import context as multiprocessing_context
from typing import Any, Dict, List, Optional, Sequence, Union

from ._client import Connection
from ._command import Command
from ._errors import NemosaicError, ServerGone
from ._group import group_of
from ._layouts import LAYOUTS, Sample
from ._stream import Holder, Settings, Stream, overrides, pick_framework, read_settings

MODES = ("train", "val", "test")


class MosaicDataset:
    """A map-style dataset in the shape that published training scripts expect. Safe in DataLoader workers, forked or
    spawned, persistent or not: each opens its own connection.

    mode "train": one item a sample of the epoch; (image, word_vec, mask) for layout "cris" = float32 [3, S, S],
    int64 [L], float32 [S, S]. mode "val": one item a sentence, single images. mode "test": one item a ref, single
    image, all of its sentences. Items of "val" and "test" carry the truth as their loops expect it; `layout` names
    whose: "cris" (NeMo's own), "lavt", "cgformer", "vpd" (docs/recipes).

    Call `set_epoch` before each epoch, with workers alive too: they see it. epochs: for trainers that count steps and
    know no epochs, the dataset is as long as that many of them, one after the other, each drawn anew. mask_dir: a folder that truth masks are
    written to, for CRIS's loops, which read them from files. restart: a worker whose server was killed goes on with
    one of its own. The other arguments are those of Loader.
    """

    def __init__(
        self,
        pool: Union[str, "os.PathLike[str]"],
        mode: str = "train",
        split: Optional[str] = None,
        size: Optional[int] = None,
        seed: int = 0,
        settings: Settings = None,
        *,
        layout: str = "cris",
        preset: Optional[str] = None,
        tokens: Optional[str] = None,
        token_length: Optional[int] = None,
        epochs: int = 1,
        mask_dir: Optional[str] = None,
        normalise: Any = "layout",
        framework: Optional[str] = None,
        restart: bool = False,
        socket: Optional[str] = None,
        command: Optional[Command] = None,
        server_options: Sequence[str] = (),
        timeout: float = 120.0,
    ) -> None:
        if mode not in MODES:
            raise NemosaicError("usage", f"expected mode to be one of {', '.join(MODES)}, got {mode!r}")
        if layout not in LAYOUTS:
            raise NemosaicError("usage", f"expected layout to be one of {', '.join(LAYOUTS)}, got {layout!r}")
        if int(epochs) < 1 or (mode != "train" and int(epochs) != 1):
            raise NemosaicError("usage", f"expected epochs of 1 or more for mode train, 1 for the others, got {epochs}")
        chosen = LAYOUTS[layout]
        self.mode = mode
        self.layout = layout
        self.epochs = int(epochs)
        self.mask_dir = mask_dir
        self.restart = restart
        rank, world_size, local_rank = group_of(None, None, None)
        self._pool = os.path.abspath(os.fspath(pool))
        self._options: Dict[str, Any] = {
            "split": split or ("train" if mode == "train" else "val"),
            "seed": seed,
            "settings": read_settings(settings, preset),
            "sets": overrides(size, tokens or chosen.tokens, token_length or chosen.token_length),
            "credits": 1,
            "batch_size": 1,
            "arrays": {
                "framework": pick_framework(framework),
                "dtype": "float32",
                "normalise": chosen.normalise if normalise == "layout" else normalise,
                "pin_memory": False,
                "device": None,
            },
            "command": command,
            "timeout": timeout,
            "server_options": server_options,
        }
        self._epoch = multiprocessing.RawValue("q", 0)
        self._holder: Optional[Holder] = None
        self._finalizer: Optional[Any] = None
        self._process = os.getpid()
        self._path = ""
        self._open(Stream(self._pool, socket_path=socket, world_size=world_size, local_rank=local_rank, **self._options))
        connection = self._connection()
        welcome = connection.welcome
        if (mode == "train") != bool(welcome["augmented"]):
            other = "is not augmented: use mode val or test" if mode == "train" else "is the augmented one: use mode train"
            self.close()
            raise NemosaicError("usage", f'split "{welcome["split"]}" {other}')
        self.size: int = welcome["size"]
        self.split: str = welcome["split"]
        self.samples: int = welcome["length"]
        self._groups: Optional[List[range]] = self._refs(connection) if mode == "test" else None

    def __len__(self) -> int:
        return self.samples * self.epochs if self._groups is None else len(self._groups)

    @property
    def epoch(self) -> int:
        return int(self._epoch.value)

    def set_epoch(self, epoch: int) -> None:
        """Chooses the epoch for this process and for workers that are alive."""
        if epoch < 0:
            raise NemosaicError("usage", f"expected an epoch of 0 or more, got {epoch}")
        self._epoch.value = int(epoch)

    def __getitem__(self, index: int) -> Any:
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: Sequence[int]) -> List[Any]:
        """Several items by one request; DataLoader of torch 2 calls it."""
        wanted = [self._checked(int(index)) for index in indices]
        items: List[Any] = [None] * len(wanted)
        by_epoch: Dict[int, List[int]] = {}
        for at, index in enumerate(wanted):
            by_epoch.setdefault(index // self.samples if self._groups is None else 0, []).append(at)
        for later, places in by_epoch.items():
            groups = [self._samples_of(wanted[at]) for at in places]
            answer = self._call(self.epoch + later, [sample for group in groups for sample in group])
            first = 0
            for at, group in zip(places, groups):
                items[at] = self._item(answer, first, len(group))
                first += len(group)
        return items

    def __getstate__(self) -> Dict[str, Any]:
        state = dict(self.__dict__)
        state["_holder"] = state["_finalizer"] = None
        if multiprocessing_context.get_spawning_popen() is None:
            # A plain pickle cannot carry shared memory: the copy has an epoch of its own.
            state["_epoch"] = self.epoch
        return state

    def __setstate__(self, state: Dict[str, Any]) -> None:
        self.__dict__.update(state)
        if isinstance(self._epoch, int):
            epoch = self._epoch
            self._epoch = multiprocessing.RawValue("q", epoch)
        self._process = -1

    def close(self) -> None:
        """Ends this process's connection, and the server if nobody else here uses it."""
        if self._finalizer is not None:
            self._finalizer()

    def _samples_of(self, index: int) -> range:
        if self._groups is not None:
            return self._groups[index]
        sample = index % self.samples
        return range(sample, sample + 1)

    def _checked(self, index: int) -> int:
        length = len(self)
        if not -length <= index < length:
            raise IndexError(f"expected an index from 0 to {length - 1}, got {index}")
        return index % length

    def _call(self, epoch: int, indices: List[int]) -> Dict[str, Any]:
        want = ["image", "mask", "tokens", "texts", "keys"]
        if self.mode != "train":
            want.append("truths")
        try:
            return self._connection().call(epoch, indices, want)
        except ServerGone:
            if not self.restart:
                raise
            return self._renew().call(epoch, indices, want)

    def _item(self, answer: Dict[str, Any], at: int, count: int) -> Any:
        layout = LAYOUTS[self.layout]
        truths = answer.get("truths")
        # Copies: an item must not keep its whole batch in memory.
        sample = Sample(
            image=_own(answer["image"][at]),
            mask=_own(answer["mask"][at]),
            tokens=answer["tokens"][at : at + count],
            texts=answer["texts"][at : at + count],
            key=answer["keys"][at],
            truth=None if truths is None else truths[at],
            mask_dir=self.mask_dir,
        )
        return getattr(layout, self.mode)(sample)

    def _refs(self, connection: Connection) -> List[range]:
        """The samples of each ref: sentences of one ref follow each other."""
        keys: List[str] = []
        for start in range(0, self.samples, 10_000):
            keys += connection.call(0, range(start, min(start + 10_000, self.samples)), ["keys"])["keys"]
        starts = [at for at, key in enumerate(keys) if at == 0 or key.rsplit("/", 1)[0] != keys[at - 1].rsplit("/", 1)[0]]
        return [range(start, end) for start, end in zip(starts, [*starts[1:], len(keys)])]

    def _connection(self) -> Connection:
        if self._process != os.getpid():
            # A worker: whatever was inherited is the parent's.
            self._process = os.getpid()
            self._holder = None
            self._open(Stream(self._pool, socket_path=self._path, world_size=1, local_rank=None, **{**self._options, "timeout": 5.0}))
        if self._finalizer is None or not self._finalizer.alive or self._holder is None:
            raise NemosaicError("usage", "the dataset is closed")
        try:
            return self._holder.connection(renew=False)
        except ServerGone:
            if not self.restart:
                raise
            return self._renew()

    def _renew(self) -> Connection:
        """Starts the own server again, or, in a worker, one of its own."""
        assert self._holder is not None
        try:
            return self._holder.connection(renew=True)
        except ServerGone:
            own = Stream(self._pool, socket_path=None, world_size=1, local_rank=None, **self._options)
            own.welcome = self._holder.stream.welcome
            self._open(own)
            return self._holder.connection(renew=False)

    def _open(self, stream: Stream) -> None:
        self._path = stream.server.path
        self._holder = Holder(stream)
        self._finalizer = weakref.finalize(self, self._holder.close)


def _own(array: Any) -> Any:
    return array.copy() if hasattr(array, "copy") else array.clone()
