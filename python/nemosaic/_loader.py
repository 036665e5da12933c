"""Loader: batches of an epoch, in order, made ahead; resumable and spread over ranks."""

import os
import warnings
import weakref
from collections import deque
from typing import Any, Deque, Dict, Iterator, List, Optional, Sequence, Tuple, Union

from ._batch import Batch
from ._checks import MAX_EPOCH, seed_of, whole
from ._client import Connection
from ._command import Command
from ._errors import NemosaicError, ServerGone
from ._group import group_of
from ._order import RankOrder, epoch_order
from ._pool import PoolPath
from ._state import VERSION, check_state
from ._stream import Holder, Settings, Stream, origin_of, overrides, pick_framework, read_settings, warn_of_settings

TAILS = ("pad", "drop", "keep")


class Loader:
    """Iterates over the batches of an epoch.

    >>> loader = Loader("pool", batch_size=64, size=416, settings="nemosaic.json")
    >>> for epoch in range(loader.epoch, 50):
    ...     loader.set_epoch(epoch)
    ...     for batch in loader:
    ...         loss = model(batch.image, batch.tokens, batch.mask)

    Sample i of epoch e is a function of (pool, settings, seed, e, i): neither ranks, nor batch size, nor restarts
    change it. Split "train" is augmented; the others give single images, every sentence, and truth at original size.

    An epoch ends when its last batch is handed out: `epoch` is then the next one, and a state saved there continues with
    it. A pass that you leave early (a trainer's limit of batches) ends its epoch, too: the next `for` runs over the next
    epoch, unless `set_epoch` chooses another. `sampler` is the loader itself, for trainers that call
    `loader.sampler.set_epoch`.

    Data:
    pool: the pool's folder; None: that of the server at `socket`. settings: a nemosaic.json, or its content as a dict;
    None: nemosaic.json in the working directory, else the defaults. preset: "nemo", "random", "none", … to start from.
    size, tokens, token_length: override the settings. epochs: how many epochs you train; `schedule.plainLast` counts back
    from it (`schedule.epochs`). plans: give the plans, too.

    Batches:
    batch_size: samples in a batch of this rank. shuffle: default for train only. drop_last: leave out an incomplete global
    batch. tail: what happens to samples that do not fill all ranks: "pad" (repeat; default for train), "drop" (default
    with drop_last) or "keep" (each exactly once, ranks may differ by a sample; default for other splits). num_prefetch:
    batches made ahead. pin_memory: default if CUDA is available. device: move batches there and normalise there. dtype:
    "float32" or "uint8". normalise: "clip", "imagenet", a dict of mean and std, or None (0 to 1). framework: "torch" or
    "numpy".

    Ranks:
    rank, world_size: default from torch.distributed if it is initialised, else RANK and WORLD_SIZE, else 0 of 1.
    local_rank: default LOCAL_RANK; local rank 0 starts the server, the others join it. Without LOCAL_RANK, each process
    has its own server.

    Server:
    restart: start a killed server again and continue at the same sample; otherwise ServerGone is raised at once. socket:
    join the server there. command: the words that start nemosaic. server_options: further words for "nemosaic serve" if
    this process starts it, such as ["--tiles", "use", "--timing"]. The server stores what it decodes for the next epoch,
    and says where; docs/performance.md says how to change or forbid that. timeout: seconds to wait for the server to
    start.
    """

    def __init__(
        self,
        pool: PoolPath,
        batch_size: int = 16,
        size: Optional[int] = None,
        split: str = "train",
        seed: int = 0,
        settings: Settings = None,
        *,
        preset: Optional[str] = None,
        tokens: Optional[str] = None,
        token_length: Optional[int] = None,
        epochs: Optional[int] = None,
        rank: Optional[int] = None,
        world_size: Optional[int] = None,
        local_rank: Optional[int] = None,
        num_prefetch: int = 3,
        pin_memory: Optional[bool] = None,
        device: Optional[Any] = None,
        dtype: str = "float32",
        normalise: Union[None, str, Dict[str, Sequence[float]]] = "clip",
        framework: Optional[str] = None,
        shuffle: Optional[bool] = None,
        drop_last: bool = False,
        tail: Optional[str] = None,
        plans: bool = False,
        restart: bool = False,
        socket: Optional[str] = None,
        command: Optional[Command] = None,
        server_options: Sequence[str] = (),
        timeout: float = 120.0,
    ) -> None:
        if tail is not None and tail not in TAILS:
            raise NemosaicError("usage", f"expected tail to be one of {', '.join(TAILS)}, got {tail!r}")
        self.batch_size = whole("batch_size", batch_size, 1)
        num_prefetch = whole("num_prefetch", num_prefetch, 1, 1024)
        self.rank, self.world_size, self.local_rank = group_of(rank, world_size, local_rank)
        self.restart = restart
        self._framework = pick_framework(framework)
        self._plans = plans
        arrays = {
            "framework": self._framework,
            "dtype": dtype,
            "normalise": normalise,
            "pin_memory": _pins(self._framework, pin_memory),
            "device": device,
        }
        self._stream = Stream(
            pool,
            split,
            seed_of(seed),
            read_settings(settings, preset, socket),
            origin_of(settings, preset, socket),
            overrides(size, tokens, token_length, epochs),
            num_prefetch,
            self.batch_size,
            arrays,
            command,
            socket,
            self.world_size,
            self.local_rank,
            timeout,
            server_options,
        )
        self._holder = Holder(self._stream)
        self._finalizer = weakref.finalize(self, self._holder.close)
        try:
            self._connection()
        except BaseException:
            self.close()
            raise
        welcome = self._welcome
        self.split: str = welcome["split"]
        self.seed: int = welcome["seed"]
        self.size: int = welcome["size"]
        self.samples: int = welcome["length"]
        self.augmented: bool = welcome["augmented"]
        self.shuffle = self.augmented if shuffle is None else bool(shuffle)
        self.tail = tail or ("drop" if drop_last else "pad" if self.augmented else "keep")
        self._drop_last = drop_last
        self._epoch = 0
        self._start = 0
        self._consumed = 0
        self._begun = False
        self._running: Optional["_Epoch"] = None
        warn_of_settings(welcome, stacklevel=2)
        if len(self) == 0:
            warnings.warn(
                f'split "{self.split}" has {self.samples} samples: fewer than a global batch of '
                f"{self.batch_size * self.world_size}, so that an epoch is empty",
                stacklevel=2,
            )

    def __len__(self) -> int:
        """Batches of a whole epoch, for this rank."""
        return self._steps(self.rank)

    def __repr__(self) -> str:
        ranks = f", rank {self.rank} of {self.world_size}" if self.world_size > 1 else ""
        return (
            f'Loader(split "{self.split}" of {self._stream.place}: {self.samples} samples of {self.size} × {self.size} in '
            f"{len(self)} batches of {self.batch_size}{ranks}; epoch {self._epoch}, seed {self.seed}; {self._stream.origin})"
        )

    def _repr_html_(self) -> str:
        """The first samples of the epoch, drawn aside: the loader stays where it is."""
        return self._stream.gallery(self._finalizer.alive, repr(self), self._epoch, self._order(self._epoch).batch(0).tolist())

    @property
    def epoch(self) -> int:
        """The epoch that the next `for` runs over."""
        return self._epoch

    @property
    def identity(self) -> str:
        """Hash of pool, settings and split."""
        return str(self._welcome["identity"])

    @property
    def settings(self) -> Dict[str, Any]:
        """The settings in force, complete."""
        return dict(self._welcome["resolved"])

    @property
    def sampler(self) -> "Loader":
        """The loader itself: Lightning and others tell an epoch by `loader.sampler.set_epoch(epoch)`."""
        return self

    def set_epoch(self, epoch: int) -> None:
        """Chooses the epoch. If a loaded state is in the middle of this epoch, it continues there."""
        epoch = whole("an epoch", epoch, 0, MAX_EPOCH)
        self._begun = False
        if epoch != self._epoch:
            self._move_to(epoch)

    def __iter__(self) -> Iterator[Batch]:
        """The batches of the epoch; when the last one is handed out, the loader moves on to the next epoch."""
        if self._begun:  # a pass that was left before its end
            self._move_to(self._epoch + 1)
        start, self._start = self._start, 0
        self._consumed = start
        running = _Epoch(self, self._epoch, start)
        self._running = running
        return running.run()

    def state_dict(self) -> Dict[str, Any]:
        """Where the loader is: JSON values, the same on every rank. Load it with the same global batch."""
        return {
            "version": VERSION,
            "epoch": self._epoch,
            "samples": self._consumed * self._global_batch,
            "global_batch": self._global_batch,
            "length": self.samples,
            "seed": self.seed,
            "shuffle": self.shuffle,
            "identity": self.identity,
            "pool": self._welcome["pool"],
            "split": self.split,
            "settings": self.settings,
        }

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        """Goes on where a state was saved, also at another world size: the same batches remain."""
        check_state(state, self.state_dict())
        batch = self._global_batch
        samples = int(state["samples"])
        if samples % batch != 0:
            raise NemosaicError(
                "usage",
                f"the state was saved after {samples} samples in batches of {state['global_batch']}; that is no whole number "
                f"of batches of {batch} (batch_size · world_size): use a global batch that divides it",
            )
        self._move_to(int(state["epoch"]))
        self._start = self._consumed = samples // batch
        # A state of the last batch: with "keep" rank 0 has the most batches, and all ranks move on together.
        if self._start >= max(1, self._steps(0)):
            self._move_to(self._epoch + 1)

    def close(self) -> None:
        """Ends the connection, and the server if this loader was the last to use it."""
        self._finalizer()

    def __enter__(self) -> "Loader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def _global_batch(self) -> int:
        return self.batch_size * self.world_size

    def _move_to(self, epoch: int) -> None:
        """To the start of an epoch."""
        self._epoch = epoch
        self._start = self._consumed = 0
        self._begun = False
        self._running = None

    @property
    def _welcome(self) -> Dict[str, Any]:
        assert self._stream.welcome is not None
        return self._stream.welcome

    @property
    def _want(self) -> List[str]:
        want = ["image", "mask", "tokens", "texts", "keys"]
        if self._plans:
            want.append("plans")
        if not self.augmented:
            want.append("truths")
        return want

    def _order(self, epoch: int) -> RankOrder:
        order = epoch_order(self.seed, epoch, self.samples) if self.shuffle else None
        return RankOrder(self.samples, self.batch_size, self.rank, self.world_size, self.tail, order)

    def _steps(self, rank: int) -> int:
        order = RankOrder(self.samples, self.batch_size, rank, self.world_size, self.tail)
        return order.samples // self.batch_size if self._drop_last else order.steps

    def _connection(self, renew: bool = False) -> Connection:
        if not self._finalizer.alive:
            raise NemosaicError("usage", "the loader is closed")
        return self._holder.connection(renew and self.restart)

    def _batch(self, answer: Dict[str, Any]) -> Batch:
        return Batch(
            image=answer["image"],
            mask=answer["mask"],
            tokens=answer["tokens"],
            text=answer["texts"],
            key=answer["keys"],
            indices=answer["indices"],
            epoch=answer["epoch"],
            plan=answer.get("plans"),
            truth=answer.get("truths"),
            replaced=answer["replaced"],
            normalisation=self._stream.constants,
        )


