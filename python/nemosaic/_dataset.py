"""MosaicDataset: samples by index, for those who keep their own DataLoader, sampler and workers."""

import ctypes
import multiprocessing
import os
import warnings
import weakref
from multiprocessing import context as multiprocessing_context
from typing import Any, Dict, List, Optional, Sequence, Tuple

from ._checks import MAX_EPOCH, seed_of, whole
from ._client import Connection
from ._command import Command
from ._errors import NemosaicError, ServerGone
from ._group import group_of
from ._item import Item, teach_torch
from ._layouts import LAYOUTS, Layout, Sample
from ._pool import PoolPath
from ._stream import Holder, Settings, Stream, origin_of, overrides, pick_framework, read_settings, warn_of_settings

MODES = ("train", "val", "test")


class MosaicDataset:
    """A map-style dataset in the shape that published training scripts expect. Safe in DataLoader workers, forked or
    spawned, persistent or not: each opens its own connection.

    mode: "train" has one item for each sample of the epoch, a mosaic or a single image; "val" one for each sentence,
    single images; "test" one for each ref, a single image with all of its sentences. layout: whose training loop the
    items are for: None or "cris" (NeMo's own), "lavt", "cgformer", "vpd" (docs/pytorch.md describes them). A named layout
    has its model's tokens, and settings that name others are an error; None uses the tokens of the settings.

    Items of "train" are new at each pass: the nth time that an item is drawn, it is that of epoch n. `set_epoch` chooses
    the epoch instead, also while workers are alive. With several ranks, call it, so that all are in the same epoch. From
    then on an item depends only on (seed, epoch, index).

    epochs: how many epochs you train; `schedule.plainLast` counts back from it (`schedule.epochs`). repeat: for trainers
    that count steps: the dataset is that many epochs long, one after the other. mask_dir: a folder to which truth masks are
    written, for CRIS's loops, which read them from files. restart: a worker whose server was killed continues with its
    own server. The other arguments are those of Loader.
    """

    def __init__(
        self,
        pool: PoolPath,
        mode: str = "train",
        split: Optional[str] = None,
        size: Optional[int] = None,
        seed: int = 0,
        settings: Settings = None,
        *,
        layout: Optional[str] = None,
        preset: Optional[str] = None,
        tokens: Optional[str] = None,
        token_length: Optional[int] = None,
        epochs: Optional[int] = None,
        repeat: int = 1,
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
        if layout is not None and layout not in LAYOUTS:
            raise NemosaicError("usage", f"expected layout to be one of {', '.join(LAYOUTS)}, got {layout!r}")
        if whole("repeat", repeat, 1) != 1 and mode != "train":
            raise NemosaicError("usage", f"expected repeat of 1 for mode {mode}, got {repeat}: only mode train has epochs")
        chosen = LAYOUTS[layout or "cris"]
        self.mode = mode
        self.layout = layout or "cris"
        self.repeat = int(repeat)
        self.mask_dir = mask_dir
        self.restart = restart
        self._rank, self._world_size, local_rank = group_of(None, None, None)
        self._pool = None if pool is None else os.path.abspath(os.fspath(pool))
        tree = read_settings(settings, preset, socket)
        if layout is not None:
            tokens, token_length = _tower(layout, chosen, tree, tokens, token_length)
        self._options: Dict[str, Any] = {
            "split": split or ("train" if mode == "train" else "val"),
            "seed": seed_of(seed),
            "settings": tree,
            "origin": origin_of(settings, preset, socket),
            "sets": overrides(size, tokens, token_length, epochs),
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
        self._epoch = multiprocessing.RawValue("q", _UNTOLD)
        self._holder: Optional[Holder] = None
        self._finalizer: Optional[Any] = None
        self._process = os.getpid()
        self._path = ""
        self._open(Stream(self._pool, socket_path=socket, world_size=self._world_size, local_rank=local_rank, **self._options))
        try:
            connection = self._connection()
        except BaseException:
            self.close()
            raise
        welcome = connection.welcome
        if (mode == "train") != bool(welcome["augmented"]):
            other = "is not augmented: use mode val or test" if mode == "train" else "is the augmented one: use mode train"
            self.close()
            raise NemosaicError("usage", f'split "{welcome["split"]}" {other}')
        self.size: int = welcome["size"]
        self.split: str = welcome["split"]
        self.samples: int = welcome["length"]
        self._groups: Optional[List[range]] = self._refs(connection) if mode == "test" else None
        self._has_schedule = _has_schedule(welcome)
        # Shared with workers, as the epoch is. Nobody waits for a lock: that two workers draw one item at a time is rare,
        # and then both draw the same.
        self._draws = multiprocessing.RawArray("I", len(self) if mode == "train" else 0)
        warn_of_settings(welcome, stacklevel=2)

    def __len__(self) -> int:
        return self.samples * self.repeat if self._groups is None else len(self._groups)

    def __repr__(self) -> str:
        if self._holder is None:
            return f"MosaicDataset({len(self)} items, mode {self.mode})"
        stream = self._holder.stream
        chosen = "new at each pass" if self.epoch is None else f"epoch {self.epoch}"
        when = f"; {chosen}" if self.mode == "train" else ""
        return (
            f'MosaicDataset(split "{self.split}" of {stream.place}, mode {self.mode}: {len(self)} items of {self.size} × {self.size} '
            f'as {self.layout} takes them{when}, seed {self._options["seed"]}; {stream.origin})'
        )

    def _repr_html_(self) -> str:
        """The first items, drawn aside: those that a loop gets stay new."""
        if self._holder is None:
            return repr(self)
        indices = [sample for item in range(min(8, len(self))) for sample in self._samples_of(item)[:1]]
        alive = self._finalizer is not None and bool(self._finalizer.alive)
        return self._holder.stream.gallery(alive, repr(self), self.epoch or 0, indices)

    @property
    def epoch(self) -> Optional[int]:
        """The epoch that was chosen; None = each item is new whenever it is drawn."""
        chosen = int(self._epoch.value)
        return None if chosen == _UNTOLD else chosen

    def keys(self) -> List[str]:
        """The keys source/ref/sentence of all items in their order, of "test" with every sentence of a ref, for `save_prediction`."""
        if self.mode == "train":
            raise NemosaicError("usage", "expected mode val or test for keys(): in training each epoch draws its own sentences")
        return self._read_keys(self._connection())

    def set_epoch(self, epoch: int) -> None:
        """Chooses the epoch for this process and for workers that are alive."""
        self._epoch.value = whole("an epoch", epoch, 0, MAX_EPOCH)

    def __getitem__(self, index: int) -> Any:
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: Sequence[int]) -> List[Any]:
        """Several items by one request; DataLoader of torch 2 calls it."""
        wanted = [self._checked(int(index)) for index in indices]
        items: List[Any] = [None] * len(wanted)
        by_epoch: Dict[int, List[int]] = {}
        for at, index in enumerate(wanted):
            by_epoch.setdefault(self._epoch_of(index), []).append(at)
        for epoch, places in by_epoch.items():
            groups = [self._samples_of(wanted[at]) for at in places]
            answer = self._call(epoch, [sample for group in groups for sample in group])
            first = 0
            for at, group in zip(places, groups):
                items[at] = self._item(answer, first, len(group))
                first += len(group)
        return items

    def __getstate__(self) -> Dict[str, Any]:
        state = dict(self.__dict__)
        state["_holder"] = state["_finalizer"] = None
        if multiprocessing_context.get_spawning_popen() is None:
            # A plain pickle cannot carry shared memory: the copy has an epoch and draws of its own.
            state["_epoch"], state["_draws"] = int(self._epoch.value), bytes(self._draws)
        return state

    def __setstate__(self, state: Dict[str, Any]) -> None:
        self.__dict__.update(state)
        if isinstance(self._epoch, int):
            epoch, draws = self._epoch, state["_draws"]
            self._epoch = multiprocessing.RawValue("q", epoch)
            self._draws = multiprocessing.RawArray("I", len(draws) // 4)
            ctypes.memmove(self._draws, draws, len(draws))
        self._process = -1

    def close(self) -> None:
        """Ends this process's connection, and the server if nobody else here uses it."""
        if self._finalizer is not None:
            self._finalizer()

    def _epoch_of(self, index: int) -> int:
        """Of an item that is about to be drawn."""
        if self.mode != "train":
            return 0
        chosen = int(self._epoch.value)
        if chosen != _UNTOLD:
            return chosen + index // self.samples
        drawn = int(self._draws[index])
        self._draws[index] = drawn + 1
        if self._world_size > 1 and self._has_schedule:
            self._has_schedule = False
            warnings.warn(
                "the settings have a schedule over epochs, but this dataset does not know the epoch, so ranks only guess "
                "it; call dataset.set_epoch(epoch) before each epoch",
                stacklevel=4,
            )
        # Which items the other ranks drew is not known here: taking turns, no two ranks draw one sample.
        return (drawn * self._world_size + self._rank) * self.repeat + index // self.samples

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
        except ServerGone as gone:
            if not self.restart:
                assert self._holder is not None
                raise self._holder.stream.gone(gone, False) from None
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
        item = getattr(layout, self.mode)(sample)
        if self.mode == "train":
            return item
        if self._options["arrays"]["framework"] == "torch":
            teach_torch()
        return Item(item)

    def _refs(self, connection: Connection) -> List[range]:
        """The samples of each ref: sentences of one ref follow each other."""
        keys = self._read_keys(connection)
        starts = [at for at, key in enumerate(keys) if at == 0 or key.rsplit("/", 1)[0] != keys[at - 1].rsplit("/", 1)[0]]
        return [range(start, end) for start, end in zip(starts, [*starts[1:], len(keys)])]

    def _read_keys(self, connection: Connection) -> List[str]:
        keys: List[str] = []
        for start in range(0, self.samples, 10_000):
            keys += connection.call(0, range(start, min(start + 10_000, self.samples)), ["keys"])["keys"]
        return keys

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


_UNTOLD = -1


def _tower(
    layout: str, chosen: Layout, tree: Optional[Dict[str, Any]], tokens: Optional[str], token_length: Optional[int]
) -> Tuple[Optional[str], Optional[int]]:
    """Tokens of a named layout: an argument stands over the settings, the settings over the layout's length."""
    own = (tree or {}).get("tokens")
    said: Dict[str, Any] = own if isinstance(own, dict) else {}
    if tokens is None:
        kind = said.get("kind", chosen.tokens)
        if kind != chosen.tokens:
            raise NemosaicError(
                "usage",
                f'layout "{layout}" feeds {chosen.tokens} tokens, and the settings say tokens.kind {kind!r}: take that key out '
                f'of the settings, or pass tokens="{kind}" if your model was changed to take them',
            )
        tokens = chosen.tokens
    if token_length is None and "length" not in said:
        token_length = chosen.token_length
    return tokens, token_length


def _has_schedule(welcome: Dict[str, Any]) -> bool:
    schedule: Dict[str, Any] = welcome["resolved"].get("schedule") or {}
    return any(bool(value) for name, value in schedule.items() if name != "epochs")


def _own(array: Any) -> Any:
    return array.copy() if hasattr(array, "copy") else array.clone()
