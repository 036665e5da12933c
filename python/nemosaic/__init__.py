"""Hard-negative mosaics for referring image segmentation, in PyTorch.

>>> from nemosaic import Loader
>>> loader = Loader("pool", batch_size=64, size=416, split="train", seed=0, settings="nemosaic.json")
>>> for batch in loader:
...     batch.image, batch.mask, batch.tokens, batch.text, batch.ref

The work is done by the nemosaic command, which a Loader starts and ends; docs/pytorch.md says how it is found.
"""

from . import encoders
from ._batch import Batch
from ._dataset import MosaicDataset
from ._embed import EmbedReport, embed
from ._errors import NemosaicError, ServerGone
from ._loader import Loader
from ._predictions import save_prediction
from ._run import run

__version__ = "0.1.0"
__all__ = [
    "Batch",
    "EmbedReport",
    "Loader",
    "MosaicDataset",
    "NemosaicError",
    "ServerGone",
    "__version__",
    "embed",
    "encoders",
    "run",
    "save_prediction",
]