class _Epoch:
    """One pass over an epoch, with its requests under way."""

    def __init__(self, loader: Loader, epoch: int, start: int) -> None:
        self._loader = loader
        self._epoch = epoch
        self._start = start

    def run(self) -> Iterator[Batch]:
        loader = self._loader
        order = loader._order(self._epoch)
        steps = len(loader)
        waiting: Deque[Tuple[int, int]] = deque()
        connection = loader._connection()
        ahead = self._start
        failures = 0
        try:
            for step in range(self._start, steps):
                while True:
                    try:
                        while ahead < steps and len(waiting) < connection.credits and connection.under_way < connection.credits:
                            waiting.append((ahead, connection.submit(self._epoch, order.batch(ahead), loader._want)))
                            ahead += 1
                        if not waiting:
                            # Answers to an abandoned pass still hold all credits.
                            connection.wait_for_credit()
                            continue
                        answer = connection.result(waiting[0][1])
                        break
                    except ServerGone as gone:
                        waiting.clear()
                        ahead = step
                        connection, failures = self._reconnected(gone, failures)
                failures = 0
                waiting.popleft()
                batch = loader._batch(answer)
                if loader._running is self:
                    if step + 1 < steps:
                        loader._consumed, loader._begun = step + 1, True
                    else:
                        loader._move_to(self._epoch + 1)
                yield batch
            if loader._running is self:  # there was no batch
                loader._move_to(self._epoch + 1)
        finally:
            for _, request in waiting:
                connection.drop(request)

    def _reconnected(self, gone: ServerGone, failures: int) -> Tuple[Connection, int]:
        """A connection to a server started again; `failures` in a row without a batch end the attempts."""
        while self._loader.restart and failures < 10:
            failures += 1
            try:
                return self._loader._connection(renew=True), failures
            except ServerGone as again:  # killed once more, before it could answer
                gone = again
        raise self._loader._stream.gone(gone, self._loader.restart)


def _pins(framework: str, pin_memory: Optional[bool]) -> bool:
    if framework != "torch":
        return bool(pin_memory)
    import torch

    available = bool(torch.cuda.is_available())
    if pin_memory is None:
        return available
    if pin_memory and not available:
        warnings.warn("pin_memory needs CUDA, which is not available; batches stay in ordinary memory", stacklevel=3)
    return bool(pin_memory) and available
