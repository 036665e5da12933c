"""Loader: batches of an epoch, in order, made ahead; resumable and spread over ranks."""

import os
import warnings
import weakref
from collections import deque
from typing import Any, Deque, Dict, Iterator, List, Optional, Sequence, Tuple, Union

from ._batch import Batch
from ._client import Connection
from ._command import Command
from ._errors import NemosaicError, ServerGone
from ._group import group_of
from ._order import RankOrder, epoch_order
from ._stream import Holder, Settings, Stream, overrides, pick_framework, read_settings

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

    pool: the pool's folder. batch_size: samples a batch, for this rank. size: S, over the settings'. settings: a
    nemosaic.json, or its content as a dict; None = nemosaic.json in the working directory, else the defaults. preset:
    "nemo", "random", "none", … to start from. tokens, token_length: over the settings'.

    rank, world_size: default from torch.distributed where it is initialised, else RANK and WORLD_SIZE, else 0 of 1.
    local_rank: default LOCAL_RANK; local rank 0 starts the server, the others join it. A group started without
    LOCAL_RANK has a server in each process.

    num_prefetch: batches made ahead. pin_memory: default where CUDA is there. device: move batches there and normalise
    there. dtype: "float32" or "uint8". normalise: "clip", "imagenet", a dict of mean and std, or None (0 to 1). framework: "torch" or "numpy".

    shuffle: default for train only. drop_last: leave out an incomplete global batch. tail: what happens to samples
    that do not fill up all ranks: "pad" (repeat; default for train), "drop" (default with drop_last) or "keep" (each
    exactly once, ranks may differ by a sample; default for other splits).

    plans: ask for the plans too. restart: start a killed server again and go on at the same sample; otherwise
    ServerGone is raised at once. socket: join the server there. command: the words that start nemosaic.
    server_options: further words for "nemosaic serve" where this process starts it, as ["--tiles", "build", "--timing"].
    timeout: seconds to wait for the server to start.
    """

    def __init__(
        self,
        pool: Union[str, "os.PathLike[str]"],
        batch_size: int = 16,
        size: Optional[int] = None,
        split: str = "train",
        seed: int = 0,
        settings: Settings = None,
        *,
        preset: Optional[str] = None,
        tokens: Optional[str] = None,
        token_length: Optional[int] = None,
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
        if int(batch_size) < 1:
            raise NemosaicError("usage", f"expected a batch size of 1 or more, got {batch_size}")
        if int(num_prefetch) < 1:
            raise NemosaicError("usage", f"expected num_prefetch of 1 or more, got {num_prefetch}")
        if tail is not None and tail not in TAILS:
            raise NemosaicError("usage", f"expected tail to be one of {', '.join(TAILS)}, got {tail!r}")
        self.batch_size = int(batch_size)
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
            seed,
            read_settings(settings, preset),
            overrides(size, tokens, token_length),
            int(num_prefetch),
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
        self._running: Optional["_Epoch"] = None
        if len(self) == 0:
            warnings.warn(
                f'split "{self.split}" has {self.samples} samples: fewer than a global batch of '
                f"{self.batch_size * self.world_size}, so that an epoch is empty",
                stacklevel=2,
            )

    def __len__(self) -> int:
        """Batches of a whole epoch, for this rank."""
        order = self._order(None)
        return order.samples // self.batch_size if self._drop_last else order.steps

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

    def set_epoch(self, epoch: int) -> None:
        """Chooses the epoch. The one that a loaded state is in the middle of goes on there."""
        if epoch < 0:
            raise NemosaicError("usage", f"expected an epoch of 0 or more, got {epoch}")
        if int(epoch) != self._epoch:
            self._epoch = int(epoch)
            self._start = 0
            self._consumed = 0
            self._running = None

    def __iter__(self) -> Iterator[Batch]:
        """The batches of the epoch; at its end the loader moves on to the next one."""
        start, self._start = self._start, 0
        self._consumed = start
        running = _Epoch(self, self._epoch, start)
        self._running = running
        return running.run()

    def state_dict(self) -> Dict[str, Any]:
        """Where the loader is: JSON values, the same on every rank. Load it with the same global batch."""
        return {
            "version": 1,
            "epoch": self._epoch,
            "samples": self._consumed * self.batch_size * self.world_size,
            "global_batch": self.batch_size * self.world_size,
            "length": self.samples,
            "seed": self.seed,
            "shuffle": self.shuffle,
            "identity": self.identity,
        }

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        """Goes on where a state was saved, also at another world size: the same batches remain."""
        if state.get("version") != 1:
            raise NemosaicError("unsupported", f"expected a loader state of version 1, got {state.get('version')!r}")
        missing = [name for name in self.state_dict() if name not in state]
        if missing:
            raise NemosaicError("bad-input", f"expected the state of a loader (state_dict()), got one without {', '.join(missing)}")
        for name, own, what in (
            ("identity", self.identity, "pool, settings or split"),
            ("seed", self.seed, "seed"),
            ("length", self.samples, "number of samples"),
            ("shuffle", self.shuffle, "shuffle"),
        ):
            if state[name] != own:
                raise NemosaicError("bad-input", f"the state was saved with another {what} ({state[name]} then, {own} now): its samples would not go on")
        batch = self.batch_size * self.world_size
        samples = int(state["samples"])
        if samples % batch != 0:
            raise NemosaicError(
                "usage",
                f"the state was saved after {samples} samples in batches of {state['global_batch']}; that is no whole number "
                f"of batches of {batch} (batch_size · world_size): use a global batch that divides it",
            )
        self._epoch = int(state["epoch"])
        self._start = samples // batch
        self._consumed = self._start
        self._running = None

    def close(self) -> None:
        """Ends the connection, and the server if this loader was the last to use it."""
        self._finalizer()

    def __enter__(self) -> "Loader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

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

    def _order(self, epoch: Optional[int]) -> RankOrder:
        order = epoch_order(self.seed, epoch, self.samples) if self.shuffle and epoch is not None else None
        return RankOrder(self.samples, self.batch_size, self.rank, self.world_size, self.tail, order)

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
                if loader._running is self:
                    loader._consumed = step + 1
                yield loader._batch(answer)
            if loader._running is self:
                loader.set_epoch(self._epoch + 1)
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
        raise gone


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
